#include "futures/select.h"

#include <math.h>
#include <stdbool.h>

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

// ---- many numbers: by buckets ---------------------------------------------------------------------------------------

enum { BUCKETS = 512, BUCKET_MAX = 2048, MANY = 512 };

typedef struct buckets {
    double   low, scale;
    uint32_t before[BUCKETS + 1];
} buckets; // before[b]: numbers in buckets below b

static inline uint32_t bucket_of(const buckets *b, double x)
{
    uint32_t i = (uint32_t)((x - b->low) * b->scale);
    return i < BUCKETS ? i : BUCKETS - 1;
}

// False: the numbers do not spread (all alike, or infinite).
static bool spread(buckets *b, const double *x, size_t n)
{
    double low = x[0], high = x[0];
    for (size_t i = 1; i < n; i++) {
        low  = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    *b = (buckets){ .low = low, .scale = BUCKETS / (high - low) };
    if (!(b->scale > 0) || !isfinite(b->scale) || n > UINT32_MAX) return false;
    for (size_t i = 0; i < n; i++) b->before[bucket_of(b, x[i]) + 1]++;
    for (int i = 0; i < BUCKETS; i++) b->before[i + 1] += b->before[i];
    return true;
}

// The numbers of rank k and k + 1 (the same twice for the last). False: too many in one bucket.
static bool neighbours(const buckets *b, const double *x, size_t n, size_t k, double *out_at, double *out_next)
{
    double   kept[BUCKET_MAX];
    uint32_t bucket = 0, m = 0;
    while (b->before[bucket + 1] <= k) bucket++;
    if (b->before[bucket + 1] - b->before[bucket] > BUCKET_MAX) return false;
    for (size_t i = 0; i < n; i++) {
        if (bucket_of(b, x[i]) == bucket) kept[m++] = x[i];
    }
    size_t rank = k - b->before[bucket];
    place(kept, 0, m - 1, rank);
    *out_at = *out_next = kept[rank];
    if (rank + 1 < m) {
        *out_next = kept[rank + 1];
        for (size_t j = rank + 2; j < m; j++) *out_next = kept[j] < *out_next ? kept[j] : *out_next;
    } else if (k + 1 < n) {
        while (b->before[bucket + 1] <= k + 1) bucket++;
        *out_next = INFINITY;
        for (size_t i = 0; i < n; i++) {
            if (x[i] < *out_next && bucket_of(b, x[i]) == bucket) *out_next = x[i];
        }
    }
    return true;
}

void gm_quantiles(double *x, size_t n, const double *q, uint32_t count, double *out, size_t stride)
{
    size_t  settled = 0;  // x[0..settled) are the smallest, from rising q before
    double  last = -1, next;
    buckets b;
    b.low = b.scale = 0;
    bool    many = n >= MANY && spread(&b, x, n);
    for (uint32_t i = 0; i < count; i++) {
        if (n == 0) {
            out[i * stride] = NAN;
            continue;
        }
        double at    = q[i] * (double)(n - 1);
        size_t k     = (size_t)at;
        double share = at - (double)k;
        if (many && neighbours(&b, x, n, k, &out[i * stride], &next)) {
            if (share > 0) out[i * stride] += share * (next - out[i * stride]);
            continue;
        }
        if (q[i] < last) settled = 0;
        last = q[i];
        place(x, settled, n - 1, k);
        settled      = k;
        double value = x[k];
        if (share > 0) {
            next = x[k + 1];
            for (size_t j = k + 2; j < n; j++) next = x[j] < next ? x[j] : next;
            value += share * (next - value);
        }
        out[i * stride] = value;
    }
}
