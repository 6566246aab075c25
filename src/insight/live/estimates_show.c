// What the filters have found: shown, written to properties, told as anomalies.
#include "insight/live/estimates_parts.h"

#include "base/number.h"

#include <math.h>
#include <stdio.h>

// Whom the estimate is about: what acts on them by itself must know that it can not be trusted.
static void add_twins(const gm_group *group, gm_buf *out)
{
    enum { TWINS_MAX = 1000 };
    uint32_t n = gm_group_twin_count(group);
    gm_buf_text(out, ",\"twins\":[");
    for (uint32_t i = 0; i < n && i < TWINS_MAX; i++) {
        if (i > 0) gm_buf_byte(out, ',');
        gm_buf_json_str(out, gm_group_twin_id(group, i));
    }
    gm_buf_byte(out, ']');
}

static void tell(gm_estimates *e, gm_estimates_entry *x, gm_str twin, const char *what, gm_str name, double score, gm_time_ns start, gm_time_ns end)
{
    char    digits[GM_NUMBER_TEXT], from[GM_TIME_TEXT], to[GM_TIME_TEXT], detector[200];
    gm_buf *out = &e->text;
    if (e->options.anomalies == NULL) return;
    snprintf(detector, sizeof detector, GM_STR_FMT ": %s" GM_STR_FMT, GM_STR_ARG(gm_str_slice(x->setup->name, 0, 80)), what, GM_STR_ARG(gm_str_slice(name, 0, 80)));
    gm_number_write(round(100 * score) / 100, digits);
    gm_time_format(start, from);
    gm_time_format(end, to);
    gm_buf_clear(out);
    gm_buf_printf(out, "{\"start\":\"%s\"", from);
    if (end != 0) gm_buf_printf(out, ",\"end\":\"%s\"", to);
    gm_buf_printf(out, ",\"score\":%s,\"signals\":[]", digits);
    if (name.len == 0 && x->group != NULL) add_twins(x->group, out);
    gm_buf_byte(out, '}');
    if (!out->failed) (void)!gm_anomalies_tell(e->options.anomalies, twin, gm_str_of(detector), gm_buf_view(out), end != 0, NULL);
}

// Of a hundred windows one in a thousand is beyond its limit by chance, and whatever acts by itself is disarmed by this: it must last.
static void tell_health(gm_estimates *e, gm_estimates_entry *x)
{
    gm_health_state health = x->stats.health.state;
    bool            wrong  = (health == GM_HEALTH_TOO_SURE && !gm_vigil_explained(x->vigil)) || x->diverged;
    if (!wrong) x->wrong_since = 0;
    else if (x->wrong_since == 0) x->wrong_since = x->stats.at;
    bool lasts = wrong && (x->diverged || (double)(x->stats.at - x->wrong_since) / 1e9 >= x->setup->hold_s);
    if (lasts && !x->told_model) {
        x->told_since = x->wrong_since;
        x->told_model = true;
        tell(e, x, x->setup->root, "the model no longer fits", GM_STR(""), x->stats.health.nis_mean, x->told_since, 0);
    } else if (!wrong && health != GM_HEALTH_UNKNOWN && x->told_model) {  // between good and bad it stays as it was told
        x->told_model = false;
        tell(e, x, x->setup->root, "the model no longer fits", GM_STR(""), x->stats.health.nis_mean, x->told_since, x->stats.at);
    }
}

static void tell_changes(gm_estimates *e, gm_estimates_entry *x)
{
    gm_vigil_fault f     = { 0 };
    bool           now   = gm_vigil_alarm(x->vigil, &f);
    bool           other = now && x->alarm && !gm_str_eq(f.name, x->told.name);
    if (x->alarm && (!now || other)) tell(e, x, x->told_twin, "", x->told.name, x->told.significance, x->told.since, x->stats.at);
    if (now && (!x->alarm || other)) {
        x->told_twin = gm_group_twin_id(x->group, f.member < gm_group_twin_count(x->group) ? f.member : 0);
        tell(e, x, x->told_twin, "", f.name, f.significance, f.since, 0);
    }
    x->alarm = now;
    x->told  = f;
    tell_health(e, x);
}

void gm_estimates_end_told(gm_estimates *e, gm_estimates_entry *x)
{
    if (x->alarm) tell(e, x, x->told_twin, "", x->told.name, x->told.significance, x->told.since, x->stats.at);
    if (x->told_model) tell(e, x, x->setup->root, "the model no longer fits", GM_STR(""), x->stats.health.nis_mean, x->told_since, x->stats.at);
    for (uint32_t i = 1; i < x->case_count; i++)
        if (x->cases[i].told) tell(e, x, x->setup->root, "mode ", x->cases[i].name, x->cases[i].probability, x->cases[i].since, x->stats.at);
    x->alarm = x->told_model = false;
}

