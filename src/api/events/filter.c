#include "api/events/filter.h"

#include "base/arena.h"
#include "base/number.h"

#include <ctype.h>
#include <math.h>
#include <strings.h>

enum { PATH_MAX_PARTS = 16, ARENA_MAX = 1 << 20 };

typedef enum node_kind {
    NODE_TRUE,
    NODE_FALSE,
    NODE_AND,
    NODE_OR,
    NODE_NOT,
    NODE_COMPARE,
    NODE_TEXT,
    NODE_DEFINED,
    NODE_TRUTH
} node_kind;
typedef enum compare_op { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE } compare_op;
typedef enum text_op { TEXT_STARTS, TEXT_ENDS, TEXT_CONTAINS } text_op;
typedef enum value_kind { VALUE_ABSENT, VALUE_NULL, VALUE_BOOL, VALUE_NUMBER, VALUE_TEXT, VALUE_OTHER } value_kind;

typedef struct value { value_kind kind; bool truth; double number; gm_str text; } value;

typedef struct operand {
    bool          literal;
    value         fixed;      // literal
    gm_event_part part;
    gm_str        parts[PATH_MAX_PARTS];
    size_t        part_count;
} operand;

typedef struct node {
    node_kind    kind;
    compare_op   compare;
    text_op      text;
    operand      a, b;
    struct node *left, *right;
} node;

struct gm_route_filter {
    const gm_alloc *alloc;
    gm_arena       *arena;
    node           *root;
    unsigned        parts;
};

static const char *const type_names[GM_EVENT_TYPE_COUNT] = {
    "Microsoft.DigitalTwins.Twin.Create",         "Microsoft.DigitalTwins.Twin.Update",
    "Microsoft.DigitalTwins.Twin.Delete",         "Microsoft.DigitalTwins.Relationship.Create",
    "Microsoft.DigitalTwins.Relationship.Update", "Microsoft.DigitalTwins.Relationship.Delete",
    "microsoft.iot.telemetry",                    "gemel.alarm",
    "gemel.command",                              "gemel.workorder",
    "gemel.rule",
};

static const char *const part_names[GM_EVENT_PART_COUNT] = {
    "type",        "source", "subject", "id",   "time",  "dataschema", "datacontenttype",
    "specversion", "$body",  "$new",    "$old", "$twin",
};

const char *gm_event_type_name(gm_event_type type) { return type_names[type]; }

// ---- reading --------------------------------------------------------------------------------------------------------

typedef struct reader {
    gm_arena *arena;
    gm_str    text;
    size_t    at;
    uint32_t  terms, depth;
    unsigned  parts;
    gm_error *err;
    gm_status status;
} reader;

static bool refuse(reader *r, const char *expected)
{
    if (r->status != GM_OK) return false;
    r->status = gm_fail(r->err, GM_INVALID, "api.events", "column %zu: expected %s", r->at + 1, expected);
    if (r->err != NULL) r->err->column = (uint32_t)r->at + 1;
    return false;
}

static bool refuse_limit(reader *r, const char *what, int most)
{
    if (r->status == GM_OK) r->status = gm_fail(r->err, GM_LIMIT, "api.events", "more than %d %s", most, what);
    return false;
}

static char peek(const reader *r) { return r->at < r->text.len ? r->text.ptr[r->at] : '\0'; }

static void skip_space(reader *r)
{
    while (r->at < r->text.len && isspace((unsigned char)r->text.ptr[r->at])) r->at++;
}

static bool take(reader *r, const char *symbol)
{
    skip_space(r);
    size_t n = strlen(symbol);
    if (r->text.len - r->at < n || memcmp(r->text.ptr + r->at, symbol, n) != 0) return false;
    r->at += n;
    return true;
}

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80; }

static gm_str peek_word(reader *r)
{
    skip_space(r);
    size_t end = r->at;
    while (end < r->text.len && (is_word(r->text.ptr[end]) || (end == r->at && r->text.ptr[end] == '$'))) end++;
    return gm_str_slice(r->text, r->at, end);
}

