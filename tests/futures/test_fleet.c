// Members of a fleet are lanes of one job: each equals its own job bit for bit, and the whole is the sum of them.
#include "futures_support.h"

#include "base/rng.h"

// A bouncing thing too: events happen in one member while the others run on.
static const char tank[] = "model M parameter Real k = 1; input Real u; Real x(start = 2, fixed = true); discrete Real n(start = 0);\n"
                           "equation der(x) = -k*x + u; when x < 0.5 then reinit(x, 1); n = pre(n) + 1; end when; end M;";

enum { MEMBERS = 5, LANES = 50, SLOTS_MAX = 64 };  // 250 lanes: members share blocks

static void ask_much(gm_ahead *a, gm_futures_method method)
{
    static const double   quantiles[] = { 0.1, 0.5, 0.9 };
    static gm_exceedance  over        = { { "x > 1", 5 }, 0, false, 1 };
    gm_ahead_output(a, "x");
    gm_ahead_output(a, "n");
    gm_ahead_vary(a, "k", gm_uniform(0.5, 1.5));
    gm_vary *noise = gm_ahead_vary(a, "u", (gm_vary){ .kind = GM_VARY_OU, .p = { 0, 0.1, 0.5 } });
    noise->how     = GM_VARY_ADD;
    gm_vary *late  = gm_ahead_vary(a, "x", gm_constant(1.1));
    late->how = GM_VARY_SCALE, late->scheduled = true, late->from = (gm_law){ GM_LAW_UNIFORM, { 0, 2 } };
    gm_ahead_until(a, "x", true, 0.6);
    gm_ahead_score(a, GM_SCORE_INTEGRAL, "x", 0);
    a->r.method = method;
    a->r.design = GM_DESIGN_LATIN;
    a->r.horizon_s = 3, a->r.step_s = 0.01, a->r.every_s = 0.05, a->r.lanes = LANES, a->r.seed = 11, a->r.points = 20, a->r.bins = 5;
    a->r.quantiles = quantiles, a->r.quantile_count = 3, a->r.exceedances = &over, a->r.exceedance_count = 1;
}

static void member_base(gm_ahead *a, uint32_t member, double *base)
{
    memcpy(base, a->base, sizeof a->base);
    base[gm_ahead_watch(a, "x").slot.v] = 1 + 0.3 * member;
    base[gm_ahead_watch(a, "u").slot.v] = 0.1 * member;
}

// NaN is NaN.
static void same(const void *x, const void *y, size_t n, const char *what, uint32_t member)
{
    if (memcmp(x, y, n * sizeof(double)) != 0) fail_msg("%s of member %u is not what it is alone", what, member);
}

static void compare_member(const gm_ahead *fleet, const gm_ahead *alone, uint32_t m)
{
    const gm_futures_result *f = gm_futures_result_of(fleet->job), *g = gm_futures_result_of(alone->job);
    size_t                   view = 1 + m, points = g->point_count;
    assert_int_equal(f->point_count, points);
    for (uint32_t o = 0; o < 2; o++) {
        const gm_band *x = gm_futures_member_band(f, 0, m, o), *y = gm_futures_band(g, 0, o);
        same(x->quantiles, y->quantiles, 3 * points, "quantiles", m);
        same(x->mean, y->mean, points, "mean", m);
        same(x->sd, y->sd, points, "sd", m);
        same(x->histogram_edges, y->histogram_edges, 6, "histogram", m);
        assert_memory_equal(x->histogram, y->histogram, 5 * sizeof *x->histogram);
        for (uint32_t p = 0; p < points; p++) {
            for (uint32_t i = 0; i < LANES; i++) {
                double a = gm_futures_value(fleet->job, 0, o, p, m * LANES + i), b = gm_futures_value(alone->job, 0, o, p, i);
                same(&a, &b, 1, "a lane", m);
            }
        }
    }
    same(f->exceeded + view * points, g->exceeded, points, "exceedance", m);
    const gm_passage *p = &f->passages[view], *q = &g->passages[0];
    assert_true(p->passed == q->passed && p->censored == q->censored && p->probability == q->probability && p->low == q->low);
    same(p->quantiles, q->quantiles, 3, "time of passage", m);
    same(p->reached, q->reached, points, "reached", m);
    const gm_tally *s = &f->tallies[view], *t = &g->tallies[0];
    assert_true(s->mean == t->mean && s->sd == t->sd && s->min == t->min && s->max == t->max);
    assert_int_equal(s->min_lane, m * LANES + t->min_lane);
    assert_int_equal(s->max_lane, m * LANES + t->max_lane);
}

