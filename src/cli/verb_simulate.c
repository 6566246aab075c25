// gemel simulate: one run of a Modelica model, or of a plant's twins, row by row, into a CSV file or a plot in the terminal.
#include "base/number.h"
#include "cli/behavior.h"
#include "cli/plant_group.h"
#include "cli/progress.h"
#include "cli/simulate_fmu.h"
#include "cli/term_plot.h"
#include "cli/verbs.h"
#include "physics/solve/solve.h"

#include <errno.h>
#include <math.h>

enum {
    OPT_STOP,
    OPT_START,
    OPT_OUT,
    OPT_SET,
    OPT_CLASS,
    OPT_METHOD,
    OPT_TOLERANCE,
    OPT_POINTS,
    OPT_STEP,
    OPT_VARIABLES,
    OPT_EXECUTOR,
    OPT_STRICT,
    OPT_INITIAL,
    OPT_PLOT,
    OPT_JSON
};
static const gm_option options[] = {
    [OPT_STOP]      = { "stop", GM_OPTION_TEXT, "TIME", "1s",
                        "where the run ends: 90, 250ms, 24h (a bare number is seconds)" },
    [OPT_START]     = { "start", GM_OPTION_TEXT, "TIME", "0s", "where it begins" },
    [OPT_OUT]       = { "out", GM_OPTION_TEXT, "FILE", NULL,
                        "write the rows as CSV there (default: standard output, unless --plot or --json is given)" },
    [OPT_SET]       = { "set", GM_OPTION_TEXT, "NAME=VALUE", NULL, "set a parameter, input or start value, in SI units",
                        .repeats = true },
    [OPT_CLASS]     = { "class", GM_OPTION_TEXT, "NAME", NULL,
                        "the class to simulate (default: the last one in the file)" },
    [OPT_METHOD]    = { "method", GM_OPTION_TEXT, "NAME", "auto", "auto, euler, rk4, dopri, implicit, cvode or ida" },
    [OPT_TOLERANCE] = { "tolerance", GM_OPTION_NUMBER, "NUMBER", "1e-6",
                        "relative error to keep; not used by fixed steps" },
    [OPT_POINTS]    = { "points", GM_OPTION_COUNT, "N", "500", "intervals of the output grid" },
    [OPT_STEP]      = { "step", GM_OPTION_TEXT, "TIME", NULL,
                        "their length instead; with euler and rk4 also the step of the method" },
    [OPT_VARIABLES] = { "variables", GM_OPTION_TEXT, "NAME,...", NULL, "only these (default: all that can change)" },
    [OPT_EXECUTOR]  = { "executor", GM_OPTION_TEXT, "NAME", "auto",
                        "who computes: auto, plain (the reference) or interpreter" },
    [OPT_STRICT]    = { "strict", GM_OPTION_FLAG, NULL, NULL, "units that do not fit are errors, not warnings" },
    [OPT_INITIAL]   = { "initial", GM_OPTION_FLAG, NULL, NULL,
                        "of a plant: begin with its files, also when it has data" },
    [OPT_PLOT]      = { "plot", GM_OPTION_FLAG, NULL, NULL, "draw the variables in the terminal" },
    [OPT_JSON]      = { "json", GM_OPTION_FLAG, NULL, NULL, "print a summary of the run as JSON" },
};
static const gm_operand operands[] = {
    { "FILE|PLANT[:ROOT]", "a Modelica file, the folder of a package, or a plant with the id of a twin" },
};

enum { PLOT_MAX = GM_TERM_SERIES_MAX };

// A column of the output: a slot under one of its names.
typedef struct column { gm_str name, unit; gm_slot slot; bool negated; } column;

typedef struct output {
    const gm_cli *cli;
    const gm_group *group;    // NULL: a file
    const gm_solve_setting *given;  // [given_count] what the twins' values set
    size_t        given_count;
    FILE         *csv;        // NULL: none
    column       *columns;    // [count]
    size_t        count;
    gm_progress   progress;
    double        start, stop;
    double       *kept;       // for the plot: rows of 1 + plotted values
    size_t        kept_count, kept_capacity, plotted;
    uint64_t      rows;
    gm_buf        line;
} output;