static bool word_is(gm_str word, const char *name)
{
    return word.len == strlen(name) && strncasecmp(word.ptr, name, word.len) == 0;
}

static bool take_word(reader *r, const char *name)
{
    gm_str word = peek_word(r);
    if (!word_is(word, name)) return false;
    r->at += word.len;
    return true;
}

static node *new_node(reader *r, node_kind kind)
{
    node *n = GM_ARENA_NEW(r->arena, node, 1);
    if (n == NULL) {
        if (r->status == GM_OK) r->status = gm_fail(r->err, GM_NOMEM, "api.events", "reading a filter");
        return NULL;
    }
    n->kind = kind;
    return n;
}

// 'it''s' and 'it\'s' are both a quote inside a text.
static bool read_text(reader *r, gm_str *out)
{
    char *bytes = gm_arena_bytes(r->arena, r->text.len - r->at + 1);
    if (bytes == NULL) {
        r->status = gm_fail(r->err, GM_NOMEM, "api.events", "reading a filter");
        return false;
    }
    size_t len = 0;
    r->at++;
    while (r->at < r->text.len) {
        char c    = r->text.ptr[r->at++];
        bool more = r->at < r->text.len;
        if (c == '\'' && !(more && r->text.ptr[r->at] == '\'')) {
            *out = (gm_str){ bytes, len };
            return true;
        }
        if (c == '\'' || (c == '\\' && more && (r->text.ptr[r->at] == '\'' || r->text.ptr[r->at] == '\\')))
            c = r->text.ptr[r->at++];
        bytes[len++] = c;
    }
    return refuse(r, "a ' at the end of the text");
}

static bool read_path(reader *r, operand *out)
{
    while (peek(r) == '.') {
        r->at++;
        if (out->part_count == PATH_MAX_PARTS) return refuse_limit(r, "parts of a path", PATH_MAX_PARTS);
        gm_str part;
        if (r->text.len - r->at >= 2 && memcmp(r->text.ptr + r->at, "[[", 2) == 0) {
            gm_str rest = gm_str_slice(r->text, r->at + 2, r->text.len);
            size_t end  = gm_str_find(rest, GM_STR("]]"));
            if (end == SIZE_MAX) return refuse(r, "]] after an escaped name");
            part = gm_str_slice(rest, 0, end);
            r->at += end + 4;
        } else {
            part = gm_str_slice(r->text, r->at, r->at);
            while (r->at < r->text.len &&
                   (is_word(r->text.ptr[r->at]) || (part.len == 0 && r->text.ptr[r->at] == '$'))) {
                r->at++;
                part.len++;
            }
        }
        if (part.len == 0) return refuse(r, "a name after '.'");
        out->parts[out->part_count++] = part;
    }
    return true;
}

static bool read_number(reader *r, operand *out)
{
    double number = 0;
    size_t sign   = peek(r) == '+';
    size_t used   = gm_number_read(gm_str_slice(r->text, r->at + sign, r->text.len), &number);
    if (used == 0 || !isfinite(number)) return refuse(r, "a number");
    out->fixed = (value){ VALUE_NUMBER, .number = number };
    r->at += sign + used;
    return true;
}

static bool read_operand(reader *r, operand *out)
{
    *out = (operand){ .literal = true };
    gm_str word = peek_word(r);
    char   c    = peek(r);
    if (++r->terms > GM_FILTER_TERMS_MAX) return refuse_limit(r, "terms in a filter", GM_FILTER_TERMS_MAX);
    if (c == '\'') {
        out->fixed.kind = VALUE_TEXT;
        return read_text(r, &out->fixed.text);
    }
    if (isdigit((unsigned char)c) || c == '-' || c == '+') return read_number(r, out);
    if (word_is(word, "true") || word_is(word, "false")) {
        out->fixed = (value){ VALUE_BOOL, .truth = word_is(word, "true") };
        r->at += word.len;
        return true;
    }
    if (word_is(word, "null")) {
        out->fixed.kind = VALUE_NULL;
        r->at += word.len;
        return true;
    }
    for (gm_event_part part = 0; part < GM_EVENT_PART_COUNT; part++) {
        if (!gm_str_is(word, part_names[part])) continue;
        *out = (operand){ .part = part };
        r->at += word.len;
        r->parts |= 1u << part;
        if (part < GM_EVENT_PART_BODY) return true;
        if (!read_path(r, out)) return false;
        return out->part_count > 0 ? true : refuse(r, "'.' and the name of a property");
    }
    return refuse(
        r, "type, source, subject, id, time, dataschema, datacontenttype, specversion, $body., $new., $old., $twin., "
           "a text in '', a number, true, false or null");
}

