#include "base/address.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

// "HOST:PORT" into two C strings; brackets around an IPv6 host are taken off.
static gm_status split(gm_str address, char host[256], char port[8], gm_error *err)
{
    size_t colon = SIZE_MAX;
    for (size_t i = 0; i < address.len; i++) {
        if (address.ptr[i] == ':') colon = i;
    }
    gm_str host_part = gm_str_slice(address, 0, colon);
    gm_str port_part = colon == SIZE_MAX ? (gm_str){ 0 } : gm_str_slice(address, colon + 1, address.len);
    if (host_part.len >= 2 && host_part.ptr[0] == '[' && host_part.ptr[host_part.len - 1] == ']') {
        host_part = gm_str_slice(host_part, 1, host_part.len - 1);
    }
    unsigned number = 0;
    bool     bad    = port_part.len == 0 || port_part.len > 5 || host_part.len > 255 || gm_str_find_char(host_part, '\0') != SIZE_MAX;
    for (size_t i = 0; !bad && i < port_part.len; i++) {
        bad    = port_part.ptr[i] < '0' || port_part.ptr[i] > '9';
        number = number * 10 + (unsigned)(port_part.ptr[i] - '0');
    }
    if (bad || number > 65535) {
        return gm_fail(err, GM_INVALID, "base.address", "'" GM_STR_FMT "' is not HOST:PORT with a port from 0 to 65535",
                       GM_STR_ARG(address));
    }
    snprintf(host, 256, GM_STR_FMT, GM_STR_ARG(host_part));
    snprintf(port, 8, "%u", number);
    return GM_OK;
}

static gm_status open_socket(const struct addrinfo *at, int backlog, gm_str address, int *out_fd, gm_error *err)
{
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return gm_fail_os(err, errno, "base.address", "opening a socket");
    int yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, at->ai_addr, at->ai_addrlen) < 0 || listen(fd, backlog) < 0) {
        gm_status st = gm_fail_os(err, errno, "base.address", "listening on " GM_STR_FMT, GM_STR_ARG(address));
        close(fd);
        return st;
    }
    *out_fd = fd;
    return GM_OK;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage bound;
    socklen_t               size = sizeof bound;
    if (getsockname(fd, (struct sockaddr *)&bound, &size) < 0) return 0;
    return ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                             : ((struct sockaddr_in *)&bound)->sin_port);
}

gm_status gm_listen(gm_str address, int backlog, int *out_fd, uint16_t *out_port, gm_error *err)
{
    char      host[256], port[8];
    gm_status st = split(address, host, port, err);
    if (st != GM_OK) return st;
    struct addrinfo  hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    struct addrinfo *found = NULL;
    int              why   = getaddrinfo(host[0] != '\0' ? host : NULL, port, &hints, &found);
    if (why != 0) {
        return gm_fail(err, GM_INVALID, "base.address", "'%s' has no address: %s", host, gai_strerror(why));
    }
    // The first address that works: a name may stand for one that this machine does not have (IPv6 switched off).
    st = GM_INVALID;
    for (struct addrinfo *at = found; at != NULL && st != GM_OK; at = at->ai_next) st = open_socket(at, backlog, address, out_fd, err);
    freeaddrinfo(found);
    if (st == GM_OK) *out_port = port_of(*out_fd);
    return st;
}

bool gm_address_is_loopback(gm_str address)
{
    char host[256], port[8];
    if (split(address, host, port, NULL) != GM_OK || host[0] == '\0') return false;
    struct addrinfo  hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, NULL, &hints, &found) != 0) return false;
    bool loopback = found != NULL;
    for (struct addrinfo *at = found; at != NULL; at = at->ai_next) {
        if (at->ai_family == AF_INET) {
            loopback = loopback && ntohl(((struct sockaddr_in *)at->ai_addr)->sin_addr.s_addr) >> 24 == 127;
        } else if (at->ai_family == AF_INET6) {
            loopback = loopback && IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)at->ai_addr)->sin6_addr);
        } else {
            loopback = false;
        }
    }
    freeaddrinfo(found);
    return loopback;
}
