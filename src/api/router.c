#include "api/router.h"

#include "api/aas/aas.h"
#include "api/context.h"
#include "api/routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static const char *const api_versions[] = { "2020-10-31", "2022-05-31", "2023-06-30", "2023-10-31" };

// Clients of the Asset Administration Shell API find it at "/shells" or below a base of its version: "/api/v3.0/shells".
static size_t aas_base(const gm_request *request)
{
    static const char *const versions[] = { "v3", "v3.0", "v3.1" };
    if (request->segment_count < 3 || !gm_str_is(request->segments[0], "api")) return 0;
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        if (gm_str_is(request->segments[1], versions[i])) return 2;
    }
    return 0;
}

// Does the route's pattern fit the path? A slash at the end of the path does not matter.
static bool fits(const gm_route *route, gm_request *request)
{
    gm_str rest = gm_str_of(route->pattern), part;
    size_t n = request->segment_count, i = route->family == GM_FAMILY_AAS ? aas_base(request) : 0, taken = 0;
    if (n > 1 && request->segments[n - 1].len == 0) n--;
    rest = gm_str_slice(rest, 1, rest.len);
    while (gm_str_next(&rest, '/', &part)) {
        if (gm_str_is(part, "*")) return true;
        if (i == n) return false;
        if (part.len > 0 && part.ptr[0] == '{') {
            if (request->segments[i].len == 0) return false;
            request->parameters[taken++] = request->segments[i];
        } else if (!gm_str_eq(part, request->segments[i])) {
            return false;
        }
        i++;
    }
    return i == n;
}

static bool method_fits(gm_method asked, gm_method offered)
{
    return asked == offered || (asked == GM_METHOD_HEAD && offered == GM_METHOD_GET);
}

// The routes that fit the path with any method, for the Allow header.
static void reply_allowed(gm_request *request, bool *out_any)
{
    char   text[80] = "OPTIONS";
    size_t len      = strlen(text);
    *out_any        = false;
    for (size_t i = 0; i < gm_route_count; i++) {
        // The console answers any address, but only to be looked at: it makes no address known for other methods.
        bool console = strcmp(gm_routes[i].pattern, "/*") == 0 && request->method != GM_METHOD_OPTIONS;
        if (console || !fits(&gm_routes[i], request)) continue;
        *out_any            = true;
        if (gm_routes[i].family == GM_FAMILY_AAS) request->write_error = gm_aas_write_error;
        const char *name    = gm_method_name(gm_routes[i].method);
        const char *further = gm_routes[i].method == GM_METHOD_GET ? ", GET, HEAD" : "";
        int         n       = further[0] != '\0' ? snprintf(text + len, sizeof text - len, "%s", further)
                                                 : snprintf(text + len, sizeof text - len, ", %s", name);
        if (n > 0 && len + (size_t)n < sizeof text) len += (size_t)n;
    }
    if (!*out_any) return;
    if (request->method == GM_METHOD_OPTIONS) {
        gm_reply_header(request, "Allow", "%s", text);
        gm_reply_empty(request, 204);
        return;
    }
    gm_reply_error(request, 405, "MethodNotAllowed", "This resource does not know the method. It knows: %s.", text);
    gm_reply_header(request, "Allow", "%s", text);
}

static void find_route(gm_request *request)
{
    for (size_t i = 0; i < gm_route_count; i++) {
        if (!method_fits(request->method, gm_routes[i].method) || !fits(&gm_routes[i], request)) continue;
        request->route = &gm_routes[i];
        if (request->route->family == GM_FAMILY_AAS) request->write_error = gm_aas_write_error;
        return;
    }
    bool any;
    reply_allowed(request, &any);
    if (!any) {
        gm_reply_error(request, 404, "NotFound", "There is nothing at " GM_STR_FMT ".",
                       GM_STR_ARG(gm_str_slice(request->path, 0, 200)));
    }
}

