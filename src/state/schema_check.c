// Checks values against schemas. One table of leaf rules, one walk over objects, maps and arrays.
#include "state/schema_check.h"

#include "base/number.h"
#include "base/time.h"
#include "state/document.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

#define WHERE "state.document"
enum { DEPTH_MAX = 32 };  // DTDL allows 5 (v2) or 8 (v3) nested schemas

// Where in the body the walk is: names chained on the stack, written out only when something is wrong.
typedef struct place {
    const struct place *up;
    gm_str              name;
    size_t              index;  // SIZE_MAX: name counts
    int                 depth;
} place;

static gm_str place_text(const place *at, char *out, size_t size)
{
    const place *chain[DEPTH_MAX + 2];
    size_t       n = 0;
    for (; at != NULL && n < sizeof chain / sizeof chain[0]; at = at->up) chain[n++] = at;
    size_t len = 0;
    out[0]     = '\0';
    while (n-- > 0 && len + 1 < size) {
        const char *slash = len > 0 ? "/" : "";
        int         wrote = chain[n]->index != SIZE_MAX
                                ? snprintf(out + len, size - len, "%s%zu", slash, chain[n]->index)
                                : snprintf(out + len, size - len, "%s" GM_STR_FMT, slash, GM_STR_ARG(gm_str_slice(chain[n]->name, 0, 80)));
        len = wrote > 0 && (size_t)wrote < size - len ? len + (size_t)wrote : size - 1;
    }
    return (gm_str){ out, len };
}

const char *gm_json_kind_name(const json_t *value)
{
    if (value == NULL) return "nothing";
    switch (json_typeof(value)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "an array";
    case JSON_STRING: return "a text";
    case JSON_INTEGER:
    case JSON_REAL: return "a number";
    case JSON_TRUE:
    case JSON_FALSE: return "a boolean";
    case JSON_NULL: return "null (leave a value out to have none)";
    }
    return "something else";
}

static gm_status wrong(const place *at, const json_t *value, const char *expected, gm_error *err)
{
    char   path[90], found[40];
    gm_str where = place_text(at, path, sizeof path);
    snprintf(found, sizeof found, "%s", gm_json_kind_name(value));
    if (json_is_integer(value)) snprintf(found, sizeof found, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value)) snprintf(found, sizeof found, "%.15g", json_real_value(value));
    else if (json_is_string(value) && json_string_length(value) <= 30) {
        snprintf(found, sizeof found, "'%s'", json_string_value(value));
    }
    return gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "' must be %s, found %s", GM_STR_ARG(where), expected, found);
}

// ---- leaves -----------------------------------------------------------------------------------------------------

typedef struct int_range { int64_t min, max; const char *expected; } int_range;

static const int_range ranges[GM_SCHEMA_COUNT] = {
    [GM_SCHEMA_BYTE]             = { INT8_MIN, INT8_MAX, "a whole number from -128 to 127 (byte)" },
    [GM_SCHEMA_SHORT]            = { INT16_MIN, INT16_MAX, "a whole number from -32768 to 32767 (short)" },
    [GM_SCHEMA_INTEGER]          = { INT32_MIN, INT32_MAX, "a whole number from -2147483648 to 2147483647 (integer)" },
    [GM_SCHEMA_LONG]             = { INT64_MIN, INT64_MAX, "a whole number of 64 bits (long)" },
    [GM_SCHEMA_UNSIGNED_BYTE]    = { 0, UINT8_MAX, "a whole number from 0 to 255 (unsignedByte)" },
    [GM_SCHEMA_UNSIGNED_SHORT]   = { 0, UINT16_MAX, "a whole number from 0 to 65535 (unsignedShort)" },
    [GM_SCHEMA_UNSIGNED_INTEGER] = { 0, UINT32_MAX, "a whole number from 0 to 4294967295 (unsignedInteger)" },
    [GM_SCHEMA_UNSIGNED_LONG]    = { 0, INT64_MAX, "a whole number from 0 to 9223372036854775807 (unsignedLong)" },
};

