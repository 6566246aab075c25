#include "cli/term_plot.h"

#include "base/time.h"
#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

// ANSI foregrounds, told apart on dark and on light ground.
static const uint8_t colours[GM_TERM_SERIES_MAX] = { 36, 33, 35, 32, 34, 31, 37, 90 };

// Bits of a Braille cell, by row and column (Unicode chapter 21.1: dots 1-3, 7 left, 4-6, 8 right).
static const uint8_t dot_bits[4][2] = { { 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 }, { 0x40, 0x80 } };

enum { GAP = 255 };  // instead of a series: the gap around a line that goes over others

typedef struct range { double low, high; } range;

typedef struct canvas {
    uint32_t columns, rows;   // characters
    uint8_t *dots, *owner;    // [rows * columns] Braille bits; series that drew last
} canvas;

static void widen(range *r, double value)
{
    if (!isfinite(value)) return;
    if (!(r->low <= value)) r->low = value;
    if (!(r->high >= value)) r->high = value;
}

static void set_dot(canvas *c, int64_t x, int64_t y, uint8_t owner)
{
    if (x < 0 || y < 0 || x >= 2 * (int64_t)c->columns || y >= 4 * (int64_t)c->rows) return;
    size_t at = (size_t)(y / 4) * c->columns + (size_t)(x / 2);
    c->dots[at] |= dot_bits[y % 4][x % 2];
    c->owner[at] = owner;
}

static void clear_dot(canvas *c, int64_t x, int64_t y)
{
    if (x < 0 || y < 0 || x >= 2 * (int64_t)c->columns || y >= 4 * (int64_t)c->rows) return;
    c->dots[(size_t)(y / 4) * c->columns + (size_t)(x / 2)] &= (uint8_t)~dot_bits[y % 4][x % 2];
}

// A dot, or a gap of two dots above and below where a dot will be.
static void touch_dot(canvas *c, int64_t x, int64_t y, uint8_t owner)
{
    if (owner != GAP) set_dot(c, x, y, owner);
    for (int64_t away = 1; owner == GAP && away <= 2; away++) {
        clear_dot(c, x, y - away);
        clear_dot(c, x, y + away);
    }
}

// Bresenham's line; a chart is at most 2000 x 800 dots.
static void draw_line(canvas *c, int64_t x0, int64_t y0, int64_t x1, int64_t y1, uint8_t owner)
{
    int64_t dx = llabs(x1 - x0), dy = -llabs(y1 - y0), sx = x0 < x1 ? 1 : -1, sy = y0 < y1 ? 1 : -1, error = dx + dy;
    for (;;) {
        touch_dot(c, x0, y0, owner);
        if (x0 == x1 && y0 == y1) return;
        int64_t twice = 2 * error;
        if (twice >= dy) {
            error += dy;
            x0 += sx;
        }
        if (twice <= dx) {
            error += dx;
            y0 += sy;
        }
    }
}

static int64_t place(double value, range r, int64_t dots)
{
    // Halves, so that the difference of the largest numbers there are stays finite.
    double part = r.high > r.low ? (value / 2 - r.low / 2) / (r.high / 2 - r.low / 2) : 0.5;
    if (!(part >= 0)) part = 0;
    if (part > 1) part = 1;
    return (int64_t)lround(part * (double)(dots - 1));
}

static void draw_series(canvas *c, const gm_term_series *s, range x, range y, uint8_t owner)
{
    int64_t width = 2 * (int64_t)c->columns, height = 4 * (int64_t)c->rows;
    bool    before = false;
    int64_t px = 0, py = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (!isfinite(s->y[i]) || !isfinite(s->x[i])) {
            before = false;
            continue;
        }
        int64_t qx = place(s->x[i], x, width), qy = height - 1 - place(s->y[i], y, height);
        if (s->y_high != NULL && isfinite(s->y_high[i])) {
            draw_line(c, qx, qy, qx, height - 1 - place(s->y_high[i], y, height), owner);
        } else if (before) {
            draw_line(c, px, py, qx, qy, owner);
        } else {
            touch_dot(c, qx, qy, owner);
        }
        px     = qx;
        py     = qy;
        before = true;
    }
}

static void axis_text(gm_term_x kind, double value, const char *unit, char out[64])
{
    if (kind == GM_TERM_X_TIME && value >= 0 && value < (double)(GM_TIME_MAX / GM_SECOND)) {
        char text[GM_TIME_TEXT];
        gm_time_format((gm_time_ns)(llround(value * 1e3)) * GM_MILLISECOND, text);
        snprintf(out, 64, "%s", text);
        return;
    }
    snprintf(out, 64, "%.6g%s%.30s", value, unit != NULL && unit[0] != '\0' ? " " : "", unit != NULL ? unit : "");
}