static void members_are_bit_for_bit_what_they_are_alone(void **state)
{
    (void)state;
    static const gm_futures_method methods[] = { GM_FUTURES_FIXED, GM_FUTURES_ADAPTIVE, GM_FUTURES_STIFF };
    for (int k = 0; k < 3; k++) {
        gm_ahead fleet, alone;
        double   bases[MEMBERS * SLOTS_MAX];
        gm_ahead_open(&fleet, tank, 2);
        gm_ahead_open(&alone, tank, 1);
        ask_much(&fleet, methods[k]);
        ask_much(&alone, methods[k]);
        size_t slots = gm_program_slot_count(fleet.model.program);
        for (uint32_t m = 0; m < MEMBERS; m++) {
            double base[SLOTS_MAX];
            member_base(&fleet, m, base);
            memcpy(bases + m * slots, base, slots * sizeof *base);
        }
        fleet.r.base    = bases;
        fleet.r.members = MEMBERS;
        const gm_futures_result *f = gm_ahead_run(&fleet);
        assert_int_equal(f->lanes, MEMBERS * LANES);
        assert_int_equal(f->view_count, 1 + MEMBERS);
        uint32_t passed = 0;
        double   integral = 0, mean = 0;
        for (uint32_t m = 0; m < MEMBERS; m++) {
            alone.r.base = bases + m * slots;
            const gm_futures_result *g = gm_ahead_run(&alone);
            compare_member(&fleet, &alone, m);
            passed += g->passages[0].passed;
            integral += g->tallies[0].mean / MEMBERS;
            mean += gm_futures_band(g, 0, 0)->mean[g->point_count - 1] / MEMBERS;
        }
        assert_int_equal(f->passages[0].passed, passed);
        assert_true(fabs(f->tallies[0].mean / integral - 1) < 1e-12);
        assert_true(fabs(gm_futures_band(f, 0, 0)->mean[f->point_count - 1] / mean - 1) < 1e-12);
        gm_ahead_close(&fleet);
        gm_ahead_close(&alone);
    }
}

// x falls by k in each lane, and nothing else: a member of other beginnings has the same shares.
static void sensitivities_are_told_for_every_member(void **state)
{
    (void)state;
    gm_ahead fleet;
    double   bases[2 * SLOTS_MAX], base[SLOTS_MAX];
    gm_ahead_open(&fleet, tank, 2);
    size_t slots = gm_program_slot_count(fleet.model.program);
    for (uint32_t m = 0; m < 2; m++) {
        member_base(&fleet, m, base);
        memcpy(bases + m * slots, base, slots * sizeof *base);
    }
    gm_ahead_output(&fleet, "x");
    gm_ahead_vary(&fleet, "k", gm_uniform(0.1, 0.2));
    gm_ahead_vary(&fleet, "u", gm_uniform(0.1, 0.4));
    fleet.r.base = bases, fleet.r.members = 2, fleet.r.design = GM_DESIGN_SALTELLI;
    fleet.r.horizon_s = 1, fleet.r.step_s = 0.01, fleet.r.lanes = 1024;
    const gm_futures_result *f = gm_ahead_run(&fleet);
    for (uint32_t m = 0; m < 2; m++) {
        const gm_sensitivity *s = &f->sensitivities[(size_t)m * f->varied_count];
        assert_true(fabs(s[0].first + s[1].first - 1) < 0.05);
        assert_true(s[0].first > 0.02 && s[1].first > 0.3);
    }
    assert_true(f->sensitivities[0].first < f->sensitivities[2].first);  // member 1 is fuller, so k weighs more there
    gm_ahead_close(&fleet);
}

static void refused(gm_ahead *a, gm_status want, const char *says)
{
    gm_status st = gm_futures_check(&a->r, &a->err);
    if (st != want || strstr(a->err.text, says) == NULL) fail_msg("status %d: %s", (int)st, a->err.text);
}

static void fleets_that_can_not_be_are_refused(void **state)
{
    (void)state;
    gm_ahead a;
    double   bases[2 * SLOTS_MAX] = { 0 };
    gm_ahead_open(&a, tank, 1);
    gm_ahead_output(&a, "x");
    size_t slots = gm_program_slot_count(a.model.program);
    a.r.base     = bases;
    a.r.members  = 2;
    bases[slots + GM_TIME_SLOT.v] = 1;
    refused(&a, GM_INVALID, "different times");
    a.r.members = 0;
    refused(&a, GM_LIMIT, "a fleet of 0 groups");
    a.r.members = GM_FUTURES_MEMBERS_MAX + 1;
    refused(&a, GM_LIMIT, "1 to 4096");
    a.r.members = 4096, a.r.lanes = 4096;
    refused(&a, GM_LIMIT, "lanes in all scenarios");
    a.r.lanes = 1, a.r.points = 9999;
    refused(&a, GM_LIMIT, "fewer points");
    gm_ahead_close(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_bit_for_bit_what_they_are_alone),
        cmocka_unit_test(sensitivities_are_told_for_every_member),
        cmocka_unit_test(fleets_that_can_not_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