// 5.0 and 1e3 are whole too. Reals beyond 2^53 are not trusted to be what the sender meant.
static bool whole(const json_t *value, int64_t *out)
{
    if (json_is_integer(value)) {
        *out = json_integer_value(value);
        return true;
    }
    double real = json_is_real(value) ? json_real_value(value) : 0.5;
    if (fabs(real) > 9007199254740992.0 || real != floor(real)) return false;
    *out = (int64_t)real;
    return true;
}

static bool is_base64(gm_str text)
{
    if (text.len % 4 != 0) return false;
    size_t padding = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '=' && i + 2 >= text.len) {
            padding++;
            continue;
        }
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
        if (!letter || padding > 0) return false;
    }
    return true;
}

// RFC 4122: 8-4-4-4-12 hexadecimal digits.
static bool is_uuid(gm_str text)
{
    if (text.len != 36) return false;
    for (size_t i = 0; i < 36; i++) {
        char c      = text.ptr[i];
        bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        bool digit  = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (hyphen ? c != '-' : !digit) return false;
    }
    return true;
}

// RFC 3339, of any year: a property may tell of 1890, though a source time may not.
static bool is_date_time(gm_str text)
{
    if (text.len < 20 || !gm_date_valid(gm_str_slice(text, 0, 10))) return false;
    char t = text.ptr[10], last = text.ptr[text.len - 1], sign = text.ptr[text.len - 6];
    if (t != 'T' && t != 't' && t != ' ') return false;
    if (last != 'Z' && last != 'z' && sign != '+' && sign != '-') return false;
    return gm_time_of_day_valid(gm_str_slice(text, 11, text.len));
}

static bool is_decimal_text(gm_str text)
{
    double value;
    return text.len > 0 && gm_number_read(text, &value) == text.len;
}

static bool enum_has(const gm_schema *schema, const json_t *value)
{
    for (size_t i = 0; i < schema->enum_value_count; i++) {
        gm_value one = schema->enum_values[i].value;
        if (one.kind == GM_KIND_STRING && json_is_string(value) &&
            gm_str_eq(one.s, (gm_str){ json_string_value(value), json_string_length(value) })) return true;
        if (one.kind == GM_KIND_INT && json_is_integer(value) && one.i == json_integer_value(value)) return true;
    }
    return false;
}

static gm_status wrong_enum(const place *at, const gm_schema *schema, const json_t *value, gm_error *err)
{
    char   expected[100] = "one of";
    size_t len           = strlen(expected);
    for (size_t i = 0; i < schema->enum_value_count && len < 70; i++) {
        gm_value one   = schema->enum_values[i].value;
        int      wrote = one.kind == GM_KIND_STRING
                             ? snprintf(expected + len, sizeof expected - len, "%s '" GM_STR_FMT "'", i > 0 ? "," : "",
                                        GM_STR_ARG(gm_str_slice(one.s, 0, 20)))
                             : snprintf(expected + len, sizeof expected - len, "%s %lld", i > 0 ? "," : "", (long long)one.i);
        len += (size_t)wrote;
    }
    if (len >= 70 && len + 4 < sizeof expected) snprintf(expected + len, sizeof expected - len, " ...");
    return wrong(at, value, expected, err);
}

typedef struct text_rule { bool (*valid)(gm_str text); const char *expected; } text_rule;

static const text_rule text_rules[GM_SCHEMA_COUNT] = {
    [GM_SCHEMA_STRING]   = { NULL, "a text" },
    [GM_SCHEMA_BYTES]    = { is_base64, "bytes in base64" },
    [GM_SCHEMA_UUID]     = { is_uuid, "a UUID such as 123e4567-e89b-12d3-a456-426614174000" },
    [GM_SCHEMA_DATE]     = { gm_date_valid, "a date such as 2026-01-31" },
    [GM_SCHEMA_DATETIME] = { is_date_time, "a time such as 2026-01-31T12:00:00Z" },
    [GM_SCHEMA_TIME]     = { gm_time_of_day_valid, "a time of day such as 13:45:00" },
    [GM_SCHEMA_DURATION] = { gm_dur_iso_valid, "a duration such as PT1H30M" },
    [GM_SCHEMA_DECIMAL]  = { is_decimal_text, "a decimal number" },
};

