#include "api/openapi.h"
#include "api/router.h"
#include "support/api_plant.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define HISTORY(rest) "/v1/history?twin=p1&property=heat" rest

static void report(api_plant *p, const char *time, const char *body)
{
    char headers[128];
    snprintf(headers, sizeof headers, "Message-Id: 1\r\nTelemetry-Source-Time: %s\r\n", time);
    assert_int_equal(test_http_ask(&p->client, "POST", "/digitaltwins/p1/telemetry" V, headers, body)->status, 204);
}

static void history_is_answered_in_order_with_units_and_pages(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    static const api_step before[] = {
        { "GET", HISTORY(""), NULL, NULL, 200, "{\"twin\":\"p1\",\"property\":\"heat\",\"unit\":\"degreeCelsius\",\"points\":[]}" },
    };
    API_TALK(&p, before);
    report(&p, "2026-01-01T00:00:01Z", "{\"heat\":2.5}");
    static const api_step one[] = {
        { "GET", HISTORY(""), NULL, NULL, 200, "\"points\":[[\"2026-01-01T00:00:01Z\",2.5]]" },
    };
    API_TALK(&p, one);
    report(&p, "2026-01-01T00:00:03Z", "{\"heat\":-4}");
    report(&p, "2026-01-01T00:00:02Z", "{\"heat\":3}");  // late
    report(&p, "2026-01-01T00:00:03Z", "{\"heat\":-4}"); // sent again
    static const api_step steps[] = {
        { "GET", HISTORY(""), NULL, NULL, 200,
          "\"points\":[[\"2026-01-01T00:00:01Z\",2.5],[\"2026-01-01T00:00:02Z\",3],[\"2026-01-01T00:00:03Z\",-4]]}" },
        { "GET", "/digitaltwins/p1" V, NULL, NULL, 200, "\"heat\":-4" },
        { "GET", HISTORY("&from=2026-01-01T00:00:02Z&to=2026-01-01T00:00:03Z"), NULL, NULL, 200, "\"points\":[[\"2026-01-01T00:00:02Z\",3]]" },
        { "GET", HISTORY("&from=2026-01-01T00:00:02%2B00:00"), NULL, NULL, 200, "00:00:03Z" },
        { "GET", HISTORY("&points=2"), NULL, NULL, 200, "[[\"2026-01-01T00:00:02Z\",3],[\"2026-01-01T00:00:03Z\",-4]]" },
        { "GET", HISTORY("&points=3"), NULL, NULL, 200, "2.5" },
        { "GET", HISTORY("&points=1"), NULL, NULL, 400, "points" },
        { "GET", HISTORY("&points=many"), NULL, NULL, 400, "points" },
        { "GET", HISTORY("&from=yesterday"), NULL, NULL, 400, "from" },
        { "GET", "/v1/history?twin=p1&property=motor/speed", NULL, NULL, 200, ",10]]" },
        { "GET", "/v1/history?twin=p1&property=name", NULL, NULL, 200, "\"unit\":null,\"points\":[[\"20" },
        { "GET", "/v1/history?twin=p1&property=address", NULL, NULL, 404, "address/" },
        { "GET", "/v1/history?twin=p1&property=nothing", NULL, NULL, 404, "has no property or telemetry 'nothing'" },
        { "GET", "/v1/history?twin=nobody&property=heat", NULL, NULL, 404, "DigitalTwinNotFound" },
        { "GET", "/v1/history?twin=p1", NULL, NULL, 400, "MissingArgument" },
    };
    API_TALK(&p, steps);
    api_plant_stop(&p);
}

