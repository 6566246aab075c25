// The statement: SELECT, FROM with JOIN or MATCH, WHERE, GROUP BY, ORDER BY, LIMIT, OFFSET, AS OF.
//
//   [EXPLAIN] SELECT [TOP(n)] *|item,...
//   FROM DIGITALTWINS [name] [JOIN ...]... | DIGITALTWINS MATCH pattern | RELATIONSHIPS [name]
//   [WHERE condition] [GROUP BY path,...] [ORDER BY value [ASC|DESC],...] [LIMIT n] [OFFSET n] [AS OF 'time']
//   [VALID AT 'time'] [KNOWN AT 'time'] [;]
//
// Grammar and meaning after the "Azure Digital Twins query language reference" (learn.microsoft.com); what goes beyond
// it is listed in docs/query.md.
#include "query/parse.h"

#include "base/utf8.h"

// ---- tokens -----------------------------------------------------------------------------------------------------

gm_status gm_parse_take(gm_parser *p)
{
    return gm_lex_next(&p->lexer, &p->token, p->err);
}

gm_status gm_parse_expected(gm_parser *p, const char *what)
{
    return gm_lex_expected(p->lexer.text, &p->token, what, p->err);
}

gm_status gm_parse_take_sign(gm_parser *p, const char *sign, const char *what)
{
    return gm_token_is_sign(&p->token, sign) ? gm_parse_take(p) : gm_parse_expected(p, what);
}

// Words that would be mistaken for the next clause or operator. The reference reserves more; those that can only stand
// in front of a parenthesis (COUNT, IS_NULL ...) are left usable as names.
bool gm_parse_is_reserved(const gm_parser *p)
{
    static const char *const reserved[] = { "AND",    "AS",      "ASC",    "BY",  "DESC", "FALSE", "FROM", "GROUP",
                                            "IN",     "JOIN",    "MATCH",  "NIN", "NOT",  "NULL",  "OR",   "ORDER",
                                            "NOT_IN", "RELATED", "SELECT", "TOP", "TRUE", "WHERE" };
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        if (gm_token_is_word(&p->token, reserved[i])) return true;
    }
    return false;
}

bool gm_parse_is_name(const gm_parser *p)
{
    return p->token.kind == GM_TOKEN_NAME && !gm_parse_is_reserved(p);
}

static bool any_name(const gm_parser *p)
{
    return p->token.kind == GM_TOKEN_ESCAPED || gm_parse_is_name(p);
}

static bool is_word(const gm_parser *p, const char *word)
{
    return gm_token_is_word(&p->token, word);
}

static gm_status take_word(gm_parser *p, const char *word, const char *what)
{
    return is_word(p, word) ? gm_parse_take(p) : gm_parse_expected(p, what);
}

static gm_status take_count(gm_parser *p, const char *what, uint64_t *out_count)
{
    if (p->token.kind != GM_TOKEN_INTEGER) return gm_parse_expected(p, what);
    *out_count = (uint64_t)p->token.integer;  // never negative: the sign is a token of its own
    return gm_parse_take(p);
}

// ---- SELECT -----------------------------------------------------------------------------------------------------

// The name that an item gets in the answer: its alias, else the last part of its path, else the aggregate's name.
static gm_status name_item(gm_parser *p, gm_item *item)
{
    static const char *const aggregates[] = { "COUNT", "SUM", "AVG", "MIN", "MAX" };
    if (is_word(p, "AS")) {
        gm_status st = gm_parse_take(p);
        if (st != GM_OK) return st;
        if (p->token.kind != GM_TOKEN_NAME && p->token.kind != GM_TOKEN_ESCAPED)
            return gm_parse_expected(p, "a name behind AS");
        item->name = p->token.text;
        return gm_parse_take(p);
    }
    if (item->value->kind == GM_NODE_PATH) {
        const gm_path *path = &p->ast->paths[item->value->path];
        item->name          = path->segments[path->count - 1];
    } else if (item->value->kind == GM_NODE_AGGREGATE) {
        item->name = gm_str_of(aggregates[item->value->op]);
    } else {
        return gm_lex_fail(p->lexer.text, item->value->at, GM_INVALID, p->err,
                           "expected AS and a name for what is computed here");
    }
    return GM_OK;
}

