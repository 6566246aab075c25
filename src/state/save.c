// The state in a checkpoint, and back. Arrays of numbers are stored as they lie in memory (little-endian), the rest as
// varints and texts. Format: docs/formats/checkpoint.md.
//
// What is read was under a checksum, but is looked at as if it were not: every number that becomes an index is compared with
// its limit, and the lists of the graph are checked to be lists.
#include "state/internal.h"

#include "base/frames.h"
#include "base/le.h"

#include <math.h>

enum { TEXT_MOST = 256 << 20 };

// ---- saving ---------------------------------------------------------------------------------------------------------

static void save_text(gm_frames_out *out, const gm_text *text)  // its length + 1, its bytes; 0: none
{
    gm_frames_put_varint(out, text != NULL ? (uint64_t)text->len + 1 : 0);
    if (text != NULL) gm_frames_put(out, text->bytes, text->len);
}

static void save_twins(const gm_state *state, gm_frames_out *out)
{
    gm_frames_put_varint(out, state->twin_limit);
    for (uint32_t i = 0; i < state->twin_limit; i++) {
        const gm_twin_row *t = &state->twins[i];
        save_text(out, t->id);
        if (t->id == NULL) continue;
        gm_frames_put_varint(out, t->type);
        gm_frames_put_varint(out, t->row);
        gm_frames_put_varint(out, t->version);
        gm_frames_put_svarint(out, t->changed);
        gm_frames_put_svarint(out, t->since);
    }
}

static bool holds_text(gm_kind kind) { return kind == GM_KIND_STRING || kind == GM_KIND_JSON; }

static void save_times(const gm_column_store *column, uint32_t rows, gm_frames_out *out)
{
    gm_time_ns part[GM_TIMES_ROWS];
    for (uint32_t first = 0; first < rows; first += GM_TIMES_ROWS) {
        uint32_t n = rows - first < GM_TIMES_ROWS ? rows - first : GM_TIMES_ROWS;
        gm_times_read(&column->ingest, first, n, part);
        for (uint32_t i = 0; i < n; i++) {
            if (column->source[first + i] == GM_ABSENT) part[i] = GM_ABSENT;
        }
        gm_frames_put(out, part, n * sizeof *part);
    }
}

static void save_table(const gm_table_store *table, gm_frames_out *out)
{
    gm_frames_put_varint(out, table->rows);
    gm_frames_put_varint(out, table->hole_count);
    gm_frames_put(out, table->twins, table->rows * sizeof *table->twins);
    gm_frames_put(out, table->holes, table->hole_count * sizeof *table->holes);
    gm_frames_put_varint(out, table->type->column_count);
    for (size_t c = 0; c < table->type->column_count; c++) {
        const gm_column_store *column = &table->columns[c];
        gm_kind                kind   = table->type->columns[c].kind;
        gm_frames_put_varint(out, column->source != NULL ? (uint64_t)kind + 1 : 0);
        if (column->source == NULL) continue;
        gm_frames_put(out, column->source, table->rows * sizeof *column->source);
        save_times(column, table->rows, out);
        if (!holds_text(kind)) {
            gm_frames_put(out, column->any, table->rows * sizeof *column->i);
        } else {
            for (uint32_t r = 0; r < table->rows; r++) save_text(out, column->s[r]);
        }
    }
}

static void save_label(const gm_graph *g, gm_label label, gm_frames_out *out)  // as save_text
{
    gm_str text = gm_labels_view(&g->labels, label);
    gm_frames_put_varint(out, label != 0 ? text.len + 1 : 0);
    gm_frames_put(out, text.ptr, text.len);
}

