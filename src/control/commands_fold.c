// The fold of decisions about commands. Invariant: a command is in exactly one state, and goes forward only: a step that was
// overtaken (a second answer, an approval of something that is over) is GM_CONFLICT.
#include "control/commands_parts.h"

#include "base/bytes.h"
#include "control/json.h"
#include "control/texts.h"

static const char WHERE[] = "control.commands";
enum { VERSION = 2, TEXTS = 7 };

const char *gm_command_state_name(gm_command_state state)
{
    static const char *const names[] = { "requested", "validated", "permitted", "waiting", "approved", "sent", "acknowledged", "verified", "closed",
                                         "failed", "timed out", "rolled back", "refused", "advised" };
    return names[state];
}

static bool state_of(gm_str name, gm_command_state *out)
{
    for (int i = 0; i < GM_COMMAND_STATE_COUNT; i++) {
        if (!gm_str_is(name, gm_command_state_name((gm_command_state)i))) continue;
        *out = (gm_command_state)i;
        return true;
    }
    return false;
}

static bool same_id(const void *owner, uint32_t i, gm_str key)
{
    const gm_commands *c = owner;
    return gm_str_eq(c->items[i].is.id, key);
}

gm_command_entry *gm_commands_entry(const gm_commands *c, gm_str id)
{
    uint32_t i = gm_index_find(&c->by_id, id);
    return i != GM_INDEX_NONE ? &c->items[i] : NULL;
}

gm_dur_ns gm_command_age(const gm_commands *c, const gm_command_entry *e) { return gm_monotonic(c->options.clock) - e->entered; }

size_t gm_commands_first_open(const gm_commands *c)
{
    size_t i = c->count;
    for (size_t left = c->open; left > 0 && i > 0;) left -= !gm_command_over(c->items[--i].is.state);
    return c->open > 0 ? i : c->count;
}

static void count_open(gm_commands *c, const gm_command_entry *e, int change)
{
    uint16_t *of = &c->open_of[gm_str_hash(e->is.twin) % GM_COMMANDS_TWINS];
    c->open      = change > 0 ? c->open + 1 : c->open - 1;
    *of          = (uint16_t)(*of + change);
}

static bool set_texts(gm_commands *c, gm_command_entry *e, const gm_str texts[TEXTS])
{
    gm_str own[TEXTS];
    if (!gm_texts_keep(c->alloc, texts, TEXTS, &e->memory, own)) return false;
    e->is.id = own[0]; e->is.twin = own[1]; e->is.name = own[2]; e->is.value = own[3];
    e->is.who = own[4]; e->is.cause = own[5]; e->is.reason = own[6];
    return true;
}

void gm_commands_clear(gm_commands *c)
{
    while (c->count > 0) gm_free(c->alloc, c->items[--c->count].memory);
    c->open = 0;
    memset(c->open_of, 0, sizeof c->open_of);
    gm_index_finish(&c->by_id);
    c->by_id = gm_index_init(c->alloc, same_id, c);
}

// In one pass for many: the oldest of those that are over, when a quarter more than are kept have gathered.
static void forget_old(gm_commands *c)
{
    size_t over = c->count - c->open, kept = 0;
    if (over <= GM_COMMANDS_KEPT + GM_COMMANDS_KEPT / 4) return;
    for (size_t i = 0; i < c->count; i++) gm_index_remove(&c->by_id, c->items[i].is.id);
    for (size_t i = 0; i < c->count; i++) {
        bool goes = gm_command_over(c->items[i].is.state) && !c->items[i].owes && over > GM_COMMANDS_KEPT;
        over -= goes;
        if (goes) gm_free(c->alloc, c->items[i].memory);
        else c->items[kept++] = c->items[i];
    }
    c->count = kept;
    for (size_t i = 0; i < kept; i++) (void)!gm_index_add(&c->by_id, c->items[i].is.id, (uint32_t)i);  // they were removed: there is room
}

// The one behind the last is filled: it counts.
static gm_status keep(gm_commands *c, gm_error *err)
{
    gm_command_entry *e = &c->items[c->count];
    if (gm_index_add(&c->by_id, e->is.id, (uint32_t)c->count) != GM_OK) {
        gm_free(c->alloc, e->memory);
        return gm_fail(err, GM_NOMEM, WHERE, "keeping a command");
    }
    c->count++;
    if (!gm_command_over(e->is.state)) count_open(c, e, 1);
    return GM_OK;
}

