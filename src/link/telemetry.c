// Invariants: (1) recursion follows the model (objects) or GM_TELEMETRY_DEPTH_MAX (documents), never the message alone;
// (2) reader->text has two halves as long as the payload. In the first, decoded texts and compact documents follow each
// other; neither is longer than its bytes in the payload. The second holds the decoded strings of documents, each at
// the offset at which it stands in the payload, so that they can not overlap.
#include "link/telemetry.h"

#include "base/number.h"
#include "link/telemetry_json.h"
#include "link/telemetry_names.h"
#include "state/schema_check.h"

#include <assert.h>
#include <float.h>
#include <math.h>

#define WHERE "link.telemetry"

typedef struct parser {
    gm_json_cursor       c;
    gm_telemetry_reader *reader;
    gm_telemetry_names  *names;
    gm_cell_write       *next;        // where the next cell goes
    uint32_t             last;        // the name that was read last, for the guess
    bool                 properties, has_time;
    gm_time_ns           at, latest;
} parser;

// ---- messages -----------------------------------------------------------------------------------------------------
static gm_status no_fit(const parser *p, const char *at, const gm_telemetry_name *name)
{
    gm_json_cursor there = p->c;
    there.at             = at;
    return gm_json_refuse(&p->c, at, "'" GM_STR_FMT "' must be %s, found %s",
                          GM_STR_ARG(gm_str_slice(name->path, 0, 60)), gm_schema_expected((gm_schema_kind)name->schema),
                          gm_json_sight(&there));
}

// The kind is right but the value is not: a range, a form, an enum.
static gm_status bad_value(const parser *p, const char *at, const gm_telemetry_name *name)
{
    size_t shown = 0, left = (size_t)(p->c.end - at);
    while (shown < left && shown < 24 && strchr(",}] \n\r\t", at[shown]) == NULL) shown++;
    gm_str sight = { at, shown };
    return gm_json_refuse(&p->c, at, "'" GM_STR_FMT "' must be %s, found " GM_STR_FMT,
                          GM_STR_ARG(gm_str_slice(name->path, 0, 60)), gm_schema_expected((gm_schema_kind)name->schema),
                          GM_STR_ARG(sight));
}

static gm_status unknown_name(const parser *p, const char *at, uint32_t parent, gm_str key)
{
    gm_str path = p->names->names[parent].path;
    return gm_json_refuse(&p->c, at, "'" GM_STR_FMT "%s" GM_STR_FMT "' is not part of model " GM_STR_FMT,
                          GM_STR_ARG(gm_str_slice(path, 0, 60)), path.len > 0 ? "/" : "",
                          GM_STR_ARG(gm_str_slice(key, 0, 40)), GM_STR_ARG(p->names->type->id));
}

// ---- documents: maps and arrays, kept as compact JSON ---------------------------------------------------------------
static gm_status document_value(parser *p, const gm_schema *schema, const gm_telemetry_name *name, int depth);

static void put(parser *p, const char *bytes, size_t n)
{
    memcpy(p->c.text + p->c.text_used, bytes, n);
    p->c.text_used += n;
}

// Copies a string as it stands, checked. Its decoded text stays readable until the message is done: when it differs
// from the bytes in the payload it lies in the second half of reader->text, at the place the string has in the payload.
static gm_status document_string(parser *p, gm_str *out_text)
{
    const char *from   = p->c.at;
    size_t      before = p->c.text_used;
    gm_status   st     = gm_json_string(&p->c, out_text);
    if (st != GM_OK) return st;
    if (p->c.text_used != before) {
        char *decoded = p->c.text + (p->c.end - p->c.start) + (from - p->c.start);
        memcpy(decoded, out_text->ptr, out_text->len);
        out_text->ptr  = decoded;
        p->c.text_used = before;
    }
    put(p, from, (size_t)(p->c.at - from));
    return GM_OK;
}

