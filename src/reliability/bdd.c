// If-then-else with remembered results; every other operation is one of its cases.
#include "reliability/bdd.h"

enum { OP_ITE = 1 };

// The high edge is never a complement: ite(x, !h, l) is stored as the complement of ite(x, h, !l).
static uint32_t make(gm_dd *dd, uint32_t level, uint32_t high, uint32_t low)
{
    if (high == GM_DD_NONE || low == GM_DD_NONE) return GM_DD_NONE;
    if (high == low) return high;
    uint32_t mark = high & 1;
    uint32_t node = gm_dd_make(dd, level, high ^ mark, low ^ mark);
    return node == GM_DD_NONE ? node : node << 1 | mark;
}

uint32_t gm_bdd_variable(gm_dd *dd, uint32_t level) { return make(dd, level, GM_BDD_ONE, GM_BDD_ZERO); }

static uint32_t top_of(const gm_dd *dd, uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t la = dd->nodes[a >> 1].level, lb = dd->nodes[b >> 1].level, lc = dd->nodes[c >> 1].level;
    uint32_t m = la < lb ? la : lb;
    return m < lc ? m : lc;
}

uint32_t gm_bdd_ite(gm_dd *dd, uint32_t f, uint32_t g, uint32_t h)
{
    if (f == GM_DD_NONE || g == GM_DD_NONE || h == GM_DD_NONE) return GM_DD_NONE;
    // A branch that repeats the condition is a constant.
    if (g == f) g = GM_BDD_ONE;
    else if (g == (f ^ 1)) g = GM_BDD_ZERO;
    if (h == f) h = GM_BDD_ZERO;
    else if (h == (f ^ 1)) h = GM_BDD_ONE;
    if (f == GM_BDD_ONE || g == h) return g;
    if (f == GM_BDD_ZERO) return h;
    if (g == GM_BDD_ONE && h == GM_BDD_ZERO) return f;
    if (g == GM_BDD_ZERO && h == GM_BDD_ONE) return f ^ 1;

    // One spelling for equal questions: condition and first branch without complement; the operands of `and` in order.
    if (f & 1) { uint32_t t = g; f ^= 1; g = h; h = t; }
    uint32_t mark = g & 1;
    g ^= mark;
    h ^= mark;
    if (h == GM_BDD_ZERO && g < f) { uint32_t t = f; f = g; g = t; }

    uint32_t known = gm_dd_recall(dd, OP_ITE, f, g, h);
    if (known != GM_DD_NONE) return known ^ mark;
    uint32_t level = top_of(dd, f, g, h);
    bool     in_f = dd->nodes[f >> 1].level == level, in_g = dd->nodes[g >> 1].level == level, in_h = dd->nodes[h >> 1].level == level;
    uint32_t high = gm_bdd_ite(dd, in_f ? gm_bdd_high(dd, f) : f, in_g ? gm_bdd_high(dd, g) : g, in_h ? gm_bdd_high(dd, h) : h);
    if (high == GM_DD_NONE) return high;
    uint32_t low = gm_bdd_ite(dd, in_f ? gm_bdd_low(dd, f) : f, in_g ? gm_bdd_low(dd, g) : g, in_h ? gm_bdd_low(dd, h) : h);
    uint32_t result = make(dd, level, high, low);
    gm_dd_remember(dd, OP_ITE, f, g, h, result);
    return result == GM_DD_NONE ? result : result ^ mark;
}

uint32_t gm_bdd_and(gm_dd *dd, uint32_t f, uint32_t g) { return gm_bdd_ite(dd, f, g, GM_BDD_ZERO); }
uint32_t gm_bdd_or(gm_dd *dd, uint32_t f, uint32_t g) { return gm_bdd_ite(dd, f, GM_BDD_ONE, g); }
uint32_t gm_bdd_xor(gm_dd *dd, uint32_t f, uint32_t g) { return gm_bdd_ite(dd, f, gm_bdd_not(g), g); }

// work[j]: "at least j of those seen so far"; from the last function to the first.
static uint32_t at_least(gm_dd *dd, const uint32_t *functions, uint32_t count, uint32_t least, uint32_t *work)
{
    if (least == 0) return GM_BDD_ONE;
    if (least > count) return GM_BDD_ZERO;
    work[0] = GM_BDD_ONE;
    for (uint32_t j = 1; j <= least; j++) work[j] = GM_BDD_ZERO;
    for (uint32_t i = count; i-- > 0;) {
        for (uint32_t j = least; j >= 1; j--) {
            work[j] = gm_bdd_ite(dd, functions[i], work[j - 1], work[j]);
            if (work[j] == GM_DD_NONE) return GM_DD_NONE;
        }
    }
    return work[least];
}

uint32_t gm_bdd_cardinality(gm_dd *dd, const uint32_t *functions, uint32_t count, uint32_t min, uint32_t max, uint32_t *work)
{
    uint32_t enough = at_least(dd, functions, count, min, work);
    if (max >= count || enough == GM_DD_NONE) return enough;
    return gm_bdd_and(dd, enough, gm_bdd_not(at_least(dd, functions, count, max + 1, work)));
}
