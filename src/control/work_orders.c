#include "control/work_orders.h"

#include "base/bytes.h"
#include "control/json.h"
#include "control/texts.h"
#include "state/document.h"

#include <sys/random.h>

static const char WHERE[] = "control.orders";
enum { VERSION = 1, TEXTS = 6 };

typedef struct entry { char *memory; gm_work_order is; } entry;

struct gm_work_orders {
    gm_work_orders_options options;
    const gm_alloc        *alloc;
    entry                 *items;  // oldest first
    size_t                 count, capacity;
};

const char *gm_order_state_name(gm_order_state state)
{
    static const char *const names[] = { "open", "assigned", "started", "done", "closed", "cancelled" };
    return names[state];
}

bool gm_order_state_of(gm_str name, gm_order_state *out)
{
    for (int i = 0; i < GM_ORDER_STATE_COUNT; i++) {
        if (!gm_str_is(name, gm_order_state_name((gm_order_state)i))) continue;
        *out = (gm_order_state)i;
        return true;
    }
    return false;
}

static bool set_texts(gm_work_orders *o, entry *e, const gm_str texts[TEXTS])
{
    gm_str own[TEXTS];
    if (!gm_texts_keep(o->alloc, texts, TEXTS, &e->memory, own)) return false;
    e->is.id = own[0]; e->is.twin = own[1]; e->is.text = own[2]; e->is.who = own[3]; e->is.evidence = own[4]; e->is.feedback = own[5];
    return true;
}

static entry *find(const gm_work_orders *o, gm_str id)
{
    for (size_t i = o->count; i-- > 0;) {
        if (gm_str_eq(o->items[i].is.id, id)) return &o->items[i];
    }
    return NULL;
}

static entry *add(gm_work_orders *o)
{
    if (o->count == GM_WORK_ORDERS_MAX) {
        gm_free(o->alloc, o->items[0].memory);
        memmove(o->items, o->items + 1, --o->count * sizeof *o->items);
    }
    if (!gm_alloc_reserve(o->alloc, &o->items, &o->capacity, o->count + 1, sizeof *o->items)) return NULL;
    o->items[o->count] = (entry){ 0 };
    return &o->items[o->count];
}

// ---- the fold -----------------------------------------------------------------------------------------------------

static gm_status take(gm_work_orders *o, const gm_decision *d, gm_order_state state, const json_t *text, gm_error *err)
{
    entry        *e     = find(o, d->id);
    bool          fresh = e == NULL && state == GM_ORDER_OPEN;
    if (e == NULL && !fresh) return gm_fail(err, GM_CONFLICT, WHERE, "there is no such order any more");
    if (e != NULL && (state <= e->is.state || e->is.state >= GM_ORDER_CLOSED)) return gm_fail(err, GM_CONFLICT, WHERE, "the order is %s", gm_order_state_name(e->is.state));
    if (fresh) e = add(o);
    gm_buf own  = gm_buf_init(o->alloc);
    gm_str more = gm_json_compact(text, fresh ? "evidence" : "feedback", &own);
    gm_str texts[TEXTS] = { d->id };
    if (e != NULL && fresh) {
        texts[1] = gm_json_text(text, "twin");
        texts[2] = gm_json_text(text, "text");
        texts[3] = gm_json_text(text, "who");
        texts[4] = more;
    } else if (e != NULL) {
        const gm_str kept[TEXTS] = { e->is.id, e->is.twin, e->is.text, e->is.who, e->is.evidence, more.ptr != NULL ? more : e->is.feedback };
        memcpy(texts, kept, sizeof kept);
    }
    bool ok = e != NULL && !own.failed && set_texts(o, e, texts);
    gm_buf_finish(&own);
    if (!ok) return gm_fail(err, GM_NOMEM, WHERE, "keeping a work order");
    e->is.state   = state;
    e->is.changed = d->at;
    if (fresh) e->is.opened = d->at;
    o->count += fresh;
    return GM_OK;
}

static gm_status fold(void *context, const gm_decision *d, gm_error *err)
{
    gm_order_state state;
    json_t        *text = json_loadb(d->text.ptr, d->text.len, 0, NULL);
    gm_status      st   = text != NULL && gm_order_state_of(d->what, &state) ? GM_OK : gm_fail(err, GM_CORRUPT, WHERE, "a decision about a work order does not read");
    if (st == GM_OK) st = take(context, d, state, text, err);
    json_decref(text);
    return st;
}

