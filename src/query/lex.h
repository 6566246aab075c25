// query/lex.h: query text as tokens, one at a time.
#ifndef GM_QUERY_LEX_H
#define GM_QUERY_LEX_H

#include "base/arena.h"

typedef enum gm_token_kind {
    GM_TOKEN_END,
    GM_TOKEN_NAME,     // text; may be a keyword
    GM_TOKEN_ESCAPED,  // [[text]]: never a keyword
    GM_TOKEN_STRING,   // text, escapes resolved
    GM_TOKEN_INTEGER,  // integer
    GM_TOKEN_NUMBER,   // number
    GM_TOKEN_SIGN      // text: one of ( ) [ ] , . * = != < <= > >= + - / % : | ;
} gm_token_kind;

typedef struct gm_token {
    gm_token_kind kind;
    uint32_t      at, end;  // offsets in the text
    gm_str        text;
    int64_t       integer;
    double        number;
} gm_token;

typedef struct gm_lexer {
    gm_str    text;
    uint32_t  at;
    gm_arena *arena;  // for strings with escapes
} gm_lexer;

// GM_INVALID: a character or a string that is none; GM_NOMEM.
GM_NODISCARD gm_status gm_lex_next(gm_lexer *lexer, gm_token *out_token, gm_error *err);

// "expected <what>, found <the token>" at the token's place.
gm_status gm_lex_expected(gm_str text, const gm_token *found, const char *what, gm_error *err);

// Any other message at an offset.
gm_status gm_lex_fail(gm_str text, uint32_t at, gm_status status, gm_error *err, const char *fmt, ...) GM_PRINTF(5, 6);

// Is the token this keyword (upper case)? Keywords are not case-sensitive.
bool gm_token_is_word(const gm_token *token, const char *keyword);
bool gm_token_is_sign(const gm_token *token, const char *sign);

#endif
