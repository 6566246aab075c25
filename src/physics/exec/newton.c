// Damped Newton with a state per lane: a step is taken whole, and halved while it does not reduce the residuals.
//
//   EVALUATE --residual smaller--> factor, new direction --> EVALUATE
//      |  \--residual larger-----> halve the step        --> EVALUATE
//      +--step below tolerance---> DONE
//      +--matrix singular--------> a little aside        --> EVALUATE, a few times
//
// Converged when the last full step is below TOLERANCE of the unknown or its nominal value: convergence is quadratic,
// so the error left is of the order of its square.
#include "physics/exec/newton.h"

#include "physics/exec/backend.h"
#include "physics/exec/sparse.h"

#include <math.h>

enum { DENSE_MAX = 256, ITERATIONS_MAX = 100, STRIP = 8, ASIDE_MAX = 3 };
static const double TOLERANCE = 1e-9, DAMPING_MIN = 1.0 / 4096, ASIDE = 1e-4;

// Rows of the body's kernel, in this order: arguments, unknowns, residuals, Jacobian entries. Behind them in scratch:
// origin and direction [unknowns][64], the work of the linear solver, then the kernel's own scratch.
struct gm_newton {
    const gm_alloc     *alloc;
    const gm_program   *program;
    const gm_loop_info *loop;
    const gm_backend   *backend;
    gm_kernel          *body;
    gm_sparse          *sparse;  // NULL: dense matrices, eight lanes side by side
    uint32_t            unknown, residual, jacobian, count;  // first rows
};

static gm_status body_code(const gm_newton *n, gm_code *code)
{
    const gm_region *body = &n->loop->body;
    uint32_t        *map  = gm_alloc_array(code->alloc, body->ins_count, sizeof *map);
    if (map == NULL) return code->status = GM_NOMEM;
    for (uint32_t i = 0; i < body->ins_count; i++) {
        const gm_ins *ins   = &body->ins[i];
        unsigned      arity = gm_op_arity(ins->op);
        if (ins->op == GM_OP_ARG) map[i] = gm_code_emit(code, GM_OP_LOAD, ins->a, 0, 0);
        else if (ins->op == GM_OP_UNKNOWN) map[i] = gm_code_emit(code, GM_OP_LOAD, n->unknown + ins->a, 0, 0);
        else {
            map[i] = gm_code_emit(code, ins->op, arity > 0 ? map[ins->a] : ins->a, arity > 1 ? map[ins->b] : ins->b,
                                  arity > 2 ? map[ins->c] : ins->c);
        }
    }
    for (uint32_t i = 0; i < body->result_count && code->status == GM_OK; i++) {
        const gm_code_result *r   = &body->results[i];
        uint32_t              row = (r->kind == GM_RESULT_RESIDUAL ? n->residual : n->jacobian) + r->target;
        gm_code_result_add(code, GM_RESULT_STORE, row, map[r->value]);
    }
    gm_free(code->alloc, map);
    return gm_code_compact(code, false);
}

// Dense matrices cost 11 ns n^3 a block, shared by the lanes of a vector; KLU 5 us an entry, where there is little fill-in
// (measured: plates of 4 to 225 nodes, 4 to 5 entries a row, AVX-512).
gm_linear gm_linear_for(const gm_loop_info *loop)
{
    double n = loop->unknowns, entries = loop->entries;
    bool   faster = entries < 0.1 * n * n && entries < n * n * n / 440;
    return gm_sparse_available() && (faster || loop->unknowns > DENSE_MAX) ? GM_LINEAR_SPARSE : GM_LINEAR_DENSE;
}

