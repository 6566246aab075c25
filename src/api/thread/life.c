#include "api/thread/life.h"

#include <stdio.h>

static const char WHERE[] = "api.thread";

static gm_status fold(void *context, const gm_record *record, const gm_change *change, gm_error *err)
{
    return gm_facts_fold(((gm_life *)context)->thread, record->ingest, change, err);
}

static void save(void *context, gm_buf *out) { gm_thread_save(((gm_life *)context)->thread, out); }

static gm_status load(void *context, const uint8_t *bytes, size_t size, gm_error *err)
{
    return gm_thread_load(((gm_life *)context)->thread, bytes, size, err);
}

typedef struct copying { const gm_documents *from; gm_documents to; gm_status st; gm_error *err; } copying;

static bool copy_one(void *context, gm_str hash)
{
    copying *c = context;
    c->st      = gm_documents_copy(c->from, &c->to, hash, c->err);
    return c->st == GM_OK;
}

// Into a backup: the documents that facts name.
static gm_status copy(void *context, const char *to, gm_error *err)
{
    const gm_life *life = context;
    char           folder[4096];
    if (life->documents.io == NULL) return GM_OK;
    int n = snprintf(folder, sizeof folder, "%s/documents", to);
    if (n < 0 || (size_t)n >= sizeof folder) return gm_fail(err, GM_IO, WHERE, "the path of the backup is too long");
    copying c = { .from = &life->documents, .to = { life->documents.io, folder }, .err = err };
    gm_thread_documents(life->thread, copy_one, &c);
    return c.st;
}

static gm_status open_documents(gm_life *life, const gm_io *io, const char *data_dir, gm_error *err)
{
    size_t n = data_dir != NULL ? strlen(data_dir) + sizeof "/documents" : 0;
    if (io == NULL || data_dir == NULL) return GM_OK;
    life->folder = gm_alloc_bytes(life->alloc, n);
    if (life->folder == NULL) return gm_fail(err, GM_NOMEM, WHERE, "starting");
    snprintf(life->folder, n, "%s/documents", data_dir);
    life->documents = (gm_documents){ .io = io, .folder = life->folder };
    return GM_OK;
}

gm_status gm_life_create(const gm_alloc *alloc, const gm_io *io, const char *data_dir, gm_engine *engine, gm_life **out, gm_error *err)
{
    gm_life *life = gm_alloc_zeroed(alloc, sizeof *life);
    *out          = life;
    if (life == NULL) return gm_fail(err, GM_NOMEM, WHERE, "starting");
    life->alloc  = alloc;
    life->engine = engine;
    life->bytes  = gm_buf_init(alloc);
    life->texts  = gm_buf_init(alloc);
    gm_status st = gm_thread_create(alloc, &life->thread, err);
    if (st == GM_OK) st = open_documents(life, io, data_dir, err);
    if (st != GM_OK) return st;
    gm_engine_fold(engine, GM_CHANGE_FACT, fold, life);
    gm_engine_fold(engine, GM_CHANGE_FACTS_DELETE, fold, life);
    gm_engine_keep(engine, &(gm_keeper){ "thread", life, save, load, copy });
    return GM_OK;
}

void gm_life_destroy(gm_life *life)
{
    if (life == NULL) return;
    gm_thread_destroy(life->thread);
    gm_buf_finish(&life->bytes);
    gm_buf_finish(&life->texts);
    gm_free(life->alloc, life->folder);
    gm_free(life->alloc, life);
}

// Placement and bills of materials are judged when the record is folded, where what came before it stands. A single fact is judged at
// once, too: the log need not keep what will be refused.
gm_status gm_life_add(gm_life *life, const gm_fact *facts, size_t count, gm_ask ask, gm_error *err)
{
    gm_error why = { 0 };
    bool     one = true;
    gm_facts_begin(&life->bytes);
    for (size_t i = 0; i < count; i++) {
        gm_status st = count == 1 ? gm_thread_check(life->thread, &facts[i], &why) : gm_fact_check(&facts[i], &why);
        if (st != GM_OK && count == 1) return gm_fail(err, st == GM_LIMIT ? GM_CONFLICT : st, WHERE, "%s", why.text);
        if (st != GM_OK) return gm_fail(err, st, WHERE, "fact %zu: %.180s", i + 1, why.text);
        one = one && gm_str_eq(facts[i].twin, facts[0].twin);
        gm_facts_add(&life->bytes, &facts[i]);
    }
    if (life->bytes.failed) return gm_fail(err, GM_NOMEM, WHERE, "writing facts");
    if (life->bytes.len > GM_FACTS_RECORD_MAX) return gm_fail(err, GM_INVALID, WHERE, "facts of more than %d bytes at a time", GM_FACTS_RECORD_MAX);
    return gm_engine_submit(life->engine, GM_CHANGE_FACT, 0, one && count > 0 ? facts[0].twin : (gm_str){ 0 }, (gm_str){ 0 }, gm_buf_view(&life->bytes), ask, err);
}

