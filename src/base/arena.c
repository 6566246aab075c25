// A list of blocks, newest first. Invariants: (1) only the newest block is allocated from; (2) a rewind frees
// every block newer than the mark's, so a mark stays valid until something before it is rewound.
#include "base/arena.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { ALIGN = 16, BLOCK_FIRST = 4096, BLOCK_MAX = 1 << 20 };

typedef struct block {
    struct block *older;
    size_t        size, used;  // bytes after this header
    _Alignas(ALIGN) unsigned char bytes[];
} block;

struct gm_arena {
    const gm_alloc *alloc;
    block          *newest;
    size_t          limit, total;
};

gm_arena *gm_arena_create(const gm_alloc *alloc, size_t limit)
{
    gm_arena *arena = gm_alloc_zeroed(alloc, sizeof *arena);
    if (arena == NULL) return NULL;
    arena->alloc = alloc;
    arena->limit = limit > 0 ? limit : SIZE_MAX / 2;
    return arena;
}

static void free_newer_than(gm_arena *arena, const block *keep)
{
    while (arena->newest != keep) {
        block *gone   = arena->newest;
        arena->newest = gone->older;
        gm_free(arena->alloc, gone);
    }
}

void gm_arena_destroy(gm_arena *arena)
{
    if (arena == NULL) return;
    free_newer_than(arena, NULL);
    gm_free(arena->alloc, arena);
}

void *gm_arena_bytes(gm_arena *arena, size_t size)
{
    if (size > SIZE_MAX / 4) return NULL;
    size_t need = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (need == 0) need = ALIGN;
    if (arena->total + need > arena->limit) return NULL;
    block *at = arena->newest;
    if (at == NULL || at->size - at->used < need) {
        // Blocks double, so that a large arena has few and a small one stays small.
        size_t grown = at == NULL ? BLOCK_FIRST : at->size * 2;
        if (grown > BLOCK_MAX) grown = BLOCK_MAX;
        if (grown < need) grown = need;
        block *fresh = gm_alloc_bytes(arena->alloc, sizeof *fresh + grown);
        if (fresh == NULL) return NULL;
        *fresh        = (block){ .older = at, .size = grown, .used = 0 };
        arena->newest = at = fresh;
    }
    void *memory = at->bytes + at->used;
    at->used += need;
    arena->total += need;
    return memory;
}

void *gm_arena_zeroed(gm_arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
    void *memory = gm_arena_bytes(arena, bytes);
    if (memory != NULL) memset(memory, 0, bytes);
    return memory;
}

gm_str gm_arena_str(gm_arena *arena, gm_str text)
{
    char *copy = gm_arena_bytes(arena, text.len + 1);
    if (copy == NULL) return (gm_str){ 0 };
    if (text.len > 0) memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return (gm_str){ copy, text.len };
}

gm_str gm_arena_lower(gm_arena *arena, gm_str text)
{
    char *low = gm_arena_bytes(arena, text.len + 1);
    if (low == NULL) return (gm_str){ 0 };
    for (size_t i = 0; i < text.len; i++) low[i] = text.ptr[i] >= 'A' && text.ptr[i] <= 'Z' ? (char)(text.ptr[i] + 32) : text.ptr[i];
    low[text.len] = '\0';
    return (gm_str){ low, text.len };
}

gm_str gm_arena_printf(gm_arena *arena, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int    len  = vsnprintf(NULL, 0, fmt, args);
    char  *copy = len >= 0 ? gm_arena_bytes(arena, (size_t)len + 1) : NULL;
    gm_str text = { 0 };
    if (copy != NULL) {
        vsnprintf(copy, (size_t)len + 1, fmt, again);
        text = (gm_str){ copy, (size_t)len };
    }
    va_end(again);
    va_end(args);
    return text;
}

// The size stands before the block, since resizing has to know how much to copy.
static void *arena_resize(void *context, void *old, size_t size)
{
    if (size == 0 || size > SIZE_MAX / 4) return NULL;
    unsigned char *memory = gm_arena_bytes(context, size + ALIGN);
    if (memory == NULL) return NULL;
    memcpy(memory, &size, sizeof size);
    if (old != NULL) {
        size_t held;
        memcpy(&held, (unsigned char *)old - ALIGN, sizeof held);
        memcpy(memory + ALIGN, old, held < size ? held : size);
    }
    return memory + ALIGN;
}

gm_alloc gm_arena_alloc(gm_arena *arena)
{
    return (gm_alloc){ .resize = arena_resize, .context = arena };
}

gm_mark gm_arena_mark(gm_arena *arena)
{
    return (gm_mark){ arena->newest, arena->newest != NULL ? arena->newest->used : 0, arena->total };
}

void gm_arena_rewind(gm_arena *arena, gm_mark mark)
{
    free_newer_than(arena, mark.block);
    if (arena->newest != NULL) arena->newest->used = mark.used;
    arena->total = mark.total;
}

void gm_arena_clear(gm_arena *arena)
{
    block *keep = arena->newest;
    if (keep != NULL) {
        arena->newest = keep->older;
        free_newer_than(arena, NULL);
        keep->older   = NULL;
        keep->used    = 0;
        arena->newest = keep;
    }
    arena->total = 0;
}

size_t gm_arena_used(const gm_arena *arena)
{
    return arena->total;
}
