// history/entropy.h: small numbers into few bits: each becomes a token and some plain bits, and the tokens are coded
// near their entropy.
//
// Token: numbers below 16 are their own token; above, the token holds the place of the top bit and the two bits
// below it, the rest follows as plain bits (the "hybrid unsigned integer" of JPEG XL, ISO/IEC 18181-1). Tokens are
// coded by rANS (Duda 2013, arXiv:1311.2540) with the frequencies of the block, which are stored rounded to one bit
// behind their top bit: that costs under 0.01 bits per number and halves the table.
#ifndef GM_HISTORY_ENTROPY_H
#define GM_HISTORY_ENTROPY_H

#include "base/buf.h"

enum { GM_TOKENS = 256, GM_ENTROPY_MOST = 4096 };  // numbers in one stream at the most

// Working memory of both directions; about 30 KiB.
typedef struct gm_entropy {
    uint8_t  token[GM_ENTROPY_MOST];
    uint16_t words[GM_ENTROPY_MOST + 2];
    uint32_t table[2048];
    uint32_t count[GM_TOKENS];
} gm_entropy;

// About how many bits gm_entropy_encode would need for u [n], by a sample: the first GM_ENTROPY_SAMPLE of every
// GM_ENTROPY_STRIDE numbers (the others are not read), all of few. Cost: under 1 ns a number.
enum { GM_ENTROPY_SAMPLE = 16, GM_ENTROPY_STRIDE = 64 };
static inline size_t gm_entropy_sample_end(size_t from, size_t n)
{
    size_t take = n <= 4 * GM_ENTROPY_STRIDE ? GM_ENTROPY_STRIDE : GM_ENTROPY_SAMPLE;
    return n - from < take ? n : from + take;
}
double gm_entropy_bits(gm_entropy *work, const uint64_t *u, size_t n);

// Appends u [n], n <= GM_ENTROPY_MOST. The length is not stored: the reader must know where the stream ends.
void gm_entropy_encode(gm_entropy *work, const uint64_t *u, size_t n, gm_buf *out);

// Reads n numbers from exactly size bytes. False: that is no such stream (out is then undefined, memory is safe).
GM_NODISCARD bool gm_entropy_decode(gm_entropy *work, const uint8_t *bytes, size_t size, uint64_t *out, size_t n);

#endif
