// docs/reliability.md is run as it stands: what it declares is checked and served, its commands answer about the pumphouse, its fault
// tree is analysed, becomes twins, is served and written again.
#include "support/doc.h"
#include "support/files.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct fixture {
    char       dir[256], plant[300], modes[400], xml[300], twins[300];
    gm_served *server;
    gm_doc     doc;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    char           command[1200];
    gm_str         info, body;
    gm_test_make_dir(f.dir, sizeof f.dir);
    snprintf(f.plant, sizeof f.plant, "%s/pumphouse", f.dir);
    snprintf(f.modes, sizeof f.modes, "%s/rules/waterworks.modes", f.plant);
    snprintf(f.xml, sizeof f.xml, "%s/pump.xml", f.dir);
    snprintf(f.twins, sizeof f.twins, "%s/pump", f.dir);
    snprintf(command, sizeof command, "cp -r '%s/examples/pumphouse' '%s' && rm -rf '%s/data'", getenv("GM_SOURCE_ROOT"), f.plant, f.plant);
    assert_int_equal(system(command), 0);
    gm_doc_open(&f.doc, "docs/reliability.md");
    while (gm_doc_next_block(&f.doc, &info, &body))
        if (gm_str_starts(info, GM_STR("xml"))) gm_test_write_file(f.xml, body);
    snprintf(command, sizeof command, "%s/data", f.plant);
    f.server = gm_serve(f.plant, command, NULL, NULL);
    setenv("GEMEL_HTTP", f.server->http, 1);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f    = *state;
    int      code = gm_served_stop(f->server);
    gm_test_remove_dir(f->dir);
    gm_doc_close(&f->doc);
    return code;
}

static void expect(const char *const *words, int code, const char *says)
{
    gm_ran ran = gm_run(words);
    if (ran.code != code || (strstr(GM_TEXT(ran.out), says) == NULL && strstr(GM_TEXT(ran.err), says) == NULL))
        fail_msg("%s %s: %d, '%s' '%s'; expected '%s'", words[0], words[1] != NULL ? words[1] : "", ran.code, GM_TEXT(ran.out), GM_TEXT(ran.err), says);
    gm_ran_finish(&ran);
}
#define EXPECT(code, says, ...) expect((const char *const[]){ __VA_ARGS__, NULL }, (code), (says))

static void its_commands_answer(void **state)
{
    fixture          *f       = *state;
    const char *const pairs[] = { "pump.xml", f->xml, NULL };
    gm_str            command;
    int               count = 0;
    gm_doc_rewind(&f->doc);
    while (gm_doc_next_command(&f->doc, &command)) {
        char **words = gm_doc_words(command, pairs);
        for (char **w = words; *w != NULL; w++)  // a folder of ours
            if (strcmp(*w, "pump") == 0) {
                free(*w);
                *w = strdup(f->twins);
            }
        gm_ran ran = gm_run((const char *const *)words + 1);
        if (ran.code != 0) fail_msg(GM_STR_FMT ": %s%s", GM_STR_ARG(command), GM_TEXT(ran.out), GM_TEXT(ran.err));
        gm_ran_finish(&ran);
        gm_doc_free_words(words);
        count++;
    }
    assert_int_equal(count, 11);
}

static void the_pumphouse_has_a_spare_pump_and_says_so(void **state)
{
    (void)state;
    EXPECT(0, "1 of 2 work, 1 needed; it stops when one more fails: pump2", "impact", "pump1");
    EXPECT(0, "8 others stop", "impact", "well");
    EXPECT(0, "The town has no water", "impact", "valve");
    EXPECT(0, "\"stops\":2,", "impact", "valve", "--json");
    EXPECT(1, "has no failure mode 'cracked'", "impact", "pump1", "--mode", "cracked");
    EXPECT(1, "nobody has said what this mode is", "impact", "pump1", "--mode", "does not report", "--outputs", "tower.level");
    EXPECT(2, "by which failure mode?", "impact", "pump1", "--outputs", "tower.level");
    EXPECT(1, "there is no variable 'tower.lvl'", "impact", "pump1", "--mode", "bearing", "--outputs", "tower.lvl");
    EXPECT(0, "pump1: by itself, pump2: after pump1", "reliability", "waterworks");
    EXPECT(0, "<define-gate name=\"town\">", "reliability", "town", "--export");
    EXPECT(1, "nobody", "reliability", "nobody");
}

static double last_of(const json_t *output)
{
    const json_t *mean = json_object_get(output, "mean");
    return json_number_value(json_array_get(mean, json_array_size(mean) - 1));
}

