// The stages of a hunt: the healthy filter learns and notices; every candidate begins near there; the good ones begin everywhere and go
// to the end; when even the best leaves something, pairs.
#include "insight/origin/hunt_parts.h"

#include <math.h>
#include <stdlib.h>

static const char WHERE[] = "insight.origin";

// Closer ones are one moment (estimate/estimator.c).
static const gm_dur_ns TOGETHER = 200 * GM_MILLISECOND;

enum {
    LEARN_MIN   = 30,    // moments before the search
    LOOK        = 80,    // moments beyond what was noticed that a candidate is given at first
    FIRST_LAP   = 10,    // moments between two looks at who falls behind, at first
    LAP         = 40,    // and later
    KEPT        = 10,    // candidates that begin everywhere
    PAIR_FIRST  = 3,     // first faults of pairs
    PAIR_KEPT   = 4,
    ONSETS_MAX  = 32,
    COARSE      = 5,     // onsets spread over all of the search
    QUIET       = 60     // of a cumulative sum: what chance comes to
};

// A sensor that had nothing to say while the filter learned will be noisier when it has.
static const double USUAL_LEAST = 0.5;

gm_hunt_options gm_hunt_options_defaults(void) { return (gm_hunt_options){ .search_s = 12 * 3600, .moments_max = 700, .drop = 40, .pairs = true }; }

static gm_status stopped(gm_error *err) { return gm_fail(err, GM_CANCELLED, WHERE, "nobody waits any more"); }

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
static gm_status find_moments(gm_hunt_work *w, gm_error *err)
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
        if (st == GM_OK && i % 1000 == 999 && gm_hunt_stopped(w)) st = stopped(err);
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

static gm_status follow_healthy(gm_hunt_work *w, const double *slots, gm_error *err)
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

// ---- onsets -------------------------------------------------------------------------------------------------------

typedef struct onsets { size_t at[ONSETS_MAX]; double prior[ONSETS_MAX]; uint32_t count; } onsets;

