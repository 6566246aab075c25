#include "api/events/routing.h"

#include "api/events/notification.h"
#include "base/bytes.h"
#include "base/percent.h"

#include <stdio.h>

typedef struct route {
    char            *text;      // owns the three below
    gm_event_route   view;
    gm_route_filter *filter;    // NULL: written by a version that knew more; it matches nothing
    unsigned         types;     // of events that can match
    size_t           endpoint;  // SIZE_MAX: gemel.conf does not declare it (any more)
} route;

// An event that has not left yet: for a webhook until the courier's cursor has passed it (so that a checkpoint, which
// is written by a copy of the process that may take no lock, finds it here), for MQTT until that serves.
typedef struct held { struct held *next; uint64_t sequence, twin; gm_str topic, text; } held;

typedef struct end {
    uint64_t          cursor;    // events of changes up to here have left in an earlier run
    gm_event_stream  *stream;    // SSE
    held             *first, **last;
    gm_endpoint_stats stats;     // MQTT
} end;

struct gm_routing {
    gm_routing_options options;
    gm_notifier       *notifier;
    gm_courier        *courier;
    route             *routes;
    size_t             count, capacity;
    end               *ends;
    unsigned           types;    // of all routes together
    uint64_t           seen, told;  // newest change; newest one the courier knows of
    gm_buf             out, topic, source;
    gm_timer          *timer;
    bool               begun;
};

// ---- routes ---------------------------------------------------------------------------------------------------------

size_t gm_routing_endpoint(const gm_routing *r, gm_str name)
{
    for (size_t i = 0; i < r->options.endpoint_count; i++) {
        if (gm_str_eq(r->options.endpoints[i].name, name)) return i;
    }
    return SIZE_MAX;
}

static size_t position_of(const gm_routing *r, gm_str id, bool *out_found)
{
    size_t low = 0, high = r->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int    order  = gm_str_cmp(r->routes[middle].view.id, id);
        if (order == 0) {
            *out_found = true;
            return middle;
        }
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    *out_found = false;
    return low;
}

static void collect_types(gm_routing *r)
{
    r->types = 0;
    for (size_t i = 0; i < r->count; i++) {
        if (r->routes[i].endpoint != SIZE_MAX) r->types |= r->routes[i].types;
    }
}

static void drop_route(gm_routing *r, route *it)
{
    gm_free(r->options.alloc, it->text);
    gm_route_filter_destroy(it->filter);
}

static gm_status make_route(const gm_routing *r, const gm_change *change, route *out)
{
    *out       = (route){ .endpoint = gm_routing_endpoint(r, change->name) };
    out->text  = gm_alloc_bytes(r->options.alloc, change->id.len + change->name.len + change->text.len + 1);
    if (out->text == NULL) return GM_NOMEM;
    char *at = out->text;
    gm_str *const to[] = { &out->view.id, &out->view.endpoint, &out->view.filter };
    const gm_str from[] = { change->id, change->name, change->text };
    for (size_t i = 0; i < 3; i++) {
        if (from[i].len > 0) memcpy(at, from[i].ptr, from[i].len);
        *to[i] = (gm_str){ at, from[i].len };
        at += from[i].len;
    }
    gm_error  ignored;
    gm_status st = gm_route_filter_parse(r->options.alloc, out->view.filter, &out->filter, &ignored);
    if (st == GM_OK) out->types = gm_route_filter_types(out->filter);
    return st == GM_NOMEM ? st : GM_OK;
}

static gm_status fold_put(void *context, const gm_record *record, const gm_change *change, gm_error *err)
{
    (void)record;
    gm_routing *r = context;
    bool        found;
    size_t      at = position_of(r, change->id, &found);
    route       made;
    if (!found && !gm_alloc_reserve(r->options.alloc, &r->routes, &r->capacity, r->count + 1, sizeof *r->routes)) {
        return gm_fail(err, GM_NOMEM, "api.events", "keeping an event route");
    }
    if (make_route(r, change, &made) != GM_OK) {
        gm_free(r->options.alloc, made.text);
        return gm_fail(err, GM_NOMEM, "api.events", "keeping an event route");
    }
    if (found) {
        drop_route(r, &r->routes[at]);
    } else {
        memmove(&r->routes[at + 1], &r->routes[at], (r->count - at) * sizeof *r->routes);
        r->count++;
    }
    r->routes[at] = made;
    collect_types(r);
    return GM_OK;
}

