// The functions of FMI 2.0 (2.0.4, chapters 2 to 4), declared here in our own words.
#include "gm_instance.h"

#include <stdlib.h>
#include <string.h>

// Sources that are linked statically get a prefix (2.0.4, 2.1.1).
#ifdef FMI2_FUNCTION_PREFIX
#define NAME(name) JOIN(FMI2_FUNCTION_PREFIX, name)
#else
#define NAME(name) name
#endif

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
    gm_instance      shared;
    const callbacks *callbacks;
    char            *name;
} instance;

static void tell(const callbacks *calls, const char *name, int status, const char *message)
{
    if (calls != NULL && calls->logger != NULL) calls->logger(calls->environment, name, status, "logStatusError", "%s", message);
}

static void log_of(const gm_instance *c, int status, const char *message)
{
    const instance *own = (const instance *)c;
    tell(own->callbacks, own->name, status, message);
}

EXPORT const char *NAME(fmi2GetTypesPlatform)(void) { return "default"; }
EXPORT const char *NAME(fmi2GetVersion)(void) { return "2.0"; }

EXPORT int NAME(fmi2SetDebugLogging)(gm_instance *c, int on, size_t n, const char *const *categories)
{
    (void)on, (void)n, (void)categories;  // only errors are logged
    return c != NULL ? GM_FMI_OK : GM_FMI_ERROR;
}

EXPORT void NAME(fmi2FreeInstance)(instance *c)
{
    if (c == NULL) return;
    gm_model_destroy(c->shared.m);
    free(c->name);
    free(c);
}

EXPORT instance *NAME(fmi2Instantiate)(const char *name, int kind, const char *guid, const char *resources, const callbacks *calls, int visible,
                                       int logging)
{
    (void)resources, (void)visible, (void)logging;
    if (guid == NULL || strcmp(guid, gm_the_model.token) != 0) {
        tell(calls, name, GM_FMI_ERROR, "the GUID is another FMU's");
        return NULL;
    }
    instance *c = calloc(1, sizeof *c);
    if (c == NULL) return NULL;
    c->shared    = (gm_instance){ .m = gm_model_create(), .log = log_of, .co_simulation = kind == 1 };
    c->name      = calloc(1, strlen(name != NULL ? name : "") + 1);
    c->callbacks = calls;
    if (c->shared.m == NULL || c->name == NULL) {
        NAME(fmi2FreeInstance)(c);
        return NULL;
    }
    if (name != NULL) strcpy(c->name, name);
    return c;
}

// ---- life -------------------------------------------------------------------------------------------------------------

EXPORT int NAME(fmi2SetupExperiment)(gm_instance *c, int has_tolerance, double tolerance, double start, int has_stop, double stop)
{
    (void)has_stop, (void)stop;
    return gm_instance_set_up(c, has_tolerance != 0, tolerance, start);
}

EXPORT int NAME(fmi2EnterInitializationMode)(gm_instance *c) { return gm_instance_enter(c, GM_INITIALISING); }
EXPORT int NAME(fmi2ExitInitializationMode)(gm_instance *c) { return gm_instance_exit_initialisation(c); }
EXPORT int NAME(fmi2Terminate)(gm_instance *c) { return gm_instance_enter(c, GM_TERMINATED); }
EXPORT int NAME(fmi2Reset)(gm_instance *c) { return gm_instance_reset(c); }

// ---- values -----------------------------------------------------------------------------------------------------------

EXPORT int NAME(fmi2GetReal)(gm_instance *c, const unsigned *references, size_t n, double *values) { return gm_instance_get_reals(c, references, n, values); }
EXPORT int NAME(fmi2SetReal)(gm_instance *c, const unsigned *references, size_t n, const double *values) { return gm_instance_set_reals(c, references, n, values); }
EXPORT int NAME(fmi2GetInteger)(gm_instance *c, const unsigned *references, size_t n, int *values) { return gm_instance_get_integers(c, references, n, values); }
EXPORT int NAME(fmi2SetInteger)(gm_instance *c, const unsigned *references, size_t n, const int *values) { return gm_instance_set_integers(c, references, n, values); }

