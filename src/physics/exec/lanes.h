// physics/exec/lanes.h: many lanes of one program, integrated side by side.
//
//   gm_plan_create(alloc, program, &options, &plan, &err);            // once; shared by threads
//   gm_lanes_create(alloc, plan, 4096, &lanes, &err);                 // one run
//   gm_worker_create(alloc, plan, &worker, &err);                     // one per thread
//   gm_lanes_fill(lanes, k, 4.0);                                     // parameters, inputs, forked states ...
//   for (uint32_t block = 0; block < gm_lanes_blocks(lanes); block++) {
//       gm_lanes_start(lanes, block, worker, GM_START_FRESH);         // BIND, INITIAL, first events
//       gm_lanes_steps(lanes, block, worker, 0.01, 200);              // 200 steps of 10 ms, or
//       gm_lanes_until(lanes, block, worker, 2.0);                    // steps of its own choice up to t = 2 s
//       gm_lanes_observe(lanes, block, worker);                       // algebraic variables become current
//       const double *x = gm_lanes_row(lanes, block, slot);           // 64 lanes of one variable
//   }
//
// A block is 64 lanes; run each through its whole horizon before the next, and it stays in the cache. Blocks are
// independent: threads may run different blocks of the same lanes at the same time, each with a worker of its own.
// The last block is filled up with copies of lane 0's start values; gm_lanes_count says how many lanes count.
//
// The result of a lane depends on nothing but that lane: not on its neighbours, the block, the thread or the executor.
#ifndef GM_PHYSICS_LANES_H
#define GM_PHYSICS_LANES_H

#include "physics/exec/executor.h"
#include "physics/program.h"

enum { GM_LANES_PER_BLOCK = 64 };

typedef struct gm_plan   gm_plan;    // immutable: a program compiled for an executor and a method
typedef struct gm_lanes  gm_lanes;   // one run
typedef struct gm_worker gm_worker;  // scratch memory of one thread

typedef enum gm_method {
    GM_METHOD_EULER,     // explicit, fixed step, order 1
    GM_METHOD_RK4,       // explicit, fixed step, order 4
    GM_METHOD_DOPRI,     // Dormand-Prince 5(4), a step of its own for every lane
    GM_METHOD_IMPLICIT,  // Rosenbrock, order 4(3), L-stable: stiff models; a step of its own for every lane
    GM_METHOD_COUNT
} gm_method;

const char *gm_method_text(gm_method method);

typedef struct gm_plan_options {
    gm_executor executor;
    gm_method   method;
    double      tolerance;  // adaptive methods: relative; absolute it is tolerance * nominal
} gm_plan_options;

gm_plan_options gm_plan_options_defaults(void);  // AUTO, RK4, 1e-6

// program: viewed; must outlive the plan.
// Errors: GM_INVALID  the method can not run this program (the text says why)
//         GM_NOMEM, GM_LIMIT
// Where the system refuses executable memory the interpreter is picked.
GM_NODISCARD gm_status gm_plan_create(const gm_alloc *alloc, const gm_program *program, const gm_plan_options *options,
                                      gm_plan **out_plan, gm_error *err);
void                   gm_plan_destroy(gm_plan *plan);
const gm_program      *gm_plan_program(const gm_plan *plan);
gm_plan_options        gm_plan_options_of(const gm_plan *plan);  // executor as it was picked
size_t                 gm_plan_working_set(const gm_plan *plan); // bytes one step of a block touches

GM_NODISCARD gm_status gm_worker_create(const gm_alloc *alloc, const gm_plan *plan, gm_worker **out_worker, gm_error *err);
void                   gm_worker_destroy(gm_worker *worker);

// Called just before (after = false) and just after lanes of a block act upon events during _steps and _until; in
// between it may read rows and observe, not write. NULL: nobody listens.
typedef void gm_lanes_event(void *context, gm_lanes *lanes, uint32_t block, bool after);
void gm_worker_on_event(gm_worker *worker, gm_lanes_event *listener, void *context);

// Steps tried by gm_lanes_until with this worker, all lanes of a block at once counting as one; and a bound for them:
// where it is reached, lanes that have not arrived leave as GM_LANE_STUCK. At first there is none.
void     gm_worker_bound(gm_worker *worker, uint64_t tries_max);
uint64_t gm_worker_tries(const gm_worker *worker);

// Every slot of every lane has its start value. Memory: about 8 bytes * lanes * (slots + a few).
GM_NODISCARD gm_status gm_lanes_create(const gm_alloc *alloc, const gm_plan *plan, uint32_t count, gm_lanes **out_lanes,
                                       gm_error *err);
void                   gm_lanes_destroy(gm_lanes *lanes);
uint32_t               gm_lanes_count(const gm_lanes *lanes);
uint32_t               gm_lanes_blocks(const gm_lanes *lanes);

// Lane L is element L % 64 of block L / 64. Write between runs only.
double *gm_lanes_row(gm_lanes *lanes, uint32_t block, gm_slot slot);  // [64], viewed
void    gm_lanes_fill(gm_lanes *lanes, gm_slot slot, double value);   // all lanes alike
void    gm_lanes_set(gm_lanes *lanes, gm_slot slot, uint32_t lane, double value);
double  gm_lanes_get(gm_lanes *lanes, gm_slot slot, uint32_t lane);

typedef enum gm_start {
    GM_START_FRESH,   // BIND, then INITIAL; start values are what the rows hold, so a second run needs them set again
    GM_START_FORKED   // BIND only: states and discrete variables were set by the caller
} gm_start;

void gm_lanes_start(gm_lanes *lanes, uint32_t block, gm_worker *worker, gm_start start);

// Fixed-step methods. Events are acted upon at the end of the step in which they fall.
void gm_lanes_steps(gm_lanes *lanes, uint32_t block, gm_worker *worker, double step, uint32_t steps);

// Adaptive methods: every lane that is still active reaches time `end` (s, absolute), or fails.
void gm_lanes_until(gm_lanes *lanes, uint32_t block, gm_worker *worker, double end);

// OUTPUT: algebraic variables for the present states.
void gm_lanes_observe(gm_lanes *lanes, uint32_t block, gm_worker *worker);

// After inputs, parameters or states were changed from outside in mid-run: BIND, then events that the change causes.
void gm_lanes_touch(gm_lanes *lanes, uint32_t block, gm_worker *worker);

typedef enum gm_lane_status {
    GM_LANE_ACTIVE,
    GM_LANE_TERMINATED,  // terminate() was reached: a good end
    GM_LANE_ASSERTED,    // an assert failed
    GM_LANE_DIVERGED,    // a state is no longer a number
    GM_LANE_STUCK,       // no step is small enough for the tolerance, or the bound of tries was reached
    GM_LANE_UNSOLVED,    // an algebraic loop did not converge
    GM_LANE_ZENO         // events did not come to rest, or follow one another ever sooner (zeno.h)
} gm_lane_status;

// A lane that is not active keeps the values it had when it left.
typedef struct gm_lane_report {
    gm_lane_status status;
    uint32_t       check;     // ASSERTED, TERMINATED: index into gm_program_checks
    uint32_t       warnings;  // of all checks together: GM_CHECK_WARN, GM_CHECK_NOTE
    double         time;      // when it left, s; or now
} gm_lane_report;

gm_lane_report gm_lanes_report(gm_lanes *lanes, uint32_t lane);

#endif
