// docs/fmi.md is run as it stands: its files are written, its commands print what it says.
#include "support/doc.h"
#include "support/files.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <stdio.h>

enum { FILES_MAX = 8 };

static char folder[256], names[FILES_MAX][64], paths[FILES_MAX][400];
static int  file_count;

static void name_file(gm_str name)
{
    assert_true(file_count < FILES_MAX);
    snprintf(names[file_count], sizeof names[0], GM_STR_FMT, GM_STR_ARG(name));
    snprintf(paths[file_count], sizeof paths[0], "%s/" GM_STR_FMT, folder, GM_STR_ARG(name));
    file_count++;
}

// The page's files lie in the temporary folder. Everything that is printed has to be what follows the command.
static void run_command(gm_str command, gm_str expected)
{
    const char *pairs[2 * FILES_MAX + 1] = { NULL };
    for (int i = 0; i < file_count; i++) {
        pairs[2 * i]     = names[i];
        pairs[2 * i + 1] = paths[i];
    }
    char **words = gm_doc_words(command, pairs);
    assert_string_equal(words[0], "gemel");
    gm_ran ran = gm_run((const char *const *)words + 1);
    if (ran.code != 0 || !gm_str_eq(gm_buf_view(&ran.out), expected)) {
        fail_msg(GM_STR_FMT ": exit %d\n%s%s", GM_STR_ARG(command), ran.code, GM_TEXT(ran.out), GM_TEXT(ran.err));
    }
    gm_ran_finish(&ran);
    gm_doc_free_words(words);
}

static int run_commands(gm_str body)
{
    gm_str rest = body, line, command = { 0 };
    size_t from = 0;
    int    n    = 0;
    while (rest.len > 0) {
        size_t start = body.len - rest.len;
        if (!gm_str_next(&rest, '\n', &line)) break;
        if (!gm_str_starts(line, GM_STR("$ "))) continue;
        if (command.len > 0) run_command(command, gm_str_slice(body, from, start));
        command = gm_str_slice(line, 2, line.len);
        from    = body.len - rest.len;
        n++;
    }
    if (command.len > 0) run_command(command, gm_str_slice(body, from, body.len));
    return n;
}

static void what_the_page_says_happens(void **state)
{
    (void)state;
    gm_doc doc;
    gm_str info, body;
    int    commands = 0;
    gm_test_make_dir(folder, sizeof folder);
    name_file(GM_STR("tank.fmu"));
    gm_doc_open(&doc, "docs/fmi.md");
    while (gm_doc_next_block(&doc, &info, &body)) {
        size_t at = gm_str_find_char(info, ' ');
        if (at != SIZE_MAX) {
            name_file(gm_str_slice(info, at + 1, info.len));
            gm_test_write_file(paths[file_count - 1], body);
        } else if (gm_str_is(info, "console")) {
            commands += run_commands(body);
        }
    }
    assert_true(file_count == 3 && commands == 3);
    gm_doc_close(&doc);
    gm_test_remove_dir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_the_page_says_happens) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
