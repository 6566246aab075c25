#include "control/rulebook.h"

#include "base/number.h"

#include <stdio.h>

static const char WHERE[] = "control.rules";
static const gm_dur_ns AGAIN_LEAST = 100 * GM_MILLISECOND;

typedef struct reader {
    gm_rulebook  *book;
    gm_str        file, text;   // text: comments are blanks
    gm_lexer      lexer;
    gm_token      token;
    gm_statement *s;
    gm_error     *err;
} reader;

static gm_status take(reader *r) { return gm_lex_next(&r->lexer, &r->token, r->err); }
static gm_status expected(reader *r, const char *what) { return gm_lex_expected(r->text, &r->token, what, r->err); }
static gm_status refuse(reader *r, const char *what) { return gm_lex_fail(r->text, r->token.at, GM_INVALID, r->err, "%s", what); }

static bool word(const reader *r, const char *text)
{
    return r->token.kind == GM_TOKEN_NAME && gm_str_is(r->token.text, text);
}

static gm_status take_word(reader *r, const char *text, const char *what) { return word(r, text) ? take(r) : expected(r, what); }

static gm_status take_name(reader *r, gm_str *out, const char *what)
{
    bool name = r->token.kind == GM_TOKEN_NAME || r->token.kind == GM_TOKEN_ESCAPED || r->token.kind == GM_TOKEN_STRING;
    if (!name || r->token.text.len == 0) return expected(r, what);
    *out = r->token.text;
    return take(r);
}

static gm_status take_text(reader *r, gm_str *out, const char *what)
{
    if (r->token.kind != GM_TOKEN_STRING) return expected(r, what);
    *out = gm_str_slice(r->token.text, 0, GM_ALARM_TEXT_MAX);
    return take(r);
}

static gm_status take_number(reader *r, double *out)
{
    double    sign = gm_token_is_sign(&r->token, "-") ? -1 : 1;
    gm_status st   = sign < 0 ? take(r) : GM_OK;
    if (st != GM_OK) return st;
    if (r->token.kind == GM_TOKEN_INTEGER) *out = sign * (double)r->token.integer;
    else if (r->token.kind == GM_TOKEN_NUMBER) *out = sign * r->token.number;
    else return expected(r, "a number");
    return take(r);
}

static gm_status take_duration(reader *r, gm_dur_ns *out) { return gm_proviso_duration(&r->lexer, &r->token, out, r->err); }

// Words that end a condition: the clauses that may follow it.
static const char *const clause_words[] = { "for", "clears", "deadband", "again", "suppressed", "then", "within", "fresh", "because", "range", "rate",
                                            "requires", "approve", "deadline", "expect", "rollback", "rule", "watchdog", "command",
                                            "desired", "interlock", NULL };

static gm_status take_condition(reader *r, gm_proviso **out)
{
    size_t end;
    if (*out != NULL) return expected(r, "another clause: this statement has such a condition already; join them with 'and'");
    gm_status st = gm_proviso_read(r->book->alloc, r->book->arena, r->s->alias, r->text, r->token.at, clause_words, 0, out, &end, r->err);
    if (st != GM_OK) return st;
    r->lexer.at = (uint32_t)end;
    return take(r);
}

// ---- on twins (QUERY) ---------------------------------------------------------------------------------------------

