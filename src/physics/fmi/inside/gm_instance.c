#include "gm_instance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const gm_description *const d = &gm_the_model;

int gm_instance_fail(gm_instance *c, int status)
{
    c->log(c, status, c->m->trouble);
    c->m->trouble[0] = '\0';
    return status;
}

int gm_instance_lacks(gm_instance *c, const char *what, size_t n)
{
    if (c == NULL) return GM_FMI_ERROR;
    if (n == 0) return GM_FMI_OK;
    snprintf(c->m->trouble, sizeof c->m->trouble, "there are no %s", what);
    return gm_instance_fail(c, GM_FMI_ERROR);
}

static int outcome(gm_instance *c, bool good) { return good ? GM_FMI_OK : gm_instance_fail(c, GM_FMI_ERROR); }

// ---- life -------------------------------------------------------------------------------------------------------------

int gm_instance_set_up(gm_instance *c, bool has_tolerance, double tolerance, double start)
{
    if (c == NULL) return GM_FMI_ERROR;
    if (has_tolerance && tolerance > 0) c->m->keeps[GM_KEEP_TOLERANCE] = tolerance;
    c->m->start[0] = c->m->slot[0] = start;
    return GM_FMI_OK;
}

int gm_instance_enter(gm_instance *c, gm_mode mode)
{
    if (c == NULL) return GM_FMI_ERROR;
    c->m->mode = mode;
    return GM_FMI_OK;
}

int gm_instance_exit_initialisation(gm_instance *c)
{
    if (c == NULL) return GM_FMI_ERROR;
    bool good = gm_model_begin(c->m);
    if (good && c->co_simulation) {
        good       = gm_model_rest(c->m);
        c->m->mode = GM_STEPPING;
    }
    if (good && gm_model_check(c->m) == GM_FAILS) good = false;
    return outcome(c, good);
}

int gm_instance_reset(gm_instance *c)
{
    if (c == NULL) return GM_FMI_ERROR;
    gm_model_reset(c->m);
    c->ended = false;
    return GM_FMI_OK;
}

// ---- values -----------------------------------------------------------------------------------------------------------

int gm_instance_get_reals(gm_instance *c, const uint32_t *references, size_t n, double *values)
{
    if (c == NULL) return GM_FMI_ERROR;
    for (size_t i = 0; i < n; i++) {
        if (!gm_model_get(c->m, references[i], GM_REAL, &values[i])) return gm_instance_fail(c, GM_FMI_ERROR);
    }
    return GM_FMI_OK;
}

int gm_instance_set_reals(gm_instance *c, const uint32_t *references, size_t n, const double *values)
{
    if (c == NULL) return GM_FMI_ERROR;
    for (size_t i = 0; i < n; i++) {
        if (!gm_model_set(c->m, references[i], GM_REAL, values[i])) return gm_instance_fail(c, GM_FMI_ERROR);
    }
    return GM_FMI_OK;
}

int gm_instance_get_integers(gm_instance *c, const uint32_t *references, size_t n, int32_t *values)
{
    if (c == NULL) return GM_FMI_ERROR;
    for (size_t i = 0; i < n; i++) {
        double value;
        if (!gm_model_get(c->m, references[i], GM_INTEGER, &value)) return gm_instance_fail(c, GM_FMI_ERROR);
        values[i] = (int32_t)value;
    }
    return GM_FMI_OK;
}

int gm_instance_set_integers(gm_instance *c, const uint32_t *references, size_t n, const int32_t *values)
{
    if (c == NULL) return GM_FMI_ERROR;
    for (size_t i = 0; i < n; i++) {
        if (!gm_model_set(c->m, references[i], GM_INTEGER, values[i])) return gm_instance_fail(c, GM_FMI_ERROR);
    }
    return GM_FMI_OK;
}

// ---- states -----------------------------------------------------------------------------------------------------------

int gm_instance_save(gm_instance *c, double **state)
{
    if (c == NULL) return GM_FMI_ERROR;
    if (*state == NULL) *state = calloc(gm_model_state_size(c->m), sizeof **state);
    if (*state == NULL) return GM_FMI_ERROR;
    gm_model_save(c->m, *state);
    return GM_FMI_OK;
}

int gm_instance_restore(gm_instance *c, const double *state)
{
    if (c == NULL || state == NULL) return GM_FMI_ERROR;
    gm_model_restore(c->m, state);
    return GM_FMI_OK;
}

int gm_instance_forget(double **state)
{
    free(*state);
    *state = NULL;
    return GM_FMI_OK;
}

