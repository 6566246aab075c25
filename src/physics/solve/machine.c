#include "physics/solve/machine.h"

#include "physics/exec/history.h"
#include "physics/exec/kernel.h"
#include "physics/exec/step.h"

#include <assert.h>
#include <math.h>

typedef enum part { PART_BIND, PART_INITIAL, PART_OUTPUT, PART_SLOPES, PART_INDICATORS, PART_EVENT, PART_CHECK, PART_COUNT } part;

struct gm_machine {
    const gm_alloc   *alloc;
    const gm_program *program;
    gm_executor       executor;
    gm_layout         layout;
    const gm_slot    *states, *relations;
    uint32_t          state_count, indicator_count;
    gm_kernel        *kernels[PART_COUNT];
    double           *scratch[PART_COUNT];
    double           *rows;
    void             *memory;
    // The Jacobian's pattern and colours: columns of one colour share no row.
    uint32_t         *starts, *pattern_rows, *colour, colour_count;
    double           *increment;  // [states]
    const gm_delay_info *delays;
    uint32_t          delay_count;
    double           *at_root;    // [indicators] at the beginning of an event
    bool              looked;     // at the checks, before
};

static gm_status code_of(const gm_machine *m, part p, gm_code *code)
{
    switch (p) {
    case PART_BIND: return gm_section_code(m->program, &m->layout, GM_SECTION_BIND, code);
    case PART_INITIAL: return gm_section_code(m->program, &m->layout, GM_SECTION_INITIAL, code);
    case PART_OUTPUT: return gm_section_code(m->program, &m->layout, GM_SECTION_OUTPUT, code);
    case PART_SLOPES: return gm_slopes_code(m->program, &m->layout, code);
    case PART_INDICATORS: return gm_indicators_code(m->program, &m->layout, code);
    case PART_EVENT: return gm_section_code(m->program, &m->layout, GM_SECTION_EVENT, code);
    default: return gm_checks_code(m->program, &m->layout, code);
    }
}

// ------------------------------------------------------------------------------------------ pattern

// Sets of states, one bit each, by value of the DERIVATIVE section.
typedef struct bit_sets { uint64_t *bits; size_t words; } bit_sets;

static void unite(const bit_sets *s, uint32_t to, uint32_t from)
{
    for (size_t w = 0; w < s->words; w++) s->bits[to * s->words + w] |= s->bits[from * s->words + w];
}

static void trace(const gm_region *region, const bit_sets *s, const uint32_t *state_of_slot)
{
    for (uint32_t i = 0; i < region->ins_count; i++) {
        const gm_ins *ins   = &region->ins[i];
        unsigned      arity = gm_op_arity(ins->op);
        if (ins->op == GM_OP_LOAD && state_of_slot[ins->a] != UINT32_MAX) {
            uint32_t state = state_of_slot[ins->a];
            s->bits[i * s->words + state / 64] |= UINT64_C(1) << state % 64;
        }
        if (arity > 0 || ins->op == GM_OP_SOLVED) unite(s, i, ins->a);
        if (arity > 1) unite(s, i, ins->b);
        if (arity > 2) unite(s, i, ins->c);
        for (uint32_t k = 0; ins->op == GM_OP_SOLVE && k < ins->c; k++) unite(s, i, region->arguments[ins->b + k]);
    }
}

// Fills starts and pattern_rows; the diagonal is always in.
static gm_status find_pattern(gm_machine *m)
{
    gm_region region = gm_program_section(m->program, GM_SECTION_DERIVATIVE);
    uint32_t  n = m->state_count, slots = gm_program_slot_count(m->program);
    bit_sets  s = { .words = n / 64 + 1 };
    s.bits      = gm_alloc_zeroed(m->alloc, (region.ins_count + (size_t)1) * s.words * sizeof *s.bits);
    uint32_t *work = gm_alloc_array(m->alloc, slots + (size_t)n, sizeof *work);
    m->starts      = gm_alloc_zeroed(m->alloc, (n + (size_t)2) * sizeof *m->starts);
    gm_status st   = s.bits == NULL || work == NULL || m->starts == NULL ? GM_NOMEM : GM_OK;
    if (st != GM_OK) goto done;
    uint32_t *state_of = work, *value_of = work + slots;  // slope of state i is value_of[i]
    memset(state_of, 0xff, slots * sizeof *state_of);
    for (uint32_t i = 0; i < n; i++) state_of[m->states[i].v] = i;
    for (uint32_t i = 0; i < region.result_count; i++) value_of[state_of[region.results[i].target]] = region.results[i].value;
    trace(&region, &s, state_of);

    for (int pass = 0; pass < 2; pass++) {
        uint32_t at = 0;
        for (uint32_t j = 0; j < n; j++) {
            m->starts[j] = at;
            for (uint32_t i = 0; i < n; i++) {
                bool depends = i == j || (s.bits[value_of[i] * s.words + j / 64] >> j % 64 & 1);
                if (depends && pass == 1) m->pattern_rows[at] = i;
                at += depends;
            }
        }
        m->starts[n] = at;
        if (pass == 1) break;
        m->pattern_rows = gm_alloc_array(m->alloc, at + (size_t)1, sizeof *m->pattern_rows);
        if (m->pattern_rows == NULL) {
            st = GM_NOMEM;
            break;
        }
    }
done:
    gm_free(m->alloc, s.bits);
    gm_free(m->alloc, work);
    return st;
}

