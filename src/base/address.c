#include "base/address.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

gm_status gm_address_parse(gm_str text, gm_address *out_address, gm_error *err)
{
    size_t colon = SIZE_MAX;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == ':') colon = i;
    }
    gm_str host = gm_str_slice(text, 0, colon == SIZE_MAX ? 0 : colon);
    gm_str port = colon == SIZE_MAX ? (gm_str){ 0 } : gm_str_slice(text, colon + 1, text.len);
    bool   bad  = port.len == 0 || port.len > 5 || host.len >= GM_HOST_MAX;
    if (host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']') {
        host = gm_str_slice(host, 1, host.len - 1);
    } else if (gm_str_find_char(host, ':') != SIZE_MAX) {
        bad = true;  // an IPv6 address without brackets: where does it end?
    }
    unsigned number = 0;
    for (size_t i = 0; !bad && i < port.len; i++) {
        bad    = port.ptr[i] < '0' || port.ptr[i] > '9';
        number = number * 10 + (unsigned)(port.ptr[i] - '0');
    }
    for (size_t i = 0; !bad && i < host.len; i++) bad = (unsigned char)host.ptr[i] <= ' ' || host.ptr[i] == '/';
    if (bad || number > UINT16_MAX) {
        return gm_fail(err, GM_INVALID, "base.address",
                       "'" GM_STR_FMT "' is not ADDR:PORT such as 127.0.0.1:8080 or [::1]:0",
                       (int)(text.len < 80 ? text.len : 80), text.ptr);
    }
    if (host.len > 0) memcpy(out_address->host, host.ptr, host.len);
    out_address->host[host.len] = '\0';
    out_address->port           = (uint16_t)number;
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
    gm_address parts;
    char       port[8];
    gm_status  st = gm_address_parse(address, &parts, err);
    if (st != GM_OK) return st;
    snprintf(port, sizeof port, "%u", parts.port);
    struct addrinfo  hints = { .ai_family   = AF_UNSPEC,
                               .ai_socktype = SOCK_STREAM,
                               .ai_flags    = AI_PASSIVE | AI_NUMERICSERV };
    struct addrinfo *found = NULL;
    int              why   = getaddrinfo(parts.host[0] != '\0' ? parts.host : NULL, port, &hints, &found);
    if (why != 0) {
        return gm_fail(err, GM_INVALID, "base.address", "'%s' has no address: %s", parts.host, gai_strerror(why));
    }
    // The first address that works: a name may stand for one that this machine does not have (IPv6 switched off).
    st = GM_INVALID;
    for (struct addrinfo *at = found; at != NULL && st != GM_OK; at = at->ai_next)
        st = open_socket(at, backlog, address, out_fd, err);
    freeaddrinfo(found);
    if (st == GM_OK) *out_port = port_of(*out_fd);
    return st;
}

bool gm_address_is_loopback(gm_str address)
{
    gm_address parts;
    if (gm_address_parse(address, &parts, NULL) != GM_OK || parts.host[0] == '\0') return false;
    struct addrinfo  hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    if (getaddrinfo(parts.host, NULL, &hints, &found) != 0) return false;
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
