// Invariants: (1) a subscription is on its stream's news list exactly while news is not NONE; (2) a stream is woken at
// most once until it is read again (idle tells); (3) what is marked stays marked until it has been written, so a change
// is late at worst, never lost.
//
//   observe --marks--> subscription.dirty --wake--> libmicrohttpd reads --fill--> events from the state as it is now
#include "api/stream.h"

#include "api/live.h"
#include "api/rollup_sight.h"
#include "api/routes.h"
#include "api/structure.h"
#include "api/subscription.h"
#include "query/query.h"
#include "state/document.h"

enum { FILL = 64 << 10, MISSING_MAX = 1000 };

struct gm_stream {
    gm_streams      *streams;
    gm_request      *request;
    gm_stream       *previous, *next;
    gm_subscription *subs, *news;
    size_t           sub_count;
    gm_str          *missing;        // twins that were asked for and do not exist yet; in the request's arena
    size_t           missing_count;
    gm_query        *query;          // NULL: by name
    uint64_t         cursor;         // in the structure's events
    gm_buf           out;
    size_t           sent;           // of out
    gm_dur_ns        filled, alive;  // when it was last filled, and last said to be alive (monotonic)
    bool             idle;           // the reader found nothing and waits to be woken
    bool             greeted;        // the snapshot was written
    bool             alive_due;
    bool             broken;         // memory was refused: the stream ends, the client comes back for a snapshot
};

struct gm_streams {
    gm_streams_options options;
    gm_subscriptions   table;
    gm_structure       structure;
    gm_stream         *first;
    size_t             count;
    gm_timer          *timer;
    gm_dur_ns          timer_at;
    uint64_t           sequence;     // newest change seen
    gm_time_ns         time;
};

static const gm_state *state_of(const gm_streams *streams) { return gm_engine_state(streams->options.engine); }
static const gm_fence *fence_of(const gm_stream *stream) { return gm_principal_fence(stream->request->principal); }

// ---- waking --------------------------------------------------------------------------------------------------------

static void on_tick(void *context);

static void tick_at(gm_streams *streams, gm_dur_ns at)
{
    if (streams->timer != NULL && streams->timer_at <= at) return;
    gm_loop_cancel(streams->timer);
    streams->timer = NULL;
    gm_dur_ns now  = gm_loop_monotonic(streams->options.loop);
    gm_error  err;
    if (gm_loop_after(streams->options.loop, at > now ? at - now : 0, on_tick, streams, &streams->timer, &err) !=
        GM_OK) {
        streams->timer = NULL;  // the next change tries again
        return;
    }
    streams->timer_at = at;
}

static bool has_news(const gm_stream *stream)
{
    return stream->news != NULL || stream->cursor != stream->streams->structure.count || stream->alive_due ||
           stream->broken;
}

// Changes that come fast are gathered: at most one answer per interval.
static void nudge(gm_stream *stream)
{
    if (!stream->idle) return;
    gm_streams *streams = stream->streams;
    gm_dur_ns   due     = stream->filled + streams->options.interval;
    if (gm_loop_monotonic(streams->options.loop) < due) {
        tick_at(streams, due);
        return;
    }
    stream->idle = false;
    gm_request_resume(stream->request);
}

static void on_tick(void *context)
{
    gm_streams *streams = context;
    gm_dur_ns   now     = gm_loop_monotonic(streams->options.loop);
    streams->timer      = NULL;
    gm_dur_ns next      = now + GM_SECOND;
    for (gm_stream *stream = streams->first, *following; stream != NULL; stream = following) {
        following = stream->next;
        if (now - stream->alive >= GM_SECOND) stream->alive_due = true;
        if (has_news(stream)) nudge(stream);
        gm_dur_ns alive = stream->alive + GM_SECOND;
        if (alive > now && alive < next) next = alive;
    }
    if (streams->count > 0) tick_at(streams, next);
}

// ---- marking -------------------------------------------------------------------------------------------------------

static void tell(gm_subscription *sub, gm_news news, const gm_record *record)
{
    if (sub->news == GM_NEWS_NONE) {
        sub->next_news    = sub->stream->news;
        sub->stream->news = sub;
    }
    if (news > sub->news) sub->news = news;
    sub->sequence = record->sequence;
    sub->time     = record->ingest;
    nudge(sub->stream);
}

static void break_stream(gm_stream *stream)
{
    stream->broken = true;
    nudge(stream);
}

static gm_subscription *add_subscription(gm_stream *stream, gm_twin twin)
{
    gm_streams      *streams = stream->streams;
    gm_subscription *sub     = gm_subscribe(&streams->table, stream, state_of(streams), twin);
    if (sub == NULL) return NULL;
    sub->next = stream->subs;
    if (stream->subs != NULL) stream->subs->previous = sub;
    stream->subs = sub;
    stream->sub_count++;
    return sub;
}

