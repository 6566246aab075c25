// Order at one instant: what is kept and watched is looked at first (the state as it came), then changes take effect.
// Lanes beyond the last one of the request are copies of it, so that they cost nothing extra and disturb nobody.
#include "futures/march.h"

#include "base/rng.h"

#include <math.h>

enum {
    STREAM_FROM    = 0x20000000,  // times of changes
    STREAM_PROCESS = 0x30000000,  // Ornstein-Uhlenbeck, Poisson
    CHUNK_STEPS    = 4096,        // steps between two looks at whether anybody still wants the result
    N              = GM_MARCH_LANES
};

typedef enum change_stage { WAITING, IN_FORCE, OVER } change_stage;

typedef struct change_state {
    uint8_t  stage[N];
    double   from[N];   // s after the fork
    double   begun[N];  // when it took effect: at the first look at or after `from`
    double   base[N];   // the slot's value before
    double   value[N];  // OU, POISSON: of the process
    double   next[N];   // POISSON: time of the next event
    uint64_t draws[N];  // POISSON
    double   moved;     // when the process was moved last
    bool     done;      // nothing left to do for any lane
} change_state;

struct gm_march_parts {
    change_state *changes;      // [most changes of a scenario]
    double       *before;       // [condition][64] value at the last look
    double       *score_before; // [score][64]
    double        looked;       // time of the last look; < 0: none yet
    double        t;
    uint32_t      step;
    uint64_t      ticks;        // of this block
    bool          any_lost, lost[N];  // lanes that have failed
};

gm_status gm_march_plan(const gm_alloc *alloc, const gm_futures_request *request, gm_plan **out_plan, gm_error *err)
{
    static const gm_method methods[] = { [GM_FUTURES_FIXED]    = GM_METHOD_RK4,
                                         [GM_FUTURES_EULER]    = GM_METHOD_EULER,
                                         [GM_FUTURES_ADAPTIVE] = GM_METHOD_DOPRI,
                                         [GM_FUTURES_STIFF]    = GM_METHOD_IMPLICIT };
    gm_plan_options o = gm_plan_options_defaults();
    o.method          = request->fmu != NULL ? GM_METHOD_EULER : methods[request->method];  // an FMU: nothing is stepped here
    o.tolerance       = request->tolerance;
    return gm_plan_create(alloc, request->program, &o, out_plan, err);
}

// Brings what the request looks at.
static gm_status create_runner(gm_march *run, gm_error *err)
{
    const gm_futures_request *r = &run->scheme->request;
    gm_slot                   looked[GM_FUTURES_OUTPUTS_MAX + 2 * GM_FUTURES_WATCH_MAX];
    uint32_t                  n = 0;
    for (uint32_t i = 0; i < r->output_count; i++) looked[n++] = r->outputs[i].slot;
    for (uint32_t i = 0; i < r->condition_count; i++) looked[n++] = r->conditions[i].of.slot;
    for (uint32_t i = 0; i < r->score_count; i++) looked[n++] = r->scores[i].of.slot;
    return gm_fmu_runner_create(run->alloc, r->fmu, looked, n, gm_scheme_fixed(run->scheme) ? 0 : r->tolerance, &run->fmu, err);
}

