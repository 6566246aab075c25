// Expressions, by precedence: OR, AND, NOT, comparison and IN, + -, * / %, unary minus, operands.
//
// Invariants: (1) chains of AND, OR, + and * are read in loops, so depth grows by parentheses, NOT and functions only;
// (2) every node's depth is at most GM_DEPTH_MAX, so that everything after the parser may recurse; (3) in a comparison
// with one literal, the literal stands on the right.
#include "query/parse.h"

#include "query/value.h"

#include <stdlib.h>

gm_status gm_parse_no_memory(gm_parser *p)
{
    return gm_fail(p->err, GM_NOMEM, "query", "reading a query of %zu bytes", p->lexer.text.len);
}

gm_node *gm_parse_node(gm_parser *p, gm_node_kind kind, uint32_t at)
{
    if (++p->node_count > GM_NODES_MAX) {
        gm_lex_fail(p->lexer.text, at, GM_LIMIT, p->err, "the query has more than %d terms", (int)GM_NODES_MAX);
        return NULL;
    }
    gm_node *node = GM_ARENA_NEW(p->ast->arena, gm_node, 1);
    if (node == NULL) {
        gm_parse_no_memory(p);
        return NULL;
    }
    node->kind  = (uint8_t)kind;
    node->at    = at;
    node->depth = 1;
    return node;
}

static gm_status failed_node(const gm_parser *p)  // gm_parse_node said why
{
    return p->err != NULL && p->err->status != GM_OK ? p->err->status : GM_NOMEM;
}

static gm_status deepen(gm_parser *p, gm_node *node, const gm_node *child)
{
    if (child->depth >= node->depth) node->depth = (uint16_t)(child->depth + 1);
    node->collections |= child->collections;
    if (node->depth <= GM_DEPTH_MAX) return GM_OK;
    return gm_lex_fail(p->lexer.text, node->at, GM_LIMIT, p->err, "the expression is nested deeper than %d",
                       (int)GM_DEPTH_MAX);
}

static gm_status enter(gm_parser *p)
{
    if (++p->depth <= GM_DEPTH_MAX) return GM_OK;
    return gm_lex_fail(p->lexer.text, p->token.at, GM_LIMIT, p->err, "the expression is nested deeper than %d",
                       (int)GM_DEPTH_MAX);
}

// ---- operands ---------------------------------------------------------------------------------------------------

static gm_status parse_path(gm_parser *p, gm_node **out_node)
{
    gm_str   segments[GM_SEGMENTS_MAX];
    size_t   count = 0;
    uint32_t at    = p->token.at;
    for (;;) {
        // Behind a dot every word is a name; in front, the reserved ones must be escaped.
        bool name =
            p->token.kind == GM_TOKEN_ESCAPED || (count == 0 ? gm_parse_is_name(p) : p->token.kind == GM_TOKEN_NAME);
        if (!name) return gm_parse_expected(p, "a property name");
        if (count == GM_SEGMENTS_MAX) {
            return gm_lex_fail(p->lexer.text, p->token.at, GM_LIMIT, p->err, "a path has more than %d parts",
                               (int)GM_SEGMENTS_MAX);
        }
        segments[count++] = p->token.text;
        gm_status st      = gm_parse_take(p);
        if (st != GM_OK) return st;
        if (!gm_token_is_sign(&p->token, ".")) break;
        st = gm_parse_take(p);
        if (st != GM_OK) return st;
    }

    // Equal paths share one entry, so that each is looked up once a table.
    gm_ast *ast = p->ast;
    size_t  i   = 0;
    for (; i < ast->path_count; i++) {
        const gm_path *known = &ast->paths[i];
        if (known->count != count) continue;
        size_t same = 0;
        while (same < count && gm_str_eq(known->segments[same], segments[same])) same++;
        if (same == count) break;
    }
    if (i == ast->path_count) {
        if (i == GM_PATHS_MAX) {
            return gm_lex_fail(p->lexer.text, at, GM_LIMIT, p->err, "the query names more than %d properties",
                               (int)GM_PATHS_MAX);
        }
        gm_str *copy = GM_ARENA_NEW(ast->arena, gm_str, count);
        if (copy == NULL) return gm_parse_no_memory(p);
        memcpy(copy, segments, count * sizeof *copy);
        ast->paths[ast->path_count++] = (gm_path){ .collection = GM_NO_COLLECTION, .segments = copy, .count = count };
    }
    gm_node *node = gm_parse_node(p, GM_NODE_PATH, at);
    if (node == NULL) return failed_node(p);
    node->path = (uint32_t)i;
    *out_node  = node;
    return GM_OK;
}

