// Steps of a command's life. Invariant: nothing is published but from send_now, behind gm_commands_permit, for a command whose
// "sent" is durable.
#include "control/commands_parts.h"

#include "base/percent.h"
#include "control/json.h"
#include "state/document.h"

#include <sys/random.h>

static const char WHERE[] = "control.commands";
#define NO_EFFECT "the effect was not measured in time"
#define NO_ANSWER "the device did not answer in time"

static gm_change_kind kind_of(bool set) { return set ? GM_CHANGE_DESIRED : GM_CHANGE_COMMAND; }

// What undoes the command when its effect does not come; NULL: nothing does.
static const gm_statement *undoing(gm_commands *c, const gm_command_entry *e)
{
    gm_twin             twin   = gm_state_find(gm_commands_state(c), e->is.twin);
    const gm_statement *policy = gm_twin_ok(twin) ? gm_commands_policy(c, e->is.set, e->is.name, twin) : NULL;
    return policy != NULL && policy->rollback.len > 0 && e->sent != GM_ABSENT && !e->safe ? policy : NULL;
}

// That a rollback is owed stands in the very decision that it failed: a crash between the two does not lose it.
static void step(gm_commands *c, gm_command_entry *e, gm_command_state state, gm_str who, gm_str reason)
{
    bool owes = (state == GM_COMMAND_FAILED || state == GM_COMMAND_TIMED_OUT) && undoing(c, e) != NULL;
    gm_buf json = gm_buf_init(c->alloc);
    gm_buf_text(&json, "{\"by\":");
    gm_buf_json_str(&json, who.len > 0 ? who : GM_STR("gemel"));
    gm_json_member(&json, "reason", reason);
    if (owes) gm_buf_text(&json, ",\"rollback\":true");
    gm_buf_byte(&json, '}');
    e->submitted = true;
    if (!json.failed) gm_journal_post(c->options.journal, kind_of(e->is.set), e->is.id, gm_str_of(gm_command_state_name(state)), gm_buf_view(&json));
    gm_buf_finish(&json);
}

static void step_id(gm_commands *c, bool set, gm_str id, gm_command_state state)
{
    gm_journal_post(c->options.journal, kind_of(set), id, gm_str_of(gm_command_state_name(state)), GM_STR("{\"by\":\"gemel\"}"));
}

static gm_command_request request_of(const gm_command_entry *e, const json_t *value)
{
    return (gm_command_request){ .twin = e->is.twin, .name = e->is.name, .set = e->is.set, .value = value, .who = e->is.who,
                                 .automatic = e->is.automatic, .safe = e->safe };
}

// ---- asking -------------------------------------------------------------------------------------------------------

static bool make_id(char out[GM_COMMAND_ID])
{
    uint8_t bytes[8];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) return false;
    for (size_t i = 0; i < sizeof bytes; i++) {
        static const char digits[] = "0123456789abcdef";
        out[2 * i]     = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[GM_COMMAND_ID - 1] = '\0';
    return true;
}

static void write_request(const gm_command_request *r, const char *reason, gm_buf *json)
{
    gm_buf_text(json, "{\"twin\":");
    gm_buf_json_str(json, r->twin);
    gm_json_member(json, "name", r->name);
    if (r->value != NULL) {
        gm_buf_text(json, ",\"value\":");
        gm_document_compact(r->value, json);
    }
    gm_json_member(json, "who", r->who);
    if (r->automatic) gm_buf_text(json, ",\"automatic\":true");
    if (r->safe) gm_buf_text(json, ",\"safe\":true");
    gm_json_member(json, "reason", gm_str_of(reason));
    if (r->cause.len > 0) {
        gm_buf_text(json, ",\"cause\":{");
        gm_buf_str(json, r->cause);
        gm_buf_byte(json, '}');
    }
    gm_buf_byte(json, '}');
}

static void supersede(gm_commands *c, const gm_command_request *r)
{
    for (size_t i = 0; r->set && i < c->count; i++) {
        gm_command_entry *e = &c->items[i];
        if (e->is.set && !gm_command_over(e->is.state) && gm_str_eq(e->is.twin, r->twin) && gm_str_eq(e->is.name, r->name))
            step(c, e, GM_COMMAND_FAILED, r->who, GM_STR("superseded by a newer desired value"));
    }
}

