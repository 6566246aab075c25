// aas/plan_parts.h: the parts of planning; inside aas/ only.
#ifndef GM_AAS_PLAN_PARTS_H
#define GM_AAS_PLAN_PARTS_H

#include "aas/plan.h"
#include "aas/thing.h"

typedef struct gm_aas_planning {
    const json_t          *env;
    const gm_aasx_package *package;
    gm_arena              *arena;
    gm_aas_plan           *plan;
    gm_model              *model;      // the interfaces of the environment
    const gm_model        *known;      // and those that are there already, or NULL
    json_t                *submodels;  // id -> submodel (borrowed)
    json_t                *assets;     // globalAssetId -> thing
    json_t                *said;       // thing -> key -> list of values, by the digital thread
    json_t                *placed;     // ids of submodels that a shell has
    bool                   flat;       // of technical properties those alone that gemel shows again as they are: none in collections
    gm_error              *err;
    gm_status              st;
} gm_aas_planning;

void gm_aas_note(gm_aas_planning *p, const char *fmt, ...) GM_PRINTF(2, 3);
void gm_aas_stop(gm_aas_planning *p, gm_status st, const char *fmt, ...) GM_PRINTF(3, 4);  // the first counts
void gm_aas_put(gm_aas_planning *p, json_t *list, json_t *item);                             // takes item; NULL: no memory

gm_str gm_aas_thing_of_asset(gm_aas_planning *p, gm_str asset_id);                           // empty: nobody's that is known

// From the submodels of a thing: what gemel wrote, and what others did.
void gm_aas_plan_thread(gm_aas_planning *p, gm_str thing, const json_t *submodel);
void gm_aas_plan_template(gm_aas_planning *p, gm_str thing, const json_t *submodel, gm_aas_kind kind, bool ours);
void gm_aas_plan_handed_over(gm_aas_planning *p, gm_str thing, const json_t *submodel);  // documents that gemel wrote, by their hash
void gm_aas_plan_relationships(gm_aas_planning *p, gm_str thing, const json_t *submodel);
void gm_aas_plan_files(gm_aas_planning *p, gm_str thing, const json_t *submodel, bool documents);
bool gm_aas_plan_is_said(gm_aas_planning *p, gm_str thing, gm_str key, gm_str text);  // by the digital thread in the file
void gm_aas_plan_text(gm_aas_planning *p, gm_str thing, gm_str key, gm_str text);     // a fact as-built
// Keeps JSON as a fact of the thread, or as a document of it when it is too large for one.
void gm_aas_plan_keep(gm_aas_planning *p, gm_str thread, const char *key, const json_t *value);

#endif
