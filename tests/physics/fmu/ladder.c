// A model for tests of what ends, interrupts and refuses: a stair that rises every second and ends the run at its tenth
// step, beside a saw tooth x' = rate that falls to 0 at 0.64 and doubles its nominal value there. The first step of the
// stair is taken by the event iteration at the start, in two rounds. Derivatives are refused above 0.8. Every fourth
// completed integrator step asks for an event. It shows the first byte of resources/note.txt. FMI 2.0 and 3.0 in one
// library.
#include "toy.h"

enum { X = 1, DER_X, RATE, STAIRS, FALLS, NOMINAL_READS, PAUSES, FIRST_BYTE };
#ifndef TOP_BY_100
#define TOP_BY_100 64
#endif
enum { LAST = 10 };

typedef struct state { double time, x, rate, nominal, next; int stairs, falls, nominal_reads, pauses, steps; bool started, pausing; } state;
typedef struct callbacks2 { void (*log)(void *, const char *, int, const char *, const char *, ...); } callbacks2;
typedef struct instance { state s; int first_byte; bool event_mode, early_return; double last; bool ended; } instance;

static instance *make(const char *folder)
{
    instance *i = calloc(1, sizeof *i);
    char      path[4096];
    snprintf(path, sizeof path, "%s/note.txt", folder);
    FILE *file    = fopen(path, "r");
    i->first_byte = file != NULL ? fgetc(file) : -1;
    if (file != NULL) fclose(file);
    i->s = (state){ .rate = 1, .nominal = 1, .next = INFINITY };
    return i;
}

static double top(void) { return TOP_BY_100 / 100.0; }

typedef struct event { bool again, terminate, nominals, values; } event;

static event discrete(state *s)
{
    event e = { false, false, false, false };
    if (!s->started) {  // first asks for another round, then rises
        s->started = e.again = true;
        s->next    = s->time;
        return e;
    }
    if (s->time >= s->next - 1e-9) {
        s->stairs++;
        s->next = floor(s->time + 1e-9) + 1;
    }
    if (s->x >= top()) {
        s->x = 0;
        s->falls++;
        s->nominal *= 2;
        e.values = e.nominals = true;
    }
    s->pauses += s->pausing;
    s->pausing  = false;
    e.terminate = s->stairs >= LAST;
    return e;
}

static bool step_completed(state *s) { return s->pausing = ++s->steps % 4 == 0; }

// Exactly to the target or the first event before it; true: an event.
static bool move(state *s, double target)
{
    double fall = s->time + (top() - s->x) / s->rate, stop = fmin(fmin(fall, s->next), target);
    s->x += s->rate * (stop - s->time);
    if (stop == fall) s->x = top();
    s->time = stop;
    return stop == fall || stop >= s->next;
}

// Co-simulation; true: an event was left to the caller (event mode).
static bool advance(instance *i, double target)
{
    while (i->s.time < target - 1e-9 && !i->ended) {
        if (!move(&i->s, target)) continue;
        if (i->event_mode) return true;
        i->ended = discrete(&i->s).terminate;
    }
    i->last = i->ended ? i->s.time : target;
    if (!i->ended) i->s.time = target;
    return false;
}

static void initialised(instance *i)
{
    if (!i->event_mode) while (discrete(&i->s).again) {}
}

static int get_real(const instance *i, unsigned ref, double *out)
{
    *out = ref == X ? i->s.x : ref == DER_X || ref == RATE ? i->s.rate : NAN;
    return isnan(*out) ? 3 : 0;
}

static int get_integer(const instance *i, unsigned ref, int *out)
{
    const state *s = &i->s;
    *out = ref == STAIRS ? s->stairs : ref == FALLS ? s->falls : ref == NOMINAL_READS ? s->nominal_reads : ref == PAUSES ? s->pauses : i->first_byte;
    return ref >= STAIRS && ref <= FIRST_BYTE ? 0 : 3;
}

#define EACH for (size_t k = 0; k < n; k++)

// ---- what both versions have alike

#define BOTH(prefix, state_word, derivatives)                                                                                \
    TOY_EXPORT void prefix##FreeInstance(instance *i) { free(i); }                                                           \
    TOY_EXPORT int  prefix##ExitInitializationMode(instance *i) { return initialised(i), 0; }                                \
    TOY_EXPORT int  prefix##Terminate(instance *i) { return 0; }                                                             \
    TOY_EXPORT int  prefix##EnterEventMode(instance *i) { return 0; }                                                        \
    TOY_EXPORT int  prefix##EnterContinuousTimeMode(instance *i) { return 0; }                                               \
    TOY_EXPORT int  prefix##SetTime(instance *i, double t) { return i->s.time = t, 0; }                                      \
    TOY_EXPORT int  prefix##SetContinuousStates(instance *i, const double *x, size_t n) { return i->s.x = x[0], 0; }         \
    TOY_EXPORT int  prefix##GetContinuousStates(instance *i, double *x, size_t n) { return x[0] = i->s.x, 0; }               \
    TOY_EXPORT int  prefix##derivatives(instance *i, double *x, size_t n) { return x[0] = i->s.rate, i->s.x > 0.8 ? 2 : 0; } \
    TOY_EXPORT int  prefix##GetEventIndicators(instance *i, double *z, size_t n) { return z[0] = top() - i->s.x, 0; }        \
    TOY_EXPORT int  prefix##GetNominalsOfContinuousStates(instance *i, double *x, size_t n)                                  \
    {                                                                                                                        \
        i->s.nominal_reads++;                                                                                                \
        return x[0] = i->s.nominal, 0;                                                                                       \
    }                                                                                                                        \
    TOY_EXPORT int prefix##Get##state_word(instance *i, void **s)                                                            \
    {                                                                                                                        \
        if (*s == NULL) *s = malloc(sizeof(state));                                                                          \
        return memcpy(*s, &i->s, sizeof(state)), 0;                                                                          \
    }                                                                                                                        \
    TOY_EXPORT int prefix##Set##state_word(instance *i, void *s) { return memcpy(&i->s, s, sizeof(state)), 0; }              \
    TOY_EXPORT int prefix##Free##state_word(instance *i, void **s) { return free(*s), *s = NULL, 0; }

