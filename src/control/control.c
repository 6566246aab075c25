// Start and stop of the station, its clock (once a second what has run out of time is ended), the rules in force, and what
// their actions do.
#include "control/control.h"

#include "base/bytes.h"
#include "control/json.h"
#include "control/rules.h"

static const char WHERE[] = "control";

struct gm_control {
    gm_control_options options;
    const gm_alloc    *alloc;
    gm_timer          *timer;
    gm_journal        *journal;
    gm_alarms         *alarms;
    gm_rules          *rules;
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

static void act(void *context, const gm_statement *rule, const gm_action *action, gm_str twin, gm_turn turn, gm_str cause)
{
    gm_control *control = context;
    switch (action->kind) {
    case GM_DO_ALARM: act_alarm(control, rule, action, twin, turn, cause); break;
    default: act_event(control, rule, action, twin, cause); break;
    }
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

static void observe(void *context, const gm_record *record, const gm_change *change)
{
    (void)record;
    if (change->kind == GM_CHANGE_RULES) sweep(context);
}

// ---- the rules in force -------------------------------------------------------------------------------------------

// The files of a decision's text, added to the book one by one. GM_INVALID: *out_file says which.
static gm_status read_files(gm_rulebook *book, gm_str text, size_t *out_file, gm_error *err)
{
    gm_bytes  in = { .at = (const uint8_t *)text.ptr, .end = (const uint8_t *)text.ptr + text.len };
    gm_status st = GM_OK;
    for (*out_file = 0; st == GM_OK && gm_bytes_left(&in) > 0; ++*out_file) {
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

// ---- life cycle ---------------------------------------------------------------------------------------------------

static gm_status create_parts(gm_control *control, gm_error *err)
{
    const gm_control_options *o = &control->options;
    gm_rules_options rules = { .alloc = o->alloc, .clock = o->clock, .loop = o->loop, .engine = o->engine, .act = act, .context = control };
    gm_status st  = gm_journal_create(o->alloc, o->engine, &control->journal, err);
    rules.journal = control->journal;
    if (st == GM_OK) st = gm_alarms_create(o->alloc, o->clock, o->engine, control->journal, &control->alarms, err);
    if (st == GM_OK) st = gm_rules_create(&rules, &control->rules, err);
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
    gm_rules_start(control->rules);
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
    gm_rules_destroy(control->rules);
    gm_alarms_destroy(control->alarms);
    gm_journal_destroy(control->journal);
    gm_buf_finish(&control->text);
    gm_free(control->alloc, (void *)(uintptr_t)control->relationships.ptr);
    gm_free(control->alloc, control);
}

gm_alarms  *gm_control_alarms(gm_control *control) { return control->alarms; }
gm_journal *gm_control_journal(gm_control *control) { return control->journal; }
gm_rules   *gm_control_rules(gm_control *control) { return control->rules; }
gm_str      gm_control_relationships(const gm_control *control) { return control->relationships; }
