// What a request must be before a lane runs. Every refusal says what to change.
#include "futures/fmu_model.h"
#include "futures/scheme.h"

#include <math.h>

static const char where[] = "futures";

static gm_status check_time(const gm_futures_request *r, gm_error *err)
{
    bool fixed = r->method == GM_FUTURES_FIXED || r->method == GM_FUTURES_EULER;
    if (!(r->horizon_s > 0) || !isfinite(r->horizon_s))
        return gm_fail(err, GM_INVALID, where, "a horizon of %g s; it must be above 0", r->horizon_s);
    if (fixed && (!(r->step_s > 0) || r->step_s > r->horizon_s))
        return gm_fail(err, GM_INVALID, where, "a step of %g s; it must be above 0 and at most the horizon of %g s",
                       r->step_s, r->horizon_s);
    if (fixed && r->horizon_s / r->step_s > GM_FUTURES_STEPS_MAX) {
        return gm_fail(err, GM_LIMIT, where, "%.3g steps of %g s; at most %d: take a longer step or a shorter horizon",
                       r->horizon_s / r->step_s, r->step_s, GM_FUTURES_STEPS_MAX);
    }
    if (!fixed && !(r->tolerance >= 1e-12 && r->tolerance <= 0.1))
        return gm_fail(err, GM_INVALID, where, "a tolerance of %g; it must lie in 1e-12..0.1", r->tolerance);
    if (!(r->every_s >= 0) || !isfinite(r->every_s))
        return gm_fail(err, GM_INVALID, where, "looking every %g s; it must not be negative", r->every_s);
    if (r->points < 1 || r->points >= GM_FUTURES_POINTS_MAX)
        return gm_fail(err, GM_INVALID, where, "%u output points; 1 to %d", r->points, GM_FUTURES_POINTS_MAX - 1);
    return GM_OK;
}

static gm_status check_slot(const gm_futures_request *r, gm_str name, gm_slot slot, double scale, double offset,
                            gm_error *err)
{
    if (slot.v >= gm_program_slot_count(r->program)) {
        return gm_fail(err, GM_INVALID, where, "'" GM_STR_FMT "': the program has no slot %u",
                       GM_STR_ARG(gm_str_slice(name, 0, 80)), slot.v);
    }
    if (scale == 0 || !isfinite(scale) || !isfinite(offset)) {
        return gm_fail(err, GM_INVALID, where, "'" GM_STR_FMT "': a unit with the factor %g",
                       GM_STR_ARG(gm_str_slice(name, 0, 80)), scale);
    }
    return GM_OK;
}

static gm_status refuse(const gm_vary *v, gm_error *err, const char *why)
{
    return gm_fail(err, GM_INVALID, where, GM_STR_FMT ": %s", GM_STR_ARG(gm_str_slice(v->name, 0, 80)), why);
}

static const char *wrong_numbers(const gm_vary *v, double horizon)
{
    for (uint32_t i = 0; v->kind == GM_VARY_LIST || v->kind == GM_VARY_GRID || v->kind == GM_VARY_SERIES; i++) {
        if (v->count == 0) return "a list of values needs at least one";
        if (i == v->count) break;
        if (!isfinite(v->values[i])) return "every value must be a finite number";
        if (v->kind == GM_VARY_SERIES && (!isfinite(v->times[i]) || (i > 0 && !(v->times[i] > v->times[i - 1]))))
            return "the times of a series must rise";
    }
    if (v->kind == GM_VARY_OU &&
        !(isfinite(v->p[0]) && v->p[1] >= 0 && isfinite(v->p[1]) && v->p[2] > 0 && isfinite(v->p[2])))
        return "ou(mean, sd, time constant): the sd must not be negative, the time constant must be above 0";
    if (v->kind == GM_VARY_POISSON) {
        if (!(v->p[0] >= 0 && isfinite(v->p[0]) && isfinite(v->p[1]) && v->p[2] > 0 && isfinite(v->p[2])))
            return "poisson(rate, height, decay time): the rate must not be negative, the decay time must be above 0";
        if (v->p[0] * horizon > 1e7) return "more than 10,000,000 events in a lane; lower the rate";
    }
    return NULL;
}

