// physics/compile/diff.h: derivatives of expressions, by the chain rule over the graph.
#ifndef GM_PHYSICS_COMPILE_DIFF_H
#define GM_PHYSICS_COMPILE_DIFF_H

#include "physics/compile/expr.h"

// The derivative of a leaf: a VAR, DER, PRE, TIME node. Returns 0's node for what does not depend.
typedef gm_ex gm_ex_seed(void *context, gm_ex leaf);

typedef struct gm_differ {
    gm_exprs   *ex;
    gm_work    *scratch;
    gm_ex_seed *seed;
    void       *context;
    gm_map      memo;     // expression -> its derivative; kept over calls with the same seed
    gm_ex       refused;  // GM_EX_NONE, or an operation that has no derivative (delay, sample)
} gm_differ;

// The derivative of e. floor, sign and comparisons count as constant; abs, min, max and if follow their branch.
gm_ex gm_ex_diff(gm_differ *d, gm_ex e);

// e with leaves replaced: replace(context, leaf) gives the new node, or the leaf itself. memo is kept over calls.
typedef gm_ex gm_ex_replace(void *context, gm_ex leaf);
gm_ex gm_ex_substitute(gm_exprs *ex, gm_work *scratch, gm_ex e, gm_ex_replace *replace, void *context, gm_map *memo);

#endif