// A page of another origin must not change anything here through the browser of someone who may.
bool gm_router_is_foreign(const gm_request *request)
{
    gm_str origin = gm_request_header(request, "origin");
    if (origin.ptr == NULL) return false;
    gm_str host   = gm_request_header(request, "host");
    size_t scheme = gm_str_find(origin, GM_STR("://"));
    return scheme == SIZE_MAX || !gm_str_eq(gm_str_slice(origin, scheme + 3, origin.len), host);
}

// ---- access: decided here and nowhere else ------------------------------------------------------------------------

static bool ask_for_token(gm_request *request, const char *why)
{
    gm_reply_error(request, 401, "AuthenticationFailed", "%s", why);
    gm_reply_header(request, "WWW-Authenticate", "Bearer realm=\"gemel\"");
    return false;
}

gm_str gm_router_token(gm_str header)
{
    static const char *const schemes[] = { "Bearer ", "Token " };  // the second is what InfluxDB's clients write
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t n = strlen(schemes[i]);
        if (header.len > n && strncasecmp(header.ptr, schemes[i], n) == 0) return gm_str_trim(gm_str_slice(header, n, header.len));
    }
    return (gm_str){ 0 };
}

// Finds out who asks. False: answered.
static bool identify(gm_request *request, gm_right needed)
{
    gm_access *access = request->api->options.access;
    gm_str     header = gm_request_header(request, "authorization");
    gm_error   err    = { 0 };
    if (!gm_access_required(access)) return true;
    if (needed == GM_RIGHT_NONE) return true;
    if (header.ptr == NULL) return ask_for_token(request, "A token is needed: the header Authorization: Bearer TOKEN.");
    gm_str token = gm_router_token(header);
    if (token.ptr == NULL) return ask_for_token(request, "The header Authorization does not hold a bearer token.");
    gm_status st = gm_access_enter(access, token, &request->principal, &err);
    if (st == GM_INVALID) return ask_for_token(request, err.text);
    if (st != GM_OK) {
        gm_reply_failure(request, st, &err);
        return false;
    }
    gm_dur_ns wait = gm_principal_take(request->principal);
    if (wait == 0) return true;
    gm_reply_error(request, 429, "TooManyRequests", "More requests per second than are granted; try again later.");
    gm_reply_header(request, "Retry-After", "%lld", (long long)((wait + GM_SECOND - 1) / GM_SECOND));
    return false;
}

// Who asks (request->principal), and may he do what the route does? Which twins he may is decided when the request is
// whole (within_reach), since the world goes on meanwhile.
static bool admit(gm_request *request)
{
    const gm_route *route  = request->route;
    bool            open   = route->call == gm_route_metrics && request->api->options.open_metrics;
    gm_right        needed = open ? GM_RIGHT_NONE : route->right;
    if (route->right > GM_RIGHT_READ && gm_router_is_foreign(request)) {
        gm_reply_error(request, 403, "CrossOriginRefused", "A page of another origin may not change anything here.");
        return false;
    }
    if (!identify(request, needed)) return false;
    if (gm_principal_right(request->principal) >= needed) return true;
    gm_reply_error(request, 403, "AuthorizationFailed", "'" GM_STR_FMT "' may not do this: it takes the role %s.",
                   GM_STR_ARG(gm_principal_name(request->principal)), gm_right_role(needed));
    return false;
}

static bool refuse_reach(gm_request *request, const char *what)
{
    gm_reply_error(request, 403, "AuthorizationFailed", "'" GM_STR_FMT "' %s", GM_STR_ARG(gm_principal_name(request->principal)), what);
    return false;
}

// Is what the route is about inside the fence of who asks? False: answered. A twin that lies outside and one that does
// not exist get the same answer.
static bool within_reach(gm_request *request)
{
    if (!gm_principal_scoped(request->principal)) return true;
    switch (request->route->reach) {
    case GM_REACH_NOTHING:
    case GM_REACH_MODELS:
    case GM_REACH_FENCED: return true;
    case GM_REACH_TWIN:
        if (gm_twin_ok(gm_api_find(request, request->parameters[0]))) return true;
        if (request->method == GM_METHOD_PUT)
            return refuse_reach(request, "is kept to some twins and may not create or replace others.");
        gm_api_no_twin(request, request->parameters[0]);
        return false;
    case GM_REACH_UNDECLARED:
    case GM_REACH_PLANT: break;
    }
    return refuse_reach(request, "is kept to some twins; this is about the whole plant.");
}

