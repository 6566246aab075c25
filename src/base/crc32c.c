#include "base/crc32c.h"

#include <string.h>

static uint32_t crc32c_plain(uint32_t crc, const uint8_t *at, size_t n)
{
    // Bit by bit: only for CPUs without the instruction, where correctness matters more than speed.
    while (n-- > 0) {
        crc ^= *at++;
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (UINT32_C(0x82f63b78) & -(crc & 1));
    }
    return crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>
__attribute__((target("sse4.2"))) static uint32_t crc32c_fast(uint32_t crc, const uint8_t *at, size_t n)
{
    uint64_t wide = crc;
    for (; n >= 8; n -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        wide = _mm_crc32_u64(wide, word);
    }
    crc = (uint32_t)wide;
    for (; n > 0; n--) crc = _mm_crc32_u8(crc, *at++);
    return crc;
}
#endif

uint32_t gm_crc32c(uint32_t crc, const void *bytes, size_t n)
{
    crc = ~crc;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return ~crc32c_fast(crc, bytes, n);
#endif
    return ~crc32c_plain(crc, bytes, n);
}
