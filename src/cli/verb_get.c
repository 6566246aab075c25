// get: a twin's values now. set: changes some of its properties.
#include "cli/client.h"
#include "cli/table.h"
#include "cli/verbs.h"

#include <stdlib.h>

enum { GET_HTTP, GET_JSON };
static const gm_option get_options[] = {
    [GET_HTTP] = GM_CLIENT_HTTP,
    [GET_JSON] = { "json", GM_OPTION_FLAG, NULL, NULL, "print the twin's document (or the value alone) as JSON" },
};
static const gm_operand get_operands[] = {
    { "TWIN", "the twin's id" },
    { "PROPERTY", "one value alone: a name, or a path such as motor/temperature", .optional = true },
};

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static gm_exit print_twin(const gm_cli *cli, const json_t *twin)
{
    gm_buf         out = gm_buf_init(cli->alloc), value = gm_buf_init(cli->alloc);
    gm_table_text *table  = gm_table_text_create(cli->arena, 4);
    const gm_str   head[] = { GM_STR("PROPERTY"), GM_STR("VALUE"), GM_STR("UNIT"), GM_STR("AGE") };
    gm_time_ns     now    = gm_now(cli->clock);
    gm_buf_printf(&out, "%s (%s)\n", text_of(twin, "id"), text_of(twin, "model"));
    const json_t *values = json_object_get(twin, "values");
    gm_table_text_add(table, head);
    for (size_t i = 0; i < json_array_size(values); i++) {
        const json_t *v = json_array_get(values, i);
        gm_time_ns    at;
        char          age[GM_AGE_TEXT] = "";
        if (gm_time_parse(gm_str_of(text_of(v, "sourceTime")), &at, NULL) == GM_OK) gm_age_text(now - at, age);
        gm_buf_clear(&value);
        gm_client_write_value(json_object_get(v, "value"), &value);
        const char *unit    = text_of(v, "symbol")[0] != '\0' ? text_of(v, "symbol") : text_of(v, "unit");
        gm_str      cells[] = { gm_str_of(text_of(v, "path")), gm_buf_view(&value), gm_str_of(unit), gm_str_of(age) };
        gm_table_text_add(table, cells);
    }
    gm_table_text_write(table, &out);
    static const char *const ways[][3] = { { "out", "target", "->" }, { "in", "source", "<-" } };
    for (size_t w = 0; w < 2; w++) {
        const json_t *edges = json_object_get(json_object_get(twin, "relationships"), ways[w][0]);
        for (size_t i = 0; i < json_array_size(edges); i++) {
            const json_t *edge = json_array_get(edges, i);
            gm_buf_printf(&out, "%s %s %s\n", ways[w][2], text_of(edge, "name"), text_of(edge, ways[w][1]));
        }
    }
    gm_buf_finish(&value);
    return gm_client_print(cli, &out);
}

static gm_exit print_value(const gm_cli *cli, const json_t *twin, const char *property, bool json)
{
    const json_t *values = json_object_get(twin, "values");
    for (size_t i = 0; i < json_array_size(values); i++) {
        const json_t *v     = json_array_get(values, i);
        const json_t *value = json_object_get(v, "value");
        if (strcmp(text_of(v, "path"), property) != 0) continue;
        if (json_is_null(value))
            return gm_cli_fail_text(cli, GM_EXIT_NO, "'%s' of '%s' has no value yet", property, text_of(twin, "id"));
        gm_buf out = gm_buf_init(cli->alloc);
        if (json) {
            char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
            if (text == NULL) out.failed = true;
            else gm_buf_text(&out, text);
            free(text);
        } else {
            gm_client_write_value(value, &out);
        }
        gm_buf_byte(&out, '\n');
        return gm_client_print(cli, &out);
    }
    return gm_cli_fail_text(cli, GM_EXIT_NO, "twin '%s' has no property '%s'; 'gemel get %s' lists them",
                            text_of(twin, "id"), property, text_of(twin, "id"));
}

static gm_exit run_get(const gm_cli *cli, const gm_args *args)
{
    const char *id = gm_args_operand(args, 0), *property = gm_args_operand(args, 1);
    bool        json = gm_args_given(args, GET_JSON);
    gm_http    *http = NULL;
    gm_exit     code = gm_client_open(cli, args, GET_HTTP, &http);
    if (code != GM_EXIT_OK) return code;
    gm_http_answer answer;
    const char *path = json && property == NULL ? GM_CLIENT_PATH(cli->arena, "/digitaltwins/", id, "?" GM_API_VERSION)
                                                : GM_CLIENT_PATH(cli->arena, "/v1/twins/", id);
    code = gm_client_ask(cli, http, "GET", path, NULL, NULL, &answer);
    if (code == GM_EXIT_OK) {
        if (property != NULL) code = print_value(cli, answer.body, property, json);
        else if (!json) code = print_twin(cli, answer.body);
        else fprintf(cli->out, GM_STR_FMT "\n", (int)answer.text.len, (const char *)answer.text.ptr);
        gm_http_answer_finish(&answer);
    }
    gm_http_close(http);
    return code;
}

