// A round: draw plans, run them in blocks of 64 lanes through the whole horizon, average. Blocks never meet one another,
// so a block's lanes are reused for the next.
#include "control/optimise/mpc.h"

#include "base/rng.h"
#include "physics/exec/lanes.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = GM_LANES_PER_BLOCK, FIRST_DRAWN = 2 };  // lane 0: the plan; lane 1: inputs held

typedef struct ranked { double cost; uint32_t lane; } ranked;

struct gm_mpc {
    const gm_alloc   *alloc;
    const gm_program *program;
    gm_mpc_options    o;
    gm_mpc_input     *inputs;
    gm_mpc_term      *terms;
    double          **prices;     // [terms] copies, or NULL
    uint32_t          input_count, term_count, looks_per_knot, steps_per_look;
    gm_plan          *plan;
    gm_worker        *worker;
    gm_lanes         *lanes;      // one block
    double           *mean;       // [inputs][knots] the plan
    double           *spread;     // [inputs][knots]
    double           *plans;      // [lanes][inputs][knots]
    double           *ways;       // [elite][inputs][knots] where the best plans of the last round lay, seen from its mean
    double           *weights;    // [elite]
    uint32_t          way_count;  // 0: no round yet
    double           *cost;       // [lanes]
    double           *broken;     // [lanes] of KEEP terms
    double           *start;      // [inputs] what holds now
    ranked           *order;      // [lanes]
    uint64_t          round;      // counts all rounds of this controller's life
    uint64_t          lane_steps;
};

gm_mpc_options gm_mpc_options_defaults(void)
{
    return (gm_mpc_options){ .method = GM_MPC_CEM, .lanes = 1024, .rounds = 4, .knots = 24, .knot_s = 60, .look_s = 60, .step_s = 1,
                             .elite = 0.25, .temperature = 0.02, .colour = 0.6, .memory = 0.1, .seed = 1 };
}

// ---- life ------------------------------------------------------------------------------------------------------------------

static gm_status check(const gm_program *program, const gm_mpc_options *o, const gm_mpc_input *inputs, uint32_t input_count,
                       const gm_mpc_term *terms, uint32_t term_count, gm_error *err)
{
    const char *where = "control.mpc";
    if (input_count == 0) return gm_fail(err, GM_INVALID, where, "there is no input to plan");
    if (term_count == 0) return gm_fail(err, GM_INVALID, where, "there is nothing to minimise");
    if (input_count > GM_MPC_INPUTS_MAX || o->knots > GM_MPC_KNOTS_MAX || o->lanes > GM_MPC_LANES_MAX) {
        return gm_fail(err, GM_LIMIT, where, "at most %d inputs, %d knots and %d lanes", GM_MPC_INPUTS_MAX, GM_MPC_KNOTS_MAX, GM_MPC_LANES_MAX);
    }
    if (o->knots == 0 || o->rounds == 0 || o->lanes < 16) return gm_fail(err, GM_INVALID, where, "a plan needs a knot, a round and 16 lanes");
    if (!(o->knot_s > 0) || !(o->step_s > 0) || !(o->look_s > 0)) return gm_fail(err, GM_INVALID, where, "knots, looks and steps must last");
    if (!(o->elite > 0 && o->elite <= 1) || !(o->temperature > 0) || !(o->colour >= 0 && o->colour < 1) || !(o->memory >= 0 && o->memory < 1)) {
        return gm_fail(err, GM_INVALID, where, "elite in 0..1, temperature above 0, colour and memory in 0..1");
    }
    for (uint32_t i = 0; i < input_count; i++) {
        const gm_slot_spec *s = gm_program_slot(program, inputs[i].slot);
        bool settable = s->kind == GM_SLOT_INPUT || (s->kind == GM_SLOT_PARAMETER && !(s->flags & GM_SLOT_DEPENDENT));
        if (!settable) return gm_fail(err, GM_INVALID, where, "'" GM_STR_FMT "' is neither an input nor a free parameter", GM_STR_ARG(s->name));
        if (!(inputs[i].low < inputs[i].high) || !isfinite(inputs[i].low) || !isfinite(inputs[i].high)) {
            return gm_fail(err, GM_INVALID, where, "'" GM_STR_FMT "' needs bounds, the lower one first", GM_STR_ARG(s->name));
        }
        if (inputs[i].whole && ceil(inputs[i].low) > floor(inputs[i].high))
            return gm_fail(err, GM_INVALID, where, "there is no whole number within the bounds of '" GM_STR_FMT "'", GM_STR_ARG(s->name));
        if (!(inputs[i].rate_max > 0)) return gm_fail(err, GM_INVALID, where, "the rate of '" GM_STR_FMT "' must be positive", GM_STR_ARG(s->name));
    }
    for (uint32_t i = 0; i < term_count; i++) {
        if (!isfinite(terms[i].weight)) return gm_fail(err, GM_INVALID, where, "a weight is not a number");
        if (terms[i].kind == GM_MPC_MOVES && terms[i].input >= input_count) return gm_fail(err, GM_INVALID, where, "there is no input %u", terms[i].input);
        if (terms[i].price != NULL && (terms[i].price_count == 0 || !(terms[i].price_s > 0))) return gm_fail(err, GM_INVALID, where, "prices need a duration");
    }
    return GM_OK;
}

