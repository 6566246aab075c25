// Expressions by precedence climbing; modifications and annotations, which are made of them.
#include "physics/modelica/parser.h"

#include <stdio.h>

#include <stdlib.h>

// ---------------------------------------------------------------------------------------------------- the token stream

bool gm_parser_take(gm_parser *p, uint32_t kind)
{
    if (!gm_parser_at(p, kind)) return false;
    if (p->at < p->end) p->at++;
    return true;
}

gm_str gm_parser_shown(const gm_parser *p, const gm_token *token)
{
    return gm_str_slice(p->source->text, token->at - p->source->first,
                        token->at - p->source->first + (token->length < 40 ? token->length : 40));
}

void gm_parser_fail_at(gm_parser *p, gm_place at, uint32_t length, const char *fmt, ...)
{
    if (p->failed) return;
    va_list args;
    va_start(args, fmt);
    gm_diags_add_list(p->diags, p->sources, GM_SEVERITY_ERROR, at, length, fmt, args);
    va_end(args);
    p->failed    = true;
    p->failed_at = p->at;
    p->at        = p->end;
}

void gm_parser_fail(gm_parser *p, const char *fmt, ...)
{
    if (p->failed) return;
    char    text[300];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    const gm_token *token = gm_parser_look(p, 0);
    if (token->kind == GM_TOKEN_END) {
        gm_parser_fail_at(p, token->at, 1, "%s, but the text ends here", text);
    } else {
        gm_str shown = gm_parser_shown(p, token);
        gm_parser_fail_at(p, token->at, token->length, "%s, found `" GM_STR_FMT "`", text, GM_STR_ARG(shown));
    }
}

bool gm_parser_expect(gm_parser *p, uint32_t kind, const char *after)
{
    if (gm_parser_take(p, kind)) return true;
    if (p->failed) return false;
    if (kind == GM_TOKEN_SEMICOLON && p->at > 0) {
        // A forgotten semicolon belongs where the line ended, not where the next one begins.
        const gm_token *last  = &p->tokens[p->at - 1];
        const gm_token *token = gm_parser_look(p, 0);
        gm_str          shown = token->kind == GM_TOKEN_END ? GM_STR("the end of the text") : gm_parser_shown(p, token);
        gm_parser_fail_at(p, last->at + last->length, 1, "`;` is expected %s, before `" GM_STR_FMT "`", after,
                       GM_STR_ARG(shown));
    } else {
        gm_parser_fail(p, "%s is expected%s%s", gm_token_text(kind), *after != '\0' ? " " : "", after);
    }
    return false;
}

// Where the block that begins at `from` (if, when, for, while) is closed: the token after its `;`. 0: nowhere.
static uint32_t end_of_block(const gm_parser *p, uint32_t from)
{
    uint32_t word = p->tokens[from].kind;
    if (word != GM_KEY_IF && word != GM_KEY_WHEN && word != GM_KEY_FOR && word != GM_KEY_WHILE) return 0;
    int depth = 0;
    for (uint32_t i = from; i < p->end; i++) {
        uint32_t kind = p->tokens[i].kind, next = p->tokens[i + 1].kind;
        if (kind == GM_KEY_EQUATION || kind == GM_KEY_ALGORITHM) return 0;
        if (kind == GM_KEY_END && next == word) {
            i++;
            if (--depth == 0) return p->tokens[i + 1].kind == GM_TOKEN_SEMICOLON ? i + 2 : i + 1;
        } else if (kind == word && (i == from || p->tokens[i - 1].kind == GM_TOKEN_SEMICOLON)) {
            depth++;
        }
    }
    return 0;
}

void gm_parser_recover(gm_parser *p, uint32_t started_at)
{
    if (!p->failed) return;
    p->failed = false;
    uint32_t after_block = end_of_block(p, started_at);
    if (after_block > 0) {
        p->at = after_block < p->end ? after_block : p->end;
        return;
    }
    p->at     = p->failed_at > started_at ? p->failed_at : started_at;
    if (p->at == started_at && p->at < p->end) p->at++;
    for (int depth = 0; p->at < p->end; p->at++) {
        uint32_t kind = p->tokens[p->at].kind;
        if (kind == GM_TOKEN_OPEN || kind == GM_TOKEN_OPEN_BRACE || kind == GM_TOKEN_OPEN_BRACKET) depth++;
        if ((kind == GM_TOKEN_CLOSE || kind == GM_TOKEN_CLOSE_BRACE || kind == GM_TOKEN_CLOSE_BRACKET) && depth > 0)
            depth--;
        if (kind == GM_TOKEN_SEMICOLON && depth == 0) {
            p->at++;
            return;
        }
        // Words that begin or end something at the level above, even inside an open parenthesis.
        if (kind == GM_KEY_EQUATION || kind == GM_KEY_ALGORITHM || kind == GM_KEY_PROTECTED || kind == GM_KEY_PUBLIC ||
            (kind == GM_KEY_END && depth == 0)) {
            return;
        }
    }
}