gm_status gm_march_create(const gm_alloc *alloc, const gm_scheme *s, const gm_plan *plan, gm_march **out_run,
                          gm_error *err)
{
    *out_run      = NULL;
    gm_march  *run  = gm_alloc_zeroed(alloc, sizeof *run);
    uint32_t most = 0, conditions = s->request.condition_count, scores = s->request.score_count;
    if (run == NULL) return gm_fail(err, GM_NOMEM, "futures", "running a block");
    for (uint32_t k = 0; k < s->scenario_count; k++) most = s->change_counts[k] > most ? s->change_counts[k] : most;
    *run = (gm_march){ .alloc = alloc, .scheme = s, .plan = plan };
    run->first_passage = gm_alloc_zeroed(alloc, (size_t)conditions * N * sizeof(double));
    run->scores        = gm_alloc_zeroed(alloc, (size_t)scores * N * sizeof(double));
    run->parts         = gm_alloc_zeroed(alloc, sizeof *run->parts);
    gm_status st = run->first_passage != NULL && run->scores != NULL && run->parts != NULL ? GM_OK : GM_NOMEM;
    if (st == GM_OK) {
        run->parts->changes      = gm_alloc_zeroed(alloc, most * sizeof(change_state));
        run->parts->before       = gm_alloc_zeroed(alloc, (size_t)conditions * N * sizeof(double));
        run->parts->score_before = gm_alloc_zeroed(alloc, (size_t)scores * N * sizeof(double));
        if (run->parts->changes == NULL || run->parts->before == NULL || run->parts->score_before == NULL)
            st = GM_NOMEM;
    }
    if (st != GM_OK) gm_fail(err, st, "futures", "running a block");
    else st = gm_worker_create(alloc, plan, &run->worker, err);
    if (st == GM_OK) st = gm_lanes_create(alloc, plan, N, &run->lanes, err);
    if (st == GM_OK && s->request.fmu != NULL) st = create_runner(run, err);
    if (st != GM_OK) {
        gm_march_destroy(run);
        return st;
    }
    *out_run = run;
    return GM_OK;
}

void gm_march_destroy(gm_march *run)
{
    if (run == NULL) return;
    if (run->parts != NULL) {
        gm_free(run->alloc, run->parts->changes);
        gm_free(run->alloc, run->parts->before);
        gm_free(run->alloc, run->parts->score_before);
    }
    gm_free(run->alloc, run->parts);
    gm_free(run->alloc, run->first_passage);
    gm_free(run->alloc, run->scores);
    gm_fmu_runner_destroy(run->fmu);
    gm_worker_destroy(run->worker);
    gm_lanes_destroy(run->lanes);
    gm_free(run->alloc, run);
}

// Among the lanes of all members.
static uint32_t place_of(const gm_march *run, int i)
{
    return run->first + ((uint32_t)i < run->count ? (uint32_t)i : run->count - 1);
}

// Among the lanes of its member: what random numbers and lists go by.
static uint32_t lane_of(const gm_march *run, int i)
{
    return place_of(run, i) % run->scheme->request.lanes;
}

// ---- the program, or the FMU ----------------------------------------------------------------------------------------

static void begin(gm_march *run)
{
    const gm_futures_request *r = &run->scheme->request;
    if (run->fmu != NULL) gm_fmu_runner_start(run->fmu, run->lanes, r->horizon_s);
    else gm_lanes_start(run->lanes, 0, run->worker, r->fresh ? GM_START_FRESH : GM_START_FORKED);
}

static void touch(gm_march *run)
{
    if (run->fmu != NULL) gm_fmu_runner_push(run->fmu, run->lanes);
    else gm_lanes_touch(run->lanes, 0, run->worker);
}

void gm_march_observe(gm_march *run)
{
    if (run->fmu != NULL) gm_fmu_runner_pull(run->fmu, run->lanes);
    else gm_lanes_observe(run->lanes, 0, run->worker);
}

// The other lanes of an FMU's block count for nothing.
static gm_lane_report report_of(const gm_march *run, uint32_t i)
{
    return run->fmu != NULL ? gm_fmu_runner_report(run->fmu) : gm_lanes_report(run->lanes, i);
}

// ---- changes --------------------------------------------------------------------------------------------------------

static double combined(const gm_vary *v, double base, double value)
{
    if (v->how == GM_VARY_ADD) return base + v->scale * value;
    if (v->how == GM_VARY_SCALE) return v->scale * ((base - v->offset) / v->scale * value) + v->offset;
    return v->scale * value + v->offset;
}

