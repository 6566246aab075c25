// The fold of alarm decisions. Invariants: (1) by_key knows every point; (2) a transition that the state does not admit is
// GM_CONFLICT and changes nothing, at recovery as live; (3) texts of a point are its own, one allocation.
#include "control/alarms_parts.h"

#include "base/bytes.h"
#include "control/json.h"
#include "control/texts.h"

#include <assert.h>

static const char WHERE[] = "control.alarms";

const char *gm_alarm_priority_name(gm_alarm_priority priority)
{
    static const char *const names[] = { "low", "medium", "high", "critical" };
    return names[priority];
}

bool gm_alarm_priority_of(gm_str name, gm_alarm_priority *out)
{
    for (int i = 0; i < GM_PRIORITY_COUNT; i++) {
        if (!gm_str_is(name, gm_alarm_priority_name((gm_alarm_priority)i))) continue;
        *out = (gm_alarm_priority)i;
        return true;
    }
    return false;
}

const char *gm_alarm_state_name(gm_alarm_state state)
{
    static const char *const names[] = { "normal", "unacknowledged", "acknowledged", "returned", "latched", "shelved", "suppressed", "out of service" };
    return names[state];
}

const char *gm_alarm_action_name(gm_alarm_action action)
{
    static const char *const names[] = { "raise", "clear", "acknowledge", "reset", "shelve", "unshelve", "suppress", "unsuppress",
                                         "remove-from-service", "return-to-service" };
    return names[action];
}

bool gm_alarm_action_of(gm_str name, gm_alarm_action *out)
{
    for (int i = 0; i < GM_ALARM_ACTION_COUNT; i++) {
        if (!gm_str_is(name, gm_alarm_action_name((gm_alarm_action)i))) continue;
        *out = (gm_alarm_action)i;
        return true;
    }
    return false;
}

// ---- points -------------------------------------------------------------------------------------------------------

static bool same_key(const void *owner, uint32_t id, gm_str key) { return gm_str_eq(((const gm_alarms *)owner)->points[id].text[GM_POINT_KEY], key); }

static gm_alarm_state state_of(const gm_point *p)
{
    if (p->out_of_service) return GM_ALARM_OUT_OF_SERVICE;
    if (p->suppressed) return GM_ALARM_SUPPRESSED;
    if (p->shelved_until != GM_ABSENT) return GM_ALARM_SHELVED;
    if (p->active) return p->acknowledged ? GM_ALARM_ACKNOWLEDGED : GM_ALARM_UNACKNOWLEDGED;
    if (!p->acknowledged) return GM_ALARM_RETURNED;
    return p->held ? GM_ALARM_LATCHED : GM_ALARM_NORMAL;
}

// Copies all texts of the point into one allocation of its own. Keeps (3).
static bool set_texts(gm_alarms *alarms, gm_point *p, const gm_str texts[GM_POINT_TEXTS])
{
    return gm_texts_keep(alarms->alloc, texts, GM_POINT_TEXTS, &p->memory, p->text);
}

static void forget(gm_alarms *alarms, uint32_t i)
{
    gm_index_remove(&alarms->by_key, alarms->points[i].text[GM_POINT_KEY]);
    gm_free(alarms->alloc, alarms->points[i].memory);
    uint32_t last = (uint32_t)--alarms->count;
    if (i == last) return;
    gm_index_remove(&alarms->by_key, alarms->points[last].text[GM_POINT_KEY]);
    alarms->points[i] = alarms->points[last];
    (void)!gm_index_add(&alarms->by_key, alarms->points[i].text[GM_POINT_KEY], i);  // two were removed: there is room
}

static bool make_room(gm_alarms *alarms)
{
    for (uint32_t i = 0; alarms->count == GM_ALARMS_MAX && i < alarms->count; i++) {
        if (state_of(&alarms->points[i]) == GM_ALARM_NORMAL) forget(alarms, i);
    }
    return alarms->count < GM_ALARMS_MAX;
}

