// Arbitrary bytes as a sealed block, and arbitrary samples through sealing and back.
#include "base/alloc.h"
#include "base/le.h"
#include "history/block.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth)
{
    if (!truth) abort();
}

// What was accepted must be well formed, and the same again after another sealing.
static void seal_again(gm_codec *codec, gm_codec *other, const gm_samples *samples)
{
    gm_buf out = gm_buf_init(gm_alloc_system());
    for (size_t i = 1; i < samples->n; i++) must(samples->stamp[i] >> 1 > samples->stamp[i - 1] >> 1);
    gm_block_encode(other, samples, &out);
    must(!out.failed);
    uint64_t *stamp = malloc(samples->n * 8), *bits = malloc(samples->n * 8);
    must(stamp != NULL && bits != NULL);
    memcpy(stamp, samples->stamp, samples->n * 8);
    memcpy(bits, samples->bits, samples->n * 8);
    size_t           n    = samples->n;
    bool             text = samples->kind == GM_KIND_STRING || samples->kind == GM_KIND_JSON;
    gm_samples       back;
    gm_block_summary sum;
    must(gm_block_decode(codec, out.ptr, out.len, &back, NULL) == GM_OK);
    must(gm_block_read_summary(out.ptr, out.len, &sum, NULL) == GM_OK && sum.n == n);
    must(back.n == n && memcmp(back.stamp, stamp, n * 8) == 0 && (text || memcmp(back.bits, bits, n * 8) == 0));
    free(stamp);
    free(bits);
    gm_buf_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gm_codec *codec = gm_codec_create(gm_alloc_system()), *other = gm_codec_create(gm_alloc_system());
    must(codec != NULL && other != NULL);
    gm_samples       samples;
    gm_block_summary sum;
    gm_error         err;
    gm_status        st = gm_block_decode(codec, data, size, &samples, &err);
    must(st == GM_OK || st == GM_CORRUPT || st == GM_NOMEM);
    if (st == GM_OK) {
        must(gm_block_read_summary(data, size, &sum, &err) == GM_OK && sum.n == samples.n);
        seal_again(codec, other, &samples);
    }

    // The same bytes as samples: a kind, then time steps and values of eight bytes.
    size_t n = size > 0 ? (size - 1) / 16 : 0;
    if (n > GM_BLOCK_MOST) n = GM_BLOCK_MOST;
    if (n > 0) {
        uint64_t *stamp = malloc(n * 8), *bits = malloc(n * 8);
        must(stamp != NULL && bits != NULL);
        gm_kind    kind = (gm_kind)(GM_KIND_BOOL + data[0] % 3);
        gm_time_ns at   = 0;
        for (size_t i = 0; i < n; i++) {
            uint64_t step = gm_get_u64(data + 1 + i * 16);
            at += 1 + (gm_time_ns)(step >> 1 >> (13 + data[0] / 3 % 50));
            bool gone = data[0] >= 128 && (step & 1);
            stamp[i]  = gm_stamp(at, gone);
            bits[i]   = gone ? 0 : gm_get_u64(data + 9 + i * 16);
            if (kind == GM_KIND_BOOL) bits[i] &= 1;
        }
        if (at <= GM_TIME_MAX) seal_again(codec, other, &(gm_samples){ .kind = kind, .n = n, .stamp = stamp, .bits = bits });
        free(stamp);
        free(bits);
    }
    gm_codec_destroy(codec);
    gm_codec_destroy(other);
    return 0;
}