static gm_status parse_items(gm_parser *p)
{
    gm_ast   *ast = p->ast;
    gm_status st;
    p->aggregates_allowed = true;
    for (;;) {
        if (ast->item_count == GM_ITEMS_MAX) {
            return gm_lex_fail(p->lexer.text, p->token.at, GM_LIMIT, p->err, "more than %d columns are selected",
                               (int)GM_ITEMS_MAX);
        }
        gm_item *item = &ast->items[ast->item_count];
        st            = gm_parse_expression(p, &item->value);
        if (st == GM_OK) st = name_item(p, item);
        if (st != GM_OK) return st;
        for (size_t i = 0; i < ast->item_count; i++) {
            if (!gm_str_eq(ast->items[i].name, item->name)) continue;
            return gm_lex_fail(p->lexer.text, item->value->at, GM_INVALID, p->err,
                               "two columns are called '%.*s'; rename one with AS",
                               (int)(item->name.len < 60 ? item->name.len : 60), item->name.ptr);
        }
        ast->item_count++;
        if (!gm_token_is_sign(&p->token, ",")) break;
        st = gm_parse_take(p);
        if (st != GM_OK) return st;
    }
    p->aggregates_allowed = false;
    return GM_OK;
}

static gm_status parse_select(gm_parser *p)
{
    gm_status st = take_word(p, "SELECT", "SELECT");
    if (st != GM_OK) return st;
    if (is_word(p, "TOP")) {
        st = gm_parse_take(p);
        if (st == GM_OK) st = gm_parse_take_sign(p, "(", "'(' and a number behind TOP");
        if (st == GM_OK) st = take_count(p, "a whole number in TOP()", &p->ast->limit);
        if (st == GM_OK) st = gm_parse_take_sign(p, ")", "')'");
        if (st != GM_OK) return st;
        p->ast->star = is_word(p, "FROM");
        if (p->ast->star) return GM_OK;
    }
    if (gm_token_is_sign(&p->token, "*")) {
        p->ast->star = true;
        return gm_parse_take(p);
    }
    return parse_items(p);
}

// ---- FROM -------------------------------------------------------------------------------------------------------

static gm_status add_collection(gm_parser *p, gm_str name, bool is_relationship, uint8_t *out_index)
{
    gm_ast *ast = p->ast;
    for (size_t i = 0; name.len > 0 && i < ast->collection_count; i++) {
        if (!gm_str_eq(ast->collections[i].name, name)) continue;
        return gm_lex_fail(p->lexer.text, p->token.at, GM_INVALID, p->err, "the name '%.*s' is used twice in FROM",
                           (int)(name.len < 60 ? name.len : 60), name.ptr);
    }
    if (ast->collection_count == GM_COLLECTIONS_MAX) {
        return gm_lex_fail(p->lexer.text, p->token.at, GM_LIMIT, p->err, "FROM names more than %d collections",
                           (int)GM_COLLECTIONS_MAX);
    }
    *out_index                                    = (uint8_t)ast->collection_count;
    ast->collections[ast->collection_count++]     = (gm_collection){ name, is_relationship };
    return GM_OK;
}

static bool clause_follows(const gm_parser *p)
{
    static const char *const words[] = { "LIMIT", "OFFSET", "AS" };
    if (p->token.kind == GM_TOKEN_ESCAPED) return false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (is_word(p, words[i])) return true;
    }
    return !gm_parse_is_name(p);
}

