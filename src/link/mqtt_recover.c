// Durable sessions from their records, live and after a start, and from checkpoints.
#include "link/mqtt_durable.h"

#include "link/topic.h"

#define WHERE "link.mqtt"
enum { VERSION = 2, WITHOUT_WILLS = 1, CLIENT_MAX = 65535 };

static gm_status corrupt(gm_error *err)
{
    return gm_fail(err, GM_CORRUPT, WHERE, "a record of an MQTT session can not be read");
}

static gm_status no_will(gm_status st, gm_error *err)
{
    return st == GM_CORRUPT ? corrupt(err) : gm_fail(err, GM_NOMEM, WHERE, "keeping a will");
}

// ---- by key -------------------------------------------------------------------------------------------------------
static bool same_key(const void *owner, uint32_t id, gm_str key)
{
    const gm_mqtt_server *server = owner;
    return memcmp(&server->sessions[id]->key, key.ptr, sizeof(uint32_t)) == 0;
}

gm_mqtt_session *gm_mqtt_durable_find(const gm_mqtt_server *server, uint32_t key)
{
    uint32_t id = gm_index_find(&server->by_key, (gm_str){ (const char *)&key, sizeof key });
    return id != GM_INDEX_NONE ? server->sessions[id] : NULL;
}

void gm_mqtt_durable_remove(gm_mqtt_session *s)
{
    gm_mqtt_server *server = s->server;
    if (s->sent_noted) {
        gm_mqtt_session **at = &server->sent_list;
        while (*at != s) at = &(*at)->next_sent;
        *at = s->next_sent;
    }
    if (s->durable) (void)gm_index_remove(&server->by_key, (gm_str){ (const char *)&s->key, sizeof s->key });
    gm_free(server->alloc, s->owner);
}

// ---- rebuilding ---------------------------------------------------------------------------------------------------
static gm_status open_session(gm_mqtt_server *server, gm_str client, uint32_t key, uint64_t serial, gm_str owner,
                              gm_mqtt_session **out, gm_error *err)
{
    gm_mqtt_session *s = gm_mqtt_session_find(server, client);
    if (s != NULL && s->key != key) gm_mqtt_session_end(s);  // a clean start
    s = gm_mqtt_durable_find(server, key);
    if (s != NULL && !gm_str_eq((gm_str){ s->client_id, s->client_id_len }, client)) return corrupt(err);
    char *name = owner.len > 0 ? gm_alloc_bytes(server->alloc, owner.len) : NULL;
    if ((owner.len > 0 && name == NULL) || gm_index_reserve(&server->by_key, 1) != GM_OK) goto refused;
    if (s == NULL) {
        if (gm_mqtt_session_open(server, client, &s) != GM_OK) goto refused;
        s->key     = key;
        s->serial  = serial;
        s->durable = true;
        if (gm_index_add(&server->by_key, (gm_str){ (const char *)&s->key, sizeof s->key }, s->number) != GM_OK) goto refused;
    }
    if (owner.len > 0) memcpy(name, owner.ptr, owner.len);
    gm_free(server->alloc, s->owner);
    s->owner     = name;
    s->owner_len = (uint32_t)owner.len;
    if (key >= server->next_key) server->next_key = key + 1;
    *out = s;
    return GM_OK;
refused:
    gm_free(server->alloc, name);
    return gm_fail(err, GM_NOMEM, WHERE, "keeping a session");
}

static gm_status fold_session(void *context, const gm_record *record, const gm_change *change, gm_error *err)
{
    gm_mqtt_server *server = context;
    gm_bytes        in     = { .at = (const uint8_t *)change->text.ptr, .end = (const uint8_t *)change->text.ptr + change->text.len };
    (void)record;
    if (server->live) return GM_OK;
    uint64_t key = gm_bytes_varint(&in), expiry = gm_bytes_varint(&in), serial = gm_bytes_varint(&in);
    gm_str   owner = gm_bytes_text(&in);
    if (in.bad || key >= UINT32_MAX || expiry > UINT32_MAX || change->id.len == 0 || change->id.len > CLIENT_MAX) return corrupt(err);
    gm_mqtt_session *s;
    gm_status        st = open_session(server, change->id, (uint32_t)key, serial, owner, &s, err);
    if (st != GM_OK) return st;
    s->expiry_s = (uint32_t)expiry;
    s->left_at  = 0;
    if (gm_bytes_left(&in) == 0) gm_mqtt_will_drop(s);  // as records were before they had wills
    else st = gm_mqtt_will_read(s, &in);
    return st == GM_OK ? GM_OK : no_will(st, err);
}

