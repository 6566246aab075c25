#include "api/futures/world.h"

#include "futures/group_names.h"
#include "physics/modelica/diag.h"

enum { SAMPLES_MAX = 1000000 };

// What stands behind the FMU's twin and a dot.
static bool fmu_variable(const gm_group_world *world, gm_str name, gm_fmu_name *out)
{
    gm_str id = gm_state_id(gm_engine_state(world->engine), world->root);
    return name.len > id.len && gm_str_starts(name, id) && name.ptr[id.len] == '.' &&
           gm_fmu_model_find(world->fmu, gm_str_slice(name, id.len + 1, name.len), out);
}

static bool find_fmu(const gm_group_world *world, gm_str name, gm_futures_name *out)
{
    gm_fmu_name v;
    if (!fmu_variable(world, name, &v)) return false;
    *out = (gm_futures_name) { .slot = v.slot, .scale = v.factor, .offset = v.offset,
                               .set = v.set, .set_scale = v.factor, .set_offset = v.offset };
    return true;
}

const gm_program *gm_group_world_program(const gm_group_world *world)
{
    return world->fmu != NULL ? gm_fmu_model_program(world->fmu) : gm_group_program(world->group);
}

bool gm_group_world_column(const gm_group_world *world, gm_str name, gm_twin *out_twin, uint32_t *out_column)
{
    gm_group_variable v;
    gm_fmu_name       f;
    if (world->fmu != NULL) {
        if (!fmu_variable(world, name, &f) || f.binding == NULL) return false;
        *out_twin   = world->root;
        *out_column = f.binding->column;
        return true;
    }
    if (!gm_group_find(world->group, name, &v) || v.binding == NULL) return false;
    *out_twin   = gm_group_twin(world->group, v.member);
    *out_column = v.binding->column;
    return true;
}

static bool find(void *context, gm_str name, gm_futures_name *out)
{
    const gm_group_world *world = context;
    return world->fmu != NULL ? find_fmu(world, name, out) : gm_group_name_find(world->group, name, out);
}

static void suggest_fmu(const gm_group_world *world, gm_buf *out)
{
    const gm_fmu_bound *bound = gm_fmu_model_bound(world->fmu);
    gm_buf_printf(out, GM_STR_FMT " has", GM_STR_ARG(gm_state_id(gm_engine_state(world->engine), world->root)));
    for (size_t i = 0; i < bound->count && out->len < 120; i++)
        gm_buf_printf(out, "%s" GM_STR_FMT, i > 0 ? ", " : " ",
                      GM_STR_ARG(bound->type->columns[bound->bindings[i].column].path));
}

// The columns of the twin that the name begins with, else the twins.
static void suggest(void *context, gm_str name, gm_buf *out)
{
    gm_group_world   *world = context;
    if (world->fmu != NULL) {
        suggest_fmu(world, out);
        return;
    }
    uint32_t          count, member = 0, twins = gm_group_twin_count(world->group);
    const gm_binding *bindings = gm_group_bindings(world->group, &count);
    for (; member < twins; member++) {
        gm_str id = gm_group_twin_id(world->group, member);
        if (gm_str_starts(name, id) && name.len > id.len && name.ptr[id.len] == '.') break;
    }
    if (member == twins) gm_buf_text(out, "the twins are");
    else gm_buf_printf(out, GM_STR_FMT " has", GM_STR_ARG(gm_group_twin_id(world->group, member)));
    for (uint32_t i = 0, written = 0; i < (member == twins ? twins : count) && out->len < 120; i++) {
        if (member < twins && bindings[i].member != member) continue;
        gm_str text = member == twins ? gm_group_twin_id(world->group, i)
                                      : gm_group_type(world->group, member)->columns[bindings[i].column].path;
        gm_buf_printf(out, "%s" GM_STR_FMT, written++ > 0 ? ", " : " ", GM_STR_ARG(text));
    }
}

static gm_status fault(void *context, gm_str name, gm_futures_setting *out, size_t room, size_t *out_count,
                       gm_error *err)
{
    gm_group_world *world = context;
    gm_group_change changes[GM_WORDING_ROOM];
    *out_count = 0;
    if (world->fmu != NULL)
        return gm_fail(err, GM_NOTFOUND, "api.futures", "an FMU has no faults by name, such as '" GM_STR_FMT "'",
                       GM_STR_ARG(gm_str_slice(name, 0, 80)));
    gm_status       st =
        gm_group_fault(world->group, name, changes, room < GM_WORDING_ROOM ? room : GM_WORDING_ROOM, out_count, err);
    for (size_t i = 0; st == GM_OK && i < *out_count; i++)
        out[i] = (gm_futures_setting) { changes[i].slot, changes[i].value };
    return st;
}

static bool number_of(const gm_value *value, double *out)
{
    if (value->kind == GM_KIND_DOUBLE) *out = value->d;
    else if (value->kind == GM_KIND_INT || value->kind == GM_KIND_BOOL) *out = (double)value->i;
    else return false;
    return true;
}

typedef struct samples {
    double         *times, *values;
    size_t          count, time_room, value_room;
    gm_time_ns      from;
    const gm_alloc *alloc;
    bool            failed;
} samples;

