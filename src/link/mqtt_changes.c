// What changes in a twin is published on gemel/{twinId}/changes, for whoever has subscribed to it:
//   {"sequence":42,"time":"2026-01-01T00:00:00.250Z","sourceTime":"...","values":{"temperature":21.37}}
#include "link/mqtt_durable.h"

#include "base/percent.h"
#include "state/document.h"

#include <inttypes.h>

static void put_time(gm_buf *out, const char *name, gm_time_ns time)
{
    char   text[GM_TIME_TEXT];
    size_t len = gm_time_format(time, text);
    gm_buf_printf(out, ",\"%s\":\"%.*s\"", name, (int)len, text);
}

static void put_values(gm_buf *out, const gm_type *type, const gm_change *change)
{
    gm_cell_write  cell;
    const uint8_t *at    = change->cells;
    bool           first = true;
    gm_buf_text(out, ",\"values\":{");
    while (gm_change_next_cell(change, &at, &cell)) {
        if (cell.column >= type->column_count) continue;
        if (!first) gm_buf_byte(out, ',');
        first = false;
        gm_buf_json_str(out, type->columns[cell.column].path);
        gm_buf_byte(out, ':');
        gm_document_write_value(cell.value, out);
    }
    gm_buf_byte(out, '}');
}

static void build(gm_buf *out, const gm_record *record, const gm_change *change, const gm_type *type)
{
    gm_cell_write  cell;
    const uint8_t *at = change->cells;
    gm_buf_clear(out);
    gm_buf_printf(out, "{\"sequence\":%" PRIu64, record->sequence);
    put_time(out, "time", record->ingest);
    if (gm_change_next_cell(change, &at, &cell)) put_time(out, "sourceTime", cell.at);
    put_values(out, type, change);
    gm_buf_byte(out, '}');
}

static void on_change(void *context, const gm_record *record, const gm_change *change)
{
    gm_mqtt_server *server = context;
    if (change->kind != GM_CHANGE_WRITE && change->kind != GM_CHANGE_TWIN_PUT) return;
    if ((server->subscription_count == 0 && server->changes_wanted == 0) || server->closing) return;
    gm_twin         twin  = { change->twin };
    const gm_state *state = gm_engine_state(server->engine);
    if (!gm_state_exists(state, twin)) return;

    gm_buf *topic = &server->changes_topic, *payload = &server->changes_payload;
    gm_buf_clear(topic);
    gm_buf_text(topic, "gemel/");
    gm_percent_encode(topic, gm_state_id(state, twin));
    gm_buf_text(topic, "/changes");
    if (topic->failed) return;
    gm_mqtt_match_topic(server, gm_buf_view(topic), NULL);
    if (server->matches.count == 0 && server->changes_wanted == 0) return;
    build(payload, record, change, gm_state_type(state, twin));
    if (payload->failed) return;
    gm_mqtt_view view = { .topic = gm_buf_view(topic), .payload = gm_buf_view(payload), .properties = { "", 0 } };
    gm_mqtt_tell_listeners(server, GM_MQTT_HEAR_CHANGES_TOO, &view, 1, false);
    if (gm_mqtt_durable_wanted(server, 1)) {
        bool     written;
        gm_error err;
        gm_status st = gm_mqtt_durable_message(server, &view, 1, false, (gm_ask){ 0 }, &written, &err);
        if (st != GM_OK) server->stats.dropped_queue++;
    }
    gm_mqtt_deliver_matches(server, &view, 1, false);
}

gm_status gm_mqtt_changes_begin(gm_mqtt_server *server, gm_error *err)
{
    return gm_engine_observe(server->engine, on_change, server, err);
}

void gm_mqtt_changes_end(gm_mqtt_server *server)
{
    gm_engine_unobserve(server->engine, on_change, server);
}
