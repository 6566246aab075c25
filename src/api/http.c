// Invariants: (1) a gm_request belongs to one libmicrohttpd connection from on_uri to on_completed, is on http->first
// meanwhile, and goes to the pool afterwards unless the engine still owes it an answer; (2) a connection is suspended
// exactly while request->suspended is true; (3) libmicrohttpd is only entered from the loop, never from a route; (4) over
// TLS a connection's socket context is the gm_tls_secret it was lent.
#include "api/http.h"

#include "base/address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <unistd.h>

enum { POOL_MAX = 64, POOL_LARGE = 8, BLOCK = 32 << 10, RUNS_PER_TURN = 16, CONNECTION_MEMORY = 32 << 10 };

struct gm_http {
    gm_http_options    options;
    struct MHD_Daemon *daemon;
    int                listen_fd;
    uint16_t           port;
    gm_watch          *watch;
    gm_timer          *timer;
    bool               timer_soon;     // it fires in the next turn
    gm_request        *first;          // every request under way
    gm_request        *pool[POOL_MAX]; // ended ones
    size_t             pooled, pooled_large;  // of them so many keep a large body
    size_t             body_bytes;
    uint64_t           requests;
    bool               stopping;
    struct hand       *hands;
};

// A connection that another protocol has. It has a descriptor of its own for it; the library's is closed when that is over.
typedef struct hand {
    struct hand                      *previous, *next;  // of http->hands
    const gm_alloc                   *alloc;
    gm_http                          *http;             // NULL: HTTP has ended before
    struct MHD_UpgradeResponseHandle *handle;
} hand;

// ---- requests ------------------------------------------------------------------------------------------------------

static void run_soon(gm_http *http);

static void wake(gm_request *request)
{
    request->suspended = false;
    MHD_resume_connection(request->connection);
    run_soon(request->transport);
}

static size_t unescape_nothing(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context, (void)connection;
    return strlen(text);  // requests decode for themselves: the path has to be split first
}

// The first thing that is known of a request. What is returned comes back as *request_context.
static void *on_uri(void *context, const char *uri, struct MHD_Connection *connection)
{
    gm_http    *http    = context;
    gm_request *request = NULL;
    if (http->pooled > 0) {
        request = http->pool[--http->pooled];
        http->pooled_large -= request->body.capacity > GM_REQUEST_KEEP;
        if (!gm_request_reuse(request, gm_str_of(uri))) {
            gm_request_destroy(request);
            request = NULL;
        }
    } else {
        request = gm_request_create(http->options.alloc, gm_str_of(uri));
    }
    if (request == NULL) return NULL;
    http->requests++;
    request->transport  = http;
    request->connection = connection;
    request->wake       = wake;
    request->next       = http->first;
    if (http->first != NULL) http->first->previous = request;
    http->first = request;
    return request;
}

static void forget(gm_http *http, gm_request *request)
{
    if (request->previous != NULL) request->previous->next = request->next;
    else http->first = request->next;
    if (request->next != NULL) request->next->previous = request->previous;
    request->previous = request->next = NULL;
    http->body_bytes -= request->body.len;
    request->wake = NULL;
    request->transport = request->connection = NULL;
    request->suspended = false;
    bool owed          = request->pending > 0;
    gm_request_end(request);
    if (owed) return;
    if (http->pooled == POOL_MAX || http->stopping) {
        gm_request_destroy(request);
        return;
    }
    bool large = request->body.capacity > GM_REQUEST_KEEP;
    if (large && http->pooled_large == POOL_LARGE) gm_buf_finish(&request->body);
    else http->pooled_large += large;
    http->pool[http->pooled++] = request;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **request_context,
                         enum MHD_RequestTerminationCode code)
{
    (void)connection, (void)code;
    if (*request_context != NULL) forget(context, *request_context);
    *request_context = NULL;
}

static enum MHD_Result on_header(void *context, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                 const char *value, size_t value_len)
{
    (void)kind;
    gm_request *request = context;
    if (request->header_count == GM_HEADERS_MAX) {
        if (request->state != GM_REQUEST_ANSWERED) {
            gm_reply_error(request, 431, "InvalidArgument", "A request has at most %d headers.", GM_HEADERS_MAX);
        }
        return MHD_NO;
    }
    request->headers[request->header_count++] =
        (gm_header) { { name, name_len }, { value != NULL ? value : "", value_len } };
    return MHD_YES;
}

