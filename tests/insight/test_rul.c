#include "base/crc32c.h"
#include "base/le.h"
#include "base/rng.h"
#include "insight/learn/channels.h"
#include "insight/learn/features.h"
#include "insight/learn/prognostics.h"
#include "insight/learn/registry.h"
#include "insight/learn/ridge.h"
#include "insight/learn/similar.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <math.h>
#include <stdlib.h>

enum { SETTINGS = 2, SENSORS = 5, COLUMNS = SETTINGS + SENSORS };

typedef struct plan { uint32_t runs, conditions; uint64_t seed; bool dead_sensor, gaps; } plan;

// Assets that wear as exp(k t) up to a threshold. Sensors 0 and 1 follow the wear (offset by the condition), 2 is noise,
// 3 is constant, 4 is missing.
static void add_run(gm_fleet *f, const plan *p, uint32_t unit, uint32_t life, uint32_t rows)
{
    assert_int_equal(gm_fleet_begin(f, unit, rows == life ? 0 : life - rows, NULL), GM_OK);
    for (uint32_t i = 0; i < rows; i++) {
        double   wear = exp(4.0 * ((double)i / life - 1));
        uint32_t condition = (uint32_t)(gm_rng_bits(p->seed, unit, 7, i) % p->conditions);
        double   n[3], row[COLUMNS];
        for (uint32_t k = 0; k < 3; k++) n[k] = gm_rng_normal(p->seed, unit, k, i);
        row[0] = condition * 10.0 + 0.001 * n[0];
        row[1] = condition % 2 * 0.5;
        row[2] = 100 * condition + 500 + 10 * wear + n[0];
        row[3] = -30.0 * condition + 3 - 2 * wear + 0.2 * n[1];
        row[4] = n[2];
        row[5] = 7;
        row[6] = NAN;
        if (p->gaps && i % 5 == 2) row[2] = NAN;
        assert_int_equal(gm_fleet_add(f, row, NULL), GM_OK);
    }
}

static gm_fleet make_fleet(const plan *p, bool truncated)
{
    gm_fleet f = gm_fleet_init(gm_alloc_system(), SETTINGS, SENSORS);
    for (uint32_t r = 0; r < p->runs; r++) {
        uint32_t life = 120 + (uint32_t)(80 * gm_rng_uniform(p->seed, r, 99, 0));
        add_run(&f, p, r + 1, life, truncated ? 19 + (uint32_t)((life - 20) * gm_rng_uniform(p->seed, r, 98, 0)) : life);
    }
    return f;
}

static gm_rul_options quick(void)
{
    gm_rul_options o = gm_rul_options_defaults();
    o.folds          = 4;
    o.boost.rounds   = 40;
    o.boost.rate     = 0.15;
    o.boost.depth    = 4;
    return o;
}

static bool no_boost(void)
{
    if (gm_boost_available()) return false;
    print_message("built without XGBoost\n");
    return true;
}

static void conditions_are_found_and_taken_out(void **state)
{
    (void)state;
    for (uint32_t conditions = 1; conditions <= 6; conditions += 5) {
        plan        p = { .runs = 8, .conditions = conditions, .seed = 5 };
        gm_fleet    f = make_fleet(&p, false);
        gm_channels ch;
        assert_int_equal(gm_channels_fit(gm_alloc_system(), &f, &ch, NULL), GM_OK);
        assert_int_equal(ch.conditions, conditions);
        assert_int_equal(ch.count, 3);  // the constant one and the missing one are left out
        // Within every condition each channel is centred and of deviation one.
        double sum[6][3] = { { 0 } }, square[6][3] = { { 0 } }, n[6] = { 0 };
        for (size_t i = 0; i < f.rows; i++) {
            double   z[GM_CHANNELS_MAX];
            uint32_t c = gm_channels_condition(&ch, gm_fleet_row(&f, i));
            gm_channels_apply(&ch, gm_fleet_row(&f, i), z);
            n[c]++;
            for (int k = 0; k < 3; k++) {
                sum[c][k] += z[k];
                square[c][k] += z[k] * z[k];
            }
        }
        for (uint32_t c = 0; c < conditions; c++)
            for (int k = 0; k < 3; k++) {
                assert_true(fabs(sum[c][k] / n[c]) < 1e-9);
                assert_true(fabs(square[c][k] / n[c] - 1) < 1e-9);
            }
        gm_fleet_finish(&f);
    }
}

