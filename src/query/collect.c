// Grouping and sorting. An entry is a row to be given: what is bound to each collection, the values to sort by, and
// for groups the accumulators. A group is represented by its first row, so that GROUP BY values are evaluated on it
// like any other path.
//
// Invariants: (1) entries keep the order of arrival as their last sort key, so equal rows come in the same order on
// every page; (2) when only the best `keep` rows are asked for, at most 2 * keep entries are alive.
#include "query/rows.h"

#include "base/index.h"

#include <math.h>
#include <stdlib.h>

typedef struct accumulator {
    uint64_t  count;
    double    sum, carry;   // Neumaier's compensated sum: independent of the order to within a rounding
    gm_qvalue least, most;  // UNDEFINED until a value came
} accumulator;

typedef struct entry {
    uint32_t    *bound;        // [collection_count]
    gm_qvalue   *keys;         // [order_count]
    gm_str       group_key;    // the GROUP BY values as bytes
    accumulator *accumulators; // [aggregate_count]
    uint64_t     arrival;
} entry;

struct gm_rowset {
    gm_eval      *eval;
    const gm_ast *ast;
    gm_arena     *arena;
    gm_alloc      alloc;      // on the arena
    entry       **entries;
    size_t        count, capacity, keep;
    entry       **spare;      // entries that fell out of the best
    size_t        spare_count;
    uint64_t      arrivals;
    bool          full;       // the best `keep` are known so far: entries[keep - 1] is the one to beat
    gm_index      groups;
    gm_buf        key;        // of the row at hand
    gm_qvalue    *results;    // [aggregate_count] of the group that is bound
    gm_qvalue    *sort_keys;  // [order_count] of the row at hand
};

static bool same_group(const void *owner, uint32_t id, gm_str key)
{
    const gm_rowset *c = owner;
    return gm_str_eq(c->entries[id]->group_key, key);
}

gm_rowset *gm_rowset_create(gm_eval *eval, gm_arena *arena, size_t keep)
{
    gm_rowset *c = GM_ARENA_NEW(arena, gm_rowset, 1);
    if (c == NULL) return NULL;
    c->eval      = eval;
    c->ast       = eval->ast;
    c->arena     = arena;
    c->alloc     = gm_arena_alloc(arena);
    c->keep      = keep < SIZE_MAX / 4 ? keep : SIZE_MAX / 4;
    c->key       = gm_buf_init(&c->alloc);
    c->groups    = gm_index_init(&c->alloc, same_group, c);
    c->results   = GM_ARENA_NEW(arena, gm_qvalue, c->ast->aggregate_count);
    c->sort_keys = GM_ARENA_NEW(arena, gm_qvalue, c->ast->order_count);
    return c->results != NULL && c->sort_keys != NULL ? c : NULL;
}

// ---- entries ----------------------------------------------------------------------------------------------------

static entry *new_entry(gm_rowset *c)
{
    if (c->spare_count > 0) return c->spare[--c->spare_count];
    entry *e = GM_ARENA_NEW(c->arena, entry, 1);
    if (e == NULL) return NULL;
    e->bound        = GM_ARENA_NEW(c->arena, uint32_t, c->ast->collection_count);
    e->keys         = GM_ARENA_NEW(c->arena, gm_qvalue, c->ast->order_count);
    e->accumulators = c->ast->aggregate_count > 0 ? GM_ARENA_NEW(c->arena, accumulator, c->ast->aggregate_count) : NULL;
    bool ok         = e->bound != NULL && e->keys != NULL && (e->accumulators != NULL || c->ast->aggregate_count == 0);
    return ok ? e : NULL;
}

static bool append(gm_rowset *c, entry *e)
{
    if (!gm_alloc_reserve(&c->alloc, &c->entries, &c->capacity, c->count + 1, sizeof *c->entries)) return false;
    c->entries[c->count++] = e;
    return true;
}

static int order_keys(const gm_rowset *c, const gm_qvalue *a, const gm_qvalue *b)
{
    for (size_t i = 0; i < c->ast->order_count; i++) {
        int order = gm_qvalue_order(a[i], b[i]);
        if (order != 0) return c->ast->orders[i].descending ? -order : order;
    }
    return 0;
}

static int order_entries(const void *a, const void *b, void *context)
{
    const entry *x = *(entry *const *)a, *y = *(entry *const *)b;
    int          order = order_keys(context, x->keys, y->keys);
    return order != 0 ? order : (x->arrival > y->arrival) - (x->arrival < y->arrival);
}

static void sort(gm_rowset *c)
{
    if (c->count > 1 && c->ast->order_count > 0) qsort_r(c->entries, c->count, sizeof *c->entries, order_entries, c);
}

