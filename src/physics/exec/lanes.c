// Plans, lanes, and the loops around the kernels. Kernels do the arithmetic; what is here looks at flags and alarms.
//
// Invariants: (1) a lane whose `active` row is 0 is never stored to by a step; (2) `flag` rows are 0 between calls.
#include "physics/exec/lanes.h"

#include "physics/exec/history.h"
#include "physics/exec/implicit.h"
#include "physics/exec/kernel.h"
#include "physics/exec/step.h"
#include "physics/exec/zeno.h"

#include <assert.h>
#include <math.h>

_Static_assert((int)GM_LANES_PER_BLOCK == (int)GM_BLOCK_LANES, "one size of block");

enum { TRIES = 8 };  // steps tried between two looks at who has arrived

typedef enum plan_kernel {
    KERNEL_STEP,
    KERNEL_EVENT,
    KERNEL_BIND,
    KERNEL_INITIAL,
    KERNEL_OUTPUT,
    KERNEL_SLOPES,  // methods that carry slopes from step to step: at the start, and after events
    KERNEL_COUNT
} plan_kernel;

struct gm_plan {
    const gm_alloc   *alloc;
    const gm_program *program;
    gm_plan_options   options;
    gm_layout         layout;
    bool              guarded;
    gm_kernel        *kernels[KERNEL_COUNT];
    gm_implicit      *implicit;  // NULL: KERNEL_STEP is the whole step; otherwise its end
    const gm_delay_info *delays;
    uint32_t             delay_count;
};

struct gm_worker {
    const gm_alloc *alloc;
    void           *memory;
    double         *scratch[KERNEL_COUNT], *implicit;
    gm_lanes_event *listener;
    void           *listener_context;
    uint64_t        tries, tries_max;  // of gm_lanes_until
};

// owner: whoever runs the block. One per lane.
typedef struct lane_end {
    uint8_t  status;
    uint32_t check, warnings;
    gm_zeno  zeno;
} lane_end;

struct gm_lanes {
    const gm_alloc *alloc;
    const gm_plan  *plan;
    uint32_t        count, blocks;
    void           *memory;
    double         *rows;  // [blocks][layout.count][64]
    lane_end       *ends;  // [blocks * 64]
};

const char *gm_method_text(gm_method method)
{
    static const char *const text[GM_METHOD_COUNT] = { "euler", "rk4", "dopri", "implicit" };
    assert(method < GM_METHOD_COUNT);
    return text[method];
}

gm_plan_options gm_plan_options_defaults(void)
{
    return (gm_plan_options){ .executor = GM_EXECUTOR_AUTO, .method = GM_METHOD_RK4, .tolerance = 1e-6 };
}

// ------------------------------------------------------------------------------------------ plan

static gm_status code_of_kernel(const gm_plan *plan, plan_kernel kernel, gm_code *code)
{
    const gm_program *p = plan->program;
    switch (kernel) {
    case KERNEL_STEP:
        if (plan->implicit != NULL) return gm_implicit_end_code(plan->implicit, code);
        return gm_step_code(p, &plan->layout, plan->options.method, plan->options.tolerance, code);
    case KERNEL_EVENT: return gm_event_code(p, &plan->layout, code);
    case KERNEL_BIND: return gm_section_code(p, &plan->layout, GM_SECTION_BIND, code);
    case KERNEL_INITIAL: return gm_section_code(p, &plan->layout, GM_SECTION_INITIAL, code);
    case KERNEL_OUTPUT: return gm_section_code(p, &plan->layout, GM_SECTION_OUTPUT, code);
    default: return gm_slopes_code(p, &plan->layout, code);
    }
}

static bool kernel_wanted(const gm_plan *plan, plan_kernel kernel)
{
    const gm_program *p = plan->program;
    switch (kernel) {
    case KERNEL_STEP: return true;
    case KERNEL_EVENT: return gm_program_has_events(p);
    case KERNEL_BIND: return gm_program_section(p, GM_SECTION_BIND).result_count > 0;
    case KERNEL_INITIAL: return gm_program_section(p, GM_SECTION_INITIAL).result_count > 0;
    case KERNEL_OUTPUT: return gm_program_section(p, GM_SECTION_OUTPUT).result_count > 0;
    default: return plan->options.method == GM_METHOD_DOPRI || plan->options.method == GM_METHOD_IMPLICIT;
    }
}

