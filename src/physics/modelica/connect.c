// Connection sets (Modelica 3.6, 9.2). Potentials of a set are equal; flows sum to zero, counted positive into the
// component: an inside connector (of a component) with +, an outside one (of the class itself) with -. A flow that is
// connected to nothing from outside is zero.
#include "physics/modelica/flatten.h"

typedef struct node {
    uint32_t var;
    bool     outside, flow;
    uint32_t parent;      // union-find
    uint32_t next, last;  // the set as a list; last is kept at the root
    gm_place at;
    uint32_t length, owner;
} node;

struct connections {
    gm_map   index;  // var * 2 + outside -> node
    node    *nodes;
    uint32_t count, capacity;
};

#define NO_NODE UINT32_MAX

void gm_connect_begin(gm_flatten *F)
{
    F->connections = GM_WORK_NEW(&F->w, struct connections, 1);
}

static uint32_t node_of(gm_flatten *F, uint32_t var, bool outside, bool flow, const gm_ast_equation *q, uint32_t owner)
{
    struct connections *c   = F->connections;
    uint64_t            key = (uint64_t)var * 2 + (flow && outside);
    uint32_t            id  = gm_map_find(&c->index, key);
    if (id != GM_MAP_NONE) return id;
    GM_WORK_RESERVE(&F->w, c->nodes, c->capacity, c->count + 1);
    c->nodes[c->count] = (node) { .var     = var,
                                  .outside = outside,
                                  .flow    = flow,
                                  .parent  = c->count,
                                  .next    = NO_NODE,
                                  .last    = c->count,
                                  .at      = q->at,
                                  .length  = q->length,
                                  .owner   = owner };
    gm_map_put(&F->w, &c->index, key, c->count);
    return c->count++;
}

static uint32_t root_of(struct connections *c, uint32_t id)
{
    while (c->nodes[id].parent != id) {
        c->nodes[id].parent = c->nodes[c->nodes[id].parent].parent;
        id                  = c->nodes[id].parent;
    }
    return id;
}

static void join(struct connections *c, uint32_t a, uint32_t b)
{
    a = root_of(c, a);
    b = root_of(c, b);
    if (a == b) return;
    if (a > b) {  // the older node leads, so that the result does not depend on the order of connects
        uint32_t swap = a;
        a             = b;
        b             = swap;
    }
    c->nodes[c->nodes[a].last].next = b;
    c->nodes[a].last                = c->nodes[b].last;
    c->nodes[b].parent              = a;
}

// ---------------------------------------------------------------------------------------------------- the two ends

typedef struct end { inst *in; uint32_t element; } end;  // element: of an array of prims
typedef struct ends { end *items; uint32_t count, capacity; bool absent, outside; } ends;

static void add_end(gm_flatten *F, ends *list, inst *in, uint32_t element)
{
    GM_WORK_RESERVE(&F->w, list->items, list->capacity, list->count + 1);
    list->items[list->count++] = (end){ in, element };
}

static bool find_ends(gm_flatten *F, const scope *s, inst *in, const gm_ast_ref *ref, uint32_t k, bool subscripts,
                      ends *list)
{
    const gm_ast_part *part = &ref->parts[k];
    gm_ast_part        bare = { .name = part->name, .at = part->at, .length = part->length };
    if (!subscripts) part = &bare;
    bool last = k + 1 == ref->count;
    if (in->disabled || in->lay == NULL) {
        list->absent = true;  // a connection to what does not exist does not exist
        return in->slot->decl->condition != NULL;
    }
    if (in->ndims > 0 && (!in->lay->is_prim || last)) {
        value at = gm_positions_of(F, s, part, in);
        if (at.type == V_ERROR) return false;
        for (uint32_t i = 0; i < at.count; i++) {
            double position = 0;
            gm_ex_is_const(F->ex, gm_value_at(&at, i), &position);
            if (in->lay->is_prim) add_end(F, list, in, (uint32_t)position);
            else if (!find_ends(F, s, &in->elements[(uint32_t)position], ref, k, false, list)) return false;
        }
        return true;
    }
    if (part->subscript_count > 0) {
        gm_flatten_error(F, part->at, part->length, "`" GM_STR_FMT "` is not an array",
                      GM_STR_ARG(gm_name_of(F, part->name)));
        return false;
    }
    if (last) {
        if (!in->lay->is_connector &&
            !(in->parent != NULL && in->parent->lay != NULL && in->parent->lay->is_connector)) {
            gm_flatten_error(F, ref->at, ref->length, "`" GM_STR_FMT "` is " GM_STR_FMT ", not a connector",
                          GM_STR_ARG(in->path), GM_STR_ARG(gm_class_path(F, in->lay->cls)));
            return false;
        }
        add_end(F, list, in, 0);
        return true;
    }
    inst *kid = gm_inst_kid(F, in, ref->parts[k + 1].name);
    if (kid == NULL) {
        gm_str near = gm_layout_nearest(F, in->lay, ref->parts[k + 1].name);
        gm_flatten_error(F, ref->parts[k + 1].at, ref->parts[k + 1].length,
                      "there is no `" GM_STR_FMT "` in `" GM_STR_FMT "`%s" GM_STR_FMT "%s",
                      GM_STR_ARG(gm_name_of(F, ref->parts[k + 1].name)), GM_STR_ARG(gm_class_path(F, in->lay->cls)),
                      near.len > 0 ? "; is `" : "", GM_STR_ARG(near), near.len > 0 ? "` meant?" : "");
        return false;
    }
    return find_ends(F, s, kid, ref, k + 1, true, list);
}

