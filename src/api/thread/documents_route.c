// Documents of a twin: stored by their hash, named by a fact.
#include "api/routes.h"
#include "api/thread/life.h"
#include "base/pool.h"
#include "thread/media.h"

static const char WHERE[] = "api.documents";

gm_status gm_life_check_document(gm_life *life, const gm_api_limits *limits, const gm_fact *fact, gm_error *err)
{
    uint8_t  *bytes = NULL;
    size_t    size  = 0;
    gm_status st    = life->documents.io != NULL ? GM_OK : gm_fail(err, GM_INVALID, WHERE, "this server keeps no documents");
    if (st == GM_OK) st = gm_documents_read(&life->documents, fact->value.text, limits->bulk_max, &bytes, &size, err);
    if (st == GM_NOTFOUND) return gm_fail(err, GM_INVALID, WHERE, "there is no document of that hash; upload it first");
    if (st != GM_OK) return st;
    st = gm_media_check(fact->value.media, bytes, size, err);
    if (st == GM_OK && fact->value.number != 0 && fact->value.number != (double)size) st = gm_fail(err, GM_INVALID, WHERE, "the document has %zu bytes", size);
    gm_free(life->documents.io->alloc, bytes);
    return st;
}

// ---- upload: the bytes become durable in the pool, then the fact that names them ---------------------------------------

typedef struct uploading {
    gm_request  *request;
    gm_documents documents;
    uint64_t     number;
    gm_fact      fact;
    char         hash[GM_HASH_TEXT + 1];
    bool         changed;  // ?changed=true: known already, nothing is added
} uploading;

static void after_fact(gm_request *request)
{
    const uploading *u = request->note;
    gm_buf_printf(&request->out, "{\"hash\":\"%s\",\"size\":%zu}", u->hash, request->body.len);
    gm_reply_json(request, 201);
}

static gm_status store(void *context, uint32_t part, uint32_t thread, gm_pool_job *job, gm_error *err)
{
    uploading *u = context;
    (void)part, (void)thread, (void)job;
    gm_documents_hash(u->request->body.ptr, u->request->body.len, u->hash);
    return gm_documents_write(&u->documents, u->number, u->request->body.ptr, u->request->body.len, u->hash, err);
}

static void name_it(gm_request *request)
{
    uploading *u    = request->note;
    gm_error   err  = { 0 };
    u->fact.value.text = gm_str_of(u->hash);
    if (u->changed && gm_thread_knows(gm_life_thread(request), &u->fact)) {
        gm_buf_printf(&request->out, "{\"hash\":\"%s\",\"size\":%zu,\"known\":true}", u->hash, request->body.len);
        gm_reply_json(request, 200);
        return;
    }
    gm_ask    ask   = gm_request_ask(request, after_fact);
    gm_status st    = gm_life_add(request->api->life, &u->fact, 1, ask, &err);
    gm_request_submitted(request, st, &err);
}

static void stored(void *context, gm_status st, const gm_error *err)
{
    uploading  *u       = context;
    gm_request *request = u->request;
    if (!request->gone && request->api != NULL) {
        if (st == GM_OK) name_it(request);
        else gm_reply_failure(request, st, err);
    }
    gm_request_release(request);
}

static bool read_upload(gm_request *request, uploading *u)
{
    gm_phase phase = GM_PHASE_DESIGNED;
    gm_str   key, name, cause, changed, author = gm_principal_name(request->principal);
    gm_error err   = { 0 };
    gm_str   media = gm_request_header(request, "content-type");
    *u = (uploading){ .request = request, .documents = request->api->life->documents };
    if (!gm_life_read_phase(request, "phase", &phase) || !gm_request_parameter(request, "key", &key) || !gm_request_parameter(request, "name", &name) ||
        !gm_request_parameter(request, "cause", &cause) || !gm_request_parameter(request, "changed", &changed) || !gm_request_time(request, "from", gm_api_now(request), &u->fact.from) ||
        !gm_request_time(request, "to", INT64_MAX, &u->fact.to)) return false;
    u->fact.twin   = gm_arena_str(request->arena, request->parameters[0]);
    u->fact.key    = gm_arena_str(request->arena, key);
    u->fact.author = author;
    u->fact.cause  = gm_arena_str(request->arena, cause);
    u->fact.phase  = phase;
    u->changed     = gm_str_is(changed, "true");
    u->fact.value  = (gm_fact_value){ .kind = GM_FACT_DOCUMENT, .number = (double)request->body.len, .media = media, .name = gm_arena_str(request->arena, name),
                                      .text = GM_STR("0000000000000000000000000000000000000000000000000000000000000000") };
    gm_status st = gm_fact_check(&u->fact, &err);
    if (st == GM_OK) st = gm_media_check(media, request->body.ptr, request->body.len, &err);
    if (st != GM_OK) gm_reply_failure(request, st, &err);
    return st == GM_OK;
}

