// Retraining: lives that ended with a failure are gathered a few twins a turn, a challenger is trained in the pool, and the registry
// decides.
//
//   nothing --due--> gathering --all twins seen--> in the pool --done--> nothing
//
// Invariant: at most one gm_retrain_job exists; it owns its fleet, and the engine thread does not touch it while it is in the pool.
#include "insight/learn/registry.h"
#include "insight/live/parts.h"

#include <stdio.h>

// A twin's life is decoded from history on the engine's thread: a few a turn keep the turn short.
enum { TWINS_A_TURN = 4, NUMBERS_A_TURN = 4096 };

#define LOOK_EVERY (10 * GM_MINUTE)

struct gm_retrain_job {
    gm_insight *insight;
    uint32_t    lookout, next;  // next: number of the twin to look at
    bool        submitted, by_clock;
    gm_str      dir, set;
    gm_arena   *arena;
    gm_fleet    fleet;
    gm_time_ns  now;
    double      drift;
    bool        age, wins;
    char        verdict[200];
};

static const gm_clock *clock_of(const gm_insight *insight)
{
    return insight->options.clock != NULL ? insight->options.clock : gm_clock_system();
}

static void free_job(gm_retrain_job *job)
{
    gm_fleet_finish(&job->fleet);
    gm_arena_destroy(job->arena);
    gm_free(job->insight->options.alloc, job);
}

// ---- in the pool ----------------------------------------------------------------------------------------------------

// Why a challenger is wanted; verdict says why not.
static gm_status is_wanted(gm_retrain_job *job, const gm_rul_model *incumbent, bool *out, gm_error *err)
{
    double        rmse;
    size_t        assets;
    gm_rul_facts  f  = gm_rul_model_facts(incumbent);
    gm_status     st = gm_registry_error(job->insight->options.alloc, incumbent, &job->fleet, &rmse, &assets, err);
    bool drifted = job->drift > 0 && assets > 0 && rmse > job->drift * f.rmse;
    *out         = st == GM_OK && assets > 0 && (job->by_clock || drifted);
    if (st == GM_OK && assets == 0)
        snprintf(job->verdict, sizeof job->verdict, "nothing to learn: no twin has failed that the model in use does not know");
    else if (st == GM_OK && !*out)
        snprintf(job->verdict, sizeof job->verdict, "not needed: error %.2f on %zu new failures, %.2f when held back", rmse, assets, f.rmse);
    return st;
}

static gm_status train(gm_retrain_job *job, gm_pool_job *pool_job, gm_rul_model **out, gm_error *err)
{
    gm_rul_training *t    = NULL;
    gm_rul_options   with = gm_rul_options_defaults();
    with.age              = job->age;
    gm_status st          = gm_rul_training_create(job->insight->options.alloc, &job->fleet, &with, &t, err);
    for (uint32_t k = 0; st == GM_OK && k < gm_rul_training_folds(t); k++)
        st = gm_pool_cancelled(pool_job) ? gm_fail(err, GM_CANCELLED, "insight.retrain", "the plant ends") : gm_rul_training_fold(t, k, err);
    if (st == GM_OK) st = gm_rul_training_finish(t, out, err);
    gm_rul_training_destroy(t);
    return st;
}

static gm_status challenge(gm_retrain_job *job, gm_pool_job *pool_job, gm_error *err)
{
    const gm_io             *io        = job->insight->options.io;
    gm_rul_model            *incumbent = NULL, *challenger = NULL;
    const gm_registry_entry *entry     = NULL;
    gm_registry              registry;
    bool                     wanted = true;
    gm_dur_ns                begin  = gm_monotonic(clock_of(job->insight));
    gm_status                st     = gm_registry_load(io, job->dir.ptr, job->arena, &registry, err);
    // One that can not be read is no reason to go without: the registry lets the new one in.
    if (st == GM_OK && gm_registry_model(io, job->dir.ptr, &registry, &incumbent, NULL) == GM_OK)
        st = is_wanted(job, incumbent, &wanted, err);
    if (st == GM_OK && wanted) st = train(job, pool_job, &challenger, err);
    if (st == GM_OK && wanted)
        st = gm_registry_challenge(io, job->dir.ptr, job->arena, &registry, challenger, &job->fleet, job->set, job->now,
                                   (double)(gm_monotonic(clock_of(job->insight)) - begin) / 1e9, &entry, err);
    if (st == GM_OK && entry != NULL) {
        job->wins = registry.current == entry->version;
        snprintf(job->verdict, sizeof job->verdict, "version %u: " GM_STR_FMT, entry->version, GM_STR_ARG(gm_str_slice(entry->verdict, 0, 150)));
    }
    gm_rul_destroy(incumbent);
    gm_rul_destroy(challenger);
    return st;
}

