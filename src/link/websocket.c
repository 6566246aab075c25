// Frames are taken apart where they lie: what comes out of them is never longer than they were, so nothing has to be kept
// but the beginning of a header and the content of a control frame.
// Invariants: (1) between two calls `head` holds less than a whole header; (2) a frame under way out is finished before
// anything else is sent, so a reply waits for frame_left == 0.
#include "link/websocket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { CONTINUATION = 0, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };
enum { FIN = 0x80, RESERVED = 0x70, OPCODE = 0x0f, MASKED = 0x80, LENGTH = 0x7f, LENGTH_16 = 126, LENGTH_64 = 127 };
enum { HEAD_MAX = 14, CONTROL_MAX = 125 };

typedef struct websocket {
    gm_wire            wire;
    const gm_alloc    *alloc;
    int                fd;
    gm_websocket_over *over;
    void              *context;
    bool               ended;       // their close frame has come

    uint8_t            head[HEAD_MAX];
    size_t             head_len;
    bool               in_frame, in_message;
    uint64_t           left, position;  // of the frame's content
    uint8_t            control[CONTROL_MAX];
    size_t             control_len;

    uint8_t            out_head[HEAD_MAX];
    size_t             out_head_len, out_head_done;
    size_t             frame_left;
    uint8_t            reply[2 + CONTROL_MAX];  // a pong or a close that waits
    size_t             reply_len, reply_done;
} websocket;

