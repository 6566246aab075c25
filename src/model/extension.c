// Sources: the documents of the extensions in https://github.com/Azure/opendigitaltwins-dtdl (annotation,
// historization, mqtt, overriding, quantitativeTypes, requirement, iotcentral) and the published metamodel of the DTDL
// parser for what they leave open (iotoperations; which types may not meet).
#include "model/extension.h"

#include "model/quantity.h"

#include <assert.h>
#include <stdio.h>

#define STD "dtmi:dtdl:extension:"

enum {
    QT1,
    QT2,
    QT3,
    HIST1,
    HIST2,
    ANNO1,
    ANNO2,
    OVER1,
    OVER2,
    MQTT1,
    MQTT2,
    MQTT3,
    MQTT4,
    REQ1,
    REQ2,
    CENTRAL,
    OPERATIONS,
    ONVIF,
    AIO,
    EXTENSION_COUNT
};
_Static_assert(EXTENSION_COUNT <= 31, "sets of extensions are 32 bits");

static const gm_limits onvif_limits = { .schema_depth       = 24,
                                        .extends_depth      = 12,
                                        .extends_count      = 1024,
                                        .contents_count     = 100000,
                                        .text_bytes         = 1 << 20,
                                        .id_length          = 512,
                                        .description_length = 4096 },
                       aio_limits   = { .schema_depth       = 12,
                                        .extends_depth      = 12,
                                        .extends_count      = 1024,
                                        .contents_count     = 100000,
                                        .text_bytes         = 1 << 20,
                                        .id_length          = 512,
                                        .description_length = 2048 };

static const gm_extension extensions[EXTENSION_COUNT] = {
    [QT1]        = { STD "quantitativeTypes", 1, GM_V3, STD "quantitativeTypes:v1", GM_QUANTITY_EXTENSION_1, NULL, 0 },
    [QT2]        = { STD "quantitativeTypes", 2, GM_V4, STD "quantitativeTypes:v2", GM_QUANTITY_EXTENSION_2, NULL, 0 },
    [QT3]        = { STD "quantitativeTypes", 3, GM_V4, STD "quantitativeTypes:v3", GM_QUANTITY_EXTENSION_3, NULL, 0 },
    [HIST1]      = { STD "historization", 1, GM_V3, STD "historization:v1", 0, NULL, 0 },
    [HIST2]      = { STD "historization", 2, GM_V34, STD "historization:v2", 0, NULL, 0 },
    [ANNO1]      = { STD "annotation", 1, GM_V3, STD "annotation:v1", 0, NULL, 0 },
    [ANNO2]      = { STD "annotation", 2, GM_V34, STD "annotation:v2", 0, NULL, 0 },
    [OVER1]      = { STD "overriding", 1, GM_V3, STD "overriding:v1", 0, NULL, 0 },
    [OVER2]      = { STD "overriding", 2, GM_V34, STD "overriding:v2", 0, NULL, 0 },
    [MQTT1]      = { STD "mqtt", 1, GM_V3, STD "mqtt:v1", 0, NULL, 0 },
    [MQTT2]      = { STD "mqtt", 2, GM_V34, STD "mqtt:v2", 0, NULL, 0 },
    [MQTT3]      = { STD "mqtt", 3, GM_V34, STD "mqtt:v3", 0, NULL, 0 },
    [MQTT4]      = { STD "mqtt", 4, GM_V34, STD "mqtt:v4", 0, NULL, 0 },
    [REQ1]       = { STD "requirement", 1, GM_V34, STD "requirement:v1", 0, NULL, 0 },
    [REQ2]       = { STD "requirement", 2, GM_V34, STD "requirement:v2", 0, NULL, 0 },
    [CENTRAL]    = { "dtmi:iotcentral:context", 2, GM_V2, "dtmi:iotcentral", 0, NULL, 2 },
    [OPERATIONS] = { "dtmi:iotoperations:context", 4, GM_V4, "dtmi:iotoperations", 0, NULL, 0 },
    [ONVIF]      = { "dtmi:dtdl:limits:onvif", 1, GM_V4, "", 0, &onvif_limits, 0 },
    [AIO]        = { "dtmi:dtdl:limits:aio", 1, GM_V4, "", 0, &aio_limits, 0 },
};

#define BIT(extension) (1u << (extension))
#define MQTT_ALL (BIT(MQTT1) | BIT(MQTT2) | BIT(MQTT3) | BIT(MQTT4))
#define MQTT_34 (BIT(MQTT3) | BIT(MQTT4))

