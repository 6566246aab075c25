#include "query/value.h"

#include "base/number.h"
#include "base/utf8.h"

#include <math.h>
#include <stdlib.h>

// ---- order ------------------------------------------------------------------------------------------------------

static int order_ints(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

// Exact, where a cast of either side would round: the double's whole part is compared as an integer.
static int order_int_double(int64_t i, double d)
{
    if (d >= 9223372036854775808.0) return -1;
    if (d < -9223372036854775808.0) return 1;
    double whole = floor(d);
    int    order = order_ints(i, (int64_t)whole);
    return order != 0 ? order : d > whole ? -1 : 0;
}

static int order_numbers(gm_qvalue a, gm_qvalue b)
{
    if (a.kind == GM_Q_INT && b.kind == GM_Q_INT) return order_ints(a.i, b.i);
    if (a.kind == GM_Q_INT) return order_int_double(a.i, b.d);
    if (b.kind == GM_Q_INT) return -order_int_double(b.i, a.d);
    return (a.d > b.d) - (a.d < b.d);
}

static gm_qkind rank(gm_qkind kind)
{
    return kind == GM_Q_DOUBLE ? GM_Q_INT : kind;
}

int gm_qvalue_order(gm_qvalue a, gm_qvalue b)
{
    gm_qkind ra = rank(a.kind), rb = rank(b.kind);
    if (ra != rb) return ra < rb ? -1 : 1;
    switch (ra) {
    case GM_Q_INT: return order_numbers(a, b);
    case GM_Q_BOOL:
    case GM_Q_TIME: return order_ints(a.i, b.i);
    case GM_Q_STRING:
    case GM_Q_JSON: return gm_str_cmp(a.s, b.s);
    default: return 0;
    }
}

gm_truth gm_qvalue_compare(gm_compare op, gm_qvalue a, gm_qvalue b)
{
    gm_time_ns time;
    if (a.kind == GM_Q_TIME && b.kind == GM_Q_STRING && gm_time_parse(b.s, &time, NULL) == GM_OK) {
        b = (gm_qvalue){ GM_Q_TIME, { .i = time } };
    } else if (b.kind == GM_Q_TIME && a.kind == GM_Q_STRING && gm_time_parse(a.s, &time, NULL) == GM_OK) {
        a = (gm_qvalue){ GM_Q_TIME, { .i = time } };
    }
    if (rank(a.kind) != rank(b.kind) || a.kind == GM_Q_UNDEFINED || a.kind == GM_Q_JSON) return GM_UNKNOWN;
    int order = gm_qvalue_order(a, b);
    switch (op) {
    case GM_EQ: return order == 0;
    case GM_NE: return order != 0;
    case GM_LT: return order < 0;
    case GM_LE: return order <= 0;
    case GM_GT: return order > 0;
    case GM_GE: return order >= 0;
    }
    return GM_UNKNOWN;
}

static int order_for_sort(const void *a, const void *b)
{
    return gm_qvalue_order(*(const gm_qvalue *)a, *(const gm_qvalue *)b);
}

gm_qset gm_qset_make(gm_qvalue *values, size_t count)
{
    if (count > 1) qsort(values, count, sizeof *values, order_for_sort);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || gm_qvalue_order(values[kept - 1], values[i]) != 0) values[kept++] = values[i];
    }
    return (gm_qset){ values, kept };
}

bool gm_qset_has(gm_qset set, gm_qvalue value)
{
    size_t low = 0, high = set.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int    order  = gm_qvalue_order(set.values[middle], value);
        if (order == 0) return true;
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return false;
}

// ---- conversions ------------------------------------------------------------------------------------------------

gm_qvalue gm_qvalue_of(gm_value value)
{
    switch (value.kind) {
    case GM_KIND_BOOL: return (gm_qvalue){ GM_Q_BOOL, { .i = value.i } };
    case GM_KIND_INT: return (gm_qvalue){ GM_Q_INT, { .i = value.i } };
    case GM_KIND_DOUBLE: return (gm_qvalue){ GM_Q_DOUBLE, { .d = value.d } };
    case GM_KIND_STRING: return (gm_qvalue){ GM_Q_STRING, { .s = value.s } };
    case GM_KIND_JSON: return (gm_qvalue){ GM_Q_JSON, { .s = value.s } };
    default: return (gm_qvalue){ 0 };
    }
}

