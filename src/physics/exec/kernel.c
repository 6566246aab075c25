// Lowering: code becomes a list of steps, each a stretch of code for an executor or a helper in C.
//
// Levels: a value's level is one more than that of the helper results it needs, so that all helpers of a level can
// run together between two stretches. Home of a value: the stretch that computes it, PROLOGUE or its level; other
// stretches that need it, and helpers, read it from a scratch row.
#include "physics/exec/kernel.h"

#include "base/arena.h"
#include "physics/exec/backend.h"
#include "physics/exec/history.h"
#include "physics/exec/lookup.h"
#include "physics/exec/newton.h"
#include "physics/exec/step.h"

#include <assert.h>

static const uint32_t NONE = GM_CODE_NONE, PROLOGUE = UINT32_MAX - 1;
enum { WORKING_SET_MAX = 32 * 1024 };

typedef enum step_kind { STEP_CODE, STEP_LOOKUP, STEP_SOLVE, STEP_DELAY } step_kind;

typedef struct step {
    step_kind kind;
    union {
        struct { gm_interp_op *ops; uint32_t op_count; size_t linked; gm_native_run *native; } code;  // linked: in scratch
        struct { const gm_grid_spec *grid; gm_lookup what; uint32_t x, y, to; } lookup;  // rows
        struct { uint32_t history, instant, to; } delay;                                 // rows
        struct { uint32_t loop; uint32_t *arguments, *solutions; } solve;                // rows; solution NONE: not wanted
    };
} step;

struct gm_kernel {
    const gm_alloc   *alloc;
    const gm_backend *backend;
    gm_native        *native;
    step             *steps;
    uint32_t          step_count, prologue_steps;  // the first prologue_steps run once
    uint32_t          row_count, scratch_rows, crossing_rows;
    gm_interp_consts  consts;
    gm_newton       **loops;       // [loop_count] of the program; NULL where the code does not solve it
    size_t           *loop_scratch;  // [loop_count] where in scratch each has its own
    uint32_t          loop_count;
    size_t            scratch;     // doubles
    size_t            linked_to;   // where in scratch the address of the rows is kept
};

_Static_assert(sizeof(gm_interp_linked) % sizeof(double) == 0, "linked operations lie in scratch");

// ------------------------------------------------------------------------------------------ analysis

typedef struct lowering {
    const gm_alloc   *alloc;
    const gm_program *program;
    const gm_code    *code;
    uint32_t          row_count, n, levels;
    bool              interpreted, fused;  // fused: machine code without helpers, all levels in one function
    uint32_t          uniform_row;
    uint8_t          *stored;     // [rows]
    uint8_t          *uniform;    // [n] the same in all lanes
    uint8_t          *uniform_rows;  // [row_count + scratch_rows], once these are known
    uint8_t          *invariant;  // [n]
    uint32_t         *home;       // [n]
    uint32_t         *row;        // [n] scratch row, or NONE
    uint32_t         *map;        // [n] the value in the stretch being written, or NONE
    gm_code          *stretches;  // [levels + 2]: PROLOGUE, level 0, 1 ...
    uint32_t          scratch_rows;
} lowering;

static bool is_helper(uint32_t op) { return op == GM_OP_LOOKUP || op == GM_OP_SOLVE || op == GM_OP_SOLVED || op == GM_OP_DELAY; }
static bool is_leaf(uint32_t op) { return op == GM_OP_CONST || op == GM_OP_BOOL || op == GM_OP_LOAD; }

static bool is_costly(uint32_t op)
{
    return op == GM_OP_DIV || op == GM_OP_SQRT || (op >= GM_OP_QUOT && op <= GM_OP_POW);
}

// The values an instruction reads, arguments of a SOLVE included.
static uint32_t operand_count(const gm_ins *ins)
{
    return ins->op == GM_OP_SOLVE ? ins->c : gm_op_arity(ins->op);
}

static uint32_t operand_at(const lowering *l, const gm_ins *ins, uint32_t k)
{
    if (ins->op == GM_OP_SOLVE) return l->code->arguments[ins->b + k];
    return k == 0 ? ins->a : k == 1 ? ins->b : ins->c;
}

static uint32_t count_helpers(const lowering *l)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < l->n; i++) n += is_helper(l->code->ins[i].op);
    return n;
}

