// Model exchange: we integrate, the FMU gives derivatives and event indicators (2.0.4 chapter 3, 3.0.1 chapter 3).
//
// EULER takes one explicit step from one output point to the next, and to every time and input event; a state event
// counts as happening at the end of the step in which an indicator changed its sign.
// What a step needs of the FMU is asked in few messages: what sets its time, states and inputs goes with what is read.
// ACCURATE is the Dormand-Prince pair 5(4) with step control (Hairer, Norsett, Wanner, Solving Ordinary Differential
// Equations I, 2nd ed., table II.5.2), and finds state events by bisection to 1e-12 of the time.
#include "physics/fmi/run_parts.h"

#include <math.h>

enum { STAGES = 7 };

typedef struct solver {
    gm_fmu_running *run;
    uint32_t        nx, nz;
    double          time, h;       // h: the next step that accuracy asks for; 0: not known yet
    double         *x, *x_new, *x_stage, *error, *k[STAGES];
    double         *z, *z_before, *nominal;
    bool            fresh;         // k[0] holds the derivatives at (time, x)
    gm_buf          look, last;    // what is read at a point of a step: derivatives and indicators; behind a step
    gm_alloc        alloc;
} solver;

static double *room(solver *s, uint32_t n) { return GM_ARENA_NEW(s->run->arena, double, n + 1); }

static gm_status create(solver *s, gm_error *err)
{
    gm_status st = gm_fmu_counts(s->run->session, &s->nx, &s->nz, err);
    if (st != GM_OK) return st;
    double **all[] = { &s->x, &s->x_new, &s->x_stage, &s->error, &s->nominal };
    bool     ok    = true;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) ok = (*all[i] = room(s, s->nx)) != NULL && ok;
    for (size_t i = 0; i < STAGES; i++) ok = (s->k[i] = room(s, s->nx)) != NULL && ok;
    s->z        = room(s, s->nz);
    s->z_before = room(s, s->nz);
    s->alloc    = gm_arena_alloc(s->run->arena);
    s->look     = gm_buf_init(&s->alloc);
    s->last     = gm_buf_init(&s->alloc);
    if (s->nx > 0) gm_fmu_put_reals(&s->look, GM_FMU_OP_GET_DERIVATIVES, s->nx);
    if (s->nz > 0) gm_fmu_put_reals(&s->look, GM_FMU_OP_GET_INDICATORS, s->nz);
    return ok && !s->look.failed && s->z != NULL && s->z_before != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "fmi.solver", "%u states", s->nx);
}

// Brings the FMU to (t, x): time, states, continuous inputs.
static gm_status move_to(solver *s, double t, const double *x, gm_error *err)
{
    gm_status st = gm_fmu_set_time(s->run->session, t, err);
    if (st == GM_OK && s->nx > 0) st = gm_fmu_set_states(s->run->session, x, s->nx, err);
    if (st == GM_OK) st = gm_fmu_input_apply(s->run->input, s->run->session, t, GM_FMU_INPUT_CONTINUOUS, err);
    return st;
}

static gm_status derivatives(solver *s, double *out, gm_error *err)
{
    return s->nx > 0 ? gm_fmu_get_reals(s->run->session, GM_FMU_OP_GET_DERIVATIVES, out, s->nx, err) : GM_OK;
}

static gm_status lies(gm_error *err) { return gm_fail(err, GM_INVALID, "fmi.solver", "the FMU's process answered nonsense"); }

// Derivatives and indicators where the FMU is.
static gm_status look(solver *s, double *k, double *z, gm_error *err)
{
    gm_fmu_reader answers;
    if (s->look.len == 0) return GM_OK;
    gm_status st = gm_fmu_read(s->run->session, gm_buf_view(&s->look), &answers, err);
    if (st != GM_OK) return st;
    if (s->nx > 0 && !gm_fmu_take_reals(&answers, k, s->nx)) return lies(err);
    if (s->nz > 0 && !gm_fmu_take_reals(&answers, z, s->nz)) return lies(err);
    return GM_OK;
}