static gm_status parse_literal(gm_parser *p, gm_node **out_node, bool *out_found)
{
    gm_qvalue value = { 0 };
    *out_found      = true;
    switch (p->token.kind) {
    case GM_TOKEN_STRING: value = (gm_qvalue){ GM_Q_STRING, { .s = p->token.text } }; break;
    case GM_TOKEN_INTEGER: value = (gm_qvalue){ GM_Q_INT, { .i = p->token.integer } }; break;
    case GM_TOKEN_NUMBER: value = (gm_qvalue){ GM_Q_DOUBLE, { .d = p->token.number } }; break;
    default:
        if (gm_token_is_word(&p->token, "TRUE")) value = (gm_qvalue){ GM_Q_BOOL, { .i = 1 } };
        else if (gm_token_is_word(&p->token, "FALSE")) value = (gm_qvalue){ GM_Q_BOOL, { .i = 0 } };
        else if (gm_token_is_word(&p->token, "NULL")) value = (gm_qvalue){ .kind = GM_Q_NULL };
        else {
            *out_found = false;
            return GM_OK;
        }
    }
    gm_node *node = gm_parse_node(p, GM_NODE_LITERAL, p->token.at);
    if (node == NULL) return failed_node(p);
    node->literal = value;
    *out_node     = node;
    return gm_parse_take(p);
}

static bool is_literal(const gm_node *node)
{
    return node->kind == GM_NODE_LITERAL;
}

// ---- functions --------------------------------------------------------------------------------------------------

// IS_OF_MODEL([collection,] 'dtmi' [, exact]), the parenthesis taken.
static gm_status parse_of_model(gm_parser *p, gm_node *node)
{
    if (!p->collections_known) {
        return gm_lex_fail(p->lexer.text, node->at, GM_INVALID, p->err,
                           "expected a property or an aggregate, found IS_OF_MODEL (it stands in WHERE)");
    }
    node->collection = GM_NO_COLLECTION;
    if (gm_parse_is_name(p) || p->token.kind == GM_TOKEN_ESCAPED) {
        // The name is looked up once FROM is known; IS_OF_MODEL stands in WHERE, where it is.
        for (uint32_t i = 0; i < p->ast->collection_count; i++) {
            if (gm_str_eq(p->ast->collections[i].name, p->token.text)) node->collection = i;
        }
        if (node->collection == GM_NO_COLLECTION)
            return gm_parse_expected(p, "the name of a collection in FROM, or a model id in quotes");
        gm_status st = gm_parse_take(p);
        if (st == GM_OK) st = gm_parse_take_sign(p, ",", "',' and a model id");
        if (st != GM_OK) return st;
    } else if (p->ast->collection_count != 1) {
        if (p->token.kind == GM_TOKEN_STRING)
            return gm_parse_expected(p, "the collection that IS_OF_MODEL is about (FROM has several)");
    } else {
        node->collection = 0;
    }
    if (p->token.kind != GM_TOKEN_STRING) return gm_parse_expected(p, "a model id such as 'dtmi:example:Pump;1'");
    if (p->ast->collections[node->collection].is_relationship) {
        return gm_lex_fail(p->lexer.text, node->at, GM_INVALID, p->err,
                           "expected a collection of twins in IS_OF_MODEL, found one of relationships");
    }
    node->text        = p->token.text;
    node->fact        = (uint32_t)p->ast->fact_count++;
    node->collections = 1u << node->collection;
    gm_status st      = gm_parse_take(p);
    if (st != GM_OK || !gm_token_is_sign(&p->token, ",")) return st;
    st = gm_parse_take(p);
    if (st != GM_OK) return st;
    if (!gm_token_is_word(&p->token, "EXACT")) return gm_parse_expected(p, "exact");
    node->op = 1;
    return gm_parse_take(p);
}

static gm_status parse_additive(gm_parser *p, gm_node **out_node);

