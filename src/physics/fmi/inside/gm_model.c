#include "gm_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lookup_body.h"

enum { EVENT_ROUNDS = 100, NEWTON_ITERATIONS = 100 };

static const gm_description *const d = &gm_the_model;

double gm_table(const gm_grid_spec *grid, gm_lookup what, double x, double y) { return grid_lookup(grid, what, x, y); }

double gm_sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }

// ---- life -------------------------------------------------------------------------------------------------------------

gm_model *gm_model_create(void)
{
    size_t n = d->loop_unknowns, state = 2 * (size_t)d->slot_count + d->state_count + d->indicator_count + d->check_count + GM_KEEP_COUNT;
    size_t newton = 2 * n * n + 4 * n, all = state + d->work + newton + gm_solver_scratch(d) + 8;
    gm_model *m   = calloc(1, sizeof *m);
    if (m != NULL) m->slot = calloc(all, sizeof *m->slot);
    if (m != NULL) m->pivots = calloc(n + d->state_count + 1, sizeof *m->pivots);
    if (m == NULL || m->slot == NULL || m->pivots == NULL) {
        gm_model_destroy(m);
        return NULL;
    }
    m->start      = m->slot + d->slot_count;
    m->slope      = m->start + d->slot_count;
    m->indicator  = m->slope + d->state_count;
    m->check      = m->indicator + d->indicator_count;
    m->keeps      = m->check + d->check_count;
    m->work       = m->keeps + GM_KEEP_COUNT;
    m->newton     = m->work + d->work;
    m->solver     = m->newton + newton;
    m->state_size = state;
    gm_model_reset(m);
    return m;
}

void gm_model_destroy(gm_model *m)
{
    if (m == NULL) return;
    free(m->slot);
    free(m->pivots);
    free(m);
}

void gm_model_reset(gm_model *m)
{
    memset(m->slot, 0, m->state_size * sizeof *m->slot);
    for (uint32_t i = 0; i < d->slot_count; i++) m->start[i] = m->slot[i] = d->slots[i].start;
    m->keeps[GM_KEEP_TOLERANCE] = 1e-6;
    m->mode                     = GM_INSTANTIATED;
    m->stale                    = GM_NEEDS_ALL;
}

size_t gm_model_state_size(const gm_model *m) { return m->state_size; }

void gm_model_save(gm_model *m, double *to)
{
    m->keeps[GM_KEEP_STALE] = m->stale;
    m->keeps[GM_KEEP_MODE]  = m->mode;
    memcpy(to, m->slot, m->state_size * sizeof *to);
}

void gm_model_restore(gm_model *m, const double *from)
{
    memcpy(m->slot, from, m->state_size * sizeof *from);
    m->stale = (uint32_t)m->keeps[GM_KEEP_STALE];
    m->mode  = (gm_mode)m->keeps[GM_KEEP_MODE];
}

// ---- values -----------------------------------------------------------------------------------------------------------

bool gm_model_needs(gm_model *m, uint32_t what)
{
    static const uint32_t bits[] = { GM_NEEDS_SLOPES, GM_NEEDS_OUTPUTS, GM_NEEDS_INDICATORS };
    gm_section *const     run[]  = { d->slope, d->output, d->indicator };
    bool                  solved = true;
    // Before the run everything follows from the start values, again after each of them is set.
    if (m->mode <= GM_INITIALISING && (m->stale & (GM_NEEDS_BIND | GM_NEEDS_INITIAL))) memcpy(m->slot, m->start, d->slot_count * sizeof *m->slot);
    if (m->stale & GM_NEEDS_BIND && d->bind != NULL) solved = d->bind(m);
    m->stale &= ~(uint32_t)GM_NEEDS_BIND;
    if (m->mode <= GM_INITIALISING && m->stale & GM_NEEDS_INITIAL && d->initial != NULL) solved = d->initial(m) && solved;
    m->stale &= ~(uint32_t)GM_NEEDS_INITIAL;
    for (size_t i = 0; i < 3; i++) {
        if (!(what & m->stale & bits[i])) continue;
        if (run[i] != NULL) solved = run[i](m) && solved;
        m->stale &= ~bits[i];
    }
    if (!solved) {
        snprintf(m->trouble, sizeof m->trouble, "at %.9g s an algebraic loop has no solution", m->slot[0]);
        m->stale = GM_NEEDS_ALL;  // asking again tries again
    }
    return solved;
}

static const gm_variable *find(gm_model *m, uint32_t reference, gm_type type)
{
    if (reference < d->variable_count && d->variables[reference].type == type) return &d->variables[reference];
    snprintf(m->trouble, sizeof m->trouble, "there is no variable of this type with the value reference %u", (unsigned)reference);
    return NULL;
}