#define TEXT(member, member_flags, ...) \
    { .name = (member), .type = GM_VALUE_STRING, .flags = (member_flags), .versions = GM_V234, __VA_ARGS__ }
enum { REQUIRED = GM_PROP_REQUIRED };

static const gm_meta_prop annotates = TEXT("annotates", REQUIRED, .kind = GM_PROP_ANNOTATES),
                          overrides = { .name     = "overrides",
                                        .kind     = GM_PROP_OVERRIDES,
                                        .type     = GM_VALUE_URI,
                                        .flags    = REQUIRED,
                                        .versions = GM_V34 },
                          format    = TEXT("payloadFormat", REQUIRED),
                          command   = TEXT("commandTopic", 0, .pattern = GM_PATTERN_TOPIC),
                          telemetry = TEXT("telemetryTopic", 0, .pattern = GM_PATTERN_TOPIC),
                          property  = TEXT("propertyTopic", 0, .pattern = GM_PATTERN_TOPIC),
                          cmd_group = TEXT("cmdServiceGroupId", 0, .pattern = GM_PATTERN_LABEL),
                          tel_group = TEXT("telemServiceGroupId", 0, .pattern = GM_PATTERN_LABEL),
                          ttl   = { .name = "ttl", .type = GM_VALUE_DURATION, .flags = REQUIRED, .versions = GM_V34 },
                          place = { .name      = "index",
                                    .kind      = GM_PROP_INDEX,
                                    .type      = GM_VALUE_INTEGER,
                                    .flags     = REQUIRED,
                                    .versions  = GM_V34,
                                    .value_min = 1,
                                    .value_max = GM_NO_LIMIT },
                          ontology   = TEXT("ontology", REQUIRED, .length_max = 128),
                          type_ref   = TEXT("typeRef", REQUIRED, .length_max = 128),
                          group      = TEXT("group", REQUIRED, .length_max = 128, .pattern = GM_PATTERN_NAME),
                          name_space = TEXT("namespace", REQUIRED, .length_max = 128),
                          maximum    = { .name = "maximum", .kind = GM_PROP_INSTANCE, .type = GM_VALUE_NUMERIC, .versions = GM_V4 },
                          minimum    = { .name = "minimum", .kind = GM_PROP_INSTANCE, .type = GM_VALUE_NUMERIC, .versions = GM_V4 },
                          places     = { .name      = "decimalPlaces",
                                         .type      = GM_VALUE_INTEGER,
                                         .flags     = REQUIRED,
                                         .versions  = GM_V4,
                                         .value_min = GM_NO_LIMIT,
                                         .value_max = GM_NO_LIMIT },
                          scale      = { .name     = "scaleFactor",
                                         .kind     = GM_PROP_INSTANCE,
                                         .type     = GM_VALUE_NUMERIC,
                                         .flags    = REQUIRED,
                                         .versions = GM_V4 };

#define C(name) GM_CLASS_BIT(name)
#define VALUES (C(COMMAND_REQUEST) | C(COMMAND_RESPONSE) | C(FIELD) | C(MAP_VALUE) | C(PROPERTY) | C(TELEMETRY))
#define DATA (C(PROPERTY) | C(TELEMETRY))
#define NOT_REQUIRED .excludes = "Required", .excludes_of = BIT(REQ1)
#define GEO { "point", "multiPoint", "lineString", "multiLineString", "polygon", "multiPolygon", "geopoint" }

