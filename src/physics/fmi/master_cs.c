// Co-simulation: the FMU steps itself from one communication point to the next (2.0.4 chapter 4, 3.0.1 chapter 4).
//
// The steps up to the next input event are planned and taken in one message; when the FMU does something else than getting
// to the end of a step, the plan ends there and a new one is made.
#include "physics/fmi/run_parts.h"

#include <math.h>

enum { PLAN_MAX = 256, STANDING_MAX = 1000 };  // steps in one message; events in a row without a step forward

typedef struct point { double from, to; uint64_t n; bool input_event; } point;  // n: the output points up to its end

typedef struct master {
    gm_fmu_running *run;
    double          time;
    uint64_t        n;     // the next output point
    point           plan[PLAN_MAX];
    uint32_t        count, done, standing;
    gm_fmu_step     last;
    bool            end;
} master;

// From step mode through event mode and back (3.0.1, 4.2.2).
static gm_status handle_event(master *m, bool input_event, gm_error *err)
{
    gm_fmu_running   *run  = m->run;
    gm_fmu_event_info info = { 0 };
    gm_status         st   = gm_fmu_do(run->session, GM_FMU_OP_ENTER_EVENT, err);
    if (st == GM_OK && input_event) {
        st = gm_fmu_input_apply(run->input, run->session, m->time, GM_FMU_INPUT_DISCRETE | GM_FMU_INPUT_CONTINUOUS | GM_FMU_INPUT_AFTER, err);
    }
    if (st == GM_OK) st = gm_fmu_iterate_events(run, &info, err);
    m->end = info.terminate;
    if (st == GM_OK && !m->end) st = gm_fmu_do(run->session, GM_FMU_OP_ENTER_STEP, err);
    if (st == GM_OK) st = gm_fmu_record(run, m->time, err);
    return st;
}

// Plans steps from here as if each got to its end; none: the run is over.
static gm_status plan(master *m, uint32_t most, gm_error *err)
{
    gm_fmu_running *run    = m->run;
    bool            events = run->o.event_mode, variable = run->interface->variable_step;
    unsigned        before = GM_FMU_INPUT_CONTINUOUS | GM_FMU_INPUT_AFTER | (events ? 0 : GM_FMU_INPUT_DISCRETE);  // a jump here is behind us
    double          time   = m->time;
    uint64_t        n      = m->n;
    gm_status       st     = GM_OK;
    m->count = m->done = 0;
    while (st == GM_OK && m->count < most && time < run->o.stop && !gm_fmu_close_to(time, run->o.stop)) {
        double regular = gm_fmu_point(run, n), target = regular;
        double input = gm_fmu_input_next_event(run->input, time);
        // Without variable steps an FMU is not asked for a short one: inputs wait for the next point, and the last step
        // that does not fit is left out.
        if (variable && input < target && !gm_fmu_close_to(input, target)) target = input;
        if (!variable && target - time < run->o.step && !gm_fmu_close_to(target - time, run->o.step) && n > 1 && regular == run->o.stop) break;
        bool input_event = events && (input < target || gm_fmu_close_to(input, target));
        st = gm_fmu_input_apply(run->input, run->session, time, before, err);
        gm_fmu_plan_step(run->session, time, target - time);
        if (gm_fmu_close_to(target, regular)) n++;
        m->plan[m->count++] = (point){ time, target, n, input_event };
        time = target;
        if (input_event) break;
    }
    return st;
}

// A step is done: where did it get to, and what are the outputs there?
static gm_status on_step(void *context, uint32_t i, const gm_fmu_step *step, gm_fmu_reader answers, gm_error *err)
{
    master         *m   = context;
    gm_fmu_running *run = m->run;
    if (run->inside.status != GM_OK) {
        if (err != NULL) *err = run->inside;
        return run->inside.status;
    }
    const point *p = &m->plan[i];
    if (step->early && run->d->version == 3 && !run->o.early_return) {
        return gm_fail(err, GM_INVALID, "fmi.run", "the FMU returned early from fmi3DoStep at %.17g, which it was not allowed", step->reached);
    }
    // An FMU that wants to end may have got to its end before the step's, and says so only by the time.
    bool whole = !(step->early || step->terminate) || step->reached >= p->to || gm_fmu_close_to(step->reached, p->to);
    if (!whole && !(step->reached > p->from) && !step->terminate && !step->event) {
        return gm_fail(err, GM_DIVERGED, "fmi.run", "the FMU refuses the step from %.17g to %.17g", p->from, p->to);
    }
    m->time     = whole ? p->to : fmax(step->reached, p->from);
    m->standing = m->time > p->from ? 0 : m->standing + 1;
    if (m->standing > STANDING_MAX) return gm_fail(err, GM_DIVERGED, "fmi.run", "the FMU tells one event after the other at %.17g", m->time);
    m->done = i + 1;
    m->last = *step;
    m->end  = step->terminate;
    // The point may be met by a step that ended early, too.
    double regular = gm_fmu_point(run, m->n);
    if (whole) m->n = p->n;
    else if (gm_fmu_close_to(m->time, regular) || m->time > regular) m->n++;
    return gm_fmu_record_read(run, m->time, answers, err);
}

gm_status gm_fmu_run_cs(gm_fmu_running *run, gm_error *err)
{
    master           *m    = GM_ARENA_NEW(run->arena, master, 1);
    gm_fmu_event_info info = { 0 };
    if (m == NULL) return gm_fail(err, GM_NOMEM, "fmi.run", "a run");
    *m           = (master){ .run = run, .time = run->o.start, .n = 1 };
    gm_status st = run->o.event_mode ? gm_fmu_iterate_events(run, &info, err) : GM_OK;
    m->end       = info.terminate;
    if (st == GM_OK && !m->end && run->o.event_mode) st = gm_fmu_do(run->session, GM_FMU_OP_ENTER_STEP, err);
    if (st == GM_OK) st = gm_fmu_record(run, m->time, err);
    // Plans grow while they hold, so that an FMU with many events is not asked for steps that it will not take.
    for (uint32_t most = 16; st == GM_OK && !m->end; most = m->done < m->count ? m->done + 1 : 2 * most < PLAN_MAX ? 2 * most : PLAN_MAX) {
        st = plan(m, most, err);
        if (m->count == 0) break;
        if (st == GM_OK) st = gm_fmu_do_steps(run->session, gm_fmu_record_reads(run), on_step, m, err);
        if (st != GM_OK || m->end || !run->o.event_mode || m->done == 0) continue;
        const point *p = &m->plan[m->done - 1];
        bool input     = p->input_event && m->time >= p->to;
        if (m->last.event || input) st = handle_event(m, p->input_event, err);
    }
    run->ended = m->end;
    return st;
}