// Texts of values may lie in scratch memory; kept ones must not.
static bool keep_text(gm_arena *arena, gm_qvalue *value)
{
    if (value->kind != GM_Q_STRING && value->kind != GM_Q_JSON) return true;
    value->s = gm_arena_str(arena, value->s);
    return value->s.ptr != NULL;
}

static bool copy_keys(gm_rowset *c, entry *e, const gm_qvalue *keys)
{
    for (size_t i = 0; i < c->ast->order_count; i++) {
        e->keys[i] = keys[i];
        if (!keep_text(c->arena, &e->keys[i])) return false;
    }
    return true;
}

// ---- sorting without groups -------------------------------------------------------------------------------------

// Keeps the best `keep` and puts the others aside for reuse. Texts of their keys stay in the arena; since a row must
// beat the worst kept one to get in at all, few ever do.
static bool drop_the_rest(gm_rowset *c)
{
    sort(c);
    if (c->spare == NULL) c->spare = GM_ARENA_NEW(c->arena, entry *, c->keep + 1);
    if (c->spare == NULL) return false;
    while (c->count > c->keep) c->spare[c->spare_count++] = c->entries[--c->count];
    c->full = true;
    return true;
}

static gm_status add_sorted(gm_rowset *c)
{
    gm_eval *eval = c->eval;
    gm_mark  mark = gm_arena_mark(eval->scratch);
    for (size_t i = 0; i < c->ast->order_count; i++) c->sort_keys[i] = gm_eval_value(eval, c->ast->orders[i].value);
    c->arrivals++;
    gm_status st = GM_OK;
    if (c->keep == 0 || (c->full && order_keys(c, c->sort_keys, c->entries[c->keep - 1]->keys) >= 0)) goto done;
    st       = GM_NOMEM;
    entry *e = new_entry(c);
    if (e == NULL || !copy_keys(c, e, c->sort_keys)) goto done;
    memcpy(e->bound, eval->bound, c->ast->collection_count * sizeof *e->bound);
    e->arrival = c->arrivals;
    if (!append(c, e)) goto done;
    if (c->count > 2 * c->keep && !drop_the_rest(c)) goto done;
    st = GM_OK;
done:
    gm_arena_rewind(eval->scratch, mark);
    return st;
}

// ---- grouping ---------------------------------------------------------------------------------------------------

// Values that are equal give the same bytes: 5 and 5.0, -0.0 and 0.0.
static void write_group_key(gm_buf *key, gm_qvalue value)
{
    if (value.kind == GM_Q_DOUBLE && value.d == floor(value.d) && fabs(value.d) < 9e18) {
        value = (gm_qvalue){ GM_Q_INT, { .i = (int64_t)value.d } };
    }
    gm_buf_byte(key, (uint8_t)value.kind);
    switch (value.kind) {
    case GM_Q_STRING:
    case GM_Q_JSON:
        gm_buf_add(key, &value.s.len, sizeof value.s.len);
        gm_buf_str(key, value.s);
        break;
    case GM_Q_UNDEFINED:
    case GM_Q_NULL: break;
    default: gm_buf_add(key, &value.i, sizeof value.i); break;  // a double's bits, where it is none of the above
    }
}

static void add_number(accumulator *a, double x)
{
    double sum = a->sum + x;
    a->carry += fabs(a->sum) >= fabs(x) ? (a->sum - sum) + x : (x - sum) + a->sum;
    a->sum = sum;
}

static bool accumulate(gm_rowset *c, accumulator *a, const gm_node *aggregate)
{
    if (aggregate->of == NULL) {
        a->count++;
        return true;
    }
    gm_qvalue value  = gm_eval_value(c->eval, aggregate->of);
    bool      number = value.kind == GM_Q_INT || value.kind == GM_Q_DOUBLE;
    if (value.kind == GM_Q_UNDEFINED) return true;
    switch ((gm_aggregate)aggregate->op) {
    case GM_COUNT: a->count++; return true;
    case GM_SUM:
    case GM_AVG:
        if (!number) return true;
        a->count++;
        add_number(a, value.kind == GM_Q_INT ? (double)value.i : value.d);
        return true;
    case GM_MIN:
    case GM_MAX: break;
    }
    if (value.kind == GM_Q_NULL || value.kind == GM_Q_JSON) return true;
    gm_qvalue *best  = aggregate->op == GM_MIN ? &a->least : &a->most;
    int        order = gm_qvalue_order(value, *best);
    if (best->kind != GM_Q_UNDEFINED && (aggregate->op == GM_MIN ? order >= 0 : order <= 0)) return true;
    *best = value;
    return keep_text(c->arena, best);
}

