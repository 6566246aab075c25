// Opening groups, finding the shape they share, and what their variables are called.
#include "futures/group_parts.h"

#include <assert.h>
#include <math.h>

static const char WHERE[] = "futures.group";

const char *gm_role_text(gm_role role)
{
    static const char *const texts[] = { "parameter", "state", "input", "output" };
    return texts[role];
}

// ---- shapes -------------------------------------------------------------------------------------------------------

static void drop_unused_shapes(gm_behaviors *b)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->shape_count; i++) {
        if (b->shapes[i]->users > 0) b->shapes[kept++] = b->shapes[i];
        else gm_shape_destroy(b->alloc, b->shapes[i]);
    }
    b->shape_count = kept;
}

static gm_status find_shape(gm_behaviors *b, const gm_group_graph *graph, gm_diags *diags, gm_shape **out,
                            gm_error *err)
{
    for (size_t i = 0; i < b->shape_count; i++) {
        *out = b->shapes[i];
        if (gm_str_eq((*out)->key, graph->key)) return GM_OK;
    }
    *out = NULL;
    if (b->shape_count >= GM_SHAPES_MAX) drop_unused_shapes(b);
    if (b->shape_count >= GM_SHAPES_MAX)
        return gm_fail(err, GM_LIMIT, WHERE, "more than %d groups of different shapes are in use", GM_SHAPES_MAX);
    if (!gm_alloc_reserve(b->alloc, &b->shapes, &b->shape_capacity, b->shape_count + 1, sizeof(gm_shape *)))
        return gm_fail(err, GM_NOMEM, WHERE, "assembling a group of twins");
    gm_status st = gm_shape_create(b, graph, diags, out, err);
    if (st == GM_OK) b->shapes[b->shape_count++] = *out;
    return st;
}

// ---- life cycle ---------------------------------------------------------------------------------------------------

static bool same_id(const void *owner, uint32_t id, gm_str key)
{
    return gm_str_eq(((const gm_group *)owner)->ids[id], key);
}

gm_status gm_group_open(gm_behaviors *b, const gm_state *state, gm_twin root, gm_diags *diags, gm_group **out_group,
                        gm_error *err)
{
    assert(b != NULL && state != NULL && diags != NULL && out_group != NULL);
    *out_group          = NULL;
    gm_group_graph graph = { 0 };
    gm_group      *g     = gm_alloc_zeroed(b->alloc, sizeof *g);
    if (g == NULL) return gm_fail(err, GM_NOMEM, WHERE, "opening a group of twins");
    g->behaviors = b;
    g->by_id     = gm_index_init(b->alloc, same_id, g);
    g->arena     = gm_arena_create(b->alloc, 0);
    gm_status st = g->arena != NULL ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "opening a group of twins");
    if (st == GM_OK) st = gm_group_walk(b, state, root, g->arena, &graph, err);
    if (st == GM_OK) st = find_shape(b, &graph, diags, &g->shape, err);
    if (st == GM_OK) g->shape->users++;
    g->twins   = graph.twins;
    g->types   = graph.types;
    g->classes = graph.classes;
    g->ids     = graph.ids;
    g->count   = graph.count;
    for (uint32_t i = 0; st == GM_OK && i < g->count; i++) st = gm_index_add(&g->by_id, g->ids[i], i);
    if (st == GM_NOMEM) gm_fail(err, GM_NOMEM, WHERE, "opening a group of twins");
    if (st == GM_OK) *out_group = g;
    else gm_group_close(g);
    return st;
}

void gm_group_close(gm_group *g)
{
    if (g == NULL) return;
    if (g->shape != NULL) g->shape->users--;
    gm_index_finish(&g->by_id);
    gm_arena_destroy(g->arena);
    gm_free(g->behaviors->alloc, g);
}

// ---- reading ------------------------------------------------------------------------------------------------------

const gm_program        *gm_group_program(const gm_group *g) { return g->shape->program; }
uint32_t                 gm_group_twin_count(const gm_group *g) { return g->count; }
gm_twin                  gm_group_twin(const gm_group *g, uint32_t member) { return g->twins[member]; }
gm_str                   gm_group_twin_id(const gm_group *g, uint32_t member) { return g->ids[member]; }
const gm_behavior_class *gm_group_class(const gm_group *g, uint32_t member) { return g->classes[member]; }
const gm_type           *gm_group_type(const gm_group *g, uint32_t member) { return g->types[member]; }