// ---- answers -------------------------------------------------------------------------------------------------------

static ssize_t read_source(void *context, uint64_t position, char *to, size_t max)
{
    (void)position;
    gm_request *request = context;
    int64_t     n       = request->source.read(request->source.context, to, max);
    if (n < 0) return n == GM_SOURCE_BROKEN ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
    if (n == 0) {
        MHD_suspend_connection(request->connection);
        request->suspended = true;
    }
    return (ssize_t)n;
}

static void give_back(hand *h)
{
    gm_http *http = h->http;
    MHD_upgrade_action(h->handle, MHD_UPGRADE_ACTION_CLOSE);
    h->http = NULL;
    if (h->previous != NULL) h->previous->next = h->next;
    else http->hands = h->next;
    if (h->next != NULL) h->next->previous = h->previous;
}

static void on_over(void *context)
{
    hand    *h    = context;
    gm_http *http = h->http;
    if (http != NULL) {
        give_back(h);
        run_soon(http);
    }
    gm_free(h->alloc, h);
}

// The answer 101 is sent. Who has sent something before it came does not keep to the protocol (RFC 6455, section 4.1).
static void on_upgrade(void *context, struct MHD_Connection *connection, void *request_context, const char *extra,
                       size_t extra_size, MHD_socket fd, struct MHD_UpgradeResponseHandle *handle)
{
    (void)connection, (void)request_context, (void)extra;
    gm_request *request = context;
    gm_http    *http    = request->transport;
    hand       *h       = extra_size == 0 && !http->stopping ? gm_alloc_zeroed(http->options.alloc, sizeof *h) : NULL;
    int         own     = h != NULL ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (own < 0) {
        gm_free(http->options.alloc, h);
        MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
        return;
    }
    *h = (hand){ .next = http->hands, .alloc = http->options.alloc, .http = http, .handle = handle };
    if (h->next != NULL) h->next->previous = h;
    http->hands = h;
    request->upgrade(request->upgrade_context, own, on_over, h);
}

static struct MHD_Response *make_response(gm_request *request)
{
    if (request->upgrade != NULL) return MHD_create_response_for_upgrade(on_upgrade, request);
    if (request->source.read != NULL) {
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_source, request, NULL);
    }
    gm_str bytes = request->fixed.ptr != NULL ? request->fixed : gm_buf_view(&request->out);
    // Persistent: the request outlives its response (see on_completed), so nothing is copied.
    union { const char *from; void *to; } body = { .from = bytes.len > 0 ? bytes.ptr : "" };
    return MHD_create_response_from_buffer(bytes.len, body.to, MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, gm_request *request)
{
    struct MHD_Response *response = make_response(request);
    if (response == NULL) return MHD_NO;
    for (size_t i = 0; i < request->reply_header_count; i++) {
        // Values were copied into the arena with a NUL behind them, names are literals.
        if (MHD_add_response_header(response, request->reply_headers[i].name.ptr,
                                    request->reply_headers[i].value.ptr) != MHD_YES) {
            MHD_destroy_response(response);
            return MHD_NO;
        }
    }
    enum MHD_Result done = MHD_queue_response(connection, request->status, response);
    MHD_destroy_response(response);
    return done;
}

// ---- receiving -----------------------------------------------------------------------------------------------------

// A connection that has asked something may be silent for longer than one that has not.
static void allow_silence(struct MHD_Connection *connection, uint32_t seconds)
{
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, (unsigned)seconds);
}

// A session gets the present certificate, not the one that the daemon was started with.
static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    gm_http *http = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) allow_silence(connection, http->options.first_s);
    if (http->options.tls == NULL) return;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        gm_tls_give_back(*socket_context);  // keeps (4)
        *socket_context = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    *socket_context = info != NULL ? gm_tls_lend(http->options.tls, info->tls_session) : NULL;
}

