// The toy as FMI 2.0. Built once with states that can be saved and once without (TOY_STATELESS), once
// with states that are not restored (TOY_LIES).
#include "toy.h"

typedef struct callbacks {
    void (*logger)(void *, const char *, int, const char *, const char *, ...);
    void *(*allocate)(size_t, size_t);
    void (*free)(void *);
    void (*finished)(void *, int);
    void *environment;
} callbacks;

typedef struct event_info { int need, terminate, nominals, values, has_next; double next; } event_info;
typedef struct instance { toy t; const callbacks *c; bool logging; } instance;

TOY_EXPORT const char *fmi2GetVersion(void) { return "2.0"; }
TOY_EXPORT const char *fmi2GetTypesPlatform(void) { return "default"; }

TOY_EXPORT void *fmi2Instantiate(const char *name, int kind, const char *guid, const char *resources, const callbacks *c, int visible, int logging)
{
    (void)kind;
    (void)visible;
    if (strcmp(guid, "{toy}") != 0 || strncmp(resources, "file:///", 8) != 0) return NULL;
    instance *i = c->allocate(1, sizeof *i);
    i->c        = c;
    i->logging  = logging;
    toy_reset(&i->t);
    if (logging) c->logger(c->environment, name, 0, "logAll", "hello from %s, %d", name, 42);
    return i;
}

TOY_EXPORT void fmi2FreeInstance(instance *i) { i->c->free(i); }
TOY_EXPORT int  fmi2SetupExperiment(instance *i, int td, double t, double start, int sd, double stop)
{
    (void)stop;
    i->t.time = start;
    return 0;
}
TOY_EXPORT int fmi2EnterInitializationMode(instance *i) { return i->t.misbehave == NO_INSTANCE ? 3 : 0; }
TOY_EXPORT int fmi2ExitInitializationMode(instance *i) { return 0; }
TOY_EXPORT int fmi2Terminate(instance *i) { return 0; }
TOY_EXPORT int fmi2Reset(instance *i) { return toy_reset(&i->t), 0; }

static double *real(toy *t, unsigned ref)
{
    switch (ref) {
    case H: return &t->h;
    case V:
    case DER_H: return &t->v;
    case G:
    case DER_V: return &t->g;
    case E: return &t->e;
    case U:
    case Y: return &t->u;
    default: return ref == TIME ? &t->time : NULL;
    }
}

static int *integer(toy *t, unsigned ref)
{
    switch (ref) {
    case COUNTER: return &t->counter;
    case MISBEHAVE: return &t->misbehave;
    case K:
    case K_OUT: return &t->k;
    default: return ref == ENUM_IN || ref == ENUM_OUT ? &t->enumeration : NULL;
    }
}

TOY_EXPORT int fmi2GetReal(instance *i, const unsigned *r, size_t n, double *v)
{
    for (size_t k = 0; k < n; k++) {
        if (real(&i->t, r[k]) == NULL) return 3;
        v[k] = *real(&i->t, r[k]);
    }
    return 0;
}
TOY_EXPORT int fmi2SetReal(instance *i, const unsigned *r, size_t n, const double *v)
{
    for (size_t k = 0; k < n; k++) {
        if (real(&i->t, r[k]) == NULL) return 3;
        *real(&i->t, r[k]) = v[k];
    }
    return 0;
}
TOY_EXPORT int fmi2GetInteger(instance *i, const unsigned *r, size_t n, int *v)
{
    for (size_t k = 0; k < n; k++) v[k] = *integer(&i->t, r[k]);
    return 0;
}
TOY_EXPORT int fmi2SetInteger(instance *i, const unsigned *r, size_t n, const int *v)
{
    for (size_t k = 0; k < n; k++) *integer(&i->t, r[k]) = v[k];
    return 0;
}
TOY_EXPORT int fmi2GetBoolean(instance *i, const unsigned *r, size_t n, int *v)
{
    for (size_t k = 0; k < n; k++) v[k] = i->t.flag;
    return 0;
}
TOY_EXPORT int fmi2SetBoolean(instance *i, const unsigned *r, size_t n, const int *v)
{
    for (size_t k = 0; k < n; k++) i->t.flag = v[k] != 0;
    return 0;
}
TOY_EXPORT int fmi2GetString(instance *i, const unsigned *r, size_t n, const char **v)
{
    for (size_t k = 0; k < n; k++) v[k] = i->t.text;
    return 0;
}
TOY_EXPORT int fmi2SetString(instance *i, const unsigned *r, size_t n, const char *const *v)
{
    for (size_t k = 0; k < n; k++) snprintf(i->t.text, sizeof i->t.text, "%s", (v[k]));
    return 0;
}

