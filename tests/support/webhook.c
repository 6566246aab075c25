#include "support/webhook.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUESTS_MAX = 10000, REQUEST_MAX = 65536, CONNECTIONS_MAX = 64 };

struct test_webhook {
    int             fd;
    uint16_t        port;
    pthread_t       thread;
    pthread_mutex_t lock;      // guards what follows
    unsigned        status, every;
    bool            stop;
    size_t          count, accepted;
    char           *requests[REQUESTS_MAX];
    bool            fine[REQUESTS_MAX];
};

typedef struct connection { int fd; size_t len; char bytes[REQUEST_MAX]; } connection;

// The length of the whole request that lies at the front, 0 when it is not whole yet.
static size_t whole(const connection *c)
{
    const char *end = strstr(c->bytes, "\r\n\r\n");
    if (end == NULL) return 0;
    const char *length = strcasestr(c->bytes, "content-length:");
    size_t      size   = (size_t)(end - c->bytes) + 4 + (length != NULL && length < end ? strtoul(length + 15, NULL, 10) : 0);
    return c->len >= size ? size : 0;
}

static void shut(connection *c)
{
    close(c->fd);
    c->fd = -1;
}

static void answer(test_webhook *hook, connection *c, size_t size)
{
    pthread_mutex_lock(&hook->lock);
    size_t   number = hook->count;
    unsigned status = hook->status;
    bool     bad    = hook->every > 0 && number % hook->every == hook->every - 1;
    if (number < REQUESTS_MAX) {
        hook->requests[number] = strndup(c->bytes, size);
        hook->fine[number]     = !bad && status < 300;
        hook->accepted += hook->fine[number];
        hook->count++;
    }
    pthread_mutex_unlock(&hook->lock);
    memmove(c->bytes, c->bytes + size, c->len - size + 1);
    c->len -= size;
    if (bad && number % 2 == 0) {
        shut(c);
        return;
    }
    char text[120];
    int  n = snprintf(text, sizeof text, "HTTP/1.1 %u X\r\nContent-Length: %d\r\n\r\n%s", bad ? 503 : status, status == 204 && !bad ? 0 : 2,
                      status == 204 && !bad ? "" : "no");
    if (status == 204 && !bad) n = snprintf(text, sizeof text, "HTTP/1.1 204 X\r\n\r\n");
    if (send(c->fd, text, (size_t)n, MSG_NOSIGNAL) != n) shut(c);
}

static void hear(test_webhook *hook, connection *c)
{
    ssize_t n = recv(c->fd, c->bytes + c->len, REQUEST_MAX - 1 - c->len, 0);
    if (n <= 0) {
        shut(c);
        return;
    }
    c->len += (size_t)n;
    c->bytes[c->len] = '\0';
    for (size_t size; c->fd >= 0 && (size = whole(c)) > 0;) answer(hook, c, size);
}

static void *run(void *context)
{
    test_webhook *hook        = context;
    connection   *connections = calloc(CONNECTIONS_MAX, sizeof *connections);
    for (int i = 0; i < CONNECTIONS_MAX; i++) connections[i].fd = -1;
    for (bool stop = false; !stop;) {
        struct pollfd polls[CONNECTIONS_MAX + 1] = { { hook->fd, POLLIN, 0 } };
        for (int i = 0; i < CONNECTIONS_MAX; i++) polls[i + 1] = (struct pollfd){ connections[i].fd, POLLIN, 0 };
        poll(polls, CONNECTIONS_MAX + 1, 20);
        if (polls[0].revents != 0) {
            int fd = accept(hook->fd, NULL, NULL);
            for (int i = 0; i < CONNECTIONS_MAX && fd >= 0; i++) {
                if (connections[i].fd >= 0) continue;
                connections[i].fd  = fd;
                connections[i].len = 0;
                fd                 = -1;
            }
            if (fd >= 0) close(fd);
        }
        for (int i = 0; i < CONNECTIONS_MAX; i++) {
            if (connections[i].fd >= 0 && polls[i + 1].fd == connections[i].fd && polls[i + 1].revents != 0) hear(hook, &connections[i]);
        }
        pthread_mutex_lock(&hook->lock);
        stop = hook->stop;
        pthread_mutex_unlock(&hook->lock);
    }
    for (int i = 0; i < CONNECTIONS_MAX; i++) {
        if (connections[i].fd >= 0) close(connections[i].fd);
    }
    free(connections);
    return NULL;
}

test_webhook *test_webhook_start(void)
{
    test_webhook      *hook    = calloc(1, sizeof *hook);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t          size    = sizeof address;
    hook->status               = 204;
    hook->fd                   = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (hook->fd < 0 || bind(hook->fd, (struct sockaddr *)&address, size) != 0 || listen(hook->fd, 64) != 0) abort();
    if (getsockname(hook->fd, (struct sockaddr *)&address, &size) != 0) abort();
    hook->port = ntohs(address.sin_port);
    pthread_mutex_init(&hook->lock, NULL);
    if (pthread_create(&hook->thread, NULL, run, hook) != 0) abort();
    return hook;
}

uint16_t test_webhook_port(const test_webhook *hook) { return hook->port; }

void test_webhook_stop(test_webhook *hook)
{
    pthread_mutex_lock(&hook->lock);
    hook->stop = true;
    pthread_mutex_unlock(&hook->lock);
    pthread_join(hook->thread, NULL);
    for (size_t i = 0; i < hook->count; i++) free(hook->requests[i]);
    pthread_mutex_destroy(&hook->lock);
    close(hook->fd);
    free(hook);
}

void test_webhook_answer(test_webhook *hook, unsigned status)
{
    pthread_mutex_lock(&hook->lock);
    hook->status = status;
    pthread_mutex_unlock(&hook->lock);
}

void test_webhook_misbehave(test_webhook *hook, unsigned every)
{
    pthread_mutex_lock(&hook->lock);
    hook->every = every;
    pthread_mutex_unlock(&hook->lock);
}

static size_t read_number(test_webhook *hook, const size_t *number)
{
    pthread_mutex_lock(&hook->lock);
    size_t value = *number;
    pthread_mutex_unlock(&hook->lock);
    return value;
}

size_t test_webhook_count(test_webhook *hook) { return read_number(hook, &hook->count); }
size_t test_webhook_accepted(test_webhook *hook) { return read_number(hook, &hook->accepted); }

bool test_webhook_was_accepted(test_webhook *hook, size_t i)
{
    pthread_mutex_lock(&hook->lock);
    bool fine = hook->fine[i];
    pthread_mutex_unlock(&hook->lock);
    return fine;
}

const char *test_webhook_request(test_webhook *hook, size_t i)
{
    pthread_mutex_lock(&hook->lock);
    const char *text = hook->requests[i];
    pthread_mutex_unlock(&hook->lock);
    return text;
}
