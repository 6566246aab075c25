// Preparing, running, explaining. What a run does with its rows depends on the query: they are written as they come,
// counted, or collected first when they have to be sorted or grouped.
#include "query/query.h"

#include "query/run.h"

#include <assert.h>

struct gm_query {
    const gm_alloc *alloc;
    gm_arena       *arena;
    gm_ast         *ast;
};

enum { PREPARED_MAX = 64 << 20 };

gm_status gm_query_prepare(const gm_alloc *alloc, gm_str text, gm_query **out_query, gm_error *err)
{
    *out_query = NULL;
    if (text.len > GM_QUERY_TEXT_MAX) {
        return gm_fail(err, GM_LIMIT, "query", "the query is longer than %d bytes", (int)GM_QUERY_TEXT_MAX);
    }
    gm_status st    = GM_NOMEM;
    gm_query *query = gm_alloc_zeroed(alloc, sizeof *query);
    if (query != NULL) {
        query->alloc = alloc;
        query->arena = gm_arena_create(alloc, PREPARED_MAX);
    }
    if (query != NULL && query->arena != NULL) st = gm_query_parse(query->arena, text, &query->ast, err);
    else gm_fail(err, GM_NOMEM, "query", "preparing a query of %zu bytes", text.len);
    if (st == GM_OK) {
        *out_query = query;
        query      = NULL;
    }
    gm_query_destroy(query);
    return st;
}

void gm_query_destroy(gm_query *query)
{
    if (query == NULL) return;
    gm_arena_destroy(query->arena);
    gm_free(query->alloc, query);
}

gm_str gm_query_text(const gm_query *query)
{
    return query->ast->text;
}

bool gm_query_as_of(const gm_query *query, gm_time_ns *out_time)
{
    *out_time = query->ast->as_of;
    return query->ast->has_as_of;
}

// ---- a run ------------------------------------------------------------------------------------------------------

typedef struct page_writer {
    gm_query_page *page;
    gm_buf        *out;
    size_t         out_start;
    gm_rowset  *rowset;
} page_writer;

// Memory of a run: what lives as long as it, and what is rewound row by row.
typedef struct run_memory { gm_arena *lasting, *scratch; } run_memory;

static gm_status open_run(const gm_query *query, const gm_state *state, gm_run *run, run_memory *memory)
{
    *run            = (gm_run){ 0 };
    memory->lasting = gm_arena_create(query->alloc, GM_QUERY_MEMORY_MAX);
    memory->scratch = gm_arena_create(query->alloc, GM_QUERY_MEMORY_MAX);
    if (memory->lasting == NULL || memory->scratch == NULL) return GM_NOMEM;
    return gm_eval_init(&run->eval, query->ast, state, memory->lasting, memory->scratch);
}

static void close_run(run_memory *memory)
{
    gm_arena_destroy(memory->lasting);
    gm_arena_destroy(memory->scratch);
}

static gm_status resolve_names(gm_run *run)
{
    for (size_t i = 0; i < run->plan.step_count; i++) {
        const gm_step *step = &run->plan.steps[i];
        run->names[i]       = GM_ARENA_NEW(run->eval.memory, uint32_t, step->name_count);
        if (run->names[i] == NULL) return GM_NOMEM;
        for (size_t n = 0; n < step->name_count; n++)
            run->names[i][n] = gm_state_name_number(run->eval.state, step->names[n]);
    }
    return GM_OK;
}

static bool page_is_full(const page_writer *w)
{
    return w->page->items >= w->page->items_max || w->out->len - w->out_start > GM_QUERY_PAGE_BYTES;
}

static void write_item(gm_run *run, page_writer *w)
{
    if (w->page->items > 0) gm_buf_byte(w->out, ',');
    gm_row_write(&run->eval, w->out);
    w->page->items++;
    if (w->out->failed || run->eval.failed) run->status = GM_NOMEM;
}

// The next row, when rows are written as they come.
static gm_flow row_to_page(gm_run *run)
{
    page_writer *w     = run->context;
    uint64_t     index = run->at.skip++;
    if (index < run->resume_skip) return GM_GO_ON;
    if (run->at.offset_left > 0) {
        run->at.offset_left--;
        return GM_GO_ON;
    }
    if (page_is_full(w)) {
        // Looking one row ahead tells a full page from the last one; the next page begins with this row.
        run->at.skip = index;
        run->more    = true;
        return GM_STOP;
    }
    write_item(run, w);
    run->at.limit_left--;
    return run->status != GM_OK || run->at.limit_left == 0 ? GM_STOP : GM_GO_ON;
}

static gm_flow row_counted(gm_run *run)
{
    run->counted++;
    return GM_GO_ON;
}

static bool block_counted(gm_run *run, gm_filter *filter, uint32_t first, size_t n, uint8_t *mask)
{
    (void)filter;
    (void)first;
    run->counted += gm_mask_count(n, mask);
    return true;
}

