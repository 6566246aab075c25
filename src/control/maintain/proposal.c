// A gathered case becomes a program and futures, and their answers JSON.
#include "control/maintain/proposal.h"

#include "control/json.h"
#include "control/maintain/policies.h"

#include <math.h>
#include <stdlib.h>

static const char   WHERE[] = "control.maintain";
static const double HOUR    = 3600e9;

// What comparing may cost at most: draws.
static const double DRAWS_MAX = 3e8;

typedef struct working {
    const gm_alloc         *alloc;
    const gm_maintain_case *c;
    gm_arena               *arena;
    gm_windows              w;
    gm_window_job          *jobs;
    double                 *rates, *best;  // [assets] cost of the long run for each hour, and the age that makes it
    uint32_t               *begins;
    gm_windows_answer       answer;
} working;

static double hours_to(const gm_maintain_case *c, gm_time_ns at) { return (double)(at - c->now) / HOUR; }

// ---- what it costs --------------------------------------------------------------------------------------------------

static gm_renewal renewal_of(const gm_maintain_asset *a)
{
    const gm_maintain_kind *k = a->kind;
    return (gm_renewal){ .life = { k->life.mean * k->cycle_h, k->life.shape }, .planned = k->cost, .failed = a->failure_cost,
                         .planned_down = k->lasts_h, .failed_down = k->failure_lasts_h };
}

static double cost_at(const gm_maintain_asset *a, double rate, double t)
{
    double s = gm_lifetime_survival(&a->left, t);
    return a->failure_cost * (1 - s) + a->kind->cost * s + rate * gm_lifetime_excess(&a->left, t);
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

static gm_status make_job(working *w, uint32_t i, gm_error *err)
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
        cost[v]         = ok ? cost_at(a, w->rates[i], hours_to(c, from)) : INFINITY;
    }
    job->left_cost = latest < end ? INFINITY : cost_at(a, w->rates[i], hours_to(c, end));
    job->crews     = (const gm_window_need *)(const void *)k->crews;
    job->parts     = (const gm_window_need *)(const void *)k->parts;
    _Static_assert(sizeof(gm_window_need) == sizeof(gm_maintain_need), "the same, one as people write it");
    job->crew_count = k->crew_count;
    job->part_count = k->part_count;
    return GM_OK;
}

// ---- what there is --------------------------------------------------------------------------------------------------

static const double *crew_sizes(working *w, const gm_maintain_crew *crew)
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

static const double *stock_sizes(working *w, const gm_maintain_stock *stock)
{
    double *size = GM_ARENA_NEW(w->arena, double, w->c->windows);
    for (uint32_t v = 0; size != NULL && v < w->c->windows; v++) {
        size[v] = stock->now;
        for (uint32_t i = 0; i < stock->arrive_count; i++) size[v] += stock->arrives[i].from <= gm_maintain_window(w->c, v) ? stock->arrives[i].size : 0;
    }
    return size;
}

static gm_status make_limits(working *w, gm_error *err)
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
                         .crew_count = q->crew_count, .stock_count = q->stock_count, .group_count = q->group_count };
    return ok ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "planning");
}

static gm_status prepare(working *w, gm_error *err)
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

// ---- writing --------------------------------------------------------------------------------------------------------

static void add_number(gm_buf *out, const char *before, double value)
{
    gm_buf_text(out, before);
    gm_buf_json_number(out, value);
}

static double rounded(double value, double to) { return round(value / to) * to; }

static const char *source_name(gm_maintain_source source)
{
    static const char *const names[] = { "life", "properties", "wear", "model" };
    return names[source];
}

// Hours, with as many digits as mean something.
static void write_prediction(const gm_maintain_asset *a, gm_buf *out)
{
    gm_buf_printf(out, ",\"prediction\":{\"from\":\"%s\"", source_name(a->source));
    if (a->model.len > 0) gm_json_member(out, "model", a->model);
    if (a->at != 0) gm_json_time_member(out, "at", a->at);
    add_number(out, ",\"hours5\":", rounded(gm_lifetime_quantile(&a->left, 0.05), 0.01));
    add_number(out, ",\"hours50\":", rounded(gm_lifetime_quantile(&a->left, 0.5), 0.01));
    add_number(out, ",\"hours95\":", rounded(gm_lifetime_quantile(&a->left, 0.95), 0.01));
    gm_buf_byte(out, '}');
}