static double series_at(const gm_vary *v, double t)
{
    uint32_t low = 0, high = v->count;  // times[low] <= t < times[high]
    if (t < v->times[0]) return v->values[0];
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (v->times[middle] <= t) low = middle;
        else high = middle;
    }
    if (!v->linear || high == v->count) return v->values[low];
    return v->values[low] + (v->values[high] - v->values[low]) * (t - v->times[low]) / (v->times[high] - v->times[low]);
}

static double waiting_time(const gm_march *run, const gm_variation *c, change_state *state, int i)
{
    double u = gm_rng_uniform(run->scheme->design.seed, lane_of(run, i), STREAM_PROCESS + c->stream, state->draws[i]++);
    return -log(u) / c->vary->p[0];  // rate 0: never
}

// The value that the change has at the moment in which it takes effect.
static double first_value(const gm_march *run, const gm_variation *c, change_state *state, int i, double t)
{
    const gm_vary *v    = c->vary;
    uint32_t       lane = lane_of(run, i);
    switch (v->kind) {
    case GM_VARY_LAW:
        return v->law.kind == GM_LAW_POINT ? v->law.p[0] : gm_law_at(&v->law, gm_scheme_uniform(run->scheme, c, lane));
    case GM_VARY_LIST: return v->values[lane % v->count];
    case GM_VARY_GRID: return v->values[lane / c->grid_stride % v->count];
    case GM_VARY_SERIES: return series_at(v, t);
    case GM_VARY_OU: return v->how == GM_VARY_SET ? (state->base[i] - v->offset) / v->scale : v->p[0];
    case GM_VARY_POISSON: state->next[i] = t + waiting_time(run, c, state, i); return 0;
    default: return NAN;
    }
}

static void draw_times(const gm_march *run, const gm_variation *c, change_state *state)
{
    const gm_vary *v = c->vary;
    state->done      = false;
    state->moved     = 0;
    for (int i = 0; i < N; i++) {
        state->stage[i] = WAITING;
        state->draws[i] = 0;
        state->from[i]  = 0;
        if (!v->scheduled) continue;
        double u       = v->from.kind == GM_LAW_POINT ? 0.5
                       : gm_rng_uniform(run->scheme->design.seed, lane_of(run, i), STREAM_FROM + c->stream, 0);
        double from    = gm_law_at(&v->from, u);
        state->from[i] = from > 0 ? from : 0;
    }
}

// Lets changes begin and end that are due at time t. True when a slot has changed.
static bool begin_and_end(gm_march *run, const gm_variation *c, change_state *state, double t)
{
    const gm_vary *v    = c->vary;
    double        *row  = gm_lanes_row(run->lanes, 0, v->slot);
    double         near = t + 1e-9 * (1 + t);  // a stop computed as a product may fall a rounding short of its time
    bool           changed = false, waits = false;
    for (int i = 0; i < N; i++) {
        if (state->stage[i] == WAITING && state->from[i] <= near) {
            state->begun[i] = t;
            state->base[i]  = row[i];
            state->value[i] = first_value(run, c, state, i, t);
            row[i]          = combined(v, row[i], state->value[i]);
            state->stage[i] = IN_FORCE;
            changed         = true;
        }
        if (state->stage[i] == IN_FORCE && v->lasts_s > 0 && state->from[i] + v->lasts_s <= near) {
            row[i]          = state->base[i];
            state->stage[i] = OVER;
            changed         = true;
        }
        waits |= state->stage[i] == WAITING || (state->stage[i] == IN_FORCE && (v->lasts_s > 0 || c->moves));
    }
    state->done = !waits;
    return changed;
}