static gm_status fold_subscribe(void *context, const gm_record *record, const gm_change *change, gm_error *err)
{
    gm_mqtt_server *server = context;
    gm_bytes        in     = { .at = (const uint8_t *)change->text.ptr, .end = (const uint8_t *)change->text.ptr + change->text.len };
    (void)record;
    if (server->live) return GM_OK;
    gm_mqtt_session *s       = gm_mqtt_durable_find(server, (uint32_t)gm_bytes_varint(&in));
    bool             adds    = gm_bytes_byte(&in) != 0;
    uint8_t          version = gm_bytes_byte(&in);
    uint32_t         id      = (uint32_t)gm_bytes_varint(&in);
    while (s != NULL && !in.bad && gm_bytes_left(&in) > 0) {
        gm_mqtt_filter f       = { .filter = gm_bytes_text(&in) };
        uint8_t        options = gm_bytes_byte(&in);
        bool           existed;
        f.qos                 = options & 3;
        f.no_local            = (options & 4) != 0;
        f.retain_as_published = (options & 8) != 0;
        if (in.bad || f.qos > 2 || gm_topic_filter_rule(f.filter, version >= GM_MQTT_V5) != NULL) return corrupt(err);
        s->version = version;
        if (!adds) (void)gm_mqtt_session_unsubscribe(s, f.filter);
        else if (gm_mqtt_session_subscribe(s, &f, id, &existed) == GM_NOMEM) return gm_fail(err, GM_NOMEM, WHERE, "keeping a subscription");
    }
    return in.bad ? corrupt(err) : GM_OK;
}

static gm_dur_ns in_monotonic(const gm_mqtt_server *server, gm_time_ns utc)
{
    if (utc == 0) return 0;
    gm_dur_ns at = gm_loop_monotonic(server->loop) + (utc - gm_loop_now(server->loop));
    return at > 0 ? at : 1;  // past already; 0 would be never
}

static gm_status push_entry(gm_mqtt_session *s, gm_mqtt_queued *entry, uint64_t serial, gm_error *err)
{
    if (serial < s->serial + s->count) return GM_OK;  // keeps (3)
    if (s->count == 0) s->serial = serial;
    if (serial != s->serial + s->count) return corrupt(err);
    if (gm_mqtt_session_push(s, entry, SIZE_MAX, SIZE_MAX) != GM_OK) return gm_fail(err, GM_NOMEM, WHERE, "keeping a message");
    entry->message->references++;
    return GM_OK;
}

static gm_status push_target(gm_mqtt_server *server, gm_mqtt_message *message, gm_bytes *in, gm_error *err)
{
    uint64_t       key    = gm_bytes_varint(in), serial = gm_bytes_varint(in);
    uint8_t        flags  = gm_bytes_byte(in);
    gm_mqtt_queued entry  = { .message = message, .qos = flags & 3, .retain = (flags & 4) != 0, .id_count = flags >> 3 };
    if (entry.id_count > GM_MQTT_IDS_MAX || entry.qos == 0 || entry.qos > 2) return corrupt(err);
    for (uint8_t i = 0; i < entry.id_count; i++) entry.ids[i] = (uint32_t)gm_bytes_varint(in);
    if (in->bad) return corrupt(err);
    gm_mqtt_session *s = gm_mqtt_durable_find(server, (uint32_t)key);
    if (s == NULL) return GM_OK;  // it has ended meanwhile
    gm_status st = push_entry(s, &entry, serial, err);
    if (!server->live || st != GM_OK) return st;
    size_t weight = sizeof *message + message->topic_len + message->properties_len + message->payload_len;
    if (s->promised > 0) s->promised--;
    s->promised_bytes -= s->promised_bytes < weight ? s->promised_bytes : weight;
    gm_mqtt_deliver_more(s);
    return GM_OK;
}

static gm_status fold_message(void *context, const gm_record *record, const gm_change *change, gm_error *err)
{
    gm_mqtt_server *server = context;
    gm_bytes        in     = { .at = (const uint8_t *)change->text.ptr, .end = (const uint8_t *)change->text.ptr + change->text.len };
    (void)record;
    gm_mqtt_view view = { .topic = change->id };
    view.expires      = in_monotonic(server, gm_bytes_svarint(&in));
    view.properties   = gm_bytes_text(&in);
    view.payload      = gm_bytes_text(&in);
    if (in.bad || gm_topic_name_rule(view.topic) != NULL) return corrupt(err);
    gm_mqtt_message *message = gm_mqtt_message_make(server->alloc, &view);
    if (message == NULL) return gm_fail(err, GM_NOMEM, WHERE, "keeping a message");
    gm_status st = GM_OK;
    while (st == GM_OK && gm_bytes_left(&in) > 0) st = push_target(server, message, &in, err);
    gm_mqtt_message_release(server->alloc, message);
    return st;
}

