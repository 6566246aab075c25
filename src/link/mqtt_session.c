// Sessions: what the server remembers of a client, also while it is away.
#include "link/mqtt_durable.h"

#include <assert.h>

static bool same_client(const void *owner, uint32_t id, gm_str key)
{
    const gm_mqtt_server  *server  = owner;
    const gm_mqtt_session *session = server->sessions[id];
    return gm_str_eq((gm_str){ session->client_id, session->client_id_len }, key);
}

// The index is made with the first session, when the server has its final address.
static gm_index *index_of(gm_mqtt_server *server)
{
    if (server->session_index.alloc == NULL) server->session_index = gm_index_init(server->alloc, same_client, server);
    return &server->session_index;
}

gm_mqtt_session *gm_mqtt_session_find(const gm_mqtt_server *server, gm_str client_id)
{
    uint32_t id = gm_index_find(&server->session_index, client_id);
    return id != GM_INDEX_NONE ? server->sessions[id] : NULL;
}

gm_mqtt_session *gm_mqtt_session_at(const gm_mqtt_server *server, uint32_t number, uint32_t generation)
{
    gm_mqtt_session *session = number < server->session_used ? server->sessions[number] : NULL;
    return session != NULL && session->generation == generation ? session : NULL;
}

gm_status gm_mqtt_session_open(gm_mqtt_server *server, gm_str client_id, gm_mqtt_session **out_session)
{
    *out_session = NULL;
    if (server->session_count >= server->limits.sessions) return GM_LIMIT;
    const gm_alloc  *alloc   = server->alloc;
    gm_mqtt_session *session = gm_alloc_zeroed(alloc, sizeof *session);
    char            *name    = gm_alloc_bytes(alloc, client_id.len);
    // One slot and, for the day it becomes free again, room in the list of free ones.
    if (session == NULL || name == NULL ||
        !gm_alloc_reserve(alloc, &server->sessions, &server->session_capacity, server->session_used + 1,
                          sizeof *server->sessions) ||
        !gm_alloc_reserve(alloc, &server->free_sessions, &server->free_session_capacity, server->session_used + 1,
                          sizeof *server->free_sessions) ||
        gm_index_reserve(index_of(server), 1) != GM_OK) {
        gm_free(alloc, session);
        gm_free(alloc, name);
        return GM_NOMEM;
    }
    uint32_t number = server->free_session_count > 0 ? server->free_sessions[--server->free_session_count]
                                                     : (uint32_t)server->session_used++;
    memcpy(name, client_id.ptr, client_id.len);
    *session                 = (gm_mqtt_session) { .server        = server,
                                                   .client_id     = name,
                                                   .client_id_len = (uint32_t)client_id.len,
                                                   .number        = number,
                                                   .generation    = ++server->generation & 0xffffff };
    server->sessions[number] = session;
    gm_status st = gm_index_add(index_of(server), client_id, number);
    assert(st == GM_OK);
    (void)st;
    server->session_count++;
    *out_session = session;
    return GM_OK;
}

void gm_mqtt_session_end(gm_mqtt_session *session)
{
    gm_mqtt_server *server = session->server;
    gm_mqtt_durable_note(session, GM_MQTT_ITEM_ENDED, 0);
    gm_mqtt_durable_remove(session);
    gm_mqtt_session_unsubscribe_all(session);
    gm_mqtt_will_drop(session);
    for (uint32_t i = 0; i < session->count; i++)
        gm_mqtt_message_release(server->alloc, gm_mqtt_session_entry(session, i)->message);
    gm_index_remove(index_of(server), (gm_str){ session->client_id, session->client_id_len });
    server->sessions[session->number]                     = NULL;
    server->free_sessions[server->free_session_count++] = session->number;
    server->session_count--;
    gm_principal_release(session->principal);
    gm_free(server->alloc, session->queue);
    gm_free(server->alloc, session->received);
    gm_free(server->alloc, session->client_id);
    gm_free(server->alloc, session);
}

// ---- the queue ----------------------------------------------------------------------------------------------------
static size_t weight(const gm_mqtt_message *m)
{
    return sizeof *m + m->topic_len + m->properties_len + m->payload_len;
}

