// query/plan.h: in which order a query's collections are bound, and which condition is checked when.
//
// A plan starts at one collection (the twins named by $dtId if there are any, else the fewest rows), then follows the
// steps outward from what is bound. Each condition of the top-level AND is checked as soon as all it speaks of is
// bound.
#ifndef GM_QUERY_PLAN_H
#define GM_QUERY_PLAN_H

#include "query/eval.h"

typedef enum gm_start_kind {
    GM_START_TABLES,   // every table of twins that can hold an answer
    GM_START_TWINS,    // the twins of `ids`
    GM_START_EDGES,    // all relationships
    GM_START_EDGES_OF  // the relationships that leave (direction OUT) or reach (IN) the twins of `ids`
} gm_start_kind;

typedef struct gm_query_plan {
    gm_start_kind         start;
    uint8_t               collection;               // that is bound first
    gm_direction          direction;                // EDGES_OF
    gm_qset               ids;
    gm_step               steps[GM_STEPS_MAX];      // turned so that `from` is bound before
    size_t                step_count;
    const gm_node *const *conditions;               // in the order in which they are checked
    size_t                stages[GM_STEPS_MAX + 2]; // conditions of stage s: [stages[s], stages[s + 1]); 0 is the start
    double                rows;                     // estimate of what the start yields
} gm_query_plan;

// collection: start there (from a token), or GM_NO_COLLECTION to choose. GM_NOMEM; GM_INVALID: can not start there.
GM_NODISCARD gm_status gm_query_plan_make(gm_eval *eval, uint32_t collection, gm_arena *arena, gm_query_plan *out);

// One line a step, each ended by a newline.
void gm_query_plan_explain(const gm_query_plan *plan, const gm_eval *eval, gm_buf *out);

#endif
