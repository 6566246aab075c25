#include "query/oracle.h"

#include "state/document.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef enum truth { NO, YES, UNKNOWN } truth;

// ---- random conditions --------------------------------------------------------------------------------------------

typedef enum expr_kind {
    LITERAL,
    PATH,
    TIME_PATH,
    ARITH,
    AND,
    OR,
    NOT,
    COMPARE,
    IN,
    IS,
    OF_MODEL,
    TEXT,
    ARRAY_CONTAINS
} expr_kind;

struct oracle_expr {
    expr_kind    kind;
    int          op, count;
    const char  *path;  // also the model's id
    json_t      *value; // a literal, or an array of them
    struct oracle_expr *child[4];
};
typedef struct oracle_expr expr;

static uint64_t seed;

void oracle_seed(uint64_t start)
{
    seed = start;
}

int oracle_pick(int n)
{
    return (int)(gm_test_random(&seed) % (uint64_t)n);
}

static int pick(int n)
{
    return oracle_pick(n);
}

static expr *make(expr_kind kind)
{
    expr *e = calloc(1, sizeof *e);
    assert_non_null(e);
    e->kind = kind;
    return e;
}

void oracle_free(expr *e)
{
    if (e == NULL) return;
    for (int i = 0; i < 4; i++) oracle_free(e->child[i]);
    json_decref(e->value);
    free(e);
}

static json_t *random_number(void)
{
    static const double reals[] = {
        0, -0.0, 0.5, 2.5, -2.5, 1e300, -1e300, 9007199254740992.0, 9223372036854775807.0, 1e-300, 3
    };
    static const json_int_t ints[] = {
        0, 1, -1, 2, 3, 5, 9007199254740993, -9007199254740993, INT64_MAX, INT64_MIN + 1, 100
    };
    return pick(2) ? json_real(reals[pick(11)]) : json_integer(ints[pick(11)]);
}

static json_t *random_text(void)
{
    static const char *const texts[] = { "",         "a",         "ab",   "abc",  "b",
                                         "\xc3\xa4", "\xc3\xa4z", "it's", "a\\b", "\xf0\x9f\x98\x80",
                                         "t1",       "t11" };
    return json_string(texts[pick(12)]);
}

static json_t *random_literal(void)
{
    int kind = pick(10);
    return kind < 5 ? random_number() : kind < 8 ? random_text() : kind == 8 ? json_boolean(pick(2)) : json_null();
}

static expr *random_path(void)
{
    static const char *const paths[] = {
        "d", "e",   "i",   "j",   "b",   "s", "u",       "m",         "l",        "m.k",   "m.a",
        "o", "o.x", "o.y", "c.d", "c.s", "c", "nothing", "o.nothing", "d.deeper", "$dtId", "$metadata.$model",
        "x"
    };
    expr *e = make(PATH);
    e->path = paths[pick(23)];
    return e;
}

static expr *random_value(int depth)
{
    int kind = pick(12);
    if (depth > 0 && kind == 0) {
        expr *e     = make(ARITH);
        e->op       = pick(5);
        e->child[0] = random_value(depth - 1);
        e->child[1] = random_value(depth - 1);
        return e;
    }
    if (kind < 3) {
        expr *e  = make(LITERAL);
        e->value = random_literal();
        return e;
    }
    return random_path();
}

