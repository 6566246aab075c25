// physics/exec/step_parts.h: what the integration methods share while they write their code: step.c (fixed steps),
// step_adaptive.c, step_implicit.c.
#ifndef GM_PHYSICS_STEP_PARTS_H
#define GM_PHYSICS_STEP_PARTS_H

#include "physics/exec/step.h"

typedef struct gm_stepper {
    const gm_program *program;
    const gm_layout  *layout;
    gm_code          *code;
    const gm_slot    *states;
    uint32_t          state_count;
    uint32_t         *slots;  // [slots] values that stand in for slots while a section is inlined
    uint32_t         *map;    // [longest section]
} gm_stepper;

gm_status gm_stepper_begin(gm_stepper *s, const gm_program *program, const gm_layout *layout, gm_code *code);
void      gm_stepper_finish(gm_stepper *s);
void      gm_stepper_forget(gm_stepper *s);  // slots stand for themselves again

uint32_t  gm_stepper_number(gm_stepper *s, double value);
uint32_t  gm_stepper_row(gm_stepper *s, uint32_t row);
uint32_t  gm_stepper_op(gm_stepper *s, gm_op op, uint32_t a, uint32_t b, uint32_t c);
void      gm_stepper_store(gm_stepper *s, uint32_t row, uint32_t value);
gm_region gm_stepper_section(gm_stepper *s, gm_section section);  // inlined; values are in s->map

// Has the indicator left the side on which the relation (its row) remembers it? *out_edge: where that side ends.
uint32_t  gm_stepper_crossed(gm_stepper *s, uint32_t relation, uint32_t indicator, uint32_t *out_edge);

// out_k[i] = derivative of state i at (time, x).
void gm_stepper_slopes(gm_stepper *s, uint32_t time, const uint32_t *x, uint32_t *out_k);

// Stores the new time and states where `accepted` (a mask; GM_CODE_NONE: everywhere) and the lane is active, then
// watches for events and checks at that point.
void gm_stepper_accept(gm_stepper *s, uint32_t accepted, uint32_t time, const uint32_t *x);

// One try of a step whose length is the lane's own; see step_adaptive.c.
typedef struct gm_pace {
    uint32_t time, wanted, target;  // now; the `step` row; where the lane stops next (end, or a time event)
    uint32_t h, until;              // the step tried and where it leads
    uint32_t running, arrives;      // masks: not there yet; this step leads exactly to the target
} gm_pace;

gm_pace gm_pace_begin(gm_stepper *s);

// Root mean square of error / (tolerance (nominal + |x|)).
uint32_t gm_error_norm(gm_stepper *s, double tolerance, const uint32_t *before, const uint32_t *after, const uint32_t *error);

// Accepts (the returned mask) or refuses, and sets the next step to try. exponent: 1/4 for errors of order 4.
uint32_t gm_pace_end(gm_stepper *s, const gm_pace *p, double tolerance, double exponent, uint32_t error, const uint32_t *x);

// work: [GM_STEP_WORK][states]
enum { GM_STEP_WORK = 16 };
void      gm_step_dopri(gm_stepper *s, double tolerance, uint32_t *work);

// A step of the implicit method: whole (rows NULL), or one of its phases: FORM, the stages from 0 on, and then the end.
// Rows of a block that the phases hand to one another; FORM fills in entries and where they stand (taken by the caller).
enum { GM_IMPLICIT_FORM = -1, GM_IMPLICIT_STAGES = 6 };
typedef struct gm_implicit_rows {
    uint32_t  slope, change, solution;  // first of [n], [n], [GM_IMPLICIT_STAGES][n] rows
    uint32_t  matrix;                   // first of [entries] rows, row by row
    uint32_t  entries;
    uint32_t *row_of, *column_of;       // [entries]
} gm_implicit_rows;

// States and unknowns of loops. *out_phases: the step is to be cut into phases (loops, or many states).
uint32_t  gm_implicit_size(const gm_program *program, bool *out_phases);
// GM_INVALID: can not be differentiated; GM_LIMIT: too many states and unknowns of loops; GM_NOMEM.
gm_status gm_implicit_code(const gm_program *program, const gm_layout *layout, double tolerance, int phase, gm_implicit_rows *rows, gm_code *code);
gm_status gm_step_implicit(gm_stepper *s, double tolerance, int phase, gm_implicit_rows *rows);

#endif
