#include "support/api_plant.h"

#include <stdio.h>

typedef struct listener { test_http_client client; gm_buf name, data; } listener;

static void listen_to(listener *l, api_plant *p, const char *target)
{
    test_http_open(&l->client, gm_api_port(p->api), api_plant_turn, p);
    l->name = gm_buf_init(gm_alloc_system());
    l->data = gm_buf_init(gm_alloc_system());
    test_http_stream(&l->client, target);
}

static void end(listener *l)
{
    test_http_shut(&l->client);
    gm_buf_finish(&l->name);
    gm_buf_finish(&l->data);
}

// The next event that is not "alive".
static void next(listener *l)
{
    do {
        if (!test_http_event(&l->client, &l->name, &l->data)) fail_msg("the stream ended");
    } while (strcmp((char *)l->name.ptr, "alive") == 0);
}

static void expect(listener *l, const char *name, const char *text)
{
    next(l);
    if (strcmp((char *)l->name.ptr, name) != 0 || strstr((char *)l->data.ptr, text) == NULL) {
        fail_msg("expected %s %s\ngot %s %s", name, text, (char *)l->name.ptr, (char *)l->data.ptr);
    }
}

static void report(api_plant *p, const char *twin, const char *body)
{
    char target[256];
    snprintf(target, sizeof target, "/digitaltwins/%s/telemetry" V, twin);
    assert_int_equal(test_http_ask(&p->client, "POST", target, "Message-Id: 1\r\n", body)->status, 204);
}

static void a_stream_begins_with_a_snapshot_and_follows_changes(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    listener l;
    listen_to(&l, &p, "/v1/stream?twin=p1&twin=later");
    assert_int_equal(l.client.reply.status, 200);
    assert_string_equal(test_http_header(&l.client, "Content-Type"), "text/event-stream");
    expect(&l, "snapshot", "\"twins\":[{\"id\":\"p1\"");
    assert_non_null(strstr((char *)l.data.ptr, "{\"sequence\":"));
    report(&p, "p1", "{\"heat\":1.5}");
    expect(&l, "change", "\"twin\":\"p1\",\"values\":{\"heat\":{\"value\":1.5,\"sourceTime\":\"20");
    static const api_step steps[] = {
        { "PATCH", "/digitaltwins/p1" V, NULL, "[{\"op\":\"remove\",\"path\":\"/limit\"}]", 204, NULL },
    };
    API_TALK(&p, steps);
    expect(&l, "change", "\"limit\":{\"value\":null}");
    report(&p, "p2", "{\"heat\":9}");  // another twin: not for this stream
    static const api_step more[] = {
        { "PUT", "/digitaltwins/later" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Room;1\"},\"name\":\"Attic\"}", 200, NULL },
    };
    API_TALK(&p, more);
    expect(&l, "created", "\"twin\":\"later\"");                        // for everyone: trees are out of date
    expect(&l, "created", "\"twin\":\"later\",\"view\":{\"id\":\"later\"");  // for who asked for it: all of it
    static const api_step rest[] = {
        { "PUT", "/digitaltwins/later/relationships/h" V, NULL, "{\"$relationshipName\":\"has\",\"$targetId\":\"p2\"}", 200, NULL },
        { "DELETE", "/digitaltwins/later/relationships/h" V, NULL, NULL, 204, NULL },
        { "DELETE", "/digitaltwins/later" V, NULL, NULL, 204, NULL },
    };
    api_plant_talk(&p, &rest[0], 1);
    expect(&l, "relationship", "\"change\":\"put\",\"twin\":\"later\",\"id\":\"h\",\"name\":\"has\",\"target\":\"p2\"");
    api_plant_talk(&p, &rest[1], 1);
    expect(&l, "relationship", "\"change\":\"deleted\",\"twin\":\"later\",\"id\":\"h\"");
    api_plant_talk(&p, &rest[2], 1);
    expect(&l, "deleted", "\"twin\":\"later\"");
    expect(&l, "deleted", "\"twin\":\"later\",\"reason\":\"deleted\"");
    end(&l);
    assert_int_equal(test_http_ask(&p.client, "GET", "/healthz", NULL, NULL)->status, 200);
    api_plant_stop(&p);
}

static void a_silent_stream_says_that_it_lives(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    listener l;
    listen_to(&l, &p, "/v1/stream");
    expect(&l, "snapshot", "\"twins\":[]");
    assert_true(test_http_event(&l.client, &l.name, &l.data));
    assert_string_equal((char *)l.name.ptr, "alive");
    assert_non_null(strstr((char *)l.data.ptr, "{\"time\":\"20"));
    end(&l);
    api_plant_stop(&p);
}

