#include "control/maintain/policies.h"

#include "base/rng.h"

#include <math.h>

const char *gm_policy_name(gm_policy policy)
{
    static const char *const names[] = { "plan", "fixedInterval", "runToFailure" };
    return names[policy];
}

// One lane's sums, and then those of all: value, its square.
typedef struct tally { double cost, failures, jobs, down; } tally;
typedef struct sums { double sum[5], squares[5]; } sums;

static double life_of(const gm_policy_asset *a, const gm_policies_options *o, uint32_t lane, uint32_t stream, uint32_t life)
{
    double u = gm_rng_uniform(o->seed, lane, stream, life);
    if (life == 0) return gm_lifetime_draw(&a->now, u);
    return gm_life_scale(&a->renewal.life) * pow(-log(u), 1 / a->renewal.life.shape);
}

// When a policy has its next job, counted from the begin of a life; the first one began before now.
static double due(const gm_policy_asset *a, gm_policy policy, uint32_t life)
{
    if (policy == GM_POLICY_FAILURE) return INFINITY;
    if (policy == GM_POLICY_PLAN && life == 0) return a->planned;
    return life > 0 ? a->interval : fmax(0, a->interval - a->age);
}

static bool live(const gm_policy_asset *a, const gm_policies_options *o, gm_policy policy, uint32_t lane, uint32_t stream, tally *t)
{
    double at = 0;
    for (uint32_t life = 0; life < GM_POLICY_LIVES_MAX; life++) {
        double fails = life_of(a, o, lane, stream, life), wanted = due(a, policy, life);
        bool   failed = fails < wanted;
        at += failed ? fails : wanted;
        if (at >= o->horizon) return true;
        double down = failed ? a->renewal.failed_down : a->renewal.planned_down;
        t->cost += failed ? a->renewal.failed : a->renewal.planned;
        t->failures += failed;
        t->jobs += !failed;
        t->down += fmin(down, o->horizon - at);
        at += down;
        if (at >= o->horizon) return true;
    }
    return false;
}

static gm_policy_mean mean_of(const sums *s, int i, uint32_t lanes)
{
    double mean = s->sum[i] / lanes, variance = lanes > 1 ? fmax(0, s->squares[i] - lanes * mean * mean) / (lanes - 1) : 0;
    return (gm_policy_mean){ mean, 1.959964 * sqrt(variance / lanes) };
}

gm_status gm_policies_compare(const gm_policy_asset *assets, size_t count, const gm_policies_options *o, gm_policy_outcome out[GM_POLICY_COUNT], gm_error *err)
{
    sums   all[GM_POLICY_COUNT] = { 0 };
    double hours                = o->horizon * (double)(count > 0 ? count : 1);
    for (uint32_t lane = 0; lane < o->lanes; lane++) {
        double plan = 0;
        if (gm_mip_stopped(o->stop)) return gm_fail(err, GM_CANCELLED, "control.policies", "comparing policies was stopped");
        for (int p = 0; p < GM_POLICY_COUNT; p++) {
            tally t = { 0 };
            for (size_t i = 0; i < count; i++)
                if (!live(&assets[i], o, (gm_policy)p, lane, (uint32_t)i, &t))
                    return gm_fail(err, GM_LIMIT, "control.policies", "more than %d failures of one asset; \"life\" is too short for what is compared", GM_POLICY_LIVES_MAX);
            if (p == GM_POLICY_PLAN) plan = t.cost;
            const double values[5] = { t.cost, t.failures, t.jobs, 1 - t.down / hours, t.cost - plan };
            for (int i = 0; i < 5; i++) {
                all[p].sum[i] += values[i];
                all[p].squares[i] += values[i] * values[i];
            }
        }
    }
    for (int p = 0; p < GM_POLICY_COUNT; p++)
        out[p] = (gm_policy_outcome){ .cost = mean_of(&all[p], 0, o->lanes), .failures = mean_of(&all[p], 1, o->lanes), .jobs = mean_of(&all[p], 2, o->lanes),
                                      .availability = mean_of(&all[p], 3, o->lanes), .worse = mean_of(&all[p], 4, o->lanes) };
    return GM_OK;
}
