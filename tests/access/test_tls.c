// TLS over a pair of sockets in one thread: our side through gm_wire, the peer's through GnuTLS itself.
#include "access/certificates.h"
#include "access/tls.h"
#include "support/files.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct place {
    char      dir[256], certificate[300], key[300], ca[300];
    authority ours, devices, strangers;
    gm_tls   *tls;
} place;

static void write_pair(place *p, const signed_pair *pair)
{
    gm_test_write_file(p->certificate, gm_buf_view(&pair->certificate));
    gm_test_write_file(p->key, gm_buf_view(&pair->key));
}

static place *make_place(void)
{
    place   *p = calloc(1, sizeof *p);
    gm_error err;
    gm_test_make_dir(p->dir, sizeof p->dir);
    snprintf(p->certificate, sizeof p->certificate, "%s/server.pem", p->dir);
    snprintf(p->key, sizeof p->key, "%s/server-key.pem", p->dir);
    snprintf(p->ca, sizeof p->ca, "%s/devices.pem", p->dir);
    p->ours      = authority_make("ours");
    p->devices   = authority_make("devices");
    p->strangers = authority_make("strangers");
    signed_pair server = authority_sign(&p->ours, "localhost", GNUTLS_KP_TLS_WWW_SERVER, 2);
    gm_buf      ca     = authority_pem(&p->devices);
    write_pair(p, &server);
    gm_test_write_file(p->ca, gm_buf_view(&ca));
    gm_tls_files files = { p->certificate, p->key, p->ca };
    assert_gm_ok(gm_tls_create(gm_alloc_system(), gm_io_system(), &files, &p->tls, &err), err);
    signed_pair_free(&server);
    gm_buf_finish(&ca);
    return p;
}

static void free_place(place *p)
{
    gm_tls_destroy(p->tls);
    authority_free(&p->ours);
    authority_free(&p->devices);
    authority_free(&p->strangers);
    gm_test_remove_dir(p->dir);
    free(p);
}

typedef struct talk {
    int                              fds[2];
    gm_wire                         *wire;     // ours, over fds[0]
    gnutls_session_t                 session;  // the peer's, over fds[1]
    gnutls_certificate_credentials_t credentials;
    bool                             peer_done;
    ptrdiff_t                        last;     // of gm_wire_read
    uint8_t                          bytes[64 << 10];
} talk;

// trust: whom the peer believes. shows: its own certificate; NULL: none.
static talk *begin(place *p, const authority *trust, const signed_pair *shows)
{
    talk          *t  = calloc(1, sizeof *t);
    gm_buf         ca = authority_pem(trust);
    gnutls_datum_t pem = { ca.ptr, (unsigned)ca.len };
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, t->fds), 0);
    t->wire = gm_tls_accept(p->tls, t->fds[0]);
    assert_non_null(t->wire);
    assert_true(gnutls_init(&t->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) >= 0);
    assert_true(gnutls_certificate_allocate_credentials(&t->credentials) >= 0);
    assert_true(gnutls_certificate_set_x509_trust_mem(t->credentials, &pem, GNUTLS_X509_FMT_PEM) == 1);
    if (shows != NULL) {
        gnutls_datum_t certificate = { shows->certificate.ptr, (unsigned)shows->certificate.len }, key = { shows->key.ptr, (unsigned)shows->key.len };
        assert_true(gnutls_certificate_set_x509_key_mem2(t->credentials, &certificate, &key, GNUTLS_X509_FMT_PEM, NULL, 0) >= 0);
        // Shown whatever the server says it believes.
        gnutls_certificate_set_flags(t->credentials, GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
    }
    assert_true(gnutls_set_default_priority(t->session) >= 0);
    assert_true(gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, t->credentials) >= 0);
    assert_true(gnutls_server_name_set(t->session, GNUTLS_NAME_DNS, "localhost", 9) >= 0);
    gnutls_session_set_verify_cert(t->session, "localhost", 0);
    gnutls_transport_set_int(t->session, t->fds[1]);
    gm_buf_finish(&ca);
    return t;
}

