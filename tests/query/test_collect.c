// Two ways: aggregates, groups and orders of random selections, by the engine and by plain loops over documents.
#include "query/oracle.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const paths[] = { "d", "e", "i", "j", "b", "s", "u", "c.d", "x", "nothing", "o.x" };
enum { PATHS = sizeof paths / sizeof paths[0], ROUNDS = 120 };

typedef struct selection {
    const oracle_world *world;
    char               *condition;
    int                 rows[ORACLE_TWINS];
    int                 count;
} selection;

static void select_rows(selection *s, const oracle_world *w)
{
    oracle_expr *condition = oracle_condition(oracle_pick(3));
    gm_buf       text      = gm_buf_init(gm_alloc_system());
    oracle_write(condition, &text);
    gm_buf_byte(&text, '\0');
    *s = (selection){ .world = w, .condition = (char *)text.ptr };
    for (int i = 0; i < w->count; i++) {
        if (oracle_holds(condition, w->documents[i])) s->rows[s->count++] = i;
    }
    oracle_free(condition);
}

static json_t *value_at(const selection *s, int row, const char *path)
{
    return oracle_find(s->world->documents[s->rows[row]], path);
}

static json_t *ask_one(const selection *s, const char *query)
{
    char   *text = fixture_ask(&s->world->plant, query);
    json_t *row  = json_loads(text, 0, NULL);
    if (row == NULL) fail_msg("%s: %s", query, text);
    free(text);
    return row;
}

static void check_number(const char *query, const json_t *found, double expected, double scale)
{
    if (fabs(json_number_value(found) - expected) <= 1e-12 * scale) return;
    fail_msg("%s: expected %.17g, found %.17g", query, expected, json_number_value(found));
}

static void aggregates_agree_with_loops(void **state)
{
    (void)state;
    static oracle_world w;
    static selection    s;
    oracle_seed(gm_test_seed());
    oracle_open(&w);
    for (int round = 0; round < ROUNDS; round++) {
        select_rows(&s, &w);
        const char *p = paths[oracle_pick(PATHS)];
        char       *query;
        assert_true(asprintf(&query,
                             "SELECT COUNT() AS n, COUNT(T.%s) AS c, SUM(T.%s) AS s, AVG(T.%s) AS a, MIN(T.%s) AS lo, "
                             "MAX(T.%s) AS hi, "
                             "SUM(T.%s * 0 + 1) AS ones FROM DIGITALTWINS T WHERE %s",
                             p, p, p, p, p, p, s.condition) > 0);
        json_t     *row = ask_one(&s, query), *least = NULL, *most = NULL;
        long double sum = 0, scale = 0;
        int         present = 0, numbers = 0;
        for (int i = 0; i < s.count; i++) {
            json_t *v = value_at(&s, i, p);
            present += v != NULL;
            if (v != NULL && (least == NULL || oracle_order(v, least) < 0)) least = v;
            if (v != NULL && (most == NULL || oracle_order(v, most) > 0)) most = v;
            if (!json_is_number(v)) continue;
            numbers++;
            sum += (long double)json_number_value(v);
            scale += fabsl((long double)json_number_value(v));
        }
        assert_int_equal(json_integer_value(json_object_get(row, "n")), s.count);
        if (json_integer_value(json_object_get(row, "c")) != present) fail_msg("%s: expected c = %d", query, present);
        check_number(query, json_object_get(row, "s"), (double)sum, (double)scale);
        check_number(query, json_object_get(row, "ones"), numbers, numbers);
        if (numbers > 0)
            check_number(query, json_object_get(row, "a"), (double)(sum / numbers), (double)(scale / numbers));
        else assert_null(json_object_get(row, "a"));
        if (oracle_order(json_object_get(row, "lo"), least) != 0 ||
            oracle_order(json_object_get(row, "hi"), most) != 0) {
            fail_msg("%s: %s, expected lo %s hi %s", query, json_dumps(row, 0), json_dumps(least, JSON_ENCODE_ANY),
                     json_dumps(most, JSON_ENCODE_ANY));
        }
        json_decref(row);
        free(query);
        free(s.condition);
    }
    oracle_close(&w);
}

// ---- order --------------------------------------------------------------------------------------------------------

static selection  *sorted;
static const char *sort_paths[2];
static int         sort_signs[2];

