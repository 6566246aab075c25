// A job's way through the pool: see job.h.
#include "futures/job.h"

#include "futures/select.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

enum {
    PARTIAL_FIRST = 20 * GM_MILLISECOND,   // after the start; people see something before they wonder
    PARTIAL_PAUSE = 200 * GM_MILLISECOND
};

static gm_dur_ns now(void) { return gm_monotonic(gm_clock_system()); }

// ---- blocks ---------------------------------------------------------------------------------------------------------

// What only running needs: a finished job keeps its values and its result.
static void free_runs(gm_futures *job)
{
    for (uint32_t i = 0; job->runs != NULL && i < job->run_count; i++) gm_march_destroy(job->runs[i]);
    gm_free(job->alloc, job->runs);
    gm_plan_destroy(job->plan);
    job->runs = NULL;
    job->plan = NULL;
}

static void free_all(gm_futures *job)
{
    const gm_alloc *alloc = job->alloc;
    free_runs(job);
    for (int i = 0; i < GM_PARTIALS; i++) gm_free(alloc, job->partials[i].quantiles);
    gm_free(alloc, job->values);
    gm_free(alloc, job->passages);
    gm_free(alloc, job->scores);
    gm_free(alloc, job->reports);
    gm_free(alloc, job->block_points);
    gm_arena_destroy(job->arena);
    pthread_mutex_destroy(&job->lock);
    gm_free(alloc, job);
}

// Compiling is work too: the first thread does it, others that come meanwhile wait for it.
static gm_status plan_once(gm_futures *job, gm_error *err)
{
    pthread_mutex_lock(&job->lock);
    if (!job->planned) {
        job->plan_status = gm_march_plan(job->alloc, &job->scheme->request, &job->plan, &job->plan_error);
        job->planned     = true;
    }
    gm_status st = job->plan_status;
    if (st != GM_OK) *err = job->plan_error;
    pthread_mutex_unlock(&job->lock);
    return st;
}

// Quantiles of the first scenario's lanes that have come so far, point by point. Whoever was first past the due time
// does it.
static void make_partial(gm_futures *job, gm_partial_store *to)
{
    const gm_scheme          *s = job->scheme;
    const gm_futures_request *r = &s->request;
    double                    x[GM_PARTIAL_LANES];
    uint32_t                  lanes[GM_PARTIAL_LANES], most = GM_PARTIAL_LANES / s->block_lanes;
    to->counted = to->points = 0;
    for (uint32_t p = 0; p < s->point_count; p++) {
        uint32_t blocks = 0;
        pthread_mutex_lock(&job->lock);
        for (uint32_t b = 0; b < s->blocks && blocks < most; b++) {
            if (job->block_points[b] > p) lanes[blocks++] = b * s->block_lanes;
        }
        pthread_mutex_unlock(&job->lock);
        if (blocks == 0) break;
        for (uint32_t o = 0; o < r->output_count; o++) {
            size_t n = 0;
            for (uint32_t b = 0; b < blocks; b++) {
                uint32_t each = s->lanes - lanes[b] < s->block_lanes ? s->lanes - lanes[b] : s->block_lanes;
                memcpy(x + n, gm_job_values(job, 0, o, p) + lanes[b], each * sizeof *x);
                n += each;
            }
            n = gm_drop_nan(x, n);
            if (p == 0 && n > to->counted) to->counted = (uint32_t)n;
            gm_quantiles(x, n, r->quantiles, r->quantile_count,
                         to->quantiles + (size_t)o * r->quantile_count * s->point_count + p, s->point_count);
        }
        to->points = p + 1;
    }
}

static void offer_partial(gm_futures *job, gm_pool_job *self)
{
    gm_dur_ns time  = now();
    int       spare = -1;
    pthread_mutex_lock(&job->lock);
    if (!job->partial_busy && time >= job->partial_due) {
        for (int i = 0; i < GM_PARTIALS; i++) {
            if (i != job->ready && i != job->shown) spare = i;
        }
        job->partial_busy = true;
    }
    pthread_mutex_unlock(&job->lock);
    if (spare < 0) return;
    make_partial(job, &job->partials[spare]);
    pthread_mutex_lock(&job->lock);
    job->partials[spare].filled = job->partials[spare].points > 0;
    job->ready                  = spare;
    job->partial_busy           = false;
    job->partial_due            = now() + PARTIAL_PAUSE;
    pthread_mutex_unlock(&job->lock);
    gm_pool_announce(self);
}

typedef struct visitor { gm_futures *job; gm_pool_job *self; uint32_t part; } visitor;

