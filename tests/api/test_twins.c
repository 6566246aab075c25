#include "support/api_plant.h"

#include <stdio.h>

static void a_twin_is_created_read_replaced_and_deleted(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    static const api_step steps[] = {
        { "GET", "/digitaltwins/p1" V, NULL, NULL, 200, "\"$dtId\":\"p1\"" },
        { "GET", "/digitaltwins/p1" V, NULL, NULL, 200, "ETag: W/\"" },
        { "GET", "/digitaltwins/p1" V, NULL, NULL, 200, "\"motor\":{\"speed\":10" },
        { "GET", "/digitaltwins/p1" V, NULL, NULL, 200, "lastUpdateTime" },
        { "GET", "/digitaltwins/room%201%2F%C3%A4" V, NULL, NULL, 200, "Cellar" },
        { "GET", "/digitaltwins/nobody" V, NULL, NULL, 404, "x-ms-error-code: DigitalTwinNotFound" },
        { "PUT", "/digitaltwins/p1" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"},\"motor\":{\"$metadata\":{}}}", 200, "!limit" },
        { "GET", "/digitaltwins/p1" V, NULL, NULL, 200, "!limit" },
        { "PUT", "/digitaltwins/n" V, "If-None-Match: *\r\n", "{\"$metadata\":{\"$model\":\"dtmi:t:Room;1\"}}", 200, "\"n\"" },
        { "PUT", "/digitaltwins/n" V, "If-None-Match: *\r\n", "{\"$metadata\":{\"$model\":\"dtmi:t:Room;1\"}}", 412, "PreconditionFailed" },
        { "DELETE", "/digitaltwins/n" V, "If-Match: W/\"123456\"\r\n", NULL, 412, "PreconditionFailed" },
        { "DELETE", "/digitaltwins/n" V, "If-Match: foo\r\n", NULL, 400, "Invalid If-Match header value" },
        { "DELETE", "/digitaltwins/n" V, "If-Match: *\r\n", NULL, 204, NULL },
        { "DELETE", "/digitaltwins/n" V, NULL, NULL, 404, "DigitalTwinNotFound" },
        { "DELETE", "/digitaltwins/p1" V, NULL, NULL, 400, "RelationshipsNotDeleted" },
        { "DELETE", "/digitaltwins/p2" V, NULL, NULL, 400, "RelationshipsNotDeleted" },  // it only has an incoming one
    };
    API_TALK(&p, steps);
    api_plant_stop(&p);
}

static void a_twin_that_breaks_its_model_is_refused_with_a_reason(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
#define PUMP(text) "{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"},\"motor\":{\"$metadata\":{}}" text "}"
    static const api_step steps[] = {
        { "PUT", "/digitaltwins/x" V, NULL, "{}", 400, "ValidationFailed" },
        { "PUT", "/digitaltwins/x" V, NULL, "[]", 400, "ValidationFailed" },
        { "PUT", "/digitaltwins/x" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:None;1\"}}", 400, "ValidationFailed" },
        { "PUT", "/digitaltwins/x" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"}}", 400, "motor" },  // component missing
        { "PUT", "/digitaltwins/x" V, NULL, PUMP(",\"colour\":1"), 400, "colour" },
        { "PUT", "/digitaltwins/x" V, NULL, PUMP(",\"limit\":2147483648"), 400, "limit" },   // beyond 32 bits
        { "PUT", "/digitaltwins/x" V, NULL, PUMP(",\"limit\":1.5"), 400, "limit" },
        { "PUT", "/digitaltwins/x" V, NULL, PUMP(",\"limit\":\"5\""), 400, "limit" },
        { "PUT", "/digitaltwins/x" V, NULL, PUMP(",\"since\":\"2023-02-29\""), 400, "since" },
        { "PUT", "/digitaltwins/x" V, NULL, PUMP(",\"mode\":\"fast\""), 400, "mode" },
        { "PUT", "/digitaltwins/x" V, NULL, PUMP(",\"limit\":1,\"limit\":2"), 400, "InvalidArgument" },  // which of them?
        { "PUT", "/digitaltwins/x" V, NULL, "{\"$metadata\"", 400, "not valid JSON" },
        { "PUT", "/digitaltwins/x" V, NULL, "", 400, "no body" },
        { "PUT", "/digitaltwins/%01" V, NULL, PUMP(""), 400, "InvalidArgument" },
        { "PUT", "/digitaltwins/x" V, "Content-Type: text/plain\r\n", PUMP(""), 415, "UnsupportedMediaType" },
        { "PUT", "/digitaltwins/x" V, "Origin: http://elsewhere.example\r\n", PUMP(""), 403, "CrossOriginRefused" },
        { "GET", "/digitaltwins/x" V, NULL, NULL, 404, NULL },  // nothing of all this came to be
        { "PATCH", "/models/dtmi:t:Room;1" V, NULL, "[{\"op\":\"replace\",\"path\":\"/decommissioned\",\"value\":true}]", 204, NULL },
        { "PUT", "/digitaltwins/x" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Room;1\"}}", 400, "ModelDecommissioned" },
    };
    API_TALK(&p, steps);
    api_plant_stop(&p);
}

