// Two threads: libmosquitto's calls on_connect, on_disconnect and on_message; everything else is the engine's. What they share
// is guarded by `lock`.
#include "link/bridge.h"

#include "base/address.h"
#include "link/topic.h"

#include <mosquitto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define WHERE "link.bridge"
enum { SEEN = 4096, OUTGOING_MOST = 10000, KEEP_ALIVE_S = 30, DELAY_FIRST_S = 1, DELAY_MOST_S = 60, PER_TURN = 512 };

typedef struct incoming { char *bytes; size_t topic_len, payload_len; uint8_t qos; bool retain; } incoming;
typedef struct seen { uint64_t hash, connection; int mid; } seen;

struct gm_bridge {
    gm_bridge_options options;
    char             *text;            // owns what the options view, each ended by NUL
    gm_str            in_filters[GM_BRIDGE_FILTERS_MAX], out_filters[GM_BRIDGE_FILTERS_MAX];
    size_t            in_count, out_count;
    struct mosquitto *mosq;
    bool              started, injecting, listening;
    int               event;
    gm_watch         *watch;
    gm_timer         *retry, *first_try;
    gm_dur_ns         delay;
    int               port;
    gm_buf            topic;

    pthread_mutex_t   lock;
    pthread_cond_t    room;            // the queue has some again, or the end has come
    incoming          queue[GM_BRIDGE_QUEUE];
    size_t            first, count;    // guarded by lock, as all below
    seen              recent[SEEN];
    size_t            recent_at;
    bool              closing;
    gm_bridge_stats   stats;
};

// ---- libmosquitto's thread ----------------------------------------------------------------------------------------
static void on_connect(struct mosquitto *mosq, void *context, int reason)
{
    gm_bridge *b = context;
    if (reason != 0) return;  // refused: libmosquitto tries again
    pthread_mutex_lock(&b->lock);
    b->stats.connected = true;
    b->stats.connections++;
    pthread_mutex_unlock(&b->lock);
    for (size_t i = 0; i < b->in_count; i++) mosquitto_subscribe(mosq, NULL, b->in_filters[i].ptr, b->options.qos);
}

static void on_disconnect(struct mosquitto *mosq, void *context, int reason)
{
    gm_bridge *b = context;
    (void)mosq, (void)reason;
    pthread_mutex_lock(&b->lock);
    b->stats.connected = false;
    pthread_mutex_unlock(&b->lock);
}

// Sent again after the connection was lost: the same identifier, topic and payload as on an earlier connection.
static bool is_repeated(gm_bridge *b, const struct mosquitto_message *m)
{
    if (m->qos == 0) return false;
    uint64_t hash = gm_str_hash(gm_str_of(m->topic)) * 31 ^ gm_str_hash((gm_str){ m->payload, (size_t)m->payloadlen });
    for (size_t i = 0; i < SEEN; i++) {
        seen *s = &b->recent[i];
        if (s->hash != hash || s->mid != m->mid || s->connection == 0 || s->connection == b->stats.connections) continue;
        s->connection = b->stats.connections;  // once: the next one like it is a new message
        return true;
    }
    b->recent[b->recent_at++ % SEEN] = (seen){ hash, b->stats.connections, m->mid };
    return false;
}

static void on_message(struct mosquitto *mosq, void *context, const struct mosquitto_message *m)
{
    gm_bridge *b    = context;
    uint64_t   one  = 1;
    incoming   item = { .topic_len = strlen(m->topic), .payload_len = (size_t)m->payloadlen, .qos = (uint8_t)m->qos, .retain = m->retain };
    (void)mosq;
    item.bytes = gm_alloc_bytes(b->options.alloc, item.topic_len + item.payload_len);
    if (item.bytes == NULL) return;  // acknowledged already: lost, as it would be by a crash
    memcpy(item.bytes, m->topic, item.topic_len);
    if (item.payload_len > 0) memcpy(item.bytes + item.topic_len, m->payload, item.payload_len);
    pthread_mutex_lock(&b->lock);
    bool repeated = is_repeated(b, m);
    b->stats.duplicates += repeated;
    while (!repeated && b->count == GM_BRIDGE_QUEUE && !b->closing) pthread_cond_wait(&b->room, &b->lock);
    bool taken = !repeated && !b->closing;
    if (taken) b->queue[(b->first + b->count++) % GM_BRIDGE_QUEUE] = item;
    pthread_mutex_unlock(&b->lock);
    if (!taken) gm_free(b->options.alloc, item.bytes);
    else if (write(b->event, &one, sizeof one) < 0) return;  // the counter is full: it is awake anyway
}

// ---- the engine's thread ------------------------------------------------------------------------------------------
static bool front(gm_bridge *b, incoming *out)
{
    pthread_mutex_lock(&b->lock);
    bool any = b->count > 0;
    if (any) *out = b->queue[b->first];
    pthread_mutex_unlock(&b->lock);
    return any;
}

static void drop_front(gm_bridge *b)
{
    pthread_mutex_lock(&b->lock);
    gm_free(b->options.alloc, b->queue[b->first].bytes);
    b->first = (b->first + 1) % GM_BRIDGE_QUEUE;
    b->count--;
    b->stats.received++;
    pthread_cond_signal(&b->room);
    pthread_mutex_unlock(&b->lock);
}

