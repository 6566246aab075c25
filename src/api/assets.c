// The console's files, and the description of the API. All are bytes of the program.
#include "api/condition.h"
#include "api/openapi.h"
#include "api/routes.h"

static const char policy[] =
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; "
    "connect-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

void gm_route_openapi(gm_request *request)
{
    gm_reply_fixed(request, 200, GM_STR("application/json; charset=utf-8"), gm_openapi());
}

static const gm_asset *find_asset(const gm_api *api, gm_str name)
{
    for (size_t i = 0; i < api->options.asset_count; i++) {
        if (gm_str_is(name, api->options.assets[i].name)) return &api->options.assets[i];
    }
    return NULL;
}

// Does the list name the coding, and not with a weight of zero?
static bool accepts_gzip(gm_str header)
{
    gm_str item;
    while (header.ptr != NULL && gm_str_next(&header, ',', &item)) {
        item          = gm_str_trim(item);
        size_t weight = gm_str_find_char(item, ';');
        gm_str coding = gm_str_trim(gm_str_slice(item, 0, weight));
        if (!gm_str_is(coding, "gzip") && !gm_str_is(coding, "*")) continue;
        gm_str q = weight != SIZE_MAX ? gm_str_trim(gm_str_slice(item, weight + 1, item.len)) : GM_STR("");
        return !gm_str_is(q, "q=0") && !gm_str_starts(q, GM_STR("q=0.0"));
    }
    return false;
}

static void reply_asset(gm_request *request, const gm_asset *asset)
{
    // Files with a hash in their names never change; the page that names them must always be asked for.
    bool   fixed = gm_str_starts(gm_str_of(asset->name), GM_STR("assets/"));
    gm_str bytes = { (const char *)asset->bytes, asset->size };
    gm_reply_header(request, "ETag", "%s", asset->etag);
    gm_reply_header(request, "Cache-Control", fixed ? "public, max-age=31536000, immutable" : "no-cache");
    gm_reply_header(request, "Vary", "Accept-Encoding");
    gm_reply_header(request, "Content-Security-Policy", "%s", policy);
    gm_reply_header(request, "X-Content-Type-Options", "nosniff");
    gm_reply_header(request, "Referrer-Policy", "no-referrer");
    if (gm_etag_listed(gm_request_header(request, "if-none-match"), asset->etag)) {
        gm_reply_empty(request, 304);
        return;
    }
    if (asset->gzip != NULL && accepts_gzip(gm_request_header(request, "accept-encoding"))) {
        gm_reply_header(request, "Content-Encoding", "gzip");
        bytes = (gm_str){ (const char *)asset->gzip, asset->gzip_size };
    }
    gm_reply_fixed(request, 200, gm_str_of(asset->mime), bytes);
}

// "/digitaltwins/a/nonsense" is a wrong address of the API, not a page of the console.
static bool belongs_to_api(const gm_request *request)
{
    for (size_t i = 0; i < gm_route_count; i++) {
        gm_str rest = gm_str_of(gm_routes[i].pattern), first;
        rest        = gm_str_slice(rest, 1, rest.len);
        if (gm_str_next(&rest, '/', &first) && !gm_str_is(first, "*") && gm_str_eq(first, request->segments[0]))
            return true;
    }
    return false;
}

void gm_route_asset(gm_request *request)
{
    gm_str          name  = gm_str_slice(request->path, 1, request->path.len);
    const gm_asset *asset = find_asset(request->api, name);
    gm_str          last  = request->segments[request->segment_count - 1];
    // The console has addresses of its own ("/twins/pump7"): all are its one page. A file that is missing is missing.
    bool page = !belongs_to_api(request) && gm_str_find_char(last, '.') == SIZE_MAX;
    if (asset == NULL && page) asset = find_asset(request->api, GM_STR("index.html"));
    if (asset != NULL) {
        reply_asset(request, asset);
    } else if (request->path.len <= 1) {
        gm_buf_text(&request->out,
                    "gemel is running. This build has no console; the API is described at /v1/openapi.json.\n");
        gm_reply_text(request, 200, "text/plain; charset=utf-8");
    } else {
        gm_reply_error(request, 404, "NotFound", "There is nothing at " GM_STR_FMT ".",
                       GM_STR_ARG(gm_str_slice(request->path, 0, 200)));
    }
}