// "24h", "0.5s", or seconds.
static gm_exit seconds_of(const gm_cli *cli, const char *option, const char *text, double *out)
{
    gm_dur_ns ns;
    gm_error  err = { 0 };
    gm_str    all = gm_str_of(text);
    bool      minus = gm_str_starts(all, GM_STR("-"));
    if (gm_number_read(all, out) == all.len && all.len > 0) return GM_EXIT_OK;
    if (gm_dur_parse(minus ? gm_str_slice(all, 1, all.len) : all, &ns, &err) != GM_OK) {
        return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--%s: %s", option, err.text);
    }
    *out = (double)ns / 1e9 * (minus ? -1 : 1);
    return GM_EXIT_OK;
}

// ---- columns ------------------------------------------------------------------------------------------------------

static bool changes(const gm_slot_spec *slot)
{
    return slot->kind != GM_SLOT_TIME && slot->kind != GM_SLOT_PARAMETER && !(slot->flags & GM_SLOT_HIDDEN) &&
           slot->name.len > 0;
}

static gm_exit all_columns(const gm_cli *cli, const gm_program *program, output *o)
{
    uint32_t             slots = gm_program_slot_count(program), alias_count;
    const gm_slot_alias *aliases = gm_program_aliases(program, &alias_count);
    o->columns                   = GM_ARENA_NEW(cli->arena, column, slots + alias_count + 1);
    if (o->columns == NULL) return gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    for (uint32_t i = 0; i < slots; i++) {
        const gm_slot_spec *slot = gm_program_slot(program, (gm_slot){ i });
        if (changes(slot)) o->columns[o->count++] = (column){ slot->name, slot->unit, { i }, false };
    }
    for (uint32_t i = 0; i < alias_count; i++) {
        // A name for a parameter is a variable all the same: it was declared as one.
        o->columns[o->count++] = (column){ aliases[i].name, aliases[i].unit, aliases[i].slot, aliases[i].negated };
    }
    return GM_EXIT_OK;
}

static gm_exit chosen_columns(const gm_cli *cli, const gm_program *program, const char *names, output *o)
{
    gm_str rest = gm_str_of(names), name;
    o->columns  = GM_ARENA_NEW(cli->arena, column, rest.len + 1);
    if (o->columns == NULL) return gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    while (gm_str_next(&rest, ',', &name)) {
        column *c = &o->columns[o->count];
        name      = gm_str_trim(name);
        if (!gm_program_find(program, name, &c->slot, &c->negated)) {
            return gm_cli_fail_text(cli, GM_EXIT_NO, "the model has no variable '" GM_STR_FMT "'",
                                    GM_STR_ARG(gm_str_slice(name, 0, 100)));
        }
        c->name = name;
        c->unit = gm_program_slot(program, c->slot)->unit;
        o->count++;
    }
    return GM_EXIT_OK;
}

// ---- settings -----------------------------------------------------------------------------------------------------

// A variable of a program or a group; `set` is the slot that decides it.
static bool find_settable(const gm_program *program, const gm_group *group, gm_str name, gm_slot *out_set, bool *out_minus)
{
    gm_group_variable v;
    if (group == NULL) return gm_program_find(program, name, out_set, out_minus);
    if (!gm_group_find(group, name, &v)) return false;
    // A state that a property begins is set where the property's value is.
    bool by_property = v.binding != NULL && v.role == GM_ROLE_STATE && v.binding->given.v != GM_SLOT_NONE.v;
    *out_set         = by_property ? v.binding->given : v.set.v != GM_SLOT_NONE.v ? v.set : v.slot;
    *out_minus       = !by_property && v.set_factor < 0;
    return true;
}

static gm_exit read_setting(const gm_cli *cli, const gm_program *program, const gm_group *group, const char *text,
                            gm_solve_setting *out)
{
    gm_str all = gm_str_of(text);
    size_t at  = gm_str_find_char(all, '=');
    gm_str name  = gm_str_trim(gm_str_slice(all, 0, at)),
           value = at == SIZE_MAX ? GM_STR("") : gm_str_trim(gm_str_slice(all, at + 1, all.len));
    bool   negated;
    if (gm_str_is(value, "true")) out->value = 1;
    else if (gm_str_is(value, "false")) out->value = 0;
    else if (value.len == 0 || gm_number_read(value, &out->value) != value.len) {
        return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--set %.100s: expected NAME=VALUE with a number, true or false",
                                text);
    }
    if (!find_settable(program, group, name, &out->slot, &negated)) {
        return gm_cli_fail_text(
            cli, GM_EXIT_NO,
            "--set %.100s: the model has no such variable, or it was settled when the model was compiled", text);
    }
    const gm_slot_spec *slot = gm_program_slot(program, out->slot);
    bool                settable = slot->kind == GM_SLOT_INPUT || slot->kind == GM_SLOT_STATE ||
                    (slot->kind == GM_SLOT_PARAMETER && !(slot->flags & GM_SLOT_DEPENDENT));
    if (!settable) {
        return gm_cli_fail_text(
            cli, GM_EXIT_NO,
            "--set %.100s: only parameters, inputs and states can be set; this is computed by the model", text);
    }
    if (negated) out->value = -out->value;
    return GM_EXIT_OK;
}