static void take_messages(gm_bridge *b);

static void on_retry(void *context)
{
    gm_bridge *b = context;
    b->retry     = NULL;
    take_messages(b);
}

static void take_messages(gm_bridge *b)
{
    incoming item;
    gm_error err;
    for (int i = 0; front(b, &item); i++) {
        gm_buf_clear(&b->topic);
        gm_buf_str(&b->topic, b->options.in);
        gm_buf_add(&b->topic, item.bytes, item.topic_len);
        gm_str payload = { item.bytes + item.topic_len, item.payload_len };
        b->injecting   = true;
        gm_status st   = i < PER_TURN ? gm_mqtt_server_inject(b->options.server, gm_buf_view(&b->topic), payload, item.qos, item.retain, &err)
                                      : GM_LIMIT;
        b->injecting   = false;
        if (st == GM_LIMIT || st == GM_NOMEM) {  // the log is full, or others have their turn: soon again
            gm_dur_ns after = i < PER_TURN ? 5 * GM_MILLISECOND : 0;
            if (b->retry == NULL) (void)!gm_loop_after(b->options.loop, after, on_retry, b, &b->retry, &err);
            return;
        }
        drop_front(b);
    }
}

static void on_event(void *context, uint32_t events)
{
    gm_bridge *b = context;
    uint64_t   count;
    (void)events;
    if (read(b->event, &count, sizeof count) == (ssize_t)sizeof count) take_messages(b);
}

// Everything that is published here comes by.
static void on_published(void *context, gm_str topic, gm_str payload, uint8_t qos, bool retain)
{
    gm_bridge *b     = context;
    bool       wanted = false;
    for (size_t i = 0; i < b->out_count && !wanted; i++) wanted = gm_topic_matches(b->out_filters[i], topic);
    if (!wanted || b->injecting) return;
    gm_buf_clear(&b->topic);
    gm_buf_str(&b->topic, b->options.out);
    gm_buf_str(&b->topic, topic);
    gm_buf_byte(&b->topic, 0);
    pthread_mutex_lock(&b->lock);
    bool full = b->stats.waiting >= OUTGOING_MOST;
    b->stats.dropped += full;
    b->stats.waiting += !full;
    pthread_mutex_unlock(&b->lock);
    if (full || b->topic.failed) return;
    int rc = mosquitto_publish(b->mosq, NULL, (const char *)b->topic.ptr, (int)payload.len, payload.ptr,
                               qos < b->options.qos ? qos : b->options.qos, retain);
    if (rc == MOSQ_ERR_SUCCESS) return;
    pthread_mutex_lock(&b->lock);
    b->stats.waiting--;
    b->stats.dropped++;
    pthread_mutex_unlock(&b->lock);
}

static void on_sent(struct mosquitto *mosq, void *context, int mid)
{
    gm_bridge *b = context;
    (void)mosq, (void)mid;
    pthread_mutex_lock(&b->lock);
    b->stats.sent++;
    if (b->stats.waiting > 0) b->stats.waiting--;
    pthread_mutex_unlock(&b->lock);
}

// ---- life ---------------------------------------------------------------------------------------------------------
static gm_status split_filters(gm_str text, gm_str *out, size_t *count, gm_error *err)
{
    gm_str one;
    while (gm_str_next(&text, ' ', &one)) {
        if (one.len == 0) continue;
        if (*count == GM_BRIDGE_FILTERS_MAX) return gm_fail(err, GM_INVALID, WHERE, "more than %d filters", GM_BRIDGE_FILTERS_MAX);
        const char *rule = gm_topic_filter_rule(one, true);
        if (rule != NULL) return gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "': %s", GM_STR_ARG(gm_str_slice(one, 0, 60)), rule);
        ((char *)(uintptr_t)one.ptr)[one.len] = '\0';  // in our own copy: libmosquitto wants C strings
        out[(*count)++]                       = one;
    }
    return GM_OK;
}

// One copy of all texts, so that each can be a C string.
static gm_status copy_texts(gm_bridge *b, gm_error *err)
{
    gm_str *texts[] = { &b->options.name, &b->options.address, &b->options.client_id, &b->options.username, &b->options.password,
                        &b->options.subscribe, &b->options.publish, &b->options.in, &b->options.out };
    size_t size = 0, at = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) size += texts[i]->len + 1;
    b->text = gm_alloc_zeroed(b->options.alloc, size);
    if (b->text == NULL) return gm_fail(err, GM_NOMEM, WHERE, "starting a bridge");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i]->len > 0) memcpy(b->text + at, texts[i]->ptr, texts[i]->len);
        texts[i]->ptr = b->text + at;
        at += texts[i]->len + 1;
    }
    gm_status st = split_filters(b->options.subscribe, b->in_filters, &b->in_count, err);
    return st == GM_OK ? split_filters(b->options.publish, b->out_filters, &b->out_count, err) : st;
}

