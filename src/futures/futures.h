// futures/futures.h: what could be. Forks a state into many lanes, varies them, runs them to a horizon, reduces them.
//
//   double base[slots];                                           // the live state, slot by slot (futures/group.h)
//   gm_vary vary[] = { { .name = GM_STR("tank1.leak"), .slot = leak, .scale = 1, .kind = GM_VARY_LAW,
//                        .law = { .kind = GM_LAW_UNIFORM, .p = { 0, 0.02 } } } };
//   gm_watched level = { .name = GM_STR("tank1.level"), .slot = x, .scale = 1 };
//   double quantiles[] = { 0.05, 0.5, 0.95 };
//
//   gm_futures_request r = gm_futures_defaults(program, base);
//   r.horizon_s = 24 * 3600;   r.step_s = 1;       r.lanes = 4096;        r.seed = 7;
//   r.vary = vary;             r.vary_count = 1;   r.outputs = &level;    r.output_count = 1;
//   r.quantiles = quantiles;   r.quantile_count = 3;
//   gm_futures *job;
//   if (gm_futures_start(alloc, pool, &r, (gm_futures_calls){ .done = on_done, .context = me }, &job, &err) != GM_OK) ...
//   ...                                                           // on_done(me, GM_OK, NULL) in a turn of the loop
//   const gm_futures_result *f = gm_futures_result_of(job);
//   double high = gm_futures_band(f, 0, 0)->quantiles[2 * f->point_count + f->point_count - 1];   // 95 % at the horizon
//   gm_futures_destroy(job);
//
// A lane is one possible continuation; lanes run in blocks of 64, each block through the whole horizon while it is in the
// cache, blocks on all threads of the pool. The random numbers of a lane depend on (seed, lane, number of the variation,
// draw) alone, so the same request gives the same bits on any number of threads, and gm_futures_lane finds any lane again.
// With scenarios every scenario runs all lanes, with the same draws: differences between scenarios are not noise.
//
// A FLEET: several groups of one shape (gm_group_same_shape) run as lanes of the one program, `lanes` lanes of each member,
// with the same draws in each: member m's lane i is lane m * lanes + i of the job, and bit for bit lane i of a job of m alone.
// Statistics come for every member and over all of them.
//
// Lanes that fail (diverge, break an assert, find no solution) are counted and told, and enter no statistic.
//
// Memory does not depend on the number of steps: the chosen outputs of all lanes are kept at the output points
// (8 * lanes * scenarios * outputs * points bytes, refused beyond memory_max), so quantiles are exact.
#ifndef GM_FUTURES_FUTURES_H
#define GM_FUTURES_FUTURES_H

#include "base/pool.h"
#include "futures/design.h"
#include "futures/law.h"
#include "physics/program.h"

typedef struct gm_futures gm_futures;  // one job. Owner's thread

enum {
    GM_FUTURES_LANES_MAX    = 1 << 22,  // lanes * members * scenarios
    GM_FUTURES_POINTS_MAX   = 10000,
    GM_FUTURES_OUTPUTS_MAX  = 256,
    GM_FUTURES_VARY_MAX     = 1024,     // of all scenarios together
    GM_FUTURES_SCENARIO_MAX = 64,
    GM_FUTURES_WATCH_MAX    = 64,       // conditions, and scores
    GM_FUTURES_MEMBERS_MAX  = 4096,
    GM_FUTURES_STEPS_MAX    = 2000000000
};

enum { GM_LANE_BROKEN = 7 };  // beside gm_lane_status (physics/exec/lanes.h): the FMU failed

// ---------------------------------------------------------------------------------------------------- what to vary

typedef enum gm_vary_kind {
    GM_VARY_LAW,      // law, one draw a lane (GM_LAW_POINT: a constant)
    GM_VARY_LIST,     // values[lane % count]
    GM_VARY_GRID,     // one axis of a full factorial grid: lane 0 .. product-1 run through all combinations
    GM_VARY_SERIES,   // values over times (s after the fork), linear in between or held; held at both ends
    GM_VARY_OU,       // Ornstein-Uhlenbeck: mean p0, stationary standard deviation p1, time constant p2 s
    GM_VARY_POISSON   // shot noise: events at rate p0 per s, each adds p1, which decays with time constant p2 s
} gm_vary_kind;

