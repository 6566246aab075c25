// kill -9 at random moments under QoS 1 load: every acknowledged message is there afterwards, once, and nothing that was
// never sent. Messages carry their own number as value and as source time, so they are compared one by one.
//
// Each test 30 rounds; 300 with GM_DEEP=1. Some rounds kill the server while it is still recovering; in the second test it is
// writing checkpoints nearly all the time, and releases log and history behind them.
#include "cli/http_client.h"
#include "link/mqtt_codec.h"
#include "support/files.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TWINS = 4, WINDOW = 200, MESSAGES_MAX = 4000000 };
static const gm_time_ns BASE = INT64_C(1767225600) * GM_SECOND;

typedef struct fixture {
    char     dir[256], plant[300], data[300];
    uint8_t *acknowledged;   // [MESSAGES_MAX] bits by number
    uint64_t sent;           // numbers 1..sent were sent
    uint64_t acknowledged_count, random;
} fixture;

static int set_up_with(void **state, gm_str settings)
{
    static fixture f;
    char           path[600];
    f.random = gm_test_seed();
    gm_test_make_dir(f.dir, sizeof f.dir);
    snprintf(f.plant, sizeof f.plant, "%s/plant", f.dir);
    snprintf(f.data, sizeof f.data, "%s/data", f.dir);
    snprintf(path, sizeof path, "%s/models/device.json", f.plant);
    gm_test_write_file(
        path, GM_STR("{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:test:Device;1\",\"@type\":\"Interface\","
                     "\"contents\":[{\"@type\":\"Telemetry\",\"name\":\"n\",\"schema\":\"long\"}]}"));
    snprintf(path, sizeof path, "%s/twins/all.json", f.plant);
    gm_test_write_file(path, GM_STR("[{\"$dtId\":\"d0\",\"$metadata\":{\"$model\":\"dtmi:test:Device;1\"}},"
                                    "{\"$dtId\":\"d1\",\"$metadata\":{\"$model\":\"dtmi:test:Device;1\"}},"
                                    "{\"$dtId\":\"d2\",\"$metadata\":{\"$model\":\"dtmi:test:Device;1\"}},"
                                    "{\"$dtId\":\"d3\",\"$metadata\":{\"$model\":\"dtmi:test:Device;1\"}}]"));
    snprintf(path, sizeof path, "%s/gemel.conf", f.plant);
    gm_test_write_file(path, settings);
    f.sent = f.acknowledged_count = 0;
    f.acknowledged = calloc(MESSAGES_MAX, 1);
    assert_non_null(f.acknowledged);
    *state = &f;
    return 0;
}

// Many segments: kills meet their ends too.
static int set_up(void **state) { return set_up_with(state, GM_STR("log.segment_size = 1MiB\n")); }

static int set_up_checkpoints(void **state)
{
    return set_up_with(state, GM_STR("log.segment_size = 128KiB\ncheckpoint.log_size = 64KiB\n"));
}

static int tear_down(void **state)
{
    fixture *f = *state;
    gm_test_remove_dir(f->dir);
    free(f->acknowledged);
    return 0;
}

// ---- a device in raw bytes ------------------------------------------------------------------------------------------

typedef struct device {
    int      fd;
    uint16_t packet;
    uint64_t numbers[65536];   // by packet id: the message that waits for its acknowledgement
    uint32_t in_flight;
    gm_buf   out, in;
} device;

static bool write_all(device *d)
{
    size_t at = 0;
    while (at < d->out.len) {
        ssize_t n = send(d->fd, d->out.ptr + at, d->out.len - at, MSG_NOSIGNAL);
        if (n <= 0) return false;
        at += (size_t)n;
    }
    gm_buf_clear(&d->out);
    return true;
}

