// Texts of the xs: types (XML Schema 1.0, part 2; IEC 63278 DataTypeDefXsd), and values that clients send alone.
#include "aas/tree.h"
#include "base/number.h"
#include "state/document.h"

#include <math.h>
#include <stdlib.h>

static const char WHERE[] = "aas.value";

typedef enum shape { SHAPE_TEXT, SHAPE_BOOLEAN, SHAPE_INTEGER, SHAPE_REAL, SHAPE_DECIMAL, SHAPE_TIME } shape;
typedef struct value_type { const char *name; shape shape; const char *low, *high; } value_type;

static const value_type types[] = {
    { "xs:string", SHAPE_TEXT, NULL, NULL },
    { "xs:anyURI", SHAPE_TEXT, NULL, NULL },
    { "xs:base64Binary", SHAPE_TEXT, NULL, NULL },
    { "xs:hexBinary", SHAPE_TEXT, NULL, NULL },
    { "xs:boolean", SHAPE_BOOLEAN, NULL, NULL },
    { "xs:double", SHAPE_REAL, NULL, NULL },
    { "xs:float", SHAPE_REAL, NULL, NULL },
    { "xs:decimal", SHAPE_DECIMAL, NULL, NULL },
    { "xs:integer", SHAPE_INTEGER, NULL, NULL },
    { "xs:byte", SHAPE_INTEGER, "-128", "127" },
    { "xs:short", SHAPE_INTEGER, "-32768", "32767" },
    { "xs:int", SHAPE_INTEGER, "-2147483648", "2147483647" },
    { "xs:long", SHAPE_INTEGER, "-9223372036854775808", "9223372036854775807" },
    { "xs:unsignedByte", SHAPE_INTEGER, "0", "255" },
    { "xs:unsignedShort", SHAPE_INTEGER, "0", "65535" },
    { "xs:unsignedInt", SHAPE_INTEGER, "0", "4294967295" },
    { "xs:unsignedLong", SHAPE_INTEGER, "0", "18446744073709551615" },
    { "xs:positiveInteger", SHAPE_INTEGER, "1", NULL },
    { "xs:nonNegativeInteger", SHAPE_INTEGER, "0", NULL },
    { "xs:negativeInteger", SHAPE_INTEGER, NULL, "-1" },
    { "xs:nonPositiveInteger", SHAPE_INTEGER, NULL, "0" },
    { "xs:date", SHAPE_TIME, NULL, NULL },
    { "xs:dateTime", SHAPE_TIME, NULL, NULL },
    { "xs:time", SHAPE_TIME, NULL, NULL },
    { "xs:duration", SHAPE_TIME, NULL, NULL },
    { "xs:gDay", SHAPE_TIME, NULL, NULL },
    { "xs:gMonth", SHAPE_TIME, NULL, NULL },
    { "xs:gMonthDay", SHAPE_TIME, NULL, NULL },
    { "xs:gYear", SHAPE_TIME, NULL, NULL },
    { "xs:gYearMonth", SHAPE_TIME, NULL, NULL },
};

static const value_type *find(gm_str name)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (gm_str_is(name, types[i].name)) return &types[i];
    }
    return NULL;
}

bool gm_aas_is_value_type(gm_str name) { return find(name) != NULL; }

static size_t digits(gm_str text, size_t at)
{
    size_t n = 0;
    while (at + n < text.len && text.ptr[at + n] >= '0' && text.ptr[at + n] <= '9') n++;
    return n;
}

static bool is_real(gm_str text)
{
    if (gm_str_is(text, "INF") || gm_str_is(text, "-INF") || gm_str_is(text, "NaN")) return true;
    size_t at = text.len > 0 && (text.ptr[0] == '+' || text.ptr[0] == '-'), whole = digits(text, at), part = 0;
    at += whole;
    if (at < text.len && text.ptr[at] == '.') {
        part = digits(text, at + 1);
        at += 1 + part;
    }
    if (whole + part == 0) return false;
    if (at < text.len && (text.ptr[at] == 'e' || text.ptr[at] == 'E')) {
        at++;
        at += at < text.len && (text.ptr[at] == '+' || text.ptr[at] == '-');
        size_t power = digits(text, at);
        if (power == 0) return false;
        at += power;
    }
    return at == text.len;
}

// Sign and digits without leading zeros; false: it is no whole number.
static bool read_integer(gm_str text, bool *out_negative, gm_str *out_digits)
{
    size_t at     = text.len > 0 && (text.ptr[0] == '+' || text.ptr[0] == '-');
    *out_negative = at > 0 && text.ptr[0] == '-';
    if (digits(text, at) == 0 || at + digits(text, at) != text.len) return false;
    while (at + 1 < text.len && text.ptr[at] == '0') at++;
    *out_digits = gm_str_slice(text, at, text.len);
    if (gm_str_is(*out_digits, "0")) *out_negative = false;
    return true;
}