const gm_verb gm_verb_get = {
    .name     = "get",
    .summary  = "print a twin as it is now, or one of its values",
    .examples = "gemel get engine-001\ngemel get engine-001 T24\ngemel get engine-001 --json | jq .T24",
    .syntax   = GM_SYNTAX(get_options, get_operands),
    .run      = run_get,
};

// ---- set ------------------------------------------------------------------------------------------------------------

enum { SET_HTTP, SET_REMOVE };
static const gm_option set_options[] = {
    [SET_HTTP]   = GM_CLIENT_HTTP,
    [SET_REMOVE] = { "remove", GM_OPTION_TEXT, "NAME", NULL, "take a property's value away", .repeats = true },
};
static const gm_operand set_operands[] = {
    { "TWIN", "the twin's id" },
    { "NAME=VALUE", "a property, or a path such as motor/speed, and its value as JSON; what is no JSON is a text",
      .optional = true, .repeats = true },
};

// A property's path as a JSON pointer (RFC 6901); '/' in the path separates, '~' is escaped.
static bool add_operation(json_t *patch, const char *op, gm_str path, json_t *value)
{
    gm_buf pointer = gm_buf_init(gm_alloc_system());
    gm_buf_byte(&pointer, '/');
    for (size_t i = 0; i < path.len; i++) {
        if (path.ptr[i] == '~') gm_buf_text(&pointer, "~0");
        else gm_buf_byte(&pointer, (uint8_t)path.ptr[i]);
    }
    gm_buf_byte(&pointer, 0);
    json_t *operation = pointer.failed ? NULL : json_pack("{s:s, s:s}", "op", op, "path", (const char *)pointer.ptr);
    gm_buf_finish(&pointer);
    bool good = operation != NULL && (value == NULL || json_object_set_new(operation, "value", value) == 0);
    return json_array_append_new(patch, operation) == 0 && good;
}

static gm_exit build_patch(const gm_cli *cli, const gm_args *args, json_t *patch)
{
    for (size_t i = 1; i < args->operand_count; i++) {
        gm_str word   = gm_str_of(args->operands[i]);
        size_t equals = gm_str_find_char(word, '=');
        if (equals == SIZE_MAX || equals == 0) {
            return gm_cli_fail_text(cli, GM_EXIT_USAGE, "'%.80s' is not NAME=VALUE", args->operands[i]);
        }
        gm_str  text  = gm_str_slice(word, equals + 1, word.len);
        json_t *value = json_loadb(text.ptr, text.len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
        if (value == NULL) value = json_stringn(text.ptr, text.len);
        if (value == NULL || !add_operation(patch, "add", gm_str_slice(word, 0, equals), value)) {
            return gm_cli_fail_text(cli, GM_EXIT_USAGE, "'%.80s' is not valid UTF-8", args->operands[i]);
        }
    }
    for (size_t i = 0; i < args->value_counts[SET_REMOVE]; i++) {
        if (!add_operation(patch, "remove", gm_str_of(args->values[SET_REMOVE][i]), NULL)) {
            return gm_cli_fail_text(cli, GM_EXIT_USAGE, "'%.80s' is not valid UTF-8", args->values[SET_REMOVE][i]);
        }
    }
    if (json_array_size(patch) > 0) return GM_EXIT_OK;
    return gm_cli_fail_text(cli, GM_EXIT_USAGE, "nothing to set; write gemel set %.60s NAME=VALUE",
                            gm_args_operand(args, 0));
}

static gm_exit run_set(const gm_cli *cli, const gm_args *args)
{
    gm_http *http  = NULL;
    json_t  *patch = json_array();
    gm_exit  code  = build_patch(cli, args, patch);
    if (code == GM_EXIT_OK) code = gm_client_open(cli, args, SET_HTTP, &http);
    if (code == GM_EXIT_OK) {
        gm_http_answer answer;
        char          *body = json_dumps(patch, JSON_COMPACT);
        code                = body == NULL ? gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory")
                                           : gm_client_ask(cli, http, "PATCH",
                                                           GM_CLIENT_PATH(cli->arena, "/digitaltwins/", gm_args_operand(args, 0),
                                                                          "?" GM_API_VERSION),
                                                           "application/json-patch+json", body, &answer);
        if (code == GM_EXIT_OK) gm_http_answer_finish(&answer);
        free(body);
    }
    json_decref(patch);
    gm_http_close(http);
    return code;
}

const gm_verb gm_verb_set = {
    .name     = "set",
    .summary  = "change properties of a twin",
    .text     = "All changes are made together or not at all. Exit code 0 means that they are durable.",
    .examples = "gemel set pump7 speed=0.8 mode=auto\ngemel set room1 'address={\"street\":\"Main\"}' --remove note",
    .syntax   = GM_SYNTAX(set_options, set_operands),
    .run      = run_set,
};
