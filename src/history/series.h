// history/series.h: all series of a history, found by (twin, column). Inside history only.
//
// Memory: a series of one or two samples is a record of 48 bytes and 11 to 21 bytes of index (8 at a load of 3/8 to
// 3/4), about 64 bytes. From the third sample on it has a run of 16 bytes a sample until that is sealed.
#ifndef GM_HISTORY_SERIES_H
#define GM_HISTORY_SERIES_H

#include "base/index.h"
#include "history/files.h"
#include "history/run.h"

typedef struct gm_sealing gm_sealing;

typedef enum gm_where { GM_THAWED, GM_IN_MEMORY, GM_IN_FILE, GM_SEALING } gm_where;  // SEALING: sealing.h

// A sealed block, or the one that is thawed: opened again for late samples. The sums over its values are here too, so that
// a plot of years reads no block that lies in one bucket as a whole.
typedef struct gm_sealed {
    gm_time_ns first_at, last_at, last_value_at;
    union { uint8_t *bytes; gm_place place; gm_sealing *sealing; };
    uint32_t   size;
    uint16_t   n, values;
    uint8_t    where, kind;
    double     min, max, sum, last;  // numeric and boolean kinds with values only, and so are:
    gm_time_ns min_at, max_at;       // the first time of each; GM_EXTREME_UNKNOWN both: comes from an old checkpoint
} gm_sealed;

#define GM_EXTREME_UNKNOWN INT64_MIN

// Its samples are plain, and there are no sums of them.
static inline bool gm_sealed_plain(const gm_sealed *block) { return block->where == GM_THAWED || block->where == GM_SEALING; }

typedef struct gm_blocks {
    gm_sealed *items;  // [count] in order of time, not overlapping
    size_t     count, capacity;
    gm_run    *thawed;  // NULL, or the samples of items[thawed_at]
    size_t     thawed_at;
    struct gm_level *levels;  // [level_count] sums of the first blocks, a group of them each (levels.h)
    size_t     level_count, level_capacity;
} gm_blocks;

enum { GM_SERIES_SMALL = 2 };  // samples that fit into the record

typedef struct gm_series {
    uint32_t twin, column;
    uint32_t next;    // series of the same twin, or in the free list; GM_INDEX_NONE ends
    uint8_t  in_use;
    uint8_t  is_large;
    uint8_t  small_kind, small_n;
    union {
        struct { uint64_t stamp[GM_SERIES_SMALL], bits[GM_SERIES_SMALL]; } small;  // numbers only
        struct {
            gm_run    *open;    // NULL: empty
            gm_blocks *blocks;  // NULL: nothing sealed yet
            uint64_t   n;       // samples in all
        } large;
    };
} gm_series;
_Static_assert(sizeof(gm_series) == 48, "the promise above");

enum { GM_SERIES_CHUNK = 1024 };  // records allocated together; they never move

typedef struct gm_series_table {
    const gm_alloc *alloc;
    gm_series     **chunks;
    size_t          chunk_count, chunk_capacity;
    uint32_t        used, free;  // records ever handed out; head of the free list
    uint64_t        live;
    gm_index        by_key, by_twin;  // (twin, column) -> series; twin -> the first one of its list
} gm_series_table;

void gm_series_table_init(gm_series_table *table, const gm_alloc *alloc);  // table must not move afterwards
void gm_series_table_finish(gm_series_table *table);                       // the series' own memory must be gone

static inline gm_series *gm_series_at(const gm_series_table *table, uint32_t id)
{
    return &table->chunks[id / GM_SERIES_CHUNK][id % GM_SERIES_CHUNK];
}

uint32_t gm_series_find(const gm_series_table *table, uint32_t twin, uint32_t column);  // GM_INDEX_NONE: none

// An empty small series; GM_INDEX_NONE: no memory, nothing changed.
uint32_t gm_series_add(gm_series_table *table, uint32_t twin, uint32_t column);

uint32_t gm_series_first(const gm_series_table *table, uint32_t twin);  // then gm_series.next

// Takes one series, or all of a twin, out of the table. Their own memory must be gone.
void gm_series_remove(gm_series_table *table, uint32_t id);
void gm_series_remove_twin(gm_series_table *table, uint32_t twin);

#endif
