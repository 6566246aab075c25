// base/wire.h: bytes to and from a peer, whatever lies between: a plain socket, TLS (access/tls.h), others on top.
//
//   gm_wire *wire = gm_wire_of_socket(alloc, fd);
//   ptrdiff_t n = gm_wire_read(wire, bytes, sizeof bytes);   // > 0: bytes; else why there are none
//   if (gm_wire_wants_write(wire)) ...                       // before it can be read it has to be written to
//   gm_wire_close(wire);
//
// Non-blocking: a call does what is possible at once. The descriptor stays the caller's, who watches and closes it.
#ifndef GM_BASE_WIRE_H
#define GM_BASE_WIRE_H

#include "base/alloc.h"

typedef struct gm_wire gm_wire;

enum {
    GM_WIRE_END    = 0,   // the peer has ended it in order
    GM_WIRE_LATER  = -1,  // nothing now: wait for the descriptor
    GM_WIRE_BROKEN = -2   // the connection is of no use any more
};

// No read asks for less: whatever a wire has taken apart fits, so that nothing is left inside where no descriptor
// would tell of it.
enum { GM_WIRE_READ_MIN = 16 << 10 };

// What a kind of wire does; the first member of its struct.
typedef struct gm_wire_calls {
    ptrdiff_t (*read)(gm_wire *wire, void *to, size_t n);
    ptrdiff_t (*write)(gm_wire *wire, const void *from, size_t n);
    bool (*wants_write)(const gm_wire *wire);
    void (*close)(gm_wire *wire);
} gm_wire_calls;
struct gm_wire { const gm_wire_calls *calls; };

// n >= GM_WIRE_READ_MIN. Returns the number of bytes or one of the values above.
static inline ptrdiff_t gm_wire_read(gm_wire *wire, void *to, size_t n) { return wire->calls->read(wire, to, n); }

// Returns how many of the bytes were taken, GM_WIRE_LATER or GM_WIRE_BROKEN. After LATER the next call begins with
// the same bytes (more may follow them).
static inline ptrdiff_t gm_wire_write(gm_wire *wire, const void *from, size_t n)
{
    return wire->calls->write(wire, from, n);
}

// Does it wait for the descriptor to become writable, although nobody has something to write (a handshake)?
static inline bool gm_wire_wants_write(const gm_wire *wire) { return wire->calls->wants_write(wire); }

// Tells the peer that nothing more comes, where there is a way to say so, and releases. NULL is allowed.
static inline void gm_wire_close(gm_wire *wire)
{
    if (wire != NULL) wire->calls->close(wire);
}

// A connected socket. NULL: memory refused.
GM_NODISCARD gm_wire *gm_wire_of_socket(const gm_alloc *alloc, int fd);

#endif
