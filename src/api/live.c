#include "api/live.h"

#include "api/routes.h"
#include "state/document.h"

#include <math.h>

const char *gm_live_kind(gm_kind kind)
{
    switch (kind) {
    case GM_KIND_BOOL: return "boolean";
    case GM_KIND_INT: return "integer";
    case GM_KIND_DOUBLE: return "number";
    case GM_KIND_STRING: return "string";
    default: return "json";
    }
}

static const char *schema_name(const gm_schema *schema)
{
    static const char *const names[GM_SCHEMA_COUNT] = {
        [GM_SCHEMA_BOOLEAN]          = "boolean",
        [GM_SCHEMA_BYTE]             = "byte",
        [GM_SCHEMA_SHORT]            = "short",
        [GM_SCHEMA_INTEGER]          = "integer",
        [GM_SCHEMA_LONG]             = "long",
        [GM_SCHEMA_UNSIGNED_BYTE]    = "unsignedByte",
        [GM_SCHEMA_UNSIGNED_SHORT]   = "unsignedShort",
        [GM_SCHEMA_UNSIGNED_INTEGER] = "unsignedInteger",
        [GM_SCHEMA_UNSIGNED_LONG]    = "unsignedLong",
        [GM_SCHEMA_FLOAT]            = "float",
        [GM_SCHEMA_DOUBLE]           = "double",
        [GM_SCHEMA_DECIMAL]          = "decimal",
        [GM_SCHEMA_STRING]           = "string",
        [GM_SCHEMA_BYTES]            = "bytes",
        [GM_SCHEMA_UUID]             = "uuid",
        [GM_SCHEMA_DATE]             = "date",
        [GM_SCHEMA_DATETIME]         = "dateTime",
        [GM_SCHEMA_TIME]             = "time",
        [GM_SCHEMA_DURATION]         = "duration",
        [GM_SCHEMA_SCALED_DECIMAL]   = "scaledDecimal",
        [GM_SCHEMA_ENUM]             = "enum",
        [GM_SCHEMA_OBJECT]           = "object",
        [GM_SCHEMA_MAP]              = "map",
        [GM_SCHEMA_ARRAY]            = "array",
    };
    return schema != NULL && schema->kind < GM_SCHEMA_COUNT && names[schema->kind] != NULL ? names[schema->kind]
                                                                                           : "any";
}

void gm_live_member(gm_buf *out, const char *key, gm_str text)
{
    if (text.len == 0) return;
    gm_buf_printf(out, ",\"%s\":", key);
    gm_buf_json_str(out, text);
}

void gm_live_number(gm_buf *out, const char *key, double value)
{
    if (!isfinite(value)) return;
    gm_buf_printf(out, ",\"%s\":", key);
    gm_buf_json_number(out, value);
}

void gm_live_time(gm_buf *out, const char *key, gm_time_ns time)
{
    if (time == GM_ABSENT) return;
    char text[GM_TIME_TEXT];
    gm_time_format(time, text);
    gm_buf_printf(out, ",\"%s\":\"%s\"", key, text);
}

gm_str gm_live_name(const gm_state *state, gm_twin twin)
{
    const gm_type *type    = gm_state_type(state, twin);
    const gm_str   names[] = { GM_STR("name"), GM_STR("displayName") };
    for (size_t i = 0; i < 2; i++) {
        uint32_t column = gm_type_column_index(type, names[i]);
        gm_cell  cell;
        if (column == GM_NO_COLUMN || type->columns[column].kind != GM_KIND_STRING) continue;
        gm_state_get(state, twin, column, &cell);
        if (cell.value.kind == GM_KIND_STRING && cell.value.s.len > 0) return cell.value.s;
    }
    return gm_state_id(state, twin);
}

