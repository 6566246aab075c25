#include "control/arming.h"

#include "base/bytes.h"
#include "control/json.h"
#include "control/subtree.h"
#include "control/texts.h"

static const char WHERE[] = "control.arming";
enum { VERSION = 2, TEXTS = 3 };  // 1: without what is owed

typedef struct entry {
    char     *memory;
    gm_armed  is;
    gm_dur_ns beat;    // the last heartbeat, monotonic
    bool      ending;
} entry;

struct gm_arming {
    const gm_alloc *alloc;
    const gm_clock *clock;
    gm_engine      *engine;
    gm_journal     *journal;
    gm_str          relationships;  // viewed: control's
    entry           items[GM_ARMED_MAX];
    size_t          count;
    bool            stopped;
    entry           stop;           // by whom
    gm_dur_ns       offset;         // wall clock minus monotonic, when it was looked at last
    gm_str          owed[GM_ARMED_MAX + 1];  // disarmed, and not said yet that the safe values were asked for; empty: everything
    size_t          owed_count;
    gm_arming_safe *safe;
    void           *context;
};

// ---- entries ------------------------------------------------------------------------------------------------------

static bool fill(const gm_arming *arming, entry *e, const gm_armed *a)
{
    const gm_str texts[TEXTS] = { a->twin, a->who, a->reason };
    gm_str       own[TEXTS];
    if (!gm_texts_keep(arming->alloc, texts, TEXTS, &e->memory, own)) return false;
    *e = (entry){ .memory = e->memory, .is = *a };
    e->is.twin   = own[0];
    e->is.who    = own[1];
    e->is.reason = own[2];
    return true;
}

static size_t find(const gm_arming *arming, gm_str twin)
{
    size_t i = 0;
    while (i < arming->count && !gm_str_eq(arming->items[i].is.twin, twin)) i++;
    return i;
}

static void drop(gm_arming *arming, size_t i)
{
    gm_free(arming->alloc, arming->items[i].memory);
    arming->items[i] = arming->items[--arming->count];
    arming->items[arming->count] = (entry){ 0 };
}

// ---- what is owed -------------------------------------------------------------------------------------------------

// That safe values are owed stands in the very decision that disarms, and that they were asked for in one behind their own: a crash
// in between does not lose them. Asked for twice they are what they were.
static void pay(gm_arming *arming, gm_str twin)
{
    for (size_t i = 0; i < arming->owed_count; i++) {
        if (!gm_str_eq(arming->owed[i], twin)) continue;
        gm_free(arming->alloc, (void *)(uintptr_t)arming->owed[i].ptr);
        arming->owed[i--] = arming->owed[--arming->owed_count];
    }
}

static bool owe(gm_arming *arming, gm_str twin)
{
    pay(arming, twin);
    char *own = gm_alloc_bytes(arming->alloc, twin.len + 1);
    if (own == NULL || arming->owed_count > GM_ARMED_MAX) {
        gm_free(arming->alloc, own);
        return false;
    }
    if (twin.len > 0) memcpy(own, twin.ptr, twin.len);
    arming->owed[arming->owed_count++] = (gm_str){ own, twin.len };
    return true;
}

static void forgive(gm_arming *arming)
{
    while (arming->owed_count > 0) gm_free(arming->alloc, (void *)(uintptr_t)arming->owed[--arming->owed_count].ptr);
}

static void make_safe(gm_arming *arming, gm_str twin)
{
    arming->safe(arming->context, twin, twin.len > 0 ? GM_STR("disarmed") : GM_STR("emergency stop"));
    gm_journal_post(arming->journal, GM_CHANGE_ARMING, twin, GM_STR("made safe"), GM_STR("{\"who\":\"gemel\"}"));
}

// ---- the fold -----------------------------------------------------------------------------------------------------

static gm_status arm(gm_arming *arming, const gm_decision *d, const json_t *text, gm_error *err)
{
    size_t   i = find(arming, d->id);
    gm_armed a = { .twin = d->id, .who = gm_json_text(text, "who"), .reason = gm_json_text(text, "reason"), .since = d->at,
                   .until = gm_json_time(text, "until"),
                   .heartbeat = (gm_dur_ns)(json_number_value(json_object_get(text, "heartbeat")) * 1e9) };
    if (i == GM_ARMED_MAX) return gm_fail(err, GM_CONFLICT, WHERE, "more than %d twins are armed", GM_ARMED_MAX);
    if (arming->stopped) return gm_fail(err, GM_CONFLICT, WHERE, "the emergency stop holds");
    if (!fill(arming, &arming->items[i], &a)) return gm_fail(err, GM_NOMEM, WHERE, "arming");
    arming->items[i].beat = gm_monotonic(arming->clock);
    if (i == arming->count) arming->count++;
    return GM_OK;
}