// ---- rows ---------------------------------------------------------------------------------------------------------

static double value_of(const column *c, const gm_solve_row *row)
{
    double value = row->values[c->slot.v];
    return c->negated ? -value : value;
}

static void put_number(gm_buf *line, double value)
{
    char   text[GM_NUMBER_TEXT];
    size_t len = isfinite(value) ? gm_number_write(value, text) : 0;
    if (len > 0) gm_buf_add(line, text, len);
    else gm_buf_text(line, isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
}

// A name with a comma or a quote is put in quotes, as RFC 4180 has it.
static void put_name(gm_buf *line, gm_str name)
{
    if (gm_str_find_char(name, ',') == SIZE_MAX && gm_str_find_char(name, '"') == SIZE_MAX) {
        gm_buf_str(line, name);
        return;
    }
    gm_buf_byte(line, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '"') gm_buf_byte(line, '"');
        gm_buf_byte(line, (uint8_t)name.ptr[i]);
    }
    gm_buf_byte(line, '"');
}

static gm_status flush_line(output *o, gm_error *err)
{
    gm_buf_byte(&o->line, '\n');
    if (o->line.failed) return gm_fail(err, GM_NOMEM, "cli.simulate", "a row of %zu columns", o->count);
    if (fwrite(o->line.ptr, 1, o->line.len, o->csv) != o->line.len)
        return gm_fail_os(err, errno, "cli.simulate", "writing the rows");
    gm_buf_clear(&o->line);
    return GM_OK;
}

static gm_status write_header(output *o, gm_error *err)
{
    if (o->csv == NULL) return GM_OK;
    gm_buf_text(&o->line, "time");
    for (size_t i = 0; i < o->count; i++) {
        gm_buf_byte(&o->line, ',');
        put_name(&o->line, o->columns[i].name);
    }
    return flush_line(o, err);
}

static gm_status keep_row(output *o, const gm_solve_row *row, gm_error *err)
{
    size_t width = 1 + o->plotted;
    if (!gm_alloc_reserve(o->cli->alloc, &o->kept, &o->kept_capacity, (o->kept_count + 1) * width, sizeof *o->kept)) {
        return gm_fail(err, GM_NOMEM, "cli.simulate", "keeping the rows for the plot");
    }
    double *to = o->kept + o->kept_count++ * width;
    to[0]      = row->time;
    for (size_t i = 0; i < o->plotted; i++) to[1 + i] = value_of(&o->columns[i], row);
    return GM_OK;
}

static gm_status take_row(void *context, const gm_solve_row *row, gm_error *err)
{
    output   *o  = context;
    gm_status st = GM_OK;
    o->rows++;
    gm_progress_set(&o->progress, (uint64_t)(1000 * (row->time - o->start) / (o->stop - o->start)));
    if (o->plotted > 0) st = keep_row(o, row, err);
    if (st != GM_OK || o->csv == NULL) return st;
    put_number(&o->line, row->time);
    for (size_t i = 0; i < o->count; i++) {
        gm_buf_byte(&o->line, ',');
        put_number(&o->line, value_of(&o->columns[i], row));
    }
    return flush_line(o, err);
}

// ---- what was done ------------------------------------------------------------------------------------------------

