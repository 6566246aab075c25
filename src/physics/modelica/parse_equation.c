// Equations and statements. They share one tree: a statement is an equation with `:=`.
#include "physics/modelica/parser.h"

#include <stdio.h>

typedef struct equation_list { gm_ast_equation *at; uint32_t count, capacity; } equation_list;
typedef struct branch_list { gm_ast_branch *at; uint32_t count, capacity; } branch_list;

static gm_ast_equation read_equation(gm_parser *p, bool algorithm);

// Where a list of equations ends.
static bool at_end_of_body(const gm_parser *p)
{
    switch (gm_parser_look(p, 0)->kind) {
    case GM_TOKEN_END:
    case GM_KEY_END:
    case GM_KEY_ELSE:
    case GM_KEY_ELSEIF:
    case GM_KEY_ELSEWHEN:
    case GM_KEY_EQUATION:
    case GM_KEY_ALGORITHM:
    case GM_KEY_PUBLIC:
    case GM_KEY_PROTECTED:
    case GM_KEY_ANNOTATION:
    case GM_KEY_EXTERNAL: return true;
    case GM_KEY_INITIAL: {
        uint32_t next = gm_parser_look(p, 1)->kind;
        return next == GM_KEY_EQUATION || next == GM_KEY_ALGORITHM;
    }
    case GM_KEY_PARAMETER: return gm_parser_look(p, 1)->kind == GM_KEY_EQUATION;
    default: return false;
    }
}

static void read_body(gm_parser *p, bool algorithm, const gm_ast_equation **out_items, uint32_t *out_count)
{
    equation_list list = { 0 };
    while (!at_end_of_body(p)) {
        uint32_t        started  = p->at;
        gm_ast_equation equation = read_equation(p, algorithm);
        gm_parser_comment(p);
        gm_str ignored;
        if (gm_parser_at(p, GM_KEY_ANNOTATION)) gm_parser_annotation(p, &ignored);
        gm_parser_expect(p, GM_TOKEN_SEMICOLON, algorithm ? "at the end of the statement" : "at the end of the equation");
        bool good = !p->failed;
        gm_parser_recover(p, started);
        if (!good) continue;
        GM_WORK_RESERVE(p->w, list.at, list.capacity, list.count + 1);
        list.at[list.count++] = equation;
    }
    *out_items = list.at;
    *out_count = list.count;
}

// Takes `end WORD`.
static void expect_end(gm_parser *p, uint32_t word, gm_place opened_at)
{
    uint32_t line, column;
    gm_source_at(p->sources, opened_at, &line, &column);
    char after[80];
    snprintf(after, sizeof after, "to close %s of line %u", gm_token_text(word), line);
    gm_parser_expect(p, GM_KEY_END, after);
    gm_parser_expect(p, word, after);
}

// if | when, with their elseif | elsewhen and else branches
static void read_branches(gm_parser *p, bool algorithm, gm_ast_equation *equation, bool is_if)
{
    branch_list list = { 0 };
    uint32_t    word = is_if ? GM_KEY_IF : GM_KEY_WHEN, again = is_if ? GM_KEY_ELSEIF : GM_KEY_ELSEWHEN;
    gm_parser_take(p, word);
    bool more;
    do {
        gm_ast_branch branch = { .at = gm_parser_look(p, 0)->at };
        branch.condition     = gm_parser_expression(p);
        gm_parser_expect(p, GM_KEY_THEN, "after the condition");
        read_body(p, algorithm, &branch.items, &branch.count);
        GM_WORK_RESERVE(p->w, list.at, list.capacity, list.count + 1);
        list.at[list.count++] = branch;
        more                  = gm_parser_take(p, again);
        if (!more && is_if && gm_parser_at(p, GM_KEY_ELSE)) {
            branch = (gm_ast_branch){ .at = gm_parser_look(p, 0)->at };
            gm_parser_take(p, GM_KEY_ELSE);
            read_body(p, algorithm, &branch.items, &branch.count);
            GM_WORK_RESERVE(p->w, list.at, list.capacity, list.count + 1);
            list.at[list.count++] = branch;
        }
    } while (more && !p->failed);
    expect_end(p, word, equation->at);
    equation->kind         = is_if ? GM_AST_IF_BLOCK : GM_AST_WHEN_BLOCK;
    equation->branches     = list.at;
    equation->branch_count = list.count;
}

