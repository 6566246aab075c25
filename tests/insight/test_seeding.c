// Do lanes begin where the estimate says? Means, covariances and bounds of what they begin with.
#include "insight/estimate/seeding.h"

#include "base/rng.h"
#include "insight/decay_world.h"

enum { LANES = 4096 };

static bool find(void *context, gm_str name, gm_futures_name *out)
{
    const gm_group   *group = context;
    gm_group_variable v;
    if (!gm_group_find(group, name, &v)) return false;
    *out = (gm_futures_name){ .slot = v.slot, .scale = v.factor, .offset = v.offset, .set = v.set, .set_scale = v.set_factor, .set_offset = v.set_offset };
    if (gm_program_slot(gm_group_program(group), v.slot)->kind == GM_SLOT_STATE) out->set = v.slot;
    return true;
}

static void on_done(void *context, gm_status status, const gm_error *err)
{
    (void)err;
    *(gm_status *)context = status;
}

// What x and rate are at the beginning of each lane.
static void begin_lanes(world *w, const gm_futures_request *asked, double *x, double *rate)
{
    gm_group_variable  v[2];
    gm_watched         outputs[2];
    gm_pool           *pool = NULL;
    gm_futures        *job  = NULL;
    gm_pool_options    o    = { .threads = 1, .jobs_max = 2 };
    gm_status          done = GM_STATUS_COUNT;
    gm_futures_request r    = *asked;
    assert_true(gm_group_find(w->group, GM_STR("d.x"), &v[0]) && gm_group_find(w->group, GM_STR("d.rate"), &v[1]));
    for (int i = 0; i < 2; i++) outputs[i] = (gm_watched){ i == 0 ? GM_STR("d.x") : GM_STR("d.rate"), v[i].slot, v[i].factor, v[i].offset };
    r.points       = 1;
    r.outputs      = outputs;
    r.output_count = 2;
    assert_gm_ok(gm_pool_create(gm_alloc_system(), NULL, &o, &pool, &w->err), w->err);
    assert_gm_ok(gm_futures_start(gm_alloc_system(), pool, &r, (gm_futures_calls){ .done = on_done, .context = &done }, &job, &w->err), w->err);
    while (done == GM_STATUS_COUNT) gm_pool_turn(pool, GM_SECOND);
    assert_int_equal(done, GM_OK);
    for (uint32_t lane = 0; lane < r.lanes; lane++) {
        x[lane]    = gm_futures_value(job, 0, 0, 0, lane);
        rate[lane] = gm_futures_value(job, 0, 1, 0, lane);
    }
    gm_pool_destroy(pool);
    gm_futures_destroy(job);
}

static double mean_of(const double *v, uint32_t n)
{
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) sum += v[i] / n;
    return sum;
}

static double covariance_of(const double *a, const double *b, uint32_t n)
{
    double ma = mean_of(a, n), mb = mean_of(b, n), sum = 0;
    for (uint32_t i = 0; i < n; i++) sum += (a[i] - ma) * (b[i] - mb) / (n - 1.0);
    return sum;
}

static gm_futures_request request_of(const world *w, const double *slots, uint32_t lanes)
{
    gm_futures_request r = gm_futures_defaults(gm_group_program(w->group), slots);
    r.horizon_s = r.step_s = 0.001;
    r.lanes     = lanes;
    r.seed      = 3;
    return r;
}

