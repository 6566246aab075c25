// A run by SUNDIALS: steps, rows in between, events.
//
//   step --landed------> rows of the grid up to here --> CHECK --> step
//     \--root or time event--> rows before it --> row, EVENT, row --> restart --> step
#include "physics/exec/zeno.h"
#include "physics/solve/sundials_parts.h"

#include <math.h>
#include <stdio.h>
#include <sunlinsol/sunlinsol_dense.h>
#include <sunlinsol/sunlinsol_klu.h>
#include <sunmatrix/sunmatrix_dense.h>
#include <sunmatrix/sunmatrix_sparse.h>

enum { DENSE_MAX = 48 };  // states up to which a dense factorisation is used in any case

bool gm_solver_available(gm_solver solver)
{
    return solver < GM_SOLVER_COUNT;
}

void gm_sundials_listen(int code, const char *module, const char *function, char *message, void *data)
{
    gm_sundials *s = data;
    (void)code, (void)module, (void)function;
    snprintf(s->complaint, sizeof s->complaint, "%s", message);
    for (char *c = s->complaint; *c != '\0'; c++) {
        if (*c == '\n') *c = ' ';
    }
}

bool gm_sundials_slopes(gm_sundials *s, double time, N_Vector y, N_Vector slopes)
{
    double *out = N_VGetArrayPointer(slopes);
    s->run->report->evaluations++;
    if (s->states == 0) {
        out[0] = 0;
        return true;
    }
    bool solved = gm_machine_slopes(s->machine, time, N_VGetArrayPointer(y), out);
    for (uint32_t i = 0; i < s->states && solved; i++) solved = isfinite(out[i]);
    return solved;
}

static void place_entry(SUNMatrix matrix, uint32_t row, uint32_t column, uint32_t k, double value)
{
    if (SUNMatGetID(matrix) == SUNMATRIX_DENSE) SM_ELEMENT_D(matrix, row, column) = value;
    else SM_DATA_S(matrix)[k] = value;
}

bool gm_sundials_matrix(gm_sundials *s, double time, N_Vector y, N_Vector slopes, double scale, double weight, SUNMatrix matrix)
{
    gm_machine_pattern p = gm_machine_jacobian_pattern(s->machine);
    s->run->report->jacobians++;
    SUNMatZero(matrix);
    if (s->states == 0) {
        place_entry(matrix, 0, 0, 0, scale);
        return true;
    }
    const double *at = slopes != NULL ? N_VGetArrayPointer(slopes) : s->base;
    if (slopes == NULL && !gm_machine_slopes(s->machine, time, N_VGetArrayPointer(y), s->base)) return false;
    if (!gm_machine_jacobian(s->machine, time, N_VGetArrayPointer(y), at, s->entries)) return false;
    for (uint32_t j = 0; j < p.n; j++) {
        if (SUNMatGetID(matrix) == SUNMATRIX_SPARSE) SM_INDEXPTRS_S(matrix)[j] = p.starts[j];
        for (uint32_t k = p.starts[j]; k < p.starts[j + 1]; k++) {
            if (SUNMatGetID(matrix) == SUNMATRIX_SPARSE) SM_INDEXVALS_S(matrix)[k] = p.rows[k];
            place_entry(matrix, p.rows[k], j, k, weight * s->entries[k] + (p.rows[k] == j ? scale : 0));
        }
    }
    if (SUNMatGetID(matrix) == SUNMATRIX_SPARSE) SM_INDEXPTRS_S(matrix)[p.n] = p.starts[p.n];
    return true;
}

double gm_sundials_longest_step(const gm_sundials *s)
{
    const gm_solve_options *o = &s->run->options;
    double                  longest = gm_machine_longest_step(s->machine);
    if (gm_machine_indicator_count(s->machine) == 0) return longest;
    // Root finding sees only a change of sign over a step: what does not move the states (a pulse made of a sine) must
    // not fit between two of them.
    double interval = o->interval > 0 ? o->interval : (o->stop - o->start) / o->points;
    return fmin(longest, fmin(interval, (o->stop - o->start) / 500));
}

// ------------------------------------------------------------------------------------------ set-up

