// history/block.h: a sealed block: the samples of a stretch of one series as few bytes, and back, bit for bit.
// Pure functions; every byte read here is hostile. Format: docs/formats/history.md.
//
//   gm_samples samples = { .kind = GM_KIND_DOUBLE, .n = n, .stamp = stamp, .bits = bits };
//   gm_block_encode(codec, &samples, &out);                 // out.failed: no memory
//   gm_block_read_summary(bytes, size, &summary);           // cheap: the head alone
//   gm_block_decode(codec, bytes, size, &samples);          // views into the codec, until its next use
#ifndef GM_HISTORY_BLOCK_H
#define GM_HISTORY_BLOCK_H

#include "base/buf.h"
#include "base/time.h"
#include "base/value.h"

enum { GM_BLOCK_MOST = 4096, GM_BLOCK_TEXT_MOST = 64 << 20 };  // samples; bytes of their text

// A sample in arrays: its time and whether it is a removal (no value), and its value in 64 bits.
//   DOUBLE  the bits of the double         STRING, JSON  offset << 32 | length in `text`
//   INT     the number                     BOOL          0 or 1             removed  0
// The removals fit among samples of any kind; a run of removals alone has kind NONE.
typedef struct gm_samples {
    gm_kind         kind;
    size_t          n;
    const uint64_t *stamp;  // [n] rising; gm_stamp
    const uint64_t *bits;   // [n]
    const uint8_t  *text;
} gm_samples;

static inline uint64_t   gm_stamp(gm_time_ns at, bool removed) { return (uint64_t)at << 1 | removed; }
static inline gm_time_ns gm_stamp_time(uint64_t stamp) { return (gm_time_ns)(stamp >> 1); }
static inline bool       gm_stamp_removed(uint64_t stamp) { return stamp & 1; }

static inline bool gm_kind_is_text(gm_kind kind) { return kind == GM_KIND_STRING || kind == GM_KIND_JSON; }

// What a block answers without being decoded. The numbers are over the values that are not removals.
typedef struct gm_block_summary {
    gm_kind    kind;
    size_t     n;            // samples, removals among them
    size_t     values;       // that are not removals
    gm_time_ns first_at, last_at;
    gm_time_ns last_value_at;                // of the last value; meaningless when values is 0
    double     min, max, sum, first, last;   // numeric and boolean kinds with values only
} gm_block_summary;

// Working memory of both directions: about 600 KiB. One thread at a time.
typedef struct gm_codec gm_codec;
GM_NODISCARD gm_codec *gm_codec_create(const gm_alloc *alloc);
void                   gm_codec_destroy(gm_codec *codec);

// Appends the block to out. 0 < n <= GM_BLOCK_MOST; times rise strictly within GM_TIME_MIN..GM_TIME_MAX.
// Failure (memory): out->failed. Cost: 60 to 90 ns a number (bench-history).
void gm_block_encode(gm_codec *codec, const gm_samples *samples, gm_buf *out);

// GM_CORRUPT: not a block. Decoding gives views into the codec that hold until it is used again. GM_NOMEM (text only).
GM_NODISCARD gm_status gm_block_read_summary(const uint8_t *bytes, size_t size, gm_block_summary *out, gm_error *err);
GM_NODISCARD gm_status gm_block_decode(gm_codec *codec, const uint8_t *bytes, size_t size, gm_samples *out, gm_error *err);

#endif