static gm_status grow(gm_mqtt_session *s)
{
    if (s->count < s->capacity) return GM_OK;
    uint32_t        capacity = s->capacity > 0 ? 2 * s->capacity : 16;
    gm_mqtt_queued *queue    = gm_alloc_array(s->server->alloc, capacity, sizeof *queue);
    if (queue == NULL) return GM_NOMEM;
    for (uint32_t i = 0; i < s->count; i++) queue[i] = *gm_mqtt_session_entry(s, i);
    gm_free(s->server->alloc, s->queue);
    s->queue    = queue;
    s->capacity = capacity;
    s->first    = 0;
    return GM_OK;
}

gm_status gm_mqtt_session_push(gm_mqtt_session *s, const gm_mqtt_queued *entry, size_t messages_max, size_t bytes_max)
{
    if (s->count >= messages_max || s->queued_bytes + weight(entry->message) > bytes_max) return GM_LIMIT;
    if (grow(s) != GM_OK) return GM_NOMEM;
    s->count++;
    *gm_mqtt_session_entry(s, s->count - 1) = *entry;
    s->queued_bytes += weight(entry->message);
    return GM_OK;
}

void gm_mqtt_session_pop_done(gm_mqtt_session *s)
{
    while (s->count > 0 && gm_mqtt_session_entry(s, 0)->state == GM_MQTT_DONE) {
        gm_mqtt_queued *entry = gm_mqtt_session_entry(s, 0);
        s->queued_bytes -= weight(entry->message);
        gm_mqtt_message_release(s->server->alloc, entry->message);
        assert(s->in_flight > 0);  // one that expires before it is sent uses up a serial too
        s->in_flight--;
        s->serial++;
        if (s->resend > 0) s->resend--;
        s->first = (s->first + 1) & (s->capacity - 1);
        s->count--;
    }
    if (s->count == 0 && s->capacity > 1024) {  // a burst is over: its memory is for others
        gm_free(s->server->alloc, s->queue);
        s->queue    = NULL;
        s->capacity = 0;
        s->first    = 0;
    }
}

uint16_t gm_mqtt_session_packet_id(const gm_mqtt_session *s, uint32_t i)
{
    return (uint16_t)(1 + (s->serial + i) % 65535);
}

gm_mqtt_queued *gm_mqtt_session_by_id(const gm_mqtt_session *s, uint16_t packet_id)
{
    uint32_t i = (uint32_t)((packet_id - 1u + 65535u - (uint32_t)(s->serial % 65535)) % 65535);
    return i < s->in_flight ? gm_mqtt_session_entry(s, i) : NULL;
}

// ---- QoS 2 from the client ----------------------------------------------------------------------------------------
bool gm_mqtt_session_has_received(const gm_mqtt_session *s, uint16_t id)
{
    return s->received != NULL && (s->received[id / 64] & s->durable_received[id / 64]) >> (id % 64) & 1;
}

bool gm_mqtt_session_restore_received(gm_mqtt_session *s, uint16_t id)
{
    if (gm_mqtt_session_has_received(s, id)) return true;
    if (!gm_mqtt_session_reserve_received(s)) return false;
    s->received[id / 64] |= UINT64_C(1) << (id % 64);
    s->durable_received[id / 64] |= UINT64_C(1) << (id % 64);
    s->received_count++;
    return true;
}

void gm_mqtt_session_restore_forgotten(gm_mqtt_session *s, uint16_t id)
{
    if (!gm_mqtt_session_has_received(s, id)) return;
    s->received[id / 64] &= ~(UINT64_C(1) << (id % 64));
    s->received_count--;
}

bool gm_mqtt_session_reserve_received(gm_mqtt_session *s)
{
    enum { WORDS = 65536 / 64 };
    if (s->received != NULL) return true;
    s->received = gm_alloc_zeroed(s->server->alloc, 2 * WORDS * sizeof *s->received);
    if (s->received == NULL) return false;
    s->durable_received = s->received + WORDS;
    return true;
}