static uint32_t elite_of(const gm_mpc_options *o, uint32_t good)
{
    uint32_t elite = (uint32_t)ceil(o->elite * good);
    return elite > 2 ? elite : good < 2 ? good : 2;
}

static bool allocate(gm_mpc *c, const gm_mpc_input *inputs, const gm_mpc_term *terms)
{
    size_t plan = (size_t)c->input_count * c->o.knots;
    c->inputs = gm_alloc_array(c->alloc, c->input_count, sizeof *c->inputs);
    c->terms  = gm_alloc_array(c->alloc, c->term_count, sizeof *c->terms);
    c->prices = gm_alloc_zeroed(c->alloc, c->term_count * sizeof *c->prices);
    c->mean   = gm_alloc_zeroed(c->alloc, plan * sizeof *c->mean);
    c->spread = gm_alloc_zeroed(c->alloc, plan * sizeof *c->spread);
    c->plans  = gm_alloc_array(c->alloc, c->o.lanes, plan * sizeof *c->plans);
    c->ways   = gm_alloc_array(c->alloc, elite_of(&c->o, c->o.lanes), plan * sizeof *c->ways);
    c->weights = gm_alloc_array(c->alloc, elite_of(&c->o, c->o.lanes), sizeof *c->weights);
    c->cost   = gm_alloc_array(c->alloc, c->o.lanes, sizeof *c->cost);
    c->broken = gm_alloc_array(c->alloc, c->o.lanes, sizeof *c->broken);
    c->start  = gm_alloc_array(c->alloc, c->input_count, sizeof *c->start);
    c->order  = gm_alloc_array(c->alloc, c->o.lanes, sizeof *c->order);
    if (c->inputs == NULL || c->terms == NULL || c->prices == NULL || c->mean == NULL || c->spread == NULL || c->plans == NULL || c->ways == NULL || c->weights == NULL || c->cost == NULL ||
        c->broken == NULL || c->start == NULL || c->order == NULL) return false;
    memcpy(c->inputs, inputs, c->input_count * sizeof *inputs);
    for (uint32_t i = 0; i < c->input_count; i++) {
        if (!inputs[i].whole) continue;
        c->inputs[i].low  = ceil(inputs[i].low);
        c->inputs[i].high = floor(inputs[i].high);
    }
    memcpy(c->terms, terms, c->term_count * sizeof *terms);
    for (uint32_t i = 0; i < c->term_count; i++) {
        if (terms[i].price == NULL) continue;
        c->prices[i] = gm_alloc_array(c->alloc, terms[i].price_count, sizeof(double));
        if (c->prices[i] == NULL) return false;
        memcpy(c->prices[i], terms[i].price, terms[i].price_count * sizeof(double));
    }
    return true;
}

