// Layout of a stream: from the front, bit by bit from the lowest: first token (8 bits), last token (8), the weight
// codes of the tokens between them, then the plain bits of every number; from the back: the 16-bit words of the rANS
// coder, so that the decoder, which needs them in the reverse of their making, reads them backwards. When only one
// token occurs there are no weights and no words.
#include "history/entropy.h"

#include "base/le.h"

#include <assert.h>
#include <math.h>

enum { DIRECT = 16, DIRECT_LOG = 4, SCALE_LOG = 11, SCALE = 1 << SCALE_LOG, WEIGHT_CODES = 26 };
static const uint32_t state_low = 1 << 16;  // the coder's state lies in [state_low, 2^32)

// ---- tokens -------------------------------------------------------------------------------------------------------

static inline unsigned top_bit(uint64_t u)
{
    return 63u - (unsigned)__builtin_clzll(u);
}

// Both cases are computed and one is taken: which one it is can not be foreseen, and a wrong guess costs more.
static inline unsigned token_of(uint64_t u)
{
    unsigned top = top_bit(u | DIRECT), large = DIRECT + (top - DIRECT_LOG) * 4 + (unsigned)(u >> (top - 2) & 3);
    return u < DIRECT ? (unsigned)u : large;
}

static inline unsigned plain_bits(unsigned token)
{
    return token < DIRECT ? 0 : (token - DIRECT) / 4 + DIRECT_LOG - 2;
}

static inline uint64_t number_of(unsigned token, uint64_t plain)
{
    if (token < DIRECT) return token;
    return (uint64_t)(4 | (token & 3)) << plain_bits(token) | plain;  // DIRECT is a multiple of 4
}

static void count_tokens(gm_entropy *work, const uint64_t *u, size_t n)
{
    memset(work->count, 0, sizeof work->count);
    for (size_t i = 0; i < n; i++) {
        unsigned token = token_of(u[i]);
        work->token[i] = (uint8_t)token;
        work->count[token]++;
    }
}

double gm_entropy_bits(gm_entropy *work, const uint64_t *u, size_t n)
{
    assert(n <= GM_ENTROPY_MOST);
    size_t taken = 0;
    memset(work->count, 0, sizeof work->count);
    for (size_t from = 0; from < n; from += GM_ENTROPY_STRIDE) {
        size_t to = gm_entropy_sample_end(from, n);
        for (size_t i = from; i < to; i++) work->count[token_of(u[i])]++;
        taken += to - from;
    }
    double bits = 0, table = 16;
    for (unsigned t = 0; t < GM_TOKENS; t++) {
        if (work->count[t] == 0) continue;
        double count = work->count[t];
        bits += count * (log2((double)taken / count) + plain_bits(t));
        table += 3;
    }
    return taken > 0 ? bits * (double)n / (double)taken + table : table;
}

// ---- bits ---------------------------------------------------------------------------------------------------------

// Writes bits, the lowest first, into memory that is large enough.
typedef struct bit_writer { uint8_t *to; uint64_t hold; unsigned filled; } bit_writer;

static inline void put_bits(bit_writer *w, uint64_t value, unsigned count)  // count <= 56, value < 2^count
{
    w->hold |= value << w->filled;
    w->filled += count;
    gm_put_u64(w->to, w->hold);
    unsigned whole = w->filled / 8;
    w->to += whole;
    w->hold >>= whole * 8;  // at most 7 + 56 bits were held, so 7 bytes go
    w->filled -= whole * 8;
}

typedef struct bit_reader { const uint8_t *at, *end; uint64_t hold; unsigned filled; bool bad; } bit_reader;

static inline void refill(bit_reader *r)  // afterwards at least 56 bits, or all there are
{
    if (r->end - r->at >= 8) {
        r->hold |= gm_get_u64(r->at) << r->filled;
        r->at += (63 - r->filled) / 8;
        r->filled |= 56;
        return;
    }
    while (r->filled <= 56 && r->at < r->end) {
        r->hold |= (uint64_t)*r->at++ << r->filled;
        r->filled += 8;
    }
}

static inline uint64_t get_bits(bit_reader *r, unsigned count)  // count <= 56
{
    if (r->filled < count) {
        refill(r);
        if (r->filled < count) {
            r->bad = true;
            return 0;
        }
    }
    uint64_t value = r->hold & ((UINT64_C(1) << count) - 1);
    r->hold >>= count;
    r->filled -= count;
    return value;
}

// The longest stretch of plain bits is 61: two steps.
static inline void put_long(bit_writer *w, uint64_t value, unsigned count)
{
    if (count > 32) {
        put_bits(w, value & UINT32_MAX, 32);
        value >>= 32;
        count -= 32;
    }
    put_bits(w, value, count);
}

