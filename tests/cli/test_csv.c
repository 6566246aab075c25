#include "cli/csv.h"
#include "support/support.h"

static void records_are_read_as_rfc_4180_says(void **state)
{
    (void)state;
    static const struct { const char *text; size_t cells; const char *first, *second; size_t lines; const char *rest; } cases[] = {
        { "a,b\r\nc,d\n",          2, "a", "b", 1, "c,d\n" },
        { "a,b",                   2, "a", "b", 0, "" },
        { "\n\r\na,b\n",           2, "a", "b", 3, "" },
        { "\"a,1\",\"x \"\"y\"\"\"\n", 2, "a,1", "x \"y\"", 1, "" },
        { "\"two\nlines\",b\n",    2, "two\nlines", "b", 2, "" },
        { ",\n",                   2, "", "", 1, "" },
        { "a,b,c,d\n",             4, "a", "b", 1, "" },
        { "a\n",                   1, "a", "", 1, "" },
        { "\"never closed,b\n",    1, "never closed,b\n", "", 1, "" },
        { "a\rb,c\n",              2, "a\rb", "c", 1, "" },
        { "",                      0, "", "", 0, "" },
        { "\n\n",                  0, "", "", 2, "" },
    };
    gm_buf cells[2] = { gm_buf_init(gm_alloc_system()), gm_buf_init(gm_alloc_system()) };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_str rest  = gm_str_of(cases[i].text);
        size_t lines = 0, n = gm_csv_next(&rest, cells, 2, &lines);
        if (n != cases[i].cells || lines != cases[i].lines || !gm_str_is(rest, cases[i].rest) ||
            !gm_str_is(gm_buf_view(&cells[0]), cases[i].first) || !gm_str_is(gm_buf_view(&cells[1]), cases[i].second)) {
            fail_msg("case %zu: %zu cells '" GM_STR_FMT "' '" GM_STR_FMT "' in %zu lines", i, n, GM_STR_ARG(gm_buf_view(&cells[0])),
                     GM_STR_ARG(gm_buf_view(&cells[1])), lines);
        }
    }
    gm_buf_finish(&cells[0]);
    gm_buf_finish(&cells[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(records_are_read_as_rfc_4180_says) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
