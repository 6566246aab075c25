// insight/anomaly/nab.h: runs the streaming detector over a folder of the Numenta anomaly benchmark and scores it.
//
//   gm_nab_run(io, dir, &report, &err);       // DIR/data/<group>/*.csv, DIR/labels/combined_windows.json,
//   DIR/profiles.json
#ifndef GM_INSIGHT_ANOMALY_NAB_H
#define GM_INSIGHT_ANOMALY_NAB_H

#include "base/io.h"
#include "insight/anomaly/nab_score.h"

enum { GM_NAB_PROFILES_MAX = 8, GM_NAB_FILES_MAX = 1000 };

typedef struct gm_nab_result { gm_nab_profile profile; gm_nab_best best; double normalised; } gm_nab_result;

typedef struct gm_nab_report {
    uint32_t      files, windows, rows;
    uint32_t      missing;      // files that are labelled and not there: they are left out, with their windows
    uint32_t      profile_count;
    gm_nab_result profiles[GM_NAB_PROFILES_MAX];
} gm_nab_report;

// Every labelled file that is there; files without windows count for their false rows.
// GM_NOTFOUND: labels or profiles; GM_INVALID: they, or a table, are not what they should be; GM_NOMEM.
GM_NODISCARD gm_status gm_nab_run(const gm_io *io, const char *dir, gm_nab_report *out, gm_error *err);

// One table "timestamp,value" with a header: values into *out_values (freed by the caller) and times.
// GM_INVALID: a row that is not a time and a number.
GM_NODISCARD gm_status gm_nab_parse(const gm_alloc *alloc, gm_str text, const char *name, int64_t **out_times, double **out_values,
                                    uint32_t *out_count, gm_error *err);

#endif
