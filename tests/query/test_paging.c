// Paging: pages make up the whole, also while twins come and go; tokens are checked; memory may run out anywhere.
#include "query/fixture.h"

#include "state/document.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const queries[] = {
    "SELECT * FROM DIGITALTWINS",
    "SELECT T.$dtId FROM DIGITALTWINS T WHERE T.starts > 0 OR IS_DEFINED(T.tags.red)",
    "SELECT T.$dtId FROM DIGITALTWINS T WHERE T.$dtId IN ['p1', 'm1', 'r1', 'x']",
    "SELECT T.$dtId FROM DIGITALTWINS T LIMIT 5 OFFSET 1",
    "SELECT * FROM RELATIONSHIPS",
    "SELECT R.$relationshipId FROM RELATIONSHIPS R WHERE R.$sourceId IN ['m1', 'p1', 'r1']",
    "SELECT A.$dtId AS a, B.$dtId AS b, R FROM DIGITALTWINS A JOIN B RELATED A.contains R",
    "SELECT A.$dtId AS a, B.$dtId AS b FROM DIGITALTWINS MATCH (A)-[*..4]-(B)",
    "SELECT A.$dtId AS a, B.$dtId AS b FROM DIGITALTWINS MATCH (A)-[*..4]-(B) WHERE B.$dtId = 'p1' LIMIT 11 OFFSET 3",
    "SELECT COUNT() FROM DIGITALTWINS MATCH (A)-[*..4]-(B)",
    "SELECT T.$dtId FROM DIGITALTWINS T ORDER BY T.name DESC",
    "SELECT T.$dtId FROM DIGITALTWINS T ORDER BY T.temperature LIMIT 5 OFFSET 1",
    "SELECT T.[[GROUP]] AS g, COUNT() AS n, MAX(T.name) AS m FROM DIGITALTWINS T GROUP BY T.[[GROUP]] ORDER BY n",
    "SELECT T.$metadata.$model AS g, SUM(T.temperature) AS n FROM DIGITALTWINS T GROUP BY T.$metadata.$model LIMIT 2",
};
enum { QUERY_COUNT = sizeof queries / sizeof queries[0] };

static void pages_one_after_the_other_are_the_whole(void **state)
{
    (void)state;
    gm_small_plant plant;
    fixture_open(&plant, gm_alloc_system());
    for (size_t i = 0; i < QUERY_COUNT; i++) {
        char *whole = fixture_ask(&plant, queries[i]);
        for (uint32_t items = 1; items < 8; items++) {
            for (uint64_t work = 0; work < 3; work++) {
                char *paged = fixture_ask_paged(&plant, queries[i], items, work);
                if (strcmp(whole, paged) != 0)
                    fail_msg("%s by %u:\n%s\ninstead of\n%s", queries[i], items, paged, whole);
                free(paged);
            }
        }
        free(whole);
    }
    gm_small_plant_close(&plant);
}

// ---- while twins come and go --------------------------------------------------------------------------------------

enum { TWINS = 300 };

static void put(gm_small_plant *plant, int i)
{
    char id[16], document[200];
    snprintf(id, sizeof id, "t%d", i);
    snprintf(document, sizeof document, "{\"$metadata\":{\"$model\":\"dtmi:t:%s;1\"},\"name\":\"x\"}",
             i % 3 ? "Machine" : "Room");
    gm_small_plant_twin(plant, id, document);
}

static void what_stays_is_seen_exactly_once(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    for (int round = 0; round < 20; round++) {
        gm_small_plant plant;
        gm_error       err = { 0 };
        gm_query      *query;
        int            seen[2 * TWINS]  = { 0 };
        bool           stays[2 * TWINS] = { false };
        char           token[GM_QUERY_TOKEN_MAX] = "";
        fixture_open(&plant, gm_alloc_system());
        for (int i = 0; i < TWINS; i++) {
            put(&plant, i);
            stays[i] = true;
        }
        assert_gm_ok(gm_query_prepare(gm_alloc_system(),
                                      GM_STR("SELECT T.$dtId FROM DIGITALTWINS T WHERE T.name = 'x'"), &query, &err),
                     err);
        int next = TWINS;
        do {
            gm_buf        items = gm_buf_init(gm_alloc_system());
            gm_query_page page  = { .items_max = 1 + (uint32_t)(gm_test_random(&random) % 40),
                                    .token     = gm_str_of(token) };
            assert_gm_ok(gm_query_run(query, plant.state, &page, &items, &err), err);
            gm_str rest = gm_buf_view(&items), item;
            while (rest.len > 0 && gm_str_next(&rest, ',', &item)) seen[atoi(item.ptr + strlen("{\"$dtId\":\"t"))]++;
            gm_buf_finish(&items);
            memcpy(token, page.next, sizeof token);
            for (int change = 0; change < 5 && next < 2 * TWINS; change++) {
                int  gone = (int)(gm_test_random(&random) % TWINS);
                char id[16];
                snprintf(id, sizeof id, "t%d", gone);
                if (stays[gone]) gm_small_plant_delete(&plant, id);
                stays[gone] = false;
                put(&plant, next++);
            }
        } while (token[0] != '\0');
        for (int i = 0; i < 2 * TWINS; i++) {
            if (seen[i] > 1) fail_msg("t%d was given %d times", i, seen[i]);
            if (stays[i] && seen[i] != 1) fail_msg("t%d was there all the time and was not given", i);
        }
        gm_query_destroy(query);
        gm_small_plant_close(&plant);
    }
}