static bool take_sample(void *context, const gm_sample *sample)
{
    samples *s = context;
    double   value;
    if (!number_of(&sample->value, &value)) return true;
    if (s->count == SAMPLES_MAX ||
        !gm_alloc_reserve(s->alloc, &s->times, &s->time_room, s->count + 1, sizeof *s->times) ||
        !gm_alloc_reserve(s->alloc, &s->values, &s->value_room, s->count + 1, sizeof *s->values)) {
        s->failed = true;
        return false;
    }
    s->times[s->count]    = (double)(sample->at - s->from) / 1e9;
    s->values[s->count++] = value;
    return true;
}

static gm_status history(void *context, gm_str name, double span_s, gm_arena *arena, const double **out_times,
                         const double **out_values, uint32_t *out_count, gm_error *err)
{
    gm_group_world   *world = context;
    gm_twin           twin;
    uint32_t          column;
    gm_alloc          alloc = gm_arena_alloc(arena);
    if (world->fleet)
        return gm_fail(err, GM_INVALID, "api.futures",
                       "the history of '" GM_STR_FMT "' is one member's; members of a fleet can not share it",
                       GM_STR_ARG(gm_str_slice(name, 0, 80)));
    if (!gm_group_world_column(world, name, &twin, &column))
        return gm_fail(err, GM_INVALID, "api.futures",
                       "'" GM_STR_FMT "' is no property or telemetry of a twin, so it has no history",
                       GM_STR_ARG(gm_str_slice(name, 0, 80)));
    samples   s  = { .alloc = &alloc,
                     .from  = span_s < (double)world->at / 1e9 ? world->at - (gm_time_ns)(span_s * 1e9) : 0 };
    gm_status st = gm_engine_read_history(world->engine, twin, column,
                                          s.from, world->at + 1, take_sample, &s, err);
    if (st == GM_OK && s.failed)
        st = gm_fail(err, GM_LIMIT, "api.futures", "more than %d samples of '" GM_STR_FMT "'; look less far back",
                     SAMPLES_MAX, GM_STR_ARG(gm_str_slice(name, 0, 80)));
    *out_times  = s.times;
    *out_values = s.values;
    *out_count  = (uint32_t)s.count;
    return st;
}

gm_status gm_group_world_open(const gm_alloc *alloc, gm_behaviors *behaviors, const gm_state *state, gm_twin root,
                              gm_group **out_group, gm_error *err)
{
    gm_diags diags;
    gm_diags_init(&diags, alloc);
    gm_status st = gm_group_open(behaviors, state, root, &diags, out_group, err);
    if (st == GM_INVALID && diags.errors > 0) (void)gm_diags_fail(&diags, err);
    gm_diags_finish(&diags);
    return st;
}

gm_status gm_group_world_open_fmu(const gm_alloc *alloc, const gm_fmu_note *notes, size_t count, const gm_fmu_host *host,
                                  const char *plant_dir, const gm_state *state, gm_twin root, gm_fmu_model **out_model,
                                  gm_error *err)
{
    const gm_type     *type = gm_state_type(state, root);
    const gm_fmu_note *note = host != NULL ? gm_fmu_note_of(notes, count, type) : NULL;
    *out_model              = NULL;
    if (note == NULL) return gm_fail(err, GM_NOTFOUND, "api.futures", "no FMU serves this type");
    gm_buf path = gm_buf_init(alloc);
    gm_buf_printf(&path, "%s/" GM_STR_FMT, plant_dir, GM_STR_ARG(note->fmu));
    gm_buf_byte(&path, '\0');
    gm_status st = path.failed ? gm_fail(err, GM_NOMEM, "api.futures", "opening an FMU")
                               : gm_fmu_model_open(host, (const char *)path.ptr, note, type, out_model, err);
    gm_buf_finish(&path);
    return st;
}

gm_futures_world gm_group_world_of(gm_group_world *world)
{
    return (gm_futures_world) {
        .program = gm_group_world_program(world), .find = find, .suggest = suggest, .fault = fault, .history = history,
        .context = world
    };
}

// A series begins with the second value: what was written once only is the live cell alone.
static bool read_then(void *context, gm_twin twin, uint32_t column, gm_value *out_value, gm_time_ns *out_source)
{
    gm_group_world *world = context;
    const gm_state *state = gm_engine_state(world->engine);
    gm_sample       sample = { 0 };
    gm_cell         cell;
    uint32_t        series = gm_engine_series(world->engine, gm_state_type(state, twin), column);
    gm_state_get(state, twin, column, &cell);
    if (world->live || cell.source <= world->at) {
        *out_value  = cell.value;
        *out_source = cell.source;
        return cell.value.kind != GM_KIND_NONE;
    }
    if (gm_history_as_of(gm_engine_history(world->engine), twin.v, series, world->at, &sample, NULL) != GM_OK)
        return false;
    *out_value  = sample.value;
    *out_source = sample.at;
    return sample.value.kind != GM_KIND_NONE;
}

gm_group_reader gm_group_world_reader(gm_group_world *world)
{
    return (gm_group_reader) { .read = read_then, .context = world };
}

bool gm_group_world_value(const gm_group_world *world, gm_twin twin, uint32_t column, gm_time_ns time, double *out)
{
    gm_group_world then = *world;
    gm_value       value;
    gm_time_ns     source;
    then.at   = time;
    then.live = false;
    return read_then(&then, twin, column, &value, &source) && number_of(&value, out);
}
