#include "control/optimise/planner.h"

#include "control/optimise/goal.h"
#include "control/optimise/scenarios.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char WHERE[] = "control.planner";

enum { PRICE_S = 300 };  // tariffs are looked up every five minutes

typedef struct bound { gm_str name; gm_group_variable of; double before, without; } bound;

struct gm_planner {
    const gm_alloc      *alloc;
    const gm_plan_setup *setup;
    const gm_group      *group;
    gm_mpc              *mpc;
    gm_tariff            tariff;
    bool                 has_tariff, solved;
    gm_goal             *goals;        // [goal_count] goals, then limits
    gm_mpc_term         *terms;        // the same ones
    gm_mpc_input        *inputs;
    bound               *moves;        // [inputs]
    uint32_t             goal_count;
    double              *price;        // [price_count]
    uint32_t             price_count;
    gm_arena            *arena;        // of unknown
    gm_scenarios         unknown;
    gm_settings          ranking;
    double              *plans;        // [GM_PLANNER_WITHOUT + 1][inputs][knots] scratch: as it is, then without each input
    double               shifted_to;   // program time up to which the plan's beginning has been dropped
};

static gm_status named(const gm_planner *p, gm_status st, gm_error *err)
{
    char text[sizeof err->text];
    if (st == GM_OK || err == NULL) return st;
    snprintf(text, sizeof text, "%s", err->text);
    return gm_fail(err, st, WHERE, "plan '" GM_STR_FMT "': %.150s", GM_STR_ARG(gm_str_slice(p->setup->name, 0, 40)), text);
}

// ---- life cycle ---------------------------------------------------------------------------------------------------

static gm_status bind_inputs(gm_planner *p, gm_error *err)
{
    gm_status st = GM_OK;
    for (uint32_t i = 0; st == GM_OK && i < p->setup->inputs.count; i++) {
        gm_str text = p->setup->inputs.items[i];
        st = gm_goal_parse_input(p->group, text, &p->inputs[i], &p->moves[i].of, err);
        p->moves[i].name = gm_str_trim(gm_str_slice(text, 0, gm_str_find_char(text, '=')));
    }
    return st;
}

static gm_status bind_goals(gm_planner *p, gm_error *err)
{
    const gm_plan_setup *s  = p->setup;
    gm_status            st = GM_OK;
    for (uint32_t i = 0; st == GM_OK && i < s->goals.count; i++) st = gm_goal_parse(p->group, s->goals.items[i], &p->goals[p->goal_count++], err);
    for (uint32_t i = 0; st == GM_OK && i < s->limits.count; i++) st = gm_goal_parse_limit(p->group, s->limits.items[i], s->penalty, &p->goals[p->goal_count++], err);
    if (st == GM_OK && s->tariff.len > 0) st = gm_goal_parse_tariff(s->tariff, &p->tariff, err);
    p->has_tariff = s->tariff.len > 0;
    for (uint32_t i = 0; st == GM_OK && i < p->goal_count; i++) {
        p->terms[i] = p->goals[i].term;
        if (!p->has_tariff || !p->goals[i].priced) continue;
        p->terms[i].price       = p->price;
        p->terms[i].price_count = p->price_count;
        p->terms[i].price_s     = PRICE_S;
    }
    return st;
}

gm_status gm_planner_create(const gm_alloc *alloc, const gm_plan_setup *setup, const gm_group *group, gm_planner **out_planner, gm_error *err)
{
    gm_planner *p = gm_alloc_zeroed(alloc, sizeof *p);
    *out_planner  = NULL;
    if (p == NULL) return gm_fail(err, GM_NOMEM, WHERE, "binding a plan");
    size_t terms = (size_t)setup->goals.count + setup->limits.count, inputs = setup->inputs.count;
    *p = (gm_planner){ .alloc = alloc, .setup = setup, .group = group };
    p->price_count = (uint32_t)ceil(setup->mpc.knots * setup->mpc.knot_s / PRICE_S) + 1;
    p->goals  = gm_alloc_zeroed(alloc, (terms + 1) * sizeof *p->goals);
    p->terms  = gm_alloc_zeroed(alloc, (terms + 1) * sizeof *p->terms);
    p->inputs = gm_alloc_zeroed(alloc, (inputs + 1) * sizeof *p->inputs);
    p->moves  = gm_alloc_zeroed(alloc, (inputs + 1) * sizeof *p->moves);
    p->price  = gm_alloc_zeroed(alloc, p->price_count * sizeof *p->price);
    p->plans  = gm_alloc_array(alloc, (GM_PLANNER_WITHOUT + (size_t)1) * inputs * setup->mpc.knots, sizeof *p->plans);
    bool      got = p->goals != NULL && p->terms != NULL && p->inputs != NULL && p->moves != NULL && p->price != NULL && p->plans != NULL;
    gm_status st  = got ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "binding a plan");
    if (st == GM_OK) st = named(p, bind_inputs(p, err), err);
    if (st == GM_OK) st = named(p, bind_goals(p, err), err);
    p->arena = gm_arena_create(alloc, 0);
    if (st == GM_OK && p->arena == NULL) st = gm_fail(err, GM_NOMEM, WHERE, "binding a plan");
    if (st == GM_OK) st = named(p, gm_scenarios_read(group, setup->unknown.items, setup->unknown.count, p->arena, &p->unknown, err), err);
    if (st == GM_OK)
        st = named(p, gm_mpc_create(alloc, gm_group_program(group), &setup->mpc, p->inputs, setup->inputs.count, p->terms, p->goal_count, &p->mpc, err), err);
    if (st == GM_OK) *out_planner = p;
    else gm_planner_destroy(p);
    return st;
}

