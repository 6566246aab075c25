// GET /v1/impact: what stops when a twin fails, when, how likely, at what cost, and which redundancy is left.
#include "api/failure_now.h"
#include "api/live.h"
#include "api/routes.h"
#include "failure/impact.h"
#include "failure/tree_twins.h"

#include <math.h>

enum { LIMIT_MOST = 100000 };

static void add_number(gm_buf *out, const char *key, double value)
{
    gm_buf_printf(out, ",\"%s\":", key);
    gm_buf_json_number(out, value);
}

// A need by its name, a gate by its connective.
static void write_need(gm_request *request, uint32_t need, gm_twin twin)
{
    if (need == GM_IMPACT_GATE) gm_live_member(&request->out, "gate", gm_tree_twin_text(gm_api_state(request), twin, GM_STR("connective")));
    else if (need != GM_IMPACT_NO_NEED) gm_live_member(&request->out, "need", gm_failures_modes(request->api->options.failures)->needs[need].name);
}

static void write_item(gm_request *request, const gm_impact_item *i)
{
    const gm_state         *state = gm_api_state(request);
    const gm_failure_modes *modes = gm_failures_modes(request->api->options.failures);
    gm_buf                 *out   = &request->out;
    gm_str                  id = gm_state_id(state, i->twin), name = gm_live_name(state, i->twin), text = { 0 };
    gm_buf_text(out, "{\"id\":");
    gm_buf_json_str(out, id);
    if (!gm_str_eq(name, id)) gm_live_member(out, "name", name);
    if (gm_twin_ok(i->via)) gm_live_member(out, "via", gm_state_id(state, i->via));
    if (gm_edge_ok(i->edge)) {
        gm_relationship r = gm_state_relationship(state, i->edge);
        gm_live_member(out, "relationship", r.id);
        gm_live_member(out, "relationshipName", r.name);
        gm_live_member(out, "relationshipSource", gm_state_id(state, r.source));
    }
    write_need(request, i->need, i->twin);
    gm_buf_printf(out, ",\"certain\":%s", i->certain ? "true" : "false");
    gm_live_member(out, "effect", gm_str_of(gm_failure_effect_name(i->effect)));
    if (i->loss != NULL && i->effect == GM_EFFECT_STOPS) {
        gm_live_member(out, "severity", gm_str_of(gm_loss_severity_name(i->loss->severity)));
        text = i->loss->text;
    }
    if (text.len == 0 && i->need < modes->need_count) text = modes->needs[i->need].text;
    gm_live_member(out, "text", text);
    add_number(out, "delay", i->delay_s);
    add_number(out, "probability", i->probability);
    if (!i->certain) add_number(out, "otherwise", i->otherwise);
    add_number(out, "cost", i->cost);
    gm_buf_byte(out, '}');
}

static void write_spare(gm_request *request, const gm_impact_spare *s)
{
    const gm_state *state = gm_api_state(request);
    gm_buf         *out   = &request->out;
    gm_buf_text(out, "{\"id\":");
    gm_buf_json_str(out, gm_state_id(state, s->twin));
    write_need(request, s->need, s->twin);
    gm_buf_printf(out, ",\"needed\":%u,\"working\":%u,\"of\":%u,\"spare\":%u,\"next\":[", s->needed, s->working, s->of, s->working - s->needed);
    for (uint32_t i = 0; i < GM_IMPACT_NEXT_MAX && gm_twin_ok(s->next[i]); i++) {
        if (i > 0) gm_buf_byte(out, ',');
        gm_buf_json_str(out, gm_state_id(state, s->next[i]));
    }
    gm_buf_text(out, "]}");
}

static void write_answer(gm_request *request, const gm_impact *impact, const gm_impact_options *o)
{
    gm_buf *out = &request->out;
    gm_buf_text(out, "{\"twin\":");
    gm_buf_json_str(out, gm_state_id(gm_api_state(request), impact->items[0].twin));
    gm_live_member(out, "mode", o->mode);
    if (impact->injects.len > 0) {
        gm_str twin = gm_state_id(gm_api_state(request), impact->items[0].twin);
        gm_live_member(out, "injects", gm_arena_printf(request->arena, GM_STR_FMT "." GM_STR_FMT, GM_STR_ARG(twin), GM_STR_ARG(impact->injects)));
    }
    add_number(out, "horizon", (double)o->horizon / 1e9);
    gm_buf_printf(out, ",\"stands\":%s,\"standing\":%zu,\"stops\":%zu,\"degraded\":%zu,\"atRisk\":%zu", impact->stands ? "true" : "false", impact->standing,
                  impact->stops, impact->degraded, impact->at_risk);
    add_number(out, "cost", impact->cost);
    add_number(out, "riskCost", impact->risk_cost);
    gm_buf_text(out, ",\"items\":[");
    for (size_t i = 0; i < impact->count; i++) {
        if (i > 0) gm_buf_byte(out, ',');
        write_item(request, &impact->items[i]);
    }
    gm_buf_text(out, "],\"redundancy\":[");
    for (size_t i = 0; i < impact->spare_count; i++) {
        if (i > 0) gm_buf_byte(out, ',');
        write_spare(request, &impact->spares[i]);
    }
    gm_buf_printf(out, "],\"more\":%s", impact->more ? "true" : "false");
    if (gm_principal_scoped(request->principal)) gm_buf_printf(out, ",\"hidden\":%zu", impact->hidden);
    gm_live_member(out, "why", gm_str_of(impact->why));
    gm_buf_byte(out, '}');
    gm_reply_json(request, 200);
}

void gm_route_impact(gm_request *request)
{
    gm_impact_options o = gm_impact_options_defaults(request->api->options.clock);
    gm_failure_moment at = gm_api_failure_moment(request);
    gm_impact         impact;
    gm_error          err = { 0 };
    gm_str            id, mode;
    gm_twin           twin;
    uint64_t          limit;
    if (!gm_request_parameter(request, "twin", &id) || !gm_request_parameter(request, "mode", &mode) ||
        !gm_request_number(request, "limit", 1, LIMIT_MOST, 1000, &limit) || !gm_api_failure_asked(request, id, &twin, &o.horizon))
        return;
    o.mode       = mode;
    o.list_max   = (size_t)limit;
    o.fence      = gm_api_fence(request);
    gm_status st = gm_impact_find(request->api->options.failures, &at, twin, &o, &impact, &err);
    if (st != GM_OK) { gm_reply_failure(request, st, &err); return; }
    if (impact.count > 0) write_answer(request, &impact, &o);
    else gm_reply_error(request, 400, "InvalidArgument", "the failure's own delay is longer than the horizon");
    gm_impact_finish(&impact);
}
