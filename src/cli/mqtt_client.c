// libmosquitto does the protocol; this file decides when to wait, when to connect again, and when to give up.
#include "cli/mqtt_client.h"

#include "base/address.h"
#include "base/buf.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct gm_mqtt_client {
    gm_mqtt_client_options options;
    gm_address             address;
    struct mosquitto      *mosq;
    gm_mqtt_client_counts  counts;
    int                    refused;      // CONNACK's reason; 0: none
    gm_dur_ns              lost;         // since when there is no connection; 0: there is one
    gm_dur_ns              next_try;
    gm_dur_ns              pause;        // back-off
    gm_mqtt_client_heard  *heard;
    void                  *heard_context;
    char                   filters[GM_MQTT_CLIENT_FILTERS][128];
    size_t                 filter_count;
};

static const gm_dur_ns PAUSE_FIRST = 100 * GM_MILLISECOND, PAUSE_MOST = 5 * GM_SECOND;

gm_mqtt_client_options gm_mqtt_client_options_defaults(void)
{
    return (gm_mqtt_client_options) { .alloc    = gm_alloc_system(),
                                      .clock    = gm_clock_system(),
                                      .address  = "127.0.0.1:1883",
                                      .name     = "gemel",
                                      .window   = 1000,
                                      .patience = 30 * GM_SECOND };
}

static gm_dur_ns now_of(const gm_mqtt_client *c) { return gm_monotonic(c->options.clock); }

// ---- libmosquitto calls us ------------------------------------------------------------------------------------------

static void on_connect(struct mosquitto *mosq, void *context, int reason)
{
    gm_mqtt_client *c = context;
    if (reason != 0) {
        c->refused = reason;
        return;
    }
    c->counts.connected = true;
    c->counts.connections++;
    c->lost  = 0;
    c->pause = PAUSE_FIRST;
    for (size_t i = 0; i < c->filter_count; i++) mosquitto_subscribe(mosq, NULL, c->filters[i], 1);
}

static void on_message(struct mosquitto *mosq, void *context, const struct mosquitto_message *message,
                       const mosquitto_property *properties)
{
    (void)mosq, (void)properties;
    const gm_mqtt_client *c = context;
    if (c->heard == NULL) return;
    c->heard(c->heard_context, gm_str_of(message->topic), (gm_str){ message->payload, (size_t)message->payloadlen });
}

static void lose(gm_mqtt_client *c)
{
    c->counts.connected = false;
    if (c->lost == 0) c->lost = now_of(c);
}

static void on_disconnect(struct mosquitto *mosq, void *context, int reason)
{
    (void)mosq, (void)reason;
    lose(context);
}

static void on_publish(struct mosquitto *mosq, void *context, int id, int reason, const mosquitto_property *properties)
{
    (void)mosq, (void)id, (void)properties;
    gm_mqtt_client *c = context;
    c->counts.acknowledged++;
    if (reason >= 0x80) c->counts.refused++;
}

// ---- connecting -----------------------------------------------------------------------------------------------------

static gm_status give_up(const gm_mqtt_client *c, gm_error *err)
{
    if (c->refused != 0) {
        return gm_fail(err, GM_INVALID, "cli.mqtt", "%s refused the connection: %s", c->options.address,
                       mosquitto_reason_string(c->refused));
    }
    if (c->counts.connections == 0) {
        return gm_fail(err, GM_NOTFOUND, "cli.mqtt",
                       "no MQTT server answers at %s; start one with 'gemel serve PLANT' or name it with --mqtt",
                       c->options.address);
    }
    return gm_fail(err, GM_NOTFOUND, "cli.mqtt",
                   "the MQTT server at %s went away and did not come back; %llu of %llu messages were acknowledged",
                   c->options.address, (unsigned long long)c->counts.acknowledged, (unsigned long long)c->counts.sent);
}

