// /v1/futures: what could be. Bodies and answers: docs/futures.md.
#include "api/futures/forecasts.h"
#include "api/routes.h"

#include "base/number.h"

#include <stdlib.h>

static gm_forecasts *forecasts_of(const gm_request *request) { return request->api->forecasts; }

static gm_forecast *named(gm_request *request)
{
    gm_forecast *f = gm_forecast_find(forecasts_of(request), request, request->parameters[0]);
    if (f == NULL)
        gm_reply_error(request, 404, "FuturesNotFound", "There are no futures '" GM_STR_FMT "'.",
                       GM_STR_ARG(gm_str_slice(request->parameters[0], 0, 64)));
    return f;
}

static void reply(gm_request *request, gm_forecast *f, bool whole, unsigned status)
{
    if (f->state == GM_FORECAST_FAILED && status == 200 && whole) {
        gm_reply_error(request, 500, "FuturesFailed", "%s.", f->err.text);
        return;
    }
    gm_forecast_write(f, whole, &request->out);
    gm_reply_json(request, status);
}

// The job has ended while the request waited for it.
static void answer(gm_request *request) { reply(request, request->note, true, 200); }

static bool is_small(const gm_forecast *f)
{
    const gm_futures_request *r = &f->request;
    double                    scenarios = r->scenario_count > 0 ? r->scenario_count : 1,
           steps = r->method == GM_FUTURES_FIXED || r->method == GM_FUTURES_EULER ? r->horizon_s / r->step_s : 1000;
    return steps * r->lanes * r->members * scenarios <= GM_FORECAST_SMALL;
}

static void wait_for(gm_request *request, gm_forecast *f)
{
    gm_forecast_waiter *w = GM_ARENA_NEW(f->arena, gm_forecast_waiter, 1);
    if (w == NULL) {
        gm_reply_failure(request, GM_NOMEM, NULL);
        return;
    }
    request->note = f;
    *w            = (gm_forecast_waiter){ gm_request_ask(request, answer), f->waiters };
    f->waiters    = w;
    gm_request_submitted(request, GM_OK, NULL);
}

void gm_route_futures_start(gm_request *request)
{
    json_t *body = gm_request_json(request);
    if (body == NULL) return;
    const json_t *wait = json_object_get(body, "wait");
    gm_forecast  *f    = gm_forecast_start(forecasts_of(request), request, body);
    if (f == NULL) return;
    if (wait != NULL ? json_is_true(wait) : is_small(f)) {
        wait_for(request, f);
        return;
    }
    gm_reply_header(request, "Location", "/v1/futures/%s", f->id);
    reply(request, f, false, 202);
}

void gm_route_futures_list(gm_request *request)
{
    bool first = true;
    gm_buf_text(&request->out, "{\"value\":[");
    for (gm_forecast *f = gm_forecasts_newest(forecasts_of(request)); f != NULL; f = f->next) {
        if (f->dropped || !gm_forecast_seen(f, request)) continue;
        if (!first) gm_buf_byte(&request->out, ',');
        first = false;
        gm_forecast_write(f, false, &request->out);
    }
    gm_buf_text(&request->out, "]}");
    gm_reply_json(request, 200);
}

void gm_route_futures_get(gm_request *request)
{
    gm_forecast *f = gm_forecast_find(forecasts_of(request), request, request->parameters[0]);
    if (f != NULL) {
        reply(request, f, true, 200);
        return;
    }
    json_t *document = gm_forecast_document(forecasts_of(request), request, request->parameters[0]);  // a saved one
    if (document == NULL) return;
    char *text = json_dumps(document, JSON_COMPACT);
    json_decref(document);
    if (text == NULL) {
        gm_reply_failure(request, GM_NOMEM, NULL);
        return;
    }
    gm_buf_text(&request->out, text);
    free(text);
    gm_reply_json(request, 200);
}

void gm_route_futures_delete(gm_request *request)
{
    gm_forecasts *all = forecasts_of(request);
    gm_str        id  = request->parameters[0];
    gm_error      err = { 0 };
    gm_forecast  *f   = gm_forecast_find(all, request, id);
    gm_status     st  = GM_OK;
    if (f == NULL) {  // a saved one, if any, and its root must be seen
        json_t *document = gm_forecast_document(all, request, id);
        if (document == NULL) return;
        json_decref(document);
    }
    if (f == NULL || (f->state != GM_FORECAST_RUNNING && f->saved)) st = gm_forecast_unsave(all, id, &err);
    if (f != NULL) gm_forecast_drop(f);
    if (st == GM_OK || st == GM_NOTFOUND) gm_reply_empty(request, 204);
    else gm_reply_failure(request, st, &err);
}

void gm_route_futures_stream(gm_request *request)
{
    gm_forecast *f = named(request);
    if (f != NULL) gm_forecast_stream_open(f, request);
}

void gm_route_futures_verify(gm_request *request)
{
    json_t *document = gm_forecast_document(forecasts_of(request), request, request->parameters[0]);
    if (document == NULL) return;
    if (gm_forecast_verify(forecasts_of(request), request, document, &request->out)) gm_reply_json(request, 200);
    json_decref(document);
}

// ---- one lane again -------------------------------------------------------------------------------------------------

typedef struct lane_job {
    const gm_alloc *alloc;
    gm_forecast    *forecast;
    gm_arena       *arena;
    gm_ask          ask;
    uint32_t        scenario, lane, points, output_count;
    gm_watched     *outputs;
    double         *time_s, *values;
    gm_buf          text;
    gm_status       status;
    gm_error        err;
} lane_job;