static void properties_are_patched_one_by_one(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
#define STEP(op, path, value) "[{\"op\":\"" op "\",\"path\":\"" path "\",\"value\":" value "}]"
#define REMOVE(path) "[{\"op\":\"remove\",\"path\":\"" path "\"}]"
#define P1 "/digitaltwins/p1" V
    static const api_step steps[] = {
        { "PATCH", P1, NULL, STEP("add", "/limit", "7"), 204, "ETag: W/\"" },
        { "GET", P1, NULL, NULL, 200, "\"limit\":7" },
        { "PATCH", P1, NULL, STEP("replace", "/limit", "8"), 204, NULL },
        { "GET", P1, NULL, NULL, 200, "\"limit\":8" },
        { "PATCH", P1, NULL, REMOVE("/limit"), 204, NULL },
        { "GET", P1, NULL, NULL, 200, "!\"limit\":" },
        { "PATCH", P1, NULL, REMOVE("/limit"), 400, "JsonPatchInvalid" },                        // it has gone already
        { "PATCH", P1, NULL, STEP("replace", "/limit", "8"), 400, "JsonPatchInvalid" },
        { "PATCH", P1, NULL, STEP("add", "/limit", "\"8\""), 400, "ValidationFailed" },
        { "PATCH", P1, NULL, STEP("add", "/limit", "2147483648"), 400, "ValidationFailed" },
        { "PATCH", P1, NULL, STEP("add", "/colour", "1"), 400, "JsonPatchInvalid" },
        { "PATCH", P1, NULL, STEP("add", "/heat", "1"), 400, "telemetry" },
        { "PATCH", P1, NULL, STEP("move", "/limit", "1"), 400, "Unsupported operation type move" },
        { "PATCH", P1, NULL, "[{}]", 400, "Parameter op must not be empty" },
        { "PATCH", P1, NULL, "{}", 400, "JsonPatchInvalid" },
        { "PATCH", P1, NULL, "[{\"op\":\"add\",\"path\":\"/limit\"}]", 400, "value" },
        { "PATCH", P1, NULL, STEP("add", "limit", "1"), 400, "JsonPatchInvalid" },
        { "PATCH", P1, NULL, STEP("add", "/~2", "1"), 400, "JsonPatchInvalid" },
        { "PATCH", P1, NULL, STEP("add", "", "{}"), 400, "JsonPatchInvalid" },
        // a whole patch, or nothing of it
        { "PATCH", P1, NULL, "[{\"op\":\"add\",\"path\":\"/limit\",\"value\":1},{\"op\":\"add\",\"path\":\"/on\",\"value\":1}]", 400, "on" },
        { "GET", P1, NULL, NULL, 200, "!\"limit\":" },
        // components
        { "PATCH", P1, NULL, STEP("replace", "/motor/speed", "11"), 204, NULL },
        { "GET", "/digitaltwins/p1/components/motor" V, NULL, NULL, 200, "\"speed\":11" },
        { "PATCH", "/digitaltwins/p1/components/motor" V, NULL, STEP("replace", "/speed", "12"), 204, "ETag: W/\"" },
        { "GET", P1, NULL, NULL, 200, "\"speed\":12" },
        { "PATCH", "/digitaltwins/p1/components/none" V, NULL, STEP("replace", "/speed", "12"), 404, "ComponentNotFound" },
        { "GET", "/digitaltwins/p1/components/none" V, NULL, NULL, 404, "ComponentNotFound" },
        { "PATCH", P1, NULL, REMOVE("/motor"), 400, "motor" },
        { "PATCH", P1, NULL, STEP("replace", "/motor", "{\"$metadata\":{},\"speed\":13}"), 204, NULL },
        { "GET", P1, NULL, NULL, 200, "\"speed\":13" },
        // objects, field by field and as a whole
        { "PATCH", P1, NULL, STEP("add", "/address", "{\"street\":\"Elm\",\"number\":3}"), 204, NULL },
        { "PATCH", P1, NULL, STEP("replace", "/address/street", "\"Oak\""), 204, NULL },
        { "GET", P1, NULL, NULL, 200, "\"address\":{\"street\":\"Oak\",\"number\":3}" },
        { "PATCH", P1, NULL, STEP("replace", "/address", "{\"number\":4}"), 204, NULL },
        { "GET", P1, NULL, NULL, 200, "\"address\":{\"number\":4}" },
        { "PATCH", P1, NULL, REMOVE("/address"), 204, NULL },
        { "GET", P1, NULL, NULL, 200, "!address" },
        // maps
        { "PATCH", P1, NULL, STEP("add", "/tags/a", "\"1\""), 400, "JsonPatchInvalid" },  // there is no map yet
        { "PATCH", P1, NULL, STEP("add", "/tags", "{\"a\":\"1\"}"), 204, NULL },
        { "PATCH", P1, NULL, STEP("add", "/tags/b", "\"2\""), 204, NULL },
        { "GET", P1, NULL, NULL, 200, "\"tags\":{\"a\":\"1\",\"b\":\"2\"}" },
        { "PATCH", P1, NULL, REMOVE("/tags/a"), 204, NULL },
        { "GET", P1, NULL, NULL, 200, "\"tags\":{\"b\":\"2\"}" },
        { "PATCH", P1, NULL, REMOVE("/tags/a"), 400, "JsonPatchInvalid" },
        { "PATCH", P1, NULL, STEP("add", "/tags/c", "3"), 400, "ValidationFailed" },
        // source times
        { "PATCH", P1, NULL, STEP("add", "/$metadata/name/sourceTime", "\"2020-01-02T03:04:05Z\""), 204, NULL },
        { "GET", P1, NULL, NULL, 200, "\"sourceTime\":\"2020-01-02T03:04:05Z\"" },
        { "PATCH", P1, NULL, STEP("add", "/$metadata/name/sourceTime", "\"yesterday\""), 400, "JsonPatchInvalid" },
        { "PATCH", P1, NULL, STEP("add", "/$metadata/nothing/sourceTime", "\"2020-01-02T03:04:05Z\""), 400, "JsonPatchInvalid" },
        // conditions
        { "PATCH", P1, "If-Match: W/\"1\"\r\n", STEP("add", "/limit", "1"), 412, "PreconditionFailed" },
        { "PATCH", P1, "If-Match: *\r\n", STEP("add", "/limit", "1"), 204, NULL },
        { "PATCH", "/digitaltwins/nobody" V, NULL, STEP("add", "/limit", "1"), 404, "DigitalTwinNotFound" },
    };
    API_TALK(&p, steps);
    api_plant_stop(&p);
}

