// Reading a condition: what only control knows is replaced by names of slots ("_0"), of the same length where possible, so
// that the query language's own reader does the rest and its messages name the right place.
#include "control/proviso.h"

#include <math.h>

static const char WHERE[] = "control.proviso";
enum { TEXT_MAX = 16384, SCRATCH_MAX = 8 << 20 };

typedef struct reader {
    gm_arena     *arena;
    gm_str        alias, text;   // text: the whole file; offsets count in it
    gm_lexer      lexer;
    gm_token      token, next;
    gm_proviso *condition;
    gm_buf        out;           // the rewritten expression
    size_t        from;          // where the text begins that has not been copied
    gm_error     *err;
} reader;

static gm_status take(reader *r)
{
    r->token = r->next;
    return gm_lex_next(&r->lexer, &r->next, r->err);
}

static bool word(const gm_token *token, const char *text)
{
    if (token->kind != GM_TOKEN_NAME || token->text.len != strlen(text)) return false;
    for (size_t i = 0; i < token->text.len; i++) {
        char c = token->text.ptr[i];
        if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != text[i]) return false;
    }
    return true;
}

static gm_status expected(reader *r, const char *what) { return gm_lex_expected(r->text, &r->token, what, r->err); }

gm_status gm_proviso_duration(gm_lexer *lexer, gm_token *token, gm_dur_ns *out, gm_error *err)
{
    char     text[64];
    gm_token number = *token;
    if (number.kind != GM_TOKEN_INTEGER && number.kind != GM_TOKEN_NUMBER) return gm_lex_expected(lexer->text, token, "a time such as 5 min", err);
    gm_status st = gm_lex_next(lexer, token, err);
    if (st != GM_OK) return st;
    size_t digits = number.end - number.at;
    if (token->kind != GM_TOKEN_NAME || digits + token->text.len >= sizeof text) return gm_lex_expected(lexer->text, token, "a unit of time (ms s min h d)", err);
    memcpy(text, lexer->text.ptr + number.at, digits);
    memcpy(text + digits, token->text.ptr, token->text.len);
    gm_str whole = { text, digits + token->text.len };
    if (gm_str_ends(whole, GM_STR("min"))) whole.len -= 2;  // "5min" is "5m" to the rest of the house
    if (gm_dur_parse(whole, out, NULL) != GM_OK) return gm_lex_expected(lexer->text, token, "a unit of time (ms s min h d)", err);
    return gm_lex_next(lexer, token, err);
}

// The same with the reader's two tokens.
static gm_status take_duration(reader *r, gm_dur_ns *out)
{
    // Begin again at the number: the lexer is at r->next's end.
    gm_lexer  at    = { .text = r->lexer.text, .at = r->token.at, .arena = r->arena };
    gm_token  token;
    gm_status st = gm_lex_next(&at, &token, r->err);
    if (st == GM_OK) st = gm_proviso_duration(&at, &token, out, r->err);
    if (st != GM_OK) return st;
    r->lexer = at;
    r->token = token;
    return gm_lex_next(&r->lexer, &r->next, r->err);
}

// ---- paths --------------------------------------------------------------------------------------------------------

// name { . name }: joined with '/'. The first name has not been taken.
static gm_status take_path(reader *r, gm_str *out_path)
{
    gm_str    path = { 0 };
    gm_status st   = GM_OK;
    for (;;) {
        if (r->token.kind != GM_TOKEN_NAME && r->token.kind != GM_TOKEN_ESCAPED) return expected(r, "the name of a property");
        path = path.len == 0 ? r->token.text : gm_arena_printf(r->arena, GM_STR_FMT "/" GM_STR_FMT, GM_STR_ARG(path), GM_STR_ARG(r->token.text));
        if (path.ptr == NULL) return gm_fail(r->err, GM_NOMEM, WHERE, "reading a condition");
        st = take(r);
        if (st != GM_OK || !gm_token_is_sign(&r->token, ".")) break;
        st = take(r);
        if (st != GM_OK) break;
    }
    *out_path = path;
    return st;
}

