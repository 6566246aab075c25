#include "base/alloc.h"

#include "base/heap.h"

#include <assert.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static void *system_resize(void *context, void *old, size_t size)
{
    (void)context;
    if (size == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, size);
}

const gm_alloc gm_alloc_heap = { .resize = system_resize, .context = NULL };

const gm_alloc *gm_alloc_system(void)
{
    return &gm_alloc_heap;
}

void gm_alloc_tune_system(void)
{
    mallopt(M_MMAP_THRESHOLD, 256 << 10);
    mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

void gm_heap_trim(void) { malloc_trim(0); }

void *gm_alloc_bytes(const gm_alloc *alloc, size_t size)
{
    return alloc->resize(alloc->context, NULL, size > 0 ? size : 1);
}

void *gm_alloc_zeroed(const gm_alloc *alloc, size_t size)
{
    void *memory = gm_alloc_bytes(alloc, size);
    if (memory != NULL) memset(memory, 0, size);
    return memory;
}

void *gm_alloc_array(const gm_alloc *alloc, size_t count, size_t size)
{
    return gm_realloc_array(alloc, NULL, count, size);
}

void *gm_realloc_array(const gm_alloc *alloc, void *old, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
    return alloc->resize(alloc->context, old, bytes > 0 ? bytes : 1);
}

bool gm_alloc_reserve(const gm_alloc *alloc, void *items, size_t *capacity, size_t need, size_t size)
{
    if (need <= *capacity) return true;
    size_t grown = *capacity < 8 ? 8 : *capacity;
    while (grown < need) {
        if (__builtin_mul_overflow(grown, (size_t)2, &grown)) return false;
    }
    // The pointer is copied through memcpy: a `T **` may not be accessed as a `void **`.
    void *old;
    memcpy(&old, items, sizeof old);
    void *larger = gm_realloc_array(alloc, old, grown, size);
    if (larger == NULL) return false;
    memcpy(items, &larger, sizeof larger);
    *capacity = grown;
    return true;
}

void gm_free(const gm_alloc *alloc, void *memory)
{
    if (memory != NULL) alloc->resize(alloc->context, memory, 0);
}
