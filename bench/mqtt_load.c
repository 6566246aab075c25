// A fleet of MQTT devices that publish with QoS 1 as fast as they are acknowledged; for comparing brokers.
//
//   mqtt-load ADDR:PORT --connections N --window N --seconds S [--bytes N] [--topic 'gemel/d%u/telemetry'] [--devices N]
//     [--rate N]
//
// Each connection keeps `window` messages unacknowledged; with a rate, all together send no more than N a second. Prints one line of JSON: messages acknowledged per second and
// the acknowledgement latency at the median, 99 % and the worst, from the write of a message to the read of its PUBACK.
#include "base/time.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PACKET_MAX = 4096, OUT_MAX = 256 * 1024, IN_MAX = 64 * 1024, IDS = 65536, TOPICS_MAX = 4096 };

typedef struct settings {
    unsigned    connections, window, bytes, devices;
    double      seconds, rate;  // rate 0: as fast as it is acknowledged
    const char *topic;
} settings;

// Latency in buckets of 1/16 of a power of two: 6 % resolution over nanoseconds to minutes.
typedef struct histogram { uint64_t counts[64 * 16], total; gm_dur_ns worst; } histogram;

typedef struct device {
    int        fd;
    uint16_t   next_id;
    unsigned   unacknowledged, turn;
    uint64_t   made;
    size_t     out_from, out_to, in_len;
    gm_dur_ns *sent;  // [IDS] by packet id
    uint8_t   *out, in[IN_MAX];
} device;

typedef struct packet { uint8_t bytes[PACKET_MAX]; size_t len, id_at; } packet;

static gm_dur_ns now(void)
{
    return gm_monotonic(gm_clock_system());
}

static void note(histogram *h, gm_dur_ns latency)
{
    uint64_t value = latency > 0 ? (uint64_t)latency : 1;
    unsigned power = 63 - (unsigned)__builtin_clzll(value);
    unsigned part  = power >= 4 ? (unsigned)(value >> (power - 4)) & 15 : 0;
    h->counts[power * 16 + part]++;
    h->total++;
    if (latency > h->worst) h->worst = latency;
}

static double quantile_us(const histogram *h, double q)
{
    uint64_t seen = 0, wanted = (uint64_t)(q * (double)h->total);
    for (unsigned i = 0; i < 64 * 16; i++) {
        seen += h->counts[i];
        if (seen > wanted) return (double)(UINT64_C(1) << (i / 16)) * (1 + (i % 16 + 0.5) / 16.0) / 1e3;
    }
    return (double)h->worst / 1e3;
}

static size_t put_length(uint8_t *out, size_t length)
{
    size_t n = 0;
    do {
        out[n] = (uint8_t)(length % 128);
        length /= 128;
        if (length > 0) out[n] |= 0x80;
        n++;
    } while (length > 0);
    return n;
}

// The PUBLISH of one device, ready but for its packet id.
static void make_packet(packet *p, const settings *s, unsigned device_number)
{
    char topic[256], payload[PACKET_MAX - 300];
    // The format comes from our own command line and has exactly one %u.
    const char *at   = strstr(s->topic, "%u");
    size_t      head = (size_t)(at - s->topic);
    int         topic_len   = snprintf(topic, sizeof topic, "%.*s%u%s", (int)head, s->topic, device_number, at + 2);
    int         payload_len = snprintf(payload, sizeof payload, "{\"temp\":%.2f,\"hum\":%.1f,\"p\":%.2f}", 20 + device_number % 50 * 0.13, 45.2, 1013.25);
    while ((unsigned)payload_len < s->bytes) payload[payload_len++] = ' ';
    p->bytes[0] = 0x32;
    p->len      = 1 + put_length(p->bytes + 1, 2 + (size_t)topic_len + 2 + (size_t)payload_len);
    p->bytes[p->len++] = (uint8_t)(topic_len >> 8);
    p->bytes[p->len++] = (uint8_t)topic_len;
    memcpy(p->bytes + p->len, topic, (size_t)topic_len);
    p->len += (size_t)topic_len;
    p->id_at = p->len;
    p->len += 2;
    memcpy(p->bytes + p->len, payload, (size_t)payload_len);
    p->len += (size_t)payload_len;
}

