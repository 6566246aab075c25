// A gathered case becomes a program and futures; proposal_write.c makes JSON of their answers.
#include "control/maintain/working.h"

#include <math.h>

static const char WHERE[] = "control.maintain";

// What comparing may cost at most: draws.
static const double DRAWS_MAX = 3e8;

// ---- what it costs --------------------------------------------------------------------------------------------------

static gm_renewal renewal_of(const gm_maintain_asset *a)
{
    const gm_maintain_kind *k = a->kind;
    return (gm_renewal){ .life = { k->life.mean * k->cycle_h, k->life.shape }, .planned = a->planned_cost, .failed = a->failure_cost,
                         .planned_down = k->lasts_h, .failed_down = k->failure_lasts_h };
}

static double cost_at(const gm_maintain_asset *a, double rate, double t)
{
    double s = gm_lifetime_survival(&a->left, t);
    return a->failure_cost * (1 - s) + a->planned_cost * s + rate * gm_lifetime_excess(&a->left, t);
}

static bool inside_outage(const gm_maintain_request *q, gm_time_ns from, gm_time_ns to)
{
    for (uint32_t i = 0; i < q->outage_count; i++)
        if (q->outages[i].from <= from && to <= q->outages[i].to) return true;
    return q->outage_count == 0;
}

static gm_time_ns moment(const gm_maintain_case *c, const gm_maintain_when *w, gm_time_ns otherwise)
{
    return !w->given ? otherwise : w->relative ? (w->after > GM_TIME_MAX - c->now ? GM_TIME_MAX : c->now + w->after) : w->at;
}

static gm_status make_job(gm_maintain_working *w, uint32_t i, gm_error *err)
{
    const gm_maintain_case  *c   = w->c;
    const gm_maintain_asset *a   = &c->assets[i];
    const gm_maintain_kind  *k   = a->kind;
    gm_window_job           *job = &w->jobs[i];
    double                  *cost = GM_ARENA_NEW(w->arena, double, c->windows);
    gm_time_ns earliest = moment(c, &k->earliest, GM_TIME_MIN), latest = moment(c, &k->latest, GM_TIME_MAX), end = gm_maintain_window(c, c->windows);
    if (cost == NULL) return gm_fail(err, GM_NOMEM, WHERE, "planning");
    gm_renewal r = renewal_of(a);
    w->best[i]   = k->interval > 0 ? k->interval * k->cycle_h : gm_renewal_best(&r, &w->rates[i]);
    if (k->interval > 0) (void)gm_renewal_best(&r, &w->rates[i]);
    *job = (gm_window_job){ .name = a->id, .cost = cost, .lasts = (uint32_t)ceil(k->lasts_h / c->request->window_h - 1e-9) };
    for (uint32_t v = 0; v < c->windows; v++) {
        gm_time_ns from = gm_maintain_window(c, v), to = gm_maintain_window(c, v + job->lasts);
        bool       ok   = v + job->lasts <= c->windows && from >= earliest && from <= latest && inside_outage(c->request, from, to);
        cost[v]         = ok ? cost_at(a, w->rates[i], gm_maintain_hours(c, from)) : INFINITY;
    }
    job->left_cost = latest < end ? INFINITY : cost_at(a, w->rates[i], gm_maintain_hours(c, end));
    job->crews     = (const gm_window_need *)(const void *)k->crews;
    job->parts     = (const gm_window_need *)(const void *)k->parts;
    _Static_assert(sizeof(gm_window_need) == sizeof(gm_maintain_need), "the same, one as people write it");
    job->crew_count = k->crew_count;
    job->part_count = k->part_count;
    return GM_OK;
}

// ---- what there is --------------------------------------------------------------------------------------------------

static const double *crew_sizes(gm_maintain_working *w, const gm_maintain_crew *crew)
{
    const gm_maintain_case *c    = w->c;
    double                 *size = GM_ARENA_NEW(w->arena, double, c->windows);
    for (uint32_t v = 0; size != NULL && v < c->windows; v++) {
        gm_time_ns from = gm_maintain_window(c, v), to = gm_maintain_window(c, v + 1);
        size[v]         = crew->size;
        // A window has what its worst moment has.
        for (uint32_t i = 0; i < crew->except_count; i++)
            if (crew->except[i].from < to && from < crew->except[i].to) size[v] = fmin(size[v], crew->except[i].size);
        // More than usual counts when it is there all the window.
        for (uint32_t i = 0; i < crew->except_count; i++)
            if (crew->except[i].from <= from && to <= crew->except[i].to && crew->except[i].size > crew->size) size[v] = fmax(size[v], crew->except[i].size);
    }
    return size;
}

static const double *stock_sizes(gm_maintain_working *w, const gm_maintain_stock *stock)
{
    double *size = GM_ARENA_NEW(w->arena, double, w->c->windows);
    for (uint32_t v = 0; size != NULL && v < w->c->windows; v++) {
        size[v] = stock->now;
        for (uint32_t i = 0; i < stock->arrive_count; i++) size[v] += stock->arrives[i].from <= gm_maintain_window(w->c, v) ? stock->arrives[i].size : 0;
    }
    return size;
}