// An optional name for the collection.
static gm_status parse_alias(gm_parser *p, gm_str *out_name)
{
    *out_name = (gm_str){ 0 };
    if (clause_follows(p)) return GM_OK;
    *out_name = p->token.text;
    return GM_OK;
}

// JOIN target RELATED source.name [relationship]; JOIN is taken.
static gm_status parse_join(gm_parser *p)
{
    gm_ast *ast = p->ast;
    if (ast->step_count == GM_JOINS_MAX) {
        return gm_lex_fail(p->lexer.text, p->token.at, GM_LIMIT, p->err, "more than %d JOINs", (int)GM_JOINS_MAX);
    }
    if (!any_name(p)) return gm_parse_expected(p, "a name for the twins that are joined");
    gm_step   step = { .relationship = GM_NO_COLLECTION, .direction = GM_OUT, .hops_min = 1, .hops_max = 1 };
    gm_status st   = add_collection(p, p->token.text, false, &step.to);
    if (st == GM_OK) st = gm_parse_take(p);
    if (st == GM_OK) st = take_word(p, "RELATED", "RELATED");
    if (st != GM_OK) return st;

    step.from = GM_NO_COLLECTION;
    for (size_t i = 0; i < ast->collection_count && any_name(p); i++) {
        if (i != step.to && !ast->collections[i].is_relationship && gm_str_eq(ast->collections[i].name, p->token.text))
            step.from = (uint8_t)i;
    }
    if (step.from == GM_NO_COLLECTION) return gm_parse_expected(p, "a collection of twins that was named before");
    st = gm_parse_take(p);
    if (st == GM_OK) st = gm_parse_take_sign(p, ".", "'.' and a relationship name");
    if (st != GM_OK) return st;
    if (p->token.kind != GM_TOKEN_NAME && p->token.kind != GM_TOKEN_ESCAPED)
        return gm_parse_expected(p, "a relationship name");
    gm_str *name = GM_ARENA_NEW(ast->arena, gm_str, 1);
    if (name == NULL) return gm_parse_no_memory(p);
    *name           = p->token.text;
    step.names      = name;
    step.name_count = 1;
    st              = gm_parse_take(p);
    if (st != GM_OK) return st;

    gm_str alias;
    st = parse_alias(p, &alias);
    if (st == GM_OK && alias.len > 0) {
        st = add_collection(p, alias, true, &step.relationship);
        if (st == GM_OK) st = gm_parse_take(p);
    }
    ast->steps[ast->step_count++] = step;
    return st;
}

// ---- MATCH ------------------------------------------------------------------------------------------------------

// "(name)" or "()": a new collection of twins, or one that the pattern already has.
static gm_status parse_match_twin(gm_parser *p, uint8_t *out_index)
{
    gm_status st = gm_parse_take_sign(p, "(", "'(' and a twin of the pattern");
    if (st != GM_OK) return st;
    gm_str name = { 0 };
    if (any_name(p)) {
        name = p->token.text;
        for (size_t i = 0; i < p->ast->collection_count; i++) {
            if (p->ast->collections[i].is_relationship || !gm_str_eq(p->ast->collections[i].name, name)) continue;
            *out_index = (uint8_t)i;
            st         = gm_parse_take(p);
            return st == GM_OK ? gm_parse_take_sign(p, ")", "')'") : st;
        }
        st = add_collection(p, name, false, out_index);
        if (st == GM_OK) st = gm_parse_take(p);
    } else {
        st = add_collection(p, name, false, out_index);
    }
    return st == GM_OK ? gm_parse_take_sign(p, ")", "')'") : st;
}

static gm_status parse_match_names(gm_parser *p, gm_str *names, size_t *count)
{
    for (;;) {
        if (p->token.kind != GM_TOKEN_NAME && p->token.kind != GM_TOKEN_ESCAPED)
            return gm_parse_expected(p, "a relationship name");
        if (*count == GM_STEP_NAMES_MAX) {
            return gm_lex_fail(p->lexer.text, p->token.at, GM_LIMIT, p->err, "more than %d relationship names",
                               (int)GM_STEP_NAMES_MAX);
        }
        names[(*count)++] = p->token.text;
        gm_status st      = gm_parse_take(p);
        if (st != GM_OK || !gm_token_is_sign(&p->token, "|")) return st;
        st = gm_parse_take(p);
        if (st != GM_OK) return st;
    }
}

