// The last words of the server must arrive. A socket that is closed while bytes of its peer lie unread is reset, and
// the reset overtakes the DISCONNECT that says why. So the sending half is closed first, and what the peer still sends
// is thrown away until it closes, too, or its time is up.
#include "link/mqtt_internal.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINGERING_MAX = 1024, DISCARD = 64 << 10 };
#define LINGER_TIME (2 * GM_SECOND)

typedef struct gm_mqtt_lingering {
    struct gm_mqtt_lingering *next;
    gm_mqtt_server           *server;
    gm_watch                 *watch;
    gm_dur_ns                 until;
    int                       fd;
} lingering;

static void finish(lingering *l)
{
    gm_mqtt_server *server = l->server;
    lingering     **at     = &server->lingering;
    while (*at != l) at = &(*at)->next;
    *at = l->next;
    server->lingering_count--;
    gm_loop_remove(l->watch);
    close(l->fd);
    gm_free(server->alloc, l);
}

static void on_ready(void *context, uint32_t events)
{
    lingering *l = context;
    (void)events;
    // Nobody uses the scratch buffer between two calls of the loop.
    ssize_t n = recv(l->fd, l->server->scratch, DISCARD, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) finish(l);
}

bool gm_mqtt_linger(gm_mqtt_server *server, int fd)
{
    gm_error err;
    if (server->closing || server->lingering_count >= LINGERING_MAX) return false;
    lingering *l = gm_alloc_zeroed(server->alloc, sizeof *l);
    if (l == NULL) return false;
    *l = (lingering){ .server = server, .fd = fd, .until = server->now + LINGER_TIME };
    if (shutdown(fd, SHUT_WR) != 0 ||
        gm_loop_add(server->loop, fd, GM_LOOP_READ, on_ready, l, &l->watch, &err) != GM_OK) {
        gm_free(server->alloc, l);
        return false;
    }
    l->next           = server->lingering;
    server->lingering = l;
    server->lingering_count++;
    return true;
}

void gm_mqtt_linger_no_longer(gm_mqtt_server *server, gm_dur_ns than)
{
    for (lingering *l = server->lingering, *next; l != NULL; l = next) {
        next = l->next;
        if (l->until <= than) finish(l);
    }
}