static bool block_collected(gm_run *run, gm_filter *filter, uint32_t first, size_t n, uint8_t *mask)
{
    page_writer *w = run->context;
    return gm_rowset_add_block(w->rowset, filter, first, n, mask, &run->status);
}

static gm_flow row_collected(gm_run *run)
{
    page_writer *w = run->context;
    run->status    = gm_rowset_add(w->rowset);
    return run->status == GM_OK ? GM_GO_ON : GM_STOP;
}

// SELECT COUNT() alone: nothing has to be kept, and the walk can pause with the count so far.
static bool only_counts(const gm_ast *ast)
{
    return ast->grouped && ast->group_keys == NULL && ast->item_count == 1 &&
           ast->items[0].value->kind == GM_NODE_AGGREGATE && ast->items[0].value->op == GM_COUNT &&
           ast->items[0].value->of == NULL && ast->order_count == 0;
}

static void run_count(gm_run *run, page_writer *w)
{
    const gm_ast *ast = run->eval.ast;
    run->row          = row_counted;
    run->block        = block_counted;
    run->counting     = true;
    run->counted      = run->at.done;
    bool all = run->fence == NULL;
    if (all && ast->from_relationships && ast->where == NULL) run->counted = gm_state_relationship_count(run->eval.state);
    else if (all && !ast->from_relationships && ast->where == NULL && ast->step_count == 0)
        run->counted = gm_state_twin_count(run->eval.state);
    else gm_run_walk(run);
    run->at.done = run->counted;
    if (run->more || run->status != GM_OK || ast->limit == 0 || ast->offset > 0) return;
    gm_qvalue count      = { GM_Q_INT, { .i = (int64_t)run->counted } };
    run->eval.aggregates = &count;
    write_item(run, w);
}

static void run_collected(gm_run *run, page_writer *w)
{
    // at.done rows were given on earlier pages. One row more than the page needs tells whether there is another page.
    const gm_ast *ast  = run->eval.ast;
    uint64_t      skip =
        ast->offset > UINT64_MAX / 4 || run->at.done > UINT64_MAX / 4 ? UINT64_MAX / 4 : ast->offset + run->at.done;
    uint64_t last   = run->at.limit_left < w->page->items_max ? run->at.limit_left : (uint64_t)w->page->items_max + 1;
    w->rowset       = gm_rowset_create(&run->eval, run->eval.memory, ast->grouped ? SIZE_MAX : (size_t)(skip + last));
    if (w->rowset == NULL) {
        run->status = GM_NOMEM;
        return;
    }
    gm_page_token at = run->at;
    run->at          = (gm_page_token){ .collection = at.collection };
    run->row         = row_collected;
    run->block       = block_collected;
    run->work_max    = 0;
    gm_run_walk(run);
    run->at = at;
    if (run->status == GM_OK) run->status = gm_rowset_finish(w->rowset);
    size_t count = run->status == GM_OK ? gm_rowset_count(w->rowset) : 0;
    for (uint64_t i = skip; i < count && run->at.limit_left > 0 && run->status == GM_OK; i++) {
        if (page_is_full(w)) {
            run->more = true;
            break;
        }
        gm_rowset_bind(w->rowset, (size_t)i);
        write_item(run, w);
        run->at.done++;
        run->at.limit_left--;
    }
}

static void run_explained(gm_run *run, page_writer *w)
{
    gm_alloc alloc = gm_arena_alloc(run->eval.memory);
    gm_buf   text  = gm_buf_init(&alloc);
    gm_query_plan_explain(&run->plan, &run->eval, &text);
    gm_str rest = gm_buf_view(&text), line;
    gm_buf_text(w->out, "{\"plan\":[");
    for (bool first = true; gm_str_next(&rest, '\n', &line) && line.len > 0; first = false) {
        if (!first) gm_buf_byte(w->out, ',');
        gm_buf_json_str(w->out, line);
    }
    gm_buf_text(w->out, "]}");
    w->page->items = 1;
    if (text.failed || w->out->failed) run->status = GM_NOMEM;
}

// Refused memory and a bound that was reached look alike from inside; here it is told which one it was.
static gm_status run_failed(const gm_run *run, const page_writer *w, const run_memory *memory, gm_error *err)
{
    bool much = memory->lasting != NULL && memory->scratch != NULL &&
                gm_arena_used(memory->lasting) + gm_arena_used(memory->scratch) > GM_QUERY_MEMORY_MAX / 2;
    if (run->status == GM_NOMEM && much) {
        return gm_fail(err, GM_LIMIT, "query",
                       "sorting or grouping this answer needs more than %d MB; narrow it with WHERE or LIMIT",
                       (int)(GM_QUERY_MEMORY_MAX >> 20));
    }
    if (run->status == GM_NOMEM && w->out->failed && w->out->limit > 0) {
        return gm_fail(err, GM_LIMIT, "query", "the answer is longer than %zu bytes", w->out->limit);
    }
    return gm_fail(err, run->status, "query", "running the query");
}