static void write_item(const working *w, uint32_t i, gm_buf *out)
{
    const gm_maintain_case  *c = w->c;
    const gm_maintain_asset *a = &c->assets[i];
    uint32_t                 v = w->begins[i];
    bool                     left = v == GM_WINDOW_LEFT;
    double                   t = hours_to(c, gm_maintain_window(c, left ? c->windows : v));
    gm_buf_text(out, "{\"twin\":");
    gm_buf_json_str(out, a->id);
    gm_json_member(out, "work", a->kind->work);
    if (!left) {
        gm_buf_printf(out, ",\"window\":%u", v);
        gm_json_time_member(out, "from", gm_maintain_window(c, v));
        gm_json_time_member(out, "to", gm_maintain_window(c, v + w->jobs[i].lasts));
    }
    add_number(out, ",\"cost\":", rounded(left ? w->jobs[i].left_cost : w->jobs[i].cost[v], 0.01));
    add_number(out, ",\"failsBefore\":", rounded(1 - gm_lifetime_survival(&a->left, t), 1e-6));
    add_number(out, ",\"wastes\":", rounded(gm_lifetime_excess(&a->left, t), 0.01));
    write_prediction(a, out);
    gm_buf_byte(out, '}');
}

typedef struct placed { uint32_t window, asset; } placed;

static int by_window(const void *a, const void *b)
{
    const placed *x = a, *y = b;
    if (x->window != y->window) return x->window < y->window ? -1 : 1;
    return (x->asset > y->asset) - (x->asset < y->asset);
}

static gm_status write_items(const working *w, gm_buf *out, gm_error *err)
{
    uint32_t n   = w->c->asset_count;
    placed  *all = GM_ARENA_NEW(w->arena, placed, n + (size_t)1);
    if (all == NULL) return gm_fail(err, GM_NOMEM, WHERE, "planning");
    for (uint32_t i = 0; i < n; i++) all[i] = (placed){ w->begins[i], i };
    qsort(all, n, sizeof *all, by_window);
    gm_buf_text(out, ",\"items\":[");
    for (uint32_t i = 0; i < n; i++) {
        if (i > 0) gm_buf_byte(out, ',');
        write_item(w, all[i].asset, out);
    }
    gm_buf_byte(out, ']');
    return GM_OK;
}

// How much of each crew every window takes.
static void write_crews(const working *w, gm_buf *out)
{
    gm_buf_text(out, ",\"crews\":[");
    for (uint32_t c = 0; c < w->w.crew_count; c++) {
        gm_buf_text(out, c > 0 ? ",{\"name\":" : "{\"name\":");
        gm_buf_json_str(out, w->w.crews[c].name);
        gm_buf_text(out, ",\"size\":[");
        for (uint32_t v = 0; v < w->w.count; v++) add_number(out, v > 0 ? "," : "", w->w.crews[c].size[v]);
        gm_buf_text(out, "],\"busy\":[");
        for (uint32_t v = 0; v < w->w.count; v++) {
            double sum = 0;
            for (uint32_t j = 0; j < w->w.job_count; j++) {
                bool out_then = w->begins[j] != GM_WINDOW_LEFT && w->begins[j] <= v && v - w->begins[j] < w->jobs[j].lasts;
                for (uint32_t k = 0; out_then && k < w->jobs[j].crew_count; k++) sum += w->jobs[j].crews[k].of == c ? w->jobs[j].crews[k].amount : 0;
            }
            add_number(out, v > 0 ? "," : "", sum);
        }
        gm_buf_text(out, "]}");
    }
    gm_buf_byte(out, ']');
}

// ---- what is in the way ---------------------------------------------------------------------------------------------

