// aas/package.h: the parts of a package's reader and writer; inside aas/ only.
#ifndef GM_AAS_PACKAGE_H
#define GM_AAS_PACKAGE_H

#include "aas/aasx.h"

gm_aasx_file *gm_aasx_new_file(gm_aasx_package *package);  // empty, at the end; NULL: no memory. Moves the others.
void          gm_aasx_drop_file(gm_aasx_package *package, size_t at);

#define GM_AASX_RELATIONSHIPS "http://admin-shell.io/aasx/relationships/"
#define GM_AASX_RELATIONSHIPS_BEFORE "http://www.admin-shell.io/aasx/relationships/"  // as older tools write it

// The targets of a .rels part whose type ends in `what` ("aasx-origin"), as absolute part names, in out (a JSON list of texts).
// base: the folder that relative targets are relative to, with its slash. GM_INVALID: it does not read.
GM_NODISCARD gm_status gm_aasx_targets(const gm_aasx_file *rels, const char *what, gm_str base, json_t *out, gm_error *err);
// Reads [Content_Types].xml into {"/part": type, ".ext": type}.
GM_NODISCARD gm_status gm_aasx_types(const gm_aasx_file *types, json_t *out, gm_error *err);

#endif