static void remove_subscription(gm_stream *stream, gm_subscription *sub)
{
    if (sub->previous != NULL) sub->previous->next = sub->next;
    else stream->subs = sub->next;
    if (sub->next != NULL) sub->next->previous = sub->previous;
    stream->sub_count--;
    gm_unsubscribe(&stream->streams->table, sub);
}

static void mark_change(gm_subscription *sub, const gm_record *record, const gm_change *change)
{
    gm_cell_write cell;
    if (change->kind == GM_CHANGE_TWIN_DELETE) {
        sub->deleted = true;
        tell(sub, GM_NEWS_GONE, record);
        return;
    }
    if (change->kind == GM_CHANGE_TWIN_PUT) {
        const gm_type *type = gm_state_type(state_of(sub->stream->streams), sub->twin);
        if (type != sub->type && !gm_subscription_retype(&sub->stream->streams->table, sub, type))
            break_stream(sub->stream);
        else tell(sub, GM_NEWS_VIEW, record);
        return;
    }
    for (const uint8_t *at = change->cells; gm_change_next_cell(change, &at, &cell);)
        gm_subscription_mark(sub, cell.column);
    tell(sub, GM_NEWS_VALUES, record);
}

static gm_subscription *subscription_of(gm_stream *stream, gm_twin twin)
{
    gm_subscription *sub = gm_subscription_first(&stream->streams->table, twin);
    while (sub != NULL && sub->stream != stream) sub = gm_subscription_next(sub);
    return sub;
}

// The twin came into the stream's view.
static void enter(gm_stream *stream, gm_twin twin, const gm_record *record)
{
    if (stream->sub_count >= stream->streams->options.twins_max || !gm_fence_shows(fence_of(stream), twin)) return;
    gm_subscription *sub = add_subscription(stream, twin);
    if (sub == NULL) break_stream(stream);
    else tell(sub, GM_NEWS_VIEW, record);
}

// LIMIT: a stream by query evaluates it once per change of any twin; enough while such streams are few (streams_max).
static void requery(gm_stream *stream, gm_twin twin, const gm_record *record)
{
    bool             matches = false;
    gm_subscription *sub     = subscription_of(stream, twin);
    gm_error         err;
    if (gm_query_matches(stream->query, state_of(stream->streams), twin, &matches, &err) != GM_OK) return;
    if (matches && sub == NULL) enter(stream, twin, record);
    else if (!matches && sub != NULL) tell(sub, GM_NEWS_GONE, record);
    else if (matches && sub->news == GM_NEWS_GONE && !sub->deleted)
        sub->news = GM_NEWS_VIEW; // left and came back unread
}

static void look_for_missing(gm_stream *stream, gm_twin twin, const gm_record *record)
{
    gm_str id = gm_state_id(state_of(stream->streams), twin);
    for (size_t i = 0; i < stream->missing_count; i++) {
        if (!gm_str_eq(stream->missing[i], id) || !gm_fence_shows(fence_of(stream), twin)) continue;
        stream->missing[i] = stream->missing[--stream->missing_count];
        enter(stream, twin, record);
        return;
    }
}

static void note_rollup(gm_streams *streams, const gm_record *record, const gm_change *change)
{
    gm_twin twin = gm_state_find(state_of(streams), change->id);
    for (gm_subscription *sub = gm_twin_ok(twin) ? gm_subscription_first(&streams->table, twin) : NULL; sub != NULL; sub = gm_subscription_next(sub)) {
        sub->rollups = true;
        tell(sub, GM_NEWS_VALUES, record);
    }
}

static void observe(void *context, const gm_record *record, const gm_change *change)
{
    gm_streams *streams = context;
    streams->sequence   = record->sequence;
    streams->time       = record->ingest;
    if (streams->count == 0) {
        if (change->kind == GM_CHANGE_TWIN_PUT && change->twin >= streams->structure.twin_limit) {
            streams->structure.twin_limit = change->twin + 1;
        }
        return;
    }
    bool structural = gm_structure_note(&streams->structure, state_of(streams), record, change);
    bool of_twin =
        change->kind == GM_CHANGE_WRITE || change->kind == GM_CHANGE_TWIN_PUT || change->kind == GM_CHANGE_TWIN_DELETE;
    gm_twin twin    = { change->twin };
    if (of_twin) {
        for (gm_subscription *sub = gm_subscription_first(&streams->table, twin); sub != NULL;
             sub                  = gm_subscription_next(sub)) {
            mark_change(sub, record, change);
        }
    }
    if (change->kind == GM_CHANGE_ROLLUP && change->id.len > 0) note_rollup(streams, record, change);
    for (gm_stream *stream = streams->first, *next; stream != NULL; stream = next) {
        next = stream->next;
        if (structural) nudge(stream);
        if (!of_twin || change->kind == GM_CHANGE_TWIN_DELETE) continue;
        if (stream->query != NULL) requery(stream, twin, record);
        else if (stream->missing_count > 0 && change->kind == GM_CHANGE_TWIN_PUT)
            look_for_missing(stream, twin, record);
    }
}

