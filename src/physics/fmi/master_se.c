// Scheduled execution: we activate model partitions when their clocks tick (3.0.1 chapter 5), one after the other in the
// order of time and then priority (0 first); nothing preempts, so the lock callbacks have nothing to do.
//
// Periodic input clocks tick by their interval and shift; countdown clocks when their interval says so; triggered ones
// where the inputs' table has a 1 in the row that begins at that instant.
#include "physics/fmi/run_parts.h"

#include <math.h>

typedef struct clock_state { const gm_fmu_variable *v; double next; uint64_t ticks; } clock_state;

typedef struct scheduler {
    gm_fmu_running *run;
    clock_state    *clocks;      // input clocks
    uint32_t        clock_count;
    uint32_t       *countdown, *outputs;
    uint32_t        countdown_count, output_count;
    double          now;
} scheduler;

static bool periodic(const gm_fmu_variable *v)
{
    return v->interval != GM_FMU_INTERVAL_COUNTDOWN && v->interval != GM_FMU_INTERVAL_TRIGGERED && v->interval != GM_FMU_INTERVAL_NONE;
}

static gm_status create(scheduler *s, gm_error *err)
{
    const gm_fmu_description *d = s->run->d;
    s->clocks    = GM_ARENA_NEW(s->run->arena, clock_state, d->variable_count + 1);
    s->countdown = GM_ARENA_NEW(s->run->arena, uint32_t, d->variable_count + 1);
    s->outputs   = GM_ARENA_NEW(s->run->arena, uint32_t, d->variable_count + 1);
    if (s->clocks == NULL || s->countdown == NULL || s->outputs == NULL) return gm_fail(err, GM_NOMEM, "fmi.run", "clocks");
    for (uint32_t i = 0; i < d->variable_count; i++) {
        const gm_fmu_variable *v = &d->variables[i];
        if (v->type != GM_FMI_CLOCK) continue;
        if (v->causality != GM_FMI_INPUT) {
            s->outputs[s->output_count++] = v->reference;
            continue;
        }
        clock_state *c = &s->clocks[s->clock_count++];
        *c             = (clock_state){ v, INFINITY, 0 };
        if (v->interval == GM_FMU_INTERVAL_COUNTDOWN) s->countdown[s->countdown_count++] = v->reference;
        if (!periodic(v)) continue;
        double interval = v->interval_s;
        if (!(interval > 0)) {
            unsigned  qualifier = 0;
            gm_status st        = gm_fmu_interval_of(s->run->session, v->reference, &interval, &qualifier, err);
            if (st != GM_OK) return st;
        }
        if (!(interval > 0)) return gm_fail(err, GM_INVALID, "fmi.run", "the clock " GM_STR_FMT " has no interval", GM_STR_ARG(v->name));
        ((gm_fmu_variable *)(uintptr_t)v)->interval_s = interval;
        c->next = s->run->o.start + v->shift_s;
    }
    return GM_OK;
}

static void on_clock(void *context, uint32_t reference, double interval)
{
    scheduler *s = context;
    if (interval < 0) gm_fmu_record_tick(s->run, reference);
    for (uint32_t i = 0; interval >= 0 && i < s->clock_count; i++) {
        if (s->clocks[i].v->reference == reference) s->clocks[i].next = s->now + interval;
    }
}

// The instant at which the clock ticks next, triggered ones included.
static double next_of(const scheduler *s, const clock_state *c, double from)
{
    if (c->v->interval != GM_FMU_INTERVAL_TRIGGERED) return c->next;
    // Rows behind `from` only: the one at `from` has been used (next is the row that was activated last).
    double row = isfinite(c->next) && c->next >= from ? nextafter(c->next, INFINITY) : from;
    for (double at = gm_fmu_input_next_row(s->run->input, row); isfinite(at); at = gm_fmu_input_next_row(s->run->input, nextafter(at, INFINITY))) {
        if (gm_fmu_input_ticks(s->run->input, c->v->reference, at)) return at;
    }
    return INFINITY;
}

static gm_status activate(scheduler *s, clock_state *c, gm_error *err)
{
    c->ticks++;
    if (c->v->interval == GM_FMU_INTERVAL_TRIGGERED) c->next = s->now;
    else c->next = periodic(c->v) ? s->run->o.start + c->v->shift_s + (double)c->ticks * c->v->interval_s : INFINITY;
    if (c->v->type == GM_FMI_CLOCK) gm_fmu_record_tick(s->run, c->v->reference);
    return gm_fmu_activate(s->run->session, c->v->reference, s->now, s->countdown, s->countdown_count, s->outputs, s->output_count, on_clock, s, err);
}

// Activates everything that is due at s->now, also what becomes due by it.
static gm_status tick(scheduler *s, gm_error *err)
{
    enum { ACTIVATIONS_MAX = 100000 };
    gm_status st = gm_fmu_input_apply(s->run->input, s->run->session, s->now, GM_FMU_INPUT_DISCRETE | GM_FMU_INPUT_CONTINUOUS | GM_FMU_INPUT_AFTER, err);
    for (int i = 0; st == GM_OK; i++) {
        clock_state *due = NULL;
        for (uint32_t k = 0; k < s->clock_count; k++) {
            clock_state *c = &s->clocks[k];
            double       at = next_of(s, c, s->now);
            if (at > s->now && !gm_fmu_close_to(at, s->now)) continue;
            if (due == NULL || c->v->priority < due->v->priority) due = c;
        }
        if (due == NULL) return GM_OK;
        if (i >= ACTIVATIONS_MAX) return gm_fail(err, GM_DIVERGED, "fmi.run", "clocks tick without end at %g", s->now);
        st = activate(s, due, err);
    }
    return st;
}

gm_status gm_fmu_run_se(gm_fmu_running *run, gm_error *err)
{
    scheduler s  = { .run = run, .now = run->o.start };
    gm_status st = create(&s, err);
    for (uint64_t n = 0; st == GM_OK;) {
        double regular = gm_fmu_point(run, n), target = regular;
        for (uint32_t i = 0; i < s.clock_count; i++) target = fmin(target, next_of(&s, &s.clocks[i], n == 0 ? run->o.start : s.now));
        s.now = fmax(target, run->o.start);
        st    = tick(&s, err);
        if (st == GM_OK) st = gm_fmu_record(run, s.now, err);
        if (gm_fmu_close_to(s.now, regular) || s.now > regular) n++;
        if (s.now >= run->o.stop || gm_fmu_close_to(s.now, run->o.stop)) break;
    }
    return st;
}