static gm_status take_hops(gm_parser *p, uint32_t *out_hops)
{
    if (p->token.kind != GM_TOKEN_INTEGER || p->token.integer < 1 || p->token.integer > GM_HOPS_MAX) {
        return gm_parse_expected(p, "a number of hops from 1 to 10");
    }
    *out_hops = (uint32_t)p->token.integer;
    return gm_parse_take(p);
}

// "*3": exactly 3; "*1..3": 2 or 3 (the reference leaves the lower bound out); "*..3": 1 to 3. The star is taken.
static gm_status parse_match_hops(gm_parser *p, gm_step *step)
{
    gm_status st    = GM_OK;
    uint32_t  first = 0;
    bool      given = p->token.kind == GM_TOKEN_INTEGER;
    uint32_t  at    = p->token.at;
    if (given) st = take_hops(p, &first);
    if (st != GM_OK) return st;
    if (given && !gm_token_is_sign(&p->token, ".")) {
        step->hops_min = step->hops_max = first;
        return GM_OK;
    }
    st = gm_parse_take_sign(p, ".", "a number of hops, or '..' and the most hops");
    if (st == GM_OK) st = gm_parse_take_sign(p, ".", "'..' and the most hops");
    if (st == GM_OK) st = take_hops(p, &step->hops_max);
    step->hops_min = first + 1;
    if (st == GM_OK && step->hops_min > step->hops_max) {
        return gm_lex_fail(p->lexer.text, at, GM_INVALID, p->err,
                           "expected a range of hops that rises, such as *1..3 (which means 2 or 3)");
    }
    return st;
}

// "[variable:name1|name2*hops]", each part optional; "[" is taken.
static gm_status parse_match_condition(gm_parser *p, gm_step *step)
{
    gm_str    names[GM_STEP_NAMES_MAX], variable = { 0 };
    uint32_t  variable_at = p->token.at;
    gm_status st          = GM_OK;
    if (p->token.kind == GM_TOKEN_NAME || p->token.kind == GM_TOKEN_ESCAPED) {
        // A name without a colon is a variable, unless what follows shows that names are meant: [has|includes*..3].
        names[0] = p->token.text;
        st       = gm_parse_take(p);
        if (st == GM_OK && (gm_token_is_sign(&p->token, "|") || gm_token_is_sign(&p->token, "*"))) {
            step->name_count = 1;
            if (gm_token_is_sign(&p->token, "|")) {
                st = gm_parse_take(p);
                if (st == GM_OK) st = parse_match_names(p, names, &step->name_count);
            }
        } else {
            variable = names[0];
        }
    }
    if (st == GM_OK && gm_token_is_sign(&p->token, ":")) {
        st = gm_parse_take(p);
        if (st == GM_OK) st = parse_match_names(p, names, &step->name_count);
    }
    if (st == GM_OK && gm_token_is_sign(&p->token, "*")) {
        st = gm_parse_take(p);
        if (st == GM_OK) st = parse_match_hops(p, step);
    }
    if (st == GM_OK) st = gm_parse_take_sign(p, "]", "']'");
    if (st != GM_OK) return st;

    if (variable.len > 0) {
        if (step->hops_max > 1) {
            return gm_lex_fail(p->lexer.text, variable_at, GM_INVALID, p->err,
                               "a relationship of several hops can not be given a name");
        }
        st = add_collection(p, variable, true, &step->relationship);
        if (st != GM_OK) return st;
    }
    gm_str *copy = GM_ARENA_NEW(p->ast->arena, gm_str, step->name_count > 0 ? step->name_count : 1);
    if (copy == NULL) return gm_parse_no_memory(p);
    memcpy(copy, names, step->name_count * sizeof *copy);
    step->names = copy;
    return GM_OK;
}

