// Scheduled execution for tests: a periodic clock, a triggered one, and a countdown that the fifth periodic tick starts.
#include "toy.h"

enum { PERIODIC = 1, TRIGGERED, COUNTDOWN, OUT_CLOCK, PERIODIC_TICKS, TRIGGERED_TICKS, COUNTDOWN_TICKS, DELAY };

typedef struct instance {
    void *environment;
    void (*update)(void *);
    int    ticks[3];
    double delay;
    bool counting, out;
} instance;

TOY_EXPORT const char *fmi3GetVersion(void) { return "3.0"; }
TOY_EXPORT void *fmi3InstantiateScheduledExecution(const char *name, const char *token, const char *resources, bool visible, bool logging, void *env,
                                                   void (*log)(void *, int, const char *, const char *), void (*update)(void *), void (*lock)(void),
                                                   void (*unlock)(void))
{
    (void)unlock;
    instance *i    = calloc(1, sizeof *i);
    i->environment = env;
    i->update      = update;
    i->delay       = 0.25;
    return i;
}
TOY_EXPORT void fmi3FreeInstance(instance *i) { free(i); }
TOY_EXPORT int  fmi3EnterInitializationMode(instance *i, bool td, double t, double start, bool sd, double stop)
{
    return 0;
}
TOY_EXPORT int fmi3ExitInitializationMode(instance *i) { return 0; }
TOY_EXPORT int fmi3SetFloat64(instance *i, const uint32_t *r, size_t n, const double *v, size_t c) { return i->delay = v[0], 0; }
TOY_EXPORT int fmi3Terminate(instance *i) { return 0; }
TOY_EXPORT int fmi3GetInt32(instance *i, const uint32_t *r, size_t n, int32_t *v, size_t c)
{
    (void)c;
    for (size_t k = 0; k < n; k++) v[k] = i->ticks[r[k] - PERIODIC_TICKS];
    return 0;
}
TOY_EXPORT int fmi3GetClock(instance *i, const uint32_t *r, size_t n, bool *v)
{
    for (size_t k = 0; k < n; k++) v[k] = i->out;
    i->out = false;
    return 0;
}
TOY_EXPORT int fmi3GetIntervalDecimal(instance *i, const uint32_t *r, size_t n, double *v, int *q)
{
    (void)r;
    for (size_t k = 0; k < n; k++) {
        v[k] = i->delay;
        q[k] = i->counting ? 2 : 0;
    }
    i->counting = false;
    return 0;
}
TOY_EXPORT int fmi3ActivateModelPartition(instance *i, uint32_t clock, double time)
{
    (void)time;
    i->ticks[clock - PERIODIC]++;
    if (clock == PERIODIC && i->ticks[0] == 5) i->counting = true;
    if (clock == COUNTDOWN) i->out = true;
    if (i->counting || i->out) i->update(i->environment);
    return 0;
}
