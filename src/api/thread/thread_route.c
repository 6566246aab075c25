// /v1/thread: whose facts there are, parts, phases compared; facts added and deleted for good. facts_route.c reads a twin's.
#include "api/live.h"
#include "api/paging.h"
#include "api/routes.h"
#include "api/thread/life.h"
#include "thread/diff.h"

#include <math.h>

enum { FACTS_MOST = 10000, LIST_MOST = 1000 };

// ---- reading --------------------------------------------------------------------------------------------------------

typedef struct listing { gm_request *request; size_t count; } listing;

static bool write_one(void *context, const gm_fact *fact)
{
    listing *l = context;
    if (!gm_life_shows(l->request, fact)) return true;
    if (l->count++ > 0) gm_buf_byte(&l->request->out, ',');
    gm_fact_write(fact, &l->request->out);
    return !l->request->out.failed;
}

void gm_route_thread_list(gm_request *request)
{
    gm_str   id;
    uint64_t position;
    uint32_t most;
    if (!gm_page_position(request, GM_STR("thread"), &position) || !gm_request_page_size(request, LIST_MOST, 100, &most)) return;
    uint32_t at = (uint32_t)position, n = 0;
    bool     more = false;
    gm_buf_text(&request->out, "{\"items\":[");
    for (uint32_t before = at; gm_thread_next_twin(gm_life_thread(request), &at, &id); before = at) {
        if (!gm_life_sees(request, id)) continue;
        if (n == most) {
            more = true;
            at   = before;
            break;
        }
        gm_buf_text(&request->out, n++ > 0 ? "," : "");
        gm_buf_json_str(&request->out, id);
    }
    gm_buf_byte(&request->out, ']');
    if (more) gm_page_next(request, GM_STR("thread"), at);
    gm_buf_byte(&request->out, '}');
    gm_reply_json(request, 200);
}

// What is installed in it, and where it is installed itself; with ever=true at any time.
void gm_route_thread_parts(gm_request *request)
{
    gm_str        id, ever;
    gm_life_times times;
    listing       l = { .request = request };
    gm_fact       where;
    if (!gm_life_id(request, &id) || !gm_life_read_times(request, &times) || !gm_request_parameter(request, "ever", &ever)) return;
    const gm_thread *thread = gm_life_thread(request);
    gm_mention       which  = gm_str_is(ever, "true") ? GM_MENTION_EVER : GM_MENTION_HOLDS;
    gm_life_write_head(request, id);
    gm_thread_mentions(thread, id, GM_STR(GM_KEY_INSTALLED), which, times.valid, times.known, write_one, &l);
    gm_buf_byte(&request->out, ']');
    if (gm_thread_read(thread, id, GM_PHASE_BUILT, GM_STR(GM_KEY_INSTALLED), times.valid, times.known, &where) &&
        gm_life_shows(request, &where)) {
        gm_buf_text(&request->out, ",\"installedIn\":");
        gm_fact_write(&where, &request->out);
    }
    gm_buf_byte(&request->out, '}');
    gm_reply_json(request, 200);
}

static void write_side(gm_buf *out, const char *name, const gm_fact *fact)
{
    gm_buf_printf(out, ",\"%s\":{", name);
    gm_fact_write_value(&fact->value, out);
    gm_buf_byte(out, '}');
}

static bool shows(const gm_request *request, const gm_difference *d)
{
    return (!d->has_first || gm_life_shows(request, &d->first)) && (!d->has_second || gm_life_shows(request, &d->second));
}

static void write_difference(const gm_part_difference *p, gm_buf *out)
{
    const gm_difference *d = &p->difference;
    gm_buf_text(out, "{\"key\":");
    gm_buf_json_str(out, d->key);
    gm_live_member(out, "part", p->part);
    gm_live_member(out, "place", p->place);
    gm_buf_printf(out, ",\"verdict\":\"%s\"", gm_verdict_name(d->verdict));
    if (d->has_first) write_side(out, "first", &d->first);
    if (d->has_second) write_side(out, "second", &d->second);
    gm_live_member(out, "cause", d->has_second ? d->second.cause : (gm_str){ 0 });  // where a deviation was granted, say
    gm_buf_byte(out, '}');
}

// Of the twin alone, unless its parts are asked for, too.
static gm_status find_differences(gm_request *request, gm_str id, gm_phase first, gm_phase second, const gm_life_times *times, bool parts,
                                  gm_part_difference **out, size_t *out_count, gm_error *err)
{
    gm_alloc       own = gm_arena_alloc(request->arena);
    gm_difference *list;
    if (parts) return gm_thread_diff_assembly(gm_life_thread(request), request->arena, id, first, second, times->valid, times->known, out, out_count, err);
    gm_status st = gm_thread_diff(gm_life_thread(request), &own, id, first, second, times->valid, times->known, &list, out_count, err);
    if (st != GM_OK) return st;
    *out = GM_ARENA_NEW(request->arena, gm_part_difference, *out_count + 1);
    if (*out == NULL) return gm_fail(err, GM_NOMEM, "api.thread", "comparing phases");
    for (size_t i = 0; i < *out_count; i++) (*out)[i].difference = list[i];
    return GM_OK;
}

