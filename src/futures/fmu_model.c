// What an FMU looks like from the outside: its variables as slots. fmu_model.h describes it.
#include "futures/fmu_parts.h"

#include <math.h>
#include <stdlib.h>

static const char WHERE[] = "futures.fmu";

static bool is_number(const gm_fmu_variable *v)
{
    return v->type != GM_FMI_STRING && v->type != GM_FMI_BINARY && v->type != GM_FMI_CLOCK && v->dimension_count == 0 &&
           v->causality != GM_FMI_INDEPENDENT && v->variability != GM_FMI_CONSTANT;
}

static bool starts_here(const gm_fmu_variable *v)
{
    return v->has_start && (v->initial == GM_FMI_EXACT || v->initial == GM_FMI_APPROX) &&
           v->causality != GM_FMI_CALCULATED_PARAMETER && v->causality != GM_FMI_STRUCTURAL_PARAMETER;
}

static gm_slot_kind kind_of(const gm_fmu_variable *v)
{
    if (v->causality == GM_FMI_PARAMETER) return GM_SLOT_PARAMETER;
    if (v->causality == GM_FMI_INPUT) return GM_SLOT_INPUT;
    return starts_here(v) ? GM_SLOT_DISCRETE : GM_SLOT_ALGEBRAIC;  // no slot is a STATE: nothing of it is computed here
}

static double start_of(const gm_fmu_variable *v)
{
    char   text[64];
    size_t n = v->start.len < sizeof text - 1 ? v->start.len : sizeof text - 1;
    if (!v->has_start) return NAN;
    memcpy(text, v->start.ptr, n);
    text[n] = '\0';
    if (strcmp(text, "true") == 0) return 1;
    if (strcmp(text, "false") == 0) return 0;
    char  *end;
    double value = strtod(text, &end);
    return end != text ? value : NAN;
}

static gm_status make_program(gm_fmu_model *m, gm_error *err)
{
    const gm_fmu_description *d = gm_fmu_described(m->fmu);
    gm_builder               *b = gm_builder_create(m->host.alloc, NULL);
    if (b == NULL) return gm_fail(err, GM_NOMEM, WHERE, "describing an FMU");
    for (uint32_t i = 0; i < d->variable_count; i++) {
        const gm_fmu_variable *v = &d->variables[i];
        m->slots[i] = GM_SLOT_NONE;
        if (!is_number(v)) continue;
        double start = start_of(v);
        m->slots[i]  = gm_build_slot(b, &(gm_slot_spec){ .kind  = kind_of(v),
                                                         .name  = v->name,
                                                         .unit  = v->unit,
                                                         .start = isnan(start) ? 0 : start });
        if (gm_builder_status(b) != GM_OK) break;
        m->variables[m->slots[i].v] = i;
        m->defaults[m->slots[i].v]  = start;
    }
    gm_status st = gm_builder_finish(b, &m->program, err);
    gm_builder_destroy(b);
    return st;
}

static gm_status prepare(gm_fmu_model *m, const char *path, const gm_fmu_note *note, const gm_type *type, gm_error *err)
{
    gm_status st = gm_fmu_open(&m->host, path, &m->fmu, err);
    if (st != GM_OK) return st;
    const gm_fmu_description *d = gm_fmu_described(m->fmu);
    if (!d->interfaces[GM_FMI_CO_SIMULATION].present)
        return gm_fail(err, GM_INVALID, WHERE, "the FMU does not offer co-simulation, which lanes need; see gemel simulate");
    m->slots     = GM_ARENA_NEW(m->arena, gm_slot, d->variable_count + 1);
    m->variables = GM_ARENA_NEW(m->arena, uint32_t, d->variable_count + 1);
    m->defaults  = GM_ARENA_NEW(m->arena, double, d->variable_count + 1);
    if (m->slots == NULL || m->variables == NULL || m->defaults == NULL)
        return gm_fail(err, GM_NOMEM, WHERE, "describing an FMU");
    m->defaults[GM_TIME_SLOT.v] = 0;
    st = gm_fmu_note_bind(m->arena, note, d, type, &m->bound, err);
    return st == GM_OK ? make_program(m, err) : st;
}

gm_status gm_fmu_model_open(const gm_fmu_host *host, const char *path, const gm_fmu_note *note, const gm_type *type,
                            gm_fmu_model **out_model, gm_error *err)
{
    *out_model      = NULL;
    gm_fmu_model *m = gm_alloc_zeroed(host->alloc, sizeof *m);
    if (m == NULL) return gm_fail(err, GM_NOMEM, WHERE, "opening an FMU");
    m->host      = *host;
    m->arena     = gm_arena_create(host->alloc, 0);
    gm_status st = m->arena != NULL ? prepare(m, path, note, type, err) : gm_fail(err, GM_NOMEM, WHERE, "opening an FMU");
    if (st == GM_OK) *out_model = m;
    else gm_fmu_model_close(m);
    return st;
}