static void a_twin_changes_its_model_by_patch(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    static const api_step steps[] = {
        { "POST", "/models" V, NULL,
          "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Pump;2\",\"@type\":\"Interface\",\"contents\":["
          "{\"@type\":\"Property\",\"name\":\"name\",\"schema\":\"string\"},{\"@type\":\"Property\",\"name\":\"size\",\"schema\":\"integer\"}]}]", 201, NULL },
        { "POST", "/digitaltwins/p1/telemetry" V, "Message-Id: 1\r\n", "{\"heat\":60.5}", 204, NULL },
        // limit and motor are not part of the new model: they have to go in the same patch
        { "PATCH", P1, NULL, STEP("replace", "/$metadata/$model", "\"dtmi:t:Pump;2\""), 400, "ValidationFailed" },
        { "PATCH", P1, NULL, STEP("replace", "/$metadata/$model", "\"dtmi:t:None;2\""), 400, "ValidationFailed" },
        { "PATCH", P1, NULL,
          "[{\"op\":\"replace\",\"path\":\"/$metadata/$model\",\"value\":\"dtmi:t:Pump;2\"},{\"op\":\"remove\",\"path\":\"/limit\"},"
          "{\"op\":\"remove\",\"path\":\"/motor\"},{\"op\":\"add\",\"path\":\"/size\",\"value\":3}]", 204, "ETag" },
        { "GET", P1, NULL, NULL, 200, "\"$model\":\"dtmi:t:Pump;2\"" },
        { "GET", P1, NULL, NULL, 200, "\"size\":3" },
        { "GET", P1, NULL, NULL, 200, "Main pump" },
    };
    API_TALK(&p, steps);
    api_plant_stop(&p);
}

