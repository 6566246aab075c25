// A queue of creations, each at its own stage:
//
//   WAITING --put_twin--> PUTTING --on_put--> RELATING --put_relationships--> SETTLING --on_related--> DONE --answer-->
//      |                                         ^
//      +-- the twin exists with that model ------+        any stage may fail: DONE with the reason
//
// Every applied batch runs one pass over the queue (gm_engine_later), so that hundreds of twins share a few commits.
// Invariants: (1) answers leave in the order of submission; (2) a relationship is put only when both its twins are
// applied; (3) an item is freed only when no ask of ours is in flight for it.
#include "link/create.h"

#include "base/utf8.h"
#include "state/document.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

typedef enum stage { WAITING, PUTTING, RELATING, SETTLING, DONE } stage;

typedef struct item {
    stage      stage;
    uint32_t   in_flight;  // relationships that are submitted, not answered
    json_t    *body;           // of the twin, without its relationships
    json_t    *relationships;  // an array, or NULL
    char      *id;
    gm_time_ns at;
    gm_ask     ask;
    gm_status  st;         // DONE: the answer
    gm_error   err;
} item;

struct gm_creator {
    const gm_alloc *alloc;
    gm_engine      *engine;
    gm_arena       *scratch;
    item          **items;     // in order of submission; answered ones go from the front
    size_t          first, count, capacity;
    bool            scheduled; // a pass will run
    bool            running;   // a pass runs: answers that come meanwhile need no pass of their own
};

enum { ID_MAX = 128 };

static void run_pass(void *context);

static void free_item(gm_creator *creator, item *it)
{
    json_decref(it->body);
    json_decref(it->relationships);
    gm_free(creator->alloc, it->id);
    gm_free(creator->alloc, it);
}

static void finish_item(item *it, gm_status st, const gm_error *err)
{
    it->stage = DONE;
    it->st    = st;
    if (st == GM_OK) return;
    if (err != NULL) it->err = *err;
    else gm_fail(&it->err, st, "link.create", "creating the twin: %s", gm_status_text(st));
}

static void schedule(gm_creator *creator)
{
    if (creator->scheduled) return;
    gm_error err;
    // Without memory for the call the next submission or answer schedules it.
    creator->scheduled = gm_engine_later(creator->engine, run_pass, creator, &err) == GM_OK;
}

// ---- answers of the engine ------------------------------------------------------------------------------------------

static void on_put(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    gm_creator *creator = context;
    item       *it      = (item *)(uintptr_t)token;
    if (status == GM_OK) it->stage = RELATING;
    else finish_item(it, status, err);
    schedule(creator);
}

static void on_related(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    gm_creator *creator = context;
    item       *it      = (item *)(uintptr_t)token;
    assert(it->in_flight > 0);
    it->in_flight--;
    if (status != GM_OK && it->st == GM_OK) {
        it->st = status;
        if (err != NULL) it->err = *err;
    }
    if (it->in_flight == 0 && it->stage == SETTLING) {
        it->stage = DONE;
        schedule(creator);
    }
}

// ---- one item, one step ---------------------------------------------------------------------------------------------

// The type that the body names, or NULL with the reason in err.
static const gm_type *named_type(const gm_creator *creator, const item *it, gm_error *err)
{
    const char    *dtmi = json_string_value(json_object_get(json_object_get(it->body, "$metadata"), "$model"));
    const gm_type *type = gm_model_find(gm_engine_model(creator->engine), gm_str_of(dtmi));
    if (type == NULL) gm_fail(err, GM_INVALID, "link.create", "there is no model '%.128s'", dtmi);
    return type;
}

