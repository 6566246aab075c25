// Key and certificate, and streams over them. Invariant: a gm_tls_secret lives while it is the present one or a session
// has it (references); the library reads it until the session's end.
#include "access/tls.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

enum { FILE_MAX = 1 << 20, NAME_MAX_BYTES = 256 };

struct gm_tls_secret {
    const gm_alloc                  *alloc, *file_alloc;  // of the secret; of what was read
    gnutls_certificate_credentials_t credentials;
    uint32_t                         references;
    uint8_t                         *key, *certificate;  // PEM
    bool                             asks;               // clients are asked for a certificate
};

struct gm_tls {
    const gm_alloc *alloc;
    const gm_io    *io;
    char           *certificate, *key, *client_ca;  // paths
    gm_tls_secret  *present;
};

// ---- files --------------------------------------------------------------------------------------------------------

static void release_secret(gm_tls_secret *secret)
{
    if (secret == NULL || --secret->references > 0) return;
    if (secret->credentials != NULL) gnutls_certificate_free_credentials(secret->credentials);
    gm_free(secret->file_alloc, secret->key);
    gm_free(secret->file_alloc, secret->certificate);
    gm_free(secret->alloc, secret);
}

static gm_status read_text(const gm_io *io, const char *path, const char *what, uint8_t **out_bytes, size_t *out_size,
                           gm_error *err)
{
    gm_error  why = { 0 };
    gm_status st  = gm_io_read_file(io, path, FILE_MAX, out_bytes, out_size, &why);
    if (st == GM_OK) return GM_OK;
    return gm_fail(err, st, "access.tls", "the %s %.100s can not be read: %.60s", what, path, why.text);
}

static gm_status set_authority(gm_tls *tls, gm_tls_secret *secret, gm_error *err)
{
    uint8_t  *bytes = NULL;
    size_t    size  = 0;
    gm_status st    = read_text(tls->io, tls->client_ca, "clients' authority", &bytes, &size, err);
    if (st != GM_OK) return st;
    gnutls_datum_t pem = { bytes, (unsigned)size };
    int            n   = gnutls_certificate_set_x509_trust_mem(secret->credentials, &pem, GNUTLS_X509_FMT_PEM);
    gm_free(tls->io->alloc, bytes);
    if (n > 0) {
        secret->asks = true;
        return GM_OK;
    }
    return gm_fail(err, GM_INVALID, "access.tls", "%.100s holds no certificate of an authority: %s", tls->client_ca,
                   n < 0 ? gnutls_strerror(n) : "no PEM");
}