static size_t state_bytes(const gm_instance *c) { return gm_model_state_size(c->m) * sizeof(double); }

int gm_instance_state_size(gm_instance *c, size_t *out_size)
{
    if (c == NULL) return GM_FMI_ERROR;
    *out_size = state_bytes(c);
    return GM_FMI_OK;
}

int gm_instance_write(gm_instance *c, const double *state, void *bytes, size_t size)
{
    if (c == NULL || size < state_bytes(c)) return GM_FMI_ERROR;
    memcpy(bytes, state, state_bytes(c));
    return GM_FMI_OK;
}

int gm_instance_read(gm_instance *c, const void *bytes, size_t size, double **state)
{
    if (c == NULL || size != state_bytes(c)) return GM_FMI_ERROR;
    if (*state == NULL) *state = calloc(1, size);
    if (*state == NULL) return GM_FMI_ERROR;
    memcpy(*state, bytes, size);
    return GM_FMI_OK;
}

// ---- model exchange ---------------------------------------------------------------------------------------------------

int gm_instance_event(gm_instance *c, gm_event *out)
{
    bool changed = false;
    if (c == NULL) return GM_FMI_ERROR;
    if (!gm_model_event(c->m, &changed)) return gm_instance_fail(c, GM_FMI_ERROR);
    gm_verdict verdict = changed ? GM_GOES_ON : gm_model_check(c->m);
    double     next    = gm_model_next(c->m);
    if (verdict == GM_FAILS) return gm_instance_fail(c, GM_FMI_ERROR);
    *out = (gm_event){ .again = changed, .ends = verdict == GM_ENDS, .has_next = next < 1e300, .next = next < 1e300 ? next : 0 };
    return GM_FMI_OK;
}

int gm_instance_completed_step(gm_instance *c, bool *out_ends)
{
    if (c == NULL) return GM_FMI_ERROR;
    gm_verdict verdict = gm_model_check(c->m);
    if (verdict == GM_FAILS) return gm_instance_fail(c, GM_FMI_ERROR);
    *out_ends = verdict == GM_ENDS;
    return GM_FMI_OK;
}

int gm_instance_set_time(gm_instance *c, double time)
{
    if (c == NULL) return GM_FMI_ERROR;
    gm_model_move(c->m, time, NULL);
    return GM_FMI_OK;
}

int gm_instance_set_states(gm_instance *c, const double *x, size_t n)
{
    if (c == NULL || n != d->state_count) return GM_FMI_ERROR;
    gm_model_move(c->m, c->m->slot[0], x);
    return GM_FMI_OK;
}

int gm_instance_get_states(gm_instance *c, double *x, size_t n)
{
    if (c == NULL || n != d->state_count) return GM_FMI_ERROR;
    if (!gm_model_needs(c->m, 0)) return gm_instance_fail(c, GM_FMI_ERROR);
    for (size_t i = 0; i < n; i++) x[i] = c->m->slot[d->states[i]];
    return GM_FMI_OK;
}

int gm_instance_get_nominals(gm_instance *c, double *x, size_t n)
{
    if (c == NULL || n != d->state_count) return GM_FMI_ERROR;
    for (size_t i = 0; i < n; i++) x[i] = d->slots[d->states[i]].nominal;
    return GM_FMI_OK;
}

int gm_instance_get_slopes(gm_instance *c, double *dx, size_t n)
{
    if (c == NULL || n != d->state_count) return GM_FMI_ERROR;
    if (!gm_model_needs(c->m, GM_NEEDS_SLOPES)) return gm_instance_fail(c, GM_FMI_DISCARD);
    memcpy(dx, c->m->slope, n * sizeof *dx);
    return GM_FMI_OK;
}

int gm_instance_get_indicators(gm_instance *c, double *z, size_t n)
{
    if (c == NULL || n != d->indicator_count) return GM_FMI_ERROR;
    if (!gm_model_needs(c->m, GM_NEEDS_INDICATORS)) return gm_instance_fail(c, GM_FMI_DISCARD);
    memcpy(z, c->m->indicator, n * sizeof *z);
    return GM_FMI_OK;
}

// ---- co-simulation ----------------------------------------------------------------------------------------------------

int gm_instance_step(gm_instance *c, double time, double size)
{
    gm_verdict verdict;
    if (c == NULL) return GM_FMI_ERROR;
    gm_model_move(c->m, time, NULL);
    bool good = gm_advance(c->m, time + size, &verdict);
    c->ended  = good && verdict == GM_ENDS;
    return outcome(c, good);
}
