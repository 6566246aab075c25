// Nearest neighbours among lagged windows. Windows are kept twice: as seen, and whitened by the current factor.
#include "insight/anomaly/lagged.h"

#include <math.h>
#include <string.h>

enum { DIM = GM_LAGGED_DIM, NEAREST = GM_LAGGED_NEAREST };

typedef struct window {
    float v[DIM];
} window;

struct gm_lagged {
    const gm_alloc *alloc;
    uint32_t        memory;
    uint64_t        seen; // values so far
    double          recent[DIM];
    window         *raw;     // [2 * memory] ring: the older half is compared with, the newer half waits
    window         *white;   // the same, whitened
    double         *strange; // [memory] ring of sums of distances
    uint32_t        windows, strange_count, strange_at;
    double          factor[DIM][DIM]; // lower triangle: the Cholesky factor of the second moments
    bool            whitened;
};

gm_lagged *gm_lagged_create(const gm_alloc *alloc, uint32_t memory)
{
    if (memory < GM_LAGGED_MEMORY_MIN) memory = GM_LAGGED_MEMORY_MIN;
    if (memory > GM_LAGGED_MEMORY_MAX) memory = GM_LAGGED_MEMORY_MAX;
    gm_lagged *l = gm_alloc_zeroed(alloc, sizeof *l);
    if (l == NULL) return NULL;
    l->alloc   = alloc;
    l->memory  = memory;
    l->raw     = gm_alloc_zeroed(alloc, 2 * (size_t)memory * sizeof *l->raw);
    l->white   = gm_alloc_zeroed(alloc, 2 * (size_t)memory * sizeof *l->white);
    l->strange = gm_alloc_zeroed(alloc, memory * sizeof *l->strange);
    if (l->raw != NULL && l->white != NULL && l->strange != NULL) return l;
    gm_lagged_destroy(l);
    return NULL;
}

void gm_lagged_destroy(gm_lagged *l)
{
    if (l == NULL) return;
    gm_free(l->alloc, l->raw);
    gm_free(l->alloc, l->white);
    gm_free(l->alloc, l->strange);
    gm_free(l->alloc, l);
}

static void whiten(const gm_lagged *l, const window *in, window *out)
{
    double y[DIM];
    for (int i = 0; i < DIM; i++) {
        double sum = in->v[i];
        for (int k = 0; k < i; k++) sum -= l->factor[i][k] * y[k];
        y[i]      = sum / l->factor[i][i];
        out->v[i] = (float)y[i];
    }
}

// The factor of the remembered windows' second moments; a small part of their size on the diagonal keeps a signal that
// hardly moves from dividing by nothing.
static void refactor(gm_lagged *l, uint32_t count)
{
    double m[DIM][DIM] = { { 0 } }, trace = 0;
    for (uint32_t w = 0; w < count; w++)
        for (int i = 0; i < DIM; i++)
            for (int k = 0; k <= i; k++) m[i][k] += (double)l->raw[w].v[i] * l->raw[w].v[k];
    for (int i = 0; i < DIM; i++) trace += m[i][i];
    double floor = fmax(1e-7 * trace / DIM, 1e-30);
    for (int i = 0; i < DIM; i++) {
        for (int k = 0; k <= i; k++) {
            double sum = m[i][k] + (i == k ? floor : 0);
            for (int j = 0; j < k; j++) sum -= m[i][j] * m[k][j];
            m[i][k] = i == k ? sqrt(fmax(sum, floor)) : sum / m[k][k];
        }
    }
    memcpy(l->factor, m, sizeof m);
    for (uint32_t w = 0; w < count; w++) whiten(l, &l->raw[w], &l->white[w]);
    l->whitened = true;
}

static void keep_smallest(float *kept, int *count, int most, float d)
{
    if (*count == most && d >= kept[most - 1]) return;
    int at = *count < most ? (*count)++ : most - 1;
    while (at > 0 && kept[at - 1] > d) {
        kept[at] = kept[at - 1];
        at--;
    }
    kept[at] = d;
}

// The sum of the least distances to the windows that are compared with; `except` is the window itself.
static double strangeness(const gm_lagged *l, const window *w, uint32_t from, uint32_t count, uint32_t except)
{
    float    kept[NEAREST];
    int      n    = 0;
    uint32_t ring = 2 * l->memory;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = from + i < ring ? from + i : from + i - ring;
        if (at == except) continue;
        float d = 0, most = n == NEAREST ? kept[NEAREST - 1] : INFINITY;
        for (int k = 0; k < DIM && d < most; k++) {
            float e = w->v[k] - l->white[at].v[k];
            d += e * e;
        }
        keep_smallest(kept, &n, NEAREST, d);
    }
    double sum = 0;
    for (int i = 0; i < n; i++) sum += kept[i];
    return sum;
}

static void remember(gm_lagged *l, double strange)
{
    l->strange[l->strange_at] = strange;
    l->strange_at             = (l->strange_at + 1) % l->memory;
    if (l->strange_count < l->memory) l->strange_count++;
}

static double rank_of(const gm_lagged *l, double strange)
{
    uint32_t above = 0;
    double   most  = 0;
    for (uint32_t i = 0; i < l->strange_count; i++) {
        above += l->strange[i] >= strange;
        most = fmax(most, l->strange[i]);
    }
    double s = -log10((above + 1.0) / (l->strange_count + 1.0));
    return above == 0 && most > 0 ? s + 0.5 * log10(strange / most) : s;
}

double gm_lagged_step(gm_lagged *l, double value)
{
    memmove(l->recent, l->recent + 1, (DIM - 1) * sizeof *l->recent);
    l->recent[DIM - 1] = value;
    if (++l->seen < DIM) return 0;

    uint32_t ring = 2 * l->memory, at = l->windows % ring;
    window   w;
    for (int i = 0; i < DIM; i++) w.v[i] = (float)l->recent[i];
    l->raw[at] = w;
    l->windows++;
    if (l->windows < l->memory) return 0;
    if (l->windows == l->memory) {
        refactor(l, l->memory);
        for (uint32_t i = 0; i < l->memory; i++) remember(l, strangeness(l, &l->white[i], 0, l->memory, i));
        return 0;
    }
    if (l->windows % (l->memory / 2) == 0) refactor(l, l->windows < ring ? l->windows : ring);
    whiten(l, &w, &l->white[at]);
    // The newest `memory` windows wait: a slow change must not become its own past.
    uint32_t oldest  = l->windows > ring ? at + 1 : 0;
    double   strange = strangeness(l, &l->white[at], oldest % ring, l->memory, at);
    double   result  = rank_of(l, strange);
    remember(l, strange);
    return result;
}
