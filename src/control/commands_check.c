// What a command must satisfy: its schema, range, rate and mode; interlocks; arming.
#include "control/commands_parts.h"

#include "base/number.h"
#include "control/json.h"
#include "state/document.h"

static const char WHERE[] = "control.commands";

static const gm_command *command_of(const gm_type *type, gm_str name)
{
    for (size_t i = 0; i < type->command_count; i++) {
        if (gm_str_eq(type->commands[i].name, name)) return &type->commands[i];
    }
    return NULL;
}

static bool is_about(gm_commands *c, const gm_statement *s, gm_twin twin)
{
    bool matches = false;
    return gm_query_matches(s->query, gm_commands_state(c), twin, &matches, NULL) == GM_OK && matches;
}

const gm_statement *gm_commands_policy(gm_commands *c, bool set, gm_str name, gm_twin twin)
{
    const gm_rulebook *book = gm_rules_book(c->options.rules);
    for (size_t i = 0; book != NULL && i < book->count; i++) {
        const gm_statement *s = book->items[i];
        if (s->kind == (set ? GM_STATEMENT_DESIRED : GM_STATEMENT_COMMAND) && gm_str_eq(s->name, name) && is_about(c, s, twin)) return s;
    }
    return NULL;
}

static gm_qvalue request_value(const json_t *value)
{
    if (json_is_integer(value)) return (gm_qvalue){ GM_Q_INT, { .i = json_integer_value(value) } };
    if (json_is_real(value)) return (gm_qvalue){ GM_Q_DOUBLE, { .d = json_real_value(value) } };
    if (json_is_boolean(value)) return (gm_qvalue){ GM_Q_BOOL, { .i = json_is_true(value) } };
    if (json_is_string(value)) return (gm_qvalue){ GM_Q_STRING, { .s = { json_string_value(value), json_string_length(value) } } };
    return (gm_qvalue){ .kind = GM_Q_UNDEFINED };
}

static gm_moment moment_of(gm_commands *c, gm_twin twin, const json_t *value)
{
    return (gm_moment){ .state = gm_commands_state(c), .twin = twin, .now = gm_now(c->options.clock), .request = request_value(value), .facts = c->options.facts };
}

// ---- validating ---------------------------------------------------------------------------------------------------

