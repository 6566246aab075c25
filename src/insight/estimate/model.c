#include "insight/estimate/model.h"

#include "base/number.h"

#include <math.h>

static const char WHERE[] = "estimate.model";

enum { CHANGES_ROOM = 32 };

static const gm_str OFFSET = { "#offset", 7 };

struct gm_estimate_model {
    const gm_alloc          *alloc;
    gm_arena                *arena;
    const gm_estimate_setup *setup;
    const gm_group          *group;
    gm_estimate_part        *parts;
    gm_estimate_signal      *signals;
    gm_estimate_mode        *modes;
    uint32_t                 part_count, signal_count, mode_count, part_room;
};

const char *gm_estimate_kind_text(gm_estimate_kind kind)
{
    static const char *const texts[] = { "state", "parameter", "fault", "offset" };
    return texts[kind];
}

const gm_estimate_setup  *gm_estimate_model_setup(const gm_estimate_model *m) { return m->setup; }
const gm_program         *gm_estimate_model_program(const gm_estimate_model *m) { return gm_group_program(m->group); }
const gm_estimate_part   *gm_estimate_model_parts(const gm_estimate_model *m, uint32_t *out) { *out = m->part_count; return m->parts; }
const gm_estimate_signal *gm_estimate_model_signals(const gm_estimate_model *m, uint32_t *out) { *out = m->signal_count; return m->signals; }
const gm_estimate_mode   *gm_estimate_model_modes(const gm_estimate_model *m, uint32_t *out) { *out = m->mode_count; return m->modes; }

// line: of the file that asks for it.
static gm_status missing(const gm_estimate_model *m, gm_str name, uint32_t line, const char *what, gm_error *err)
{
    gm_fail(err, GM_NOTFOUND, WHERE, "'" GM_STR_FMT "': '" GM_STR_FMT "' %s", GM_STR_ARG(gm_str_slice(m->setup->name, 0, 40)),
            GM_STR_ARG(gm_str_slice(name, 0, 80)), what);
    if (err != NULL) err->line = line;
    return GM_NOTFOUND;
}

static const gm_estimate_ask *ask_of(const gm_estimate_list *list, gm_str name)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (gm_str_eq(list->items[i].name, name)) return &list->items[i];
    return NULL;
}

// ---- signals ------------------------------------------------------------------------------------------------------

static gm_str column_name(gm_estimate_model *m, const gm_binding *b)
{
    gm_str id = gm_group_twin_id(m->group, b->member), path = gm_group_type(m->group, b->member)->columns[b->column].path;
    return gm_arena_printf(m->arena, GM_STR_FMT "." GM_STR_FMT, GM_STR_ARG(id), GM_STR_ARG(path));
}

static bool is_estimated(const gm_estimate_model *m, gm_str name)
{
    return ask_of(&m->setup->parameters, name) != NULL;
}

static gm_status add_signal(gm_estimate_model *m, const gm_binding *b, gm_error *err)
{
    const gm_column       *c    = &gm_group_type(m->group, b->member)->columns[b->column];
    gm_str                 name = column_name(m, b);
    const gm_estimate_ask *ask  = name.ptr != NULL ? ask_of(&m->setup->measured, name) : NULL;
    bool                   shown = (b->role == GM_ROLE_STATE || b->role == GM_ROLE_OUTPUT) && c->kind == GM_KIND_DOUBLE;
    if (name.ptr == NULL) return gm_fail(err, GM_NOMEM, WHERE, "binding");
    gm_estimate_signal *s = &m->signals[m->signal_count++];
    *s = (gm_estimate_signal){ .name = name, .unit = c->unit_symbol, .twin = gm_group_twin(m->group, b->member), .member = b->member,
                               .column = b->column, .slot = b->slot, .set = GM_SLOT_NONE, .factor = b->factor, .offset = b->offset,
                               .noise = ask != NULL ? ask->noise * fabs(b->factor) : NAN, .follow = UINT32_MAX };
    s->measured = shown && (m->setup->measured.count > 0 ? ask != NULL : c->is_telemetry);
    s->given    = (b->role == GM_ROLE_INPUT || b->role == GM_ROLE_PARAMETER) && !is_estimated(m, name) && b->given.v != GM_SLOT_NONE.v;
    if (s->given) {
        s->set        = b->given;
        s->set_factor = b->given_factor;
        s->set_offset = b->given_offset;
    }
    if (ask != NULL) memcpy(s->into, ask->into, sizeof s->into);
    return GM_OK;
}

