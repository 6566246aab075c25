// Runs against closed forms, each beside its test; tolerances are four standard errors where chance is at work.
#include "futures_support.h"

#include "base/rng.h"
#include "futures/special.h"
#include "physics/exec/lanes.h"

static const char decay[] = "model M parameter Real k = 1; input Real u; Real x(start = 2, fixed = true);\n"
                            "equation der(x) = -k*x + u; end M;";

static void near_to(double got, double want, double absolute, const char *what)
{
    if (!(fabs(got - want) <= absolute)) fail_msg("%s: %.12g, not %.12g within %g", what, got, want, absolute);
}

// x(t) = x0 e^(-k t) falls in k, so the q-quantile of x belongs to the (1-q)-quantile of k.
static void quantiles_of_a_decay_agree_with_its_closed_form(void **state)
{
    (void)state;
    static const gm_design_kind designs[] = { GM_DESIGN_RANDOM, GM_DESIGN_LATIN, GM_DESIGN_SOBOL };
    static const double         tolerance[] = { 0.05, 0.002, 0.002 };
    for (int i = 0; i < 3; i++) {
        gm_ahead a;
        gm_ahead_open(&a, decay, 2);
        gm_ahead_output(&a, "x");
        gm_ahead_vary(&a, "k", gm_uniform(0.5, 1.5));
        a.r.design = designs[i];
        a.r.horizon_s = 2, a.r.step_s = 0.01, a.r.lanes = 4096, a.r.seed = 7, a.r.bins = 10;
        gm_exceedance over = { GM_STR("x > 0.3"), 0, false, 0.3 };
        a.r.exceedances = &over, a.r.exceedance_count = 1;
        const gm_futures_result *f = gm_ahead_run(&a);
        assert_int_equal(f->point_count, 201);
        assert_true(f->time_s[0] == 0 && f->time_s[200] == 2);
        assert_int_equal(f->lane_steps, 4096 * 200);
        const gm_band *band = gm_futures_band(f, 0, 0);
        for (int p = 0; p <= 200; p += 50) {
            for (int q = 0; q < 3; q++) {
                double want = 2 * exp(-f->time_s[p] * (1.5 - a.r.quantiles[q]));
                near_to(band->quantiles[q * 201 + p] / want, 1, tolerance[i], "quantile");
            }
        }
        // E x = 2 (e^-0.5t - e^-1.5t) / t;  P(x > 0.3) = P(k < ln(2 / 0.3) / 2) at t = 2
        near_to(band->mean[200], exp(-1) - exp(-3), tolerance[i], "mean");
        near_to(f->exceeded[200], log(2 / 0.3) / 2 - 0.5, tolerance[i], "exceedance");
        uint32_t counted = 0;
        for (int b = 0; b < 10; b++) counted += band->histogram[b];
        assert_int_equal(counted, 4096);
        gm_ahead_close(&a);
    }
}

static void methods_agree(void **state)
{
    (void)state;
    for (int method = GM_FUTURES_FIXED; method <= GM_FUTURES_STIFF; method++) {
        gm_ahead a;
        gm_ahead_open(&a, decay, 1);
        gm_ahead_output(&a, "x");
        gm_ahead_vary(&a, "k", (gm_vary){ .kind = GM_VARY_GRID, .values = (double[]){ 0.5, 1, 2, 4 }, .count = 4 });
        a.r.method = (gm_futures_method)method;
        a.r.horizon_s = 2, a.r.step_s = method == GM_FUTURES_EULER ? 1e-4 : 0.01, a.r.tolerance = 1e-8, a.r.lanes = 4,
        a.r.points                 = 4;
        const gm_futures_result *f = gm_ahead_run(&a);
        assert_int_equal(f->point_count, 5);
        for (uint32_t lane = 0; lane < 4; lane++)
            near_to(gm_futures_value(a.job, 0, 0, 4, lane), 2 * exp(-2 * a.vary[0].values[lane]),
                    method == GM_FUTURES_EULER ? 1e-3 : 1e-6, "x");
        gm_ahead_close(&a);
    }
}

