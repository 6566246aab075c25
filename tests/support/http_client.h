// tests/support/http_client.h: a small HTTP/1.1 client for tests: one connection, kept alive, raw enough to be rude.
//
//   test_http_client client;
//   test_http_open(&client, port, turn, context);     // turn lets a server in this very thread work; NULL: it runs
//   elsewhere test_http_reply *reply = test_http_ask(&client, "GET", "/healthz", NULL, NULL); test_http_shut(&client);
//
// Every wait has a deadline (60 s: a busy machine is no failure), after which the test fails.
#ifndef GM_TESTS_HTTP_CLIENT_H
#define GM_TESTS_HTTP_CLIENT_H

#include "base/buf.h"

typedef struct test_http_reply {
    unsigned status;   // 0: the connection was closed without an answer
    gm_buf   head;     // status line and headers as received
    gm_buf   body;     // decoded when it was chunked
    bool     closed;   // the server closed the connection after it
} test_http_reply;

typedef struct test_http_client {
    int           fd;       // -1: not connected
    uint16_t      port;
    void (*turn)(void *context);
    void         *context;
    gm_buf        in;       // received and not read yet
    bool          ended;    // the server closed its end
    test_http_reply reply;
} test_http_client;

void test_http_open(test_http_client *client, uint16_t port, void (*turn)(void *context), void *context);
void test_http_shut(test_http_client *client);

// Sends a request (headers: lines with "\r\n" at the end of each, may be NULL; body may be NULL) and waits for its
// answer. A body goes as application/json unless headers say otherwise. The reply is valid until the next call.
test_http_reply *test_http_ask(test_http_client *client, const char *method, const char *target, const char *headers,
                               const char *body);

// The same in two parts, for many requests under way and for broken ones.
void           test_http_send(test_http_client *client, const void *bytes, size_t n);
void test_http_send_request(test_http_client *client, const char *method, const char *target, const char *headers,
                            const char *body);
test_http_reply *test_http_receive(test_http_client *client, bool head_only);  // head_only: answer to HEAD

// The value of a header in the reply, "" when absent. Valid until the next call.
const char *test_http_header(test_http_client *client, const char *name);

// Server-sent events: opens a stream and reads events one by one. False: the stream ended.
void test_http_stream(test_http_client *client, const char *target);
bool test_http_event(test_http_client *client, gm_buf *out_name, gm_buf *out_data);
// Is there a whole event already, without waiting?
bool test_http_has_event(test_http_client *client);

#endif
