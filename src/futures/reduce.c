// Sums run over lanes in their order, so that results do not depend on which thread computed what.
#include "futures/job.h"

#include "futures/select.h"

#include <math.h>

static double *doubles(gm_futures *job, size_t n) { return gm_arena_zeroed(job->arena, n + 1, sizeof(double)); }

static bool prepare_histogram(gm_futures *job, const double **edges, const uint32_t **counts)
{
    uint32_t bins = job->scheme->request.bins;
    if (bins == 0) return true;
    *edges  = doubles(job, bins + 1);
    *counts = gm_arena_zeroed(job->arena, bins, sizeof(uint32_t));
    return *edges != NULL && *counts != NULL;
}

gm_status gm_reduce_prepare(gm_futures *job, gm_error *err)
{
    const gm_scheme          *s = job->scheme;
    const gm_futures_request *r = &s->request;
    gm_futures_result        *f = &job->result;
    uint32_t scenarios = s->scenario_count, points = s->point_count, q = r->quantile_count;
    uint32_t views = r->members > 1 ? 1 + r->members : 1, rows = scenarios * views;
    *f                   = (gm_futures_result) { .lanes            = s->lanes,
                                                 .member_count     = r->members,
                                                 .view_count       = views,
                                                 .scenario_count   = scenarios,
                                                 .output_count     = r->output_count,
                                                 .point_count      = points,
                                                 .quantile_count   = q,
                                                 .exceedance_count = r->exceedance_count,
                                                 .condition_count  = r->condition_count,
                                                 .score_count      = r->score_count,
                                                 .bins             = r->bins,
                                                 .varied_count     = s->design.dimensions,
                                                 .varied           = s->varied,
                                                 .time_s           = s->time_s,
                                                 .step_s           = s->steps > 0 ? s->step_s : 0,
                                                 .lane_steps       = (uint64_t)s->steps * s->lanes * scenarios };
    gm_band    *bands    = gm_arena_zeroed(job->arena, (size_t)rows * r->output_count + 1, sizeof *bands);
    gm_passage *passages = gm_arena_zeroed(job->arena, (size_t)rows * r->condition_count + 1, sizeof *passages);
    gm_tally   *tallies  = gm_arena_zeroed(job->arena, (size_t)rows * r->score_count + 1, sizeof *tallies);
    f->exceeded = doubles(job, (size_t)rows * r->exceedance_count * points);
    bool good   = bands != NULL && passages != NULL && tallies != NULL && f->exceeded != NULL;
    for (uint32_t i = 0; good && i < rows * r->output_count; i++) {
        bands[i].quantiles = doubles(job, (size_t)q * points);
        bands[i].mean      = doubles(job, points);
        bands[i].sd        = doubles(job, points);
        good = bands[i].quantiles != NULL && bands[i].mean != NULL && bands[i].sd != NULL &&
               prepare_histogram(job, &bands[i].histogram_edges, &bands[i].histogram);
    }
    for (uint32_t i = 0; good && i < rows * r->condition_count; i++) {
        passages[i].quantiles = doubles(job, q);
        passages[i].reached   = doubles(job, points);
        good                  = passages[i].quantiles != NULL && passages[i].reached != NULL;
    }
    for (uint32_t i = 0; good && i < rows * r->score_count; i++) {
        tallies[i].quantiles = doubles(job, q);
        good =
            tallies[i].quantiles != NULL && prepare_histogram(job, &tallies[i].histogram_edges, &tallies[i].histogram);
    }
    if (good && (r->design == GM_DESIGN_SALTELLI || r->design == GM_DESIGN_MORRIS)) {
        f->sensitivities = gm_arena_zeroed(
            job->arena, (size_t)scenarios * r->members * (r->score_count + r->output_count) * s->design.dimensions + 1,
            sizeof *f->sensitivities);
        good             = f->sensitivities != NULL;
    }
    f->bands    = bands;
    f->passages = passages;
    f->tallies  = tallies;
    return good ? GM_OK : gm_fail(err, GM_NOMEM, "futures", "the result of a job");
}

