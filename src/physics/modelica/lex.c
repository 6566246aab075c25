#include "physics/modelica/lex.h"

static const char *const keyword_texts[GM_KEYWORD_COUNT] = {
#define X(name, text) text,
    GM_KEYWORD_LIST(X)
#undef X
};

static const char *const token_texts[GM_TOKEN_COUNT] = {
#define X(name, text) [GM_KEY_##name] = "`" text "`",
    GM_KEYWORD_LIST(X)
#undef X
#define X(name, text) [GM_TOKEN_##name] = "`" text "`",
    GM_PUNCTUATION_LIST(X)
#undef X
    [GM_TOKEN_END] = "the end of the text", [GM_TOKEN_NAME] = "a name", [GM_TOKEN_NUMBER] = "a number",
    [GM_TOKEN_STRING] = "a string",
};

const char *gm_token_text(uint32_t kind)
{
    return token_texts[kind];
}

// ---------------------------------------------------------------------------------------------------- names

static uint32_t name_slot(const gm_names *names, gm_str text)
{
    uint32_t mask = names->slot_count - 1, i = (uint32_t)gm_str_hash(text) & mask;
    while (names->slots[i] != GM_SYM_NONE && !gm_str_eq(names->texts[names->slots[i]], text)) i = (i + 1) & mask;
    return i;
}

gm_sym gm_names_find(const gm_names *names, gm_str text)
{
    return names->slot_count > 0 ? names->slots[name_slot(names, text)] : GM_SYM_NONE;
}

gm_sym gm_names_add(gm_work *w, gm_names *names, gm_str text)
{
    gm_sym known = gm_names_find(names, text);
    if (known != GM_SYM_NONE) return known;
    if (names->count * 2 >= names->slot_count) {
        uint32_t count = names->slot_count > 0 ? names->slot_count * 2 : 512;
        names->slots   = gm_work_zeroed(w, count, sizeof *names->slots);
        memset(names->slots, 0xff, count * sizeof *names->slots);
        names->slot_count = count;
        for (gm_sym i = 0; i < names->count; i++) names->slots[name_slot(names, names->texts[i])] = i;
    }
    GM_WORK_RESERVE(w, names->texts, names->capacity, names->count + 1);
    gm_str copy                         = gm_work_str(w, text);
    names->slots[name_slot(names, text)] = names->count;
    names->texts[names->count]          = copy;
    return names->count++;
}

void gm_names_init(gm_work *w, gm_names *names)
{
    *names = (gm_names){ 0 };
    for (int i = 0; i < GM_KEYWORD_COUNT; i++) gm_names_add(w, names, gm_str_of(keyword_texts[i]));
}

// ---------------------------------------------------------------------------------------------------- tokens

typedef struct lexer {
    gm_work          *w;
    gm_names         *names;
    const gm_sources *sources;
    const gm_source  *source;
    gm_diags         *diags;
    const char       *text;
    size_t            len, at;
} lexer;

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char look(const lexer *lx, size_t ahead)
{
    return lx->at + ahead < lx->len ? lx->text[lx->at + ahead] : '\0';
}

static void complain(lexer *lx, size_t at, size_t length, const char *what)
{
    gm_diags_add(lx->diags, lx->sources, GM_SEVERITY_ERROR, lx->source->first + (gm_place)at, (uint32_t)length, "%s",
                 what);
}

// Spaces and comments.
static void skip_blank(lexer *lx)
{
    for (;;) {
        char c = look(lx, 0);
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v') {
            lx->at++;
        } else if (c == '/' && look(lx, 1) == '/') {
            while (lx->at < lx->len && lx->text[lx->at] != '\n') lx->at++;
        } else if (c == '/' && look(lx, 1) == '*') {
            size_t start = lx->at;
            lx->at += 2;
            while (lx->at < lx->len && !(look(lx, 0) == '*' && look(lx, 1) == '/')) lx->at++;
            if (lx->at >= lx->len) complain(lx, start, 2, "this comment is never closed: `*/` is expected");
            lx->at = lx->at + 2 < lx->len ? lx->at + 2 : lx->len;
        } else {
            return;
        }
    }
}

// Up to the closing quote; false when there is none.
static bool skip_quoted(lexer *lx, char quote)
{
    size_t start = lx->at++;
    for (; lx->at < lx->len; lx->at++) {
        char c = lx->text[lx->at];
        if (c == '\\') lx->at++;
        else if (c == quote) { lx->at++; return true; }
        else if (c == '\n' && quote == '\'') break;
    }
    if (lx->at > lx->len) lx->at = lx->len;
    complain(lx, start, 1, quote == '"' ? "this string is never closed" : "this quoted name is not closed on its line");
    return false;
}

static void skip_number(lexer *lx)
{
    while (is_digit(look(lx, 0))) lx->at++;
    // `1.` is a number, but the dot of `1.*x` belongs to the operator.
    char after = look(lx, 1);
    if (look(lx, 0) == '.' && after != '*' && after != '/' && after != '^' && after != '+' && after != '-') {
        lx->at++;
        while (is_digit(look(lx, 0))) lx->at++;
    }
    char   e      = look(lx, 0);
    size_t digits = look(lx, 1) == '+' || look(lx, 1) == '-' ? 2 : 1;
    if ((e == 'e' || e == 'E') && is_digit(look(lx, digits))) {
        lx->at += digits;
        while (is_digit(look(lx, 0))) lx->at++;
    }
}

