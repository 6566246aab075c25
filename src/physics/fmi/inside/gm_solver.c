// The integrator of co-simulation: RODAS (rodas.h) with a Jacobian by differences and a step of its own choice.
//
//   try a step --error too large--> shorter
//       \--accepted--> an indicator changed its side? --> the step is shortened until it ends just behind the change,
//                                                         events until they come to rest, a tiny step next
// After an event the first step is tiny and grows fivefold, so that what happens right behind it is not stepped over.
#include "gm_model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rodas.h"
#include "zeno.h"

enum { STEPS_MAX = 10000000 };

static const gm_description *const d = &gm_the_model;

typedef struct {
    gm_model *m;
    uint32_t  n;
    double    tolerance, span;  // span: of the whole communication step; the scale of time that the caller chose
    double   *x0, *x, *k, *k0, *time_slope, *u[RODAS_STAGES], *jacobian, *w;
    uint32_t *pivots;
} solver;

size_t gm_solver_scratch(const gm_description *description)
{
    size_t n = description->state_count;
    return (5 + RODAS_STAGES) * n + 2 * n * n + 1;
}

static solver prepare(gm_model *m, double span)
{
    solver   s   = { .m = m, .n = d->state_count, .tolerance = m->keeps[GM_KEEP_TOLERANCE], .span = span, .pivots = m->pivots + d->loop_unknowns };
    double  *at  = m->solver;
    double **to[] = { &s.x0, &s.x, &s.k, &s.k0, &s.time_slope };
    for (size_t i = 0; i < sizeof to / sizeof to[0]; i++, at += s.n) *to[i] = at;
    for (size_t i = 0; i < RODAS_STAGES; i++, at += s.n) s.u[i] = at;
    s.jacobian = at;
    s.w        = at + (size_t)s.n * s.n;
    return s;
}

static double nominal(uint32_t i)
{
    double given = fabs(d->slots[d->states[i]].nominal);
    return given > 0 && isfinite(given) ? given : 1;
}

static bool slopes(const solver *s, double time, const double *x, double *out)
{
    gm_model_move(s->m, time, x);
    if (s->n == 0) return true;
    bool good = gm_model_needs(s->m, GM_NEEDS_SLOPES);
    for (uint32_t i = 0; i < s->n; i++) good = good && isfinite(out[i] = s->m->slope[i]);
    return good;
}

// At (time, x0): slopes, their derivatives by states and by time.
static bool linearise(const solver *s, double time)
{
    if (!slopes(s, time, s->x0, s->k0)) return false;
    double by_time = 1.5e-8 * fmax(fabs(time), s->span);
    if (!slopes(s, time + by_time, s->x0, s->time_slope)) return false;
    for (uint32_t i = 0; i < s->n; i++) s->time_slope[i] = (s->time_slope[i] - s->k0[i]) / by_time;
    memcpy(s->x, s->x0, s->n * sizeof *s->x);
    for (uint32_t j = 0; j < s->n; j++) {
        s->x[j]       = s->x0[j] + 1.5e-8 * fmax(fabs(s->x0[j]), 1e-4 * nominal(j));
        double moved  = s->x[j] - s->x0[j];
        bool   solved = slopes(s, time, s->x, s->k);
        s->x[j]       = s->x0[j];
        if (!solved) return false;
        for (uint32_t i = 0; i < s->n; i++) s->jacobian[(size_t)i * s->n + j] = (s->k[i] - s->k0[i]) / moved;
    }
    return true;
}

// One step of length h from (time, x0) to x; *out_error in units of the tolerance. After linearise.
static bool attempt(const solver *s, double time, double h, double *out_error)
{
    uint32_t n = s->n;
    for (size_t i = 0; i < (size_t)n * n; i++) s->w[i] = -s->jacobian[i];
    for (uint32_t i = 0; i < n; i++) s->w[(size_t)i * n + i] += 1 / (rodas_gamma * h);
    if (!gm_factor(n, s->w, s->pivots)) return false;
    for (int stage = 0; stage < RODAS_STAGES; stage++) {
        for (uint32_t i = 0; i < n; i++) {
            s->x[i] = s->x0[i];
            for (int j = 0; j < stage; j++) s->x[i] += rodas_a[stage][j] * s->u[j][i];
        }
        if (stage == 0) memcpy(s->k, s->k0, n * sizeof *s->k);
        else if (!slopes(s, time + rodas_c[stage] * h, s->x, s->k)) return false;
        double *u = s->u[stage];
        for (uint32_t i = 0; i < n; i++) {
            double past = 0;
            for (int j = 0; j < stage; j++) past += rodas_b[stage][j] * s->u[j][i];
            u[i] = s->k[i] + past / h + h * rodas_d[stage] * s->time_slope[i];
        }
        gm_substitute(n, s->w, s->pivots, u);
    }
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        double error = s->u[RODAS_STAGES - 1][i];
        s->x[i] += error;
        error /= s->tolerance * (nominal(i) + fabs(s->x[i]));
        sum += error * error;
    }
    *out_error = n > 0 ? sqrt(sum / n) : 0;
    return isfinite(sum);
}

