// A shape: the equations of a group of twins, made into a program once, and where its columns are in it.
//
// What a fork sets must be a slot. Parameters with a number for a binding, and inputs, are slots already. For the rest
// a hidden parameter is added to the unfolded model, `X given`, and X's binding or start becomes
//     if `X given` < NOT_GIVEN then `X given` else (what the class says),
// so that one program serves whether there is a value or not, and what the beginning computes from a state's start
// (initial equations, other states) is computed from the live value.
#include "futures/group_parts.h"

#include "physics/compile/compile.h"
#include "physics/modelica/assembly.h"

static const char WHERE[] = "futures.group";

#define NOT_GIVEN 1e300
#define NO_VAR    UINT32_MAX

typedef struct bound { uint32_t member, column, var, given; } bound;  // var, given: of the flat model

typedef struct making {
    gm_behaviors         *b;
    const gm_group_graph *graph;
    gm_diags             *diags;
    gm_shape             *shape;
    gm_arena             *scratch;
    gm_flat              *flat;
    bound                *bounds;
    size_t                bound_count, bound_capacity;
    bool                 *moves;    // [vars] its derivative is somewhere
    gm_index              vars;     // by name
    gm_work_exit          leave;
    gm_work               work;
} making;

static bool same_var(const void *owner, uint32_t id, gm_str key)
{
    return gm_str_eq(((const making *)owner)->flat->vars[id].name, key);
}

static gm_status no_memory(gm_error *err) { return gm_fail(err, GM_NOMEM, WHERE, "assembling a group of twins"); }

// ---- the text -----------------------------------------------------------------------------------------------------

static void write_link(gm_assembly *a, const gm_group_graph *g, const gm_group_edge *edge)
{
    const gm_behavior_rule *rule = &g->classes[edge->from]->rules[edge->rule];
    gm_str                  from = g->ids[edge->from], to = g->ids[edge->to];
    switch (rule->link) {
    case GM_LINK_CONNECT: gm_assembly_connect(a, from, rule->own, to, rule->other); break;
    case GM_LINK_GIVE: gm_assembly_equate(a, to, rule->other, from, rule->own); break;
    case GM_LINK_TAKE: gm_assembly_equate(a, from, rule->own, to, rule->other); break;
    }
}

static gm_status unfold(making *k, gm_error *err)
{
    const gm_group_graph *g    = k->graph;
    gm_str                name = gm_arena_printf(k->scratch, "group %llu", (unsigned long long)++k->b->assembled);
    gm_str                file = gm_arena_printf(k->scratch, "(the group of " GM_STR_FMT ")", GM_STR_ARG(g->ids[0]));
    if (name.ptr == NULL || file.ptr == NULL) return no_memory(err);
    gm_assembly a = gm_assembly_begin(k->b->alloc, name);
    for (uint32_t i = 0; i < g->count; i++) gm_assembly_component(&a, g->ids[i], g->classes[i]->name);
    for (uint32_t i = 0; i < g->edge_count; i++) write_link(&a, g, &g->edges[i]);
    gm_str    text = gm_assembly_text(&a);
    gm_status st   = text.ptr != NULL ? gm_modelica_add(k->b->texts, file, text, k->diags, err) : no_memory(err);
    gm_flatten_options options = { .open_inputs = true };
    if (st == GM_OK) st = gm_modelica_flatten(k->b->texts, name, &options, k->diags, &k->flat, err);
    gm_modelica_remove(k->b->texts, name);
    gm_assembly_finish(&a);
    return st;
}

// ---- the unfolded model -------------------------------------------------------------------------------------------

// An input that a connection decides is none of the group's inputs.
static void close_input(gm_flat *flat, uint32_t var, bool *closed)
{
    flat->vars[var].flags &= ~(uint32_t)GM_FLAT_INPUT;
    closed[var] = true;
}

static bool is_input(const gm_flat *flat, const gm_ex_node *n)
{
    return n->op == GM_EX_VAR && flat->vars[n->id].flags & GM_FLAT_INPUT;
}

