#include "base/buf.h"
#include "base/rng.h"
#include "insight/anomaly/eigen.h"
#include "insight/anomaly/healthy.h"
#include "insight/anomaly/nab.h"
#include "insight/anomaly/skab.h"
#include "insight/anomaly/stream.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const gm_nab_profile standard = { "standard", 1, 0.11, 1 };

static void nab_scores_small_cases_exactly(void **state)
{
    (void)state;
    // 100 rows: 15 of probation; a window over rows 40..49.
    enum { N = 100 };
    gm_nab_window windows[] = { { 40, 49 } };
    gm_nab_point  p[N], q[N];
    gm_nab_best   best;
    assert_int_equal(gm_nab_probation(N), 15);
    assert_int_equal(gm_nab_probation(100000), 750);
    memset(p, 0, sizeof p);
    gm_nab_worth(windows, 1, 0, &standard, p, N);
    assert_float_equal(p[40].worth, 1, 1e-12);  // the first row of a window
    double top = 2 / (1 + exp(-5)) - 1;
    assert_float_equal(p[49].worth, (2 / (1 + exp(-0.5)) - 1) / top, 1e-12);  // place -1/10
    assert_float_equal(p[39].worth, -0.11, 1e-12);  // nothing before it
    assert_float_equal(p[58].worth, 0.11 * (2 / (1 + exp(5)) - 1), 1e-12);  // one window's width (10 - 1 rows) behind
    assert_float_equal(p[80].worth, -0.11, 1e-12);  // more than three widths behind
    assert_int_equal(p[14].window, GM_NAB_PROBATION);
    assert_int_equal(p[15].window, GM_NAB_OUTSIDE);
    assert_int_equal(p[45].window, 0);

    static const struct { uint32_t rows[3]; uint32_t count; double score; uint32_t found, false_rows; } cases[] = {
        { { 0 }, 0, 0, 0, 0 },               // silence
        { { 40 }, 1, 100, 1, 0 },            // perfect
        { { 3, 40 }, 2, 100, 1, 0 },         // what is flagged in the probation does not count
        { { 40, 41, 44 }, 3, 100, 1, 0 },    // a window counts once
        { { 20, 40 }, 2, 94.5, 1, 1 },       // one false row: (2 - 0.11) / 2
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memcpy(q, p, sizeof q);
        for (uint32_t k = 0; k < cases[i].count; k++) q[cases[i].rows[k]].score = 1;
        assert_int_equal(gm_nab_sweep(gm_alloc_system(), q, N, 1, &standard, &best, NULL), GM_OK);
        assert_float_equal(gm_nab_normalise(best.score, 1, 1, &standard), cases[i].score, 1e-9);
        assert_int_equal(best.found, cases[i].found);
        assert_int_equal(best.false_rows, cases[i].false_rows);
    }
    // The sweep finds the threshold between the true and the false one.
    memcpy(q, p, sizeof q);
    q[20].score = 0.4;
    q[42].score = 0.9;
    assert_int_equal(gm_nab_sweep(gm_alloc_system(), q, N, 1, &standard, &best, NULL), GM_OK);
    assert_float_equal(best.threshold, 0.9, 1e-12);
}

static double wave(uint32_t i, uint64_t seed) { return 10 + 3 * sin(i * 0.26) + 0.3 * gm_rng_normal(seed, 0, 0, i); }

static void a_stream_speaks_when_the_signal_does_something_new(void **state)
{
    (void)state;
    enum { LEARN = 300, N = 3000 };
    static const struct { const char *what; uint32_t at; } events[] = { { "level", 1500 }, { "faster", 1500 }, { "spike", 1500 } };
    for (size_t e = 0; e < 3; e++) {
        gm_stream *s = gm_stream_create(gm_alloc_system(), LEARN);
        uint32_t   before = 0, first = 0;
        assert_non_null(s);
        for (uint32_t i = 0; i < N; i++) {
            double v = wave(i, 9);
            if (e == 0 && i >= events[e].at) v += 12;
            if (e == 1 && i >= events[e].at) v = 10 + 3 * sin(i * 1.1) + 0.3 * gm_rng_normal(9, 0, 0, i);
            if (e == 2 && i == events[e].at) v += 30;
            gm_stream_score score = gm_stream_step(s, v);
            if (i < LEARN) assert_float_equal(score.total, 0, 0);
            if (score.total < GM_STREAM_ALARM) continue;
            if (i < events[e].at) before++;
            else if (first == 0) first = i;
        }
        if (first == 0 || first > events[e].at + 40) fail_msg("%s: first told at %u", events[e].what, first);
        assert_true(before <= 4);
        gm_stream_destroy(s);
    }
}