static void a_fleet_in_which_nothing_moves_is_refused(void **state)
{
    (void)state;
    gm_fleet    f = gm_fleet_init(gm_alloc_system(), 1, 2);
    gm_channels ch;
    gm_error    err = { 0 };
    assert_int_equal(gm_fleet_begin(&f, 1, 0, NULL), GM_OK);
    for (int i = 0; i < 50; i++) assert_int_equal(gm_fleet_add(&f, (double[]){ i, 3.5, NAN }, NULL), GM_OK);
    assert_int_equal(gm_channels_fit(gm_alloc_system(), &f, &ch, &err), GM_INVALID);
    assert_non_null(strstr(err.text, "no sensor ever changes"));
    gm_fleet_finish(&f);
}

static void features_of_a_straight_line_are_its_own(void **state)
{
    (void)state;
    enum { N = 100 };
    double z[N];
    float  f[N][GM_FEATURES], last[GM_FEATURES];
    for (int i = 0; i < N; i++) z[i] = 2 + 0.5 * i;
    gm_features_of(z, N, 1, f[0], GM_FEATURES);
    gm_features_last(z, N, 1, last);
    assert_memory_equal(last, f[N - 1], sizeof last);
    assert_float_equal(last[GM_FEATURE_MEAN5], 2 + 0.5 * 97, 1e-4);
    assert_float_equal(last[GM_FEATURE_MEAN30], 2 + 0.5 * 84.5, 1e-4);
    assert_float_equal(last[GM_FEATURE_SLOPE30], 0.5, 1e-5);
    assert_float_equal(last[GM_FEATURE_SLOPE60], 0.5, 1e-5);
    assert_float_equal(last[GM_FEATURE_ROUGH30], 0, 1e-3);
    assert_float_equal(last[GM_FEATURE_DRIFT], 0.5 * (92 - 4.5), 1e-4);
    assert_float_equal(last[GM_FEATURE_MEAN_ALL], 2 + 0.5 * 49.5, 1e-4);
    // The first row has no slope, and says so.
    assert_true(isnan(f[0][GM_FEATURE_SLOPE30]));
    assert_float_equal(f[0][GM_FEATURE_MEAN5], 2, 1e-6);

    for (int i = 60; i < N; i++) z[i] = NAN;
    gm_features_last(z, N, 1, last);
    assert_true(isnan(last[GM_FEATURE_MEAN30]));  // a window of nothing
    assert_false(isnan(last[GM_FEATURE_SLOPE60]));
    assert_false(isnan(last[GM_FEATURE_SMOOTH]));
}

static void ridge_finds_the_coefficients(void **state)
{
    (void)state;
    gm_ridge *r = gm_ridge_create(gm_alloc_system(), 3);
    double    c[4];
    assert_non_null(r);
    assert_int_equal(gm_ridge_solve(r, 1e-9, c, NULL), GM_INVALID);
    for (uint32_t i = 0; i < 500; i++) {
        double x[3] = { gm_rng_normal(1, 0, 0, i), 100 * gm_rng_normal(1, 0, 1, i), 4 };
        gm_ridge_add(r, x, 3 * x[0] - 0.02 * x[1] + 5, 1);
    }
    gm_ridge_add(r, (double[]){ NAN, 0, 0 }, 1e9, 1);  // left out
    assert_int_equal(gm_ridge_solve(r, 1e-12, c, NULL), GM_OK);
    assert_float_equal(c[0], 3, 1e-6);
    assert_float_equal(c[1], -0.02, 1e-8);
    assert_float_equal(c[2], 0, 1e-12);  // it never varies
    assert_float_equal(c[3], 5, 1e-6);
    gm_ridge_destroy(r);
}

