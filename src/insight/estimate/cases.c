#include "insight/estimate/cases.h"

#include "insight/estimate/estimator_parts.h"
#include "insight/estimate/modes.h"

#include <math.h>

enum { SETTINGS_MAX = GM_ESTIMATOR_HELD_MAX, ALL = GM_ESTIMATE_CASES_MAX + 1 };

static const char WHERE[] = "estimate.cases";

static const double STILL = 0.2;  // noise of a sensor that stands still, of what it has when it works

typedef struct one {
    gm_str        name;
    gm_estimator *estimator;
    double        likelihood;   // of all before the moment
    uint64_t      restarts;
    bool          told, leaning;  // leaning: the other way than what is told
    gm_time_ns    leaning_since, since;
} one;

struct gm_cases {
    const gm_alloc          *alloc;
    const gm_estimate_setup *setup;
    one                      all[ALL];
    uint32_t                 count;
    gm_modes                *modes;
};

typedef struct setting { gm_slot slot; double value; } setting;

static gm_status missing(const gm_estimate_case *c, gm_str name, const char *what, gm_error *err)
{
    gm_fail(err, GM_NOTFOUND, WHERE, "mode '" GM_STR_FMT "': '" GM_STR_FMT "' %s", GM_STR_ARG(gm_str_slice(c->name, 0, 40)), GM_STR_ARG(gm_str_slice(name, 0, 80)), what);
    if (err != NULL) err->line = c->line;
    return GM_NOTFOUND;
}

// slots: NULL: only whether it can be.
static gm_status bind_fault(const gm_estimate_case *c, const gm_group *group, const double *slots, setting *out, uint32_t *count, gm_error *err)
{
    gm_group_change changes[GM_ESTIMATE_CHANGES_MAX];
    size_t          n;
    gm_status       st = c->fault.len > 0 ? gm_group_fault(group, c->fault, changes, GM_ESTIMATE_CHANGES_MAX, &n, err) : GM_OK;
    if (st != GM_OK && err != NULL) err->line = c->line;
    if (st != GM_OK || c->fault.len == 0) return st;
    for (size_t i = 0; i < n; i++) {
        double from = slots != NULL ? slots[changes[i].slot.v] : 0;
        out[(*count)++] = (setting){ changes[i].slot, from + c->severity * (changes[i].value - from) };
    }
    return GM_OK;
}

static gm_status bind(const gm_estimate_case *c, const gm_estimate_model *model, const gm_group *group, const double *slots, setting *out,
                      uint32_t *out_count, uint32_t *out_stuck, gm_error *err)
{
    uint32_t                  n;
    const gm_estimate_signal *signals = gm_estimate_model_signals(model, &n);
    *out_count = 0;
    *out_stuck = UINT32_MAX;
    gm_status st = bind_fault(c, group, slots, out, out_count, err);
    for (uint32_t i = 0; st == GM_OK && i < c->count; i++) {
        gm_group_variable v;
        if (!gm_group_find(group, c->names[i], &v) || v.set.v == GM_SLOT_NONE.v) return missing(c, c->names[i], "is nothing that can be set", err);
        out[(*out_count)++] = (setting){ v.set, c->values[i] * v.set_factor + v.set_offset };
    }
    for (uint32_t i = 0; st == GM_OK && c->stuck.len > 0 && i < n; i++)
        if (signals[i].measured && gm_str_eq(signals[i].name, c->stuck)) *out_stuck = i;
    if (st == GM_OK && c->stuck.len > 0 && *out_stuck == UINT32_MAX) return missing(c, c->stuck, "is not measured in this estimate", err);
    return st;
}

gm_status gm_cases_check(const gm_estimate_model *model, const gm_group *group, gm_error *err)
{
    const gm_estimate_setup *setup = gm_estimate_model_setup(model);
    setting                  settings[SETTINGS_MAX];
    gm_status                st = GM_OK;
    uint32_t                 count, stuck, parts;
    (void)gm_estimate_model_parts(model, &parts);
    if (setup->case_count > 0 && (setup->filter == GM_ESTIMATE_ENSEMBLE || (setup->filter == GM_ESTIMATE_AUTO && parts > GM_ESTIMATE_SMALL))) {
        gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "': modes need the unscented filter; this one is an ensemble", GM_STR_ARG(gm_str_slice(setup->name, 0, 60)));
        if (err != NULL) err->line = setup->cases[0].line;
        return GM_INVALID;
    }
    for (uint32_t i = 0; st == GM_OK && i < setup->case_count; i++) st = bind(&setup->cases[i], model, group, NULL, settings, &count, &stuck, err);
    return st;
}

static gm_status begin(gm_cases *c, uint32_t i, const gm_estimate_model *model, const gm_group *group, const double *slots, gm_time_ns at, gm_error *err)
{
    one      *o = &c->all[i];
    setting   settings[SETTINGS_MAX];
    uint32_t  count = 0, stuck = UINT32_MAX;
    gm_status st    = i > 0 ? bind(&c->setup->cases[i - 1], model, group, slots, settings, &count, &stuck, err) : GM_OK;
    o->name         = i > 0 ? c->setup->cases[i - 1].name : GM_STR("healthy");
    if (st == GM_OK) st = gm_estimator_create(c->alloc, model, slots, at, &o->estimator, err);
    for (uint32_t k = 0; st == GM_OK && k < count; k++) gm_estimator_hold(o->estimator, settings[k].slot, settings[k].value);
    if (st == GM_OK) gm_estimator_stick(o->estimator, stuck, STILL);
    return st;
}