static gm_status take_twins(reader *r)
{
    gm_status st = take_word(r, "on", "'on twins (SELECT ...)'");
    if (st == GM_OK) st = take_word(r, "twins", "'on twins (SELECT ...)'");
    if (st != GM_OK || !gm_token_is_sign(&r->token, "(")) return st != GM_OK ? st : expected(r, "'(' and a query");
    uint32_t from = r->token.end;
    for (int depth = 1; depth > 0;) {
        st = take(r);
        if (st != GM_OK) return st;
        if (r->token.kind == GM_TOKEN_END) return expected(r, "')' behind the query");
        depth += gm_token_is_sign(&r->token, "(") - gm_token_is_sign(&r->token, ")");
    }
    gm_error why  = { 0 };
    gm_ast  *ast  = NULL;
    gm_str   text = gm_str_slice(r->text, from, r->token.at);
    r->s->query_text = text;
    st = gm_query_prepare(r->book->alloc, text, &r->s->query, &why);
    if (st == GM_OK) st = gm_query_parse(r->book->arena, text, &ast, &why);
    if (st != GM_OK) return gm_lex_fail(r->text, from, st, r->err, "the query: %s", why.text);
    if (ast->from_relationships || ast->step_count > 0 || ast->grouped || ast->order_count > 0 || ast->has_as_of || ast->limit != UINT64_MAX || ast->offset > 0)
        return gm_lex_fail(r->text, from, GM_INVALID, r->err, "the query must be followed twin by twin: SELECT * FROM DIGITALTWINS T WHERE ..., without JOIN, TOP, ORDER BY or aggregates");
    r->s->alias = ast->collections[0].name;
    return take(r);
}

// ---- actions ------------------------------------------------------------------------------------------------------

static gm_status take_value(reader *r, gm_str *out)
{
    char      text[64];
    double    number;
    gm_status st = GM_OK;
    if (r->token.kind == GM_TOKEN_STRING) {
        // A text that is JSON already is taken as it is, any other as a JSON string.
        json_t *json = json_loadb(r->token.text.ptr, r->token.text.len, JSON_DECODE_ANY, NULL);
        bool    whole = json_is_object(json) || json_is_array(json);
        gm_alloc arena = gm_arena_alloc(r->book->arena);
        gm_buf   quoted = gm_buf_init(&arena);
        json_decref(json);
        gm_buf_json_str(&quoted, r->token.text);
        *out = whole ? gm_arena_str(r->book->arena, r->token.text) : gm_buf_view(&quoted);
        return quoted.failed || out->ptr == NULL ? gm_fail(r->err, GM_NOMEM, WHERE, "reading rules") : take(r);
    }
    if (word(r, "true") || word(r, "false")) {
        *out = r->token.text;
        return take(r);
    }
    st = take_number(r, &number);
    if (st != GM_OK) return st;
    gm_number_write(number, text);
    *out = gm_arena_str(r->book->arena, gm_str_of(text));
    return out->ptr != NULL ? GM_OK : gm_fail(r->err, GM_NOMEM, WHERE, "reading rules");
}

static bool is_value(const reader *r)
{
    return r->token.kind == GM_TOKEN_STRING || r->token.kind == GM_TOKEN_INTEGER || r->token.kind == GM_TOKEN_NUMBER ||
           gm_token_is_sign(&r->token, "-") || word(r, "true") || word(r, "false");
}

// [on 'twin' | on related [<] name]
static gm_status take_target(reader *r, gm_action *a)
{
    if (!word(r, "on")) return GM_OK;
    gm_status st = take(r);
    if (st != GM_OK || !word(r, "related")) return st != GM_OK ? st : take_text(r, &a->twin, "a twin's id in quotes, or 'related' and a relationship");
    st = take(r);
    if (st == GM_OK && gm_token_is_sign(&r->token, "<")) {
        a->incoming = true;
        st          = take(r);
    }
    return st == GM_OK ? take_name(r, &a->relationship, "the name of a relationship") : st;
}

static gm_status take_alarm(reader *r, gm_action *a)
{
    a->kind = GM_DO_ALARM;
    if (r->token.kind != GM_TOKEN_NAME || !gm_alarm_priority_of(r->token.text, &a->alarm.priority)) return expected(r, "low, medium, high or critical");
    gm_status st = take(r);
    if (st == GM_OK) st = take_text(r, &a->alarm.text, "what the alarm says, in quotes");
    for (bool more = true; st == GM_OK && more;) {
        if (word(r, "latching")) {
            a->alarm.latching = true;
            st                = take(r);
        } else if (word(r, "consequence")) {
            st = take(r);
            if (st == GM_OK) st = take_text(r, &a->alarm.consequence, "what happens if nobody acts, in quotes");
        } else if (word(r, "response")) {
            st = take(r);
            if (st == GM_OK) st = take_text(r, &a->alarm.response, "what to do, in quotes");
        } else more = false;
    }
    return st;
}

