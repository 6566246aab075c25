// MQTT over WebSocket, from inside: frames as RFC 6455 has them, by the statements [MQTT-6.0.0-n].
#include "link/websocket.h"

#include "base/buf.h"
#include "support/support.h"

#include <sys/socket.h>
#include <unistd.h>

typedef struct pair { int ours, theirs, overs; gm_wire *wire; } pair;

static void on_over(void *context) { ((pair *)context)->overs++; }

static void open_pair(pair *p)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    *p      = (pair){ .ours = fds[0], .theirs = fds[1] };
    p->wire = gm_wire_of_websocket(gm_alloc_system(), fds[0], on_over, p);
    assert_non_null(p->wire);
}

static void close_pair(pair *p)
{
    gm_wire_close(p->wire);
    assert_int_equal(p->overs, 1);
    close(p->ours);
    close(p->theirs);
}

static void say(pair *p, const void *bytes, size_t n) { assert_int_equal(write(p->theirs, bytes, n), n); }

// What the peer has got by now is exactly this.
static void expect(pair *p, const void *bytes, size_t n)
{
    uint8_t got[256];
    ssize_t have = recv(p->theirs, got, sizeof got, MSG_DONTWAIT);
    assert_int_equal(have, n);
    assert_memory_equal(got, bytes, n);
}

static void put_frame(gm_buf *out, uint8_t first, const void *bytes, size_t n, uint32_t mask)
{
    const uint8_t m[4] = { (uint8_t)(mask >> 24), (uint8_t)(mask >> 16), (uint8_t)(mask >> 8), (uint8_t)mask };
    gm_buf_byte(out, first);
    gm_buf_byte(out, (uint8_t)(0x80 | (n < 126 ? n : n <= UINT16_MAX ? 126 : 127)));
    for (int i = n < 126 ? 0 : n <= UINT16_MAX ? 2 : 8; i > 0; i--) gm_buf_byte(out, (uint8_t)((uint64_t)n >> 8 * (i - 1)));
    gm_buf_add(out, m, 4);
    for (size_t i = 0; i < n; i++) gm_buf_byte(out, ((const uint8_t *)bytes)[i] ^ m[i & 3]);
}

// Packets may lie in frames, and frames in pieces, however they like.
static void content_is_the_same_wherever_frames_and_reads_are_cut__MQTT_6_0_0_2(void **state)
{
    (void)state;
    uint64_t base = gm_test_seed();
    for (uint64_t seed = 1; seed <= 200; seed++) {
        uint64_t rng = base + seed;
        gm_buf sent = gm_buf_init(gm_alloc_system()), stream = gm_buf_init(gm_alloc_system()), got = gm_buf_init(gm_alloc_system());
        bool   open = false;
        for (int frames = 0; frames < 12; frames++) {
            static uint8_t bytes[70000];
            size_t n = gm_test_random(&rng) % (seed % 9 == 0 ? sizeof bytes : 300);
            for (size_t i = 0; i < n; i++) bytes[i] = (uint8_t)gm_test_random(&rng);
            bool last = frames == 11 || gm_test_random(&rng) % 2 == 0;
            put_frame(&stream, (uint8_t)((last ? 0x80 : 0) | (open ? 0 : 2)), bytes, n, (uint32_t)gm_test_random(&rng));
            gm_buf_add(&sent, bytes, n);
            open = !last;
            if (gm_test_random(&rng) % 3 == 0) put_frame(&stream, 0x8a, "pong", 4, 7);  // control frames come in between
        }
        pair p;
        open_pair(&p);
        for (size_t at = 0; at < stream.len;) {
            size_t part = 1 + gm_test_random(&rng) % 5000;
            if (part > stream.len - at) part = stream.len - at;
            say(&p, stream.ptr + at, part);
            at += part;
            static uint8_t room[GM_WIRE_READ_MIN];
            ptrdiff_t      n;
            while ((n = gm_wire_read(p.wire, room, sizeof room)) > 0) gm_buf_add(&got, room, (size_t)n);
            if (n != GM_WIRE_LATER) fail_msg("seed %llu: %td after %zu bytes", (unsigned long long)seed, n, at);
        }
        assert_int_equal(got.len, sent.len);
        assert_memory_equal(got.ptr, sent.ptr, sent.len);
        close_pair(&p);
        gm_buf_finish(&sent);
        gm_buf_finish(&stream);
        gm_buf_finish(&got);
    }
}

