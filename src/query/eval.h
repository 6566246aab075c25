// query/eval.h: expressions over one row: a twin or relationship bound to each collection.
//
// Paths are looked up once per type, not once per row: a gm_binding says for every path of the query where in that type
// its value lies. The vectorised filter (filter.h) uses the same bindings over columns; this evaluator is what it falls
// back to, and what joins, projections and subscriptions use.
#ifndef GM_QUERY_EVAL_H
#define GM_QUERY_EVAL_H

#include "query/ast.h"
#include "query/facts.h"
#include "query/value.h"
#include "state/state.h"

typedef enum gm_ref_kind {
    GM_REF_NONE,      // the type has no such thing: undefined
    GM_REF_COLUMN,    // the cell
    GM_REF_JSON,      // inside the cell's document; segments from `rest` on
    GM_REF_ID,        // $dtId
    GM_REF_MODEL,     // $metadata.$model
    GM_REF_INGEST,    // $metadata.x.lastUpdateTime of the column
    GM_REF_SOURCE,    // $metadata.x.sourceTime
    GM_REF_CHANGED,   // $metadata.$lastUpdateTime
    GM_REF_FACT,      // $thread.PHASE.KEY
    GM_REF_ROLLUP,    // $rollup.NAME, $rollup.NAME.PART
    GM_REF_DOCUMENT,  // anything else that the twin's document shows: components, objects, $etag ...
} gm_ref_kind;

typedef struct gm_ref {
    uint8_t  kind, rest;
    uint32_t column;
} gm_ref;

typedef struct gm_binding {
    const gm_type *type;
    const gm_ref  *refs;   // [path_count]
    const bool    *facts;  // [fact_count] IS_OF_MODEL
} gm_binding;

// GM_NOMEM. Cost: paths x (one hash look-up, columns at worst).
GM_NODISCARD gm_status gm_bind(const gm_ast *ast, const gm_type *type, gm_arena *arena, gm_binding *out);

// Remembers bindings of the types met last, so that joins over many types stay within bounded memory.
enum { GM_BINDINGS_KEPT = 64 };
typedef struct gm_eval {
    const gm_ast     *ast;
    const gm_state   *state;
    gm_arena         *scratch;                       // texts made on the way; rewound by the caller, per row
    gm_arena         *memory;                        // bindings
    uint32_t          bound[GM_COLLECTIONS_MAX];     // twin or relationship numbers; GM_NONE = not bound
    const gm_binding *binding[GM_COLLECTIONS_MAX];   // of bound twins
    const gm_qvalue  *aggregates;                    // [aggregate_count] of the group at hand
    gm_binding       *kept;                          // [GM_BINDINGS_KEPT] by type number
    const gm_query_facts *facts;                     // NULL: there are none
    gm_time_ns        rollups_at;                    // what roll-ups amounted to then, where the text has no AS OF; GM_TIME_MAX: now
    bool              failed;                        // memory was refused
} gm_eval;

GM_NODISCARD gm_status gm_eval_init(gm_eval *e, const gm_ast *ast, const gm_state *state, gm_arena *memory,
                                    gm_arena *scratch);
void                   gm_eval_bind_twin(gm_eval *e, uint32_t collection, gm_twin twin);
void                   gm_eval_bind_edge(gm_eval *e, uint32_t collection, gm_edge edge);
const gm_binding      *gm_eval_binding(gm_eval *e, const gm_type *type);  // NULL: failed

gm_qvalue gm_eval_value(gm_eval *e, const gm_node *node);
gm_truth  gm_eval_truth(gm_eval *e, const gm_node *node);

// What IN, IS_... say of a value; shared with the filter.
gm_truth gm_eval_in(gm_qset set, gm_qvalue value);
bool     gm_eval_is(gm_is what, gm_qvalue value);
gm_truth gm_eval_text(gm_text_op op, gm_str text, gm_str part);

// a op b on doubles; NaN when the result is not a finite number.
double gm_eval_arith(gm_arith op, double a, double b);

#endif