// name(a) or name(a, b), the parenthesis taken.
static gm_status parse_arguments(gm_parser *p, gm_node *node, bool two)
{
    gm_status st = parse_additive(p, &node->a);
    if (st == GM_OK && two) {
        st = gm_parse_take_sign(p, ",", "',' and a second argument");
        if (st == GM_OK) st = parse_additive(p, &node->b);
    }
    if (st == GM_OK) st = deepen(p, node, node->a);
    if (st == GM_OK && two) st = deepen(p, node, node->b);
    return st;
}

// COUNT(), COUNT(*), COUNT(x), SUM(x) ..., the parenthesis taken.
static gm_status parse_aggregate(gm_parser *p, gm_node *node)
{
    if (!p->aggregates_allowed) {
        return gm_lex_fail(
            p->lexer.text, node->at, GM_INVALID, p->err,
            "expected a condition on single rows, found an aggregate (they stand in SELECT and ORDER BY)");
    }
    p->aggregates_allowed = false;  // none inside another
    node->of              = NULL;
    gm_status st          = GM_OK;
    if (node->op == GM_COUNT && gm_token_is_sign(&p->token, "*")) st = gm_parse_take(p);
    else if (node->op != GM_COUNT || !gm_token_is_sign(&p->token, ")")) st = parse_additive(p, &node->of);
    p->aggregates_allowed = true;
    if (st == GM_OK && node->of != NULL) st = deepen(p, node, node->of);
    if (st != GM_OK) return st;
    if (p->ast->aggregate_count == GM_ITEMS_MAX) {
        return gm_lex_fail(p->lexer.text, node->at, GM_LIMIT, p->err, "the query has more than %d aggregates",
                           (int)GM_ITEMS_MAX);
    }
    node->slot                             = (uint32_t)p->ast->aggregate_count;
    p->ast->aggregates[p->ast->aggregate_count++] = node;
    return GM_OK;
}

static const struct function { const char *name; gm_node_kind kind; uint8_t op; } functions[] = {
    { "IS_OF_MODEL", GM_NODE_OF_MODEL, 0 },
    { "IS_DEFINED", GM_NODE_IS, GM_IS_DEFINED },
    { "IS_NULL", GM_NODE_IS, GM_IS_NULL },
    { "IS_NUMBER", GM_NODE_IS, GM_IS_NUMBER },
    { "IS_STRING", GM_NODE_IS, GM_IS_STRING },
    { "IS_BOOL", GM_NODE_IS, GM_IS_BOOL },
    { "IS_OBJECT", GM_NODE_IS, GM_IS_OBJECT },
    { "IS_PRIMITIVE", GM_NODE_IS, GM_IS_PRIMITIVE },
    { "STARTSWITH", GM_NODE_TEXT, GM_STARTSWITH },
    { "STARTS_WITH", GM_NODE_TEXT, GM_STARTSWITH },
    { "ENDSWITH", GM_NODE_TEXT, GM_ENDSWITH },
    { "ENDS_WITH", GM_NODE_TEXT, GM_ENDSWITH },
    { "CONTAINS", GM_NODE_TEXT, GM_CONTAINS },
    { "ARRAY_CONTAINS", GM_NODE_ARRAY_CONTAINS, 0 },
    { "COUNT", GM_NODE_AGGREGATE, GM_COUNT },
    { "SUM", GM_NODE_AGGREGATE, GM_SUM },
    { "AVG", GM_NODE_AGGREGATE, GM_AVG },
    { "MIN", GM_NODE_AGGREGATE, GM_MIN },
    { "MAX", GM_NODE_AGGREGATE, GM_MAX },
};

// A name followed by "(" is a function; the name has not been taken yet.
static gm_status parse_function(gm_parser *p, const struct function *function, gm_node **out_node)
{
    gm_node *node = gm_parse_node(p, function->kind, p->token.at);
    if (node == NULL) return failed_node(p);
    node->op     = function->op;
    gm_status st = enter(p);
    if (st == GM_OK) st = gm_parse_take(p);
    if (st == GM_OK) st = gm_parse_take(p);  // "("
    if (st != GM_OK) return st;
    switch (function->kind) {
    case GM_NODE_OF_MODEL: st = parse_of_model(p, node); break;
    case GM_NODE_AGGREGATE: st = parse_aggregate(p, node); break;
    case GM_NODE_IS:
        st = parse_arguments(p, node, false);
        if (st == GM_OK && node->a->kind != GM_NODE_PATH) {
            return gm_lex_fail(p->lexer.text, node->a->at, GM_INVALID, p->err, "expected a property name in %s",
                               function->name);
        }
        break;
    default: st = parse_arguments(p, node, true); break;
    }
    if (st == GM_OK) st = gm_parse_take_sign(p, ")", "')'");
    p->depth--;
    *out_node = node;
    return st;
}