bool gm_qvalue_text(gm_qvalue value, char buffer[GM_TIME_TEXT], gm_str *out_text)
{
    if (value.kind == GM_Q_TIME) *out_text = (gm_str){ buffer, gm_time_format(value.i, buffer) };
    else if (value.kind == GM_Q_STRING) *out_text = value.s;
    else return false;
    return true;
}

void gm_qvalue_write(gm_qvalue value, gm_buf *out)
{
    char number[GM_NUMBER_TEXT], time[GM_TIME_TEXT];
    switch (value.kind) {
    case GM_Q_UNDEFINED:
    case GM_Q_NULL: gm_buf_text(out, "null"); break;
    case GM_Q_BOOL: gm_buf_text(out, value.i ? "true" : "false"); break;
    case GM_Q_INT: gm_buf_printf(out, "%lld", (long long)value.i); break;
    case GM_Q_DOUBLE: gm_buf_add(out, number, gm_number_write(value.d, number)); break;
    case GM_Q_TIME: gm_buf_json_str(out, (gm_str){ time, gm_time_format(value.i, time) }); break;
    case GM_Q_STRING: gm_buf_json_str(out, value.s); break;
    case GM_Q_JSON: gm_buf_str(out, value.s); break;
    }
}

// ---- JSON text --------------------------------------------------------------------------------------------------

static size_t skip_blanks(gm_str json, size_t at)
{
    while (at < json.len &&
           (json.ptr[at] == ' ' || json.ptr[at] == '\t' || json.ptr[at] == '\n' || json.ptr[at] == '\r'))
        at++;
    return at;
}

// The end of the string whose opening quote is at `at`, behind the closing one; SIZE_MAX when there is none.
static size_t string_end(gm_str json, size_t at)
{
    for (at++; at < json.len; at++) {
        if (json.ptr[at] == '\\') at++;
        else if (json.ptr[at] == '"') return at + 1;
    }
    return SIZE_MAX;
}

