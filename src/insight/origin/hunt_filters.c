// Filters of a hunt: how one is made for a candidate, how it goes, how its innovations are looked at.
#include "insight/origin/hunt_parts.h"

#include <math.h>

static const char WHERE[] = "insight.origin";

static const double ODD_MOST = 25;    // an innovation counts as at most so many usual ones, squared
static const double DRIFT    = 0.75;  // a sum grows when squares are larger than usual by this share

// Of the size of a fault before anything is known of it: somewhere around what its class declares, or just that.
static const double LOOSE_MEAN = 0.75, LOOSE_DEVIATION = 0.4, DECLARED_DEVIATION = 0.05;
static const double SIZE_LEAST = 0.3, SIZE_SOFT = 0.05;
static const double WALK = 0.006;  // of a size, in the square root of an hour: not quite the same for ever
static const double REPEATS = 0.98;  // share of its values that a sensor which stands still repeats
static const double OFFSET_SHARE = 0.15;  // of an offset: of the largest magnitude that its sensor has shown

gm_status gm_hunt_step(gm_hunt_work *w, gm_estimator *filter, size_t moment, gm_hunt_watch *watch, gm_error *err)
{
    const gm_hunt_moment    *m  = &w->moments[moment];
    gm_status                st = GM_OK;
    const gm_stretch_sample *s  = &w->stretch->samples[m->first];
    for (uint32_t i = 0; st == GM_OK && i < m->count; i++) st = gm_estimator_feed(filter, s[i].signal, s[i].at, s[i].value, err);
    while (st == GM_OK && gm_estimator_step(filter, m->at)) w->out->updates++;
    if (st != GM_OK || watch == NULL) return st;
    for (uint32_t i = 0; i < m->count; i++) {
        gm_estimator_reading r = gm_estimator_signal(filter, s[i].signal);
        if (!r.seen || r.at != s[i].at || !(r.expected > 0)) continue;
        double odd = r.innovation * r.innovation / (r.expected * r.expected * w->usual[s[i].signal]);
        watch->sum += fmin(odd, ODD_MOST) - 1 - DRIFT;
    }
    if (!(watch->sum > 0)) {
        watch->sum   = 0;
        watch->reset = moment + 1;
    }
    if (watch->sum > watch->most) {
        watch->most    = watch->sum;
        watch->suspect = watch->reset;
    }
    return GM_OK;
}

gm_status gm_hunt_fork(gm_hunt_work *w, size_t moment, gm_estimator **out, gm_error *err)
{
    size_t    i  = (moment - w->search) / GM_HUNT_STRIDE;
    gm_status st = GM_OK;
    if (i >= w->snapshot_count) i = w->snapshot_count - 1;
    st = gm_estimator_go_on(w->snapshots[i], w->plain, out, err);
    for (size_t k = w->search + i * GM_HUNT_STRIDE; st == GM_OK && k < moment; k++) st = gm_hunt_step(w, *out, k, NULL, err);
    return st;
}

// ---- kits ---------------------------------------------------------------------------------------------------------

static uint32_t signal_of(const gm_hunt_work *w, gm_str name)
{
    uint32_t                  count;
    const gm_estimate_signal *signals = gm_estimate_model_signals(w->plain, &count);
    for (uint32_t i = 0; i < count; i++)
        if (signals[i].measured && gm_str_eq(signals[i].name, name)) return i;
    return UINT32_MAX;
}

// What is asked of the model for a candidate; false: nothing (a sensor that stands still).
static bool ask_for(const gm_hunt_work *w, const gm_origin_candidate *c, bool loose, gm_estimate_ask *out)
{
    if (c->kind == GM_ORIGIN_FROZEN) return false;
    *out = (gm_estimate_ask){ .name = c->inject, .start = loose ? LOOSE_MEAN : 1, .deviation = loose ? LOOSE_DEVIATION : DECLARED_DEVIATION, .walk = WALK,
                              .noise = NAN, .min = -INFINITY, .max = INFINITY };
    if (c->kind != GM_ORIGIN_OFFSET) return true;
    // Its name in the model is made by the hunt: "tower.level#offset".
    uint32_t signal = signal_of(w, gm_str_slice(c->inject, 0, c->inject.len - 7));
    out->start      = NAN;
    out->deviation  = signal != UINT32_MAX ? fmax(OFFSET_SHARE * w->largest[signal], 1e-9) : 1;
    return true;
}

