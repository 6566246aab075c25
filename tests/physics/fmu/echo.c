// Every number type of FMI 3 in, and out one reference later; for tests. Arrays of two.
#include "toy.h"

enum { REFERENCES = 32 };
typedef struct instance { union { double d; float f; int64_t i; uint64_t u; } held[REFERENCES][2]; } instance;

TOY_EXPORT const char *fmi3GetVersion(void) { return "3.0"; }
TOY_EXPORT void *fmi3InstantiateCoSimulation(const char *name, const char *token, const char *resources, bool visible, bool logging, bool events,
                                             bool early, const uint32_t *required, size_t count, void *env,
                                             void (*log)(void *, int, const char *, const char *), void *update)
{
    return calloc(1, sizeof(instance));
}
TOY_EXPORT void fmi3FreeInstance(instance *s) { free(s); }
TOY_EXPORT int  fmi3EnterInitializationMode(instance *s, bool td, double t, double start, bool sd, double stop) { return 0; }
TOY_EXPORT int  fmi3ExitInitializationMode(instance *s) { return 0; }
TOY_EXPORT int  fmi3Terminate(instance *s) { return 0; }
TOY_EXPORT int  fmi3DoStep(instance *s, double time, double step, bool no, bool *event, bool *end, bool *early, double *reached)
{
    return *event = *end = *early = false, *reached = time + step, 0;
}

// An output has the reference behind its input's; those from PAIR on have two values.
enum { PAIR = 22 };
#define PASS(Name, type, member)                                                                         \
    TOY_EXPORT int fmi3Get##Name(instance *s, const uint32_t *r, size_t n, type *v, size_t count)        \
    {                                                                                                    \
        size_t at = 0;                                                                                   \
        for (size_t k = 0; k < n; k++) {                                                                 \
            for (size_t i = 0; i < (r[k] < PAIR ? 1 : 2); i++) v[at++] = (type)s->held[r[k] & ~1u][i].member; \
        }                                                                                                \
        return at == count ? 0 : 3;                                                                      \
    }                                                                                                    \
    TOY_EXPORT int fmi3Set##Name(instance *s, const uint32_t *r, size_t n, const type *v, size_t count)  \
    {                                                                                                    \
        size_t at = 0;                                                                                   \
        for (size_t k = 0; k < n; k++) {                                                                 \
            for (size_t i = 0; i < (r[k] < PAIR ? 1 : 2); i++) s->held[r[k]][i].member = v[at++];        \
        }                                                                                                \
        return at == count ? 0 : 3;                                                                      \
    }
PASS(Float64, double, d) PASS(Float32, float, f) PASS(Int8, int8_t, i) PASS(UInt8, uint8_t, u) PASS(Int16, int16_t, i)
PASS(UInt16, uint16_t, u) PASS(Int32, int32_t, i) PASS(UInt32, uint32_t, u) PASS(Int64, int64_t, i) PASS(UInt64, uint64_t, u)
