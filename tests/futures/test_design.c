#include "futures/design.h"

#include "support/support.h"

#include <math.h>
#include <stdlib.h>

static void a_latin_hypercube_fills_every_interval_once(void **state)
{
    (void)state;
    static const uint32_t sizes[] = { 1, 2, 7, 64, 1000, 4096 };
    for (size_t k = 0; k < 6; k++) {
        gm_design d    = { .kind = GM_DESIGN_LATIN, .seed = gm_test_seed(), .lanes = sizes[k], .dimensions = 3 };
        uint8_t  *seen = calloc(sizes[k], 3);
        for (uint32_t lane = 0; lane < d.lanes; lane++) {
            for (uint32_t i = 0; i < 3; i++) {
                double u = gm_design_at(&d, lane, i);
                assert_true(u > 0 && u < 1);
                seen[i * d.lanes + (uint32_t)(u * d.lanes)]++;
            }
        }
        for (uint32_t i = 0; i < 3 * d.lanes; i++) assert_int_equal(seen[i], 1);
        free(seen);
    }
}

static void the_sobol_sequence_begins_as_published(void **state)
{
    (void)state;
    // The first eight points in two dimensions, in Gray code order (Bratley and Fox 1988).
    static const double want[8][2] = { { 0, 0 }, { 0.5, 0.5 }, { 0.75, 0.25 }, { 0.25, 0.75 }, { 0.375, 0.375 }, { 0.875, 0.875 },
                                       { 0.625, 0.125 }, { 0.125, 0.625 } };
    for (uint32_t i = 0; i < 8; i++) {
        for (uint32_t k = 0; k < 2; k++) assert_true(gm_sobol_bits(i, k) * 0x1p-32 == want[i][k]);
    }
}

static void sobol_points_are_a_net_in_every_pair_of_intervals(void **state)
{
    (void)state;
    // Each dimension alone: 2^m points, one in each of 2^m intervals. Dimensions 1 and 2 together: one in each elementary
    // rectangle 2^-a x 2^-(m-a) (a (0, m, 2)-net), with and without the random shift.
    enum { M = 10, POINTS = 1 << M };
    gm_design d = { .kind = GM_DESIGN_SOBOL, .seed = 99, .lanes = POINTS, .dimensions = GM_SOBOL_DIMENSIONS };
    for (uint32_t k = 0; k < GM_SOBOL_DIMENSIONS; k++) {
        uint8_t seen[POINTS] = { 0 };
        for (uint32_t i = 0; i < POINTS; i++) seen[(uint32_t)(gm_design_at(&d, i, k) * POINTS)]++;
        for (uint32_t i = 0; i < POINTS; i++) assert_int_equal(seen[i], 1);
    }
    for (uint32_t a = 0; a <= M; a++) {
        uint8_t seen[POINTS] = { 0 };
        for (uint32_t i = 0; i < POINTS; i++) {
            uint32_t x = (uint32_t)(gm_design_at(&d, i, 0) * (1 << a)), y = (uint32_t)(gm_design_at(&d, i, 1) * (1 << (M - a)));
            seen[x << (M - a) | y]++;
        }
        for (uint32_t i = 0; i < POINTS; i++) assert_int_equal(seen[i], 1);
    }
}

static double integral(gm_design_kind kind, uint32_t n)
{
    // The product of (1 + (x - 1/2)) over 8 dimensions; its integral is 1.
    gm_design d   = { .kind = kind, .seed = 5, .lanes = n, .dimensions = 8 };
    double    sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        double product = 1;
        for (uint32_t k = 0; k < 8; k++) product *= 0.5 + gm_design_at(&d, i, k);
        sum += product;
    }
    return sum / n;
}

static void sobol_integrates_much_better_than_chance(void **state)
{
    (void)state;
    assert_true(fabs(integral(GM_DESIGN_SOBOL, 8192) - 1) < 1e-3);
    assert_true(fabs(integral(GM_DESIGN_RANDOM, 8192) - 1) < 5 * 1.05 / sqrt(8192));
    assert_true(fabs(integral(GM_DESIGN_LATIN, 8192) - 1) < 5 * 0.48 / sqrt(8192));  // the additive part has no error
}

static void saltelli_takes_one_column_at_a_time_from_the_second_matrix(void **state)
{
    (void)state;
    gm_design d = { .kind = GM_DESIGN_SALTELLI, .seed = 1, .lanes = 16 * 5, .dimensions = 3 };
    gm_error  err = { 0 };
    assert_gm_ok(gm_design_check(&d, &err), err);
    for (uint32_t row = 0; row < 16; row++) {
        for (uint32_t i = 0; i < 3; i++) {
            double a = gm_design_at(&d, row, i), b = gm_design_at(&d, 16 + row, i);
            assert_true(a != b);
            for (uint32_t m = 0; m < 3; m++) assert_true(gm_design_at(&d, (2 + m) * 16 + row, i) == (m == i ? b : a));
        }
    }
}

static void a_morris_path_moves_every_dimension_once(void **state)
{
    (void)state;
    gm_design d = { .kind = GM_DESIGN_MORRIS, .seed = 1, .lanes = 20 * 6, .dimensions = 5 };
    for (uint32_t path = 0; path < 20; path++) {
        unsigned moved = 0;
        for (uint32_t step = 1; step < 6; step++) {
            uint32_t lane = path * 6 + step, which = gm_morris_moved(&d, lane);
            for (uint32_t i = 0; i < 5; i++) {
                double way = gm_design_at(&d, lane, i) - gm_design_at(&d, lane - 1, i);
                assert_true(i == which ? fabs(way) == 0.5 : way == 0);
            }
            moved |= 1u << which;
        }
        assert_int_equal(moved, 31);
    }
}

static void a_design_says_how_many_lanes_it_needs(void **state)
{
    (void)state;
    gm_design d   = { .kind = GM_DESIGN_SALTELLI, .lanes = 1024, .dimensions = 3 };
    gm_error  err = { 0 };
    assert_int_equal(gm_design_check(&d, &err), GM_INVALID);
    assert_non_null(strstr(err.text, "1020 would fit"));
    d = (gm_design){ .kind = GM_DESIGN_MORRIS, .lanes = 10 };
    assert_int_equal(gm_design_check(&d, &err), GM_INVALID);
    assert_non_null(strstr(err.text, "add a distribution"));
    d = (gm_design){ .kind = GM_DESIGN_RANDOM };
    assert_int_equal(gm_design_check(&d, &err), GM_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_latin_hypercube_fills_every_interval_once),
        cmocka_unit_test(the_sobol_sequence_begins_as_published),
        cmocka_unit_test(sobol_points_are_a_net_in_every_pair_of_intervals),
        cmocka_unit_test(sobol_integrates_much_better_than_chance),
        cmocka_unit_test(saltelli_takes_one_column_at_a_time_from_the_second_matrix),
        cmocka_unit_test(a_morris_path_moves_every_dimension_once),
        cmocka_unit_test(a_design_says_how_many_lanes_it_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
