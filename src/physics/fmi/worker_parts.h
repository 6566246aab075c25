// physics/fmi/worker_parts.h: what the worker's files share: one FMU instance, and how each version of the standard is
// spoken to. Each function reads its arguments from w->in, calls the FMU and adds results to w->out.
#ifndef GM_PHYSICS_FMI_WORKER_PARTS_H
#define GM_PHYSICS_FMI_WORKER_PARTS_H

#include "physics/fmi/functions.h"
#include "physics/fmi/protocol.h"
#include "physics/fmi/types.h"

enum { GM_FMU_STATES_MAX = 1024 };  // saved states of one instance

typedef struct gm_fmu_worker {
    int             fd;
    gm_buf          request, out, frame;   // frame: for logs and intermediate updates, which come while out is filled
    gm_fmu_reader   in;
    void           *library;
    int             version;               // 2 or 3
    gm_fmi_kind     kind;
    gm_fmi_instance instance;
    gm_fmi2         fmi2;
    gm_fmi3         fmi3;
    gm_fmi2_callbacks callbacks;           // FMI 2 keeps a pointer to them
    void           *states[GM_FMU_STATES_MAX];
    char            broken[160];           // set: the request can not be done by this FMU
    // Scheduled execution: the clocks to ask in the callback of an activation, and what they said.
    const uint8_t  *countdown, *outputs;   // references, u32 each
    uint32_t        countdown_count, output_count;
    bool            clock_updated;
} gm_fmu_worker;

int  gm_fmu_worker2_call(gm_fmu_worker *w, gm_fmu_op op);  // the FMI status
int  gm_fmu_worker3_call(gm_fmu_worker *w, gm_fmu_op op);
void gm_fmu_worker_log(gm_fmu_worker *w, int status, const char *category, const char *message);

// Refuses the request; returns GM_FMI_ERROR for convenience. The text names what is missing.
int gm_fmu_worker_refuse(gm_fmu_worker *w, const char *fmt, ...) GM_PRINTF(2, 3);

// An aligned copy of n values of `size` bytes from the request; freed with free(). NULL: refused (n may be 0: never NULL).
void *gm_fmu_worker_array(gm_fmu_worker *w, size_t n, size_t size);

// Room for n values of `size` bytes, zeroed; NULL: refused.
void *gm_fmu_worker_room(gm_fmu_worker *w, size_t n, size_t size);

// NULL-terminated copies of n texts (length + bytes) in one block to be freed with free(). sizes may be NULL.
const char **gm_fmu_worker_texts(gm_fmu_worker *w, size_t n, size_t *sizes);

#endif
