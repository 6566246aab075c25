// tests/access/jwt_maker.h: signed tokens for tests, right ones and every kind of wrong one.
#ifndef GM_TESTS_JWT_MAKER_H
#define GM_TESTS_JWT_MAKER_H

#include "base/buf.h"

#include <gnutls/abstract.h>

// What is signed is exactly header and payload as given. All results are NUL-terminated (not counted); the caller
// finishes them.
gm_buf jwt_signed_with_secret(const char *header, const char *payload, gm_str secret);  // HMAC-SHA-256
gm_buf jwt_signed_with_key(const char *header, const char *payload, gnutls_privkey_t key);  // RS256 or ES256, by the key
gm_buf jwt_unsigned(const char *header, const char *payload);  // ends in a dot

gnutls_privkey_t jwt_make_key(gnutls_pk_algorithm_t kind, unsigned bits);
gm_buf           jwt_public_pem(gnutls_privkey_t key);
gm_buf           jwt_jwks(gnutls_privkey_t key, const char *kid);  // {"keys":[...]} of one RSA or EC key

#endif
