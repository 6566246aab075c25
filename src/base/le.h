// base/le.h: numbers as little-endian bytes, for everything that is stored or sent. Compiles to plain moves.
#ifndef GM_BASE_LE_H
#define GM_BASE_LE_H

#include <stdint.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "le.h copies; a big-endian port swaps here");

#define GM_LE_FUNCTIONS(name, type)                                                               \
    static inline void gm_put_##name(void *to, type value) { memcpy(to, &value, sizeof value); }  \
    static inline type gm_get_##name(const void *from)                                            \
    {                                                                                             \
        type value;                                                                               \
        memcpy(&value, from, sizeof value);                                                       \
        return value;                                                                             \
    }
GM_LE_FUNCTIONS(u16, uint16_t)
GM_LE_FUNCTIONS(u32, uint32_t)
GM_LE_FUNCTIONS(u64, uint64_t)
GM_LE_FUNCTIONS(i64, int64_t)
GM_LE_FUNCTIONS(f64, double)
#undef GM_LE_FUNCTIONS

#endif
