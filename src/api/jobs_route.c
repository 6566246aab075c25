// Import and deletion jobs (api-version 2023-10-31), and a plant as one file in one request.
#include "api/documents.h"
#include "api/held.h"
#include "api/paging.h"
#include "api/routes.h"
#include "api/transfer/export.h"
#include "api/transfer/import.h"
#include "api/transfer/jobs.h"

#include <stdio.h>

enum { PAGE_MAX = 1000, PAGE = 100 };

static gm_str body_text(const json_t *body, const char *name)
{
    const json_t *value = json_object_get(body, name);
    return (gm_str){ json_string_value(value), json_string_length(value) };
}

static void no_job(gm_request *request, gm_job_kind kind)
{
    gm_reply_error(request, 404, kind == GM_JOB_IMPORT ? "ImportJobNotFound" : "DeletionJobNotFound",
                   "There is no job with the id " GM_STR_FMT ".",
                   GM_STR_ARG(gm_str_slice(request->parameters[0], 0, 200)));
}

static const json_t *find_job(gm_request *request, gm_job_kind kind)
{
    const json_t *job = gm_jobs_find(request->api->jobs, kind, request->parameters[0]);
    if (job == NULL) no_job(request, kind);
    return job;
}

static void reply_job(gm_request *request, gm_job_kind kind, unsigned status, gm_str id)
{
    const json_t *job = gm_jobs_find(request->api->jobs, kind, id);
    if (job == NULL) {
        gm_reply_failure(request, GM_CONFLICT, NULL);
        return;
    }
    gm_jobs_write(job, &request->out);
    gm_reply_json(request, status);
}

static void list(gm_request *request, gm_job_kind kind, gm_str name)
{
    const gm_jobs *jobs = request->api->jobs;
    uint64_t       at;
    uint32_t       size;
    if (!gm_request_page_size(request, PAGE_MAX, PAGE, &size) || !gm_page_position(request, name, &at)) return;
    size_t count = gm_jobs_count(jobs, kind);
    gm_buf_text(&request->out, "{\"value\":[");
    for (uint32_t n = 0; n < size && at < count; n++, at++) {
        if (n > 0) gm_buf_byte(&request->out, ',');
        gm_jobs_write(gm_jobs_at(jobs, kind, (size_t)at), &request->out);
    }
    gm_buf_byte(&request->out, ']');
    if (at < count) gm_page_next(request, name, at);
    gm_buf_byte(&request->out, '}');
    gm_reply_json(request, 200);
}

static bool room_for_job(gm_request *request)
{
    const gm_jobs *jobs = request->api->jobs;
    if (gm_jobs_count(jobs, GM_JOB_IMPORT) + gm_jobs_count(jobs, GM_JOB_DELETION) < GM_JOBS_MAX) return true;
    gm_reply_error(request, 400, "JobLimitReached",
                   "There are %d jobs, as many as are remembered; delete some that are over.", GM_JOBS_MAX);
    return false;
}

// ---- imports --------------------------------------------------------------------------------------------------------

void gm_route_import_jobs_list(gm_request *request) { list(request, GM_JOB_IMPORT, GM_STR("imports")); }

void gm_route_import_job_get(gm_request *request)
{
    if (find_job(request, GM_JOB_IMPORT) != NULL) reply_job(request, GM_JOB_IMPORT, 200, request->parameters[0]);
}

static void after_import_put(gm_request *request) { reply_job(request, GM_JOB_IMPORT, 201, request->parameters[0]); }

static bool url_fits(gm_request *request, const char *name, gm_str url)
{
    gm_buf    path = gm_buf_init(request->alloc);
    gm_error  err  = { 0 };
    gm_status st   = url.len == 0 ? gm_fail(&err, GM_INVALID, "api.jobs", "it is missing")
                                  : gm_jobs_path(request->api->jobs, url, &path, &err);
    gm_buf_finish(&path);
    if (st != GM_OK) gm_reply_error(request, 400, "ValidationFailed", "%s: %s.", name, err.text);
    return st == GM_OK;
}

void gm_route_import_job_put(gm_request *request)
{
    json_t *body = gm_request_json(request);
    gm_str  id   = request->parameters[0];
    if (body == NULL || !gm_api_id_fits(request, id)) return;
    gm_str input = body_text(body, "inputBlobUri"), output = body_text(body, "outputBlobUri");
    if (!url_fits(request, "inputBlobUri", input) || !url_fits(request, "outputBlobUri", output)) return;
    if (gm_str_eq(input, output)) {
        gm_reply_error(request, 400, "ValidationFailed", "The output would overwrite the input.");
        return;
    }
    if (gm_jobs_find(request->api->jobs, GM_JOB_IMPORT, id) != NULL) {
        gm_reply_error(request, 400, "ValidationFailed", "There is an import job with the id " GM_STR_FMT ".",
                       GM_STR_ARG(id));
        return;
    }
    if (!room_for_job(request)) return;
    gm_error err = { 0 };
    gm_ask   ask = gm_request_ask(request, after_import_put);
    gm_request_submitted(request, gm_jobs_submit_new(request->api->jobs, GM_JOB_IMPORT, id, input, output, ask, &err),
                         &err);
}

