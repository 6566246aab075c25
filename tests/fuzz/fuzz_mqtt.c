// Bytes of two clients against a real endpoint. The input is cut at 0xfe 0xfe: the first piece goes to one connection,
// the second to another, and so on in turn; both begin with a CONNECT unless the input's first byte says otherwise.
// What the server answers must be packets that its own codec reads.
#include "link/mqtt_internal.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char            folder[64];
static gm_loop        *loop;
static gm_engine      *engine;
static gm_mqtt_server *server;
static gm_io           io;
static _Atomic gm_dur_ns ahead;  // the commit thread looks at the clock, too

static gm_status no_sync(gm_file *file, gm_error *err)
{
    (void)file, (void)err;
    return GM_OK;  // nothing here has to survive a power cut
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

static void remove_folder(void) { nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS); }

static void check(gm_status st, const gm_error *err)
{
    if (st == GM_OK) return;
    fprintf(stderr, "%s\n", err->text);
    abort();
}

static gm_time_ns now(void *context)
{
    (void)context;
    return gm_now(gm_clock_system()) + ahead;
}

static gm_dur_ns monotonic(void *context)
{
    (void)context;
    return gm_monotonic(gm_clock_system()) + ahead;
}

static void start(void)
{
    static const gm_clock clock = { .now = now, .monotonic = monotonic };
    static const char     model[] =
        "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:f:P;1\",\"@type\":\"Interface\",\"contents\":["
        "{\"@type\":\"Telemetry\",\"name\":\"t\",\"schema\":\"double\"},"
        "{\"@type\":\"Property\",\"name\":\"s\",\"schema\":\"string\"}]}";
    gm_error         err = { 0 };
    gm_dead_letters *letters;
    gm_retained     *retained;
    gm_creator      *creator;
    gm_str           none = { "", 0 };
    const gm_alloc  *alloc = gm_alloc_system();
    snprintf(folder, sizeof folder, "/tmp/gemel-fuzz-XXXXXX");
    if (mkdtemp(folder) == NULL) abort();
    atexit(remove_folder);
    io      = *gm_io_system();
    io.sync = no_sync;
    check(gm_loop_create(alloc, &clock, &loop, &err), &err);
    gm_engine_options eo = {
        .alloc = alloc, .io = &io, .clock = &clock, .loop = loop, .data_dir = folder, .log = gm_log_options_defaults()
    };
    eo.log.batch_limit   = 1 << 20;
    check(gm_engine_open(&eo, &engine, &err), &err);
    check(gm_dead_letters_create(alloc, &clock, engine, &letters, &err), &err);
    check(gm_retained_create(alloc, engine, &retained, &err), &err);
    check(gm_creator_create(alloc, engine, &creator, &err), &err);
    check(gm_engine_recover(engine, &err), &err);
    check(gm_engine_submit(engine, GM_CHANGE_MODELS, 0, none, none, gm_str_of(model), (gm_ask){ 0 }, &err), &err);
    check(gm_engine_settle(engine, &err), &err);
    check(gm_engine_twin_put(engine, (gm_twin) { GM_NONE }, GM_STR("p"),
                             gm_model_find(gm_engine_model(engine), GM_STR("dtmi:f:P;1")), NULL, 0, (gm_ask) { 0 },
                             NULL, &err),
          &err);
    gm_mqtt_server_options o = gm_mqtt_server_options_defaults();
    o.alloc        = alloc;
    o.loop         = loop;
    o.engine       = engine;
    o.dead_letters = letters;
    o.retained     = retained;
    o.creator      = creator;
    o.clock        = &clock;
    o.address      = GM_STR("127.0.0.1:0");
    check(gm_mqtt_server_create(&o, &server, &err), &err);
}

static void tick(void *context)
{
    *(bool *)context = true;
}

static void turns(void)
{
    gm_error err;
    for (int i = 0; i < 2; i++) {
        bool      fired = false;
        gm_timer *timer;
        check(gm_loop_after(loop, 0, tick, &fired, &timer, &err), &err);
        while (!fired) check(gm_loop_turn(loop, &err), &err);
    }
}

// Everything that came back is whole packets, or the beginning of one.
static void check_answers(int fd)
{
    static uint8_t bytes[1 << 21];
    size_t         n = 0;
    for (ssize_t got; n < sizeof bytes && (got = recv(fd, bytes + n, sizeof bytes - n, MSG_DONTWAIT)) > 0;)
        n += (size_t)got;
    for (size_t at = 0; at < n;) {
        gm_mqtt_frame frame;
        gm_mqtt_fault fault;
        gm_mqtt_sight sight = gm_mqtt_look(bytes + at, n - at, sizeof bytes, &frame, &fault);
        if (sight == GM_MQTT_BROKEN) abort();
        if (sight == GM_MQTT_MORE) break;
        at += frame.size;
    }
}

static const uint8_t *next_cut(const uint8_t *at, const uint8_t *end)
{
    for (; end - at >= 2; at++) {
        if (at[0] == 0xfe && at[1] == 0xfe) return at;
    }
    return end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const greetings[2][2] = {
        { "\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01"
          "a",
          "\x10\x0d\x00\x04MQTT\x04\x00\x00\x3c\x00\x01"
          "b" },
        { "\x10\x0e\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x01"
          "a",
          "\x10\x13\x00\x04MQTT\x05\x00\x00\x3c\x05\x11\x00\x00\x00\x09\x00\x01"
          "b" },
    };
    static const size_t greeting_sizes[2][2] = { { 15, 15 }, { 16, 21 } };
    if (server == NULL) start();
    if (size == 0) return 0;
    int     fds[2];
    uint8_t how = data[0];
    for (int i = 0; i < 2; i++) {
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0) abort();
        gm_mqtt_connection_accept(server, pair[0], gm_wire_of_socket(gm_alloc_system(), pair[0]));
        fds[i] = pair[1];
        int v5 = how >> i & 1;
        if ((how & 0x40) == 0 && send(fds[i], greetings[v5][i], greeting_sizes[v5][i], MSG_NOSIGNAL) < 0) abort();
    }
    const uint8_t *at = data + 1, *end = data + size;
    for (int who = 0; at < end; who ^= 1) {
        const uint8_t *cut = next_cut(at, end);
        if (cut > at) (void)!send(fds[who], at, (size_t)(cut - at), MSG_NOSIGNAL);
        turns();
        check_answers(fds[who]);
        at = cut + 2 <= end ? cut + 2 : end;
    }
    if (how & 0x20) ahead += 20 * GM_SECOND;
    turns();
    for (int i = 0; i < 2; i++) {
        check_answers(fds[i]);
        close(fds[i]);
    }
    ahead += 8 * GM_DAY;  // sessions end: an input finds what the one before has found
    turns();
    return 0;
}