static void metrics_are_those_of_a_worked_example(void **state)
{
    (void)state;
    // Errors +10 and -13: PHM08 gives e - 1 for each.
    gm_outcome o[2] = { { .predicted = { .rul = 60 }, .truth = 50 }, { .predicted = { .rul = 87 }, .truth = 100 } };
    for (int i = 0; i < 2; i++) {
        for (int l = 0; l < GM_RUL_LEVELS; l++) {
            o[i].predicted.low[l]  = o[i].predicted.rul - 11 - l;
            o[i].predicted.high[l] = o[i].predicted.rul + 11 + l;
        }
        for (int q = 0; q < GM_RUL_QUANTILES; q++) o[i].predicted.quantiles[q] = o[i].predicted.rul;
    }
    gm_prognostics p;
    gm_prognostics_of(o, 2, INFINITY, &p);
    assert_float_equal(p.rmse, sqrt((100 + 169) / 2.0), 1e-12);
    assert_float_equal(p.mae, 11.5, 1e-12);
    assert_float_equal(p.bias, -1.5, 1e-12);
    assert_float_equal(p.score, 2 * (exp(1) - 1), 1e-9);
    assert_float_equal(p.coverage[GM_RUL_50], 0.5, 1e-12);
    assert_float_equal(p.coverage[GM_RUL_90], 1, 1e-12);
    assert_float_equal(p.width[GM_RUL_90], 26, 1e-12);
    assert_float_equal(p.crps, 11.5, 1e-9);  // of a point forecast it is the absolute error
    gm_prognostics_of(o, 2, 90, &p);
    assert_float_equal(p.bias, (10 - 3) / 2.0, 1e-12);

    double predicted[] = { 90, 60, 45, 31, 20, 11, 0 }, truth[] = { 60, 50, 40, 30, 20, 10, 0 };
    assert_float_equal(gm_prognostic_horizon(predicted, truth, 7, 0.1, 100), 50, 1e-12);
    assert_float_equal(gm_prognostic_horizon(predicted, truth, 7, 0.02, 100), 30, 1e-12);
    assert_true(gm_alpha_lambda(predicted, truth, 7, 0.2, 0.5));
    assert_false(gm_alpha_lambda(predicted, truth, 7, 0.2, 0));
}

static void life_is_learned_and_its_intervals_hold(void **state)
{
    (void)state;
    if (no_boost()) return;
    plan           train = { .runs = 40, .conditions = 3, .seed = 11 }, test = { .runs = 60, .conditions = 3, .seed = 12, .gaps = true };
    gm_fleet       f = make_fleet(&train, false), t = make_fleet(&test, true);
    gm_rul_options o = quick();
    gm_rul_model  *m = NULL;
    gm_error       err = { 0 };
    if (gm_rul_train(gm_alloc_system(), &f, &o, 1, &m, &err) != GM_OK) fail_msg("%s", err.text);
    gm_rul_facts facts = gm_rul_model_facts(m);
    assert_int_equal(facts.members, 4);
    assert_int_equal(facts.failed, 40);
    assert_true(facts.rmse < 20);  // guessing the mean of the targets errs by 37

    gm_outcome    *outcomes = calloc(t.run_count, sizeof *outcomes);
    gm_prognostics p;
    for (size_t r = 0; r < t.run_count; r++) {
        assert_int_equal(gm_rul_predict(m, gm_alloc_system(), gm_fleet_row(&t, t.runs[r].first), t.runs[r].count, NAN,
                                        &outcomes[r].predicted, &err), GM_OK);
        outcomes[r].truth = t.runs[r].left;
        for (int l = 1; l < GM_RUL_LEVELS; l++) assert_true(outcomes[r].predicted.low[l] <= outcomes[r].predicted.low[l - 1]);
    }
    gm_prognostics_of(outcomes, t.run_count, facts.cap, &p);
    assert_true(p.rmse < 22);
    assert_true(p.coverage[GM_RUL_90] >= 0.8);
    assert_true(p.width[GM_RUL_90] < 90);
    free(outcomes);

    // Runs that are alike explain.
    gm_similar found[GM_SIMILAR_MAX];
    size_t     n;
    double     rul;
    assert_int_equal(gm_rul_similar(m, gm_alloc_system(), gm_fleet_row(&f, f.runs[3].first), 100, GM_SIMILAR_NONE, found, &n, &rul, &err), GM_OK);
    assert_int_equal(found[0].unit, f.runs[3].unit);  // nobody is more like it than itself
    assert_float_equal(found[0].left, f.runs[3].count - 100, 1e-9);
    assert_int_equal(gm_rul_similar(m, gm_alloc_system(), gm_fleet_row(&f, f.runs[3].first), 100, f.runs[3].unit, found, &n, &rul, &err), GM_OK);
    assert_int_not_equal(found[0].unit, f.runs[3].unit);

    // All sensors missing is said, not guessed.
    double empty[20 * COLUMNS];
    for (int i = 0; i < 20 * COLUMNS; i++) empty[i] = NAN;
    gm_rul_prediction v;
    assert_int_equal(gm_rul_predict(m, gm_alloc_system(), empty, 20, NAN, &v, &err), GM_INVALID);
    assert_int_equal(gm_rul_predict(m, gm_alloc_system(), empty, 0, NAN, &v, &err), GM_INVALID);

    // A decoded model says exactly the same.
    gm_buf        bytes = gm_buf_init(gm_alloc_system());
    gm_rul_model *back  = NULL;
    assert_int_equal(gm_rul_encode(m, &bytes, &err), GM_OK);
    assert_int_equal(gm_rul_decode(gm_alloc_system(), gm_buf_view(&bytes), &back, &err), GM_OK);
    for (size_t r = 0; r < t.run_count; r++) {
        gm_rul_prediction a, b;
        const double     *rows = gm_fleet_row(&t, t.runs[r].first);
        assert_int_equal(gm_rul_predict(m, gm_alloc_system(), rows, t.runs[r].count, NAN, &a, &err), GM_OK);
        assert_int_equal(gm_rul_predict(back, gm_alloc_system(), rows, t.runs[r].count, NAN, &b, &err), GM_OK);
        assert_memory_equal(&a, &b, sizeof a);
    }
    gm_rul_destroy(back);

    // Another version is told apart from damage; every cut and every flipped byte is noticed.
    uint8_t *raw = bytes.ptr;
    raw[8]++;
    assert_int_equal(gm_rul_decode(gm_alloc_system(), gm_buf_view(&bytes), &back, &err), GM_INVALID);
    assert_non_null(strstr(err.text, "version 2"));
    raw[8]--;
    for (size_t at = 0; at < bytes.len; at += bytes.len / 97 + 1) {
        raw[at] ^= 0x40;
        gm_status st = gm_rul_decode(gm_alloc_system(), gm_buf_view(&bytes), &back, &err);
        assert_true(st == GM_CORRUPT || st == GM_INVALID);
        raw[at] ^= 0x40;
        assert_int_not_equal(gm_rul_decode(gm_alloc_system(), (gm_str){ (char *)raw, at }, &back, &err), GM_OK);
    }
    // Also where the checksum was made to fit: no cut may be believed or read beyond.
    for (size_t at = 16; at < bytes.len; at += bytes.len / 61 + 1) {
        gm_buf cut = gm_buf_init(gm_alloc_system());
        gm_buf_add(&cut, raw, at);
        gm_put_u32(cut.ptr + 12, gm_crc32c(0, cut.ptr + 16, at - 16));
        assert_int_equal(gm_rul_decode(gm_alloc_system(), gm_buf_view(&cut), &back, &err), GM_CORRUPT);
        gm_buf_finish(&cut);
    }
    gm_buf_finish(&bytes);
    gm_rul_destroy(m);
    gm_fleet_finish(&f);
    gm_fleet_finish(&t);
}