static void history_is_deleted_for_good(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    report(&p, "2026-01-01T00:00:01Z", "{\"heat\":2.5}");
    report(&p, "2026-01-01T00:00:03Z", "{\"heat\":-4}");
    static const api_step steps[] = {
        { "DELETE", "/v1/history", NULL, NULL, 400, "MissingArgument" },
        { "DELETE", "/v1/history?twin=nobody", NULL, NULL, 404, "DigitalTwinNotFound" },
        { "DELETE", "/v1/history?twin=p1&property=nothing", NULL, NULL, 404, "has no property or telemetry 'nothing'" },
        { "GET", HISTORY(""), NULL, NULL, 200, "2.5" },
        { "DELETE", "/v1/history?twin=p1&property=heat", NULL, NULL, 204, NULL },
        { "GET", HISTORY(""), NULL, NULL, 200, "\"points\":[[\"2026-01-01T00:00:03Z\",-4]]" },  // what is now stays
        { "GET", "/digitaltwins/p1" V, NULL, NULL, 200, "\"heat\":-4" },
        { "GET", "/v1/history?twin=p1&property=motor/speed", NULL, NULL, 200, ",10]]" },
    };
    API_TALK(&p, steps);
    report(&p, "2026-01-01T00:00:04Z", "{\"heat\":5}");
    static const api_step gone[] = {
        { "GET", HISTORY(""), NULL, NULL, 200, "\"points\":[[\"2026-01-01T00:00:03Z\",-4],[\"2026-01-01T00:00:04Z\",5]]" },
        { "PUT", "/digitaltwins/once" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Room;1\"}}", 200, NULL },
        { "DELETE", "/digitaltwins/once" V, NULL, NULL, 204, NULL },
        { "DELETE", "/v1/history?twin=once", NULL, NULL, 204, NULL },
        { "DELETE", "/v1/history?twin=once", NULL, NULL, 404, NULL },  // nobody knows of it any more
    };
    API_TALK(&p, gone);
    api_plant_restart(&p);
    static const api_step after[] = {
        { "GET", HISTORY(""), NULL, NULL, 200, "\"points\":[[\"2026-01-01T00:00:03Z\",-4],[\"2026-01-01T00:00:04Z\",5]]" },
        { "DELETE", "/v1/history?twin=once", NULL, NULL, 404, NULL },
    };
    API_TALK(&p, after);
    api_plant_stop(&p);
}

static void the_past_is_answered_by_source_time(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    report(&p, "2026-01-01T00:00:01Z", "{\"heat\":2.5}");
    report(&p, "2026-01-01T00:00:03Z", "{\"heat\":-4}");
    report(&p, "2026-01-01T00:00:02Z", "{\"heat\":3}");  // late, and yet in its place
    static const api_step steps[] = {
        { "GET", "/digitaltwins/p1" V "&asOf=2026-01-01T00:00:02Z", NULL, NULL, 200, "\"heat\":3" },
        { "GET", "/digitaltwins/p1" V "&asOf=2026-01-01T00:00:02.5Z", NULL, NULL, 200, "\"heat\":3" },
        { "GET", "/digitaltwins/p1" V "&asOf=2100-01-01T00:00:00Z", NULL, NULL, 200, "\"heat\":-4" },
        { "GET", "/digitaltwins/p1" V "&asOf=2026-01-01T00:00:00Z", NULL, NULL, 404, "DigitalTwinNotFound" },
        { "GET", "/digitaltwins/p1" V "&asOf=then", NULL, NULL, 400, "asOf" },
        { "POST", "/query" V, NULL, "{\"query\":\"SELECT T.heat FROM DIGITALTWINS T WHERE T.$dtId = 'p1' AS OF '2026-01-01T00:00:01Z'\"}", 200,
          "{\"value\":[{\"heat\":2.5}]}" },
        { "POST", "/query" V, NULL, "{\"query\":\"SELECT COUNT() FROM DIGITALTWINS AS OF '2025-01-01T00:00:00Z'\"}", 200, "[{\"COUNT\":0}]" },
        { "GET", "/digitaltwins/p1/relationships" V "&asOf=2100-01-01T00:00:00Z", NULL, NULL, 200, "{\"value\":[" },
    };
    API_TALK(&p, steps);
    api_plant_stop(&p);
}