static void find_levels(lowering *l)
{
    for (uint32_t i = 0; i < l->n; i++) {
        const gm_ins *ins = &l->code->ins[i];
        uint32_t      level     = ins->op == GM_OP_SOLVED ? l->home[ins->a] : 0;
        bool          invariant = !is_helper(ins->op) && (ins->op != GM_OP_LOAD || !l->stored[ins->a]);
        bool          uniform   = !is_helper(ins->op) && (ins->op != GM_OP_LOAD || ins->a == l->uniform_row);
        for (uint32_t k = 0; k < operand_count(ins); k++) {
            uint32_t operand = operand_at(l, ins, k), from = l->home[operand] + is_helper(l->code->ins[operand].op);
            if (from > level) level = from;
            invariant = invariant && l->invariant[operand];
            uniform   = uniform && l->uniform[operand];
        }
        l->home[i]      = level;
        l->invariant[i] = invariant;
        l->uniform[i]   = uniform;
        uint32_t needed = level + 1 + is_helper(ins->op);  // what a helper gives is read in the next stretch at the earliest
        if (needed > l->levels) l->levels = needed;
    }
}

// Rough latencies in cycles of current processors (Fog, Instruction tables).
static uint32_t latency_of(uint32_t op)
{
    if (is_leaf(op)) return 0;
    if (op == GM_OP_DIV || op == GM_OP_SQRT) return 16;
    return op >= GM_OP_QUOT && op <= GM_OP_POW ? 60 : 4;
}

// A processor overlaps the vectors of a block as long as a few of them fit its window. When the chain of dependent
// operations is long (a division and an exponential in each of four stages), it is cut into levels; each runs over the
// whole block before the next, and what passes from one to the next lies in scratch rows. Not where that is much.
static void cut_long_chains(lowering *l)
{
    enum { CHAIN = 40, OVERLAPS = 220 };
    uint32_t *depth = l->map, longest = 0, passing = 0;  // map is not needed yet
    for (uint32_t i = 0; i < l->n; i++) {
        const gm_ins *ins = &l->code->ins[i];
        depth[i]          = 0;
        for (uint32_t k = 0; k < operand_count(ins); k++) {
            uint32_t operand = operand_at(l, ins, k), from = depth[operand] + latency_of(l->code->ins[operand].op);
            if (from > depth[i] && !l->invariant[operand]) depth[i] = from;
        }
        if (depth[i] > longest) longest = depth[i];
    }
    uint32_t levels = longest / CHAIN + 1, span = longest / levels + 1, work = 0;
    for (uint32_t i = 0; i < l->n; i++) {
        const gm_ins *ins = &l->code->ins[i];
        work += 1 + latency_of(ins->op) / 3;  // about so many instructions
        for (uint32_t k = 0; k < operand_count(ins); k++) {
            uint32_t from = operand_at(l, ins, k);
            if (is_leaf(l->code->ins[from].op) || l->invariant[from] || depth[from] / span == depth[i] / span) continue;
            passing += l->row[from] == NONE;  // marks it; the rows are given out later
            l->row[from] = 0;
        }
    }
    memset(l->row, 0xff, l->n * sizeof *l->row);
    bool worth = longest > OVERLAPS && passing * 4 < work;
    for (uint32_t i = 0; i < l->n && worth; i++) {
        if (!l->invariant[i]) l->home[i] = depth[i] / span;
    }
    if (worth) l->levels = levels;
    memset(l->map, 0xff, l->n * sizeof *l->map);
}

// Moves invariant values that changing ones use to the prologue, with all they are computed from.
static void hoist(lowering *l, bool costly_only)
{
    uint8_t *wanted = l->invariant;  // 1 = invariant, 3 = to be hoisted
    for (uint32_t i = 0; i < l->n; i++) {
        const gm_ins *ins = &l->code->ins[i];
        for (uint32_t k = 0; !l->invariant[i] && k < operand_count(ins); k++) {
            uint32_t from = operand_at(l, ins, k), op = l->code->ins[from].op;
            if (!l->invariant[from] || is_leaf(op) || (costly_only && !is_costly(op))) continue;
            wanted[from] |= 2;
        }
    }
    for (uint32_t i = l->n; i-- > 0;) {
        const gm_ins *ins = &l->code->ins[i];
        if (!(wanted[i] & 2)) continue;
        l->home[i] = PROLOGUE;
        for (uint32_t k = 0; k < operand_count(ins); k++) {
            uint32_t from = operand_at(l, ins, k);
            if (!is_leaf(l->code->ins[from].op)) wanted[from] |= 2;
        }
    }
}

