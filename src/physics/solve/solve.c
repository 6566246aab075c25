#include "physics/solve/solve_parts.h"

#include <assert.h>
#include <math.h>

static const char *const solver_text[GM_SOLVER_COUNT] = { "auto", "euler", "rk4", "dopri", "implicit", "cvode", "ida" };

const char *gm_solver_text(gm_solver solver)
{
    assert(solver < GM_SOLVER_COUNT);
    return solver_text[solver];
}

bool gm_solver_parse(gm_str text, gm_solver *out)
{
    for (int s = 0; s < GM_SOLVER_COUNT; s++) {
        if (!gm_str_is(text, solver_text[s])) continue;
        *out = (gm_solver)s;
        return true;
    }
    return false;
}

gm_solve_options gm_solve_options_defaults(void)
{
    return (gm_solve_options){ .stop = 1, .tolerance = 1e-6, .points = 500, .steps_max = 100000000, .events_max = 1000000 };
}

double gm_run_grid(const gm_run *run, uint64_t k)
{
    const gm_solve_options *o = &run->options;
    if (k + 1 >= run->row_count) return o->stop;
    return o->start + (double)k * (o->interval > 0 ? o->interval : (o->stop - o->start) / o->points);
}

gm_status gm_run_row(const gm_run *run, double time, bool event, gm_error *err)
{
    gm_solve_row row = { time, run->values, event };
    return run->each(run->context, &row, err);
}

gm_status gm_run_assert_failed(const gm_run *run, double time, gm_error *err)
{
    uint32_t             count;
    const gm_check_info *checks = gm_program_checks(run->program, &count);
    gm_str               text   = run->report->check < count ? checks[run->report->check].message : GM_STR("");
    return gm_fail(err, GM_INVALID, "physics.solve", "at %.9g s an assert failed: " GM_STR_FMT, time, GM_STR_ARG(text));
}

gm_status gm_run_no_beginning(const gm_run *run, const double *states, gm_error *err)
{
    uint32_t       count;
    const gm_slot *slots = gm_program_slots_of(run->program, GM_SLOT_STATE, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (isfinite(states[i])) continue;
        gm_str name = gm_program_slot(run->program, slots[i])->name;
        return gm_fail(err, GM_DIVERGED, "physics.solve", "the initial equations have no solution: they leave `" GM_STR_FMT "` without a number", GM_STR_ARG(name));
    }
    return GM_OK;
}

gm_status gm_run_zeno(double time, gm_error *err)
{
    return gm_fail(err, GM_DIVERGED, "physics.solve",
                   "at %.9g s events follow one another without end; the model needs a state in which it rests", time);
}

static gm_status check_options(gm_run *run, gm_error *err)
{
    const gm_solve_options *o = &run->options;
    double                  length = o->stop - o->start;
    if (!(length > 0) || !isfinite(length)) {
        return gm_fail(err, GM_INVALID, "physics.solve", "it should run from %g s to %g s", o->start, o->stop);
    }
    if (!(o->tolerance >= 1e-14 && o->tolerance < 1)) {
        return gm_fail(err, GM_INVALID, "physics.solve", "a relative tolerance of %g", o->tolerance);
    }
    if (!(o->interval > 0) && o->points == 0) return gm_fail(err, GM_INVALID, "physics.solve", "no points of output");
    if (!(o->step >= 0)) return gm_fail(err, GM_INVALID, "physics.solve", "a step of %g s", o->step);
    double rows = o->interval > 0 ? ceil(length / o->interval * (1 - 1e-12)) : o->points;
    if (rows > 1e9) return gm_fail(err, GM_INVALID, "physics.solve", "%.3g rows of output", rows);
    run->row_count = (uint64_t)rows + 1;

    for (uint32_t i = 0; i < run->setting_count; i++) {
        const gm_solve_setting *s = &run->settings[i];
        if (s->slot.v >= gm_program_slot_count(run->program) || s->slot.v == 0) {
            return gm_fail(err, GM_INVALID, "physics.solve", "setting %u names no variable", i + 1);
        }
        const gm_slot_spec *spec = gm_program_slot(run->program, s->slot);
        if (!isfinite(s->value) || s->value < spec->min || s->value > spec->max) {
            return gm_fail(err, GM_INVALID, "physics.solve", GM_STR_FMT " can not be %g; it lies in %g .. %g",
                           GM_STR_ARG(spec->name), s->value, spec->min, spec->max);
        }
        if (spec->flags & GM_SLOT_DEPENDENT) {
            return gm_fail(err, GM_INVALID, "physics.solve", GM_STR_FMT " follows from other parameters", GM_STR_ARG(spec->name));
        }
    }
    return GM_OK;
}

gm_status gm_solve(const gm_alloc *alloc, const gm_program *program, const gm_solve_options *options,
                   const gm_solve_setting *settings, uint32_t setting_count, gm_solve_each *each, void *context,
                   gm_solve_report *out_report, gm_error *err)
{
    gm_run run = { alloc, program, *options, settings, setting_count, each, context, out_report, NULL, 0 };
    *out_report       = (gm_solve_report){ .time = options->start };
    if (run.options.solver == GM_SOLVER_AUTO) {
        run.options.solver = gm_solver_available(GM_SOLVER_CVODE) ? GM_SOLVER_CVODE : GM_SOLVER_IMPLICIT;
    }
    out_report->solver = run.options.solver;
    gm_status st = check_options(&run, err);
    if (st != GM_OK) return st;
    if (!gm_solver_available(run.options.solver)) {
        return gm_fail(err, GM_INVALID, "physics.solve", "this program was built without %s", gm_solver_text(run.options.solver));
    }
    run.values = gm_alloc_zeroed(alloc, gm_program_slot_count(program) * sizeof *run.values);
    if (run.values == NULL) return gm_fail(err, GM_NOMEM, "physics.solve", "%u slots", gm_program_slot_count(program));
    bool sundials = run.options.solver == GM_SOLVER_CVODE || run.options.solver == GM_SOLVER_IDA;
    st            = sundials ? gm_solve_with_sundials(&run, err) : gm_solve_in_lanes(&run, err);
    gm_free(alloc, run.values);
    return st;
}
