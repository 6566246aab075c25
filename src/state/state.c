// The fold of the log into tables and graph. See state.h for the promises, table.c and graph.c for the storage.
//
// Invariants: (1) twin numbers rise in log order and are never reused, so numbers in old records stay unambiguous;
// (2) a cell never goes back in source time, except where a change says so (GM_WRITE_ALWAYS): a late sample belongs to
// history only; (3) a change that finds its twin gone, or of another type, has no effect at all.
#include "state/internal.h"

#include "base/le.h"

#include <assert.h>

static bool same_twin(const void *owner, uint32_t twin, gm_str key)
{
    return gm_str_eq(gm_text_view(((const gm_state *)owner)->twins[twin].id), key);
}

gm_state *gm_state_create(const gm_alloc *alloc, gm_model *model)
{
    gm_state *state = gm_alloc_zeroed(alloc, sizeof *state);
    if (state == NULL) return NULL;
    state->alloc = alloc;
    state->model = model;
    state->texts = (gm_text_pool){ .alloc = alloc };
    state->by_id = gm_index_init(alloc, same_twin, state);
    gm_graph_init(&state->graph, alloc, &state->texts);
    gm_past_init(&state->past, alloc, &state->texts);
    return state;
}

void gm_state_destroy(gm_state *state)
{
    if (state == NULL) return;
    while (state->index_count > 0) gm_state_index_drop(state, state->indexes[0].path);
    gm_past_finish(&state->past);
    gm_graph_finish(&state->graph);
    for (size_t i = 0; i < state->table_count; i++) gm_table_finish(&state->tables[i], state->alloc, &state->texts);
    for (uint32_t i = 0; i < state->twin_limit; i++) gm_text_drop(&state->texts, state->twins[i].id);
    gm_free(state->alloc, state->tables);
    gm_free(state->alloc, state->twins);
    gm_free(state->alloc, state->ends[0]);
    gm_free(state->alloc, state->ends[1]);
    gm_index_finish(&state->by_id);
    gm_text_pool_finish(&state->texts);
    gm_free(state->alloc, state);
}

// ---- writing ------------------------------------------------------------------------------------------------------

// One table per type, by number; made when the types appear.
gm_status gm_state_make_tables(gm_state *state)
{
    size_t count = gm_model_count(state->model);
    for (size_t i = 0; i < count; i++) {
        const gm_type *type = gm_model_at(state->model, i);
        while (state->table_count <= type->number) {
            if (!gm_alloc_reserve(state->alloc, &state->tables, &state->table_capacity, state->table_count + 1,
                                  sizeof *state->tables)) {
                return GM_NOMEM;
            }
            state->tables[state->table_count++] = (gm_table_store){ 0 };
        }
        if (state->tables[type->number].type != NULL) continue;
        gm_status st = gm_table_init(&state->tables[type->number], state->alloc, type);
        if (st == GM_OK) st = gm_state_index_table(state, &state->tables[type->number]);
        if (st != GM_OK) {  // a later try makes it whole
            gm_table_finish(&state->tables[type->number], state->alloc, &state->texts);
            return st;
        }
    }
    return GM_OK;
}

// What was refused memory behind the model comes again, and the model has them already.
static gm_status apply_models(gm_state *state, uint64_t sequence, const gm_change *change, gm_error *err)
{
    gm_findings     findings = { 0 };
    gm_model_source source   = { .text = change->text };
    bool            there    = sequence != 0 && state->models_of == sequence;  // 0: from a checkpoint
    gm_status       st       = there ? GM_OK : gm_model_add(state->model, &source, 1, &findings, err);
    gm_findings_finish(&findings);
    if (st != GM_OK) return st;
    state->edition++;
    state->models_of = sequence;
    return gm_state_make_tables(state);
}