static void save(void *context, gm_buf *out)
{
    const gm_work_orders *o = context;
    gm_buf_varint(out, VERSION);
    gm_buf_varint(out, o->count);
    for (size_t i = 0; i < o->count; i++) {
        const gm_work_order *w = &o->items[i].is;
        const gm_str texts[TEXTS] = { w->id, w->twin, w->text, w->who, w->evidence, w->feedback };
        for (int t = 0; t < TEXTS; t++) gm_buf_text_of(out, texts[t]);
        gm_buf_varint(out, w->state);
        gm_buf_svarint(out, w->opened);
        gm_buf_svarint(out, w->changed);
    }
}

static void clear(gm_work_orders *o)
{
    while (o->count > 0) gm_free(o->alloc, o->items[--o->count].memory);
}

static gm_status load(void *context, const uint8_t *bytes, size_t size, gm_error *err)
{
    gm_work_orders *o  = context;
    gm_bytes        in = { .at = bytes, .end = bytes + size };
    clear(o);
    if (size == 0) return GM_OK;
    bool ok = gm_bytes_varint(&in) == VERSION;
    for (uint64_t n = ok ? gm_bytes_varint(&in) : 0; ok && n > 0 && !in.bad; n--) {
        gm_str texts[TEXTS];
        for (int t = 0; t < TEXTS; t++) texts[t] = gm_bytes_text(&in);
        uint64_t state = gm_bytes_varint(&in);
        entry   *e     = in.bad || state >= GM_ORDER_STATE_COUNT ? NULL : add(o);
        ok             = e != NULL && set_texts(o, e, texts);
        if (!ok) break;
        e->is.state   = (gm_order_state)state;
        e->is.opened  = gm_bytes_svarint(&in);
        e->is.changed = gm_bytes_svarint(&in);
        o->count++;
    }
    return ok && !in.bad ? GM_OK : gm_fail(err, GM_CORRUPT, WHERE, "the work orders end in the middle");
}

gm_status gm_work_orders_create(const gm_work_orders_options *options, gm_work_orders **out, gm_error *err)
{
    gm_work_orders *o = gm_alloc_zeroed(options->alloc, sizeof *o);
    *out              = o;
    if (o == NULL) return gm_fail(err, GM_NOMEM, WHERE, "starting control");
    o->options = *options;
    o->alloc   = options->alloc;
    gm_journal_own(options->journal, GM_CHANGE_WORK_ORDER, fold, o);
    gm_engine_keep(options->engine, &(gm_keeper){ "control.orders", o, save, load });
    return GM_OK;
}

void gm_work_orders_destroy(gm_work_orders *o)
{
    if (o == NULL) return;
    clear(o);
    gm_free(o->alloc, o->items);
    gm_free(o->alloc, o);
}

// ---- steps --------------------------------------------------------------------------------------------------------

static bool make_id(char out[GM_WORK_ORDER_ID])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t           bytes[(GM_WORK_ORDER_ID - 1) / 2];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) return false;
    for (size_t i = 0; i < sizeof bytes; i++) {
        out[2 * i]     = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[GM_WORK_ORDER_ID - 1] = '\0';
    return true;
}

static void begin(gm_buf *json, gm_str twin, gm_str text, gm_str who)
{
    gm_buf_text(json, "{\"twin\":");
    gm_buf_json_str(json, twin);
    gm_json_member(json, "text", text);
    gm_json_member(json, "who", who);
}

void gm_work_orders_open(gm_work_orders *o, gm_str twin, gm_str text, gm_str rule, gm_str cause)
{
    char   id[GM_WORK_ORDER_ID];
    gm_buf json = gm_buf_init(o->alloc);
    begin(&json, twin, text, rule);
    gm_buf_printf(&json, ",\"evidence\":{" GM_STR_FMT "},\"cause\":{" GM_STR_FMT "}}", GM_STR_ARG(cause), GM_STR_ARG(cause));
    if (make_id(id) && !json.failed) gm_journal_post(o->options.journal, GM_CHANGE_WORK_ORDER, gm_str_of(id), GM_STR("open"), gm_buf_view(&json));
    gm_buf_finish(&json);
}

static gm_status write(gm_work_orders *o, gm_str id, const char *what, gm_buf *json, gm_ask ask, gm_error *err)
{
    gm_status st = json->failed ? gm_fail(err, GM_NOMEM, WHERE, "a work order")
                 : json->len > GM_WORK_ORDER_TEXT_MAX ? gm_fail(err, GM_INVALID, WHERE, "a work order has at most %d bytes", GM_WORK_ORDER_TEXT_MAX)
                 : gm_journal_write(o->options.journal, GM_CHANGE_WORK_ORDER, id, gm_str_of(what), gm_buf_view(json), ask, err);
    gm_buf_finish(json);
    return st;
}