static gm_status check_vary(const gm_futures_request *r, const gm_vary *v, gm_error *err)
{
    gm_status st = check_slot(r, v->name, v->slot, v->scale, v->offset, err);
    if (st != GM_OK) return st;
    const gm_slot_spec *slot  = gm_program_slot(r->program, v->slot);
    bool                moves = v->kind == GM_VARY_SERIES || v->kind == GM_VARY_OU || v->kind == GM_VARY_POISSON;
    if (slot->kind != GM_SLOT_STATE && slot->kind != GM_SLOT_INPUT && slot->kind != GM_SLOT_PARAMETER &&
        slot->kind != GM_SLOT_DISCRETE)
        return refuse(v, err, "is computed by the model; only states, inputs and parameters can be changed");
    if (slot->flags & GM_SLOT_DEPENDENT) return refuse(v, err, "is computed from other parameters; change those");
    if (moves && slot->kind == GM_SLOT_STATE)
        return refuse(v, err, "is a state, which moves by itself; drive an input or a parameter");
    const char *wrong = wrong_numbers(v, r->horizon_s);
    if (wrong != NULL) return refuse(v, err, wrong);
    if (v->kind == GM_VARY_LAW && (st = gm_law_check(&v->law, err)) != GM_OK) return st;
    if (v->lasts_s < 0 || !isfinite(v->lasts_s)) return refuse(v, err, "it can not last a negative time");
    if (v->lasts_s > 0 && slot->kind == GM_SLOT_STATE)
        return refuse(v, err, "is a state; there is nothing to go back to when the change ends");
    if (!v->scheduled) return GM_OK;
    if ((st = gm_law_check(&v->from, err)) != GM_OK) return st;
    if (v->from.kind != GM_LAW_POINT) return GM_OK;
    if (v->from.p[0] < 0) return refuse(v, err, "a change before the fork; give a time of 0 or later");
    if (v->from.p[0] > r->horizon_s) {
        return gm_fail(err, GM_INVALID, where,
                       GM_STR_FMT ": a change at %g s, behind the horizon of %g s; change it earlier or look further",
                       GM_STR_ARG(gm_str_slice(v->name, 0, 80)), v->from.p[0], r->horizon_s);
    }
    return GM_OK;
}

static bool is_moving(const gm_vary *v)
{
    return v->kind == GM_VARY_SERIES || v->kind == GM_VARY_OU || v->kind == GM_VARY_POISSON;
}

// What moves at every tick has the slot for itself from then on.
static gm_status check_conflicts(const gm_vary *const *all, uint32_t count, gm_error *err)
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; is_moving(all[i]) && j < count; j++) {
            if (i == j || all[i]->slot.v != all[j]->slot.v || !(is_moving(all[j]) || all[j]->scheduled)) continue;
            return refuse(
                all[i], err,
                "is driven by a series or a process; a second one, or a scheduled change of it, would be overwritten");
        }
    }
    return GM_OK;
}

static gm_status check_scenario(const gm_futures_request *r, const gm_scenario *scenario, uint32_t *total,
                                gm_error *err)
{
    uint32_t own = scenario != NULL ? scenario->vary_count : 0;
    *total += own;
    if (r->vary_count + own > GM_FUTURES_VARY_MAX || *total > GM_FUTURES_VARY_MAX)
        return gm_fail(err, GM_LIMIT, where, "more than %d variations", GM_FUTURES_VARY_MAX);
    const gm_vary *all[GM_FUTURES_VARY_MAX];
    gm_status      st      = GM_OK;
    uint64_t       product = 1;
    for (uint32_t i = 0; st == GM_OK && i < r->vary_count + own; i++) {
        all[i] = i < r->vary_count ? &r->vary[i] : &scenario->vary[i - r->vary_count];
        st     = check_vary(r, all[i], err);
        if (all[i]->kind == GM_VARY_GRID && product <= r->lanes) product *= all[i]->count;
    }
    if (st != GM_OK) return st;
    if (product > r->lanes)
        return gm_fail(err, GM_INVALID, where,
                       "the grid has more than %u combinations, one lane each; ask for more lanes or coarser grids",
                       r->lanes);
    return check_conflicts(all, r->vary_count + own, err);
}

static gm_status check_watched(const gm_futures_request *r, const gm_watched *w, gm_error *err)
{
    return check_slot(r, w->name, w->slot, w->scale, w->offset, err);
}

