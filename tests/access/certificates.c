#include "access/certificates.h"

#include "support/support.h"

#include <gnutls/crypto.h>
#include <time.h>

#define OK(call) assert_true((call) >= 0)

static gnutls_x509_privkey_t make_key(void)
{
    gnutls_x509_privkey_t key;
    OK(gnutls_x509_privkey_init(&key));
    OK(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    return key;
}

static gnutls_x509_crt_t make_certificate(const char *name, gnutls_x509_privkey_t key, int days)
{
    gnutls_x509_crt_t c;
    uint8_t           serial[16];
    time_t            now = time(NULL);
    OK(gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial));
    serial[0] &= 0x7f;
    OK(gnutls_x509_crt_init(&c));
    OK(gnutls_x509_crt_set_version(c, 3));
    OK(gnutls_x509_crt_set_serial(c, serial, sizeof serial));
    OK(gnutls_x509_crt_set_dn_by_oid(c, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name)));
    OK(gnutls_x509_crt_set_activation_time(c, now - 10 * 86400));
    OK(gnutls_x509_crt_set_expiration_time(c, now + days * 86400));
    OK(gnutls_x509_crt_set_key(c, key));
    return c;
}

authority authority_make(const char *name)
{
    authority a = { .key = make_key() };
    a.certificate = make_certificate(name, a.key, 2);
    OK(gnutls_x509_crt_set_basic_constraints(a.certificate, 1, -1));
    OK(gnutls_x509_crt_set_key_usage(a.certificate, GNUTLS_KEY_KEY_CERT_SIGN));
    OK(gnutls_x509_crt_sign2(a.certificate, a.certificate, a.key, GNUTLS_DIG_SHA256, 0));
    return a;
}

void authority_free(authority *a)
{
    gnutls_x509_crt_deinit(a->certificate);
    gnutls_x509_privkey_deinit(a->key);
}

static gm_buf take(gnutls_datum_t *pem)
{
    gm_buf out = gm_buf_init(gm_alloc_system());
    gm_buf_add(&out, pem->data, pem->size);
    gm_buf_byte(&out, 0);
    out.len--;
    gnutls_free(pem->data);
    return out;
}

gm_buf authority_pem(const authority *a)
{
    gnutls_datum_t pem;
    OK(gnutls_x509_crt_export2(a->certificate, GNUTLS_X509_FMT_PEM, &pem));
    return take(&pem);
}

signed_pair authority_sign(const authority *a, const char *name, const char *purpose, int days)
{
    gnutls_x509_privkey_t key = make_key();
    gnutls_x509_crt_t     c   = make_certificate(name, key, days);
    gnutls_datum_t        pem;
    signed_pair           pair;
    OK(gnutls_x509_crt_set_key_usage(c, GNUTLS_KEY_DIGITAL_SIGNATURE));
    OK(gnutls_x509_crt_set_key_purpose_oid(c, purpose, 0));
    OK(gnutls_x509_crt_set_subject_alt_name(c, GNUTLS_SAN_DNSNAME, "localhost", 9, 0));
    OK(gnutls_x509_crt_sign2(c, a->certificate, a->key, GNUTLS_DIG_SHA256, 0));
    OK(gnutls_x509_crt_export2(c, GNUTLS_X509_FMT_PEM, &pem));
    pair.certificate = take(&pem);
    OK(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem));
    pair.key = take(&pem);
    gnutls_x509_crt_deinit(c);
    gnutls_x509_privkey_deinit(key);
    return pair;
}

void signed_pair_free(signed_pair *pair)
{
    gm_buf_finish(&pair->certificate);
    gm_buf_finish(&pair->key);
}