// Puts the twin if it is not there. GM_LIMIT: later.
static gm_status put_twin(gm_creator *creator, item *it, gm_error *err)
{
    const gm_type *type = named_type(creator, it, err);
    if (type == NULL) return GM_INVALID;
    gm_twin twin = gm_state_find(gm_engine_state(creator->engine), gm_str_of(it->id));
    if (gm_twin_ok(twin)) {
        if (gm_state_type(gm_engine_state(creator->engine), twin) == type) {
            it->stage = RELATING;
            return GM_OK;
        }
        return gm_fail(err, GM_INVALID, "link.create", "the twin exists with another model, " GM_STR_FMT,
                       GM_STR_ARG(gm_state_type(gm_engine_state(creator->engine), twin)->id));
    }
    if (type->decommissioned)
        return gm_fail(err, GM_INVALID, "link.create", "model '" GM_STR_FMT "' is decommissioned",
                       GM_STR_ARG(type->id));

    gm_twin_document document;
    gm_arena_clear(creator->scratch);
    gm_status st =
        gm_document_read_twin(gm_engine_model(creator->engine), it->body, it->at, creator->scratch, &document, err);
    if (st != GM_OK) return st == GM_NOTFOUND ? GM_INVALID : st;
    gm_ask ask = { .call = on_put, .context = creator, .token = (uint64_t)(uintptr_t)it };
    st = gm_engine_twin_put(creator->engine, (gm_twin) { GM_NONE }, gm_str_of(it->id), document.type, document.cells,
                            document.count, ask, NULL, err);
    if (st == GM_OK) it->stage = PUTTING;
    return st;
}

typedef struct related { gm_twin source, target; const char *name; char id[2 * ID_MAX + 160]; } related;

// Reads one of "$relationships". *out_missing names a twin that does not exist (yet).
static gm_status read_relationship(const gm_creator *creator, const item *it, const json_t *object, related *out,
                                   const char **out_missing, gm_error *err)
{
    const gm_state *state  = gm_engine_state(creator->engine);
    const char     *source = json_string_value(json_object_get(object, "$sourceId"));
    const char     *target = json_string_value(json_object_get(object, "$targetId"));
    const char     *id     = json_string_value(json_object_get(object, "$relationshipId"));
    out->name              = json_string_value(json_object_get(object, "$relationshipName"));
    *out_missing           = NULL;
    if (out->name == NULL || (source == NULL) == (target == NULL)) {
        return gm_fail(err, GM_INVALID, "link.create",
                       "a relationship needs \"$relationshipName\" and either \"$targetId\" or \"$sourceId\"");
    }
    if (source == NULL) source = it->id;
    else target = it->id;
    int len = id != NULL ? snprintf(out->id, sizeof out->id, "%s", id)
                         : snprintf(out->id, sizeof out->id, "%s-%s-%s", source, out->name, target);
    if (len <= 0 || (size_t)len >= sizeof out->id)
        return gm_fail(err, GM_INVALID, "link.create", "a relationship's id is too long");
    out->source = gm_state_find(state, gm_str_of(source));
    out->target = gm_state_find(state, gm_str_of(target));
    if (!gm_twin_ok(out->source)) *out_missing = source;
    else if (!gm_twin_ok(out->target)) *out_missing = target;
    if (*out_missing != NULL) return GM_OK;

    const gm_type              *type     = gm_state_type(state, out->source);
    const gm_relationship_type *declared = gm_type_relationship(type, gm_str_of(out->name));
    if (declared == NULL) {
        return gm_fail(err, GM_INVALID, "link.create", "model " GM_STR_FMT " has no relationship '%.64s'",
                       GM_STR_ARG(type->id), out->name);
    }
    const gm_type *wanted =
        declared->target.len > 0 ? gm_model_find(gm_engine_model(creator->engine), declared->target) : NULL;
    if (wanted != NULL && !gm_type_is(gm_state_type(state, out->target), wanted)) {
        return gm_fail(err, GM_INVALID, "link.create", "'%.64s' must lead to a " GM_STR_FMT, out->name,
                       GM_STR_ARG(declared->target));
    }
    return GM_OK;
}

