// rules/*.maintenance: what it says is read, and what is wrong is told with its entry and member.
#include "control/maintain/request.h"

#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ASSET "\"of\":\"SELECT * FROM DIGITALTWINS\",\"work\":\"w\",\"cost\":2,\"life\":{\"mean\":100},\"failure\":{\"cost\":9}"
#define HEAD  "\"name\":\"n\",\"horizon\":\"10d\",\"window\":\"1d\""
#define WITH(more) "{\"maintenance\":[{" HEAD "," more ",\"assets\":[{" ASSET "}]}]}"
#define ASSETS(more) "{\"maintenance\":[{" HEAD ",\"crews\":{\"a\":1},\"stocks\":{\"s\":1},\"assets\":[{" ASSET "," more "}]}]}"

static gm_status read_text(gm_arena *arena, const char *text, gm_maintain_request *out, uint32_t *count, gm_error *err)
{
    *count = 0;
    return gm_maintain_read(arena, gm_str_of(text), out, count, err);
}

static void an_entry_is_read_with_its_defaults(void **state)
{
    (void)state;
    gm_arena           *arena = gm_arena_create(gm_alloc_system(), 0);
    gm_maintain_request q[GM_MAINTAIN_MAX];
    uint32_t            count;
    gm_error            err = { 0 };
    assert_gm_ok(read_text(arena, "{\"maintenance\":[{" HEAD ",\"assets\":[{" ASSET "}]}]}", q, &count, &err), err);
    assert_int_equal(count, 1);
    const gm_maintain_kind *k = &q[0].kinds[0];
    assert_true(q[0].horizon_h == 240 && q[0].window_h == 24 && q[0].seconds == 10 && q[0].gap == 0.001 && q[0].lanes == 1000 && q[0].crew_count == 0);
    assert_true(k->cycle_h == 1 && k->lasts_h == 24 && k->failure_lasts_h == 24 && k->life.shape == 1 && isinf(k->at_most) && k->interval == 0 && !k->latest.given);
    assert_gm_ok(gm_maintain_check(gm_alloc_system(), &q[0], &err), err);
    assert_gm_ok(read_text(arena, ASSETS("\"cycle\":\"90min\",\"lasts\":\"36h\",\"interval\":50,\"needs\":{\"a\":2},\"parts\":{\"s\":3},\"earliest\":\"2d\",\"latest\":\"2027-01-01T00:00:00Z\","
                                         "\"prediction\":{\"low\":\"l\",\"rul\":\"r\",\"high\":\"h\",\"atMost\":125,\"elapses\":true}"), q, &count, &err), err);
    k = &q[0].kinds[0];
    assert_true(k->cycle_h == 1.5 && k->lasts_h == 36 && k->interval == 50 && k->crew_count == 1 && k->crews[0].amount == 2 && k->parts[0].amount == 3);
    assert_true(k->earliest.relative && k->earliest.after == 2 * GM_DAY && !k->latest.relative && k->latest.given && k->at_most == 125 && k->elapses && gm_str_is(k->rul, "r"));
    assert_gm_ok(read_text(arena, WITH("\"crews\":{\"a\":{\"size\":3,\"except\":[{\"from\":\"2026-01-01T00:00:00Z\",\"to\":\"2026-01-02T00:00:00Z\",\"size\":1}]}},"
                                       "\"stocks\":{\"s\":{\"now\":2,\"arrives\":[{\"at\":\"2026-01-01T00:00:00Z\",\"count\":4}]}},"
                                       "\"redundancy\":[{\"name\":\"g\",\"of\":\"SELECT * FROM DIGITALTWINS\",\"out\":2}],\"compare\":{\"lanes\":0,\"horizon\":\"5d\",\"seed\":3}"), q, &count, &err), err);
    assert_true(q[0].crews[0].size == 3 && q[0].crews[0].except[0].size == 1 && q[0].stocks[0].arrives[0].size == 4 && q[0].groups[0].out == 2);
    assert_true(q[0].lanes == 0 && q[0].compare_h == 120 && q[0].seed == 3);
    gm_arena_destroy(arena);
}

