#include "query/plan.h"

#include "query/filter.h"
#include "query/probe.h"

#include <assert.h>

// ---- conditions -------------------------------------------------------------------------------------------------

static size_t conjunct_count(const gm_node *where)
{
    return where == NULL ? 0 : where->kind == GM_NODE_AND ? where->count : 1;
}

static const gm_node *conjunct_first(const gm_node *where)
{
    return where != NULL && where->kind == GM_NODE_AND ? where->first : where;
}

static const gm_node *conjunct_next(const gm_node *where, const gm_node *conjunct)
{
    return where->kind == GM_NODE_AND ? conjunct->next : NULL;
}

static bool names_path(const gm_ast *ast, const gm_node *node, uint32_t collection, const char *name)
{
    if (node->kind != GM_NODE_PATH) return false;
    const gm_path *path = &ast->paths[node->path];
    return path->collection == collection && path->count == 1 && gm_str_is(path->segments[0], name);
}

// The ids to which the conditions tie `collection.name` ($dtId, $sourceId ...), if they do: = 'x' or IN [...].
static bool tied_to_ids(const gm_ast *ast, uint32_t collection, const char *name, gm_qset *out_ids)
{
    bool found = false;
    for (const gm_node *c = conjunct_first(ast->where); c != NULL; c = conjunct_next(ast->where, c)) {
        bool equal = c->kind == GM_NODE_COMPARE && c->op == GM_EQ && c->b->kind == GM_NODE_LITERAL;
        if (!equal && c->kind != GM_NODE_IN) continue;
        if (!names_path(ast, c->a, collection, name)) continue;
        gm_qset ids = equal ? (gm_qset){ &c->b->literal, 1 } : c->set;
        if (!found || ids.count < out_ids->count) *out_ids = ids;
        found = true;
    }
    return found;
}

// ---- choosing the start -----------------------------------------------------------------------------------------

// The index that the table would be looked up by, among the first conditions on this collection alone.
static gm_probe best_probe(const gm_filter *filter)
{
    const gm_ast  *ast = filter->eval->ast;
    const gm_node *conditions[64];
    size_t         n = 0;
    for (const gm_node *c = conjunct_first(ast->where); c != NULL && n < 64; c = conjunct_next(ast->where, c)) {
        if (c->collections == 1u << filter->collection) conditions[n++] = c;
    }
    return gm_probe_find(filter, conditions, n);
}

// Rows of the tables on which every condition about this collection alone is possible. A condition that depends on
// rows is taken to let a third through, for want of statistics.
static double estimate_scan(gm_eval *eval, uint32_t collection)
{
    const gm_ast *ast   = eval->ast;
    double        total = 0;
    for (size_t t = 0; t < gm_state_table_count(eval->state); t++) {
        gm_filter filter = { .eval = eval, .table = gm_state_table(eval->state, t), .collection = collection };
        if (filter.table.type == NULL || filter.table.live == 0) continue;
        const gm_binding *binding = gm_eval_binding(eval, filter.table.type);
        if (binding == NULL) return total;
        filter.binding  = *binding;
        double rows     = filter.table.live;
        for (const gm_node *c = conjunct_first(ast->where); c != NULL; c = conjunct_next(ast->where, c)) {
            if (c->collections != 1u << collection) continue;
            unsigned possible = gm_filter_possible(&filter, c);
            if (!(possible & 1u << GM_TRUE)) rows = 0;
            else if (possible != 1u << GM_TRUE) rows /= 3;
        }
        gm_probe probe = best_probe(&filter);
        if (probe.sorted != NULL && (double)probe.rows < rows) rows = (double)probe.rows;
        total += rows;
    }
    return total;
}

static bool choose_relationship_start(const gm_ast *ast, gm_query_plan *plan)
{
    plan->start = GM_START_EDGES;
    if (tied_to_ids(ast, 0, "$sourceId", &plan->ids)) {
        plan->start     = GM_START_EDGES_OF;
        plan->direction = GM_OUT;
    } else if (tied_to_ids(ast, 0, "$targetId", &plan->ids)) {
        plan->start     = GM_START_EDGES_OF;
        plan->direction = GM_IN;
    }
    return true;
}

