// Does the FMU keep its promises about states? A short run, a save, the same stretch again.
#include "physics/fmi/run_parts.h"

#include <stdio.h>

typedef struct check {
    const gm_fmu   *fmu;
    gm_buf         *report;
    unsigned        failures;
    gm_fmu_running  run;
    gm_buf          first, second, ignored;
} check;

static void say(check *c, bool good, const char *fmt, ...) GM_PRINTF(3, 4);
static void say(check *c, bool good, const char *fmt, ...)
{
    char    line[300];
    va_list arguments;
    va_start(arguments, fmt);
    vsnprintf(line, sizeof line, fmt, arguments);
    va_end(arguments);
    if (!good) c->failures++;
    gm_buf_printf(c->report, "%s %s: %s\n", good ? "ok  " : "FAIL", gm_fmi_kind_text(c->run.o.kind), line);
}

static gm_status keep(void *context, gm_str text, gm_error *err)
{
    gm_buf_str(context, text);
    return ((gm_buf *)context)->failed ? gm_fail(err, GM_NOMEM, "fmi.check", "results") : GM_OK;
}

// A row of all outputs at the time, into `out`.
static gm_status look(check *c, double time, gm_buf *out, gm_error *err)
{
    gm_status st = gm_fmu_record(&c->run, time, err);
    gm_buf_clear(&c->first);  // the recorder writes there
    if (st == GM_OK) st = gm_fmu_record_end(&c->run, err);
    if (st == GM_OK && out != &c->first) {
        gm_buf_clear(out);
        gm_buf_str(out, gm_buf_view(&c->first));
    }
    return st;
}

// Two communication steps (co-simulation) or Euler steps (model exchange) from the point that was saved.
static gm_status stretch(check *c, gm_buf *out, gm_error *err)
{
    gm_fmu_running *run  = &c->run;
    gm_status       st   = GM_OK;
    double          time = run->o.start;
    for (int i = 0; st == GM_OK && i < 2; i++, time += run->o.step) {
        gm_fmu_step done;
        if (run->o.kind == GM_FMI_CO_SIMULATION) {
            st = gm_fmu_do_step(run->session, time, run->o.step, &done, err);
        } else {
            uint32_t nx = 0, nz = 0;
            st          = gm_fmu_counts(run->session, &nx, &nz, err);
            double *x = GM_ARENA_NEW(run->arena, double, 2 * (size_t)nx + 1);
            if (st == GM_OK && x == NULL) st = gm_fail(err, GM_NOMEM, "fmi.check", "states");
            if (st == GM_OK && nx > 0) st = gm_fmu_get_reals(run->session, GM_FMU_OP_GET_STATES, x, nx, err);
            if (st == GM_OK && nx > 0) st = gm_fmu_get_reals(run->session, GM_FMU_OP_GET_DERIVATIVES, x + nx, nx, err);
            for (uint32_t k = 0; st == GM_OK && k < nx; k++) x[k] += run->o.step * x[nx + k];
            if (st == GM_OK) st = gm_fmu_set_time(run->session, time + run->o.step, err);
            if (st == GM_OK && nx > 0) st = gm_fmu_set_states(run->session, x, nx, err);
        }
    }
    return st == GM_OK ? look(c, time, out, err) : st;
}

static gm_status begin(check *c, gm_error *err)
{
    gm_fmu_event_info info = { 0 };
    gm_status         st   = gm_fmu_initialise(&c->run, err);
    if (st == GM_OK && c->run.o.kind == GM_FMI_MODEL_EXCHANGE) {
        st = gm_fmu_iterate_events(&c->run, &info, err);
        if (st == GM_OK) st = gm_fmu_do(c->run.session, GM_FMU_OP_ENTER_CONTINUOUS, err);
    }
    return st;
}

static bool same(const check *c, gm_str expected) { return gm_str_eq(gm_buf_view(&c->second), expected); }

// Save, run on, go back, run on again.
static gm_status test_save(check *c, const char *what, gm_buf *expected, gm_error *err)
{
    gm_fmu_snapshot point;
    gm_status       st = gm_fmu_save(c->run.session, &point, err);
    bool            back = false;
    if (st == GM_OK) st = look(c, c->run.o.start, &c->ignored, err);
    if (st == GM_OK) st = stretch(c, expected, err);
    if (st == GM_OK) st = gm_fmu_restore(c->run.session, &point, err);
    // At the point itself, too: an FMU that has not moved since may come to the same end.
    if (st == GM_OK) st = look(c, c->run.o.start, &c->second, err);
    if (st == GM_OK) back = same(c, gm_buf_view(&c->ignored));
    if (st == GM_OK) st = stretch(c, &c->second, err);
    if (st == GM_OK) say(c, back && same(c, gm_buf_view(expected)), "%s brings back the same outputs", what);
    if (st == GM_OK) st = gm_fmu_restore(c->run.session, &point, err);
    gm_fmu_forget(c->run.session, &point);
    return st;
}

