#include "reliability/zbdd.h"

#include "reliability/bdd.h"

enum { OP_UNION = 1, OP_PRODUCT, OP_WITHOUT, OP_MINIMAL };

uint32_t gm_zbdd_make(gm_dd *dd, uint32_t level, uint32_t high, uint32_t low)
{
    if (high == GM_DD_NONE || low == GM_DD_NONE) return GM_DD_NONE;
    return high == GM_ZBDD_EMPTY ? low : gm_dd_make(dd, level, high, low);
}

static gm_dd_node at(const gm_dd *dd, uint32_t n) { return dd->nodes[n]; }

uint32_t gm_zbdd_without(gm_dd *dd, uint32_t a, uint32_t b)
{
    if (a == GM_DD_NONE || b == GM_DD_NONE) return GM_DD_NONE;
    if (a == GM_ZBDD_EMPTY || b == GM_ZBDD_UNIT || a == b) return GM_ZBDD_EMPTY;  // every set contains the empty one
    if (b == GM_ZBDD_EMPTY || a == GM_ZBDD_UNIT) {
        return a;  // b has no empty set here: minimal families hold it alone
    }
    uint32_t known = gm_dd_recall(dd, OP_WITHOUT, a, b, 0);
    if (known != GM_DD_NONE) return known;
    gm_dd_node x = at(dd, a), y = at(dd, b);
    uint32_t   result;
    if (x.level < y.level) {
        uint32_t high = gm_zbdd_without(dd, x.high, b);
        result        = gm_zbdd_make(dd, x.level, high, gm_zbdd_without(dd, x.low, b));
    } else if (x.level > y.level) {
        result = gm_zbdd_without(dd, a, y.low);
    } else {
        // A set with the variable may contain one of b with it or without it.
        uint32_t high = gm_zbdd_without(dd, gm_zbdd_without(dd, x.high, y.high), y.low);
        result        = gm_zbdd_make(dd, x.level, high, gm_zbdd_without(dd, x.low, y.low));
    }
    gm_dd_remember(dd, OP_WITHOUT, a, b, 0, result);
    return result;
}

uint32_t gm_zbdd_union(gm_dd *dd, uint32_t a, uint32_t b)
{
    if (a == GM_DD_NONE || b == GM_DD_NONE) return GM_DD_NONE;
    if (a == GM_ZBDD_EMPTY || a == b) return b;
    if (b == GM_ZBDD_EMPTY) return a;
    if (a == GM_ZBDD_UNIT || b == GM_ZBDD_UNIT) return GM_ZBDD_UNIT;
    if (b < a) { uint32_t t = a; a = b; b = t; }
    uint32_t known = gm_dd_recall(dd, OP_UNION, a, b, 0);
    if (known != GM_DD_NONE) return known;
    gm_dd_node x = at(dd, a), y = at(dd, b);
    uint32_t   level = x.level < y.level ? x.level : y.level;
    uint32_t   high  = gm_zbdd_union(dd, x.level == level ? x.high : GM_ZBDD_EMPTY, y.level == level ? y.high : GM_ZBDD_EMPTY);
    uint32_t   low   = gm_zbdd_union(dd, x.level == level ? x.low : a, y.level == level ? y.low : b);
    uint32_t   result = gm_zbdd_make(dd, level, gm_zbdd_without(dd, high, low), low);
    gm_dd_remember(dd, OP_UNION, a, b, 0, result);
    return result;
}

uint32_t gm_zbdd_product(gm_dd *dd, uint32_t a, uint32_t b)
{
    if (a == GM_DD_NONE || b == GM_DD_NONE) return GM_DD_NONE;
    if (a == GM_ZBDD_EMPTY || b == GM_ZBDD_EMPTY) return GM_ZBDD_EMPTY;
    if (a == GM_ZBDD_UNIT || a == b) return b;
    if (b == GM_ZBDD_UNIT) return a;
    if (b < a) { uint32_t t = a; a = b; b = t; }
    uint32_t known = gm_dd_recall(dd, OP_PRODUCT, a, b, 0);
    if (known != GM_DD_NONE) return known;
    gm_dd_node x = at(dd, a), y = at(dd, b);
    uint32_t   level = x.level < y.level ? x.level : y.level;
    uint32_t   x1 = x.level == level ? x.high : GM_ZBDD_EMPTY, x0 = x.level == level ? x.low : a;
    uint32_t   y1 = y.level == level ? y.high : GM_ZBDD_EMPTY, y0 = y.level == level ? y.low : b;
    // (v x1 + x0)(v y1 + y0) = v (x1 y1 + x1 y0 + x0 y1) + x0 y0
    uint32_t either = gm_zbdd_union(dd, gm_zbdd_product(dd, x1, gm_zbdd_union(dd, y1, y0)), gm_zbdd_product(dd, x0, y1));
    uint32_t low    = gm_zbdd_product(dd, x0, y0);
    uint32_t result = gm_zbdd_make(dd, level, gm_zbdd_without(dd, either, low), low);
    gm_dd_remember(dd, OP_PRODUCT, a, b, 0, result);
    return result;
}

uint32_t gm_zbdd_minimal_solutions(const gm_dd *bdds, uint32_t f, const uint8_t *turned, gm_dd *dd)
{
    if (f == GM_DD_NONE) return GM_DD_NONE;
    if (f == GM_BDD_ONE) return GM_ZBDD_UNIT;
    if (f == GM_BDD_ZERO) return GM_ZBDD_EMPTY;
    uint32_t known = gm_dd_recall(dd, OP_MINIMAL, f, 0, 0);
    if (known != GM_DD_NONE) return known;
    uint32_t level = gm_dd_level(bdds, f >> 1), with = gm_bdd_high(bdds, f), none = gm_bdd_low(bdds, f);
    if (turned[level]) { uint32_t t = with; with = none; none = t; }
    uint32_t low    = gm_zbdd_minimal_solutions(bdds, none, turned, dd);
    uint32_t high   = low == GM_DD_NONE ? low : gm_zbdd_minimal_solutions(bdds, with, turned, dd);
    uint32_t result = gm_zbdd_make(dd, level, gm_zbdd_without(dd, high, low), low);
    gm_dd_remember(dd, OP_MINIMAL, f, 0, 0, result);
    return result;
}