static void save_edges(const gm_state *state, gm_frames_out *out)
{
    const gm_graph *g = &state->graph;
    gm_frames_put_varint(out, g->name_count);
    for (size_t i = 0; i < g->name_count; i++) gm_frames_put_text(out, gm_text_view(g->names[i]));
    gm_frames_put_varint(out, g->edge_limit);
    gm_frames_put_varint(out, g->free_edge);
    for (uint32_t e = 0; e < g->edge_limit; e++) {
        const gm_edge_row *row = &g->edges[e];
        save_label(g, row->id, out);
        gm_frames_put_varint(out, row->link[0].next);
        if (row->id == 0) continue;
        uint32_t fixed[6] = { row->twin[0], row->twin[1], row->link[0].previous, row->link[1].next, row->link[1].previous, row->name };
        gm_frames_put(out, fixed, sizeof fixed);
        gm_frames_put_varint(out, g->rests[e].version);
        gm_frames_put_svarint(out, g->rests[e].since);
        save_label(g, g->rests[e].properties, out);
    }
    for (int d = 0; d < 2; d++) gm_frames_put(out, state->ends[d], state->twin_limit * sizeof *state->ends[d]);
}

static void save_past(const gm_past *past, gm_frames_out *out)
{
    gm_frames_put_varint(out, past->twin_count);
    for (size_t i = 0; i < past->twin_count; i++) {
        const gm_past_twin *t = &past->twins[i];
        save_text(out, t->id);
        gm_frames_put_varint(out, t->number);
        gm_frames_put_varint(out, t->type);
        gm_frames_put_svarint(out, t->since);
        gm_frames_put_svarint(out, t->until);
    }
    gm_frames_put_varint(out, past->edge_count);
    for (size_t i = 0; i < past->edge_count; i++) {
        const gm_past_edge *e = &past->edges[i];
        save_text(out, e->id);
        save_text(out, e->properties);
        gm_frames_put_varint(out, e->twin[0]);
        gm_frames_put_varint(out, e->twin[1]);
        gm_frames_put_varint(out, e->name);
        gm_frames_put_varint(out, e->version);
        gm_frames_put_svarint(out, e->since);
        gm_frames_put_svarint(out, e->until);
    }
}

void gm_state_save(const gm_state *state, gm_frames_out *out)
{
    save_twins(state, out);
    gm_frames_put_varint(out, state->table_count);
    for (size_t i = 0; i < state->table_count; i++) {
        const gm_table_store *table = &state->tables[i];
        gm_frames_put_varint(out, table->type != NULL && table->rows > 0);
        if (table->type != NULL && table->rows > 0) save_table(table, out);
    }
    save_edges(state, out);
    save_past(&state->past, out);
}

// ---- loading --------------------------------------------------------------------------------------------------------

typedef struct loading { gm_state *state; gm_frames_in *in; bool no_memory; } loading;

static bool going(const loading *l) { return !l->no_memory && gm_frames_status(l->in, NULL) == GM_OK; }

static gm_text *load_text(loading *l)
{
    uint64_t len = gm_frames_get_varint(l->in);
    if (len == 0 || !going(l)) return NULL;
    if (len > TEXT_MOST) {
        gm_frames_reject(l->in, "a text is too long");
        return NULL;
    }
    // One place for all lengths: made with room, then filled.
    gm_text *text = gm_text_room(&l->state->texts, (size_t)len - 1);
    if (text == NULL) l->no_memory = true;
    else gm_frames_get(l->in, text->bytes, (size_t)len - 1);
    return text;
}

static uint32_t load_limited(loading *l, uint64_t limit, const char *what)
{
    uint64_t value = gm_frames_get_varint(l->in);
    if (value < limit) return (uint32_t)value;
    gm_frames_reject(l->in, what);
    return 0;
}

static void load_twins(loading *l)
{
    gm_state *state = l->state;
    uint32_t  limit = load_limited(l, GM_NONE, "more twins than there are numbers");
    // Room for what is really there: a wrong limit must not ask for gigabytes.
    if (limit > gm_frames_size(l->in)) gm_frames_reject(l->in, "more twins than bytes");
    if (!going(l)) return;
    if (gm_state_reserve_twins(state, limit) != GM_OK || gm_index_reserve(&state->by_id, limit) != GM_OK) {
        l->no_memory = true;
        return;
    }
    while (state->twin_limit < limit && going(l)) {
        uint32_t     i = state->twin_limit;
        gm_twin_row *t = &state->twins[i];
        *t             = (gm_twin_row){ .id = load_text(l) };
        state->ends[0][i] = state->ends[1][i] = (gm_ends){ GM_NONE, GM_NONE };
        state->twin_limit++;
        if (t->id == NULL) continue;
        t->type    = load_limited(l, state->table_count, "a twin of an unknown model");
        t->row     = (uint32_t)gm_frames_get_varint(l->in);
        t->version = gm_frames_get_varint(l->in);
        t->changed = gm_frames_get_svarint(l->in);
        t->since   = gm_frames_get_svarint(l->in);
        state->twin_count++;
        if (going(l) && gm_index_add(&state->by_id, gm_text_view(t->id), i) != GM_OK) l->no_memory = true;
    }
}

