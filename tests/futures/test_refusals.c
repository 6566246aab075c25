// What a request can not be, and what it is told to change.
#include "futures_support.h"

typedef struct mistake { void (*make)(gm_ahead *a); gm_status status; const char *says; } mistake;

static void no_horizon(gm_ahead *a) { a->r.horizon_s = -1; }
static void no_step(gm_ahead *a) { a->r.step_s = 0; }
static void long_step(gm_ahead *a) { a->r.step_s = 100; }
static void many_steps(gm_ahead *a) { a->r.horizon_s = 1e9, a->r.step_s = 1e-3; }
static void rough(gm_ahead *a) { a->r.method = GM_FUTURES_ADAPTIVE, a->r.tolerance = 1; }
static void no_lanes(gm_ahead *a) { a->r.lanes = 0; }
static void too_many_lanes(gm_ahead *a) { a->r.lanes = 4000000, a->r.points = 1000; }
static void no_output(gm_ahead *a) { a->r.output_count = 0; }
static void bad_quantile(gm_ahead *a)
{
    static const double two[] = { 0.5, 2, 0.1 };
    a->r.quantiles = two;
}
static void bad_points(gm_ahead *a) { a->r.points = 0; }
static void computed(gm_ahead *a) { gm_ahead_vary(a, "y", gm_constant(1)); }
static void bad_law(gm_ahead *a) { gm_ahead_vary(a, "k", gm_uniform(2, 1)); }
static void driven_state(gm_ahead *a) { gm_ahead_vary(a, "x", (gm_vary){ .kind = GM_VARY_OU, .p = { 0, 1, 1 } }); }
static void bad_ou(gm_ahead *a) { gm_ahead_vary(a, "u", (gm_vary){ .kind = GM_VARY_OU, .p = { 0, 1, -1 } }); }
static void busy_poisson(gm_ahead *a)
{
    gm_ahead_vary(a, "u", (gm_vary) { .kind = GM_VARY_POISSON, .p = { 1e9, 1, 1 } });
}
static void late(gm_ahead *a)
{
    gm_vary *v   = gm_ahead_vary(a, "u", gm_constant(1));
    v->scheduled = true;
    v->from      = gm_law_point(11);
}
static void early(gm_ahead *a) { late(a), a->vary[0].from = gm_law_point(-1); }
static void twice(gm_ahead *a)
{
    gm_ahead_vary(a, "u", (gm_vary){ .kind = GM_VARY_OU, .p = { 0, 1, 1 } });
    gm_ahead_vary(a, "u", (gm_vary){ .kind = GM_VARY_OU, .p = { 0, 1, 1 } });
}
static void large_grid(gm_ahead *a)
{
    static const double many[100];
    gm_ahead_vary(a, "k", (gm_vary){ .kind = GM_VARY_GRID, .values = many, .count = 100 });
    gm_ahead_vary(a, "u", (gm_vary){ .kind = GM_VARY_GRID, .values = many, .count = 100 });
}
static void back_in_time(gm_ahead *a)
{
    static const double zeros[2];
    gm_ahead_vary(a, "u", (gm_vary){ .kind = GM_VARY_SERIES, .values = zeros, .times = zeros, .count = 2 });
}
static void nothing_varies(gm_ahead *a) { a->r.design = GM_DESIGN_SALTELLI; }
static void odd_lanes(gm_ahead *a) { gm_ahead_vary(a, "k", gm_uniform(1, 2)), a->r.design = GM_DESIGN_SALTELLI; }

static void what_can_not_be_right_is_refused_with_what_to_change(void **state)
{
    (void)state;
    static const mistake mistakes[] = {
        { no_horizon, GM_INVALID, "above 0" },      { no_step, GM_INVALID, "step" },
        { long_step, GM_INVALID, "at most the horizon" }, { many_steps, GM_LIMIT, "longer step" },
        { rough, GM_INVALID, "1e-12..0.1" },        { no_lanes, GM_LIMIT, "1 to" },
        { too_many_lanes, GM_LIMIT, "lanes would fit" }, { no_output, GM_INVALID, "name at least one" },
        { bad_quantile, GM_INVALID, "0 to 1" },     { bad_points, GM_INVALID, "output points" },
        { computed, GM_INVALID, "computed by the model" }, { bad_law, GM_INVALID, "first bound" },
        { driven_state, GM_INVALID, "drive an input" }, { bad_ou, GM_INVALID, "time constant" },
        { busy_poisson, GM_INVALID, "lower the rate" }, { late, GM_INVALID, "behind the horizon" },
        { early, GM_INVALID, "0 or later" },        { twice, GM_INVALID, "overwritten" },
        { large_grid, GM_INVALID, "more lanes" },   { back_in_time, GM_INVALID, "must rise" },
        { nothing_varies, GM_INVALID, "add a distribution" }, { odd_lanes, GM_INVALID, "would fit" },
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        gm_ahead a;
        gm_ahead_open(&a,
                      "model M parameter Real k = 1; input Real u; Real x(start=2,fixed=true); output Real y; equation"
                      " der(x) = -k*x + u; y = sin(x); end M;",
                      1);
        gm_ahead_output(&a, "x");
        a.r.horizon_s = 10, a.r.lanes = 100;
        mistakes[i].make(&a);
        gm_status st = gm_futures_start(gm_alloc_system(), a.pool, &a.r, (gm_futures_calls){ 0 }, &a.job, &a.err);
        if (st != mistakes[i].status || strstr(a.err.text, mistakes[i].says) == NULL)
            fail_msg("mistake %zu: %d, %s", i, (int)st, a.err.text);
        assert_null(a.job);
        gm_ahead_close(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_not_be_right_is_refused_with_what_to_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
