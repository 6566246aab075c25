// Event routes: the language of filters, what events say, and that webhooks get each of them, in order, also across failures
// and restarts.
#include "api/events/filter.h"
#include "support/api_plant.h"
#include "support/webhook.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

// ---- filters --------------------------------------------------------------------------------------------------------

static const json_t *document_of(void *context, gm_event_part part)
{
    json_t **documents = context;
    return documents[part];
}

static json_t *read_json(const char *text)
{
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    return json;
}

static void filters_ask_what_they_say(void **state)
{
    (void)state;
    static const struct { const char *text; bool matches; } cases[] = {
        { "true", true },
        { "false", false },
        { "TRUE", true },
        { "type = 'Microsoft.DigitalTwins.Twin.Update'", true },
        { "type != 'Microsoft.DigitalTwins.Twin.Update'", false },
        { "type='microsoft.iot.telemetry' OR subject='pump 7'", true },
        { "type='microsoft.iot.telemetry' AND subject='pump 7'", false },
        { "source = 'plant' AND specversion = '1.0' AND datacontenttype = 'application/json'", true },
        { "id = '12-0'", true },
        { "dataschema = 'x'", false },
        { "dataschema != 'x'", false },
        { "dataschema = null", true },
        { "$body.modelId = 'dtmi:t:Pump;1'", true },
        { "STARTS_WITH($body.modelId, 'dtmi:t:')", true },
        { "starts_with($body.modelId, 'dtmi:x:')", false },
        { "ENDS_WITH($body.modelId, 'Pump;1')", true },
        { "CONTAINS(subject, 'p 7')", true },
        { "CONTAINS(subject, $body.count)", false },
        { "$body.count > 2", true },
        { "$body.count >= 3 AND $body.count <= 3.0", true },
        { "$body.count = 3", true },
        { "$body.count < -1e3", false },
        { "$body.ratio <= 5.5", true },
        { "$body.on = true", true },
        { "$body.on = false", false },
        { "$body.on", true },
        { "NOT $body.on", false },
        { "$body.none = 1", false },
        { "$body.none != 1", false },
        { "NOT $body.none = 1", true },
        { "$body.none = null", true },
        { "$body.prop != null", false },
        { "$body.count != null", true },
        { "$body.count = '3'", false },
        { "$body.count != '3'", true },
        { "$body.[[odd name]] = 'it''s'", true },
        { "$body.[[odd name]] = 'it\\'s'", true },
        { "$body.deep.er.value = 1", true },
        { "$body.patch = null", false },
        { "IS_DEFINED($body.prop)", true },
        { "IS_DEFINED($body.none)", false },
        { "(type != 'microsoft.iot.telemetry' OR datacontenttype = 'text/plain') AND (specversion = '1.0')", true },
        { "false AND false OR true", true },
        { "false AND (false OR true)", false },
        { "$new.temperature > 60 AND NOT $old.temperature > 60", true },
        { "$new.motor.speed > 0", false },
        { "$twin.$metadata.$model = 'dtmi:t:Pump;1'", true },
        { "3 < 4", true },
        { "'a' < 'b'", true },
    };
    json_t *documents[GM_EVENT_PART_COUNT] = {
        [GM_EVENT_PART_BODY] = read_json("{\"modelId\":\"dtmi:t:Pump;1\",\"count\":3,\"ratio\":5.25,\"on\":true,\"prop\":null,"
                                         "\"odd name\":\"it's\",\"deep\":{\"er\":{\"value\":1}},\"patch\":[]}"),
        [GM_EVENT_PART_NEW]  = read_json("{\"temperature\":61}"),
        [GM_EVENT_PART_OLD]  = read_json("{\"temperature\":60}"),
        [GM_EVENT_PART_TWIN] = read_json("{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"}}"),
    };
    gm_event_subject subject = {
        .attributes = { [GM_EVENT_PART_TYPE] = GM_STR("Microsoft.DigitalTwins.Twin.Update"), [GM_EVENT_PART_SOURCE] = GM_STR("plant"),
                        [GM_EVENT_PART_SUBJECT] = GM_STR("pump 7"), [GM_EVENT_PART_ID] = GM_STR("12-0"),
                        [GM_EVENT_PART_CONTENT_TYPE] = GM_STR("application/json"), [GM_EVENT_PART_VERSION] = GM_STR("1.0") },
        .document = document_of,
        .context  = documents,
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_route_filter *filter;
        gm_error         err = { 0 };
        gm_status        st  = gm_route_filter_parse(gm_alloc_system(), gm_str_of(cases[i].text), &filter, &err);
        if (st != GM_OK) fail_msg("%s: %s", cases[i].text, err.text);
        if (gm_route_filter_matches(filter, &subject) != cases[i].matches) fail_msg("%s is not %d", cases[i].text, cases[i].matches);
        // What is said to be impossible must not match.
        if (cases[i].matches) assert_true(gm_route_filter_types(filter) & 1u << GM_EVENT_TWIN_UPDATE);
        gm_route_filter_destroy(filter);
    }
    for (size_t i = 0; i < GM_EVENT_PART_COUNT; i++) json_decref(documents[i]);
}