bool gm_schema_int_range(gm_schema_kind kind, int64_t *out_min, int64_t *out_max)
{
    if (ranges[kind].expected == NULL) return false;
    *out_min = ranges[kind].min;
    *out_max = ranges[kind].max;
    return true;
}

bool gm_schema_text_fits(gm_schema_kind kind, gm_str text)
{
    return text_rules[kind].valid == NULL || text_rules[kind].valid(text);
}

const char *gm_schema_expected(gm_schema_kind kind)
{
    if (ranges[kind].expected != NULL) return ranges[kind].expected;
    if (text_rules[kind].expected != NULL) return text_rules[kind].expected;
    switch (kind) {
    case GM_SCHEMA_BOOLEAN: return "true or false";
    case GM_SCHEMA_FLOAT: return "a number of at most 3.4e38 (float)";
    case GM_SCHEMA_DOUBLE: return "a number (double)";
    case GM_SCHEMA_SCALED_DECIMAL: return "an object with scale and value (scaledDecimal)";
    case GM_SCHEMA_ENUM: return "one of its enum's values";
    case GM_SCHEMA_ARRAY: return "an array";
    default: return "an object";
    }
}

static gm_status check_text(const place *at, const gm_schema *schema, const json_t *value, gm_error *err)
{
    gm_str text = { json_string_value(value), json_string_length(value) };
    bool   ok   = json_is_string(value) && gm_schema_text_fits(schema->kind, text);
    return ok ? GM_OK : wrong(at, value, gm_schema_expected(schema->kind), err);
}

// ---- the walk ---------------------------------------------------------------------------------------------------

static gm_status check(const place *at, const gm_schema *schema, const json_t *value, gm_error *err);

static gm_status check_object(const place *at, const gm_schema *schema, const json_t *value, gm_error *err)
{
    const char *key;
    json_t     *member;
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        place            inside = { at, gm_str_of(key), SIZE_MAX, at->depth + 1 };
        const gm_schema *field  = schema->element;
        for (size_t i = 0; schema->kind == GM_SCHEMA_OBJECT && i < schema->field_count; i++) {
            if (gm_str_eq(schema->fields[i].name, inside.name)) field = schema->fields[i].schema;
        }
        if (field == NULL) {
            char   path[120];
            gm_str where = place_text(&inside, path, sizeof path);
            return gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "' is not a field of its schema", GM_STR_ARG(where));
        }
        gm_status st = check(&inside, field, member, err);
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

static gm_status check_array(const place *at, const gm_schema *schema, const json_t *value, gm_error *err)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        place     inside = { at, { 0 }, i, at->depth + 1 };
        gm_status st     = check(&inside, schema->element, json_array_get(value, i), err);
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