static void write_choices(const gm_schema *schema, gm_buf *out)
{
    if (schema == NULL || schema->kind != GM_SCHEMA_ENUM) return;
    gm_buf_text(out, ",\"choices\":[");
    for (size_t i = 0; i < schema->enum_value_count; i++) {
        const gm_enum_value *choice = &schema->enum_values[i];
        gm_buf_text(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        gm_buf_json_str(out, choice->name);
        gm_live_member(out, "displayName", choice->display_name);
        gm_buf_text(out, ",\"value\":");
        gm_document_write_value(choice->value, out);
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, ']');
}

static void write_column(const gm_state *state, gm_twin twin, const gm_type *type, uint32_t index, gm_buf *out)
{
    const gm_column *column = &type->columns[index];
    gm_cell          cell;
    gm_state_get(state, twin, index, &cell);
    gm_buf_text(out, "{\"path\":");
    gm_buf_json_str(out, column->path);
    gm_live_member(out, "name", column->name);
    gm_live_member(out, "displayName", column->display_name.len > 0 ? column->display_name : column->path);
    gm_live_member(out, "description", column->description);
    gm_buf_printf(out, ",\"kind\":\"%s\",\"schema\":\"%s\"", gm_live_kind(column->kind), schema_name(column->schema));
    write_choices(column->schema, out);
    gm_live_member(out, "unit", column->unit);
    gm_live_member(out, "symbol", column->unit_symbol);
    gm_buf_printf(out, ",\"telemetry\":%s,\"writable\":%s", column->is_telemetry ? "true" : "false",
                  column->writable ? "true" : "false");
    if (column->component != GM_NO_COMPONENT)
        gm_live_member(out, "component", type->components[column->component].name);
    gm_buf_text(out, ",\"value\":");
    gm_document_write_value(cell.value, out);
    gm_live_time(out, "sourceTime", cell.source);
    gm_live_time(out, "ingestTime", cell.ingest);
    gm_buf_byte(out, '}');
}

static void write_relationships(const gm_state *state, const gm_fence *fence, gm_twin twin, bool incoming, gm_buf *out)
{
    gm_edge edge = incoming ? gm_state_first_in(state, twin) : gm_state_first_out(state, twin);
    gm_buf_byte(out, '[');
    for (size_t n = 0; gm_edge_ok(edge) && n < GM_LIVE_RELATIONSHIPS_MAX;) {
        gm_relationship r     = gm_state_relationship(state, edge);
        gm_edge         here  = edge;
        edge = incoming ? gm_state_next_in(state, edge) : gm_state_next_out(state, edge);
        if (!gm_fence_shows_edge(fence, state, here)) continue;
        gm_twin         other = incoming ? r.source : r.target;
        gm_buf_text(out, n++ > 0 ? ",{\"id\":" : "{\"id\":");
        gm_buf_json_str(out, r.id);
        gm_live_member(out, "name", r.name);
        gm_live_member(out, incoming ? "source" : "target", gm_state_id(state, other));
        gm_live_member(out, incoming ? "sourceName" : "targetName", gm_live_name(state, other));
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, ']');
}

static void write_payload(const char *key, gm_str name, const gm_schema *schema, gm_buf *out)
{
    if (schema == NULL) return;
    gm_buf_printf(out, ",\"%s\":{\"name\":", key);
    gm_buf_json_str(out, name);
    gm_buf_printf(out, ",\"schema\":\"%s\"", schema_name(schema));
    write_choices(schema, out);
    gm_buf_byte(out, '}');
}

static void write_commands(const gm_type *type, gm_buf *out)
{
    gm_buf_byte(out, '[');
    for (size_t i = 0; i < type->command_count; i++) {
        const gm_command *command = &type->commands[i];
        gm_buf_text(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        gm_buf_json_str(out, command->name);
        gm_live_member(out, "displayName", command->display_name);
        gm_live_member(out, "description", command->description);
        if (command->component != GM_NO_COMPONENT)
            gm_live_member(out, "component", type->components[command->component].name);
        write_payload("request", command->request_name, command->request, out);
        write_payload("response", command->response_name, command->response, out);
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, ']');
}

void gm_live_write(const gm_state *state, const gm_fence *fence, gm_twin twin, gm_buf *out)
{
    const gm_type *type = gm_state_type(state, twin);
    char           etag[GM_ETAG_TEXT];
    gm_str         tag = { etag, gm_document_etag(gm_state_version(state, twin), etag) };
    gm_buf_text(out, "{\"id\":");
    gm_buf_json_str(out, gm_state_id(state, twin));
    gm_live_member(out, "name", gm_live_name(state, twin));
    gm_live_member(out, "model", type->id);
    gm_live_member(out, "modelName", type->display_name);
    gm_live_member(out, "etag", tag);
    gm_live_time(out, "lastUpdateTime", gm_state_changed(state, twin));
    gm_buf_text(out, ",\"values\":[");
    for (uint32_t i = 0; i < type->column_count; i++) {
        if (i > 0) gm_buf_byte(out, ',');
        write_column(state, twin, type, i, out);
    }
    gm_buf_text(out, "],\"relationships\":{\"out\":");
    write_relationships(state, fence, twin, false, out);
    gm_buf_text(out, ",\"in\":");
    write_relationships(state, fence, twin, true, out);
    gm_buf_text(out, "},\"commands\":");
    write_commands(type, out);
    gm_buf_byte(out, '}');
}

void gm_route_live(gm_request *request)
{
    gm_twin twin = gm_api_twin(request);
    if (!gm_twin_ok(twin)) return;
    gm_live_write(gm_api_state(request), gm_api_fence(request), twin, &request->out);
    gm_reply_json(request, 200);
}
