// Walking a plan: starts one after the other, from each start outward along the steps, depth first.
//
// Invariants: (1) rows come in an order that depends on positions only (tables by number, rows by index, relationships
// as the graph lists them), so that (a, b, skip) says where a walk stood; (2) what is bound satisfies all conditions of
// the stages behind it; (3) recursion is as deep as the hops of the pattern, at most GM_HOPS_MAX and the joins.
#include "query/run.h"

#include "query/path_count.h"
#include "query/probe.h"

static bool check_stage(gm_run *run, size_t stage)
{
    gm_eval *e = &run->eval;
    if (run->plan.stages[stage] == run->plan.stages[stage + 1]) return true;
    gm_mark mark = gm_arena_mark(e->scratch);
    bool    ok   = true;
    for (size_t i = run->plan.stages[stage]; ok && i < run->plan.stages[stage + 1]; i++) {
        ok = gm_eval_truth(e, run->plan.conditions[i]) == GM_TRUE;
        gm_arena_rewind(e->scratch, mark);
    }
    if (e->failed) run->status = GM_NOMEM;
    return ok && run->status == GM_OK;
}

// ---- steps ------------------------------------------------------------------------------------------------------

static gm_flow walk_from(gm_run *run, size_t step);

bool gm_run_name_fits(const gm_run *run, size_t step, gm_edge edge)
{
    size_t n = run->plan.steps[step].name_count;
    if (n == 0) return true;
    uint32_t name = gm_state_edge_name(run->eval.state, edge);
    for (size_t i = 0; i < n; i++) {
        if (run->names[step][i] == name) return true;
    }
    return false;
}

static bool on_trail(const gm_run *run, gm_edge edge)
{
    for (size_t i = 0; i < run->trail_length; i++) {
        if (run->trail[i] == edge.v) return true;
    }
    return false;
}

// The step has led to the twin: bind it (or, when the pattern comes back to a twin, compare) and go on.
static gm_flow arrive(gm_run *run, size_t index, gm_twin twin)
{
    gm_eval       *e    = &run->eval;
    const gm_step *step = &run->plan.steps[index];
    uint32_t       before = e->bound[step->to];
    if (before != GM_NONE && before != twin.v) return GM_GO_ON;
    gm_eval_bind_twin(e, step->to, twin);
    gm_flow flow = check_stage(run, index + 1) ? walk_from(run, index + 1) : GM_GO_ON;
    if (before == GM_NONE) e->bound[step->to] = GM_NONE;
    return run->status == GM_OK ? flow : GM_STOP;
}

static gm_flow hop(gm_run *run, size_t index, gm_twin at, uint32_t hops);

// Crosses one relationship, if the step allows it, and goes on from its far end.
static gm_flow cross(gm_run *run, size_t index, gm_edge edge, gm_twin far, uint32_t hops)
{
    const gm_step *step = &run->plan.steps[index];
    bool           once = run->eval.ast->is_match;
    if (!gm_fence_shows(run->fence, far)) return GM_GO_ON;
    run->work++;
    if (!gm_run_name_fits(run, index, edge) || (once && on_trail(run, edge))) return GM_GO_ON;
    if (once) run->trail[run->trail_length++] = edge.v;
    if (step->relationship != GM_NO_COLLECTION) gm_eval_bind_edge(&run->eval, step->relationship, edge);
    gm_flow flow = hop(run, index, far, hops + 1);
    if (once) run->trail_length--;
    if (step->relationship != GM_NO_COLLECTION) run->eval.bound[step->relationship] = GM_NONE;
    return flow;
}

// Rows that end with the next hop need only be counted, when nothing is asked of the twins they lead to.
static bool only_counts_ends(const gm_run *run, size_t index, uint32_t hops)
{
    const gm_step *step = &run->plan.steps[index];
    return run->counting && index + 1 == run->plan.step_count && hops + 1 == step->hops_max &&
           run->eval.bound[step->to] == GM_NONE && run->plan.stages[index + 1] == run->plan.stages[index + 2];
}

