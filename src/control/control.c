// Start and stop of the station, its clock (once a second what has run out of time is ended), the rules in force, and what
// their actions do.
#include "control/control.h"

#include "base/bytes.h"
#include "base/percent.h"
#include "control/commands.h"
#include "control/json.h"
#include "control/rules.h"
#include "control/subtree.h"
#include "control/work_orders.h"

#include <stdio.h>
#include <stdlib.h>

static const char WHERE[] = "control";

struct gm_control {
    gm_control_options options;
    const gm_alloc    *alloc;
    gm_timer          *timer;
    gm_journal        *journal;
    gm_alarms         *alarms;
    gm_rules          *rules;
    gm_arming         *arming;
    gm_commands       *commands;
    gm_work_orders    *orders;
    gm_str             relationships;
    gm_buf             text;       // of the rules in force, as their decision has it
    bool               started;
};

static void tick(void *context)
{
    gm_control *control = context;
    gm_error    err;
    control->timer = NULL;
    gm_alarms_tick(control->alarms);
    gm_arming_tick(control->arming);
    gm_commands_tick(control->commands);
    gm_journal_tick(control->journal);
    gm_rules_retry(control->rules);
    (void)!gm_loop_after(control->options.loop, GM_SECOND, tick, control, &control->timer, &err);
}

// ---- actions of rules ---------------------------------------------------------------------------------------------

static void act_alarm(gm_control *control, const gm_statement *rule, const gm_action *action, gm_str twin, gm_turn turn, gm_str cause)
{
    static const gm_alarm_action lower[] = { [GM_TURN_OFF] = GM_ALARM_CLEAR, [GM_TURN_SUPPRESS] = GM_ALARM_SUPPRESS, [GM_TURN_UNSUPPRESS] = GM_ALARM_UNSUPPRESS };
    gm_buf key = gm_buf_init(control->alloc);
    if (turn == GM_TURN_ON) {
        gm_alarm_definition a = action->alarm;
        a.name = rule->name;
        a.twin = twin;
        gm_alarms_raise(control->alarms, &a, cause);
    } else if (gm_alarm_key(rule->name, twin, &key)) {
        gm_alarms_lower(control->alarms, gm_buf_view(&key), lower[turn], cause);
    }
    gm_buf_finish(&key);
}

static void act_event(gm_control *control, const gm_statement *rule, const gm_action *action, gm_str twin, gm_str cause)
{
    gm_buf json = gm_buf_init(control->alloc);
    gm_buf_text(&json, "{\"text\":");
    gm_buf_json_str(&json, action->name);
    gm_json_member(&json, "twin", twin);
    gm_buf_text(&json, ",\"cause\":{");
    gm_buf_str(&json, cause);
    gm_buf_text(&json, "}}");
    if (!json.failed) gm_journal_post(control->journal, GM_CHANGE_RULE_DONE, rule->name, GM_STR("event"), gm_buf_view(&json));
    gm_buf_finish(&json);
}

// An action whose command could not even be recorded leaves a decision all the same: it is done.
static void act_failed(gm_control *control, const gm_statement *rule, gm_str twin, const char *why, gm_str cause)
{
    gm_buf json = gm_buf_init(control->alloc);
    gm_buf_text(&json, "{\"reason\":");
    gm_buf_json_str(&json, gm_str_of(why));
    gm_json_member(&json, "twin", twin);
    gm_buf_text(&json, ",\"cause\":{");
    gm_buf_str(&json, cause);
    gm_buf_text(&json, "}}");
    if (!json.failed) gm_journal_post(control->journal, GM_CHANGE_RULE_DONE, rule->name, GM_STR("not done"), gm_buf_view(&json));
    gm_buf_finish(&json);
}

// One step from what the twin reports, so nothing piles up while a device is away. NULL: there is nothing to step from.
static json_t *next_step(const gm_control *control, const gm_action *action, gm_str id)
{
    const gm_state *state = gm_engine_state(control->options.engine);
    gm_twin         twin  = gm_state_find(state, id);
    uint32_t        column = gm_twin_ok(twin) ? gm_type_column_index(gm_state_type(state, twin), action->name) : GM_NO_COLUMN;
    gm_cell         cell;
    if (column == GM_NO_COLUMN) return NULL;
    gm_state_get(state, twin, column, &cell);
    bool whole = cell.value.kind == GM_KIND_INT;
    if (!whole && cell.value.kind != GM_KIND_DOUBLE) return NULL;
    double next = (whole ? (double)cell.value.i : cell.value.d) + action->step;
    if (action->step > 0 ? next > action->limit : next < action->limit) next = action->limit;
    return whole ? json_integer((json_int_t)next) : json_real(next);
}

