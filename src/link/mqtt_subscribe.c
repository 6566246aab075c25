// SUBSCRIBE and UNSUBSCRIBE: one code for each filter, in their order [MQTT-3.8.4-4], then the retained messages.
#include "link/mqtt_durable.h"

#include "link/topic.h"

typedef struct sending { gm_mqtt_session *session; uint8_t qos; uint32_t id; } sending;

static void send_retained(void *context, const gm_retained_message *m)
{
    const sending  *s      = context;
    gm_mqtt_server *server = s->session->server;
    gm_mqtt_view    view   = { m->topic, m->properties, m->payload, 0 };
    if (m->expires != 0) {
        gm_dur_ns left = m->expires - gm_loop_now(server->loop);
        if (left <= 0) return;
        view.expires = server->now + left;
    }
    gm_mqtt_deliver_retained(s->session, &view, s->qos < m->qos ? s->qos : m->qos, s->id);
}

// Version 5's retain handling: 0 send, 1 send when the subscription is new, 2 do not.
static bool wants_retained(const gm_mqtt_filter *f, bool existed)
{
    gm_str group, inner;
    if (gm_topic_split_shared(f->filter, &group, &inner)) return false;
    return f->retain_handling == 0 || (f->retain_handling == 1 && !existed);
}

static uint8_t subscribe_one(gm_mqtt_connection *c, const gm_mqtt_filter *f, uint32_t id, bool *out_existed)
{
    gm_status st = gm_mqtt_session_subscribe(c->session, f, id, out_existed);
    if (st == GM_OK) return f->qos;
    if (c->version < GM_MQTT_V5) return 0x80;
    return st == GM_LIMIT ? GM_MQTT_QUOTA_EXCEEDED : GM_MQTT_UNSPECIFIED;
}

// Adds the subscriptions; retained[i] tells whose retained messages are wanted.
static void subscribe(gm_mqtt_connection *c, const gm_mqtt_subscribe *s, uint8_t *codes, uint8_t *retained)
{
    gm_mqtt_filter f;
    gm_str         rest = s->filters;
    for (size_t i = 0; gm_mqtt_next_filter(GM_MQTT_SUBSCRIBE, &rest, &f); i++) {
        bool existed = false;
        codes[i]     = subscribe_one(c, &f, s->subscription_id, &existed);
        retained[i]  = codes[i] < 0x80 && wants_retained(&f, existed);
    }
}

static void answer(gm_mqtt_connection *c, uint8_t type, const gm_mqtt_subscribe *s, const uint8_t *codes, const uint8_t *retained)
{
    enum { FIXED = 8 };  // header, packet identifier, an empty property block
    gm_mqtt_filter f;
    gm_str         rest = s->filters;
    if (c->version >= GM_MQTT_V5 && s->count + FIXED > c->packet_max) {  // [MQTT5-3.1.2-24]
        gm_mqtt_condemn(c, GM_MQTT_PACKET_TOO_LARGE, "the answer for %zu filters is larger than the packets that the client accepts", s->count);
        return;
    }
    gm_mqtt_write_codes(&c->out, type == GM_MQTT_SUBSCRIBE ? GM_MQTT_SUBACK : GM_MQTT_UNSUBACK, c->version, s->packet_id, codes,
                        s->count);
    gm_mqtt_flush_later(c);
    for (size_t i = 0; type == GM_MQTT_SUBSCRIBE && gm_mqtt_next_filter(GM_MQTT_SUBSCRIBE, &rest, &f); i++) {
        sending to = { c->session, f.qos, s->subscription_id };
        if (retained[i]) gm_retained_match(c->server->options.retained, f.filter, send_retained, &to);
    }
}

static void unsubscribe(gm_mqtt_connection *c, const gm_mqtt_subscribe *s, uint8_t *codes)
{
    gm_mqtt_filter f;
    gm_str         rest = s->filters;
    for (size_t i = 0; gm_mqtt_next_filter(GM_MQTT_UNSUBSCRIBE, &rest, &f); i++) {
        codes[i] =
            gm_mqtt_session_unsubscribe(c->session, f.filter) ? GM_MQTT_SUCCESS : GM_MQTT_NO_SUBSCRIPTION_EXISTED;
    }
}

