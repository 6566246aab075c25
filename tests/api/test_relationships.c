#include "support/api_plant.h"

#include <stdio.h>
#include <stdlib.h>

#define R(id) "/digitaltwins/p1/relationships/" id V
#define FEEDS(rest) "{\"$relationshipName\":\"feeds\",\"$targetId\":\"p2\"" rest "}"
#define PATCH(op, path, value) "[{\"op\":\"" op "\",\"path\":\"" path "\",\"value\":" value "}]"

static void relationships_are_created_read_patched_and_deleted(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    static const api_step steps[] = {
        { "GET", R("f1"), NULL, NULL, 200, "\"$sourceId\":\"p1\"" },
        { "GET", R("f1"), NULL, NULL, 200, "ETag: W/" },
        { "GET", R("none"), NULL, NULL, 404, "RelationshipNotFound" },
        { "GET", "/digitaltwins/nobody/relationships/f1" V, NULL, NULL, 404, "DigitalTwinNotFound" },
        { "PUT", R("f1"), "If-None-Match: *\r\n", FEEDS(""), 412, "PreconditionFailed" },
        { "PUT", R("f1"), "If-Match: W/\"1\"\r\n", FEEDS(""), 412, "PreconditionFailed" },
        { "PUT", R("f1"), NULL, FEEDS(",\"flow\":2.5"), 200, "\"flow\":2.5" },
        { "PUT", R("a%2Fb%20%C3%A4"), NULL, FEEDS(""), 200, "\"$relationshipId\":\"a/b \xc3\xa4\"" },
        { "DELETE", R("a%2Fb%20%C3%A4"), NULL, NULL, 204, NULL },
        { "PUT", R("x"), NULL, "{\"$relationshipName\":\"feeds\",\"$targetId\":\"foo\"}", 404, "TargetDigitalTwinNotFound" },
        { "PUT", R("x"), NULL, "{\"$relationshipName\":\"feeds\"}", 400, "ValidationFailed" },
        { "PUT", R("x"), NULL, "{\"$targetId\":\"p2\"}", 400, "ValidationFailed" },
        { "PUT", R("x"), NULL, "{\"$relationshipName\":\"owns\",\"$targetId\":\"p2\"}", 400, "ValidationFailed" },
        { "PUT", R("x"), NULL, FEEDS(",\"flow\":\"much\""), 400, "ValidationFailed" },
        { "PUT", R("x"), NULL, FEEDS(",\"depth\":1"), 400, "ValidationFailed" },
        { "PUT", R("x"), NULL, "{\"$relationshipName\":\"feeds\",\"$targetId\":\"p1\"}", 400, "OperationNotAllowed" },
        { "PUT", R("x"), NULL, "{\"$relationshipName\":\"near\",\"$targetId\":\"room 1/\xc3\xa4\"}", 400, "does not align with the model" },
        { "PUT", R("x"), NULL, "{\"$relationshipName\":\"near\",\"$targetId\":\"p2\"}", 200, NULL },
        { "PUT", R("x"), NULL, "[]", 400, "ValidationFailed" },
        { "PATCH", R("f1"), NULL, PATCH("replace", "/flow", "3.5"), 204, "ETag: W/" },
        { "GET", R("f1"), NULL, NULL, 200, "\"flow\":3.5" },
        { "PATCH", R("f1"), NULL, PATCH("add", "/flow", "\"much\""), 400, "ValidationFailed" },
        { "PATCH", R("f1"), NULL, PATCH("add", "/depth", "1"), 400, "ValidationFailed" },
        { "PATCH", R("f1"), NULL, PATCH("replace", "/$targetId", "\"p1\""), 400, "JsonPatchInvalid" },
        { "PATCH", R("f1"), NULL, PATCH("move", "/flow", "1"), 400, "JsonPatchInvalid" },
        { "PATCH", R("f1"), NULL, "[{\"op\":\"remove\",\"path\":\"/depth\"}]", 400, "was not found" },
        { "PATCH", R("f1"), "If-Match: W/\"1\"\r\n", "[{\"op\":\"remove\",\"path\":\"/flow\"}]", 412, NULL },
        { "PATCH", R("f1"), NULL, "[{\"op\":\"remove\",\"path\":\"/flow\"}]", 204, NULL },
        { "GET", R("f1"), NULL, NULL, 200, "!flow" },
        { "GET", "/digitaltwins/p1/relationships" V, NULL, NULL, 200, "\"f1\"" },
        { "GET", "/digitaltwins/p1/relationships" V, NULL, NULL, 200, "!nextLink" },
        { "GET", "/digitaltwins/p1/relationships" V "&relationshipName=near", NULL, NULL, 200, "!f1" },
        { "GET", "/digitaltwins/p1/relationships" V "&relationshipName=never", NULL, NULL, 200, "{\"value\":[]}" },
        { "GET", "/digitaltwins/p2/incomingrelationships" V, NULL, NULL, 200, "\"$relationshipLink\":\"/digitaltwins/p1/relationships/f1\"" },
        { "GET", "/digitaltwins/p2/relationships" V, NULL, NULL, 200, "{\"value\":[]}" },
        { "GET", "/digitaltwins/nobody/incomingrelationships" V, NULL, NULL, 404, "DigitalTwinNotFound" },
        { "DELETE", R("f1"), "If-Match: W/\"1\"\r\n", NULL, 412, NULL },
        { "DELETE", R("f1"), NULL, NULL, 204, NULL },
        { "DELETE", R("f1"), NULL, NULL, 404, "RelationshipNotFound" },
        { "DELETE", R("x"), NULL, NULL, 204, NULL },
        { "DELETE", "/digitaltwins/p2" V, NULL, NULL, 204, NULL },
    };
    API_TALK(&p, steps);
    api_plant_stop(&p);
}

