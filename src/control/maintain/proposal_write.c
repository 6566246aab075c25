// What a proposal says, as JSON.
#include "control/json.h"
#include "control/maintain/working.h"

#include <math.h>
#include <stdlib.h>

static const char WHERE[] = "control.maintain";

// ---- items ----------------------------------------------------------------------------------------------------------

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

static void write_item(const gm_maintain_working *w, uint32_t i, uint32_t alone, gm_buf *out)
{
    const gm_maintain_case  *c = w->c;
    const gm_maintain_asset *a = &c->assets[i];
    uint32_t                 v = w->begins[i];
    bool                     left = v == GM_WINDOW_LEFT;
    double                   t = gm_maintain_hours(c, gm_maintain_window(c, left ? c->windows : v));
    gm_buf_text(out, "{\"twin\":");
    gm_buf_json_str(out, a->id);
    gm_json_member(out, "work", a->kind->work);
    if (!left) {
        gm_buf_printf(out, ",\"window\":%u", v);
        gm_json_time_member(out, "from", gm_maintain_window(c, v));
        gm_json_time_member(out, "to", gm_maintain_window(c, v + w->jobs[i].lasts));
    }
    if (alone != GM_WINDOW_LEFT) gm_buf_printf(out, ",\"alone\":%u", alone);
    add_number(out, ",\"cost\":", rounded(left ? w->jobs[i].left_cost : w->jobs[i].cost[v], 0.01));
    add_number(out, ",\"failsBefore\":", rounded(1 - gm_lifetime_survival(&a->left, t), 1e-6));
    add_number(out, ",\"wastes\":", rounded(gm_lifetime_excess(&a->left, t), 0.01));
    write_prediction(a, out);
    add_number(out, ",\"failure\":{\"cost\":", rounded(a->failure_cost, 0.01));
    if (a->impact > 0 || a->stops > 0) {
        add_number(out, ",\"impact\":", rounded(a->impact, 0.01));
        gm_buf_printf(out, ",\"stops\":%u", a->stops);
    }
    gm_buf_text(out, "}}");
}

typedef struct placed { uint32_t window, asset; } placed;

static int by_window(const void *a, const void *b)
{
    const placed *x = a, *y = b;
    if (x->window != y->window) return x->window < y->window ? -1 : 1;
    return (x->asset > y->asset) - (x->asset < y->asset);
}

static gm_status write_items(const gm_maintain_working *w, const uint32_t *alone, gm_buf *out, gm_error *err)
{
    uint32_t n   = w->c->asset_count;
    placed  *all = GM_ARENA_NEW(w->arena, placed, n + (size_t)1);
    if (all == NULL) return gm_fail(err, GM_NOMEM, WHERE, "planning");
    for (uint32_t i = 0; i < n; i++) all[i] = (placed){ w->begins[i], i };
    qsort(all, n, sizeof *all, by_window);
    gm_buf_text(out, ",\"items\":[");
    for (uint32_t i = 0; i < n; i++) {
        if (i > 0) gm_buf_byte(out, ',');
        write_item(w, all[i].asset, alone[all[i].asset], out);
    }
    gm_buf_byte(out, ']');
    return GM_OK;
}

// ---- what every window takes ------------------------------------------------------------------------------------------

// Of crews and groups: as planned, and as it would be if every job were where it costs least for itself.
typedef struct loads { double *crews, *groups, *crews_alone, *groups_alone; } loads;

static gm_status find_loads(const gm_maintain_working *w, const uint32_t *alone, loads *out, gm_error *err)
{
    size_t crews = (size_t)w->w.crew_count * w->w.count + 1, groups = (size_t)w->w.group_count * w->w.count + 1;
    *out = (loads){ GM_ARENA_NEW(w->arena, double, crews), GM_ARENA_NEW(w->arena, double, groups), GM_ARENA_NEW(w->arena, double, crews), GM_ARENA_NEW(w->arena, double, groups) };
    if (out->crews == NULL || out->groups == NULL || out->crews_alone == NULL || out->groups_alone == NULL) return gm_fail(err, GM_NOMEM, WHERE, "planning");
    gm_windows_load(&w->w, w->begins, out->crews, out->groups);
    gm_windows_load(&w->w, alone, out->crews_alone, out->groups_alone);
    return GM_OK;
}

static void write_course(const char *name, const double *values, uint32_t count, gm_buf *out)
{
    gm_buf_printf(out, ",\"%s\":[", name);
    for (uint32_t v = 0; v < count; v++) add_number(out, v > 0 ? "," : "", values[v]);
    gm_buf_byte(out, ']');
}

static void write_crews(const gm_maintain_working *w, const loads *l, gm_buf *out)
{
    gm_buf_text(out, ",\"crews\":[");
    for (uint32_t c = 0; c < w->w.crew_count; c++) {
        size_t row = (size_t)c * w->w.count;
        gm_buf_text(out, c > 0 ? ",{\"name\":" : "{\"name\":");
        gm_buf_json_str(out, w->w.crews[c].name);
        write_course("size", w->w.crews[c].size, w->w.count, out);
        write_course("busy", l->crews + row, w->w.count, out);
        write_course("alone", l->crews_alone + row, w->w.count, out);
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, ']');
}

// Who stands in for whom, and what that kept apart.
static void write_redundancy(const gm_maintain_working *w, const loads *l, gm_buf *out)
{
    if (w->w.group_count == 0) return;
    gm_buf_text(out, ",\"redundancy\":[");
    for (uint32_t g = 0; g < w->w.group_count; g++) {
        const gm_window_group *group = &w->w.groups[g];
        size_t                 row   = (size_t)g * w->w.count;
        gm_buf_text(out, g > 0 ? ",{\"name\":" : "{\"name\":");
        gm_buf_json_str(out, group->name);
        gm_buf_printf(out, ",\"out\":%u,\"twins\":[", group->out);
        for (uint32_t i = 0; i < group->count; i++) {
            if (i > 0) gm_buf_byte(out, ',');
            gm_buf_json_str(out, w->jobs[group->jobs[i]].name);
        }
        gm_buf_byte(out, ']');
        write_course("planned", l->groups + row, w->w.count, out);
        write_course("alone", l->groups_alone + row, w->w.count, out);
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, ']');
}

// ---- what is in the way ---------------------------------------------------------------------------------------------

static void tell_lack(const gm_maintain_working *w, const gm_window_lack *l, gm_buf *out)
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

static void write_lacks(const gm_maintain_working *w, gm_buf *out)
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

void gm_maintain_write_policies(const gm_policy_outcome *all, double hours, const gm_maintain_request *q, gm_buf *out)
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

// ---- the whole ------------------------------------------------------------------------------------------------------

gm_status gm_maintain_write(const gm_maintain_working *w, gm_buf *out, gm_error *err)
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
    if (!gm_maintain_answered(w)) {
        gm_buf_text(out, ",\"items\":[]");
        return GM_OK;
    }
    add_number(out, ",\"cost\":", rounded(a->cost, 0.01));
    add_number(out, ",\"bound\":", rounded(a->bound, 0.01));
    loads     l;
    uint32_t *alone = GM_ARENA_NEW(w->arena, uint32_t, w->w.job_count + (size_t)1);
    if (alone == NULL) return gm_fail(err, GM_NOMEM, WHERE, "planning");
    gm_windows_alone(&w->w, alone);
    gm_status st = write_items(w, alone, out, err);
    if (st == GM_OK) st = find_loads(w, alone, &l, err);
    if (st != GM_OK) return st;
    write_crews(w, &l, out);
    write_redundancy(w, &l, out);
    return GM_OK;
}