static void write_rows(const gm_term_plot *plot, const canvas *c, range y, size_t margin, gm_buf *out)
{
    for (uint32_t row = 0; row < c->rows; row++) {
        char label[64] = "";
        if (row == 0) axis_text(GM_TERM_X_NUMBER, y.high, plot->unit, label);
        else if (row == c->rows - 1) axis_text(GM_TERM_X_NUMBER, y.low, plot->unit, label);
        size_t width = gm_utf8_count(gm_str_of(label));
        gm_buf_printf(out, "%*s%s |", (int)(margin > width ? margin - width : 0), "", label);
        uint8_t colour = 0;
        size_t  last   = 0;  // nothing is drawn behind the last dot: no trailing blanks
        for (uint32_t x = 0; x < c->columns; x++) {
            if (c->dots[(size_t)row * c->columns + x] != 0) last = x + 1;
        }
        for (size_t x = 0; x < last; x++) {
            size_t  at     = (size_t)row * c->columns + x;
            uint8_t wanted = c->dots[at] != 0 ? colours[c->owner[at] % GM_TERM_SERIES_MAX] : colour;
            if (plot->colour && wanted != colour) {
                gm_buf_printf(out, "\x1b[%um", wanted);
                colour = wanted;
            }
            char   text[4] = " ";
            size_t n       = c->dots[at] != 0 ? gm_utf8_encode(0x2800u + c->dots[at], text) : 1;
            gm_buf_add(out, text, n);
        }
        if (colour != 0) gm_buf_text(out, "\x1b[0m");
        gm_buf_byte(out, '\n');
    }
}

static void write_x_axis(const gm_term_plot *plot, const canvas *c, range x, size_t margin, gm_buf *out)
{
    char left[64], right[64];
    axis_text(plot->x_kind, x.low, plot->x_unit, left);
    axis_text(plot->x_kind, x.high, plot->x_unit, right);
    size_t used = gm_utf8_count(gm_str_of(left)) + gm_utf8_count(gm_str_of(right));
    gm_buf_printf(out, "%*s%s%*s%s\n", (int)margin + 2, "", left, (int)(used < c->columns ? c->columns - used : 1), "",
                  right);
}

static void write_legend(const gm_term_plot *plot, const gm_term_series *series, size_t n, size_t margin, gm_buf *out)
{
    if (n < 2 || !plot->colour) return;
    gm_buf_printf(out, "%*s", (int)margin + 2, "");
    for (size_t i = 0; i < n; i++) {
        if (series[i].name != NULL)
            gm_buf_printf(out, "\x1b[%um%s\x1b[0m  ", colours[i % GM_TERM_SERIES_MAX], series[i].name);
    }
    gm_buf_byte(out, '\n');
}

void gm_term_plot_draw(const gm_term_plot *plot, const gm_term_series *series, size_t n, gm_buf *out)
{
    if (n > GM_TERM_SERIES_MAX) n = GM_TERM_SERIES_MAX;
    uint32_t width  = plot->width == 0 ? 80 : plot->width < 24 ? 24 : plot->width > 1000 ? 1000 : plot->width;
    uint32_t height = plot->height == 0 ? 16 : plot->height < 4 ? 4 : plot->height > 200 ? 200 : plot->height;
    range    x = { NAN, NAN }, y = { NAN, NAN };
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < series[i].count; j++) {
            if (!isfinite(series[i].y[j])) continue;
            widen(&x, series[i].x[j]);
            widen(&y, series[i].y[j]);
            if (series[i].y_high != NULL) widen(&y, series[i].y_high[j]);
        }
    }
    if (!isfinite(x.low) || !isfinite(y.low)) {
        gm_buf_text(out, "(no values to plot)\n");
        return;
    }
    char low[64], high[64];
    axis_text(GM_TERM_X_NUMBER, y.low, plot->unit, low);
    axis_text(GM_TERM_X_NUMBER, y.high, plot->unit, high);
    size_t a = gm_utf8_count(gm_str_of(low)), b = gm_utf8_count(gm_str_of(high)), margin = a > b ? a : b;
    if (margin > width / 2) margin = width / 2;

    canvas c = { .columns = width - (uint32_t)margin - 2, .rows = height - 1 };
    c.dots   = gm_alloc_zeroed(out->alloc, (size_t)c.columns * c.rows);
    c.owner  = gm_alloc_zeroed(out->alloc, (size_t)c.columns * c.rows);
    if (c.dots == NULL || c.owner == NULL) {
        out->failed = true;
    } else {
        for (size_t i = 0; i < n; i++) {
            // Without colours a line would drown in the band that it goes over.
            bool drowns = !plot->colour && i > 0 && series[i].y_high == NULL && series[i - 1].y_high != NULL;
            if (drowns) draw_series(&c, &series[i], x, y, GAP);
            draw_series(&c, &series[i], x, y, (uint8_t)i);
        }
        write_rows(plot, &c, y, margin, out);
        write_x_axis(plot, &c, x, margin, out);
        write_legend(plot, series, n, margin, out);
    }
    gm_free(out->alloc, c.dots);
    gm_free(out->alloc, c.owner);
}