// ---- tokens -------------------------------------------------------------------------------------------------------

static gm_status run_with(const gm_small_plant *plant, const char *text, gm_str token, gm_query_page *page)
{
    gm_error  err = { 0 };
    gm_query *query;
    assert_gm_ok(gm_query_prepare(gm_alloc_system(), gm_str_of(text), &query, &err), err);
    gm_buf items   = gm_buf_init(gm_alloc_system());
    *page          = (gm_query_page){ .items_max = 2, .token = token };
    gm_status st   = gm_query_run(query, plant->state, page, &items, &err);
    gm_buf_finish(&items);
    gm_query_destroy(query);
    return st;
}

static void a_token_that_was_not_given_out_is_refused(void **state)
{
    (void)state;
    gm_small_plant plant;
    gm_query_page  page;
    fixture_open(&plant, gm_alloc_system());
    const char *text = queries[0];
    assert_int_equal(run_with(&plant, text, GM_STR(""), &page), GM_OK);
    char token[GM_QUERY_TOKEN_MAX], changed[GM_QUERY_TOKEN_MAX];
    memcpy(token, page.next, sizeof token);
    size_t len = strlen(token);
    assert_true(len > 0);
    assert_int_equal(run_with(&plant, text, gm_str_of(token), &page), GM_OK);
    assert_int_equal(run_with(&plant, queries[1], gm_str_of(token), &page), GM_INVALID);  // another query's
    assert_int_equal(run_with(&plant, "SELECT  * FROM DIGITALTWINS", gm_str_of(token), &page), GM_INVALID);
    for (size_t i = 0; i < len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            memcpy(changed, token, sizeof changed);
            changed[i] = (char)(changed[i] ^ 1 << bit);
            if (run_with(&plant, text, (gm_str) { changed, len }, &page) != GM_INVALID)
                fail_msg("accepted with bit %d of byte %zu changed", bit, i);
        }
        assert_int_equal(run_with(&plant, text, (gm_str){ token, i == 0 ? 1 : i }, &page), GM_INVALID);
    }
    static const char *const garbage[] = {
        "null", "0", "{}", "x", "\xff\xff", "00000000000000000000", "[{\"token\":\"+RID:\"}]"
    };
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        assert_int_equal(run_with(&plant, text, gm_str_of(garbage[i]), &page), GM_INVALID);
    }
    gm_small_plant_close(&plant);
}

// ---- memory -------------------------------------------------------------------------------------------------------

static void every_query_survives_every_allocation_failure(void **state)
{
    (void)state;
    gm_small_plant plant;
    fixture_open(&plant, gm_alloc_system());
    for (size_t i = 0; i < QUERY_COUNT; i++) {
        for (uint64_t k = 0;; k++) {
            gm_fault_alloc fault;
            gm_fault_alloc_init(&fault, k);
            gm_query *query;
            gm_error  err = { 0 };
            gm_status st  = gm_query_prepare(&fault.alloc, gm_str_of(queries[i]), &query, &err);
            if (st == GM_OK) {
                gm_buf        items = gm_buf_init(&fault.alloc);
                gm_query_page page  = { .items_max = 3 };
                st                  = gm_query_run(query, plant.state, &page, &items, &err);
                gm_buf_finish(&items);
            }
            gm_query_destroy(query);
            assert_int_equal(fault.live_blocks, 0);
            if (!fault.fired) {
                assert_gm_ok(st, err);
                break;
            }
            if (st != GM_NOMEM) fail_msg("%s, allocation %d: status %d, %s", queries[i], (int)k, (int)st, err.text);
        }
    }
    gm_small_plant_close(&plant);
}

static void an_answer_beyond_its_limit_is_refused(void **state)
{
    (void)state;
    gm_small_plant plant;
    gm_error       err = { 0 };
    gm_query      *query;
    fixture_open(&plant, gm_alloc_system());
    assert_gm_ok(gm_query_prepare(gm_alloc_system(), gm_str_of(queries[0]), &query, &err), err);
    gm_buf        items = gm_buf_init(gm_alloc_system());
    gm_query_page page  = { .items_max = 100 };
    items.limit         = 300;
    assert_int_equal(gm_query_run(query, plant.state, &page, &items, &err), GM_LIMIT);
    gm_buf_finish(&items);
    gm_query_destroy(query);
    gm_small_plant_close(&plant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_one_after_the_other_are_the_whole),
        cmocka_unit_test(what_stays_is_seen_exactly_once),
        cmocka_unit_test(a_token_that_was_not_given_out_is_refused),
        cmocka_unit_test(every_query_survives_every_allocation_failure),
        cmocka_unit_test(an_answer_beyond_its_limit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
