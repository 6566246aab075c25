#include "physics/fmi/protocol.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

const char *gm_fmu_op_text(gm_fmu_op op)
{
    static const char *const texts[] = {
#define X(name, text) text,
        GM_FMU_OP_LIST(X)
#undef X
    };
    assert(op < GM_FMU_OP_COUNT);
    return texts[op];
}

void gm_fmu_put_u8(gm_buf *out, uint8_t value) { gm_buf_byte(out, value); }

void gm_fmu_put_u32(gm_buf *out, uint32_t value)
{
    uint8_t bytes[4];
    gm_put_u32(bytes, value);
    gm_buf_add(out, bytes, sizeof bytes);
}

void gm_fmu_put_f64(gm_buf *out, double value)
{
    uint8_t bytes[8];
    gm_put_f64(bytes, value);
    gm_buf_add(out, bytes, sizeof bytes);
}

void gm_fmu_put_text(gm_buf *out, gm_str text)
{
    gm_fmu_put_u32(out, (uint32_t)text.len);
    gm_buf_str(out, text);
}

static gm_status send_all(int fd, const uint8_t *bytes, size_t n, gm_error *err)
{
    while (n > 0) {
        ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return gm_fail_os(err, errno, "fmi.protocol", "the FMU's process does not listen");
        bytes += sent;
        n -= (size_t)sent;
    }
    return GM_OK;
}

gm_status gm_fmu_send(int fd, gm_fmu_frame frame, const void *bytes, size_t n, gm_error *err)
{
    if (n >= GM_FMU_FRAME_MAX) {
        return gm_fail(err, GM_LIMIT, "fmi.protocol", "%zu bytes in one call; at most %d", n, GM_FMU_FRAME_MAX);
    }
    uint8_t head[5];
    gm_put_u32(head, (uint32_t)n + 1);
    head[4]      = (uint8_t)frame;
    gm_status st = send_all(fd, head, sizeof head, err);
    return st == GM_OK && n > 0 ? send_all(fd, bytes, n, err) : st;
}

// Reads exactly n bytes. deadline < 0: none.
static gm_status receive_all(int fd, const gm_clock *clock, gm_dur_ns deadline, uint8_t *bytes, size_t n, gm_error *err)
{
    while (n > 0) {
        ssize_t got = recv(fd, bytes, n, deadline >= 0 ? MSG_DONTWAIT : 0);
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            gm_dur_ns     left  = deadline - gm_monotonic(clock);
            struct pollfd watch = { .fd = fd, .events = POLLIN };
            if (left <= 0) return gm_fail(err, GM_LIMIT, "fmi.protocol", "no answer in time");
            gm_dur_ns wait_ms = left / GM_MILLISECOND + 1;
            int       ready   = poll(&watch, 1, wait_ms > 60000 ? 60000 : (int)wait_ms);
            if (ready >= 0 || errno == EINTR) continue;
            return gm_fail_os(err, errno, "fmi.protocol", "waiting for the other process");
        }
        if (got < 0 && errno == EINTR) continue;
        if (got == 0) return gm_fail(err, GM_IO, "fmi.protocol", "the other process has ended");
        if (got < 0) return gm_fail_os(err, errno, "fmi.protocol", "reading from the other process");
        bytes += got;
        n -= (size_t)got;
    }
    return GM_OK;
}

gm_status gm_fmu_receive(int fd, const gm_clock *clock, gm_dur_ns limit, gm_fmu_frame *out_frame, gm_buf *bytes, gm_error *err)
{
    gm_dur_ns deadline = limit < 0 ? -1 : gm_monotonic(clock) + limit;
    uint8_t   head[5];
    gm_buf_clear(bytes);
    gm_status st = receive_all(fd, clock, deadline, head, sizeof head, err);
    if (st != GM_OK) return st;
    uint32_t size = gm_get_u32(head);
    if (size == 0 || head[4] > GM_FMU_FRAME_BROKEN) return gm_fail(err, GM_CORRUPT, "fmi.protocol", "a malformed frame");
    if (size > GM_FMU_FRAME_MAX) return gm_fail(err, GM_LIMIT, "fmi.protocol", "a frame of %u bytes", (unsigned)size);
    uint8_t *to = gm_buf_reserve(bytes, size - 1);
    if (to == NULL) return gm_fail(err, GM_NOMEM, "fmi.protocol", "a frame of %u bytes", (unsigned)size);
    st = receive_all(fd, clock, deadline, to, size - 1, err);
    if (st != GM_OK) return st;
    bytes->len = size - 1;
    *out_frame = (gm_fmu_frame)head[4];
    return GM_OK;
}

const uint8_t *gm_fmu_take(gm_fmu_reader *r, size_t n)
{
    if (r->bad || n > r->left) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *at = r->at;
    if (n > 0) r->at += n;
    r->left -= n;
    return at;
}

uint8_t gm_fmu_take_u8(gm_fmu_reader *r)
{
    const uint8_t *at = gm_fmu_take(r, 1);
    return at != NULL ? *at : 0;
}

uint32_t gm_fmu_take_u32(gm_fmu_reader *r)
{
    const uint8_t *at = gm_fmu_take(r, 4);
    return at != NULL ? gm_get_u32(at) : 0;
}

double gm_fmu_take_f64(gm_fmu_reader *r)
{
    const uint8_t *at = gm_fmu_take(r, 8);
    return at != NULL ? gm_get_f64(at) : 0;
}

gm_str gm_fmu_take_text(gm_fmu_reader *r)
{
    uint32_t       n  = gm_fmu_take_u32(r);
    const uint8_t *at = gm_fmu_take(r, n);
    return at != NULL ? (gm_str){ (const char *)at, n } : (gm_str){ NULL, 0 };
}