// Rows of P(to | from) over a step. Modes begin out of health and end in it.
static void changes_over(const gm_cases *c, double seconds, double *out)
{
    uint32_t n = c->count;
    memset(out, 0, (size_t)n * n * sizeof *out);
    out[0] = 1;
    for (uint32_t i = 1; i < n; i++) {
        const gm_estimate_case *k = &c->setup->cases[i - 1];
        out[i]     = -expm1(-seconds / k->every_s);
        out[i * n] = -expm1(-seconds / k->lasts_s);
        out[i * n + i] = 1 - out[i * n];
        out[0] -= out[i];
    }
    out[0] = fmax(out[0], 0);
}

gm_status gm_cases_create(const gm_alloc *alloc, const gm_estimate_model *model, const gm_group *group, const double *slots, gm_time_ns at,
                          gm_cases **out, gm_error *err)
{
    double    first[ALL] = { 1 }, change[ALL * ALL];
    gm_status st         = gm_cases_check(model, group, err);
    *out                 = NULL;
    if (st != GM_OK) return st;
    gm_cases *c = gm_alloc_zeroed(alloc, sizeof *c);
    if (c == NULL) return gm_fail(err, GM_NOMEM, WHERE, "beginning");
    c->alloc = alloc;
    c->setup = gm_estimate_model_setup(model);
    c->count = 1 + c->setup->case_count;
    for (uint32_t i = 0; st == GM_OK && i < c->count; i++) st = begin(c, i, model, group, slots, at, err);
    if (st == GM_OK) st = gm_modes_create(alloc, c->count, gm_estimator_count(c->all[0].estimator), &c->modes, err);
    if (st == GM_OK) {
        // At first it is taken to be healthy, as sure as its modes are rare.
        for (uint32_t i = 1; i < c->count; i++) first[i] = fmin(0.1, c->setup->cases[i - 1].lasts_s / (c->setup->cases[i - 1].every_s + c->setup->cases[i - 1].lasts_s));
        changes_over(c, 0, change);
        gm_modes_set(c->modes, first, change);
        *out = c;
    } else gm_cases_destroy(c);
    return st;
}

void gm_cases_destroy(gm_cases *c)
{
    if (c == NULL) return;
    for (uint32_t i = 0; i < c->count; i++) gm_estimator_destroy(c->all[i].estimator);
    gm_modes_destroy(c->modes);
    gm_free(c->alloc, c);
}

gm_status gm_cases_feed(gm_cases *c, uint32_t signal, gm_time_ns at, double value, gm_error *err)
{
    gm_status st = GM_OK;
    for (uint32_t i = 0; st == GM_OK && i < c->count; i++) st = gm_estimator_feed(c->all[i].estimator, signal, at, value, err);
    return st;
}

// ---- telling --------------------------------------------------------------------------------------------------------

static void judge(gm_cases *c, one *o, double probability, gm_time_ns at)
{
    bool leans = o->told ? probability < GM_CASE_OVER : probability >= GM_CASE_SURE;
    if (leans && !o->leaning) o->leaning_since = at;
    o->leaning = leans;
    if (!leans || (double)(at - o->leaning_since) / 1e9 < c->setup->hold_s) return;
    o->told    = !o->told;
    o->since   = o->leaning_since;
    o->leaning = false;
}

// All filters have the same measurements waiting, so they go through the same moments.
void gm_cases_advance(gm_cases *c, gm_time_ns now)
{
    gm_ukf *filters[ALL];
    double  change[ALL * ALL], likelihoods[ALL];
    for (uint32_t i = 0; i < c->count; i++) filters[i] = c->all[i].estimator->ukf;
    while (gm_estimator_due(c->all[0].estimator, now)) {
        gm_time_ns before = c->all[0].estimator->at;
        // A mixture without a factor leaves each filter where it is.
        if (c->all[0].estimator->moments > 0 && gm_modes_mix(c->modes, filters, NULL) == GM_OK)
            for (uint32_t i = 0; i < c->count; i++) gm_estimator_draw(c->all[i].estimator);
        for (uint32_t i = 0; i < c->count; i++) {
            one *o        = &c->all[i];
            o->likelihood = o->estimator->log_likelihood;
            o->restarts   = o->estimator->restarts;
            if (!gm_estimator_step(o->estimator, now)) return;
        }
        for (uint32_t i = 0; i < c->count; i++) {
            const one *o   = &c->all[i];
            likelihoods[i] = o->estimator->restarts > o->restarts ? -INFINITY : o->estimator->log_likelihood - o->likelihood;
        }
        gm_modes_weigh(c->modes, likelihoods);
        for (uint32_t i = 1; i < c->count; i++) judge(c, &c->all[i], gm_modes_probability(c->modes)[i], c->all[0].estimator->at);
        changes_over(c, (double)(c->all[0].estimator->at - before) / 1e9, change);
        gm_modes_set_change(c->modes, change);
    }
}

uint32_t gm_cases_count(const gm_cases *c) { return c->count; }

gm_case_view gm_cases_at(const gm_cases *c, uint32_t i)
{
    return (gm_case_view){ .name = c->all[i].name, .probability = gm_modes_probability(c->modes)[i], .told = c->all[i].told, .since = c->all[i].since };
}
