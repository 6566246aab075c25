// query/query.h: what was asked. The Azure Digital Twins query language: text -> plan -> rows.
//
//   gm_query *query;
//   gm_query_prepare(alloc, GM_STR("SELECT * FROM DIGITALTWINS T WHERE T.temperature > 60"), &query, &err);
//   gm_query_page page = { .items_max = 100, .token = token };
//   gm_query_run(query, state, &page, &items, &err);       // items: JSON objects separated by commas
//   gm_query_destroy(query);
//
// A run reads the state as it is at the moment (never stale), on the engine thread.
#ifndef GM_QUERY_QUERY_H
#define GM_QUERY_QUERY_H

#include "base/buf.h"
#include "state/state.h"

typedef struct gm_query gm_query;

enum { GM_QUERY_TEXT_MAX = 256 * 1024, GM_QUERY_TOKEN_MAX = 512, GM_QUERY_PAGE_MAX = 10000 };

typedef struct gm_query_page {
    uint32_t items_max;                      // in: 1..GM_QUERY_PAGE_MAX
    gm_str   token;                          // in: from the page before; empty for the first
    uint32_t items;                          // out: rows written
    char     next[GM_QUERY_TOKEN_MAX];       // out: token of the next page as a C string; "" at the end
    double   charge;                         // out: rows and relationships looked at, for the query-charge header
} gm_query_page;

// GM_INVALID: *err tells line, column and what was expected. GM_LIMIT: longer or deeper than the stated bounds.
GM_NODISCARD gm_status gm_query_prepare(const gm_alloc *alloc, gm_str text, gm_query **out_query, gm_error *err);
void                   gm_query_destroy(gm_query *query);

// Appends the rows of one page to out. GM_INVALID: the token does not belong to this query, or is no token at all.
GM_NODISCARD gm_status gm_query_run(const gm_query *query, const gm_state *state, gm_query_page *page, gm_buf *out,
                                    gm_error *err);

// Does the twin belong to the answer now? For subscriptions to a query: FROM DIGITALTWINS without joins only
// (GM_INVALID otherwise).
GM_NODISCARD gm_status gm_query_matches(const gm_query *query, const gm_state *state, gm_twin twin, bool *out_matches,
                                        gm_error *err);

// The plan as text, one step a line.
void gm_query_explain(const gm_query *query, const gm_state *state, gm_buf *out);

#endif