static gm_status add_signals(gm_estimate_model *m, gm_error *err)
{
    uint32_t          count, measured = 0;
    const gm_binding *bindings = gm_group_bindings(m->group, &count);
    gm_status         st       = GM_OK;
    if (count > GM_ESTIMATE_SIGNALS_MAX)
        return gm_fail(err, GM_LIMIT, WHERE, "the group of '" GM_STR_FMT "' has more than %d columns", GM_STR_ARG(m->setup->root), GM_ESTIMATE_SIGNALS_MAX);
    m->signals = GM_ARENA_NEW(m->arena, gm_estimate_signal, count + (size_t)1);
    if (m->signals == NULL) return gm_fail(err, GM_NOMEM, WHERE, "binding");
    for (uint32_t i = 0; st == GM_OK && i < count; i++) st = add_signal(m, &bindings[i], err);
    for (uint32_t i = 0; i < m->signal_count; i++) measured += m->signals[i].measured;
    for (uint32_t i = 0; st == GM_OK && i < m->setup->measured.count; i++) {
        gm_str name  = m->setup->measured.items[i].name;
        bool   found = false;
        for (uint32_t k = 0; k < m->signal_count; k++) found |= m->signals[k].measured && gm_str_eq(m->signals[k].name, name);
        if (!found) st = missing(m, name, m->setup->measured.items[i].line, "is no measured number of this group that its model computes", err);
    }
    if (st == GM_OK && measured == 0)
        st = gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "': the model computes nothing that is measured", GM_STR_ARG(gm_str_slice(m->setup->name, 0, 60)));
    return st;
}

// ---- parts --------------------------------------------------------------------------------------------------------

static gm_estimate_part *new_part(gm_estimate_model *m, gm_estimate_kind kind, gm_str name, gm_status *st, gm_error *err)
{
    if (m->part_count == m->part_room) {
        *st = gm_fail(err, GM_LIMIT, WHERE, "more than %u things to estimate", m->part_room);
        return NULL;
    }
    gm_estimate_part *p = &m->parts[m->part_count++];
    *p = (gm_estimate_part){ .kind = kind, .name = name, .member = UINT32_MAX, .factor = 1, .deviation = NAN, .walk = NAN,
                             .min = -INFINITY, .max = INFINITY, .start = NAN, .change_count = 1 };
    return p;
}

// Deviations as people gave them, for the x inside.
static void take_ask(gm_estimate_part *p, const gm_estimate_ask *ask)
{
    double scale = p->log ? 1 : fabs(p->factor);
    p->deviation = ask->deviation * scale;
    p->walk      = ask->walk * scale / 60;  // per square root of a second
    p->min       = ask->min;
    p->max       = ask->max;
    if (isfinite(ask->start)) {
        double slot = ask->start * p->factor + p->offset;
        p->start    = p->log ? log(slot) : slot;
    }
    memcpy(p->into, ask->into, sizeof p->into);
}

