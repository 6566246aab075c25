// base/arena.h: memory with one end of life. Things are allocated one after the other and released together,
// back to a mark or all at once.
//
//   gm_mark mark = gm_arena_mark(scratch);
//   double *x = GM_ARENA_NEW(scratch, double, n);      // NULL when memory or the arena's limit is spent
//   ...
//   gm_arena_rewind(scratch, mark);
//
// One thread uses an arena at a time.
#ifndef GM_BASE_ARENA_H
#define GM_BASE_ARENA_H

#include "base/alloc.h"
#include "base/str.h"

typedef struct gm_arena gm_arena;
typedef struct gm_mark { void *block; size_t used, total; } gm_mark;  // opaque: made by gm_arena_mark only

// limit: the most bytes ever handed out at a time, 0 = as many as the allocator gives.
// Returns NULL when memory is refused. Cost: one small allocation; blocks follow on demand.
GM_NODISCARD gm_arena *gm_arena_create(const gm_alloc *alloc, size_t limit);
void                   gm_arena_destroy(gm_arena *arena);

// Memory aligned to 16 bytes, uninitialised. NULL when refused. O(1).
GM_NODISCARD void *gm_arena_bytes(gm_arena *arena, size_t size);
GM_NODISCARD void *gm_arena_zeroed(gm_arena *arena, size_t count, size_t size);
#define GM_ARENA_NEW(arena, type, count) ((type *)gm_arena_zeroed((arena), (count), sizeof(type)))

// Copies text into the arena and appends a NUL (not counted in len), so that .ptr is also a C string.
// The result's ptr is NULL when memory is refused.
gm_str gm_arena_str(gm_arena *arena, gm_str text);
// The same with ASCII letters in lower case.
gm_str gm_arena_lower(gm_arena *arena, gm_str text);
gm_str gm_arena_printf(gm_arena *arena, const char *fmt, ...) GM_PRINTF(2, 3);

// An allocator for things that end with the arena (a gm_buf, say): resizing copies, freeing waits for the arena.
gm_alloc gm_arena_alloc(gm_arena *arena);

gm_mark gm_arena_mark(gm_arena *arena);
void    gm_arena_rewind(gm_arena *arena, gm_mark mark);  // releases everything allocated since the mark
void    gm_arena_clear(gm_arena *arena);                 // releases everything; keeps one block for reuse
size_t  gm_arena_used(const gm_arena *arena);            // bytes handed out now

#endif
