// Who gets a message. A node of the tree has a list of subscriptions with that filter; shared ones stand in the same
// list with their group's name, and of each group one session is chosen per message.
#include "link/mqtt_internal.h"

#include "link/topic.h"

#include <assert.h>

// The text as a C string of its own; NULL when refused.
static char *copy_text(const gm_alloc *alloc, gm_str text)
{
    char *copy = gm_alloc_bytes(alloc, text.len + 1);
    if (copy == NULL) return NULL;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return copy;
}

static bool same_group(const gm_mqtt_subscription *s, gm_str group)
{
    return s->group == NULL ? group.ptr == NULL : group.ptr != NULL && gm_str_is(group, s->group);
}

static gm_mqtt_subscription *find(const gm_mqtt_session *session, uint32_t node, gm_str group)
{
    if (node == GM_TREE_NONE) return NULL;
    gm_mqtt_subscription *s = session->server->tree.nodes[node].value;
    while (s != NULL && !(s->session == session && same_group(s, group))) s = s->next_at_node;
    return s;
}

// Version 3.1.1 does not know shared subscriptions, but leaves topics that start with '$' to the server, and brokers share for
// its clients as well. What has not the form of one is then a filter like any other.
static void split(gm_str filter, gm_str *out_group, gm_str *out_filter)
{
    *out_group  = (gm_str){ NULL, 0 };
    *out_filter = filter;
    gm_topic_split_shared(filter, out_group, out_filter);
}

gm_status gm_mqtt_session_subscribe(gm_mqtt_session *session, const gm_mqtt_filter *filter, uint32_t id,
                                    bool *out_existed)
{
    gm_mqtt_server *server = session->server;
    gm_str          group, text;
    uint32_t        node;
    split(filter->filter, &group, &text);
    if (gm_topic_tree_add(&server->tree, text, &node) != GM_OK) return GM_NOMEM;
    gm_mqtt_subscription *s = find(session, node, group);
    *out_existed            = s != NULL;
    if (s == NULL) {
        if (session->subscription_count >= server->limits.subscriptions) {
            gm_topic_tree_prune(&server->tree, node);
            return GM_LIMIT;
        }
        s          = gm_alloc_zeroed(server->alloc, sizeof *s);
        char *name = group.ptr != NULL ? copy_text(server->alloc, group) : NULL;
        if (s == NULL || (group.ptr != NULL && name == NULL)) {
            gm_free(server->alloc, s);
            gm_free(server->alloc, name);
            gm_topic_tree_prune(&server->tree, node);
            return GM_NOMEM;
        }
        s->session                       = session;
        s->node                          = node;
        s->group                         = name;
        s->next_at_node                  = server->tree.nodes[node].value;
        server->tree.nodes[node].value   = s;
        s->next_of_session               = session->subscriptions;
        session->subscriptions           = s;
        session->subscription_count++;
        server->subscription_count++;
    }
    s->id                  = id;
    s->qos                 = filter->qos;
    s->no_local            = filter->no_local;
    s->retain_as_published = filter->retain_as_published;
    return GM_OK;
}

static void unlink_from_node(gm_mqtt_server *server, gm_mqtt_subscription *s)
{
    gm_mqtt_subscription *first = server->tree.nodes[s->node].value;
    if (first == s) {
        server->tree.nodes[s->node].value = s->next_at_node;
    } else {
        while (first->next_at_node != s) first = first->next_at_node;
        first->next_at_node = s->next_at_node;
    }
    gm_topic_tree_prune(&server->tree, s->node);
}

static void forget(gm_mqtt_server *server, gm_mqtt_subscription *s)
{
    unlink_from_node(server, s);
    s->session->subscription_count--;
    server->subscription_count--;
    gm_free(server->alloc, s->group);
    gm_free(server->alloc, s);
}

