// query/run.h: walking a plan. Internal to query/.
#ifndef GM_QUERY_RUN_H
#define GM_QUERY_RUN_H

#include "query/filter.h"
#include "query/page_token.h"
#include "query/plan.h"
#include "query/query.h"
#include "query/rows.h"

typedef enum gm_flow { GM_GO_ON, GM_STOP } gm_flow;

struct gm_path_count;

typedef struct gm_run gm_run;
struct gm_run {
    gm_eval        eval;
    const gm_fence *fence;      // what is outside is not there; NULL: everything is
    gm_query_plan        plan;
    gm_page_token  at;          // in: where to begin; then: where the row at hand is (a, b, skip)
    uint64_t       resume_skip; // rows to pass over at the start (resume_a, resume_b)
    uint64_t       resume_a, resume_b;
    uint64_t       work, work_max;
    bool           more;        // stopped before the end; `at` says where to go on
    gm_status      status;      // anything else than GM_OK ends the walk
    uint32_t       trail[GM_STEPS_MAX * GM_HOPS_MAX];  // relationships on the path at hand, each taken once (MATCH)
    size_t         trail_length;
    uint32_t      *names[GM_STEPS_MAX];                // numbers of the steps' relationship names
    bool           counting;    // `row` does no more than counted++
    uint64_t       counted;
    struct gm_path_count *paths;  // counts what the starts lead to (path_count.h); NULL: the walk does
    gm_flow (*row)(gm_run *run);  // takes what is bound in eval
    // Called for a stretch of a table that starts rows, when the query has no steps: true when it has taken all rows of
    // the mask; else it may have cleared rows that can not matter, and the others come through `row`. NULL: no
    // interest.
    bool (*block)(gm_run *run, gm_filter *filter, uint32_t first, size_t n, uint8_t *mask);
    void          *context;
};

// Whether the relationship has one of the names that the step asks for.
bool gm_run_name_fits(const gm_run *run, size_t step, gm_edge edge);

// Calls run->row for every row of the answer from run->at on.
void gm_run_walk(gm_run *run);

#endif
