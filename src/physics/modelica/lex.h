// physics/modelica/lex.h: text into tokens (Modelica 3.6, chapter 2). Names become numbers (gm_sym), so that the rest
// of the front end compares integers. A quoted name 'a.b[1]' is the name a.b[1]: its quotes are not part of it, and
// it is never a keyword.
#ifndef GM_PHYSICS_MODELICA_LEX_H
#define GM_PHYSICS_MODELICA_LEX_H

#include "physics/modelica/diag.h"
#include "physics/work.h"

typedef uint32_t gm_sym;
#define GM_SYM_NONE UINT32_MAX

#define GM_KEYWORD_LIST(X)                                                                                           \
    X(ALGORITHM, "algorithm") X(AND, "and") X(ANNOTATION, "annotation") X(BLOCK, "block") X(BREAK, "break")           \
    X(CLASS, "class") X(CONNECT, "connect") X(CONNECTOR, "connector") X(CONSTANT, "constant")                         \
    X(CONSTRAINEDBY, "constrainedby") X(DER, "der") X(DISCRETE, "discrete") X(EACH, "each") X(ELSE, "else")           \
    X(ELSEIF, "elseif") X(ELSEWHEN, "elsewhen") X(ENCAPSULATED, "encapsulated") X(END, "end")                         \
    X(ENUMERATION, "enumeration") X(EQUATION, "equation") X(EXPANDABLE, "expandable") X(EXTENDS, "extends")           \
    X(EXTERNAL, "external") X(FALSE, "false") X(FINAL, "final") X(FLOW, "flow") X(FOR, "for") X(FUNCTION, "function")  \
    X(IF, "if") X(IMPORT, "import") X(IMPURE, "impure") X(IN, "in") X(INITIAL, "initial") X(INNER, "inner")           \
    X(INPUT, "input") X(LOOP, "loop") X(MODEL, "model") X(NOT, "not") X(OPERATOR, "operator") X(OR, "or")             \
    X(OUTER, "outer") X(OUTPUT, "output") X(PACKAGE, "package") X(PARAMETER, "parameter") X(PARTIAL, "partial")       \
    X(PROTECTED, "protected") X(PUBLIC, "public") X(PURE, "pure") X(RECORD, "record") X(REDECLARE, "redeclare")       \
    X(REPLACEABLE, "replaceable") X(RETURN, "return") X(STREAM, "stream") X(THEN, "then") X(TRUE, "true")             \
    X(TYPE, "type") X(WHEN, "when") X(WHILE, "while") X(WITHIN, "within")

#define GM_PUNCTUATION_LIST(X)                                                                                       \
    X(OPEN, "(") X(CLOSE, ")") X(OPEN_BRACKET, "[") X(CLOSE_BRACKET, "]") X(OPEN_BRACE, "{") X(CLOSE_BRACE, "}")      \
    X(SEMICOLON, ";") X(COMMA, ",") X(COLON, ":") X(ASSIGN, ":=") X(EQUALS, "=") X(DOT, ".") X(PLUS, "+")             \
    X(MINUS, "-") X(TIMES, "*") X(DIVIDE, "/") X(POWER, "^") X(DOT_PLUS, ".+") X(DOT_MINUS, ".-")                     \
    X(DOT_TIMES, ".*") X(DOT_DIVIDE, "./") X(DOT_POWER, ".^") X(LESS, "<") X(LESS_EQUAL, "<=")                        \
    X(GREATER, ">") X(GREATER_EQUAL, ">=") X(EQUAL, "==") X(UNEQUAL, "<>")

typedef enum gm_token_kind {
#define X(name, text) GM_KEY_##name,
    GM_KEYWORD_LIST(X)  // first, so that a keyword's kind is its symbol
#undef X
    GM_KEYWORD_COUNT,
    GM_TOKEN_END = GM_KEYWORD_COUNT,
    GM_TOKEN_NAME, GM_TOKEN_NUMBER, GM_TOKEN_STRING,
#define X(name, text) GM_TOKEN_##name,
    GM_PUNCTUATION_LIST(X)
#undef X
    GM_TOKEN_COUNT
} gm_token_kind;

typedef struct gm_token {
    uint32_t kind;
    gm_place at;
    uint32_t length;  // in bytes of the text
    uint32_t id;      // NAME: gm_sym
} gm_token;

// Every distinct name once. The symbols below GM_KEYWORD_COUNT are the keywords.
typedef struct gm_names {
    gm_str  *texts;
    uint32_t count, capacity;
    uint32_t *slots, slot_count;
} gm_names;

void   gm_names_init(gm_work *w, gm_names *names);
gm_sym gm_names_add(gm_work *w, gm_names *names, gm_str text);   // text is copied when new
gm_sym gm_names_find(const gm_names *names, gm_str text);        // GM_SYM_NONE when never seen

enum { GM_SOURCE_BYTES_MAX = 64 << 20 };  // of all texts together, so that places stay 32-bit numbers

// The tokens of a source, the last one END. What is no token is reported and left out.
typedef struct gm_tokens { gm_token *items; uint32_t count, capacity; } gm_tokens;
void gm_lex(gm_work *w, gm_names *names, const gm_sources *sources, const gm_source *source, gm_diags *diags,
            gm_tokens *out_tokens);

const char *gm_token_text(uint32_t kind);  // "`;`", "a name" ... for messages

// The value of a STRING token: without quotes, escapes resolved.
gm_str gm_lex_string(gm_work *w, gm_str quoted);

#endif
