// docs/rollups.md is run as it stands: what it declares is checked and served, its commands answer, and a new file takes the place
// of the old one while the plant is served.
#include "support/doc.h"
#include "support/files.h"
#include "support/http_client.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct fixture {
    char       dir[256], plant[300], rollups[400];
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
    snprintf(f.rollups, sizeof f.rollups, "%s/rules/waterworks.rollups", f.plant);
    snprintf(command, sizeof command, "cp -r '%s/examples/pumphouse' '%s' && rm -rf '%s/data'", getenv("GM_SOURCE_ROOT"), f.plant, f.plant);
    assert_int_equal(system(command), 0);
    gm_doc_open(&f.doc, "docs/rollups.md");
    assert_true(gm_doc_next_block(&f.doc, &info, &body));
    gm_test_write_file(f.rollups, body);
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

static void its_commands_answer(void **state)
{
    fixture *f = *state;
    gm_str   command;
    int      count = 0;
    gm_doc_rewind(&f->doc);
    while (gm_doc_next_command(&f->doc, &command)) {
        char **words = gm_doc_words(command, (const char *const[]){ NULL });
        gm_ran ran   = gm_run((const char *const *)words + 1);
        if (ran.code != 0) fail_msg(GM_STR_FMT ": %s%s", GM_STR_ARG(command), GM_TEXT(ran.out), GM_TEXT(ran.err));
        assert_non_null(strstr(GM_TEXT(ran.out), "waterworks"));
        gm_ran_finish(&ran);
        gm_doc_free_words(words);
        count++;
    }
    assert_int_equal(count, 4);
}

static void values_follow_what_is_written(void **state)
{
    fixture *f = *state;
    expect((const char *const[]){ "rollup", "hottest motor", "--twin", "waterworks", NULL }, 0, "20");
    test_http_client client;
    test_http_open(&client, (uint16_t)atoi(strchr(f->server->http, ':') + 1), NULL, NULL);
    assert_int_equal(test_http_ask(&client, "POST", "/digitaltwins/pump2/components/motor/telemetry?api-version=2023-10-31", "Message-Id: 1\r\n",
                                   "{\"temperature\":71.5}")->status, 204);
    test_http_shut(&client);
    expect((const char *const[]){ "rollup", "hottest motor", "--json", NULL }, 0, "\"value\":71.5,\"unit\":\"°C\",\"members\":2,\"missing\":0");
    expect((const char *const[]){ "rollup", "coldest motor", NULL }, 1, "there is no roll-up 'coldest motor'");
    expect((const char *const[]){ "rollup", "power", "--twin", "nobody", NULL }, 1, "nobody");
}

static void a_new_file_takes_the_place_of_the_old_one_unless_it_is_wrong(void **state)
{
    fixture *f = *state;
    gm_test_write_file(f->rollups, GM_STR("{\"rollups\":[{\"name\":\"a\",\"function\":\"sum\",\"property\":\"nothing\"}]}"));
    expect((const char *const[]){ "check", f->plant, NULL }, 1, "no interface has a property 'nothing'");
    gm_test_write_file(f->rollups, GM_STR("{\"rollups\":[{\"name\":\"levels\",\"function\":\"max\",\"property\":\"level\"}]}"));
    gm_dur_ns until = gm_monotonic(gm_clock_system()) + 40 * GM_SECOND;
    while (gm_monotonic(gm_clock_system()) < until) {  // the folder is watched
        gm_ran ran   = gm_run((const char *const[]){ "rollup", "--json", NULL });
        bool   fresh = strstr(GM_TEXT(ran.out), "\"name\":\"levels\",\"function\":\"max\",\"value\":15") != NULL;
        gm_ran_finish(&ran);
        if (fresh) return;
    }
    fail_msg("the new roll-ups are not served");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_commands_answer),
        cmocka_unit_test(values_follow_what_is_written),
        cmocka_unit_test(a_new_file_takes_the_place_of_the_old_one_unless_it_is_wrong),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
