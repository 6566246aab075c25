// state/state.h: what is. A type is a table, a twin is a row, a property is a column; relationships go both ways.
//
//   gm_twin twin = gm_state_find(state, GM_STR("pump7"));
//   if (gm_twin_ok(twin)) gm_state_get(state, twin, column, &cell);
//
// The state is the fold of the log: gm_state_apply is the only writer and runs on the engine thread; everything else
// here reads, on the same thread. Views are valid until the next apply.
//
// Rows never move: a deleted twin leaves a hole that a later twin of the same type fills. A position in a table is
// therefore a paging token that neither skips nor repeats a twin.
#ifndef GM_STATE_STATE_H
#define GM_STATE_STATE_H

#include "base/alloc.h"
#include "base/time.h"
#include "base/value.h"
#include "log/change.h"
#include "model/model.h"
#include "state/times.h"

typedef struct gm_state gm_state;
typedef struct gm_twin { uint32_t v; } gm_twin;  // a twin's number; never reused
typedef struct gm_edge { uint32_t v; } gm_edge;  // a relationship; reused after deletion

#define GM_NONE UINT32_MAX
static inline bool gm_twin_ok(gm_twin twin) { return twin.v != GM_NONE; }
static inline bool gm_edge_ok(gm_edge edge) { return edge.v != GM_NONE; }

#define GM_ABSENT INT64_MIN  // source time of a cell that has no value

typedef struct gm_text { uint32_t len; char bytes[]; } gm_text;  // a string cell

// One column of a table. A column that was never written has no arrays (all NULL): every row is absent.
// Absent cells of a double column hold NaN, so that a comparison needs no second look.
typedef struct gm_cells {
    gm_kind kind;
    union {
        const double         *d;  // DOUBLE
        const int64_t        *i;  // INT, BOOL
        const gm_text *const *s;  // STRING, JSON; NULL when absent
    };
    const gm_time_ns *source;  // [rows] when measured; GM_ABSENT = no value
    const gm_times   *ingest;  // when committed (gm_times_get); of rows that have a value
} gm_cells;

typedef struct gm_table {
    const gm_type   *type;
    uint32_t         rows;     // holes included
    uint32_t         live;     // twins
    const uint32_t  *twins;    // [rows] twin number, GM_NONE for a hole
    const gm_cells  *columns;  // [type->column_count]
} gm_table;

typedef struct gm_cell { gm_value value; gm_time_ns source, ingest; } gm_cell;  // value.kind NONE: absent

typedef struct gm_relationship {
    gm_twin    source, target;
    gm_str     id, name;
    gm_str     properties;  // compact JSON object; "{}" when none
    uint64_t   version;     // sequence of its last change: the ETag
} gm_relationship;

// ---- life cycle -------------------------------------------------------------------------------------------------
// The model is the caller's; the state adds and removes interfaces in it as it applies MODEL changes.
GM_NODISCARD gm_state *gm_state_create(const gm_alloc *alloc, gm_model *model);
void                   gm_state_destroy(gm_state *state);

// Tables for types that the model knows already: for a state beside the engine's (engine/as_of.h). GM_NOMEM.
GM_NODISCARD gm_status gm_state_make_tables(gm_state *state);

// ---- writing (engine only) --------------------------------------------------------------------------------------
// Applies a committed change. What was checked before appending can not fail here; GM_CONFLICT says that the world
// moved on between append and commit (the twin was deleted or changed its model) and the change has no effect.
// GM_NOMEM and GM_CORRUPT end the engine: state and log would part.
GM_NODISCARD gm_status gm_state_apply(gm_state *state, uint64_t sequence, gm_time_ns ingest, const gm_change *change,
                                      gm_error *err);

// ---- twins ------------------------------------------------------------------------------------------------------
gm_twin        gm_state_find(const gm_state *state, gm_str id);
bool           gm_state_exists(const gm_state *state, gm_twin twin);
gm_str         gm_state_id(const gm_state *state, gm_twin twin);
const gm_type *gm_state_type(const gm_state *state, gm_twin twin);
uint32_t       gm_state_row(const gm_state *state, gm_twin twin);        // in gm_state_table(state, type->number)
uint64_t       gm_state_version(const gm_state *state, gm_twin twin);    // sequence of the last property change: the ETag
gm_time_ns     gm_state_changed(const gm_state *state, gm_twin twin);    // its time
size_t         gm_state_twin_count(const gm_state *state);
uint32_t       gm_state_next_twin(const gm_state *state);                // the number that the next new twin gets
// Rises when twins or relationships come, change or go, when a twin changes its model, and with interfaces: what was worked out
// from the graph holds as long as it stays. Values do not count.
uint64_t       gm_state_edition(const gm_state *state);
void           gm_state_get(const gm_state *state, gm_twin twin, uint32_t column, gm_cell *out_cell);

// ---- tables -----------------------------------------------------------------------------------------------------
size_t   gm_state_table_count(const gm_state *state);                    // one per type number; empty ones included
gm_table gm_state_table(const gm_state *state, size_t type_number);

