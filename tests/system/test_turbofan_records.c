// examples/turbofan/README.md on NASA's flights: made-up records of how engines were built are held against how they began, and
// modules change engines. Its commands are run as they stand, and answer what the page says.
#include "insight/learn/boost.h"
#include "support/doc.h"
#include "support/files.h"
#include "support/golden.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char QUERY[] = "SELECT * FROM DIGITALTWINS E WHERE IS_OF_MODEL(E, 'dtmi:gemel:turbofan:Engine;1')";

typedef struct fixture { char dir[256], plant[300], data[300], flights[400], records[300], dealt[300]; } fixture;

static void make_records(const fixture *f, const char *options, const char *to)
{
    char command[1500];
    snprintf(command, sizeof command, "python3 '%s/examples/turbofan/records.py' '%s' %s > '%s'", gm_test_root(), f->flights, options, to);
    assert_int_equal(system(command), 0);
}

static void check(const gm_ran *ran, const char *what)
{
    if (ran->code != 0) fail_msg("%s: %d %s%s", what, ran->code, GM_TEXT(ran->out), GM_TEXT(ran->err));
}

static gm_served *prepare(fixture *f)
{
    char command[1500], folder[400], model[400];
    snprintf(f->plant, sizeof f->plant, "%s/plant", f->dir);
    snprintf(f->data, sizeof f->data, "%s/data", f->dir);
    snprintf(f->records, sizeof f->records, "%s/records.csv", f->dir);
    snprintf(f->dealt, sizeof f->dealt, "%s/dealt.csv", f->dir);
    snprintf(folder, sizeof folder, "%s/../shared/data/cmapss", gm_test_root());
    snprintf(model, sizeof model, "%s/insight/turbofan", f->plant);
    snprintf(command, sizeof command, "cp -r '%s/examples/turbofan' '%s' && rm -rf '%s/data' '%s'", gm_test_root(), f->plant, f->plant, model);
    assert_int_equal(system(command), 0);
    gm_ran ran = GM_RUN("train", "turbofan", "--data", folder, "--set", "FD001", "--out", model);
    check(&ran, "train");
    gm_ran_finish(&ran);
    gm_served *s = gm_serve(f->plant, f->data, NULL, NULL);
    ran          = GM_RUN("replay", f->plant, "--data", f->flights, "--mqtt", s->mqtt, "--rate", "max");
    check(&ran, "replay");
    gm_ran_finish(&ran);
    make_records(f, "", f->records);
    make_records(f, "--deal 37", f->dealt);
    setenv("GEMEL_HTTP", s->http, 1);
    return s;
}

// Commands of a block one after the other; the text behind it is what they print together.
static void run_page(const fixture *f)
{
    gm_doc doc;
    gm_str info, body, line;
    gm_buf out = gm_buf_init(gm_alloc_system());
    int    commands = 0, compared = 0;
    gm_doc_open(&doc, "examples/turbofan/README.md");
    for (bool ours = false; gm_doc_next_block(&doc, &info, &body); ours = gm_str_is(info, "sh")) {
        if (gm_str_is(info, "text") && ours) {
            gm_doc_expect(body, gm_buf_view(&out));
            compared++;
        }
        if (gm_str_is(info, "sh")) gm_buf_clear(&out);
        while (gm_str_is(info, "sh") && gm_str_next(&body, '\n', &line)) {
            if (line.len == 0) continue;
            char **words = gm_doc_words(line, (const char *const[]){ "records.csv", f->records, "examples/turbofan", f->plant, NULL });
            gm_ran ran   = gm_run((const char *const *)words + 1);
            bool   diff  = strcmp(words[2], "diff") == 0;  // says no: something is out of tolerance
            if (ran.code != (diff ? 1 : 0)) fail_msg(GM_STR_FMT ": exit %d: %s%s", GM_STR_ARG(line), ran.code, GM_TEXT(ran.out), GM_TEXT(ran.err));
            gm_buf_str(&out, gm_buf_view(&ran.out));
            while (out.len > 0 && out.ptr[out.len - 1] == '\0') out.len--;
            gm_ran_finish(&ran);
            gm_doc_free_words(words);
            commands++;
        }
    }
    assert_true(commands >= 9 && compared >= 6);
    gm_buf_finish(&out);
    gm_doc_close(&doc);
}