gm_status gm_state_reserve_twins(gm_state *state, uint32_t limit)
{
    if (limit <= state->twin_capacity) return GM_OK;
    size_t by    = state->twin_capacity < 65536 ? state->twin_capacity : state->twin_capacity / 4;
    size_t grown = state->twin_capacity + (by > 16 ? by : 16);
    if (grown < limit) grown = limit;
    gm_twin_row *twins = gm_realloc_array(state->alloc, state->twins, grown, sizeof *twins);
    if (twins == NULL) return GM_NOMEM;
    state->twins = twins;
    for (int d = 0; d < 2; d++) {
        gm_ends *ends = gm_realloc_array(state->alloc, state->ends[d], grown, sizeof *ends);
        if (ends == NULL) return GM_NOMEM;
        state->ends[d] = ends;
    }
    state->twin_capacity = grown;
    return GM_OK;
}

// A new twin with its row; all cells absent.
static gm_status add_twin(gm_state *state, uint32_t number, gm_str id, const gm_type *type, gm_time_ns ingest)
{
    gm_status st = gm_state_reserve_twins(state, number + 1);
    if (st != GM_OK) return st;
    st = gm_index_reserve(&state->by_id, 1);
    if (st != GM_OK) return st;
    gm_text *text = gm_text_add(&state->texts, id);
    if (text == NULL) return GM_NOMEM;
    uint32_t row;
    st = gm_table_add_row(&state->tables[type->number], state->alloc, number, &row);
    if (st != GM_OK) {
        gm_text_drop(&state->texts, text);
        return st;
    }
    for (uint32_t i = state->twin_limit; i <= number; i++) {
        state->twins[i]   = (gm_twin_row){ 0 };
        state->ends[0][i] = state->ends[1][i] = (gm_ends){ GM_NONE, GM_NONE };
    }
    if (state->twin_limit <= number) state->twin_limit = number + 1;
    state->twins[number] = (gm_twin_row){ .id = text, .type = type->number, .row = row, .since = ingest };
    state->twin_count++;
    return gm_index_add(&state->by_id, id, number);
}

// Gives the twin a row in another type's table, or empties its row for a replacement. Telemetry is not part of what a
// PUT replaces: while the type stays, it stays.
static gm_status replace_twin(gm_state *state, uint32_t number, const gm_type *type, gm_time_ns ingest)
{
    gm_twin_row       *twin = &state->twins[number];
    gm_table_store *old  = &state->tables[twin->type];
    if (old->type == type) {
        for (uint32_t c = 0; c < type->column_count; c++) {
            if (type->columns[c].is_telemetry) continue;
            gm_status st = gm_table_set(old, state->alloc, &state->texts, twin->row, c, (gm_value){ 0 }, 0, 0);
            if (st != GM_OK) return st;
        }
        return GM_OK;
    }
    uint32_t  row;
    gm_status st = gm_past_keep_twin(&state->past, gm_text_view(twin->id), number, twin->type, twin->since, ingest);
    if (st == GM_OK) st = gm_table_add_row(&state->tables[type->number], state->alloc, number, &row);
    if (st != GM_OK) return st;
    gm_table_remove_row(old, &state->texts, twin->row);
    twin->type  = type->number;
    twin->row   = row;
    twin->since = ingest;
    return GM_OK;
}

// A sample shows that the twin was there already; but not before it was something else.
static void was_there(const gm_state *state, gm_twin_row *twin, gm_time_ns at)
{
    uint32_t before = gm_past_find_twin(&state->past, gm_text_view(twin->id));
    twin->since     = before != GM_NONE && state->past.twins[before].until > at ? state->past.twins[before].until : at;
}

