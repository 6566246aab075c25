#include "support/api_plant.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void wrong_addresses_methods_and_bodies_are_answered_clearly(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    static const api_step steps[] = {
        { "GET", "/v1/nothing", NULL, NULL, 404, "x-ms-error-code: NotFound" },
        { "GET", "/digitaltwins" V, NULL, NULL, 404, "NotFound" },
        { "POST", "/nothing", NULL, "{}", 404, "NotFound" },
        { "DELETE", "/models" V, NULL, NULL, 405, "Allow: OPTIONS, POST, GET, HEAD" },
        { "PUT", "/healthz", NULL, "{}", 405, "MethodNotAllowed" },
        { "BREW", "/healthz", NULL, NULL, 405, NULL },
        { "OPTIONS", "/models" V, NULL, NULL, 204, "Allow: OPTIONS, POST, GET, HEAD" },
        { "HEAD", "/healthz", NULL, NULL, 200, NULL },
        { "GET", "/healthz", NULL, NULL, 200, "{\"status\":\"ok\"}" },
        { "GET", "/healthz/", NULL, NULL, 200, NULL },
        { "GET", "/digitaltwins/%zz" V, NULL, NULL, 400, "hexadecimal" },
        { "GET", "/digitaltwins/%ff" V, NULL, NULL, 400, "UTF-8" },
        { "GET", "/digitaltwins/a%00b" V, NULL, NULL, 400, "UTF-8" },
        { "GET", "/a/b/c/d/e/f/g/h/i/j/k/l/m/n", NULL, NULL, 404, "deep" },
        { "GET", "/v1/history?twin=%zz", NULL, NULL, 400, "InvalidArgument" },
        { "GET", "http://127.0.0.1/healthz", NULL, NULL, 200, NULL },  // an absolute URI is allowed on the request line
        { "GET", "/healthz", "Cookie: \r\n", NULL, 200, NULL },        // a well-known client sends this
        { "POST", "/query" V, "Content-Type: application/x-www-form-urlencoded\r\n", "query=1", 415, "UnsupportedMediaType" },
        { "POST", "/query" V, "Content-Type: application/json; charset=utf-8\r\n", "{\"query\":\"SELECT * FROM DIGITALTWINS\"}", 200, NULL },
        { "POST", "/query" V, NULL, "{\"query\":1}", 400, "query" },
        { "POST", "/query" V, NULL, "[]", 400, "query" },
        { "POST", "/query" V, NULL, "{\"query\":\"foo\"}", 400, "SqlQueryError" },
        { "POST", "/query" V, NULL, "{\"query\":\"SELECT * FROM DIGITALTWINS\",\"continuationToken\":null}", 200, "{\"value\":[]}" },
        { "POST", "/query" V, NULL, "{\"query\":\"SELECT * FROM DIGITALTWINS\",\"continuationToken\":5}", 400, "BadRequest" },
        { "POST", "/query" V, NULL, "{\"query\":\"SELECT * FROM DIGITALTWINS\",\"continuationToken\":\"forged\"}", 400, "BadRequest" },
        { "POST", "/query" V, NULL, "{\"query\":\"SELECT * FROM DIGITALTWINS\"}", 200, "query-charge: " },
        { "GET", "/eventroutes" V, NULL, NULL, 200, "{\"value\":[]}" },
        { "GET", "/eventroutes/r" V, NULL, NULL, 404, "EventRouteNotFound" },
        { "PUT", "/eventroutes/r" V, NULL, "{\"endpointName\":\"e\",\"filter\":\"true\"}", 400, "EventRouteEndpointInvalid" },
        { "DELETE", "/eventroutes/r" V, NULL, NULL, 404, "EventRouteNotFound" },
    };
    API_TALK(&p, steps);
    api_plant_stop(&p);
}

static void small_limits(gm_api_options *options)
{
    options->limits.body_max        = 1000;
    options->limits.bodies_max      = 1500;
    options->limits.connections_max = 4;
}

static void bodies_beyond_the_limit_are_refused_and_the_connection_goes_on(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, small_limits);
    char large[2001];
    memset(large, ' ', 2000);
    large[2000]            = '\0';
    test_http_reply *reply = test_http_ask(&p.client, "POST", "/query" V, NULL, large);
    assert_int_equal(reply->status, 413);
    // The same without saying beforehand how long it is.
    char chunked[3000];
    int  n = snprintf(chunked, sizeof chunked,
                      "POST /query" V " HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n%s\r\n0\r\n\r\n",
                      large);
    test_http_send(&p.client, chunked, (size_t)n);
    assert_int_equal(test_http_receive(&p.client, false)->status, 413);
    // Who asks first is not made to send it.
    test_http_send_request(&p.client, "POST", "/query" V, "Expect: 100-continue\r\nContent-Length: 2000\r\nContent-Type: application/json\r\n", NULL);
    assert_int_equal(test_http_receive(&p.client, false)->status, 413);
    assert_int_equal(test_http_ask(&p.client, "GET", "/healthz", NULL, NULL)->status, 200);
    api_plant_stop(&p);
}

