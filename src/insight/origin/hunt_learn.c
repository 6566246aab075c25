// What a healthy filter makes of the measurements: it learns the plant and what is usual for each sensor, and notices where that ends.
#include "insight/origin/hunt_parts.h"

#include <math.h>

static const char WHERE[] = "insight.origin";

// Closer ones are one moment (estimate/estimator.c).
static const gm_dur_ns TOGETHER = 200 * GM_MILLISECOND;

enum {
    LEARN_MIN = 30,    // moments before the search
    QUIET     = 60     // of a cumulative sum: what chance comes to
};

// A sensor that had nothing to say while the filter learned will be noisier when it has.
static const double USUAL_LEAST = 0.5;

// ---- moments ------------------------------------------------------------------------------------------------------

static bool is_switch(const gm_hunt_work *w, const gm_hunt_moment *m, int8_t *modes)
{
    uint32_t                  n, mode_count;
    const gm_estimate_signal *signals = gm_estimate_model_signals(w->plain, &n);
    const gm_estimate_mode   *all     = gm_estimate_model_modes(w->plain, &mode_count);
    bool                      changed = false;
    for (uint32_t i = 0; i < m->count; i++) {
        const gm_stretch_sample *s = &w->stretch->samples[m->first + i];
        uint32_t                 f = signals[s->signal].follow;
        if (f == UINT32_MAX || f >= mode_count) continue;
        int8_t on = s->value > all[f].above;
        changed |= modes[f] != on;
        modes[f] = on;
    }
    return changed;
}

// All moments; those of the search thinned out, but not where the plant changes the way in which it works.
gm_status gm_hunt_find_moments(gm_hunt_work *w, gm_error *err)
{
    const gm_stretch *s = w->stretch;
    int8_t            modes[GM_ESTIMATE_ASKS_MAX];
    memset(modes, -1, sizeof modes);
    w->moments = gm_alloc_array(w->alloc, s->count + 1, sizeof *w->moments);
    if (w->moments == NULL) return gm_fail(err, GM_NOMEM, WHERE, "%zu measurements", s->count);
    gm_time_ns begin = s->count > 0 ? s->samples[s->count - 1].at - (gm_time_ns)(w->options->search_s * 1e9) : 0;
    for (size_t i = 0; i < s->count;) {
        gm_hunt_moment m = { .first = i };
        for (; i < s->count && s->samples[i].at - s->samples[m.first].at <= TOGETHER; i++) m.count++;
        m.at                          = s->samples[i - 1].at;
        w->moments[w->moment_count++] = m;
    }
    while (w->search < w->moment_count && w->moments[w->search].at < begin) w->search++;
    // A filter that has learned nothing can not tell what is unusual.
    if (w->search < LEARN_MIN) w->search = LEARN_MIN;
    if (w->moment_count < w->search + LEARN_MIN)
        return gm_fail(err, GM_INVALID, WHERE, "%zu moments of measurements; at least %d are needed to learn from and to search", w->moment_count, 2 * LEARN_MIN);
    size_t every = (w->moment_count - w->search - 1) / (w->options->moments_max > 0 ? w->options->moments_max : 1) + 1, kept = w->search;
    for (size_t i = 0; i < w->search; i++) (void)is_switch(w, &w->moments[i], modes);
    for (size_t i = w->search; i < w->moment_count; i++)
        if (is_switch(w, &w->moments[i], modes) || (i - w->search) % every == 0) w->moments[kept++] = w->moments[i];
    w->moment_count = kept;
    w->out->learned = (uint32_t)w->search;
    w->out->moments = (uint32_t)(kept - w->search);
    return GM_OK;
}

// ---- the healthy filter -------------------------------------------------------------------------------------------

// Mean squares of innovations over the second half of what it learned from: what is usual for each sensor, be its noise as declared
// or not.
typedef struct usual { double *sum, *last; uint32_t *count, *seen, *again; } usual;