// Writes n samples, one a second, straight into the engine.
static void write_samples(api_plant *p, int n)
{
    gm_error err    = { 0 };
    gm_twin  twin   = gm_state_find(gm_engine_state(p->engine), GM_STR("p1"));
    uint32_t column = gm_type_column_index(gm_state_type(gm_engine_state(p->engine), twin), GM_STR("heat"));
    for (int i = 0; i < n; i++) {
        gm_cell_write cell = { .column = (uint16_t)column, .at = (i + 1) * GM_SECOND, .value = { .kind = GM_KIND_DOUBLE, .d = i } };
        if (i == 7777) cell.value.d = 1e6;  // a peak of one sample
        assert_gm_ok(gm_engine_write(p->engine, twin, 0, &cell, 1, (gm_ask){ 0 }, &err), err);
    }
    assert_gm_ok(gm_engine_settle(p->engine, &err), err);
}

static void long_histories_come_in_pages_or_thinned_with_their_peaks(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    enum { N = 25000 };
    write_samples(&p, N);
    char link[512] = HISTORY("");
    int  pages = 0, points = 0;
    while (link[0] != '\0') {
        test_http_reply *reply = test_http_ask(&p.client, "GET", link, NULL, NULL);
        assert_int_equal(reply->status, 200);
        json_t *body = json_loads((char *)reply->body.ptr, 0, NULL);
        json_t *list = json_object_get(body, "points");
        for (size_t i = 0; i < json_array_size(list); i++, points++) {
            gm_time_ns at;
            assert_int_equal(gm_time_parse(gm_str_of(json_string_value(json_array_get(json_array_get(list, i), 0))), &at, NULL), GM_OK);
            assert_int_equal(at, (points + 1) * GM_SECOND);
        }
        const char *next = json_string_value(json_object_get(body, "nextLink"));
        snprintf(link, sizeof link, "%s", next != NULL ? next : "");
        json_decref(body);
        pages++;
    }
    assert_int_equal(points, N);
    assert_int_equal(pages, 3);
    test_http_reply *thin = test_http_ask(&p.client, "GET", HISTORY("&points=500"), NULL, NULL);
    json_t          *body = json_loads((char *)thin->body.ptr, 0, NULL);
    size_t           n    = json_array_size(json_object_get(body, "points"));
    assert_in_range(n, 400, 500);
    assert_non_null(strstr((char *)thin->body.ptr, "1e6") != NULL ? thin : strstr((char *)thin->body.ptr, "1000000") != NULL ? thin : NULL);
    assert_null(json_object_get(body, "nextLink"));
    json_decref(body);
    api_plant_stop(&p);
}

