// A run: defaults, start values, initialisation; then the master of its kind (master_cs.c, master_me.c, master_se.c).
#include "physics/fmi/run_parts.h"

#include "physics/fmi/values.h"

#include <math.h>
#include <stdlib.h>

gm_fmu_run_options gm_fmu_run_options_defaults(void)
{
    return (gm_fmu_run_options){ .kind = GM_FMI_KIND_COUNT, .start = NAN, .stop = NAN, .step = NAN, .tolerance = NAN };
}

bool gm_fmu_close_to(double a, double b)
{
    if (!isfinite(a) || !isfinite(b)) return a == b;
    double scale = fmax(fabs(a), fabs(b));
    return fabs(a - b) <= 1e-12 * fmax(scale, 1e-3);
}

double gm_fmu_point(const gm_fmu_running *run, uint64_t n)
{
    double time = run->o.start + (double)n * run->o.step;
    return time > run->o.stop || gm_fmu_close_to(time, run->o.stop) ? run->o.stop : time;
}

gm_status gm_fmu_iterate_events(gm_fmu_running *run, gm_fmu_event_info *info, gm_error *err)
{
    enum { ITERATIONS_MAX = 1000 };
    bool values = false, nominals = false;
    for (int i = 0; i < ITERATIONS_MAX; i++) {
        gm_status st = gm_fmu_update_discrete(run->session, info, err);
        if (st != GM_OK) return st;
        values |= info->values_changed;
        nominals |= info->nominals_changed;
        info->values_changed   = values;
        info->nominals_changed = nominals;
        if (!info->need_update || info->terminate) return GM_OK;
    }
    return gm_fail(err, GM_DIVERGED, "fmi.run", "the FMU asks for event iterations without end");
}

// ---- defaults -----------------------------------------------------------------------------------------------------------

static gm_status choose_times(gm_fmu_running *run, gm_error *err)
{
    const gm_fmu_description *d = run->d;
    gm_fmu_run_options       *o = &run->o;
    if (isnan(o->start)) o->start = d->has_start ? d->start : 0;
    if (isnan(o->stop)) o->stop = d->has_stop ? d->stop : o->start + 1;
    bool given = !isnan(o->step);
    run->has_tolerance = !isnan(o->tolerance) || d->has_tolerance;
    if (!given && d->has_step && d->step > 0) o->step = d->step;
    if (isnan(o->step) && run->interface->has_fixed_step) o->step = run->interface->fixed_step;
    if (isnan(o->step)) o->step = (o->stop - o->start) / 500;
    if (isnan(o->tolerance)) o->tolerance = d->has_tolerance && d->tolerance > 0 ? d->tolerance : 1e-6;
    if (!isfinite(o->start) || !isfinite(o->stop) || o->stop < o->start) {
        return gm_fail(err, GM_INVALID, "fmi.run", "the run stops at %g, before it starts at %g", o->stop, o->start);
    }
    if (o->stop > o->start && !(o->step > 0 && isfinite(o->step))) return gm_fail(err, GM_INVALID, "fmi.run", "the step %g is not above 0", o->step);
    if (o->step <= 0 || isnan(o->step)) o->step = 1;
    // An FMU that steps inside can only be asked for whole numbers of its steps, unless it says otherwise.
    double inner = run->interface->fixed_step;
    if (!given && run->interface->has_fixed_step && !run->interface->variable_step) o->step = fmax(1, round(o->step / inner)) * inner;
    return GM_OK;
}

static gm_status choose(gm_fmu_running *run, gm_error *err)
{
    if (run->o.kind == GM_FMI_KIND_COUNT) {
        run->o.kind = GM_FMI_CO_SIMULATION;
        for (unsigned k = GM_FMI_KIND_COUNT; k-- > 0;) {
            if (run->d->interfaces[k].present) run->o.kind = (gm_fmi_kind)k;
        }
    }
    run->interface = &run->d->interfaces[run->o.kind];
    if (!run->interface->present) return gm_fail(err, GM_INVALID, "fmi.run", "the FMU does not offer %s", gm_fmi_kind_text(run->o.kind));
    if (run->o.event_mode && !run->interface->event_mode) return gm_fail(err, GM_INVALID, "fmi.run", "the FMU has no event mode in co-simulation");
    if (run->o.intermediate && !run->interface->intermediate_update) {
        return gm_fail(err, GM_INVALID, "fmi.run", "the FMU gives no intermediate updates");
    }
    return choose_times(run, err);
}

// ---- start values -------------------------------------------------------------------------------------------------------

