// docs/root-cause.md as it stands, and behind it: the rig is broken in one place and in two, and the server says in which.
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
