#include "thread/fact.h"

#include "base/number.h"

#include <math.h>

static const char WHERE[] = "thread.fact";
enum { VERSION = 1, REPLACE = 1 };

static const char *const phases[] = {
#define X(name, text) text,
    GM_PHASE_LIST(X)
#undef X
};

const char *gm_phase_name(gm_phase phase) { return phases[phase]; }

bool gm_phase_of(gm_str name, gm_phase *out)
{
    for (int i = 0; i < GM_PHASE_COUNT; i++) {
        if (!gm_str_is(name, phases[i])) continue;
        *out = (gm_phase)i;
        return true;
    }
    return false;
}

bool gm_fact_is_hash(gm_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!((text.ptr[i] >= '0' && text.ptr[i] <= '9') || (text.ptr[i] >= 'a' && text.ptr[i] <= 'f'))) return false;
    }
    return text.len == GM_HASH_TEXT;
}

// ---- checks -------------------------------------------------------------------------------------------------------

static gm_status check_text(gm_str text, const char *what, size_t least, size_t most, gm_error *err)
{
    if (text.len >= least && text.len <= most) return GM_OK;
    return gm_fail(err, GM_INVALID, WHERE, text.len < least ? "'%s' is missing" : "'%s' has more than %zu bytes", what, most);
}

static gm_status check_number(const gm_fact_value *v, gm_error *err)
{
    bool low = (v->limits & GM_FACT_LOW) != 0, high = (v->limits & GM_FACT_HIGH) != 0;
    if (!isfinite(v->number) || (low && !isfinite(v->low)) || (high && !isfinite(v->high)))
        return gm_fail(err, GM_INVALID, WHERE, "a number must be finite");
    if (low && high && v->low > v->high) return gm_fail(err, GM_INVALID, WHERE, "'min' %g is above 'max' %g", v->low, v->high);
    return GM_OK;
}

static gm_status check_json(gm_str text, bool object, gm_error *err)
{
    json_t *json = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    bool    fits = json != NULL && (!object || json_is_object(json));
    json_decref(json);
    return fits ? GM_OK : gm_fail(err, GM_INVALID, WHERE, object ? "'more' must be a JSON object" : "the value is no JSON");
}

static gm_status check_value(const gm_fact_value *v, gm_error *err)
{
    gm_status st = check_number(v, err);
    if (st == GM_OK) st = check_text(v->unit, "unit", 0, GM_FACT_SHORT_MAX, err);
    if (st == GM_OK) st = check_text(v->media, "mediaType", v->kind == GM_FACT_DOCUMENT, GM_FACT_SHORT_MAX, err);
    if (st == GM_OK) st = check_text(v->name, "name", 0, GM_FACT_SHORT_MAX, err);
    if (st == GM_OK) st = check_text(v->position, "position", 0, GM_FACT_SHORT_MAX, err);
    if (st == GM_OK) st = check_text(v->text, "value", 0, GM_FACT_TEXT_MAX, err);
    if (st == GM_OK) st = check_text(v->more, "more", 0, GM_FACT_TEXT_MAX, err);
    if (st != GM_OK) return st;
    if (v->kind == GM_FACT_JSON) return check_json(v->text, false, err);
    if (v->kind == GM_FACT_DOCUMENT && !gm_fact_is_hash(v->text)) return gm_fail(err, GM_INVALID, WHERE, "a document's hash is 64 digits of 0-9 a-f");
    if (v->kind != GM_FACT_PART) return GM_OK;
    if (v->number < 0) return gm_fail(err, GM_INVALID, WHERE, "a quantity of %g", v->number);
    st = check_text(v->text, "part", 1, GM_FACT_ID_MAX, err);
    return st == GM_OK && v->more.len > 0 ? check_json(v->more, true, err) : st;
}

// The same JSON, whatever the order of its members.
static bool same_json(gm_str a, gm_str b)
{
    if (gm_str_eq(a, b)) return true;
    json_t *x = json_loadb(a.ptr, a.len, JSON_DECODE_ANY, NULL), *y = json_loadb(b.ptr, b.len, JSON_DECODE_ANY, NULL);
    bool    same = x != NULL && y != NULL && json_equal(x, y);
    json_decref(x);
    json_decref(y);
    return same;
}

bool gm_fact_same(const gm_fact_value *a, const gm_fact_value *b)
{
    if (a->kind != b->kind || a->limits != b->limits) return false;
    if (a->kind == GM_FACT_JSON) return same_json(a->text, b->text);
    bool texts  = gm_str_eq(a->text, b->text) && gm_str_eq(a->unit, b->unit) && gm_str_eq(a->media, b->media) && gm_str_eq(a->name, b->name) && gm_str_eq(a->position, b->position) && gm_str_eq(a->more, b->more);
    bool number = a->number == b->number || a->kind == GM_FACT_DOCUMENT;  // how many bytes a document has follows from its hash
    bool low = (a->limits & GM_FACT_LOW) == 0 || a->low == b->low, high = (a->limits & GM_FACT_HIGH) == 0 || a->high == b->high;
    return texts && number && low && high;
}

