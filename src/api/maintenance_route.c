// /v1/maintenance: what rules/*.maintenance propose, as it was last made; and work orders of it.
#include "api/held.h"
#include "api/live.h"
#include "api/routes.h"
#include "control/json.h"
#include "control/maintain/maintenance.h"

#include <string.h>

enum { LANES_MOST = 100000 };

static void write_head(const gm_maintenance_view *v, gm_buf *out)
{
    gm_buf_text(out, "{\"name\":");
    gm_buf_json_str(out, v->request->name);
    gm_buf_printf(out, ",\"running\":%s", v->running ? "true" : "false");
    if (v->running) gm_live_number(out, "share", v->share);
    if (v->at != 0) gm_live_time(out, "at", v->at);
    if (v->at != 0) gm_live_number(out, "seconds", v->seconds);
    // What went wrong with the last is told beside the one before it.
    if (v->trouble[0] != '\0') gm_live_member(out, "failed", gm_str_of(v->trouble));
}

static void write_whole(const gm_maintenance_view *v, gm_buf *out)
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

static bool find(gm_request *request, uint32_t *out)
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
    if (!find(request, &i)) return;
    gm_maintenance_view v = gm_maintenance_at(request->api->options.maintenance, i);
    write_whole(&v, &request->out);
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
    if (!find(request, &i) || !read_how(request, &how)) return;
    gm_maintenance *m  = request->api->options.maintenance;
    gm_status       st = gm_maintenance_make(m, i, &how, &err);
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

// ---- work orders ----------------------------------------------------------------------------------------------------

// Orders are asked for one by one, as the log has room, and the answer waits until the last of them is durable.
typedef struct ordering {
    gm_held    held;
    gm_request *request;
    json_t     *proposal;
    size_t      next;             // of the items
    char        last[GM_WORK_ORDER_ID];
    size_t      opened, there;
    gm_buf      list;
} ordering;

static gm_work_orders *orders_of(const gm_request *r) { return gm_control_work_orders(r->api->options.control); }

// Has somebody ordered it already, and is that not over?
static bool is_ordered(const gm_request *r, gm_str plan, gm_str twin)
{
    const gm_work_orders *all   = orders_of(r);
    bool                  found = false;
    for (size_t i = 0; i < gm_work_orders_count(all) && !found; i++) {
        gm_work_order o = gm_work_orders_at(all, i);
        if (o.state >= GM_ORDER_DONE || o.evidence.len == 0 || !gm_str_eq(o.twin, twin)) continue;
        json_t *evidence = json_loadb(o.evidence.ptr, o.evidence.len, 0, NULL);
        found            = gm_str_eq(gm_json_text(evidence, "maintenance"), plan);
        json_decref(evidence);
    }
    return found;
}

static json_t *evidence_of(const ordering *o, const json_t *item)
{
    static const char *const taken[] = { "from", "to", "cost", "failsBefore", "wastes", "prediction" };
    json_t                  *e       = json_object();
    bool ok = json_object_set(e, "maintenance", json_object_get(o->proposal, "name")) == 0 && json_object_set(e, "made", json_object_get(o->proposal, "at")) == 0;
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) ok &= json_object_set(e, taken[i], json_object_get(item, taken[i])) == 0;
    if (ok) return e;
    json_decref(e);
    return NULL;
}

// GM_LIMIT: there is no room now.
static gm_status order_next(ordering *o, gm_error *err)
{
    const json_t *item = json_array_get(json_object_get(o->proposal, "items"), o->next);
    gm_str        twin = gm_json_text(item, "twin"), plan = gm_json_text(o->proposal, "name");
    bool          gone = !gm_twin_ok(gm_state_find(gm_api_state(o->request), twin));
    if (json_object_get(item, "window") == NULL || gone) {
        o->next++;
        return GM_OK;
    }
    if (is_ordered(o->request, plan, twin)) {
        o->there++;
        o->next++;
        return GM_OK;
    }
    char      id[GM_WORK_ORDER_ID];
    json_t   *evidence = evidence_of(o, item);
    gm_status st       = evidence == NULL ? gm_fail(err, GM_NOMEM, "api.maintenance", "ordering work")
                                          : gm_work_orders_ask(orders_of(o->request), twin, gm_json_text(item, "work"), evidence, gm_principal_name(o->request->principal), (gm_ask){ 0 }, id, err);
    json_decref(evidence);
    if (st != GM_OK) return st;
    gm_buf_text(&o->list, o->opened > 0 ? ",{\"twin\":" : "{\"twin\":");
    gm_buf_json_str(&o->list, twin);
    gm_json_member(&o->list, "id", gm_str_of(id));
    gm_json_member(&o->list, "from", gm_json_text(item, "from"));
    gm_buf_byte(&o->list, '}');
    memcpy(o->last, id, sizeof id);
    o->opened++;
    o->next++;
    return GM_OK;
}

static bool order_turn(void *context, gm_dur_ns *pause)
{
    enum { A_TURN = 50 };
    ordering     *o     = context;
    gm_error      err   = { 0 };
    size_t        count = json_array_size(json_object_get(o->proposal, "items"));
    gm_work_order last;
    gm_status     st = GM_OK;
    for (int i = 0; i < A_TURN && st == GM_OK && o->next < count; i++) st = order_next(o, &err);
    if (st != GM_OK && st != GM_LIMIT) {
        gm_reply_failure(o->request, st, &err);
        return false;
    }
    if (o->next < count || (o->opened > 0 && !gm_work_orders_find(orders_of(o->request), gm_str_of(o->last), &last))) {
        *pause = st == GM_LIMIT || o->next == count ? GM_MILLISECOND : 0;
        return true;
    }
    gm_buf_printf(&o->request->out, "{\"opened\":[" GM_STR_FMT "],\"there\":%zu}", GM_STR_ARG(gm_buf_view(&o->list)), o->there);
    gm_reply_json(o->request, 200);
    return false;
}

static void order_end(void *context)
{
    ordering *o = context;
    json_decref(o->proposal);
    gm_buf_finish(&o->list);
}

void gm_route_maintenance_orders(gm_request *request)
{
    uint32_t i;
    gm_error err = { 0 };
    if (!find(request, &i)) return;
    gm_maintenance_view v = gm_maintenance_at(request->api->options.maintenance, i);
    if (request->api->options.control == NULL || !v.made || v.running) {
        gm_reply_error(request, 409, "NothingProposed", "%s", v.running ? "A plan is being made; wait for it." : "There is no plan yet; POST to its 'make' first.");
        return;
    }
    ordering *o    = gm_arena_zeroed(request->arena, 1, sizeof *o);
    gm_buf    text = gm_buf_init(request->alloc);
    write_whole(&v, &text);
    if (o != NULL && !text.failed) o->proposal = json_loadb(gm_buf_view(&text).ptr, text.len, 0, NULL);
    gm_buf_finish(&text);
    if (o == NULL || o->proposal == NULL) {
        gm_reply_failure(request, GM_NOMEM, NULL);
        return;
    }
    o->request   = request;
    o->list      = gm_buf_init(request->alloc);
    gm_status st = gm_held_begin(&o->held, request, order_turn, order_end, o, &err);
    if (st == GM_OK) {
        gm_request_audit(request);
        return;
    }
    order_end(o);
    gm_reply_failure(request, st, &err);
}
