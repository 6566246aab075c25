// Nodes in one array, their inputs in another, names found by hash.
#include "reliability/tree.h"

#include "base/arena.h"
#include "base/index.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

typedef struct node {
    gm_gate      kind;
    bool         value;
    uint32_t     min, max, count, parents;
    gm_tree_edge *inputs;
    gm_str       name, label;
    double       probability;
} node;

struct gm_fault_tree {
    const gm_alloc *alloc;
    gm_arena       *arena;  // names and inputs
    gm_index        names;
    node           *nodes;
    size_t          count, capacity;
    gm_status       st;     // the first refusal that a function without status met
};

static bool same_name(const void *owner, uint32_t id, gm_str key)
{
    return gm_str_eq(((const gm_fault_tree *)owner)->nodes[id].name, key);
}

gm_fault_tree *gm_fault_tree_create(const gm_alloc *alloc)
{
    gm_fault_tree *t = gm_alloc_zeroed(alloc, sizeof *t);
    if (t == NULL) return NULL;
    t->alloc = alloc;
    t->arena = gm_arena_create(alloc, 0);
    t->names = gm_index_init(alloc, same_name, t);
    if (t->arena != NULL) return t;
    gm_fault_tree_destroy(t);
    return NULL;
}

void gm_fault_tree_destroy(gm_fault_tree *t)
{
    if (t == NULL) return;
    gm_index_finish(&t->names);
    gm_free(t->alloc, t->nodes);
    gm_arena_destroy(t->arena);
    gm_free(t->alloc, t);
}

gm_tree_node gm_fault_tree_anonymous(gm_fault_tree *t)
{
    if (t->count >= GM_TREE_NODES_MAX) t->st = GM_LIMIT;
    else if (!gm_alloc_reserve(t->alloc, &t->nodes, &t->capacity, t->count + 1, sizeof *t->nodes)) t->st = GM_NOMEM;
    if (t->st != GM_OK) return (gm_tree_node){ 0 };
    t->nodes[t->count] = (node){ .kind = GM_GATE_NONE };
    return (gm_tree_node){ (uint32_t)t->count++ };
}

gm_tree_node gm_fault_tree_name(gm_fault_tree *t, gm_str name)
{
    uint32_t known = gm_index_find(&t->names, name);
    if (known != GM_INDEX_NONE) return (gm_tree_node){ known };
    gm_tree_node n = gm_fault_tree_anonymous(t);
    if (t->st != GM_OK) return n;
    gm_str copy = gm_arena_str(t->arena, name);
    if (copy.ptr == NULL) { t->st = GM_NOMEM; return n; }
    t->nodes[n.v].name = copy;
    if (gm_index_add(&t->names, copy, n.v) != GM_OK) t->st = GM_NOMEM;
    return n;
}

bool gm_fault_tree_find(const gm_fault_tree *t, gm_str name, gm_tree_node *out_node)
{
    uint32_t known = gm_index_find(&t->names, name);
    *out_node = (gm_tree_node){ known };
    return known != GM_INDEX_NONE;
}

void gm_fault_tree_label(gm_fault_tree *t, gm_tree_node n, gm_str label)
{
    if (t->st != GM_OK) return;
    gm_str copy = gm_arena_str(t->arena, label);
    if (copy.ptr == NULL) t->st = GM_NOMEM;
    else t->nodes[n.v].label = copy;
}

static gm_str name_of(const gm_fault_tree *t, gm_tree_node n)
{
    gm_str name = t->nodes[n.v].name;
    return name.len > 0 ? name : GM_STR("(a formula without name)");
}

// The node to be defined, or why it can not be.
static gm_status begin(gm_fault_tree *t, gm_tree_node n, node **out, gm_error *err)
{
    *out = NULL;
    if (t->st == GM_LIMIT) return gm_fail(err, GM_LIMIT, "reliability", "more than %d events and gates", GM_TREE_NODES_MAX);
    if (t->st != GM_OK) return gm_fail(err, t->st, "reliability", "building the fault tree");
    assert(n.v < t->count);
    if (t->nodes[n.v].kind != GM_GATE_NONE) {
        return gm_fail(err, GM_CONFLICT, "reliability", "'" GM_STR_FMT "' is defined twice", GM_STR_ARG(name_of(t, n)));
    }
    *out = &t->nodes[n.v];
    return GM_OK;
}

static gm_status check_probability(const gm_fault_tree *t, gm_tree_node n, double p, gm_error *err)
{
    if (isnan(p) || (p >= 0 && p <= 1)) return GM_OK;
    return gm_fail(err, GM_INVALID, "reliability", "the probability of '" GM_STR_FMT "' is %g; it must lie in 0..1",
                   GM_STR_ARG(name_of(t, n)), p);
}

gm_status gm_fault_tree_event(gm_fault_tree *t, gm_tree_node n, double probability, gm_error *err)
{
    node     *x;
    gm_status st = begin(t, n, &x, err);
    if (st == GM_OK) st = check_probability(t, n, probability, err);
    if (st != GM_OK) return st;
    x->kind        = GM_GATE_EVENT;
    x->probability = probability;
    return GM_OK;
}

