#include "reliability/bounds.h"

#include <math.h>
#include <string.h>

// A part of the module: some leaves have been decided. Decisions are linked back to the whole.
typedef struct part {
    uint32_t    before;      // index of the part this one was split from; UINT32_MAX: the whole
    uint32_t    leaf;        // decided last
    bool        value;
    double      weight_low, weight_high;  // the probability of the decisions
    gm_interval inside;      // the module's probability, given the decisions
} part;

typedef struct splitting {
    const gm_formula  *f;
    const gm_module   *m;
    const gm_interval *leaves;
    bool               coherent;
    gm_interval       *values;   // [leaves + gates]
    uint8_t           *decided;  // [leaves] 0: open, 1: false, 2: true
    uint32_t          *uses;     // [leaves]
    part              *parts;
    uint32_t          *heap;     // open parts, the widest first
    size_t             part_count, part_capacity, heap_count, heap_capacity;
    double             low, high;  // of the whole: sums over all open and finished parts
} splitting;

static gm_interval value_of_edge(const splitting *s, uint32_t edge)
{
    gm_interval v = s->values[s->m->local[edge >> 1]];
    return edge & 1 ? (gm_interval){ 1 - v.high, 1 - v.low } : v;
}

static gm_interval conjunction(const splitting *s, const gm_formula_node *n)
{
    double product_low = 1, least = 1, missing = 0;
    for (uint32_t k = 0; k < n->count; k++) {
        gm_interval v = value_of_edge(s, s->f->edges[n->first + k]);
        product_low *= v.low;
        if (v.high < least) least = v.high;
        missing += 1 - v.low;
    }
    double low = s->coherent ? product_low : fmax(0, 1 - missing);
    return (gm_interval){ fmin(low, least), least };
}

// Markov's inequality on the number of true inputs, from both sides, and certainty where enough inputs are decided.
static gm_interval cardinality(const splitting *s, const gm_formula_node *n)
{
    double   mean_low = 0, mean_high = 0;
    uint32_t sure = 0, possible = 0;
    for (uint32_t k = 0; k < n->count; k++) {
        gm_interval v = value_of_edge(s, s->f->edges[n->first + k]);
        mean_low += v.low;
        mean_high += v.high;
        sure += v.low >= 1;
        possible += v.high > 0;
    }
    if (possible < n->min || sure > n->max) return (gm_interval){ 0, 0 };
    if (sure >= n->min && possible <= n->max) return (gm_interval){ 1, 1 };
    double high = n->min > 0 ? fmin(1, mean_high / n->min) : 1;
    // P(at least k) >= (mean - (k - 1)) / (n - (k - 1)), since at most n inputs are true
    double low = n->max == n->count && n->min > 0 ? fmax(0, (mean_low - (n->min - 1.0)) / (n->count - (n->min - 1.0))) : 0;
    return (gm_interval){ fmin(low, high), high };
}

static gm_interval parity(const splitting *s, const gm_formula_node *n)
{
    bool known = true, value = false;
    for (uint32_t k = 0; k < n->count; k++) {
        gm_interval v = value_of_edge(s, s->f->edges[n->first + k]);
        known = known && (v.low >= 1 || v.high <= 0);
        value ^= v.low >= 1;
    }
    return known ? (gm_interval){ value, value } : (gm_interval){ 0, 1 };
}

static gm_interval evaluate(splitting *s)
{
    const gm_module *m = s->m;
    for (size_t i = 0; i < m->leaf_count; i++) {
        s->values[i] = s->decided[i] == 0 ? s->leaves[i] : s->decided[i] == 2 ? (gm_interval){ 1, 1 } : (gm_interval){ 0, 0 };
    }
    for (size_t i = 0; i < m->gate_count; i++) {
        const gm_formula_node *n = &s->f->nodes[m->gates[i]];
        s->values[m->leaf_count + i] = n->kind == GM_FORMULA_AND ? conjunction(s, n) : n->kind == GM_FORMULA_XOR ? parity(s, n) : cardinality(s, n);
    }
    return s->values[m->leaf_count + m->gate_count - 1];
}

static double width(const part *p) { return p->weight_high * p->inside.high - p->weight_low * p->inside.low; }