static void a_fleet_without_failures_is_told_what_it_can_have(void **state)
{
    (void)state;
    plan           p = { .runs = 5, .conditions = 1, .seed = 3 };
    gm_fleet       f = make_fleet(&p, true);
    gm_rul_options o = quick();
    gm_rul_model  *m = NULL;
    gm_error       err = { 0 };
    assert_int_equal(gm_rul_train(gm_alloc_system(), &f, &o, 1, &m, &err), GM_INVALID);
    assert_non_null(strstr(err.text, "0 of 5 assets failed"));
    assert_non_null(strstr(err.text, "anomalies"));
    assert_null(m);
    // One engine alone is no fleet either: there is nobody to hold back.
    f.run_count    = 1;
    f.runs[0].left = 0;
    assert_int_equal(gm_rul_train(gm_alloc_system(), &f, &o, 1, &m, &err), GM_INVALID);
    assert_non_null(strstr(err.text, "1 of 1"));
    gm_fleet_finish(&f);
}

static void a_challenger_must_win(void **state)
{
    (void)state;
    if (no_boost()) return;
    char                     dir[256];
    gm_arena                *arena = gm_arena_create(gm_alloc_system(), 0);
    plan                     p = { .runs = 16, .conditions = 1, .seed = 21 }, q = { .runs = 12, .conditions = 1, .seed = 22 };
    gm_fleet                 f = make_fleet(&p, false), g = make_fleet(&q, false);
    gm_rul_options           good = quick(), poor = quick();
    gm_rul_model            *m = NULL;
    gm_registry              r;
    const gm_registry_entry *e;
    gm_error                 err = { 0 };
    poor.boost.rounds = 1;
    gm_test_make_dir(dir, sizeof dir);
    assert_int_equal(gm_registry_load(gm_io_system(), dir, arena, &r, &err), GM_OK);
    assert_int_equal(gm_registry_model(gm_io_system(), dir, &r, &m, &err), GM_NOTFOUND);
    struct { const gm_fleet *fleet; const gm_rul_options *options; uint32_t current; } steps[] = {
        { &f, &poor, 1 },   // the first one
        { &f, &good, 2 },   // wins on the same assets
        { &f, &poor, 2 },   // loses
        { &g, &poor, 2 },   // loses on assets that neither saw
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        assert_int_equal(gm_rul_train(gm_alloc_system(), steps[i].fleet, steps[i].options, 1, &m, &err), GM_OK);
        if (gm_registry_challenge(gm_io_system(), dir, arena, &r, m, steps[i].fleet, GM_STR("set"), GM_SECOND, 1.5, &e, &err) != GM_OK)
            fail_msg("%s", err.text);
        gm_rul_destroy(m);
        assert_int_equal(e->version, i + 1);
        assert_int_equal(r.current, steps[i].current);
    }
    assert_non_null(strstr(e->verdict.ptr, "not in use"));
    gm_registry again;
    assert_int_equal(gm_registry_load(gm_io_system(), dir, arena, &again, &err), GM_OK);
    assert_int_equal(again.count, 4);
    assert_int_equal(again.current, 2);
    assert_float_equal(gm_registry_current(&again)->seconds, 1.5, 1e-12);
    assert_int_equal(gm_registry_model(gm_io_system(), dir, &again, &m, &err), GM_OK);
    gm_rul_destroy(m);
    gm_fleet_finish(&f);
    gm_fleet_finish(&g);
    gm_arena_destroy(arena);
    gm_test_remove_dir(dir);
}

