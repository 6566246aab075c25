// Settings ranked over scenarios, against what can be worked out by hand.
#include "control/optimise/settings.h"
#include "physics/modelica_support.h"
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Being wrong by u - theta costs its square each second, for ten seconds; theta is what nobody knows. Where u stands above 8
// the model ends.
static const char *const guess = "model G\n input Real u(start=0);\n input Real n(start=0);\n parameter Real theta=0;\n Real e;\n Real x(start=1, fixed=true);\n"
                                 "equation\n e = u - theta + n;\n der(x) = if u > 8 then x*x*1000 else 0;\nend G;\n";

typedef struct fixture {
    gm_program *program;
    gm_slot     u, n, theta, e;
    double     *bases[GM_SETTINGS_SCENARIOS_MAX];
    gm_mpc     *mpc;
    gm_mpc_input inputs[2];
    uint32_t    input_count;
} fixture;

static gm_slot slot_named(const gm_program *p, const char *name)
{
    gm_slot s;
    bool    negated;
    if (!gm_program_find(p, gm_str_of(name), &s, &negated)) fail_msg("no variable %s", name);
    return s;
}

static void open_guess_of(fixture *f, const double *thetas, uint32_t count, const gm_mpc_input *inputs, uint32_t input_count, double limit, bool gradual)
{
    gm_test_model t;
    gm_error      err = { 0 };
    gm_test_model_open(&t, gm_alloc_system(), guess, NULL);
    if (t.status != GM_OK) fail_msg("%.*s", (int)t.text.len, (const char *)t.text.ptr);
    *f = (fixture){ .program = t.program, .input_count = input_count };
    t.program = NULL;
    gm_test_model_close(&t);
    f->u = slot_named(f->program, "u"), f->n = slot_named(f->program, "n"), f->theta = slot_named(f->program, "theta"), f->e = slot_named(f->program, "e");
    uint32_t slots = gm_program_slot_count(f->program);
    for (uint32_t i = 0; i < count; i++) {
        f->bases[i] = calloc(slots, sizeof(double));
        for (uint32_t s = 0; s < slots; s++) f->bases[i][s] = gm_program_slot(f->program, (gm_slot){ s })->start;
        f->bases[i][f->theta.v] = thetas[i];
    }
    memcpy(f->inputs, inputs, input_count * sizeof *inputs);
    f->inputs[0].slot = f->u;
    f->inputs[1].slot = f->n;
    gm_mpc_options o = gm_mpc_options_defaults();
    o.knots = 1, o.knot_s = 10, o.look_s = 1, o.step_s = 1, o.lanes = 64, o.gradual = gradual;
    gm_mpc_term terms[] = { { .kind = GM_MPC_SQUARE, .slot = f->e, .weight = 1 }, { .kind = GM_MPC_KEEP, .slot = f->u, .weight = 1e6, .low = -100, .high = limit } };
    assert_gm_ok(gm_mpc_create(gm_alloc_system(), f->program, &o, f->inputs, input_count, terms, 2, &f->mpc, &err), err);
}

static void open_guess(fixture *f, const double *thetas, uint32_t count, const gm_mpc_input *inputs, uint32_t input_count, double limit)
{
    open_guess_of(f, thetas, count, inputs, input_count, limit, false);
}

static void close_guess(fixture *f)
{
    gm_mpc_destroy(f->mpc);
    for (size_t i = 0; i < GM_SETTINGS_SCENARIOS_MAX; i++) free(f->bases[i]);
    gm_program_destroy(f->program);
}

static double mean_square(double u, const double *thetas, uint32_t from, uint32_t to)
{
    double sum = 0;
    for (uint32_t i = from; i < to; i++) sum += 10 * (u - thetas[i]) * (u - thetas[i]) / (to - from);
    return sum;
}

