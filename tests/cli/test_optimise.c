// gemel optimise on the waterworks: plans that are no worse than doing nothing and keep their limits, and what is said of
// requests that can not be.
#include "support/golden.h"
#include "support/program.h"
#include "support/support.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static const char *plant(void)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/examples/pumphouse", gm_test_root());
    return path;
}

static void a_plan_saves_and_keeps_its_limits(void **state)
{
    (void)state;
    gm_ran ran = GM_RUN("optimise", plant(), "--root", "tower", "--initial", "--goal", "integral(pump1.motor.power)", "--goal",
                        "2*integral(pump2.motor.power)", "--subject-to", "tower.level in 1..5", "--input", "controller.startLevel=0.5..4.5",
                        "--input", "pump2.speed=0..1 whole", "--tariff", "00:00=1,12:00=2", "--horizon", "3h", "--every", "30m", "--step", "5s",
                        "--lanes", "64", "--rounds", "3", "--outputs", "town.pressure", "--json");
    if (ran.code != 0) fail_msg("exit %d: %s", ran.code, GM_TEXT(ran.err));
    json_t *j = json_loads(GM_TEXT(ran.out), 0, NULL);
    assert_non_null(j);
    double cost = json_number_value(json_object_get(j, "cost")), held = json_number_value(json_object_get(j, "held"));
    assert_true(cost > 0 && cost <= held);
    assert_true(fabs(json_number_value(json_object_get(j, "gain")) - (held - cost)) < 1e-6 * held);
    assert_true(json_number_value(json_object_get(j, "broken")) == 0);
    json_t *plan = json_object_get(j, "plan"), *speed = json_object_get(plan, "pump2.speed"), *value;
    size_t  i;
    assert_int_equal(json_array_size(json_object_get(plan, "controller.startLevel")), 6);
    json_array_foreach(speed, i, value) assert_true(json_number_value(value) == 0 || json_number_value(value) == 1);
    json_t *level = json_object_get(json_object_get(json_object_get(j, "outputs"), "tower.level"), "planned");
    assert_int_equal(json_array_size(level), 181);  // every minute, both ends
    json_array_foreach(level, i, value) assert_true(json_number_value(value) >= 1 && json_number_value(value) <= 5);
    assert_non_null(json_object_get(json_object_get(j, "outputs"), "town.pressure"));
    json_decref(j);
    gm_ran_finish(&ran);
}

static void one_setting_for_the_whole_horizon_comes_with_its_alternatives(void **state)
{
    (void)state;
    gm_ran ran = GM_RUN("optimise", plant(), "--root", "tower", "--initial", "--method", "settings", "--lanes", "32", "--rounds", "2", "--horizon", "3h", "--step", "10s",
                        "--goal", "integral(pump1.motor.power)", "--goal", "1e5*finallow(tower.level, 3)", "--subject-to", "tower.level in 1..5.2",
                        "--input", "pump1.speed=0.85..1", "--unknown", "town.base*=uniform(0.85,1.15)", "--json");
    if (ran.code != 0) fail_msg("exit %d: %s", ran.code, GM_TEXT(ran.err));
    json_t *j = json_loads(GM_TEXT(ran.out), 0, NULL), *ranking = json_object_get(j, "ranking"), *item;
    size_t  i;
    double  before = 0;
    assert_int_equal(json_integer_value(json_object_get(j, "scenarios")), 8);
    assert_true(json_array_size(ranking) >= 2);
    json_array_foreach(ranking, i, item) {
        double speed = json_number_value(json_object_get(json_object_get(item, "inputs"), "pump1.speed"));
        assert_true(speed >= 0.85 && speed <= 1 && json_number_value(json_object_get(item, "cost")) >= before);
        before = json_number_value(json_object_get(item, "cost"));
    }
    assert_true(json_number_value(json_object_get(json_array_get(ranking, 0), "gainDeviation")) > 0);
    assert_true(json_number_value(json_object_get(j, "cost")) == json_number_value(json_object_get(json_array_get(ranking, 0), "cost")));
    json_decref(j);
    gm_ran_finish(&ran);
    ran = GM_RUN("optimise", plant(), "--root", "tower", "--initial", "--method", "settings", "--lanes", "16", "--rounds", "1", "--horizon", "1h", "--step", "10s",
                 "--goal", "integral(pump1.motor.power)", "--input", "pump1.speed=0.85..1", "--unknown", "town.base*=ou(1,0.1,1h)");
    assert_int_equal(ran.code, 1);
    assert_non_null(strstr(GM_TEXT(ran.err), "one value from the beginning on"));
    gm_ran_finish(&ran);
}

static void what_can_not_be_is_refused_with_what_to_write(void **state)
{
    (void)state;
    static const struct { const char *option, *text, *error; } cases[] = {
        { "--goal", "maximise joy", "is no goal; expected" },
        { "--goal", "integral(tower.joy)", "nothing here is called 'tower.joy'" },
        { "--subject-to", "tower.level around 3", "is no limit; expected" },
        { "--subject-to", "tower.level in 5..1", "is no limit; expected" },
        { "--input", "pump1.speed=fast", "is no input; expected" },
        { "--input", "tower.level=0..1", "" },  // computed, or a state: not an input
        { "--tariff", "6:00=1", "is no tariff; expected" },
        { "--tariff", "12:00=1,06:00=2", "is no tariff; expected" },
        { "--every", "48h", "--every must be positive" },
        { "--method", "guess", "--method is cem, mppi or settings" },
        { "--unknown", "town.base=uniform(0,1)", "--unknown is for --method settings" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_ran ran = GM_RUN("optimise", plant(), "--root", "tower", "--initial", "--goal", "integral(pump1.motor.power)", "--input", "pump1.speed=0..1",
                            "--horizon", "1h", "--lanes", "64", "--rounds", "1", cases[i].option, cases[i].text);
        if (ran.code == 0 || strstr(GM_TEXT(ran.err), cases[i].error) == NULL) fail_msg("%s %s: exit %d: %s", cases[i].option, cases[i].text, ran.code, GM_TEXT(ran.err));
        gm_ran_finish(&ran);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_saves_and_keeps_its_limits),
        cmocka_unit_test(one_setting_for_the_whole_horizon_comes_with_its_alternatives),
        cmocka_unit_test(what_can_not_be_is_refused_with_what_to_write),
    };
    return cmocka_run_group_tests_name("cli.optimise", tests, NULL, NULL);
}
