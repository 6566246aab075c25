// api/transfer/jobs.h: import and deletion jobs: long work in bounded slices on the engine's loop, one job at a time.
//
//   gm_jobs_create(&options, &jobs, &err);   // before gm_engine_recover: folds its records
//   gm_engine_recover(...)
//   gm_jobs_begin(jobs);                     // goes on with what a restart interrupted
//   gm_jobs_destroy(jobs);                   // after the engine is closed
//
//   notstarted --its turn--> running --all done--> succeeded | failed
//        |                      | cancel
//        +--cancel--> cancelled <-- cancelling
//
// A job is a record of the log (kind JOB): each change of its status is durable before it is shown. An import that a
// restart interrupted begins anew, which comes to the same: what is there already is replaced. Engine thread.
#ifndef GM_API_TRANSFER_JOBS_H
#define GM_API_TRANSFER_JOBS_H

#include "engine/engine.h"

#include <jansson.h>

enum { GM_JOBS_MAX = 1000 };  // that are remembered, of both kinds together

typedef enum gm_job_kind { GM_JOB_IMPORT, GM_JOB_DELETION } gm_job_kind;

typedef struct gm_jobs gm_jobs;

typedef struct gm_jobs_options {
    const gm_alloc *alloc;
    const gm_clock *clock;
    const gm_io    *io;
    gm_loop        *loop;
    gm_engine      *engine;
    const char     *dir;  // where the files of jobs lie; copied; NULL: there are no import jobs
} gm_jobs_options;

GM_NODISCARD gm_status gm_jobs_create(const gm_jobs_options *options, gm_jobs **out_jobs, gm_error *err);
void                   gm_jobs_begin(gm_jobs *jobs);
void                   gm_jobs_destroy(gm_jobs *jobs);  // NULL is allowed

// The file that a blob's URL, or a file: URL, stands for: its path, below the folder of jobs. Appended with a NUL.
// GM_INVALID: no such URL, or it leads out of the folder.
GM_NODISCARD gm_status gm_jobs_path(const gm_jobs *jobs, gm_str url, gm_buf *out_path, gm_error *err);

// Jobs as their JSON documents, in the order of their making; viewed until the next change.
size_t        gm_jobs_count(const gm_jobs *jobs, gm_job_kind kind);
const json_t *gm_jobs_at(const gm_jobs *jobs, gm_job_kind kind, size_t i);
const json_t *gm_jobs_find(const gm_jobs *jobs, gm_job_kind kind, gm_str id);  // NULL: there is none
bool          gm_jobs_over(const json_t *job);                                  // succeeded, failed or cancelled

// Submits a new job, a cancellation, the removal of a job that is over. The ask is answered when it is durable
// (GM_CONFLICT: meanwhile there was one with this id, or none any more). input, output: of imports.
GM_NODISCARD gm_status gm_jobs_submit_new(gm_jobs *jobs, gm_job_kind kind, gm_str id, gm_str input, gm_str output,
                                          gm_ask ask, gm_error *err);
GM_NODISCARD gm_status gm_jobs_submit_cancel(gm_jobs *jobs, gm_str id, gm_ask ask, gm_error *err);
GM_NODISCARD gm_status gm_jobs_submit_remove(gm_jobs *jobs, gm_job_kind kind, gm_str id, gm_ask ask, gm_error *err);

void gm_jobs_write(const json_t *job, gm_buf *out);  // as the API shows it

#endif
