// insight/learn/fleet.h: the recorded lives of like assets: one run per asset, rows in order of use.
//
//   gm_fleet fleet;
//   gm_fleet_read_turbofan(io, dir, "train", "FD001", &fleet, &err);
//   gm_fleet_row(&fleet, fleet.runs[0].first)[3]                     // first sensor of the first row
//   gm_fleet_finish(&fleet);
#ifndef GM_INSIGHT_LEARN_FLEET_H
#define GM_INSIGHT_LEARN_FLEET_H

#include "base/io.h"

enum {
    GM_FLEET_COLUMNS_MAX = 256,
    GM_FLEET_ROWS_MAX    = 4000000,
};

typedef struct gm_run {
    uint32_t unit;          // the asset's number in its records
    uint32_t first, count;  // rows
    double   left;          // cycles left after the last row; 0: the run ends with the failure; NaN: not known
} gm_run;

typedef struct gm_fleet {
    const gm_alloc *alloc;
    uint32_t        settings, sensors;  // columns of a row: settings first
    size_t          rows, run_count;
    double         *values;             // [rows][settings + sensors], as recorded; NaN: no value
    gm_run         *runs;               // [run_count]
    size_t          row_capacity, run_capacity;
} gm_fleet;

gm_fleet gm_fleet_init(const gm_alloc *alloc, uint32_t settings, uint32_t sensors);
void     gm_fleet_finish(gm_fleet *fleet);

static inline uint32_t gm_fleet_columns(const gm_fleet *f) { return f->settings + f->sensors; }
static inline const double *gm_fleet_row(const gm_fleet *f, size_t row) { return f->values + row * gm_fleet_columns(f); }

// Begins a run; rows that are added belong to it. GM_NOMEM; GM_LIMIT: GM_FLEET_ROWS_MAX.
GM_NODISCARD gm_status gm_fleet_begin(gm_fleet *fleet, uint32_t unit, double left, gm_error *err);
GM_NODISCARD gm_status gm_fleet_add(gm_fleet *fleet, const double *row, gm_error *err);

// Reads the rows of a C-MAPSS file: unit, cycle, 3 settings, 21 sensors, separated by spaces; no header. A row whose
// cycle repeats the one before is left out (the first one counts). `name` is for messages.
// GM_INVALID: a cell is no number, cycles go back, a unit comes again later; err has the line.
GM_NODISCARD gm_status gm_fleet_parse_turbofan(gm_str text, const char *name, gm_fleet *fleet, gm_error *err);

// Reads DIR/<part>_<set>.txt (or .gz); for part "test" also DIR/RUL_<set>.txt when it is there.
GM_NODISCARD gm_status gm_fleet_read_turbofan(const gm_io *io, const char *dir, const char *part, const char *set,
                                              gm_fleet *out_fleet, gm_error *err);

#endif