// Greedy colouring of the columns (Curtis, Powell, Reid, J. Inst. Maths Applics 13 (1974) 117).
static gm_status colour_columns(gm_machine *m)
{
    uint32_t  n     = m->state_count;
    m->colour       = gm_alloc_zeroed(m->alloc, (n + (size_t)1) * sizeof *m->colour);
    m->increment    = gm_alloc_zeroed(m->alloc, (n + (size_t)1) * sizeof *m->increment);
    uint8_t *taken  = gm_alloc_bytes(m->alloc, n + (size_t)1);
    if (m->colour == NULL || m->increment == NULL || taken == NULL) {
        gm_free(m->alloc, taken);
        return GM_NOMEM;
    }
    for (uint32_t left = n; left > 0; m->colour_count++) {
        memset(taken, 0, n);
        for (uint32_t j = 0; j < n; j++) {
            bool fits = m->colour[j] == 0;
            for (uint32_t k = m->starts[j]; fits && k < m->starts[j + 1]; k++) fits = !taken[m->pattern_rows[k]];
            if (!fits) continue;
            for (uint32_t k = m->starts[j]; k < m->starts[j + 1]; k++) taken[m->pattern_rows[k]] = 1;
            m->colour[j] = m->colour_count + 1;
            left--;
        }
    }
    gm_free(m->alloc, taken);
    return GM_OK;
}

// ------------------------------------------------------------------------------------------ life

