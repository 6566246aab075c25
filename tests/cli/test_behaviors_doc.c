// docs/behaviors.md is run as it stands: its files make a plant, its commands answer what it says.
#include "support/doc.h"
#include "support/files.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <stdio.h>

typedef struct fixture { char dir[256]; gm_doc doc; } fixture;

static int set_up(void **state)
{
    static fixture f;
    char           path[400];
    gm_str         info, body;
    int            files = 0;
    gm_test_make_dir(f.dir, sizeof f.dir);
    gm_doc_open(&f.doc, "docs/behaviors.md");
    while (gm_doc_next_block(&f.doc, &info, &body)) {
        size_t at = gm_str_find_char(info, ' ');
        if (at == SIZE_MAX) continue;
        snprintf(path, sizeof path, "%s/" GM_STR_FMT, f.dir, GM_STR_ARG(gm_str_slice(info, at + 1, info.len)));
        gm_test_write_file(path, body);
        files++;
    }
    assert_true(files >= 5);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    gm_test_remove_dir(f->dir);
    gm_doc_close(&f->doc);
    return 0;
}

// Runs "gemel check plant": the plant is the one in the temporary folder. Its first line must be the expected one.
static void run_line(const fixture *f, gm_str line, gm_str expected)
{
    char root[300];
    snprintf(root, sizeof root, "%s:", f->dir);
    char **words = gm_doc_words(line, (const char *const[]){ "plant:", root, "plant", f->dir, NULL });
    assert_string_equal(words[0], "gemel");
    gm_ran ran = gm_run((const char *const *)words + 1);
    if (ran.code != 0) fail_msg(GM_STR_FMT ": %s%s", GM_STR_ARG(line), GM_TEXT(ran.out), GM_TEXT(ran.err));
    gm_str out = gm_buf_view(&ran.out), first;
    assert_true(gm_str_next(&out, '\n', &first));
    if (expected.len > 0 && !gm_str_eq(first, expected)) fail_msg(GM_STR_FMT, GM_STR_ARG(first));
    gm_ran_finish(&ran);
    gm_doc_free_words(words);
}

static void what_the_page_says_happens(void **state)
{
    fixture *f = *state;
    gm_str   info, body;
    int      commands = 0;
    gm_doc_rewind(&f->doc);
    while (gm_doc_next_block(&f->doc, &info, &body)) {
        gm_str lines = body, line, command = { 0 };
        if (!gm_str_is(info, "console")) continue;
        while (gm_str_next(&lines, '\n', &line)) {
            bool is_command = gm_str_starts(line, GM_STR("$ "));
            if (command.len > 0) run_line(f, command, is_command ? GM_STR("") : line);
            commands += command.len > 0;
            command = is_command ? gm_str_slice(line, 2, line.len) : (gm_str) { 0 };
        }
        if (command.len > 0) run_line(f, command, GM_STR(""));
    }
    assert_true(commands >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_the_page_says_happens) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