static gm_status set_up(gm_sundials *s, gm_error *err)
{
    gm_run  *run = s->run;
    gm_machine_pattern p = gm_machine_jacobian_pattern(s->machine);
    uint32_t       entries = p.starts[p.n];
    const gm_slot *states  = gm_program_slots_of(run->program, GM_SLOT_STATE, &s->states);
    s->n       = s->states > 0 ? s->states : 1;
    s->entries = gm_alloc_zeroed(run->alloc, (entries + (size_t)s->n + 1) * sizeof *s->entries);
    s->crossed = gm_alloc_zeroed(run->alloc, (gm_machine_indicator_count(s->machine) + (size_t)1) * sizeof *s->crossed);
    if (s->entries == NULL || s->crossed == NULL || SUNContext_Create(NULL, &s->context) != 0) goto refused;
    s->base      = s->entries + entries;
    s->y         = N_VNew_Serial(s->n, s->context);
    s->slopes    = N_VNew_Serial(s->n, s->context);
    s->tolerance = N_VNew_Serial(s->n, s->context);
    if (s->y == NULL || s->slopes == NULL || s->tolerance == NULL) goto refused;
    N_VConst(0, s->y);
    N_VConst(gm_sundials_step_tolerance(run), s->tolerance);
    for (uint32_t i = 0; i < s->states; i++) {
        N_VGetArrayPointer(s->tolerance)[i] *= fabs(gm_program_slot(run->program, states[i])->nominal);
    }
    bool dense = s->n <= DENSE_MAX || (double)entries > 0.3 * s->n * s->n;
    s->matrix  = dense ? SUNDenseMatrix(s->n, s->n, s->context) : SUNSparseMatrix(s->n, s->n, entries, CSC_MAT, s->context);
    if (s->matrix == NULL) goto refused;
    s->linear = dense ? SUNLinSol_Dense(s->y, s->matrix, s->context) : SUNLinSol_KLU(s->y, s->matrix, s->context);
    if (s->linear != NULL) return GM_OK;
refused:
    return gm_fail(err, GM_NOMEM, "physics.solve", "a solver for %u states", s->n);
}

static void take_down(gm_sundials *s)
{
    if (s->linear != NULL) SUNLinSolFree(s->linear);
    if (s->matrix != NULL) SUNMatDestroy(s->matrix);
    if (s->y != NULL) N_VDestroy(s->y);
    if (s->slopes != NULL) N_VDestroy(s->slopes);
    if (s->tolerance != NULL) N_VDestroy(s->tolerance);
    if (s->context != NULL) SUNContext_Free(&s->context);
    gm_free(s->run->alloc, s->entries);
    gm_free(s->run->alloc, s->crossed);
}

// ------------------------------------------------------------------------------------------ run

static gm_status hand_out(gm_sundials *s, double time, const double *y, bool event, gm_error *err)
{
    if (y != NULL) gm_machine_load(s->machine, time, y);
    if (!gm_machine_run(s->machine, GM_SECTION_OUTPUT)) {
        return gm_fail(err, GM_DIVERGED, "physics.solve", "at %.9g s an algebraic loop has no solution", time);
    }
    gm_machine_values(s->machine, s->run->values);
    return gm_run_row(s->run, time, event, err);
}

static gm_status begin(gm_sundials *s, gm_error *err)
{
    gm_run *run = s->run;
    gm_machine_set(s->machine, GM_TIME_SLOT, run->options.start);
    for (uint32_t i = 0; i < run->setting_count; i++) gm_machine_set(s->machine, run->settings[i].slot, run->settings[i].value);
    if (!gm_machine_run(s->machine, GM_SECTION_BIND) || !gm_machine_run(s->machine, GM_SECTION_INITIAL)) {
        return gm_fail(err, GM_DIVERGED, "physics.solve", "the initial equations have no solution near the start values");
    }
    (void)gm_machine_remember(s->machine, true);
    gm_status st = gm_machine_events(s->machine, NULL, err);
    if (st == GM_OK) gm_machine_states(s->machine, N_VGetArrayPointer(s->y));
    if (st == GM_OK && s->states > 0) st = gm_run_no_beginning(run, N_VGetArrayPointer(s->y), err);
    return st == GM_OK ? hand_out(s, run->options.start, NULL, false, err) : st;
}

// Rows of the grid before `time`, and at it unless an event has its own rows there.
static gm_status rows_until(gm_sundials *s, const gm_integrator *integrator, double time, bool event, uint64_t *next, gm_error *err)
{
    gm_status st = GM_OK;
    for (; st == GM_OK && *next < s->run->row_count; ++*next) {
        double at = gm_run_grid(s->run, *next);
        if (at > time || (event && at == time && at < s->run->options.stop)) {
            if (at == time) ++*next;
            break;
        }
        if (event && at == time) break;  // the last row comes after the event
        if (!integrator->between(s, at, s->slopes)) {
            return gm_fail(err, GM_DIVERGED, "physics.solve", "no value at %.9g s", at);
        }
        st = hand_out(s, at, N_VGetArrayPointer(s->slopes), false, err);
    }
    return st;
}

