// physics/fmi/worker.h: the process that an FMU's binary runs in: a loop that reads a request, calls the FMU, answers.
//
// `gemel fmu-worker` (a word that help does not show) is this function. It ends when the parent goes away.
#ifndef GM_PHYSICS_FMI_WORKER_H
#define GM_PHYSICS_FMI_WORKER_H

enum { GM_FMU_WORKER_FD = 3, GM_FMU_WORKER_NOW_FD = 4 };  // where the parent has put the socket, and a page to say what we are at

// Serves requests from fd until it is closed; returns the process's exit code.
int gm_fmu_worker_run(int fd);

#endif