static gm_status add_states(gm_estimate_model *m, gm_error *err)
{
    const gm_program *program = gm_group_program(m->group);
    uint32_t          slots   = gm_program_slot_count(program);
    gm_status         st      = GM_OK;
    for (uint32_t i = 0; st == GM_OK && i < slots; i++) {
        const gm_slot_spec *slot = gm_program_slot(program, (gm_slot){ i });
        if (slot->kind != GM_SLOT_STATE) continue;
        gm_buf name = gm_buf_init(m->alloc);
        gm_group_write_name(m->group, slot->name, &name);
        gm_str kept = name.failed ? (gm_str){ 0 } : gm_arena_str(m->arena, gm_buf_view(&name));
        gm_buf_finish(&name);
        if (kept.ptr == NULL) return gm_fail(err, GM_NOMEM, WHERE, "binding");
        gm_estimate_part *p = new_part(m, GM_ESTIMATE_STATE, kept, &st, err);
        if (p == NULL) break;
        p->unit            = slot->unit;
        p->changes[0].slot = (gm_slot){ i };
        // A column speaks its own unit and is called as its path.
        for (uint32_t k = 0; k < m->signal_count; k++) {
            const gm_estimate_signal *s = &m->signals[k];
            if (s->slot.v != i || s->set.v != GM_SLOT_NONE.v) continue;
            p->name   = s->name;
            p->unit   = s->unit.len > 0 ? s->unit : slot->unit;
            p->factor = s->factor;
            p->offset = s->offset;
            p->member = s->member;
        }
        const gm_estimate_ask *ask = ask_of(&m->setup->states, p->name);
        if (ask == NULL) ask = ask_of(&m->setup->states, kept);
        if (ask != NULL) take_ask(p, ask);
    }
    for (uint32_t a = 0; st == GM_OK && a < m->setup->states.count; a++) {
        gm_group_variable v;
        if (!gm_group_find(m->group, m->setup->states.items[a].name, &v) || gm_program_slot(program, v.slot)->kind != GM_SLOT_STATE)
            st = missing(m, m->setup->states.items[a].name, m->setup->states.items[a].line, "is no state of this group", err);
    }
    return st;
}

static gm_status add_parameter(gm_estimate_model *m, const gm_estimate_ask *ask, gm_error *err)
{
    gm_group_variable v;
    gm_status         st = GM_OK;
    if (!gm_group_find(m->group, ask->name, &v)) return missing(m, ask->name, ask->line, "is no variable of this group", err);
    if (v.set.v == GM_SLOT_NONE.v) return missing(m, ask->name, ask->line, "is computed by the model; it can not be estimated", err);
    const gm_slot_spec *slot = gm_program_slot(gm_group_program(m->group), v.set);
    if (slot->kind != GM_SLOT_PARAMETER && slot->kind != GM_SLOT_INPUT) return missing(m, ask->name, ask->line, "is no parameter or input", err);
    gm_estimate_part *p = new_part(m, GM_ESTIMATE_PARAMETER, ask->name, &st, err);
    if (p == NULL) return st;
    p->unit            = v.unit;
    p->member          = v.member;
    p->log             = ask->log;
    p->factor          = v.set_factor;
    p->offset          = v.set_offset;
    p->changes[0].slot = v.set;
    take_ask(p, ask);
    if ((slot->flags & GM_SLOT_BOUNDED) && v.set_factor > 0) {
        p->min = fmax(p->min, (slot->min - p->offset) / p->factor);
        p->max = fmin(p->max, (slot->max - p->offset) / p->factor);
    }
    return GM_OK;
}

// A sensor's offset, of that deviation in its unit.
static gm_status add_bias(gm_estimate_model *m, gm_str signal, double deviation, gm_error *err)
{
    gm_status st = GM_OK;
    for (uint32_t k = 0; k < m->signal_count; k++) {
        const gm_estimate_signal *s = &m->signals[k];
        if (!gm_str_eq(s->name, signal)) continue;
        gm_str            name = gm_arena_printf(m->arena, GM_STR_FMT GM_STR_FMT, GM_STR_ARG(s->name), GM_STR_ARG(OFFSET));
        gm_estimate_part *p    = new_part(m, GM_ESTIMATE_BIAS, name, &st, err);
        if (p == NULL) return st;
        p->unit         = s->unit;
        p->member       = s->member;
        p->factor       = s->factor;
        p->signal       = k;
        p->start        = 0;
        p->deviation    = deviation * fabs(s->factor);
        p->walk         = p->deviation * 0.01 / 60;
        p->change_count = 0;
    }
    return st;
}