static int by_size(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

static void add_onset(const gm_hunt_work *w, onsets *o, long at)
{
    if (at < (long)w->search || at >= (long)w->moment_count || o->count == ONSETS_MAX) return;
    for (uint32_t i = 0; i < o->count; i++)
        if (o->at[i] == (size_t)at) return;
    o->at[o->count++] = (size_t)at;
}

// Close together before the moment at which it went wrong, and a few everywhere. prior: ln of the seconds that each stands for.
static onsets onsets_around(const gm_hunt_work *w, size_t suspect)
{
    onsets o = { .count = 0 };
    for (long back = 1, before = 1; back < (long)w->moment_count && o.count < ONSETS_MAX - COARSE - 3; back += before, before = back - before) add_onset(w, &o, (long)suspect - back);
    add_onset(w, &o, (long)suspect);
    add_onset(w, &o, (long)suspect + 1);
    add_onset(w, &o, (long)suspect + 3);
    for (long k = 0; k < COARSE; k++) add_onset(w, &o, (long)w->search + k * (long)(w->moment_count - w->search) / COARSE);
    qsort(o.at, o.count, sizeof o.at[0], by_size);
    for (uint32_t i = 0; i < o.count; i++) {
        gm_time_ns low  = w->moments[i > 0 ? o.at[i - 1] : w->search].at, high = w->moments[i + 1 < o.count ? o.at[i + 1] : w->moment_count - 1].at;
        o.prior[i]      = log(fmax(1e-3, (double)(high - low) / 2e9));
    }
    return o;
}

// ---- trails -------------------------------------------------------------------------------------------------------

typedef struct trails { gm_hunt_trail *items; size_t count, room; } trails;

static gm_hunt_trail *new_trail(gm_hunt_work *w, trails *all, gm_error *err)
{
    if (!gm_alloc_reserve(w->alloc, &all->items, &all->room, all->count + 1, sizeof *all->items)) {
        gm_fail(err, GM_NOMEM, WHERE, "%zu hypotheses", all->count);
        return NULL;
    }
    return &all->items[all->count];
}

static void drop_trails(gm_hunt_work *w, trails *all)
{
    for (size_t i = 0; i < all->count; i++) gm_hunt_trail_end(&all->items[i]);
    gm_free(w->alloc, all->items);
    *all = (trails){ 0 };
}

// All to the end, those that fall behind given up on the way. What is healthy is a competitor too.
static gm_status race(gm_hunt_work *w, trails *all, gm_error *err)
{
    gm_status st  = GM_OK;
    size_t    end = 0;
    for (size_t i = 0; i < all->count; i++) end = all->items[i].at > end ? all->items[i].at : end;
    for (bool over = false; st == GM_OK && !over;) {
        double best = w->base[end];
        for (size_t i = 0; st == GM_OK && i < all->count; i++) {
            if (all->items[i].filter == NULL) continue;
            st   = gm_hunt_trail_run(w, &all->items[i], end, err);
            best = fmax(best, gm_hunt_trail_score(&all->items[i]));
        }
        for (size_t i = 0; st == GM_OK && i < all->count; i++) {
            gm_hunt_trail *t = &all->items[i];
            if (t->filter == NULL) continue;
            t->behind = best - gm_hunt_trail_score(t);
            if (t->behind > w->options->drop) gm_hunt_trail_end(t);
        }
        if (st == GM_OK && gm_hunt_stopped(w)) st = stopped(err);
        over = end == w->moment_count;
        end  = end + LAP < w->moment_count ? end + LAP : w->moment_count;
    }
    return st;
}

// ---- candidates ---------------------------------------------------------------------------------------------------

typedef struct standing { uint32_t candidate; double behind; } standing;

static int by_behind(const void *a, const void *b)
{
    double x = ((const standing *)a)->behind, y = ((const standing *)b)->behind;
    return x < y ? -1 : x > y;
}

static double rate_of(const gm_hunt_work *w, uint32_t candidate) { return log(w->candidates[candidate].rate); }

// Runs a trail in laps as long as it keeps up with the best that anybody has had at the same moment.
static gm_status try_one(gm_hunt_work *w, gm_hunt_trail *t, size_t end, double *out_score, gm_error *err)
{
    gm_status st   = GM_OK;
    double    lost = 0;
    while (st == GM_OK && t->at < end) {
        size_t lap = t->at + FIRST_LAP < end ? t->at + FIRST_LAP : end;
        st         = gm_hunt_trail_run(w, t, lap, err);
        if (st != GM_OK) break;
        double score = gm_hunt_trail_score(t);
        lost         = w->best[lap] - score;
        if (lost > w->options->drop) break;
        if (lost < 0) w->best[lap] = score;
    }
    // Whoever was given up is as far behind as he was then.
    *out_score = w->best[end] - lost;
    return st;
}

static gm_status try_candidate(gm_hunt_work *w, uint32_t c, gm_estimator *const *from, const size_t *begin, uint32_t begins, size_t end, double *out_behind, gm_error *err)
{
    gm_hunt_kit kit;
    gm_status   st = gm_hunt_kit_make(w, c, UINT32_MAX, true, &kit, err);
    *out_behind    = INFINITY;
    for (uint32_t k = 0; st == GM_OK && k < begins; k++) {
        gm_hunt_trail t;
        double        score = 0;
        st = gm_hunt_trail_begin(w, &kit, from[k], begin[k], w->base[begin[k]], rate_of(w, c), &t, err);
        if (st == GM_OK) st = try_one(w, &t, end, &score, err);
        *out_behind = fmin(*out_behind, w->best[end] - score);
        gm_hunt_trail_end(&t);
    }
    gm_hunt_kit_finish(&kit);
    if (st == GM_OK && gm_hunt_stopped(w)) st = stopped(err);
    return st;
}

// How each candidate does when it begins shortly before the healthy filter noticed something.
static gm_status first_look(gm_hunt_work *w, standing *out, gm_error *err)
{
    static const long back[] = { 0, 1, 2, 3, 4, 5, 7, 13, 55 };
    enum { BEGINS = sizeof back / sizeof back[0] };
    gm_estimator *from[BEGINS] = { NULL };
    size_t        begin[BEGINS], suspect = w->healthy.suspect, end = suspect + LOOK < w->moment_count ? suspect + LOOK : w->moment_count;
    uint32_t      n  = 0;
    gm_status     st = GM_OK;
    for (int i = 0; st == GM_OK && i < BEGINS; i++) {
        long at = (long)suspect - back[i];
        if (at < (long)w->search) at = (long)w->search;
        if (at >= (long)w->moment_count) at = (long)w->moment_count - 1;
        if (n > 0 && begin[n - 1] == (size_t)at) continue;
        begin[n] = (size_t)at;
        st       = gm_hunt_fork(w, begin[n], &from[n], err);
        if (st == GM_OK) n++;
    }
    memcpy(w->best, w->base, (w->moment_count + 1) * sizeof *w->best);
    for (uint32_t c = 0; st == GM_OK && c < w->candidate_count; c++) {
        out[c].candidate = c;
        st               = try_candidate(w, c, from, begin, n, end, &out[c].behind, err);
    }
    for (uint32_t i = 0; i < BEGINS; i++) gm_estimator_destroy(from[i]);
    if (st == GM_OK) qsort(out, w->candidate_count, sizeof *out, by_behind);
    return st;
}

// The good ones, beginning everywhere, with both ideas of their size.
static gm_status begin_everywhere(gm_hunt_work *w, const standing *standings, gm_hunt_kit *kits, trails *all, gm_error *err)
{
    onsets    o  = onsets_around(w, w->healthy.suspect);
    gm_status st = GM_OK;
    uint32_t  n  = w->candidate_count < KEPT ? w->candidate_count : KEPT;
    for (uint32_t k = 0; st == GM_OK && k < 2 * n; k++) {
        uint32_t c = standings[k / 2].candidate;
        // Sensors have one idea.
        if (k % 2 == 1 && w->candidates[c].kind != GM_ORIGIN_FAULT) continue;
        st             = gm_hunt_kit_make(w, c, UINT32_MAX, k % 2 == 0, &kits[k], err);
        kits[k].weight = w->candidates[c].kind == GM_ORIGIN_FAULT ? log(0.5) : 0;
    }
    for (uint32_t i = 0; st == GM_OK && i < o.count; i++) {
        gm_estimator *from = NULL;
        st                 = gm_hunt_fork(w, o.at[i], &from, err);
        for (uint32_t k = 0; st == GM_OK && k < 2 * n; k++) {
            if (kits[k].model == NULL) continue;
            gm_hunt_trail *t = new_trail(w, all, err);
            st = t == NULL ? GM_NOMEM : gm_hunt_trail_begin(w, &kits[k], from, o.at[i], w->base[o.at[i]], rate_of(w, kits[k].candidate) + o.prior[i] + kits[k].weight, t, err);
            if (st == GM_OK) all->count++;
        }
        gm_estimator_destroy(from);
        if (st == GM_OK && gm_hunt_stopped(w)) st = stopped(err);
    }
    return st;
}

// ---- pairs --------------------------------------------------------------------------------------------------------

static const gm_hunt_trail *leader(const trails *all)
{
    const gm_hunt_trail *best = NULL;
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i].filter != NULL && (best == NULL || gm_hunt_trail_score(&all->items[i]) > gm_hunt_trail_score(best))) best = &all->items[i];
    return best;
}

