#include "link/template.h"

#include "base/number.h"

#include <math.h>

#define WHERE "link.template"

// A place between its braces: the name and what follows the colon.
typedef struct place { gm_str name, format; } place;

static place place_of(gm_str inside)
{
    size_t colon = gm_str_find_char(inside, ':');
    if (colon == SIZE_MAX) return (place){ inside, { NULL, 0 } };
    return (place){ gm_str_slice(inside, 0, colon), gm_str_slice(inside, colon + 1, inside.len) };
}

// "03d" is 3, "12d" is 12; 0: it is no such thing.
static size_t padding(gm_str format)
{
    size_t width = 0;
    if (format.len < 2 || format.len > 3 || format.ptr[format.len - 1] != 'd') return 0;
    for (size_t i = 0; i + 1 < format.len; i++) {
        if (format.ptr[i] < '0' || format.ptr[i] > '9') return 0;
        width = width * 10 + (size_t)(format.ptr[i] - '0');
    }
    return width <= GM_TEMPLATE_WIDTH_MAX ? width : 0;
}

// Takes the next part off *rest: literal text, or a place. False at the end.
static gm_status next_part(gm_str *rest, gm_str *out_literal, gm_str *out_inside, gm_error *err)
{
    size_t open  = gm_str_find_char(*rest, '{');
    *out_literal = gm_str_slice(*rest, 0, open);
    *out_inside  = (gm_str){ NULL, 0 };
    if (open == SIZE_MAX) {
        *rest = (gm_str){ NULL, 0 };
        return GM_OK;
    }
    gm_str behind = gm_str_slice(*rest, open + 1, rest->len);
    size_t close  = gm_str_find_char(behind, '}');
    if (close == SIZE_MAX) return gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "' has a '{' without its '}'",
                                          GM_STR_ARG(gm_str_slice(*rest, 0, 60)));
    *out_inside = gm_str_slice(behind, 0, close);
    *rest       = gm_str_slice(behind, close + 1, behind.len);
    return GM_OK;
}

gm_status gm_template_check(gm_str pattern, gm_error *err)
{
    gm_str literal, inside;
    while (pattern.len > 0) {
        gm_status st = next_part(&pattern, &literal, &inside, err);
        if (st != GM_OK) return st;
        if (inside.ptr == NULL) continue;
        place p = place_of(inside);
        bool  known = p.format.ptr == NULL || gm_str_is(p.format, "number") || padding(p.format) > 0;
        if (p.name.len == 0 || !known) {
            return gm_fail(err, GM_INVALID, WHERE, "{" GM_STR_FMT "}: write {name}, {name:03d}, or {name:number} alone",
                           GM_STR_ARG(gm_str_slice(inside, 0, 60)));
        }
    }
    return GM_OK;
}

static gm_status value_of(gm_str name, gm_template_find *find, const void *context, gm_str *out, gm_error *err)
{
    if (find(context, name, out)) return GM_OK;
    return gm_fail(err, GM_INVALID, WHERE, "there is no value for {" GM_STR_FMT "}",
                   GM_STR_ARG(gm_str_slice(name, 0, 60)));
}

static gm_status add_padded(gm_str value, size_t width, gm_buf *out, gm_error *err)
{
    int64_t whole;
    double  real;
    bool number = value.len > 0 && gm_number_read(value, &real) == value.len;
    if (!number || !(fabs(real) <= 9007199254740992.0) || real != floor(real)) {
        size_t zeros = 0;  // "007" is no JSON number but a whole one all the same
        while (zeros + 1 < value.len && value.ptr[zeros] == '0') zeros++;
        value = gm_str_slice(value, zeros, value.len);
        if (value.len == 0 || gm_number_read_int(value, &whole) != value.len) {
            return gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "' is no whole number",
                           GM_STR_ARG(gm_str_slice(value, 0, 60)));
        }
    } else {
        whole = (int64_t)real;
    }
    gm_buf_printf(out, "%0*lld", (int)width, (long long)whole);
    return GM_OK;
}

gm_status gm_template_fill(gm_str pattern, gm_template_find *find, const void *context, gm_buf *out, gm_error *err)
{
    gm_str literal, inside, value;
    while (pattern.len > 0) {
        gm_status st = next_part(&pattern, &literal, &inside, err);
        if (st != GM_OK) return st;
        gm_buf_str(out, literal);
        if (inside.ptr == NULL) continue;
        place p = place_of(inside);
        st      = value_of(p.name, find, context, &value, err);
        if (st != GM_OK) return st;
        size_t width = padding(p.format);
        if (width > 0) st = add_padded(value, width, out, err);
        else gm_buf_str(out, value);
        if (st != GM_OK) return st;
    }
    return out->failed ? gm_fail(err, GM_NOMEM, WHERE, "filling in a template") : GM_OK;
}

// "{name:number}" and nothing else.
static bool is_number_place(gm_str text, gm_str *out_name)
{
    if (text.len < 10 || text.ptr[0] != '{' || gm_str_find_char(text, '}') != text.len - 1) return false;
    place p   = place_of(gm_str_slice(text, 1, text.len - 1));
    *out_name = p.name;
    return gm_str_is(p.format, "number");
}

static gm_status fill_text(gm_str text, gm_template_find *find, const void *context, gm_buf *out, gm_error *err)
{
    gm_str name, value;
    double number;
    if (is_number_place(text, &name)) {
        gm_status st = value_of(name, find, context, &value, err);
        if (st != GM_OK) return st;
        if (value.len == 0 || gm_number_read(value, &number) != value.len) {
            return gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "' is no number",
                           GM_STR_ARG(gm_str_slice(value, 0, 60)));
        }
        gm_buf_str(out, value);
        return GM_OK;
    }
    gm_buf    filled = gm_buf_init(out->alloc);
    gm_status st     = gm_template_fill(text, find, context, &filled, err);
    if (st == GM_OK) gm_buf_json_str(out, gm_buf_view(&filled));
    gm_buf_finish(&filled);
    return st;
}

// Recursion is bounded by GM_JSON_DEPTH_MAX, which the parser of the mapping has kept.
gm_status gm_template_fill_json(const gm_json *value, gm_template_find *find, const void *context, gm_buf *out,
                                gm_error *err)
{
    if (value->kind == GM_JSON_STRING) return fill_text(value->text, find, context, out, err);
    if (value->kind != GM_JSON_OBJECT && value->kind != GM_JSON_ARRAY) {
        gm_json_write(value, out);
        return GM_OK;
    }
    bool      object = value->kind == GM_JSON_OBJECT;
    gm_status st     = GM_OK;
    gm_buf_byte(out, object ? '{' : '[');
    for (const gm_json *child = value->first; st == GM_OK && child != NULL; child = child->next) {
        if (child != value->first) gm_buf_byte(out, ',');
        if (object) {
            gm_buf_json_str(out, child->key);
            gm_buf_byte(out, ':');
        }
        st = gm_template_fill_json(child, find, context, out, err);
    }
    gm_buf_byte(out, object ? '}' : ']');
    return st == GM_OK && out->failed ? gm_fail(err, GM_NOMEM, WHERE, "filling in a template") : st;
}