gm_status gm_newton_create(const gm_alloc *alloc, const gm_program *program, uint32_t loop, gm_linear linear,
                           gm_executor executor, gm_newton **out_newton, gm_error *err)
{
    const gm_loop_info *info = gm_program_loop(program, loop);
    *out_newton = NULL;
    if (linear == GM_LINEAR_DENSE && info->unknowns > DENSE_MAX) {
        return gm_fail(err, GM_LIMIT, "physics.newton", "loop " GM_STR_FMT " has %u unknowns, %d can be solved without KLU",
                       GM_STR_ARG(info->name), info->unknowns, (int)DENSE_MAX);
    }
    gm_newton *n = gm_alloc_zeroed(alloc, sizeof *n);
    if (n == NULL) return gm_fail(err, GM_NOMEM, "physics.newton", "loop " GM_STR_FMT, GM_STR_ARG(info->name));
    n->alloc    = alloc;
    n->program  = program;
    n->loop     = info;
    n->backend  = gm_backend_of(executor);
    n->unknown  = info->arguments;
    n->residual = n->unknown + info->unknowns;
    n->jacobian = n->residual + info->unknowns;
    n->count    = n->jacobian + info->entries;

    gm_code   code = gm_code_init(alloc, UINT32_MAX / 2);
    gm_status st   = body_code(n, &code);
    if (st != GM_OK) gm_fail(err, st, "physics.newton", "loop " GM_STR_FMT, GM_STR_ARG(info->name));
    else st = gm_kernel_create(alloc, program, &code, n->count, GM_CODE_NONE, executor, &n->body, err);
    gm_code_finish(&code);
    if (st == GM_OK && linear == GM_LINEAR_SPARSE) st = gm_sparse_create(alloc, info->unknowns, info->entries, info->rows, info->columns, &n->sparse, err);
    if (st != GM_OK) {
        gm_newton_destroy(n);
        return st;
    }
    *out_newton = n;
    return GM_OK;
}

void gm_newton_destroy(gm_newton *n)
{
    if (n == NULL) return;
    gm_kernel_destroy(n->body);
    gm_sparse_destroy(n->sparse);
    gm_free(n->alloc, n);
}

const gm_loop_info *gm_newton_loop(const gm_newton *n) { return n->loop; }

// ------------------------------------------------------------------------------------------ memory

static double *row_at(double *scratch, uint32_t row) { return scratch + (size_t)row * GM_BLOCK_LANES; }

static size_t work_at(const gm_newton *n) { return ((size_t)n->count + 2 * (size_t)n->loop->unknowns) * GM_BLOCK_LANES; }

static size_t body_at(const gm_newton *n)
{
    size_t u = n->loop->unknowns, all = work_at(n) + (n->sparse != NULL ? n->loop->entries + u : (u * u + u) * STRIP);
    return (all + 7) / 8 * 8;
}

size_t gm_newton_scratch(const gm_newton *n)
{
    size_t all = body_at(n) + gm_kernel_scratch(n->body);
    return (all + GM_BLOCK_LANES - 1) / GM_BLOCK_LANES * GM_BLOCK_LANES;
}

void gm_newton_prepare(const gm_newton *n, double *scratch) { gm_kernel_prepare(n->body, scratch + body_at(n)); }

double *gm_newton_argument(const gm_newton *n, double *scratch, uint32_t index)
{
    (void)n;
    return row_at(scratch, index);
}

double *gm_newton_unknown(const gm_newton *n, double *scratch, uint32_t index) { return row_at(scratch, n->unknown + index); }

// ------------------------------------------------------------------------------------------ iteration

typedef struct lane_states {
    double damping[GM_BLOCK_LANES];  // of the step that led here; 0 = done
    double norm[GM_BLOCK_LANES];     // of the residuals at the origin
    bool   fresh[GM_BLOCK_LANES];    // wants a new direction
    uint8_t aside[GM_BLOCK_LANES];   // how often it was moved away from a singular point
    int    running;
    bool   twin[GM_BLOCK_LANES];     // begins as lane 0 does, and so ends as it does
    gm_sparse_factors factors[GM_BLOCK_LANES];
} lane_states;

// Newton directions for eight lanes: the Jacobian's entries are spread into dense matrices.
static void find_dense_directions(const gm_newton *n, double *scratch, int first)
{
    uint32_t u = n->loop->unknowns;
    double  *a = scratch + work_at(n), *b = a + (size_t)u * u * STRIP;
    double  *direction = row_at(scratch, n->count + u);
    memset(a, 0, (size_t)u * u * STRIP * sizeof *a);
    for (uint32_t e = 0; e < n->loop->entries; e++) {
        const double *from = row_at(scratch, n->jacobian + e) + first;
        double       *to   = a + ((size_t)n->loop->rows[e] * u + n->loop->columns[e]) * STRIP;
        for (int i = 0; i < STRIP; i++) to[i] = from[i];
    }
    for (uint32_t k = 0; k < u; k++) memcpy(b + (size_t)k * STRIP, row_at(scratch, n->residual + k) + first, STRIP * sizeof *b);
    n->backend->solve(u, a, b);
    for (uint32_t k = 0; k < u; k++) memcpy(direction + (size_t)k * GM_BLOCK_LANES + first, b + (size_t)k * STRIP, STRIP * sizeof *b);
}

