// The filter of a group against the closed form, and against everything that sensors do wrong.
#include "insight/estimate/calibrate.h"

#include "base/rng.h"
#include "insight/decay_world.h"

// Kalman's filter of dx = -a x dt + walk dw, observed with noise: every number follows from a scalar recursion. The walk is
// added at the end of each stretch, as the filter does.
static void a_linear_system_agrees_with_the_closed_form(void **state)
{
    (void)state;
    world w;
    open_decay(&w, LINEAR);
    double mean = 5, variance = 4, before = 0;
    for (uint32_t i = 1; i <= 200; i++) {
        double t = before + 0.3 + 5 * gm_rng_uniform(1, 0, 0, i), y = 1 + 3 * gm_rng_normal(1, 0, 1, i), f = exp(-0.1 * (t - before));
        t = round(t * 1e6) / 1e6;
        f = exp(-0.1 * (t - before));
        mean *= f;
        variance = f * f * variance + 0.01 * (t - before);  // walk 6 per root hour: 0.1 per root second
        double gain = variance / (variance + 0.09);
        mean += gain * (y - mean);
        variance *= 1 - gain;
        feed(&w, w.x, t, y);
        advance(&w, t);
        gm_estimator_value v = part(&w, 0);
        if (fabs(v.mean - mean) > 1e-6 || fabs(v.deviation - sqrt(variance)) > 1e-6)
            fail_msg("after %u measurements: %.9f +- %.9f, closed form %.9f +- %.9f", i, v.mean, v.deviation, mean, sqrt(variance));
        before = t;
    }
    gm_estimator_reading twice = gm_estimator_signal(gm_vigil_estimator(w.vigil), w.twice);
    assert_true(fabs(twice.estimate.mean - 2 * mean) < 1e-5 && fabs(twice.estimate.deviation - 2 * sqrt(variance)) < 1e-5);
    assert_false(twice.seen);
    close_world(&w);
}

static void an_ensemble_comes_near_it(void **state)
{
    (void)state;
    world small, many;
    double truth = 5;
    open_decay(&small, LINEAR);
    open_decay(&many, LINEAR ",\"filter\":\"ensemble\",\"members\":100");
    assert_true(gm_estimator_statistics(gm_vigil_estimator(many.vigil)).ensemble);
    double apart = 0;
    for (uint32_t i = 1; i <= 120; i++) {
        truth = truth * exp(-0.1) + 0.1 * gm_rng_normal(2, 0, 0, i);
        double y = truth + 0.3 * gm_rng_normal(2, 0, 1, i);
        feed(&small, small.x, i, y);
        feed(&many, many.x, i, y);
        advance(&small, i);
        advance(&many, i);
        if (i > 20) apart += pow(part(&small, 0).mean - part(&many, 0).mean, 2) / 100;
    }
    assert_true(sqrt(apart) < 0.3 * part(&small, 0).deviation);
    assert_true(fabs(part(&many, 0).deviation / part(&small, 0).deviation - 1) < 0.2);
    close_world(&small);
    close_world(&many);
}

static void order_within_the_lag_and_repetitions_do_not_matter(void **state)
{
    (void)state;
    world a, b;
    open_decay(&a, LINEAR);
    open_decay(&b, LINEAR);
    for (int i = 1; i <= 40; i++) feed(&a, a.x, i, sin(i));
    for (int i = 40; i >= 1; i--) {
        feed(&b, b.x, i, 99);         // the second value of a moment is the one that counts
        feed(&b, b.x, i, sin(i));
    }
    advance(&a, 40);
    advance(&b, 40);
    assert_true(part(&a, 0).mean == part(&b, 0).mean && part(&a, 0).deviation == part(&b, 0).deviation);
    gm_estimator_stats s = gm_estimator_statistics(gm_vigil_estimator(b.vigil));
    assert_int_equal(s.taken, 40);
    feed(&b, b.x, 12, 1e9);           // far too late
    advance(&b, 41);
    s = gm_estimator_statistics(gm_vigil_estimator(b.vigil));
    assert_int_equal(s.late, 1);
    assert_true(part(&a, 0).mean == part(&b, 0).mean);
    close_world(&a);
    close_world(&b);
}