bool gm_model_get(gm_model *m, uint32_t reference, gm_type type, double *out)
{
    const gm_variable *v = find(m, reference, type);
    if (v == NULL) return false;
    uint32_t needs = v->role == GM_IS_SLOPE ? GM_NEEDS_SLOPES : v->role == GM_IS_ALGEBRAIC ? GM_NEEDS_OUTPUTS : v->role == GM_IS_INDICATOR ? GM_NEEDS_INDICATORS : 0;
    if ((needs & m->stale || m->stale & (GM_NEEDS_BIND | GM_NEEDS_INITIAL)) && !gm_model_needs(m, needs)) return false;
    double value = v->role == GM_IS_SLOPE ? m->slope[v->index] : v->role == GM_IS_INDICATOR ? m->indicator[v->index] : m->slot[v->index];
    *out         = v->negated ? -value : value;
    return true;
}

bool gm_model_set(gm_model *m, uint32_t reference, gm_type type, double value)
{
    const gm_variable *v = find(m, reference, type);
    if (v == NULL) return false;
    bool before = m->mode <= GM_INITIALISING;
    bool may    = v->role == GM_IS_TIME || v->role == GM_IS_INPUT || v->role == GM_IS_PARAMETER || v->role == GM_IS_STATE || (before && v->start);
    if (!may) {
        snprintf(m->trouble, sizeof m->trouble, "the variable with the value reference %u can not be set now", (unsigned)reference);
        return false;
    }
    value              = v->negated ? -value : value;
    m->slot[v->index]  = value;
    m->start[v->index] = value;
    m->stale |= GM_NEEDS_ALL & ~(uint32_t)(before || v->role == GM_IS_PARAMETER ? 0 : GM_NEEDS_BIND);
    if (!before) m->stale &= ~(uint32_t)GM_NEEDS_INITIAL;
    return true;
}

void gm_model_move(gm_model *m, double time, const double *states)
{
    m->slot[0] = time;
    for (uint32_t i = 0; states != NULL && i < d->state_count; i++) m->slot[d->states[i]] = states[i];
    m->stale |= GM_NEEDS_SLOPES | GM_NEEDS_OUTPUTS | GM_NEEDS_INDICATORS;
}

bool gm_model_begin(gm_model *m)
{
    bool good = gm_model_needs(m, 0);
    m->mode   = GM_EVENT_MODE;
    return good;
}

// ---- events -----------------------------------------------------------------------------------------------------------

bool gm_model_event(gm_model *m, bool *out_changed)
{
    bool changed = false;
    if (!gm_model_needs(m, GM_NEEDS_INDICATORS)) return false;
    for (uint32_t i = 0; i < d->indicator_count; i++) {
        double above = m->indicator[i] > 0;
        changed      = changed || m->slot[d->relations[i]] != above;
        m->slot[d->relations[i]] = above;
    }
    if (d->event != NULL) {
        double *before = m->work + d->work - d->event_count;
        for (uint32_t i = 0; i < d->event_count; i++) before[i] = m->slot[d->event_slots[i]];
        if (!d->event(m)) {
            snprintf(m->trouble, sizeof m->trouble, "at %.9g s an event has no solution", m->slot[0]);
            return false;
        }
        for (uint32_t i = 0; i < d->event_count; i++) changed = changed || m->slot[d->event_slots[i]] != before[i];
    }
    m->stale |= GM_NEEDS_SLOPES | GM_NEEDS_OUTPUTS | GM_NEEDS_INDICATORS;
    *out_changed = changed;
    return true;
}

bool gm_model_rest(gm_model *m)
{
    bool changed = true;
    for (int round = 0; changed; round++) {
        if (round == EVENT_ROUNDS) {
            snprintf(m->trouble, sizeof m->trouble, "at %.9g s events cause one another without end", m->slot[0]);
            return false;
        }
        if (!gm_model_event(m, &changed)) return false;
    }
    return true;
}

bool gm_model_late(gm_model *m)
{
    for (uint32_t i = 0; i < d->indicator_count; i++) {
        if ((m->indicator[i] > 0) != (m->slot[d->relations[i]] != 0)) return true;
    }
    return false;
}

double gm_model_next(const gm_model *m)
{
    double first = INFINITY;
    for (uint32_t i = 0; i < d->time_event_count; i++) {
        double at = m->slot[d->time_events[i]];
        if (at > m->slot[0] && at < first) first = at;
    }
    return first;
}

gm_verdict gm_model_check(gm_model *m)
{
    if (d->check_count == 0) return GM_GOES_ON;
    if (!gm_model_needs(m, 0) || !d->check(m)) return GM_FAILS;
    for (uint32_t i = 0; i < d->check_count; i++) {
        bool truth = m->check[i] != 0;
        if (d->checks[i].kind == GM_CHECK_TERMINATE && truth) return GM_ENDS;
        if (d->checks[i].kind != GM_CHECK_ASSERT || truth) continue;
        snprintf(m->trouble, sizeof m->trouble, "at %.9g s: %s", m->slot[0], d->checks[i].message);
        return GM_FAILS;
    }
    return GM_GOES_ON;
}