static bool version_fits(gm_request *request)
{
    gm_str version;
    if (request->route->family != GM_FAMILY_ADT) return true;
    if (!gm_request_parameter(request, "api-version", &version)) return false;
    if (version.ptr == NULL || version.len == 0) {
        gm_reply_error(request, 400, "MissingApiVersionParameter",
                       "The api-version query parameter (?api-version=) is required for all requests.");
        return false;
    }
    for (size_t i = 0; i < sizeof api_versions / sizeof api_versions[0]; i++) {
        if (gm_str_is(version, api_versions[i])) return true;
    }
    gm_reply_error(request, 400, "UnsupportedApiVersionValue",
                   "Unsupported api-version '" GM_STR_FMT
                   "'. The supported api-versions are '2020-10-31, 2022-05-31, 2023-06-30, 2023-10-31'.",
                   GM_STR_ARG(gm_str_slice(version, 0, 100)));
    return false;
}

static bool is_json(gm_str type)
{
    type = gm_str_trim(gm_str_slice(type, 0, gm_str_find_char(type, ';')));
    if (type.len == 16 && strncasecmp(type.ptr, "application/json", 16) == 0) return true;
    return type.len > 17 && strncasecmp(type.ptr, "application/", 12) == 0 &&
           strncasecmp(type.ptr + type.len - 5, "+json", 5) == 0;
}

static bool body_fits(gm_request *request)
{
    const gm_api_limits *limits = &request->api->options.limits;
    switch (request->route->body) {
    case GM_BODY_NONE: return true;  // what comes nevertheless is ignored
    case GM_BODY_PERHAPS:
    case GM_BODY_JSON: request->body.limit = limits->body_max; break;
    case GM_BODY_TWIN:
        request->body.limit = limits->twin_max < limits->body_max ? limits->twin_max : limits->body_max;
        break;
    case GM_BODY_MODELS: request->body.limit = limits->models_max; break;
    case GM_BODY_BULK: request->body.limit = limits->bulk_max; break;
    }
    gm_str length = gm_request_header(request, "content-length");
    uint64_t bytes = length.ptr != NULL && length.len <= 19 ? strtoull(length.ptr, NULL, 10) : 0;
    if (length.len > 19 || bytes > request->body.limit) {
        gm_reply_error(request, 413, "PayloadTooLarge", "The body has more than the %zu bytes that are admitted here.",
                       request->body.limit);
        return false;
    }
    // Room at once for what is not too much to believe: growing copies, and touches fresh memory each time.
    (void)gm_buf_reserve(&request->body, bytes < GM_REQUEST_KEEP_BODY ? (size_t)bytes : GM_REQUEST_KEEP_BODY);
    if (request->route->body == GM_BODY_BULK) return true;
    gm_str type = gm_request_header(request, "content-type");
    if (request->route->body == GM_BODY_PERHAPS && type.ptr == NULL && (length.len == 0 || gm_str_is(length, "0")) && gm_request_header(request, "transfer-encoding").ptr == NULL) {
        request->body.limit = 0;  // nothing comes, and what did nevertheless would be ignored
        return true;
    }
    bool lines = request->route->body == GM_BODY_MODELS && gm_str_is(type, "application/x-ndjson");
    if (lines || is_json(type)) return true;
    // Without this a page of another origin could send a body without asking first (see gm_router_is_foreign).
    gm_reply_error(request, 415, "UnsupportedMediaType",
                   "The body must be JSON, and the header Content-Type must say so: application/json.");
    return false;
}

void gm_router_begin(gm_request *request)
{
    find_route(request);
    if (request->route == NULL) return;
    if (!admit(request) || !version_fits(request)) return;
    (void)body_fits(request);
}

void gm_router_handle(gm_request *request)
{
    if (!gm_principal_valid(request->principal)) {
        (void)ask_for_token(request, "The token has expired or was revoked.");
        return;
    }
    if (within_reach(request)) request->route->call(request);
}