// The end of the value at `at`. Objects and arrays are skipped by counting brackets outside strings: no recursion.
static size_t value_end(gm_str json, size_t at)
{
    if (at >= json.len) return SIZE_MAX;
    if (json.ptr[at] == '"') return string_end(json, at);
    if (json.ptr[at] != '{' && json.ptr[at] != '[') {
        while (at < json.len && strchr(",]} \t\r\n", json.ptr[at]) == NULL) at++;
        return at;
    }
    size_t depth = 0;
    while (at < json.len) {
        char c = json.ptr[at];
        if (c == '"') {
            at = string_end(json, at);
            if (at == SIZE_MAX) return SIZE_MAX;
            continue;
        }
        if (c == '{' || c == '[') depth++;
        at++;
        if ((c == '}' || c == ']') && --depth == 0) return at;
    }
    return SIZE_MAX;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static bool hex4(gm_str text, size_t at, uint32_t *out)
{
    *out = 0;
    if (at + 4 > text.len) return false;
    for (size_t i = at; i < at + 4; i++) {
        int digit = hex_digit(text.ptr[i]);
        if (digit < 0) return false;
        *out = *out * 16 + (uint32_t)digit;
    }
    return true;
}

// Writes the characters between the quotes to out, which has room for raw.len bytes. Returns SIZE_MAX for a bad escape.
static size_t unescape(gm_str raw, char *out)
{
    size_t len = 0;
    for (size_t at = 0; at < raw.len;) {
        char c = raw.ptr[at++];
        if (c != '\\') {
            out[len++] = c;
            continue;
        }
        if (at >= raw.len) return SIZE_MAX;
        static const char from[] = "\"\\/nrtbf", to[] = "\"\\/\n\r\t\b\f";
        char              letter = raw.ptr[at++];
        if (letter == 'u') {
            uint32_t point, low;
            if (!hex4(raw, at, &point)) return SIZE_MAX;
            at += 4;
            bool pair =
                point >= 0xd800 && point < 0xdc00 && at + 6 <= raw.len && raw.ptr[at] == '\\' && raw.ptr[at + 1] == 'u';
            if (pair && hex4(raw, at + 2, &low) && low >= 0xdc00 && low < 0xe000) {
                point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
                at += 6;
            }
            size_t step = gm_utf8_encode(point, out + len);
            if (step == 0) return SIZE_MAX;
            len += step;
            continue;
        }
        const char *known = letter != '\0' ? strchr(from, letter) : NULL;
        if (known == NULL) return SIZE_MAX;
        out[len++] = to[known - from];
    }
    return len;
}

gm_qvalue gm_json_value(gm_str json, gm_arena *arena)
{
    size_t at  = skip_blanks(json, 0);
    size_t end = value_end(json, at);
    if (end == SIZE_MAX || end == at) return (gm_qvalue){ 0 };
    gm_str span = gm_str_slice(json, at, end);
    switch (span.ptr[0]) {
    case '{':
    case '[': return (gm_qvalue){ GM_Q_JSON, { .s = span } };
    case '"': break;
    case 't': return gm_str_is(span, "true") ? (gm_qvalue){ GM_Q_BOOL, { .i = 1 } } : (gm_qvalue){ 0 };
    case 'f': return gm_str_is(span, "false") ? (gm_qvalue){ GM_Q_BOOL, { .i = 0 } } : (gm_qvalue){ 0 };
    case 'n': return gm_str_is(span, "null") ? (gm_qvalue){ .kind = GM_Q_NULL } : (gm_qvalue){ 0 };
    default: {
        gm_qvalue number = { .kind = GM_Q_INT };
        if (gm_number_read_int(span, &number.i) == span.len) return number;
        number.kind = GM_Q_DOUBLE;
        return gm_number_read(span, &number.d) == span.len && isfinite(number.d) ? number : (gm_qvalue){ 0 };
    }
    }
    gm_str inner = gm_str_slice(span, 1, span.len - 1);
    if (gm_str_find_char(inner, '\\') != SIZE_MAX) {
        char  *copy = gm_arena_bytes(arena, inner.len + 1);
        size_t len  = copy != NULL ? unescape(inner, copy) : SIZE_MAX;
        if (len == SIZE_MAX) return (gm_qvalue){ 0 };
        inner = (gm_str){ copy, len };
    }
    return (gm_qvalue){ GM_Q_STRING, { .s = inner } };
}

// Is the key between the quotes this name? Escapes are compared character by character.
static bool key_is(gm_str raw, gm_str name)
{
    if (gm_str_find_char(raw, '\\') == SIZE_MAX) return gm_str_eq(raw, name);
    char key[512];
    if (raw.len > sizeof key) return false;
    size_t len = unescape(raw, key);
    return len != SIZE_MAX && gm_str_eq((gm_str){ key, len }, name);
}

static gm_str find_member(gm_str json, gm_str name)
{
    size_t at = skip_blanks(json, 0);
    if (at >= json.len || json.ptr[at] != '{') return (gm_str){ 0 };
    at++;
    for (;;) {
        at = skip_blanks(json, at);
        if (at >= json.len || json.ptr[at] != '"') return (gm_str){ 0 };
        size_t key_end = string_end(json, at);
        if (key_end == SIZE_MAX) return (gm_str){ 0 };
        gm_str key = gm_str_slice(json, at + 1, key_end - 1);
        at         = skip_blanks(json, key_end);
        if (at >= json.len || json.ptr[at] != ':') return (gm_str){ 0 };
        at         = skip_blanks(json, at + 1);
        size_t end = value_end(json, at);
        if (end == SIZE_MAX || end == at) return (gm_str){ 0 };
        if (key_is(key, name)) return gm_str_slice(json, at, end);
        at = skip_blanks(json, end);
        if (at >= json.len || json.ptr[at] != ',') return (gm_str){ 0 };
        at++;
    }
}

gm_str gm_json_find(gm_str json, const gm_str *segments, size_t count)
{
    for (size_t i = 0; i < count && json.len > 0; i++) json = find_member(json, segments[i]);
    return json;
}

bool gm_json_next_element(gm_str *rest, gm_str *out_element)
{
    size_t at = skip_blanks(*rest, 0);
    if (at >= rest->len || (rest->ptr[at] != '[' && rest->ptr[at] != ',')) return false;
    at         = skip_blanks(*rest, at + 1);
    size_t end = value_end(*rest, at);
    if (end == SIZE_MAX || end == at) return false;
    *out_element = gm_str_slice(*rest, at, end);
    *rest        = gm_str_slice(*rest, end, rest->len);
    return true;
}
