// Two ways to one number: lanes in which components stop at drawn times until nothing flows, and the exact fault tree of the same
// system. Two of three pumps are needed, all of them a common supply; behind them a valve or its bypass.
#include "futures_support.h"
#include "reliability/analyse.h"
#include "reliability/tree.h"

static const char waterworks[] = "model W input Real power(start = 1); input Real a(start = 1); input Real b(start = 1); input Real c(start = 1);\n"
                                 "input Real valve(start = 1); input Real bypass(start = 1); Real pumps; Real water; Real volume(start = 0, fixed = true);\n"
                                 "equation pumps = power*(a + b + c); water = if pumps > 1.5 then max(valve, bypass) else 0; der(volume) = water; end W;";

enum { PARTS = 6, LANES = 20000 };
static const char *const names[PARTS] = { "power", "a", "b", "c", "valve", "bypass" };

// Mean lives in hours; the pumps wear (Weibull), the rest has constant rates.
static const gm_law lives[PARTS] = {
    { GM_LAW_EXPONENTIAL, { 400 } }, { GM_LAW_WEIBULL, { 2.5, 90 } }, { GM_LAW_WEIBULL, { 2.5, 70 } }, { GM_LAW_WEIBULL, { 2.5, 110 } },
    { GM_LAW_EXPONENTIAL, { 120 } }, { GM_LAW_EXPONENTIAL, { 60 } },
};

static double fails_within(int part, double hours)
{
    const gm_law *l = &lives[part];
    return l->kind == GM_LAW_EXPONENTIAL ? -expm1(-hours / l->p[0]) : -expm1(-pow(hours / l->p[1], l->p[0]));
}

static double exact(double hours)
{
    gm_error       err  = { 0 };
    gm_fault_tree *t    = gm_fault_tree_create(gm_alloc_system());
    gm_tree_node   node[PARTS], lost = gm_fault_tree_name(t, GM_STR("pumps lost")), shut = gm_fault_tree_name(t, GM_STR("shut")), top = gm_fault_tree_name(t, GM_STR("no water"));
    gm_tree_edge   pumps[3];
    for (int i = 0; i < PARTS; i++) {
        node[i] = gm_fault_tree_name(t, gm_str_of(names[i]));
        assert_gm_ok(gm_fault_tree_event(t, node[i], fails_within(i, hours), &err), err);
    }
    for (int i = 0; i < 3; i++) {  // the supply stops each of them
        gm_tree_node stands = gm_fault_tree_anonymous(t);
        assert_gm_ok(gm_fault_tree_gate(t, stands, GM_GATE_OR, 0, 0, (gm_tree_edge[]){ gm_tree_is(node[0]), gm_tree_is(node[1 + i]) }, 2, &err), err);
        pumps[i] = gm_tree_is(stands);
    }
    assert_gm_ok(gm_fault_tree_gate(t, lost, GM_GATE_CARDINALITY, 2, 3, pumps, 3, &err), err);
    assert_gm_ok(gm_fault_tree_gate(t, shut, GM_GATE_AND, 0, 0, (gm_tree_edge[]){ gm_tree_is(node[4]), gm_tree_is(node[5]) }, 2, &err), err);
    assert_gm_ok(gm_fault_tree_gate(t, top, GM_GATE_OR, 0, 0, (gm_tree_edge[]){ gm_tree_is(lost), gm_tree_is(shut) }, 2, &err), err);
    assert_gm_ok(gm_fault_tree_check(t, top, &err), err);
    gm_reliability_options o = gm_reliability_options_defaults(gm_clock_system());
    gm_reliability        *r;
    assert_gm_ok(gm_reliability_analyse(gm_alloc_system(), t, top, &o, &r, &err), err);
    gm_reliability_summary s = gm_reliability_summarise(r);
    assert_true(s.exact);
    gm_reliability_destroy(r);
    gm_fault_tree_destroy(t);
    return s.probability;
}

// Within four standard errors at each of the horizons; an hour of the plant is a second of the model.
static void lanes_that_break_agree_with_the_exact_fault_tree(void **state)
{
    (void)state;
    static const double horizons[] = { 10, 30, 60 };
    for (size_t h = 0; h < sizeof horizons / sizeof horizons[0]; h++) {
        gm_ahead a;
        gm_ahead_open(&a, waterworks, 2);
        gm_ahead_until(&a, "water", true, 0.5);
        for (int i = 0; i < PARTS; i++) {
            gm_vary *v   = gm_ahead_vary(&a, names[i], gm_constant(0));
            v->scheduled = true, v->from = lives[i];
        }
        a.r.horizon_s = horizons[h], a.r.step_s = 0.25, a.r.lanes = LANES, a.r.seed = 5, a.r.points = 1;
        const gm_futures_result *f    = gm_ahead_run(&a);
        double                   want = exact(horizons[h]), error = sqrt(want * (1 - want) / LANES);
        // A change is made at the first step that is not before its time: what breaks in the last one may be seen too late.
        double early = exact(horizons[h] - 0.25);
        double got   = f->passages[0].probability;
        print_message("%g h: %.4f of %d lanes, exactly %.4f (standard error %.4f)\n", horizons[h], got, LANES, want, error);
        assert_true(got <= want + 4 * error && got >= early - 4 * error);
        assert_true(f->passages[0].low <= want && f->passages[0].high >= early);
        gm_ahead_close(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(lanes_that_break_agree_with_the_exact_fault_tree) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
