// base/alloc.h: where memory comes from. Passed as an argument, so that tests can make any allocation fail.
//
//   double *x = gm_alloc_array(alloc, n, sizeof *x);     // NULL when refused or when n * size overflows
//   gm_free(alloc, x);
#ifndef GM_BASE_ALLOC_H
#define GM_BASE_ALLOC_H

#include "base/status.h"

typedef struct gm_alloc {
    // malloc, realloc and free in one: old NULL allocates, size 0 frees (and returns NULL).
    // Memory is aligned for any object. Safe to call from any thread.
    void *(*resize)(void *context, void *old, size_t size);
    void *context;
} gm_alloc;

// The C library's heap; never changes, never ends.
const gm_alloc *gm_alloc_system(void);
extern const gm_alloc gm_alloc_heap;  // the same, where an initialiser asks for a constant address

// For main, before threads begin: arrays of 256 KB and more get mappings of their own, for good. The C library would raise that
// bound up to 32 MB with each one that is freed, and what is freed below it stays with the process.
void gm_alloc_tune_system(void);

// Uninitialised bytes; NULL when refused. size 0 gives one byte, so that NULL always means refusal.
GM_NODISCARD void *gm_alloc_bytes(const gm_alloc *alloc, size_t size);
GM_NODISCARD void *gm_alloc_zeroed(const gm_alloc *alloc, size_t size);

// count * size uninitialised bytes; NULL also when the product overflows.
GM_NODISCARD void *gm_alloc_array(const gm_alloc *alloc, size_t count, size_t size);

// Resizes; on refusal returns NULL and old stays as it was.
GM_NODISCARD void *gm_realloc_array(const gm_alloc *alloc, void *old, size_t count, size_t size);

// Makes room for at least `need` elements in a growing array, doubling so that appending is O(1) amortised.
//   items  address of the array pointer     capacity  address of its capacity in elements
// Returns false when refused; the array is then unchanged.
GM_NODISCARD bool gm_alloc_reserve(const gm_alloc *alloc, void *items, size_t *capacity, size_t need, size_t size);

// NULL is allowed.
void gm_free(const gm_alloc *alloc, void *memory);

#endif
