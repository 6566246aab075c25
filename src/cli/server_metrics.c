// What the MQTT endpoint, mappings and bridges add to GET /metrics; the API writes the rest itself.
#include "cli/server_parts.h"

// A mapping that never matches stands there with 0.
static void write_map_metrics(const gm_maps *maps, gm_buf *out)
{
    static const char *const names[] = { "messages_total", "applied_total", "rejected_total" };
    for (size_t k = 0; gm_maps_count(maps) > 0 && k < GM_COUNT_OF(names); k++) {
        gm_buf_printf(out, "# TYPE gemel_mapping_%s counter\n", names[k]);
        for (size_t i = 0; i < gm_maps_count(maps); i++) {
            const gm_map  *map      = gm_maps_at(maps, i);
            const uint64_t values[] = { map->stats.messages, map->stats.applied, map->stats.rejected };
            gm_buf_printf(out, "gemel_mapping_%s{file=", names[k]);
            gm_buf_json_str(out, map->file);
            gm_buf_text(out, ",mapping=");
            gm_buf_json_str(out, map->name);
            gm_buf_printf(out, "} %llu\n", (unsigned long long)values[k]);
        }
    }
}

static void write_alarms(gm_control *control, gm_buf *out)
{
    const gm_alarms *alarms = control != NULL ? gm_control_alarms(control) : NULL;
    size_t           wanted = 0;
    for (size_t i = 0; alarms != NULL && i < gm_alarms_count(alarms); i++) {
        gm_alarm alarm = gm_alarms_at(alarms, i);
        wanted += gm_alarm_wants_attention(&alarm);
    }
    gm_buf_printf(out, "# HELP gemel_alarms Alarms that want attention.\n# TYPE gemel_alarms gauge\ngemel_alarms %zu\n", wanted);
}

void gm_server_write_metrics(void *context, gm_buf *out)
{
    gm_server *server = context;
    write_alarms(server->control, out);
    if (server->mqtt == NULL) return;
    gm_mqtt_statistics s = gm_mqtt_server_statistics(server->mqtt);
    const struct { const char *name, *type; uint64_t value;
    } rows[] = {
        { "connections", "gauge", s.connections },
        { "connections_total", "counter", s.connections_total },
        { "connections_refused_total", "counter", s.connections_refused },
        { "sessions", "gauge", s.sessions },
        { "subscriptions", "gauge", s.subscriptions },
        { "durable_sessions", "gauge", s.durable_sessions },
        { "queued_messages", "gauge", s.queued },
        { "retained_messages", "gauge", s.retained },
        { "received_packets_total", "counter", s.packets_in },
        { "received_bytes_total", "counter", s.bytes_in },
        { "sent_bytes_total", "counter", s.bytes_out },
        { "received_messages_total", "counter", s.messages_in },
        { "sent_messages_total", "counter", s.messages_out },
        { "native_applied_total", "counter", s.native_applied },
        { "native_rejected_total", "counter", s.native_rejected },
        { "dropped_messages_total", "counter",
          s.dropped_slow + s.dropped_queue + s.dropped_expired + s.dropped_too_large },
        { "protocol_errors_total", "counter", s.protocol_errors },
        { "not_authorized_total", "counter", s.not_authorized },
        { "paused_total", "counter", s.paused },
    };
    for (size_t i = 0; i < GM_COUNT_OF(rows); i++) {
        gm_buf_printf(out, "# TYPE gemel_mqtt_%s %s\ngemel_mqtt_%s %llu\n", rows[i].name, rows[i].type, rows[i].name,
                      (unsigned long long)rows[i].value);
    }
    write_map_metrics(server->maps, out);
    gm_bridges_write_metrics(&server->bridges, out);
}