gm_status gm_hunt_kit_make(gm_hunt_work *w, uint32_t candidate, uint32_t second, bool loose, gm_hunt_kit *out, gm_error *err)
{
    const uint32_t both[] = { candidate, second };
    uint32_t       count, states;
    *out = (gm_hunt_kit){ .candidate = candidate, .second = second, .setup = w->setup, .parts = { UINT32_MAX, UINT32_MAX }, .stuck = UINT32_MAX };
    out->setup.faults = (gm_estimate_list){ out->asks, 0 };
    for (int i = 0; i < 2; i++) {
        if (both[i] == UINT32_MAX) continue;
        const gm_origin_candidate *c = &w->candidates[both[i]];
        if (ask_for(w, c, loose, &out->asks[out->setup.faults.count])) out->parts[i] = out->setup.faults.count++, out->offset[i] = c->kind == GM_ORIGIN_OFFSET;
        else if (out->stuck != UINT32_MAX) return gm_fail(err, GM_NOTFOUND, WHERE, "two sensors stand still");
        else out->stuck = signal_of(w, c->inject);
    }
    gm_status st = gm_estimate_bind(w->alloc, &out->setup, w->group, true, &out->model, err);
    if (st != GM_OK) return st;
    gm_estimate_model_parts(w->plain, &states);
    gm_estimate_model_parts(out->model, &count);
    for (int i = 0; i < 2; i++)
        if (out->parts[i] != UINT32_MAX) out->parts[i] += states;
    return count == states + out->setup.faults.count ? GM_OK : gm_fail(err, GM_NOTFOUND, WHERE, "there is no sensor '" GM_STR_FMT "' that is measured",
                                                                       GM_STR_ARG(gm_str_slice(w->candidates[candidate].inject, 0, 80)));
}

void gm_hunt_kit_finish(gm_hunt_kit *kit)
{
    gm_estimate_model_destroy(kit->model);
    kit->model = NULL;
}

// ---- trails -------------------------------------------------------------------------------------------------------

static bool changes_plant(const gm_hunt_work *w, const gm_hunt_kit *kit)
{
    uint32_t newest = kit->second != UINT32_MAX ? kit->second : kit->candidate;
    return w->candidates[newest].kind == GM_ORIGIN_FAULT;
}

gm_status gm_hunt_trail_begin(gm_hunt_work *w, const gm_hunt_kit *kit, const gm_estimator *from, size_t begin, double likelihood, double prior,
                              gm_hunt_trail *out, gm_error *err)
{
    *out = (gm_hunt_trail){ .kit = kit, .begin = begin, .at = begin, .first_begin = begin, .before = likelihood, .prior = prior };
    out->watch.reset = out->watch.suspect = begin;
    gm_status st = gm_estimator_go_on(from, kit->model, &out->filter, err);
    if (st == GM_OK && kit->stuck != UINT32_MAX) gm_estimator_stick(out->filter, kit->stuck, 1);
    // A sensor that breaks does not change the plant.
    if (st == GM_OK && changes_plant(w, kit)) {
        gm_estimator_shake(out->filter);
        for (uint32_t i = 0; i < w->moments[begin].count; i++) out->skipped += w->measured[w->stretch->samples[w->moments[begin].first + i].signal] ? w->typical : 0;
    }
    out->last = kit->stuck != UINT32_MAX ? gm_estimator_signal(from, kit->stuck).measured : NAN;
    if (st == GM_OK) w->out->filters++;
    return st;
}

// A sensor that stands still says the same again; one that works does so as often as it did before.
static void note_repeats(const gm_hunt_work *w, gm_hunt_trail *t)
{
    const gm_hunt_moment *m = &w->moments[t->at];
    for (uint32_t i = 0; i < m->count; i++) {
        const gm_stretch_sample *s = &w->stretch->samples[m->first + i];
        if (s->signal != t->kit->stuck) continue;
        double share = w->repeats[s->signal];
        t->still += s->value == t->last ? log(REPEATS / share) : log((1 - REPEATS) / (1 - share));
        t->last = s->value;
    }
}

gm_status gm_hunt_trail_run(gm_hunt_work *w, gm_hunt_trail *t, size_t end, gm_error *err)
{
    gm_status st = GM_OK;
    for (; st == GM_OK && t->at < end; t->at++) {
        if (t->kit->stuck != UINT32_MAX) note_repeats(w, t);
        st = gm_hunt_step(w, t->filter, t->at, &t->watch, err);
    }
    return st;
}

void gm_hunt_trail_end(gm_hunt_trail *t)
{
    gm_estimator_destroy(t->filter);
    t->filter = NULL;
}

// Far below what is declared it is no longer that fault: a pump that turns a little slower has not stopped.
static double size_prior(const gm_hunt_trail *t)
{
    double all = 0;
    for (int i = 0; i < 2; i++) {
        if (t->kit->parts[i] == UINT32_MAX || t->kit->offset[i]) continue;
        double short_by = SIZE_LEAST - gm_estimator_part(t->filter, t->kit->parts[i]).mean;
        if (short_by > 0) all -= 0.5 * short_by * short_by / (SIZE_SOFT * SIZE_SOFT);
    }
    return all;
}

double gm_hunt_trail_score(const gm_hunt_trail *t)
{
    double likelihood = gm_estimator_statistics(t->filter).log_likelihood;
    return t->prior + t->before + t->skipped + t->still + size_prior(t) + (isfinite(likelihood) ? likelihood : -1e300);
}