typedef enum gm_vary_how { GM_VARY_SET, GM_VARY_ADD, GM_VARY_SCALE } gm_vary_how;  // v; base + v; base * v

// Changes one slot (STATE, INPUT or independent PARAMETER) of every lane. Values are as people see them:
// slot = scale * value + offset. OU starts at the slot's base value (SET) or at its mean (ADD, SCALE).
typedef struct gm_vary {
    gm_str        name;      // for messages and sensitivities
    gm_slot       slot;
    double        scale, offset;
    gm_vary_kind  kind;
    gm_vary_how   how;
    gm_law        law;
    double        p[3];
    const double *values, *times;  // [count]; times rise
    uint32_t      count;
    bool          linear;    // SERIES
    bool          scheduled; // takes effect at `from`; else from the start, before the initial events
    gm_law        from;      // s after the fork; one draw a lane
    double        lasts_s;   // > 0: what was there before comes back after so long
} gm_vary;

// Rank correlation between draws by a Gaussian copula: correlation[i * count + j] between vary[items[i]] and vary[items[j]].
typedef struct gm_correlation {
    const uint32_t *items;
    const double   *matrix;  // [count * count] symmetric, 1 on the diagonal, positive definite
    uint32_t        count;
} gm_correlation;

// Further changes, applied behind those of the request, in a run of all lanes of its own.
typedef struct gm_scenario { gm_str name; const gm_vary *vary; uint32_t vary_count; } gm_scenario;

// ---------------------------------------------------------------------------------------------------- what to look at

typedef struct gm_watched {  // shown value = (slot - offset) / scale
    gm_str  name;
    gm_slot slot;
    double  scale, offset;
} gm_watched;

// First passage: the first time at which the shown value is above (below) the threshold.
typedef struct gm_condition { gm_str text; gm_watched of; bool below; double threshold; } gm_condition;

typedef enum gm_score_kind {
    GM_SCORE_INTEGRAL,  // over time, trapezoids: shown unit * s
    GM_SCORE_MEAN,      // the integral over the horizon, divided by it
    GM_SCORE_MIN,
    GM_SCORE_MAX,
    GM_SCORE_FINAL,
    GM_SCORE_ABOVE,     // s spent above the threshold
    GM_SCORE_BELOW,
    GM_SCORE_COUNT
} gm_score_kind;

const char *gm_score_text(gm_score_kind kind);  // "integral"

typedef struct gm_score { gm_str text; gm_score_kind kind; gm_watched of; double threshold; } gm_score;

// Share of lanes above the threshold at each output point. output: index into outputs.
typedef struct gm_exceedance { gm_str text; uint32_t output; bool below; double threshold; } gm_exceedance;

// ---------------------------------------------------------------------------------------------------- the request

typedef enum gm_futures_method {
    GM_FUTURES_FIXED,     // RK4 with step_s: the fast one
    GM_FUTURES_EULER,     // the same of order 1: for stochastic inputs with short steps
    GM_FUTURES_ADAPTIVE,  // Dormand-Prince, a step of its own for every lane
    GM_FUTURES_STIFF      // implicit, a step of its own for every lane
} gm_futures_method;

