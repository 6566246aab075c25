// /v1/alarms: the list, one of them, what people do to them, how the alarm system does, and events as it happens.
#include "api/events/event_stream.h"
#include "api/live.h"
#include "api/routes.h"
#include "base/number.h"
#include "control/control.h"
#include "control/subtree.h"

enum { LIMIT_MOST = GM_ALARMS_MAX, EVENTS_KEPT = 1000 };

static gm_alarms *alarms_of(gm_request *request)
{
    gm_control *control = request->api->options.control;
    if (control == NULL) gm_reply_error(request, 404, "NotFound", "This server has no alarms.");
    return control != NULL ? gm_control_alarms(control) : NULL;
}

// ---- the list -----------------------------------------------------------------------------------------------------

typedef struct wanted {
    bool       all, places;  // also those that nobody needs to look at; only twins of `under`
    gm_str     twin, state;
    int        priority;     // at least
    gm_time_ns since;        // of those that nobody needs to look at
    gm_subtree under;
} wanted;

static bool read_under(gm_request *request, gm_str id, wanted *out)
{
    gm_error err = { 0 };
    gm_twin  root = gm_api_find(request, id);
    if (!gm_twin_ok(root)) {
        gm_api_no_twin(request, id);
        return false;
    }
    gm_str    names = gm_control_relationships(request->api->options.control);
    gm_status st    = gm_subtree_find(request->alloc, gm_api_state(request), root, names, &out->under, &err);
    if (st != GM_OK) gm_reply_failure(request, st, &err);
    out->places = st == GM_OK;
    return st == GM_OK;
}

static bool read_wanted(gm_request *request, wanted *out)
{
    gm_str            all, under, priority, since;
    gm_alarm_priority least = GM_PRIORITY_LOW;
    *out = (wanted){ .since = GM_TIME_MIN };
    if (!gm_request_parameter(request, "all", &all) || !gm_request_parameter(request, "under", &under) ||
        !gm_request_parameter(request, "twin", &out->twin) || !gm_request_parameter(request, "state", &out->state) ||
        !gm_request_parameter(request, "priority", &priority) || !gm_request_parameter(request, "since", &since)) return false;
    if (priority.ptr != NULL && !gm_alarm_priority_of(priority, &least)) {
        gm_reply_error(request, 400, "InvalidArgument", "The parameter 'priority' is low, medium, high or critical.");
        return false;
    }
    if (since.ptr != NULL && gm_time_parse(since, &out->since, NULL) != GM_OK) {
        gm_reply_error(request, 400, "InvalidArgument", "The parameter 'since' is no RFC 3339 time.");
        return false;
    }
    out->all      = gm_str_is(all, "true") || out->state.ptr != NULL;
    out->priority = (int)least;
    return under.ptr == NULL || read_under(request, under, out);
}

static bool is_wanted(gm_request *request, const wanted *w, const gm_alarm *a)
{
    gm_twin twin = gm_state_find(gm_api_state(request), a->is.twin);
    if (gm_principal_scoped(request->principal) && (!gm_twin_ok(twin) || !gm_api_sees(request, twin))) return false;
    if (w->twin.ptr != NULL && !gm_str_eq(w->twin, a->is.twin)) return false;
    if (w->places && !gm_subtree_has(&w->under, twin)) return false;
    if (w->state.ptr != NULL && !gm_str_is(w->state, gm_alarm_state_name(a->state))) return false;
    if ((int)a->is.priority < w->priority) return false;
    // Times hide nothing that somebody has to look at.
    return gm_alarm_wants_attention(a) || (w->all && a->changed >= w->since);
}

void gm_route_alarms(gm_request *request)
{
    const gm_alarms *alarms = alarms_of(request);
    gm_buf          *out    = &request->out;
    uint64_t         limit;
    wanted           w;
    if (alarms == NULL || !gm_request_number(request, "limit", 1, LIMIT_MOST, LIMIT_MOST, &limit) || !read_wanted(request, &w)) return;
    size_t written = 0, left_out = 0;
    gm_buf_text(out, "{\"items\":[");
    // The most urgent first, within that the oldest.
    for (int priority = GM_PRIORITY_COUNT; priority-- > 0;) {
        for (size_t i = 0; i < gm_alarms_count(alarms); i++) {
            gm_alarm a = gm_alarms_at(alarms, i);
            if ((int)a.is.priority != priority || !is_wanted(request, &w, &a)) continue;
            if (written >= limit) {
                left_out++;
                continue;
            }
            if (written++ > 0) gm_buf_byte(out, ',');
            gm_alarm_write(&a, out);
        }
    }
    gm_buf_printf(out, "],\"leftOut\":%zu}", left_out);
    gm_subtree_finish(&w.under);
    gm_reply_json(request, 200);
}