static inline uint64_t get_long(bit_reader *r, unsigned count)
{
    if (count <= 32) return get_bits(r, count);
    uint64_t low = get_bits(r, 32);
    return low | get_bits(r, count - 32) << 32;
}

// ---- the table of frequencies -------------------------------------------------------------------------------------

// Weight codes 0, 1, 2, 3 ... stand for 0, 1, 2, 3, 4, 6, 8, 12, 16, 24 ... 6144.
static uint32_t weight_of(unsigned code)
{
    return code < 2 ? code : (2u + (code & 1)) << (code / 2 - 1);
}

static unsigned code_of(uint32_t count)
{
    if (count < 2) return count;
    unsigned top  = top_bit(count);
    uint32_t part = (uint32_t)((uint64_t)count * 4 >> top);  // 4..7 quarters of the power of two
    return top * 2 + (part >= 5) + (part >= 7);
}

// Scales weights to frequencies that sum to SCALE, none of them zero where there was a weight. Integers only, so that
// the decoder arrives at the same. False: no weights.
static bool frequencies(const uint8_t code[GM_TOKENS], unsigned first, unsigned last, uint32_t out[GM_TOKENS])
{
    uint32_t total = 0, sum = 0;
    unsigned largest = first;
    for (unsigned t = first; t <= last; t++) total += weight_of(code[t]);
    if (total == 0) return false;
    for (unsigned t = first; t <= last; t++) {
        uint32_t weight = weight_of(code[t]);
        out[t]          = (uint32_t)((uint64_t)weight * SCALE / total);
        if (weight > 0 && out[t] == 0) out[t] = 1;
        if (out[t] > out[largest]) largest = t;
        sum += out[t];
    }
    if (sum <= SCALE) {
        out[largest] += SCALE - sum;
        return true;
    }
    // Too much only because of those that were raised to one: at most 255, taken from the largest in turn.
    while (sum > SCALE) {
        for (unsigned t = first; t <= last; t++) {
            if (out[t] > out[largest]) largest = t;
        }
        out[largest]--;
        sum--;
    }
    return true;
}

// Codes change little from token to token: the difference is written in an Elias gamma code.
static void put_codes(bit_writer *w, const uint8_t code[GM_TOKENS], unsigned first, unsigned last)
{
    int before = 6;
    for (unsigned t = first; t <= last; t++) {
        int      step  = code[t] - before;
        unsigned value = (step < 0 ? (unsigned)-step * 2 - 1 : (unsigned)step * 2) + 1;
        unsigned top   = top_bit(value);
        put_bits(w, UINT64_C(1) << top, top + 1);
        put_bits(w, value & ((1u << top) - 1), top);
        before = code[t];
    }
}

static bool get_codes(bit_reader *r, uint8_t code[GM_TOKENS], unsigned first, unsigned last)
{
    int before = 6;
    for (unsigned t = first; t <= last; t++) {
        unsigned top = 0;
        while (get_bits(r, 1) == 0) {
            if (++top > 6 || r->bad) return false;
        }
        unsigned value = (1u << top | (unsigned)get_bits(r, top)) - 1;
        before += value & 1 ? -(int)(value / 2 + 1) : (int)(value / 2);
        if (before < 0 || before >= WEIGHT_CODES) return false;
        code[t] = (uint8_t)before;
    }
    return !r->bad;
}

// ---- both directions ----------------------------------------------------------------------------------------------

// Without a question for each number, but for those so large that a step does not hold them: no bits are written as well.
static void put_plain(bit_writer *w, const gm_entropy *work, const uint64_t *u, size_t n, unsigned last)
{
    uint8_t bits[GM_TOKENS];
    for (unsigned t = 0; t <= last; t++) bits[t] = (uint8_t)plain_bits(t);
    if (bits[last] == 0) return;
    for (size_t i = 0; i < n; i++) {
        unsigned count = bits[work->token[i]];
        uint64_t plain = u[i] & ((UINT64_C(1) << count) - 1);
        if (bits[last] <= 56) put_bits(w, plain, count);
        else put_long(w, plain, count);
    }
}

__extension__ typedef unsigned __int128 wide;

// A token as the coder uses it. The division by its frequency is a multiplication by 2^63 / frequency, rounded up: exact for
// states below 2^32 (Granlund, Montgomery: Division by invariant integers using multiplication, PLDI 1994).
typedef struct symbol { uint64_t inverse; uint32_t limit, start, rest; } symbol;

