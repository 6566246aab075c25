// Evaluating. A special is a literal in the query's tree that is filled in before each evaluation. Invariant: slots of both
// trees know the same specials.
#include "control/proviso.h"

#include <math.h>

// ---- windows ------------------------------------------------------------------------------------------------------

gm_memory *gm_proviso_memory(const gm_proviso *c, const gm_alloc *alloc, gm_time_ns since)
{
    gm_memory *m = gm_alloc_zeroed(alloc, sizeof *m + c->window_count * sizeof m->windows[0]);
    if (m == NULL) return NULL;
    m->since = since;
    m->count = c->window_count;
    for (size_t w = 0; w < m->count; w++) {
        for (size_t i = 0; i < GM_WINDOW_SLOTS; i++) m->windows[w].slot[i] = INT64_MIN;
    }
    return m;
}

static bool has_window(const gm_special *s) { return s->kind == GM_SPECIAL_RISES || s->kind == GM_SPECIAL_FALLS; }

static int64_t slot_of(const gm_special *s, gm_time_ns at)
{
    gm_dur_ns width = s->span / GM_WINDOW_SLOTS;
    return at / (width > 0 ? width : 1);
}

void gm_proviso_note(const gm_proviso *c, gm_memory *m, gm_str path, gm_time_ns at, double value)
{
    size_t w = 0;
    for (size_t i = 0; i < c->special_count; i++) {
        const gm_special *s = &c->specials[i];
        if (!has_window(s)) continue;
        gm_window *window = &m->windows[w++];
        if (!gm_str_eq(s->path, path) || at < 0) continue;
        int64_t slot = slot_of(s, at);
        size_t  k    = (size_t)(slot % GM_WINDOW_SLOTS);
        if (window->slot[k] > slot) continue;  // older than the whole window
        bool fresh      = window->slot[k] != slot;
        window->slot[k] = slot;
        window->low[k]  = fresh ? value : fmin(window->low[k], value);
        window->high[k] = fresh ? value : fmax(window->high[k], value);
    }
}

static bool moved(const gm_special *s, const gm_window *window, gm_time_ns at, double value)
{
    int64_t now = slot_of(s, at);
    for (size_t i = 0; i < GM_WINDOW_SLOTS; i++) {
        if (window->slot[i] == INT64_MIN || window->slot[i] <= now - GM_WINDOW_SLOTS || window->slot[i] > now) continue;
        if (s->kind == GM_SPECIAL_RISES ? value - window->low[i] >= s->by : window->high[i] - value >= s->by) return true;
    }
    return false;
}

// ---- values of the world ------------------------------------------------------------------------------------------

static bool cell_of(const gm_state *state, gm_twin twin, gm_str path, gm_cell *out)
{
    uint32_t column = gm_type_column_index(gm_state_type(state, twin), path);
    if (column == GM_NO_COLUMN) return false;
    gm_state_get(state, twin, column, out);
    return out->value.kind != GM_KIND_NONE;
}

static bool number_of(gm_value value, double *out)
{
    if (value.kind == GM_KIND_DOUBLE) *out = value.d;
    else if (value.kind == GM_KIND_INT || value.kind == GM_KIND_BOOL) *out = (double)value.i;
    else return false;
    return true;
}

// The next related twin behind `edge` (GM_NONE: the first); false: no more.
static bool next_related(const gm_special *s, const gm_state *state, gm_twin twin, gm_edge *edge, gm_twin *out)
{
    uint32_t name = gm_state_name_number(state, s->relationship);
    if (name == GM_NONE) return false;
    gm_edge e = *edge;
    do {
        if (!gm_edge_ok(e)) e = s->incoming ? gm_state_first_in(state, twin) : gm_state_first_out(state, twin);
        else e = s->incoming ? gm_state_next_in(state, e) : gm_state_next_out(state, e);
    } while (gm_edge_ok(e) && gm_state_edge_name(state, e) != name);
    *edge = e;
    if (!gm_edge_ok(e)) return false;
    *out = s->incoming ? gm_state_edge_source(state, e) : gm_state_edge_target(state, e);
    return true;
}