static gm_qvalue result_of(const accumulator *a, const gm_node *aggregate)
{
    double sum = a->sum + a->carry;
    switch ((gm_aggregate)aggregate->op) {
    case GM_COUNT: return (gm_qvalue){ GM_Q_INT, { .i = (int64_t)a->count } };
    case GM_SUM:
        return isfinite(sum) ? (gm_qvalue){ GM_Q_DOUBLE, { .d = sum } } : (gm_qvalue){ 0 };
    case GM_AVG:
        return a->count > 0 && isfinite(sum) ? (gm_qvalue) { GM_Q_DOUBLE, { .d = sum / (double)a->count } }
                                             : (gm_qvalue) { 0 };
    case GM_MIN: return a->least;
    case GM_MAX: return a->most;
    }
    return (gm_qvalue){ 0 };
}

static entry *new_group(gm_rowset *c, gm_str key)
{
    entry *e = new_entry(c);
    if (e == NULL) return NULL;
    e->group_key = gm_arena_str(c->arena, key);
    e->arrival   = ++c->arrivals;
    if (e->group_key.ptr == NULL) return NULL;
    memcpy(e->bound, c->eval->bound, c->ast->collection_count * sizeof *e->bound);
    if (!append(c, e)) return NULL;
    return gm_index_add(&c->groups, e->group_key, (uint32_t)(c->count - 1)) == GM_OK ? e : NULL;
}

static gm_status add_grouped(gm_rowset *c)
{
    gm_eval *eval = c->eval;
    gm_mark  mark = gm_arena_mark(eval->scratch);
    gm_buf_clear(&c->key);
    for (const gm_node *key = c->ast->group_keys; key != NULL; key = key->next)
        write_group_key(&c->key, gm_eval_value(eval, key));
    bool     ok    = !c->key.failed;
    uint32_t found = ok ? gm_index_find(&c->groups, gm_buf_view(&c->key)) : GM_INDEX_NONE;
    entry   *e     = found != GM_INDEX_NONE ? c->entries[found] : ok ? new_group(c, gm_buf_view(&c->key)) : NULL;
    ok             = e != NULL;
    for (size_t i = 0; ok && i < c->ast->aggregate_count; i++)
        ok = accumulate(c, &e->accumulators[i], c->ast->aggregates[i]);
    gm_arena_rewind(eval->scratch, mark);
    return ok ? GM_OK : GM_NOMEM;
}

// ---- whole blocks -------------------------------------------------------------------------------------------------

// Can the aggregate be computed from numbers alone, without knowing what kinds the values have?
static bool sums_numbers(const gm_filter *filter, const gm_node *aggregate)
{
    const gm_node *of = aggregate->of;
    if (of == NULL) return true;
    if (of->kind == GM_NODE_ARITH) return gm_filter_has_numbers(filter, of);
    if (of->kind != GM_NODE_PATH) return false;
    gm_ref ref = filter->binding.refs[of->path];
    if (ref.kind == GM_REF_NONE) return true;
    if (ref.kind != GM_REF_COLUMN) return false;
    gm_kind kind = filter->binding.type->columns[ref.column].kind;
    // The least of integers is an integer: those take the slow way.
    return kind == GM_KIND_DOUBLE || (kind == GM_KIND_INT && aggregate->op != GM_MIN && aggregate->op != GM_MAX);
}

static void accumulate_numbers(accumulator *a, gm_aggregate op, const double *x, size_t n, const uint8_t *mask)
{
    double least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        if (!mask[i] || isnan(x[i])) continue;
        a->count++;
        if (op == GM_SUM || op == GM_AVG) add_number(a, x[i]);
        least = x[i] < least ? x[i] : least;
        most  = x[i] > most ? x[i] : most;
    }
    if (op != GM_MIN && op != GM_MAX) return;
    gm_qvalue *best  = op == GM_MIN ? &a->least : &a->most;
    gm_qvalue  value = { GM_Q_DOUBLE, { .d = op == GM_MIN ? least : most } };
    int        order = gm_qvalue_order(value, *best);
    if (!isfinite(value.d) || (best->kind != GM_Q_UNDEFINED && (op == GM_MIN ? order >= 0 : order <= 0))) return;
    *best = value;
}