static void a_stream_lives_with_gaps_and_constants(void **state)
{
    (void)state;
    gm_stream *s = gm_stream_create(gm_alloc_system(), 0);
    for (uint32_t i = 0; i < 500; i++) {
        gm_stream_score score = gm_stream_step(s, i % 7 == 0 ? NAN : 5);
        assert_true(isfinite(score.total));
        assert_true(score.total < GM_STREAM_ALARM);  // what never moves is not strange
    }
    assert_true(gm_stream_step(s, 6).total >= GM_STREAM_ALARM);
    gm_stream_destroy(s);
}

static void a_batch_of_values_scores_as_the_values_one_by_one_and_never_looks_ahead(void **state)
{
    (void)state;
    // The same beginning with two different ends: scores of the beginning are the same.
    gm_stream *a = gm_stream_create(gm_alloc_system(), 200), *b = gm_stream_create(gm_alloc_system(), 200);
    for (uint32_t i = 0; i < 900; i++) {
        gm_stream_score x = gm_stream_step(a, wave(i, 3)), y = gm_stream_step(b, i < 600 ? wave(i, 3) : -wave(i, 5));
        if (i < 600) assert_memory_equal(&x, &y, sizeof x);
    }
    gm_stream_destroy(a);
    gm_stream_destroy(b);
}

static void eigenvalues_of_a_known_matrix(void **state)
{
    (void)state;
    double a[9] = { 2, -1, 0, -1, 2, -1, 0, -1, 2 }, values[3], v[9];  // 2 - 2 cos(k pi / 4)
    assert_int_equal(gm_eigen_symmetric(a, 3, values, v, NULL), GM_OK);
    assert_float_equal(values[0], 2 + sqrt(2), 1e-12);
    assert_float_equal(values[1], 2, 1e-12);
    assert_float_equal(values[2], 2 - sqrt(2), 1e-12);
    for (int k = 0; k < 3; k++) {
        const double *w = v + 3 * k;
        assert_float_equal(w[0] * w[0] + w[1] * w[1] + w[2] * w[2], 1, 1e-12);
        assert_float_equal(2 * w[0] - w[1], values[k] * w[0], 1e-12);
    }
    double bad[1] = { NAN };
    assert_int_equal(gm_eigen_symmetric(bad, 1, values, v, NULL), GM_DIVERGED);
}

enum { SENSORS = 5 };

// Sensors 0 and 1 go together, 2 drifts, 3 is constant, 4 is missing.
static void rig_row(uint32_t i, double broken, double *row)
{
    double load = gm_rng_normal(8, 0, 0, i);
    row[0]      = 50 + 5 * load + 0.2 * gm_rng_normal(8, 0, 1, i);
    row[1]      = 20 - 2 * load + 0.1 * gm_rng_normal(8, 0, 2, i) + broken;
    row[2]      = 300 + 0.02 * i + 0.05 * gm_rng_normal(8, 0, 3, i);
    row[3]      = 1.5;
    row[4]      = NAN;
}

