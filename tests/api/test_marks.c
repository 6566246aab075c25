// What happened when: the ring turns, survives a checkpoint and bytes that are none; the route counts, pages, and shows nobody
// what he may not see.
#include "api/context.h"
#include "api/marks/marks.h"
#include "base/bytes.h"
#include "support/api_plant.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static gm_marks *marks_of(api_plant *p) { return p->api->marks; }

static void add(api_plant *p, gm_mark_kind kind, gm_time_ns at, uint64_t sequence, uint8_t priority, gm_str id, gm_str name)
{
    gm_happening h = { .at = at, .sequence = sequence, .kind = kind, .priority = priority, .id = id, .name = name,
                       .twin = gm_state_find(gm_engine_state(p->engine), id) };
    assert_gm_ok(gm_marks_add(marks_of(p), &h, &p->err), p->err);
}

static gm_time_ns at_second(int64_t s)
{
    gm_time_ns begin;
    assert_int_equal(gm_time_parse(GM_STR("2026-01-01T00:00:00Z"), &begin, NULL), GM_OK);
    return begin + s * GM_SECOND;
}

static int set_up(void **state)
{
    static api_plant p;
    p = (api_plant){ .controls = true };
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    *state = &p;
    return 0;
}

static int tear_down(void **state)
{
    api_plant_stop(*state);
    return 0;
}

static void fill(api_plant *p, size_t n)
{
    char name[40];
    for (size_t i = 0; i < n; i++) {
        int length = snprintf(name, sizeof name, "happening %zu", i);
        add(p, (gm_mark_kind)(i % GM_MARK_KIND_COUNT), at_second((int64_t)i), 1000 + i, i % 5 == 0 ? i % 4 : 0, GM_STR("p1"), (gm_str){ name, (size_t)length });
    }
}

static void the_ring_keeps_the_newest_and_forgets_the_oldest(void **state)
{
    enum { MORE = 77 };
    api_plant *p = *state;
    size_t     before = gm_marks_count(marks_of(p));
    assert_int_equal(before, 0);
    fill(p, GM_MARKS_MAX + MORE);
    assert_int_equal(gm_marks_count(marks_of(p)), GM_MARKS_MAX);
    assert_int_equal(gm_marks_total(marks_of(p)), GM_MARKS_MAX + MORE);
    assert_int_equal(gm_marks_at(marks_of(p), 0).sequence, 1000 + MORE);
    assert_int_equal(gm_marks_at(marks_of(p), GM_MARKS_MAX - 1).sequence, 1000 + GM_MARKS_MAX + MORE - 1);
    for (size_t i = 1; i < GM_MARKS_MAX; i += 1009) assert_true(gm_marks_at(marks_of(p), i).sequence == gm_marks_at(marks_of(p), i - 1).sequence + 1);
}

static void long_names_are_cut_between_characters(void **state)
{
    api_plant *p = *state;
    char       name[GM_MARK_TEXT_MAX + 10];
    memset(name, 'x', sizeof name);
    memcpy(name + GM_MARK_TEXT_MAX - 1, "\xc3\xa4", 2);  // its second byte would be the first that is cut off
    add(p, GM_MARK_EVENT, at_second(1), 1, 0, GM_STR("p1"), (gm_str){ name, sizeof name });
    assert_int_equal(gm_marks_at(marks_of(p), 0).name.len, GM_MARK_TEXT_MAX - 1);
    API_TALK(p, ((const api_step[]){ { "GET", "/v1/marks", NULL, NULL, 200, "xxxx\",\"sequence\":1}" } }));
}