static gm_str peer_address(struct MHD_Connection *connection, gm_arena *arena)
{
    char                             text[INET6_ADDRSTRLEN] = "";
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info == NULL || info->client_addr == NULL) return (gm_str){ 0 };
    const void *address = info->client_addr->sa_family == AF_INET6
                              ? (const void *)&((const struct sockaddr_in6 *)(const void *)info->client_addr)->sin6_addr
                              : (const void *)&((const struct sockaddr_in *)(const void *)info->client_addr)->sin_addr;
    if (inet_ntop(info->client_addr->sa_family, address, text, sizeof text) == NULL) return (gm_str){ 0 };
    return gm_arena_str(arena, gm_str_of(text));
}

static void begin(gm_http *http, struct MHD_Connection *connection, const char *method, gm_request *request)
{
    allow_silence(connection, http->options.idle_s);
    request->method = gm_method_of(gm_str_of(method));
    request->handle = http->options.handle;
    request->api    = http->options.context;
    request->address = peer_address(connection, request->arena);
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, on_header, request);
    if (request->state == GM_REQUEST_RECEIVING) http->options.begin(request);
}

static void take_body(gm_http *http, gm_request *request, const char *bytes, size_t n)
{
    // Read past it, so that the client hears the answer: what is too large, and what no route asked for (limit 0).
    if (request->state == GM_REQUEST_ANSWERED || request->body_too_large || request->body.limit == 0) return;
    size_t before = request->body.len;
    if (request->body.len + n > request->body.limit) {
        request->body_too_large = true;
    } else if (http->body_bytes + n > http->options.bodies_max) {
        gm_reply_error(request, 503, "ServiceUnavailable", "Too much is being uploaded at the moment; try again.");
    } else {
        gm_buf_add(&request->body, bytes, n);
        if (request->body.failed) gm_reply_failure(request, GM_NOMEM, NULL);
    }
    http->body_bytes += request->body.len - before;
}

