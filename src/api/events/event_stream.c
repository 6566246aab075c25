#include "api/events/event_stream.h"

#include <stdio.h>
#include <stdlib.h>

enum { FILL = 64 << 10 };

typedef struct kept { uint64_t sequence; uint32_t index; size_t len; char *text; } kept;

typedef struct event_reader event_reader;
struct event_reader {
    gm_event_stream *stream;
    gm_request      *request;
    event_reader    *previous, *next;
    uint64_t         position;   // number of the next event
    gm_buf           out;
    size_t           sent;
    bool             idle, greeted, alive_due;
};

struct gm_event_stream {
    const gm_alloc *alloc;
    kept           *ring;        // event number n lies at n % keep
    uint64_t        count;       // events so far
    uint64_t        first;       // number of the oldest that is kept
    uint32_t        keep;
    event_reader   *readers;
};

gm_event_stream *gm_event_stream_create(const gm_alloc *alloc, uint32_t keep)
{
    gm_event_stream *s = gm_alloc_zeroed(alloc, sizeof *s);
    if (s == NULL) return NULL;
    s->alloc = alloc;
    s->keep  = keep > 0 ? keep : 1;
    s->ring  = gm_alloc_zeroed(alloc, s->keep * sizeof *s->ring);
    if (s->ring != NULL) return s;
    gm_free(alloc, s);
    return NULL;
}

void gm_event_stream_destroy(gm_event_stream *s)
{
    if (s == NULL) return;
    for (uint32_t i = 0; i < s->keep; i++) gm_free(s->alloc, s->ring[i].text);
    gm_free(s->alloc, s->ring);
    gm_free(s->alloc, s);
}

static void wake(event_reader *r)
{
    if (!r->idle) return;
    r->idle = false;
    gm_request_resume(r->request);
}

void gm_event_stream_add(gm_event_stream *s, uint64_t sequence, uint32_t index, gm_str text)
{
    kept *slot = &s->ring[s->count % s->keep];
    char *copy = gm_alloc_bytes(s->alloc, text.len + 1);
    if (copy == NULL) return;
    memcpy(copy, text.ptr, text.len);
    gm_free(s->alloc, slot->text);
    *slot = (kept){ sequence, index, text.len, copy };
    s->count++;
    if (s->count - s->first > s->keep) s->first = s->count - s->keep;
    for (event_reader *r = s->readers; r != NULL; r = r->next) wake(r);
}

uint64_t gm_event_stream_cursor(const gm_event_stream *s, uint64_t seen)
{
    return s->count > s->first ? s->ring[s->first % s->keep].sequence - 1 : seen;
}

size_t   gm_event_stream_count(const gm_event_stream *s) { return (size_t)(s->count - s->first); }

gm_str gm_event_stream_at(const gm_event_stream *s, size_t i, uint64_t *out_sequence, uint32_t *out_index)
{
    const kept *event = &s->ring[(s->first + i) % s->keep];
    *out_sequence     = event->sequence;
    *out_index        = event->index;
    return (gm_str){ event->text, event->len };
}

void gm_event_stream_clear(gm_event_stream *s) { s->first = s->count; }

uint64_t gm_event_stream_total(const gm_event_stream *s) { return s->count; }

void gm_event_stream_tick(gm_event_stream *s)
{
    for (event_reader *r = s->readers; r != NULL; r = r->next) {
        r->alive_due = true;
        wake(r);
    }
}

static void fill(event_reader *r)
{
    gm_event_stream *s = r->stream;
    gm_buf_clear(&r->out);
    r->sent = 0;
    if (!r->greeted || r->alive_due) gm_buf_text(&r->out, ": gemel\n\n");
    r->greeted   = true;
    r->alive_due = false;
    if (r->position < s->first) {
        gm_buf_printf(&r->out, "event: gap\ndata: {\"lost\":%llu}\n\n", (unsigned long long)(s->first - r->position));
        r->position = s->first;
    }
    for (; r->position < s->count && r->out.len < FILL; r->position++) {
        const kept *event = &s->ring[r->position % s->keep];
        gm_buf_printf(&r->out, "id: %llu-%u\ndata: ", (unsigned long long)event->sequence, event->index);
        gm_buf_str(&r->out, (gm_str){ event->text, event->len });
        gm_buf_text(&r->out, "\n\n");
    }
}

static int64_t read_events(void *context, char *to, size_t max)
{
    event_reader *r = context;
    if (r->sent == r->out.len && (!r->greeted || r->alive_due || r->position < r->stream->count)) fill(r);
    if (r->out.failed) return -1;  // the reader comes back with the last event that it has
    size_t n = r->out.len - r->sent < max ? r->out.len - r->sent : max;
    if (n > 0) memcpy(to, r->out.ptr + r->sent, n);
    r->sent += n;
    r->idle = n == 0;
    return (int64_t)n;
}

static void end_events(void *context)
{
    event_reader *r = context;
    if (r->previous != NULL) r->previous->next = r->next;
    else r->stream->readers = r->next;
    if (r->next != NULL) r->next->previous = r->previous;
    gm_buf_finish(&r->out);
    gm_free(r->stream->alloc, r);
}

// The number of the event after the one that is named; the newest when it names none.
static uint64_t position_after(const gm_event_stream *s, gm_str id)
{
    char text[48];
    if (id.len == 0 || id.len >= sizeof text) return s->count;
    memcpy(text, id.ptr, id.len);
    text[id.len]       = '\0';
    char    *rest      = text;
    uint64_t sequence  = strtoull(text, &rest, 10);
    uint32_t index     = *rest == '-' ? (uint32_t)strtoul(rest + 1, NULL, 10) : UINT32_MAX;
    uint64_t low = s->first, high = s->count;  // the first event after (sequence, index) lies in [low, high]
    while (low < high) {
        uint64_t    middle = low + (high - low) / 2;
        const kept *event  = &s->ring[middle % s->keep];
        bool        after  = event->sequence > sequence || (event->sequence == sequence && event->index > index);
        if (after) high = middle;
        else low = middle + 1;
    }
    return low;
}

void gm_event_stream_open(gm_event_stream *s, gm_request *request)
{
    event_reader *r = gm_alloc_zeroed(s->alloc, sizeof *r);
    if (r == NULL) {
        gm_reply_failure(request, GM_NOMEM, NULL);
        return;
    }
    r->stream   = s;
    r->request  = request;
    r->out      = gm_buf_init(s->alloc);
    r->position = position_after(s, gm_request_header(request, "last-event-id"));
    r->next     = s->readers;
    if (s->readers != NULL) s->readers->previous = r;
    s->readers = r;
    gm_reply_header(request, "Cache-Control", "no-store");
    gm_reply_header(request, "X-Accel-Buffering", "no");
    gm_reply_source(request, "text/event-stream", (gm_source){ .read = read_events, .end = end_events, .context = r });
}
