// control/optimise/mpc.h: sampling model-predictive control: thousands of plans for the inputs are tried on lanes of the
// model, and the good ones are averaged into a better plan, again and again.
//
//   gm_mpc_input inputs[] = { { .slot = speed, .low = 0, .high = 1.1, .rate_max = INFINITY, .spread = 0.3 } };
//   gm_mpc_term  terms[]  = { { .kind = GM_MPC_INTEGRAL, .slot = power, .weight = 1 },
//                             { .kind = GM_MPC_KEEP, .slot = level, .low = 1, .high = 5, .weight = 1e6 } };
//   gm_mpc_options o = gm_mpc_options_defaults();
//   o.knots = 48;  o.knot_s = 1800;  o.step_s = 10;
//   gm_mpc_create(alloc, program, &o, inputs, 1, terms, 2, &mpc, &err);
//   gm_mpc_solve(mpc, base, &report, &err);                       // base [slots]: where we are (futures/group.h)
//   gm_mpc_plan(mpc)[0]                                           // what to do until the first knot ends
//   gm_mpc_shift(mpc, 1);                                         // half an hour later: the rest of the plan is a start
//
// A plan has one value for each input and knot, held from knot to knot. Lane 0 tries the present plan and lane 1 the
// inputs as they are, so an answer is never worse than either. Two ways to average: MPPI (Williams, Aldrich and Theodorou,
// J. Guidance, Control and Dynamics 40 (2017) 344): all plans, weighted by exp(-cost / temperature), the temperature a
// share of the costs' spread; CEM (Kobilarov, Int. J. Robotics Research 31 (2012) 855): mean and covariance of the best plans.
// Neighbouring knots are drawn alike (Pinneri et al., CoRL 2020), since plants answer to what lasts.
//
// Costs are sums over looks: left-hand rectangles, `look_s` long. A lane that fails costs infinitely much.
//
// The same request gives the same plan: draws are keyed by (seed, lane, knot and input, round of this controller).
#ifndef GM_CONTROL_MPC_H
#define GM_CONTROL_MPC_H

#include "base/alloc.h"
#include "physics/program.h"

typedef struct gm_mpc gm_mpc;  // one thread at a time

enum { GM_MPC_KNOTS_MAX = 4096, GM_MPC_INPUTS_MAX = 256, GM_MPC_LANES_MAX = 1 << 18 };

typedef struct gm_mpc_input {
    gm_slot slot;          // INPUT, or independent PARAMETER; SI
    double  low, high;     // bounds
    double  rate_max;      // most change per second; INFINITY: none
    double  spread;        // deviation of the first draws, in units of the slot; 0: a quarter of the range
    bool    whole;         // whole numbers only: a pump runs or stands
} gm_mpc_input;

typedef enum gm_mpc_kind {
    GM_MPC_INTEGRAL,   // weight * value, over time
    GM_MPC_SQUARE,     // weight * (value - target)^2, over time
    GM_MPC_FINAL,      // weight * (value - target)^2 at the horizon
    GM_MPC_FINAL_LOW,  // weight * (target - value)^2 at the horizon, where the value is smaller
    GM_MPC_KEEP,       // weight * (how far outside of low .. high)^2, over time: a constraint when the weight is large
    GM_MPC_MOVES       // weight * (change of input number `input` from knot to knot)^2
} gm_mpc_kind;

typedef struct gm_mpc_term {
    gm_mpc_kind   kind;
    gm_slot       slot;
    double        weight, target, low, high;
    uint32_t      input;              // MOVES
    const double *price;              // [price_count] factors of weight over the horizon, held, each price_s long; NULL: 1
    uint32_t      price_count;
    double        price_s;
} gm_mpc_term;

typedef enum gm_mpc_method { GM_MPC_CEM, GM_MPC_MPPI } gm_mpc_method;

typedef struct gm_mpc_options {
    gm_mpc_method method;
    uint32_t      lanes, rounds;      // plans a round, rounds a solution
    uint32_t      knots;
    double        knot_s, look_s, step_s;  // s; look_s and step_s are made to divide knot_s
    bool          gradual;            // an input with a rate goes to its knot's value look by look; false: at once, at the knot's begin
    double        elite;              // CEM: share of plans that count, the better the more
    double        temperature;        // MPPI: share of the costs' deviation
    double        colour;             // correlation of neighbouring knots, 0 .. 1
    double        memory;             // CEM: share of the spread that each knot has by itself
    uint64_t      seed;
} gm_mpc_options;

gm_mpc_options gm_mpc_options_defaults(void);  // CEM, 1024 lanes, 4 rounds, 24 knots of 60 s

// program: viewed; must outlive the controller. Errors: GM_INVALID, GM_LIMIT with what to change; GM_NOMEM.
GM_NODISCARD gm_status gm_mpc_create(const gm_alloc *alloc, const gm_program *program, const gm_mpc_options *options,
                                     const gm_mpc_input *inputs, uint32_t input_count, const gm_mpc_term *terms, uint32_t term_count,
                                     gm_mpc **out_mpc, gm_error *err);
void                   gm_mpc_destroy(gm_mpc *mpc);

typedef struct gm_mpc_report {
    double   cost;          // of the plan
    double   held;          // of leaving the inputs as they are
    double   first;         // of the plan with which this began
    double   broken;        // how much of the plan's cost KEEP terms make
    uint32_t failed;        // lanes of the last round that failed
    uint64_t lane_steps;
} gm_mpc_report;

// Improves the plan for a beginning at `base` [slots] (GM_START_FORKED). GM_DIVERGED: no lane came through.
GM_NODISCARD gm_status gm_mpc_solve(gm_mpc *mpc, const double *base, gm_mpc_report *out_report, gm_error *err);

const double *gm_mpc_plan(const gm_mpc *mpc);  // [inputs][knots], viewed until the next solve or shift

// Drops the first knots of the plan and repeats the last value at its end.
void gm_mpc_shift(gm_mpc *mpc, uint32_t knots);

// Forgets the plan: all inputs at these values [inputs], the spread as at first.
void gm_mpc_reset(gm_mpc *mpc, const double *values);

// Replaces the prices of term number `term` (as many as there were).
void gm_mpc_price(gm_mpc *mpc, uint32_t term, const double *price);

// Runs a plan [inputs][knots] from base and tells some slots at every look: out [slot_count][looks + 1]. Returns its cost.
GM_NODISCARD gm_status gm_mpc_follow(gm_mpc *mpc, const double *base, const double *plan, const gm_slot *slots, uint32_t slot_count,
                                     double *out, double *out_cost, gm_error *err);
// Costs of up to GM_MPC_COMPARE plans side by side, each from its own beginning: bases[i] [slots], plans[i] [inputs][knots];
// out_costs [count], INFINITY: it could not be followed to the end; out_broken [count]: what broken limits make of it, may be NULL.
// Cost: one block of lanes.
enum { GM_MPC_COMPARE = 64 };
void gm_mpc_compare(gm_mpc *mpc, const double *const *bases, const double *const *plans, uint32_t count, double *out_costs, double *out_broken);

// What holds now, where moves and rates begin: the inputs of base [slots]. gm_mpc_solve does that by itself.
void gm_mpc_hold(gm_mpc *mpc, const double *base);

uint32_t gm_mpc_looks(const gm_mpc *mpc);
double   gm_mpc_look_s(const gm_mpc *mpc);

#endif