static void what_is_saved_is_what_is_loaded_and_bytes_that_are_none_are_refused(void **state)
{
    api_plant *p = *state;
    fill(p, 1000);
    gm_buf saved = gm_buf_init(p->alloc), again = gm_buf_init(p->alloc);
    gm_marks_save(marks_of(p), &saved);
    assert_gm_ok(gm_marks_load(marks_of(p), saved.ptr, saved.len, &p->err), p->err);
    gm_marks_save(marks_of(p), &again);
    assert_true(gm_str_eq(gm_buf_view(&saved), gm_buf_view(&again)));
    // Every beginning is refused, unless it ends with a whole entry; nothing is read that is not there.
    size_t whole = 0;
    for (size_t n = 1; n < saved.len; n += 7) whole += gm_marks_load(marks_of(p), saved.ptr, n, &p->err) == GM_OK;
    assert_true(whole < saved.len / 7 / 8);
    // Any byte may be any other.
    uint64_t seed = gm_test_seed();
    for (int i = 0; i < 3000; i++) {
        seed          = seed * 6364136223846793005u + 1442695040888963407u;
        size_t  at    = (size_t)(seed >> 33) % saved.len;
        uint8_t was   = saved.ptr[at];
        saved.ptr[at] = (uint8_t)(seed >> 20);
        gm_status st  = gm_marks_load(marks_of(p), saved.ptr, saved.len, &p->err);
        assert_true(st == GM_OK || st == GM_CORRUPT);
        for (size_t m = 0; m < gm_marks_count(marks_of(p)); m++) assert_true((int)gm_marks_at(marks_of(p), m).kind < GM_MARK_KIND_COUNT);
        saved.ptr[at] = was;
    }
    assert_gm_ok(gm_marks_load(marks_of(p), NULL, 0, &p->err), p->err);
    assert_int_equal(gm_marks_count(marks_of(p)), 0);
    gm_buf_finish(&saved);
    gm_buf_finish(&again);
}

static json_t *ask(api_plant *p, const char *target)
{
    test_http_reply *reply = test_http_ask(&p->client, "GET", target, NULL, NULL);
    json_t          *json  = json_loadb((const char *)reply->body.ptr, reply->body.len, 0, NULL);
    if (reply->status != 200 || json == NULL) fail_msg("GET %s: %u %.*s", target, reply->status, (int)reply->body.len, (const char *)reply->body.ptr);
    return json;
}

static void a_hundred_thousand_are_counted_in_buckets_of_a_time_bar(void **state)
{
    enum { N = 100000, BUCKETS = 500 };
    api_plant *p = *state;
    fill(p, N);
    json_t *json = ask(p, "/v1/marks?from=2026-01-01T00:00:00Z&to=2026-01-02T03:46:40Z&buckets=500&examples=3");
    assert_int_equal(json_integer_value(json_object_get(json, "total")), N);
    const json_t *items = json_object_get(json, "items");
    assert_int_equal(json_array_size(items), BUCKETS * GM_MARK_KIND_COUNT);
    int64_t sum = 0;
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *b = json_array_get(items, i);
        sum += json_integer_value(json_object_get(b, "count"));
        assert_int_equal(json_array_size(json_object_get(b, "examples")), 3);
        bool alarm = strcmp(json_string_value(json_object_get(b, "kind")), "alarm") == 0;
        assert_string_equal(alarm ? json_string_value(json_object_get(b, "worst")) : "critical", "critical");
        if (alarm) assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(b, "examples"), 0), "priority")), "critical");
    }
    assert_int_equal(sum, N);
    json_decref(json);
    // A part of them, of one kind and one twin.
    json = ask(p, "/v1/marks?from=2026-01-01T00:01:40Z&to=2026-01-01T00:03:20Z&buckets=1&kind=command,letter&twin=p1");
    assert_int_equal(json_integer_value(json_object_get(json, "total")), 40);
    assert_null(json_object_get(json, "oldest"));
    json_decref(json);
    // Without times: from the oldest to now.
    json = ask(p, "/v1/marks?buckets=10&priority=critical&kind=alarm");
    assert_int_equal(json_integer_value(json_object_get(json, "total")), N / 20);
    json_decref(json);
}

