// Every value passes through: output n of a type is its input n. No states, no events of its own. FMI 2.0 and 3.0 in one
// library; in FMI 3 a continuous and a discrete one of both floating-point types, and one of each other type. Outputs
// follow at once, in every mode.
#include "toy.h"

enum { PAIRS = 2, TEXT_SIZE = 64 };  // value references: type * 10 + pair * 2, + 1 for the output

typedef struct instance {
    double   f64[PAIRS];
    float    f32[PAIRS];
    int64_t  whole[16];  // of every integer type, by its tens
    bool     flag;
    char     text[TEXT_SIZE];
    uint8_t  bytes[TEXT_SIZE];
    size_t   byte_count;
} instance;

static instance *make(void)
{
    instance *i = calloc(1, sizeof *i);
    strcpy(i->text, "as it was");
    return i;
}

#define EACH for (size_t k = 0; k < n; k++)
#define BOTH(prefix)                                                                                              \
    TOY_EXPORT void prefix##FreeInstance(instance *i) { free(i); }                                                \
    TOY_EXPORT int  prefix##ExitInitializationMode(instance *i) { return 0; }                                     \
    TOY_EXPORT int  prefix##Terminate(instance *i) { return 0; }                                                  \
    TOY_EXPORT int  prefix##EnterEventMode(instance *i) { return 0; }                                             \
    TOY_EXPORT int  prefix##EnterContinuousTimeMode(instance *i) { return 0; }                                    \
    TOY_EXPORT int  prefix##SetTime(instance *i, double t) { return 0; }

BOTH(fmi2)
BOTH(fmi3)

// ---- FMI 2.0

TOY_EXPORT void *fmi2Instantiate(const char *name, int kind, const char *guid, const char *uri, const void *c, int visible, int logging) { return make(); }
TOY_EXPORT int fmi2SetupExperiment(instance *i, int td, double t, double start, int sd, double stop) { return 0; }
TOY_EXPORT int fmi2EnterInitializationMode(instance *i) { return 0; }
TOY_EXPORT int fmi2GetReal(instance *i, const unsigned *r, size_t n, double *v) { EACH v[k] = i->f64[r[k] % 10 / 2]; return 0; }
TOY_EXPORT int fmi2SetReal(instance *i, const unsigned *r, size_t n, const double *v) { EACH i->f64[r[k] % 10 / 2] = v[k]; return 0; }
TOY_EXPORT int fmi2GetInteger(instance *i, const unsigned *r, size_t n, int *v) { EACH v[k] = (int)i->whole[r[k] / 10]; return 0; }
TOY_EXPORT int fmi2SetInteger(instance *i, const unsigned *r, size_t n, const int *v) { EACH i->whole[r[k] / 10] = v[k]; return 0; }
TOY_EXPORT int fmi2GetBoolean(instance *i, const unsigned *r, size_t n, int *v) { EACH v[k] = i->flag; return 0; }
TOY_EXPORT int fmi2SetBoolean(instance *i, const unsigned *r, size_t n, const int *v) { EACH i->flag = v[k] != 0; return 0; }
TOY_EXPORT int fmi2GetString(instance *i, const unsigned *r, size_t n, const char **v) { EACH v[k] = i->text; return 0; }
TOY_EXPORT int fmi2SetString(instance *i, const unsigned *r, size_t n, const char *const *v) { EACH snprintf(i->text, TEXT_SIZE, "%s", v[k]); return 0; }
typedef struct info2 { int again, terminate, nominals, values, has_next; double next; } info2;
TOY_EXPORT int fmi2NewDiscreteStates(instance *i, info2 *info) { return *info = (info2){ 0, 0, 0, 0, 0, 0 }, 0; }
TOY_EXPORT int fmi2DoStep(instance *i, double time, double size, int prior) { return 0; }

// ---- FMI 3.0

