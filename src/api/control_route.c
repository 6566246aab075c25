// /v1/commands, /v1/desired, /v1/control, /v1/workorders: acting on the world.
#include "api/live.h"
#include "api/routes.h"
#include "control/control.h"
#include "control/json.h"

enum { LIST_MOST = 10000 };

static gm_control *control_of(gm_request *request)
{
    gm_control *control = request->api->options.control;
    if (control == NULL) gm_reply_error(request, 404, "NotFound", "This server controls nothing.");
    return control;
}

static bool sees(gm_request *request, gm_str twin)
{
    return !gm_principal_scoped(request->principal) || gm_twin_ok(gm_api_find(request, twin));
}

// ---- commands -----------------------------------------------------------------------------------------------------

typedef struct asked { char id[GM_COMMAND_ID]; } asked;

static void after_command(gm_request *request)
{
    gm_command_view v;
    const asked    *note = request->note;
    if (!gm_commands_find(gm_control_commands(request->api->options.control), gm_str_of(note->id), &v)) {
        gm_reply_error(request, 404, "CommandNotFound", "The command is gone already.");
        return;
    }
    gm_command_write(&v, &request->out);
    gm_reply_json(request, 202);
}

// What would be said to it, without a record of it.
static void try_command(gm_request *request, const gm_command_request *r)
{
    gm_error  err = { 0 };
    gm_status st  = gm_commands_try(gm_control_commands(request->api->options.control), r, &request->out, &err);
    if (st == GM_OK) gm_reply_json(request, 200);
    else gm_reply_failure(request, st, &err);
}

static void request_command(gm_request *request, bool set)
{
    gm_str        dry;
    gm_control   *control = control_of(request);
    const json_t *body    = control != NULL ? gm_request_json(request) : NULL;
    gm_error      err     = { 0 };
    if (body == NULL || !gm_request_parameter(request, "dryRun", &dry)) return;
    gm_command_request r = { .twin = gm_json_text(body, "twin"), .name = gm_json_text(body, set ? "property" : "command"), .set = set,
                             .value = json_object_get(body, "value"), .who = gm_principal_name(request->principal) };
    if (r.twin.len == 0 || r.name.len == 0) {
        gm_reply_error(request, 400, "InvalidArgument", "The body is an object with 'twin', '%s' and perhaps 'value'.", set ? "property" : "command");
        return;
    }
    if (!sees(request, r.twin)) {
        gm_api_no_twin(request, r.twin);
        return;
    }
    if (gm_str_is(dry, "true")) {
        try_command(request, &r);
        return;
    }
    asked *note   = gm_arena_zeroed(request->arena, 1, sizeof *note);
    request->note = note;
    if (note == NULL) {
        gm_reply_failure(request, GM_NOMEM, NULL);
        return;
    }
    gm_ask    ask = gm_request_ask(request, after_command);
    gm_status st  = gm_commands_request(gm_control_commands(control), &r, ask, note->id, &err);
    gm_request_submitted(request, st, &err);
}

void gm_route_command_post(gm_request *request) { request_command(request, false); }
void gm_route_desired_post(gm_request *request) { request_command(request, true); }

static void list_commands(gm_request *request, bool set)
{
    gm_control *control = control_of(request);
    uint64_t    limit;
    gm_str      twin, state;
    if (control == NULL || !gm_request_number(request, "limit", 1, LIST_MOST, 100, &limit) || !gm_request_parameter(request, "twin", &twin) ||
        !gm_request_parameter(request, "state", &state)) return;
    const gm_commands *commands = gm_control_commands(control);
    size_t             written  = 0;
    gm_buf_text(&request->out, "{\"items\":[");
    for (size_t i = gm_commands_count(commands); i-- > 0 && written < limit;) {
        gm_command_view v = gm_commands_at(commands, i);
        if (v.set != set || (twin.ptr != NULL && !gm_str_eq(twin, v.twin)) || (state.ptr != NULL && !gm_str_is(state, gm_command_state_name(v.state))) || !sees(request, v.twin)) continue;
        if (written++ > 0) gm_buf_byte(&request->out, ',');
        gm_command_write(&v, &request->out);
    }
    gm_buf_printf(&request->out, "],\"strayAnswers\":%llu}", (unsigned long long)gm_commands_stray(commands));
    gm_reply_json(request, 200);
}

void gm_route_commands(gm_request *request) { list_commands(request, false); }
void gm_route_desired(gm_request *request) { list_commands(request, true); }

static bool find_command(gm_request *request, gm_command_view *out)
{
    gm_control *control = control_of(request);
    bool        there   = control != NULL && gm_commands_find(gm_control_commands(control), request->parameters[0], out) && sees(request, out->twin);
    if (control != NULL && !there) gm_reply_error(request, 404, "CommandNotFound", "There is no command '" GM_STR_FMT "'.", GM_STR_ARG(gm_str_slice(request->parameters[0], 0, 60)));
    return there;
}