// A request as docs/futures.md has it; the twin is its root unless it names others. What it asks for is found out when it starts.
static gm_status take_futures(reader *r, gm_action *a)
{
    a->kind = GM_DO_FUTURES;
    if (r->token.kind != GM_TOKEN_STRING) return expected(r, "a request for futures, a JSON object in quotes");
    json_error_t where;
    json_t      *json  = json_loadb(r->token.text.ptr, r->token.text.len, JSON_REJECT_DUPLICATES, &where);
    bool         whole = json_is_object(json);
    json_decref(json);
    if (!whole) return refuse(r, "what stands in the quotes after 'futures' is no JSON object");
    gm_status st = take_text(r, &a->value, "a request for futures, a JSON object in quotes");
    if (st != GM_OK || !word(r, "on")) return st;
    st = take(r);
    return st == GM_OK ? take_text(r, &a->twin, "a twin's id in quotes") : st;
}

// raise NAME by STEP to LIMIT, lower NAME by STEP to LIMIT
static gm_status take_step(reader *r, gm_action *a)
{
    double    sign = word(r, "raise") ? 1 : -1;
    gm_status st   = take(r);
    a->kind        = GM_DO_SET;
    if (st == GM_OK) st = take_name(r, &a->name, "the name of a property");
    if (st == GM_OK) st = take_word(r, "by", "'by' and a number");
    if (st == GM_OK) st = take_number(r, &a->step);
    if (st == GM_OK && !(a->step > 0)) return refuse(r, "a step is greater than zero; 'lower' goes down");
    a->step *= sign;
    if (st == GM_OK) st = take_word(r, "to", "'to' and how far at most");
    if (st == GM_OK) st = take_number(r, &a->limit);
    return st == GM_OK ? take_target(r, a) : st;
}

static gm_status take_action(reader *r)
{
    if (r->s->action_count == GM_ACTIONS_MAX) return refuse(r, "a rule has at most 8 actions");
    gm_action *a  = &r->s->actions[r->s->action_count++];
    gm_status  st = GM_OK;
    if (word(r, "alarm")) return (st = take(r)) == GM_OK ? take_alarm(r, a) : st;
    if (word(r, "command")) {
        a->kind = GM_DO_COMMAND;
        st      = take(r);
        if (st == GM_OK) st = take_name(r, &a->name, "the name of a command");
        if (st == GM_OK && is_value(r)) st = take_value(r, &a->value);
        return st == GM_OK ? take_target(r, a) : st;
    }
    if (word(r, "set")) {
        a->kind = GM_DO_SET;
        st      = take(r);
        if (st == GM_OK) st = take_name(r, &a->name, "the name of a property");
        if (st == GM_OK) st = take_word(r, "to", "'to' and a value");
        if (st == GM_OK) st = take_value(r, &a->value);
        return st == GM_OK ? take_target(r, a) : st;
    }
    if (word(r, "raise") || word(r, "lower")) return take_step(r, a);
    if (word(r, "event")) {
        a->kind = GM_DO_EVENT;
        st      = take(r);
        return st == GM_OK ? take_text(r, &a->name, "the event's text, in quotes") : st;
    }
    if (word(r, "futures")) return (st = take(r)) == GM_OK ? take_futures(r, a) : st;
    if (!word(r, "work")) return expected(r, "an action: alarm, command, set, raise, lower, work order, futures or event");
    a->kind = GM_DO_WORK_ORDER;
    st      = take(r);
    if (st == GM_OK) st = take_word(r, "order", "'order' and a text");
    if (st == GM_OK) st = take_text(r, &a->name, "what is to be done, in quotes");
    return st == GM_OK ? take_target(r, a) : st;
}

