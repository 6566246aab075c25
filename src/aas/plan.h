// aas/plan.h: an environment from elsewhere, as what gemel has to be told: interfaces, twins, relationships, facts, documents.
//
// Shells that gemel wrote become what they were made of. Shells of others become twins (assets of kind Instance) or parts (of kind Type);
// their nameplates, technical data and structures become facts; and shell, submodels, files and concept descriptions are kept as they came
// (aas/thing.h), so that they go out again as they came in.
#ifndef GM_AAS_PLAN_H
#define GM_AAS_PLAN_H

#include "aas/aasx.h"
#include "base/arena.h"
#include "model/model.h"

typedef struct gm_aas_plan {  // lists of JSON
    json_t *models;           // DTDL interfaces, those that others need first
    json_t *twins;            // twin documents, as PUT takes them
    json_t *relationships;    // as twins/*.ndjson has them: $sourceId, $relationshipId ...
    json_t *facts;            // as POST /v1/thread takes them
    json_t *documents;        // {"thread","phase","key","name","mediaType","from","to","cause", "path" of the package or "text"}
    json_t *uncertain;        // facts whose documents are not in the file: the server may have them
    json_t *notes;            // sentences: what was not taken, and why
    json_t *submodels;        // that gemel wrote: to be posted when all the rest is there, for what clients have added to them
} gm_aas_plan;

#define GM_AAS_ASSET_MODEL "dtmi:gemel:aas:Asset;1"  // of twins that come from elsewhere

// known: interfaces that are there already, NULL: those of the environment alone. package: the files that came with it; NULL: none. Nothing is checked that gm_aas_check checks; what does not fit is left out with a
// note. GM_INVALID: something that can not be kept either; GM_NOMEM. *out is to be finished in any case.
GM_NODISCARD gm_status gm_aas_plan_make(const json_t *environment, const gm_model *known, const gm_aasx_package *package, gm_arena *arena, gm_aas_plan *out,
                                        gm_error *err);
void gm_aas_plan_finish(gm_aas_plan *plan);

#endif
