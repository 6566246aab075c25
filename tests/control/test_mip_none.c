// A gemel that was built without CBC: the file that takes the solver's place is part of this program, and of no other. Whoever wants to
// plan is told why he can not; everything else of a plan is as it was.
#include "control/maintain/mip_none.c"

#include "control/maintain/proposal.h"
#include "control/maintain/windows.h"
#include "support/support.h"

static const char SAYS[] = "this gemel was built without COIN-OR CBC";

static void without_the_library_nothing_is_solved_and_a_sentence_says_why(void **state)
{
    (void)state;
    gm_error      err = { 0 };
    gm_mip        m   = gm_mip_init(gm_alloc_system());
    gm_mip_report report;
    double        value = 7;
    uint32_t      row   = gm_mip_row(&m, 1, 1);
    (void)gm_mip_column(&m, 1, 0, 1, true);
    gm_mip_entry(&m, row, 1);
    assert_false(gm_mip_available());
    assert_int_equal(gm_mip_require(&err), GM_NOTFOUND);
    assert_non_null(strstr(err.text, SAYS));
    assert_int_equal(gm_mip_solve(&m, &(gm_mip_limits){ 10, 0, NULL }, &value, &report, &err), GM_NOTFOUND);
    assert_true(report.end == GM_MIP_NOTHING && value == 7);
    assert_int_equal(gm_mip_solve_here(&m, &(gm_mip_limits){ 10, 0, NULL }, &value, &report, &err), GM_NOTFOUND);
    gm_mip_finish(&m);
}

static bool never(void *context)
{
    (void)context;
    return false;
}

// Through what is built upon it: no process is made for a solver that is not there, and no plan is guessed in its place.
static void a_plan_is_refused_with_the_same_sentence(void **state)
{
    (void)state;
    static const char text[] = "{\"maintenance\":[{\"name\":\"n\",\"horizon\":\"10d\",\"window\":\"1d\",\"assets\":[{\"of\":\"SELECT * FROM DIGITALTWINS\",\"work\":\"w\","
                               "\"cost\":1,\"life\":{\"mean\":100},\"failure\":{\"cost\":9}}]}]}";
    gm_arena           *arena = gm_arena_create(gm_alloc_system(), 0);
    gm_maintain_request q[GM_MAINTAIN_MAX];
    uint32_t            count = 0;
    gm_error            err   = { 0 };
    gm_buf              out   = gm_buf_init(gm_alloc_system());
    gm_mip_stop         stop  = { never, NULL };
    assert_gm_ok(gm_maintain_read(arena, gm_str_of(text), q, &count, &err), err);  // files are read and checked all the same
    gm_life           life  = { 100, 1 };
    gm_maintain_asset asset = { .id = GM_STR("pump1"), .kind = &q[0].kinds[0], .planned_cost = 1, .failure_cost = 9, .left = gm_lifetime_of_age(&life, 0) };
    gm_maintain_case  c     = { .request = &q[0], .windows = 10, .assets = &asset, .asset_count = 1 };
    assert_int_equal(gm_maintain_propose(gm_alloc_system(), &c, &stop, &out, &err), GM_NOTFOUND);
    assert_non_null(strstr(err.text, SAYS));
    assert_int_equal(gm_maintain_propose(gm_alloc_system(), &c, NULL, &out, &err), GM_NOTFOUND);
    gm_buf_finish(&out);
    gm_arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_the_library_nothing_is_solved_and_a_sentence_says_why),
        cmocka_unit_test(a_plan_is_refused_with_the_same_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
