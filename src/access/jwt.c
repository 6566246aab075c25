#include "access/jwt.h"

#include "base/base64url.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <math.h>

typedef enum algorithm { HS256, RS256, ES256 } algorithm;
static const char *const algorithm_names[] = { "HS256", "RS256", "ES256" };

typedef struct jwt_key {
    algorithm       algorithm;  // the only one that it verifies
    char            id[128];    // "kid"; "" when it has none
    uint8_t        *secret;     // HS256
    size_t          secret_len;
    gnutls_pubkey_t public;     // RS256, ES256
} jwt_key;

struct gm_jwt_keys {
    const gm_alloc *alloc;
    gm_jwt_rules    rules;
    jwt_key         keys[GM_JWT_KEYS_MAX];
    size_t          count;
};

// ---- keys ---------------------------------------------------------------------------------------------------------

gm_status gm_jwt_keys_create(const gm_alloc *alloc, const gm_jwt_rules *rules, gm_jwt_keys **out_keys, gm_error *err)
{
    gm_jwt_keys *keys = gm_alloc_zeroed(alloc, sizeof *keys);
    *out_keys         = keys;
    if (keys == NULL) return gm_fail(err, GM_NOMEM, "access.jwt", "reading keys");
    keys->alloc = alloc;
    keys->rules = *rules;
    return GM_OK;
}

static void forget_key(const gm_alloc *alloc, jwt_key *key)
{
    if (key->secret != NULL) gnutls_memset(key->secret, 0, key->secret_len);
    gm_free(alloc, key->secret);
    if (key->public != NULL) gnutls_pubkey_deinit(key->public);
    *key = (jwt_key){ 0 };
}

void gm_jwt_keys_destroy(gm_jwt_keys *keys)
{
    if (keys == NULL) return;
    for (size_t i = 0; i < keys->count; i++) forget_key(keys->alloc, &keys->keys[i]);
    gm_free(keys->alloc, keys);
}

size_t gm_jwt_keys_count(const gm_jwt_keys *keys) { return keys->count; }

static gm_status take_room(gm_jwt_keys *keys, jwt_key **out_key, gm_error *err)
{
    if (keys->count == GM_JWT_KEYS_MAX) return gm_fail(err, GM_LIMIT, "access.jwt", "more than %d keys", GM_JWT_KEYS_MAX);
    *out_key  = &keys->keys[keys->count];
    **out_key = (jwt_key){ 0 };
    return GM_OK;
}

static gm_status add_secret(gm_jwt_keys *keys, const uint8_t *bytes, size_t n, gm_str id, gm_error *err)
{
    jwt_key  *key = NULL;
    gm_status st = take_room(keys, &key, err);
    if (st != GM_OK) return st;
    if (n < GM_JWT_SECRET_MIN) {
        return gm_fail(err, GM_INVALID, "access.jwt", "a secret for HS256 has at least %d bytes, not %zu", GM_JWT_SECRET_MIN, n);
    }
    key->secret = gm_alloc_bytes(keys->alloc, n);
    if (key->secret == NULL) return gm_fail(err, GM_NOMEM, "access.jwt", "reading keys");
    memcpy(key->secret, bytes, n);
    key->secret_len = n;
    key->algorithm  = HS256;
    memcpy(key->id, id.ptr != NULL ? id.ptr : "", id.len);
    keys->count++;
    return GM_OK;
}

gm_status gm_jwt_add_secret(gm_jwt_keys *keys, gm_str secret, gm_error *err)
{
    return add_secret(keys, (const uint8_t *)secret.ptr, secret.len, (gm_str){ 0 }, err);
}

// What kind of key it is decides what it verifies.
static gm_status classify(jwt_key *key, gm_error *err)
{
    unsigned bits = 0;
    int      kind = gnutls_pubkey_get_pk_algorithm(key->public, &bits);
    if (kind == GNUTLS_PK_RSA) {
        key->algorithm = RS256;
        if (bits >= GM_JWT_RSA_MIN) return GM_OK;
        return gm_fail(err, GM_INVALID, "access.jwt", "an RSA key of %u bits; it takes %d at least", bits, GM_JWT_RSA_MIN);
    }
    gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
    gnutls_datum_t     x = { 0 }, y = { 0 };
    if (kind == GNUTLS_PK_ECDSA && gnutls_pubkey_export_ecc_raw(key->public, &curve, &x, &y) >= 0) {
        gnutls_free(x.data);
        gnutls_free(y.data);
    }
    if (curve != GNUTLS_ECC_CURVE_SECP256R1) {
        return gm_fail(err, GM_INVALID, "access.jwt", "keys are RSA (RS256) or on the curve P-256 (ES256)");
    }
    key->algorithm = ES256;
    return GM_OK;
}

