#include "link/line.h"
#include "support/support.h"

#include <stdio.h>

// A line as text: "key|name=value,name=value|time", or "!fault".
static void describe(const gm_line *line, char *out, size_t size)
{
    gm_str      rest = line->fields, name;
    gm_value    v;
    const char *fault = line->fault;
    int         n = 0;
    if (fault == NULL) n = snprintf(out, size, GM_STR_FMT "|", GM_STR_ARG(line->key));
    while (fault == NULL && gm_line_field(&rest, &name, &v, &fault)) {
        n += snprintf(out + n, size - (size_t)n, GM_STR_FMT "=", GM_STR_ARG(name));
        if (v.kind == GM_KIND_DOUBLE) n += snprintf(out + n, size - (size_t)n, "%g ", v.d);
        else if (v.kind == GM_KIND_INT) n += snprintf(out + n, size - (size_t)n, "%lldi ", (long long)v.i);
        else if (v.kind == GM_KIND_BOOL) n += snprintf(out + n, size - (size_t)n, "%s ", v.i ? "yes" : "no");
        else n += snprintf(out + n, size - (size_t)n, "<" GM_STR_FMT "> ", GM_STR_ARG(v.s));
    }
    if (fault != NULL) snprintf(out, size, "!%s", fault);
    else if (line->has_time) snprintf(out + n, size - (size_t)n, "|%lld", (long long)line->time);
}

static void lines_are_read_as_InfluxDB_writes_them(void **state)
{
    (void)state;
    static const struct { const char *text, *expect; } cases[] = {
        { "m v=1", "m|v=1 " },
        { "m,a=b v=1.5 1500", "m,a=b|v=1.5 |1500" },
        { "m v=1i,w=-2i,u=3u", "m|v=1i w=-2i u=3i " },
        { "m v=t,w=False", "m|v=yes w=no " },
        { "m v=\"a b, c=d\" 5", "m|v=<a b, c=d> |5" },
        { "m v=\"say \\\"hi\\\"\"", "m|v=<say \\\"hi\\\"> " },
        { "m\\ 1,t\\,a=x\\ y v=1", "m\\ 1,t\\,a=x\\ y|v=1 " },
        { "m v=1e3  7 ", "m|v=1000 |7" },
        { "  m v=+1.5", "m|v=1.5 " },
        { "m", "!missing fields" },
        { ",a=b v=1", "!missing measurement" },
        { "m v", "!missing field value" },
        { "m v=", "!invalid field value" },
        { "m v=1,", "!missing field key" },
        { "m v=abc", "!invalid field value" },
        { "m v=nan", "!invalid field value" },
        { "m v=1e999", "!invalid field value" },
        { "m v=-1u", "!invalid field value" },
        { "m v=\"abc", "!unbalanced quotes" },
        { "m v=1 12x", "!bad timestamp" },
        { "m v=9223372036854775808i", "!invalid field value" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_str  rest = gm_str_of(cases[i].text);
        gm_line line = { .number = 0 };
        char    text[300] = "";
        assert_true(gm_line_next(&rest, &line));
        describe(&line, text, sizeof text);
        if (strcmp(text, cases[i].expect) != 0) fail_msg("'%s': '%s'", cases[i].text, text);
    }
}

static void comments_and_empty_lines_are_counted_and_left_out(void **state)
{
    (void)state;
    gm_str  rest = GM_STR("# a comment\n\nm v=1\r\n\n  \nm s=\"two\nlines\" 4\nm v=2");
    gm_line line = { .number = 0 };
    assert_true(gm_line_next(&rest, &line));
    assert_int_equal(line.number, 3);
    assert_true(gm_str_is(line.text, "m v=1"));
    assert_true(gm_line_next(&rest, &line));
    assert_true(line.has_time && line.time == 4);
    assert_true(gm_line_next(&rest, &line));
    assert_true(gm_str_is(line.text, "m v=2"));
    assert_false(gm_line_next(&rest, &line));
}

static void keys_come_apart_into_tags(void **state)
{
    (void)state;
    gm_str      key = GM_STR("m\\,x,a=1,b\\=c=2\\ 3"), name, value;
    const char *fault = NULL;
    gm_buf      out = gm_buf_init(gm_alloc_system());
    gm_line_unescape(gm_line_measurement(&key), &out);
    while (gm_line_tag(&key, &name, &value, &fault)) {
        gm_buf_byte(&out, ' ');
        gm_line_unescape(name, &out);
        gm_buf_byte(&out, ':');
        gm_line_unescape(value, &out);
    }
    assert_null(fault);
    assert_true(gm_str_is(gm_buf_view(&out), "m,x a:1 b=c:2 3"));
    gm_buf_finish(&out);
    key = GM_STR("a=,b=1");
    assert_false(gm_line_tag(&key, &name, &value, &fault));
    assert_non_null(fault);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_read_as_InfluxDB_writes_them),
        cmocka_unit_test(comments_and_empty_lines_are_counted_and_left_out),
        cmocka_unit_test(keys_come_apart_into_tags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
