// Record: GM_CHANGE_RETAIN with id = topic, text = payload, flags = QoS, and name = the expiry (8 bytes little-endian,
// 0 = never) followed by the version 5 properties; an empty name means neither.
#include "link/retained.h"

#include "base/bytes.h"
#include "link/topic.h"
#include "link/topic_tree.h"

#include <assert.h>

typedef struct kept {
    gm_time_ns expires;
    uint32_t   topic_len, properties_len;
    size_t     payload_len;
    uint8_t    qos;
    char       bytes[];  // topic, properties, payload
} kept;

struct gm_retained {
    const gm_alloc *alloc;
    gm_engine      *engine;
    gm_topic_tree   tree;      // by topic; values are kept *
    size_t          count;
    uint64_t        in_flight;   // sets that are visible and not folded yet
    size_t          swept;       // nodes that gm_retained_expire has looked at in this round
    gm_time_ns      now;         // as it was told last
    gm_buf          name;        // scratch for the record's name
};

static gm_retained_message view(const kept *k)
{
    const char *at = k->bytes;
    return (gm_retained_message){
        .topic      = { at, k->topic_len },
        .properties = { at + k->topic_len, k->properties_len },
        .payload    = { at + k->topic_len + k->properties_len, k->payload_len },
        .qos        = k->qos,
        .expires    = k->expires,
    };
}

static kept *make(const gm_alloc *alloc, const gm_retained_message *m)
{
    kept *k = gm_alloc_bytes(alloc, sizeof *k + m->topic.len + m->properties.len + m->payload.len);
    if (k == NULL) return NULL;
    *k = (kept) { .expires        = m->expires,
                  .topic_len      = (uint32_t)m->topic.len,
                  .properties_len = (uint32_t)m->properties.len,
                  .payload_len    = m->payload.len,
                  .qos            = m->qos };
    memcpy(k->bytes, m->topic.ptr, m->topic.len);
    if (m->properties.len > 0) memcpy(k->bytes + m->topic.len, m->properties.ptr, m->properties.len);
    memcpy(k->bytes + m->topic.len + m->properties.len, m->payload.ptr, m->payload.len);
    return k;
}

static void clear_node(gm_retained *r, uint32_t node)
{
    gm_free(r->alloc, r->tree.nodes[node].value);
    r->tree.nodes[node].value = NULL;
    gm_topic_tree_prune(&r->tree, node);
    r->count--;
}

static void clear(gm_retained *r, gm_str topic)
{
    uint32_t node = gm_topic_tree_find(&r->tree, topic);
    if (node != GM_TREE_NONE && r->tree.nodes[node].value != NULL) clear_node(r, node);
}

static bool expired(const kept *k, gm_time_ns now)
{
    return k->expires != 0 && k->expires <= now;
}

void gm_retained_expire(gm_retained *r, gm_time_ns now)
{
    enum { AT_ONCE = 4096 };
    r->now = now;
    for (size_t i = 0; i < AT_ONCE && i < r->tree.count; i++) {
        if (r->swept >= r->tree.count) r->swept = 0;
        const kept *k = r->tree.nodes[r->swept].value;
        if (k != NULL && expired(k, now)) clear_node(r, (uint32_t)r->swept);
        r->swept++;
    }
}

// Prepares what a set needs, so that after the record is in the log nothing can fail.
static gm_status prepare(gm_retained *r, const gm_retained_message *m, uint32_t *out_node, kept **out_kept,
                         gm_error *err)
{
    *out_kept = make(r->alloc, m);
    if (*out_kept != NULL && gm_topic_tree_add(&r->tree, m->topic, out_node) == GM_OK) return GM_OK;
    gm_free(r->alloc, *out_kept);
    return gm_fail(err, GM_NOMEM, "link.retained", "keeping a message of %zu bytes", m->payload.len);
}

static void put(gm_retained *r, uint32_t node, kept *k)
{
    if (r->tree.nodes[node].value != NULL) gm_free(r->alloc, r->tree.nodes[node].value);
    else r->count++;
    r->tree.nodes[node].value = k;
}

static gm_status fold(void *context, const gm_record *record, const gm_change *change, gm_error *err)
{
    (void)record;
    gm_retained *r = context;
    if (r->in_flight > 0) {  // one of ours, seen since it was submitted
        r->in_flight--;
        return GM_OK;
    }
    gm_retained_message m = { .topic = change->id, .payload = change->text, .qos = change->flags & 3 };
    if (change->name.len >= 8) {
        m.expires    = gm_get_i64(change->name.ptr);
        m.properties = gm_str_slice(change->name, 8, change->name.len);
    }
    if (gm_topic_name_rule(m.topic) != NULL || (change->flags & 3) == 3) {
        return gm_fail(err, GM_CORRUPT, "link.retained", "a retained message's topic is not one");
    }
    if (m.payload.len == 0) {
        clear(r, m.topic);
        return GM_OK;
    }
    uint32_t  node;
    kept     *k;
    gm_status st = prepare(r, &m, &node, &k, err);
    if (st == GM_OK) put(r, node, k);
    return st;
}