static bool keep_point(void *context, uint32_t point, gm_march *run)
{
    visitor    *v   = context;
    gm_futures *job = v->job;
    double      now_values[GM_MARCH_LANES];
    for (uint32_t o = 0; o < job->scheme->request.output_count; o++) {
        gm_march_values(run, &job->scheme->request.outputs[o], now_values);
        memcpy(gm_job_values(job, run->scenario, o, point) + run->first, now_values, run->count * sizeof(double));
    }
    pthread_mutex_lock(&job->lock);
    job->block_points[v->part] = point + 1;
    job->points_done++;
    pthread_mutex_unlock(&job->lock);
    if (job->calls.news != NULL) offer_partial(job, v->self);
    return !gm_pool_cancelled(v->self);
}

// Of an FMU's lanes the first ones, in their order, whoever came first.
static void keep_trouble(gm_futures *job, const gm_march *run)
{
    uint64_t place = (uint64_t)run->scenario * job->scheme->lanes + run->first;
    uint32_t at    = 0;
    pthread_mutex_lock(&job->lock);
    while (at < job->complaint_count && job->complaints[at].place < place) at++;
    if (at < GM_FUTURES_TROUBLES) {
        uint32_t kept = job->complaint_count < GM_FUTURES_TROUBLES ? job->complaint_count++ : GM_FUTURES_TROUBLES - 1u;
        memmove(&job->complaints[at + 1], &job->complaints[at], (kept - at) * sizeof *job->complaints);
        job->complaints[at].place = place;
        snprintf(job->complaints[at].text, sizeof job->complaints[at].text, "%s", gm_fmu_runner_trouble(run->fmu));
    }
    pthread_mutex_unlock(&job->lock);
}

static void keep_ends(gm_futures *job, const gm_march *run)
{
    const gm_futures_request *r = &job->scheme->request;
    size_t                    scenario = run->scenario, lanes = job->scheme->lanes;
    for (uint32_t k = 0; k < r->condition_count; k++) {
        memcpy(job->passages + (scenario * r->condition_count + k) * lanes + run->first,
               run->first_passage + k * GM_MARCH_LANES, run->count * sizeof(double));
    }
    for (uint32_t k = 0; k < r->score_count; k++) {
        memcpy(job->scores + (scenario * r->score_count + k) * lanes + run->first, run->scores + k * GM_MARCH_LANES,
               run->count * sizeof(double));
    }
    memcpy(job->reports + scenario * lanes + run->first, run->reports, run->count * sizeof *run->reports);
    if (run->fmu != NULL && gm_lane_failed(&run->reports[0])) keep_trouble(job, run);
}

static gm_status run_part(void *context, uint32_t part, uint32_t thread, gm_pool_job *self, gm_error *err)
{
    gm_futures *job = context;
    gm_status   st  = plan_once(job, err);
    if (st == GM_OK && job->runs[thread] == NULL)
        st = gm_march_create(job->alloc, job->scheme, job->plan, &job->runs[thread], err);
    if (st != GM_OK) return st;
    gm_march *run = job->runs[thread];
    visitor v   = { job, self, part };
    uint32_t scenario = part / job->scheme->blocks, first = part % job->scheme->blocks * job->scheme->block_lanes;
    if (!gm_march_block(run, scenario, first, keep_point, &v)) return GM_OK;  // cancelled; the pool knows
    keep_ends(job, run);
    return GM_OK;
}

// ---- reducing -------------------------------------------------------------------------------------------------------

static double *scratch_of(gm_futures *job, gm_error *err)
{
    double *scratch = gm_alloc_array(job->alloc, job->scheme->lanes, sizeof *scratch);
    if (scratch == NULL) gm_fail(err, GM_NOMEM, "futures", "reducing %u lanes", job->scheme->lanes);
    return scratch;
}

static gm_status reduce_part(void *context, uint32_t part, uint32_t thread, gm_pool_job *self, gm_error *err)
{
    gm_futures *job = context;
    (void)thread;
    (void)self;
    if (job->result.output_count == 0) return GM_OK;
    double *scratch = scratch_of(job, err);
    if (scratch == NULL) return GM_NOMEM;
    uint32_t row = part / job->result.output_count, views = job->result.view_count;
    gm_reduce_band(job, row / views, row % views, part % job->result.output_count, scratch);
    gm_free(job->alloc, scratch);
    return GM_OK;
}

