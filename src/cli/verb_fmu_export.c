// gemel fmu export: a Modelica class as an FMU for other tools.
#include "cli/behavior.h"
#include "cli/verbs.h"
#include "physics/fmi/export.h"

#include <math.h>

enum { OPT_CLASS, OPT_FMI, OPT_OUT, OPT_START, OPT_STOP, OPT_STEP, OPT_TOLERANCE, OPT_COMPILER, OPT_SOURCES, OPT_STRICT };
static const gm_option options[] = {
    [OPT_CLASS]     = { "class", GM_OPTION_TEXT, "NAME", NULL, "the class to export (default: the last one in the file)" },
    [OPT_FMI]       = { "fmi", GM_OPTION_TEXT, "VERSION", "3", "the version of the standard: 2 or 3" },
    [OPT_OUT]       = { "out", GM_OPTION_TEXT, "FILE", NULL, "the archive to write (default: the class's name with .fmu)" },
    [OPT_START]     = { "start", GM_OPTION_NUMBER, "SECONDS", "0", "start of the default experiment" },
    [OPT_STOP]      = { "stop", GM_OPTION_NUMBER, "SECONDS", "1", "its end" },
    [OPT_STEP]      = { "step", GM_OPTION_NUMBER, "SECONDS", NULL, "its step" },
    [OPT_TOLERANCE] = { "tolerance", GM_OPTION_NUMBER, "NUMBER", "1e-6", "its relative tolerance, which co-simulation keeps" },
    [OPT_COMPILER]  = { "compiler", GM_OPTION_TEXT, "PROGRAM", "cc", "the C compiler that makes the library for this machine" },
    [OPT_SOURCES]   = { "sources-only", GM_OPTION_FLAG, NULL, NULL, "write no library: the C sources alone" },
    [OPT_STRICT]    = { "strict", GM_OPTION_FLAG, NULL, NULL, "units that do not fit are errors, not warnings" },
};
static const gm_operand operands[] = { { "FILE", "a Modelica file, or the folder of a package" } };

static gm_exit read_options(const gm_cli *cli, const gm_args *args, gm_fmu_export_options *o)
{
    gm_str version = gm_str_of(gm_args_text(args, OPT_FMI));
    *o             = gm_fmu_export_options_defaults();
    if (gm_str_is(version, "2") || gm_str_is(version, "2.0")) o->version = 2;
    else if (!gm_str_is(version, "3") && !gm_str_is(version, "3.0")) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--fmi is 2 or 3, not '%.40s'", version.ptr);
    o->compiler  = gm_args_given(args, OPT_SOURCES) ? NULL : gm_args_text(args, OPT_COMPILER);
    o->start     = gm_args_number(args, OPT_START);
    o->stop      = gm_args_number(args, OPT_STOP);
    o->tolerance = gm_args_number(args, OPT_TOLERANCE);
    if (gm_args_given(args, OPT_STEP)) o->step = gm_args_number(args, OPT_STEP);
    if (!(o->stop > o->start)) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--stop has to be after --start");
    if (o->step <= 0) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--step has to be above 0");
    if (!(o->tolerance > 0)) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--tolerance has to be above 0");
    return GM_EXIT_OK;
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    gm_fmu_export_options o;
    gm_error              err      = { 0 };
    gm_behavior           behavior = { 0 };
    gm_program           *program  = NULL;
    gm_exit               code     = read_options(cli, args, &o);
    if (code != GM_EXIT_OK) return code;
    code = gm_behavior_open(cli, gm_args_operand(args, 0), gm_args_text(args, OPT_CLASS), gm_args_given(args, OPT_STRICT), &behavior);
    // Without fused products: C compilers for any machine give the same bits then, and none needs a slow fma().
    const gm_compile_options exact = { .exact = true };
    if (code == GM_EXIT_OK) code = gm_behavior_compile(cli, &behavior, &exact, &program);
    if (code == GM_EXIT_OK) {
        gm_str      name = gm_program_name(program);
        const char *path = gm_args_text(args, OPT_OUT);
        if (path == NULL) path = gm_arena_printf(cli->arena, GM_STR_FMT ".fmu", GM_STR_ARG(name)).ptr;
        if (path == NULL) code = gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
        else if (gm_fmu_export(cli->alloc, program, &o, path, &err) != GM_OK) code = gm_cli_fail(cli, &err);
    }
    gm_program_destroy(program);
    gm_behavior_close(&behavior);
    return code;
}

const gm_verb gm_verb_fmu_export = {
    .name     = "fmu export",
    .summary  = "write a Modelica class as an FMU for other tools",
    .text     = "The FMU offers model exchange and co-simulation; it holds its C sources and, made of them by the system's compiler, a library for "
                "this machine. Parameters, inputs and start values that are not computed can be set; events, algebraic loops and tables work as in "
                "`gemel simulate`. Co-simulation integrates with an implicit method of variable step inside, so stiff models need no short steps.",
    .examples = "gemel fmu export tank.mo --stop 3600 --out tank.fmu\ngemel fmu export plant.mo --class Plant.Loop --fmi 2\n"
                "gemel fmu export ball.mo --sources-only",
    .syntax   = GM_SYNTAX(options, operands),
    .run      = run,
};
