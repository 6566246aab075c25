// What somebody sends who means no good or knows no better, to each route that takes it: an answer that says what is
// wrong, nothing changed, and the server goes on. And a server that ends in the middle of long work.
#include "support/api_plant.h"

#include <stdio.h>

#define PUMP(text) "{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"},\"motor\":{\"$metadata\":{}}" text "}"
#define DTDL(id, rest) "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"" id "\",\"@type\":\"Interface\"" rest "}"

static char *text_of(gm_buf *buf)
{
    gm_buf_byte(buf, '\0');
    return (char *)buf->ptr;
}

static void times(gm_buf *buf, const char *what, int n)
{
    for (int i = 0; i < n; i++) gm_buf_text(buf, what);
}

static void ask(api_plant *p, const char *method, const char *target, const char *headers, gm_buf *body, unsigned status, const char *expect)
{
    const api_step step[] = { { method, target, headers, text_of(body), status, expect } };
    API_TALK(p, step);
    gm_buf_finish(body);
}

// 32 KB is what a body may have that makes or changes a twin or a relationship, as the reference's limits say.
static void twins_are_as_large_as_the_reference_lets_them(void **state)
{
    (void)state;
    static api_plant p;
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    static const struct { const char *method, *target, *before, *after; unsigned good; } places[] = {
        { "PUT", "/digitaltwins/large" V, "{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"},\"motor\":{\"$metadata\":{}},\"name\":\"", "\"}", 200 },
        { "PATCH", "/digitaltwins/p1" V, "[{\"op\":\"add\",\"path\":\"/name\",\"value\":\"", "\"}]", 204 },
        { "PATCH", "/digitaltwins/p1/components/motor" V, "[{\"op\":\"add\",\"path\":\"/speed\",\"value\":1},{\"op\":\"", "\"}]", 400 },
        { "PUT", "/digitaltwins/p1/relationships/large" V, "{\"$relationshipName\":\"feeds\",\"$targetId\":\"", "\"}", 404 },
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        for (int size = 32768; size <= 33792; size += 1024) {
            gm_buf body = gm_buf_init(gm_alloc_system());
            gm_buf_text(&body, places[i].before);
            times(&body, "x", size - (int)strlen(places[i].before) - (int)strlen(places[i].after));
            gm_buf_text(&body, places[i].after);
            bool fits = size == 32768;
            ask(&p, places[i].method, places[i].target, NULL, &body, fits ? places[i].good : 413, fits ? NULL : "PayloadTooLarge");
        }
    }
    api_plant_stop(&p);
}

static void models_in_circles_and_depths_are_refused(void **state)
{
    (void)state;
    static api_plant p;
    api_plant_start(&p, NULL);
    static const api_step steps[] = {
        { "POST", "/models" V, NULL, "[" DTDL("dtmi:t:A;1", ",\"extends\":\"dtmi:t:A;1\"") "]", 400, "DTDLParserError" },
        { "POST", "/models" V, NULL, "[" DTDL("dtmi:t:A;1", ",\"extends\":\"dtmi:t:B;1\"") "," DTDL("dtmi:t:B;1", ",\"extends\":\"dtmi:t:A;1\"") "]", 400, "extends itself" },
        { "POST", "/models" V, NULL, "[" DTDL("dtmi:t:A;1", ",\"contents\":[{\"@type\":\"Component\",\"name\":\"c\",\"schema\":\"dtmi:t:A;1\"}]") "]", 400, "DTDLParserError" },
        { "POST", "/models" V, NULL, "[" DTDL("dtmi:t:A;1", "") "," DTDL("dtmi:t:A;1", "") "]", 400, "defined already" },
        { "POST", "/models" V, NULL, "[7]", 400, NULL },
        { "POST", "/models" V, NULL, "{}", 400, NULL },
        { "GET", "/models" V, NULL, NULL, 200, "{\"value\":[]" },
    };
    API_TALK(&p, steps);
    gm_buf deep = gm_buf_init(gm_alloc_system());
    times(&deep, "[", 20000);
    ask(&p, "POST", "/models" V, NULL, &deep, 400, NULL);
    deep = gm_buf_init(gm_alloc_system());
    times(&deep, "{\"a\":", 20000);
    ask(&p, "PUT", "/digitaltwins/x" V, NULL, &deep, 413, NULL);
    deep = gm_buf_init(gm_alloc_system());
    times(&deep, "{\"a\":", 5000);
    ask(&p, "PUT", "/digitaltwins/x" V, NULL, &deep, 400, "not valid JSON");
    api_plant_stop(&p);
}

