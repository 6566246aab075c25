// physics/modelica/parser.h: private to the parser's files (parse_expr.c, parse_equation.c, parse_class.c).
//
// After an error the parser stands on the END token, so that every loop ends by itself and every further expectation
// fails silently; parser_recover, at the end of each element and equation, goes back and skips to the next `;`.
// Functions return trees that are whole, if broken, never NULL.
#ifndef GM_PHYSICS_MODELICA_PARSER_H
#define GM_PHYSICS_MODELICA_PARSER_H

#include "physics/modelica/parse.h"

typedef struct gm_parser {
    gm_work          *w;
    gm_names         *names;
    const gm_sources *sources;
    const gm_source  *source;
    gm_diags         *diags;
    const gm_token   *tokens;
    uint32_t          at, end;   // end: index of the END token
    bool              failed;    // an error was reported and not recovered from
    uint32_t          failed_at;
    int               depth;
    uint32_t         *class_number;
} gm_parser;

static inline const gm_token *gm_parser_look(const gm_parser *p, uint32_t ahead)
{
    return &p->tokens[p->at + ahead < p->end ? p->at + ahead : p->end];
}
static inline bool gm_parser_at(const gm_parser *p, uint32_t kind) { return p->tokens[p->at].kind == kind; }

bool gm_parser_take(gm_parser *p, uint32_t kind);                               // takes it when it is next
bool gm_parser_expect(gm_parser *p, uint32_t kind, const char *after);          // after: "after the condition", or ""
void gm_parser_fail(gm_parser *p, const char *fmt, ...) GM_PRINTF(2, 3);        // at the next token
void gm_parser_fail_at(gm_parser *p, gm_place at, uint32_t length, const char *fmt, ...) GM_PRINTF(4, 5);
void gm_parser_recover(gm_parser *p, uint32_t started_at);
bool gm_parser_descend(gm_parser *p);                                           // false: too deep, reported
gm_str gm_parser_shown(const gm_parser *p, const gm_token *token);              // as written, cut to a sane length
gm_sym gm_parser_name(gm_parser *p, const char *of_what);
gm_str gm_parser_comment(gm_parser *p);                                         // string { "+" string }, or empty

gm_ast_expr      *gm_parser_expression(gm_parser *p);
gm_ast_ref       *gm_parser_ref(gm_parser *p);                                  // with subscripts
gm_ast_ref       *gm_parser_type_name(gm_parser *p);                            // without
gm_ast_expr     **gm_parser_subscripts(gm_parser *p, uint32_t *out_count);      // "[" ... "]"
gm_ast_iterator  *gm_parser_iterators(gm_parser *p, uint16_t *out_count);       // i in 1:n, j in ...
void              gm_parser_mod_arguments(gm_parser *p, gm_ast_mod *mod);       // "(" ... ")"
const gm_ast_mod *gm_parser_annotation(gm_parser *p, gm_str *out_text);         // NULL when there is none
uint32_t          gm_parser_span(const gm_parser *p, gm_place from);            // bytes from there to the last token taken
void              gm_parser_section(gm_parser *p, gm_ast_section *section);     // the equations up to the next keyword

#endif