// Eight sums side by side, added up at the end: faster, more accurate, and always in the same order.
enum { SUMS = 8 };

static double sum_of(const double *x, size_t n, double about, bool squares)
{
    double sums[SUMS] = { 0 }, all = 0;
    size_t i = 0;
    for (; i + SUMS <= n; i += SUMS) {
        for (size_t k = 0; k < SUMS; k++) {
            double away = x[i + k] - about;
            sums[k] += squares ? away * away : away;
        }
    }
    for (; i < n; i++) sums[i % SUMS] += squares ? (x[i] - about) * (x[i] - about) : x[i] - about;
    for (size_t k = 0; k < SUMS; k++) all += sums[k];
    return all;
}

static void moments(const double *x, size_t n, double *out_mean, double *out_sd)
{
    double mean = n > 0 ? sum_of(x, n, 0, false) / (double)n : NAN;
    *out_mean   = mean;
    *out_sd     = n > 1 ? sqrt(sum_of(x, n, mean, true) / (double)(n - 1)) : NAN;
}

void gm_histogram(const double *x, size_t n, uint32_t bins, double *edges, uint32_t *counts)
{
    double low = n > 0 ? x[0] : 0, high = low;
    for (size_t i = 0; i < n; i++) {
        low  = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    if (!(high > low)) high = low + 1;
    for (uint32_t b = 0; b <= bins; b++) edges[b] = low + (high - low) * b / bins;
    memset(counts, 0, bins * sizeof *counts);
    for (size_t i = 0; i < n; i++) {
        double at = (x[i] - low) / (high - low) * bins;
        counts[at < bins ? (uint32_t)at : bins - 1]++;
    }
}

// The result's arrays are const to those who read it; here they are filled.
#define FILL(type, array) ((type *)(uintptr_t)(array))

// The lanes of a view.
typedef struct span { uint32_t first, count; } span;

static span span_of(const gm_scheme *s, uint32_t view)
{
    if (view == 0) return (span){ 0, s->lanes };
    return (span){ (view - 1) * s->request.lanes, s->request.lanes };
}

void gm_reduce_band(gm_futures *job, uint32_t scenario, uint32_t view, uint32_t output, double *scratch)
{
    const gm_futures_request *r   = &job->scheme->request;
    gm_futures_result        *f   = &job->result;
    span                      own = span_of(job->scheme, view);
    size_t                    row = (size_t)scenario * f->view_count + view;
    const gm_band            *band = &f->bands[row * f->output_count + output];
    for (uint32_t p = 0; p < f->point_count; p++) {
        memcpy(scratch, gm_job_values(job, scenario, output, p) + own.first, own.count * sizeof *scratch);
        size_t n = gm_drop_nan(scratch, own.count);
        moments(scratch, n, &FILL(double, band->mean)[p], &FILL(double, band->sd)[p]);
        for (uint32_t e = 0; e < r->exceedance_count; e++) {
            const gm_exceedance *x = &r->exceedances[e];
            size_t above = 0;
            if (x->output != output) continue;
            for (size_t i = 0; i < n; i++) above += x->below ? scratch[i] < x->threshold : scratch[i] > x->threshold;
            FILL(double, f->exceeded)
            [(row * f->exceedance_count + e) * f->point_count + p] = n > 0 ? (double)above / (double)n : NAN;
        }
        if (p + 1 == f->point_count && r->bins > 0)
            gm_histogram(scratch, n, r->bins, FILL(double, band->histogram_edges), FILL(uint32_t, band->histogram));
        gm_quantiles(scratch, n, r->quantiles, r->quantile_count, FILL(double, band->quantiles) + p, f->point_count);
    }
}

void gm_reduce_failures(gm_futures *job)
{
    const gm_scheme     *s = job->scheme;
    gm_futures_result   *f = &job->result;
    uint32_t             checks;
    const gm_check_info *check = gm_program_checks(s->request.program, &checks);
    for (uint32_t at = 0; at < s->scenario_count * s->lanes; at++) {
        const gm_lane_report *report = &job->reports[at];
        uint32_t              scenario = at / s->lanes, lane = at % s->lanes;
        if (!gm_lane_failed(report)) continue;
        f->diverged++;
        f->failed_by[report->status]++;
        for (uint32_t o = 0; o < s->request.output_count; o++) {
            for (uint32_t p = 0; p < s->point_count; p++) gm_job_values(job, scenario, o, p)[lane] = NAN;
        }
        for (uint32_t k = 0; k < s->request.score_count; k++)
            job->scores[((size_t)scenario * s->request.score_count + k) * s->lanes + lane] = NAN;
        if (f->trouble_count == GM_FUTURES_TROUBLES) continue;
        gm_str said = GM_STR("");
        for (uint32_t c = 0; c < job->complaint_count; c++) {
            if (job->complaints[c].place == at) said = gm_str_of(job->complaints[c].text);
        }
        bool asserted = report->status == GM_LANE_ASSERTED && report->check < checks;
        f->troubles[f->trouble_count++] =
            (gm_lane_trouble) { .lane     = lane,
                                .scenario = scenario,
                                .status   = report->status,
                                .time_s   = report->time - s->request.base[0],
                                .message  = asserted ? check[report->check].message : said };
    }
}

// ---- first passage --------------------------------------------------------------------------------------------------

// Product-limit estimate of the distribution of the passage time (Kaplan and Meier 1958): lanes that failed are known
// not to have passed until then, and nothing more. times: [n] of those that passed, rising; lost: [m] times of
// failure, rising.
typedef struct survival { const double *times, *lost; size_t n, m; } survival;

static double passed_by(const survival *s, double t, size_t all)
{
    double staying = 1;
    size_t lost    = 0;
    for (size_t i = 0; i < s->n && s->times[i] <= t; i++) {
        while (lost < s->m && s->lost[lost] < s->times[i]) lost++;
        staying *= 1 - 1 / (double)(all - i - lost);
    }
    return 1 - staying;
}

static double time_of_share(const survival *s, double share, size_t all)
{
    double staying = 1;
    size_t lost    = 0;
    for (size_t i = 0; i < s->n; i++) {
        while (lost < s->m && s->lost[lost] < s->times[i]) lost++;
        staying *= 1 - 1 / (double)(all - i - lost);
        if (1 - staying >= share - 1e-12) return s->times[i];
    }
    return NAN;
}

// Wilson's score interval (1927) for a share p of n, 95 %.
static void wilson(double p, double n, double *out_low, double *out_high)
{
    const double z = 1.959963984540054, zz = z * z;
    double       middle = (p + zz / (2 * n)) / (1 + zz / n),
           half         = z / (1 + zz / n) * sqrt(p * (1 - p) / n + zz / (4 * n * n));
    *out_low  = middle - half > 0 ? middle - half : 0;
    *out_high = middle + half < 1 ? middle + half : 1;
}

// Heapsort: no memory, no worst case.
static void sort(double *x, size_t n)
{
    for (size_t root = n / 2, end = n; end > 1;) {
        double held;
        if (root > 0) held = x[--root];
        else {
            held   = x[--end];
            x[end] = x[0];
        }
        size_t at = root;
        for (size_t child; (child = 2 * at + 1) < end; at = child) {
            if (child + 1 < end && x[child] < x[child + 1]) child++;
            if (x[child] <= held) break;
            x[at] = x[child];
        }
        x[at] = held;
    }
}

static void reduce_passage(gm_futures *job, uint32_t scenario, uint32_t view, uint32_t condition, double *scratch)
{
    const gm_scheme *s     = job->scheme;
    span             own   = span_of(s, view);
    uint32_t         lanes = own.count;
    size_t           row   = (size_t)scenario * job->result.view_count + view;
    const double    *first =
        job->passages + ((size_t)scenario * s->request.condition_count + condition) * s->lanes + own.first;
    gm_passage *p = FILL(gm_passage, &job->result.passages[row * s->request.condition_count + condition]);
    survival         v     = { .times = scratch };
    for (uint32_t i = 0; i < lanes; i++) {
        if (!isinf(first[i])) scratch[v.n++] = first[i];
    }
    v.lost = scratch + v.n;
    for (uint32_t i = 0; i < lanes; i++) {
        const gm_lane_report *report = &job->reports[(size_t)scenario * s->lanes + own.first + i];
        if (isinf(first[i]) && gm_lane_failed(report)) scratch[v.n + v.m++] = report->time - s->request.base[0];
    }
    sort(scratch, v.n);
    sort(scratch + v.n, v.m);
    p->passed      = (uint32_t)v.n;
    p->failed      = (uint32_t)v.m;
    p->censored    = lanes - p->passed - p->failed;
    p->probability = passed_by(&v, INFINITY, lanes);
    wilson(p->probability, lanes - p->failed > 0 ? lanes - p->failed : 1, &p->low, &p->high);
    for (uint32_t i = 0; i < s->request.quantile_count; i++)
        FILL(double, p->quantiles)[i] = time_of_share(&v, s->request.quantiles[i], lanes);
    for (uint32_t i = 0; i < s->point_count; i++) FILL(double, p->reached)[i] = passed_by(&v, s->time_s[i], lanes);
}

// ---- scores, sensitivities ------------------------------------------------------------------------------------------

static void reduce_score(gm_futures *job, uint32_t scenario, uint32_t view, uint32_t score, double *scratch)
{
    const gm_scheme          *s   = job->scheme;
    const gm_futures_request *r   = &s->request;
    span                      own = span_of(s, view);
    size_t                    row = (size_t)scenario * job->result.view_count + view;
    const double             *y   = job->scores + ((size_t)scenario * r->score_count + score) * s->lanes + own.first;
    gm_tally                 *t   = FILL(gm_tally, &job->result.tallies[row * r->score_count + score]);
    t->min = INFINITY;
    t->max = -INFINITY;
    for (uint32_t i = 0; i < own.count; i++) {
        if (y[i] < t->min) t->min = y[i], t->min_lane = own.first + i;
        if (y[i] > t->max) t->max = y[i], t->max_lane = own.first + i;
    }
    memcpy(scratch, y, own.count * sizeof *scratch);
    size_t n = gm_drop_nan(scratch, own.count);
    if (n == 0) t->min = t->max = NAN;
    moments(scratch, n, &t->mean, &t->sd);
    if (r->bins > 0) gm_histogram(scratch, n, r->bins, FILL(double, t->histogram_edges), FILL(uint32_t, t->histogram));
    gm_quantiles(scratch, n, r->quantiles, r->quantile_count, FILL(double, t->quantiles), 1);
}

// A design lies in the lanes of one member, so indices are a member's.
static void reduce_sensitivities(gm_futures *job, uint32_t scenario, uint32_t member, double *scratch)
{
    const gm_scheme *s    = job->scheme;
    uint32_t         rows = s->request.score_count + s->request.output_count, k = s->design.dimensions;
    for (uint32_t row = 0; job->result.sensitivities != NULL && row < rows; row++) {
        bool          score = row < s->request.score_count;
        const double *y = score ? job->scores + ((size_t)scenario * s->request.score_count + row) * s->lanes
                                : gm_job_values(job, scenario, row - s->request.score_count, s->point_count - 1);
        size_t        at = ((size_t)scenario * s->request.members + member) * rows + row;
        gm_sensitivity_of(&s->design, y + (size_t)member * s->request.lanes, scratch,
                          FILL(gm_sensitivity, job->result.sensitivities) + at * k);
    }
}

void gm_reduce_rest(gm_futures *job, double *scratch)
{
    const gm_scheme *s = job->scheme;
    for (uint32_t scenario = 0; scenario < s->scenario_count; scenario++) {
        for (uint32_t view = 0; view < job->result.view_count; view++) {
            for (uint32_t k = 0; k < s->request.condition_count; k++) reduce_passage(job, scenario, view, k, scratch);
            for (uint32_t k = 0; k < s->request.score_count; k++) reduce_score(job, scenario, view, k, scratch);
        }
        for (uint32_t m = 0; m < s->request.members; m++) reduce_sensitivities(job, scenario, m, scratch);
    }
}