static bool expects_continue(const gm_request *request)
{
    return gm_request_header(request, "expect").ptr != NULL;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **request_context)
{
    (void)url, (void)version;
    gm_http    *http    = context;
    gm_request *request = *request_context;
    if (request == NULL) return MHD_NO;  // memory was refused for it
    if (request->handle == NULL) {
        begin(http, connection, method, request);
        // Who asks before sending a large body is told at once that it will not be read.
        if (request->state == GM_REQUEST_ANSWERED && expects_continue(request)) return send_answer(connection, request);
        return MHD_YES;
    }
    if (*upload_size > 0) {
        take_body(http, request, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    if (request->state == GM_REQUEST_RECEIVING) {
        request->state = GM_REQUEST_HANDLING;
        if (request->body_too_large) {
            gm_reply_error(request, 413, "PayloadTooLarge",
                           "The body has more than the %zu bytes that are admitted here.", request->body.limit);
        } else {
            request->handle(request);
        }
    }
    if (request->state == GM_REQUEST_ANSWERED) return send_answer(connection, request);
    assert(request->state == GM_REQUEST_WAITING);
    MHD_suspend_connection(connection);
    request->suspended = true;
    return MHD_YES;
}

// ---- on the loop ---------------------------------------------------------------------------------------------------

static void on_timer(void *context);

static void set_timer(gm_http *http, gm_dur_ns after)
{
    gm_error err;
    gm_loop_cancel(http->timer);
    http->timer      = NULL;
    http->timer_soon = after == 0;
    if (gm_loop_after(http->options.loop, after, on_timer, http, &http->timer, &err) != GM_OK) {
        http->timer = NULL;  // out of memory: the next event arms again
    }
}

// A resumed connection is no event for the epoll descriptor. Runs in the next turn, which comes at once: not now, since
// whoever wakes a connection may stand inside one of the library's own calls.
static void run_soon(gm_http *http)
{
    if (!http->stopping && (http->timer == NULL || !http->timer_soon)) set_timer(http, 0);
}

// What is ready without waiting is done in this turn, within bounds: others wait for the loop as well. Idle connections
// are closed by time alone, so the library is looked at once a second in any case.
static void run(gm_http *http)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms = 1;
    for (int i = 0; i < RUNS_PER_TURN; i++) {
        MHD_run(http->daemon);
        if (MHD_get_timeout(http->daemon, &timeout_ms) != MHD_YES || timeout_ms > 0) break;
    }
    if (timeout_ms == 0) run_soon(http);
    else if (http->timer == NULL) set_timer(http, GM_SECOND);
}

static void on_ready(void *context, uint32_t events)
{
    (void)events;
    run(context);
}

static void on_timer(void *context)
{
    gm_http *http = context;
    http->timer   = NULL;
    run(http);
}

static struct MHD_OptionItem text_option(enum MHD_OPTION option, const char *text)
{
    union { const char *from; void *to; } value = { .from = text };
    return (struct MHD_OptionItem){ option, 0, value.to };
}

gm_status gm_http_start(const gm_http_options *options, gm_http **out_http, gm_error *err)
{
    *out_http     = NULL;
    gm_http *http = gm_alloc_zeroed(options->alloc, sizeof *http);
    if (http == NULL) return gm_fail(err, GM_NOMEM, "api.http", "starting the HTTP server");
    http->options   = *options;
    http->listen_fd = -1;
    gm_status st    = gm_listen(options->address, 511, &http->listen_fd, &http->port, err);
    if (st != GM_OK) goto done;

    struct MHD_OptionItem tls_options[] = { { MHD_OPTION_END, 0, NULL }, { MHD_OPTION_END, 0, NULL },
                                            { MHD_OPTION_END, 0, NULL }, { MHD_OPTION_END, 0, NULL } };
    if (options->tls != NULL) {
        tls_options[0] = text_option(MHD_OPTION_HTTPS_MEM_KEY, gm_tls_key_pem(options->tls));
        tls_options[1] = text_option(MHD_OPTION_HTTPS_MEM_CERT, gm_tls_certificate_pem(options->tls));
        tls_options[2] = text_option(MHD_OPTION_HTTPS_PRIORITIES, GM_TLS_PRIORITIES);
    }
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE | MHD_USE_TURBO | (options->tls != NULL ? MHD_USE_TLS : 0), 0, NULL, NULL, on_request, http,
        MHD_OPTION_LISTEN_SOCKET, http->listen_fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)options->connections_max,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)options->idle_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 0, MHD_OPTION_URI_LOG_CALLBACK, on_uri, http,
        MHD_OPTION_UNESCAPE_CALLBACK, unescape_nothing, http, MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_ARRAY, tls_options,
        MHD_OPTION_END);
    if (http->daemon == NULL) {
        st = gm_fail(err, GM_IO, "api.http", "the HTTP library refused to start on " GM_STR_FMT,
                     GM_STR_ARG(options->address));
        goto done;
    }
    http->listen_fd = -1;  // the daemon closes it now

    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (info == NULL || info->epoll_fd < 0) {
        st = gm_fail(err, GM_IO, "api.http", "the HTTP library has no epoll descriptor");
        goto done;
    }
    st = gm_loop_add(options->loop, info->epoll_fd, GM_LOOP_READ, on_ready, http, &http->watch, err);
    if (st != GM_OK) goto done;
    set_timer(http, GM_SECOND);
    *out_http = http;
    http      = NULL;
done:
    gm_http_stop(http);
    return st;
}

uint16_t gm_http_port(const gm_http *http) { return http->port; }

gm_http_stats gm_http_statistics(const gm_http *http)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    return (gm_http_stats){ .requests    = http->requests,
                            .connections = info != NULL ? info->num_connections : 0,
                            .body_bytes  = http->body_bytes };
}

void gm_http_stop(gm_http *http)
{
    if (http == NULL) return;
    http->stopping = true;
    gm_loop_remove(http->watch);
    gm_loop_cancel(http->timer);
    // A daemon must not be stopped with suspended connections.
    for (gm_request *r = http->first; r != NULL; r = r->next) {
        if (r->suspended) wake(r);
    }
    while (http->hands != NULL) give_back(http->hands);  // its new owner releases it
    if (http->daemon != NULL) MHD_stop_daemon(http->daemon);
    if (http->listen_fd >= 0) close(http->listen_fd);
    while (http->pooled > 0) gm_request_destroy(http->pool[--http->pooled]);
    gm_free(http->options.alloc, http);
}