static uint32_t punctuation(lexer *lx)
{
    char c = look(lx, 0), next = look(lx, 1);
    lx->at++;
    bool pair = true;
    uint32_t kind = GM_TOKEN_COUNT;
    if (c == '.' && next == '+') kind = GM_TOKEN_DOT_PLUS;
    else if (c == '.' && next == '-') kind = GM_TOKEN_DOT_MINUS;
    else if (c == '.' && next == '*') kind = GM_TOKEN_DOT_TIMES;
    else if (c == '.' && next == '/') kind = GM_TOKEN_DOT_DIVIDE;
    else if (c == '.' && next == '^') kind = GM_TOKEN_DOT_POWER;
    else if (c == ':' && next == '=') kind = GM_TOKEN_ASSIGN;
    else if (c == '<' && next == '=') kind = GM_TOKEN_LESS_EQUAL;
    else if (c == '<' && next == '>') kind = GM_TOKEN_UNEQUAL;
    else if (c == '>' && next == '=') kind = GM_TOKEN_GREATER_EQUAL;
    else if (c == '=' && next == '=') kind = GM_TOKEN_EQUAL;
    else pair = false;
    if (pair) {
        lx->at++;
        return kind;
    }
    switch (c) {
    case '(': return GM_TOKEN_OPEN;
    case ')': return GM_TOKEN_CLOSE;
    case '[': return GM_TOKEN_OPEN_BRACKET;
    case ']': return GM_TOKEN_CLOSE_BRACKET;
    case '{': return GM_TOKEN_OPEN_BRACE;
    case '}': return GM_TOKEN_CLOSE_BRACE;
    case ';': return GM_TOKEN_SEMICOLON;
    case ',': return GM_TOKEN_COMMA;
    case ':': return GM_TOKEN_COLON;
    case '=': return GM_TOKEN_EQUALS;
    case '.': return GM_TOKEN_DOT;
    case '+': return GM_TOKEN_PLUS;
    case '-': return GM_TOKEN_MINUS;
    case '*': return GM_TOKEN_TIMES;
    case '/': return GM_TOKEN_DIVIDE;
    case '^': return GM_TOKEN_POWER;
    case '<': return GM_TOKEN_LESS;
    case '>': return GM_TOKEN_GREATER;
    default:  return GM_TOKEN_COUNT;
    }
}

static void lex_one(lexer *lx, gm_tokens *out)
{
    size_t   start = lx->at;
    char     c     = look(lx, 0);
    gm_token token = { .kind = GM_TOKEN_COUNT, .at = lx->source->first + (gm_place)start };
    if (is_letter(c)) {
        while (is_letter(look(lx, 0)) || is_digit(look(lx, 0))) lx->at++;
        token.id   = gm_names_add(lx->w, lx->names, (gm_str){ lx->text + start, lx->at - start });
        token.kind = token.id < GM_KEYWORD_COUNT ? token.id : (uint32_t)GM_TOKEN_NAME;
    } else if (is_digit(c) || (c == '.' && is_digit(look(lx, 1)))) {
        skip_number(lx);
        token.kind = GM_TOKEN_NUMBER;
    } else if (c == '"') {
        if (skip_quoted(lx, '"')) token.kind = GM_TOKEN_STRING;
    } else if (c == '\'') {
        if (skip_quoted(lx, '\'')) {
            gm_str name = gm_lex_string(lx->w, (gm_str){ lx->text + start, lx->at - start });
            if (name.len == 0) complain(lx, start, 2, "a quoted name can not be empty");
            token.kind = GM_TOKEN_NAME;
            token.id   = gm_names_add(lx->w, lx->names, name);
        }
    } else {
        token.kind = punctuation(lx);
        if (token.kind == GM_TOKEN_COUNT) {
            // One message for a run of strange bytes.
            while (lx->at < lx->len && ((unsigned char)look(lx, 0) >= 0x80 || (unsigned char)look(lx, 0) < ' '))
                lx->at++;
            complain(lx, start, 1,
                     c == '!' || c == '&' || c == '|' ? "not an operator of Modelica: `not`, `and`, `or`, `<>` are"
                                                      : "this character has no meaning here");
        }
    }
    if (token.kind == GM_TOKEN_COUNT) return;
    token.length = (uint32_t)(lx->at - start);
    GM_WORK_RESERVE(lx->w, out->items, out->capacity, out->count + 1);
    out->items[out->count++] = token;
}

void gm_lex(gm_work *w, gm_names *names, const gm_sources *sources, const gm_source *source, gm_diags *diags,
            gm_tokens *out_tokens)
{
    lexer lx = { w, names, sources, source, diags, source->text.ptr, source->text.len, 0 };
    if (gm_str_starts(source->text, GM_STR("\xef\xbb\xbf"))) lx.at = 3;  // a byte order mark
    for (skip_blank(&lx); lx.at < lx.len; skip_blank(&lx)) lex_one(&lx, out_tokens);
    GM_WORK_RESERVE(w, out_tokens->items, out_tokens->capacity, out_tokens->count + 1);
    out_tokens->items[out_tokens->count++] = (gm_token){ .kind = GM_TOKEN_END, .at = source->first + (gm_place)lx.len };
}

gm_str gm_lex_string(gm_work *w, gm_str quoted)
{
    gm_str inner = gm_str_slice(quoted, 1, quoted.len - 1);
    if (gm_str_find_char(inner, '\\') == SIZE_MAX) return inner;
    char  *out = gm_work_zeroed(w, inner.len + 1, 1);
    size_t len = 0;
    for (size_t i = 0; i < inner.len; i++) {
        char c = inner.ptr[i];
        if (c == '\\' && i + 1 < inner.len) {
            c = inner.ptr[++i];
            static const char from[] = "abfnrtv", to[] = "\a\b\f\n\r\t\v";
            const char *known = c != '\0' ? strchr(from, c) : NULL;
            if (known != NULL) c = to[known - from];
        }
        out[len++] = c;
    }
    return (gm_str){ out, len };
}
