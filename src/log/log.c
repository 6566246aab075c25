// Group commit. Three buffers go round: one fills, one is being committed, one is being applied by the owner.
//
// Invariants
//   (1) the owner alone touches `filling` and `out`; the commit thread alone touches the store and, while job is
//       COMMITTING, the buffer `committing`. The job changes under the lock, which orders everything in the buffer
//       with it: what the owner filled happens before the commit, what was committed happens before take.
//   (2) a batch is DONE with GM_OK only after the sync that covers it returned GM_OK.
//   (3) after the first refusal nothing is written any more; the log stays read-only until it is opened again.
//   (4) every batch that was flushed is taken exactly once, in the order of its sequences.
//
//     IDLE --flush--> COMMITTING --commit thread--> DONE --take--> IDLE
//       |                                            ^
//       +----------- flush, when read-only ----------+
#include "log/log.h"

#include "log/segment.h"
#include "log/store.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    BUFFER_FIRST  = 64 << 10,  // first size of a batch buffer
    BUFFER_KEEP   = 4 << 20,   // what a buffer may keep although its batch was small
    FIFO_PRIORITY = 1,         // above every ordinary thread, below everything else that asked for real time
};

typedef enum job_state { IDLE, COMMITTING, DONE } job_state;

typedef struct buffer {
    uint8_t *bytes;
    size_t   capacity, size, count;
    uint64_t first;  // sequence of its first record
} buffer;

struct gm_log {
    const gm_alloc *alloc;
    const gm_clock *clock;
    gm_store       *store;  // see (1)
    gm_log_options  options;
    int             event_fd;
    bool            has_thread;
    pthread_t       thread;

    // owner: the engine thread
    buffer     buffers[3];
    buffer    *filling, *committing, *out;  // out NULL: no batch is being applied
    size_t     last_at;                     // of the last record in filling
    uint64_t   next_sequence, durable;
    gm_time_ns last_ingest;
    gm_status  refusal;  // of the last append: GM_OK, GM_LIMIT, GM_NOMEM
    bool       read_only;
    gm_error   why;  // it is read-only

    pthread_mutex_t lock;
    pthread_cond_t  work;
    job_state       job;  // guarded by lock, with everything below
    gm_time_ns      job_ingest;
    gm_dur_ns       job_since;
    gm_status       job_status;
    gm_error        job_error;
    uint64_t        release_before;
    bool            roll;
    bool            stop;
    gm_log_stats    stats;
};

gm_log_options gm_log_options_defaults(void)
{
    return (gm_log_options){ .segment_size = 64 << 20, .batch_limit = 32 << 20, .realtime_commit = true,
                             .prepare_ahead = true, .first_sequence = 1, .ingest_floor = INT64_MIN };
}

static bool ask_for_realtime(void)
{
    // On busy cores an ordinary thread waits for its turn after every sync; first-in first-out goes at once. The
    // thread sleeps in the kernel nearly all the time, so it takes little from the others.
    struct sched_param wish = { .sched_priority = FIFO_PRIORITY };
    return pthread_setschedparam(pthread_self(), SCHED_FIFO, &wish) == 0;
}

static void announce(gm_log *log)
{
    uint64_t one = 1;
    ssize_t  put;
    do put = write(log->event_fd, &one, sizeof one);
    while (put < 0 && errno == EINTR);
    // The counter can not overflow (at most one event per batch, and take empties it), so nothing else can fail.
}

// Commits the job with the lock released. Keeps (2).
static void commit(gm_log *log)
{
    buffer    *b      = log->committing;
    gm_time_ns ingest = log->job_ingest;
    bool       roll   = log->roll;
    log->roll         = false;
    pthread_mutex_unlock(&log->lock);
    gm_error  err = { 0 };
    if (roll) gm_store_roll(log->store);
    gm_status st  = gm_store_commit(log->store, b->bytes, b->size, ingest, &err);
    gm_dur_ns now = gm_monotonic(log->clock);
    pthread_mutex_lock(&log->lock);
    log->job_status = st;
    log->job_error  = err;
    log->job        = DONE;
    log->stats.commits++;
    log->stats.commit_last = now - log->job_since;
    log->stats.commit_total += log->stats.commit_last;
    if (st == GM_OK) {
        log->stats.records += b->count;
        log->stats.bytes += b->size;
    }
    log->stats.segments      = gm_store_segments(log->store);
    log->stats.prepared_late = gm_store_prepared_late(log->store);
}

static void release_segments(gm_log *log)
{
    uint64_t before     = log->release_before;
    log->release_before = 0;
    pthread_mutex_unlock(&log->lock);
    gm_store_release_before(log->store, before);
    pthread_mutex_lock(&log->lock);
    log->stats.segments = gm_store_segments(log->store);
}

