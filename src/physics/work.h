// physics/work.h: memory and tables for one piece of work that either succeeds or is abandoned as a whole, such as
// reading and compiling a model.
//
// A front end allocates in hundreds of places, and there is only one thing to do when memory or a bound is spent:
// drop everything. So these functions do not return NULL, they leave through gm_work_stop to the one place that
// started the work:
//
//   gm_work_exit leave = { .err = err };
//   gm_work      w     = { .arena = arena, .leave = &leave };
//   if (setjmp(leave.jump) == 0) { ...; st = GM_OK; } else st = leave.status;
//
// What must be released (other than the arena's memory) is owned by the function that calls setjmp.
#ifndef GM_PHYSICS_WORK_H
#define GM_PHYSICS_WORK_H

#include "base/arena.h"

#include <setjmp.h>

typedef struct gm_work_exit {
    gm_error *err;
    gm_status status;  // why the work was stopped
    jmp_buf   jump;
} gm_work_exit;

typedef struct gm_work {  // several may share one exit: memory of the result, memory of the way there
    gm_arena     *arena;
    gm_work_exit *leave;
    size_t        bytes_max;  // the arena's limit, so that reaching it is told from a refusal; 0 = none
} gm_work;

_Noreturn void gm_work_stop(gm_work *w, gm_status status, const char *where, const char *fmt, ...) GM_PRINTF(4, 5);

// Zeroed memory from the arena.
void *gm_work_zeroed(gm_work *w, size_t count, size_t size);
#define GM_WORK_NEW(w, type, count) ((type *)gm_work_zeroed((w), (count), sizeof(type)))

gm_str gm_work_str(gm_work *w, gm_str text);  // a copy with a NUL behind it
gm_str gm_work_printf(gm_work *w, const char *fmt, ...) GM_PRINTF(2, 3);

// Room for at least `need` elements in a growing array in the arena; doubles. New room is not zeroed.
//   GM_WORK_RESERVE(w, list->items, list->capacity, list->count + 1);
void *gm_work_grown(gm_work *w, const void *items, uint32_t *capacity, size_t need, size_t size);
#define GM_WORK_RESERVE(w, items, capacity, need)                                                                     \
    do {                                                                                                              \
        if ((need) > (capacity)) (items) = gm_work_grown((w), (items), &(capacity), (need), sizeof *(items));         \
    } while (0)

// A growing list of 32-bit numbers.
typedef struct gm_ids { uint32_t *at, count, capacity; } gm_ids;
static inline void gm_ids_add(gm_work *w, gm_ids *ids, uint32_t id)
{
    GM_WORK_RESERVE(w, ids->at, ids->capacity, (size_t)ids->count + 1);
    ids->at[ids->count++] = id;
}

// From a 64-bit key to a 32-bit value; open addressing, nothing is ever removed. {0} is the empty map.
typedef struct gm_map { uint64_t *keys; uint32_t *values; uint32_t slots, count; } gm_map;
#define GM_MAP_NONE UINT32_MAX
uint32_t gm_map_find(const gm_map *map, uint64_t key);                         // GM_MAP_NONE when absent
void     gm_map_put(gm_work *w, gm_map *map, uint64_t key, uint32_t value); // adds or replaces; value not GM_MAP_NONE
static inline uint64_t gm_map_pair(uint32_t a, uint32_t b) { return (uint64_t)a << 32 | b; }

#endif
