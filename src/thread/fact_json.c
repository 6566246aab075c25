// Facts as JSON, both ways.
#include "base/number.h"
#include "state/document.h"
#include "thread/fact.h"

static const char WHERE[] = "thread.fact";

static gm_str text_of(const json_t *json) { return (gm_str){ json_string_value(json), json_string_length(json) }; }

static gm_status read_text(const json_t *json, const char *member, gm_str *out, gm_error *err)
{
    const json_t *value = json_object_get(json, member);
    if (value == NULL || json_is_null(value)) return GM_OK;
    if (!json_is_string(value)) return gm_fail(err, GM_INVALID, WHERE, "'%s' must be a text", member);
    *out = text_of(value);
    return GM_OK;
}

static gm_status read_number(const json_t *json, const char *member, double *out, bool *out_there, gm_error *err)
{
    const json_t *value = json_object_get(json, member);
    *out_there          = value != NULL && !json_is_null(value);
    if (*out_there && !json_is_number(value)) return gm_fail(err, GM_INVALID, WHERE, "'%s' must be a number", member);
    if (*out_there) *out = json_number_value(value);
    return GM_OK;
}

static gm_status read_time(const json_t *json, const char *member, gm_time_ns *out, gm_error *err)
{
    gm_str    text = { 0 };
    gm_status st   = read_text(json, member, &text, err);
    if (st != GM_OK || text.ptr == NULL) return st;
    return gm_time_parse(text, out, NULL) == GM_OK ? GM_OK
           : gm_fail(err, GM_INVALID, WHERE, "'%s' must be a time such as \"2026-01-31T08:00:00Z\"", member);
}

// A fact has one JSON text at most, so the view holds.
static gm_status keep_json(const json_t *value, gm_buf *texts, gm_str *out, gm_error *err)
{
    gm_document_compact(value, texts);
    if (texts->failed) return gm_fail(err, GM_NOMEM, WHERE, "reading a fact");
    *out = gm_buf_view(texts);
    return GM_OK;
}

static gm_status read_part(const json_t *json, gm_buf *texts, gm_fact_value *v, gm_error *err)
{
    bool          there = false;
    const json_t *more  = json_object_get(json, "more");
    v->kind             = GM_FACT_PART;
    v->number           = 1.0;
    gm_status st        = read_text(json, "part", &v->text, err);
    if (st == GM_OK) st = read_text(json, "position", &v->position, err);
    if (st == GM_OK) st = read_number(json, "quantity", &v->number, &there, err);
    return st == GM_OK && more != NULL && !json_is_null(more) ? keep_json(more, texts, &v->more, err) : st;
}

static gm_status read_document(const json_t *json, gm_fact_value *v, gm_error *err)
{
    const json_t *d = json_object_get(json, "document");
    bool          there;
    if (!json_is_object(d)) return gm_fail(err, GM_INVALID, WHERE, "'document' must be an object with 'hash' and 'mediaType'");
    v->kind      = GM_FACT_DOCUMENT;
    gm_status st = read_text(d, "hash", &v->text, err);
    if (st == GM_OK) st = read_text(d, "mediaType", &v->media, err);
    if (st == GM_OK) st = read_text(d, "name", &v->name, err);
    return st == GM_OK ? read_number(d, "size", &v->number, &there, err) : st;
}

static gm_status read_plain(const json_t *json, gm_buf *texts, gm_fact_value *v, gm_error *err)
{
    const json_t *value = json_object_get(json, "value");
    bool          low = false, high = false;
    if (value == NULL) return gm_fail(err, GM_INVALID, WHERE, "a fact needs 'value' (null takes back), 'part' or 'document'");
    gm_status st = read_number(json, "min", &v->low, &low, err);
    if (st == GM_OK) st = read_number(json, "max", &v->high, &high, err);
    if (st != GM_OK) return st;
    v->limits = (uint8_t)((low ? GM_FACT_LOW : 0) | (high ? GM_FACT_HIGH : 0));
    if (v->limits != 0 && !json_is_number(value)) return gm_fail(err, GM_INVALID, WHERE, "'min' and 'max' belong to a number");
    v->kind   = json_is_null(value) ? GM_FACT_NONE : json_is_number(value) ? GM_FACT_NUMBER : json_is_string(value) ? GM_FACT_TEXT : GM_FACT_JSON;
    if (v->kind == GM_FACT_NUMBER) v->number = json_number_value(value);
    if (v->kind == GM_FACT_TEXT) v->text = text_of(value);
    return v->kind == GM_FACT_JSON ? keep_json(value, texts, &v->text, err) : GM_OK;
}

static gm_status read_value(const json_t *json, gm_buf *texts, gm_fact_value *v, gm_error *err)
{
    bool      part = json_object_get(json, "part") != NULL, document = json_object_get(json, "document") != NULL;
    bool      value = json_object_get(json, "value") != NULL;
    gm_status st    = GM_OK;
    if (part + document + value > 1) return gm_fail(err, GM_INVALID, WHERE, "a fact has one of 'value', 'part' and 'document'");
    st = part ? read_part(json, texts, v, err) : document ? read_document(json, v, err) : read_plain(json, texts, v, err);
    return st == GM_OK ? read_text(json, "unit", &v->unit, err) : st;
}

