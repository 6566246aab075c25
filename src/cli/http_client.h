// cli/http_client.h: a running server, asked over HTTP (libcurl).
//
//   gm_http *http;
//   gm_http_open(alloc, "127.0.0.1:8080", &http, &err);
//   gm_http_request(http, "GET", "/v1/history?twin=a", NULL, NULL, &answer, &err);
//   if (answer.code == 200) ...answer.body...
//   gm_http_answer_finish(&answer);
//   gm_http_close(http);
//
// One thread. The connection is kept from one request to the next.
#ifndef GM_CLI_HTTP_CLIENT_H
#define GM_CLI_HTTP_CLIENT_H

#include "base/buf.h"

#include <jansson.h>
#include <stdio.h>

typedef struct gm_http gm_http;

typedef struct gm_http_answer {
    long    code;   // HTTP status
    gm_buf  text;   // the body
    json_t *body;   // parsed, when it is JSON; NULL otherwise
} gm_http_answer;

enum { GM_HTTP_ANSWER_MAX = 256 << 20 };

// $GEMEL_TOKEN goes with every request; with $GEMEL_CA, a file of certificates to trust (PEM), it is made over TLS.
GM_NODISCARD gm_status gm_http_open(const gm_alloc *alloc, const char *address, gm_http **out_http, gm_error *err);
void                   gm_http_close(gm_http *http);

// Sends a request and waits for the whole answer, whatever its code is.
//   path     with its query; already percent-encoded      body, content_type  NULL: none
// GM_NOTFOUND: the server can not be reached (err says what to do). GM_LIMIT: an answer of more than GM_HTTP_ANSWER_MAX.
// Release *out_answer with gm_http_answer_finish, also after an error.
GM_NODISCARD gm_status gm_http_request(gm_http *http, const char *method, const char *path, const char *content_type,
                                       const char *body, gm_http_answer *out_answer, gm_error *err);
// The same with a body of any bytes.
GM_NODISCARD gm_status gm_http_send(gm_http *http, const char *method, const char *path, const char *content_type, gm_str body,
                                    gm_http_answer *out_answer, gm_error *err);
void                   gm_http_answer_finish(gm_http_answer *answer);

// GET, the body written to a file as it comes. GM_INVALID: the server refused (err says why); GM_NOTFOUND: not reachable.
GM_NODISCARD gm_status gm_http_download(gm_http *http, const char *path, FILE *file, gm_error *err);

// What the server says is wrong: "NotFound: there is no twin 'x'". Fills err with GM_INVALID (GM_NOTFOUND for 404).
gm_status gm_http_refusal(const gm_http_answer *answer, gm_error *err);

// Reads a stream of server-sent events until it ends or `each` returns false.
//   each   event: "message" when the server names none; data: the joined data lines. Viewed for the call.
// GM_NOTFOUND: not reachable, or the connection was lost. GM_INVALID: the server refused (err says why).
typedef bool gm_http_event(void *context, gm_str event, gm_str data);
GM_NODISCARD gm_status gm_http_stream(gm_http *http, const char *path, gm_http_event *each, void *context,
                                      gm_error *err);

// Server-sent events out of bytes in pieces of any size (WHATWG HTML, "Server-sent events"), for gm_http_stream and tests.
typedef struct gm_event_parser { gm_buf line, event, data; bool any; } gm_event_parser;
void gm_event_parser_init(gm_event_parser *parser, const gm_alloc *alloc);
void gm_event_parser_finish(gm_event_parser *parser);
// False when each returned false, or memory or a limit was reached (line.failed or data.failed then).
bool gm_event_parser_feed(gm_event_parser *parser, gm_str bytes, gm_http_event *each, void *context);

#endif
