// tests/futures/futures_support.h: a model from text, forked from its start values, and run on a pool of its own.
#ifndef GM_TESTS_FUTURES_SUPPORT_H
#define GM_TESTS_FUTURES_SUPPORT_H

#include "futures/futures.h"
#include "physics/modelica_support.h"
#include "support/support.h"

#include <math.h>
#include <stdlib.h>

typedef struct gm_ahead {   // one test's world
    gm_test_model      model;
    double             base[64];
    gm_pool           *pool;
    gm_futures_request r;
    gm_futures        *job;
    bool               done;
    int                news;
    gm_status          status;
    gm_error           err;
    gm_vary            vary[8];
    gm_watched         outputs[4];
    gm_condition       conditions[4];
    gm_score           scores[8];
} gm_ahead;

static inline void gm_ahead_news(void *context) { ((gm_ahead *)context)->news++; }
static inline void gm_ahead_done(void *context, gm_status status, const gm_error *err)
{
    gm_ahead *a = context;
    a->done     = true;
    a->status   = status;
    if (err != NULL) a->err = *err;
}

static inline void gm_ahead_open(gm_ahead *a, const char *text, uint32_t threads)
{
    static const double quantiles[] = { 0.1, 0.5, 0.9 };
    *a = (gm_ahead){ 0 };
    gm_test_model_open(&a->model, gm_alloc_system(), text, NULL);
    if (a->model.program == NULL) fail_msg("the model does not compile: %s", a->model.err.text);
    assert_true(gm_program_slot_count(a->model.program) <= 64);
    for (uint32_t i = 0; i < gm_program_slot_count(a->model.program); i++) a->base[i] = gm_program_slot(a->model.program, (gm_slot){ i })->start;
    gm_pool_options o = { .threads = threads, .jobs_max = 8 };
    assert_gm_ok(gm_pool_create(gm_alloc_system(), NULL, &o, &a->pool, &a->err), a->err);
    a->r                = gm_futures_defaults(a->model.program, a->base);
    a->r.vary           = a->vary;
    a->r.outputs        = a->outputs;
    a->r.conditions     = a->conditions;
    a->r.scores         = a->scores;
    a->r.quantiles      = quantiles;
    a->r.quantile_count = 3;
}

static inline void gm_ahead_close(gm_ahead *a)
{
    gm_pool_destroy(a->pool);
    gm_futures_destroy(a->job);
    gm_test_model_close(&a->model);
}

static inline gm_watched gm_ahead_watch(gm_ahead *a, const char *name)
{
    bool    negated = false;
    gm_slot slot    = { 0 };
    if (!gm_program_find(a->model.program, gm_str_of(name), &slot, &negated)) fail_msg("no such variable");
    return (gm_watched){ gm_str_of(name), slot, negated ? -1 : 1, 0 };
}

static inline gm_vary *gm_ahead_vary(gm_ahead *a, const char *name, gm_vary what)
{
    gm_watched w = gm_ahead_watch(a, name);
    what.name    = w.name;
    what.slot    = w.slot;
    what.scale   = w.scale;
    a->vary[a->r.vary_count] = what;
    return &a->vary[a->r.vary_count++];
}

static inline void gm_ahead_output(gm_ahead *a, const char *name) { a->outputs[a->r.output_count++] = gm_ahead_watch(a, name); }

static inline void gm_ahead_until(gm_ahead *a, const char *name, bool below, double threshold)
{
    a->conditions[a->r.condition_count++] = (gm_condition){ gm_str_of(name), gm_ahead_watch(a, name), below, threshold };
}

static inline void gm_ahead_score(gm_ahead *a, gm_score_kind kind, const char *name, double threshold)
{
    a->scores[a->r.score_count++] = (gm_score){ gm_str_of(name), kind, gm_ahead_watch(a, name), threshold };
}

static inline gm_vary gm_uniform(double a, double b)
{
    return (gm_vary){ .kind = GM_VARY_LAW, .law = { GM_LAW_UNIFORM, { a, b } } };
}
static inline gm_vary gm_constant(double a) { return (gm_vary){ .kind = GM_VARY_LAW, .law = gm_law_point(a) }; }

static inline void gm_ahead_start(gm_ahead *a)
{
    gm_futures_destroy(a->job);
    a->done = false;
    assert_gm_ok(gm_futures_start(gm_alloc_system(), a->pool, &a->r, (gm_futures_calls){ .news = gm_ahead_news, .done = gm_ahead_done, .context = a }, &a->job, &a->err), a->err);
}

static inline const gm_futures_result *gm_ahead_run(gm_ahead *a)
{
    gm_ahead_start(a);
    while (!a->done) gm_pool_turn(a->pool, GM_SECOND);
    if (a->status != GM_OK) fail_msg("the job failed: %s", a->err.text);
    assert_true(gm_futures_progress(a->job) == 1);
    return gm_futures_result_of(a->job);
}

#endif