static gm_status add_point(gm_alarms *alarms, gm_str key, gm_point **out, gm_error *err)
{
    if (!make_room(alarms)) return gm_fail(err, GM_CONFLICT, WHERE, "more than %d alarms", GM_ALARMS_MAX);
    const gm_str texts[GM_POINT_TEXTS] = { [GM_POINT_KEY] = key };
    gm_point     point = { .acknowledged = true, .raised = GM_ABSENT, .changed = GM_ABSENT, .shelved_until = GM_ABSENT };
    if (!gm_alloc_reserve(alarms->alloc, &alarms->points, &alarms->capacity, alarms->count + 1, sizeof *alarms->points) ||
        !set_texts(alarms, &point, texts)) return gm_fail(err, GM_NOMEM, WHERE, "keeping an alarm");
    alarms->points[alarms->count] = point;
    gm_status st = gm_index_add(&alarms->by_key, point.text[GM_POINT_KEY], (uint32_t)alarms->count);
    if (st != GM_OK) {
        gm_free(alarms->alloc, point.memory);
        return gm_fail(err, st, WHERE, "keeping an alarm");
    }
    *out = &alarms->points[alarms->count++];
    return GM_OK;
}

static gm_point *find(const gm_alarms *alarms, gm_str key)
{
    uint32_t i = gm_index_find(&alarms->by_key, key);
    return i != GM_INDEX_NONE ? &alarms->points[i] : NULL;
}

// ---- transitions --------------------------------------------------------------------------------------------------

// Does the point's state admit it? What rules do is always admitted.
static bool admits(const gm_point *p, gm_alarm_action action)
{
    bool open = p->active || !p->acknowledged || p->held;
    switch (action) {
    case GM_ALARM_ACKNOWLEDGE: return !p->acknowledged;
    case GM_ALARM_RESET: return p->held && !p->active && p->acknowledged;
    case GM_ALARM_SHELVE: return open && !p->out_of_service;
    case GM_ALARM_UNSHELVE: return p->shelved_until != GM_ABSENT;
    case GM_ALARM_REMOVE_FROM_SERVICE: return !p->out_of_service;
    case GM_ALARM_RETURN_TO_SERVICE: return p->out_of_service;
    default: return true;
    }
}

static void note_raised(gm_alarms *alarms, gm_point *p, gm_time_ns at)
{
    p->raises[p->count % GM_CHATTER_COUNT] = at;
    p->count++;
    gm_alarms_note(alarms, at);
}

static void change(gm_alarms *alarms, gm_point *p, gm_alarm_action action, gm_time_ns at, gm_time_ns until)
{
    p->changed = at;
    switch (action) {
    case GM_ALARM_RAISE:
        if (p->active) return;
        p->active       = true;
        p->acknowledged = false;
        p->held         = p->latching;
        p->raised       = at;
        if (!p->out_of_service && !p->suppressed) note_raised(alarms, p, at);
        break;
    case GM_ALARM_CLEAR: p->active = false; break;
    case GM_ALARM_ACKNOWLEDGE: p->acknowledged = true; break;
    case GM_ALARM_RESET: p->held = false; break;
    case GM_ALARM_SHELVE: p->shelved_until = until; break;
    case GM_ALARM_UNSHELVE: p->shelved_until = GM_ABSENT; break;
    case GM_ALARM_SUPPRESS: p->suppressed = true; break;
    case GM_ALARM_UNSUPPRESS: p->suppressed = false; break;
    case GM_ALARM_REMOVE_FROM_SERVICE: p->out_of_service = true; break;
    case GM_ALARM_RETURN_TO_SERVICE: p->out_of_service = false; break;
    case GM_ALARM_ACTION_COUNT: break;
    }
}

// What the decision's object says, beside what the point says already.
static bool take_texts(gm_alarms *alarms, gm_point *p, gm_alarm_action action, const json_t *text)
{
    gm_str texts[GM_POINT_TEXTS];
    memcpy(texts, p->text, sizeof texts);
    static const struct { int slot; const char *member; } raised[] = {
        { GM_POINT_NAME, "name" }, { GM_POINT_TWIN, "twin" }, { GM_POINT_TEXT, "text" }, { GM_POINT_CONSEQUENCE, "consequence" },
        { GM_POINT_RESPONSE, "response" },
    };
    gm_buf cause = gm_buf_init(alarms->alloc);
    if (action == GM_ALARM_RAISE) {
        for (size_t i = 0; i < sizeof raised / sizeof raised[0]; i++) texts[raised[i].slot] = gm_json_text(text, raised[i].member);
        texts[GM_POINT_CAUSE] = gm_json_compact(text, "cause", &cause);
        p->latching           = json_is_true(json_object_get(text, "latching"));
        (void)gm_alarm_priority_of(gm_json_text(text, "priority"), &p->priority);
    } else if (json_object_get(text, "who") != NULL) {
        texts[GM_POINT_WHO]    = gm_json_text(text, "who");
        texts[GM_POINT_REASON] = gm_json_text(text, "reason");
    }
    bool kept = !cause.failed && set_texts(alarms, p, texts);
    gm_buf_finish(&cause);
    return kept;
}

