#include "rollup/total.h"

#include <math.h>

void gm_rollup_clear(gm_rollup_total *total)
{
    *total = (gm_rollup_total){ .low = INFINITY, .high = -INFINITY };
}

void gm_rollup_join(gm_rollup_total *total, const gm_rollup_total *more)
{
    for (int i = 0; i < GM_ROLLUP_TERMS; i++) total->terms[i] += more->terms[i];
    total->low  = more->low < total->low ? more->low : total->low;
    total->high = more->high > total->high ? more->high : total->high;
    total->count += more->count;
    total->missing += more->missing;
}

void gm_rollup_take(gm_rollup_total *total, const gm_rollup_definition *d, const double *values)
{
    for (uint32_t i = 0; i < d->term_count; i++) {
        if (!isnan(values[i])) continue;
        total->missing++;
        return;
    }
    total->count++;
    total->low  = values[0] < total->low ? values[0] : total->low;
    total->high = values[0] > total->high ? values[0] : total->high;
    switch (d->function) {
    case GM_ROLLUP_WEIGHTED:
        total->terms[0] += values[0] * values[1];
        total->terms[1] += values[1];
        break;
    case GM_ROLLUP_OEE:  // planned, running, ideal time of all parts, parts, good parts, all of them sums over members
        total->terms[0] += values[0];
        total->terms[1] += values[1];
        total->terms[2] += values[2] * values[3];
        total->terms[3] += values[3];
        total->terms[4] += values[4];
        break;
    default:
        for (uint32_t i = 0; i < d->term_count; i++) total->terms[i] += values[i];
        break;
    }
}

// Functions of one term are most of what is declared, and are worth a loop without a choice in it.
static void take_one_term(gm_rollup_total *total, const double *column, const uint32_t *rows, size_t count)
{
    double sum = total->terms[0], low = total->low, high = total->high;
    size_t missing = 0;
    for (size_t i = 0; i < count; i++) {
        double x    = column[rows[i]];
        bool   none = isnan(x);
        missing += none;
        sum += none ? 0 : x;
        low  = x < low ? x : low;  // never true of NaN
        high = x > high ? x : high;
    }
    total->terms[0] = sum;
    total->low      = low;
    total->high     = high;
    total->count += count - missing;
    total->missing += missing;
}

void gm_rollup_take_rows(gm_rollup_total *total, const gm_rollup_definition *d, const double *const *columns, const uint32_t *rows, size_t count)
{
    if (d->term_count == 1) {
        take_one_term(total, columns[0], rows, count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        double values[GM_ROLLUP_TERMS];
        for (uint32_t k = 0; k < d->term_count; k++) values[k] = columns[k][rows[i]];
        gm_rollup_take(total, d, values);
    }
}

static double ratio(double a, double b) { return b != 0 ? a / b : NAN; }

gm_rollup_result gm_rollup_finish(const gm_rollup_definition *d, const gm_rollup_total *t)
{
    gm_rollup_result r = { .value = NAN, .count = t->count, .missing = t->missing, .availability = NAN, .performance = NAN, .quality = NAN };
    if (d->function == GM_ROLLUP_K_OF_N) {  // a member of which nothing is known does not count as working
        r.working = (uint64_t)t->terms[0];
        r.value   = t->count + t->missing > 0 ? r.working >= d->k : NAN;
        return r;
    }
    if (t->count == 0) return r;
    switch (d->function) {
    case GM_ROLLUP_MIN: r.value = t->low; break;
    case GM_ROLLUP_MAX: r.value = t->high; break;
    case GM_ROLLUP_MEAN: r.value = t->terms[0] / (double)t->count; break;
    case GM_ROLLUP_WEIGHTED:
    case GM_ROLLUP_INTENSITY: r.value = ratio(t->terms[0], t->terms[1]); break;
    case GM_ROLLUP_WORST:
        r.value = t->high;
        r.state = d->states[(uint32_t)t->high];
        break;
    case GM_ROLLUP_OEE:  // ISO 22400-2: availability times effectiveness times quality ratio
        r.availability = ratio(t->terms[1], t->terms[0]);
        r.performance  = ratio(t->terms[2], t->terms[1]);
        r.quality      = ratio(t->terms[4], t->terms[3]);
        r.value        = r.availability * r.performance * r.quality;
        break;
    default: r.value = t->terms[0]; break;
    }
    return r;
}