static void note_usual(gm_hunt_work *w, const gm_estimator *e, size_t moment, usual *u)
{
    const gm_hunt_moment *m = &w->moments[moment];
    for (uint32_t i = 0; i < m->count; i++) {
        const gm_stretch_sample *s = &w->stretch->samples[m->first + i];
        gm_estimator_reading     r = gm_estimator_signal(e, s->signal);
        if (isfinite(s->value)) w->largest[s->signal] = fmax(w->largest[s->signal], fabs(s->value));
        u->again[s->signal] += u->seen[s->signal]++ > 0 && s->value == u->last[s->signal];
        u->last[s->signal] = s->value;
        if (moment < w->search / 2 || !r.seen || r.at != s->at || !(r.expected > 0)) continue;
        u->sum[s->signal] += fmin(25, r.innovation * r.innovation / (r.expected * r.expected));
        u->count[s->signal]++;
    }
}

static gm_status learn(gm_hunt_work *w, gm_estimator *e, usual *u, gm_error *err)
{
    gm_status st = GM_OK;
    double   half = 0, taken = 0;
    uint32_t n;
    for (uint32_t i = 0; i < w->signal_count; i++) {
        w->usual[i]    = 1;
        w->measured[i] = gm_estimate_model_signals(w->plain, &n)[i].measured;
    }
    for (size_t i = 0; st == GM_OK && i < w->search; i++) {
        if (i == w->search / 2) {
            half  = gm_estimator_statistics(e).log_likelihood;
            taken = (double)gm_estimator_statistics(e).taken;
        }
        st = gm_hunt_step(w, e, i, NULL, err);
        if (st == GM_OK) note_usual(w, e, i, u);
        if (st == GM_OK && i % 1000 == 999 && gm_hunt_stopped(w)) st = gm_hunt_give_up(err);
    }
    w->typical = (gm_estimator_statistics(e).log_likelihood - half) / fmax(1, (double)gm_estimator_statistics(e).taken - taken);
    for (uint32_t i = 0; i < w->signal_count; i++) {
        if (u->count[i] >= 10) w->usual[i] = fmax(USUAL_LEAST, u->sum[i] / u->count[i]);
        w->repeats[i] = (u->again[i] + 1.0) / (u->seen[i] + 2.0);
    }
    return st;
}

// Through the search, with snapshots on the way.
static gm_status go_through(gm_hunt_work *w, gm_estimator *e, gm_error *err)
{
    gm_status st = GM_OK;
    for (size_t i = w->search; st == GM_OK && i < w->moment_count; i++) {
        if ((i - w->search) % GM_HUNT_STRIDE == 0) {
            st = gm_estimator_go_on(e, w->plain, &w->snapshots[w->snapshot_count], err);
            if (st != GM_OK) break;
            w->snapshot_count++;
        }
        w->base[i] = gm_estimator_statistics(e).log_likelihood;
        st         = gm_hunt_step(w, e, i, &w->healthy, err);
    }
    w->base[w->moment_count] = gm_estimator_statistics(e).log_likelihood;
    return st;
}

gm_status gm_hunt_learn(gm_hunt_work *w, const double *slots, gm_error *err)
{
    gm_estimator *e = NULL;
    double       *two   = gm_alloc_zeroed(w->alloc, (size_t)w->signal_count * 2 * sizeof *two);
    uint32_t     *three = gm_alloc_zeroed(w->alloc, (size_t)w->signal_count * 3 * sizeof *three);
    gm_status     st    = two != NULL && three != NULL ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "learning");
    usual         u     = { 0 };
    if (st == GM_OK) u = (usual){ two, two + w->signal_count, three, three + w->signal_count, three + 2 * (size_t)w->signal_count };
    if (st == GM_OK) st = gm_estimator_create(w->alloc, w->plain, slots, w->stretch->samples[0].at, &e, err);
    if (st == GM_OK) st = learn(w, e, &u, err);
    w->healthy = (gm_hunt_watch){ .reset = w->search, .suspect = w->search };
    w->limit   = QUIET;
    if (st == GM_OK) st = go_through(w, e, err);
    gm_estimator_destroy(e);
    gm_free(w->alloc, two);
    gm_free(w->alloc, three);
    w->out->strain = w->healthy.most / w->limit;
    if (st == GM_OK && w->out->strain > 1) w->out->noticed = w->moments[w->healthy.suspect < w->moment_count ? w->healthy.suspect : w->moment_count - 1].at;
    return st;
}