static node *read_or(reader *r);

static node *read_call(reader *r, node *n)
{
    if (!take(r, "(")) refuse(r, "'('");
    if (r->status == GM_OK) (void)read_operand(r, &n->a);
    if (r->status == GM_OK && n->kind == NODE_TEXT) {
        if (!take(r, ",")) refuse(r, "','");
        if (r->status == GM_OK) (void)read_operand(r, &n->b);
    }
    if (r->status == GM_OK && !take(r, ")")) refuse(r, "')'");
    return r->status == GM_OK ? n : NULL;
}

static node *read_comparison(reader *r)
{
    static const struct { const char *symbol; compare_op op; } ops[] = {
        { "!=", OP_NE }, { "<>", OP_NE }, { "<=", OP_LE }, { ">=", OP_GE },
        { "=", OP_EQ },  { "<", OP_LT },  { ">", OP_GT },
    };
    node *n = new_node(r, NODE_COMPARE);
    if (n == NULL || !read_operand(r, &n->a)) return NULL;
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (!take(r, ops[i].symbol)) continue;
        n->compare = ops[i].op;
        return read_operand(r, &n->b) ? n : NULL;
    }
    // A word on its own: true, false, or a property that is true or false itself.
    if (n->a.literal && n->a.fixed.kind == VALUE_BOOL) {
        n->kind = n->a.fixed.truth ? NODE_TRUE : NODE_FALSE;
        return n;
    }
    if (!n->a.literal && n->a.part >= GM_EVENT_PART_BODY) {
        n->kind = NODE_TRUTH;
        return n;
    }
    refuse(r, "=, !=, <, <=, > or >=");
    return NULL;
}

static node *read_term(reader *r)
{
    static const struct { const char *name; text_op op; } functions[] = {
        { "STARTS_WITH", TEXT_STARTS }, { "ENDS_WITH", TEXT_ENDS }, { "CONTAINS", TEXT_CONTAINS },
        { "STARTSWITH", TEXT_STARTS }, { "ENDSWITH", TEXT_ENDS },
    };
    if (r->depth++ == GM_FILTER_DEPTH_MAX) {
        refuse_limit(r, "nested parentheses", GM_FILTER_DEPTH_MAX);
        return NULL;
    }
    node *n = NULL;
    if (take(r, "(")) {
        n = read_or(r);
        if (n != NULL && !take(r, ")")) {
            refuse(r, "')'");
            n = NULL;
        }
        r->depth--;
        return n;
    }
    if (take_word(r, "NOT")) {
        n = new_node(r, NODE_NOT);
        if (n != NULL) n->left = read_term(r);
        r->depth--;
        return n != NULL && n->left != NULL ? n : NULL;
    }
    r->depth--;
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (!take_word(r, functions[i].name)) continue;
        n = new_node(r, NODE_TEXT);
        if (n == NULL) return NULL;
        n->text = functions[i].op;
        return read_call(r, n);
    }
    if (take_word(r, "IS_DEFINED")) {
        n = new_node(r, NODE_DEFINED);
        return n != NULL ? read_call(r, n) : NULL;
    }
    return read_comparison(r);
}

static node *read_chain(reader *r, node *(*below)(reader *r), const char *word, node_kind kind)
{
    node *n = below(r);
    while (n != NULL && take_word(r, word)) {
        node *both = new_node(r, kind);
        if (both == NULL) return NULL;
        both->left  = n;
        both->right = below(r);
        n           = both->right != NULL ? both : NULL;
    }
    return n;
}