const gm_binding *gm_group_bindings(const gm_group *g, uint32_t *out_count)
{
    *out_count = g->shape->binding_count;
    return g->shape->bindings;
}

bool gm_group_same_shape(const gm_group *a, const gm_group *b) { return a->shape == b->shape; }

// ---- names --------------------------------------------------------------------------------------------------------

// The member whose id the name begins with; ids may hold dots themselves, so the longest counts.
static uint32_t member_of(const gm_group *g, gm_str name, gm_str *out_rest)
{
    for (size_t at = name.len; at-- > 1;) {
        if (name.ptr[at] != '.') continue;
        uint32_t member = gm_index_find(&g->by_id, gm_str_slice(name, 0, at));
        if (member == GM_INDEX_NONE) continue;
        *out_rest = gm_str_slice(name, at + 1, name.len);
        return member;
    }
    return GM_INDEX_NONE;
}

// "motor/temperature" and "motor.temperature" are the same column.
static bool same_path(gm_str a, gm_str b)
{
    if (a.len != b.len) return false;
    for (size_t i = 0; i < a.len; i++) {
        char x = a.ptr[i] == '/' ? '.' : a.ptr[i], y = b.ptr[i] == '/' ? '.' : b.ptr[i];
        if (x != y) return false;
    }
    return true;
}

static const gm_binding *binding_of(const gm_group *g, uint32_t member, gm_str variable)
{
    const gm_shape *s = g->shape;
    for (uint32_t i = s->by_member[member]; i < s->by_member[member + 1]; i++) {
        if (same_path(g->types[member]->columns[s->bindings[i].column].path, variable)) return &s->bindings[i];
    }
    return NULL;
}

static bool find_unbound(const gm_group *g, gm_str variable, gm_group_variable *out)
{
    bool   minus = false;
    gm_buf name  = gm_buf_init(g->behaviors->alloc);
    gm_buf_str(&name, g->shape->names[out->member]);
    gm_buf_byte(&name, '.');
    gm_buf_str(&name, variable);
    for (size_t i = name.len - variable.len; !name.failed && i < name.len; i++) {
        if (name.ptr[i] == '/') name.ptr[i] = '.';
    }
    bool found = !name.failed && gm_program_find(g->shape->program, gm_buf_view(&name), &out->slot, &minus);
    gm_buf_finish(&name);
    if (!found) return false;
    const gm_slot_spec *slot = gm_program_slot(g->shape->program, out->slot);
    bool computed = slot->kind == GM_SLOT_ALGEBRAIC || slot->flags & GM_SLOT_DEPENDENT || slot->kind == GM_SLOT_TIME;
    out->factor = out->set_factor = minus ? -1 : 1;
    out->unit   = slot->unit;
    out->set    = computed ? GM_SLOT_NONE : out->slot;
    out->role   = slot->kind == GM_SLOT_PARAMETER ? GM_ROLE_PARAMETER
                  : slot->kind == GM_SLOT_INPUT   ? GM_ROLE_INPUT
                  : computed                      ? GM_ROLE_OUTPUT
                                                  : GM_ROLE_STATE;
    return true;
}

bool gm_group_find(const gm_group *g, gm_str name, gm_group_variable *out)
{
    gm_str variable;
    *out        = (gm_group_variable){ .slot = GM_SLOT_NONE, .set = GM_SLOT_NONE };
    out->member = member_of(g, name, &variable);
    if (out->member == GM_INDEX_NONE) return false;
    const gm_binding *b = binding_of(g, out->member, variable);
    if (b == NULL) return find_unbound(g, variable, out);
    const gm_slot_spec *slot   = gm_program_slot(g->shape->program, b->slot);
    const gm_column    *column = &g->types[out->member]->columns[b->column];
    bool by_given              = slot->kind == GM_SLOT_PARAMETER && slot->flags & GM_SLOT_DEPENDENT;
    out->binding    = b;
    out->slot       = b->slot;
    out->factor     = b->factor;
    out->offset     = b->offset;
    out->role       = b->role;
    out->unit       = column->unit_symbol.len > 0 ? column->unit_symbol : slot->unit;
    out->set        = slot->kind == GM_SLOT_ALGEBRAIC ? GM_SLOT_NONE : by_given ? b->given : b->slot;
    out->set_factor = by_given ? b->given_factor : b->factor;
    out->set_offset = by_given ? b->given_offset : b->offset;
    return true;
}

