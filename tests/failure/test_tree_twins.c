// Published fault trees become twins and are written again from them: the probability stays the same.
#include "failure/fault_tree.h"
#include "failure/tree_twins.h"
#include "reliability/analyse.h"
#include "reliability/openpsa.h"
#include "support/files.h"
#include "support/golden.h"
#include "support/small_plant.h"
#include "support/support.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// CEA9601 is left out: it takes its time to analyse (bench).
static const char *const trees[] = { "Baobab/baobab1.xml", "Chinese/chinese.xml", "200_event.xml", "BSCU/BSCU.xml", "Theatre/theatre.xml", "Lift/lift.xml",
                                     "HIPPS/HIPPS.xml", "SmallTree/SmallTree.xml", "ThreeMotor/three_motor.xml" };

static gm_openpsa *read_files(const gm_openpsa_file *files, size_t count)
{
    gm_openpsa_options o = { .mission_time = 8760 };
    gm_openpsa        *model = NULL;
    gm_error           err   = { 0 };
    assert_gm_ok(gm_openpsa_read(gm_alloc_system(), &o, files, count, &model, &err), err);
    return model;
}

static double probability(const gm_fault_tree *tree, gm_tree_node top, bool *coherent, char *cuts)
{
    gm_reliability_options o = gm_reliability_options_defaults(gm_clock_system());
    gm_reliability        *r = NULL;
    gm_error               err = { 0 };
    assert_gm_ok(gm_fault_tree_check(tree, top, &err), err);
    assert_gm_ok(gm_reliability_analyse(gm_alloc_system(), tree, top, &o, &r, &err), err);
    gm_reliability_summary s = gm_reliability_summarise(r);
    assert_true(s.exact);
    *coherent = s.coherent;
    gm_reliability_cut_sets_total(r, cuts);
    gm_reliability_destroy(r);
    return s.probability;
}

static void load(gm_small_plant *plant, gm_str lines)
{
    gm_str line;
    while (gm_str_next(&lines, '\n', &line)) {
        json_t     *o      = json_loadb(line.ptr, line.len, 0, NULL);
        const char *id     = json_string_value(json_object_get(o, "$dtId")), *relationship = json_string_value(json_object_get(o, "$relationshipId"));
        if (id != NULL && relationship != NULL) {
            const char *target = json_string_value(json_object_get(o, "$targetId"));
            gm_small_plant_relate(plant, id, relationship, "input", target, json_is_true(json_object_get(o, "negated")) ? "{\"negated\":true}" : "{}");
        } else if (id != NULL) {
            char *copy = strdup(id);
            json_object_del(o, "$dtId");
            char *text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(17));
            gm_small_plant_twin(plant, copy, text);
            free(text);
            free(copy);
        }
        json_decref(o);
    }
}

// What the twins below `top` are as a tree, written, read and analysed.
static double through_twins(const gm_fault_tree *tree, gm_tree_node top, bool *coherent, char *cuts)
{
    gm_small_plant plant;
    gm_error       err      = { 0 };
    gm_buf         text     = gm_buf_init(gm_alloc_system()), again = gm_buf_init(gm_alloc_system());
    gm_failures   *failures = NULL;
    gm_str         models   = gm_tree_twins_models();
    assert_gm_ok(gm_tree_twins_write(tree, top, &text, &err), err);
    gm_small_plant_open(&plant, gm_alloc_system(), models.ptr);
    load(&plant, gm_buf_view(&text));
    assert_gm_ok(gm_failures_create(gm_alloc_system(), &failures, &err), err);
    gm_failure_moment       at = { .state = plant.state };
    gm_failure_tree_options o  = { .horizon_h = 24, .given = { GM_NONE }, .twins_max = 100000 };
    gm_failure_tree         back;
    gm_twin                 root = { 0 };  // the first that was made
    assert_gm_ok(gm_failure_tree_build(failures, &at, root, &o, &back, &err), err);
    gm_openpsa_write(back.tree, back.top, GM_STR("again"), &again);
    assert_false(again.failed);
    gm_openpsa_file file  = { GM_STR("again.xml"), gm_buf_view(&again) };
    gm_openpsa     *model = read_files(&file, 1);
    double          p     = probability(gm_openpsa_tree(model), gm_openpsa_top(model, 0), coherent, cuts);
    gm_openpsa_destroy(model);
    gm_failure_tree_finish(&back);
    gm_failures_destroy(failures);
    gm_small_plant_close(&plant);
    gm_buf_finish(&text);
    gm_buf_finish(&again);
    return p;
}