// Has a step of length h from `time` led to the far side of an indicator? The instance is left there.
static bool leads_across(const solver *s, double time, double h, bool *out_across)
{
    gm_model_move(s->m, time + h, s->x);
    if (!gm_model_needs(s->m, GM_NEEDS_INDICATORS)) return false;
    *out_across = gm_model_late(s->m);
    return true;
}

// The shortest step, up to 1e-12 of the time, that leads across. The instance is left at its end.
static bool locate(const solver *s, double time, double *h)
{
    double low = 0, high = *h, error, resolution = 1e-12 * fmax(fabs(time + high), 1e-3);
    bool   across;
    while (high - low > resolution) {
        double middle = low + (high - low) / 2;
        if (!(middle > low && middle < high)) break;
        if (!attempt(s, time, middle, &error) || !leads_across(s, time, middle, &across)) return false;
        if (across) high = middle;
        else low = middle;
    }
    *h = high;
    return attempt(s, time, high, &error) && leads_across(s, time, high, &across);
}

static bool happen(gm_model *m, double time, gm_zeno *zeno)
{
    if (!gm_zeno_event(zeno, time)) return gm_model_rest(m);
    snprintf(m->trouble, sizeof m->trouble, "at %.9g s events follow one another without end", time);
    return false;
}

// One accepted step of at most h (kept for the next in *wanted); the instance is at its end.
static bool step(const solver *s, double time, double h, double target, double *wanted, bool *out_event, double *out_time)
{
    double error;
    *out_event = false;
    if (!linearise(s, time)) return false;
    for (;; h *= 0.25) {
        bool last = h >= target - time;
        if (h < 1e-15 * fmax(fabs(time), 1e-3) && !last) return false;
        bool good = attempt(s, time, h, &error) && leads_across(s, time, h, out_event);
        if (good && !(error <= 1)) {
            h *= 4 * fmax(0.2, fmin(0.9, 0.9 * pow(error, -0.25)));  // the loop takes a quarter of it
            continue;
        }
        if (!good) continue;
        double factor = error > 0 ? fmin(5, fmax(0.2, 0.9 * pow(error, -0.25))) : 5;
        *wanted       = last ? fmax(*wanted, h * factor) : h * factor;
        if (*out_event && !locate(s, time, &h)) return false;
        *out_time = *out_event || !last ? time + h : target;
        gm_model_move(s->m, *out_time, NULL);
        return true;
    }
}

bool gm_advance(gm_model *m, double to, gm_verdict *out_verdict)
{
    solver  s     = prepare(m, to - m->slot[0]);
    double *h     = &m->keeps[GM_KEEP_STEP];
    gm_zeno zeno  = { 0 };
    *out_verdict  = GM_GOES_ON;
    // Inputs may have been set since the last step.
    if (!gm_model_needs(m, GM_NEEDS_INDICATORS)) return false;
    if (gm_model_late(m)) {
        if (!gm_model_rest(m)) return false;
        *h = 0;
    }
    for (int steps = 0; m->slot[0] < to; steps++) {
        double time = m->slot[0], instant = gm_model_next(m), target = instant < to ? instant : to;
        bool   event;
        if (steps == STEPS_MAX) {
            snprintf(m->trouble, sizeof m->trouble, "at %.9g s: more than %d steps in one", time, (int)STEPS_MAX);
            return false;
        }
        if (!(*h > 0)) *h = fmax(1e-10 * (to - time), 1e-14 * fabs(time));
        for (uint32_t i = 0; i < s.n; i++) s.x0[i] = m->slot[d->states[i]];
        if (!step(&s, time, fmin(*h, target - time), target, h, &event, &time)) {
            if (m->trouble[0] == '\0') snprintf(m->trouble, sizeof m->trouble, "at %.9g s no step is small enough", m->slot[0]);
            return false;
        }
        m->trouble[0] = '\0';
        if (event || time >= instant) {
            if (!happen(m, time, &zeno)) return false;
            *h = 0;
        }
        *out_verdict = gm_model_check(m);
        if (*out_verdict != GM_GOES_ON) return *out_verdict == GM_ENDS;
    }
    return true;
}