gm_status gm_mpc_create(const gm_alloc *alloc, const gm_program *program, const gm_mpc_options *options, const gm_mpc_input *inputs,
                        uint32_t input_count, const gm_mpc_term *terms, uint32_t term_count, gm_mpc **out_mpc, gm_error *err)
{
    *out_mpc     = NULL;
    gm_status st = check(program, options, inputs, input_count, terms, term_count, err);
    if (st != GM_OK) return st;
    gm_mpc *c = gm_alloc_zeroed(alloc, sizeof *c);
    if (c == NULL) return gm_fail(err, GM_NOMEM, "control.mpc", "making a controller");
    *c = (gm_mpc){ .alloc = alloc, .program = program, .o = *options, .input_count = input_count, .term_count = term_count };
    double looks = ceil(options->knot_s / options->look_s - 1e-9), steps = ceil(options->knot_s / looks / options->step_s - 1e-9);
    if (looks > 1e6 || steps > 1e6) st = gm_fail(err, GM_LIMIT, "control.mpc", "a knot has more than a million looks or steps");
    else {
        c->looks_per_knot = (uint32_t)looks;
        c->steps_per_look = (uint32_t)steps;
        c->o.look_s       = options->knot_s / looks;
        c->o.step_s       = c->o.look_s / steps;
        if (!allocate(c, inputs, terms)) st = gm_fail(err, GM_NOMEM, "control.mpc", "making a controller");
    }
    gm_plan_options po = gm_plan_options_defaults();
    if (st == GM_OK) st = gm_plan_create(alloc, program, &po, &c->plan, err);
    if (st == GM_OK) st = gm_worker_create(alloc, c->plan, &c->worker, err);
    if (st == GM_OK) st = gm_lanes_create(alloc, c->plan, N, &c->lanes, err);
    if (st != GM_OK) { gm_mpc_destroy(c); return st; }
    for (uint32_t i = 0; i < input_count; i++) {
        double start = gm_program_slot(program, inputs[i].slot)->start;
        c->start[i]  = fmin(fmax(start, inputs[i].low), inputs[i].high);
    }
    gm_mpc_reset(c, c->start);
    *out_mpc = c;
    return GM_OK;
}

void gm_mpc_destroy(gm_mpc *c)
{
    if (c == NULL) return;
    for (uint32_t i = 0; c->prices != NULL && i < c->term_count; i++) gm_free(c->alloc, c->prices[i]);
    void *const all[] = { c->inputs, c->terms, c->prices, c->mean, c->spread, c->plans, c->ways, c->weights, c->cost, c->broken, c->start, c->order };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) gm_free(c->alloc, all[i]);
    gm_lanes_destroy(c->lanes);
    gm_worker_destroy(c->worker);
    gm_plan_destroy(c->plan);
    gm_free(c->alloc, c);
}

static double first_spread(const gm_mpc_input *in) { return in->spread > 0 ? in->spread : (in->high - in->low) / 4; }

void gm_mpc_reset(gm_mpc *c, const double *values)
{
    for (uint32_t i = 0; i < c->input_count; i++) {
        for (uint32_t k = 0; k < c->o.knots; k++) {
            c->mean[(size_t)i * c->o.knots + k]   = fmin(fmax(values[i], c->inputs[i].low), c->inputs[i].high);
            c->spread[(size_t)i * c->o.knots + k] = first_spread(&c->inputs[i]);
        }
    }
}

void gm_mpc_shift(gm_mpc *c, uint32_t knots)
{
    uint32_t n = c->o.knots, by = knots < n ? knots : n - 1;
    for (uint32_t i = 0; i < c->input_count; i++) {
        double *row = c->mean + (size_t)i * n;
        memmove(row, row + by, (n - by) * sizeof *row);
        for (uint32_t k = n - by; k < n; k++) row[k] = row[n - by - 1];
    }
}

void gm_mpc_price(gm_mpc *c, uint32_t term, const double *price)
{
    assert(term < c->term_count && c->prices[term] != NULL);
    memcpy(c->prices[term], price, c->terms[term].price_count * sizeof *price);
}

void gm_mpc_hold(gm_mpc *c, const double *base)
{
    for (uint32_t i = 0; i < c->input_count; i++) c->start[i] = base[c->inputs[i].slot.v];
}

const double *gm_mpc_plan(const gm_mpc *c) { return c->mean; }
uint32_t      gm_mpc_looks(const gm_mpc *c) { return c->looks_per_knot * c->o.knots; }
double        gm_mpc_look_s(const gm_mpc *c) { return c->o.look_s; }

// ---- plans -----------------------------------------------------------------------------------------------------------------