static gm_status remember_key(parser *p, size_t first, gm_str raw, const char *at)
{
    gm_telemetry_reader *r = p->reader;
    for (size_t i = first; i < r->key_count; i++) {
        if (gm_str_eq(r->keys[i], raw))
            return gm_json_refuse(&p->c, at, "the key '" GM_STR_FMT "' stands twice",
                                  GM_STR_ARG(gm_str_slice(raw, 0, 60)));
    }
    if (r->key_count >= GM_TELEMETRY_KEYS_MAX)
        return gm_json_refuse(&p->c, at, "more than %d keys in one document", GM_TELEMETRY_KEYS_MAX);
    if (!gm_alloc_reserve(r->alloc, &r->keys, &r->key_capacity, r->key_count + 1, sizeof *r->keys)) {
        return gm_fail(p->c.err, GM_NOMEM, WHERE, "reading a document");
    }
    r->keys[r->key_count++] = raw;
    return GM_OK;
}

static const gm_schema *member_schema(const gm_schema *schema, gm_str key)
{
    if (schema->kind != GM_SCHEMA_OBJECT) return schema->element;
    for (size_t i = 0; i < schema->field_count; i++) {
        if (gm_str_eq(schema->fields[i].name, key)) return schema->fields[i].schema;
    }
    return NULL;
}

static gm_status document_key(parser *p, const gm_schema *schema, size_t first_key, const gm_schema **out_member)
{
    const char *at = p->c.at;
    gm_str      key;
    gm_status   st = document_string(p, &key);
    if (st != GM_OK) return st;
    *out_member = member_schema(schema, key);
    if (*out_member == NULL)
        return gm_json_refuse(&p->c, at, "'" GM_STR_FMT "' is not a field of its schema",
                              GM_STR_ARG(gm_str_slice(key, 0, 60)));
    return remember_key(p, first_key, key, at);
}

static gm_status document_object(parser *p, const gm_schema *schema, const gm_telemetry_name *name, int depth)
{
    size_t    first_key = p->reader->key_count;
    p->c.at++;
    put(p, "{", 1);
    gm_json_skip(&p->c);
    if (!gm_json_take(&p->c, '}')) {
        for (;;) {
            const gm_schema *member;
            gm_json_skip(&p->c);
            if (p->c.at < p->c.end && *p->c.at != '"') return gm_json_expected(&p->c, "a name in quotes");
            gm_status st = document_key(p, schema, first_key, &member);
            if (st != GM_OK) return st;
            gm_json_skip(&p->c);
            if (!gm_json_take(&p->c, ':')) return gm_json_expected(&p->c, "':'");
            put(p, ":", 1);
            st = document_value(p, member, name, depth + 1);
            if (st != GM_OK) return st;
            gm_json_skip(&p->c);
            if (gm_json_take(&p->c, '}')) break;
            if (!gm_json_take(&p->c, ',')) return gm_json_expected(&p->c, "',' or '}'");
            put(p, ",", 1);
        }
    }
    put(p, "}", 1);
    p->reader->key_count = first_key;
    return GM_OK;
}

static gm_status document_array(parser *p, const gm_schema *schema, const gm_telemetry_name *name, int depth)
{
    p->c.at++;
    put(p, "[", 1);
    gm_json_skip(&p->c);
    if (!gm_json_take(&p->c, ']')) {
        for (;;) {
            gm_status st = document_value(p, schema->element, name, depth + 1);
            if (st != GM_OK) return st;
            gm_json_skip(&p->c);
            if (gm_json_take(&p->c, ']')) break;
            if (!gm_json_take(&p->c, ',')) return gm_json_expected(&p->c, "',' or ']'");
            put(p, ",", 1);
        }
    }
    put(p, "]", 1);
    return GM_OK;
}

// A leaf inside a document: read as a leaf of its schema, then copied as it stands.
static gm_status leaf(parser *p, const gm_schema *schema, gm_kind kind, const gm_telemetry_name *name, gm_value *out);

