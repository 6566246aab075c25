// The functions of FMI 2.0 (2.0.4, chapters 2 to 4), declared here in our own words.
#include "gm_model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif
// Sources that are linked statically get a prefix (2.0.4, 2.1.1).
#ifdef FMI2_FUNCTION_PREFIX
#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define NAME(name) JOIN(FMI2_FUNCTION_PREFIX, name)
#else
#define NAME(name) name
#endif

enum { OK, WARNING, DISCARD, ERROR, FATAL };

typedef void logger_function(void *environment, const char *instance, int status, const char *category, const char *message, ...);
typedef struct {
    logger_function *logger;
    void *(*allocate)(size_t count, size_t size);
    void (*release)(void *memory);
    void (*step_finished)(void *environment, int status);
    void *environment;
} callbacks;
typedef struct { int again, terminate, nominals_changed, values_changed, has_next; double next; } event_info;

typedef struct {
    gm_model        *m;
    const callbacks *callbacks;
    char            *name;
    bool             co_simulation, ended;
} instance;

static const gm_description *const d = &gm_the_model;

static int fail(instance *c, int status)
{
    if (c->callbacks != NULL && c->callbacks->logger != NULL) {
        c->callbacks->logger(c->callbacks->environment, c->name, status, "logStatusError", "%s", c->m->trouble);
    }
    c->m->trouble[0] = '\0';
    return status;
}

static int outcome(instance *c, bool good) { return good ? OK : fail(c, ERROR); }

EXPORT const char *NAME(fmi2GetTypesPlatform)(void) { return "default"; }
EXPORT const char *NAME(fmi2GetVersion)(void) { return "2.0"; }

EXPORT int NAME(fmi2SetDebugLogging)(instance *c, int on, size_t n, const char *const *categories)
{
    (void)on, (void)n, (void)categories;  // only errors are logged
    return c != NULL ? OK : ERROR;
}

EXPORT void NAME(fmi2FreeInstance)(instance *c)
{
    if (c == NULL) return;
    gm_model_destroy(c->m);
    free(c->name);
    free(c);
}

EXPORT instance *NAME(fmi2Instantiate)(const char *name, int kind, const char *guid, const char *resources, const callbacks *calls, int visible,
                                       int logging)
{
    (void)resources, (void)visible, (void)logging;
    instance *c = NULL;
    if (guid == NULL || strcmp(guid, d->token) != 0) {
        if (calls != NULL && calls->logger != NULL) calls->logger(calls->environment, name, ERROR, "logStatusError", "the GUID is another FMU's");
        return NULL;
    }
    c = calloc(1, sizeof *c);
    if (c == NULL) return NULL;
    c->m             = gm_model_create();
    c->name          = calloc(1, strlen(name != NULL ? name : "") + 1);
    c->callbacks     = calls;
    c->co_simulation = kind == 1;
    if (c->m == NULL || c->name == NULL) {
        NAME(fmi2FreeInstance)(c);
        return NULL;
    }
    if (name != NULL) strcpy(c->name, name);
    return c;
}

// ---- life -------------------------------------------------------------------------------------------------------------

EXPORT int NAME(fmi2SetupExperiment)(instance *c, int has_tolerance, double tolerance, double start, int has_stop, double stop)
{
    (void)has_stop, (void)stop;
    if (c == NULL) return ERROR;
    if (has_tolerance && tolerance > 0) c->m->keeps[GM_KEEP_TOLERANCE] = tolerance;
    c->m->start[0] = c->m->slot[0] = start;
    return OK;
}

EXPORT int NAME(fmi2EnterInitializationMode)(instance *c)
{
    if (c == NULL) return ERROR;
    c->m->mode = GM_INITIALISING;
    return OK;
}

EXPORT int NAME(fmi2ExitInitializationMode)(instance *c)
{
    if (c == NULL) return ERROR;
    bool good = gm_model_begin(c->m);
    if (good && c->co_simulation) {
        good       = gm_model_rest(c->m);
        c->m->mode = GM_STEPPING;
    }
    if (good && gm_model_check(c->m) == GM_FAILS) good = false;
    return outcome(c, good);
}

EXPORT int NAME(fmi2Terminate)(instance *c)
{
    if (c == NULL) return ERROR;
    c->m->mode = GM_TERMINATED;
    return OK;
}

EXPORT int NAME(fmi2Reset)(instance *c)
{
    if (c == NULL) return ERROR;
    gm_model_reset(c->m);
    c->ended = false;
    return OK;
}

// ---- values -----------------------------------------------------------------------------------------------------------

EXPORT int NAME(fmi2GetReal)(instance *c, const unsigned *references, size_t n, double *values)
{
    for (size_t i = 0; c != NULL && i < n; i++) {
        if (!gm_model_get(c->m, references[i], GM_REAL, &values[i])) return fail(c, ERROR);
    }
    return c != NULL ? OK : ERROR;
}

static int get_whole(instance *c, gm_type type, const unsigned *references, size_t n, int *values)
{
    for (size_t i = 0; c != NULL && i < n; i++) {
        double value;
        if (!gm_model_get(c->m, references[i], type, &value)) return fail(c, ERROR);
        values[i] = type == GM_BOOLEAN ? value != 0 : (int)value;
    }
    return c != NULL ? OK : ERROR;
}