static void load_times(loading *l, gm_column_store *column, uint32_t rows)
{
    gm_time_ns part[GM_TIMES_ROWS];
    for (uint32_t first = 0; first < rows && going(l); first += GM_TIMES_ROWS) {
        uint32_t n = rows - first < GM_TIMES_ROWS ? rows - first : GM_TIMES_ROWS;
        gm_frames_get(l->in, part, n * sizeof *part);
        if (gm_times_fill(&column->ingest, l->state->alloc, column->source, first, n, part) != GM_OK) l->no_memory = true;
    }
}

static void load_column(loading *l, gm_table_store *table, size_t c)
{
    gm_kind  kind = table->type->columns[c].kind;
    uint64_t said = gm_frames_get_varint(l->in);
    if (said == 0 || !going(l)) return;
    if (said != (uint64_t)kind + 1) {
        gm_frames_reject(l->in, "a column is of another kind than its model says");
        return;
    }
    gm_column_store *column = &table->columns[c];
    if (gm_table_add_column(table, l->state->alloc, c) != GM_OK) {
        l->no_memory = true;
        return;
    }
    gm_frames_get(l->in, column->source, table->rows * sizeof *column->source);
    load_times(l, column, table->rows);
    if (!holds_text(kind)) {
        gm_frames_get(l->in, column->any, table->rows * sizeof *column->i);
        return;
    }
    for (uint32_t r = 0; r < table->rows; r++) {
        if (going(l)) column->s[r] = load_text(l);
        if (going(l) && (column->s[r] == NULL) != (column->source[r] == GM_ABSENT)) {
            gm_frames_reject(l->in, "a text without its time");
        }
    }
}

static void load_table(loading *l, gm_table_store *table)
{
    uint32_t rows = load_limited(l, gm_frames_size(l->in) / sizeof(uint32_t), "more rows than bytes");
    uint32_t holes = load_limited(l, (uint64_t)rows + 1, "more holes than rows");
    if (!going(l)) return;
    if (gm_table_reserve(table, l->state->alloc, rows) != GM_OK) {
        l->no_memory = true;
        return;
    }
    table->rows       = rows;
    table->hole_count = holes;
    table->live       = rows - holes;
    gm_frames_get(l->in, table->twins, rows * sizeof *table->twins);
    gm_frames_get(l->in, table->holes, holes * sizeof *table->holes);
    for (uint32_t i = 0; i < holes; i++) {
        if (table->holes[i] >= rows || table->twins[table->holes[i]] != GM_NONE) gm_frames_reject(l->in, "a hole that is none");
    }
    if (gm_frames_get_varint(l->in) != table->type->column_count) gm_frames_reject(l->in, "columns that the model has not");
    for (size_t c = 0; going(l) && c < table->type->column_count; c++) load_column(l, table, c);
}

static void load_tables(loading *l)
{
    gm_state *state = l->state;
    uint64_t  count = gm_frames_get_varint(l->in);
    if (count > state->table_count) gm_frames_reject(l->in, "more tables than models");
    for (size_t i = 0; i < count && going(l); i++) {
        if (gm_frames_get_varint(l->in) == 0) continue;
        if (state->tables[i].type == NULL) gm_frames_reject(l->in, "a table without a model");
        else load_table(l, &state->tables[i]);
    }
    // Every twin has its row, and every row that is no hole its twin.
    for (size_t i = 0; i < state->table_count && going(l); i++) {
        const gm_table_store *table = &state->tables[i];
        uint32_t              live  = 0;
        for (uint32_t r = 0; r < table->rows; r++) {
            uint32_t number = table->twins[r];
            if (number == GM_NONE) continue;
            bool fits = number < state->twin_limit && state->twins[number].id != NULL && state->twins[number].type == i &&
                        state->twins[number].row == r;
            if (!fits) gm_frames_reject(l->in, "a row of no twin");
            live++;
        }
        if (live != table->live) gm_frames_reject(l->in, "a row that is neither used nor free");
    }
    uint64_t live = 0;
    for (size_t i = 0; i < state->table_count; i++) live += state->tables[i].live;
    if (live != state->twin_count) gm_frames_reject(l->in, "a twin without a row");
}

