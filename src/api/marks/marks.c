// A ring in the order of the log. Invariants: (1) sequences rise from the oldest to the newest; (2) at most GM_MARKS_MAX are kept;
// (3) nothing here refuses a record: what there is no memory for has no mark.
#include "api/marks/marks.h"

#include "base/bytes.h"
#include "control/control.h"
#include "control/json.h"

static const char WHERE[] = "api.marks";

typedef struct entry {
    gm_time_ns at;
    uint64_t   sequence;
    char      *texts;  // id, then name
    uint32_t   twin;
    uint8_t    id_len, name_len, kind, priority;
} entry;
_Static_assert(GM_MARK_TEXT_MAX <= UINT8_MAX, "lengths are bytes");

struct gm_marks {
    const gm_alloc *alloc;
    gm_engine      *engine;
    gm_control     *control;
    entry          *ring;
    size_t          capacity, oldest, count;  // grows by doubling to GM_MARKS_MAX, a power of two, and turns only then
    uint64_t        total;
};

static const char *const kinds[GM_MARK_KIND_COUNT] = { "alarm", "anomaly", "command", "event", "letter" };

const char *gm_mark_kind_name(gm_mark_kind kind) { return kinds[kind]; }

bool gm_mark_kind_of(gm_str name, gm_mark_kind *out_kind)
{
    for (int k = 0; k < GM_MARK_KIND_COUNT; k++) {
        if (!gm_str_is(name, kinds[k])) continue;
        *out_kind = (gm_mark_kind)k;
        return true;
    }
    return false;
}

// ---- the ring -----------------------------------------------------------------------------------------------------

// At most GM_MARK_TEXT_MAX bytes, and no character of UTF-8 in halves.
static gm_str cut(gm_str text)
{
    if (text.len <= GM_MARK_TEXT_MAX) return text;
    size_t n = GM_MARK_TEXT_MAX;
    while (n > 0 && ((unsigned char)text.ptr[n] & 0xc0) == 0x80) n--;
    return (gm_str){ text.ptr, n };
}

static void forget_all(gm_marks *marks)
{
    for (size_t i = 0; i < marks->count; i++) gm_free(marks->alloc, marks->ring[(marks->oldest + i) % marks->capacity].texts);
    marks->oldest = marks->count = 0;
    marks->total  = 0;
}

gm_status gm_marks_add(gm_marks *marks, const gm_happening *mark, gm_error *err)
{
    gm_str id = cut(mark->id), name = cut(mark->name);
    bool   full  = marks->count == GM_MARKS_MAX;  // keeps (2)
    char  *texts = gm_alloc_bytes(marks->alloc, id.len + name.len + 1);
    if (texts == NULL || (!full && !gm_alloc_reserve(marks->alloc, &marks->ring, &marks->capacity, marks->count + 1, sizeof *marks->ring))) {
        gm_free(marks->alloc, texts);
        return gm_fail(err, GM_NOMEM, WHERE, "keeping what happened");
    }
    if (id.len > 0) memcpy(texts, id.ptr, id.len);
    if (name.len > 0) memcpy(texts + id.len, name.ptr, name.len);
    entry *slot = &marks->ring[(marks->oldest + marks->count) % marks->capacity];
    if (full) gm_free(marks->alloc, slot->texts);
    *slot = (entry){ mark->at, mark->sequence, texts, mark->twin.v, (uint8_t)id.len, (uint8_t)name.len, (uint8_t)mark->kind, mark->priority };
    if (full) marks->oldest = (marks->oldest + 1) % marks->capacity;
    else marks->count++;
    marks->total++;
    return GM_OK;
}

size_t   gm_marks_count(const gm_marks *marks) { return marks->count; }
uint64_t gm_marks_total(const gm_marks *marks) { return marks->total; }

gm_happening gm_marks_at(const gm_marks *marks, size_t i)
{
    const entry *e = &marks->ring[(marks->oldest + i) % marks->capacity];
    return (gm_happening){ .at = e->at, .sequence = e->sequence, .kind = (gm_mark_kind)e->kind, .priority = e->priority, .twin = { e->twin },
                      .id = { e->texts, e->id_len }, .name = { e->texts + e->id_len, e->name_len } };
}

// ---- from the log -------------------------------------------------------------------------------------------------

static void note(gm_marks *marks, const gm_record *record, gm_happening mark)
{
    gm_error ignored;  // keeps (3)
    mark.sequence = record->sequence;
    mark.twin     = mark.id.len > 0 ? gm_state_find(gm_engine_state(marks->engine), mark.id) : (gm_twin){ GM_NONE };
    (void)!gm_marks_add(marks, &mark, &ignored);
}

// Raised by this very record, and somebody is to look at it.
static void note_alarm(gm_marks *marks, const gm_record *record, const gm_decision *d)
{
    gm_alarm a;
    if (!gm_str_is(d->what, gm_alarm_action_name(GM_ALARM_RAISE)) || !gm_alarms_find(gm_control_alarms(marks->control), d->id, &a)) return;
    if (a.sequence != d->sequence || a.raised != d->at || a.state == GM_ALARM_SUPPRESSED || a.state == GM_ALARM_OUT_OF_SERVICE) return;
    note(marks, record, (gm_happening){ .at = d->at, .kind = GM_MARK_ALARM, .priority = (uint8_t)a.is.priority, .id = a.is.twin, .name = a.is.name });
}

