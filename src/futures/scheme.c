#include "futures/scheme.h"

#include "base/rng.h"
#include "futures/special.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static gm_status no_memory(gm_error *err) { return gm_fail(err, GM_NOMEM, "futures", "preparing a request"); }

gm_futures_request gm_futures_defaults(const gm_program *program, const double *base)
{
    return (gm_futures_request){ .program = program, .base = base, .horizon_s = 3600, .step_s = 1, .tolerance = 1e-6,
                                 .members = 1, .points = 240, .lanes = 1024, .memory_max = (size_t)512 << 20 };
}

const char *gm_score_text(gm_score_kind kind)
{
    static const char *const text[GM_SCORE_COUNT] = { "integral", "mean", "min", "max", "final", "above", "below" };
    assert(kind < GM_SCORE_COUNT);
    return text[kind];
}

bool gm_scheme_fixed(const gm_scheme *s)
{
    return s->request.method == GM_FUTURES_FIXED || s->request.method == GM_FUTURES_EULER;
}

// ---- copying --------------------------------------------------------------------------------------------------------

// NULL when memory is refused; a valid pointer for n = 0.
static void *copied(gm_arena *arena, const void *from, size_t n, size_t size)
{
    void *to = gm_arena_zeroed(arena, n + 1, size);
    if (to != NULL && n > 0) memcpy(to, from, n * size);
    return to;
}

static bool copy_name(gm_arena *arena, gm_str *name)
{
    *name = gm_arena_str(arena, *name);
    return name->ptr != NULL;
}

static bool copy_law(gm_arena *arena, gm_law *law)
{
    law->values = copied(arena, law->values, law->count, sizeof *law->values);
    return law->values != NULL;
}

static const gm_vary *copy_vary(gm_arena *arena, const gm_vary *from, uint32_t n)
{
    gm_vary *to   = copied(arena, from, n, sizeof *to);
    bool     good = to != NULL;
    for (uint32_t i = 0; good && i < n; i++) {
        gm_vary *v = &to[i];
        good = copy_name(arena, &v->name) && copy_law(arena, &v->law) && copy_law(arena, &v->from);
        v->values = copied(arena, v->values, v->count, sizeof *v->values);
        v->times  = copied(arena, v->times, v->times != NULL ? v->count : 0, sizeof *v->times);
        good      = good && v->values != NULL && v->times != NULL;
    }
    return good ? to : NULL;
}

static bool copy_watched(gm_arena *arena, gm_futures_request *r)
{
    gm_watched    *outputs     = copied(arena, r->outputs, r->output_count, sizeof *outputs);
    gm_condition  *conditions  = copied(arena, r->conditions, r->condition_count, sizeof *conditions);
    gm_score      *scores      = copied(arena, r->scores, r->score_count, sizeof *scores);
    gm_exceedance *exceedances = copied(arena, r->exceedances, r->exceedance_count, sizeof *exceedances);
    bool good = outputs != NULL && conditions != NULL && scores != NULL && exceedances != NULL;
    for (uint32_t i = 0; good && i < r->output_count; i++) good = copy_name(arena, &outputs[i].name);
    for (uint32_t i = 0; good && i < r->condition_count; i++)
        good = copy_name(arena, &conditions[i].text) && copy_name(arena, &conditions[i].of.name);
    for (uint32_t i = 0; good && i < r->score_count; i++)
        good = copy_name(arena, &scores[i].text) && copy_name(arena, &scores[i].of.name);
    for (uint32_t i = 0; good && i < r->exceedance_count; i++) good = copy_name(arena, &exceedances[i].text);
    r->outputs     = outputs;
    r->conditions  = conditions;
    r->scores      = scores;
    r->exceedances = exceedances;
    return good;
}