// ---- clauses ------------------------------------------------------------------------------------------------------

static gm_status take_rule_clause(reader *r, bool *out_known)
{
    gm_statement *s = r->s;
    gm_status     st;
    *out_known = true;
    if (word(r, "for")) return (st = take(r)) == GM_OK ? take_duration(r, &s->on_delay) : st;
    if (word(r, "deadband")) {
        st = take(r);
        if (st == GM_OK) st = take_number(r, &s->deadband);
        if (st == GM_OK && s->deadband < 0) return refuse(r, "a deadband is not negative");
        return st == GM_OK ? gm_proviso_deadband(s->when, r->book->arena, s->deadband, r->err) : st;
    }
    if (word(r, "clears")) {
        st = take(r);
        if (st == GM_OK) st = take_word(r, "after", "'after' and a time");
        return st == GM_OK ? take_duration(r, &s->off_delay) : st;
    }
    if (word(r, "suppressed")) {
        st = take(r);
        if (st == GM_OK) st = take_word(r, "when", "'when' and a condition");
        return st == GM_OK ? take_condition(r, &s->unless) : st;
    }
    if (word(r, "again")) {
        st = take(r);
        if (st == GM_OK) st = take_word(r, "every", "'every' and a time");
        if (st == GM_OK) st = take_duration(r, &s->again);
        return st == GM_OK && s->again < AGAIN_LEAST ? refuse(r, "'again every' is at least 100 ms") : st;
    }
    if (word(r, "then")) return (st = take(r)) == GM_OK ? take_action(r) : st;
    *out_known = false;
    return GM_OK;
}

static gm_status take_policy_clause(reader *r, bool *out_known)
{
    gm_statement *s = r->s;
    gm_status     st;
    *out_known = true;
    if (word(r, "range")) {
        st = take(r);
        if (st == GM_OK) st = take_number(r, &s->low);
        if (st == GM_OK) st = take_word(r, "to", "'to' and a number");
        if (st == GM_OK) st = take_number(r, &s->high);
        s->has_range = true;
        return st == GM_OK && !(s->low <= s->high) ? refuse(r, "the range ends before it begins") : st;
    }
    if (word(r, "rate")) {
        double count;
        st = take(r);
        if (st == GM_OK) st = take_number(r, &count);
        if (st == GM_OK && (count < 1 || count > 10000)) return refuse(r, "a rate is 1 to 10000 per time");
        if (st == GM_OK) s->rate_count = (uint32_t)count;
        if (st == GM_OK) st = take_word(r, "per", "'per' and a time");
        return st == GM_OK ? take_duration(r, &s->rate_span) : st;
    }
    if (word(r, "requires")) return (st = take(r)) == GM_OK ? take_condition(r, &s->unless) : st;
    if (word(r, "approve")) {
        s->approve = true;
        st         = take(r);
        if (st == GM_OK) st = take_word(r, "within", "'within' and a time");
        return st == GM_OK ? take_duration(r, &s->approve_within) : st;
    }
    if (word(r, "deadline")) return (st = take(r)) == GM_OK ? take_duration(r, &s->deadline) : st;
    if (word(r, "expect")) {
        st = take(r);
        if (st == GM_OK) st = take_condition(r, &s->expect);
        if (st == GM_OK) st = take_word(r, "within", "'within' and a time");
        return st == GM_OK ? take_duration(r, &s->expect_within) : st;
    }
    if (word(r, "rollback")) {
        st = take(r);
        if (st == GM_OK) st = take_name(r, &s->rollback, "the name of a command");
        return st == GM_OK && is_value(r) ? take_value(r, &s->rollback_value) : st;
    }
    *out_known = false;
    return GM_OK;
}

