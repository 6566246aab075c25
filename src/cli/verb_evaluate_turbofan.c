// gemel evaluate turbofan: predictions at the last row of every test engine against what became of them.
#include "cli/verbs.h"
#include "insight/learn/prognostics.h"
#include "insight/learn/registry.h"
#include "insight/learn/similar.h"

#include <math.h>

enum { OPT_DATA, OPT_SET, OPT_MODEL, OPT_JSON };
static const gm_option options[] = {
    [OPT_DATA]  = { "data", GM_OPTION_TEXT, "DIR", NULL, "where test_<SET>.txt and RUL_<SET>.txt (or .txt.gz) are" },
    [OPT_SET]   = { "set", GM_OPTION_TEXT, "SET", NULL, "which set: FD001, ..." },
    [OPT_MODEL] = { "model", GM_OPTION_TEXT, "MODELDIR", NULL, "the folder that 'gemel train' wrote" },
    [OPT_JSON]  = { "json", GM_OPTION_FLAG, NULL, NULL, "print one JSON object instead of a table" },
};

typedef struct evaluation {
    gm_prognostics clipped, whole;  // truth cut at the cap, and as it is
    double         similar_rmse;    // of the similarity baseline, truth cut
    double         predict_seconds; // for all engines together, without the baseline
} evaluation;

static gm_status evaluate(const gm_cli *cli, const gm_rul_model *model, const gm_fleet *fleet, evaluation *out,
                          gm_error *err)
{
    gm_outcome *outcomes = GM_ARENA_NEW(cli->arena, gm_outcome, fleet->run_count);
    double      cap      = gm_rul_model_facts(model).cap;
    if (outcomes == NULL) return gm_fail(err, GM_NOMEM, "cli.evaluate", "%zu engines", fleet->run_count);
    gm_dur_ns begin = gm_monotonic(cli->clock);
    for (size_t r = 0; r < fleet->run_count; r++) {
        const gm_run *run = &fleet->runs[r];
        if (isnan(run->left))
            return gm_fail(err, GM_INVALID, "cli.evaluate",
                           "there is no RUL file, so there is nothing to compare with");
        gm_status st = gm_rul_predict(model, cli->alloc, gm_fleet_row(fleet, run->first), run->count, NAN,
                                      &outcomes[r].predicted, err);
        if (st != GM_OK) return st;
        outcomes[r].truth = run->left;
    }
    out->predict_seconds = (double)(gm_monotonic(cli->clock) - begin) / 1e9;
    gm_prognostics_of(outcomes, fleet->run_count, cap, &out->clipped);
    gm_prognostics_of(outcomes, fleet->run_count, INFINITY, &out->whole);

    double square = 0, compared = 0;
    for (size_t r = 0; r < fleet->run_count; r++) {
        const gm_run *run = &fleet->runs[r];
        gm_similar    found[GM_SIMILAR_MAX];
        size_t        count;
        double        rul;
        gm_status st = gm_rul_similar(model, cli->alloc, gm_fleet_row(fleet, run->first), run->count, GM_SIMILAR_NONE,
                                      found, &count, &rul, err);
        if (st == GM_INVALID) continue;  // too few rows to lay along anything
        if (st != GM_OK) return st;
        compared++;
        square += (rul - fmin(run->left, cap)) * (rul - fmin(run->left, cap));
    }
    out->similar_rmse = compared > 0 ? sqrt(square / compared) : 0;
    return GM_OK;
}

static void print_json(const gm_cli *cli, const char *set, const gm_registry_entry *e, const evaluation *v)
{
    const gm_prognostics *c = &v->clipped, *w = &v->whole;
    fprintf(
        cli->out,
        "{\"set\":\"%s\",\"engines\":%zu,\"rmse_clipped\":%.4f,\"score_clipped\":%.2f,\"rmse\":%.4f,\"score\":%.2f,",
        set, c->count, c->rmse, c->score, w->rmse, w->score);
    for (int l = 0; l < GM_RUL_LEVELS; l++) {
        int percent = (int)(100 * gm_rul_level_share((gm_rul_level)l) + 0.5);
        fprintf(cli->out, "\"coverage%d\":%.4f,\"width%d\":%.3f,", percent, c->coverage[l], percent, c->width[l]);
    }
    fprintf(cli->out,
            "\"coverage90_unclipped\":%.4f,\"mae\":%.4f,\"bias\":%.4f,\"crps\":%.4f,\"rmse_similar\":%.4f,"
            "\"predict_ms\":%.2f,\"train_seconds\":%.3f,\"model_version\":%u,\"age\":%s,\"horizon\":%.0f,\"alpha_"
            "lambda\":%.4f}\n",
            w->coverage[GM_RUL_90], c->mae, c->bias, c->crps, v->similar_rmse, 1e3 * v->predict_seconds, e->seconds,
            e->version, e->age ? "true" : "false", e->horizon, e->alpha_lambda);
}

