// What the live state takes of memory, from what was asked of the allocator.
#include "state/internal.h"

static uint64_t index_bytes(const gm_index *index)
{
    return index->slots != NULL ? (uint64_t)(index->mask + 1) * sizeof(gm_index_slot) : 0;
}

uint64_t gm_state_memory(const gm_state *state)
{
    uint64_t bytes = state->texts.bytes + index_bytes(&state->by_id) + index_bytes(&state->graph.by_id);
    bytes += state->twin_capacity * (sizeof *state->twins + 2 * sizeof *state->ends[0]);
    bytes += state->graph.edge_capacity * sizeof *state->graph.edges;
    bytes += state->past.twin_capacity * sizeof *state->past.twins + state->past.edge_capacity * sizeof *state->past.edges;
    for (size_t t = 0; t < state->table_count; t++) {
        const gm_table_store *table = &state->tables[t];
        bytes += (uint64_t)table->capacity * sizeof *table->twins;
        for (size_t c = 0; table->columns != NULL && c < table->type->column_count; c++) {
            if (table->columns[c].source != NULL) bytes += (uint64_t)table->capacity * 3 * sizeof(int64_t);
        }
    }
    return bytes;
}