// The process after dt more seconds. Exact for any dt; Ornstein-Uhlenbeck: Gillespie, Phys. Rev. E 54 (1996) 2084,
// eq. 1.9.
static void move_value(gm_march *run, const gm_variation *c, change_state *state, int i, double t, double dt)
{
    const gm_vary *v     = c->vary;
    double         decay = exp(-dt / v->p[2]);
    if (v->kind == GM_VARY_OU) {
        double z =
            gm_rng_normal(run->scheme->design.seed, lane_of(run, i), STREAM_PROCESS + c->stream, run->parts->ticks);
        state->value[i] = v->p[0] + (state->value[i] - v->p[0]) * decay + v->p[1] * sqrt(-expm1(-2 * dt / v->p[2])) * z;
        return;
    }
    state->value[i] *= decay;
    while (state->next[i] <= t) {
        state->value[i] += v->p[1] * exp(-(t - state->next[i]) / v->p[2]);
        state->next[i] += waiting_time(run, c, state, i);
    }
}

static void move_process(gm_march *run, const gm_variation *c, change_state *state, double t)
{
    const gm_vary *v      = c->vary;
    double        *row    = gm_lanes_row(run->lanes, 0, v->slot);
    double         series = v->kind == GM_VARY_SERIES ? series_at(v, t) : 0;
    for (int i = 0; i < N; i++) {
        if (state->stage[i] != IN_FORCE) continue;
        double since = state->begun[i] > state->moved ? state->begun[i] : state->moved;
        if (v->kind == GM_VARY_SERIES) state->value[i] = series;
        else move_value(run, c, state, i, t, t - since);
        row[i] = combined(v, state->base[i], state->value[i]);
    }
    state->moved = t;
}

// All that changes at time t. True when a slot may have changed.
static bool change_inputs(gm_march *run, double t, bool tick)
{
    const gm_scheme *s       = run->scheme;
    bool             changed = false;
    for (uint32_t k = 0; k < s->change_counts[run->scenario]; k++) {
        const gm_variation *c     = &s->changes[run->scenario][k];
        change_state    *state = &run->parts->changes[k];
        if (state->done) continue;
        if (tick && c->moves) {
            move_process(run, c, state, t);
            changed = true;
        }
        changed |= begin_and_end(run, c, state, t);
    }
    return changed;
}

// ---- looking --------------------------------------------------------------------------------------------------------

static bool failed(gm_lane_status status) { return status != GM_LANE_ACTIVE && status != GM_LANE_TERMINATED; }

void gm_march_values(gm_march *run, const gm_watched *what, double out[GM_MARCH_LANES])
{
    const double *row   = gm_lanes_row(run->lanes, 0, what->slot);
    bool          plain = what->scale == 1 && what->offset == 0;
    if (plain) memcpy(out, row, N * sizeof *out);
    for (uint32_t i = 0; !plain && i < N; i++) out[i] = (row[i] - what->offset) / what->scale;
    for (uint32_t i = 0; run->parts->any_lost && i < N; i++) out[i] = run->parts->lost[i] ? NAN : out[i];
}

// Once for each instant: who has failed by now.
static void see_who_is_lost(gm_march *run)
{
    run->parts->any_lost = false;
    for (uint32_t i = 0; i < N; i++) {
        run->parts->lost[i] = failed(report_of(run, i).status);
        run->parts->any_lost |= run->parts->lost[i];
    }
}

// Lanes that left keep the time at which they did.
static void watch_conditions(gm_march *run, const bool *going, double t)
{
    struct gm_march_parts *p = run->parts;
    double               now[N];
    for (uint32_t k = 0; k < run->scheme->request.condition_count; k++) {
        const gm_condition *c = &run->scheme->request.conditions[k];
        double *passed = run->first_passage + k * N, *before = p->before + k * N;
        gm_march_values(run, &c->of, now);
        for (int i = 0; i < N; i++) {
            double over = c->below ? c->threshold - now[i] : now[i] - c->threshold;
            if (going[i] && isinf(passed[i]) && over > 0) {
                // Where it crossed, on the straight line between the two looks.
                passed[i] = p->looked < 0 ? t : p->looked + (t - p->looked) * (before[i] / (before[i] - over));
            }
            before[i] = over;
        }
    }
}