static void a_chunked_body_is_read_like_any_other(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    static const char request[] = "POST /query" V " HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "10\r\n{\"query\":\"SELECT\r\n16\r\n * FROM DIGITALTWINS\"}\r\n0\r\n\r\n";
    test_http_send(&p.client, request, sizeof request - 1);
    assert_int_equal(test_http_receive(&p.client, false)->status, 200);
    api_plant_stop(&p);
}

static void a_connection_serves_many_requests_also_pipelined(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    int fd = p.client.fd;
    for (int i = 0; i < 100; i++) test_http_send_request(&p.client, "GET", "/digitaltwins/p1" V, NULL, NULL);
    for (int i = 0; i < 100; i++) assert_int_equal(test_http_receive(&p.client, false)->status, 200);
    for (int i = 0; i < 50; i++) {
        test_http_send_request(&p.client, "PATCH", "/digitaltwins/p1" V, NULL, "[{\"op\":\"add\",\"path\":\"/limit\",\"value\":1}]");
    }
    for (int i = 0; i < 50; i++) assert_int_equal(test_http_receive(&p.client, false)->status, 204);
    assert_int_equal(p.client.fd, fd);
    api_plant_stop(&p);
}

static void broken_requests_do_no_harm(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    static const char *const broken[] = {
        "\r\n\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "GET / HTTP/1.1\r\nNo colon here\r\n\r\n",
        "POST /query" V " HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
        "POST /query" V " HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: -1\r\n\r\n{}",
        "POST /query" V " HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        test_http_client rude;
        test_http_open(&rude, gm_api_port(p.api), api_plant_turn, &p);
        test_http_send(&rude, broken[i], strlen(broken[i]));
        assert_int_equal(test_http_ask(&p.client, "GET", "/healthz", NULL, NULL)->status, 200);
        test_http_shut(&rude);
    }
    // Headers without end: the connection is closed or refused, the server goes on.
    test_http_client rude;
    test_http_open(&rude, gm_api_port(p.api), api_plant_turn, &p);
    test_http_send(&rude, "GET / HTTP/1.1\r\n", 16);
    for (int i = 0; i < 3000; i++) test_http_send(&rude, "x-header-that-goes-on: and on and on and on\r\n", 45);
    test_http_reply *reply = test_http_receive(&rude, false);
    assert_true(reply->status == 0 || reply->status >= 400);
    assert_int_equal(test_http_ask(&p.client, "GET", "/healthz", NULL, NULL)->status, 200);
    test_http_shut(&rude);
    api_plant_stop(&p);
}

static void a_client_that_goes_while_its_change_commits_leaves_no_trace(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    for (int i = 0; i < 20; i++) {
        test_http_client hasty;
        test_http_open(&hasty, gm_api_port(p.api), api_plant_turn, &p);
        test_http_send_request(&hasty, "PATCH", "/digitaltwins/p1" V, NULL, "[{\"op\":\"add\",\"path\":\"/limit\",\"value\":1}]");
        test_http_shut(&hasty);
        assert_int_equal(test_http_ask(&p.client, "GET", "/digitaltwins/p1" V, NULL, NULL)->status, 200);
    }
    // And the server may end while changes are in flight.
    for (int i = 0; i < 4; i++) {
        test_http_send_request(&p.client, "PATCH", "/digitaltwins/p1" V, NULL, "[{\"op\":\"add\",\"path\":\"/limit\",\"value\":2}]");
    }
    api_plant_turn(&p);
    api_plant_stop(&p);
}

static void connections_beyond_the_limit_wait_or_are_closed_and_others_go_on(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, small_limits);
    assert_int_equal(test_http_ask(&p.client, "GET", "/healthz", NULL, NULL)->status, 200);
    test_http_client many[8];
    for (size_t i = 0; i < 8; i++) {
        test_http_open(&many[i], gm_api_port(p.api), api_plant_turn, &p);
        test_http_send_request(&many[i], "GET", "/healthz", NULL, NULL);
    }
    assert_int_equal(test_http_ask(&p.client, "GET", "/healthz", NULL, NULL)->status, 200);
    for (size_t i = 0; i < 8; i++) test_http_shut(&many[i]);
    assert_int_equal(test_http_ask(&p.client, "GET", "/healthz", NULL, NULL)->status, 200);
    api_plant_stop(&p);
}

