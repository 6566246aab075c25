// The owner thread's half of everything that changes. Start reading at on_durable.
#include "engine/checkpoint_parts.h"
#include "engine/past_states.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/timerfd.h>
#include <unistd.h>

static void on_log_event(void *context, uint32_t events);
static void on_retry(void *context, uint32_t events);
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
    engine->io            = options->io;
    engine->checkpoint    = options->checkpoint;
    engine->partial       = options->partial;
    engine->retention     = options->retention;
    engine->journal       = gm_buf_init(options->alloc);
    engine->last_ingest   = INT64_MIN;
    engine->retry_fd      = -1;
    engine->patient       = true;
    gm_paths_init(&engine->paths, options->alloc);
    engine->past = gm_past_states_create(engine);

    char           path[4096];
    gm_log_options log = options->log;
    engine->history_path = gm_alloc_bytes(options->alloc, strlen(options->data_dir) + 16);
    if (engine->history_path == NULL || engine->past == NULL) {
        st = gm_fail(err, GM_NOMEM, "engine", "opening %s", options->data_dir);
        goto done;
    }
    snprintf(engine->history_path, strlen(options->data_dir) + 16, "%s/history", options->data_dir);
    st = gm_checkpointer_open(engine, options->data_dir, err);
    if (st == GM_OK) st = gm_engine_make_parts(engine, err);
    if (st == GM_OK && gm_engine_begin_expiry(engine) != GM_OK) st = gm_fail(err, GM_NOMEM, "engine", "opening %s", options->data_dir);
    if (st != GM_OK) goto done;
    // A log that is new (of a restored copy) goes on where the checkpoint ends.
    gm_checkpoint_peek(options->io, options->alloc, engine->checkpoints->path, &log.first_sequence, &log.ingest_floor);
    log.first_sequence++;
    if ((size_t)snprintf(path, sizeof path, "%s/log", options->data_dir) >= sizeof path) {
        st = gm_fail(err, GM_INVALID, "engine", "the data directory's path is longer than %zu bytes", sizeof path);
        goto done;
    }
    st = gm_log_open(options->io, options->alloc, options->clock, path, &log, &engine->log, err);
    if (st != GM_OK) goto done;
    if (options->loop != NULL) {
        st = gm_loop_add(options->loop, gm_log_event_fd(engine->log), GM_LOOP_READ, on_log_event, engine, &engine->watch, err);
        if (st != GM_OK) goto done;
        st = gm_loop_at_turn_end(options->loop, on_turn_end, engine, err);
        if (st != GM_OK) goto done;
        engine->retry_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
        if (engine->retry_fd < 0) st = gm_fail_os(err, errno, "engine", "making a timer");
        if (st == GM_OK) st = gm_loop_add(options->loop, engine->retry_fd, GM_LOOP_READ, on_retry, engine, &engine->retry_watch, err);
        if (st != GM_OK) goto done;
    }
    *out_engine = engine;
    engine      = NULL;
done:
    gm_engine_close(engine);
    return st;
}

gm_status gm_engine_make_parts(gm_engine *engine, gm_error *err)
{
    gm_history_destroy(engine->history);
    gm_state_destroy(engine->state);
    gm_model_destroy(engine->model);
    gm_paths_finish(&engine->paths);
    gm_paths_init(&engine->paths, engine->alloc);
    engine->state   = NULL;
    engine->model   = gm_model_create(engine->alloc);
    engine->history = gm_history_create(engine->alloc);
    if (engine->model != NULL) engine->state = gm_state_create(engine->alloc, engine->model);
    if (engine->state == NULL || engine->history == NULL) return gm_fail(err, GM_NOMEM, "engine", "starting");
    return gm_history_use_files(engine->history, engine->io, engine->history_path, err);
}

void gm_engine_fold(gm_engine *engine, gm_change_kind kind, gm_engine_fold_fn *fold, void *context)
{
    assert(kind > 0 && kind < GM_CHANGE_KIND_COUNT && engine->folds[kind].call == NULL && !engine->recovered);
    engine->folds[kind].call    = fold;
    engine->folds[kind].context = context;
}

void gm_engine_keep(gm_engine *engine, const gm_keeper *keeper)
{
    assert(engine->keeper_count < GM_KEEPERS_MAX && strlen(keeper->name) < 64 && !engine->recovered);
    engine->keepers[engine->keeper_count++] = *keeper;
}

void gm_engine_follow(gm_engine *engine, gm_follower follower)
{
    assert(engine->follower_count < GM_FOLLOWERS_MAX && !engine->recovered);
    engine->followers[engine->follower_count++] = follower;
}