// Tries again when that is due. GM_NOTFOUND: for long enough.
static gm_status try_again(gm_mqtt_client *c, gm_error *err)
{
    gm_dur_ns now = now_of(c);
    if (c->refused != 0 || now - c->lost > c->options.patience) return give_up(c, err);
    if (now < c->next_try) {
        struct timespec rest = { .tv_nsec = (long)((c->next_try - now) % GM_SECOND),
                                 .tv_sec  = (c->next_try - now) / GM_SECOND };
        nanosleep(&rest, NULL);
    }
    c->next_try = now_of(c) + c->pause;
    c->pause    = c->pause * 2 < PAUSE_MOST ? c->pause * 2 : PAUSE_MOST;
    int code    = c->counts.connections == 0 ? mosquitto_connect(c->mosq, c->address.host, c->address.port, 30)
                                             : mosquitto_reconnect(c->mosq);
    if (code == MOSQ_ERR_NOMEM) return gm_fail(err, GM_NOMEM, "cli.mqtt", "connecting to %s", c->options.address);
    if (code == MOSQ_ERR_INVAL)
        return gm_fail(err, GM_INVALID, "cli.mqtt", "'%s' can not be connected to", c->options.address);
    return GM_OK;  // refused for now, or under way: CONNACK tells
}

gm_status gm_mqtt_client_turn(gm_mqtt_client *c, gm_dur_ns wait, gm_error *err)
{
    if (c->refused != 0) return give_up(c, err);
    if (!c->counts.connected && mosquitto_socket(c->mosq) < 0) {
        gm_status st = try_again(c, err);
        if (st != GM_OK || mosquitto_socket(c->mosq) < 0) return st;
    }
    if (!c->counts.connected && now_of(c) - c->lost > c->options.patience) return give_up(c, err);
    int code = mosquitto_loop(c->mosq, (int)(wait / GM_MILLISECOND), 1);
    if (code == MOSQ_ERR_NOMEM) return gm_fail(err, GM_NOMEM, "cli.mqtt", "talking to %s", c->options.address);
    if (code == MOSQ_ERR_PROTOCOL)
        return gm_fail(err, GM_INVALID, "cli.mqtt", "%s does not speak MQTT", c->options.address);
    if (code != MOSQ_ERR_SUCCESS) lose(c);
    return GM_OK;
}

gm_status gm_mqtt_client_open(const gm_mqtt_client_options *options, gm_mqtt_client **out_client, gm_error *err)
{
    *out_client       = NULL;
    gm_mqtt_client *c = gm_alloc_zeroed(options->alloc, sizeof *c);
    if (c == NULL) return gm_fail(err, GM_NOMEM, "cli.mqtt", "connecting to %s", options->address);
    c->options   = *options;
    c->pause     = PAUSE_FIRST;
    gm_status st = gm_address_parse(gm_str_of(options->address), &c->address, err);
    if (st != GM_OK) goto done;
    if (c->address.host[0] == '\0') snprintf(c->address.host, sizeof c->address.host, "127.0.0.1");

    mosquitto_lib_init();
    char id[64];
    snprintf(id, sizeof id, "%.30s-%ld-%llx", options->name, (long)getpid(),
             (unsigned long long)gm_now(options->clock) & 0xffffff);
    const char *session = options->session;
    c->mosq = mosquitto_new(session != NULL ? session : id, session == NULL, c);
    if (c->mosq == NULL) st = gm_fail(err, GM_NOMEM, "cli.mqtt", "connecting to %s", options->address);
    if (st != GM_OK) goto done;
    mosquitto_int_option(c->mosq, MOSQ_OPT_PROTOCOL_VERSION, session != NULL ? MQTT_PROTOCOL_V311 : MQTT_PROTOCOL_V5);
    mosquitto_int_option(c->mosq, MOSQ_OPT_TCP_NODELAY, 1);
    const char *token = getenv("GEMEL_TOKEN"), *ca = getenv("GEMEL_CA");
    // Version 3.1.1 knows no password without a user name; an empty one says nothing.
    if (token != NULL && token[0] != '\0' &&
        mosquitto_username_pw_set(c->mosq, session != NULL ? "" : NULL, token) != MOSQ_ERR_SUCCESS)
        st = gm_fail(err, GM_NOMEM, "cli.mqtt", "connecting to %s", options->address);
    if (ca != NULL && ca[0] != '\0' && mosquitto_tls_set(c->mosq, ca, NULL, NULL, NULL, NULL) != MOSQ_ERR_SUCCESS)
        st = gm_fail(err, GM_NOTFOUND, "cli.mqtt", "$GEMEL_CA: %.120s can not be read", ca);
    mosquitto_max_inflight_messages_set(c->mosq, options->window);
    mosquitto_connect_callback_set(c->mosq, on_connect);
    mosquitto_disconnect_callback_set(c->mosq, on_disconnect);
    mosquitto_publish_v5_callback_set(c->mosq, on_publish);
    mosquitto_message_v5_callback_set(c->mosq, on_message);
    c->lost = now_of(c);
    while (st == GM_OK && !c->counts.connected) st = gm_mqtt_client_turn(c, 100 * GM_MILLISECOND, err);
done:
    if (st == GM_OK) *out_client = c;
    else gm_mqtt_client_close(c);
    return st;
}