void gm_route_command(gm_request *request)
{
    gm_command_view v;
    if (!find_command(request, &v)) return;
    gm_command_write(&v, &request->out);
    gm_reply_json(request, 200);
}

static void after_approve(gm_request *request) { gm_route_command(request); }

void gm_route_command_approve(gm_request *request)
{
    gm_command_view v;
    gm_error        err = { 0 };
    if (!find_command(request, &v)) return;
    gm_ask    ask = gm_request_ask(request, after_approve);
    gm_status st  = gm_commands_approve(gm_control_commands(request->api->options.control), v.id, gm_principal_name(request->principal), ask, &err);
    gm_request_submitted(request, st, &err);
}

// ---- arming -------------------------------------------------------------------------------------------------------

void gm_route_control(gm_request *request)
{
    gm_control *control = control_of(request);
    gm_armed    by;
    uint64_t    count, broken;
    char        head[GM_CHAIN_TEXT];
    if (control == NULL) return;
    gm_buf   *out     = &request->out;
    bool      stopped = gm_arming_stopped(gm_control_arming(control), &by);
    gm_chain  chain   = gm_journal_head(gm_control_journal(control), &count, &broken);
    gm_buf_printf(out, "{\"stopped\":%s", stopped ? "true" : "false");
    if (stopped) gm_json_member(out, "stoppedBy", by.who);
    if (stopped) gm_json_member(out, "reason", by.reason);
    gm_chain_text(&chain, head);
    gm_buf_printf(out, ",\"decisions\":{\"count\":%llu,\"head\":\"%s\",\"intact\":%s},\"armed\":[", (unsigned long long)count, head, broken == 0 ? "true" : "false");
    for (size_t i = 0, n = 0; i < gm_arming_count(gm_control_arming(control)); i++) {
        gm_armed a = gm_arming_at(gm_control_arming(control), i);
        if (!sees(request, a.twin)) continue;
        gm_buf_text(out, n++ > 0 ? ",{\"twin\":" : "{\"twin\":");
        gm_buf_json_str(out, a.twin);
        gm_json_member(out, "who", a.who);
        gm_json_member(out, "reason", a.reason);
        gm_json_time_member(out, "since", a.since);
        gm_json_time_member(out, "until", a.until);
        if (a.heartbeat > 0) gm_json_seconds_member(out, "heartbeat", a.heartbeat);
        gm_buf_byte(out, '}');
    }
    gm_buf_text(out, "]}");
    gm_reply_json(request, 200);
}

// {"twin","reason","until" | "for","heartbeat"}
static bool read_armed(gm_request *request, gm_armed *out)
{
    gm_dur_ns     span = 0, beat = 0;
    const json_t *body = gm_request_json(request);
    if (body == NULL) return false;
    gm_str length = gm_json_text(body, "for"), heartbeat = gm_json_text(body, "heartbeat");
    *out = (gm_armed){ .twin = gm_json_text(body, "twin"), .who = gm_principal_name(request->principal), .reason = gm_json_text(body, "reason"), .until = gm_json_time(body, "until") };
    bool fits = (length.len == 0 || gm_dur_parse(length, &span, NULL) == GM_OK) && (heartbeat.len == 0 || gm_dur_parse(heartbeat, &beat, NULL) == GM_OK);
    if (!fits) gm_reply_error(request, 400, "InvalidArgument", "'for' and 'heartbeat' are times such as \"8h\".");
    if (fits && length.len > 0) out->until = gm_api_now(request) + (span < 366 * GM_DAY ? span : 366 * GM_DAY);
    out->heartbeat = beat;
    if (fits && out->twin.len > 0 && !sees(request, out->twin)) {
        gm_api_no_twin(request, out->twin);
        return false;
    }
    return fits;
}

void gm_route_control_act(gm_request *request)
{
    gm_control *control = control_of(request);
    gm_armed    a;
    gm_error    err  = { 0 };
    gm_str      what = request->parameters[0];
    if (control == NULL || !read_armed(request, &a)) return;
    gm_arming *arming = gm_control_arming(control);
    bool whole = gm_str_is(what, "stop") || gm_str_is(what, "resume");
    if (gm_str_is(what, "resume") && gm_principal_scoped(request->principal)) {
        gm_reply_error(request, 403, "Forbidden", "Who is kept to some twins may stop everything, and not resume it.");
        return;
    }
    if (!whole && !gm_str_is(what, "arm") && !gm_str_is(what, "disarm") && !gm_str_is(what, "heartbeat")) {
        gm_reply_error(request, 404, "NotFound", "There is arm, disarm, heartbeat, stop and resume.");
        return;
    }
    if (gm_str_is(what, "heartbeat")) {
        gm_status st = gm_arming_beat(arming, a.twin, &err);
        if (st == GM_OK) gm_reply_empty(request, 204);
        else gm_reply_failure(request, st, &err);
        return;
    }
    if (gm_str_is(what, "arm") && gm_principal_right(request->principal) < GM_RIGHT_ENGINEER) {
        gm_reply_error(request, 403, "Forbidden", "Arming takes an engineer.");
        return;
    }
    gm_ask    ask = gm_request_ask(request, gm_route_control);
    gm_status st  = gm_str_is(what, "arm")    ? gm_arming_arm(arming, &a, ask, &err)
                  : gm_str_is(what, "disarm") ? gm_arming_disarm(arming, a.twin, a.who, a.reason, ask, &err)
                  : gm_str_is(what, "stop")   ? gm_arming_stop(arming, a.who, a.reason, ask, &err)
                                              : gm_arming_resume(arming, a.who, a.reason, ask, &err);
    gm_request_submitted(request, st, &err);
}

