// gemel fmu info | check | run: functional mock-up units (FMI 2.0 and 3.0), in processes of their own.
#include "cli/fmu_guard.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "physics/fmi/run.h"

#include <errno.h>
#include <math.h>

enum { INPUT_MAX = 256 << 20 };

static const gm_operand operands[] = { { "FILE", "an FMU (.fmu)", false, false } };

// Begins the guard as well; it has to be ended in every case.
static gm_status open_fmu(const gm_cli *cli, const gm_args *args, gm_dur_ns limit, gm_fmu_guard *guard, gm_fmu **out_fmu, gm_error *err)
{
    *out_fmu     = NULL;
    gm_status st = gm_fmu_guard_begin(guard, err);
    if (st != GM_OK) return st;
    gm_fmu_host host = { .alloc = cli->alloc, .clock = cli->clock, .program = "/proc/self/exe", .call_limit = limit, .folder = guard->folder };
    return gm_fmu_open(&host, gm_args_operand(args, 0), out_fmu, err);
}

static void close_fmu(gm_fmu *fmu, gm_fmu_guard *guard)
{
    gm_fmu_close(fmu);
    gm_fmu_guard_end(guard);
}

// ---- info ---------------------------------------------------------------------------------------------------------------

static void print_line(const gm_cli *cli, const char *what, gm_str text)
{
    if (text.len == 0) return;
    fprintf(cli->out, "%-13s ", what);
    for (size_t i = 0; i < text.len; i++) fputc((unsigned char)text.ptr[i] < 32 ? ' ' : text.ptr[i], cli->out);
    fputc('\n', cli->out);
}

static void print_interface(const gm_cli *cli, const gm_fmu_interface *i, gm_fmi_kind kind)
{
    if (!i->present) return;
    fprintf(cli->out, "%-13s %s:", "offers", gm_fmi_kind_text(kind));
    const struct { bool has; const char *text; } can[] = {
        { i->state, "saves states" }, { i->serialize, "states as bytes" },
        { kind == GM_FMI_CO_SIMULATION && i->variable_step, "variable steps" }, { i->event_mode, "event mode" },
        { i->early_return, "early return" }, { i->intermediate_update, "intermediate update" },
        { kind == GM_FMI_MODEL_EXCHANGE && i->completed_step, "completed-step events" }, { i->single_instance, "one instance per process" },
        { i->needs_execution_tool, "needs the tool that made it" },
    };
    const char *separator = " ";
    for (size_t k = 0; k < GM_COUNT_OF(can); k++) {
        if (!can[k].has) continue;
        fprintf(cli->out, "%s%s", separator, can[k].text);
        separator = ", ";
    }
    if (i->has_fixed_step) fprintf(cli->out, "%ssteps of %g s inside", separator, i->fixed_step);
    fputc('\n', cli->out);
}

static gm_str shape_text(const gm_cli *cli, const gm_fmu_description *d, const gm_fmu_variable *v)
{
    gm_str text = gm_str_of(gm_fmi_type_text(v->type));
    for (uint32_t i = 0; i < v->dimension_count; i++) {
        const gm_fmu_variable *size = v->dimensions[i].reference != GM_FMU_NONE ? gm_fmu_find_reference(d, v->dimensions[i].reference) : NULL;
        gm_str before = text;
        if (size != NULL) text = gm_arena_printf(cli->arena, GM_STR_FMT "[" GM_STR_FMT "]", GM_STR_ARG(before), GM_STR_ARG(size->name));
        else text = gm_arena_printf(cli->arena, GM_STR_FMT "[%llu]", GM_STR_ARG(before), (unsigned long long)v->dimensions[i].start);
    }
    return text;
}

static gm_exit print_variables(const gm_cli *cli, const gm_fmu_description *d)
{
    gm_buf         out    = gm_buf_init(cli->alloc);
    gm_table_text *table  = gm_table_text_create(cli->arena, 7);
    const gm_str   head[] = { GM_STR("NAME"), GM_STR("TYPE"), GM_STR("CAUSALITY"), GM_STR("VARIABILITY"), GM_STR("START"), GM_STR("UNIT"),
                              GM_STR("DESCRIPTION") };
    gm_table_text_add(table, head);
    for (uint32_t i = 0; i < d->variable_count; i++) {
        const gm_fmu_variable *v       = &d->variables[i];
        gm_str                 start   = v->start_count > 0 ? v->starts[0] : v->start;
        const gm_str           cells[] = { v->name, shape_text(cli, d, v), gm_str_of(gm_fmi_causality_text(v->causality)),
                                           gm_str_of(gm_fmi_variability_text(v->variability)), start, v->unit, v->description };
        gm_table_text_add(table, cells);
    }
    gm_table_text_write(table, &out);
    if (!out.failed) fwrite(out.ptr, 1, out.len, cli->out);
    gm_exit code = out.failed ? gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory") : GM_EXIT_OK;
    gm_buf_finish(&out);
    return code;
}

