// physics/solve/solve_parts.h: shared by solve.c, which checks and reports, and the solvers behind it.
#ifndef GM_PHYSICS_SOLVE_PARTS_H
#define GM_PHYSICS_SOLVE_PARTS_H

#include "physics/solve/solve.h"

// One run. Borrowed by a solver for the time of the run.
typedef struct gm_run {
    const gm_alloc         *alloc;
    const gm_program       *program;
    gm_solve_options        options;   // checked; solver is not AUTO
    const gm_solve_setting *settings;
    uint32_t                setting_count;
    gm_solve_each          *each;
    void                   *context;
    gm_solve_report        *report;
    double                 *values;    // [slots] of the row being handed out
    uint64_t                row_count; // rows of the output grid, start and stop included
} gm_run;

// The k-th instant of the output grid; the last is exactly stop.
double    gm_run_grid(const gm_run *run, uint64_t k);
gm_status gm_run_row(const gm_run *run, double time, bool event, gm_error *err);  // values must be filled
gm_status gm_run_assert_failed(const gm_run *run, double time, gm_error *err);    // report->check says which

gm_status gm_run_no_beginning(const gm_run *run, const double *states, gm_error *err);  // GM_OK when all are numbers
gm_status gm_run_zeno(double time, gm_error *err);

gm_status gm_solve_in_lanes(gm_run *run, gm_error *err);
gm_status gm_solve_with_sundials(gm_run *run, gm_error *err);

#endif
