// Scores of the Numenta anomaly benchmark.
#include "insight/anomaly/nab_score.h"

#include <math.h>
#include <stdlib.h>

uint32_t gm_nab_probation(uint32_t rows)
{
    uint32_t share = (uint32_t)(0.15 * rows);
    return share < 750 ? share : 750;
}

double gm_nab_sigmoid(double y)
{
    return y > 3 ? -1 : 2 / (1 + exp(5 * y)) - 1;
}

void gm_nab_worth(const gm_nab_window *windows, uint32_t count, uint32_t first_window, const gm_nab_profile *profile,
                  gm_nab_point *points, uint32_t n)
{
    uint32_t             probation = gm_nab_probation(n), next = 0;
    const gm_nab_window *before = NULL;
    for (uint32_t i = 0; i < n; i++) {
        gm_nab_point *p = &points[i];
        while (next < count && i > windows[next].last) before = &windows[next++];
        bool inside = next < count && i >= windows[next].first;
        if (inside) {
            double width = windows[next].last - windows[next].first + 1.0;
            double place = -(windows[next].last - i + 1.0) / width; // -1 at the first row
            p->worth     = gm_nab_sigmoid(place) * profile->tp / gm_nab_sigmoid(-1);
        } else if (before == NULL) {
            p->worth = -profile->fp;
        } else {
            double width = before->last > before->first ? before->last - before->first : 1;
            p->worth     = gm_nab_sigmoid((i - before->last) / width) * profile->fp;
        }
        p->window = i < probation ? GM_NAB_PROBATION : inside ? first_window + next : GM_NAB_OUTSIDE;
    }
}

static int by_score_down(const void *a, const void *b)
{
    const gm_nab_point *x = a, *y = b;
    return (x->score < y->score) - (x->score > y->score);
}

gm_status gm_nab_sweep(const gm_alloc *alloc, gm_nab_point *points, size_t n, uint32_t windows,
                       const gm_nab_profile *profile, gm_nab_best *out, gm_error *err)
{
    double *best = gm_alloc_array(alloc, windows + (size_t)1, sizeof *best); // of each window so far; NaN: no such rows
    if (best == NULL) return gm_fail(err, GM_NOMEM, "insight.nab", "%u windows", windows);
    for (uint32_t w = 0; w < windows; w++) best[w] = NAN;
    double      sum = 0;
    gm_nab_best now = { .threshold = INFINITY };
    for (size_t i = 0; i < n; i++) {
        uint32_t w = points[i].window;
        if (w >= windows || !isnan(best[w])) continue;
        best[w] = -profile->fn;
        sum -= profile->fn;
        now.missed++;
    }
    now.score = sum;
    *out      = now;
    qsort(points, n, sizeof *points, by_score_down);
    for (size_t i = 0; i < n; i++) {
        const gm_nab_point *p = &points[i];
        if (p->window == GM_NAB_OUTSIDE) {
            sum += p->worth;
            now.false_rows++;
        } else if (p->window < windows && p->worth > best[p->window]) {
            if (best[p->window] == -profile->fn) {
                now.found++;
                now.missed--;
            }
            sum += p->worth - best[p->window];
            best[p->window] = p->worth;
        }
        // A threshold takes all rows of equal score.
        if (i + 1 < n && points[i + 1].score == p->score) continue;
        if (sum > out->score) {
            now.threshold = p->score;
            now.score     = sum;
            *out          = now;
        }
    }
    gm_free(alloc, best);
    return GM_OK;
}

double gm_nab_normalise(double score, uint32_t windows, uint32_t countable, const gm_nab_profile *profile)
{
    double null = -profile->fn * countable, perfect = profile->tp * windows;
    return 100 * (score - null) / (perfect - null);
}