static gm_status fold_delete(void *context, const gm_record *record, const gm_change *change, gm_error *err)
{
    (void)record, (void)err;
    gm_routing *r = context;
    bool        found;
    size_t      at = position_of(r, change->id, &found);
    if (!found) return GM_OK;
    drop_route(r, &r->routes[at]);
    memmove(&r->routes[at], &r->routes[at + 1], (--r->count - at) * sizeof *r->routes);
    collect_types(r);
    return GM_OK;
}

size_t         gm_routing_count(const gm_routing *r) { return r->count; }
gm_event_route gm_routing_at(const gm_routing *r, size_t i) { return r->routes[i].view; }

bool gm_routing_find(const gm_routing *r, gm_str id, gm_event_route *out_route)
{
    bool   found;
    size_t at = position_of(r, id, &found);
    if (found) *out_route = r->routes[at].view;
    return found;
}

// ---- events ---------------------------------------------------------------------------------------------------------

static void fill_topic(gm_routing *r, const gm_endpoint_options *endpoint, const gm_notification *event)
{
    gm_str rest = endpoint->topic;
    gm_buf_clear(&r->topic);
    while (rest.len > 0) {
        size_t open = gm_str_find_char(rest, '{'), close = gm_str_find_char(rest, '}');
        gm_buf_str(&r->topic, gm_str_slice(rest, 0, open));
        if (open == SIZE_MAX) return;
        gm_str name = gm_str_slice(rest, open + 1, close);
        if (gm_str_is(name, "endpoint")) gm_percent_encode(&r->topic, endpoint->name);
        else if (gm_str_is(name, "type")) gm_buf_text(&r->topic, gm_event_type_name(event->type));
        else if (gm_str_is(name, "twin")) gm_percent_encode(&r->topic, event->twin);
        rest = close == SIZE_MAX ? (gm_str){ 0 } : gm_str_slice(rest, close + 1, rest.len);
    }
}

static void publish(gm_routing *r, end *e, gm_str topic, gm_str text)
{
    gm_error err = { 0 };
    if (r->options.publish != NULL && r->options.publish(r->options.publish_context, topic, text, &err) == GM_OK) {
        e->stats.delivered++;
        return;
    }
    e->stats.attempts_failed++;
    e->stats.dead++;
    snprintf(e->stats.last_error, sizeof e->stats.last_error, "%s",
             r->options.publish != NULL ? err.text : "no MQTT endpoint");
}

static held *hold(gm_routing *r, end *e, uint64_t sequence, uint64_t twin, gm_str topic, gm_str text)
{
    held *it = gm_alloc_bytes(r->options.alloc, sizeof *it + topic.len + text.len);
    if (it == NULL) return NULL;
    char *bytes = (char *)(it + 1);
    if (topic.len > 0) memcpy(bytes, topic.ptr, topic.len);
    if (text.len > 0) memcpy(bytes + topic.len, text.ptr, text.len);
    *it      = (held){ NULL, sequence, twin, { bytes, topic.len }, { bytes + topic.len, text.len } };
    *e->last = it;
    e->last  = &it->next;
    return it;
}

static void release(gm_routing *r, end *e, uint64_t up_to)
{
    while (e->first != NULL && e->first->sequence <= up_to) {
        held *it = e->first;
        e->first = it->next;
        gm_free(r->options.alloc, it);
    }
    if (e->first == NULL) e->last = &e->first;
}

static void post(gm_routing *r, size_t endpoint, const held *it)
{
    gm_letter letter = { it->sequence, it->twin, it->text };
    (void)!gm_courier_post(r->courier, endpoint, &letter);  // what is not taken is counted there
}

static void deliver(gm_routing *r, size_t endpoint, const gm_notification *event)
{
    end                       *e       = &r->ends[endpoint];
    const gm_endpoint_options *options = &r->options.endpoints[endpoint];
    gm_str                     text    = gm_buf_view(&r->out);
    switch (options->kind) {
    case GM_ENDPOINT_WEBHOOK: {
        const held *it = hold(r, e, event->sequence, gm_str_hash(event->twin), (gm_str){ 0 }, text);
        if (it != NULL && r->begun) post(r, endpoint, it);
        break;
    }
    case GM_ENDPOINT_MQTT:
        fill_topic(r, options, event);
        if (r->topic.failed) break;
        e->stats.accepted++;
        if (r->begun) publish(r, e, gm_buf_view(&r->topic), text);
        else (void)hold(r, e, event->sequence, 0, gm_buf_view(&r->topic), text);
        break;
    case GM_ENDPOINT_SSE: gm_event_stream_add(e->stream, event->sequence, event->index, text); break;
    }
}