static const gm_fmu_setting *setting_of(const gm_fmu_running *run, gm_str name)
{
    for (uint32_t i = run->o.setting_count; i-- > 0;) {
        if (gm_str_eq(run->o.settings[i].name, name)) return &run->o.settings[i];
    }
    return NULL;
}

// The value of a structural parameter: as set, else its start value.
static gm_status size_of(gm_fmu_running *run, uint32_t reference, uint64_t *out, gm_error *err)
{
    const gm_fmu_variable *v = gm_fmu_find_reference(run->d, reference);
    if (v == NULL) return gm_fail(err, GM_INVALID, "fmi.run", "a dimension names the value reference %u, which no variable has", reference);
    const gm_fmu_setting *given = setting_of(run, v->name);
    gm_str                text  = gm_str_trim(given != NULL ? given->value : v->start);
    gm_buf                bytes = gm_buf_init(run->fmu->host.alloc);
    gm_fmu_variable       whole = *v;
    whole.type                  = GM_FMI_UINT64;
    gm_status st                = gm_fmu_value_parse(NULL, &whole, text, &bytes, err);
    if (st == GM_OK && bytes.failed) st = gm_fail(err, GM_NOMEM, "fmi.run", "start values");
    if (st == GM_OK) *out = gm_get_u64(bytes.ptr);
    gm_buf_finish(&bytes);
    return st;
}

gm_status gm_fmu_dimension_size(gm_fmu_running *run, const gm_fmu_dimension *dimension, uint64_t *out, gm_error *err)
{
    *out = dimension->start;
    return dimension->reference == GM_FMU_NONE ? GM_OK : size_of(run, dimension->reference, out, err);
}

static gm_status count_values(gm_fmu_running *run, gm_error *err)
{
    const gm_fmu_description *d = run->d;
    run->counts = GM_ARENA_NEW(run->arena, uint32_t, d->variable_count + 1);
    if (run->counts == NULL) return gm_fail(err, GM_NOMEM, "fmi.run", "start values");
    for (uint32_t i = 0; i < d->variable_count; i++) {
        uint64_t total = 1;
        for (uint32_t k = 0; k < d->variables[i].dimension_count; k++) {
            uint64_t  n;
            gm_status st = gm_fmu_dimension_size(run, &d->variables[i].dimensions[k], &n, err);
            if (st != GM_OK) return st;
            if (n > GM_FMU_COUNT_MAX || (total *= n) > GM_FMU_COUNT_MAX) {
                return gm_fail(err, GM_LIMIT, "fmi.run", GM_STR_FMT " has more than %d values", GM_STR_ARG(d->variables[i].name), GM_FMU_COUNT_MAX);
            }
        }
        run->counts[i] = (uint32_t)total;
    }
    return GM_OK;
}

static gm_status set_one(gm_fmu_running *run, const gm_fmu_variable *v, gm_str value, gm_error *err)
{
    gm_buf    bytes = gm_buf_init(run->fmu->host.alloc);
    uint32_t  count = run->counts[v - run->d->variables];
    gm_status st    = gm_fmu_values_parse(run->d, v, count, value, &bytes, err);
    if (st == GM_OK && bytes.failed) st = gm_fail(err, GM_NOMEM, "fmi.run", "start values");
    if (st == GM_OK) st = gm_fmu_set(run->session, v->type, &v->reference, 1, count, gm_buf_view(&bytes), err);
    gm_buf_finish(&bytes);
    return st;
}

static bool may_be_set(const gm_fmu_variable *v)
{
    if (v->causality == GM_FMI_INDEPENDENT || v->variability == GM_FMI_CONSTANT) return false;
    return v->causality == GM_FMI_PARAMETER || v->causality == GM_FMI_STRUCTURAL_PARAMETER || v->causality == GM_FMI_INPUT || v->has_start;
}

static gm_status apply_settings(gm_fmu_running *run, bool structural, gm_error *err)
{
    gm_status st = GM_OK;
    bool      in = false;
    for (uint32_t i = 0; st == GM_OK && i < run->o.setting_count; i++) {
        const gm_fmu_setting  *s = &run->o.settings[i];
        const gm_fmu_variable *v = gm_fmu_find(run->d, s->name);
        if (v == NULL) return gm_fail(err, GM_INVALID, "fmi.run", "the FMU has no variable '" GM_STR_FMT "'", GM_STR_ARG(s->name));
        if (!may_be_set(v)) return gm_fail(err, GM_INVALID, "fmi.run", GM_STR_FMT " is %s and has no start value to set", GM_STR_ARG(v->name), gm_fmi_causality_text(v->causality));
        if ((v->causality == GM_FMI_STRUCTURAL_PARAMETER) != structural) continue;
        if (structural && !in) st = gm_fmu_do(run->session, GM_FMU_OP_ENTER_CONFIG, err);
        in = structural;
        if (st == GM_OK) st = set_one(run, v, s->value, err);
    }
    if (st == GM_OK && in) st = gm_fmu_do(run->session, GM_FMU_OP_EXIT_CONFIG, err);
    return st;
}

