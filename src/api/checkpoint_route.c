// POST /v1/checkpoint: writes a checkpoint now, and with "copyTo" a copy of all data beside it: a backup.
#include "api/routes.h"
#include "engine/checkpoint.h"

static void after_checkpoint(gm_request *request)
{
    gm_checkpoint_report report = gm_engine_checkpoint_report(request->engine);
    gm_buf_printf(&request->out, "{\"sequence\":%llu,\"bytes\":%llu}", (unsigned long long)report.sequence,
                  (unsigned long long)report.bytes);
    gm_reply_json(request, 200);
}

void gm_route_checkpoint(gm_request *request)
{
    const json_t *body = gm_request_json(request);
    if (body == NULL) return;
    const json_t *to   = json_object_get(body, "copyTo");
    const char   *path = json_string_value(to);
    if (!json_is_object(body) || (to != NULL && (path == NULL || path[0] != '/' || json_string_length(to) > 1000))) {
        gm_reply_error(request, 400, "InvalidArgument",
                       "The body is an object; 'copyTo' is the absolute path of a directory on the server that does not exist yet.");
        return;
    }
    gm_error err = { 0 };
    gm_ask   ask = gm_request_ask(request, after_checkpoint);
    gm_request_submitted(request, gm_engine_checkpoint(request->engine, path, ask, &err), &err);
}