static double *plan_of(const gm_mpc *c, uint32_t lane) { return c->plans + (size_t)lane * c->input_count * c->o.knots; }

// Bounds, rates from what holds now on, whole numbers.
static void make_possible(const gm_mpc *c, double *plan)
{
    for (uint32_t i = 0; i < c->input_count; i++) {
        const gm_mpc_input *in   = &c->inputs[i];
        double             *row  = plan + (size_t)i * c->o.knots, before = c->start[i];
        double              most = in->rate_max * c->o.knot_s;
        for (uint32_t k = 0; k < c->o.knots; k++) {
            double v = in->whole ? floor(row[k] + 0.5) : row[k];
            v      = fmin(fmax(v, before - most), before + most);
            row[k] = before = fmin(fmax(v, in->low), in->high);
        }
    }
}

// A mixture of two: along the ways that the best of the last round went (so that what belongs together is drawn together),
// and each knot by itself, neighbours alike.
static void draw_plan(const gm_mpc *c, uint32_t lane, double *plan)
{
    uint32_t knots = c->o.knots, size = c->input_count * knots;
    double   fresh = sqrt(1 - c->o.colour * c->o.colour), own = c->way_count > 0 ? sqrt(c->o.memory) : 1, along = sqrt(1 - c->o.memory);
    bool     wide = c->way_count == 0 && lane % 4 == 0;  // a solution's first round also looks far away from the last plan
    for (uint32_t i = 0; i < c->input_count; i++) {
        double z = 0;
        for (uint32_t k = 0; k < knots; k++) {
            double e  = gm_rng_normal(c->o.seed, lane, i * knots + k, c->round);
            z         = k == 0 ? e : c->o.colour * z + fresh * e;
            size_t at = (size_t)i * knots + k;
            plan[at]  = c->mean[at] + own * (wide ? first_spread(&c->inputs[i]) : c->spread[at]) * z;
        }
    }
    for (uint32_t w = 0; w < c->way_count; w++) {
        const double *way = c->ways + (size_t)w * size;
        double        f   = along * sqrt(c->weights[w]) * gm_rng_normal(c->o.seed, lane, 0x80000000u + w, c->round);
        for (uint32_t at = 0; at < size; at++) plan[at] += f * way[at];
    }
}

static void draw_plans(gm_mpc *c)
{
    uint32_t knots = c->o.knots;
    memcpy(plan_of(c, 0), c->mean, (size_t)c->input_count * knots * sizeof(double));
    for (uint32_t i = 0; i < c->input_count; i++) {
        for (uint32_t k = 0; k < knots; k++) plan_of(c, 1)[(size_t)i * knots + k] = c->start[i];
    }
    for (uint32_t lane = FIRST_DRAWN; lane < c->o.lanes; lane++) draw_plan(c, lane, plan_of(c, lane));
    for (uint32_t lane = 0; lane < c->o.lanes; lane++) make_possible(c, plan_of(c, lane));
}

// ---- running ---------------------------------------------------------------------------------------------------------------

static double price_at(const gm_mpc *c, uint32_t term, double t)
{
    const gm_mpc_term *x = &c->terms[term];
    if (c->prices[term] == NULL) return 1;
    uint32_t at = (uint32_t)(t / x->price_s + 1e-9);
    return c->prices[term][at < x->price_count ? at : x->price_count - 1];
}

static double outside(const gm_mpc_term *x, double v) { return v < x->low ? x->low - v : v > x->high ? v - x->high : 0; }

// Adds one look of dt seconds, or the horizon's terms when dt is 0. cost, broken: [64]
static void add_costs(gm_mpc *c, double t, double dt, double *cost, double *broken)
{
    for (uint32_t j = 0; j < c->term_count; j++) {
        const gm_mpc_term *x = &c->terms[j];
        bool at_end = x->kind == GM_MPC_FINAL || x->kind == GM_MPC_FINAL_LOW;
        if (x->kind == GM_MPC_MOVES || at_end != (dt == 0)) continue;
        const double *row = gm_lanes_row(c->lanes, 0, x->slot);
        double        w   = x->weight * (at_end ? 1 : dt * price_at(c, j, t));
        for (int l = 0; l < N; l++) {
            double d = row[l] - x->target;
            switch (x->kind) {
            case GM_MPC_INTEGRAL: cost[l] += w * row[l]; break;
            case GM_MPC_SQUARE:
            case GM_MPC_FINAL: cost[l] += w * d * d; break;
            case GM_MPC_FINAL_LOW: cost[l] += d < 0 ? w * d * d : 0; break;
            default: {
                double out = outside(x, row[l]), more = w * out * out;
                cost[l] += more;
                broken[l] += more;
            }
            }
        }
    }
}