static gm_status check(const place *at, const gm_schema *schema, const json_t *value, gm_error *err)
{
    if (at->depth > DEPTH_MAX) return gm_fail(err, GM_LIMIT, WHERE, "a value is nested deeper than %d levels", (int)DEPTH_MAX);
    const int_range *range = &ranges[schema->kind];
    int64_t          number;
    switch (schema->kind) {
    case GM_SCHEMA_BOOLEAN: return json_is_boolean(value) ? GM_OK : wrong(at, value, gm_schema_expected(schema->kind), err);
    case GM_SCHEMA_BYTE:
    case GM_SCHEMA_SHORT:
    case GM_SCHEMA_INTEGER:
    case GM_SCHEMA_LONG:
    case GM_SCHEMA_UNSIGNED_BYTE:
    case GM_SCHEMA_UNSIGNED_SHORT:
    case GM_SCHEMA_UNSIGNED_INTEGER:
    case GM_SCHEMA_UNSIGNED_LONG:
        return whole(value, &number) && number >= range->min && number <= range->max ? GM_OK
                                                                                      : wrong(at, value, range->expected, err);
    case GM_SCHEMA_FLOAT:
        return json_is_number(value) && fabs(json_number_value(value)) <= (double)FLT_MAX
                   ? GM_OK
                   : wrong(at, value, gm_schema_expected(schema->kind), err);
    case GM_SCHEMA_DOUBLE:
        return json_is_number(value) && isfinite(json_number_value(value)) ? GM_OK : wrong(at, value, gm_schema_expected(schema->kind), err);
    case GM_SCHEMA_DECIMAL:
        if (json_is_number(value)) return GM_OK;
        if (json_is_string(value) && is_decimal_text((gm_str){ json_string_value(value), json_string_length(value) })) return GM_OK;
        return wrong(at, value, gm_schema_expected(schema->kind), err);
    case GM_SCHEMA_SCALED_DECIMAL:
        return json_is_object(value) && json_is_integer(json_object_get(value, "scale")) &&
                       json_is_string(json_object_get(value, "value")) && json_object_size(value) == 2
                   ? GM_OK
                   : wrong(at, value, gm_schema_expected(schema->kind), err);
    case GM_SCHEMA_STRING:
    case GM_SCHEMA_BYTES:
    case GM_SCHEMA_UUID:
    case GM_SCHEMA_DATE:
    case GM_SCHEMA_DATETIME:
    case GM_SCHEMA_TIME:
    case GM_SCHEMA_DURATION: return check_text(at, schema, value, err);
    case GM_SCHEMA_ENUM: return enum_has(schema, value) ? GM_OK : wrong_enum(at, schema, value, err);
    case GM_SCHEMA_OBJECT:
    case GM_SCHEMA_MAP: return json_is_object(value) ? check_object(at, schema, value, err) : wrong(at, value, "an object", err);
    case GM_SCHEMA_ARRAY: return json_is_array(value) ? check_array(at, schema, value, err) : wrong(at, value, "an array", err);
    case GM_SCHEMA_COUNT: break;
    }
    return gm_fail(err, GM_INVALID, WHERE, "a schema of an unknown kind");
}

gm_status gm_schema_check(const gm_schema *schema, const json_t *value, gm_str path, gm_error *err)
{
    place top = { NULL, path, SIZE_MAX, 0 };
    return check(&top, schema, value, err);
}

gm_status gm_document_check(const gm_schema *schema, const json_t *value, gm_error *err)
{
    return gm_schema_check(schema, value, GM_STR("value"), err);
}

// ---- compact JSON -----------------------------------------------------------------------------------------------

static void compact(const json_t *value, gm_buf *out, int depth)
{
    char        number[GM_NUMBER_TEXT];
    const char *key;
    json_t     *member;
    bool        first = true;
    if (depth > 2048) {  // jansson's own bound on what it reads
        out->failed = true;
        return;
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        gm_buf_byte(out, '{');
        json_object_foreach((json_t *)(uintptr_t)value, key, member)
        {
            if (!first) gm_buf_byte(out, ',');
            first = false;
            gm_buf_json_str(out, gm_str_of(key));
            gm_buf_byte(out, ':');
            compact(member, out, depth + 1);
        }
        gm_buf_byte(out, '}');
        return;
    case JSON_ARRAY:
        gm_buf_byte(out, '[');
        for (size_t i = 0; i < json_array_size(value); i++) {
            if (i > 0) gm_buf_byte(out, ',');
            compact(json_array_get(value, i), out, depth + 1);
        }
        gm_buf_byte(out, ']');
        return;
    case JSON_STRING: gm_buf_json_str(out, (gm_str){ json_string_value(value), json_string_length(value) }); return;
    case JSON_INTEGER: gm_buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value)); return;
    case JSON_REAL: gm_buf_add(out, number, gm_number_write(json_real_value(value), number)); return;
    case JSON_TRUE: gm_buf_text(out, "true"); return;
    case JSON_FALSE: gm_buf_text(out, "false"); return;
    case JSON_NULL: gm_buf_text(out, "null"); return;
    }
}

void gm_document_compact(const json_t *value, gm_buf *out)
{
    compact(value, out, 0);
}
