// What roll-ups amounted to: values that have changed become records of the log, and those become samples of history. Whoever acts on
// a roll-up (control/rules.c) follows the records, so that after a restart he has seen what he saw before it.
//
// Invariants: (1) what is recorded is read from history, never from here: the log alone decides; (2) while records of the last round
// are under way no other round begins, so that a value is recorded once.
#include "rollup/parts.h"

#include "base/bytes.h"
#include "base/le.h"

#include <math.h>

#define WHERE "rollup.past"

enum { SLICE = 1000, NAMES_MAX = 4096, SHARE = 20 };  // systems looked at in one turn; names that ever were; 1/SHARE of the time

struct gm_rollup_recorder {
    gm_rollup_recording how;
    gm_str             *names;     // [name_count] copied; by number
    size_t              name_count, name_capacity;
    gm_timer           *timer;
    gm_dur_ns           done[GM_ROLLUPS_MAX];  // when each definition was recorded last, monotonic
    size_t              at;        // the definition at hand
    size_t              from;      // its systems from here on
    uint64_t            sent;      // sequence of the last record of ours
    bool                round;     // one is under way
    bool                started;
};

// ---- values ------------------------------------------------------------------------------------------------------------

static bool number(double x, gm_value *out)
{
    if (!isfinite(x)) return false;
    *out = (gm_value){ .kind = GM_KIND_DOUBLE, .d = x };
    return true;
}

static bool value_of(const gm_rollup_definition *d, const gm_rollup_result *r, gm_str part, gm_value *out)
{
    if (gm_str_is(part, "members")) return number((double)r->count, out);
    if (gm_str_is(part, "missing")) return number((double)r->missing, out);
    if (d->function == GM_ROLLUP_K_OF_N && gm_str_is(part, "working")) return number((double)r->working, out);
    if (d->function == GM_ROLLUP_K_OF_N && gm_str_is(part, "spare")) return number((double)r->working - (double)d->k, out);
    if (d->function == GM_ROLLUP_OEE && gm_str_is(part, "availability")) return number(r->availability, out);
    if (d->function == GM_ROLLUP_OEE && gm_str_is(part, "performance")) return number(r->performance, out);
    if (d->function == GM_ROLLUP_OEE && gm_str_is(part, "quality")) return number(r->quality, out);
    if (part.len > 0) return false;
    if (d->function == GM_ROLLUP_WORST) {
        *out = (gm_value){ .kind = GM_KIND_STRING, .s = r->state };
        return r->state.len > 0;
    }
    if (!number(r->value, out)) return false;
    if (d->function == GM_ROLLUP_K_OF_N) *out = (gm_value){ .kind = GM_KIND_BOOL, .i = r->value > 0 };
    return true;
}

bool gm_rollups_value(gm_rollups *r, size_t i, gm_twin twin, gm_str part, gm_value *out)
{
    gm_rollup_result result;
    gm_error         err;
    return gm_rollups_read(r, i, twin, &result, &err) == GM_OK && value_of(r->views[i].d, &result, part, out);
}

static bool same(gm_value a, gm_value b)
{
    if (a.kind != b.kind) return false;
    if (a.kind == GM_KIND_DOUBLE) return a.d == b.d;
    return a.kind == GM_KIND_STRING ? gm_str_eq(a.s, b.s) : a.kind == GM_KIND_NONE || a.i == b.i;
}

// ---- records -----------------------------------------------------------------------------------------------------------

bool gm_rollups_series(const gm_rollups *r, gm_str name, uint32_t *out_number)
{
    const gm_rollup_recorder *p = r->recorder;
    for (uint32_t i = 0; i < p->name_count; i++) {
        if (!gm_str_eq(p->names[i], name)) continue;
        *out_number = i;
        return true;
    }
    return false;
}

static gm_status add_name(gm_rollups *r, gm_str name, gm_error *err)
{
    gm_rollup_recorder *p    = r->recorder;
    char               *copy = gm_alloc_bytes(r->alloc, name.len + 1);
    if (copy == NULL || !gm_alloc_reserve(r->alloc, &p->names, &p->name_capacity, p->name_count + 1, sizeof *p->names)) {
        gm_free(r->alloc, copy);
        return gm_fail(err, GM_NOMEM, WHERE, "recording roll-ups");
    }
    if (name.len > 0) memcpy(copy, name.ptr, name.len);
    p->names[p->name_count++] = (gm_str){ copy, name.len };
    return GM_OK;
}

static gm_status decode(const gm_change *change, gm_value *out, gm_error *err)
{
    const uint8_t *bytes = (const uint8_t *)change->text.ptr;
    *out                 = (gm_value){ .kind = (gm_kind)change->flags };
    switch (change->flags) {
    case GM_KIND_NONE: return GM_OK;
    case GM_KIND_STRING: out->s = change->text; return GM_OK;
    case GM_KIND_BOOL:
        if (change->text.len != 1) break;
        out->i = bytes[0] != 0;
        return GM_OK;
    case GM_KIND_DOUBLE:
        if (change->text.len != 8 || !isfinite(gm_get_f64(bytes))) break;
        out->d = gm_get_f64(bytes);
        return GM_OK;
    default: break;
    }
    return gm_fail(err, GM_CORRUPT, WHERE, "a value of a roll-up that can not be");
}