static void sensors_that_no_longer_go_together_are_named(void **state)
{
    (void)state;
    enum { LEARN = 400 };
    static double      rows[LEARN][SENSORS];
    gm_healthy        *h = NULL;
    gm_healthy_options o = gm_healthy_options_defaults();
    double             row[SENSORS], c[SENSORS];
    uint32_t           false_rows = 0, found = 0;
    for (uint32_t i = 0; i < LEARN; i++) rig_row(i, 0, rows[i]);
    assert_int_equal(gm_healthy_fit(gm_alloc_system(), rows[0], LEARN, SENSORS, &o, &h, NULL), GM_OK);
    for (uint32_t i = LEARN; i < 2000; i++) {
        rig_row(i, 0, row);
        false_rows += gm_healthy_step(h, row, c).total >= 1;
    }
    assert_true(false_rows < 40);
    for (uint32_t i = 2000; i < 2200; i++) {
        rig_row(i, 1.5, row);  // far less than what the load moves it by
        if (gm_healthy_step(h, row, c).total < 1 || i < 2020) continue;
        found++;
        assert_true(c[0] + c[1] > 0.8);  // the two whose bond broke
        double sum = 0;
        for (int s = 0; s < SENSORS; s++) sum += c[s];
        assert_float_equal(sum, 1, 1e-9);
    }
    assert_true(found > 150);
    // One that never moved is noticed when it does.
    gm_healthy_restart(h);
    for (uint32_t i = 0; i < 60; i++) {
        rig_row(i, 0, row);
        if (i > 30) row[3] = 1.6;
        gm_healthy_score score = gm_healthy_step(h, row, c);
        if (i > 45) assert_true(score.total >= 1 && c[3] > 0.9);
    }
    gm_healthy_destroy(h);

    gm_error err = { 0 };
    assert_int_equal(gm_healthy_fit(gm_alloc_system(), rows[0], 30, SENSORS, &o, &h, &err), GM_INVALID);  // too few
    for (uint32_t i = 0; i < LEARN * SENSORS; i++) rows[i / SENSORS][i % SENSORS] = NAN;
    assert_int_equal(gm_healthy_fit(gm_alloc_system(), rows[0], LEARN, SENSORS, &o, &h, &err), GM_INVALID);
    assert_non_null(strstr(err.text, "no sensor has a value"));
}

static void skab_counts_rows_and_delays(void **state)
{
    (void)state;
    // 400 healthy rows, 100 more, 100 at which sensor b jumps, 50 healthy; the instant of row 10 comes twice.
    gm_buf text = gm_buf_init(gm_alloc_system());
    gm_buf_text(&text, "datetime;a;b;anomaly;changepoint\n");
    for (uint32_t i = 0; i < 650; i++) {
        bool broken = i >= 500 && i < 600;
        for (int twice = 0; twice < (i == 10 ? 2 : 1); twice++)
            gm_buf_printf(&text, "2020-03-09 %02u:%02u:%02u;%.6f;%.6f;%d.0;0.0\n", i / 3600, i / 60 % 60, i % 60,
                          gm_rng_normal(1, 0, 0, i), gm_rng_normal(1, 0, 1, i) + (broken ? 25 : 0), broken);
    }
    gm_skab_report     r = { 0 };
    gm_healthy_options o = gm_healthy_options_defaults();
    gm_error           err = { 0 };
    if (gm_skab_table(gm_alloc_system(), gm_buf_view(&text), "t", &o, &r, &err) != GM_OK) fail_msg("%s", err.text);
    assert_int_equal(gm_skab_table(gm_alloc_system(), GM_STR("datetime;a\n2020-03-09 00:00:00;1\n"), "t", &o, &r, &err), GM_OK);
    assert_int_equal(gm_skab_table(gm_alloc_system(), GM_STR("datetime;a;anomaly\nx;1;0\n"), "t", &o, &r, &err), GM_INVALID);
    gm_skab_finish(&r);
    assert_int_equal(r.files, 1);
    assert_int_equal(r.skipped, 1);
    assert_int_equal(r.tp + r.fn, 100);
    assert_int_equal(r.fp + r.tn, 150);
    assert_int_equal(r.found, 1);
    assert_true(r.mar <= 0.05 && r.mean_delay_s <= 5 && r.far < 0.2 && r.f1 > 0.85);
    gm_buf_finish(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nab_scores_small_cases_exactly),
        cmocka_unit_test(a_stream_speaks_when_the_signal_does_something_new),
        cmocka_unit_test(a_stream_lives_with_gaps_and_constants),
        cmocka_unit_test(a_batch_of_values_scores_as_the_values_one_by_one_and_never_looks_ahead),
        cmocka_unit_test(eigenvalues_of_a_known_matrix),
        cmocka_unit_test(sensors_that_no_longer_go_together_are_named),
        cmocka_unit_test(skab_counts_rows_and_delays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