static void die(const char *what)
{
    fprintf(stderr, "mqtt-load: %s: %s\n", what, errno != 0 ? strerrordesc_np(errno) : "refused");
    exit(1);
}

static void connect_device(device *d, const struct sockaddr *address, socklen_t address_len, unsigned number)
{
    int one = 1;
    d->fd   = socket(address->sa_family, SOCK_STREAM, 0);
    if (d->fd < 0 || connect(d->fd, address, address_len) < 0) die("connecting");
    setsockopt(d->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    char    id[32];
    int     id_len    = snprintf(id, sizeof id, "load-%d-%u", (int)getpid(), number);
    uint8_t hello[64] = { 0x10, (uint8_t)(12 + id_len), 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, (uint8_t)id_len };
    memcpy(hello + 14, id, (size_t)id_len);
    uint8_t answer[4];
    if (write(d->fd, hello, 14 + (size_t)id_len) != 14 + id_len) die("CONNECT");
    if (recv(d->fd, answer, 4, MSG_WAITALL) != 4 || answer[0] != 0x20 || answer[3] != 0) die("CONNACK");
    d->out  = malloc(OUT_MAX);
    d->sent = calloc(IDS, sizeof *d->sent);
    d->turn = number * 37;
    if (d->out == NULL || d->sent == NULL) die("memory");
}

static void fill(device *d, const settings *s, const packet *packets, gm_dur_ns time, gm_dur_ns elapsed)
{
    uint64_t most = s->rate > 0 ? (uint64_t)(s->rate / s->connections * (double)elapsed / 1e9) : UINT64_MAX;
    if (d->out_from == d->out_to) d->out_from = d->out_to = 0;
    while (d->unacknowledged < s->window && d->made < most) {
        const packet *p = &packets[d->turn % s->devices];
        if (OUT_MAX - d->out_to < p->len) return;
        if (++d->next_id == 0) d->next_id = 1;
        memcpy(d->out + d->out_to, p->bytes, p->len);
        d->out[d->out_to + p->id_at]     = (uint8_t)(d->next_id >> 8);
        d->out[d->out_to + p->id_at + 1] = (uint8_t)d->next_id;
        d->sent[d->next_id]              = time;
        d->out_to += p->len;
        d->unacknowledged++;
        d->turn++;
        d->made++;
    }
}

static void send_out(device *d)
{
    ssize_t n = send(d->fd, d->out + d->out_from, d->out_to - d->out_from, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) d->out_from += (size_t)n;
    else if (n < 0 && errno != EAGAIN && errno != EINTR) die("sending");
}

static void take_acknowledgements(device *d, histogram *h)
{
    ssize_t n = recv(d->fd, d->in + d->in_len, sizeof d->in - d->in_len, MSG_DONTWAIT);
    if (n == 0) {
        errno = 0;
        die("the server closed a connection");
    }
    if (n < 0) return;
    d->in_len += (size_t)n;
    size_t    at   = 0;
    gm_dur_ns time = now();
    for (; d->in_len - at >= 4; at += 4) {
        if (d->in[at] != 0x40 || d->in[at + 1] != 2) die("something else than a PUBACK came");
        note(h, time - d->sent[d->in[at + 2] << 8 | d->in[at + 3]]);
        d->unacknowledged--;
    }
    memmove(d->in, d->in + at, d->in_len - at);
    d->in_len -= at;
}

static double run(device *devices, const settings *s, const packet *packets, histogram *h)
{
    int epoll_fd = epoll_create1(0);
    for (unsigned i = 0; i < s->connections; i++) {
        struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, devices[i].fd, &event);
    }
    gm_dur_ns start = now(), time = start, stop = start + (gm_dur_ns)(s->seconds * 1e9);
    for (unsigned i = 0; i < s->connections; i++) {
        fill(&devices[i], s, packets, time, 0);
        send_out(&devices[i]);
    }
    while ((time = now()) < stop) {
        struct epoll_event events[256];
        bool               stuck = false;
        for (unsigned i = 0; i < s->connections; i++) stuck |= devices[i].out_from < devices[i].out_to;
        int n = epoll_wait(epoll_fd, events, 256, stuck || s->rate > 0 ? 1 : 50);
        for (int e = 0; e < n; e++) take_acknowledgements(&devices[events[e].data.u32], h);
        time = now();
        for (unsigned i = 0; i < s->connections; i++) {
            fill(&devices[i], s, packets, time, time - start);
            if (devices[i].out_from < devices[i].out_to) send_out(&devices[i]);
        }
    }
    close(epoll_fd);
    return (double)(now() - start) / 1e9;
}