gm_status gm_jwt_add_pem(gm_jwt_keys *keys, gm_str pem, gm_error *err)
{
    jwt_key          *key         = NULL;
    gnutls_x509_crt_t certificate = NULL;
    gnutls_datum_t    text        = { (unsigned char *)(uintptr_t)pem.ptr, (unsigned)pem.len };
    gm_status         st          = take_room(keys, &key, err);
    if (st != GM_OK) return st;
    if (gnutls_pubkey_init(&key->public) < 0 || gnutls_x509_crt_init(&certificate) < 0) {
        st = gm_fail(err, GM_NOMEM, "access.jwt", "reading keys");
    } else if (gnutls_pubkey_import(key->public, &text, GNUTLS_X509_FMT_PEM) < 0 &&
               (gnutls_x509_crt_import(certificate, &text, GNUTLS_X509_FMT_PEM) < 0 ||
                gnutls_pubkey_import_x509(key->public, certificate, 0) < 0)) {
        st = gm_fail(err, GM_INVALID, "access.jwt", "there is no public key and no certificate (PEM)");
    }
    if (certificate != NULL) gnutls_x509_crt_deinit(certificate);
    if (st == GM_OK) st = classify(key, err);
    if (st == GM_OK) keys->count++;
    else forget_key(keys->alloc, key);
    return st;
}

// A member of a JWK, decoded. False: absent, no text, too large, or no base64url.
enum { PARAMETER_MAX = 1024 };
static bool read_parameter(const json_t *jwk, const char *name, uint8_t out[PARAMETER_MAX], gnutls_datum_t *out_datum)
{
    const json_t *text = json_object_get(jwk, name);
    gm_str        view = { json_string_value(text), json_string_length(text) };
    size_t        n    = 0;
    if (view.ptr == NULL || GM_BASE64URL_BYTES(view.len) > PARAMETER_MAX || !gm_base64url_decode(view, out, &n)) return false;
    *out_datum = (gnutls_datum_t){ out, (unsigned)n };
    return true;
}

static gm_status add_jwk(gm_jwt_keys *keys, const json_t *jwk, gm_error *err)
{
    const char *kind = json_string_value(json_object_get(jwk, "kty")), *use = json_string_value(json_object_get(jwk, "use"));
    const char *curve = json_string_value(json_object_get(jwk, "crv")), *id = json_string_value(json_object_get(jwk, "kid"));
    const char *alg   = json_string_value(json_object_get(jwk, "alg"));
    uint8_t     a[PARAMETER_MAX], b[PARAMETER_MAX];
    gnutls_datum_t first, second;
    jwt_key       *key = NULL;
    if (kind == NULL || (use != NULL && strcmp(use, "sig") != 0)) return GM_OK;
    if (id != NULL && strlen(id) >= sizeof key->id) return gm_fail(err, GM_INVALID, "access.jwt", "a 'kid' is too long");
    if (strcmp(kind, "oct") == 0 && (alg == NULL || strcmp(alg, "HS256") == 0)) {
        if (!read_parameter(jwk, "k", a, &first)) return gm_fail(err, GM_INVALID, "access.jwt", "an 'oct' key without a valid 'k'");
        return add_secret(keys, first.data, first.size, gm_str_of(id), err);
    }
    bool rsa = strcmp(kind, "RSA") == 0 && (alg == NULL || strcmp(alg, "RS256") == 0);
    bool ec  = strcmp(kind, "EC") == 0 && curve != NULL && strcmp(curve, "P-256") == 0;
    if (!rsa && !ec) return GM_OK;  // of a kind that is not used here
    if (!read_parameter(jwk, rsa ? "n" : "x", a, &first) || !read_parameter(jwk, rsa ? "e" : "y", b, &second)) {
        return gm_fail(err, GM_INVALID, "access.jwt", "the key '%.60s' lacks a valid parameter", id != NULL ? id : "");
    }
    if (ec && (first.size != 32 || second.size != 32)) {  // RFC 7518, section 6.2.1.2
        return gm_fail(err, GM_INVALID, "access.jwt", "the key '%.60s' has coordinates that are not of 32 bytes", id != NULL ? id : "");
    }
    gm_status st = take_room(keys, &key, err);
    if (st != GM_OK) return st;
    if (gnutls_pubkey_init(&key->public) < 0) return gm_fail(err, GM_NOMEM, "access.jwt", "reading keys");
    int n = rsa ? gnutls_pubkey_import_rsa_raw(key->public, &first, &second)
                : gnutls_pubkey_import_ecc_raw(key->public, GNUTLS_ECC_CURVE_SECP256R1, &first, &second);
    st = n >= 0 ? classify(key, err)
                : gm_fail(err, GM_INVALID, "access.jwt", "the key '%.60s' is none: %s", id != NULL ? id : "", gnutls_strerror(n));
    if (st != GM_OK) {
        forget_key(keys->alloc, key);
        return st;
    }
    if (id != NULL) memcpy(key->id, id, strlen(id) + 1);
    keys->count++;
    return GM_OK;
}