static int by_keys(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    for (int k = 0; k < 2; k++) {
        int order = oracle_order(oracle_find(sorted->world->documents[x], sort_paths[k]),
                                 oracle_find(sorted->world->documents[y], sort_paths[k]));
        if (order != 0) return order * sort_signs[k];
    }
    return (x > y) - (x < y);
}

static void orders_agree_with_a_plain_sort(void **state)
{
    (void)state;
    static oracle_world w;
    static selection    s;
    oracle_seed(gm_test_seed());
    oracle_open(&w);
    sorted = &s;
    for (int round = 0; round < ROUNDS; round++) {
        select_rows(&s, &w);
        for (int k = 0; k < 2; k++) {
            sort_paths[k] = paths[oracle_pick(PATHS)];
            sort_signs[k] = oracle_pick(2) ? 1 : -1;
        }
        int   offset = oracle_pick(3) ? 0 : oracle_pick(100), limit = oracle_pick(2) ? 1 + oracle_pick(50) : 1000000;
        char *query;
        assert_true(asprintf(&query,
                             "SELECT T.$dtId FROM DIGITALTWINS T WHERE %s ORDER BY T.%s %s, T.%s%s LIMIT %d OFFSET %d",
                             s.condition, sort_paths[0], sort_signs[0] > 0 ? "ASC" : "DESC", sort_paths[1],
                             sort_signs[1] > 0 ? "" : " DESC", limit, offset) > 0);
        // A long answer is not taken in small pages: each page sorts anew.
        uint32_t items = limit > 50 ? 2000 : 1 + (uint32_t)oracle_pick(20);
        char    *found = fixture_ask_paged(&w.plant, query, items, 0);
        qsort(s.rows, (size_t)s.count, sizeof s.rows[0], by_keys);
        gm_buf expected = gm_buf_init(gm_alloc_system());
        for (int i = offset; i < s.count && i < offset + limit; i++)
            gm_buf_printf(&expected, "{\"$dtId\":\"%s\"}\n", oracle_id(&w, s.rows[i]));
        gm_buf_byte(&expected, '\0');
        if (strcmp((const char *)expected.ptr, found) != 0)
            fail_msg("%s\nexpected %.200s\nfound %.200s", query, (const char *)expected.ptr, found);
        gm_buf_finish(&expected);
        free(found);
        free(query);
        free(s.condition);
    }
    oracle_close(&w);
}

// ---- groups -------------------------------------------------------------------------------------------------------

static void groups_agree_with_lists(void **state)
{
    (void)state;
    static oracle_world w;
    static selection    s;
    static struct { json_t *key; int count, d; } groups[ORACLE_TWINS];
    oracle_seed(gm_test_seed());
    oracle_open(&w);
    for (int round = 0; round < ROUNDS; round++) {
        select_rows(&s, &w);
        const char *p = paths[oracle_pick(PATHS)];
        int         n = 0;
        for (int i = 0; i < s.count; i++) {
            json_t *key = value_at(&s, i, p);
            int     g   = 0;
            while (g < n && oracle_order(groups[g].key, key) != 0) g++;
            if (g == n) {
                groups[n].key   = key;
                groups[n].count = groups[n].d = 0;
                n++;
            }
            groups[g].count++;
            groups[g].d += value_at(&s, i, "d") != NULL;
        }
        char *query;
        assert_true(
            asprintf(&query,
                     "SELECT T.%s AS g, COUNT() AS n, COUNT(T.d) AS d FROM DIGITALTWINS T WHERE %s GROUP BY T.%s", p,
                     s.condition, p) > 0);
        char *found = fixture_ask_paged(&w.plant, query, 1000, 0);
        gm_str rest = gm_str_of(found), line;
        for (int g = 0; g < n; g++) {
            json_t *row = gm_str_next(&rest, '\n', &line) ? json_loadb(line.ptr, line.len, 0, NULL) : NULL;
            if (row == NULL || oracle_order(json_object_get(row, "g"), groups[g].key) != 0 ||
                json_integer_value(json_object_get(row, "n")) != groups[g].count ||
                json_integer_value(json_object_get(row, "d")) != groups[g].d) {
                fail_msg("%s: group %d of %d: %.*s", query, g, n, (int)line.len, line.ptr);
            }
            json_decref(row);
        }
        assert_true(rest.len == 0);
        free(found);
        free(query);
        free(s.condition);
    }
    oracle_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aggregates_agree_with_loops),
        cmocka_unit_test(orders_agree_with_a_plain_sort),
        cmocka_unit_test(groups_agree_with_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
