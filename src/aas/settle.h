// aas/settle.h: what it takes that a submodel which gemel makes says what a client wants it to say: facts of the thing, values of its
// twin, relationships; and what of it has no such place, to be kept beside (aas/added.h).
//
//   gm_aas_settle(&world, &thing, GM_AAS_NAMEPLATE, wanted, arena, &settled, &err);
//   ... settled.facts, .cells ... into the log; gm_aas_settled_finish(&settled);
//
// What gemel derives and can not be told otherwise (ids, series, interfaces, what is installed) is refused with the place. wanted NULL:
// the submodel is to be no more.
#ifndef GM_AAS_SETTLE_H
#define GM_AAS_SETTLE_H

#include "aas/thing.h"

#include <jansson.h>

typedef struct gm_aas_settled {
    gm_fact       *facts;         // new ones and corrections; without a value: taken back. Texts lie in the arena or are the thread's
    size_t         fact_count, fact_capacity;
    size_t         corrections;   // of them: of what holds now
    gm_cell_write *cells;         // properties of the twin
    gm_cell_write *reported;      // its telemetry
    size_t         cell_count, reported_count;
    json_t        *relationships; // to be put: as twins/*.ndjson has them
    json_t        *gone;          // ids of relationships to be deleted
    json_t        *added;         // NULL: nothing
} gm_aas_settled;

// GM_CONFLICT: it can not be so, err says what and why. GM_INVALID: a value does not fit. GM_NOMEM. *out is to be finished in any case.
GM_NODISCARD gm_status gm_aas_settle(const gm_aas_world *world, const gm_aas_thing *thing, gm_aas_kind kind, const json_t *wanted, gm_arena *arena,
                                     gm_aas_settled *out, gm_error *err);
// The same of a submodel of a template that is kept as it came and that the thing has: facts that it says and that do not hold yet; none
// is taken back. Adds to out->facts.
GM_NODISCARD gm_status gm_aas_settle_kept(const gm_aas_world *world, const gm_aas_thing *thing, const json_t *submodel, gm_arena *arena, gm_aas_settled *out, gm_error *err);
void gm_aas_settled_finish(gm_aas_settled *settled);

// Does it come by itself, as soon as there is something to say in it? Such a one is there before a client has made it.
bool gm_aas_comes_by_itself(gm_aas_kind kind);

#endif
