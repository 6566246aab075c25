#include "link/mqtt_durable.h"

enum { PROGRESS_MOST = 1 << 20, RETAINED_MESSAGES = 1 << 20 };

static gm_status submit(gm_mqtt_server *server, gm_change_kind kind, gm_str id, gm_str text, gm_ask ask, gm_error *err)
{
    return gm_engine_submit(server->engine, kind, 0, id, (gm_str){ "", 0 }, text, ask, err);
}

gm_status gm_mqtt_durable_open(gm_mqtt_session *s, gm_ask ask, bool *out_asked, gm_error *err)
{
    gm_mqtt_server *server = s->server;
    *out_asked             = false;
    if (!server->durable || (s->expiry_s == 0 && !s->durable)) return GM_OK;
    gm_mqtt_durable_flush(server);  // what became of the will before belongs in front of this one
    bool     fresh = !s->durable;
    uint32_t key   = fresh ? server->next_key : s->key;
    gm_buf  *text  = &server->record;
    gm_buf_clear(text);
    gm_buf_varint(text, key);
    gm_buf_varint(text, s->expiry_s);
    gm_buf_varint(text, s->serial);
    gm_str owner = gm_principal_name(s->principal);
    gm_buf_text_of(text, s->principal != NULL ? owner : (gm_str){ "", 0 });
    gm_mqtt_will_write(s->will, text);
    if (text->failed || gm_index_reserve(&server->by_key, 1) != GM_OK) return gm_fail(err, GM_NOMEM, "link.mqtt", "keeping a session");
    gm_str    client = { s->client_id, s->client_id_len };
    gm_status st     = submit(server, GM_CHANGE_MQTT_SESSION, client, gm_buf_view(text), ask, err);
    *out_asked       = st == GM_OK;
    if (st != GM_OK || !fresh) return st;
    server->next_key++;
    s->key     = key;
    s->durable = true;
    (void)!gm_index_add(&server->by_key, (gm_str){ (const char *)&s->key, sizeof s->key }, s->number);  // room was made
    return GM_OK;
}

// ---- progress -----------------------------------------------------------------------------------------------------
static void put_item(gm_buf *out, const gm_mqtt_session *s, gm_mqtt_item item, uint64_t value)
{
    gm_buf_byte(out, (uint8_t)item);
    gm_buf_varint(out, s->key);
    gm_buf_varint(out, value);
}

void gm_mqtt_durable_note(gm_mqtt_session *s, gm_mqtt_item item, uint64_t value)
{
    gm_mqtt_server *server = s->server;
    if (!s->durable || !server->live) return;
    put_item(&server->progress, s, item, value);
    if (item == GM_MQTT_ITEM_ENDED) server->ended_noted = true;
    if (server->progress.len > PROGRESS_MOST) gm_mqtt_durable_flush(server);
}

void gm_mqtt_durable_note_sent(gm_mqtt_session *s)
{
    gm_mqtt_server *server = s->server;
    if (!s->durable || s->sent_noted) return;
    s->sent_noted     = true;
    s->next_sent      = server->sent_list;
    server->sent_list = s;
}

static void on_ended(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    gm_mqtt_server *server = context;
    (void)token;
    (void)status;  // a log that refuses says so to whoever asks next
    (void)err;
    server->ends_under_way--;
}

static gm_status write_progress(gm_mqtt_server *server, gm_ask ask, gm_error *err)
{
    while (server->sent_list != NULL) {
        gm_mqtt_session *s = server->sent_list;
        server->sent_list  = s->next_sent;
        s->sent_noted      = false;
        put_item(&server->progress, s, GM_MQTT_ITEM_SENT, s->serial + s->in_flight);
    }
    // Without memory some progress is lost: messages are then sent once more after a restart.
    gm_status st = server->progress.failed
                       ? gm_fail(err, GM_NOMEM, "link.mqtt", "keeping sessions")
                       : submit(server, GM_CHANGE_MQTT_PROGRESS, (gm_str){ "", 0 }, gm_buf_view(&server->progress), ask, err);
    bool later = st == GM_LIMIT && server->progress.len < 4 * PROGRESS_MOST;
    if (!later) {
        gm_buf_clear(&server->progress);
        server->ended_noted = false;
    }
    if (st == GM_OK) gm_mqtt_nudge(server);
    return st;
}

void gm_mqtt_durable_flush(gm_mqtt_server *server)
{
    gm_error err;
    bool     ends = server->ended_noted;  // those who come anew under these identifiers wait for it (mqtt_connect.c)
    if (server->progress.len == 0 && server->sent_list == NULL) return;
    gm_ask ask = ends ? (gm_ask){ on_ended, server, 0 } : (gm_ask){ 0 };
    if (write_progress(server, ask, &err) == GM_OK) server->ends_under_way += ends;
}

gm_status gm_mqtt_durable_settle(gm_mqtt_server *server, gm_ask ask, gm_error *err)
{
    return write_progress(server, ask, err);
}

gm_status gm_mqtt_durable_item(gm_mqtt_session *s, gm_mqtt_item item, uint64_t value, gm_ask ask, gm_error *err)
{
    gm_buf *text = &s->server->record;
    gm_buf_clear(text);
    put_item(text, s, item, value);
    if (text->failed) return gm_fail(err, GM_NOMEM, "link.mqtt", "keeping a session");
    return submit(s->server, GM_CHANGE_MQTT_PROGRESS, (gm_str){ "", 0 }, gm_buf_view(text), ask, err);
}

