// cli/progress.h: how far long work has come, as one line on a terminal that redraws itself. Silent elsewhere.
//
//   gm_progress p;
//   gm_progress_begin(&p, cli->err, cli->terminal, cli->clock, "replay", "rows", total);
//   gm_progress_set(&p, done);          // as often as is convenient; draws at most ten times a second
//   gm_progress_end(&p);                // wipes the line
//
//   replay [##########..........]  50 %  6,548 rows  43,210/s  0:01 left
#ifndef GM_CLI_PROGRESS_H
#define GM_CLI_PROGRESS_H

#include "base/time.h"

#include <stdio.h>

typedef struct gm_progress {
    FILE           *out;     // NULL: silent
    const gm_clock *clock;
    const char     *what, *unit;
    uint64_t        total;   // 0: not known, no bar
    gm_dur_ns       start, drawn;
    bool            on_screen;
} gm_progress;

void gm_progress_begin(gm_progress *p, FILE *out, bool terminal, const gm_clock *clock, const char *what,
                       const char *unit, uint64_t total);
void gm_progress_set(gm_progress *p, uint64_t done);
void gm_progress_end(gm_progress *p);

// The line itself, for tests: `elapsed` since the start. out has room for GM_PROGRESS_TEXT.
enum { GM_PROGRESS_TEXT = 160 };
size_t gm_progress_format(const gm_progress *p, uint64_t done, gm_dur_ns elapsed, char out[GM_PROGRESS_TEXT]);

// 1234567 as "1,234,567". out has room for 32 bytes.
const char *gm_grouped(uint64_t number, char out[32]);

#endif