static gm_status indicators(solver *s, double *out, gm_error *err)
{
    return s->nz > 0 ? gm_fmu_get_reals(s->run->session, GM_FMU_OP_GET_INDICATORS, out, s->nz, err) : GM_OK;
}

// A change between z <= 0 and z > 0 (2.0.4, 3.1: the domain changes when the sign does).
static bool sign_changed(const solver *s)
{
    for (uint32_t i = 0; i < s->nz; i++) {
        if ((s->z_before[i] > 0) != (s->z[i] > 0)) return true;
    }
    return false;
}

// Reads states, derivatives' start and indicators afresh: at the beginning and after every event.
static gm_status restart(solver *s, double time, gm_error *err)
{
    s->time      = time;
    s->fresh     = false;
    gm_status st = GM_OK;
    if (s->nx > 0) st = gm_fmu_get_reals(s->run->session, GM_FMU_OP_GET_STATES, s->x, s->nx, err);
    if (st == GM_OK && s->nx > 0) st = gm_fmu_get_reals(s->run->session, GM_FMU_OP_GET_NOMINALS, s->nominal, s->nx, err);
    return st == GM_OK ? indicators(s, s->z_before, err) : st;
}

static gm_status euler(solver *s, double target, gm_error *err)
{
    double    h  = target - s->time;
    gm_status st = derivatives(s, s->k[0], err);
    for (uint32_t i = 0; i < s->nx; i++) s->x[i] += h * s->k[0][i];
    s->time = target;
    return st == GM_OK ? move_to(s, target, s->x, err) : st;
}

// ---- Dormand-Prince ------------------------------------------------------------------------------------------------------

static const double nodes[STAGES] = { 0, 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9, 1, 1 };
static const double weights[STAGES][STAGES - 1] = {
    { 0 },
    { 1.0 / 5 },
    { 3.0 / 40, 9.0 / 40 },
    { 44.0 / 45, -56.0 / 15, 32.0 / 9 },
    { 19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729 },
    { 9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656 },
    { 35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84 },
};
// Fifth order minus fourth.
static const double error_weights[STAGES] = { 71.0 / 57600, 0, -71.0 / 16695, 71.0 / 1920, -17253.0 / 339200, 22.0 / 525, -1.0 / 40 };

// One step of size h from (time, x): x_new, the indicators there, and the size of its error in units of the tolerance.
// k[0] must be f(time, x); k[6] becomes f(time + h, x_new).
static gm_status attempt(solver *s, double h, double *out_error, gm_error *err)
{
    for (int stage = 1; stage < STAGES; stage++) {
        double *to = stage == STAGES - 1 ? s->x_new : s->x_stage;
        for (uint32_t i = 0; i < s->nx; i++) {
            double sum = 0;
            for (int j = 0; j < stage; j++) sum += weights[stage][j] * s->k[j][i];
            to[i] = s->x[i] + h * sum;
        }
        gm_status st = move_to(s, s->time + nodes[stage] * h, to, err);
        if (st == GM_OK) st = stage < STAGES - 1 ? derivatives(s, s->k[stage], err) : look(s, s->k[stage], s->z, err);
        if (st != GM_OK) return st;
    }
    double worst = 0, tolerance = s->run->o.tolerance;
    for (uint32_t i = 0; i < s->nx; i++) {
        double e = 0, floor_ = isfinite(s->nominal[i]) && s->nominal[i] != 0 ? fabs(s->nominal[i]) : 1;
        for (int j = 0; j < STAGES; j++) e += error_weights[j] * s->k[j][i];
        double scale = tolerance * (0.01 * floor_ + fmax(fabs(s->x[i]), fabs(s->x_new[i])));
        double ratio = fabs(h * e) / scale;
        worst        = ratio > worst || isnan(ratio) ? ratio : worst;
        if (isnan(ratio)) break;
    }
    *out_error = worst;
    return GM_OK;
}