// ---- work orders --------------------------------------------------------------------------------------------------

void gm_route_work_orders(gm_request *request)
{
    gm_control *control = control_of(request);
    uint64_t    limit;
    gm_str      twin, state;
    if (control == NULL || !gm_request_number(request, "limit", 1, LIST_MOST, 100, &limit) || !gm_request_parameter(request, "twin", &twin) || !gm_request_parameter(request, "state", &state)) return;
    const gm_work_orders *orders = gm_control_work_orders(control);
    size_t                n      = 0;
    gm_buf_text(&request->out, "{\"items\":[");
    for (size_t i = 0; i < gm_work_orders_count(orders) && n < limit; i++) {
        gm_work_order w = gm_work_orders_at(orders, i);
        if ((twin.ptr != NULL && !gm_str_eq(twin, w.twin)) || (state.ptr != NULL && !gm_str_is(state, gm_order_state_name(w.state))) || !sees(request, w.twin)) continue;
        if (n++ > 0) gm_buf_byte(&request->out, ',');
        gm_work_order_write(&w, &request->out);
    }
    gm_buf_text(&request->out, "]}");
    gm_reply_json(request, 200);
}

static void reply_order(gm_request *request, gm_str id, unsigned status)
{
    gm_work_order w;
    if (!gm_work_orders_find(gm_control_work_orders(request->api->options.control), id, &w) || !sees(request, w.twin)) {
        gm_reply_error(request, 404, "WorkOrderNotFound", "There is no work order '" GM_STR_FMT "'.", GM_STR_ARG(gm_str_slice(id, 0, 60)));
        return;
    }
    gm_work_order_write(&w, &request->out);
    gm_reply_json(request, status);
}

void gm_route_work_order(gm_request *request)
{
    if (control_of(request) != NULL) reply_order(request, request->parameters[0], 200);
}

static void after_order(gm_request *request) { reply_order(request, gm_str_of(((const asked *)request->note)->id), 201); }

void gm_route_work_order_post(gm_request *request)
{
    gm_control   *control = control_of(request);
    const json_t *body    = control != NULL ? gm_request_json(request) : NULL;
    gm_error      err     = { 0 };
    if (body == NULL) return;
    asked *note   = gm_arena_zeroed(request->arena, 1, sizeof *note);
    request->note = note;
    if (note == NULL || !sees(request, gm_json_text(body, "twin"))) {
        if (note == NULL) gm_reply_failure(request, GM_NOMEM, NULL);
        else gm_api_no_twin(request, gm_json_text(body, "twin"));
        return;
    }
    _Static_assert((int)GM_WORK_ORDER_ID == (int)GM_COMMAND_ID, "one note serves both");
    gm_ask    ask = gm_request_ask(request, after_order);
    gm_status st  = gm_work_orders_ask(gm_control_work_orders(control), gm_json_text(body, "twin"), gm_json_text(body, "text"), json_object_get(body, "evidence"),
                                       gm_principal_name(request->principal), ask, note->id, &err);
    gm_request_submitted(request, st, &err);
}

static void after_step(gm_request *request) { reply_order(request, request->parameters[0], 200); }

void gm_route_work_order_patch(gm_request *request)
{
    gm_control    *control = control_of(request);
    const json_t  *body    = control != NULL ? gm_request_json(request) : NULL;
    gm_error       err     = { 0 };
    gm_order_state state;
    gm_work_order  w;
    if (body == NULL) return;
    if (!gm_order_state_of(gm_json_text(body, "state"), &state)) {
        gm_reply_error(request, 400, "InvalidArgument", "'state' is assigned, started, done, closed or cancelled.");
        return;
    }
    if (!gm_work_orders_find(gm_control_work_orders(control), request->parameters[0], &w) || !sees(request, w.twin)) {
        reply_order(request, request->parameters[0], 200);
        return;
    }
    gm_ask    ask = gm_request_ask(request, after_step);
    gm_status st  = gm_work_orders_step(gm_control_work_orders(control), request->parameters[0], state, json_object_get(body, "feedback"), gm_principal_name(request->principal), ask, &err);
    gm_request_submitted(request, st, &err);
}