static void tell_lack(const working *w, const gm_window_lack *l, gm_buf *out)
{
    char time[GM_TIME_TEXT];
    (void)gm_time_format(gm_maintain_window(w->c, l->window), time);
    switch (l->kind) {
    case GM_LACK_CREW:
        gm_buf_printf(out, "crew '" GM_STR_FMT "' has %g in the window from %s, and %g are needed", GM_STR_ARG(gm_str_slice(w->w.crews[l->of].name, 0, 40)), l->there, time, l->wanted);
        return;
    case GM_LACK_STOCK:
        gm_buf_printf(out, "of '" GM_STR_FMT "' %g are there by %s, and %g are needed", GM_STR_ARG(gm_str_slice(w->w.stocks[l->of].name, 0, 40)), l->there, time, l->wanted);
        return;
    case GM_LACK_GROUP:
        gm_buf_printf(out, "of '" GM_STR_FMT "' no more than %g may be out, and in the window from %s %g would be", GM_STR_ARG(gm_str_slice(w->w.groups[l->of].name, 0, 40)), l->there, time,
                      l->wanted);
        return;
    case GM_LACK_JOB:
        gm_buf_printf(out, "'" GM_STR_FMT "' can begin in no window: see its \"earliest\", \"latest\", how long it lasts, and \"outages\"",
                      GM_STR_ARG(gm_str_slice(w->jobs[l->of].name, 0, 60)));
    }
}

static void write_lacks(const working *w, gm_buf *out)
{
    static const char *const kinds[] = { "crew", "stock", "redundancy", "asset" };
    const gm_windows_answer *a       = &w->answer;
    gm_buf                   text    = gm_buf_init(w->alloc);
    for (uint32_t i = 0; i < a->lack_count && i < 3; i++) {
        if (i > 0) gm_buf_text(&text, "; ");
        tell_lack(w, &a->lacks[i], &text);
    }
    if (a->lack_count == 0) gm_buf_text(&text, "which limit it is could not be found within the time limit");
    gm_buf_text(out, ",\"trouble\":");
    gm_buf whole = gm_buf_init(w->alloc);
    gm_buf_printf(&whole, "no plan keeps all limits: " GM_STR_FMT, GM_STR_ARG(gm_buf_view(&text)));
    out->failed |= whole.failed || text.failed;
    gm_buf_json_str(out, gm_buf_view(&whole));
    gm_buf_finish(&whole);
    gm_buf_text(out, ",\"lacks\":[");
    for (uint32_t i = 0; i < a->lack_count; i++) {
        const gm_window_lack *l    = &a->lacks[i];
        gm_str                name = l->kind == GM_LACK_CREW ? w->w.crews[l->of].name : l->kind == GM_LACK_STOCK ? w->w.stocks[l->of].name
                                   : l->kind == GM_LACK_GROUP ? w->w.groups[l->of].name : w->jobs[l->of].name;
        gm_buf_printf(out, "%s{\"kind\":\"%s\",\"name\":", i > 0 ? "," : "", kinds[l->kind]);
        gm_buf_json_str(out, name);
        if (l->kind != GM_LACK_JOB) {
            gm_json_time_member(out, "from", gm_maintain_window(w->c, l->window));
            add_number(out, ",\"there\":", l->there);
            add_number(out, ",\"needed\":", rounded(l->wanted, 1e-6));
        }
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, ']');
    gm_buf_finish(&text);
}

// ---- policies -------------------------------------------------------------------------------------------------------

static void write_mean(gm_buf *out, const char *name, gm_policy_mean m, double to)
{
    gm_buf_printf(out, ",\"%s\":[", name);
    add_number(out, "", rounded(m.mean, to));
    add_number(out, ",", rounded(m.half, to));
    gm_buf_byte(out, ']');
}

static void write_policies(const gm_policy_outcome *all, double hours, const gm_maintain_request *q, gm_buf *out)
{
    gm_buf_printf(out, ",\"compare\":{\"lanes\":%u,\"seed\":%u", q->lanes, q->seed);
    add_number(out, ",\"hours\":", hours);
    gm_buf_text(out, ",\"policies\":[");
    for (int p = 0; p < GM_POLICY_COUNT; p++) {
        gm_buf_printf(out, "%s{\"policy\":\"%s\"", p > 0 ? "," : "", gm_policy_name((gm_policy)p));
        write_mean(out, "cost", all[p].cost, 0.01);
        write_mean(out, "failures", all[p].failures, 1e-6);
        write_mean(out, "jobs", all[p].jobs, 1e-6);
        write_mean(out, "availability", all[p].availability, 1e-9);
        if (p > 0) write_mean(out, "more", all[p].worse, 0.01);
        gm_buf_byte(out, '}');
    }
    gm_buf_text(out, "]}");
}

