// Co-simulation: the FMU steps itself from one communication point to the next (2.0.4 chapter 4, 3.0.1 chapter 4).
#include "physics/fmi/run_parts.h"

#include <math.h>

// From step mode through event mode and back (3.0.1, 4.2.2). *end: the FMU asks to terminate.
static gm_status handle_event(gm_fmu_running *run, double time, bool input_event, bool *end, gm_error *err)
{
    gm_fmu_event_info info = { 0 };
    gm_status         st   = gm_fmu_do(run->session, GM_FMU_OP_ENTER_EVENT, err);
    if (st == GM_OK && input_event) {
        st = gm_fmu_input_apply(run->input, run->session, time, GM_FMU_INPUT_DISCRETE | GM_FMU_INPUT_CONTINUOUS | GM_FMU_INPUT_AFTER, err);
    }
    if (st == GM_OK) st = gm_fmu_iterate_events(run, &info, err);
    *end = info.terminate;
    if (st == GM_OK && !*end) st = gm_fmu_do(run->session, GM_FMU_OP_ENTER_STEP, err);
    if (st == GM_OK) st = gm_fmu_record(run, time, err);
    return st;
}

// One step; *time moves to where it ended.
static gm_status step(gm_fmu_running *run, double *time, double target, gm_fmu_step *out, gm_error *err)
{
    gm_status st = gm_fmu_do_step(run->session, *time, target - *time, out, err);
    if (st == GM_OK) st = run->inside.status;
    if (st != GM_OK) {
        if (run->inside.status != GM_OK && err != NULL) *err = run->inside;
        return st;
    }
    if (out->early && run->d->version == 3 && !run->o.early_return) {
        return gm_fail(err, GM_INVALID, "fmi.run", "the FMU returned early from fmi3DoStep at %.17g, which it was not allowed", out->reached);
    }
    bool whole = !out->early || out->reached >= target;
    if (!whole && !(out->reached > *time) && !out->terminate && !out->event) {
        return gm_fail(err, GM_DIVERGED, "fmi.run", "the FMU refuses the step from %.17g to %.17g", *time, target);
    }
    *time = whole ? target : fmax(out->reached, *time);
    return GM_OK;
}

gm_status gm_fmu_run_cs(gm_fmu_running *run, gm_error *err)
{
    bool              events = run->o.event_mode;
    unsigned          before = GM_FMU_INPUT_CONTINUOUS | (events ? 0 : GM_FMU_INPUT_DISCRETE | GM_FMU_INPUT_AFTER);
    double            time   = run->o.start;
    bool              end    = false;
    gm_fmu_event_info info   = { 0 };
    gm_status         st     = events ? gm_fmu_iterate_events(run, &info, err) : GM_OK;
    if (st == GM_OK && info.terminate) return GM_OK;
    if (st == GM_OK && events) st = gm_fmu_do(run->session, GM_FMU_OP_ENTER_STEP, err);
    if (st == GM_OK) st = gm_fmu_record(run, time, err);
    for (uint64_t n = 1; st == GM_OK && !end && time < run->o.stop && !gm_fmu_close_to(time, run->o.stop);) {
        double regular = gm_fmu_point(run, n), target = regular;
        double input = gm_fmu_input_next_event(run->input, time);
        // Without variable steps an FMU is not asked for a short one: inputs wait for the next point, and the last step
        // that does not fit is left out.
        if (run->interface->variable_step && input < target && !gm_fmu_close_to(input, target)) target = input;
        if (!run->interface->variable_step && target - time < run->o.step && !gm_fmu_close_to(target - time, run->o.step) && n > 1 && regular == run->o.stop) break;
        bool        input_event = events && (input < target || gm_fmu_close_to(input, target));
        gm_fmu_step done        = { 0 };
        st = gm_fmu_input_apply(run->input, run->session, time, before, err);
        if (st == GM_OK) st = step(run, &time, target, &done, err);
        if (st != GM_OK) break;
        if (gm_fmu_close_to(time, regular) || time > regular) n++;
        st  = gm_fmu_record(run, time, err);
        end = done.terminate;
        if (st == GM_OK && !end && events && (done.event || (input_event && time >= target))) {
            st = handle_event(run, time, input_event, &end, err);
        }
    }
    run->ended = end;
    return st;
}