static gm_status reduce_rest(void *context, gm_pool_job *self, gm_error *err)
{
    gm_futures *job     = context;
    double     *scratch = scratch_of(job, err);
    (void)self;
    if (scratch == NULL) return GM_NOMEM;
    gm_reduce_rest(job, scratch);
    gm_free(job->alloc, scratch);
    job->result.seconds = (double)(now() - job->started) / 1e9;
    if (job->calls.finish != NULL) job->calls.finish(job->calls.context, job, &job->result);
    return GM_OK;
}

static gm_status finish_blocks(void *context, gm_pool_job *self, gm_error *err)
{
    (void)self;
    (void)err;
    gm_reduce_failures(context);
    return GM_OK;
}

static void end(gm_futures *job, gm_status status, const gm_error *err)
{
    free_runs(job);
    job->ended = true;
    if (status != GM_OK) job->result.point_count = 0;
    if (job->calls.done != NULL) job->calls.done(job->calls.context, status, err);
}

static void on_reduced(void *context, gm_status status, const gm_error *err) { end(context, status, err); }

static void on_blocks(void *context, gm_status status, const gm_error *err)
{
    gm_futures *job   = context;
    gm_error    again = { 0 };
    uint32_t    parts = job->result.scenario_count * job->result.view_count * job->result.output_count;
    if (status == GM_OK) {
        gm_pool_task task = { .parts       = parts > 0 ? parts : 1,
                              .threads_max = job->scheme->request.threads_max,
                              .run         = reduce_part,
                              .finish      = reduce_rest,
                              .done        = on_reduced,
                              .context     = job };
        status = gm_pool_submit(job->pool, &task, &job->id, &again);
        err    = &again;
    }
    if (status != GM_OK) end(job, status, err);
}

static void on_news(void *context)
{
    gm_futures *job = context;
    if (job->calls.news != NULL) job->calls.news(job->calls.context);
}

// ---- the owner's side -----------------------------------------------------------------------------------------------

static gm_status make_room(gm_futures *job, gm_error *err)
{
    const gm_scheme          *s = job->scheme;
    const gm_futures_request *r = &s->request;
    size_t                    lanes = (size_t)s->scenario_count * s->lanes,
           points                   = (size_t)s->point_count; // within memory_max: no overflow
    job->run_count    = gm_pool_threads(job->pool);
    job->runs         = gm_alloc_zeroed(job->alloc, job->run_count * sizeof *job->runs);
    job->values       = gm_alloc_array(job->alloc, lanes * r->output_count * points, sizeof(double));
    job->passages     = gm_alloc_array(job->alloc, lanes * r->condition_count, sizeof(double));
    job->scores       = gm_alloc_array(job->alloc, lanes * r->score_count, sizeof(double));
    job->reports      = gm_alloc_array(job->alloc, lanes, sizeof *job->reports);
    job->block_points = gm_alloc_zeroed(job->alloc, (size_t)s->scenario_count * s->blocks * sizeof *job->block_points);
    bool good         = job->runs != NULL && job->values != NULL && job->passages != NULL && job->scores != NULL &&
                job->reports != NULL && job->block_points != NULL;
    for (int i = 0; good && i < GM_PARTIALS; i++) {
        job->partials[i].quantiles =
            gm_alloc_array(job->alloc, (size_t)r->output_count * r->quantile_count * points, sizeof(double));
        good = job->partials[i].quantiles != NULL;
    }
    return good ? GM_OK : gm_fail(err, GM_NOMEM, "futures", "%zu lanes of %u outputs", lanes, r->output_count);
}

gm_status gm_futures_start(const gm_alloc *alloc, gm_pool *pool, const gm_futures_request *request,
                           gm_futures_calls calls, gm_futures **out_job, gm_error *err)
{
    *out_job        = NULL;
    gm_futures *job = gm_alloc_zeroed(alloc, sizeof *job);
    if (job == NULL) return gm_fail(err, GM_NOMEM, "futures", "starting a job");
    *job = (gm_futures){ .alloc = alloc, .pool = pool, .calls = calls, .ready = -1, .shown = -1, .started = now() };
    job->partial_due = job->started + PARTIAL_FIRST;
    pthread_mutex_init(&job->lock, NULL);
    job->arena   = gm_arena_create(alloc, 0);
    gm_status st = job->arena != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "futures", "starting a job");
    if (st == GM_OK) st = gm_scheme_make(job->arena, request, &job->scheme, err);
    if (st == GM_OK) st = make_room(job, err);
    if (st == GM_OK) st = gm_reduce_prepare(job, err);
    if (st == GM_OK) {
        gm_pool_task task = { .parts       = job->scheme->scenario_count * job->scheme->blocks,
                              .threads_max = request->threads_max,
                              .run         = run_part,
                              .finish      = finish_blocks,
                              .news        = on_news,
                              .done        = on_blocks,
                              .context     = job };
        st = gm_pool_submit(pool, &task, &job->id, err);
    }
    if (st != GM_OK) {
        free_all(job);
        return st;
    }
    *out_job = job;
    return GM_OK;
}

