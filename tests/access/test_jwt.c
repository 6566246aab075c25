#include "access/jwt.h"
#include "access/jwt_maker.h"
#include "base/base64url.h"
#include "support/support.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define HS "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define NOW (INT64_C(1700000000) * GM_SECOND)
#define GOOD "{\"sub\":\"anna\",\"aud\":\"plant\",\"iss\":\"here\",\"exp\":1700000100,\"role\":\"reader\"}"

static gm_jwt_keys *make_keys(const char *issuer)
{
    gm_jwt_rules rules = { .audience = "plant", .issuer = issuer, .role_claim = "role", .scope_claim = "scope_twins" };
    gm_jwt_keys *keys;
    gm_error     err;
    assert_gm_ok(gm_jwt_keys_create(gm_alloc_system(), &rules, &keys, &err), err);
    return keys;
}

// "" when it is accepted, else the reason.
static const char *verdict(const gm_jwt_keys *keys, gm_str token, gm_time_ns now, gm_jwt_claims *out_claims)
{
    static gm_error err;
    static gm_arena *arena;
    gm_arena_destroy(arena);
    arena = gm_arena_create(gm_alloc_system(), 0);
    gm_jwt_claims claims;
    gm_status     st = gm_jwt_verify(keys, token, now, arena, out_claims != NULL ? out_claims : &claims, &err);
    return st == GM_OK ? "" : err.text;
}

static void a_token_counts_when_key_time_audience_and_issuer_fit(void **state)
{
    (void)state;
    static const struct { const char *header, *payload, *says; } cases[] = {
        { HS, GOOD, "" },
        { HS, "{\"sub\":\"a\",\"aud\":[\"other\",\"plant\"],\"iss\":\"here\",\"exp\":1700000100.5,\"nbf\":1699999000,\"role\":\"reader\"}", "" },
        { HS, "{\"sub\":\"a\",\"aud\":\"plant\",\"iss\":\"here\",\"exp\":1700000000,\"role\":\"reader\"}", "has expired" },
        { HS, "{\"sub\":\"a\",\"aud\":\"plant\",\"iss\":\"here\",\"exp\":1,\"role\":\"reader\"}", "has expired" },
        { HS, "{\"sub\":\"a\",\"aud\":\"plant\",\"iss\":\"here\",\"role\":\"reader\"}", "when it ends" },
        { HS, "{\"sub\":\"a\",\"aud\":\"plant\",\"iss\":\"here\",\"exp\":\"1700000100\",\"role\":\"reader\"}", "when it ends" },
        { HS, "{\"sub\":\"a\",\"aud\":\"plant\",\"iss\":\"here\",\"exp\":1e300,\"role\":\"reader\"}", "when it ends" },
        { HS, "{\"sub\":\"a\",\"aud\":\"plant\",\"iss\":\"here\",\"exp\":1700000100,\"nbf\":1700000090}", "not valid yet" },
        { HS, "{\"sub\":\"a\",\"aud\":\"plant\",\"iss\":\"here\",\"exp\":1700000100,\"nbf\":\"soon\"}", "'nbf'" },
        { HS, "{\"sub\":\"a\",\"aud\":\"plants\",\"iss\":\"here\",\"exp\":1700000100}", "another audience" },
        { HS, "{\"sub\":\"a\",\"aud\":[\"x\"],\"iss\":\"here\",\"exp\":1700000100}", "another audience" },
        { HS, "{\"sub\":\"a\",\"iss\":\"here\",\"exp\":1700000100}", "another audience" },
        { HS, "{\"sub\":\"a\",\"aud\":\"plant\",\"iss\":\"there\",\"exp\":1700000100}", "another issuer" },
        { HS, "{\"sub\":\"a\",\"aud\":\"plant\",\"exp\":1700000100}", "another issuer" },
        { HS, "{\"aud\":\"plant\",\"iss\":\"here\",\"exp\":1700000100}", "names nobody" },
        { HS, "{\"sub\":\"\",\"aud\":\"plant\",\"iss\":\"here\",\"exp\":1700000100}", "names nobody" },
        { HS, "{\"sub\":\"a\",\"aud\":\"plant\",\"iss\":\"here\",\"exp\":1700000100,\"role\":[1]}", "roles that are no texts" },
        { HS, "{\"sub\":\"a\",\"aud\":\"plant\",\"iss\":\"here\",\"exp\":1700000100,\"scope_twins\":7}", "no twin ids" },
        { HS, "{\"sub\":\"a\",\"sub\":\"b\",\"aud\":\"plant\",\"iss\":\"here\",\"exp\":1700000100}", "broken" },
        { HS, "[]", "broken" },
        { HS, "", "none that is known" },
        { "{\"alg\":\"hs256\"}", GOOD, "not signed" },
        { "{\"alg\":\"none\"}", GOOD, "not signed" },
        { "{\"alg\":\"HS512\"}", GOOD, "not signed" },
        { "{\"alg\":7}", GOOD, "broken" },
        { "{}", GOOD, "broken" },
        { "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", GOOD, "'crit'" },
    };
    gm_jwt_keys *keys = make_keys("here");
    gm_error     err;
    assert_gm_ok(gm_jwt_add_secret(keys, GM_STR(SECRET), &err), err);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_buf      token = jwt_signed_with_secret(cases[i].header, cases[i].payload, GM_STR(SECRET));
        const char *says  = verdict(keys, gm_buf_view(&token), NOW, NULL);
        if (cases[i].says[0] == '\0' ? says[0] != '\0' : strstr(says, cases[i].says) == NULL) {
            fail_msg("%s %s: '%s'", cases[i].header, cases[i].payload, says);
        }
        gm_buf_finish(&token);
    }
    gm_jwt_keys_destroy(keys);
}

