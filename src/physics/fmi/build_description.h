// physics/fmi/build_description.h: which sources make the library of an FMU of FMI 3.0.
#ifndef GM_PHYSICS_FMI_BUILD_DESCRIPTION_H
#define GM_PHYSICS_FMI_BUILD_DESCRIPTION_H

#include "physics/fmi/description.h"

// Reads sources/buildDescription.xml into d->interfaces[...].sources. (FMI 2 has the files in modelDescription.xml.)
// GM_INVALID: not XML, or another document. GM_LIMIT, GM_NOMEM.
GM_NODISCARD gm_status gm_fmu_build_description_parse(gm_arena *arena, gm_str text, gm_fmu_description *d, gm_error *err);

#endif