static bool holds(const char *engine, const char *time, const char *part)
{
    gm_ran ran   = GM_RUN("thread", "parts", engine, "--valid", time, "--json");
    bool   found = ran.code == 0 && strstr(GM_TEXT(ran.out), part) != NULL;
    gm_ran_finish(&ran);
    return found;
}

// Modules of four kinds flew in one engine, then in another; each engine remembers what it held.
static void expect_moves(void)
{
    static const struct { const char *part, *from, *to; } moves[] = {
        { "HPC-001", "engine-001", "engine-004" }, { "HPT-001", "engine-001", "engine-002" }, { "FAN-002", "engine-002", "engine-005" },
        { "LPT-004", "engine-004", "engine-005" }, { "HPC-004", "engine-004", "engine-005" },
    };
    for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++) {
        const char *begin = "2026-01-05T00:00:00Z", *end = "2026-04-01T00:00:00Z";
        if (!holds(moves[i].from, begin, moves[i].part) || holds(moves[i].from, end, moves[i].part) || holds(moves[i].to, begin, moves[i].part) ||
            !holds(moves[i].to, end, moves[i].part))
            fail_msg("%s did not go from %s to %s", moves[i].part, moves[i].from, moves[i].to);
    }
}

static json_t *explain(const char *query)
{
    gm_ran  ran = GM_RUN("thread", "explain", query, "--health", "turbofan", "--rows", "40", "--every", "2", "--json");
    check(&ran, "explain");
    json_t *answer = json_loads(GM_TEXT(ran.out), 0, NULL);
    assert_non_null(answer);
    gm_ran_finish(&ran);
    return answer;
}

static double number(const json_t *object, const char *member) { return json_number_value(json_object_get(object, member)); }

// The records explain flights that they were not made of. Dice explain nothing, and neither do the records of other engines.
static void expect_shares(const fixture *f)
{
    json_t       *answer = explain(QUERY);
    const json_t *list   = json_object_get(answer, "deviations");
    assert_true(number(answer, "twins") == 100 && json_array_size(list) == 11);
    assert_true(number(answer, "r2LeftOut") > 0.8 && number(answer, "r2LeftOut") < number(answer, "r2") && number(answer, "noise") < 0.02);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *d    = json_array_get(list, i);
        const char   *name = json_string_value(json_object_get(d, "name"));
        bool          dice = strcmp(name, "fan/imbalance") == 0 || strcmp(name, "lpc/surface roughness") == 0;
        if (dice && (!(number(d, "low") < 0 && number(d, "high") > 0) || fabs(number(d, "share")) > 0.01)) fail_msg("%s is credited with %g", name, number(d, "share"));
    }
    json_decref(answer);
    gm_ran ran = GM_RUN("thread", "import", f->dealt);
    check(&ran, "import");
    gm_ran_finish(&ran);
    answer = explain(QUERY);
    if (!(number(answer, "r2LeftOut") < 0) || !(number(answer, "chance") > 0.05)) fail_msg("others' records explain %g", number(answer, "r2LeftOut"));
    json_decref(answer);
}

static void records_explain_how_engines_began_and_modules_change_engines(void **state)
{
    (void)state;
    fixture f;
    snprintf(f.flights, sizeof f.flights, "%s/../shared/data/cmapss/train_FD001.txt.gz", gm_test_root());
    if (access(f.flights, R_OK) != 0 || !gm_boost_available()) {
        print_message("skipped: NASA's flights are not here, or built without XGBoost\n");
        skip();
    }
    gm_test_make_dir(f.dir, sizeof f.dir);
    gm_served *s = prepare(&f);
    run_page(&f);
    expect_moves();
    expect_shares(&f);
    assert_int_equal(gm_served_stop(s), 0);
    unsetenv("GEMEL_HTTP");
    gm_test_remove_dir(f.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(records_explain_how_engines_began_and_modules_change_engines) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
