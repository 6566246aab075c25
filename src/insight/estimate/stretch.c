#include "insight/estimate/stretch.h"

#include <math.h>
#include <stdlib.h>

typedef struct taking { gm_stretch *stretch; uint32_t signal; bool failed; } taking;

static double number_of(const gm_value *v)
{
    return v->kind == GM_KIND_DOUBLE ? v->d : v->kind == GM_KIND_INT || v->kind == GM_KIND_BOOL ? (double)v->i : NAN;
}

static bool take(void *context, const gm_sample *sample)
{
    taking     *t = context;
    gm_stretch *s = t->stretch;
    t->failed = s->count >= GM_STRETCH_MAX || !gm_alloc_reserve(s->alloc, &s->samples, &s->room, s->count + 1, sizeof *s->samples);
    if (!t->failed) s->samples[s->count++] = (gm_stretch_sample){ sample->at, t->signal, number_of(&sample->value) };
    return !t->failed;
}

static int by_time(const void *a, const void *b)
{
    const gm_stretch_sample *x = a, *y = b;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    return x->signal < y->signal ? -1 : x->signal > y->signal;
}

void gm_stretch_finish(gm_stretch *s)
{
    if (s->alloc != NULL) gm_free(s->alloc, s->samples);
    *s = (gm_stretch){ 0 };
}

gm_status gm_stretch_gather(const gm_alloc *alloc, const gm_engine *engine, const gm_estimate_model *model, gm_time_ns from, gm_time_ns to,
                            gm_stretch *out, gm_error *err)
{
    uint32_t                  count;
    const gm_estimate_signal *signals  = gm_estimate_model_signals(model, &count);
    gm_status                 st       = GM_OK;
    size_t                    measured = 0;
    *out = (gm_stretch){ .alloc = alloc };
    for (uint32_t i = 0; st == GM_OK && i < count; i++) {
        const gm_estimate_signal *s = &signals[i];
        taking t      = { out, i, false };
        size_t before = out->count;
        if (!s->measured && !s->given && s->follow == UINT32_MAX) continue;
        st = gm_engine_read_history(engine, s->twin, s->column, from, to, take, &t, err);
        if (st == GM_OK && t.failed)
            st = gm_fail(err, out->count >= GM_STRETCH_MAX ? GM_LIMIT : GM_NOMEM, "estimate.stretch", "%zu samples; take a shorter stretch", out->count);
        if (s->measured) measured += out->count - before;
    }
    if (st == GM_OK && measured == 0) st = gm_fail(err, GM_INVALID, "estimate.stretch", "nothing that the model computes was measured in that time");
    if (st == GM_OK) qsort(out->samples, out->count, sizeof *out->samples, by_time);
    else gm_stretch_finish(out);
    return st;
}

// ---- as of a moment -----------------------------------------------------------------------------------------------

static bool first_of(void *context, const gm_sample *sample)
{
    *(gm_sample *)context = *sample;
    return false;
}

static bool read_then(void *context, gm_twin twin, uint32_t column, gm_value *out_value, gm_time_ns *out_source)
{
    const gm_stretch_then *then   = context;
    const gm_state        *state  = gm_engine_state(then->engine);
    gm_sample              sample = { 0 };
    gm_cell                cell;
    gm_state_get(state, twin, column, &cell);
    if (cell.source <= then->at) sample = (gm_sample){ cell.source, cell.value };
    else {
        uint32_t series = gm_engine_series(then->engine, gm_state_type(state, twin), column);
        if (gm_history_as_of(gm_engine_history(then->engine), twin.v, series, then->at, &sample, NULL) != GM_OK) return false;
        if (sample.value.kind == GM_KIND_NONE &&
            gm_engine_read_history(then->engine, twin, column, then->at, then->at + 3600 * GM_SECOND, first_of, &sample, NULL) != GM_OK)
            return false;
    }
    *out_value  = sample.value;
    *out_source = sample.at;
    return sample.value.kind != GM_KIND_NONE;
}

gm_group_reader gm_stretch_reader(gm_stretch_then *then) { return (gm_group_reader){ read_then, then }; }