static bool copy_request(gm_arena *arena, gm_futures_request *r)
{
    r->base      = copied(arena, r->base, (size_t)r->members * gm_program_slot_count(r->program), sizeof *r->base);
    r->vary      = copy_vary(arena, r->vary, r->vary_count);
    gm_str *members = copied(arena, r->member_names, r->member_names != NULL ? r->members : 0, sizeof *members);
    for (uint32_t m = 0; r->member_names != NULL && members != NULL && m < r->members; m++) {
        if (!copy_name(arena, &members[m])) members = NULL;
    }
    if (r->member_names != NULL) r->member_names = members;
    r->quantiles = copied(arena, r->quantiles, r->quantile_count, sizeof *r->quantiles);
    gm_scenario    *scenarios    = copied(arena, r->scenarios, r->scenario_count, sizeof *scenarios);
    gm_correlation *correlations = copied(arena, r->correlations, r->correlation_count, sizeof *correlations);
    bool good = members != NULL && r->base != NULL && r->vary != NULL && r->quantiles != NULL && scenarios != NULL && correlations != NULL;
    for (uint32_t i = 0; good && i < r->scenario_count; i++) {
        scenarios[i].vary = copy_vary(arena, scenarios[i].vary, scenarios[i].vary_count);
        good              = scenarios[i].vary != NULL && copy_name(arena, &scenarios[i].name);
    }
    for (uint32_t i = 0; good && i < r->correlation_count; i++) {
        gm_correlation *c = &correlations[i];
        c->items  = copied(arena, c->items, c->count, sizeof *c->items);
        c->matrix = copied(arena, c->matrix, (size_t)c->count * c->count, sizeof *c->matrix);
        good      = c->items != NULL && c->matrix != NULL;
    }
    r->scenarios    = scenarios;
    r->correlations = correlations;
    return good && copy_watched(arena, r);
}

// ---- changes and their random numbers -------------------------------------------------------------------------------

static void number_change(gm_scheme *s, gm_variation *c, const gm_vary *v, uint32_t index, uint32_t *grid)
{
    *c = (gm_variation){ .vary = v, .stream = index, .dimension = GM_NO_DIMENSION, .grid_stride = *grid };
    c->moves = v->kind == GM_VARY_SERIES || v->kind == GM_VARY_OU || v->kind == GM_VARY_POISSON;
    if (v->kind == GM_VARY_GRID) *grid *= v->count;
    // The design spans what is common to all scenarios; what a scenario adds draws by itself.
    bool drawn = v->kind == GM_VARY_LAW && v->law.kind != GM_LAW_POINT;
    if (drawn && index < s->request.vary_count) {
        for (uint32_t i = 0; i < s->design.dimensions; i++) {
            if (s->varied[i].ptr == v->name.ptr) c->dimension = i;
        }
        if (c->dimension != GM_NO_DIMENSION) return;
        c->dimension                       = s->design.dimensions;
        s->varied[s->design.dimensions++] = v->name;
    }
}

static gm_status make_changes(gm_arena *arena, gm_scheme *s, gm_error *err)
{
    const gm_futures_request *r = &s->request;
    s->changes       = GM_ARENA_NEW(arena, gm_variation *, s->scenario_count);
    s->change_counts = GM_ARENA_NEW(arena, uint32_t, s->scenario_count);
    s->varied        = GM_ARENA_NEW(arena, gm_str, r->vary_count + 1);
    if (s->changes == NULL || s->change_counts == NULL || s->varied == NULL) return no_memory(err);
    for (uint32_t k = 0; k < s->scenario_count; k++) {
        const gm_scenario *scenario = r->scenario_count > 0 ? &r->scenarios[k] : NULL;
        uint32_t           own = scenario != NULL ? scenario->vary_count : 0, grid = 1;
        s->change_counts[k] = r->vary_count + own;
        s->changes[k]       = GM_ARENA_NEW(arena, gm_variation, r->vary_count + own + 1);
        if (s->changes[k] == NULL) return no_memory(err);
        for (uint32_t i = 0; i < r->vary_count + own; i++) {
            number_change(s, &s->changes[k][i], i < r->vary_count ? &r->vary[i] : &scenario->vary[i - r->vary_count], i,
                          &grid);
        }
    }
    return gm_design_check(&s->design, err);
}