EXPORT int NAME(fmi2GetInteger)(instance *c, const unsigned *references, size_t n, int *values) { return get_whole(c, GM_INTEGER, references, n, values); }
EXPORT int NAME(fmi2GetBoolean)(instance *c, const unsigned *references, size_t n, int *values) { return get_whole(c, GM_BOOLEAN, references, n, values); }

EXPORT int NAME(fmi2SetReal)(instance *c, const unsigned *references, size_t n, const double *values)
{
    for (size_t i = 0; c != NULL && i < n; i++) {
        if (!gm_model_set(c->m, references[i], GM_REAL, values[i])) return fail(c, ERROR);
    }
    return c != NULL ? OK : ERROR;
}

static int set_whole(instance *c, gm_type type, const unsigned *references, size_t n, const int *values)
{
    for (size_t i = 0; c != NULL && i < n; i++) {
        if (!gm_model_set(c->m, references[i], type, type == GM_BOOLEAN ? values[i] != 0 : values[i])) return fail(c, ERROR);
    }
    return c != NULL ? OK : ERROR;
}

EXPORT int NAME(fmi2SetInteger)(instance *c, const unsigned *references, size_t n, const int *values) { return set_whole(c, GM_INTEGER, references, n, values); }
EXPORT int NAME(fmi2SetBoolean)(instance *c, const unsigned *references, size_t n, const int *values) { return set_whole(c, GM_BOOLEAN, references, n, values); }

static int no_such(instance *c, const char *what, size_t n)
{
    if (c == NULL) return ERROR;
    if (n == 0) return OK;
    snprintf(c->m->trouble, sizeof c->m->trouble, "there are no %s", what);
    return fail(c, ERROR);
}

EXPORT int NAME(fmi2GetString)(instance *c, const unsigned *references, size_t n, const char **values)
{
    (void)references, (void)values;
    return no_such(c, "texts", n);
}

EXPORT int NAME(fmi2SetString)(instance *c, const unsigned *references, size_t n, const char *const *values)
{
    (void)references, (void)values;
    return no_such(c, "texts", n);
}

EXPORT int NAME(fmi2GetDirectionalDerivative)(instance *c, const unsigned *z, size_t nz, const unsigned *v, size_t nv, const double *dv, double *dz)
{
    (void)z, (void)nz, (void)v, (void)nv, (void)dv, (void)dz;
    return no_such(c, "directional derivatives", 1);
}

// ---- states -----------------------------------------------------------------------------------------------------------

EXPORT int NAME(fmi2GetFMUstate)(instance *c, double **state)
{
    if (c == NULL) return ERROR;
    if (*state == NULL) *state = calloc(gm_model_state_size(c->m), sizeof **state);
    if (*state == NULL) return ERROR;
    gm_model_save(c->m, *state);
    return OK;
}

EXPORT int NAME(fmi2SetFMUstate)(instance *c, const double *state)
{
    if (c == NULL || state == NULL) return ERROR;
    gm_model_restore(c->m, state);
    return OK;
}

EXPORT int NAME(fmi2FreeFMUstate)(instance *c, double **state)
{
    (void)c;
    free(*state);
    *state = NULL;
    return OK;
}

EXPORT int NAME(fmi2SerializedFMUstateSize)(instance *c, const double *state, size_t *size)
{
    (void)state;
    if (c == NULL) return ERROR;
    *size = gm_model_state_size(c->m) * sizeof(double);
    return OK;
}

EXPORT int NAME(fmi2SerializeFMUstate)(instance *c, const double *state, char *bytes, size_t size)
{
    if (c == NULL || size < gm_model_state_size(c->m) * sizeof(double)) return ERROR;
    memcpy(bytes, state, gm_model_state_size(c->m) * sizeof(double));
    return OK;
}

EXPORT int NAME(fmi2DeSerializeFMUstate)(instance *c, const char *bytes, size_t size, double **state)
{
    if (c == NULL || size != gm_model_state_size(c->m) * sizeof(double)) return ERROR;
    if (*state == NULL) *state = calloc(1, size);
    if (*state == NULL) return ERROR;
    memcpy(*state, bytes, size);
    return OK;
}

// ---- model exchange ---------------------------------------------------------------------------------------------------

EXPORT int NAME(fmi2EnterEventMode)(instance *c)
{
    if (c == NULL) return ERROR;
    c->m->mode = GM_EVENT_MODE;
    return OK;
}

EXPORT int NAME(fmi2NewDiscreteStates)(instance *c, event_info *info)
{
    bool changed = false;
    if (c == NULL) return ERROR;
    if (!gm_model_event(c->m, &changed)) return fail(c, ERROR);
    gm_verdict verdict = changed ? GM_GOES_ON : gm_model_check(c->m);
    double     next    = gm_model_next(c->m);
    *info = (event_info){ .again = changed, .terminate = verdict == GM_ENDS, .values_changed = 1, .has_next = next < 1e300, .next = next < 1e300 ? next : 0 };
    return verdict == GM_FAILS ? fail(c, ERROR) : OK;
}