// A rollback names what it undoes: that owes nothing any more.
static void settle_debt(gm_commands *c, const json_t *cause)
{
    gm_command_entry *undone = gm_commands_entry(c, gm_json_text(cause, "rollbackOf"));
    if (undone != NULL) undone->owes = false;
}

static gm_status add(gm_commands *c, const gm_decision *d, gm_command_state state, const json_t *text, gm_error *err)
{
    if (c->open >= GM_COMMANDS_MAX) return gm_fail(err, GM_CONFLICT, WHERE, "more than %d commands are under way", GM_COMMANDS_MAX);
    forget_old(c);
    if (!gm_alloc_reserve(c->alloc, &c->items, &c->capacity, c->count + 1, sizeof *c->items)) return gm_fail(err, GM_NOMEM, WHERE, "keeping a command");
    gm_buf value = gm_buf_init(c->alloc), cause = gm_buf_init(c->alloc);
    gm_command_entry *e = &c->items[c->count];
    const gm_str texts[TEXTS] = { d->id, gm_json_text(text, "twin"), gm_json_text(text, "name"), gm_json_compact(text, "value", &value), gm_json_text(text, "who"), gm_json_compact(text, "cause", &cause), gm_json_text(text, "reason") };
    *e = (gm_command_entry){ .is = { .set = d->kind == GM_CHANGE_DESIRED, .automatic = json_is_true(json_object_get(text, "automatic")), .state = state,
                                     .requested = d->at, .changed = d->at, .version = d->sequence },
                             .safe = json_is_true(json_object_get(text, "safe")), .sent = GM_ABSENT };
    bool kept = !value.failed && !cause.failed && set_texts(c, e, texts);
    gm_buf_finish(&value);
    gm_buf_finish(&cause);
    if (!kept) return gm_fail(err, GM_NOMEM, WHERE, "keeping a command");
    e->entered = gm_monotonic(c->options.clock);
    return keep(c, err);
}

static bool admits(gm_command_state from, gm_command_state to)
{
    if (to == GM_COMMAND_ROLLED_BACK) return from == GM_COMMAND_FAILED || from == GM_COMMAND_TIMED_OUT;
    if (gm_command_over(from)) return false;
    if (to == GM_COMMAND_APPROVED) return from == GM_COMMAND_WAITING;
    if (to == GM_COMMAND_WAITING) return from == GM_COMMAND_PERMITTED;
    if (to == GM_COMMAND_SENT) return from == GM_COMMAND_PERMITTED || from == GM_COMMAND_APPROVED;
    if (to == GM_COMMAND_ACKNOWLEDGED) return from == GM_COMMAND_SENT;
    return to > from && to != GM_COMMAND_REFUSED && to != GM_COMMAND_ADVISED;
}

