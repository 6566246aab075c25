// api/transfer/job_log.h: what an import job writes while it runs, in the form of the Azure Digital Twins service:
//
//   {"timestamp":"2026-...Z","jobId":"j1","jobType":"Import","logType":"Info","details":{"section":"Twins","status":"Started"}}
//   {"timestamp":"2026-...Z","jobId":"j1","jobType":"Import","logType":"Error","details":{"section":"Twins","line":7,"id":"p1",
//     "code":"ValidationFailed","message":"..."}}
//
// At most GM_JOB_LOG_REFUSALS refusals are written; the last line counts the rest.
#ifndef GM_API_TRANSFER_JOB_LOG_H
#define GM_API_TRANSFER_JOB_LOG_H

#include "base/buf.h"
#include "base/io.h"
#include "base/time.h"

enum { GM_JOB_LOG_REFUSALS = 10000 };

typedef struct gm_job_log gm_job_log;

// Begins a file afresh; folders on the way are made. job_id is viewed as long as the log is open.
GM_NODISCARD gm_status gm_job_log_open(const gm_alloc *alloc, const gm_io *io, const gm_clock *clock, const char *path,
                                       gm_str job_id, gm_job_log **out_log, gm_error *err);
void gm_job_log_section(gm_job_log *log, const char *name, bool begins);
void gm_job_log_refused(gm_job_log *log, const char *section, uint64_t line, gm_str id, const char *code,
                        const char *why);
void gm_job_log_flush(gm_job_log *log);
// status: how the job ended ("succeeded"), NULL: it goes on after a restart. code and why: of a failure, else NULL.
void gm_job_log_close(gm_job_log *log, const char *status, const char *code, const char *why);

#endif