// ---- relationships ----------------------------------------------------------------------------------------------
gm_edge         gm_state_find_relationship(const gm_state *state, gm_twin source, gm_str id);
gm_relationship gm_state_relationship(const gm_state *state, gm_edge edge);
size_t          gm_state_relationship_count(const gm_state *state);
// Iteration, newest last; GM_NONE ends:  for (e = first_out(s, t); gm_edge_ok(e); e = next_out(s, e)) ...
gm_edge gm_state_first_out(const gm_state *state, gm_twin source);
gm_edge gm_state_next_out(const gm_state *state, gm_edge edge);
gm_edge gm_state_first_in(const gm_state *state, gm_twin target);
gm_edge gm_state_next_in(const gm_state *state, gm_edge edge);
// Positions 0..limit-1 cover all relationships (holes answer false): a scan that can stop and go on.
uint32_t gm_state_edge_limit(const gm_state *state);
bool     gm_state_edge_at(const gm_state *state, uint32_t position, gm_edge *out_edge);
// Relationship names are numbered, so that a traversal compares numbers. GM_NONE: never used.
uint32_t gm_state_name_number(const gm_state *state, gm_str name);
uint32_t gm_state_edge_name(const gm_state *state, gm_edge edge);
gm_twin  gm_state_edge_source(const gm_state *state, gm_edge edge);
gm_twin  gm_state_edge_target(const gm_state *state, gm_edge edge);
// Asks memory for where a twin's lists begin, or for a relationship, which will be read soon.
void     gm_state_prefetch_ends(const gm_state *state, gm_twin twin);
void     gm_state_prefetch_edge(const gm_state *state, gm_edge edge);

// ---- then ---------------------------------------------------------------------------------------------------------
// What existed at a moment. A twin exists from the commit that made it, or from its earliest sample when that is older
// (history that was brought along), to the commit that deleted it; a change of model ends one stretch and begins the
// next. A relationship has a new stretch with each change of its properties or target. Values: gm_engine_as_of.
// Cost of the answers for one twin: how often it has changed. Texts are viewed until the next apply.
typedef struct gm_twin_then {
    gm_twin        twin;
    gm_str         id;
    const gm_type *type;
    gm_time_ns     since, until;  // until INT64_MAX: it still is
} gm_twin_then;

typedef struct gm_relationship_then {
    gm_relationship relationship;
    gm_time_ns      since, until;
} gm_relationship_then;

typedef enum gm_side { GM_SIDE_OUT, GM_SIDE_IN } gm_side;

bool gm_state_twin_at(const gm_state *state, gm_str id, gm_time_ns time, gm_twin_then *out);

// Call each, in no promised order, until it returns false; then false.
typedef bool gm_state_twin_each(void *context, const gm_twin_then *then);
typedef bool gm_state_relationship_each(void *context, const gm_relationship_then *then);
bool gm_state_twins_at(const gm_state *state, gm_time_ns time, gm_state_twin_each *each, void *context);
bool gm_state_relationships_at(const gm_state *state, gm_twin twin, gm_side side, gm_time_ns time,
                               gm_state_relationship_each *each, void *context);

// The id that a number stands for or stood for; empty when nothing is known of it any more. Cost for a twin that is gone:
// looks through the past.
gm_str gm_state_id_then(const gm_state *state, gm_twin twin);

// The numbers of past stretches of twins with this id, 0, 1, ... the latest first; a number may come more than once. False: no
// more. Cost: i.
bool gm_state_past_twin(const gm_state *state, gm_str id, size_t i, gm_twin *out_twin);

// Bytes that were asked of the allocator, room to grow included (which takes no memory before it is used). Cost: columns.
typedef struct gm_state_bytes {
    uint64_t twins;          // rows, and what finds them by id
    uint64_t values, times;  // of columns
    uint64_t texts;          // ids of twins, text cells, the past's texts
    uint64_t relationships;
    uint64_t indexes;        // secondary ones, of columns
    uint64_t past;
} gm_state_bytes;
gm_state_bytes gm_state_memory(const gm_state *state);

// What the twins 0 .. n are, or were last when they are no more; NULL: neither. n: at most gm_state_twin_numbers, which is one
// more than the highest number that was given. Cost: n.
size_t gm_state_twin_numbers(const gm_state *state);
void   gm_state_types_then(const gm_state *state, const gm_type **out_types, size_t n);

// Forgets what a twin was (deletion for good). GM_NOMEM: more was forgotten than asked for.
GM_NODISCARD gm_status gm_state_forget(gm_state *state, gm_twin twin);

// ---- checkpoints --------------------------------------------------------------------------------------------------
struct gm_frames_out;
struct gm_frames_in;

// Everything but the model, into the open section. Refusals: gm_frames_finish tells.
void gm_state_save(const gm_state *state, struct gm_frames_out *out);

// Into an empty state whose model knows the types already (the MODELS changes were applied). GM_CORRUPT, GM_NOMEM,
// GM_IO: the state is good for gm_state_destroy only.
GM_NODISCARD gm_status gm_state_load(gm_state *state, struct gm_frames_in *in, gm_error *err);

#endif
