// query/page_token.h: where the next page begins, as opaque text. Not secret (it holds positions only), but bound to
// the query's text and checked in full: anything that this code did not write is refused.
#ifndef GM_QUERY_PAGE_TOKEN_H
#define GM_QUERY_PAGE_TOKEN_H

#include "base/str.h"

typedef struct gm_page_token {
    uint8_t  collection;   // at which the plan starts: it may not change between pages
    uint64_t a, b;         // position of the start: table and row, index in a list, relationship
    uint64_t skip;         // rows of that start that were given already
    uint64_t offset_left, limit_left;
    uint64_t done;         // rows given so far, or counted so far
} gm_page_token;

enum { GM_PAGE_TOKEN_TEXT = 160 };

// out has room for GM_PAGE_TOKEN_TEXT bytes and becomes a C string.
void gm_page_token_write(const gm_page_token *token, gm_str query, char *out);

// GM_INVALID: damaged, forged or of another query.
GM_NODISCARD gm_status gm_page_token_read(gm_str text, gm_str query, gm_page_token *out, gm_error *err);

#endif