void gm_group_write_name(const gm_group *g, gm_str name, gm_buf *out)
{
    uint32_t best = GM_INDEX_NONE;
    for (uint32_t i = 0; i < g->count; i++) {
        gm_str own = g->shape->names[i];
        if (name.len <= own.len || name.ptr[own.len] != '.' || !gm_str_starts(name, own)) continue;
        if (best == GM_INDEX_NONE || own.len > g->shape->names[best].len) best = i;
    }
    if (best != GM_INDEX_NONE) {
        gm_buf_str(out, g->ids[best]);
        name = gm_str_slice(name, g->shape->names[best].len, name.len);
    }
    gm_buf_str(out, name);
}

// ---- faults -------------------------------------------------------------------------------------------------------

static gm_status no_such_fault(const gm_group *g, uint32_t member, gm_str name, gm_error *err)
{
    gm_buf names = gm_buf_init(g->behaviors->alloc);
    for (uint32_t m = 0; m < g->count && names.len < 120; m++) {
        if (member != GM_INDEX_NONE && m != member) continue;
        for (size_t i = 0; i < g->classes[m]->fault_count; i++) {
            gm_buf_printf(&names, "%s" GM_STR_FMT "." GM_STR_FMT, names.len > 0 ? ", " : "", GM_STR_ARG(g->ids[m]),
                          GM_STR_ARG(g->classes[m]->faults[i].name));
        }
    }
    gm_status st = gm_fail(err, GM_NOTFOUND, WHERE, "there is no fault '" GM_STR_FMT "'; there are: " GM_STR_FMT,
                           GM_STR_ARG(gm_str_slice(name, 0, 40)),
                           GM_STR_ARG(names.len > 0 ? gm_str_slice(gm_buf_view(&names), 0, 120) : GM_STR("none")));
    gm_buf_finish(&names);
    return st;
}

gm_status gm_group_changes(const gm_group *g, uint32_t member, const gm_behavior_fault *named, double request,
                           gm_group_change *out, size_t room, size_t *out_count, gm_error *err)
{
    *out_count = 0;
    for (size_t i = 0; i < named->change_count; i++) {
        const gm_fault_change *c = &named->changes[i];
        // In SI, and past the columns: the class's author wrote it.
        gm_group_variable   v     = { .member = member };
        const gm_binding   *b     = binding_of(g, member, c->variable);
        bool                known = find_unbound(g, c->variable, &v);
        const gm_slot_spec *slot  = known ? gm_program_slot(g->shape->program, v.slot) : NULL;
        bool by_given             = known && slot->kind == GM_SLOT_PARAMETER && slot->flags & GM_SLOT_DEPENDENT;
        if (!known || (by_given ? b == NULL : v.set.v == GM_SLOT_NONE.v)) {
            return gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "' changes '" GM_STR_FMT "', which can not be set",
                           GM_STR_ARG(gm_str_slice(named->name, 0, 60)), GM_STR_ARG(gm_str_slice(c->variable, 0, 60)));
        }
        if (*out_count >= room) return gm_fail(err, GM_LIMIT, WHERE, "more than %zu changes at a time", room);
        double value = isnan(c->value) ? request : c->value;
        out[(*out_count)++] = (gm_group_change){ by_given ? b->given : v.set, by_given ? value : value * v.set_factor };
    }
    return GM_OK;
}

gm_status gm_group_fault(const gm_group *g, gm_str name, gm_group_change *out, size_t room, size_t *out_count,
                         gm_error *err)
{
    gm_str                   which  = { 0 };
    uint32_t                 member = member_of(g, name, &which);
    const gm_behavior_fault *fault =
        member != GM_INDEX_NONE ? gm_behavior_fault_find(g->classes[member], which) : NULL;
    *out_count = 0;
    if (fault == NULL) return no_such_fault(g, member, name, err);
    return gm_group_changes(g, member, fault, 0, out, room, out_count, err);
}

uint32_t gm_group_member(const gm_group *g, gm_str twin_id) { return gm_index_find(&g->by_id, twin_id); }
