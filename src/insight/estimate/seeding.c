#include "insight/estimate/seeding.h"

#include <math.h>

static const char WHERE[] = "estimate.seeding";

// Correlations that rounding has made exact would leave the matrix without a factor.
static const double SHRINK = 1 - 1e-9;

static gm_status no_memory(gm_error *err) { return gm_fail(err, GM_NOMEM, WHERE, "beginning futures at an estimate"); }

static double covariance(const gm_estimate_spread *s, uint32_t a, uint32_t b)
{
    double sum = 0;
    for (uint32_t k = 0; k <= (a < b ? a : b); k++) sum += s->factor[(size_t)k * s->count + a] * s->factor[(size_t)k * s->count + b];
    return sum;
}

// How a value of the estimate's program becomes one of the world's: both are affine in what people see.
static gm_status place(const gm_estimate_part *p, const gm_futures_world *world, gm_vary *v, gm_error *err)
{
    gm_futures_name name = { 0 };
    if (!world->find(world->context, p->name, &name) || name.set.v == GM_SLOT_NONE.v)
        return gm_fail(err, GM_NOTFOUND, WHERE, "'" GM_STR_FMT "' is estimated, but can not be set in these futures",
                       GM_STR_ARG(gm_str_slice(p->name, 0, 80)));
    *v = (gm_vary){ .name = p->name, .slot = name.set, .scale = name.set_scale / p->factor, .how = GM_VARY_SET };
    v->offset = name.set_offset - v->scale * p->offset;
    return GM_OK;
}

static gm_law law_of(const gm_estimate_part *p, double mean, double deviation)
{
    double a = p->min * p->factor + p->offset, b = p->max * p->factor + p->offset, low = fmin(a, b), high = fmax(a, b);
    if (!(deviation > 0)) return gm_law_point(p->log ? exp(mean) : mean);
    if (p->log) return (gm_law){ .kind = GM_LAW_LOGNORMAL, .p = { mean, deviation } };
    // A mean beyond the bounds shows that the filter does not know them; then they do not cut.
    if (!(mean >= low && mean <= high)) low = -INFINITY, high = INFINITY;
    return (gm_law){ .kind = GM_LAW_NORMAL, .p = { mean, deviation, low, high } };
}

static gm_status take_members(gm_arena *arena, const gm_estimate_spread *s, uint32_t i, gm_vary *v, gm_error *err)
{
    double *values = GM_ARENA_NEW(arena, double, s->member_count);
    if (values == NULL) return no_memory(err);
    for (uint32_t k = 0; k < s->member_count; k++) {
        double x  = s->members[(size_t)i * s->member_count + k];
        values[k] = s->parts[i].log ? exp(x) : x;
    }
    v->kind   = GM_VARY_LIST;
    v->values = values;
    v->count  = s->member_count;
    return GM_OK;
}

// of: [count] part of each variation that is drawn.
static gm_status correlate(gm_arena *arena, const gm_estimate_spread *s, const uint32_t *of, uint32_t *items, uint32_t count,
                           gm_correlation *out, gm_error *err)
{
    double *matrix = GM_ARENA_NEW(arena, double, (size_t)count * count + 1);
    if (matrix == NULL) return no_memory(err);
    for (uint32_t a = 0; a < count; a++) {
        matrix[(size_t)a * count + a] = 1;
        for (uint32_t b = 0; b < a; b++) {
            double r = SHRINK * covariance(s, of[a], of[b]) / sqrt(covariance(s, of[a], of[a]) * covariance(s, of[b], of[b]));
            matrix[(size_t)a * count + b] = matrix[(size_t)b * count + a] = fmax(-SHRINK, fmin(SHRINK, r));
        }
    }
    *out = (gm_correlation){ items, matrix, count };
    return GM_OK;
}

// The request's own correlations speak of its own variations, which have moved back.
static gm_status add_correlation(gm_arena *arena, const gm_correlation *first, uint32_t shift, gm_futures_request *r, gm_error *err)
{
    gm_correlation *all = GM_ARENA_NEW(arena, gm_correlation, r->correlation_count + (size_t)1);
    uint32_t        n   = 0;
    if (all == NULL) return no_memory(err);
    if (first->count > 1) all[n++] = *first;
    for (uint32_t k = 0; k < r->correlation_count; k++) {
        const gm_correlation *c     = &r->correlations[k];
        uint32_t             *items = GM_ARENA_NEW(arena, uint32_t, c->count + (size_t)1);
        if (items == NULL) return no_memory(err);
        for (uint32_t i = 0; i < c->count; i++) items[i] = c->items[i] + shift;
        all[n++] = (gm_correlation){ items, c->matrix, c->count };
    }
    r->correlations      = all;
    r->correlation_count = n;
    return GM_OK;
}

gm_status gm_seeding_put(gm_arena *arena, const gm_estimate_spread *s, const gm_futures_world *world, gm_futures_request *r, gm_error *err)
{
    uint32_t  n = 0, drawn = 0;
    gm_vary  *vary  = GM_ARENA_NEW(arena, gm_vary, s->count + (size_t)r->vary_count + 1);
    uint32_t *of    = GM_ARENA_NEW(arena, uint32_t, s->count + (size_t)1);
    uint32_t *items = GM_ARENA_NEW(arena, uint32_t, s->count + (size_t)1);
    gm_status st    = vary != NULL && of != NULL && items != NULL ? GM_OK : no_memory(err);
    for (uint32_t i = 0; st == GM_OK && i < s->count; i++) {
        const gm_estimate_part *p = &s->parts[i];
        if (p->kind != GM_ESTIMATE_STATE && p->kind != GM_ESTIMATE_PARAMETER) continue;
        if (n + r->vary_count >= GM_FUTURES_VARY_MAX)
            return gm_fail(err, GM_LIMIT, WHERE, "more than %d states, parameters and variations", GM_FUTURES_VARY_MAX);
        st = place(p, world, &vary[n], err);
        if (st != GM_OK) return st;
        if (s->member_count > 0) st = take_members(arena, s, i, &vary[n], err);
        else vary[n].law = law_of(p, s->means[i], sqrt(covariance(s, i, i)));
        if (s->member_count == 0 && vary[n].law.kind != GM_LAW_POINT) {
            of[drawn]      = i;
            items[drawn++] = n;
        }
        n++;
    }
    gm_correlation joint = { 0 };
    if (st == GM_OK && drawn > 1) st = correlate(arena, s, of, items, drawn, &joint, err);
    if (st == GM_OK) st = add_correlation(arena, &joint, n, r, err);
    if (st != GM_OK) return st;
    if (r->vary_count > 0) memcpy(vary + n, r->vary, r->vary_count * sizeof *vary);
    r->vary       = vary;
    r->vary_count += n;
    return GM_OK;
}