// What follows a name decides whether it is a function; the lexer is copied to look ahead.
static bool is_call(const gm_parser *p)
{
    gm_lexer ahead = p->lexer;
    gm_token token;
    return gm_lex_next(&ahead, &token, NULL) == GM_OK && gm_token_is_sign(&token, "(");
}

static gm_status parse_operand(gm_parser *p, gm_node **out_node)
{
    bool      found;
    gm_status st = parse_literal(p, out_node, &found);
    if (st != GM_OK || found) return st;
    if (gm_token_is_sign(&p->token, "(")) {
        st = enter(p);
        if (st == GM_OK) st = gm_parse_take(p);
        if (st == GM_OK) st = gm_parse_expression(p, out_node);
        if (st == GM_OK) st = gm_parse_take_sign(p, ")", "')' or an operator");
        p->depth--;
        return st;
    }
    if (p->token.kind == GM_TOKEN_NAME && is_call(p)) {
        for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
            if (gm_token_is_word(&p->token, functions[i].name)) return parse_function(p, &functions[i], out_node);
        }
        if (!gm_parse_is_reserved(p)) return gm_parse_expected(p, "a function of the query language");
    }
    if (p->token.kind == GM_TOKEN_ESCAPED || gm_parse_is_name(p)) return parse_path(p, out_node);
    if (gm_parse_is_reserved(p)) {
        return gm_lex_fail(
            p->lexer.text, p->token.at, GM_INVALID, p->err,
            "expected a value, found the reserved word '%.*s'; a property of that name is written [[%.*s]]",
            (int)p->token.text.len, p->token.text.ptr, (int)p->token.text.len, p->token.text.ptr);
    }
    return gm_parse_expected(p, "a property, a value or '('");
}

// ---- arithmetic -------------------------------------------------------------------------------------------------

static gm_status parse_unary(gm_parser *p, gm_node **out_node)
{
    uint32_t at       = p->token.at;
    bool     negative = false, any = false;
    while (gm_token_is_sign(&p->token, "-") || gm_token_is_sign(&p->token, "+")) {
        negative ^= gm_token_is_sign(&p->token, "-");
        any          = true;
        gm_status st = gm_parse_take(p);
        if (st != GM_OK) return st;
    }
    // The one integer whose absolute value does not fit is read as a double and must become the integer again.
    bool      least = negative && p->token.kind == GM_TOKEN_NUMBER && gm_str_is(p->token.text, "9223372036854775808");
    gm_status st    = parse_operand(p, out_node);
    if (st != GM_OK || !any) return st;
    gm_node *operand = *out_node;
    if (least) {
        operand->literal = (gm_qvalue){ GM_Q_INT, { .i = INT64_MIN } };
        return GM_OK;
    }
    if (is_literal(operand) && (operand->literal.kind == GM_Q_INT || operand->literal.kind == GM_Q_DOUBLE)) {
        if (negative && operand->literal.kind == GM_Q_INT) operand->literal.i = -operand->literal.i;
        if (negative && operand->literal.kind == GM_Q_DOUBLE) operand->literal.d = -operand->literal.d;
        return GM_OK;
    }
    gm_node *zero  = gm_parse_node(p, GM_NODE_LITERAL, at),
            *minus = zero != NULL ? gm_parse_node(p, GM_NODE_ARITH, at) : NULL;
    if (minus == NULL) return failed_node(p);
    zero->literal = (gm_qvalue){ GM_Q_INT, { .i = 0 } };
    minus->op     = negative ? GM_SUB : GM_ADD;
    minus->a      = zero;
    minus->b      = operand;
    *out_node     = minus;
    return deepen(p, minus, operand);
}

