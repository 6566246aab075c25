// A token, and an Authorization header: whatever comes is refused or verified, never more. The first byte chooses
// whether what follows is signed properly first, so that claims are reached too.
#include "access/jwt.h"
#include "api/router.h"
#include "base/base64url.h"
#include "base/buf.h"

#include <gnutls/crypto.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECRET "0123456789abcdef0123456789abcdef"

static gm_jwt_keys *keys;

static void start(void)
{
    static const char  set[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                               "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";
    gm_jwt_rules       rules = { .audience = "a", .role_claim = "role", .scope_claim = "scope_twins" };
    if (gm_jwt_keys_create(gm_alloc_system(), &rules, &keys, NULL) != GM_OK || gm_jwt_add_secret(keys, GM_STR(SECRET), NULL) != GM_OK ||
        gm_jwt_add_jwks(keys, gm_str_of(set), NULL) != GM_OK) abort();
}

static void add_part(gm_buf *out, const uint8_t *bytes, size_t n)
{
    uint8_t *to = gm_buf_reserve(out, GM_BASE64URL_LEN(n) + 1);
    if (to == NULL) abort();
    gm_base64url_encode(bytes, n, (char *)to);
    out->len += GM_BASE64URL_LEN(n);
}

// The input as claims, signed with the secret.
static gm_buf sign(const uint8_t *data, size_t size)
{
    static const uint8_t header[] = "{\"alg\":\"HS256\"}";
    uint8_t              mac[32];
    gm_buf               out = gm_buf_init(gm_alloc_system());
    add_part(&out, header, sizeof header - 1);
    gm_buf_byte(&out, '.');
    add_part(&out, data, size);
    if (gnutls_hmac_fast(GNUTLS_MAC_SHA256, SECRET, sizeof SECRET - 1, out.ptr, out.len, mac) < 0) abort();
    gm_buf_byte(&out, '.');
    add_part(&out, mac, sizeof mac);
    return out;
}

static void verify(gm_str token)
{
    gm_arena     *arena = gm_arena_create(gm_alloc_system(), 1 << 20);
    gm_jwt_claims claims;
    gm_error      err = { 0 };
    gm_status     st  = gm_jwt_verify(keys, token, INT64_C(1700000000) * GM_SECOND, arena, &claims, &err);
    if (st != GM_OK && err.text[0] == '\0') abort();  // a refusal says why
    if (st == GM_OK && (claims.subject.len == 0 || claims.ends <= INT64_C(1700000000) * GM_SECOND)) abort();
    gm_arena_destroy(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (keys == NULL) start();
    if (size == 0) return 0;
    gm_str rest = { (const char *)data + 1, size - 1 };
    if (data[0] & 1) {
        gm_buf token = sign(data + 1, size - 1);
        verify(gm_buf_view(&token));
        gm_buf_finish(&token);
    } else if (data[0] & 2) {
        gm_str token = gm_router_token(rest);
        if (token.ptr != NULL && (token.ptr < rest.ptr || token.ptr + token.len > rest.ptr + rest.len)) abort();
        if (token.ptr != NULL) verify(token);
    } else {
        verify(rest);
        (void)!gm_jwt_add_jwks(keys, rest, NULL);
        if (gm_jwt_keys_count(keys) > 2) {  // it held a key: begin anew
            gm_jwt_keys_destroy(keys);
            start();
        }
    }
    return 0;
}
