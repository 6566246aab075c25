#include "api/aas/change.h"

#include "api/thread/life.h"
#include "base/pool.h"

static const char WHERE[] = "api.aas";

gm_aas_change *gm_aas_change_begin(gm_request *request)
{
    gm_aas_change *c = GM_ARENA_NEW(request->arena, gm_aas_change, 1);
    if (c == NULL) {
        gm_reply_failure(request, GM_NOMEM, NULL);
        return NULL;
    }
    c->request    = request;
    c->twin       = (gm_twin){ GM_NONE };
    c->cell_flags = GM_WRITE_PROPERTIES | GM_WRITE_ALWAYS;
    return c;
}

void gm_aas_change_fail(gm_aas_change *c, gm_status st, const gm_error *err)
{
    if (c->st != GM_OK || st == GM_OK) return;
    c->st = st;
    if (err != NULL) c->err = *err;
    else (void)!gm_fail(&c->err, st, WHERE, "out of memory");
}

bool gm_aas_must_wait(gm_request *request, gm_str thing)
{
    const gm_engine *e = request->engine;
    const gm_str     none = GM_STR("");
    // Its properties may change meanwhile: what a client leaves as it is, is not written.
    bool busy = gm_engine_in_flight(e, GM_IN_FLIGHT_FACTS | GM_IN_FLIGHT_TWIN | GM_IN_FLIGHT_RELATIONSHIPS, thing) ||
                gm_engine_in_flight(e, GM_IN_FLIGHT_FACTS | GM_IN_FLIGHT_TWIN, none);
    if (busy) gm_request_retry(request);
    return busy;
}

// ---- facts --------------------------------------------------------------------------------------------------------------

static gm_fact *room_for_fact(gm_aas_change *c)
{
    if (c->fact_count == c->fact_capacity) {
        size_t   more  = c->fact_capacity > 0 ? 2 * c->fact_capacity : 8;
        gm_fact *facts = GM_ARENA_NEW(c->request->arena, gm_fact, more);
        if (facts == NULL) return NULL;
        if (c->fact_count > 0) memcpy(facts, c->facts, c->fact_count * sizeof *facts);
        c->facts         = facts;
        c->fact_capacity = more;
    }
    return &c->facts[c->fact_count];
}

static bool copy(gm_arena *arena, gm_str *text)
{
    if (text->len == 0) return true;
    *text = gm_arena_str(arena, *text);
    return text->ptr != NULL;
}

void gm_aas_say(gm_aas_change *c, const gm_fact *fact)
{
    gm_arena *arena = c->request->arena;
    gm_fact  *f     = room_for_fact(c);
    gm_error  err;
    if (c->fact_count == GM_AAS_FACTS_MOST) {
        gm_aas_change_fail(c, gm_fail(&err, GM_INVALID, WHERE, "more than %d facts at a time", GM_AAS_FACTS_MOST), &err);
        return;
    }
    if (f == NULL) {
        gm_aas_change_fail(c, GM_NOMEM, NULL);
        return;
    }
    *f        = *fact;
    f->author = gm_principal_name(c->request->principal);
    f->known  = 0;
    if (f->cause.len == 0) f->cause = GM_STR("set through the Asset Administration Shell");
    if (f->from == 0) f->from = gm_api_now(c->request);
    if (f->to == 0) f->to = INT64_MAX;
    gm_fact_value *v = &f->value;
    bool memory = copy(arena, &f->twin) && copy(arena, &f->key) && copy(arena, &f->author) && copy(arena, &f->cause) && copy(arena, &v->text) && copy(arena, &v->unit) &&
                  copy(arena, &v->media) && copy(arena, &v->name) && copy(arena, &v->position) && copy(arena, &v->more);
    if (memory) c->fact_count++;
    else gm_aas_change_fail(c, GM_NOMEM, NULL);
}

void gm_aas_take_back(gm_aas_change *c, gm_str thread, gm_phase phase, gm_str key)
{
    gm_aas_say(c, &(gm_fact){ .twin = thread, .phase = phase, .key = key, .value = { .kind = GM_FACT_NONE } });
}

// What the request remembers between two runs: the documents that are durable by now. Bytes of the body, which stays where it is, are
// known again by their place, and a text that is made anew each time by its hash.
typedef struct stored_document { struct stored_document *before; const char *bytes; char hash[GM_HASH_TEXT + 1]; } stored_document;