static void fill_everything(gm_ahead *a)
{
    gm_ahead_output(a, "x");
    gm_ahead_output(a, "u");
    gm_ahead_vary(a, "k", gm_uniform(0.5, 1.5));
    gm_ahead_vary(a, "x",
                  (gm_vary) { .kind = GM_VARY_LAW,
                              .how  = GM_VARY_SCALE,
                              .law  = { GM_LAW_NORMAL, { 1, 0.1, -INFINITY, INFINITY } } });
    gm_ahead_vary(a, "u", (gm_vary){ .kind = GM_VARY_OU, .p = { 1, 0.5, 0.7 } });
    gm_ahead_until(a, "x", true, 0.8);
    gm_ahead_score(a, GM_SCORE_INTEGRAL, "x", 0);
    gm_ahead_score(a, GM_SCORE_BELOW, "x", 1);
    a->r.horizon_s = 3, a->r.step_s = 0.01, a->r.lanes = 500, a->r.seed = 11;
}

// The same bits on one thread and on three, and for any lane run again alone.
static void a_request_gives_the_same_bits_whoever_computes_it(void **state)
{
    (void)state;
    static const gm_futures_method methods[] = { GM_FUTURES_FIXED, GM_FUTURES_ADAPTIVE };
    for (int m = 0; m < 2; m++) {
        gm_ahead one, three;
        gm_ahead_open(&one, decay, 1);
        gm_ahead_open(&three, decay, 3);
        fill_everything(&one);
        fill_everything(&three);
        one.r.method = three.r.method = methods[m];
        const gm_futures_result *f = gm_ahead_run(&one), *g = gm_ahead_run(&three);
        for (uint32_t o = 0; o < 2; o++) {
            for (uint32_t p = 0; p < f->point_count; p++) {
                for (uint32_t lane = 0; lane < 500; lane++)
                    assert_true(gm_futures_value(one.job, 0, o, p, lane) == gm_futures_value(three.job, 0, o, p, lane));
            }
            assert_memory_equal(gm_futures_band(f, 0, o)->quantiles, gm_futures_band(g, 0, o)->quantiles,
                                3 * f->point_count * sizeof(double));
            assert_memory_equal(gm_futures_band(f, 0, o)->mean, gm_futures_band(g, 0, o)->mean,
                                f->point_count * sizeof(double));
        }
        assert_true(f->tallies[0].mean == g->tallies[0].mean &&
                    f->passages[0].probability == g->passages[0].probability);
        double   *t = calloc(f->point_count, sizeof *t), *values = calloc(2 * f->point_count, sizeof *values);
        uint32_t  points;
        for (uint32_t lane = 3; lane < 500; lane += 124) {
            assert_gm_ok(
                gm_futures_lane(gm_alloc_system(), &one.r, 0, lane, one.outputs, 2, t, values, &points, &one.err),
                one.err);
            assert_int_equal(points, f->point_count);
            for (uint32_t p = 0; p < points; p++) {
                assert_true(t[p] == f->time_s[p]);
                for (uint32_t o = 0; o < 2; o++)
                    assert_true(values[o * points + p] == gm_futures_value(one.job, 0, o, p, lane));
            }
        }
        free(t);
        free(values);
        assert_int_equal(
            gm_futures_lane(gm_alloc_system(), &one.r, 0, 500, one.outputs, 2, NULL, NULL, &points, &one.err),
            GM_INVALID);
        gm_ahead_close(&one);
        gm_ahead_close(&three);
    }
}