static gm_status factorise(gm_arena *arena, gm_scheme *s, uint32_t index, gm_error *err)
{
    const gm_correlation *c = &s->request.correlations[index];
    uint32_t              n = c->count;
    double               *l = GM_ARENA_NEW(arena, double, (size_t)n * n + 1);
    if (l == NULL) return no_memory(err);
    if (s->design.kind == GM_DESIGN_SALTELLI || s->design.kind == GM_DESIGN_MORRIS)
        return gm_fail(err, GM_INVALID, "futures",
                       "sensitivity indices need independent inputs; leave the correlation out");
    for (uint32_t i = 0; i < n; i++) {
        if (c->items[i] >= s->request.vary_count || s->changes[0][c->items[i]].dimension == GM_NO_DIMENSION)
            return gm_fail(err, GM_INVALID, "futures",
                           "only inputs that are drawn from distributions can be correlated");
        for (uint32_t j = 0; j < i; j++) {
            if (c->items[i] == c->items[j])
                return gm_fail(err, GM_INVALID, "futures", "an input is correlated with itself");
        }
        for (uint32_t j = 0; j <= i; j++) {
            double sum = c->matrix[i * n + j];
            if (!(fabs(sum) <= 1) || sum != c->matrix[j * n + i] || (i == j && sum != 1))
                return gm_fail(err, GM_INVALID, "futures",
                               "a correlation matrix is symmetric, within -1..1, with 1 on its diagonal");
            for (uint32_t k = 0; k < j; k++) sum -= l[i * n + k] * l[j * n + k];
            if (i == j && !(sum > 1e-12))
                return gm_fail(err, GM_INVALID, "futures",
                               "these correlations contradict each other (the matrix is not positive definite)");
            l[i * n + j] = i == j ? sqrt(sum) : sum / l[j * n + j];
        }
    }
    s->factors[index] = l;
    return GM_OK;
}

static double independent(const gm_scheme *s, const gm_variation *c, uint32_t lane)
{
    if (c->dimension == GM_NO_DIMENSION) return gm_rng_uniform(s->design.seed, lane, c->stream, 0);
    return gm_design_at(&s->design, lane, c->dimension);
}

double gm_scheme_uniform(const gm_scheme *s, const gm_variation *change, uint32_t lane)
{
    for (uint32_t k = 0; change->stream < s->request.vary_count && k < s->request.correlation_count; k++) {
        const gm_correlation *c = &s->request.correlations[k];
        for (uint32_t i = 0; i < c->count; i++) {
            if (c->items[i] != change->stream) continue;
            double z = 0;
            for (uint32_t j = 0; j <= i; j++)
                z += s->factors[k][i * c->count + j] *
                     gm_normal_quantile(independent(s, &s->changes[0][c->items[j]], lane));
            double u = gm_normal_cdf(z);
            return u < 0x1p-53 ? 0x1p-53 : u > 1 - 0x1p-53 ? 1 - 0x1p-53 : u;
        }
    }
    return independent(s, change, lane);
}

// ---- stops ----------------------------------------------------------------------------------------------------------

static void add_stop(gm_scheme *s, double t, uint32_t point)
{
    gm_stop *stop = &s->stops[s->stop_count++];
    *stop         = (gm_stop){ .t = t, .point = point };
    if (s->steps == 0) return;
    double step = ceil(t / s->step_s - 1e-9);  // a change takes effect at the first step that is not before it
    stop->step  = step >= s->steps ? s->steps : (uint32_t)step;
    stop->t     = stop->step == s->steps ? s->request.horizon_s : stop->step * s->step_s;
}

static int by_time(const void *a, const void *b)
{
    const gm_stop *x = a, *y = b;
    if (x->t != y->t) return x->t < y->t ? -1 : 1;
    return x->point < y->point ? -1 : x->point > y->point;
}

// Times that are equal become one stop; the sort puts an output point before a mere change.
static void merge_stops(gm_scheme *s)
{
    uint32_t n = 0;
    qsort(s->stops, s->stop_count, sizeof *s->stops, by_time);
    for (uint32_t i = 0; i < s->stop_count; i++) {
        if (n == 0 || s->stops[i].t != s->stops[n - 1].t) s->stops[n++] = s->stops[i];
    }
    s->stop_count = n;
}

static void add_change_stops(gm_scheme *s, const gm_variation *c)
{
    const gm_vary *v = c->vary;
    if (!v->scheduled && v->lasts_s == 0) return;
    if (v->scheduled && v->from.kind != GM_LAW_POINT) {
        s->ticking = true;  // every lane has a time of its own
        return;
    }
    double from = v->scheduled ? v->from.p[0] : 0;
    if (from > 0) add_stop(s, from, GM_STOP_NO_POINT);
    if (v->lasts_s > 0 && from + v->lasts_s < s->request.horizon_s) add_stop(s, from + v->lasts_s, GM_STOP_NO_POINT);
}

