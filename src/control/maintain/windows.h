// control/maintain/windows.h: which work is done in which window: a time-indexed assignment at least expected cost.
//
//   job j begins in window w (x[j,w] = 1), or is left to the next plan:   sum over w of x[j,w] + left[j] = 1
//   crew c in window w:      sum of need * x[j,v] over the v in which j is still under way   <= size[c][w]
//   group g in window w:     how many of its members are out                                  <= out
//   parts of stock p:        what was taken up to window w                                    <= there[p][w]
//
// What a beginning costs is the caller's: it holds the failures that may come before. Where there is no answer, a second program
// with slack in every limit says which limits are in the way, and by how much.
#ifndef GM_CONTROL_MAINTAIN_WINDOWS_H
#define GM_CONTROL_MAINTAIN_WINDOWS_H

#include "base/str.h"
#include "control/maintain/mip.h"

enum { GM_WINDOWS_MAX = 1000, GM_WINDOWS_JOBS_MAX = 5000, GM_WINDOWS_COLUMNS_MAX = 400000, GM_WINDOWS_LIMITS_MAX = 64 };

#define GM_WINDOW_LEFT UINT32_MAX

// A use of a crew or a stock by a job.
typedef struct gm_window_need { uint32_t of; double amount; } gm_window_need;

typedef struct gm_window_job {
    gm_str                name;
    const double         *cost;        // [windows] of beginning there; INFINITY: it can not begin there
    double                left_cost;   // of being left to the next plan; INFINITY: it must be done
    uint32_t              lasts;       // windows, at least 1
    const gm_window_need *crews, *parts;
    uint32_t              crew_count, part_count;
} gm_window_job;

// size: [windows] how many are there. A stock's are all that have come until then.
typedef struct gm_window_limit { gm_str name; const double *size; } gm_window_limit;
typedef struct gm_window_group { gm_str name; const uint32_t *jobs; uint32_t count, out; } gm_window_group;

typedef struct gm_windows {
    uint32_t               count;
    const gm_window_job   *jobs;
    const gm_window_limit *crews, *stocks;
    const gm_window_group *groups;
    uint32_t               job_count, crew_count, stock_count, group_count;
} gm_windows;

// A limit that is in the way.
typedef enum gm_window_lack_kind { GM_LACK_CREW, GM_LACK_STOCK, GM_LACK_GROUP, GM_LACK_JOB } gm_window_lack_kind;
typedef struct gm_window_lack { gm_window_lack_kind kind; uint32_t of, window; double there, wanted; } gm_window_lack;

enum { GM_WINDOW_LACKS_MAX = 8 };

typedef struct gm_windows_answer {
    gm_mip_end     end;
    double         cost, bound;
    gm_window_lack lacks[GM_WINDOW_LACKS_MAX];  // INFEASIBLE: the largest first
    uint32_t       lack_count;
} gm_windows_answer;

// begins: [jobs] the window, or GM_WINDOW_LEFT. Written for OPTIMAL and OUT_OF_TIME.
// Errors: GM_LIMIT larger than the bounds above (err says which); as gm_mip_solve.
GM_NODISCARD gm_status gm_windows_solve(const gm_alloc *alloc, const gm_windows *w, const gm_mip_limits *limits, uint32_t *begins,
                                        gm_windows_answer *out, gm_error *err);

// Without the solver, at once: job by job, each to the cheapest window that is left. What is taken when the time was over before
// the solver had anything. end: OUT_OF_TIME, its bound that of jobs without limits; NOTHING: this way led nowhere. GM_NOMEM.
GM_NODISCARD gm_status gm_windows_guess(const gm_alloc *alloc, const gm_windows *w, uint32_t *begins, gm_windows_answer *out, gm_error *err);

// Does an assignment keep every limit? For checks of answers.
bool gm_windows_keeps(const gm_windows *w, const uint32_t *begins);

// Each job where it costs least, as if there were no other: what the limits are held against.
void gm_windows_alone(const gm_windows *w, uint32_t *begins);

// What an assignment takes in every window, whether it keeps the limits or not: of crews [crew_count * count], a crew's windows side by
// side, and how many of each group are out [group_count * count]. Cost: each job's windows, for each of its needs and groups.
void gm_windows_load(const gm_windows *w, const uint32_t *begins, double *crews, double *groups);

#endif
