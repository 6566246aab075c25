// The owner thread's half of everything that changes. Start reading at on_durable.
#include "engine/engine.h"

#include "engine/paths.h"
#include "engine/pending.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>

enum { OBSERVERS_MAX = 16 };

typedef struct waiting { uint64_t sequence; gm_ask ask; } waiting;

typedef struct postponed { gm_loop_call *call; void *context; } postponed;

struct gm_engine {
    const gm_alloc *alloc;
    const gm_clock *clock;
    gm_loop        *loop;
    gm_log         *log;
    gm_watch       *watch;
    gm_model       *model;
    gm_state       *state;
    gm_history     *history;
    gm_paths        paths;       // numbers for history's series
    uint64_t        submitted, settled;  // last sequence appended; last one applied or refused
    uint32_t        next_twin;   // number of the next twin to be created, submitted ones counted
    bool            recovered;
    gm_error        broken;      // status GM_OK until applying fails: then state and log would part

    waiting        *asks;        // queue, a power of two
    size_t          ask_first, ask_count, ask_capacity;
    postponed      *later;
    size_t          later_count, later_capacity;
    gm_pending      pending;

    size_t          observer_count;
    struct { gm_observer *call; void *context; } observers[OBSERVERS_MAX];
    struct { gm_engine_fold_fn *call; void *context; } folds[GM_CHANGE_KIND_COUNT];
    gm_engine_stats stats;
};

static void on_log_event(void *context, uint32_t events);
static void on_turn_end(void *context);

// ---- life cycle ---------------------------------------------------------------------------------------------------

gm_status gm_engine_open(const gm_engine_options *options, gm_engine **out_engine, gm_error *err)
{
    gm_status  st     = GM_OK;
    gm_engine *engine = gm_alloc_zeroed(options->alloc, sizeof *engine);
    *out_engine       = NULL;
    if (engine == NULL) return gm_fail(err, GM_NOMEM, "engine", "opening %s", options->data_dir);
    engine->alloc         = options->alloc;
    engine->clock         = options->clock;
    engine->loop          = options->loop;
    engine->pending.alloc = options->alloc;
    gm_paths_init(&engine->paths, options->alloc);

    engine->model   = gm_model_create(options->alloc);
    engine->state   = engine->model != NULL ? gm_state_create(options->alloc, engine->model) : NULL;
    engine->history = gm_history_create(options->alloc);
    if (engine->state == NULL || engine->history == NULL) {
        st = gm_fail(err, GM_NOMEM, "engine", "opening %s", options->data_dir);
        goto done;
    }
    char path[4096];
    if ((size_t)snprintf(path, sizeof path, "%s/log", options->data_dir) >= sizeof path) {
        st = gm_fail(err, GM_INVALID, "engine", "the data directory's path is longer than %zu bytes", sizeof path);
        goto done;
    }
    st = gm_log_open(options->io, options->alloc, options->clock, path, &options->log, &engine->log, err);
    if (st != GM_OK) goto done;
    if (options->loop != NULL) {
        st = gm_loop_add(options->loop, gm_log_event_fd(engine->log), GM_LOOP_READ, on_log_event, engine, &engine->watch, err);
        if (st != GM_OK) goto done;
        st = gm_loop_at_turn_end(options->loop, on_turn_end, engine, err);
        if (st != GM_OK) goto done;
    }
    *out_engine = engine;
    engine      = NULL;
done:
    gm_engine_close(engine);
    return st;
}

void gm_engine_fold(gm_engine *engine, gm_change_kind kind, gm_engine_fold_fn *fold, void *context)
{
    assert(kind > 0 && kind < GM_CHANGE_KIND_COUNT && engine->folds[kind].call == NULL && !engine->recovered);
    engine->folds[kind].call    = fold;
    engine->folds[kind].context = context;
}

void gm_engine_close(gm_engine *engine)
{
    if (engine == NULL) return;
    if (engine->log != NULL) {
        gm_error ignored;  // whoever asked was answered with the reason
        if (engine->recovered) (void)!gm_engine_settle(engine, &ignored);
        if (engine->watch != NULL) gm_loop_remove(engine->watch);
        gm_log_close(engine->log);
    }
    gm_history_destroy(engine->history);
    gm_state_destroy(engine->state);
    gm_model_destroy(engine->model);
    gm_pending_finish(&engine->pending);
    gm_paths_finish(&engine->paths);
    gm_free(engine->alloc, engine->asks);
    gm_free(engine->alloc, engine->later);
    gm_free(engine->alloc, engine);
}

// ---- applying -----------------------------------------------------------------------------------------------------