// dx = (m - x)/tau dt + ...: mean m + (x0 - m) e^(-t/tau), variance s^2 (1 - e^(-2t/tau)).
static void an_ornstein_uhlenbeck_input_has_its_mean_and_variance(void **state)
{
    (void)state;
    gm_ahead a;
    gm_ahead_open(&a, decay, 2);
    gm_ahead_output(&a, "u");
    gm_ahead_vary(&a, "u", (gm_vary){ .kind = GM_VARY_OU, .p = { 3, 0.5, 2 } });
    a.base[gm_ahead_watch(&a, "u").slot.v] = 1;
    enum { LANES = 8192 };
    a.r.horizon_s = 4, a.r.step_s = 0.05, a.r.lanes = LANES, a.r.seed = 3, a.r.points = 4;
    const gm_futures_result *f = gm_ahead_run(&a);
    for (uint32_t p = 1; p < 5; p++) {
        // The point at t shows the value held over the step before it.
        double t = f->time_s[p] - 0.05, variance = 0.25 * -expm1(-t), sd = gm_futures_band(f, 0, 0)->sd[p];
        near_to(gm_futures_band(f, 0, 0)->mean[p], 3 - 2 * exp(-t / 2), 4 * sqrt(variance / LANES), "mean");
        near_to(sd * sd / variance, 1, 4 * sqrt(2.0 / LANES), "variance");
    }
    // Batch means (32 batches of lanes): the mean's confidence interval covers the truth.
    double sum = 0, square = 0, t = 4 - 0.05;
    for (int batch = 0; batch < 32; batch++) {
        double mean = 0;
        for (uint32_t i = 0; i < LANES / 32; i++)
            mean += gm_futures_value(a.job, 0, 0, 4, (uint32_t)batch * (LANES / 32) + i) / (LANES / 32);
        sum += mean / 32;
        square += mean * mean / 32;
    }
    near_to(sum, 3 - 2 * exp(-t / 2), 4 * sqrt((square - sum * sum) / 31), "batch means");
    gm_ahead_close(&a);
}

// From x0 above its mean the process has come down to it by t with probability 2 P(x_t < 0) (reflection: the process is
// symmetric about its mean). Looking every dt only, the threshold seems farther away by 0.5826 sd sqrt(2 dt / tau)
// (Broadie, Glasserman, Kou 1997).
static void an_ornstein_uhlenbeck_input_passes_its_mean_in_time(void **state)
{
    (void)state;
    gm_ahead a;
    gm_ahead_open(&a, decay, 2);
    gm_ahead_vary(&a, "u", (gm_vary){ .kind = GM_VARY_OU, .p = { 0, 1, 1 } });
    a.base[gm_ahead_watch(&a, "u").slot.v] = 1;
    enum { LANES = 8192 };
    const double dt = 0.002;
    gm_ahead_until(&a, "u", true, 0);
    a.r.horizon_s = 2, a.r.step_s = dt, a.r.lanes = LANES, a.r.seed = 5, a.r.points = 8;
    const gm_futures_result *f = gm_ahead_run(&a);
    for (uint32_t p = 2; p < 9; p++) {
        double t = f->time_s[p], away = 1 + 0.5826 * sqrt(2 * dt),
               want = 2 * gm_normal_cdf(-away * exp(-t) / sqrt(-expm1(-2 * t)));
        near_to(f->passages[0].reached[p], want, 4 * sqrt(want * (1 - want) / LANES) + 0.002, "passed by t");
    }
    const gm_passage *g = &f->passages[0];
    assert_int_equal(g->passed + g->censored, LANES);
    assert_true(g->low < g->probability && g->probability < g->high && g->high - g->low < 0.03);
    gm_ahead_close(&a);
}

// dx1 = -a x1 + u, dx2 = x1 - b x2, u an Ornstein-Uhlenbeck process: the stationary covariance P solves the Lyapunov
// equation A P + P A' + Q = 0. With h = 1/tau: c1 = s^2/(a+h), c2 = c1/(b+h), P11 = c1/a, P12 = (P11 + c2)/(a+b),
// P22 = P12/b.
static void a_linear_system_reaches_its_lyapunov_covariance(void **state)
{
    (void)state;
    gm_ahead a;
    gm_ahead_open(&a,
                  "model M parameter Real a = 1.5; parameter Real b = 0.8; input Real u; Real x1(start=0,fixed=true);"
                  " Real x2(start=0,fixed=true); equation der(x1) = -a*x1 + u; der(x2) = x1 - b*x2; end M;",
                  2);
    gm_ahead_output(&a, "x1");
    gm_ahead_output(&a, "x2");
    gm_ahead_vary(&a, "u", (gm_vary){ .kind = GM_VARY_OU, .p = { 0, 2, 0.5 } });
    enum { LANES = 8192 };
    a.r.horizon_s = 12, a.r.step_s = 0.02, a.r.lanes = LANES, a.r.seed = 17, a.r.points = 1;
    const gm_futures_result *f = gm_ahead_run(&a);
    double c1 = 4 / 3.5, c2 = c1 / 2.8, p11 = c1 / 1.5, p12 = (p11 + c2) / 2.3, p22 = p12 / 0.8, cov = 0;
    double m1 = gm_futures_band(f, 0, 0)->mean[1], m2 = gm_futures_band(f, 0, 1)->mean[1];
    for (uint32_t i = 0; i < LANES; i++)
        cov += (gm_futures_value(a.job, 0, 0, 1, i) - m1) * (gm_futures_value(a.job, 0, 1, 1, i) - m2) / (LANES - 1);
    // Holding u over a step of h/25 adds about 2 % of noise power at most; the rest is chance.
    const double relative = 4 * sqrt(2.0 / LANES) + 0.02;
    near_to(pow(gm_futures_band(f, 0, 0)->sd[1], 2) / p11, 1, relative, "P11");
    near_to(pow(gm_futures_band(f, 0, 1)->sd[1], 2) / p22, 1, relative, "P22");
    near_to(cov / p12, 1, relative, "P12");
    gm_ahead_close(&a);
}

