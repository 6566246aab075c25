// A step keeps, of the moment before it, the mean m, and of the way to the next moment the gain D = C P-^-1 (C: covariance of
// before and after; P-: of the prediction), the prediction's mean m-, and B = P - D P- D', which is what the next moment can
// not tell. Backwards then  m_s = m + D (m_s' - m-)  and  P_s = B + D P_s' D': sums of positive matrices only.
#include "insight/estimate/smooth.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

static const char WHERE[] = "estimate.smooth";

typedef struct kept { gm_time_ns at; bool shown, cut; size_t numbers; } kept;  // numbers: place of the first

struct gm_smoother {
    const gm_alloc   *alloc;
    gm_smooth_options o;
    size_t            n, size;       // size: numbers of one moment
    kept             *moments;       // [count] rising by time
    double           *numbers;       // [count][size]
    size_t            count, moment_room, number_room, shown;
    uint32_t          members;       // of an ensemble; 0: a filter with a covariance
    double           *mean, *cov;    // [n], [n][n] of the newest moment
    double           *work;          // [4][n][n] and [2][n]
    double           *out_mean, *out_cov;  // of visited moments
    size_t            out_mean_room, out_cov_room;
    gm_time_ns        next, now;     // the next moment that is shown
    bool              begun;
    gm_error          trouble;
};

gm_status gm_smoother_create(const gm_alloc *alloc, const gm_smooth_options *options, gm_smoother **out, gm_error *err)
{
    size_t       n = options->parts;
    gm_smoother *s = gm_alloc_zeroed(alloc, sizeof *s);
    *out           = NULL;
    if (s != NULL) {
        *s = (gm_smoother){ .alloc = alloc, .o = *options, .n = n, .mean = gm_alloc_zeroed(alloc, (n + 1) * sizeof(double)),
                            .cov = gm_alloc_zeroed(alloc, (n * n + 1) * sizeof(double)), .work = gm_alloc_zeroed(alloc, (4 * n * n + 2 * n + 1) * sizeof(double)) };
        if (s->o.memory_max == 0) s->o.memory_max = (size_t)1 << 30;
    }
    if (s == NULL || s->mean == NULL || s->cov == NULL || s->work == NULL) {
        gm_smoother_destroy(s);
        return gm_fail(err, GM_NOMEM, WHERE, "smoothing %zu states and parameters", n);
    }
    *out = s;
    return GM_OK;
}

void gm_smoother_destroy(gm_smoother *s)
{
    if (s == NULL) return;
    void *const all[] = { s->moments, s->numbers, s->mean, s->cov, s->work, s->out_mean, s->out_cov };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) gm_free(s->alloc, all[i]);
    gm_free(s->alloc, s);
}

// ---- keeping --------------------------------------------------------------------------------------------------------

static bool is_shown(gm_smoother *s, gm_time_ns at)
{
    if (!s->begun) s->next = at;
    s->begun = true;
    if (at < s->next) return false;
    s->next += s->o.every * ((at - s->next) / s->o.every + 1);
    return true;
}

// NULL: refused, which gm_smoother_end tells.
static double *keep(gm_smoother *s, gm_time_ns at, bool shown)
{
    size_t count = s->count + 1;
    if (s->trouble.status != GM_OK) return NULL;
    if (count > s->o.memory_max / (s->size * sizeof(double))) {
        gm_fail(&s->trouble, GM_LIMIT, WHERE, "%zu moments of %zu numbers are more than may be kept (%zu MB); take a shorter stretch, or a lag", count, s->size,
                s->o.memory_max >> 20);
        return NULL;
    }
    if (!gm_alloc_reserve(s->alloc, &s->moments, &s->moment_room, count, sizeof *s->moments) ||
        !gm_alloc_reserve(s->alloc, &s->numbers, &s->number_room, count * s->size, sizeof *s->numbers)) {
        gm_fail(&s->trouble, GM_NOMEM, WHERE, "%zu moments", count);
        return NULL;
    }
    s->moments[s->count] = (kept){ .at = at, .shown = shown, .numbers = s->count * s->size };
    s->shown += shown;
    return s->numbers + s->count++ * s->size;
}

static void drop_first(gm_smoother *s, size_t many)
{
    for (size_t i = 0; i < many; i++) s->shown -= s->moments[i].shown;
    memmove(s->moments, s->moments + many, (s->count - many) * sizeof *s->moments);
    memmove(s->numbers, s->numbers + many * s->size, (s->count - many) * s->size * sizeof *s->numbers);
    s->count -= many;
    for (size_t i = 0; i < s->count; i++) s->moments[i].numbers = i * s->size;
}

// ---- a filter with a covariance -------------------------------------------------------------------------------------

