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
void gm_document_write_component(const gm_state *state, gm_twin twin, uint32_t component, gm_buf *out);
void gm_document_write_relationship(const gm_state *state, gm_edge edge, gm_buf *out);
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
// sourceTime of their own get `at`.
GM_NODISCARD gm_status gm_document_read_twin(const gm_model *model, const json_t *body, gm_time_ns at, gm_arena *arena,
                                             gm_twin_document *out, gm_error *err);

// One value for the column (or subtree of columns) at `path` ("a", "component/a", "address/street"): adds its cells.
// GM_NOTFOUND: the type has nothing at that path. GM_INVALID: the value does not fit the schema.
GM_NODISCARD gm_status gm_document_read_value(const gm_type *type, gm_str path, const json_t *value, gm_time_ns at,
                                              gm_arena *arena, gm_cell_write **cells, size_t *count, gm_error *err);

// Does a JSON value fit a schema? For command payloads, relationship properties and documents inside columns.
GM_NODISCARD gm_status gm_document_check(const gm_schema *schema, const json_t *value, gm_error *err);

#endif