static void what_waits_is_bounded(void **state)
{
    (void)state;
    world w;
    open_decay(&w, LINEAR);
    gm_status st = GM_OK;
    for (int i = 1; i <= GM_ESTIMATE_WAITING_MAX; i++) feed(&w, w.x, i, 0);
    st = gm_vigil_feed(w.vigil, w.x, (GM_ESTIMATE_WAITING_MAX + INT64_C(1)) * S, 0, &w.err);
    assert_int_equal(st, GM_LIMIT);
    close_world(&w);
}

static void sensors_may_send_nothing_useful(void **state)
{
    (void)state;
    world w;
    open_decay(&w, LINEAR);
    for (int i = 1; i <= 100; i++) {
        feed(&w, w.x, i, i % 2 ? NAN : -INFINITY);
        advance(&w, i);
    }
    gm_estimator_stats s = gm_estimator_statistics(gm_vigil_estimator(w.vigil));
    assert_int_equal(s.unusable, 100);
    assert_int_equal(s.taken, 0);
    assert_true(part(&w, 0).mean == 5);    // nothing was learned, nothing happened
    for (int i = 101; i <= 400; i++) {     // a sensor that stands still is a measurement all the same
        feed(&w, w.x, i, 2);
        advance(&w, i);
    }
    assert_true(isfinite(part(&w, 0).mean) && fabs(part(&w, 0).mean - 2) < 0.5);
    close_world(&w);
}

static void outliers_are_not_believed_until_they_insist(void **state)
{
    (void)state;
    world w;
    open_decay(&w, ",\"measured\":{\"d.x\":{\"noise\":0.1}},\"states\":{\"d.x\":{\"deviation\":0.5,\"walk\":1}}");
    for (int i = 1; i <= 50; i++) {
        feed(&w, w.x, i, i % 10 == 0 ? 1000 : 5 * exp(-0.1 * i));
        advance(&w, i);
    }
    gm_estimator_reading r = gm_estimator_signal(gm_vigil_estimator(w.vigil), w.x);
    assert_int_equal(r.gated, 5);
    assert_true(fabs(r.estimate.mean - 5 * exp(-5)) < 0.2);
    for (int i = 51; i <= 300; i++) {      // it really is elsewhere
        feed(&w, w.x, i, 8);
        advance(&w, i);
    }
    r = gm_estimator_signal(gm_vigil_estimator(w.vigil), w.x);
    assert_true(r.estimate.mean > 0.5);    // drawn there, as far as the model lets it
    assert_true(gm_estimator_statistics(gm_vigil_estimator(w.vigil)).health.state == GM_HEALTH_TOO_SURE);
    close_world(&w);
}

// The truth is rate 0.2 with a feed that moves; the twin begins with 0.1. What nothing depends on stays unknown.
static void parameters_are_learned_and_unobservable_ones_stay_open(void **state)
{
    (void)state;
    world w;
    open_decay(&w, ",\"measured\":{\"d.x\":{\"noise\":0.05}},\"parameters\":{\"d.rate\":{\"log\":true,\"deviation\":0.5,\"walk\":0},"
                   "\"d.idle\":{\"deviation\":0.7,\"walk\":0}},\"states\":{\"d.x\":{\"walk\":0.01}},\"gate\":20");
    double x = 5, feeding = 0;
    for (int i = 1; i <= 600; i++) {
        x = feeding / 0.2 + (x - feeding / 0.2) * exp(-0.2);
        feed(&w, w.x, i, x + 0.05 * gm_rng_normal(3, 0, 0, (uint64_t)i));
        if (i % 50 == 0) {
            feeding = i % 100 ? 1 : 0.2;
            feed(&w, w.feed, i, feeding);
        }
        advance(&w, i);
    }
    assert_true(fabs(part(&w, 1).mean / 0.2 - 1) < 0.02);
    assert_true(fabs(part(&w, 1).mean - 0.2) < 4 * part(&w, 1).deviation);
    assert_true(fabs(part(&w, 2).deviation - 0.7) < 1e-6 && fabs(part(&w, 2).mean - 1) < 1e-6);
    assert_int_equal(gm_estimator_statistics(gm_vigil_estimator(w.vigil)).restarts, 0);
    close_world(&w);
}