static gm_status take_interlock(reader *r)
{
    gm_statement *s  = r->s;
    gm_status     st = take_word(r, "of", "'of' and the commands and properties that it is about, or 'all'");
    if (st == GM_OK && word(r, "all")) st = take(r);
    else {
        while (st == GM_OK) {
            if (s->locked_count == GM_LOCKED_MAX) return refuse(r, "an interlock is about at most 16 commands and properties");
            st = take_name(r, &s->locked[s->locked_count++], "the name of a command or property");
            if (st != GM_OK || !gm_token_is_sign(&r->token, ",")) break;
            st = take(r);
        }
    }
    if (st == GM_OK) st = take_word(r, "permits", "'permits when' and what must hold");
    if (st == GM_OK) st = take_word(r, "when", "'permits when' and what must hold");
    if (st == GM_OK) st = take_condition(r, &s->when);
    while (st == GM_OK) {
        if (word(r, "fresh")) {
            st = take(r);
            if (st == GM_OK) st = take_duration(r, &s->fresh);
        } else if (word(r, "because")) {
            st = take(r);
            if (st == GM_OK) st = take_text(r, &s->because, "why, in quotes");
        } else break;
    }
    return st;
}

// ---- statements ---------------------------------------------------------------------------------------------------

static bool kind_of(const reader *r, gm_statement_kind *out)
{
    static const char *const words[] = { "rule", "watchdog", "command", "desired", "interlock" };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!word(r, words[i])) continue;
        *out = (gm_statement_kind)i;
        return true;
    }
    return false;
}

static gm_status check_kind(reader *r)
{
    bool locks = gm_str_ends(r->file, GM_STR(".interlocks")), lock = r->s->kind == GM_STATEMENT_INTERLOCK;
    if (locks && !lock) return refuse(r, "a file *.interlocks holds interlocks alone; put this into a file *.rules");
    if (!locks && lock) return refuse(r, "interlocks stand apart from rules: put this into a file *.interlocks");
    return GM_OK;
}

static gm_status check_name(reader *r)
{
    for (size_t i = 0; i + 1 < r->book->count; i++) {
        const gm_statement *other = r->book->items[i];
        bool policy = r->s->kind == GM_STATEMENT_COMMAND || r->s->kind == GM_STATEMENT_DESIRED;
        if (policy ? false : gm_str_eq(other->name, r->s->name) && other->kind != GM_STATEMENT_COMMAND && other->kind != GM_STATEMENT_DESIRED)
            return gm_lex_fail(r->text, r->token.at, GM_INVALID, r->err, "there is another '" GM_STR_FMT "' at " GM_STR_FMT ":%u", GM_STR_ARG(r->s->name),
                               GM_STR_ARG(other->file), other->line);
    }
    return GM_OK;
}

