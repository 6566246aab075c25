#include "control/maintain/windows.h"

#include <math.h>
#include <stdlib.h>

static const char WHERE[] = "control.windows";

// What a unit of slack in a limit costs, and a job that is not done: a job stands for more than the limits it touches.
static const double SLACK = 1, UNDONE = 1000;

typedef struct shape {  // of the program: where rows and columns of what begin
    uint32_t  crews, stocks, groups;  // first rows; crews * windows, and so on
    uint32_t *first;                  // [jobs + 1] columns of a job
    uint32_t *window;                 // [columns] of which window; GM_WINDOW_LEFT
    uint32_t  slacks;                 // the first column of slack
    gm_window_lack *lacks;            // [slacks] whose
    uint32_t  lack_count;
} shape;

static gm_status check(const gm_windows *w, gm_error *err)
{
    if (w->count == 0 || w->count > GM_WINDOWS_MAX) return gm_fail(err, GM_LIMIT, WHERE, "%u windows; 1 to %d are possible", w->count, GM_WINDOWS_MAX);
    if (w->job_count > GM_WINDOWS_JOBS_MAX) return gm_fail(err, GM_LIMIT, WHERE, "%u assets; a plan has at most %d", w->job_count, GM_WINDOWS_JOBS_MAX);
    if ((uint64_t)w->count * w->job_count > GM_WINDOWS_COLUMNS_MAX)
        return gm_fail(err, GM_LIMIT, WHERE, "%u assets in %u windows: at most %d together; take longer windows", w->job_count, w->count, GM_WINDOWS_COLUMNS_MAX);
    if (w->crew_count > GM_WINDOWS_LIMITS_MAX || w->stock_count > GM_WINDOWS_LIMITS_MAX || w->group_count > GM_WINDOWS_JOBS_MAX)
        return gm_fail(err, GM_LIMIT, WHERE, "more than %d crews or stocks", GM_WINDOWS_LIMITS_MAX);
    return GM_OK;
}

static void add_rows(const gm_windows *w, gm_mip *m, shape *s)
{
    for (uint32_t j = 0; j < w->job_count; j++) (void)gm_mip_row(m, 1, 1);
    s->crews = (uint32_t)m->row_count;
    for (uint32_t c = 0; c < w->crew_count; c++)
        for (uint32_t v = 0; v < w->count; v++) (void)gm_mip_row(m, -GM_MIP_FREE, w->crews[c].size[v]);
    s->stocks = (uint32_t)m->row_count;
    for (uint32_t p = 0; p < w->stock_count; p++)
        for (uint32_t v = 0; v < w->count; v++) (void)gm_mip_row(m, -GM_MIP_FREE, w->stocks[p].size[v]);
    s->groups = (uint32_t)m->row_count;
    for (uint32_t g = 0; g < w->group_count; g++)
        for (uint32_t v = 0; v < w->count; v++) (void)gm_mip_row(m, -GM_MIP_FREE, w->groups[g].out);
}

typedef struct membership { uint32_t *first, *groups; } membership;  // of jobs in groups: groups[first[j] .. first[j + 1])

static bool list_groups(const gm_alloc *alloc, const gm_windows *w, membership *of)
{
    size_t total = 0;
    for (uint32_t g = 0; g < w->group_count; g++) total += w->groups[g].count;
    of->first  = gm_alloc_zeroed(alloc, (w->job_count + (size_t)2) * sizeof *of->first);
    of->groups = gm_alloc_array(alloc, total + 1, sizeof *of->groups);
    if (of->first == NULL || of->groups == NULL) return false;
    for (uint32_t g = 0; g < w->group_count; g++)
        for (uint32_t i = 0; i < w->groups[g].count; i++) of->first[w->groups[g].jobs[i] + 2]++;
    for (uint32_t j = 0; j < w->job_count; j++) of->first[j + 2] += of->first[j + 1];
    for (uint32_t g = 0; g < w->group_count; g++)
        for (uint32_t i = 0; i < w->groups[g].count; i++) of->groups[of->first[w->groups[g].jobs[i] + 1]++] = g;
    return true;
}