static void command_one(gm_control *control, const gm_statement *rule, const gm_action *action, gm_str twin, gm_str cause, bool safe)
{
    char   id[GM_COMMAND_ID], who[160];
    gm_error err = { 0 };
    snprintf(who, sizeof who, "rule %.*s", (int)gm_str_slice(rule->name, 0, 120).len, rule->name.ptr);
    json_t *value = action->step != 0 ? next_step(control, action, twin)
                  : action->value.len > 0 ? json_loadb(action->value.ptr, action->value.len, JSON_DECODE_ANY, NULL) : NULL;
    gm_command_request r = { .twin = twin, .name = action->name, .set = action->kind == GM_DO_SET, .value = value, .who = gm_str_of(who),
                             .automatic = true, .safe = safe, .cause = cause };
    gm_status st = gm_commands_request(control->commands, &r, (gm_ask){ 0 }, id, &err);
    if (st != GM_OK && id[0] == '\0') act_failed(control, rule, twin, err.text, cause);
    json_decref(value);
}

// On the twin itself, on a named one, or on all that are related.
static void act_command(gm_control *control, const gm_statement *rule, const gm_action *action, gm_str twin, gm_str cause, bool safe)
{
    const gm_state *state = gm_engine_state(control->options.engine);
    gm_twin         at    = gm_state_find(state, twin);
    size_t          n     = 0;
    if (action->relationship.len == 0) {
        command_one(control, rule, action, action->twin.len > 0 ? action->twin : twin, cause, safe);
        return;
    }
    uint32_t name = gm_state_name_number(state, action->relationship);
    gm_edge  e    = !gm_twin_ok(at) ? (gm_edge){ GM_NONE } : action->incoming ? gm_state_first_in(state, at) : gm_state_first_out(state, at);
    for (; gm_edge_ok(e); e = action->incoming ? gm_state_next_in(state, e) : gm_state_next_out(state, e)) {
        if (gm_state_edge_name(state, e) != name) continue;
        command_one(control, rule, action, gm_state_id(state, action->incoming ? gm_state_edge_source(state, e) : gm_state_edge_target(state, e)), cause, safe);
        n++;
    }
    if (n == 0) act_failed(control, rule, twin, "it is related to no twin", cause);
}

// {"root": TWIN, "save": true} and what the rule says, which may be otherwise.
static char *futures_request(const gm_action *action, gm_str twin)
{
    json_t *request = json_loadb(action->value.ptr, action->value.len, 0, NULL);
    gm_str  root    = action->twin.len > 0 ? action->twin : twin;
    bool    rooted  = json_object_get(request, "root") != NULL || json_object_get(request, "roots") != NULL || json_object_get(request, "fleet") != NULL;
    bool    good    = request != NULL && (rooted || json_object_set_new(request, "root", json_stringn(root.ptr, root.len)) == 0) &&
                (json_object_get(request, "save") != NULL || json_object_set_new(request, "save", json_true()) == 0);
    char   *text    = good ? json_dumps(request, JSON_COMPACT) : NULL;
    json_decref(request);
    return text;
}

// A job computes and changes nothing: one whose decision is lost in a crash is started again.
static void act_futures(gm_control *control, const gm_statement *rule, const gm_action *action, gm_str twin, gm_str cause)
{
    char     id[GM_CONTROL_FUTURES_ID] = "";
    gm_error err  = { 0 };
    char    *text = futures_request(action, twin);
    gm_status st  = text == NULL ? gm_fail(&err, GM_NOMEM, WHERE, "asking for futures")
                  : control->options.futures == NULL ? gm_fail(&err, GM_INVALID, WHERE, "there are no futures here")
                                                     : control->options.futures(control->options.context, gm_str_of(text), id, &err);
    free(text);
    if (st != GM_OK) {
        act_failed(control, rule, twin, err.text, cause);
        return;
    }
    gm_buf json = gm_buf_init(control->alloc);
    gm_buf_text(&json, "{\"futures\":");
    gm_buf_json_str(&json, gm_str_of(id));
    gm_json_member(&json, "twin", twin);
    gm_buf_text(&json, ",\"cause\":{");
    gm_buf_str(&json, cause);
    gm_buf_text(&json, "}}");
    if (!json.failed) gm_journal_post(control->journal, GM_CHANGE_RULE_DONE, rule->name, GM_STR("futures"), gm_buf_view(&json));
    gm_buf_finish(&json);
}