static void the_middle_of_what_may_be_is_found_and_judged_by_what_did_not_choose_it(void **state)
{
    (void)state;
    enum { COUNT = 16 };
    double       thetas[COUNT], middle = 0;
    fixture      f;
    gm_settings  r;
    gm_error     err = { 0 };
    gm_settings_options o = gm_settings_options_defaults();
    for (uint32_t i = 0; i < COUNT; i++) thetas[i] = 3 + sin(i * 2.4);
    for (uint32_t i = 0; i < COUNT / 2; i++) middle += thetas[i] / (COUNT / 2);
    open_guess(&f, thetas, COUNT, &(gm_mpc_input){ .low = -5, .high = 7, .rate_max = INFINITY }, 1, 100);
    assert_gm_ok(gm_settings_rank(gm_alloc_system(), f.mpc, f.inputs, 1, (const double *const *)f.bases, COUNT, &o, &r, &err), err);
    assert_int_equal(r.judged, COUNT / 2);
    assert_true(r.count >= 2);
    bool near = false;
    for (uint32_t k = 0; k < r.count; k++) {
        const gm_setting *s = &r.items[k];
        double u = s->values[0], gain = 0, square = 0, better = 0;
        near = near || fabs(u - middle) < 0.05;
        for (uint32_t i = COUNT / 2; i < COUNT; i++) {
            double g = 10 * thetas[i] * thetas[i] - 10 * (u - thetas[i]) * (u - thetas[i]);  // as it is: u = 0
            gain += g / (COUNT / 2), square += g * g / (COUNT / 2), better += (g > 0) / (COUNT / 2.0);
        }
        assert_float_equal(s->cost, mean_square(u, thetas, COUNT / 2, COUNT), 1e-9);
        assert_float_equal(s->held, mean_square(0, thetas, COUNT / 2, COUNT), 1e-9);
        assert_float_equal(s->gain, gain, 1e-9);
        assert_float_equal(s->gain_deviation, sqrt((square - gain * gain) * 8 / 7), 1e-6);
        assert_float_equal(s->better, better, 1e-12);
        assert_float_equal(s->broken, 0, 0);
        if (k > 0) assert_true(s->cost >= r.items[k - 1].cost);
        for (uint32_t m = 0; m < k; m++) assert_true(fabs(u - r.items[m].values[0]) > 0.02 * 12);  // others are others
    }
    assert_true(near);
    // The same request, the same answer.
    gm_settings again;
    assert_gm_ok(gm_settings_rank(gm_alloc_system(), f.mpc, f.inputs, 1, (const double *const *)f.bases, COUNT, &o, &again, &err), err);
    assert_int_equal(again.count, r.count);
    for (uint32_t k = 0; k < r.count; k++) assert_true(again.items[k].values[0] == r.items[k].values[0] && again.items[k].cost == r.items[k].cost);
    gm_settings_finish(&again);
    gm_settings_finish(&r);
    close_guess(&f);
}

static void bounds_whole_numbers_limits_and_failures_count(void **state)
{
    (void)state;
    static const double theta[] = { 9.4 };
    fixture      f;
    gm_settings  r;
    gm_error     err = { 0 };
    gm_settings_options o = { .candidates = 64, .rounds = 3, .seed = 5 };
    // Above 8 nothing can be followed; above 6 a limit is broken: 6 it is, and n makes up for the rest as far as it may, in wholes.
    open_guess(&f, theta, 1, (gm_mpc_input[]){ { .low = 0, .high = 10, .rate_max = INFINITY }, { .low = -3, .high = 3.6, .rate_max = INFINITY, .whole = true } }, 2, 6);
    assert_gm_ok(gm_settings_rank(gm_alloc_system(), f.mpc, f.inputs, 2, (const double *const *)f.bases, 1, &o, &r, &err), err);
    const gm_setting *best = &r.items[0];
    assert_true(best->values[0] <= 6.01 && best->values[0] > 5.5);
    assert_true(best->values[1] == floor(best->values[1]) && fabs(best->values[1]) <= 3);
    assert_true(isnan(best->gain_deviation) && best->gain > 0 && best->better == 1);
    assert_int_equal(r.judged, 1);
    gm_settings_finish(&r);
    close_guess(&f);
}

// Towards 4 at 0.5 a second, looked at each second, u is 0.5, 1, ... 4 and stays there; theta is 4. At once it is there from the beginning.
static void a_setting_with_a_rate_is_reached_at_that_rate(void **state)
{
    (void)state;
    static const double theta[] = { 4 }, plan[] = { 4 };
    for (int gradual = 0; gradual < 2; gradual++) {
        fixture       f;
        double        cost, expected = 0;
        const double *plans[] = { plan };
        open_guess_of(&f, theta, 1, &(gm_mpc_input){ .low = 0, .high = 6, .rate_max = 0.5 }, 1, 100, gradual);
        gm_mpc_compare(f.mpc, (const double *const *)f.bases, plans, 1, &cost, NULL);
        for (int second = 1; gradual && second <= 10; second++) expected += pow(fmin(0.5 * second, 4) - 4, 2);
        assert_float_equal(cost, expected, 1e-9);
        close_guess(&f);
    }
}

static void what_can_not_be_ranked_is_refused(void **state)
{
    (void)state;
    static const double theta[] = { 1 };
    fixture      f;
    gm_settings  r;
    gm_error     err = { 0 };
    open_guess(&f, theta, 1, &(gm_mpc_input){ .low = 8.5, .high = 9, .rate_max = INFINITY }, 1, 100);
    gm_settings_options o = gm_settings_options_defaults();
    // Every setting within the bounds ends the model; what holds now does not, but lies outside of them.
    assert_int_equal(gm_settings_rank(gm_alloc_system(), f.mpc, f.inputs, 1, (const double *const *)f.bases, 1, &o, &r, &err), GM_DIVERGED);
    assert_int_equal(gm_settings_rank(gm_alloc_system(), f.mpc, f.inputs, 1, (const double *const *)f.bases, 0, &o, &r, &err), GM_LIMIT);
    o.rounds = 0;
    assert_int_equal(gm_settings_rank(gm_alloc_system(), f.mpc, f.inputs, 1, (const double *const *)f.bases, 1, &o, &r, &err), GM_INVALID);
    gm_settings_finish(&r);
    close_guess(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_middle_of_what_may_be_is_found_and_judged_by_what_did_not_choose_it),
        cmocka_unit_test(bounds_whole_numbers_limits_and_failures_count),
        cmocka_unit_test(a_setting_with_a_rate_is_reached_at_that_rate),
        cmocka_unit_test(what_can_not_be_ranked_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