void gm_futures_cancel(gm_futures *job) { gm_pool_cancel(job->pool, job->id); }

void gm_futures_destroy(gm_futures *job)
{
    if (job == NULL) return;
    assert(job->ended);  // threads may still be at work in it
    free_all(job);
}

double gm_futures_progress(gm_futures *job)
{
    const gm_scheme *s = job->scheme;
    pthread_mutex_lock(&job->lock);
    double done = (double)job->points_done / ((double)s->scenario_count * s->blocks * s->point_count);
    pthread_mutex_unlock(&job->lock);
    return job->ended ? 1 : done;
}

const gm_futures_result *gm_futures_result_of(const gm_futures *job)
{
    return job->ended && job->result.point_count > 0 ? &job->result : NULL;
}

bool gm_futures_partial(gm_futures *job, gm_partial *out)
{
    pthread_mutex_lock(&job->lock);
    if (job->ready >= 0 && job->partials[job->ready].filled) job->shown = job->ready;
    int shown = job->shown;
    pthread_mutex_unlock(&job->lock);
    if (shown < 0) return false;
    const gm_partial_store *p = &job->partials[shown];
    *out                      = (gm_partial) { .counted   = p->counted,
                                               .points    = p->points,
                                               .time_s    = job->scheme->time_s,
                                               .quantiles = p->quantiles,
                                               .stride    = job->scheme->point_count };
    return true;
}

double gm_futures_value(const gm_futures *job, uint32_t scenario, uint32_t output, uint32_t point, uint32_t lane)
{
    return gm_job_values(job, scenario, output, point)[lane];
}

// ---- one lane again -------------------------------------------------------------------------------------------------

typedef struct recall { const gm_watched *outputs; uint32_t output_count, lane, points; double *values; } recall;

static bool recall_point(void *context, uint32_t point, gm_march *run)
{
    recall *r = context;
    double  now_values[GM_MARCH_LANES];
    gm_march_observe(run);
    for (uint32_t o = 0; o < r->output_count; o++) {
        gm_march_values(run, &r->outputs[o], now_values);
        r->values[(size_t)o * r->points + point] = now_values[r->lane - run->first];
    }
    return true;
}

gm_status gm_futures_lane(const gm_alloc *alloc, const gm_futures_request *request, uint32_t scenario, uint32_t lane,
                          const gm_watched *outputs, uint32_t output_count, double *out_time_s, double *out_values,
                          uint32_t *out_points, gm_error *err)
{
    gm_scheme *scheme = NULL;
    gm_plan   *plan   = NULL;
    gm_march    *run    = NULL;
    gm_arena  *arena  = gm_arena_create(alloc, 0);
    gm_futures_request again = *request;
    if (request->fmu != NULL) {  // which brings what is asked for
        again.outputs = outputs, again.output_count = output_count, again.exceedance_count = 0;
        if (output_count == 0) again.outputs = request->outputs, again.output_count = request->output_count;
    }
    gm_status    st     = arena != NULL ? gm_scheme_make(arena, &again, &scheme, err)
                                        : gm_fail(err, GM_NOMEM, "futures", "running a lane");
    if (st == GM_OK && (lane >= scheme->lanes || scenario >= scheme->scenario_count))
        st = gm_fail(err, GM_INVALID, "futures", "lane %u of scenario %u; there are %u lanes of %u scenarios", lane,
                     scenario, scheme->lanes, scheme->scenario_count);
    if (st != GM_OK) goto done;
    *out_points = scheme->point_count;
    if (out_values == NULL) goto done;
    memcpy(out_time_s, scheme->time_s, scheme->point_count * sizeof *out_time_s);
    st = gm_march_plan(alloc, &scheme->request, &plan, err);
    if (st == GM_OK) st = gm_march_create(alloc, scheme, plan, &run, err);
    if (st != GM_OK) goto done;
    recall r = { outputs, output_count, lane, scheme->point_count, out_values };
    (void)gm_march_block(run, scenario, lane / scheme->block_lanes * scheme->block_lanes, recall_point, &r);
done:
    gm_march_destroy(run);
    gm_plan_destroy(plan);
    gm_arena_destroy(arena);
    return st;
}
