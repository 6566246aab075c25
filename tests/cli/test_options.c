#include "cli/options.h"

#include "support/support.h"

enum { OPT_HTTP, OPT_JSON, OPT_POINTS, OPT_FROM, OPT_EVERY, OPT_VARY, OPT_LEVEL, OPT_COUNT };
static const gm_option options[] = {
    [OPT_HTTP]   = { "http", GM_OPTION_ADDRESS, "ADDR:PORT", "127.0.0.1:8080", "where" },
    [OPT_JSON]   = { "json", GM_OPTION_FLAG, NULL, NULL, "JSON" },
    [OPT_POINTS] = { "points", GM_OPTION_COUNT, "N", "100", "how many" },
    [OPT_FROM]   = { "from", GM_OPTION_TIME, "TIME", NULL, "since" },
    [OPT_EVERY]  = { "every", GM_OPTION_DURATION, "TIME", "1s", "how often" },
    [OPT_VARY]   = { "vary", GM_OPTION_TEXT, "SPEC", NULL, "what", .repeats = true },
    [OPT_LEVEL]  = { "level", GM_OPTION_NUMBER, "X", NULL, "how much" },
};
static const gm_operand operands[] = {
    { "TWIN", "the twin" },
    { "PROPERTY", "the property", .optional = true },
};
static const gm_syntax syntax = { options, operands, OPT_COUNT, 2 };

typedef struct line { gm_arena *arena; gm_args args; gm_error err; gm_status st; } line;

static line parse(const gm_syntax *s, const char *text)
{
    line l = { .arena = gm_arena_create(gm_alloc_system(), 0) };
    char *words[64];
    int   n    = 0;
    gm_str rest = gm_str_of(text), word;
    while (text[0] != '\0' && gm_str_next(&rest, ' ', &word))
        words[n++] = (char *)(uintptr_t)gm_arena_str(l.arena, word).ptr;
    l.st = gm_args_parse(s, n, words, l.arena, &l.args, &l.err);
    return l;
}

static void a_line_fits_the_table_or_is_told_why(void **state)
{
    (void)state;
    static const struct { const char *line; gm_status st; const char *says; } cases[] = {
        { "pump7", GM_OK, "" },
        { "pump7 flow --json", GM_OK, "" },
        { "--json pump7 flow", GM_OK, "" },
        { "pump7 --http=127.0.0.1:0", GM_OK, "" },
        { "pump7 --http [::1]:80", GM_OK, "" },
        { "-- --json", GM_OK, "" },                       // after "--" nothing is an option
        { "pump7 --vary a --vary b", GM_OK, "" },
        { "pump7 -5", GM_OK, "" },                        // a negative number is an operand
        { "", GM_INVALID, "TWIN is missing" },
        { "pump7 flow extra", GM_INVALID, "one word too many" },
        { "pump7 --jsn", GM_INVALID, "did you mean --json" },
        { "pump7 --wholly-else", GM_INVALID, "no option --wholly-else" },
        { "pump7 -j", GM_INVALID, "no option -j" },
        { "pump7 --json=1", GM_INVALID, "takes no value" },
        { "pump7 --points", GM_INVALID, "needs a value" },
        { "pump7 --points 1e3", GM_INVALID, "not a whole number" },
        { "pump7 --points -1", GM_INVALID, "not a whole number" },
        { "pump7 --points 99999999999999999999", GM_INVALID, "not a whole number" },
        { "pump7 --points 1 --points 2", GM_INVALID, "given twice" },
        { "pump7 --from yesterday", GM_INVALID, "--from: 'yesterday' is not a time" },
        { "pump7 --every 5", GM_INVALID, "not a length of time" },
        { "pump7 --level nan", GM_INVALID, "not a number" },
        { "pump7 --http 80", GM_INVALID, "not ADDR:PORT" },
        { "pump7 --http 127.0.0.1:70000", GM_INVALID, "not ADDR:PORT" },
        { "pump7 --http ::1:80", GM_INVALID, "not ADDR:PORT" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        line l = parse(&syntax, cases[i].line);
        if (l.st != cases[i].st || strstr(l.err.text, cases[i].says) == NULL) {
            fail_msg("'%s': status %d, '%s'", cases[i].line, (int)l.st, l.err.text);
        }
        gm_arena_destroy(l.arena);
    }
}

static void values_are_read_back_as_given_or_as_the_default(void **state)
{
    (void)state;
    line l = parse(&syntax, "pump7 --points 7 --from 2026-01-01T00:00:00Z --level=-2.5 --vary a --vary=b --json");
    assert_int_equal(l.st, GM_OK);
    assert_string_equal(gm_args_operand(&l.args, 0), "pump7");
    assert_null(gm_args_operand(&l.args, 1));
    assert_true(gm_args_given(&l.args, OPT_JSON));
    assert_false(gm_args_given(&l.args, OPT_HTTP));
    assert_string_equal(gm_args_text(&l.args, OPT_HTTP), "127.0.0.1:8080");
    assert_int_equal(gm_args_count(&l.args, OPT_POINTS), 7);
    assert_int_equal(gm_args_time(&l.args, OPT_FROM), 1767225600 * GM_SECOND);
    assert_int_equal(gm_args_duration(&l.args, OPT_EVERY), GM_SECOND);
    assert_true(gm_args_number(&l.args, OPT_LEVEL) == -2.5);
    assert_int_equal(l.args.value_counts[OPT_VARY], 2);
    assert_string_equal(l.args.values[OPT_VARY][0], "a");
    assert_string_equal(l.args.values[OPT_VARY][1], "b");
    gm_arena_destroy(l.arena);
}

static void help_is_found_even_in_a_wrong_line(void **state)
{
    (void)state;
    line l = parse(&syntax, "--nonsense --help");
    assert_int_equal(l.st, GM_OK);
    assert_true(l.args.help);
    gm_arena_destroy(l.arena);
}

static void an_endless_operand_takes_all_that_follow(void **state)
{
    (void)state;
    static const gm_operand files[] = { { "FILE", "a file", .repeats = true } };
    gm_syntax endless = { options, files, OPT_COUNT, 1 };
    line      l       = parse(&endless, "a b --json c");
    assert_int_equal(l.st, GM_OK);
    assert_int_equal(l.args.operand_count, 3);
    assert_string_equal(gm_args_operand(&l.args, 2), "c");
    gm_arena_destroy(l.arena);
}

static void sizes_are_bytes(void **state)
{
    (void)state;
    static const struct { const char *text; gm_status st; uint64_t bytes; } cases[] = {
        { "512", GM_OK, 512 },        { "64KiB", GM_OK, 65536 },      { "2GiB", GM_OK, UINT64_C(2) << 30 },
        { "64kb", GM_INVALID, 0 },    { "MiB", GM_INVALID, 0 },       { "-1", GM_INVALID, 0 },
        { "9999999999999GiB", GM_INVALID, 0 },  // must not wrap
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_str    text = gm_str_of(cases[i].text);
        gm_status st   = gm_option_check(GM_OPTION_SIZE, "size", text, NULL);
        if (st != cases[i].st || (st == GM_OK && gm_option_size(text) != cases[i].bytes))
            fail_msg("'%s': status %d", cases[i].text, (int)st);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_fits_the_table_or_is_told_why),
        cmocka_unit_test(values_are_read_back_as_given_or_as_the_default),
        cmocka_unit_test(help_is_found_even_in_a_wrong_line),
        cmocka_unit_test(an_endless_operand_takes_all_that_follow),
        cmocka_unit_test(sizes_are_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
