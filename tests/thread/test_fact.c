#include "support/support.h"
#include "thread/fact.h"

#include <stdlib.h>

#define FACT(rest) "{\"twin\":\"p\",\"phase\":\"as-built\",\"key\":\"k\"," rest "}"
#define HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static gm_status take(const char *text, gm_fact *out, gm_buf *texts, json_t **json, gm_error *err)
{
    *json = json_loads(text, 0, NULL);
    assert_non_null(*json);
    gm_status st = gm_fact_read(*json, 1000, texts, out, err);
    return st == GM_OK ? gm_fact_check(out, err) : st;
}

static void facts_are_read_and_bad_ones_refused(void **state)
{
    (void)state;
    static const struct { const char *text; const char *why; } cases[] = {
        { FACT("\"value\":1.5"), NULL },
        { FACT("\"value\":1.5,\"unit\":\"mm\",\"min\":1,\"max\":2,\"from\":\"2026-01-01T00:00:00Z\",\"to\":\"2027-01-01T00:00:00Z\""), NULL },
        { FACT("\"value\":null"), NULL },
        { FACT("\"value\":\"steel\",\"author\":\"anna\",\"cause\":\"report 7\""), NULL },
        { FACT("\"value\":{\"a\":[1,2]}"), NULL },
        { FACT("\"value\":true"), NULL },
        { FACT("\"part\":\"bolt\",\"quantity\":4,\"position\":\"10\",\"more\":{\"serials\":\"1-5\"}"), NULL },
        { FACT("\"document\":{\"hash\":\"" HASH "\",\"mediaType\":\"text/plain\",\"name\":\"a.txt\",\"size\":0}"), NULL },
        { "{\"twin\":\"p\",\"phase\":\"as-built\",\"key\":\"installedIn\",\"part\":\"unit1\",\"position\":\"left\"}", NULL },
        { FACT("\"author\":\"x\""), "needs 'value'" },
        { FACT("\"value\":1,\"part\":\"b\""), "one of 'value'" },
        { FACT("\"value\":1,\"size\":2"), "has no 'size'" },
        { FACT("\"value\":1,\"min\":3,\"max\":2"), "'min' 3 is above 'max' 2" },
        { FACT("\"value\":\"x\",\"max\":2"), "belong to a number" },
        { FACT("\"value\":1,\"from\":\"yesterday\""), "'from' must be a time" },
        { FACT("\"value\":1,\"from\":\"2026-01-01T00:00:00Z\",\"to\":\"2026-01-01T00:00:00Z\""), "before" },
        { FACT("\"value\":1,\"unit\":5"), "'unit' must be a text" },
        { FACT("\"part\":\"\""), "'part' is missing" },
        { FACT("\"part\":\"b\",\"quantity\":-1"), "quantity of -1" },
        { FACT("\"part\":\"b\",\"more\":[1]"), "JSON object" },
        { FACT("\"document\":{\"hash\":\"ABC\",\"mediaType\":\"text/plain\"}"), "64 digits" },
        { FACT("\"document\":{\"hash\":\"" HASH "\"}"), "'mediaType' is missing" },
        { "{\"twin\":\"p\",\"phase\":\"as-dreamt\",\"key\":\"k\",\"value\":1}", "as-designed" },
        { "{\"twin\":\"\",\"phase\":\"as-built\",\"key\":\"k\",\"value\":1}", "'twin' is missing" },
        { "{\"twin\":\"p\",\"phase\":\"as-built\",\"value\":1}", "'key' is missing" },
        { "{\"twin\":\"p\",\"phase\":\"as-built\",\"key\":\"installedIn\",\"value\":1}", "takes a part" },
        { "{\"twin\":\"p\",\"phase\":\"as-built\",\"key\":\"installedIn\",\"part\":\"p\"}", "contain itself" },
        { "[1]", "JSON object" },
    };
    gm_buf texts = gm_buf_init(gm_alloc_system());
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_fact   f;
        gm_error  err = { 0 };
        json_t   *json;
        gm_status st = take(cases[i].text, &f, &texts, &json, &err);
        if ((st == GM_OK) != (cases[i].why == NULL) || (st != GM_OK && strstr(err.text, cases[i].why) == NULL))
            fail_msg("%s: %d %s", cases[i].text, (int)st, err.text);
        json_decref(json);
    }
    gm_buf_finish(&texts);
}

static void what_is_encoded_is_decoded_again_and_every_cut_is_noticed(void **state)
{
    (void)state;
    static const char *const texts[] = {
        FACT("\"value\":-0.25,\"unit\":\"mm\",\"min\":-1"), FACT("\"value\":null"), FACT("\"value\":\"steel\",\"author\":\"anna\",\"cause\":\"r\""),
        FACT("\"value\":{\"a\":[1,2]}"), FACT("\"part\":\"bolt\",\"quantity\":4,\"position\":\"10\",\"more\":{\"serials\":\"1-5\"}"),
        FACT("\"document\":{\"size\":12,\"hash\":\"" HASH "\",\"mediaType\":\"text/plain\",\"name\":\"a.txt\"}"),
    };
    gm_buf keep = gm_buf_init(gm_alloc_system()), bytes = gm_buf_init(gm_alloc_system()), one = gm_buf_init(gm_alloc_system()), two = gm_buf_init(gm_alloc_system());
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        gm_fact  f, back = { 0 };
        gm_error err = { 0 };
        json_t  *json;
        assert_gm_ok(take(texts[i], &f, &keep, &json, &err), err);
        f.known = 2000;
        gm_buf_clear(&bytes), gm_buf_clear(&one), gm_buf_clear(&two);
        gm_fact_encode(&f, &bytes);
        for (size_t n = 0; n < bytes.len; n++) {
            uint8_t *cut = malloc(n + 1);  // its own block, so that a read past the end is seen
            memcpy(cut, bytes.ptr, n);
            assert_int_equal(gm_fact_decode(cut, n, &back, &err), GM_CORRUPT);
            free(cut);
        }
        back = (gm_fact){ .twin = f.twin, .key = f.key, .known = f.known };
        assert_gm_ok(gm_fact_decode(bytes.ptr, bytes.len, &back, &err), err);
        gm_fact_write(&f, &one);
        gm_fact_write(&back, &two);
        gm_buf_byte(&one, 0);
        gm_buf_byte(&two, 0);
        assert_string_equal((char *)one.ptr, (char *)two.ptr);
        json_t *read = json_loads((char *)one.ptr, 0, NULL);
        assert_non_null(read);
        json_decref(read);
        json_decref(json);
    }
    gm_buf_finish(&keep), gm_buf_finish(&bytes), gm_buf_finish(&one), gm_buf_finish(&two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_are_read_and_bad_ones_refused),
        cmocka_unit_test(what_is_encoded_is_decoded_again_and_every_cut_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