gm_status gm_fact_check(const gm_fact *f, gm_error *err)
{
    gm_status st = check_text(f->twin, "twin", 1, GM_FACT_ID_MAX, err);
    if (st == GM_OK) st = check_text(f->key, "key", 1, GM_FACT_KEY_MAX, err);
    if (st == GM_OK) st = check_text(f->author, "author", 0, GM_FACT_SHORT_MAX, err);
    if (st == GM_OK) st = check_text(f->cause, "cause", 0, GM_FACT_CAUSE_MAX, err);
    if (st == GM_OK) st = check_value(&f->value, err);
    if (st != GM_OK) return st;
    if (f->from >= f->to) return gm_fail(err, GM_INVALID, WHERE, "'from' must be before 'to'");
    bool parts = gm_str_is(f->key, GM_KEY_INSTALLED) || gm_str_starts(f->key, GM_STR(GM_KEY_BOM));
    if (parts && f->value.kind != GM_FACT_PART && f->value.kind != GM_FACT_NONE)
        return gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "' takes a part", GM_STR_ARG(f->key));
    if (f->value.kind == GM_FACT_PART && parts && gm_str_eq(f->value.text, f->twin))
        return gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "' can not contain itself", GM_STR_ARG(f->twin));
    return GM_OK;
}

// ---- bytes --------------------------------------------------------------------------------------------------------

static void put_double(gm_buf *out, double d)
{
    uint8_t bytes[8];
    gm_put_f64(bytes, d);
    gm_buf_add(out, bytes, sizeof bytes);
}

static double get_double(gm_bytes *in)
{
    const uint8_t *from = gm_bytes_take(in, 8);
    return from != NULL ? gm_get_f64(from) : 0.0;
}

static gm_str get_long(gm_fact_reader *r) { return gm_bytes_text(&r->in); }

// Long texts stand where they are; short ones, which come again and again, go through the writer.
void gm_fact_put_value(gm_fact_writer *w, const gm_fact_value *v)
{
    gm_buf_byte(w->out, (uint8_t)((unsigned)v->kind | (unsigned)v->limits << 4));
    if (v->kind == GM_FACT_NUMBER || v->kind == GM_FACT_PART || v->kind == GM_FACT_DOCUMENT) {
        put_double(w->out, v->number);
        w->text(w, v->unit);
    }
    if ((v->limits & GM_FACT_LOW) != 0) put_double(w->out, v->low);
    if ((v->limits & GM_FACT_HIGH) != 0) put_double(w->out, v->high);
    if (v->kind == GM_FACT_TEXT || v->kind == GM_FACT_JSON || v->kind == GM_FACT_DOCUMENT) gm_buf_text_of(w->out, v->text);
    if (v->kind == GM_FACT_DOCUMENT) {
        w->text(w, v->media);
        gm_buf_text_of(w->out, v->name);
    }
    if (v->kind != GM_FACT_PART) return;
    w->text(w, v->text);
    w->text(w, v->position);
    gm_buf_text_of(w->out, v->more);
}

bool gm_fact_get_value(gm_fact_reader *r, gm_fact_value *v)
{
    uint8_t head = gm_bytes_byte(&r->in);
    *v           = (gm_fact_value){ .kind = (gm_fact_kind)(head & 15), .limits = (uint8_t)(head >> 4) };
    if (v->kind >= GM_FACT_KIND_COUNT || v->limits > (GM_FACT_LOW | GM_FACT_HIGH)) return false;
    if (v->kind == GM_FACT_NUMBER || v->kind == GM_FACT_PART || v->kind == GM_FACT_DOCUMENT) {
        v->number = get_double(&r->in);
        v->unit   = r->text(r);
    }
    if ((v->limits & GM_FACT_LOW) != 0) v->low = get_double(&r->in);
    if ((v->limits & GM_FACT_HIGH) != 0) v->high = get_double(&r->in);
    if (v->kind == GM_FACT_TEXT || v->kind == GM_FACT_JSON || v->kind == GM_FACT_DOCUMENT) v->text = get_long(r);
    if (v->kind == GM_FACT_DOCUMENT) {
        v->media = r->text(r);
        v->name  = get_long(r);
    }
    if (v->kind == GM_FACT_PART) {
        v->text     = r->text(r);
        v->position = r->text(r);
        v->more     = get_long(r);
    }
    return !r->in.bad;
}

static void put_inline(gm_fact_writer *w, gm_str text) { gm_buf_text_of(w->out, text); }
static gm_str get_inline(gm_fact_reader *r) { return gm_bytes_text(&r->in); }

void gm_fact_encode(const gm_fact *f, gm_buf *out)
{
    gm_fact_writer w = { .out = out, .text = put_inline };
    gm_buf_byte(out, VERSION);
    gm_buf_byte(out, (uint8_t)f->phase);
    gm_buf_byte(out, f->replace ? REPLACE : 0);
    gm_buf_svarint(out, f->from);
    gm_buf_svarint(out, f->to);
    gm_buf_text_of(out, f->author);
    gm_buf_text_of(out, f->cause);
    gm_fact_put_value(&w, &f->value);
}

gm_status gm_fact_decode(const uint8_t *bytes, size_t size, gm_fact *f, gm_error *err)
{
    gm_fact_reader r       = { .in = { .at = bytes, .end = bytes + size }, .text = get_inline };
    uint8_t        version = gm_bytes_byte(&r.in), phase = gm_bytes_byte(&r.in), flags = gm_bytes_byte(&r.in);
    f->from   = gm_bytes_svarint(&r.in);
    f->to     = gm_bytes_svarint(&r.in);
    f->author = gm_bytes_text(&r.in);
    f->cause  = gm_bytes_text(&r.in);
    bool good = gm_fact_get_value(&r, &f->value) && version == VERSION && phase < GM_PHASE_COUNT && flags <= REPLACE && r.in.at == r.in.end;
    f->phase   = (gm_phase)(phase < GM_PHASE_COUNT ? phase : 0);
    f->replace = flags == REPLACE;
    return good ? GM_OK : gm_fail(err, GM_CORRUPT, WHERE, "%zu bytes are no fact", size);
}
