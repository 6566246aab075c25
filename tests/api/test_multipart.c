#include "api/multipart.h"
#include "base/buf.h"
#include "support/support.h"

static void forms_are_read_part_by_part(void **state)
{
    (void)state;
    gm_multipart      form;
    gm_multipart_part part;
    gm_str body = GM_STR("--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n--x\r\ncontent-type: text/plain\r\nCONTENT-DISPOSITION: form-data; filename=\"b; c.txt\"; name=file\r\n\r\ntwo\r\n-- x --xy\r\n\r\n--x\r\n\r\n--x--\r\nafter");
    assert_true(gm_multipart_open(&form, GM_STR("Multipart/Form-Data; charset=utf-8; boundary=x"), body));
    assert_true(gm_multipart_next(&form, &part));
    assert_true(gm_str_is(part.name, "a") && gm_str_is(part.bytes, "one") && part.file_name.len == 0);
    assert_true(gm_multipart_next(&form, &part));
    assert_true(gm_str_is(part.name, "file") && gm_str_is(part.file_name, "b; c.txt") && gm_str_is(part.media, "text/plain") && gm_str_is(part.bytes, "two\r\n-- x --xy\r\n"));
    assert_true(gm_multipart_next(&form, &part));
    assert_true(part.name.len == 0 && part.bytes.len == 0);
    assert_false(gm_multipart_next(&form, &part));
    assert_false(form.broken);
}

static void what_is_no_form_is_refused(void **state)
{
    (void)state;
    static const struct { const char *type, *body; bool opens; } cases[] = {
        { "application/json", "--x", false },
        { "multipart/form-data", "--x", false },                       // no boundary
        { "multipart/form-data; boundary=\"x", "--x", false },         // an open quote
        { "multipart/form-data; boundary=", "--", false },
        { "multipart/form-data; boundary=x", "-x", false },
        { "multipart/form-data; boundary=0123456789012345678901234567890123456789012345678901234567890123456789_", "--0", false },
        { "multipart/form-data; boundary=x", "--x", true },            // and it ends there
        { "multipart/form-data; boundary=x", "--x\r\nname: a\r\n", true },
        { "multipart/form-data; boundary=x", "--x\r\n\r\nbytes\r\n--y--", true },
        { "multipart/form-data; boundary=x", "--x junk\r\n\r\n\r\n--x--", true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_multipart      form;
        gm_multipart_part part;
        bool              opens = gm_multipart_open(&form, gm_str_of(cases[i].type), gm_str_of(cases[i].body));
        if (opens != cases[i].opens) fail_msg("%zu", i);
        if (opens && (gm_multipart_next(&form, &part) || !form.broken)) fail_msg("%zu is read", i);
    }
}

static void there_are_no_more_parts_than_are_admitted(void **state)
{
    (void)state;
    gm_multipart      form;
    gm_multipart_part part;
    gm_buf            body = gm_buf_init(gm_alloc_system());
    unsigned          n    = 0;
    for (int i = 0; i < 2 * GM_PARTS_MAX; i++) gm_buf_text(&body, "--x\r\n\r\na\r\n");
    gm_buf_text(&body, "--x--");
    assert_true(gm_multipart_open(&form, GM_STR("multipart/form-data; boundary=x"), gm_buf_view(&body)));
    while (gm_multipart_next(&form, &part)) n++;
    assert_true(n == GM_PARTS_MAX && form.broken);
    gm_buf_finish(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(forms_are_read_part_by_part), cmocka_unit_test(what_is_no_form_is_refused), cmocka_unit_test(there_are_no_more_parts_than_are_admitted) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