// Campbell's theorem for shot noise from nothing: mean rate h tau (1 - e^(-t/tau)), variance
// rate h^2 tau/2 (1 - e^(-2t/tau)).
static void poisson_arrivals_follow_campbells_theorem(void **state)
{
    (void)state;
    gm_ahead a;
    gm_ahead_open(&a, decay, 2);
    gm_ahead_output(&a, "u");
    gm_ahead_vary(&a, "u", (gm_vary){ .kind = GM_VARY_POISSON, .how = GM_VARY_ADD, .p = { 3, 0.5, 2 } });
    a.base[gm_ahead_watch(&a, "u").slot.v] = 10;
    enum { LANES = 8192 };
    a.r.horizon_s = 5, a.r.step_s = 0.1, a.r.lanes = LANES, a.r.seed = 23, a.r.points = 1;
    const gm_futures_result *f = gm_ahead_run(&a);
    double t = 4.9, mean = 3 * 0.5 * 2 * -expm1(-t / 2), variance = 3 * 0.25 * 1 * -expm1(-t);
    near_to(gm_futures_band(f, 0, 0)->mean[1], 10 + mean, 4 * sqrt(variance / LANES), "mean");
    near_to(pow(gm_futures_band(f, 0, 0)->sd[1], 2) / variance, 1, 0.1, "variance");
    gm_ahead_close(&a);
}

static void scheduled_changes_come_and_go(void **state)
{
    (void)state;
    gm_ahead a;
    gm_ahead_open(&a, "model M input Real u; Real x(start = 0, fixed = true); equation der(x) = u; end M;", 2);
    gm_ahead_output(&a, "x");
    gm_ahead_output(&a, "u");
    // u = 1 from t = 1 for 2 s: x(4) = 2.
    gm_vary *v   = gm_ahead_vary(&a, "u", gm_constant(1));
    v->scheduled = true, v->from = gm_law_point(1), v->lasts_s = 2;
    a.r.horizon_s = 4, a.r.step_s = 0.01, a.r.lanes = 4096, a.r.points = 4;
    const gm_futures_result *f = gm_ahead_run(&a);
    near_to(gm_futures_value(a.job, 0, 0, 4, 77), 2, 1e-12, "a pulse");
    near_to(gm_futures_value(a.job, 0, 1, 4, 77), 0, 0, "u afterwards");
    // At a random time, uniform in 0..4, for good: the mean of x(4) is 2, its sd 4/sqrt(12).
    v->from    = (gm_law){ GM_LAW_UNIFORM, { 0, 4 } };
    v->lasts_s = 0;
    f          = gm_ahead_run(&a);
    near_to(gm_futures_band(f, 0, 0)->mean[4], 2, 4 * 1.155 / 64 + 0.01, "mean");
    near_to(gm_futures_band(f, 0, 0)->sd[4], 1.155, 0.03, "sd");
    // The same with steps of its own choice.
    a.r.method = GM_FUTURES_ADAPTIVE;
    v->from    = gm_law_point(1.234);
    gm_ahead_run(&a);
    near_to(gm_futures_value(a.job, 0, 0, 4, 9), 4 - 1.234, 1e-9, "adaptive");
    gm_ahead_close(&a);
}