static gm_kind kind_of_schema(const gm_schema *schema)
{
    switch (schema->kind) {
    case GM_SCHEMA_BOOLEAN: return GM_KIND_BOOL;
    case GM_SCHEMA_FLOAT:
    case GM_SCHEMA_DOUBLE:
    case GM_SCHEMA_DECIMAL: return GM_KIND_DOUBLE;
    case GM_SCHEMA_ENUM: return schema->enum_value_kind == GM_SCHEMA_STRING ? GM_KIND_STRING : GM_KIND_INT;
    case GM_SCHEMA_OBJECT:
    case GM_SCHEMA_MAP:
    case GM_SCHEMA_ARRAY:
    case GM_SCHEMA_SCALED_DECIMAL: return GM_KIND_JSON;
    default: break;
    }
    int64_t min, max;
    return gm_schema_int_range(schema->kind, &min, &max) ? GM_KIND_INT : GM_KIND_STRING;
}

// {"scale":2,"value":"12.5"}: the one leaf that is an object.
static gm_status scaled_decimal(parser *p, const gm_telemetry_name *name)
{
    static const gm_schema whole = { .kind = GM_SCHEMA_LONG }, text = { .kind = GM_SCHEMA_DECIMAL };
    static const gm_field  fields[2] = { { .name = { "scale", 5 }, .schema = &whole },
                                         { .name = { "value", 5 }, .schema = &text } };
    static const gm_schema both = { .kind = GM_SCHEMA_OBJECT, .fields = fields, .field_count = 2 };
    const char *from = p->c.at;
    size_t      keys = p->c.text_used;
    gm_status   st   = document_object(p, &both, name, 0);
    if (st != GM_OK) return st;
    gm_str text_of = { p->c.text + keys, p->c.text_used - keys };
    bool   whole_one = gm_str_find(text_of, GM_STR("\"scale\":")) != SIZE_MAX &&
                     gm_str_find(text_of, GM_STR("\"value\":\"")) != SIZE_MAX;
    return whole_one ? GM_OK : no_fit(p, from, name);
}

static gm_status document_value(parser *p, const gm_schema *schema, const gm_telemetry_name *name, int depth)
{
    gm_json_skip(&p->c);
    if (depth > GM_TELEMETRY_DEPTH_MAX)
        return gm_json_refuse(&p->c, p->c.at, "nested deeper than %d levels", GM_TELEMETRY_DEPTH_MAX);
    char              first = p->c.at < p->c.end ? *p->c.at : '\0';
    gm_telemetry_name inner = { .path = name->path, .schema = (uint8_t)schema->kind };
    if (schema->kind == GM_SCHEMA_ARRAY)
        return first == '[' ? document_array(p, schema, name, depth) : no_fit(p, p->c.at, &inner);
    if (schema->kind == GM_SCHEMA_OBJECT || schema->kind == GM_SCHEMA_MAP) {
        return first == '{' ? document_object(p, schema, name, depth) : no_fit(p, p->c.at, &inner);
    }
    if (schema->kind == GM_SCHEMA_SCALED_DECIMAL)
        return first == '{' ? scaled_decimal(p, &inner) : no_fit(p, p->c.at, &inner);

    (void)gm_schema_int_range(schema->kind, &inner.min, &inner.max);
    const char *from = p->c.at;
    size_t      used = p->c.text_used;
    gm_value    value;
    gm_status   st   = leaf(p, schema, kind_of_schema(schema), &inner, &value);
    p->c.text_used   = used;
    if (st == GM_OK) put(p, from, (size_t)(p->c.at - from));
    return st;
}

// ---- leaves -------------------------------------------------------------------------------------------------------
static gm_str rest_of(const parser *p)
{
    return (gm_str){ p->c.at, (size_t)(p->c.end - p->c.at) };
}

static gm_status take_double(parser *p, const gm_telemetry_name *name, double *out)
{
    size_t len = gm_number_read(rest_of(p), out);
    if (len == 0) return no_fit(p, p->c.at, name);
    // HUGE_VAL is what a number beyond double's range reads as.
    if (!(fabs(*out) <= DBL_MAX) || (name->schema == GM_SCHEMA_FLOAT && fabs(*out) > (double)FLT_MAX))
        return bad_value(p, p->c.at, name);
    p->c.at += len;
    return GM_OK;
}