static void lanes_agree_with_the_covariance(void **state)
{
    (void)state;
    static double x[LANES], rate[LANES];
    world         w;
    gm_fork_report report;
    open_decay(&w, LINEAR ",\"parameters\":{\"d.rate\":{}}");
    gm_group_reader  reader = gm_group_live_reader(w.plant.state);
    double          *slots  = calloc(gm_program_slot_count(gm_group_program(w.group)), sizeof *slots);
    gm_futures_world ahead  = { .program = gm_group_program(w.group), .find = find, .context = w.group };
    uint32_t         n;
    assert_gm_ok(gm_group_fork(w.group, &reader, 0, slots, &report, &w.err), w.err);
    // x = 4 +- 0.5, rate = 0.4 +- 0.05, correlation 0.8.
    const double       means[2] = { 4, 0.4 }, factor[4] = { 0.5, 0.8 * 0.05, 0, 0.6 * 0.05 };
    gm_estimate_spread spread   = { .parts = gm_estimate_model_parts(gm_vigil_model(w.vigil), &n), .count = 2, .means = means, .factor = factor };
    gm_futures_request r        = request_of(&w, slots, LANES);
    assert_int_equal(n, 2);
    assert_gm_ok(gm_seeding_put(w.arena, &spread, &ahead, &r, &w.err), w.err);
    begin_lanes(&w, &r, x, rate);
    // Standard errors of 4096 draws: 1/64 of a deviation, 1/45 of a variance, (1 - r^2)/64 of a correlation.
    assert_true(fabs(mean_of(x, LANES) - 4) < 4 * 0.5 / 64 && fabs(mean_of(rate, LANES) - 0.4) < 4 * 0.05 / 64);
    assert_true(fabs(covariance_of(x, x, LANES) / 0.25 - 1) < 4.0 / 45);
    assert_true(fabs(covariance_of(rate, rate, LANES) / 0.0025 - 1) < 4.0 / 45);
    double correlation = covariance_of(x, rate, LANES) / (0.5 * 0.05);
    if (!(fabs(correlation - 0.8) < 0.06)) fail_msg("the lanes' correlation is %.3f, the estimate's 0.8", correlation);

    // What the request varies itself comes on top, correlations of its own included; a logarithm stays positive.
    static const double own[4] = { 1, -0.5, -0.5, 1 };
    static const uint32_t items[2] = { 0, 1 };
    gm_futures_name name;
    gm_estimate_part parts[2];
    memcpy(parts, spread.parts, sizeof parts);
    parts[1].log = true;
    spread.parts = parts;
    const double log_means[2] = { 4, log(0.4) };
    spread.means = log_means;
    assert_true(find(w.group, GM_STR("d.x"), &name));
    gm_vary add[2] = { { .name = GM_STR("d.x"), .slot = name.set, .scale = name.set_scale, .how = GM_VARY_ADD, .law = { .kind = GM_LAW_NORMAL, .p = { 10, 1, -INFINITY, INFINITY } } },
                       { .name = GM_STR("d.idle"), .how = GM_VARY_SET, .law = { .kind = GM_LAW_UNIFORM, .p = { 0, 1 } } } };
    assert_true(find(w.group, GM_STR("d.idle"), &name));
    add[1].slot  = name.set;
    add[1].scale = name.set_scale;
    gm_correlation correlation_own = { items, own, 2 };
    r = request_of(&w, slots, LANES);
    r.vary = add, r.vary_count = 2, r.correlations = &correlation_own, r.correlation_count = 1;
    assert_gm_ok(gm_seeding_put(w.arena, &spread, &ahead, &r, &w.err), w.err);
    assert_int_equal(r.vary_count, 4);
    assert_int_equal(r.correlation_count, 2);
    begin_lanes(&w, &r, x, rate);
    assert_true(fabs(mean_of(x, LANES) - 14) < 4 * 1.12 / 64 && fabs(covariance_of(x, x, LANES) / 1.25 - 1) < 4.0 / 45);
    for (uint32_t i = 0; i < LANES; i++) {
        assert_true(rate[i] > 0);
        rate[i] = log(rate[i]);
    }
    assert_true(fabs(mean_of(rate, LANES) - log(0.4)) < 4 * 0.05 / 64);
    free(slots);
    close_world(&w);
}