static void patches_that_lead_nowhere_change_nothing(void **state)
{
    (void)state;
    static api_plant p;
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    static const char *const paths[] = { "", "/", "//", "limit", "/limit/", "/limit/0", "/limit/x", "/~", "/~2", "/limit~", "/motor", "/motor/",
        "/motor/none", "/motor/speed/deep", "/motor/$metadata", "/motor/$metadata/$model", "/none/speed", "/$dtId", "/$etag", "/$metadata",
        "/$metadata/$model/x", "/$metadata/$lastUpdateTime", "/$metadata/limit", "/$metadata/limit/lastUpdateTime", "/feeds", "/heat", "/address/none",
        "/address/street/deep", "/tags/a/b", "/since/0", "/\\u0000", "/-", "/0", "/limit/-" };
    test_http_reply *reply = test_http_ask(&p.client, "GET", "/digitaltwins/p1" V, NULL, NULL);
    gm_buf before = gm_buf_init(gm_alloc_system());
    gm_buf_str(&before, gm_buf_view(&reply->body));
    static const char *const ops[] = { "\"add\"", "\"replace\"", "\"remove\"", "\"test\"", "\"\"", "7", "null" };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        for (size_t o = 0; o < sizeof ops / sizeof ops[0]; o++) {
            char body[256];
            snprintf(body, sizeof body, "[{\"op\":\"add\",\"path\":\"/limit\",\"value\":99},{\"op\":%s,\"path\":\"%s\",\"value\":[1]}]", ops[o], paths[i]);
            reply = test_http_ask(&p.client, "PATCH", "/digitaltwins/p1" V, NULL, body);
            if (reply->status != 400) fail_msg("%s: %u", body, reply->status);
        }
    }
    reply = test_http_ask(&p.client, "GET", "/digitaltwins/p1" V, NULL, NULL);
    assert_true(gm_str_eq(gm_buf_view(&before), gm_buf_view(&reply->body)));
    gm_buf_finish(&before);
    static const api_step values[] = {
        { "PATCH", "/digitaltwins/p1" V, NULL, "[{\"op\":\"add\",\"path\":\"/limit\",\"value\":-2147483649}]", 400, "ValidationFailed" },
        { "PATCH", "/digitaltwins/p1" V, NULL, "[{\"op\":\"add\",\"path\":\"/limit\",\"value\":1e400}]", 400, NULL },
        { "PATCH", "/digitaltwins/p1" V, NULL, "[{\"op\":\"add\",\"path\":\"/since\",\"value\":\"2023-13-01\"}]", 400, "ValidationFailed" },
        { "PATCH", "/digitaltwins/p1" V, NULL, "[{\"op\":\"add\",\"path\":\"/mode\",\"value\":\"never\"}]", 400, "ValidationFailed" },
        { "PATCH", "/digitaltwins/p1/components/motor" V, NULL, "[{\"op\":\"add\",\"path\":\"/none\",\"value\":1}]", 400, "JsonPatchInvalid" },
    };
    API_TALK(&p, values);
    api_plant_stop(&p);
}

// Changes one digit of the token after "continuationToken=" or in the answer's "continuationToken", each in turn.
static void tokens_that_were_changed_are_refused_everywhere(void **state)
{
    (void)state;
    static api_plant p;
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    static const char *const lists[] = { "/models" V, "/digitaltwins/p1/relationships" V, "/digitaltwins/r1/incomingrelationships" V, "/digitaltwins/p2/incomingrelationships" V };
    int pages = 0;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        test_http_reply *reply = test_http_ask(&p.client, "GET", lists[i], "max-items-per-page: 1\r\n", NULL);
        gm_str text = gm_buf_view(&reply->body);
        size_t at   = gm_str_find(text, GM_STR("continuationToken="));
        if (at == SIZE_MAX) continue;
        pages++;
        char link[1024], token[256];
        gm_str rest = gm_str_slice(text, at + 18, text.len);
        size_t end  = 0;
        while (end < rest.len && rest.ptr[end] != '"' && rest.ptr[end] != '&') end++;
        snprintf(token, sizeof token, "%.*s", (int)end, rest.ptr);
        for (size_t k = 0; token[k] != '\0'; k++) {
            char was = token[k];
            token[k] = was == '0' ? '1' : '0';
            snprintf(link, sizeof link, "%s&continuationToken=%s", lists[i], token);
            reply = test_http_ask(&p.client, "GET", link, NULL, NULL);
            if (reply->status != 400) fail_msg("%s: %u", link, reply->status);
            token[k] = was;
        }
        // A true one, but of another list.
        snprintf(link, sizeof link, "%s&continuationToken=%s", lists[(i + 1) % 4], token);
        assert_int_equal(test_http_ask(&p.client, "GET", link, NULL, NULL)->status, 400);
    }
    assert_true(pages > 0);
    static const char ask_all[] = "{\"query\":\"SELECT * FROM DIGITALTWINS\"%s%s%s}";
    char body[1024], token[600];
    snprintf(body, sizeof body, ask_all, "", "", "");
    test_http_reply *reply = test_http_ask(&p.client, "POST", "/query" V, "max-items-per-page: 1\r\n", body);
    gm_str text = gm_buf_view(&reply->body);
    size_t at   = gm_str_find(text, GM_STR("\"continuationToken\":\""));
    assert_true(at != SIZE_MAX);
    snprintf(token, sizeof token, "%.*s", (int)(text.len - at - 21), text.ptr + at + 21);
    token[strcspn(token, "\"")] = '\0';
    for (size_t k = 0; token[k] != '\0'; k++) {
        char was = token[k];
        token[k] = was == 'a' ? 'b' : 'a';
        snprintf(body, sizeof body, ask_all, ",\"continuationToken\":\"", token, "\"");
        assert_int_equal(test_http_ask(&p.client, "POST", "/query" V, NULL, body)->status, 400);
        token[k] = was;
    }
    snprintf(body, sizeof body, ask_all, ",\"continuationToken\":\"", "null", "\"");
    assert_int_equal(test_http_ask(&p.client, "POST", "/query" V, NULL, body)->status, 400);
    api_plant_stop(&p);
}