bool gm_parser_descend(gm_parser *p)
{
    if (p->depth < GM_PARSE_DEPTH_MAX) {
        p->depth++;
        return true;
    }
    if (!p->failed) {
        gm_parser_fail_at(p, gm_parser_look(p, 0)->at, 1, "nested more than %d levels deep", GM_PARSE_DEPTH_MAX);
    }
    return false;
}

uint32_t gm_parser_span(const gm_parser *p, gm_place from)
{
    if (p->failed || p->at == 0) return 1;
    const gm_token *last = &p->tokens[p->at - 1];
    return last->at + last->length > from ? last->at + last->length - from : 1;
}

gm_sym gm_parser_name(gm_parser *p, const char *of_what)
{
    if (!gm_parser_at(p, GM_TOKEN_NAME)) {
        gm_parser_fail(p, "the name of %s is expected", of_what);
        return 0;
    }
    gm_sym name = gm_parser_look(p, 0)->id;
    gm_parser_take(p, GM_TOKEN_NAME);
    return name;
}

gm_str gm_parser_comment(gm_parser *p)
{
    gm_str text = { 0 };
    while (gm_parser_at(p, GM_TOKEN_STRING)) {
        const gm_token *token = gm_parser_look(p, 0);
        gm_str          part  = gm_lex_string(p->w, gm_str_slice(p->source->text, token->at - p->source->first,
                                                                 token->at - p->source->first + token->length));
        text = text.len == 0 ? part : gm_work_printf(p->w, GM_STR_FMT GM_STR_FMT, GM_STR_ARG(text), GM_STR_ARG(part));
        gm_parser_take(p, GM_TOKEN_STRING);
        if (!gm_parser_at(p, GM_TOKEN_PLUS) || gm_parser_look(p, 1)->kind != GM_TOKEN_STRING) break;
        gm_parser_take(p, GM_TOKEN_PLUS);
    }
    return text;
}

// ---------------------------------------------------------------------------------------------------- building

typedef struct expr_list { gm_ast_expr **at; uint32_t count, capacity; } expr_list;

static void list_add(gm_parser *p, expr_list *list, gm_ast_expr *expr)
{
    GM_WORK_RESERVE(p->w, list->at, list->capacity, list->count + 1);
    list->at[list->count++] = expr;
}

static gm_ast_expr *new_expr(gm_parser *p, gm_ast_kind kind)
{
    gm_ast_expr *expr = GM_WORK_NEW(p->w, gm_ast_expr, 1);
    expr->kind        = (uint8_t)kind;
    expr->at          = gm_parser_look(p, 0)->at;
    expr->length      = gm_parser_look(p, 0)->length;
    return expr;
}

static gm_ast_expr *with_items(gm_parser *p, gm_ast_expr *expr, uint32_t count, gm_ast_expr *a, gm_ast_expr *b)
{
    expr->items    = GM_WORK_NEW(p->w, gm_ast_expr *, count);
    expr->count    = count;
    expr->items[0] = a;
    if (count > 1) expr->items[1] = b;
    return expr;
}

static gm_ast_expr *finish_list(gm_parser *p, gm_ast_expr *expr, const expr_list *list)
{
    expr->items  = list->at;
    expr->count  = list->count;
    expr->length = gm_parser_span(p, expr->at);
    return expr;
}

// ---------------------------------------------------------------------------------------------------- references

gm_ast_expr **gm_parser_subscripts(gm_parser *p, uint32_t *out_count)
{
    expr_list list = { 0 };
    gm_parser_expect(p, GM_TOKEN_OPEN_BRACKET, "");
    do {
        if (gm_parser_at(p, GM_TOKEN_COLON)) {
            list_add(p, &list, new_expr(p, GM_AST_COLON));
            gm_parser_take(p, GM_TOKEN_COLON);
        } else {
            list_add(p, &list, gm_parser_expression(p));
        }
    } while (gm_parser_take(p, GM_TOKEN_COMMA));
    gm_parser_expect(p, GM_TOKEN_CLOSE_BRACKET, "after the subscripts");
    *out_count = list.count;
    return list.at;
}

