#include "control/optimise/beginnings.h"

#include "base/rng.h"

#include <math.h>

// x: inside the estimate. Both slots are affine in what people see.
static void put(const gm_group *group, const gm_estimate_part *p, double x, double *slots)
{
    gm_group_variable v;
    if (p->kind != GM_ESTIMATE_STATE && p->kind != GM_ESTIMATE_PARAMETER) return;
    if (!gm_group_find(group, p->name, &v) || v.set.v == GM_SLOT_NONE.v) return;
    double outside = ((p->log ? exp(x) : x) - p->offset) / p->factor;
    if (p->min < p->max) outside = fmin(fmax(outside, p->min), p->max);
    if (isfinite(outside)) slots[v.set.v] = outside * v.set_factor + v.set_offset;
}

void gm_beginnings_mean(const gm_group *group, const gm_estimate_spread *spread, double *slots)
{
    for (uint32_t i = 0; i < spread->count; i++) put(group, &spread->parts[i], spread->means[i], slots);
}

void gm_beginnings_draw(const gm_group *group, const gm_estimate_spread *s, uint64_t seed, uint32_t draw, double *slots)
{
    for (uint32_t i = 0; i < s->count; i++) {
        double x = s->means[i];
        if (s->member_count > 0) x = s->members[(size_t)i * s->member_count + draw % s->member_count];
        for (uint32_t k = 0; s->member_count == 0 && k <= i; k++)
            x += s->factor[(size_t)k * s->count + i] * gm_rng_normal(seed, draw, k, 0);
        put(group, &s->parts[i], x, slots);
    }
}
