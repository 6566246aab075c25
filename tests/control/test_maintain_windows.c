// Windows against every assignment there is, on small programs; what is in the way, where there is none.
#include "control/maintain/windows.h"

#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { JOBS = 4, WINDOWS = 4, CREWS = 2, STOCKS = 1, GROUPS = 2 };

// A random problem with room for all its arrays.
typedef struct problem {
    gm_windows      w;
    gm_window_job   jobs[JOBS];
    double          costs[JOBS][WINDOWS], crew_sizes[CREWS][WINDOWS], stock_sizes[STOCKS][WINDOWS];
    gm_window_need  crews[JOBS][CREWS], parts[JOBS][STOCKS];
    gm_window_limit crew_limits[CREWS], stock_limits[STOCKS];
    gm_window_group groups[GROUPS];
    uint32_t        members[GROUPS][JOBS];
} problem;

static uint32_t below(uint64_t *seed, uint32_t n) { return (uint32_t)(gm_test_random(seed) >> 33) % n; }

static void make(problem *p, uint64_t *seed)
{
    *p   = (problem){ 0 };
    p->w = (gm_windows){ .count = WINDOWS, .jobs = p->jobs, .crews = p->crew_limits, .stocks = p->stock_limits, .groups = p->groups,
                         .job_count = 1 + below(seed, JOBS), .crew_count = CREWS, .stock_count = STOCKS, .group_count = GROUPS };
    for (uint32_t j = 0; j < p->w.job_count; j++) {
        gm_window_job *job = &p->jobs[j];
        for (uint32_t v = 0; v < WINDOWS; v++) p->costs[j][v] = below(seed, 5) == 0 ? INFINITY : below(seed, 1000);
        *job = (gm_window_job){ .name = GM_STR("j"), .cost = p->costs[j], .left_cost = below(seed, 2) == 0 ? INFINITY : below(seed, 2000), .lasts = 1 + below(seed, 2),
                                .crews = p->crews[j], .parts = p->parts[j], .crew_count = below(seed, CREWS + 1), .part_count = below(seed, STOCKS + 1) };
        for (uint32_t c = 0; c < CREWS; c++) p->crews[j][c] = (gm_window_need){ c, 1 + below(seed, 2) };
        for (uint32_t c = 0; c < STOCKS; c++) p->parts[j][c] = (gm_window_need){ c, 1 };
    }
    for (uint32_t c = 0; c < CREWS; c++) {
        for (uint32_t v = 0; v < WINDOWS; v++) p->crew_sizes[c][v] = below(seed, 5);
        p->crew_limits[c] = (gm_window_limit){ GM_STR("crew"), p->crew_sizes[c] };
    }
    for (uint32_t c = 0; c < STOCKS; c++) {
        for (uint32_t v = 0; v < WINDOWS; v++) p->stock_sizes[c][v] = (v > 0 ? p->stock_sizes[c][v - 1] : 0) + below(seed, 3);
        p->stock_limits[c] = (gm_window_limit){ GM_STR("stock"), p->stock_sizes[c] };
    }
    for (uint32_t g = 0; g < GROUPS; g++) {
        gm_window_group *group = &p->groups[g];
        *group                 = (gm_window_group){ .name = GM_STR("group"), .jobs = p->members[g], .out = below(seed, 3) };
        for (uint32_t j = 0; j < p->w.job_count; j++)
            if (below(seed, 2) == 0) p->members[g][group->count++] = j;
    }
}

// The least cost of all assignments that keep every limit; INFINITY: none does.
static double brute(const gm_windows *w)
{
    double   best = INFINITY;
    uint32_t total = 1, begins[JOBS];
    for (uint32_t j = 0; j < w->job_count; j++) total *= w->count + 1;
    for (uint32_t n = 0; n < total; n++) {
        double   cost = 0;
        uint32_t rest = n;
        for (uint32_t j = 0; j < w->job_count; j++, rest /= w->count + 1) {
            begins[j] = rest % (w->count + 1);
            if (begins[j] == w->count) begins[j] = GM_WINDOW_LEFT;
            cost += begins[j] == GM_WINDOW_LEFT ? w->jobs[j].left_cost : w->jobs[j].cost[begins[j]];
        }
        if (cost < best && gm_windows_keeps(w, begins)) best = cost;
    }
    return best;
}