// Connections are the equations that belong to no twin. Where one decides an input, the number that the input has until
// somebody sets it (`input Real rain = 0`) gives way.
static gm_status close_connected_inputs(making *k, gm_error *err)
{
    gm_flat *flat   = k->flat;
    bool    *closed = GM_ARENA_NEW(k->scratch, bool, flat->var_count + 1);
    if (closed == NULL) return no_memory(err);
    for (uint32_t i = 0; i < flat->equation_count; i++) {
        const gm_flat_equation *q = &flat->equations[i];
        if (q->owner != GM_FLAT_NO_OWNER) continue;
        const gm_ex_node *left = gm_ex_at(&flat->ex, q->left), *right = gm_ex_at(&flat->ex, q->right);
        if (is_input(flat, left)) close_input(flat, left->id, closed);
        else if (is_input(flat, right)) close_input(flat, right->id, closed);
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < flat->equation_count; i++) {
        const gm_flat_equation *q    = &flat->equations[i];
        const gm_ex_node       *left = gm_ex_at(&flat->ex, q->left);
        bool default_of_closed = q->owner != GM_FLAT_NO_OWNER && left->op == GM_EX_VAR && closed[left->id] &&
                                 gm_ex_is_const(&flat->ex, q->right, NULL);
        if (!default_of_closed) flat->equations[kept++] = *q;
    }
    flat->equation_count = kept;
    return GM_OK;
}

static gm_status index_vars(making *k, gm_error *err)
{
    k->vars  = gm_index_init(k->b->alloc, same_var, k);
    k->moves = GM_ARENA_NEW(k->scratch, bool, k->flat->var_count + 1);
    if (k->moves == NULL || gm_index_reserve(&k->vars, k->flat->var_count) != GM_OK) return no_memory(err);
    for (uint32_t i = 0; i < k->flat->var_count; i++) {
        if (gm_index_find(&k->vars, k->flat->vars[i].name) != GM_INDEX_NONE) continue;
        if (gm_index_add(&k->vars, k->flat->vars[i].name, i) != GM_OK) return no_memory(err);
    }
    for (uint32_t i = 0; i < k->flat->ex.count; i++) {
        const gm_ex_node *n = gm_ex_at(&k->flat->ex, i);
        if (n->op == GM_EX_DER) k->moves[n->id] = true;
    }
    return GM_OK;
}

// Leaves through the work's exit when memory is refused.
static uint32_t add_given(making *k, uint32_t var)
{
    gm_flat *flat = k->flat;
    gm_flat_var given = {
        .type = GM_FLAT_REAL, .variability = GM_FLAT_PARAMETER, .flags = GM_FLAT_PROTECTED,
        .select = GM_FLAT_SELECT_DEFAULT, .unit = flat->vars[var].unit, .owner = flat->vars[var].owner,
        .at = flat->vars[var].at, .start = GM_EX_NONE, .min = GM_EX_NONE, .max = GM_EX_NONE, .nominal = GM_EX_NONE,
    };
    given.name    = gm_work_printf(&k->work, GM_STR_FMT " given", GM_STR_ARG(flat->vars[var].name));
    given.binding = gm_ex_const(&flat->ex, NOT_GIVEN);
    GM_WORK_RESERVE(&k->work, flat->vars, flat->var_capacity, flat->var_count + 1);
    flat->vars[flat->var_count] = given;
    uint32_t     id    = flat->var_count++;
    gm_flat_var *x     = &flat->vars[var];
    gm_ex        value = gm_ex_var(&flat->ex, id);
    gm_ex        is    = gm_ex_compare(&flat->ex, GM_EX_LT, value, gm_ex_const(&flat->ex, NOT_GIVEN), true);
    gm_ex       *old   = x->variability == GM_FLAT_PARAMETER ? &x->binding : &x->start;
    gm_ex other = *old != GM_EX_NONE ? *old : gm_ex_const(&flat->ex, x->type == GM_FLAT_ENUM ? 1 : 0);
    *old        = gm_ex_3(&flat->ex, GM_EX_SELECT, is, value, other);
    return id;
}

