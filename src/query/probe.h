// query/probe.h: may a table's index take the place of scanning the table?
//
// A condition on an indexed column gives ranges of keys; the best one of a plan's first stage is used when it leaves few
// enough rows. The rows may fit: every condition is checked on them again.
#ifndef GM_QUERY_PROBE_H
#define GM_QUERY_PROBE_H

#include "query/filter.h"
#include "state/indexes.h"

enum { GM_PROBE_RANGES_MAX = 1000, GM_PROBE_GAIN = 8 };  // an index must leave less than 1/8 of the rows

typedef struct gm_probe {
    const gm_sorted *sorted;   // NULL: scan
    const gm_node   *condition;
    uint32_t         column;
    size_t           rows;     // that it leaves at most
} gm_probe;

// The best probe for the table among n conditions of a conjunction.
gm_probe gm_probe_find(const gm_filter *filter, const gm_node *const *conditions, size_t n);

// How many rows of the table satisfy all n conditions, when an index alone can tell: one comparison of a number or a
// boolean with a value that its column can hold exactly. False: look at the rows.
bool gm_probe_count(const gm_filter *filter, const gm_node *const *conditions, size_t n, size_t *out_rows);

// Its rows in rising order, each once. NULL: memory was refused.
GM_NODISCARD uint32_t *gm_probe_rows(const gm_probe *probe, const gm_filter *filter, gm_arena *arena, size_t *out_count);

#endif
