// docs/thread.md is run as it stands: its commands ask a server, and answer what the page says.
#include "base/io.h"
#include "support/files.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <stdio.h>
#include <stdlib.h>

enum { WORDS = 24, LINE = 400 };

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

// Words as a shell splits them, as far as the page needs; files of the page lie in dir.
static gm_ran run_line(const char *dir, gm_str line)
{
    static char words[WORDS][LINE + 300];
    const char *list[WORDS + 1] = { 0 };
    size_t      count = 0, at = 0;
    while (at < line.len && count < WORDS) {
        char   word[LINE];
        size_t n     = 0;
        bool   quote = false;
        for (; at < line.len && (quote || line.ptr[at] != ' ') && n < sizeof word - 1; at++) {
            if (line.ptr[at] == '"') quote = !quote;
            else word[n++] = line.ptr[at];
        }
        at++;
        word[n]   = '\0';
        bool file = strcmp(word, "pump.csv") == 0 || strcmp(word, "manual.txt") == 0;
        snprintf(words[count], sizeof words[count], "%s%s%s", file ? dir : "", file ? "/" : "", word);
        list[count] = words[count];
        count++;
    }
    assert_string_equal(list[0], "gemel");
    return gm_run(list + 1);
}

static void compare(gm_str expected, gm_str out)
{
    gm_str a, b;
    while (gm_str_next(&expected, '\n', &a)) {
        bool there = gm_str_next(&out, '\n', &b);
        while (there && b.len > 0 && b.ptr[b.len - 1] == ' ') b.len--;
        if (a.len > 0 && (!there || !gm_str_eq(a, b))) fail_msg("expected " GM_STR_FMT "\n     got " GM_STR_FMT, GM_STR_ARG(a), GM_STR_ARG(b));
    }
}

static void what_the_page_says_happens(void **state)
{
    (void)state;
    char       dir[256], path[400], plant[300], data[300];
    uint8_t   *bytes;
    size_t     size;
    gm_error   err;
    int        commands = 0, compared = 0;
    gm_ran     last = { 0 };
    gm_test_make_dir(dir, sizeof dir);
    snprintf(path, sizeof path, "%s/docs/thread.md", getenv("GM_SOURCE_ROOT"));
    assert_gm_ok(gm_io_read_file(gm_io_system(), path, 1 << 20, &bytes, &size, &err), err);
    snprintf(plant, sizeof plant, "%s/plant", dir);
    snprintf(data, sizeof data, "%s/data", dir);
    snprintf(path, sizeof path, "%s/models/pump.json", plant);
    gm_test_write_file(path, GM_STR("{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:test:Pump;1\",\"@type\":\"Interface\"}"));
    snprintf(path, sizeof path, "%s/manual.txt", dir);
    gm_test_write_file(path, GM_STR("Turn it on.\n"));
    gm_served *server = gm_serve(plant, data, NULL, NULL);
    setenv("GEMEL_HTTP", server->http, 1);
    gm_str rest = { (const char *)bytes, size }, info, body, line;
    while (next_block(&rest, &info, &body)) {
        if (gm_str_is(info, "csv")) {
            snprintf(path, sizeof path, "%s/pump.csv", dir);
            gm_test_write_file(path, body);
        }
        if (gm_str_is(info, "text")) {
            compare(body, gm_buf_view(&last.out));
            compared++;
        }
        while (gm_str_is(info, "sh") && gm_str_next(&body, '\n', &line)) {
            if (line.len == 0) continue;
            gm_ran_finish(&last);
            last = run_line(dir, line);
            bool no = strstr(GM_TEXT(last.err), "gemel:") != NULL;  // 1 is an answer; a message is none
            if (last.code > 1 || no) fail_msg(GM_STR_FMT ": %d %s%s", GM_STR_ARG(line), last.code, GM_TEXT(last.out), GM_TEXT(last.err));
            commands++;
        }
    }
    assert_true(commands >= 18 && compared >= 4);
    gm_ran_finish(&last);
    assert_int_equal(gm_served_stop(server), 0);
    unsetenv("GEMEL_HTTP");
    gm_free(gm_alloc_system(), bytes);
    gm_test_remove_dir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_the_page_says_happens) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
