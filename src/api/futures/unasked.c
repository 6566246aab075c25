// Futures that no client has asked for: the request is made here, and what would have been replied is the error.
#include "api/futures/forecasts.h"

#include <stdio.h>

static gm_status refused(const gm_request *request, gm_error *err)
{
    json_t       *body  = json_loadb((const char *)request->out.ptr, request->out.len, 0, NULL);
    const json_t *error = json_object_get(body, "error");
    const char   *text  = json_string_value(json_object_get(error, "message"));
    gm_status     st    = gm_fail(err, request->status == 503 ? GM_LIMIT : GM_INVALID, "api.futures", "%.190s", text != NULL ? text : "the futures can not be started");
    json_decref(body);
    return st;
}

gm_status gm_api_start_futures(gm_api *api, gm_str text, char out_id[GM_API_FUTURES_ID], gm_error *err)
{
    gm_request *request = gm_request_create(api->options.alloc, GM_STR("/v1/futures"));
    out_id[0]           = '\0';
    if (request == NULL) return gm_fail(err, GM_NOMEM, "api.futures", "starting futures");
    request->api    = api;
    request->engine = api->options.engine;
    gm_buf_str(&request->body, text);
    const json_t *body = gm_request_json(request);
    gm_forecast  *f    = body != NULL ? gm_forecast_start(api->forecasts, request, body) : NULL;
    gm_status     st   = f != NULL ? GM_OK : refused(request, err);
    if (f != NULL) snprintf(out_id, GM_API_FUTURES_ID, "%s", f->id);
    gm_request_end(request);
    gm_request_destroy(request);
    return st;
}
