#include "cli/futures_ask.h"

#include "cli/client.h"
#include "cli/progress.h"

#include <stdlib.h>

typedef struct follower { gm_progress progress; bool ended; } follower;

static bool follow(void *context, gm_str event, gm_str data)
{
    follower *f    = context;
    json_t   *body = json_loadb(data.ptr, data.len, 0, NULL);
    if (gm_str_is(event, "progress"))
        gm_progress_set(&f->progress, (uint64_t)(1000 * json_number_value(json_object_get(body, "progress"))));
    f->ended = gm_str_is(event, "done") || gm_str_is(event, "failed") || gm_str_is(event, "cancelled");
    json_decref(body);
    return !f->ended;
}

// A large job: its events until it ends, then its result.
static gm_exit wait_for(const gm_cli *cli, gm_http *http, const char *what, gm_http_answer *answer)
{
    follower    f    = { 0 };
    gm_error    err  = { 0 };
    const char *id   = json_string_value(json_object_get(answer->body, "id"));
    const char *path = GM_CLIENT_PATH(cli->arena, "/v1/futures/", id != NULL ? id : "");
    gm_str      stream = gm_arena_printf(cli->arena, "%s/stream", path != NULL ? path : "");
    gm_http_answer_finish(answer);
    if (path == NULL || stream.ptr == NULL) return gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    gm_progress_begin(&f.progress, cli->err, cli->terminal, cli->clock, what, "per mille", 1000);
    gm_status st = gm_http_stream(http, stream.ptr, follow, &f, &err);
    gm_progress_end(&f.progress);
    if (st != GM_OK && !f.ended) return gm_client_fail(cli, &err, true);
    return gm_client_ask(cli, http, "GET", path, NULL, NULL, answer);
}

gm_exit gm_futures_ask(const gm_cli *cli, gm_http *http, const json_t *request, const char *what, gm_http_answer *out)
{
    char *body = json_dumps(request, JSON_COMPACT);
    if (body == NULL) return gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    gm_exit code = gm_client_ask(cli, http, "POST", "/v1/futures", "application/json", body, out);
    free(body);
    return code == GM_EXIT_OK && out->code == 202 ? wait_for(cli, http, what, out) : code;
}