static void the_offset_of_a_sensor_is_found_by_the_other(void **state)
{
    (void)state;
    world w;
    open_decay(&w, ",\"measured\":{\"d.x\":{\"noise\":0.05,\"bias\":1},\"d.twice\":{\"noise\":0.05}}");
    for (int i = 1; i <= 200; i++) {
        double x = 5 * exp(-0.1 * i);
        feed(&w, w.x, i, x + 0.4 + 0.05 * gm_rng_normal(4, 0, 0, (uint64_t)i));
        feed(&w, w.twice, i, 2 * x + 0.05 * gm_rng_normal(4, 0, 1, (uint64_t)i));
        advance(&w, i);
    }
    gm_estimator_value offset = part(&w, 1);
    assert_true(fabs(offset.mean - 0.4) < 4 * offset.deviation && offset.deviation < 0.03);
    close_world(&w);
}

static void a_fault_is_told_from_its_beginning_and_not_before(void **state)
{
    (void)state;
    world w;
    gm_vigil_fault f;
    open_decay(&w, ",\"measured\":{\"d.x\":{\"noise\":0.02}},\"faults\":{\"d.clogged\":{\"walk\":0.1}},\"states\":{\"d.x\":{\"walk\":0.05}},"
                   "\"window\":\"10m\",\"hold\":\"1m\",\"tolerance\":1e-3,\"gate\":20");
    double x = 5;
    feed(&w, w.feed, 0, 0.5);
    for (int i = 1; i <= 4200; i++) {
        double rate = i <= 3600 ? 0.1 : 0.055;  // half as clogged as the class declares
        x = 0.5 / rate + (x - 0.5 / rate) * exp(-rate);
        feed(&w, w.x, i, x + 0.02 * gm_rng_normal(5, 0, 0, (uint64_t)i));
        advance(&w, i);
        if (i <= 3600 && gm_vigil_alarm(w.vigil, &f)) fail_msg("told %.1f deviations after %d s without a fault", f.significance, i);
        if (i == 3900) assert_true(gm_vigil_alarm(w.vigil, &f));
    }
    assert_true(gm_vigil_alarm(w.vigil, &f) && gm_str_is(f.name, "d.clogged") && f.member == 0);
    assert_true(f.since >= 3600 * (gm_time_ns)S && f.since < 3700 * (gm_time_ns)S);
    assert_true(fabs(f.severity - 0.5) < 0.1);
    close_world(&w);
}