static bool add_part(splitting *s, part p)
{
    const gm_alloc *alloc = s->m->alloc;
    s->low += p.weight_low * p.inside.low;
    s->high += p.weight_high * p.inside.high;
    if (!gm_alloc_reserve(alloc, &s->parts, &s->part_capacity, s->part_count + 1, sizeof *s->parts) ||
        !gm_alloc_reserve(alloc, &s->heap, &s->heap_capacity, s->heap_count + 1, sizeof *s->heap)) return false;
    s->parts[s->part_count++] = p;
    if (width(&p) <= 0) return true;
    size_t at = s->heap_count++;
    for (; at > 0 && width(&s->parts[s->heap[(at - 1) / 2]]) < width(&p); at = (at - 1) / 2) s->heap[at] = s->heap[(at - 1) / 2];
    s->heap[at] = (uint32_t)s->part_count - 1;
    return true;
}

static uint32_t widest(splitting *s)
{
    uint32_t top = s->heap[0], last = s->heap[--s->heap_count];
    size_t   at  = 0;
    for (size_t child = 1; child < s->heap_count; child = 2 * at + 1) {
        if (child + 1 < s->heap_count && width(&s->parts[s->heap[child]]) < width(&s->parts[s->heap[child + 1]])) child++;
        if (width(&s->parts[s->heap[child]]) <= width(&s->parts[last])) break;
        s->heap[at] = s->heap[child];
        at          = child;
    }
    s->heap[at] = last;
    return top;
}

static void decide(splitting *s, uint32_t at)
{
    memset(s->decided, 0, s->m->leaf_count);
    for (; s->parts[at].before != UINT32_MAX; at = s->parts[at].before) s->decided[s->parts[at].leaf] = s->parts[at].value ? 2 : 1;
}

// The open leaf with the most uses that is not certain; UINT32_MAX: none is left.
static uint32_t next_leaf(const splitting *s)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < s->m->leaf_count; i++) {
        if (s->decided[i] != 0 || (best != UINT32_MAX && s->uses[i] <= s->uses[best])) continue;
        best = i;
    }
    return best;
}

static bool split(splitting *s, uint32_t at)
{
    decide(s, at);
    uint32_t leaf = next_leaf(s);
    if (leaf == UINT32_MAX) return true;
    part        whole = s->parts[at];
    gm_interval p     = s->leaves[leaf];
    s->low -= whole.weight_low * whole.inside.low;
    s->high -= whole.weight_high * whole.inside.high;
    for (int value = 0; value < 2; value++) {
        s->decided[leaf] = value ? 2 : 1;
        part half = { .before = at, .leaf = leaf, .value = value, .inside = evaluate(s),
                      .weight_low  = whole.weight_low * (value ? p.low : 1 - p.high),
                      .weight_high = whole.weight_high * (value ? p.high : 1 - p.low) };
        if (!add_part(s, half)) return false;
    }
    return true;
}

gm_status gm_bounds_find(const gm_formula *f, const gm_module *m, const gm_interval *leaves, bool coherent, const gm_clock *clock,
                         gm_time_ns deadline, gm_interval *out)
{
    enum { PARTS_MAX = 4 << 20 };
    const gm_alloc *alloc = m->alloc;
    splitting s = { .f = f, .m = m, .leaves = leaves, .coherent = coherent,
                    .values  = gm_alloc_array(alloc, m->leaf_count + m->gate_count, sizeof *s.values),
                    .decided = gm_alloc_zeroed(alloc, m->leaf_count), .uses = gm_alloc_zeroed(alloc, m->leaf_count * sizeof *s.uses) };
    bool ok = s.values != NULL && s.decided != NULL && s.uses != NULL;
    for (size_t i = 0; ok && i < m->leaf_count; i++) s.uses[i] = f->nodes[m->leaves[i]].parents;
    ok   = ok && add_part(&s, (part){ .before = UINT32_MAX, .weight_low = 1, .weight_high = 1, .inside = evaluate(&s) });
    *out = (gm_interval){ 0, 1 };
    double best_low = 0, best_high = 1;
    while (ok && s.heap_count > 0 && s.part_count < PARTS_MAX && gm_monotonic(clock) < deadline) {
        best_low  = fmax(best_low, s.low);
        best_high = fmin(best_high, s.high);
        ok        = split(&s, widest(&s));
    }
    if (ok) *out = (gm_interval){ fmax(fmax(best_low, s.low), 0), fmin(fmin(best_high, s.high), 1) };
    gm_free(alloc, s.values);
    gm_free(alloc, s.decided);
    gm_free(alloc, s.uses);
    gm_free(alloc, s.parts);
    gm_free(alloc, s.heap);
    return ok ? GM_OK : GM_NOMEM;
}
