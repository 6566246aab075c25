// api/migration.h: what stands in the way of a twin that is to become one of another model.
#ifndef GM_API_MIGRATION_H
#define GM_API_MIGRATION_H

#include "engine/engine.h"
#include "state/document.h"

// The twin as it is, read as one of the model `to`: properties by name, telemetry that `to` does not know left out.
// GM_INVALID: it does not fit, err says why: a value, a property or component that is unknown or missing, a relationship
// from or to it that the new model does not admit. *out_document lies in the arena.
GM_NODISCARD gm_status gm_migration_read(gm_engine *engine, gm_twin twin, const gm_type *to, gm_time_ns now, gm_arena *arena,
                                         gm_twin_document *out_document, gm_error *err);

// Telemetry and metadata that a twin's document of `from` has and `to` does not know.
void gm_migration_drop_foreign(json_t *document, const gm_type *from, const gm_type *to);

#endif