static void what_is_wrong_is_told_with_entry_and_member(void **state)
{
    (void)state;
    static const struct { const char *text, *says; } cases[] = {
        { "{\"maintenance\":[", "" },
        { "[]", "list \"maintenance\"" },
        { "{\"maintenance\":[],\"more\":1}", "list \"maintenance\"" },
        { "{\"maintenance\":[7]}", "an entry is an object" },
        { "{\"maintenance\":[{\"horizon\":\"1d\"}]}", "\"name\"" },
        { "{\"maintenance\":[{\"name\":\"n\"}]}", "\"horizon\"" },
        { "{\"maintenance\":[{" HEAD "}]}", "\"assets\"" },
        { "{\"maintenance\":[{" HEAD ",\"assets\":[3]}]}", "an object is expected" },
        { "{\"maintenance\":[{\"name\":\"n\",\"horizon\":\"1h\",\"window\":\"1d\",\"assets\":[{" ASSET "}]}]}", "\"horizon\"" },
        { "{\"maintenance\":[{\"name\":\"n\",\"horizon\":\"3650d\",\"window\":\"1d\",\"assets\":[{" ASSET "}]}]}", "at most 1000 times" },
        { "{\"maintenance\":[{" HEAD ",\"assets\":[{" ASSET "}]},{" HEAD ",\"assets\":[{" ASSET "}]}]}", "two entries of maintenance are called 'n'" },
        { WITH("\"carews\":{}"), "maintenance 'n': \"carews\"" },
        { WITH("\"crews\":[1]"), "\"crews\"" },
        { WITH("\"crews\":{\"a\":-1}"), "\"a\"" },
        { WITH("\"crews\":{\"a\":{\"size\":1,\"except\":[{\"from\":\"2026-01-02T00:00:00Z\",\"to\":\"2026-01-01T00:00:00Z\",\"size\":0}]}}"), "must come after" },
        { WITH("\"crews\":{\"a\":{\"size\":1,\"except\":[{\"from\":\"soon\",\"to\":\"2026-01-01T00:00:00Z\",\"size\":0}]}}"), "a time is expected" },
        { WITH("\"stocks\":{\"s\":{\"arrives\":[]}}"), "\"now\"" },
        { WITH("\"redundancy\":[{\"name\":\"g\"}]"), "\"of\"" },
        { WITH("\"redundancy\":[{\"name\":\"g\",\"of\":\"q\",\"out\":-1}]"), "\"out\"" },
        { WITH("\"timeLimit\":\"2h\""), "\"timeLimit\"" },
        { WITH("\"gap\":1"), "\"gap\"" },
        { WITH("\"compare\":{\"lanes\":1.5}"), "\"lanes\"" },
        { WITH("\"compare\":3"), "\"compare\"" },
        { ASSETS("\"needs\":{\"b\":1}"), "\"b\": no crew has this name" },
        { ASSETS("\"needs\":{\"a\":0}"), "\"a\"" },
        { ASSETS("\"parts\":{\"a\":1}"), "\"a\": no stock has this name" },
        { ASSETS("\"latest\":\"whenever\""), "\"latest\"" },
        { ASSETS("\"lasts\":\"30d\""), "longer than the horizon" },
        { ASSETS("\"prediction\":{\"rul\":\"r\"}"), "\"low\"" },
        { ASSETS("\"prediction\":{\"elapses\":1}"), "\"elapses\"" },
        { ASSETS("\"cycle\":4"), "\"cycle\"" },
        { "{\"maintenance\":[{" HEAD ",\"assets\":[{\"of\":\"q\",\"work\":\"w\",\"cost\":0,\"life\":{\"mean\":100},\"failure\":{\"cost\":9}}]}]}", "\"cost\"" },
        { "{\"maintenance\":[{" HEAD ",\"assets\":[{\"of\":\"q\",\"work\":\"w\",\"cost\":1,\"life\":{\"mean\":1,\"shape\":0.01},\"failure\":{\"cost\":9}}]}]}", "\"shape\"" },
        { "{\"maintenance\":[{" HEAD ",\"assets\":[{\"of\":\"q\",\"work\":\"w\",\"cost\":1,\"life\":{\"mean\":1}}]}]}", "\"failure\"" },
        { "{\"maintenance\":[{" HEAD ",\"assets\":[{\"of\":\"q\",\"work\":\"w\",\"cost\":1,\"life\":{\"mean\":1},\"failure\":{\"cost\":-9}}]}]}", "\"cost\"" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_arena           *arena = gm_arena_create(gm_alloc_system(), 0);
        gm_maintain_request q[GM_MAINTAIN_MAX];
        uint32_t            count;
        gm_error            err = { 0 };
        gm_status           st  = read_text(arena, cases[i].text, q, &count, &err);
        if (st != GM_INVALID || strstr(err.text, cases[i].says) == NULL) fail_msg("%s: status %d, '%s'", cases[i].text, (int)st, err.text);
        gm_arena_destroy(arena);
    }
}

static void a_query_that_can_not_be_asked_is_found(void **state)
{
    (void)state;
    gm_arena           *arena = gm_arena_create(gm_alloc_system(), 0);
    gm_maintain_request q[GM_MAINTAIN_MAX];
    uint32_t            count;
    gm_error            err = { 0 };
    assert_gm_ok(read_text(arena, WITH("\"redundancy\":[{\"name\":\"g\",\"of\":\"SELECT FROM\"}]"), q, &count, &err), err);
    assert_int_equal(gm_maintain_check(gm_alloc_system(), &q[0], &err), GM_INVALID);
    assert_non_null(strstr(err.text, "maintenance 'n': \"of\""));
    gm_arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_is_read_with_its_defaults),
        cmocka_unit_test(what_is_wrong_is_told_with_entry_and_member),
        cmocka_unit_test(a_query_that_can_not_be_asked_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