static void roles_and_scopes_are_read(void **state)
{
    (void)state;
    gm_jwt_keys  *keys = make_keys(NULL);
    gm_jwt_claims c;
    gm_error      err;
    assert_gm_ok(gm_jwt_add_secret(keys, GM_STR(SECRET), &err), err);
    gm_buf token = jwt_signed_with_secret(
        HS, "{\"sub\":\"a\",\"aud\":\"plant\",\"exp\":1700000100,\"role\":[\"x\",\"operator\"],\"scope_twins\":[\"p1\",\"p2\"]}", GM_STR(SECRET));
    assert_string_equal(verdict(keys, gm_buf_view(&token), NOW, &c), "");
    assert_int_equal(c.role_count, 2);
    assert_int_equal(c.scope_count, 2);
    assert_true(c.scoped && gm_str_is(c.scopes[1], "p2") && gm_str_is(c.subject, "a"));
    assert_true(c.ends == NOW + 100 * GM_SECOND);
    gm_buf_finish(&token);
    // A scope without twins is a scope that shows nothing, not one that shows everything.
    token = jwt_signed_with_secret(HS, "{\"sub\":\"a\",\"aud\":\"plant\",\"exp\":1700000100,\"scope_twins\":[]}", GM_STR(SECRET));
    assert_string_equal(verdict(keys, gm_buf_view(&token), NOW, &c), "");
    assert_true(c.scoped && c.scope_count == 0);
    gm_buf_finish(&token);
    gm_jwt_keys_destroy(keys);
}

