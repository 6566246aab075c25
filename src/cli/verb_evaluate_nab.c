// gemel evaluate nab: the streaming detector on a folder of the Numenta anomaly benchmark.
#include "cli/verbs.h"
#include "insight/anomaly/nab.h"

enum { OPT_DATA, OPT_JSON };
static const gm_option options[] = {
    [OPT_DATA] = { "data", GM_OPTION_TEXT, "DIR", NULL,
                   "with data/<group>/*.csv, labels/combined_windows.json, profiles.json" },
    [OPT_JSON] = { "json", GM_OPTION_FLAG, NULL, NULL, "print one JSON object instead of a table" },
};

static void print_json(const gm_cli *cli, const gm_nab_report *r)
{
    fprintf(cli->out, "{\"files\":%u,\"missing_files\":%u,\"rows\":%u,\"windows\":%u", r->files, r->missing, r->rows,
            r->windows);
    for (uint32_t i = 0; i < r->profile_count; i++) {
        const gm_nab_result *p = &r->profiles[i];
        fprintf(cli->out,
                ",\"%s\":{\"score\":%.4f,\"raw\":%.4f,\"threshold\":%.4f,\"found\":%u,\"missed\":%u,\"false_rows\":%u}",
                p->profile.name, p->normalised, p->best.score, p->best.threshold, p->best.found, p->best.missed,
                p->best.false_rows);
    }
    fputs("}\n", cli->out);
}

static void print_text(const gm_cli *cli, const gm_nab_report *r)
{
    fprintf(cli->out, "%u files, %u rows, %u windows\n\n", r->files, r->rows, r->windows);
    fprintf(cli->out, "%-22s %8s %10s %7s %7s %11s\n", "profile", "score", "threshold", "found", "missed",
            "false rows");
    for (uint32_t i = 0; i < r->profile_count; i++) {
        const gm_nab_result *p = &r->profiles[i];
        fprintf(cli->out, "%-22s %8.2f %10.3f %7u %7u %11u\n", p->profile.name, p->normalised, p->best.threshold,
                p->best.found, p->best.missed, p->best.false_rows);
    }
    if (r->missing > 0)
        fprintf(cli->out, "\n%u labelled files are not in the folder; they and their windows are left out\n",
                r->missing);
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    const char   *dir = gm_args_text(args, OPT_DATA);
    gm_nab_report report;
    gm_error      err = { 0 };
    if (dir == NULL) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--data is needed");
    if (gm_nab_run(cli->io, dir, &report, &err) != GM_OK) return gm_cli_fail(cli, &err);
    if (gm_args_given(args, OPT_JSON))
        print_json(cli, &report);
    else
        print_text(cli, &report);
    return GM_EXIT_OK;
}

const gm_verb gm_verb_evaluate_nab = {
    .name    = "evaluate nab",
    .summary = "score the streaming detector on the Numenta anomaly benchmark",
    .text = "One set of parameters for all files, no look-ahead. Scores are the benchmark's own: 0 for a detector that "
            "never "
            "speaks, 100 for a perfect one, per profile, with the threshold that serves the whole corpus best.",
    .examples = "gemel evaluate nab --data nab --json",
    .syntax   = { .options = options, .option_count = GM_COUNT_OF(options) },
    .run      = run,
};