static gm_status check_members(const json_t *json, gm_error *err)
{
    static const char *const known[] = { "twin", "phase", "key", "value", "unit", "min", "max", "part", "position", "quantity", "more",
                                         "document", "from", "to", "known", "author", "cause", "replace" };
    const char *member;
    json_t     *value;
    json_object_foreach((json_t *)(uintptr_t)json, member, value) {
        bool is = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) is = is || strcmp(member, known[i]) == 0;
        if (!is) return gm_fail(err, GM_INVALID, WHERE, "a fact has no '%.60s'", member);
    }
    return GM_OK;
}

gm_status gm_fact_read(const json_t *json, gm_time_ns now, gm_buf *texts, gm_fact *out, gm_error *err)
{
    gm_str phase = { 0 };
    gm_buf_clear(texts);
    *out = (gm_fact){ .from = now, .to = INT64_MAX };
    if (!json_is_object(json)) return gm_fail(err, GM_INVALID, WHERE, "a fact is a JSON object");
    gm_status st = check_members(json, err);
    if (st == GM_OK) st = read_text(json, "phase", &phase, err);
    if (st == GM_OK && !gm_phase_of(phase, &out->phase))
        st = gm_fail(err, GM_INVALID, WHERE, "'phase' is one of as-designed, as-built, as-operated, maintained, decommissioned");
    if (st == GM_OK) st = read_text(json, "twin", &out->twin, err);
    if (st == GM_OK) st = read_text(json, "key", &out->key, err);
    if (st == GM_OK) st = read_text(json, "author", &out->author, err);
    if (st == GM_OK) st = read_text(json, "cause", &out->cause, err);
    if (st == GM_OK) st = read_time(json, "from", &out->from, err);
    if (st == GM_OK) st = read_time(json, "to", &out->to, err);
    if (st == GM_OK) st = read_value(json, texts, &out->value, err);
    const json_t *replace = json_object_get(json, "replace");
    if (st == GM_OK && replace != NULL && !json_is_boolean(replace)) st = gm_fail(err, GM_INVALID, WHERE, "'replace' must be true or false");
    out->replace = json_is_true(replace);
    return st;
}

// ---- writing ------------------------------------------------------------------------------------------------------

static void text_member(gm_buf *out, const char *member, gm_str text)
{
    if (text.len == 0) return;
    gm_buf_printf(out, ",\"%s\":", member);
    gm_buf_json_str(out, text);
}

static void number_member(gm_buf *out, const char *member, double number)
{
    char text[GM_NUMBER_TEXT];
    gm_number_write(number, text);
    gm_buf_printf(out, "%s\"%s\":%s", strcmp(member, "value") == 0 || strcmp(member, "size") == 0 ? "" : ",", member, text);
}

static void time_member(gm_buf *out, const char *member, gm_time_ns time)
{
    char text[GM_TIME_TEXT];
    if (time < GM_TIME_MIN || time > GM_TIME_MAX) return;
    gm_time_format(time, text);
    gm_buf_printf(out, ",\"%s\":\"%s\"", member, text);
}

static void write_document(const gm_fact_value *v, gm_buf *out)
{
    gm_buf_text(out, "\"document\":{");
    number_member(out, "size", v->number);
    text_member(out, "hash", v->text);
    text_member(out, "mediaType", v->media);
    text_member(out, "name", v->name);
    gm_buf_byte(out, '}');
}

void gm_fact_write_value(const gm_fact_value *v, gm_buf *out)
{
    switch (v->kind) {
    case GM_FACT_NUMBER: number_member(out, "value", v->number); break;
    case GM_FACT_DOCUMENT: write_document(v, out); break;
    case GM_FACT_JSON:
        gm_buf_text(out, "\"value\":");
        gm_buf_str(out, v->text);
        break;
    case GM_FACT_TEXT:
    case GM_FACT_PART:
        gm_buf_text(out, v->kind == GM_FACT_PART ? "\"part\":" : "\"value\":");
        gm_buf_json_str(out, v->text);
        break;
    case GM_FACT_NONE:
    case GM_FACT_KIND_COUNT: gm_buf_text(out, "\"value\":null"); break;
    }
    if (v->kind == GM_FACT_PART && v->number != 1.0) number_member(out, "quantity", v->number);
    text_member(out, "position", v->position);
    text_member(out, "unit", v->unit);
    if ((v->limits & GM_FACT_LOW) != 0) number_member(out, "min", v->low);
    if ((v->limits & GM_FACT_HIGH) != 0) number_member(out, "max", v->high);
    if (v->more.len > 0) gm_buf_printf(out, ",\"more\":" GM_STR_FMT, GM_STR_ARG(v->more));
}

void gm_fact_write(const gm_fact *f, gm_buf *out)
{
    gm_buf_text(out, "{\"twin\":");
    gm_buf_json_str(out, f->twin);
    gm_buf_printf(out, ",\"phase\":\"%s\",\"key\":", gm_phase_name(f->phase));
    gm_buf_json_str(out, f->key);
    gm_buf_byte(out, ',');
    gm_fact_write_value(&f->value, out);
    time_member(out, "from", f->from);
    time_member(out, "to", f->to);
    time_member(out, "known", f->known);
    text_member(out, "author", f->author);
    text_member(out, "cause", f->cause);
    gm_buf_byte(out, '}');
}