static double number_of(const char *text)
{
    char  *end;
    double value = strtod(text, &end);
    if (*end != '\0' || !(value > 0)) {
        fprintf(stderr, "mqtt-load: '%s' is not a positive number\n", text);
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    settings s = { .connections = 1, .window = 20, .bytes = 100, .devices = 1000, .seconds = 2, .topic = "gemel/d%u/telemetry" };
    for (int i = 2; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--connections") == 0) s.connections = (unsigned)number_of(argv[i + 1]);
        else if (strcmp(argv[i], "--rate") == 0) s.rate = number_of(argv[i + 1]);
        else if (strcmp(argv[i], "--window") == 0) s.window = (unsigned)number_of(argv[i + 1]);
        else if (strcmp(argv[i], "--bytes") == 0) s.bytes = (unsigned)number_of(argv[i + 1]);
        else if (strcmp(argv[i], "--devices") == 0) s.devices = (unsigned)number_of(argv[i + 1]);
        else if (strcmp(argv[i], "--seconds") == 0) s.seconds = number_of(argv[i + 1]);
        else if (strcmp(argv[i], "--topic") == 0) s.topic = argv[i + 1];
        else argc = 0;
    }
    if (argc < 2 || strstr(s.topic, "%u") == NULL || s.devices > TOPICS_MAX || s.window >= IDS || s.bytes > PACKET_MAX - 700 || s.connections > 10000) {
        fprintf(stderr, "usage: mqtt-load ADDR:PORT [--connections N] [--window N] [--seconds S] [--bytes N] [--topic T] [--devices N] [--rate N]\n");
        return 2;
    }
    char              *colon   = strrchr(argv[1], ':');
    struct sockaddr_in address = { .sin_family = AF_INET };
    if (colon == NULL) die("ADDR:PORT");
    *colon           = '\0';
    address.sin_port = htons((uint16_t)number_of(colon + 1));
    if (inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) die("the address");

    device    *devices = calloc(s.connections, sizeof *devices);
    packet    *packets = calloc(s.devices, sizeof *packets);
    histogram *h       = calloc(1, sizeof *h);
    if (devices == NULL || packets == NULL || h == NULL) die("memory");
    for (unsigned i = 0; i < s.devices; i++) make_packet(&packets[i], &s, i);
    for (unsigned i = 0; i < s.connections; i++) connect_device(&devices[i], (struct sockaddr *)&address, sizeof address, i);
    double seconds = run(devices, &s, packets, h);
    printf("{\"connections\":%u,\"window\":%u,\"acked_per_s\":%.0f,\"p50_us\":%.0f,\"p99_us\":%.0f,\"max_us\":%.0f}\n", s.connections,
           s.window, (double)h->total / seconds, quantile_us(h, 0.5), quantile_us(h, 0.99), (double)h->worst / 1e3);
    for (unsigned i = 0; i < s.connections; i++) {
        close(devices[i].fd);
        free(devices[i].out);
        free(devices[i].sent);
    }
    free(devices);
    free(packets);
    free(h);
    return 0;
}
