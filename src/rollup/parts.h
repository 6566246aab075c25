// rollup/parts.h: how roll-ups are kept; inside rollup/ only.
//
// The members of a system stand in a row; each 16 of them have a total, each 16 totals one, and so on to one. Invariants:
// (1) a twin that is marked, or a total, has everything above it marked; (2) a system with a marked total, or that is stale (its
// row is not what the graph says), is itself marked as a member of others. So marking goes up until it meets a mark, and reading
// goes down only where marks are.
//
// A write only sets its twin's bit: a million of them stay in the cache, where marking would wander through the graph. Marks are made
// of bits when somebody reads, in the order of the twins, and a twin that was written a thousand times is marked once.
#ifndef GM_ROLLUP_PARTS_H
#define GM_ROLLUP_PARTS_H

#include "query/query.h"
#include "rollup/rollups.h"

enum { GM_ROLLUP_FAN = 16, GM_ROLLUP_LEVELS = 8 };  // 16^8 members

typedef struct gm_rollup_system {
    uint32_t         twin;
    uint32_t        *members;        // [count] twins; without a relationship NULL: all numbers below count
    uint32_t        *rows;           // [count] theirs in the table of `type`, when all are of one; else NULL is the type
    const gm_type   *type;
    size_t           count, capacity, row_capacity;
    gm_rollup_total *totals;
    uint8_t         *marked;         // [totals]
    size_t           total_capacity;
    size_t           start[GM_ROLLUP_LEVELS + 1];  // level l has totals start[l] .. start[l + 1]; level 0 is over members
    unsigned         levels;
    bool             stale, busy;    // busy: being read, so that a loop is met
} gm_rollup_system;

#define GM_ROLLUP_SEVERAL     (GM_NONE - 1)
#define GM_ROLLUP_NO_COLUMN   UINT32_MAX
#define GM_ROLLUP_COLUMN_OPEN (UINT32_MAX - 1)
typedef struct gm_rollup_columns { uint32_t column[GM_ROLLUP_TERMS]; } gm_rollup_columns;  // column[0] OPEN: not looked for yet

typedef struct gm_rollup_view {  // one roll-up
    const gm_alloc             *alloc;
    const gm_state             *state;
    const gm_rollup_definition *d;
    gm_query                   *members;     // NULL: all
    uint32_t                    name;        // the relationship's number; GM_NONE: nobody has used it yet
    bool                        built;       // false: everything is found at the next reading
    uint32_t                   *system_of;   // [twins] index, or GM_NONE
    uint8_t                    *marked;      // [twins]
    uint64_t                   *changed;     // [twins / 64 + 1] a bit for each twin whose value was written since the last reading
    bool                        any;         // some of them is set
    size_t                      twins;
    uint32_t                   *slot_of;     // [edges] place of the member in its system
    uint32_t                   *home;        // [twins] index of the one system that it is known to be a member of, and there its place:
    uint32_t                   *place;       // a hint, good while that system is not stale and has it there. Else GM_NONE, SEVERAL
    size_t                      edges;
    gm_rollup_system           *systems;
    size_t                      system_count, system_capacity;
    gm_rollup_columns          *columns;     // [types]
    size_t                      types;
    const gm_type              *type;        // of the member at hand; NULL before the first of a reading. Members are mostly alike,
    const gm_rollup_columns    *here;        // so that where its values lie is found once for many
    gm_table                    table;
    uint32_t                    path[GM_ROLLUP_DEPTH_MAX];  // systems being read, from the one asked for
    size_t                      depth;
} gm_rollup_view;

// Which views look at a column of a type: a bit for each.
typedef struct gm_rollup_watch { uint64_t *views; } gm_rollup_watch;  // [columns of the type]; NULL: not looked for yet
_Static_assert(GM_ROLLUPS_MAX <= 64, "a view is a bit");

typedef struct gm_rollup_recorder gm_rollup_recorder;  // past.c

struct gm_rollups {
    const gm_alloc       *alloc;
    gm_engine            *engine;
    gm_arena             *arena;  // of the definitions
    gm_rollup_definition *definitions;
    gm_rollup_view       *views;  // [count]
    size_t                count;
    gm_rollup_watch      *watches;  // [watched] by the type's number
    size_t                watched;
    gm_rollup_recorder   *recorder;
};

// mark.c
void gm_rollup_mark_changed(gm_rollup_view *v);  // brings the marks up to what was written
void gm_rollup_mark_twin(gm_rollup_view *v, uint32_t twin);
void gm_rollup_mark_ends(gm_rollup_view *v, gm_str name, uint32_t source, uint32_t target);  // a relationship came, changes or goes
void gm_rollup_before(void *context, const gm_record *record, const gm_change *change);
void gm_rollup_after(void *context, const gm_record *record, const gm_change *change);

// The type's columns of the view's terms; NULL: memory was refused.
const gm_rollup_columns *gm_rollup_columns_of(gm_rollup_view *v, const gm_type *type);

// past.c: follows what was recorded, from gm_rollups_create on
GM_NODISCARD gm_status gm_rollup_recorder_create(gm_rollups *r, gm_error *err);
void                   gm_rollup_recorder_destroy(gm_rollups *r);
void                   gm_rollup_recorder_wake(gm_rollups *r);  // declarations have changed

// watch.c
uint64_t gm_rollup_watching(gm_rollups *r, const gm_change *write);  // the views that look at what is written; a bit too many does no harm
void     gm_rollup_watch_forget(gm_rollups *r);                      // declarations have changed

// read.c
GM_NODISCARD gm_status gm_rollup_build(gm_rollup_view *v, gm_error *err);
GM_NODISCARD gm_status gm_rollup_total_of(gm_rollup_view *v, uint32_t system, gm_rollup_total *out, gm_error *err);
void                   gm_rollup_forget(gm_rollup_view *v);  // everything that was built

#endif
