// Changes on their way into the log, and those who wait for them or watch.
#include "engine/internal.h"

#include <assert.h>

static gm_status reserve_ask(gm_engine *engine)
{
    if (engine->ask_count < engine->ask_capacity) return GM_OK;
    size_t   grown = engine->ask_capacity > 0 ? 2 * engine->ask_capacity : 1024;
    gm_waiting *asks  = gm_alloc_array(engine->alloc, grown, sizeof *asks);
    if (asks == NULL) return GM_NOMEM;
    for (size_t i = 0; i < engine->ask_count; i++) {
        asks[i] = engine->asks[(engine->ask_first + i) & (engine->ask_capacity - 1)];
    }
    gm_free(engine->alloc, engine->asks);
    engine->asks         = asks;
    engine->ask_first    = 0;
    engine->ask_capacity = grown;
    return GM_OK;
}

static void add_ask(gm_engine *engine, uint64_t sequence, gm_ask ask)
{
    if (ask.call == NULL) return;
    assert(engine->ask_count < engine->ask_capacity);
    engine->asks[(engine->ask_first + engine->ask_count++) & (engine->ask_capacity - 1)] = (gm_waiting){ sequence, ask };
}

// ---- submitting -----------------------------------------------------------------------------------------------------

// What is in flight is remembered by what it concerns, so that only those wait for one another who have to.
static uint64_t key_of(gm_in_flight kind, gm_str id)
{
    return gm_str_hash(id) + (uint64_t)kind * UINT64_C(0x9e3779b97f4a7c15);
}

static uint64_t key_of_relationship(gm_str source, gm_str id)
{
    return key_of(GM_IN_FLIGHT_RELATIONSHIPS, source) ^ gm_str_hash(id) * UINT64_C(0xbf58476d1ce4e5b9);
}

// Makes room for everything that must not fail once the record is in the batch, then appends.
static gm_status append(gm_engine *engine, gm_change_kind kind, size_t size, gm_ask ask, const uint64_t *keys, size_t key_count,
                        uint8_t **out_payload, gm_error *err)
{
    assert(engine->recovered);
    if (engine->broken.status != GM_OK) {
        if (err != NULL) *err = engine->broken;
        return engine->broken.status;
    }
    if (size > GM_RECORD_PAYLOAD_MAX) {
        return gm_fail(err, GM_INVALID, "engine", "a change of %zu bytes; the most is %d", size, GM_RECORD_PAYLOAD_MAX);
    }
    if (reserve_ask(engine) != GM_OK || (key_count > 0 && gm_pending_reserve(&engine->pending, key_count) != GM_OK)) {
        return gm_fail(err, GM_NOMEM, "engine", "submitting a change");
    }
    uint64_t sequence;
    *out_payload = gm_log_append(engine->log, (uint8_t)kind, size, &sequence);
    if (*out_payload == NULL) {
        gm_status st = gm_log_status(engine->log, err);
        return st != GM_OK ? st : gm_fail(err, GM_NOMEM, "engine", "submitting a change");
    }
    engine->submitted = sequence;
    add_ask(engine, sequence, ask);
    for (size_t i = 0; i < key_count; i++) gm_pending_add(&engine->pending, keys[i], sequence);
    return GM_OK;
}

gm_status gm_engine_write(gm_engine *engine, gm_twin twin, uint8_t flags, const gm_cell_write *cells, size_t n, gm_ask ask,
                          gm_error *err)
{
    const gm_type *type = gm_state_type(engine->state, twin);
    bool           properties = (flags & GM_WRITE_PROPERTIES) != 0;  // checked against an ETag, perhaps
    uint64_t       key        = properties ? key_of(GM_IN_FLIGHT_PROPERTIES, gm_state_id(engine->state, twin)) : 0;
    uint8_t       *payload;
    gm_status      st = append(engine, GM_CHANGE_WRITE, gm_change_size_write(cells, n), ask, &key, properties, &payload, err);
    if (st == GM_OK) gm_change_encode_write(payload, twin.v, type->number, flags, cells, n);
    return st;
}