void gm_planner_destroy(gm_planner *p)
{
    if (p == NULL) return;
    gm_mpc_destroy(p->mpc);
    gm_settings_finish(&p->ranking);
    gm_arena_destroy(p->arena);
    void *const all[] = { p->goals, p->terms, p->inputs, p->moves, p->price, p->plans };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) gm_free(p->alloc, all[i]);
    gm_free(p->alloc, p);
}

// ---- solving ------------------------------------------------------------------------------------------------------

// What has passed of the plan is dropped, whole intervals only, so that its hours stay hours.
static void catch_up(gm_planner *p, double now)
{
    double knot = p->setup->mpc.knot_s, passed = floor((now - p->shifted_to) / knot + 1e-9);
    if (!p->solved) p->shifted_to = now;
    else if (passed >= 1) {
        gm_mpc_shift(p->mpc, passed < p->setup->mpc.knots ? (uint32_t)passed : p->setup->mpc.knots);
        p->shifted_to += passed * knot;
    }
    for (uint32_t i = 0; p->has_tariff && i < p->price_count; i++) p->price[i] = gm_tariff_at(&p->tariff, now + i * (double)PRICE_S);
    for (uint32_t i = 0; p->has_tariff && i < p->goal_count; i++)
        if (p->goals[i].priced) gm_mpc_price(p->mpc, i, p->price);
}

// Plan and "as it is" from each draw: the gain's mean and deviation.
static void judge_gain(gm_planner *p, const double *const *draws, uint32_t count, gm_advice *a)
{
    const double *bases[2 * GM_PLANNER_DRAWS], *plans[2 * GM_PLANNER_DRAWS];
    double        cost[2 * GM_PLANNER_DRAWS], sum = 0, square = 0;
    if (count > GM_PLANNER_DRAWS) count = GM_PLANNER_DRAWS;
    for (uint32_t i = 0; i < count; i++) {
        bases[2 * i] = bases[2 * i + 1] = draws[i];
        plans[2 * i]     = gm_mpc_plan(p->mpc);
        plans[2 * i + 1] = p->plans;
    }
    if (count > 0) gm_mpc_compare(p->mpc, bases, plans, 2 * count, cost, NULL);
    for (uint32_t i = 0; i < count; i++) {
        double gain = cost[2 * i + 1] - cost[2 * i];
        if (!isfinite(gain)) continue;
        sum += gain;
        square += gain * gain;
        a->draws++;
    }
    a->gain = a->held - a->cost;
    a->gain_deviation = NAN;
    if (a->draws < 2) return;
    a->gain           = sum / a->draws;
    a->gain_deviation = sqrt(fmax(0, square / a->draws - a->gain * a->gain) * a->draws / (a->draws - 1));
}

