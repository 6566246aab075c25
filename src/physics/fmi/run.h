// physics/fmi/run.h: an FMU from start to stop, its outputs as CSV.
//
//   gm_fmu_open(&host, "pump.fmu", &fmu, &err);
//   gm_fmu_run_options o = gm_fmu_run_options_defaults();
//   gm_fmu_run(fmu, &o, write_to_file, file, &log, &err);
//   gm_fmu_close(fmu);
//
// The masters follow FMI 2.0.4 (chapters 3 and 4) and 3.0.1 (chapters 3 to 5): call sequences, event mode, time, state,
// step and input events, early return, discarded steps.
#ifndef GM_PHYSICS_FMI_RUN_H
#define GM_PHYSICS_FMI_RUN_H

#include "physics/fmi/session.h"

typedef struct gm_fmu gm_fmu;  // an unpacked archive and its description

// Unpacks and reads. GM_NOTFOUND, GM_INVALID, GM_LIMIT, GM_IO as archive.h and description.h have them.
GM_NODISCARD gm_status gm_fmu_open(const gm_fmu_host *host, const char *file, gm_fmu **out_fmu, gm_error *err);
void                   gm_fmu_close(gm_fmu *fmu);  // removes what was unpacked
const gm_fmu_description *gm_fmu_described(const gm_fmu *fmu);
const char               *gm_fmu_folder(const gm_fmu *fmu);
bool                      gm_fmu_supported(void);  // false: built without libzip or libxml2; open then says so

typedef enum gm_fmu_method { GM_FMU_EULER, GM_FMU_ACCURATE } gm_fmu_method;

typedef struct gm_fmu_setting { gm_str name, value; } gm_fmu_setting;

typedef struct gm_fmu_run_options {
    gm_fmi_kind   kind;         // GM_FMI_KIND_COUNT: what the FMU offers, in the order of gm_fmi_kind
    gm_fmu_method method;       // model exchange. EULER: one explicit step from one output point (or event) to the next
    double        start, stop, step, tolerance;  // NaN: the FMU's default experiment, then 0, start + 1, 1/500 of it, 1e-6
    const gm_fmu_setting *settings;
    uint32_t      setting_count;
    gm_str        input;        // CSV; empty: none
    bool          event_mode, early_return;      // FMI 3 co-simulation: use them (when the FMU has them)
    bool          intermediate; // FMI 3 co-simulation: record a row at every intermediate update
    bool          all;          // all variables instead of the outputs
    bool          logging;
} gm_fmu_run_options;

gm_fmu_run_options gm_fmu_run_options_defaults(void);

typedef gm_status gm_fmu_write(void *context, gm_str text, gm_error *err);

// Writes the header and a row for every output point, and two rows (before and after) for every event of model exchange
// or event mode. *log (may be NULL) gets the FMU's log, also after a failure.
// Errors: session.h's; GM_INVALID for a setting or input that does not fit; GM_DIVERGED when the accurate method fails.
GM_NODISCARD gm_status gm_fmu_run(const gm_fmu *fmu, const gm_fmu_run_options *options, gm_fmu_write *write, void *context, gm_buf *log,
                                  gm_error *err);

// Tests that a state saved, and one written to bytes and read back, brings back the same outputs, and that replay does
// where the FMU can not save. Adds a line for each result to *report; *out_failures counts those that failed.
GM_NODISCARD gm_status gm_fmu_check(const gm_fmu *fmu, gm_buf *report, unsigned *out_failures, gm_error *err);

#endif
