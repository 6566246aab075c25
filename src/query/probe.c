#include "query/probe.h"

#include <math.h>
#include <stdlib.h>

typedef struct range { uint64_t low, high; } range;  // of keys, both included

// ---- what a condition asks of a key ---------------------------------------------------------------------------------

// From below or above: the nearest whole number to a fraction that an integer column is compared with.
static uint64_t int_key(gm_qvalue literal, double (*round)(double))
{
    if (literal.kind == GM_Q_INT) return gm_index_key_of_int(literal.i);
    double whole = round(literal.d);
    if (whole >= 9.2e18) return UINT64_MAX;
    if (whole <= -9.2e18) return 0;
    return gm_index_key_of_int((int64_t)whole);
}

// The keys of the values that are equal to the literal lie in the range. False: no value of the column is.
static bool keys_of(gm_kind kind, gm_index_order order, gm_qvalue literal, range *out)
{
    bool number = literal.kind == GM_Q_INT || literal.kind == GM_Q_DOUBLE;
    switch (kind) {
    case GM_KIND_DOUBLE:
        if (!number) return false;
        // A whole number beyond 2^53 is not exact as a double: the comparison is looked at again, the range is wide.
        out->low = out->high = gm_index_key_of_double(literal.kind == GM_Q_INT ? (double)literal.i : literal.d);
        if (literal.kind == GM_Q_INT && (literal.i > INT64_C(1) << 53 || literal.i < -(INT64_C(1) << 53))) {
            out->low  = out->low > 0 ? out->low - 1 : 0;
            out->high = out->high < UINT64_MAX ? out->high + 1 : UINT64_MAX;
        }
        return true;
    case GM_KIND_INT:
        if (!number) return false;
        *out = (range){ int_key(literal, floor), int_key(literal, ceil) };
        return true;
    case GM_KIND_BOOL:
        if (literal.kind != GM_Q_BOOL) return false;
        out->low = out->high = gm_index_key_of_int(literal.i);
        return true;
    case GM_KIND_STRING:
        if (literal.kind != GM_Q_STRING) return false;
        out->low = out->high = gm_index_key_of_text(literal.s, order);
        return true;
    default: return false;
    }
}

// The range of a comparison. False: an index can not tell.
static bool compare_range(gm_kind kind, gm_index_order order, const gm_node *c, range *out)
{
    if (c->b->kind != GM_NODE_LITERAL || c->op == GM_NE || (order == GM_INDEX_HASHED && c->op != GM_EQ)) return false;
    if (!keys_of(kind, order, c->b->literal, out)) {
        *out = (range){ 1, 0 };  // nothing is equal to it; an order between kinds there is none
        return c->op == GM_EQ;
    }
    if (c->op == GM_LT || c->op == GM_LE) out->low = 0;
    if (c->op == GM_GT || c->op == GM_GE) out->high = UINT64_MAX;
    return true;
}

static bool indexed_column(const gm_filter *filter, const gm_node *c, uint32_t *out_column, const gm_sorted **out_sorted, gm_index_order *out_order)
{
    bool           fits = (c->kind == GM_NODE_COMPARE || c->kind == GM_NODE_IN) && c->a->kind == GM_NODE_PATH;
    const gm_path *path = fits ? &filter->eval->ast->paths[c->a->path] : NULL;
    if (path == NULL || path->collection != filter->collection || filter->binding.refs[c->a->path].kind != GM_REF_COLUMN) return false;
    *out_column = filter->binding.refs[c->a->path].column;
    *out_sorted = gm_state_index_of(filter->eval->state, filter->table.type->number, *out_column, out_order);
    return *out_sorted != NULL;
}

// Calls `each` for the ranges of a condition; false: the index can not answer it.
static bool walk_ranges(const gm_filter *filter, const gm_node *c, uint32_t column, gm_index_order order,
                        void (*each)(void *context, range r), void *context)
{
    gm_kind kind = filter->table.type->columns[column].kind;
    range   r;
    if (c->kind == GM_NODE_COMPARE) {
        if (!compare_range(kind, order, c, &r)) return false;
        each(context, r);
        return true;
    }
    if (c->set.count > GM_PROBE_RANGES_MAX) return false;
    for (size_t i = 0; i < c->set.count; i++) {
        if (c->set.values[i].kind == GM_Q_NULL) return false;
        if (keys_of(kind, order, c->set.values[i], &r)) each(context, r);
    }
    return true;
}

