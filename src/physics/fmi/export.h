// physics/fmi/export.h: a program written as an FMU, so that other tools can run it.
//
//   gm_fmu_export_options o = gm_fmu_export_options_defaults();
//   o.version = 2;
//   st = gm_fmu_export(alloc, program, &o, "Tank.fmu", &err);
//
// The archive holds modelDescription.xml, the sources (inside/README.md; for FMI 3 with buildDescription.xml) and, unless
// it is not wanted, a library for this machine, made of these sources by the system's C compiler. It offers model
// exchange and co-simulation; saves and serialises states. Variables keep their names, units and start values.
// Sources of the format: FMI 2.0.4 and 3.0.1, chapter 2.
#ifndef GM_PHYSICS_FMI_EXPORT_H
#define GM_PHYSICS_FMI_EXPORT_H

#include "physics/program.h"

typedef struct gm_fmu_export_options {
    int         version;    // 2 or 3
    const char *compiler;   // a program, looked for in PATH; NULL: sources only
    const char *optimize;   // the compiler's option
    double      start, stop, step, tolerance;  // the default experiment; step NaN: none is given
} gm_fmu_export_options;

gm_fmu_export_options gm_fmu_export_options_defaults(void);  // 3, "cc", "-O2", 0 to 1 s, no step, 1e-6

// Writes the file (replaces it as a whole).
// Errors: GM_INVALID  the program uses delay(); the compiler fails (its first words are in the text); built without libzip
//         GM_IO, GM_NOMEM
GM_NODISCARD gm_status gm_fmu_export(const gm_alloc *alloc, const gm_program *program, const gm_fmu_export_options *options,
                                     const char *path, gm_error *err);

#endif