static const stored_document *stored_bytes(const gm_request *request, const char *bytes)
{
    const stored_document *d = request->note;
    while (d != NULL && d->bytes != bytes) d = d->before;
    return d;
}

static bool stored_hash(const gm_request *request, const char *hash)
{
    const stored_document *d = request->note;
    while (d != NULL && strcmp(d->hash, hash) != 0) d = d->before;
    return d != NULL;
}

static void say_document(gm_aas_change *c, gm_fact *f, gm_str bytes, const char *hash)
{
    f->value.kind   = GM_FACT_DOCUMENT;
    f->value.number = (double)bytes.len;
    f->value.text   = gm_str_of(hash);
    gm_aas_say(c, f);
}

static void say_text(gm_aas_change *c, gm_fact *f, gm_str text)
{
    char hash[GM_HASH_TEXT + 1];
    gm_documents_hash((const uint8_t *)text.ptr, text.len, hash);
    if (c->document.len == 0 && !stored_hash(c->request, hash)) {  // one at a time: for the next the request comes back
        c->document = gm_arena_str(c->request->arena, text);
        if (c->document.ptr == NULL) gm_aas_change_fail(c, GM_NOMEM, NULL);
    }
    say_document(c, f, text, hash);
}

void gm_aas_say_file(gm_aas_change *c, gm_str thread, gm_str key, gm_str media, gm_str name, gm_str bytes)
{
    gm_fact                f     = { .twin = thread, .phase = GM_PHASE_DESIGNED, .key = key, .value = { .media = media, .name = name } };
    const stored_document *there = stored_bytes(c->request, bytes.ptr);
    if (there == NULL && c->document.len == 0) c->document = bytes;
    say_document(c, &f, bytes, there != NULL ? there->hash : "0000000000000000000000000000000000000000000000000000000000000000");
}

void gm_aas_say_json(gm_aas_change *c, gm_str thread, const char *key, const json_t *value)
{
    gm_buf  text = gm_buf_init(c->request->alloc);
    gm_fact f    = { .twin = thread, .phase = GM_PHASE_DESIGNED, .key = gm_str_of(key), .value = { .kind = GM_FACT_JSON } };
    gm_document_compact(value, &text);
    if (text.failed) {
        gm_aas_change_fail(c, GM_NOMEM, NULL);
    } else if (text.len <= GM_FACT_TEXT_MAX) {
        f.value.text = gm_buf_view(&text);
        gm_aas_say(c, &f);
    } else {
        f.value = (gm_fact_value){ .media = GM_STR("application/json"), .name = GM_STR("aas.json") };
        say_text(c, &f, gm_buf_view(&text));
    }
    gm_buf_finish(&text);
}

// ---- into the log -------------------------------------------------------------------------------------------------------

static void finish(gm_aas_change *c)
{
    gm_request *request = c->request;
    if (!request->gone && request->api != NULL) {
        gm_buf_clear(&request->out);
        if (c->st == GM_OK) c->then(request);
        else gm_reply_failure(request, c->st, &c->err);
    }
    gm_request_release(request);
}

static void answered(void *context, uint64_t token, gm_status st, const gm_error *err)
{
    gm_aas_change *c = context;
    (void)token;
    gm_aas_change_fail(c, st, err);
    if (--c->left == 0) finish(c);
}

static gm_ask ask(gm_aas_change *c)
{
    c->left++;
    return (gm_ask){ .call = answered, .context = c };
}

// Returns whether it was taken.
static bool taken(gm_aas_change *c, gm_status st, const gm_error *err)
{
    if (st == GM_OK) return true;
    c->left--;
    gm_aas_change_fail(c, st, err);
    return false;
}