// The best trail of each of the first few candidates.
static uint32_t first_faults(const trails *all, const gm_hunt_trail *out[PAIR_FIRST])
{
    uint32_t n = 0;
    for (; n < PAIR_FIRST; n++) {
        const gm_hunt_trail *best = NULL;
        for (size_t i = 0; i < all->count; i++) {
            const gm_hunt_trail *t     = &all->items[i];
            bool                 taken = false;
            for (uint32_t k = 0; k < n; k++) taken |= out[k]->kit->candidate == t->kit->candidate;
            if (!taken && (best == NULL || t->behind < best->behind)) best = t;
        }
        if (best == NULL) break;
        out[n] = best;
    }
    return n;
}

// The first fault goes again up to where it stops explaining; there every second one is tried, and the good ones run on.
static gm_status pair_up(gm_hunt_work *w, const gm_hunt_trail *first, gm_hunt_kit *kits, uint32_t *kit_count, trails *all, gm_error *err)
{
    gm_estimator  *from = NULL;
    gm_hunt_trail  a = { 0 };
    standing      *tried = gm_alloc_zeroed(w->alloc, w->candidate_count * sizeof *tried);
    gm_status      st    = tried != NULL ? gm_hunt_fork(w, first->begin, &from, err) : gm_fail(err, GM_NOMEM, WHERE, "pairs");
    size_t         begin = first->watch.suspect > first->begin + 1 ? first->watch.suspect - 1 : first->begin, end = begin + LOOK < w->moment_count ? begin + LOOK : w->moment_count;
    if (begin >= w->moment_count) begin = w->moment_count - 1;
    if (st == GM_OK) st = gm_hunt_trail_begin(w, first->kit, from, first->begin, first->before, first->prior, &a, err);
    if (st == GM_OK) st = gm_hunt_trail_run(w, &a, begin, err);
    double likelihood = st == GM_OK ? a.before + gm_estimator_statistics(a.filter).log_likelihood : 0;
    for (uint32_t c = 0; st == GM_OK && c < w->candidate_count; c++) {
        gm_hunt_kit   kit;
        gm_hunt_trail t = { 0 };
        tried[c]        = (standing){ c, INFINITY };
        if (c == first->kit->candidate) continue;
        st = gm_hunt_kit_make(w, first->kit->candidate, c, true, &kit, err);
        if (st == GM_OK) st = gm_hunt_trail_begin(w, &kit, a.filter, begin, likelihood, rate_of(w, c), &t, err);
        if (st == GM_OK) st = gm_hunt_trail_run(w, &t, end, err);
        if (st == GM_OK) tried[c].behind = -gm_hunt_trail_score(&t);
        gm_hunt_trail_end(&t);
        gm_hunt_kit_finish(&kit);
        if (st == GM_NOTFOUND) st = GM_OK;
        if (st == GM_OK && gm_hunt_stopped(w)) st = stopped(err);
    }
    if (st == GM_OK) qsort(tried, w->candidate_count, sizeof *tried, by_behind);
    double span = log(fmax(1, (double)(w->moments[w->moment_count - 1].at - w->moments[w->search].at) / 1e9));
    for (uint32_t k = 0; st == GM_OK && k < PAIR_KEPT && k < w->candidate_count && isfinite(tried[k].behind); k++) {
        gm_hunt_trail *t = new_trail(w, all, err);
        gm_hunt_kit   *kit = &kits[*kit_count];
        st = t == NULL ? GM_NOMEM : gm_hunt_kit_make(w, first->kit->candidate, tried[k].candidate, true, kit, err);
        if (kit->model != NULL) ++*kit_count;
        if (st == GM_OK) st = gm_hunt_trail_begin(w, kit, a.filter, begin, likelihood, first->prior + rate_of(w, tried[k].candidate) + span, t, err);
        if (st == GM_OK) t->first_begin = first->begin, all->count++;
    }
    gm_hunt_trail_end(&a);
    gm_estimator_destroy(from);
    gm_free(w->alloc, tried);
    return st;
}

