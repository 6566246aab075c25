// tests/access/certificates.h: an authority of one's own for tests, and certificates that it signs.
#ifndef GM_TESTS_CERTIFICATES_H
#define GM_TESTS_CERTIFICATES_H

#include "base/buf.h"

#include <gnutls/x509.h>

typedef struct authority { gnutls_x509_privkey_t key; gnutls_x509_crt_t certificate; } authority;
typedef struct signed_pair { gm_buf certificate, key; } signed_pair;  // PEM, NUL-terminated

authority authority_make(const char *name);
void      authority_free(authority *a);
gm_buf    authority_pem(const authority *a);

// purpose: GNUTLS_KP_TLS_WWW_SERVER or GNUTLS_KP_TLS_WWW_CLIENT. days: from now; negative: it has expired. A server's is
// for the name "localhost".
signed_pair authority_sign(const authority *a, const char *name, const char *purpose, int days);
void        signed_pair_free(signed_pair *pair);

#endif
