// state/document.h: twins and relationships as the JSON documents of the Azure Digital Twins API, both ways.
//
//   {"$dtId":"pump7","$etag":"W/\"1f\"","flow":3.5,"motor":{"temperature":61.2,"$metadata":{...}},
//    "$metadata":{"$model":"dtmi:example:Pump;1","flow":{"lastUpdateTime":"2026-...Z","sourceTime":"..."}}}
//
// Telemetry is part of the document once it has a value: the twin that is read is the twin that is.
#ifndef GM_STATE_DOCUMENT_H
#define GM_STATE_DOCUMENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "state/state.h"

#include <jansson.h>

// Writing appends to out; out->failed tells of refused memory.
void gm_document_write_twin(const gm_state *state, gm_twin twin, gm_buf *out);

// What somebody else knows of a value, as further members of its metadata: write appends ,"name":... or nothing. Clients
// of the Azure Digital Twins API skip members that they do not know.
typedef struct gm_document_notes {
    void (*write)(void *context, gm_twin twin, uint32_t column, gm_buf *out);
    void *context;
} gm_document_notes;
void gm_document_write_twin_noted(const gm_state *state, gm_twin twin, const gm_document_notes *notes, gm_buf *out);  // notes: NULL: none
void gm_document_write_component(const gm_state *state, gm_twin twin, uint32_t component, const gm_document_notes *notes, gm_buf *out);
void gm_document_write_relationship(const gm_state *state, gm_edge edge, gm_buf *out);
// For files: without ETag and without the times at which this server learned of things.
void gm_document_write_twin_bare(const gm_state *state, gm_twin twin, gm_buf *out);
void gm_document_write_relationship_bare(const gm_state *state, gm_edge edge, gm_buf *out);
void gm_document_write_value(gm_value value, gm_buf *out);  // as JSON; NONE as null
enum { GM_ETAG_TEXT = 32 };
size_t gm_document_etag(uint64_t version, char out[GM_ETAG_TEXT]);  // W/"1f"

// Reading: a body becomes cells of its type, every value checked against its schema.
// The error's text names the property and what was expected. Memory comes from the arena; texts are copied into it.
typedef struct gm_twin_document {
    const gm_type *type;
    gm_cell_write *cells;
    size_t         count;
} gm_twin_document;

// A whole twin as PUT sends it: `$metadata.$model` names the model, components are objects with `$metadata`, every
// component of the type must be present, `$dtId`/`$etag` are ignored, unknown names are errors. Cells without a
// sourceTime of their own get `at`. Telemetry is taken too, so that what was read can be written back.
// GM_INVALID: it breaks the schema. GM_NOTFOUND: no such model.
GM_NODISCARD gm_status gm_document_read_twin(const gm_model *model, const json_t *body, gm_time_ns at, gm_arena *arena,
                                             gm_twin_document *out, gm_error *err);

// One value for the column (or subtree of columns) at `path` ("a", "component/a", "address/street"): adds its cells.
// A subtree is replaced as a whole (leaves that the value leaves out are removed); value NULL removes what is there.
// *cells starts as NULL with *count 0 and is grown by these functions only.
// GM_NOTFOUND: the type has nothing at that path. GM_INVALID: the value does not fit the schema.
GM_NODISCARD gm_status gm_document_read_value(const gm_type *type, gm_str path, const json_t *value, gm_time_ns at,
                                              gm_arena *arena, gm_cell_write **cells, size_t *count, gm_error *err);

// The same with JSON Patch's reach: `path` may also lead into a map or another document ("tags/red"); the document is
// then taken from the cells collected so far, else from the twin, and written back changed. Wanted op: "add" creates or
// replaces, "replace" and "remove" (value NULL) need something to be there (GM_CONFLICT otherwise).
typedef enum gm_patch_op { GM_PATCH_ADD, GM_PATCH_REPLACE, GM_PATCH_REMOVE } gm_patch_op;
GM_NODISCARD gm_status gm_document_read_patch(const gm_state *state, gm_twin twin, gm_patch_op op, gm_str path,
                                              const json_t *value, gm_time_ns at, gm_arena *arena, gm_cell_write **cells,
                                              size_t *count, gm_error *err);

// A relationship as PUT sends it, checked against the source's type: `$relationshipName` and `$targetId` are required,
// `$relationshipId`, `$sourceId` and `$etag` are ignored, everything else is a property of the relationship.
typedef struct gm_relationship_document { gm_str name, target_id, properties; } gm_relationship_document;
GM_NODISCARD gm_status gm_document_read_relationship(const gm_type *source, const json_t *body, gm_arena *arena,
                                                     gm_relationship_document *out, gm_error *err);

// The value as compact JSON: numbers in the fewest digits that read back the same, members in their order.
void gm_document_compact(const json_t *value, gm_buf *out);

// Does a JSON value fit a schema? For command payloads, relationship properties and documents inside columns.
GM_NODISCARD gm_status gm_document_check(const gm_schema *schema, const json_t *value, gm_error *err);

#endif