static gm_status run(void *context, uint32_t part, uint32_t thread, gm_pool_job *pool_job, gm_error *err)
{
    gm_retrain_job *job = context;
    gm_error        why = { 0 };
    (void)part, (void)thread;
    gm_status st = challenge(job, pool_job, &why);
    // Too few failures yet, for one, is an answer and no fault.
    if (st != GM_OK) snprintf(job->verdict, sizeof job->verdict, "%s", why.text);
    if (st != GM_OK && err != NULL) *err = why;
    return st == GM_INVALID ? GM_OK : st;
}

static void trained(void *context, gm_status status, const gm_error *err)
{
    gm_retrain_job   *job     = context;
    gm_insight       *insight = job->insight;
    gm_lookout_state *l       = &insight->lookouts[job->lookout];
    (void)err;
    insight->retrain = NULL;
    snprintf(l->verdict, sizeof l->verdict, "%s", job->verdict);
    bool wins = status == GM_OK && job->wins;
    free_job(job);
    if (wins) gm_insight_reload(insight);
    if (status != GM_CANCELLED) gm_insight_retrain_soon(insight);
}

// ---- gathering ------------------------------------------------------------------------------------------------------

static gm_status add_life(gm_retrain_job *job, const gm_lookout_state *l, const gm_placement *place, gm_twin twin, gm_error *err)
{
    gm_rows   rows;
    gm_status st = gm_rows_gather(job->insight->options.engine, job->insight->options.alloc, twin, place->columns, l->asked.count,
                                  GM_TIME_MAX, GM_INSIGHT_ROWS_MAX, &rows, err);
    if (st != GM_OK) return st;
    // The number of the twin stands for it in "behaves like".
    if (rows.count > 0) st = gm_fleet_begin(&job->fleet, twin.v, 0, err);
    for (size_t i = 0; st == GM_OK && i < rows.count; i++) st = gm_fleet_add(&job->fleet, rows.values + i * rows.columns, err);
    gm_rows_finish(&rows);
    return st;
}

static bool has_failed(const gm_state *state, gm_twin twin, uint32_t column)
{
    gm_cell cell = { 0 };
    gm_state_get(state, twin, column, &cell);
    if (cell.value.kind == GM_KIND_DOUBLE) return cell.value.d != 0;
    return (cell.value.kind == GM_KIND_BOOL || cell.value.kind == GM_KIND_INT) && cell.value.i != 0;
}

// True: every twin has been looked at.
static bool gather(gm_retrain_job *job, gm_status *st, gm_error *err)
{
    gm_insight       *insight = job->insight;
    gm_lookout_state *l       = &insight->lookouts[job->lookout];
    const gm_state   *state   = gm_engine_state(insight->options.engine);
    uint32_t          all = gm_state_next_twin(state), lives = 0;
    for (uint32_t n = 0; job->next < all && n < NUMBERS_A_TURN && lives < TWINS_A_TURN && *st == GM_OK; n++) {
        gm_twin twin = { job->next++ };
        if (!gm_state_exists(state, twin)) continue;
        const gm_placement *place = gm_insight_place(insight, l, gm_state_type(state, twin));
        if (place == NULL || place->failed == GM_NO_COLUMN || !has_failed(state, twin, place->failed)) continue;
        *st = add_life(job, l, place, twin, err);
        lives++;
    }
    return *st != GM_OK || job->next >= all;
}

static gm_retrain_job *begin(gm_insight *insight, uint32_t i, bool by_clock)
{
    gm_lookout_state *l   = &insight->lookouts[i];
    gm_retrain_job   *job = gm_alloc_zeroed(insight->options.alloc, sizeof *job);
    if (job == NULL) return NULL;
    *job = (gm_retrain_job) { .insight = insight, .lookout = i, .by_clock = by_clock, .drift = l->asked.drift,
                              .age = l->asked.age.len > 0, .set = GM_STR("the plant's history"), .now = gm_now(clock_of(insight)),
                              .fleet = gm_fleet_init(insight->options.alloc, l->asked.settings, l->asked.count - l->asked.settings) };
    job->arena = gm_arena_create(insight->options.alloc, 0);
    if (job->arena != NULL)
        job->dir = gm_arena_printf(job->arena, GM_STR_FMT "/" GM_STR_FMT, GM_STR_ARG(insight->options.plant), GM_STR_ARG(l->asked.model));
    if (job->dir.ptr == NULL) {
        free_job(job);
        return NULL;
    }
    l->look   = false;
    l->looked = job->now;
    return job;
}

