// A request as text ("PATCH /digitaltwins/p1?api-version=...", headers, an empty line, a body) against a real engine:
// every route must answer, whatever it is asked, and with JSON where it says so.
#include "api/api.h"
#include "api/context.h"
#include "api/request.h"

#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char       folder[64];
static gm_engine *engine;
static gm_api    *api;
static gm_io      io;

static gm_status no_sync(gm_file *file, gm_error *err)
{
    (void)file, (void)err;
    return GM_OK;  // nothing here has to survive a power cut
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

static void remove_folder(void) { nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS); }

static void check(gm_status st, const gm_error *err)
{
    if (st == GM_OK) return;
    fprintf(stderr, "%s\n", err->text);
    abort();
}

static void start(void)
{
    gm_error err = { 0 };
    gm_loop *loop;
    snprintf(folder, sizeof folder, "/tmp/gemel-fuzz-XXXXXX");
    if (mkdtemp(folder) == NULL) abort();
    atexit(remove_folder);
    io      = *gm_io_system();
    io.sync = no_sync;
    check(gm_loop_create(gm_alloc_system(), gm_clock_system(), &loop, &err), &err);
    gm_engine_options options = { .alloc    = gm_alloc_system(),
                                  .io       = &io,
                                  .clock    = gm_clock_system(),
                                  .loop     = loop,
                                  .data_dir = folder,
                                  .log      = gm_log_options_defaults() };
    check(gm_engine_open(&options, &engine, &err), &err);
    gm_api_options api_options = { .alloc  = gm_alloc_system(),
                                   .clock  = gm_clock_system(),
                                   .loop   = loop,
                                   .engine = engine,
                                   .limits = gm_api_limits_defaults() };
    check(gm_api_create(&api_options, &api, &err), &err);
    check(gm_engine_recover(engine, &err), &err);
}

static gm_str take_line(gm_str *rest)
{
    gm_str line = { 0 };
    if (rest->ptr == NULL || !gm_str_next(rest, '\n', &line)) return (gm_str){ 0 };
    if (line.len > 0 && line.ptr[line.len - 1] == '\r') line.len--;
    return line;
}

// Headers as libmicrohttpd hands them over: NUL behind every text.
static void read_headers(gm_request *request, gm_str *rest)
{
    for (;;) {
        gm_str line  = take_line(rest);
        size_t colon = gm_str_find_char(line, ':');
        if (line.len == 0 || colon == SIZE_MAX) return;
        if (request->header_count == GM_HEADERS_MAX || gm_str_find_char(line, '\0') != SIZE_MAX) continue;
        gm_header header = { gm_arena_str(request->arena, gm_str_slice(line, 0, colon)),
                             gm_arena_str(request->arena, gm_str_trim(gm_str_slice(line, colon + 1, line.len))) };
        if (header.name.ptr != NULL && header.value.ptr != NULL) request->headers[request->header_count++] = header;
    }
}

static void check_answer(const gm_request *request)
{
    if (request->state != GM_REQUEST_ANSWERED || request->status < 200 || request->status > 599) abort();
    for (size_t i = 0; i < request->reply_header_count; i++) {
        const gm_header *h = &request->reply_headers[i];
        for (size_t k = 0; k < h->value.len; k++) {
            if ((unsigned char)h->value.ptr[k] < 0x20) abort();  // a header could be smuggled in
        }
        if (!gm_str_is(h->name, "Content-Type") || !gm_str_starts(h->value, GM_STR("application/json")) ||
            request->fixed.ptr != NULL)
            continue;
        json_t *body = json_loadb((const char *)request->out.ptr, request->out.len, JSON_REJECT_DUPLICATES, NULL);
        if (body == NULL) {
            fprintf(stderr, "no JSON: %.*s\n", (int)request->out.len, (const char *)request->out.ptr);
            abort();
        }
        json_decref(body);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (engine == NULL) start();
    gm_str rest = { (const char *)data, size }, line = take_line(&rest), method;
    if (line.ptr == NULL || !gm_str_next(&line, ' ', &method) || line.ptr == NULL ||
        gm_str_find_char(line, '\0') != SIZE_MAX)
        return 0;
    gm_request *request = gm_request_create(gm_alloc_system(), line);
    if (request == NULL) return 0;
    request->method = gm_method_of(method);
    request->handle = gm_router_handle;
    request->api    = api;
    request->engine = engine;
    read_headers(request, &rest);
    if (request->state == GM_REQUEST_RECEIVING) gm_router_begin(request);
    if (request->state == GM_REQUEST_RECEIVING) {
        if (request->body.limit > 0 && rest.ptr != NULL) gm_buf_add(&request->body, rest.ptr, rest.len);
        request->state = GM_REQUEST_HANDLING;
        gm_router_handle(request);
    }
    gm_error err;
    while (request->state == GM_REQUEST_WAITING) {
        if (gm_engine_settle(engine, &err) != GM_OK) abort();
    }
    check_answer(request);
    if (request->source.read != NULL) {
        char text[4096];
        while (request->source.read(request->source.context, text, sizeof text) > 0) continue;
    }
    gm_request_destroy(request);
    return 0;
}