gm_status gm_commands_request(gm_commands *c, const gm_command_request *r, gm_ask ask, char out_id[GM_COMMAND_ID], gm_error *err)
{
    gm_error why  = { 0 };
    gm_twin  twin = gm_state_find(gm_commands_state(c), r->twin);
    gm_buf   json = gm_buf_init(c->alloc);
    out_id[0]     = '\0';
    if (!gm_twin_ok(twin)) gm_fail(&why, GM_NOTFOUND, WHERE, "there is no twin '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(r->twin, 0, 100)));
    else if (gm_commands_validate(c, r, twin, &why) == GM_OK) (void)!gm_commands_permit(c, r, twin, false, &why);
    if (!make_id(out_id)) return gm_fail(err, GM_IO, WHERE, "there are no random numbers");
    gm_str      unarmed_why;
    bool        unarmed = why.status == GM_CONFLICT && r->automatic && !r->safe && !gm_arming_admits(c->options.arming, twin, &unarmed_why);
    const char *first   = why.status == GM_OK ? "requested" : unarmed ? "advised" : "refused";
    write_request(r, why.text, &json);
    gm_status st = json.failed || json.len > GM_COMMAND_VALUE_MAX ? gm_fail(err, GM_LIMIT, WHERE, "a command has at most %d bytes", GM_COMMAND_VALUE_MAX) : GM_OK;
    gm_str    id = gm_str_of(out_id);
    if (st == GM_OK && r->automatic) gm_journal_post(c->options.journal, kind_of(r->set), id, gm_str_of(first), gm_buf_view(&json));
    else if (st == GM_OK) st = gm_journal_write(c->options.journal, kind_of(r->set), id, gm_str_of(first), gm_buf_view(&json), why.status == GM_OK ? ask : (gm_ask){ 0 }, err);
    gm_buf_finish(&json);
    if (st != GM_OK) out_id[0] = '\0';
    if (st == GM_OK && why.status != GM_OK) {
        if (err != NULL) *err = why;
        return why.status;
    }
    if (st != GM_OK) return st;
    const gm_statement *policy = gm_commands_policy(c, r->set, r->name, twin);
    supersede(c, r);
    step_id(c, r->set, id, GM_COMMAND_VALIDATED);
    step_id(c, r->set, id, GM_COMMAND_PERMITTED);
    step_id(c, r->set, id, policy != NULL && policy->approve && !r->safe ? GM_COMMAND_WAITING : GM_COMMAND_SENT);
    return GM_OK;
}

gm_status gm_commands_approve(gm_commands *c, gm_str id, gm_str who, gm_ask ask, gm_error *err)
{
    gm_command_entry *e = gm_commands_entry(c, id);
    if (e == NULL) return gm_fail(err, GM_NOTFOUND, WHERE, "there is no command '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(id, 0, 60)));
    if (e->is.state != GM_COMMAND_WAITING) return gm_fail(err, GM_CONFLICT, WHERE, "the command is %s: there is nothing to approve", gm_command_state_name(e->is.state));
    if (gm_str_eq(e->is.who, who)) return gm_fail(err, GM_INVALID, WHERE, "somebody else than the one who asked must approve it");
    gm_twin             twin   = gm_state_find(gm_commands_state(c), e->is.twin);
    const gm_statement *policy = gm_twin_ok(twin) ? gm_commands_policy(c, e->is.set, e->is.name, twin) : NULL;
    if (policy != NULL && gm_command_age(c, e) > policy->approve_within) return gm_fail(err, GM_CONFLICT, WHERE, "the time to approve it is over");
    gm_buf json = gm_buf_init(c->alloc);
    gm_buf_text(&json, "{\"by\":");
    gm_buf_json_str(&json, who);
    gm_buf_byte(&json, '}');
    gm_status st = json.failed ? gm_fail(err, GM_NOMEM, WHERE, "approving") : gm_journal_write(c->options.journal, kind_of(e->is.set), e->is.id, GM_STR("approved"), gm_buf_view(&json), ask, err);
    gm_buf_finish(&json);
    return st;
}

// ---- sending ------------------------------------------------------------------------------------------------------

static bool add_leaf(gm_buf *out, gm_str name, gm_str value, bool first)
{
    if (!first) gm_buf_byte(out, ',');
    gm_buf_json_str(out, name);
    gm_buf_byte(out, ':');
    gm_buf_str(out, value);
    return false;
}

static gm_str component_of(gm_str path)
{
    size_t slash = gm_str_find_char(path, '/');
    return slash != SIZE_MAX ? gm_str_slice(path, 0, slash) : GM_STR("");
}

// Everything that the twin (or its component) still has to do, retained: whoever comes back gets it once. Nothing: cleared.
static gm_status publish_desired(gm_commands *c, gm_str twin, gm_str component, gm_error *err)
{
    gm_buf   topic = gm_buf_init(c->alloc), body = gm_buf_init(c->alloc);
    bool     first = true;
    uint64_t version = 0;
    gm_buf_byte(&body, '{');
    for (size_t i = gm_commands_first_open(c); i < c->count; i++) {
        const gm_command_entry *e = &c->items[i];
        if (!e->is.set || e->is.state != GM_COMMAND_SENT || !gm_str_eq(e->is.twin, twin) || !gm_str_eq(component_of(e->is.name), component)) continue;
        gm_str leaf = component.len > 0 ? gm_str_slice(e->is.name, component.len + 1, e->is.name.len) : e->is.name;
        first       = add_leaf(&body, leaf, e->is.value, first);
        if (e->is.version > version) version = e->is.version;
    }
    gm_buf_printf(&body, "%s\"$version\":%llu}", first ? "" : ",", (unsigned long long)version);
    gm_buf_text(&topic, "gemel/");
    gm_percent_encode(&topic, twin);
    if (component.len > 0) gm_buf_byte(&topic, '/');
    if (component.len > 0) gm_percent_encode(&topic, component);
    gm_buf_text(&topic, "/desired");
    gm_status st = topic.failed || body.failed ? gm_fail(err, GM_NOMEM, WHERE, "sending")
                 : c->options.send(c->options.context, &(gm_sending){ .topic = gm_buf_view(&topic), .payload = first ? GM_STR("") : gm_buf_view(&body), .retain = true }, err);
    gm_buf_finish(&topic);
    gm_buf_finish(&body);
    return st;
}

// Nobody may get it after its deadline: then it counts as not done, and what was done instead must hold.
static gm_status publish_command(gm_commands *c, const gm_command_entry *e, gm_dur_ns deadline, gm_error *err)
{
    gm_buf    topic = gm_buf_init(c->alloc);
    gm_dur_ns left  = deadline - gm_command_age(c, e);
    gm_buf_text(&topic, "gemel/");
    gm_percent_encode(&topic, e->is.twin);
    gm_buf_text(&topic, "/commands/");
    gm_percent_encode(&topic, e->is.name);
    gm_buf_printf(&topic, "/" GM_STR_FMT, GM_STR_ARG(e->is.id));
    gm_status st = topic.failed ? gm_fail(err, GM_NOMEM, WHERE, "sending")
                 : left <= 0 ? gm_fail(err, GM_CONFLICT, WHERE, NO_ANSWER)
                             : c->options.send(c->options.context, &(gm_sending){ .topic = gm_buf_view(&topic), .payload = e->is.value.len > 0 ? e->is.value : GM_STR("null"), .lifetime = left }, err);
    gm_buf_finish(&topic);
    return st;
}

static gm_dur_ns deadline_of(const gm_statement *policy) { return policy != NULL ? policy->deadline : 10 * GM_SECOND; }

// resumed: it may have left in an earlier run already, so there may be something to undo.
static void send_now(gm_commands *c, gm_command_entry *e, bool resumed)
{
    gm_error           err   = { 0 };
    gm_twin            twin  = gm_state_find(gm_commands_state(c), e->is.twin);
    json_t            *value = json_loadb(e->is.value.ptr, e->is.value.len, JSON_DECODE_ANY, NULL);
    gm_command_request r     = request_of(e, value);
    gm_status          st    = gm_twin_ok(twin) ? gm_commands_permit(c, &r, twin, true, &err) : gm_fail(&err, GM_NOTFOUND, WHERE, "the twin is gone");
    if (st == GM_OK && c->options.send == NULL) st = gm_fail(&err, GM_IO, WHERE, "there is no way to the devices");
    if (st == GM_OK && e->is.set) st = publish_desired(c, e->is.twin, component_of(e->is.name), &err);
    else if (st == GM_OK) st = publish_command(c, e, deadline_of(gm_commands_policy(c, false, e->is.name, twin)), &err);
    json_decref(value);
    if (st == GM_OK) return;
    if (!resumed) e->sent = GM_ABSENT;  // it never left, so there is nothing to undo
    step(c, e, GM_COMMAND_FAILED, GM_STR(""), gm_str_of(err.text));
}

// ---- going on -----------------------------------------------------------------------------------------------------

static void verify(gm_commands *c, gm_command_entry *e)
{
    bool due = e->is.set ? e->is.state == GM_COMMAND_SENT : e->is.state == GM_COMMAND_ACKNOWLEDGED;
    if (!due || e->submitted || !gm_commands_effect(c, e)) return;
    step(c, e, GM_COMMAND_VERIFIED, GM_STR(""), GM_STR(""));
}

// What was sent and did not come to its effect is undone, where the rules say how.
static void roll_back(gm_commands *c, gm_command_entry *e)
{
    const gm_statement *policy = e->owes ? undoing(c, e) : NULL;
    char                id[GM_COMMAND_ID], cause[64];
    if (policy == NULL) return;
    snprintf(cause, sizeof cause, "\"rollbackOf\":\"%.*s\"", (int)e->is.id.len, e->is.id.ptr);
    json_t            *value = json_loadb(policy->rollback_value.ptr, policy->rollback_value.len, JSON_DECODE_ANY, NULL);
    gm_command_request r     = { .twin = e->is.twin, .name = policy->rollback, .value = value, .who = GM_STR("gemel"), .automatic = true, .safe = true, .cause = gm_str_of(cause) };
    (void)!gm_commands_request(c, &r, (gm_ask){ 0 }, id, NULL);
    step(c, e, GM_COMMAND_ROLLED_BACK, GM_STR(""), e->is.reason);
    json_decref(value);
}

// Who commands by itself what nobody does must stop commanding: the twin is disarmed, and driven to its safe values.
static void disobeyed(gm_commands *c, const gm_command_entry *e)
{
    char cause[64];
    bool lost = e->is.state == GM_COMMAND_TIMED_OUT || gm_str_is(e->is.reason, NO_EFFECT) || gm_str_is(e->is.reason, NO_ANSWER);
    if (!lost || !e->is.automatic || e->safe) return;
    snprintf(cause, sizeof cause, "\"command\":\"%.*s\"", (int)e->is.id.len, e->is.id.ptr);
    gm_arming_trip_since(c->options.arming, e->is.twin, e->is.changed, gm_str_of(cause));
}

static void go_on(gm_commands *c, gm_command_entry *e, bool resumed)
{
    gm_error            err  = { 0 };
    gm_twin             twin = gm_state_find(gm_commands_state(c), e->is.twin);
    const gm_statement *policy = gm_twin_ok(twin) ? gm_commands_policy(c, e->is.set, e->is.name, twin) : NULL;
    switch (e->is.state) {
    case GM_COMMAND_REQUESTED: case GM_COMMAND_VALIDATED:
        if (resumed) step(c, e, e->is.state == GM_COMMAND_REQUESTED ? GM_COMMAND_VALIDATED : GM_COMMAND_PERMITTED, GM_STR(""), GM_STR("resumed"));
        if (resumed && e->is.state == GM_COMMAND_REQUESTED) step(c, e, GM_COMMAND_PERMITTED, GM_STR(""), GM_STR("resumed"));
        if (resumed) step(c, e, policy != NULL && policy->approve && !e->safe ? GM_COMMAND_WAITING : GM_COMMAND_SENT, GM_STR(""), GM_STR("resumed"));
        break;
    case GM_COMMAND_PERMITTED:
        if (resumed) step(c, e, policy != NULL && policy->approve && !e->safe ? GM_COMMAND_WAITING : GM_COMMAND_SENT, GM_STR(""), GM_STR("resumed"));
        break;
    case GM_COMMAND_APPROVED: step(c, e, GM_COMMAND_SENT, GM_STR(""), GM_STR("")); break;
    case GM_COMMAND_SENT:
        if (e->is.set) verify(c, e);
        if (!e->submitted) send_now(c, e, resumed);
        break;
    case GM_COMMAND_ACKNOWLEDGED: verify(c, e); break;
    case GM_COMMAND_VERIFIED:
        step(c, e, GM_COMMAND_CLOSED, GM_STR(""), GM_STR(""));
        break;
    case GM_COMMAND_FAILED: case GM_COMMAND_TIMED_OUT:
        roll_back(c, e);
        disobeyed(c, e);
        break;
    default: break;
    }
    // The retained message follows what is still to be done.
    if (e->is.set && e->sent != GM_ABSENT && e->is.state > GM_COMMAND_ACKNOWLEDGED && e->is.state != GM_COMMAND_CLOSED && c->options.send != NULL)
        (void)!publish_desired(c, e->is.twin, component_of(e->is.name), &err);
}

void gm_commands_after(gm_commands *c, const gm_decision *d)
{
    if (!c->started || (d->kind != GM_CHANGE_COMMAND && d->kind != GM_CHANGE_DESIRED)) return;
    gm_command_entry *e = gm_commands_entry(c, d->id);
    if (e != NULL) go_on(c, e, false);
}

void gm_commands_start(gm_commands *c)
{
    gm_time_ns now = gm_now(c->options.clock);
    c->started     = true;
    for (size_t i = 0; i < c->count; i++) {
        gm_command_entry *e = &c->items[i];
        e->entered          = gm_monotonic(c->options.clock) - (now > e->is.changed ? now - e->is.changed : 0);
        if (!gm_command_over(e->is.state) || e->owes) go_on(c, e, true);
        else if (gm_command_over(e->is.state)) disobeyed(c, e);  // a crash right behind it has lost the disarming
    }
}

void gm_commands_touch(gm_commands *c, gm_twin twin)
{
    if (c->open == 0 || !gm_state_exists(gm_commands_state(c), twin) || c->open_of[gm_str_hash(gm_state_id(gm_commands_state(c), twin)) % GM_COMMANDS_TWINS] == 0) return;
    for (size_t i = gm_commands_first_open(c); i < c->count; i++) {
        gm_command_entry *e = &c->items[i];
        if (gm_command_over(e->is.state) || e->submitted) continue;
        if (gm_twin_ok(gm_state_find(gm_commands_state(c), e->is.twin)) && gm_state_find(gm_commands_state(c), e->is.twin).v == twin.v) verify(c, e);
    }
}

bool gm_commands_answer(gm_commands *c, gm_str topic, gm_str payload)
{
    gm_str rest = topic, part, id = { 0 };
    while (gm_str_next(&rest, '/', &part) && !gm_str_is(part, "response")) id = part;
    gm_command_entry *e = gm_commands_entry(c, id);
    if (e == NULL || e->is.set || e->is.state != GM_COMMAND_SENT || e->submitted) {
        c->stray++;
        return false;
    }
    json_t     *body   = json_loadb(payload.ptr, payload.len, JSON_DECODE_ANY, NULL);
    json_int_t  status = json_is_object(body) ? json_integer_value(json_object_get(body, "status")) : 200;
    gm_str      why    = gm_json_text(body, "error");
    if (status >= 200 && status < 300) step(c, e, GM_COMMAND_ACKNOWLEDGED, GM_STR("device"), GM_STR(""));
    else step(c, e, GM_COMMAND_FAILED, GM_STR("device"), why.len > 0 ? gm_str_slice(why, 0, 500) : GM_STR("the device refused it"));
    json_decref(body);
    return true;
}

void gm_commands_tick(gm_commands *c)
{
    for (size_t i = gm_commands_first_open(c); i < c->count; i++) {
        gm_command_entry *e   = &c->items[i];
        gm_dur_ns         age = gm_command_age(c, e);
        if (gm_command_over(e->is.state) || e->submitted) continue;
        gm_twin             twin   = gm_state_find(gm_commands_state(c), e->is.twin);
        const gm_statement *policy = gm_twin_ok(twin) ? gm_commands_policy(c, e->is.set, e->is.name, twin) : NULL;
        gm_dur_ns deadline = deadline_of(policy), effect = policy != NULL ? policy->expect_within : 0;
        if (e->is.state == GM_COMMAND_WAITING && policy != NULL && age > policy->approve_within)
            step(c, e, GM_COMMAND_FAILED, GM_STR(""), GM_STR("nobody approved it in time"));
        else if (e->is.state == GM_COMMAND_SENT && !e->is.set && age > deadline)
            step(c, e, GM_COMMAND_TIMED_OUT, GM_STR(""), GM_STR(NO_ANSWER));
        else if (e->is.state == (e->is.set ? GM_COMMAND_SENT : GM_COMMAND_ACKNOWLEDGED) && effect > 0 && age > effect)
            step(c, e, GM_COMMAND_FAILED, GM_STR(""), GM_STR(NO_EFFECT));
        else verify(c, e);
    }
}

// ---- life cycle, reading ------------------------------------------------------------------------------------------

gm_status gm_commands_create(const gm_commands_options *options, gm_commands **out, gm_error *err)
{
    gm_commands *c = gm_alloc_zeroed(options->alloc, sizeof *c);
    *out           = NULL;
    if (c != NULL) c->scratch = gm_arena_create(options->alloc, 16 << 20);
    if (c == NULL || c->scratch == NULL) {
        gm_free(options->alloc, c);
        return gm_fail(err, GM_NOMEM, WHERE, "starting control");
    }
    c->options = *options;
    c->alloc   = options->alloc;
    gm_commands_clear(c);
    gm_journal_own(options->journal, GM_CHANGE_COMMAND, gm_commands_fold, c);
    gm_journal_own(options->journal, GM_CHANGE_DESIRED, gm_commands_fold, c);
    gm_engine_keep(options->engine, &(gm_keeper){ "control.commands", c, gm_commands_save, gm_commands_load });
    *out = c;
    return GM_OK;
}

void gm_commands_destroy(gm_commands *c)
{
    if (c == NULL) return;
    gm_commands_clear(c);
    gm_free(c->alloc, c->items);
    gm_arena_destroy(c->scratch);
    gm_free(c->alloc, c);
}

size_t          gm_commands_count(const gm_commands *c) { return c->count; }
gm_command_view gm_commands_at(const gm_commands *c, size_t i) { return c->items[i].is; }
uint64_t        gm_commands_stray(const gm_commands *c) { return c->stray; }

bool gm_commands_find(const gm_commands *c, gm_str id, gm_command_view *out)
{
    const gm_command_entry *e = gm_commands_entry(c, id);
    if (e != NULL) *out = e->is;
    return e != NULL;
}

void gm_command_write(const gm_command_view *v, gm_buf *out)
{
    gm_buf_text(out, "{\"id\":");
    gm_buf_json_str(out, v->id);
    gm_json_member(out, "twin", v->twin);
    gm_json_member(out, v->set ? "property" : "command", v->name);
    if (v->value.len > 0) {
        gm_buf_text(out, ",\"value\":");
        gm_buf_str(out, v->value);
    }
    gm_json_member(out, "state", gm_str_of(gm_command_state_name(v->state)));
    gm_json_member(out, "who", v->who);
    gm_json_member(out, "reason", v->reason);
    gm_json_time_member(out, "requested", v->requested);
    gm_json_time_member(out, "changed", v->changed);
    gm_buf_printf(out, ",\"version\":%llu", (unsigned long long)v->version);
    if (v->cause.len > 0) {
        gm_buf_text(out, ",\"cause\":");
        gm_buf_str(out, v->cause);
    }
    gm_buf_byte(out, '}');
}