static gm_status fold(void *context, const gm_decision *d, gm_error *err)
{
    gm_arming *arming = context;
    json_t    *text   = json_loadb(d->text.ptr, d->text.len, 0, NULL);
    gm_status  st     = text != NULL ? GM_OK : gm_fail(err, GM_CORRUPT, WHERE, "a decision about arming is no JSON");
    if (st == GM_OK && gm_str_is(d->what, "arm")) st = arm(arming, d, text, err);
    else if (st == GM_OK && gm_str_is(d->what, "disarm")) {
        size_t i = find(arming, d->id);
        if (i < arming->count) drop(arming, i);
        else st = gm_fail(err, GM_CONFLICT, WHERE, "it is not armed any more");
    } else if (st == GM_OK && gm_str_is(d->what, "stop")) {
        gm_armed by = { .who = gm_json_text(text, "who"), .reason = gm_json_text(text, "reason"), .since = d->at };
        while (arming->count > 0) drop(arming, arming->count - 1);
        arming->stopped = true;
        if (!fill(arming, &arming->stop, &by)) st = gm_fail(err, GM_NOMEM, WHERE, "stopping");
    } else if (st == GM_OK && gm_str_is(d->what, "resume")) arming->stopped = false;
    else if (st == GM_OK && gm_str_is(d->what, "made safe")) pay(arming, d->id);
    // A person who arms it again has taken over from here.
    if (st == GM_OK && gm_str_is(d->what, "arm")) pay(arming, d->id);
    if (st == GM_OK && json_is_true(json_object_get(text, "safe")) && !owe(arming, d->id)) st = gm_fail(err, GM_NOMEM, WHERE, "disarming");
    json_decref(text);
    return st;
}

void gm_arming_after(gm_arming *arming, const gm_decision *d)
{
    if (d->kind != GM_CHANGE_ARMING || arming->safe == NULL) return;
    if (gm_str_is(d->what, "stop")) make_safe(arming, GM_STR(""));
    if (gm_str_is(d->what, "disarm")) make_safe(arming, d->id);
}

static void save_entry(const entry *e, gm_buf *out)
{
    gm_buf_text_of(out, e->is.twin);
    gm_buf_text_of(out, e->is.who);
    gm_buf_text_of(out, e->is.reason);
    gm_buf_svarint(out, e->is.since);
    gm_buf_svarint(out, e->is.until);
    gm_buf_svarint(out, e->is.heartbeat);
}

static void save(void *context, gm_buf *out)
{
    const gm_arming *arming = context;
    gm_buf_varint(out, VERSION);
    gm_buf_varint(out, arming->stopped);
    save_entry(&arming->stop, out);
    gm_buf_varint(out, arming->count);
    for (size_t i = 0; i < arming->count; i++) save_entry(&arming->items[i], out);
    gm_buf_varint(out, arming->owed_count);
    for (size_t i = 0; i < arming->owed_count; i++) gm_buf_text_of(out, arming->owed[i]);
}

static bool load_entry(const gm_arming *arming, entry *e, gm_bytes *in)
{
    gm_armed a = { .twin = gm_bytes_text(in) };
    a.who      = gm_bytes_text(in);
    a.reason   = gm_bytes_text(in);
    a.since     = gm_bytes_svarint(in);
    a.until     = gm_bytes_svarint(in);
    a.heartbeat = gm_bytes_svarint(in);
    return !in->bad && fill(arming, e, &a);
}

static gm_status load(void *context, const uint8_t *bytes, size_t size, gm_error *err)
{
    gm_arming *arming = context;
    gm_bytes   in     = { .at = bytes, .end = bytes + size };
    while (arming->count > 0) drop(arming, arming->count - 1);
    forgive(arming);
    arming->stopped = false;
    if (size == 0) return GM_OK;
    uint64_t version = gm_bytes_varint(&in);
    bool     ok      = version == VERSION || version == 1;
    arming->stopped = ok && gm_bytes_varint(&in) != 0;
    ok              = ok && load_entry(arming, &arming->stop, &in);
    uint64_t n      = ok ? gm_bytes_varint(&in) : 0;
    if (n > GM_ARMED_MAX) ok = false;
    for (; ok && n > 0; n--) {
        ok = load_entry(arming, &arming->items[arming->count], &in);
        arming->count += ok;
    }
    uint64_t owed = ok && version > 1 ? gm_bytes_varint(&in) : 0;
    for (; ok && owed > 0 && !in.bad; owed--) ok = owe(arming, gm_bytes_text(&in));
    return ok && !in.bad ? GM_OK : gm_fail(err, GM_CORRUPT, WHERE, "what is armed ends in the middle");
}

