// Two ways: random conditions, answered by the engine over columns, and by the oracle on each twin's JSON document.
// They must agree on every row, on counts, on any page size, and for subscriptions.
#include "query/oracle.h"
#include "state/indexes.h"

#include <stdio.h>
#include <stdlib.h>

enum { QUERIES = 250 };

static void compare_answers(const oracle_world *w, const char *condition, const char *expected, const char *found)
{
    if (strcmp(expected, found) == 0) return;
    size_t at = 0;
    while (expected[at] == found[at]) at++;
    while (at > 0 && expected[at - 1] != '\n') at--;
    for (int i = 0; i < w->count; i++) {
        char id[64];
        snprintf(id, sizeof id, "{\"$dtId\":\"%s\"}", oracle_id(w, i));
        if (strncmp(expected + at, id, strlen(id)) == 0 || strncmp(found + at, id, strlen(id)) == 0) {
            print_error("%s\n", json_dumps(w->documents[i], 0));
        }
    }
    fail_msg("WHERE %s\n expected ...%.60s\n found ...%.60s", condition, expected + at, found + at);
}

static void check_condition(const oracle_world *w, const oracle_expr *e)
{
    gm_buf text = gm_buf_init(gm_alloc_system()), expected = gm_buf_init(gm_alloc_system()),
           query = gm_buf_init(gm_alloc_system());
    oracle_write(e, &text);
    gm_buf_byte(&text, '\0');
    const char *condition = (const char *)text.ptr;
    int         count     = 0;
    bool        matches[ORACLE_TWINS];
    for (int i = 0; i < w->count; i++) {
        matches[i] = oracle_holds(e, w->documents[i]);
        if (!matches[i]) continue;
        count++;
        gm_buf_printf(&expected, "{\"$dtId\":\"%s\"}\n", oracle_id(w, i));
    }
    gm_buf_byte(&expected, '\0');

    gm_buf_printf(&query, "SELECT $dtId FROM DIGITALTWINS T WHERE %s%c", condition, 0);
    char *found = fixture_ask_paged(&w->plant, (const char *)query.ptr, 1 + (uint32_t)oracle_pick(GM_QUERY_PAGE_MAX),
                                    oracle_pick(2) ? 1 : 0);
    compare_answers(w, condition, (const char *)expected.ptr, found);
    free(found);

    char count_text[64];
    snprintf(count_text, sizeof count_text, "{\"COUNT\":%d}\n", count);
    gm_buf_clear(&query);
    gm_buf_printf(&query, "SELECT COUNT() FROM DIGITALTWINS T WHERE %s%c", condition, 0);
    found = fixture_ask_paged(&w->plant, (const char *)query.ptr, 1, (uint64_t)oracle_pick(5000));
    if (strcmp(found, count_text) != 0) fail_msg("WHERE %s: expected %s found %s", condition, count_text, found);
    free(found);

    gm_error  err = { 0 };
    gm_query *prepared;
    bool      match;
    gm_buf_clear(&query);
    gm_buf_printf(&query, "SELECT * FROM DIGITALTWINS T WHERE %s", condition);
    assert_gm_ok(gm_query_prepare(gm_alloc_system(), gm_buf_view(&query), &prepared, &err), err);
    for (int i = oracle_pick(50); i < w->count; i += 50) {
        assert_gm_ok(gm_query_matches(prepared, w->plant.state, w->twins[i], &match, &err), err);
        if (match != matches[i]) fail_msg("WHERE %s: twin %u matches: %d", condition, w->twins[i].v, match);
    }
    gm_query_destroy(prepared);
    gm_buf_finish(&text);
    gm_buf_finish(&expected);
    gm_buf_finish(&query);
}

// Every column that can have an index gets one, of either order, so that conditions which leave few rows are looked up.
static void index_everything(oracle_world *w)
{
    for (size_t m = 0; m < gm_model_count(w->plant.model); m++) {
        const gm_type *type = gm_model_at(w->plant.model, m);
        for (size_t c = 0; c < type->column_count; c++) {
            gm_error err = { 0 };
            assert_gm_ok(gm_state_index_add(w->plant.state, type->columns[c].path, oracle_pick(2) ? GM_INDEX_ORDERED : GM_INDEX_HASHED, &err), err);
        }
    }
}

static void check_many(bool indexed)
{
    static oracle_world w;
    oracle_seed(gm_test_seed());
    oracle_open(&w);
    if (indexed) index_everything(&w);
    for (int i = 0; i < QUERIES; i++) {
        oracle_expr *e = oracle_condition(1 + oracle_pick(3));
        check_condition(&w, e);
        oracle_free(e);
    }
    oracle_close(&w);
}

static void columns_and_documents_agree(void **state)
{
    (void)state;
    check_many(false);
}

static void indexes_and_documents_agree(void **state)
{
    (void)state;
    check_many(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_and_documents_agree),
        cmocka_unit_test(indexes_and_documents_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