// A watchdog acts only where something is armed: it disarms, and that drives to the safe values.
static void act_watchdog(gm_control *control, const gm_statement *rule, gm_str twin, gm_str cause)
{
    gm_str why;
    bool   armed = gm_arming_admits(control->arming, gm_state_find(gm_engine_state(control->options.engine), twin), &why);
    if (armed) gm_arming_trip(control->arming, twin, cause);
    act_failed(control, rule, twin, armed ? "it disarms" : "nothing is armed here", cause);
}

static void act(void *context, const gm_statement *rule, const gm_action *action, gm_str twin, gm_turn turn, gm_str cause)
{
    gm_control *control = context;
    bool        moves   = action->kind == GM_DO_COMMAND || action->kind == GM_DO_SET;
    if (rule->kind == GM_STATEMENT_WATCHDOG && moves) {
        act_watchdog(control, rule, twin, cause);
        return;
    }
    switch (action->kind) {
    case GM_DO_ALARM: act_alarm(control, rule, action, twin, turn, cause); break;
    case GM_DO_EVENT: act_event(control, rule, action, twin, cause); break;
    case GM_DO_FUTURES: act_futures(control, rule, action, twin, cause); break;
    case GM_DO_COMMAND: case GM_DO_SET: act_command(control, rule, action, twin, cause, false); break;
    case GM_DO_WORK_ORDER: gm_work_orders_open(control->orders, action->twin.len > 0 ? action->twin : twin, action->name, rule->name, cause); break;
    }
}

// The safe values that watchdogs declare, on every twin under `root` (empty: on all).
typedef struct making_safe { gm_control *control; gm_str root, reason; } making_safe;

static void make_one_safe(void *context, const gm_rule_status *status)
{
    making_safe *m = context;
    const gm_state *state = gm_engine_state(m->control->options.engine);
    gm_twin root = gm_state_find(state, m->root), twin = gm_state_find(state, status->twin);
    if (m->root.len > 0 && (!gm_twin_ok(root) || !gm_subtree_contains(state, root, m->control->relationships, twin))) return;
    const gm_rulebook *book = gm_rules_book(m->control->rules);
    for (size_t i = 0; i < book->count; i++) {
        const gm_statement *s = book->items[i];
        if (s->kind != GM_STATEMENT_WATCHDOG || !gm_str_eq(s->name, status->rule)) continue;
        gm_buf cause = gm_buf_init(m->control->alloc);
        gm_buf_text(&cause, "\"watchdog\":");
        gm_buf_json_str(&cause, s->name);
        gm_json_member(&cause, "reason", m->reason);
        for (size_t a = 0; a < s->action_count && !cause.failed; a++) {
            if (s->actions[a].kind == GM_DO_COMMAND || s->actions[a].kind == GM_DO_SET) act_command(m->control, s, &s->actions[a], status->twin, gm_buf_view(&cause), true);
        }
        gm_buf_finish(&cause);
    }
}

static void make_safe(void *context, gm_str root, gm_str reason)
{
    making_safe m = { context, root, reason };
    if (gm_rules_book(m.control->rules) != NULL) gm_rules_each(m.control->rules, GM_STR(""), make_one_safe, &m);
}

// Alarms whose rule is gone have nothing that could clear them.
static void sweep(gm_control *control)
{
    for (size_t i = 0; i < gm_alarms_count(control->alarms); i++) {
        gm_alarm a = gm_alarms_at(control->alarms, i);
        if (!a.active || gm_rules_has(control->rules, a.is.name, a.is.twin)) continue;
        gm_alarms_lower(control->alarms, a.key, GM_ALARM_CLEAR, GM_STR("\"reason\":\"its rule is gone\""));
    }
}