static gm_exit draw(const gm_cli *cli, const output *o)
{
    size_t  width = 1 + o->plotted;
    double *split = gm_alloc_array(cli->alloc, o->kept_count * width, sizeof *split);
    gm_buf  text  = gm_buf_init(cli->alloc);
    if (split == NULL) return gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    for (size_t c = 0; c < width; c++) {
        for (size_t r = 0; r < o->kept_count; r++) split[c * o->kept_count + r] = o->kept[r * width + c];
    }
    gm_term_series series[PLOT_MAX];
    for (size_t i = 0; i < o->plotted; i++) {
        gm_str label = o->columns[i].unit.len > 0
                           ? gm_arena_printf(cli->arena, GM_STR_FMT " [" GM_STR_FMT "]", GM_STR_ARG(o->columns[i].name),
                                             GM_STR_ARG(o->columns[i].unit))
                           : gm_arena_str(cli->arena, o->columns[i].name);
        series[i]    = (gm_term_series) {
               .x = split, .y = split + (1 + i) * o->kept_count, .count = o->kept_count, .name = label.ptr
        };
    }
    gm_term_plot plot = { .width = 100, .height = 20, .x_unit = "s", .colour = cli->terminal };
    gm_term_plot_draw(&plot, series, o->plotted, &text);
    if (!text.failed) fwrite(text.ptr, 1, text.len, cli->out);
    gm_exit code = text.failed ? gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory") : GM_EXIT_OK;
    gm_buf_finish(&text);
    gm_free(cli->alloc, split);
    return code;
}

static void summarise(const gm_cli *cli, const output *o, const gm_solve_report *report, bool json, double wall_s)
{
    if (json) {
        fprintf(
            cli->out,
            "{\"method\":\"%s\",\"rows\":%llu,\"variables\":%zu,\"steps\":%llu,\"evaluations\":%llu,\"events\":%llu,"
            "\"end\":%.17g,\"terminated\":%s,\"seconds\":%.6f}\n",
            gm_solver_text(report->solver), (unsigned long long)o->rows, o->count, (unsigned long long)report->steps,
            (unsigned long long)report->evaluations, (unsigned long long)report->events, report->time,
            report->terminated ? "true" : "false", wall_s);
    } else if (cli->terminal) {
        fprintf(cli->err, "%s: %llu steps, %llu events, %llu rows in %.3f s\n", gm_solver_text(report->solver),
                (unsigned long long)report->steps, (unsigned long long)report->events, (unsigned long long)o->rows,
                wall_s);
    }
}

// ---- the verb -----------------------------------------------------------------------------------------------------

static bool executor_of(const char *text, gm_executor *out)
{
    for (int i = 0; i < GM_EXECUTOR_COUNT; i++) {
        *out = (gm_executor)i;
        if (strcmp(text, gm_executor_text(*out)) == 0) return true;
    }
    return false;
}

static gm_exit read_options(const gm_cli *cli, const gm_args *args, gm_solve_options *out)
{
    *out         = gm_solve_options_defaults();
    gm_exit code = seconds_of(cli, "stop", gm_args_text(args, OPT_STOP), &out->stop);
    if (code == GM_EXIT_OK) code = seconds_of(cli, "start", gm_args_text(args, OPT_START), &out->start);
    if (code == GM_EXIT_OK && gm_args_given(args, OPT_STEP))
        code = seconds_of(cli, "step", gm_args_text(args, OPT_STEP), &out->interval);
    if (code != GM_EXIT_OK) return code;
    if (!gm_solver_parse(gm_str_of(gm_args_text(args, OPT_METHOD)), &out->solver)) {
        return gm_cli_fail_text(cli, GM_EXIT_USAGE,
                                "--method: there is no '%.40s'; auto, euler, rk4, dopri, implicit, cvode and ida are",
                                gm_args_text(args, OPT_METHOD));
    }
    if (!executor_of(gm_args_text(args, OPT_EXECUTOR), &out->executor)) {
        return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--executor: there is no '%.40s'",
                                gm_args_text(args, OPT_EXECUTOR));
    }
    if (gm_args_given(args, OPT_STEP) && !(out->interval > 0))
        return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--step must be longer than nothing");
    if (out->solver == GM_SOLVER_EULER || out->solver == GM_SOLVER_RK4) out->step = out->interval;
    out->tolerance = gm_args_number(args, OPT_TOLERANCE);
    out->points    = (uint32_t)gm_args_count(args, OPT_POINTS);
    if (gm_args_count(args, OPT_POINTS) < 1 || gm_args_count(args, OPT_POINTS) > 100000000) {
        return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--points: 1 to 100,000,000");
    }
    return GM_EXIT_OK;
}

static gm_exit open_csv(const gm_cli *cli, const gm_args *args, output *o)
{
    const char *path = gm_args_text(args, OPT_OUT);
    if (path == NULL && !gm_args_given(args, OPT_PLOT) && !gm_args_given(args, OPT_JSON)) path = "-";
    if (path == NULL) return GM_EXIT_OK;
    o->csv = strcmp(path, "-") == 0 ? cli->out : fopen(path, "w");
    if (o->csv != NULL) return GM_EXIT_OK;
    return gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "can not write %.200s: %s", path, strerrordesc_np(errno));
}

