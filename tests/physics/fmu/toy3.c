// The toy as FMI 3.0: also arrays with a structural parameter, binaries, event mode, early return, intermediate update.
#include "toy.h"

typedef void log_call(void *, int, const char *, const char *);
typedef void intermediate_call(void *, double, bool, bool, bool, bool, bool *, double *);
typedef struct instance { toy t; log_call *log; intermediate_call *intermediate; void *environment; } instance;
#define EACH for (size_t k = 0; k < n; k++)

TOY_EXPORT const char *fmi3GetVersion(void) { return "3.0"; }

static instance *make(const char *token, const char *resources, void *environment, log_call *log)
{
    if (strcmp(token, "{toy}") != 0 || resources[0] != '/' || resources[strlen(resources) - 1] != '/') return NULL;
    instance *i    = calloc(1, sizeof *i);
    i->log         = log;
    i->environment = environment;
    toy_reset(&i->t);
    return i;
}

TOY_EXPORT void *fmi3InstantiateModelExchange(const char *name, const char *token, const char *resources, bool visible, bool logging, void *env, log_call *log)
{
    (void)logging;
    return make(token, resources, env, log);
}
TOY_EXPORT void *fmi3InstantiateCoSimulation(const char *name, const char *token, const char *resources, bool visible, bool logging, bool events, bool early,
                                             const uint32_t *required, size_t n, void *env, log_call *log, intermediate_call *intermediate)
{
    (void)n;
    instance *i = make(token, resources, env, log);
    if (i == NULL) return NULL;
    i->t.event_mode   = events;
    i->t.early_return = early;
    i->intermediate   = intermediate;
    return i;
}
TOY_EXPORT void fmi3FreeInstance(instance *i) { free(i); }
TOY_EXPORT int  fmi3EnterInitializationMode(instance *i, bool td, double tol, double start, bool sd, double stop)
{
    (void)stop;
    i->t.time = start;
    return 0;
}
TOY_EXPORT int fmi3ExitInitializationMode(instance *i) { return 0; }
TOY_EXPORT int fmi3EnterConfigurationMode(instance *i) { return 0; }
TOY_EXPORT int fmi3ExitConfigurationMode(instance *i) { return 0; }
TOY_EXPORT int fmi3EnterEventMode(instance *i) { return 0; }
TOY_EXPORT int fmi3EnterStepMode(instance *i) { return 0; }
TOY_EXPORT int fmi3EnterContinuousTimeMode(instance *i) { return 0; }
TOY_EXPORT int fmi3Terminate(instance *i) { return 0; }
TOY_EXPORT int fmi3Reset(instance *i) { return toy_reset(&i->t), 0; }

static double *real(toy *t, unsigned ref)
{
    static const struct { unsigned ref; size_t at; } table[] = { { TIME, offsetof(toy, time) }, { H, offsetof(toy, h) }, { DER_H, offsetof(toy, v) },
        { V, offsetof(toy, v) }, { DER_V, offsetof(toy, g) }, { G, offsetof(toy, g) }, { E, offsetof(toy, e) }, { U, offsetof(toy, u) }, { Y, offsetof(toy, u) } };
    for (size_t k = 0; k < sizeof table / sizeof table[0]; k++) {
        if (table[k].ref == ref) return (double *)(void *)((char *)t + table[k].at);
    }
    return NULL;
}

TOY_EXPORT int fmi3GetFloat64(instance *i, const uint32_t *r, size_t n, double *v, size_t count)
{
    size_t at = 0;
    EACH {
        if (r[k] == A || r[k] == B) {
            for (uint64_t j = 0; j < i->t.n; j++) v[at++] = i->t.a[j] * (r[k] == B ? 2 : 1);
        } else if (real(&i->t, r[k]) == NULL) {
            return 3;
        } else {
            v[at++] = *real(&i->t, r[k]);
        }
    }
    return at == count ? 0 : 3;
}
TOY_EXPORT int fmi3SetFloat64(instance *i, const uint32_t *r, size_t n, const double *v, size_t count)
{
    size_t at = 0;
    EACH {
        if (r[k] == A) {
            for (uint64_t j = 0; j < i->t.n; j++) i->t.a[j] = v[at++];
        } else {
            *real(&i->t, r[k]) = v[at++];
        }
    }
    return at == count ? 0 : 3;
}
TOY_EXPORT int fmi3GetFloat32(instance *i, const uint32_t *r, size_t n, float *v, size_t c) { EACH v[k] = i->t.f32; return 0; }
TOY_EXPORT int fmi3SetFloat32(instance *i, const uint32_t *r, size_t n, const float *v, size_t c) { EACH i->t.f32 = v[k]; return 0; }
TOY_EXPORT int fmi3GetInt64(instance *i, const uint32_t *r, size_t n, int64_t *v, size_t c)
{
    EACH v[k] = r[k] == ENUM_OUT || r[k] == ENUM_IN ? i->t.enumeration : i->t.i64;
    return 0;
}
TOY_EXPORT int fmi3SetInt64(instance *i, const uint32_t *r, size_t n, const int64_t *v, size_t c)
{
    (void)c;
    EACH {
        if (r[k] == ENUM_IN) i->t.enumeration = (int)v[k];
        else i->t.i64 = v[k];
    }
    return 0;
}
TOY_EXPORT int fmi3GetInt32(instance *i, const uint32_t *r, size_t n, int32_t *v, size_t c)
{
    EACH v[k] = r[k] == COUNTER ? i->t.counter : r[k] == MISBEHAVE ? i->t.misbehave : i->t.k;
    return 0;
}
TOY_EXPORT int fmi3SetInt32(instance *i, const uint32_t *r, size_t n, const int32_t *v, size_t c)
{
    (void)c;
    EACH {
        if (r[k] == MISBEHAVE) i->t.misbehave = v[k];
        else i->t.k = v[k];
    }
    return 0;
}
TOY_EXPORT int fmi3GetUInt64(instance *i, const uint32_t *r, size_t n, uint64_t *v, size_t c) { EACH v[k] = i->t.n; return 0; }
TOY_EXPORT int fmi3SetUInt64(instance *i, const uint32_t *r, size_t n, const uint64_t *v, size_t c)
{
    EACH {
        if (v[k] > ARRAY_MAX) return 3;
        i->t.n = v[k];
    }
    return 0;
}
TOY_EXPORT int fmi3GetBoolean(instance *i, const uint32_t *r, size_t n, bool *v, size_t c) { EACH v[k] = i->t.flag; return 0; }
TOY_EXPORT int fmi3SetBoolean(instance *i, const uint32_t *r, size_t n, const bool *v, size_t c) { EACH i->t.flag = v[k]; return 0; }
TOY_EXPORT int fmi3GetString(instance *i, const uint32_t *r, size_t n, const char **v, size_t c) { EACH v[k] = i->t.text; return 0; }
TOY_EXPORT int fmi3SetString(instance *i, const uint32_t *r, size_t n, const char *const *v, size_t c)
{
    EACH snprintf(i->t.text, sizeof i->t.text, "%s", (v[k]));
    return 0;
}
TOY_EXPORT int fmi3GetBinary(instance *i, const uint32_t *r, size_t n, size_t *sizes, const uint8_t **v, size_t c)
{
    EACH {
        sizes[k] = i->t.bin_size;
        v[k]     = i->t.bin;
    }
    return 0;
}
TOY_EXPORT int fmi3SetBinary(instance *i, const uint32_t *r, size_t n, const size_t *sizes, const uint8_t *const *v, size_t c)
{
    EACH {
        if (sizes[k] > sizeof i->t.bin) return 3;
        memcpy(i->t.bin, v[k], i->t.bin_size = sizes[k]);
    }
    return 0;
}