// FMI 2 has Booleans as int.
EXPORT int NAME(fmi2GetBoolean)(gm_instance *c, const unsigned *references, size_t n, int *values)
{
    for (size_t i = 0; c != NULL && i < n; i++) {
        double value;
        if (!gm_model_get(c->m, references[i], GM_BOOLEAN, &value)) return gm_instance_fail(c, GM_FMI_ERROR);
        values[i] = value != 0;
    }
    return c != NULL ? GM_FMI_OK : GM_FMI_ERROR;
}

EXPORT int NAME(fmi2SetBoolean)(gm_instance *c, const unsigned *references, size_t n, const int *values)
{
    for (size_t i = 0; c != NULL && i < n; i++) {
        if (!gm_model_set(c->m, references[i], GM_BOOLEAN, values[i] != 0)) return gm_instance_fail(c, GM_FMI_ERROR);
    }
    return c != NULL ? GM_FMI_OK : GM_FMI_ERROR;
}

EXPORT int NAME(fmi2GetString)(gm_instance *c, const unsigned *references, size_t n, const char **values)
{
    (void)references, (void)values;
    return gm_instance_lacks(c, "texts", n);
}

EXPORT int NAME(fmi2SetString)(gm_instance *c, const unsigned *references, size_t n, const char *const *values)
{
    (void)references, (void)values;
    return gm_instance_lacks(c, "texts", n);
}

EXPORT int NAME(fmi2GetDirectionalDerivative)(gm_instance *c, const unsigned *z, size_t nz, const unsigned *v, size_t nv, const double *dv, double *dz)
{
    (void)z, (void)nz, (void)v, (void)nv, (void)dv, (void)dz;
    return gm_instance_lacks(c, "directional derivatives", 1);
}

// ---- states -----------------------------------------------------------------------------------------------------------

EXPORT int NAME(fmi2GetFMUstate)(gm_instance *c, double **state) { return gm_instance_save(c, state); }
EXPORT int NAME(fmi2SetFMUstate)(gm_instance *c, const double *state) { return gm_instance_restore(c, state); }
EXPORT int NAME(fmi2FreeFMUstate)(gm_instance *c, double **state) { (void)c; return gm_instance_forget(state); }
EXPORT int NAME(fmi2SerializedFMUstateSize)(gm_instance *c, const double *state, size_t *size) { (void)state; return gm_instance_state_size(c, size); }
EXPORT int NAME(fmi2SerializeFMUstate)(gm_instance *c, const double *state, char *bytes, size_t size) { return gm_instance_write(c, state, bytes, size); }
EXPORT int NAME(fmi2DeSerializeFMUstate)(gm_instance *c, const char *bytes, size_t size, double **state) { return gm_instance_read(c, bytes, size, state); }

// ---- model exchange ---------------------------------------------------------------------------------------------------

EXPORT int NAME(fmi2EnterEventMode)(gm_instance *c) { return gm_instance_enter(c, GM_EVENT_MODE); }
EXPORT int NAME(fmi2EnterContinuousTimeMode)(gm_instance *c) { return gm_instance_enter(c, GM_CONTINUOUS); }

EXPORT int NAME(fmi2NewDiscreteStates)(gm_instance *c, event_info *info)
{
    gm_event event;
    int      status = gm_instance_event(c, &event);
    if (status != GM_FMI_OK) return status;
    *info = (event_info){ .again = event.again, .terminate = event.ends, .values_changed = 1, .has_next = event.has_next, .next = event.next };
    return GM_FMI_OK;
}