expr *oracle_condition(int depth)
{
    expr *e;
    int   kind = pick(depth > 0 ? 14 : 9);
    switch (kind) {
    case 0:
    case 1:  // a column against a literal of its kind, where rounding and the ends of ranges matter most
        e           = make(COMPARE);
        e->op       = pick(6);
        e->child[0] = make(PATH);
        e->child[0]->path = (const char *[]){ "d", "i", "j", "s", "c.d", "b" }[pick(6)];
        e->child[1] = make(LITERAL);
        e->child[1]->value = strcmp(e->child[0]->path, "s") == 0 ? random_text()
                             : pick(9) == 0                      ? json_boolean(pick(2))
                                                                 : random_number();
        return e;
    case 2:
        e           = make(COMPARE);
        e->op       = pick(6);
        e->child[0] = random_value(2);
        e->child[1] = random_value(2);
        return e;
    case 3:
        e           = make(COMPARE);
        e->op       = pick(6);
        e->child[0] = make(TIME_PATH);
        e->child[0]->path = pick(2) ? "$metadata.d.lastUpdateTime" : "c.$metadata.d.sourceTime";
        e->child[1] = make(LITERAL);
        e->child[1]->value = json_string(pick(2) ? "1970-01-01T00:20:00Z" : "1970-01-01T00:16:40.000Z");
        return e;
    case 4:
        e           = make(IN);
        e->op       = pick(2);  // 1: NIN
        e->child[0] = random_path();
        e->value    = json_array();
        for (int i = pick(6); i >= 0; i--) json_array_append_new(e->value, random_literal());
        return e;
    case 5:
        e           = make(IS);
        e->op       = pick(7);
        e->child[0] = random_path();
        return e;
    case 6:
        e       = make(OF_MODEL);
        e->op   = pick(2);
        e->path = pick(2) ? "dtmi:t:A;1" : "dtmi:t:B;1";
        return e;
    case 7:
        e           = make(TEXT);
        e->op       = pick(3);
        e->child[0] = random_path();
        e->child[1] = make(LITERAL);
        e->child[1]->value = random_text();
        return e;
    case 8:
        e           = make(ARRAY_CONTAINS);
        e->child[0] = random_path();
        if (pick(2)) e->child[0]->path = "l";
        e->child[1] = make(LITERAL);
        e->child[1]->value = random_literal();
        return e;
    case 9:
    case 10:
        e           = make(NOT);
        e->child[0] = oracle_condition(depth - 1);
        return e;
    default:
        e        = make(kind == 11 ? OR : AND);
        e->count = 2 + pick(3);
        for (int i = 0; i < e->count; i++) e->child[i] = oracle_condition(depth - 1);
        return e;
    }
}

// ---- as text ------------------------------------------------------------------------------------------------------

static void write_literal(const json_t *value, gm_buf *out)
{
    if (json_is_string(value)) {
        gm_buf_byte(out, '\'');
        for (const char *c = json_string_value(value); *c != '\0'; c++) {
            if (*c == '\'' && pick(2)) gm_buf_byte(out, '\'');
            else if (*c == '\'' || *c == '\\') gm_buf_byte(out, '\\');
            gm_buf_byte(out, (uint8_t)*c);
        }
        gm_buf_byte(out, '\'');
    } else {
        char *text = json_dumps(value, JSON_ENCODE_ANY);
        gm_buf_text(out, text);
        free(text);
    }
}

void oracle_write(const expr *e, gm_buf *out)
{
    static const char *const compares[] = { " = ", " != ", " < ", " <= ", " > ", " >= " };
    static const char *const ariths[]   = { " + ", " - ", " * ", " / ", " % " };
    static const char *const is[]       = { "IS_DEFINED(", "IS_NULL(",   "IS_NUMBER(",   "IS_STRING(",
                                            "IS_BOOL(",    "IS_OBJECT(", "IS_PRIMITIVE(" };
    static const char *const texts[]    = { "STARTSWITH(", "ENDSWITH(", "CONTAINS(" };
    switch (e->kind) {
    case LITERAL: write_literal(e->value, out); return;
    case PATH:
    case TIME_PATH: gm_buf_printf(out, "%s%s", pick(2) ? "T." : "", e->path); return;
    case ARITH:
    case COMPARE:
        gm_buf_byte(out, '(');
        oracle_write(e->child[0], out);
        gm_buf_text(out, e->kind == ARITH ? ariths[e->op] : compares[e->op]);
        oracle_write(e->child[1], out);
        gm_buf_byte(out, ')');
        return;
    case AND:
    case OR:
        gm_buf_byte(out, '(');
        for (int i = 0; i < e->count; i++) {
            if (i > 0) gm_buf_text(out, e->kind == AND ? " AND " : " OR ");
            oracle_write(e->child[i], out);
        }
        gm_buf_byte(out, ')');
        return;
    case NOT:
        gm_buf_text(out, "NOT ");
        oracle_write(e->child[0], out);
        return;
    case IN:
        gm_buf_byte(out, '(');
        oracle_write(e->child[0], out);
        gm_buf_text(out, e->op ? " NIN [" : " IN [");
        for (size_t i = 0; i < json_array_size(e->value); i++) {
            if (i > 0) gm_buf_byte(out, ',');
            write_literal(json_array_get(e->value, i), out);
        }
        gm_buf_text(out, "])");
        return;
    case IS:
        gm_buf_text(out, is[e->op]);
        oracle_write(e->child[0], out);
        gm_buf_byte(out, ')');
        return;
    case OF_MODEL: gm_buf_printf(out, "IS_OF_MODEL('%s'%s)", e->path, e->op ? ", exact" : ""); return;
    case TEXT:
    case ARRAY_CONTAINS:
        gm_buf_text(out, e->kind == TEXT ? texts[e->op] : "ARRAY_CONTAINS(");
        oracle_write(e->child[0], out);
        gm_buf_byte(out, ',');
        oracle_write(e->child[1], out);
        gm_buf_byte(out, ')');
        return;
    }
}

