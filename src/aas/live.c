// What changes: properties and telemetry as they are now (OperationalData), where their past is (Time Series Data, IDTA 02008-1-1),
// and relationships.
#include "aas/internal.h"
#include "base/percent.h"
#include "state/document.h"

#include <stdio.h>

#define SERIES "https://admin-shell.io/idta/TimeSeries/"

const char *gm_aas_value_type(const gm_schema *s)
{
    gm_schema_kind kind = s->kind == GM_SCHEMA_ENUM ? s->enum_value_kind : s->kind;
    switch (kind) {
    case GM_SCHEMA_BOOLEAN: return "xs:boolean";
    case GM_SCHEMA_BYTE: return "xs:byte";
    case GM_SCHEMA_SHORT: return "xs:short";
    case GM_SCHEMA_INTEGER: return "xs:int";
    case GM_SCHEMA_LONG: return "xs:long";
    case GM_SCHEMA_UNSIGNED_BYTE: return "xs:unsignedByte";
    case GM_SCHEMA_UNSIGNED_SHORT: return "xs:unsignedShort";
    case GM_SCHEMA_UNSIGNED_INTEGER: return "xs:unsignedInt";
    case GM_SCHEMA_UNSIGNED_LONG: return "xs:unsignedLong";
    case GM_SCHEMA_FLOAT: return "xs:float";
    case GM_SCHEMA_DOUBLE: return "xs:double";
    case GM_SCHEMA_DECIMAL: return "xs:decimal";
    case GM_SCHEMA_BYTES: return "xs:base64Binary";
    case GM_SCHEMA_DATE: return "xs:date";
    case GM_SCHEMA_DATETIME: return "xs:dateTime";
    case GM_SCHEMA_TIME: return "xs:time";
    case GM_SCHEMA_DURATION: return "xs:duration";
    default: return "xs:string";  // strings, UUIDs; maps, arrays and scaled decimals as JSON text
    }
}

gm_str gm_aas_time_text(gm_time_ns time, char text[GM_TIME_TEXT])
{
    if (time < GM_TIME_MIN || time > GM_TIME_MAX) return (gm_str){ 0 };
    gm_time_format(time, text);
    return gm_str_of(text);
}

// ---- properties -------------------------------------------------------------------------------------------------------

static void write_value(gm_aas_pen *pen, gm_value value)
{
    char text[GM_NUMBER_TEXT];
    int  n = 0;
    switch (value.kind) {
    case GM_KIND_BOOL: gm_aas_text(pen, "value", value.i != 0 ? GM_STR("true") : GM_STR("false")); break;
    case GM_KIND_INT:
        n = snprintf(text, sizeof text, "%lld", (long long)value.i);
        gm_aas_text(pen, "value", (gm_str){ text, (size_t)n });
        break;
    case GM_KIND_DOUBLE: gm_aas_text(pen, "value", (gm_str){ text, gm_number_write(value.d, text) }); break;
    case GM_KIND_STRING:
    case GM_KIND_JSON: gm_aas_text(pen, "value", value.s); break;
    case GM_KIND_NONE:
    case GM_KIND_COUNT: break;
    }
}

static void write_column(gm_aas_page *p, json_t *names, gm_str name, uint32_t c)
{
    const gm_column *column = &p->thing->type->columns[c];
    gm_cell          cell;
    gm_buf           id = gm_buf_init(p->pen.out->alloc);
    char             time[GM_TIME_TEXT], id_short[GM_AAS_ID_SHORT_MAX + 1];
    gm_state_get(p->world->state, p->thing->twin, c, &cell);
    gm_aas_column_id(p->thing->type->id, column->path, &id);
    gm_aas_id_short_among(names, name, id_short);
    gm_aas_begin(&p->pen, "Property", gm_str_of(id_short), gm_buf_view(&id));
    gm_aas_text(&p->pen, "category", column->is_telemetry ? GM_STR("VARIABLE") : GM_STR("PARAMETER"));
    if (column->unit.len > 0 || cell.value.kind != GM_KIND_NONE) {
        gm_aas_open(&p->pen, "qualifiers", '[');
        gm_aas_qualifier(&p->pen, "unit", "xs:string", column->unit);
        if (cell.value.kind != GM_KIND_NONE) gm_aas_qualifier(&p->pen, "sourceTime", "xs:dateTime", gm_aas_time_text(cell.source, time));
        gm_aas_close(&p->pen, ']');
    }
    gm_aas_text(&p->pen, "valueType", gm_str_of(gm_aas_value_type(column->schema)));
    write_value(&p->pen, cell.value);
    gm_aas_close(&p->pen, '}');
    if (id.failed) p->pen.out->failed = true;
    gm_buf_finish(&id);
}