gm_status gm_fmu_initialise(gm_fmu_running *run, gm_error *err)
{
    gm_fmu_experiment e = { .has_tolerance = run->has_tolerance, .has_stop = true, .tolerance = run->o.tolerance, .start = run->o.start,
                            .stop = run->o.stop };
    gm_status st = apply_settings(run, true, err);
    if (st == GM_OK) st = apply_settings(run, false, err);
    if (st == GM_OK) st = gm_fmu_enter_init(run->session, &e, err);
    if (st == GM_OK) st = gm_fmu_input_apply(run->input, run->session, run->o.start, GM_FMU_INPUT_DISCRETE | GM_FMU_INPUT_CONTINUOUS | GM_FMU_INPUT_AFTER, err);
    if (st == GM_OK) st = gm_fmu_do(run->session, GM_FMU_OP_EXIT_INIT, err);
    return st;
}

// ---- the run ------------------------------------------------------------------------------------------------------------

// A row inside of a step, where the FMU lets us look.
static bool record_inside(void *context, gm_fmu_session *session, double time, unsigned flags, double *out_return_time)
{
    gm_fmu_running *run = context;
    (void)session;
    (void)out_return_time;
    if ((flags & GM_FMU_MAY_GET) && run->inside.status == GM_OK) (void)!gm_fmu_record(run, time, &run->inside);
    return false;
}

static gm_status open_session(gm_fmu_running *run, gm_error *err)
{
    uint32_t               required_count = 0;
    const uint32_t        *required       = gm_fmu_recorded(run, &required_count);
    gm_fmu_session_options options        = {
        .logging = run->o.logging, .event_mode = run->o.event_mode, .early_return = run->o.early_return,
        .intermediate = run->o.intermediate ? record_inside : NULL, .intermediate_context = run,
        .required = required, .required_count = run->o.intermediate ? required_count : 0,
    };
    return gm_fmu_session_open(&run->fmu->host, run->fmu->folder, run->d, run->o.kind, &options, &run->session, err);
}

gm_status gm_fmu_prepare(gm_fmu_running *run, gm_error *err)
{
    gm_status st = choose(run, err);
    return st == GM_OK ? count_values(run, err) : st;
}

gm_status gm_fmu_run(const gm_fmu *fmu, const gm_fmu_run_options *options, gm_fmu_write *write, void *context, gm_buf *log, gm_error *err)
{
    gm_fmu_running run = { .fmu = fmu, .d = fmu->d, .o = *options, .arena = gm_arena_create(fmu->host.alloc, 0) };
    gm_status      st  = GM_OK;
    if (run.arena == NULL) return gm_fail(err, GM_NOMEM, "fmi.run", "a run");
    st = gm_fmu_prepare(&run, err);
    if (st == GM_OK && run.o.input.len > 0) st = gm_fmu_input_parse(run.arena, run.d, run.counts, run.o.input, &run.input, err);
    if (st == GM_OK) st = gm_fmu_recorder_create(&run, write, context, err);
    if (st == GM_OK) st = open_session(&run, err);
    if (st == GM_OK) st = gm_fmu_initialise(&run, err);
    if (st == GM_OK) {
        st = run.o.kind == GM_FMI_CO_SIMULATION ? gm_fmu_run_cs(&run, err) : run.o.kind == GM_FMI_MODEL_EXCHANGE ? gm_fmu_run_me(&run, err)
                                                                                                                  : gm_fmu_run_se(&run, err);
    }
    // An FMU that asked to end may be in a state that needs no ending (2.0.4, 4.2.4: after a discarded step).
    gm_status last = st == GM_OK ? gm_fmu_do(run.session, GM_FMU_OP_TERMINATE, run.ended ? NULL : err) : GM_OK;
    if (st == GM_OK && !run.ended) st = last;
    // What was computed before a failure is handed over all the same.
    gm_status ended = run.recorder != NULL && run.session != NULL ? gm_fmu_record_end(&run, st == GM_OK ? err : NULL) : GM_OK;
    if (st == GM_OK) st = ended;
    if (log != NULL && run.session != NULL) gm_buf_str(log, gm_fmu_session_log(run.session));
    gm_fmu_session_close(run.session);
    gm_arena_destroy(run.arena);
    return st;
}