static gm_exit run_info(const gm_cli *cli, const gm_args *args)
{
    gm_error     err = { 0 };
    gm_fmu      *fmu = NULL;
    gm_fmu_guard guard;
    if (open_fmu(cli, args, GM_SECOND, &guard, &fmu, &err) != GM_OK) {
        close_fmu(fmu, &guard);
        return gm_cli_fail(cli, &err);
    }
    const gm_fmu_description *d = gm_fmu_described(fmu);
    print_line(cli, "name", d->name);
    print_line(cli, "description", d->description);
    print_line(cli, "FMI", d->version_text);
    print_line(cli, d->version == 2 ? "guid" : "token", d->token);
    print_line(cli, "made by", d->tool);
    print_line(cli, "made on", d->date);
    print_line(cli, "author", d->author);
    print_line(cli, "copyright", d->copyright);
    print_line(cli, "license", d->license);
    for (unsigned k = 0; k < GM_FMI_KIND_COUNT; k++) print_interface(cli, &d->interfaces[k], (gm_fmi_kind)k);
    if (d->has_start || d->has_stop || d->has_step || d->has_tolerance) {
        fprintf(cli->out, "%-13s", "experiment");
        if (d->has_start) fprintf(cli->out, " start %g s", d->start);
        if (d->has_stop) fprintf(cli->out, " stop %g s", d->stop);
        if (d->has_step) fprintf(cli->out, " step %g s", d->step);
        if (d->has_tolerance) fprintf(cli->out, " tolerance %g", d->tolerance);
        fputc('\n', cli->out);
    }
    fprintf(cli->out, "%-13s %u variables, %u outputs, %u continuous states, %u event indicators\n", "model", d->variable_count, d->output_count,
            d->derivative_count, d->indicator_count);
    if (d->finding_count > 0) fprintf(cli->out, "%-13s %u rules of the standard broken; gemel fmu check tells them\n", "findings", d->finding_count);
    fputc('\n', cli->out);
    gm_exit code = print_variables(cli, d);
    close_fmu(fmu, &guard);
    return code;
}

const gm_verb gm_verb_fmu_info = {
    .name     = "fmu info",
    .summary  = "tell what an FMU is, what it can do, and its variables",
    .text     = "Reads the archive and its modelDescription.xml (FMI 2.0 and 3.0); nothing of the FMU is executed.",
    .examples = "gemel fmu info pump.fmu",
    .syntax   = { .operands = operands, .operand_count = GM_COUNT_OF(operands) },
    .run      = run_info,
};

// ---- check --------------------------------------------------------------------------------------------------------------

enum { CHECK_LIMIT };
static const gm_option check_options[] = {
    [CHECK_LIMIT] = { "limit", GM_OPTION_DURATION, "TIME", "60s", "how long each call of the FMU may take" },
};

static gm_exit run_check(const gm_cli *cli, const gm_args *args)
{
    gm_error    err    = { 0 };
    gm_fmu     *fmu    = NULL;
    gm_buf      report = gm_buf_init(cli->alloc);
    gm_exit     code   = GM_EXIT_OK;
    unsigned    failed = 0;
    gm_fmu_guard guard;
    if (open_fmu(cli, args, gm_args_duration(args, CHECK_LIMIT), &guard, &fmu, &err) != GM_OK) {
        gm_buf_finish(&report);
        close_fmu(fmu, &guard);
        return gm_cli_fail(cli, &err);
    }
    const gm_fmu_description *d = gm_fmu_described(fmu);
    gm_str rest = { (const char *)d->findings.ptr, d->findings.len }, line;
    fprintf(cli->out, "ok   archive: unpacked\n");
    if (d->finding_count == 0) fprintf(cli->out, "ok   description: no rule of FMI %d broken\n", d->version);
    while (gm_str_next(&rest, '\n', &line)) {
        if (line.len > 0) fprintf(cli->out, "FAIL description: " GM_STR_FMT "\n", GM_STR_ARG(line));
    }
    if (gm_fmu_check(fmu, &report, &failed, &err) != GM_OK) code = gm_cli_fail(cli, &err);
    if (report.len > 0) fwrite(report.ptr, 1, report.len, cli->out);
    if (code == GM_EXIT_OK && (failed > 0 || d->finding_count > 0)) code = GM_EXIT_NO;
    gm_buf_finish(&report);
    close_fmu(fmu, &guard);
    return code;
}