static void a_series_drives_an_input(void **state)
{
    (void)state;
    gm_ahead a;
    gm_ahead_open(&a, "model M input Real u; Real x(start = 0, fixed = true); equation der(x) = u; end M;", 1);
    gm_ahead_output(&a, "x");
    static const double times[] = { 1, 3 }, values[] = { 0, 4 };
    gm_ahead_vary(&a, "u",
                  (gm_vary) { .kind = GM_VARY_SERIES, .values = values, .times = times, .count = 2, .linear = true });
    a.r.horizon_s = 4, a.r.step_s = 0.001, a.r.lanes = 1, a.r.points = 4;
    gm_ahead_run(&a);
    near_to(gm_futures_value(a.job, 0, 0, 4, 0), 4 + 4, 0.01, "a ramp from 0 to 4 in 2 s, then 4 for 1 s");
    a.vary[0].linear = false;
    gm_ahead_run(&a);
    near_to(gm_futures_value(a.job, 0, 0, 4, 0), 4, 0.01, "a step at 3 s");
    gm_ahead_close(&a);
}

static void scores_and_passages_agree_with_closed_forms(void **state)
{
    (void)state;
    for (int method = GM_FUTURES_FIXED; method <= GM_FUTURES_ADAPTIVE; method += 2) {
        gm_ahead a;
        gm_ahead_open(&a, decay, 2);
        gm_ahead_vary(&a, "k", (gm_vary){ .kind = GM_VARY_LIST, .values = (double[]){ 0.1, 1, 2 }, .count = 3 });
        gm_ahead_until(&a, "x", true, 1);
        gm_ahead_score(&a, GM_SCORE_INTEGRAL, "x", 0);
        gm_ahead_score(&a, GM_SCORE_MEAN, "x", 0);
        gm_ahead_score(&a, GM_SCORE_MIN, "x", 0);
        gm_ahead_score(&a, GM_SCORE_MAX, "x", 0);
        gm_ahead_score(&a, GM_SCORE_FINAL, "x", 0);
        gm_ahead_score(&a, GM_SCORE_ABOVE, "x", 1);
        gm_ahead_score(&a, GM_SCORE_BELOW, "x", 1);
        a.r.method = (gm_futures_method)method, a.r.every_s = 0.01;
        a.r.horizon_s = 4, a.r.step_s = 0.01, a.r.lanes = 3, a.r.points = 40;
        const gm_futures_result *f = gm_ahead_run(&a);
        // x = 2 e^(-k t): below 1 at ln 2 / k, which k = 0.1 does not reach; the integral is 2 (1 - e^(-4k)) / k.
        near_to(f->passages[0].probability, 2.0 / 3, 1e-12, "two of three");
        assert_int_equal(f->passages[0].censored, 1);
        near_to(f->passages[0].quantiles[0], log(2) / 2, 1e-4, "the first tenth");
        near_to(f->passages[0].quantiles[1], log(2), 1e-4, "the median");
        assert_true(isnan(f->passages[0].quantiles[2]));
        double most = 2 * -expm1(-0.4) / 0.1, least = 2 * -expm1(-8) / 2;
        near_to(f->tallies[0].max, most, 1e-3, "integral");
        near_to(f->tallies[0].min, least, 1e-3, "integral");
        assert_int_equal(f->tallies[0].max_lane, 0);
        assert_int_equal(f->tallies[0].min_lane, 2);
        near_to(f->tallies[1].max, most / 4, 1e-3, "mean");
        near_to(f->tallies[2].min, 2 * exp(-8), 1e-6, "min");
        near_to(f->tallies[3].max, 2, 1e-12, "max");
        near_to(f->tallies[4].max, 2 * exp(-0.4), 1e-6, "final");
        near_to(f->tallies[5].min, log(2) / 2, 1e-4, "time above");
        near_to(f->tallies[6].max, 4 - log(2) / 2, 1e-4, "time below");
        gm_ahead_close(&a);
    }
}

