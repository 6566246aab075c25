// Remaining life of the twins whose state changed: a few at a time, in the worker pool.
#include "insight/learn/registry.h"
#include "insight/live/parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 8, SURE = 17 };  // SURE: of the quantiles 5, 10 .. 95 % the one that nine in ten truths lie below

typedef struct life_part {
    gm_rows         rows;
    double          age;
    gm_insight_life life;
    gm_status       status;
} life_part;

struct gm_life_job {
    gm_insight         *insight;
    uint32_t            lookout, count;
    const gm_rul_model *model;
    gm_rul_model       *retired; // a model that was replaced while the job ran; goes with the job
    life_part           parts[BATCH];
};

// ---- models
// -----------------------------------------------------------------------------------------------------------

static gm_status load_model(gm_insight *insight, gm_lookout_state *l, gm_error *err)
{
    gm_arena     *arena = gm_arena_create(insight->options.alloc, 0);
    gm_registry   registry;
    gm_rul_model *model = NULL;
    if (arena == NULL) return gm_fail(err, GM_NOMEM, "insight.live", "loading models");
    gm_str    dir = gm_arena_printf(arena, GM_STR_FMT "/" GM_STR_FMT, GM_STR_ARG(insight->options.plant),
                                    GM_STR_ARG(l->asked.model));
    gm_status st  = dir.ptr != NULL ? gm_registry_load(insight->options.io, dir.ptr, arena, &registry, err)
                                    : gm_fail(err, GM_NOMEM, "insight.live", "loading models");
    if (st == GM_OK) st = gm_registry_model(insight->options.io, dir.ptr, &registry, &model, err);
    if (st == GM_OK) {
        gm_rul_facts f = gm_rul_model_facts(model);
        if (f.settings != l->asked.settings || f.sensors != l->asked.count - l->asked.settings) {
            st = gm_fail(err, GM_INVALID, "insight.live",
                         "'" GM_STR_FMT "': the model is for %u settings and %u sensors, the plant names %u and %u",
                         GM_STR_ARG(gm_str_slice(l->asked.name, 0, 40)), f.settings, f.sensors, l->asked.settings,
                         l->asked.count - l->asked.settings);
            gm_rul_destroy(model);
        }
    }
    if (st == GM_OK) {
        if (insight->job != NULL && insight->job->model == l->model) {
            gm_rul_destroy(insight->job->retired);
            insight->job->retired = l->model;
        } else
            gm_rul_destroy(l->model);
        l->model   = model;
        l->version = registry.current;
        gm_time_ns trained;
        if (gm_time_parse(registry.entries[registry.count - 1].trained, &trained, NULL) == GM_OK && trained > l->looked)
            l->looked = trained;
    }
    gm_arena_destroy(arena);
    return st;
}

// A plant may be served before its first model is trained: that is no error, it is said where predictions are asked
// for.
gm_status gm_insight_load_models(gm_insight *insight, gm_error *err)
{
    insight->trouble[0] = '\0';
    for (uint32_t i = 0; i < insight->lookout_count; i++) {
        gm_error why = { 0 };
        if (insight->lookouts[i].asked.kind != GM_LOOKOUT_LIFE) continue;
        gm_status st = load_model(insight, &insight->lookouts[i], &why);
        if (st == GM_OK) continue;
        if (st == GM_NOMEM) {
            if (err != NULL) *err = why;
            return st;
        }
        snprintf(insight->trouble, sizeof insight->trouble, "%s", why.text);
    }
    return GM_OK;
}

// ---- the queue
// ----------------------------------------------------------------------------------------------------------

static void schedule(gm_insight *insight)
{
    if (insight->scheduled || insight->job != NULL || insight->ending || insight->waiting == 0) return;
    insight->scheduled = gm_engine_later(insight->options.engine, gm_insight_predict_some, insight, NULL) == GM_OK;
}

void gm_insight_queue(gm_insight *insight, gm_lookout_state *l, gm_slot *slot)
{
    if (l->model == NULL || insight->pool == NULL || slot->queued) return;
    slot->queued = true;
    insight->waiting++;
    schedule(insight);
}

// ---- in the pool
// --------------------------------------------------------------------------------------------------------

static gm_status predict_one(void *context, uint32_t part, uint32_t thread, gm_pool_job *pool_job, gm_error *err)
{
    gm_life_job    *job   = context;
    life_part      *p     = &job->parts[part];
    const gm_alloc *alloc = job->insight->options.alloc;
    (void)thread, (void)pool_job, (void)err;
    // One twin without values must not keep the others from their predictions.
    p->status = gm_rul_predict(job->model, alloc, p->rows.values, p->rows.count, p->age, &p->life.predicted, NULL);
    if (p->status != GM_OK) return GM_OK;
    (void)!gm_rul_similar(job->model, alloc, p->rows.values, p->rows.count, GM_SIMILAR_NONE, p->life.similar,
                          &p->life.similar_count, &p->life.similar_rul, NULL);
    return GM_OK;
}

// ---- results
// --------------------------------------------------------------------------------------------------------------

static void keep(gm_insight *insight, const gm_insight_life *life)
{
    for (size_t i = 0; i < insight->life_count; i++) {
        gm_insight_life *known = &insight->lives[i];
        if (known->twin.v != life->twin.v || !gm_str_eq(known->detector, life->detector)) continue;
        *known = *life;
        return;
    }
    if (gm_alloc_reserve(insight->options.alloc, &insight->lives, &insight->life_room, insight->life_count + 1,
                         sizeof *insight->lives))
        insight->lives[insight->life_count++] = *life;
}