static gm_status check_looked_at(const gm_futures_request *r, gm_error *err)
{
    gm_status st = GM_OK;
    if (r->output_count + r->condition_count + r->score_count == 0)
        return gm_fail(err, GM_INVALID, where, "nothing to look at; name at least one output, condition or score");
    if (r->output_count > GM_FUTURES_OUTPUTS_MAX || r->condition_count > GM_FUTURES_WATCH_MAX ||
        r->score_count > GM_FUTURES_WATCH_MAX || r->exceedance_count > GM_FUTURES_WATCH_MAX ||
        r->quantile_count > 100 || r->bins > 1000) {
        return gm_fail(err, GM_LIMIT, where,
                       "at most %d outputs, %d conditions, scores and exceedances each, 100 quantiles, 1,000 bins",
                       GM_FUTURES_OUTPUTS_MAX, GM_FUTURES_WATCH_MAX);
    }
    for (uint32_t i = 0; st == GM_OK && i < r->output_count; i++) st = check_watched(r, &r->outputs[i], err);
    for (uint32_t i = 0; st == GM_OK && i < r->condition_count; i++) st = check_watched(r, &r->conditions[i].of, err);
    for (uint32_t i = 0; st == GM_OK && i < r->score_count; i++) st = check_watched(r, &r->scores[i].of, err);
    for (uint32_t i = 0; st == GM_OK && i < r->exceedance_count; i++) {
        if (r->exceedances[i].output >= r->output_count)
            st = gm_fail(err, GM_INVALID, where, "exceedance of output %u of %u", r->exceedances[i].output,
                         r->output_count);
    }
    for (uint32_t i = 0; st == GM_OK && i < r->quantile_count; i++) {
        if (!(r->quantiles[i] >= 0 && r->quantiles[i] <= 1))
            st = gm_fail(err, GM_INVALID, where, "a quantile of %g; 0 to 1", r->quantiles[i]);
    }
    return st;
}

static gm_status check_memory(const gm_futures_request *r, gm_error *err)
{
    uint64_t scenarios = r->scenario_count > 0 ? r->scenario_count : 1, points = (uint64_t)r->points + 2;
    uint64_t views     = r->members > 1 ? 1 + (uint64_t)r->members : 1, lanes = (uint64_t)r->lanes * r->members;
    uint64_t each      = ((uint64_t)r->output_count * points + r->condition_count + r->score_count + 2) * 8;
    uint64_t told      = ((uint64_t)r->output_count * (r->quantile_count + 2u) + r->exceedance_count + r->condition_count) * points * 8;
    uint64_t result    = views * scenarios * told;
    if (r->members == 0 || r->members > GM_FUTURES_MEMBERS_MAX)
        return gm_fail(err, GM_LIMIT, where, "a fleet of %u groups; 1 to %d", r->members, GM_FUTURES_MEMBERS_MAX);
    if (r->lanes == 0 || r->lanes > GM_FUTURES_LANES_MAX || lanes * scenarios > GM_FUTURES_LANES_MAX)
        return gm_fail(err, GM_LIMIT, where, "%llu lanes in all scenarios; 1 to %d",
                       (unsigned long long)(lanes * scenarios), GM_FUTURES_LANES_MAX);
    if (result > r->memory_max)
        return gm_fail(err, GM_LIMIT, where,
                       "the results of %u groups need %llu MB, the limit is %llu MB; ask for fewer points or outputs",
                       r->members, (unsigned long long)(result >> 20), (unsigned long long)((uint64_t)r->memory_max >> 20));
    uint64_t all = each * scenarios * lanes;  // 2^22 * (2^8 * 2^14 * 2^3) fits
    if (all <= r->memory_max) return GM_OK;
    return gm_fail(err, GM_LIMIT, where,
                   "%u lanes x %u outputs x %llu points x %llu scenarios need %llu MB, the limit is %llu MB; "
                   "%llu lanes would fit",
                   r->lanes, r->output_count, (unsigned long long)points, (unsigned long long)scenarios,
                   (unsigned long long)(all >> 20), (unsigned long long)((uint64_t)r->memory_max >> 20),
                   (unsigned long long)(r->memory_max / (each * scenarios * r->members)));
}

static gm_status check_members(const gm_futures_request *r, gm_error *err)
{
    size_t slots = gm_program_slot_count(r->program);
    for (uint32_t m = 1; m < r->members; m++) {
        if (r->base[m * slots + GM_TIME_SLOT.v] != r->base[GM_TIME_SLOT.v])
            return gm_fail(err, GM_INVALID, where, "the groups of a fleet are forked at different times");
    }
    return GM_OK;
}

gm_status gm_futures_check(const gm_futures_request *r, gm_error *err)
{
    uint32_t  total = r->vary_count;
    gm_status st    = check_time(r, err);
    if (st == GM_OK && r->scenario_count > GM_FUTURES_SCENARIO_MAX)
        st = gm_fail(err, GM_LIMIT, where, "%u scenarios; at most %d", r->scenario_count, GM_FUTURES_SCENARIO_MAX);
    if (st == GM_OK) st = check_looked_at(r, err);
    if (st == GM_OK) st = check_memory(r, err);
    if (st == GM_OK) st = check_members(r, err);
    if (st == GM_OK && r->fmu != NULL) st = gm_fmu_model_check(r->fmu, r, err);
    if (st == GM_OK && r->scenario_count == 0) st = check_scenario(r, NULL, &total, err);
    for (uint32_t i = 0; st == GM_OK && i < r->scenario_count; i++)
        st = check_scenario(r, &r->scenarios[i], &total, err);
    return st;
}
