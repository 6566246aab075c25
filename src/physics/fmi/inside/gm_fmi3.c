// The functions of FMI 3.0 (3.0.1, chapters 2 to 5), declared here in our own words.
#include "gm_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif
// Sources that are linked statically get a prefix (3.0.1, 2.2.1).
#ifdef FMI3_FUNCTION_PREFIX
#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define NAME(name) JOIN(FMI3_FUNCTION_PREFIX, name)
#else
#define NAME(name) name
#endif

enum { OK, WARNING, DISCARD, ERROR, FATAL };

typedef void log_function(void *environment, int status, const char *category, const char *message);
typedef uint32_t reference;

typedef struct {
    gm_model     *m;
    void         *environment;
    log_function *log;
    bool          co_simulation;
} instance;

static const gm_description *const d = &gm_the_model;

static int fail(instance *c, int status)
{
    if (c->log != NULL) c->log(c->environment, status, "logStatusError", c->m->trouble);
    c->m->trouble[0] = '\0';
    return status;
}

static int outcome(instance *c, bool good) { return good ? OK : fail(c, ERROR); }

static int no_such(instance *c, const char *what)
{
    if (c == NULL) return ERROR;
    snprintf(c->m->trouble, sizeof c->m->trouble, "there are no %s", what);
    return fail(c, ERROR);
}

EXPORT const char *NAME(fmi3GetVersion)(void) { return "3.0"; }

EXPORT int NAME(fmi3SetDebugLogging)(instance *c, bool on, size_t n, const char *const *categories)
{
    (void)on, (void)n, (void)categories;  // only errors are logged
    return c != NULL ? OK : ERROR;
}

EXPORT void NAME(fmi3FreeInstance)(instance *c)
{
    if (c == NULL) return;
    gm_model_destroy(c->m);
    free(c);
}

static instance *create(const char *token, void *environment, log_function *log, bool co_simulation)
{
    if (token == NULL || strcmp(token, d->token) != 0) {
        if (log != NULL) log(environment, ERROR, "logStatusError", "the instantiation token is another FMU's");
        return NULL;
    }
    instance *c = calloc(1, sizeof *c);
    if (c == NULL) return NULL;
    *c = (instance){ gm_model_create(), environment, log, co_simulation };
    if (c->m != NULL) return c;
    free(c);
    return NULL;
}

EXPORT instance *NAME(fmi3InstantiateModelExchange)(const char *name, const char *token, const char *resources, bool visible, bool logging,
                                                    void *environment, log_function *log)
{
    (void)name, (void)resources, (void)visible, (void)logging;
    return create(token, environment, log, false);
}

EXPORT instance *NAME(fmi3InstantiateCoSimulation)(const char *name, const char *token, const char *resources, bool visible, bool logging,
                                                   bool event_mode, bool early_return, const reference *required, size_t required_count,
                                                   void *environment, log_function *log, void (*update)(void))
{
    (void)name, (void)resources, (void)visible, (void)logging, (void)early_return, (void)required, (void)required_count, (void)update;
    return event_mode ? NULL : create(token, environment, log, true);
}

EXPORT instance *NAME(fmi3InstantiateScheduledExecution)(const char *name, const char *token, const char *resources, bool visible, bool logging,
                                                         void *environment, log_function *log, void (*update)(void), void (*lock)(void),
                                                         void (*unlock)(void))
{
    (void)name, (void)token, (void)resources, (void)visible, (void)logging, (void)update, (void)lock, (void)unlock;
    if (log != NULL) log(environment, ERROR, "logStatusError", "scheduled execution is not offered");
    return NULL;
}

// ---- life -------------------------------------------------------------------------------------------------------------

EXPORT int NAME(fmi3EnterInitializationMode)(instance *c, bool has_tolerance, double tolerance, double start, bool has_stop, double stop)
{
    (void)has_stop, (void)stop;
    if (c == NULL) return ERROR;
    if (has_tolerance && tolerance > 0) c->m->keeps[GM_KEEP_TOLERANCE] = tolerance;
    c->m->start[0] = c->m->slot[0] = start;
    c->m->mode     = GM_INITIALISING;
    c->m->stale    = GM_NEEDS_ALL;
    return OK;
}