static void accept(solver *s, double time)
{
    s->time = time;
    for (uint32_t i = 0; i < s->nx; i++) s->x[i] = s->x_new[i];
}

// An indicator changed its sign within the step h: shortens it until the change is bracketed, and stops just behind it.
static gm_status locate(solver *s, double h, gm_error *err)
{
    double low = 0, high = h, error;
    double resolution = 1e-12 * fmax(fabs(s->time + h), 1e-3);
    while (high - low > resolution) {
        double middle = low + (high - low) / 2;
        if (!(middle > low && middle < high)) break;
        gm_status st = attempt(s, middle, &error, err);
        if (st != GM_OK) return st;
        if (sign_changed(s)) high = middle;
        else low = middle;
    }
    gm_status st = attempt(s, high, &error, err);
    if (st == GM_OK) accept(s, s->time + high);
    return st;
}

// One step towards the target, as large as the tolerance allows; it ends at a state event, if there is one in it.
static gm_status accurate(solver *s, double target, bool *out_event, gm_error *err)
{
    gm_status st = s->fresh ? GM_OK : derivatives(s, s->k[0], err);
    if (s->h <= 0) s->h = (target - s->time) / 10;
    while (st == GM_OK) {
        double smallest = 1e-14 * fmax(fabs(s->time), 1e-3), left = target - s->time, error;
        bool   last = s->h >= left * (1 - 1e-9);
        double h    = last ? left : s->h;
        if (h < smallest) return gm_fail(err, GM_DIVERGED, "fmi.solver", "the step fell to %g s at %g", h, s->time);
        s->fresh = true;
        st       = attempt(s, h, &error, err);
        if (st == GM_DIVERGED) {  // the FMU can not be evaluated there: nearer, then
            s->h = h / 4;
            st   = GM_OK;
            continue;
        }
        if (st != GM_OK) return st;
        double factor = isnan(error) ? 0.1 : error > 0 ? fmin(5, fmax(0.2, 0.9 * pow(error, -0.2))) : 5;
        if (!(error <= 1)) {
            s->h = h * fmin(factor, 0.9);
            continue;
        }
        s->h = !last || factor < 1 ? h * factor : fmax(s->h, h * factor);
        if (sign_changed(s)) {
            *out_event = true;
            return locate(s, h, err);
        }
        accept(s, last ? target : s->time + h);
        double *reached = s->k[STAGES - 1];  // the last stage is the first of the next step
        s->k[STAGES - 1] = s->k[0];
        s->k[0]          = reached;
        for (uint32_t i = 0; i < s->nz; i++) s->z_before[i] = s->z[i];
        return last ? move_to(s, target, s->x, err) : GM_OK;
    }
    return st;
}

// ---- the master ---------------------------------------------------------------------------------------------------------

static gm_status handle_event(solver *s, bool input_event, gm_fmu_event_info *info, gm_error *err)
{
    gm_fmu_running *run = s->run;
    gm_status       st  = gm_fmu_do(run->session, GM_FMU_OP_ENTER_EVENT, err);
    if (st == GM_OK && input_event) {
        st = gm_fmu_input_apply(run->input, run->session, s->time, GM_FMU_INPUT_DISCRETE | GM_FMU_INPUT_CONTINUOUS | GM_FMU_INPUT_AFTER, err);
    }
    if (st == GM_OK) st = gm_fmu_iterate_events(run, info, err);
    if (st == GM_OK && !info->terminate) st = gm_fmu_do(run->session, GM_FMU_OP_ENTER_CONTINUOUS, err);
    if (st == GM_OK && !info->terminate) st = restart(s, s->time, err);
    s->h = 0;
    return st;
}

// What happened in a step, and what is to be done behind it.
typedef struct taken { bool time_event, input_event, state_event, step_event, point, end; } taken;