static gm_status read_token(const gm_query *query, const gm_query_page *page, gm_page_token *out, gm_error *err)
{
    if (page->token.len > 0) return gm_page_token_read(page->token, query->ast->text, out, err);
    *out = (gm_page_token) { .collection  = GM_NO_COLLECTION,
                             .offset_left = query->ast->offset,
                             .limit_left  = query->ast->limit };
    return GM_OK;
}

gm_status gm_query_run(const gm_query *query, const gm_state *state, gm_query_page *page, gm_buf *out, gm_error *err)
{
    assert(page->items_max >= 1 && page->items_max <= GM_QUERY_PAGE_MAX);
    const gm_ast *ast = query->ast;
    page->items       = 0;
    page->next[0]     = '\0';
    page->charge      = 0;
    if (ast->has_as_of && !page->past) return gm_fail(err, GM_INVALID, "query", "AS OF can not be answered from the present state");
    if (ast->explain && page->fence != NULL) {
        return gm_fail(err, GM_INVALID, "query", "EXPLAIN tells about the whole plant; it is not for who sees a part of it");
    }
    gm_page_token token;
    gm_status     st = read_token(query, page, &token, err);
    if (st != GM_OK) return st;

    gm_run      run;
    run_memory  memory;
    page_writer writer = { .page = page, .out = out, .out_start = out->len };
    run.status         = open_run(query, state, &run, &memory);
    if (run.status != GM_OK) goto done;
    run.eval.facts = page->facts;
    run.at       = token;
    run.fence    = page->fence;
    run.work_max = page->work_max;
    run.context  = &writer;
    run.row      = row_to_page;
    run.status   = gm_query_plan_make(&run.eval, token.collection, memory.lasting, &run.plan);
    if (run.status == GM_INVALID) {
        st = gm_fail(err, GM_INVALID, "query", "the continuation token is damaged");
        close_run(&memory);
        return st;
    }
    if (run.status == GM_OK) run.status = resolve_names(&run);
    if (run.status != GM_OK) goto done;
    run.at.collection = run.plan.collection;

    if (ast->explain) run_explained(&run, &writer);
    else if (only_counts(ast)) run_count(&run, &writer);
    else if (run.at.limit_left == 0) run.more = false;
    else if (ast->grouped || ast->order_count > 0) run_collected(&run, &writer);
    else gm_run_walk(&run);

    // What a query costs must not tell how much lies outside the fence.
    page->charge = page->fence == NULL ? (double)run.work : (double)page->items;
    if (run.more) gm_page_token_write(&run.at, ast->text, page->next);
done:
    st = run.status == GM_OK ? GM_OK : run_failed(&run, &writer, &memory, err);
    close_run(&memory);
    return st;
}

// A roll-up changes with others than the twin, and nobody would ask again.
static bool asks_rollups(const gm_ast *ast)
{
    for (size_t i = 0; i < ast->path_count; i++)
        if (ast->paths[i].count > 0 && gm_str_is(ast->paths[i].segments[0], "$rollup")) return true;
    return false;
}

gm_status gm_query_matches(const gm_query *query, const gm_state *state, gm_twin twin, bool *out_matches, gm_error *err)
{
    const gm_ast *ast = query->ast;
    *out_matches      = false;
    if (ast->from_relationships || ast->step_count > 0 || ast->grouped || ast->order_count > 0 || ast->has_as_of ||
        ast->limit != UINT64_MAX || ast->offset > 0) {
        return gm_fail(err, GM_INVALID, "query",
                       "expected a query that can be followed twin by twin: FROM DIGITALTWINS with WHERE, without "
                       "JOIN, TOP, GROUP BY, ORDER BY or aggregates");
    }
    if (asks_rollups(ast)) return gm_fail(err, GM_INVALID, "query", "a query that is followed twin by twin can not ask for $rollup");
    if (!gm_state_exists(state, twin)) return GM_OK;
    if (ast->where == NULL) {
        *out_matches = true;
        return GM_OK;
    }
    gm_run     run;
    run_memory memory;
    gm_status  st = open_run(query, state, &run, &memory);
    if (st == GM_OK) {
        gm_eval_bind_twin(&run.eval, 0, twin);
        *out_matches = gm_eval_truth(&run.eval, ast->where) == GM_TRUE;
        if (run.eval.failed) st = GM_NOMEM;
    }
    if (st != GM_OK) gm_fail(err, st, "query", "matching a twin");
    close_run(&memory);
    return st;
}

void gm_query_explain(const gm_query *query, const gm_state *state, gm_buf *out)
{
    gm_run     run;
    run_memory memory;
    gm_status  st = open_run(query, state, &run, &memory);
    if (st == GM_OK) st = gm_query_plan_make(&run.eval, GM_NO_COLLECTION, memory.lasting, &run.plan);
    if (st == GM_OK) gm_query_plan_explain(&run.plan, &run.eval, out);
    else out->failed = true;
    close_run(&memory);
}