static void people_see_every_column_with_unit_and_age(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    report(&p, "2026-01-01T00:00:01Z", "{\"heat\":2.5}");
    static const api_step steps[] = {
        { "GET", "/v1/twins/p1", NULL, NULL, 200, "{\"id\":\"p1\",\"name\":\"Main pump\",\"model\":\"dtmi:t:Pump;1\",\"modelName\":\"Pump\",\"etag\":\"W/" },
        { "GET", "/v1/twins/p1", NULL, NULL, 200, "\"unit\":\"degreeCelsius\",\"symbol\":\"\xc2\xb0""C\",\"telemetry\":true" },
        { "GET", "/v1/twins/p1", NULL, NULL, 200, "\"value\":2.5,\"sourceTime\":\"2026-01-01T00:00:01Z\",\"ingestTime\":\"20" },
        { "GET", "/v1/twins/p1", NULL, NULL, 200, "\"path\":\"motor/temperature\"" },
        { "GET", "/v1/twins/p1", NULL, NULL, 200, "\"component\":\"motor\",\"value\":null}" },
        { "GET", "/v1/twins/p1", NULL, NULL, 200, "\"choices\":[{\"name\":\"auto\"" },
        { "GET", "/v1/twins/p1", NULL, NULL, 200, "\"out\":[{\"id\":\"f1\",\"name\":\"feeds\",\"target\":\"p2\"" },
        { "GET", "/v1/twins/p1", NULL, NULL, 200, "\"in\":[{\"id\":\"r1\",\"name\":\"has\",\"source\":\"room 1/\xc3\xa4\"" },
        { "GET", "/v1/twins/p1", NULL, NULL, 200, "\"commands\":[{\"name\":\"start\"" },
        { "GET", "/v1/twins/nobody", NULL, NULL, 404, "DigitalTwinNotFound" },
        { "GET", "/v1/tree", NULL, NULL, 200, "{\"items\":[{\"id\":\"room 1/\xc3\xa4\",\"name\":\"Cellar\"" },
        { "GET", "/v1/tree", NULL, NULL, 200, "!\"p1\"" },
        { "GET", "/v1/tree?parent=room+1%2F%C3%A4", NULL, NULL, 200, "\"children\":1,\"relationship\":\"has\"}],\"total\":1}" },
        { "GET", "/v1/tree?parent=room+1%2F%C3%A4&offset=1", NULL, NULL, 200, "{\"items\":[],\"total\":1}" },
        { "GET", "/v1/tree?offset=1", NULL, NULL, 400, "'parent'" },
        { "GET", "/v1/tree?parent=p2", NULL, NULL, 200, "{\"items\":[],\"total\":0}" },
        { "GET", "/v1/tree?parent=nobody", NULL, NULL, 404, "DigitalTwinNotFound" },
        { "GET", "/v1/tree?search=MAIN", NULL, NULL, 200, "\"id\":\"p1\"" },
        { "GET", "/v1/tree?search=p2", NULL, NULL, 200, "\"path\":[\"room 1/\xc3\xa4\",\"p1\"]" },
        { "GET", "/v1/tree?search=nothing", NULL, NULL, 200, "{\"items\":[]}" },
        { "GET", "/v1/tree?search=p&limit=1", NULL, NULL, 200, "\"nextLink\":\"/v1/tree?search=p&limit=1&continuationToken=" },
        { "GET", "/v1/tree?limit=0", NULL, NULL, 400, "limit" },
        { "GET", "/v1/tree?limit=1", NULL, NULL, 200, "!nextLink" },
        { "GET", "/v1/plant", NULL, NULL, 200, "{\"name\":\"test plant\",\"version\":\"0\"" },
        { "GET", "/v1/plant", NULL, NULL, 200, "\"twins\":3,\"relationships\":2,\"models\":3" },
        { "GET", "/v1/dead-letters", NULL, NULL, 200, "{\"total\":0,\"kept\":0,\"items\":[]}" },
        { "GET", "/metrics", NULL, NULL, 200, "gemel_twins 3\n" },
        { "GET", "/metrics", NULL, NULL, 200, "gemel_commit_seconds_bucket{le=\"+Inf\"} " },
        { "GET", "/metrics", NULL, NULL, 200, "\ngemel_changes_waiting 0\n" },
        { "GET", "/metrics", NULL, NULL, 200, "gemel_memory_bytes{part=\"state\"} " },
        { "GET", "/metrics", NULL, NULL, 200, "\ngemel_history_compression_ratio " },
        { "GET", "/metrics", NULL, NULL, 200, "test_extra 1\n" },
        { "GET", "/metrics", NULL, NULL, 200, "Content-Type: text/plain; version=0.0.4" },
    };
    API_TALK(&p, steps);
    gm_error err = { 0 };
    assert_gm_ok(gm_dead_letters_add(p.letters, GM_STR("gemel/nobody/telemetry"), GM_STR("{\"a\":\xff}"), GM_STR("no such twin"), (gm_ask){ 0 }, &err), err);
    assert_gm_ok(gm_engine_settle(p.engine, &err), err);
    static const api_step letters[] = {
        { "GET", "/v1/dead-letters", NULL, NULL, 200, "\"topic\":\"gemel/nobody/telemetry\",\"reason\":\"no such twin\"" },
        { "GET", "/v1/dead-letters", NULL, NULL, 200, "{\"total\":1" },
    };
    API_TALK(&p, letters);
    api_plant_stop(&p);
}

