// base/address.h: where a server listens, as people write it: "127.0.0.1:8080", "[::1]:0", "localhost:1883", ":8080".
#ifndef GM_BASE_ADDRESS_H
#define GM_BASE_ADDRESS_H

#include "base/str.h"

// The two parts of such a text; the brackets of an IPv6 host are taken off. GM_INVALID: it is not one.
enum { GM_HOST_MAX = 256 };
typedef struct gm_address { char host[GM_HOST_MAX]; uint16_t port; } gm_address;
GM_NODISCARD gm_status gm_address_parse(gm_str text, gm_address *out_address, gm_error *err);

// Opens a listening TCP socket (non-blocking, close-on-exec). Port 0 takes a free one. An empty host means every
// address of the machine.
// GM_INVALID: not HOST:PORT, or the host has no address. GM_IO: the system refused (port taken, not allowed).
// *out_port is the port it listens on. The caller closes *out_fd.
GM_NODISCARD gm_status gm_listen(gm_str address, int backlog, int *out_fd, uint16_t *out_port, gm_error *err);

// Is that address one that only this machine can reach (127.0.0.0/8, ::1, "localhost")?
bool gm_address_is_loopback(gm_str address);

#endif