void gm_route_thread_diff(gm_request *request)
{
    gm_str              id, parts;
    gm_phase            first = GM_PHASE_DESIGNED, second = GM_PHASE_BUILT;
    gm_life_times       times;
    gm_part_difference *list;
    size_t              count, n = 0, out_of = 0;
    gm_error            err = { 0 };
    if (!gm_life_id(request, &id) || !gm_life_read_times(request, &times) || !gm_life_read_phase(request, "first", &first) ||
        !gm_life_read_phase(request, "second", &second) || !gm_request_parameter(request, "parts", &parts)) return;
    gm_status st = find_differences(request, id, first, second, &times, gm_str_is(parts, "true"), &list, &count, &err);
    if (st != GM_OK) {
        gm_reply_failure(request, st == GM_LIMIT ? GM_INVALID : st, &err);
        return;
    }
    gm_buf *out = &request->out;
    gm_buf_text(out, "{\"twin\":");
    gm_buf_json_str(out, id);
    gm_buf_printf(out, ",\"first\":\"%s\",\"second\":\"%s\",\"items\":[", gm_phase_name(first), gm_phase_name(second));
    for (size_t i = 0; i < count; i++) {
        if (!shows(request, &list[i].difference)) continue;
        if (n++ > 0) gm_buf_byte(out, ',');
        write_difference(&list[i], out);
        out_of += list[i].difference.verdict == GM_VERDICT_OUT;
    }
    gm_buf_printf(out, "],\"outOfTolerance\":%zu}", out_of);
    gm_reply_json(request, 200);
}

// ---- writing --------------------------------------------------------------------------------------------------------

static void after_add(gm_request *request) { gm_reply_empty(request, 204); }

// How many of them were news; note: of how many.
typedef struct news { size_t added, known; } news;

static void after_news(gm_request *request)
{
    const news *n = request->note;
    gm_buf_printf(&request->out, "{\"added\":%zu,\"known\":%zu}", n->added, n->known);
    gm_reply_json(request, 200);
}

// ?changed=true: what is known already is passed over, so that the same file can be brought in again. False: replied, or it waits for
// facts of the same twins that are in flight.
static bool keep_news(gm_request *request, gm_fact *facts, size_t *count)
{
    news  *n    = GM_ARENA_NEW(request->arena, news, 1);
    size_t kept = 0;
    bool   busy = gm_engine_in_flight(request->engine, GM_IN_FLIGHT_FACTS, GM_STR(""));
    for (size_t i = 0; i < *count && !busy; i++) busy = gm_engine_in_flight(request->engine, GM_IN_FLIGHT_FACTS, facts[i].twin);
    if (n == NULL) gm_reply_failure(request, GM_NOMEM, NULL);
    else if (busy) gm_request_retry(request);
    if (n == NULL || busy) return false;
    for (size_t i = 0; i < *count; i++) {
        if (!gm_thread_knows(gm_life_thread(request), &facts[i])) facts[kept++] = facts[i];
    }
    *n            = (news){ kept, *count - kept };
    *count        = kept;
    request->note = n;
    if (kept == 0) after_news(request);
    return kept > 0;
}

// A document that a fact names must be there, and be what the fact says.
static gm_status check_document(gm_request *request, const gm_fact *fact, gm_error *err)
{
    return fact->value.kind == GM_FACT_DOCUMENT ? gm_life_check_document(request->api->life, &request->api->options.limits, fact, err) : GM_OK;
}