static void square(size_t n, const double *factor, double *out)
{
    for (size_t a = 0; a < n; a++) {
        for (size_t b = 0; b <= a; b++) {
            double sum = 0;
            for (size_t k = 0; k <= b; k++) sum += factor[k * n + a] * factor[k * n + b];
            out[b * n + a] = out[a * n + b] = sum;
        }
    }
}

// C [n][n] column-major: rows before, columns after.
static void cross(const gm_smooth_step *p, size_t n, double *C)
{
    for (size_t a = 0; a < n; a++) {
        const double *x = p->before + a * p->points;
        for (size_t b = 0; b < n; b++) {
            const double *y = p->after + b * p->points;
            double        sum = p->center * (x[0] - p->mean[a]) * (y[0] - p->predicted_mean[b]);
            for (uint32_t k = 1; k < p->points; k++) sum += p->around * (x[k] - p->mean[a]) * (y[k] - p->predicted_mean[b]);
            C[b * n + a] = sum;
        }
    }
}

// D = C P^-1, P = L L': two triangular solves from the right. A part that is known exactly (a zero on the diagonal) tells nothing.
static void gain(size_t n, const double *L, double *D)
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t step = 0; step < n; step++) {
            size_t j = pass == 0 ? step : n - 1 - step;
            double diagonal = L[j * n + j], *z = D + j * n;
            for (size_t l = 0; l < n; l++) {
                if (pass == 0 ? l >= j : l <= j) continue;
                double f = pass == 0 ? L[l * n + j] : L[j * n + l];
                for (size_t i = 0; f != 0 && i < n; i++) z[i] -= f * D[l * n + i];
            }
            for (size_t i = 0; i < n; i++) z[i] = diagonal > 0 ? z[i] / diagonal : 0;
        }
    }
}

// out = D M D', M symmetric; work [n][n].
static void sandwich(size_t n, const double *D, const double *M, double *work, double *out)
{
    for (size_t a = 0; a < n; a++) {
        for (size_t b = 0; b < n; b++) {
            double sum = 0;
            for (size_t k = 0; k < n; k++) sum += D[k * n + a] * M[b * n + k];
            work[b * n + a] = sum;
        }
    }
    for (size_t a = 0; a < n; a++) {
        for (size_t b = 0; b <= a; b++) {
            double sum = 0;
            for (size_t k = 0; k < n; k++) sum += work[k * n + a] * D[k * n + b];
            out[b * n + a] = out[a * n + b] = sum;
        }
    }
}

// Of one moment: m [n], m- [n], D [n][n], B [n][n].
void gm_smoother_step(gm_smoother *s, const gm_smooth_step *p)
{
    size_t  n = s->n;
    double *predicted = s->work, *scratch = s->work + n * n, *taken = s->work + 2 * n * n;
    s->size   = 2 * n + 2 * n * n;
    double *m = keep(s, p->from, is_shown(s, p->from));
    if (m == NULL) return;
    double *minus = m + n, *D = minus + n, *B = D + n * n;
    memcpy(m, p->mean, n * sizeof *m);
    memcpy(minus, p->predicted_mean, n * sizeof *m);
    cross(p, n, D);
    gain(n, p->predicted_factor, D);
    square(n, p->factor, B);
    square(n, p->predicted_factor, predicted);
    sandwich(n, D, predicted, scratch, taken);
    for (size_t i = 0; i < n * n; i++) B[i] -= taken[i];
    // Rounding may leave a variance a little below nothing.
    for (size_t i = 0; i < n; i++) B[i * n + i] = fmax(0, B[i * n + i]);
    s->now = p->to;
}

// Backwards from the newest moment. Those that are shown and not after `until` are kept; the oldest lie last.
static gm_status run_back(gm_smoother *s, gm_time_ns until, size_t *out_count)
{
    size_t n = s->n, place = 0;
    double *mean = s->work + 4 * n * n, *cov = s->work, *scratch = s->work + n * n, *next = s->work + 2 * n * n, *shift = mean + n;
    *out_count = 0;
    if (!gm_alloc_reserve(s->alloc, &s->out_mean, &s->out_mean_room, (s->shown + 1) * n, sizeof(double)) ||
        !gm_alloc_reserve(s->alloc, &s->out_cov, &s->out_cov_room, (s->shown + 1) * n * n, sizeof(double)))
        return gm_fail(&s->trouble, GM_NOMEM, WHERE, "%zu moments", s->shown);
    memcpy(mean, s->mean, n * sizeof *mean);
    memcpy(cov, s->cov, n * n * sizeof *cov);
    for (size_t k = s->count; k-- > 0;) {
        const kept   *moment = &s->moments[k];
        const double *m = s->numbers + moment->numbers, *minus = m + n, *D = minus + n, *B = D + n * n;
        for (size_t i = 0; i < n; i++) shift[i] = mean[i] - minus[i];
        for (size_t i = 0; i < n; i++) {
            mean[i] = m[i];
            for (size_t j = 0; !moment->cut && j < n; j++) mean[i] += D[j * n + i] * shift[j];
        }
        if (moment->cut) memcpy(cov, B, n * n * sizeof *cov);
        else {
            sandwich(n, D, cov, scratch, next);
            for (size_t i = 0; i < n * n; i++) cov[i] = B[i] + next[i];
        }
        if (!moment->shown || moment->at > until) continue;
        memcpy(s->out_mean + place * n, mean, n * sizeof *mean);
        memcpy(s->out_cov + place * n * n, cov, n * n * sizeof *cov);
        place++;
    }
    *out_count = place;
    return GM_OK;
}