static void pages_neither_skip_nor_repeat_while_more_happens(void **state)
{
    enum { N = 950 };
    api_plant *p = *state;
    char       target[400] = "/v1/marks?limit=100";
    size_t     seen = 0;
    uint64_t   last = UINT64_MAX;
    fill(p, N);
    for (int page = 0; page < 20 && target[0] != '\0'; page++) {
        json_t       *json  = ask(p, target);
        const json_t *items = json_object_get(json, "items");
        for (size_t i = 0; i < json_array_size(items); i++, seen++) {
            uint64_t sequence = (uint64_t)json_integer_value(json_object_get(json_array_get(items, i), "sequence"));
            assert_true(sequence < last);
            last = sequence;
        }
        const char *next = json_string_value(json_object_get(json, "nextLink"));
        snprintf(target, sizeof target, "%s", next != NULL ? next : "");
        json_decref(json);
        add(p, GM_MARK_EVENT, at_second(0), 5000 + (uint64_t)page, 0, GM_STR("p1"), GM_STR("meanwhile"));
    }
    assert_int_equal(seen, N);
}

static void requests_that_ask_for_nothing_possible_are_refused(void **state)
{
    static const api_step steps[] = {
        { "GET", "/v1/marks", NULL, NULL, 200, "{\"items\":[]}" },
        { "GET", "/v1/marks?buckets=3", NULL, NULL, 200, "\"total\":0,\"items\":[]" },
        { "GET", "/v1/marks?buckets=0", NULL, NULL, 400, "buckets" },
        { "GET", "/v1/marks?buckets=4001", NULL, NULL, 400, "4000" },
        { "GET", "/v1/marks?buckets=10&examples=4", NULL, NULL, 400, "examples" },
        { "GET", "/v1/marks?limit=1001", NULL, NULL, 400, "limit" },
        { "GET", "/v1/marks?from=yesterday", NULL, NULL, 400, "from" },
        { "GET", "/v1/marks?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", NULL, NULL, 400, "before" },
        { "GET", "/v1/marks?kind=alarm,party", NULL, NULL, 400, "anomaly" },
        { "GET", "/v1/marks?priority=urgent", NULL, NULL, 400, "critical" },
        { "GET", "/v1/marks?twin=nobody", NULL, NULL, 404, "nobody" },
        { "GET", "/v1/marks?continuationToken=1-00000000", NULL, NULL, 400, "token" },
    };
    API_TALK(*state, steps);
}

static void dead_letters_are_marks_also_after_a_restart(void **state)
{
    api_plant *p = *state;
    for (int way = 0; way < 2; way++) {
        assert_gm_ok(gm_dead_letters_add(p->letters, way == 0 ? GM_STR("a/topic") : GM_STR("b/topic"), GM_STR("?"), GM_STR("it is none"), (gm_ask){ 0 }, &p->err), p->err);
        assert_gm_ok(gm_engine_settle(p->engine, &p->err), p->err);
        if (way == 0) api_plant_checkpoint(p);  // the first comes from a checkpoint, the second from the log behind it
    }
    static const api_step steps[] = {
        { "GET", "/v1/marks", NULL, NULL, 200, "\"kind\":\"letter\"" },
        { "GET", "/v1/marks?limit=1", NULL, NULL, 200, "\"name\":\"b/topic\"" },
        { "GET", "/v1/marks", NULL, NULL, 200, "\"name\":\"a/topic\"" },
    };
    API_TALK(p, steps);
    api_plant_restart(p);
    API_TALK(p, steps);
    assert_int_equal(gm_marks_count(marks_of(p)), 2);
}

#define A_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        A_TEST(the_ring_keeps_the_newest_and_forgets_the_oldest), A_TEST(long_names_are_cut_between_characters),
        A_TEST(what_is_saved_is_what_is_loaded_and_bytes_that_are_none_are_refused), A_TEST(a_hundred_thousand_are_counted_in_buckets_of_a_time_bar),
        A_TEST(pages_neither_skip_nor_repeat_while_more_happens), A_TEST(requests_that_ask_for_nothing_possible_are_refused),
        A_TEST(dead_letters_are_marks_also_after_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
