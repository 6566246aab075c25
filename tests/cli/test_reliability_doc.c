// docs/reliability.md is run as it stands: what it declares is checked and served, its commands answer about the pumphouse, its fault
// tree is analysed, becomes twins, is served and written again.
#include "support/files.h"
#include "support/page.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct fixture { gm_page page; char modes[500], xml[300], twins[300]; } fixture;

static int set_up(void **state)
{
    static fixture f;
    gm_str         info, body;
    gm_page_open(&f.page, "docs/reliability.md", "pumphouse");
    snprintf(f.modes, sizeof f.modes, "%s/rules/waterworks.modes", f.page.plant);
    snprintf(f.xml, sizeof f.xml, "%s/pump.xml", f.page.dir);
    snprintf(f.twins, sizeof f.twins, "%s/twins", f.page.dir);
    while (gm_doc_next_block(&f.page.doc, &info, &body))
        if (gm_str_starts(info, GM_STR("xml"))) gm_test_write_file(f.xml, body);
    gm_page_serve(&f.page);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    return gm_page_close(&f->page);
}

static void its_commands_answer(void **state)
{
    fixture *f = *state;
    assert_int_equal(gm_page_run(&f->page, (const char *const[]){ "pump.xml", f->xml, "pump-twins", f->twins, NULL }, NULL), 11);
}

static void the_pumphouse_has_a_spare_pump_and_says_so(void **state)
{
    (void)state;
    GM_EXPECT(0, "1 of 2 work, 1 needed; it stops when one more fails: pump2", "impact", "pump1");
    GM_EXPECT(0, "8 others stop", "impact", "well");
    GM_EXPECT(0, "The town has no water", "impact", "valve");
    GM_EXPECT(0, "\"stops\":2,", "impact", "valve", "--json");
    GM_EXPECT(1, "has no failure mode 'cracked'", "impact", "pump1", "--mode", "cracked");
    GM_EXPECT(1, "nobody has said what this mode is", "impact", "pump1", "--mode", "does not report", "--outputs", "tower.level");
    GM_EXPECT(2, "by which failure mode?", "impact", "pump1", "--outputs", "tower.level");
    GM_EXPECT(1, "there is no variable 'tower.lvl'", "impact", "pump1", "--mode", "bearing", "--outputs", "tower.lvl");
    GM_EXPECT(0, "pump1: by itself, pump2: after pump1", "reliability", "waterworks");
    GM_EXPECT(0, "<define-gate name=\"town\">", "reliability", "town", "--export");
    GM_EXPECT(1, "nobody", "reliability", "nobody");
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
    gm_doc_rewind(&f->page.doc);
    assert_true(gm_doc_next_block(&f->page.doc, &info, &body));
    gm_test_write_file(f->modes, GM_STR("{\"needs\":[\n{\"name\":\"x\",\"on\":\"dtmi:gemel:pumphouse:Pump;1\",\"from\":\"<suplies\"}]}"));
    GM_EXPECT(1, "rules/waterworks.modes:2: need 'x': no interface has a relationship 'suplies'", "check", f->page.plant);
    gm_test_write_file(f->modes, GM_STR("{\"modes\":[{\"name\":\"x\",\"on\":\"dtmi:gemel:pumphouse:Pump;1\",\"rate\":1,\"shownBy\":[{\"alarm\":\"hot\"}]}]}"));
    GM_EXPECT(1, "no rule raises an alarm 'hot'", "check", f->page.plant);
    gm_test_write_file(f->modes, GM_STR("{\"modes\":[{\"name\":\"x\",\"on\":\"dtmi:gemel:pumphouse:Pump;1\",\"rate\":1,\"members\":\"SELECT TOP(1) FROM DIGITALTWINS\"}]}"));
    GM_EXPECT(1, "followed twin by twin", "check", f->page.plant);
    gm_test_write_file(f->modes, body);
    GM_EXPECT(0, "nothing wrong", "check", f->page.plant);
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
    GM_EXPECT(0, "twins/faulttree.ndjson", "reliability", f->xml, "--twins", f->twins);
    GM_EXPECT(0, "nothing wrong", "check", f->twins);
    snprintf(data, sizeof data, "%s/data", f->twins);
    gm_served *server = gm_serve(f->twins, data, NULL, NULL);
    setenv("GEMEL_HTTP", server->http, 1);
    assert_float_equal(top_of((const char *const[]){ "reliability", f->xml, "--json", NULL }), p, 1e-16);
    assert_float_equal(top_of((const char *const[]){ "reliability", "no_water", "--json", NULL }), p, 1e-16);
    gm_ran ran = gm_run((const char *const[]){ "reliability", "no_water", "--export", NULL });
    assert_int_equal(ran.code, 0);
    snprintf(again, sizeof again, "%s/again.xml", f->page.dir);
    gm_test_write_file(again, gm_str_of(GM_TEXT(ran.out)));
    gm_ran_finish(&ran);
    assert_float_equal(top_of((const char *const[]){ "reliability", again, "--json", NULL }), p, 1e-16);
    assert_int_equal(gm_served_stop(server), 0);
    setenv("GEMEL_HTTP", f->page.server->http, 1);
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
