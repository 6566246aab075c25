// Invariants
//   (1) everything in gm_pool and gm_pool_job is guarded by `lock`, but for `stop_asked` (atomic, advice only: it makes
//       a part return early, and nothing is read because of it) and what never changes after create or submit.
//   (2) a job is FINISHED only when none of its parts runs any more; a part's writes happen before that, since its
//       thread took the lock afterwards, and the owner took it before it calls done.
//   (3) jobs leave the list by the owner's hand only, so that the owner may walk it without surprises.
#include "base/pool.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NICE = 15 };

typedef enum job_stage { PARTS, FINISHING, FINISHED } job_stage;

struct gm_pool_job {
    gm_pool     *pool;
    gm_pool_job *next;  // in the order of submission
    gm_pool_id   id;
    gm_pool_task task;
    job_stage    stage;
    uint32_t     begun, running, ended;  // parts
    bool         news;
    gm_status    status;
    gm_error     error;
    atomic_bool  stop_asked;  // see (1)
};

typedef struct pool_thread {
    gm_pool  *pool;
    pthread_t thread;
    uint32_t  index;
} pool_thread;

struct gm_pool {
    const gm_alloc *alloc;
    gm_loop        *loop;
    gm_watch       *watch;
    int             event_fd;
    uint32_t        jobs_max, thread_count;
    gm_pool_urgency urgency;
    pool_thread     threads[GM_POOL_THREADS_MAX];

    pthread_mutex_t lock;
    pthread_cond_t  work;
    gm_pool_job    *first;      // guarded by lock, with everything below
    uint32_t        job_count;
    uint64_t        last_id, turn;  // turn: id of the job that was given a part last
    bool            stop;
};

gm_pool_options gm_pool_options_defaults(void)
{
    return (gm_pool_options){ .threads = 0, .jobs_max = 64 };
}

// ---- threads --------------------------------------------------------------------------------------------------------

static void wake_owner(gm_pool *pool)
{
    uint64_t one = 1;
    ssize_t  put;
    do put = write(pool->event_fd, &one, sizeof one);
    while (put < 0 && errno == EINTR);  // EAGAIN: the counter is full, so the owner is awake already
}

static bool has_part(const gm_pool_job *job)
{
    return job->stage == PARTS && job->status == GM_OK && job->begun < job->task.parts &&
           (job->task.threads_max == 0 || job->running < job->task.threads_max);
}

// Round robin: the next job behind the one that was served last, else the first.
static gm_pool_job *pick(gm_pool *pool)
{
    gm_pool_job *first = NULL;
    for (gm_pool_job *job = pool->first; job != NULL; job = job->next) {
        if (!has_part(job)) continue;
        if (job->id.v > pool->turn) return job;
        if (first == NULL) first = job;
    }
    return first;
}

static void conclude(gm_pool *pool, gm_pool_job *job)
{
    job->stage = FINISHED;
    wake_owner(pool);
}

static void note_status(gm_pool_job *job, gm_status status, const gm_error *err)
{
    if (status == GM_OK || job->status != GM_OK) return;
    job->status = status;
    job->error  = *err;
    atomic_store_explicit(&job->stop_asked, true, memory_order_relaxed);
}

// With the lock held; it is released while foreign code runs.
static void run_part(gm_pool *pool, gm_pool_job *job, uint32_t thread)
{
    uint32_t part = job->begun++;
    job->running++;
    pool->turn = job->id.v;
    pthread_mutex_unlock(&pool->lock);
    gm_error  err = { 0 };
    gm_status st  = job->task.run(job->task.context, part, thread, job, &err);
    pthread_mutex_lock(&pool->lock);
    job->running--;
    job->ended++;
    note_status(job, st, &err);
    if (job->running > 0) {
        if (has_part(job)) pthread_cond_signal(&pool->work);
        return;
    }
    if (job->status == GM_OK && job->begun < job->task.parts) return;
    if (job->status == GM_OK && job->task.finish != NULL) {
        job->stage = FINISHING;
        pthread_mutex_unlock(&pool->lock);
        st = job->task.finish(job->task.context, job, &err);
        pthread_mutex_lock(&pool->lock);
        note_status(job, st, &err);
    }
    conclude(pool, job);
}

// Where it is not allowed the thread stays an ordinary one, which is correct, only less polite.
static void step_back(void)
{
    struct sched_param none = { 0 };
    (void)pthread_setschedparam(pthread_self(), SCHED_BATCH, &none);
    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
}