static double cost_of(const gm_windows *w, const uint32_t *begins)
{
    double cost = 0;
    for (uint32_t j = 0; j < w->job_count; j++) cost += begins[j] == GM_WINDOW_LEFT ? w->jobs[j].left_cost : w->jobs[j].cost[begins[j]];
    return cost;
}

static void the_answer_is_the_best_of_all_assignments(void **state)
{
    (void)state;
    if (!gm_mip_available()) skip();
    uint64_t      seed   = gm_test_seed();
    int           rounds = getenv("GM_DEEP") != NULL ? 3000 : 200, none = 0, some = 0;
    gm_mip_limits limits = { .seconds = 60, .gap = 0 };
    for (int i = 0; i < rounds; i++) {
        problem           p;
        uint32_t          begins[JOBS];
        gm_windows_answer a;
        gm_error          err = { 0 };
        make(&p, &seed);
        double best = brute(&p.w);
        assert_gm_ok(gm_windows_solve(gm_alloc_system(), &p.w, &limits, begins, &a, &err), err);
        if (isinf(best)) {
            none++;
            if (a.end != GM_MIP_INFEASIBLE || a.lack_count == 0) fail_msg("round %d: end %d with %u lacks, but nothing keeps the limits", i, a.end, a.lack_count);
            continue;
        }
        some++;
        if (a.end != GM_MIP_OPTIMAL || !gm_windows_keeps(&p.w, begins)) fail_msg("round %d: end %d", i, a.end);
        if (fabs(cost_of(&p.w, begins) - best) > 1e-6 || fabs(a.cost - best) > 1e-6) fail_msg("round %d: cost %g, the best is %g", i, a.cost, best);
    }
    assert_true(none > rounds / 20 && some > rounds / 5);
}

// What is in the way goes away when it is given: with the lacks added to the limits there is an answer.
static void what_lacks_is_enough_when_it_is_given(void **state)
{
    (void)state;
    if (!gm_mip_available()) skip();
    uint64_t      seed   = gm_test_seed();
    gm_mip_limits limits = { .seconds = 60, .gap = 0 };
    int           tried  = 0;
    for (int i = 0; i < 400 && tried < 40; i++) {
        problem           p;
        uint32_t          begins[JOBS];
        gm_windows_answer a;
        gm_error          err = { 0 };
        make(&p, &seed);
        assert_gm_ok(gm_windows_solve(gm_alloc_system(), &p.w, &limits, begins, &a, &err), err);
        bool stuck = false;
        for (uint32_t k = 0; k < a.lack_count; k++) stuck |= a.lacks[k].kind == GM_LACK_JOB;
        if (a.end != GM_MIP_INFEASIBLE || stuck || a.lack_count == GM_WINDOW_LACKS_MAX) continue;
        tried++;
        for (uint32_t k = 0; k < a.lack_count; k++) {
            const gm_window_lack *l = &a.lacks[k];
            assert_true(l->wanted > l->there);
            double more = l->wanted - l->there;
            if (l->kind == GM_LACK_CREW) p.crew_sizes[l->of][l->window] += more;
            if (l->kind == GM_LACK_STOCK) p.stock_sizes[l->of][l->window] += more;
            // A group's limit is one for all windows.
            if (l->kind == GM_LACK_GROUP && p.groups[l->of].out < l->wanted) p.groups[l->of].out = (uint32_t)ceil(l->wanted - 1e-6);
        }
        assert_gm_ok(gm_windows_solve(gm_alloc_system(), &p.w, &limits, begins, &a, &err), err);
        if (a.end != GM_MIP_OPTIMAL) fail_msg("round %d: still no answer", i);
    }
    assert_true(tried >= 10);
}

