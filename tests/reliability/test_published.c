// The program on published trees: probabilities as published to all their digits, cut sets counted in two ways.
#include "support/golden.h"
#include "support/program.h"
#include "support/support.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// Published: the probability as stated with the collection (SOURCE.txt) or in OpenFTA's report, digits after the first;
// the number of minimal cut sets as the report, or the tree's authors, give it. 0: not stated.
static const struct { const char *file; double probability; int digits; long cut_sets; bool second_method; } trees[] = {
    { "Baobab/baobab1.xml", 1.2823e-6, 5, 46188, true },
    { "Chinese/chinese.xml", 4.5691e-3, 0, 392, true },
    { "200_event.xml", 0.55985, 5, 0, true },
    { "BSCU/BSCU.xml", 0.1124087, 7, 0, true },
    { "Theatre/theatre.xml", 0, 0, 2, true },
    { "Lift/lift.xml", 0, 0, 12, true },
    { "HIPPS/HIPPS.xml", 0, 0, 0, true },
    { "SmallTree/SmallTree.xml", 0, 0, 0, true },
    { "ThreeMotor/three_motor.xml", 0, 0, 12, true },
};

static json_t *analyse(const char *path, bool second)
{
    gm_ran ran = second ? GM_RUN("reliability", path, "--json", "--second-method") : GM_RUN("reliability", path, "--json");
    if (ran.code != 0) fail_msg("%s: exit %d: %s", path, ran.code, GM_TEXT(ran.err));
    json_t *json = json_loads(GM_TEXT(ran.out), 0, NULL);
    assert_non_null(json);
    gm_ran_finish(&ran);
    return json;
}

static void published_figures_come_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof trees / sizeof trees[0]; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/../shared/data/faulttrees/%s", gm_test_root(), trees[i].file);
        if (access(path, R_OK) != 0) { print_message("skipped: no shared fault trees beside the project\n"); skip(); }
        json_t *first = analyse(path, false);
        double  p     = json_number_value(json_object_get(first, "top_probability"));
        if (trees[i].digits > 0) {
            double unit = pow(10, floor(log10(trees[i].probability)) - trees[i].digits + 1);
            if (fabs(round(p / unit) - round(trees[i].probability / unit)) > 0.5) fail_msg("%s: %.10g, published %g", trees[i].file, p, trees[i].probability);
        }
        long total = (long)json_integer_value(json_object_get(first, "cut_sets_total"));
        if (trees[i].cut_sets > 0 && total != trees[i].cut_sets) fail_msg("%s: %ld cut sets, published %ld", trees[i].file, total, trees[i].cut_sets);
        json_t *second = analyse(path, true);
        if (!json_equal(json_object_get(first, "cut_sets"), json_object_get(second, "cut_sets"))) fail_msg("%s: the two methods differ", trees[i].file);
        json_decref(first);
        json_decref(second);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(published_figures_come_out) };
    return cmocka_run_group_tests_name("reliability.published", tests, NULL, NULL);
}
