// What the live state takes of memory, from what was asked of the allocator.
#include "state/internal.h"

static void count_table(const gm_table_store *table, gm_state_bytes *out)
{
    out->twins += table->capacity * sizeof *table->twins + table->hole_capacity * sizeof *table->holes;
    for (size_t c = 0; table->columns != NULL && c < table->type->column_count; c++) {
        const gm_column_store *column = &table->columns[c];
        if (column->source != NULL) out->values += (uint64_t)table->capacity * sizeof(int64_t);
        if (column->source != NULL) out->times += (uint64_t)table->capacity * sizeof *column->source;
        out->times += column->ingest.bytes;
        if (column->sorted != NULL) out->indexes += gm_sorted_bytes(column->sorted);
    }
}

gm_state_bytes gm_state_memory(const gm_state *state)
{
    const gm_graph *g   = &state->graph;
    gm_state_bytes  out = { .texts = state->texts.bytes };
    out.twins           = state->twin_capacity * sizeof *state->twins + gm_index_bytes(&state->by_id);
    out.relationships   = state->twin_capacity * 2 * sizeof *state->ends[0] + g->edge_capacity * (sizeof *g->edges + sizeof *g->rests) +
                        g->labels.bytes + gm_index_bytes(&g->by_id);
    out.past = state->past.twin_capacity * sizeof *state->past.twins + state->past.edge_capacity * sizeof *state->past.edges +
               gm_index_bytes(&state->past.by_id) + gm_index_bytes(&state->past.of[0]) + gm_index_bytes(&state->past.of[1]);
    for (size_t t = 0; t < state->table_count; t++) count_table(&state->tables[t], &out);
    return out;
}
