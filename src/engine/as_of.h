// engine/as_of.h: what was, at a moment: of one twin, of its relationships, of everything.
//
//   gm_twin_then then;
//   if (gm_state_twin_at(state, GM_STR("pump7"), time, &then))                 // it existed, and was of then.type
//       gm_as_of_value(engine, &then, column, time, &sample, &err);            // its newest value by source time, <= time
//
// Values go by source time: what was measured until then, whenever it came in. Existence goes by commit time (state.h says
// how older samples reach back). A late sample or a correction changes the answer for its time, as it should.
#ifndef GM_ENGINE_AS_OF_H
#define GM_ENGINE_AS_OF_H

#include "engine/engine.h"

// The value of a column of then->type at `time`; kind NONE: it had none (at 0), or it was removed (at = when).
// Text is viewed until the next read of history. GM_CORRUPT: what history has of it is damaged. Cost: some 20 us.
GM_NODISCARD gm_status gm_as_of_value(const gm_engine *engine, const gm_twin_then *then, uint32_t column, gm_time_ns time,
                                      gm_sample *out_sample, gm_error *err);

// A state as it was: twins with the numbers, values and source times of then, and their relationships; for queries. It
// borrows the engine's model, which must not change before the state is destroyed. Twins of models that were deleted
// since are left out.
//   most  twins; GM_LIMIT beyond, with a sentence that says what to do
// Cost: some 25 us for each value that has a series, 1 us for the others; memory as a live state.
GM_NODISCARD gm_status gm_as_of_state(const gm_engine *engine, gm_time_ns time, size_t most, gm_state **out_state, gm_error *err);

// The same with the values of an earlier moment: what to play samples between the two into.
GM_NODISCARD gm_status gm_as_of_replay(const gm_engine *engine, gm_time_ns time, gm_time_ns values, size_t most, gm_state **out_state,
                                       gm_error *err);

// The same for one twin alone, without relationships: the twin has the number 0. GM_NOTFOUND: it did not exist, or its
// model does not any more.
GM_NODISCARD gm_status gm_as_of_twin(const gm_engine *engine, const gm_twin_then *then, gm_time_ns time, gm_state **out_state,
                                     gm_error *err);

#endif
