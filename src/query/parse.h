// query/parse.h: what the two halves of the parser share: the statement (parse.c) and its expressions (parse_expr.c).
#ifndef GM_QUERY_PARSE_H
#define GM_QUERY_PARSE_H

#include "query/ast.h"
#include "query/lex.h"

typedef struct gm_parser {
    gm_lexer  lexer;
    gm_token  token;           // the next one, not yet taken
    gm_ast   *ast;
    gm_error *err;
    uint32_t  depth;           // of nested expressions
    uint32_t  node_count, condition_count;
    bool      collections_known;  // false while SELECT is read: FROM comes after it
    bool      aggregates_allowed;
} gm_parser;

// ---- tokens (parse.c) -------------------------------------------------------------------------------------------
GM_NODISCARD gm_status gm_parse_take(gm_parser *p);                                    // takes the token
GM_NODISCARD gm_status gm_parse_take_sign(gm_parser *p, const char *sign, const char *what);
bool                   gm_parse_is_name(const gm_parser *p); // a name that is no reserved word
bool                   gm_parse_is_reserved(const gm_parser *p);
gm_status              gm_parse_expected(gm_parser *p, const char *what);              // fails at the token

// ---- expressions (parse_expr.c) ---------------------------------------------------------------------------------
GM_NODISCARD gm_status gm_parse_expression(gm_parser *p, gm_node **out_node);

// SELECT is read before FROM, so a path's collection is told at the end: until then paths keep their first segment.
GM_NODISCARD gm_status gm_parse_resolve_paths(gm_parser *p, gm_node *node);

gm_node *gm_parse_node(gm_parser *p, gm_node_kind kind, uint32_t at);  // NULL: err is filled
gm_status gm_parse_no_memory(gm_parser *p);

#endif