gm_status gm_engine_write_rows(gm_engine *engine, gm_twin twin, uint8_t flags, const gm_row_column *columns, size_t n,
                               size_t rows, gm_ask ask, gm_row_table *out_rows, gm_error *err)
{
    const gm_type *type       = gm_state_type(engine->state, twin);
    bool           properties = (flags & GM_WRITE_PROPERTIES) != 0;
    uint64_t       key        = properties ? key_of(GM_IN_FLIGHT_PROPERTIES, gm_state_id(engine->state, twin)) : 0;
    uint8_t       *payload;
    gm_status      st = append(engine, GM_CHANGE_WRITE, gm_change_size_rows(n, rows), ask, &key, properties, &payload, err);
    if (st == GM_OK) gm_change_begin_rows(payload, twin.v, type->number, flags, columns, n, rows, out_rows);
    return st;
}

gm_status gm_engine_twin_put(gm_engine *engine, gm_twin twin, gm_str id, const gm_type *type, const gm_cell_write *cells,
                             size_t n, gm_ask ask, gm_twin *out_twin, gm_error *err)
{
    uint32_t  number = gm_twin_ok(twin) ? twin.v : engine->next_twin;
    uint8_t  *payload;
    if (number == GM_NONE) return gm_fail(err, GM_LIMIT, "engine", "no twin numbers left");
    // A model must not be deleted while a twin of it is on its way.
    uint64_t  keys[2] = { key_of(GM_IN_FLIGHT_TWIN, id), key_of(GM_IN_FLIGHT_TWIN, type->id) };
    gm_status st = append(engine, GM_CHANGE_TWIN_PUT, gm_change_size_twin_put(id, type->id, cells, n), ask, keys, 2, &payload, err);
    if (st != GM_OK) return st;
    gm_change_encode_twin_put(payload, number, id, type->id, cells, n);
    if (!gm_twin_ok(twin)) engine->next_twin++;
    if (out_twin != NULL) *out_twin = (gm_twin){ number };
    return GM_OK;
}

static gm_status append_texts(gm_engine *engine, gm_change_kind kind, uint32_t twin, uint32_t target, uint8_t flags, gm_str id,
                              gm_str name, gm_str text, const uint64_t *keys, size_t key_count, gm_ask ask, gm_error *err)
{
    uint8_t  *payload;
    gm_status st = append(engine, kind, gm_change_size_texts(id, name, text), ask, keys, key_count, &payload, err);
    if (st == GM_OK) gm_change_encode_texts(payload, twin, target, flags, id, name, text);
    return st;
}

gm_status gm_engine_twin_delete(gm_engine *engine, gm_twin twin, gm_ask ask, gm_error *err)
{
    gm_str   id  = gm_state_id(engine->state, twin), none = { 0 };
    uint64_t key = key_of(GM_IN_FLIGHT_TWIN, id);
    return append_texts(engine, GM_CHANGE_TWIN_DELETE, twin.v, GM_NONE, 0, id, none, none, &key, 1, ask, err);
}

gm_status gm_engine_relationship_put(gm_engine *engine, gm_twin source, gm_twin target, gm_str id, gm_str name,
                                     gm_str properties, gm_ask ask, gm_error *err)
{
    gm_str   from    = gm_state_id(engine->state, source);
    uint64_t keys[3] = { key_of(GM_IN_FLIGHT_RELATIONSHIPS, from), key_of_relationship(from, id),
                         key_of(GM_IN_FLIGHT_RELATIONSHIPS, gm_state_id(engine->state, target)) };
    return append_texts(engine, GM_CHANGE_RELATIONSHIP_PUT, source.v, target.v, 0, id, name, properties, keys, 3, ask, err);
}

gm_status gm_engine_relationship_delete(gm_engine *engine, gm_twin source, gm_str id, gm_ask ask, gm_error *err)
{
    // The record names what it deletes: whoever observes it can not look it up any more.
    gm_edge         edge = gm_state_find_relationship(engine->state, source, id);
    gm_relationship gone = { .target = { GM_NONE } };
    if (gm_edge_ok(edge)) gone = gm_state_relationship(engine->state, edge);
    gm_str   from    = gm_state_id(engine->state, source), none = { 0 };
    gm_str   to      = gm_edge_ok(edge) ? gm_state_id(engine->state, gone.target) : from;
    uint64_t keys[3] = { key_of(GM_IN_FLIGHT_RELATIONSHIPS, from), key_of_relationship(from, id),
                         key_of(GM_IN_FLIGHT_RELATIONSHIPS, to) };
    return append_texts(engine, GM_CHANGE_RELATIONSHIP_DELETE, source.v, gone.target.v, 0, id, gone.name, none, keys, 3, ask, err);
}