// What the inputs are from now on. gradual: after another look on the way there.
static void move_inputs(gm_mpc *c, uint32_t knot, const double *const *plans, bool gradual)
{
    for (uint32_t i = 0; i < c->input_count; i++) {
        const gm_mpc_input *in   = &c->inputs[i];
        double             *row  = gm_lanes_row(c->lanes, 0, in->slot);
        double              most = gradual && !in->whole ? in->rate_max * c->o.look_s : INFINITY;
        for (int l = 0; l < N; l++) row[l] = fmin(fmax(plans[l][(size_t)i * c->o.knots + knot], row[l] - most), row[l] + most);
    }
}

// Lane l begins at bases[l] and follows plans[l]. looks: called after each look and at the start, or NULL.
typedef void look_fn(void *context, gm_lanes *lanes, uint32_t look);

static void run_block(gm_mpc *c, const double *const *bases, const double *const *plans, double *cost, double *broken, look_fn *looks, void *context)
{
    uint32_t slots = gm_program_slot_count(c->program), knots = c->o.knots, look = 0;
    for (uint32_t s = 0; s < slots; s++) {
        double *row = gm_lanes_row(c->lanes, 0, (gm_slot){ s });
        for (int l = 0; l < N; l++) row[l] = bases[l][s];
    }
    memset(cost, 0, N * sizeof *cost);
    memset(broken, 0, N * sizeof *broken);
    for (uint32_t k = 0; k < knots; k++) {
        move_inputs(c, k, plans, c->o.gradual);
        if (k == 0) gm_lanes_start(c->lanes, 0, c->worker, GM_START_FORKED);
        else gm_lanes_touch(c->lanes, 0, c->worker);
        for (uint32_t s = 0; s < c->looks_per_knot; s++, look++) {
            if (s > 0 && c->o.gradual) {
                move_inputs(c, k, plans, true);
                gm_lanes_touch(c->lanes, 0, c->worker);
            }
            gm_lanes_observe(c->lanes, 0, c->worker);
            if (looks != NULL) looks(context, c->lanes, look);
            add_costs(c, look * c->o.look_s, c->o.look_s, cost, broken);
            gm_lanes_steps(c->lanes, 0, c->worker, c->o.step_s, c->steps_per_look);
        }
    }
    gm_lanes_observe(c->lanes, 0, c->worker);
    if (looks != NULL) looks(context, c->lanes, look);
    add_costs(c, look * c->o.look_s, 0, cost, broken);
    for (int l = 0; l < N; l++) {
        gm_lane_status status = gm_lanes_report(c->lanes, (uint32_t)l).status;
        if ((status != GM_LANE_ACTIVE && status != GM_LANE_TERMINATED) || !isfinite(cost[l])) cost[l] = INFINITY;
    }
    c->lane_steps += (uint64_t)N * look * c->steps_per_look;
}

// All lanes from one beginning.
static void run_from(gm_mpc *c, const double *base, const double *const *plans, double *cost, double *broken, look_fn *looks, void *context)
{
    const double *bases[N];
    for (int l = 0; l < N; l++) bases[l] = base;
    run_block(c, bases, plans, cost, broken, looks, context);
}

static double moves_of(const gm_mpc *c, const double *plan)
{
    double sum = 0;
    for (uint32_t j = 0; j < c->term_count; j++) {
        if (c->terms[j].kind != GM_MPC_MOVES) continue;
        const double *row = plan + (size_t)c->terms[j].input * c->o.knots;
        double        before = c->start[c->terms[j].input];
        for (uint32_t k = 0; k < c->o.knots; k++) {
            sum += c->terms[j].weight * (row[k] - before) * (row[k] - before);
            before = row[k];
        }
    }
    return sum;
}