static void update_score(const gm_score *score, double *sum, double *before, double now, double t, double since)
{
    double over = score->kind == GM_SCORE_BELOW ? score->threshold - now : now - score->threshold, dt = t - since,
           share;
    switch (score->kind) {
    case GM_SCORE_INTEGRAL:
    case GM_SCORE_MEAN:
        if (since >= 0) *sum += 0.5 * (*before + now) * dt;
        *before = now;
        break;
    case GM_SCORE_MIN: *sum = since < 0 || now < *sum ? now : *sum; break;
    case GM_SCORE_MAX: *sum = since < 0 || now > *sum ? now : *sum; break;
    case GM_SCORE_FINAL: *sum = now; break;
    default:  // the part of the straight line between two looks that lies on the far side
        share = since < 0                   ? 0
                : over > 0 && *before > 0   ? 1
                : over <= 0 && *before <= 0 ? 0
                : over > 0                  ? over / (over - *before)
                                            : *before / (*before - over);
        if (since >= 0) *sum += share * dt;
        *before = over;
    }
}

static void watch_scores(gm_march *run, const bool *going, double t)
{
    struct gm_march_parts *p = run->parts;
    double               now[N];
    for (uint32_t k = 0; k < run->scheme->request.score_count; k++) {
        const gm_score *score = &run->scheme->request.scores[k];
        gm_march_values(run, &score->of, now);
        for (int i = 0; i < N; i++) {
            if (going[i])
                update_score(score, &run->scores[k * N + (uint32_t)i], &p->score_before[k * N + (uint32_t)i], now[i], t,
                             p->looked);
        }
    }
}

static void look(gm_march *run, double t)
{
    const gm_scheme *s = run->scheme;
    bool             going[N];
    if (s->request.condition_count + s->request.score_count == 0) return;
    if (s->observe_ticks) gm_march_observe(run);
    for (uint32_t i = 0; i < N; i++) {
        gm_lane_report report = report_of(run, i);
        // A lane that ended well in this very interval is looked at once more, where it ended.
        going[i] = report.status == GM_LANE_ACTIVE ||
                   (report.status == GM_LANE_TERMINATED && report.time - s->request.base[0] > run->parts->looked);
    }
    watch_conditions(run, going, t);
    watch_scores(run, going, t);
    run->parts->looked = t;
}

// ---- going on -------------------------------------------------------------------------------------------------------

// Each lane from its member's state.
static void fill(gm_march *run)
{
    const gm_futures_request *r     = &run->scheme->request;
    uint32_t                  slots = gm_program_slot_count(r->program);
    const double             *from[N];
    for (int i = 0; i < N; i++) from[i] = r->base + (size_t)(place_of(run, i) / r->lanes) * slots;
    for (uint32_t slot = 0; slot < slots; slot++) {
        double *row = gm_lanes_row(run->lanes, 0, (gm_slot){ slot });
        for (int i = 0; i < N; i++) row[i] = from[i][slot];
    }
}

void gm_march_fork(gm_march *run, uint32_t scenario, uint32_t first)
{
    const gm_scheme *s = run->scheme;
    run->scenario      = scenario;
    run->first         = first;
    run->count         = s->lanes - first < s->block_lanes ? s->lanes - first : s->block_lanes;
    fill(run);
    *run->parts = (struct gm_march_parts){ .changes = run->parts->changes, .before = run->parts->before,
                                         .score_before = run->parts->score_before, .looked = -1 };
    for (uint32_t i = 0; i < s->request.condition_count * N; i++) run->first_passage[i] = INFINITY;
    for (uint32_t i = 0; i < s->request.score_count * N; i++) run->scores[i] = 0;
    for (uint32_t k = 0; k < s->change_counts[scenario]; k++)
        draw_times(run, &s->changes[scenario][k], &run->parts->changes[k]);
}

