// docs/rollups.md is run as it stands: what it declares is checked and served, its commands answer, and a new file takes the place
// of the old one while the plant is served.
#include "support/files.h"
#include "support/http_client.h"
#include "support/page.h"
#include "support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct fixture { gm_page page; char rollups[500]; } fixture;

static int set_up(void **state)
{
    static fixture f;
    gm_str         info, body;
    gm_page_open(&f.page, "docs/rollups.md", "pumphouse");
    snprintf(f.rollups, sizeof f.rollups, "%s/rules/waterworks.rollups", f.page.plant);
    assert_true(gm_doc_next_block(&f.page.doc, &info, &body));
    gm_test_write_file(f.rollups, body);
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
    assert_int_equal(gm_page_run(&f->page, (const char *const[]){ NULL }, "waterworks"), 6);
}

static void values_follow_what_is_written(void **state)
{
    fixture *f = *state;
    GM_EXPECT(0, "20", "rollup", "hottest motor", "--twin", "waterworks");
    test_http_client client;
    test_http_open(&client, (uint16_t)atoi(strchr(f->page.server->http, ':') + 1), NULL, NULL);
    assert_int_equal(test_http_ask(&client, "POST", "/digitaltwins/pump2/components/motor/telemetry?api-version=2023-10-31", "Message-Id: 1\r\n",
                                   "{\"temperature\":71.5}")->status, 204);
    test_http_shut(&client);
    GM_EXPECT(0, "\"value\":71.5,\"unit\":\"°C\",\"members\":2,\"missing\":0", "rollup", "hottest motor", "--json");
    GM_EXPECT(1, "there is no roll-up 'coldest motor'", "rollup", "coldest motor");
    GM_EXPECT(1, "nobody", "rollup", "power", "--twin", "nobody");
}

static void a_new_file_takes_the_place_of_the_old_one_unless_it_is_wrong(void **state)
{
    fixture *f = *state;
    gm_test_write_file(f->rollups, GM_STR("{\"rollups\":[{\"name\":\"a\",\"function\":\"sum\",\"property\":\"nothing\"}]}"));
    GM_EXPECT(1, "no interface has a property 'nothing'", "check", f->page.plant);
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