// What a fault changes: by its name in a class, or written down, "pump1.speed=0".
static gm_status changes_of(const gm_estimate_model *m, const gm_estimate_ask *ask, gm_group_change *out, size_t *out_count, gm_error *err)
{
    size_t            equals = gm_str_find_char(ask->name, '=');
    gm_group_variable v;
    double            value;
    if (equals == SIZE_MAX) return gm_group_fault(m->group, ask->name, out, CHANGES_ROOM, out_count, err);
    gm_str name = gm_str_trim(gm_str_slice(ask->name, 0, equals)), number = gm_str_trim(gm_str_slice(ask->name, equals + 1, ask->name.len));
    if (!gm_group_find(m->group, name, &v)) return missing(m, name, ask->line, "is no variable of this group", err);
    if (v.set.v == GM_SLOT_NONE.v) return missing(m, name, ask->line, "is computed by the model; no fault can set it", err);
    if (number.len == 0 || gm_number_read(number, &value) != number.len || !isfinite(value)) return missing(m, ask->name, ask->line, "sets it to no number", err);
    out[0]     = (gm_group_change){ v.set, value * v.set_factor + v.set_offset };
    *out_count = 1;
    return GM_OK;
}

static gm_status add_fault(gm_estimate_model *m, const gm_estimate_ask *ask, gm_error *err)
{
    gm_group_change changes[CHANGES_ROOM];
    size_t          count;
    if (gm_str_ends(ask->name, OFFSET)) return add_bias(m, gm_str_slice(ask->name, 0, ask->name.len - OFFSET.len), ask->deviation, err);
    gm_status       st = changes_of(m, ask, changes, &count, err);
    if (st != GM_OK && err != NULL) err->line = ask->line;
    if (st != GM_OK) return st;
    if (count > GM_ESTIMATE_CHANGES_MAX) return missing(m, ask->name, ask->line, "changes more than eight variables at once", err);
    gm_estimate_part *p = new_part(m, GM_ESTIMATE_FAULT, ask->name, &st, err);
    if (p == NULL) return st;
    p->change_count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        p->changes[i].slot = changes[i].slot;
        p->changes[i].from = NAN;  // what the fork says
        p->changes[i].to   = changes[i].value;
    }
    gm_str variable = ask->name;
    size_t dot      = gm_str_find_char(variable, '.');
    p->member       = gm_group_member(m->group, gm_str_slice(variable, 0, dot));
    take_ask(p, ask);
    if (!isfinite(p->start)) p->start = 0;
    p->min = 0;
    if (!isfinite(p->deviation)) p->deviation = 0.5;
    if (!isfinite(p->walk)) p->walk = 0.1 / 60;
    return GM_OK;
}

static gm_status add_parts(gm_estimate_model *m, bool with_faults, gm_error *err)
{
    uint32_t states, extra = m->setup->parameters.count + m->setup->faults.count + m->setup->measured.count;
    gm_program_slots_of(gm_group_program(m->group), GM_SLOT_STATE, &states);
    m->part_room = states + extra;
    if (m->part_room > GM_ESTIMATE_PARTS_MAX)
        return gm_fail(err, GM_LIMIT, WHERE, "%u states and parameters; at most %d are estimated together", m->part_room, GM_ESTIMATE_PARTS_MAX);
    m->parts = GM_ARENA_NEW(m->arena, gm_estimate_part, m->part_room + (size_t)1);
    if (m->parts == NULL) return gm_fail(err, GM_NOMEM, WHERE, "binding");
    gm_status st = add_states(m, err);
    for (uint32_t i = 0; st == GM_OK && i < m->setup->parameters.count; i++) st = add_parameter(m, &m->setup->parameters.items[i], err);
    for (uint32_t i = 0; st == GM_OK && i < m->setup->measured.count; i++)
        if (m->setup->measured.items[i].bias > 0) st = add_bias(m, m->setup->measured.items[i].name, m->setup->measured.items[i].bias, err);
    for (uint32_t i = 0; st == GM_OK && with_faults && i < m->setup->faults.count; i++) st = add_fault(m, &m->setup->faults.items[i], err);
    if (st == GM_OK && m->part_count == 0)
        st = gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "': the model has no states and no parameter is named: there is nothing to estimate",
                     GM_STR_ARG(gm_str_slice(m->setup->name, 0, 60)));
    return st;
}