static void print_text(const gm_cli *cli, const char *set, const gm_registry_entry *e, const evaluation *v)
{
    const gm_prognostics *c = &v->clipped, *w = &v->whole;
    fprintf(cli->out, "%s: %zu engines, version %u of the model, trained in %.1f s\n\n", set, c->count, e->version,
            e->seconds);
    fprintf(cli->out, "                    truth cut at the cap   truth as it is\n");
    fprintf(cli->out, "RMSE, cycles        %20.2f %16.2f\nPHM08 score         %20.1f %16.1f\n", c->rmse, w->rmse,
            c->score, w->score);
    fprintf(cli->out, "MAE, cycles         %20.2f %16.2f\nbias, cycles        %+20.2f %+16.2f\n", c->mae, w->mae,
            c->bias, w->bias);
    fprintf(cli->out, "CRPS, cycles        %20.2f %16.2f\n", c->crps, w->crps);
    for (int l = 0; l < GM_RUL_LEVELS; l++)
        fprintf(cli->out, "inside %2.0f %%         %18.1f %% %14.1f %%   width %.1f\n",
                100 * gm_rul_level_share((gm_rul_level)l), 100 * c->coverage[l], 100 * w->coverage[l], c->width[l]);
    fprintf(cli->out, "\nsimilar past runs alone: RMSE %.2f\nall predictions together: %.1f ms\n", v->similar_rmse,
            1e3 * v->predict_seconds);
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    const char *dir = gm_args_text(args, OPT_DATA), *set = gm_args_text(args, OPT_SET),
               *models = gm_args_text(args, OPT_MODEL);
    if (dir == NULL || set == NULL || models == NULL)
        return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--data, --set and --model are needed");
    gm_error      err   = { 0 };
    gm_rul_model *model = NULL;
    gm_fleet      fleet = { 0 };
    gm_registry   registry;
    evaluation    v  = { 0 };
    gm_status     st = gm_registry_load(cli->io, models, cli->arena, &registry, &err);
    if (st == GM_OK) st = gm_registry_model(cli->io, models, &registry, &model, &err);
    if (st == GM_OK) st = gm_fleet_read_turbofan(cli->io, dir, "test", set, &fleet, &err);
    if (st == GM_OK && gm_rul_model_facts(model).sensors != fleet.sensors)
        st = gm_fail(&err, GM_INVALID, "cli.evaluate", "the model is for %u sensors, the rows have %u",
                     gm_rul_model_facts(model).sensors, fleet.sensors);
    if (st == GM_OK) st = evaluate(cli, model, &fleet, &v, &err);
    if (st == GM_OK) {
        if (gm_args_given(args, OPT_JSON))
            print_json(cli, set, gm_registry_current(&registry), &v);
        else
            print_text(cli, set, gm_registry_current(&registry), &v);
    }
    gm_rul_destroy(model);
    gm_fleet_finish(&fleet);
    return st == GM_OK ? GM_EXIT_OK : gm_cli_fail(cli, &err);
}

const gm_verb gm_verb_evaluate_turbofan = {
    .name    = "evaluate turbofan",
    .summary = "measure predictions of remaining life on engines that nobody learned from",
    .text    = "One prediction per test engine, at its last row. Root mean square error and PHM08 score are given with "
               "the truth "
               "cut at the model's cap (125 cycles) and as it is.",
    .examples = "gemel evaluate turbofan --data cmapss --set FD001 --model models/turbofan --json",
    .syntax   = { .options = options, .option_count = GM_COUNT_OF(options) },
    .run      = run,
};