static void frames_that_break_a_rule_end_the_connection__MQTT_6_0_0_1(void **state)
{
    (void)state;
    static const struct { const char *why; uint8_t bytes[12]; size_t n; } cases[] = {
        { "text",                    { 0x81, 0x81, 1, 2, 3, 4, 'a' }, 7 },
        { "not masked",              { 0x82, 0x01, 'a' }, 3 },
        { "a reserved bit",          { 0xc2, 0x81, 1, 2, 3, 4, 'a' }, 7 },
        { "an unknown opcode",       { 0x83, 0x81, 1, 2, 3, 4, 'a' }, 7 },
        { "nothing to continue",     { 0x80, 0x81, 1, 2, 3, 4, 'a' }, 7 },
        { "a ping in parts",         { 0x09, 0x80, 1, 2, 3, 4 }, 6 },
        { "a long ping",             { 0x89, 0xfe, 0, 200 }, 4 },
        { "a length beyond 63 bits", { 0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2 }, 12 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static uint8_t room[GM_WIRE_READ_MIN];
        pair           p;
        open_pair(&p);
        say(&p, cases[i].bytes, cases[i].n);
        if (cases[i].n == sizeof cases[i].bytes) say(&p, "\3\4", 2);  // the rest of its mask
        if (gm_wire_read(p.wire, room, sizeof room) != GM_WIRE_BROKEN) fail_msg("%s is let through", cases[i].why);
        close_pair(&p);
    }
}

static void pings_are_answered_and_a_close_is_the_end(void **state)
{
    (void)state;
    static uint8_t room[GM_WIRE_READ_MIN];
    gm_buf         out = gm_buf_init(gm_alloc_system());
    pair           p;
    open_pair(&p);
    put_frame(&out, 0x89, "hello", 5, 0x01020304);
    say(&p, out.ptr, out.len);
    assert_int_equal(gm_wire_read(p.wire, room, sizeof room), GM_WIRE_LATER);
    expect(&p, "\x8a\5hello", 7);
    gm_buf_clear(&out);
    put_frame(&out, 0x82, "x", 1, 0);
    put_frame(&out, 0x88, "\x03\xe9 away", 7, 0xffffffff);
    put_frame(&out, 0x82, "after the end", 13, 0);
    say(&p, out.ptr, out.len);
    assert_int_equal(gm_wire_read(p.wire, room, sizeof room), 1);
    assert_int_equal(gm_wire_read(p.wire, room, sizeof room), GM_WIRE_END);
    expect(&p, "\x88\2\x03\xe9", 4);
    assert_int_equal(gm_wire_write(p.wire, "late", 4), GM_WIRE_BROKEN);
    close_pair(&p);
    gm_buf_finish(&out);
}

static void the_wires_own_end_is_told(void **state)
{
    (void)state;
    pair p;
    open_pair(&p);
    assert_int_equal(gm_wire_write(p.wire, "abc", 3), 3);
    expect(&p, "\x82\3abc", 5);
    gm_wire_close(p.wire);
    expect(&p, "\x88\2\x03\xe8", 4);
    close(p.ours);
    close(p.theirs);
}

// A socket that takes little at a time: the stream is still whole frames, and a ping is answered between two of them.
static void what_a_full_socket_leaves_over_is_sent_later(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20 };
    static uint8_t bytes[SIZE], got[SIZE + 64], room[GM_WIRE_READ_MIN];
    for (size_t i = 0; i < SIZE; i++) bytes[i] = (uint8_t)(i * 7 + (i >> 8));
    gm_buf ping = gm_buf_init(gm_alloc_system());
    put_frame(&ping, 0x89, "", 0, 9);
    pair p;
    open_pair(&p);
    size_t done = 0, have = 0;
    bool   asked = false;
    while (done < SIZE || have < SIZE + 12) {
        ptrdiff_t n = done < SIZE ? gm_wire_write(p.wire, bytes + done, SIZE - done) : GM_WIRE_LATER;
        if (n > 0) done += (size_t)n;
        else assert_int_equal(n, GM_WIRE_LATER);
        if (!asked && done > 0) {
            say(&p, ping.ptr, ping.len);
            assert_int_equal(gm_wire_read(p.wire, room, sizeof room), GM_WIRE_LATER);
            assert_true(gm_wire_wants_write(p.wire));
            asked = true;
        }
        if (done == SIZE) (void)!gm_wire_read(p.wire, room, sizeof room);  // what a writable descriptor brings about
        ssize_t part = recv(p.theirs, got + have, sizeof got - have, MSG_DONTWAIT);
        if (part > 0) have += (size_t)part;
    }
    assert_memory_equal(got, "\x82\x7f\0\0\0\0\0\x10\0\0", 10);
    assert_memory_equal(got + 10, bytes, SIZE);
    assert_memory_equal(got + 10 + SIZE, "\x8a\0", 2);
    assert_false(gm_wire_wants_write(p.wire));
    close_pair(&p);
    gm_buf_finish(&ping);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_is_the_same_wherever_frames_and_reads_are_cut__MQTT_6_0_0_2),
        cmocka_unit_test(frames_that_break_a_rule_end_the_connection__MQTT_6_0_0_1),
        cmocka_unit_test(pings_are_answered_and_a_close_is_the_end),
        cmocka_unit_test(the_wires_own_end_is_told),
        cmocka_unit_test(what_a_full_socket_leaves_over_is_sent_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
