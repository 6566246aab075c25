// The table of verbs, and how a command line finds its verb.
#include "cli/verbs.h"

#include "cli/help.h"
#include "physics/fmi/worker.h"

#include <stdlib.h>

static const gm_verb *const verbs[] = {
    &gm_verb_serve,
    &gm_verb_check,
    &gm_verb_query,
    &gm_verb_get,
    &gm_verb_set,
    &gm_verb_watch,
    &gm_verb_history,
    &gm_verb_history_export,
    &gm_verb_history_import,
    &gm_verb_dead_letters,
    &gm_verb_top,
    &gm_verb_backup,
    &gm_verb_restore,
    &gm_verb_verify,
    &gm_verb_import,
    &gm_verb_export,
    &gm_verb_replay,
    &gm_verb_agent,
    &gm_verb_load,
    &gm_verb_rig,
    &gm_verb_simulate,
    &gm_verb_what_if,
    &gm_verb_futures_verify,
    &gm_verb_map_test,
    &gm_verb_model_explain,
    &gm_verb_optimise,
    &gm_verb_reliability,
    &gm_verb_model_migrate,
    &gm_verb_fmu_info,
    &gm_verb_fmu_check,
    &gm_verb_fmu_run,
    &gm_verb_fmu_export,
    &gm_verb_user_add,
    &gm_verb_user_list,
    &gm_verb_user_revoke,
    &gm_verb_plans,
    &gm_verb_maintain,
    &gm_verb_predict,
    &gm_verb_alarms,
    &gm_verb_rollup,
    &gm_verb_impact,
    &gm_verb_origins,
    &gm_verb_estimate,
    &gm_verb_calibrate,
    &gm_verb_command,
    &gm_verb_audit_verify,
    &gm_verb_rule_test,
    &gm_verb_thread_show,
    &gm_verb_thread_add,
    &gm_verb_thread_import,
    &gm_verb_thread_diff,
    &gm_verb_thread_explain,
    &gm_verb_thread_parts,
    &gm_verb_thread_move,
    &gm_verb_thread_document,
    &gm_verb_thread_fetch,
    &gm_verb_thread_usage,
    &gm_verb_thread_forget,
    &gm_verb_bom_show,
    &gm_verb_bom_where_used,
    &gm_verb_bom_rollup,
    &gm_verb_bom_gaps,
    &gm_verb_bom_import,
    &gm_verb_bom_export,
    &gm_verb_aas_export,
    &gm_verb_aas_import,
    &gm_verb_aas_check,
    &gm_verb_anomalies,
    &gm_verb_forecast,
    &gm_verb_train_turbofan,
    &gm_verb_evaluate_turbofan,
    &gm_verb_evaluate_nab,
    &gm_verb_evaluate_skab,
    &gm_verb_help,
};

size_t gm_verb_count(void) { return GM_COUNT_OF(verbs); }

const gm_verb *gm_verb_at(size_t i) { return verbs[i]; }

gm_exit gm_cli_fail_text(const gm_cli *cli, gm_exit code, const char *fmt, ...)
{
    va_list arguments;
    va_start(arguments, fmt);
    fputs("gemel: ", cli->err);
    vfprintf(cli->err, fmt, arguments);
    fputc('\n', cli->err);
    va_end(arguments);
    return code;
}

gm_exit gm_cli_fail(const gm_cli *cli, const gm_error *err)
{
    gm_exit code =
        err->status == GM_IO || err->status == GM_NOMEM || err->status == GM_CORRUPT ? GM_EXIT_SYSTEM : GM_EXIT_NO;
    return gm_cli_fail_text(cli, code, "%s", err->text[0] != '\0' ? err->text : gm_status_text(err->status));
}

static gm_exit print(const gm_cli *cli, gm_buf *text)
{
    gm_exit code = text->failed ? gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory") : GM_EXIT_OK;
    if (code == GM_EXIT_OK) fwrite(text->ptr, 1, text->len, cli->out);
    gm_buf_finish(text);
    return code;
}

static gm_exit print_help(const gm_cli *cli, const gm_verb *verb)
{
    gm_buf text = gm_buf_init(cli->alloc);
    if (verb != NULL) gm_help_verb(verb, &text);
    else gm_help_program(&text);
    return print(cli, &text);
}

// How many words of the line a verb's name takes, 0 when it is not the one that is meant.
static int name_matches(const char *name, int argc, char *const *argv)
{
    gm_str rest = gm_str_of(name), word;
    int    n = 0;
    while (gm_str_next(&rest, ' ', &word)) {
        if (n >= argc || !gm_str_is(word, argv[n])) return 0;
        n++;
    }
    return n;
}