static uint32_t run_all(gm_mpc *c, const double *base)
{
    uint32_t failed = 0;
    for (uint32_t first = 0; first < c->o.lanes; first += N) {
        const double *plans[N];
        double        cost[N], broken[N];
        for (uint32_t l = 0; l < N; l++) plans[l] = plan_of(c, first + l < c->o.lanes ? first + l : c->o.lanes - 1);
        run_from(c, base, plans, cost, broken, NULL, NULL);
        for (uint32_t l = 0; l < N && first + l < c->o.lanes; l++) {
            c->cost[first + l]   = cost[l] + moves_of(c, plans[l]);
            c->broken[first + l] = broken[l];
            failed += !isfinite(c->cost[first + l]);
        }
    }
    return failed;
}

// ---- averaging -------------------------------------------------------------------------------------------------------------

static int by_cost(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->cost != y->cost) return x->cost < y->cost ? -1 : 1;
    return x->lane < y->lane ? -1 : x->lane > y->lane;
}

// The better half a plan's rank, the more it counts; ways are seen from the old mean, which keeps the spread in the direction
// in which the mean moves (Hansen, The CMA Evolution Strategy, 2016, sections 3.1 and 3.2).
static void average_best(gm_mpc *c, uint32_t elite)
{
    size_t plan  = (size_t)c->input_count * c->o.knots;
    double total = 0;
    for (uint32_t e = 0; e < elite; e++) total += c->weights[e] = log(elite + 0.5) - log(e + 1.0);
    for (uint32_t e = 0; e < elite; e++) {
        const double *p   = plan_of(c, c->order[e].lane);
        double       *way = c->ways + (size_t)e * plan;
        c->weights[e] /= total;
        for (size_t at = 0; at < plan; at++) way[at] = p[at] - c->mean[at];
    }
    c->way_count = elite;
    for (size_t at = 0; at < plan; at++) {
        double move = 0, square = 0, least = first_spread(&c->inputs[at / c->o.knots]) * 0.002;
        for (uint32_t e = 0; e < elite; e++) {
            double way = c->ways[(size_t)e * plan + at];
            move += c->weights[e] * way;
            square += c->weights[e] * way * way;
        }
        c->mean[at] += move;
        c->spread[at] = fmax(least, sqrt(square));
    }
}

// The temperature is a share of the deviation among the better half: costs of broken constraints must not heat it. The
// spread follows what the weights say, seen from the old mean as in average_best.
static void average_all(gm_mpc *c, uint32_t good)
{
    uint32_t half = good / 2 > 1 ? good / 2 : good, used = 0;
    double   best = c->order[0].cost, square = 0, total = 0;
    size_t   plan = (size_t)c->input_count * c->o.knots;
    for (uint32_t e = 0; e < half; e++) square += (c->order[e].cost - best) * (c->order[e].cost - best);
    double temperature = c->o.temperature * sqrt(square / half);
    for (; used < good; used++) {
        double w = temperature > 0 ? exp(-(c->order[used].cost - best) / temperature) : used == 0;
        if (w < 1e-9) break;
        c->order[used].cost = w;  // from here on the weight
        total += w;
    }
    for (size_t at = 0; at < plan; at++) {
        double move = 0, spread = 0, least = first_spread(&c->inputs[at / c->o.knots]) * 0.002;
        for (uint32_t e = 0; e < used; e++) {
            double way = plan_of(c, c->order[e].lane)[at] - c->mean[at], w = c->order[e].cost / total;
            move += w * way;
            spread += w * way * way;
        }
        c->mean[at] += move;
        c->spread[at] = fmax(least, sqrt(spread));
    }
}

static uint32_t rank(gm_mpc *c)
{
    uint32_t good = 0;
    for (uint32_t l = 0; l < c->o.lanes; l++) {
        if (isfinite(c->cost[l])) c->order[good++] = (ranked){ c->cost[l], l };
    }
    qsort(c->order, good, sizeof *c->order, by_cost);
    return good;
}

// The last average has not been tried yet.
static void try_mean(gm_mpc *c, const double *base, double *best, size_t bytes, gm_mpc_report *r)
{
    const double *plans[N];
    double        cost[N], broken[N];
    make_possible(c, c->mean);
    for (int l = 0; l < N; l++) plans[l] = c->mean;
    run_from(c, base, plans, cost, broken, NULL, NULL);
    cost[0] += moves_of(c, c->mean);
    if (!(cost[0] < r->cost)) return;
    r->cost   = cost[0];
    r->broken = broken[0];
    memcpy(best, c->mean, bytes);
}