static gm_status fold(void *context, const gm_decision *d, gm_error *err)
{
    gm_alarms      *alarms = context;
    gm_alarm_action action;
    json_error_t    where;
    if (!gm_alarm_action_of(d->what, &action)) return gm_fail(err, GM_CORRUPT, WHERE, "an alarm is to do '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(d->what, 0, 40)));
    gm_point *p = find(alarms, d->id);
    if (p == NULL && action != GM_ALARM_RAISE && action != GM_ALARM_SUPPRESS) return gm_fail(err, GM_CONFLICT, WHERE, "there is no such alarm any more");
    if (p != NULL && !admits(p, action)) {  // keeps (2)
        return gm_fail(err, GM_CONFLICT, WHERE, "the alarm is %s now", gm_alarm_state_name(state_of(p)));
    }
    json_t *text = json_loadb(d->text.ptr, d->text.len, 0, &where);
    if (text == NULL) return gm_fail(err, GM_CORRUPT, WHERE, "a decision about an alarm: %s", where.text);
    gm_status st = p != NULL ? GM_OK : add_point(alarms, d->id, &p, err);
    if (st == GM_OK && !take_texts(alarms, p, action, text)) st = gm_fail(err, GM_NOMEM, WHERE, "keeping an alarm");
    if (st == GM_OK) {
        change(alarms, p, action, d->at, gm_json_time(text, "until"));
        p->sequence = d->sequence;
        p->expiring = false;
    }
    json_decref(text);
    return st;
}

// ---- checkpoints --------------------------------------------------------------------------------------------------

enum { VERSION = 1 };

static void save(void *context, gm_buf *out)
{
    const gm_alarms *alarms = context;
    gm_buf_varint(out, VERSION);
    gm_alarms_save_counts(alarms, out);
    gm_buf_varint(out, alarms->count);
    for (size_t i = 0; i < alarms->count; i++) {
        const gm_point *p = &alarms->points[i];
        for (int t = 0; t < GM_POINT_TEXTS; t++) gm_buf_text_of(out, p->text[t]);
        const bool bits[] = { p->active, p->acknowledged, p->held, p->latching, p->suppressed, p->out_of_service };
        uint64_t   packed = 0;
        for (size_t b = 0; b < sizeof bits; b++) packed |= (uint64_t)bits[b] << b;
        gm_buf_varint(out, packed);
        gm_buf_varint(out, p->priority);
        gm_buf_varint(out, p->count);
        gm_buf_varint(out, p->sequence);
        gm_buf_svarint(out, p->raised);
        gm_buf_svarint(out, p->changed);
        gm_buf_svarint(out, p->shelved_until);
        for (int r = 0; r < GM_CHATTER_COUNT; r++) gm_buf_svarint(out, p->raises[r]);
    }
}

static gm_status load_point(gm_alarms *alarms, gm_bytes *in, gm_error *err)
{
    gm_str    texts[GM_POINT_TEXTS];
    gm_point *p;
    for (int t = 0; t < GM_POINT_TEXTS; t++) texts[t] = gm_bytes_text(in);
    if (in->bad || find(alarms, texts[GM_POINT_KEY]) != NULL) return gm_fail(err, GM_CORRUPT, WHERE, "the alarms end in the middle");
    gm_status st = add_point(alarms, texts[GM_POINT_KEY], &p, err);
    if (st != GM_OK) return st;
    if (!set_texts(alarms, p, texts)) return gm_fail(err, GM_NOMEM, WHERE, "loading alarms");
    uint64_t packed   = gm_bytes_varint(in), priority = gm_bytes_varint(in);
    p->active         = packed & 1;
    p->acknowledged   = packed >> 1 & 1;
    p->held           = packed >> 2 & 1;
    p->latching       = packed >> 3 & 1;
    p->suppressed     = packed >> 4 & 1;
    p->out_of_service = packed >> 5 & 1;
    p->priority       = priority < GM_PRIORITY_COUNT ? (gm_alarm_priority)priority : GM_PRIORITY_LOW;
    p->count          = gm_bytes_varint(in);
    p->sequence       = gm_bytes_varint(in);
    p->raised         = gm_bytes_svarint(in);
    p->changed        = gm_bytes_svarint(in);
    p->shelved_until  = gm_bytes_svarint(in);
    for (int r = 0; r < GM_CHATTER_COUNT; r++) p->raises[r] = gm_bytes_svarint(in);
    return in->bad ? gm_fail(err, GM_CORRUPT, WHERE, "the alarms end in the middle") : GM_OK;
}

static gm_status load(void *context, const uint8_t *bytes, size_t size, gm_error *err)
{
    gm_alarms *alarms = context;
    gm_bytes   in     = { .at = bytes, .end = bytes + size };
    while (alarms->count > 0) forget(alarms, (uint32_t)alarms->count - 1);
    gm_alarms_load_counts(alarms, NULL);
    if (size == 0) return GM_OK;
    if (gm_bytes_varint(&in) != VERSION) return gm_fail(err, GM_CORRUPT, WHERE, "alarms of a version that is not known");
    gm_alarms_load_counts(alarms, &in);
    gm_status st = GM_OK;
    for (uint64_t n = gm_bytes_varint(&in); st == GM_OK && n > 0 && !in.bad; n--) st = load_point(alarms, &in, err);
    return st != GM_OK || !in.bad ? st : gm_fail(err, GM_CORRUPT, WHERE, "the alarms end in the middle");
}

// ---- life cycle ---------------------------------------------------------------------------------------------------

gm_status gm_alarms_create(const gm_alloc *alloc, const gm_clock *clock, gm_engine *engine, gm_journal *journal, gm_alarms **out,
                           gm_error *err)
{
    gm_alarms *alarms = gm_alloc_zeroed(alloc, sizeof *alarms);
    *out              = alarms;
    if (alarms == NULL) return gm_fail(err, GM_NOMEM, WHERE, "making the list of alarms");
    alarms->alloc   = alloc;
    alarms->clock   = clock;
    alarms->journal = journal;
    alarms->by_key  = gm_index_init(alloc, same_key, alarms);
    gm_alarms_load_counts(alarms, NULL);
    gm_journal_own(journal, GM_CHANGE_ALARM, fold, alarms);
    gm_engine_keep(engine, &(gm_keeper){ "control.alarms", alarms, save, load });
    return GM_OK;
}

void gm_alarms_destroy(gm_alarms *alarms)
{
    if (alarms == NULL) return;
    for (size_t i = 0; i < alarms->count; i++) gm_free(alarms->alloc, alarms->points[i].memory);
    gm_free(alarms->alloc, alarms->points);
    gm_index_finish(&alarms->by_key);
    gm_free(alarms->alloc, alarms);
}

// ---- acting -------------------------------------------------------------------------------------------------------

bool gm_alarm_key(gm_str name, gm_str twin, gm_buf *out)
{
    if (name.len + 1 + twin.len > GM_ALARM_KEY_MAX) return false;
    gm_buf_str(out, name);
    gm_buf_byte(out, '@');
    gm_buf_str(out, twin);
    return !out->failed;
}

static void add_cause(gm_buf *json, gm_str cause)
{
    gm_buf_text(json, ",\"cause\":{");
    gm_buf_str(json, cause);
    gm_buf_text(json, "}}");
}

void gm_alarms_raise(gm_alarms *alarms, const gm_alarm_definition *a, gm_str cause)
{
    gm_buf key = gm_buf_init(alarms->alloc), json = gm_buf_init(alarms->alloc);
    gm_buf_text(&json, "{\"name\":");
    gm_buf_json_str(&json, a->name);
    gm_json_member(&json, "twin", a->twin);
    gm_json_member(&json, "priority", gm_str_of(gm_alarm_priority_name(a->priority)));
    gm_json_member(&json, "text", gm_str_slice(a->text, 0, GM_ALARM_TEXT_MAX));
    gm_json_member(&json, "consequence", gm_str_slice(a->consequence, 0, GM_ALARM_TEXT_MAX));
    gm_json_member(&json, "response", gm_str_slice(a->response, 0, GM_ALARM_TEXT_MAX));
    if (a->latching) gm_buf_text(&json, ",\"latching\":true");
    add_cause(&json, cause);
    if (gm_alarm_key(a->name, a->twin, &key) && !json.failed) {
        gm_journal_post(alarms->journal, GM_CHANGE_ALARM, gm_buf_view(&key), GM_STR("raise"), gm_buf_view(&json));
    }
    gm_buf_finish(&key);
    gm_buf_finish(&json);
}

void gm_alarms_lower(gm_alarms *alarms, gm_str key, gm_alarm_action action, gm_str cause)
{
    assert(action == GM_ALARM_CLEAR || action == GM_ALARM_SUPPRESS || action == GM_ALARM_UNSUPPRESS || action == GM_ALARM_UNSHELVE);
    gm_buf json = gm_buf_init(alarms->alloc);
    gm_buf_text(&json, "{\"by\":\"gemel\"");
    add_cause(&json, cause);
    if (!json.failed) gm_journal_post(alarms->journal, GM_CHANGE_ALARM, key, gm_str_of(gm_alarm_action_name(action)), gm_buf_view(&json));
    gm_buf_finish(&json);
}

static gm_status check_request(const gm_alarms *alarms, gm_alarm_action action, const gm_alarm_request *r, gm_error *err)
{
    gm_time_ns now = gm_now(alarms->clock);
    switch (action) {
    case GM_ALARM_RAISE: case GM_ALARM_CLEAR: case GM_ALARM_SUPPRESS: case GM_ALARM_UNSUPPRESS:
        return gm_fail(err, GM_INVALID, WHERE, "rules do that; people acknowledge, reset, shelve, unshelve, remove-from-service and return-to-service");
    case GM_ALARM_SHELVE:
        if (r->until <= now || r->until > now + GM_ALARM_SHELVE_MAX)
            return gm_fail(err, GM_INVALID, WHERE, "an alarm is shelved until a time within the next 7 days ('until' or 'for')");
        break;
    default: break;
    }
    bool needs = action == GM_ALARM_SHELVE || action == GM_ALARM_REMOVE_FROM_SERVICE;
    if (needs && r->reason.len == 0) return gm_fail(err, GM_INVALID, WHERE, "say why: 'reason' is missing");
    if (r->reason.len > GM_ALARM_TEXT_MAX) return gm_fail(err, GM_INVALID, WHERE, "a reason has at most %d bytes", GM_ALARM_TEXT_MAX);
    return GM_OK;
}

gm_status gm_alarms_act(gm_alarms *alarms, gm_str key, gm_alarm_action action, const gm_alarm_request *r, gm_ask ask, gm_error *err)
{
    gm_status       st = check_request(alarms, action, r, err);
    const gm_point *p  = find(alarms, key);
    if (st != GM_OK) return st;
    if (p == NULL) return gm_fail(err, GM_NOTFOUND, WHERE, "there is no alarm '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(key, 0, 120)));
    if (!admits(p, action)) {
        return gm_fail(err, GM_CONFLICT, WHERE, "the alarm is %s: there is nothing to %s", gm_alarm_state_name(state_of(p)), gm_alarm_action_name(action));
    }
    gm_buf json = gm_buf_init(alarms->alloc);
    gm_buf_text(&json, "{\"who\":");
    gm_buf_json_str(&json, r->who);
    gm_json_member(&json, "reason", r->reason);
    if (action == GM_ALARM_SHELVE) gm_json_time_member(&json, "until", r->until);
    gm_buf_byte(&json, '}');
    st = json.failed ? gm_fail(err, GM_NOMEM, WHERE, "an alarm")
                     : gm_journal_write(alarms->journal, GM_CHANGE_ALARM, key, gm_str_of(gm_alarm_action_name(action)), gm_buf_view(&json), ask, err);
    gm_buf_finish(&json);
    return st;
}

void gm_alarms_tick(gm_alarms *alarms)
{
    gm_time_ns now = gm_now(alarms->clock);
    for (size_t i = 0; i < alarms->count; i++) {
        gm_point *p = &alarms->points[i];
        if (p->shelved_until == GM_ABSENT || p->shelved_until > now || p->expiring) continue;
        p->expiring = true;  // until the decision comes back
        gm_alarms_lower(alarms, p->text[GM_POINT_KEY], GM_ALARM_UNSHELVE, GM_STR("\"expired\":true"));
    }
}

// ---- reading ------------------------------------------------------------------------------------------------------

size_t gm_alarms_count(const gm_alarms *alarms) { return alarms->count; }

gm_alarm gm_alarms_at(const gm_alarms *alarms, size_t i)
{
    assert(i < alarms->count);
    const gm_point *p = &alarms->points[i];
    bool chattering   = p->count >= GM_CHATTER_COUNT;
    gm_time_ns oldest = chattering ? p->raises[p->count % GM_CHATTER_COUNT] : 0;
    return (gm_alarm){ .key = p->text[GM_POINT_KEY],
                       .is  = { .name = p->text[GM_POINT_NAME], .twin = p->text[GM_POINT_TWIN], .priority = p->priority,
                                .text = p->text[GM_POINT_TEXT], .consequence = p->text[GM_POINT_CONSEQUENCE],
                                .response = p->text[GM_POINT_RESPONSE], .latching = p->latching },
                       .state = state_of(p), .active = p->active, .acknowledged = p->acknowledged, .raised = p->raised,
                       .changed = p->changed, .shelved_until = p->shelved_until, .who = p->text[GM_POINT_WHO],
                       .reason = p->text[GM_POINT_REASON], .cause = p->text[GM_POINT_CAUSE], .sequence = p->sequence,
                       .count = p->count, .chattering = chattering && p->raised - oldest <= GM_MINUTE };
}

bool gm_alarms_find(const gm_alarms *alarms, gm_str key, gm_alarm *out)
{
    uint32_t i = gm_index_find(&alarms->by_key, key);
    if (i != GM_INDEX_NONE) *out = gm_alarms_at(alarms, i);
    return i != GM_INDEX_NONE;
}

bool gm_alarm_wants_attention(const gm_alarm *a)
{
    return a->state != GM_ALARM_NORMAL && a->state != GM_ALARM_SUPPRESSED && a->state != GM_ALARM_SHELVED && a->state != GM_ALARM_OUT_OF_SERVICE;
}

void gm_alarm_write(const gm_alarm *a, gm_buf *out)
{
    gm_buf_text(out, "{\"id\":");
    gm_buf_json_str(out, a->key);
    gm_json_member(out, "name", a->is.name);
    gm_json_member(out, "twin", a->is.twin);
    gm_json_member(out, "state", gm_str_of(gm_alarm_state_name(a->state)));
    gm_json_member(out, "priority", gm_str_of(gm_alarm_priority_name(a->is.priority)));
    gm_buf_printf(out, ",\"active\":%s,\"acknowledged\":%s", a->active ? "true" : "false", a->acknowledged ? "true" : "false");
    gm_json_member(out, "text", a->is.text);
    gm_json_member(out, "consequence", a->is.consequence);
    gm_json_member(out, "response", a->is.response);
    gm_json_time_member(out, "raised", a->raised);
    gm_json_time_member(out, "changed", a->changed);
    gm_json_time_member(out, "shelvedUntil", a->shelved_until);
    gm_json_member(out, "who", a->who);
    gm_json_member(out, "reason", a->reason);
    gm_buf_printf(out, ",\"latching\":%s,\"chattering\":%s,\"count\":%llu,\"sequence\":%llu", a->is.latching ? "true" : "false",
                  a->chattering ? "true" : "false", (unsigned long long)a->count, (unsigned long long)a->sequence);
    if (a->cause.len > 0) {
        gm_buf_text(out, ",\"cause\":");
        gm_buf_str(out, a->cause);
    }
    gm_buf_byte(out, '}');
}