// An estimate that does not fit its plant any more says so as an anomaly (docs/estimation.md): whatever acts by itself on the
// twins that it is about may do so on numbers that are wrong.
static void distrust(gm_control *control, const gm_change *change)
{
    if (change->flags != 0 || !gm_str_ends(change->name, GM_STR(": the model no longer fits"))) return;
    json_t       *text = json_loadb(change->text.ptr, change->text.len, 0, NULL), *twin;
    const json_t *twins = json_object_get(text, "twins");
    size_t        i;
    gm_buf        cause = gm_buf_init(control->alloc);
    gm_buf_text(&cause, "\"anomaly\":");
    gm_buf_json_str(&cause, change->name);
    if (!cause.failed) gm_arming_trip(control->arming, change->id, gm_buf_view(&cause));
    json_array_foreach((json_t *)(uintptr_t)twins, i, twin)
    {
        if (!cause.failed && json_is_string(twin)) gm_arming_trip(control->arming, gm_str_of(json_string_value(twin)), gm_buf_view(&cause));
    }
    gm_buf_finish(&cause);
    json_decref(text);
}

static void observe(void *context, const gm_record *record, const gm_change *change)
{
    gm_control *control = context;
    gm_decision d;
    if (change->kind == GM_CHANGE_ANOMALY) distrust(control, change);
    if (change->kind == GM_CHANGE_WRITE || change->kind == GM_CHANGE_TWIN_PUT) gm_commands_touch(control->commands, (gm_twin){ change->twin });
    if (!gm_journal_read(record, change, &d)) return;
    if (change->kind == GM_CHANGE_RULES) sweep(control);
    gm_arming_after(control->arming, &d);
    gm_commands_after(control->commands, &d);
    gm_work_orders_after(control->orders, &d);
}

// ---- the rules in force -------------------------------------------------------------------------------------------

// The files of a decision's text, added to the book one by one. GM_INVALID: *out_file says which.
static gm_status read_files(gm_rulebook *book, gm_str text, size_t *out_file, gm_error *err)
{
    *out_file = 0;
    if (text.len == 0) return GM_OK;
    gm_bytes  in = { .at = (const uint8_t *)text.ptr, .end = (const uint8_t *)text.ptr + text.len };
    gm_status st = GM_OK;
    for (; st == GM_OK && gm_bytes_left(&in) > 0; ++*out_file) {
        gm_str name = gm_bytes_text(&in), body = gm_bytes_text(&in);
        if (in.bad) return gm_fail(err, GM_CORRUPT, WHERE, "the rules in force end in the middle");
        st = gm_rulebook_add(book, name, body, err);
        if (st != GM_OK) return st;
    }
    return st;
}

static gm_status install(gm_control *control, gm_str text, gm_time_ns at, uint64_t sequence, gm_error *err)
{
    gm_rulebook *book;
    gm_error     why = { 0 };
    size_t       file;
    gm_status    st = gm_rulebook_create(control->alloc, &book, err);
    if (st != GM_OK) return st;
    // Rules of an older version that do not read any more are left out, told with the next check.
    st = read_files(book, text, &file, &why);
    if (st == GM_NOMEM || st == GM_CORRUPT) {
        gm_rulebook_destroy(book);
        return gm_fail(err, st, WHERE, "%s", why.text);
    }
    gm_buf_clear(&control->text);
    gm_buf_str(&control->text, text);
    if (control->text.failed) {
        gm_rulebook_destroy(book);
        return gm_fail(err, GM_NOMEM, WHERE, "keeping rules");
    }
    return gm_rules_install(control->rules, book, at, sequence, err);
}

static gm_status fold_rules(void *context, const gm_decision *d, gm_error *err)
{
    return install(context, d->text, d->at, d->sequence, err);
}

