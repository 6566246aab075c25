// Two faults at once: where the best single ones stop explaining, every second one is tried.
#include "insight/origin/hunt_parts.h"

#include <math.h>
#include <stdlib.h>

static const char WHERE[] = "insight.origin";

// The best trail of each of the first few candidates.
static uint32_t first_faults(const gm_hunt_trails *all, const gm_hunt_trail *out[GM_HUNT_PAIR_FIRST])
{
    uint32_t n = 0;
    for (; n < GM_HUNT_PAIR_FIRST; n++) {
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
static gm_status pair_up(gm_hunt_work *w, const gm_hunt_trail *first, gm_hunt_kit *kits, uint32_t *kit_count, gm_hunt_trails *all, gm_error *err)
{
    gm_estimator     *from  = NULL;
    gm_hunt_trail     a     = { 0 };
    gm_hunt_standing *tried = gm_alloc_zeroed(w->alloc, w->candidate_count * sizeof *tried);
    gm_status         st    = tried != NULL ? gm_hunt_fork(w, first->begin, &from, err) : gm_fail(err, GM_NOMEM, WHERE, "pairs");
    size_t         begin = first->watch.suspect > first->begin + 1 ? first->watch.suspect - 1 : first->begin, end = begin + GM_HUNT_LOOK < w->moment_count ? begin + GM_HUNT_LOOK : w->moment_count;
    if (begin >= w->moment_count) begin = w->moment_count - 1;
    if (st == GM_OK) st = gm_hunt_trail_begin(w, first->kit, from, first->begin, first->before, first->prior, &a, err);
    if (st == GM_OK) st = gm_hunt_trail_run(w, &a, begin, err);
    double likelihood = st == GM_OK ? a.before + gm_estimator_statistics(a.filter).log_likelihood : 0;
    for (uint32_t c = 0; st == GM_OK && c < w->candidate_count; c++) {
        gm_hunt_kit   kit;
        gm_hunt_trail t = { 0 };
        tried[c]        = (gm_hunt_standing){ c, INFINITY };
        if (c == first->kit->candidate) continue;
        st = gm_hunt_kit_make(w, first->kit->candidate, c, true, &kit, err);
        if (st == GM_OK) st = gm_hunt_trail_begin(w, &kit, a.filter, begin, likelihood, gm_hunt_rate_of(w, c), &t, err);
        if (st == GM_OK) st = gm_hunt_trail_run(w, &t, end, err);
        if (st == GM_OK) tried[c].behind = -gm_hunt_trail_score(&t);
        gm_hunt_trail_end(&t);
        gm_hunt_kit_finish(&kit);
        if (st == GM_NOTFOUND) st = GM_OK;
        if (st == GM_OK && gm_hunt_stopped(w)) st = gm_hunt_give_up(err);
    }
    if (st == GM_OK) qsort(tried, w->candidate_count, sizeof *tried, gm_hunt_by_behind);
    double span = log(fmax(1, (double)(w->moments[w->moment_count - 1].at - w->moments[w->search].at) / 1e9));
    for (uint32_t k = 0; st == GM_OK && k < GM_HUNT_PAIR_KEPT && k < w->candidate_count && isfinite(tried[k].behind); k++) {
        gm_hunt_trail *t = gm_hunt_trails_add(w, all, err);
        gm_hunt_kit   *kit = &kits[*kit_count];
        st = t == NULL ? GM_NOMEM : gm_hunt_kit_make(w, first->kit->candidate, tried[k].candidate, true, kit, err);
        if (kit->model != NULL) ++*kit_count;
        if (st == GM_OK) st = gm_hunt_trail_begin(w, kit, a.filter, begin, likelihood, first->prior + gm_hunt_rate_of(w, tried[k].candidate) + span, t, err);
        if (st == GM_OK) t->first_begin = first->begin, all->count++;
    }
    gm_hunt_trail_end(&a);
    gm_estimator_destroy(from);
    gm_free(w->alloc, tried);
    return st;
}

gm_status gm_hunt_pair(gm_hunt_work *w, const gm_hunt_trails *singles, gm_hunt_kit *kits, uint32_t *kit_count, gm_hunt_trails *pairs, gm_error *err)
{
    const gm_hunt_trail *first[GM_HUNT_PAIR_FIRST];
    uint32_t             n  = first_faults(singles, first);
    gm_status            st = GM_OK;
    for (uint32_t i = 0; st == GM_OK && i < n; i++) st = pair_up(w, first[i], kits, kit_count, pairs, err);
    w->out->paired = true;
    return st == GM_OK ? gm_hunt_race(w, pairs, err) : st;
}