typedef struct gm_futures_request {
    const gm_program *program;      // viewed until gm_futures_destroy; everything else is copied
    const struct gm_fmu_model *fmu; // futures/fmu_model.h: runs instead of the program, which only names its slots; viewed
    const double     *base;         // [members][slots] the states to fork, all of one time
    uint32_t          members;      // of a fleet; 1 as a rule
    const gm_str     *member_names; // [members]; NULL: nobody asks for members one by one
    bool              fresh;        // run INITIAL: states come from the model's own start, not from base
    double            horizon_s;
    gm_futures_method method;
    double            step_s;       // FIXED, EULER: made a little shorter where it does not divide the horizon
    double            tolerance;    // ADAPTIVE, STIFF
    double            every_s;      // how often inputs move and conditions and scores are looked at; 0: every step (fixed
                                    // steps), every output point (else)
    uint32_t          points;       // intervals between output points, at most; default 240
    uint32_t          lanes, threads_max;  // lanes: of each member
    uint64_t          seed;
    gm_design_kind    design;
    size_t            memory_max;   // bytes for kept values; default 512 MiB
    const gm_vary        *vary;         uint32_t vary_count;
    const gm_correlation *correlations; uint32_t correlation_count;
    const gm_scenario    *scenarios;    uint32_t scenario_count;   // 0: one without further changes
    const gm_watched     *outputs;      uint32_t output_count;
    const double         *quantiles;    uint32_t quantile_count;   // each in 0..1
    const gm_exceedance  *exceedances;  uint32_t exceedance_count;
    const gm_condition   *conditions;   uint32_t condition_count;
    const gm_score       *scores;       uint32_t score_count;
    uint32_t          bins;         // of histograms at the horizon and of scores; 0: none; at most 1000
} gm_futures_request;

gm_futures_request gm_futures_defaults(const gm_program *program, const double *base);

// Everything that can be said before running: GM_INVALID, GM_LIMIT with what to change.
GM_NODISCARD gm_status gm_futures_check(const gm_futures_request *r, gm_error *err);

// ---------------------------------------------------------------------------------------------------- the result

// All of one output in one scenario; [points] each, in shown units. NaN where no lane counts.
typedef struct gm_band {
    const double *quantiles;   // [quantile_count][points]; linear between order statistics (Hyndman and Fan's type 7)
    const double *mean, *sd;   // sd: with n - 1
    const double *histogram_edges;   // [bins + 1] at the horizon; NULL: not asked for
    const uint32_t *histogram;       // [bins]
} gm_band;

typedef struct gm_passage {  // of one condition in one scenario
    uint32_t passed, censored, failed;  // lanes: met it; reached the horizon without; failed before (censored then)
    double   probability, low, high;    // by the horizon (Kaplan-Meier), with a 95 % interval (Wilson)
    const double *quantiles;   // [quantile_count] s; NaN: fewer lanes have passed by the horizon
    const double *reached;     // [points] probability of having passed by then
} gm_passage;

typedef struct gm_tally {    // of one score in one scenario, over the lanes that count
    double   mean, sd, min, max;
    uint32_t min_lane, max_lane;     // of the job
    const double *quantiles;         // [quantile_count]
    const double *histogram_edges;   // as gm_band
    const uint32_t *histogram;
} gm_tally;

// Which varied input explains how much of the variance of a score, or (beyond the scores) of an output at the horizon.
typedef struct gm_sensitivity {
    // SALTELLI: first-order and total index, and their standard errors (bootstrap). MORRIS: mean, mean absolute value and
    // standard deviation of the elementary effects, in shown unit per whole range of the input's quantile.
    double first, total, first_error, total_error;
    double effect_mean, effect_abs, effect_sd;
} gm_sensitivity;

typedef struct gm_lane_trouble { uint32_t lane, scenario; uint32_t status; double time_s; gm_str message; } gm_lane_trouble;

enum { GM_FUTURES_TROUBLES = 10 };

typedef struct gm_futures_result {
    uint32_t        lanes;           // of a scenario: of all members together
    uint32_t        member_count, view_count, scenario_count, output_count, point_count, quantile_count, exceedance_count, condition_count;
    uint32_t        score_count, bins, varied_count;
    uint32_t        diverged;        // lanes that failed, of all scenarios
    uint32_t        failed_by[8];    // by gm_lane_status (physics/exec/lanes.h) and GM_LANE_BROKEN
    gm_lane_trouble troubles[GM_FUTURES_TROUBLES];  // the first ones in the order of lanes
    uint32_t        trouble_count;
    const double   *time_s;          // [point_count] after the fork; the first is 0, the last the horizon
    double          step_s;          // as it was taken
    uint64_t        lane_steps;      // fixed steps: lanes * steps
    double          seconds;         // from start to end, by the clock on the wall
    // A view is a set of lanes that statistics are made of: 0 is all of them; in a fleet 1 + m is member m's.
    const gm_band    *bands;         // [scenario][view][output]
    const double     *exceeded;      // [scenario][view][exceedance][point]
    const gm_passage *passages;      // [scenario][view][condition]
    const gm_tally   *tallies;       // [scenario][view][score]
    const gm_sensitivity *sensitivities;  // [scenario][member][score, then output][varied]; NULL: not asked for
    const gm_str     *varied;        // [varied_count] names of what is drawn, in the order of the design's dimensions
} gm_futures_result;