static void records_with_mistakes_are_told_by_line(void **state)
{
    (void)state;
    #define ROW " 0 0 100 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21\n"
    static const struct { const char *text; gm_status st; size_t rows, runs; } cases[] = {
        { "1 1" ROW "1 2" ROW "2 1" ROW, GM_OK, 3, 2 },
        { "1 1" ROW "1 1" ROW "1 2" ROW, GM_OK, 2, 1 },        // sent twice
        { "1 2" ROW "1 1" ROW, GM_INVALID, 0, 0 },             // time goes back
        { "1 1" ROW "2 1" ROW "1 2" ROW, GM_INVALID, 0, 0 },   // comes again
        { "1 1 2 3\n", GM_INVALID, 0, 0 },
        { "1 x" ROW, GM_INVALID, 0, 0 },
        { "1 1 0 0 nan NaN" " 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21\n", GM_OK, 1, 1 },
        { "\n  \n", GM_OK, 0, 0 },
    };
    #undef ROW
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_fleet  f   = gm_fleet_init(gm_alloc_system(), 3, 21);
        gm_error  err = { 0 };
        gm_status st  = gm_fleet_parse_turbofan(gm_str_of(cases[i].text), "t", &f, &err);
        if (st != cases[i].st) fail_msg("case %zu: %d %s", i, (int)st, err.text);
        if (st == GM_OK) {
            assert_int_equal(f.rows, cases[i].rows);
            assert_int_equal(f.run_count, cases[i].runs);
        } else assert_true(err.line > 0);
        gm_fleet_finish(&f);
    }
}

static void trees_from_hostile_bytes_end(void **state)
{
    (void)state;
    gm_trees     *t = NULL;
    gm_tree_node  loop[3] = { { .left = 1, .right = 2, .split = 1 }, { .left = 0, .split = 2 }, { .left = 1, .right = 1, .split = 1 } };
    assert_int_equal(gm_trees_create(gm_alloc_system(), 2, 0.5f, &t, NULL), GM_OK);
    assert_int_equal(gm_trees_add(t, loop, 3, NULL), GM_INVALID);  // a child before its parent
    loop[2] = (gm_tree_node){ .left = 0, .split = 3 };
    loop[0].feature = 2;
    assert_int_equal(gm_trees_add(t, loop, 3, NULL), GM_INVALID);  // no such feature
    loop[0].feature = 1;
    assert_int_equal(gm_trees_add(t, loop, 3, NULL), GM_OK);
    assert_float_equal(gm_trees_predict(t, (float[]){ 0, 0.9f }), 2.5, 1e-6);
    assert_float_equal(gm_trees_predict(t, (float[]){ 0, 1 }), 3.5, 1e-6);
    assert_float_equal(gm_trees_predict(t, (float[]){ 0, NAN }), 3.5, 1e-6);
    gm_trees_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_are_found_and_taken_out),
        cmocka_unit_test(a_fleet_in_which_nothing_moves_is_refused),
        cmocka_unit_test(features_of_a_straight_line_are_its_own),
        cmocka_unit_test(ridge_finds_the_coefficients),
        cmocka_unit_test(metrics_are_those_of_a_worked_example),
        cmocka_unit_test(life_is_learned_and_its_intervals_hold),
        cmocka_unit_test(a_fleet_without_failures_is_told_what_it_can_have),
        cmocka_unit_test(a_challenger_must_win),
        cmocka_unit_test(records_with_mistakes_are_told_by_line),
        cmocka_unit_test(trees_from_hostile_bytes_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
