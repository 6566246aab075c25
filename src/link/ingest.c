// The hot path is write_cells: one hash for the twin, one pass over the payload, one record.
#include "link/ingest_internal.h"

#include "base/percent.h"

#include <assert.h>
#include <stdio.h>

#define WHERE "link.ingest"

// A creation that may still be refused after it was submitted: then its message is needed for the dead letter.
typedef struct creation {
    gm_ingest       *ingest;
    struct creation *next, *previous;  // all that are under way
    gm_ask           ask;
    size_t           topic_len, payload_len;
    char             bytes[];          // topic, payload
} creation;

static void forget(creation *c);

gm_status gm_ingest_create(const gm_ingest_options *options, gm_ingest **out_ingest, gm_error *err)
{
    *out_ingest       = NULL;
    gm_ingest *ingest = gm_alloc_zeroed(options->alloc, sizeof *ingest);
    gm_arena  *arena  = gm_arena_create(options->alloc, 0);
    gm_arena  *mapped = gm_arena_create(options->alloc, 0);
    if (ingest == NULL || arena == NULL || mapped == NULL) {
        gm_free(options->alloc, ingest);
        gm_arena_destroy(arena);
        gm_arena_destroy(mapped);
        return gm_fail(err, GM_NOMEM, WHERE, "starting");
    }
    ingest->options = *options;
    ingest->alloc   = options->alloc;
    ingest->engine  = options->engine;
    ingest->scratch = arena;
    ingest->mapped  = mapped;
    gm_telemetry_reader_init(&ingest->reader, options->alloc);
    *out_ingest = ingest;
    return GM_OK;
}

void gm_ingest_destroy(gm_ingest *ingest)
{
    if (ingest == NULL) return;
    gm_ingest_forget_mapped(ingest);
    while (ingest->creations != NULL) {
        gm_creator_forget(ingest->options.creator, ingest->creations);
        forget(ingest->creations);
    }
    for (size_t i = 0; i < ingest->name_capacity; i++) gm_telemetry_names_destroy(ingest->names[i]);
    gm_free(ingest->alloc, ingest->names);
    gm_free(ingest->alloc, ingest->arrival);
    gm_telemetry_reader_finish(&ingest->reader);
    gm_arena_destroy(ingest->scratch);
    gm_arena_destroy(ingest->mapped);
    gm_free(ingest->alloc, ingest);
}

gm_ingest_stats gm_ingest_statistics(const gm_ingest *ingest)
{
    return ingest->stats;
}

// ---- refusals -----------------------------------------------------------------------------------------------------
// Whoever asked learns, once the dead letter is durable, that it is one.
typedef struct burial { const gm_alloc *alloc; gm_ask ask; gm_error why; } burial;

static void on_buried(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    burial *b   = context;
    burial  own = *b;
    (void)token;
    gm_free(own.alloc, b);
    if (status == GM_OK) own.ask.call(own.ask.context, own.ask.token, GM_INVALID, &own.why);
    else own.ask.call(own.ask.context, own.ask.token, status, err);
}

gm_status gm_ingest_bury(gm_ingest *ingest, gm_str topic, gm_str payload, gm_ask ask, const char *reason,
                         gm_error *err)
{
    burial *b = ask.call != NULL ? gm_alloc_zeroed(ingest->alloc, sizeof *b) : NULL;
    if (ask.call != NULL && b == NULL) return gm_fail(err, GM_NOMEM, WHERE, "a dead letter");
    if (b != NULL) {
        *b = (burial){ .alloc = ingest->alloc, .ask = ask };
        gm_fail(&b->why, GM_INVALID, WHERE, "%s", reason);
        ask = (gm_ask){ .call = on_buried, .context = b };
    }
    gm_status st = gm_dead_letters_add(ingest->options.dead_letters, topic, payload, gm_str_of(reason), ask, err);
    if (st == GM_OK) ingest->stats.rejected++;
    else gm_free(ingest->alloc, b);
    return st;
}