// Both sides in turn until the peer is through, or one of them gives up.
static void shake(talk *t)
{
    for (int i = 0; i < 100; i++) {
        t->last = gm_wire_read(t->wire, t->bytes, sizeof t->bytes);
        if (!t->peer_done) {
            int n = gnutls_handshake(t->session);
            if (n < 0 && n != GNUTLS_E_AGAIN && gnutls_error_is_fatal(n)) return;
            t->peer_done = n == 0;
        } else if (t->last == GM_WIRE_LATER) {
            return;
        }
        if (t->last == GM_WIRE_BROKEN || t->last == GM_WIRE_END) return;
    }
}

static void end(talk *t)
{
    gm_wire_close(t->wire);
    gnutls_deinit(t->session);
    gnutls_certificate_free_credentials(t->credentials);
    close(t->fds[0]);
    close(t->fds[1]);
    free(t);
}

static void bytes_arrive_whole_in_both_directions(void **state)
{
    (void)state;
    place *p = make_place();
    talk  *t = begin(p, &p->ours, NULL);
    shake(t);
    assert_true(t->peer_done && gm_tls_peer(t->wire).ptr == NULL);
    // To us: much more than one record, in odd pieces; nothing may stay behind inside the wire.
    enum { TOTAL = 300000 };
    uint8_t *sent = malloc(TOTAL), *got = malloc(TOTAL);
    for (int i = 0; i < TOTAL; i++) sent[i] = (uint8_t)(i * 7 + i / 256);
    size_t out = 0, in = 0;
    while (in < TOTAL) {
        ssize_t n = out < TOTAL ? gnutls_record_send(t->session, sent + out, TOTAL - out < 7777 ? TOTAL - out : 7777) : 0;
        if (n > 0) out += (size_t)n;
        ptrdiff_t m = gm_wire_read(t->wire, t->bytes, sizeof t->bytes);
        assert_true(m > 0 || m == GM_WIRE_LATER);
        if (m > 0) {
            memcpy(got + in, t->bytes, (size_t)m);
            in += (size_t)m;
        }
    }
    assert_memory_equal(sent, got, TOTAL);
    // From us, until the socket takes no more and again.
    bool later = false;
    out = in = 0;
    while (in < TOTAL) {
        ptrdiff_t n = out < TOTAL ? gm_wire_write(t->wire, sent + out, TOTAL - out) : 0;
        later       = later || n == GM_WIRE_LATER;
        if (n > 0) out += (size_t)n;
        if (n == GM_WIRE_LATER || out == TOTAL) {
            ssize_t m = gnutls_record_recv(t->session, got + in, TOTAL - in);
            if (m > 0) in += (size_t)m;
        }
    }
    assert_true(later);
    assert_memory_equal(sent, got, TOTAL);
    gnutls_bye(t->session, GNUTLS_SHUT_WR);
    assert_int_equal(gm_wire_read(t->wire, t->bytes, sizeof t->bytes), GM_WIRE_END);
    free(sent);
    free(got);
    end(t);
    free_place(p);
}

static void a_device_is_known_by_its_certificate_and_no_other_counts(void **state)
{
    (void)state;
    place      *p     = make_place();
    signed_pair good  = authority_sign(&p->devices, "pump7", GNUTLS_KP_TLS_WWW_CLIENT, 2);
    signed_pair old   = authority_sign(&p->devices, "pump7", GNUTLS_KP_TLS_WWW_CLIENT, -1);
    signed_pair other = authority_sign(&p->strangers, "pump7", GNUTLS_KP_TLS_WWW_CLIENT, 2);
    signed_pair wrong = authority_sign(&p->devices, "pump7", GNUTLS_KP_TLS_WWW_SERVER, 2);
    talk       *t     = begin(p, &p->ours, &good);
    shake(t);
    assert_true(t->peer_done && t->last == GM_WIRE_LATER);
    assert_true(gm_str_is(gm_tls_peer(t->wire), "pump7"));
    end(t);
    const signed_pair *bad[] = { &old, &other, &wrong };
    for (size_t i = 0; i < 3; i++) {
        t = begin(p, &p->ours, bad[i]);
        shake(t);
        // A client that shows nothing because the server names another authority is let in without a name; one that
        // shows what does not count is not let in.
        if (t->last != GM_WIRE_BROKEN && gm_tls_peer(t->wire).ptr != NULL) fail_msg("certificate %zu was believed", i);
        if (i != 1) assert_int_equal(t->last, GM_WIRE_BROKEN);
        end(t);
    }
    signed_pair_free(&good);
    signed_pair_free(&old);
    signed_pair_free(&other);
    signed_pair_free(&wrong);
    free_place(p);
}