static void no_token_of_another_making_gets_through(void **state)
{
    (void)state;
    gnutls_privkey_t rsa = jwt_make_key(GNUTLS_PK_RSA, 2048), ec = jwt_make_key(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1));
    gnutls_privkey_t other = jwt_make_key(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1));
    gm_buf           pem = jwt_public_pem(rsa), set = jwt_jwks(ec, "k1");
    gm_jwt_keys     *keys = make_keys(NULL);
    gm_error         err;
    assert_gm_ok(gm_jwt_add_pem(keys, gm_buf_view(&pem), &err), err);
    assert_gm_ok(gm_jwt_add_jwks(keys, gm_buf_view(&set), &err), err);
    assert_int_equal(gm_jwt_keys_count(keys), 2);

    gm_buf good[] = { jwt_signed_with_key("{\"alg\":\"RS256\"}", GOOD, rsa), jwt_signed_with_key("{\"alg\":\"ES256\",\"kid\":\"k1\"}", GOOD, ec),
                      jwt_signed_with_key("{\"alg\":\"ES256\"}", GOOD, ec) };
    gm_buf bad[]  = {
        jwt_unsigned("{\"alg\":\"none\"}", GOOD),
        jwt_unsigned("{\"alg\":\"RS256\"}", GOOD),
        jwt_signed_with_secret(HS, GOOD, gm_buf_view(&pem)),                           // the public key as a secret
        jwt_signed_with_secret("{\"alg\":\"RS256\"}", GOOD, gm_buf_view(&pem)),
        jwt_signed_with_secret("{\"alg\":\"none\"}", GOOD, GM_STR("")),
        jwt_signed_with_key("{\"alg\":\"ES256\"}", GOOD, other),
        jwt_signed_with_key("{\"alg\":\"ES256\",\"kid\":\"k2\"}", GOOD, ec),           // another key's name
        jwt_signed_with_key("{\"alg\":\"RS256\"}", GOOD, ec),
        jwt_signed_with_key("{\"alg\":\"ES256\"}", GOOD, rsa),
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) assert_string_equal(verdict(keys, gm_buf_view(&good[i]), NOW, NULL), "");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (verdict(keys, gm_buf_view(&bad[i]), NOW, NULL)[0] == '\0') fail_msg("forgery %zu was accepted", i);
        gm_buf_finish(&bad[i]);
    }
    // Any changed character breaks it: of header, claims and signature alike.
    uint64_t seed = gm_test_seed();
    for (int round = 0; round < 200; round++) {
        gm_buf *token = &good[round % 3];
        size_t  at    = gm_test_random(&seed) % token->len;
        uint8_t was   = token->ptr[at], now = "AZaz09-_."[gm_test_random(&seed) % 9];
        token->ptr[at] = now;
        if (now != was && verdict(keys, gm_buf_view(token), NOW, NULL)[0] == '\0') fail_msg("character %zu changed, and nobody saw it", at);
        token->ptr[at] = was;
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) gm_buf_finish(&good[i]);
    gm_buf_finish(&pem);
    gm_buf_finish(&set);
    gm_jwt_keys_destroy(keys);
    gnutls_privkey_deinit(rsa);
    gnutls_privkey_deinit(ec);
    gnutls_privkey_deinit(other);
}

static void weak_and_foreign_keys_are_refused(void **state)
{
    (void)state;
    gnutls_privkey_t weak = jwt_make_key(GNUTLS_PK_RSA, 1024), p384 = jwt_make_key(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1));
    gm_buf           pems[] = { jwt_public_pem(weak), jwt_public_pem(p384) };
    gm_jwt_keys     *keys   = make_keys(NULL);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(gm_jwt_add_pem(keys, gm_buf_view(&pems[i]), NULL), GM_INVALID);
        gm_buf_finish(&pems[i]);
    }
    assert_int_equal(gm_jwt_add_pem(keys, GM_STR("no key"), NULL), GM_INVALID);
    assert_int_equal(gm_jwt_add_secret(keys, GM_STR("short"), NULL), GM_INVALID);
    static const char *const sets[] = {
        "", "{}", "{\"keys\":{}}", "{\"keys\":[]}", "{\"keys\":[{\"kty\":\"OKP\"}]}", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2hvcnQ\"}]}",
        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"!\"}]}", "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQ\"}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQ\",\"y\":\"AQ\"}]}",
    };
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        if (gm_jwt_add_jwks(keys, gm_str_of(sets[i]), NULL) == GM_OK) fail_msg("'%s' was taken", sets[i]);
    }
    assert_int_equal(gm_jwt_keys_count(keys), 0);
    gm_jwt_keys_destroy(keys);
    gnutls_privkey_deinit(weak);
    gnutls_privkey_deinit(p384);
}

static void base64url_has_one_spelling_for_each_value(void **state)
{
    (void)state;
    uint64_t seed = gm_test_seed();
    for (size_t n = 0; n < 70; n++) {
        uint8_t bytes[70], back[70];
        char    text[100];
        size_t  m;
        for (size_t i = 0; i < n; i++) bytes[i] = (uint8_t)gm_test_random(&seed);
        gm_base64url_encode(bytes, n, text);
        assert_true(gm_base64url_decode((gm_str){ text, GM_BASE64URL_LEN(n) }, back, &m) && m == n);
        assert_memory_equal(bytes, back, n);
    }
    static const char *const wrong[] = { "A", "AAAAA", "AB", "AAB", "AA==", "A+", "A/AA", "A A", "\xc3\xa4" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint8_t out[8];
        size_t  m;
        if (gm_base64url_decode(gm_str_of(wrong[i]), out, &m)) fail_msg("'%s' was decoded", wrong[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_counts_when_key_time_audience_and_issuer_fit),
        cmocka_unit_test(roles_and_scopes_are_read),
        cmocka_unit_test(no_token_of_another_making_gets_through),
        cmocka_unit_test(weak_and_foreign_keys_are_refused),
        cmocka_unit_test(base64url_has_one_spelling_for_each_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