// "(a)-[r:name]->(b)<-[*3]-(c)...". MATCH is taken.
static gm_status parse_match(gm_parser *p)
{
    gm_ast   *ast = p->ast;
    uint8_t   from;
    uint32_t  hops = 0;
    gm_status st   = parse_match_twin(p, &from);
    while (st == GM_OK && (gm_token_is_sign(&p->token, "-") || gm_token_is_sign(&p->token, "<"))) {
        uint32_t at    = p->token.at;
        gm_step  step  = {
              .from = from, .relationship = GM_NO_COLLECTION, .direction = GM_ANY, .hops_min = 1, .hops_max = 1
        };
        bool     left  = gm_token_is_sign(&p->token, "<");
        if (ast->step_count == GM_STEPS_MAX) {
            return gm_lex_fail(p->lexer.text, at, GM_LIMIT, p->err, "MATCH has more than %d relationships",
                               (int)GM_STEPS_MAX);
        }
        if (left) st = gm_parse_take(p);
        if (st == GM_OK) st = gm_parse_take_sign(p, "-", "'-['");
        if (st == GM_OK) st = gm_parse_take_sign(p, "[", "'['");
        if (st == GM_OK) st = parse_match_condition(p, &step);
        if (st == GM_OK) st = gm_parse_take_sign(p, "-", "']-' or ']->'");
        if (st != GM_OK) return st;
        bool right = gm_token_is_sign(&p->token, ">");
        if (right) st = gm_parse_take(p);
        if (left && right) {
            return gm_lex_fail(p->lexer.text, at, GM_INVALID, p->err,
                               "a relationship points one way: write <-[..]- or -[..]->");
        }
        if (left) step.direction = GM_IN;
        if (right) step.direction = GM_OUT;
        if (st == GM_OK) st = parse_match_twin(p, &step.to);
        hops += step.hops_max;
        if (st == GM_OK && hops > GM_HOPS_MAX) {
            return gm_lex_fail(p->lexer.text, at, GM_LIMIT, p->err, "MATCH has more than %d hops", (int)GM_HOPS_MAX);
        }
        from                          = step.to;
        ast->steps[ast->step_count++] = step;
    }
    return st;
}

// VALID and KNOWN are names like any other unless AT follows.
static bool is_at(const gm_parser *p)
{
    gm_parser ahead = *p;
    ahead.err       = NULL;
    return (is_word(p, "VALID") || is_word(p, "KNOWN")) && gm_parse_take(&ahead) == GM_OK && is_word(&ahead, "AT");
}

static gm_status parse_from(gm_parser *p)
{
    gm_ast   *ast = p->ast;
    gm_status st  = take_word(p, "FROM", "',' or FROM");
    if (st != GM_OK) return st;
    ast->from_relationships = is_word(p, "RELATIONSHIPS");
    if (!ast->from_relationships && !is_word(p, "DIGITALTWINS"))
        return gm_parse_expected(p, "DIGITALTWINS or RELATIONSHIPS");
    st = gm_parse_take(p);
    if (st != GM_OK) return st;
    if (!ast->from_relationships && is_word(p, "MATCH")) {
        ast->is_match = true;
        st            = gm_parse_take(p);
        return st == GM_OK ? parse_match(p) : st;
    }

    gm_str  alias;
    uint8_t index;
    if (is_word(p, "AS")) {  // FROM DIGITALTWINS AS T; but AS OF ends the clause
        gm_parser ahead = *p;
        st              = gm_parse_take(&ahead);
        if (st != GM_OK) return st;
        if (!is_word(&ahead, "OF")) *p = ahead;
    }
    alias = (gm_str){ 0 };
    if (!is_at(p)) st = parse_alias(p, &alias);
    if (st == GM_OK) st = add_collection(p, alias, ast->from_relationships, &index);
    if (st == GM_OK && alias.len > 0) st = gm_parse_take(p);
    while (st == GM_OK && is_word(p, "JOIN")) {
        if (ast->from_relationships) {
            return gm_lex_fail(p->lexer.text, p->token.at, GM_INVALID, p->err,
                               "FROM RELATIONSHIPS can not be combined with JOIN");
        }
        st = gm_parse_take(p);
        if (st == GM_OK) st = parse_join(p);
    }
    return st;
}