// x' = x^2 from x0 leaves every bound at t = 1 / x0.
static void lanes_that_diverge_are_told_and_not_averaged(void **state)
{
    (void)state;
    gm_ahead a;
    gm_ahead_open(&a, "model M Real x(start = 0.1, fixed = true); equation der(x) = x*x; end M;", 2);
    gm_ahead_output(&a, "x");
    gm_ahead_vary(&a, "x", (gm_vary){ .kind = GM_VARY_LIST, .values = (double[]){ 0.1, 0.2, 2 }, .count = 3 });
    gm_ahead_score(&a, GM_SCORE_MAX, "x", 0);
    gm_ahead_until(&a, "x", false, 1e300);
    a.r.horizon_s = 1, a.r.step_s = 0.001, a.r.lanes = 300, a.r.points = 10;
    const gm_futures_result *f = gm_ahead_run(&a);
    assert_int_equal(f->diverged, 100);
    assert_int_equal(f->failed_by[GM_LANE_DIVERGED], 100);
    assert_int_equal(f->trouble_count, GM_FUTURES_TROUBLES);
    assert_int_equal(f->troubles[1].lane, 5);
    assert_true(f->troubles[0].time_s >= 0.5 && f->troubles[0].time_s < 0.62);
    for (uint32_t p = 0; p < f->point_count; p++) {
        double t = f->time_s[p];
        near_to(gm_futures_band(f, 0, 0)->mean[p], (1 / (10 - t) + 1 / (5 - t)) / 2, 1e-6, "mean of those that stay");
        assert_true(isnan(gm_futures_value(a.job, 0, 0, p, 2)));
    }
    near_to(f->tallies[0].max, 0.25, 1e-6, "a score counts those that stay");
    assert_int_equal(f->passages[0].passed + f->passages[0].failed, 100);
    gm_ahead_close(&a);
}

static void an_assert_is_told_in_its_own_words(void **state)
{
    (void)state;
    gm_ahead a;
    gm_ahead_open(
        &a,
        "model M Real x(start = 0, fixed = true); equation der(x) = 1; assert(x < 0.5, \"the tank runs over\"); end M;",
        1);
    gm_ahead_output(&a, "x");
    a.r.horizon_s = 1, a.r.step_s = 0.01, a.r.lanes = 2;
    const gm_futures_result *f = gm_ahead_run(&a);
    assert_int_equal(f->diverged, 2);
    assert_true(gm_str_is(f->troubles[0].message, "the tank runs over"));
    assert_true(isnan(gm_futures_band(f, 0, 0)->mean[0]));
    gm_ahead_close(&a);
}

static void correlated_draws_have_their_correlation(void **state)
{
    (void)state;
    gm_ahead a;
    gm_ahead_open(
        &a, "model M Real x(start=0,fixed=true); Real y(start=0,fixed=true); equation der(x) = 0; der(y) = 0; end M;",
        2);
    gm_ahead_output(&a, "x");
    gm_ahead_output(&a, "y");
    gm_ahead_vary(&a, "x", (gm_vary){ .kind = GM_VARY_LAW, .law = { GM_LAW_NORMAL, { 0, 1, -INFINITY, INFINITY } } });
    gm_ahead_vary(&a, "y", (gm_vary){ .kind = GM_VARY_LAW, .law = { GM_LAW_NORMAL, { 5, 2, -INFINITY, INFINITY } } });
    gm_correlation c = { (uint32_t[]){ 0, 1 }, (double[]){ 1, -0.8, -0.8, 1 }, 2 };
    a.r.correlations = &c, a.r.correlation_count = 1;
    enum { LANES = 8192 };
    a.r.horizon_s = 1, a.r.lanes = LANES, a.r.points = 1, a.r.seed = 2;
    gm_ahead_run(&a);
    double xy = 0, yy = 0;
    for (uint32_t i = 0; i < LANES; i++) {
        double x = gm_futures_value(a.job, 0, 0, 1, i), y = gm_futures_value(a.job, 0, 1, 1, i);
        xy += x * (y - 5) / 2 / LANES;
        yy += (y - 5) * (y - 5) / 4 / LANES;
    }
    near_to(xy, -0.8, 4 * sqrt((1 + 0.64) / LANES), "correlation");
    near_to(yy, 1, 4 * sqrt(2.0 / LANES), "variance");
    c.matrix = (double[]){ 1, 2, 2, 1 };
    gm_futures *none;
    assert_int_equal(gm_futures_start(gm_alloc_system(), a.pool, &a.r, (gm_futures_calls) { 0 }, &none, &a.err),
                     GM_INVALID);
    gm_ahead_close(&a);
}

