// Event routes, the endpoints that they lead to, and the events of an endpoint that is read from here.
#include "api/events/routing.h"
#include "api/paging.h"
#include "api/routes.h"
#include "base/utf8.h"

enum { PAGE_MAX = 1000, PAGE = 100, ROUTE_ID_MAX = 49 };

static void not_found(gm_request *request)
{
    gm_reply_error(request, 404, "EventRouteNotFound",
                   "There is no route available that matches the provided id " GM_STR_FMT ".",
                   GM_STR_ARG(request->parameters[0]));
}

static void write_route(gm_event_route route, gm_buf *out)
{
    gm_buf_text(out, "{\"id\":");
    gm_buf_json_str(out, route.id);
    gm_buf_text(out, ",\"endpointName\":");
    gm_buf_json_str(out, route.endpoint);
    gm_buf_text(out, ",\"filter\":");
    gm_buf_json_str(out, route.filter);
    gm_buf_byte(out, '}');
}

void gm_route_event_routes_list(gm_request *request)
{
    const gm_routing *routing = request->api->routing;
    uint64_t          at;
    uint32_t          size;
    if (!gm_request_page_size(request, PAGE_MAX, PAGE, &size)) return;
    if (!gm_page_position(request, GM_STR("eventroutes"), &at)) return;
    gm_buf_text(&request->out, "{\"value\":[");
    size_t count = gm_routing_count(routing);
    for (uint32_t n = 0; n < size && at < count; n++, at++) {
        if (n > 0) gm_buf_byte(&request->out, ',');
        write_route(gm_routing_at(routing, (size_t)at), &request->out);
    }
    gm_buf_byte(&request->out, ']');
    if (at < count) gm_page_next(request, GM_STR("eventroutes"), at);
    gm_buf_byte(&request->out, '}');
    gm_reply_json(request, 200);
}

void gm_route_event_route_get(gm_request *request)
{
    gm_event_route route;
    if (!gm_routing_find(request->api->routing, request->parameters[0], &route)) {
        not_found(request);
        return;
    }
    write_route(route, &request->out);
    gm_reply_json(request, 200);
}

static void after_change(gm_request *request) { gm_reply_empty(request, 204); }

static void submit(gm_request *request, gm_change_kind kind, gm_str endpoint, gm_str filter)
{
    gm_error err = { 0 };
    gm_ask   ask = gm_request_ask(request, after_change);
    gm_request_submitted(request, gm_engine_submit(request->engine, kind, 0, request->parameters[0], endpoint, filter, ask, &err),
                         &err);
}

void gm_route_event_route_delete(gm_request *request)
{
    gm_event_route route;
    if (gm_routing_find(request->api->routing, request->parameters[0], &route)) {
        submit(request, GM_CHANGE_EVENT_ROUTE_DELETE, (gm_str){ 0 }, (gm_str){ 0 });
    } else {
        not_found(request);
    }
}

static bool id_fits(gm_request *request)
{
    gm_str id   = request->parameters[0];
    bool   fine = id.len > 0 && gm_utf8_count(id) <= ROUTE_ID_MAX;
    for (size_t i = 0; i < id.len; i++) fine = fine && (unsigned char)id.ptr[i] >= 0x20 && id.ptr[i] != 0x7f;
    if (!fine) {
        gm_reply_error(request, 400, "EventRouteIdInvalid",
                       "The id of a route has 1 to %d characters, none of them a control character.", ROUTE_ID_MAX);
    }
    return fine;
}

static gm_str text_member(const json_t *body, const char *name)
{
    const json_t *value = json_object_get(body, name);
    return (gm_str){ json_string_value(value), json_string_length(value) };
}

static bool filter_fits(gm_request *request, gm_str text)
{
    gm_route_filter *filter = NULL;
    gm_error         err    = { 0 };
    gm_status        st     = gm_route_filter_parse(request->alloc, text, &filter, &err);
    gm_route_filter_destroy(filter);
    if (st == GM_NOMEM) gm_reply_failure(request, st, &err);
    else if (st != GM_OK) gm_reply_error(request, 400, "EventRouteFilterInvalid", "The filter is invalid: %s.", err.text);
    return st == GM_OK;
}

void gm_route_event_route_put(gm_request *request)
{
    const gm_routing *routing = request->api->routing;
    gm_event_route    present;
    json_t           *body = gm_request_json(request);
    if (body == NULL || !id_fits(request)) return;
    gm_str endpoint = text_member(body, "endpointName"), filter = text_member(body, "filter");
    if (endpoint.ptr == NULL || filter.ptr == NULL) {
        gm_reply_error(request, 400, "ValidationFailed", "A route has two members: endpointName and filter, both texts.");
        return;
    }
    if (gm_routing_endpoint(routing, endpoint) == SIZE_MAX) {
        gm_reply_error(request, 400, "EventRouteEndpointInvalid",
                       "The endpoint provided does not exist or is not active. gemel.conf declares endpoints: [endpoint NAME].");
        return;
    }
    if (!filter_fits(request, filter)) return;
    if (gm_routing_count(routing) >= GM_EVENT_ROUTES_MAX && !gm_routing_find(routing, request->parameters[0], &present)) {
        gm_reply_error(request, 400, "LimitExceeded", "There are %d routes, as many as there may be.", GM_EVENT_ROUTES_MAX);
        return;
    }
    submit(request, GM_CHANGE_EVENT_ROUTE_PUT, endpoint, filter);
}

// ---- endpoints ------------------------------------------------------------------------------------------------------

void gm_route_endpoints(gm_request *request)
{
    const gm_routing *routing = request->api->routing;
    gm_buf           *out     = &request->out;
    gm_buf_text(out, "{\"value\":[");
    for (size_t i = 0; i < gm_routing_endpoint_count(routing); i++) {
        const gm_endpoint_options *endpoint = gm_routing_endpoint_at(routing, i);
        gm_endpoint_stats          stats    = gm_routing_statistics(routing, i);
        gm_buf_text(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        gm_buf_json_str(out, endpoint->name);
        gm_buf_printf(out, ",\"kind\":\"%s\",\"accepted\":%llu,\"delivered\":%llu,\"waiting\":%llu,\"attemptsFailed\":%llu",
                      gm_endpoint_kind_name(endpoint->kind), (unsigned long long)stats.accepted,
                      (unsigned long long)stats.delivered, (unsigned long long)stats.waiting,
                      (unsigned long long)stats.attempts_failed);
        gm_buf_printf(out, ",\"deadLetters\":%llu,\"cursor\":%llu,\"lastError\":", (unsigned long long)stats.dead,
                      (unsigned long long)stats.cursor);
        if (stats.last_error[0] != '\0') gm_buf_json_str(out, gm_str_of(stats.last_error));
        else gm_buf_text(out, "null");
        gm_buf_byte(out, '}');
    }
    gm_buf_text(out, "]}");
    gm_reply_json(request, 200);
}

void gm_route_events(gm_request *request)
{
    const gm_routing *routing  = request->api->routing;
    size_t            endpoint = gm_routing_endpoint(routing, request->parameters[0]);
    gm_event_stream  *stream   = endpoint != SIZE_MAX ? gm_routing_stream(routing, endpoint) : NULL;
    if (stream == NULL) {
        gm_reply_error(request, 404, "EndpointNotFound", "There is no endpoint of kind sse with the name " GM_STR_FMT ".",
                       GM_STR_ARG(request->parameters[0]));
    } else if (request->method == GM_METHOD_HEAD) {
        gm_reply_text(request, 200, "text/event-stream");
    } else {
        gm_event_stream_open(stream, request);
    }
}