static void add_beginning(const gm_windows *w, const membership *of, gm_mip *m, const shape *s, uint32_t j, uint32_t v)
{
    const gm_window_job *job = &w->jobs[j];
    uint32_t             end = v + job->lasts < w->count ? v + job->lasts : w->count;
    gm_mip_entry(m, j, 1);
    for (uint32_t i = 0; i < job->crew_count; i++)
        for (uint32_t u = v; u < end; u++) gm_mip_entry(m, s->crews + job->crews[i].of * w->count + u, job->crews[i].amount);
    for (uint32_t i = 0; i < job->part_count; i++)
        for (uint32_t u = v; u < w->count; u++) gm_mip_entry(m, s->stocks + job->parts[i].of * w->count + u, job->parts[i].amount);
    for (uint32_t i = of->first[j]; i < of->first[j + 1]; i++)
        for (uint32_t u = v; u < end; u++) gm_mip_entry(m, s->groups + of->groups[i] * w->count + u, 1);
}

// elastic: costs are those of slack alone.
static void add_columns(const gm_windows *w, const membership *of, bool elastic, gm_mip *m, shape *s)
{
    for (uint32_t j = 0; j < w->job_count; j++) {
        const gm_window_job *job = &w->jobs[j];
        s->first[j]              = (uint32_t)m->column_count;
        for (uint32_t v = 0; v < w->count; v++) {
            if (!isfinite(job->cost[v])) continue;
            s->window[m->column_count] = v;
            (void)gm_mip_column(m, elastic ? 0 : job->cost[v], 0, 1, true);
            add_beginning(w, of, m, s, j, v);
        }
        if (!isfinite(job->left_cost)) continue;
        s->window[m->column_count] = GM_WINDOW_LEFT;
        (void)gm_mip_column(m, elastic ? 0 : job->left_cost, 0, 1, true);
        gm_mip_entry(m, j, 1);
    }
    s->first[w->job_count] = s->slacks = (uint32_t)m->column_count;
}

static void add_slack(gm_mip *m, shape *s, uint32_t row, double cost, gm_window_lack of)
{
    (void)gm_mip_column(m, cost, 0, GM_MIP_FREE, false);
    gm_mip_entry(m, row, of.kind == GM_LACK_JOB ? 1 : -1);
    s->lacks[s->lack_count++] = of;
}

static void add_slacks(const gm_windows *w, gm_mip *m, shape *s)
{
    for (uint32_t v = 0; v < w->count; v++) {
        for (uint32_t c = 0; c < w->crew_count; c++)
            add_slack(m, s, s->crews + c * w->count + v, SLACK, (gm_window_lack){ GM_LACK_CREW, c, v, w->crews[c].size[v], 0 });
        for (uint32_t g = 0; g < w->group_count; g++)
            add_slack(m, s, s->groups + g * w->count + v, SLACK, (gm_window_lack){ GM_LACK_GROUP, g, v, w->groups[g].out, 0 });
        // A part that comes late lacks in every window until it is there: once is enough.
        for (uint32_t p = 0; p < w->stock_count; p++)
            add_slack(m, s, s->stocks + p * w->count + v, SLACK, (gm_window_lack){ GM_LACK_STOCK, p, v, w->stocks[p].size[v], 0 });
    }
    for (uint32_t j = 0; j < w->job_count; j++) add_slack(m, s, j, UNDONE, (gm_window_lack){ GM_LACK_JOB, j, 0, 0, 0 });
}

static int by_wanted(const void *a, const void *b)
{
    const gm_window_lack *x = a, *y = b;
    double                dx = x->wanted - x->there, dy = y->wanted - y->there;
    if (dx != dy) return dx > dy ? -1 : 1;
    return (x->window > y->window) - (x->window < y->window);
}

static void read_lacks(shape *s, const double *values, gm_windows_answer *out)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->lack_count; i++) {
        if (!(values[s->slacks + i] > 1e-6)) continue;
        s->lacks[n]        = s->lacks[i];
        s->lacks[n].wanted = s->lacks[n].there + values[s->slacks + i];
        n++;
    }
    qsort(s->lacks, n, sizeof *s->lacks, by_wanted);
    out->lack_count = n < GM_WINDOW_LACKS_MAX ? n : GM_WINDOW_LACKS_MAX;
    for (uint32_t i = 0; i < out->lack_count; i++) out->lacks[i] = s->lacks[i];
}

