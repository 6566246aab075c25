// base/pool.h: threads for long work: simulations, filters, training. The one who asks goes on; the answer comes to the
// event loop.
//
//   gm_pool_task task = { .parts = blocks, .run = run_block, .finish = reduce, .done = on_done, .context = job };
//   if (gm_pool_submit(pool, &task, &id, &err) != GM_OK) ...        // GM_LIMIT: too much is waiting already
//   ...                                                             // run_block(job, 0 .. blocks-1) on the threads,
//                                                                   // reduce(job) on one of them when all are done,
//   gm_pool_cancel(pool, id);                                       // (or not)
//   ...                                                             // on_done(job, status, err) in a turn of the loop
//
//   submit --> QUEUED --a thread takes a part--> RUNNING --last part, finish--> FINISHED --turn of the owner--> done()
//                 |                                 | cancel, or a part failed: no further part begins   ^
//                 +---------------------------------+----------------------------------------------------+
//
// Jobs that are under way together get parts in turn, so a small job need not wait for a large one. The threads run as
// batch work of low priority (SCHED_BATCH, nice 15): who answers people and devices goes first. A pool of its own that is
// GM_POOL_PROMPT is for short work that somebody waits for.
//
// Owner's thread: everything but gm_pool_cancelled and gm_pool_announce, which belong to run and finish. `run` may be
// called for different parts at the same time; what one part writes, `finish` and `done` see.
#ifndef GM_BASE_POOL_H
#define GM_BASE_POOL_H

#include "base/loop.h"

typedef struct gm_pool     gm_pool;
typedef struct gm_pool_job gm_pool_job;                    // a job as its own parts see it
typedef struct gm_pool_id { uint64_t v; } gm_pool_id;      // never used twice; { 0 } is no job

typedef struct gm_pool_task {
    uint32_t parts;        // >= 1
    uint32_t threads_max;  // most parts at a time; 0 = as many as there are threads
    // One part. thread < gm_pool_threads, and never the same for two parts at a time: a place for scratch memory.
    // What it does not return GM_OK for ends the job with that status; parts that have begun are waited for.
    gm_status (*run)(void *context, uint32_t part, uint32_t thread, gm_pool_job *job, gm_error *err);
    // After the last part, when all went well. May be NULL.
    gm_status (*finish)(void *context, gm_pool_job *job, gm_error *err);
    // Owner's thread: something was announced (several announcements may make one call). May be NULL.
    void (*news)(void *context);
    // Owner's thread, exactly once, whatever happened; the job is no longer known then. GM_CANCELLED after gm_pool_cancel
    // (unless it came too late) and when the pool ends. err is NULL when status is GM_OK.
    void (*done)(void *context, gm_status status, const gm_error *err);
    void *context;
} gm_pool_task;

typedef enum gm_pool_urgency { GM_POOL_PATIENT, GM_POOL_PROMPT } gm_pool_urgency;

typedef struct gm_pool_options {
    uint32_t threads;   // 0 = one for each core that this process may use; at most GM_POOL_THREADS_MAX
    uint32_t jobs_max;  // jobs queued and running together
    gm_pool_urgency urgency;
} gm_pool_options;

enum { GM_POOL_THREADS_MAX = 256 };

gm_pool_options gm_pool_options_defaults(void);  // 0, 64, patient

// loop: where done and news are called; NULL: whoever owns the pool calls gm_pool_turn.
// Errors: GM_NOMEM, GM_IO (no thread could be started).
GM_NODISCARD gm_status gm_pool_create(const gm_alloc *alloc, gm_loop *loop, const gm_pool_options *options,
                                      gm_pool **out_pool, gm_error *err);
// Cancels what is under way, waits for the parts that have begun, calls done for all, and ends the threads. NULL is
// allowed. The loop must still be there.
void     gm_pool_destroy(gm_pool *pool);
uint32_t gm_pool_threads(const gm_pool *pool);

// Copies the task. May be called from done. GM_LIMIT: jobs_max are under way; done is not called then.
GM_NODISCARD gm_status gm_pool_submit(gm_pool *pool, const gm_pool_task *task, gm_pool_id *out_id, gm_error *err);

// No further part begins; done comes in a later turn, when those that have begun are over. No effect when the job has
// ended already.
void gm_pool_cancel(gm_pool *pool, gm_pool_id id);

typedef struct gm_pool_progress { uint32_t parts, parts_done, jobs_ahead; } gm_pool_progress;  // ahead: submitted earlier
uint32_t gm_pool_jobs(gm_pool *pool);  // queued and running
// False when the job is no longer known.
bool gm_pool_look(gm_pool *pool, gm_pool_id id, gm_pool_progress *out_progress);

// Calls news and done where they are due, after waiting at most wait_ns for there being any. True while jobs are under
// way. For owners without a loop; with one this happens by itself.
bool gm_pool_turn(gm_pool *pool, gm_dur_ns wait_ns);

// ---- inside run and finish
bool gm_pool_cancelled(const gm_pool_job *job);  // long parts look at this now and then
void gm_pool_announce(gm_pool_job *job);         // asks for news() on the owner's thread

#endif