// INITIAL computes states from parameters, so that a fresh start needs its parameters before and its states after.
static void start(gm_march *run)
{
    const gm_scheme *s = run->scheme;
    change_inputs(run, 0, false);
    begin(run);
    see_who_is_lost(run);
    if (!s->request.fresh) return;
    bool again = false;
    for (uint32_t k = 0; k < s->change_counts[run->scenario]; k++) {
        const gm_variation *c = &s->changes[run->scenario][k];
        if (gm_program_slot(s->request.program, c->vary->slot)->kind != GM_SLOT_STATE) continue;
        draw_times(run, c, &run->parts->changes[k]);
        again |= begin_and_end(run, c, &run->parts->changes[k], 0);
    }
    if (again) touch(run);
}

static void advance_fixed(gm_march *run, uint32_t to)
{
    struct gm_march_parts *p = run->parts;
    while (run->fmu != NULL && p->step < to) gm_fmu_runner_step(run->fmu, run->lanes, ++p->step * run->scheme->step_s);
    while (p->step < to) {
        uint32_t n = to - p->step < CHUNK_STEPS ? to - p->step : CHUNK_STEPS;
        gm_lanes_steps(run->lanes, 0, run->worker, run->scheme->step_s, n);
        p->step += n;
    }
}

// One interval without anything in between, then whatever is due at its end but for output points.
static void advance(gm_march *run, double t, uint32_t step, bool tick)
{
    const gm_scheme *s = run->scheme;
    if (s->steps > 0) advance_fixed(run, step);
    else if (run->fmu != NULL) gm_fmu_runner_step(run->fmu, run->lanes, t);
    else gm_lanes_until(run->lanes, 0, run->worker, s->request.base[0] + t);
    run->parts->t = t;
    see_who_is_lost(run);
    if (tick) {
        run->parts->ticks++;
        look(run, t);
    }
}

// Ticks that lie strictly before the stop.
static void tick_until(gm_march *run, const gm_stop *stop)
{
    const gm_scheme *s = run->scheme;
    for (;;) {
        double   k    = (double)(run->parts->ticks + 1), t = k * s->tick_s;
        uint32_t step = s->steps > 0 ? (uint32_t)(k * s->tick_steps) : 0;
        if (s->steps > 0 ? k * s->tick_steps >= stop->step : t >= stop->t * (1 - 1e-12)) return;
        advance(run, t, step, true);
        if (change_inputs(run, t, true)) touch(run);
    }
}

static bool is_tick(const gm_march *run, const gm_stop *stop)
{
    const gm_scheme *s = run->scheme;
    if (!s->ticking) return false;
    double k = (double)(run->parts->ticks + 1);
    return s->steps > 0 ? k * s->tick_steps <= stop->step : k * s->tick_s <= stop->t * (1 + 1e-12);
}

bool gm_march_block(gm_march *run, uint32_t scenario, uint32_t first, gm_march_point *on_point, void *context)
{
    const gm_scheme *s = run->scheme;
    gm_march_fork(run, scenario, first);
    start(run);
    for (uint32_t i = 0; i < s->stop_count; i++) {
        const gm_stop *stop = &s->stops[i];
        bool           tick = false;
        if (i > 0) {
            if (s->ticking) tick_until(run, stop);
            tick = is_tick(run, stop);
            advance(run, stop->t, stop->step, tick);
            // The horizon may lie between two ticks; what is watched is watched to the end.
            if (!tick && i + 1 == s->stop_count) look(run, stop->t);
        } else {
            look(run, 0);
        }
        if (stop->point != GM_STOP_NO_POINT) {
            if (s->observe_points) gm_march_observe(run);
            if (!on_point(context, stop->point, run)) return false;
        }
        if (i > 0 && i + 1 < s->stop_count && change_inputs(run, stop->t, tick))
            touch(run);
    }
    for (uint32_t i = 0; i < N; i++) {
        run->reports[i] = report_of(run, i);
        for (uint32_t k = 0; k < s->request.score_count; k++) {
            if (s->request.scores[k].kind == GM_SCORE_MEAN) run->scores[k * N + i] /= s->request.horizon_s;
        }
    }
    return true;
}