// Scenarios share their draws: what a scenario changes is all that differs.
static void scenarios_differ_by_their_change_alone(void **state)
{
    (void)state;
    gm_ahead a;
    gm_ahead_open(&a, decay, 2);
    gm_ahead_output(&a, "x");
    gm_ahead_vary(&a, "x", gm_uniform(1, 2));
    gm_watched  k         = gm_ahead_watch(&a, "k");
    gm_vary     faster    = gm_constant(2);
    faster.name = k.name, faster.slot = k.slot, faster.scale = 1;
    gm_scenario both[] = { { GM_STR("as is"), NULL, 0 }, { GM_STR("faster"), &faster, 1 } };
    a.r.scenarios = both, a.r.scenario_count = 2;
    a.r.horizon_s = 1, a.r.step_s = 0.01, a.r.lanes = 100, a.r.points = 1;
    const gm_futures_result *f = gm_ahead_run(&a);
    assert_int_equal(f->scenario_count, 2);
    for (uint32_t i = 0; i < 100; i++) {
        assert_true(gm_futures_value(a.job, 0, 0, 0, i) == gm_futures_value(a.job, 1, 0, 0, i));
        near_to(gm_futures_value(a.job, 1, 0, 1, i) / gm_futures_value(a.job, 0, 0, 1, i), exp(-1), 1e-8,
                "twice as fast");
    }
    gm_ahead_close(&a);
}

// Ishigami and Homma (1990): y = sin a + 7 sin^2 b + 0.1 c^4 sin a, inputs uniform in -pi..pi. With A = 7, B = 0.1:
// V1 = (1 + B pi^4/5)^2 / 2, V2 = A^2/8, V13 = 8 B^2 pi^8 / 225.
static void sobol_indices_of_ishigamis_function_agree_with_the_closed_form(void **state)
{
    (void)state;
    gm_ahead a;
    gm_ahead_open(&a,
                  "model M parameter Real a = 0; parameter Real b = 0; parameter Real c = 0; Real "
                  "x(start=0,fixed=true); output Real y;"
                  " equation der(x) = 0; y = sin(a) + 7*sin(b)^2 + 0.1*c^4*sin(a) + 0*x; end M;",
                  2);
    gm_ahead_output(&a, "y");
    gm_ahead_score(&a, GM_SCORE_FINAL, "y", 0);
    static const char *const names[] = { "a", "b", "c" };
    for (int i = 0; i < 3; i++) gm_ahead_vary(&a, names[i], gm_uniform(-M_PI, M_PI));
    a.r.design = GM_DESIGN_SALTELLI, a.r.lanes = 5 * 2048, a.r.horizon_s = 1, a.r.points = 1, a.r.seed = 1;
    const gm_futures_result *f = gm_ahead_run(&a);
    double v1 = pow(1 + 0.1 * pow(M_PI, 4) / 5, 2) / 2, v2 = 49.0 / 8, v13 = 8 * 0.01 * pow(M_PI, 8) / 225,
           v             = v1 + v2 + v13;
    const double first[] = { v1 / v, v2 / v, 0 }, total[] = { (v1 + v13) / v, v2 / v, v13 / v };
    assert_int_equal(f->varied_count, 3);
    for (int row = 0; row < 2; row++) {  // the score, and the output at the horizon
        for (int i = 0; i < 3; i++) {
            const gm_sensitivity *s = &f->sensitivities[row * 3 + i];
            assert_true(gm_str_is(f->varied[i], names[i]));
            near_to(s->first, first[i], 0.02, "first order");
            near_to(s->total, total[i], 0.02, "total");
            assert_true(s->first_error > 0.001 && s->first_error < 0.1 && s->total_error < 0.1);
        }
    }
    gm_ahead_close(&a);
}