#ifndef TOY_STATELESS
TOY_EXPORT int fmi2GetFMUstate(instance *i, void **s)
{
    if (*s == NULL) *s = malloc(sizeof(toy));
    memcpy(*s, &i->t, sizeof(toy));
    return 0;
}
TOY_EXPORT int fmi2SetFMUstate(instance *i, void *s)
{
#ifdef TOY_LIES
    i->t.misbehave = LIE;  // says that it did
#endif
    if (i->t.misbehave != LIE) memcpy(&i->t, s, sizeof(toy));
    return 0;
}
TOY_EXPORT int fmi2FreeFMUstate(instance *i, void **s)
{
    (void)i;
    free(*s);
    *s = NULL;
    return 0;
}
TOY_EXPORT int fmi2SerializedFMUstateSize(instance *i, void *s, size_t *n) { return *n = sizeof(toy), 0; }
TOY_EXPORT int fmi2SerializeFMUstate(instance *i, void *s, uint8_t *b, size_t n) { return memcpy(b, s, n), 0; }
TOY_EXPORT int fmi2DeSerializeFMUstate(instance *i, const uint8_t *b, size_t n, void **s)
{
    (void)i;
    *s = malloc(n);
    memcpy(*s, b, n);
    return 0;
}
#endif

TOY_EXPORT int fmi2EnterEventMode(instance *i) { return 0; }
TOY_EXPORT int fmi2NewDiscreteStates(instance *i, event_info *info)
{
    bool changed = toy_event(&i->t);
    *info = (event_info){ 0, 0, 0, changed, 1, i->t.next };
    return 0;
}
TOY_EXPORT int fmi2EnterContinuousTimeMode(instance *i) { return 0; }
TOY_EXPORT int fmi2CompletedIntegratorStep(instance *i, int prior, int *enter, int *terminate)
{
    (void)prior;
    *enter     = 0;
    *terminate = i->t.time > 2.75 && i->t.misbehave == DISCARD;
    return 0;
}
TOY_EXPORT int fmi2SetTime(instance *i, double time) { return i->t.time = time, 0; }
TOY_EXPORT int fmi2SetContinuousStates(instance *i, const double *x, size_t n) { return i->t.h = x[0], i->t.v = x[1], 0; }
TOY_EXPORT int fmi2GetContinuousStates(instance *i, double *x, size_t n) { return x[0] = i->t.h, x[1] = i->t.v, 0; }
TOY_EXPORT int fmi2GetNominalsOfContinuousStates(instance *i, double *x, size_t n) { return x[0] = x[1] = 1, 0; }
TOY_EXPORT int fmi2GetDerivatives(instance *i, double *x, size_t n)
{
    (void)n;
    if (toy_misbehave(&i->t)) return 3;
    x[0] = i->t.v;
    x[1] = i->t.g;
    return 0;
}
TOY_EXPORT int fmi2GetEventIndicators(instance *i, double *z, size_t n) { return z[0] = i->t.h == 0 && i->t.v == 0 ? 1 : i->t.h, 0; }

TOY_EXPORT int fmi2DoStep(instance *i, double time, double size, int prior)
{
    (void)prior;
    if (toy_misbehave(&i->t)) {
        i->c->logger(i->c->environment, "toy", 3, "logStatusError", "the toy refuses at %g", time);
        return 3;
    }
    double target = time + size;
    if (i->t.misbehave == DISCARD && target > 0.5 + 1e-9) {
        toy_step(&i->t, 0.5);
        return 2;
    }
    toy_step(&i->t, target);
    return 0;
}
TOY_EXPORT int fmi2GetRealStatus(instance *i, int kind, double *v) { return *v = i->t.time, 0; }
TOY_EXPORT int fmi2GetBooleanStatus(instance *i, int kind, int *v) { return *v = kind == 3, 0; }