static gm_status test_bytes(check *c, gm_buf *expected, gm_error *err)
{
    gm_fmu_snapshot point, again;
    gm_buf          bytes = gm_buf_init(c->fmu->host.alloc);
    gm_status       st    = gm_fmu_save(c->run.session, &point, err);
    if (st == GM_OK) st = gm_fmu_write_state(c->run.session, &point, &bytes, err);
    if (st == GM_OK) st = stretch(c, &c->ignored, err);
    if (st == GM_OK) st = gm_fmu_read_state(c->run.session, gm_buf_view(&bytes), &again, err);
    if (st == GM_OK) st = gm_fmu_restore(c->run.session, &again, err);
    if (st == GM_OK) st = stretch(c, &c->second, err);
    if (st == GM_OK) say(c, same(c, gm_buf_view(expected)), "a state of %zu bytes, written and read back, brings back the same outputs", bytes.len);
    gm_buf_finish(&bytes);
    return st;
}

// States that fail the test are not used; what stands in for them has to work then.
static gm_status test_replay_instead(check *c, gm_fmi_kind kind, gm_buf *expected, gm_error *err)
{
    const gm_fmu_session_options options = { .replay = true };
    gm_fmu_session_close(c->run.session);
    c->run.session = NULL;
    gm_status st   = gm_fmu_session_open(&c->fmu->host, c->fmu->folder, c->fmu->d, kind, &options, &c->run.session, err);
    if (st == GM_OK) st = begin(c, err);
    return st == GM_OK ? test_save(c, "replaying its inputs instead", expected, err) : st;
}

static gm_status check_kind(check *c, gm_fmi_kind kind, gm_error *err)
{
    const gm_fmu_description *d = c->fmu->d;
    c->run = (gm_fmu_running){ .fmu = c->fmu, .d = d, .interface = &d->interfaces[kind], .arena = gm_arena_create(c->fmu->host.alloc, 0),
                               .o = gm_fmu_run_options_defaults() };
    gm_fmu_running *run = &c->run;
    if (run->arena == NULL) return gm_fail(err, GM_NOMEM, "fmi.check", "a check");
    run->o.kind      = kind;
    run->o.all       = false;
    unsigned before  = c->failures;
    gm_buf expected  = gm_buf_init(c->fmu->host.alloc);
    gm_status st     = gm_fmu_prepare(run, err);
    if (st == GM_OK) st = gm_fmu_recorder_create(run, keep, &c->first, err);
    if (st == GM_OK) st = gm_fmu_record_end(run, err);  // the header
    if (st == GM_OK) st = gm_fmu_session_open(&c->fmu->host, c->fmu->folder, d, kind, NULL, &run->session, err);
    if (st == GM_OK) say(c, true, "instantiated");
    if (st == GM_OK && kind == GM_FMI_SCHEDULED) goto done;
    if (st == GM_OK) st = begin(c, err);
    if (st == GM_OK) say(c, true, "initialised at %g", run->o.start);
    if (st == GM_OK) st = test_save(c, run->interface->state ? "a saved state" : "replaying its inputs (it can not save states)", &expected, err);
    if (st == GM_OK && run->interface->state && run->interface->serialize) st = test_bytes(c, &expected, err);
    if (st == GM_OK && c->failures > before) st = test_replay_instead(c, kind, &expected, err);
    if (st == GM_OK) st = gm_fmu_do(run->session, GM_FMU_OP_TERMINATE, err);
    if (st == GM_OK) say(c, true, "terminated");
done:
    gm_buf_finish(&expected);
    gm_buf_clear(&c->ignored);
    if (st != GM_OK && run->session != NULL) gm_buf_str(&c->ignored, gm_fmu_session_log(run->session));
    gm_fmu_session_close(run->session);
    gm_arena_destroy(run->arena);
    return st;
}

gm_status gm_fmu_check(const gm_fmu *fmu, gm_buf *report, unsigned *out_failures, gm_error *err)
{
    check c = { .fmu = fmu, .report = report };
    gm_status st = GM_OK;
    for (unsigned k = 0; st == GM_OK && k < GM_FMI_KIND_COUNT; k++) {
        if (!fmu->d->interfaces[k].present) continue;
        c.first = c.second = c.ignored = gm_buf_init(fmu->host.alloc);
        gm_error what = { 0 };
        st            = check_kind(&c, (gm_fmi_kind)k, &what);
        if (st == GM_INVALID || st == GM_DIVERGED || st == GM_LIMIT) {  // the FMU's fault: a finding, and the next kind
            say(&c, false, "%s", what.text);
            gm_str rest = gm_buf_view(&c.ignored), line;
            while (gm_str_next(&rest, '\n', &line)) {
                if (line.len > 0) gm_buf_printf(report, "     | " GM_STR_FMT "\n", (int)(line.len < 300 ? line.len : 300), line.ptr);
            }
            st = GM_OK;
        } else if (st != GM_OK && err != NULL) {
            *err = what;
        }
        gm_buf_finish(&c.first);
        gm_buf_finish(&c.second);
        gm_buf_finish(&c.ignored);
    }
    *out_failures = c.failures;
    return st == GM_OK && report->failed ? gm_fail(err, GM_NOMEM, "fmi.check", "the report") : st;
}