// Of many rows the newest is what is: the others are between two moments in which anybody looks.
static gm_status put_rows(gm_state *state, uint32_t number, const gm_change *change, gm_time_ns ingest, bool always, gm_error *err)
{
    gm_twin_row    *twin  = &state->twins[number];
    gm_table_store *table = &state->tables[twin->type];
    const gm_row_table  *r     = &change->rows;
    size_t          newest = 0;
    gm_time_ns      first = gm_get_i64(r->times), last = first;
    for (size_t i = 1; i < r->rows; i++) {
        gm_time_ns at = gm_get_i64(r->times + i * 8);
        if (at < first) first = at;
        if (at < last && !always) continue;  // of two with one time the second corrects the first
        last   = at;
        newest = i;
    }
    if (first < twin->since) was_there(state, twin, first);
    for (size_t c = 0; c < r->columns; c++) {
        const uint8_t *head   = r->heads + c * GM_ROW_HEAD, *at = r->values + (c * r->rows + newest) * 8;
        uint32_t       column = gm_get_u16(head);
        if (column >= table->type->column_count) {
            return gm_fail(err, GM_CORRUPT, "state", "twin number %u has no column %u", number, column);
        }
        if (!always && last < gm_table_source(table, twin->row, column)) continue;  // keeps (2)
        gm_value value = { .kind = (gm_kind)head[2] };
        if (value.kind == GM_KIND_DOUBLE) value.d = gm_get_f64(at);
        else value.i = gm_get_i64(at);
        gm_status st = gm_table_set(table, state->alloc, &state->texts, twin->row, column, value, last, ingest);
        if (st != GM_OK) return gm_fail(err, st, "state", "column %u of twin number %u", column, number);
    }
    return GM_OK;
}

static gm_status put_cells(gm_state *state, uint32_t number, const gm_change *change, gm_time_ns ingest, bool always, gm_error *err)
{
    if (change->flags & GM_WRITE_ROWS) return put_rows(state, number, change, ingest, always, err);
    gm_twin_row    *twin  = &state->twins[number];
    gm_table_store *table = &state->tables[twin->type];
    gm_cell_write   cell;
    for (const uint8_t *at = change->cells; gm_change_next_cell(change, &at, &cell);) {
        if (cell.column >= table->type->column_count) {
            return gm_fail(err, GM_CORRUPT, "state", "twin number %u has no column %u", number, cell.column);
        }
        if (cell.at < twin->since) was_there(state, twin, cell.at);
        if (!always && cell.at < gm_table_source(table, twin->row, cell.column)) continue;  // keeps (2)
        gm_status st = gm_table_set(table, state->alloc, &state->texts, twin->row, cell.column, cell.value, cell.at, ingest);
        if (st != GM_OK) return gm_fail(err, st, "state", "column %u of twin number %u", cell.column, number);
    }
    return GM_OK;
}

static bool exists(const gm_state *state, uint32_t number)
{
    return number < state->twin_limit && state->twins[number].id != NULL;
}

static gm_status apply_twin_put(gm_state *state, uint64_t sequence, gm_time_ns ingest, const gm_change *change, gm_error *err)
{
    const gm_type *type = gm_model_find(state->model, change->name);
    if (type == NULL) return gm_fail(err, GM_CONFLICT, "state", "model " GM_STR_FMT " is gone", GM_STR_ARG(change->name));
    uint32_t  number = gm_index_find(&state->by_id, change->id);
    gm_status st;
    if (number == GM_INDEX_NONE) {
        if (change->twin < state->twin_limit) {
            // A replacement of a twin that was deleted meanwhile: the old number can not come back. Keeps (1).
            return gm_fail(err, GM_CONFLICT, "state", "twin '" GM_STR_FMT "' was deleted meanwhile", GM_STR_ARG(change->id));
        }
        number = change->twin;
        state->edition++;
        st = add_twin(state, number, change->id, type, ingest);
    } else if (number != change->twin) {
        return gm_fail(err, GM_CONFLICT, "state", "twin '" GM_STR_FMT "' exists already", GM_STR_ARG(change->id));
    } else {
        state->edition += state->twins[number].type != type->number;
        st = replace_twin(state, number, type, ingest);
    }
    if (st != GM_OK) return gm_fail(err, st, "state", "twin '" GM_STR_FMT "'", GM_STR_ARG(change->id));
    state->twins[number].version = sequence;
    state->twins[number].changed = ingest;
    return put_cells(state, number, change, ingest, true, err);
}