static void explain(gm_status st, const gm_plan *plan, gm_error *err)
{
    uint32_t states;
    gm_program_slots_of(plan->program, GM_SLOT_STATE, &states);
    const char *why = st == GM_INVALID ? ": an algebraic loop of its equations is singular, or they can not be differentiated" : "";
    gm_fail(err, st, "physics.plan", "method %s, %u states%s", gm_method_text(plan->options.method), states, why);
}

static gm_status create_plan(const gm_alloc *alloc, const gm_program *program, const gm_plan_options *options, gm_plan **out_plan,
                             gm_error *err)
{
    *out_plan       = NULL;
    gm_status st    = GM_OK;
    gm_plan  *plan  = gm_alloc_zeroed(alloc, sizeof *plan);
    if (plan == NULL) return gm_fail(err, GM_NOMEM, "physics.plan", "compiling a program");
    plan->alloc            = alloc;
    plan->program          = program;
    plan->options          = *options;
    plan->options.executor = gm_executor_pick(options->executor);
    plan->layout           = gm_layout_of(program);
    plan->delays           = gm_program_delays(program, &plan->delay_count);
    plan->guarded          = gm_program_guarded(program) || plan->delay_count > 0;

    bool adaptive = options->method == GM_METHOD_DOPRI || options->method == GM_METHOD_IMPLICIT;
    if (adaptive && !(options->tolerance > 0 && options->tolerance < 1)) {
        st = gm_fail(err, GM_INVALID, "physics.plan", "a relative tolerance of %g", options->tolerance);
        goto done;
    }
    if (options->method == GM_METHOD_IMPLICIT) {
        st = gm_implicit_create(alloc, program, &plan->layout, options->tolerance, plan->options.executor, &plan->implicit, err);
        if (st != GM_OK) goto done;
    }
    for (int k = 0; k < KERNEL_COUNT; k++) {
        if (!kernel_wanted(plan, k)) continue;
        gm_code  code    = gm_code_init(alloc, UINT32_MAX / 2);
        uint32_t uniform = adaptive ? GM_CODE_NONE : plan->layout.step;
        st               = code_of_kernel(plan, k, &code);
        if (st != GM_OK) explain(st, plan, err);
        else st = gm_kernel_create(alloc, program, &code, plan->layout.count, uniform, plan->options.executor, &plan->kernels[k], err);
        gm_code_finish(&code);
        if (st != GM_OK) goto done;
    }
    *out_plan = plan;
    plan      = NULL;
done:
    gm_plan_destroy(plan);
    return st;
}

gm_status gm_plan_create(const gm_alloc *alloc, const gm_program *program, const gm_plan_options *options,
                         gm_plan **out_plan, gm_error *err)
{
    gm_status st = create_plan(alloc, program, options, out_plan, err);
    if (st != GM_IO) return st;
    // Hardened systems refuse executable memory. The interpreter gives the same bits.
    gm_plan_options interpreted = *options;
    interpreted.executor        = GM_EXECUTOR_INTERPRETER;
    return create_plan(alloc, program, &interpreted, out_plan, err);
}

void gm_plan_destroy(gm_plan *plan)
{
    if (plan == NULL) return;
    for (int k = 0; k < KERNEL_COUNT; k++) gm_kernel_destroy(plan->kernels[k]);
    gm_implicit_destroy(plan->implicit);
    gm_free(plan->alloc, plan);
}

const gm_program *gm_plan_program(const gm_plan *plan) { return plan->program; }
gm_plan_options   gm_plan_options_of(const gm_plan *plan) { return plan->options; }
size_t            gm_plan_working_set(const gm_plan *plan) { return gm_kernel_working_set(plan->kernels[KERNEL_STEP]); }

// ------------------------------------------------------------------------------------------ memory

// Zeroed doubles on a cache line's boundary.
static double *aligned_doubles(const gm_alloc *alloc, size_t n, void **out_memory)
{
    *out_memory = n <= SIZE_MAX / 16 ? gm_alloc_zeroed(alloc, n * sizeof(double) + 64) : NULL;
    if (*out_memory == NULL) return NULL;
    return (double *)(((uintptr_t)*out_memory + 63) & ~(uintptr_t)63);
}