// Written once, however many endpoints want it; an endpoint gets it once, however many of its routes fit.
static void on_event(void *context, const gm_notification *event)
{
    gm_routing      *r       = context;
    gm_event_subject subject = gm_notification_subject(event);
    gm_buf_clear(&r->out);
    for (size_t e = 0; e < r->options.endpoint_count; e++) {
        if (event->sequence <= r->ends[e].cursor) continue;
        bool wanted = false;
        for (size_t i = 0; i < r->count && !wanted; i++) {
            const route *it = &r->routes[i];
            if (it->endpoint != e || !(it->types & 1u << event->type)) continue;
            wanted = gm_route_filter_matches(it->filter, &subject);
        }
        if (!wanted) continue;
        if (r->out.len == 0) gm_notification_write(event, &r->out);
        if (!r->out.failed) deliver(r, e, event);
    }
}

static bool is_old(const gm_routing *r, uint64_t sequence)
{
    for (size_t e = 0; e < r->options.endpoint_count; e++) {
        if (sequence > r->ends[e].cursor) return false;
    }
    return true;
}

static void before(void *context, const gm_record *record, const gm_change *change)
{
    gm_routing *r = context;
    gm_notifier_before(r->notifier, record, change, is_old(r, record->sequence) ? 0 : r->types);
}

static void after(void *context, const gm_record *record, const gm_change *change)
{
    gm_routing *r = context;
    r->seen       = record->sequence;
    if (r->types != 0 && !is_old(r, record->sequence)) {
        gm_notifier_after(r->notifier, record, change, r->types, on_event, r);
    }
}

static void on_turn_end(void *context)
{
    gm_routing *r = context;
    if (!r->begun || r->seen == r->told) return;
    gm_courier_seen(r->courier, r->seen);
    r->told = r->seen;
}

static void on_tick(void *context)
{
    gm_routing *r = context;
    gm_error    ignored;
    r->timer = NULL;
    for (size_t e = 0; e < r->options.endpoint_count; e++) {
        if (r->ends[e].stream != NULL) {
            gm_event_stream_tick(r->ends[e].stream);
            gm_courier_done(r->courier, e, gm_event_stream_cursor(r->ends[e].stream, r->seen));
        } else if (r->options.endpoints[e].kind == GM_ENDPOINT_MQTT) {
            gm_courier_done(r->courier, e, r->seen);
        } else {
            release(r, &r->ends[e], gm_courier_statistics(r->courier, e).cursor);
        }
    }
    if (gm_loop_after(r->options.loop, GM_SECOND, on_tick, r, &r->timer, &ignored) != GM_OK) r->timer = NULL;
}

// ---- checkpoints ----------------------------------------------------------------------------------------------------

enum { FORMAT = 1 };

// Routes, then for each endpoint the events that have not left (of SSE: that are kept for readers).
static void save(void *context, gm_buf *out)
{
    const gm_routing *r = context;
    gm_buf_varint(out, FORMAT);
    gm_buf_varint(out, r->count);
    for (size_t i = 0; i < r->count; i++) {
        gm_buf_text_of(out, r->routes[i].view.id);
        gm_buf_text_of(out, r->routes[i].view.endpoint);
        gm_buf_text_of(out, r->routes[i].view.filter);
    }
    for (size_t e = 0; e < r->options.endpoint_count; e++) {
        const gm_event_stream *stream = r->ends[e].stream;
        size_t                 count  = stream != NULL ? gm_event_stream_count(stream) : 0;
        for (const held *it = r->ends[e].first; it != NULL; it = it->next) count++;
        gm_buf_text_of(out, r->options.endpoints[e].name);
        gm_buf_varint(out, count);
        for (size_t i = 0; stream != NULL && i < count; i++) {
            uint64_t sequence;
            uint32_t index;
            gm_str   text = gm_event_stream_at(stream, i, &sequence, &index);
            gm_buf_varint(out, sequence);
            gm_buf_varint(out, index);
            gm_buf_text_of(out, GM_STR(""));
            gm_buf_text_of(out, text);
        }
        for (const held *it = r->ends[e].first; it != NULL; it = it->next) {
            gm_buf_varint(out, it->sequence);
            gm_buf_varint(out, it->twin);
            gm_buf_text_of(out, it->topic);
            gm_buf_text_of(out, it->text);
        }
    }
}