static gm_ast_ref *read_ref(gm_parser *p, bool subscripts)
{
    gm_ast_ref  *ref   = GM_WORK_NEW(p->w, gm_ast_ref, 1);
    gm_ast_part *parts = NULL;
    uint32_t     count = 0, capacity = 0;
    ref->at     = gm_parser_look(p, 0)->at;
    ref->global = gm_parser_take(p, GM_TOKEN_DOT);
    do {
        GM_WORK_RESERVE(p->w, parts, capacity, count + 1);
        gm_ast_part part = { .at = gm_parser_look(p, 0)->at, .length = gm_parser_look(p, 0)->length };
        part.name        = gm_parser_name(p, subscripts ? "a variable" : "a class");
        if (subscripts && gm_parser_at(p, GM_TOKEN_OPEN_BRACKET))
            part.subscripts = gm_parser_subscripts(p, &part.subscript_count);
        parts[count++] = part;
    } while (gm_parser_take(p, GM_TOKEN_DOT));
    ref->parts  = parts;
    ref->count  = count;
    ref->length = gm_parser_span(p, ref->at);
    return ref;
}

gm_ast_ref *gm_parser_ref(gm_parser *p)
{
    return read_ref(p, true);
}

gm_ast_ref *gm_parser_type_name(gm_parser *p)
{
    return read_ref(p, false);
}

// A keyword that is called like a function: der(x), initial().
static gm_ast_ref *keyword_ref(gm_parser *p)
{
    const gm_token *token = gm_parser_look(p, 0);
    gm_ast_ref     *ref   = GM_WORK_NEW(p->w, gm_ast_ref, 1);
    gm_ast_part    *part  = GM_WORK_NEW(p->w, gm_ast_part, 1);
    *part = (gm_ast_part){ .name = token->kind, .at = token->at, .length = token->length };
    *ref  = (gm_ast_ref){ .parts = part, .count = 1, .at = token->at, .length = token->length };
    gm_parser_take(p, token->kind);
    return ref;
}

// ---------------------------------------------------------------------------------------------------- calls, arrays

gm_ast_iterator *gm_parser_iterators(gm_parser *p, uint16_t *out_count)
{
    gm_ast_iterator *items = NULL;
    uint32_t         count = 0, capacity = 0;
    do {
        GM_WORK_RESERVE(p->w, items, capacity, count + 1);
        gm_ast_iterator iterator = { .at = gm_parser_look(p, 0)->at };
        iterator.name            = gm_parser_name(p, "a loop variable");
        if (gm_parser_take(p, GM_KEY_IN)) iterator.range = gm_parser_expression(p);
        items[count++] = iterator;
        if (count >= 16) gm_parser_fail(p, "at most 16 loop variables can stand together");
    } while (gm_parser_take(p, GM_TOKEN_COMMA));
    *out_count = (uint16_t)count;
    return items;
}

static gm_ast_expr *read_call(gm_parser *p, gm_ast_ref *function)
{
    gm_ast_expr *call  = new_expr(p, GM_AST_CALL);
    expr_list    args  = { 0 };
    gm_ids       names = { 0 };
    bool         named = false;
    call->at           = function->at;
    call->ref          = function;
    gm_parser_expect(p, GM_TOKEN_OPEN, "");
    while (!gm_parser_at(p, GM_TOKEN_CLOSE) && !p->failed) {
        gm_sym name = GM_SYM_NONE;
        if (gm_parser_at(p, GM_TOKEN_NAME) && gm_parser_look(p, 1)->kind == GM_TOKEN_EQUALS) {
            name  = gm_parser_name(p, "an argument");
            named = true;
            gm_parser_take(p, GM_TOKEN_EQUALS);
        } else if (named) {
            gm_parser_fail(p, "an argument without a name can not follow one with a name; `name = value` is expected");
        }
        if (gm_parser_at(p, GM_KEY_FUNCTION))
            gm_parser_fail(p, "functions as arguments are not supported; a value is expected");
        list_add(p, &args, gm_parser_expression(p));
        gm_ids_add(p->w, &names, name);
        if (args.count == 1 && gm_parser_take(p, GM_KEY_FOR)) {
            call->iterators = gm_parser_iterators(p, &call->iterator_count);
            break;
        }
        if (!gm_parser_take(p, GM_TOKEN_COMMA)) break;
    }
    gm_parser_expect(p, GM_TOKEN_CLOSE, "after the arguments");
    if (named) call->names = names.at;
    return finish_list(p, call, &args);
}