static uint64_t stable_hash(gm_str text)  // FNV-1a: the same in every version, since checkpoints keep it
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < text.len; i++) hash = (hash ^ (uint8_t)text.ptr[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static gm_status take_body(reader *r)
{
    gm_statement *s  = r->s;
    gm_status     st = GM_OK;
    bool          known = true, rule = s->kind == GM_STATEMENT_RULE || s->kind == GM_STATEMENT_WATCHDOG;
    if (s->kind == GM_STATEMENT_INTERLOCK) return take_interlock(r);
    if (rule) {
        st = take_word(r, "when", "'when' and a condition");
        if (st == GM_OK) st = take_condition(r, &s->when);
    }
    while (st == GM_OK && known) st = rule ? take_rule_clause(r, &known) : take_policy_clause(r, &known);
    if (st == GM_OK && rule && s->action_count == 0) return expected(r, "'then' and an action");
    return st;
}

static gm_status take_statement(reader *r)
{
    gm_statement_kind kind;
    uint32_t          from = r->token.at;
    if (!kind_of(r, &kind)) return expected(r, "rule, watchdog, command, desired or interlock");
    if (r->book->count == GM_STATEMENTS_MAX) return refuse(r, "there are more than 1000 rules");
    r->s = GM_ARENA_NEW(r->book->arena, gm_statement, 1);
    if (r->s == NULL || !gm_alloc_reserve(r->book->alloc, &r->book->items, &r->book->capacity, r->book->count + 1, sizeof *r->book->items))
        return gm_fail(r->err, GM_NOMEM, WHERE, "reading rules");
    r->book->items[r->book->count++] = r->s;
    *r->s = (gm_statement){ .kind = kind, .file = r->file, .line = 1, .deadline = 10 * GM_SECOND };
    for (uint32_t i = 0; i < from; i++) r->s->line += r->text.ptr[i] == '\n';
    gm_status st = check_kind(r);
    if (st == GM_OK) st = take(r);
    if (st == GM_OK) st = take_name(r, &r->s->name, "a name");
    if (st == GM_OK) st = check_name(r);
    if (st == GM_OK) st = take_twins(r);
    if (st == GM_OK) st = take_body(r);
    r->s->text = gm_str_slice(r->text, from, r->token.kind == GM_TOKEN_END ? r->text.len : r->token.at);
    r->s->hash = stable_hash(r->s->text);
    return st;
}

// A copy in which everything from '#' to the end of a line is blank, outside of quotes.
static gm_str without_comments(gm_arena *arena, gm_str text)
{
    gm_str copy = gm_arena_str(arena, text);
    char  *to   = (char *)(uintptr_t)copy.ptr, quote = 0;
    for (size_t i = 0; to != NULL && i < copy.len; i++) {
        char c = to[i];
        if (c == '\n') quote = 0;
        else if (quote != 0 && c == '\\') i++;
        else if (quote != 0) quote = c == quote ? 0 : quote;
        else if (c == '\'' || c == '"') quote = c;
        else if (c == '#') while (i < copy.len && to[i] != '\n') to[i++] = ' ';
    }
    return copy;
}

gm_status gm_rulebook_add(gm_rulebook *book, gm_str file, gm_str text, gm_error *err)
{
    if (text.len > GM_RULES_TEXT_MAX) return gm_fail(err, GM_LIMIT, WHERE, "a file of rules has at most 4 MiB");
    reader r = { .book = book, .file = gm_arena_str(book->arena, file), .text = without_comments(book->arena, text), .err = err };
    if (r.text.ptr == NULL || r.file.ptr == NULL) return gm_fail(err, GM_NOMEM, WHERE, "reading rules");
    r.lexer      = (gm_lexer){ .text = r.text, .arena = book->arena };
    gm_status st = take(&r);
    while (st == GM_OK && r.token.kind != GM_TOKEN_END) st = take_statement(&r);
    return st;
}

gm_status gm_rulebook_create(const gm_alloc *alloc, gm_rulebook **out, gm_error *err)
{
    gm_rulebook *book = gm_alloc_zeroed(alloc, sizeof *book);
    *out              = NULL;
    if (book != NULL) book->arena = gm_arena_create(alloc, 0);
    if (book == NULL || book->arena == NULL) {
        gm_free(alloc, book);
        return gm_fail(err, GM_NOMEM, WHERE, "reading rules");
    }
    book->alloc = alloc;
    *out        = book;
    return GM_OK;
}

void gm_rulebook_destroy(gm_rulebook *book)
{
    if (book == NULL) return;
    for (size_t i = 0; i < book->count; i++) {
        gm_query_destroy(book->items[i]->query);
        gm_proviso_finish(book->items[i]->when);
        gm_proviso_finish(book->items[i]->unless);
        gm_proviso_finish(book->items[i]->expect);
    }
    gm_free(book->alloc, book->items);
    gm_arena_destroy(book->arena);
    gm_free(book->alloc, book);
}