static gm_str without_alias(const reader *r, gm_str path)
{
    size_t n = r->alias.len;
    return n > 0 && path.len > n + 1 && path.ptr[n] == '/' && gm_str_starts(path, r->alias) ? gm_str_slice(path, n + 1, path.len) : path;
}

// ---- specials -----------------------------------------------------------------------------------------------------

// Writes what stands for the special: a truth as a comparison, a number as a name alone.
static gm_status put_special(reader *r, const gm_special *s, size_t from, size_t end)
{
    gm_proviso *c = r->condition;
    if (c->special_count == GM_SPECIALS_MAX)
        return gm_lex_fail(r->text, (uint32_t)from, GM_LIMIT, r->err, "a condition has at most %d of these", (int)GM_SPECIALS_MAX);
    gm_buf_str(&r->out, gm_str_slice(r->text, r->from, from));
    size_t before = r->out.len;
    bool   truth  = s->kind == GM_SPECIAL_ANY || s->kind == GM_SPECIAL_ALL || s->kind == GM_SPECIAL_RISES || s->kind == GM_SPECIAL_FALLS || s->kind == GM_SPECIAL_SILENT;
    if (r->alias.len > 0) {
        gm_buf_str(&r->out, r->alias);
        gm_buf_byte(&r->out, '.');
    }
    gm_buf_printf(&r->out, "_%zu%s", c->special_count, truth ? "=1" : "");
    while (r->out.len - before < end - from && !r->out.failed) gm_buf_byte(&r->out, ' ');
    r->from = end;
    c->window_count += s->kind == GM_SPECIAL_RISES || s->kind == GM_SPECIAL_FALLS;
    c->specials[c->special_count++] = *s;
    return r->out.failed ? gm_fail(r->err, GM_NOMEM, WHERE, "reading a condition") : GM_OK;
}

static gm_status take_number(reader *r, double *out)
{
    double    sign = 1;
    gm_status st   = GM_OK;
    if (gm_token_is_sign(&r->token, "-")) {
        sign = -1;
        st   = take(r);
    }
    if (st == GM_OK && r->token.kind == GM_TOKEN_INTEGER) *out = sign * (double)r->token.integer;
    else if (st == GM_OK && r->token.kind == GM_TOKEN_NUMBER) *out = sign * r->token.number;
    else return st != GM_OK ? st : expected(r, "a number");
    return take(r);
}

static gm_status take_literal(reader *r, gm_qvalue *out)
{
    double    number;
    gm_status st;
    if (r->token.kind == GM_TOKEN_STRING) *out = (gm_qvalue){ GM_Q_STRING, { .s = r->token.text } };
    else if (gm_token_is_word(&r->token, "TRUE") || gm_token_is_word(&r->token, "FALSE")) *out = (gm_qvalue){ GM_Q_BOOL, { .i = gm_token_is_word(&r->token, "TRUE") } };
    else {
        st   = take_number(r, &number);
        *out = (gm_qvalue){ GM_Q_DOUBLE, { .d = number } };
        return st;
    }
    return take(r);
}

static gm_status take_compare(reader *r, gm_compare *out)
{
    static const struct { const char *sign; gm_compare op; } ops[] = { { "=", GM_EQ }, { "!=", GM_NE }, { "<", GM_LT }, { "<=", GM_LE }, { ">", GM_GT }, { ">=", GM_GE } };
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (!gm_token_is_sign(&r->token, ops[i].sign)) continue;
        *out = ops[i].op;
        return take(r);
    }
    return expected(r, "a comparison (= != < <= > >=) behind any(...) or all(...)");
}