// One after the other, until one is refused. The log's batch has room for all of them but in a flood: then what was taken stands, and
// the client, who is told that it was not all, sends the whole again.
static void submit(gm_aas_change *c)
{
    gm_engine *e    = c->request->engine;
    gm_error   err  = { 0 };
    bool       fine = true;
    if (c->fact_count > 0) fine = taken(c, gm_life_add(c->request->api->life, c->facts, c->fact_count, ask(c), &err), &err);
    for (size_t i = 0; fine && i < c->relation_count; i++) {
        const gm_aas_relation *r = &c->relations[i];
        gm_status st = r->goes ? gm_engine_relationship_delete(e, c->twin, r->id, ask(c), &err) : gm_engine_relationship_put(e, c->twin, r->target, r->id, r->name, r->properties, ask(c), &err);
        fine         = taken(c, st, &err);
    }
    if (fine && c->cell_count > 0) fine = taken(c, gm_engine_write(e, c->twin, c->cell_flags, c->cells, c->cell_count, ask(c), &err), &err);
    if (fine && c->reported_count > 0) fine = taken(c, gm_engine_write(e, c->twin, 0, c->reported, c->reported_count, ask(c), &err), &err);
    if (fine && c->twin_goes) fine = taken(c, gm_engine_twin_delete(e, c->twin, ask(c), &err), &err);
    if (fine && c->put.type != NULL) (void)taken(c, gm_engine_twin_put(e, c->twin, c->thing, c->put.type, c->put.cells, c->put.count, ask(c), NULL, &err), &err);
}

// Parts are checked against where they are; what is in flight has been waited for.
static void check_parts(gm_aas_change *c)
{
    gm_error err;
    for (size_t i = 0; c->st == GM_OK && i < c->fact_count; i++) {
        const gm_fact *f    = &c->facts[i];
        bool           part = f->value.kind == GM_FACT_PART;
        gm_status      st   = part ? gm_thread_check(gm_life_thread(c->request), f, &err) : gm_fact_check(f, &err);
        bool           told = !part || !gm_principal_scoped(c->request->principal);
        if (st != GM_OK && !told) (void)!gm_fail(&err, GM_CONFLICT, WHERE, "the part is elsewhere at that time, or would contain itself");
        gm_aas_change_fail(c, st == GM_LIMIT ? GM_CONFLICT : st, &err);
    }
}

static void commit(gm_aas_change *c)
{
    gm_request *request = c->request;
    check_parts(c);
    c->left = 1;  // held by this function: no answer comes before everything is asked
    if (c->st == GM_OK) submit(c);
    if (c->left == 1 && c->st == GM_LIMIT) {  // nothing was taken: the batch is full
        gm_request_retry(request);
        gm_request_release(request);
        return;
    }
    if (c->left > 1) gm_request_audit(request);
    answered(c, 0, GM_OK, NULL);
}

static gm_status store(void *context, uint32_t part, uint32_t thread, gm_pool_job *job, gm_error *err)
{
    gm_aas_change *c = context;
    (void)part, (void)thread, (void)job;
    gm_documents_hash((const uint8_t *)c->document.ptr, c->document.len, c->hash);
    return gm_documents_write(&c->request->api->life->documents, c->upload, (const uint8_t *)c->document.ptr, c->document.len, c->hash, err);
}

static void stored(void *context, gm_status st, const gm_error *err)
{
    gm_aas_change *c       = context;
    gm_request    *request = c->request;
    if (!request->gone && request->api != NULL) {
        stored_document *note = GM_ARENA_NEW(request->arena, stored_document, 1);
        if (note == NULL && st == GM_OK) st = GM_NOMEM;
        if (st == GM_OK) {
            memcpy(note->hash, c->hash, sizeof note->hash);
            note->before  = request->note;
            note->bytes   = c->document.ptr;
            request->note = note;
            gm_request_soon(request);
        } else {
            gm_reply_failure(request, st, err);
        }
    }
    gm_request_release(request);
}

void gm_aas_change_commit(gm_aas_change *c, gm_request_call *then)
{
    gm_request *request = c->request;
    gm_life    *life    = request->api->life;
    gm_error    err;
    c->then = then;
    if (c->st == GM_OK && c->document.len > 0 && life->documents.io == NULL)
        gm_aas_change_fail(c, gm_fail(&err, GM_INVALID, WHERE, "this server keeps no documents, and this is one, or more than the %d bytes of a fact", GM_FACT_TEXT_MAX), &err);
    if (c->st != GM_OK) {
        gm_reply_failure(request, c->st, &c->err);
        return;
    }
    gm_request_hold(request);
    if (c->document.len == 0) {
        commit(c);
        return;
    }
    gm_pool_task task = { .parts = 1, .run = store, .done = stored, .context = c };
    gm_pool_id   id;
    c->upload    = ++life->uploads;
    gm_status st = request->api->options.pool != NULL ? gm_pool_submit(request->api->options.pool, &task, &id, &err) : GM_NOTFOUND;
    if (st == GM_OK) return;
    if (st == GM_NOTFOUND) st = store(c, 0, 0, NULL, &err);  // no pool: here and now
    stored(c, st, &err);
}
