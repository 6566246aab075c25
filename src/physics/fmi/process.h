// physics/fmi/process.h: starting and ending the process that an FMU runs in.
#ifndef GM_PHYSICS_FMI_PROCESS_H
#define GM_PHYSICS_FMI_PROCESS_H

#include "physics/fmi/protocol.h"

#include <sys/types.h>

typedef struct gm_fmu_process {
    pid_t pid;     // 0: none
    int   socket;  // our end; -1: none
    int   output;  // what the process printed (a file in memory); -1: none
    int   now;     // which operation it is at: a file in memory of one byte that it writes; -1: none
} gm_fmu_process;

// Starts `program fmu-worker` with a socket, no other descriptors, its output kept, and limits set. It is killed when
// the calling thread ends. GM_IO: refused.
GM_NODISCARD gm_status gm_fmu_process_start(const char *program, uint64_t memory_max, gm_fmu_process *out_process, gm_error *err);

// Closes the socket (a worker that listens then ends), waits a moment, kills, and reaps. *out_end: how it ended, e.g.
// "signal 11 (Segmentation fault)". out_end may be NULL. Keeps output open.
enum { GM_FMU_END_TEXT = 80 };
void gm_fmu_process_end(gm_fmu_process *process, bool at_once, char out_end[GM_FMU_END_TEXT]);

// What the process was at, or the operation given when it does not say. It is foreign code that wrote it: a hint for a person.
gm_fmu_op gm_fmu_process_now(const gm_fmu_process *process, gm_fmu_op otherwise);

// Appends the last bytes (at most max) of what it printed.
void gm_fmu_process_output(const gm_fmu_process *process, size_t max, gm_buf *out);
void gm_fmu_process_finish(gm_fmu_process *process);  // closes output

#endif