// False: a collection was asked for at which no plan can start.
static bool choose_start(gm_eval *eval, uint32_t wanted, gm_query_plan *plan)
{
    const gm_ast *ast = eval->ast;
    if (ast->from_relationships) {
        plan->collection = 0;
        plan->rows       = (double)gm_state_relationship_count(eval->state);
        return (wanted == 0 || wanted == GM_NO_COLLECTION) && choose_relationship_start(ast, plan);
    }
    bool found = false;
    for (uint32_t i = 0; i < ast->collection_count; i++) {
        if (ast->collections[i].is_relationship || (wanted != GM_NO_COLLECTION && wanted != i)) continue;
        gm_qset ids;
        bool    tied = tied_to_ids(ast, i, "$dtId", &ids);
        double  rows = tied ? (double)ids.count : estimate_scan(eval, i);
        if (found && rows >= plan->rows) continue;
        found            = true;
        plan->collection = (uint8_t)i;
        plan->rows       = rows;
        plan->start      = tied ? GM_START_TWINS : GM_START_TABLES;
        plan->ids        = tied ? ids : (gm_qset){ 0 };
    }
    return found;
}

// ---- steps and stages -------------------------------------------------------------------------------------------

static gm_step turned(gm_step step)
{
    uint8_t from = step.from;
    step.from    = step.to;
    step.to      = from;
    if (step.direction != GM_ANY) step.direction = step.direction == GM_OUT ? GM_IN : GM_OUT;
    return step;
}

// Follows the steps from what is bound. A pattern is connected, so that every step finds its turn; a step that closes
// a circle (both ends bound) goes first, since it can only remove rows.
static void order_steps(const gm_ast *ast, gm_query_plan *plan)
{
    uint32_t bound = 1u << plan->collection, done = 0;
    while (plan->step_count < ast->step_count) {
        size_t best = SIZE_MAX;
        for (size_t i = 0; i < ast->step_count; i++) {
            if (done & 1u << i) continue;
            bool from = bound & 1u << ast->steps[i].from, to = bound & 1u << ast->steps[i].to;
            if (from && to) {
                best = i;
                break;
            }
            if ((from || to) && best == SIZE_MAX) best = i;
        }
        assert(best != SIZE_MAX);
        gm_step step = ast->steps[best];
        if (!(bound & 1u << step.from)) step = turned(step);
        done |= 1u << best;
        bound |= 1u << step.to;
        plan->steps[plan->step_count++] = step;
    }
}

// Sorts the conditions by the first stage at which all that they speak of is bound.
static gm_status place_conditions(const gm_ast *ast, gm_query_plan *plan, gm_arena *arena)
{
    const gm_node **conditions = GM_ARENA_NEW(arena, const gm_node *, conjunct_count(ast->where));
    if (conditions == NULL) return GM_NOMEM;
    uint32_t bound = 0;
    size_t   count = 0;
    for (size_t stage = 0; stage <= plan->step_count; stage++) {
        uint32_t before = bound;
        if (stage == 0) bound = 1u << plan->collection;
        else {
            const gm_step *step = &plan->steps[stage - 1];
            bound |= 1u << step->to;
            if (step->relationship != GM_NO_COLLECTION) bound |= 1u << step->relationship;
        }
        plan->stages[stage] = count;
        for (const gm_node *c = conjunct_first(ast->where); c != NULL; c = conjunct_next(ast->where, c)) {
            bool ready = (c->collections & ~bound) == 0, was_ready = stage > 0 && (c->collections & ~before) == 0;
            if (ready && !was_ready) conditions[count++] = c;
        }
    }
    plan->stages[plan->step_count + 1] = count;
    plan->conditions                   = conditions;
    return GM_OK;
}

gm_status gm_query_plan_make(gm_eval *eval, uint32_t collection, gm_arena *arena, gm_query_plan *out)
{
    *out = (gm_query_plan){ 0 };
    if (!choose_start(eval, collection, out)) return GM_INVALID;
    if (eval->failed) return GM_NOMEM;
    order_steps(eval->ast, out);
    return place_conditions(eval->ast, out, arena);
}

// ---- explaining -------------------------------------------------------------------------------------------------

static void explain_collection(const gm_ast *ast, uint32_t collection, gm_buf *out)
{
    gm_str name = ast->collections[collection].name;
    if (name.len > 0) gm_buf_printf(out, " %.*s", (int)name.len, name.ptr);
}