static void read_loop(gm_parser *p, bool algorithm, gm_ast_equation *equation)
{
    gm_ast_branch *body = GM_WORK_NEW(p->w, gm_ast_branch, 1);
    uint32_t       word = gm_parser_look(p, 0)->kind;
    gm_parser_take(p, word);
    if (word == GM_KEY_FOR) {
        equation->kind      = GM_AST_FOR_BLOCK;
        equation->iterators = gm_parser_iterators(p, &equation->iterator_count);
    } else {
        equation->kind  = GM_AST_WHILE_BLOCK;
        body->condition = gm_parser_expression(p);
    }
    gm_parser_expect(p, GM_KEY_LOOP, word == GM_KEY_FOR ? "after the range" : "after the condition");
    read_body(p, algorithm, &body->items, &body->count);
    expect_end(p, word, equation->at);
    equation->branches     = body;
    equation->branch_count = 1;
}

static void read_connect(gm_parser *p, gm_ast_equation *equation)
{
    equation->kind = GM_AST_CONNECT;
    gm_parser_take(p, GM_KEY_CONNECT);
    gm_parser_expect(p, GM_TOKEN_OPEN, "after `connect`");
    equation->left = gm_parser_expression(p);
    gm_parser_expect(p, GM_TOKEN_COMMA, "between the two connectors");
    equation->right = gm_parser_expression(p);
    gm_parser_expect(p, GM_TOKEN_CLOSE, "after the two connectors");
    if (!p->failed && (equation->left->kind != GM_AST_REF || equation->right->kind != GM_AST_REF)) {
        gm_ast_expr *wrong = equation->left->kind != GM_AST_REF ? equation->left : equation->right;
        gm_parser_fail_at(p, wrong->at, wrong->length, "the name of a connector is expected");
    }
}

static void read_plain(gm_parser *p, bool algorithm, gm_ast_equation *equation)
{
    equation->kind = GM_AST_EQUAL;
    equation->left = gm_parser_expression(p);
    if (gm_parser_take(p, algorithm ? GM_TOKEN_ASSIGN : GM_TOKEN_EQUALS)) {
        equation->right = gm_parser_expression(p);
        return;
    }
    if (equation->left->kind == GM_AST_CALL && !gm_parser_at(p, GM_TOKEN_EQUALS) && !gm_parser_at(p, GM_TOKEN_ASSIGN)) {
        equation->kind = GM_AST_DO;
        return;
    }
    if (algorithm && gm_parser_at(p, GM_TOKEN_EQUALS)) gm_parser_fail(p, "`:=` is expected in an algorithm");
    else if (!algorithm && gm_parser_at(p, GM_TOKEN_ASSIGN)) gm_parser_fail(p, "`=` is expected in an equation");
    else gm_parser_fail(p, "%s is expected after the left side", algorithm ? "`:=`" : "`=`");
}

static gm_ast_equation read_equation(gm_parser *p, bool algorithm)
{
    gm_ast_equation equation = { .at = gm_parser_look(p, 0)->at };
    if (!gm_parser_descend(p)) return equation;
    switch (gm_parser_look(p, 0)->kind) {
    case GM_KEY_IF: read_branches(p, algorithm, &equation, true); break;
    case GM_KEY_WHEN: read_branches(p, algorithm, &equation, false); break;
    case GM_KEY_FOR: read_loop(p, algorithm, &equation); break;
    case GM_KEY_WHILE:
        if (!algorithm) gm_parser_fail(p, "`while` belongs in an algorithm; an equation is expected");
        read_loop(p, algorithm, &equation);
        break;
    case GM_KEY_CONNECT:
        if (algorithm) gm_parser_fail(p, "`connect` belongs in an equation section; a statement is expected");
        read_connect(p, &equation);
        break;
    case GM_KEY_BREAK:
    case GM_KEY_RETURN:
        if (!algorithm) gm_parser_fail(p, "an equation is expected");
        equation.kind = gm_parser_at(p, GM_KEY_BREAK) ? GM_AST_BREAK : GM_AST_RETURN;
        gm_parser_take(p, gm_parser_look(p, 0)->kind);
        break;
    default: read_plain(p, algorithm, &equation);
    }
    equation.length = gm_parser_span(p, equation.at);
    p->depth--;
    return equation;
}

void gm_parser_section(gm_parser *p, gm_ast_section *section)
{
    read_body(p, section->algorithm, &section->items, &section->count);
}