static void find_sparse_direction(const gm_newton *n, double *scratch, lane_states *s, int lane)
{
    uint32_t u = n->loop->unknowns;
    double  *work = scratch + work_at(n), *b = work + n->loop->entries;
    for (uint32_t k = 0; k < u; k++) b[k] = row_at(scratch, n->residual + k)[lane];
    bool solved = gm_sparse_solve(n->sparse, &s->factors[lane], row_at(scratch, n->jacobian) + lane, GM_BLOCK_LANES, work, b);
    for (uint32_t k = 0; k < u; k++) row_at(scratch, n->count + u + k)[lane] = solved ? b[k] : NAN;
}

static double clipped(const gm_slot_spec *spec, double value)
{
    return value < spec->min ? spec->min : value > spec->max ? spec->max : value;
}

// z = origin - damping * direction. Returns true when a whole step was below tolerance.
static bool step_lane(const gm_newton *n, double *scratch, int lane, double damping)
{
    uint32_t u = n->loop->unknowns;
    bool     small = damping == 1;
    for (uint32_t k = 0; k < u; k++) {
        const gm_slot_spec *spec = gm_program_slot(n->program, n->loop->guess[k]);
        double origin = row_at(scratch, n->count + k)[lane], step = damping * row_at(scratch, n->count + u + k)[lane];
        row_at(scratch, n->unknown + k)[lane] = clipped(spec, origin - step);
        small = small && fabs(step) <= TOLERANCE * (fabs(origin) + fabs(spec->nominal));
    }
    return small;
}

static double residual_norm(const gm_newton *n, double *scratch, int lane)
{
    double sum = 0;
    for (uint32_t k = 0; k < n->loop->unknowns; k++) {
        double r = row_at(scratch, n->residual + k)[lane];
        sum += r * r;
    }
    return sum;
}

// Judges where a lane got to; fresh lanes have the present point as their origin and want a direction.
static void judge(const gm_newton *n, double *scratch, lane_states *s, int lane)
{
    double norm = residual_norm(n, scratch, lane);
    if (!(norm < s->norm[lane]) && norm != 0 && s->damping[lane] > DAMPING_MIN) {
        s->damping[lane] *= 0.5;
        step_lane(n, scratch, lane, s->damping[lane]);
        return;
    }
    if (norm == 0) {  // solved; the matrix may well be singular here, and then has no direction to offer
        s->damping[lane] = 0;
        s->running--;
        return;
    }
    s->norm[lane]  = norm;
    s->fresh[lane] = true;
    for (uint32_t k = 0; k < n->loop->unknowns; k++) {
        row_at(scratch, n->count + k)[lane] = row_at(scratch, n->unknown + k)[lane];
    }
}

// Where the matrix is singular there is no direction (a saturating inductor without current: any inductance will do). Near
// by there usually is one.
static bool step_aside(const gm_newton *n, double *scratch, lane_states *s, int lane)
{
    uint32_t u = n->loop->unknowns;
    bool     finite = true;
    for (uint32_t k = 0; k < u; k++) finite = finite && isfinite(row_at(scratch, n->count + u + k)[lane]);
    if (finite || n->loop->linear || s->aside[lane] >= ASIDE_MAX) return false;
    s->aside[lane]++;
    for (uint32_t k = 0; k < u; k++) {
        const gm_slot_spec *spec = gm_program_slot(n->program, n->loop->guess[k]);
        double origin = row_at(scratch, n->count + k)[lane], way = ASIDE * (fabs(origin) + fabs(spec->nominal)) / (k + 1.0);
        row_at(scratch, n->unknown + k)[lane] = clipped(spec, origin + (s->aside[lane] % 2 == 1 ? way : -way));
    }
    s->norm[lane] = INFINITY;
    return true;
}