gm_status gm_worker_create(const gm_alloc *alloc, const gm_plan *plan, gm_worker **out_worker, gm_error *err)
{
    *out_worker  = NULL;
    size_t total = 0, each[KERNEL_COUNT] = { 0 };
    for (int k = 0; k < KERNEL_COUNT; k++) {
        if (plan->kernels[k] != NULL) each[k] = gm_kernel_scratch(plan->kernels[k]);
        total += each[k];
    }
    if (plan->implicit != NULL) total += gm_implicit_scratch(plan->implicit);
    gm_worker *w       = gm_alloc_zeroed(alloc, sizeof *w);
    double    *scratch = w != NULL ? aligned_doubles(alloc, total, &w->memory) : NULL;
    if (scratch == NULL) {
        gm_free(alloc, w);
        return gm_fail(err, GM_NOMEM, "physics.worker", "%zu bytes of scratch", total * sizeof(double));
    }
    w->alloc     = alloc;
    w->tries_max = UINT64_MAX;
    for (int k = 0; k < KERNEL_COUNT; k++) {
        w->scratch[k] = scratch;
        if (plan->kernels[k] != NULL) gm_kernel_prepare(plan->kernels[k], scratch);
        scratch += each[k];
    }
    w->implicit = scratch;
    if (plan->implicit != NULL) gm_implicit_prepare(plan->implicit, scratch);
    *out_worker = w;
    return GM_OK;
}

void gm_worker_destroy(gm_worker *w)
{
    if (w == NULL) return;
    gm_free(w->alloc, w->memory);
    gm_free(w->alloc, w);
}

void     gm_worker_bound(gm_worker *worker, uint64_t tries_max) { worker->tries_max = tries_max; }
uint64_t gm_worker_tries(const gm_worker *worker) { return worker->tries; }

void gm_worker_on_event(gm_worker *worker, gm_lanes_event *listener, void *context)
{
    worker->listener         = listener;
    worker->listener_context = context;
}

gm_status gm_lanes_create(const gm_alloc *alloc, const gm_plan *plan, uint32_t count, gm_lanes **out_lanes, gm_error *err)
{
    *out_lanes       = NULL;
    uint32_t  blocks = count / GM_BLOCK_LANES + (count % GM_BLOCK_LANES > 0);
    size_t    values;
    gm_lanes *lanes  = NULL;
    if (count == 0 || __builtin_mul_overflow((size_t)blocks * GM_BLOCK_LANES, (size_t)plan->layout.count, &values)) {
        return gm_fail(err, GM_INVALID, "physics.lanes", "%u lanes of %u slots", count, plan->layout.count);
    }
    lanes = gm_alloc_zeroed(alloc, sizeof *lanes);
    if (lanes == NULL) goto refused;
    *lanes = (gm_lanes){ .alloc = alloc, .plan = plan, .count = count, .blocks = blocks };
    lanes->rows = aligned_doubles(alloc, values, &lanes->memory);
    lanes->ends = gm_alloc_zeroed(alloc, (size_t)blocks * GM_BLOCK_LANES * sizeof *lanes->ends);
    if (lanes->rows == NULL || lanes->ends == NULL) goto refused;
    for (uint32_t slot = 0; slot < gm_program_slot_count(plan->program); slot++) {
        gm_lanes_fill(lanes, (gm_slot){ slot }, gm_program_slot(plan->program, (gm_slot){ slot })->start);
    }
    gm_lanes_fill(lanes, (gm_slot){ plan->layout.active }, 1);
    *out_lanes = lanes;
    return GM_OK;
refused:
    gm_lanes_destroy(lanes);
    return gm_fail(err, GM_NOMEM, "physics.lanes", "%u lanes of %u slots", count, plan->layout.count);
}

void gm_lanes_destroy(gm_lanes *lanes)
{
    if (lanes == NULL) return;
    gm_free(lanes->alloc, lanes->memory);
    gm_free(lanes->alloc, lanes->ends);
    gm_free(lanes->alloc, lanes);
}

uint32_t gm_lanes_count(const gm_lanes *lanes) { return lanes->count; }
uint32_t gm_lanes_blocks(const gm_lanes *lanes) { return lanes->blocks; }

static double *block_rows(gm_lanes *lanes, uint32_t block)
{
    assert(block < lanes->blocks);
    return lanes->rows + (size_t)block * lanes->plan->layout.count * GM_BLOCK_LANES;
}

static double *row_of(const gm_lanes *lanes, double *rows, uint32_t row)
{
    assert(row < lanes->plan->layout.count);
    return rows + (size_t)row * GM_BLOCK_LANES;
}

