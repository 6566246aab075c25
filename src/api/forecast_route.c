// GET /v1/forecasts: where a signal goes, by the method that was best on its own past. Samples are gathered here, the
// forecasters run in the worker pool.
#include "api/live.h"
#include "api/routes.h"
#include "base/number.h"
#include "base/pool.h"
#include "insight/forecast/forecast.h"
#include "insight/live/gather.h"

#include <math.h>
#include <stdlib.h>

enum {
    VALUES = 2000
}; // evenly spaced, that are looked back upon

static int by_time(const void *a, const void *b)
{
    gm_dur_ns x = *(const gm_dur_ns *)a, y = *(const gm_dur_ns *)b;
    return (x > y) - (x < y);
}

// The median distance of samples. 0: no memory, or fewer than two.
static gm_dur_ns usual_step(const gm_alloc *alloc, const gm_rows *rows)
{
    gm_dur_ns *steps = rows->count >= 2 ? gm_alloc_array(alloc, rows->count, sizeof *steps) : NULL;
    if (steps == NULL) return 0;
    for (size_t i = 1; i < rows->count; i++) steps[i - 1] = rows->times[i] - rows->times[i - 1];
    qsort(steps, rows->count - 1, sizeof *steps, by_time);
    gm_dur_ns step = steps[(rows->count - 1) / 2];
    gm_free(alloc, steps);
    return step;
}

// The values at last, last - step, ...: each the newest sample by then. Returns how many; y [VALUES] ends with the
// last.
static size_t even_out(const gm_rows *rows, gm_dur_ns step, double *y)
{
    gm_time_ns last = rows->times[rows->count - 1], span = last - rows->times[0];
    size_t     n = (size_t)(span / step) + 1, at = 0;
    if (n > VALUES) n = VALUES;
    for (size_t i = 0; i < n; i++) {
        gm_time_ns t = last - (gm_time_ns)(n - 1 - i) * step;
        while (at + 1 < rows->count && rows->times[at + 1] <= t) at++;
        y[i] = rows->values[at];
    }
    return n;
}

static void write_answer(gm_request *request, const gm_forecast *f, gm_time_ns last, gm_dur_ns step)
{
    gm_buf *out = &request->out;
    char    digits[GM_NUMBER_TEXT], time[GM_TIME_TEXT];
    gm_number_write((double)step / 1e9, digits);
    gm_buf_printf(out, "{\"method\":\"%s\",\"step\":%s,\"season\":%u", gm_forecast_method_text(f->method), digits,
                  f->season);
    gm_live_time(out, "from", last);
    gm_buf_text(out, ",\"errors\":{");
    for (int m = 0; m < GM_FORECAST_METHODS; m++) {
        gm_buf_printf(out, "%s\"%s\":", m > 0 ? "," : "", gm_forecast_method_text((gm_forecast_method)m));
        gm_buf_json_number(out, f->errors[m]);
    }
    gm_buf_text(out, "},\"coverage\":");
    gm_buf_json_number(out, f->coverage);
    gm_buf_text(out, ",\"points\":[");
    for (uint32_t h = 0; h < f->horizon; h++) {
        gm_time_format(last + (gm_time_ns)(h + 1) * step, time);
        gm_buf_printf(out, "%s[\"%s\",", h > 0 ? "," : "", time);
        gm_buf_json_number(out, f->mid[h]);
        gm_buf_byte(out, ',');
        gm_buf_json_number(out, f->low[h]);
        gm_buf_byte(out, ',');
        gm_buf_json_number(out, f->high[h]);
        gm_buf_byte(out, ']');
    }
    gm_buf_text(out, "]}");
    gm_reply_json(request, 200);
}

// One request on its way through the pool.
typedef struct work {
    gm_request  *request;
    double      *y;  // [VALUES]
    size_t       n;
    uint32_t     horizon;
    gm_time_ns   last;
    gm_dur_ns    step;
    gm_forecast  f;
} work;

static void finish_work(work *w)
{
    const gm_alloc *alloc = w->request->api->options.alloc;
    gm_forecast_finish(&w->f);
    gm_free(alloc, w->y);
    gm_free(alloc, w);
}

static gm_status make(work *w, gm_error *err)
{
    gm_forecast_series series = { .y = w->y, .n = w->n, .step_s = (double)w->step / 1e9 };
    series.first_s            = (double)w->last / 1e9 - (double)(w->n - 1) * series.step_s;
    return gm_forecast_make(w->request->api->options.alloc, &series, w->horizon, &w->f, err);
}

