// cli/term_plot.h: a line chart for the terminal, in Braille dots (2 x 4 to a character): history, simulations, fans.
//
//   gm_term_plot plot = { .width = 100, .height = 20, .unit = "degC" };
//   gm_term_series s[] = { { .x = t, .y = v, .count = n, .name = "pump7/temperature" } };
//   gm_term_plot_draw(&plot, s, 1, &out);
//
//    62.4 |       ⢀⡠⠤⠒⠒⠤⣀
//         | ⣀⠤⠒⠉⠁       ⠉⠒⠤⣀
//    58.1 |⠉                 ⠉⠉⠑
//          2026-01-01T00:00:00Z      2026-01-02T00:00:00Z
#ifndef GM_CLI_TERM_PLOT_H
#define GM_CLI_TERM_PLOT_H

#include "base/buf.h"

typedef enum gm_term_x { GM_TERM_X_NUMBER, GM_TERM_X_TIME } gm_term_x;  // TIME: x is seconds since 1970

typedef struct gm_term_series {
    const double *x, *y;       // [count]; a NaN in y is a gap
    const double *y_high;      // NULL, or [count]: the area between y and y_high is filled (a quantile band)
    size_t        count;
    const char   *name;        // for the legend; may be NULL
} gm_term_series;

typedef struct gm_term_plot {
    uint32_t    width, height; // characters in all; at least 24 x 4, at most 1000 x 200; 0: 80 x 16
    gm_term_x   x_kind;
    const char *x_unit, *unit; // behind the numbers of the axes; may be NULL
    bool        colour;        // series in colours of their own (ANSI)
} gm_term_plot;

enum { GM_TERM_SERIES_MAX = 8 };

// Appends the chart's lines to out. Series without a finite point are left out; without any the text says so.
void gm_term_plot_draw(const gm_term_plot *plot, const gm_term_series *series, size_t n, gm_buf *out);

#endif