double *gm_lanes_row(gm_lanes *lanes, uint32_t block, gm_slot slot)
{
    return row_of(lanes, block_rows(lanes, block), slot.v);
}

void gm_lanes_fill(gm_lanes *lanes, gm_slot slot, double value)
{
    for (uint32_t block = 0; block < lanes->blocks; block++) {
        double *row = gm_lanes_row(lanes, block, slot);
        for (int i = 0; i < GM_BLOCK_LANES; i++) row[i] = value;
    }
}

void gm_lanes_set(gm_lanes *lanes, gm_slot slot, uint32_t lane, double value)
{
    assert(lane < lanes->count);
    gm_lanes_row(lanes, lane / GM_BLOCK_LANES, slot)[lane % GM_BLOCK_LANES] = value;
}

double gm_lanes_get(gm_lanes *lanes, gm_slot slot, uint32_t lane)
{
    assert(lane < lanes->count);
    return gm_lanes_row(lanes, lane / GM_BLOCK_LANES, slot)[lane % GM_BLOCK_LANES];
}

// ------------------------------------------------------------------------------------------ running

static void run(gm_lanes *lanes, double *rows, gm_worker *worker, plan_kernel kernel, uint32_t times)
{
    const gm_kernel *k = lanes->plan->kernels[kernel];
    if (k == NULL) return;
    double *unsolved = gm_kernel_unsolved(k, worker->scratch[kernel]);
    if (unsolved != NULL) memset(unsolved, 0, GM_BLOCK_LANES * sizeof *unsolved);
    gm_kernel_run(k, rows, worker->scratch[kernel], times);
}

// Samples of what delay() asks for, of the present point.
static void remember(gm_lanes *lanes, double *rows, gm_worker *worker)
{
    const gm_plan *plan = lanes->plan;
    const double  *time = row_of(lanes, rows, GM_TIME_SLOT.v);
    bool           computed = false;
    for (uint32_t d = 0; d < plan->delay_count; d++) {
        const gm_delay_info *delay = &plan->delays[d];
        if (!computed && gm_program_slot(plan->program, delay->source)->kind == GM_SLOT_ALGEBRAIC) {
            run(lanes, rows, worker, KERNEL_OUTPUT, 1);
            computed = true;
        }
        const double *value = row_of(lanes, rows, delay->source.v);
        double       *to    = row_of(lanes, rows, plan->layout.history + d * GM_HISTORY_ROWS);
        for (int lane = 0; lane < GM_BLOCK_LANES; lane++) gm_history_push(to, lane, time[lane], value[lane], gm_history_spacing(delay));
    }
}

static void forget(gm_lanes *lanes, double *rows)
{
    for (uint32_t d = 0; d < lanes->plan->delay_count; d++) {
        for (int lane = 0; lane < GM_BLOCK_LANES; lane++) gm_history_clear(row_of(lanes, rows, lanes->plan->layout.history + d * GM_HISTORY_ROWS), lane);
    }
}

static bool any_set(const double *row)
{
    double sum = 0;
    for (int i = 0; i < GM_BLOCK_LANES; i++) sum += row[i];
    return sum != 0;
}

static void leave(gm_lanes *lanes, double *rows, uint32_t block, int lane, gm_lane_status status, uint32_t check)
{
    lane_end *end = &lanes->ends[(size_t)block * GM_BLOCK_LANES + (size_t)lane];
    if (end->status != GM_LANE_ACTIVE) return;
    end->status = (uint8_t)status;
    end->check  = check;
    row_of(lanes, rows, lanes->plan->layout.active)[lane] = 0;
}

static bool crowded(gm_lanes *lanes, double *rows, uint32_t block, int lane)
{
    return gm_zeno_event(&lanes->ends[(size_t)block * GM_BLOCK_LANES + (size_t)lane].zeno, row_of(lanes, rows, GM_TIME_SLOT.v)[lane]);
}

