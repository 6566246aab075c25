// cli/access_setup.h: what gemel.conf says about access, turned into what access/ needs.
#ifndef GM_CLI_ACCESS_SETUP_H
#define GM_CLI_ACCESS_SETUP_H

#include "access/access.h"
#include "cli/data_dir.h"

// The keys for tokens of an identity provider; *out_keys is NULL when none are configured. Texts of the rules lie in the
// arena. GM_INVALID: a key that is none, or keys without jwt.audience. GM_NOTFOUND, GM_IO: a file.
GM_NODISCARD gm_status gm_access_setup_jwt(const gm_alloc *alloc, const gm_io *io, const gm_plant *plant, gm_arena *arena,
                                           gm_jwt_keys **out_keys, gm_error *err);

// Reads the keys and creates it. Before gm_engine_recover.
GM_NODISCARD gm_status gm_access_setup(const gm_alloc *alloc, const gm_io *io, const gm_clock *clock, gm_engine *engine,
                                       const gm_plant *plant, gm_arena *arena, gm_access **out_access, gm_error *err);

#endif