static const gm_cotype cotypes[] = {
    { "ValueAnnotation", BIT(ANNO1) | BIT(ANNO2), DATA, { &annotates } },
    { "Historized", BIT(HIST1) | BIT(HIST2), DATA, { 0 } },
    { "Override", BIT(OVER1), C(PROPERTY), { &overrides }, .needs = "ValueAnnotation", .needs_of = BIT(ANNO1) },
    { "Override", BIT(OVER2), C(PROPERTY), { &overrides }, .needs = "ValueAnnotation", .needs_of = BIT(ANNO2) },
    { "Required", BIT(REQ1), C(FIELD), { 0 } },
    { "Required", BIT(REQ2), C(FIELD) | C(PROPERTY), { 0 } },

    { "Mqtt", BIT(MQTT1), C(INTERFACE), { &command, &format, &telemetry } },
    { "Mqtt", BIT(MQTT2) | BIT(MQTT3), C(INTERFACE), { &cmd_group, &command, &format, &telemetry, &tel_group } },
    { "Mqtt", BIT(MQTT4), C(INTERFACE), { &cmd_group, &command, &format, &telemetry, &tel_group, &property } },
    { "Idempotent", MQTT_ALL, C(COMMAND), { 0 } },
    { "Cacheable", MQTT_ALL, C(COMMAND), { &ttl }, .needs = "Idempotent" },
    { "Transparent",
      MQTT_ALL & ~BIT(MQTT1),
      C(COMMAND_REQUEST) | C(COMMAND_RESPONSE),
      { 0 },
      .schema_classes = C(OBJECT) },
    { "Indexed", MQTT_ALL, C(ENUM_VALUE) | C(FIELD) | C(TELEMETRY), { &place } },
    { "Result", BIT(MQTT3), C(OBJECT), { 0 }, .field_cotypes = { "NormalResult", "ErrorResult" } },
    { "Result",
      BIT(MQTT4),
      C(OBJECT),
      { 0 },
      .field_cotypes = { "NormalResult", "ErrorResult", "ErrorCode", "ErrorInfo" } },
    { "NormalResult", MQTT_34, C(FIELD), { 0 }, .parent_cotypes = { "Result" }, NOT_REQUIRED },
    { "ErrorResult", MQTT_34, C(FIELD), { 0 }, .parent_cotypes = { "Result" }, NOT_REQUIRED, .schema_cotype = "Error" },
    { "Error", MQTT_34, C(OBJECT), { 0 } },
    { "ErrorMessage", MQTT_34, C(FIELD), { 0 }, .parent_cotypes = { "Error" }, .schema_classes = C(STRING) },
    { "ErrorCode", BIT(MQTT4), C(FIELD), { 0 }, .parent_cotypes = { "Result", "Error" }, .schema_classes = C(ENUM) },
    { "ErrorInfo", BIT(MQTT4), C(FIELD), { 0 }, .parent_cotypes = { "Result", "Error" } },
    { "PropertyResult", BIT(MQTT4), C(OBJECT), { 0 }, .field_cotypes = { "PropertyValue", "ReadError", "WriteError" } },
    { "PropertyValue", BIT(MQTT4), C(FIELD), { 0 }, .parent_cotypes = { "PropertyResult" }, NOT_REQUIRED },
    { "ReadError",
      BIT(MQTT4),
      C(FIELD),
      { 0 },
      .parent_cotypes = { "PropertyResult" },
      NOT_REQUIRED,
      .schema_cotype = "Error" },
    { "WriteError",
      BIT(MQTT4),
      C(FIELD),
      { 0 },
      .parent_cotypes = { "PropertyResult" },
      NOT_REQUIRED,
      .schema_cotype = "Error" },

    { "AccelerationVector", BIT(CENTRAL), DATA, { 0 }, .schema_names = { "vector" } },
    { "VelocityVector", BIT(CENTRAL), DATA, { 0 }, .schema_names = { "vector" } },
    { "Event", BIT(CENTRAL), DATA, { 0 }, .schema_classes = GM_CLASSES_NUMERIC | C(STRING) },
    { "Location", BIT(CENTRAL), DATA, { 0 }, .schema_names = GEO },
    { "State", BIT(CENTRAL), DATA, { 0 }, .schema_classes = C(ENUM) },

    { "Article", BIT(OPERATIONS), C(INTERFACE), { &ontology }, .excludes = "Event" },
    { "Composite", BIT(OPERATIONS), C(INTERFACE), { &ontology }, .excludes = "Event" },
    { "Congruence", BIT(OPERATIONS), C(ARRAY) | C(ENUM) | C(INTERFACE) | C(MAP) | C(OBJECT), { &type_ref } },
    { "Detail", BIT(OPERATIONS), C(OBJECT), { 0 } },
    { "Event", BIT(OPERATIONS), C(INTERFACE), { 0 } },
    { "GroupMember", BIT(OPERATIONS), C(COMMAND), { &group } },
    { "HasCapability", BIT(OPERATIONS), C(RELATIONSHIP), { 0 }, .excludes = "HasComponent" },
    { "HasComponent", BIT(OPERATIONS), C(RELATIONSHIP), { 0 } },
    { "Limited", BIT(OPERATIONS), VALUES, { &maximum, &minimum }, .schema_classes = GM_CLASSES_NUMERIC },
    { "Precise", BIT(OPERATIONS), VALUES, { &places }, .schema_classes = GM_CLASSES_NUMERIC },
    { "Qualified", BIT(OPERATIONS), GM_CLASSES_CONTENT | C(FIELD), { &name_space } },
    { "ScaledStatically", BIT(OPERATIONS), VALUES, { &scale }, .schema_classes = GM_CLASSES_NUMERIC },
    { "Subject", BIT(OPERATIONS), C(FIELD), { 0 }, .parent_cotypes = { "Detail" } },
};
enum { COTYPE_COUNT = sizeof cotypes / sizeof cotypes[0] };