// ---- the plain evaluator: values are JSON, NULL is undefined --------------------------------------------------------

json_t *oracle_find(json_t *document, const char *path)
{
    gm_str rest = gm_str_of(path), part;
    while (document != NULL && gm_str_next(&rest, '.', &part))
        document = json_object_getn(document, part.ptr, part.len);
    return document;
}

// A new reference, or NULL.
static json_t *value_of(const expr *e, json_t *document)
{
    if (e->kind == LITERAL) return json_incref(e->value);
    if (e->kind == PATH || e->kind == TIME_PATH) return json_incref(oracle_find(document, e->path));
    json_t *a = value_of(e->child[0], document), *b = value_of(e->child[1], document), *result = NULL;
    if (json_is_number(a) && json_is_number(b)) {
        double x = json_number_value(a), y = json_number_value(b);
        double r = e->op == 0 ? x + y : e->op == 1 ? x - y : e->op == 2 ? x * y : e->op == 3 ? x / y : fmod(x, y);
        if (isfinite(r)) result = json_real(r);
    }
    json_decref(a);
    json_decref(b);
    return result;
}

static long double number_of(const json_t *value)  // 64 bits of mantissa: exact for both kinds
{
    return json_is_integer(value) ? (long double)json_integer_value(value) : (long double)json_real_value(value);
}
_Static_assert(__LDBL_MANT_DIG__ >= 64, "the oracle compares integers and doubles exactly");

static int byte_order(gm_str a, gm_str b)
{
    return gm_str_cmp(a, b);
}

static truth compare(int op, const json_t *a, const json_t *b)
{
    int order;
    if (json_is_number(a) && json_is_number(b)) order = (number_of(a) > number_of(b)) - (number_of(a) < number_of(b));
    else if (json_is_string(a) && json_is_string(b))
        order = byte_order(gm_str_of(json_string_value(a)), gm_str_of(json_string_value(b)));
    else if (json_is_boolean(a) && json_is_boolean(b)) order = json_is_true(a) - json_is_true(b);
    else if (json_is_null(a) && json_is_null(b)) order = 0;
    else return UNKNOWN;
    const bool results[] = { order == 0, order != 0, order < 0, order <= 0, order > 0, order >= 0 };
    return results[op] ? YES : NO;
}

static truth compare_times(int op, const json_t *a, const json_t *b)
{
    gm_time_ns x, y;
    if (a == NULL) return UNKNOWN;
    assert_int_equal(gm_time_parse(gm_str_of(json_string_value(a)), &x, NULL), GM_OK);
    assert_int_equal(gm_time_parse(gm_str_of(json_string_value(b)), &y, NULL), GM_OK);
    json_t *i = json_integer(x), *j = json_integer(y);
    truth   t = compare(op, i, j);
    json_decref(i);
    json_decref(j);
    return t;
}

static truth is_kind(int op, const json_t *v)
{
    const bool results[] = { v != NULL,
                             json_is_null(v),
                             json_is_number(v),
                             json_is_string(v),
                             json_is_boolean(v),
                             json_is_object(v),
                             v != NULL && !json_is_object(v) && !json_is_array(v) };
    return results[op] ? YES : NO;
}

static truth text_test(int op, const json_t *a, const json_t *b)
{
    if (!json_is_string(a)) return UNKNOWN;
    gm_str text = gm_str_of(json_string_value(a)), part = gm_str_of(json_string_value(b));
    bool   yes = op == 0   ? gm_str_starts(text, part)
                 : op == 1 ? gm_str_ends(text, part)
                           : strstr(text.ptr, part.ptr) != NULL;
    return yes ? YES : NO;
}

static truth in_list(const json_t *value, const json_t *list)
{
    if (value == NULL || json_is_object(value) || json_is_array(value)) return UNKNOWN;
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (compare(0, value, json_array_get(list, i)) == YES) return YES;
    }
    return NO;
}

