// GET of one twin over HTTP keep-alive, against a minimal handler of the same library that returns the same bytes.
//
//   build/bench/http-get ADDR:PORT TWIN [SECONDS] [CONNECTIONS] [--json FILE]
//
// A server is running at ADDR:PORT and has the twin. Rounds of half a second alternate between the two, each with the same
// connections and one request under way on each; the medians of requests per second are compared.
#include "base/address.h"
#include "base/time.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 64, ROUNDS_MAX = 100, ANSWER_MAX = 1 << 20, LATENCIES_MAX = 1 << 20 };

typedef struct handler { char *body; size_t size; } handler;

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
                              const char *upload, size_t *upload_size, void **request)
{
    (void)url, (void)method, (void)version, (void)upload, (void)upload_size;
    const handler *h = context;
    static int     seen;
    if (*request == NULL) {
        *request = &seen;
        return MHD_YES;
    }
    struct MHD_Response *response = MHD_create_response_from_buffer(h->size, h->body, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(response, "Content-Type", "application/json; charset=utf-8");
    enum MHD_Result done = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return done;
}

static int dial(const char *host, uint16_t port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
    int                fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (inet_pton(AF_INET, host, &to.sin_addr) != 1 || fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        fprintf(stderr, "http-get: %s:%u can not be reached\n", host, port);
        exit(1);
    }
    return fd;
}

// Reads one answer; returns its whole length.
static size_t read_answer(int fd, char *bytes)
{
    size_t len = 0, whole = 0;
    while (whole == 0 || len < whole) {
        ssize_t n = recv(fd, bytes + len, ANSWER_MAX - 1 - len, 0);
        if (n <= 0) exit(1);
        len += (size_t)n;
        bytes[len] = '\0';
        char *end  = whole == 0 ? strstr(bytes, "\r\n\r\n") : NULL;
        char *size = end != NULL ? strcasestr(bytes, "content-length:") : NULL;
        if (size != NULL) whole = (size_t)(end - bytes) + 4 + strtoul(size + 15, NULL, 10);
    }
    return len;
}

typedef struct side { const char *host; uint16_t port; char request[600]; double rates[ROUNDS_MAX]; int rounds; } side;

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(side *s)
{
    qsort(s->rates, (size_t)s->rounds, sizeof *s->rates, compare_doubles);
    return s->rates[s->rounds / 2];
}

static void run_round(side *s, int connections, char *bytes, double *latencies, size_t *latency_count)
{
    struct pollfd polls[CONNECTIONS_MAX];
    gm_dur_ns     sent[CONNECTIONS_MAX];
    size_t        size = strlen(s->request), done = 0;
    const gm_clock *clock = gm_clock_system();
    for (int i = 0; i < connections; i++) {
        polls[i] = (struct pollfd){ dial(s->host, s->port), POLLIN, 0 };
        sent[i]  = gm_monotonic(clock);
        if (send(polls[i].fd, s->request, size, 0) != (ssize_t)size) exit(1);
    }
    gm_dur_ns start = gm_monotonic(clock), now = start;
    while (now - start < GM_SECOND / 2) {
        poll(polls, (nfds_t)connections, 1000);
        for (int i = 0; i < connections; i++) {
            if (polls[i].revents == 0) continue;
            read_answer(polls[i].fd, bytes);
            now = gm_monotonic(clock);
            done++;
            if (latencies != NULL && *latency_count < LATENCIES_MAX) latencies[(*latency_count)++] = (double)(now - sent[i]) / 1e6;
            sent[i] = now;
            if (send(polls[i].fd, s->request, size, 0) != (ssize_t)size) exit(1);
        }
    }
    for (int i = 0; i < connections; i++) close(polls[i].fd);
    s->rates[s->rounds++] = (double)done / ((double)(now - start) / 1e9);
}

int main(int argc, char **argv)
{
    const char *out = NULL;
    if (argc > 2 && strcmp(argv[argc - 2], "--json") == 0) out = argv[argc - 1], argc -= 2;
    gm_address  address;
    gm_error    err = { 0 };
    if (argc < 3 || gm_address_parse(gm_str_of(argv[1]), &address, &err) != GM_OK) {
        fprintf(stderr, "http-get ADDR:PORT TWIN [SECONDS] [CONNECTIONS] [--json FILE]\n");
        return 2;
    }
    int   seconds = argc > 3 ? atoi(argv[3]) : 6, connections = argc > 4 ? atoi(argv[4]) : 8;
    char *bytes = malloc(ANSWER_MAX), host[64];
    if (connections < 1 || connections > CONNECTIONS_MAX || seconds < 1 || seconds > ROUNDS_MAX || bytes == NULL) return 2;
    snprintf(host, sizeof host, "%.*s", (int)(strrchr(argv[1], ':') - argv[1]), argv[1]);
    side ours = { .host = host, .port = address.port }, theirs = { .host = "127.0.0.1" };
    snprintf(ours.request, sizeof ours.request, "GET /digitaltwins/%.200s?api-version=2023-10-31 HTTP/1.1\r\nHost: x\r\n\r\n", argv[2]);
    memcpy(theirs.request, ours.request, sizeof theirs.request);

    int fd = dial(host, ours.port);
    if (send(fd, ours.request, strlen(ours.request), 0) < 0) return 1;
    read_answer(fd, bytes);
    close(fd);
    if (strncmp(bytes, "HTTP/1.1 200", 12) != 0) {
        fprintf(stderr, "http-get: %.200s\n", bytes);
        return 1;
    }
    handler h = { .body = strdup(strstr(bytes, "\r\n\r\n") + 4) };
    h.size    = strlen(h.body);
    struct sockaddr_in   any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct MHD_Daemon   *daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO, 0, NULL, NULL, answer, &h,
                                                   MHD_OPTION_SOCK_ADDR, &any, MHD_OPTION_END);
    if (daemon == NULL) return 1;
    theirs.port = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port;

    static double latencies[LATENCIES_MAX];
    size_t        count = 0;
    for (int i = 0; i < seconds; i++) {
        run_round(&ours, connections, bytes, latencies, &count);
        run_round(&theirs, connections, bytes, NULL, NULL);
    }
    MHD_stop_daemon(daemon);
    qsort(latencies, count, sizeof *latencies, compare_doubles);
    double a = median(&ours), b = median(&theirs), p99 = latencies[count * 99 / 100];
    printf("GET of a twin, %zu bytes, %d connections: %.0f/s, a minimal handler %.0f/s, ratio %.2f; p99 %.2f ms\n", h.size, connections, a, b, a / b, p99);
    FILE *file = out != NULL ? fopen(out, "w") : NULL;
    if (file != NULL) fprintf(file, "{\"gemel\":%.0f,\"minimal\":%.0f,\"ratio\":%.3f,\"p99_ms\":%.3f}\n", a, b, a / b, p99);
    if (file != NULL) fclose(file);
    free(h.body);
    free(bytes);
    return 0;
}
