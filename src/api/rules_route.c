// /v1/rules: the rules in force and how they stand, and when a rule would have fired.
#include "api/held.h"
#include "api/live.h"
#include "api/routes.h"
#include "control/control.h"
#include "control/dry_run.h"
#include "control/json.h"

enum { FIRINGS_MOST = 100000, SLICE_SAMPLES = 2000 };
#define SLICE (4 * GM_MILLISECOND)

static gm_rules *rules_of(gm_request *request)
{
    gm_control *control = request->api->options.control;
    if (control == NULL) gm_reply_error(request, 404, "NotFound", "This server has no rules.");
    return control != NULL ? gm_control_rules(control) : NULL;
}

// ---- the rules in force -------------------------------------------------------------------------------------------

static const char *kind_name(gm_statement_kind kind)
{
    static const char *const names[] = { "rule", "watchdog", "command", "desired", "interlock" };
    return names[kind];
}

void gm_route_rules(gm_request *request)
{
    const gm_rules    *rules = rules_of(request);
    const gm_rulebook *book  = rules != NULL ? gm_rules_book(rules) : NULL;
    gm_buf            *out   = &request->out;
    if (rules == NULL) return;
    gm_rule_tally *tally = gm_arena_zeroed(request->arena, book != NULL ? book->count + 1 : 1, sizeof *tally);
    if (tally == NULL) {
        gm_reply_failure(request, GM_NOMEM, NULL);
        return;
    }
    gm_rules_count(rules, tally);
    gm_buf_text(out, "{\"items\":[");
    for (size_t i = 0; book != NULL && i < book->count; i++) {
        const gm_statement *s = book->items[i];
        gm_buf_text(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        gm_buf_json_str(out, s->name);
        gm_json_member(out, "kind", gm_str_of(kind_name(s->kind)));
        gm_json_member(out, "file", s->file);
        gm_buf_printf(out, ",\"line\":%u", s->line);
        gm_json_member(out, "text", gm_str_trim(s->text));
        if (s->kind == GM_STATEMENT_RULE || s->kind == GM_STATEMENT_WATCHDOG)
            gm_buf_printf(out, ",\"twins\":%llu,\"on\":%llu,\"suppressed\":%llu,\"firings\":%llu", (unsigned long long)tally[i].twins,
                          (unsigned long long)tally[i].on, (unsigned long long)tally[i].suppressed, (unsigned long long)tally[i].firings);
        gm_buf_byte(out, '}');
    }
    gm_buf_text(out, "]}");
    gm_reply_json(request, 200);
}

// ---- when would it have fired? ------------------------------------------------------------------------------------

typedef struct testing {
    gm_held     held;
    gm_request *request;
    gm_dry_run *run;
    gm_time_ns  from, to;
    uint64_t    limit, firings;
    gm_buf      list;      // of firings
} testing;

static void note_firing(void *context, const gm_statement *rule, gm_str twin, gm_turn turn, gm_time_ns at)
{
    testing *t = context;
    if (t->firings++ >= t->limit) return;
    gm_buf_text(&t->list, t->list.len > 0 ? ",{\"rule\":" : "{\"rule\":");
    gm_buf_json_str(&t->list, rule->name);
    gm_json_member(&t->list, "twin", twin);
    gm_json_member(&t->list, "turn", gm_str_of(gm_turn_name(turn)));
    gm_json_time_member(&t->list, "at", at);
    gm_buf_byte(&t->list, '}');
}

static void end_test(void *context)
{
    testing *t = context;
    gm_dry_run_destroy(t->run);
    gm_buf_finish(&t->list);
}

static void reply_test(testing *t)
{
    gm_request       *request = t->request;
    gm_buf           *out     = &request->out;
    gm_dry_run_counts n       = gm_dry_run_count(t->run);
    gm_buf_printf(out, "{\"instances\":%llu,\"series\":%llu,\"samples\":%llu,\"evaluations\":%llu", (unsigned long long)n.instances, (unsigned long long)n.series,
                  (unsigned long long)n.samples, (unsigned long long)n.evaluations);
    gm_json_time_member(out, "from", t->from);
    gm_json_time_member(out, "to", t->to);
    gm_buf_text(out, ",\"firings\":[");
    gm_buf_str(out, gm_buf_view(&t->list));
    gm_buf_printf(out, "],\"leftOut\":%llu}", (unsigned long long)(t->firings > t->limit ? t->firings - t->limit : 0));
    if (t->list.failed || out->failed) gm_reply_failure(request, GM_NOMEM, NULL);
    else gm_reply_json(request, 200);
}

static bool play_on(void *context, gm_dur_ns *pause)
{
    testing        *t     = context;
    const gm_clock *clock = t->request->api->options.clock;
    gm_dur_ns       until = gm_monotonic(clock) + SLICE;
    gm_error        err   = { 0 };
    bool            done  = false;
    gm_status       st    = GM_OK;
    *pause                = 0;
    while (st == GM_OK && !done && gm_monotonic(clock) < until) st = gm_dry_run_step(t->run, SLICE_SAMPLES, &done, &err);
    if (st == GM_OK && !done) return true;
    if (st == GM_OK) reply_test(t);
    else gm_reply_failure(t->request, st, &err);
    return false;
}

typedef struct found { gm_request *request; bool any; } found;

static void on_found(void *context, const gm_statement *s, const char *text)
{
    found *f = context;
    if (f->any) return;
    f->any = true;
    gm_reply_error(f->request, 400, "InvalidRule", "Line %u, '" GM_STR_FMT "': %s.", s->line, GM_STR_ARG(gm_str_slice(s->name, 0, 80)), text);
}

// The rules of the request: one in force ("rule"), or those of a text, perhaps one of them by its name. NULL: replied.
static gm_rulebook *read_book(gm_request *request, const json_t *body, const gm_rules *rules)
{
    gm_rulebook       *book;
    gm_error           err = { 0 };
    gm_str             name = gm_json_text(body, "rule"), text = gm_json_text(body, "text");
    const gm_rulebook *now  = gm_rules_book(rules);
    gm_status          st   = gm_rulebook_create(request->alloc, &book, &err);
    if (st == GM_OK && text.len > 0) st = gm_rulebook_add(book, GM_STR("test.rules"), text, &err);
    for (size_t i = 0; st == GM_OK && text.len == 0 && now != NULL && i < now->count; i++) {
        const gm_statement *s = now->items[i];
        bool                is = s->kind == GM_STATEMENT_RULE || s->kind == GM_STATEMENT_WATCHDOG;
        if (is && gm_str_eq(s->name, name)) st = gm_rulebook_add(book, s->file, s->text, &err);
    }
    found f = { .request = request };
    if (st == GM_OK) st = gm_rulebook_check(book, gm_engine_model(request->engine), on_found, &f, &err);
    if (st == GM_OK && !f.any && book->count > 0) return book;
    if (st == GM_INVALID) gm_reply_error(request, 400, "InvalidRule", "Line %u, column %u: %s.", err.line, err.column, err.text);
    else if (st != GM_OK) gm_reply_failure(request, st, &err);
    else if (!f.any) gm_reply_error(request, 404, "RuleNotFound", "There is no rule '" GM_STR_FMT "' in force; give its name as 'rule', or rules as 'text'.", GM_STR_ARG(gm_str_slice(name, 0, 80)));
    gm_rulebook_destroy(book);
    return NULL;
}

static bool read_time(gm_request *request, const json_t *body, const char *member, gm_time_ns otherwise, gm_time_ns *out)
{
    *out = json_object_get(body, member) == NULL ? otherwise : gm_json_time(body, member);
    if (*out != INT64_MIN) return true;
    gm_reply_error(request, 400, "InvalidArgument", "'%s' is no RFC 3339 time.", member);
    return false;
}

void gm_route_rule_test(gm_request *request)
{
    const gm_rules *rules = rules_of(request);
    const json_t   *body  = rules != NULL ? gm_request_json(request) : NULL;
    gm_error        err   = { 0 };
    if (body == NULL) return;
    testing *t = gm_arena_zeroed(request->arena, 1, sizeof *t);
    if (t == NULL) {
        gm_reply_failure(request, GM_NOMEM, NULL);
        return;
    }
    *t = (testing){ .request = request, .limit = 10000, .list = gm_buf_init(request->alloc) };
    const json_t *limit = json_object_get(body, "limit");
    if (json_is_integer(limit) && json_integer_value(limit) > 0) t->limit = (uint64_t)json_integer_value(limit);
    if (t->limit > FIRINGS_MOST) t->limit = FIRINGS_MOST;
    if (!read_time(request, body, "to", gm_api_now(request), &t->to) || !read_time(request, body, "from", t->to - GM_DAY, &t->from)) return;
    gm_dry_run_options o = { .alloc = request->alloc, .engine = request->engine, .book = read_book(request, body, rules), .from = t->from, .to = t->to,
                             .facts = gm_control_facts(request->api->options.control), .fired = note_firing, .context = t };
    if (o.book == NULL) return;
    gm_status st = gm_dry_run_create(&o, &t->run, &err);
    if (st == GM_OK) st = gm_held_begin(&t->held, request, play_on, end_test, t, &err);
    if (st == GM_OK) return;
    end_test(t);
    gm_reply_failure(request, st, &err);
}