static void *run(void *context)
{
    gm_log *log      = context;
    bool    realtime = log->options.realtime_commit && ask_for_realtime();
    pthread_mutex_lock(&log->lock);
    log->stats.realtime = realtime;
    for (;;) {
        // A batch in flight is finished also when the log is closing.
        if (log->job == COMMITTING) {
            commit(log);
            pthread_mutex_unlock(&log->lock);  // so that the owner, woken now, does not run into the lock
            announce(log);
            pthread_mutex_lock(&log->lock);
        } else if (log->release_before > 0) {
            release_segments(log);
        } else if (log->stop) {
            break;
        } else {
            pthread_cond_wait(&log->work, &log->lock);
        }
    }
    pthread_mutex_unlock(&log->lock);
    return NULL;
}

gm_status gm_log_open(const gm_io *io, const gm_alloc *alloc, const gm_clock *clock, const char *path,
                      const gm_log_options *options, gm_log **out_log, gm_error *err)
{
    assert(io != NULL && alloc != NULL && clock != NULL && path != NULL && options != NULL && out_log != NULL);
    *out_log    = NULL;
    gm_log *log = gm_alloc_zeroed(alloc, sizeof *log);
    if (log == NULL) return gm_fail(err, GM_NOMEM, "log", "opening log %s", path);
    log->alloc      = alloc;
    log->clock      = clock;
    log->options    = *options;
    log->event_fd   = -1;
    log->filling    = &log->buffers[0];
    log->committing = &log->buffers[1];
    pthread_mutex_init(&log->lock, NULL);
    pthread_cond_init(&log->work, NULL);

    gm_status st = gm_store_open(io, alloc, path, options, gm_now(clock), &log->store, err);
    if (st != GM_OK) goto done;
    log->next_sequence  = gm_store_next_sequence(log->store);
    log->durable        = log->next_sequence - 1;
    log->last_ingest    = gm_store_last_ingest(log->store);
    log->stats.segments = gm_store_segments(log->store);

    log->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (log->event_fd < 0) {
        st = gm_fail_os(err, errno, "log", "making an event descriptor for log %s", path);
        goto done;
    }
    int refused = pthread_create(&log->thread, NULL, run, log);
    if (refused != 0) {
        st = gm_fail_os(err, refused, "log", "starting the commit thread of log %s", path);
        goto done;
    }
    log->has_thread = true;
    *out_log        = log;
    log             = NULL;
done:
    gm_log_close(log);
    return st;
}

void gm_log_close(gm_log *log)
{
    if (log == NULL) return;
    if (log->has_thread) {
        pthread_mutex_lock(&log->lock);
        log->stop = true;
        pthread_cond_signal(&log->work);
        pthread_mutex_unlock(&log->lock);
        pthread_join(log->thread, NULL);
    }
    if (log->event_fd >= 0) close(log->event_fd);
    gm_store_close(log->store);
    for (size_t i = 0; i < 3; i++) gm_free(log->alloc, log->buffers[i].bytes);
    pthread_cond_destroy(&log->work);
    pthread_mutex_destroy(&log->lock);
    gm_free(log->alloc, log);
}

gm_status gm_log_replay(gm_log *log, uint64_t after, gm_log_fold *fold, void *context, gm_error *err)
{
    // The commit thread has had no job yet, so the store is still the owner's.
    assert(log->filling->count == 0 && log->next_sequence == log->durable + 1 && !log->read_only);
    return gm_store_replay(log->store, after, fold, context, err);
}

// Room for `need` bytes in the filling buffer. Doubles, but never past the limit by more than it must.
static bool grow(gm_log *log, size_t need)
{
    buffer *b    = log->filling;
    size_t  size = b->capacity > 0 ? b->capacity : BUFFER_FIRST;
    while (size < need) size *= 2;
    uint8_t *bytes = gm_realloc_array(log->alloc, b->bytes, size, 1);
    if (bytes == NULL) return false;
    b->bytes    = bytes;
    b->capacity = size;
    return true;
}

uint8_t *gm_log_append(gm_log *log, uint8_t kind, size_t size, uint64_t *out_sequence)
{
    buffer *b = log->filling;
    if (log->read_only) return NULL;
    if (size > GM_RECORD_PAYLOAD_MAX || b->size + gm_record_bytes(size) > log->options.batch_limit) {
        log->refusal = GM_LIMIT;
        return NULL;
    }
    if (b->size + gm_record_bytes(size) > b->capacity && !grow(log, b->size + gm_record_bytes(size))) {
        log->refusal = GM_NOMEM;
        return NULL;
    }
    uint8_t *at = b->bytes + b->size;
    if (b->count == 0) b->first = log->next_sequence;
    gm_record_begin(at, kind, size, log->next_sequence, (uint32_t)b->count);
    log->last_at = b->size;
    log->refusal = GM_OK;
    b->size += gm_record_bytes(size);
    b->count++;
    *out_sequence = log->next_sequence++;
    return at + GM_RECORD_HEADER;
}