static gm_status check_schema(gm_commands *c, const gm_command_request *r, gm_twin twin, gm_error *err)
{
    const gm_type *type = gm_state_type(gm_commands_state(c), twin);
    if (r->set) {
        const gm_column *column = gm_type_column(type, r->name);
        gm_cell_write   *cells  = NULL;
        size_t           count  = 0;
        if (column == NULL || column->is_telemetry) return gm_fail(err, GM_NOTFOUND, WHERE, "'" GM_STR_FMT "' has no property '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(r->twin, 0, 60)), GM_STR_ARG(gm_str_slice(r->name, 0, 60)));
        if (!column->writable) return gm_fail(err, GM_INVALID, WHERE, "the property '" GM_STR_FMT "' is not writable", GM_STR_ARG(gm_str_slice(r->name, 0, 60)));
        if (r->value == NULL || json_is_null(r->value)) return gm_fail(err, GM_INVALID, WHERE, "a desired value is missing");
        return gm_document_read_value(type, r->name, r->value, 0, c->scratch, &cells, &count, err);
    }
    const gm_command *command = command_of(type, r->name);
    if (command == NULL) return gm_fail(err, GM_NOTFOUND, WHERE, "'" GM_STR_FMT "' has no command '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(r->twin, 0, 60)), GM_STR_ARG(gm_str_slice(r->name, 0, 60)));
    if (command->request == NULL) return r->value == NULL || json_is_null(r->value) ? GM_OK : gm_fail(err, GM_INVALID, WHERE, "the command takes no value");
    if (r->value == NULL) return gm_fail(err, GM_INVALID, WHERE, "the command needs a value");
    return gm_document_check(command->request, r->value, err);
}

gm_status gm_commands_validate(gm_commands *c, const gm_command_request *r, gm_twin twin, gm_error *err)
{
    gm_mark   mark = gm_arena_mark(c->scratch);
    gm_status st   = check_schema(c, r, twin, err);
    gm_arena_rewind(c->scratch, mark);
    const gm_statement *policy = st == GM_OK ? gm_commands_policy(c, r->set, r->name, twin) : NULL;
    if (policy == NULL || !policy->has_range) return st;
    double value = json_number_value(r->value);
    if (json_is_number(r->value) && value >= policy->low && value <= policy->high) return GM_OK;
    return gm_fail(err, GM_INVALID, WHERE, "the value must lie between %g and %g (" GM_STR_FMT ":%u)", policy->low, policy->high, GM_STR_ARG(policy->file), policy->line);
}

// ---- permitting ---------------------------------------------------------------------------------------------------

static gm_status check_rate(gm_commands *c, const gm_statement *policy, const gm_command_request *r, gm_error *err)
{
    gm_time_ns now = gm_now(c->options.clock);
    uint32_t   n   = 0;
    if (policy->rate_count == 0) return GM_OK;
    for (size_t i = c->count; i-- > 0;) {
        const gm_command_entry *e = &c->items[i];
        if (e->is.set != r->set || !gm_str_eq(e->is.name, r->name) || !gm_str_eq(e->is.twin, r->twin)) continue;
        bool counts = e->is.state != GM_COMMAND_REFUSED && e->is.state != GM_COMMAND_ADVISED;
        if (counts && now - e->is.requested < policy->rate_span) n++;
    }
    if (n < policy->rate_count) return GM_OK;
    return gm_fail(err, GM_CONFLICT, WHERE, "more than %u in %.3g s (" GM_STR_FMT ":%u)", policy->rate_count, (double)policy->rate_span / 1e9, GM_STR_ARG(policy->file), policy->line);
}

static bool is_locked(const gm_statement *lock, gm_str name)
{
    for (size_t i = 0; i < lock->locked_count; i++) {
        if (gm_str_eq(lock->locked[i], name)) return true;
    }
    return lock->locked_count == 0;
}

// Missing or stale inputs permit nothing. NULL: it permits.
static const char *objection(gm_commands *c, const gm_statement *lock, const gm_command_request *r, gm_twin twin)
{
    gm_time_ns wake;
    gm_moment  at    = moment_of(c, twin, r->value);
    gm_truth   truth = gm_proviso_truth(lock->when, &at, NULL, &wake);
    gm_time_ns oldest = gm_proviso_oldest(lock->when, &at);
    const char *why   = truth == GM_UNKNOWN ? "a value that it asks for is missing" : truth == GM_FALSE ? "it does not permit it" : NULL;
    if (why == NULL && lock->fresh > 0 && (oldest == GM_ABSENT || at.now - oldest > lock->fresh)) why = "a value that it asks for is stale";
    return why;
}

static gm_status check_interlock(gm_commands *c, const gm_statement *lock, const gm_command_request *r, gm_twin twin, gm_error *err)
{
    const char *why = objection(c, lock, r, twin);
    if (why == NULL) return GM_OK;
    return gm_fail(err, GM_CONFLICT, WHERE, "interlock '" GM_STR_FMT "': %s" "%s" GM_STR_FMT, GM_STR_ARG(gm_str_slice(lock->name, 0, 60)), why, lock->because.len > 0 ? ": " : "",
                   GM_STR_ARG(gm_str_slice(lock->because, 0, 80)));
}

gm_status gm_commands_permit(gm_commands *c, const gm_command_request *r, gm_twin twin, bool again, gm_error *err)
{
    gm_str              why;
    gm_time_ns          wake;
    const gm_rulebook  *book   = gm_rules_book(c->options.rules);
    const gm_statement *policy = gm_commands_policy(c, r->set, r->name, twin);
    gm_status           st     = policy != NULL && !again ? check_rate(c, policy, r, err) : GM_OK;
    if (st == GM_OK && policy != NULL && policy->unless != NULL) {
        gm_moment at = moment_of(c, twin, r->value);
        if (gm_proviso_truth(policy->unless, &at, NULL, &wake) != GM_TRUE)
            st = gm_fail(err, GM_CONFLICT, WHERE, "the mode that it requires does not hold (" GM_STR_FMT ":%u)", GM_STR_ARG(policy->file), policy->line);
    }
    for (size_t i = 0; st == GM_OK && book != NULL && i < book->count; i++) {
        const gm_statement *s = book->items[i];
        if (s->kind == GM_STATEMENT_INTERLOCK && is_locked(s, r->name) && is_about(c, s, twin)) st = check_interlock(c, s, r, twin, err);
    }
    if (st == GM_OK && r->automatic && !r->safe && !gm_arming_admits(c->options.arming, twin, &why)) st = gm_fail(err, GM_CONFLICT, WHERE, GM_STR_FMT, GM_STR_ARG(why));
    return st;
}

// ---- the effect ---------------------------------------------------------------------------------------------------

static bool same_value(gm_value a, gm_value b)
{
    if (a.kind != b.kind) return false;
    if (a.kind == GM_KIND_DOUBLE) return a.d == b.d;
    if (a.kind == GM_KIND_STRING || a.kind == GM_KIND_JSON) return gm_str_eq(a.s, b.s);
    return a.kind == GM_KIND_NONE || a.i == b.i;
}

// A desired value has come into effect when the twin reports it.
static bool is_reported(gm_commands *c, const gm_command_entry *e, gm_twin twin, const json_t *value)
{
    gm_cell_write *cells = NULL;
    size_t         count = 0;
    gm_mark        mark  = gm_arena_mark(c->scratch);
    bool same = gm_document_read_value(gm_state_type(gm_commands_state(c), twin), e->is.name, value, 0, c->scratch, &cells, &count, NULL) == GM_OK && count > 0;
    for (size_t i = 0; same && i < count; i++) {
        gm_cell now;
        gm_state_get(gm_commands_state(c), twin, cells[i].column, &now);
        same = same_value(now.value, cells[i].value);
    }
    gm_arena_rewind(c->scratch, mark);
    return same;
}

bool gm_commands_effect(gm_commands *c, const gm_command_entry *e)
{
    gm_twin    twin = gm_state_find(gm_commands_state(c), e->is.twin);
    gm_time_ns wake;
    if (!gm_twin_ok(twin)) return false;
    json_t             *value  = json_loadb(e->is.value.ptr, e->is.value.len, JSON_DECODE_ANY, NULL);
    const gm_statement *policy = gm_commands_policy(c, e->is.set, e->is.name, twin);
    gm_moment           at     = moment_of(c, twin, value);
    bool effect = policy != NULL && policy->expect != NULL ? gm_proviso_truth(policy->expect, &at, NULL, &wake) == GM_TRUE
                : e->is.set ? is_reported(c, e, twin, value) : true;
    json_decref(value);
    return effect;
}

// ---- trying -------------------------------------------------------------------------------------------------------

static void write_interlock(gm_commands *c, const gm_statement *lock, const gm_command_request *r, gm_twin twin, gm_buf *out)
{
    const char *why = objection(c, lock, r, twin);
    gm_buf_text(out, "{\"name\":");
    gm_buf_json_str(out, lock->name);
    gm_buf_printf(out, ",\"permits\":%s", why == NULL ? "true" : "false");
    if (why != NULL) gm_json_member(out, "why", gm_str_of(why));
    gm_json_member(out, "because", lock->because);
    gm_json_member(out, "condition", lock->when->written);
    gm_json_member(out, "file", lock->file);
    gm_buf_printf(out, ",\"line\":%u}", lock->line);
}

// What the rules ask of it and expect of it.
static void write_policy(const gm_statement *policy, gm_buf *out)
{
    char low[GM_NUMBER_TEXT], high[GM_NUMBER_TEXT];
    if (policy->approve) gm_json_seconds_member(out, "approveWithin", policy->approve_within);
    gm_json_seconds_member(out, "deadline", policy->deadline);
    if (policy->has_range) {
        gm_number_write(policy->low, low);
        gm_number_write(policy->high, high);
        gm_buf_printf(out, ",\"range\":[%s,%s]", low, high);
    }
    if (policy->rate_count > 0) {
        gm_buf_printf(out, ",\"rate\":{\"count\":%u", policy->rate_count);
        gm_json_seconds_member(out, "seconds", policy->rate_span);
        gm_buf_byte(out, '}');
    }
    if (policy->unless != NULL) gm_json_member(out, "requires", policy->unless->written);
    if (policy->expect != NULL) {
        gm_json_member(out, "expect", policy->expect->written);
        gm_json_seconds_member(out, "expectWithin", policy->expect_within);
    }
    gm_json_member(out, "rollback", policy->rollback);
}

gm_status gm_commands_try(gm_commands *c, const gm_command_request *r, gm_buf *out, gm_error *err)
{
    gm_error           why  = { 0 };
    gm_twin            twin = gm_state_find(gm_commands_state(c), r->twin);
    const gm_rulebook *book = gm_rules_book(c->options.rules);
    if (!gm_twin_ok(twin)) return gm_fail(err, GM_NOTFOUND, WHERE, "there is no twin '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(r->twin, 0, 100)));
    gm_status valid = gm_commands_validate(c, r, twin, &why);
    if (valid == GM_NOTFOUND) {
        if (err != NULL) *err = why;
        return valid;
    }
    bool permitted = valid == GM_OK && gm_commands_permit(c, r, twin, false, &why) == GM_OK;
    gm_buf_printf(out, "{\"valid\":%s,\"permitted\":%s", valid == GM_OK ? "true" : "false", permitted ? "true" : "false");
    gm_json_member(out, "reason", gm_str_of(why.text));
    const gm_statement *policy = gm_commands_policy(c, r->set, r->name, twin);
    if (policy != NULL) write_policy(policy, out);
    gm_buf_text(out, ",\"interlocks\":[");
    for (size_t i = 0, n = 0; book != NULL && i < book->count; i++) {
        const gm_statement *s = book->items[i];
        if (s->kind != GM_STATEMENT_INTERLOCK || !is_locked(s, r->name) || !is_about(c, s, twin)) continue;
        if (n++ > 0) gm_buf_byte(out, ',');
        write_interlock(c, s, r, twin, out);
    }
    gm_buf_text(out, "]}");
    return out->failed ? gm_fail(err, GM_NOMEM, WHERE, "trying a command") : GM_OK;
}