// "asBuilt" as one may write it without quotes, or "as-built".
static bool phase_of(gm_str name, gm_phase *out)
{
    static const char *const plain[] = { "asDesigned", "asBuilt", "asOperated", "maintained", "decommissioned" };
    for (int i = 0; i < GM_PHASE_COUNT; i++) {
        if (!gm_str_is(name, plain[i])) continue;
        *out = (gm_phase)i;
        return true;
    }
    return gm_phase_of(name, out);
}

bool gm_life_read_value(void *context, gm_str twin, gm_str phase_name, gm_str key, gm_time_ns valid, gm_time_ns known, gm_value *out)
{
    const gm_request *request = context;
    gm_phase          phase;
    gm_fact           f;
    if (!phase_of(phase_name, &phase) || !gm_thread_read(gm_life_thread(request), twin, phase, key, valid, known, &f)) return false;
    if (!gm_life_shows(request, &f)) return false;
    if (f.value.kind == GM_FACT_NUMBER) *out = (gm_value){ .kind = GM_KIND_DOUBLE, .d = f.value.number };
    else if (f.value.kind == GM_FACT_JSON && (gm_str_is(f.value.text, "true") || gm_str_is(f.value.text, "false")))
        *out = (gm_value){ .kind = GM_KIND_BOOL, .i = gm_str_is(f.value.text, "true") };
    else *out = (gm_value){ .kind = f.value.kind == GM_FACT_JSON ? GM_KIND_JSON : GM_KIND_STRING, .s = f.value.text };
    return true;
}

bool gm_life_sees(const gm_request *request, gm_str id)
{
    return !gm_principal_scoped(request->principal) || gm_twin_ok(gm_api_find(request, id));
}

bool gm_life_shows(const gm_request *request, const gm_fact *fact)
{
    return gm_life_sees(request, fact->twin) && (fact->value.kind != GM_FACT_PART || gm_life_sees(request, fact->value.text));
}

bool gm_life_id(gm_request *request, gm_str *out_id)
{
    *out_id    = request->parameters[0];
    bool there = gm_thread_has(gm_life_thread(request), *out_id) || gm_twin_ok(gm_state_find(gm_api_state(request), *out_id));
    if (there && gm_life_sees(request, *out_id)) return true;
    gm_reply_error(request, 404, "ThreadNotFound", "Nothing is known of '" GM_STR_FMT "'.", GM_STR_ARG(gm_str_slice(*out_id, 0, 200)));
    return false;
}

void gm_life_write_head(gm_request *request, gm_str id)
{
    bool is = gm_twin_ok(gm_state_find(gm_api_state(request), id));  // a thread begins before and ends after
    gm_buf_text(&request->out, "{\"twin\":");
    gm_buf_json_str(&request->out, id);
    gm_buf_printf(&request->out, ",\"inGraph\":%s,\"items\":[", is ? "true" : "false");
}

bool gm_life_read_times(gm_request *request, gm_life_times *out)
{
    return gm_request_time(request, "valid", gm_api_now(request), &out->valid) && gm_request_time(request, "known", INT64_MAX, &out->known);
}

bool gm_life_read_phase(gm_request *request, const char *parameter, gm_phase *out)
{
    gm_str name;
    if (!gm_request_parameter(request, parameter, &name)) return false;
    if (name.len == 0 || gm_phase_of(name, out)) return true;
    gm_reply_error(request, 400, "InvalidArgument", "'%s' is one of as-designed, as-built, as-operated, maintained, decommissioned.", parameter);
    return false;
}