BOTH(fmi2, FMUstate, GetDerivatives)
BOTH(fmi3, FMUState, GetContinuousStateDerivatives)

// ---- FMI 2.0

typedef struct info2 { int again, terminate, nominals, values, has_next; double next; } info2;

TOY_EXPORT void *fmi2Instantiate(const char *name, int kind, const char *guid, const char *uri, const callbacks2 *c, int visible, int logging)
{
    instance *i = strcmp(guid, "{ladder}") == 0 && strncmp(uri, "file:///", 8) == 0 ? make(uri + 7) : NULL;
    if (i != NULL) i->event_mode = kind == 0;  // in model exchange the caller handles events
    return i;
}
TOY_EXPORT int fmi2SetupExperiment(instance *i, int td, double tolerance, double start, int sd, double stop) { return i->s.time = start, 0; }
TOY_EXPORT int fmi2EnterInitializationMode(instance *i) { return 0; }
TOY_EXPORT int fmi2GetReal(instance *i, const unsigned *r, size_t n, double *v)
{
    int worst = 0;
    EACH worst |= get_real(i, r[k], &v[k]);
    return worst;
}
TOY_EXPORT int fmi2SetReal(instance *i, const unsigned *r, size_t n, const double *v)
{
    EACH if (r[k] != RATE || v[k] <= 0) return 2;
    EACH i->s.rate = v[k];
    return 0;
}
TOY_EXPORT int fmi2GetInteger(instance *i, const unsigned *r, size_t n, int *v)
{
    int worst = 0;
    EACH worst |= get_integer(i, r[k], &v[k]);
    return worst;
}
TOY_EXPORT int fmi2NewDiscreteStates(instance *i, info2 *info)
{
    event e = discrete(&i->s);
    *info   = (info2){ e.again, e.terminate, e.nominals, e.values, 1, i->s.next };
    return 0;
}
TOY_EXPORT int fmi2CompletedIntegratorStep(instance *i, int prior, int *enter, int *terminate)
{
    *enter     = step_completed(&i->s);
    *terminate = 0;
    return 0;
}
TOY_EXPORT int fmi2DoStep(instance *i, double time, double size, int prior) { return advance(i, time + size), i->ended ? 2 : 0; }
TOY_EXPORT int fmi2GetRealStatus(instance *i, int kind, double *v) { return *v = i->last, kind == 2 ? 0 : 3; }
TOY_EXPORT int fmi2GetBooleanStatus(instance *i, int kind, int *v) { return *v = i->ended, kind == 3 ? 0 : 3; }

// ---- FMI 3.0

TOY_EXPORT void *fmi3InstantiateModelExchange(const char *name, const char *token, const char *folder, bool visible, bool logging, void *env, void *log)
{
    instance *i   = make(folder);
    i->event_mode = true;  // the caller handles events
    return i;
}
TOY_EXPORT void *fmi3InstantiateCoSimulation(const char *name, const char *token, const char *folder, bool visible, bool logging, bool events, bool early,
                                             const uint32_t *required, size_t count, void *env, void *log, void *update)
{
    instance *i     = make(folder);
    i->event_mode   = events;
    i->early_return = early;
    return i;
}
TOY_EXPORT int fmi3EnterInitializationMode(instance *i, bool td, double t, double start, bool sd, double stop) { return i->s.time = start, 0; }
TOY_EXPORT int fmi3EnterStepMode(instance *i) { return 0; }
TOY_EXPORT int fmi3GetFloat64(instance *i, const uint32_t *r, size_t n, double *v, size_t count) { return fmi2GetReal(i, r, n, v); }
TOY_EXPORT int fmi3SetFloat64(instance *i, const uint32_t *r, size_t n, const double *v, size_t count) { return fmi2SetReal(i, r, n, v); }
TOY_EXPORT int fmi3GetInt32(instance *i, const uint32_t *r, size_t n, int32_t *v, size_t count) { return fmi2GetInteger(i, r, n, v); }
TOY_EXPORT int fmi3GetNumberOfContinuousStates(instance *i, size_t *n) { return *n = 1, 0; }
TOY_EXPORT int fmi3GetNumberOfEventIndicators(instance *i, size_t *n) { return *n = 1, 0; }
TOY_EXPORT int fmi3UpdateDiscreteStates(instance *i, bool *again, bool *terminate, bool *nominals, bool *values, bool *has_next, double *next)
{
    event e    = discrete(&i->s);
    *again     = e.again;
    *terminate = e.terminate;
    *nominals  = e.nominals;
    *values    = e.values;
    *has_next  = true;
    *next      = i->s.next;
    return 0;
}
TOY_EXPORT int fmi3CompletedIntegratorStep(instance *i, bool prior, bool *enter, bool *terminate)
{
    *enter     = step_completed(&i->s);
    *terminate = false;
    return 0;
}
TOY_EXPORT int fmi3DoStep(instance *i, double time, double size, bool prior, bool *event_now, bool *terminate, bool *early, double *last)
{
    *event_now = advance(i, time + size);
    *terminate = i->ended;
    *early     = *event_now && i->s.time < time + size - 1e-9;
    *last      = *event_now ? i->s.time : i->last;
    return *early && !i->early_return ? 3 : 0;
}
