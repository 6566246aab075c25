#include "link/telemetry_type.h"

#define S(literal) { literal, sizeof(literal) - 1 }

static const gm_schema plain[GM_SCHEMA_COUNT] = {
    [GM_SCHEMA_BOOLEAN]       = { .kind = GM_SCHEMA_BOOLEAN },
    [GM_SCHEMA_BYTE]          = { .kind = GM_SCHEMA_BYTE },
    [GM_SCHEMA_INTEGER]       = { .kind = GM_SCHEMA_INTEGER },
    [GM_SCHEMA_LONG]          = { .kind = GM_SCHEMA_LONG },
    [GM_SCHEMA_FLOAT]         = { .kind = GM_SCHEMA_FLOAT },
    [GM_SCHEMA_DOUBLE]        = { .kind = GM_SCHEMA_DOUBLE },
    [GM_SCHEMA_STRING]        = { .kind = GM_SCHEMA_STRING },
    [GM_SCHEMA_DATE]          = { .kind = GM_SCHEMA_DATE },
    [GM_SCHEMA_DATETIME]      = { .kind = GM_SCHEMA_DATETIME },
    [GM_SCHEMA_DURATION]      = { .kind = GM_SCHEMA_DURATION },
    [GM_SCHEMA_DECIMAL]       = { .kind = GM_SCHEMA_DECIMAL },
    [GM_SCHEMA_UNSIGNED_LONG] = { .kind = GM_SCHEMA_UNSIGNED_LONG },
};
static const gm_enum_value modes[] = {
    { .name = S("off"), .value = { .kind = GM_KIND_STRING, .s = S("off") } },
    { .name = S("on"), .value = { .kind = GM_KIND_STRING, .s = S("on") } },
};
static const gm_enum_value levels[] = {
    { .name = S("low"), .value = { .kind = GM_KIND_INT, .i = 1 } },
    { .name = S("high"), .value = { .kind = GM_KIND_INT, .i = 3 } },
};
static const gm_schema mode = {
    .kind = GM_SCHEMA_ENUM, .enum_value_kind = GM_SCHEMA_STRING, .enum_values = modes, .enum_value_count = 2
};
static const gm_schema level = {
    .kind = GM_SCHEMA_ENUM, .enum_value_kind = GM_SCHEMA_INTEGER, .enum_values = levels, .enum_value_count = 2
};
static const gm_field  point_fields[] = { { .name = S("x"), .schema = &plain[GM_SCHEMA_DOUBLE] },
                                          { .name = S("label"), .schema = &plain[GM_SCHEMA_STRING] } };
static const gm_schema point  = { .kind = GM_SCHEMA_OBJECT, .fields = point_fields, .field_count = 2 };
static const gm_schema points = { .kind = GM_SCHEMA_ARRAY, .element = &point };
static const gm_schema tags   = { .kind = GM_SCHEMA_MAP, .element = &plain[GM_SCHEMA_STRING] };

#define COLUMN(p, n, k, s, t)                                                                                          \
    {                                                                                                                  \
        .path = S(p), .name = S(n), .kind = k, .schema = s, .is_telemetry = t, .component = GM_NO_COMPONENT            \
    }
static const gm_column columns[] = {
    COLUMN("temp", "temp", GM_KIND_DOUBLE, &plain[GM_SCHEMA_DOUBLE], true),
    COLUMN("hum", "hum", GM_KIND_DOUBLE, &plain[GM_SCHEMA_DOUBLE], true),
    COLUMN("p", "p", GM_KIND_DOUBLE, &plain[GM_SCHEMA_DOUBLE], true),
    COLUMN("count", "count", GM_KIND_INT, &plain[GM_SCHEMA_INTEGER], true),
    COLUMN("total", "total", GM_KIND_INT, &plain[GM_SCHEMA_LONG], true),
    COLUMN("small", "small", GM_KIND_INT, &plain[GM_SCHEMA_BYTE], true),
    COLUMN("running", "running", GM_KIND_BOOL, &plain[GM_SCHEMA_BOOLEAN], true),
    COLUMN("name", "name", GM_KIND_STRING, &plain[GM_SCHEMA_STRING], false),
    COLUMN("day", "day", GM_KIND_STRING, &plain[GM_SCHEMA_DATE], false),
    COLUMN("mode", "mode", GM_KIND_STRING, &mode, false),
    COLUMN("level", "level", GM_KIND_INT, &level, false),
    COLUMN("address/street", "address", GM_KIND_STRING, &plain[GM_SCHEMA_STRING], false),
    COLUMN("address/number", "address", GM_KIND_INT, &plain[GM_SCHEMA_INTEGER], false),
    COLUMN("tags", "tags", GM_KIND_JSON, &tags, false),
    COLUMN("points", "points", GM_KIND_JSON, &points, false),
    COLUMN("single", "single", GM_KIND_DOUBLE, &plain[GM_SCHEMA_FLOAT], true),
    { .path         = S("motor/temperature"),
      .name         = S("temperature"),
      .kind         = GM_KIND_DOUBLE,
      .schema       = &plain[GM_SCHEMA_DOUBLE],
      .is_telemetry = true,
      .component    = 0 },
    { .path         = S("motor/speed"),
      .name         = S("speed"),
      .kind         = GM_KIND_INT,
      .schema       = &plain[GM_SCHEMA_INTEGER],
      .is_telemetry = true,
      .component    = 0 },
};
static const gm_component components[] = { { .name = S("motor") } };

const gm_type gm_test_type = {
    .id = S("dtmi:test:Everything;1"), .columns = columns, .column_count = sizeof columns / sizeof columns[0],
    .components = components, .component_count = 1,
};
