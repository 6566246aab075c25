// cli/plant_load.h: brings a plant's models, twins and relationships into a running engine. Idempotent: what exists
// already stays as it is, because the live twin knows better than the file that it once came from.
#ifndef GM_CLI_PLANT_LOAD_H
#define GM_CLI_PLANT_LOAD_H

#include "cli/plant.h"
#include "cli/progress.h"
#include "engine/engine.h"

typedef struct gm_plant_loaded { size_t models, twins, relationships; } gm_plant_loaded;  // that were new

// The plant must have been checked without findings. Returns when everything is durable and applied; blocks meanwhile.
//   now       source time of values that bring none        progress  may be NULL
// GM_INVALID: the plant contradicts what the engine holds (a model whose text changed under the same id, a relationship
//             whose twin was deleted): added to the plant's findings; err tells the first. What was loaded before stays.
// GM_IO, GM_NOMEM, GM_LIMIT: as the engine has it.
GM_NODISCARD gm_status gm_plant_load(gm_plant *plant, gm_engine *engine, gm_time_ns now, gm_progress *progress,
                                     gm_plant_loaded *out_loaded, gm_error *err);

#endif