// The alarm that the path names; false: replied.
static bool find(gm_request *request, gm_alarm *out)
{
    const gm_alarms *alarms = alarms_of(request);
    if (alarms == NULL) return false;
    bool there = gm_alarms_find(alarms, request->parameters[0], out);
    if (there && gm_principal_scoped(request->principal)) there = gm_twin_ok(gm_api_find(request, out->is.twin));
    if (!there) gm_reply_error(request, 404, "AlarmNotFound", "There is no alarm '" GM_STR_FMT "'.", GM_STR_ARG(gm_str_slice(request->parameters[0], 0, 120)));
    return there;
}

void gm_route_alarm(gm_request *request)
{
    gm_alarm a;
    if (!find(request, &a)) return;
    gm_alarm_write(&a, &request->out);
    gm_reply_json(request, 200);
}

// ---- what people do -----------------------------------------------------------------------------------------------

static void after_act(gm_request *request)
{
    gm_request_call *reply = gm_route_alarm;
    reply(request);
}

// {"reason", "until" | "for"}; all may be missing.
static bool read_request(gm_request *request, gm_alarm_request *out)
{
    gm_dur_ns     span = 0;
    const json_t *body = request->body.len > 0 ? gm_request_json(request) : NULL;
    if (request->body.len > 0 && body == NULL) return false;
    const json_t *until = json_object_get(body, "until"), *length = json_object_get(body, "for"), *reason = json_object_get(body, "reason");
    *out = (gm_alarm_request){ .who = gm_principal_name(request->principal), .reason = { json_string_value(reason), json_string_length(reason) },
                               .until = GM_ABSENT };
    gm_str until_text = { json_string_value(until), json_string_length(until) }, for_text = { json_string_value(length), json_string_length(length) };
    bool fits = (reason == NULL || json_is_string(reason)) && (until == NULL || gm_time_parse(until_text, &out->until, NULL) == GM_OK) &&
                (length == NULL || gm_dur_parse(for_text, &span, NULL) == GM_OK);
    if (!fits) {
        gm_reply_error(request, 400, "InvalidArgument", "The body is an object with 'reason' (a text) and perhaps 'until' (a time) or 'for' (\"8h\").");
    } else if (length != NULL) {
        out->until = gm_api_now(request) + (span < 366 * GM_DAY ? span : 366 * GM_DAY);
    }
    return fits;
}

void gm_route_alarm_act(gm_request *request)
{
    gm_alarm         a;
    gm_alarm_action  action;
    gm_alarm_request r;
    gm_error         err = { 0 };
    if (!find(request, &a)) return;
    if (!gm_alarm_action_of(request->parameters[1], &action)) {
        gm_reply_error(request, 404, "NotFound", "People acknowledge, reset, shelve, unshelve, remove-from-service or return-to-service.");
        return;
    }
    if (!read_request(request, &r)) return;
    gm_ask    ask = gm_request_ask(request, after_act);
    gm_status st  = gm_alarms_act(gm_control_alarms(request->api->options.control), a.key, action, &r, ask, &err);
    gm_request_submitted(request, st, &err);
}

// ---- the whole ----------------------------------------------------------------------------------------------------

static void add_seconds(gm_buf *out, const char *name, gm_dur_ns span)
{
    char text[GM_NUMBER_TEXT];
    gm_number_write((double)span / 1e9, text);
    gm_buf_printf(out, ",\"%s\":%s", name, text);
}

