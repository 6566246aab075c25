#include "base/arena.h"
#include "base/buf.h"
#include "base/crc32c.h"
#include "base/index.h"
#include "base/utf8.h"
#include "support/support.h"

#include <stdio.h>

enum { KEYS = 3000 };
typedef struct key_list { char text[KEYS][16]; } key_list;

static bool same(const void *owner, uint32_t id, gm_str key)
{
    const key_list *keys = owner;
    return gm_str_is(key, keys->text[id]);
}

// Two ways: the index against an array of flags, over random adds and removes.
static void index_agrees_with_a_plain_set(void **state)
{
    (void)state;
    uint64_t        random = gm_test_seed();
    static key_list keys;
    static bool     present[KEYS];
    for (int i = 0; i < KEYS; i++) snprintf(keys.text[i], sizeof keys.text[i], "key-%d", i);
    gm_index index = gm_index_init(gm_alloc_system(), same, &keys);
    size_t   count = 0;
    for (int round = 0; round < 100000; round++) {
        uint32_t i   = (uint32_t)(gm_test_random(&random) % KEYS);
        gm_str   key = gm_str_of(keys.text[i]);
        assert_int_equal(gm_index_find(&index, key), present[i] ? i : GM_INDEX_NONE);
        if (present[i]) {
            assert_int_equal(gm_index_remove(&index, key), i);
            count--;
        } else {
            assert_int_equal(gm_index_add(&index, key, i), GM_OK);
            count++;
        }
        present[i] = !present[i];
        assert_int_equal(index.count, count);
    }
    for (uint32_t i = 0; i < KEYS; i++) {
        assert_int_equal(gm_index_find(&index, gm_str_of(keys.text[i])), present[i] ? i : GM_INDEX_NONE);
    }
    gm_index_finish(&index);
}

static void checksum_matches_published_values(void **state)
{
    (void)state;
    // RFC 3720 B.4 test vectors.
    uint8_t zeros[32] = { 0 }, ones[32], rising[32];
    memset(ones, 0xff, sizeof ones);
    for (int i = 0; i < 32; i++) rising[i] = (uint8_t)i;
    assert_int_equal(gm_crc32c(0, zeros, 32), 0x8a9136aa);
    assert_int_equal(gm_crc32c(0, ones, 32), 0x62a8ab43);
    assert_int_equal(gm_crc32c(0, rising, 32), 0x46dd794e);
    assert_int_equal(gm_crc32c(gm_crc32c(0, rising, 13), rising + 13, 19), 0x46dd794e);
}

static void utf8_is_told_from_nonsense(void **state)
{
    (void)state;
    static const char *const good[] = { "", "abc", "r\xc3\xa4ume", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "12345678\xc3\xa4" };
    static const char *const bad[]  = { "\x80", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "12345678\xff" };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) assert_true(gm_utf8_valid(gm_str_of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_false(gm_utf8_valid(gm_str_of(bad[i])));
}

static void json_strings_are_escaped(void **state)
{
    (void)state;
    gm_buf out = gm_buf_init(gm_alloc_system());
    gm_buf_json_str(&out, GM_STR("a\"b\\c\n\x01\xff\xc3\xa4"));
    assert_true(gm_str_is(gm_buf_view(&out), "\"a\\\"b\\\\c\\n\\u0001\xef\xbf\xbd\xc3\xa4\""));
    gm_buf_finish(&out);
}

static void a_full_buffer_says_so(void **state)
{
    (void)state;
    gm_buf out = gm_buf_init(gm_alloc_system());
    out.limit  = 100;
    for (int i = 0; i < 30; i++) gm_buf_text(&out, "four");
    assert_true(out.failed);
    assert_true(out.len <= 100);
    gm_buf_finish(&out);
}

static void an_arena_returns_to_its_mark(void **state)
{
    (void)state;
    gm_arena *arena = gm_arena_create(gm_alloc_system(), 1 << 20);
    gm_str    kept  = gm_arena_str(arena, GM_STR("kept"));
    gm_mark   mark  = gm_arena_mark(arena);
    for (int i = 0; i < 50; i++) assert_non_null(gm_arena_bytes(arena, 10000));
    assert_null(gm_arena_bytes(arena, 1 << 20));  // beyond the limit
    gm_arena_rewind(arena, mark);
    assert_int_equal(gm_arena_used(arena), 16);
    assert_true(gm_str_is(kept, "kept"));
    gm_arena_destroy(arena);
}

static void a_buffer_grows_inside_an_arena(void **state)
{
    (void)state;
    gm_arena *arena = gm_arena_create(gm_alloc_system(), 0);
    gm_alloc  alloc = gm_arena_alloc(arena);
    gm_buf    out   = gm_buf_init(&alloc);
    for (int i = 0; i < 1000; i++) gm_buf_printf(&out, "%d,", i);
    assert_true(gm_str_starts(gm_buf_view(&out), GM_STR("0,1,2,3,")));
    assert_true(gm_str_ends(gm_buf_view(&out), GM_STR(",998,999,")));
    assert_int_equal(out.len, 3890);
    gm_arena_destroy(arena);  // nothing else owns memory
}

static void text_is_split_at_separators(void **state)
{
    (void)state;
    gm_str rest = GM_STR("a//b"), part;
    assert_true(gm_str_next(&rest, '/', &part) && gm_str_is(part, "a"));
    assert_true(gm_str_next(&rest, '/', &part) && gm_str_is(part, ""));
    assert_true(gm_str_next(&rest, '/', &part) && gm_str_is(part, "b"));
    assert_false(gm_str_next(&rest, '/', &part));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(index_agrees_with_a_plain_set),
        cmocka_unit_test(checksum_matches_published_values),
        cmocka_unit_test(utf8_is_told_from_nonsense),
        cmocka_unit_test(json_strings_are_escaped),
        cmocka_unit_test(a_full_buffer_says_so),
        cmocka_unit_test(an_arena_returns_to_its_mark),
        cmocka_unit_test(a_buffer_grows_inside_an_arena),
        cmocka_unit_test(text_is_split_at_separators),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