static bool ends_of(gm_flatten *F, const scope *s, const gm_ast_ref *ref, ends *list)
{
    inst *first = gm_inst_kid(F, s->in, ref->parts[0].name);
    if (first == NULL) {
        gm_str near = gm_layout_nearest(F, s->in->lay, ref->parts[0].name);
        gm_flatten_error(F, ref->parts[0].at, ref->parts[0].length,
                      "there is no component `" GM_STR_FMT "` here%s" GM_STR_FMT "%s",
                      GM_STR_ARG(gm_name_of(F, ref->parts[0].name)), near.len > 0 ? "; is `" : "", GM_STR_ARG(near),
                      near.len > 0 ? "` meant?" : "");
        return false;
    }
    list->outside = first->lay != NULL && first->lay->is_connector;
    return find_ends(F, s, first, ref, 0, true, list);
}

// ---------------------------------------------------------------------------------------------------- joining

typedef struct joint {
    const gm_ast_equation *q;
    bool                   outside_a, outside_b;
    uint32_t               owner;
    gm_str                 name_a, name_b;
} joint;

static void join_variables(gm_flatten *F, const joint *j, const inst *a, uint32_t i, const inst *b, uint32_t k)
{
    bool flow_a = (a->flags & GM_AST_FLOW) != 0, flow_b = (b->flags & GM_AST_FLOW) != 0;
    if (flow_a != flow_b || a->lay->prim != b->lay->prim || a->lay->enumeration != b->lay->enumeration) {
        gm_flatten_error(F, j->q->at, j->q->length,
                      flow_a != flow_b ? "`" GM_STR_FMT "` and `" GM_STR_FMT
                                         "` do not fit: one is a flow, the other is not"
                                       : "`" GM_STR_FMT "` and `" GM_STR_FMT "` are of different types",
                      GM_STR_ARG(a->path), GM_STR_ARG(b->path));
        return;
    }
    uint32_t x = node_of(F, a->var + i, j->outside_a, flow_a, j->q, j->owner);
    uint32_t y = node_of(F, b->var + k, j->outside_b, flow_a, j->q, j->owner);
    join(F->connections, x, y);
}

static void join_instances(gm_flatten *F, const joint *j, inst *a, inst *b);

static void join_members(gm_flatten *F, const joint *j, inst *a, inst *b)
{
    for (uint32_t i = 0; i < a->lay->slot_count; i++) {
        inst *x = &a->kids[i];
        gm_inst_ready(F, x);
        inst *y = gm_inst_kid(F, b, a->lay->slots[i].decl->name);
        if (y == NULL || y->disabled != x->disabled) {
            gm_flatten_error(F, j->q->at, j->q->length,
                          "`" GM_STR_FMT "` and `" GM_STR_FMT "` do not fit: `" GM_STR_FMT "` is missing in the second",
                          GM_STR_ARG(j->name_a), GM_STR_ARG(j->name_b),
                          GM_STR_ARG(gm_name_of(F, a->lay->slots[i].decl->name)));
            return;
        }
        if (!x->disabled) join_instances(F, j, x, y);
    }
    for (uint32_t i = 0; i < b->lay->slot_count; i++) {
        if (gm_layout_find(a->lay, b->lay->slots[i].decl->name) != NULL) continue;
        gm_flatten_error(F, j->q->at, j->q->length,
                      "`" GM_STR_FMT "` and `" GM_STR_FMT "` do not fit: `" GM_STR_FMT "` is missing in the first",
                      GM_STR_ARG(j->name_a), GM_STR_ARG(j->name_b),
                      GM_STR_ARG(gm_name_of(F, b->lay->slots[i].decl->name)));
        return;
    }
}

