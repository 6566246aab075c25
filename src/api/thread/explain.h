// api/thread/explain.h: what is known of the twins of a fleet when it is asked how much of what differs between them is explained by
// how they were built; for the files explain_*.c only.
//
//   explain_route.c    reads the request and gathers, twin by twin, in slices: a quantity from history, deviations from the thread
//   explain_answer.c   makes a regression of it (insight/learn/explain.h) and writes what came out
#ifndef GM_API_THREAD_EXPLAIN_H
#define GM_API_THREAD_EXPLAIN_H

#include "api/held.h"
#include "insight/learn/explain.h"
#include "thread/diff.h"

typedef struct gm_explain_column { gm_str name, unit; uint32_t known; } gm_explain_column;  // "hpc/tip clearance"; known: of how many twins

typedef struct gm_explain_deviation {
    const struct gm_explain_deviation *next;
    uint32_t                     column;
    double                       value;    // second less first, in the first's unit
    gm_verdict                   verdict;
    gm_str                       part, cause;
} gm_explain_deviation;

typedef struct gm_explain_twin {
    gm_str                      id;
    double                      value, noise;  // noise: variance of the value's error
    gm_time_ns                  from;          // of its first row
    const gm_explain_deviation *deviations;
    const char                 *why;           // it is left out; NULL: it is not
} gm_explain_twin;

typedef struct gm_explaining {
    gm_held            held;
    gm_request        *request;
    gm_str             health, property;       // one of them: an entry of remainingLife, or a property
    uint32_t           rows, every;            // of the first `rows` rows each `every`-th
    gm_phase           first, second;
    gm_explain_options options;
    gm_str            *keys;                   // [key_count]; none: whatever differs
    uint32_t           key_count;
    gm_explain_twin   *twins;
    uint32_t           twin_count, at;         // at: the next to be gathered
    gm_explain_column  columns[GM_EXPLAIN_INPUTS_MAX];
    uint32_t           column_count;
    bool               more_columns;           // than there is room for
} gm_explaining;

// Replies.
void gm_explain_answer(gm_explaining *x);

#endif
