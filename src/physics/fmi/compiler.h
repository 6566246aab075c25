// physics/fmi/compiler.h: running the system's C compiler: no shell, a time limit, files in a folder of its own.
#ifndef GM_PHYSICS_FMI_COMPILER_H
#define GM_PHYSICS_FMI_COMPILER_H

#include "base/buf.h"
#include "base/time.h"

// Runs words[0] (looked for in PATH) with the other words, ending with NULL, in the folder, which is also where its
// temporary files go. It and what it starts are ended when the limit is over.
// Errors: GM_NOTFOUND  there is no such program
//         GM_INVALID   it fails; err has its first complaint, without the folder's name
//         GM_LIMIT     it takes too long
//         GM_IO, GM_NOMEM
GM_NODISCARD gm_status gm_fmu_compiler_run(const char *const *words, const char *folder, gm_dur_ns limit, gm_error *err);

// What a library for this machine is made with, before -o: the flags every FMU gets. Ends with NULL.
extern const char *const gm_fmu_compiler_flags[];

#endif