// What is taken when the time is over keeps every limit, is no better than the best, and no worse than it says.
static void a_guess_keeps_the_limits(void **state)
{
    (void)state;
    uint64_t seed  = gm_test_seed();
    int      found = 0, possible = 0;
    for (int i = 0; i < 300; i++) {
        problem           p;
        uint32_t          begins[JOBS];
        gm_windows_answer a;
        gm_error          err = { 0 };
        make(&p, &seed);
        double best = brute(&p.w);
        possible += isfinite(best);
        assert_gm_ok(gm_windows_guess(gm_alloc_system(), &p.w, begins, &a, &err), err);
        if (a.end == GM_MIP_NOTHING) continue;
        found++;
        if (a.end != GM_MIP_OUT_OF_TIME || !gm_windows_keeps(&p.w, begins)) fail_msg("round %d: end %d", i, a.end);
        if (fabs(cost_of(&p.w, begins) - a.cost) > 1e-9 || a.cost < best - 1e-9 || a.bound > best + 1e-9) fail_msg("round %d: %g, at least %g; the best is %g", i, a.cost, a.bound, best);
    }
    if (found < possible / 2) fail_msg("%d of %d", found, possible);
}

// Counted window by window, as gm_windows_keeps does, and job by job, as gm_windows_load does; alone, nothing is cheaper for any job.
static void what_windows_take_is_what_limits_are_held_against(void **state)
{
    (void)state;
    uint64_t seed = gm_test_seed();
    int      over = 0;
    for (int i = 0; i < 300; i++) {
        problem  p;
        uint32_t begins[JOBS];
        double   crews[CREWS * WINDOWS], groups[GROUPS * WINDOWS];
        bool     fits = true;
        make(&p, &seed);
        gm_windows_alone(&p.w, begins);
        for (uint32_t j = 0; j < p.w.job_count; j++) {
            double cost = begins[j] == GM_WINDOW_LEFT ? p.jobs[j].left_cost : p.jobs[j].cost[begins[j]];
            assert_true(cost <= p.jobs[j].left_cost);
            for (uint32_t v = 0; v < WINDOWS; v++) assert_true(cost <= p.jobs[j].cost[v]);
        }
        p.w.stock_count = 0;  // stocks are not windows' load
        gm_windows_load(&p.w, begins, crews, groups);
        for (uint32_t v = 0; v < WINDOWS; v++) {
            for (uint32_t c = 0; c < p.w.crew_count; c++) fits &= crews[c * WINDOWS + v] <= p.w.crews[c].size[v] + 1e-9;
            for (uint32_t g = 0; g < p.w.group_count; g++) fits &= groups[g * WINDOWS + v] <= p.w.groups[g].out;
        }
        bool possible = true;
        for (uint32_t j = 0; j < p.w.job_count; j++) possible &= begins[j] != GM_WINDOW_LEFT || isfinite(p.jobs[j].left_cost);
        if ((fits && possible) != gm_windows_keeps(&p.w, begins)) fail_msg("round %d: loads and limits disagree", i);
        over += !fits;
    }
    assert_true(over > 20 && over < 280);
}

static void the_limit_in_the_way_is_named(void **state)
{
    (void)state;
    if (!gm_mip_available()) skip();
    // Three must be done in the only window, one bay.
    double          cost[1] = { 1 }, size[1] = { 1 };
    gm_window_need  bay = { 0, 1 };
    gm_window_job   jobs[3];
    gm_window_limit crew = { GM_STR("bay"), size };
    for (int j = 0; j < 3; j++) jobs[j] = (gm_window_job){ .name = GM_STR("engine"), .cost = cost, .left_cost = INFINITY, .lasts = 1, .crews = &bay, .crew_count = 1 };
    gm_windows        w = { .count = 1, .jobs = jobs, .job_count = 3, .crews = &crew, .crew_count = 1 };
    uint32_t          begins[3];
    gm_windows_answer a;
    gm_error          err = { 0 };
    assert_gm_ok(gm_windows_solve(gm_alloc_system(), &w, &(gm_mip_limits){ 10, 0, NULL }, begins, &a, &err), err);
    assert_int_equal(a.end, GM_MIP_INFEASIBLE);
    assert_int_equal(a.lack_count, 1);
    assert_true(a.lacks[0].kind == GM_LACK_CREW && a.lacks[0].of == 0 && a.lacks[0].window == 0 && a.lacks[0].there == 1 && fabs(a.lacks[0].wanted - 3) < 1e-6);
    // One that can begin nowhere is named itself.
    cost[0] = INFINITY;
    assert_gm_ok(gm_windows_solve(gm_alloc_system(), &w, &(gm_mip_limits){ 10, 0, NULL }, begins, &a, &err), err);
    assert_true(a.end == GM_MIP_INFEASIBLE && a.lack_count == 3 && a.lacks[0].kind == GM_LACK_JOB);
    // Too large is refused in words.
    w.count = GM_WINDOWS_MAX + 1;
    assert_int_equal(gm_windows_solve(gm_alloc_system(), &w, &(gm_mip_limits){ 10, 0, NULL }, begins, &a, &err), GM_LIMIT);
    // Nothing to do is done.
    w = (gm_windows){ .count = 3 };
    assert_gm_ok(gm_windows_solve(gm_alloc_system(), &w, &(gm_mip_limits){ 10, 0, NULL }, begins, &a, &err), err);
    assert_int_equal(a.end, GM_MIP_OPTIMAL);
}