static gm_status load(gm_tls *tls, gm_tls_secret **out_secret, gm_error *err)
{
    size_t         key_size = 0, certificate_size = 0;
    gm_status      st       = GM_OK;
    gm_tls_secret *secret   = gm_alloc_zeroed(tls->alloc, sizeof *secret);
    if (secret == NULL) return gm_fail(err, GM_NOMEM, "access.tls", "reading the certificate");
    secret->alloc      = tls->alloc;
    secret->file_alloc = tls->io->alloc;
    secret->references = 1;
    if (gnutls_certificate_allocate_credentials(&secret->credentials) < 0) {
        st = gm_fail(err, GM_NOMEM, "access.tls", "reading the certificate");
    }
    if (st == GM_OK) st = read_text(tls->io, tls->certificate, "certificate", &secret->certificate, &certificate_size, err);
    if (st == GM_OK) st = read_text(tls->io, tls->key, "key", &secret->key, &key_size, err);
    if (st == GM_OK) {
        gnutls_datum_t certificate = { secret->certificate, (unsigned)certificate_size };
        gnutls_datum_t key         = { secret->key, (unsigned)key_size };
        int n = gnutls_certificate_set_x509_key_mem2(secret->credentials, &certificate, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
        if (n < 0) {
            st = gm_fail(err, GM_INVALID, "access.tls", "%.70s and %.70s are no certificate with its key: %.40s",
                         tls->certificate, tls->key, gnutls_strerror(n));
        }
    }
    if (st == GM_OK && tls->client_ca != NULL) st = set_authority(tls, secret, err);
    if (st != GM_OK) {
        release_secret(secret);
        secret = NULL;
    }
    *out_secret = secret;
    return st;
}

static char *copy_path(const gm_alloc *alloc, const char *path)
{
    char *copy = gm_alloc_bytes(alloc, strlen(path) + 1);
    if (copy != NULL) memcpy(copy, path, strlen(path) + 1);
    return copy;
}

gm_status gm_tls_create(const gm_alloc *alloc, const gm_io *io, const gm_tls_files *files, gm_tls **out_tls, gm_error *err)
{
    *out_tls    = NULL;
    gm_tls *tls = gm_alloc_zeroed(alloc, sizeof *tls);
    if (tls == NULL) return gm_fail(err, GM_NOMEM, "access.tls", "reading the certificate");
    tls->alloc       = alloc;
    tls->io          = io;
    tls->certificate = copy_path(alloc, files->certificate);
    tls->key         = copy_path(alloc, files->key);
    bool copied      = tls->certificate != NULL && tls->key != NULL;
    if (files->client_ca != NULL) {
        tls->client_ca = copy_path(alloc, files->client_ca);
        copied         = copied && tls->client_ca != NULL;
    }
    gm_status st = copied ? load(tls, &tls->present, err) : gm_fail(err, GM_NOMEM, "access.tls", "reading the certificate");
    if (st != GM_OK) {
        gm_tls_destroy(tls);
        return st;
    }
    *out_tls = tls;
    return GM_OK;
}

void gm_tls_destroy(gm_tls *tls)
{
    if (tls == NULL) return;
    release_secret(tls->present);
    gm_free(tls->alloc, tls->certificate);
    gm_free(tls->alloc, tls->key);
    gm_free(tls->alloc, tls->client_ca);
    gm_free(tls->alloc, tls);
}

gm_status gm_tls_reload(gm_tls *tls, gm_error *err)
{
    gm_tls_secret *fresh;
    gm_status      st = load(tls, &fresh, err);
    if (st != GM_OK) return st;
    release_secret(tls->present);
    tls->present = fresh;
    return GM_OK;
}

const char *gm_tls_key_pem(const gm_tls *tls) { return (const char *)tls->present->key; }
const char *gm_tls_certificate_pem(const gm_tls *tls) { return (const char *)tls->present->certificate; }

// ---- sessions -----------------------------------------------------------------------------------------------------

gm_tls_secret *gm_tls_lend(gm_tls *tls, void *gnutls_session)
{
    if (gnutls_credentials_set(gnutls_session, GNUTLS_CRD_CERTIFICATE, tls->present->credentials) < 0) return NULL;
    tls->present->references++;
    return tls->present;
}

void gm_tls_give_back(gm_tls_secret *secret) { release_secret(secret); }

typedef struct tls_wire {
    gm_wire        wire;
    const gm_alloc  *alloc;
    gm_tls_secret   *secret;
    gnutls_session_t session;
    bool             open;       // the handshake is done
    bool             unfinished; // a write is half done inside the library, and has to be called again
    char             peer[NAME_MAX_BYTES];
} tls_wire;

// Keeps the name of the peer's certificate. False: it has shown one that does not count.
static bool check_peer(tls_wire *s)
{
    unsigned              count = 0, status = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(s->session, &count);
    if (chain == NULL || count == 0) return true;
    char                purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
    gnutls_typed_vdata_st wanted  = { .type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)purpose, .size = 0 };
    if (gnutls_certificate_verify_peers(s->session, &wanted, 1, &status) < 0 || status != 0) return false;
    gnutls_x509_crt_t certificate;
    if (gnutls_x509_crt_init(&certificate) < 0) return false;
    size_t size = sizeof s->peer;
    bool   named = gnutls_x509_crt_import(certificate, &chain[0], GNUTLS_X509_FMT_DER) >= 0 &&
                 gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, s->peer, &size) >= 0;
    gnutls_x509_crt_deinit(certificate);
    if (!named || strlen(s->peer) != size) s->peer[0] = '\0';  // no name, or a NUL inside it
    return named;
}