static gm_status make_limits(gm_maintain_working *w, gm_error *err)
{
    const gm_maintain_request *q      = w->c->request;
    gm_window_limit           *crews  = GM_ARENA_NEW(w->arena, gm_window_limit, q->crew_count + 1);
    gm_window_limit           *stocks = GM_ARENA_NEW(w->arena, gm_window_limit, q->stock_count + 1);
    bool                       ok     = crews != NULL && stocks != NULL;
    for (uint32_t i = 0; ok && i < q->crew_count; i++) {
        crews[i] = (gm_window_limit){ q->crews[i].name, crew_sizes(w, &q->crews[i]) };
        ok       = crews[i].size != NULL;
    }
    for (uint32_t i = 0; ok && i < q->stock_count; i++) {
        stocks[i] = (gm_window_limit){ q->stocks[i].name, stock_sizes(w, &q->stocks[i]) };
        ok        = stocks[i].size != NULL;
    }
    w->w = (gm_windows){ .count = w->c->windows, .jobs = w->jobs, .crews = crews, .stocks = stocks, .groups = w->c->groups, .job_count = w->c->asset_count,
                         .crew_count = q->crew_count, .stock_count = q->stock_count, .group_count = w->c->group_count };
    return ok ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "planning");
}

static gm_status prepare(gm_maintain_working *w, gm_error *err)
{
    size_t n    = w->c->asset_count;
    w->jobs     = GM_ARENA_NEW(w->arena, gm_window_job, n + 1);
    w->rates    = GM_ARENA_NEW(w->arena, double, n + 1);
    w->best     = GM_ARENA_NEW(w->arena, double, n + 1);
    w->begins   = GM_ARENA_NEW(w->arena, uint32_t, n + 1);
    if (w->jobs == NULL || w->rates == NULL || w->best == NULL || w->begins == NULL) return gm_fail(err, GM_NOMEM, WHERE, "planning");
    if ((uint64_t)n * w->c->windows > GM_WINDOWS_COLUMNS_MAX)
        return gm_fail(err, GM_LIMIT, WHERE, "%zu assets in %u windows: at most %d together; take longer windows", n, w->c->windows, GM_WINDOWS_COLUMNS_MAX);
    gm_status st = GM_OK;
    for (uint32_t i = 0; st == GM_OK && i < n; i++) st = make_job(w, i, err);
    return st == GM_OK ? make_limits(w, err) : st;
}

// ---- policies -------------------------------------------------------------------------------------------------------

static gm_status compare(const gm_maintain_working *w, const gm_mip_stop *stop, gm_buf *out, gm_error *err)
{
    const gm_maintain_case    *c = w->c;
    const gm_maintain_request *q = c->request;
    double                     hours = q->compare_h, draws = 0, end = gm_maintain_hours(c, gm_maintain_window(c, c->windows));
    gm_policy_outcome          all[GM_POLICY_COUNT];
    if (q->lanes == 0 || c->asset_count == 0) return GM_OK;
    gm_policy_asset *assets = GM_ARENA_NEW(w->arena, gm_policy_asset, c->asset_count);
    if (assets == NULL) return gm_fail(err, GM_NOMEM, WHERE, "comparing policies");
    for (uint32_t i = 0; q->compare_h == 0 && i < c->asset_count; i++) hours = fmax(hours, fmax(end, 3 * c->assets[i].kind->life.mean * c->assets[i].kind->cycle_h));
    for (uint32_t i = 0; i < c->asset_count; i++) {
        const gm_maintain_asset *a = &c->assets[i];
        assets[i] = (gm_policy_asset){ .now = a->left, .renewal = renewal_of(a), .age = a->age_h, .interval = w->best[i] };
        assets[i].planned = w->begins[i] != GM_WINDOW_LEFT ? gm_maintain_hours(c, gm_maintain_window(c, w->begins[i])) : fmax(end, w->best[i] - a->age_h);
        draws += hours / fmin(assets[i].renewal.life.mean, w->best[i]) + 2;
    }
    if (draws * q->lanes > DRAWS_MAX)
        return gm_fail(err, GM_LIMIT, WHERE, "comparing policies would take %.2g draws, and %.2g are possible; take fewer \"lanes\" or a shorter \"horizon\" in \"compare\"",
                       draws * q->lanes, DRAWS_MAX);
    gm_status st = gm_policies_compare(assets, c->asset_count, &(gm_policies_options){ hours, q->lanes, q->seed, stop }, all, err);
    if (st == GM_OK) gm_maintain_write_policies(all, hours, q, out);
    return st;
}

// ---- a proposal -----------------------------------------------------------------------------------------------------

gm_status gm_maintain_propose(const gm_alloc *alloc, const gm_maintain_case *c, const gm_mip_stop *stop, gm_buf *out, gm_error *err)
{
    gm_maintain_working w = { .alloc = alloc, .c = c, .arena = gm_arena_create(alloc, 0) };
    if (w.arena == NULL) return gm_fail(err, GM_NOMEM, WHERE, "planning");
    gm_mip_limits limits = { .seconds = c->request->seconds, .gap = c->request->gap, .stop = stop };
    gm_status     st     = prepare(&w, err);
    if (st == GM_OK) st = gm_windows_solve(alloc, &w.w, &limits, w.begins, &w.answer, err);
    if (st == GM_OK) st = gm_maintain_write(&w, out, err);
    if (st == GM_OK && gm_maintain_answered(&w)) st = compare(&w, stop, out, err);
    if (st == GM_OK && out->failed) st = gm_fail(err, GM_NOMEM, WHERE, "writing a plan");
    gm_arena_destroy(w.arena);
    return st;
}