// ---- writing -------------------------------------------------------------------------------------------------------

static void write_snapshot(gm_stream *stream)
{
    gm_streams *streams = stream->streams;
    bool        first   = true;
    gm_event_open(&stream->out, "snapshot", streams->sequence, gm_now(streams->options.clock));
    gm_buf_text(&stream->out, ",\"twins\":[");
    for (gm_subscription *sub = stream->subs; sub != NULL; sub = sub->next) {
        if (sub->news == GM_NEWS_GONE || !gm_fence_shows(fence_of(stream), sub->twin)) continue;
        if (!first) gm_buf_byte(&stream->out, ',');
        first = false;
        gm_live_write(state_of(streams), fence_of(stream), sub->twin, &stream->out);
    }
    gm_buf_byte(&stream->out, ']');
    gm_event_close(&stream->out);
}

static void write_values(gm_stream *stream, gm_subscription *sub)
{
    bool first = true;
    gm_event_open(&stream->out, "change", sub->sequence, sub->time);
    gm_live_member(&stream->out, "twin", sub->id);
    gm_buf_text(&stream->out, ",\"values\":{");
    for (uint32_t word = 0; word * 64 < sub->type->column_count; word++) {
        for (; sub->dirty[word] != 0; sub->dirty[word] &= sub->dirty[word] - 1) {
            uint32_t column = word * 64 + (uint32_t)__builtin_ctzll(sub->dirty[word]);
            gm_cell  cell;
            gm_state_get(state_of(stream->streams), sub->twin, column, &cell);
            if (!first) gm_buf_byte(&stream->out, ',');
            first = false;
            gm_buf_json_str(&stream->out, sub->type->columns[column].path);
            gm_buf_text(&stream->out, ":{\"value\":");
            gm_document_write_value(cell.value, &stream->out);
            gm_live_time(&stream->out, "sourceTime", cell.source);
            gm_buf_byte(&stream->out, '}');
        }
    }
    gm_buf_byte(&stream->out, '}');
    gm_event_close(&stream->out);
}

static bool is_dirty(const gm_subscription *sub)
{
    for (uint32_t word = 0; word * 64 < sub->type->column_count; word++)
        if (sub->dirty[word] != 0) return true;
    return false;
}

// What the twin amounts to, as it was recorded last: all of it, for which of them it was is not kept.
static void write_rollups(gm_stream *stream, gm_subscription *sub)
{
    gm_rollups     *rollups = stream->request->api->options.rollups;
    gm_rollup_sight sight;
    bool            first = true;
    sub->rollups = false;
    if (rollups == NULL) return;
    gm_event_open(&stream->out, "rollup", sub->sequence, sub->time);
    gm_live_member(&stream->out, "twin", sub->id);
    gm_buf_text(&stream->out, ",\"values\":{");
    gm_rollup_sight_open(&sight, stream->request);
    for (size_t i = 0; i < gm_rollups_count(rollups); i++) {
        const gm_rollup_definition *d = gm_rollups_definition(rollups, i);
        gm_value                    value;
        if (d->relationship.len == 0 || !gm_rollup_sight_read(&sight, sub->twin, d->name, (gm_str){ 0 }, GM_TIME_MAX - 1, &value)) continue;
        if (!first) gm_buf_byte(&stream->out, ',');
        first = false;
        gm_buf_json_str(&stream->out, d->name);
        gm_buf_byte(&stream->out, ':');
        gm_document_write_value(value, &stream->out);
    }
    gm_rollup_sight_close(&sight);
    gm_buf_byte(&stream->out, '}');
    gm_event_close(&stream->out);
}

static void write_view(gm_stream *stream, gm_subscription *sub)
{
    gm_event_open(&stream->out, "created", sub->sequence, sub->time);
    gm_live_member(&stream->out, "twin", sub->id);
    gm_buf_text(&stream->out, ",\"view\":");
    gm_live_write(state_of(stream->streams), fence_of(stream), sub->twin, &stream->out);
    gm_event_close(&stream->out);
    memset(sub->dirty, 0, (sub->type->column_count / 64 + 1) * sizeof *sub->dirty);
}