// kind ( [<] relationship [. path] )
static gm_status read_related(reader *r, gm_special_kind kind)
{
    gm_special s  = { .kind = kind, .at = r->token.at };
    gm_str     path = { 0 };
    gm_status  st = take(r);
    if (st == GM_OK) st = take(r);  // "("
    if (st == GM_OK && gm_token_is_sign(&r->token, "<")) {
        s.incoming = true;
        st         = take(r);
    }
    if (st == GM_OK) st = take_path(r, &path);
    if (st != GM_OK) return st;
    size_t slash   = gm_str_find_char(path, '/');
    s.relationship = slash != SIZE_MAX ? gm_str_slice(path, 0, slash) : path;
    if (slash != SIZE_MAX) s.path = gm_str_slice(path, slash + 1, path.len);
    if ((slash == SIZE_MAX) != (kind == GM_SPECIAL_COUNT)) return expected(r, kind == GM_SPECIAL_COUNT ? "count(relationship)" : "relationship.property");
    if (!gm_token_is_sign(&r->token, ")")) return expected(r, "')'");
    size_t end = r->token.end;
    st         = take(r);
    if (st == GM_OK && (kind == GM_SPECIAL_ANY || kind == GM_SPECIAL_ALL)) {
        st = take_compare(r, &s.op);
        end = r->token.end;
        if (st == GM_OK && gm_token_is_sign(&r->token, "-")) end = r->next.end;
        if (st == GM_OK) st = take_literal(r, &s.literal);
    }
    return st == GM_OK ? put_special(r, &s, s.at, end) : st;
}

// no data [of path] for T
static gm_status read_silent(reader *r)
{
    gm_special s  = { .kind = GM_SPECIAL_SILENT, .at = r->token.at };
    gm_status  st = take(r);
    if (st == GM_OK) st = take(r);  // "data"
    if (st == GM_OK && word(&r->token, "of")) {
        st = take(r);
        if (st == GM_OK) st = take_path(r, &s.path);
        s.path = without_alias(r, s.path);
    }
    if (st == GM_OK && !word(&r->token, "for")) return expected(r, "'for' and a time");
    if (st == GM_OK) st = take(r);
    if (st == GM_OK) st = take_duration(r, &s.span);
    // What stands before the token that follows belongs to it.
    size_t end = r->token.kind == GM_TOKEN_END ? r->text.len : r->token.at;
    return st == GM_OK ? put_special(r, &s, s.at, end) : st;
}

// path rises|falls by X within T; the path has been taken, and began at `from`.
static gm_status read_moving(reader *r, gm_str path, uint32_t from)
{
    gm_special s  = { .kind = word(&r->token, "rises") ? GM_SPECIAL_RISES : GM_SPECIAL_FALLS, .at = from, .path = without_alias(r, path) };
    gm_status  st = take(r);
    if (st == GM_OK && !word(&r->token, "by")) return expected(r, "'by' and a number");
    if (st == GM_OK) st = take(r);
    if (st == GM_OK) st = take_number(r, &s.by);
    if (st == GM_OK && !(s.by > 0)) return expected(r, "a change above 0 before this");
    if (st == GM_OK && !word(&r->token, "within")) return expected(r, "'within' and a time");
    if (st == GM_OK) st = take(r);
    if (st == GM_OK) st = take_duration(r, &s.span);
    if (st == GM_OK && s.span < GM_MILLISECOND) return expected(r, "a time of at least 1 ms before this");
    size_t end = r->token.kind == GM_TOKEN_END ? r->text.len : r->token.at;
    return st == GM_OK ? put_special(r, &s, from, end) : st;
}

static bool special_word(const reader *r, gm_special_kind *out)
{
    static const struct { const char *word; gm_special_kind kind; } words[] = {
        { "any", GM_SPECIAL_ANY }, { "all", GM_SPECIAL_ALL }, { "min", GM_SPECIAL_MIN }, { "max", GM_SPECIAL_MAX }, { "sum", GM_SPECIAL_SUM },
        { "avg", GM_SPECIAL_AVG }, { "count", GM_SPECIAL_COUNT },
    };
    for (size_t i = 0; gm_token_is_sign(&r->next, "(") && i < sizeof words / sizeof words[0]; i++) {
        if (!word(&r->token, words[i].word)) continue;
        *out = words[i].kind;
        return true;
    }
    return false;
}

static bool ends(const reader *r, const char *const *words, int depth)
{
    if (r->token.kind == GM_TOKEN_END) return true;
    for (size_t i = 0; depth == 0 && words[i] != NULL; i++) {
        if (word(&r->token, words[i])) return true;
    }
    return false;
}

