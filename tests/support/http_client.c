#include "support/http_client.h"

#include "base/time.h"
#include "support/support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE (60 * GM_SECOND)

void test_http_open(test_http_client *client, uint16_t port, void (*turn)(void *context), void *context)
{
    *client = (test_http_client){ .fd = -1, .port = port, .turn = turn, .context = context };
    client->in         = gm_buf_init(gm_alloc_system());
    client->reply.head = gm_buf_init(gm_alloc_system());
    client->reply.body = gm_buf_init(gm_alloc_system());
}

static void disconnect(test_http_client *client)
{
    if (client->fd >= 0) close(client->fd);
    client->fd    = -1;
    client->ended = false;
    gm_buf_clear(&client->in);
}

void test_http_shut(test_http_client *client)
{
    disconnect(client);
    gm_buf_finish(&client->in);
    gm_buf_finish(&client->reply.head);
    gm_buf_finish(&client->reply.body);
}

static void connect_to(test_http_client *client)
{
    if (client->fd >= 0) return;
    struct sockaddr_in at = { .sin_family      = AF_INET,
                              .sin_port        = htons(client->port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    client->fd            = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0 || connect(client->fd, (struct sockaddr *)&at, sizeof at) < 0)
        fail_msg("connecting: %s", strerror(errno));
    fcntl(client->fd, F_SETFL, O_NONBLOCK);
}

// Lets the server work, or waits for it.
static void wait_a_little(test_http_client *client, short events, gm_dur_ns deadline)
{
    if (gm_monotonic(gm_clock_system()) > deadline) fail_msg("no answer within %d s", (int)(PATIENCE / GM_SECOND));
    struct pollfd ready = { .fd = client->fd, .events = events };
    if (client->turn == NULL) poll(&ready, 1, 1000);
    else if (poll(&ready, 1, 0) <= 0) client->turn(client->context);
}

static gm_dur_ns new_deadline(void) { return gm_monotonic(gm_clock_system()) + PATIENCE; }

void test_http_send(test_http_client *client, const void *bytes, size_t n)
{
    connect_to(client);
    const char *at       = bytes;
    gm_dur_ns   deadline = new_deadline();
    while (n > 0) {
        ssize_t sent = send(client->fd, at, n, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) return;  // the server has closed: the answer, if any, is still to be read
        if (sent < 0) {
            wait_a_little(client, POLLOUT, deadline);
            continue;
        }
        at += sent;
        n -= (size_t)sent;
    }
}

void test_http_send_request(test_http_client *client, const char *method, const char *target, const char *headers,
                            const char *body)
{
    gm_buf out = gm_buf_init(gm_alloc_system());
    gm_buf_printf(&out, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n", method, target, client->port);
    if (headers != NULL) gm_buf_text(&out, headers);
    if (body != NULL) {
        if (headers == NULL || strcasestr(headers, "content-type:") == NULL)
            gm_buf_text(&out, "Content-Type: application/json\r\n");
        gm_buf_printf(&out, "Content-Length: %zu\r\n", strlen(body));
    }
    gm_buf_text(&out, "\r\n");
    if (body != NULL) gm_buf_text(&out, body);
    assert_false(out.failed);
    test_http_send(client, out.ptr, out.len);
    gm_buf_finish(&out);
}

// More bytes into client->in; false when the server has closed.
static bool receive_more(test_http_client *client, gm_dur_ns deadline)
{
    for (;;) {
        uint8_t *to = gm_buf_reserve(&client->in, 65536);
        assert_non_null(to);
        ssize_t n = client->ended ? 0 : recv(client->fd, to, 65536, 0);
        if (n > 0) {
            client->in.len += (size_t)n;
            return true;
        }
        if (n == 0 || errno != EAGAIN) {
            client->ended = true;
            return false;
        }
        wait_a_little(client, POLLIN, deadline);
    }
}

const char *test_http_header(test_http_client *client, const char *name)
{
    static char value[1024];  // of the test program, which is one thread
    size_t      len  = strlen(name);
    gm_str      rest = gm_buf_view(&client->reply.head), line;
    while (gm_str_next(&rest, '\n', &line)) {
        if (line.len <= len || line.ptr[len] != ':' || strncasecmp(line.ptr, name, len) != 0) continue;
        gm_str text = gm_str_trim(gm_str_slice(line, len + 1, line.len));
        snprintf(value, sizeof value, GM_STR_FMT, GM_STR_ARG(text));
        return value;
    }
    return "";
}

static void take(test_http_client *client, gm_buf *to, size_t n)
{
    gm_buf_add(to, client->in.ptr, n);
    gm_buf_drop(&client->in, n);
}

static bool receive_head(test_http_client *client, gm_dur_ns deadline)
{
    for (;;) {
        size_t end = gm_str_find(gm_buf_view(&client->in), GM_STR("\r\n\r\n"));
        if (end != SIZE_MAX) {
            take(client, &client->reply.head, end + 4);
            return true;
        }
        if (!receive_more(client, deadline)) return false;
    }
}

static bool receive_chunk(test_http_client *client, gm_dur_ns deadline, size_t *out_size)
{
    for (;;) {
        size_t end = gm_str_find(gm_buf_view(&client->in), GM_STR("\r\n"));
        if (end != SIZE_MAX) {
            size_t size = strtoul((const char *)client->in.ptr, NULL, 16);
            while (client->in.len < end + 2 + size + 2) {
                if (!receive_more(client, deadline)) return false;
            }
            gm_buf_drop(&client->in, end + 2);
            take(client, &client->reply.body, size);
            gm_buf_drop(&client->in, 2);
            *out_size = size;
            return true;
        }
        if (!receive_more(client, deadline)) return false;
    }
}

test_http_reply *test_http_receive(test_http_client *client, bool head_only)
{
    test_http_reply *reply    = &client->reply;
    gm_dur_ns      deadline = new_deadline();
    do {
        gm_buf_clear(&reply->head);
        gm_buf_clear(&reply->body);
        reply->status = 0;
        reply->closed = false;
        if (!receive_head(client, deadline)) {
            reply->closed = true;
            disconnect(client);
            return reply;
        }
        reply->status = (unsigned)strtoul((const char *)reply->head.ptr + 9, NULL, 10);
    } while (reply->status == 100);
    bool bare = head_only || reply->status == 204 || reply->status == 304;
    if (!bare && strcasecmp(test_http_header(client, "Transfer-Encoding"), "chunked") == 0) {
        size_t size = 1;
        while (size > 0 && receive_chunk(client, deadline, &size)) continue;
    } else if (!bare) {
        size_t need = strtoul(test_http_header(client, "Content-Length"), NULL, 10);
        while (client->in.len < need && receive_more(client, deadline)) continue;
        take(client, &reply->body, client->in.len < need ? client->in.len : need);
    }
    gm_buf_byte(&reply->body, '\0');  // so that it is also a C string
    reply->body.len--;
    reply->closed = strcasecmp(test_http_header(client, "Connection"), "close") == 0;
    if (reply->closed) disconnect(client);
    return reply;
}

test_http_reply *test_http_ask(test_http_client *client, const char *method, const char *target, const char *headers,
                               const char *body)
{
    test_http_send_request(client, method, target, headers, body);
    return test_http_receive(client, strcmp(method, "HEAD") == 0);
}

// ---- server-sent events
// ----------------------------------------------------------------------------------------------

void test_http_stream(test_http_client *client, const char *target)
{
    test_http_send_request(client, "GET", target, "Accept: text/event-stream\r\n", NULL);
    gm_buf_clear(&client->reply.head);
    gm_buf_clear(&client->reply.body);
    if (!receive_head(client, new_deadline())) fail_msg("the stream %s was closed at once", target);
    client->reply.status = (unsigned)strtoul((const char *)client->reply.head.ptr + 9, NULL, 10);
}

bool test_http_has_event(test_http_client *client)
{
    return gm_str_find(gm_buf_view(&client->reply.body), GM_STR("\n\n")) != SIZE_MAX;
}

bool test_http_event(test_http_client *client, gm_buf *out_name, gm_buf *out_data)
{
    gm_dur_ns deadline = new_deadline();
    size_t    size;
    while (!test_http_has_event(client)) {
        if (!receive_chunk(client, deadline, &size) || size == 0) return false;
    }
    size_t end  = gm_str_find(gm_buf_view(&client->reply.body), GM_STR("\n\n"));
    gm_str rest = gm_str_slice(gm_buf_view(&client->reply.body), 0, end), line;
    gm_buf_clear(out_name);
    gm_buf_clear(out_data);
    while (gm_str_next(&rest, '\n', &line)) {
        if (gm_str_starts(line, GM_STR("event: "))) gm_buf_str(out_name, gm_str_slice(line, 7, line.len));
        if (gm_str_starts(line, GM_STR("data: "))) gm_buf_str(out_data, gm_str_slice(line, 6, line.len));
    }
    gm_buf_byte(out_name, '\0');
    gm_buf_byte(out_data, '\0');
    out_name->len--;
    out_data->len--;
    gm_buf_drop(&client->reply.body, end + 2);
    return true;
}
