#include "api/structure.h"

#include "api/live.h"

void gm_event_open(gm_buf *out, const char *name, uint64_t sequence, gm_time_ns time)
{
    char text[GM_TIME_TEXT];
    gm_time_format(time, text);
    gm_buf_printf(out, "event: %s\nid: %llu\ndata: {\"sequence\":%llu,\"time\":\"%s\"", name,
                  (unsigned long long)sequence, (unsigned long long)sequence, text);
}

void gm_event_close(gm_buf *out) { gm_buf_text(out, "}\n\n"); }

void gm_structure_init(gm_structure *structure, const gm_alloc *alloc)
{
    *structure = (gm_structure){ 0 };
    for (size_t i = 0; i < GM_STRUCTURE_RING; i++) structure->ring[i] = gm_buf_init(alloc);
}

void gm_structure_finish(gm_structure *structure)
{
    for (size_t i = 0; i < GM_STRUCTURE_RING; i++) gm_buf_finish(&structure->ring[i]);
}

static void write_relationship(const gm_state *state, const gm_change *change, gm_buf *out)
{
    gm_twin source = { change->twin }, target = { change->target };
    gm_buf_printf(out, ",\"change\":\"%s\"", change->kind == GM_CHANGE_RELATIONSHIP_PUT ? "put" : "deleted");
    if (gm_state_exists(state, source)) gm_live_member(out, "twin", gm_state_id(state, source));
    gm_live_member(out, "id", change->id);
    gm_live_member(out, "name", change->name);
    if (gm_state_exists(state, target)) gm_live_member(out, "target", gm_state_id(state, target));
}

bool gm_structure_note(gm_structure *structure, const gm_state *state, const gm_record *record, const gm_change *change)
{
    const char *name = NULL;
    switch (change->kind) {
    case GM_CHANGE_TWIN_PUT:
        if (change->twin < structure->twin_limit) return false;  // replaced: its values have changed, not the structure
        structure->twin_limit = change->twin + 1;
        name                  = "created";
        break;
    case GM_CHANGE_TWIN_DELETE: name = "deleted"; break;
    case GM_CHANGE_RELATIONSHIP_PUT:
    case GM_CHANGE_RELATIONSHIP_DELETE: name = "relationship"; break;
    default: return false;
    }
    gm_twin *twins      = structure->twins[structure->count % GM_STRUCTURE_RING];
    gm_buf  *out        = &structure->ring[structure->count++ % GM_STRUCTURE_RING];
    twins[0]            = (gm_twin){ change->twin };
    twins[1]            = name[0] == 'r' ? (gm_twin){ change->target } : twins[0];
    structure->sequence = record->sequence;
    structure->time     = record->ingest;
    gm_buf_clear(out);
    gm_event_open(out, name, record->sequence, record->ingest);
    if (name[0] == 'r') write_relationship(state, change, out);
    else gm_live_member(out, "twin", change->id);
    if (name[0] == 'c') gm_live_member(out, "model", change->name);
    gm_event_close(out);
    return true;
}

void gm_structure_read(const gm_structure *structure, const gm_fence *fence, uint64_t *cursor, gm_buf *out)
{
    uint64_t behind = structure->count - *cursor;
    if (fence != NULL && behind > GM_STRUCTURE_RING) *cursor = structure->count - GM_STRUCTURE_RING;
    if (fence == NULL && behind > GM_STRUCTURE_SUMMARY) {
        gm_event_open(out, "created", structure->sequence, structure->time);
        gm_buf_printf(out, ",\"twin\":null,\"count\":%llu", (unsigned long long)behind);
        gm_event_close(out);
        *cursor = structure->count;
    }
    // An event that could not be written for want of memory is left out: the tree is stale until the next one.
    for (; *cursor < structure->count; ++*cursor) {
        const gm_buf *event = &structure->ring[*cursor % GM_STRUCTURE_RING];
        const gm_twin *twins = structure->twins[*cursor % GM_STRUCTURE_RING];
        if (!gm_fence_shows(fence, twins[0]) || !gm_fence_shows(fence, twins[1])) continue;
        if (!event->failed) gm_buf_str(out, gm_buf_view(event));
    }
}
