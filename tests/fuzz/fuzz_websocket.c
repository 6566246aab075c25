// WebSocket frames: whatever comes, what is read is never longer than what was sent, and the wire ends or waits.
#include "link/websocket.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { PART_MAX = 4096 };
    static uint8_t room[GM_WIRE_READ_MIN];
    int            fds[2];
    size_t         content = 0, part = size > 0 ? 1 + data[0] % 64 : 1;  // the first byte also says how it is cut
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) abort();
    gm_wire *wire = gm_wire_of_websocket(gm_alloc_system(), fds[0], NULL, NULL);
    if (wire == NULL) abort();
    ptrdiff_t n = GM_WIRE_LATER;
    for (size_t at = 0; at < size && size < PART_MAX && n == GM_WIRE_LATER; at += part) {
        if (write(fds[1], data + at, part < size - at ? part : size - at) < 0) break;
        while ((n = gm_wire_read(wire, room, sizeof room)) > 0) content += (size_t)n;
    }
    if (content > size || (n != GM_WIRE_LATER && n != GM_WIRE_END && n != GM_WIRE_BROKEN)) abort();
    gm_wire_close(wire);
    close(fds[0]);
    close(fds[1]);
    return 0;
}
