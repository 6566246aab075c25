// GET /v1/rul, /v1/anomalies: how long is left, and what is not as it was.
#include "api/live.h"
#include "api/routes.h"
#include "base/number.h"
#include "insight/live/insight.h"
#include "insight/live/wear.h"

#include <math.h>

enum { LIMIT_MOST = 10000 };

static void add_number(gm_buf *out, const char *key, double value)
{
    gm_buf_printf(out, ",\"%s\":", key);
    gm_buf_json_number(out, value);
}

static void write_intervals(const gm_rul_prediction *p, gm_buf *out)
{
    for (int l = 0; l < GM_RUL_LEVELS; l++) {
        char low[GM_NUMBER_TEXT], high[GM_NUMBER_TEXT];
        gm_number_write(p->low[l], low);
        gm_number_write(p->high[l], high);
        gm_buf_printf(out, "%s\"%d\":[%s,%s]", l > 0 ? "," : "", (int)(100 * gm_rul_level_share((gm_rul_level)l) + 0.5),
                      low, high);
    }
}

static void write_life(const gm_state *state, const gm_insight_life *life, gm_buf *out)
{
    gm_buf_text(out, "{\"twin\":");
    gm_buf_json_str(out, gm_state_id(state, life->twin));
    gm_live_member(out, "model", life->detector);
    gm_buf_printf(out, ",\"version\":%u", life->version);
    gm_live_time(out, "at", life->at);
    gm_buf_printf(out, ",\"rows\":%zu", life->rows);
    add_number(out, "rul", life->predicted.rul);
    add_number(out, "health", life->predicted.health);
    gm_buf_text(out, ",\"intervals\":{");
    write_intervals(&life->predicted, out);
    gm_buf_text(out, "},\"similar\":[");
    for (size_t i = 0; i < life->similar_count; i++) {
        gm_buf_printf(out, "%s{\"unit\":%u", i > 0 ? "," : "", life->similar[i].unit);
        add_number(out, "left", life->similar[i].left);
        add_number(out, "weight", life->similar[i].weight);
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, ']');
    if (life->similar_count > 0) add_number(out, "similarRul", life->similar_rul);
    gm_buf_byte(out, '}');
}

static void add_hours(gm_buf *out, const char *before, double hours)
{
    char digits[GM_NUMBER_TEXT] = "null";  // beyond the horizon
    if (!isnan(hours)) gm_number_write(hours, digits);
    gm_buf_printf(out, "%s%s", before, digits);
}

static void write_wear(const gm_state *state, const gm_wear_view *v, gm_buf *out)
{
    gm_buf_text(out, "{\"twin\":");
    gm_buf_json_str(out, gm_state_id(state, v->twin));
    gm_live_member(out, "name", v->name);
    gm_live_member(out, "until", v->until);
    if (v->trouble[0] != '\0') gm_live_member(out, "trouble", gm_str_of(v->trouble));
    if (v->at != 0) {
        gm_live_time(out, "at", v->at);
        add_number(out, "horizon", v->horizon);
        add_number(out, "probability", v->probability);
        add_hours(out, ",\"rul\":", v->rul);
        add_hours(out, ",\"sure\":", v->sure);
        for (int l = 0; l < GM_RUL_LEVELS; l++) {
            gm_buf_printf(out, "%s\"%d\":", l > 0 ? "," : ",\"intervals\":{", (int)(100 * gm_rul_level_share((gm_rul_level)l) + 0.5));
            add_hours(out, "[", v->low[l]);
            add_hours(out, ",", v->high[l]);
            gm_buf_byte(out, ']');
        }
        gm_buf_printf(out, "},\"lanes\":%u,\"failed\":%u", v->lanes, v->failed);
    }
    gm_buf_byte(out, '}');
}