static void telemetry_is_taken_with_its_source_time(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
#define T1 "/digitaltwins/p1/telemetry" V
    static const api_step steps[] = {
        { "POST", T1, "Message-Id: 1\r\nTelemetry-Source-Time: 2026-01-01T00:00:00.250Z\r\n", "{\"heat\":60.5}", 204, NULL },
        { "GET", P1, NULL, NULL, 200, "\"heat\":60.5" },
        { "GET", P1, NULL, NULL, 200, "\"sourceTime\":\"2026-01-01T00:00:00.250Z\"" },
        { "POST", "/digitaltwins/p1/components/motor/telemetry" V, "Message-Id: 2\r\n", "{\"temperature\":40}", 204, NULL },
        { "GET", "/digitaltwins/p1/components/motor" V, NULL, NULL, 200, "\"temperature\":40" },
        { "POST", "/digitaltwins/p1/components/none/telemetry" V, "Message-Id: 2\r\n", "{\"temperature\":40}", 404, "ComponentNotFound" },
        { "POST", "/digitaltwins/nobody/telemetry" V, "Message-Id: 2\r\n", "{}", 404, "DigitalTwinNotFound" },
        { "POST", T1, NULL, "{\"heat\":1}", 400, "Message-Id" },
        { "POST", T1, "Message-Id: 3\r\n", "{\"heat\":\"hot\"}", 400, "ValidationFailed" },
        { "POST", T1, "Message-Id: 3\r\n", "{\"cold\":1}", 400, "ValidationFailed" },
        { "POST", T1, "Message-Id: 3\r\n", "{\"limit\":1}", 400, "no telemetry" },
        { "POST", T1, "Message-Id: 3\r\n", "[1]", 400, "ValidationFailed" },
        { "POST", T1, "Message-Id: 3\r\n", "\"hot\"", 400, "ValidationFailed" },
        { "POST", T1, "Message-Id: 3\r\n", "\"{\\\"heat\\\":61}\"", 204, NULL },  // the object as a text
        { "GET", P1, NULL, NULL, 200, "\"heat\":61" },
        { "POST", T1, "Message-Id: {\"heat\":62}\r\n", "\"m1\"", 204, NULL },         // a client that exchanges the two
        { "GET", P1, NULL, NULL, 200, "\"heat\":62" },
        { "POST", T1, "Message-Id: 3\r\n", "{}", 204, NULL },
        { "POST", T1, "Message-Id: 3\r\nTelemetry-Source-Time: soon\r\n", "{\"heat\":1}", 400, "Telemetry-Source-Time" },
        { "POST", T1, "Message-Id: 3\r\nTelemetry-Source-Time: 1965-01-01T00:00:00Z\r\n", "{\"heat\":1}", 400, "Telemetry-Source-Time" },
        { "POST", "/query" V, NULL, "{\"query\":\"SELECT * FROM DIGITALTWINS T WHERE T.heat > 60\"}", 200, "\"p1\"" },
    };
    API_TALK(&p, steps);
    api_plant_stop(&p);
}

static void what_was_answered_survives_a_restart(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    char before[256], uploaded[4096];
    test_http_ask(&p.client, "GET", P1, NULL, NULL);
    snprintf(before, sizeof before, "%s", test_http_header(&p.client, "ETag"));
    snprintf(uploaded, sizeof uploaded, "%s", (char *)test_http_ask(&p.client, "GET", "/models/dtmi:t:Pump;1" V, NULL, NULL)->body.ptr);
    api_plant_restart(&p);
    test_http_ask(&p.client, "GET", P1, NULL, NULL);
    assert_string_equal(test_http_header(&p.client, "ETag"), before);
    assert_string_equal((char *)test_http_ask(&p.client, "GET", "/models/dtmi:t:Pump;1" V, NULL, NULL)->body.ptr, uploaded);
    api_plant_stop(&p);
}

