#include "physics/fmi/values.h"

#include "base/number.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static gm_status wrong(gm_error *err, const gm_fmu_variable *v, gm_str text)
{
    return gm_fail(err, GM_INVALID, "fmi.values", "'" GM_STR_FMT "' is no value of " GM_STR_FMT " (%s)", (int)(text.len < 60 ? text.len : 60),
                   text.ptr != NULL ? text.ptr : "", GM_STR_ARG(v->name), gm_fmi_type_text(v->type));
}

static void put(gm_buf *out, const void *bytes, size_t n) { gm_buf_add(out, bytes, n); }

// The integer types: their least and greatest value.
static const struct { int64_t min; uint64_t max; } ranges[GM_FMI_TYPE_COUNT] = {
    [GM_FMI_INT8]  = { INT8_MIN, INT8_MAX },   [GM_FMI_UINT8]  = { 0, UINT8_MAX },  [GM_FMI_INT16] = { INT16_MIN, INT16_MAX },
    [GM_FMI_UINT16] = { 0, UINT16_MAX },       [GM_FMI_INT32]  = { INT32_MIN, INT32_MAX }, [GM_FMI_UINT32] = { 0, UINT32_MAX },
    [GM_FMI_INT64] = { INT64_MIN, INT64_MAX }, [GM_FMI_UINT64] = { 0, UINT64_MAX }, [GM_FMI_ENUMERATION] = { INT64_MIN, INT64_MAX },
};

// A whole number; "3.0" is one too. The low bytes of the result are those of every narrower type.
static bool parse_integer(const char *text, gm_fmi_type type, uint64_t *out)
{
    char *end;
    errno = 0;
    if (text[0] == '-') {
        long long value = strtoll(text, &end, 10);
        if (*end == '\0' && errno == 0) {
            *out = (uint64_t)value;
            return value >= ranges[type].min;
        }
    } else {
        unsigned long long value = strtoull(text, &end, 10);
        if (*end == '\0' && errno == 0) {
            *out = value;
            return value <= ranges[type].max;
        }
    }
    double number = strtod(text, &end);
    if (*end != '\0' || number != floor(number) || fabs(number) > 9007199254740992.0) return false;
    *out = number < 0 ? (uint64_t)(int64_t)number : (uint64_t)number;
    return number < 0 ? (int64_t)number >= ranges[type].min : *out <= ranges[type].max;
}

static bool item_value(const gm_fmu_description *d, const gm_fmu_variable *v, gm_str text, uint64_t *out)
{
    if (d == NULL || v->type != GM_FMI_ENUMERATION || v->type_index == GM_FMU_NONE) return false;
    const gm_fmu_enumeration *e = &d->enumerations[v->type_index];
    for (uint32_t i = 0; i < e->item_count; i++) {
        if (!gm_str_eq(e->items[i].name, text)) continue;
        *out = (uint64_t)e->items[i].value;
        return true;
    }
    return false;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static gm_status parse_binary(const gm_fmu_variable *v, gm_str text, gm_buf *out, gm_error *err)
{
    if (text.len % 2 != 0) return wrong(err, v, text);
    gm_fmu_put_u32(out, (uint32_t)(text.len / 2));
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_digit(text.ptr[i]), low = hex_digit(text.ptr[i + 1]);
        if (high < 0 || low < 0) return wrong(err, v, text);
        gm_fmu_put_u8(out, (uint8_t)(high << 4 | low));
    }
    return GM_OK;
}

gm_status gm_fmu_value_parse(const gm_fmu_description *d, const gm_fmu_variable *v, gm_str text, gm_buf *out, gm_error *err)
{
    if (v->type == GM_FMI_STRING) {
        gm_fmu_put_text(out, text);
        return GM_OK;
    }
    text = gm_str_trim(text);
    if (v->type == GM_FMI_BINARY) return parse_binary(v, text, out, err);
    char copy[64], *end;
    if (text.len == 0 || text.len >= sizeof copy) {
        uint64_t item;
        if (!item_value(d, v, text, &item)) return wrong(err, v, text);
        put(out, &item, 8);
        return GM_OK;
    }
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    uint64_t integer;
    double   number;
    float    narrow;
    switch (v->type) {
    case GM_FMI_FLOAT64:
    case GM_FMI_FLOAT32:
        number = strtod(copy, &end);
        narrow = (float)number;
        if (*end != '\0') return wrong(err, v, text);
        if (v->type == GM_FMI_FLOAT64) put(out, &number, sizeof number);
        else put(out, &narrow, sizeof narrow);
        return GM_OK;
    case GM_FMI_BOOLEAN:
    case GM_FMI_CLOCK:
        if (gm_str_is(text, "true")) gm_fmu_put_u8(out, 1);
        else if (gm_str_is(text, "false")) gm_fmu_put_u8(out, 0);
        else if (number = strtod(copy, &end), *end == '\0' && (number == 0 || number == 1)) gm_fmu_put_u8(out, number == 1);
        else return wrong(err, v, text);
        return GM_OK;
    default:
        if (!item_value(d, v, text, &integer) && !parse_integer(copy, v->type, &integer)) return wrong(err, v, text);
        put(out, &integer, gm_fmi_type_width(v->type));
        return GM_OK;
    }
}