static void write_gone(gm_stream *stream, gm_subscription *sub)
{
    gm_event_open(&stream->out, "deleted", sub->sequence, sub->time);
    gm_live_member(&stream->out, "twin", sub->id);
    gm_buf_printf(&stream->out, ",\"reason\":\"%s\"", sub->deleted ? "deleted" : "left");
    gm_event_close(&stream->out);
}

// Everything there is to say, up to about FILL bytes; what is left over waits for the next call.
static void fill(gm_stream *stream)
{
    gm_streams *streams = stream->streams;
    gm_buf_clear(&stream->out);
    stream->sent = 0;
    if (!stream->greeted) write_snapshot(stream);
    gm_structure_read(&streams->structure, fence_of(stream), &stream->cursor, &stream->out);
    while (stream->news != NULL && stream->out.len < FILL) {
        gm_subscription *sub  = stream->news;
        gm_news          news = sub->news;
        stream->news          = sub->next_news;
        sub->news             = GM_NEWS_NONE;
        if (!sub->deleted && !gm_fence_shows(fence_of(stream), sub->twin)) news = GM_NEWS_GONE;
        if (!stream->greeted && news != GM_NEWS_GONE) {  // the snapshot has said it
            memset(sub->dirty, 0, (sub->type->column_count / 64 + 1) * sizeof *sub->dirty);
            continue;
        }
        if (news == GM_NEWS_GONE) {
            write_gone(stream, sub);
            remove_subscription(stream, sub);
            continue;
        }
        if (news == GM_NEWS_VIEW) write_view(stream, sub);
        else if (is_dirty(sub)) write_values(stream, sub);
        if (sub->rollups) write_rollups(stream, sub);
    }
    stream->greeted = true;
    stream->filled = gm_loop_monotonic(streams->options.loop);
    if (stream->alive_due) {
        stream->alive = stream->filled;
        char now[GM_TIME_TEXT];
        gm_time_format(gm_now(streams->options.clock), now);
        gm_buf_printf(&stream->out, "event: alive\ndata: {\"time\":\"%s\"}\n\n", now);
    }
    stream->alive_due = false;
    if (stream->out.failed) stream->broken = true;
}

static int64_t read_stream(void *context, char *to, size_t max)
{
    gm_stream *stream = context;
    stream->idle      = false;
    if (!gm_principal_valid(stream->request->principal)) return -1;  // revoked, or expired
    if (stream->broken) return -1;
    if (stream->sent == stream->out.len && (has_news(stream) || !stream->greeted)) fill(stream);
    if (stream->broken) return -1;
    size_t n = stream->out.len - stream->sent;
    if (n > max) n = max;
    if (n > 0) memcpy(to, stream->out.ptr + stream->sent, n);
    stream->sent += n;
    if (n == 0) {
        stream->idle = true;
        if (stream->out.capacity > 4 * FILL) gm_buf_finish(&stream->out);
        stream->out.len = stream->sent = 0;
        tick_at(stream->streams, stream->alive + GM_SECOND);
    }
    return (int64_t)n;
}

// ---- opening and ending --------------------------------------------------------------------------------------------

static void end_stream(void *context)
{
    gm_stream  *stream  = context;
    gm_streams *streams = stream->streams;
    while (stream->subs != NULL) remove_subscription(stream, stream->subs);
    if (stream->previous != NULL) stream->previous->next = stream->next;
    else streams->first = stream->next;
    if (stream->next != NULL) stream->next->previous = stream->previous;
    streams->count--;
    gm_query_destroy(stream->query);
    gm_buf_finish(&stream->out);
    gm_free(streams->options.alloc, stream);
}

static gm_stream *open_stream(gm_streams *streams, gm_request *request)
{
    gm_stream *stream = gm_alloc_zeroed(streams->options.alloc, sizeof *stream);
    if (stream == NULL) return NULL;
    stream->streams = streams;
    stream->request = request;
    stream->cursor  = streams->structure.count;
    stream->out     = gm_buf_init(streams->options.alloc);
    stream->alive   = gm_loop_monotonic(streams->options.loop);
    stream->next    = streams->first;
    if (streams->first != NULL) streams->first->previous = stream;
    streams->first = stream;
    streams->count++;
    return stream;
}

