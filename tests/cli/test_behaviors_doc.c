// docs/behaviors.md is run as it stands: its files make a plant, its commands answer what it says.
#include "base/io.h"
#include "support/files.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct fixture { char dir[256]; gm_str text; uint8_t *bytes; } fixture;

// Takes the next block from ``` to ```; info is what stands behind the opening.
static bool next_block(gm_str *rest, gm_str *out_info, gm_str *out_body)
{
    gm_str fence = GM_STR("\n```");
    size_t open  = gm_str_find(*rest, fence);
    if (open == SIZE_MAX) return false;
    gm_str after = gm_str_slice(*rest, open + fence.len, rest->len);
    size_t line  = gm_str_find_char(after, '\n');
    size_t close = gm_str_find(gm_str_slice(after, line, after.len), fence);
    assert_true(line != SIZE_MAX && close != SIZE_MAX);
    *out_info = gm_str_slice(after, 0, line);
    *out_body = gm_str_slice(after, line + 1, line + close + 1);
    *rest     = gm_str_slice(after, line + close + fence.len, after.len);
    return true;
}

static int set_up(void **state)
{
    static fixture f;
    char           path[400];
    size_t         size;
    gm_error       err;
    gm_test_make_dir(f.dir, sizeof f.dir);
    snprintf(path, sizeof path, "%s/docs/behaviors.md", getenv("GM_SOURCE_ROOT"));
    assert_gm_ok(gm_io_read_file(gm_io_system(), path, 1 << 20, &f.bytes, &size, &err), err);
    f.text      = (gm_str){ (const char *)f.bytes, size };
    gm_str rest = f.text, info, body;
    int    files = 0;
    while (next_block(&rest, &info, &body)) {
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
    gm_free(gm_alloc_system(), f->bytes);
    return 0;
}

// Runs "gemel check plant": the plant is the one in the temporary folder. Its first line must be the expected one.
static void run_line(const fixture *f, gm_str line, gm_str expected)
{
    char        words[20][300];
    const char *list[21] = { 0 };
    gm_str      rest = line, word;
    size_t      count = 0;
    while (gm_str_next(&rest, ' ', &word) && count < 20) {
        bool plant = gm_str_is(word, "plant") || gm_str_starts(word, GM_STR("plant:"));
        snprintf(words[count], sizeof words[count], "%s" GM_STR_FMT, plant ? f->dir : "",
                 GM_STR_ARG(plant ? gm_str_slice(word, 5, word.len) : word));
        list[count] = words[count];
        count++;
    }
    assert_string_equal(list[0], "gemel");
    gm_ran ran = gm_run(list + 1);
    if (ran.code != 0) fail_msg(GM_STR_FMT ": %s%s", GM_STR_ARG(line), GM_TEXT(ran.out), GM_TEXT(ran.err));
    gm_str out = gm_buf_view(&ran.out), first;
    assert_true(gm_str_next(&out, '\n', &first));
    if (expected.len > 0 && !gm_str_eq(first, expected)) fail_msg(GM_STR_FMT, GM_STR_ARG(first));
    gm_ran_finish(&ran);
}

static void what_the_page_says_happens(void **state)
{
    const fixture *f    = *state;
    gm_str         rest = f->text, info, body;
    int            commands = 0;
    while (next_block(&rest, &info, &body)) {
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