static truth contains(const json_t *array, const json_t *value)
{
    if (!json_is_array(array)) return UNKNOWN;
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (compare(0, json_array_get(array, i), value) == YES) return YES;
    }
    return NO;
}

static truth invert(truth t)
{
    return t == UNKNOWN ? UNKNOWN : t == YES ? NO : YES;
}

static truth evaluate(const expr *e, json_t *document)
{
    truth t = e->kind == AND ? YES : NO;
    if (e->kind == AND || e->kind == OR) {
        for (int i = 0; i < e->count; i++) {
            truth one = evaluate(e->child[i], document);
            if (one == (e->kind == AND ? NO : YES)) return one;
            if (one == UNKNOWN) t = UNKNOWN;
        }
        return t;
    }
    if (e->kind == NOT) return invert(evaluate(e->child[0], document));
    if (e->kind == OF_MODEL) {
        const char *model = json_string_value(oracle_find(document, "$metadata.$model"));
        return strcmp(model, e->path) == 0 ||
                       (!e->op && strcmp(e->path, "dtmi:t:A;1") == 0 && strcmp(model, "dtmi:t:B;1") == 0)
                   ? YES
                   : NO;
    }
    json_t *a = value_of(e->child[0], document), *b = e->child[1] != NULL ? value_of(e->child[1], document) : NULL;
    switch (e->kind) {
    case COMPARE: t = e->child[0]->kind == TIME_PATH ? compare_times(e->op, a, b) : compare(e->op, a, b); break;
    case IN: t = e->op ? invert(in_list(a, e->value)) : in_list(a, e->value); break;
    case IS: t = is_kind(e->op, a); break;
    case TEXT: t = text_test(e->op, a, b); break;
    case ARRAY_CONTAINS: t = contains(a, b); break;
    default: fail_msg("no condition: %d", (int)e->kind);
    }
    json_decref(a);
    json_decref(b);
    return t;
}

bool oracle_holds(const expr *e, json_t *document)
{
    return evaluate(e, document) == YES;
}

static int kind_rank(const json_t *v)
{
    return v == NULL            ? 0
           : json_is_null(v)    ? 1
           : json_is_boolean(v) ? 2
           : json_is_number(v)  ? 3
           : json_is_string(v)  ? 4
                                : 5;
}

int oracle_order(const json_t *a, const json_t *b)
{
    int x = kind_rank(a), y = kind_rank(b);
    if (x != y) return x < y ? -1 : 1;
    if (x < 2 || x > 4) return 0;
    return compare(2, a, b) == YES ? -1 : compare(4, a, b) == YES ? 1 : 0;
}

// ---- the plant ------------------------------------------------------------------------------------------------------

#define PROPERTY(name, schema) "{\"@type\":\"Property\",\"name\":\"" name "\",\"schema\":" schema "}"
static const char models[] =
    "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:C;1\",\"@type\":\"Interface\",\"contents\":[" PROPERTY("d", "\"double\"") "," PROPERTY(
        "s",
        "\"string\"") "]},"
                      "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:A;1\",\"@type\":\"Interface\","
                      "\"contents\":[" PROPERTY("d", "\"double\"") "," PROPERTY("e", "\"double\"") "," PROPERTY("i", "\"long\"") "," PROPERTY("j", "\"integer\"") "," PROPERTY(
                          "b",
                          "\"boolean\"") "," PROPERTY("s",
                                                      "\"string\"") "," PROPERTY("u",
                                                                                 "\"string\"") "," PROPERTY("never",
                                                                                                            "\"double"
                                                                                                            "\"") "," PROPERTY("m",
                                                                                                                               "{\"@type\":\"Map\",\"mapKey\":{\"name\":\"k\",\"schema\":\"string\"},\"mapValue\":{\"name\":\"v\",\"schema\":\"double\"}}") "," PROPERTY("l",
                                                                                                                                                                                                                                                                         "{\"@type\":\"Array\",\"elementSchema\":\"long\"}") "," PROPERTY("o",
                                                                                                                                                                                                                                                                                                                                          "{\"@type\":\"Object\",\"fields\":[{\"name\":\"x\",\"schema\":\"double\"},{\"name\":\"y\",\"schema\":\"string\"}]}") "]},"
                                                                                                                                                                                                                                                                                                                                                                                                                                                               "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:B;1\",\"@type\":\"Interface\",\"extends\":\"dtmi:t:A;1\",\"contents\":["
                                                                                                                                                                                                                                                                                                                                                                                                                                                               "{\"@type\":\"Component\",\"name\":\"c\",\"schema\":\"dtmi:t:C;1\"}," PROPERTY(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                   "x",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                   "\"double\"") "]},"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                 "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:D;1\",\"@type\":\"Interface\",\"contents\":[" PROPERTY("d", "\"string\"") "," PROPERTY("s",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                "\"boolean\"") "]}]";