static void pages_give_every_relationship_once(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    assert_int_equal(test_http_ask(&p.client, "DELETE", R("f1"), NULL, NULL)->status, 204);
    for (int i = 0; i < 25; i++) {
        char target[128];
        snprintf(target, sizeof target, R("n%d"), i);
        assert_int_equal(test_http_ask(&p.client, "PUT", target, NULL, FEEDS(""))->status, 200);
    }
    static const char *const lists[] = { "/digitaltwins/p1/relationships" V "&relationshipName=feeds", "/digitaltwins/p2/incomingrelationships" V };
    for (size_t l = 0; l < 2; l++) {
        char link[512];
        int  pages = 0, seen[25] = { 0 };
        snprintf(link, sizeof link, "%s", lists[l]);
        while (link[0] != '\0') {
            test_http_reply *reply = test_http_ask(&p.client, "GET", link, "max-items-per-page: 7\r\n", NULL);
            assert_int_equal(reply->status, 200);
            pages++;
            for (char *at = (char *)reply->body.ptr; (at = strstr(at, "Id\":\"n")) != NULL; at++) seen[atoi(at + 6)]++;
            char *next = strstr((char *)reply->body.ptr, "\"nextLink\":\"");
            link[0]    = '\0';
            if (next != NULL) sscanf(next, "\"nextLink\":\"%500[^\"]", link);
        }
        assert_int_equal(pages, 4);
        for (int i = 0; i < 25; i++) assert_int_equal(seen[i], 1);
    }
    static const api_step foreign[] = {
        { "GET", "/digitaltwins/p2/relationships" V "&continuationToken=700000007-00000000", NULL, NULL, 400, "continuation token" },
    };
    API_TALK(&p, foreign);
    api_plant_stop(&p);
}

// Relationships of one hub do not wait for one another; the hub's deletion waits for all of them.
static void many_relationships_of_one_twin_share_a_commit(void **state)
{
    (void)state;
    enum { N = 40 };
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    test_http_client clients[N];
    uint64_t         before = gm_engine_statistics(p.engine).batches;
    for (int i = 0; i < N; i++) {
        char target[128];
        snprintf(target, sizeof target, R("n%d"), i);
        test_http_open(&clients[i], gm_api_port(p.api), api_plant_turn, &p);
        test_http_send_request(&clients[i], "PUT", target, NULL, FEEDS(""));
    }
    for (int i = 0; i < N; i++) assert_int_equal(test_http_receive(&clients[i], false)->status, 200);
    assert_in_range(gm_engine_statistics(p.engine).batches - before, 1, N / 2);
    for (int i = 0; i < N; i++) test_http_shut(&clients[i]);
    api_plant_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relationships_are_created_read_patched_and_deleted),
        cmocka_unit_test(pages_give_every_relationship_once),
        cmocka_unit_test(many_relationships_of_one_twin_share_a_commit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