// Texts of all facts must live until they are submitted: JSON texts are moved to the request's arena.
static gm_status read_fact(gm_request *request, const json_t *json, gm_fact *out, gm_error *err)
{
    gm_life  *life = request->api->life;
    gm_status st   = gm_fact_read(json, gm_api_now(request), &life->texts, out, err);
    // Where access is configured nobody writes in another's name.
    if (st == GM_OK && (out->author.len == 0 || request->principal != NULL)) out->author = gm_principal_name(request->principal);
    if (st == GM_OK && !gm_life_shows(request, out)) {
        gm_str which = gm_life_sees(request, out->twin) ? out->value.text : out->twin;
        st           = gm_fail(err, GM_NOTFOUND, "api.thread", "there is no twin '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(which, 0, 100)));
    }
    if (st == GM_OK) st = check_document(request, out, err);
    if (st != GM_OK) return st;
    gm_str *kept = out->value.kind == GM_FACT_JSON ? &out->value.text : &out->value.more;
    if (kept->len > 0) *kept = gm_arena_str(request->arena, *kept);
    return kept->len > 0 && kept->ptr == NULL ? gm_fail(err, GM_NOMEM, "api.thread", "reading facts") : GM_OK;
}

// Why a part can not go somewhere may name twins that he must not see: who is kept to some twins moves parts one at a time, and is not
// told where they are.
static gm_status check_scoped(gm_request *request, const gm_fact *facts, size_t count, gm_error *err)
{
    bool parts = false;
    if (!gm_principal_scoped(request->principal)) return GM_OK;
    for (size_t i = 0; i < count; i++) parts = parts || facts[i].value.kind == GM_FACT_PART;
    if (!parts) return GM_OK;
    if (count > 1) return gm_fail(err, GM_INVALID, "api.thread", "who is kept to some twins adds facts with parts one at a time");
    gm_status st = gm_thread_check(gm_life_thread(request), facts, NULL);
    if (st == GM_CONFLICT || st == GM_LIMIT) return gm_fail(err, GM_CONFLICT, "api.thread", "the part is elsewhere at that time, or would contain itself");
    return GM_OK;
}

void gm_route_thread_add(gm_request *request)
{
    const json_t *body  = gm_request_json(request);
    gm_error      err   = { 0 };
    gm_str        changed;
    size_t        count = json_is_array(body) ? json_array_size(body) : 1;
    if (body == NULL || !gm_request_parameter(request, "changed", &changed)) return;
    if (count == 0 || count > FACTS_MOST) {
        gm_reply_error(request, 400, "InvalidArgument", "The body is a fact, or an array of 1 to %d facts.", FACTS_MOST);
        return;
    }
    gm_fact  *facts = gm_arena_zeroed(request->arena, count, sizeof *facts);
    gm_status st    = facts != NULL ? GM_OK : gm_fail(&err, GM_NOMEM, "api.thread", "reading facts");
    for (size_t i = 0; st == GM_OK && i < count; i++) {
        gm_error why = { 0 };
        st           = read_fact(request, json_is_array(body) ? json_array_get(body, i) : body, &facts[i], &why);
        if (st != GM_OK && count > 1) (void)!gm_fail(&err, st, "api.thread", "fact %zu: %.180s", i + 1, why.text);
        else if (st != GM_OK) err = why;
    }
    if (st != GM_OK) {
        gm_reply_failure(request, st, &err);
        return;
    }
    st = check_scoped(request, facts, count, &err);
    if (st != GM_OK) {
        gm_reply_failure(request, st, &err);
        return;
    }
    bool only_news = gm_str_is(changed, "true");
    if (only_news && !keep_news(request, facts, &count)) return;
    gm_ask ask = gm_request_ask(request, only_news ? after_news : after_add);
    st         = gm_life_add(request->api->life, facts, count, ask, &err);
    gm_request_submitted(request, st, &err);
}

// ---- deletion -------------------------------------------------------------------------------------------------------

typedef struct goner { struct goner *next; char hash[GM_HASH_TEXT + 1]; } goner;
typedef struct goners { gm_request *request; gm_str key; goner *first; bool failed; size_t facts; } goners;

static bool note_document(void *context, const gm_fact *fact)
{
    goners *g = context;
    g->facts++;
    if (fact->value.kind != GM_FACT_DOCUMENT) return true;
    goner *one = gm_arena_zeroed(g->request->arena, 1, sizeof *one);
    g->failed  = one == NULL;
    if (g->failed) return false;
    memcpy(one->hash, fact->value.text.ptr, GM_HASH_TEXT);
    one->next = g->first;
    g->first  = one;
    return true;
}

// Documents that no fact names any more go, too.
static void after_delete(gm_request *request)
{
    gm_error err  = { 0 };
    gm_life *life = request->api->life;
    for (const goner *g = request->note; g != NULL && life->documents.io != NULL; g = g->next) {
        if (!gm_thread_names_document(life->thread, gm_str_of(g->hash))) (void)!gm_documents_remove(&life->documents, gm_str_of(g->hash), &err);
    }
    gm_reply_empty(request, 204);
}

void gm_route_thread_delete(gm_request *request)
{
    goners   g   = { .request = request };
    gm_error err = { 0 };
    gm_str   id  = request->parameters[0];
    if (!gm_request_parameter(request, "key", &g.key)) return;
    gm_thread_history(gm_life_thread(request), id, g.key, INT64_MAX, note_document, &g);
    if (g.facts == 0 || g.failed) {
        if (g.failed) gm_reply_failure(request, GM_NOMEM, NULL);
        else gm_reply_error(request, 404, "ThreadNotFound", "Nothing of that is known of '" GM_STR_FMT "'.", GM_STR_ARG(gm_str_slice(id, 0, 200)));
        return;
    }
    request->note = g.first;
    gm_ask ask    = gm_request_ask(request, after_delete);
    gm_request_submitted(request, gm_engine_submit(request->engine, GM_CHANGE_FACTS_DELETE, 0, id, g.key, (gm_str){ 0 }, ask, &err), &err);
}