static void forget_all(gm_routing *r)
{
    for (size_t i = 0; i < r->count; i++) drop_route(r, &r->routes[i]);
    r->count = 0;
    r->types = 0;
    for (size_t e = 0; e < r->options.endpoint_count; e++) {
        release(r, &r->ends[e], UINT64_MAX);
        if (r->ends[e].stream != NULL) gm_event_stream_clear(r->ends[e].stream);
    }
}

// An endpoint that gemel.conf no longer declares loses what waited for it.
static void load_events(gm_routing *r, gm_bytes *in)
{
    size_t   e     = gm_routing_endpoint(r, gm_bytes_text(in));
    uint64_t count = gm_bytes_varint(in);
    for (uint64_t i = 0; i < count && !in->bad; i++) {
        uint64_t sequence = gm_bytes_varint(in), twin = gm_bytes_varint(in);
        gm_str   topic = gm_bytes_text(in), text = gm_bytes_text(in);
        if (in->bad || e == SIZE_MAX || sequence <= r->ends[e].cursor) continue;
        if (r->ends[e].stream != NULL) gm_event_stream_add(r->ends[e].stream, sequence, (uint32_t)twin, text);
        else (void)hold(r, &r->ends[e], sequence, twin, topic, text);
    }
}

static gm_status load(void *context, const uint8_t *bytes, size_t size, gm_error *err)
{
    gm_routing *r  = context;
    gm_bytes    in = { .at = bytes, .end = bytes + size };
    forget_all(r);
    if (size == 0) return GM_OK;
    uint64_t format = gm_bytes_varint(&in), count = gm_bytes_varint(&in);
    if (format != FORMAT) return gm_fail(err, GM_CORRUPT, "api.events", "event routes of an unknown format");
    for (uint64_t i = 0; i < count && !in.bad; i++) {
        gm_change change = { .id = gm_bytes_text(&in) };
        change.name      = gm_bytes_text(&in);
        change.text      = gm_bytes_text(&in);
        gm_status st     = in.bad ? GM_OK : fold_put(r, NULL, &change, err);
        if (st != GM_OK) return st;
    }
    while (!in.bad && gm_bytes_left(&in) > 0) load_events(r, &in);
    return in.bad ? gm_fail(err, GM_CORRUPT, "api.events", "the event routes end in the middle") : GM_OK;
}

// ---- life cycle -----------------------------------------------------------------------------------------------------

static gm_status create_ends(gm_routing *r, gm_error *err)
{
    const gm_routing_options *o = &r->options;
    r->ends                     = gm_alloc_zeroed(o->alloc, (o->endpoint_count + 1) * sizeof *r->ends);
    if (r->ends == NULL) return gm_fail(err, GM_NOMEM, "api.events", "starting event routes");
    for (size_t e = 0; e < o->endpoint_count; e++) {
        r->ends[e].cursor = gm_courier_cursor(r->courier, e);
        r->ends[e].last   = &r->ends[e].first;
        if (o->endpoints[e].kind != GM_ENDPOINT_SSE) continue;
        r->ends[e].stream = gm_event_stream_create(o->alloc, o->endpoints[e].queue);
        if (r->ends[e].stream == NULL) return gm_fail(err, GM_NOMEM, "api.events", "starting event routes");
    }
    return GM_OK;
}

