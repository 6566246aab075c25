// gemel command: asks a device to do something, and follows what becomes of it. gemel audit verify: were decisions altered?
#include "cli/client.h"
#include "cli/verbs.h"
#include "control/journal.h"
#include "engine/checkpoint.h"
#include "control/json.h"

#include <time.h>

enum { OPT_HTTP, OPT_WAIT, OPT_JSON };
static const gm_option options[] = {
    [OPT_HTTP] = GM_CLIENT_HTTP,
    [OPT_WAIT] = { "wait", GM_OPTION_DURATION, "TIME", "10s", "how long to wait for its end" },
    [OPT_JSON] = { "json", GM_OPTION_FLAG, NULL, NULL, "print the server's answer as JSON" },
};
static const gm_operand operands[] = {
    { "TWIN", "the twin whose device is meant" }, { "NAME", "the command" }, { "JSON", "its value", .optional = true },
};

static bool is_over(gm_str state)
{
    static const char *const over[] = { "closed", "failed", "timed out", "rolled back", "refused", "advised", "waiting" };
    for (size_t i = 0; i < GM_COUNT_OF(over); i++) {
        if (gm_str_is(state, over[i])) return true;
    }
    return false;
}

// Asks until it is over, or the time is.
static gm_exit follow(const gm_cli *cli, gm_http *http, const char *id, gm_dur_ns wait, gm_http_answer *answer)
{
    const char *path  = GM_CLIENT_PATH(cli->arena, "/v1/commands/", id);
    gm_dur_ns   until = gm_monotonic(cli->clock) + wait;
    gm_exit     code  = GM_EXIT_OK;
    while (code == GM_EXIT_OK && !is_over(gm_json_text(answer->body, "state")) && gm_monotonic(cli->clock) < until) {
        struct timespec pause = { .tv_nsec = 50 * GM_MILLISECOND };
        nanosleep(&pause, NULL);
        gm_http_answer_finish(answer);
        code = gm_client_ask(cli, http, "GET", path, NULL, NULL, answer);
    }
    return code;
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    gm_http       *http = NULL;
    gm_http_answer answer;
    gm_buf         body  = gm_buf_init(cli->alloc);
    const char    *value = gm_args_operand(args, 2);
    json_t        *json  = value != NULL ? json_loads(value, JSON_DECODE_ANY, NULL) : NULL;
    if (value != NULL && json == NULL) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "the value is no JSON: %.80s", value);
    json_decref(json);
    gm_buf_text(&body, "{\"twin\":");
    gm_buf_json_str(&body, gm_str_of(gm_args_operand(args, 0)));
    gm_json_member(&body, "command", gm_str_of(gm_args_operand(args, 1)));
    if (value != NULL) gm_buf_printf(&body, ",\"value\":%s", value);
    gm_buf_add(&body, "}", 2);
    gm_exit code = body.failed ? gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory") : gm_client_open(cli, args, OPT_HTTP, &http);
    if (code == GM_EXIT_OK) code = gm_client_ask(cli, http, "POST", "/v1/commands", "application/json", (const char *)body.ptr, &answer);
    gm_buf_finish(&body);
    if (code == GM_EXIT_OK) {
        gm_str id = gm_arena_str(cli->arena, gm_json_text(answer.body, "id"));
        code      = id.ptr != NULL ? follow(cli, http, id.ptr, gm_args_duration(args, OPT_WAIT), &answer) : GM_EXIT_SYSTEM;
    }
    if (code == GM_EXIT_OK) {
        gm_str state = gm_json_text(answer.body, "state"), reason = gm_json_text(answer.body, "reason");
        if (gm_args_given(args, OPT_JSON)) fprintf(cli->out, "%.*s\n", (int)answer.text.len, (const char *)answer.text.ptr);
        else fprintf(cli->out, GM_STR_FMT "%s" GM_STR_FMT "\n", GM_STR_ARG(state), reason.len > 0 ? ": " : "", GM_STR_ARG(reason));
        if (!gm_str_is(state, "closed")) code = GM_EXIT_NO;
        gm_http_answer_finish(&answer);
    }
    gm_http_close(http);
    return code;
}