static gm_status make_stops(gm_arena *arena, gm_scheme *s, gm_error *err)
{
    const gm_futures_request *r = &s->request;
    uint32_t intervals = r->points, stride = 1, most = 0;
    if (gm_scheme_fixed(s)) {
        s->steps  = (uint32_t)ceil(r->horizon_s / r->step_s - 1e-6);
        s->steps  = s->steps > 0 ? s->steps : 1;
        s->step_s = r->horizon_s / s->steps;
        stride    = s->steps / r->points + (s->steps % r->points > 0);
        intervals = s->steps / stride + (s->steps % stride > 0);
    }
    for (uint32_t k = 0; k < s->scenario_count; k++) most += 2 * s->change_counts[k];
    s->point_count = intervals + 1;
    s->stops       = GM_ARENA_NEW(arena, gm_stop, (size_t)s->point_count + most);
    s->time_s      = GM_ARENA_NEW(arena, double, s->point_count);
    if (s->stops == NULL || s->time_s == NULL) return no_memory(err);
    for (uint32_t p = 0; p < s->point_count; p++) {
        bool   last = p + 1 == s->point_count;
        double t = last ? r->horizon_s : s->steps > 0 ? (double)p * stride * s->step_s : r->horizon_s * p / intervals;
        add_stop(s, t, p);
        s->time_s[p] = t;
    }
    s->ticking = r->condition_count + r->score_count > 0;
    for (uint32_t k = 0; k < s->scenario_count; k++) {
        for (uint32_t i = 0; i < s->change_counts[k]; i++) {
            s->ticking |= s->changes[k][i].moves;
            add_change_stops(s, &s->changes[k][i]);
        }
    }
    merge_stops(s);
    if (s->steps > 0) {
        double ticks  = r->every_s > 0 ? round(r->every_s / s->step_s) : 1;
        s->tick_steps = ticks < 1 ? 1 : ticks > s->steps ? s->steps : (uint32_t)ticks;
        s->tick_s     = s->tick_steps * s->step_s;
    } else {
        s->tick_s = r->every_s > 0 ? r->every_s : r->horizon_s / intervals;
        if (r->horizon_s / s->tick_s > GM_FUTURES_STEPS_MAX)
            return gm_fail(err, GM_LIMIT, "futures", "looking every %g s is too often", s->tick_s);
    }
    return GM_OK;
}

static bool algebraic(const gm_futures_request *r, const gm_watched *w)
{
    return gm_program_slot(r->program, w->slot)->kind == GM_SLOT_ALGEBRAIC;
}

gm_status gm_scheme_make(gm_arena *arena, const gm_futures_request *request, gm_scheme **out_scheme, gm_error *err)
{
    gm_status st = gm_futures_check(request, err);
    if (st != GM_OK) return st;
    gm_scheme *s = GM_ARENA_NEW(arena, gm_scheme, 1);
    if (s == NULL) return no_memory(err);
    s->request = *request;
    if (!copy_request(arena, &s->request)) return no_memory(err);
    const gm_futures_request *r = &s->request;
    s->scenario_count = r->scenario_count > 0 ? r->scenario_count : 1;
    s->lanes          = r->members * r->lanes;
    s->block_lanes    = r->fmu != NULL ? 1 : GM_SCHEME_BLOCK;
    s->blocks         = (s->lanes + s->block_lanes - 1) / s->block_lanes;
    s->design         = (gm_design){ .kind = r->design, .seed = r->seed, .lanes = r->lanes };
    st                = make_changes(arena, s, err);
    if (st == GM_OK) st = make_stops(arena, s, err);
    s->factors = GM_ARENA_NEW(arena, double *, r->correlation_count + 1);
    if (st == GM_OK && s->factors == NULL) st = no_memory(err);
    for (uint32_t i = 0; st == GM_OK && i < r->correlation_count; i++) st = factorise(arena, s, i, err);
    for (uint32_t i = 0; i < r->output_count; i++) s->observe_points |= algebraic(r, &r->outputs[i]);
    for (uint32_t i = 0; i < r->condition_count; i++) s->observe_ticks |= algebraic(r, &r->conditions[i].of);
    for (uint32_t i = 0; i < r->score_count; i++) s->observe_ticks |= algebraic(r, &r->scores[i].of);
    // An FMU's variables are told when somebody looks, whatever they are.
    s->observe_points |= r->fmu != NULL;
    s->observe_ticks |= r->fmu != NULL;
    *out_scheme = s;
    return st;
}
