#include "base/percent.h"
#include "support/support.h"

static void percent_text_is_decoded_to_what_it_says(void **state)
{
    (void)state;
    static const struct { const char *text; gm_status st; const char *plain; } cases[] = {
        { "room%201", GM_OK, "room 1" },
        { "r%C3%A4ume", GM_OK, "r\xc3\xa4ume" },
        { "a%2fb", GM_OK, "a/b" },
        { "a+b", GM_OK, "a+b" },        // a plus is a plus: this is a path, not a form
        { "%2525", GM_OK, "%25" },      // decoded once, not twice
        { "", GM_OK, "" },
        { "50%", GM_INVALID, "" },
        { "%4", GM_INVALID, "" },
        { "%zz", GM_INVALID, "" },
        { "%ff", GM_INVALID, "" },      // no UTF-8
        { "a%00b", GM_INVALID, "" },    // a name with a NUL would end early where C strings are used
        { "\xff", GM_INVALID, "" },
    };
    gm_arena *arena = gm_arena_create(gm_alloc_system(), 0);
    assert_non_null(arena);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_str    plain = GM_STR("");
        gm_status st    = gm_percent_decode(arena, gm_str_of(cases[i].text), &plain, NULL);
        if (st != cases[i].st || !gm_str_is(plain, cases[i].plain)) {
            fail_msg("'%s': status %d, '" GM_STR_FMT "'", cases[i].text, (int)st, GM_STR_ARG(plain));
        }
    }
    gm_arena_destroy(arena);
}

static void every_byte_survives_encoding_and_decoding(void **state)
{
    (void)state;
    gm_arena *arena = gm_arena_create(gm_alloc_system(), 0);
    gm_buf    out   = gm_buf_init(gm_alloc_system());
    gm_str    text  = GM_STR("room 1/\xc3\xa4?#&=+%~._-\x01");
    gm_percent_encode(&out, text);
    assert_false(out.failed);
    assert_true(gm_str_is(gm_buf_view(&out), "room%201%2F%C3%A4%3F%23%26%3D%2B%25~._-%01"));
    gm_str back;
    assert_int_equal(gm_percent_decode(arena, gm_buf_view(&out), &back, NULL), GM_OK);
    assert_true(gm_str_eq(back, text));
    gm_buf_finish(&out);
    gm_arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percent_text_is_decoded_to_what_it_says),
        cmocka_unit_test(every_byte_survives_encoding_and_decoding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