TOY_EXPORT void *fmi3InstantiateModelExchange(const char *name, const char *token, const char *folder, bool visible, bool logging, void *env, void *log) { return make(); }
TOY_EXPORT void *fmi3InstantiateCoSimulation(const char *name, const char *token, const char *folder, bool visible, bool logging, bool events, bool early,
                                             const uint32_t *required, size_t count, void *env, void *log, void *update)
{
    return make();
}
TOY_EXPORT int fmi3EnterInitializationMode(instance *i, bool td, double t, double start, bool sd, double stop) { return 0; }
TOY_EXPORT int fmi3EnterStepMode(instance *i) { return 0; }
TOY_EXPORT int fmi3GetNumberOfContinuousStates(instance *i, size_t *n) { return *n = 0, 0; }
TOY_EXPORT int fmi3GetNumberOfEventIndicators(instance *i, size_t *n) { return *n = 0, 0; }
TOY_EXPORT int fmi3GetFloat64(instance *i, const uint32_t *r, size_t n, double *v, size_t c) { return fmi2GetReal(i, r, n, v); }
TOY_EXPORT int fmi3SetFloat64(instance *i, const uint32_t *r, size_t n, const double *v, size_t c) { return fmi2SetReal(i, r, n, v); }
TOY_EXPORT int fmi3GetFloat32(instance *i, const uint32_t *r, size_t n, float *v, size_t c) { EACH v[k] = i->f32[r[k] % 10 / 2]; return 0; }
TOY_EXPORT int fmi3SetFloat32(instance *i, const uint32_t *r, size_t n, const float *v, size_t c) { EACH i->f32[r[k] % 10 / 2] = v[k]; return 0; }
#define WHOLE(name, type)                                                                                                     \
    TOY_EXPORT int fmi3Get##name(instance *i, const uint32_t *r, size_t n, type *v, size_t c) { EACH v[k] = (type)i->whole[r[k] / 10]; return 0; }       \
    TOY_EXPORT int fmi3Set##name(instance *i, const uint32_t *r, size_t n, const type *v, size_t c) { EACH i->whole[r[k] / 10] = (int64_t)v[k]; return 0; }
WHOLE(Int8, int8_t)
WHOLE(UInt8, uint8_t)
WHOLE(Int16, int16_t)
WHOLE(UInt16, uint16_t)
WHOLE(Int32, int32_t)
WHOLE(UInt32, uint32_t)
WHOLE(Int64, int64_t)
WHOLE(UInt64, uint64_t)
TOY_EXPORT int fmi3GetBoolean(instance *i, const uint32_t *r, size_t n, bool *v, size_t c) { EACH v[k] = i->flag; return 0; }
TOY_EXPORT int fmi3SetBoolean(instance *i, const uint32_t *r, size_t n, const bool *v, size_t c) { EACH i->flag = v[k]; return 0; }
TOY_EXPORT int fmi3GetString(instance *i, const uint32_t *r, size_t n, const char **v, size_t c) { EACH v[k] = i->text; return 0; }
TOY_EXPORT int fmi3SetString(instance *i, const uint32_t *r, size_t n, const char *const *v, size_t c) { return fmi2SetString(i, r, n, v); }
TOY_EXPORT int fmi3GetBinary(instance *i, const uint32_t *r, size_t n, size_t *sizes, const uint8_t **v, size_t c)
{
    EACH {
        sizes[k] = i->byte_count;
        v[k]     = i->bytes;
    }
    return 0;
}
TOY_EXPORT int fmi3SetBinary(instance *i, const uint32_t *r, size_t n, const size_t *sizes, const uint8_t *const *v, size_t c)
{
    EACH {
        if (sizes[k] > TEXT_SIZE) return 3;
        memcpy(i->bytes, v[k], i->byte_count = sizes[k]);
    }
    return 0;
}
TOY_EXPORT int fmi3UpdateDiscreteStates(instance *i, bool *again, bool *terminate, bool *nominals, bool *values, bool *has_next, double *next)
{
    return *again = *terminate = *nominals = *values = *has_next = false, *next = 0, 0;
}
TOY_EXPORT int fmi3DoStep(instance *i, double time, double size, bool prior, bool *event_now, bool *terminate, bool *early, double *last)
{
    return *event_now = *terminate = *early = false, *last = time + size, 0;
}