static uint32_t count_hoisted(const lowering *l)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < l->n; i++) {
        const gm_ins *ins = &l->code->ins[i];
        for (uint32_t k = 0; !l->invariant[i] && k < operand_count(ins); k++) {
            uint32_t from = operand_at(l, ins, k);
            n += l->invariant[from] && !is_leaf(l->code->ins[from].op);
        }
    }
    return n;
}

static uint32_t row_for(lowering *l, uint32_t value)
{
    if (l->row[value] == NONE) l->row[value] = l->row_count + l->scratch_rows++;
    return l->row[value];
}

// Gives a row to every value that is read outside its home.
static void assign_rows(lowering *l)
{
    const gm_code *code = l->code;
    uint32_t       last = l->levels - 1;
    for (uint32_t i = 0; i < l->n; i++) {
        const gm_ins *ins = &code->ins[i];
        for (uint32_t k = 0; k < operand_count(ins); k++) {
            uint32_t from = operand_at(l, ins, k), op = code->ins[from].op;
            if (is_helper(ins->op) || is_helper(op) || (!is_leaf(op) && l->home[from] != l->home[i])) row_for(l, from);
        }
    }
    for (size_t i = 0; i < code->result_count; i++) {
        uint32_t from = code->results[i].value, op = code->ins[from].op;
        if (is_helper(op) || (!is_leaf(op) && l->home[from] != last)) row_for(l, from);
    }
}

// ------------------------------------------------------------------------------------------ stretches

// The value in the stretch of `home`: computed there, or read from its row.
static uint32_t value_in(lowering *l, gm_code *to, uint32_t home, uint32_t value)
{
    const gm_ins *ins = &l->code->ins[value];
    if (is_leaf(ins->op)) return gm_code_emit(to, ins->op, ins->a, ins->b, ins->c);
    if (l->home[value] == home && !is_helper(ins->op)) return l->map[value];
    return gm_code_emit(to, GM_OP_LOAD, l->row[value], 0, 0);
}

static void write_stretch(lowering *l, gm_code *to, uint32_t home)
{
    for (uint32_t i = 0; i < l->n; i++) {
        const gm_ins *ins = &l->code->ins[i];
        uint32_t      operand[3] = { 0 };
        if (is_helper(ins->op)) {
            // A helper of this level reads rows, also where it is given a constant or a row of the program.
            for (uint32_t k = 0; l->home[i] == home && k < operand_count(ins); k++) {
                uint32_t from = operand_at(l, ins, k);
                if (is_leaf(l->code->ins[from].op)) gm_code_result_add(to, GM_RESULT_STORE, l->row[from], value_in(l, to, home, from));
            }
            continue;
        }
        if (is_leaf(ins->op) || l->home[i] != home) continue;
        for (uint32_t k = 0; k < operand_count(ins); k++) operand[k] = value_in(l, to, home, operand_at(l, ins, k));
        l->map[i] = gm_code_emit(to, ins->op, operand[0], operand[1], operand[2]);
        if (l->row[i] != NONE) gm_code_result_add(to, GM_RESULT_STORE, l->row[i], l->map[i]);
    }
    if (home != l->levels - 1) return;
    for (size_t i = 0; i < l->code->result_count; i++) {
        const gm_code_result *result = &l->code->results[i];
        gm_code_result_add(to, GM_RESULT_STORE, result->target, value_in(l, to, home, result->value));
    }
}

