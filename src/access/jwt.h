// access/jwt.h: signed tokens of an identity provider (JSON Web Tokens, RFC 7519, signed as RFC 7515 and 7518 say).
//
//   gm_jwt_keys_create(alloc, &rules, &keys, &err);
//   gm_jwt_add_jwks(keys, text, &err);                  // or gm_jwt_add_secret, gm_jwt_add_pem
//   gm_jwt_verify(keys, token, now, arena, &claims, &err);
//
// HS256, RS256 and ES256. The algorithm is a property of the key: a token whose header names another one is refused, so
// neither "none" nor a public key used as a secret leads anywhere (RFC 8725, section 3.1).
#ifndef GM_ACCESS_JWT_H
#define GM_ACCESS_JWT_H

#include "base/arena.h"
#include "base/time.h"

#include <jansson.h>

typedef struct gm_jwt_keys gm_jwt_keys;

enum {
    GM_JWT_TOKEN_MAX   = 8192,  // bytes
    GM_JWT_KEYS_MAX    = 32,
    GM_JWT_SECRET_MIN  = 32,    // bytes of a secret for HS256 (RFC 7518, section 3.2)
    GM_JWT_RSA_MIN     = 2048,  // bits
    GM_JWT_SCOPES_MAX  = 16
};
#define GM_JWT_LEEWAY (30 * GM_SECOND)  // how far two clocks may be apart, for "not before"

typedef struct gm_jwt_rules {
    const char *audience;     // must be among the token's; never NULL
    const char *issuer;       // NULL: any
    const char *role_claim;   // a text or a list of texts; "role"
    const char *scope_claim;  // twin ids: a text or a list of texts; "scope_twins"
} gm_jwt_rules;

// The texts of the rules are viewed.
GM_NODISCARD gm_status gm_jwt_keys_create(const gm_alloc *alloc, const gm_jwt_rules *rules, gm_jwt_keys **out_keys,
                                          gm_error *err);
void                   gm_jwt_keys_destroy(gm_jwt_keys *keys);  // NULL is allowed
size_t                 gm_jwt_keys_count(const gm_jwt_keys *keys);

// GM_INVALID: no key of a supported kind, or one that is too weak. GM_LIMIT: more than GM_JWT_KEYS_MAX.
GM_NODISCARD gm_status gm_jwt_add_secret(gm_jwt_keys *keys, gm_str secret, gm_error *err);  // HS256
GM_NODISCARD gm_status gm_jwt_add_pem(gm_jwt_keys *keys, gm_str pem, gm_error *err);  // a public key or certificate
GM_NODISCARD gm_status gm_jwt_add_jwks(gm_jwt_keys *keys, gm_str json, gm_error *err);  // a set; other kinds are passed over

typedef struct gm_jwt_claims {
    gm_str     subject;
    gm_time_ns ends;
    gm_str     roles[GM_JWT_SCOPES_MAX];
    size_t     role_count;
    gm_str     scopes[GM_JWT_SCOPES_MAX];
    size_t     scope_count;
    bool       scoped;       // the claim is there; without ids it shows nothing
} gm_jwt_claims;

// GM_INVALID: err says why in words that may be told to whoever sent it. Claims lie in the arena.
GM_NODISCARD gm_status gm_jwt_verify(const gm_jwt_keys *keys, gm_str token, gm_time_ns now, gm_arena *arena,
                                     gm_jwt_claims *out_claims, gm_error *err);

// Does it look like one (three parts)? Then it is no opaque token.
bool gm_jwt_looks_like(gm_str token);

#endif
