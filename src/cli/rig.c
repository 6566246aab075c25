#include "cli/rig.h"

#include "base/number.h"
#include "base/rng.h"
#include "physics/exec/lanes.h"

#include <assert.h>
#include <math.h>

static const char WHERE[] = "cli.rig";

enum { CHANGES_MAX = 32 };

// A fault to come: changes of the plant, or (no changes) of the sensor behind a binding.
typedef struct due {
    double          time, size;
    gm_group_change changes[CHANGES_MAX];
    size_t          count;
    uint32_t        sensor;
    bool            frozen, over;
} due;

// What ails the sensor of a column.
typedef struct ailment { double offset, last; bool frozen, said; } ailment;

struct gm_rig {
    const gm_alloc *alloc;
    gm_group       *group;
    gm_rig_options  options;
    gm_plan        *plan;
    gm_lanes       *lanes;
    gm_worker      *worker;
    double          time;       // since the beginning
    bool            begun;
    due            *faults;
    size_t          fault_count, fault_capacity;
    double         *largest;    // [bindings] magnitude that a column has had
    ailment        *ailments;   // [bindings]
    uint64_t        samples;
    gm_buf          values;
};

enum { STREAM_NOISE, STREAM_DROPOUT, STREAM_DELAY };

gm_rig_options gm_rig_options_defaults(void) { return (gm_rig_options) { .tolerance = 1e-6, .seed = 1 }; }

// ---- life cycle ---------------------------------------------------------------------------------------------------

static gm_status fill_lanes(gm_rig *rig, const gm_group_reader *reader, gm_error *err)
{
    const gm_program *program = gm_group_program(rig->group);
    uint32_t          slots   = gm_program_slot_count(program), bindings;
    double           *values  = gm_alloc_array(rig->alloc, slots, sizeof *values);
    gm_fork_report    report;
    gm_group_bindings(rig->group, &bindings);
    rig->largest = gm_alloc_zeroed(rig->alloc, (bindings + (size_t)1) * sizeof *rig->largest);
    rig->ailments = gm_alloc_zeroed(rig->alloc, (bindings + (size_t)1) * sizeof *rig->ailments);
    gm_status st = values != NULL && rig->largest != NULL && rig->ailments != NULL ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "starting the rig");
    if (st == GM_OK) st = gm_group_fork(rig->group, reader, rig->options.start, values, &report, err);
    for (uint32_t i = 0; st == GM_OK && i < slots; i++) gm_lanes_fill(rig->lanes, (gm_slot){ i }, values[i]);
    gm_free(rig->alloc, values);
    return st;
}

gm_status gm_rig_create(const gm_alloc *alloc, gm_group *group, const gm_group_reader *reader,
                        const gm_rig_options *options, gm_rig **out_rig, gm_error *err)
{
    assert(group != NULL && reader != NULL && options != NULL && out_rig != NULL);
    *out_rig    = NULL;
    gm_rig *rig = gm_alloc_zeroed(alloc, sizeof *rig);
    if (rig == NULL) return gm_fail(err, GM_NOMEM, WHERE, "starting the rig");
    rig->alloc           = alloc;
    rig->group           = group;
    rig->options         = *options;
    rig->values          = gm_buf_init(alloc);
    gm_plan_options plan = gm_plan_options_defaults();
    plan.method          = GM_METHOD_DOPRI;
    plan.tolerance       = options->tolerance;
    gm_status st         = gm_plan_create(alloc, gm_group_program(group), &plan, &rig->plan, err);
    if (st == GM_OK) st = gm_lanes_create(alloc, rig->plan, 1, &rig->lanes, err);
    if (st == GM_OK) st = gm_worker_create(alloc, rig->plan, &rig->worker, err);
    if (st == GM_OK) st = fill_lanes(rig, reader, err);
    if (st == GM_OK) *out_rig = rig;
    else gm_rig_destroy(rig);
    return st;
}

void gm_rig_destroy(gm_rig *rig)
{
    if (rig == NULL) return;
    gm_worker_destroy(rig->worker);
    gm_lanes_destroy(rig->lanes);
    gm_plan_destroy(rig->plan);
    gm_buf_finish(&rig->values);
    gm_free(rig->alloc, rig->faults);
    gm_free(rig->alloc, rig->largest);
    gm_free(rig->alloc, rig->ailments);
    gm_free(rig->alloc, rig);
}

// ---- what differs -------------------------------------------------------------------------------------------------