static node *read_and(reader *r) { return read_chain(r, read_term, "AND", NODE_AND); }
static node *read_or(reader *r) { return read_chain(r, read_and, "OR", NODE_OR); }

gm_status gm_route_filter_parse(const gm_alloc *alloc, gm_str text, gm_route_filter **out_filter, gm_error *err)
{
    *out_filter = NULL;
    if (text.len > GM_FILTER_TEXT_MAX) {
        return gm_fail(err, GM_LIMIT, "api.events", "a filter has at most %d characters", GM_FILTER_TEXT_MAX);
    }
    gm_route_filter *filter = gm_alloc_zeroed(alloc, sizeof *filter);
    if (filter == NULL) return gm_fail(err, GM_NOMEM, "api.events", "reading a filter");
    filter->alloc = alloc;
    filter->arena = gm_arena_create(alloc, 0);
    reader r      = { .arena = filter->arena, .err = err };
    gm_status st  = GM_NOMEM;
    if (filter->arena != NULL) {
        r.text       = gm_arena_str(filter->arena, text);
        filter->root = r.text.ptr != NULL ? read_or(&r) : NULL;
        skip_space(&r);
        if (filter->root != NULL && r.at < r.text.len) refuse(&r, "AND, OR or the end");
        st = r.text.ptr == NULL ? GM_NOMEM : r.status;
    }
    if (st == GM_NOMEM) gm_fail(err, GM_NOMEM, "api.events", "reading a filter");
    filter->parts = r.parts;
    if (st == GM_OK) *out_filter = filter;
    else gm_route_filter_destroy(filter);
    return st;
}

void gm_route_filter_destroy(gm_route_filter *filter)
{
    if (filter == NULL) return;
    gm_arena_destroy(filter->arena);
    gm_free(filter->alloc, filter);
}

// ---- asking ---------------------------------------------------------------------------------------------------------

static value value_of_json(const json_t *json)
{
    if (json == NULL) return (value){ VALUE_ABSENT };
    if (json_is_null(json)) return (value){ VALUE_NULL };
    if (json_is_boolean(json)) return (value){ VALUE_BOOL, .truth = json_is_true(json) };
    if (json_is_number(json)) return (value){ VALUE_NUMBER, .number = json_number_value(json) };
    if (json_is_string(json))
        return (value){ VALUE_TEXT, .text = { json_string_value(json), json_string_length(json) } };
    return (value){ VALUE_OTHER };
}

static value evaluate(const operand *o, const gm_event_subject *subject)
{
    if (o->literal) return o->fixed;
    if (o->part < GM_EVENT_PART_BODY) {
        gm_str text = subject->attributes[o->part];
        return text.ptr != NULL ? (value){ VALUE_TEXT, .text = text } : (value){ VALUE_ABSENT };
    }
    const json_t *at = subject->document(subject->context, o->part);
    for (size_t i = 0; at != NULL && i < o->part_count; i++)
        at = json_object_getn(at, o->parts[i].ptr, o->parts[i].len);
    return value_of_json(at);
}

static bool ordered(compare_op op, int order)
{
    switch (op) {
    case OP_EQ: return order == 0;
    case OP_NE: return order != 0;
    case OP_LT: return order < 0;
    case OP_LE: return order <= 0;
    case OP_GT: return order > 0;
    case OP_GE: return order >= 0;
    }
    return false;
}

static bool compare(compare_op op, value a, value b)
{
    bool no_a = a.kind <= VALUE_NULL, no_b = b.kind <= VALUE_NULL;
    // Only a null that was written asks for absence.
    if (a.kind == VALUE_NULL || b.kind == VALUE_NULL) return op == OP_EQ ? no_a && no_b : op == OP_NE && no_a != no_b;
    if (no_a || no_b) return false;
    if (a.kind != b.kind || a.kind == VALUE_OTHER) return op == OP_NE;
    if (a.kind == VALUE_TEXT) return ordered(op, gm_str_cmp(a.text, b.text));
    if (a.kind == VALUE_BOOL) return op == OP_EQ ? a.truth == b.truth : op == OP_NE && a.truth != b.truth;
    return ordered(op, a.number < b.number ? -1 : a.number > b.number);
}

