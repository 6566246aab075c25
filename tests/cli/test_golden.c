#include "cli/config.h"
#include "cli/help.h"
#include "cli/verbs.h"
#include "support/golden.h"
#include "support/support.h"

#include <stdlib.h>
#include <unistd.h>

static void the_manual_in_docs_is_what_the_program_says(void **state)
{
    (void)state;
    gm_buf text = gm_buf_init(gm_alloc_system());
    gm_help_markdown(&text);
    assert_false(text.failed);
    gm_test_golden("docs/cli.md", gm_buf_view(&text));
    gm_buf_clear(&text);
    gm_help_man(&text);
    gm_test_golden("docs/gemel.1", gm_buf_view(&text));
    gm_buf_finish(&text);
}

static void the_examples_settings_are_all_settings_there_are(void **state)
{
    (void)state;
    gm_buf text = gm_buf_init(gm_alloc_system());
    gm_config_example(&text);
    gm_test_golden("examples/machine/gemel.conf", gm_buf_view(&text));
    gm_test_golden("examples/turbofan/gemel.conf", gm_buf_view(&text));
    gm_test_golden("examples/pumphouse/gemel.conf", gm_buf_view(&text));
    gm_buf_finish(&text);
}

// Runs the program in this process, in the project's root.
static gm_exit run(const char *const *words, size_t n, char **out, char **err)
{
    size_t    out_size, err_size;
    gm_arena *arena = gm_arena_create(gm_alloc_system(), 0);
    gm_cli    cli   = { .alloc = gm_alloc_system(), .io = gm_io_system(), .clock = gm_clock_system(), .arena = arena,
                        .out = open_memstream(out, &out_size), .err = open_memstream(err, &err_size) };
    char     *argv[16] = { (char *)(uintptr_t)"gemel" };
    for (size_t i = 0; i < n; i++) argv[i + 1] = (char *)(uintptr_t)words[i];
    assert_int_equal(chdir(gm_test_root()), 0);
    gm_exit code = gm_cli_run(&cli, (int)n + 1, argv);
    fclose(cli.out);
    fclose(cli.err);
    gm_arena_destroy(arena);
    return code;
}

#define RUN(out, err, ...) run((const char *const[]){ __VA_ARGS__ }, GM_COUNT_OF(((const char *const[]){ __VA_ARGS__ })), out, err)

static void check_reports_everything_that_is_wrong_at_once(void **state)
{
    (void)state;
    char *out, *err;
    assert_int_equal(RUN(&out, &err, "check", "tests/golden/cli/wrong-plant"), GM_EXIT_NO);
    assert_string_equal(err, "");
    gm_test_golden("tests/golden/cli/check.txt", gm_str_of(out));
    free(out);
    free(err);
    assert_int_equal(RUN(&out, &err, "check", "tests/golden/cli/wrong-plant", "--json"), GM_EXIT_NO);
    gm_test_golden("tests/golden/cli/check.json", gm_str_of(out));
    free(out);
    free(err);
}

static void check_looks_into_insight_and_estimates(void **state)
{
    (void)state;
    char *out, *err;
    assert_int_equal(RUN(&out, &err, "check", "tests/golden/cli/wrong-insight"), GM_EXIT_NO);
    assert_string_equal(err, "");
    gm_test_golden("tests/golden/cli/check-insight.txt", gm_str_of(out));
    free(out);
    free(err);
}

static void the_examples_have_nothing_wrong(void **state)
{
    (void)state;
    static const char *const plants[] = { "examples/machine", "examples/turbofan", "examples/pumphouse" };
    for (size_t i = 0; i < GM_COUNT_OF(plants); i++) {
        char *out, *err;
        if (RUN(&out, &err, "check", plants[i]) != GM_EXIT_OK) fail_msg("%s%s", out, err);
        free(out);
        free(err);
    }
}