// What was sent, released or done. An entry that is not there any more was done before.
static void progress_of(gm_mqtt_session *s, gm_mqtt_item item, uint64_t serial)
{
    if (item == GM_MQTT_ITEM_SENT) {
        uint64_t sent = serial > s->serial ? serial - s->serial : 0;
        while (s->in_flight < s->count && s->in_flight < sent) gm_mqtt_session_entry(s, s->in_flight++)->state = GM_MQTT_SENT;
        return;
    }
    if (serial < s->serial || serial - s->serial >= s->count) return;
    uint32_t i = (uint32_t)(serial - s->serial);
    while (s->in_flight <= i) gm_mqtt_session_entry(s, s->in_flight++)->state = GM_MQTT_SENT;
    gm_mqtt_session_entry(s, i)->state = item == GM_MQTT_ITEM_DONE ? GM_MQTT_DONE : GM_MQTT_RELEASED;
    gm_mqtt_session_pop_done(s);
}

static gm_status fold_progress(void *context, const gm_record *record, const gm_change *change, gm_error *err)
{
    gm_mqtt_server *server = context;
    gm_bytes        in     = { .at = (const uint8_t *)change->text.ptr, .end = (const uint8_t *)change->text.ptr + change->text.len };
    if (server->live) return GM_OK;
    while (gm_bytes_left(&in) > 0) {
        uint8_t          item  = gm_bytes_byte(&in);
        gm_mqtt_session *s     = gm_mqtt_durable_find(server, (uint32_t)gm_bytes_varint(&in));
        uint64_t         value = gm_bytes_varint(&in);
        if (in.bad || item == 0 || item > GM_MQTT_ITEM_WILL_GONE) return corrupt(err);
        if (s == NULL) continue;
        switch ((gm_mqtt_item)item) {
        case GM_MQTT_ITEM_RECEIVED:
            if (!gm_mqtt_session_restore_received(s, (uint16_t)value)) return gm_fail(err, GM_NOMEM, WHERE, "keeping a session");
            break;
        case GM_MQTT_ITEM_FORGOTTEN: gm_mqtt_session_restore_forgotten(s, (uint16_t)value); break;
        case GM_MQTT_ITEM_LEFT:
            s->expiry_s = (uint32_t)value;
            s->left_at  = record->ingest;
            break;
        case GM_MQTT_ITEM_ENDED: gm_mqtt_session_end(s); break;
        case GM_MQTT_ITEM_WILL_GONE: gm_mqtt_will_drop(s); break;
        default: progress_of(s, (gm_mqtt_item)item, value); break;
        }
    }
    return GM_OK;
}

// ---- checkpoints --------------------------------------------------------------------------------------------------
static gm_time_ns in_utc(const gm_mqtt_server *server, gm_dur_ns monotonic)
{
    return monotonic == 0 ? 0 : gm_loop_now(server->loop) + (monotonic - gm_loop_monotonic(server->loop));
}

static void save_subscription(gm_buf *out, const gm_mqtt_server *server, const gm_mqtt_subscription *sub)
{
    gm_buf filter = gm_buf_init(server->alloc);
    if (sub->group != NULL) gm_buf_printf(&filter, "$share/%s/", sub->group);
    gm_topic_tree_text(&server->tree, sub->node, &filter);
    gm_buf_text_of(out, gm_buf_view(&filter));
    gm_buf_byte(out, (uint8_t)(sub->qos | sub->no_local << 2 | sub->retain_as_published << 3));
    gm_buf_varint(out, sub->id);
    out->failed |= filter.failed;
    gm_buf_finish(&filter);
}

static void save_queue(gm_buf *out, const gm_mqtt_server *server, const gm_mqtt_session *s)
{
    gm_buf_varint(out, s->serial);
    gm_buf_varint(out, s->count);
    gm_buf_varint(out, s->in_flight);
    for (uint32_t i = 0; i < s->count; i++) {
        const gm_mqtt_queued *e    = gm_mqtt_session_entry(s, i);
        gm_mqtt_view          view = gm_mqtt_message_view(e->message);
        gm_buf_byte(out, (uint8_t)(e->qos | e->retain << 2 | e->id_count << 3));
        gm_buf_byte(out, e->state);
        for (uint8_t k = 0; k < e->id_count; k++) gm_buf_varint(out, e->ids[k]);
        gm_buf_svarint(out, in_utc(server, view.expires));
        gm_buf_text_of(out, view.topic);
        gm_buf_text_of(out, view.properties);
        gm_buf_text_of(out, view.payload);
    }
}

