// query/query.h: what was asked. The Azure Digital Twins query language: text -> plan -> rows.
//
//   gm_query *query;
//   gm_query_prepare(alloc, GM_STR("SELECT * FROM DIGITALTWINS T WHERE T.temperature > 60"), &query, &err);
//   gm_query_page page = { .items_max = 100, .token = token };
//   gm_query_run(query, state, &page, &items, &err);       // items: JSON objects separated by commas
//   gm_query_destroy(query);
//
// A run reads the state as it is at the moment (never stale), on the engine thread. The language: docs/query.md.
#ifndef GM_QUERY_QUERY_H
#define GM_QUERY_QUERY_H

#include "base/buf.h"
#include "query/facts.h"
#include "state/fence.h"
#include "state/state.h"

typedef struct gm_query gm_query;

enum {
    GM_QUERY_TEXT_MAX   = 256 * 1024,
    GM_QUERY_TOKEN_MAX  = 512,
    GM_QUERY_PAGE_MAX   = 10000,
    GM_QUERY_PAGE_BYTES = 4 << 20,    // a page ends early when it holds this much
    GM_QUERY_MEMORY_MAX = 256 << 20   // for sorting and grouping one answer
};

typedef struct gm_query_page {
    uint32_t items_max;                      // in: 1..GM_QUERY_PAGE_MAX
    gm_str   token;                          // in: from the page before; empty for the first
    uint64_t work_max;                       // in: stop after about so many rows and relationships, with fewer items (even
                                             //     none) and a token; 0 = no bound. ORDER BY and GROUP BY run to the end.
    const gm_fence *fence;                   // in: on whose behalf; twins outside, and relationships with an end outside,
                                             //     are not there. NULL: all are
    bool            past;                    // in: the state is the one of the query's AS OF (engine/as_of.h)
    const gm_query_facts *facts;             // in: what $thread reads; NULL: nothing
    uint32_t items;                          // out: rows written
    char     next[GM_QUERY_TOKEN_MAX];       // out: token of the next page as a C string; "" at the end
    double   charge;                         // out: rows and relationships looked at, for the query-charge header
} gm_query_page;

// GM_INVALID: *err tells line, column and what was expected. GM_LIMIT: longer or deeper than the stated bounds.
GM_NODISCARD gm_status gm_query_prepare(const gm_alloc *alloc, gm_str text, gm_query **out_query, gm_error *err);
void                   gm_query_destroy(gm_query *query);

// The text as it was prepared. Viewed until destroy.
gm_str gm_query_text(const gm_query *query);

// AS OF '<time>': true and the time when the query asks for the past (which gm_query_run refuses by itself).
bool gm_query_as_of(const gm_query *query, gm_time_ns *out_time);

// Appends the rows of one page to out.
// GM_INVALID: the token does not belong to this query, or is no token at all. GM_LIMIT: sorting or grouping would need
// more than GM_QUERY_MEMORY_MAX, or out reached its own limit. What out holds after an error is not to be used.
// Paging: pages one after the other give every row once that was there all the time, also when twins come and go in
// between (with ORDER BY and GROUP BY only while nothing changes). Cost of a page: what it looks at; with ORDER BY and
// GROUP BY the whole answer each time.
GM_NODISCARD gm_status gm_query_run(const gm_query *query, const gm_state *state, gm_query_page *page, gm_buf *out,
                                    gm_error *err);

// Does the twin belong to the answer now? For subscriptions to a query: FROM DIGITALTWINS without joins only
// (GM_INVALID otherwise).
GM_NODISCARD gm_status gm_query_matches(const gm_query *query, const gm_state *state, gm_twin twin, bool *out_matches,
                                        gm_error *err);

// The plan as text, one step a line.
void gm_query_explain(const gm_query *query, const gm_state *state, gm_buf *out);

#endif