// Of all lanes of a scenario.
static inline const gm_band *gm_futures_band(const gm_futures_result *f, uint32_t scenario, uint32_t output)
{
    return &f->bands[(size_t)scenario * f->view_count * f->output_count + output];
}

// Of one member's lanes.
static inline const gm_band *gm_futures_member_band(const gm_futures_result *f, uint32_t scenario, uint32_t member,
                                                    uint32_t output)
{
    size_t view = f->member_count > 1 ? 1 + (size_t)member : 0;
    return &f->bands[(scenario * f->view_count + view) * f->output_count + output];
}

// ---------------------------------------------------------------------------------------------------- the job

typedef struct gm_futures_calls {      // owner's thread but for finish; each may be NULL
    void (*news)(void *context);       // further partial quantiles are there
    void (*done)(void *context, gm_status status, const gm_error *err);
    // On a thread of the pool, before done and only when all went well: for making something of the result that takes time.
    void (*finish)(void *context, const gm_futures *job, const struct gm_futures_result *result);
    void *context;
} gm_futures_calls;

// Checks, copies, submits. GM_INVALID, GM_LIMIT: as gm_futures_check, or the pool's queue is full. GM_NOMEM.
// Whatever goes wrong later comes with done.
GM_NODISCARD gm_status gm_futures_start(const gm_alloc *alloc, gm_pool *pool, const gm_futures_request *request,
                                        gm_futures_calls calls, gm_futures **out_job, gm_error *err);
void gm_futures_cancel(gm_futures *job);   // done comes with GM_CANCELLED
// NULL is allowed. Only when done has been called: gm_futures_cancel and wait for it, or end the pool first.
void gm_futures_destroy(gm_futures *job);

// Share of the work that is done, 0..1.
double gm_futures_progress(gm_futures *job);

// After done with GM_OK; viewed until gm_futures_destroy. NULL before.
const gm_futures_result *gm_futures_result_of(const gm_futures *job);

// Quantiles of what has been computed so far: of `counted` lanes (of the first scenario; at most GM_PARTIAL_LANES) at the
// first `points` output points.
enum { GM_PARTIAL_LANES = 1024 };
typedef struct gm_partial {
    uint32_t counted, points;
    const double *time_s;     // [points]
    const double *quantiles;  // [output][quantile][stride]
    uint32_t stride;
} gm_partial;
// False when there is nothing yet. Viewed until the next call for the same job.
bool gm_futures_partial(gm_futures *job, gm_partial *out_partial);

// A lane again, from its numbers: bit for bit what it was in the job. Runs on the calling thread, one block.
//   outputs     any; they need not have been the request's
//   out_values  [output_count][points of the result], shown units; NaN after the lane has failed
// out_points: how many points there are; give out_values = NULL to ask for it only.
GM_NODISCARD gm_status gm_futures_lane(const gm_alloc *alloc, const gm_futures_request *request, uint32_t scenario,
                                       uint32_t lane, const gm_watched *outputs, uint32_t output_count, double *out_time_s,
                                       double *out_values, uint32_t *out_points, gm_error *err);

// A kept value of a lane that counts (shown units): result point `point` of output `output`; NaN when the lane failed.
double gm_futures_value(const gm_futures *job, uint32_t scenario, uint32_t output, uint32_t point, uint32_t lane);

#endif