// The first part of a path behind the first `skip` bytes; *out_leaf: nothing follows it.
static gm_str part_of(gm_str path, size_t skip, bool *out_leaf)
{
    gm_str rest  = gm_str_slice(path, skip, path.len);
    size_t slash = gm_str_find_char(rest, '/');
    *out_leaf    = slash == SIZE_MAX;
    return gm_str_slice(rest, 0, slash);
}

// Columns from `at` on whose path begins with the same `skip` bytes; returns the first that does not. A component or an object is a
// collection of what lies in it. Depth: as DTDL nests objects.
static uint32_t write_level(gm_aas_page *p, uint32_t at, size_t skip)
{
    const gm_type *type   = p->thing->type;
    gm_str         prefix = gm_str_slice(type->columns[at].path, 0, skip);
    json_t        *names  = json_object();
    char           id_short[GM_AAS_ID_SHORT_MAX + 1];
    if (names == NULL) p->pen.out->failed = true;
    while (at < type->column_count && gm_str_starts(type->columns[at].path, prefix)) {
        bool   leaf;
        gm_str name = part_of(type->columns[at].path, skip, &leaf);
        if (leaf) {
            write_column(p, names, name, at++);
            continue;
        }
        uint16_t component = skip == 0 ? type->columns[at].component : (uint16_t)GM_NO_COMPONENT;
        gm_aas_id_short_among(names, name, id_short);
        gm_aas_begin(&p->pen, "SubmodelElementCollection", gm_str_of(id_short),
                     component != GM_NO_COMPONENT ? type->components[component].type->id : (gm_str){ 0 });
        gm_aas_open(&p->pen, "value", '[');
        at = write_level(p, at, skip + name.len + 1);
        gm_aas_end_list(&p->pen);
    }
    json_decref(names);
    return at;
}

void gm_aas_operational(gm_aas_page *p)
{
    if (p->thing->type->column_count > 0) (void)write_level(p, 0, 0);
}

// ---- where the past is ------------------------------------------------------------------------------------------------

static bool has_past(const gm_column *c) { return c->kind == GM_KIND_DOUBLE || c->kind == GM_KIND_INT || c->kind == GM_KIND_BOOL; }

bool gm_aas_has_series(const gm_type *type)
{
    for (size_t i = 0; i < type->column_count; i++) {
        if (has_past(&type->columns[i])) return true;
    }
    return false;
}

static void collection(gm_aas_page *p, gm_str name, const char *semantics)
{
    gm_aas_begin(&p->pen, "SubmodelElementCollection", name, gm_str_of(semantics));
    gm_aas_open(&p->pen, "value", '[');
}

// A record of the series: the time, and a variable for each property, without values.
static void series_metadata(gm_aas_page *p)
{
    const gm_type *type  = p->thing->type;
    json_t        *names = json_pack("{sb}", "Time", 1);
    gm_buf         id    = gm_buf_init(p->pen.out->alloc);
    char           name[GM_AAS_ID_SHORT_MAX + 1];
    collection(p, GM_STR("Metadata"), SERIES "Metadata/1/1");
    gm_aas_words(&p->pen, GM_STR("Name"), GM_STR(SERIES "Metadata/Name/1/1"), p->thing->id);
    collection(p, GM_STR("Record"), SERIES "Record/1/1");
    gm_aas_property(&p->pen, GM_STR("Time"), GM_STR(SERIES "UtcTime/1/1"), "xs:dateTime", (gm_str){ 0 });
    for (size_t i = 0; i < type->column_count; i++) {
        const gm_column *c = &type->columns[i];
        if (!has_past(c)) continue;
        gm_buf_clear(&id);
        gm_aas_column_id(type->id, c->path, &id);
        gm_aas_id_short_among(names, c->path, name);
        gm_aas_property(&p->pen, gm_str_of(name), gm_buf_view(&id), gm_aas_value_type(c->schema), (gm_str){ 0 });
    }
    gm_aas_end_list(&p->pen);
    gm_aas_end_list(&p->pen);
    if (names == NULL || id.failed) p->pen.out->failed = true;
    json_decref(names);
    gm_buf_finish(&id);
}