EXPORT int NAME(fmi2EnterContinuousTimeMode)(instance *c)
{
    if (c == NULL) return ERROR;
    c->m->mode = GM_CONTINUOUS;
    return OK;
}

EXPORT int NAME(fmi2CompletedIntegratorStep)(instance *c, int no_set_prior, int *enter_event, int *terminate)
{
    (void)no_set_prior;
    if (c == NULL) return ERROR;
    gm_verdict verdict = gm_model_check(c->m);
    *enter_event       = 0;
    *terminate         = verdict == GM_ENDS;
    return verdict == GM_FAILS ? fail(c, ERROR) : OK;
}

EXPORT int NAME(fmi2SetTime)(instance *c, double time)
{
    if (c == NULL) return ERROR;
    gm_model_move(c->m, time, NULL);
    return OK;
}

EXPORT int NAME(fmi2SetContinuousStates)(instance *c, const double *x, size_t n)
{
    if (c == NULL || n != d->state_count) return ERROR;
    gm_model_move(c->m, c->m->slot[0], x);
    return OK;
}

EXPORT int NAME(fmi2GetContinuousStates)(instance *c, double *x, size_t n)
{
    if (c == NULL || n != d->state_count) return ERROR;
    if (!gm_model_needs(c->m, 0)) return fail(c, ERROR);
    for (size_t i = 0; i < n; i++) x[i] = c->m->slot[d->states[i]];
    return OK;
}

EXPORT int NAME(fmi2GetNominalsOfContinuousStates)(instance *c, double *x, size_t n)
{
    if (c == NULL || n != d->state_count) return ERROR;
    for (size_t i = 0; i < n; i++) x[i] = d->slots[d->states[i]].nominal;
    return OK;
}

// Where a loop has no solution the caller may try a shorter step (2.0.4, 2.1.3).
EXPORT int NAME(fmi2GetDerivatives)(instance *c, double *dx, size_t n)
{
    if (c == NULL || n != d->state_count) return ERROR;
    if (!gm_model_needs(c->m, GM_NEEDS_SLOPES)) return fail(c, DISCARD);
    memcpy(dx, c->m->slope, n * sizeof *dx);
    return OK;
}

EXPORT int NAME(fmi2GetEventIndicators)(instance *c, double *z, size_t n)
{
    if (c == NULL || n != d->indicator_count) return ERROR;
    if (!gm_model_needs(c->m, GM_NEEDS_INDICATORS)) return fail(c, DISCARD);
    memcpy(z, c->m->indicator, n * sizeof *z);
    return OK;
}

// ---- co-simulation ----------------------------------------------------------------------------------------------------

EXPORT int NAME(fmi2DoStep)(instance *c, double time, double size, int no_set_prior)
{
    gm_verdict verdict;
    (void)no_set_prior;
    if (c == NULL) return ERROR;
    if (c->ended) return DISCARD;
    gm_model_move(c->m, time, NULL);
    if (!gm_advance(c->m, time + size, &verdict)) return fail(c, ERROR);
    c->ended = verdict == GM_ENDS;
    return c->ended ? DISCARD : OK;
}

EXPORT int NAME(fmi2CancelStep)(instance *c) { return no_such(c, "steps under way", 1); }

EXPORT int NAME(fmi2SetRealInputDerivatives)(instance *c, const unsigned *references, size_t n, const int *orders, const double *values)
{
    (void)references, (void)orders, (void)values;
    return no_such(c, "derivatives of inputs", n);
}

EXPORT int NAME(fmi2GetRealOutputDerivatives)(instance *c, const unsigned *references, size_t n, const int *orders, double *values)
{
    (void)references, (void)orders, (void)values;
    return no_such(c, "derivatives of outputs", n);
}

enum { DO_STEP_STATUS, PENDING_STATUS, LAST_SUCCESSFUL_TIME, TERMINATED };

EXPORT int NAME(fmi2GetStatus)(instance *c, int kind, int *value)
{
    (void)kind;
    if (c != NULL) *value = c->ended ? DISCARD : OK;
    return c != NULL ? OK : ERROR;
}

EXPORT int NAME(fmi2GetRealStatus)(instance *c, int kind, double *value)
{
    if (c == NULL || kind != LAST_SUCCESSFUL_TIME) return c != NULL ? DISCARD : ERROR;
    *value = c->m->slot[0];
    return OK;
}

EXPORT int NAME(fmi2GetIntegerStatus)(instance *c, int kind, int *value)
{
    (void)kind, (void)value;
    return c != NULL ? DISCARD : ERROR;
}

EXPORT int NAME(fmi2GetBooleanStatus)(instance *c, int kind, int *value)
{
    if (c == NULL || kind != TERMINATED) return c != NULL ? DISCARD : ERROR;
    *value = c->ended;
    return OK;
}

EXPORT int NAME(fmi2GetStringStatus)(instance *c, int kind, const char **value)
{
    (void)kind, (void)value;
    return c != NULL ? DISCARD : ERROR;
}