// ---- time of arrival ----------------------------------------------------------------------------------------------
// A message that says not when it was measured counts as measured now. Milliseconds, since arrival jitters by more and
// history packs them better; but two messages of one twin must not look like one corrected, so they get different
// times.
gm_status gm_ingest_arrival(gm_ingest *ingest, gm_twin twin, gm_time_ns *out_time)
{
    gm_time_ns now = gm_loop_now(ingest->options.loop);
    size_t     had = ingest->arrival_capacity;
    if (twin.v >= had) {
        if (!gm_alloc_reserve(ingest->alloc, &ingest->arrival, &ingest->arrival_capacity, (size_t)twin.v + 1,
                              sizeof *ingest->arrival))
            return GM_NOMEM;
        memset(ingest->arrival + had, 0, (ingest->arrival_capacity - had) * sizeof *ingest->arrival);
    }
    gm_time_ns last = ingest->arrival[twin.v];
    gm_time_ns time = now - now % GM_MILLISECOND;
    // A clock that was set back by a second or more is believed: then times repeat rather than stand still.
    if (time <= last && last - time < GM_SECOND) time = last + GM_MICROSECOND;
    ingest->arrival[twin.v] = time;
    *out_time               = time;
    return GM_OK;
}

// ---- telemetry and properties -------------------------------------------------------------------------------------
static gm_status names_of(gm_ingest *ingest, const gm_type *type, gm_telemetry_names **out_names, gm_error *err)
{
    size_t had = ingest->name_capacity;
    if (type->number >= had) {
        if (!gm_alloc_reserve(ingest->alloc, &ingest->names, &ingest->name_capacity, (size_t)type->number + 1,
                              sizeof *ingest->names)) {
            return gm_fail(err, GM_NOMEM, WHERE, "the names of " GM_STR_FMT, GM_STR_ARG(type->id));
        }
        memset(ingest->names + had, 0, (ingest->name_capacity - had) * sizeof *ingest->names);
    }
    *out_names = ingest->names[type->number];
    if (*out_names != NULL) return GM_OK;
    gm_status st = gm_telemetry_names_create(ingest->alloc, type, &ingest->names[type->number], err);
    *out_names   = ingest->names[type->number];
    return st;
}

static gm_status write_cells(gm_ingest *ingest, const gm_native_topic *native, gm_twin twin, gm_str topic,
                             gm_str payload, gm_ask ask, gm_error *err)
{
    const gm_type      *type = gm_state_type(gm_engine_state(ingest->engine), twin);
    gm_telemetry_names *names = NULL;
    gm_status           st    = names_of(ingest, type, &names, err);
    if (st != GM_OK) return st;
    uint32_t scope = GM_TELEMETRY_TWIN;
    if (native->component.len > 0) scope = gm_telemetry_scope(names, native->component);
    if (scope == GM_TELEMETRY_NOWHERE) {
        char reason[200];
        snprintf(reason, sizeof reason, "model " GM_STR_FMT " has no component '" GM_STR_FMT "'",
                 GM_STR_ARG(gm_str_slice(type->id, 0, 100)), GM_STR_ARG(gm_str_slice(native->component, 0, 40)));
        return gm_ingest_bury(ingest, topic, payload, ask, reason, err);
    }
    gm_time_ns now, latest = gm_loop_now(ingest->options.loop) + ingest->options.future;
    if (gm_ingest_arrival(ingest, twin, &now) != GM_OK)
        return gm_fail(err, GM_NOMEM, WHERE, "a message of " GM_STR_FMT, GM_STR_ARG(topic));

    gm_error why;
    st = gm_telemetry_read(&ingest->reader, names, scope, payload, now, latest, &why);
    if (st == GM_INVALID) return gm_ingest_bury(ingest, topic, payload, ask, why.text, err);
    if (st != GM_OK) {
        if (err != NULL) *err = why;
        return st;
    }
    st = gm_engine_write(ingest->engine, twin, ingest->reader.flags, ingest->reader.cells, ingest->reader.count, ask,
                         err);
    if (st == GM_OK) ingest->stats.applied++;
    if (st == GM_INVALID)
        return gm_ingest_bury(ingest, topic, payload, ask, err != NULL ? err->text : "the engine refused the change", err);
    return st;
}

// ---- creation -----------------------------------------------------------------------------------------------------
static void forget(creation *c)
{
    if (c->previous != NULL) c->previous->next = c->next;
    else c->ingest->creations = c->next;
    if (c->next != NULL) c->next->previous = c->previous;
    gm_free(c->ingest->alloc, c);
}

