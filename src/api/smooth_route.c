// GET /v1/estimates/{name}/smoothed: where twins were, by what was measured before and afterwards. History is read here, the
// filter runs in the worker pool and writes the answer's text there.
#include "api/futures/world.h"
#include "api/live.h"
#include "api/routes.h"
#include "base/pool.h"
#include "insight/estimate/past.h"
#include "insight/live/estimates.h"

#include <math.h>

enum {
    SAMPLES_MAX = 500000,   // of one request: some ten seconds of a thread
    POINTS_MAX  = 20000,
    TEXT_MAX    = 64 << 20
};

// One request on its way through the pool.
typedef struct work {
    gm_request        *request;
    const gm_pool_job *job;         // while it runs
    gm_group          *group;
    gm_past           past;
    gm_smooth_options options;
    uint32_t         *shown;        // [shown_count] parts of twins that the asker may see
    uint32_t          shown_count, count;
    size_t            points;
    gm_buf            text;
} work;

static void finish_work(work *w)
{
    const gm_alloc *alloc = w->request->api->options.alloc;
    gm_past_close(&w->past);
    if (w->group != NULL) gm_group_close(w->group);
    gm_free(alloc, w->shown);
    gm_buf_finish(&w->text);
    gm_free(alloc, w);
}

static void add_number(gm_buf *out, bool first, double value)
{
    if (!first) gm_buf_byte(out, ',');
    gm_buf_json_number(out, value);
}

static void visit(void *context, gm_time_ns at, const double *mean, const double *covariance)
{
    work *w = context;
    char  time[GM_TIME_TEXT];
    if (w->points++ >= POINTS_MAX) return;
    gm_time_format(at, time);
    gm_buf_printf(&w->text, "%s[\"%s\",[", w->points > 1 ? "," : "", time);
    const gm_estimate_part *parts = gm_estimate_model_parts(w->past.model, &w->count);
    for (uint32_t i = 0; i < w->shown_count; i++) add_number(&w->text, i == 0, gm_estimate_part_outside(&parts[w->shown[i]], mean[w->shown[i]]));
    gm_buf_text(&w->text, "],[");
    for (uint32_t i = 0; i < w->shown_count; i++) {
        uint32_t k = w->shown[i];
        add_number(&w->text, i == 0, gm_estimate_part_outside_deviation(&parts[k], mean[k], sqrt(covariance[(size_t)k * w->count + k])));
    }
    gm_buf_text(&w->text, "]]");
}

static bool nobody_waits(void *context)
{
    const work *w = context;
    return gm_pool_cancelled(w->job);
}

static gm_status on_thread(void *context, uint32_t part, uint32_t thread, gm_pool_job *job, gm_error *err)
{
    work *w = context;
    (void)part, (void)thread;
    w->job       = job;
    gm_status st = gm_past_smooth(&w->past, w->options, nobody_waits, err);
    if (st == GM_OK && w->points > POINTS_MAX)
        return gm_fail(err, GM_LIMIT, "api.smooth", "%zu points, at most %d are given; ask for them less often ('every')", w->points, POINTS_MAX);
    if (st == GM_OK && w->text.failed) return gm_fail(err, GM_NOMEM, "api.smooth", "writing %zu points", w->points);
    return st;
}

static void refuse(gm_request *request, gm_status st, const gm_error *err)
{
    if (st == GM_INVALID || st == GM_LIMIT || st == GM_DIVERGED || st == GM_NOTFOUND)
        gm_reply_error(request, 400, st == GM_LIMIT ? "LimitExceeded" : "InvalidArgument", "%s.", err->text);
    else gm_reply_failure(request, st, err);
}

static void on_done(void *context, gm_status st, const gm_error *err)
{
    work       *w       = context;
    gm_request *request = w->request;
    if (!request->gone && st == GM_OK) {
        gm_buf_text(&w->text, "]}");
        gm_buf_str(&request->out, gm_buf_view(&w->text));
        gm_reply_json(request, 200);
    } else if (!request->gone) refuse(request, st, err);
    finish_work(w);
    gm_request_release(request);
}

// ---- what is asked for ----------------------------------------------------------------------------------------------

static bool read_time(gm_request *request, const char *name, gm_time_ns *out)
{
    gm_str text;
    if (!gm_request_parameter(request, name, &text)) return false;
    if (text.ptr == NULL || gm_time_parse(text, out, NULL) == GM_OK) return true;
    gm_reply_error(request, 400, "InvalidArgument", "'%s' is a time such as 2026-01-01T00:00:00Z.", name);
    return false;
}

static bool read_length(gm_request *request, const char *name, gm_dur_ns *out)
{
    gm_str text;
    if (!gm_request_parameter(request, name, &text)) return false;
    if (text.ptr == NULL || (gm_dur_parse(text, out, NULL) == GM_OK && *out > 0 && *out <= 366 * GM_DAY)) return true;
    gm_reply_error(request, 400, "InvalidArgument", "'%s' is a length of time such as 10m.", name);
    return false;
}

