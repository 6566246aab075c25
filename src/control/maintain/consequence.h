// control/maintain/consequence.h: what stops while an asset is out, what that costs, and who stands in for it: as rules/*.modes declare it
// and as things stand now (failure/impact.h).
//
// A failure costs what is stated, and what stops with the asset until it is repaired; planned work costs what is stated, and what stops
// while it lasts, unless there are outages, in which everything stands anyhow. A need that is still met without the asset is its
// redundancy: assets that the same need counts may not be out together where that would be too many.
#ifndef GM_CONTROL_MAINTAIN_CONSEQUENCE_H
#define GM_CONTROL_MAINTAIN_CONSEQUENCE_H

#include "control/maintain/proposal.h"

// Adds to the costs of all assets, and groups to those that were asked for. Nothing happens where nothing is declared.
// Errors: GM_INVALID nothing says what the failure of an asset costs; as gm_impact_find. GM_NOMEM.
// LIMIT: a failure followed for each asset, on the engine's thread: some 0.1 ms each in a plant of 100,000 twins.
GM_NODISCARD gm_status gm_maintain_consequences(const gm_maintain_world *world, gm_arena *arena, gm_maintain_case *io, gm_error *err);

#endif