// ---- linear and nonlinear systems -------------------------------------------------------------------------------------

bool gm_factor(uint32_t n, double *a, uint32_t *pivots)
{
    for (uint32_t k = 0; k < n; k++) {
        uint32_t best = k;
        for (uint32_t i = k + 1; i < n; i++) {
            if (fabs(a[(size_t)i * n + k]) > fabs(a[(size_t)best * n + k])) best = i;
        }
        pivots[k] = best;
        for (uint32_t j = 0; j < n && best != k; j++) {
            double held                = a[(size_t)k * n + j];
            a[(size_t)k * n + j]       = a[(size_t)best * n + j];
            a[(size_t)best * n + j]    = held;
        }
        double pivot = a[(size_t)k * n + k];
        if (pivot == 0 || !isfinite(pivot)) return false;
        for (uint32_t i = k + 1; i < n; i++) {
            double factor = a[(size_t)i * n + k] / pivot;
            a[(size_t)i * n + k] = factor;
            for (uint32_t j = k + 1; factor != 0 && j < n; j++) a[(size_t)i * n + j] -= factor * a[(size_t)k * n + j];
        }
    }
    return true;
}

void gm_substitute(uint32_t n, const double *a, const uint32_t *pivots, double *b)
{
    for (uint32_t k = 0; k < n; k++) {
        double held  = b[k];
        b[k]         = b[pivots[k]];
        b[pivots[k]] = held;
    }
    for (uint32_t i = 1; i < n; i++) {
        for (uint32_t j = 0; j < i; j++) b[i] -= a[(size_t)i * n + j] * b[j];
    }
    for (uint32_t i = n; i-- > 0;) {
        for (uint32_t j = i + 1; j < n; j++) b[i] -= a[(size_t)i * n + j] * b[j];
        b[i] /= a[(size_t)i * n + i];
    }
}

static double clipped(uint32_t slot, double value)
{
    return value < d->slots[slot].min ? d->slots[slot].min : value > d->slots[slot].max ? d->slots[slot].max : value;
}

static double norm_of(uint32_t n, const double *r)
{
    double sum = 0;
    for (uint32_t k = 0; k < n; k++) sum += r[k] * r[k];
    return sum;
}

// Damped Newton: a step is taken whole, and halved while it does not reduce the residuals. Converged when a whole step
// is below TOLERANCE of the unknown or its nominal value.
bool gm_solve_loop(gm_model *m, const gm_loop *loop, const double *arguments, double *out)
{
    const double TOLERANCE = 1e-9, DAMPING_MIN = 1.0 / 4096;
    uint32_t     n = loop->unknowns;
    double      *a = m->newton, *residual = a + (size_t)n * n, *origin = residual + n, *step = origin + n, *entry = step + n;
    double       norm = INFINITY, damping = 1;
    bool         done = false;
    for (uint32_t k = 0; k < n; k++) {
        double guess = m->slot[loop->guess[k]];
        out[k]       = clipped(loop->guess[k], isfinite(guess) ? guess : d->slots[loop->guess[k]].start);
    }
    for (int i = 0; i < NEWTON_ITERATIONS && !done; i++) {
        loop->body(arguments, out, residual, entry);
        double now = norm_of(n, residual);
        if (!(now < norm) && now != 0 && damping > DAMPING_MIN) {
            damping *= 0.5;
            for (uint32_t k = 0; k < n; k++) out[k] = clipped(loop->guess[k], origin[k] - damping * step[k]);
            continue;
        }
        norm    = now;
        damping = 1;
        memset(a, 0, (size_t)n * n * sizeof *a);
        for (uint32_t e = 0; e < loop->entries; e++) a[(size_t)loop->rows[e] * n + loop->columns[e]] = entry[e];
        memcpy(step, residual, n * sizeof *step);
        if (!gm_factor(n, a, m->pivots)) break;
        gm_substitute(n, a, m->pivots, step);
        done = true;
        for (uint32_t k = 0; k < n; k++) {
            origin[k] = out[k];
            out[k]    = clipped(loop->guess[k], out[k] - step[k]);
            done      = done && fabs(step[k]) <= TOLERANCE * (fabs(origin[k]) + fabs(d->slots[loop->guess[k]].nominal));
        }
        done = done || (loop->linear && isfinite(norm));
    }
    for (uint32_t k = 0; k < n; k++) done = done && isfinite(out[k]);
    for (uint32_t k = 0; k < n; k++) {
        if (done) m->slot[loop->guess[k]] = out[k];
        else out[k] = NAN;
    }
    return done;
}
