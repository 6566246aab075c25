#include "link/telemetry_json.h"

#include "base/utf8.h"

#include <stdio.h>

gm_status gm_json_refuse(const gm_json_cursor *c, const char *at, const char *fmt, ...)
{
    char    text[170];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return gm_fail(c->err, GM_INVALID, "link.telemetry", "byte %zu: %s", (size_t)(at - c->start), text);
}

static bool starts(const gm_json_cursor *c, const char *word)
{
    return gm_str_starts((gm_str){ c->at, (size_t)(c->end - c->at) }, gm_str_of(word));
}

const char *gm_json_sight(const gm_json_cursor *c)
{
    if (c->at >= c->end) return "the end of the message";
    if (starts(c, "NaN") || starts(c, "nan") || starts(c, "-NaN") || starts(c, "-nan")) return "NaN, which is not JSON";
    if (starts(c, "Inf") || starts(c, "inf") || starts(c, "-Inf") || starts(c, "-inf"))
        return "an infinity, which is not JSON";
    if (starts(c, "null")) return "null (leave a value out to have none)";
    if (starts(c, "true") || starts(c, "false")) return "a boolean";
    switch (*c->at) {
    case '{': return "an object";
    case '[': return "an array";
    case '"': return "a text";
    case '\'': return "a single quote, which is not JSON";
    case ',': return "a comma";
    case ':': return "a colon";
    case '}':
    case ']': return "a closing bracket";
    case '+': return "a plus sign, which is not JSON";
    case '\0': return "a zero byte";
    default: return *c->at == '-' || (*c->at >= '0' && *c->at <= '9') ? "a number" : "something that is not JSON";
    }
}

gm_status gm_json_expected(const gm_json_cursor *c, const char *expected)
{
    return gm_json_refuse(c, c->at, "expected %s, found %s", expected, gm_json_sight(c));
}

// ---- strings ------------------------------------------------------------------------------------------------------
static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// Four hexadecimal digits at the cursor, or -1.
static int32_t take_hex4(gm_json_cursor *c)
{
    if (c->end - c->at < 4) return -1;
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(c->at[i]);
        if (digit < 0) return -1;
        value = value << 4 | digit;
    }
    c->at += 4;
    return value;
}

// Behind "\u": one escape, or two that make a surrogate pair.
static gm_status take_unicode(gm_json_cursor *c, const char *escape)
{
    int32_t code = take_hex4(c);
    if (code < 0) return gm_json_refuse(c, escape, "\\u needs four hexadecimal digits");
    if (code == 0) return gm_json_refuse(c, escape, "the character U+0000 is not accepted in texts");
    if (code >= 0xdc00 && code < 0xe000)
        return gm_json_refuse(c, escape, "half of a surrogate pair without its first half");
    if (code >= 0xd800 && code < 0xdc00) {
        bool    second = gm_json_take(c, '\\') && gm_json_take(c, 'u');
        int32_t low    = second ? take_hex4(c) : -1;
        if (low < 0xdc00 || low >= 0xe000)
            return gm_json_refuse(c, escape, "half of a surrogate pair without its second half");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    c->text_used += gm_utf8_encode((uint32_t)code, c->text + c->text_used);  // at most 4 bytes for at least 6
    return GM_OK;
}

static gm_status take_escape(gm_json_cursor *c)
{
    const char *escape = c->at++;
    if (c->at >= c->end) return gm_json_refuse(c, c->at, "the message ends in the middle of a text");
    char what = *c->at++, plain;
    switch (what) {
    case '"':
    case '\\':
    case '/': plain = what; break;
    case 'b': plain = '\b'; break;
    case 'f': plain = '\f'; break;
    case 'n': plain = '\n'; break;
    case 'r': plain = '\r'; break;
    case 't': plain = '\t'; break;
    case 'u': return take_unicode(c, escape);
    default: return gm_json_refuse(c, escape, "an unknown escape in a text");
    }
    c->text[c->text_used++] = plain;
    return GM_OK;
}

// Over characters that stand for themselves, up to a quote, a backslash, or something wrong.
static gm_status skip_plain(gm_json_cursor *c)
{
    while (c->at < c->end) {
        unsigned char byte = (unsigned char)*c->at;
        if (byte == '"' || byte == '\\') return GM_OK;
        if (byte < 0x20) return gm_json_refuse(c, c->at, "a control character in a text must be escaped");
        if (byte < 0x80) {
            c->at++;
            continue;
        }
        size_t step = gm_utf8_step((gm_str){ c->at, (size_t)(c->end - c->at) });
        if (step == 0) return gm_json_refuse(c, c->at, "a text that is not valid UTF-8");
        c->at += step;
    }
    return gm_json_refuse(c, c->at, "the message ends in the middle of a text");
}

gm_status gm_json_string(gm_json_cursor *c, gm_str *out_text)
{
    if (!gm_json_take(c, '"')) return gm_json_expected(c, "a text");
    const char *plain = c->at;
    gm_status   st    = skip_plain(c);
    if (st != GM_OK) return st;
    if (*c->at == '"') {
        *out_text = (gm_str){ plain, (size_t)(c->at - plain) };
        c->at++;
        return GM_OK;
    }
    size_t first = c->text_used;
    for (;;) {
        memcpy(c->text + c->text_used, plain, (size_t)(c->at - plain));
        c->text_used += (size_t)(c->at - plain);
        if (*c->at == '"') break;
        st = take_escape(c);
        if (st != GM_OK) return st;
        plain = c->at;
        st    = skip_plain(c);
        if (st != GM_OK) return st;
    }
    c->at++;
    *out_text = (gm_str){ c->text + first, c->text_used - first };
    return GM_OK;
}