static gm_qvalue truth_value(gm_truth truth)
{
    if (truth == GM_UNKNOWN) return (gm_qvalue){ .kind = GM_Q_UNDEFINED };
    return (gm_qvalue){ GM_Q_INT, { .i = truth == GM_TRUE } };
}

// ANY: one that is true is enough. ALL: of none it is unknown, so that a lost relationship permits nothing.
static gm_qvalue quantified(const gm_special *s, const gm_moment *at)
{
    gm_edge  edge = { GM_NONE };
    gm_twin  related;
    bool     any = s->kind == GM_SPECIAL_ANY;
    size_t   n = 0, unknown = 0;
    gm_cell  cell;
    while (n < GM_PROVISO_RELATED_MAX && next_related(s, at->state, at->twin, &edge, &related)) {
        n++;
        bool     there = cell_of(at->state, related, s->path, &cell);
        gm_truth t     = there ? gm_qvalue_compare(s->op, gm_qvalue_of(cell.value), s->literal) : GM_UNKNOWN;
        if (t == (any ? GM_TRUE : GM_FALSE)) return truth_value(t);
        unknown += t == GM_UNKNOWN;
    }
    if (unknown > 0 || (n == 0 && !any)) return truth_value(GM_UNKNOWN);
    return truth_value(any ? GM_FALSE : GM_TRUE);
}

static gm_qvalue aggregated(const gm_special *s, const gm_moment *at)
{
    gm_edge edge = { GM_NONE };
    gm_twin related;
    gm_cell cell;
    size_t  n = 0, met = 0;
    double  least = INFINITY, most = -INFINITY, sum = 0, value;
    while (met++ < GM_PROVISO_RELATED_MAX && next_related(s, at->state, at->twin, &edge, &related)) {
        if (s->kind == GM_SPECIAL_COUNT) {
            n++;
            continue;
        }
        if (!cell_of(at->state, related, s->path, &cell) || !number_of(cell.value, &value)) continue;
        least = fmin(least, value);
        most  = fmax(most, value);
        sum += value;
        n++;
    }
    if (s->kind == GM_SPECIAL_COUNT) return (gm_qvalue){ GM_Q_INT, { .i = (int64_t)n } };
    if (n == 0) return (gm_qvalue){ .kind = GM_Q_UNDEFINED };
    double result = s->kind == GM_SPECIAL_MIN ? least : s->kind == GM_SPECIAL_MAX ? most : s->kind == GM_SPECIAL_SUM ? sum : sum / (double)n;
    return (gm_qvalue){ GM_Q_DOUBLE, { .d = result } };
}

// When something was last heard; `since` when never.
static gm_time_ns last_heard(const gm_special *s, const gm_moment *at, gm_time_ns since)
{
    gm_time_ns     last = since;
    gm_cell        cell;
    const gm_type *type = gm_state_type(at->state, at->twin);
    if (s->path.len > 0) return cell_of(at->state, at->twin, s->path, &cell) && cell.ingest > last ? cell.ingest : last;
    for (uint32_t c = 0; c < type->column_count; c++) {
        if (!type->columns[c].is_telemetry) continue;
        gm_state_get(at->state, at->twin, c, &cell);
        if (cell.value.kind != GM_KIND_NONE && cell.ingest > last) last = cell.ingest;
    }
    return last;
}

static gm_qvalue special_value(const gm_special *s, const gm_moment *at, const gm_memory *m, size_t window, gm_time_ns *wake)
{
    gm_cell    cell;
    double     value;
    gm_time_ns due;
    switch (s->kind) {
    case GM_SPECIAL_ANY: case GM_SPECIAL_ALL: return quantified(s, at);
    case GM_SPECIAL_RISES: case GM_SPECIAL_FALLS:
        if (m == NULL || !cell_of(at->state, at->twin, s->path, &cell) || !number_of(cell.value, &value)) return truth_value(GM_UNKNOWN);
        bool yes = moved(s, &m->windows[window], cell.source, value);
        return truth_value(yes ? GM_TRUE : GM_FALSE);
    case GM_SPECIAL_SILENT:
        due = last_heard(s, at, m != NULL ? m->since : 0) + s->span;
        if (due > at->now && due < *wake) *wake = due;
        return truth_value(due <= at->now ? GM_TRUE : GM_FALSE);
    case GM_SPECIAL_REQUEST: return at->request;
    default: return aggregated(s, at);
    }
}

