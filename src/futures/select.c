#include "futures/select.h"

#include <math.h>

size_t gm_drop_nan(double *x, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isnan(x[i])) x[kept++] = x[i];
    }
    return kept;
}

static void swap(double *a, double *b)
{
    double t = *a;
    *a       = *b;
    *b       = t;
}

// Hoare's selection on x[low..high]: afterwards x[k] is in its place, nothing larger before it, nothing smaller behind.
static void place(double *x, size_t low, size_t high, size_t k)
{
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (x[middle] < x[low]) swap(&x[middle], &x[low]);
        if (x[high] < x[low]) swap(&x[high], &x[low]);
        if (x[high] < x[middle]) swap(&x[high], &x[middle]);
        double pivot = x[middle];
        size_t i = low, j = high;
        for (;;) {
            while (x[i] < pivot) i++;
            while (pivot < x[j]) j--;
            if (i >= j) break;
            swap(&x[i++], &x[j--]);
        }
        // x[low..j] <= pivot <= x[j+1..high]
        if (k <= j) high = j;
        else low = j + 1;
    }
}

void gm_quantiles(double *x, size_t n, const double *q, uint32_t count, double *out, size_t stride)
{
    size_t settled = 0;  // x[0..settled) are the smallest, from rising q before
    double last    = -1;
    for (uint32_t i = 0; i < count; i++) {
        if (n == 0) {
            out[i * stride] = NAN;
            continue;
        }
        double at    = q[i] * (double)(n - 1);
        size_t k     = (size_t)at;
        double share = at - (double)k;
        if (q[i] < last) settled = 0;
        last = q[i];
        place(x, settled, n - 1, k);
        settled      = k;
        double value = x[k];
        if (share > 0) {
            double next = x[k + 1];
            for (size_t j = k + 2; j < n; j++) next = x[j] < next ? x[j] : next;
            value += share * (next - value);
        }
        out[i * stride] = value;
    }
}
