// control/maintain/mip.h: linear programs some of whose columns are whole numbers, solved by COIN-OR's CBC.
//
//   gm_mip m = gm_mip_init(alloc);
//   uint32_t row = gm_mip_row(&m, 1, 1);                      // 1 <= ... <= 1
//   gm_mip_column(&m, 3.5, 0, 1, true);                       // costs 3.5, is 0 or 1
//   gm_mip_entry(&m, row, 1);                                 // of the newest column
//   st = gm_mip_solve(&m, &limits, values, &report, &err);    // values [columns]
//   gm_mip_finish(&m);
//
// Rows come before the columns that have entries in them.
//
// CBC can not be told to stop from outside: while it is at work on the root of its search, it looks at no clock and asks nobody. A solve
// that may have to end early (limits.stop) therefore runs in a process of its own, a copy of this one that has nothing but its memory:
// it is killed when it is not wanted any more, and if the library should crash there, it is a failed solve. Without stop the solve is
// made here; one at a time then, for the library keeps some of its settings for all.
#ifndef GM_CONTROL_MAINTAIN_MIP_H
#define GM_CONTROL_MAINTAIN_MIP_H

#include "base/alloc.h"

typedef struct gm_mip_columns { double cost, low, high; int32_t first; bool whole; } gm_mip_columns;
typedef struct gm_mip_rows { double low, high; } gm_mip_rows;

typedef struct gm_mip {
    const gm_alloc *alloc;
    gm_mip_columns *columns;
    gm_mip_rows    *rows;
    int32_t        *entry_rows;
    double         *entries;
    size_t          column_count, column_room, row_count, row_room, entry_count, entry_room, entry_row_room;
    bool            failed;  // memory was refused; solving says so
} gm_mip;

// GM_MIP_FREE: no bound on this side.
#define GM_MIP_FREE 1e30

enum { GM_MIP_ENTRIES_MAX = 20000000 };

gm_mip   gm_mip_init(const gm_alloc *alloc);
void     gm_mip_finish(gm_mip *m);
uint32_t gm_mip_row(gm_mip *m, double low, double high);
uint32_t gm_mip_column(gm_mip *m, double cost, double low, double high, bool whole);
void     gm_mip_entry(gm_mip *m, uint32_t row, double value);

// Is the answer not wanted any more? Asked every few milliseconds, on the thread that waits for it.
typedef struct gm_mip_stop { bool (*asked)(void *context); void *context; } gm_mip_stop;

typedef struct gm_mip_limits {
    double             seconds;  // of wall time
    double             gap;      // good enough: (cost - bound) / |cost|
    const gm_mip_stop *stop;     // NULL: it is wanted until the end
} gm_mip_limits;

static inline bool gm_mip_stopped(const gm_mip_stop *stop) { return stop != NULL && stop->asked(stop->context); }

typedef enum gm_mip_end {
    GM_MIP_OPTIMAL,     // within the gap
    GM_MIP_OUT_OF_TIME, // there are values, and a bound
    GM_MIP_INFEASIBLE,  // there can be no values
    GM_MIP_NOTHING,     // the time was over before there were values
} gm_mip_end;

typedef struct gm_mip_report { gm_mip_end end; double cost, bound; } gm_mip_report;

// Minimises. values: [column_count], written for OPTIMAL and OUT_OF_TIME; whole columns are rounded.
// Errors: GM_NOTFOUND gemel was built without CBC; GM_NOMEM; GM_DIVERGED the library gave up, or crashed; GM_CANCELLED it was stopped;
//         GM_IO no process could be made.
GM_NODISCARD gm_status gm_mip_solve(const gm_mip *m, const gm_mip_limits *limits, double *values, gm_mip_report *out, gm_error *err);

// The same here and now, whatever limits->stop says: what the library does (mip_cbc.c, mip_none.c).
GM_NODISCARD gm_status gm_mip_solve_here(const gm_mip *m, const gm_mip_limits *limits, double *values, gm_mip_report *out, gm_error *err);

// Can it solve anything? GM_NOTFOUND, with a sentence, when it can not.
bool                   gm_mip_available(void);
GM_NODISCARD gm_status gm_mip_require(gm_error *err);

#endif