// {"name":...,"parts":[...],"points":[   and which parts these are.
static gm_status write_head(work *w, const gm_estimate_setup *setup, gm_error *err)
{
    uint32_t                count;
    const gm_estimate_part *parts = gm_estimate_model_parts(w->past.model, &count);
    w->shown                      = gm_alloc_array(w->request->api->options.alloc, count + (size_t)1, sizeof *w->shown);
    if (w->shown == NULL) return gm_fail(err, GM_NOMEM, "api.smooth", "%u parts", count);
    gm_buf_text(&w->text, "{\"name\":");
    gm_buf_json_str(&w->text, setup->name);
    gm_buf_text(&w->text, ",\"parts\":[");
    for (uint32_t i = 0; i < count; i++) {
        uint32_t member = parts[i].member != UINT32_MAX ? parts[i].member
                                                        : gm_group_member(w->group, gm_str_slice(parts[i].name, 0, gm_str_find_char(parts[i].name, '.')));
        gm_twin  twin   = gm_group_twin(w->group, member != UINT32_MAX ? member : 0);
        if (!gm_api_sees(w->request, twin)) continue;
        gm_buf_printf(&w->text, "%s{\"kind\":\"%s\",\"name\":", w->shown_count > 0 ? "," : "", gm_estimate_kind_text(parts[i].kind));
        gm_buf_json_str(&w->text, parts[i].name);
        gm_live_member(&w->text, "twin", gm_state_id(gm_api_state(w->request), twin));
        gm_live_member(&w->text, "unit", parts[i].unit);
        gm_buf_byte(&w->text, '}');
        w->shown[w->shown_count++] = i;
    }
    gm_buf_text(&w->text, "],\"points\":[");
    return GM_OK;
}

static gm_status prepare(work *w, const gm_estimate_setup *setup, gm_time_ns from, gm_time_ns to, gm_error *err)
{
    const gm_api_options *o    = &w->request->api->options;
    gm_twin               root = gm_state_find(gm_api_state(w->request), setup->root);
    if (!gm_twin_ok(root)) return gm_fail(err, GM_INVALID, "api.smooth", "there is no twin '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(setup->root, 0, 80)));
    gm_status st = gm_group_world_open(o->alloc, o->behaviors, gm_api_state(w->request), root, &w->group, err);
    if (st == GM_OK) st = gm_past_open(o->alloc, w->request->engine, w->group, setup, from, to, &w->past, err);
    if (st == GM_OK && w->past.stretch.count > SAMPLES_MAX)
        st = gm_fail(err, GM_LIMIT, "api.smooth", "%zu measurements, at most %d are looked at; take a shorter stretch, or 'gemel estimate --smooth'", w->past.stretch.count, SAMPLES_MAX);
    return st == GM_OK ? write_head(w, setup, err) : st;
}

void gm_route_estimates_smoothed(gm_request *request)
{
    const gm_api_options    *o     = &request->api->options;
    const gm_estimate_setup *setup = o->estimates != NULL && o->behaviors != NULL ? gm_estimates_setup(o->estimates, request->parameters[0]) : NULL;
    gm_time_ns from = GM_TIME_MIN, to = GM_TIME_MAX;
    gm_dur_ns  every = 60 * GM_SECOND, lag = GM_SMOOTH_ALL;
    gm_error   err = { 0 };
    if (!read_time(request, "from", &from) || !read_time(request, "to", &to) || !read_length(request, "every", &every) || !read_length(request, "lag", &lag)) return;
    if (setup == NULL || !gm_twin_ok(gm_api_find(request, setup->root))) {
        gm_reply_error(request, 404, "EstimateNotFound", "No entry of estimate/*.json is called '" GM_STR_FMT "'.", GM_STR_ARG(gm_str_slice(request->parameters[0], 0, 80)));
        return;
    }
    work *w = gm_alloc_zeroed(o->alloc, sizeof *w);
    if (w == NULL) {
        gm_reply_failure(request, GM_NOMEM, NULL);
        return;
    }
    w->request    = request;
    w->text       = gm_buf_init(o->alloc);
    w->text.limit = TEXT_MAX;
    w->options    = (gm_smooth_options){ .every = every, .lag = lag, .visit = visit, .context = w };
    gm_status st  = o->pool != NULL ? prepare(w, setup, from, to, &err) : gm_fail(&err, GM_INVALID, "api.smooth", "there are no worker threads");
    if (st == GM_OK) {
        gm_pool_task task = { .parts = 1, .run = on_thread, .done = on_done, .context = w };
        st = gm_request_submit(request, o->pool, &task, &err);
        if (st == GM_OK) return;
    }
    finish_work(w);
    refuse(request, st, &err);
}