void gm_engine_close(gm_engine *engine)
{
    if (engine == NULL) return;
    if (engine->log != NULL) {
        gm_error ignored;  // whoever asked was answered with the reason
        if (engine->recovered) (void)!gm_engine_settle(engine, &ignored);
        if (engine->watch != NULL) gm_loop_remove(engine->watch);
        gm_checkpointer_close(engine);
        gm_log_close(engine->log);
    }
    gm_checkpointer_close(engine);
    gm_loop_remove(engine->retry_watch);
    if (engine->retry_fd >= 0) close(engine->retry_fd);
    gm_buf_finish(&engine->journal);
    gm_free(engine->alloc, engine->history_path);
    gm_engine_end_expiry(engine);
    gm_past_states_destroy(engine->past);
    gm_history_destroy(engine->history);
    gm_state_destroy(engine->state);
    gm_model_destroy(engine->model);
    gm_pending_finish(&engine->pending);
    gm_paths_finish(&engine->paths);
    gm_free(engine->alloc, engine->asks);
    gm_free(engine->alloc, engine->later);
    gm_free(engine->alloc, engine);
}

// ---- recovery -----------------------------------------------------------------------------------------------------

static bool world_moved_on(gm_status st)
{
    return st == GM_CONFLICT || st == GM_NOTFOUND || st == GM_INVALID;
}

static gm_status recover_one(void *context, const gm_record *record, gm_error *err)
{
    gm_engine *engine = context;
    gm_change  change;
    gm_status  st = gm_engine_apply(engine, record, &change, err);
    if (world_moved_on(st)) {
        engine->stats.dropped++;
        return GM_OK;
    }
    engine->stats.applied++;
    return st;
}

static gm_status load_checkpoint(gm_engine *engine, gm_error *err)
{
    uint64_t  sequence;
    gm_status st = gm_checkpoint_load(engine, &sequence, err);
    if (st == GM_OK && gm_log_durable(engine->log) < sequence) {
        st = gm_fail(err, GM_CORRUPT, "engine", "the log ends with record %llu, but there is a checkpoint of record %llu: segments are missing",
                     (unsigned long long)gm_log_durable(engine->log), (unsigned long long)sequence);
    }
    return st;
}

// What the log has behind the checkpoint. Without a good checkpoint that is everything, if it is still there.
static gm_status replay(gm_engine *engine, gm_error *err)
{
    gm_buf   *damage = &engine->checkpoints->damage;
    gm_error  why    = { 0 };
    gm_status st     = gm_log_replay(engine->log, engine->checkpoints->newest, recover_one, engine, &why);
    if (st == GM_NOTFOUND && damage->len > 0) {
        return gm_fail(err, GM_CORRUPT, "engine", "%s, and %.*s", why.text, (int)damage->len - 1, (const char *)damage->ptr);
    }
    if (st != GM_OK && err != NULL) *err = why;
    return st;
}

gm_status gm_engine_recover(gm_engine *engine, gm_error *err)
{
    assert(!engine->recovered);
    gm_dur_ns start = gm_monotonic(engine->clock);
    gm_status st    = load_checkpoint(engine, err);
    if (st == GM_OK) st = replay(engine, err);
    if (st != GM_OK) return st;
    engine->recovered      = true;
    engine->next_twin      = gm_state_next_twin(engine->state);
    engine->submitted      = engine->settled = gm_log_durable(engine->log);
    engine->stats.recovery = gm_monotonic(engine->clock) - start;
    return GM_OK;
}

// ---- asks -----------------------------------------------------------------------------------------------------------