static gm_status set_one(gm_rig *rig, gm_str name, const json_t *value, gm_error *err)
{
    gm_group_variable v;
    const json_t     *factor = json_object_get(value, "factor");
    if (!gm_group_find(rig->group, name, &v))
        return gm_fail(err, GM_NOTFOUND, WHERE, "there is no variable '" GM_STR_FMT "'",
                       GM_STR_ARG(gm_str_slice(name, 0, 100)));
    if (v.set.v == GM_SLOT_NONE.v)
        return gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "' is computed by the model; it can not be set",
                       GM_STR_ARG(gm_str_slice(name, 0, 100)));
    if (!json_is_number(value) && !json_is_boolean(value) && !json_is_number(factor))
        return gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "' must be a number or {\"factor\": number}",
                       GM_STR_ARG(gm_str_slice(name, 0, 100)));
    double outside = json_is_boolean(value) ? json_is_true(value) : json_number_value(value);
    if (factor != NULL)
        outside = json_number_value(factor) * (gm_lanes_get(rig->lanes, v.slot, 0) - v.offset) / v.factor;
    gm_lanes_fill(rig->lanes, v.set, outside * v.set_factor + v.set_offset);
    return GM_OK;
}

gm_status gm_rig_mismatch(gm_rig *rig, const json_t *document, gm_error *err)
{
    const char *name;
    json_t     *value;
    if (!json_is_object(document))
        return gm_fail(err, GM_INVALID, WHERE, "expected a JSON object of variables and numbers");
    json_object_foreach((json_t *)(uintptr_t)document, name, value)
    {
        gm_status st = set_one(rig, gm_str_of(name), value, err);
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

static bool is_sensor(const gm_rig *rig, const gm_binding *b)
{
    const gm_column *c = &gm_group_type(rig->group, b->member)->columns[b->column];
    // A leaf of an object would need the object around it.
    return c->is_telemetry && gm_str_ends(c->path, c->name);
}

// "tower.level.frozen", "pump1.motor/power.offset": false: it is no fault of a sensor.
static bool find_ailment(const gm_rig *rig, gm_str name, due *out)
{
    gm_group_variable v;
    uint32_t          count;
    const gm_binding *bindings = gm_group_bindings(rig->group, &count);
    bool              offset   = gm_str_ends(name, GM_STR(".offset"));
    out->frozen                = gm_str_ends(name, GM_STR(".frozen"));
    if (!offset && !out->frozen) return false;
    if (!gm_group_find(rig->group, gm_str_slice(name, 0, name.len - 7), &v) || v.binding == NULL || !is_sensor(rig, v.binding)) return false;
    out->sensor = (uint32_t)(v.binding - bindings);
    return true;
}

gm_status gm_rig_fault_at(gm_rig *rig, gm_str name, double size, double after_s, gm_error *err)
{
    if (!isfinite(size) || size == 0) return gm_fail(err, GM_INVALID, WHERE, "the size of a fault is a number, and not 0");
    if (!gm_alloc_reserve(rig->alloc, &rig->faults, &rig->fault_capacity, rig->fault_count + 1, sizeof *rig->faults))
        return gm_fail(err, GM_NOMEM, WHERE, "a fault to come");
    due *fault   = &rig->faults[rig->fault_count];
    *fault       = (due){ .time = after_s, .size = size };
    gm_status st = find_ailment(rig, name, fault) ? GM_OK : gm_group_fault(rig->group, name, fault->changes, CHANGES_MAX, &fault->count, err);
    if (st == GM_OK) rig->fault_count++;
    return st;
}

// ---- time ---------------------------------------------------------------------------------------------------------

static void apply(gm_rig *rig, const gm_group_change *changes, size_t count)
{
    for (size_t i = 0; i < count; i++) gm_lanes_fill(rig->lanes, changes[i].slot, changes[i].value);
    if (rig->begun) gm_lanes_touch(rig->lanes, 0, rig->worker);
}

static void strike(gm_rig *rig, const due *fault)
{
    gm_group_change changes[CHANGES_MAX];
    for (size_t i = 0; i < fault->count; i++) {
        double now = gm_lanes_get(rig->lanes, fault->changes[i].slot, 0);
        changes[i] = (gm_group_change){ fault->changes[i].slot, now + fault->size * (fault->changes[i].value - now) };
    }
    apply(rig, changes, fault->count);
    if (fault->count == 0 && fault->frozen) rig->ailments[fault->sensor].frozen = true;
    else if (fault->count == 0) rig->ailments[fault->sensor].offset += fault->size;
}

static gm_status verdict(gm_rig *rig, gm_error *err)
{
    static const char *const reasons[] = { "",
                                           "it came to its end",
                                           "",
                                           "a state is no number any more",
                                           "no step is small enough",
                                           "an algebraic loop has no solution",
                                           "events follow one another without end" };
    gm_lane_report r = gm_lanes_report(rig->lanes, 0);
    if (r.status == GM_LANE_ACTIVE) return GM_OK;
    uint32_t             count;
    const gm_check_info *checks = gm_program_checks(gm_group_program(rig->group), &count);
    gm_str               why = gm_str_of(reasons[r.status]);
    if (r.status == GM_LANE_ASSERTED && r.check < count) why = checks[r.check].message;
    return gm_fail(err, GM_DIVERGED, WHERE, "the plant stopped after %.6g s: " GM_STR_FMT,
                   r.time - rig->options.start, GM_STR_ARG(gm_str_slice(why, 0, 120)));
}

static gm_status go_to(gm_rig *rig, double time, gm_error *err)
{
    if (!rig->begun) gm_lanes_start(rig->lanes, 0, rig->worker, GM_START_FORKED);
    rig->begun = true;
    if (time > rig->time) gm_lanes_until(rig->lanes, 0, rig->worker, rig->options.start + time);
    rig->time = time;
    return verdict(rig, err);
}

// The fault that comes next, and not after `time`.
static due *next_fault(gm_rig *rig, double time)
{
    due *next = NULL;
    for (size_t i = 0; i < rig->fault_count; i++) {
        due *f = &rig->faults[i];
        if (!f->over && f->time <= time && (next == NULL || f->time < next->time)) next = f;
    }
    return next;
}

gm_status gm_rig_advance(gm_rig *rig, double seconds, gm_error *err)
{
    double    end = rig->time + seconds;
    gm_status st  = GM_OK;
    for (due *fault; st == GM_OK && (fault = next_fault(rig, end)) != NULL;) {
        st = go_to(rig, fault->time > rig->time ? fault->time : rig->time, err);
        if (st == GM_OK) strike(rig, fault);
        fault->over = true;
    }
    if (st == GM_OK) st = go_to(rig, end, err);
    if (st == GM_OK) gm_lanes_observe(rig->lanes, 0, rig->worker);
    return st;
}

double gm_rig_time(const gm_rig *rig) { return rig->time; }

bool gm_rig_value(const gm_rig *rig, gm_str name, double *out)
{
    gm_group_variable v;
    if (!gm_group_find(rig->group, name, &v)) return false;
    *out = (gm_lanes_get(rig->lanes, v.slot, 0) - v.offset) / v.factor;
    return true;
}

// ---- sensors ------------------------------------------------------------------------------------------------------

static void put_value(gm_rig *rig, uint32_t binding, const gm_binding *b, const gm_column *column)
{
    char   text[GM_NUMBER_TEXT];
    double value = (gm_lanes_get(rig->lanes, b->slot, 0) - b->offset) / b->factor;
    if (!isfinite(value)) return;
    if (column->kind == GM_KIND_DOUBLE && rig->options.noise) {
        rig->largest[binding] = fmax(rig->largest[binding], fabs(value));
        value += GM_RIG_NOISE * rig->largest[binding] *
                 gm_rng_normal(rig->options.seed, binding, STREAM_NOISE, rig->samples);
    }
    ailment *ails = &rig->ailments[binding];
    value         = ails->frozen && ails->said ? ails->last : value + ails->offset;
    ails->last    = value;
    ails->said    = true;
    gm_buf_printf(&rig->values, "%s", rig->values.len > 0 ? "," : "");
    gm_buf_json_str(&rig->values, column->name);
    gm_buf_byte(&rig->values, ':');
    if (column->kind == GM_KIND_BOOL) gm_buf_text(&rig->values, value > 0.5 ? "true" : "false");
    else if (column->kind == GM_KIND_INT) gm_buf_printf(&rig->values, "%.0f", value);
    else gm_buf_add(&rig->values, text, gm_number_write(value, text));
}

gm_status gm_rig_sample(gm_rig *rig, gm_rig_publish *publish, void *context, gm_error *err)
{
    uint32_t          count;
    const gm_binding *bindings = gm_group_bindings(rig->group, &count);
    gm_status         st       = GM_OK;
    rig->samples++;
    for (uint32_t i = 0; st == GM_OK && i < count;) {
        // One message for what is together: the same twin, the same component.
        const gm_type *type      = gm_group_type(rig->group, bindings[i].member);
        uint16_t       component = type->columns[bindings[i].column].component;
        uint32_t       first     = i;
        gm_buf_clear(&rig->values);
        for (; i < count && bindings[i].member == bindings[first].member &&
               type->columns[bindings[i].column].component == component; i++) {
            if (is_sensor(rig, &bindings[i])) put_value(rig, i, &bindings[i], &type->columns[bindings[i].column]);
        }
        if (rig->values.failed) return gm_fail(err, GM_NOMEM, WHERE, "a sample");
        bool noisy = rig->options.noise;
        if (rig->values.len == 0 ||
            (noisy && gm_rng_uniform(rig->options.seed, first, STREAM_DROPOUT, rig->samples) < GM_RIG_DROPOUT))
            continue;
        double delay =
            noisy ? gm_rng_uniform(rig->options.seed, first, STREAM_DELAY, rig->samples) / GM_RIG_DELAYED : 1;
        gm_rig_message m     = { .twin   = gm_group_twin_id(rig->group, bindings[first].member),
                                 .values = gm_buf_view(&rig->values),
                                 .late   = delay < 1 ? 1 + (uint32_t)(3 * delay) : 0 };
        if (component != GM_NO_COMPONENT) m.component = type->components[component].name;
        st = publish(context, &m, err);
    }
    return st;
}

// ---- actuators ----------------------------------------------------------------------------------------------------

static const gm_binding *find_property(const gm_rig *rig, uint32_t member, gm_str component, const char *name,
                                       const gm_column **out_column)
{
    uint32_t          count;
    const gm_binding *bindings = gm_group_bindings(rig->group, &count);
    const gm_type    *type     = gm_group_type(rig->group, member);
    for (uint32_t i = 0; i < count; i++) {
        const gm_column *c = &type->columns[bindings[i].column];
        if (bindings[i].member != member || c->is_telemetry || !gm_str_eq(c->name, gm_str_of(name))) continue;
        gm_str own = c->component != GM_NO_COMPONENT ? type->components[c->component].name : GM_STR("");
        if (!gm_str_eq(own, component)) continue;
        *out_column = c;
        return &bindings[i];
    }
    return NULL;
}

static void set_property(gm_rig *rig, const gm_binding *b, const gm_column *column, const json_t *value, gm_buf *out)
{
    bool fits = column->kind == GM_KIND_BOOL ? json_is_boolean(value) : json_is_number(value);
    if (!fits || b->role == GM_ROLE_STATE || b->role == GM_ROLE_OUTPUT) return;
    double outside = json_is_boolean(value) ? json_is_true(value) : json_number_value(value);
    gm_group_change change = { b->given, outside * b->given_factor + b->given_offset };
    apply(rig, &change, 1);
    char *text = json_dumps(value, JSON_ENCODE_ANY);
    gm_buf_printf(out, "%s", out->len > 0 ? "," : "");
    gm_buf_json_str(out, column->name);
    gm_buf_printf(out, ":%s", text != NULL ? text : "null");
    free(text);
}

gm_status gm_rig_desired(gm_rig *rig, gm_str twin, gm_str component, const json_t *body, gm_buf *out, gm_error *err)
{
    const char *name;
    json_t     *value;
    uint32_t    member = gm_group_member(rig->group, twin);
    if (member == UINT32_MAX)
        return gm_fail(err, GM_NOTFOUND, WHERE, "'" GM_STR_FMT "' is not in this plant",
                       GM_STR_ARG(gm_str_slice(twin, 0, 100)));
    if (!json_is_object(body)) return gm_fail(err, GM_INVALID, WHERE, "expected a JSON object of properties");
    json_object_foreach((json_t *)(uintptr_t)body, name, value)
    {
        const gm_column  *column;
        const gm_binding *b = find_property(rig, member, component, name, &column);
        if (b != NULL) set_property(rig, b, column, value, out);
    }
    return out->failed ? gm_fail(err, GM_NOMEM, WHERE, "reporting properties") : GM_OK;
}

gm_status gm_rig_command(gm_rig *rig, gm_str twin, gm_str name, const json_t *request, gm_error *err)
{
    uint32_t                 member  = gm_group_member(rig->group, twin);
    const gm_behavior_fault *command =
        member != UINT32_MAX ? gm_behavior_command_find(gm_group_class(rig->group, member), name) : NULL;
    if (command == NULL)
        return gm_fail(err, GM_NOTFOUND, WHERE, "'" GM_STR_FMT "' has no command '" GM_STR_FMT "' in its behavior",
                       GM_STR_ARG(gm_str_slice(twin, 0, 60)), GM_STR_ARG(gm_str_slice(name, 0, 60)));
    gm_group_change changes[CHANGES_MAX];
    size_t          count;
    double          number = json_is_boolean(request) ? json_is_true(request) : json_number_value(request);
    for (size_t i = 0; i < command->change_count; i++) {
        if (isnan(command->changes[i].value) && !json_is_number(request) && !json_is_boolean(request))
            return gm_fail(err, GM_INVALID, WHERE, "the command needs a number");
    }
    gm_status st = gm_group_changes(rig->group, member, command, number, changes, CHANGES_MAX, &count, err);
    if (st == GM_OK) apply(rig, changes, count);
    return st;
}