static void set(json_t *object, const char *name, json_t *value)
{
    if (pick(3) == 0) json_decref(value);  // absent
    else json_object_set_new(object, name, value);
}

static json_t *small_number(void)
{
    return pick(2) ? json_real(pick(9) - 4 + 0.5 * pick(2)) : random_number();
}

static json_t *whole_number(json_int_t max)
{
    static const json_int_t big[] = { 9007199254740993, -9007199254740993, INT64_MAX, INT64_MIN + 1 };
    return json_integer(max > INT32_MAX && pick(3) == 0 ? big[pick(4)] : pick(9) - 4);
}

static json_t *random_twin(void)
{
    int     kind     = pick(10);
    json_t *document = json_pack("{s:{s:s}}", "$metadata", "$model",
                                 kind < 6   ? "dtmi:t:A;1"
                                 : kind < 9 ? "dtmi:t:B;1"
                                            : "dtmi:t:D;1");
    if (kind == 9) {
        set(document, "d", random_text());
        set(document, "s", json_boolean(pick(2)));
        return document;
    }
    set(document, "d", small_number());
    set(document, "e", small_number());
    set(document, "i", whole_number(INT64_MAX));
    set(document, "j", whole_number(INT32_MAX));
    set(document, "b", json_boolean(pick(2)));
    set(document, "s", random_text());
    set(document, "u", random_text());
    if (pick(3))
        json_object_set_new(document, "m",
                            pick(2) ? json_pack("{s:f}", "k", (double)pick(5))
                                    : json_pack("{s:f,s:i}", "a", 0.5, "k", pick(3)));
    if (pick(3)) json_object_set_new(document, "l", pick(2) ? json_pack("[i,i]", pick(5), pick(5)) : json_array());
    if (pick(3))
        json_object_set_new(document, "o",
                            pick(2) ? json_pack("{s:f}", "x", (double)pick(5)) : json_pack("{s:s}", "y", "ab"));
    if (kind >= 6) {
        json_t *component = json_pack("{s:{}}", "$metadata");
        set(component, "d", small_number());
        set(component, "s", random_text());
        json_object_set_new(document, "c", component);
        set(document, "x", small_number());
    }
    return document;
}

void oracle_open(oracle_world *w)
{
    char id[16];
    gm_small_plant_open(&w->plant, gm_alloc_system(), models);
    for (int i = 0; i < ORACLE_TWINS; i++) {
        json_t *document = random_twin();
        char   *text     = json_dumps(document, 0);
        snprintf(id, sizeof id, "t%d", i);
        gm_small_plant_twin(&w->plant, id, text);
        free(text);
        json_decref(document);
    }
    for (int i = 0; i < ORACLE_TWINS; i += 7) {  // holes
        snprintf(id, sizeof id, "t%d", i);
        gm_small_plant_delete(&w->plant, id);
    }
    w->count = 0;
    for (size_t t = 0; t < gm_state_table_count(w->plant.state); t++) {
        gm_table table = gm_state_table(w->plant.state, t);
        for (uint32_t row = 0; row < table.rows; row++) {
            if (table.twins[row] == GM_NONE) continue;
            gm_buf text = gm_buf_init(gm_alloc_system());
            gm_document_write_twin(w->plant.state, (gm_twin){ table.twins[row] }, &text);
            w->twins[w->count]     = (gm_twin){ table.twins[row] };
            w->documents[w->count] = json_loadb((const char *)text.ptr, text.len, 0, NULL);
            assert_non_null(w->documents[w->count]);
            w->count++;
            gm_buf_finish(&text);
        }
    }
}

void oracle_close(oracle_world *w)
{
    for (int i = 0; i < w->count; i++) json_decref(w->documents[i]);
    gm_small_plant_close(&w->plant);
}


const char *oracle_id(const oracle_world *w, int i)
{
    return json_string_value(json_object_get(w->documents[i], "$dtId"));
}