// libmosquitto connects again by itself once it was connected, but gives up when the first attempt is refused at once.
static void try_first(void *context)
{
    gm_bridge *b = context;
    gm_error   err;
    b->first_try = NULL;
    bool there   = mosquitto_connect_async(b->mosq, b->options.address.ptr, b->port, KEEP_ALIVE_S) == MOSQ_ERR_SUCCESS;
    b->started   = there && mosquitto_loop_start(b->mosq) == MOSQ_ERR_SUCCESS;
    if (b->started) return;
    (void)!gm_loop_after(b->options.loop, b->delay, try_first, b, &b->first_try, &err);
    b->delay = b->delay * 2 < DELAY_MOST_S * GM_SECOND ? b->delay * 2 : DELAY_MOST_S * GM_SECOND;
}

static gm_status connect_it(gm_bridge *b, gm_error *err)
{
    size_t colon = b->options.address.len;
    while (colon > 0 && b->options.address.ptr[colon - 1] != ':') colon--;
    int port = colon > 0 ? atoi(b->options.address.ptr + colon) : 0;
    if (colon < 2 || port <= 0 || port > 65535) return gm_fail(err, GM_INVALID, WHERE, "'%s' is no HOST:PORT", b->options.address.ptr);
    ((char *)(uintptr_t)b->options.address.ptr)[colon - 1] = '\0';
    char id[96];
    snprintf(id, sizeof id, "gemel-%.80s", b->options.name.ptr);
    mosquitto_lib_init();
    b->mosq = mosquitto_new(b->options.client_id.len > 0 ? b->options.client_id.ptr : id, false, b);
    if (b->mosq == NULL) return gm_fail(err, GM_NOMEM, WHERE, "starting a bridge");
    mosquitto_connect_callback_set(b->mosq, on_connect);
    mosquitto_disconnect_callback_set(b->mosq, on_disconnect);
    mosquitto_message_callback_set(b->mosq, on_message);
    mosquitto_publish_callback_set(b->mosq, on_sent);
    mosquitto_reconnect_delay_set(b->mosq, DELAY_FIRST_S, DELAY_MOST_S, true);
    mosquitto_int_option(b->mosq, MOSQ_OPT_TCP_NODELAY, 1);
    if (b->options.username.len > 0)
        mosquitto_username_pw_set(b->mosq, b->options.username.ptr, b->options.password.len > 0 ? b->options.password.ptr : NULL);
    b->port  = port;
    b->delay = DELAY_FIRST_S * GM_SECOND;
    try_first(b);
    return GM_OK;
}

gm_status gm_bridge_create(const gm_bridge_options *options, gm_bridge **out_bridge, gm_error *err)
{
    *out_bridge  = NULL;
    gm_bridge *b = gm_alloc_zeroed(options->alloc, sizeof *b);
    if (b == NULL) return gm_fail(err, GM_NOMEM, WHERE, "starting a bridge");
    b->options = *options;
    b->topic   = gm_buf_init(options->alloc);
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->room, NULL);
    b->event     = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    gm_status st = b->event >= 0 ? copy_texts(b, err) : gm_fail(err, GM_IO, WHERE, "no descriptor for a bridge");
    if (st == GM_OK) st = gm_loop_add(options->loop, b->event, GM_LOOP_READ, on_event, b, &b->watch, err);
    if (st == GM_OK && b->out_count > 0) {
        st           = gm_mqtt_server_listen(options->server, GM_MQTT_HEAR_CHANGES_TOO, on_published, b, err);
        b->listening = st == GM_OK;
    }
    if (st == GM_OK) st = connect_it(b, err);
    if (st != GM_OK) {
        gm_bridge_destroy(b);
        return st;
    }
    *out_bridge = b;
    return GM_OK;
}

void gm_bridge_destroy(gm_bridge *b)
{
    if (b == NULL) return;
    pthread_mutex_lock(&b->lock);
    b->closing = true;
    pthread_cond_broadcast(&b->room);
    pthread_mutex_unlock(&b->lock);
    if (b->listening) gm_mqtt_server_unlisten(b->options.server, on_published, b);
    if (b->mosq != NULL) {
        mosquitto_disconnect(b->mosq);
        if (b->started) mosquitto_loop_stop(b->mosq, true);
        mosquitto_destroy(b->mosq);
    }
    gm_loop_remove(b->watch);
    gm_loop_cancel(b->retry);
    gm_loop_cancel(b->first_try);
    if (b->event >= 0) close(b->event);
    for (size_t i = 0; i < b->count; i++) gm_free(b->options.alloc, b->queue[(b->first + i) % GM_BRIDGE_QUEUE].bytes);
    pthread_mutex_destroy(&b->lock);
    pthread_cond_destroy(&b->room);
    gm_buf_finish(&b->topic);
    gm_free(b->options.alloc, b->text);
    gm_free(b->options.alloc, b);
}

gm_bridge_stats gm_bridge_statistics(gm_bridge *b)
{
    pthread_mutex_lock(&b->lock);
    gm_bridge_stats stats = b->stats;
    pthread_mutex_unlock(&b->lock);
    return stats;
}

gm_str gm_bridge_name(const gm_bridge *b) { return b->options.name; }