void gm_route_alarm_metrics(gm_request *request)
{
    gm_alarms *alarms = alarms_of(request);
    gm_buf    *out    = &request->out;
    if (alarms == NULL) return;
    gm_alarm_metrics m = gm_alarms_measure(alarms, gm_api_now(request));
    gm_buf_text(out, "{\"states\":{");
    for (int s = 0; s < GM_ALARM_STATE_COUNT; s++) {
        gm_buf_printf(out, "%s\"%s\":%llu", s > 0 ? "," : "", gm_alarm_state_name((gm_alarm_state)s), (unsigned long long)m.states[s]);
    }
    gm_buf_text(out, "},\"active\":{");
    for (int p = 0; p < GM_PRIORITY_COUNT; p++) {
        gm_buf_printf(out, "%s\"%s\":%llu", p > 0 ? "," : "", gm_alarm_priority_name((gm_alarm_priority)p), (unsigned long long)m.active[p]);
    }
    gm_buf_printf(out, "},\"raised\":{\"tenMinutes\":%llu,\"hour\":%llu,\"day\":%llu,\"total\":%llu,\"peakTenMinutes\":%llu}",
                  (unsigned long long)m.raised_10min, (unsigned long long)m.raised_hour, (unsigned long long)m.raised_day,
                  (unsigned long long)m.raised_total, (unsigned long long)m.peak_10min);
    gm_buf_printf(out, ",\"standing\":%llu,\"chattering\":%llu,\"flood\":%s", (unsigned long long)m.standing, (unsigned long long)m.chattering,
                  m.flood ? "true" : "false");
    add_seconds(out, "floodSeconds", m.flood_time);
    add_seconds(out, "spanSeconds", m.span);
    gm_buf_byte(out, '}');
    gm_reply_json(request, 200);
}

// Silent: something has been measured once, and nothing for `age`.
static bool is_silent(const gm_state *state, gm_twin twin, gm_time_ns before)
{
    const gm_type *type = gm_state_type(state, twin);
    bool           any  = false;
    for (uint32_t i = 0; i < type->column_count; i++) {
        gm_cell cell;
        if (!type->columns[i].is_telemetry) continue;
        gm_state_get(state, twin, i, &cell);
        if (cell.source == GM_ABSENT) continue;
        if (cell.source >= before) return false;
        any = true;
    }
    return any;
}

// Twins of the set that have fallen silent, among those that may be seen.
static uint32_t count_silent(const gm_request *request, const gm_subtree *under, gm_time_ns before)
{
    const gm_state *state = gm_api_state(request);
    uint32_t        n     = 0;
    for (uint32_t word = 0; word * 64 < under->limit; word++) {
        for (uint64_t bits = under->bits[word]; bits != 0; bits &= bits - 1) {
            gm_twin twin = { word * 64 + (uint32_t)__builtin_ctzll(bits) };
            n += gm_state_exists(state, twin) && gm_api_sees(request, twin) && is_silent(state, twin, before);
        }
    }
    return n;
}

// The alarms that somebody has to look at and may see, by their twins: found once, and counted for many places.
typedef struct loud { gm_twin twin; uint8_t priority; bool active, acknowledged; } loud;
typedef struct louds { loud *items; size_t count; } louds;

static louds find_loud(gm_request *request, const gm_alarms *alarms)
{
    louds found = { .items = gm_arena_zeroed(request->arena, gm_alarms_count(alarms) + 1, sizeof *found.items) };
    for (size_t i = 0; found.items != NULL && i < gm_alarms_count(alarms); i++) {
        gm_alarm a = gm_alarms_at(alarms, i);
        if (!gm_alarm_wants_attention(&a)) continue;
        gm_twin at = gm_state_find(gm_api_state(request), a.is.twin);
        if (gm_twin_ok(at) && gm_api_sees(request, at)) found.items[found.count++] = (loud){ at, (uint8_t)a.is.priority, a.active, a.acknowledged };
    }
    if (found.items == NULL) request->out.failed = true;
    return found;
}

static void write_place(gm_request *request, gm_twin twin, const louds *alarms, gm_time_ns silent, gm_buf *out)
{
    gm_subtree under;
    gm_error   err;
    uint64_t   active[GM_PRIORITY_COUNT] = { 0 }, unacknowledged = 0;
    gm_str     names = gm_control_relationships(request->api->options.control);
    if (gm_subtree_find(request->alloc, gm_api_state(request), twin, names, &under, &err) != GM_OK) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < alarms->count; i++) {
        const loud *a = &alarms->items[i];
        if (!gm_subtree_has(&under, a->twin)) continue;
        active[a->priority] += a->active;
        unacknowledged += !a->acknowledged;
    }
    gm_buf_text(out, "{\"twin\":");
    gm_buf_json_str(out, gm_state_id(gm_api_state(request), twin));
    gm_buf_printf(out, ",\"unacknowledged\":%llu,\"active\":{", (unsigned long long)unacknowledged);
    for (int p = 0; p < GM_PRIORITY_COUNT; p++) {
        gm_buf_printf(out, "%s\"%s\":%llu", p > 0 ? "," : "", gm_alarm_priority_name((gm_alarm_priority)p), (unsigned long long)active[p]);
    }
    gm_buf_printf(out, "},\"twins\":%zu,\"silent\":%u", under.count, count_silent(request, &under, silent));
    gm_subtree_finish(&under);
}