void gm_aas_series(gm_aas_page *p)
{
    const gm_type *type  = p->thing->type;
    json_t        *names = json_object();
    gm_buf         query = gm_buf_init(p->pen.out->alloc);
    char           name[GM_AAS_ID_SHORT_MAX + 1];
    series_metadata(p);
    collection(p, GM_STR("Segments"), SERIES "Segments/1/1");
    for (size_t i = 0; i < type->column_count; i++) {
        const gm_column *c = &type->columns[i];
        if (!has_past(c)) continue;
        gm_buf_clear(&query);
        gm_buf_text(&query, "twin=");
        gm_percent_encode(&query, p->thing->id);
        gm_buf_text(&query, "&property=");
        gm_percent_encode(&query, c->path);
        gm_aas_id_short_among(names, c->path, name);
        collection(p, gm_str_of(name), SERIES "Segments/LinkedSegment/1/1");
        gm_aas_words(&p->pen, GM_STR("Name"), GM_STR(SERIES "Segment/Name/1/1"), c->path);
        gm_aas_property(&p->pen, GM_STR("Endpoint"), GM_STR(SERIES "Endpoint/1/1"), "xs:string", GM_STR("/v1/history"));
        gm_aas_property(&p->pen, GM_STR("Query"), GM_STR(SERIES "Query/1/1"), "xs:string", gm_buf_view(&query));
        gm_aas_end_list(&p->pen);
    }
    gm_aas_end_list(&p->pen);
    if (names == NULL || query.failed) p->pen.out->failed = true;
    json_decref(names);
    gm_buf_finish(&query);
}

// ---- relationships ----------------------------------------------------------------------------------------------------

static void write_edge(gm_aas_page *p, gm_relationship r)
{
    gm_buf id = gm_buf_init(p->pen.out->alloc);
    gm_aas_column_id(p->thing->type->id, r.name, &id);
    gm_aas_begin(&p->pen, "AnnotatedRelationshipElement", (gm_str){ 0 }, GM_STR(GM_AAS_OWN "Relationship:1"));  // all of a list mean the same (AASd-114)
    gm_aas_supplemental(&p->pen, gm_buf_view(&id));
    gm_buf_clear(&id);
    gm_aas_shell_id(p->thing->id, &id);
    gm_aas_model_reference(&p->pen, "first", "AssetAdministrationShell", gm_buf_view(&id));
    gm_buf_clear(&id);
    gm_aas_shell_id(gm_state_id(p->world->state, r.target), &id);
    gm_aas_model_reference(&p->pen, "second", "AssetAdministrationShell", gm_buf_view(&id));
    gm_aas_open(&p->pen, "annotations", '[');
    gm_aas_property(&p->pen, GM_STR("Id"), (gm_str){ 0 }, "xs:string", r.id);
    gm_aas_property(&p->pen, GM_STR("Name"), (gm_str){ 0 }, "xs:string", r.name);
    if (r.properties.len > 2) gm_aas_property(&p->pen, GM_STR("Properties"), (gm_str){ 0 }, "xs:string", r.properties);
    gm_aas_end_list(&p->pen);
    if (id.failed) p->pen.out->failed = true;
    gm_buf_finish(&id);
}

void gm_aas_relationships(gm_aas_page *p)
{
    const gm_state *s = p->world->state;
    gm_aas_begin_list(&p->pen, GM_STR("Relationships"), (gm_str){ 0 }, "AnnotatedRelationshipElement", (gm_str){ 0 });
    for (gm_edge e = gm_state_first_out(s, p->thing->twin); gm_edge_ok(e); e = gm_state_next_out(s, e)) {
        gm_relationship r = gm_state_relationship(s, e);
        if (gm_aas_sees(p->world, gm_state_id(s, r.target))) write_edge(p, r);
    }
    gm_aas_end_list(&p->pen);
}
