// A linear system for tests, whose sizes are structural parameters: x' = A x + B u, y = C x + D u, with n states, m inputs
// and r outputs. Before anyone sets them the matrices are ones on the diagonal. It ends itself when y[0] is above 100, and
// shows the first line of a file of its resources.
#include "toy.h"

enum { M_SIZE = 1, N_SIZE, R_SIZE, A_MATRIX, B_MATRIX, C_MATRIX, D_MATRIX, X0, INPUTS, STATES, RATES, OUTPUTS, NOTE };
enum { SIZE_MAX_ = 5 };

typedef struct instance {
    uint64_t m, n, r;
    double   time, A[SIZE_MAX_ * SIZE_MAX_], B[SIZE_MAX_ * SIZE_MAX_], C[SIZE_MAX_ * SIZE_MAX_], D[SIZE_MAX_ * SIZE_MAX_];
    double   x0[SIZE_MAX_], u[SIZE_MAX_], x[SIZE_MAX_];
    char     note[40];
} instance;

static void ones(double *a, uint64_t rows, uint64_t columns)
{
    for (uint64_t i = 0; i < rows * columns; i++) a[i] = i / columns == i % columns;
}

static void resized(instance *s)
{
    ones(s->A, s->n, s->n);
    ones(s->B, s->n, s->m);
    ones(s->C, s->r, s->n);
    ones(s->D, s->r, s->m);
    memset(s->x0, 0, sizeof s->x0);
    memset(s->u, 0, sizeof s->u);
}

static instance *make(const char *resources)
{
    instance *s = calloc(1, sizeof *s);
    char      path[4096];
    s->m = s->n = s->r = 3;
    resized(s);
    snprintf(path, sizeof path, "%snote.txt", resources != NULL ? resources : "");  // a folder ends with its separator
    FILE *file = fopen(path, "r");
    if (file != NULL && fgets(s->note, sizeof s->note, file) != NULL) s->note[strcspn(s->note, "\n")] = '\0';
    if (file != NULL) fclose(file);
    return s;
}

TOY_EXPORT const char *fmi3GetVersion(void) { return "3.0"; }
TOY_EXPORT void *fmi3InstantiateModelExchange(const char *name, const char *token, const char *resources, bool visible, bool logging, void *env,
                                              void (*log)(void *, int, const char *, const char *))
{
    return make(resources);
}
TOY_EXPORT void *fmi3InstantiateCoSimulation(const char *name, const char *token, const char *resources, bool visible, bool logging, bool events,
                                             bool early, const uint32_t *required, size_t count, void *env,
                                             void (*log)(void *, int, const char *, const char *), void *update)
{
    return make(resources);
}
TOY_EXPORT void fmi3FreeInstance(instance *s) { free(s); }
TOY_EXPORT int  fmi3EnterConfigurationMode(instance *s) { return 0; }
TOY_EXPORT int  fmi3ExitConfigurationMode(instance *s) { return 0; }
TOY_EXPORT int  fmi3EnterInitializationMode(instance *s, bool td, double t, double start, bool sd, double stop) { return s->time = start, 0; }
TOY_EXPORT int  fmi3ExitInitializationMode(instance *s) { return memcpy(s->x, s->x0, sizeof s->x), 0; }
TOY_EXPORT int  fmi3EnterEventMode(instance *s) { return 0; }
TOY_EXPORT int  fmi3EnterContinuousTimeMode(instance *s) { return 0; }
TOY_EXPORT int  fmi3Terminate(instance *s) { return 0; }
TOY_EXPORT int  fmi3CompletedIntegratorStep(instance *s, bool no, bool *enter, bool *end) { return *enter = *end = false, 0; }

static void rates(const instance *s, double *out)
{
    for (uint64_t i = 0; i < s->n; i++) {
        out[i] = 0;
        for (uint64_t j = 0; j < s->n; j++) out[i] += s->A[i * s->n + j] * s->x[j];
        for (uint64_t j = 0; j < s->m; j++) out[i] += s->B[i * s->m + j] * s->u[j];
    }
}

static void outputs(const instance *s, double *out)
{
    for (uint64_t i = 0; i < s->r; i++) {
        out[i] = 0;
        for (uint64_t j = 0; j < s->n; j++) out[i] += s->C[i * s->n + j] * s->x[j];
        for (uint64_t j = 0; j < s->m; j++) out[i] += s->D[i * s->m + j] * s->u[j];
    }
}