gm_truth gm_proviso_truth(gm_proviso *c, const gm_moment *at, const gm_memory *m, gm_time_ns *out_wake)
{
    int held = at->held && c->ast[1] != NULL;
    *out_wake = INT64_MAX;
    if (!c->ready[held]) {
        if (gm_eval_init(&c->eval[held], c->ast[held], at->state, c->memory, c->scratch) != GM_OK) return GM_UNKNOWN;
        c->ready[held] = true;
    }
    gm_qvalue values[GM_SPECIALS_MAX];
    size_t    window = 0;
    for (size_t i = 0; i < c->special_count; i++) {
        values[i] = special_value(&c->specials[i], at, m, window, out_wake);
        window += has_window(&c->specials[i]);
    }
    for (size_t i = 0; i < c->slot_count[held]; i++) c->slots[held][i]->literal = values[c->slot_special[held][i]];
    gm_mark  mark = gm_arena_mark(c->scratch);
    gm_eval *e    = &c->eval[held];
    e->state      = at->state;
    e->facts      = at->facts;
    e->rollups_at = at->now;
    gm_eval_bind_twin(e, 0, at->twin);
    gm_truth truth = gm_eval_truth(e, c->ast[held]->where);
    if (e->failed) truth = GM_UNKNOWN;
    e->failed = false;
    gm_arena_rewind(c->scratch, mark);
    return truth;
}

bool gm_proviso_asks_rollup(const gm_proviso *c, gm_str name)
{
    for (size_t i = 0; i < c->ast[0]->path_count; i++) {
        const gm_path *path = &c->ast[0]->paths[i];
        if (path->count >= 2 && gm_str_is(path->segments[0], "$rollup") && (name.len == 0 || gm_str_eq(path->segments[1], name))) return true;
    }
    return false;
}

// ---- what it reads ------------------------------------------------------------------------------------------------

bool gm_proviso_reads(const gm_proviso *c, const gm_type *type, void (*own)(void *context, uint32_t column), void *context)
{
    gm_binding binding;
    bool       columns_only = true;
    gm_mark    mark         = gm_arena_mark(c->scratch);
    if (gm_bind(c->ast[0], type, c->scratch, &binding) != GM_OK) return false;
    for (size_t i = 0; i < c->ast[0]->path_count; i++) {
        gm_ref ref = binding.refs[i];
        switch ((gm_ref_kind)ref.kind) {
        case GM_REF_COLUMN: case GM_REF_JSON: case GM_REF_INGEST: case GM_REF_SOURCE: own(context, ref.column); break;
        case GM_REF_CHANGED: case GM_REF_DOCUMENT: case GM_REF_FACT: columns_only = false; break;
        case GM_REF_NONE: case GM_REF_ID: case GM_REF_MODEL: case GM_REF_ROLLUP: break;  // roll-ups: gm_proviso_asks_rollup
        }
    }
    gm_arena_rewind(c->scratch, mark);
    for (size_t i = 0; i < c->special_count; i++) {
        const gm_special *s = &c->specials[i];
        if (s->kind != GM_SPECIAL_SILENT && !has_window(s)) continue;
        uint32_t column = s->path.len > 0 ? gm_type_column_index(type, s->path) : GM_NO_COLUMN;
        if (column != GM_NO_COLUMN) own(context, column);
        else if (s->path.len == 0) columns_only = false;
    }
    return columns_only;
}

static bool is_slot(gm_str path) { return path.len >= 2 && path.ptr[0] == '_' && path.ptr[1] >= '0' && path.ptr[1] <= '9'; }

bool gm_proviso_misses(const gm_proviso *c, const gm_type *type, gm_str *out_path)
{
    gm_binding binding;
    gm_mark    mark  = gm_arena_mark(c->scratch);
    bool       found = false;
    if (gm_bind(c->ast[0], type, c->scratch, &binding) != GM_OK) return false;
    for (size_t i = 0; i < c->ast[0]->path_count && !found; i++) {
        found = binding.refs[i].kind == GM_REF_NONE && !is_slot(c->ast[0]->paths[i].text);
        if (found) *out_path = c->ast[0]->paths[i].text;
    }
    gm_arena_rewind(c->scratch, mark);
    for (size_t i = 0; i < c->special_count && !found; i++) {
        const gm_special *s = &c->specials[i];
        found = (s->kind == GM_SPECIAL_SILENT || has_window(s)) && s->path.len > 0 && gm_type_column_index(type, s->path) == GM_NO_COLUMN;
        if (found) *out_path = s->path;
    }
    return found;
}