static void draw_twins(gm_buf *out, int n)
{
    gm_buf_text(out, "{\"Section\":\"Twins\"}\n");
    for (int i = 0; i < n; i++) gm_buf_printf(out, "{\"$dtId\":\"t%d\",\"$metadata\":{\"$model\":\"dtmi:t:Room;1\"}}\n", i);
}

// The server stops while an import, a migration and a long question are under way: nothing is left (the address
// sanitizer looks), and what has come in is there at the next start.
static void the_end_may_come_in_the_middle(void **state)
{
    (void)state;
    static api_plant p;
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    static const api_step models[] = { { "POST", "/models" V, NULL, "[" DTDL("dtmi:t:Room;2", "") "]", 201, NULL } };
    API_TALK(&p, models);
    gm_buf first = gm_buf_init(gm_alloc_system()), more = gm_buf_init(gm_alloc_system());
    draw_twins(&first, 3000);
    ask(&p, "POST", "/v1/import", "Content-Type: application/x-ndjson\r\n", &first, 200, "\"twins\":3000");
    draw_twins(&more, 20000);
    static const struct { const char *target, *type, *body; } work[] = {
        { "/v1/import", "Content-Type: application/x-ndjson\r\n", NULL },
        { "/v1/migrate", NULL, "{\"from\":\"dtmi:t:Room;1\",\"to\":\"dtmi:t:Room;2\",\"skipFailing\":true}" },
        { "/query" V, NULL, "{\"query\":\"SELECT COUNT() FROM DIGITALTWINS A WHERE CONTAINS(A.$dtId, 'x') OR ENDSWITH(A.$dtId, '7')\"}" },
    };
    const char *lines = text_of(&more);
    for (int turns = 0; turns < 5; turns += 2) {
        for (size_t i = 0; i < sizeof work / sizeof work[0]; i++) {
            test_http_client busy = p.client;
            test_http_open(&p.client, gm_api_port(p.api), api_plant_turn, &p);
            test_http_send_request(&p.client, "POST", work[i].target, work[i].type, work[i].body != NULL ? work[i].body : lines);
            for (int t = 0; t < turns; t++) api_plant_turn(&p);
            test_http_shut(&p.client);
            p.client = busy;
            if (i % 2 == 0) api_plant_turn(&p);
        }
        test_http_send_request(&p.client, "POST", work[turns / 2].target, work[turns / 2].type, work[turns / 2].body != NULL ? work[turns / 2].body : lines);
        for (int t = 0; t < turns + 2; t++) api_plant_turn(&p);
        api_plant_restart(&p);
        static const api_step there[] = { { "GET", "/digitaltwins/t2999" V, NULL, NULL, 200, NULL } };
        API_TALK(&p, there);
    }
    gm_buf_finish(&more);
    api_plant_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twins_are_as_large_as_the_reference_lets_them),
        cmocka_unit_test(models_in_circles_and_depths_are_refused),
        cmocka_unit_test(patches_that_lead_nowhere_change_nothing),
        cmocka_unit_test(tokens_that_were_changed_are_refused_everywhere),
        cmocka_unit_test(the_end_may_come_in_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
