// physics/fmi/library.h: the shared library of an unpacked FMU for this machine; where there is none, made of its sources.
#ifndef GM_PHYSICS_FMI_LIBRARY_H
#define GM_PHYSICS_FMI_LIBRARY_H

#include "physics/fmi/session.h"

enum { GM_FMU_LIBRARY_PATH_MAX = 4600 };

// Writes the library's path. folder: the unpacked archive; a library that is made is put into it, and found there later.
// *out_made: the compiler was asked (also when it failed).
// GM_INVALID: there is none, and no way to make one (the text says what is missing). GM_LIMIT: the compiler takes too long.
GM_NODISCARD gm_status gm_fmu_library_find(const gm_fmu_host *host, const char *folder, const gm_fmu_description *d, gm_fmi_kind kind,
                                           char out_path[GM_FMU_LIBRARY_PATH_MAX], bool *out_made, gm_error *err);

#endif
