// physics/solve/machine.h: one lane of a program, section by section, for solvers that step by themselves.
//
// Underneath it is a block of lanes; the others serve to evaluate the columns of a Jacobian all at once.
#ifndef GM_PHYSICS_MACHINE_H
#define GM_PHYSICS_MACHINE_H

#include "physics/exec/executor.h"
#include "physics/program.h"

typedef struct gm_machine gm_machine;  // one thread

GM_NODISCARD gm_status gm_machine_create(const gm_alloc *alloc, const gm_program *program, gm_executor executor,
                                         gm_machine **out_machine, gm_error *err);
void                   gm_machine_destroy(gm_machine *m);
gm_executor            gm_machine_executor(const gm_machine *m);

double gm_machine_get(const gm_machine *m, gm_slot slot);
void   gm_machine_set(gm_machine *m, gm_slot slot, double value);
void   gm_machine_values(const gm_machine *m, double *out);  // [slots]

// BIND, INITIAL, OUTPUT. False: an algebraic loop was not solved.
bool gm_machine_run(gm_machine *m, gm_section section);

// States [states], in the order of gm_program_slots_of; slopes at (time, y). False: as above.
void gm_machine_load(gm_machine *m, double time, const double *y);
void gm_machine_states(const gm_machine *m, double *out_y);
bool gm_machine_slopes(gm_machine *m, double time, const double *y, double *out_slopes);

// Which states a slope depends on, column by column: rows[starts[j] .. starts[j + 1]) are those of state j, rising.
typedef struct gm_machine_pattern { uint32_t n; const uint32_t *starts, *rows; } gm_machine_pattern;
gm_machine_pattern gm_machine_jacobian_pattern(const gm_machine *m);
// The entries in the pattern's order, by differences; columns that share no row are evaluated in one lane.
bool gm_machine_jacobian(gm_machine *m, double time, const double *y, const double *slopes, double *out_entries);

// Keeps what delay() asks for, of the present point; after every accepted step and event. first: the run begins here.
bool   gm_machine_remember(gm_machine *m, bool first);
double gm_machine_longest_step(const gm_machine *m);  // so that a step asks for no delayed value of its own; or infinity

uint32_t gm_machine_indicator_count(const gm_machine *m);
void     gm_machine_indicators(gm_machine *m, double time, const double *y, double *out);  // [indicators]

// Does a relation no longer say what its indicator says? So after a step that began with an indicator at zero: root
// finding sees no crossing there, and an event must bring the relation up to date.
bool gm_machine_relations_late(gm_machine *m, double time, const double *y);

// The instant of the next time event after `time`, or infinity.
double gm_machine_next_event(const gm_machine *m, double time);

// Events at the present point, until they come to rest. crossed [indicators]: +1 rises through 0 here, -1 falls, 0 not
// (NULL: none). Errors: GM_DIVERGED: they do not come to rest.
GM_NODISCARD gm_status gm_machine_events(gm_machine *m, const int *crossed, gm_error *err);

typedef enum gm_verdict { GM_VERDICT_GO_ON, GM_VERDICT_TERMINATE, GM_VERDICT_ASSERT } gm_verdict;
// CHECK at the present point; warnings are added up.
gm_verdict gm_machine_check(gm_machine *m, uint32_t *out_check, uint64_t *warnings);

#endif