gm_status gm_routing_create(const gm_routing_options *options, gm_routing **out_routing, gm_error *err)
{
    *out_routing  = NULL;
    gm_routing *r = gm_alloc_zeroed(options->alloc, sizeof *r);
    if (r == NULL) return gm_fail(err, GM_NOMEM, "api.events", "starting event routes");
    r->options = *options;
    r->out = r->topic = r->source = gm_buf_init(options->alloc);
    gm_percent_encode(&r->source, options->source);  // a source is a URI reference
    char dir[4096];
    bool kept = options->data_dir != NULL && options->endpoint_count > 0;
    if (kept) snprintf(dir, sizeof dir, "%s/events", options->data_dir);
    gm_buf path = gm_buf_init(options->alloc);
    if (kept) gm_buf_add(&path, dir, strlen(dir) + 1);
    gm_courier_options courier = { .alloc = options->alloc, .clock = options->clock, .io = options->io,
                                   .dir = kept && !path.failed ? (const char *)path.ptr : NULL,
                                   .endpoints = options->endpoints, .endpoint_count = options->endpoint_count };
    gm_status st = gm_courier_create(&courier, &r->courier, err);
    gm_buf_finish(&path);
    if (st == GM_OK) st = create_ends(r, err);
    if (st == GM_OK) r->notifier = gm_notifier_create(options->alloc, options->engine, options->control, gm_buf_view(&r->source));
    if (st == GM_OK && (r->notifier == NULL || r->source.failed))
        st = gm_fail(err, GM_NOMEM, "api.events", "starting event routes");
    if (st == GM_OK && options->endpoint_count > 0) st = gm_loop_at_turn_end(options->loop, on_turn_end, r, err);
    if (st != GM_OK) {
        gm_routing_destroy(r);
        return st;
    }
    gm_engine_fold(options->engine, GM_CHANGE_EVENT_ROUTE_PUT, fold_put, r);
    gm_engine_fold(options->engine, GM_CHANGE_EVENT_ROUTE_DELETE, fold_delete, r);
    gm_engine_keep(options->engine, &(gm_keeper){ "event-routes", r, save, load });
    if (options->endpoint_count > 0) gm_engine_follow(options->engine, (gm_follower){ before, after, r });
    *out_routing = r;
    return GM_OK;
}

gm_status gm_routing_begin(gm_routing *r, gm_error *err)
{
    if (r->begun || r->options.endpoint_count == 0) return GM_OK;
    gm_status st = gm_courier_start(r->courier, err);
    if (st != GM_OK) return st;
    r->begun = true;
    for (size_t e = 0; e < r->options.endpoint_count; e++) {
        bool webhook = r->options.endpoints[e].kind == GM_ENDPOINT_WEBHOOK;
        for (const held *it = r->ends[e].first; it != NULL; it = it->next) {
            if (webhook) post(r, e, it);
            else publish(r, &r->ends[e], it->topic, it->text);
        }
        if (!webhook) release(r, &r->ends[e], UINT64_MAX);
    }
    on_tick(r);
    return GM_OK;
}

void gm_routing_destroy(gm_routing *r)
{
    if (r == NULL) return;
    if (r->begun) {
        on_tick(r);  // the last word on cursors
        on_turn_end(r);
        gm_loop_cancel(r->timer);
    }
    gm_courier_destroy(r->courier);
    for (size_t e = 0; r->ends != NULL && e < r->options.endpoint_count; e++) {
        gm_event_stream_destroy(r->ends[e].stream);
        release(r, &r->ends[e], UINT64_MAX);
    }
    for (size_t i = 0; i < r->count; i++) drop_route(r, &r->routes[i]);
    gm_notifier_destroy(r->notifier);
    gm_buf_finish(&r->out);
    gm_buf_finish(&r->topic);
    gm_buf_finish(&r->source);
    gm_free(r->options.alloc, r->routes);
    gm_free(r->options.alloc, r->ends);
    gm_free(r->options.alloc, r);
}

// ---- endpoints ------------------------------------------------------------------------------------------------------

size_t                     gm_routing_endpoint_count(const gm_routing *r) { return r->options.endpoint_count; }
const gm_endpoint_options *gm_routing_endpoint_at(const gm_routing *r, size_t i) { return &r->options.endpoints[i]; }
gm_event_stream           *gm_routing_stream(const gm_routing *r, size_t endpoint) { return r->ends[endpoint].stream; }

gm_endpoint_stats gm_routing_statistics(const gm_routing *r, size_t endpoint)
{
    const end        *e       = &r->ends[endpoint];
    gm_endpoint_stats courier = gm_courier_statistics(r->courier, endpoint), stats = e->stats;
    stats.cursor = courier.cursor;
    if (r->options.endpoints[endpoint].kind == GM_ENDPOINT_WEBHOOK) return courier;
    if (e->stream != NULL) stats.accepted = stats.delivered = gm_event_stream_total(e->stream);
    return stats;
}
