// thread/internal.h: how facts lie in memory.
//
// names   every id, key, unit, author ... once; a fact holds their numbers
// rows    one for each fact, in the order of being known; 40 bytes, and a value of some 15 in a block of bytes
// lines   one for each (twin, phase, key): the numbers of its rows, and above LINE_PLAIN of them a timeline
// chains  from a twin to its lines; from a part to the rows that name it
#ifndef GM_THREAD_INTERNAL_H
#define GM_THREAD_INTERNAL_H

#include "base/index.h"
#include "thread/thread.h"
#include "thread/timeline.h"

#define NO_ROW  UINT32_MAX
#define NO_LINE UINT32_MAX

enum { LINE_PLAIN = 12, PLACE = GM_PHASE_COUNT };  // PLACE: in place of the phase, for GM_KEY_INSTALLED

typedef struct fact_row {
    gm_time_ns     from, to, known;
    const uint8_t *value;      // author, cause, phase, value
    uint32_t       line;       // NO_LINE: deleted for good
    uint32_t       next;       // the row before it that names the same part
} fact_row;

typedef struct fact_line {
    uint32_t     twin, key;    // names
    uint32_t     next;         // line of the same twin
    uint32_t     count, capacity;
    union { uint32_t one; uint32_t *many; };  // rows; many when capacity > 0
    gm_timeline *time;         // NULL: few
    uint8_t      phase;        // or PLACE
} fact_line;

typedef struct fact_name { gm_str text; uint32_t lines, mentions; } fact_name;  // heads of the chains

typedef struct block { struct block *before; size_t used, size; uint8_t bytes[]; } block;

struct gm_thread {
    const gm_alloc *alloc;
    fact_name *names;
    size_t          name_count, name_capacity;
    gm_index        name_index;
    fact_row *rows;
    size_t          row_count, row_capacity;
    fact_line *lines;
    size_t          line_count, line_capacity;
    gm_index        line_index;
    block          *blocks;
    size_t          block_bytes;
    uint64_t        facts;      // rows that are not deleted
    gm_buf          scratch;
};

static inline uint32_t gm_line_row(const fact_line *l, uint32_t i) { return l->capacity > 0 ? l->many[i] : l->one; }

// thread.c
uint32_t gm_thread_find_line(const gm_thread *t, gm_str twin, uint8_t phase, gm_str key);
// How many of a line's facts were known by then.
uint32_t gm_line_known(const gm_thread *t, const fact_line *l, gm_time_ns known);
// The row that holds at `valid` as of the line's first n facts; NO_ROW. The stretch in which that is so goes to out_to.
uint32_t gm_line_at(const gm_thread *t, const fact_line *l, uint32_t n, gm_time_ns valid, gm_time_ns *out_to);
void     gm_thread_fact(const gm_thread *t, uint32_t row, gm_fact *out);
// The tail of gm_thread_take, without checks: also for loading.
GM_NODISCARD gm_status gm_thread_add(gm_thread *t, const gm_fact *fact, gm_error *err);
void     gm_thread_clear(gm_thread *t);

// placement.c: GM_CONFLICT, GM_LIMIT
GM_NODISCARD gm_status gm_placement_check(const gm_thread *t, const gm_fact *fact, gm_error *err);
GM_NODISCARD gm_status gm_bom_row_check(const gm_thread *t, const gm_fact *fact, gm_error *err);

#endif