// Runs EVENT for the flagged lanes until they come to rest.
static void settle_events(gm_lanes *lanes, double *rows, uint32_t block, gm_worker *worker)
{
    const gm_layout *l      = &lanes->plan->layout;
    double          *flag   = row_of(lanes, rows, l->flag);
    double          *active = row_of(lanes, rows, l->active);
    for (int i = 0; i < GM_BLOCK_LANES; i++) flag[i] = active[i] != 0 ? flag[i] : 0;
    if (!any_set(flag)) return;
    for (int i = 0; i < GM_BLOCK_LANES; i++) {
        if (flag[i] != 0 && crowded(lanes, rows, block, i)) {
            leave(lanes, rows, block, i, GM_LANE_ZENO, 0);
            flag[i] = 0;
        }
    }
    if (worker->listener != NULL) worker->listener(worker->listener_context, lanes, block, false);
    for (int round = 0; round < GM_EVENT_ROUNDS && any_set(flag); round++) run(lanes, rows, worker, KERNEL_EVENT, 1);
    for (int i = 0; i < GM_BLOCK_LANES; i++) {
        if (flag[i] != 0) leave(lanes, rows, block, i, GM_LANE_ZENO, 0);
        flag[i] = 0;
    }
    run(lanes, rows, worker, KERNEL_SLOPES, 1);
    if (worker->listener != NULL) worker->listener(worker->listener_context, lanes, block, true);
}

static void hear_alarms(gm_lanes *lanes, double *rows, uint32_t block)
{
    const gm_layout *l      = &lanes->plan->layout;
    const double    *alarm  = row_of(lanes, rows, l->alarm), *active = row_of(lanes, rows, l->active);
    uint32_t         count;
    const gm_check_info *checks = gm_program_checks(lanes->plan->program, &count);
    if (!any_set(alarm)) return;
    for (int lane = 0; lane < GM_BLOCK_LANES; lane++) {
        for (uint32_t c = 0; alarm[lane] != 0 && active[lane] != 0 && c < count; c++) {
            bool mask = row_of(lanes, rows, l->checks + c)[lane] != 0;
            if (checks[c].kind == GM_CHECK_TERMINATE && mask) leave(lanes, rows, block, lane, GM_LANE_TERMINATED, c);
            if (checks[c].kind == GM_CHECK_ASSERT && !mask) leave(lanes, rows, block, lane, GM_LANE_ASSERTED, c);
            bool was  = row_of(lanes, rows, l->heard + c)[lane] != 0;
            if (gm_check_warns(checks[c].kind, was, mask)) lanes->ends[(size_t)block * GM_BLOCK_LANES + (size_t)lane].warnings++;
        }
    }
}

static void find_diverged(gm_lanes *lanes, double *rows, uint32_t block)
{
    uint32_t       n;
    const gm_slot *states = gm_program_slots_of(lanes->plan->program, GM_SLOT_STATE, &n);
    for (uint32_t i = 0; i < n; i++) {
        const double *x   = row_of(lanes, rows, states[i].v);
        double        bad = 0;
        for (int lane = 0; lane < GM_BLOCK_LANES; lane++) bad += x[lane] - x[lane];  // 0, or NaN when any is not finite
        if (bad == 0) continue;
        for (int lane = 0; lane < GM_BLOCK_LANES; lane++) {
            if (!isfinite(x[lane])) leave(lanes, rows, block, lane, GM_LANE_DIVERGED, 0);
        }
    }
}

// Lanes in which a loop was not solved leave. Not after tries of adaptive steps, which answer with a shorter step.
static void find_unsolved(gm_lanes *lanes, double *rows, uint32_t block, gm_worker *worker, plan_kernel kernel)
{
    const gm_kernel *k = lanes->plan->kernels[kernel];
    const double    *unsolved = k != NULL ? gm_kernel_unsolved(k, worker->scratch[kernel]) : NULL;
    for (int lane = 0; unsolved != NULL && lane < GM_BLOCK_LANES; lane++) {
        if (unsolved[lane] != 0) leave(lanes, rows, block, lane, GM_LANE_UNSOLVED, 0);
    }
}

// What checks said before the first look.
static void hush(gm_lanes *lanes, double *rows)
{
    uint32_t             count;
    const gm_check_info *checks = gm_program_checks(lanes->plan->program, &count);
    for (uint32_t c = 0; c < count; c++) {
        double *row = row_of(lanes, rows, lanes->plan->layout.checks + c);
        for (int i = 0; i < GM_BLOCK_LANES; i++) row[i] = checks[c].kind == GM_CHECK_NOTE ? 0 : 1;
    }
}

static void force_events(gm_lanes *lanes, double *rows, uint32_t block, gm_worker *worker)
{
    if (!gm_program_has_events(lanes->plan->program)) return;
    double *flag = row_of(lanes, rows, lanes->plan->layout.flag);
    for (int i = 0; i < GM_BLOCK_LANES; i++) flag[i] = 1;
    settle_events(lanes, rows, block, worker);
}