EXPORT int NAME(fmi3ExitInitializationMode)(instance *c)
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

EXPORT int NAME(fmi3Terminate)(instance *c)
{
    if (c == NULL) return ERROR;
    c->m->mode = GM_TERMINATED;
    return OK;
}

EXPORT int NAME(fmi3Reset)(instance *c)
{
    if (c == NULL) return ERROR;
    gm_model_reset(c->m);
    return OK;
}

EXPORT int NAME(fmi3EnterConfigurationMode)(instance *c) { return no_such(c, "structural parameters"); }
EXPORT int NAME(fmi3ExitConfigurationMode)(instance *c) { return no_such(c, "structural parameters"); }

// ---- values -----------------------------------------------------------------------------------------------------------

EXPORT int NAME(fmi3GetFloat64)(instance *c, const reference *references, size_t n, double *values, size_t count)
{
    if (c == NULL || count != n) return ERROR;
    for (size_t i = 0; i < n; i++) {
        if (!gm_model_get(c->m, references[i], GM_REAL, &values[i])) return fail(c, ERROR);
    }
    return OK;
}

EXPORT int NAME(fmi3SetFloat64)(instance *c, const reference *references, size_t n, const double *values, size_t count)
{
    if (c == NULL || count != n) return ERROR;
    for (size_t i = 0; i < n; i++) {
        if (!gm_model_set(c->m, references[i], GM_REAL, values[i])) return fail(c, ERROR);
    }
    return OK;
}

EXPORT int NAME(fmi3GetInt32)(instance *c, const reference *references, size_t n, int32_t *values, size_t count)
{
    if (c == NULL || count != n) return ERROR;
    for (size_t i = 0; i < n; i++) {
        double value;
        if (!gm_model_get(c->m, references[i], GM_INTEGER, &value)) return fail(c, ERROR);
        values[i] = (int32_t)value;
    }
    return OK;
}

EXPORT int NAME(fmi3SetInt32)(instance *c, const reference *references, size_t n, const int32_t *values, size_t count)
{
    if (c == NULL || count != n) return ERROR;
    for (size_t i = 0; i < n; i++) {
        if (!gm_model_set(c->m, references[i], GM_INTEGER, values[i])) return fail(c, ERROR);
    }
    return OK;
}

EXPORT int NAME(fmi3GetBoolean)(instance *c, const reference *references, size_t n, bool *values, size_t count)
{
    if (c == NULL || count != n) return ERROR;
    for (size_t i = 0; i < n; i++) {
        double value;
        if (!gm_model_get(c->m, references[i], GM_BOOLEAN, &value)) return fail(c, ERROR);
        values[i] = value != 0;
    }
    return OK;
}

EXPORT int NAME(fmi3SetBoolean)(instance *c, const reference *references, size_t n, const bool *values, size_t count)
{
    if (c == NULL || count != n) return ERROR;
    for (size_t i = 0; i < n; i++) {
        if (!gm_model_set(c->m, references[i], GM_BOOLEAN, values[i])) return fail(c, ERROR);
    }
    return OK;
}

// The standard wants a function for every type, also for those that no variable of the model has.
#define OTHER_TYPES(X)                                                                                                    \
    X(Float32, float) X(Int8, int8_t) X(UInt8, uint8_t) X(Int16, int16_t) X(UInt16, uint16_t) X(UInt32, uint32_t)        \
    X(Int64, int64_t) X(UInt64, uint64_t)
