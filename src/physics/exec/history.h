// physics/exec/history.h: what delay() remembers: for each lane the last samples of a variable, in rows of a block.
//
//   rows of a delay: how many samples, which is the oldest, [GM_HISTORY_SAMPLES] times, as many values
//
// Samples are kept at least `spacing` apart; the newest one is always exact, and so are both sides of a jump (two samples of
// one time). With spacing = lag_max / 200 the ring spans the largest lag.
#ifndef GM_PHYSICS_HISTORY_H
#define GM_PHYSICS_HISTORY_H

#include "physics/program.h"

enum { GM_HISTORY_SAMPLES = 256, GM_HISTORY_ROWS = 2 + 2 * GM_HISTORY_SAMPLES };

static inline double gm_history_spacing(const gm_delay_info *delay) { return delay->lag_max / 200; }

// rows: the first of the delay's rows in a block of 64 lanes.
void   gm_history_clear(double *rows, int lane);
void   gm_history_push(double *rows, int lane, double time, double value, double spacing);  // times do not fall

// The value at the instant: linear between samples; the oldest before all of them; behind the newest straight on. NaN
// when there are none.
double gm_history_at(const double *rows, int lane, double instant);

#endif
