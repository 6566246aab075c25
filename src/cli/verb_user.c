// gemel user add, list, revoke: on the files of a plant that is stopped, or through its server.
#include "cli/access_setup.h"
#include "cli/client.h"
#include "cli/table.h"
#include "cli/verbs.h"

#include <stdlib.h>

// ---- the two ways -------------------------------------------------------------------------------------------------

// A plant that nobody serves: its log is opened, and what is asked for becomes a record of it.
typedef struct stopped {
    gm_plant  *plant;
    gm_file   *lock;
    gm_engine *engine;
    gm_access *access;
} stopped;

static void close_stopped(const gm_cli *cli, stopped *s)
{
    gm_engine_close(s->engine);
    gm_access_destroy(s->access);
    cli->io->close(s->lock);
    gm_plant_destroy(s->plant);
    *s = (stopped){ 0 };
}

// GM_CONFLICT: it is being served.
static gm_status open_stopped(const gm_cli *cli, const char *folder, const char *data, stopped *s, gm_error *err)
{
    gm_str    directory;
    gm_status st = gm_plant_read(cli->io, folder, &s->plant, err);
    if (st == GM_OK) st = gm_plant_path(s->plant, data, GM_CONFIG_DATA, cli->arena, &directory, err);
    if (st == GM_OK) st = gm_data_lock(cli->io, directory, cli->arena, &s->lock, err);
    if (st != GM_OK) return st;
    gm_engine_options o = { .alloc = cli->alloc, .io = cli->io, .clock = cli->clock, .data_dir = directory.ptr,
                            .log = gm_log_options_defaults(), .partial = true };
    st = gm_engine_open(&o, &s->engine, err);
    if (st == GM_OK) st = gm_access_setup(cli->alloc, cli->io, cli->clock, s->engine, s->plant, cli->arena, &s->access, err);
    return st == GM_OK ? gm_engine_recover(s->engine, err) : st;
}

typedef struct outcome { gm_status status; gm_error error; } outcome;

static void on_done(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    (void)token;
    outcome *o = context;
    o->status  = status;
    if (err != NULL) o->error = *err;
}

// Waits for what was submitted; what came of it.
static gm_status settle(stopped *s, gm_status submitted, outcome *o, gm_error *err)
{
    if (submitted != GM_OK) return submitted;
    gm_status st = gm_engine_settle(s->engine, err);
    if (st == GM_OK && o->status != GM_OK) *err = o->error;
    return st != GM_OK ? st : o->status;
}

// ---- add ----------------------------------------------------------------------------------------------------------

enum { ADD_ROLE, ADD_SCOPE, ADD_QUERY, ADD_RATE, ADD_DATA, ADD_HTTP };
static const gm_option add_options[] = {
    [ADD_ROLE]  = { "role", GM_OPTION_TEXT, "ROLE", "reader", "reader, operator, engineer or admin" },
    [ADD_SCOPE] = { "scope", GM_OPTION_TEXT, "TWIN", NULL, "only this twin and those under it; may be repeated", .repeats = true },
    [ADD_QUERY] = { "scope-query", GM_OPTION_TEXT, "QUERY", NULL, "only the twins that the query selects" },
    [ADD_RATE]  = { "rate", GM_OPTION_COUNT, "N", "0", "requests per second; 0: as gemel.conf says" },
    [ADD_DATA]  = { "data", GM_OPTION_TEXT, "DIR", NULL, "gemel's own files (gemel.conf: data, else PLANT/data)" },
    [ADD_HTTP]  = GM_CLIENT_HTTP,
};
static const gm_operand add_operands[] = {
    { "PLANT", "the plant's folder" },
    { "NAME", "what the user is called" },
};

static gm_status read_user(const gm_args *args, gm_user *out_user, gm_error *err)
{
    *out_user = (gm_user){ .name  = gm_str_of(gm_args_operand(args, 1)),
                           .right = gm_right_of_role(gm_str_of(gm_args_text(args, ADD_ROLE))),
                           .query = gm_str_of(gm_args_text(args, ADD_QUERY)),
                           .rate  = (uint32_t)gm_args_count(args, ADD_RATE) };
    size_t n  = args->value_counts[ADD_SCOPE];
    if (n > GM_USER_SCOPES_MAX) return gm_fail(err, GM_INVALID, "cli.user", "at most %d twins in a scope", GM_USER_SCOPES_MAX);
    for (size_t i = 0; i < n; i++) out_user->scopes[out_user->scope_count++] = gm_str_of(args->values[ADD_SCOPE][i]);
    return GM_OK;
}

static gm_exit print_token(const gm_cli *cli, const char *name, const char *token)
{
    fprintf(cli->err, "gemel: the token of %s; it is shown this once:\n", name);
    fprintf(cli->out, "%s\n", token);
    return GM_EXIT_OK;
}