static gm_status make_kernels(gm_machine *m, gm_error *err)
{
    for (int p = 0; p < PART_COUNT; p++) {
        gm_code   code = gm_code_init(m->alloc, UINT32_MAX / 2);
        gm_status st   = code_of(m, p, &code);
        if (st != GM_OK) gm_fail(err, st, "physics.machine", "compiling a program");
        else if (code.result_count > 0) {
            st = gm_kernel_create(m->alloc, m->program, &code, m->layout.count, GM_CODE_NONE, m->executor, &m->kernels[p], err);
        }
        gm_code_finish(&code);
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

static gm_status place_memory(gm_machine *m)
{
    size_t total = (size_t)m->layout.count * GM_BLOCK_LANES;
    for (int p = 0; p < PART_COUNT; p++) total += m->kernels[p] != NULL ? gm_kernel_scratch(m->kernels[p]) : 0;
    m->memory = gm_alloc_zeroed(m->alloc, total * sizeof(double) + 64);
    if (m->memory == NULL) return GM_NOMEM;
    m->rows    = (double *)(((uintptr_t)m->memory + 63) & ~(uintptr_t)63);
    double *at = m->rows + (size_t)m->layout.count * GM_BLOCK_LANES;
    for (int p = 0; p < PART_COUNT; p++) {
        if (m->kernels[p] == NULL) continue;
        m->scratch[p] = at;
        gm_kernel_prepare(m->kernels[p], at);
        at += gm_kernel_scratch(m->kernels[p]);
    }
    return GM_OK;
}

gm_status gm_machine_create(const gm_alloc *alloc, const gm_program *program, gm_executor executor, gm_machine **out_machine,
                            gm_error *err)
{
    *out_machine  = NULL;
    gm_machine *m = gm_alloc_zeroed(alloc, sizeof *m);
    if (m == NULL) return gm_fail(err, GM_NOMEM, "physics.machine", "compiling a program");
    m->alloc     = alloc;
    m->program   = program;
    m->executor  = gm_executor_pick(executor);
    m->layout    = gm_layout_of(program);
    m->states    = gm_program_slots_of(program, GM_SLOT_STATE, &m->state_count);
    m->relations = gm_program_relations(program, &m->indicator_count);
    m->delays    = gm_program_delays(program, &m->delay_count);
    gm_status st = GM_OK;
    m->at_root = gm_alloc_zeroed(alloc, (m->indicator_count + (size_t)1) * sizeof *m->at_root);
    if (st == GM_OK && m->at_root == NULL) st = gm_fail(err, GM_NOMEM, "physics.machine", "%u indicators", m->indicator_count);
    if (st == GM_OK) st = make_kernels(m, err);
    if (st == GM_IO) {  // executable memory is refused; the interpreter gives the same bits
        for (int p = 0; p < PART_COUNT; p++) gm_kernel_destroy(m->kernels[p]), m->kernels[p] = NULL;
        m->executor = gm_executor_pick(GM_EXECUTOR_INTERPRETER);
        st          = make_kernels(m, err);
    }
    if (st == GM_OK && (find_pattern(m) != GM_OK || colour_columns(m) != GM_OK || place_memory(m) != GM_OK)) {
        st = gm_fail(err, GM_NOMEM, "physics.machine", "%u states", m->state_count);
    }
    if (st != GM_OK) {
        gm_machine_destroy(m);
        return st;
    }
    for (uint32_t s = 0; s < gm_program_slot_count(program); s++) {
        gm_machine_set(m, (gm_slot){ s }, gm_program_slot(program, (gm_slot){ s })->start);
    }
    gm_machine_set(m, (gm_slot){ m->layout.active }, 1);
    *out_machine = m;
    return GM_OK;
}

void gm_machine_destroy(gm_machine *m)
{
    if (m == NULL) return;
    for (int p = 0; p < PART_COUNT; p++) gm_kernel_destroy(m->kernels[p]);
    gm_free(m->alloc, m->memory);
    gm_free(m->alloc, m->starts);
    gm_free(m->alloc, m->pattern_rows);
    gm_free(m->alloc, m->colour);
    gm_free(m->alloc, m->increment);
    gm_free(m->alloc, m->at_root);
    gm_free(m->alloc, m);
}

gm_executor gm_machine_executor(const gm_machine *m) { return m->executor; }

// ------------------------------------------------------------------------------------------ values

static double *row_of(const gm_machine *m, uint32_t row)
{
    assert(row < m->layout.count);
    return m->rows + (size_t)row * GM_BLOCK_LANES;
}

double gm_machine_get(const gm_machine *m, gm_slot slot) { return row_of(m, slot.v)[0]; }

void gm_machine_set(gm_machine *m, gm_slot slot, double value)
{
    double *row = row_of(m, slot.v);
    for (int i = 0; i < GM_BLOCK_LANES; i++) row[i] = value;
}

void gm_machine_values(const gm_machine *m, double *out)
{
    for (uint32_t s = 0; s < gm_program_slot_count(m->program); s++) out[s] = row_of(m, s)[0];
}

static bool run_part(gm_machine *m, part p)
{
    if (m->kernels[p] == NULL) return true;
    double *unsolved = gm_kernel_unsolved(m->kernels[p], m->scratch[p]);
    if (unsolved != NULL) memset(unsolved, 0, GM_BLOCK_LANES * sizeof *unsolved);
    gm_kernel_run(m->kernels[p], m->rows, m->scratch[p], 1);
    for (int i = 0; unsolved != NULL && i < GM_BLOCK_LANES; i++) {
        if (unsolved[i] != 0) return false;
    }
    return true;
}

bool gm_machine_run(gm_machine *m, gm_section section)
{
    assert(section == GM_SECTION_BIND || section == GM_SECTION_INITIAL || section == GM_SECTION_OUTPUT);
    return run_part(m, section == GM_SECTION_BIND ? PART_BIND : section == GM_SECTION_INITIAL ? PART_INITIAL : PART_OUTPUT);
}

void gm_machine_load(gm_machine *m, double time, const double *y)
{
    gm_machine_set(m, GM_TIME_SLOT, time);
    for (uint32_t i = 0; i < m->state_count; i++) gm_machine_set(m, m->states[i], y[i]);
}

void gm_machine_states(const gm_machine *m, double *out_y)
{
    for (uint32_t i = 0; i < m->state_count; i++) out_y[i] = row_of(m, m->states[i].v)[0];
}

bool gm_machine_slopes(gm_machine *m, double time, const double *y, double *out_slopes)
{
    gm_machine_load(m, time, y);
    bool solved = run_part(m, PART_SLOPES);
    for (uint32_t i = 0; i < m->state_count; i++) out_slopes[i] = row_of(m, m->layout.slope + i)[0];
    return solved;
}

gm_machine_pattern gm_machine_jacobian_pattern(const gm_machine *m)
{
    return (gm_machine_pattern){ m->state_count, m->starts, m->pattern_rows };
}

// After lanes went different ways the guesses of loops differ; lane 0 never moves.
static void restore_guesses(gm_machine *m)
{
    for (uint32_t l = 0; l < gm_program_loop_count(m->program); l++) {
        const gm_loop_info *loop = gm_program_loop(m->program, l);
        for (uint32_t k = 0; k < loop->unknowns; k++) gm_machine_set(m, loop->guess[k], gm_machine_get(m, loop->guess[k]));
    }
}

bool gm_machine_jacobian(gm_machine *m, double time, const double *y, const double *slopes, double *out_entries)
{
    bool solved = true;
    for (uint32_t first = 1; first <= m->colour_count; first += GM_BLOCK_LANES - 1) {
        // Lane 0 stays at y; lane c - first + 1 moves all columns of colour c.
        gm_machine_load(m, time, y);
        for (uint32_t j = 0; j < m->state_count; j++) {
            uint32_t lane = m->colour[j] - first + 1;
            if (m->colour[j] < first || lane >= GM_BLOCK_LANES) continue;
            double size    = fmax(fabs(y[j]), 1e-4 * fabs(gm_program_slot(m->program, m->states[j])->nominal));
            double *moved  = row_of(m, m->states[j].v) + lane;
            *moved         = y[j] + 1.5e-8 * size;  // the square root of the rounding error
            m->increment[j] = *moved - y[j];
        }
        solved = run_part(m, PART_SLOPES) && solved;
        for (uint32_t j = 0; j < m->state_count; j++) {
            uint32_t lane = m->colour[j] - first + 1;
            if (m->colour[j] < first || lane >= GM_BLOCK_LANES) continue;
            for (uint32_t k = m->starts[j]; k < m->starts[j + 1]; k++) {
                uint32_t i     = m->pattern_rows[k];
                out_entries[k] = (row_of(m, m->layout.slope + i)[lane] - slopes[i]) / m->increment[j];
            }
        }
        restore_guesses(m);
    }
    gm_machine_load(m, time, y);
    return solved;
}

// All lanes remember what lane 0 is at, because each of them may ask (the columns of a Jacobian).
bool gm_machine_remember(gm_machine *m, bool first)
{
    bool solved = true;
    for (uint32_t d = 0; d < m->delay_count; d++) {
        if (gm_program_slot(m->program, m->delays[d].source)->kind == GM_SLOT_ALGEBRAIC) solved = run_part(m, PART_OUTPUT) && solved;
        double *to = row_of(m, m->layout.history + d * GM_HISTORY_ROWS), time = gm_machine_get(m, GM_TIME_SLOT), value = gm_machine_get(m, m->delays[d].source);
        for (int lane = 0; lane < GM_BLOCK_LANES; lane++) {
            if (first) gm_history_clear(to, lane);
            gm_history_push(to, lane, time, value, gm_history_spacing(&m->delays[d]));
        }
    }
    return solved;
}

double gm_machine_longest_step(const gm_machine *m)
{
    double least = INFINITY;
    for (uint32_t d = 0; d < m->delay_count; d++) {
        if (m->delays[d].lag_max > 0) least = fmin(least, m->delays[d].lag_max);
    }
    return least;
}

// ------------------------------------------------------------------------------------------ events

uint32_t gm_machine_indicator_count(const gm_machine *m) { return m->indicator_count; }

static double indicator(const gm_machine *m, uint32_t i) { return row_of(m, m->layout.indicators + i)[0]; }

void gm_machine_indicators(gm_machine *m, double time, const double *y, double *out)
{
    gm_machine_load(m, time, y);
    run_part(m, PART_INDICATORS);
    for (uint32_t i = 0; i < m->indicator_count; i++) out[i] = indicator(m, i);
}

double gm_machine_next_event(const gm_machine *m, double time)
{
    uint32_t       count;
    const gm_slot *next  = gm_program_time_events(m->program, &count);
    double         first = INFINITY;
    for (uint32_t i = 0; i < count; i++) {
        double at = gm_machine_get(m, next[i]);
        if (at > time && at < first) first = at;
    }
    return first;
}

// Sets every relation from its indicator. Where one crosses zero at this very point its far side counts, whatever the
// sign of the rounding error, and as long as its indicator does not move. True when a relation changed.
static bool set_relations(gm_machine *m, const int *crossed, bool first)
{
    bool changed = false;
    run_part(m, PART_INDICATORS);
    for (uint32_t i = 0; i < m->indicator_count; i++) {
        double g = indicator(m, i);
        if (first) m->at_root[i] = g;
        bool here  = crossed != NULL && crossed[i] != 0 && g == m->at_root[i];
        bool above = here ? crossed[i] > 0 : g > 0;
        if (above == (gm_machine_get(m, m->relations[i]) != 0)) continue;
        gm_machine_set(m, m->relations[i], above);
        changed = true;
    }
    return changed;
}

static bool run_event(gm_machine *m)
{
    gm_region region  = gm_program_section(m->program, GM_SECTION_EVENT);
    double    before[256];
    bool      changed = false;
    double   *old     = before;
    if (region.result_count == 0) return false;
    if (region.result_count > 256) {
        old = gm_alloc_array(m->alloc, region.result_count, sizeof *old);
        if (old == NULL) return true;  // one more round at worst; the bound on rounds holds
    }
    for (uint32_t i = 0; i < region.result_count; i++) old[i] = row_of(m, region.results[i].target)[0];
    run_part(m, PART_EVENT);
    for (uint32_t i = 0; i < region.result_count; i++) changed = changed || row_of(m, region.results[i].target)[0] != old[i];
    if (old != before) gm_free(m->alloc, old);
    return changed;
}

bool gm_machine_relations_late(gm_machine *m, double time, const double *y)
{
    if (m->indicator_count == 0) return false;
    gm_machine_load(m, time, y);
    run_part(m, PART_INDICATORS);
    for (uint32_t i = 0; i < m->indicator_count; i++) {
        double g = indicator(m, i);
        if (g != 0 && (g > 0) != (gm_machine_get(m, m->relations[i]) != 0)) return true;
    }
    return false;
}

// An indicator that falls through zero was above it before, whatever its relation says: one that began at zero may have
// risen unseen (a ball that leaves the floor and comes back within one step). What was missed happens now.
static void catch_up(gm_machine *m, const int *crossed)
{
    bool late = false;
    for (uint32_t i = 0; crossed != NULL && i < m->indicator_count; i++) {
        if (crossed[i] == 0 || (crossed[i] < 0) == (gm_machine_get(m, m->relations[i]) != 0)) continue;
        gm_machine_set(m, m->relations[i], crossed[i] < 0);
        late = true;
    }
    if (late) run_event(m);
}

gm_status gm_machine_events(gm_machine *m, const int *crossed, gm_error *err)
{
    catch_up(m, crossed);
    for (int round = 0; round < GM_EVENT_ROUNDS; round++) {
        bool relations = set_relations(m, crossed, round == 0);
        bool slots     = run_event(m);
        if (!relations && !slots) return GM_OK;
    }
    return gm_fail(err, GM_DIVERGED, "physics.events", "at %.9g s events cause one another without end", gm_machine_get(m, GM_TIME_SLOT));
}

gm_verdict gm_machine_check(gm_machine *m, uint32_t *out_check, uint64_t *warnings)
{
    uint32_t             count;
    const gm_check_info *checks = gm_program_checks(m->program, &count);
    if (count == 0) return GM_VERDICT_GO_ON;
    run_part(m, PART_CHECK);
    for (uint32_t c = 0; c < count; c++) {
        bool mask  = row_of(m, m->layout.checks + c)[0] != 0;
        *out_check = c;
        if (checks[c].kind == GM_CHECK_ASSERT && !mask) return GM_VERDICT_ASSERT;
        if (checks[c].kind == GM_CHECK_TERMINATE && mask) return GM_VERDICT_TERMINATE;
        bool was = m->looked ? row_of(m, m->layout.heard + c)[0] != 0 : checks[c].kind != GM_CHECK_NOTE;
        if (gm_check_warns(checks[c].kind, was, mask)) ++*warnings;
    }
    m->looked = true;
    return GM_VERDICT_GO_ON;
}