TOY_EXPORT int fmi3GetFMUState(instance *i, void **s)
{
    if (*s == NULL) *s = malloc(sizeof(toy));
    memcpy(*s, &i->t, sizeof(toy));
    return 0;
}
TOY_EXPORT int fmi3SetFMUState(instance *i, void *s) { return memcpy(&i->t, s, sizeof(toy)), 0; }
TOY_EXPORT int fmi3FreeFMUState(instance *i, void **s) { return free(*s), *s = NULL, 0; }
TOY_EXPORT int fmi3SerializedFMUStateSize(instance *i, void *s, size_t *n) { return *n = sizeof(toy), 0; }
TOY_EXPORT int fmi3SerializeFMUState(instance *i, void *s, uint8_t *b, size_t n) { return memcpy(b, s, n), 0; }
TOY_EXPORT int fmi3DeserializeFMUState(instance *i, const uint8_t *b, size_t n, void **s) { return *s = malloc(n), memcpy(*s, b, n), 0; }

TOY_EXPORT int fmi3UpdateDiscreteStates(instance *i, bool *need, bool *terminate, bool *nominals, bool *values, bool *has_next, double *next)
{
    *values = toy_event(&i->t);
    *need = *terminate = *nominals = false;
    *has_next                      = true;
    *next                          = i->t.next;
    return 0;
}
TOY_EXPORT int fmi3SetTime(instance *i, double time) { return i->t.time = time, 0; }
TOY_EXPORT int fmi3SetContinuousStates(instance *i, const double *x, size_t n) { return i->t.h = x[0], i->t.v = x[1], 0; }
TOY_EXPORT int fmi3GetContinuousStates(instance *i, double *x, size_t n) { return x[0] = i->t.h, x[1] = i->t.v, 0; }
TOY_EXPORT int fmi3GetNominalsOfContinuousStates(instance *i, double *x, size_t n) { return x[0] = x[1] = 1, 0; }
TOY_EXPORT int fmi3GetContinuousStateDerivatives(instance *i, double *x, size_t n)
{
    (void)n;
    if (toy_misbehave(&i->t)) return 3;
    x[0] = i->t.v;
    x[1] = i->t.g;
    return 0;
}
TOY_EXPORT int fmi3GetEventIndicators(instance *i, double *z, size_t n) { return z[0] = i->t.h == 0 && i->t.v == 0 ? 1 : i->t.h, 0; }
TOY_EXPORT int fmi3GetNumberOfContinuousStates(instance *i, size_t *n) { return *n = 2, 0; }
TOY_EXPORT int fmi3GetNumberOfEventIndicators(instance *i, size_t *n) { return *n = 1, 0; }

TOY_EXPORT int fmi3DoStep(instance *i, double time, double size, bool prior, bool *event, bool *terminate, bool *early, double *last)
{
    (void)prior;
    *event = *terminate = *early = false;
    if (toy_misbehave(&i->t)) {
        i->log(i->environment, 3, "logStatusError", "the toy refuses");
        return 3;
    }
    double target = time + size;
    if (i->t.misbehave == LIE) *early = true;
    if (i->intermediate != NULL) {  // once, in the middle
        bool   stop    = false;
        double stop_at = 0;
        toy_step(&i->t, time + size / 2);
        i->intermediate(i->environment, i->t.time, false, true, true, i->t.early_return, &stop, &stop_at);
    }
    *event = toy_step(&i->t, target);
    *early |= *event && i->t.early_return && i->t.time < target - 1e-9;
    *last   = *event ? i->t.time : target;
    return 0;
}
