// The functions of FMI 3.0 (3.0.1, chapters 2 to 5), declared here in our own words.
#include "gm_instance.h"

#include <stdlib.h>
#include <string.h>

// Sources that are linked statically get a prefix (3.0.1, 2.2.1).
#ifdef FMI3_FUNCTION_PREFIX
#define NAME(name) JOIN(FMI3_FUNCTION_PREFIX, name)
#else
#define NAME(name) name
#endif

typedef void log_function(void *environment, int status, const char *category, const char *message);
typedef uint32_t reference;

typedef struct {
    gm_instance   shared;
    void         *environment;
    log_function *log;
} instance;

static void log_of(const gm_instance *c, int status, const char *message)
{
    const instance *own = (const instance *)c;
    if (own->log != NULL) own->log(own->environment, status, "logStatusError", message);
}

EXPORT const char *NAME(fmi3GetVersion)(void) { return "3.0"; }

EXPORT int NAME(fmi3SetDebugLogging)(gm_instance *c, bool on, size_t n, const char *const *categories)
{
    (void)on, (void)n, (void)categories;  // only errors are logged
    return c != NULL ? GM_FMI_OK : GM_FMI_ERROR;
}

EXPORT void NAME(fmi3FreeInstance)(instance *c)
{
    if (c == NULL) return;
    gm_model_destroy(c->shared.m);
    free(c);
}

static instance *create(const char *token, void *environment, log_function *log, bool co_simulation)
{
    if (token == NULL || strcmp(token, gm_the_model.token) != 0) {
        if (log != NULL) log(environment, GM_FMI_ERROR, "logStatusError", "the instantiation token is another FMU's");
        return NULL;
    }
    instance *c = calloc(1, sizeof *c);
    if (c == NULL) return NULL;
    *c = (instance){ { .m = gm_model_create(), .log = log_of, .co_simulation = co_simulation }, environment, log };
    if (c->shared.m != NULL) return c;
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
    if (log != NULL) log(environment, GM_FMI_ERROR, "logStatusError", "scheduled execution is not offered");
    return NULL;
}

// ---- life -------------------------------------------------------------------------------------------------------------

EXPORT int NAME(fmi3EnterInitializationMode)(gm_instance *c, bool has_tolerance, double tolerance, double start, bool has_stop, double stop)
{
    (void)has_stop, (void)stop;
    int status = gm_instance_set_up(c, has_tolerance, tolerance, start);
    if (status != GM_FMI_OK) return status;
    c->m->stale = GM_NEEDS_ALL;
    return gm_instance_enter(c, GM_INITIALISING);
}

EXPORT int NAME(fmi3ExitInitializationMode)(gm_instance *c) { return gm_instance_exit_initialisation(c); }
EXPORT int NAME(fmi3Terminate)(gm_instance *c) { return gm_instance_enter(c, GM_TERMINATED); }
EXPORT int NAME(fmi3Reset)(gm_instance *c) { return gm_instance_reset(c); }
EXPORT int NAME(fmi3EnterConfigurationMode)(gm_instance *c) { return gm_instance_lacks(c, "structural parameters", 1); }
EXPORT int NAME(fmi3ExitConfigurationMode)(gm_instance *c) { return gm_instance_lacks(c, "structural parameters", 1); }

// ---- values -----------------------------------------------------------------------------------------------------------

EXPORT int NAME(fmi3GetFloat64)(gm_instance *c, const reference *references, size_t n, double *values, size_t count)
{
    return count == n ? gm_instance_get_reals(c, references, n, values) : GM_FMI_ERROR;
}

EXPORT int NAME(fmi3SetFloat64)(gm_instance *c, const reference *references, size_t n, const double *values, size_t count)
{
    return count == n ? gm_instance_set_reals(c, references, n, values) : GM_FMI_ERROR;
}

EXPORT int NAME(fmi3GetInt32)(gm_instance *c, const reference *references, size_t n, int32_t *values, size_t count)
{
    return count == n ? gm_instance_get_integers(c, references, n, values) : GM_FMI_ERROR;
}