static gm_exit close_csv(const gm_cli *cli, output *o, gm_exit code)
{
    if (o->csv == NULL || o->csv == cli->out) return code;
    bool lost = fclose(o->csv) != 0;
    return lost && code == GM_EXIT_OK
               ? gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "writing the rows: %s", strerrordesc_np(errno))
               : code;
}

static gm_exit simulate(const gm_cli *cli, const gm_args *args, const gm_program *program,
                        const gm_solve_options *solve, output *o)
{
    size_t            own = args->value_counts[OPT_SET], setting_count = o->given_count + own;
    gm_solve_setting *settings = GM_ARENA_NEW(cli->arena, gm_solve_setting, setting_count + 1);
    gm_error          err           = { 0 };
    gm_exit           code = settings != NULL ? GM_EXIT_OK : gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    if (code == GM_EXIT_OK && o->given_count > 0) memcpy(settings, o->given, o->given_count * sizeof *settings);
    for (size_t i = 0; code == GM_EXIT_OK && i < own; i++)  // after what the twins say, so that it wins
        code = read_setting(cli, program, o->group, args->values[OPT_SET][i], &settings[o->given_count + i]);
    if (code == GM_EXIT_OK) {
        const char *names = gm_args_text(args, OPT_VARIABLES);
        code              = names != NULL ? chosen_columns(cli, program, names, o) : all_columns(cli, program, o);
    }
    if (code == GM_EXIT_OK) code = open_csv(cli, args, o);
    if (code != GM_EXIT_OK) return code;
    if (gm_args_given(args, OPT_PLOT)) o->plotted = o->count < PLOT_MAX ? o->count : PLOT_MAX;

    gm_dur_ns       begin  = gm_monotonic(cli->clock);
    gm_solve_report report = { 0 };
    gm_progress_begin(&o->progress, cli->err, cli->terminal && o->csv != cli->out, cli->clock, "simulate", "per mille",
                      1000);
    gm_status st = write_header(o, &err);
    if (st == GM_OK)
        st = gm_solve(cli->alloc, program, solve, settings, (uint32_t)setting_count, take_row, o, &report, &err);
    gm_progress_end(&o->progress);
    code = close_csv(cli, o, st == GM_OK ? GM_EXIT_OK : gm_cli_fail(cli, &err));
    if (code == GM_EXIT_OK && o->plotted > 0) code = draw(cli, o);
    if (code == GM_EXIT_OK)
        summarise(cli, o, &report, gm_args_given(args, OPT_JSON), (double)(gm_monotonic(cli->clock) - begin) / 1e9);
    return code;
}

static gm_exit simulate_file(const gm_cli *cli, const gm_args *args, const gm_solve_options *solve, output *o)
{
    gm_behavior behavior = { 0 };
    gm_program *program  = NULL;
    gm_exit     code     = gm_behavior_open(cli, gm_args_operand(args, 0), gm_args_text(args, OPT_CLASS),
                                            gm_args_given(args, OPT_STRICT), &behavior);
    if (code == GM_EXIT_OK) code = gm_behavior_compile(cli, &behavior, NULL, &program);
    if (code == GM_EXIT_OK) code = simulate(cli, args, program, solve, o);
    gm_program_destroy(program);
    gm_behavior_close(&behavior);
    return code;
}

// The values of the twins as settings of the run.
static gm_exit take_values(const gm_cli *cli, const gm_plant_group *pg, double start, output *o)
{
    uint32_t          count, slots = gm_program_slot_count(gm_group_program(pg->group));
    const gm_binding *bindings = gm_group_bindings(pg->group, &count);
    gm_group_reader   reader   = gm_group_live_reader(pg->state);
    double           *values   = GM_ARENA_NEW(cli->arena, double, slots);
    gm_solve_setting *given    = GM_ARENA_NEW(cli->arena, gm_solve_setting, count + 1);
    gm_fork_report    report;
    gm_error          err = { 0 };
    if (values == NULL || given == NULL) return gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    gm_status st = gm_group_fork(pg->group, &reader, start, values, &report, &err);
    if (st != GM_OK) return gm_cli_fail(cli, &err);
    for (uint32_t i = 0; i < count; i++) {
        if (bindings[i].given.v == GM_SLOT_NONE.v) continue;
        given[o->given_count++] = (gm_solve_setting){ bindings[i].given, values[bindings[i].given.v] };
    }
    o->given = given;
    return GM_EXIT_OK;
}