static gm_status apply_write(gm_state *state, uint64_t sequence, gm_time_ns ingest, const gm_change *change, gm_error *err)
{
    if (!exists(state, change->twin) || state->twins[change->twin].type != change->type) {
        return gm_fail(err, GM_CONFLICT, "state", "the twin was deleted or changed its model meanwhile");  // keeps (3)
    }
    if (change->flags & GM_WRITE_PROPERTIES) {
        state->twins[change->twin].version = sequence;
        state->twins[change->twin].changed = ingest;
    }
    return put_cells(state, change->twin, change, ingest, (change->flags & GM_WRITE_ALWAYS) != 0, err);
}

static gm_status apply_twin_delete(gm_state *state, gm_time_ns ingest, const gm_change *change, gm_error *err)
{
    uint32_t number = change->twin;
    if (!exists(state, number)) return gm_fail(err, GM_CONFLICT, "state", "the twin was deleted meanwhile");
    gm_twin_row *twin = &state->twins[number];
    if (state->ends[0][number].first != GM_NONE || state->ends[1][number].first != GM_NONE) {
        return gm_fail(err, GM_CONFLICT, "state", "twin '" GM_STR_FMT "' still has relationships",
                       GM_STR_ARG(gm_text_view(twin->id)));
    }
    gm_status st = gm_past_keep_twin(&state->past, gm_text_view(twin->id), number, twin->type, twin->since, ingest);
    if (st != GM_OK) return gm_fail(err, st, "state", "deleting twin number %u", number);
    state->edition++;
    gm_index_remove(&state->by_id, gm_text_view(twin->id));
    gm_table_remove_row(&state->tables[twin->type], &state->texts, twin->row);
    gm_text_drop(&state->texts, twin->id);
    *twin = (gm_twin_row){ 0 };
    state->twin_count--;
    return GM_OK;
}

static gm_status keep_edge(gm_state *state, uint32_t edge, gm_time_ns until)
{
    const gm_graph    *g     = &state->graph;
    const gm_edge_row *row   = &g->edges[edge];
    gm_past_ended      ended = { .twin = { row->twin[0], row->twin[1] }, .name = row->name, .version = g->rests[edge].version,
                                 .since = g->rests[edge].since, .until = until, .id = gm_labels_view(&g->labels, row->id),
                                 .properties = gm_labels_view(&g->labels, g->rests[edge].properties) };
    return gm_past_keep_edge(&state->past, &ended);
}

static gm_status apply_relationship(gm_state *state, uint64_t sequence, gm_time_ns ingest, const gm_change *change, gm_error *err)
{
    if (!exists(state, change->twin)) return gm_fail(err, GM_CONFLICT, "state", "the relationship's source was deleted meanwhile");
    state->edition++;
    if (change->kind == GM_CHANGE_RELATIONSHIP_DELETE) {
        uint32_t edge = gm_graph_find(&state->graph, state->ends[GM_DIRECTION_OUT], change->twin, change->id);
        if (edge == GM_NONE) return gm_fail(err, GM_CONFLICT, "state", "the relationship was deleted meanwhile");
        gm_status st = keep_edge(state, edge, ingest);
        if (st != GM_OK) return gm_fail(err, st, "state", "deleting relationship '" GM_STR_FMT "'", GM_STR_ARG(change->id));
        gm_graph_remove(&state->graph, state->ends, edge);
        return GM_OK;
    }
    if (!exists(state, change->target)) return gm_fail(err, GM_CONFLICT, "state", "the relationship's target was deleted meanwhile");
    uint32_t  edge = gm_graph_find(&state->graph, state->ends[GM_DIRECTION_OUT], change->twin, change->id);
    gm_status st   = edge != GM_NONE ? keep_edge(state, edge, ingest) : GM_OK;
    if (st == GM_OK) {
        st = gm_graph_put(&state->graph, state->ends, change->twin, change->target, change->id, change->name, change->text,
                          sequence, ingest);
    }
    if (st != GM_OK) return gm_fail(err, st, "state", "relationship '" GM_STR_FMT "'", GM_STR_ARG(change->id));
    return GM_OK;
}