static void handshakes_that_are_none_break_the_wire_and_nothing_else(void **state)
{
    (void)state;
    place   *p    = make_place();
    uint64_t seed = gm_test_seed();
    for (int round = 0; round < 50; round++) {
        talk   *t = begin(p, &p->ours, NULL);
        uint8_t noise[600];
        size_t  n = gm_test_random(&seed) % sizeof noise;
        for (size_t i = 0; i < n; i++) noise[i] = (uint8_t)gm_test_random(&seed);
        if (round % 2 == 0) memcpy(noise, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", n < 11 ? n : 11);  // begins like one
        assert_true(send(t->fds[1], noise, n, MSG_NOSIGNAL) == (ssize_t)n);
        shutdown(t->fds[1], SHUT_WR);
        ptrdiff_t m = GM_WIRE_LATER;
        for (int i = 0; i < 20 && m == GM_WIRE_LATER; i++) m = gm_wire_read(t->wire, t->bytes, sizeof t->bytes);
        assert_int_equal(m, GM_WIRE_BROKEN);
        assert_int_equal(gm_wire_write(t->wire, "x", 1), GM_WIRE_LATER);  // nothing goes out in clear
        end(t);
    }
    talk *t = begin(p, &p->strangers, NULL);  // one who does not trust us leaves
    shake(t);
    assert_false(t->peer_done);
    end(t);
    free_place(p);
}

static void certificates_are_exchanged_while_connections_stay(void **state)
{
    (void)state;
    place   *p   = make_place();
    talk    *old = begin(p, &p->ours, NULL), *refused, *fresh;
    gm_error err = { 0 };
    shake(old);
    assert_true(old->peer_done);
    // What is broken does not take the place of what works.
    signed_pair a = authority_sign(&p->strangers, "localhost", GNUTLS_KP_TLS_WWW_SERVER, 2);
    signed_pair b = authority_sign(&p->strangers, "localhost", GNUTLS_KP_TLS_WWW_SERVER, 2);
    gm_test_write_file(p->certificate, gm_buf_view(&a.certificate));
    gm_test_write_file(p->key, gm_buf_view(&b.key));
    assert_int_equal(gm_tls_reload(p->tls, &err), GM_INVALID);
    assert_true(strstr(err.text, "no certificate with its key") != NULL);
    fresh = begin(p, &p->ours, NULL);
    shake(fresh);
    assert_true(fresh->peer_done);
    end(fresh);

    write_pair(p, &a);
    assert_gm_ok(gm_tls_reload(p->tls, &err), err);
    fresh = begin(p, &p->strangers, NULL);
    shake(fresh);
    assert_true(fresh->peer_done);
    refused = begin(p, &p->ours, NULL);
    shake(refused);
    assert_false(refused->peer_done);
    assert_true(gnutls_record_send(old->session, "hello", 5) == 5);
    assert_int_equal(gm_wire_read(old->wire, old->bytes, sizeof old->bytes), 5);
    end(old);
    end(fresh);
    end(refused);
    signed_pair_free(&a);
    signed_pair_free(&b);
    free_place(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_arrive_whole_in_both_directions),
        cmocka_unit_test(a_device_is_known_by_its_certificate_and_no_other_counts),
        cmocka_unit_test(handshakes_that_are_none_break_the_wire_and_nothing_else),
        cmocka_unit_test(certificates_are_exchanged_while_connections_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
