// physics/fmi/input.h: a table of inputs over time (CSV: "time" first, then columns named after variables).
//
// Continuous floating-point variables are interpolated linearly; every other one holds its last value. Two rows with the
// same time are a jump. Before the first and after the last row the nearest row holds. An array's elements are the
// columns "u[1]", "u[2]" ... in order.
#ifndef GM_PHYSICS_FMI_INPUT_H
#define GM_PHYSICS_FMI_INPUT_H

#include "physics/fmi/session.h"

typedef struct gm_fmu_input gm_fmu_input;

// counts[i]: how many values d->variables[i] has. GM_INVALID: malformed, an unknown or unsettable column (line is set).
GM_NODISCARD gm_status gm_fmu_input_parse(gm_arena *arena, const gm_fmu_description *d, const uint32_t *counts, gm_str csv,
                                          gm_fmu_input **out_input, gm_error *err);

// The next instant after `time` at which an input jumps, or infinity. NULL input: infinity.
double gm_fmu_input_next_event(const gm_fmu_input *input, double time);

enum { GM_FMU_INPUT_DISCRETE = 1, GM_FMU_INPUT_CONTINUOUS = 2, GM_FMU_INPUT_AFTER = 4 };  // AFTER: of a jump, the later side

// Sets the inputs at that time. NULL input: nothing.
GM_NODISCARD gm_status gm_fmu_input_apply(const gm_fmu_input *input, gm_fmu_session *session, double time, unsigned what, gm_error *err);

// The text of a clock's (or any) column in the row that begins at `time`, or NULL; for scheduled execution.
bool gm_fmu_input_ticks(const gm_fmu_input *input, uint32_t reference, double time);
double gm_fmu_input_next_row(const gm_fmu_input *input, double time);  // the first row's time that is >= time, or infinity

#endif