void gm_mqtt_client_close(gm_mqtt_client *c)
{
    if (c == NULL) return;
    if (c->mosq != NULL) {
        mosquitto_disconnect(c->mosq);
        mosquitto_destroy(c->mosq);
    }
    gm_free(c->options.alloc, c);
}

// ---- publishing -----------------------------------------------------------------------------------------------------

gm_status gm_mqtt_client_publish(gm_mqtt_client *c, const char *topic, gm_str payload, gm_error *err)
{
    // Half the window is kept moving before waiting: reading acknowledgements one by one would cost a call each.
    if (c->counts.sent - c->counts.acknowledged >= c->options.window) {
        while (c->counts.sent - c->counts.acknowledged >= c->options.window) {
            gm_status st = gm_mqtt_client_turn(c, 100 * GM_MILLISECOND, err);
            if (st != GM_OK) return st;
        }
    }
    int code = mosquitto_publish(c->mosq, NULL, topic, (int)payload.len, payload.ptr, 1, false);
    switch (code) {
    case MOSQ_ERR_SUCCESS: break;
    case MOSQ_ERR_NOMEM: return gm_fail(err, GM_NOMEM, "cli.mqtt", "publishing");
    case MOSQ_ERR_INVAL:
    case MOSQ_ERR_MALFORMED_UTF8: return gm_fail(err, GM_INVALID, "cli.mqtt", "'%.100s' is no topic", topic);
    case MOSQ_ERR_PAYLOAD_SIZE:
    case MOSQ_ERR_OVERSIZE_PACKET:
        return gm_fail(err, GM_LIMIT, "cli.mqtt", "a message of %zu bytes is more than the server takes", payload.len);
    default: lose(c); break;  // it is queued inside and goes out after the next connection
    }
    c->counts.sent++;
    return GM_OK;
}

gm_status gm_mqtt_client_drain(gm_mqtt_client *c, gm_dur_ns most, gm_error *err)
{
    gm_dur_ns end = now_of(c) + most;
    while (c->counts.acknowledged < c->counts.sent) {
        if (now_of(c) > end) {
            return gm_fail(err, GM_LIMIT, "cli.mqtt", "%llu of %llu messages were not acknowledged in time",
                           (unsigned long long)(c->counts.sent - c->counts.acknowledged),
                           (unsigned long long)c->counts.sent);
        }
        gm_status st = gm_mqtt_client_turn(c, 100 * GM_MILLISECOND, err);
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

// ---- listening ------------------------------------------------------------------------------------------------------

void gm_mqtt_client_listen(gm_mqtt_client *c, gm_mqtt_client_heard *heard, void *context)
{
    c->heard         = heard;
    c->heard_context = context;
}

gm_status gm_mqtt_client_subscribe(gm_mqtt_client *c, const char *filter, gm_error *err)
{
    if (c->filter_count >= GM_MQTT_CLIENT_FILTERS || strlen(filter) >= sizeof c->filters[0])
        return gm_fail(err, GM_LIMIT, "cli.mqtt", "more than %d subscriptions, or a long one", GM_MQTT_CLIENT_FILTERS);
    int code = mosquitto_subscribe(c->mosq, NULL, filter, 1);
    if (code == MOSQ_ERR_NOMEM) return gm_fail(err, GM_NOMEM, "cli.mqtt", "subscribing");
    if (code == MOSQ_ERR_INVAL || code == MOSQ_ERR_MALFORMED_UTF8)
        return gm_fail(err, GM_INVALID, "cli.mqtt", "'%.100s' is no topic filter", filter);
    snprintf(c->filters[c->filter_count++], sizeof c->filters[0], "%s", filter);
    return GM_OK;  // while there is no connection: the next one subscribes
}

gm_mqtt_client_counts gm_mqtt_client_count(const gm_mqtt_client *c) { return c->counts; }
