#include "cli/client.h"

#include "base/percent.h"

#include <stdlib.h>

gm_status gm_client_address(const gm_args *args, size_t option, const char *variable, const char *usual,
                            const char **out_address, gm_error *err)
{
    const char *given = gm_args_text(args, option), *set = getenv(variable);
    *out_address      = given != NULL ? given : set != NULL && set[0] != '\0' ? set : usual;
    if (given != NULL || *out_address == usual) return GM_OK;
    return gm_option_check(GM_OPTION_ADDRESS, variable, gm_str_of(set), err);
}

gm_exit gm_client_fail(const gm_cli *cli, const gm_error *err, bool transport)
{
    if (transport && err->status == GM_NOTFOUND) return gm_cli_fail_text(cli, GM_EXIT_UNREACHABLE, "%s", err->text);
    return gm_cli_fail(cli, err);
}

gm_exit gm_client_open(const gm_cli *cli, const gm_args *args, size_t http_option, gm_http **out_http)
{
    gm_error    err = {0};
    const char *address;
    gm_status   st = gm_client_address(args, http_option, "GEMEL_HTTP", "127.0.0.1:8080", &address, &err);
    if (st != GM_OK) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "%s", err.text);
    st = gm_http_open(cli->alloc, address, out_http, &err);
    return st == GM_OK ? GM_EXIT_OK : gm_cli_fail(cli, &err);
}

gm_exit gm_client_ask(const gm_cli *cli, gm_http *http, const char *method, const char *path, const char *content_type,
                      const char *body, gm_http_answer *out_answer)
{
    gm_error err = {0};
    if (path == NULL) return gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    gm_status st   = gm_http_request(http, method, path, content_type, body, out_answer, &err);
    gm_exit   code = GM_EXIT_OK;
    if (st != GM_OK) {
        code = gm_client_fail(cli, &err, true);
    } else if (out_answer->code < 200 || out_answer->code > 299) {
        gm_http_refusal(out_answer, &err);
        code = gm_client_fail(cli, &err, false);
    }
    if (code != GM_EXIT_OK) gm_http_answer_finish(out_answer);
    return code;
}

gm_exit gm_client_ask_all(const gm_cli *cli, gm_http *http, const char *path, const char *list, size_t most, json_t **out_whole)
{
    json_t *whole = NULL, *all = NULL;
    gm_exit code  = GM_EXIT_OK;
    while (path != NULL && code == GM_EXIT_OK && (most == 0 || json_array_size(all) < most)) {
        gm_http_answer answer;
        code = gm_client_ask(cli, http, "GET", path, NULL, NULL, &answer);
        if (code != GM_EXIT_OK) break;
        const char *next = json_string_value(json_object_get(answer.body, "nextLink"));
        path             = next != NULL ? gm_arena_str(cli->arena, gm_str_of(next)).ptr : NULL;
        if (whole == NULL) {
            whole = json_incref(answer.body);
            all   = json_object_get(whole, list);
        } else if (json_array_extend(all, json_object_get(answer.body, list)) != 0) code = gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
        gm_http_answer_finish(&answer);
    }
    json_object_del(whole, "nextLink");
    while (most > 0 && json_array_size(all) > most) (void)json_array_remove(all, json_array_size(all) - 1);
    if (code != GM_EXIT_OK) {
        json_decref(whole);
        whole = NULL;
    }
    *out_whole = whole;
    return code;
}

gm_exit gm_client_show(const gm_cli *cli, const gm_args *args, const char *path, const gm_client_view *view)
{
    gm_http_answer answer;
    gm_http       *http = NULL;
    gm_exit        code = gm_client_open(cli, args, view->http_option, &http);
    if (code != GM_EXIT_OK) return code;
    code = gm_client_ask(cli, http, "GET", path, NULL, NULL, &answer);
    if (code == GM_EXIT_OK) {
        if (gm_args_given(args, view->json_option))
            fprintf(cli->out, GM_STR_FMT "\n", (int)answer.text.len, (const char *)answer.text.ptr);
        else code = view->print(cli, answer.body, view->context);
        gm_http_answer_finish(&answer);
    }
    gm_http_close(http);
    return code;
}

const char *gm_client_path(gm_arena *arena, const char *const *parts, size_t n)
{
    gm_buf path = gm_buf_init(gm_alloc_system());
    for (size_t i = 0; i < n; i++) {
        if (i % 2 == 1) gm_percent_encode(&path, gm_str_of(parts[i]));
        else gm_buf_text(&path, parts[i]);
    }
    gm_str kept = path.failed ? (gm_str){0} : gm_arena_str(arena, gm_buf_view(&path));
    gm_buf_finish(&path);
    return kept.ptr;
}

void gm_client_write_value(const json_t *value, gm_buf *out)
{
    if (value == NULL || json_is_null(value)) {
        gm_buf_text(out, "-");
        return;
    }
    if (json_is_string(value)) {
        gm_buf_add(out, json_string_value(value), json_string_length(value));
        return;
    }
    // 15 digits are what a person may read; --json gives all of them.
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    if (text == NULL) out->failed = true;
    else gm_buf_text(out, text);
    free(text);
}

gm_exit gm_client_print(const gm_cli *cli, gm_buf *text)
{
    gm_exit code = text->failed ? gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory") : GM_EXIT_OK;
    if (code == GM_EXIT_OK) fwrite(text->ptr, 1, text->len, cli->out);
    gm_buf_finish(text);
    return code;
}

const char *gm_age_text(gm_dur_ns age, char out[GM_AGE_TEXT])
{
    const char *before = age < 0 ? "in " : "";
    gm_dur_ns   length = age < 0 ? -age : age;
    if (length < GM_SECOND) snprintf(out, GM_AGE_TEXT, "%s%d ms", before, (int)(length / GM_MILLISECOND));
    else if (length < 2 * GM_MINUTE) snprintf(out, GM_AGE_TEXT, "%s%d s", before, (int)(length / GM_SECOND));
    else if (length < 2 * GM_HOUR) snprintf(out, GM_AGE_TEXT, "%s%d min", before, (int)(length / GM_MINUTE));
    else if (length < 2 * GM_DAY) snprintf(out, GM_AGE_TEXT, "%s%d h", before, (int)(length / GM_HOUR));
    else snprintf(out, GM_AGE_TEXT, "%s%lld d", before, (long long)(length / GM_DAY));
    return out;
}

gm_str gm_client_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return gm_str_of(text != NULL ? text : "");
}

double gm_client_number(const json_t *object, const char *key) { return json_number_value(json_object_get(object, key)); }