gm_status gm_state_apply(gm_state *state, uint64_t sequence, gm_time_ns ingest, const gm_change *change, gm_error *err)
{
    switch (change->kind) {
    case GM_CHANGE_WRITE: return apply_write(state, sequence, ingest, change, err);
    case GM_CHANGE_TWIN_PUT: return apply_twin_put(state, sequence, ingest, change, err);
    case GM_CHANGE_TWIN_DELETE: return apply_twin_delete(state, ingest, change, err);
    case GM_CHANGE_RELATIONSHIP_PUT:
    case GM_CHANGE_RELATIONSHIP_DELETE: return apply_relationship(state, sequence, ingest, change, err);
    case GM_CHANGE_MODELS: return apply_models(state, sequence, change, err);
    case GM_CHANGE_MODEL_DECOMMISSION:
        return gm_model_set_decommissioned(state->model, change->text, change->flags != 0, err);
    case GM_CHANGE_MODEL_DELETE: return gm_model_remove(state->model, change->text, err);
    default: return GM_OK;  // kinds that others fold
    }
}

// ---- reading ------------------------------------------------------------------------------------------------------

gm_twin gm_state_find(const gm_state *state, gm_str id)
{
    return (gm_twin){ gm_index_find(&state->by_id, id) };
}
_Static_assert(GM_INDEX_NONE == GM_NONE, "an absent twin is an absent id");

bool gm_state_exists(const gm_state *state, gm_twin twin)
{
    return exists(state, twin.v);
}

gm_str gm_state_id(const gm_state *state, gm_twin twin)
{
    assert(exists(state, twin.v));
    return gm_text_view(state->twins[twin.v].id);
}

const gm_type *gm_state_type(const gm_state *state, gm_twin twin)
{
    assert(exists(state, twin.v));
    return state->tables[state->twins[twin.v].type].type;
}

uint32_t gm_state_row(const gm_state *state, gm_twin twin)
{
    assert(exists(state, twin.v));
    return state->twins[twin.v].row;
}

uint64_t gm_state_version(const gm_state *state, gm_twin twin)
{
    assert(exists(state, twin.v));
    return state->twins[twin.v].version;
}

gm_time_ns gm_state_changed(const gm_state *state, gm_twin twin)
{
    assert(exists(state, twin.v));
    return state->twins[twin.v].changed;
}

size_t gm_state_twin_count(const gm_state *state)
{
    return state->twin_count;
}

uint64_t gm_state_edition(const gm_state *state) { return state->edition; }

uint32_t gm_state_next_twin(const gm_state *state)
{
    return state->twin_limit;
}

void gm_state_get(const gm_state *state, gm_twin twin, uint32_t column, gm_cell *out_cell)
{
    assert(exists(state, twin.v));
    const gm_twin_row        *at    = &state->twins[twin.v];
    const gm_table_store  *table = &state->tables[at->type];
    const gm_column_store *store = &table->columns[column];
    assert(column < table->type->column_count);
    *out_cell = (gm_cell){ .source = GM_ABSENT, .ingest = GM_ABSENT };
    if (store->source == NULL || store->source[at->row] == GM_ABSENT) return;
    out_cell->source     = store->source[at->row];
    out_cell->ingest     = gm_times_get(&store->ingest, at->row);
    out_cell->value.kind = table->type->columns[column].kind;
    switch (out_cell->value.kind) {
    case GM_KIND_DOUBLE: out_cell->value.d = store->d[at->row]; break;
    case GM_KIND_STRING:
    case GM_KIND_JSON: out_cell->value.s = gm_text_view(store->s[at->row]); break;
    default: out_cell->value.i = store->i[at->row];
    }
}

size_t gm_state_table_count(const gm_state *state)
{
    return state->table_count;
}