static gm_exit add_through_server(const gm_cli *cli, const gm_args *args, const gm_user *user)
{
    gm_http_answer answer;
    gm_http       *http;
    json_t        *scope = json_array(), *body = json_object();
    for (size_t i = 0; i < user->scope_count; i++) json_array_append_new(scope, json_stringn(user->scopes[i].ptr, user->scopes[i].len));
    json_object_set_new(body, "name", json_stringn(user->name.ptr, user->name.len));
    json_object_set_new(body, "role", json_string(gm_args_text(args, ADD_ROLE)));
    json_object_set_new(body, "rate", json_integer(user->rate));
    if (user->scope_count > 0) json_object_set(body, "scope", scope);
    if (user->query.len > 0) json_object_set_new(body, "query", json_stringn(user->query.ptr, user->query.len));
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(scope);
    json_decref(body);
    gm_exit code = text != NULL ? gm_client_open(cli, args, ADD_HTTP, &http) : gm_cli_fail_text(cli, GM_EXIT_NO, "a name is valid UTF-8");
    if (code == GM_EXIT_OK) {
        code = gm_client_ask(cli, http, "POST", "/v1/users", "application/json", text, &answer);
        if (code == GM_EXIT_OK) {
            const char *token = json_string_value(json_object_get(answer.body, "token"));
            code = token != NULL ? print_token(cli, gm_args_operand(args, 1), token)
                                 : gm_cli_fail_text(cli, GM_EXIT_NO, "the server's answer holds no token");
            gm_http_answer_finish(&answer);
        }
        gm_http_close(http);
    }
    free(text);
    return code;
}

static gm_exit run_add(const gm_cli *cli, const gm_args *args)
{
    stopped   s    = { 0 };
    gm_error  err  = { 0 };
    outcome   done = { .status = GM_CANCELLED };
    gm_user   user;
    char      token[GM_TOKEN_TEXT + 1];
    gm_status st = read_user(args, &user, &err);
    if (st == GM_OK) st = open_stopped(cli, gm_args_operand(args, 0), gm_args_text(args, ADD_DATA), &s, &err);
    if (st == GM_CONFLICT && s.lock == NULL) {
        close_stopped(cli, &s);
        return add_through_server(cli, args, &user);
    }
    if (st == GM_OK) st = settle(&s, gm_access_add_user(s.access, &user, token, (gm_ask){ on_done, &done, 0 }, &err), &done, &err);
    close_stopped(cli, &s);
    return st == GM_OK ? print_token(cli, gm_args_operand(args, 1), token) : gm_cli_fail(cli, &err);
}

// ---- revoke -------------------------------------------------------------------------------------------------------

enum { REVOKE_DATA, REVOKE_HTTP };
static const gm_option revoke_options[] = {
    [REVOKE_DATA] = { "data", GM_OPTION_TEXT, "DIR", NULL, "gemel's own files (gemel.conf: data, else PLANT/data)" },
    [REVOKE_HTTP] = GM_CLIENT_HTTP,
};

static gm_exit revoke_through_server(const gm_cli *cli, const gm_args *args)
{
    gm_http_answer answer;
    gm_http       *http;
    gm_exit        code = gm_client_open(cli, args, REVOKE_HTTP, &http);
    if (code != GM_EXIT_OK) return code;
    const char *path = GM_CLIENT_PATH(cli->arena, "/v1/users/", gm_args_operand(args, 1));
    code             = gm_client_ask(cli, http, "DELETE", path, NULL, NULL, &answer);
    if (code == GM_EXIT_OK) gm_http_answer_finish(&answer);
    gm_http_close(http);
    return code;
}

static gm_exit run_revoke(const gm_cli *cli, const gm_args *args)
{
    stopped   s    = { 0 };
    gm_error  err  = { 0 };
    outcome   done = { .status = GM_CANCELLED };
    gm_status st   = open_stopped(cli, gm_args_operand(args, 0), gm_args_text(args, REVOKE_DATA), &s, &err);
    if (st == GM_CONFLICT && s.lock == NULL) {
        close_stopped(cli, &s);
        return revoke_through_server(cli, args);
    }
    if (st == GM_OK) {
        st = settle(&s, gm_access_revoke(s.access, gm_str_of(gm_args_operand(args, 1)), (gm_ask){ on_done, &done, 0 }, &err), &done, &err);
    }
    close_stopped(cli, &s);
    return st == GM_OK ? GM_EXIT_OK : gm_cli_fail(cli, &err);
}

// ---- list ---------------------------------------------------------------------------------------------------------

static const gm_operand list_operands[] = {
    { "PLANT", "the plant's folder" },
};