static gm_status read_one(reader *r, int *depth)
{
    gm_special_kind kind;
    gm_str          path;
    uint32_t        from = r->token.at;
    if (gm_token_is_sign(&r->token, "(")) ++*depth;
    if (gm_token_is_sign(&r->token, ")") && --*depth < 0) return expected(r, "no ')' here");
    if (special_word(r, &kind)) return read_related(r, kind);
    if (word(&r->token, "no") && word(&r->next, "data")) return read_silent(r);
    if (word(&r->token, "request") && !gm_token_is_sign(&r->next, ".")) {
        gm_special s = { .kind = GM_SPECIAL_REQUEST, .at = from };
        gm_status  st = put_special(r, &s, from, r->token.end);
        return st == GM_OK ? take(r) : st;
    }
    if (r->token.kind != GM_TOKEN_NAME || gm_token_is_sign(&r->next, "(")) return take(r);
    gm_status st = take_path(r, &path);
    if (st != GM_OK) return st;
    bool moving = (word(&r->token, "rises") || word(&r->token, "falls")) && word(&r->next, "by");
    return moving ? read_moving(r, path, from) : GM_OK;
}

// ---- the tree -----------------------------------------------------------------------------------------------------

// Turns the paths that stand for specials into literals that can be set.
static void find_slots(gm_proviso *c, int which, gm_node *node)
{
    if (node == NULL) return;
    if (node->kind == GM_NODE_PATH) {
        gm_str text = c->ast[which]->paths[node->path].text;
        bool   ours = text.len >= 2 && text.ptr[0] == '_' && text.ptr[1] >= '0' && text.ptr[1] <= '9';
        size_t n    = 0;
        for (size_t i = 1; ours && i < text.len && n < 1000; i++) n = 10 * n + (size_t)(text.ptr[i] - '0');
        if (!ours || n >= c->special_count || c->slot_count[which] == 2 * GM_SPECIALS_MAX) return;
        node->kind    = GM_NODE_LITERAL;
        node->literal = (gm_qvalue){ .kind = GM_Q_UNDEFINED };
        c->slots[which][c->slot_count[which]]          = node;
        c->slot_special[which][c->slot_count[which]++] = (uint8_t)n;
        return;
    }
    if (node->kind == GM_NODE_AND || node->kind == GM_NODE_OR) {
        for (gm_node *child = node->first; child != NULL; child = child->next) find_slots(c, which, child);
    }
    if (gm_node_has_a(node)) find_slots(c, which, node->a);
    if (gm_node_has_b(node)) find_slots(c, which, node->b);
}

// While the condition holds, each comparison that makes it hold gives way by the deadband.
static void move_bounds(gm_node *node, double deadband)
{
    if (node->kind == GM_NODE_NOT) move_bounds(node->a, -deadband);
    if (node->kind == GM_NODE_AND || node->kind == GM_NODE_OR) {
        for (gm_node *child = node->first; child != NULL; child = child->next) move_bounds(child, deadband);
    }
    if (node->kind != GM_NODE_COMPARE || node->b->kind != GM_NODE_LITERAL) return;
    gm_qvalue *x = &node->b->literal;
    if (x->kind == GM_Q_INT) *x = (gm_qvalue){ GM_Q_DOUBLE, { .d = (double)x->i } };
    if (x->kind != GM_Q_DOUBLE || node->op == GM_EQ || node->op == GM_NE) return;
    x->d += node->op == GM_GT || node->op == GM_GE ? -deadband : deadband;
}

static gm_status parse_tree(gm_proviso *c, gm_arena *arena, int which, gm_error *err)
{
    gm_status st = gm_query_parse(arena, c->text, &c->ast[which], err);
    if (st == GM_OK) find_slots(c, which, c->ast[which]->where);
    return st;
}

gm_status gm_proviso_deadband(gm_proviso *c, gm_arena *arena, double deadband, gm_error *err)
{
    gm_status st = parse_tree(c, arena, 1, err);
    if (st == GM_OK) move_bounds(c->ast[1]->where, deadband);
    return st;
}