gm_table gm_state_table(const gm_state *state, size_t type_number)
{
    const gm_table_store *table = &state->tables[type_number];
    return (gm_table){ .type = table->type, .rows = table->rows, .live = table->live, .twins = table->twins, .columns = table->views };
}

// ---- relationships ------------------------------------------------------------------------------------------------

gm_edge gm_state_find_relationship(const gm_state *state, gm_twin source, gm_str id)
{
    if (source.v >= state->twin_limit) return (gm_edge){ GM_NONE };
    return (gm_edge){ gm_graph_find(&state->graph, state->ends[GM_DIRECTION_OUT], source.v, id) };
}

gm_relationship gm_state_relationship(const gm_state *state, gm_edge edge)
{
    const gm_graph    *g   = &state->graph;
    const gm_edge_row *row = &g->edges[edge.v];
    assert(edge.v < g->edge_limit && row->id != 0);
    return (gm_relationship){ .source     = { row->twin[GM_DIRECTION_OUT] },
                              .target     = { row->twin[GM_DIRECTION_IN] },
                              .id         = gm_labels_view(&g->labels, row->id),
                              .name       = gm_text_view(g->names[row->name]),
                              .properties = g->rests[edge.v].properties != 0 ? gm_labels_view(&g->labels, g->rests[edge.v].properties) : GM_STR("{}"),
                              .version    = g->rests[edge.v].version };
}

size_t gm_state_relationship_count(const gm_state *state)
{
    return state->graph.edge_count;
}

static gm_edge first(const gm_state *state, int direction, gm_twin twin)
{
    assert(twin.v < state->twin_limit);
    return (gm_edge){ state->ends[direction][twin.v].first };
}

gm_edge gm_state_first_out(const gm_state *state, gm_twin source) { return first(state, GM_DIRECTION_OUT, source); }
gm_edge gm_state_first_in(const gm_state *state, gm_twin target) { return first(state, GM_DIRECTION_IN, target); }

gm_edge gm_state_next_out(const gm_state *state, gm_edge edge)
{
    return (gm_edge){ state->graph.edges[edge.v].link[GM_DIRECTION_OUT].next };
}

gm_edge gm_state_next_in(const gm_state *state, gm_edge edge)
{
    return (gm_edge){ state->graph.edges[edge.v].link[GM_DIRECTION_IN].next };
}

uint32_t gm_state_edge_limit(const gm_state *state)
{
    return state->graph.edge_limit;
}

bool gm_state_edge_at(const gm_state *state, uint32_t position, gm_edge *out_edge)
{
    if (position >= state->graph.edge_limit || state->graph.edges[position].id == 0) return false;
    *out_edge = (gm_edge){ position };
    return true;
}

uint32_t gm_state_name_number(const gm_state *state, gm_str name)
{
    return gm_graph_name(&state->graph, name);
}

uint32_t gm_state_edge_name(const gm_state *state, gm_edge edge) { return state->graph.edges[edge.v].name; }

gm_twin gm_state_edge_source(const gm_state *state, gm_edge edge)
{
    return (gm_twin){ state->graph.edges[edge.v].twin[GM_DIRECTION_OUT] };
}

gm_twin gm_state_edge_target(const gm_state *state, gm_edge edge)
{
    return (gm_twin){ state->graph.edges[edge.v].twin[GM_DIRECTION_IN] };
}

void gm_state_prefetch_ends(const gm_state *state, gm_twin twin)
{
    __builtin_prefetch(&state->ends[GM_DIRECTION_OUT][twin.v]);
    __builtin_prefetch(&state->ends[GM_DIRECTION_IN][twin.v]);
}

void gm_state_prefetch_edge(const gm_state *state, gm_edge edge)
{
    const char *row = (const char *)&state->graph.edges[edge.v];
    __builtin_prefetch(row);
    __builtin_prefetch(row + sizeof(gm_edge_row) - 1);  // rows are not aligned to lines of the cache
}
