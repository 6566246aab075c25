// The stages of a hunt: the healthy filter learns and notices; every candidate begins near there; the good ones begin everywhere and go
// to the end; when even the best leaves something, pairs.
#include "insight/origin/hunt_parts.h"

#include <math.h>
#include <stdlib.h>

static const char WHERE[] = "insight.origin";

enum {
    FIRST_LAP   = 10,    // moments between two looks at who falls behind, at first
    KEPT        = 10,    // candidates that begin everywhere
    ONSETS_MAX  = 32,
    COARSE      = 5      // onsets spread over all of the search
};

gm_hunt_options gm_hunt_options_defaults(void) { return (gm_hunt_options){ .search_s = 12 * 3600, .moments_max = 700, .drop = 40, .pairs = true }; }

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

// ---- candidates ---------------------------------------------------------------------------------------------------

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
        st = gm_hunt_trail_begin(w, &kit, from[k], begin[k], w->base[begin[k]], gm_hunt_rate_of(w, c), &t, err);
        if (st == GM_OK) st = try_one(w, &t, end, &score, err);
        *out_behind = fmin(*out_behind, w->best[end] - score);
        gm_hunt_trail_end(&t);
    }
    gm_hunt_kit_finish(&kit);
    if (st == GM_OK && gm_hunt_stopped(w)) st = gm_hunt_give_up(err);
    return st;
}

// How each candidate does when it begins shortly before the healthy filter noticed something.
static gm_status first_look(gm_hunt_work *w, gm_hunt_standing *out, gm_error *err)
{
    static const long back[] = { 0, 1, 2, 3, 4, 5, 7, 13, 55 };
    enum { BEGINS = sizeof back / sizeof back[0] };
    gm_estimator *from[BEGINS] = { NULL };
    size_t        begin[BEGINS], suspect = w->healthy.suspect, end = suspect + GM_HUNT_LOOK < w->moment_count ? suspect + GM_HUNT_LOOK : w->moment_count;
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
    if (st == GM_OK) qsort(out, w->candidate_count, sizeof *out, gm_hunt_by_behind);
    return st;
}

// The good ones, beginning everywhere, with both ideas of their size.
static gm_status begin_everywhere(gm_hunt_work *w, const gm_hunt_standing *standings, gm_hunt_kit *kits, gm_hunt_trails *all, gm_error *err)
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
            gm_hunt_trail *t = gm_hunt_trails_add(w, all, err);
            st = t == NULL ? GM_NOMEM : gm_hunt_trail_begin(w, &kits[k], from, o.at[i], w->base[o.at[i]], gm_hunt_rate_of(w, kits[k].candidate) + o.prior[i] + kits[k].weight, t, err);
            if (st == GM_OK) all->count++;
        }
        gm_estimator_destroy(from);
        if (st == GM_OK && gm_hunt_stopped(w)) st = gm_hunt_give_up(err);
    }
    return st;
}

// ---- all of it ----------------------------------------------------------------------------------------------------

static gm_status hunt(gm_hunt_work *w, gm_error *err)
{
    enum { KITS = 2 * KEPT + GM_HUNT_PAIR_KITS };
    gm_hunt_trails singles = { 0 }, pairs = { 0 };
    uint32_t     kit_count = 2 * KEPT;
    gm_hunt_kit *kits      = gm_alloc_zeroed(w->alloc, KITS * sizeof *kits);
    gm_hunt_standing    *standings = gm_alloc_zeroed(w->alloc, w->candidate_count * sizeof *standings);
    gm_status    st        = kits != NULL && standings != NULL ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "%u candidates", w->candidate_count);
    if (st == GM_OK) st = first_look(w, standings, err);
    if (st == GM_OK) st = begin_everywhere(w, standings, kits, &singles, err);
    if (st == GM_OK) st = gm_hunt_race(w, &singles, err);
    const gm_hunt_trail *best = st == GM_OK ? gm_hunt_leader(&singles) : NULL;
    if (st == GM_OK && w->options->pairs && w->out->strain > 1 && (best == NULL || best->watch.most > w->limit)) st = gm_hunt_pair(w, &singles, kits, &kit_count, &pairs, err);
    // Both lists as one for the ranking.
    for (size_t i = 0; st == GM_OK && i < pairs.count; i++) {
        gm_hunt_trail *t = gm_hunt_trails_add(w, &singles, err);
        if (t == NULL) st = GM_NOMEM;
        else {
            *t = pairs.items[i];
            pairs.items[i].filter = NULL;
            singles.count++;
        }
    }
    if (st == GM_OK) st = gm_hunt_rank(w, singles.items, singles.count, err);
    gm_hunt_trails_finish(w, &singles);
    gm_hunt_trails_finish(w, &pairs);
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
        st = gm_hunt_find_moments(&w, err);
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
    if (st == GM_OK) st = gm_hunt_learn(&w, slots, err);
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