gm_status gm_commands_fold(void *context, const gm_decision *d, gm_error *err)
{
    gm_commands     *c = context;
    gm_command_state state;
    if (!state_of(d->what, &state)) return gm_fail(err, GM_CORRUPT, WHERE, "a command becomes '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(d->what, 0, 40)));
    json_t           *text = json_loadb(d->text.ptr, d->text.len, 0, NULL);
    gm_command_entry *e    = gm_commands_entry(c, d->id);
    bool              is_first = json_object_get(text, "twin") != NULL;
    gm_status         st   = text == NULL ? gm_fail(err, GM_CORRUPT, WHERE, "a decision about a command is no JSON") : GM_OK;
    if (st == GM_OK && is_first) st = e == NULL ? add(c, d, state, text, err) : gm_fail(err, GM_CONFLICT, WHERE, "there is a command of that id");
    else if (st == GM_OK && e == NULL) st = gm_fail(err, GM_CONFLICT, WHERE, "there is no such command any more");
    else if (st == GM_OK && !admits(e->is.state, state)) st = gm_fail(err, GM_CONFLICT, WHERE, "the command is %s", gm_command_state_name(e->is.state));
    else if (st == GM_OK) {
        if (!gm_command_over(e->is.state) && gm_command_over(state)) count_open(c, e, -1);
        e->entered    = gm_monotonic(c->options.clock);
        e->owes       = (state == GM_COMMAND_FAILED || state == GM_COMMAND_TIMED_OUT) ? json_is_true(json_object_get(text, "rollback")) : e->owes;
        e->is.state   = state;
        e->is.changed = d->at;
        e->submitted  = false;
        if (state == GM_COMMAND_SENT) e->sent = d->at;
        const gm_str texts[TEXTS] = { e->is.id, e->is.twin, e->is.name, e->is.value, e->is.who, e->is.cause, gm_json_text(text, "reason") };
        if (gm_json_text(text, "reason").len > 0 && !set_texts(c, e, texts)) st = gm_fail(err, GM_NOMEM, WHERE, "keeping a command");
    }
    if (st == GM_OK && is_first) settle_debt(c, json_object_get(text, "cause"));
    json_decref(text);
    return st;
}

// ---- checkpoints --------------------------------------------------------------------------------------------------

void gm_commands_save(void *context, gm_buf *out)
{
    const gm_commands *c = context;
    gm_buf_varint(out, VERSION);
    gm_buf_varint(out, c->count);
    for (size_t i = 0; i < c->count; i++) {
        const gm_command_entry *e = &c->items[i];
        const gm_str texts[TEXTS] = { e->is.id, e->is.twin, e->is.name, e->is.value, e->is.who, e->is.cause, e->is.reason };
        for (int t = 0; t < TEXTS; t++) gm_buf_text_of(out, texts[t]);
        gm_buf_varint(out, (uint64_t)e->is.state << 4 | (uint64_t)e->owes << 3 | (uint64_t)e->is.set << 2 | (uint64_t)e->is.automatic << 1 | e->safe);
        gm_buf_svarint(out, e->is.requested);
        gm_buf_svarint(out, e->is.changed);
        gm_buf_svarint(out, e->sent);
        gm_buf_varint(out, e->is.version);
    }
}

static gm_status load_one(gm_commands *c, uint64_t version, gm_bytes *in, gm_error *err)
{
    gm_str           texts[TEXTS];
    gm_command_entry e = { 0 };
    for (int t = 0; t < TEXTS; t++) texts[t] = gm_bytes_text(in);
    uint64_t packed = gm_bytes_varint(in);
    if (version == 1) packed = (packed >> 3) << 4 | (packed & 7);  // knew no debts
    e.is.state      = packed >> 4 < GM_COMMAND_STATE_COUNT ? (gm_command_state)(packed >> 4) : GM_COMMAND_FAILED;
    e.owes          = packed >> 3 & 1;
    e.is.set        = packed >> 2 & 1;
    e.is.automatic  = packed >> 1 & 1;
    e.safe          = packed & 1;
    e.is.requested  = gm_bytes_svarint(in);
    e.is.changed    = gm_bytes_svarint(in);
    e.sent          = gm_bytes_svarint(in);
    e.is.version    = gm_bytes_varint(in);
    if (in->bad) return gm_fail(err, GM_CORRUPT, WHERE, "the commands end in the middle");
    if (!gm_alloc_reserve(c->alloc, &c->items, &c->capacity, c->count + 1, sizeof *c->items) || !set_texts(c, &e, texts)) return gm_fail(err, GM_NOMEM, WHERE, "loading commands");
    c->items[c->count] = e;
    return keep(c, err);
}

gm_status gm_commands_load(void *context, const uint8_t *bytes, size_t size, gm_error *err)
{
    gm_commands *c  = context;
    gm_bytes     in = { .at = bytes, .end = bytes + size };
    gm_commands_clear(c);
    if (size == 0) return GM_OK;
    uint64_t version = gm_bytes_varint(&in);
    if (version < 1 || version > VERSION) return gm_fail(err, GM_CORRUPT, WHERE, "commands of a version that is not known");
    gm_status st = GM_OK;
    for (uint64_t n = gm_bytes_varint(&in); st == GM_OK && n > 0 && !in.bad; n--) st = load_one(c, version, &in, err);
    return st == GM_OK && in.bad ? gm_fail(err, GM_CORRUPT, WHERE, "the commands end in the middle") : st;
}
