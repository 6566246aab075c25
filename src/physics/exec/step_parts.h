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

// out_k[i] = derivative of state i at (time, x).
void gm_stepper_slopes(gm_stepper *s, uint32_t time, const uint32_t *x, uint32_t *out_k);

// Stores the new time and states where `accepted` (a mask; GM_CODE_NONE: everywhere) and the lane is active, then
// watches for events and checks at that point.
void gm_stepper_accept(gm_stepper *s, uint32_t accepted, uint32_t time, const uint32_t *x);

#endif
