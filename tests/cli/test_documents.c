#include "cli/documents.h"

#include "support/support.h"

static void expect(gm_documents walk, const char *const *texts, const uint32_t *lines, size_t n)
{
    gm_document document;
    size_t      i = 0;
    for (; gm_documents_next(&walk, &document); i++) {
        if (i >= n || !gm_str_is(document.text, texts[i]) || document.line != lines[i]) {
            fail_msg("document %zu is '" GM_STR_FMT "' at line %u", i, GM_STR_ARG(document.text), document.line);
        }
    }
    assert_int_equal(i, n);
}

static void lines_keep_their_numbers(void **state)
{
    (void)state;
    expect(gm_documents_lines(GM_STR("{\"a\":1}\r\n\n  {\"b\":2}")), (const char *[]) { "{\"a\":1}", "{\"b\":2}" },
           (uint32_t[]) { 1, 3 }, 2);
    expect(gm_documents_lines(GM_STR("")), NULL, NULL, 0);
    expect(gm_documents_lines(GM_STR("\n\n")), NULL, NULL, 0);
}

static void elements_keep_their_lines_and_their_brackets(void **state)
{
    (void)state;
    expect(gm_documents_elements(GM_STR(" [\n {\"a\":[1,2]},\n\n \"x]\\\"[\" , 3]"), 1),
           (const char *[]){ "{\"a\":[1,2]}", "\"x]\\\"[\"", "3" }, (uint32_t[]){ 2, 4, 4 }, 3);
    expect(gm_documents_elements(GM_STR("[]"), 1), NULL, NULL, 0);
    expect(gm_documents_elements(GM_STR("{}"), 1), NULL, NULL, 0);
}

static void members_have_keys(void **state)
{
    (void)state;
    gm_documents walk = gm_documents_members(GM_STR("{\"a\":1,\n\"b\" : {\"c\":[2]}}"), 5);
    gm_document  d;
    assert_true(gm_documents_next(&walk, &d));
    assert_true(gm_str_is(d.key, "\"a\"") && gm_str_is(d.text, "1") && d.line == 5);
    assert_true(gm_documents_next(&walk, &d));
    assert_true(gm_str_is(d.key, "\"b\"") && gm_str_is(d.text, "{\"c\":[2]}") && d.line == 6);
    assert_false(gm_documents_next(&walk, &d));
}

static void half_a_document_ends_the_walk(void **state)
{
    (void)state;
    static const char *const halves[] = { "[{\"a\":", "[\"x", "[1,", "{\"a\"", "{\"a\":", "[\"\\", "{", "[" };
    for (size_t i = 0; i < sizeof halves / sizeof halves[0]; i++) {
        gm_str       text    = gm_str_of(halves[i]);
        gm_documents walks[] = { gm_documents_elements(text, 1), gm_documents_members(text, 1) };
        for (size_t j = 0; j < 2; j++) {
            gm_document d;
            int         n = 0;
            while (gm_documents_next(&walks[j], &d)) assert_true(++n < 3);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_keep_their_numbers),
        cmocka_unit_test(elements_keep_their_lines_and_their_brackets),
        cmocka_unit_test(members_have_keys),
        cmocka_unit_test(half_a_document_ends_the_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