gm_status gm_jwt_add_jwks(gm_jwt_keys *keys, gm_str text, gm_error *err)
{
    json_error_t why;
    size_t       before = keys->count, i;
    json_t      *set    = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &why), *jwk;
    const json_t *list  = json_object_get(set, "keys");
    gm_status    st     = json_is_array(list) ? GM_OK : gm_fail(err, GM_INVALID, "access.jwt", "it is no key set: an object with a list 'keys'");
    json_array_foreach(list, i, jwk) {
        if (st == GM_OK) st = add_jwk(keys, jwk, err);
    }
    json_decref(set);
    if (st == GM_OK && keys->count == before) st = gm_fail(err, GM_INVALID, "access.jwt", "the key set holds no key for HS256, RS256 or ES256");
    return st;
}

// ---- signatures ---------------------------------------------------------------------------------------------------

static bool verify_secret(const jwt_key *key, gm_str signed_text, const uint8_t *signature, size_t n)
{
    uint8_t expected[32];
    if (n != sizeof expected) return false;
    if (gnutls_hmac_fast(GNUTLS_MAC_SHA256, key->secret, key->secret_len, signed_text.ptr, signed_text.len, expected) < 0) return false;
    return gnutls_memcmp(expected, signature, n) == 0;
}

static bool verify_public(const jwt_key *key, gm_str signed_text, const uint8_t *signature, size_t n)
{
    union { const void *from; unsigned char *to; } text = { .from = signed_text.ptr }, bytes = { .from = signature };
    gnutls_datum_t data = { text.to, (unsigned)signed_text.len }, der = { bytes.to, (unsigned)n };
    if (key->algorithm == RS256) return gnutls_pubkey_verify_data2(key->public, GNUTLS_SIGN_RSA_SHA256, 0, &data, &der) >= 0;
    // The two numbers of the signature side by side (RFC 7518, section 3.4); the library wants them in DER.
    if (n != 64) return false;
    gnutls_datum_t r = { bytes.to, 32 }, s = { bytes.to + 32, 32 };
    if (gnutls_encode_rs_value(&der, &r, &s) < 0) return false;
    bool ok = gnutls_pubkey_verify_data2(key->public, GNUTLS_SIGN_ECDSA_SHA256, 0, &data, &der) >= 0;
    gnutls_free(der.data);
    return ok;
}

static bool verify(const gm_jwt_keys *keys, const char *algorithm_name, const char *id, gm_str signed_text,
                   const uint8_t *signature, size_t n)
{
    for (size_t i = 0; i < keys->count; i++) {
        const jwt_key *key = &keys->keys[i];
        if (strcmp(algorithm_names[key->algorithm], algorithm_name) != 0) continue;
        if (id != NULL && key->id[0] != '\0' && strcmp(key->id, id) != 0) continue;
        bool fits = key->algorithm == HS256 ? verify_secret(key, signed_text, signature, n)
                                            : verify_public(key, signed_text, signature, n);
        if (fits) return true;
    }
    return false;
}

// ---- claims -------------------------------------------------------------------------------------------------------

static gm_status refuse(gm_error *err, const char *why) { return gm_fail(err, GM_INVALID, "access.jwt", "the token %s", why); }

// Seconds since 1970 as a time. False: no number, or out of the range of times.
static bool read_time(const json_t *claim, gm_time_ns *out_time)
{
    double seconds = json_number_value(claim);
    if (!json_is_number(claim) || !(seconds >= 0 && seconds < 9e9)) return false;
    *out_time = (gm_time_ns)(seconds * 1e9);
    return true;
}

// A text, or a list of texts. False: anything else, or too many.
static bool read_texts(const json_t *claim, gm_arena *arena, gm_str *out_texts, size_t *out_count)
{
    size_t n   = json_is_array(claim) ? json_array_size(claim) : 1;
    *out_count = 0;
    if (n > GM_JWT_SCOPES_MAX) return false;
    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_is_array(claim) ? json_array_get(claim, i) : claim;
        if (!json_is_string(one)) return false;
        gm_str copy = gm_arena_str(arena, (gm_str){ json_string_value(one), json_string_length(one) });
        if (copy.ptr == NULL) return false;
        out_texts[(*out_count)++] = copy;
    }
    return true;
}