static gm_status on_thread(void *context, uint32_t part, uint32_t thread, gm_pool_job *job, gm_error *err)
{
    (void)part, (void)thread, (void)job;
    return make(context, err);
}

static void answer(work *w, gm_status st, const gm_error *err)
{
    if (st == GM_OK) write_answer(w->request, &w->f, w->last, w->step);
    else gm_reply_failure(w->request, st, err);
}

static void on_done(void *context, gm_status st, const gm_error *err)
{
    work       *w       = context;
    gm_request *request = w->request;
    if (!request->gone) answer(w, st, err);
    finish_work(w);
    gm_request_release(request);
}

// Hands over to the pool, or answers at once where there is none.
static gm_status submit(gm_request *request, const gm_rows *rows, gm_dur_ns step, uint32_t horizon, gm_error *err)
{
    const gm_alloc *alloc = request->api->options.alloc;
    gm_pool        *pool  = request->api->options.pool;
    if (step == 0) step = usual_step(alloc, rows);
    if (step == 0)
        return gm_fail(err, GM_INVALID, "api.forecast", "%zu samples; %d are the least", rows->count,
                       GM_FORECAST_LEAST);
    gm_time_ns last = rows->times[rows->count - 1];
    if (last > GM_TIME_MAX - (gm_time_ns)(horizon + 1) * step)
        return gm_fail(err, GM_INVALID, "api.forecast", "the horizon lies beyond the year 2200");
    work *w = gm_alloc_zeroed(alloc, sizeof *w);
    if (w != NULL) *w = (work){ .request = request, .y = gm_alloc_array(alloc, VALUES, sizeof *w->y), .horizon = horizon, .last = last, .step = step };
    if (w == NULL || w->y == NULL) {
        gm_free(alloc, w);
        return gm_fail(err, GM_NOMEM, "api.forecast", "%d values", VALUES);
    }
    w->n = even_out(rows, step, w->y);
    gm_pool_task task = { .parts = 1, .run = on_thread, .done = on_done, .context = w };
    if (pool != NULL) {
        gm_status st = gm_request_submit(request, pool, &task, err);
        if (st != GM_OK) finish_work(w);
        return st;
    }
    gm_status st = make(w, err);
    if (st == GM_OK) write_answer(request, &w->f, last, step);
    finish_work(w);
    return st;
}

void gm_route_forecasts(gm_request *request)
{
    gm_str    id, property, step_text;
    uint64_t  horizon;
    gm_dur_ns step = 0;
    gm_error  err  = { 0 };
    if (!gm_request_parameter(request, "twin", &id) || !gm_request_parameter(request, "property", &property) ||
        !gm_request_parameter(request, "step", &step_text) ||
        !gm_request_number(request, "horizon", 1, GM_FORECAST_HORIZON_MAX, 24, &horizon))
        return;
    if (id.len == 0 || property.len == 0) {
        gm_reply_error(request, 400, "MissingArgument", "Both 'twin' and 'property' are needed.");
        return;
    }
    if (step_text.ptr != NULL &&
        (gm_dur_parse(step_text, &step, &err) != GM_OK || step < GM_MILLISECOND || step > 366 * GM_DAY)) {
        gm_reply_error(request, 400, "InvalidArgument", "'step' is a length of time from 1ms to 366d, such as 5m.");
        return;
    }
    gm_twin twin = gm_api_find(request, id);
    if (!gm_twin_ok(twin)) {
        gm_api_no_twin(request, gm_str_slice(id, 0, 300));
        return;
    }
    const gm_type *type   = gm_state_type(gm_api_state(request), twin);
    uint32_t       column = gm_type_column_index(type, property);
    if (column == GM_NO_COLUMN ||
        (type->columns[column].kind != GM_KIND_DOUBLE && type->columns[column].kind != GM_KIND_INT)) {
        gm_reply_error(request, 404, "PropertyNotFound", "The twin has no numeric property '" GM_STR_FMT "'.",
                       GM_STR_ARG(gm_str_slice(property, 0, 100)));
        return;
    }
    gm_rows   rows;
    gm_status st = gm_rows_gather(request->engine, request->api->options.alloc, twin, &column, 1, GM_TIME_MAX,
                                  2 * VALUES, &rows, &err);
    if (st == GM_OK) st = submit(request, &rows, step, (uint32_t)horizon, &err);
    gm_rows_finish(&rows);
    if (st != GM_OK) gm_reply_failure(request, st, &err);
}
