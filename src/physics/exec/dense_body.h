// physics/exec/dense_body.h, a template, a template: small dense systems, eight lanes side by side; included after a vec_*.h, DENSE_SOLVE names
// the function. Gaussian elimination with partial pivoting; rows are exchanged in each lane by itself, by selecting.
#include "physics/exec/backend.h"

enum { DENSE_LANES = 8 };

// Where mask is true, x and y change places.
static inline void exchange(double *x, double *y, vl mask)
{
    vd a = v_load(x), b = v_load(y);
    v_store(x, v_select(mask, b, a));
    v_store(y, v_select(mask, a, b));
}

static inline vd absolute(vd x) { return v_from_bits(v_bits(x) & v_int(INT64_MAX)); }

// Brings the largest element of column k, from row k down, to row k.
static void pivot(uint32_t n, double *a, double *b, uint32_t k, uint32_t lane)
{
    double *top = a + (size_t)k * n * DENSE_LANES + lane;
    for (uint32_t i = k + 1; i < n; i++) {
        double *row  = a + (size_t)i * n * DENSE_LANES + lane;
        vl      mask = v_lt(absolute(v_load(top + k * DENSE_LANES)), absolute(v_load(row + k * DENSE_LANES)));
        if (!v_any(mask)) continue;
        for (uint32_t j = k; j < n; j++) exchange(top + j * DENSE_LANES, row + j * DENSE_LANES, mask);
        exchange(b + k * DENSE_LANES + lane, b + i * DENSE_LANES + lane, mask);
    }
}

static void eliminate(uint32_t n, double *a, double *b, uint32_t lane)
{
    for (uint32_t k = 0; k < n; k++) {
        pivot(n, a, b, k, lane);
        double *top     = a + (size_t)k * n * DENSE_LANES + lane;
        vd      inverse = v_set(1) / v_load(top + k * DENSE_LANES), right = v_load(b + k * DENSE_LANES + lane);
        for (uint32_t i = k + 1; i < n; i++) {
            double *row    = a + (size_t)i * n * DENSE_LANES + lane;
            vd      factor = v_load(row + k * DENSE_LANES) * inverse;
            for (uint32_t j = k + 1; j < n; j++) {
                v_store(row + j * DENSE_LANES, v_fnma(factor, v_load(top + j * DENSE_LANES), v_load(row + j * DENSE_LANES)));
            }
            v_store(b + i * DENSE_LANES + lane, v_fnma(factor, right, v_load(b + i * DENSE_LANES + lane)));
        }
    }
    for (uint32_t k = n; k-- > 0;) {
        const double *row = a + (size_t)k * n * DENSE_LANES + lane;
        vd            sum = v_load(b + k * DENSE_LANES + lane);
        for (uint32_t j = k + 1; j < n; j++) sum = v_fnma(v_load(row + j * DENSE_LANES), v_load(b + j * DENSE_LANES + lane), sum);
        v_store(b + k * DENSE_LANES + lane, sum / v_load(row + k * DENSE_LANES));
    }
}

void DENSE_SOLVE(uint32_t n, double *a, double *b)
{
    for (uint32_t lane = 0; lane < DENSE_LANES; lane += VEC) eliminate(n, a, b, lane);
}
