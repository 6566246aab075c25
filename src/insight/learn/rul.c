// Predicting with a model of remaining life.
#include "insight/learn/rul.h"

#include "insight/learn/rul_model.h"

#include <math.h>
#include <stdlib.h>

double gm_rul_level_share(gm_rul_level level)
{
    static const double share[GM_RUL_LEVELS] = { 0.5, 0.8, 0.9, 0.95 };
    return share[level];
}

void gm_rul_destroy(gm_rul_model *m)
{
    if (m == NULL) return;
    for (uint32_t i = 0; i < m->member_count; i++) gm_trees_destroy(m->members[i].trees);
    gm_free(m->alloc, m->predicted);
    gm_free(m->alloc, m->error);
    gm_free(m->alloc, m->held_back);
    gm_free(m->alloc, m->past);
    gm_free(m->alloc, m->past_index);
    gm_free(m->alloc, m);
}

gm_rul_facts gm_rul_model_facts(const gm_rul_model *m)
{
    return m->facts;
}
const double *gm_rul_held_back(const gm_rul_model *m)
{
    return m->held_back;
}

void gm_rul_normalise(const gm_channels *ch, const double *rows, size_t n, double *z)
{
    for (size_t i = 0; i < n; i++)
        gm_channels_apply(ch, rows + i * (ch->settings + ch->sensors), z + i * (ch->count + 1));
}

void gm_rul_index(const gm_channels *ch, const double *c, size_t n, double *z)
{
    for (size_t i = 0; i < n; i++) {
        double *row = z + i * (ch->count + 1), sum = c[ch->count];
        // A missing sensor counts as its usual value; a row without any has no index.
        uint32_t present = 0;
        for (uint32_t k = 0; k < ch->count; k++) {
            if (isnan(row[k])) continue;
            sum += c[k] * row[k];
            present++;
        }
        row[ch->count] = present > 0 ? sum : NAN;
    }
}

gm_status gm_rul_health(const gm_rul_model *m, const gm_alloc *alloc, const double *rows, size_t n, double *out, gm_error *err)
{
    size_t  width                     = m->channels.count + (size_t)1;
    double *z                         = gm_alloc_array(alloc, n * width, sizeof *z);
    double  mean[GM_CHANNELS_MAX + 1] = { 0 };
    if (z == NULL) return gm_fail(err, GM_NOMEM, "insight.rul", "%zu rows", n);
    for (uint32_t i = 0; i < m->member_count; i++)
        for (size_t c = 0; c < width; c++) mean[c] += m->members[i].index[c] / m->member_count;
    gm_rul_normalise(&m->channels, rows, n, z);
    gm_rul_index(&m->channels, mean, n, z);
    for (size_t i = 0; i < n; i++) out[i] = z[i * width + width - 1];
    gm_free(alloc, z);
    return GM_OK;
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

// Conformal: the rank is ceil(q (n + 1)), so that with exchangeable assets the share below is at least q.
static double quantile(const float *sorted, size_t n, double q)
{
    double rank = q * (double)(n + 1) - 1;
    if (rank <= 0) return sorted[0];
    if (rank >= (double)(n - 1)) return sorted[n - 1];
    size_t low = (size_t)rank;
    return sorted[low] + (rank - (double)low) * (sorted[low + 1] - sorted[low]);
}

static double clamp(double v, double low, double high)
{
    return v < low ? low : v > high ? high : v;
}

// Central intervals from the errors at the predictions nearest to `rul`.
static void intervals(const gm_rul_model *m, double rul, gm_rul_prediction *out)
{
    size_t n = m->calibration_count, want = n < GM_RUL_NEIGHBOURS ? n : GM_RUL_NEIGHBOURS;
    float  errors[GM_RUL_NEIGHBOURS];
    // The window of `want` calibration rows around the prediction: grow towards the nearer side.
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (m->predicted[mid] < rul)
            low = mid + 1;
        else
            high = mid;
    }
    high = low;
    while (high - low < want) {
        if (high == n || (low > 0 && rul - m->predicted[low - 1] <= m->predicted[high] - rul))
            low--;
        else
            high++;
    }
    memcpy(errors, m->error + low, want * sizeof *errors);
    qsort(errors, want, sizeof *errors, by_value);
    double cap = m->facts.cap;
    for (int l = 0; l < GM_RUL_LEVELS; l++) {
        double tail  = (1 - gm_rul_level_share((gm_rul_level)l)) / 2;
        out->low[l]  = clamp(rul + quantile(errors, want, tail), 0, cap);
        out->high[l] = clamp(rul + quantile(errors, want, 1 - tail), 0, cap);
    }
    for (int i = 0; i < GM_RUL_QUANTILES; i++)
        out->quantiles[i] = clamp(rul + quantile(errors, want, 0.05 * (i + 1)), 0, cap);
}

gm_status gm_rul_predict(const gm_rul_model *m, const gm_alloc *alloc, const double *rows, size_t n, double age,
                         gm_rul_prediction *out, gm_error *err)
{
    const gm_channels *ch      = &m->channels;
    uint32_t           columns = gm_rul_columns(ch, m->facts.age), width = ch->count + 1;
    if (n == 0) return gm_fail(err, GM_INVALID, "insight.rul", "no rows to predict from");
    double   *z    = gm_alloc_array(alloc, n * width, sizeof *z);
    float    *last = gm_alloc_array(alloc, columns, sizeof *last);
    gm_status st   = GM_OK;
    if (z == NULL || last == NULL) {
        st = gm_fail(err, GM_NOMEM, "insight.rul", "%zu rows", n);
        goto done;
    }
    gm_rul_normalise(ch, rows, n, z);
    uint32_t present = 0;
    for (uint32_t c = 0; c < ch->count; c++) {
        gm_features_last(z + c, n, width, last + c * GM_FEATURES);
        if (!isnan(last[c * GM_FEATURES + GM_FEATURE_MEAN30])) present++;
    }
    if (present == 0) {
        st = gm_fail(err, GM_INVALID, "insight.rul", "no sensor has a value in the last 30 rows");
        goto done;
    }
    if (m->facts.age) last[columns - 1] = (float)(isnan(age) ? (double)n : age);

    double sum = 0;
    for (uint32_t i = 0; i < m->member_count; i++) {
        gm_rul_index(ch, m->members[i].index, n, z);
        gm_features_last(z + ch->count, n, width, last + ch->count * GM_FEATURES);
        sum += gm_trees_predict(m->members[i].trees, last);
    }
    *out        = (gm_rul_prediction) { .rul = clamp(sum / m->member_count, 0, m->facts.cap) };
    out->health = out->rul / m->facts.cap;
    intervals(m, out->rul, out);
done:
    gm_free(alloc, z);
    gm_free(alloc, last);
    return st;
}
