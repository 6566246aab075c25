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
    volatile uint8_t *now;                 // which operation we are at, for the parent to read when we do not answer
    uint8_t         nowhere;               // where that goes when there is no place
    bool            inside;                // of an intermediate update: only Get and Set
    gm_buf          request, out, frame;   // frame: for logs and intermediate updates, which come while out is filled
    gm_fmu_reader   in;
    void           *library;
    int             version;               // 2 or 3
    gm_fmi_kind     kind;
    gm_fmi_instance instance;
    gm_fmi_both     both;                  // NULL: the library has no such function
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

// Serves the request in w->in: does it, and sends the answer.
void gm_fmu_worker_answer(gm_fmu_worker *w);

// An operation as the version has it; those that both have alike go on to both_call. They return the FMI status.
int  gm_fmu_worker2_call(gm_fmu_worker *w, gm_fmu_op op);
int  gm_fmu_worker3_call(gm_fmu_worker *w, gm_fmu_op op);
int  gm_fmu_worker_both_call(gm_fmu_worker *w, gm_fmu_op op);
void gm_fmu_worker_log(gm_fmu_worker *w, int status, const char *category, const char *message);

// Refuses the request; returns GM_FMI_ERROR for convenience. The text names what is missing.
int gm_fmu_worker_refuse(gm_fmu_worker *w, const char *fmt, ...) GM_PRINTF(2, 3);

// Finds the functions of w->version in the library.
void gm_fmu_worker_find(gm_fmu_worker *w);

// Is the function there, as in GM_FMU_NEED(w, fmi3.do_step)? If not, refuses the request with the function's name.
#define GM_FMU_NEED(w, function) ((w)->function != NULL || gm_fmu_worker_lacks((w), offsetof(gm_fmu_worker, function)))
bool gm_fmu_worker_lacks(gm_fmu_worker *w, size_t at);  // false

// Calls what takes the instance alone; refuses where `call` is NULL.
int gm_fmu_worker_simple(gm_fmu_worker *w, int (*call)(gm_fmi_instance), gm_fmu_op op);

// The arguments of ENTER_INIT.
typedef struct gm_fmu_experiment {
    bool   tolerance_defined, stop_defined;
    double tolerance, start, stop;
} gm_fmu_experiment;
gm_fmu_experiment gm_fmu_worker_take_experiment(gm_fmu_worker *w);

// An aligned copy of n values of `size` bytes from the request; freed with free(). NULL: refused (n may be 0: never NULL).
void *gm_fmu_worker_array(gm_fmu_worker *w, size_t n, size_t size);

// Room for n values of `size` bytes, zeroed; NULL: refused.
void *gm_fmu_worker_room(gm_fmu_worker *w, size_t n, size_t size);

// NULL-terminated copies of n texts (length + bytes) in one block to be freed with free(). sizes may be NULL.
const char **gm_fmu_worker_texts(gm_fmu_worker *w, size_t n, size_t *sizes);

#endif