static void save_session(gm_buf *out, const gm_mqtt_server *server, const gm_mqtt_session *s)
{
    uint32_t subscriptions = 0, received = 0;
    gm_str   owner = s->principal != NULL ? gm_principal_name(s->principal) : (gm_str){ s->owner, s->owner_len };
    gm_buf_text_of(out, (gm_str){ s->client_id, s->client_id_len });
    gm_buf_varint(out, s->key);
    gm_buf_text_of(out, owner);
    gm_buf_varint(out, s->expiry_s);
    gm_buf_svarint(out, s->connection == NULL && server->live ? gm_loop_now(server->loop) : s->left_at);
    gm_buf_byte(out, s->version);
    for (const gm_mqtt_subscription *sub = s->subscriptions; sub != NULL; sub = sub->next_of_session) subscriptions++;
    gm_buf_varint(out, subscriptions);
    for (const gm_mqtt_subscription *sub = s->subscriptions; sub != NULL; sub = sub->next_of_session) save_subscription(out, server, sub);
    for (uint32_t id = 1; id <= UINT16_MAX; id++) received += gm_mqtt_session_has_received(s, (uint16_t)id);
    gm_buf_varint(out, received);
    for (uint32_t id = 1; received > 0 && id <= UINT16_MAX; id++) {
        if (gm_mqtt_session_has_received(s, (uint16_t)id)) gm_buf_varint(out, id);
    }
    save_queue(out, server, s);
    gm_mqtt_will_write(s->will, out);
}

static void save(void *context, gm_buf *out)
{
    const gm_mqtt_server *server = context;
    size_t                n = 0;
    for (size_t i = 0; i < server->session_used; i++) n += server->sessions[i] != NULL && server->sessions[i]->durable;
    gm_buf_byte(out, VERSION);
    gm_buf_varint(out, server->next_key);
    gm_buf_varint(out, n);
    for (size_t i = 0; i < server->session_used; i++) {
        if (server->sessions[i] != NULL && server->sessions[i]->durable) save_session(out, server, server->sessions[i]);
    }
}

static gm_status load_entry(gm_mqtt_server *server, gm_mqtt_session *s, uint64_t serial, gm_bytes *in, gm_error *err)
{
    uint8_t        flags = gm_bytes_byte(in), state = gm_bytes_byte(in);
    gm_mqtt_queued entry = { .qos = flags & 3, .retain = (flags & 4) != 0, .id_count = flags >> 3, .state = state };
    if (in->bad || entry.id_count > GM_MQTT_IDS_MAX || entry.qos == 0 || entry.qos > 2 || state > GM_MQTT_DONE) return corrupt(err);
    for (uint8_t i = 0; i < entry.id_count; i++) entry.ids[i] = (uint32_t)gm_bytes_varint(in);
    gm_mqtt_view view = { .expires = in_monotonic(server, gm_bytes_svarint(in)) };
    view.topic        = gm_bytes_text(in);
    view.properties   = gm_bytes_text(in);
    view.payload      = gm_bytes_text(in);
    if (in->bad) return corrupt(err);
    entry.message = gm_mqtt_message_make(server->alloc, &view);
    if (entry.message == NULL) return gm_fail(err, GM_NOMEM, WHERE, "keeping a message");
    gm_status st = push_entry(s, &entry, serial, err);
    gm_mqtt_message_release(server->alloc, entry.message);
    return st;
}