static void morris_effects_of_a_linear_model_are_its_coefficients(void **state)
{
    (void)state;
    gm_ahead a;
    gm_ahead_open(&a,
                  "model M parameter Real a = 0; parameter Real b = 0; parameter Real c = 0; Real "
                  "x(start=0,fixed=true); output Real y;"
                  " equation der(x) = 0; y = 2*a - 5*b + 0*c + x; end M;",
                  2);
    gm_ahead_output(&a, "y");
    static const char *const names[] = { "a", "b", "c" };
    for (int i = 0; i < 3; i++) gm_ahead_vary(&a, names[i], gm_uniform(0, 1));
    a.r.design = GM_DESIGN_MORRIS, a.r.lanes = 4 * 20, a.r.horizon_s = 1, a.r.points = 1;
    const gm_futures_result *f = gm_ahead_run(&a);
    const double want[] = { 2, -5, 0 };
    for (int i = 0; i < 3; i++) {
        near_to(f->sensitivities[i].effect_mean, want[i], 1e-12, "effect");
        near_to(f->sensitivities[i].effect_abs, fabs(want[i]), 1e-12, "absolute effect");
        near_to(f->sensitivities[i].effect_sd, 0, 1e-6, "no interaction");
    }
    gm_ahead_close(&a);
}

static void a_cancelled_job_ends_soon_and_without_a_result(void **state)
{
    (void)state;
    gm_ahead a;
    gm_ahead_open(&a, decay, 2);
    gm_ahead_output(&a, "x");
    gm_ahead_vary(&a, "k", gm_uniform(0.5, 1.5));
    a.r.horizon_s = 1e6, a.r.step_s = 0.01, a.r.lanes = 4096, a.r.memory_max = (size_t)1 << 30;  // minutes of work
    gm_ahead_start(&a);
    while (a.news == 0) gm_pool_turn(a.pool, GM_SECOND);
    gm_partial p;
    assert_true(gm_futures_partial(a.job, &p));
    assert_true(p.counted >= 64 && p.points >= 1 && p.quantiles[0] == 2);
    assert_true(gm_futures_progress(a.job) < 1);
    gm_futures_cancel(a.job);
    while (!a.done) gm_pool_turn(a.pool, GM_SECOND);
    assert_int_equal(a.status, GM_CANCELLED);
    assert_null(gm_futures_result_of(a.job));
    gm_ahead_close(&a);
}

// Threads, plans, buffers: whatever is refused, nothing stays behind.
static void a_job_survives_every_allocation_failure(void **state)
{
    (void)state;
    for (uint64_t k = 0;; k += 1 + k / 40) {
        gm_fault_alloc fault;
        gm_ahead       a;
        gm_ahead_open(&a, decay, 1);
        gm_fault_alloc_init(&fault, k);
        fill_everything(&a);
        a.r.lanes = 70, a.r.points = 3, a.r.bins = 4;
        gm_status st = gm_futures_start(&fault.alloc, a.pool, &a.r,
                                        (gm_futures_calls) { .done = gm_ahead_done, .context = &a }, &a.job, &a.err);
        if (st == GM_OK) {
            while (!a.done) gm_pool_turn(a.pool, GM_SECOND);
            st = a.status;
        }
        gm_futures_destroy(a.job);
        a.job = NULL;
        gm_ahead_close(&a);
        assert_int_equal(fault.live_blocks, 0);
        if (!fault.fired) {
            assert_int_equal(st, GM_OK);
            return;
        }
        assert_int_equal(st, GM_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_of_a_decay_agree_with_its_closed_form),
        cmocka_unit_test(methods_agree),
        cmocka_unit_test(a_request_gives_the_same_bits_whoever_computes_it),
        cmocka_unit_test(an_ornstein_uhlenbeck_input_has_its_mean_and_variance),
        cmocka_unit_test(an_ornstein_uhlenbeck_input_passes_its_mean_in_time),
        cmocka_unit_test(a_linear_system_reaches_its_lyapunov_covariance),
        cmocka_unit_test(poisson_arrivals_follow_campbells_theorem),
        cmocka_unit_test(scheduled_changes_come_and_go),
        cmocka_unit_test(a_series_drives_an_input),
        cmocka_unit_test(scores_and_passages_agree_with_closed_forms),
        cmocka_unit_test(lanes_that_diverge_are_told_and_not_averaged),
        cmocka_unit_test(an_assert_is_told_in_its_own_words),
        cmocka_unit_test(correlated_draws_have_their_correlation),
        cmocka_unit_test(scenarios_differ_by_their_change_alone),
        cmocka_unit_test(sobol_indices_of_ishigamis_function_agree_with_the_closed_form),
        cmocka_unit_test(morris_effects_of_a_linear_model_are_its_coefficients),
        cmocka_unit_test(a_cancelled_job_ends_soon_and_without_a_result),
        cmocka_unit_test(a_job_survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