static gm_status put_relationship(gm_creator *creator, item *it, const related *r, json_t *object, gm_error *err)
{
    if (gm_edge_ok(gm_state_find_relationship(gm_engine_state(creator->engine), r->source, gm_str_of(r->id))))
        return GM_OK;
    json_t *properties = json_object();
    const char *key;
    json_t     *value;
    bool        good = properties != NULL;
    json_object_foreach(object, key, value) {
        if (key[0] != '$') good = json_object_set(properties, key, value) == 0 && good;
    }
    char     *text = good ? json_dumps(properties, JSON_COMPACT) : NULL;
    gm_ask    ask  = { .call = on_related, .context = creator, .token = (uint64_t)(uintptr_t)it };
    gm_status st   = text == NULL ? gm_fail(err, GM_NOMEM, "link.create", "a relationship")
                                  : gm_engine_relationship_put(creator->engine, r->source, r->target, gm_str_of(r->id),
                                                               gm_str_of(r->name), gm_str_of(text), ask, err);
    if (st == GM_OK) it->in_flight++;
    free(text);
    json_decref(properties);
    return st;
}

// Could a twin that is missing still come? From an earlier message, or a change under way elsewhere.
static bool may_come(const gm_creator *creator, size_t at, const char *id)
{
    return at > 0 || gm_engine_busy(creator->engine, gm_str_of(id));
}

// Puts what is missing of the relationships, all or (while a twin is still to come) none.
static gm_status put_relationships(gm_creator *creator, item *it, size_t at, gm_error *err)
{
    json_t *list = it->relationships;
    related r;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *missing;
        gm_status   st = read_relationship(creator, it, json_array_get(list, i), &r, &missing, err);
        if (st != GM_OK) return st;
        if (missing == NULL) continue;
        if (may_come(creator, at, missing)) return GM_OK;
        return gm_fail(err, GM_INVALID, "link.create", "there is no twin '%.128s' to relate to", missing);
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *missing;
        gm_status   st = read_relationship(creator, it, json_array_get(list, i), &r, &missing, err);
        if (st == GM_OK) st = put_relationship(creator, it, &r, json_array_get(list, i), err);
        if (st == GM_LIMIT && it->in_flight == 0) return GM_OK;  // comes again; what exists by then is left alone
        if (st == GM_LIMIT) break;
        if (st != GM_OK) return st;
    }
    it->stage = it->in_flight > 0 ? SETTLING : DONE;
    return GM_OK;
}

static void step(gm_creator *creator, item *it, size_t at)
{
    gm_error  err = {0};
    gm_status st  = GM_OK;
    if (it->stage == WAITING && !gm_engine_busy(creator->engine, gm_str_of(it->id))) st = put_twin(creator, it, &err);
    if (st == GM_OK && it->stage == RELATING) st = put_relationships(creator, it, at, &err);
    if (st == GM_OK || st == GM_LIMIT) return;
    if (it->in_flight == 0) finish_item(it, st, &err);
    else {
        // Some relationships are under way: their answers end the item, with this reason.
        it->stage = SETTLING;
        it->st    = st;
        it->err   = err;
    }
}

// ---- the queue ------------------------------------------------------------------------------------------------------

// Answers from the front, keeps (1).
static void answer_done(gm_creator *creator)
{
    while (creator->count > 0 && creator->items[creator->first]->stage == DONE) {
        item *it = creator->items[creator->first];
        creator->first++;
        creator->count--;
        if (it->ask.call != NULL)
            it->ask.call(it->ask.context, it->ask.token, it->st, it->st != GM_OK ? &it->err : NULL);
        free_item(creator, it);
    }
    if (creator->count == 0) creator->first = 0;
}

static void run_pass(void *context)
{
    gm_creator *creator = context;
    creator->scheduled  = false;
    bool waits          = false;  // for something that no ask of ours will tell about
    answer_done(creator);
    for (size_t i = 0; i < creator->count; i++) {
        item *it = creator->items[creator->first + i];
        if (it->stage != DONE) step(creator, it, i);
        waits = waits || it->stage == WAITING || it->stage == RELATING;
    }
    answer_done(creator);
    if (waits) schedule(creator);
}