EXPORT int NAME(fmi2CompletedIntegratorStep)(gm_instance *c, int no_set_prior, int *enter_event, int *terminate)
{
    (void)no_set_prior;
    bool ends;
    int  status = gm_instance_completed_step(c, &ends);
    if (status != GM_FMI_OK) return status;
    *enter_event = 0;
    *terminate   = ends;
    return GM_FMI_OK;
}

EXPORT int NAME(fmi2SetTime)(gm_instance *c, double time) { return gm_instance_set_time(c, time); }
EXPORT int NAME(fmi2SetContinuousStates)(gm_instance *c, const double *x, size_t n) { return gm_instance_set_states(c, x, n); }
EXPORT int NAME(fmi2GetContinuousStates)(gm_instance *c, double *x, size_t n) { return gm_instance_get_states(c, x, n); }
EXPORT int NAME(fmi2GetNominalsOfContinuousStates)(gm_instance *c, double *x, size_t n) { return gm_instance_get_nominals(c, x, n); }
EXPORT int NAME(fmi2GetDerivatives)(gm_instance *c, double *dx, size_t n) { return gm_instance_get_slopes(c, dx, n); }
EXPORT int NAME(fmi2GetEventIndicators)(gm_instance *c, double *z, size_t n) { return gm_instance_get_indicators(c, z, n); }

// ---- co-simulation ----------------------------------------------------------------------------------------------------

EXPORT int NAME(fmi2DoStep)(gm_instance *c, double time, double size, int no_set_prior)
{
    (void)no_set_prior;
    if (c != NULL && c->ended) return GM_FMI_DISCARD;
    int status = gm_instance_step(c, time, size);
    return status == GM_FMI_OK && c->ended ? GM_FMI_DISCARD : status;
}

EXPORT int NAME(fmi2CancelStep)(gm_instance *c) { return gm_instance_lacks(c, "steps under way", 1); }

EXPORT int NAME(fmi2SetRealInputDerivatives)(gm_instance *c, const unsigned *references, size_t n, const int *orders, const double *values)
{
    (void)references, (void)orders, (void)values;
    return gm_instance_lacks(c, "derivatives of inputs", n);
}

EXPORT int NAME(fmi2GetRealOutputDerivatives)(gm_instance *c, const unsigned *references, size_t n, const int *orders, double *values)
{
    (void)references, (void)orders, (void)values;
    return gm_instance_lacks(c, "derivatives of outputs", n);
}

enum { DO_STEP_STATUS, PENDING_STATUS, LAST_SUCCESSFUL_TIME, TERMINATED };

EXPORT int NAME(fmi2GetStatus)(gm_instance *c, int kind, int *value)
{
    (void)kind;
    if (c != NULL) *value = c->ended ? GM_FMI_DISCARD : GM_FMI_OK;
    return c != NULL ? GM_FMI_OK : GM_FMI_ERROR;
}

EXPORT int NAME(fmi2GetRealStatus)(gm_instance *c, int kind, double *value)
{
    if (c == NULL || kind != LAST_SUCCESSFUL_TIME) return c != NULL ? GM_FMI_DISCARD : GM_FMI_ERROR;
    *value = c->m->slot[0];
    return GM_FMI_OK;
}

EXPORT int NAME(fmi2GetIntegerStatus)(gm_instance *c, int kind, int *value)
{
    (void)kind, (void)value;
    return c != NULL ? GM_FMI_DISCARD : GM_FMI_ERROR;
}

EXPORT int NAME(fmi2GetBooleanStatus)(gm_instance *c, int kind, int *value)
{
    if (c == NULL || kind != TERMINATED) return c != NULL ? GM_FMI_DISCARD : GM_FMI_ERROR;
    *value = c->ended;
    return GM_FMI_OK;
}

EXPORT int NAME(fmi2GetStringStatus)(gm_instance *c, int kind, const char **value)
{
    (void)kind, (void)value;
    return c != NULL ? GM_FMI_DISCARD : GM_FMI_ERROR;
}