// ---- the rest ---------------------------------------------------------------------------------------------------

// The item of that name, when the token is a plain name that no "." follows: ORDER BY n for SELECT COUNT() AS n.
static gm_node *item_named(gm_parser *p)
{
    gm_lexer ahead = p->lexer;
    gm_token next;
    if (!any_name(p) || gm_lex_next(&ahead, &next, NULL) != GM_OK || gm_token_is_sign(&next, ".") ||
        gm_token_is_sign(&next, "("))
        return NULL;
    for (size_t i = 0; i < p->ast->item_count; i++) {
        if (gm_str_eq(p->ast->items[i].name, p->token.text)) return p->ast->items[i].value;
    }
    return NULL;
}

static gm_status parse_order(gm_parser *p)
{
    gm_status st = gm_parse_take(p);
    if (st == GM_OK) st = take_word(p, "BY", "BY behind ORDER");
    p->aggregates_allowed = true;
    while (st == GM_OK) {
        if (p->ast->order_count == GM_ITEMS_MAX) {
            return gm_lex_fail(p->lexer.text, p->token.at, GM_LIMIT, p->err, "ORDER BY has more than %d values",
                               (int)GM_ITEMS_MAX);
        }
        gm_order *order = &p->ast->orders[p->ast->order_count++];
        order->value    = item_named(p);
        st              = order->value != NULL ? gm_parse_take(p) : gm_parse_expression(p, &order->value);
        if (st != GM_OK) return st;
        order->descending = is_word(p, "DESC");
        if (order->descending || is_word(p, "ASC")) st = gm_parse_take(p);
        if (st != GM_OK || !gm_token_is_sign(&p->token, ",")) break;
        st = gm_parse_take(p);
    }
    p->aggregates_allowed = false;
    return st;
}

static gm_status parse_group(gm_parser *p)
{
    gm_status st = gm_parse_take(p);
    if (st == GM_OK) st = take_word(p, "BY", "BY behind GROUP");
    gm_node **last  = &p->ast->group_keys;
    size_t    count = 0;
    while (st == GM_OK) {
        if (++count > GM_ITEMS_MAX) {
            return gm_lex_fail(p->lexer.text, p->token.at, GM_LIMIT, p->err, "GROUP BY has more than %d values",
                               (int)GM_ITEMS_MAX);
        }
        uint32_t at = p->token.at;
        st          = gm_parse_expression(p, last);
        if (st != GM_OK) return st;
        if ((*last)->kind != GM_NODE_PATH)
            return gm_lex_fail(p->lexer.text, at, GM_INVALID, p->err, "expected a property in GROUP BY");
        last = &(*last)->next;
        if (!gm_token_is_sign(&p->token, ",")) break;
        st = gm_parse_take(p);
    }
    p->ast->grouped = true;
    return st;
}

static gm_status parse_as_of(gm_parser *p)
{
    gm_status st = gm_parse_take(p);
    if (st == GM_OK) st = take_word(p, "OF", "OF behind AS");
    if (st != GM_OK) return st;
    if (p->token.kind != GM_TOKEN_STRING || gm_time_parse(p->token.text, &p->ast->as_of, NULL) != GM_OK) {
        return gm_parse_expected(p, "a time such as '2026-01-01T00:00:00Z'");
    }
    p->ast->has_as_of = true;
    return gm_parse_take(p);
}

