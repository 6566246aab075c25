// Server-sent events of futures that run: progress, partial (quantiles so far), and at the end done, failed or
// cancelled. A slow reader gets fewer events: what is written is made when there is room for it.
#include "api/futures/forecasts.h"

enum { PARTIAL_VALUES_MAX = 100000 };  // numbers of one event; beyond that only progress is told

struct gm_forecast_stream {
    gm_forecast        *forecast;    // NULL: it has gone
    gm_forecast_stream *next;
    gm_request         *request;
    const gm_alloc     *alloc;
    gm_buf              out;
    size_t              sent;
    bool                news, idle, ended;
};

static void write_partial(const gm_forecast *f, gm_buf *out)
{
    gm_partial p;
    if (!gm_futures_partial(f->job, &p)) return;
    if ((uint64_t)p.points * f->request.output_count * f->request.quantile_count > PARTIAL_VALUES_MAX) return;
    gm_buf_text(out, "event: partial\ndata: {");
    gm_partial_write(&f->request, &p, out);
    gm_buf_text(out, "}\n\n");
}

// The end is told without the result, which GET gives: a stream's last event is small.
static void fill(gm_forecast_stream *s)
{
    static const char *const ends[] = { "progress", "done", "failed", "cancelled" };
    gm_forecast *f = s->forecast;
    gm_buf_clear(&s->out);
    s->sent = 0;
    s->news = false;
    gm_buf_printf(&s->out, "event: %s\ndata: ", ends[f->state]);
    gm_forecast_write(f, false, &s->out);
    gm_buf_text(&s->out, "\n\n");
    if (f->state == GM_FORECAST_RUNNING) write_partial(f, &s->out);
    else s->ended = true;
}

static int64_t read_stream(void *context, char *to, size_t max)
{
    gm_forecast_stream *s = context;
    s->idle               = false;
    if (s->sent == s->out.len) {
        if (s->ended || s->forecast == NULL) return -1;
        if (s->news) fill(s);
    }
    if (s->out.failed) return -1;
    size_t n = s->out.len - s->sent;
    if (n > max) n = max;
    if (n > 0) memcpy(to, s->out.ptr + s->sent, n);
    s->sent += n;
    s->idle = n == 0;
    return (int64_t)n;
}

static void end_stream(void *context)
{
    gm_forecast_stream *s = context;
    if (s->forecast != NULL) {
        gm_forecast_stream **at = &s->forecast->streams;
        while (*at != s) at = &(*at)->next;
        *at = s->next;
    }
    gm_buf_finish(&s->out);
    gm_free(s->alloc, s);
}

void gm_forecast_stream_open(gm_forecast *f, gm_request *request)
{
    const gm_alloc     *alloc = gm_forecasts_options(f->all)->alloc;
    gm_forecast_stream *s     = gm_alloc_zeroed(alloc, sizeof *s);
    if (s == NULL) {
        gm_reply_failure(request, GM_NOMEM, NULL);
        return;
    }
    *s = (gm_forecast_stream) {
        .forecast = f, .next = f->streams, .request = request, .alloc = alloc, .out = gm_buf_init(alloc), .news = true
    };
    f->streams = s;
    gm_reply_source(request, "text/event-stream", (gm_source){ read_stream, end_stream, s });
}

static void nudge(gm_forecast_stream *s)
{
    if (!s->idle) return;
    s->idle = false;
    gm_request_resume(s->request);
}

void gm_forecast_stream_tell(gm_forecast *f)
{
    for (gm_forecast_stream *s = f->streams; s != NULL; s = s->next) {
        s->news = true;
        nudge(s);
    }
}

void gm_forecast_streams_part(gm_forecast *f)
{
    for (gm_forecast_stream *s = f->streams, *next; s != NULL; s = next) {
        next        = s->next;
        if (!s->ended && s->news) fill(s);  // the end is still told
        s->forecast = NULL;
        nudge(s);
    }
    f->streams = NULL;
}
