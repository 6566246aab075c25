// state/internal.h: the state's parts, for the files of this folder.
#ifndef GM_STATE_INTERNAL_H
#define GM_STATE_INTERNAL_H

#include "base/index.h"
#include "state/graph.h"
#include "state/indexes.h"
#include "state/past.h"
#include "state/state.h"
#include "state/table.h"
#include "state/text_pool.h"

typedef struct gm_twin_row {
    gm_text   *id;  // NULL: the twin does not exist any more
    uint64_t   version;
    gm_time_ns changed;
    gm_time_ns since;  // when it came to be, with this type; or its earliest sample
    uint32_t   type, row;
} gm_twin_row;

struct gm_state {
    const gm_alloc *alloc;
    gm_model       *model;
    gm_text_pool    texts;
    gm_twin_row    *twins;
    gm_ends        *ends[2];  // [twins] relationship lists, by direction
    size_t          twin_capacity;
    uint32_t        twin_limit, twin_count;
    gm_index        by_id;
    gm_table_store *tables;   // by type number
    size_t          table_count, table_capacity;
    uint64_t        edition;   // gm_state_edition
    uint64_t        models_of; // the last record whose models are in the model: perhaps not with tables yet
    gm_graph        graph;
    gm_past         past;
    gm_index_info   indexes[GM_STATE_INDEXES_MAX];  // paths are our own copies; entries unused
    size_t          index_count;
};

GM_NODISCARD gm_status gm_state_reserve_twins(gm_state *state, uint32_t limit);

// Makes the indexes that the state has in a table that is new.
GM_NODISCARD gm_status gm_state_index_table(gm_state *state, gm_table_store *table);

#endif
