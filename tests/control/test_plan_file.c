#include "control/optimise/plan_file.h"

#include "support/support.h"

#include <stdio.h>
#include <string.h>

#define GOOD "\"name\":\"n\",\"root\":\"t\",\"goals\":[\"integral(a.b)\"],\"inputs\":[\"a.c=0..1\"]"

static void a_plan_is_read_with_its_defaults(void **state)
{
    (void)state;
    gm_arena     *arena = gm_arena_create(gm_alloc_system(), 0);
    gm_plan_setup s[GM_PLANS_MAX];
    uint32_t      count = 0;
    gm_error      err   = { 0 };
    gm_str        text  = GM_STR("{\"plans\":[{" GOOD ",\"limits\":[\"a.b <= 3\"],\"tariff\":\"00:00=1\",\"every\":\"30min\",\"again\":\"5min\","
                                 "\"lanes\":64,\"method\":\"mppi\",\"seed\":7,\"penalty\":1e3}]}");
    assert_gm_ok(gm_plan_file_read(arena, text, s, &count, &err), err);
    assert_gm_ok(gm_plan_file_read(arena, GM_STR("{\"plans\":[{\"name\":\"m\",\"root\":\"t\",\"goals\":[\"g\"],\"inputs\":[\"i\"]}]}"), s, &count, &err), err);
    assert_int_equal(count, 2);
    assert_true(gm_str_is(s[0].name, "n") && gm_str_is(s[0].root, "t") && gm_str_is(s[0].limits.items[0], "a.b <= 3") && gm_str_is(s[0].tariff, "00:00=1"));
    assert_int_equal(s[0].mpc.knots, 48);
    assert_true(s[0].mpc.knot_s == 1800 && s[0].mpc.look_s == 60 && s[0].again_s == 300 && s[0].penalty == 1000);
    assert_true(s[0].mpc.lanes == 64 && s[0].mpc.method == GM_MPC_MPPI && s[0].mpc.seed == 7);
    assert_true(s[1].mpc.knots == 24 && s[1].again_s == 3600 && s[1].mpc.method == GM_MPC_CEM && s[1].tariff.len == 0 && s[1].limits.count == 0);
    // Settings hold for the whole horizon.
    count = 0;
    assert_gm_ok(gm_plan_file_read(arena, GM_STR("{\"plans\":[{" GOOD ",\"method\":\"settings\",\"horizon\":\"12h\",\"again\":\"30min\",\"unknown\":[\"a.d*=uniform(0.9,1.1)\"]}]}"),
                                   s, &count, &err), err);
    assert_true(s[0].settings && s[0].mpc.knots == 1 && s[0].mpc.knot_s == 43200 && s[0].mpc.look_s == 60 && s[0].again_s == 1800);
    assert_true(s[0].unknown.count == 1 && gm_str_is(s[0].unknown.items[0], "a.d*=uniform(0.9,1.1)"));
    gm_arena_destroy(arena);
}

static void what_is_wrong_is_told_with_plan_and_member(void **state)
{
    (void)state;
    static const struct { const char *text, *says; } cases[] = {
        { "{\"plans\":[", "" },
        { "[]", "list \"plans\"" },
        { "{\"plans\":[],\"more\":1}", "list \"plans\"" },
        { "{\"plans\":[3]}", "a plan is an object" },
        { "{\"plans\":[{\"root\":\"t\"}]}", "\"name\"" },
        { "{\"plans\":[{" GOOD "},{" GOOD "}]}", "two plans are called 'n'" },
        { "{\"plans\":[{" GOOD ",\"gaols\":[]}]}", "plan 'n': \"gaols\"" },
        { "{\"plans\":[{\"name\":\"n\",\"root\":\"t\",\"goals\":[],\"inputs\":[\"a\"]}]}", "\"goals\"" },
        { "{\"plans\":[{\"name\":\"n\",\"root\":\"t\",\"goals\":[1],\"inputs\":[\"a\"]}]}", "\"goals\"" },
        { "{\"plans\":[{\"name\":\"n\",\"root\":\"t\",\"goals\":[\"g\"]}]}", "\"inputs\"" },
        { "{\"plans\":[{" GOOD ",\"horizon\":\"yesterday\"}]}", "\"horizon\"" },
        { "{\"plans\":[{" GOOD ",\"horizon\":\"1min\"}]}", "\"horizon\"" },
        { "{\"plans\":[{" GOOD ",\"horizon\":\"365d\",\"every\":\"1min\"}]}", "\"horizon\"" },
        { "{\"plans\":[{" GOOD ",\"again\":\"10ms\"}]}", "\"again\"" },
        { "{\"plans\":[{" GOOD ",\"step\":\"-1s\"}]}", "\"step\"" },
        { "{\"plans\":[{" GOOD ",\"lanes\":4}]}", "\"lanes\"" },
        { "{\"plans\":[{" GOOD ",\"rounds\":1.5}]}", "\"rounds\"" },
        { "{\"plans\":[{" GOOD ",\"method\":\"luck\"}]}", "\"method\"" },
        { "{\"plans\":[{" GOOD ",\"method\":\"settings\",\"every\":\"1h\"}]}", "\"every\"" },
        { "{\"plans\":[{" GOOD ",\"unknown\":\"a\"}]}", "\"unknown\"" },
        { "{\"plans\":[{" GOOD ",\"penalty\":-1}]}", "\"penalty\"" },
        { "{\"plans\":[{" GOOD ",\"tariff\":5}]}", "\"tariff\"" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_arena     *arena = gm_arena_create(gm_alloc_system(), 0);
        gm_plan_setup s[GM_PLANS_MAX];
        uint32_t      count = 0;
        gm_error      err   = { 0 };
        gm_status     st    = gm_plan_file_read(arena, gm_str_of(cases[i].text), s, &count, &err);
        if (st != GM_INVALID || strstr(err.text, cases[i].says) == NULL) fail_msg("%s: status %d, %s", cases[i].text, (int)st, err.text);
        if (i == 0) assert_true(err.line == 1 && err.column > 1);
        gm_arena_destroy(arena);
    }
}

static void a_plant_has_a_most_of_plans(void **state)
{
    (void)state;
    gm_arena     *arena = gm_arena_create(gm_alloc_system(), 0);
    gm_buf        text  = gm_buf_init(gm_alloc_system());
    gm_plan_setup s[GM_PLANS_MAX];
    uint32_t      count = 0;
    gm_error      err   = { 0 };
    gm_buf_text(&text, "{\"plans\":[");
    for (int i = 0; i <= GM_PLANS_MAX; i++) gm_buf_printf(&text, "%s{\"name\":\"p%d\",\"root\":\"t\",\"goals\":[\"g\"],\"inputs\":[\"i\"]}", i > 0 ? "," : "", i);
    gm_buf_text(&text, "]}");
    assert_int_equal(gm_plan_file_read(arena, gm_buf_view(&text), s, &count, &err), GM_LIMIT);
    assert_int_equal(count, GM_PLANS_MAX);
    gm_buf_finish(&text);
    gm_arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_is_read_with_its_defaults),
        cmocka_unit_test(what_is_wrong_is_told_with_plan_and_member),
        cmocka_unit_test(a_plant_has_a_most_of_plans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