// Aggregates without GROUP BY, over arrays. False: some aggregate needs its rows one by one.
static bool aggregate_block(gm_rowset *c, gm_filter *filter, uint32_t first, size_t n, const uint8_t *mask,
                            gm_status *out_status)
{
    for (size_t i = 0; i < c->ast->aggregate_count; i++) {
        if (!sums_numbers(filter, c->ast->aggregates[i])) return false;
    }
    const uint8_t *any = memchr(mask, 1, n);
    if (any == NULL) return true;
    if (c->count == 0) {
        gm_eval_bind_twin(c->eval, filter->collection, (gm_twin){ filter->table.twins[first + (size_t)(any - mask)] });
        if (new_group(c, GM_STR("")) == NULL) {
            *out_status = GM_NOMEM;
            return true;
        }
    }
    gm_mark mark = gm_arena_mark(c->eval->scratch);
    for (size_t i = 0; i < c->ast->aggregate_count; i++) {
        const gm_node *aggregate = c->ast->aggregates[i];
        accumulator   *a         = &c->entries[0]->accumulators[i];
        if (aggregate->of == NULL) {
            a->count += gm_mask_count(n, mask);
            continue;
        }
        const double *x = gm_filter_numbers(filter, aggregate->of, first, n);
        if (x == NULL) {
            *out_status = GM_NOMEM;
            break;
        }
        accumulate_numbers(a, (gm_aggregate)aggregate->op, x, n, mask);
        gm_arena_rewind(c->eval->scratch, mark);
    }
    gm_arena_rewind(c->eval->scratch, mark);
    return true;
}

// ORDER BY with enough rows collected: clears those whose first key is beyond the worst that is kept.
static void clear_beaten(gm_rowset *c, gm_filter *filter, uint32_t first, size_t n, uint8_t *mask)
{
    const gm_order *order = &c->ast->orders[0];
    gm_qvalue       worst = c->entries[c->keep - 1]->keys[0];
    if (order->value->kind != GM_NODE_PATH || (worst.kind != GM_Q_INT && worst.kind != GM_Q_DOUBLE)) return;
    gm_ref ref = filter->binding.refs[order->value->path];
    if (ref.kind != GM_REF_COLUMN || filter->binding.type->columns[ref.column].kind != GM_KIND_DOUBLE) return;
    const double *x = filter->table.columns[ref.column].d;
    if (x == NULL) return;
    // Equal ones stay, since the next key may decide. Rows without a value come first in rising order, last in falling.
    gm_f64_range range = gm_f64_range_of(order->descending ? GM_GE : GM_LE, worst);
    if (order->descending) gm_mask_f64(n, x + first, range, mask);
    else gm_mask_at_most(n, x + first, range.hi, mask);
}

bool gm_rowset_add_block(gm_rowset *c, gm_filter *filter, uint32_t first, size_t n, uint8_t *mask,
                         gm_status *out_status)
{
    if (c->ast->grouped) return c->ast->group_keys == NULL && aggregate_block(c, filter, first, n, mask, out_status);
    if (c->full && c->keep > 0) clear_beaten(c, filter, first, n, mask);
    return false;
}

// ---- the rowset ----------------------------------------------------------------------------------------------

gm_status gm_rowset_add(gm_rowset *c)
{
    gm_status st = c->ast->grouped ? add_grouped(c) : add_sorted(c);
    return st == GM_OK && c->eval->failed ? GM_NOMEM : st;
}

size_t gm_rowset_count(const gm_rowset *c)
{
    return c->count;
}

void gm_rowset_bind(gm_rowset *c, size_t i)
{
    const entry *e = c->entries[i];
    for (uint32_t k = 0; k < c->ast->collection_count; k++) {
        if (e->bound[k] == GM_NONE || c->ast->collections[k].is_relationship) c->eval->bound[k] = e->bound[k];
        else gm_eval_bind_twin(c->eval, k, (gm_twin){ e->bound[k] });
    }
    for (size_t k = 0; k < c->ast->aggregate_count; k++)
        c->results[k] = result_of(&e->accumulators[k], c->ast->aggregates[k]);
    c->eval->aggregates = c->ast->aggregate_count > 0 ? c->results : NULL;
}

gm_status gm_rowset_finish(gm_rowset *c)
{
    gm_eval *eval = c->eval;
    if (c->ast->grouped && c->ast->group_keys == NULL && c->count == 0) {
        // Aggregates over nothing still are a row: COUNT 0.
        for (size_t i = 0; i < c->ast->collection_count; i++) eval->bound[i] = GM_NONE;
        if (new_group(c, GM_STR("")) == NULL) return GM_NOMEM;
    }
    if (c->ast->grouped && c->ast->order_count > 0) {
        for (size_t i = 0; i < c->count; i++) {
            gm_mark mark = gm_arena_mark(eval->scratch);
            gm_rowset_bind(c, i);
            for (size_t k = 0; k < c->ast->order_count; k++)
                c->sort_keys[k] = gm_eval_value(eval, c->ast->orders[k].value);
            bool ok = copy_keys(c, c->entries[i], c->sort_keys) && !eval->failed;
            gm_arena_rewind(eval->scratch, mark);
            if (!ok) return GM_NOMEM;
        }
    }
    sort(c);
    return GM_OK;
}
