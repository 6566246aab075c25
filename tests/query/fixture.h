// tests/query/fixture.h: the small plant that query tests ask: a site with rooms, pumps (one derived model), a tank.
#ifndef GM_TESTS_QUERY_FIXTURE_H
#define GM_TESTS_QUERY_FIXTURE_H

#include "query/query.h"
#include "support/small_plant.h"
#include "support/support.h"

void fixture_open(gm_small_plant *plant, const gm_alloc *alloc);

// All rows of the query on one page, each ended by a newline, or "line N, column N: ..." in place of an answer.
// The text is freed with free().
char *fixture_ask(const gm_small_plant *plant, const char *query);

// The same over pages of n rows, joined.
char *fixture_ask_paged(const gm_small_plant *plant, const char *query, uint32_t items_max, uint64_t work_max);

#endif