typedef struct counting { const gm_sorted *sorted; size_t rows; } counting;

static void count_range(void *context, range r)
{
    counting *c = context;
    c->rows += gm_sorted_count_range(c->sorted, r.low, r.high);
}

gm_probe gm_probe_find(const gm_filter *filter, const gm_node *const *conditions, size_t n)
{
    gm_probe best = { .rows = filter->table.live / GM_PROBE_GAIN };
    for (size_t i = 0; i < n; i++) {
        uint32_t       column;
        gm_index_order order;
        counting       c = { 0 };
        if (!indexed_column(filter, conditions[i], &column, &c.sorted, &order)) continue;
        if (!walk_ranges(filter, conditions[i], column, order, count_range, &c) || c.rows > best.rows) continue;
        best = (gm_probe){ c.sorted, conditions[i], column, c.rows };
    }
    return best;
}

// Whether each value of the column is below, at or above the literal just as its key is.
static bool key_is_exact(gm_kind kind, const gm_node *c)
{
    gm_qvalue literal = c->b->literal;
    switch (kind) {
    case GM_KIND_DOUBLE:
        return literal.kind == GM_Q_DOUBLE ||
               (literal.kind == GM_Q_INT && literal.i <= INT64_C(1) << 53 && literal.i >= -(INT64_C(1) << 53));
    case GM_KIND_INT: return literal.kind == GM_Q_INT;
    case GM_KIND_BOOL: return literal.kind == GM_Q_BOOL && c->op == GM_EQ;
    default: return false;
    }
}

bool gm_probe_count(const gm_filter *filter, const gm_node *const *conditions, size_t n, size_t *out_rows)
{
    uint32_t         column;
    const gm_sorted *sorted;
    gm_index_order   order;
    range            r, equal;
    if (n != 1 || !indexed_column(filter, conditions[0], &column, &sorted, &order)) return false;
    const gm_node *c    = conditions[0];
    gm_kind        kind = filter->table.type->columns[column].kind;
    if (c->kind != GM_NODE_COMPARE || c->b->kind != GM_NODE_LITERAL || !key_is_exact(kind, c)) return false;
    if (!keys_of(kind, order, c->b->literal, &equal) || !compare_range(kind, order, c, &r)) return false;
    if (kind == GM_KIND_DOUBLE) {  // what is no number has keys beyond the infinities
        if (r.low == 0) r.low = gm_index_key_of_double(-INFINITY);
        if (r.high == UINT64_MAX) r.high = gm_index_key_of_double(INFINITY);
    }
    *out_rows = gm_sorted_count_range(sorted, r.low, r.high);
    if (c->op == GM_GT || c->op == GM_LT) *out_rows -= gm_sorted_count_range(sorted, equal.low, equal.high);
    return true;
}

// ---- rows -----------------------------------------------------------------------------------------------------------

typedef struct gathering { const gm_sorted *sorted; uint32_t *rows; size_t count, max; } gathering;

static void gather_range(void *context, range r)
{
    gathering *g = context;
    g->count += gm_sorted_rows(g->sorted, r.low, r.high, g->rows + g->count, g->max - g->count);
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

uint32_t *gm_probe_rows(const gm_probe *probe, const gm_filter *filter, gm_arena *arena, size_t *out_count)
{
    gathering      g = { probe->sorted, GM_ARENA_NEW(arena, uint32_t, probe->rows + 1), 0, probe->rows };
    gm_index_order order;
    if (g.rows == NULL) return NULL;
    (void)gm_state_index_of(filter->eval->state, filter->table.type->number, probe->column, &order);
    (void)walk_ranges(filter, probe->condition, probe->column, order, gather_range, &g);
    qsort(g.rows, g.count, sizeof *g.rows, by_number);
    size_t kept = 0;
    for (size_t i = 0; i < g.count; i++) {
        if (kept == 0 || g.rows[kept - 1] != g.rows[i]) g.rows[kept++] = g.rows[i];
    }
    *out_count = kept;
    return g.rows;
}