EXPORT int NAME(fmi3SetInt32)(gm_instance *c, const reference *references, size_t n, const int32_t *values, size_t count)
{
    return count == n ? gm_instance_set_integers(c, references, n, values) : GM_FMI_ERROR;
}

EXPORT int NAME(fmi3GetBoolean)(gm_instance *c, const reference *references, size_t n, bool *values, size_t count)
{
    if (c == NULL || count != n) return GM_FMI_ERROR;
    for (size_t i = 0; i < n; i++) {
        double value;
        if (!gm_model_get(c->m, references[i], GM_BOOLEAN, &value)) return gm_instance_fail(c, GM_FMI_ERROR);
        values[i] = value != 0;
    }
    return GM_FMI_OK;
}

EXPORT int NAME(fmi3SetBoolean)(gm_instance *c, const reference *references, size_t n, const bool *values, size_t count)
{
    if (c == NULL || count != n) return GM_FMI_ERROR;
    for (size_t i = 0; i < n; i++) {
        if (!gm_model_set(c->m, references[i], GM_BOOLEAN, values[i])) return gm_instance_fail(c, GM_FMI_ERROR);
    }
    return GM_FMI_OK;
}

// The standard wants a function for every type, also for those that no variable of the model has.
#define OTHER_TYPES(X)                                                                                                    \
    X(Float32, float) X(Int8, int8_t) X(UInt8, uint8_t) X(Int16, int16_t) X(UInt16, uint16_t) X(UInt32, uint32_t)        \
    X(Int64, int64_t) X(UInt64, uint64_t)
