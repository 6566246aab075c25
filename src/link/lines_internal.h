// link/lines_internal.h: inside of link/ingest_lines.h. One thread, one server.
#ifndef GM_LINK_LINES_INTERNAL_H
#define GM_LINK_LINES_INTERNAL_H

#include "base/index.h"
#include "link/ingest_internal.h"
#include "link/ingest_lines.h"
#include "link/line.h"

enum { GM_LINES_RECORD_CELLS = 4096 };
#define GM_LINES_NOBODY UINT32_MAX

// What a field of a key means; column GM_NO_COLUMN: nothing, and that is no mistake.
typedef struct gm_line_meaning {
    gm_str             name;    // as written
    uint32_t           column;
    bool               plain;   // a double that is taken as it stands
    const gm_column   *leaf;
    const gm_map_rule *rule;
} gm_line_meaning;

typedef struct gm_line_key {
    char            *text;
    uint32_t         len;
    uint32_t         after;     // the key of the line that followed one of this key, last time
    gm_map          *map;       // NULL: the default
    gm_twin          twin;
    const gm_type   *type;
    uint64_t         checked;   // lines->turn in which the twin was seen to be there still
    gm_line_meaning *fields;
    size_t           field_count, field_capacity;
} gm_line_key;

struct gm_lines {
    const gm_alloc *alloc;
    gm_ingest      *ingest;
    gm_index        index;
    gm_line_key    *keys;
    size_t          count, capacity;
    uint64_t        turn;       // counts calls: no change is applied within one
    gm_arena       *scratch;    // of a key being resolved
    gm_cell_write  *cells;      // [GM_LINES_RECORD_CELLS]
};

// One value of a line; those of one line follow one another.
typedef struct gm_line_point {
    gm_time_ns at;
    union { double d; int64_t i; const gm_str *s; };
    uint32_t   next;            // of the same key
    uint16_t   column;
    uint8_t    kind;
} gm_line_point;

// The points of a key. Not ragged: all its lines brought numbers for the same columns in the same order.
typedef struct gm_line_chain {
    uint32_t first, last, count, next_key;
    uint16_t width;             // values of a line
    bool     ragged;
} gm_line_chain;

struct gm_line_batch {
    gm_lines       *lines;
    gm_dur_ns       unit;
    gm_arena       *texts;      // strings
    gm_alloc        alloc;      // of the same arena
    gm_line_point  *points;     // [GM_LINES_POINTS]
    size_t          count;
    gm_line_chain  *chains;     // by key
    size_t          chain_capacity;
    uint32_t        first_key, last_key;  // keys with points, in the order of their first
    uint32_t        before;     // the key of the last line; GM_LINES_NOBODY
    gm_time_ns      latest;     // no line may be later
    bool            writing;    // the tables of a reader: where it is
    size_t          table_at;
    uint32_t        row_at;
    bool            wrote;      // something that no ask went with
    gm_ask          ask;        // that waits for it
    gm_line         line;       // the one under way
    size_t          letters;
    gm_lines_result result;
};

// ---- ingest_lines.c -------------------------------------------------------------------------------------------------
void gm_lines_begin_turn(gm_line_batch *batch);  // what was looked up before may not hold any more

// ---- lines_keys.c: what keys and their fields mean ----------------------------------------------------------------
bool gm_lines_same_key(const void *lines, uint32_t id, gm_str text);

// GM_LIMIT: the twin is being created. GM_INVALID: err says why there is none.
GM_NODISCARD gm_status gm_lines_find_key(gm_lines *lines, gm_str text, uint32_t *out_id, gm_error *err);

// Whether what is remembered of the key still holds.
bool gm_lines_key_holds(const gm_lines *lines, gm_line_key *key);

// guess: senders repeat themselves, so the n-th field is the n-th one of the line before. GM_INVALID: the model has no such
// value, and the mapping is strict.
GM_NODISCARD gm_status gm_lines_find_field(gm_lines *lines, gm_line_key *key, size_t guess, gm_str name,
                                           const gm_line_meaning **out, gm_error *err);

gm_str gm_lines_unescaped(gm_arena *arena, gm_str text);

// ---- lines_fast.c: the line that nearly everybody sends -----------------------------------------------------------
// Takes the line at the front when it has the key that came after this one last time, known fields with plain decimal
// numbers for doubles, and a time. False: nothing was taken, look at it at leisure.
bool gm_lines_take_fast(gm_line_batch *batch, gm_str *rest);

// ---- lines_write.c: from points to records ------------------------------------------------------------------------
// n points behind those that the batch has go to the key.
void gm_lines_add(gm_line_batch *batch, uint32_t key, uint32_t n);

uint8_t gm_lines_flags_of(const gm_type *type, uint16_t column);

// So many values have no place any more.
void gm_lines_refuse_gone(gm_line_batch *batch, uint64_t values);

// Writes what is collected, a record for each key or a few; keeps what could not be written. The ask goes with the last;
// *out_asked (may be NULL): false when there is none, and so nobody will be told.
GM_NODISCARD gm_status gm_lines_flush(gm_line_batch *batch, gm_ask ask, bool *out_asked, gm_error *err);

#endif