// The verb with the longest name that the line begins with.
static const gm_verb *find_verb(int argc, char *const *argv, int *out_words)
{
    const gm_verb *found = NULL;
    *out_words           = 0;
    for (size_t i = 0; i < GM_COUNT_OF(verbs); i++) {
        int words = name_matches(verbs[i]->name, argc, argv);
        if (words > *out_words) {
            *out_words = words;
            found      = verbs[i];
        }
    }
    return found;
}

static const char *verb_name_at(const void *context, size_t i)
{
    (void)context;
    return verbs[i]->name;
}

static gm_exit unknown_verb(const gm_cli *cli, const char *word)
{
    const char *near = gm_nearest_name(gm_str_of(word), GM_COUNT_OF(verbs), verb_name_at, NULL);
    if (near != NULL) {
        return gm_cli_fail_text(cli, GM_EXIT_USAGE, "there is no verb '%.60s'; did you mean 'gemel %s'?", word, near);
    }
    return gm_cli_fail_text(cli, GM_EXIT_USAGE, "there is no verb '%.60s'; 'gemel --help' lists them", word);
}

gm_exit gm_cli_run(const gm_cli *cli, int argc, char *const *argv)
{
    if (argc < 2) {
        gm_buf text = gm_buf_init(cli->alloc);
        gm_help_program(&text);
        if (!text.failed) fwrite(text.ptr, 1, text.len, cli->err);
        gm_buf_finish(&text);
        return GM_EXIT_USAGE;
    }
    const char *word = argv[1];
    // Not for people: what gemel starts as the process of an FMU.
    if (strcmp(word, "fmu-worker") == 0 && argc == 2) return (gm_exit)gm_fmu_worker_run(GM_FMU_WORKER_FD);
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        gm_buf text = gm_buf_init(cli->alloc);
        if (argc > 2 && strcmp(argv[2], "--json") == 0) gm_help_version_json(&text);
        else gm_help_version(&text);
        return print(cli, &text);
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) return print_help(cli, NULL);

    int            words;
    const gm_verb *verb = find_verb(argc - 1, argv + 1, &words);
    if (verb == NULL) return unknown_verb(cli, word);
    gm_args   args;
    gm_error  err = {0};
    gm_status st  = gm_args_parse(&verb->syntax, argc - 1 - words, argv + 1 + words, cli->arena, &args, &err);
    if (st != GM_OK) {
        return gm_cli_fail_text(cli, GM_EXIT_USAGE, "%s (gemel %s --help tells more)", err.text, verb->name);
    }
    if (args.help) return print_help(cli, verb);
    return verb->run(cli, &args);
}

// ---- help, the verb -------------------------------------------------------------------------------------------------

enum { HELP_FORMAT };
static const gm_option help_options[] = {
    [HELP_FORMAT] = { "format", GM_OPTION_TEXT, "FORMAT", "text", "text; or markdown or man for the whole manual" },
};
static const gm_operand help_operands[] = {
    { "VERB", "the verb to tell about; without it: all of them in short", .optional = true, .repeats = true },
};

static gm_exit run_help(const gm_cli *cli, const gm_args *args)
{
    const char *format = gm_args_text(args, HELP_FORMAT);
    gm_buf      text   = gm_buf_init(cli->alloc);
    if (strcmp(format, "markdown") == 0) {
        gm_help_markdown(&text);
        return print(cli, &text);
    }
    if (strcmp(format, "man") == 0) {
        gm_help_man(&text);
        return print(cli, &text);
    }
    if (strcmp(format, "text") != 0) {
        return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--format is text, markdown or man, not '%.60s'", format);
    }
    if (args->operand_count == 0) return print_help(cli, NULL);

    // "help model explain" names the verb in as many words as it has.
    enum { WORDS_MAX = 4 };
    char *words[WORDS_MAX];
    int   n = 0, used;
    for (size_t i = 0; i < args->operand_count && n < WORDS_MAX; i++) {
        gm_str copy = gm_arena_str(cli->arena, gm_str_of(args->operands[i]));
        if (copy.ptr == NULL) return gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
        words[n++] = (char *)(uintptr_t)copy.ptr;
    }
    const gm_verb *verb = find_verb(n, words, &used);
    return verb != NULL ? print_help(cli, verb) : unknown_verb(cli, words[0]);
}

const gm_verb gm_verb_help = {
    .name     = "help",
    .summary  = "tell about a verb",
    .examples = "gemel help history\ngemel help --format man | man -l -",
    .syntax   = GM_SYNTAX(help_options, help_operands),
    .run      = run_help,
};