// ---- modes --------------------------------------------------------------------------------------------------------

static gm_status add_modes(gm_estimate_model *m, gm_error *err)
{
    m->modes = GM_ARENA_NEW(m->arena, gm_estimate_mode, m->setup->follow_count + (size_t)1);
    if (m->modes == NULL) return gm_fail(err, GM_NOMEM, WHERE, "binding");
    for (uint32_t i = 0; i < m->setup->follow_count; i++) {
        const gm_estimate_follow *f    = &m->setup->follow[i];
        gm_estimate_mode         *mode = &m->modes[m->mode_count];
        *mode = (gm_estimate_mode){ .signal = UINT32_MAX, .above = f->above, .count = f->count };
        for (uint32_t k = 0; k < m->signal_count; k++)
            if (gm_str_eq(m->signals[k].name, f->signal)) mode->signal = k;
        if (mode->signal == UINT32_MAX) return missing(m, f->signal, f->line, "is no column of this group", err);
        for (uint32_t k = 0; k < f->count; k++) {
            gm_group_variable v;
            if (!gm_group_find(m->group, f->names[k], &v) || v.set.v == GM_SLOT_NONE.v) return missing(m, f->names[k], f->line, "is nothing that can be set", err);
            mode->slots[k] = v.set;
            mode->on[k]    = f->on[k] * v.set_factor + v.set_offset;
            mode->off[k]   = f->off[k] * v.set_factor + v.set_offset;
            // What decides it is no longer what people set.
            for (uint32_t s = 0; s < m->signal_count; s++)
                if (m->signals[s].set.v == v.set.v) m->signals[s].given = false;
        }
        m->signals[mode->signal].follow = m->mode_count++;
    }
    return GM_OK;
}

gm_status gm_estimate_bind(const gm_alloc *alloc, const gm_estimate_setup *setup, const gm_group *group, bool with_faults,
                           gm_estimate_model **out, gm_error *err)
{
    *out                 = NULL;
    gm_estimate_model *m = gm_alloc_zeroed(alloc, sizeof *m);
    if (m == NULL) return gm_fail(err, GM_NOMEM, WHERE, "binding");
    *m           = (gm_estimate_model){ .alloc = alloc, .arena = gm_arena_create(alloc, 0), .setup = setup, .group = group };
    gm_status st = m->arena != NULL ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "binding");
    if (st == GM_OK) st = add_signals(m, err);
    if (st == GM_OK) st = add_parts(m, with_faults, err);
    if (st == GM_OK) st = add_modes(m, err);
    if (st == GM_OK) *out = m;
    else gm_estimate_model_destroy(m);
    return st;
}

void gm_estimate_model_destroy(gm_estimate_model *m)
{
    if (m == NULL) return;
    gm_arena_destroy(m->arena);
    gm_free(m->alloc, m);
}

uint32_t gm_estimate_signal_find(const gm_estimate_model *m, gm_twin twin, uint32_t column)
{
    for (uint32_t i = 0; i < m->signal_count; i++)
        if (m->signals[i].twin.v == twin.v && m->signals[i].column == column) return i;
    return UINT32_MAX;
}

double gm_estimate_part_x(const gm_estimate_part *p, const double *slots)
{
    if (isfinite(p->start)) return p->start;
    double value = slots[p->changes[0].slot.v];
    return p->log ? log(value) : value;
}

double gm_estimate_part_outside(const gm_estimate_part *p, double x)
{
    if (p->kind == GM_ESTIMATE_FAULT) return x;
    return ((p->log ? exp(x) : x) - p->offset) / p->factor;
}

double gm_estimate_part_outside_deviation(const gm_estimate_part *p, double x, double deviation)
{
    if (p->kind == GM_ESTIMATE_FAULT) return deviation;
    return deviation * (p->log ? exp(x) : 1) / fabs(p->factor);
}
