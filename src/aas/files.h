// aas/files.h: how documents are named inside a package: /aasx/documents/HASH/NAME.
#ifndef GM_AAS_FILES_H
#define GM_AAS_FILES_H

#include "base/buf.h"

#define GM_AAS_FILES "/aasx/documents/"

void gm_aas_file_path(gm_str hash, gm_str name, gm_buf *out);
// The hash in such a path; false: it is another.
GM_NODISCARD bool gm_aas_file_hash(gm_str path, gm_str *out_hash);

#endif