// The prediction becomes part of the twin, with the time of the row it was made from.
static void write_back(gm_insight *insight, gm_lookout_state *l, const gm_insight_life *life)
{
    const gm_state     *state                   = gm_engine_state(insight->options.engine);
    const gm_placement *place                   = gm_insight_place(insight, l, gm_state_type(state, life->twin));
    double              values[GM_LOOKOUT_INTO] = { life->predicted.rul, life->predicted.low[GM_RUL_90],
                                                    life->predicted.high[GM_RUL_90], life->predicted.health,
                                                    life->predicted.quantiles[SURE], life->version };
    gm_cell_write       cells[GM_LOOKOUT_INTO];
    size_t              n = 0;
    for (int i = 0; place != NULL && i < GM_LOOKOUT_INTO; i++) {
        if (place->into[i] == GM_NO_COLUMN) continue;
        double rounded = round(values[i] * (i == 3 ? 1e4 : 100)) / (i == 3 ? 1e4 : 100);
        cells[n++]     = (gm_cell_write) { .column = (uint16_t)place->into[i],
                                           .at     = life->at,
                                           .value  = { .kind = GM_KIND_DOUBLE, .d = rounded } };
    }
    if (n > 0) (void)!gm_engine_write(insight->options.engine, life->twin, 0, cells, n, (gm_ask) { 0 }, NULL);
}

static void free_job(gm_life_job *job)
{
    const gm_alloc *alloc = job->insight->options.alloc;
    for (uint32_t i = 0; i < job->count; i++) gm_rows_finish(&job->parts[i].rows);
    gm_rul_destroy(job->retired);
    gm_free(alloc, job);
}

static void predicted(void *context, gm_status status, const gm_error *err)
{
    gm_life_job *job     = context;
    gm_insight  *insight = job->insight;
    (void)err;
    insight->job = NULL;
    for (uint32_t i = 0; status == GM_OK && i < job->count; i++) {
        const life_part *p = &job->parts[i];
        if (p->status != GM_OK || !gm_state_exists(gm_engine_state(insight->options.engine), p->life.twin)) continue;
        insight->predictions++;
        keep(insight, &p->life);
        write_back(insight, &insight->lookouts[job->lookout], &p->life);
    }
    free_job(job);
    schedule(insight);
}

// ---- a batch
// ------------------------------------------------------------------------------------------------------------------

static bool add_part(gm_insight *insight, gm_life_job *job, gm_lookout_state *l, gm_slot *slot)
{
    const gm_state     *state = gm_engine_state(insight->options.engine);
    const gm_placement *place = gm_insight_place(insight, l, gm_state_type(state, slot->twin));
    life_part          *p     = &job->parts[job->count];
    slot->queued              = false;
    insight->waiting--;
    if (place == NULL) return false;
    if (gm_rows_gather(insight->options.engine, insight->options.alloc, slot->twin, place->columns, l->asked.count,
                       GM_TIME_MAX, GM_INSIGHT_ROWS_MAX, &p->rows, NULL) != GM_OK)
        return false;
    if (p->rows.count == 0) {
        gm_rows_finish(&p->rows);
        return false;
    }
    gm_cell age = { 0 };
    if (place->age != GM_NO_COLUMN) gm_state_get(state, slot->twin, place->age, &age);
    p->age = age.value.kind == GM_KIND_INT ? (double)age.value.i : age.value.kind == GM_KIND_DOUBLE ? age.value.d : NAN;
    p->life = (gm_insight_life) { .twin        = slot->twin,
                                  .detector    = l->asked.name,
                                  .at          = p->rows.times[p->rows.count - 1],
                                  .version     = l->version,
                                  .rows        = p->rows.count,
                                  .similar_rul = NAN };
    job->count++;
    return true;
}

void gm_insight_predict_some(void *context)
{
    gm_insight *insight = context;
    insight->scheduled  = false;
    if (insight->job != NULL) return;
    gm_life_job *job = gm_alloc_zeroed(insight->options.alloc, sizeof *job);
    if (job == NULL) return;
    job->insight = insight;
    for (uint32_t i = 0; i < insight->lookout_count && job->count == 0; i++) {
        gm_lookout_state *l = &insight->lookouts[i];
        if (l->asked.kind != GM_LOOKOUT_LIFE) continue;
        job->lookout = i;
        job->model   = l->model;
        for (size_t s = 0; s < l->slot_count && job->count < BATCH; s++)
            if (l->slots[s].queued) (void)add_part(insight, job, l, &l->slots[s]);
    }
    gm_pool_id   id;
    gm_pool_task task = { .parts = job->count, .run = predict_one, .done = predicted, .context = job };
    if (job->count == 0 || gm_pool_submit(insight->pool, &task, &id, NULL) != GM_OK) {
        free_job(job);
        return;
    }
    insight->job = job;
}

static int by_risk(const void *a, const void *b)
{
    const gm_insight_life *x = a, *y = b;
    if (x->predicted.rul != y->predicted.rul) return x->predicted.rul < y->predicted.rul ? -1 : 1;
    return (x->predicted.low[GM_RUL_90] > y->predicted.low[GM_RUL_90]) -
           (x->predicted.low[GM_RUL_90] < y->predicted.low[GM_RUL_90]);
}

size_t gm_insight_lives(gm_insight *insight, const gm_insight_life **out)
{
    if (insight->life_count > 1) qsort(insight->lives, insight->life_count, sizeof *insight->lives, by_risk);
    *out = insight->lives;
    return insight->life_count;
}