static void connect_device(device *d, const char *address)
{
    *d = (device) { .fd  = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                    .out = gm_buf_init(gm_alloc_system()),
                    .in  = gm_buf_init(gm_alloc_system()) };
    struct sockaddr_in to  = { .sin_family      = AF_INET,
                               .sin_port        = htons((uint16_t)atoi(strrchr(address, ':') + 1)),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int yes = 1;
    setsockopt(d->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(d->fd, (struct sockaddr *)&to, sizeof to) != 0)
        fail_msg("connecting to %s: %s", address, strerror(errno));
    static const uint8_t hello[] = { 0x10, 15, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 3, 'b', 'a', 'r' };
    gm_buf_add(&d->out, hello, sizeof hello);
    assert_true(write_all(d));
    uint8_t answer[4];
    assert_int_equal(recv(d->fd, answer, sizeof answer, MSG_WAITALL), 4);
    assert_int_equal(answer[0], 0x20);
    assert_int_equal(answer[3], 0);
}

static void close_device(device *d)
{
    close(d->fd);
    gm_buf_finish(&d->out);
    gm_buf_finish(&d->in);
}

// Fills the window with new messages. False when the connection has gone.
static bool send_more(fixture *f, device *d)
{
    while (d->in_flight < WINDOW && f->sent + 1 < MESSAGES_MAX) {
        do d->packet++;
        while (d->packet == 0 || d->numbers[d->packet] != 0);
        uint64_t number = ++f->sent;
        char     topic[40], payload[100], time[GM_TIME_TEXT];
        gm_time_format(BASE + (gm_time_ns)number * GM_SECOND, time);
        snprintf(topic, sizeof topic, "gemel/d%d/telemetry", (int)(number % TWINS));
        snprintf(payload, sizeof payload, "{\"n\":%" PRIu64 ",\"$time\":\"%s\"}", number, time);
        gm_mqtt_outgoing message = {
            .topic = gm_str_of(topic), .payload = gm_str_of(payload), .qos = 1, .packet_id = d->packet
        };
        gm_mqtt_write_publish(&d->out, 4, &message);
        d->numbers[d->packet] = number;
        d->in_flight++;
    }
    return write_all(d);
}

// Takes the acknowledgements that are there; waits a little for some. False when the connection has gone.
static bool take_acknowledgements(fixture *f, device *d)
{
    struct pollfd wait = { .fd = d->fd, .events = POLLIN };
    if (poll(&wait, 1, 1000) <= 0) return true;
    uint8_t *to = gm_buf_reserve(&d->in, 65536);
    ssize_t  n  = recv(d->fd, to, 65536, MSG_DONTWAIT);
    if (n <= 0) return false;
    d->in.len += (size_t)n;
    size_t at = 0;
    for (; at + 4 <= d->in.len; at += 4) {
        assert_int_equal(d->in.ptr[at], 0x40);  // PUBACK and nothing else
        uint16_t packet = (uint16_t)(d->in.ptr[at + 2] << 8 | d->in.ptr[at + 3]);
        uint64_t number = d->numbers[packet];
        assert_true(number > 0);
        f->acknowledged[number] = 1;
        f->acknowledged_count++;
        d->numbers[packet] = 0;
        d->in_flight--;
    }
    gm_buf_drop(&d->in, at);
    return true;
}

// ---- rounds ---------------------------------------------------------------------------------------------------------

// Publishes until so many more are acknowledged, then kills the server in the midst of it.
static void load_and_kill(fixture *f, uint64_t wanted)
{
    gm_served *s = gm_serve(f->plant, f->data, NULL, NULL);
    device    *d = malloc(sizeof *d);
    connect_device(d, s->mqtt);
    uint64_t until = f->acknowledged_count + wanted;
    while (f->acknowledged_count < until) {
        if (!send_more(f, d) || !take_acknowledgements(f, d))
            fail_msg("the server hung up by itself: " GM_STR_FMT, GM_STR_ARG(gm_buf_view(&s->child->err_text)));
    }
    assert_true(send_more(f, d));
    gm_child_kill(s->child);
    while (take_acknowledgements(f, d)) {}  // what was on its way when it died counts as acknowledged too
    close_device(d);
    free(d);
    gm_served_kill(s);
}

// Kills a server that has just been started, perhaps in the middle of its recovery.
static void start_and_kill(fixture *f)
{
    gm_child     *child = gm_child_start((const char *const[]) { "serve", f->plant, "--data", f->data, "--http",
                                                                 "127.0.0.1:0", "--mqtt", "127.0.0.1:0", NULL });
    struct pollfd wait = { .fd = child->err, .events = POLLIN };
    poll(&wait, 1, (int)(gm_test_random(&f->random) % 30));
    gm_child_free(child);
}

// ---- the account ----------------------------------------------------------------------------------------------------

// Marks every message in the history of a twin; none may be there twice or never have been sent.
static uint64_t mark_history(const fixture *f, gm_http *http, int twin, uint8_t *seen)
{
    char     path[400];
    uint64_t count = 0;
    snprintf(path, sizeof path, "/v1/history?twin=d%d&property=n", twin);
    for (bool more = true; more;) {
        gm_http_answer answer;
        gm_error       err;
        assert_gm_ok(gm_http_request(http, "GET", path, NULL, NULL, &answer, &err), err);
        assert_int_equal(answer.code, 200);
        const json_t *points = json_object_get(answer.body, "points");
        for (size_t i = 0; i < json_array_size(points); i++) {
            const json_t *point  = json_array_get(points, i);
            uint64_t      number = (uint64_t)json_integer_value(json_array_get(point, 1));
            gm_time_ns    at     = 0;
            gm_status     st     = gm_time_parse(gm_str_of(json_string_value(json_array_get(point, 0))), &at, NULL);
            if (number < 1 || number > f->sent || number % TWINS != (uint64_t)twin)
                fail_msg("message %" PRIu64 " was never sent to d%d", number, twin);
            if (st != GM_OK || at != BASE + (gm_time_ns)number * GM_SECOND)
                fail_msg("message %" PRIu64 " stands at another time", number);
            if (seen[number]) fail_msg("message %" PRIu64 " is there twice", number);
            seen[number] = 1;
            count++;
        }
        const char *next = json_string_value(json_object_get(answer.body, "nextLink"));
        more             = next != NULL;
        if (more) snprintf(path, sizeof path, "%s", next);
        gm_http_answer_finish(&answer);
    }
    return count;
}

static void expect_nothing_lost(const fixture *f)
{
    gm_served *s    = gm_serve(f->plant, f->data, NULL, NULL);
    uint8_t   *seen = calloc(MESSAGES_MAX, 1);
    gm_http   *http;
    gm_error   err;
    uint64_t   kept = 0, lost = 0;
    assert_gm_ok(gm_http_open(gm_alloc_system(), s->http, &http, &err), err);
    for (int twin = 0; twin < TWINS; twin++) kept += mark_history(f, http, twin, seen);
    for (uint64_t n = 1; n <= f->sent; n++) lost += f->acknowledged[n] && !seen[n];
    if (lost > 0) fail_msg("%" PRIu64 " of %" PRIu64 " acknowledged messages are lost", lost, f->acknowledged_count);
    print_message("%" PRIu64 " sent, %" PRIu64 " acknowledged, %" PRIu64 " kept\n", f->sent, f->acknowledged_count,
                  kept);
    gm_http_close(http);
    free(seen);
    assert_int_equal(gm_served_stop(s), 0);
}

static void live_and_die(fixture *f)
{
    int rounds = getenv("GM_DEEP") != NULL ? 300 : 30;
    for (int round = 0; round < rounds; round++) {
        if (gm_test_random(&f->random) % 4 == 0) start_and_kill(f);
        load_and_kill(f, 1 + gm_test_random(&f->random) % (round % 10 == 9 ? 20000 : 4000));
    }
    expect_nothing_lost(f);
}

static void what_was_acknowledged_survives_kill_nine_once(void **state) { live_and_die(*state); }

static bool holds_file(const fixture *f, const char *folder, const char *ending)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", f->data, folder);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    bool any = false;
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) any = any || strstr(entry->d_name, ending) != NULL;
    closedir(dir);
    return any;
}

static void it_survives_checkpoints_that_are_killed_too(void **state)
{
    fixture *f = *state;
    live_and_die(f);
    assert_true(holds_file(f, "checkpoint", ".ckpt") && holds_file(f, "history", ".hist"));
    assert_false(holds_file(f, "log", "00000000000000000001.log"));  // log was released on the way
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_acknowledged_survives_kill_nine_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_survives_checkpoints_that_are_killed_too, set_up_checkpoints, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