static gm_status fold(void *context, const gm_record *record, const gm_change *change, gm_error *err)
{
    gm_rollups *r    = context;
    gm_twin     twin = { GM_NONE };
    uint32_t    series;
    gm_value    value;
    gm_status   st = decode(change, &value, err);
    if (st != GM_OK) return st;
    if (change->id.len > 0) twin = gm_state_find(gm_engine_state(r->engine), change->id);
    if (change->id.len > 0 && !gm_twin_ok(twin)) return GM_OK;  // deleted meanwhile
    if (!gm_rollups_series(r, change->name, &series)) {
        if (r->recorder->name_count == NAMES_MAX) return GM_OK;
        series = (uint32_t)r->recorder->name_count;
        st     = add_name(r, change->name, err);
    }
    return st == GM_OK ? gm_engine_own_append(r->engine, twin, series, record->ingest, value, err) : st;
}

bool gm_rollups_then(const gm_rollups *r, gm_twin twin, gm_str name, gm_time_ns at, gm_value *out)
{
    uint32_t  series;
    gm_sample sample;
    gm_error  err;
    if (!gm_rollups_series(r, name, &series)) return false;
    // A roll-up over the whole plant has one value, whoever asks.
    if (gm_engine_own_as_of(r->engine, twin, series, at, &sample, &err) != GM_OK) return false;
    if (sample.value.kind == GM_KIND_NONE && sample.at == 0 && gm_twin_ok(twin) && gm_engine_own_as_of(r->engine, (gm_twin){ GM_NONE }, series, at, &sample, &err) != GM_OK) return false;
    *out = sample.value;
    return sample.value.kind != GM_KIND_NONE;
}

static void save(void *context, gm_buf *out)
{
    const gm_rollup_recorder *p = ((const gm_rollups *)context)->recorder;
    gm_buf_varint(out, 1);
    gm_buf_varint(out, p->name_count);
    for (size_t i = 0; i < p->name_count; i++) gm_buf_text_of(out, p->names[i]);
}

static void forget_names(gm_rollups *r)
{
    gm_rollup_recorder *p = r->recorder;
    while (p->name_count > 0) gm_free(r->alloc, (void *)(uintptr_t)p->names[--p->name_count].ptr);
}

static gm_status load(void *context, const uint8_t *bytes, size_t size, gm_error *err)
{
    gm_rollups *r  = context;
    gm_bytes    in = { .at = bytes, .end = bytes + size };
    gm_status   st = GM_OK;
    forget_names(r);
    if (size == 0) return GM_OK;
    if (gm_bytes_varint(&in) != 1) return gm_fail(err, GM_CORRUPT, WHERE, "roll-ups of a version that is not known");
    for (uint64_t n = gm_bytes_varint(&in); st == GM_OK && n > 0 && !in.bad; n--) {
        gm_str name = gm_bytes_text(&in);
        if (!in.bad) st = add_name(r, name, err);
    }
    return st == GM_OK && in.bad ? gm_fail(err, GM_CORRUPT, WHERE, "roll-ups end in the middle") : st;
}

// ---- recording ---------------------------------------------------------------------------------------------------------

// Never: INT64_MAX.
static gm_dur_ns every(const gm_rollups *r, size_t i)
{
    const gm_rollup_recorder   *p = r->recorder;
    const gm_rollup_definition *d = r->views[i].d;
    if (d->record != 0) return d->record;
    return (p->how.hurries != NULL && p->how.hurries(p->how.context, d->name) ? GM_ROLLUP_RECORD_HURRY_S : GM_ROLLUP_RECORD_USUAL_S) * GM_SECOND;
}

// False: the log takes no more now.
static bool record(gm_rollups *r, size_t i, gm_twin twin, gm_time_ns now)
{
    gm_rollup_recorder *p     = r->recorder;
    gm_str              name  = r->views[i].d->name, text = { 0 };
    gm_value            value = { 0 };
    gm_sample           last  = { 0 };
    uint32_t            series;
    uint8_t             bytes[8];
    gm_error            err;
    if (!gm_rollups_value(r, i, twin, (gm_str){ 0 }, &value)) value = (gm_value){ 0 };
    if (gm_rollups_series(r, name, &series) && gm_engine_own_as_of(r->engine, twin, series, GM_TIME_MAX, &last, &err) != GM_OK) return true;
    if (same(value, last.value) && (value.kind == GM_KIND_NONE || now - last.at < GM_DAY)) return true;
    if (value.kind == GM_KIND_STRING) text = value.s;
    else if (value.kind == GM_KIND_BOOL) { bytes[0] = value.i != 0; text = (gm_str){ (const char *)bytes, 1 }; }
    else if (value.kind == GM_KIND_DOUBLE) { gm_put_f64(bytes, value.d); text = (gm_str){ (const char *)bytes, 8 }; }
    gm_str id = gm_twin_ok(twin) ? gm_state_id(gm_engine_state(r->engine), twin) : (gm_str){ 0 };
    if (gm_engine_submit(r->engine, GM_CHANGE_ROLLUP, (uint8_t)value.kind, id, name, text, (gm_ask){ 0 }, &err) != GM_OK) return false;
    p->sent = gm_engine_submitted(r->engine);
    return true;
}

