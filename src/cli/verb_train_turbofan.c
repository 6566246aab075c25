// gemel train turbofan: learns remaining life from run-to-failure records into a folder of model versions.
#include "cli/verbs.h"
#include "insight/learn/registry.h"

#include <math.h>

enum { OPT_DATA, OPT_SET, OPT_OUT, OPT_NO_AGE, OPT_THREADS, OPT_JSON };
static const gm_option options[] = {
    [OPT_DATA] = { "data", GM_OPTION_TEXT, "DIR", NULL, "where train_<SET>.txt (or .txt.gz) is" },
    [OPT_SET]  = { "set", GM_OPTION_TEXT, "SET", NULL, "which set: FD001, ..." },
    [OPT_OUT]  = { "out", GM_OPTION_TEXT, "MODELDIR", NULL, "the folder of model versions; made when it is not there" },
    [OPT_NO_AGE]  = { "no-age", GM_OPTION_FLAG, NULL, NULL, "leave the number of cycles run out of the features" },
    [OPT_THREADS] = { "threads", GM_OPTION_COUNT, "N", "0", "threads to train with; 0 is one for each core" },
    [OPT_JSON]    = { "json", GM_OPTION_FLAG, NULL, NULL, "print JSON instead of sentences" },
};

static void report(const gm_cli *cli, bool json, const gm_registry *registry, const gm_registry_entry *e,
                   const gm_rul_facts *f)
{
    if (json) {
        fprintf(cli->out,
                "{\"version\":%u,\"current\":%u,\"set\":\"" GM_STR_FMT "\",\"runs\":%u,\"failed\":%u,\"rows\":%zu,"
                "\"conditions\":%u,\"sensors\":%u,\"features\":%u,\"trees\":%u,\"rmse_held_back\":%.4f,\"mae_held_"
                "back\":%.4f,"
                "\"bias_held_back\":%.4f,\"horizon\":%.0f,\"alpha_lambda\":%.4f,\"train_seconds\":%.3f}\n",
                e->version, registry->current, GM_STR_ARG(e->set), f->runs, f->failed, f->rows, f->conditions,
                f->channels, f->features, f->trees, f->rmse, f->mae, f->bias, e->horizon, e->alpha_lambda, e->seconds);
        return;
    }
    fprintf(cli->out, "version %u learned from %u runs (%u to the failure), %zu rows, in %.1f s\n", e->version, f->runs,
            f->failed, f->rows, e->seconds);
    fprintf(cli->out, "%u operating conditions, %u sensors that move, %u features, %u trees in %u members\n",
            f->conditions, f->channels, f->features, f->trees, f->members);
    fprintf(cli->out,
            "on held-back assets: RMSE %.2f, MAE %.2f, bias %+.2f cycles; prognostic horizon %.0f cycles, "
            "alpha-lambda %.0f %%\n",
            f->rmse, f->mae, f->bias, e->horizon, 100 * e->alpha_lambda);
    fprintf(cli->out, GM_STR_FMT "\n", GM_STR_ARG(e->verdict));
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    const char *dir = gm_args_text(args, OPT_DATA), *set = gm_args_text(args, OPT_SET),
               *out = gm_args_text(args, OPT_OUT);
    if (dir == NULL || set == NULL || out == NULL)
        return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--data, --set and --out are needed");
    gm_error                 err   = { 0 };
    gm_rul_model            *model = NULL;
    gm_fleet                 fleet = { 0 };
    gm_registry              registry;
    const gm_registry_entry *entry  = NULL;
    gm_rul_options           chosen = gm_rul_options_defaults();
    chosen.age                      = !gm_args_given(args, OPT_NO_AGE);
    uint32_t threads                = (uint32_t)(gm_args_count(args, OPT_THREADS) % (GM_RUL_FOLDS_MAX + 1));

    gm_dur_ns begin = gm_monotonic(cli->clock);
    gm_status st    = gm_registry_load(cli->io, out, cli->arena, &registry, &err);
    if (st == GM_OK) st = gm_fleet_read_turbofan(cli->io, dir, "train", set, &fleet, &err);
    if (st == GM_OK) st = gm_rul_train(cli->alloc, &fleet, &chosen, threads, &model, &err);
    double seconds = (double)(gm_monotonic(cli->clock) - begin) / 1e9;
    if (st == GM_OK)
        st = gm_registry_challenge(cli->io, out, cli->arena, &registry, model, &fleet, gm_str_of(set),
                                   gm_now(cli->clock), seconds, &entry, &err);
    if (st == GM_OK) {
        gm_rul_facts facts = gm_rul_model_facts(model);
        report(cli, gm_args_given(args, OPT_JSON), &registry, entry, &facts);
    }
    gm_rul_destroy(model);
    gm_fleet_finish(&fleet);
    return st == GM_OK ? GM_EXIT_OK : gm_cli_fail(cli, &err);
}

const gm_verb gm_verb_train_turbofan = {
    .name    = "train turbofan",
    .summary = "learn remaining life from engines that ran to failure",
    .text =
        "Reads records laid out as NASA's C-MAPSS sets and trains a model of the cycles left. Nothing is tuned to a "
        "set: "
        "operating conditions are found in the data, and what is reported comes from engines that the predicting part "
        "had not seen. A folder that has a model in use keeps it unless the new one wins on held-back engines.",
    .examples = "gemel train turbofan --data cmapss --set FD001 --out models/turbofan",
    .syntax   = { .options = options, .option_count = GM_COUNT_OF(options) },
    .run      = run,
};