// VALID AT '<time>', KNOWN AT '<time>', the first word being at hand.
static gm_status parse_at(gm_parser *p, bool *out_has, gm_time_ns *out_time)
{
    gm_status st = gm_parse_take(p);
    if (st == GM_OK) st = take_word(p, "AT", "AT behind VALID or KNOWN");
    if (st != GM_OK) return st;
    if (p->token.kind != GM_TOKEN_STRING || gm_time_parse(p->token.text, out_time, NULL) != GM_OK)
        return gm_parse_expected(p, "a time such as '2026-01-01T00:00:00Z'");
    *out_has = true;
    return gm_parse_take(p);
}

static gm_status parse_clauses(gm_parser *p)
{
    gm_ast   *ast = p->ast;
    gm_status st  = GM_OK;
    uint64_t  limit = 0;
    if (is_word(p, "WHERE")) {
        st = gm_parse_take(p);
        if (st == GM_OK) st = gm_parse_expression(p, &ast->where);
    }
    if (st == GM_OK && is_word(p, "GROUP")) st = parse_group(p);
    if (st == GM_OK && is_word(p, "ORDER")) st = parse_order(p);
    while (st == GM_OK && p->token.kind == GM_TOKEN_NAME) {
        if (is_word(p, "LIMIT")) {
            st = gm_parse_take(p);
            if (st == GM_OK) st = take_count(p, "a whole number behind LIMIT", &limit);
            if (st == GM_OK && limit < ast->limit) ast->limit = limit;
        } else if (is_word(p, "OFFSET")) {
            st = gm_parse_take(p);
            if (st == GM_OK) st = take_count(p, "a whole number behind OFFSET", &ast->offset);
        } else if (is_word(p, "AS")) {
            st = parse_as_of(p);
        } else if (is_word(p, "VALID")) {
            st = parse_at(p, &ast->has_valid, &ast->valid);
        } else if (is_word(p, "KNOWN")) {
            st = parse_at(p, &ast->has_known, &ast->known);
        } else {
            break;
        }
    }
    if (st == GM_OK && gm_token_is_sign(&p->token, ";")) st = gm_parse_take(p);
    if (st != GM_OK || p->token.kind == GM_TOKEN_END) return st;
    return gm_parse_expected(p, ast->where != NULL ? "AND, OR, GROUP BY, ORDER BY, LIMIT or the end of the query"
                                                   : "WHERE, GROUP BY, ORDER BY, LIMIT or the end of the query");
}

// ---- what can be checked only when all is known -------------------------------------------------------------------

// Outside aggregates, a grouped query may only speak of what its groups have in common.
static gm_status check_grouped(gm_parser *p, const gm_node *node)
{
    const gm_ast *ast = p->ast;
    gm_status     st  = GM_OK;
    switch (node->kind) {
    case GM_NODE_LITERAL:
    case GM_NODE_AGGREGATE: return GM_OK;
    case GM_NODE_PATH:
        for (const gm_node *key = ast->group_keys; key != NULL; key = key->next) {
            const gm_path *a = &ast->paths[key->path], *b = &ast->paths[node->path];
            if (a->collection == b->collection && gm_str_eq(a->text, b->text)) return GM_OK;
        }
        return gm_lex_fail(p->lexer.text, node->at, GM_INVALID, p->err,
                           "'%.*s' must stand in GROUP BY or inside an aggregate",
                           (int)(ast->paths[node->path].text.len < 60 ? ast->paths[node->path].text.len : 60),
                           ast->paths[node->path].text.ptr);
    case GM_NODE_AND:
    case GM_NODE_OR:
        for (const gm_node *child = node->first; st == GM_OK && child != NULL; child = child->next)
            st = check_grouped(p, child);
        return st;
    default: break;
    }
    if (gm_node_has_a(node)) st = check_grouped(p, node->a);
    if (st == GM_OK && gm_node_has_b(node)) st = check_grouped(p, node->b);
    return st;
}