static void the_console_is_served_with_types_tags_and_a_policy(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    static const api_step steps[] = {
        { "GET", "/", NULL, NULL, 200, "Content-Type: text/html; charset=utf-8" },
        { "GET", "/", NULL, NULL, 200, "Content-Security-Policy: default-src 'self'" },
        { "GET", "/", NULL, NULL, 200, "Cache-Control: no-cache" },
        { "GET", "/index.html", NULL, NULL, 200, "<title>console" },
        { "GET", "/twins/pump7", NULL, NULL, 200, "<title>console" },  // an address of the console's own
        { "GET", "/assets/app-1.js", NULL, NULL, 200, "Content-Type: text/javascript" },
        { "GET", "/assets/app-1.js", NULL, NULL, 200, "immutable" },
        { "GET", "/assets/app-1.js", "Accept-Encoding: br, gzip;q=0.8\r\n", NULL, 200, "Content-Encoding: gzip" },
        { "GET", "/assets/app-1.js", "Accept-Encoding: gzip;q=0\r\n", NULL, 200, "!Content-Encoding" },
        { "GET", "/assets/app-1.js", "If-None-Match: \"s1\"\r\n", NULL, 304, NULL },
        { "GET", "/assets/app-2.js", NULL, NULL, 404, NULL },
        { "GET", "/../../etc/passwd", NULL, NULL, 200, "<title>console" },
        { "HEAD", "/", NULL, NULL, 200, "Content-Length: 37" },
        { "POST", "/", NULL, "{}", 404, NULL },
        { "GET", "/v1/openapi.json", NULL, NULL, 200, "\"openapi\": \"3.1.0\"" },
    };
    API_TALK(&p, steps);
    api_plant_stop(&p);
}

// The document and the table of routes say the same, in both directions.
static void the_openapi_document_describes_every_route_and_no_other(void **state)
{
    (void)state;
    json_t *doc   = json_loadb(gm_openapi().ptr, gm_openapi().len, 0, NULL);
    json_t *paths = json_object_get(doc, "paths");
    assert_non_null(paths);
    size_t described = 0;
    for (size_t i = 0; i < gm_route_count; i++) {
        const gm_route *route   = &gm_routes[i];
        const char     *pattern = strcmp(route->pattern, "/*") == 0 ? "/" : route->pattern;
        char            method[16];
        snprintf(method, sizeof method, "%s", gm_method_name(route->method));
        for (char *c = method; *c != '\0'; c++) *c = (char)(*c | 0x20);
        json_t *operation = json_object_get(json_object_get(paths, pattern), method);
        if (operation == NULL) fail_msg("%s %s is not described", method, pattern);
        if (strcmp(json_string_value(json_object_get(operation, "summary")), route->summary) != 0) fail_msg("%s %s: summaries differ", method, pattern);
        assert_int_equal(route->body != GM_BODY_NONE, json_object_get(operation, "requestBody") != NULL);
        char *parameters = json_dumps(json_object_get(operation, "parameters"), JSON_ENCODE_ANY);
        if ((route->family == GM_FAMILY_ADT) != (parameters != NULL && strstr(parameters, "apiVersion") != NULL)) fail_msg("%s %s: api-version", method, pattern);
        free(parameters);
    }
    const char *path;
    json_t     *item;
    json_object_foreach(paths, path, item) described += json_object_size(item);
    assert_int_equal(described, gm_route_count);
    json_decref(doc);
}

