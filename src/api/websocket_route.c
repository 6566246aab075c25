// GET /mqtt: MQTT over WebSocket. The handshake of RFC 6455, section 4.2, with the subprotocol that the MQTT standards
// ask for [MQTT-6.0.0-3, -4]; what comes then is the MQTT endpoint's. Who may do what is decided by its CONNECT.
#include "api/routes.h"

#include <gnutls/crypto.h>
#include <strings.h>

enum { SHA1_SIZE = 20, KEY_LEN = 24, ACCEPT_LEN = 28 };

static bool same_word(gm_str a, const char *b) { return a.len == strlen(b) && strncasecmp(a.ptr, b, a.len) == 0; }

// Is the word one of a header's, separated by commas?
static bool header_lists(const gm_request *request, const char *name, const char *word)
{
    gm_str rest = gm_request_header(request, name), part;
    while (rest.ptr != NULL && gm_str_next(&rest, ',', &part)) {
        if (same_word(gm_str_trim(part), word)) return true;
    }
    return false;
}

// Sec-WebSocket-Accept of a key: base64 of the SHA-1 of the key and a fixed text (RFC 6455, section 4.2.2).
static bool accept_of(gm_str key, char out[ACCEPT_LEN + 1])
{
    static const char suffix[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t           text[KEY_LEN + sizeof suffix - 1], sum[SHA1_SIZE];
    gnutls_datum_t    digest = { sum, sizeof sum }, encoded = { NULL, 0 };
    if (key.len != KEY_LEN) return false;
    memcpy(text, key.ptr, KEY_LEN);
    memcpy(text + KEY_LEN, suffix, sizeof suffix - 1);
    if (gnutls_hash_fast(GNUTLS_DIG_SHA1, text, sizeof text, sum) != 0) return false;
    if (gnutls_base64_encode2(&digest, &encoded) != 0) return false;
    bool fits = encoded.size == ACCEPT_LEN;
    if (fits) memcpy(out, encoded.data, ACCEPT_LEN);
    out[fits ? ACCEPT_LEN : 0] = '\0';
    gnutls_free(encoded.data);
    return fits;
}

void gm_route_mqtt(gm_request *request)
{
    const gm_api_options *o = &request->api->options;
    char                  accept[ACCEPT_LEN + 1];
    gm_str                key = gm_request_header(request, "sec-websocket-key");
    // Without tokens a page from anywhere could otherwise speak to this plant through somebody's browser.
    if (!gm_access_required(o->access) && gm_router_is_foreign(request)) {
        gm_reply_error(request, 403, "CrossOriginRefused", "A page of another origin may not connect here without a token.");
        return;
    }
    if (o->websocket == NULL) {
        gm_reply_error(request, 503, "ServiceUnavailable", "No MQTT is served here.");
        return;
    }
    if (!header_lists(request, "upgrade", "websocket") || !header_lists(request, "connection", "upgrade") ||
        !gm_str_is(gm_request_header(request, "sec-websocket-version"), "13") || !accept_of(key, accept)) {
        gm_reply_error(request, 426, "UpgradeRequired", "MQTT is spoken here over WebSocket (RFC 6455, version 13).");
        gm_reply_header(request, "Upgrade", "websocket");
        gm_reply_header(request, "Sec-WebSocket-Version", "13");
        return;
    }
    if (!header_lists(request, "sec-websocket-protocol", "mqtt")) {
        gm_reply_error(request, 400, "InvalidArgument", "The subprotocol is mqtt: Sec-WebSocket-Protocol: mqtt.");
        return;
    }
    gm_reply_header(request, "Upgrade", "websocket");
    gm_reply_header(request, "Sec-WebSocket-Accept", "%s", accept);
    gm_reply_header(request, "Sec-WebSocket-Protocol", "mqtt");
    gm_reply_upgrade(request, o->websocket, o->websocket_context);
}