static void after_removal(gm_request *request) { gm_reply_empty(request, 204); }

void gm_route_import_job_delete(gm_request *request)
{
    const json_t *job = find_job(request, GM_JOB_IMPORT);
    if (job == NULL) return;
    if (!gm_jobs_over(job)) {
        gm_reply_error(request, 400, "ValidationFailed", "The job is not over; cancel it first.");
        return;
    }
    gm_error err = { 0 };
    gm_ask   ask = gm_request_ask(request, after_removal);
    gm_request_submitted(
        request, gm_jobs_submit_remove(request->api->jobs, GM_JOB_IMPORT, request->parameters[0], ask, &err), &err);
}

static void after_cancel(gm_request *request) { reply_job(request, GM_JOB_IMPORT, 200, request->parameters[0]); }

void gm_route_import_job_cancel(gm_request *request)
{
    const json_t *job = find_job(request, GM_JOB_IMPORT);
    if (job == NULL) return;
    if (gm_jobs_over(job)) {
        gm_reply_error(request, 400, "ValidationFailed", "The job is over.");
        return;
    }
    gm_error err = { 0 };
    gm_ask   ask = gm_request_ask(request, after_cancel);
    gm_request_submitted(request, gm_jobs_submit_cancel(request->api->jobs, request->parameters[0], ask, &err), &err);
}

// ---- deletions ------------------------------------------------------------------------------------------------------

void gm_route_deletion_jobs_list(gm_request *request) { list(request, GM_JOB_DELETION, GM_STR("deletions")); }

void gm_route_deletion_job_get(gm_request *request)
{
    if (find_job(request, GM_JOB_DELETION) != NULL) reply_job(request, GM_JOB_DELETION, 200, request->parameters[0]);
}

static void after_deletion_post(gm_request *request)
{
    gm_str *id = request->note;
    gm_reply_header(request, "Operation-Location", "/jobs/deletions/" GM_STR_FMT, GM_STR_ARG(*id));
    reply_job(request, GM_JOB_DELETION, 202, *id);
}

void gm_route_deletion_job_post(gm_request *request)
{
    gm_jobs *jobs   = request->api->jobs;
    gm_str   wanted = gm_request_header(request, "operation-id");
    gm_str  *id     = GM_ARENA_NEW(request->arena, gm_str, 1);
    if (wanted.len > 0 && !gm_api_id_fits(request, wanted)) return;
    // Nobody names it: then by the moment, which no other job has.
    if (id != NULL && wanted.len > 0) *id = gm_arena_str(request->arena, wanted);
    else if (id != NULL)
        *id = gm_arena_printf(request->arena, "deletion-%llx", (unsigned long long)gm_api_now(request));
    if (id == NULL || id->ptr == NULL) {
        gm_reply_failure(request, GM_NOMEM, NULL);
        return;
    }
    for (size_t i = 0; i < id->len; i++) {
        unsigned char c = (unsigned char)id->ptr[i];
        if (c > ' ' && c < 0x7f && c != '/' && c != '%' && c != '?' && c != '#') continue;
        gm_reply_error(request, 400, "ValidationFailed",
                       "An operation-id consists of characters that need no encoding in a path.");
        return;
    }
    if (gm_jobs_find(jobs, GM_JOB_DELETION, *id) != NULL) {
        gm_reply_error(request, 400, "ValidationFailed", "There is a deletion job with the id " GM_STR_FMT ".",
                       GM_STR_ARG(*id));
        return;
    }
    if (!room_for_job(request)) return;
    request->note = id;
    gm_error err  = { 0 };
    gm_str   none = { 0 };
    gm_ask   ask  = gm_request_ask(request, after_deletion_post);
    gm_request_submitted(request, gm_jobs_submit_new(jobs, GM_JOB_DELETION, *id, none, none, ask, &err), &err);
}

// ---- a plant as one file --------------------------------------------------------------------------------------------

typedef struct exporting { const gm_alloc *alloc; gm_export *export; gm_buf out; size_t sent; } exporting;

static int64_t read_export(void *context, char *to, size_t max)
{
    exporting *e = context;
    if (e->sent == e->out.len) {
        gm_buf_clear(&e->out);
        e->sent = 0;
        if (!gm_export_next(e->export, &e->out) || e->out.failed) return -1;
    }
    size_t n = e->out.len - e->sent < max ? e->out.len - e->sent : max;
    memcpy(to, e->out.ptr + e->sent, n);
    e->sent += n;
    return (int64_t)n;
}

static void end_export(void *context)
{
    exporting *e = context;
    gm_export_close(e->export);
    gm_buf_finish(&e->out);
    gm_free(e->alloc, e);
}