static gm_ast_expr *read_array(gm_parser *p)
{
    gm_ast_expr *array = new_expr(p, GM_AST_ARRAY);
    expr_list    items = { 0 };
    gm_parser_take(p, GM_TOKEN_OPEN_BRACE);
    while (!gm_parser_at(p, GM_TOKEN_CLOSE_BRACE) && !p->failed) {
        list_add(p, &items, gm_parser_expression(p));
        if (items.count == 1 && gm_parser_take(p, GM_KEY_FOR)) {
            array->iterators = gm_parser_iterators(p, &array->iterator_count);
            break;
        }
        if (!gm_parser_take(p, GM_TOKEN_COMMA)) break;
    }
    gm_parser_expect(p, GM_TOKEN_CLOSE_BRACE, "at the end of the array");
    return finish_list(p, array, &items);
}

static gm_ast_expr *read_matrix(gm_parser *p)
{
    gm_ast_expr *matrix = new_expr(p, GM_AST_MATRIX);
    expr_list    rows   = { 0 };
    gm_parser_take(p, GM_TOKEN_OPEN_BRACKET);
    do {
        gm_ast_expr *row   = new_expr(p, GM_AST_ARRAY);
        expr_list    items = { 0 };
        do list_add(p, &items, gm_parser_expression(p));
        while (gm_parser_take(p, GM_TOKEN_COMMA));
        list_add(p, &rows, finish_list(p, row, &items));
    } while (gm_parser_take(p, GM_TOKEN_SEMICOLON));
    gm_parser_expect(p, GM_TOKEN_CLOSE_BRACKET, "at the end of the matrix");
    return finish_list(p, matrix, &rows);
}

// (a), or (a, , b) at the left of an equation whose right side has several results.
static gm_ast_expr *read_parenthesis(gm_parser *p)
{
    gm_ast_expr *tuple = new_expr(p, GM_AST_TUPLE);
    expr_list    items = { 0 };
    bool         comma = false;
    gm_parser_take(p, GM_TOKEN_OPEN);
    while (!p->failed) {
        bool left_out = gm_parser_at(p, GM_TOKEN_COMMA) || gm_parser_at(p, GM_TOKEN_CLOSE);
        list_add(p, &items, left_out ? NULL : gm_parser_expression(p));
        if (!gm_parser_take(p, GM_TOKEN_COMMA)) break;
        comma = true;
    }
    gm_parser_expect(p, GM_TOKEN_CLOSE, "to close the parenthesis");
    finish_list(p, tuple, &items);
    if (comma || p->failed) return tuple;
    if (tuple->items[0] == NULL) {
        gm_parser_fail_at(p, tuple->at, tuple->length, "an expression is expected between the parentheses");
        return tuple;
    }
    return tuple->items[0];
}

// ---------------------------------------------------------------------------------------------------- primaries

static gm_ast_expr *read_number(gm_parser *p)
{
    gm_ast_expr *expr  = new_expr(p, GM_AST_INTEGER);
    gm_str       shown =
        gm_str_slice(p->source->text, expr->at - p->source->first, expr->at - p->source->first + expr->length);
    char         text[400];
    if (shown.len >= sizeof text) {
        gm_parser_fail(p, "a number of at most %zu characters is expected", sizeof text - 1);
        return expr;
    }
    memcpy(text, shown.ptr, shown.len);
    text[shown.len] = '\0';
    expr->number    = strtod(text, NULL);
    if (strpbrk(text, ".eE") != NULL || expr->number > 9007199254740992.0) expr->kind = GM_AST_REAL;
    if (!(expr->number <= 1.7976931348623157e308)) gm_parser_fail(p, "a number that fits a double is expected");
    gm_parser_take(p, GM_TOKEN_NUMBER);
    return expr;
}