// From the last number to the first, so that the decoder meets them in order. Returns how many words there are.
static size_t put_tokens(gm_entropy *work, size_t n, const uint32_t frequency[GM_TOKENS], unsigned first, unsigned last,
                         uint32_t *out_state)
{
    symbol   symbols[GM_TOKENS];
    uint32_t start = 0;
    for (unsigned t = first; t <= last; t++) {
        uint32_t f = frequency[t];
        if (f == 0) continue;
        symbols[t] = (symbol){ .inverse = (UINT64_C(1) << 63) / f + 1, .limit = f << (32 - SCALE_LOG), .start = start, .rest = SCALE - f };
        start += f;
    }
    uint64_t state = state_low;
    size_t   words = 0;
    for (size_t i = n; i-- > 0;) {
        const symbol *s     = &symbols[work->token[i]];
        unsigned      full  = state >= s->limit;
        work->words[words]  = (uint16_t)state;  // kept when it is full; nobody can foresee that
        words              += full;
        state             >>= full * 16;
        uint64_t whole      = (uint64_t)((wide)(state * 2) * s->inverse >> 64);
        state               = state + whole * s->rest + s->start;  // whole * SCALE + (state - whole * f) + start
    }
    *out_state = (uint32_t)state;
    return words;
}

void gm_entropy_encode(gm_entropy *work, const uint64_t *u, size_t n, gm_buf *out)
{
    assert(n <= GM_ENTROPY_MOST);
    if (n == 0) return;
    count_tokens(work, u, n);
    unsigned first = 0, last = GM_TOKENS - 1;
    while (work->count[first] == 0) first++;
    while (work->count[last] == 0) last--;

    // Room for the worst case: tables, 61 plain bits and one word a number.
    uint8_t *begin = gm_buf_reserve(out, 512 + n * 10);
    if (begin == NULL) return;
    bit_writer w = { .to = begin };
    put_bits(&w, first, 8);
    put_bits(&w, last, 8);
    uint8_t  code[GM_TOKENS];
    uint32_t frequency[GM_TOKENS];
    if (first < last) {
        for (unsigned t = first; t <= last; t++) code[t] = (uint8_t)code_of(work->count[t]);
        bool some = frequencies(code, first, last, frequency);
        assert(some);
        put_codes(&w, code, first, last);
    }
    put_plain(&w, work, u, n, last);
    if (w.filled > 0) w.to++;  // the last byte begun; put_bits stored it already
    if (first == last) {
        out->len += (size_t)(w.to - begin);
        return;
    }
    uint32_t state;
    size_t   words = put_tokens(work, n, frequency, first, last, &state);
    for (size_t i = 0; i < words; i++, w.to += 2) gm_put_u16(w.to, work->words[i]);
    gm_put_u32(w.to, state);
    out->len += (size_t)(w.to + 4 - begin);
}

bool gm_entropy_decode(gm_entropy *work, const uint8_t *bytes, size_t size, uint64_t *out, size_t n)
{
    if (n == 0) return size == 0;
    if (n > GM_ENTROPY_MOST) return false;
    bit_reader r     = { .at = bytes, .end = bytes + size };
    unsigned   first = (unsigned)get_bits(&r, 8), last = (unsigned)get_bits(&r, 8);
    if (r.bad || first > last) return false;
    if (first == last) {
        unsigned bits = plain_bits(first);
        for (size_t i = 0; i < n; i++) out[i] = number_of(first, get_long(&r, bits));
        return !r.bad;
    }
    uint8_t  code[GM_TOKENS];
    uint32_t frequency[GM_TOKENS];
    if (!get_codes(&r, code, first, last) || !frequencies(code, first, last, frequency) || size < 4) return false;

    // table[slot]: token | frequency << 8 | (slot - start) << 20
    uint32_t slot = 0;
    for (uint32_t t = first; t <= last; t++) {
        if (frequency[t] == SCALE) return false;  // the encoder would have left out the others
        for (uint32_t k = 0; k < frequency[t]; k++) work->table[slot++] = t | frequency[t] << 8 | k << 20;
    }
    const uint8_t *word  = bytes + size - 4;
    uint32_t       state = (uint32_t)gm_get_u16(word) | (uint32_t)gm_get_u16(word + 2) << 16;
    for (size_t i = 0; i < n; i++) {
        uint32_t entry = work->table[state & (SCALE - 1)];
        state          = (entry >> 8 & 0xfff) * (state >> SCALE_LOG) + (entry >> 20);
        if (state < state_low) {
            if (word - bytes < 2) return false;
            word -= 2;
            state = state << 16 | gm_get_u16(word);
        }
        unsigned token = entry & 0xff;
        out[i]         = token < DIRECT ? token : number_of(token, get_long(&r, plain_bits(token)));
    }
    // The encoder began with this state: a cheap check that nothing was read wrongly.
    return !r.bad && state == state_low;
}