static bool is_bindable(const gm_column *column, const gm_flat_var *var)
{
    bool scalar = column->kind == GM_KIND_DOUBLE || column->kind == GM_KIND_INT || column->kind == GM_KIND_BOOL;
    if (!scalar || var->type == GM_FLAT_STRING || var->variability == GM_FLAT_CONSTANT) return false;
    return var->variability != GM_FLAT_PARAMETER || !(var->flags & (GM_FLAT_STRUCTURAL | GM_FLAT_FINAL));
}

static bool needs_given(const making *k, uint32_t v)
{
    const gm_flat_var *var = &k->flat->vars[v];
    if (var->variability == GM_FLAT_PARAMETER) return !gm_ex_is_const(&k->flat->ex, var->binding, NULL);
    if (var->flags & GM_FLAT_INPUT) return false;
    return var->flags & GM_FLAT_FIXED || k->moves[v] || var->variability == GM_FLAT_DISCRETE;
}

static void bind_member(making *k, uint32_t member)
{
    const gm_type *type = k->graph->types[member];
    for (uint32_t c = 0; c < type->column_count; c++) {
        gm_str variable = gm_column_variable(k->scratch, type->columns[c].path);
        gm_str name     = gm_work_printf(&k->work, GM_STR_FMT "." GM_STR_FMT, GM_STR_ARG(k->graph->ids[member]),
                                         GM_STR_ARG(variable));
        uint32_t var = gm_index_find(&k->vars, name);
        if (var == GM_INDEX_NONE || !is_bindable(&type->columns[c], &k->flat->vars[var])) continue;
        bound one = { member, c, var, needs_given(k, var) ? add_given(k, var) : NO_VAR };
        if (!gm_alloc_reserve(k->b->alloc, &k->bounds, &k->bound_capacity, k->bound_count + 1, sizeof *k->bounds))
            gm_work_stop(&k->work, GM_NOMEM, WHERE, "binding a group of twins");
        k->bounds[k->bound_count++] = one;
    }
}

static gm_status bind_columns(making *k, gm_error *err)
{
    gm_status st = index_vars(k, err);
    if (st != GM_OK) return st;
    k->leave.err = err;
    k->work      = (gm_work){ .arena = k->flat->arena, .leave = &k->leave };
    if (setjmp(k->leave.jump) != 0) return k->leave.status;
    k->flat->ex.w = &k->work;
    for (uint32_t i = 0; i < k->graph->count; i++) bind_member(k, i);
    k->flat->ex.w = NULL;
    return GM_OK;
}

// ---- the program --------------------------------------------------------------------------------------------------

static gm_role role_of(const gm_slot_spec *slot, bool given)
{
    switch (slot->kind) {
    case GM_SLOT_PARAMETER: return GM_ROLE_PARAMETER;
    case GM_SLOT_INPUT: return GM_ROLE_INPUT;
    case GM_SLOT_STATE: return GM_ROLE_STATE;
    case GM_SLOT_DISCRETE: return GM_ROLE_STATE;
    default: return given ? GM_ROLE_STATE : GM_ROLE_OUTPUT;
    }
}

