// rollup/rollups.h: all roll-ups of a plant, kept current as committed changes arrive.
//
//   gm_rollups_create(alloc, engine, &rollups, &err);               // before gm_engine_recover
//   gm_rollups_set(rollups, files, count, &file, &err);             // at any time, and again
//   gm_rollups_read(rollups, i, gm_state_find(state, GM_STR("station1")), &result, &err);
//   gm_rollups_destroy(rollups);                                    // after the engine
//
// What a twin amounts to is joined from the twins that the definition's relationship leads to: from the value of each, and from
// what is under it in turn. Its own value counts one level further up. A twin that is a member of two systems counts in both. In
// k-of-n a member that has members itself works when enough of those work.
//
// Cost of a change: a bit. Of reading: a step up for each twin that changed since the last reading, to the first level that is known
// to be changed, and adding up what is changed below the one asked for. The first reading of a roll-up, and the first after
// relationships of a system changed, add that up whole.
#ifndef GM_ROLLUP_ROLLUPS_H
#define GM_ROLLUP_ROLLUPS_H

#include "engine/engine.h"
#include "rollup/total.h"
#include "state/fence.h"

typedef struct gm_rollups gm_rollups;

enum { GM_ROLLUP_DEPTH_MAX = 64 };  // levels

typedef struct gm_rollup_file { gm_str name, text; } gm_rollup_file;

GM_NODISCARD gm_status gm_rollups_create(const gm_alloc *alloc, gm_engine *engine, gm_rollups **out, gm_error *err);
void                   gm_rollups_destroy(gm_rollups *rollups);  // NULL is allowed

// Takes the place of what was declared before. GM_INVALID: *out_file does not read, err has its line; those from before stay.
GM_NODISCARD gm_status gm_rollups_set(gm_rollups *rollups, const gm_rollup_file *files, size_t count, size_t *out_file, gm_error *err);

size_t                      gm_rollups_count(const gm_rollups *rollups);
const gm_rollup_definition *gm_rollups_definition(const gm_rollups *rollups, size_t i);  // viewed until they are set again
bool                        gm_rollups_find(const gm_rollups *rollups, gm_str name, size_t *out_i);

// What the twin amounts to; without a relationship the twin is GM_NONE, the plant. GM_NOTFOUND: it is no system of this roll-up.
// GM_INVALID: a system contains itself; the text names the loop. GM_LIMIT: deeper than GM_ROLLUP_DEPTH_MAX. GM_NOMEM.
GM_NODISCARD gm_status gm_rollups_read(gm_rollups *rollups, size_t i, gm_twin twin, gm_rollup_result *out, gm_error *err);

// The systems in rising order of their numbers: the first at or after `from`. False: no more. GM_NONE is never among them.
GM_NODISCARD gm_status gm_rollups_next(gm_rollups *rollups, size_t i, uint32_t from, gm_twin *out, gm_error *err);

// The shown systems among the members of a system, one level down, in the order of its relationships, until `each` returns false.
GM_NODISCARD gm_status gm_rollups_below(gm_rollups *rollups, size_t i, gm_twin twin, bool (*each)(void *context, gm_twin system), void *context, gm_error *err);

// Its value as one of a property's kinds: of kOfN BOOL, of worst STRING (viewed in the definition), else DOUBLE. `part` empty: the value;
// "members", "missing", of kOfN "working", "spare", of oee "availability", "performance", "quality". False: it has none.
bool gm_rollups_value(gm_rollups *rollups, size_t i, gm_twin twin, gm_str part, gm_value *out);

// ---- the past -------------------------------------------------------------------------------------------------------
// Values that have changed are recorded: in the log, and from it in history, under the system (GM_NONE: the plant) and a number for each
// name that ever was. At most as often as the definition says: once a minute, or a second when somebody hurries; and once a day
// also when nothing changes. Recording takes at most a twentieth of the thread's time, a slice of systems after the other.
enum { GM_ROLLUP_RECORD_USUAL_S = 60, GM_ROLLUP_RECORD_HURRY_S = 1 };

typedef struct gm_rollup_recording {
    gm_loop        *loop;
    const gm_clock *clock;
    bool (*hurries)(void *context, gm_str name);  // does somebody wait for this roll-up (a rule)? NULL: nobody
    void           *context;
} gm_rollup_recording;

GM_NODISCARD gm_status gm_rollups_start(gm_rollups *rollups, const gm_rollup_recording *how, gm_error *err);
void                   gm_rollups_stop(gm_rollups *rollups);

// The newest that was recorded until then, whatever is declared now. False: none. A text is viewed until the next reading of history.
bool gm_rollups_then(const gm_rollups *rollups, gm_twin twin, gm_str name, gm_time_ns at, gm_value *out);
// The number of a name's series (gm_engine_own_read). False: nothing was ever recorded of it.
bool gm_rollups_series(const gm_rollups *rollups, gm_str name, uint32_t *out_number);

// What somebody who is kept to some twins may be told: the systems of which he sees every member, at every level down; a value that is
// made of others as well would tell of them. Of a definition that is disclosed: every system that he sees himself, and the plant. Open for one reading: nothing may change meanwhile. NULL: memory was refused.
typedef struct gm_rollup_scope gm_rollup_scope;
gm_rollup_scope *gm_rollup_scope_open(gm_rollups *rollups, size_t i, const gm_fence *fence);
bool             gm_rollup_scope_shows(gm_rollup_scope *scope, gm_twin twin);  // GM_NONE: the plant, which is never his
void             gm_rollup_scope_close(gm_rollup_scope *scope);                // NULL is allowed

#endif