static gm_status load_session(gm_mqtt_server *server, gm_bytes *in, uint8_t version, gm_error *err)
{
    gm_mqtt_session *s;
    gm_str   client = gm_bytes_text(in);
    uint64_t key    = gm_bytes_varint(in);
    gm_str   owner  = gm_bytes_text(in);
    if (in->bad || client.len == 0 || client.len > CLIENT_MAX || key >= UINT32_MAX) return corrupt(err);
    gm_status st = open_session(server, client, (uint32_t)key, 0, owner, &s, err);
    if (st != GM_OK) return st;
    s->expiry_s = (uint32_t)gm_bytes_varint(in);
    s->left_at  = gm_bytes_svarint(in);
    s->version  = gm_bytes_byte(in);
    for (uint64_t n = gm_bytes_varint(in); n > 0 && !in->bad; n--) {
        gm_mqtt_filter f       = { .filter = gm_bytes_text(in) };
        uint8_t        options = gm_bytes_byte(in);
        uint32_t       id      = (uint32_t)gm_bytes_varint(in);
        bool           existed;
        f.qos                 = options & 3;
        f.no_local            = (options & 4) != 0;
        f.retain_as_published = (options & 8) != 0;
        if (in->bad || f.qos > 2 || gm_topic_filter_rule(f.filter, s->version >= GM_MQTT_V5) != NULL) return corrupt(err);
        if (gm_mqtt_session_subscribe(s, &f, id, &existed) == GM_NOMEM) return gm_fail(err, GM_NOMEM, WHERE, "keeping a subscription");
    }
    for (uint64_t n = gm_bytes_varint(in); n > 0 && !in->bad; n--) {
        if (!gm_mqtt_session_restore_received(s, (uint16_t)gm_bytes_varint(in))) return gm_fail(err, GM_NOMEM, WHERE, "keeping a session");
    }
    s->serial       = gm_bytes_varint(in);
    uint64_t count  = gm_bytes_varint(in), in_flight = gm_bytes_varint(in), serial = s->serial;
    if (in->bad || in_flight > count) return corrupt(err);
    for (uint64_t i = 0; st == GM_OK && i < count; i++) st = load_entry(server, s, serial + i, in, err);
    s->in_flight = (uint32_t)in_flight;
    if (st != GM_OK || version == WITHOUT_WILLS) return st;
    st = gm_mqtt_will_read(s, in);
    return st == GM_OK ? GM_OK : no_will(st, err);
}

static gm_status load(void *context, const uint8_t *bytes, size_t size, gm_error *err)
{
    gm_mqtt_server *server = context;
    gm_bytes        in     = { .at = bytes, .end = bytes + size };
    for (size_t i = 0; i < server->session_used; i++) {
        if (server->sessions[i] != NULL) gm_mqtt_session_end(server->sessions[i]);
    }
    server->next_key = 0;
    if (size == 0) return GM_OK;
    uint8_t version = gm_bytes_byte(&in);
    if (version != VERSION && version != WITHOUT_WILLS) return corrupt(err);
    uint64_t next = gm_bytes_varint(&in), n = gm_bytes_varint(&in);
    if (in.bad || next >= UINT32_MAX) return corrupt(err);
    gm_status st = GM_OK;
    for (; st == GM_OK && n > 0; n--) st = load_session(server, &in, version, err);
    if (server->next_key < next) server->next_key = (uint32_t)next;
    return st == GM_OK && in.bad ? corrupt(err) : st;
}

// ---- life ---------------------------------------------------------------------------------------------------------
void gm_mqtt_durable_register(gm_mqtt_server *server)
{
    server->by_key  = gm_index_init(server->alloc, same_key, server);
    server->durable = true;
    gm_engine_fold(server->engine, GM_CHANGE_MQTT_SESSION, fold_session, server);
    gm_engine_fold(server->engine, GM_CHANGE_MQTT_SUBSCRIBE, fold_subscribe, server);
    gm_engine_fold(server->engine, GM_CHANGE_MQTT_MESSAGE, fold_message, server);
    gm_engine_fold(server->engine, GM_CHANGE_MQTT_PROGRESS, fold_progress, server);
    gm_engine_keep(server->engine, &(gm_keeper){ "mqtt.sessions", server, save, load });
}

// The connection has broken, with the server or before it.
static void begin_will(gm_mqtt_session *s, bool session_ends, gm_time_ns now)
{
    gm_mqtt_will *will = s->will;
    if (will == NULL) return;
    gm_mqtt_will_start(s, session_ends);
    if (s->left_at != 0 && s->left_at < now) will->due -= now - s->left_at;
}

void gm_mqtt_durable_begin(gm_mqtt_server *server)
{
    gm_time_ns now = gm_loop_now(server->loop);
    server->live   = true;
    for (size_t i = 0; i < server->session_used; i++) {
        gm_mqtt_session *s = server->sessions[i];
        if (s == NULL) continue;
        uint32_t  most = server->limits.session_expiry_s;
        gm_dur_ns left = (gm_dur_ns)(s->expiry_s < most ? s->expiry_s : most) * GM_SECOND;
        gm_error  err;
        if (s->left_at != 0 && s->left_at < now) left -= now - s->left_at;  // else it was connected to the end
        bool nobody = s->owner_len > 0 &&
                      (server->options.access == NULL ||
                       gm_access_enter_named(server->options.access, (gm_str){ s->owner, s->owner_len }, &s->principal, &err) != GM_OK);
        s->ends = server->now + left;
        if (nobody) gm_mqtt_will_drop(s);
        begin_will(s, left <= 0, now);
        if (left <= 0 || nobody) gm_mqtt_session_end(s);
    }
}