// Many clients patch the same twin with the ETag they have read: exactly one of each round may win.
static void of_two_patches_with_one_etag_only_one_wins(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    test_http_client clients[4];
    for (size_t i = 0; i < 4; i++) test_http_open(&clients[i], gm_api_port(p.api), api_plant_turn, &p);
    for (int round = 0; round < 5; round++) {
        char condition[200];
        test_http_ask(&p.client, "GET", P1, NULL, NULL);
        snprintf(condition, sizeof condition, "If-Match: %s\r\n", test_http_header(&p.client, "ETag"));
        for (size_t i = 0; i < 4; i++) test_http_send_request(&clients[i], "PATCH", P1, condition, STEP("add", "/limit", "1"));
        int won = 0, lost = 0;
        for (size_t i = 0; i < 4; i++) {
            unsigned status = test_http_receive(&clients[i], false)->status;
            won += status == 204;
            lost += status == 412;
        }
        assert_int_equal(won, 1);
        assert_int_equal(lost, 3);
    }
    for (size_t i = 0; i < 4; i++) test_http_shut(&clients[i]);
    api_plant_stop(&p);
}

// A device that sets properties of the same twin without pause must not keep a person from changing it.
typedef struct constant_writer { api_plant *plant; gm_twin twin; uint32_t column; int count; } constant_writer;

static void write_and_turn(void *context)
{
    constant_writer *w    = context;
    gm_error         err  = { 0 };
    gm_cell_write    cell = { .column = (uint16_t)w->column, .at = ++w->count, .value = { .kind = GM_KIND_INT, .i = w->count } };
    assert_gm_ok(gm_engine_write(w->plant->engine, w->twin, GM_WRITE_PROPERTIES, &cell, 1, (gm_ask){ 0 }, &err), err);
    api_plant_turn(w->plant);
}

static void a_twin_that_is_written_without_pause_can_still_be_changed(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    constant_writer w = { .plant = &p, .twin = gm_state_find(gm_engine_state(p.engine), GM_STR("p1")) };
    w.column          = gm_type_column_index(gm_state_type(gm_engine_state(p.engine), w.twin), GM_STR("limit"));
    p.client.turn     = write_and_turn;
    p.client.context  = &w;
    static const api_step steps[] = {
        { "PATCH", P1, NULL, STEP("add", "/name", "\"changed\""), 204, NULL },
        { "PATCH", P1, NULL, STEP("replace", "/name", "\"again\""), 204, NULL },
        { "PATCH", P1, "If-Match: W/\"1\"\r\n", STEP("add", "/name", "\"not this\""), 412, NULL },
        { "PUT", "/digitaltwins/p1/relationships/n1" V, NULL, "{\"$relationshipName\":\"near\",\"$targetId\":\"p2\"}", 200, NULL },
        { "DELETE", "/digitaltwins/p1/relationships/n1" V, NULL, NULL, 204, NULL },
        { "GET", P1, NULL, NULL, 200, "again" },
        { "PUT", P1, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"},\"motor\":{\"$metadata\":{}}}", 200, NULL },
        { "PATCH", P1, NULL, "[]", 204, "ETag" },
    };
    API_TALK(&p, steps);
    assert_true(w.count > 10);
    api_plant_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_twin_is_created_read_replaced_and_deleted),
        cmocka_unit_test(a_twin_that_breaks_its_model_is_refused_with_a_reason),
        cmocka_unit_test(properties_are_patched_one_by_one),
        cmocka_unit_test(a_twin_changes_its_model_by_patch),
        cmocka_unit_test(telemetry_is_taken_with_its_source_time),
        cmocka_unit_test(what_was_answered_survives_a_restart),
        cmocka_unit_test(of_two_patches_with_one_etag_only_one_wins),
        cmocka_unit_test(a_twin_that_is_written_without_pause_can_still_be_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
