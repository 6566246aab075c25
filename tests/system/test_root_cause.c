// docs/root-cause.md as it stands, and behind it: the rig is broken in one place and in two, and the server says in which.
#include "support/files.h"
#include "support/http_client.h"
#include "support/page.h"
#include "support/support.h"

#include <stdlib.h>
#include <string.h>

static gm_page page;

static int set_up(void **state)
{
    gm_page_open(&page, "docs/root-cause.md", "pumphouse");
    gm_page_serve(&page);
    *state = &page;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return gm_page_close(&page);
}

// Five hours of the waterworks, a sample every half minute, broken after four.
static void break_it(const char *fault, const char *second)
{
    gm_ran ran = GM_RUN("rig", page.plant, "--root", "tower", "--own-clock", "--speed", "3000", "--interval", "10ms", "--noise", "--count", "620", "--mqtt",
                        page.server->mqtt, "--fault", fault, second != NULL ? "--fault" : NULL, second);
    if (ran.code != 0) fail_msg("the rig: %s", GM_TEXT(ran.err));
    gm_ran_finish(&ran);
}

static const char *text(const json_t *object, const char *key)
{
    const char *found = json_string_value(json_object_get(object, key));
    return found != NULL ? found : "";
}

static void expect_origin(const json_t *origin, const char *twin, const char *mode)
{
    double size = json_number_value(json_object_get(origin, "size"));
    if (strcmp(text(origin, "twin"), twin) != 0 || strcmp(text(origin, "mode"), mode) != 0) fail_msg("%s.%s is told in place of %s.%s", text(origin, "twin"), text(origin, "mode"), twin, mode);
    assert_true(size > 0.8 && size < 1.2);
}

static void wait_for_note(const char *note)
{
    gm_child *server = page.server->child;
    for (int i = 0; i < 600 && gm_str_find(gm_buf_view(&server->err_text), gm_str_of(note)) == SIZE_MAX; i++) gm_child_read(server, 100);
    if (gm_str_find(gm_buf_view(&server->err_text), gm_str_of(note)) == SIZE_MAX) fail_msg("the server never said '%s': %s", note, GM_TEXT(server->err_text));
}

static void wait_for_hunt(void)
{
    test_http_client client;
    bool             hunts = false;
    test_http_open(&client, (uint16_t)atoi(strrchr(page.server->http, ':') + 1), NULL, NULL);
    for (int i = 0; i < 60000 && !hunts; i++)
        hunts = gm_str_find(gm_buf_view(&test_http_ask(&client, "GET", "/metrics", NULL, NULL)->body), GM_STR("\ngemel_origin_hunts 1\n")) != SIZE_MAX;
    test_http_shut(&client);
    assert_true(hunts);
}

// rules/*.modes are taken back while the hunt runs: what it was told of them is no longer there.
static void the_answer_keeps_to_the_files_it_was_asked_under(void)
{
    char      path[500];
    gm_child *asks = gm_child_start((const char *const[]){ "origins", "--search", "4h", "--json", NULL });
    snprintf(path, sizeof path, "%s/rules/waterworks.modes", page.plant);
    wait_for_hunt();
    gm_test_write_file(path, GM_STR("{ \"modes\": [] }\n"));
    wait_for_note("rules have changed");
    assert_int_equal(gm_child_wait(asks), 0);
    assert_non_null(strstr(GM_TEXT(asks->out_text), "\"failure\":\"shut\""));
    gm_child_free(asks);
}

static void one_fault_is_named_with_its_size_and_its_alarm(void **state)
{
    (void)state;
    break_it("valve.blocked@4h", NULL);
    assert_int_equal(gm_page_run(&page, (const char *const[]){ NULL }, "valve"), 2);
    json_t       *answer = gm_served_ask(page.server, "GET", "/v1/origins?search=2h", NULL, 200);
    const json_t *first  = json_array_get(json_object_get(answer, "items"), 0);
    expect_origin(first, "valve", "blocked");
    assert_true(json_number_value(json_object_get(first, "probability")) > 0.9 && json_number_value(json_object_get(first, "strain")) < 1);
    assert_null(json_object_get(first, "with"));
    assert_string_equal(text(first, "failure"), "shut");
    assert_true(json_is_true(json_object_get(answer, "explained")) && json_number_value(json_object_get(answer, "none")) < 0.01);
    json_decref(answer);
    GM_EXPECT(1, "nothing", "origins", "--name", "nothing");
    the_answer_keeps_to_the_files_it_was_asked_under();
}

// No single fault explains it: that is said, and which two do.
static void two_faults_are_told_as_two(void **state)
{
    (void)state;
    break_it("valve.blocked@4h", "pump1.friction@270min");
    json_t       *answer = gm_served_ask(page.server, "GET", "/v1/origins?search=2h", NULL, 200);
    const json_t *first  = json_array_get(json_object_get(answer, "items"), 0);
    assert_true(json_is_true(json_object_get(answer, "pairs")));
    expect_origin(first, "valve", "blocked");
    expect_origin(json_object_get(first, "with"), "pump1", "friction");
    assert_true(json_number_value(json_object_get(first, "probability")) > 0.9 && json_is_true(json_object_get(answer, "explained")));
    json_decref(answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_fault_is_named_with_its_size_and_its_alarm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_faults_are_told_as_two, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