static void count_ends(gm_run *run, size_t index, gm_twin at)
{
    const gm_step  *step  = &run->plan.steps[index];
    const gm_state *state = run->eval.state;
    bool            once  = run->eval.ast->is_match;
    for (gm_edge e = gm_state_first_out(state, at); step->direction != GM_IN && gm_edge_ok(e);
         e         = gm_state_next_out(state, e)) {
        if (!gm_fence_shows(run->fence, gm_state_edge_target(state, e))) continue;
        run->work++;
        run->counted += gm_run_name_fits(run, index, e) && !(once && on_trail(run, e));
    }
    for (gm_edge e = gm_state_first_in(state, at); step->direction != GM_OUT && gm_edge_ok(e);
         e         = gm_state_next_in(state, e)) {
        if (!gm_fence_shows(run->fence, gm_state_edge_source(state, e))) continue;
        run->work++;
        if (step->direction == GM_ANY && gm_state_edge_source(state, e).v == at.v) continue;
        run->counted += gm_run_name_fits(run, index, e) && !(once && on_trail(run, e));
    }
}

static gm_flow hop(gm_run *run, size_t index, gm_twin at, uint32_t hops)
{
    const gm_step  *step  = &run->plan.steps[index];
    const gm_state *state = run->eval.state;
    gm_flow         flow  = GM_GO_ON;
    if (hops >= step->hops_min) flow = arrive(run, index, at);
    if (flow == GM_STOP || hops == step->hops_max) return flow;
    if (only_counts_ends(run, index, hops)) {
        count_ends(run, index, at);
        return GM_GO_ON;
    }
    if (step->direction != GM_IN) {
        for (gm_edge e = gm_state_first_out(state, at); flow == GM_GO_ON && gm_edge_ok(e);
             e         = gm_state_next_out(state, e)) {
            flow = cross(run, index, e, gm_state_edge_target(state, e), hops);
        }
    }
    if (step->direction != GM_OUT) {
        for (gm_edge e = gm_state_first_in(state, at); flow == GM_GO_ON && gm_edge_ok(e);
             e         = gm_state_next_in(state, e)) {
            gm_twin source = gm_state_edge_source(state, e);
            // A relationship of a twin with itself was crossed on the way out already.
            if (step->direction == GM_ANY && source.v == at.v) continue;
            flow = cross(run, index, e, source, hops);
        }
    }
    return flow;
}

static gm_flow walk_from(gm_run *run, size_t step)
{
    if (run->paths != NULL) {
        gm_path_count_from(run->paths, (gm_twin){ run->eval.bound[run->plan.collection] });
        return GM_GO_ON;
    }
    if (step == run->plan.step_count) return run->row(run);
    return hop(run, step, (gm_twin){ run->eval.bound[run->plan.steps[step].from] }, 0);
}

// ---- starts -----------------------------------------------------------------------------------------------------

static void begin_start(gm_run *run, uint64_t a, uint64_t b)
{
    bool resumed     = a == run->resume_a && b == run->resume_b;
    run->at.a        = a;
    run->at.b        = b;
    run->at.skip     = 0;
    if (!resumed) run->resume_skip = 0;
}

// Between starts the walk may pause: the next page begins with the next start.
static bool out_of_budget(gm_run *run, uint64_t a, uint64_t b)
{
    if (run->work_max == 0 || run->work < run->work_max) return false;
    if (run->paths != NULL) gm_path_count_finish(run->paths);
    run->at.a = a;
    run->at.b = b;
    run->at.skip = 0;
    run->more    = true;
    return true;
}

static gm_flow start_rows(gm_run *run, const gm_table *table, size_t t, uint32_t first, size_t n, const uint8_t *mask)
{
    const uint8_t *end   = mask + n;
    bool           begun = false;
    for (const uint8_t *m = mask; (m = memchr(m, 1, (size_t)(end - m))) != NULL; m++) {
        uint32_t row = first + (uint32_t)(m - mask);
        // A start may lead far, so the walk may pause before each but the first: that one makes sure that it gets on.
        if (begun && run->plan.step_count > 0 && out_of_budget(run, t, row)) return GM_STOP;
        begun = true;
        begin_start(run, t, row);
        gm_eval_bind_twin(&run->eval, run->plan.collection, (gm_twin){ table->twins[row] });
        if (walk_from(run, 0) == GM_STOP) return GM_STOP;
    }
    return GM_GO_ON;
}

