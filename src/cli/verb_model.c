// gemel model explain: what the compiler made of the equations.
#include "cli/behavior.h"
#include "cli/verbs.h"

enum { OPT_CLASS, OPT_STRICT };
static const gm_option options[] = {
    [OPT_CLASS] = { "class", GM_OPTION_TEXT, "NAME", NULL, "the class to explain (default: the last one in the file)" },
    [OPT_STRICT] = { "strict", GM_OPTION_FLAG, NULL, NULL, "units that do not fit are errors, not warnings" },
};
static const gm_operand operands[] = {
    { "FILE", "a Modelica file, or the folder of a package" },
};

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    gm_behavior behavior;
    gm_exit     code = gm_behavior_open(cli, gm_args_operand(args, 0), gm_args_text(args, OPT_CLASS),
                                        gm_args_given(args, OPT_STRICT), &behavior);
    if (code == GM_EXIT_OK) code = gm_behavior_explain(cli, &behavior);
    gm_behavior_close(&behavior);
    return code;
}

const gm_verb gm_verb_model_explain = {
    .name    = "model explain",
    .summary = "say what was made of a Modelica model's equations",
    .text =
        "Prints variables, states, aliases, the order of computation with its blocks and loops, events, and how the "
        "model begins. Exit code 1 when the model has errors; they are printed with file, line and column.",
    .examples = "gemel model explain tank.mo\ngemel model explain plant.mo --class Plant.Loop --strict",
    .syntax   = GM_SYNTAX(options, operands),
    .run      = run,
};
