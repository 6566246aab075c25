// docs/estimation.md is run as it stands, over an hour of a plant: its estimate is the plant's,
// its rig is the plant, its commands answer.
#include "support/doc.h"
#include "support/files.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct fixture {
    char       dir[256], plant[300], mismatch[300], from[GM_TIME_TEXT], to[GM_TIME_TEXT];
    gm_served *server;
    gm_doc     doc;
} fixture;

enum { WORDS = 40 };

static int set_up(void **state)
{
    static fixture f;
    char           path[1000];
    gm_time_ns     begin = (gm_now(gm_clock_system()) / GM_DAY + 1) * GM_DAY + 8 * GM_HOUR + 45 * GM_MINUTE;  // tomorrow: newer than the plant's files
    gm_str         info, body;
    gm_test_make_dir(f.dir, sizeof f.dir);
    snprintf(f.plant, sizeof f.plant, "%s/plant", f.dir);
    snprintf(f.mismatch, sizeof f.mismatch, "%s/mismatch.json", f.dir);
    snprintf(path, sizeof path, "cp -r '%s/examples/pumphouse' '%s' && rm -rf '%s/data'", getenv("GM_SOURCE_ROOT"), f.plant, f.plant);
    assert_int_equal(system(path), 0);
    gm_time_format(begin, f.from);
    gm_time_format(begin + GM_HOUR, f.to);
    gm_doc_open(&f.doc, "docs/estimation.md");
    assert_true(gm_doc_next_block(&f.doc, &info, &body));
    assert_true(gm_str_is(info, "json"));
    snprintf(path, sizeof path, "%s/estimate/waterworks.json", f.plant);
    gm_test_write_file(path, body);
    // "with `{...}` in mismatch.json"
    gm_str text = gm_buf_view(&f.doc.text), key = GM_STR("with `{");
    size_t at   = gm_str_find(text, key);
    assert_int_not_equal(at, SIZE_MAX);
    text = gm_str_slice(text, at + key.len - 1, text.len);
    gm_test_write_file(f.mismatch, gm_str_slice(text, 0, gm_str_find_char(text, '`')));
    snprintf(path, sizeof path, "%s/data", f.plant);
    f.server = gm_serve(f.plant, path, NULL, NULL);
    setenv("GEMEL_HTTP", f.server->http, 1);
    setenv("GEMEL_MQTT", f.server->mqtt, 1);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    if (f->server != NULL) gm_served_stop(f->server);
    gm_test_remove_dir(f->dir);
    gm_doc_close(&f->doc);
    return 0;
}

// Runs the commands that hold `has` and not `lacks`; more: further words, NULL at their end. Returns how many there were.
static int run_those(fixture *f, const char *has, const char *lacks, const char *const *more)
{
    gm_str command;
    int    count = 0;
    gm_doc_rewind(&f->doc);
    while (gm_doc_next_command(&f->doc, &command)) {
        const char *all[WORDS] = { NULL };
        size_t      n          = 0;
        if (gm_str_find(command, gm_str_of(has)) == SIZE_MAX || (lacks != NULL && gm_str_find(command, gm_str_of(lacks)) != SIZE_MAX)) continue;
        char **words = gm_doc_words(command, (const char *const[]){ "PLANT", f->plant, "examples/pumphouse", f->plant, "mismatch.json", f->mismatch, "FROM", f->from,
                                                                    "TO", f->to, "7d", "10min", NULL });
        for (size_t i = 1; words[i] != NULL && n + 1 < WORDS; i++) all[n++] = words[i];
        for (size_t i = 0; more[i] != NULL && n + 1 < WORDS; i++) all[n++] = more[i];
        gm_ran ran = gm_run(all);
        if (ran.code != 0) fail_msg(GM_STR_FMT ": %s%s", GM_STR_ARG(command), GM_TEXT(ran.out), GM_TEXT(ran.err));
        assert_true(ran.out.len > 0 || gm_str_is(gm_str_of(all[0]), "rig"));
        gm_ran_finish(&ran);
        gm_doc_free_words(words);
        count++;
    }
    return count;
}

static bool is_known(void)
{
    gm_ran ran  = GM_RUN("estimate", "--json");
    bool   good = ran.code == 0 && strstr(GM_TEXT(ran.out), "\"innovation\"") != NULL;
    gm_ran_finish(&ran);
    return good;
}

static void its_commands_answer(void **state)
{
    fixture *f = *state;
    assert_int_equal(run_those(f, "gemel rig", NULL, (const char *const[]){ "--begin", f->from, "--count", "360", NULL }), 1);
    gm_dur_ns end = gm_monotonic(gm_clock_system()) + 60 * GM_SECOND;
    while (!is_known())
        if (gm_monotonic(gm_clock_system()) > end) fail_msg("nothing is estimated after a minute");
    // Of the server that runs.
    assert_int_equal(run_those(f, "gemel estimate", "PLANT", (const char *const[]){ NULL }), 1);
    assert_int_equal(run_those(f, "--from-estimate", NULL, (const char *const[]){ "--lanes", "16", NULL }), 1);
    int code  = gm_served_stop(f->server);
    f->server = NULL;
    assert_int_equal(code, 0);
    // Of its record.
    assert_int_equal(run_those(f, "gemel estimate PLANT", NULL, (const char *const[]){ NULL }), 3);
    assert_int_equal(run_those(f, "gemel calibrate", NULL, (const char *const[]){ "--starts", "2", NULL }), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(its_commands_answer) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