// A series begins with the second value of its cell; the first lived in the cell alone and moves over now.
static gm_status keep_sample(gm_engine *engine, gm_twin twin, const gm_type *type, const gm_cell_write *cell, gm_error *err)
{
    gm_cell now;
    gm_state_get(engine->state, twin, cell->column, &now);
    uint32_t series = gm_engine_series(engine, type, cell->column);
    if (!gm_history_has(engine->history, twin.v, series)) {
        if (now.value.kind == GM_KIND_NONE || now.source == cell->at) return GM_OK;  // the first one, or its correction
        gm_status st = gm_history_append(engine->history, twin.v, series, now.source, now.value, NULL, err);
        if (st != GM_OK) return st;
    }
    return gm_history_append(engine->history, twin.v, series, cell->at, cell->value, NULL, err);
}

static bool names_cell(const gm_change *change, uint32_t column)
{
    gm_cell_write cell;
    for (const uint8_t *at = change->cells; gm_change_next_cell(change, &at, &cell);) {
        if (cell.column == column) return true;
    }
    return false;
}

// What a replacement leaves out is removed: that is a sample too.
static gm_status keep_removals(gm_engine *engine, gm_twin twin, const gm_change *change, gm_time_ns ingest, gm_error *err)
{
    const gm_type *type = gm_state_type(engine->state, twin);
    for (uint32_t c = 0; c < type->column_count; c++) {
        gm_cell cell;
        gm_state_get(engine->state, twin, c, &cell);
        if (cell.value.kind == GM_KIND_NONE || type->columns[c].is_telemetry || names_cell(change, c)) continue;
        gm_cell_write gone = { .column = (uint16_t)c, .at = ingest };
        gm_status     st   = keep_sample(engine, twin, type, &gone, err);
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

// A twin that changes its model: values that only live in cells get series of their own, since the cells will go.
// Series go on under the columns with the same paths by themselves.
static gm_status keep_cells(gm_engine *engine, gm_twin twin, gm_error *err)
{
    const gm_type *type = gm_state_type(engine->state, twin);
    for (uint32_t c = 0; c < type->column_count; c++) {
        gm_cell cell;
        gm_state_get(engine->state, twin, c, &cell);
        uint32_t series = gm_engine_series(engine, type, c);
        if (cell.value.kind == GM_KIND_NONE || gm_history_has(engine->history, twin.v, series)) continue;
        gm_status st = gm_history_append(engine->history, twin.v, series, cell.source, cell.value, NULL, err);
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

// Before the state changes: what history needs to know of the old state.
static gm_status record_history(gm_engine *engine, const gm_record *record, const gm_change *change, gm_error *err)
{
    gm_twin twin = { change->twin };
    if (!gm_state_exists(engine->state, twin)) return GM_OK;
    const gm_type *type = gm_state_type(engine->state, twin);
    if (change->kind == GM_CHANGE_TWIN_PUT) {
        if (!gm_str_eq(gm_state_id(engine->state, twin), change->id)) return GM_OK;
        if (!gm_str_eq(type->id, change->name)) return keep_cells(engine, twin, err);
        gm_status st = keep_removals(engine, twin, change, record->ingest, err);
        if (st != GM_OK) return st;
    } else if (type->number != change->type) {
        return GM_OK;
    }
    gm_cell_write cell;
    for (const uint8_t *at = change->cells; gm_change_next_cell(change, &at, &cell);) {
        if (cell.column >= type->column_count) return gm_fail(err, GM_CORRUPT, "engine", "column %u does not exist", cell.column);
        gm_status st = keep_sample(engine, twin, type, &cell, err);
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

// The fold, live and at recovery. GM_CONFLICT: the change has no effect.
static gm_status apply(gm_engine *engine, const gm_record *record, gm_change *change, gm_error *err)
{
    gm_status st = gm_change_decode(record->kind, record->payload, record->size, change, err);
    if (st != GM_OK) return st;
    if (change->kind == GM_CHANGE_WRITE || change->kind == GM_CHANGE_TWIN_PUT) {
        st = record_history(engine, record, change, err);
        if (st != GM_OK) return st;
        engine->stats.samples += change->cell_count;
    }
    st = gm_state_apply(engine->state, record->sequence, record->ingest, change, err);
    if (st != GM_OK) return st;
    if (change->kind == GM_CHANGE_MODELS && gm_paths_update(&engine->paths, engine->model) != GM_OK) {
        return gm_fail(err, GM_NOMEM, "engine", "numbering the paths of new models");
    }
    if (engine->folds[change->kind].call != NULL) {
        st = engine->folds[change->kind].call(engine->folds[change->kind].context, record, change, err);
    }
    return st;
}

static bool world_moved_on(gm_status st)
{
    return st == GM_CONFLICT || st == GM_NOTFOUND || st == GM_INVALID;
}

static gm_status recover_one(void *context, const gm_record *record, gm_error *err)
{
    gm_engine *engine = context;
    gm_change  change;
    gm_status  st = apply(engine, record, &change, err);
    if (world_moved_on(st)) {
        engine->stats.dropped++;
        return GM_OK;
    }
    engine->stats.applied++;
    return st;
}

gm_status gm_engine_recover(gm_engine *engine, gm_error *err)
{
    assert(!engine->recovered);
    gm_dur_ns start = gm_monotonic(engine->clock);
    gm_status st    = gm_log_replay(engine->log, 0, recover_one, engine, err);
    if (st != GM_OK) return st;
    engine->recovered      = true;
    engine->next_twin      = gm_state_next_twin(engine->state);
    engine->submitted      = engine->settled = gm_log_durable(engine->log);
    engine->stats.recovery = gm_monotonic(engine->clock) - start;
    return GM_OK;
}

// ---- asks -----------------------------------------------------------------------------------------------------------

static gm_status reserve_ask(gm_engine *engine)
{
    if (engine->ask_count < engine->ask_capacity) return GM_OK;
    size_t   grown = engine->ask_capacity > 0 ? 2 * engine->ask_capacity : 1024;
    waiting *asks  = gm_alloc_array(engine->alloc, grown, sizeof *asks);
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
    engine->asks[(engine->ask_first + engine->ask_count++) & (engine->ask_capacity - 1)] = (waiting){ sequence, ask };
}

// Answers whoever waits for this record. Keeps (2): records are answered in order.
static void answer(gm_engine *engine, uint64_t sequence, gm_status status, const gm_error *err)
{
    while (engine->ask_count > 0) {
        waiting *front = &engine->asks[engine->ask_first];
        if (front->sequence > sequence) return;
        gm_ask ask = front->ask;
        engine->ask_first = (engine->ask_first + 1) & (engine->ask_capacity - 1);
        engine->ask_count--;
        ask.call(ask.context, ask.token, status, status != GM_OK ? err : NULL);
    }
}

// ---- commits --------------------------------------------------------------------------------------------------------

static void count_commit(gm_engine *engine)
{
    gm_dur_ns us     = gm_log_statistics(engine->log).commit_last / GM_MICROSECOND;
    size_t    bucket = 0;
    while (bucket < 23 && us >= (INT64_C(1) << bucket)) bucket++;
    engine->stats.commit_us[bucket]++;
    engine->stats.batches++;
}

static void apply_batch(gm_engine *engine, const gm_log_batch *batch)
{
    gm_record record;
    for (size_t at = 0; gm_log_batch_next(batch, &at, &record);) {
        gm_change change;
        gm_error  err = { 0 };
        gm_status st  = engine->broken.status;
        if (st == GM_OK) st = apply(engine, &record, &change, &err);
        else err = engine->broken;
        if (st == GM_OK) {
            engine->stats.applied++;
            for (size_t i = 0; i < engine->observer_count; i++) {
                engine->observers[i].call(engine->observers[i].context, &record, &change);
            }
        } else if (world_moved_on(st)) {
            engine->stats.dropped++;
            st = GM_CONFLICT;
        } else {
            engine->broken = err;
        }
        answer(engine, record.sequence, st, &err);
    }
}

static void run_later(gm_engine *engine)
{
    // Calls may postpone again: those go to a new list.
    postponed *calls = engine->later;
    size_t     count = engine->later_count;
    engine->later          = NULL;
    engine->later_count    = 0;
    engine->later_capacity = 0;
    for (size_t i = 0; i < count; i++) calls[i].call(calls[i].context);
    gm_free(engine->alloc, calls);
}

// A batch is durable, or refused. The next one is given to the disk first, so that it works while we apply.
static void on_durable(gm_engine *engine)
{
    gm_log_batch batch;
    gm_status    st;
    gm_error     err;
    while (gm_log_take(engine->log, &batch, &st, &err)) {
        gm_log_flush(engine->log);
        uint64_t last = batch.first_sequence + batch.count - 1;
        if (st == GM_OK) {
            count_commit(engine);
            apply_batch(engine, &batch);
        } else {
            answer(engine, UINT64_MAX, st, &err);  // keeps (4): nothing behind it can become durable either
            last = UINT64_MAX;
        }
        gm_pending_settle(&engine->pending, last);
        engine->settled = st == GM_OK ? last : engine->submitted;
        gm_log_release(engine->log);
        run_later(engine);
    }
}

static void on_log_event(void *context, uint32_t events)
{
    (void)events;
    on_durable(context);
}

static void on_turn_end(void *context)
{
    gm_engine *engine = context;
    if (engine->later_count > 0 && engine->settled == engine->submitted) run_later(engine);
    gm_log_flush(engine->log);  // after run_later: what it submits must not lie here until something else happens
}

gm_status gm_engine_settle(gm_engine *engine, gm_error *err)
{
    gm_log_flush(engine->log);
    while (engine->settled < engine->submitted) {
        struct pollfd wait = { .fd = gm_log_event_fd(engine->log), .events = POLLIN };
        poll(&wait, 1, 1000);
        on_durable(engine);
        gm_log_flush(engine->log);
    }
    if (engine->broken.status != GM_OK) {
        if (err != NULL) *err = engine->broken;
        return engine->broken.status;
    }
    return gm_log_status(engine->log, err);
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
    uint64_t key = key_of(GM_IN_FLIGHT_TWIN, GM_STR(""));
    return append_texts(engine, kind, GM_NONE, GM_NONE, flags, id, name, text, &key, model, ask, err);
}

bool gm_engine_in_flight(const gm_engine *engine, unsigned kinds, gm_str twin_id)
{
    for (unsigned kind = GM_IN_FLIGHT_TWIN; kind <= GM_IN_FLIGHT_RELATIONSHIPS; kind *= 2) {
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
    engine->later[engine->later_count++] = (postponed){ call, context };
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
    if (engine->observer_count == OBSERVERS_MAX) return gm_fail(err, GM_LIMIT, "engine", "more than %d observers", OBSERVERS_MAX);
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

// ---- reading --------------------------------------------------------------------------------------------------------

gm_model *gm_engine_model(gm_engine *engine) { return engine->model; }
const gm_state *gm_engine_state(const gm_engine *engine) { return engine->state; }
const gm_history *gm_engine_history(const gm_engine *engine) { return engine->history; }
gm_log *gm_engine_log(gm_engine *engine) { return engine->log; }
gm_engine_stats gm_engine_statistics(const gm_engine *engine) { return engine->stats; }

uint32_t gm_engine_series(const gm_engine *engine, const gm_type *type, uint32_t column)
{
    return gm_paths_number(&engine->paths, type, column);
}

// A column without a series has its one value, if any, in the live cell.
static bool only_cell(const gm_engine *engine, gm_twin twin, uint32_t column, uint32_t *out_series, gm_cell *out_cell)
{
    *out_series = gm_engine_series(engine, gm_state_type(engine->state, twin), column);
    if (gm_history_has(engine->history, twin.v, *out_series)) return false;
    gm_state_get(engine->state, twin, column, out_cell);
    return true;
}

gm_status gm_engine_read_history(const gm_engine *engine, gm_twin twin, uint32_t column, gm_time_ns from, gm_time_ns to,
                                 gm_history_each *each, void *context, gm_error *err)
{
    uint32_t series;
    gm_cell  cell;
    if (!only_cell(engine, twin, column, &series, &cell)) {
        return gm_history_read(engine->history, twin.v, series, from, to, each, context, err);
    }
    if (cell.value.kind != GM_KIND_NONE && cell.source >= from && cell.source < to) {
        each(context, &(gm_sample){ .at = cell.source, .value = cell.value });
    }
    return GM_OK;
}

gm_status gm_engine_read_buckets(const gm_engine *engine, gm_twin twin, uint32_t column, gm_time_ns from, gm_time_ns to,
                                 size_t n, gm_bucket *out_buckets, gm_error *err)
{
    uint32_t series;
    gm_cell  cell;
    if (!only_cell(engine, twin, column, &series, &cell)) {
        return gm_history_buckets(engine->history, twin.v, series, from, to, n, out_buckets, err);
    }
    if (n == 0 || to <= from) return gm_fail(err, GM_INVALID, "engine", "a range of no length has no buckets");
    __extension__ typedef __int128 wide;
    wide span = (wide)to - from;
    for (size_t i = 0; i < n; i++) out_buckets[i] = (gm_bucket){ .from = (gm_time_ns)(from + span * (wide)i / (wide)n) };
    if (cell.value.kind == GM_KIND_NONE || cell.source < from || cell.source >= to) return GM_OK;
    if (cell.value.kind == GM_KIND_STRING || cell.value.kind == GM_KIND_JSON) {
        return gm_fail(err, GM_INVALID, "engine", "text can not be put into buckets");
    }
    double     value  = cell.value.kind == GM_KIND_DOUBLE ? cell.value.d : (double)cell.value.i;
    gm_bucket *bucket = &out_buckets[(size_t)(((wide)cell.source - from) * (wide)n / span)];
    *bucket = (gm_bucket){ bucket->from, 1, value, value, value, value, cell.source };
    return GM_OK;
}

uint64_t gm_engine_count_history(const gm_engine *engine, gm_twin twin, uint32_t column)
{
    uint32_t series;
    gm_cell  cell;
    if (only_cell(engine, twin, column, &series, &cell)) return cell.value.kind != GM_KIND_NONE;
    return gm_history_count(engine->history, twin.v, series);
}