static gm_ast_expr *read_primary(gm_parser *p)
{
    const gm_token *token = gm_parser_look(p, 0);
    gm_ast_expr    *expr;
    switch (token->kind) {
    case GM_TOKEN_NUMBER: return read_number(p);
    case GM_TOKEN_STRING:
        expr       = new_expr(p, GM_AST_STRING);
        expr->text = gm_lex_string(p->w, gm_str_slice(p->source->text, token->at - p->source->first,
                                                      token->at - p->source->first + token->length));
        gm_parser_take(p, GM_TOKEN_STRING);
        return expr;
    case GM_KEY_TRUE:
    case GM_KEY_FALSE:
        expr         = new_expr(p, GM_AST_BOOLEAN);
        expr->number = token->kind == GM_KEY_TRUE;
        gm_parser_take(p, token->kind);
        return expr;
    case GM_KEY_DER:
    case GM_KEY_INITIAL:
    case GM_KEY_PURE: return read_call(p, keyword_ref(p));
    case GM_KEY_END:
        expr = new_expr(p, GM_AST_END);
        gm_parser_take(p, GM_KEY_END);
        return expr;
    case GM_TOKEN_OPEN: return read_parenthesis(p);
    case GM_TOKEN_OPEN_BRACE: return read_array(p);
    case GM_TOKEN_OPEN_BRACKET: return read_matrix(p);
    case GM_TOKEN_NAME:
    case GM_TOKEN_DOT: {
        gm_ast_ref *ref = gm_parser_ref(p);
        if (gm_parser_at(p, GM_TOKEN_OPEN)) return read_call(p, ref);
        expr         = new_expr(p, GM_AST_REF);
        expr->ref    = ref;
        expr->at     = ref->at;
        expr->length = ref->length;
        return expr;
    }
    default:
        expr = new_expr(p, GM_AST_BROKEN);
        gm_parser_fail(p, "an expression is expected");
        return expr;
    }
}

// ---------------------------------------------------------------------------------------------------- operators

static gm_ast_expr *binary(gm_parser *p, uint32_t op, gm_ast_expr *a, gm_ast_expr *b)
{
    gm_ast_expr *expr = new_expr(p, GM_AST_BINARY);
    expr->op          = (uint8_t)op;
    expr->at          = a->at;
    with_items(p, expr, 2, a, b);
    expr->length = gm_parser_span(p, expr->at);
    return expr;
}

static gm_ast_expr *unary(gm_parser *p, const gm_token *op, gm_ast_expr *a)
{
    gm_ast_expr *expr = new_expr(p, GM_AST_UNARY);
    expr->op          = (uint8_t)op->kind;
    expr->at          = op->at;
    with_items(p, expr, 1, a, NULL);
    expr->length = gm_parser_span(p, expr->at);
    return expr;
}

static gm_ast_expr *read_factor(gm_parser *p)
{
    gm_ast_expr *base = read_primary(p);
    if (!gm_parser_at(p, GM_TOKEN_POWER) && !gm_parser_at(p, GM_TOKEN_DOT_POWER)) return base;
    uint32_t op = gm_parser_look(p, 0)->kind;
    gm_parser_take(p, op);
    gm_ast_expr *power = binary(p, op, base, read_primary(p));
    if (gm_parser_at(p, GM_TOKEN_POWER) || gm_parser_at(p, GM_TOKEN_DOT_POWER)) {
        gm_parser_fail(p, "`^` can not be chained; a parenthesis is expected around one of the powers");
    }
    return power;
}

// How tightly an operator binds; 0 = it is none of the binary ones. Unary minus stands between 5 and 6: -a*b is -(a*b).
static int precedence(uint32_t kind)
{
    switch (kind) {
    case GM_KEY_OR: return 1;
    case GM_KEY_AND: return 2;
    case GM_TOKEN_LESS: case GM_TOKEN_LESS_EQUAL: case GM_TOKEN_GREATER: case GM_TOKEN_GREATER_EQUAL:
    case GM_TOKEN_EQUAL: case GM_TOKEN_UNEQUAL: return 4;
    case GM_TOKEN_PLUS: case GM_TOKEN_MINUS: case GM_TOKEN_DOT_PLUS: case GM_TOKEN_DOT_MINUS: return 5;
    case GM_TOKEN_TIMES: case GM_TOKEN_DIVIDE: case GM_TOKEN_DOT_TIMES: case GM_TOKEN_DOT_DIVIDE: return 6;
    default: return 0;
    }
}

