// What is served here and how it is: /v1/plant, /v1/dead-letters, /healthz.
#include "api/live.h"
#include "api/routes.h"
#include "api/stream.h"
#include "base/percent.h"
#include "link/topic.h"

void gm_route_plant(gm_request *request)
{
    const gm_api   *api   = request->api;
    const gm_state *state = gm_api_state(request);
    gm_buf         *out   = &request->out;
    gm_dur_ns       up    = gm_monotonic(api->options.clock) - api->started;
    gm_buf_text(out, "{\"name\":");
    gm_buf_json_str(out, api->plant);
    gm_buf_text(out, ",\"version\":");
    gm_buf_json_str(out, api->options.version);
    gm_buf_text(out, ",\"features\":");
    gm_buf_json_str(out, api->options.features);
    gm_live_time(out, "time", gm_api_now(request));
    gm_buf_printf(out, ",\"uptimeSeconds\":%lld", (long long)(up / GM_SECOND));
    if (gm_principal_scoped(request->principal)) {  // the rest is about the whole plant
        gm_buf_byte(out, '}');
        gm_reply_json(request, 200);
        return;
    }
    gm_buf_printf(out, ",\"twins\":%zu,\"relationships\":%zu,\"models\":%zu", gm_state_twin_count(state),
                  gm_state_relationship_count(state), gm_model_count(gm_api_model(request)));
    gm_history_stats history = gm_history_statistics(gm_engine_history(request->engine));
    gm_buf_printf(out, ",\"history\":{\"series\":%llu,\"samples\":%llu}", (unsigned long long)history.series,
                  (unsigned long long)history.samples);
    gm_buf_printf(out, ",\"streams\":%zu", gm_streams_count(api->streams));
    if (api->options.dead_letters != NULL) {
        gm_buf_printf(out, ",\"deadLetters\":%llu",
                      (unsigned long long)gm_dead_letters_total(api->options.dead_letters));
    }
    gm_buf_byte(out, '}');
    gm_reply_json(request, 200);
}

// With a scope: those that a native topic ties to a twin inside it.
static bool may_read(gm_request *request, gm_str topic)
{
    if (!gm_principal_scoped(request->principal)) return true;
    gm_native_topic native = gm_topic_native(topic);
    gm_str          id;
    return native.twin.len > 0 && gm_percent_decode(request->arena, native.twin, &id, NULL) == GM_OK &&
           gm_twin_ok(gm_api_find(request, id));
}

void gm_route_dead_letters(gm_request *request)
{
    const gm_dead_letters *letters = request->api->options.dead_letters;
    uint64_t               limit;
    if (!gm_request_number(request, "limit", 1, GM_DEAD_LETTERS_MAX, 100, &limit)) return;
    size_t  kept = letters != NULL ? gm_dead_letters_count(letters) : 0, written = 0;
    gm_buf *out  = &request->out;
    gm_buf_byte(out, '{');
    if (!gm_principal_scoped(request->principal)) {
        gm_buf_printf(out, "\"total\":%llu,\"kept\":%zu,",
                      (unsigned long long)(letters != NULL ? gm_dead_letters_total(letters) : 0), kept);
    }
    gm_buf_text(out, "\"items\":[");
    for (size_t i = 0; i < kept && written < limit; i++) {
        gm_dead_letter letter = gm_dead_letters_at(letters, i);
        if (!may_read(request, letter.topic)) continue;
        gm_buf_printf(out, "%s{\"sequence\":%llu", written++ > 0 ? "," : "", (unsigned long long)letter.sequence);
        gm_live_time(out, "time", letter.at);
        gm_buf_text(out, ",\"topic\":");
        gm_buf_json_str(out, letter.topic);
        gm_buf_text(out, ",\"reason\":");
        gm_buf_json_str(out, letter.reason);
        gm_buf_text(out, ",\"payload\":");
        gm_buf_json_str(out, letter.payload);
        gm_buf_byte(out, '}');
    }
    gm_buf_text(out, "]}");
    gm_reply_json(request, 200);
}

// A full batch is load, not sickness; a log that takes nothing more is.
void gm_route_health(gm_request *request)
{
    gm_error  err = { 0 };
    gm_status st  = gm_log_status(gm_engine_log(request->engine), &err);
    gm_reply_header(request, "Cache-Control", "no-store");
    if (st == GM_OK || st == GM_LIMIT) {
        gm_buf_text(&request->out, "{\"status\":\"ok\"}");
        gm_reply_json(request, 200);
    } else {
        gm_buf_text(&request->out, "{\"status\":\"read-only\",\"reason\":");
        gm_buf_json_str(&request->out, gm_str_of(err.text));
        gm_buf_byte(&request->out, '}');
        gm_reply_json(request, 503);
    }
}