static void lanes_are_the_members_of_an_ensemble(void **state)
{
    (void)state;
    static double x[60], rate[60];
    world          w;
    gm_fork_report report;
    open_decay(&w, LINEAR ",\"parameters\":{\"d.rate\":{}},\"filter\":\"ensemble\",\"members\":20");
    for (int i = 1; i <= 10; i++) feed(&w, w.x, i, 3);
    advance(&w, 10);
    gm_group_reader  reader = gm_group_live_reader(w.plant.state);
    double          *slots  = calloc(gm_program_slot_count(gm_group_program(w.group)), sizeof *slots);
    gm_futures_world ahead  = { .program = gm_group_program(w.group), .find = find, .context = w.group };
    gm_estimate_spread spread = { .means = gm_estimator_means(gm_vigil_estimator(w.vigil)) };
    spread.parts   = gm_estimate_model_parts(gm_vigil_model(w.vigil), &spread.count);
    spread.members = gm_estimator_members(gm_vigil_estimator(w.vigil), &spread.member_count);
    assert_int_equal(spread.member_count, 20);
    assert_gm_ok(gm_group_fork(w.group, &reader, 0, slots, &report, &w.err), w.err);
    gm_futures_request r = request_of(&w, slots, 60);
    assert_gm_ok(gm_seeding_put(w.arena, &spread, &ahead, &r, &w.err), w.err);
    begin_lanes(&w, &r, x, rate);
    for (uint32_t i = 0; i < 60; i++) assert_true(x[i] == spread.members[i % 20] && rate[i] == spread.members[20 + i % 20]);
    free(slots);
    close_world(&w);
}

// Parts that belong together exactly, or that are known exactly, are no reason to refuse; bounds are kept.
static void odd_distributions_are_taken(void **state)
{
    (void)state;
    static double x[256], rate[256];
    static const struct { double means[2], factor[4]; } cases[] = {
        { { 4, 0.4 }, { 0.5, 0.05, 0, 0 } },         // one number decides both
        { { 4, 0.4 }, { 0.5, 0, 0, 0 } },            // the rate is known
        { { 4, 0.4 }, { 0, 0, 0, 0 } },              // both are
        { { 4, 0.01 }, { 0.5, 0.05, 0, 0.05 } },     // many draws would be below the class's bound of 0
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        world          w;
        gm_fork_report report;
        uint32_t       n;
        open_decay(&w, LINEAR ",\"parameters\":{\"d.rate\":{}}");
        gm_group_reader    reader = gm_group_live_reader(w.plant.state);
        double            *slots  = calloc(gm_program_slot_count(gm_group_program(w.group)), sizeof *slots);
        gm_futures_world   ahead  = { .program = gm_group_program(w.group), .find = find, .context = w.group };
        gm_estimate_spread spread = { .parts = gm_estimate_model_parts(gm_vigil_model(w.vigil), &n), .count = 2, .means = cases[c].means, .factor = cases[c].factor };
        assert_gm_ok(gm_group_fork(w.group, &reader, 0, slots, &report, &w.err), w.err);
        gm_futures_request r = request_of(&w, slots, 256);
        assert_gm_ok(gm_seeding_put(w.arena, &spread, &ahead, &r, &w.err), w.err);
        begin_lanes(&w, &r, x, rate);
        for (uint32_t i = 0; i < 256; i++) assert_true(isfinite(x[i]) && rate[i] >= 0);
        if (c == 0) assert_true(fabs(covariance_of(x, rate, 256) / sqrt(covariance_of(x, x, 256) * covariance_of(rate, rate, 256)) - 1) < 1e-6);
        if (c >= 1 && c <= 2) assert_true(covariance_of(rate, rate, 256) < 1e-20);
        free(slots);
        close_world(&w);
    }
}

static bool find_nothing(void *context, gm_str name, gm_futures_name *out)
{
    (void)context, (void)name, (void)out;
    return false;
}

static void a_world_without_the_variable_is_told(void **state)
{
    (void)state;
    world w;
    uint32_t n;
    open_decay(&w, LINEAR);
    const double       mean = 4, factor = 1;
    gm_futures_world   ahead  = { .program = gm_group_program(w.group), .find = find_nothing };
    gm_estimate_spread spread = { .parts = gm_estimate_model_parts(gm_vigil_model(w.vigil), &n), .count = 1, .means = &mean, .factor = &factor };
    gm_futures_request r      = request_of(&w, &mean, 1);
    assert_int_equal(gm_seeding_put(w.arena, &spread, &ahead, &r, &w.err), GM_NOTFOUND);
    assert_non_null(strstr(w.err.text, "d.x"));
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lanes_agree_with_the_covariance),
        cmocka_unit_test(lanes_are_the_members_of_an_ensemble),
        cmocka_unit_test(odd_distributions_are_taken),
        cmocka_unit_test(a_world_without_the_variable_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