gm_status gm_control_set_rules(gm_control *control, const gm_control_file *files, size_t count, size_t *out_file, gm_error *err)
{
    gm_buf       text = gm_buf_init(control->alloc);
    gm_rulebook *book = NULL;
    for (size_t i = 0; i < count; i++) {
        gm_buf_text_of(&text, files[i].name);
        gm_buf_text_of(&text, files[i].text);
    }
    gm_status st = text.failed ? gm_fail(err, GM_NOMEM, WHERE, "reading rules")
                 : text.len > GM_RULES_TEXT_MAX ? gm_fail(err, GM_LIMIT, WHERE, "rules have at most 4 MiB together") : GM_OK;
    bool same = st == GM_OK && gm_str_eq(gm_buf_view(&text), gm_buf_view(&control->text));
    if (st == GM_OK && !same) st = gm_rulebook_create(control->alloc, &book, err);
    if (st == GM_OK && !same) st = read_files(book, gm_buf_view(&text), out_file, err);
    if (st == GM_OK && !same) gm_journal_post(control->journal, GM_CHANGE_RULES, GM_STR(""), GM_STR("rules"), gm_buf_view(&text));
    gm_rulebook_destroy(book);
    gm_buf_finish(&text);
    return st;
}

static void save_rules(void *context, gm_buf *out)
{
    const gm_control *control = context;
    gm_buf_text_of(out, gm_buf_view(&control->text));
    gm_rules_save(control->rules, out);
}

static gm_status load_rules(void *context, const uint8_t *bytes, size_t size, gm_error *err)
{
    gm_control *control = context;
    gm_bytes    in      = { .at = bytes, .end = bytes + size };
    gm_str      text    = size > 0 ? gm_bytes_text(&in) : (gm_str){ 0 };
    if (in.bad) return gm_fail(err, GM_CORRUPT, WHERE, "the rules in force end in the middle");
    gm_rules_forget(control->rules);
    gm_status st = install(control, text, 0, 0, err);
    return st == GM_OK ? gm_rules_load(control->rules, in.at, size > 0 ? gm_bytes_left(&in) : 0, err) : st;
}

// ---- messages -----------------------------------------------------------------------------------------------------

enum { LEVELS = 7 };
static size_t levels_of(gm_str topic, gm_str levels[LEVELS])
{
    size_t n = 0;
    while (n < LEVELS && gm_str_next(&topic, '/', &levels[n])) n++;
    return n;
}

bool gm_control_guards(const gm_control *control, gm_str topic)
{
    gm_str levels[LEVELS], id;
    if (!gm_str_starts(topic, GM_STR("gemel/"))) return false;
    size_t n       = levels_of(topic, levels);
    bool   desired = (n == 3 || n == 4) && gm_str_is(levels[n - 1], "desired"), command = n >= 4 && gm_str_is(levels[2], "commands") && !gm_str_is(levels[n - 1], "response");
    const gm_rulebook *book = gm_rules_book(control->rules);
    if (book == NULL || (!desired && !command)) return false;
    gm_arena *arena = gm_arena_create(control->alloc, 0);
    bool      found = arena == NULL, matches;
    gm_twin   twin  = arena != NULL && gm_percent_decode(arena, levels[1], &id, NULL) == GM_OK ? gm_state_find(gm_engine_state(control->options.engine), id) : (gm_twin){ GM_NONE };
    for (size_t i = 0; !found && gm_twin_ok(twin) && i < book->count; i++) {
        const gm_statement *s = book->items[i];
        if (s->kind != GM_STATEMENT_INTERLOCK) continue;
        // What can not be asked is guarded.
        found = gm_query_matches(s->query, gm_engine_state(control->options.engine), twin, &matches, NULL) != GM_OK || matches;
    }
    gm_arena_destroy(arena);
    return found;
}

void gm_control_hear(gm_control *control, gm_str topic, gm_str payload)
{
    gm_str levels[LEVELS];
    if (!gm_str_starts(topic, GM_STR("gemel/")) || !gm_str_ends(topic, GM_STR("/response")) || !control->started) return;
    if (levels_of(topic, levels) == 6 && gm_str_is(levels[2], "commands")) (void)gm_commands_answer(control->commands, topic, payload);
}

// ---- life cycle ---------------------------------------------------------------------------------------------------