static void wrong_filters_are_told_with_their_column(void **state)
{
    (void)state;
    static const struct { const char *text; const char *says; } cases[] = {
        { "", "column 1" },
        { "type", "expected =, !=" },
        { "type = ", "column 8" },
        { "type == 'x'", "column 7" },
        { "type = 'x", "a ' at the end" },
        { "typo = 'x'", "column 1: expected type" },
        { "$body = 1", "'.' and the name" },
        { "$body. = 1", "a name after '.'" },
        { "$body.[[x = 1", "]] after" },
        { "(true", "')'" },
        { "true)", "AND, OR or the end" },
        { "true true", "AND, OR or the end" },
        { "true AND", "column 9" },
        { "STARTS_WITH(subject)", "','" },
        { "STARTS_WITH subject, 'a'", "'('" },
        { "CONTAINS(subject, 'a'", "')'" },
        { "$body.x > 1..2 AND", "column" },
        { "3", "expected =" },
        { "$body.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q = 1", "more than 16" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_route_filter *filter;
        gm_error         err = { 0 };
        assert_int_not_equal(gm_route_filter_parse(gm_alloc_system(), gm_str_of(cases[i].text), &filter, &err), GM_OK);
        assert_null(filter);
        if (strstr(err.text, cases[i].says) == NULL) fail_msg("%s: '%s' does not say '%s'", cases[i].text, err.text, cases[i].says);
    }
    gm_buf deep = gm_buf_init(gm_alloc_system()), many = gm_buf_init(gm_alloc_system());
    for (int i = 0; i < 1000; i++) gm_buf_byte(&deep, '(');
    for (int i = 0; i < 600; i++) gm_buf_text(&many, "1=1 OR ");
    gm_buf_text(&many, "true");
    gm_route_filter *filter;
    assert_int_equal(gm_route_filter_parse(gm_alloc_system(), gm_buf_view(&deep), &filter, NULL), GM_LIMIT);
    assert_int_equal(gm_route_filter_parse(gm_alloc_system(), gm_buf_view(&many), &filter, NULL), GM_LIMIT);
    gm_buf_finish(&deep);
    gm_buf_finish(&many);
}

static void a_filter_knows_which_types_it_can_not_match(void **state)
{
    (void)state;
    const unsigned all = (1u << GM_EVENT_TYPE_COUNT) - 1, update = 1u << GM_EVENT_TWIN_UPDATE, telemetry = 1u << GM_EVENT_TELEMETRY;
    const struct { const char *text; unsigned types; } cases[] = {
        { "true", all },
        { "false", 0 },
        { "$body.x = 1", all },
        { "type = 'microsoft.iot.telemetry'", telemetry },
        { "NOT type = 'microsoft.iot.telemetry'", all & ~telemetry },
        { "type = 'microsoft.iot.telemetry' AND $body.x > 1", telemetry },
        { "type = 'microsoft.iot.telemetry' OR $body.x > 1", all },
        { "ENDS_WITH(type, 'Twin.Update') OR type = 'microsoft.iot.telemetry'", update | telemetry },
        { "type = 'nothing'", 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_route_filter *filter;
        assert_int_equal(gm_route_filter_parse(gm_alloc_system(), gm_str_of(cases[i].text), &filter, NULL), GM_OK);
        if (gm_route_filter_types(filter) != cases[i].types) fail_msg("%s", cases[i].text);
        gm_route_filter_destroy(filter);
    }
}

// ---- what events say ------------------------------------------------------------------------------------------------

static gm_endpoint_options endpoints[] = {
    { .name = { "people", 6 }, .kind = GM_ENDPOINT_SSE, .queue = 100 },
    { .name = { "hook", 4 }, .kind = GM_ENDPOINT_WEBHOOK, .retry_first = 20 * GM_MILLISECOND, .retry_for = 3600 * GM_SECOND,
      .timeout = 5 * GM_SECOND, .parallel = 4, .queue = 1000 },
    { .name = { "topic", 5 }, .kind = GM_ENDPOINT_MQTT, .topic = { "out/{endpoint}/{type}/{twin}", 28 } },
};
static char url[64];
static gm_buf published;

static gm_status publish(void *context, gm_str topic, gm_str payload, gm_error *err)
{
    (void)context, (void)err;
    gm_buf_str(&published, topic);
    gm_buf_byte(&published, ' ');
    gm_buf_str(&published, payload);
    gm_buf_byte(&published, '\n');
    return GM_OK;
}

static void with_endpoints(gm_api_options *options)
{
    endpoints[1].url        = gm_str_of(url);
    options->endpoints      = endpoints;
    options->endpoint_count = sizeof endpoints / sizeof endpoints[0];
    options->publish        = publish;
}

// Reads the next event of a stream and checks that it has these members; `data` is a JSON text, compared member by member.
static void expect_event(test_http_client *client, const char *type, const char *subject, const char *data)
{
    gm_buf name = gm_buf_init(gm_alloc_system()), text = gm_buf_init(gm_alloc_system());
    do assert_true(test_http_event(client, &name, &text));
    while (text.len == 0);  // a comment: all is well
    json_t     *event    = json_loadb((const char *)text.ptr, text.len, 0, NULL);
    const char *observed = json_string_value(json_object_get(event, "subject"));
    assert_non_null(event);
    assert_string_equal(json_string_value(json_object_get(event, "specversion")), "1.0");
    assert_string_equal(json_string_value(json_object_get(event, "datacontenttype")), "application/json");
    assert_string_equal(json_string_value(json_object_get(event, "type")), type);
    assert_string_equal(observed != NULL ? observed : "", subject);
    json_t     *wanted = read_json(data), *value;
    const char *key;
    json_object_foreach(wanted, key, value)
    {
        if (!json_equal(value, json_object_get(json_object_get(event, "data"), key))) {
            fail_msg("%s of %s: %.*s", key, type, (int)text.len, (const char *)text.ptr);
        }
    }
    json_decref(wanted);
    json_decref(event);
    gm_buf_finish(&name);
    gm_buf_finish(&text);
}

static void every_kind_of_change_is_told_as_the_reference_says(void **state)
{
    (void)state;
    static api_plant plant;
    published = gm_buf_init(gm_alloc_system());
    api_plant_start(&plant, with_endpoints);
    api_plant_fill(&plant);
    static const api_step routes[] = {
        { "PUT", "/eventroutes/all" V, NULL, "{\"endpointName\":\"people\",\"filter\":\"true\"}", 204, NULL },
        { "PUT", "/eventroutes/hot" V, NULL, "{\"endpointName\":\"topic\",\"filter\":\"$new.limit > 7 AND NOT $old.limit > 7\"}", 204, NULL },
    };
    API_TALK(&plant, routes);
    test_http_client people;
    test_http_open(&people, gm_api_port(plant.api), api_plant_turn, &plant);
    test_http_stream(&people, "/v1/events/people");
    static const api_step changes[] = {
        { "PUT", "/digitaltwins/p%209" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"},\"limit\":1,\"motor\":{\"$metadata\":{}}}", 200, NULL },
        { "PATCH", "/digitaltwins/p%209" V, NULL,
          "[{\"op\":\"replace\",\"path\":\"/limit\",\"value\":8},{\"op\":\"add\",\"path\":\"/name\",\"value\":\"P\"},"
          "{\"op\":\"add\",\"path\":\"/motor/speed\",\"value\":2.5},{\"op\":\"add\",\"path\":\"/tags\",\"value\":{\"a\":\"b\"}}]", 204, NULL },
        { "PATCH", "/digitaltwins/p%209" V, NULL, "[{\"op\":\"replace\",\"path\":\"/limit\",\"value\":9},{\"op\":\"remove\",\"path\":\"/name\"}]", 204, NULL },
        { "POST", "/digitaltwins/p%209/telemetry" V, "Message-Id: 1\r\nContent-Type: application/json\r\n", "{\"heat\":70.5}", 204, NULL },
        { "POST", "/digitaltwins/p%209/components/motor/telemetry" V, "Message-Id: 2\r\nContent-Type: application/json\r\n",
          "{\"temperature\":41}", 204, NULL },
        { "PUT", "/digitaltwins/p%209" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"},\"limit\":2,\"motor\":{\"$metadata\":{},\"speed\":2.5}}", 200, NULL },
        { "PUT", "/digitaltwins/p%209/relationships/f%201" V, NULL, "{\"$relationshipName\":\"feeds\",\"$targetId\":\"p1\",\"flow\":1}", 200, NULL },
        { "PATCH", "/digitaltwins/p%209/relationships/f%201" V, NULL, "[{\"op\":\"replace\",\"path\":\"/flow\",\"value\":2}]", 204, NULL },
        { "DELETE", "/digitaltwins/p%209/relationships/f%201" V, NULL, NULL, 204, NULL },
        { "DELETE", "/digitaltwins/p%209" V, NULL, NULL, 204, NULL },
    };
    API_TALK(&plant, changes);
    expect_event(&people, "Microsoft.DigitalTwins.Twin.Create", "p 9", "{\"$dtId\":\"p 9\",\"limit\":1}");
    expect_event(&people, "Microsoft.DigitalTwins.Twin.Update", "p 9",
                 "{\"modelId\":\"dtmi:t:Pump;1\",\"patch\":[{\"op\":\"replace\",\"path\":\"/limit\",\"value\":8},"
                 "{\"op\":\"add\",\"path\":\"/name\",\"value\":\"P\"},{\"op\":\"add\",\"path\":\"/motor/speed\",\"value\":2.5},"
                 "{\"op\":\"add\",\"path\":\"/tags\",\"value\":{\"a\":\"b\"}}]}");
    expect_event(&people, "Microsoft.DigitalTwins.Twin.Update", "p 9",
                 "{\"patch\":[{\"op\":\"replace\",\"path\":\"/limit\",\"value\":9},{\"op\":\"remove\",\"path\":\"/name\"}]}");
    expect_event(&people, "microsoft.iot.telemetry", "", "{\"heat\":70.5}");
    expect_event(&people, "microsoft.iot.telemetry", "motor", "{\"temperature\":41}");
    expect_event(&people, "Microsoft.DigitalTwins.Twin.Update", "p 9",
                 "{\"patch\":[{\"op\":\"replace\",\"path\":\"/limit\",\"value\":2},{\"op\":\"remove\",\"path\":\"/tags\"}]}");
    expect_event(&people, "Microsoft.DigitalTwins.Relationship.Create", "p 9/relationships/f 1",
                 "{\"$relationshipId\":\"f 1\",\"$sourceId\":\"p 9\",\"$targetId\":\"p1\",\"$relationshipName\":\"feeds\"}");
    expect_event(&people, "Microsoft.DigitalTwins.Relationship.Update", "p 9/relationships/f 1",
                 "{\"modelId\":\"dtmi:t:Pump;1\",\"patch\":[{\"op\":\"replace\",\"path\":\"/flow\",\"value\":2}]}");
    expect_event(&people, "Microsoft.DigitalTwins.Relationship.Delete", "p 9/relationships/f 1", "{\"$targetId\":\"p1\",\"flow\":2}");
    expect_event(&people, "Microsoft.DigitalTwins.Twin.Delete", "p 9", "{\"$dtId\":\"p 9\",\"limit\":2}");
    test_http_shut(&people);

    // The filter over the new value and the old one let through just the change that crossed the bound.
    gm_buf_byte(&published, '\0');
    assert_non_null(strstr((const char *)published.ptr, "out/topic/Microsoft.DigitalTwins.Twin.Update/p%209 {\"specversion\""));
    assert_null(strchr(strchr((const char *)published.ptr, '\n') + 1, '\n'));
    gm_buf_finish(&published);

    // Whoever comes back gets what came after the last event that it has; the reader of a restarted server too.
    for (int round = 0; round < 2; round++) {
        static const api_step ask = { "GET", "/v1/endpoints", NULL, NULL, 200, "\"name\":\"people\",\"kind\":\"sse\"" };
        api_plant_talk(&plant, &ask, 1);
        test_http_open(&people, gm_api_port(plant.api), api_plant_turn, &plant);
        test_http_send_request(&people, "GET", "/v1/events/people", "Last-Event-ID: 0-0\r\n", NULL);
        test_http_receive(&people, true);
        expect_event(&people, "Microsoft.DigitalTwins.Twin.Create", "p 9", "{}");
        test_http_shut(&people);
        if (round == 0) {
            published = gm_buf_init(gm_alloc_system());
            api_plant_restart(&plant);
        }
    }
    gm_buf_finish(&published);
    api_plant_stop(&plant);
}

// ---- routes ---------------------------------------------------------------------------------------------------------

static void routes_are_kept_listed_page_by_page_and_refused_when_wrong(void **state)
{
    (void)state;
    static api_plant plant;
    api_plant_start(&plant, with_endpoints);
    static const api_step steps[] = {
        { "GET", "/eventroutes" V, NULL, NULL, 200, "{\"value\":[]}" },
        { "GET", "/eventroutes/r" V, NULL, NULL, 404, "EventRouteNotFound" },
        { "DELETE", "/eventroutes/r" V, NULL, NULL, 404, "EventRouteNotFound" },
        { "PUT", "/eventroutes/r" V, NULL, "{\"endpointName\":\"nowhere\",\"filter\":\"true\"}", 400, "EventRouteEndpointInvalid" },
        { "PUT", "/eventroutes/r" V, NULL, "{\"endpointName\":\"people\",\"filter\":\"tru\"}", 400, "EventRouteFilterInvalid" },
        { "PUT", "/eventroutes/r" V, NULL, "{\"endpointName\":\"people\"}", 400, "ValidationFailed" },
        { "PUT", "/eventroutes/r" V, NULL, "{\"endpointName\":1,\"filter\":\"true\"}", 400, "ValidationFailed" },
        { "PUT", "/eventroutes/r" V, NULL, "[", 400, "x-ms-error-code" },
        { "PUT", "/eventroutes/r" V, NULL, "[]", 400, "ValidationFailed" },
        { "PUT", "/eventroutes/a%01b" V, NULL, "{\"endpointName\":\"people\",\"filter\":\"true\"}", 400, "EventRouteIdInvalid" },
        { "PUT", "/eventroutes/b" V, NULL, "{\"endpointName\":\"people\",\"filter\":\"false\"}", 204, NULL },
        { "PUT", "/eventroutes/a%2Fc" V, NULL, "{\"endpointName\":\"hook\",\"filter\":\"false\"}", 204, NULL },
        { "PUT", "/eventroutes/b" V, NULL, "{\"endpointName\":\"people\",\"filter\":\"type = 'x'\"}", 204, NULL },
        { "GET", "/eventroutes/b" V, NULL, NULL, 200, "{\"id\":\"b\",\"endpointName\":\"people\",\"filter\":\"type = 'x'\"}" },
        { "GET", "/eventroutes" V, "max-items-per-page: 1\r\n", NULL, 200, "\"id\":\"a/c\"" },
        { "GET", "/eventroutes" V, "max-items-per-page: 1\r\n", NULL, 200, "\"nextLink\":\"/eventroutes?api-version" },
        { "GET", "/eventroutes" V "&continuationToken=1-00000000", NULL, NULL, 400, "BadRequest" },
        { "DELETE", "/eventroutes/a%2Fc" V, NULL, NULL, 204, NULL },
        { "GET", "/v1/events/hook", NULL, NULL, 404, "EndpointNotFound" },
    };
    API_TALK(&plant, steps);
    api_plant_checkpoint(&plant);
    api_plant_restart(&plant);
    static const api_step after[] = {
        { "GET", "/eventroutes" V, NULL, NULL, 200, "{\"value\":[{\"id\":\"b\",\"endpointName\":\"people\",\"filter\":\"type = 'x'\"}]}" },
    };
    API_TALK(&plant, after);
    api_plant_stop(&plant);
}

// ---- webhooks -------------------------------------------------------------------------------------------------------

static void turn_until(api_plant *plant, test_webhook *hook, size_t requests)
{
    for (int i = 0; test_webhook_count(hook) < requests; i++) {
        static const api_step ask = { "GET", "/healthz", NULL, NULL, 200, NULL };  // keeps the loop turning
        api_plant_talk(plant, &ask, 1);
        if (i == 20000) fail_msg("%zu requests after all this time, not %zu", test_webhook_count(hook), requests);
        usleep(500);
    }
}

static void patch_limit(api_plant *plant, const char *twin, int value)
{
    char target[128], body[128];
    snprintf(target, sizeof target, "/digitaltwins/%s" V, twin);
    snprintf(body, sizeof body, "[{\"op\":\"add\",\"path\":\"/limit\",\"value\":%d}]", value);
    api_step step = { "PATCH", target, NULL, body, 204, NULL };
    api_plant_talk(plant, &step, 1);
}

static int limit_of(const char *request)
{
    const char *at = strstr(request, "\"value\":");
    return at != NULL ? atoi(at + 8) : -1;
}

static void a_webhook_gets_every_event_in_order_whatever_it_answers(void **state)
{
    (void)state;
    static api_plant plant;
    test_webhook    *hook = test_webhook_start();
    snprintf(url, sizeof url, "http://127.0.0.1:%u/in", test_webhook_port(hook));
    api_plant_start(&plant, with_endpoints);
    api_plant_fill(&plant);
    static const api_step route = { "PUT", "/eventroutes/w" V, NULL,
                                    "{\"endpointName\":\"hook\",\"filter\":\"type = 'Microsoft.DigitalTwins.Twin.Update'\"}", 204, NULL };
    api_plant_talk(&plant, &route, 1);

    // Every third request fails in some way: refused for now, or the connection is closed without an answer.
    test_webhook_misbehave(hook, 3);
    enum { EACH = 40 };
    for (int i = 0; i < EACH; i++) {
        patch_limit(&plant, "p1", i);
        patch_limit(&plant, "p2", i);
    }
    size_t accepted = 0;
    for (int i = 0; accepted < 2 * EACH && i < 20000; i++) {
        turn_until(&plant, hook, accepted);
        accepted = test_webhook_accepted(hook);
        usleep(1000);
    }
    assert_int_equal(accepted, 2 * EACH);
    int next[2] = { 0, 0 };
    for (size_t i = 0; i < test_webhook_count(hook); i++) {
        const char *request = test_webhook_request(hook, i);
        if (!test_webhook_was_accepted(hook, i)) continue;
        int which = strstr(request, "\"subject\":\"p2\"") != NULL;
        assert_int_equal(limit_of(request), next[which]++);  // in order, none left out
        assert_non_null(strstr(request, "application/cloudevents+json"));
    }

    // Refused for good: a dead letter, and the next one goes on.
    test_webhook_misbehave(hook, 0);
    test_webhook_answer(hook, 400);
    size_t before = test_webhook_count(hook);
    patch_limit(&plant, "p1", 1000);
    turn_until(&plant, hook, before + 1);
    test_webhook_answer(hook, 204);
    patch_limit(&plant, "p1", 1001);
    turn_until(&plant, hook, before + 2);
    assert_int_equal(limit_of(test_webhook_request(hook, before + 1)), 1001);
    char path[300], line[4096] = "";
    snprintf(path, sizeof path, "%s/events/hook.dead.ndjson", plant.dir);
    FILE *dead = fopen(path, "r");
    assert_non_null(dead);
    assert_non_null(fgets(line, sizeof line, dead));
    assert_non_null(strstr(line, "\"reason\":\"answered 400\""));
    assert_non_null(strstr(line, "\"value\":1000"));
    assert_null(fgets(line, sizeof line, dead));
    fclose(dead);

    // What could not be delivered before a restart is delivered after it; what was delivered is not sent again.
    test_webhook_answer(hook, 503);
    before = test_webhook_count(hook);
    patch_limit(&plant, "p1", 2000);
    patch_limit(&plant, "p1", 2001);
    turn_until(&plant, hook, before + 1);
    api_plant_checkpoint(&plant);  // which holds them: the log before it is not read again
    patch_limit(&plant, "p1", 2002);
    api_plant_restart(&plant);
    before = test_webhook_count(hook);
    test_webhook_answer(hook, 204);
    turn_until(&plant, hook, before + 3);
    size_t count = test_webhook_count(hook);
    for (int i = 0; i < 3; i++) assert_int_equal(limit_of(test_webhook_request(hook, count - 3 + (size_t)i)), 2000 + i);
    api_plant_stop(&plant);
    test_webhook_stop(hook);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_ask_what_they_say),
        cmocka_unit_test(wrong_filters_are_told_with_their_column),
        cmocka_unit_test(a_filter_knows_which_types_it_can_not_match),
        cmocka_unit_test(every_kind_of_change_is_told_as_the_reference_says),
        cmocka_unit_test(routes_are_kept_listed_page_by_page_and_refused_when_wrong),
        cmocka_unit_test(a_webhook_gets_every_event_in_order_whatever_it_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
