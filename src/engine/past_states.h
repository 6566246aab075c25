// engine/past_states.h: states as they were (engine/as_of.h), kept for a while for whoever comes back for the next page of an answer.
//
//   gm_past_states *states = gm_engine_past_states(engine);
//   const gm_state *past;
//   bool            kept;
//   gm_past_states_take(states, time, GM_PAST_FRESH, 200000, &past, &kept, &err);    // the first page: from all that is known now
//   gm_past_states_take(states, time, GM_PAST_KEPT, 200000, &past, &kept, &err);     // the next: the same state, if it is still there
//
// So the pages of one answer agree with each other, and each but the first costs what the page costs. At most GM_PAST_STATES_MOST
// are kept, of GM_PAST_STATES_BYTES together, for a minute after their last use. A change of models, and the deletion of a
// twin's data for good, lets go of all. On the engine thread.
#ifndef GM_ENGINE_PAST_STATES_H
#define GM_ENGINE_PAST_STATES_H

#include "engine/as_of.h"

typedef struct gm_past_states gm_past_states;

enum { GM_PAST_STATES_MOST = 4, GM_PAST_STATES_BYTES = 256 << 20 };
#define GM_PAST_STATES_IDLE GM_MINUTE

gm_past_states *gm_engine_past_states(gm_engine *engine);

// For the engine: it makes and ends them, and lets go of all before it applies what they may not outlive. Without a loop nothing
// goes for its age. NULL: no memory.
GM_NODISCARD gm_past_states *gm_past_states_create(gm_engine *engine);
void gm_past_states_destroy(gm_past_states *states);  // NULL is allowed
void gm_past_states_before(gm_past_states *states, gm_change_kind kind);

typedef enum gm_past_how { GM_PAST_FRESH, GM_PAST_KEPT } gm_past_how;

// The state at `time`; with GM_PAST_KEPT the one that is there, else (and when it is gone) a new one, which takes its place. Viewed
// until the next take, the next change of models or deletion, or the turn's end, whichever comes first.
//   *out_kept  false: it is too large to be kept, and is built again the next time
// Refusals: gm_as_of_state.
GM_NODISCARD gm_status gm_past_states_take(gm_past_states *states, gm_time_ns time, gm_past_how how, size_t most,
                                           const gm_state **out_state, bool *out_kept, gm_error *err);

typedef struct gm_past_states_report { size_t count; uint64_t bytes, built; } gm_past_states_report;
gm_past_states_report gm_past_states_statistics(const gm_past_states *states);

#endif