static gm_status bind_one(making *k, const bound *x, gm_error *err)
{
    const gm_flat_var *var    = &k->flat->vars[x->var];
    const gm_column   *column = &k->graph->types[x->member]->columns[x->column];
    gm_shape          *shape  = k->shape;
    gm_binding         to     = { .member = x->member, .column = x->column, .given = GM_SLOT_NONE };
    bool               minus, given_minus;
    if (!gm_program_find(shape->program, var->name, &to.slot, &minus)) return GM_OK;  // it came out as a constant
    if (!gm_unit_way(column, var->unit, &to.factor, &to.offset)) {
        gm_diags_add(k->diags, k->flat->sources, GM_SEVERITY_ERROR, var->at, 1,
                     "`" GM_STR_FMT "` is in \"" GM_STR_FMT "\" in the class, which " GM_STR_FMT " of " GM_STR_FMT
                     " can not be converted to",
                     GM_STR_ARG(var->name), GM_STR_ARG(var->unit), GM_STR_ARG(column->unit),
                     GM_STR_ARG(k->graph->types[x->member]->id));
        return gm_diags_fail(k->diags, err);
    }
    to.given_factor = to.factor;
    to.given_offset = to.offset;
    bool has_given  = x->given != NO_VAR &&
                     gm_program_find(shape->program, k->flat->vars[x->given].name, &to.given, &given_minus);
    to.role         = role_of(gm_program_slot(shape->program, to.slot), has_given);
    if (minus) {
        to.factor = -to.factor;
        to.offset = -to.offset;
    }
    if (!has_given && to.role != GM_ROLE_OUTPUT) {
        to.given        = to.slot;
        to.given_factor = to.factor;
        to.given_offset = to.offset;
    }
    shape->bindings[shape->binding_count++] = to;
    return GM_OK;
}

static gm_status lay_bindings(making *k, gm_error *err)
{
    gm_shape *s   = k->shape;
    s->bindings   = GM_ARENA_NEW(s->arena, gm_binding, k->bound_count + 1);
    s->by_member  = GM_ARENA_NEW(s->arena, uint32_t, k->graph->count + 1);
    s->names      = GM_ARENA_NEW(s->arena, gm_str, k->graph->count);
    s->members    = k->graph->count;
    s->key        = gm_arena_str(s->arena, k->graph->key);
    if (s->bindings == NULL || s->by_member == NULL || s->names == NULL || s->key.ptr == NULL) return no_memory(err);
    gm_status st = GM_OK;
    size_t    at = 0;
    for (uint32_t i = 0; st == GM_OK && i < k->graph->count; i++) {
        s->by_member[i] = s->binding_count;
        s->names[i]     = gm_arena_str(s->arena, k->graph->ids[i]);
        if (s->names[i].ptr == NULL) return no_memory(err);
        for (; st == GM_OK && at < k->bound_count && k->bounds[at].member == i; at++)
            st = bind_one(k, &k->bounds[at], err);
    }
    s->by_member[k->graph->count] = s->binding_count;
    return st;
}

gm_status gm_shape_create(gm_behaviors *b, const gm_group_graph *graph, gm_diags *diags, gm_shape **out_shape,
                          gm_error *err)
{
    making    k  = { .b = b, .graph = graph, .diags = diags, .scratch = gm_arena_create(b->alloc, 0) };
    gm_status st = GM_OK;
    *out_shape   = NULL;
    k.shape      = gm_alloc_zeroed(b->alloc, sizeof *k.shape);
    if (k.shape != NULL) k.shape->arena = gm_arena_create(b->alloc, 0);
    if (k.scratch == NULL || k.shape == NULL || k.shape->arena == NULL) st = no_memory(err);
    if (st == GM_OK) st = unfold(&k, err);
    if (st == GM_OK) st = close_connected_inputs(&k, err);
    if (st == GM_OK) st = bind_columns(&k, err);
    if (st == GM_OK) st = gm_compile(k.flat, b->alloc, NULL, diags, &k.shape->program, err);
    if (st == GM_OK) st = lay_bindings(&k, err);
    if (st == GM_OK) {
        *out_shape = k.shape;
        k.shape    = NULL;
    }
    if (k.flat != NULL) gm_index_finish(&k.vars);
    gm_free(b->alloc, k.bounds);
    gm_shape_destroy(b->alloc, k.shape);
    gm_flat_destroy(k.flat);
    gm_arena_destroy(k.scratch);
    return st;
}

void gm_shape_destroy(const gm_alloc *alloc, gm_shape *shape)
{
    if (shape == NULL) return;
    gm_worker_destroy(shape->worker);
    gm_lanes_destroy(shape->lanes);
    gm_plan_destroy(shape->plan);
    gm_program_destroy(shape->program);
    gm_free(alloc, shape->starts);
    gm_arena_destroy(shape->arena);
    gm_free(alloc, shape);
}