// Twins by name. A name that stands for nothing yet is kept: the twin may be created while the stream is open.
static bool follow_names(gm_request *request, gm_stream *stream)
{
    size_t at = 0;
    gm_str id;
    for (;;) {
        if (!gm_request_next_parameter(request, "twin", &at, &id)) return false;
        if (id.ptr == NULL) return true;
        gm_twin twin = gm_api_find(request, id);
        if (gm_twin_ok(twin)) {
            if (subscription_of(stream, twin) != NULL) continue;
            if (stream->sub_count >= stream->streams->options.twins_max) break;
            if (add_subscription(stream, twin) != NULL) continue;
            gm_reply_failure(request, GM_NOMEM, NULL);
            return false;
        }
        if (stream->missing == NULL) stream->missing = GM_ARENA_NEW(request->arena, gm_str, MISSING_MAX);
        if (stream->missing == NULL) {
            gm_reply_failure(request, GM_NOMEM, NULL);
            return false;
        }
        if (stream->missing_count == MISSING_MAX) break;
        stream->missing[stream->missing_count++] = id;
    }
    gm_reply_error(request, 400, "LimitExceeded", "A stream follows at most %u twins.",
                   stream->streams->options.twins_max);
    return false;
}

static bool follow_query(gm_request *request, gm_stream *stream, gm_str text)
{
    const gm_state *state = gm_api_state(request);
    gm_error        err   = { 0 };
    gm_status       st    = gm_query_prepare(request->alloc, text, &stream->query, &err);
    for (uint32_t n = 0; st == GM_OK && n < gm_state_next_twin(state); n++) {
        gm_twin twin    = { n };
        bool    matches = false;
        if (!gm_state_exists(state, twin) || !gm_api_sees(request, twin)) continue;
        st = gm_query_matches(stream->query, state, twin, &matches, &err);
        if (!matches || st != GM_OK) continue;
        if (stream->sub_count >= stream->streams->options.twins_max) {
            gm_reply_error(request, 400, "LimitExceeded", "A stream follows at most %u twins; the query finds more.",
                           stream->streams->options.twins_max);
            return false;
        }
        if (add_subscription(stream, twin) == NULL) st = GM_NOMEM;
    }
    if (st == GM_OK) return true;
    if (st == GM_INVALID || st == GM_LIMIT)
        gm_reply_error(request, 400, "SqlQueryError", "SQL query failed: %s", err.text);
    else gm_reply_failure(request, st, &err);
    return false;
}

void gm_route_stream(gm_request *request)
{
    gm_streams *streams = request->api->streams;
    gm_str      text;
    if (!gm_request_parameter(request, "query", &text)) return;
    if (request->method == GM_METHOD_HEAD) {
        gm_reply_text(request, 200, "text/event-stream");
        return;
    }
    if (streams->count >= streams->options.streams_max) {
        gm_reply_error(request, 503, "ServiceUnavailable", "There are %zu streams open, as many as the server admits.",
                       streams->count);
        return;
    }
    gm_stream *stream = open_stream(streams, request);
    if (stream == NULL) {
        gm_reply_failure(request, GM_NOMEM, NULL);
        return;
    }
    bool fine = text.len > 0 ? follow_query(request, stream, text) : follow_names(request, stream);
    if (!fine) {
        end_stream(stream);
        return;
    }
    gm_reply_header(request, "Cache-Control", "no-store");
    gm_reply_header(request, "X-Accel-Buffering", "no");  // a proxy must not hold events back
    gm_reply_source(request, "text/event-stream",
                    (gm_source) { .read = read_stream, .end = end_stream, .context = stream });
}

// ---- life cycle ----------------------------------------------------------------------------------------------------

gm_status gm_streams_create(const gm_streams_options *options, gm_streams **out_streams, gm_error *err)
{
    *out_streams        = NULL;
    gm_streams *streams = gm_alloc_zeroed(options->alloc, sizeof *streams);
    if (streams == NULL) return gm_fail(err, GM_NOMEM, "api.stream", "starting the event streams");
    streams->options = *options;
    streams->table   = (gm_subscriptions){ .alloc = options->alloc };
    gm_structure_init(&streams->structure, options->alloc);
    gm_status st = gm_engine_observe(options->engine, observe, streams, err);
    if (st != GM_OK) {
        gm_streams_destroy(streams);
        return st;
    }
    *out_streams = streams;
    return GM_OK;
}

void gm_streams_begin(gm_streams *streams) { streams->structure.twin_limit = gm_state_next_twin(state_of(streams)); }

void gm_streams_destroy(gm_streams *streams)
{
    if (streams == NULL) return;
    gm_loop_cancel(streams->timer);
    gm_subscriptions_finish(&streams->table);
    gm_structure_finish(&streams->structure);
    gm_free(streams->options.alloc, streams);
}

size_t gm_streams_count(const gm_streams *streams) { return streams->count; }
