// The fold of decisions about commands. Invariant: a command is in exactly one state, and goes forward only: a step that was
// overtaken (a second answer, an approval of something that is over) is GM_CONFLICT.
#include "control/commands_parts.h"

#include "base/bytes.h"
#include "control/json.h"
#include "control/texts.h"

static const char WHERE[] = "control.commands";
enum { VERSION = 1, TEXTS = 7 };

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

gm_command_entry *gm_commands_entry(const gm_commands *c, gm_str id)
{
    for (size_t i = c->count; i-- > 0;) {
        if (gm_str_eq(c->items[i].is.id, id)) return &c->items[i];
    }
    return NULL;
}

static bool set_texts(gm_commands *c, gm_command_entry *e, const gm_str texts[TEXTS])
{
    gm_str own[TEXTS];
    if (!gm_texts_keep(c->alloc, texts, TEXTS, &e->memory, own)) return false;
    e->is.id = own[0]; e->is.twin = own[1]; e->is.name = own[2]; e->is.value = own[3];
    e->is.who = own[4]; e->is.cause = own[5]; e->is.reason = own[6];
    return true;
}

static void remove_at(gm_commands *c, size_t i)
{
    c->open -= !gm_command_over(c->items[i].is.state);
    gm_free(c->alloc, c->items[i].memory);
    memmove(&c->items[i], &c->items[i + 1], (c->count - i - 1) * sizeof *c->items);
    c->count--;
}

void gm_commands_clear(gm_commands *c)
{
    while (c->count > 0) remove_at(c, c->count - 1);
}

static void forget_old(gm_commands *c)
{
    for (size_t i = 0; c->count - c->open > GM_COMMANDS_KEPT && i < c->count;) {
        if (gm_command_over(c->items[i].is.state)) remove_at(c, i);
        else i++;
    }
}

static gm_status add(gm_commands *c, const gm_decision *d, gm_command_state state, const json_t *text, gm_error *err)
{
    if (c->open >= GM_COMMANDS_MAX) return gm_fail(err, GM_CONFLICT, WHERE, "more than %d commands are under way", GM_COMMANDS_MAX);
    forget_old(c);
    if (!gm_alloc_reserve(c->alloc, &c->items, &c->capacity, c->count + 1, sizeof *c->items)) return gm_fail(err, GM_NOMEM, WHERE, "keeping a command");
    const json_t *value = json_object_get(text, "value"), *cause = json_object_get(text, "cause");
    char *value_text = value != NULL ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL, *cause_text = cause != NULL ? json_dumps(cause, JSON_COMPACT) : NULL;
    gm_command_entry *e = &c->items[c->count];
    const gm_str texts[TEXTS] = { d->id, gm_json_text(text, "twin"), gm_json_text(text, "name"), gm_str_of(value_text), gm_json_text(text, "who"), gm_str_of(cause_text), gm_json_text(text, "reason") };
    *e = (gm_command_entry){ .is = { .set = d->kind == GM_CHANGE_DESIRED, .automatic = json_is_true(json_object_get(text, "automatic")), .state = state,
                                     .requested = d->at, .changed = d->at, .version = d->sequence },
                             .safe = json_is_true(json_object_get(text, "safe")), .sent = GM_ABSENT };
    bool kept = set_texts(c, e, texts);
    free(value_text);
    free(cause_text);
    if (!kept) return gm_fail(err, GM_NOMEM, WHERE, "keeping a command");
    c->count++;
    c->open += !gm_command_over(state);
    return GM_OK;
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
        c->open -= !gm_command_over(e->is.state) && gm_command_over(state);
        e->is.state   = state;
        e->is.changed = d->at;
        e->submitted  = false;
        if (state == GM_COMMAND_SENT) e->sent = d->at;
        const gm_str texts[TEXTS] = { e->is.id, e->is.twin, e->is.name, e->is.value, e->is.who, e->is.cause, gm_json_text(text, "reason") };
        if (gm_json_text(text, "reason").len > 0 && !set_texts(c, e, texts)) st = gm_fail(err, GM_NOMEM, WHERE, "keeping a command");
    }
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
        gm_buf_varint(out, (uint64_t)e->is.state << 3 | (uint64_t)e->is.set << 2 | (uint64_t)e->is.automatic << 1 | e->safe);
        gm_buf_svarint(out, e->is.requested);
        gm_buf_svarint(out, e->is.changed);
        gm_buf_svarint(out, e->sent);
        gm_buf_varint(out, e->is.version);
    }
}

static gm_status load_one(gm_commands *c, gm_bytes *in, gm_error *err)
{
    gm_str           texts[TEXTS];
    gm_command_entry e = { 0 };
    for (int t = 0; t < TEXTS; t++) texts[t] = gm_bytes_text(in);
    uint64_t packed = gm_bytes_varint(in);
    e.is.state      = packed >> 3 < GM_COMMAND_STATE_COUNT ? (gm_command_state)(packed >> 3) : GM_COMMAND_FAILED;
    e.is.set        = packed >> 2 & 1;
    e.is.automatic  = packed >> 1 & 1;
    e.safe          = packed & 1;
    e.is.requested  = gm_bytes_svarint(in);
    e.is.changed    = gm_bytes_svarint(in);
    e.sent          = gm_bytes_svarint(in);
    e.is.version    = gm_bytes_varint(in);
    if (in->bad) return gm_fail(err, GM_CORRUPT, WHERE, "the commands end in the middle");
    if (!gm_alloc_reserve(c->alloc, &c->items, &c->capacity, c->count + 1, sizeof *c->items) || !set_texts(c, &e, texts)) return gm_fail(err, GM_NOMEM, WHERE, "loading commands");
    c->items[c->count++] = e;
    c->open += !gm_command_over(e.is.state);
    return GM_OK;
}

gm_status gm_commands_load(void *context, const uint8_t *bytes, size_t size, gm_error *err)
{
    gm_commands *c  = context;
    gm_bytes     in = { .at = bytes, .end = bytes + size };
    gm_commands_clear(c);
    if (size == 0) return GM_OK;
    if (gm_bytes_varint(&in) != VERSION) return gm_fail(err, GM_CORRUPT, WHERE, "commands of a version that is not known");
    gm_status st = GM_OK;
    for (uint64_t n = gm_bytes_varint(&in); st == GM_OK && n > 0 && !in.bad; n--) st = load_one(c, &in, err);
    return st == GM_OK && in.bad ? gm_fail(err, GM_CORRUPT, WHERE, "the commands end in the middle") : st;
}