// Left to right: a chain of n operators is a tree of depth n, which `deepen` bounds.
static gm_status parse_chain(gm_parser *p, const char *const *signs, const uint8_t *ops, size_t n,
                             gm_status (*operand)(gm_parser *p, gm_node **out_node), gm_node **out_node)
{
    gm_status st = operand(p, out_node);
    while (st == GM_OK) {
        size_t i = 0;
        while (i < n && !gm_token_is_sign(&p->token, signs[i])) i++;
        if (i == n) break;
        gm_node *node = gm_parse_node(p, GM_NODE_ARITH, p->token.at);
        if (node == NULL) return failed_node(p);
        node->op = ops[i];
        node->a  = *out_node;
        st       = gm_parse_take(p);
        if (st == GM_OK) st = operand(p, &node->b);
        if (st == GM_OK) st = deepen(p, node, node->a);
        if (st == GM_OK) st = deepen(p, node, node->b);
        *out_node = node;
    }
    return st;
}

static gm_status parse_multiplicative(gm_parser *p, gm_node **out_node)
{
    static const char *const signs[] = { "*", "/", "%" };
    static const uint8_t     ops[]   = { GM_MUL, GM_DIV, GM_MOD };
    return parse_chain(p, signs, ops, 3, parse_unary, out_node);
}

static gm_status parse_additive(gm_parser *p, gm_node **out_node)
{
    static const char *const signs[] = { "+", "-" };
    static const uint8_t     ops[]   = { GM_ADD, GM_SUB };
    return parse_chain(p, signs, ops, 2, parse_multiplicative, out_node);
}

// ---- comparisons ------------------------------------------------------------------------------------------------

static gm_status parse_set(gm_parser *p, gm_qset *out_set)
{
    gm_qvalue *values   = NULL;
    size_t     capacity = 0, count = 0;
    const bool square   = gm_token_is_sign(&p->token, "[");
    if (!square && !gm_token_is_sign(&p->token, "(")) return gm_parse_expected(p, "'[' and a list of values");
    gm_status st = gm_parse_take(p);
    while (st == GM_OK) {
        gm_node *node = NULL;
        st            = parse_unary(p, &node);
        if (st != GM_OK) return st;
        if (!is_literal(node))
            return gm_lex_fail(p->lexer.text, node->at, GM_INVALID, p->err, "expected a plain value in the list");
        if (count == capacity) {
            capacity         = capacity > 0 ? 2 * capacity : 8;
            gm_qvalue *grown = GM_ARENA_NEW(p->ast->arena, gm_qvalue, capacity);
            if (grown == NULL) return gm_parse_no_memory(p);
            if (count > 0) memcpy(grown, values, count * sizeof *grown);
            values = grown;
        }
        values[count++] = node->literal;
        if (!gm_token_is_sign(&p->token, ",")) break;
        st = gm_parse_take(p);
    }
    if (st == GM_OK) st = gm_parse_take_sign(p, square ? "]" : ")", square ? "',' or ']'" : "',' or ')'");
    *out_set = gm_qset_make(values, count);
    return st;
}

static gm_status parse_in(gm_parser *p, gm_node *left, bool negated, gm_node **out_node)
{
    gm_node *node = gm_parse_node(p, GM_NODE_IN, p->token.at);
    if (node == NULL) return failed_node(p);
    node->a      = left;
    gm_status st = gm_parse_take(p);
    if (st == GM_OK) st = parse_set(p, &node->set);
    if (st == GM_OK) st = deepen(p, node, left);
    *out_node = node;
    if (st != GM_OK || !negated) return st;
    gm_node *not = gm_parse_node(p, GM_NODE_NOT, node->at);
    if (not == NULL) return failed_node(p);
    not->a    = node;
    *out_node = not;
    return deepen(p, not, node);
}

static bool comparison_of(const gm_token *token, gm_compare *out_op)
{
    static const struct {
        const char *sign;
        gm_compare  op;
    } signs[] = { { "=", GM_EQ },  { "!=", GM_NE }, { "<>", GM_NE }, { "<", GM_LT },
                  { "<=", GM_LE }, { ">", GM_GT },  { ">=", GM_GE } };
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        if (!gm_token_is_sign(token, signs[i].sign)) continue;
        *out_op = signs[i].op;
        return true;
    }
    return false;
}