void gm_fmu_model_close(gm_fmu_model *m)
{
    if (m == NULL) return;
    gm_program_destroy(m->program);
    gm_fmu_close(m->fmu);
    gm_arena_destroy(m->arena);
    gm_free(m->host.alloc, m);
}

const gm_program   *gm_fmu_model_program(const gm_fmu_model *m) { return m->program; }
const gm_fmu_bound *gm_fmu_model_bound(const gm_fmu_model *m) { return &m->bound; }

static gm_slot slot_of(const gm_fmu_model *m, const gm_fmu_variable *v)
{
    return m->slots[v - gm_fmu_described(m->fmu)->variables];
}

static bool same_path(gm_str a, gm_str b)
{
    if (a.len != b.len) return false;
    for (size_t i = 0; i < a.len; i++) {
        if ((a.ptr[i] == '/' ? '.' : a.ptr[i]) != (b.ptr[i] == '/' ? '.' : b.ptr[i])) return false;
    }
    return true;
}

bool gm_fmu_model_find(const gm_fmu_model *m, gm_str variable, gm_fmu_name *out)
{
    const gm_fmu_variable *v = NULL;
    *out                     = (gm_fmu_name){ .factor = 1 };
    for (size_t i = 0; v == NULL && i < m->bound.count; i++) {
        const gm_fmu_binding *b = &m->bound.bindings[i];
        if (!same_path(m->bound.type->columns[b->column].path, variable)) continue;
        *out = (gm_fmu_name){ .factor = b->factor, .offset = b->offset, .binding = b };
        v    = b->variable;
    }
    if (v == NULL) v = gm_fmu_find(gm_fmu_described(m->fmu), variable);
    if (v == NULL || slot_of(m, v).v == GM_SLOT_NONE.v) return false;
    out->slot = slot_of(m, v);
    out->set  = kind_of(v) == GM_SLOT_ALGEBRAIC ? GM_SLOT_NONE : out->slot;
    return true;
}

void gm_fmu_model_fork(const gm_fmu_model *m, const gm_group_reader *reader, gm_twin twin, double time, double *out_slots)
{
    memcpy(out_slots, m->defaults, gm_program_slot_count(m->program) * sizeof *out_slots);
    out_slots[GM_TIME_SLOT.v] = time;
    for (size_t i = 0; i < m->bound.count; i++) {
        const gm_fmu_binding *b = &m->bound.bindings[i];
        gm_value              value;
        gm_time_ns            source;
        if (b->role == GM_ROLE_OUTPUT || !reader->read(reader->context, twin, b->column, &value, &source)) continue;
        double x = value.kind == GM_KIND_DOUBLE                                 ? value.d
                 : value.kind == GM_KIND_INT || value.kind == GM_KIND_BOOL ? (double)value.i
                                                                                : NAN;
        gm_slot slot = slot_of(m, b->variable);
        if (!isnan(x) && slot.v != GM_SLOT_NONE.v) out_slots[slot.v] = x * b->factor + b->offset;
    }
}

static gm_status check_vary(const gm_fmu_model *m, const gm_futures_request *r, const gm_vary *v, gm_error *err)
{
    const gm_fmu_variable *variable = &gm_fmu_described(m->fmu)->variables[m->variables[v->slot.v]];
    bool moves = v->kind == GM_VARY_SERIES || v->kind == GM_VARY_OU || v->kind == GM_VARY_POISSON, tunable =
        variable->causality == GM_FMI_INPUT ||
        (variable->causality == GM_FMI_PARAMETER && variable->variability == GM_FMI_TUNABLE);
    bool late = v->scheduled && !(v->from.kind == GM_LAW_POINT && v->from.p[0] == 0);
    if (!tunable && (moves || late || v->lasts_s > 0))
        return gm_fail(err, GM_INVALID, WHERE,
                       "'" GM_STR_FMT "' is fixed when the FMU begins; change inputs and tunable parameters in mid-run",
                       GM_STR_ARG(gm_str_slice(v->name, 0, 80)));
    if (v->how != GM_VARY_SET && isnan(r->base[v->slot.v]))
        return gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "' has no value to add to or to multiply; set it",
                       GM_STR_ARG(gm_str_slice(v->name, 0, 80)));
    return GM_OK;
}

gm_status gm_fmu_model_check(const gm_fmu_model *m, const gm_futures_request *r, gm_error *err)
{
    gm_status st = GM_OK;
    if (r->members > 1) return gm_fail(err, GM_INVALID, WHERE, "twins that are FMUs can not be members of a fleet");
    if (r->fresh) return gm_fail(err, GM_INVALID, WHERE, "an FMU begins with its own start; leave `fresh` out");
    for (uint32_t i = 0; st == GM_OK && i < r->vary_count; i++) st = check_vary(m, r, &r->vary[i], err);
    for (uint32_t k = 0; st == GM_OK && k < r->scenario_count; k++) {
        for (uint32_t i = 0; st == GM_OK && i < r->scenarios[k].vary_count; i++)
            st = check_vary(m, r, &r->scenarios[k].vary[i], err);
    }
    return st;
}