static void setups_that_do_not_fit_are_refused_with_the_reason(void **state)
{
    (void)state;
    static const struct { const char *members, *text; } cases[] = {
        { ",\"measured\":{\"d.y\":{}}", "'d.y' is no measured number" },
        { ",\"measured\":{\"d.feed\":{}}", "'d.feed' is no measured number" },
        { ",\"parameters\":{\"d.nothing\":{}}", "is no variable of this group" },
        { ",\"parameters\":{\"d.twice\":{}}", "can not be estimated" },
        { ",\"parameters\":{\"d.x\":{}}", "is no parameter or input" },
        { ",\"parameters\":{\"d.feed\":{\"log\":true}}", "begins at no number" },
        { ",\"states\":{\"d.rate\":{}}", "is no state" },
        { ",\"faults\":{\"d.broken\":{}}", "broken" },
        { ",\"follow\":[{\"signal\":\"d.z\",\"above\":1,\"set\":{\"d.rate\":[1,0]}}]", "is no column" },
        { ",\"follow\":[{\"signal\":\"d.x\",\"above\":1,\"set\":{\"d.twice\":[1,0]}}]", "nothing that can be set" },
        { ",\"follow\":[{\"signal\":\"d.x\",\"above\":1,\"set\":{\"d.rate\":[1]}}]", "[on, off]" },
        { ",\"measured\":{\"d.x\":{\"noise\":-1}}", "\"noise\" is a number" },
        { ",\"measured\":{\"d.x\":{\"sound\":1}}", "no such member" },
        { ",\"measured\":[]", "an object" },
        { ",\"lag\":\"3 parsecs\"", "length of time" },
        { ",\"filter\":\"magic\"", "ensemble" },
        { ",\"into\":{\"d.x\":\"y\"}", "not among" },
        { ",\"parameters\":{\"d.rate\":{\"min\":1,\"max\":0}}", "below" },
        { ",\"wings\":2", "no such member" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        world w;
        open_group(&w, "d", "{\"$metadata\":{\"$model\":\"dtmi:t:Decay;1\"},\"feed\":0.0,\"x\":5.0}", behaviors);
        gm_status st = begin_with(&w, cases[i].members);
        if (st == GM_OK || strstr(w.err.text, cases[i].text) == NULL) fail_msg("%s: status %d, '%s'", cases[i].members, (int)st, w.err.text);
        close_world(&w);
    }
}

static void a_model_without_states_is_told(void **state)
{
    (void)state;
    world w;
    open_group(&w, "d", "{\"$metadata\":{\"$model\":\"dtmi:t:Still;1\"}}", behaviors);
    assert_int_equal(begin_with(&w, ""), GM_INVALID);
    assert_non_null(strstr(w.err.text, "no states"));
    // With a parameter to estimate there is something to do.
    assert_gm_ok(begin_with(&w, ",\"measured\":{\"d.y\":{\"noise\":0.1}},\"parameters\":{\"d.level\":{\"deviation\":1,\"walk\":0}}"), w.err);
    uint32_t                  n, y = 0;
    const gm_estimate_signal *s = gm_estimate_model_signals(gm_vigil_model(w.vigil), &n);
    for (uint32_t i = 0; i < n; i++)
        if (gm_str_is(s[i].name, "d.y")) y = i;
    for (int i = 1; i <= 100; i++) {
        feed(&w, y, i, 3.5);
        advance(&w, i);
    }
    // The mean of 100 values with noise 0.1 and the prior 3 +- 1.
    assert_true(fabs(part(&w, 0).mean - (3 + 0.5 * 100 / (100 + 0.01))) < 1e-6);
    assert_true(fabs(part(&w, 0).deviation - 1 / sqrt(1 + 100 / 0.01)) < 1e-6);
    close_world(&w);
}

static void making_one_survives_every_refusal_of_memory(void **state)
{
    (void)state;
    world           w;
    gm_fork_report  report;
    open_decay(&w, ",\"faults\":{\"d.clogged\":{}}");
    gm_group_reader reader = gm_group_live_reader(w.plant.state);
    double         *slots  = calloc(gm_program_slot_count(gm_group_program(w.group)), sizeof *slots);
    assert_gm_ok(gm_group_fork(w.group, &reader, 0, slots, &report, &w.err), w.err);
    for (uint64_t k = 0;; k++) {
        gm_fault_alloc fault;
        gm_vigil      *vigil = NULL;
        gm_fault_alloc_init(&fault, k);
        gm_status st = gm_vigil_create(&fault.alloc, &w.setups[0], w.group, slots, 0, &vigil, &w.err);
        gm_vigil_destroy(vigil);
        assert_int_equal(fault.live_blocks, 0);
        if (!fault.fired) {
            assert_int_equal(st, GM_OK);
            break;
        }
        assert_int_equal(st, GM_NOMEM);
    }
    free(slots);
    close_world(&w);
}

// ---- calibration --------------------------------------------------------------------------------------------------

// A hundred measurements of x' = 0.5 - rate x from `begin`, with noise 0.02, and a feed that was told at 0.
static gm_stretch decay_record(const world *w, double rate, double begin, size_t count)
{
    gm_stretch s = { .alloc = gm_alloc_system(), .samples = calloc(count + 1, sizeof *s.samples), .count = count + 1 };
    s.samples[0] = (gm_stretch_sample){ 0, w->feed, 0.5 };
    for (size_t i = 1; i <= count; i++) {
        double x = 0.5 / rate + (begin - 0.5 / rate) * exp(-rate * (double)i);
        s.samples[i] = (gm_stretch_sample){ (gm_time_ns)i * S, w->x, x + 0.02 * gm_rng_normal(6, 0, 0, i) };
    }
    return s;
}

static gm_status fit(world *w, const char *members, const gm_stretch *s, gm_calibration *out)
{
    gm_vigil_destroy(w->vigil);
    w->vigil               = NULL;
    gm_fork_report  report;
    gm_group_reader reader = gm_group_live_reader(w->plant.state);
    gm_calibrate_options o = gm_calibrate_options_defaults();
    double *slots = calloc(gm_program_slot_count(gm_group_program(w->group)), sizeof *slots);
    assert_gm_ok(begin_with(w, members), w->err);
    assert_gm_ok(gm_group_fork(w->group, &reader, 0, slots, &report, &w->err), w->err);
    gm_status st = gm_calibrate(gm_alloc_system(), gm_vigil_model(w->vigil), slots, 0, s, &o, out, &w->err);
    free(slots);
    return st;
}

static void a_parameter_is_fitted_with_an_honest_interval(void **state)
{
    (void)state;
    world          w;
    gm_calibration c;
    int            inside = 0;
    open_decay(&w, "");
    for (int k = 0; k < 20; k++) {
        gm_stretch s = decay_record(&w, 0.23, 5.05, 100);
        for (size_t i = 1; i < s.count; i++) s.samples[i].value += 0.02 * (gm_rng_normal(7, (uint32_t)k, 0, i) - gm_rng_normal(6, 0, 0, i));
        assert_gm_ok(fit(&w, ",\"measured\":{\"d.x\":{\"noise\":0.02}},\"parameters\":{\"d.rate\":{}}", &s, &c), w.err);
        assert_true(c.converged && c.unlearned == 0 && c.residuals == 100);
        assert_true(fabs(c.parameters[0].before - 0.1) < 1e-12 && fabs(c.parameters[0].after / 0.23 - 1) < 0.02);
        assert_true(c.rms_before > 5 && c.rms_after > 0.8 && c.rms_after < 1.2);
        inside += c.parameters[0].low < 0.23 && c.parameters[0].high > 0.23;
        gm_stretch_finish(&s);
    }
    assert_true(inside >= 16);  // 95 % of 20; fewer than 16 happen once in 4000 times
    close_world(&w);
}

static void a_fit_says_what_the_data_can_not_tell(void **state)
{
    (void)state;
    world          w;
    gm_calibration c;
    open_decay(&w, "");
    gm_stretch s = decay_record(&w, 0.2, 5, 100);
    assert_gm_ok(fit(&w, ",\"measured\":{\"d.x\":{\"noise\":0.02}},\"parameters\":{\"d.rate\":{\"log\":true},\"d.idle\":{\"deviation\":1}}", &s, &c), w.err);
    assert_int_equal(c.count, 2);
    assert_int_equal(c.unlearned, 1);
    assert_true(fabs(fabs(c.directions[1][1]) - 1) < 1e-6 && fabs(c.directions[1][0]) < 1e-3);  // idle, and nothing else
    assert_true(fabs(c.parameters[0].after / 0.2 - 1) < 0.02);
    assert_false(isfinite(c.parameters[1].low) && c.parameters[1].high - c.parameters[1].low < 2);
    gm_stretch_finish(&s);
    close_world(&w);
}

static void a_fit_stays_between_the_bounds_and_needs_measurements(void **state)
{
    (void)state;
    world          w;
    gm_calibration c;
    open_decay(&w, "");
    gm_stretch s = decay_record(&w, 0.3, 5, 100);
    assert_gm_ok(fit(&w, ",\"measured\":{\"d.x\":{\"noise\":0.02}},\"parameters\":{\"d.rate\":{\"max\":0.2}}", &s, &c), w.err);
    assert_true(c.parameters[0].bounded && fabs(c.parameters[0].after - 0.2) < 1e-12);
    for (size_t i = 1; i < s.count; i++) s.samples[i].value = NAN;
    assert_int_equal(fit(&w, ",\"parameters\":{\"d.rate\":{}}", &s, &c), GM_INVALID);
    assert_non_null(strstr(w.err.text, "too few"));
    assert_int_equal(fit(&w, "", &s, &c), GM_INVALID);
    gm_stretch_finish(&s);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_linear_system_agrees_with_the_closed_form),
        cmocka_unit_test(an_ensemble_comes_near_it),
        cmocka_unit_test(order_within_the_lag_and_repetitions_do_not_matter),
        cmocka_unit_test(what_waits_is_bounded),
        cmocka_unit_test(sensors_may_send_nothing_useful),
        cmocka_unit_test(outliers_are_not_believed_until_they_insist),
        cmocka_unit_test(parameters_are_learned_and_unobservable_ones_stay_open),
        cmocka_unit_test(the_offset_of_a_sensor_is_found_by_the_other),
        cmocka_unit_test(a_fault_is_told_from_its_beginning_and_not_before),
        cmocka_unit_test(setups_that_do_not_fit_are_refused_with_the_reason),
        cmocka_unit_test(a_model_without_states_is_told),
        cmocka_unit_test(a_parameter_is_fitted_with_an_honest_interval),
        cmocka_unit_test(a_fit_says_what_the_data_can_not_tell),
        cmocka_unit_test(a_fit_stays_between_the_bounds_and_needs_measurements),
        cmocka_unit_test(making_one_survives_every_refusal_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
