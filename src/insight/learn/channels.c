// Operating conditions and what is normal within them.
#include "insight/learn/channels.h"

#include <math.h>

enum { SAMPLE_MAX = 1500, ROUNDS = 30 };
// Members of a cluster lie at least five times nearer to their own centre than to the next one. One round cloud cut in
// two halves scores about 0.6, separate flight conditions above 0.95.
static const double SEPARATION_MIN = 0.8;

static double distance(const gm_channels *ch, const double *a, const double *b)
{
    double sum = 0;
    for (uint32_t i = 0; i < ch->settings && i < GM_SETTINGS_MAX; i++) {
        double d = a[i] - b[i];
        if (ch->setting_scale[i] > 0 && isfinite(d)) sum += d * d;
    }
    return sum;
}

static void scaled_settings(const gm_channels *ch, const double *row, double *out)
{
    for (uint32_t i = 0; i < ch->settings && i < GM_SETTINGS_MAX; i++) out[i] = row[i] * ch->setting_scale[i];
}

static uint32_t nearest(const gm_channels *ch, uint32_t k, const double *point, double *out_own, double *out_next)
{
    uint32_t best = 0;
    double   own = INFINITY, next = INFINITY;
    for (uint32_t c = 0; c < k; c++) {
        double d = distance(ch, point, ch->centre[c]);
        if (d < own) {
            next = own;
            own  = d;
            best = c;
        } else if (d < next) {
            next = d;
        }
    }
    if (out_own != NULL) *out_own = own;
    if (out_next != NULL) *out_next = next;
    return best;
}

// Lloyd's rounds from centres that were each the farthest point from those before. Returns the mean of
// 1 - own / next distance (the simplified silhouette).
static double cluster(gm_channels *ch, uint32_t k, double (*points)[GM_SETTINGS_MAX], size_t n)
{
    memcpy(ch->centre[0], points[0], sizeof ch->centre[0]);
    for (uint32_t c = 1; c < k; c++) {
        size_t far   = 0;
        double worst = -1;
        for (size_t i = 0; i < n; i++) {
            double own;
            nearest(ch, c, points[i], &own, NULL);
            if (own > worst) {
                worst = own;
                far   = i;
            }
        }
        memcpy(ch->centre[c], points[far], sizeof ch->centre[c]);
    }
    for (int round = 0; round < ROUNDS; round++) {
        double sum[GM_CONDITIONS_MAX][GM_SETTINGS_MAX] = { { 0 } };
        size_t members[GM_CONDITIONS_MAX]              = { 0 };
        for (size_t i = 0; i < n; i++) {
            uint32_t c = nearest(ch, k, points[i], NULL, NULL);
            members[c]++;
            for (uint32_t s = 0; s < ch->settings; s++) sum[c][s] += points[i][s];
        }
        for (uint32_t c = 0; c < k; c++)
            for (uint32_t s = 0; s < ch->settings && members[c] > 0; s++)
                ch->centre[c][s] = sum[c][s] / (double)members[c];
    }
    double total = 0;
    for (size_t i = 0; i < n; i++) {
        double own, next;
        nearest(ch, k, points[i], &own, &next);
        total += next > 0 ? 1 - sqrt(own / next) : 0;
    }
    return total / (double)n;
}

static void scale_settings(const gm_fleet *fleet, gm_channels *ch)
{
    for (uint32_t s = 0; s < ch->settings; s++) {
        double mean = 0, m2 = 0, n = 0, size = 0;
        for (size_t i = 0; i < fleet->rows; i++) {
            double v = gm_fleet_row(fleet, i)[s];
            if (isnan(v)) continue;
            n++;
            double d = v - mean;
            mean += d / n;
            m2 += d * (v - mean);
            size = fmax(size, fabs(v));
        }
        double deviation     = n > 1 ? sqrt(m2 / n) : 0;
        ch->setting_scale[s] = deviation > 1e-9 * size && deviation > 0 ? 1 / deviation : 0;
    }
}

