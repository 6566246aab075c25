// insight/estimate/stretch.h: a stretch of recorded history as a filter or a fit takes it: all measurements in order of time.
//
//   gm_stretch_gather(alloc, engine, model, from, to, &stretch, &err);
//   gm_group_reader reader = gm_stretch_reader(&then);         // values as they were: where a run begins
//   gm_stretch_finish(&stretch);
#ifndef GM_INSIGHT_ESTIMATE_STRETCH_H
#define GM_INSIGHT_ESTIMATE_STRETCH_H

#include "engine/engine.h"
#include "insight/estimate/model.h"

enum { GM_STRETCH_MAX = 20000000 };

typedef struct gm_stretch_sample { gm_time_ns at; uint32_t signal; double value; } gm_stretch_sample;  // as people see it; NaN: removed

typedef struct gm_stretch {
    const gm_alloc    *alloc;
    gm_stretch_sample *samples;
    size_t             count, room;
} gm_stretch;

// What the model's signals that matter (measured, given, followed) recorded in [from, to), rising by time.
// GM_INVALID: nothing was; GM_LIMIT: more than GM_STRETCH_MAX; GM_NOMEM; GM_IO, GM_CORRUPT from history.
GM_NODISCARD gm_status gm_stretch_gather(const gm_alloc *alloc, const gm_engine *engine, const gm_estimate_model *model, gm_time_ns from,
                                         gm_time_ns to, gm_stretch *out, gm_error *err);
void                   gm_stretch_finish(gm_stretch *s);

// Reads values as of a moment; what has no value then takes the next one within the hour after it.
typedef struct gm_stretch_then { const gm_engine *engine; gm_time_ns at; } gm_stretch_then;
gm_group_reader gm_stretch_reader(gm_stretch_then *then);  // viewed

#endif