gm_status gm_engine_submit(gm_engine *engine, gm_change_kind kind, uint8_t flags, gm_str id, gm_str name, gm_str text,
                           gm_ask ask, gm_error *err)
{
    bool     model = kind == GM_CHANGE_MODELS || kind == GM_CHANGE_MODEL_DECOMMISSION || kind == GM_CHANGE_MODEL_DELETE;
    bool     facts = kind == GM_CHANGE_FACT;
    uint64_t key   = facts ? key_of(GM_IN_FLIGHT_FACTS, id) : key_of(GM_IN_FLIGHT_TWIN, GM_STR(""));
    return append_texts(engine, kind, GM_NONE, GM_NONE, flags, id, name, text, &key, model || facts, ask, err);
}

gm_status gm_engine_history_delete(gm_engine *engine, gm_str id, gm_str path, gm_ask ask, gm_error *err)
{
    return append_texts(engine, GM_CHANGE_HISTORY_DELETE, GM_NONE, GM_NONE, 0, id, path, (gm_str){ 0 }, NULL, 0, ask, err);
}

gm_status gm_engine_ask(gm_engine *engine, gm_ask ask, bool *out_asked, gm_error *err)
{
    *out_asked = engine->settled < engine->submitted;
    if (*out_asked && reserve_ask(engine) != GM_OK) {
        *out_asked = false;
        return gm_fail(err, GM_NOMEM, "engine", "waiting for changes");
    }
    if (*out_asked) {
        add_ask(engine, engine->submitted, ask);
        return GM_OK;
    }
    if (engine->broken.status != GM_OK && err != NULL) *err = engine->broken;
    gm_status st = engine->broken.status != GM_OK ? engine->broken.status : gm_log_status(engine->log, err);
    return st == GM_LIMIT || st == GM_NOMEM ? GM_OK : st;  // of the last append: not of what was taken
}

bool gm_engine_in_flight(const gm_engine *engine, unsigned kinds, gm_str twin_id)
{
    for (unsigned kind = GM_IN_FLIGHT_TWIN; kind <= GM_IN_FLIGHT_FACTS; kind *= 2) {
        if ((kinds & kind) != 0 && gm_pending_has(&engine->pending, key_of((gm_in_flight)kind, twin_id))) return true;
    }
    return false;
}

bool gm_engine_relationship_in_flight(const gm_engine *engine, gm_str source_id, gm_str relationship_id)
{
    return gm_pending_has(&engine->pending, key_of_relationship(source_id, relationship_id));
}

bool gm_engine_busy(const gm_engine *engine, gm_str twin_id)
{
    return gm_engine_in_flight(engine, GM_IN_FLIGHT_TWIN | GM_IN_FLIGHT_PROPERTIES | GM_IN_FLIGHT_RELATIONSHIPS, twin_id);
}

gm_status gm_engine_later(gm_engine *engine, gm_loop_call *call, void *context, gm_error *err)
{
    if (!gm_alloc_reserve(engine->alloc, &engine->later, &engine->later_capacity, engine->later_count + 1, sizeof *engine->later)) {
        return gm_fail(err, GM_NOMEM, "engine", "postponing a call");
    }
    engine->later[engine->later_count++] = (gm_postponed){ call, context };
    return GM_OK;
}

void gm_engine_never(gm_engine *engine, gm_loop_call *call, void *context)
{
    size_t kept = 0;
    for (size_t i = 0; i < engine->later_count; i++) {
        bool gone = engine->later[i].call == call && engine->later[i].context == context;
        if (!gone) engine->later[kept++] = engine->later[i];
    }
    engine->later_count = kept;
}

gm_status gm_engine_observe(gm_engine *engine, gm_observer *observer, void *context, gm_error *err)
{
    if (engine->observer_count == GM_OBSERVERS_MAX) return gm_fail(err, GM_LIMIT, "engine", "more than %d observers", GM_OBSERVERS_MAX);
    engine->observers[engine->observer_count].call      = observer;
    engine->observers[engine->observer_count++].context = context;
    return GM_OK;
}

void gm_engine_unobserve(gm_engine *engine, gm_observer *observer, void *context)
{
    size_t kept = 0;
    for (size_t i = 0; i < engine->observer_count; i++) {
        bool gone = engine->observers[i].call == observer && engine->observers[i].context == context;
        if (!gone) engine->observers[kept++] = engine->observers[i];
    }
    engine->observer_count = kept;
}