void gm_lanes_start(gm_lanes *lanes, uint32_t block, gm_worker *worker, gm_start start)
{
    double *rows = block_rows(lanes, block);
    run(lanes, rows, worker, KERNEL_BIND, 1);
    if (start == GM_START_FRESH) run(lanes, rows, worker, KERNEL_INITIAL, 1);
    for (int i = 0; i < GM_BLOCK_LANES; i++) lanes->ends[(size_t)block * GM_BLOCK_LANES + (size_t)i] = (lane_end){ 0 };
    double *active = row_of(lanes, rows, lanes->plan->layout.active), *step = row_of(lanes, rows, lanes->plan->layout.step);
    for (int i = 0; i < GM_BLOCK_LANES; i++) {
        active[i] = block * GM_BLOCK_LANES + (uint32_t)i < lanes->count;  // what fills up the last block is not waited for
        step[i]   = 0;
    }
    if (start == GM_START_FRESH) find_unsolved(lanes, rows, block, worker, KERNEL_INITIAL);
    hush(lanes, rows);
    forget(lanes, rows);
    remember(lanes, rows, worker);
    force_events(lanes, rows, block, worker);
    remember(lanes, rows, worker);
    run(lanes, rows, worker, KERNEL_SLOPES, 1);
}

void gm_lanes_touch(gm_lanes *lanes, uint32_t block, gm_worker *worker)
{
    double *rows = block_rows(lanes, block);
    run(lanes, rows, worker, KERNEL_BIND, 1);
    force_events(lanes, rows, block, worker);
    // What comes from outside may come as often as it likes: only the model's own events can be without end.
    for (int i = 0; i < GM_BLOCK_LANES; i++) lanes->ends[(size_t)block * GM_BLOCK_LANES + (size_t)i].zeno = (gm_zeno){ 0 };
    run(lanes, rows, worker, KERNEL_SLOPES, 1);
}

void gm_lanes_observe(gm_lanes *lanes, uint32_t block, gm_worker *worker)
{
    run(lanes, block_rows(lanes, block), worker, KERNEL_OUTPUT, 1);
}

void gm_lanes_steps(gm_lanes *lanes, uint32_t block, gm_worker *worker, double step, uint32_t steps)
{
    const gm_plan *plan = lanes->plan;
    double        *rows = block_rows(lanes, block), *h = row_of(lanes, rows, plan->layout.step);
    double        *time = row_of(lanes, rows, GM_TIME_SLOT.v), *active = row_of(lanes, rows, plan->layout.active);
    double         begun[GM_BLOCK_LANES];
    assert(plan->options.method == GM_METHOD_EULER || plan->options.method == GM_METHOD_RK4);
    for (int i = 0; i < GM_BLOCK_LANES; i++) h[i] = step;
    memcpy(begun, time, sizeof begun);

    if (!plan->guarded) {
        run(lanes, rows, worker, KERNEL_STEP, steps);
    } else {
        for (uint32_t i = 0; i < steps; i++) {
            run(lanes, rows, worker, KERNEL_STEP, 1);
            find_unsolved(lanes, rows, block, worker, KERNEL_STEP);
            remember(lanes, rows, worker);
            settle_events(lanes, rows, block, worker);
            remember(lanes, rows, worker);
            hear_alarms(lanes, rows, block);
        }
    }
    // The sum of many steps has many roundings; their product has one.
    for (int i = 0; i < GM_BLOCK_LANES; i++) {
        if (active[i] != 0) time[i] = begun[i] + step * steps;
    }
    find_unsolved(lanes, rows, block, worker, KERNEL_STEP);
    find_diverged(lanes, rows, block);
}

gm_lane_report gm_lanes_report(gm_lanes *lanes, uint32_t lane)
{
    assert(lane < lanes->count);
    const lane_end *end = &lanes->ends[lane];
    return (gm_lane_report){ (gm_lane_status)end->status, end->check, end->warnings, gm_lanes_get(lanes, GM_TIME_SLOT, lane) };
}

