#include "cli/fmu_guard.h"

#include <errno.h>
#include <unistd.h>

static void *wait_for_the_end(void *context)
{
    const gm_fmu_guard *guard = context;
    int                 which = 0;
    while (sigwait(&guard->signals, &which) != 0) {}
    // Whoever unpacks at this moment may put something there again; in a folder that is gone nothing can be made.
    for (int tries = 0; tries < 100 && access(guard->folder, F_OK) == 0; tries++) gm_fmu_archive_remove(guard->folder);
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, which);
    signal(which, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &one, NULL);
    raise(which);
    _exit(128 + which);
}

gm_status gm_fmu_guard_begin(gm_fmu_guard *guard, gm_error *err)
{
    guard->begun     = false;
    guard->folder[0] = '\0';
    sigemptyset(&guard->signals);
    sigaddset(&guard->signals, SIGINT);
    sigaddset(&guard->signals, SIGTERM);
    sigaddset(&guard->signals, SIGHUP);
    // Before the folder is there, so that no signal finds it without somebody to take it away.
    pthread_sigmask(SIG_BLOCK, &guard->signals, &guard->before);
    gm_status st = gm_fmu_archive_folder(NULL, guard->folder, err);
    if (st == GM_OK) {
        int why      = pthread_create(&guard->thread, NULL, wait_for_the_end, guard);
        guard->begun = why == 0;
        if (why != 0) st = gm_fail_os(err, why, "cli.fmu", "starting a thread");
    }
    if (st != GM_OK) pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
    return st;
}

void gm_fmu_guard_end(gm_fmu_guard *guard)
{
    if (guard->begun) {
        pthread_cancel(guard->thread);  // sigwait is where it waits, and where it may end
        pthread_join(guard->thread, NULL);
        pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
    }
    if (guard->folder[0] != '\0') gm_fmu_archive_remove(guard->folder);
    guard->begun     = false;
    guard->folder[0] = '\0';
}