void gm_log_trim(gm_log *log, size_t size)
{
    buffer *b = log->filling;
    assert(b->count > 0);
    gm_record record;
    gm_record_view(b->bytes + log->last_at, &record);
    assert(size <= record.size);
    gm_record_begin(b->bytes + log->last_at, record.kind, size, record.sequence, (uint32_t)(b->count - 1));
    b->size = log->last_at + gm_record_bytes(size);
}

void gm_log_flush(gm_log *log)
{
    if (log->filling->count == 0) return;
    pthread_mutex_lock(&log->lock);
    if (log->job != IDLE) {
        pthread_mutex_unlock(&log->lock);
        return;
    }
    // The third buffer is the one that is neither filling nor out.
    buffer *b = log->filling;
    buffer *next = NULL;
    for (size_t i = 0; i < 3; i++) {
        if (&log->buffers[i] != b && &log->buffers[i] != log->out) next = &log->buffers[i];
    }
    log->committing = b;
    log->filling    = next;
    next->size = next->count = 0;
    log->refusal             = GM_OK;
    if (log->read_only) {
        log->job        = DONE;  // keeps (3) and (4)
        log->job_status = log->why.status;
        log->job_error  = log->why;
        pthread_mutex_unlock(&log->lock);
        announce(log);
        return;
    }
    // Ingest times rise also when somebody sets the clock back, or a batch has more records than nanoseconds.
    gm_time_ns now   = gm_now(log->clock);
    log->job_ingest  = now > log->last_ingest ? now : log->last_ingest + 1;
    log->last_ingest = log->job_ingest + (gm_time_ns)b->count - 1;
    log->job_since   = gm_monotonic(log->clock);
    log->job         = COMMITTING;
    pthread_mutex_unlock(&log->lock);
    // Behind the lock: the commit thread goes at once when it is woken, and would only run into it and sleep again. It can not
    // miss the call, having looked at the job under the lock before it went to sleep.
    pthread_cond_signal(&log->work);
}

int gm_log_event_fd(const gm_log *log)
{
    return log->event_fd;
}

bool gm_log_take(gm_log *log, gm_log_batch *out_batch, gm_status *out_status, gm_error *err)
{
    gm_log_release(log);
    pthread_mutex_lock(&log->lock);
    if (log->job != DONE) {
        pthread_mutex_unlock(&log->lock);
        return false;
    }
    log->job      = IDLE;
    *out_status   = log->job_status;
    gm_error said = log->job_error;
    pthread_mutex_unlock(&log->lock);

    // The event of this batch is used up. It may come a moment later than DONE was seen: then the owner is woken
    // once for nothing, which does no harm.
    uint64_t events;
    ssize_t  got = read(log->event_fd, &events, sizeof events);
    (void)got;

    buffer *b  = log->committing;
    log->out   = b;
    *out_batch = (gm_log_batch){ .bytes = b->bytes, .size = b->size, .count = b->count, .first_sequence = b->first };
    if (*out_status == GM_OK) {
        log->durable = b->first + b->count - 1;
    } else {
        if (!log->read_only) log->why = said;
        log->read_only = true;
        if (err != NULL) *err = said;
    }
    return true;
}

void gm_log_release(gm_log *log)
{
    buffer *b = log->out;
    if (b == NULL) return;
    log->out = NULL;
    // After a burst: give back what ordinary batches will not need.
    if (b->capacity > BUFFER_KEEP && b->size < b->capacity / 16) {
        gm_free(log->alloc, b->bytes);
        *b = (buffer){ 0 };
    }
}

bool gm_log_batch_next(const gm_log_batch *batch, size_t *at, gm_record *out_record)
{
    if (*at >= batch->size) return false;
    *at += gm_record_view(batch->bytes + *at, out_record);
    return true;
}

gm_status gm_log_status(const gm_log *log, gm_error *err)
{
    if (log->read_only) {
        if (err != NULL) *err = log->why;
        return log->why.status;
    }
    if (log->refusal == GM_LIMIT) {
        return gm_fail(err, GM_LIMIT, "log", "%zu bytes wait to be committed, at most %zu may", log->filling->size,
                       log->options.batch_limit);
    }
    if (log->refusal == GM_NOMEM) return gm_fail(err, GM_NOMEM, "log", "no memory for the next batch");
    return GM_OK;
}

uint64_t gm_log_durable(const gm_log *log)
{
    return log->durable;
}

void gm_log_roll(gm_log *log)
{
    pthread_mutex_lock(&log->lock);
    log->roll = true;
    pthread_mutex_unlock(&log->lock);
}

void gm_log_release_before(gm_log *log, uint64_t sequence)
{
    if (log->read_only) return;  // keeps (3)
    pthread_mutex_lock(&log->lock);
    if (sequence > log->release_before) log->release_before = sequence;
    pthread_cond_signal(&log->work);
    pthread_mutex_unlock(&log->lock);
}

gm_log_stats gm_log_statistics(const gm_log *log)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&log->lock;  // reading takes the lock too
    pthread_mutex_lock(lock);
    gm_log_stats stats = log->stats;
    pthread_mutex_unlock(lock);
    return stats;
}
