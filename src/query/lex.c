#include "query/lex.h"

#include "base/number.h"
#include "base/utf8.h"

#include <math.h>
#include <stdio.h>

// Line and column (in characters) are worked out only when someone has to be told.
static void place_of(gm_str text, uint32_t at, uint32_t *out_line, uint32_t *out_column)
{
    size_t line_start = 0;
    *out_line         = 1;
    for (size_t i = 0; i < at && i < text.len; i++) {
        if (text.ptr[i] != '\n') continue;
        ++*out_line;
        line_start = i + 1;
    }
    *out_column = 1 + (uint32_t)gm_utf8_count(gm_str_slice(text, line_start, at));
}

gm_status gm_lex_fail(gm_str text, uint32_t at, gm_status status, gm_error *err, const char *fmt, ...)
{
    char    message[160];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    uint32_t line, column;
    place_of(text, at, &line, &column);
    return gm_fail_at(err, status, "query", line, column, "line %u, column %u: %s", line, column, message);
}

gm_status gm_lex_expected(gm_str text, const gm_token *found, const char *what, gm_error *err)
{
    if (found->kind == GM_TOKEN_END) {
        return gm_lex_fail(text, found->at, GM_INVALID, err, "expected %s, but the query ends here", what);
    }
    gm_str shown = gm_str_slice(text, found->at, found->end);
    if (shown.len > 40) {
        // Cut between characters, so that the message stays valid text.
        size_t cut = 40;
        while (cut > 36 && ((unsigned char)shown.ptr[cut] & 0xc0) == 0x80) cut--;
        shown.len = cut;
    }
    return gm_lex_fail(text, found->at, GM_INVALID, err, "expected %s, found %s%.*s%s", what,
                       found->kind == GM_TOKEN_STRING ? "" : "'", (int)shown.len, shown.ptr,
                       found->kind == GM_TOKEN_STRING ? "" : "'");
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

bool gm_token_is_word(const gm_token *token, const char *keyword)
{
    if (token->kind != GM_TOKEN_NAME) return false;
    for (size_t i = 0; i < token->text.len; i++) {
        if (upper(token->text.ptr[i]) != keyword[i]) return false;  // also at the keyword's NUL
    }
    return keyword[token->text.len] == '\0';
}

bool gm_token_is_sign(const gm_token *token, const char *sign)
{
    return token->kind == GM_TOKEN_SIGN && gm_str_is(token->text, sign);
}

static bool name_starts(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || c >= 0x80;
}

static bool name_goes_on(unsigned char c)
{
    return name_starts(c) || (c >= '0' && c <= '9');
}

static int hex4(gm_str text, size_t at)
{
    int value = 0;
    if (at + 4 > text.len) return -1;
    for (size_t i = at; i < at + 4; i++) {
        char c = text.ptr[i];
        int  d = c >= '0' && c <= '9'   ? c - '0'
                 : c >= 'a' && c <= 'f' ? c - 'a' + 10
                 : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                        : -1;
        if (d < 0) return -1;
        value = value * 16 + d;
    }
    return value;
}

// \uXXXX, with a second one when the first is half of a surrogate pair. *at is behind the 'u'.
static size_t unescape_unicode(gm_str text, size_t *at, char *out)
{
    int first = hex4(text, *at);
    if (first < 0) return 0;
    *at += 4;
    uint32_t point = (uint32_t)first;
    if (first >= 0xd800 && first < 0xdc00 && *at + 6 <= text.len && text.ptr[*at] == '\\' && text.ptr[*at + 1] == 'u') {
        int second = hex4(text, *at + 2);
        if (second < 0xdc00 || second > 0xdfff) return 0;
        *at += 6;
        point = 0x10000 + ((uint32_t)(first - 0xd800) << 10) + (uint32_t)(second - 0xdc00);
    }
    return gm_utf8_encode(point, out);
}

// 'text' or "text"; a quote inside is doubled or escaped with a backslash.
static gm_status lex_string(gm_lexer *lexer, gm_token *token, gm_error *err)
{
    gm_str text  = lexer->text;
    char   quote = text.ptr[token->at];
    size_t at    = token->at + 1, end = at;
    bool   plain = true;
    for (;; end++) {
        if (end >= text.len) {
            return gm_lex_fail(text, token->at, GM_INVALID, err,
                               "expected a closing %c, but the query ends inside this text", quote);
        }
        if (text.ptr[end] == '\\') {
            plain = false;
            end++;
        } else if (text.ptr[end] == quote) {
            if (end + 1 >= text.len || text.ptr[end + 1] != quote) break;
            plain = false;
            end++;
        }
    }
    token->kind = GM_TOKEN_STRING;
    token->end  = (uint32_t)(end + 1);
    token->text = gm_str_slice(text, at, end);
    if (plain) return GM_OK;

    char *out = gm_arena_bytes(lexer->arena, end - at + 1);
    if (out == NULL) return gm_fail(err, GM_NOMEM, "query", "text of %zu bytes", end - at);
    size_t len = 0;
    while (at < end) {
        char c = text.ptr[at++];
        if (c == quote) at++;  // the second one of a doubled quote
        if (c != '\\') {
            out[len++] = c;
            continue;
        }
        static const char from[] = "'\"\\/nrtbf", to[] = "'\"\\/\n\r\t\b\f";
        char        letter = text.ptr[at++];
        const char *known  = strchr(from, letter);
        if (letter == 'u') {
            size_t step = unescape_unicode(text, &at, out + len);
            if (step == 0 || at > end) {
                return gm_lex_fail(text, (uint32_t)at, GM_INVALID, err,
                                   "expected four hexadecimal digits of a character behind \\u");
            }
            len += step;
        } else if (known != NULL && letter != '\0') {
            out[len++] = to[known - from];
        } else {
            return gm_lex_fail(text, (uint32_t)(at - 1), GM_INVALID, err,
                               "expected one of ' \" \\ / n r t b f u behind the backslash");
        }
    }
    token->text = (gm_str){ out, len };
    return GM_OK;
}

static gm_status lex_number(gm_lexer *lexer, gm_token *token, gm_error *err)
{
    gm_str rest = gm_str_slice(lexer->text, token->at, lexer->text.len);
    size_t len  = gm_number_read(rest, &token->number);
    if (len == 0 || (len < rest.len && name_goes_on((unsigned char)rest.ptr[len]))) {
        return gm_lex_fail(lexer->text, token->at, GM_INVALID, err, "expected a number such as 12, -3.5 or 1e6");
    }
    if (!isfinite(token->number)) {
        return gm_lex_fail(lexer->text, token->at, GM_INVALID, err, "expected a number of at most 1.8e308");
    }
    token->end  = token->at + (uint32_t)len;
    token->text = gm_str_slice(rest, 0, len);
    token->kind = gm_number_read_int(token->text, &token->integer) == len ? GM_TOKEN_INTEGER : GM_TOKEN_NUMBER;
    return GM_OK;
}

static gm_status lex_escaped_name(gm_lexer *lexer, gm_token *token, gm_error *err)
{
    gm_str rest = gm_str_slice(lexer->text, token->at + 2, lexer->text.len);
    size_t len  = gm_str_find(rest, GM_STR("]]"));
    if (len == SIZE_MAX || len == 0) {
        return gm_lex_fail(lexer->text, token->at, GM_INVALID, err, "expected a name closed by ]] behind [[");
    }
    token->kind = GM_TOKEN_ESCAPED;
    token->text = gm_str_slice(rest, 0, len);
    token->end  = token->at + (uint32_t)len + 4;
    return GM_OK;
}

gm_status gm_lex_next(gm_lexer *lexer, gm_token *out_token, gm_error *err)
{
    gm_str text = lexer->text;
    for (;;) {
        while (lexer->at < text.len && strchr(" \t\r\n", text.ptr[lexer->at]) != NULL && text.ptr[lexer->at] != '\0')
            lexer->at++;
        // A comment runs from -- to the end of the line.
        if (lexer->at + 1 >= text.len || text.ptr[lexer->at] != '-' || text.ptr[lexer->at + 1] != '-') break;
        while (lexer->at < text.len && text.ptr[lexer->at] != '\n') lexer->at++;
    }
    *out_token = (gm_token){ .kind = GM_TOKEN_END, .at = lexer->at, .end = lexer->at };
    if (lexer->at >= text.len) return GM_OK;

    gm_str        rest = gm_str_slice(text, lexer->at, text.len);
    unsigned char c    = (unsigned char)rest.ptr[0];
    gm_status     st   = GM_OK;
    if (name_starts(c)) {
        size_t len = 1;
        while (len < rest.len && name_goes_on((unsigned char)rest.ptr[len])) len++;
        out_token->kind = GM_TOKEN_NAME;
        out_token->text = gm_str_slice(rest, 0, len);
        out_token->end  = lexer->at + (uint32_t)len;
    } else if (c >= '0' && c <= '9') {
        st = lex_number(lexer, out_token, err);
    } else if (c == '\'' || c == '"') {
        st = lex_string(lexer, out_token, err);
    } else if (gm_str_starts(rest, GM_STR("[["))) {
        st = lex_escaped_name(lexer, out_token, err);
    } else {
        static const char *const signs[] = { "!=", "<>", "<=", ">=", "(", ")", "[", "]", ",", ".", "*",
                                             "=",  "<",  ">",  "+",  "-", "/", "%", ":", "|", ";" };
        for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
            if (!gm_str_starts(rest, gm_str_of(signs[i]))) continue;
            out_token->kind = GM_TOKEN_SIGN;
            out_token->text = gm_str_slice(rest, 0, strlen(signs[i]));
            out_token->end  = lexer->at + (uint32_t)out_token->text.len;
            break;
        }
        if (out_token->kind == GM_TOKEN_END) {
            return gm_lex_fail(text, lexer->at, GM_INVALID, err,
                               c >= 0x20 && c < 0x7f ? "'%c' has no meaning here" : "byte %02x has no meaning here", c);
        }
    }
    if (st == GM_OK) lexer->at = out_token->end;
    return st;
}