static gm_status add_pairs(gm_hunt_work *w, trails *singles, gm_hunt_kit *kits, uint32_t *kit_count, trails *pairs, gm_error *err)
{
    const gm_hunt_trail *first[PAIR_FIRST];
    uint32_t             n  = first_faults(singles, first);
    gm_status            st = GM_OK;
    for (uint32_t i = 0; st == GM_OK && i < n; i++) st = pair_up(w, first[i], kits, kit_count, pairs, err);
    w->out->paired = true;
    return st == GM_OK ? race(w, pairs, err) : st;
}

// ---- all of it ----------------------------------------------------------------------------------------------------

static gm_status hunt(gm_hunt_work *w, gm_error *err)
{
    enum { KITS = 2 * KEPT + PAIR_FIRST * PAIR_KEPT };
    trails       singles = { 0 }, pairs = { 0 };
    uint32_t     kit_count = 2 * KEPT;
    gm_hunt_kit *kits      = gm_alloc_zeroed(w->alloc, KITS * sizeof *kits);
    standing    *standings = gm_alloc_zeroed(w->alloc, w->candidate_count * sizeof *standings);
    gm_status    st        = kits != NULL && standings != NULL ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "%u candidates", w->candidate_count);
    if (st == GM_OK) st = first_look(w, standings, err);
    if (st == GM_OK) st = begin_everywhere(w, standings, kits, &singles, err);
    if (st == GM_OK) st = race(w, &singles, err);
    const gm_hunt_trail *best = st == GM_OK ? leader(&singles) : NULL;
    if (st == GM_OK && w->options->pairs && w->out->strain > 1 && (best == NULL || best->watch.most > w->limit)) st = add_pairs(w, &singles, kits, &kit_count, &pairs, err);
    // Both lists as one for the ranking.
    for (size_t i = 0; st == GM_OK && i < pairs.count; i++) {
        gm_hunt_trail *t = new_trail(w, &singles, err);
        if (t == NULL) st = GM_NOMEM;
        else {
            *t = pairs.items[i];
            pairs.items[i].filter = NULL;
            singles.count++;
        }
    }
    if (st == GM_OK) st = gm_hunt_rank(w, singles.items, singles.count, err);
    drop_trails(w, &singles);
    drop_trails(w, &pairs);
    for (uint32_t i = 0; kits != NULL && i < KITS; i++) gm_hunt_kit_finish(&kits[i]);
    gm_free(w->alloc, kits);
    gm_free(w->alloc, standings);
    return st;
}