// A text or none, by way of memory of our own when it goes over a frame's end.
static gm_label load_label(loading *l, size_t most)
{
    uint64_t len = gm_frames_get_varint(l->in);
    if (len == 0 || !going(l)) return 0;
    if (len - 1 > most) gm_frames_reject(l->in, "a relationship's text is too long");
    gm_str   text  = gm_frames_get_bytes(l->in, (size_t)len - 1);
    gm_label label = going(l) ? gm_labels_add(&l->state->graph.labels, text) : 0;
    if (going(l) && label == 0) l->no_memory = true;
    return label;
}

static void load_edge(loading *l, uint32_t e, uint32_t limit)
{
    gm_state     *state = l->state;
    gm_edge_row  *row  = &state->graph.edges[e];
    gm_edge_rest *rest = &state->graph.rests[e];
    *row               = (gm_edge_row){ .id = load_label(l, GM_GRAPH_ID_MOST), .twin = { GM_NONE, GM_NONE } };
    *rest              = (gm_edge_rest){ 0 };
    uint32_t next      = (uint32_t)gm_frames_get_varint(l->in);
    row->link[0].next  = next;
    state->graph.edge_limit++;
    if (next != GM_NONE && next >= limit) gm_frames_reject(l->in, "a relationship is chained to one that does not exist");
    if (row->id == 0 || !going(l)) return;
    uint32_t fixed[6];
    gm_frames_get(l->in, fixed, sizeof fixed);
    row->twin[0]          = fixed[0];
    row->twin[1]          = fixed[1];
    row->link[0].previous = fixed[2];
    row->link[1]          = (gm_link){ .next = fixed[3], .previous = fixed[4] };
    row->name             = fixed[5];
    rest->version         = gm_frames_get_varint(l->in);
    rest->since           = gm_frames_get_svarint(l->in);
    rest->properties      = load_label(l, TEXT_MOST);
    for (int d = 0; d < 2; d++) {
        bool exists = row->twin[d] < state->twin_limit && state->twins[row->twin[d]].id != NULL;
        if (!exists) gm_frames_reject(l->in, "a relationship of a twin that does not exist");
    }
    if (row->name >= state->graph.name_count) gm_frames_reject(l->in, "a relationship without a name");
    state->graph.edge_count++;
}

// Each edge stands in the lists of its two twins: every next has this one as its previous, every first has none, and the
// edges that the lists reach are all there are. So there are no circles.
static void check_lists(loading *l, int d)
{
    const gm_state *state = l->state;
    uint64_t        seen  = 0;
    for (uint32_t t = 0; t < state->twin_limit && going(l); t++) {
        uint32_t before = GM_NONE;
        for (uint32_t e = state->ends[d][t].first; e != GM_NONE; e = state->graph.edges[e].link[d].next) {
            bool fits = e < state->graph.edge_limit && state->graph.edges[e].id != 0 && state->graph.edges[e].twin[d] == t &&
                        state->graph.edges[e].link[d].previous == before && seen < state->graph.edge_count;
            if (!fits) {
                gm_frames_reject(l->in, "a list of relationships is broken");
                return;
            }
            before = e;
            seen++;
        }
        if (state->ends[d][t].last != before) gm_frames_reject(l->in, "a list of relationships has a wrong end");
    }
    if (seen != state->graph.edge_count) gm_frames_reject(l->in, "a relationship is in no list");
}