static void *work(void *context)
{
    pool_thread *t    = context;
    gm_pool     *pool = t->pool;
    if (pool->urgency == GM_POOL_PATIENT) step_back();
    pthread_mutex_lock(&pool->lock);
    while (!pool->stop) {
        gm_pool_job *job = pick(pool);
        if (job != NULL) run_part(pool, job, t->index);
        else pthread_cond_wait(&pool->work, &pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

// ---- the owner's side ------------------------------------------------------------------------------------------------

// Takes the first finished job out of the list, or NULL.
static gm_pool_job *take_finished(gm_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    gm_pool_job **at = &pool->first;
    while (*at != NULL && (*at)->stage != FINISHED) at = &(*at)->next;
    gm_pool_job *job = *at;
    if (job != NULL) {
        *at = job->next;
        pool->job_count--;
    }
    pthread_mutex_unlock(&pool->lock);
    return job;
}

// Takes the news flag of the first job behind `after`. The callbacks may submit and cancel, so the list is walked afresh
// for every one; a job that announces without pause is heard once a turn.
static gm_pool_job *take_news(gm_pool *pool, gm_pool_id *after)
{
    pthread_mutex_lock(&pool->lock);
    gm_pool_job *job = pool->first;
    while (job != NULL && (job->id.v <= after->v || !job->news)) job = job->next;
    if (job != NULL) {
        job->news = false;
        *after    = job->id;
    }
    pthread_mutex_unlock(&pool->lock);
    return job;
}

static void deliver(gm_pool *pool)
{
    uint64_t count;
    ssize_t  got = read(pool->event_fd, &count, sizeof count);
    (void)got;  // nothing there: nothing lost, the lists below are what counts
    gm_pool_id   heard = { 0 };
    gm_pool_job *job;
    while ((job = take_news(pool, &heard)) != NULL) {
        if (job->task.news != NULL) job->task.news(job->task.context);
    }
    while ((job = take_finished(pool)) != NULL) {
        job->task.done(job->task.context, job->status, job->status == GM_OK ? NULL : &job->error);
        gm_free(pool->alloc, job);
    }
}

static void on_event(void *context, uint32_t events)
{
    (void)events;
    deliver(context);
}

static uint32_t cores(void)
{
    cpu_set_t set;
    int       n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return n < 1 ? 1 : n > GM_POOL_THREADS_MAX ? (uint32_t)GM_POOL_THREADS_MAX : (uint32_t)n;
}

static gm_status start_threads(gm_pool *pool, uint32_t wanted, gm_error *err)
{
    int refused = 0;
    if (wanted == 0) wanted = cores();
    if (wanted > GM_POOL_THREADS_MAX) wanted = GM_POOL_THREADS_MAX;
    for (uint32_t i = 0; i < wanted && refused == 0; i++) {
        pool->threads[i] = (pool_thread){ .pool = pool, .index = i };
        refused          = pthread_create(&pool->threads[i].thread, NULL, work, &pool->threads[i]);
        if (refused == 0) pool->thread_count++;
    }
    return pool->thread_count > 0 ? GM_OK : gm_fail_os(err, refused, "base.pool", "starting a worker thread");
}

gm_status gm_pool_create(const gm_alloc *alloc, gm_loop *loop, const gm_pool_options *options, gm_pool **out_pool,
                         gm_error *err)
{
    *out_pool     = NULL;
    gm_pool *pool = gm_alloc_zeroed(alloc, sizeof *pool);
    if (pool == NULL) return gm_fail(err, GM_NOMEM, "base.pool", "making the worker threads");
    pool->alloc    = alloc;
    pool->loop     = loop;
    pool->jobs_max = options->jobs_max;
    pool->urgency  = options->urgency;
    pool->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    gm_status st = GM_OK;
    if (pool->event_fd < 0) st = gm_fail_os(err, errno, "base.pool", "eventfd");
    if (st == GM_OK && loop != NULL) st = gm_loop_add(loop, pool->event_fd, GM_LOOP_READ, on_event, pool, &pool->watch, err);
    if (st == GM_OK) st = start_threads(pool, options->threads, err);
    if (st != GM_OK) {
        gm_pool_destroy(pool);
        return st;
    }
    *out_pool = pool;
    return GM_OK;
}

static void cancel_locked(gm_pool *pool, gm_pool_job *job)
{
    gm_error why = { 0 };
    if (job->stage == FINISHED) return;
    note_status(job, gm_fail(&why, GM_CANCELLED, "base.pool", "the job was cancelled"), &why);
    if (job->stage == PARTS && job->running == 0) conclude(pool, job);
}

void gm_pool_destroy(gm_pool *pool)
{
    if (pool == NULL) return;
    pthread_mutex_lock(&pool->lock);
    pool->stop = true;
    for (gm_pool_job *job = pool->first; job != NULL; job = job->next) cancel_locked(pool, job);
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (uint32_t i = 0; i < pool->thread_count; i++) pthread_join(pool->threads[i].thread, NULL);
    deliver(pool);
    assert(pool->first == NULL);  // gm_pool_submit refuses once stop is set
    gm_loop_remove(pool->watch);
    if (pool->event_fd >= 0) close(pool->event_fd);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    gm_free(pool->alloc, pool);
}

uint32_t gm_pool_threads(const gm_pool *pool) { return pool->thread_count; }

gm_status gm_pool_submit(gm_pool *pool, const gm_pool_task *task, gm_pool_id *out_id, gm_error *err)
{
    assert(task->parts > 0 && task->run != NULL && task->done != NULL);
    *out_id          = (gm_pool_id){ 0 };
    gm_pool_job *job = gm_alloc_zeroed(pool->alloc, sizeof *job);
    if (job == NULL) return gm_fail(err, GM_NOMEM, "base.pool", "queueing a job");
    job->pool = pool;
    job->task = *task;

    gm_status st = GM_OK;
    pthread_mutex_lock(&pool->lock);
    if (pool->stop) st = gm_fail(err, GM_CANCELLED, "base.pool", "the worker threads are being stopped");
    else if (pool->job_count >= pool->jobs_max)
        st = gm_fail(err, GM_LIMIT, "base.pool", "%u jobs are under way already; try again when one has ended", pool->job_count);
    if (st == GM_OK) {
        gm_pool_job **last = &pool->first;
        while (*last != NULL) last = &(*last)->next;
        *last   = job;
        job->id = *out_id = (gm_pool_id){ ++pool->last_id };
        job = NULL;
        pool->job_count++;
        pthread_cond_broadcast(&pool->work);
    }
    pthread_mutex_unlock(&pool->lock);
    gm_free(pool->alloc, job);
    return st;
}

static gm_pool_job *find_locked(gm_pool *pool, gm_pool_id id)
{
    gm_pool_job *job = pool->first;
    while (job != NULL && job->id.v != id.v) job = job->next;
    return job;
}

void gm_pool_cancel(gm_pool *pool, gm_pool_id id)
{
    pthread_mutex_lock(&pool->lock);
    gm_pool_job *job = find_locked(pool, id);
    if (job != NULL) cancel_locked(pool, job);
    pthread_mutex_unlock(&pool->lock);
}

uint32_t gm_pool_jobs(gm_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    uint32_t count = pool->job_count;
    pthread_mutex_unlock(&pool->lock);
    return count;
}

bool gm_pool_look(gm_pool *pool, gm_pool_id id, gm_pool_progress *out_progress)
{
    gm_pool_progress p = { 0 };
    pthread_mutex_lock(&pool->lock);
    gm_pool_job *job = pool->first;
    for (; job != NULL && job->id.v != id.v; job = job->next) p.jobs_ahead += job->stage != FINISHED;
    if (job != NULL) {
        p.parts      = job->task.parts;
        p.parts_done = job->ended;
    }
    pthread_mutex_unlock(&pool->lock);
    *out_progress = p;
    return job != NULL;
}

bool gm_pool_turn(gm_pool *pool, gm_dur_ns wait_ns)
{
    struct pollfd   fd   = { .fd = pool->event_fd, .events = POLLIN };
    struct timespec wait = { .tv_sec = wait_ns / GM_SECOND, .tv_nsec = wait_ns % GM_SECOND };
    pthread_mutex_lock(&pool->lock);
    bool any = pool->first != NULL;
    pthread_mutex_unlock(&pool->lock);
    if (any) (void)ppoll(&fd, 1, &wait, NULL);
    deliver(pool);
    pthread_mutex_lock(&pool->lock);
    any = pool->first != NULL;
    pthread_mutex_unlock(&pool->lock);
    return any;
}

// ---- inside a job ----------------------------------------------------------------------------------------------------

bool gm_pool_cancelled(const gm_pool_job *job)
{
    return atomic_load_explicit(&job->stop_asked, memory_order_relaxed);
}

void gm_pool_announce(gm_pool_job *job)
{
    gm_pool *pool = job->pool;
    pthread_mutex_lock(&pool->lock);
    bool first = !job->news;
    job->news  = true;
    pthread_mutex_unlock(&pool->lock);
    if (first) wake_owner(pool);
}