gm_status gm_mpc_solve(gm_mpc *c, const double *base, gm_mpc_report *out_report, gm_error *err)
{
    size_t        bytes = (size_t)c->input_count * c->o.knots * sizeof(double);
    gm_mpc_report r     = { .cost = INFINITY, .held = INFINITY, .first = INFINITY };
    double       *best  = gm_alloc_array(c->alloc, 1, bytes);
    if (best == NULL) return gm_fail(err, GM_NOMEM, "control.mpc", "solving");
    c->lane_steps = 0;
    c->way_count  = 0;
    gm_mpc_hold(c, base);
    for (uint32_t i = 0; i < c->input_count; i++) {
        for (uint32_t k = 0; k < c->o.knots; k++) {
            double *s = &c->spread[(size_t)i * c->o.knots + k], first = first_spread(&c->inputs[i]);
            *s        = fmin(first, 5 * *s + 0.05 * first);  // wider again than where the last solution ended
        }
    }
    // Each round tries what the one before averaged; the best plan ever tried is the answer.
    for (uint32_t round = 0; round < c->o.rounds; round++) {
        c->round++;
        draw_plans(c);
        r.failed = run_all(c, base);
        if (round == 0) {
            r.first = c->cost[0];
            r.held  = c->cost[1];
        }
        uint32_t good = rank(c);
        if (good == 0) continue;
        if (c->order[0].cost < r.cost) {
            r.cost   = c->order[0].cost;
            r.broken = c->broken[c->order[0].lane];
            memcpy(best, plan_of(c, c->order[0].lane), bytes);
        }
        if (c->o.method == GM_MPC_MPPI) average_all(c, good);
        else average_best(c, elite_of(&c->o, good));
    }
    try_mean(c, base, best, bytes, &r);
    if (isfinite(r.cost)) memcpy(c->mean, best, bytes);
    gm_free(c->alloc, best);
    r.lane_steps = c->lane_steps;
    if (out_report != NULL) *out_report = r;
    if (!isfinite(r.cost)) return gm_fail(err, GM_DIVERGED, "control.mpc", "none of %u plans could be followed to the end", c->o.lanes * c->o.rounds);
    return GM_OK;
}

// ---- following -------------------------------------------------------------------------------------------------------------

typedef struct recorder { const gm_slot *slots; uint32_t slot_count, stride; double *out; } recorder;

static void record(void *context, gm_lanes *lanes, uint32_t look)
{
    recorder *r = context;
    for (uint32_t i = 0; i < r->slot_count; i++) r->out[(size_t)i * r->stride + look] = gm_lanes_row(lanes, 0, r->slots[i])[0];
}

gm_status gm_mpc_follow(gm_mpc *c, const double *base, const double *plan, const gm_slot *slots, uint32_t slot_count, double *out,
                        double *out_cost, gm_error *err)
{
    const double *plans[N];
    double        cost[N], broken[N];
    recorder      r = { slots, slot_count, gm_mpc_looks(c) + 1, out };
    for (int l = 0; l < N; l++) plans[l] = plan;
    run_from(c, base, plans, cost, broken, record, &r);
    *out_cost = cost[0] + moves_of(c, plan);
    return isfinite(*out_cost) ? GM_OK : gm_fail(err, GM_DIVERGED, "control.mpc", "the plan could not be followed to the end");
}

void gm_mpc_compare(gm_mpc *c, const double *const *bases, const double *const *plans, uint32_t count, double *out_costs, double *out_broken)
{
    const double *from[N], *what[N];
    double        cost[N], broken[N];
    assert(count > 0 && count <= GM_MPC_COMPARE);
    for (uint32_t l = 0; l < N; l++) {
        from[l] = bases[l < count ? l : count - 1];
        what[l] = plans[l < count ? l : count - 1];
    }
    run_block(c, from, what, cost, broken, NULL, NULL);
    for (uint32_t l = 0; l < count; l++) out_costs[l] = cost[l] + moves_of(c, what[l]);
    if (out_broken != NULL) memcpy(out_broken, broken, count * sizeof *broken);
}