// Answers whoever waits for this record. Keeps (2): records are answered in order.
static void answer(gm_engine *engine, uint64_t sequence, gm_status status, const gm_error *err)
{
    while (engine->ask_count > 0) {
        gm_waiting *front = &engine->asks[engine->ask_first];
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

// From where it stands. False: memory is refused to it, also when it asks again; the record waits, and with it all behind it.
// What is durable must be applied, and nothing may be acknowledged or seen in between.
static bool apply_batch(gm_engine *engine)
{
    enum { TRIES = 3, AHEAD = 3 };
    gm_record record;
    gm_ahead  ahead;
    gm_ahead_begin(&ahead, engine->batch_at);
    for (int i = 1; i < AHEAD; i++) gm_ahead_step(&ahead, engine);
    for (size_t at = engine->batch_at; gm_log_batch_next(&engine->batch, &at, &record); engine->batch_at = at) {
        gm_change change;
        gm_error  err = { 0 };
        gm_status st  = engine->broken.status;
        gm_ahead_step(&ahead, engine);
        if (st == GM_OK) {
            for (int i = 0; i < TRIES; i++) {
                st = gm_engine_apply(engine, &record, &change, &err);
                if (st != GM_NOMEM) break;
            }
            if (st == GM_NOMEM && engine->loop != NULL && engine->patient) return false;
        } else {
            err = engine->broken;
        }
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
    return true;
}

static void run_later(gm_engine *engine)
{
    // Calls may postpone again: those go to a new list.
    gm_postponed *calls = engine->later;
    size_t     count = engine->later_count;
    engine->later          = NULL;
    engine->later_count    = 0;
    engine->later_capacity = 0;
    for (size_t i = 0; i < count; i++) calls[i].call(calls[i].context);
    gm_free(engine->alloc, calls);
}

static void ring_later(gm_engine *engine)
{
    const struct itimerspec soon = { .it_value = { .tv_nsec = 20 * GM_MILLISECOND } };
    (void)!timerfd_settime(engine->retry_fd, 0, &soon, NULL);  // refused only for a wrong argument
}

// The next durable batch, or the rest of one that had to wait. False: there is none, or it waits.
static bool take_batch(gm_engine *engine)
{
    gm_status st = GM_OK;
    gm_error  err;
    if (!engine->stalled) {
        if (!gm_log_take(engine->log, &engine->batch, &st, &err)) return false;
        gm_log_flush(engine->log);
        engine->batch_at = 0;
        if (st == GM_OK) count_commit(engine);
    }
    uint64_t last = engine->batch.first_sequence + engine->batch.count - 1;
    if (st == GM_OK) {
        engine->stalled = !apply_batch(engine);
        if (engine->stalled) {
            ring_later(engine);
            return false;
        }
    } else {
        answer(engine, UINT64_MAX, st, &err);  // keeps (4): nothing behind it can become durable either
        last = UINT64_MAX;
    }
    gm_pending_settle(&engine->pending, last);
    engine->settled = st == GM_OK ? last : engine->submitted;
    gm_log_release(engine->log);
    return true;
}

// A batch is durable, or refused. The next one is given to the disk first, so that it works while we apply.
static void on_durable(gm_engine *engine)
{
    while (take_batch(engine)) {
        run_later(engine);
        gm_engine_expire(engine);
        if (engine->loop != NULL) gm_checkpoint_turn(engine);
    }
}

static void on_retry(void *context, uint32_t events)
{
    gm_engine *engine = context;
    uint64_t   rings;
    (void)events;
    ssize_t got = read(engine->retry_fd, &rings, sizeof rings);
    (void)got;
    on_durable(engine);
}

static void on_log_event(void *context, uint32_t events)
{
    (void)events;
    on_durable(context);
}

// A slice of it. A file that can not be read is told of by whoever asks for what it holds.
static void tidy_history(gm_engine *engine)
{
    enum { ENTRIES = 32 };
    gm_status st;
    if (engine->purge) engine->purge = gm_history_purge(engine->history, NULL) != GM_OK;
    engine->tidy = gm_history_tidy(engine->history, ENTRIES, &st, NULL) || engine->purge;
}

static void on_turn_end(void *context)
{
    gm_engine *engine = context;
    if (engine->later_count > 0 && engine->settled == engine->submitted) run_later(engine);
    if (engine->tidy) tidy_history(engine);
    gm_engine_expire(engine);
    gm_history_turn(engine->history);
    gm_log_flush(engine->log);  // after run_later: what it submits must not lie here until something else happens
}

uint64_t gm_engine_submitted(const gm_engine *engine) { return engine->submitted; }
uint64_t gm_engine_settled(const gm_engine *engine) { return engine->settled; }

gm_status gm_engine_settle(gm_engine *engine, gm_error *err)
{
    gm_log_flush(engine->log);
    engine->patient = false;  // nobody waits for memory here: what is refused is told
    if (engine->stalled) on_durable(engine);
    while (engine->settled < engine->submitted) {
        struct pollfd wait = { .fd = gm_log_event_fd(engine->log), .events = POLLIN };
        poll(&wait, 1, 1000);
        on_durable(engine);
        gm_log_flush(engine->log);
    }
    engine->patient = true;
    if (engine->broken.status != GM_OK) {
        if (err != NULL) *err = engine->broken;
        return engine->broken.status;
    }
    return gm_log_status(engine->log, err);
}

gm_status gm_engine_use_pool(gm_engine *engine, struct gm_pool *pool) { return gm_history_use_pool(engine->history, pool); }

gm_status gm_engine_index_add(gm_engine *engine, gm_str path, gm_index_order order, gm_error *err)
{
    return gm_state_index_add(engine->state, path, order, err);
}

bool gm_engine_index_drop(gm_engine *engine, gm_str path) { return gm_state_index_drop(engine->state, path); }