static gm_status compare(const working *w, gm_buf *out, gm_error *err)
{
    const gm_maintain_case    *c = w->c;
    const gm_maintain_request *q = c->request;
    double                     hours = q->compare_h, draws = 0, end = hours_to(c, gm_maintain_window(c, c->windows));
    gm_policy_outcome          all[GM_POLICY_COUNT];
    if (q->lanes == 0 || c->asset_count == 0) return GM_OK;
    gm_policy_asset *assets = GM_ARENA_NEW(w->arena, gm_policy_asset, c->asset_count);
    if (assets == NULL) return gm_fail(err, GM_NOMEM, WHERE, "comparing policies");
    for (uint32_t i = 0; q->compare_h == 0 && i < c->asset_count; i++) hours = fmax(hours, fmax(end, 3 * c->assets[i].kind->life.mean * c->assets[i].kind->cycle_h));
    for (uint32_t i = 0; i < c->asset_count; i++) {
        const gm_maintain_asset *a = &c->assets[i];
        assets[i] = (gm_policy_asset){ .now = a->left, .renewal = renewal_of(a), .age = a->age_h, .interval = w->best[i] };
        assets[i].planned = w->begins[i] != GM_WINDOW_LEFT ? hours_to(c, gm_maintain_window(c, w->begins[i])) : fmax(end, w->best[i] - a->age_h);
        draws += hours / fmin(assets[i].renewal.life.mean, w->best[i]) + 2;
    }
    if (draws * q->lanes > DRAWS_MAX)
        return gm_fail(err, GM_LIMIT, WHERE, "comparing policies would take %.2g draws, and %.2g are possible; take fewer \"lanes\" or a shorter \"horizon\" in \"compare\"",
                       draws * q->lanes, DRAWS_MAX);
    gm_status st = gm_policies_compare(assets, c->asset_count, &(gm_policies_options){ hours, q->lanes, q->seed }, all, err);
    if (st == GM_OK) write_policies(all, hours, q, out);
    return st;
}

// ---- a proposal -----------------------------------------------------------------------------------------------------

static gm_status write_answer(const working *w, gm_buf *out, gm_error *err)
{
    static const char *const ends[] = { "optimal", "outOfTime", "infeasible", "nothing" };
    const gm_windows_answer *a      = &w->answer;
    gm_buf_printf(out, "\"status\":\"%s\"", ends[a->end]);
    gm_json_time_member(out, "now", w->c->now);
    gm_json_time_member(out, "first", w->c->first);
    gm_buf_printf(out, ",\"windows\":%u", w->c->windows);
    add_number(out, ",\"windowHours\":", w->c->request->window_h);
    if (a->end == GM_MIP_INFEASIBLE) write_lacks(w, out);
    if (a->end == GM_MIP_NOTHING) gm_buf_text(out, ",\"trouble\":\"the time limit was over before there was a plan; allow more time, or take longer windows\"");
    if (a->end == GM_MIP_INFEASIBLE || a->end == GM_MIP_NOTHING) {
        gm_buf_text(out, ",\"items\":[]");
        return GM_OK;
    }
    add_number(out, ",\"cost\":", rounded(a->cost, 0.01));
    add_number(out, ",\"bound\":", rounded(a->bound, 0.01));
    gm_status st = write_items(w, out, err);
    if (st != GM_OK) return st;
    write_crews(w, out);
    return compare(w, out, err);
}

gm_status gm_maintain_propose(const gm_alloc *alloc, const gm_maintain_case *c, gm_buf *out, gm_error *err)
{
    working w = { .alloc = alloc, .c = c, .arena = gm_arena_create(alloc, 0) };
    if (w.arena == NULL) return gm_fail(err, GM_NOMEM, WHERE, "planning");
    gm_mip_limits limits = { .seconds = c->request->seconds, .gap = c->request->gap };
    gm_status     st     = prepare(&w, err);
    if (st == GM_OK) st = gm_windows_solve(alloc, &w.w, &limits, w.begins, &w.answer, err);
    if (st == GM_OK) st = write_answer(&w, out, err);
    if (st == GM_OK && out->failed) st = gm_fail(err, GM_NOMEM, WHERE, "writing a plan");
    gm_arena_destroy(w.arena);
    return st;
}