static void a_query_is_followed_as_twins_come_and_go(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    listener l;
    listen_to(&l, &p, "/v1/stream?query=SELECT+*+FROM+DIGITALTWINS+T+WHERE+IS_OF_MODEL(T,'dtmi:t:Pump;1')");
    expect(&l, "snapshot", "\"id\":\"p1\"");
    assert_non_null(strstr((char *)l.data.ptr, "\"id\":\"p2\""));
    assert_null(strstr((char *)l.data.ptr, "{\"id\":\"room"));
    report(&p, "p2", "{\"heat\":9}");
    expect(&l, "change", "\"twin\":\"p2\"");
    static const api_step steps[] = {
        { "PUT", "/digitaltwins/p3" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"},\"motor\":{\"$metadata\":{}}}", 200, NULL },
        { "PATCH", "/digitaltwins/p3" V, NULL, "[{\"op\":\"replace\",\"path\":\"/$metadata/$model\",\"value\":\"dtmi:t:Room;1\"},"
          "{\"op\":\"remove\",\"path\":\"/motor\"}]", 204, NULL },
    };
    api_plant_talk(&p, &steps[0], 1);
    expect(&l, "created", "\"twin\":\"p3\"");
    expect(&l, "created", "\"twin\":\"p3\",\"view\":");
    api_plant_talk(&p, &steps[1], 1);
    expect(&l, "deleted", "\"twin\":\"p3\",\"reason\":\"left\"");
    end(&l);
    static const api_step wrong[] = {
        { "GET", "/v1/stream?query=nonsense", NULL, NULL, 400, "SqlQueryError" },
    };
    API_TALK(&p, wrong);
    api_plant_stop(&p);
}

// A reader that takes nothing for a while gets the newest values, not all of them, and the server's memory stays small.
static void a_slow_reader_gets_fewer_and_newer_changes(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    listener l;
    listen_to(&l, &p, "/v1/stream?twin=p1");
    expect(&l, "snapshot", "p1");
    gm_error err    = { 0 };
    gm_twin  twin   = gm_state_find(gm_engine_state(p.engine), GM_STR("p1"));
    uint32_t column = gm_type_column_index(gm_state_type(gm_engine_state(p.engine), twin), GM_STR("heat"));
    enum { CHANGES = 20000 };
    for (int i = 1; i <= CHANGES; i++) {
        gm_cell_write cell = { .column = (uint16_t)column, .at = i * GM_SECOND, .value = { .kind = GM_KIND_DOUBLE, .d = i } };
        assert_gm_ok(gm_engine_write(p.engine, twin, 0, &cell, 1, (gm_ask){ 0 }, &err), err);
        if (i % 1000 == 0) {
            assert_gm_ok(gm_engine_settle(p.engine, &err), err);
            api_plant_turn(&p);
        }
    }
    int  events = 0;
    char newest[64];
    snprintf(newest, sizeof newest, "\"value\":%d,", CHANGES);
    do {
        next(&l);
        assert_string_equal((char *)l.name.ptr, "change");
        events++;
    } while (strstr((char *)l.data.ptr, newest) == NULL);
    assert_in_range(events, 1, CHANGES / 100);
    end(&l);
    api_plant_stop(&p);
}

static void two_streams(gm_api_options *options)
{
    options->limits.streams_max      = 2;
    options->limits.stream_twins_max = 2;
}

static void streams_have_limits(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, two_streams);
    api_plant_fill(&p);
    listener a, b;
    listen_to(&a, &p, "/v1/stream?twin=p1&twin=p1&twin=p2");  // the same twice is one
    listen_to(&b, &p, "/v1/stream?twin=p1");
    static const api_step steps[] = {
        { "GET", "/v1/stream?twin=p1", NULL, NULL, 503, "ServiceUnavailable" },
        { "GET", "/v1/plant", NULL, NULL, 200, "\"streams\":2" },
    };
    API_TALK(&p, steps);
    end(&b);
    while (strstr((char *)test_http_ask(&p.client, "GET", "/v1/plant", NULL, NULL)->body.ptr, "\"streams\":2") != NULL) api_plant_turn(&p);
    static const api_step after[] = {
        { "GET", "/v1/stream?twin=p1&twin=p2&twin=room+1%2F%C3%A4", NULL, NULL, 400, "LimitExceeded" },
    };
    API_TALK(&p, after);
    // The server ends with a stream open.
    api_plant_stop(&p);
    end(&a);
}

static void a_fleet_that_is_created_is_told_in_summary(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    listener l;
    listen_to(&l, &p, "/v1/stream");
    expect(&l, "snapshot", "[]");
    gm_error       err  = { 0 };
    const gm_type *type = gm_model_find(gm_engine_model(p.engine), GM_STR("dtmi:t:Room;1"));
    for (int i = 0; i < 1000; i++) {
        char id[32];
        snprintf(id, sizeof id, "room-%d", i);
        assert_gm_ok(gm_engine_twin_put(p.engine, (gm_twin){ GM_NONE }, gm_str_of(id), type, NULL, 0, (gm_ask){ 0 }, NULL, &err), err);
    }
    assert_gm_ok(gm_engine_settle(p.engine, &err), err);
    expect(&l, "created", "\"twin\":null,\"count\":1000");
    end(&l);
    api_plant_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_begins_with_a_snapshot_and_follows_changes),
        cmocka_unit_test(a_silent_stream_says_that_it_lives),
        cmocka_unit_test(a_query_is_followed_as_twins_come_and_go),
        cmocka_unit_test(a_slow_reader_gets_fewer_and_newer_changes),
        cmocka_unit_test(streams_have_limits),
        cmocka_unit_test(a_fleet_that_is_created_is_told_in_summary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