static int compare_integers(gm_str a, gm_str b)
{
    bool   na, nb;
    gm_str da, db;
    if (!read_integer(a, &na, &da) || !read_integer(b, &nb, &db)) return 0;
    if (na != nb) return na ? -1 : 1;
    int o = da.len != db.len ? (da.len < db.len ? -1 : 1) : gm_str_cmp(da, db);
    return na ? -o : o;
}

static bool fits_integer(const value_type *t, gm_str text)
{
    bool   negative;
    gm_str number;
    return read_integer(text, &negative, &number) && (t->low == NULL || compare_integers(text, gm_str_of(t->low)) >= 0) &&
           (t->high == NULL || compare_integers(text, gm_str_of(t->high)) <= 0);
}

// Times are looked at for the characters that they may have, not for the calendar.
static bool fits_time(gm_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (strchr("0123456789-+:.TZPYMDHS", text.ptr[i]) == NULL || text.ptr[i] == '\0') return false;
    }
    return text.len > 0;
}

bool gm_aas_fits(gm_str type, gm_str text)
{
    const value_type *t = find(type);
    if (t == NULL) return false;
    switch (t->shape) {
    case SHAPE_BOOLEAN: return gm_str_is(text, "true") || gm_str_is(text, "false") || gm_str_is(text, "1") || gm_str_is(text, "0");
    case SHAPE_INTEGER: return fits_integer(t, text);
    case SHAPE_REAL: return is_real(text);
    case SHAPE_DECIMAL: return is_real(text) && gm_str_find_char(text, 'e') == SIZE_MAX && gm_str_find_char(text, 'E') == SIZE_MAX && gm_str_find_char(text, 'N') == SIZE_MAX;
    case SHAPE_TIME: return fits_time(text);
    case SHAPE_TEXT: return true;
    }
    return false;
}

gm_status gm_aas_lexical(const char *type, const json_t *value, gm_buf *out, gm_error *err)
{
    gm_buf_clear(out);
    if (json_is_string(value)) gm_buf_add(out, json_string_value(value), json_string_length(value));
    else if (json_is_boolean(value)) gm_buf_text(out, json_is_true(value) ? "true" : "false");
    else if (json_is_integer(value)) gm_buf_printf(out, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value)) gm_buf_json_number(out, json_real_value(value));
    else if (json_is_null(value) || strcmp(type, "xs:string") != 0) return gm_fail(err, GM_INVALID, WHERE, "the value of a property is a text, a number or true or false");
    else gm_document_compact(value, out);  // maps and arrays of twins are properties of their JSON
    if (out->failed) return gm_fail(err, GM_NOMEM, WHERE, "reading a value");
    if (gm_aas_fits(gm_str_of(type), gm_buf_view(out))) return GM_OK;
    return gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "' is no %s", GM_STR_ARG(gm_str_slice(gm_buf_view(out), 0, 60)), type);
}

// ---- setting ----------------------------------------------------------------------------------------------------------

static gm_status set_text(json_t *e, const char *member, const json_t *value, gm_error *err)
{
    const char *type = json_string_value(json_object_get(e, "valueType"));
    gm_buf      text = gm_buf_init(gm_alloc_system());
    gm_status   st   = gm_aas_lexical(type != NULL ? type : "xs:string", value, &text, err);
    if (st == GM_OK && json_object_set_new(e, member, json_stringn((const char *)text.ptr, text.len)) != 0) st = gm_fail(err, GM_NOMEM, WHERE, "setting a value");
    gm_buf_finish(&text);
    return st;
}

// [{"en":"pump"}] -> [{"language":"en","text":"pump"}]
static gm_status set_words(json_t *e, const json_t *value, gm_error *err)
{
    json_t *list = json_array();
    size_t  bad  = json_is_array(value) ? 0 : 1;
    for (size_t i = 0; bad == 0 && i < json_array_size(value); i++) {
        const char *language;
        json_t     *text;
        json_object_foreach(json_array_get(value, i), language, text) {
            if (!json_is_string(text)) bad++;
            else (void)json_array_append_new(list, json_pack("{ss sO}", "language", language, "text", text));
        }
    }
    if (bad > 0 || json_array_size(list) == 0) {
        json_decref(list);
        return gm_fail(err, GM_INVALID, WHERE, "the value of words in several languages is a list such as [{\"en\":\"pump\"}]");
    }
    return json_object_set_new(e, "value", list) == 0 ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "setting a value");
}

gm_status gm_aas_set_value(json_t *e, const json_t *value, gm_error *err)
{
    if (gm_aas_is(e, "Property")) return set_text(e, "value", value, err);
    if (gm_aas_is(e, "MultiLanguageProperty")) return set_words(e, value, err);
    if (!gm_aas_is(e, "Range")) return gm_fail(err, GM_INVALID, WHERE, "only properties, ranges and words in several languages can be set");
    const json_t *low = json_object_get(value, "min"), *high = json_object_get(value, "max");
    if (low == NULL && high == NULL) return gm_fail(err, GM_INVALID, WHERE, "the value of a range has 'min' or 'max'");
    gm_status st = low != NULL ? set_text(e, "min", low, err) : GM_OK;
    return st == GM_OK && high != NULL ? set_text(e, "max", high, err) : st;
}
