#include "base/wire.h"

#include <errno.h>
#include <sys/socket.h>

typedef struct plain {
    gm_wire       wire;
    const gm_alloc *alloc;
    int             fd;
} plain;

static bool is_later(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

static ptrdiff_t plain_read(gm_wire *wire, void *to, size_t n)
{
    ssize_t got = recv(((plain *)wire)->fd, to, n, MSG_DONTWAIT);
    if (got >= 0) return got;  // 0 is GM_WIRE_END
    return is_later(errno) ? GM_WIRE_LATER : GM_WIRE_BROKEN;
}

static ptrdiff_t plain_write(gm_wire *wire, const void *from, size_t n)
{
    ssize_t sent;
    do sent = send(((plain *)wire)->fd, from, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent >= 0) return sent;
    return is_later(errno) ? GM_WIRE_LATER : GM_WIRE_BROKEN;
}

static bool plain_wants_write(const gm_wire *wire)
{
    (void)wire;
    return false;
}

static void plain_close(gm_wire *wire)
{
    plain *p = (plain *)wire;
    gm_free(p->alloc, p);
}

gm_wire *gm_wire_of_socket(const gm_alloc *alloc, int fd)
{
    static const gm_wire_calls calls = { plain_read, plain_write, plain_wants_write, plain_close };
    plain                       *p     = gm_alloc_zeroed(alloc, sizeof *p);
    if (p == NULL) return NULL;
    *p = (plain){ .wire = { &calls }, .alloc = alloc, .fd = fd };
    return &p->wire;
}
