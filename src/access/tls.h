// access/tls.h: TLS 1.2 and 1.3 for whoever listens (GnuTLS): the server's certificate, exchanged while it runs, and the
// authority that signs the certificates of devices.
//
//   gm_tls_create(alloc, io, &files, &tls, &err);
//   gm_wire *wire = gm_tls_accept(tls, fd);      // the handshake happens as the wire is read
//   gm_tls_reload(tls, &err);                        // new connections get what the files hold now
//   gm_tls_destroy(tls);                             // after all streams and sessions
//
// LIMIT: handshakes run on the thread that reads the wire.
#ifndef GM_ACCESS_TLS_H
#define GM_ACCESS_TLS_H

#include "base/io.h"
#include "base/wire.h"

typedef struct gm_tls        gm_tls;
typedef struct gm_tls_secret gm_tls_secret;  // one version of key and certificate, counted

typedef struct gm_tls_files {
    const char *certificate, *key;  // PEM; the certificate with its chain, the server's own first
    const char *client_ca;          // PEM: who signs clients' certificates; NULL: clients are not asked for one
} gm_tls_files;

// Paths are copied. GM_NOTFOUND, GM_IO: a file can not be read. GM_INVALID: it does not hold what it should, or key and
// certificate do not belong together.
GM_NODISCARD gm_status gm_tls_create(const gm_alloc *alloc, const gm_io *io, const gm_tls_files *files, gm_tls **out_tls,
                                     gm_error *err);
void                   gm_tls_destroy(gm_tls *tls);  // NULL is allowed

// Reads the files again. When something is wrong with them, what was there before stays in use.
GM_NODISCARD gm_status gm_tls_reload(gm_tls *tls, gm_error *err);

// The server's side of a connection. NULL: memory refused. A client's certificate is checked in the handshake, which
// fails when it is not signed by client_ca, has expired, or is not for clients.
GM_NODISCARD gm_wire *gm_tls_accept(gm_tls *tls, int fd);

// The common name of the checked certificate that the peer of such a wire has shown; NULL view: none. Viewed.
gm_str gm_tls_peer(const gm_wire *wire);

// For a library that makes its sessions (gnutls_session_t) itself: gives the session the present key and certificate.
// Keep the result and give it back when the session has ended. NULL: refused.
gm_tls_secret *gm_tls_lend(gm_tls *tls, void *gnutls_session);
void           gm_tls_give_back(gm_tls_secret *secret);  // NULL is allowed

// Key and certificate as read, NUL-terminated; viewed until the next reload.
const char *gm_tls_key_pem(const gm_tls *tls);
const char *gm_tls_certificate_pem(const gm_tls *tls);

// Cipher suites and versions, as GnuTLS writes them.
#define GM_TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-CAMELLIA-256-GCM:-CAMELLIA-128-GCM:%SERVER_PRECEDENCE"

#endif