// The step is complete: the FMU is told so, and what it shows becomes a row where one is due, in one message.
static gm_status finish_step(solver *s, taken *t, gm_error *err)
{
    gm_fmu_running *run       = s->run;
    bool            completes = run->interface->completed_step, euler_step = run->o.method == GM_FMU_EULER;
    bool            row       = t->point || t->time_event || t->input_event || t->state_event;
    gm_fmu_reader   answers   = { NULL, 0, false };
    gm_str          reads     = gm_fmu_record_reads(run);
    gm_buf_clear(&s->last);
    if (euler_step && s->nz > 0) gm_fmu_put_reals(&s->last, GM_FMU_OP_GET_INDICATORS, s->nz);
    if (completes) gm_fmu_put_completed_step(&s->last);
    if (row) gm_buf_str(&s->last, reads);
    if (s->last.failed) return gm_fail(err, GM_NOMEM, "fmi.solver", "a step");
    gm_status st = s->last.len > 0 ? gm_fmu_read(run->session, gm_buf_view(&s->last), &answers, err) : GM_OK;
    if (st != GM_OK) return st;
    if (euler_step && s->nz > 0) {
        if (!gm_fmu_take_reals(&answers, s->z, s->nz)) return lies(err);
        t->state_event = sign_changed(s);
        for (uint32_t i = 0; i < s->nz; i++) s->z_before[i] = s->z[i];
    }
    if (completes && !gm_fmu_take_completed_step(&answers, &t->step_event, &t->end)) return lies(err);
    if (row) return gm_fmu_record_read(run, s->time, answers, err);
    return t->state_event || t->step_event || t->end ? gm_fmu_record(run, s->time, err) : GM_OK;
}

// From s->time to the next output point, event or end of a step of the solver, whichever comes first.
static gm_status advance(solver *s, uint64_t *n, const gm_fmu_event_info *info, taken *t, gm_error *err)
{
    gm_fmu_running *run     = s->run;
    gm_status       st      = GM_OK;
    double          regular = gm_fmu_point(run, *n), target = regular;
    double          input   = gm_fmu_input_next_event(run->input, s->time), timed = info->has_next ? info->next : INFINITY;
    // A time event at (about) an output point is stepped to exactly, so that the FMU sees its own instant.
    if (timed <= target || gm_fmu_close_to(timed, target)) target = timed;
    if (input < target && !gm_fmu_close_to(input, target)) target = input;
    *t = (taken){ .time_event = timed <= target, .input_event = input <= target || gm_fmu_close_to(input, target) };
    if (target > s->time) st = run->o.method == GM_FMU_EULER ? euler(s, target, err) : accurate(s, target, &t->state_event, err);
    if (st != GM_OK) return st;
    if (s->time < target) t->time_event = t->input_event = false;  // they are still to come
    t->point = gm_fmu_close_to(s->time, regular) || s->time > regular;
    if (t->point) (*n)++;
    return finish_step(s, t, err);
}

gm_status gm_fmu_run_me(gm_fmu_running *run, gm_error *err)
{
    solver            s    = { .run = run };
    gm_fmu_event_info info = { 0 };
    gm_status         st   = gm_fmu_iterate_events(run, &info, err);
    if (st == GM_OK && info.terminate) return gm_fmu_record(run, run->o.start, err);
    if (st == GM_OK) st = gm_fmu_do(run->session, GM_FMU_OP_ENTER_CONTINUOUS, err);
    if (st == GM_OK) st = create(&s, err);
    if (st == GM_OK) st = restart(&s, run->o.start, err);
    if (st == GM_OK) st = gm_fmu_record(run, s.time, err);
    taken t = { .end = false };
    for (uint64_t n = 1; st == GM_OK && !t.end && s.time < run->o.stop && !gm_fmu_close_to(s.time, run->o.stop);) {
        st = advance(&s, &n, &info, &t, err);
        if (st != GM_OK || t.end || !(t.time_event || t.input_event || t.state_event || t.step_event)) continue;
        st    = handle_event(&s, t.input_event, &info, err);
        t.end = info.terminate;
        if (st == GM_OK) st = gm_fmu_record(run, s.time, err);
    }
    return st;
}