// A twin whose behavior is an FMU: it has its own solver, and says itself what its outputs are.
static gm_exit simulate_fmu(const gm_cli *cli, const gm_args *args, const gm_plant_group *pg, const gm_solve_options *solve,
                            output *o)
{
    static const int others[] = { OPT_METHOD, OPT_VARIABLES, OPT_EXECUTOR, OPT_PLOT, OPT_JSON, OPT_STRICT, OPT_TOLERANCE };
    for (size_t i = 0; i < GM_COUNT_OF(others); i++) {
        if (gm_args_given(args, (size_t)others[i]))
            return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--%s is for classes; the behavior of this twin is an FMU",
                                    options[others[i]].name);
    }
    gm_exit code = open_csv(cli, args, o);
    if (code != GM_EXIT_OK) return code;
    gm_simulate_fmu f = {
        .start = solve->start, .stop = solve->stop, .csv = o->csv,
        .step = solve->interval > 0 ? solve->interval : (solve->stop - solve->start) / solve->points,
        .settings = (const char *const *)args->values[OPT_SET], .setting_count = args->value_counts[OPT_SET],
    };
    return close_csv(cli, o, gm_simulate_fmu_run(cli, pg, &f));
}

static gm_exit simulate_plant(const gm_cli *cli, const gm_args *args, const gm_solve_options *solve, output *o)
{
    gm_plant_group pg;
    gm_exit code = gm_args_given(args, OPT_CLASS)
                       ? gm_cli_fail_text(cli, GM_EXIT_USAGE, "--class is for Modelica files; a plant's classes are "
                                                              "bound to its interfaces")
                       : GM_EXIT_OK;
    if (code != GM_EXIT_OK) return code;
    code = gm_plant_group_open(cli, gm_args_operand(args, 0), NULL, gm_args_given(args, OPT_INITIAL), &pg);
    bool is_fmu = code == GM_EXIT_OK && pg.note != NULL;
    if (is_fmu) code = simulate_fmu(cli, args, &pg, solve, o);
    if (code == GM_EXIT_OK && !is_fmu) code = take_values(cli, &pg, solve->start, o);
    o->group = pg.group;
    if (code == GM_EXIT_OK && !is_fmu) code = simulate(cli, args, gm_group_program(pg.group), solve, o);
    gm_plant_group_close(&pg);
    return code;
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    gm_solve_options solve;
    gm_exit          code = read_options(cli, args, &solve);
    if (code != GM_EXIT_OK) return code;
    output o = { .cli = cli, .start = solve.start, .stop = solve.stop, .line = gm_buf_init(cli->alloc) };
    code     = gm_plant_group_is(cli, gm_args_operand(args, 0)) ? simulate_plant(cli, args, &solve, &o)
                                                                : simulate_file(cli, args, &solve, &o);
    gm_buf_finish(&o.line);
    gm_free(cli->alloc, o.kept);
    return code;
}

const gm_verb gm_verb_simulate = {
    .name    = "simulate",
    .summary = "run a Modelica model or a plant's twins and write what happens as CSV",
    .text    = "Compiles the model and runs it once. The file has `time` first, then every variable under its Modelica "
               "name; events add "
               "two rows, before and after. Without --method a solver is chosen that keeps --tolerance.\n\n"
               "Of a plant, the twins that are connected with ROOT are assembled into one model and begin with their "
               "values: those of the plant's data, or of its files when it has none. Variables are named after the "
               "twins, `tank1.level`, and are in SI units; time 0 is Monday, 00:00 UTC. ROOT may be left out when all "
               "twins that have a behavior are connected.\n\n"
               "Exit code 1 when the model has errors, or the run ends early: an assert that fails, events without end, "
               "no solution.",
    .examples =
        "gemel simulate tank.mo --stop 24h --out tank.csv\ngemel simulate ball.mo --stop 3 --plot --variables h\n"
        "gemel simulate plant.mo --class Plant.Loop --set pump.speed=0.8 --method rk4 --step 0.1s --out run.csv\n"
        "gemel simulate examples/pumphouse --stop 24h --plot --variables tower.level",
    .syntax = GM_SYNTAX(options, operands),
    .run    = run,
};