const gm_verb gm_verb_command = {
    .name     = "command",
    .summary  = "command a device, through its interlocks",
    .text     = "The command is checked against its model, the limits of rules/*.rules and every interlock, sent, and followed until its effect "
                "is measured. Exit code 0: closed. 1: refused, failed, not over in time, or waiting for somebody else to approve it.",
    .examples = "gemel command valve setOpening 0.5\ngemel command pump1 setSpeed 0.9 --wait 30s",
    .syntax   = GM_SYNTAX(options, operands),
    .run      = run,
};

// ---- gemel audit verify -------------------------------------------------------------------------------------------

enum { AUDIT_HEAD };
static const gm_option audit_options[] = {
    [AUDIT_HEAD] = { "head", GM_OPTION_TEXT, "HASH", NULL, "a head that was printed before: some decision must have it" },
};
static const gm_operand audit_operands[] = { { "DATA", "the data directory of a plant that is not being served" } };

typedef struct auditing { gm_audit_check check; gm_str wanted; bool found; } auditing;

static gm_status audit_record(void *context, const gm_record *record, gm_error *err)
{
    auditing *a = context;
    gm_change change;
    char      text[GM_CHAIN_TEXT];
    gm_status st = gm_change_decode(record->kind, record->payload, record->size, &change, err);
    if (st != GM_OK || !gm_journal_is(change.kind)) return st;
    gm_audit_check_add(&a->check, record, &change);
    gm_chain_text(&a->check.head, text);
    if (a->wanted.len > 0 && a->check.broken == 0 && gm_str_is(a->wanted, text)) a->found = true;
    return GM_OK;
}

static gm_exit audit(const gm_cli *cli, const gm_args *args)
{
    gm_error       err    = { 0 };
    gm_engine     *engine = NULL;
    auditing       a      = { .wanted = gm_str_of(gm_args_given(args, AUDIT_HEAD) ? gm_args_text(args, AUDIT_HEAD) : "") };
    gm_engine_options o   = { .alloc = cli->alloc, .io = cli->io, .clock = cli->clock, .data_dir = gm_args_operand(args, 0), .log = gm_log_options_defaults(), .partial = true };
    gm_status      st     = gm_engine_open(&o, &engine, &err);
    if (st == GM_OK) st = gm_engine_recover(engine, &err);
    if (st == GM_OK) {
        // From its beginning; where checkpoints have let that go, from the newest one on.
        st = gm_log_replay(gm_engine_log(engine), 0, audit_record, &a, &err);
        if (st == GM_NOTFOUND) st = gm_log_replay(gm_engine_log(engine), gm_engine_checkpoint_report(engine).sequence, audit_record, &a, &err);
    }
    gm_engine_close(engine);
    if (st != GM_OK) return gm_cli_fail(cli, &err);
    char head[GM_CHAIN_TEXT];
    gm_chain_text(&a.check.head, head);
    if (a.check.broken != 0) {
        fprintf(cli->out, "altered: record %llu: " GM_STR_FMT "\n", (unsigned long long)a.check.broken, GM_STR_ARG(a.check.why));
        return GM_EXIT_NO;
    }
    if (a.wanted.len > 0 && !a.found) {
        fprintf(cli->out, "altered: no decision has the head %.64s\n", a.wanted.ptr);
        return GM_EXIT_NO;
    }
    fprintf(cli->out, "%llu decisions, records %llu to %llu, none altered\nhead %s\n", (unsigned long long)a.check.count, (unsigned long long)a.check.first,
            (unsigned long long)a.check.last, head);
    return GM_EXIT_OK;
}

const gm_verb gm_verb_audit_verify = {
    .name     = "audit verify",
    .summary  = "prove that no decision in the log was altered",
    .text     = "Every decision holds the SHA-256 of the one before. Keep the head that is printed elsewhere: with --head the whole log can not "
                "have been written anew since.",
    .examples = "gemel audit verify examples/pumphouse/data",
    .syntax   = GM_SYNTAX(audit_options, audit_operands),
    .run      = audit,
};