const gm_verb gm_verb_fmu_check = {
    .name     = "fmu check",
    .summary  = "test an FMU: archive, description, start, saving and restoring its state",
    .text     = "Runs the FMU in a process of its own. For each kind of use that it offers it is instantiated and initialised; a state is saved, "
                "two steps are taken, the state is restored, and the same steps have to bring the same outputs; the same again with the state "
                "written to bytes. Where the FMU can not save states, replaying its inputs into a fresh process is tested instead.\n\n"
                "Exit code 0 when nothing failed, 1 when something did.",
    .examples = "gemel fmu check pump.fmu",
    .syntax   = GM_SYNTAX(check_options, operands),
    .run      = run_check,
};

// ---- run ----------------------------------------------------------------------------------------------------------------

enum {
    RUN_CS, RUN_ME, RUN_SE, RUN_START, RUN_STOP, RUN_STEP, RUN_TOLERANCE, RUN_METHOD, RUN_SET, RUN_INPUT, RUN_OUT, RUN_ALL, RUN_EVENTS, RUN_EARLY,
    RUN_INSIDE, RUN_LOG, RUN_LIMIT
};
static const gm_option run_options[] = {
    [RUN_CS]        = { "cs", GM_OPTION_FLAG, NULL, NULL, "run it as co-simulation (the FMU integrates); the default where it is offered" },
    [RUN_ME]        = { "me", GM_OPTION_FLAG, NULL, NULL, "run it as model exchange (gemel integrates)" },
    [RUN_SE]        = { "se", GM_OPTION_FLAG, NULL, NULL, "run it as scheduled execution (gemel ticks its clocks)" },
    [RUN_START]     = { "start", GM_OPTION_NUMBER, "SECONDS", NULL, "when to start; else the FMU's default experiment says it, else 0" },
    [RUN_STOP]      = { "stop", GM_OPTION_NUMBER, "SECONDS", NULL, "when to stop; else the FMU's default experiment says it, else a second later" },
    [RUN_STEP]      = { "step", GM_OPTION_NUMBER, "SECONDS", NULL, "communication and output step; else the default experiment's, else the FMU's own, else a 500th" },
    [RUN_TOLERANCE] = { "tolerance", GM_OPTION_NUMBER, "NUMBER", NULL, "relative tolerance; else the default experiment's, else 1e-6" },
    [RUN_METHOD]    = { "method", GM_OPTION_TEXT, "NAME", "euler", "model exchange: euler (one explicit step per output step) or accurate" },
    [RUN_SET]       = { "set", GM_OPTION_TEXT, "NAME=VALUE", NULL, "a start value; arrays as \"1 2 3\", binaries in hexadecimal", true },
    [RUN_INPUT]     = { "input", GM_OPTION_TEXT, "CSV", NULL, "inputs over time: time first, then columns named after inputs" },
    [RUN_OUT]       = { "out", GM_OPTION_TEXT, "CSV", NULL, "where to write the results; else to stdout" },
    [RUN_ALL]       = { "all", GM_OPTION_FLAG, NULL, NULL, "write all variables, not only the outputs" },
    [RUN_EVENTS]    = { "event-mode", GM_OPTION_FLAG, NULL, NULL, "FMI 3 co-simulation: handle events between steps" },
    [RUN_EARLY]     = { "early-return", GM_OPTION_FLAG, NULL, NULL, "FMI 3 co-simulation: let the FMU return early from a step" },
    [RUN_INSIDE]    = { "intermediate", GM_OPTION_FLAG, NULL, NULL, "FMI 3 co-simulation: write a row at every intermediate update too" },
    [RUN_LOG]       = { "log", GM_OPTION_FLAG, NULL, NULL, "ask the FMU for its log and print it to stderr" },
    [RUN_LIMIT]     = { "limit", GM_OPTION_DURATION, "TIME", "60s", "how long each call of the FMU may take" },
};

static gm_status write_file(void *context, gm_str text, gm_error *err)
{
    if (fwrite(text.ptr, 1, text.len, context) != text.len) return gm_fail(err, GM_IO, "cli.fmu", "the results can not be written");
    return GM_OK;
}

static double number_or_nan(const gm_args *args, size_t option) { return gm_args_given(args, option) ? gm_args_number(args, option) : NAN; }