static void advance(const gm_newton *n, double *scratch, lane_states *s, int lane)
{
    s->damping[lane] = 1;
    s->fresh[lane]   = false;
    if (step_aside(n, scratch, s, lane)) return;
    if (step_lane(n, scratch, lane, 1) || (n->loop->linear && isfinite(s->norm[lane]))) {
        s->damping[lane] = 0;
        s->running--;
    }
}

// A single run fills its block with copies of itself, and so does the point around which a Jacobian is taken: one of them
// is solved for all.
static void find_twins(const gm_newton *n, double *scratch, lane_states *s)
{
    uint64_t differs[GM_BLOCK_LANES] = { 0 };
    for (uint32_t row = 0; row < n->residual; row++) {  // arguments, unknowns
        const double *at = row_at(scratch, row);
        uint64_t      first, bits;
        memcpy(&first, at, sizeof first);
        for (int lane = 0; lane < GM_BLOCK_LANES; lane++) {
            memcpy(&bits, at + lane, sizeof bits);
            differs[lane] |= bits ^ first;
        }
    }
    for (int lane = 0; lane < GM_BLOCK_LANES; lane++) s->twin[lane] = lane > 0 && differs[lane] == 0;
}

static void start(const gm_newton *n, const double *rows, double *scratch, lane_states *s)
{
    for (uint32_t k = 0; k < n->loop->unknowns; k++) {
        const gm_slot_spec *spec  = gm_program_slot(n->program, n->loop->guess[k]);
        const double       *guess = rows + (size_t)n->loop->guess[k].v * GM_BLOCK_LANES;
        for (int lane = 0; lane < GM_BLOCK_LANES; lane++) {
            // A guess that is no number would never become one.
            row_at(scratch, n->unknown + k)[lane] = clipped(spec, isfinite(guess[lane]) ? guess[lane] : spec->start);
        }
    }
    find_twins(n, scratch, s);
    s->running = 0;
    for (int lane = 0; lane < GM_BLOCK_LANES; lane++) {
        s->damping[lane] = s->twin[lane] ? 0 : 1;
        s->running += !s->twin[lane];
        s->norm[lane]    = INFINITY;
        s->fresh[lane]   = false;
        s->aside[lane]   = 0;
        s->factors[lane] = (gm_sparse_factors){ 0 };
    }
}

static void hand_over(const gm_newton *n, double *rows, double *scratch, const lane_states *s, double *unsolved)
{
    for (uint32_t k = 0; k < n->loop->unknowns; k++) {
        double *z = row_at(scratch, n->unknown + k), *guess = rows + (size_t)n->loop->guess[k].v * GM_BLOCK_LANES;
        for (int lane = 0; lane < GM_BLOCK_LANES; lane++) {
            if (s->twin[lane]) z[lane] = z[0];
            if ((s->twin[lane] ? s->damping[0] : s->damping[lane]) == 0 && isfinite(z[lane])) {
                guess[lane] = z[lane];
            } else {
                z[lane]        = NAN;
                unsolved[lane] = 1;
            }
        }
    }
}

void gm_newton_run(const gm_newton *n, double *rows, double *scratch, double *unsolved)
{
    lane_states s;
    start(n, rows, scratch, &s);
    for (int i = 0; i < ITERATIONS_MAX && s.running > 0; i++) {
        gm_kernel_run(n->body, scratch, scratch + body_at(n), 1);
        for (int lane = 0; lane < GM_BLOCK_LANES; lane++) {
            if (s.damping[lane] != 0) judge(n, scratch, &s, lane);
        }
        for (int first = 0; first < GM_BLOCK_LANES; first += STRIP) {
            bool any = false;
            for (int lane = first; lane < first + STRIP; lane++) any = any || s.fresh[lane];
            if (!any) continue;
            if (n->sparse == NULL) find_dense_directions(n, scratch, first);
            for (int lane = first; lane < first + STRIP; lane++) {
                if (!s.fresh[lane]) continue;
                if (n->sparse != NULL) find_sparse_direction(n, scratch, &s, lane);
                advance(n, scratch, &s, lane);
            }
        }
    }
    for (int lane = 0; lane < GM_BLOCK_LANES && n->sparse != NULL; lane++) gm_sparse_forget(n->sparse, &s.factors[lane]);
    hand_over(n, rows, scratch, &s, unsolved);
}