static void on_created(void *context, uint64_t token, gm_status status, const gm_error *why)
{
    creation  *c      = context;
    gm_ingest *ingest = c->ingest;
    gm_ask     ask    = c->ask;
    gm_error   err;
    (void)token;
    if (status == GM_OK) ingest->stats.applied++;
    bool refused = status != GM_OK && status != GM_IO && status != GM_NOMEM;
    if (refused) {
        gm_status st =
            gm_ingest_bury(ingest, (gm_str) { c->bytes, c->topic_len }, (gm_str) { c->bytes + c->topic_len, c->payload_len }, ask,
                 why != NULL ? why->text : gm_status_text(status), &err);
        if (st == GM_OK) ask.call = NULL;  // answered with the dead letter
        status = st;
        why    = &err;
    }
    if (ask.call != NULL) ask.call(ask.context, ask.token, status, status != GM_OK ? why : NULL);
    forget(c);
}

static gm_status create_twin(gm_ingest *ingest, gm_str twin_id, gm_str topic, gm_str payload, gm_ask ask, gm_error *err)
{
    if (ingest->options.creator == NULL)
        return gm_ingest_bury(ingest, topic, payload, ask, "creating twins by message is switched off", err);
    creation *c = gm_alloc_bytes(ingest->alloc, sizeof *c + topic.len + payload.len);
    if (c == NULL) return gm_fail(err, GM_NOMEM, WHERE, "creating a twin");
    *c = (creation) {
        .ingest = ingest, .next = ingest->creations, .ask = ask, .topic_len = topic.len, .payload_len = payload.len
    };
    memcpy(c->bytes, topic.ptr, topic.len);
    memcpy(c->bytes + topic.len, payload.ptr, payload.len);
    if (c->next != NULL) c->next->previous = c;
    ingest->creations = c;
    gm_error  why = { 0 };
    gm_ask    own = { .call = on_created, .context = c };
    gm_status st =
        gm_creator_submit(ingest->options.creator, twin_id, payload, gm_loop_now(ingest->options.loop), own, &why);
    if (st == GM_OK) return GM_OK;
    forget(c);
    if (st == GM_INVALID) return gm_ingest_bury(ingest, topic, payload, ask, why.text, err);
    if (err != NULL) *err = why;
    return st;
}

// ---- the message --------------------------------------------------------------------------------------------------
gm_status gm_ingest_message(gm_ingest *ingest, const gm_native_topic *native, gm_str topic, gm_str payload, gm_ask ask,
                            gm_error *err)
{
    assert(native->kind != GM_NATIVE_NONE);
    if (native->kind == GM_NATIVE_UNKNOWN) {
        return gm_ingest_bury(ingest, topic, payload, ask,
                    "no such topic: below gemel/ there are {twinId}/telemetry, {twinId}/properties, {twinId}/create "
                    "and the same with a component",
                    err);
    }
    gm_error why;
    gm_str   id = native->twin;
    if (gm_str_find_char(id, '%') != SIZE_MAX) {
        gm_arena_clear(ingest->scratch);
        gm_status st = gm_percent_decode(ingest->scratch, native->twin, &id, &why);
        if (st == GM_INVALID) return gm_ingest_bury(ingest, topic, payload, ask, why.text, err);
        if (st != GM_OK) return gm_fail(err, st, WHERE, "a twin id");
    }
    if (native->kind == GM_NATIVE_CREATE) return create_twin(ingest, id, topic, payload, ask, err);

    gm_twin twin = gm_state_find(gm_engine_state(ingest->engine), id);
    if (gm_twin_ok(twin)) return write_cells(ingest, native, twin, topic, payload, ask, err);
    // A device that introduces itself may go on before the answer is there.
    if (ingest->options.creator != NULL && gm_creator_waiting(ingest->options.creator) > 0) {
        return gm_fail(err, GM_LIMIT, WHERE, "twins are being created");
    }
    char reason[200];
    snprintf(reason, sizeof reason, "there is no twin '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(id, 0, 128)));
    return gm_ingest_bury(ingest, topic, payload, ask, reason, err);
}