static void published_trees_survive_being_twins(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof trees / sizeof trees[0]; i++) {
        char            path[1024], beside[1100], cuts[48], cuts_again[48];
        gm_buf          texts[2] = { gm_buf_init(gm_alloc_system()), gm_buf_init(gm_alloc_system()) };
        gm_openpsa_file files[2];
        size_t          count = 1;
        bool            coherent, coherent_again;
        snprintf(path, sizeof path, "%s/../shared/data/faulttrees/%s", gm_test_root(), trees[i]);
        if (access(path, R_OK) != 0) { print_message("skipped: no shared fault trees beside the project\n"); skip(); }
        texts[0] = gm_test_read_file(path);
        files[0] = (gm_openpsa_file){ gm_str_of(path), gm_buf_view(&texts[0]) };
        snprintf(beside, sizeof beside, "%.*s-basic-events.xml", (int)strlen(path) - 4, path);
        if (access(beside, R_OK) == 0) {
            texts[1] = gm_test_read_file(beside);
            files[1] = (gm_openpsa_file){ gm_str_of(beside), gm_buf_view(&texts[1]) };
            count    = 2;
        }
        gm_openpsa   *model = read_files(files, count);
        gm_tree_node  top   = gm_openpsa_top(model, 0);
        double        p     = probability(gm_openpsa_tree(model), top, &coherent, cuts);
        double        again = through_twins(gm_openpsa_tree(model), top, &coherent_again, cuts_again);
        // The order of events may differ, and with it the last digit.
        if (!(fabs(p - again) <= 1e-13 * p) || coherent != coherent_again || strcmp(cuts, cuts_again) != 0)
            fail_msg("%s: %.17g and %s cut sets; as twins %.17g and %s", trees[i], p, cuts, again, cuts_again);
        gm_openpsa_destroy(model);
        gm_buf_finish(&texts[0]);
        gm_buf_finish(&texts[1]);
    }
}

// Everything that a tree may hold: negations, parity, cardinality, constants, names that are no ids.
static void every_kind_of_gate_survives(void **state)
{
    (void)state;
    gm_fault_tree *t   = gm_fault_tree_create(gm_alloc_system());
    gm_error       err = { 0 };
    gm_tree_node   a = gm_fault_tree_name(t, GM_STR("a b/c")), b = gm_fault_tree_name(t, GM_STR("b")), c = gm_fault_tree_name(t, GM_STR("c")), top = gm_fault_tree_name(t, GM_STR("top \"x\""));
    gm_tree_node   xor = gm_fault_tree_anonymous(t), some = gm_fault_tree_anonymous(t), on = gm_fault_tree_name(t, GM_STR("on"));
    bool           coherent;
    char           cuts[48];
    assert_gm_ok(gm_fault_tree_event(t, a, 0.1, &err), err);
    assert_gm_ok(gm_fault_tree_event(t, b, 0.25, &err), err);
    assert_gm_ok(gm_fault_tree_event(t, c, 0.5, &err), err);
    assert_gm_ok(gm_fault_tree_constant(t, on, true, &err), err);
    gm_tree_edge two[] = { gm_tree_is(a), gm_tree_not(gm_tree_is(b)) }, three[] = { gm_tree_is(a), gm_tree_is(b), gm_tree_is(c) }, all[] = { gm_tree_is(xor), gm_tree_is(some), gm_tree_is(on) };
    assert_gm_ok(gm_fault_tree_gate(t, xor, GM_GATE_XOR, 0, 0, two, 2, &err), err);
    assert_gm_ok(gm_fault_tree_gate(t, some, GM_GATE_CARDINALITY, 1, 2, three, 3, &err), err);
    assert_gm_ok(gm_fault_tree_gate(t, top, GM_GATE_AND, 0, 0, all, 3, &err), err);
    // a xor not b holds where both or none are; with one or two of the three: ab and not c, or c alone.
    double p = 0.1 * 0.25 * 0.5 + 0.9 * 0.75 * 0.5;
    assert_float_equal(probability(t, top, &coherent, cuts), p, 1e-15);
    assert_float_equal(through_twins(t, top, &coherent, cuts), p, 1e-15);
    gm_fault_tree_destroy(t);
}

