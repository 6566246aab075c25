// gemel evaluate skab: the multivariate detector on a folder of the Skoltech anomaly benchmark.
#include "cli/verbs.h"
#include "insight/anomaly/skab.h"

enum { OPT_DATA, OPT_JSON };
static const gm_option options[] = {
    [OPT_DATA] = { "data", GM_OPTION_TEXT, "DIR", NULL, "every *.csv below it that has a column \"anomaly\"" },
    [OPT_JSON] = { "json", GM_OPTION_FLAG, NULL, NULL, "print one JSON object instead of a table" },
};

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    const char        *dir = gm_args_text(args, OPT_DATA);
    gm_skab_report     r;
    gm_error           err    = { 0 };
    gm_healthy_options chosen = gm_healthy_options_defaults();
    if (dir == NULL) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--data is needed");
    if (gm_skab_run(cli->io, dir, &chosen, &r, &err) != GM_OK) return gm_cli_fail(cli, &err);
    if (gm_args_given(args, OPT_JSON)) {
        fprintf(
            cli->out,
            "{\"files\":%u,\"f1\":%.4f,\"far\":%.4f,\"mar\":%.4f,\"mean_delay_s\":%.2f,\"events\":%u,\"found\":%u}\n",
            r.files, r.f1, r.far, r.mar, r.mean_delay_s, r.events, r.found);
        return GM_EXIT_OK;
    }
    fprintf(cli->out,
            "%u runs, %u events, %u of them found\n\nF1           %.3f\nfalse alarms %.1f %%\nmissed       %.1f %%\n"
            "mean delay   %.1f s\n",
            r.files, r.events, r.found, r.f1, 100 * r.far, 100 * r.mar, r.mean_delay_s);
    return GM_EXIT_OK;
}

const gm_verb gm_verb_evaluate_skab = {
    .name    = "evaluate skab",
    .summary = "score the multivariate detector on the Skoltech anomaly benchmark",
    .text = "Learns from each run's first 400 rows and is scored row by row on the rest: F1, the share of healthy rows "
            "that were "
            "flagged (far), of faulty rows that were not (mar), and the mean delay from the start of a fault to its "
            "first flag.",
    .examples = "gemel evaluate skab --data skab --json",
    .syntax   = { .options = options, .option_count = GM_COUNT_OF(options) },
    .run      = run,
};