// A durable session's answer waits for its record.
typedef struct waiting {
    gm_mqtt_server *server;
    uint32_t        number, generation;  // of the connection
    uint8_t         type;
    size_t          count;
    uint8_t         bytes[];             // codes, retained, the packet's body
} waiting;

static void on_durable(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    waiting            *w      = context;
    gm_mqtt_server     *server = w->server;
    gm_mqtt_connection *c      = w->number < server->connection_used ? server->connections[w->number] : NULL;
    bool                there  = c != NULL && c->generation == w->generation && !c->condemned && c->session != NULL;
    gm_mqtt_subscribe   s;
    if (there && status != GM_OK) gm_mqtt_condemn(c, GM_MQTT_UNSPECIFIED, "not stored: %s", err != NULL ? err->text : "the log refused");
    if (there && status == GM_OK) {
        gm_str body = { (const char *)w->bytes + 2 * w->count, (size_t)token };
        (void)gm_mqtt_read_subscribe(w->type, body, c->version, &s);  // it was read before
        answer(c, w->type, &s, w->bytes, w->bytes + w->count);
    }
    gm_free(server->alloc, w);
}

// codes [2 * count]: what each filter is answered, and whether its retained messages are wanted.
static void apply(gm_mqtt_connection *c, uint8_t type, const gm_mqtt_subscribe *s, uint8_t *codes)
{
    if (type == GM_MQTT_SUBSCRIBE) subscribe(c, s, codes, codes + s->count);
    else unsubscribe(c, s, codes);
}

// The record first: when there is no room for it nothing has changed, and the packet is handled again.
static gm_mqtt_verdict answer_when_durable(gm_mqtt_connection *c, uint8_t type, const gm_mqtt_subscribe *s, gm_str body)
{
    gm_mqtt_server *server = c->server;
    waiting        *w      = gm_alloc_zeroed(server->alloc, sizeof *w + 2 * s->count + body.len);
    gm_error        err;
    if (w == NULL) {
        gm_mqtt_leave(c, true);
        return GM_MQTT_HANDLED;
    }
    *w = (waiting){ .server = server, .number = c->number, .generation = c->generation, .type = type, .count = s->count };
    memcpy(w->bytes + 2 * s->count, body.ptr, body.len);
    gm_ask    ask = { .call = on_durable, .context = w, .token = body.len };
    gm_status st  = gm_mqtt_durable_subscribe(c->session, type, s, ask, &err);
    if (st == GM_OK) {
        apply(c, type, s, w->bytes);
        return GM_MQTT_HANDLED;
    }
    gm_free(server->alloc, w);
    if (st == GM_LIMIT) return GM_MQTT_LATER;
    gm_mqtt_condemn(c, GM_MQTT_UNSPECIFIED, "not stored: %s", err.text);
    return GM_MQTT_HANDLED;
}

gm_mqtt_verdict gm_mqtt_on_subscribe(gm_mqtt_connection *c, uint8_t type, gm_str body)
{
    gm_mqtt_subscribe s;
    gm_mqtt_fault     fault = gm_mqtt_read_subscribe(type, body, c->version, &s);
    if (fault.rule != NULL) {
        gm_mqtt_condemn_fault(c, fault);
        return GM_MQTT_HANDLED;
    }
    if (c->session->durable) return answer_when_durable(c, type, &s, body);
    uint8_t *codes = gm_alloc_zeroed(c->server->alloc, s.count * 2);
    if (codes == NULL) {
        gm_mqtt_leave(c, true);
        return GM_MQTT_HANDLED;
    }
    apply(c, type, &s, codes);
    answer(c, type, &s, codes, codes + s.count);
    gm_free(c->server->alloc, codes);
    return GM_MQTT_HANDLED;
}