// The level falls until the spare pump has taken over, which costs what the other one would have cost.
static void the_failure_is_run_beside_the_same_futures_without_it(void **state)
{
    (void)state;
    gm_ran ran = GM_RUN("impact", "pump1", "--mode", "bearing", "--horizon", "3h", "--step", "2s", "--lanes", "16", "--outputs", "tower.level", "--score",
                        "integral(pump1.motor.power)", "--score", "integral(pump2.motor.power)", "--vary", "town.base*=uniform(0.9,1.1)", "--json");
    if (ran.code != 0) fail_msg("exit %d: %s", ran.code, GM_TEXT(ran.err));
    json_t *answer = json_loads(GM_TEXT(ran.out), 0, NULL), *all = json_object_get(json_object_get(answer, "futures"), "scenarios");
    json_t *without = json_object_get(all, "as it is"), *with = json_object_get(all, "failed");
    assert_string_equal(json_string_value(json_object_get(json_object_get(answer, "impact"), "injects")), "pump1.stopped");
    double before = last_of(json_object_get(json_object_get(without, "outputs"), "tower.level")), after = last_of(json_object_get(json_object_get(with, "outputs"), "tower.level"));
    assert_true(before > after + 0.5 && after > 1.5);
    for (int pump = 1; pump <= 2; pump++) {
        char name[40];
        snprintf(name, sizeof name, "integral(pump%d.motor.power)", pump);
        double was = json_number_value(json_object_get(json_object_get(json_object_get(without, "scores"), name), "mean"));
        double is  = json_number_value(json_object_get(json_object_get(json_object_get(with, "scores"), name), "mean"));
        assert_true(pump == 1 ? was > 1000 && is < 0.1 * was : is > 1000 && was < 0.1 * is);
    }
    json_decref(answer);
    gm_ran_finish(&ran);
}

// The first block of the page is a plant's declarations; they take the place of the example's while it is served.
static void declarations_are_checked_and_served_anew(void **state)
{
    fixture *f = *state;
    gm_str   info, body;
    gm_doc_rewind(&f->doc);
    assert_true(gm_doc_next_block(&f->doc, &info, &body));
    gm_test_write_file(f->modes, GM_STR("{\"needs\":[\n{\"name\":\"x\",\"on\":\"dtmi:gemel:pumphouse:Pump;1\",\"from\":\"<suplies\"}]}"));
    EXPECT(1, "rules/waterworks.modes:2: need 'x': no interface has a relationship 'suplies'", "check", f->plant);
    gm_test_write_file(f->modes, GM_STR("{\"modes\":[{\"name\":\"x\",\"on\":\"dtmi:gemel:pumphouse:Pump;1\",\"rate\":1,\"shownBy\":[{\"alarm\":\"hot\"}]}]}"));
    EXPECT(1, "no rule raises an alarm 'hot'", "check", f->plant);
    gm_test_write_file(f->modes, GM_STR("{\"modes\":[{\"name\":\"x\",\"on\":\"dtmi:gemel:pumphouse:Pump;1\",\"rate\":1,\"members\":\"SELECT TOP(1) FROM DIGITALTWINS\"}]}"));
    EXPECT(1, "followed twin by twin", "check", f->plant);
    gm_test_write_file(f->modes, body);
    EXPECT(0, "nothing wrong", "check", f->plant);
    gm_dur_ns until = gm_monotonic(gm_clock_system()) + 60 * GM_SECOND;
    while (gm_monotonic(gm_clock_system()) < until) {  // the folder is watched
        gm_ran ran   = gm_run((const char *const[]){ "impact", "well", "--json", NULL });
        bool   fresh = strstr(GM_TEXT(ran.out), "\"stops\":0") != NULL;  // nobody needs water any more
        gm_ran_finish(&ran);
        if (fresh) return;
    }
    fail_msg("the new failure modes are not served");
}

static double top_of(const char *const *words)
{
    gm_ran  ran  = gm_run(words);
    json_t *json = json_loads(GM_TEXT(ran.out), 0, NULL);
    if (ran.code != 0 || json == NULL) fail_msg("%s %s: %s%s", words[0], words[1], GM_TEXT(ran.out), GM_TEXT(ran.err));
    double p = json_number_value(json_object_get(json, "top_probability"));
    json_decref(json);
    gm_ran_finish(&ran);
    return p;
}

static void a_file_becomes_twins_and_a_file_again(void **state)
{
    fixture *f = *state;
    char     data[400], again[400];
    double   p = 1e-4 + (1 - 1e-4) * 0.01 * 0.02;
    EXPECT(0, "twins/faulttree.ndjson", "reliability", f->xml, "--twins", f->twins);
    EXPECT(0, "nothing wrong", "check", f->twins);
    snprintf(data, sizeof data, "%s/data", f->twins);
    gm_served *server = gm_serve(f->twins, data, NULL, NULL);
    setenv("GEMEL_HTTP", server->http, 1);
    assert_float_equal(top_of((const char *const[]){ "reliability", f->xml, "--json", NULL }), p, 1e-16);
    assert_float_equal(top_of((const char *const[]){ "reliability", "no_water", "--json", NULL }), p, 1e-16);
    gm_ran ran = gm_run((const char *const[]){ "reliability", "no_water", "--export", NULL });
    assert_int_equal(ran.code, 0);
    snprintf(again, sizeof again, "%s/again.xml", f->dir);
    gm_test_write_file(again, gm_str_of(GM_TEXT(ran.out)));
    gm_ran_finish(&ran);
    assert_float_equal(top_of((const char *const[]){ "reliability", again, "--json", NULL }), p, 1e-16);
    assert_int_equal(gm_served_stop(server), 0);
    setenv("GEMEL_HTTP", f->server->http, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_commands_answer),
        cmocka_unit_test(the_pumphouse_has_a_spare_pump_and_says_so),
        cmocka_unit_test(the_failure_is_run_beside_the_same_futures_without_it),
        cmocka_unit_test(declarations_are_checked_and_served_anew),
        cmocka_unit_test(a_file_becomes_twins_and_a_file_again),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