// 5.0 and 1e3 are whole too; beyond 2^53 only digits are trusted to be what the sender meant.
static gm_status take_whole(parser *p, const gm_telemetry_name *name, int64_t *out)
{
    size_t len = gm_number_read_int(rest_of(p), out);
    if (len == 0) {
        double real;
        len = gm_number_read(rest_of(p), &real);
        if (len == 0) return no_fit(p, p->c.at, name);
        if (!(fabs(real) <= 9007199254740992.0) || real != floor(real)) return bad_value(p, p->c.at, name);
        *out = (int64_t)real;
    }
    if (name->schema != GM_SCHEMA_ENUM && (*out < name->min || *out > name->max)) return bad_value(p, p->c.at, name);
    p->c.at += len;
    return GM_OK;
}

static bool enum_has(const gm_schema *schema, const gm_value *value)
{
    for (size_t i = 0; i < schema->enum_value_count; i++) {
        const gm_value *one = &schema->enum_values[i].value;
        if (one->kind != value->kind) continue;
        if (value->kind == GM_KIND_INT ? one->i == value->i : gm_str_eq(one->s, value->s)) return true;
    }
    return false;
}

static gm_status take_text(parser *p, const gm_schema *schema, const gm_telemetry_name *name, gm_str *out)
{
    const char *at = p->c.at;
    if (at < p->c.end && *at != '"' &&
        schema->kind == GM_SCHEMA_DECIMAL) { // a decimal may be a number; its digits are kept
        double ignored;
        size_t len = gm_number_read(rest_of(p), &ignored);
        if (len == 0) return no_fit(p, at, name);
        *out = (gm_str){ at, len };
        p->c.at += len;
        return GM_OK;
    }
    if (at >= p->c.end || *at != '"') return no_fit(p, at, name);
    gm_status st = gm_json_string(&p->c, out);
    if (st != GM_OK) return st;
    return schema->kind == GM_SCHEMA_ENUM || gm_schema_text_fits(schema->kind, *out) ? GM_OK : bad_value(p, at, name);
}

static gm_status take_boolean(parser *p, const gm_telemetry_name *name, int64_t *out)
{
    gm_str rest = rest_of(p);
    *out        = gm_str_starts(rest, GM_STR("true"));
    if (!*out && !gm_str_starts(rest, GM_STR("false"))) return no_fit(p, p->c.at, name);
    p->c.at += *out ? 4 : 5;
    return GM_OK;
}

static gm_status leaf(parser *p, const gm_schema *schema, gm_kind kind, const gm_telemetry_name *name, gm_value *out)
{
    const char *from = p->c.at;
    gm_status   st   = GM_OK;
    out->kind        = kind;
    switch (kind) {
    case GM_KIND_DOUBLE:
        if (schema->kind == GM_SCHEMA_DECIMAL && p->c.at < p->c.end && *p->c.at == '"') {
            gm_str text;
            st = take_text(p, schema, name, &text);
            if (st == GM_OK && (gm_number_read(text, &out->d) != text.len || !(fabs(out->d) <= DBL_MAX)))
                st = bad_value(p, from, name);
            return st;
        }
        return take_double(p, name, &out->d);
    case GM_KIND_INT: st = take_whole(p, name, &out->i); break;
    case GM_KIND_BOOL: return take_boolean(p, name, &out->i);
    case GM_KIND_STRING: st = take_text(p, schema, name, &out->s); break;
    default: {
        size_t first = p->c.text_used;
        p->reader->key_count = 0;
        st     = document_value(p, schema, name, 1);
        out->s = (gm_str){ p->c.text + first, p->c.text_used - first };
        return st;
    }
    }
    if (st == GM_OK && schema->kind == GM_SCHEMA_ENUM && !enum_has(schema, out)) return bad_value(p, from, name);
    return st;
}