static void read_begins(const gm_windows *w, const shape *s, const double *values, uint32_t *begins)
{
    for (uint32_t j = 0; j < w->job_count; j++) {
        begins[j] = GM_WINDOW_LEFT;
        for (uint32_t i = s->first[j]; i < s->first[j + 1]; i++)
            if (values[i] > 0.5) begins[j] = s->window[i];
    }
}

static gm_status solve(const gm_alloc *alloc, const gm_windows *w, const gm_mip_limits *limits, bool elastic, uint32_t *begins,
                       gm_windows_answer *out, gm_error *err)
{
    size_t columns = (size_t)w->job_count * (w->count + 1), lacks = (size_t)w->count * (w->crew_count + w->stock_count + w->group_count) + w->job_count;
    gm_mip m       = gm_mip_init(alloc);
    shape  s       = { .first = gm_alloc_array(alloc, w->job_count + (size_t)1, sizeof *s.first), .window = gm_alloc_array(alloc, columns + 1, sizeof *s.window),
                       .lacks = gm_alloc_array(alloc, lacks + 1, sizeof *s.lacks) };
    double    *values = gm_alloc_array(alloc, columns + lacks + 1, sizeof *values);
    membership of     = { 0 };
    gm_status  st     = GM_OK;
    if (s.first == NULL || s.window == NULL || s.lacks == NULL || values == NULL || !list_groups(alloc, w, &of))
        st = gm_fail(err, GM_NOMEM, WHERE, "planning %u assets", w->job_count);
    if (st == GM_OK) {
        gm_mip_report report;
        add_rows(w, &m, &s);
        add_columns(w, &of, elastic, &m, &s);
        if (elastic) add_slacks(w, &m, &s);
        st = gm_mip_solve(&m, limits, values, &report, err);
        bool found = st == GM_OK && (report.end == GM_MIP_OPTIMAL || report.end == GM_MIP_OUT_OF_TIME);
        if (st == GM_OK && !elastic) *out = (gm_windows_answer){ .end = report.end, .cost = report.cost, .bound = report.bound };
        if (found && elastic) read_lacks(&s, values, out);
        if (found && !elastic) read_begins(w, &s, values, begins);
    }
    gm_free(alloc, of.first);
    gm_free(alloc, of.groups);
    gm_free(alloc, values);
    gm_free(alloc, s.lacks);
    gm_free(alloc, s.window);
    gm_free(alloc, s.first);
    gm_mip_finish(&m);
    return st;
}

// Jobs that can begin nowhere and may not be left need no program to be found.
static uint32_t find_stuck(const gm_windows *w, gm_windows_answer *out)
{
    out->lack_count = 0;
    for (uint32_t j = 0; j < w->job_count && out->lack_count < GM_WINDOW_LACKS_MAX; j++) {
        bool stuck = !isfinite(w->jobs[j].left_cost);
        for (uint32_t v = 0; v < w->count && stuck; v++) stuck = !isfinite(w->jobs[j].cost[v]);
        if (stuck) out->lacks[out->lack_count++] = (gm_window_lack){ GM_LACK_JOB, j, 0, 0, 1 };
    }
    return out->lack_count;
}

// ---- without the solver ---------------------------------------------------------------------------------------------

// Where nothing was found in time: job by job, those that lose most by waiting first, each to the cheapest window that keeps the limits.
typedef struct urgency { uint32_t job; double loss; } urgency;

static int by_loss(const void *a, const void *b)
{
    const urgency *x = a, *y = b;
    if (x->loss != y->loss) return x->loss > y->loss ? -1 : 1;
    return (x->job > y->job) - (x->job < y->job);
}

typedef struct usage { double *crews, *stocks, *groups; } usage;  // [limits][windows]

static bool fits(const gm_windows *w, const membership *of, const usage *u, uint32_t j, uint32_t v)
{
    const gm_window_job *job = &w->jobs[j];
    bool                 ok  = v + job->lasts <= w->count;
    for (uint32_t t = v; ok && t < v + job->lasts; t++) {
        for (uint32_t i = 0; i < job->crew_count; i++) ok &= u->crews[job->crews[i].of * w->count + t] + job->crews[i].amount <= w->crews[job->crews[i].of].size[t];
        for (uint32_t i = of->first[j]; i < of->first[j + 1]; i++) ok &= u->groups[of->groups[i] * w->count + t] + 1 <= w->groups[of->groups[i]].out;
    }
    for (uint32_t t = v; ok && t < w->count; t++)
        for (uint32_t i = 0; i < job->part_count; i++) ok &= u->stocks[job->parts[i].of * w->count + t] + job->parts[i].amount <= w->stocks[job->parts[i].of].size[t];
    return ok;
}