gm_status gm_fmu_values_parse(const gm_fmu_description *d, const gm_fmu_variable *v, uint32_t count, gm_str text, gm_buf *out, gm_error *err)
{
    if (count == 1) return gm_fmu_value_parse(d, v, text, out, err);
    if (v->type == GM_FMI_STRING || v->type == GM_FMI_BINARY) {
        return gm_fail(err, GM_INVALID, "fmi.values", GM_STR_FMT " is an array of texts, which can not be set here", GM_STR_ARG(v->name));
    }
    gm_str    rest = text, part;
    uint32_t  n    = 0;
    gm_status st   = GM_OK;
    while (st == GM_OK && gm_str_next(&rest, ' ', &part)) {
        if (part.len == 0) continue;
        n++;
        if (n <= count) st = gm_fmu_value_parse(d, v, part, out, err);
    }
    if (st == GM_OK && n != count) return gm_fail(err, GM_INVALID, "fmi.values", GM_STR_FMT " has %u values, not %u", GM_STR_ARG(v->name), count, n);
    return st;
}

static void write_number(double value, gm_buf *out)
{
    char text[GM_NUMBER_TEXT];
    if (isnan(value)) gm_buf_text(out, "NaN");
    else if (isinf(value)) gm_buf_text(out, value > 0 ? "inf" : "-inf");
    else gm_buf_str(out, (gm_str){ text, gm_number_write(value, text) });
}

void gm_fmu_text_write(gm_str text, gm_buf *out)
{
    bool plain = true;
    for (size_t i = 0; i < text.len; i++) plain = plain && strchr(",\"\r\n", text.ptr[i]) == NULL && text.ptr[i] != '\0';
    if (plain) {
        gm_buf_str(out, text);
        return;
    }
    gm_buf_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"') gm_buf_byte(out, '"');
        gm_buf_byte(out, (uint8_t)text.ptr[i]);
    }
    gm_buf_byte(out, '"');
}

void gm_fmu_value_write(gm_fmi_type type, gm_fmu_reader *from, gm_buf *out)
{
    if (type == GM_FMI_STRING) {
        gm_fmu_text_write(gm_fmu_take_text(from), out);
        return;
    }
    if (type == GM_FMI_BINARY) {
        gm_str bytes = gm_fmu_take_text(from);
        for (size_t i = 0; i < bytes.len; i++) gm_buf_printf(out, "%02x", (unsigned char)bytes.ptr[i]);
        return;
    }
    const uint8_t *at = gm_fmu_take(from, gm_fmi_type_width(type));
    float          narrow;
    char           shortest[40];
    if (at == NULL) return;
    switch (type) {
    case GM_FMI_FLOAT64: write_number(gm_get_f64(at), out); return;
    case GM_FMI_FLOAT32:
        memcpy(&narrow, at, sizeof narrow);
        // The fewest digits that give the same float, not those of the double it widens to.
        for (int digits = 6; digits <= 9; digits++) {
            snprintf(shortest, sizeof shortest, "%.*g", digits, (double)narrow);
            if (strtof(shortest, NULL) == narrow || isnan(narrow)) break;
        }
        gm_buf_text(out, isnan(narrow) ? "NaN" : shortest);
        return;
    case GM_FMI_INT8: gm_buf_printf(out, "%d", (int8_t)at[0]); return;
    case GM_FMI_INT16: gm_buf_printf(out, "%d", (int16_t)gm_get_u16(at)); return;
    case GM_FMI_UINT16: gm_buf_printf(out, "%u", gm_get_u16(at)); return;
    case GM_FMI_INT32: gm_buf_printf(out, "%" PRId32, (int32_t)gm_get_u32(at)); return;
    case GM_FMI_UINT32: gm_buf_printf(out, "%" PRIu32, gm_get_u32(at)); return;
    case GM_FMI_INT64:
    case GM_FMI_ENUMERATION: gm_buf_printf(out, "%" PRId64, gm_get_i64(at)); return;
    case GM_FMI_UINT64: gm_buf_printf(out, "%" PRIu64, gm_get_u64(at)); return;
    default: gm_buf_printf(out, "%u", at[0]); return;
    }
}

void gm_fmu_value_put(gm_fmi_type type, double value, gm_buf *out)
{
    float narrow = (float)value;
    if (type == GM_FMI_FLOAT32) put(out, &narrow, sizeof narrow);
    else put(out, &value, sizeof value);
}