static void refused_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    if (!gm_mip_available()) skip();
    uint64_t seed = 7;
    problem  p;
    make(&p, &seed);
    for (uint64_t k = 0;; k++) {
        gm_fault_alloc    fault;
        uint32_t          begins[JOBS];
        gm_windows_answer a;
        gm_error          err = { 0 };
        gm_fault_alloc_init(&fault, k);
        gm_status st = gm_windows_solve(&fault.alloc, &p.w, &(gm_mip_limits){ 10, 0, NULL }, begins, &a, &err);
        assert_int_equal(fault.live_blocks, 0);
        if (!fault.fired) {
            assert_int_equal(st, GM_OK);
            return;
        }
        assert_int_equal(st, GM_NOMEM);
    }
}

// G. Cornuejols, M. Dawande, "A Class of Hard Small 0-1 Programs", IPCO 1998: sums that are to be split evenly. Nobody's branch and bound
// comes to an end with these in the time that a test has.
static bool stop_soon(void *context) { return ++*(int *)context > 20; }

static void a_search_is_stopped_while_the_library_is_at_work(void **state)
{
    (void)state;
    enum { SUMS = 6, ITEMS = 50 };
    uint64_t      seed = 11;
    int           asked = 0;
    uint32_t      rows[SUMS], weight[SUMS][ITEMS];
    double        values[ITEMS + 2 * SUMS];
    gm_mip        m    = gm_mip_init(gm_alloc_system());
    gm_mip_stop   stop = { stop_soon, &asked };
    gm_mip_report report;
    gm_error      err  = { 0 };
    if (!gm_mip_available()) skip();
    for (int k = 0; k < SUMS; k++) {
        uint32_t total = 0;
        for (int j = 0; j < ITEMS; j++) total += weight[k][j] = below(&seed, 100);
        rows[k] = gm_mip_row(&m, total / 2, total / 2);
    }
    for (int j = 0; j < ITEMS; j++) {
        (void)gm_mip_column(&m, 0, 0, 1, true);
        for (int k = 0; k < SUMS; k++) gm_mip_entry(&m, rows[k], weight[k][j]);
    }
    for (int k = 0; k < 2 * SUMS; k++) {
        (void)gm_mip_column(&m, 1, 0, GM_MIP_FREE, false);
        gm_mip_entry(&m, rows[k / 2], k % 2 == 0 ? 1 : -1);
    }
    assert_int_equal(gm_mip_solve(&m, &(gm_mip_limits){ 600, 0, &stop }, values, &report, &err), GM_CANCELLED);
    gm_mip_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_search_is_stopped_while_the_library_is_at_work),
        cmocka_unit_test(the_answer_is_the_best_of_all_assignments),
        cmocka_unit_test(what_lacks_is_enough_when_it_is_given),
        cmocka_unit_test(a_guess_keeps_the_limits),
        cmocka_unit_test(what_windows_take_is_what_limits_are_held_against),
        cmocka_unit_test(the_limit_in_the_way_is_named),
        cmocka_unit_test(refused_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
