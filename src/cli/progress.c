#include "cli/progress.h"

const char *gm_grouped(uint64_t number, char out[32])
{
    char digits[24];
    int  n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number), o = 0;
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0) out[o++] = ',';
        out[o++] = digits[i];
    }
    out[o] = '\0';
    return out;
}

size_t gm_progress_format(const gm_progress *p, uint64_t done, gm_dur_ns elapsed, char out[GM_PROGRESS_TEXT])
{
    enum { CELLS = 24 };
    char   count[32], speed[32];
    double seconds = (double)elapsed / 1e9;
    double rate    = seconds > 0 ? (double)done / seconds : 0;
    size_t n       = (size_t)snprintf(out, GM_PROGRESS_TEXT, "%.24s ", p->what);
    if (p->total > 0) {
        double part   = done < p->total ? (double)done / (double)p->total : 1.0;
        int    filled = (int)(part * CELLS);
        char   bar[CELLS + 1];
        for (int i = 0; i < CELLS; i++) bar[i] = i < filled ? '#' : '.';
        bar[CELLS] = '\0';
        n += (size_t)snprintf(out + n, GM_PROGRESS_TEXT - n, "[%s] %3d %%  ", bar, (int)(part * 100));
    }
    n += (size_t)snprintf(out + n, GM_PROGRESS_TEXT - n, "%s %.24s  %s/s", gm_grouped(done, count), p->unit,
                          gm_grouped((uint64_t)rate, speed));
    if (p->total > done && rate > 0) {
        double left = (double)(p->total - done) / rate;
        if (left < 360000) {
            n += (size_t)snprintf(out + n, GM_PROGRESS_TEXT - n, "  %d:%02d left", (int)left / 60, (int)left % 60);
        }
    }
    return n;
}

void gm_progress_begin(gm_progress *p, FILE *out, bool terminal, const gm_clock *clock, const char *what,
                       const char *unit, uint64_t total)
{
    *p = (gm_progress){ .out = terminal ? out : NULL, .clock = clock, .what = what, .unit = unit, .total = total };
    if (p->out != NULL) p->start = p->drawn = gm_monotonic(clock);
}

void gm_progress_set(gm_progress *p, uint64_t done)
{
    if (p == NULL || p->out == NULL) return;
    gm_dur_ns now = gm_monotonic(p->clock);
    if (now - p->drawn < 100 * GM_MILLISECOND) return;
    char line[GM_PROGRESS_TEXT];
    gm_progress_format(p, done, now - p->start, line);
    fprintf(p->out, "\r\x1b[K%s", line);
    fflush(p->out);
    p->drawn     = now;
    p->on_screen = true;
}

void gm_progress_end(gm_progress *p)
{
    if (p == NULL || p->out == NULL || !p->on_screen) return;
    fputs("\r\x1b[K", p->out);
    fflush(p->out);
    p->on_screen = false;
}
