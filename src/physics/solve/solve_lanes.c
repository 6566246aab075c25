// A run by the methods of the lanes, with a single lane.
#include "physics/solve/solve_parts.h"

#include "physics/exec/lanes.h"

#include <math.h>

typedef struct lane_run {
    gm_run    *run;
    gm_plan   *plan;
    gm_lanes  *lanes;
    gm_worker *worker;
    gm_status  st;   // of the rows that events caused
    gm_error  *err;
} lane_run;

static gm_method method_of(gm_solver solver)
{
    switch (solver) {
    case GM_SOLVER_EULER: return GM_METHOD_EULER;
    case GM_SOLVER_RK4: return GM_METHOD_RK4;
    case GM_SOLVER_DOPRI: return GM_METHOD_DOPRI;
    default: return GM_METHOD_IMPLICIT;
    }
}

static gm_status hand_out(lane_run *l, bool event)
{
    gm_lanes_observe(l->lanes, 0, l->worker);
    for (uint32_t s = 0; s < gm_program_slot_count(l->run->program); s++) {
        l->run->values[s] = gm_lanes_get(l->lanes, (gm_slot){ s }, 0);
    }
    return gm_run_row(l->run, l->run->values[0], event, l->err);
}

static void at_event(void *context, gm_lanes *lanes, uint32_t block, bool after)
{
    lane_run *l = context;
    (void)lanes, (void)block;
    if (l->st != GM_OK) return;
    if (!after && ++l->run->report->events > l->run->options.events_max) {
        l->st = gm_fail(l->err, GM_LIMIT, "physics.solve", "more than %llu events", (unsigned long long)l->run->options.events_max);
    } else l->st = hand_out(l, true);
}

// What became of the lane, as a status of the run.
static gm_status verdict(lane_run *l, bool *out_over)
{
    gm_lane_report   r      = gm_lanes_report(l->lanes, 0);
    gm_solve_report *report = l->run->report;
    report->time     = r.time;
    report->warnings = r.warnings;
    report->check    = r.check;
    *out_over        = r.status != GM_LANE_ACTIVE;
    switch (r.status) {
    case GM_LANE_ACTIVE: return GM_OK;
    case GM_LANE_TERMINATED:
        report->terminated = true;
        return hand_out(l, false);
    case GM_LANE_ASSERTED: return gm_run_assert_failed(l->run, r.time, l->err);
    case GM_LANE_DIVERGED: return gm_fail(l->err, GM_DIVERGED, "physics.solve", "at %.9g s a state is no longer a number", r.time);
    case GM_LANE_UNSOLVED: return gm_fail(l->err, GM_DIVERGED, "physics.solve", "at %.9g s an algebraic loop has no solution", r.time);
    case GM_LANE_ZENO: return gm_run_zeno(r.time, l->err);
    default: break;
    }
    if (report->steps >= l->run->options.steps_max) {
        return gm_fail(l->err, GM_LIMIT, "physics.solve", "more than %llu steps", (unsigned long long)l->run->options.steps_max);
    }
    return gm_fail(l->err, GM_DIVERGED, "physics.solve", "at %.9g s no step is small enough", r.time);
}

static gm_status advance(lane_run *l, double from, double to)
{
    const gm_solve_options *o = &l->run->options;
    if (o->solver == GM_SOLVER_DOPRI || o->solver == GM_SOLVER_IMPLICIT) {
        gm_lanes_until(l->lanes, 0, l->worker, to);
        l->run->report->steps = gm_worker_tries(l->worker);
        return GM_OK;
    }
    double wanted = o->step > 0 ? o->step : (to - from) / 10, count = ceil((to - from) / wanted * (1 - 1e-12));
    if (count > 4e9) return gm_fail(l->err, GM_INVALID, "physics.solve", "a step of %g s in a run of %g s", wanted, to - from);
    l->run->report->steps += (uint64_t)count;
    if (l->run->report->steps > o->steps_max) {
        return gm_fail(l->err, GM_LIMIT, "physics.solve", "more than %llu steps", (unsigned long long)o->steps_max);
    }
    gm_lanes_steps(l->lanes, 0, l->worker, (to - from) / count, (uint32_t)count);
    return GM_OK;
}

// Right after the start: are there numbers to go on from?
static gm_status begun(lane_run *l)
{
    uint32_t       count;
    const gm_slot *states = gm_program_slots_of(l->run->program, GM_SLOT_STATE, &count);
    double        *values = l->run->values;  // free until the first row
    if (gm_lanes_report(l->lanes, 0).status == GM_LANE_UNSOLVED) {
        return gm_fail(l->err, GM_DIVERGED, "physics.solve", "the initial equations have no solution near the start values");
    }
    for (uint32_t i = 0; i < count; i++) values[i] = gm_lanes_get(l->lanes, states[i], 0);
    return gm_run_no_beginning(l->run, values, l->err);
}

static gm_status go(lane_run *l)
{
    gm_run *run  = l->run;
    bool    over = false;
    gm_lanes_fill(l->lanes, GM_TIME_SLOT, run->options.start);
    for (uint32_t i = 0; i < run->setting_count; i++) gm_lanes_fill(l->lanes, run->settings[i].slot, run->settings[i].value);
    gm_lanes_start(l->lanes, 0, l->worker, GM_START_FRESH);
    gm_status st = begun(l);
    if (st == GM_OK) st = verdict(l, &over);
    if (st == GM_OK && !over) st = hand_out(l, false);
    gm_worker_on_event(l->worker, at_event, l);
    for (uint64_t k = 1; k < run->row_count && st == GM_OK && !over; k++) {
        st = advance(l, gm_run_grid(run, k - 1), gm_run_grid(run, k));
        if (st == GM_OK) st = l->st;
        if (st == GM_OK) st = verdict(l, &over);
        if (st == GM_OK && !over) st = hand_out(l, false);
    }
    return st;
}

gm_status gm_solve_in_lanes(gm_run *run, gm_error *err)
{
    lane_run        l       = { .run = run, .err = err };
    gm_plan_options options = { run->options.executor, method_of(run->options.solver), run->options.tolerance };
    gm_status       st      = gm_plan_create(run->alloc, run->program, &options, &l.plan, err);
    if (st == GM_OK) run->report->executor = gm_plan_options_of(l.plan).executor;
    if (st == GM_OK) st = gm_lanes_create(run->alloc, l.plan, 1, &l.lanes, err);
    if (st == GM_OK) st = gm_worker_create(run->alloc, l.plan, &l.worker, err);
    if (st == GM_OK) gm_worker_bound(l.worker, run->options.steps_max);
    if (st == GM_OK) st = go(&l);
    gm_worker_destroy(l.worker);
    gm_lanes_destroy(l.lanes);
    gm_plan_destroy(l.plan);
    return st;
}