static gm_status read_all(reader *r, const char *const *words)
{
    int       depth = 0;
    gm_status st    = gm_lex_next(&r->lexer, &r->token, r->err);
    if (st == GM_OK) st = gm_lex_next(&r->lexer, &r->next, r->err);
    if (st == GM_OK && ends(r, words, 0)) return expected(r, "a condition");
    while (st == GM_OK && !ends(r, words, depth)) st = read_one(r, &depth);
    if (st == GM_OK && depth != 0) return expected(r, "')'");
    return st;
}

// A place in the rewritten text as one in the file.
static void move_place(gm_error *err, size_t prefix, gm_str query, gm_str file, size_t from)
{
    size_t at = 0, line = 1;
    for (; at < query.len && line < err->line; at++) line += query.ptr[at] == '\n';
    at += err->column > 0 ? err->column - 1 : 0;
    at = at >= prefix ? at - prefix + from : from;
    if (at > file.len) at = file.len;
    err->line = err->column = 1;
    for (size_t i = 0; i < at; i++) {
        err->column = file.ptr[i] == '\n' ? 1 : err->column + 1;
        err->line += file.ptr[i] == '\n';
    }
}

gm_status gm_proviso_read(const gm_alloc *alloc, gm_arena *arena, gm_str alias, gm_str text, size_t from, const char *const *words,
                            double deadband, gm_proviso **out, size_t *out_end, gm_error *err)
{
    *out            = NULL;
    gm_proviso *c = GM_ARENA_NEW(arena, gm_proviso, 1);
    if (c == NULL) return gm_fail(err, GM_NOMEM, WHERE, "reading a condition");
    reader r = { .arena = arena, .alias = alias, .text = text, .condition = c, .from = from, .err = err, .out = gm_buf_init(alloc),
                 .lexer = { .text = text, .at = (uint32_t)from, .arena = arena } };
    gm_buf_text(&r.out, "SELECT * FROM DIGITALTWINS ");
    gm_buf_str(&r.out, alias);
    gm_buf_text(&r.out, " WHERE ");
    size_t    prefix = r.out.len;
    gm_status st     = read_all(&r, words);
    if (st == GM_OK) {
        *out_end = r.token.kind == GM_TOKEN_END ? text.len : r.token.at;
        gm_buf_str(&r.out, gm_str_slice(text, r.from, *out_end));
        if (r.out.failed || r.out.len > TEXT_MAX) st = gm_lex_fail(text, (uint32_t)from, GM_LIMIT, err, "a condition has at most %d characters", (int)TEXT_MAX);
    }
    if (st == GM_OK) c->text = gm_arena_str(arena, gm_buf_view(&r.out));
    if (st == GM_OK) c->written = gm_arena_str(arena, gm_str_trim(gm_str_slice(text, from, *out_end)));
    c->scratch = gm_arena_create(alloc, SCRATCH_MAX);
    c->memory  = gm_arena_create(alloc, 0);
    if (st == GM_OK && (c->text.ptr == NULL || c->written.ptr == NULL || c->scratch == NULL || c->memory == NULL)) st = gm_fail(err, GM_NOMEM, WHERE, "reading a condition");
    if (st == GM_OK) {
        st = parse_tree(c, arena, 0, err);
        if (st != GM_OK) move_place(err, prefix, c->text, text, from);
    }
    if (st == GM_OK && (c->ast[0]->grouped || c->ast[0]->order_count > 0 || c->ast[0]->limit != UINT64_MAX || c->ast[0]->has_as_of ||
                        c->ast[0]->offset > 0))
        st = gm_lex_fail(text, (uint32_t)from, GM_INVALID, err, "a condition has no clauses of queries (GROUP BY, ORDER BY, LIMIT ...)");
    if (st == GM_OK && deadband > 0) st = gm_proviso_deadband(c, arena, deadband, err);
    gm_buf_finish(&r.out);
    if (st == GM_OK) *out = c;
    else gm_proviso_finish(c);
    return st;
}

void gm_proviso_finish(gm_proviso *c)
{
    if (c == NULL) return;
    gm_arena_destroy(c->scratch);
    gm_arena_destroy(c->memory);
    c->scratch = c->memory = NULL;
}
