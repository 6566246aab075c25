#include "query/page_token.h"

#include "base/crc32c.h"
#include "base/le.h"

#include <assert.h>

// Bytes: version, collection, six numbers of 8 bytes, length (4) and hash (8) of the query, checksum of all that
// (4); written as hexadecimal digits.
enum { NUMBERS = 6, QUERY_AT = 2 + NUMBERS * 8, CHECK_AT = QUERY_AT + 12, SIZE = CHECK_AT + 4, VERSION = 1 };
_Static_assert(SIZE * 2 + 1 <= GM_PAGE_TOKEN_TEXT, "the token fits its buffer");

static void fill(const gm_page_token *token, gm_str query, uint8_t out[SIZE])
{
    const uint64_t numbers[NUMBERS] = { token->a,           token->b,          token->skip,
                                        token->offset_left, token->limit_left, token->done };
    out[0]                          = VERSION;
    out[1]                          = token->collection;
    for (size_t i = 0; i < NUMBERS; i++) gm_put_u64(out + 2 + 8 * i, numbers[i]);
    // The hash may change with the program's version: a token then is one of another query, and the client starts anew.
    gm_put_u32(out + QUERY_AT, (uint32_t)query.len);
    gm_put_u64(out + QUERY_AT + 4, gm_str_hash(query));
    gm_put_u32(out + CHECK_AT, gm_crc32c(0, out, CHECK_AT));
}

void gm_page_token_write(const gm_page_token *token, gm_str query, char *out)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t           bytes[SIZE];
    fill(token, query, bytes);
    for (size_t i = 0; i < SIZE; i++) {
        out[2 * i]     = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * SIZE] = '\0';
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

gm_status gm_page_token_read(gm_str text, gm_str query, gm_page_token *out, gm_error *err)
{
    uint8_t bytes[SIZE], expected[SIZE];
    bool    ok = text.len == 2 * SIZE;
    for (size_t i = 0; ok && i < SIZE; i++) {
        int high = digit(text.ptr[2 * i]), low = digit(text.ptr[2 * i + 1]);
        ok       = high >= 0 && low >= 0;
        if (ok) bytes[i] = (uint8_t)(high << 4 | low);
    }
    if (!ok) return gm_fail(err, GM_INVALID, "query", "the continuation token is not one that was given out");
    gm_page_token token = { .collection = bytes[1] };
    uint64_t     *numbers[NUMBERS] = {
            &token.a, &token.b, &token.skip, &token.offset_left, &token.limit_left, &token.done
    };
    for (size_t i = 0; i < NUMBERS; i++) *numbers[i] = gm_get_u64(bytes + 2 + 8 * i);
    // Writing what was read must give the same bytes: that checks every one of them.
    fill(&token, query, expected);
    if (memcmp(bytes + QUERY_AT, expected + QUERY_AT, 12) != 0 &&
        gm_get_u32(bytes + CHECK_AT) == gm_crc32c(0, bytes, CHECK_AT)) {
        return gm_fail(err, GM_INVALID, "query", "the continuation token belongs to another query");
    }
    if (memcmp(bytes, expected, SIZE) != 0)
        return gm_fail(err, GM_INVALID, "query", "the continuation token is damaged");
    *out = token;
    return GM_OK;
}