gm_status gm_arming_create(const gm_alloc *alloc, const gm_clock *clock, gm_engine *engine, gm_journal *journal, gm_str relationships,
                           gm_arming **out, gm_error *err)
{
    gm_arming *arming = gm_alloc_zeroed(alloc, sizeof *arming);
    *out              = arming;
    if (arming == NULL) return gm_fail(err, GM_NOMEM, WHERE, "starting control");
    arming->alloc         = alloc;
    arming->clock         = clock;
    arming->engine        = engine;
    arming->journal       = journal;
    arming->relationships = relationships;
    gm_journal_own(journal, GM_CHANGE_ARMING, fold, arming);
    gm_engine_keep(engine, &(gm_keeper){ "control.arming", arming, save, load });
    return GM_OK;
}

void gm_arming_destroy(gm_arming *arming)
{
    if (arming == NULL) return;
    while (arming->count > 0) drop(arming, arming->count - 1);
    forgive(arming);
    gm_free(arming->alloc, arming->stop.memory);
    gm_free(arming->alloc, arming);
}

static gm_dur_ns offset_of(const gm_clock *clock) { return gm_now(clock) - gm_monotonic(clock); }

void gm_arming_start(gm_arming *arming, gm_arming_safe *safe, void *context)
{
    arming->safe    = safe;
    arming->context = context;
    arming->offset  = offset_of(arming->clock);
    for (size_t i = 0; i < arming->count; i++) arming->items[i].beat = GM_ABSENT / 2;  // whoever beat it may be gone as we were
}

void gm_arming_resume_safe(gm_arming *arming)
{
    for (size_t i = 0; i < arming->owed_count; i++) make_safe(arming, arming->owed[i]);
}

// ---- acting -------------------------------------------------------------------------------------------------------

static gm_status write(gm_arming *arming, gm_str twin, const char *what, const gm_armed *a, gm_str cause, gm_ask ask, bool wait, gm_error *err)
{
    gm_buf json = gm_buf_init(arming->alloc);
    gm_buf_text(&json, "{\"who\":");
    gm_buf_json_str(&json, a->who);
    gm_json_member(&json, "reason", a->reason);
    if (a->until > 0) gm_json_time_member(&json, "until", a->until);
    if (a->heartbeat > 0) gm_json_seconds_member(&json, "heartbeat", a->heartbeat);
    if (strcmp(what, "disarm") == 0 || strcmp(what, "stop") == 0) gm_buf_text(&json, ",\"safe\":true");
    if (cause.len > 0) {
        gm_buf_text(&json, ",\"cause\":{");
        gm_buf_str(&json, cause);
        gm_buf_byte(&json, '}');
    }
    gm_buf_byte(&json, '}');
    gm_status st = json.failed ? gm_fail(err, GM_NOMEM, WHERE, "arming") : GM_OK;
    if (st == GM_OK && wait) st = gm_journal_write(arming->journal, GM_CHANGE_ARMING, twin, gm_str_of(what), gm_buf_view(&json), ask, err);
    else if (st == GM_OK) gm_journal_post(arming->journal, GM_CHANGE_ARMING, twin, gm_str_of(what), gm_buf_view(&json));
    gm_buf_finish(&json);
    return st;
}