static gm_status create_parts(gm_control *control, gm_error *err)
{
    const gm_control_options *o = &control->options;
    gm_rules_options rules = { .alloc = o->alloc, .clock = o->clock, .loop = o->loop, .engine = o->engine, .facts = o->facts, .act = act, .context = control };
    gm_status st  = gm_journal_create(o->alloc, o->engine, &control->journal, err);
    rules.journal = control->journal;
    if (st == GM_OK) st = gm_alarms_create(o->alloc, o->clock, o->engine, control->journal, &control->alarms, err);
    if (st == GM_OK) st = gm_rules_create(&rules, &control->rules, err);
    if (st == GM_OK) st = gm_arming_create(o->alloc, o->clock, o->engine, control->journal, control->relationships, &control->arming, err);
    gm_commands_options commands = { .alloc = o->alloc, .clock = o->clock, .engine = o->engine, .journal = control->journal, .rules = control->rules,
                                     .arming = control->arming, .facts = o->facts, .send = o->send, .context = o->context };
    if (st == GM_OK) st = gm_commands_create(&commands, &control->commands, err);
    gm_work_orders_options orders = { .alloc = o->alloc, .clock = o->clock, .engine = o->engine, .journal = control->journal, .send = o->send, .context = o->context };
    if (st == GM_OK) st = gm_work_orders_create(&orders, &control->orders, err);
    if (st != GM_OK) return st;
    gm_journal_own(control->journal, GM_CHANGE_RULES, fold_rules, control);
    gm_engine_keep(o->engine, &(gm_keeper){ "control.rules", control, save_rules, load_rules });
    return GM_OK;
}

gm_status gm_control_create(const gm_control_options *o, gm_control **out, gm_error *err)
{
    gm_control *control = gm_alloc_zeroed(o->alloc, sizeof *control);
    *out                = NULL;
    if (control == NULL) return gm_fail(err, GM_NOMEM, WHERE, "starting control");
    control->alloc   = o->alloc;
    control->options = *o;
    control->text    = gm_buf_init(o->alloc);
    char *names      = gm_alloc_bytes(o->alloc, o->relationships.len + 1);
    gm_status st     = names != NULL ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "starting control");
    if (names != NULL && o->relationships.len > 0) memcpy(names, o->relationships.ptr, o->relationships.len);
    control->relationships = (gm_str){ names, o->relationships.len };
    if (st == GM_OK) st = create_parts(control, err);
    if (st == GM_OK) *out = control;
    else gm_control_destroy(control);
    return st;
}

gm_status gm_control_start(gm_control *control, gm_error *err)
{
    gm_status st     = gm_loop_after(control->options.loop, GM_SECOND, tick, control, &control->timer, err);
    control->started = st == GM_OK;
    if (st == GM_OK) st = gm_engine_observe(control->options.engine, observe, control, err);
    if (st != GM_OK) return st;
    gm_arming_start(control->arming, make_safe, control);
    gm_rules_start(control->rules);
    gm_commands_start(control->commands);
    gm_arming_resume_safe(control->arming);
    if (control->text.len > 0) sweep(control);
    return GM_OK;
}

void gm_control_stop(gm_control *control)
{
    if (control == NULL || !control->started) return;
    gm_rules_stop(control->rules);
    gm_engine_unobserve(control->options.engine, observe, control);
    gm_loop_cancel(control->timer);
    control->timer   = NULL;
    control->started = false;
}

void gm_control_destroy(gm_control *control)
{
    if (control == NULL) return;
    gm_control_stop(control);
    gm_work_orders_destroy(control->orders);
    gm_commands_destroy(control->commands);
    gm_arming_destroy(control->arming);
    gm_rules_destroy(control->rules);
    gm_alarms_destroy(control->alarms);
    gm_journal_destroy(control->journal);
    gm_buf_finish(&control->text);
    gm_free(control->alloc, (void *)(uintptr_t)control->relationships.ptr);
    gm_free(control->alloc, control);
}

gm_alarms  *gm_control_alarms(gm_control *control) { return control->alarms; }
gm_journal *gm_control_journal(gm_control *control) { return control->journal; }
bool gm_control_asks_rollup(const gm_control *control, gm_str name) { return gm_rules_ask_rollup(control->rules, name); }
const gm_query_facts *gm_control_facts(const gm_control *control) { return control->options.facts; }
gm_rules   *gm_control_rules(gm_control *control) { return control->rules; }
gm_arming  *gm_control_arming(gm_control *control) { return control->arming; }
gm_commands *gm_control_commands(gm_control *control) { return control->commands; }
gm_work_orders *gm_control_work_orders(gm_control *control) { return control->orders; }
gm_str      gm_control_relationships(const gm_control *control) { return control->relationships; }