static bool ask_text(const node *n, const gm_event_subject *subject)
{
    value a = evaluate(&n->a, subject), b = evaluate(&n->b, subject);
    if (a.kind != VALUE_TEXT || b.kind != VALUE_TEXT) return false;
    if (n->text == TEXT_STARTS) return gm_str_starts(a.text, b.text);
    if (n->text == TEXT_ENDS) return gm_str_ends(a.text, b.text);
    return gm_str_find(a.text, b.text) != SIZE_MAX;
}

static bool ask(const node *n, const gm_event_subject *subject)
{
    switch (n->kind) {
    case NODE_TRUE: return true;
    case NODE_FALSE: return false;
    case NODE_AND: return ask(n->left, subject) && ask(n->right, subject);
    case NODE_OR: return ask(n->left, subject) || ask(n->right, subject);
    case NODE_NOT: return !ask(n->left, subject);
    case NODE_COMPARE: return compare(n->compare, evaluate(&n->a, subject), evaluate(&n->b, subject));
    case NODE_TEXT: return ask_text(n, subject);
    case NODE_DEFINED: return evaluate(&n->a, subject).kind != VALUE_ABSENT;
    case NODE_TRUTH: {
        value v = evaluate(&n->a, subject);
        return v.kind == VALUE_BOOL && v.truth;
    }
    }
    return false;
}

bool gm_route_filter_matches(const gm_route_filter *filter, const gm_event_subject *subject)
{
    return ask(filter->root, subject);
}

// ---- what can match -------------------------------------------------------------------------------------------------

enum { CAN_BE_FALSE = 1, CAN_BE_TRUE = 2, CAN_BE_BOTH = 3 };

static bool is_known(const operand *o) { return o->literal || o->part == GM_EVENT_PART_TYPE; }

static unsigned outcome(bool truth) { return truth ? CAN_BE_TRUE : CAN_BE_FALSE; }

// What a filter can come to when only the event's type is known.
static unsigned outcomes(const node *n, const gm_event_subject *subject)
{
    unsigned a, b;
    switch (n->kind) {
    case NODE_AND:
        a = outcomes(n->left, subject), b = outcomes(n->right, subject);
        return ((a | b) & CAN_BE_FALSE) | (a & b & CAN_BE_TRUE);
    case NODE_OR:
        a = outcomes(n->left, subject), b = outcomes(n->right, subject);
        return (a & b & CAN_BE_FALSE) | ((a | b) & CAN_BE_TRUE);
    case NODE_NOT:
        a = outcomes(n->left, subject);
        return (a & CAN_BE_TRUE ? CAN_BE_FALSE : 0) | (a & CAN_BE_FALSE ? CAN_BE_TRUE : 0);
    case NODE_COMPARE:
    case NODE_TEXT: return is_known(&n->a) && is_known(&n->b) ? outcome(ask(n, subject)) : CAN_BE_BOTH;
    case NODE_DEFINED: return is_known(&n->a) ? outcome(ask(n, subject)) : CAN_BE_BOTH;
    case NODE_TRUTH: return CAN_BE_BOTH;
    default: return outcome(n->kind == NODE_TRUE);
    }
}

unsigned gm_route_filter_types(const gm_route_filter *filter)
{
    unsigned types = 0;
    for (gm_event_type type = 0; type < GM_EVENT_TYPE_COUNT; type++) {
        gm_event_subject subject = { .attributes[GM_EVENT_PART_TYPE] = gm_str_of(type_names[type]) };
        if (outcomes(filter->root, &subject) & CAN_BE_TRUE) types |= 1u << type;
    }
    return types;
}

unsigned gm_route_filter_parts(const gm_route_filter *filter) { return filter->parts; }