// Once: at its request, not at the steps that follow.
static void note_command(gm_marks *marks, const gm_record *record, const gm_decision *d)
{
    gm_command_view v;
    if (!gm_commands_find(gm_control_commands(marks->control), d->id, &v) || v.version != d->sequence) return;
    note(marks, record, (gm_happening){ .at = d->at, .kind = GM_MARK_COMMAND, .id = v.twin, .name = v.name });
}

static void note_event(gm_marks *marks, const gm_record *record, const gm_decision *d)
{
    if (!gm_str_is(d->what, "event")) return;
    json_t *text = json_loadb(d->text.ptr, d->text.len, 0, NULL);
    note(marks, record, (gm_happening){ .at = d->at, .kind = GM_MARK_EVENT, .id = gm_json_text(text, "twin"), .name = gm_json_text(text, "text") });
    json_decref(text);
}

// The record of its end is no second anomaly.
static void note_anomaly(gm_marks *marks, const gm_record *record, const gm_change *change)
{
    if (change->flags != 0) return;
    json_t    *text  = json_loadb(change->text.ptr, change->text.len, 0, NULL);
    gm_time_ns begun = gm_json_time(text, "start");
    note(marks, record, (gm_happening){ .at = begun != GM_ABSENT ? begun : record->ingest, .kind = GM_MARK_ANOMALY, .id = change->id, .name = change->name });
    json_decref(text);
}

static void after(void *context, const gm_record *record, const gm_change *change)
{
    gm_marks   *marks = context;
    gm_decision d;
    if (change->kind == GM_CHANGE_ANOMALY) note_anomaly(marks, record, change);
    if (change->kind == GM_CHANGE_DEAD_LETTER) note(marks, record, (gm_happening){ .at = record->ingest, .kind = GM_MARK_LETTER, .name = change->id });
    if (marks->control == NULL || !gm_journal_read(record, change, &d)) return;
    if (d.kind == GM_CHANGE_ALARM) note_alarm(marks, record, &d);
    else if (d.kind == GM_CHANGE_COMMAND || d.kind == GM_CHANGE_DESIRED) note_command(marks, record, &d);
    else if (d.kind == GM_CHANGE_RULE_DONE) note_event(marks, record, &d);
}

// ---- checkpoints --------------------------------------------------------------------------------------------------

enum { VERSION = 1 };

void gm_marks_save(void *context, gm_buf *out)
{
    const gm_marks *marks = context;
    uint64_t        last  = 0;
    gm_buf_varint(out, VERSION);
    gm_buf_varint(out, marks->total);
    for (size_t i = 0; i < marks->count; i++) {
        gm_happening m = gm_marks_at(marks, i);
        gm_buf_svarint(out, m.at);
        gm_buf_varint(out, m.sequence - last);
        gm_buf_byte(out, (uint8_t)(m.kind << 4 | m.priority));
        gm_buf_varint(out, m.twin.v);
        gm_buf_text_of(out, m.id);
        gm_buf_text_of(out, m.name);
        last = m.sequence;
    }
}

gm_status gm_marks_load(void *context, const uint8_t *bytes, size_t size, gm_error *err)
{
    gm_marks *marks = context;
    uint64_t  last  = 0;
    forget_all(marks);
    if (size == 0) return GM_OK;
    gm_bytes in = { .at = bytes, .end = bytes + size };
    if (gm_bytes_varint(&in) != VERSION) return gm_fail(err, GM_CORRUPT, WHERE, "marks of a version that is not known");
    uint64_t  total = gm_bytes_varint(&in);
    gm_status st    = GM_OK;
    while (st == GM_OK && !in.bad && gm_bytes_left(&in) > 0) {
        gm_happening m      = { .at = gm_bytes_svarint(&in) };
        m.sequence     = last + gm_bytes_varint(&in);
        uint8_t packed = gm_bytes_byte(&in);
        m.twin.v       = (uint32_t)gm_bytes_varint(&in);
        m.id           = gm_bytes_text(&in);
        m.name         = gm_bytes_text(&in);
        m.kind         = (gm_mark_kind)(packed >> 4);
        m.priority     = packed & 15;
        if (in.bad || packed >> 4 >= GM_MARK_KIND_COUNT || m.priority >= GM_PRIORITY_COUNT || m.sequence < last) {
            return gm_fail(err, GM_CORRUPT, WHERE, "the marks end in the middle");
        }
        last = m.sequence;
        st   = gm_marks_add(marks, &m, err);
    }
    marks->total = total > marks->count ? total : marks->count;
    return st;
}

// ---- life cycle ---------------------------------------------------------------------------------------------------

gm_status gm_marks_create(const gm_alloc *alloc, gm_engine *engine, gm_control *control, gm_marks **out, gm_error *err)
{
    gm_marks *marks = gm_alloc_zeroed(alloc, sizeof *marks);
    *out            = marks;
    if (marks == NULL) return gm_fail(err, GM_NOMEM, WHERE, "starting");
    marks->alloc   = alloc;
    marks->engine  = engine;
    marks->control = control;
    gm_engine_follow(engine, (gm_follower){ .after = after, .context = marks });
    gm_engine_keep(engine, &(gm_keeper){ "api.marks", marks, gm_marks_save, gm_marks_load });
    return GM_OK;
}

void gm_marks_destroy(gm_marks *marks)
{
    if (marks == NULL) return;
    forget_all(marks);
    gm_free(marks->alloc, marks->ring);
    gm_free(marks->alloc, marks);
}
