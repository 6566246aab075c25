// Start and stop of the station, and its clock: once a second what has run out of time is ended.
#include "control/control.h"

struct gm_control {
    const gm_alloc *alloc;
    gm_loop        *loop;
    gm_timer       *timer;
    gm_journal     *journal;
    gm_alarms      *alarms;
    gm_str          relationships;
    bool            started;
};

static const char WHERE[] = "control";

static void tick(void *context)
{
    gm_control *control = context;
    gm_error    err;
    control->timer = NULL;
    gm_alarms_tick(control->alarms);
    (void)!gm_loop_after(control->loop, GM_SECOND, tick, control, &control->timer, &err);
}

gm_status gm_control_create(const gm_control_options *o, gm_control **out, gm_error *err)
{
    gm_control *control = gm_alloc_zeroed(o->alloc, sizeof *control);
    *out                = NULL;
    if (control == NULL) return gm_fail(err, GM_NOMEM, WHERE, "starting control");
    control->alloc = o->alloc;
    control->loop  = o->loop;
    char *names    = gm_alloc_bytes(o->alloc, o->relationships.len + 1);
    gm_status st   = names != NULL ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "starting control");
    if (names != NULL && o->relationships.len > 0) memcpy(names, o->relationships.ptr, o->relationships.len);
    control->relationships = (gm_str){ names, o->relationships.len };
    if (st == GM_OK) st = gm_journal_create(o->alloc, o->engine, &control->journal, err);
    if (st == GM_OK) st = gm_alarms_create(o->alloc, o->clock, o->engine, control->journal, &control->alarms, err);
    if (st == GM_OK) *out = control;
    else gm_control_destroy(control);
    return st;
}

gm_status gm_control_start(gm_control *control, gm_error *err)
{
    gm_status st     = gm_loop_after(control->loop, GM_SECOND, tick, control, &control->timer, err);
    control->started = st == GM_OK;
    return st;
}

void gm_control_stop(gm_control *control)
{
    if (control == NULL || !control->started) return;
    gm_loop_cancel(control->timer);
    control->timer   = NULL;
    control->started = false;
}

void gm_control_destroy(gm_control *control)
{
    if (control == NULL) return;
    gm_control_stop(control);
    gm_alarms_destroy(control->alarms);
    gm_journal_destroy(control->journal);
    gm_free(control->alloc, (void *)(uintptr_t)control->relationships.ptr);
    gm_free(control->alloc, control);
}

gm_alarms  *gm_control_alarms(gm_control *control) { return control->alarms; }
gm_journal *gm_control_journal(gm_control *control) { return control->journal; }
gm_str      gm_control_relationships(const gm_control *control) { return control->relationships; }