static gm_status run_lane(void *context, uint32_t part, uint32_t thread, gm_pool_job *self, gm_error *err)
{
    lane_job *job = context;
    (void)part;
    (void)thread;
    (void)self;
    return gm_futures_lane(job->alloc, &job->forecast->request, job->scenario, job->lane, job->outputs,
                           job->output_count, job->time_s, job->values, &job->points, err);
}

static void put_row(gm_buf *out, const double *x, uint32_t n)
{
    char text[GM_NUMBER_TEXT];
    for (uint32_t i = 0; i < n; i++) {
        gm_buf_byte(out, i == 0 ? '[' : ',');
        gm_buf_add(out, text, gm_number_write(x[i], text));
    }
    gm_buf_byte(out, ']');
}

static void answer_lane(gm_request *request)
{
    lane_job *job = request->note;
    if (job->status != GM_OK) {
        gm_reply_failure(request, job->status, &job->err);
        return;
    }
    gm_buf_printf(&request->out, "{\"id\":\"%s\",\"scenario\":%u,\"lane\":%u,\"time\":", job->forecast->id,
                  job->scenario, job->lane);
    put_row(&request->out, job->time_s, job->points);
    gm_buf_text(&request->out, ",\"outputs\":{");
    for (uint32_t o = 0; o < job->output_count; o++) {
        if (o > 0) gm_buf_byte(&request->out, ',');
        gm_buf_json_str(&request->out, job->outputs[o].name);
        gm_buf_byte(&request->out, ':');
        put_row(&request->out, job->values + (size_t)o * job->points, job->points);
    }
    gm_buf_text(&request->out, "}}");
    gm_reply_json(request, 200);
}

static void lane_done(void *context, gm_status status, const gm_error *err)
{
    lane_job *job = context;
    job->status   = status;
    if (err != NULL) job->err = *err;
    if (job->ask.call != NULL)
        job->ask.call(job->ask.context, job->ask.token, GM_OK, NULL); // answer_lane, when somebody waits
    gm_forecast_release(job->forecast);
    gm_arena_destroy(job->arena);
}

// The outputs that are asked for, else those of the request.
static bool lane_outputs(gm_request *request, lane_job *job)
{
    gm_futures_world world = gm_group_world_of(&job->forecast->world);
    size_t           at    = 0;
    gm_str           name;
    gm_error         err   = { 0 };
    job->outputs = GM_ARENA_NEW(job->arena, gm_watched, GM_FUTURES_OUTPUTS_MAX);
    while (job->outputs != NULL) {
        if (!gm_request_next_parameter(request, "output", &at, &name)) return false;
        if (name.ptr == NULL) break;
        gm_str    kept = gm_arena_str(job->arena, name);
        gm_status st   = job->output_count == GM_FUTURES_OUTPUTS_MAX
                             ? gm_fail(&err, GM_LIMIT, "api.futures", "more than %d outputs", GM_FUTURES_OUTPUTS_MAX)
                             : gm_watched_read(kept, &world, &job->outputs[job->output_count++], &err);
        if (st == GM_OK) continue;
        gm_reply_error(request, 400, "FuturesInvalid", "%s.", err.text);
        return false;
    }
    if (job->output_count == 0) {
        job->outputs      = (gm_watched *)(uintptr_t)job->forecast->request.outputs;
        job->output_count = job->forecast->request.output_count;
    }
    return true;
}

void gm_route_futures_lane(gm_request *request)
{
    gm_forecast *f = named(request);
    if (f == NULL) return;
    const gm_api_options *o = gm_forecasts_options(f->all);
    gm_str    lane = request->parameters[1];
    int64_t   number = -1;
    uint64_t  scenario;
    uint32_t  lanes = f->request.lanes * f->request.members;
    gm_error  err = { 0 };
    if (!gm_request_number(request, "scenario", 0, GM_FUTURES_SCENARIO_MAX, 0, &scenario)) return;
    if (gm_number_read_int(lane, &number) != lane.len || number < 0 || number >= lanes) {
        gm_reply_error(request, 404, "LaneNotFound", "There are lanes 0 to %u.", lanes - 1);
        return;
    }
    gm_arena *arena = gm_arena_create(o->alloc, 0);
    lane_job *job   = arena != NULL ? GM_ARENA_NEW(arena, lane_job, 1) : NULL;
    if (job == NULL) {
        gm_arena_destroy(arena);
        gm_reply_failure(request, GM_NOMEM, NULL);
        return;
    }
    *job = (lane_job) {
        .alloc = o->alloc, .forecast = f, .arena = arena, .scenario = (uint32_t)scenario, .lane = (uint32_t)number
    };
    bool asked = lane_outputs(request, job);
    gm_status st    = !asked ? GM_INVALID
                             : gm_futures_lane(o->alloc, &f->request, job->scenario, job->lane, NULL, 0, NULL, NULL,
                                               &job->points, &err);
    if (st == GM_OK) {
        job->time_s = GM_ARENA_NEW(arena, double, job->points);
        job->values = GM_ARENA_NEW(arena, double, (size_t)job->points * job->output_count + 1);
        if (job->time_s == NULL || job->values == NULL)
            st = gm_fail(&err, GM_NOMEM, "api.futures", "a lane of %u points", job->points);
    }
    gm_pool_task task = { .parts = 1, .run = run_lane, .done = lane_done, .context = job };
    gm_pool_id   id;
    if (st == GM_OK) st = gm_pool_submit(o->pool, &task, &id, &err);
    if (st != GM_OK) {
        gm_arena_destroy(arena);
        if (asked && st == GM_INVALID) gm_reply_error(request, 404, "LaneNotFound", "%s.", err.text);
        else if (asked) gm_reply_failure(request, st, &err);
        return;
    }
    f->busy++;
    request->note = job;
    job->ask      = gm_request_ask(request, answer_lane);
    gm_request_submitted(request, GM_OK, NULL);
}