// Clears what the fence does not show.
static void keep_inside(const gm_fence *fence, const uint32_t *twins, size_t n, uint8_t *mask)
{
    for (size_t i = 0; i < n; i++) {
        if (mask[i] != 0 && !gm_fence_shows(fence, (gm_twin){ twins[i] })) mask[i] = 0;
    }
}

static gm_flow walk_table(gm_run *run, gm_filter *filter, size_t t, uint32_t from)
{
    const gm_query_plan *plan = &run->plan;
    uint8_t        mask[GM_MASK_BLOCK];
    for (uint32_t first = from; first < filter->table.rows;) {
        size_t n = filter->table.rows - first < GM_MASK_BLOCK ? filter->table.rows - first : GM_MASK_BLOCK;
        if (out_of_budget(run, t, first)) return GM_STOP;
        memset(mask, 1, n);
        if (filter->table.live < filter->table.rows) gm_mask_twins(n, filter->table.twins + first, mask);
        if (run->fence != NULL) keep_inside(run->fence, filter->table.twins + first, n, mask);
        for (size_t i = plan->stages[0]; i < plan->stages[1]; i++) {
            gm_filter_rows(filter, plan->conditions[i], first, n, mask);
            if (i + 1 < plan->stages[1] && memchr(mask, 1, n) == NULL) break;
        }
        run->work += n;
        if (run->eval.failed) {
            run->status = GM_NOMEM;
            return GM_STOP;
        }
        bool taken = run->block != NULL && plan->step_count == 0 && run->block(run, filter, first, n, mask);
        if (run->status != GM_OK) return GM_STOP;
        if (!taken && start_rows(run, &filter->table, t, first, n, mask) == GM_STOP) return GM_STOP;
        first += (uint32_t)n;
    }
    return GM_GO_ON;
}

// The rows that the index leaves, one by one: in the order of a scan, so that a walk may go on where another one stood.
static gm_flow walk_probe(gm_run *run, gm_filter *filter, size_t t, uint32_t from, const gm_probe *probe)
{
    const gm_query_plan *plan = &run->plan;
    size_t    count;
    uint32_t *rows = gm_probe_rows(probe, filter, run->eval.scratch, &count);
    if (rows == NULL) {
        run->status = GM_NOMEM;
        return GM_STOP;
    }
    bool begun = false;
    for (size_t i = 0; i < count; i++) {
        uint8_t mask = 1;
        if (rows[i] < from) continue;
        if (begun && out_of_budget(run, t, rows[i])) return GM_STOP;
        begun = true;
        if (run->fence != NULL) keep_inside(run->fence, filter->table.twins + rows[i], 1, &mask);
        if (mask == 0) continue;
        run->work++;
        for (size_t c = plan->stages[0]; mask != 0 && c < plan->stages[1]; c++) {
            gm_filter_rows(filter, plan->conditions[c], rows[i], 1, &mask);
        }
        if (run->eval.failed) run->status = GM_NOMEM;
        if (run->status != GM_OK) return GM_STOP;
        if (mask == 0) continue;
        bool taken = run->block != NULL && plan->step_count == 0 && run->block(run, filter, rows[i], 1, &mask);
        if (run->status != GM_OK) return GM_STOP;
        if (!taken && start_rows(run, &filter->table, t, rows[i], 1, &mask) == GM_STOP) return GM_STOP;
    }
    return GM_GO_ON;
}