void gm_route_alarm_rollup(gm_request *request)
{
    enum { CHILDREN_MAX = 1000 };
    const gm_alarms *alarms = alarms_of(request);
    const gm_state  *state  = gm_api_state(request);
    gm_str           id, silent_text, deeper;
    gm_dur_ns        silent = GM_MINUTE;
    if (alarms == NULL || !gm_request_parameter(request, "twin", &id) || !gm_request_parameter(request, "silent", &silent_text) ||
        !gm_request_parameter(request, "below", &deeper)) return;
    if (silent_text.ptr != NULL && (gm_dur_parse(silent_text, &silent, NULL) != GM_OK || silent <= 0 || silent > 3660 * GM_DAY)) {
        gm_reply_error(request, 400, "InvalidArgument", "The parameter 'silent' is a length of time, such as 5m.");
        return;
    }
    gm_time_ns before = gm_api_now(request) - silent;
    gm_twin root = gm_api_find(request, id);
    if (!gm_twin_ok(root)) {
        gm_api_no_twin(request, id);
        return;
    }
    louds heard = find_loud(request, alarms);
    write_place(request, root, &heard, before, &request->out);
    gm_buf_text(&request->out, ",\"below\":[");
    size_t n = gm_str_is(deeper, "false") ? CHILDREN_MAX : 0;
    for (gm_edge e = gm_state_first_out(state, root); gm_edge_ok(e) && n < CHILDREN_MAX; e = gm_state_next_out(state, e)) {
        gm_twin below = gm_state_edge_target(state, e);
        if (!gm_api_sees(request, below) || !gm_subtree_contains(state, root, gm_control_relationships(request->api->options.control), below)) continue;
        if (n++ > 0) gm_buf_byte(&request->out, ',');
        write_place(request, below, &heard, before, &request->out);
        gm_buf_byte(&request->out, '}');
    }
    gm_buf_text(&request->out, "]}");
    gm_reply_json(request, 200);
}

// ---- as it happens ------------------------------------------------------------------------------------------------

static void observe(void *context, const gm_record *record, const gm_change *change)
{
    gm_api     *api = context;
    gm_alarm    a;
    gm_decision d;
    if (change->kind != GM_CHANGE_ALARM || !gm_journal_read(record, change, &d)) return;
    if (!gm_alarms_find(gm_control_alarms(api->options.control), d.id, &a)) return;
    gm_buf text = gm_buf_init(api->options.alloc);
    gm_buf_text(&text, "{\"what\":");
    gm_buf_json_str(&text, d.what);
    gm_live_time(&text, "time", d.at);
    gm_buf_text(&text, ",\"alarm\":");
    gm_alarm_write(&a, &text);
    gm_buf_byte(&text, '}');
    if (!text.failed) gm_event_stream_add(api->alarm_events, record->sequence, 0, gm_buf_view(&text));
    gm_buf_finish(&text);
}

static void tick(void *context)
{
    gm_api  *api = context;
    gm_error err;
    api->alarm_tick = NULL;
    gm_event_stream_tick(api->alarm_events);
    (void)!gm_loop_after(api->options.loop, GM_SECOND, tick, api, &api->alarm_tick, &err);
}

gm_status gm_alarm_events_create(gm_api *api, gm_error *err)
{
    if (api->options.control == NULL) return GM_OK;
    api->alarm_events = gm_event_stream_create(api->options.alloc, EVENTS_KEPT);
    if (api->alarm_events == NULL) return gm_fail(err, GM_NOMEM, "api.alarms", "starting the stream of alarms");
    tick(api);
    return gm_engine_observe(api->options.engine, observe, api, err);
}

void gm_alarm_events_destroy(gm_api *api)
{
    gm_loop_cancel(api->alarm_tick);
    gm_event_stream_destroy(api->alarm_events);
}

void gm_route_alarm_stream(gm_request *request)
{
    if (alarms_of(request) != NULL) gm_event_stream_open(request->api->alarm_events, request);
}