static gm_ast_expr *read_operators(gm_parser *p, int least)
{
    const gm_token *token = gm_parser_look(p, 0);
    gm_ast_expr    *left;
    if (token->kind == GM_KEY_NOT && least <= 3) {
        gm_parser_take(p, GM_KEY_NOT);
        if (!gm_parser_descend(p)) return new_expr(p, GM_AST_BROKEN);
        left = unary(p, token, read_operators(p, 4));
        p->depth--;
    } else if ((token->kind == GM_TOKEN_MINUS || token->kind == GM_TOKEN_PLUS || token->kind == GM_TOKEN_DOT_MINUS ||
                token->kind == GM_TOKEN_DOT_PLUS) && least <= 5) {
        gm_parser_take(p, token->kind);
        if (!gm_parser_descend(p)) return new_expr(p, GM_AST_BROKEN);
        left = unary(p, token, read_operators(p, 6));
        p->depth--;
    } else {
        left = read_factor(p);
    }
    for (;;) {
        uint32_t op    = gm_parser_look(p, 0)->kind;
        int      level = precedence(op);
        if (level == 0 || level < least) return left;
        gm_parser_take(p, op);
        left = binary(p, op, left, read_operators(p, level + 1));
        if (level == 4 && precedence(gm_parser_look(p, 0)->kind) == 4) {
            gm_parser_fail(p, "comparisons can not be chained: write `a < b and b < c`");
        }
    }
}

static gm_ast_expr *read_if(gm_parser *p)
{
    gm_ast_expr *expr  = new_expr(p, GM_AST_IF);
    expr_list    items = { 0 };
    gm_parser_take(p, GM_KEY_IF);
    do {
        list_add(p, &items, gm_parser_expression(p));
        gm_parser_expect(p, GM_KEY_THEN, "after the condition");
        list_add(p, &items, gm_parser_expression(p));
    } while (gm_parser_take(p, GM_KEY_ELSEIF));
    gm_parser_expect(p, GM_KEY_ELSE, "(an if-expression needs a value for every case)");
    list_add(p, &items, gm_parser_expression(p));
    return finish_list(p, expr, &items);
}

gm_ast_expr *gm_parser_expression(gm_parser *p)
{
    if (!gm_parser_descend(p)) return new_expr(p, GM_AST_BROKEN);
    gm_ast_expr *expr;
    if (gm_parser_at(p, GM_KEY_IF)) {
        expr = read_if(p);
    } else {
        expr = read_operators(p, 1);
        if (gm_parser_take(p, GM_TOKEN_COLON)) {
            gm_ast_expr *range = new_expr(p, GM_AST_RANGE);
            expr_list    items = { 0 };
            range->at          = expr->at;
            list_add(p, &items, expr);
            list_add(p, &items, read_operators(p, 1));
            if (gm_parser_take(p, GM_TOKEN_COLON)) list_add(p, &items, read_operators(p, 1));
            expr = finish_list(p, range, &items);
        }
    }
    p->depth--;
    return expr;
}

// ---------------------------------------------------------------------------------------------------- modifications

const gm_ast_mod *gm_ast_mod_find(const gm_ast_mod *mod, gm_sym name)
{
    for (uint32_t i = 0; mod != NULL && i < mod->count; i++) {
        if (mod->items[i].name == name) return &mod->items[i];
    }
    return NULL;
}

// redeclare [replaceable] [final] Type name(mods) "comment"  or  redeclare package name = Type(mods)
static void read_redeclaration(gm_parser *p, gm_ast_mod *mod)
{
    mod->redeclare = true;
    gm_parser_take(p, GM_KEY_REPLACEABLE);
    gm_parser_take(p, GM_KEY_FINAL);
    static const uint32_t kinds[]  = { GM_KEY_CLASS,  GM_KEY_MODEL, GM_KEY_BLOCK,    GM_KEY_CONNECTOR,
                                       GM_KEY_RECORD, GM_KEY_TYPE,  GM_KEY_FUNCTION, GM_KEY_PACKAGE };
    bool is_class = false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && !is_class; i++) is_class = gm_parser_take(p, kinds[i]);
    if (is_class) {
        mod->is_class = true;
        mod->at       = gm_parser_look(p, 0)->at;
        mod->name     = gm_parser_name(p, "the redeclared class");
        gm_parser_expect(p, GM_TOKEN_EQUALS, "in a redeclaration");
        mod->new_type = gm_parser_type_name(p);
    } else {
        mod->new_type = gm_parser_type_name(p);
        mod->at       = gm_parser_look(p, 0)->at;
        mod->name     = gm_parser_name(p, "the redeclared component");
    }
    if (gm_parser_at(p, GM_TOKEN_OPEN)) gm_parser_mod_arguments(p, mod);
    if (gm_parser_take(p, GM_TOKEN_EQUALS)) mod->value = gm_parser_expression(p);
    if (gm_parser_take(p, GM_KEY_CONSTRAINEDBY)) {
        gm_ast_mod ignored = { 0 };
        gm_parser_type_name(p);
        if (gm_parser_at(p, GM_TOKEN_OPEN)) gm_parser_mod_arguments(p, &ignored);
    }
}