// Some systems of the definition at hand, *left at most. True: all of them are done.
static bool record_some(gm_rollups *r, gm_time_ns now, size_t *left)
{
    gm_rollup_recorder *p = r->recorder;
    gm_error            err;
    gm_twin             at = { GM_NONE };
    if (r->views[p->at].d->relationship.len == 0) return record(r, p->at, at, now);
    for (; *left > 0; --*left) {
        if (gm_rollups_next(r, p->at, (uint32_t)p->from, &at, &err) != GM_OK || !gm_twin_ok(at)) return true;
        if (!record(r, p->at, at, now)) *left = 1;
        else p->from = at.v + (size_t)1;
    }
    return false;
}

static void tick(void *context);

// Is not refused inside of tick, where there is the memory of the timer before.
static gm_status arm(gm_rollups *r, gm_dur_ns wait, gm_error *err)
{
    gm_rollup_recorder *p = r->recorder;
    gm_loop_cancel(p->timer);
    p->timer = NULL;
    return p->started ? gm_loop_after(p->how.loop, wait > 0 ? wait : 0, tick, r, &p->timer, err) : GM_OK;
}

// Until the definition is due; not above 0: it is.
static gm_dur_ns due_in(const gm_rollups *r, size_t i, gm_dur_ns now)
{
    gm_dur_ns length = every(r, i), done = r->recorder->done[i];
    return length == GM_ROLLUP_NEVER ? length : done == 0 ? 0 : done + length - now;
}

// Definitions that are due, as far as one turn goes.
static void go_on(gm_rollups *r, gm_dur_ns start)
{
    gm_rollup_recorder *p    = r->recorder;
    size_t              left = SLICE;
    for (; p->at < r->count && left > 0; p->at++, p->from = 0) {
        if (p->from == 0 && due_in(r, p->at, start) > 0) continue;
        if (!record_some(r, gm_now(p->how.clock), &left)) return;
        p->done[p->at] = start;
    }
}

// Until the next definition is due, and no longer than it takes somebody in a hurry.
static gm_dur_ns next_round(gm_rollups *r, gm_dur_ns now)
{
    gm_dur_ns wait = GM_ROLLUP_RECORD_HURRY_S * GM_SECOND;
    for (size_t i = 0; i < r->count; i++) {
        gm_dur_ns due = due_in(r, i, now);
        wait          = due < wait ? due : wait;
    }
    return wait;
}

static void tick(void *context)
{
    gm_rollups         *r     = context;
    gm_rollup_recorder *p     = r->recorder;
    gm_dur_ns           start = gm_monotonic(p->how.clock);
    gm_error            err;
    p->timer = NULL;
    if (r->count == 0) return;  // gm_rollup_recorder_wake comes back
    if (!p->round && gm_engine_settled(r->engine) < p->sent) {  // keeps (2)
        (void)!arm(r, 20 * GM_MILLISECOND, &err);
        return;
    }
    if (!p->round) p->at = p->from = 0;
    go_on(r, start);
    gm_dur_ns end = gm_monotonic(p->how.clock);
    p->round      = p->at < r->count;
    // Each slice is waited for SHARE times over, so that a round over many systems is no burst either.
    gm_dur_ns rest = (end - start) * SHARE, wait = p->round ? 0 : next_round(r, end);
    (void)!arm(r, wait > rest ? wait : rest, &err);
}

void gm_rollup_recorder_wake(gm_rollups *r)
{
    gm_rollup_recorder *p = r->recorder;
    gm_error            err;
    memset(p->done, 0, sizeof p->done);
    p->round = false;
    (void)!arm(r, 0, &err);  // refused: the next change of what is declared tries again
}

gm_status gm_rollups_start(gm_rollups *r, const gm_rollup_recording *how, gm_error *err)
{
    r->recorder->how     = *how;
    r->recorder->started = true;
    return arm(r, 0, err);
}

void gm_rollups_stop(gm_rollups *r)
{
    gm_loop_cancel(r->recorder->timer);
    r->recorder->timer   = NULL;
    r->recorder->started = false;
}

gm_status gm_rollup_recorder_create(gm_rollups *r, gm_error *err)
{
    r->recorder = gm_alloc_zeroed(r->alloc, sizeof *r->recorder);
    if (r->recorder == NULL) return gm_fail(err, GM_NOMEM, WHERE, "preparing roll-ups");
    gm_engine_fold(r->engine, GM_CHANGE_ROLLUP, fold, r);
    gm_engine_keep(r->engine, &(gm_keeper){ "rollups", r, save, load });
    return GM_OK;
}

void gm_rollup_recorder_destroy(gm_rollups *r)
{
    gm_loop_cancel(r->recorder->timer);
    forget_names(r);
    gm_free(r->alloc, r->recorder->names);
    gm_free(r->alloc, r->recorder);
}
