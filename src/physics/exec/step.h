// physics/exec/step.h: a whole integration step as one piece of straight-line code. Inside physics/exec.
//
// The methods are written in the same operations as the models, so every executor has them, fused with the model.
#ifndef GM_PHYSICS_STEP_H
#define GM_PHYSICS_STEP_H

#include "physics/code.h"
#include "physics/exec/lanes.h"

// Rows of a block: the program's slots, then these.
typedef struct gm_layout {
    uint32_t step;     // s; the fixed step, or the one an adaptive method tries next
    uint32_t end;      // s; adaptive: where to stop
    uint32_t active;   // 1, or 0 for a lane that is out (failed, terminated)
    uint32_t flag;     // 1: EVENT must run
    uint32_t alarm;    // 1: a check has something to say
    uint32_t checks;   // first of one row per check: 1 = its mask
    uint32_t heard;    // first of one row per check: its mask at the look before
    uint32_t slope;    // first of one row per state: derivative at the start of the next step (adaptive explicit)
    uint32_t indicators;  // first of one row per relation
    uint32_t history;  // first of GM_HISTORY_ROWS rows per delay
    uint32_t error;    // of the last step, relative to the tolerance
    uint32_t count;    // rows in all
} gm_layout;

gm_layout gm_layout_of(const gm_program *program);

// Each appends to an empty code and compacts it. GM_NOMEM, GM_LIMIT; GM_INVALID: see gm_step_implicit.
gm_status gm_step_code(const gm_program *program, const gm_layout *layout, gm_method method, double tolerance, gm_code *code);
gm_status gm_section_code(const gm_program *program, const gm_layout *layout, gm_section section, gm_code *code);
gm_status gm_event_code(const gm_program *program, const gm_layout *layout, gm_code *code);

// Indicators into their rows, checks into theirs (1 = the mask; what they were before, into `heard`).
gm_status gm_indicators_code(const gm_program *program, const gm_layout *layout, gm_code *code);
gm_status gm_checks_code(const gm_program *program, const gm_layout *layout, gm_code *code);

// Does a check add to the warnings, after its mask was `was` and is `mask`?
static inline bool gm_check_warns(gm_check_kind kind, bool was, bool mask)
{
    return kind == GM_CHECK_WARN ? was && !mask : kind == GM_CHECK_NOTE && was != mask;
}

// The derivatives at the present point into the slope rows.
gm_status gm_slopes_code(const gm_program *program, const gm_layout *layout, gm_code *code);

// How a lane may leave: does a step have to keep what inactive lanes hold?
bool gm_program_guarded(const gm_program *program);

#endif