static void write_user(gm_buf *out, const gm_user *user)
{
    char since[GM_TIME_TEXT];
    gm_time_format(user->since, since);
    gm_buf_printf(out, "%-24.*s %-9s %-25s ", GM_STR_ARG(user->name), user->revoked ? "revoked" : gm_right_role(user->right), since);
    for (size_t i = 0; i < user->scope_count; i++) gm_buf_printf(out, "%s" GM_STR_FMT, i > 0 ? "," : "", GM_STR_ARG(user->scopes[i]));
    if (user->query.len > 0) gm_buf_printf(out, "%s" GM_STR_FMT, user->scope_count > 0 ? " and " : "", GM_STR_ARG(user->query));
    if (user->scope_count == 0 && user->query.len == 0) gm_buf_byte(out, '-');
    gm_buf_byte(out, '\n');
}

// The answer of GET /v1/users, item by item as gm_user.
static gm_user user_of(const json_t *item)
{
    const json_t *scope = json_object_get(item, "scope"), *twins = json_object_get(scope, "twins");
    gm_user       user  = { .name  = gm_str_of(json_string_value(json_object_get(item, "name"))),
                            .right = gm_right_of_role(gm_str_of(json_string_value(json_object_get(item, "role")))),
                            .query = gm_str_of(json_string_value(json_object_get(scope, "query"))),
                            .revoked = json_is_true(json_object_get(item, "revoked")) };
    for (size_t i = 0; i < json_array_size(twins) && i < GM_USER_SCOPES_MAX; i++)
        user.scopes[user.scope_count++] = gm_str_of(json_string_value(json_array_get(twins, i)));
    gm_str since = gm_str_of(json_string_value(json_object_get(item, "since")));
    if (gm_time_parse(since, &user.since, NULL) != GM_OK) user.since = 0;
    return user;
}

static gm_exit list_through_server(const gm_cli *cli, const gm_args *args, gm_buf *out)
{
    gm_http_answer answer;
    gm_http       *http;
    gm_exit        code = gm_client_open(cli, args, REVOKE_HTTP, &http);
    if (code != GM_EXIT_OK) return code;
    code = gm_client_ask(cli, http, "GET", "/v1/users", NULL, NULL, &answer);
    if (code == GM_EXIT_OK) {
        size_t  i;
        json_t *item;
        json_array_foreach(json_object_get(answer.body, "items"), i, item) {
            gm_user user = user_of(item);
            write_user(out, &user);
        }
        gm_http_answer_finish(&answer);
    }
    gm_http_close(http);
    return code;
}

static gm_exit run_list(const gm_cli *cli, const gm_args *args)
{
    stopped   s    = { 0 };
    gm_error  err  = { 0 };
    gm_buf    out  = gm_buf_init(cli->alloc);
    gm_exit   code = GM_EXIT_OK;
    gm_status st   = open_stopped(cli, gm_args_operand(args, 0), gm_args_text(args, REVOKE_DATA), &s, &err);
    if (st == GM_CONFLICT && s.lock == NULL) {
        code = list_through_server(cli, args, &out);
    } else if (st == GM_OK) {
        for (size_t i = 0; i < gm_access_user_count(s.access); i++) {
            gm_user user = gm_access_user(s.access, i);
            write_user(&out, &user);
        }
    } else {
        code = gm_cli_fail(cli, &err);
    }
    close_stopped(cli, &s);
    if (code == GM_EXIT_OK) return gm_client_print(cli, &out);
    gm_buf_finish(&out);
    return code;
}

// ---- the verbs ----------------------------------------------------------------------------------------------------

#define TEXT_WAYS "Works on the plant's files while nobody serves it; otherwise asks its server, for which $GEMEL_TOKEN " \
                  "holds an admin's token as soon as access is required."

const gm_verb gm_verb_user_add = {
    .name    = "user add",
    .summary = "let somebody in: prints his token, once",
    .text    = "From the first user on everyone has to show a token, also on this machine, and also after all users were "
               "revoked. A reader sees; an operator also changes properties, reports telemetry and commands; an engineer also "
               "changes twins, relationships and models; an admin also users.\n\n" TEXT_WAYS,
    .examples = "gemel user add plant anna --role admin\ngemel user add plant pump7 --role operator --scope pump7",
    .syntax   = GM_SYNTAX(add_options, add_operands),
    .run      = run_add,
};

const gm_verb gm_verb_user_list = {
    .name    = "user list",
    .summary = "show who may enter",
    .text    = TEXT_WAYS,
    .syntax  = GM_SYNTAX(revoke_options, list_operands),
    .run     = run_list,
};

const gm_verb gm_verb_user_revoke = {
    .name    = "user revoke",
    .summary = "end somebody's access, at once",
    .text    = "His token counts no more, his event streams and MQTT connections end.\n\n" TEXT_WAYS,
    .syntax  = GM_SYNTAX(revoke_options, add_operands),
    .run     = run_revoke,
};