// ---- objects ------------------------------------------------------------------------------------------------------
static gm_status take_time(parser *p)
{
    const char *at = p->c.at;
    gm_str      text;
    gm_error    why;
    if (p->has_time) return gm_json_refuse(&p->c, at, "'$time' stands twice");
    gm_json_skip(&p->c);
    if (p->c.at >= p->c.end || *p->c.at != '"')
        return gm_json_refuse(&p->c, p->c.at, "'$time' must be a text such as \"2026-01-01T00:00:00Z\"");
    gm_status st = gm_json_string(&p->c, &text);
    if (st != GM_OK) return st;
    if (gm_time_parse(text, &p->at, &why) != GM_OK) return gm_json_refuse(&p->c, at, "'$time': %s", why.text);
    if (p->at > p->latest)
        return gm_json_refuse(&p->c, at, "'$time' lies too far in the future: '" GM_STR_FMT "'",
                              GM_STR_ARG(gm_str_slice(text, 0, 40)));
    p->has_time = true;
    return GM_OK;
}

// The next key of an object. Devices send the same names in the same order every time, so the one that followed last
// time is tried first; then no byte of the key is looked at twice. *out_id: the name, or NOWHERE for "$time".
static gm_status take_key(parser *p, uint32_t parent, bool top, uint32_t *out_id)
{
    const gm_telemetry_names *n     = p->names;
    uint32_t                  guess = n->names[p->last].follower;
    const gm_telemetry_name  *name  = &n->names[guess];
    const char               *at    = p->c.at;
    if (name->parent == parent && (size_t)(p->c.end - at) > name->len + 2 && at[0] == '"' && at[name->len + 1] == '"' &&
        memcmp(at + 1, name->text, name->len) == 0) {
        p->c.at += name->len + 2;
        *out_id = guess;
    } else {
        gm_str key;
        if (at < p->c.end && *at != '"') return gm_json_expected(&p->c, "a name in quotes");
        gm_status st = gm_json_string(&p->c, &key);
        if (st != GM_OK) return st;
        if (top && gm_str_is(key, "$time")) {
            *out_id = GM_TELEMETRY_NOWHERE;
            return GM_OK;
        }
        *out_id = gm_telemetry_find(n, parent, key.ptr, key.len);
        if (*out_id == GM_TELEMETRY_NOWHERE) return unknown_name(p, at, parent, key);
        p->names->names[p->last].follower = *out_id;
    }
    p->last = *out_id;
    if (p->reader->seen[*out_id] == p->reader->message) {
        return gm_json_refuse(&p->c, at, "'" GM_STR_FMT "' stands twice",
                              GM_STR_ARG(gm_str_slice(n->names[*out_id].path, 0, 100)));
    }
    p->reader->seen[*out_id] = p->reader->message;
    return GM_OK;
}

static gm_status read_object(parser *p, uint32_t parent, bool top);

static gm_status read_member(parser *p, uint32_t id)
{
    const gm_telemetry_name *name = &p->names->names[id];
    if (name->column == GM_NO_COLUMN) {
        if (p->c.at < p->c.end && *p->c.at == '{') return read_object(p, id, false);
        return gm_json_refuse(&p->c, p->c.at, "'" GM_STR_FMT "' must be an object, found %s",
                              GM_STR_ARG(gm_str_slice(name->path, 0, 80)), gm_json_sight(&p->c));
    }
    gm_cell_write *cell = p->next;
    cell->column        = (uint16_t)name->column;
    gm_status st        = GM_OK;
    if (name->schema == GM_SCHEMA_DOUBLE && name->kind == GM_KIND_DOUBLE) {
        cell->value.kind = GM_KIND_DOUBLE;
        st               = take_double(p, name, &cell->value.d);
    } else {
        st = leaf(p, name->leaf->schema, (gm_kind)name->kind, name, &cell->value);
    }
    p->next++;
    p->properties |= name->is_property;
    return st;
}

