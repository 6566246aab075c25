// cli/data_dir.h: where a plant keeps gemel's own files, and who works on them: one process at a time.
#ifndef GM_CLI_DATA_DIR_H
#define GM_CLI_DATA_DIR_H

#include "cli/plant.h"

// A path that a setting names: `given` (an option) as it stands, else what gemel.conf says, relative to the plant. ptr
// NULL: neither says anything. NUL-terminated; lies in the arena or is viewed.
GM_NODISCARD gm_status gm_plant_path(const gm_plant *plant, const char *given, gm_config_key key, gm_arena *arena,
                                     gm_str *out_path, gm_error *err);

// Makes the directory when there is none, and locks it. GM_CONFLICT: another gemel works on it, and did for a second. Closed with
// io->close(*out_lock).
GM_NODISCARD gm_status gm_data_lock(const gm_io *io, gm_str directory, gm_arena *arena, gm_file **out_lock, gm_error *err);

#endif