static double *place(instance *s, uint32_t reference, size_t *out_count)
{
    switch (reference) {
    case A_MATRIX: return *out_count = s->n * s->n, s->A;
    case B_MATRIX: return *out_count = s->n * s->m, s->B;
    case C_MATRIX: return *out_count = s->r * s->n, s->C;
    case D_MATRIX: return *out_count = s->r * s->m, s->D;
    case X0: return *out_count = s->n, s->x0;
    case INPUTS: return *out_count = s->m, s->u;
    case STATES: return *out_count = s->n, s->x;
    default: return NULL;
    }
}

TOY_EXPORT int fmi3GetFloat64(instance *s, const uint32_t *r, size_t n, double *v, size_t count)
{
    double *end = v + count;
    for (size_t k = 0; k < n; k++) {
        size_t  size = r[k] == RATES ? s->n : r[k] == OUTPUTS ? s->r : 1;
        double *from = place(s, r[k], &size);
        if (v + size > end) return 3;
        if (r[k] == 0) *v = s->time;
        else if (r[k] == RATES) rates(s, v);
        else if (r[k] == OUTPUTS) outputs(s, v);
        else memcpy(v, from, size * sizeof *v);
        v += size;
    }
    return v == end ? 0 : 3;
}
TOY_EXPORT int fmi3SetFloat64(instance *s, const uint32_t *r, size_t n, const double *v, size_t count)
{
    const double *end = v + count;
    for (size_t k = 0; k < n; k++) {
        size_t  size;
        double *to = place(s, r[k], &size);
        if (to == NULL || v + size > end) return 3;
        memcpy(to, v, size * sizeof *v);
        v += size;
    }
    return v == end ? 0 : 3;
}
TOY_EXPORT int fmi3GetUInt64(instance *s, const uint32_t *r, size_t n, uint64_t *v, size_t c)
{
    for (size_t k = 0; k < n; k++) v[k] = r[k] == M_SIZE ? s->m : r[k] == N_SIZE ? s->n : s->r;
    return 0;
}
TOY_EXPORT int fmi3SetUInt64(instance *s, const uint32_t *r, size_t n, const uint64_t *v, size_t c)
{
    for (size_t k = 0; k < n; k++) {
        if (v[k] > SIZE_MAX_) return 3;
        if (r[k] == M_SIZE) s->m = v[k];
        else if (r[k] == N_SIZE) s->n = v[k];
        else s->r = v[k];
    }
    resized(s);
    return 0;
}
TOY_EXPORT int fmi3GetString(instance *s, const uint32_t *r, size_t n, const char **v, size_t c)
{
    for (size_t k = 0; k < n; k++) v[k] = s->note;
    return 0;
}
TOY_EXPORT int fmi3UpdateDiscreteStates(instance *s, bool *need, bool *terminate, bool *nominals, bool *values, bool *has_next, double *next)
{
    return *need = *terminate = *nominals = *values = *has_next = false, *next = 0, 0;
}
TOY_EXPORT int fmi3SetTime(instance *s, double time) { return s->time = time, 0; }
TOY_EXPORT int fmi3GetNumberOfContinuousStates(instance *s, size_t *n) { return *n = s->n, 0; }
TOY_EXPORT int fmi3GetNumberOfEventIndicators(instance *s, size_t *n) { return *n = 0, 0; }
TOY_EXPORT int fmi3SetContinuousStates(instance *s, const double *x, size_t n) { return n == s->n ? memcpy(s->x, x, n * sizeof *x), 0 : 3; }
TOY_EXPORT int fmi3GetContinuousStates(instance *s, double *x, size_t n) { return n == s->n ? memcpy(x, s->x, n * sizeof *x), 0 : 3; }
TOY_EXPORT int fmi3GetContinuousStateDerivatives(instance *s, double *x, size_t n) { return n == s->n ? rates(s, x), 0 : 3; }
TOY_EXPORT int fmi3GetNominalsOfContinuousStates(instance *s, double *x, size_t n)
{
    for (size_t k = 0; k < n; k++) x[k] = 1;
    return 0;
}
TOY_EXPORT int fmi3DoStep(instance *s, double time, double step, bool no, bool *event, bool *end, bool *early, double *reached)
{
    double rate[SIZE_MAX_], y[SIZE_MAX_] = { 0 };
    int    steps = (int)(step * 1e3 + 0.5);
    *event = *early = false;
    for (int k = 0; k < steps; k++) {
        rates(s, rate);
        for (uint64_t i = 0; i < s->n; i++) s->x[i] += 1e-3 * rate[i];
        s->time = time + 1e-3 * (k + 1);
    }
    outputs(s, y);
    *end     = y[0] > 100;
    *reached = s->time;
    return 0;
}