// 0: done; else GM_WIRE_LATER or _BROKEN.
static ptrdiff_t shake_hands(tls_wire *s)
{
    if (s->open) return 0;
    int n = gnutls_handshake(s->session);
    while (n < 0 && n != GNUTLS_E_AGAIN && n != GNUTLS_E_INTERRUPTED && gnutls_error_is_fatal(n) == 0) {
        n = gnutls_handshake(s->session);  // a warning of the peer
    }
    if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED) return GM_WIRE_LATER;
    if (n < 0 || !check_peer(s)) {
        (void)gnutls_alert_send(s->session, GNUTLS_AL_FATAL, n < 0 ? gnutls_error_to_alert(n, NULL) : GNUTLS_A_BAD_CERTIFICATE);
        return GM_WIRE_BROKEN;
    }
    s->open = true;
    return 0;
}

static ptrdiff_t tls_read(gm_wire *wire, void *to, size_t n)
{
    tls_wire *s  = (tls_wire *)wire;
    ptrdiff_t   st = shake_hands(s);
    if (st != 0) return st;
    // As long as a whole record fits: then nothing decrypted stays behind inside the library.
    size_t  have = 0;
    ssize_t got  = 0;
    while (n - have >= GM_WIRE_READ_MIN) {
        got = gnutls_record_recv(s->session, (char *)to + have, n - have);
        if (got == GNUTLS_E_REHANDSHAKE || (got < 0 && got != GNUTLS_E_AGAIN && gnutls_error_is_fatal((int)got) == 0)) {
            if (got == GNUTLS_E_INTERRUPTED) continue;
            got = GNUTLS_E_AGAIN;  // a warning, or a wish that is not granted
        }
        if (got <= 0) break;
        have += (size_t)got;
    }
    if (have > 0) return (ptrdiff_t)have;  // the end shows with the next call
    if (got == 0 || got == GNUTLS_E_PREMATURE_TERMINATION) return GM_WIRE_END;
    return got == GNUTLS_E_AGAIN ? GM_WIRE_LATER : GM_WIRE_BROKEN;
}

static ptrdiff_t tls_write(gm_wire *wire, const void *from, size_t n)
{
    tls_wire *s = (tls_wire *)wire;
    if (!s->open) return GM_WIRE_LATER;
    ssize_t sent;
    do sent = s->unfinished ? gnutls_record_send(s->session, NULL, 0) : gnutls_record_send(s->session, from, n);
    while (sent == GNUTLS_E_INTERRUPTED);
    s->unfinished = sent == GNUTLS_E_AGAIN;
    if (sent >= 0) return sent;
    return sent == GNUTLS_E_AGAIN ? GM_WIRE_LATER : GM_WIRE_BROKEN;
}

static bool tls_wants_write(const gm_wire *wire)
{
    const tls_wire *s = (const tls_wire *)wire;
    return !s->open && gnutls_record_get_direction(s->session) == 1;
}

static void tls_close(gm_wire *wire)
{
    tls_wire *s = (tls_wire *)wire;
    if (s->open && !s->unfinished) (void)gnutls_bye(s->session, GNUTLS_SHUT_WR);
    gnutls_deinit(s->session);
    release_secret(s->secret);
    gm_free(s->alloc, s);
}

static const gm_wire_calls tls_calls = { tls_read, tls_write, tls_wants_write, tls_close };

gm_wire *gm_tls_accept(gm_tls *tls, int fd)
{
    tls_wire *s = gm_alloc_zeroed(tls->alloc, sizeof *s);
    if (s == NULL) return NULL;
    s->wire.calls = &tls_calls;
    s->alloc        = tls->alloc;
    if (gnutls_init(&s->session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) < 0) {
        gm_free(tls->alloc, s);
        return NULL;
    }
    if (gnutls_priority_set_direct(s->session, GM_TLS_PRIORITIES, NULL) >= 0) s->secret = gm_tls_lend(tls, s->session);
    if (s->secret == NULL) {
        tls_close(&s->wire);
        return NULL;
    }
    gnutls_certificate_server_set_request(s->session, s->secret->asks ? GNUTLS_CERT_REQUEST : GNUTLS_CERT_IGNORE);
    gnutls_handshake_set_timeout(s->session, 0);  // whoever reads keeps the time
    gnutls_transport_set_int(s->session, fd);
    return &s->wire;
}

gm_str gm_tls_peer(const gm_wire *wire)
{
    if (wire->calls != &tls_calls) return (gm_str){ 0 };
    const tls_wire *s = (const tls_wire *)wire;
    return s->open && s->peer[0] != '\0' ? gm_str_of(s->peer) : (gm_str){ 0 };
}