static bool is_later(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

// ---- frames that come -----------------------------------------------------------------------------------------------
static size_t head_size(const websocket *w)
{
    uint8_t length = w->head[1] & LENGTH;
    return 2 + (length == LENGTH_64 ? 8u : length == LENGTH_16 ? 2u : 0u) + 4;
}

static bool is_control(const websocket *w) { return (w->head[0] & OPCODE) >= CLOSE; }

static uint64_t content_size(const websocket *w)
{
    uint8_t  length = w->head[1] & LENGTH;
    size_t   bytes  = head_size(w) - 6;
    uint64_t size   = bytes == 0 ? length : 0;
    for (size_t i = 0; i < bytes; i++) size = size << 8 | w->head[2 + i];
    return size;
}

// RFC 6455, sections 5.2 to 5.5; text is refused by [MQTT-6.0.0-1].
static bool head_is_right(const websocket *w)
{
    uint8_t opcode = w->head[0] & OPCODE;
    bool    whole  = (w->head[0] & FIN) != 0;
    if ((w->head[0] & RESERVED) != 0 || (w->head[1] & MASKED) == 0) return false;
    if (opcode == CLOSE || opcode == PING || opcode == PONG) return whole && (w->head[1] & LENGTH) <= CONTROL_MAX;
    return opcode == (w->in_message ? CONTINUATION : BINARY);
}

// Takes a byte of a header. False: it breaks a rule.
static bool take_head(websocket *w, uint8_t byte)
{
    w->head[w->head_len++] = byte;
    if (w->head_len < 2) return true;
    if (w->head_len == 2 && !head_is_right(w)) return false;
    if (w->head_len < head_size(w)) return true;
    w->left        = content_size(w);
    w->position    = 0;
    w->control_len = 0;
    w->in_frame    = true;
    w->head_len    = 0;  // the bytes stay readable until the next header begins
    return w->left >> 63 == 0;
}

// One of ours that has not begun to leave gives way: only the newest ping wants an answer, and a close is the last word.
static void reply(websocket *w, uint8_t opcode, const uint8_t *bytes, size_t n)
{
    if (w->reply_done > 0) return;
    w->reply[0] = (uint8_t)(FIN | opcode);
    w->reply[1] = (uint8_t)n;
    if (n > 0) memcpy(w->reply + 2, bytes, n);
    w->reply_len = 2 + n;
}

static void end_frame(websocket *w)
{
    uint8_t opcode = w->head[0] & OPCODE;
    w->in_frame    = false;
    if (opcode == PING) reply(w, PONG, w->control, w->control_len);
    if (opcode == CLOSE) {
        reply(w, CLOSE, w->control, w->control_len < 2 ? 0 : 2);
        w->ended = true;
    }
    if (!is_control(w)) w->in_message = (w->head[0] & FIN) == 0;
}

// Takes n bytes apart; the content of data frames is moved to their beginning. GM_WIRE_BROKEN: they break a rule.
static ptrdiff_t take(websocket *w, uint8_t *bytes, size_t n)
{
    size_t out = 0;
    for (size_t at = 0; at < n && !w->ended;) {
        if (!w->in_frame) {
            if (!take_head(w, bytes[at++])) return GM_WIRE_BROKEN;
            if (w->in_frame && w->left == 0) end_frame(w);
            continue;
        }
        const uint8_t *mask  = w->head + head_size(w) - 4;
        size_t         part  = n - at < w->left ? n - at : (size_t)w->left;
        uint8_t       *to    = is_control(w) ? w->control + w->control_len : bytes + out;
        for (size_t i = 0; i < part; i++) to[i] = bytes[at + i] ^ mask[(w->position + i) & 3];
        if (is_control(w)) w->control_len += part;
        else out += part;
        at += part;
        w->position += part;
        w->left -= part;
        if (w->left == 0) end_frame(w);
    }
    return (ptrdiff_t)out;
}

// ---- the wire -------------------------------------------------------------------------------------------------------
static bool in_frame_out(const websocket *w) { return w->frame_left > 0 || w->out_head_done < w->out_head_len; }

// Keeps (2). False: the socket takes no more.
static bool send_reply(websocket *w)
{
    if (w->reply_len == 0 || in_frame_out(w)) return w->reply_len == 0;
    ssize_t sent = send(w->fd, w->reply + w->reply_done, w->reply_len - w->reply_done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) w->reply_done += (size_t)sent;
    if (w->reply_done < w->reply_len) return false;
    w->reply_len = w->reply_done = 0;
    return true;
}

static ptrdiff_t ws_read(gm_wire *wire, void *to, size_t n)
{
    websocket *w = (websocket *)wire;
    for (;;) {
        (void)send_reply(w);
        if (w->ended) return GM_WIRE_END;
        ssize_t got = recv(w->fd, to, n, MSG_DONTWAIT);
        if (got == 0) return GM_WIRE_END;
        if (got < 0) return is_later(errno) ? GM_WIRE_LATER : GM_WIRE_BROKEN;
        ptrdiff_t content = take(w, to, (size_t)got);
        // The descriptor has to tell of the end once more, when this content has been looked at.
        if (w->ended && content > 0) shutdown(w->fd, SHUT_RD);
        if (content != 0) return content;
    }
}

static void begin_frame(websocket *w, size_t n)
{
    size_t bytes   = n < LENGTH_16 ? 0 : n <= UINT16_MAX ? 2 : 8;
    w->out_head[0] = FIN | BINARY;
    w->out_head[1] = bytes == 0 ? (uint8_t)n : bytes == 2 ? LENGTH_16 : LENGTH_64;
    for (size_t i = 0; i < bytes; i++) w->out_head[2 + i] = (uint8_t)((uint64_t)n >> (8 * (bytes - 1 - i)));
    w->out_head_len  = 2 + bytes;
    w->out_head_done = 0;
    w->frame_left    = n;
}

static ptrdiff_t ws_write(gm_wire *wire, const void *from, size_t n)
{
    websocket *w = (websocket *)wire;
    if (w->ended) return GM_WIRE_BROKEN;
    if (!in_frame_out(w)) {
        if (!send_reply(w)) return GM_WIRE_LATER;
        begin_frame(w, n);
    }
    size_t head = w->out_head_len - w->out_head_done, part = n < w->frame_left ? n : w->frame_left;
    union { const void *from; void *to; } content = { .from = from };
    struct iovec  pieces[] = { { w->out_head + w->out_head_done, head }, { content.to, part } };
    struct msghdr message  = { .msg_iov = pieces, .msg_iovlen = 2 };
    ssize_t       sent;
    do sent = sendmsg(w->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent < 0) return is_later(errno) ? GM_WIRE_LATER : GM_WIRE_BROKEN;
    size_t of_head = (size_t)sent < head ? (size_t)sent : head;
    w->out_head_done += of_head;
    w->frame_left -= (size_t)sent - of_head;
    return (size_t)sent > of_head ? sent - (ssize_t)of_head : GM_WIRE_LATER;
}

static bool ws_wants_write(const gm_wire *wire) { return ((const websocket *)wire)->reply_len > 0; }

static void ws_close(gm_wire *wire)
{
    static const uint8_t normal[] = { 0x03, 0xe8 };  // 1000
    websocket           *w        = (websocket *)wire;
    if (!w->ended) reply(w, CLOSE, normal, sizeof normal);
    (void)send_reply(w);  // as far as it goes: the socket is closed next
    if (w->over != NULL) w->over(w->context);
    gm_free(w->alloc, w);
}

gm_wire *gm_wire_of_websocket(const gm_alloc *alloc, int fd, gm_websocket_over *over, void *context)
{
    static const gm_wire_calls calls = { ws_read, ws_write, ws_wants_write, ws_close };
    websocket                 *w     = gm_alloc_zeroed(alloc, sizeof *w);
    if (w == NULL) return NULL;
    *w = (websocket){ .wire = { &calls }, .alloc = alloc, .fd = fd, .over = over, .context = context };
    return &w->wire;
}