// One table decides who may do what. A route that forgets to say what it is about must not get through.
static void every_route_declares_its_right_and_its_reach(void **state)
{
    (void)state;
    for (size_t i = 0; i < gm_route_count; i++) {
        const gm_route *r = &gm_routes[i];
        if (r->reach == GM_REACH_UNDECLARED) fail_msg("%s %s declares no reach", gm_method_name(r->method), r->pattern);
        bool open = strcmp(r->pattern, "/v1/openapi.json") == 0 || strcmp(r->pattern, "/healthz") == 0 ||
                    strcmp(r->pattern, "/ping") == 0 || strcmp(r->pattern, "/health") == 0 || strcmp(r->pattern, "/*") == 0 ||
                    strcmp(r->pattern, "/mqtt") == 0;  // its CONNECT says who it is
        if ((r->right == GM_RIGHT_NONE) != open) fail_msg("%s %s: open to everyone?", gm_method_name(r->method), r->pattern);
        bool asks = r->method == GM_METHOD_GET || strcmp(r->pattern, "/query") == 0 || strcmp(r->pattern, "/v1/thread/explain") == 0;
        if (!asks && r->right < GM_RIGHT_OPERATE) fail_msg("%s %s changes something for readers", gm_method_name(r->method), r->pattern);
        if (r->reach == GM_REACH_TWIN && strchr(r->pattern, '{') == NULL) fail_msg("%s names no twin", r->pattern);
    }
}

static void forecasts_follow_the_season_and_say_what_is_missing(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    report(&p, "2026-01-01T00:00:00Z", "{\"heat\":1}");
    static const api_step before[] = {
        { "GET", "/v1/rul", NULL, NULL, 200, "{\"items\":[]}" },
        { "GET", "/v1/anomalies?limit=5", NULL, NULL, 200, "{\"items\":[]}" },
        { "GET", "/v1/anomalies?limit=0", NULL, NULL, 400, "limit" },
        { "GET", "/v1/forecasts?twin=p1", NULL, NULL, 400, "'property'" },
        { "GET", "/v1/forecasts?twin=p9&property=heat", NULL, NULL, 404, "p9" },
        { "GET", "/v1/forecasts?twin=p1&property=name", NULL, NULL, 404, "no numeric property" },
        { "GET", "/v1/forecasts?twin=p1&property=heat", NULL, NULL, 400, "1 samples" },
        { "GET", "/v1/forecasts?twin=p1&property=heat&step=yesterday", NULL, NULL, 400, "5m" },
    };
    API_TALK(&p, before);
    // Every third value is high: the season is found and repeated.
    for (int i = 0; i < 60; i++) {
        char at[40], body[40];
        snprintf(at, sizeof at, "2026-01-01T01:%02d:00Z", i);
        snprintf(body, sizeof body, "{\"heat\":%d}", i % 3 == 0 ? 20 : 10 + i % 3);
        report(&p, at, body);
    }
    static const api_step after[] = {
        { "GET", "/v1/forecasts?twin=p1&property=heat&horizon=3&step=1m", NULL, NULL, 200, "\"season\":3" },
        { "GET", "/v1/forecasts?twin=p1&property=heat&horizon=3", NULL, NULL, 200, "[\"2026-01-01T02:00:00Z\",20," },
        { "GET", "/v1/forecasts?twin=p1&property=heat&horizon=100", NULL, NULL, 400, "horizon" },
    };
    API_TALK(&p, after);
    api_plant_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_declares_its_right_and_its_reach),
        cmocka_unit_test(history_is_answered_in_order_with_units_and_pages),
        cmocka_unit_test(history_is_deleted_for_good),
        cmocka_unit_test(the_past_is_answered_by_source_time),
        cmocka_unit_test(long_histories_come_in_pages_or_thinned_with_their_peaks),
        cmocka_unit_test(forecasts_follow_the_season_and_say_what_is_missing),
        cmocka_unit_test(people_see_every_column_with_unit_and_age),
        cmocka_unit_test(the_console_is_served_with_types_tags_and_a_policy),
        cmocka_unit_test(the_openapi_document_describes_every_route_and_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