static void take_place(const gm_windows *w, const membership *of, usage *u, uint32_t j, uint32_t v)
{
    const gm_window_job *job = &w->jobs[j];
    for (uint32_t t = v; t < v + job->lasts; t++) {
        for (uint32_t i = 0; i < job->crew_count; i++) u->crews[job->crews[i].of * w->count + t] += job->crews[i].amount;
        for (uint32_t i = of->first[j]; i < of->first[j + 1]; i++) u->groups[of->groups[i] * w->count + t] += 1;
    }
    for (uint32_t t = v; t < w->count; t++)
        for (uint32_t i = 0; i < job->part_count; i++) u->stocks[job->parts[i].of * w->count + t] += job->parts[i].amount;
}

// False: this way does not lead to a plan; there may be one.
static bool place_all(const gm_windows *w, const membership *of, usage *u, urgency *order, uint32_t *begins, gm_windows_answer *out)
{
    double cost = 0, bound = 0;
    for (uint32_t j = 0; j < w->job_count; j++) {
        double least = w->jobs[j].left_cost, last = w->jobs[j].left_cost;
        for (uint32_t v = 0; v < w->count; v++) {
            least = fmin(least, w->jobs[j].cost[v]);
            if (isfinite(w->jobs[j].cost[v]) && !isfinite(w->jobs[j].left_cost)) last = 1e300;
        }
        bound += least;
        order[j] = (urgency){ j, last - least };
    }
    qsort(order, w->job_count, sizeof *order, by_loss);
    for (uint32_t n = 0; n < w->job_count; n++) {
        uint32_t j = order[n].job;
        double   best = w->jobs[j].left_cost;
        begins[j]     = GM_WINDOW_LEFT;
        for (uint32_t v = 0; v < w->count; v++) {
            if (!(w->jobs[j].cost[v] < best) || !fits(w, of, u, j, v)) continue;
            best      = w->jobs[j].cost[v];
            begins[j] = v;
        }
        if (!isfinite(best)) return false;
        if (begins[j] != GM_WINDOW_LEFT) take_place(w, of, u, j, begins[j]);
        cost += best;
    }
    *out = (gm_windows_answer){ .end = GM_MIP_OUT_OF_TIME, .cost = cost, .bound = bound };
    return true;
}

gm_status gm_windows_guess(const gm_alloc *alloc, const gm_windows *w, uint32_t *begins, gm_windows_answer *out, gm_error *err)
{
    membership of     = { 0 };
    size_t     limits = (size_t)w->crew_count + w->stock_count + w->group_count;
    double    *used   = gm_alloc_zeroed(alloc, (limits * w->count + 1) * sizeof *used);
    urgency   *order  = gm_alloc_array(alloc, w->job_count + (size_t)1, sizeof *order);
    bool       ok     = used != NULL && order != NULL && list_groups(alloc, w, &of);
    usage      u      = { used, used + (size_t)w->crew_count * w->count, used + ((size_t)w->crew_count + w->stock_count) * w->count };
    if (ok && !place_all(w, &of, &u, order, begins, out)) *out = (gm_windows_answer){ .end = GM_MIP_NOTHING };
    gm_free(alloc, of.first);
    gm_free(alloc, of.groups);
    gm_free(alloc, order);
    gm_free(alloc, used);
    return ok ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "planning %u assets", w->job_count);
}

// ---- all together ---------------------------------------------------------------------------------------------------