static gm_status read_object(parser *p, uint32_t parent, bool top)
{
    if (!gm_json_take(&p->c, '{')) return gm_json_expected(&p->c, "an object, '{'");
    gm_json_skip(&p->c);
    if (gm_json_take(&p->c, '}')) return GM_OK;
    for (;;) {
        uint32_t  id;
        gm_status st = take_key(p, parent, top, &id);
        if (st != GM_OK) return st;
        gm_json_skip(&p->c);
        if (!gm_json_take(&p->c, ':')) return gm_json_expected(&p->c, "':'");
        gm_json_skip(&p->c);
        st = id != GM_TELEMETRY_NOWHERE ? read_member(p, id) : take_time(p);
        if (st != GM_OK) return st;
        gm_json_skip(&p->c);
        if (gm_json_take(&p->c, '}')) return GM_OK;
        if (!gm_json_take(&p->c, ',')) return gm_json_expected(&p->c, "',' or '}'");
        gm_json_skip(&p->c);
    }
}

// ---- the message --------------------------------------------------------------------------------------------------
void gm_telemetry_reader_init(gm_telemetry_reader *r, const gm_alloc *alloc)
{
    *r = (gm_telemetry_reader){ .alloc = alloc };
}

void gm_telemetry_reader_finish(gm_telemetry_reader *r)
{
    if (r->alloc == NULL) return;
    gm_free(r->alloc, r->cells);
    gm_free(r->alloc, r->seen);
    gm_free(r->alloc, r->text);
    gm_free(r->alloc, r->keys);
    *r = (gm_telemetry_reader){ .alloc = r->alloc };
}

// Names are numbered per type; `seen` is shared, so the number of a message must never repeat while an old entry is
// left.
static gm_status prepare(gm_telemetry_reader *r, const gm_telemetry_names *names, size_t payload_len, gm_error *err)
{
    size_t had  = r->seen_capacity;
    bool   room = gm_alloc_reserve(r->alloc, &r->seen, &r->seen_capacity, names->count, sizeof *r->seen);
    // At once: when a later one is refused, the next message finds room here and does not clear it.
    if (r->seen_capacity > had) memset(r->seen + had, 0, (r->seen_capacity - had) * sizeof *r->seen);
    room = room && gm_alloc_reserve(r->alloc, &r->cells, &r->cell_capacity, names->count, sizeof *r->cells) &&
           gm_alloc_reserve(r->alloc, &r->text, &r->text_capacity, 2 * payload_len + 8, 1);
    if (!room) return gm_fail(err, GM_NOMEM, WHERE, "reading a message of %zu bytes", payload_len);
    if (++r->message == 0) {
        memset(r->seen, 0, r->seen_capacity * sizeof *r->seen);
        r->message = 1;
    }
    return GM_OK;
}

gm_status gm_telemetry_read(gm_telemetry_reader *r, gm_telemetry_names *names, uint32_t scope, gm_str payload,
                            gm_time_ns now, gm_time_ns latest, gm_error *err)
{
    assert(scope < names->count);
    r->count     = 0;
    gm_status st = prepare(r, names, payload.len, err);
    if (st != GM_OK) return st;
    parser p = {
        .c = { .start = payload.ptr, .at = payload.ptr, .end = payload.ptr + payload.len, .text = r->text, .err = err },
        .reader = r,
        .names  = names,
        .next   = r->cells,
        .last   = scope,
        .at     = now,
        .latest = latest
    };
    gm_json_skip(&p.c);
    st = read_object(&p, scope, true);
    if (st != GM_OK) return st;
    gm_json_skip(&p.c);
    if (p.c.at < p.c.end)
        return gm_json_refuse(&p.c, p.c.at, "the message goes on after its object with %s", gm_json_sight(&p.c));
    r->count = (size_t)(p.next - r->cells);
    r->flags = p.properties ? GM_WRITE_PROPERTIES : 0;
    r->at    = p.at;
    if (r->count == 0) return gm_json_refuse(&p.c, p.c.at, "the message has no values");
    for (size_t i = 0; i < r->count; i++) r->cells[i].at = p.at;
    return GM_OK;
}