gm_status gm_mqtt_durable_subscribe(gm_mqtt_session *s, uint8_t type, const gm_mqtt_subscribe *packet, gm_ask ask, gm_error *err)
{
    gm_buf        *text = &s->server->record;
    gm_str         rest = packet->filters;
    gm_mqtt_filter f;
    gm_buf_clear(text);
    gm_buf_varint(text, s->key);
    gm_buf_byte(text, type == GM_MQTT_SUBSCRIBE);
    gm_buf_byte(text, s->connection->version);
    gm_buf_varint(text, packet->subscription_id);
    while (gm_mqtt_next_filter(type, &rest, &f)) {
        gm_buf_text_of(text, f.filter);
        gm_buf_byte(text, (uint8_t)(f.qos | f.no_local << 2 | f.retain_as_published << 3));
    }
    if (text->failed) return gm_fail(err, GM_NOMEM, "link.mqtt", "keeping a subscription");
    return submit(s->server, GM_CHANGE_MQTT_SUBSCRIBE, (gm_str){ "", 0 }, gm_buf_view(text), ask, err);
}

// ---- messages -----------------------------------------------------------------------------------------------------
bool gm_mqtt_durable_wanted(const gm_mqtt_server *server, uint8_t qos)
{
    for (size_t i = 0; qos > 0 && i < server->matches.count; i++) {
        if (server->matches.items[i].session->durable && server->matches.items[i].qos > 0) return true;
    }
    return false;
}

static size_t weight_of(const gm_mqtt_view *view)
{
    return sizeof(gm_mqtt_message) + view->topic.len + view->properties.len + view->payload.len;
}

static bool has_room(gm_mqtt_session *s, const gm_mqtt_view *view, size_t messages_max)
{
    gm_mqtt_server *server = s->server;
    bool full = s->count + s->promised >= messages_max ||
                s->queued_bytes + s->promised_bytes + weight_of(view) > server->limits.queued_bytes;
    if (full) gm_mqtt_queue_is_full(s);
    return !full;
}

// In front of the targets: the message but for its topic, which is the record's id.
static void put_message(gm_buf *out, gm_mqtt_server *server, const gm_mqtt_view *view)
{
    gm_time_ns expires = view->expires == 0 ? 0 : gm_loop_now(server->loop) + (view->expires - server->now);
    gm_buf_clear(out);
    gm_buf_svarint(out, expires);
    gm_buf_text_of(out, view->properties);
    gm_buf_text_of(out, view->payload);
}

static void put_target(gm_buf *out, gm_mqtt_session *s, const gm_mqtt_view *view, uint8_t qos, bool retain,
                       const uint32_t *ids, uint8_t id_count)
{
    gm_buf_varint(out, s->key);
    gm_buf_varint(out, s->serial + s->count + s->promised);
    gm_buf_byte(out, (uint8_t)(qos | retain << 2 | id_count << 3));
    for (uint8_t i = 0; i < id_count; i++) gm_buf_varint(out, ids[i]);
    s->promised++;
    s->promised_bytes += weight_of(view);
}

static void take_back(gm_mqtt_session *s, const gm_mqtt_view *view)
{
    s->promised--;
    s->promised_bytes -= weight_of(view);
}

gm_status gm_mqtt_durable_message(gm_mqtt_server *server, const gm_mqtt_view *view, uint8_t qos, bool retain, gm_ask ask,
                                  bool *out_written, gm_error *err)
{
    gm_buf *text = &server->record;
    size_t  n    = 0;
    *out_written = false;
    put_message(text, server, view);
    for (size_t i = 0; i < server->matches.count; i++) {
        gm_mqtt_match *m     = &server->matches.items[i];
        uint8_t        their = m->qos < qos ? m->qos : qos;
        m->written           = false;
        if (!m->session->durable || their == 0 || !has_room(m->session, view, server->limits.queued_messages)) continue;
        put_target(text, m->session, view, their, retain && m->retain_as_published, m->ids, m->id_count);
        m->written = true;
        n++;
    }
    if (n == 0) return GM_OK;
    gm_status st = text->failed ? gm_fail(err, GM_NOMEM, "link.mqtt", "keeping a message")
                                : submit(server, GM_CHANGE_MQTT_MESSAGE, view->topic, gm_buf_view(text), ask, err);
    *out_written = st == GM_OK;
    for (size_t i = 0; st != GM_OK && i < server->matches.count; i++) {
        if (server->matches.items[i].written) take_back(server->matches.items[i].session, view);
    }
    return st;
}

void gm_mqtt_durable_retained(gm_mqtt_session *s, const gm_mqtt_view *view, uint8_t qos, uint32_t subscription_id)
{
    gm_buf  *text = &s->server->record;
    gm_error err;
    if (!has_room(s, view, RETAINED_MESSAGES)) return;
    put_message(text, s->server, view);
    put_target(text, s, view, qos, true, &subscription_id, subscription_id != 0);
    if (!text->failed && submit(s->server, GM_CHANGE_MQTT_MESSAGE, view->topic, gm_buf_view(text), (gm_ask){ 0 }, &err) == GM_OK) return;
    take_back(s, view);
    s->server->stats.dropped_queue++;
}
