#include "api/router.h"

#include "api/context.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static const char *const api_versions[] = { "2020-10-31", "2022-05-31", "2023-06-30", "2023-10-31" };

// Does the route's pattern fit the path? A slash at the end of the path does not matter.
static bool fits(const gm_route *route, gm_request *request)
{
    gm_str rest = gm_str_of(route->pattern), part;
    size_t n = request->segment_count, i = 0, taken = 0;
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
        return;
    }
    bool any;
    reply_allowed(request, &any);
    if (!any) {
        gm_reply_error(request, 404, "NotFound", "There is nothing at " GM_STR_FMT ".",
                       GM_STR_ARG(gm_str_slice(request->path, 0, 200)));
    }
}

// A page of another origin must not change anything here through the browser of someone who may: browsers say where a
// page comes from, and only they do.
static bool comes_from_elsewhere(const gm_request *request)
{
    gm_str origin = gm_request_header(request, "origin");
    if (origin.ptr == NULL) return false;
    gm_str host   = gm_request_header(request, "host");
    size_t scheme = gm_str_find(origin, GM_STR("://"));
    return scheme == SIZE_MAX || !gm_str_eq(gm_str_slice(origin, scheme + 3, origin.len), host);
}

// The one place where access is decided: who asks (request->principal), and may they do what the route does? Tokens and
// scopes are checked here once they are configured; until then an admitted address may do everything.
static bool admit(gm_request *request)
{
    request->principal = (gm_principal){ .name = GM_STR("anyone"), .right = GM_RIGHT_ADMIN };
    if (request->route->right > GM_RIGHT_READ && comes_from_elsewhere(request)) {
        gm_reply_error(request, 403, "CrossOriginRefused", "A page of another origin may not change anything here.");
        return false;
    }
    if (request->principal.right < request->route->right) {
        gm_reply_error(request, 403, "AuthorizationFailed", "'" GM_STR_FMT "' may not do this.",
                       GM_STR_ARG(request->principal.name));
        return false;
    }
    return true;
}

static bool version_fits(gm_request *request)
{
    gm_str version;
    if (!request->route->adt) return true;
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
    case GM_BODY_JSON: request->body.limit = limits->body_max; break;
    case GM_BODY_MODELS: request->body.limit = limits->models_max; break;
    }
    gm_str length = gm_request_header(request, "content-length");
    if (length.len > 19 || (length.ptr != NULL && strtoull(length.ptr, NULL, 10) > request->body.limit)) {
        gm_reply_error(request, 413, "PayloadTooLarge", "The body has more than the %zu bytes that are admitted here.",
                       request->body.limit);
        return false;
    }
    gm_str type = gm_request_header(request, "content-type");
    if (is_json(type)) return true;
    // Without this a page of another origin could send a body without asking first (see comes_from_elsewhere).
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

void gm_router_handle(gm_request *request) { request->route->call(request); }