// total: what the plan is said to cost; of settings that is a mean, so what an input is worth is seen from the plan's own run.
static void judge_inputs(gm_planner *p, const double *base, double total)
{
    uint32_t      knots = p->setup->mpc.knots, inputs = p->setup->inputs.count, n = inputs < GM_PLANNER_WITHOUT ? inputs : GM_PLANNER_WITHOUT;
    size_t        size = (size_t)inputs * knots;
    const double *bases[GM_PLANNER_WITHOUT + 1] = { NULL }, *plans[GM_PLANNER_WITHOUT + 1] = { NULL };
    double        cost[GM_PLANNER_WITHOUT + 1];
    for (uint32_t i = 0; i < inputs; i++) p->moves[i].without = NAN;
    for (uint32_t i = 0; i < n; i++) {
        double *plan = p->plans + (i + 1) * size;
        memcpy(plan, gm_mpc_plan(p->mpc), size * sizeof *plan);
        memcpy(plan + (size_t)i * knots, p->plans + (size_t)i * knots, knots * sizeof *plan);
        bases[i] = base;
        plans[i] = plan;
    }
    bases[n] = base;
    plans[n] = gm_mpc_plan(p->mpc);
    gm_mpc_compare(p->mpc, bases, plans, n + 1, cost, NULL);
    for (uint32_t i = 0; i < n; i++) p->moves[i].without = cost[i] - cost[n] + total;
}

// The best setting becomes the plan.
static gm_status solve_settings(gm_planner *p, const double *base, const double *const *draws, uint32_t draw_count, gm_advice *a, gm_error *err)
{
    gm_settings         found;
    gm_settings_options o = { .candidates = p->setup->mpc.lanes, .rounds = p->setup->mpc.rounds, .seed = p->setup->mpc.seed };
    gm_status st = gm_settings_rank(p->alloc, p->mpc, p->inputs, p->setup->inputs.count, draw_count > 0 ? draws : &base, draw_count > 0 ? draw_count : 1, &o, &found, err);
    if (st != GM_OK) return st;
    gm_settings_finish(&p->ranking);
    p->ranking = found;
    const gm_setting *best = &found.items[0];
    gm_mpc_reset(p->mpc, best->values);
    *a = (gm_advice){ .cost = best->cost, .held = best->held, .broken = best->broken, .gain = best->gain, .gain_deviation = best->gain_deviation, .draws = found.judged };
    return GM_OK;
}

static gm_status solve_plan(gm_planner *p, const double *base, gm_advice *a, gm_error *err)
{
    gm_mpc_report r;
    gm_status     st = gm_mpc_solve(p->mpc, base, &r, err);
    if (st == GM_OK) *a = (gm_advice){ .cost = r.cost, .held = r.held, .broken = r.cost > 0 ? r.broken / r.cost : 0 };
    return st;
}

gm_status gm_planner_solve(gm_planner *p, const double *base, const double *const *draws, uint32_t draw_count, gm_advice *out_advice, gm_error *err)
{
    uint32_t knots = p->setup->mpc.knots;
    bool     settings = p->setup->settings;
    catch_up(p, base[GM_TIME_SLOT.v]);
    gm_status st = settings ? solve_settings(p, base, draws, draw_count, out_advice, err) : solve_plan(p, base, out_advice, err);
    if (st != GM_OK) return named(p, st, err);
    p->solved = true;
    for (uint32_t i = 0; i < p->setup->inputs.count; i++) {
        p->moves[i].before = base[p->inputs[i].slot.v];
        for (uint32_t k = 0; k < knots; k++) p->plans[(size_t)i * knots + k] = p->moves[i].before;
    }
    if (!settings) judge_gain(p, draws, draw_count, out_advice);
    judge_inputs(p, base, out_advice->cost);
    return GM_OK;
}

// ---- what to do ---------------------------------------------------------------------------------------------------

bool gm_planner_unknown(const gm_planner *p, uint32_t draw, double *slots)
{
    gm_scenarios_put(&p->unknown, p->setup->mpc.seed, draw, slots);
    return p->unknown.count > 0;
}

const gm_settings *gm_planner_ranking(const gm_planner *p) { return &p->ranking; }

const gm_plan_setup *gm_planner_setup(const gm_planner *p) { return p->setup; }
uint32_t             gm_planner_move_count(const gm_planner *p) { return p->setup->inputs.count; }

gm_twin gm_planner_move_twin(const gm_planner *p, uint32_t i) { return gm_group_twin(p->group, p->moves[i].of.member); }

gm_planner_move gm_planner_move_at(const gm_planner *p, uint32_t i)
{
    const bound             *b    = &p->moves[i];
    const gm_group_variable *v    = &b->of;
    const double            *plan = gm_mpc_plan(p->mpc) + (size_t)i * p->setup->mpc.knots;
    const gm_column         *column = v->binding != NULL ? &gm_group_type(p->group, v->member)->columns[v->binding->column] : NULL;
    return (gm_planner_move){ .name = b->name, .twin = gm_group_twin(p->group, v->member), .column = column,
                              .before = (b->before - v->set_offset) / v->set_factor, .now = (plan[0] - v->set_offset) / v->set_factor,
                              .without = b->without, .plan = plan, .of = *v };
}