static gm_status parse_comparison(gm_parser *p, gm_node **out_node)
{
    gm_status st = parse_additive(p, out_node);
    if (st != GM_OK) return st;
    gm_node *left = *out_node;
    p->condition_count++;
    if (gm_token_is_word(&p->token, "IN")) return parse_in(p, left, false, out_node);
    if (gm_token_is_word(&p->token, "NIN") || gm_token_is_word(&p->token, "NOT_IN"))
        return parse_in(p, left, true, out_node);
    if (gm_token_is_word(&p->token, "NOT")) {
        st = gm_parse_take(p);
        if (st != GM_OK) return st;
        if (!gm_token_is_word(&p->token, "IN")) return gm_parse_expected(p, "IN behind NOT");
        return parse_in(p, left, true, out_node);
    }
    gm_compare op;
    if (!comparison_of(&p->token, &op)) return GM_OK;
    gm_node *node = gm_parse_node(p, GM_NODE_COMPARE, p->token.at);
    if (node == NULL) return failed_node(p);
    gm_node *right = NULL;
    st             = gm_parse_take(p);
    if (st == GM_OK) st = parse_additive(p, &right);
    if (st != GM_OK) return st;
    bool swap = is_literal(left) && !is_literal(right);
    node->op  = (uint8_t)(swap ? gm_compare_swapped(op) : op);
    node->a   = swap ? right : left;
    node->b   = swap ? left : right;
    *out_node = node;
    st        = deepen(p, node, left);
    return st == GM_OK ? deepen(p, node, right) : st;
}

static gm_status parse_not(gm_parser *p, gm_node **out_node)
{
    uint32_t  at      = p->token.at;
    bool      negated = false;
    gm_status st      = GM_OK;
    bool      any     = false;
    while (st == GM_OK && gm_token_is_word(&p->token, "NOT")) {
        negated = !negated;
        any     = true;
        st      = gm_parse_take(p);
    }
    if (st == GM_OK) st = parse_comparison(p, out_node);
    if (st != GM_OK || !any) return st;
    // NOT NOT x is x as a condition, but keeps x from being taken for a plain value.
    for (int i = 0; i < (negated ? 1 : 2); i++) {
        gm_node *node = gm_parse_node(p, GM_NODE_NOT, at);
        if (node == NULL) return failed_node(p);
        node->a = *out_node;
        st      = deepen(p, node, node->a);
        if (st != GM_OK) return st;
        *out_node = node;
    }
    return GM_OK;
}

// ---- AND, OR ----------------------------------------------------------------------------------------------------

// Reads operands separated by the word; two or more become one node with a list.
static gm_status parse_list(gm_parser *p, const char *word, gm_node_kind kind,
                            gm_status (*operand)(gm_parser *p, gm_node **out_node), gm_node **out_node)
{
    gm_status st = operand(p, out_node);
    if (st != GM_OK || !gm_token_is_word(&p->token, word)) return st;
    gm_node *list = gm_parse_node(p, kind, p->token.at);
    if (list == NULL) return failed_node(p);
    gm_node *last = list->first = *out_node;
    list->count   = 1;
    st            = deepen(p, list, last);
    while (st == GM_OK && gm_token_is_word(&p->token, word)) {
        st = gm_parse_take(p);
        if (st == GM_OK) st = operand(p, &last->next);
        if (st != GM_OK) return st;
        last = last->next;
        list->count++;
        st = deepen(p, list, last);
    }
    *out_node = list;
    return st;
}

static gm_status parse_and(gm_parser *p, gm_node **out_node)
{
    return parse_list(p, "AND", GM_NODE_AND, parse_not, out_node);
}

static bool is_equality(const gm_node *node, const gm_node *like)
{
    return node->kind == GM_NODE_COMPARE && node->op == GM_EQ && node->a->kind == GM_NODE_PATH && is_literal(node->b) &&
           (like == NULL || (node->a->path == like->a->path && node->b->literal.kind == like->b->literal.kind));
}