gm_status gm_creator_submit(gm_creator *creator, gm_str twin_id, gm_str payload, gm_time_ns at, gm_ask ask,
                            gm_error *err)
{
    if (creator->count >= GM_CREATES_WAITING_MAX)
        return gm_fail(err, GM_LIMIT, "link.create", "%zu creations wait already", creator->count);
    if (payload.len > GM_CREATE_PAYLOAD_MAX) {
        return gm_fail(err, GM_INVALID, "link.create", "a twin of %zu bytes; the most is %d", payload.len,
                       GM_CREATE_PAYLOAD_MAX);
    }
    if (twin_id.len == 0 || twin_id.len > ID_MAX || !gm_utf8_valid(twin_id) ||
        gm_str_find_char(twin_id, '\0') != SIZE_MAX) {
        return gm_fail(err, GM_INVALID, "link.create", "a twin's id has 1 to %d bytes of text", ID_MAX);
    }
    json_error_t where;
    json_t      *body = json_loadb(payload.ptr, payload.len, JSON_REJECT_DUPLICATES, &where);
    if (body == NULL)
        return gm_fail(err, GM_INVALID, "link.create", "not JSON: %.120s (line %d)", where.text, where.line);
    const json_t *list = json_object_get(body, "$relationships");
    gm_status     st   = GM_OK;
    if (json_string_value(json_object_get(json_object_get(body, "$metadata"), "$model")) == NULL) {
        st = gm_fail(err, GM_INVALID, "link.create", "the model is missing: \"$metadata\":{\"$model\":\"dtmi:...\"}");
    } else if (list != NULL && (!json_is_array(list) || json_array_size(list) > GM_CREATE_RELATIONSHIPS_MAX)) {
        st = gm_fail(err, GM_INVALID, "link.create", "\"$relationships\" must be an array of at most %d",
                     GM_CREATE_RELATIONSHIPS_MAX);
    }
    if (st != GM_OK) goto refused;

    // What was answered at the front is given back before the queue grows.
    if (creator->first > 0 && creator->first + creator->count == creator->capacity) {
        memmove(creator->items, creator->items + creator->first, creator->count * sizeof *creator->items);
        creator->first = 0;
    }
    item *it = gm_alloc_zeroed(creator->alloc, sizeof *it);
    char *id = gm_alloc_bytes(creator->alloc, twin_id.len + 1);
    if (it == NULL || id == NULL ||
        !gm_alloc_reserve(creator->alloc, &creator->items, &creator->capacity, creator->first + creator->count + 1,
                          sizeof *creator->items)) {
        gm_free(creator->alloc, it);
        gm_free(creator->alloc, id);
        st = gm_fail(err, GM_NOMEM, "link.create", "a creation");
        goto refused;
    }
    memcpy(id, twin_id.ptr, twin_id.len);
    id[twin_id.len] = '\0';
    *it             = (item){ .stage = WAITING, .body = body, .id = id, .at = at, .ask = ask };
    if (list != NULL) it->relationships = json_incref(json_object_get(body, "$relationships"));
    json_object_del(body, "$relationships");
    creator->items[creator->first + creator->count++] = it;
    schedule(creator);
    return GM_OK;
refused:
    json_decref(body);
    return st;
}

void gm_creator_forget(gm_creator *creator, const void *ask_context)
{
    for (size_t i = 0; i < creator->count; i++) {
        item *it = creator->items[creator->first + i];
        if (it->ask.context == ask_context) it->ask.call = NULL;
    }
}

size_t gm_creator_waiting(const gm_creator *creator) { return creator->count; }

gm_status gm_creator_create(const gm_alloc *alloc, gm_engine *engine, gm_creator **out_creator, gm_error *err)
{
    *out_creator        = NULL;
    gm_creator *creator = gm_alloc_zeroed(alloc, sizeof *creator);
    gm_arena   *scratch = gm_arena_create(alloc, 0);
    if (creator == NULL || scratch == NULL) {
        gm_free(alloc, creator);
        gm_arena_destroy(scratch);
        return gm_fail(err, GM_NOMEM, "link.create", "starting");
    }
    *creator     = (gm_creator){ .alloc = alloc, .engine = engine, .scratch = scratch };
    *out_creator = creator;
    return GM_OK;
}

void gm_creator_destroy(gm_creator *creator)
{
    if (creator == NULL) return;
    for (size_t i = 0; i < creator->count; i++) free_item(creator, creator->items[creator->first + i]);
    gm_free(creator->alloc, creator->items);
    gm_arena_destroy(creator->scratch);
    gm_free(creator->alloc, creator);
}
