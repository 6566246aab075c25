// /v1/maintenance: what rules/*.maintenance propose, as it was last made.
#include "api/failure_now.h"
#include "api/live.h"
#include "api/maintenance.h"
#include "api/routes.h"
#include "control/json.h"

#include <string.h>

enum { LANES_MOST = 100000 };

static void write_head(const gm_maintenance_view *v, gm_buf *out)
{
    gm_buf_text(out, "{\"name\":");
    gm_buf_json_str(out, v->request->name);
    gm_buf_printf(out, ",\"running\":%s", v->running ? "true" : "false");
    if (v->running) gm_live_number(out, "share", v->share);
    gm_live_number(out, "searchSeconds", v->request->seconds);
    gm_live_number(out, "gap", v->request->gap);
    gm_buf_printf(out, ",\"lanes\":%u", v->request->lanes);
    if (v->at != 0) gm_live_time(out, "at", v->at);
    if (v->at != 0) gm_live_number(out, "seconds", v->seconds);
    // What went wrong with the last is told beside the one before it.
    if (v->trouble[0] != '\0') gm_live_member(out, "failed", gm_str_of(v->trouble));
}

void gm_maintenance_write(const gm_maintenance_view *v, gm_buf *out)
{
    write_head(v, out);
    if (v->made) {
        gm_buf_byte(out, ',');
        gm_buf_str(out, v->result);
    }
    gm_buf_byte(out, '}');
}

void gm_route_maintenance_list(gm_request *request)
{
    const gm_maintenance *m = request->api->options.maintenance;
    gm_buf_text(&request->out, "{\"items\":[");
    for (uint32_t i = 0; m != NULL && i < gm_maintenance_count(m); i++) {
        gm_maintenance_view v = gm_maintenance_at(m, i);
        if (i > 0) gm_buf_byte(&request->out, ',');
        write_head(&v, &request->out);
        gm_buf_byte(&request->out, '}');
    }
    gm_buf_text(&request->out, "]}");
    gm_reply_json(request, 200);
}

bool gm_maintenance_named(gm_request *request, uint32_t *out)
{
    const gm_maintenance *m = request->api->options.maintenance;
    *out                    = m != NULL ? gm_maintenance_find(m, request->parameters[0]) : UINT32_MAX;
    if (*out != UINT32_MAX) return true;
    gm_reply_error(request, 404, "MaintenanceNotFound", "No entry of rules/*.maintenance is called '" GM_STR_FMT "'; GET /v1/maintenance lists them.",
                   GM_STR_ARG(gm_str_slice(request->parameters[0], 0, 60)));
    return false;
}

void gm_route_maintenance(gm_request *request)
{
    uint32_t i;
    if (!gm_maintenance_named(request, &i)) return;
    gm_maintenance_view v = gm_maintenance_at(request->api->options.maintenance, i);
    gm_maintenance_write(&v, &request->out);
    if (v.made) {
        // Its work orders that are not over go before the closing brace.
        request->out.len--;
        gm_maintenance_write_ordered(request, v.request->name, &request->out);
        gm_buf_byte(&request->out, '}');
    }
    gm_reply_json(request, 200);
}

// ---- making one -----------------------------------------------------------------------------------------------------

static bool bad_how(gm_request *request, const char *what)
{
    gm_reply_error(request, 400, "InvalidArgument", "%s", what);
    return false;
}

static bool read_how(gm_request *request, gm_maintenance_how *how)
{
    static const char *const members[] = { "timeLimit", "gap", "now", "lanes" };
    const char              *name;
    json_t                  *value;
    gm_dur_ns                limit;
    *how = gm_maintenance_how_defaults();
    if (request->body.len == 0) return true;
    json_t *body = gm_request_json(request);
    if (body == NULL) return false;
    if (!json_is_object(body)) return bad_how(request, "The body is an object with 'timeLimit', 'gap', 'now' or 'lanes'.");
    json_object_foreach(body, name, value) {
        bool known = false;
        for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) known |= strcmp(name, members[i]) == 0;
        if (!known) return bad_how(request, "The body is an object with 'timeLimit', 'gap', 'now' or 'lanes', and nothing else.");
    }
    const json_t *time_limit = json_object_get(body, "timeLimit"), *gap = json_object_get(body, "gap"), *lanes = json_object_get(body, "lanes"), *now = json_object_get(body, "now");
    if (time_limit != NULL) {
        if (gm_dur_parse(gm_json_text(body, "timeLimit"), &limit, NULL) != GM_OK || limit < GM_SECOND / 10 || limit > GM_MAINTAIN_SECONDS_MAX * GM_SECOND)
            return bad_how(request, "'timeLimit' is a length of time from 0.1 s to 10 min, such as \"30s\".");
        how->seconds = (double)limit / 1e9;
    }
    if (gap != NULL && !(json_is_number(gap) && json_number_value(gap) >= 0 && json_number_value(gap) < 1)) return bad_how(request, "'gap' is a share, such as 0.01.");
    if (gap != NULL) how->gap = json_number_value(gap);
    if (lanes != NULL && !(json_is_integer(lanes) && json_integer_value(lanes) >= 0 && json_integer_value(lanes) <= LANES_MOST))
        return bad_how(request, "'lanes' is a whole number up to 100000.");
    if (lanes != NULL) how->lanes = json_integer_value(lanes);
    if (now != NULL && gm_time_parse(gm_json_text(body, "now"), &how->now, NULL) != GM_OK) return bad_how(request, "'now' is a time, such as \"2026-12-01T00:00:00Z\".");
    return true;
}

void gm_route_maintenance_make(gm_request *request)
{
    uint32_t           i;
    gm_maintenance_how how;
    gm_error           err = { 0 };
    if (!gm_maintenance_named(request, &i) || !read_how(request, &how)) return;
    gm_maintenance   *m      = request->api->options.maintenance;
    gm_failure_moment moment = gm_api_failure_moment(request);
    how.failures             = request->api->options.failures;
    how.moment               = &moment;
    gm_status st             = gm_maintenance_make(m, i, &how, &err);
    if (st != GM_OK) {
        gm_reply_failure(request, st, &err);
        return;
    }
    gm_request_audit(request);
    gm_maintenance_view v = gm_maintenance_at(m, i);
    write_head(&v, &request->out);
    gm_buf_byte(&request->out, '}');
    gm_reply_json(request, 202);
}
