// cli/fmu_guard.h: a folder for what FMUs unpack, which is gone however the program ends (kill -9 excepted).
//
//   gm_fmu_guard guard;
//   gm_fmu_guard_begin(&guard, &err);        // host.folder = guard.folder
//   ...
//   gm_fmu_guard_end(&guard);
//
// SIGINT, SIGTERM and SIGHUP are taken by a thread of the guard: it removes the folder, then the signal does what it does by
// default. To be begun before other threads are started. One at a time.
#ifndef GM_CLI_FMU_GUARD_H
#define GM_CLI_FMU_GUARD_H

#include "physics/fmi/archive.h"

#include <pthread.h>
#include <signal.h>

typedef struct gm_fmu_guard {
    char      folder[GM_FMU_PATH_MAX];
    sigset_t  signals, before;
    pthread_t thread;
    bool      begun;
} gm_fmu_guard;

GM_NODISCARD gm_status gm_fmu_guard_begin(gm_fmu_guard *guard, gm_error *err);
void                   gm_fmu_guard_end(gm_fmu_guard *guard);  // also after begin has failed

#endif
