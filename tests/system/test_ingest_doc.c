// docs/ingest.md and docs/formats/mappings.md are run as they stand: their files make a plant, the plant is served, and each
// command prints what the page shows behind it.
#include "support/doc.h"
#include "support/files.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TEXT_MAX = 8192 };

static void write_files(gm_doc *doc, const char *plant)
{
    char   path[600];
    gm_str info, body;
    int    files = 0;
    while (gm_doc_next_block(doc, &info, &body)) {
        size_t at = gm_str_find_char(info, ' ');
        if (at == SIZE_MAX) continue;
        snprintf(path, sizeof path, "%s/" GM_STR_FMT, plant, GM_STR_ARG(gm_str_slice(info, at + 1, info.len)));
        gm_test_write_file(path, body);
        files++;
    }
    assert_true(files >= 2);
    gm_doc_rewind(doc);
}

// text with each `from` replaced by `to`, appended.
static void put_replaced(gm_buf *out, gm_str text, const char *from, const char *to)
{
    for (size_t at; (at = gm_str_find(text, gm_str_of(from))) != SIZE_MAX;) {
        gm_buf_str(out, gm_str_slice(text, 0, at));
        gm_buf_str(out, gm_str_of(to));
        text = gm_str_slice(text, at + strlen(from), text.len);
    }
    gm_buf_str(out, text);
}

// Runs the line by a shell in the plant's folder and holds its output against what is expected.
static void run_line(const gm_served *server, const char *plant, gm_str line, gm_str expected)
{
    const char *port = strrchr(server->mqtt, ':') + 1;
    char        here[600], mqtt[32], quoted[600], text[TEXT_MAX];
    gm_buf      step = gm_buf_init(gm_alloc_system()), command = gm_buf_init(gm_alloc_system());
    snprintf(here, sizeof here, "cd '%s' && ", plant);
    snprintf(mqtt, sizeof mqtt, "-p %s", port);
    snprintf(quoted, sizeof quoted, "'%s' ", getenv("GEMEL"));
    gm_buf_str(&command, gm_str_of(here));
    put_replaced(&step, line, "127.0.0.1:8080", server->http);
    gm_buf second = gm_buf_init(gm_alloc_system());
    put_replaced(&second, gm_buf_view(&step), "-p 1883", mqtt);
    if (gm_str_starts(line, GM_STR("gemel "))) put_replaced(&command, gm_buf_view(&second), "gemel ", quoted);
    else gm_buf_str(&command, gm_buf_view(&second));
    gm_buf_str(&command, GM_STR(" 2>&1"));
    gm_buf_byte(&command, 0);
    FILE *pipe = popen((const char *)command.ptr, "r");
    assert_non_null(pipe);
    size_t got = fread(text, 1, sizeof text, pipe), n = 0;
    int    code = pclose(pipe);
    for (size_t i = 0; i < got; i++) {
        if (text[i] != '\r') text[n++] = text[i];  // CSV has one in front of each line's end; a page does not show it
    }
    while (n > 0 && text[n - 1] == '\n') n--;  // an answer of HTTP may end without one
    while (gm_str_ends(expected, GM_STR("\n"))) expected.len--;
    if (code != 0 || !gm_str_eq((gm_str){ text, n }, expected))
        fail_msg("%s\nprinted: %.*s\nthe page says: " GM_STR_FMT, (const char *)command.ptr, (int)n, text, GM_STR_ARG(expected));
    gm_buf_finish(&step);
    gm_buf_finish(&second);
    gm_buf_finish(&command);
}

static int run_console(const gm_served *server, const char *plant, gm_str body)
{
    int commands = 0;
    while (body.len > 0) {
        size_t end = gm_str_find_char(body, '\n');
        gm_str line = gm_str_slice(body, 2, end), rest = gm_str_slice(body, end + 1, body.len);
        assert_true(gm_str_starts(body, GM_STR("$ ")));
        size_t next = 0;  // what is printed goes on to the next command
        while (next < rest.len && !gm_str_starts(gm_str_slice(rest, next, rest.len), GM_STR("$ ")))
            next += gm_str_find_char(gm_str_slice(rest, next, rest.len), '\n') + 1;
        run_line(server, plant, line, gm_str_slice(rest, 0, next));
        body = gm_str_slice(rest, next, rest.len);
        commands++;
    }
    return commands;
}

static void run_page(const char *page, const char *needs)
{
    char   plant[256], data[300];
    gm_str info, body;
    gm_doc doc;
    int    commands = 0;
    if (access(needs, X_OK) != 0) {
        print_message("skipped: %s is not installed\n", needs);
        skip();
    }
    gm_test_make_dir(plant, sizeof plant);
    gm_doc_open(&doc, page);
    write_files(&doc, plant);
    gm_ran ran = GM_RUN("check", plant);
    if (ran.code != 0) fail_msg("%s%s", GM_TEXT(ran.out), GM_TEXT(ran.err));
    gm_ran_finish(&ran);
    snprintf(data, sizeof data, "%s/data", plant);
    gm_served *server = gm_serve(plant, data, NULL, NULL);
    setenv("GEMEL_HTTP", server->http, 1);
    while (gm_doc_next_block(&doc, &info, &body)) {
        if (gm_str_is(info, "console")) commands += run_console(server, plant, body);
    }
    assert_true(commands >= 4);
    assert_int_equal(gm_served_stop(server), 0);
    gm_doc_close(&doc);
    gm_test_remove_dir(plant);
}

static void the_page_about_bulk_ingest_is_right(void **state)
{
    (void)state;
    run_page("docs/ingest.md", "/usr/bin/curl");
}

static void the_page_about_mappings_is_right(void **state)
{
    (void)state;
    run_page("docs/formats/mappings.md", "/usr/bin/mosquitto_pub");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_about_bulk_ingest_is_right),
        cmocka_unit_test(the_page_about_mappings_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