static void join_instances(gm_flatten *F, const joint *j, inst *a, inst *b)
{
    if (a->variability == GM_AST_PARAMETER || a->variability == GM_AST_CONSTANT) return;
    if (a->lay->is_prim != b->lay->is_prim || a->ndims != b->ndims ||
        memcmp(a->dims, b->dims, a->ndims * sizeof *a->dims) != 0) {
        gm_flatten_error(F, j->q->at, j->q->length,
                      "`" GM_STR_FMT "` and `" GM_STR_FMT "` do not fit: `" GM_STR_FMT "` is different in the two",
                      GM_STR_ARG(j->name_a), GM_STR_ARG(j->name_b),
                      GM_STR_ARG(a->slot != NULL ? gm_name_of(F, a->slot->decl->name) : a->path));
        return;
    }
    if (a->lay->is_prim) {
        for (uint32_t i = 0; i < a->count; i++) join_variables(F, j, a, i, b, i);
    } else if (a->ndims > 0) {
        for (uint32_t i = 0; i < a->count; i++) join_members(F, j, &a->elements[i], &b->elements[i]);
    } else {
        join_members(F, j, a, b);
    }
}

void gm_connect_equation(gm_flatten *F, const scope *s, const gm_ast_equation *q)
{
    ends a = { 0 }, b = { 0 };
    bool good = ends_of(F, s, q->left->ref, &a);
    good      = ends_of(F, s, q->right->ref, &b) && good;
    if (!good || a.absent || b.absent) return;
    if (a.count != b.count) {
        gm_flatten_error(F, q->at, q->length, "`" GM_STR_FMT "` is %u connectors, `" GM_STR_FMT "` %u",
                      GM_STR_ARG(gm_ref_text(F, q->left->ref)), a.count, GM_STR_ARG(gm_ref_text(F, q->right->ref)), b.count);
        return;
    }
    joint j = { q, a.outside, b.outside, s->in->owner, gm_ref_text(F, q->left->ref), gm_ref_text(F, q->right->ref) };
    for (uint32_t i = 0; i < a.count; i++) {
        inst *x = a.items[i].in, *y = b.items[i].in;
        gm_flatten_step(F);
        if (x == y && a.items[i].element == b.items[i].element) {
            gm_flatten_error(F, q->at, q->length, "`" GM_STR_FMT "` is connected to itself", GM_STR_ARG(x->path));
        } else if (x->lay->is_prim && y->lay->is_prim) {
            join_variables(F, &j, x, a.items[i].element, y, b.items[i].element);
        } else {
            join_instances(F, &j, x, y);
        }
    }
}

// ---------------------------------------------------------------------------------------------------- equations

static void write_potentials(gm_flatten *F, uint32_t root)
{
    const node *nodes = F->connections->nodes;
    for (uint32_t i = nodes[root].next; i != NO_NODE; i = nodes[i].next) {
        gm_add_equation(F, gm_ex_var(F->ex, nodes[root].var), gm_ex_var(F->ex, nodes[i].var), nodes[i].at, nodes[i].length,
                     nodes[i].owner);
    }
}

static void write_flows(gm_flatten *F, uint32_t root)
{
    const node *nodes = F->connections->nodes;
    gm_ex       sum   = gm_ex_const(F->ex, 0);
    for (uint32_t i = root; i != NO_NODE; i = nodes[i].next) {
        sum = gm_ex_2(F->ex, nodes[i].outside ? GM_EX_SUB : GM_EX_ADD, sum, gm_ex_var(F->ex, nodes[i].var));
    }
    gm_add_equation(F, sum, gm_ex_const(F->ex, 0), nodes[root].at, nodes[root].length, nodes[root].owner);
}

void gm_connect_end(gm_flatten *F)
{
    struct connections *c = F->connections;
    for (uint32_t i = 0; i < c->count; i++) {
        if (root_of(c, i) != i) continue;
        if (c->nodes[i].flow) write_flows(F, i);
        else write_potentials(F, i);
    }
    for (uint32_t i = 0; i < F->flat->var_count; i++) {
        const gm_flat_var *v = &F->flat->vars[i];
        if (!(v->flags & GM_FLAT_FLOW) || v->variability >= GM_FLAT_PARAMETER) continue;
        if (gm_map_find(&c->index, (uint64_t)i * 2) != GM_MAP_NONE) continue;
        gm_add_equation(F, gm_ex_var(F->ex, i), gm_ex_const(F->ex, 0), v->at, 1, v->owner);
    }
}