static gm_status read_claims(const gm_jwt_rules *rules, const json_t *payload, gm_time_ns now, gm_arena *arena,
                             gm_jwt_claims *out, gm_error *err)
{
    const json_t *not_before = json_object_get(payload, "nbf"), *scope = json_object_get(payload, rules->scope_claim);
    const json_t *role = json_object_get(payload, rules->role_claim), *subject = json_object_get(payload, "sub");
    const char   *issuer = json_string_value(json_object_get(payload, "iss"));
    gm_time_ns    from;
    gm_str        audiences[GM_JWT_SCOPES_MAX];
    size_t        audience_count;
    if (!read_time(json_object_get(payload, "exp"), &out->ends)) return refuse(err, "does not say when it ends ('exp')");
    if (out->ends <= now) return refuse(err, "has expired");
    if (not_before != NULL && !read_time(not_before, &from)) return refuse(err, "has an 'nbf' that is no time");
    if (not_before != NULL && from > now + GM_JWT_LEEWAY) return refuse(err, "is not valid yet");
    if (rules->issuer != NULL && (issuer == NULL || strcmp(issuer, rules->issuer) != 0)) return refuse(err, "is of another issuer");
    bool ours = false;
    if (!read_texts(json_object_get(payload, "aud"), arena, audiences, &audience_count)) audience_count = 0;
    for (size_t i = 0; i < audience_count; i++) ours = ours || gm_str_is(audiences[i], rules->audience);
    if (!ours) return refuse(err, "is for another audience");
    if (!json_is_string(subject) || json_string_length(subject) == 0) return refuse(err, "names nobody ('sub')");
    out->subject = gm_arena_str(arena, (gm_str){ json_string_value(subject), json_string_length(subject) });
    out->scoped  = scope != NULL;
    if (role != NULL && !read_texts(role, arena, out->roles, &out->role_count)) return refuse(err, "has roles that are no texts");
    if (scope != NULL && !read_texts(scope, arena, out->scopes, &out->scope_count)) return refuse(err, "has a scope that is no twin ids");
    return out->subject.ptr != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "access.jwt", "reading a token");
}

// ---- tokens -------------------------------------------------------------------------------------------------------

static bool split(gm_str token, gm_str out_parts[3])
{
    size_t n = 0;
    gm_str rest = token, part;
    while (gm_str_next(&rest, '.', &part)) {
        if (n == 3 || part.len == 0) return false;
        out_parts[n++] = part;
    }
    return n == 3;
}

bool gm_jwt_looks_like(gm_str token)
{
    gm_str parts[3];
    return split(token, parts);
}

static json_t *read_part(gm_str part, gm_arena *arena)
{
    uint8_t *bytes = gm_arena_bytes(arena, part.len);
    size_t   n;
    json_error_t why;
    if (bytes == NULL || !gm_base64url_decode(part, bytes, &n)) return NULL;
    json_t *value = json_loadb((const char *)bytes, n, JSON_REJECT_DUPLICATES, &why);
    if (json_is_object(value)) return value;
    json_decref(value);
    return NULL;
}

gm_status gm_jwt_verify(const gm_jwt_keys *keys, gm_str token, gm_time_ns now, gm_arena *arena, gm_jwt_claims *out_claims,
                        gm_error *err)
{
    gm_str  parts[3];
    json_t *header = NULL, *payload = NULL;
    size_t  n = 0;
    *out_claims = (gm_jwt_claims){ 0 };
    if (token.len > GM_JWT_TOKEN_MAX || !split(token, parts)) return refuse(err, "is none that is known here");
    gm_status st        = GM_OK;
    uint8_t  *signature = gm_arena_bytes(arena, GM_BASE64URL_BYTES(parts[2].len));
    header              = read_part(parts[0], arena);
    const char *name    = json_string_value(json_object_get(header, "alg"));
    const char *id      = json_string_value(json_object_get(header, "kid"));
    gm_str      text    = { parts[0].ptr, parts[0].len + 1 + parts[1].len };
    if (signature == NULL || header == NULL || name == NULL || !gm_base64url_decode(parts[2], signature, &n)) {
        st = refuse(err, "is broken");
    } else if (json_object_get(header, "crit") != NULL) {
        st = refuse(err, "asks for an extension that is not known here ('crit')");  // RFC 7515, section 4.1.11
    } else if (!verify(keys, name, id, text, signature, n)) {
        st = refuse(err, "is not signed by a key that counts here");
    } else {
        payload = read_part(parts[1], arena);
        st      = payload != NULL ? read_claims(&keys->rules, payload, now, arena, out_claims, err) : refuse(err, "is broken");
    }
    json_decref(header);
    json_decref(payload);
    return st;
}