bool gm_mqtt_session_unsubscribe(gm_mqtt_session *session, gm_str filter)
{
    gm_str group, text;
    split(filter, &group, &text);
    gm_mqtt_subscription *s = find(session, gm_topic_tree_find(&session->server->tree, text), group);
    if (s == NULL) return false;
    gm_mqtt_subscription **at = &session->subscriptions;
    while (*at != s) at = &(*at)->next_of_session;
    *at = s->next_of_session;
    forget(session->server, s);
    return true;
}

void gm_mqtt_session_unsubscribe_all(gm_mqtt_session *session)
{
    while (session->subscriptions != NULL) {
        gm_mqtt_subscription *s = session->subscriptions;
        session->subscriptions  = s->next_of_session;
        forget(session->server, s);
    }
}

// ---- matching -----------------------------------------------------------------------------------------------------
typedef struct matching { gm_mqtt_server *server; const gm_mqtt_session *from; gm_str topic; } matching;

static void add_match(gm_mqtt_server *server, const gm_mqtt_subscription *s, bool alone)
{
    gm_mqtt_session *session = s->session;
    gm_mqtt_matches *all     = &server->matches;
    if (!alone && session->match_serial == server->match_serial) {
        // Overlapping subscriptions: one copy, at the highest QoS, with every identifier [MQTT-3.3.5-1, MQTT5-3.3.4-4].
        gm_mqtt_match *m = &all->items[session->match_at];
        bool           fits = s->id == 0 || m->id_count < GM_MQTT_IDS_MAX;
        if (fits) {
            if (s->qos > m->qos) m->qos = s->qos;
            m->retain_as_published |= s->retain_as_published;
            if (s->id != 0) m->ids[m->id_count++] = s->id;
            return;
        }
    }
    if (!gm_alloc_reserve(server->alloc, &all->items, &all->capacity, all->count + 1, sizeof *all->items)) {
        server->stats.dropped_queue++;
        return;
    }
    if (!alone) {
        session->match_serial = server->match_serial;
        session->match_at     = all->count;
    }
    all->items[all->count++] = (gm_mqtt_match) { .session             = session,
                                                 .qos                 = s->qos,
                                                 .retain_as_published = s->retain_as_published,
                                                 .id_count            = s->id != 0,
                                                 .ids                 = { s->id } };
}

// Of a group and those in it who may see the message: whoever is connected and has waited longest; if nobody is
// connected, whose session waits longest.
static void add_shared(const matching *m, gm_mqtt_subscription *first)
{
    gm_mqtt_subscription *best = NULL;
    for (gm_mqtt_subscription *s = first; s != NULL; s = s->next_at_node) {
        if (s->group == NULL || strcmp(s->group, first->group) != 0 || !gm_mqtt_may_read(s->session, m->topic)) continue;
        bool here = s->session->connection != NULL, best_here = best != NULL && best->session->connection != NULL;
        if (best == NULL || (here != best_here ? here : s->turn < best->turn)) best = s;
    }
    if (best == NULL) return;
    best->turn = m->server->match_serial;
    add_match(m->server, best, true);
}

static bool seen_before(const gm_mqtt_subscription *first, const gm_mqtt_subscription *s)
{
    for (const gm_mqtt_subscription *earlier = first; earlier != s; earlier = earlier->next_at_node) {
        if (earlier->group != NULL && strcmp(earlier->group, s->group) == 0) return true;
    }
    return false;
}

static void on_node(void *context, uint32_t node, void *value)
{
    const matching       *m     = context;
    gm_mqtt_subscription *first = value;
    (void)node;
    for (gm_mqtt_subscription *s = first; s != NULL; s = s->next_at_node) {
        if (s->group == NULL) {
            if (!(s->no_local && s->session == m->from) && gm_mqtt_may_read(s->session, m->topic)) add_match(m->server, s, false);
        } else if (!seen_before(first, s)) {
            add_shared(m, s);
        }
    }
}

void gm_mqtt_match_topic(gm_mqtt_server *server, gm_str topic, const gm_mqtt_session *from)
{
    server->matches.count = 0;
    if (server->subscription_count == 0) return;
    matching m = { server, from, topic };
    server->match_serial++;
    gm_topic_tree_filters_of(&server->tree, topic, on_node, &m);
}