// In a checkpoint: every message, one after the other.
static void save(void *context, gm_buf *out)
{
    const gm_retained *r = context;
    for (size_t i = 0; i < r->tree.count; i++) {
        if (r->tree.nodes[i].value == NULL || expired(r->tree.nodes[i].value, r->now)) continue;
        gm_retained_message m = view(r->tree.nodes[i].value);
        gm_buf_text_of(out, m.topic);
        gm_buf_text_of(out, m.properties);
        gm_buf_text_of(out, m.payload);
        gm_buf_byte(out, m.qos);
        gm_buf_svarint(out, m.expires);
    }
}

static gm_status load(void *context, const uint8_t *bytes, size_t size, gm_error *err)
{
    gm_retained *r  = context;
    gm_bytes     in = { .at = bytes, .end = size > 0 ? bytes + size : bytes };
    for (size_t i = 0; i < r->tree.count; i++) {
        if (r->tree.nodes[i].value == NULL) continue;
        gm_free(r->alloc, r->tree.nodes[i].value);
        r->tree.nodes[i].value = NULL;
    }
    gm_topic_tree_finish(&r->tree);
    r->count = 0;
    if (gm_topic_tree_init(&r->tree, r->alloc) != GM_OK) return gm_fail(err, GM_NOMEM, "link.retained", "starting");
    while (gm_bytes_left(&in) > 0) {
        gm_retained_message m = { .topic = gm_bytes_text(&in) };
        m.properties          = gm_bytes_text(&in);
        m.payload             = gm_bytes_text(&in);
        m.qos                 = gm_bytes_byte(&in);
        m.expires             = gm_bytes_svarint(&in);
        if (in.bad || gm_topic_name_rule(m.topic) != NULL || m.qos > 2 || m.payload.len == 0) {
            return gm_fail(err, GM_CORRUPT, "link.retained", "a retained message can not be read");
        }
        uint32_t  node;
        kept     *k;
        gm_status st = prepare(r, &m, &node, &k, err);
        if (st != GM_OK) return st;
        put(r, node, k);
    }
    return GM_OK;
}

gm_status gm_retained_create(const gm_alloc *alloc, gm_engine *engine, gm_retained **out_retained, gm_error *err)
{
    *out_retained  = NULL;
    gm_retained *r = gm_alloc_zeroed(alloc, sizeof *r);
    if (r == NULL || gm_topic_tree_init(&r->tree, alloc) != GM_OK) {
        gm_free(alloc, r);
        return gm_fail(err, GM_NOMEM, "link.retained", "starting");
    }
    r->alloc  = alloc;
    r->engine = engine;
    r->name   = gm_buf_init(alloc);
    gm_engine_fold(engine, GM_CHANGE_RETAIN, fold, r);
    gm_engine_keep(engine, &(gm_keeper){ "mqtt.retained", r, save, load });
    *out_retained = r;
    return GM_OK;
}

void gm_retained_destroy(gm_retained *r)
{
    if (r == NULL) return;
    for (size_t i = 0; i < r->tree.count; i++) gm_free(r->alloc, r->tree.nodes[i].value);
    gm_topic_tree_finish(&r->tree);
    gm_buf_finish(&r->name);
    gm_free(r->alloc, r);
}

gm_status gm_retained_set(gm_retained *r, const gm_retained_message *m, gm_ask ask, gm_error *err)
{
    uint32_t  node = GM_TREE_NONE;
    kept     *k    = NULL;
    gm_status st   = m->payload.len > 0 ? prepare(r, m, &node, &k, err) : GM_OK;
    if (st != GM_OK) return st;

    gm_buf_clear(&r->name);
    if (m->expires != 0 || m->properties.len > 0) {
        uint8_t expires[8];
        gm_put_i64(expires, m->expires);
        gm_buf_add(&r->name, expires, sizeof expires);
        gm_buf_str(&r->name, m->properties);
    }
    st = r->name.failed ? gm_fail(err, GM_NOMEM, "link.retained", "keeping a message")
                        : gm_engine_submit(r->engine, GM_CHANGE_RETAIN, m->qos, m->topic, gm_buf_view(&r->name),
                                           m->payload, ask, err);
    if (st != GM_OK) {
        gm_free(r->alloc, k);
        if (node != GM_TREE_NONE) gm_topic_tree_prune(&r->tree, node);
        return st;
    }
    r->in_flight++;
    if (k != NULL) put(r, node, k);
    else clear(r, m->topic);
    return GM_OK;
}

typedef struct matching { gm_retained_each *each; void *context; } matching;

static void on_match(void *context, uint32_t node, void *value)
{
    (void)node;
    const matching     *m       = context;
    gm_retained_message message = view(value);
    m->each(m->context, &message);
}

void gm_retained_match(const gm_retained *r, gm_str filter, gm_retained_each *each, void *context)
{
    matching m = { each, context };
    gm_topic_tree_topics_of(&r->tree, filter, on_match, &m);
}

size_t gm_retained_count(const gm_retained *r)
{
    return r->count;
}