void gm_route_document_add(gm_request *request)
{
    gm_life   *life = request->api->life;
    gm_error   err  = { 0 };
    uploading *u    = gm_arena_zeroed(request->arena, 1, sizeof *u);
    if (u == NULL || life->documents.io == NULL) {
        if (u == NULL) gm_reply_failure(request, GM_NOMEM, NULL);
        else gm_reply_error(request, 404, "NotFound", "This server keeps no documents.");
        return;
    }
    if (!gm_life_sees(request, request->parameters[0])) {
        gm_api_no_twin(request, request->parameters[0]);
        return;
    }
    if (!read_upload(request, u)) return;
    u->number     = ++life->uploads;
    request->note = u;
    gm_pool_task task = { .parts = 1, .run = store, .done = stored, .context = u };
    gm_pool_id   id;
    gm_request_hold(request);
    gm_status st = request->api->options.pool != NULL ? gm_pool_submit(request->api->options.pool, &task, &id, &err) : GM_NOTFOUND;
    if (st == GM_OK) return;
    if (st == GM_NOTFOUND) st = store(u, 0, 0, NULL, &err);  // no pool: here and now
    stored(u, st, &err);
}

// ---- download ---------------------------------------------------------------------------------------------------------

typedef struct wanted { gm_str hash; gm_request *request; gm_str media, name; bool found; } wanted;

static bool is_wanted(void *context, const gm_fact *fact)
{
    wanted *w = context;
    if (fact->value.kind != GM_FACT_DOCUMENT || !gm_str_eq(fact->value.text, w->hash)) return true;
    w->found = true;
    w->media = gm_arena_str(w->request->arena, fact->value.media);
    w->name  = gm_arena_str(w->request->arena, fact->value.name);
    return true;  // the one said last names it
}

// A name for the header: what could end the quotes or the line is left out.
static gm_str safe_name(gm_request *request, gm_str name)
{
    gm_buf out = gm_buf_init(request->alloc);
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        gm_buf_byte(&out, c < 0x20 || c >= 0x7f || c == '"' || c == '\\' || c == '/' ? '_' : c);
    }
    gm_str kept = gm_arena_str(request->arena, gm_buf_view(&out));
    gm_buf_finish(&out);
    return kept.len > 0 ? kept : GM_STR("document");
}

// A media type that may stand in a header, as a C string.
static const char *safe_media(gm_request *request, gm_str media)
{
    for (size_t i = 0; i < media.len; i++) {
        unsigned char c = (unsigned char)media.ptr[i];
        if (c < 0x20 || c >= 0x7f) return "application/octet-stream";
    }
    gm_str kept = gm_arena_str(request->arena, media);
    return kept.len > 0 ? kept.ptr : "application/octet-stream";
}

void gm_route_document_get(gm_request *request)
{
    gm_str    id;
    gm_life  *life = request->api->life;
    gm_error  err  = { 0 };
    uint8_t  *bytes;
    size_t    size;
    wanted    w = { .hash = request->parameters[1], .request = request };
    if (!gm_life_id(request, &id)) return;
    gm_thread_history(life->thread, id, (gm_str){ 0 }, INT64_MAX, is_wanted, &w);  // of this twin: others' are others' to show
    if (!w.found || life->documents.io == NULL) {
        gm_reply_error(request, 404, "DocumentNotFound", "'" GM_STR_FMT "' has no such document.", GM_STR_ARG(gm_str_slice(id, 0, 200)));
        return;
    }
    gm_status st = gm_documents_read(&life->documents, w.hash, request->api->options.limits.bulk_max, &bytes, &size, &err);
    if (st != GM_OK) {
        gm_reply_failure(request, st, &err);
        return;
    }
    gm_buf_add(&request->out, bytes, size);
    gm_free(life->documents.io->alloc, bytes);
    gm_str name = safe_name(request, w.name);
    // Never shown in place: a document is not a page of this server.
    gm_reply_header(request, "Content-Disposition", "attachment; filename=\"" GM_STR_FMT "\"", GM_STR_ARG(name));
    gm_reply_header(request, "ETag", "\"" GM_STR_FMT "\"", GM_STR_ARG(w.hash));
    gm_reply_header(request, "X-Content-Type-Options", "nosniff");
    gm_reply_text(request, 200, safe_media(request, w.media));
}