static gm_status write_stretches(lowering *l)
{
    l->stretches = gm_alloc_zeroed(l->alloc, (l->levels + 1) * sizeof *l->stretches);
    if (l->stretches == NULL) return GM_NOMEM;
    for (uint32_t s = 0; s <= l->levels; s++) {
        gm_code *to = &l->stretches[s];
        *to         = gm_code_init(l->alloc, UINT32_MAX / 2);
        write_stretch(l, to, s == 0 ? PROLOGUE : s - 1);
        // The interpreter's accumulator likes consumers close to producers; the code generator's registers do not.
        gm_status st = l->interpreted ? gm_code_schedule(to) : to->status;
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

static gm_status analyse(lowering *l)
{
    size_t n  = l->n + 1u;
    l->stored = gm_alloc_zeroed(l->alloc, l->row_count + 2 * n);
    l->home   = gm_alloc_array(l->alloc, 3 * n, sizeof *l->home);
    if (l->stored == NULL || l->home == NULL) return GM_NOMEM;
    l->invariant = l->stored + l->row_count;
    l->uniform   = l->invariant + n;
    l->row       = l->home + n;
    l->map       = l->home + 2 * n;
    l->levels    = 1;
    memset(l->row, 0xff, 2 * n * sizeof *l->row);
    for (size_t i = 0; i < l->code->result_count; i++) {
        assert(l->code->results[i].kind == GM_RESULT_STORE && l->code->results[i].target < l->row_count);
        l->stored[l->code->results[i].target] = 1;
    }
    // A solve leaves its solution where its guess was.
    for (uint32_t i = 0; i < l->n; i++) {
        if (l->code->ins[i].op != GM_OP_SOLVE) continue;
        const gm_loop_info *loop = gm_program_loop(l->program, l->code->ins[i].a);
        for (uint32_t k = 0; k < loop->unknowns; k++) l->stored[loop->guess[k].v] = 1;
    }
    find_levels(l);
    if (l->fused) cut_long_chains(l);
    bool crowded = (l->row_count + count_hoisted(l)) * GM_BLOCK_LANES * sizeof(double) > WORKING_SET_MAX;
    hoist(l, crowded);
    assign_rows(l);
    l->uniform_rows = gm_alloc_zeroed(l->alloc, l->row_count + (size_t)l->scratch_rows + 1);
    if (l->uniform_rows == NULL) return GM_NOMEM;
    if (l->uniform_row < l->row_count) l->uniform_rows[l->uniform_row] = 1;
    for (uint32_t i = 0; i < l->n; i++) {
        if (l->row[i] != NONE) l->uniform_rows[l->row[i]] = l->uniform[i];
    }
    return write_stretches(l);
}

static void lowering_finish(lowering *l)
{
    for (uint32_t s = 0; l->stretches != NULL && s <= l->levels; s++) gm_code_finish(&l->stretches[s]);
    gm_free(l->alloc, l->stretches);
    gm_free(l->alloc, l->uniform_rows);
    gm_free(l->alloc, l->home);
    gm_free(l->alloc, l->stored);
}

// ------------------------------------------------------------------------------------------ steps

static gm_status add_solve(gm_kernel *k, const lowering *l, uint32_t at)
{
    const gm_ins       *ins  = &l->code->ins[at];
    const gm_loop_info *loop = gm_program_loop(l->program, ins->a);
    uint32_t           *rows = gm_alloc_array(k->alloc, loop->arguments + (size_t)loop->unknowns, sizeof *rows);
    if (rows == NULL) return GM_NOMEM;
    step *s = &k->steps[k->step_count++];
    *s      = (step){ STEP_SOLVE, .solve = { ins->a, rows, rows + loop->arguments } };
    for (uint32_t i = 0; i < loop->arguments; i++) s->solve.arguments[i] = l->row[operand_at(l, ins, i)];
    for (uint32_t i = 0; i < loop->unknowns; i++) s->solve.solutions[i] = NONE;
    s->solve.solutions[0] = l->row[at];
    for (uint32_t i = at + 1; i < l->n; i++) {
        if (l->code->ins[i].op == GM_OP_SOLVED && l->code->ins[i].a == at) s->solve.solutions[l->code->ins[i].b] = l->row[i];
    }
    return GM_OK;
}

static gm_status add_helpers(gm_kernel *k, const lowering *l, uint32_t level)
{
    for (uint32_t i = 0; i < l->n; i++) {
        const gm_ins *ins = &l->code->ins[i];
        if (ins->op == GM_OP_SOLVE && l->home[i] == level) {
            gm_status st = add_solve(k, l, i);
            if (st != GM_OK) return st;
        }
        if (ins->op == GM_OP_DELAY && l->home[i] == level && l->row[i] != NONE) {
            uint32_t history = gm_layout_of(l->program).history + ins->b * GM_HISTORY_ROWS;
            k->steps[k->step_count++] = (step){ STEP_DELAY, .delay = { history, l->row[ins->a], l->row[i] } };
        }
        if (ins->op != GM_OP_LOOKUP || l->home[i] != level || l->row[i] == NONE) continue;
        uint32_t            grid_count;
        const gm_grid_spec *grids = gm_program_grids(l->program, &grid_count);
        k->steps[k->step_count++] = (step){ STEP_LOOKUP,
            .lookup = { &grids[ins->c >> 2], (gm_lookup)(ins->c & 3), l->row[ins->a], l->row[ins->b], l->row[i] } };
    }
    return GM_OK;
}

// Compiles the bodies of the loops that the code solves.
static gm_status make_loops(gm_kernel *k, const lowering *l, gm_executor executor, gm_error *err)
{
    bool any = false;
    for (uint32_t i = 0; i < l->n; i++) any = any || l->code->ins[i].op == GM_OP_SOLVE;
    if (!any) return GM_OK;
    k->loop_count   = gm_program_loop_count(l->program);
    k->loops        = gm_alloc_zeroed(k->alloc, k->loop_count * sizeof(gm_newton *));
    k->loop_scratch = gm_alloc_zeroed(k->alloc, k->loop_count * sizeof *k->loop_scratch);
    if (k->loops == NULL || k->loop_scratch == NULL) return gm_fail(err, GM_NOMEM, "physics.kernel", "%u loops", k->loop_count);
    for (uint32_t i = 0; i < l->n; i++) {
        if (l->code->ins[i].op != GM_OP_SOLVE || k->loops[l->code->ins[i].a] != NULL) continue;
        uint32_t  loop = l->code->ins[i].a;
        gm_linear how  = gm_linear_for(gm_program_loop(l->program, loop));
        gm_status st   = gm_newton_create(k->alloc, l->program, loop, how, executor, &k->loops[loop], err);
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

// Scratch: rows, constants, what each loop needs, linked operations and which rows they are linked to, and one row that
// says which lanes were not solved.
static void place_scratch(gm_kernel *k)
{
    k->scratch = ((size_t)k->scratch_rows + k->consts.count) * GM_BLOCK_LANES;
    k->linked_to = k->scratch;
    k->scratch += 8;
    for (uint32_t i = 0; i < k->step_count; i++) {
        if (k->steps[i].kind != STEP_CODE || k->steps[i].code.ops == NULL) continue;
        k->steps[i].code.linked = k->scratch;
        k->scratch += k->steps[i].code.op_count * sizeof(gm_interp_linked) / sizeof(double);
    }
    k->scratch = (k->scratch + 7) / 8 * 8;
    for (uint32_t i = 0; i < k->loop_count; i++) {
        k->loop_scratch[i] = k->scratch;
        if (k->loops[i] != NULL) k->scratch += gm_newton_scratch(k->loops[i]);
    }
    if (k->loop_count > 0) k->scratch += GM_BLOCK_LANES;
}

static gm_status add_code(gm_kernel *k, const lowering *l, const gm_code *code, gm_native_run *native)
{
    if (code->result_count == 0 || (k->native != NULL && native == NULL)) return GM_OK;  // nothing, or in another's function
    step *s = &k->steps[k->step_count];
    *s      = (step){ STEP_CODE, .code = { .native = native } };
    if (native == NULL) {
        uint32_t  end;
        gm_status st = gm_interp_compile(k->alloc, code, k->row_count, k->crossing_rows, l->uniform_rows, &k->consts, &s->code.ops,
                                         &s->code.op_count, &end);
        if (st != GM_OK) return st;
        if (end > k->scratch_rows) k->scratch_rows = end;
    }
    k->step_count++;
    return GM_OK;
}

static gm_status make_steps(gm_kernel *k, const lowering *l, gm_error *err)
{
    uint32_t        count = l->levels + 1;
    gm_status       st    = GM_OK;
    gm_native_run **run   = gm_alloc_zeroed(k->alloc, count * sizeof(gm_native_run *));
    const gm_code **codes = gm_alloc_array(k->alloc, count, sizeof(gm_code *));
    k->steps              = gm_alloc_zeroed(k->alloc, (count + count_helpers(l)) * sizeof *k->steps);
    if (run == NULL || codes == NULL || k->steps == NULL) {
        st = gm_fail(err, GM_NOMEM, "physics.kernel", "%u operations", l->n);
        goto done;
    }
    for (uint32_t s = 0; s < count; s++) codes[s] = &l->stretches[s];
    if (k->backend->compile != NULL) {
        st = k->backend->compile(k->alloc, codes, count, l->fused, k->row_count, &k->native, run, err);
        if (st != GM_OK) goto done;
    }
    for (uint32_t s = 0; s < count && st == GM_OK; s++) {
        st = add_code(k, l, codes[s], run[s]);
        if (s == 0) k->prologue_steps = k->step_count;
        else if (st == GM_OK) st = add_helpers(k, l, s - 1);
    }
    if (st != GM_OK) gm_fail(err, st, "physics.kernel", "%u operations", l->n);
done:
    gm_free(k->alloc, run);
    gm_free(k->alloc, codes);
    return st;
}

gm_status gm_kernel_create(const gm_alloc *alloc, const gm_program *program, const gm_code *code, uint32_t row_count,
                           uint32_t uniform_row, gm_executor executor, gm_kernel **out_kernel, gm_error *err)
{
    *out_kernel = NULL;
    if (code->status != GM_OK) return gm_fail(err, code->status, "physics.kernel", "its code could not be made");
    lowering   l = { .alloc = alloc, .program = program, .code = code, .row_count = row_count, .n = (uint32_t)code->count,
                     .uniform_row = uniform_row, .interpreted = gm_backend_of(executor)->compile == NULL };
    gm_kernel *k = gm_alloc_zeroed(alloc, sizeof *k);
    gm_status  st = GM_NOMEM;
    l.fused = !l.interpreted && count_helpers(&l) == 0;
    if (k != NULL) {
        k->alloc = alloc;
        st       = analyse(&l);
    }
    if (st != GM_OK) {
        gm_fail(err, st, "physics.kernel", "%zu operations", code->count);
        goto done;
    }
    k->backend      = gm_backend_of(executor);
    k->row_count    = row_count;
    k->crossing_rows = k->scratch_rows = l.scratch_rows;
    st = make_loops(k, &l, executor, err);
    if (st == GM_OK) st = make_steps(k, &l, err);
    if (st != GM_OK) goto done;
    place_scratch(k);
    *out_kernel = k;
    k           = NULL;
done:
    lowering_finish(&l);
    gm_kernel_destroy(k);
    return st;
}

void gm_kernel_destroy(gm_kernel *k)
{
    if (k == NULL) return;
    for (uint32_t i = 0; k->steps != NULL && i < k->step_count; i++) {
        if (k->steps[i].kind == STEP_CODE) gm_free(k->alloc, k->steps[i].code.ops);
        if (k->steps[i].kind == STEP_SOLVE) gm_free(k->alloc, k->steps[i].solve.arguments);
    }
    for (uint32_t i = 0; k->loops != NULL && i < k->loop_count; i++) gm_newton_destroy(k->loops[i]);
    gm_free(k->alloc, k->loops);
    gm_free(k->alloc, k->loop_scratch);
    if (k->native != NULL) k->backend->release(k->native);
    gm_free(k->alloc, k->steps);
    gm_free(k->alloc, k->consts.bits);
    gm_free(k->alloc, k);
}

// ------------------------------------------------------------------------------------------ running

size_t gm_kernel_scratch(const gm_kernel *k)
{
    return k->scratch;
}

size_t gm_kernel_working_set(const gm_kernel *k)
{
    return k->row_count * (size_t)GM_BLOCK_LANES * sizeof(double) + k->scratch * sizeof(double);
}

void gm_kernel_prepare(const gm_kernel *k, double *scratch)
{
    double *row = scratch + (size_t)k->scratch_rows * GM_BLOCK_LANES;
    scratch[k->linked_to] = 0;  // linked to nothing yet
    for (size_t i = 0; i < k->consts.count; i++) {
        for (int lane = 0; lane < GM_BLOCK_LANES; lane++) memcpy(row++, &k->consts.bits[i], sizeof *row);
    }
    for (uint32_t i = 0; i < k->loop_count; i++) {
        if (k->loops[i] != NULL) gm_newton_prepare(k->loops[i], scratch + k->loop_scratch[i]);
    }
    if (k->loop_count > 0) memset(scratch + k->scratch - GM_BLOCK_LANES, 0, GM_BLOCK_LANES * sizeof *scratch);
}

double *gm_kernel_unsolved(const gm_kernel *k, double *scratch)
{
    return k->loop_count > 0 ? scratch + k->scratch - GM_BLOCK_LANES : NULL;
}

static double *row_at(const gm_kernel *k, double *rows, double *scratch, uint32_t row)
{
    return row < k->row_count ? rows + (size_t)row * GM_BLOCK_LANES : scratch + (size_t)(row - k->row_count) * GM_BLOCK_LANES;
}

static void run_lookup(const gm_kernel *k, const step *s, double *rows, double *scratch)
{
    const double *x = row_at(k, rows, scratch, s->lookup.x), *y = row_at(k, rows, scratch, s->lookup.y);
    double       *to = row_at(k, rows, scratch, s->lookup.to);
    for (int lane = 0; lane < GM_BLOCK_LANES; lane++) to[lane] = gm_grid_lookup(s->lookup.grid, s->lookup.what, x[lane], y[lane]);
}

static void run_delay(const gm_kernel *k, const step *s, double *rows, double *scratch)
{
    const double *instant = row_at(k, rows, scratch, s->delay.instant), *history = row_at(k, rows, scratch, s->delay.history);
    double       *to      = row_at(k, rows, scratch, s->delay.to);
    for (int lane = 0; lane < GM_BLOCK_LANES; lane++) to[lane] = gm_history_at(history, lane, instant[lane]);
}

static void run_solve(const gm_kernel *k, const step *s, double *rows, double *scratch)
{
    const gm_newton    *newton = k->loops[s->solve.loop];
    const gm_loop_info *loop   = gm_newton_loop(newton);
    double             *own    = scratch + k->loop_scratch[s->solve.loop];
    for (uint32_t i = 0; i < loop->arguments; i++) {
        memcpy(gm_newton_argument(newton, own, i), row_at(k, rows, scratch, s->solve.arguments[i]), GM_BLOCK_LANES * sizeof(double));
    }
    gm_newton_run(newton, rows, own, gm_kernel_unsolved(k, scratch));
    for (uint32_t i = 0; i < loop->unknowns; i++) {
        if (s->solve.solutions[i] == NONE) continue;
        memcpy(row_at(k, rows, scratch, s->solve.solutions[i]), gm_newton_unknown(newton, own, i), GM_BLOCK_LANES * sizeof(double));
    }
}

static gm_interp_linked *linked_ops(const step *s, double *scratch)
{
    return (gm_interp_linked *)(void *)(scratch + s->code.linked);
}

// Puts addresses into the interpreter's operations, unless they are there from the last run.
static void link_to(const gm_kernel *k, double *rows, double *scratch)
{
    double *const base[3] = { rows, scratch, scratch + (size_t)k->scratch_rows * GM_BLOCK_LANES };
    double       *last;
    memcpy(&last, scratch + k->linked_to, sizeof last);
    if (last == rows) return;
    for (uint32_t i = 0; i < k->step_count; i++) {
        const step *s = &k->steps[i];
        if (s->kind == STEP_CODE && s->code.ops != NULL) k->backend->interp->link(s->code.ops, base, linked_ops(s, scratch));
    }
    memcpy(scratch + k->linked_to, &rows, sizeof rows);
}

static void run_steps(const gm_kernel *k, uint32_t first, uint32_t end, double *rows, double *scratch)
{
    for (uint32_t i = first; i < end; i++) {
        const step *s = &k->steps[i];
        switch (s->kind) {
        case STEP_CODE:
            if (s->code.native != NULL) s->code.native(rows, scratch, 1);
            else k->backend->interp->run(linked_ops(s, scratch));
            break;
        case STEP_LOOKUP: run_lookup(k, s, rows, scratch); break;
        case STEP_SOLVE: run_solve(k, s, rows, scratch); break;
        case STEP_DELAY: run_delay(k, s, rows, scratch); break;
        }
    }
}

void gm_kernel_run(const gm_kernel *k, double *rows, double *scratch, uint32_t times)
{
    if (times == 0) return;
    link_to(k, rows, scratch);
    run_steps(k, 0, k->prologue_steps, rows, scratch);
    // Code without helpers loops by itself.
    const step *only = k->step_count == k->prologue_steps + 1 ? &k->steps[k->prologue_steps] : NULL;
    if (only != NULL && only->kind == STEP_CODE && only->code.native != NULL) {
        only->code.native(rows, scratch, times);
        return;
    }
    for (uint32_t i = 0; i < times; i++) run_steps(k, k->prologue_steps, k->step_count, rows, scratch);
}
