// GET /v1/reliability/{twin}: the fault tree below a twin of the live graph and what it amounts to. The tree is made here, of one
// moment; the calculation runs in the worker pool.
#include "api/failure_now.h"
#include "api/live.h"
#include "api/routes.h"
#include "base/pool.h"
#include "failure/fault_tree.h"
#include "reliability/openpsa.h"
#include "reliability/report.h"

#include <math.h>

enum { TWINS_MAX = 50000, LISTED_MOST = 10000, NAMED_MOST = 100 };

typedef struct work {
    gm_request     *request;
    gm_failure_tree tree;
    uint64_t        cut_sets, importance, seconds;
    gm_buf          text;  // of the answer
} work;

static void finish_work(work *w)
{
    const gm_alloc *alloc = w->request->api->options.alloc;
    gm_failure_tree_finish(&w->tree);
    gm_buf_finish(&w->text);
    gm_free(alloc, w);
}

// Names of events: of those that stand, or of those about which too little is known.
static void write_events(work *w, const char *key, bool standing)
{
    gm_buf *out   = &w->text;
    size_t  count = 0;
    gm_buf_printf(out, ",\"%s\":[", key);
    for (size_t i = 0; i < w->tree.count && count < NAMED_MOST; i++) {
        const gm_failure_event *e = &w->tree.events[i];
        if (standing ? !e->stands : e->known) continue;
        if (count++ > 0) gm_buf_byte(out, ',');
        gm_buf_json_str(out, gm_fault_tree_view(w->tree.tree, e->node).name);
    }
    gm_buf_byte(out, ']');
}

static gm_status analyse(work *w, gm_error *err)
{
    const gm_alloc        *alloc = w->request->api->options.alloc;
    const gm_clock        *clock = w->request->api->options.clock;
    gm_reliability_options o     = gm_reliability_options_defaults(clock);
    gm_reliability        *r     = NULL;
    double                 down  = NAN;
    gm_time_ns             start = gm_monotonic(clock);
    o.time_max   = (gm_dur_ns)w->seconds * GM_SECOND;
    o.memory_max = 512 << 20;
    gm_status st = gm_reliability_analyse(alloc, w->tree.tree, w->tree.top, &o, &r, err);
    if (st != GM_OK) return st;
    if (gm_reliability_summarise(r).exact) st = gm_reliability_again(r, w->tree.unavailability, &down, err);
    gm_reliability_report report = { .cut_sets = (size_t)w->cut_sets, .importance = (size_t)w->importance, .seconds = (double)(gm_monotonic(clock) - start) / 1e9 };
    gm_error              unlisted = { 0 };
    gm_buf_printf(&w->text, ",\"twins\":%u,\"hotInstead\":%u,\"unavailability\":", w->tree.twins, w->tree.hot_instead);
    gm_buf_json_number(&w->text, down);
    gm_buf_byte(&w->text, ',');
    if (st == GM_OK && gm_reliability_write_report(alloc, r, w->tree.tree, w->tree.top, &report, &w->text, &unlisted) == GM_NOMEM) st = GM_NOMEM;
    write_events(w, "standing", true);
    write_events(w, "unknown", false);
    gm_buf_byte(&w->text, '}');
    gm_reliability_destroy(r);
    return st == GM_OK && w->text.failed ? gm_fail(err, GM_NOMEM, "api.reliability", "writing the answer") : st;
}

static gm_status on_thread(void *context, uint32_t part, uint32_t thread, gm_pool_job *job, gm_error *err)
{
    (void)part, (void)thread, (void)job;
    return analyse(context, err);
}

static void answer(work *w, gm_status st, const gm_error *err)
{
    gm_request *request = w->request;
    if (st != GM_OK) { gm_reply_failure(request, st, err); return; }
    gm_buf_str(&request->out, gm_buf_view(&w->text));
    gm_reply_json(request, 200);
}

static void on_done(void *context, gm_status st, const gm_error *err)
{
    work       *w       = context;
    gm_request *request = w->request;
    if (!request->gone) answer(w, st, err);
    finish_work(w);
    gm_request_release(request);
}

static void submit(work *w)
{
    gm_request  *request = w->request;
    gm_pool     *pool    = request->api->options.pool;
    gm_pool_task task    = { .parts = 1, .run = on_thread, .done = on_done, .context = w };
    gm_error     err = { 0 };
    if (pool == NULL) {  // here and now
        gm_status st = analyse(w, &err);
        answer(w, st, &err);
        finish_work(w);
        return;
    }
    gm_status st = gm_request_submit(request, pool, &task, &err);
    if (st == GM_OK) return;
    finish_work(w);
    gm_reply_failure(request, st, &err);
}

void gm_route_reliability(gm_request *request)
{
    gm_failure_moment at  = gm_api_failure_moment(request);
    gm_error          err = { 0 };
    gm_twin           twin;
    gm_dur_ns         horizon;
    gm_str            format;
    uint64_t          cut_sets, importance, seconds;
    if (!gm_request_parameter(request, "format", &format) || !gm_request_number(request, "cutSets", 0, LISTED_MOST, 10, &cut_sets) ||
        !gm_request_number(request, "importance", 0, LISTED_MOST, 10, &importance) || !gm_request_number(request, "seconds", 1, 60, 20, &seconds) ||
        !gm_api_failure_asked(request, request->parameters[0], &twin, &horizon))
        return;
    bool openpsa = gm_str_is(format, "openpsa");
    if (format.len > 0 && !openpsa && !gm_str_is(format, "json")) {
        gm_reply_error(request, 400, "InvalidArgument", "'format' is json or openpsa");
        return;
    }
    work *w = gm_alloc_zeroed(request->api->options.alloc, sizeof *w);
    if (w == NULL) { gm_reply_error(request, 503, "ServiceUnavailable", "out of memory"); return; }
    *w = (work){ .request = request, .cut_sets = cut_sets, .importance = importance, .seconds = seconds, .text = gm_buf_init(request->api->options.alloc) };
    gm_failure_tree_options o  = { .horizon_h = (double)horizon / (double)GM_HOUR, .given = { GM_NONE }, .twins_max = TWINS_MAX };
    gm_status               st = gm_failure_tree_build(request->api->options.failures, &at, twin, &o, &w->tree, &err);
    if (st != GM_OK) {
        finish_work(w);
        gm_reply_failure(request, st, &err);
        return;
    }
    if (openpsa) {
        gm_openpsa_write(w->tree.tree, w->tree.top, gm_state_id(gm_api_state(request), twin), &request->out);
        finish_work(w);
        gm_reply_text(request, 200, "application/xml");
        return;
    }
    gm_buf_text(&w->text, "{\"twin\":");
    gm_buf_json_str(&w->text, gm_state_id(gm_api_state(request), twin));
    gm_buf_text(&w->text, ",\"horizon\":");
    gm_buf_json_number(&w->text, (double)horizon / 1e9);
    submit(w);
}
