#include "thread/usage.h"

gm_usage gm_usage_begin(double threshold, gm_time_ns from)
{
    return (gm_usage){ .threshold = threshold, .value = NAN, .at = from, .peak = NAN };
}

// Counts what held up to `at`.
static void pass(gm_usage *u, gm_time_ns at)
{
    if (at <= u->at) return;
    double seconds = (double)(at - u->at) / 1e9;
    u->at          = at;
    if (!(u->value > u->threshold)) return;
    u->running_s += seconds;
    u->integral += u->value * seconds;
    if (!(u->peak >= u->value)) u->peak = u->value;
}

void gm_usage_add(gm_usage *u, gm_time_ns at, double value)
{
    bool within = at > u->at, ran = u->value > u->threshold, known = !isnan(u->value);
    pass(u, at);
    if (within && known && !ran && value > u->threshold) u->starts++;
    u->value = value;
    u->samples++;
}

void gm_usage_end(gm_usage *u, gm_time_ns to) { pass(u, to); }