static gm_status find_conditions(const gm_alloc *alloc, const gm_fleet *fleet, gm_channels *ch, gm_error *err)
{
    double(*points)[GM_SETTINGS_MAX] = gm_alloc_zeroed(alloc, SAMPLE_MAX * sizeof *points);
    if (points == NULL) return gm_fail(err, GM_NOMEM, "insight.channels", "conditions");
    scale_settings(fleet, ch);
    size_t n = 0, step = fleet->rows / SAMPLE_MAX + 1;
    for (size_t i = 0; i < fleet->rows && n < SAMPLE_MAX; i += step) {
        bool whole = true;
        for (uint32_t s = 0; s < ch->settings; s++) whole = whole && !isnan(gm_fleet_row(fleet, i)[s]);
        if (whole) scaled_settings(ch, gm_fleet_row(fleet, i), points[n++]);
    }
    double   best_score = SEPARATION_MIN;
    uint32_t best       = 1;
    for (uint32_t k = 2; k <= GM_CONDITIONS_MAX && k <= n; k++) {
        double score = cluster(ch, k, points, n);
        // More clusters than there are points of their own split one in two; ties go to fewer.
        if (score > best_score + 1e-3) {
            best_score = score;
            best       = k;
        }
    }
    ch->conditions = best;
    if (n > 0) cluster(ch, best, points, n);
    gm_free(alloc, points);
    return GM_OK;
}

uint32_t gm_channels_condition(const gm_channels *ch, const double *row)
{
    if (ch->conditions <= 1) return 0;
    double point[GM_SETTINGS_MAX];
    scaled_settings(ch, row, point);
    return nearest(ch, ch->conditions, point, NULL, NULL);
}

void gm_channels_apply(const gm_channels *ch, const double *row, double *z)
{
    uint32_t      c      = gm_channels_condition(ch, row);
    const double *sensor = row + ch->settings;
    for (uint32_t i = 0; i < ch->count; i++) z[i] = (sensor[ch->sensor[i]] - ch->mean[c][i]) * ch->scale[c][i];
}

// Mean and deviation of one sensor in each condition. False: it never moves.
static bool fit_sensor(const gm_fleet *fleet, const uint8_t *condition, uint32_t sensor, gm_channels *ch, uint32_t at)
{
    double n[GM_CONDITIONS_MAX] = { 0 }, m2[GM_CONDITIONS_MAX] = { 0 }, size[GM_CONDITIONS_MAX] = { 0 };
    double centre[GM_CONDITIONS_MAX] = { 0 };
    bool   moves                     = false;
    for (size_t i = 0; i < fleet->rows; i++) {
        double   v = gm_fleet_row(fleet, i)[fleet->settings + sensor];
        uint32_t c = condition[i];
        if (isnan(v)) continue;
        n[c]++;
        double d = v - centre[c];
        centre[c] += d / n[c];
        m2[c] += d * (v - centre[c]);
        size[c] = fmax(size[c], fabs(v));
    }
    for (uint32_t c = 0; c < ch->conditions; c++) {
        double deviation = n[c] > 1 ? sqrt(m2[c] / n[c]) : 0;
        bool   usable    = deviation > 1e-9 * size[c] && deviation > 0;
        ch->mean[c][at]  = centre[c];
        ch->scale[c][at] = usable ? 1 / deviation : 0;
        moves            = moves || usable;
    }
    return moves;
}

gm_status gm_channels_fit(const gm_alloc *alloc, const gm_fleet *fleet, gm_channels *ch, gm_error *err)
{
    *ch = (gm_channels) { .settings = fleet->settings, .sensors = fleet->sensors, .conditions = 1 };
    if (fleet->rows < 2)
        return gm_fail(err, GM_INVALID, "insight.channels", "%zu rows, at least 2 are needed", fleet->rows);
    if (fleet->settings > GM_SETTINGS_MAX)
        return gm_fail(err, GM_LIMIT, "insight.channels", "%u settings, at most %d", fleet->settings, GM_SETTINGS_MAX);
    gm_status st = fleet->settings > 0 ? find_conditions(alloc, fleet, ch, err) : GM_OK;
    if (st != GM_OK) return st;
    uint8_t *condition = gm_alloc_bytes(alloc, fleet->rows);
    if (condition == NULL) return gm_fail(err, GM_NOMEM, "insight.channels", "%zu rows", fleet->rows);
    for (size_t i = 0; i < fleet->rows; i++) condition[i] = (uint8_t)gm_channels_condition(ch, gm_fleet_row(fleet, i));
    for (uint32_t s = 0; s < fleet->sensors && ch->count < GM_CHANNELS_MAX; s++) {
        if (!fit_sensor(fleet, condition, s, ch, ch->count)) continue;
        ch->sensor[ch->count++] = (uint16_t)s;
    }
    gm_free(alloc, condition);
    if (ch->count == 0)
        return gm_fail(err, GM_INVALID, "insight.channels", "no sensor ever changes; nothing can be learned");
    return GM_OK;
}