gm_status gm_fault_tree_set(gm_fault_tree *t, gm_tree_node event, double probability, gm_error *err)
{
    assert(t->nodes[event.v].kind == GM_GATE_EVENT);
    gm_status st = check_probability(t, event, probability, err);
    if (st == GM_OK) t->nodes[event.v].probability = probability;
    return st;
}

gm_status gm_fault_tree_constant(gm_fault_tree *t, gm_tree_node n, bool value, gm_error *err)
{
    node     *x;
    gm_status st = begin(t, n, &x, err);
    if (st != GM_OK) return st;
    x->kind  = GM_GATE_CONSTANT;
    x->value = value;
    return GM_OK;
}

gm_status gm_fault_tree_gate(gm_fault_tree *t, gm_tree_node n, gm_gate kind, uint32_t min, uint32_t max,
                             const gm_tree_edge *inputs, uint32_t count, gm_error *err)
{
    assert(kind >= GM_GATE_AND && kind <= GM_GATE_CARDINALITY);
    node     *x;
    gm_status st = begin(t, n, &x, err);
    if (st != GM_OK) return st;
    if (count == 0) return gm_fail(err, GM_INVALID, "reliability", "gate '" GM_STR_FMT "' has no inputs", GM_STR_ARG(name_of(t, n)));
    if (kind == GM_GATE_CARDINALITY && (min > count || max > count || min > max)) {
        return gm_fail(err, GM_INVALID, "reliability", "gate '" GM_STR_FMT "' asks for %u to %u true inputs and has %u",
                       GM_STR_ARG(name_of(t, n)), min, max, count);
    }
    gm_tree_edge *copy = GM_ARENA_NEW(t->arena, gm_tree_edge, count);
    if (copy == NULL) return gm_fail(err, GM_NOMEM, "reliability", "building the fault tree");
    for (uint32_t i = 0; i < count; i++) {
        copy[i] = inputs[i];
        t->nodes[gm_tree_target(inputs[i]).v].parents++;
    }
    *x = (node){ .kind = kind, .min = min, .max = max, .inputs = copy, .count = count, .parents = x->parents,
                 .name = x->name, .label = x->label };
    return GM_OK;
}

uint32_t gm_fault_tree_count(const gm_fault_tree *t) { return (uint32_t)t->count; }

gm_tree_view gm_fault_tree_view(const gm_fault_tree *t, gm_tree_node n)
{
    const node *x = &t->nodes[n.v];
    return (gm_tree_view){ .kind = x->kind, .name = x->name, .label = x->label, .probability = x->probability, .value = x->value,
                           .min = x->min, .max = x->max, .inputs = x->inputs, .count = x->count, .parents = x->parents };
}

// ---- checking: a depth-first walk with a stack of its own, since trees may be deep --------------------------------------

typedef struct frame { uint32_t node, next; } frame;
enum { UNSEEN, OPEN, DONE };

static gm_status say_loop(const gm_fault_tree *t, const frame *stack, size_t depth, uint32_t again, gm_error *err)
{
    char   text[160];
    size_t used = 0, first = depth;
    while (first > 0 && stack[first - 1].node != again) first--;
    for (size_t i = first > 0 ? first - 1 : 0; i < depth; i++) {
        gm_str name = t->nodes[stack[i].node].name;
        if (name.len == 0) continue;
        int n = snprintf(text + used, sizeof text - used, GM_STR_FMT " -> ", GM_STR_ARG(name));
        if (n < 0 || used + (size_t)n >= sizeof text) break;
        used += (size_t)n;
    }
    text[used] = 0;
    return gm_fail(err, GM_INVALID, "reliability", "a gate contains itself: %s" GM_STR_FMT, text, GM_STR_ARG(name_of(t, (gm_tree_node){ again })));
}

gm_status gm_fault_tree_check(const gm_fault_tree *t, gm_tree_node top, gm_error *err)
{
    if (t->st != GM_OK) return gm_fail(err, t->st, "reliability", "building the fault tree");
    gm_status st    = GM_OK;
    size_t    depth = 0;
    uint8_t  *seen  = gm_alloc_zeroed(t->alloc, t->count);
    frame    *stack = gm_alloc_array(t->alloc, t->count, sizeof *stack);
    if (seen == NULL || stack == NULL) { st = gm_fail(err, GM_NOMEM, "reliability", "checking the fault tree"); goto done; }
    stack[depth++] = (frame){ top.v, 0 };
    seen[top.v]    = OPEN;
    while (depth > 0) {
        frame      *f = &stack[depth - 1];
        const node *x = &t->nodes[f->node];
        if (x->kind == GM_GATE_NONE) {
            st = gm_fail(err, GM_INVALID, "reliability", "'" GM_STR_FMT "' is used but not defined", GM_STR_ARG(name_of(t, (gm_tree_node){ f->node })));
            break;
        }
        if (f->next == x->count) {
            seen[f->node] = DONE;
            depth--;
            continue;
        }
        uint32_t child = gm_tree_target(x->inputs[f->next++]).v;
        if (seen[child] == OPEN) { st = say_loop(t, stack, depth, child, err); break; }
        if (seen[child] == DONE) continue;
        seen[child]    = OPEN;
        stack[depth++] = (frame){ child, 0 };
    }
done:
    gm_free(t->alloc, seen);
    gm_free(t->alloc, stack);
    return st;
}