static gm_status finish(gm_parser *p)
{
    gm_ast   *ast = p->ast;
    gm_status st  = GM_OK;
    if (p->condition_count > GM_CONDITIONS_MAX) {
        return gm_lex_fail(p->lexer.text, 0, GM_LIMIT, p->err, "the query has more than %d conditions",
                           (int)GM_CONDITIONS_MAX);
    }
    if (ast->where != NULL) st = gm_parse_resolve_paths(p, ast->where);
    for (size_t i = 0; st == GM_OK && i < ast->item_count; i++) st = gm_parse_resolve_paths(p, ast->items[i].value);
    for (size_t i = 0; st == GM_OK && i < ast->order_count; i++) st = gm_parse_resolve_paths(p, ast->orders[i].value);
    for (gm_node *key = ast->group_keys; st == GM_OK && key != NULL; key = key->next)
        st = gm_parse_resolve_paths(p, key);
    if (st != GM_OK) return st;

    if (ast->star && !ast->is_match && ast->step_count > 0) {
        return gm_lex_fail(p->lexer.text, 0, GM_INVALID, p->err,
                           "SELECT * can not be combined with JOIN; name the collections to return");
    }
    // COUNT(T) of a collection counts rows: every row has one.
    for (size_t i = 0; i < ast->aggregate_count; i++) {
        gm_node *aggregate = ast->aggregates[i];
        if (aggregate->op == GM_COUNT && aggregate->of != NULL && gm_path_is_collection(ast, aggregate->of))
            aggregate->of = NULL;
    }
    ast->grouped |= ast->aggregate_count > 0;
    if (!ast->grouped) return GM_OK;
    if (ast->star)
        return gm_lex_fail(p->lexer.text, 0, GM_INVALID, p->err,
                           "SELECT * can not be combined with GROUP BY or aggregates");
    for (size_t i = 0; st == GM_OK && i < ast->item_count; i++) st = check_grouped(p, ast->items[i].value);
    for (size_t i = 0; st == GM_OK && i < ast->order_count; i++) st = check_grouped(p, ast->orders[i].value);
    return st;
}

gm_status gm_query_parse(gm_arena *arena, gm_str text, gm_ast **out_ast, gm_error *err)
{
    *out_ast       = NULL;
    gm_error  kept = { 0 };
    gm_parser p    = { .err = err != NULL ? err : &kept };
    *p.err         = (gm_error){ 0 };

    p.ast = GM_ARENA_NEW(arena, gm_ast, 1);
    if (p.ast != NULL) {
        p.ast->arena      = arena;
        p.ast->limit      = UINT64_MAX;
        p.ast->text       = gm_arena_str(arena, text);
        p.ast->aggregates = GM_ARENA_NEW(arena, gm_node *, GM_ITEMS_MAX);
    }
    if (p.ast == NULL || p.ast->text.ptr == NULL || p.ast->aggregates == NULL) {
        return gm_fail(p.err, GM_NOMEM, "query", "reading a query of %zu bytes", text.len);
    }
    if (!gm_utf8_valid(text)) return gm_fail(p.err, GM_INVALID, "query", "the query is not valid UTF-8 text");
    p.lexer      = (gm_lexer){ .text = p.ast->text, .arena = arena };
    gm_status st = gm_parse_take(&p);
    if (st == GM_OK && is_word(&p, "EXPLAIN")) {
        p.ast->explain = true;
        st             = gm_parse_take(&p);
    }
    if (st == GM_OK) st = parse_select(&p);
    if (st == GM_OK) st = parse_from(&p);
    p.collections_known = true;
    if (st == GM_OK) st = parse_clauses(&p);
    if (st == GM_OK) st = finish(&p);
    if (st == GM_OK) *out_ast = p.ast;
    return st;
}
