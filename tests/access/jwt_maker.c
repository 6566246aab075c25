#include "access/jwt_maker.h"

#include "base/base64url.h"
#include "support/support.h"

#include <gnutls/crypto.h>
#include <stdlib.h>

static void add_base64url(gm_buf *out, const void *bytes, size_t n)
{
    char *text = malloc(GM_BASE64URL_LEN(n) + 1);
    gm_base64url_encode(bytes, n, text);
    gm_buf_add(out, text, GM_BASE64URL_LEN(n));
    free(text);
}

static gm_buf begin(const char *header, const char *payload)
{
    gm_buf out = gm_buf_init(gm_alloc_system());
    add_base64url(&out, header, strlen(header));
    gm_buf_byte(&out, '.');
    add_base64url(&out, payload, strlen(payload));
    return out;
}

static gm_buf end(gm_buf out, const void *signature, size_t n)
{
    gm_buf_byte(&out, '.');
    add_base64url(&out, signature, n);
    gm_buf_byte(&out, 0);
    out.len--;
    return out;
}

gm_buf jwt_signed_with_secret(const char *header, const char *payload, gm_str secret)
{
    uint8_t mac[32];
    gm_buf  out = begin(header, payload);
    assert_true(gnutls_hmac_fast(GNUTLS_MAC_SHA256, secret.ptr, secret.len, out.ptr, out.len, mac) >= 0);
    return end(out, mac, sizeof mac);
}

gm_buf jwt_unsigned(const char *header, const char *payload) { return end(begin(header, payload), "", 0); }

// A number as so many bytes, the highest first.
static void put_number(const gnutls_datum_t *number, uint8_t out[32])
{
    size_t skip = number->size > 32 ? number->size - 32 : 0, n = number->size - skip;
    memset(out, 0, 32);
    memcpy(out + 32 - n, number->data + skip, n);
}

gm_buf jwt_signed_with_key(const char *header, const char *payload, gnutls_privkey_t key)
{
    bool           rsa = gnutls_privkey_get_pk_algorithm(key, NULL) == GNUTLS_PK_RSA;
    gm_buf         out = begin(header, payload);
    gnutls_datum_t text = { out.ptr, (unsigned)out.len }, signature, r, s;
    assert_true(gnutls_privkey_sign_data2(key, rsa ? GNUTLS_SIGN_RSA_SHA256 : GNUTLS_SIGN_ECDSA_SHA256, 0, &text, &signature) >= 0);
    if (rsa) {
        out = end(out, signature.data, signature.size);
    } else {
        uint8_t both[64];
        assert_true(gnutls_decode_rs_value(&signature, &r, &s) >= 0);
        put_number(&r, both);
        put_number(&s, both + 32);
        out = end(out, both, sizeof both);
        gnutls_free(r.data);
        gnutls_free(s.data);
    }
    gnutls_free(signature.data);
    return out;
}

gnutls_privkey_t jwt_make_key(gnutls_pk_algorithm_t kind, unsigned bits)
{
    gnutls_privkey_t key;
    assert_true(gnutls_privkey_init(&key) >= 0);
    assert_true(gnutls_privkey_generate(key, kind, bits, 0) >= 0);
    return key;
}

gm_buf jwt_public_pem(gnutls_privkey_t key)
{
    gnutls_pubkey_t public;
    gnutls_datum_t  pem;
    gm_buf          out = gm_buf_init(gm_alloc_system());
    assert_true(gnutls_pubkey_init(&public) >= 0 && gnutls_pubkey_import_privkey(public, key, 0, 0) >= 0);
    assert_true(gnutls_pubkey_export2(public, GNUTLS_X509_FMT_PEM, &pem) >= 0);
    gm_buf_add(&out, pem.data, pem.size);
    gnutls_free(pem.data);
    gnutls_pubkey_deinit(public);
    return out;
}

static void add_parameter(gm_buf *out, const char *name, gnutls_datum_t *number)
{
    uint8_t coordinate[32];
    gm_buf_printf(out, ",\"%s\":\"", name);
    if (name[0] == 'x' || name[0] == 'y') {
        put_number(number, coordinate);
        add_base64url(out, coordinate, sizeof coordinate);
    } else {
        add_base64url(out, number->data, number->size);
    }
    gm_buf_byte(out, '"');
    gnutls_free(number->data);
}

gm_buf jwt_jwks(gnutls_privkey_t key, const char *kid)
{
    gnutls_pubkey_t public;
    gnutls_datum_t  a, b;
    gm_buf          out = gm_buf_init(gm_alloc_system());
    assert_true(gnutls_pubkey_init(&public) >= 0 && gnutls_pubkey_import_privkey(public, key, 0, 0) >= 0);
    bool rsa = gnutls_pubkey_get_pk_algorithm(public, NULL) == GNUTLS_PK_RSA;
    gm_buf_printf(&out, "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"},{\"kty\":\"%s\",\"kid\":\"%s\"",
                  rsa ? "RSA" : "EC", kid);
    if (rsa) {
        assert_true(gnutls_pubkey_export_rsa_raw2(public, &a, &b, 0) >= 0);
    } else {
        gm_buf_text(&out, ",\"crv\":\"P-256\"");
        assert_true(gnutls_pubkey_export_ecc_raw2(public, NULL, &a, &b, 0) >= 0);
    }
    add_parameter(&out, rsa ? "n" : "x", &a);
    add_parameter(&out, rsa ? "e" : "y", &b);
    gm_buf_text(&out, "}]}");
    gnutls_pubkey_deinit(public);
    return out;
}