static void explain_conditions(const gm_query_plan *plan, size_t stage, gm_buf *out)
{
    size_t n = plan->stages[stage + 1] - plan->stages[stage];
    if (n > 0) gm_buf_printf(out, ", checking %zu condition%s", n, n == 1 ? "" : "s");
    gm_buf_byte(out, '\n');
}

// Tables that are looked up by an index in place of being scanned: one line each.
static void explain_indexes(const gm_query_plan *plan, const gm_eval *eval, gm_buf *out)
{
    gm_eval *e = (gm_eval *)(uintptr_t)eval;  // bindings are remembered in it
    for (size_t t = 0; t < gm_state_table_count(eval->state); t++) {
        gm_filter filter = { .eval = e, .table = gm_state_table(eval->state, t), .collection = plan->collection };
        if (filter.table.type == NULL || filter.table.live == 0) continue;
        const gm_binding *binding = gm_eval_binding(e, filter.table.type);
        if (binding == NULL) return;
        filter.binding = *binding;
        gm_probe probe = best_probe(&filter);
        if (probe.sorted == NULL) continue;
        gm_str path = filter.table.type->columns[probe.column].path;
        gm_buf_printf(out, "look up " GM_STR_FMT " by the index of " GM_STR_FMT ": at most %zu of %u rows\n",
                      GM_STR_ARG(filter.table.type->id), GM_STR_ARG(path), probe.rows, filter.table.live);
    }
}

static void explain_start(const gm_query_plan *plan, const gm_eval *eval, gm_buf *out)
{
    const gm_ast *ast = eval->ast;
    switch (plan->start) {
    case GM_START_TWINS:
        gm_buf_text(out, "look up twins");
        explain_collection(ast, plan->collection, out);
        gm_buf_printf(out, " by $dtId: %zu id%s", plan->ids.count, plan->ids.count == 1 ? "" : "s");
        break;
    case GM_START_TABLES:
        explain_indexes(plan, eval, out);
        gm_buf_text(out, "scan tables of twins");
        explain_collection(ast, plan->collection, out);
        gm_buf_printf(out, ": about %.0f of %zu rows pass", plan->rows, gm_state_twin_count(eval->state));
        break;
    case GM_START_EDGES: gm_buf_printf(out, "scan relationships: %.0f", plan->rows); break;
    case GM_START_EDGES_OF:
        gm_buf_printf(out, "look up relationships by %s: %zu id%s",
                      plan->direction == GM_OUT ? "$sourceId" : "$targetId", plan->ids.count,
                      plan->ids.count == 1 ? "" : "s");
        break;
    }
    explain_conditions(plan, 0, out);
}

static void explain_step(const gm_query_plan *plan, const gm_eval *eval, size_t i, gm_buf *out)
{
    static const char *const verbs[] = { "follow", "follow back", "follow either way" };
    const gm_step           *step    = &plan->steps[i];
    gm_buf_text(out, verbs[step->direction]);
    gm_buf_text(out, " from");
    explain_collection(eval->ast, step->from, out);
    for (size_t n = 0; n < step->name_count; n++) {
        gm_buf_printf(out, "%s%.*s", n == 0 ? " by " : "|", (int)step->names[n].len, step->names[n].ptr);
    }
    if (step->hops_max > 1) gm_buf_printf(out, ", %u to %u hops,", step->hops_min, step->hops_max);
    gm_buf_text(out, " to");
    explain_collection(eval->ast, step->to, out);
    explain_conditions(plan, i + 1, out);
}

void gm_query_plan_explain(const gm_query_plan *plan, const gm_eval *eval, gm_buf *out)
{
    const gm_ast *ast = eval->ast;
    explain_start(plan, eval, out);
    for (size_t i = 0; i < plan->step_count; i++) explain_step(plan, eval, i, out);
    if (ast->group_keys != NULL) gm_buf_text(out, "group\n");
    if (ast->aggregate_count > 0)
        gm_buf_printf(out, "aggregate %zu value%s\n", ast->aggregate_count, ast->aggregate_count == 1 ? "" : "s");
    if (ast->order_count > 0)
        gm_buf_printf(out, "sort by %zu value%s\n", ast->order_count, ast->order_count == 1 ? "" : "s");
    if (ast->offset > 0) gm_buf_printf(out, "skip %llu\n", (unsigned long long)ast->offset);
    if (ast->limit != UINT64_MAX) gm_buf_printf(out, "stop after %llu\n", (unsigned long long)ast->limit);
}
