#include "link/line.h"

#include "base/number.h"

#include <math.h>

// The first byte at or behind `at` that is one of two and stands without a backslash; len when there is none.
static size_t find_either(gm_str text, size_t at, char a, char b)
{
    for (; at < text.len; at++) {
        char c = text.ptr[at];
        if (c == '\\') at++;
        else if (c == a || c == b) return at;
    }
    return text.len;
}

// The end of the fields: a space outside of texts.
static size_t end_of_fields(gm_str text, size_t at)
{
    bool quoted = false;
    for (; at < text.len; at++) {
        char c = text.ptr[at];
        if (c == '\\') at++;
        else if (c == '"') quoted = !quoted;
        else if (c == ' ' && !quoted) return at;
    }
    return quoted ? SIZE_MAX : text.len;
}

// Lines end with '\n', but a text in quotes may hold one.
static size_t end_of_line(gm_str text)
{
    const char *newline = memchr(text.ptr, '\n', text.len);
    size_t      end     = newline != NULL ? (size_t)(newline - text.ptr) : text.len;
    if (memchr(text.ptr, '"', end) == NULL) return end;
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\\') i++;
        else if (c == '"') quoted = !quoted;
        else if (c == '\n' && !quoted) return i;
    }
    return quoted ? end : text.len;  // the quote is never closed: the fault is this line's
}

static void take_apart(gm_line *line)
{
    gm_str text = line->text;
    size_t key  = find_either(text, 0, ' ', ' ');
    line->fault = NULL;
    line->key   = gm_str_slice(text, 0, key);
    if (line->key.len == 0 || line->key.ptr[0] == ',') {
        line->fault = "missing measurement";
        return;
    }
    while (key < text.len && text.ptr[key] == ' ') key++;
    size_t end = end_of_fields(text, key);
    if (key >= text.len || end == SIZE_MAX) {
        line->fault = key >= text.len ? "missing fields" : "unbalanced quotes";
        return;
    }
    line->fields   = gm_str_slice(text, key, end);
    gm_str time    = gm_str_trim(gm_str_slice(text, end, text.len));
    line->has_time = time.len > 0;
    if (line->has_time && gm_number_read_int(time, &line->time) != time.len) line->fault = "bad timestamp";
}

bool gm_line_next(gm_str *rest, gm_line *line)
{
    while (rest->len > 0) {
        size_t end = end_of_line(*rest);
        gm_str one = gm_str_slice(*rest, 0, end);
        line->number++;
        *rest = gm_str_slice(*rest, end + 1, rest->len);
        while (one.len > 0 && (one.ptr[one.len - 1] == '\r' || one.ptr[one.len - 1] == ' ')) one.len--;
        while (one.len > 0 && (one.ptr[0] == ' ' || one.ptr[0] == '\t')) one = gm_str_slice(one, 1, one.len);
        if (one.len == 0 || one.ptr[0] == '#') continue;
        line->text = one;
        take_apart(line);
        return true;
    }
    return false;
}

gm_str gm_line_measurement(gm_str *key)
{
    size_t end  = find_either(*key, 0, ',', ',');
    gm_str name = gm_str_slice(*key, 0, end);
    *key        = gm_str_slice(*key, end + 1, key->len);
    return name;
}

bool gm_line_tag(gm_str *rest, gm_str *out_name, gm_str *out_value, const char **out_fault)
{
    if (rest->len == 0) return false;
    size_t equals = find_either(*rest, 0, '=', ','), end = find_either(*rest, equals, ',', ',');
    *out_name     = gm_str_slice(*rest, 0, equals);
    *out_value    = gm_str_slice(*rest, equals + 1, end);
    if (equals >= rest->len || rest->ptr[equals] != '=' || out_name->len == 0 || out_value->len == 0) {
        *out_fault = "missing tag value";
        return false;
    }
    *rest = gm_str_slice(*rest, end + 1, rest->len);
    return true;
}

static bool read_word(gm_str text, gm_value *out)
{
    static const char *const yes[] = { "t", "T", "true", "True", "TRUE" }, *const no[] = { "f", "F", "false", "False", "FALSE" };
    out->kind = GM_KIND_BOOL;
    for (size_t i = 0; i < 5; i++) {
        if (gm_str_is(text, yes[i]) || gm_str_is(text, no[i])) {
            out->i = gm_str_is(text, yes[i]);
            return true;
        }
    }
    return false;
}

static bool read_value(gm_str text, gm_value *out)
{
    // Floats first: they are nearly everything that comes.
    size_t n = gm_number_read(text, &out->d);
    if (n > 0 && n == text.len) {
        out->kind = GM_KIND_DOUBLE;
        return isfinite(out->d) != 0;
    }
    if (text.len > 1 && (text.ptr[text.len - 1] == 'i' || text.ptr[text.len - 1] == 'u')) {
        out->kind    = GM_KIND_INT;
        gm_str whole = gm_str_slice(text, 0, text.len - 1);
        return gm_number_read_int(whole, &out->i) == whole.len && !(text.ptr[text.len - 1] == 'u' && out->i < 0);
    }
    if (text.len > 1 && text.ptr[0] == '+') {  // not JSON, but Influx reads it
        gm_str plain = gm_str_slice(text, 1, text.len);
        out->kind    = GM_KIND_DOUBLE;
        return plain.ptr[0] != '-' && gm_number_read(plain, &out->d) == plain.len && isfinite(out->d);
    }
    return read_word(text, out);
}

bool gm_line_field(gm_str *rest, gm_str *out_name, gm_value *out_value, const char **out_fault)
{
    if (rest->len == 0) return false;
    size_t equals = find_either(*rest, 0, '=', ',');
    *out_name     = gm_str_slice(*rest, 0, equals);
    if (equals == 0 || equals >= rest->len || rest->ptr[equals] != '=') {
        *out_fault = "missing field value";
        return false;
    }
    size_t at = equals + 1, end;
    if (at < rest->len && rest->ptr[at] == '"') {
        end = find_either(*rest, at + 1, '"', '"');
        if (end >= rest->len || (end + 1 < rest->len && rest->ptr[end + 1] != ',')) {
            *out_fault = "bad string value";
            return false;
        }
        *out_value = (gm_value){ .kind = GM_KIND_STRING, .s = gm_str_slice(*rest, at + 1, end) };
        end++;
    } else {
        const char *comma = memchr(rest->ptr + at, ',', rest->len - at);
        end               = comma != NULL ? (size_t)(comma - rest->ptr) : rest->len;
        if (!read_value(gm_str_slice(*rest, at, end), out_value)) {
            *out_fault = "invalid field value";
            return false;
        }
    }
    if (end + 1 == rest->len) {
        *out_fault = "missing field key";
        return false;
    }
    *rest = gm_str_slice(*rest, end + 1, rest->len);
    return true;
}

void gm_line_unescape(gm_str text, gm_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        char next = i + 1 < text.len ? text.ptr[i + 1] : '\0';
        bool escape = text.ptr[i] == '\\' && (next == ',' || next == '=' || next == ' ' || next == '"' || next == '\\');
        gm_buf_byte(out, (uint8_t)text.ptr[escape ? ++i : i]);
    }
}
