// A payload against the telemetry parser: what it accepts jansson must read, and to the same values; what it refuses
// must be refused with a place inside the payload.
#include "link/telemetry.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char model_text[] =
    "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:f:C;1\",\"@type\":\"Interface\",\"contents\":["
    "{\"@type\":\"Telemetry\",\"name\":\"n\",\"schema\":\"integer\"}]},"
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:f:T;1\",\"@type\":\"Interface\",\"contents\":["
    "{\"@type\":\"Telemetry\",\"name\":\"d\",\"schema\":\"double\"},{\"@type\":\"Telemetry\",\"name\":\"f\",\"schema\":"
    "\"float\"},"
    "{\"@type\":\"Telemetry\",\"name\":\"i\",\"schema\":\"integer\"},{\"@type\":\"Telemetry\",\"name\":\"l\","
    "\"schema\":\"long\"},"
    "{\"@type\":\"Telemetry\",\"name\":\"b\",\"schema\":\"boolean\"},{\"@type\":\"Property\",\"name\":\"s\",\"schema\":"
    "\"string\"},"
    "{\"@type\":\"Property\",\"name\":\"day\",\"schema\":\"date\"},{\"@type\":\"Property\",\"name\":\"dur\",\"schema\":"
    "\"duration\"},"
    "{\"@type\":\"Property\",\"name\":\"e\",\"schema\":{\"@type\":\"Enum\",\"valueSchema\":\"string\",\"enumValues\":["
    "{\"name\":\"on\",\"enumValue\":\"on\"},{\"name\":\"off\",\"enumValue\":\"off\"}]}},"
    "{\"@type\":\"Property\",\"name\":\"o\",\"schema\":{\"@type\":\"Object\",\"fields\":[{\"name\":\"x\",\"schema\":"
    "\"double\"},"
    "{\"name\":\"y\",\"schema\":\"string\"}]}},"
    "{\"@type\":\"Property\",\"name\":\"m\",\"schema\":{\"@type\":\"Map\",\"mapKey\":{\"name\":\"k\",\"schema\":"
    "\"string\"},"
    "\"mapValue\":{\"name\":\"v\",\"schema\":\"string\"}}},"
    "{\"@type\":\"Property\",\"name\":\"a\",\"schema\":{\"@type\":\"Array\",\"elementSchema\":{\"@type\":\"Array\","
    "\"elementSchema\":\"double\"}}},"
    "{\"@type\":\"Component\",\"name\":\"c\",\"schema\":\"dtmi:f:C;1\"}]}]";

static gm_model           *model;  // for as long as the program runs
static const gm_type      *type;
static gm_telemetry_names *names;
static gm_telemetry_reader reader;

static void start(void)
{
    gm_error        err    = { 0 };
    gm_model_source source = { .text = gm_str_of(model_text) };
    gm_findings     found  = { 0 };
    model                  = gm_model_create(gm_alloc_system());
    if (gm_model_add(model, &source, 1, &found, &err) != GM_OK) abort();
    gm_findings_finish(&found);
    type = gm_model_find(model, GM_STR("dtmi:f:T;1"));
    if (gm_telemetry_names_create(gm_alloc_system(), type, &names, &err) != GM_OK) abort();
    gm_telemetry_reader_init(&reader, gm_alloc_system());
}

static void same(const gm_cell_write *cell, const json_t *json)
{
    gm_str rest = type->columns[cell->column].path, part;
    while (gm_str_next(&rest, '/', &part)) json = json_object_getn(json, part.ptr, part.len);
    bool ok = json != NULL;
    switch (cell->value.kind) {
    case GM_KIND_DOUBLE: ok = ok && cell->value.d == json_number_value(json); break;
    case GM_KIND_INT: ok = ok && (double)cell->value.i == json_number_value(json); break;
    case GM_KIND_BOOL: ok = ok && cell->value.i == json_is_true(json); break;
    case GM_KIND_STRING:
        ok = ok && cell->value.s.len == json_string_length(json) &&
             memcmp(cell->value.s.ptr, json_string_value(json), cell->value.s.len) == 0;
        break;
    default: {
        json_t *kept =
            json_loadb(cell->value.s.ptr, cell->value.s.len, JSON_DECODE_INT_AS_REAL | JSON_REJECT_DUPLICATES, NULL);
        ok           = ok && kept != NULL && json_equal(kept, json);
        json_decref(kept);
    }
    }
    if (!ok) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (names == NULL) start();
    gm_error  err;
    gm_str    payload = { (const char *)data, size };
    gm_status st      = gm_telemetry_read(&reader, names, GM_TELEMETRY_TWIN, payload, 5, GM_TIME_MAX, &err);
    if (st != GM_OK) {
        size_t place;
        if (st != GM_INVALID || sscanf(err.text, "byte %zu: ", &place) != 1 || place > size) abort();
        return 0;
    }
    json_t *json = json_loadb(payload.ptr, payload.len, JSON_DECODE_INT_AS_REAL | JSON_REJECT_DUPLICATES, NULL);
    if (json == NULL) abort();
    for (size_t i = 0; i < reader.count; i++) same(&reader.cells[i], json);
    json_decref(json);
    return 0;
}
