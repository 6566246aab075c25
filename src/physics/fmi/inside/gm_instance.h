// gm_instance.h: an instance as both versions of the standard see it. gm_fmi2.c and gm_fmi3.c give these calls their
// standard's names and types, and add what only their standard has.
//
//   EXPORT int NAME(fmi3SetTime)(gm_instance *c, double time) { return gm_instance_set_time(c, time); }
//
// Every function returns a status of the standard, GM_FMI_ERROR for an instance that is NULL, and stores results only
// with GM_FMI_OK. What went wrong is logged.
#ifndef GM_INSTANCE_H
#define GM_INSTANCE_H

#include "gm_model.h"

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif
// The name of a function of sources that are linked statically.
#define JOIN_EXPANDED(a, b) a##b
#define JOIN(a, b) JOIN_EXPANDED(a, b)

enum { GM_FMI_OK, GM_FMI_WARNING, GM_FMI_DISCARD, GM_FMI_ERROR, GM_FMI_FATAL };

// The first member of a version's own instance.
typedef struct gm_instance gm_instance;
struct gm_instance {
    gm_model *m;
    void (*log)(const gm_instance *c, int status, const char *message);
    bool co_simulation;
    bool ended;  // by the last step
};

// Logs m->trouble and forgets it; returns the status.
int gm_instance_fail(gm_instance *c, int status);
// For what no model has: no harm in asking for none of it (n = 0).
int gm_instance_lacks(gm_instance *c, const char *what, size_t n);

int gm_instance_set_up(gm_instance *c, bool has_tolerance, double tolerance, double start);
int gm_instance_enter(gm_instance *c, gm_mode mode);
int gm_instance_exit_initialisation(gm_instance *c);
int gm_instance_reset(gm_instance *c);

// By value reference. What comes before a variable that fails is stored all the same.
int gm_instance_get_reals(gm_instance *c, const uint32_t *references, size_t n, double *values);
int gm_instance_set_reals(gm_instance *c, const uint32_t *references, size_t n, const double *values);
int gm_instance_get_integers(gm_instance *c, const uint32_t *references, size_t n, int32_t *values);
int gm_instance_set_integers(gm_instance *c, const uint32_t *references, size_t n, const int32_t *values);

// States: numbers in memory of their own, which is made where *state is NULL. bytes [size].
int gm_instance_save(gm_instance *c, double **state);
int gm_instance_restore(gm_instance *c, const double *state);
int gm_instance_forget(double **state);
int gm_instance_state_size(gm_instance *c, size_t *out_size);
int gm_instance_write(gm_instance *c, const double *state, void *bytes, size_t size);
int gm_instance_read(gm_instance *c, const void *bytes, size_t size, double **state);

// Model exchange. `again`: there has to be another round; next: the next time event, 0 if there is none.
typedef struct { bool again, ends, has_next; double next; } gm_event;
int gm_instance_event(gm_instance *c, gm_event *out);
int gm_instance_completed_step(gm_instance *c, bool *out_ends);
int gm_instance_set_time(gm_instance *c, double time);
int gm_instance_set_states(gm_instance *c, const double *x, size_t n);
int gm_instance_get_states(gm_instance *c, double *x, size_t n);
int gm_instance_get_nominals(gm_instance *c, double *x, size_t n);
// GM_FMI_DISCARD where a loop has no solution: the caller may try a shorter step (2.0.4, 2.1.3; 3.0.1, 2.2.3).
int gm_instance_get_slopes(gm_instance *c, double *dx, size_t n);
int gm_instance_get_indicators(gm_instance *c, double *z, size_t n);

// Co-simulation: from `time` on for `size`. The instance's `ended` says whether the model ended itself on the way; its
// time, m->slot[0], is how far it came.
int gm_instance_step(gm_instance *c, double time, double size);

#endif