// [each] [final] a.b.c [(...)] [= expr] ["comment"]
static gm_ast_mod read_argument(gm_parser *p)
{
    gm_ast_mod mod = { 0 };
    if (gm_parser_take(p, GM_KEY_REDECLARE)) mod.redeclare = true;
    mod.each  = gm_parser_take(p, GM_KEY_EACH);
    mod.final = gm_parser_take(p, GM_KEY_FINAL);
    if (gm_parser_at(p, GM_KEY_REPLACEABLE)) mod.redeclare = true;
    mod.at     = gm_parser_look(p, 0)->at;
    mod.length = gm_parser_look(p, 0)->length;
    if (mod.redeclare) {
        read_redeclaration(p, &mod);
    } else {
        // In annotations words of the language are names too: connect(feeds = "out,in").
        uint32_t next = gm_parser_look(p, 1)->kind;
        if (gm_parser_look(p, 0)->kind < GM_KEYWORD_COUNT && (next == GM_TOKEN_EQUALS || next == GM_TOKEN_OPEN)) {
            mod.name = gm_parser_look(p, 0)->kind;
            gm_parser_take(p, mod.name);
        } else {
            mod.name = gm_parser_name(p, "a modified element");
        }
        if (gm_parser_take(p, GM_TOKEN_DOT)) {
            // a.b(...) = v says the same as a(b(...) = v)
            gm_ast_mod *inner = GM_WORK_NEW(p->w, gm_ast_mod, 1);
            if (!gm_parser_descend(p)) return mod;
            *inner       = read_argument(p);
            inner->final = mod.final;
            inner->each  = mod.each;
            mod.each     = false;
            mod.items    = inner;
            mod.count    = 1;
            p->depth--;
            return mod;
        }
        if (gm_parser_at(p, GM_TOKEN_OPEN)) gm_parser_mod_arguments(p, &mod);
        if (gm_parser_take(p, GM_TOKEN_EQUALS) || gm_parser_take(p, GM_TOKEN_ASSIGN)) mod.value = gm_parser_expression(p);
    }
    gm_parser_comment(p);
    gm_str ignored;
    if (gm_parser_at(p, GM_KEY_ANNOTATION)) gm_parser_annotation(p, &ignored);
    return mod;
}

void gm_parser_mod_arguments(gm_parser *p, gm_ast_mod *mod)
{
    gm_ast_mod *items = NULL;
    uint32_t    count = 0, capacity = 0;
    gm_parser_expect(p, GM_TOKEN_OPEN, "");
    if (gm_parser_descend(p)) {
        while (!gm_parser_at(p, GM_TOKEN_CLOSE) && !p->failed) {
            gm_ast_mod item = read_argument(p);
            GM_WORK_RESERVE(p->w, items, capacity, count + 1);
            items[count++] = item;
            if (!gm_parser_take(p, GM_TOKEN_COMMA)) break;
        }
        p->depth--;
    }
    gm_parser_expect(p, GM_TOKEN_CLOSE, "after the modifications");
    mod->items = items;
    mod->count = count;
}

const gm_ast_mod *gm_parser_annotation(gm_parser *p, gm_str *out_text)
{
    *out_text = (gm_str){ 0 };
    if (!gm_parser_take(p, GM_KEY_ANNOTATION)) return NULL;
    gm_ast_mod *mod  = GM_WORK_NEW(p->w, gm_ast_mod, 1);
    gm_place    from = gm_parser_look(p, 0)->at;
    mod->at          = from;
    gm_parser_mod_arguments(p, mod);
    size_t start = from - p->source->first;
    *out_text    = gm_str_slice(p->source->text, start, start + gm_parser_span(p, from));
    return mod;
}
