// insight/anomaly/skab.h: the multivariate detector on runs of the Skoltech anomaly benchmark: learned from each
// run's first
// 400 rows, scored on the rest.
#ifndef GM_INSIGHT_ANOMALY_SKAB_H
#define GM_INSIGHT_ANOMALY_SKAB_H

#include "base/io.h"
#include "insight/anomaly/healthy.h"

enum { GM_SKAB_LEARN = 400, GM_SKAB_FILES_MAX = 10000 };

typedef struct gm_skab_report {
    uint32_t files, skipped;      // skipped: tables without the column "anomaly"
    uint32_t events, found;       // labelled stretches behind the learning rows, and those flagged at least once
    uint64_t tp, fp, tn, fn;      // rows
    double   f1, far, mar;        // far = fp / (fp + tn), mar = fn / (fn + tp)
    double   mean_delay_s;        // from the start of a stretch to its first flag; an event that was missed counts its length
} gm_skab_report;

// Every *.csv below dir, in the order of their names. GM_INVALID: no labelled table, a broken one; GM_NOTFOUND,
// GM_IO, GM_NOMEM.
GM_NODISCARD gm_status gm_skab_run(const gm_io *io, const char *dir, const gm_healthy_options *options, gm_skab_report *out,
                                   gm_error *err);

// One table: header with "datetime", sensors, "anomaly" and perhaps "changepoint", separated by ';'. Adds to the
// report's
// counts; delays are summed in mean_delay_s until gm_skab_finish.
GM_NODISCARD gm_status gm_skab_table(const gm_alloc *alloc, gm_str text, const char *name, const gm_healthy_options *options,
                                     gm_skab_report *report, gm_error *err);
void                   gm_skab_finish(gm_skab_report *report);

#endif