static gm_status ask(gm_small_plant *plant, const char *root, gm_error *err)
{
    gm_failures            *failures = NULL;
    gm_failure_moment       at       = { .state = plant->state };
    gm_failure_tree_options o        = { .horizon_h = 24, .given = { GM_NONE }, .twins_max = 100 };
    gm_failure_tree         tree;
    assert_gm_ok(gm_failures_create(gm_alloc_system(), &failures, err), *err);
    gm_status st = gm_failure_tree_build(failures, &at, gm_state_find(plant->state, gm_str_of(root)), &o, &tree, err);
    if (st == GM_OK) gm_failure_tree_finish(&tree);
    gm_failures_destroy(failures);
    return st;
}

static void twins_that_are_no_tree_are_refused(void **state)
{
    (void)state;
#define GATE(more) "{\"$metadata\":{\"$model\":\"dtmi:gemel:faulttree:Gate;1\"}" more "}"
#define EVENT(more) "{\"$metadata\":{\"$model\":\"dtmi:gemel:faulttree:BasicEvent;1\"}" more "}"
    gm_small_plant plant;
    gm_error       err = { 0 };
    gm_small_plant_open(&plant, gm_alloc_system(), gm_tree_twins_models().ptr);
    gm_small_plant_twin(&plant, "g", GATE(",\"connective\":\"and\""));
    assert_int_equal(ask(&plant, "g", &err), GM_INVALID);
    assert_non_null(strstr(err.text, "'g' has no inputs"));
    gm_small_plant_twin(&plant, "e", EVENT(",\"probability\":1.5"));
    gm_small_plant_relate(&plant, "g", "i1", "input", "e", "{}");
    assert_int_equal(ask(&plant, "g", &err), GM_INVALID);
    assert_non_null(strstr(err.text, "1.5"));
    gm_small_plant_twin(&plant, "e", EVENT(",\"probability\":-0.5"));
    assert_int_equal(ask(&plant, "g", &err), GM_INVALID);
    gm_small_plant_twin(&plant, "e", EVENT(",\"probability\":0.5"));
    assert_int_equal(ask(&plant, "g", &err), GM_OK);
    gm_small_plant_twin(&plant, "h", GATE(""));
    gm_small_plant_relate(&plant, "g", "i2", "input", "h", "{}");
    gm_small_plant_relate(&plant, "h", "i1", "input", "e", "{}");
    assert_int_equal(ask(&plant, "g", &err), GM_INVALID);
    assert_non_null(strstr(err.text, "'h' has no connective"));
    gm_small_plant_twin(&plant, "h", GATE(",\"connective\":\"cardinality\",\"least\":3,\"most\":4"));
    assert_int_equal(ask(&plant, "g", &err), GM_INVALID);
    gm_small_plant_twin(&plant, "h", GATE(",\"connective\":\"or\""));
    gm_small_plant_relate(&plant, "h", "i2", "input", "g", "{}");
    assert_int_equal(ask(&plant, "g", &err), GM_INVALID);
    if (strstr(err.text, "g") == NULL || strstr(err.text, "h") == NULL) fail_msg("%s", err.text);
    gm_small_plant_close(&plant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_trees_survive_being_twins),
        cmocka_unit_test(every_kind_of_gate_survives),
        cmocka_unit_test(twins_that_are_no_tree_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
