// api/indexes.h: which properties have an index: those that gemel.conf names, and those that somebody asked for (kind INDEX).
//
//   gm_indexes_create(alloc, engine, &indexes, &err);  // before gm_engine_recover
//   gm_indexes_begin(indexes, own, n, &err);           // after it: makes them all
//   gm_indexes_destroy(indexes);
#ifndef GM_API_INDEXES_H
#define GM_API_INDEXES_H

#include "engine/engine.h"

typedef struct gm_indexes gm_indexes;

typedef struct gm_index_wish { gm_str path; gm_index_order order; } gm_index_wish;

GM_NODISCARD gm_status gm_indexes_create(const gm_alloc *alloc, gm_engine *engine, gm_indexes **out_indexes, gm_error *err);
GM_NODISCARD gm_status gm_indexes_begin(gm_indexes *indexes, const gm_index_wish *own, size_t n, gm_error *err);
void                   gm_indexes_destroy(gm_indexes *indexes);  // NULL is allowed

bool gm_indexes_asked_for(const gm_indexes *indexes, gm_str path);  // by a record; else gemel.conf names it, or nobody

#endif
