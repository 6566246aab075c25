// /v1/plans: what rules/*.plan say, as it was last made.
#include "api/live.h"
#include "api/routes.h"
#include "control/optimise/plans.h"

#include <math.h>

static void write_plan(const gm_plans_view *v, gm_buf *out)
{
    gm_buf_text(out, "{\"name\":");
    gm_buf_json_str(out, v->setup->name);
    gm_live_member(out, "root", v->setup->root);
    gm_buf_printf(out, ",\"running\":%s,\"armed\":%s", v->running ? "true" : "false", v->armed ? "true" : "false");
    if (v->trouble[0] != '\0') gm_live_member(out, "trouble", gm_str_of(v->trouble));
    if (v->next != 0) gm_live_time(out, "next", v->next);
    if (v->solved) {
        gm_live_time(out, "at", v->at);
        gm_live_number(out, "seconds", v->seconds);
        gm_live_number(out, "cost", v->advice.cost);
        gm_live_number(out, "held", v->advice.held);
        gm_live_number(out, "gain", v->advice.gain);
        gm_live_number(out, "gainDeviation", v->advice.gain_deviation);
        gm_live_number(out, "broken", v->advice.broken);
        gm_buf_printf(out, ",\"from\":\"%s\",", v->estimated ? "estimate" : "state");
        gm_buf_str(out, v->result);
    }
    gm_buf_byte(out, '}');
}

static bool sees(gm_request *request, const gm_plans_view *v)
{
    return !gm_principal_scoped(request->principal) || gm_twin_ok(gm_api_find(request, v->setup->root));
}

void gm_route_plans(gm_request *request)
{
    const gm_plans *plans = request->api->options.plans;
    gm_buf_text(&request->out, "{\"items\":[");
    for (uint32_t i = 0, n = 0; plans != NULL && i < gm_plans_count(plans); i++) {
        gm_plans_view v = gm_plans_at(plans, i);
        if (!sees(request, &v)) continue;
        if (n++ > 0) gm_buf_byte(&request->out, ',');
        write_plan(&v, &request->out);
    }
    gm_buf_text(&request->out, "]}");
    gm_reply_json(request, 200);
}

static bool find(gm_request *request, uint32_t *out_index, gm_plans_view *out)
{
    const gm_plans *plans = request->api->options.plans;
    *out_index            = plans != NULL ? gm_plans_find(plans, request->parameters[0]) : UINT32_MAX;
    if (*out_index != UINT32_MAX) *out = gm_plans_at(plans, *out_index);
    if (*out_index != UINT32_MAX && sees(request, out)) return true;
    gm_reply_error(request, 404, "PlanNotFound", "There is no plan '" GM_STR_FMT "'; GET /v1/plans lists them.", GM_STR_ARG(gm_str_slice(request->parameters[0], 0, 60)));
    return false;
}

void gm_route_plan(gm_request *request)
{
    uint32_t      i;
    gm_plans_view v;
    if (!find(request, &i, &v)) return;
    write_plan(&v, &request->out);
    gm_reply_json(request, 200);
}

void gm_route_plan_make(gm_request *request)
{
    uint32_t      i;
    gm_plans_view v;
    gm_error      err = { 0 };
    if (!find(request, &i, &v)) return;
    gm_status st = gm_plans_make(request->api->options.plans, i, &err);
    if (st != GM_OK) {
        gm_reply_failure(request, st, &err);
        return;
    }
    v = gm_plans_at(request->api->options.plans, i);
    write_plan(&v, &request->out);
    gm_reply_json(request, 202);
}
