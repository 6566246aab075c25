// history/run.h: the samples of a stretch of one series in plain arrays: what is still open, or was opened again for
// a late sample. All values of a run have one kind; removals fit among any.
//
// Text lies in a buffer of the run; a text equal to the one before it in time shares its place.
#ifndef GM_HISTORY_RUN_H
#define GM_HISTORY_RUN_H

#include "history/block.h"
#include "history/history.h"

typedef struct gm_run {
    gm_kind  kind;              // NONE while there are only removals
    uint32_t n, capacity;
    uint8_t *text;              // NULL until the first text
    uint32_t text_len, text_capacity;
    uint64_t data[];            // stamp [capacity], then bits [capacity]
} gm_run;

static inline uint64_t *gm_run_stamp(gm_run *run) { return run->data; }
static inline uint64_t *gm_run_bits(gm_run *run) { return run->data + run->capacity; }

// NULL: no memory. The capacity is fixed; gm_run_grow makes a larger copy and frees the old one.
GM_NODISCARD gm_run *gm_run_create(const gm_alloc *alloc, uint32_t capacity);
GM_NODISCARD gm_run *gm_run_grow(const gm_alloc *alloc, gm_run *run, uint32_t capacity);
void                 gm_run_destroy(const gm_alloc *alloc, gm_run *run);
size_t               gm_run_bytes(const gm_run *run);  // of memory; 0 for NULL

// Whether a value may join the run: it is a removal, or the run's kind, or the run has no kind yet.
bool gm_run_fits(const gm_run *run, gm_kind kind);

// The place of the first sample with a time >= at.
size_t gm_run_find(gm_run *run, gm_time_ns at);

// Inserts or replaces; the value must fit, and unless the time is there already, n must be below capacity.
//   *out_new  false: the same sample was there; nothing changed
// GM_NOMEM (text only): unchanged.
GM_NODISCARD gm_status gm_run_put(const gm_alloc *alloc, gm_run *run, gm_time_ns at, const gm_value *value, bool *out_new);

// A run with the samples of a block. NULL: no memory.
GM_NODISCARD gm_run *gm_run_of(const gm_alloc *alloc, const gm_samples *samples, uint32_t capacity);

// Samples from..to as block.h wants them; viewed.
gm_samples gm_run_samples(gm_run *run, size_t from, size_t to);

// Forgets the first `count` samples, and text that nobody refers to any more.
void gm_run_drop(gm_run *run, size_t count);

// One sample of such arrays as a value; text is viewed.
gm_sample gm_samples_at(const gm_samples *samples, size_t i);

#endif
