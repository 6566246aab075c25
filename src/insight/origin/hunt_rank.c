// From likelihoods to probabilities.
#include "insight/origin/hunt_parts.h"

#include <math.h>
#include <stdlib.h>

typedef struct weighed { const gm_hunt_trail *trail; double score; } weighed;

static bool same(const gm_hunt_trail *a, const gm_hunt_trail *b)
{
    return a->kit->candidate == b->kit->candidate && a->kit->second == b->kit->second;
}

static int by_begin(const void *a, const void *b)
{
    const weighed *x = a, *y = b;
    return x->trail->begin < y->trail->begin ? -1 : x->trail->begin > y->trail->begin;
}

// When it began: the moments between which nine tenths of the weight lie.
static void tell_since(const gm_hunt_work *w, weighed *own, size_t count, const gm_hunt_trail *best, double best_score, gm_origin *out)
{
    double all = 0, so_far = 0;
    qsort(own, count, sizeof *own, by_begin);
    for (size_t i = 0; i < count; i++) all += exp(own[i].score - best_score);
    out->since     = w->moments[best->first_begin].at;
    out->since_low = out->since_high = out->since;
    bool low = false, high = false;
    for (size_t i = 0; i < count; i++) {
        so_far += exp(own[i].score - best_score) / all;
        if (!low && so_far >= 0.05) out->since_low = w->moments[own[i].trail->first_begin].at, low = true;
        if (!high && so_far >= 0.95) out->since_high = w->moments[own[i].trail->first_begin].at, high = true;
    }
}

static void tell_size(const gm_hunt_trail *t, int which, double *out_size, double *out_deviation)
{
    *out_size = *out_deviation = NAN;
    if (t->filter == NULL || t->kit->parts[which] == UINT32_MAX) return;
    gm_estimator_value v = gm_estimator_part(t->filter, t->kit->parts[which]);
    *out_size            = v.mean;
    *out_deviation       = v.deviation;
}

// All hypotheses about one candidate (or pair) become one line; returns ln of their weight.
static double gather(const gm_hunt_work *w, const weighed *all, size_t count, size_t first, weighed *own, gm_origin *out)
{
    const gm_hunt_trail *best  = all[first].trail;
    double               most  = all[first].score, sum = 0;
    size_t               n     = 0;
    for (size_t i = first; i < count; i++) {
        if (!same(all[i].trail, all[first].trail)) continue;
        own[n++] = all[i];
        if (all[i].score > most) most = all[i].score, best = all[i].trail;
    }
    for (size_t i = 0; i < n; i++) sum += exp(own[i].score - most);
    *out = (gm_origin){ .candidate = best->kit->candidate, .second = best->kit->second, .strain = best->filter != NULL ? best->watch.most / w->limit : NAN };
    tell_since(w, own, n, best, most, out);
    if (best->kit->second != UINT32_MAX) out->second_since = w->moments[best->begin].at;
    tell_size(best, 0, &out->size, &out->deviation);
    tell_size(best, 1, &out->second_size, &out->second_deviation);
    out->evidence = most - best->prior - w->base[w->moment_count];
    return most + log(sum);
}

static int by_probability(const void *a, const void *b)
{
    double x = ((const gm_origin *)a)->probability, y = ((const gm_origin *)b)->probability;
    return x > y ? -1 : x < y;
}

// lines[].probability: ln of the weight; becomes the share.
static void normalise(gm_hunt_work *w, gm_origin *lines, size_t count)
{
    double most = w->base[w->moment_count], sum;
    for (size_t i = 0; i < count; i++) most = fmax(most, lines[i].probability);
    w->out->none = exp(w->base[w->moment_count] - most);
    sum          = w->out->none;
    qsort(lines, count, sizeof *lines, by_probability);
    for (size_t i = 0; i < count; i++) sum += exp(lines[i].probability - most);
    for (size_t i = 0; i < count; i++) lines[i].probability = exp(lines[i].probability - most) / sum;
    w->out->none /= sum;
}

gm_status gm_hunt_rank(gm_hunt_work *w, const gm_hunt_trail *trails, size_t count, gm_error *err)
{
    weighed   *all   = gm_alloc_array(w->alloc, count + 1, sizeof *all), *own = gm_alloc_array(w->alloc, count + 1, sizeof *own);
    gm_origin *lines = gm_alloc_array(w->alloc, count + 1, sizeof *lines);
    size_t     n     = 0;
    gm_status  st    = all != NULL && own != NULL && lines != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "insight.origin", "ranking %zu hypotheses", count);
    // Whoever was given up is taken to have stayed as far behind the best as he was then.
    double best = w->base[w->moment_count];
    for (size_t i = 0; st == GM_OK && i < count; i++)
        if (trails[i].filter != NULL) best = fmax(best, gm_hunt_trail_score(&trails[i]));
    for (size_t i = 0; st == GM_OK && i < count; i++)
        all[i] = (weighed){ &trails[i], trails[i].filter != NULL ? gm_hunt_trail_score(&trails[i]) : best - trails[i].behind };
    for (size_t i = 0; st == GM_OK && i < count; i++) {
        bool seen = false;
        for (size_t k = 0; !seen && k < i; k++) seen = same(all[k].trail, all[i].trail);
        if (seen) continue;
        double weight        = gather(w, all, count, i, own, &lines[n]);
        lines[n].probability = weight;
        n++;
    }
    if (st == GM_OK) {
        normalise(w, lines, n);
        w->out->count = n < GM_HUNT_RANKED_MAX ? (uint32_t)n : GM_HUNT_RANKED_MAX;
        memcpy(w->out->ranked, lines, w->out->count * sizeof *lines);
        w->out->explained = w->out->strain <= 1 || (n > 0 && lines[0].strain <= 1 && lines[0].probability >= w->out->none);
    }
    gm_free(w->alloc, all);
    gm_free(w->alloc, own);
    gm_free(w->alloc, lines);
    return st;
}