typedef struct oldest { const gm_moment *at; gm_time_ns time; } oldest;

static void older(oldest *o, gm_time_ns time)
{
    if (o->time != GM_ABSENT && (time == GM_ABSENT || time < o->time)) o->time = time;
}

static void look_at_column(void *context, uint32_t column)
{
    oldest *o = context;
    gm_cell cell;
    gm_state_get(o->at->state, o->at->twin, column, &cell);
    // What is written once, a setting, does not grow old.
    bool telemetry = gm_state_type(o->at->state, o->at->twin)->columns[column].is_telemetry;
    if (cell.value.kind == GM_KIND_NONE) older(o, GM_ABSENT);
    else if (telemetry) older(o, cell.source < cell.ingest ? cell.source : cell.ingest);
}

gm_time_ns gm_proviso_oldest(const gm_proviso *c, const gm_moment *at)
{
    oldest o = { at, INT64_MAX };
    (void)gm_proviso_reads(c, gm_state_type(at->state, at->twin), look_at_column, &o);
    for (size_t i = 0; i < c->special_count; i++) {
        const gm_special *s = &c->specials[i];
        gm_edge           edge = { GM_NONE };
        gm_twin           related;
        gm_cell           cell;
        if (s->relationship.len == 0 || s->kind == GM_SPECIAL_COUNT) continue;
        while (next_related(s, at->state, at->twin, &edge, &related)) {
            bool     there  = cell_of(at->state, related, s->path, &cell);
            uint32_t column = gm_type_column_index(gm_state_type(at->state, related), s->path);
            if (!there) older(&o, GM_ABSENT);
            else if (gm_state_type(at->state, related)->columns[column].is_telemetry) older(&o, cell.source < cell.ingest ? cell.source : cell.ingest);
        }
    }
    return o.time;
}

// ---- contradictions -----------------------------------------------------------------------------------------------

static bool literal_number(const gm_node *node, double *out)
{
    if (node->kind != GM_NODE_LITERAL) return false;
    if (node->literal.kind == GM_Q_INT) *out = (double)node->literal.i;
    else if (node->literal.kind == GM_Q_DOUBLE) *out = node->literal.d;
    else return false;
    return true;
}

static bool bounds(const gm_node *node, uint32_t path, double *low, double *high, bool *low_open, bool *high_open)
{
    double x;
    if (node->kind != GM_NODE_COMPARE || node->a->kind != GM_NODE_PATH || node->a->path != path || !literal_number(node->b, &x)) return false;
    gm_compare op = (gm_compare)node->op;
    if ((op == GM_GT || op == GM_GE || op == GM_EQ) && x >= *low) {
        *low_open = op == GM_GT || (*low_open && x == *low);
        *low      = x;
    }
    if ((op == GM_LT || op == GM_LE || op == GM_EQ) && x <= *high) {
        *high_open = op == GM_LT || (*high_open && x == *high);
        *high      = x;
    }
    return true;
}

bool gm_proviso_contradicts(const gm_proviso *c)
{
    const gm_node *where = c->ast[0]->where;
    if (where->kind == GM_NODE_LITERAL && where->literal.kind == GM_Q_BOOL && where->literal.i == 0) return true;
    if (where->kind != GM_NODE_AND) return false;
    for (size_t path = 0; path < c->ast[0]->path_count; path++) {
        double low = -INFINITY, high = INFINITY;
        bool   low_open = false, high_open = false;
        if (is_slot(c->ast[0]->paths[path].text)) continue;
        for (const gm_node *n = where->first; n != NULL; n = n->next) (void)bounds(n, (uint32_t)path, &low, &high, &low_open, &high_open);
        if (low > high || (low == high && (low_open || high_open))) return true;
    }
    return false;
}
