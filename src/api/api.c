#include "api/api.h"

#include "api/context.h"
#include "api/events/routing.h"
#include "api/routes.h"
#include "api/futures/forecasts.h"
#include "api/stream.h"
#include "link/ingest_lines.h"
#include "link/line_readers.h"
#include "api/held.h"
#include "api/marks/marks.h"
#include "api/thread/feed.h"
#include "api/transfer/jobs.h"

gm_api_limits gm_api_limits_defaults(void)
{
    return (gm_api_limits){
        .body_max         = 4 << 20,
        .twin_max         = 32 << 10,  // as the reference has it ("Azure Digital Twins service limits")
        .models_max       = 64 << 20,
        .bulk_max         = 64 << 20,
        .bodies_max       = 256 << 20,
        .connections_max  = 1000,
        .idle_s           = 120,
        .first_s          = 15,
        .streams_max      = 200,
        .stream_twins_max = 2000,
        .stream_interval  = 50 * GM_MILLISECOND,
    };
}

static void begin(gm_request *request)
{
    request->engine = request->api->options.engine;
    gm_router_begin(request);
}

static gm_status copy_name(gm_api *api, gm_str name, gm_error *err)
{
    char *copy = gm_alloc_bytes(api->options.alloc, name.len + 1);
    if (copy == NULL) return gm_fail(err, GM_NOMEM, "api", "starting the API");
    if (name.len > 0) memcpy(copy, name.ptr, name.len);
    copy[name.len] = '\0';
    api->plant     = (gm_str){ copy, name.len };
    return GM_OK;
}

gm_status gm_api_create(const gm_api_options *options, gm_api **out_api, gm_error *err)
{
    *out_api    = NULL;
    gm_api *api = gm_alloc_zeroed(options->alloc, sizeof *api);
    if (api == NULL) return gm_fail(err, GM_NOMEM, "api", "starting the API");
    api->options = *options;
    api->started = gm_monotonic(options->clock);
    gm_streams_options streams = { .alloc       = options->alloc,
                                   .clock       = options->clock,
                                   .loop        = options->loop,
                                   .engine      = options->engine,
                                   .streams_max = options->limits.streams_max,
                                   .twins_max   = options->limits.stream_twins_max,
                                   .interval    = options->limits.stream_interval };
    gm_status st = copy_name(api, options->plant, err);
    if (st == GM_OK) st = gm_streams_create(&streams, &api->streams, err);
    gm_routing_options routing = { .alloc = options->alloc, .clock = options->clock, .io = options->io,
                                   .loop = options->loop, .engine = options->engine, .control = options->control,
                                   .source = api->plant,
                                   .data_dir = options->data_dir, .endpoints = options->endpoints,
                                   .endpoint_count = options->endpoint_count, .publish = options->publish,
                                   .publish_context = options->publish_context };
    if (st == GM_OK) st = gm_routing_create(&routing, &api->routing, err);
    gm_jobs_options jobs = { .alloc = options->alloc, .clock = options->clock, .io = options->io, .loop = options->loop,
                             .engine = options->engine, .dir = options->io != NULL ? options->jobs_dir : NULL };
    if (st == GM_OK) st = gm_jobs_create(&jobs, &api->jobs, err);
    if (st == GM_OK) st = gm_indexes_create(options->alloc, options->engine, &api->indexes, err);
    if (st == GM_OK) st = gm_forecasts_create(options, &api->forecasts, err);
    if (st == GM_OK) st = gm_alarm_events_create(api, err);
    if (st == GM_OK) st = gm_life_create(options->alloc, options->io, options->data_dir, options->engine, &api->life, err);
    if (st == GM_OK) st = gm_marks_create(options->alloc, options->engine, options->control, &api->marks, err);
    if (st != GM_OK) {
        gm_api_destroy(api);
        return st;
    }
    gm_uploads_init(&api->uploads, options->alloc, options->engine);
    *out_api = api;
    return GM_OK;
}

static gm_status listen_at(gm_api *api, gm_str address, gm_tls *tls, gm_http **out_http, gm_error *err)
{
    const gm_api_limits *limits  = &api->options.limits;
    gm_http_options      options = { .alloc           = api->options.alloc,
                                     .loop            = api->options.loop,
                                     .address         = address,
                                     .tls             = tls,
                                     .connections_max = limits->connections_max,
                                     .idle_s          = limits->idle_s,
                                     .first_s         = limits->first_s,
                                     .bodies_max      = limits->bodies_max,
                                     .begin           = begin,
                                     .handle          = gm_router_handle,
                                     .context         = api };
    gm_streams_begin(api->streams);
    gm_status st = gm_routing_begin(api->routing, err);
    if (st != GM_OK) return st;
    st = gm_indexes_begin(api->indexes, api->options.indexes, api->options.index_count, err);
    if (st != GM_OK) return st;
    gm_jobs_begin(api->jobs);
    st = gm_feed_begin(api, err);
    if (st != GM_OK) return st;
    return gm_http_start(&options, out_http, err);
}

gm_status gm_api_listen(gm_api *api, gm_str address, gm_error *err)
{
    return listen_at(api, address, NULL, &api->http, err);
}

gm_status gm_api_listen_tls(gm_api *api, gm_str address, gm_tls *tls, gm_error *err)
{
    return listen_at(api, address, tls, &api->https, err);
}

uint16_t gm_api_port(const gm_api *api) { return api->http != NULL ? gm_http_port(api->http) : 0; }
uint16_t gm_api_tls_port(const gm_api *api) { return api->https != NULL ? gm_http_port(api->https) : 0; }

void gm_api_close(gm_api *api)
{
    gm_http_stop(api->http);
    gm_http_stop(api->https);
    api->http = api->https = NULL;
    gm_feed_end(api);
}

void gm_api_destroy(gm_api *api)
{
    if (api == NULL) return;
    gm_api_close(api);
    gm_held_end_all(api);
    gm_forecasts_destroy(api->forecasts);
    gm_alarm_events_destroy(api);
    gm_streams_destroy(api->streams);
    gm_routing_destroy(api->routing);
    gm_jobs_destroy(api->jobs);
    gm_indexes_destroy(api->indexes);
    gm_life_destroy(api->life);
    gm_marks_destroy(api->marks);
    gm_uploads_finish(&api->uploads);
    gm_line_readers_destroy(api->readers);
    gm_lines_destroy(api->lines);
    if (api->plant.ptr != NULL) gm_free(api->options.alloc, (void *)(uintptr_t)api->plant.ptr);
    gm_free(api->options.alloc, api);
}