static void wrong_lines_say_what_to_do_and_exit_with_2(void **state)
{
    (void)state;
    static const struct { const char *words[4]; size_t n; gm_exit code; const char *says;
    } cases[] = {
        { { "sreve" }, 1, GM_EXIT_USAGE, "did you mean 'gemel serve'?" },
        { { "wholly" }, 1, GM_EXIT_USAGE, "'gemel --help' lists them" },
        { { "check" }, 1, GM_EXIT_USAGE, "PLANT is missing" },
        { { "check", "a", "b" }, 3, GM_EXIT_USAGE, "one word too many" },
        { { "check", "--jsno", "a" }, 3, GM_EXIT_USAGE, "did you mean --json?" },
        { { "check", "no/such/plant" }, 2, GM_EXIT_NO, "there is no plant folder" },
        { { "set", "a" }, 2, GM_EXIT_USAGE, "nothing to set" },
        { { "set", "a", "b" }, 3, GM_EXIT_USAGE, "'b' is not NAME=VALUE" },
        { { "watch" }, 1, GM_EXIT_USAGE, "name twins, or a --query" },
        { { "replay", "examples/turbofan" }, 2, GM_EXIT_USAGE, "which table?" },
        { { "help", "nothing" }, 2, GM_EXIT_USAGE, "there is no verb 'nothing'" },
        // Port 1 of this machine: nobody listens there.
        { { "query", "SELECT * FROM DIGITALTWINS", "--http=127.0.0.1:1" },
          3,
          GM_EXIT_UNREACHABLE,
          "start one with 'gemel serve PLANT'" },
        { { "get", "a", "--http=127.0.0.1:1" }, 3, GM_EXIT_UNREACHABLE, "no server answers at 127.0.0.1:1" },
        { { "history", "a", "b", "--http=127.0.0.1:1" }, 4, GM_EXIT_UNREACHABLE, "no server answers" },
        { { "watch", "a", "--http=127.0.0.1:1" }, 3, GM_EXIT_UNREACHABLE, "no server answers" },
    };
    for (size_t i = 0; i < GM_COUNT_OF(cases); i++) {
        char   *out, *err;
        gm_exit code = run(cases[i].words, cases[i].n, &out, &err);
        if (code != cases[i].code || strstr(err, cases[i].says) == NULL || strncmp(err, "gemel: ", 7) != 0) {
            fail_msg("%s: exit %d, '%s'", cases[i].words[0], (int)code, err);
        }
        if (strlen(out) > 0) fail_msg("%s printed '%s'", cases[i].words[0], out);
        free(out);
        free(err);
    }
}

static void every_verb_explains_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < gm_verb_count(); i++) {
        const gm_verb *verb = gm_verb_at(i);
        char          *out, *err;
        char           first[40];  // of a name of two words
        const char    *second = strchr(verb->name, ' ');
        snprintf(first, sizeof first, "%.*s", (int)(second != NULL ? second - verb->name : 39), verb->name);
        int code = second != NULL ? RUN(&out, &err, first, second + 1, "--help") : RUN(&out, &err, first, "--help");
        assert_int_equal(code, GM_EXIT_OK);
        assert_non_null(strstr(out, verb->summary));
        for (size_t o = 0; o < verb->syntax.option_count; o++) {
            char name[80];
            snprintf(name, sizeof name, "--%s", verb->syntax.options[o].name);
            if (strstr(out, name) == NULL) fail_msg("gemel %s --help does not tell of %s", verb->name, name);
        }
        free(out);
        free(err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_manual_in_docs_is_what_the_program_says),
        cmocka_unit_test(the_examples_settings_are_all_settings_there_are),
        cmocka_unit_test(check_reports_everything_that_is_wrong_at_once),
        cmocka_unit_test(check_looks_into_insight_and_estimates),
        cmocka_unit_test(the_examples_have_nothing_wrong),
        cmocka_unit_test(wrong_lines_say_what_to_do_and_exit_with_2),
        cmocka_unit_test(every_verb_explains_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