static void walk_tables(gm_run *run)
{
    const gm_query_plan *plan = &run->plan;
    for (size_t t = run->at.a; t < gm_state_table_count(run->eval.state); t++) {
        gm_filter filter = { .eval       = &run->eval,
                             .table      = gm_state_table(run->eval.state, t),
                             .collection = plan->collection };
        uint32_t  from   = t == run->resume_a ? (uint32_t)run->resume_b : 0;
        if (filter.table.type == NULL || filter.table.live == 0) continue;
        gm_mark mark = gm_arena_mark(run->eval.scratch);
        if (gm_bind(run->eval.ast, filter.table.type, run->eval.scratch, &filter.binding) != GM_OK) {
            run->status = GM_NOMEM;
            return;
        }
        bool possible = true;
        for (size_t i = plan->stages[0]; possible && i < plan->stages[1]; i++) {
            possible = gm_filter_possible(&filter, plan->conditions[i]) & 1u << GM_TRUE;
        }
        gm_flow flow   = GM_GO_ON;
        size_t  checks = plan->stages[1] - plan->stages[0], count;
        bool    whole  = run->counting && run->fence == NULL && plan->step_count == 0 && from == 0;
        if (possible && whole && gm_probe_count(&filter, plan->conditions + plan->stages[0], checks, &count)) {
            run->counted += count;
            run->work++;
        } else if (possible) {
            gm_probe probe = gm_probe_find(&filter, plan->conditions + plan->stages[0], checks);
            flow = probe.sorted != NULL ? walk_probe(run, &filter, t, from, &probe) : walk_table(run, &filter, t, from);
        }
        gm_arena_rewind(run->eval.scratch, mark);
        if (flow == GM_STOP) return;
    }
}

static gm_twin listed_twin(const gm_run *run, uint64_t i)
{
    gm_qvalue id = run->plan.ids.values[i];
    return id.kind == GM_Q_STRING ? gm_state_find(run->eval.state, id.s) : (gm_twin){ GM_NONE };
}

static void walk_listed(gm_run *run)
{
    for (uint64_t i = run->at.a; i < run->plan.ids.count; i++) {
        if (out_of_budget(run, i, 0)) return;
        run->work++;
        gm_twin twin = listed_twin(run, i);
        if (!gm_twin_ok(twin) || !gm_fence_shows(run->fence, twin)) continue;
        begin_start(run, i, 0);
        gm_eval_bind_twin(&run->eval, run->plan.collection, twin);
        if (!check_stage(run, 0)) {
            if (run->status != GM_OK) return;
            continue;
        }
        if (walk_from(run, 0) == GM_STOP) return;
    }
}

static gm_flow start_edge(gm_run *run, gm_edge edge)
{
    if (!gm_fence_shows_edge(run->fence, run->eval.state, edge)) return GM_GO_ON;
    run->work++;
    gm_eval_bind_edge(&run->eval, run->plan.collection, edge);
    if (!check_stage(run, 0)) return run->status == GM_OK ? GM_GO_ON : GM_STOP;
    return run->row(run);
}

static void walk_edges(gm_run *run)
{
    uint32_t limit = gm_state_edge_limit(run->eval.state);
    for (uint64_t i = run->at.a; i < limit; i++) {
        gm_edge edge;
        if (out_of_budget(run, i, 0)) return;
        if (!gm_state_edge_at(run->eval.state, (uint32_t)i, &edge)) continue;
        begin_start(run, i, 0);
        if (start_edge(run, edge) == GM_STOP) return;
    }
}

static void walk_edges_of(gm_run *run)
{
    const gm_state *state = run->eval.state;
    bool            out   = run->plan.direction == GM_OUT;
    for (uint64_t i = run->at.a; i < run->plan.ids.count; i++) {
        if (out_of_budget(run, i, 0)) return;
        run->work++;
        gm_twin twin = listed_twin(run, i);
        if (!gm_twin_ok(twin)) continue;
        begin_start(run, i, 0);
        gm_edge e = out ? gm_state_first_out(state, twin) : gm_state_first_in(state, twin);
        for (; gm_edge_ok(e); e = out ? gm_state_next_out(state, e) : gm_state_next_in(state, e)) {
            if (start_edge(run, e) == GM_STOP) return;
        }
    }
}

void gm_run_walk(gm_run *run)
{
    run->resume_a    = run->at.a;
    run->resume_b    = run->at.b;
    run->resume_skip = run->at.skip;
    if (gm_path_count_fits(run) && gm_path_count_create(run, &run->paths) != GM_OK) {
        run->status = GM_NOMEM;
        return;
    }
    switch (run->plan.start) {
    case GM_START_TABLES: walk_tables(run); break;
    case GM_START_TWINS: walk_listed(run); break;
    case GM_START_EDGES: walk_edges(run); break;
    case GM_START_EDGES_OF: walk_edges_of(run); break;
    }
    if (run->paths != NULL && run->status == GM_OK) gm_path_count_finish(run->paths);
}
