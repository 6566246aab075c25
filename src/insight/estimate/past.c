#include "insight/estimate/past.h"

enum { LOOK_EVERY = 1000 };  // measurements between two looks at whether anybody still wants it

// Closer ones are one moment (estimator.c).
static const gm_dur_ns TOGETHER = 200 * GM_MILLISECOND;

gm_status gm_past_open(const gm_alloc *alloc, const gm_engine *engine, gm_group *group, const gm_estimate_setup *setup, gm_time_ns from,
                       gm_time_ns to, gm_past *out, gm_error *err)
{
    gm_fork_report report;
    *out             = (gm_past){ .alloc = alloc, .setup = *setup, .group = group };
    out->setup.lag_s = 0;
    out->slots       = gm_alloc_array(alloc, gm_program_slot_count(gm_group_program(group)), sizeof *out->slots);
    if (out->slots == NULL) return gm_fail(err, GM_NOMEM, "estimate.past", "beginning");
    gm_status st = gm_estimate_bind(alloc, &out->setup, group, false, &out->model, err);
    if (st == GM_OK) st = gm_stretch_gather(alloc, engine, out->model, from, to, &out->stretch, err);
    if (st != GM_OK) return st;
    out->begin             = out->stretch.samples[0].at;
    gm_stretch_then then   = { engine, out->begin };
    gm_group_reader reader = gm_stretch_reader(&then);
    return gm_group_fork(group, &reader, gm_group_time(out->begin), out->slots, &report, err);
}

void gm_past_close(gm_past *p)
{
    gm_stretch_finish(&p->stretch);
    gm_estimate_model_destroy(p->model);
    if (p->alloc != NULL) gm_free(p->alloc, p->slots);
    *p = (gm_past){ 0 };
}

gm_status gm_past_smooth(const gm_past *p, gm_smooth_options options, bool (*stop)(void *context), gm_error *err)
{
    gm_estimator *e        = NULL;
    gm_smoother  *smoother = NULL;
    gm_status     st       = gm_estimator_create(p->alloc, p->model, p->slots, p->begin, &e, err);
    if (st != GM_OK) return st;
    options.parts = gm_estimator_count(e);
    st            = gm_smoother_create(p->alloc, &options, &smoother, err);
    if (st == GM_OK) st = gm_estimator_smooth(e, smoother, err);
    for (size_t i = 0; st == GM_OK && i < p->stretch.count; i++) {
        const gm_stretch_sample *x = &p->stretch.samples[i];
        st = gm_estimator_feed(e, x->signal, x->at, x->value, err);
        if (st == GM_OK && (i + 1 == p->stretch.count || x[1].at > x->at + TOGETHER)) st = gm_estimator_advance(e, x->at, err);
        if (st == GM_OK && i % LOOK_EVERY == 0 && stop != NULL && stop(options.context)) st = gm_fail(err, GM_CANCELLED, "estimate.past", "nobody waits any more");
    }
    if (st == GM_OK) st = gm_smoother_end(smoother, err);
    gm_estimator_destroy(e);
    gm_smoother_destroy(smoother);
    return st;
}
