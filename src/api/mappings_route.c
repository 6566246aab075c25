// /v1/mappings: how foreign messages become values of twins, how each mapping fares, and what one would make of a message.
#include "api/live.h"
#include "api/routes.h"
#include "link/ingest.h"
#include "link/map.h"
#include "state/document.h"

static const char *format_name(gm_map_format format)
{
    static const char *const names[GM_MAP_FORMAT_COUNT] = { "json", "csv", "scalar", "sparkplug", "line" };
    return names[format];
}

static gm_maps *maps_of(const gm_request *request)
{
    return request->api->options.ingest != NULL ? gm_ingest_maps(request->api->options.ingest) : NULL;
}

void gm_route_mappings(gm_request *request)
{
    const gm_maps *maps = maps_of(request);
    gm_buf        *out  = &request->out;
    gm_buf_text(out, "{\"items\":[");
    for (size_t i = 0; maps != NULL && i < gm_maps_count(maps); i++) {
        const gm_map *map = gm_maps_at(maps, i);
        gm_buf_text(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        gm_buf_json_str(out, map->name);
        gm_live_member(out, "file", map->file);
        gm_live_member(out, "format", gm_str_of(format_name(map->format)));
        if (map->topic.len > 0) gm_live_member(out, "topic", map->topic);
        gm_buf_printf(out, ",\"messages\":%llu,\"applied\":%llu,\"rejected\":%llu", (unsigned long long)map->stats.messages, (unsigned long long)map->stats.applied,
                      (unsigned long long)map->stats.rejected);
        if (map->stats.last_error[0] != '\0') gm_live_member(out, "lastError", gm_str_of(map->stats.last_error));
        gm_buf_byte(out, '}');
    }
    gm_buf_text(out, "]}");
    gm_reply_json(request, 200);
}

// ---- what would it make of it? ------------------------------------------------------------------------------------

static void write_value(gm_buf *out, const gm_map_value *v, const gm_column *column)
{
    gm_value fitted;
    gm_error why = { 0 };
    gm_buf_text(out, "{\"path\":");
    gm_buf_json_str(out, v->path);
    gm_buf_text(out, ",\"value\":");
    gm_document_write_value(v->value, out);
    if (column != NULL && gm_map_fit(column, v->rule, &v->value, &fitted, &why) == GM_OK) {
        gm_buf_text(out, ",\"fits\":");
        gm_document_write_value(fitted, out);
        if (column->unit.len > 0) gm_live_member(out, "unit", column->unit_symbol.len > 0 ? column->unit_symbol : column->unit);
    } else if (column != NULL) {
        gm_live_member(out, "trouble", gm_str_of(why.text));
    }
    gm_buf_byte(out, '}');
}

static gm_status write_update(void *context, const gm_mapped *m, gm_error *err)
{
    gm_request       *request = context;
    gm_buf           *out     = &request->out;
    gm_twin           twin    = gm_state_find(gm_api_state(request), m->twin);
    const gm_type    *type    = gm_twin_ok(twin) ? gm_state_type(gm_api_state(request), twin) : NULL;
    gm_map_cell_list  cells;
    gm_error          why = { 0 };
    if (out->ptr[out->len - 1] != '[') gm_buf_byte(out, ',');
    gm_buf_text(out, "{\"twin\":");
    gm_buf_json_str(out, m->twin);
    gm_buf_printf(out, ",\"exists\":%s,\"creates\":%s", type != NULL ? "true" : "false", m->create.len > 0 ? "true" : "false");
    if (m->at != GM_MAP_NO_TIME) gm_live_time(out, "time", m->at);
    gm_time_ns now = gm_api_now(request);
    if (type != NULL && gm_map_cells(m, type, now, INT64_MAX, request->arena, &cells, &why) != GM_OK) gm_live_member(out, "trouble", gm_str_of(why.text));
    if (type == NULL && m->create.len == 0) gm_live_member(out, "trouble", GM_STR("there is no such twin, and the mapping creates none"));
    gm_buf_text(out, ",\"values\":[");
    for (size_t i = 0; i < m->count; i++) {
        if (i > 0) gm_buf_byte(out, ',');
        write_value(out, &m->values[i], type != NULL ? gm_type_column(type, m->values[i].path) : NULL);
    }
    gm_buf_text(out, "]}");
    return out->failed ? gm_fail(err, GM_NOMEM, "api.mappings", "trying a mapping") : GM_OK;
}

static void try_message(gm_request *request, const gm_maps *maps, gm_str topic, gm_str payload, bool live)
{
    gm_error err = { 0 };
    gm_buf  *out = &request->out;
    gm_map  *map = maps != NULL ? gm_maps_of_topic(maps, topic) : NULL;
    // A birth of Sparkplug names metrics for the messages after it: a live mapping must not learn from a trial.
    if (live && map != NULL && map->format == GM_MAP_SPARKPLUG) {
        gm_reply_error(request, 400, "InvalidArgument", "The mapping '" GM_STR_FMT "' learns from births: give its file as 'text' to try it.", GM_STR_ARG(map->name));
        return;
    }
    gm_buf_text(out, "{\"updates\":[");
    gm_status st = map != NULL ? gm_map_read(map, topic, payload, request->arena, write_update, request, &err) : GM_OK;
    gm_buf_byte(out, ']');
    if (map != NULL) gm_live_member(out, "mapping", map->name);
    else gm_live_member(out, "refused", GM_STR("no mapping takes this topic"));
    if (st == GM_INVALID || st == GM_LIMIT) gm_live_member(out, "refused", gm_str_of(err.text));
    gm_buf_byte(out, '}');
    if (st != GM_OK && st != GM_INVALID && st != GM_LIMIT) gm_reply_failure(request, st, &err);
    else gm_reply_json(request, 200);
}

static gm_str text_member(const json_t *body, const char *name)
{
    const json_t *text = json_object_get(body, name);
    return (gm_str){ json_string_value(text), json_string_length(text) };
}

void gm_route_mapping_test(gm_request *request)
{
    const json_t *body = gm_request_json(request);
    gm_maps      *own  = NULL;
    gm_error      err  = { 0 };
    if (body == NULL) return;
    gm_str topic = text_member(body, "topic"), payload = text_member(body, "payload"), text = text_member(body, "text");
    if (topic.len == 0 || payload.ptr == NULL) {
        gm_reply_error(request, 400, "InvalidArgument", "The body is an object with 'topic', 'payload' (both texts) and perhaps 'text', a file of mappings.");
        return;
    }
    gm_status st = text.len > 0 ? gm_maps_create(request->alloc, &own, &err) : GM_OK;
    if (st == GM_OK && text.len > 0) st = gm_maps_add(own, GM_STR("test.json"), text, &err);
    if (st == GM_INVALID) gm_reply_error(request, 400, "InvalidMapping", "Line %u, column %u: %s.", err.line, err.column, err.text);
    else if (st != GM_OK) gm_reply_failure(request, st, &err);
    else try_message(request, text.len > 0 ? own : maps_of(request), topic, payload, text.len == 0);
    gm_maps_destroy(own);
}