static gm_status check(const gm_origin_candidate *candidates, uint32_t count, const gm_stretch *stretch, gm_error *err)
{
    if (count == 0) return gm_fail(err, GM_INVALID, WHERE, "no fault is declared for these twins");
    if (count > GM_HUNT_CANDIDATES_MAX) return gm_fail(err, GM_LIMIT, WHERE, "%u candidates, at most %d", count, GM_HUNT_CANDIDATES_MAX);
    for (uint32_t i = 0; i < count; i++)
        if (!(candidates[i].rate > 0 && isfinite(candidates[i].rate)))
            return gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "': its rate is above 0", GM_STR_ARG(gm_str_slice(candidates[i].inject, 0, 80)));
    return stretch->count > 0 ? GM_OK : gm_fail(err, GM_INVALID, WHERE, "nothing was measured");
}

gm_status gm_hunt(const gm_alloc *alloc, const gm_estimate_setup *setup, const gm_group *group, const double *slots, const gm_stretch *stretch,
                  const gm_origin_candidate *candidates, uint32_t count, const gm_hunt_options *options, gm_hunted *out, gm_error *err)
{
    gm_hunt_work w = { .alloc = alloc, .group = group, .stretch = stretch, .candidates = candidates, .candidate_count = count, .options = options,
                       .setup = *setup, .out = out };
    *out             = (gm_hunted){ 0 };
    w.setup.lag_s    = 0;
    w.setup.faults   = (gm_estimate_list){ 0 };
    w.setup.case_count = 0;
    gm_status st     = check(candidates, count, stretch, err);
    if (st == GM_OK) st = gm_estimate_bind(alloc, &w.setup, group, false, &w.plain, err);
    if (st == GM_OK) {
        gm_estimate_model_signals(w.plain, &w.signal_count);
        st = find_moments(&w, err);
    }
    if (st == GM_OK) {
        w.base      = gm_alloc_zeroed(alloc, (w.moment_count + 1) * sizeof *w.base);
        w.usual     = gm_alloc_zeroed(alloc, w.signal_count * sizeof *w.usual);
        w.measured  = gm_alloc_zeroed(alloc, w.signal_count);
        w.repeats   = gm_alloc_zeroed(alloc, w.signal_count * sizeof *w.repeats);
        w.best      = gm_alloc_zeroed(alloc, (w.moment_count + 1) * sizeof *w.best);
        w.largest   = gm_alloc_zeroed(alloc, w.signal_count * sizeof *w.largest);
        w.snapshots = gm_alloc_zeroed(alloc, ((w.moment_count - w.search) / GM_HUNT_STRIDE + 1) * sizeof *w.snapshots);
        if (w.base == NULL || w.usual == NULL || w.largest == NULL || w.repeats == NULL || w.measured == NULL || w.best == NULL || w.snapshots == NULL) st = gm_fail(err, GM_NOMEM, WHERE, "%zu moments", w.moment_count);
    }
    if (st == GM_OK) st = follow_healthy(&w, slots, err);
    if (st == GM_OK) st = hunt(&w, err);
    for (size_t i = 0; i < w.snapshot_count; i++) gm_estimator_destroy(w.snapshots[i]);
    gm_estimate_model_destroy(w.plain);
    gm_free(alloc, w.snapshots);
    gm_free(alloc, w.moments);
    gm_free(alloc, w.base);
    gm_free(alloc, w.usual);
    gm_free(alloc, w.repeats);
    gm_free(alloc, w.measured);
    gm_free(alloc, w.best);
    gm_free(alloc, w.largest);
    return st;
}