#define X(type, c_type)                                                                                                   \
    EXPORT int NAME(fmi3Get##type)(gm_instance *c, const reference *references, size_t n, c_type *values, size_t count)      \
    {                                                                                                                     \
        (void)references, (void)values, (void)count;                                                                      \
        return gm_instance_lacks(c, #type " variables", n);                                                               \
    }                                                                                                                     \
    EXPORT int NAME(fmi3Set##type)(gm_instance *c, const reference *references, size_t n, const c_type *values, size_t count) \
    {                                                                                                                     \
        (void)references, (void)values, (void)count;                                                                      \
        return gm_instance_lacks(c, #type " variables", n);                                                               \
    }
OTHER_TYPES(X)
#undef X

EXPORT int NAME(fmi3GetString)(gm_instance *c, const reference *r, size_t n, const char **v, size_t count) { (void)r, (void)v, (void)count; return gm_instance_lacks(c, "String variables", n); }
EXPORT int NAME(fmi3SetString)(gm_instance *c, const reference *r, size_t n, const char *const *v, size_t count) { (void)r, (void)v, (void)count; return gm_instance_lacks(c, "String variables", n); }
EXPORT int NAME(fmi3GetBinary)(gm_instance *c, const reference *r, size_t n, size_t *s, const uint8_t **v, size_t count) { (void)r, (void)s, (void)v, (void)count; return gm_instance_lacks(c, "Binary variables", n); }
EXPORT int NAME(fmi3SetBinary)(gm_instance *c, const reference *r, size_t n, const size_t *s, const uint8_t *const *v, size_t count) { (void)r, (void)s, (void)v, (void)count; return gm_instance_lacks(c, "Binary variables", n); }
EXPORT int NAME(fmi3GetClock)(gm_instance *c, const reference *r, size_t n, bool *v) { (void)r, (void)v; return gm_instance_lacks(c, "clocks", n); }
EXPORT int NAME(fmi3SetClock)(gm_instance *c, const reference *r, size_t n, const bool *v) { (void)r, (void)v; return gm_instance_lacks(c, "clocks", n); }
EXPORT int NAME(fmi3GetIntervalDecimal)(gm_instance *c, const reference *r, size_t n, double *v, int *q) { (void)r, (void)n, (void)v, (void)q; return gm_instance_lacks(c, "clocks", 1); }
EXPORT int NAME(fmi3GetIntervalFraction)(gm_instance *c, const reference *r, size_t n, uint64_t *v, uint64_t *b, int *q) { (void)r, (void)n, (void)v, (void)b, (void)q; return gm_instance_lacks(c, "clocks", 1); }
EXPORT int NAME(fmi3GetShiftDecimal)(gm_instance *c, const reference *r, size_t n, double *v) { (void)r, (void)n, (void)v; return gm_instance_lacks(c, "clocks", 1); }
EXPORT int NAME(fmi3GetShiftFraction)(gm_instance *c, const reference *r, size_t n, uint64_t *v, uint64_t *b) { (void)r, (void)n, (void)v, (void)b; return gm_instance_lacks(c, "clocks", 1); }
EXPORT int NAME(fmi3SetIntervalDecimal)(gm_instance *c, const reference *r, size_t n, const double *v) { (void)r, (void)n, (void)v; return gm_instance_lacks(c, "clocks", 1); }
EXPORT int NAME(fmi3SetIntervalFraction)(gm_instance *c, const reference *r, size_t n, const uint64_t *v, const uint64_t *b) { (void)r, (void)n, (void)v, (void)b; return gm_instance_lacks(c, "clocks", 1); }
EXPORT int NAME(fmi3SetShiftDecimal)(gm_instance *c, const reference *r, size_t n, const double *v) { (void)r, (void)n, (void)v; return gm_instance_lacks(c, "clocks", 1); }
EXPORT int NAME(fmi3SetShiftFraction)(gm_instance *c, const reference *r, size_t n, const uint64_t *v, const uint64_t *b) { (void)r, (void)n, (void)v, (void)b; return gm_instance_lacks(c, "clocks", 1); }
EXPORT int NAME(fmi3ActivateModelPartition)(gm_instance *c, reference r, double time) { (void)r, (void)time; return gm_instance_lacks(c, "clocks", 1); }
EXPORT int NAME(fmi3EvaluateDiscreteStates)(gm_instance *c) { return c != NULL ? GM_FMI_OK : GM_FMI_ERROR; }
EXPORT int NAME(fmi3GetDirectionalDerivative)(gm_instance *c, const reference *z, size_t nz, const reference *v, size_t nv, const double *s, size_t ns, double *o, size_t no) { (void)z, (void)nz, (void)v, (void)nv, (void)s, (void)ns, (void)o, (void)no; return gm_instance_lacks(c, "directional derivatives", 1); }
EXPORT int NAME(fmi3GetAdjointDerivative)(gm_instance *c, const reference *z, size_t nz, const reference *v, size_t nv, const double *s, size_t ns, double *o, size_t no) { (void)z, (void)nz, (void)v, (void)nv, (void)s, (void)ns, (void)o, (void)no; return gm_instance_lacks(c, "adjoint derivatives", 1); }
EXPORT int NAME(fmi3GetOutputDerivatives)(gm_instance *c, const reference *r, size_t n, const int32_t *orders, double *v, size_t count) { (void)r, (void)n, (void)orders, (void)v, (void)count; return gm_instance_lacks(c, "derivatives of outputs", 1); }
// Every variable is a scalar, and what it depends on is not told.
EXPORT int NAME(fmi3GetNumberOfVariableDependencies)(gm_instance *c, reference r, size_t *n) { (void)r, (void)n; return gm_instance_lacks(c, "dependencies", 1); }
EXPORT int NAME(fmi3GetVariableDependencies)(gm_instance *c, reference r, size_t *a, reference *b, size_t *e, int *k, size_t n) { (void)r, (void)a, (void)b, (void)e, (void)k, (void)n; return gm_instance_lacks(c, "dependencies", 1); }

// ---- states -----------------------------------------------------------------------------------------------------------

EXPORT int NAME(fmi3GetFMUState)(gm_instance *c, double **state) { return gm_instance_save(c, state); }
EXPORT int NAME(fmi3SetFMUState)(gm_instance *c, const double *state) { return gm_instance_restore(c, state); }
EXPORT int NAME(fmi3FreeFMUState)(gm_instance *c, double **state) { (void)c; return gm_instance_forget(state); }
EXPORT int NAME(fmi3SerializedFMUStateSize)(gm_instance *c, const double *state, size_t *size) { (void)state; return gm_instance_state_size(c, size); }
EXPORT int NAME(fmi3SerializeFMUState)(gm_instance *c, const double *state, uint8_t *bytes, size_t size) { return gm_instance_write(c, state, bytes, size); }
EXPORT int NAME(fmi3DeserializeFMUState)(gm_instance *c, const uint8_t *bytes, size_t size, double **state) { return gm_instance_read(c, bytes, size, state); }

// ---- model exchange ---------------------------------------------------------------------------------------------------

EXPORT int NAME(fmi3EnterEventMode)(gm_instance *c) { return gm_instance_enter(c, GM_EVENT_MODE); }
EXPORT int NAME(fmi3EnterContinuousTimeMode)(gm_instance *c) { return gm_instance_enter(c, GM_CONTINUOUS); }

EXPORT int NAME(fmi3UpdateDiscreteStates)(gm_instance *c, bool *again, bool *terminate, bool *nominals_changed, bool *values_changed, bool *has_next,
                                          double *next)
{
    gm_event event;
    int      status = gm_instance_event(c, &event);
    if (status != GM_FMI_OK) return status;
    *again            = event.again;
    *terminate        = event.ends;
    *nominals_changed = false;
    *values_changed   = true;
    *has_next         = event.has_next;
    *next             = event.next;
    return GM_FMI_OK;
}

EXPORT int NAME(fmi3CompletedIntegratorStep)(gm_instance *c, bool no_set_prior, bool *enter_event, bool *terminate)
{
    (void)no_set_prior;
    int status = gm_instance_completed_step(c, terminate);
    if (status == GM_FMI_OK) *enter_event = false;
    return status;
}

EXPORT int NAME(fmi3SetTime)(gm_instance *c, double time) { return gm_instance_set_time(c, time); }
EXPORT int NAME(fmi3SetContinuousStates)(gm_instance *c, const double *x, size_t n) { return gm_instance_set_states(c, x, n); }
EXPORT int NAME(fmi3GetContinuousStates)(gm_instance *c, double *x, size_t n) { return gm_instance_get_states(c, x, n); }
EXPORT int NAME(fmi3GetNominalsOfContinuousStates)(gm_instance *c, double *x, size_t n) { return gm_instance_get_nominals(c, x, n); }
EXPORT int NAME(fmi3GetContinuousStateDerivatives)(gm_instance *c, double *dx, size_t n) { return gm_instance_get_slopes(c, dx, n); }
EXPORT int NAME(fmi3GetEventIndicators)(gm_instance *c, double *z, size_t n) { return gm_instance_get_indicators(c, z, n); }

EXPORT int NAME(fmi3GetNumberOfContinuousStates)(gm_instance *c, size_t *n)
{
    *n = gm_the_model.state_count;
    return c != NULL ? GM_FMI_OK : GM_FMI_ERROR;
}

EXPORT int NAME(fmi3GetNumberOfEventIndicators)(gm_instance *c, size_t *n)
{
    *n = gm_the_model.indicator_count;
    return c != NULL ? GM_FMI_OK : GM_FMI_ERROR;
}

// ---- co-simulation ----------------------------------------------------------------------------------------------------

EXPORT int NAME(fmi3EnterStepMode)(gm_instance *c) { return gm_instance_lacks(c, "events between steps", 1); }

EXPORT int NAME(fmi3DoStep)(gm_instance *c, double time, double size, bool no_set_prior, bool *event, bool *terminate, bool *early, double *last)
{
    (void)no_set_prior;
    if (c == NULL) return GM_FMI_ERROR;
    int status = gm_instance_step(c, time, size);
    *event = *early = false;
    *terminate      = c->ended;
    *last           = c->m->slot[0];
    return status;
}