static void write_wears(gm_request *request, gm_str only, gm_buf *out)
{
    const gm_wears *wears = request->api->options.wears;
    bool            some  = false;
    if (wears == NULL || gm_wears_count(wears) == 0) return;
    gm_buf_text(out, ",\"wear\":[");
    for (uint32_t i = 0; i < gm_wears_count(wears); i++) {
        gm_wear_view v = gm_wears_at(wears, i);
        if (!gm_twin_ok(v.twin) || !gm_state_exists(gm_api_state(request), v.twin) || !gm_api_sees(request, v.twin)) continue;
        if (only.ptr != NULL && !gm_str_eq(only, gm_state_id(gm_api_state(request), v.twin))) continue;
        if (some) gm_buf_byte(out, ',');
        some = true;
        write_wear(gm_api_state(request), &v, out);
    }
    gm_buf_byte(out, ']');
}

static void write_models(const gm_insight *insight, gm_buf *out)
{
    gm_insight_model m;
    gm_buf_text(out, ",\"models\":[");
    for (size_t i = 0; gm_insight_model_at(insight, i, &m); i++) {
        gm_buf_text(out, i > 0 ? ",{\"model\":" : "{\"model\":");
        gm_buf_json_str(out, m.detector);
        gm_buf_printf(out, ",\"version\":%u,\"retraining\":%s", m.version, m.retraining ? "true" : "false");
        if (m.verdict[0] != '\0') gm_live_member(out, "verdict", gm_str_of(m.verdict));
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, ']');
}

void gm_route_rul(gm_request *request)
{
    gm_insight            *insight = request->api->options.insight;
    const gm_insight_life *lives   = NULL;
    uint64_t               limit;
    gm_str                 only = { 0 };
    if (!gm_request_number(request, "limit", 1, LIMIT_MOST, 1000, &limit)) return;
    if (!gm_request_parameter(request, "twin", &only)) return;
    bool        one   = only.ptr != NULL;
    size_t      count = insight != NULL ? gm_insight_lives(insight, &lives) : 0, written = 0;
    gm_buf     *out = &request->out;
    const char *why = insight != NULL ? gm_insight_statistics(insight).trouble : "";
    gm_buf_text(out, "{\"items\":[");
    for (size_t i = 0; i < count && written < limit; i++) {
        if (!gm_api_sees(request, lives[i].twin)) continue;
        if (one && !gm_str_eq(only, gm_state_id(gm_api_state(request), lives[i].twin))) continue;
        if (written++ > 0) gm_buf_byte(out, ',');
        write_life(gm_api_state(request), &lives[i], out);
    }
    gm_buf_byte(out, ']');
    write_wears(request, only, out);
    bool whole = !gm_principal_scoped(request->principal);
    if (insight != NULL && whole) write_models(insight, out);
    if (why[0] != '\0' && whole) gm_live_member(out, "trouble", gm_str_of(why));
    gm_buf_byte(out, '}');
    gm_reply_json(request, 200);
}

void gm_route_anomalies(gm_request *request)
{
    const gm_insight   *insight = request->api->options.insight;
    const gm_anomalies *all     = insight != NULL ? gm_insight_anomalies(insight) : NULL;
    uint64_t            limit;
    gm_str              only = { 0 };
    if (!gm_request_number(request, "limit", 1, GM_ANOMALIES_MAX, 100, &limit)) return;
    if (!gm_request_parameter(request, "twin", &only)) return;
    bool    one  = only.ptr != NULL;
    size_t  kept = all != NULL ? gm_anomalies_count(all) : 0, written = 0;
    gm_buf *out = &request->out;
    gm_buf_text(out, "{\"items\":[");
    for (size_t i = 0; i < kept && written < limit; i++) {
        gm_anomaly a = gm_anomalies_at(all, i);
        if ((one && !gm_str_eq(only, a.twin)) || !gm_twin_ok(gm_api_find(request, a.twin))) continue;
        gm_buf_printf(out, "%s{\"sequence\":%llu,\"twin\":", written++ > 0 ? "," : "", (unsigned long long)a.sequence);
        gm_buf_json_str(out, a.twin);
        gm_live_member(out, "detector", a.detector);
        gm_buf_printf(out, ",\"open\":%s", a.open ? "true" : "false");
        // The record's own object goes on from here.
        if (a.text.len > 2) {
            gm_buf_byte(out, ',');
            gm_buf_str(out, gm_str_slice(a.text, 1, a.text.len));
        } else
            gm_buf_byte(out, '}');
    }
    gm_buf_text(out, "]}");
    gm_reply_json(request, 200);
}
