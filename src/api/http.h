// api/http.h: HTTP/1.1 over libmicrohttpd on the engine's loop. Turns bytes into gm_request and its answer into bytes.
//
//   gm_http_start(&options, &http, &err);      // options.begin sees the headers, options.handle the whole request
//   gm_http_port(http);
//   gm_http_stop(http);
//
// Everything runs on the loop's thread: libmicrohttpd's own epoll descriptor is watched by the loop, a connection whose
// request waits for a commit is suspended and costs nothing meanwhile.
#ifndef GM_API_HTTP_H
#define GM_API_HTTP_H

#include "access/tls.h"
#include "api/request.h"
#include "base/loop.h"

typedef struct gm_http gm_http;

typedef struct gm_http_options {
    const gm_alloc *alloc;
    gm_loop        *loop;
    gm_str          address;          // "127.0.0.1:8080"; port 0 takes a free one
    gm_tls         *tls;              // NULL: plain; outlives the server
    uint32_t        connections_max;
    uint32_t        idle_s;           // a connection that says nothing for so long is closed
    uint32_t        first_s;          // the same until its first request has come: handshakes, lines that trickle in
    size_t          bodies_max;       // bytes of all request bodies together
    gm_request_call *begin;           // the headers are there: sets body.limit, api, engine; may answer
    gm_request_call *handle;          // the request is complete
    void            *context;         // becomes request->api
} gm_http_options;

GM_NODISCARD gm_status gm_http_start(const gm_http_options *options, gm_http **out_http, gm_error *err);
uint16_t               gm_http_port(const gm_http *http);

// Closes every connection. Requests that wait for the engine are abandoned and released with its answer.
void gm_http_stop(gm_http *http);

typedef struct gm_http_stats { uint64_t requests, connections, body_bytes; } gm_http_stats;
gm_http_stats gm_http_statistics(const gm_http *http);

#endif