// x = 1 OR x = 2 OR ... becomes x IN [1, 2, ...]: one look at x instead of thousands. Only literals of one kind are
// gathered, since a comparison across kinds is undefined while IN answers false. `a` at the first place, the others
// are unlinked. Cost: paths x terms.
static gm_status gather_equalities(gm_parser *p, gm_node *or)
{
    for (gm_node *first = or->first; first != NULL; first = first->next) {
        if (!is_equality(first, NULL)) continue;
        size_t count = 0;
        for (gm_node *other = first; other != NULL; other = other->next) count += is_equality(other, first);
        if (count < 2) continue;
        gm_qvalue *values = GM_ARENA_NEW(p->ast->arena, gm_qvalue, count);
        if (values == NULL) return gm_parse_no_memory(p);
        count             = 0;
        gm_node **link    = &first->next;
        values[count++]   = first->b->literal;
        while (*link != NULL) {
            if (is_equality(*link, first)) {
                values[count++] = (*link)->b->literal;
                *link           = (*link)->next;
                or->count--;
                p->condition_count--;
            } else {
                link = &(*link)->next;
            }
        }
        first->kind = GM_NODE_IN;
        first->set  = gm_qset_make(values, count);
    }
    return GM_OK;
}

gm_status gm_parse_expression(gm_parser *p, gm_node **out_node)
{
    gm_status st = parse_list(p, "OR", GM_NODE_OR, parse_and, out_node);
    if (st == GM_OK && (*out_node)->kind == GM_NODE_OR) st = gather_equalities(p, *out_node);
    return st;
}

// ---- paths to collections ---------------------------------------------------------------------------------------

static gm_status resolve_path(gm_parser *p, gm_path *path, uint32_t at)
{
    gm_ast *ast = p->ast;
    if (path->collection != GM_NO_COLLECTION) return GM_OK;
    for (uint32_t i = 0; i < ast->collection_count; i++) {
        if (ast->collections[i].name.len == 0 || !gm_str_eq(ast->collections[i].name, path->segments[0])) continue;
        path->collection = i;
        path->segments++;
        path->count--;
        break;
    }
    if (path->collection == GM_NO_COLLECTION) {
        if (ast->collection_count != 1) {
            return gm_lex_fail(
                p->lexer.text, at, GM_INVALID, p->err,
                "expected a collection named in FROM, found '%.*s' (FROM has several: write Name.property)",
                (int)(path->segments[0].len < 40 ? path->segments[0].len : 40), path->segments[0].ptr);
        }
        path->collection = 0;
    }

    size_t length = 0;
    for (size_t i = 0; i < path->count; i++) length += path->segments[i].len + 1;
    char *text = gm_arena_bytes(ast->arena, length + 1);
    if (text == NULL) return gm_parse_no_memory(p);
    size_t len = 0;
    for (size_t i = 0; i < path->count; i++) {
        if (i > 0) text[len++] = '/';
        memcpy(text + len, path->segments[i].ptr, path->segments[i].len);
        len += path->segments[i].len;
    }
    path->text = (gm_str){ text, len };
    while (path->plain < path->count && gm_str_find_char(path->segments[path->plain], '/') == SIZE_MAX) path->plain++;
    return GM_OK;
}

gm_status gm_parse_resolve_paths(gm_parser *p, gm_node *node)
{
    gm_status st = GM_OK;
    switch (node->kind) {
    case GM_NODE_PATH:
        st = resolve_path(p, &p->ast->paths[node->path], node->at);
        if (st == GM_OK) node->collections = 1u << p->ast->paths[node->path].collection;
        return st;
    case GM_NODE_AND:
    case GM_NODE_OR:
        for (gm_node *child = node->first; st == GM_OK && child != NULL; child = child->next) {
            st = gm_parse_resolve_paths(p, child);
            node->collections |= child->collections;
        }
        return st;
    case GM_NODE_AGGREGATE:
        if (node->of == NULL) return GM_OK;
        st = gm_parse_resolve_paths(p, node->of);
        node->collections |= node->of->collections;
        return st;
    case GM_NODE_LITERAL:
    case GM_NODE_OF_MODEL: return GM_OK;
    default: break;
    }
    if (gm_node_has_a(node)) {
        st = gm_parse_resolve_paths(p, node->a);
        node->collections |= node->a->collections;
    }
    if (st == GM_OK && gm_node_has_b(node)) {
        st = gm_parse_resolve_paths(p, node->b);
        node->collections |= node->b->collections;
    }
    return st;
}
