// One signal, three views of it.
#include "insight/anomaly/stream.h"

#include "insight/anomaly/lagged.h"

#include <math.h>

enum { LEARN_MIN = 80, LEARN_MAX = GM_LAGGED_MEMORY_MAX, BURST_PAST = 1000 };
static const double TOLERANCE = 0.03;             // of the range seen, that a value may lie outside of it
static const double BEYOND    = 3;                // the least score of one that lies farther
static const double FOLLOW    = 0.5;              // how fast the one-step forecast follows
static const double BURST     = 0.3;              // and the mean of its errors
static const double OTHERS    = 0.2;              // what the weaker views add
static const double QUIET     = 0.2;              // of the learning stretch
static const double SPOKEN[3] = { 2.45, 1, 2.2 }; // a view that scores so much has spoken

typedef enum view { SHAPE, BEYOND_ALL, ERRORS, VIEWS } view;

struct gm_stream {
    const gm_alloc *alloc;
    gm_lagged      *lagged;
    uint32_t        learn, quiet[VIEWS]; // values that a view still keeps quiet
    uint64_t        seen;
    double          low, high;             // of all values
    double          forecast;              // exponential mean
    double          burst, mean, variance; // short mean of the errors, and how it is distributed
};

gm_stream *gm_stream_create(const gm_alloc *alloc, uint32_t learn)
{
    if (learn < LEARN_MIN) learn = LEARN_MIN;
    if (learn > LEARN_MAX) learn = LEARN_MAX;
    gm_stream *s = gm_alloc_zeroed(alloc, sizeof *s);
    if (s == NULL) return NULL;
    s->alloc  = alloc;
    s->learn  = learn;
    s->lagged = gm_lagged_create(alloc, learn - (GM_LAGGED_DIM - 1));
    if (s->lagged != NULL) return s;
    gm_stream_destroy(s);
    return NULL;
}

void gm_stream_destroy(gm_stream *s)
{
    if (s == NULL) return;
    gm_lagged_destroy(s->lagged);
    gm_free(s->alloc, s);
}

static double tell_once(gm_stream *s, view v, double score)
{
    if (s->quiet[v] > 0) {
        s->quiet[v]--;
        return 0;
    }
    if (score >= SPOKEN[v]) s->quiet[v] = (uint32_t)(QUIET * s->learn);
    return score;
}

// How far the value lies outside of everything seen.
static double beyond(gm_stream *s, double value)
{
    double range = s->high - s->low, outside = fmax(value - s->high, s->low - value), score = 0;
    if (s->seen > s->learn && outside > TOLERANCE * range)
        score = BEYOND + fmin(1, log10(1 + outside / (range > 0 ? range : 1)));
    s->high = fmax(s->high, value);
    s->low  = fmin(s->low, value);
    return score;
}

// How rare the short mean of the forecast's errors is, as the tail of a normal distribution. Errors of real signals
// have heavier tails, so the exponent is compressed.
static double errors(gm_stream *s, double value)
{
    double error = fabs(value - s->forecast), score = 0;
    s->forecast += FOLLOW * (value - s->forecast);
    s->burst += BURST * (error - s->burst);
    double off = s->burst - s->mean;
    if (s->seen > s->learn && s->variance > 0 && off > 0) {
        double z = fmin(off / sqrt(s->variance), 35);
        score    = 2.5 * log10(1 - log10(0.5 * erfc(z / sqrt(2)) + 1e-300));
    }
    double share = s->seen < s->learn ? 1.0 / (double)s->seen : 1.0 / BURST_PAST;
    s->mean += share * off;
    s->variance = (1 - share) * (s->variance + share * off * off);
    return score;
}

gm_stream_score gm_stream_step(gm_stream *s, double value)
{
    if (!isfinite(value)) return (gm_stream_score) { 0 };
    if (s->seen++ == 0) s->low = s->high = s->forecast = value;
    gm_stream_score out = {
        .shape  = tell_once(s, SHAPE, gm_lagged_step(s->lagged, value)),
        .beyond = tell_once(s, BEYOND_ALL, beyond(s, value)),
        .burst  = tell_once(s, ERRORS, errors(s, value)),
    };
    double most = fmax(out.shape, fmax(out.beyond, out.burst));
    out.total   = most + OTHERS * (out.shape + out.beyond + out.burst - most);
    return out;
}