// A first step from the size of the states and slopes (Hairer, Norsett, Wanner, Solving ODEs I, II.4, step a).
static void guess_steps(gm_lanes *lanes, double *rows, double end)
{
    const gm_plan   *plan = lanes->plan;
    const gm_layout *l    = &plan->layout;
    double          *step = row_of(lanes, rows, l->step), *time = row_of(lanes, rows, GM_TIME_SLOT.v);
    uint32_t         n;
    const gm_slot   *states = gm_program_slots_of(plan->program, GM_SLOT_STATE, &n);
    for (int lane = 0; lane < GM_BLOCK_LANES; lane++) {
        if (step[lane] > 0) continue;
        double size = 0, speed = 0;
        for (uint32_t i = 0; i < n; i++) {
            double x = row_of(lanes, rows, states[i].v)[lane], k = row_of(lanes, rows, l->slope + i)[lane];
            double scale = plan->options.tolerance * (fabs(x) + fabs(gm_program_slot(plan->program, states[i])->nominal));
            size += x / scale * (x / scale);
            speed += k / scale * (k / scale);
        }
        double first = size > 1e-10 && speed > 1e-10 ? 0.01 * sqrt(size / speed) : 1e-6 * (end - time[lane]);
        step[lane]   = first < end - time[lane] ? first : end - time[lane];
    }
}

static void leave_all(gm_lanes *lanes, double *rows, uint32_t block, gm_lane_status status)
{
    for (int lane = 0; lane < GM_BLOCK_LANES; lane++) leave(lanes, rows, block, lane, status, 0);
}

// True while a lane still has a way to go; lanes whose step can shrink no further leave.
static bool any_running(gm_lanes *lanes, double *rows, uint32_t block, const double *unsolved)
{
    const gm_layout *l    = &lanes->plan->layout;
    const double    *time = row_of(lanes, rows, GM_TIME_SLOT.v), *end = row_of(lanes, rows, l->end);
    const double    *step = row_of(lanes, rows, l->step), *active = row_of(lanes, rows, l->active);
    bool             any  = false;
    for (int lane = 0; lane < GM_BLOCK_LANES; lane++) {
        if (active[lane] == 0 || !(time[lane] < end[lane])) continue;
        if (!(step[lane] > 1e-15 * fabs(time[lane]) + 1e-300)) {
            leave(lanes, rows, block, lane, unsolved != NULL && unsolved[lane] != 0 ? GM_LANE_UNSOLVED : GM_LANE_STUCK, 0);
        } else any = true;
    }
    return any;
}

static void try_steps(gm_lanes *lanes, double *rows, gm_worker *worker, uint32_t tries)
{
    if (lanes->plan->implicit == NULL) {
        run(lanes, rows, worker, KERNEL_STEP, tries);
        return;
    }
    bool loops = gm_program_loop_count(lanes->plan->program) > 0;
    for (uint32_t i = 0; i < tries; i++) {
        // A step leaves the unknowns of loops a little off, and where these bend sharply no step would be short enough for
        // the linear way back. Newton's method brings them to the point at once.
        if (loops) run(lanes, rows, worker, KERNEL_SLOPES, 1);
        gm_implicit_run(lanes->plan->implicit, rows, worker->implicit);
        run(lanes, rows, worker, KERNEL_STEP, 1);
    }
}

void gm_lanes_until(gm_lanes *lanes, uint32_t block, gm_worker *worker, double end)
{
    const gm_plan *plan = lanes->plan;
    double        *rows = block_rows(lanes, block), *target = row_of(lanes, rows, plan->layout.end);
    assert(plan->options.method == GM_METHOD_DOPRI || plan->options.method == GM_METHOD_IMPLICIT);
    for (int i = 0; i < GM_BLOCK_LANES; i++) target[i] = end;
    guess_steps(lanes, rows, end);
    double *unsolved = gm_kernel_unsolved(plan->kernels[KERNEL_STEP], worker->scratch[KERNEL_STEP]);
    while (any_running(lanes, rows, block, unsolved)) {
        uint32_t tries = plan->guarded ? 1 : TRIES;
        if (worker->tries >= worker->tries_max) {
            leave_all(lanes, rows, block, GM_LANE_STUCK);
            break;
        }
        worker->tries += tries;
        try_steps(lanes, rows, worker, tries);
        if (!plan->guarded) continue;
        remember(lanes, rows, worker);
        settle_events(lanes, rows, block, worker);
        remember(lanes, rows, worker);
        hear_alarms(lanes, rows, block);
    }
    find_diverged(lanes, rows, block);
}