static void check_free_edges(loading *l)
{
    const gm_graph *g    = &l->state->graph;
    uint64_t        seen = 0, free = g->edge_limit - g->edge_count;
    for (uint32_t e = g->free_edge; e != GM_NONE; e = g->edges[e].link[0].next) {
        if (e >= g->edge_limit || g->edges[e].id != 0 || seen++ >= free) {
            gm_frames_reject(l->in, "the list of free relationships is broken");
            return;
        }
    }
    if (seen != free) gm_frames_reject(l->in, "a relationship is neither used nor free");
}

static void load_edges(loading *l)
{
    gm_state *state = l->state;
    gm_graph *g     = &state->graph;
    uint64_t  names = gm_frames_get_varint(l->in);
    for (uint64_t i = 0; i < names && going(l); i++) {
        gm_str name = gm_frames_get_text(l->in, TEXT_MOST);
        if (going(l) && gm_graph_intern(g, name) == GM_NONE) l->no_memory = true;
    }
    if (going(l) && g->name_count != names) gm_frames_reject(l->in, "a relationship's name comes twice");
    uint32_t limit = load_limited(l, gm_frames_size(l->in), "more relationships than bytes");
    uint64_t free_edge = gm_frames_get_varint(l->in);
    if (!going(l)) return;
    if (gm_graph_reserve(g, limit) != GM_OK) {
        l->no_memory = true;
        return;
    }
    g->free_edge = (uint32_t)free_edge;
    for (uint32_t e = 0; e < limit && going(l); e++) load_edge(l, e, limit);
    for (int d = 0; d < 2 && going(l); d++) gm_frames_get(l->in, state->ends[d], state->twin_limit * sizeof *state->ends[d]);
    for (int d = 0; d < 2 && going(l); d++) check_lists(l, d);
    if (going(l)) check_free_edges(l);
    if (going(l) && gm_graph_index(g, state->ends[GM_DIRECTION_OUT], state->twin_limit) != GM_OK) l->no_memory = true;
}

static void load_past_twin(loading *l)
{
    gm_state  *state  = l->state;
    gm_text   *id     = load_text(l);
    uint32_t   number = load_limited(l, state->twin_limit, "a past twin with a number that was not given");
    uint32_t   type   = load_limited(l, state->table_count, "a past twin of an unknown model");
    gm_time_ns since  = gm_frames_get_svarint(l->in), until = gm_frames_get_svarint(l->in);
    if (going(l) && state->tables[type].type == NULL) gm_frames_reject(l->in, "a past twin of an unknown model");
    if (going(l) && gm_past_keep_twin(&state->past, gm_text_view(id), number, type, since, until) != GM_OK) l->no_memory = true;
    gm_text_drop(&state->texts, id);
}

static void load_past_edge(loading *l)
{
    gm_state   *state = l->state;
    gm_text      *id  = load_text(l), *properties = load_text(l);
    gm_past_ended row = { .id = gm_text_view(id), .properties = gm_text_view(properties) };
    row.twin[0]       = load_limited(l, state->twin_limit, "a past relationship of an unknown twin");
    row.twin[1]       = load_limited(l, state->twin_limit, "a past relationship of an unknown twin");
    row.name          = load_limited(l, state->graph.name_count, "a past relationship without a name");
    row.version       = gm_frames_get_varint(l->in);
    row.since         = gm_frames_get_svarint(l->in);
    row.until         = gm_frames_get_svarint(l->in);
    if (id == NULL) gm_frames_reject(l->in, "a past relationship without an id");
    if (going(l) && gm_past_keep_edge(&state->past, &row) != GM_OK) l->no_memory = true;
    gm_text_drop(&state->texts, id);
    gm_text_drop(&state->texts, properties);
}

gm_status gm_state_load(gm_state *state, gm_frames_in *in, gm_error *err)
{
    loading l = { .state = state, .in = in };
    load_twins(&l);
    if (going(&l)) load_tables(&l);
    if (going(&l)) load_edges(&l);
    for (uint64_t n = going(&l) ? gm_frames_get_varint(in) : 0; n > 0 && going(&l); n--) load_past_twin(&l);
    for (uint64_t n = going(&l) ? gm_frames_get_varint(in) : 0; n > 0 && going(&l); n--) load_past_edge(&l);
    if (l.no_memory) return gm_fail(err, GM_NOMEM, "state.save", "loading the state");
    return gm_frames_status(in, err);
}