static gm_status act(gm_sundials *s, const gm_integrator *integrator, double time, const int *crossed, gm_error *err)
{
    gm_run *run = s->run;
    if (++run->report->events > run->options.events_max) {
        return gm_fail(err, GM_LIMIT, "physics.solve", "more than %llu events", (unsigned long long)run->options.events_max);
    }
    gm_status st = hand_out(s, time, N_VGetArrayPointer(s->y), true, err);
    if (st == GM_OK) st = gm_machine_events(s->machine, crossed, err);
    if (st == GM_OK) st = hand_out(s, time, NULL, true, err);
    if (st != GM_OK) return st;
    gm_machine_states(s->machine, N_VGetArrayPointer(s->y));
    run->report->steps += integrator->steps(s);
    return integrator->restart(s, time, err);
}

static gm_status look(gm_sundials *s, double time, bool *out_over, gm_error *err)
{
    gm_solve_report *report = s->run->report;
    report->time            = time;
    gm_machine_load(s->machine, time, N_VGetArrayPointer(s->y));
    (void)gm_machine_remember(s->machine, false);
    switch (gm_machine_check(s->machine, &report->check, &report->warnings)) {
    case GM_VERDICT_GO_ON: return GM_OK;
    case GM_VERDICT_ASSERT: return gm_run_assert_failed(s->run, time, err);
    default:
        report->terminated = true;
        *out_over          = true;
        return hand_out(s, time, NULL, false, err);
    }
}

// What delay() will ask for, within the step from `begun` to `time` as well: its past is straight between samples.
static void remember_step(gm_sundials *s, const gm_integrator *integrator, double begun, double time)
{
    double piece = gm_machine_longest_step(s->machine) / 50, count = ceil((time - begun) / piece);
    for (double i = 1; i < count; i++) {
        double at = begun + (time - begun) * (i / count);
        if (!integrator->between(s, at, s->slopes)) break;
        gm_machine_load(s->machine, at, N_VGetArrayPointer(s->slopes));
        (void)gm_machine_remember(s->machine, false);
    }
    gm_machine_load(s->machine, time, N_VGetArrayPointer(s->y));
    (void)gm_machine_remember(s->machine, false);
}

static gm_status go(gm_sundials *s, const gm_integrator *integrator, gm_error *err)
{
    gm_run   *run  = s->run;
    double    time = run->options.start, stop = run->options.stop;
    uint64_t  next = 1;
    bool      over = false;
    gm_zeno   zeno = { 0 };
    gm_status st   = begin(s, err);
    if (st == GM_OK) st = look(s, time, &over, err);
    if (st == GM_OK) st = integrator->start(s, time, err);
    while (st == GM_OK && !over && time < stop) {
        gm_landing landing;
        double     begun = time, instant = gm_machine_next_event(s->machine, time), target = instant < stop ? instant : stop;
        st = integrator->step(s, target, &time, &landing, err);
        run->report->time = time;
        if (st != GM_OK) break;
        remember_step(s, integrator, begun, time);
        bool root  = landing == GM_LANDED_AT_ROOT;
        bool event = root || (landing == GM_LANDED_AT_STOP && instant <= stop && time == instant);
        event      = event || gm_machine_relations_late(s->machine, time, N_VGetArrayPointer(s->y));
        st         = rows_until(s, integrator, time, event, &next, err);
        if (st == GM_OK && event && gm_zeno_event(&zeno, time)) st = gm_run_zeno(time, err);
        if (st == GM_OK && event) st = act(s, integrator, time, root ? s->crossed : NULL, err);
        if (st == GM_OK) st = look(s, time, &over, err);
        if (st == GM_OK && run->report->steps + integrator->steps(s) > run->options.steps_max) {
            st = gm_fail(err, GM_LIMIT, "physics.solve", "more than %llu steps", (unsigned long long)run->options.steps_max);
        }
    }
    // An event at the very end has taken the place of the last row of the grid.
    if (st == GM_OK && !over && next < run->row_count) st = hand_out(s, time, N_VGetArrayPointer(s->y), false, err);
    if (s->memory != NULL) run->report->steps += integrator->steps(s);
    return st;
}

gm_status gm_solve_with_sundials(gm_run *run, gm_error *err)
{
    const gm_integrator *integrator = run->options.solver == GM_SOLVER_IDA ? &gm_sundials_ida : &gm_sundials_cvode;
    gm_sundials          s          = { .run = run };
    gm_status            st         = gm_machine_create(run->alloc, run->program, run->options.executor, &s.machine, err);
    if (st != GM_OK) return st;
    run->report->executor = gm_machine_executor(s.machine);
    st = set_up(&s, err);
    if (st == GM_OK) st = go(&s, integrator, err);
    if (s.memory != NULL) integrator->destroy(&s);
    take_down(&s);
    gm_machine_destroy(s.machine);
    return st;
}