// values: [GM_ESTIMATE_INTO].
static void write_into(gm_estimates *e, const gm_str *into, gm_twin twin, const double *values, gm_time_ns at)
{
    const gm_state *state = gm_engine_state(e->options.engine);
    gm_cell_write   cells[GM_ESTIMATE_INTO];
    size_t          n = 0;
    if (at == 0 || into[0].len == 0 || !gm_state_exists(state, twin)) return;
    const gm_type *type = gm_state_type(state, twin);
    for (int k = 0; k < GM_ESTIMATE_INTO; k++) {
        uint32_t column = into[k].len > 0 ? gm_type_column_index(type, into[k]) : GM_NO_COLUMN;
        if (column == GM_NO_COLUMN || type->columns[column].kind != GM_KIND_DOUBLE || !isfinite(values[k])) continue;
        cells[n++] = (gm_cell_write){ .column = (uint16_t)column, .at = at, .value = { .kind = GM_KIND_DOUBLE, .d = values[k] } };
    }
    if (n > 0) (void)!gm_engine_write(e->options.engine, twin, 0, cells, n, (gm_ask){ 0 }, NULL);
}

// Probabilities of the modes: shown, written to properties of the root, told when they begin and end.
static void show_cases(gm_estimates *e, gm_estimates_entry *x)
{
    const gm_cases *cases  = gm_vigil_cases(x->vigil);
    uint32_t        before = x->case_count;
    gm_twin         root   = gm_group_twin(x->group, 0);
    x->case_count          = cases != NULL ? gm_cases_count(cases) : 0;
    for (uint32_t i = 0; i < x->case_count; i++) {
        gm_case_view now = gm_cases_at(cases, i), was = i < before ? x->cases[i] : (gm_case_view){ 0 };
        x->cases[i]      = now;
        if (i == 0) continue;
        const gm_str into[GM_ESTIMATE_INTO]   = { x->setup->cases[i - 1].into };
        const double values[GM_ESTIMATE_INTO] = { now.probability, NAN, NAN };
        write_into(e, into, root, values, x->stats.moments > 0 ? x->stats.at : 0);
        if (now.told && !was.told) tell(e, x, x->setup->root, "mode ", now.name, now.probability, now.since, 0);
        if (!now.told && was.told) tell(e, x, x->setup->root, "mode ", now.name, now.probability, was.since, x->stats.at);
    }
}

// How the faults stand. What goes into a property is the severity of the one that is told, and 0 as long as it is not: a watcher's
// guess about a fault that nobody believes in is noise to whoever acts on it.
static void show_faults(gm_estimates *e, gm_estimates_entry *x)
{
    gm_vigil_fault told  = { 0 };
    bool           alarm = gm_vigil_alarm(x->vigil, &told);
    for (uint32_t i = 0; i < x->fault_count; i++) {
        const gm_estimate_ask *ask = &x->setup->faults.items[i];
        gm_vigil_fault        *f   = &x->faults[i];
        bool known = gm_vigil_fault_at(x->vigil, i, f), is_told = alarm && gm_str_eq(told.name, ask->name);
        if (!known) *f = (gm_vigil_fault){ .name = ask->name, .member = UINT32_MAX };
        x->fault_twins[i] = gm_group_twin(x->group, f->member < gm_group_twin_count(x->group) ? f->member : 0);
        const double values[GM_ESTIMATE_INTO] = { is_told ? told.severity : 0, known ? f->deviation : NAN, known ? f->significance : NAN };
        if (known) write_into(e, ask->into, x->fault_twins[i], values, x->stats.moments > 0 ? x->stats.at : 0);
    }
}

static void keep_spread(gm_estimates_entry *x, const gm_estimator *f)
{
    uint32_t      n = x->spread.spread.count, members;
    const double *numbers = gm_estimator_members(f, &members);
    if (members == 0) numbers = gm_estimator_factor(f);
    memcpy(x->spread_means, gm_estimator_means(f), n * sizeof *x->spread_means);
    memcpy(x->spread_numbers, numbers, (size_t)n * (members > 0 ? members : n) * sizeof *numbers);
    x->spread.at    = x->stats.at;
    x->spread.count = x->stats.moments > 0 ? n : 0;
}

// Before the first measurement there is something to see, nothing to write.
void gm_estimates_show(gm_estimates *e, gm_estimates_entry *x)
{
    const gm_estimator       *f = gm_vigil_estimator(x->vigil);
    uint32_t                  n;
    const gm_estimate_part   *parts   = gm_estimate_model_parts(gm_vigil_model(x->vigil), &n);
    const gm_estimate_signal *signals = gm_estimate_model_signals(gm_vigil_model(x->vigil), &n);
    x->stats = gm_estimator_statistics(f);
    for (uint32_t i = 0; i < x->variable_count; i++) {
        x->variables[i].value = gm_estimator_part(f, i);
        const double values[GM_ESTIMATE_INTO] = { x->variables[i].value.mean, x->variables[i].value.deviation, NAN };
        write_into(e, parts[i].into, x->variables[i].twin, values, x->stats.moments > 0 ? x->stats.at : 0);
    }
    for (uint32_t i = 0; i < x->signal_count; i++) {
        x->signals[i].reading = gm_estimator_signal(f, i);
        const gm_estimator_reading *r = &x->signals[i].reading;
        const double values[GM_ESTIMATE_INTO] = { r->estimate.mean, r->estimate.deviation, r->seen ? r->innovation : NAN };
        write_into(e, signals[i].into, x->signals[i].twin, values, x->stats.moments > 0 ? x->stats.at : 0);
    }
    show_faults(e, x);
    keep_spread(x, f);
    show_cases(e, x);
    tell_changes(e, x);
}
