// physics/fmi/library.h: the shared library of an unpacked FMU for this machine; where there is none, made of its sources.
#ifndef GM_PHYSICS_FMI_LIBRARY_H
#define GM_PHYSICS_FMI_LIBRARY_H

#include "physics/fmi/description.h"

enum { GM_FMU_LIBRARY_PATH_MAX = 4600 };

// Writes the library's path. folder: the unpacked archive.
// GM_INVALID: there is none, and no way to make one (the text says what is missing).
GM_NODISCARD gm_status gm_fmu_library_find(const char *folder, const gm_fmu_description *d, gm_fmi_kind kind,
                                           char out_path[GM_FMU_LIBRARY_PATH_MAX], gm_error *err);

#endif