static bool is_due(const gm_insight *insight, const gm_lookout_state *l, bool *by_clock)
{
    gm_time_ns now = gm_now(clock_of(insight));
    *by_clock      = l->asked.every > 0 && (l->looked == 0 || now - l->looked >= l->asked.every);
    return l->asked.failed.len > 0 && (*by_clock || (l->look && (l->asked.drift > 0 || l->model == NULL)));
}

void gm_insight_retrain_some(void *context)
{
    gm_insight *insight        = context;
    gm_error    why            = { 0 };
    gm_status   st             = GM_OK;
    bool        by_clock;
    insight->retrain_scheduled = false;
    for (uint32_t i = 0; insight->retrain == NULL && i < insight->lookout_count; i++)
        if (insight->lookouts[i].asked.kind == GM_LOOKOUT_LIFE && is_due(insight, &insight->lookouts[i], &by_clock))
            insight->retrain = begin(insight, i, by_clock);
    gm_retrain_job *job = insight->retrain;
    if (job == NULL || job->submitted) return;
    if (!gather(job, &st, &why)) {
        gm_insight_retrain_soon(insight);
        return;
    }
    gm_pool_id   id;
    gm_pool_task task = { .parts = 1, .run = run, .done = trained, .context = job };
    job->submitted    = true;
    if (st == GM_OK) st = gm_pool_submit(insight->pool, &task, &id, &why);
    if (st == GM_OK) return;
    snprintf(insight->lookouts[job->lookout].verdict, sizeof insight->lookouts[job->lookout].verdict, "%s", why.text);
    insight->retrain = NULL;
    free_job(job);
}

void gm_insight_retrain_soon(gm_insight *insight)
{
    if (insight->retrain_scheduled || insight->pool == NULL || insight->ending || (insight->retrain != NULL && insight->retrain->submitted)) return;
    insight->retrain_scheduled = gm_engine_later(insight->options.engine, gm_insight_retrain_some, insight, NULL) == GM_OK;
}

// ---- the clock ------------------------------------------------------------------------------------------------------

static void tick(void *context)
{
    gm_insight *insight = context;
    insight->timer      = NULL;
    gm_insight_retrain_look(insight);
    (void)!gm_loop_after(insight->options.loop, LOOK_EVERY, tick, insight, &insight->timer, NULL);
}

void gm_insight_retrain_look(gm_insight *insight) { gm_insight_retrain_soon(insight); }

void gm_insight_retrain_watch(gm_insight *insight)
{
    bool asked = false;
    for (uint32_t i = 0; i < insight->lookout_count; i++) {
        gm_lookout_state *l = &insight->lookouts[i];
        if (l->asked.kind != GM_LOOKOUT_LIFE || l->asked.failed.len == 0) continue;
        asked   = true;
        l->look = true;  // a twin may have failed while nobody looked
    }
    if (!asked || insight->pool == NULL) return;
    gm_insight_retrain_soon(insight);
    if (insight->options.loop != NULL) (void)!gm_loop_after(insight->options.loop, LOOK_EVERY, tick, insight, &insight->timer, NULL);
}

void gm_insight_retrain_stop(gm_insight *insight)
{
    gm_loop_cancel(insight->timer);
    if (insight->retrain_scheduled) gm_engine_never(insight->options.engine, gm_insight_retrain_some, insight);
    if (insight->retrain != NULL) free_job(insight->retrain);
    insight->timer             = NULL;
    insight->retrain           = NULL;
    insight->retrain_scheduled = false;
}

bool gm_insight_model_at(const gm_insight *insight, size_t i, gm_insight_model *out)
{
    for (uint32_t k = 0; k < insight->lookout_count; k++) {
        const gm_lookout_state *l = &insight->lookouts[k];
        if (l->asked.kind != GM_LOOKOUT_LIFE || i-- > 0) continue;
        *out = (gm_insight_model) { .detector = l->asked.name, .version = l->version, .verdict = l->verdict,
                                    .retraining = insight->retrain != NULL && insight->retrain->lookout == k };
        return true;
    }
    return false;
}