gm_status gm_arming_arm(gm_arming *arming, const gm_armed *a, gm_ask ask, gm_error *err)
{
    gm_time_ns now = gm_now(arming->clock);
    if (!gm_twin_ok(gm_state_find(gm_engine_state(arming->engine), a->twin))) return gm_fail(err, GM_NOTFOUND, WHERE, "there is no twin '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(a->twin, 0, 100)));
    if (a->until <= now || a->until > now + GM_ARMED_LONGEST) return gm_fail(err, GM_INVALID, WHERE, "control is armed until a time within the next 31 days ('until' or 'for')");
    if (a->reason.len == 0) return gm_fail(err, GM_INVALID, WHERE, "say why: 'reason' is missing");
    if (a->heartbeat < 0 || (a->heartbeat > 0 && a->heartbeat < GM_SECOND)) return gm_fail(err, GM_INVALID, WHERE, "a heartbeat is at least one second");
    if (arming->stopped) return gm_fail(err, GM_CONFLICT, WHERE, "the emergency stop holds; resume first");
    return write(arming, a->twin, "arm", a, GM_STR(""), ask, true, err);
}

gm_status gm_arming_disarm(gm_arming *arming, gm_str twin, gm_str who, gm_str reason, gm_ask ask, gm_error *err)
{
    if (find(arming, twin) == arming->count) return gm_fail(err, GM_NOTFOUND, WHERE, "'" GM_STR_FMT "' is not armed", GM_STR_ARG(gm_str_slice(twin, 0, 100)));
    gm_armed a = { .who = who, .reason = reason };
    return write(arming, twin, "disarm", &a, GM_STR(""), ask, true, err);
}

gm_status gm_arming_beat(gm_arming *arming, gm_str twin, gm_error *err)
{
    size_t i = find(arming, twin);
    if (i == arming->count) return gm_fail(err, GM_NOTFOUND, WHERE, "'" GM_STR_FMT "' is not armed", GM_STR_ARG(gm_str_slice(twin, 0, 100)));
    arming->items[i].beat = gm_monotonic(arming->clock);
    return GM_OK;
}

gm_status gm_arming_stop(gm_arming *arming, gm_str who, gm_str reason, gm_ask ask, gm_error *err)
{
    gm_armed a = { .who = who, .reason = reason };
    return write(arming, GM_STR(""), "stop", &a, GM_STR(""), ask, true, err);
}

gm_status gm_arming_resume(gm_arming *arming, gm_str who, gm_str reason, gm_ask ask, gm_error *err)
{
    gm_armed a = { .who = who, .reason = reason };
    if (!arming->stopped) return gm_fail(err, GM_CONFLICT, WHERE, "nothing is stopped");
    if (reason.len == 0) return gm_fail(err, GM_INVALID, WHERE, "say why: 'reason' is missing");
    return write(arming, GM_STR(""), "resume", &a, GM_STR(""), ask, true, err);
}

static bool beats(const gm_arming *arming, const entry *e)
{
    return e->is.heartbeat == 0 || gm_monotonic(arming->clock) - e->beat <= e->is.heartbeat;
}

static void end(gm_arming *arming, size_t i, const char *reason, gm_str cause)
{
    gm_armed a = { .who = GM_STR("gemel"), .reason = gm_str_of(reason) };
    if (arming->items[i].ending) return;
    arming->items[i].ending = true;
    (void)!write(arming, arming->items[i].is.twin, "disarm", &a, cause, (gm_ask){ 0 }, false, NULL);
}

void gm_arming_trip_since(gm_arming *arming, gm_str twin, gm_time_ns at, gm_str cause)
{
    const gm_state *state = gm_engine_state(arming->engine);
    gm_twin         on    = gm_state_find(state, twin);
    for (size_t i = 0; gm_twin_ok(on) && i < arming->count; i++) {
        gm_twin root = gm_state_find(state, arming->items[i].is.twin);
        if (arming->items[i].is.since <= at && gm_twin_ok(root) && gm_subtree_contains(state, root, arming->relationships, on)) end(arming, i, "what it relies on has failed", cause);
    }
}

void gm_arming_trip(gm_arming *arming, gm_str twin, gm_str cause) { gm_arming_trip_since(arming, twin, INT64_MAX, cause); }

// A clock that is set anew: ends, the age of values and "no data for" mean nothing until a person has looked.
static bool has_jumped(gm_arming *arming)
{
    gm_dur_ns offset = offset_of(arming->clock), by = offset - arming->offset;
    arming->offset   = offset;
    return by > GM_CLOCK_JUMP || by < -GM_CLOCK_JUMP;
}

void gm_arming_tick(gm_arming *arming)
{
    gm_time_ns now = gm_now(arming->clock);
    if (has_jumped(arming)) {
        for (size_t i = 0; i < arming->count; i++) end(arming, i, "the clock jumped", GM_STR(""));
    }
    for (size_t i = 0; i < arming->count; i++) {
        const gm_armed *a = &arming->items[i].is;
        if (a->until <= now) end(arming, i, "its time is over", GM_STR(""));
        else if (!beats(arming, &arming->items[i])) end(arming, i, "no heartbeat", GM_STR(""));
    }
}

// ---- reading ------------------------------------------------------------------------------------------------------

bool gm_arming_admits(const gm_arming *arming, gm_twin twin, gm_str *out_why)
{
    const gm_state *state = gm_engine_state(arming->engine);
    gm_time_ns      now   = gm_now(arming->clock);
    *out_why              = GM_STR("automatic control is not armed here");
    if (arming->stopped) {
        *out_why = GM_STR("the emergency stop holds");
        return false;
    }
    for (size_t i = 0; i < arming->count; i++) {
        const gm_armed *a    = &arming->items[i].is;
        gm_twin         root = gm_state_find(state, a->twin);
        bool            live = a->until > now && !arming->items[i].ending && beats(arming, &arming->items[i]);
        if (live && gm_twin_ok(root) && gm_subtree_contains(state, root, arming->relationships, twin)) return true;
    }
    return false;
}

bool gm_arming_stopped(const gm_arming *arming, gm_armed *out_who)
{
    *out_who = arming->stop.is;
    return arming->stopped;
}

size_t   gm_arming_count(const gm_arming *arming) { return arming->count; }
gm_armed gm_arming_at(const gm_arming *arming, size_t i) { return arming->items[i].is; }