// ---- visiting -------------------------------------------------------------------------------------------------------

static void visit_ensemble(gm_smoother *s, gm_time_ns at, const double *rows)
{
    size_t   n = s->n;
    uint32_t N = s->members;
    for (size_t a = 0; a < n; a++) s->mean[a] = gm_ensemble_mean(rows + a * N, N);
    for (size_t a = 0; a < n; a++) {
        for (size_t b = 0; b <= a; b++) {
            double sum = 0;
            for (uint32_t k = 0; k < N; k++) sum += (rows[a * N + k] - s->mean[a]) * (rows[b * N + k] - s->mean[b]);
            s->cov[a * n + b] = s->cov[b * n + a] = sum / (N - 1.0);
        }
    }
    s->o.visit(s->o.context, at, s->mean, s->cov);
}

// Visits what is shown up to `until` and lets it go.
static void hand_out(gm_smoother *s, gm_time_ns until)
{
    size_t last = 0, count = 0, n = s->n;
    if (s->trouble.status != GM_OK) return;
    for (size_t i = 0; i < s->count; i++) last = s->moments[i].at <= until ? i + 1 : last;
    if (last == 0) return;
    if (s->members == 0 && run_back(s, until, &count) != GM_OK) return;
    for (size_t i = 0; i < last; i++) {
        if (!s->moments[i].shown) continue;
        if (s->members > 0) visit_ensemble(s, s->moments[i].at, s->numbers + s->moments[i].numbers);
        else {
            count--;
            s->o.visit(s->o.context, s->moments[i].at, s->out_mean + count * n, s->out_cov + count * n * n);
        }
    }
    drop_first(s, last);
}

// Two lags wait for one pass backwards, so that a moment is passed twice at most.
static void hand_out_late(gm_smoother *s)
{
    if (s->o.lag == GM_SMOOTH_ALL || s->count == 0) return;
    if (s->now - s->moments[0].at >= 2 * s->o.lag) hand_out(s, s->now - s->o.lag);
}

void gm_smoother_now(gm_smoother *s, gm_time_ns at, const double *mean, const double *factor)
{
    memcpy(s->mean, mean, s->n * sizeof *mean);
    square(s->n, factor, s->cov);
    s->now = at;
    if (!s->begun) s->next = at;
    s->begun = true;
    hand_out_late(s);
}

void gm_smoother_members(gm_smoother *s, gm_time_ns at, const double *members, uint32_t count)
{
    s->members = count;
    s->size    = s->n * count;
    s->now     = at;
    if (is_shown(s, at)) {
        double *rows = keep(s, at, true);
        if (rows != NULL) memcpy(rows, members, s->size * sizeof *rows);
    }
    hand_out_late(s);
}

void gm_smoother_update(gm_smoother *s, gm_ensemble *solver, const double *X, uint32_t count)
{
    size_t first = 0;
    (void)count;
    while (first < s->count && s->moments[first].cut) first++;
    while (first < s->count && s->o.lag != GM_SMOOTH_ALL && s->now - s->moments[first].at > s->o.lag) first++;
    if (first < s->count) gm_ensemble_apply(solver, X, s->numbers + first * s->size, (s->count - first) * s->n);
}

void gm_smoother_break(gm_smoother *s, gm_time_ns at, const double *mean, const double *factor)
{
    size_t n = s->n;
    // Of an ensemble all of the past is cut off, of a chain its last link.
    for (size_t i = 0; factor == NULL && i < s->count; i++) s->moments[i].cut = true;
    if (factor == NULL) return;
    s->size   = 2 * n + 2 * n * n;
    double *m = keep(s, at, is_shown(s, at));
    if (m == NULL) return;
    memcpy(m, mean, n * sizeof *m);
    square(n, factor, m + 2 * n + n * n);
    s->moments[s->count - 1].cut = true;
}

gm_status gm_smoother_end(gm_smoother *s, gm_error *err)
{
    // The newest moment is its own smoothing.
    hand_out(s, INT64_MAX);
    if (s->trouble.status == GM_OK && s->members == 0 && s->begun && s->now >= s->next) s->o.visit(s->o.context, s->now, s->mean, s->cov);
    if (s->trouble.status != GM_OK && err != NULL) *err = s->trouble;
    return s->trouble.status;
}