static gm_exit read_options(const gm_cli *cli, const gm_args *args, gm_fmu_run_options *o)
{
    *o = gm_fmu_run_options_defaults();
    if (gm_args_given(args, RUN_CS) + gm_args_given(args, RUN_ME) + gm_args_given(args, RUN_SE) > 1) {
        return gm_cli_fail_text(cli, GM_EXIT_USAGE, "give one of --cs, --me and --se");
    }
    if (gm_args_given(args, RUN_CS)) o->kind = GM_FMI_CO_SIMULATION;
    if (gm_args_given(args, RUN_ME)) o->kind = GM_FMI_MODEL_EXCHANGE;
    if (gm_args_given(args, RUN_SE)) o->kind = GM_FMI_SCHEDULED;
    gm_str method = gm_str_of(gm_args_text(args, RUN_METHOD));
    if (gm_str_is(method, "accurate")) o->method = GM_FMU_ACCURATE;
    else if (!gm_str_is(method, "euler")) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--method is euler or accurate, not '%.40s'", method.ptr);
    o->start     = number_or_nan(args, RUN_START);
    o->stop      = number_or_nan(args, RUN_STOP);
    o->step      = number_or_nan(args, RUN_STEP);
    o->tolerance = number_or_nan(args, RUN_TOLERANCE);
    if (o->tolerance <= 0) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--tolerance has to be above 0");
    if (o->step <= 0) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--step has to be above 0");
    o->event_mode   = gm_args_given(args, RUN_EVENTS);
    o->early_return = gm_args_given(args, RUN_EARLY);
    o->intermediate = gm_args_given(args, RUN_INSIDE);
    o->all          = gm_args_given(args, RUN_ALL);
    o->logging      = gm_args_given(args, RUN_LOG);

    size_t          n        = args->value_counts[RUN_SET];
    gm_fmu_setting *settings = GM_ARENA_NEW(cli->arena, gm_fmu_setting, n + 1);
    if (settings == NULL) return gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    for (size_t i = 0; i < n; i++) {
        gm_str text = gm_str_of(args->values[RUN_SET][i]);
        size_t at   = gm_str_find_char(text, '=');
        if (at == SIZE_MAX) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--set %.80s is not NAME=VALUE", text.ptr);
        settings[i] = (gm_fmu_setting){ gm_str_slice(text, 0, at), gm_str_slice(text, at + 1, text.len) };
    }
    o->settings      = settings;
    o->setting_count = (uint32_t)n;
    return GM_EXIT_OK;
}

static gm_exit run_fmu(const gm_cli *cli, const gm_args *args, gm_fmu_run_options *o, gm_buf *log)
{
    gm_error    err   = { 0 };
    gm_fmu     *fmu   = NULL;
    FILE       *file  = cli->out;
    uint8_t    *input = NULL;
    size_t      size  = 0;
    gm_exit     code  = GM_EXIT_OK;
    gm_fmu_guard guard = { .begun = false };
    const char *path  = gm_args_text(args, RUN_OUT);
    gm_status   st    = GM_OK;
    if (gm_args_given(args, RUN_INPUT)) st = gm_io_read_file(cli->io, gm_args_text(args, RUN_INPUT), INPUT_MAX, &input, &size, &err);
    o->input = (gm_str){ (const char *)input, size };
    if (st == GM_OK) st = open_fmu(cli, args, gm_args_duration(args, RUN_LIMIT), &guard, &fmu, &err);
    if (st != GM_OK) {
        code = gm_cli_fail(cli, &err);
        goto done;
    }
    if (path != NULL && (file = fopen(path, "we")) == NULL) {
        code = gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "%.120s can not be written: %s", path, strerror(errno));
        goto done;
    }
    st = gm_fmu_run(fmu, o, write_file, file, log, &err);
    if (st != GM_OK || gm_args_given(args, RUN_LOG)) fwrite(log->ptr != NULL ? (const char *)log->ptr : "", 1, log->len, cli->err);
    if (st != GM_OK) code = gm_cli_fail(cli, &err);
done:
    if (path != NULL && file != NULL && file != cli->out && fclose(file) != 0 && code == GM_EXIT_OK) {
        code = gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "%.120s can not be written: %s", path, strerror(errno));
    }
    close_fmu(fmu, &guard);
    gm_free(cli->io->alloc, input);
    return code;
}

static gm_exit run_run(const gm_cli *cli, const gm_args *args)
{
    gm_fmu_run_options o;
    gm_buf             log  = gm_buf_init(cli->alloc);
    gm_exit            code = read_options(cli, args, &o);
    if (code == GM_EXIT_OK) code = run_fmu(cli, args, &o, &log);
    gm_buf_finish(&log);
    return code;
}

const gm_verb gm_verb_fmu_run = {
    .name     = "fmu run",
    .summary  = "simulate an FMU and write its outputs as CSV",
    .text     = "The CSV has the time first, then the outputs under their names (elements of arrays as y[1], y[2] ...), a row for every output step, "
                "and two rows, before and after, for every event. Booleans are 0 and 1, binaries hexadecimal.\n\n"
                "The FMU runs in a process of its own: when it crashes or takes longer than --limit, the run ends with what it logged and exit code 1; "
                "the rows up to there are written.\n\n"
                "Inputs: floating-point inputs that are continuous are interpolated between rows, all others hold; two rows with the same time are a jump.",
    .examples = "gemel fmu run pump.fmu --stop 10 --set speed=1450 --out pump.csv\ngemel fmu run ball.fmu --me --method accurate\n"
                "gemel fmu run filter.fmu --input signal.csv --all",
    .syntax   = GM_SYNTAX(run_options, operands),
    .run      = run_run,
};
