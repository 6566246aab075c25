// gemel model migrate: twins of one model become twins of another, on a running server.
#include "cli/client.h"
#include "cli/verbs.h"

#include <stdlib.h>

enum { OPT_HTTP, OPT_DRY_RUN, OPT_SKIP, OPT_JSON };
static const gm_option options[] = {
    [OPT_HTTP]    = GM_CLIENT_HTTP,
    [OPT_DRY_RUN] = { "dry-run", GM_OPTION_FLAG, NULL, NULL, "change nothing: list the twins that would fail, and why" },
    [OPT_SKIP]    = { "skip-failing", GM_OPTION_FLAG, NULL, NULL, "change the twins that fit although others do not" },
    [OPT_JSON]    = { "json", GM_OPTION_FLAG, NULL, NULL, "print the server's answer as JSON" },
};
static const gm_operand operands[] = {
    { "FROM", "the model that the twins have: a DTMI" },
    { "TO", "the model that they get; it must have been added" },
};

static long long number_of(const json_t *answer, const char *name) { return (long long)json_integer_value(json_object_get(answer, name)); }

static void print_answer(const gm_cli *cli, const json_t *answer)
{
    size_t  i;
    json_t *failure;
    json_array_foreach(json_object_get(answer, "failures"), i, failure)
    {
        fprintf(cli->out, "%s: %s\n", json_string_value(json_object_get(failure, "twin")), json_string_value(json_object_get(failure, "why")));
    }
    fprintf(cli->err, "%lld twins checked, %lld do not fit, %lld migrated\n", number_of(answer, "checked"), number_of(answer, "failed"),
            number_of(answer, "migrated"));
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    gm_http       *http = NULL;
    gm_http_answer answer;
    gm_error       err  = { 0 };
    gm_exit        code = gm_client_open(cli, args, OPT_HTTP, &http);
    if (code != GM_EXIT_OK) return code;
    json_t *body = json_pack("{s:s,s:s,s:b,s:b}", "from", gm_args_operand(args, 0), "to", gm_args_operand(args, 1), "dryRun",
                             (int)gm_args_given(args, OPT_DRY_RUN), "skipFailing", (int)gm_args_given(args, OPT_SKIP));
    char     *text = json_dumps(body, JSON_COMPACT);
    gm_status st   = text == NULL ? gm_fail(&err, GM_INVALID, "cli.migrate", "a DTMI is UTF-8 text")
                                  : gm_http_request(http, "POST", "/v1/migrate", "application/json", text, &answer, &err);
    if (st != GM_OK) {
        code = gm_client_fail(cli, &err, text != NULL);
    } else if (answer.code != 200 && answer.code != 409) {
        (void)!gm_http_refusal(&answer, &err);
        code = gm_cli_fail(cli, &err);
    } else {
        // 409: nothing was changed, since some do not fit; the answer names them as a dry run does.
        if (gm_args_given(args, OPT_JSON)) fprintf(cli->out, GM_STR_FMT "\n", (int)answer.text.len, (const char *)answer.text.ptr);
        else print_answer(cli, answer.body);
        if (number_of(answer.body, "failed") > 0) code = GM_EXIT_NO;
    }
    if (text != NULL) gm_http_answer_finish(&answer);
    free(text);
    json_decref(body);
    gm_http_close(http);
    return code;
}

const gm_verb gm_verb_model_migrate = {
    .name     = "model migrate",
    .summary  = "change the model of all twins of a model",
    .text     = "Every twin is read as one of the new model, with the values that it has: a value that does not fit its schema, a property "
                "or component that is unknown or missing, a relationship that the new model does not admit stand in the way. When there are "
                "such twins, nothing is changed (unless --skip-failing is given) and the exit code is 1.",
    .examples = "gemel model migrate 'dtmi:example:Pump;1' 'dtmi:example:Pump;2' --dry-run",
    .syntax   = GM_SYNTAX(options, operands),
    .run      = run,
};