void gm_route_export(gm_request *request)
{
    gm_str format;
    if (!gm_request_parameter(request, "format", &format)) return;
    bool graph = gm_str_is(format, "graph");
    if (format.ptr != NULL && !graph && !gm_str_is(format, "ndjson")) {
        gm_reply_error(request, 400, "InvalidArgument", "format is ndjson or graph.");
        return;
    }
    const char *mime = graph ? "application/json" : "application/x-ndjson";
    if (request->method == GM_METHOD_HEAD) {
        gm_reply_text(request, 200, mime);
        return;
    }
    exporting *e = gm_alloc_zeroed(request->alloc, sizeof *e);
    if (e != NULL)
        e->export = gm_export_open(request->alloc, request->engine, graph ? GM_EXPORT_GRAPH : GM_EXPORT_LINES);
    if (e == NULL || e->export == NULL) {
        gm_free(request->alloc, e);
        gm_reply_failure(request, GM_NOMEM, NULL);
        return;
    }
    e->alloc = request->alloc;
    e->out   = gm_buf_init(request->alloc);
    gm_reply_source(request, mime, (gm_source){ read_export, end_export, e });
}

// An import in one request: its body is the file. In slices, so that others have their turn.
enum { REFUSALS_TOLD = 100 };

typedef struct importing {
    gm_held     held;
    gm_request *request;
    gm_import  *import;
    size_t      offset;    // in the body
    gm_buf      refusals;
    size_t      told;
} importing;

static gm_status read_body(void *context, char *to, size_t max, size_t *out_n, gm_error *err)
{
    (void)err;
    importing *i    = context;
    gm_str     body = gm_buf_view(&i->request->body);
    *out_n          = body.len - i->offset < max ? body.len - i->offset : max;
    if (*out_n > 0) memcpy(to, body.ptr + i->offset, *out_n);
    i->offset += *out_n;
    return GM_OK;
}

static void on_refused(void *context, const char *section, uint64_t number, gm_str id, const char *code,
                       const char *why)
{
    importing *i = context;
    if (i->told++ >= REFUSALS_TOLD) return;
    gm_buf_printf(&i->refusals, "%s{\"section\":\"%s\",\"line\":%llu,\"id\":", i->told > 1 ? "," : "", section,
                  (unsigned long long)number);
    gm_buf_json_str(&i->refusals, id);
    gm_buf_printf(&i->refusals, ",\"code\":\"%s\",\"message\":", code);
    gm_buf_json_str(&i->refusals, gm_str_of(why));
    gm_buf_byte(&i->refusals, '}');
}

static void reply_import(importing *i, gm_import_flow flow)
{
    gm_request      *request = i->request;
    gm_import_counts count   = gm_import_count(i->import);
    if (flow == GM_IMPORT_FAILED && gm_import_error(i->import)->status != GM_INVALID) {
        gm_error err = *gm_import_error(i->import);
        gm_reply_failure(request, err.status, &err);
        return;
    }
    gm_buf_printf(&request->out, "{\"models\":%llu,\"twins\":%llu,\"relationships\":%llu,\"refused\":%llu,\"error\":",
                  (unsigned long long)count.models, (unsigned long long)count.twins,
                  (unsigned long long)count.relationships, (unsigned long long)count.refused);
    if (flow == GM_IMPORT_FAILED) gm_buf_json_str(&request->out, gm_str_of(gm_import_error(i->import)->text));
    else gm_buf_text(&request->out, "null");
    gm_buf_text(&request->out, ",\"refusals\":[");
    gm_buf_str(&request->out, gm_buf_view(&i->refusals));
    gm_buf_text(&request->out, "]}");
    gm_reply_json(request, 200);
}

static bool import_on(void *context, gm_dur_ns *pause)
{
    importing     *i    = context;
    gm_import_flow flow = gm_import_step(i->import, GM_MILLISECOND);
    if (flow == GM_IMPORT_WAITS) *pause = GM_MILLISECOND;
    if (flow == GM_IMPORT_GOES_ON || flow == GM_IMPORT_WAITS) return true;
    reply_import(i, flow);
    return false;
}

static void end_import(void *context)
{
    importing *i = context;
    gm_import_close(i->import);
    gm_buf_finish(&i->refusals);
}

void gm_route_import(gm_request *request)
{
    importing *i   = GM_ARENA_NEW(request->arena, importing, 1);
    gm_error   err = { 0 };
    if (i == NULL) {
        gm_reply_failure(request, GM_NOMEM, NULL);
        return;
    }
    *i = (importing){ .request = request, .refusals = gm_buf_init(request->alloc) };
    gm_import_options options = { .alloc   = request->alloc,
                                  .clock   = request->api->options.clock,
                                  .engine  = request->engine,
                                  .source  = { read_body, i },
                                  .refused = on_refused,
                                  .context = i };
    gm_status st = gm_import_open(&options, &i->import, &err);
    if (st == GM_OK) st = gm_held_begin(&i->held, request, import_on, end_import, i, &err);
    if (st == GM_OK) {
        gm_request_audit(request);
        return;
    }
    gm_import_close(i->import);
    gm_reply_failure(request, st, &err);
}
