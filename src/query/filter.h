// query/filter.h: a condition on one collection of twins over a stretch of a table.
//
//   uint8_t mask[GM_MASK_BLOCK];  memset(mask, 1, n);
//   gm_filter_rows(&filter, node, first, n, mask);       // leaves 1 where the condition is true
//
// Comparisons of columns with literals, IN, IS_..., arithmetic and times of writing run over arrays; the rest is
// evaluated row by row, and only for rows that earlier conditions left.
#ifndef GM_QUERY_FILTER_H
#define GM_QUERY_FILTER_H

#include "query/eval.h"
#include "query/mask.h"

typedef struct gm_filter {
    gm_eval    *eval;
    gm_table    table;
    gm_binding  binding;     // of the table's type
    uint32_t    collection;  // that its twins stand for
} gm_filter;

// What the condition can be on any row of the table, without looking at rows: a set of 1 << gm_truth.
unsigned gm_filter_possible(const gm_filter *filter, const gm_node *node);

// Clears the rows [first, first + n) on which the condition is not true. n <= GM_MASK_BLOCK. Refused memory sets
// eval->failed. Uses and rewinds eval->scratch.
void gm_filter_rows(gm_filter *filter, const gm_node *node, uint32_t first, size_t n, uint8_t *mask);

// Can the expression be computed over arrays?
bool gm_filter_has_numbers(const gm_filter *filter, const gm_node *node);

// Its values as doubles (NaN: none), in the columns themselves or in eval->scratch. NULL: it can not be, or memory was
// refused (eval->failed).
const double *gm_filter_numbers(gm_filter *filter, const gm_node *node, uint32_t first, size_t n);

#endif