gm_status gm_windows_solve(const gm_alloc *alloc, const gm_windows *w, const gm_mip_limits *limits, uint32_t *begins, gm_windows_answer *out, gm_error *err)
{
    *out         = (gm_windows_answer){ .end = GM_MIP_OPTIMAL };
    gm_status st = check(w, err);
    if (st != GM_OK || w->job_count == 0) return st;
    if (find_stuck(w, out) > 0) {
        out->end = GM_MIP_INFEASIBLE;
        return GM_OK;
    }
    st = solve(alloc, w, limits, false, begins, out, err);
    // What is missing is worth knowing roughly: a good answer soon is better than the least one late.
    gm_mip_limits rough = { .seconds = limits->seconds, .gap = 0.01, .stop = limits->stop };
    if (st == GM_OK && out->end == GM_MIP_INFEASIBLE) st = solve(alloc, w, &rough, true, begins, out, err);
    if (st == GM_OK && out->end == GM_MIP_NOTHING) st = gm_windows_guess(alloc, w, begins, out, err);
    return st;
}

// ---- checking -------------------------------------------------------------------------------------------------------

static double used(const gm_window_need *needs, uint32_t count, uint32_t of)
{
    double sum = 0;
    for (uint32_t i = 0; i < count; i++) sum += needs[i].of == of ? needs[i].amount : 0;
    return sum;
}

static bool is_out(const gm_window_job *job, uint32_t begin, uint32_t window)
{
    return begin != GM_WINDOW_LEFT && begin <= window && window - begin < job->lasts;
}

bool gm_windows_keeps(const gm_windows *w, const uint32_t *begins)
{
    bool ok = true;
    for (uint32_t j = 0; j < w->job_count; j++) ok &= isfinite(begins[j] == GM_WINDOW_LEFT ? w->jobs[j].left_cost : w->jobs[j].cost[begins[j]]);
    for (uint32_t v = 0; v < w->count && ok; v++) {
        for (uint32_t c = 0; c < w->crew_count; c++) {
            double sum = 0;
            for (uint32_t j = 0; j < w->job_count; j++) sum += is_out(&w->jobs[j], begins[j], v) ? used(w->jobs[j].crews, w->jobs[j].crew_count, c) : 0;
            ok &= sum <= w->crews[c].size[v] + 1e-9;
        }
        for (uint32_t p = 0; p < w->stock_count; p++) {
            double sum = 0;
            for (uint32_t j = 0; j < w->job_count; j++) sum += begins[j] <= v ? used(w->jobs[j].parts, w->jobs[j].part_count, p) : 0;
            ok &= sum <= w->stocks[p].size[v] + 1e-9;
        }
        for (uint32_t g = 0; g < w->group_count; g++) {
            uint32_t out = 0;
            for (uint32_t i = 0; i < w->groups[g].count; i++) out += is_out(&w->jobs[w->groups[g].jobs[i]], begins[w->groups[g].jobs[i]], v);
            ok &= out <= w->groups[g].out;
        }
    }
    return ok;
}

void gm_windows_alone(const gm_windows *w, uint32_t *begins)
{
    for (uint32_t j = 0; j < w->job_count; j++) {
        double least = w->jobs[j].left_cost;
        begins[j]    = GM_WINDOW_LEFT;
        for (uint32_t v = 0; v < w->count; v++) {
            if (!(w->jobs[j].cost[v] < least)) continue;
            least     = w->jobs[j].cost[v];
            begins[j] = v;
        }
    }
}

static void add_stretch(double *row, uint32_t count, const gm_window_job *job, uint32_t begin, double amount)
{
    if (begin == GM_WINDOW_LEFT) return;
    for (uint32_t v = begin; v < count && v - begin < job->lasts; v++) row[v] += amount;
}

void gm_windows_load(const gm_windows *w, const uint32_t *begins, double *crews, double *groups)
{
    for (size_t i = 0; i < (size_t)w->crew_count * w->count; i++) crews[i] = 0;
    for (size_t i = 0; i < (size_t)w->group_count * w->count; i++) groups[i] = 0;
    for (uint32_t j = 0; j < w->job_count; j++) {
        const gm_window_job *job = &w->jobs[j];
        for (uint32_t k = 0; k < job->crew_count; k++) add_stretch(&crews[(size_t)job->crews[k].of * w->count], w->count, job, begins[j], job->crews[k].amount);
    }
    for (uint32_t g = 0; g < w->group_count; g++) {
        for (uint32_t i = 0; i < w->groups[g].count; i++) {
            uint32_t j = w->groups[g].jobs[i];
            add_stretch(&groups[(size_t)g * w->count], w->count, &w->jobs[j], begins[j], 1);
        }
    }
}