#define X(type, c_type)                                                                                                   \
    EXPORT int NAME(fmi3Get##type)(instance *c, const reference *references, size_t n, c_type *values, size_t count)      \
    {                                                                                                                     \
        (void)references, (void)values, (void)count;                                                                      \
        return n == 0 && c != NULL ? OK : no_such(c, #type " variables");                                                 \
    }                                                                                                                     \
    EXPORT int NAME(fmi3Set##type)(instance *c, const reference *references, size_t n, const c_type *values, size_t count) \
    {                                                                                                                     \
        (void)references, (void)values, (void)count;                                                                      \
        return n == 0 && c != NULL ? OK : no_such(c, #type " variables");                                                 \
    }
OTHER_TYPES(X)
#undef X

EXPORT int NAME(fmi3GetString)(instance *c, const reference *r, size_t n, const char **v, size_t count) { (void)r, (void)v, (void)count; return n == 0 && c != NULL ? OK : no_such(c, "String variables"); }
EXPORT int NAME(fmi3SetString)(instance *c, const reference *r, size_t n, const char *const *v, size_t count) { (void)r, (void)v, (void)count; return n == 0 && c != NULL ? OK : no_such(c, "String variables"); }
EXPORT int NAME(fmi3GetBinary)(instance *c, const reference *r, size_t n, size_t *s, const uint8_t **v, size_t count) { (void)r, (void)s, (void)v, (void)count; return n == 0 && c != NULL ? OK : no_such(c, "Binary variables"); }
EXPORT int NAME(fmi3SetBinary)(instance *c, const reference *r, size_t n, const size_t *s, const uint8_t *const *v, size_t count) { (void)r, (void)s, (void)v, (void)count; return n == 0 && c != NULL ? OK : no_such(c, "Binary variables"); }
EXPORT int NAME(fmi3GetClock)(instance *c, const reference *r, size_t n, bool *v) { (void)r, (void)v; return n == 0 && c != NULL ? OK : no_such(c, "clocks"); }
EXPORT int NAME(fmi3SetClock)(instance *c, const reference *r, size_t n, const bool *v) { (void)r, (void)v; return n == 0 && c != NULL ? OK : no_such(c, "clocks"); }
EXPORT int NAME(fmi3GetIntervalDecimal)(instance *c, const reference *r, size_t n, double *v, int *q) { (void)r, (void)n, (void)v, (void)q; return no_such(c, "clocks"); }
EXPORT int NAME(fmi3GetIntervalFraction)(instance *c, const reference *r, size_t n, uint64_t *v, uint64_t *b, int *q) { (void)r, (void)n, (void)v, (void)b, (void)q; return no_such(c, "clocks"); }
EXPORT int NAME(fmi3GetShiftDecimal)(instance *c, const reference *r, size_t n, double *v) { (void)r, (void)n, (void)v; return no_such(c, "clocks"); }
EXPORT int NAME(fmi3GetShiftFraction)(instance *c, const reference *r, size_t n, uint64_t *v, uint64_t *b) { (void)r, (void)n, (void)v, (void)b; return no_such(c, "clocks"); }
EXPORT int NAME(fmi3SetIntervalDecimal)(instance *c, const reference *r, size_t n, const double *v) { (void)r, (void)n, (void)v; return no_such(c, "clocks"); }
EXPORT int NAME(fmi3SetIntervalFraction)(instance *c, const reference *r, size_t n, const uint64_t *v, const uint64_t *b) { (void)r, (void)n, (void)v, (void)b; return no_such(c, "clocks"); }
EXPORT int NAME(fmi3SetShiftDecimal)(instance *c, const reference *r, size_t n, const double *v) { (void)r, (void)n, (void)v; return no_such(c, "clocks"); }
EXPORT int NAME(fmi3SetShiftFraction)(instance *c, const reference *r, size_t n, const uint64_t *v, const uint64_t *b) { (void)r, (void)n, (void)v, (void)b; return no_such(c, "clocks"); }
EXPORT int NAME(fmi3ActivateModelPartition)(instance *c, reference r, double time) { (void)r, (void)time; return no_such(c, "clocks"); }
EXPORT int NAME(fmi3EvaluateDiscreteStates)(instance *c) { return c != NULL ? OK : ERROR; }
EXPORT int NAME(fmi3GetDirectionalDerivative)(instance *c, const reference *z, size_t nz, const reference *v, size_t nv, const double *s, size_t ns, double *o, size_t no) { (void)z, (void)nz, (void)v, (void)nv, (void)s, (void)ns, (void)o, (void)no; return no_such(c, "directional derivatives"); }
EXPORT int NAME(fmi3GetAdjointDerivative)(instance *c, const reference *z, size_t nz, const reference *v, size_t nv, const double *s, size_t ns, double *o, size_t no) { (void)z, (void)nz, (void)v, (void)nv, (void)s, (void)ns, (void)o, (void)no; return no_such(c, "adjoint derivatives"); }
EXPORT int NAME(fmi3GetOutputDerivatives)(instance *c, const reference *r, size_t n, const int32_t *orders, double *v, size_t count) { (void)r, (void)n, (void)orders, (void)v, (void)count; return no_such(c, "derivatives of outputs"); }
// Every variable is a scalar, and what it depends on is not told.
EXPORT int NAME(fmi3GetNumberOfVariableDependencies)(instance *c, reference r, size_t *n) { (void)r, (void)n; return no_such(c, "dependencies"); }
EXPORT int NAME(fmi3GetVariableDependencies)(instance *c, reference r, size_t *a, reference *b, size_t *e, int *k, size_t n) { (void)r, (void)a, (void)b, (void)e, (void)k, (void)n; return no_such(c, "dependencies"); }

// ---- states -----------------------------------------------------------------------------------------------------------

EXPORT int NAME(fmi3GetFMUState)(instance *c, double **state)
{
    if (c == NULL) return ERROR;
    if (*state == NULL) *state = calloc(gm_model_state_size(c->m), sizeof **state);
    if (*state == NULL) return ERROR;
    gm_model_save(c->m, *state);
    return OK;
}

EXPORT int NAME(fmi3SetFMUState)(instance *c, const double *state)
{
    if (c == NULL || state == NULL) return ERROR;
    gm_model_restore(c->m, state);
    return OK;
}

EXPORT int NAME(fmi3FreeFMUState)(instance *c, double **state)
{
    (void)c;
    free(*state);
    *state = NULL;
    return OK;
}

EXPORT int NAME(fmi3SerializedFMUStateSize)(instance *c, const double *state, size_t *size)
{
    (void)state;
    if (c == NULL) return ERROR;
    *size = gm_model_state_size(c->m) * sizeof(double);
    return OK;
}

EXPORT int NAME(fmi3SerializeFMUState)(instance *c, const double *state, uint8_t *bytes, size_t size)
{
    if (c == NULL || size < gm_model_state_size(c->m) * sizeof(double)) return ERROR;
    memcpy(bytes, state, gm_model_state_size(c->m) * sizeof(double));
    return OK;
}

EXPORT int NAME(fmi3DeserializeFMUState)(instance *c, const uint8_t *bytes, size_t size, double **state)
{
    if (c == NULL || size != gm_model_state_size(c->m) * sizeof(double)) return ERROR;
    if (*state == NULL) *state = calloc(1, size);
    if (*state == NULL) return ERROR;
    memcpy(*state, bytes, size);
    return OK;
}

// ---- model exchange ---------------------------------------------------------------------------------------------------

EXPORT int NAME(fmi3EnterEventMode)(instance *c)
{
    if (c == NULL) return ERROR;
    c->m->mode = GM_EVENT_MODE;
    return OK;
}

EXPORT int NAME(fmi3UpdateDiscreteStates)(instance *c, bool *again, bool *terminate, bool *nominals_changed, bool *values_changed, bool *has_next,
                                          double *next)
{
    bool changed = false;
    if (c == NULL) return ERROR;
    if (!gm_model_event(c->m, &changed)) return fail(c, ERROR);
    gm_verdict verdict = changed ? GM_GOES_ON : gm_model_check(c->m);
    *next              = gm_model_next(c->m);
    *has_next          = *next < 1e300;
    *again             = changed;
    *terminate         = verdict == GM_ENDS;
    *nominals_changed  = false;
    *values_changed    = true;
    if (!*has_next) *next = 0;
    return verdict == GM_FAILS ? fail(c, ERROR) : OK;
}

EXPORT int NAME(fmi3EnterContinuousTimeMode)(instance *c)
{
    if (c == NULL) return ERROR;
    c->m->mode = GM_CONTINUOUS;
    return OK;
}

EXPORT int NAME(fmi3CompletedIntegratorStep)(instance *c, bool no_set_prior, bool *enter_event, bool *terminate)
{
    (void)no_set_prior;
    if (c == NULL) return ERROR;
    gm_verdict verdict = gm_model_check(c->m);
    *enter_event       = false;
    *terminate         = verdict == GM_ENDS;
    return verdict == GM_FAILS ? fail(c, ERROR) : OK;
}

EXPORT int NAME(fmi3SetTime)(instance *c, double time)
{
    if (c == NULL) return ERROR;
    gm_model_move(c->m, time, NULL);
    return OK;
}

EXPORT int NAME(fmi3SetContinuousStates)(instance *c, const double *x, size_t n)
{
    if (c == NULL || n != d->state_count) return ERROR;
    gm_model_move(c->m, c->m->slot[0], x);
    return OK;
}

EXPORT int NAME(fmi3GetContinuousStates)(instance *c, double *x, size_t n)
{
    if (c == NULL || n != d->state_count) return ERROR;
    if (!gm_model_needs(c->m, 0)) return fail(c, ERROR);
    for (size_t i = 0; i < n; i++) x[i] = c->m->slot[d->states[i]];
    return OK;
}

EXPORT int NAME(fmi3GetNominalsOfContinuousStates)(instance *c, double *x, size_t n)
{
    if (c == NULL || n != d->state_count) return ERROR;
    for (size_t i = 0; i < n; i++) x[i] = d->slots[d->states[i]].nominal;
    return OK;
}

// Where a loop has no solution the caller may try a shorter step (3.0.1, 2.2.3).
EXPORT int NAME(fmi3GetContinuousStateDerivatives)(instance *c, double *dx, size_t n)
{
    if (c == NULL || n != d->state_count) return ERROR;
    if (!gm_model_needs(c->m, GM_NEEDS_SLOPES)) return fail(c, DISCARD);
    memcpy(dx, c->m->slope, n * sizeof *dx);
    return OK;
}

EXPORT int NAME(fmi3GetEventIndicators)(instance *c, double *z, size_t n)
{
    if (c == NULL || n != d->indicator_count) return ERROR;
    if (!gm_model_needs(c->m, GM_NEEDS_INDICATORS)) return fail(c, DISCARD);
    memcpy(z, c->m->indicator, n * sizeof *z);
    return OK;
}

EXPORT int NAME(fmi3GetNumberOfContinuousStates)(instance *c, size_t *n)
{
    *n = d->state_count;
    return c != NULL ? OK : ERROR;
}

EXPORT int NAME(fmi3GetNumberOfEventIndicators)(instance *c, size_t *n)
{
    *n = d->indicator_count;
    return c != NULL ? OK : ERROR;
}

// ---- co-simulation ----------------------------------------------------------------------------------------------------

EXPORT int NAME(fmi3EnterStepMode)(instance *c) { return no_such(c, "events between steps"); }

EXPORT int NAME(fmi3DoStep)(instance *c, double time, double size, bool no_set_prior, bool *event, bool *terminate, bool *early, double *last)
{
    gm_verdict verdict;
    (void)no_set_prior;
    if (c == NULL) return ERROR;
    *event = *terminate = *early = false;
    gm_model_move(c->m, time, NULL);
    bool good  = gm_advance(c->m, time + size, &verdict);
    *last      = c->m->slot[0];
    *terminate = good && verdict == GM_ENDS;
    return outcome(c, good);
}