const gm_extension *gm_extension_find(gm_str versionless, unsigned major, unsigned minor, bool *out_name_known)
{
    *out_name_known = false;
    for (size_t i = 0; i < EXTENSION_COUNT; i++) {
        if (!gm_str_is(versionless, extensions[i].name)) continue;
        *out_name_known = true;
        if (extensions[i].version == major && minor == 0) return &extensions[i];
    }
    return NULL;
}

unsigned gm_extension_bit(const gm_extension *extension) { return 1u << (extension - extensions); }
size_t   gm_extension_count(void) { return EXTENSION_COUNT; }

const gm_extension *gm_extension_at(size_t i)
{
    assert(i < EXTENSION_COUNT);
    return &extensions[i];
}

// Extensions of the standard put the version into the path, those of partners behind it.
static bool is_standard(const gm_extension *extension) { return strncmp(extension->base, STD, sizeof STD - 1) == 0; }

static void cotype_dtmi(const gm_extension *extension, const gm_cotype *cotype, char out[GM_EXTENSION_DTMI])
{
    if (is_standard(extension)) snprintf(out, GM_EXTENSION_DTMI, "%s:%s", extension->base, cotype->term);
    else snprintf(out, GM_EXTENSION_DTMI, "%s:class:%s;%u", extension->base, cotype->term, extension->version);
}

void gm_cotype_prop_dtmi(const gm_extension *extension, const gm_cotype *cotype, const gm_meta_prop *prop,
                         char out[GM_EXTENSION_DTMI])
{
    if (is_standard(extension)) snprintf(out, GM_EXTENSION_DTMI, "%s:%s:%s", extension->base, cotype->term, prop->name);
    else snprintf(out, GM_EXTENSION_DTMI, "%s:property:%s;%u", extension->base, prop->name, extension->version);
}

const gm_cotype *gm_cotype_by_dtmi(gm_str dtmi, const gm_extension **out_extension)
{
    for (size_t e = 0; e < EXTENSION_COUNT; e++) {
        gm_str base = gm_str_of(extensions[e].base);
        if (base.len == 0 || !gm_str_starts(dtmi, base)) continue;
        for (size_t i = 0; i < COTYPE_COUNT; i++) {
            if ((cotypes[i].extensions >> e & 1) == 0) continue;
            char text[GM_EXTENSION_DTMI];
            cotype_dtmi(&extensions[e], &cotypes[i], text);
            if (!gm_str_is(dtmi, text)) continue;
            *out_extension = &extensions[e];
            return &cotypes[i];
        }
    }
    return NULL;
}

bool gm_extension_expand(const gm_extension *extension, gm_str term, char out[GM_EXTENSION_DTMI])
{
    size_t e = (size_t)(extension - extensions);
    for (size_t i = 0; i < COTYPE_COUNT; i++) {
        if ((cotypes[i].extensions >> e & 1) == 0) continue;
        if (gm_str_is(term, cotypes[i].term)) {
            cotype_dtmi(extension, &cotypes[i], out);
            return true;
        }
        for (size_t p = 0; p < GM_COTYPE_PROPS && cotypes[i].props[p] != NULL; p++) {
            if (!gm_str_is(term, cotypes[i].props[p]->name)) continue;
            gm_cotype_prop_dtmi(extension, &cotypes[i], cotypes[i].props[p], out);
            return true;
        }
    }
    if (e == CENTRAL && (gm_str_is(term, "vector") || gm_str_is(term, "geopoint"))) {
        snprintf(out, GM_EXTENSION_DTMI, "dtmi:iotcentral:schema:" GM_STR_FMT ";2", GM_STR_ARG(term));
        return true;
    }
    return false;
}