gm_status gm_work_orders_ask(gm_work_orders *o, gm_str twin, gm_str text, const json_t *evidence, gm_str who, gm_ask ask, char out_id[GM_WORK_ORDER_ID], gm_error *err)
{
    gm_buf json = gm_buf_init(o->alloc);
    if (!gm_twin_ok(gm_state_find(gm_engine_state(o->options.engine), twin))) return gm_fail(err, GM_NOTFOUND, WHERE, "there is no twin '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(twin, 0, 100)));
    if (text.len == 0) return gm_fail(err, GM_INVALID, WHERE, "say what is to be done: 'text' is missing");
    if (evidence != NULL && !json_is_object(evidence)) return gm_fail(err, GM_INVALID, WHERE, "'evidence' must be an object");
    if (!make_id(out_id)) return gm_fail(err, GM_IO, WHERE, "there are no random numbers");
    begin(&json, twin, text, who);
    if (evidence != NULL) {
        gm_buf_text(&json, ",\"evidence\":");
        gm_document_compact(evidence, &json);
    }
    gm_buf_byte(&json, '}');
    return write(o, gm_str_of(out_id), "open", &json, ask, err);
}

gm_status gm_work_orders_step(gm_work_orders *o, gm_str id, gm_order_state state, const json_t *feedback, gm_str who, gm_ask ask, gm_error *err)
{
    const entry *e    = find(o, id);
    gm_buf       json = gm_buf_init(o->alloc);
    if (e == NULL) return gm_fail(err, GM_NOTFOUND, WHERE, "there is no work order '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(id, 0, 60)));
    if (feedback != NULL && !json_is_object(feedback)) return gm_fail(err, GM_INVALID, WHERE, "'feedback' must be an object");
    if (state <= e->is.state || e->is.state >= GM_ORDER_CLOSED) return gm_fail(err, GM_CONFLICT, WHERE, "the order is %s", gm_order_state_name(e->is.state));
    gm_buf_text(&json, "{\"by\":");
    gm_buf_json_str(&json, who);
    if (feedback != NULL) {
        gm_buf_text(&json, ",\"feedback\":");
        gm_document_compact(feedback, &json);
    }
    gm_buf_byte(&json, '}');
    return write(o, e->is.id, gm_order_state_name(state), &json, ask, err);
}

void gm_work_orders_after(gm_work_orders *o, const gm_decision *d)
{
    gm_error     err;
    const entry *e = d->kind == GM_CHANGE_WORK_ORDER && o->options.send != NULL ? find(o, d->id) : NULL;
    if (e == NULL) return;
    gm_buf topic = gm_buf_init(o->alloc), body = gm_buf_init(o->alloc);
    gm_buf_printf(&topic, "gemel/workorders/" GM_STR_FMT, GM_STR_ARG(e->is.id));
    gm_work_order_write(&e->is, &body);
    gm_sending message = { .topic = gm_buf_view(&topic), .payload = gm_buf_view(&body) };
    if (!topic.failed && !body.failed) (void)!o->options.send(o->options.context, &message, &err);
    gm_buf_finish(&topic);
    gm_buf_finish(&body);
}

// ---- reading ------------------------------------------------------------------------------------------------------

size_t        gm_work_orders_count(const gm_work_orders *o) { return o->count; }
gm_work_order gm_work_orders_at(const gm_work_orders *o, size_t i) { return o->items[o->count - 1 - i].is; }

bool gm_work_orders_find(const gm_work_orders *o, gm_str id, gm_work_order *out)
{
    const entry *e = find(o, id);
    if (e != NULL) *out = e->is;
    return e != NULL;
}

void gm_work_order_write(const gm_work_order *w, gm_buf *out)
{
    gm_buf_text(out, "{\"id\":");
    gm_buf_json_str(out, w->id);
    gm_json_member(out, "twin", w->twin);
    gm_json_member(out, "state", gm_str_of(gm_order_state_name(w->state)));
    gm_json_member(out, "text", w->text);
    gm_json_member(out, "who", w->who);
    gm_json_time_member(out, "opened", w->opened);
    gm_json_time_member(out, "changed", w->changed);
    if (w->evidence.len > 0) gm_buf_printf(out, ",\"evidence\":" GM_STR_FMT, GM_STR_ARG(w->evidence));
    if (w->feedback.len > 0) gm_buf_printf(out, ",\"feedback\":" GM_STR_FMT, GM_STR_ARG(w->feedback));
    gm_buf_byte(out, '}');
}