// Every allocation of the API fails in turn, from the first on; the server must answer or close, and recover.
static gm_fault_alloc fault;
static void use_fault(gm_api_options *options) { options->alloc = &fault.alloc; }

static void requests_survive_every_allocation_failure(void **state)
{
    (void)state;
    static const api_step asks[] = {
        { "GET", "/digitaltwins/p1" V, NULL, NULL, 200, NULL },
        { "GET", "/digitaltwins/room%201%2F%C3%A4" V, NULL, NULL, 200, NULL },
        { "PUT", "/digitaltwins/new" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Room;1\"},\"name\":\"x\"}", 200, NULL },
        { "PATCH", "/digitaltwins/p1" V, NULL, "[{\"op\":\"add\",\"path\":\"/address\",\"value\":{\"street\":\"s\"}}]", 204, NULL },
        { "PATCH", "/digitaltwins/p1/relationships/f1" V, NULL, "[{\"op\":\"add\",\"path\":\"/flow\",\"value\":1}]", 204, NULL },
        { "GET", "/digitaltwins/p1/relationships" V, NULL, NULL, 200, NULL },
        { "GET", "/v1/tree", NULL, NULL, 200, NULL },
        { "GET", "/v1/twins/p1", NULL, NULL, 200, NULL },
        { "GET", "/metrics", NULL, NULL, 200, NULL },
        { "GET", "/models" V, NULL, NULL, 200, NULL },
        { "POST", "/digitaltwins/p1/telemetry" V, "Message-Id: 1\r\n", "{\"heat\":1}", 204, NULL },
    };
    gm_fault_alloc_init(&fault, UINT64_MAX);
    api_plant p = { 0 };
    api_plant_start(&p, use_fault);
    api_plant_fill(&p);
    for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++) {
        for (uint64_t k = 0;; k++) {
            // A connection of its own, so that nothing that was kept from before helps.
            test_http_client client;
            test_http_open(&client, gm_api_port(p.api), api_plant_turn, &p);
            fault.fail_at = fault.calls + k;
            fault.fired   = false;
            unsigned status = test_http_ask(&client, asks[i].method, asks[i].target, asks[i].headers, asks[i].body)->status;
            bool     fired  = fault.fired;
            fault.fail_at   = UINT64_MAX;
            test_http_shut(&client);
            if (status != asks[i].status && status != 503 && status != 0) {
                fail_msg("%s %s, allocation %d: %u", asks[i].method, asks[i].target, (int)k, status);
            }
            if (!fired) {
                assert_int_equal(status, asks[i].status);
                break;
            }
        }
        assert_int_equal(test_http_ask(&p.client, "GET", "/healthz", NULL, NULL)->status, 200);
    }
    // A stream may be refused, or end early, but it leaves nothing behind.
    for (uint64_t k = 0; k < 60; k++) {
        test_http_client client;
        test_http_open(&client, gm_api_port(p.api), api_plant_turn, &p);
        fault.fail_at = fault.calls + k;
        fault.fired   = false;
        test_http_send_request(&client, "GET", "/v1/stream?twin=p1&twin=none", NULL, NULL);
        gm_buf name = gm_buf_init(gm_alloc_system()), data = gm_buf_init(gm_alloc_system());
        if (test_http_receive(&client, true)->status == 200) (void)!test_http_event(&client, &name, &data);
        fault.fail_at = UINT64_MAX;
        gm_buf_finish(&name);
        gm_buf_finish(&data);
        test_http_shut(&client);
    }
    api_plant_stop(&p);
    assert_int_equal(fault.live_blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_addresses_methods_and_bodies_are_answered_clearly),
        cmocka_unit_test(bodies_beyond_the_limit_are_refused_and_the_connection_goes_on),
        cmocka_unit_test(a_chunked_body_is_read_like_any_other),
        cmocka_unit_test(a_connection_serves_many_requests_also_pipelined),
        cmocka_unit_test(broken_requests_do_no_harm),
        cmocka_unit_test(a_client_that_goes_while_its_change_commits_leaves_no_trace),
        cmocka_unit_test(connections_beyond_the_limit_wait_or_are_closed_and_others_go_on),
        cmocka_unit_test(requests_survive_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
