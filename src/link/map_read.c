// From a payload to the updates of twins. Everything lies in the arena; nothing is handed out before the whole message was
// understood.
#include "link/map_internal.h"

#include "base/number.h"
#include "link/template.h"

#include <math.h>
#include <stdio.h>
#include <strings.h>

#define WHERE "link.map"

bool gm_map_number(gm_str text, double *out_value)
{
    if (text.len > 1 && text.ptr[0] == '+' && text.ptr[1] != '-') text = gm_str_slice(text, 1, text.len);
    return text.len > 0 && gm_number_read(text, out_value) == text.len && isfinite(*out_value);
}

static bool same_word(gm_str text, const char *word)
{
    return text.len == strlen(word) && strncasecmp(text.ptr, word, text.len) == 0;
}

gm_value gm_map_guess(gm_str text)
{
    gm_value value = { .kind = GM_KIND_INT };
    text           = gm_str_trim(text);
    if (text.len > 0 && gm_number_read_int(text, &value.i) == text.len) return value;
    value.kind = GM_KIND_DOUBLE;
    if (gm_map_number(text, &value.d)) return value;
    value.kind = GM_KIND_BOOL;
    value.i    = same_word(text, "true") || same_word(text, "on");
    if (value.i == 1 || same_word(text, "false") || same_word(text, "off")) return value;
    return (gm_value){ .kind = GM_KIND_STRING, .s = text };
}

// ---- results ------------------------------------------------------------------------------------------------------
static gm_status no_memory(const gm_map_reading *r)
{
    return gm_fail(r->err, GM_NOMEM, WHERE, "reading a message");
}

gm_mapped *gm_map_next_result(gm_map_reading *r)
{
    if (r->result_count >= GM_MAP_RESULTS_MAX) {
        (void)!gm_fail(r->err, GM_INVALID, WHERE, "more than %d updates in one message", GM_MAP_RESULTS_MAX);
        return NULL;
    }
    if (!gm_alloc_reserve(&r->alloc, &r->results, &r->result_capacity, r->result_count + 1, sizeof *r->results)) {
        (void)!no_memory(r);
        return NULL;
    }
    gm_mapped *result = &r->results[r->result_count++];
    *result           = (gm_mapped){ .map = r->map, .at = GM_MAP_NO_TIME, .create = { "", 0 } };
    return result;
}

// RFC 6901. NULL: there is nothing.
static const gm_json *at_pointer(const gm_json *node, gm_str pointer)
{
    gm_str part;
    if (pointer.len == 0) return node;
    pointer = gm_str_slice(pointer, 1, pointer.len);
    while (node != NULL && gm_str_next(&pointer, '/', &part)) {
        if (node->kind == GM_JSON_ARRAY) {
            int64_t index;
            if (part.len == 0 || gm_number_read_int(part, &index) != part.len || index < 0 || index >= node->count) return NULL;
            node = node->first;
            while (index-- > 0) node = node->next;
            continue;
        }
        char   plain[256];
        size_t len = 0;
        for (size_t i = 0; i < part.len && len < sizeof plain; i++) {
            char c = part.ptr[i];
            if (c == '~' && i + 1 < part.len && (part.ptr[i + 1] == '0' || part.ptr[i + 1] == '1')) c = part.ptr[++i] == '0' ? '~' : '/';
            plain[len++] = c;
        }
        node = gm_json_get(node, (gm_str){ plain, len });
    }
    return node;
}

static bool text_of_json(const gm_json *node, gm_str *out)
{
    if (node == NULL || node->kind == GM_JSON_NULL || node->kind == GM_JSON_OBJECT || node->kind == GM_JSON_ARRAY) return false;
    if (node->kind == GM_JSON_BOOL) *out = node->truth ? GM_STR("true") : GM_STR("false");
    else *out = node->text;
    return true;
}

static size_t column_of(const gm_map_reading *r, gm_str name)
{
    for (size_t i = 0; i < r->name_count; i++) {
        if (gm_str_eq(r->names[i], name)) return i;
    }
    return SIZE_MAX;
}

// What a template's {name} stands for: a part of the topic, a place in the payload, a column.
static bool find_name(const void *context, gm_str name, gm_str *out)
{
    const gm_map_reading *r = context;
    for (size_t i = 0; i < r->capture_count; i++) {
        if (!gm_str_eq(r->captures[i].name, name)) continue;
        *out = r->captures[i].value;
        return true;
    }
    if (r->json != NULL && name.len > 0 && name.ptr[0] == '/') return text_of_json(at_pointer(r->json, name), out);
    size_t column = column_of(r, name);
    if (column >= r->field_count) return false;
    *out = r->fields[column];
    return true;
}

gm_status gm_map_name_result(gm_map_reading *r, gm_mapped *result)
{
    gm_buf    text = gm_buf_init(&r->alloc);
    gm_status st   = gm_template_fill(r->map->twin, find_name, r, &text, r->err);
    if (st != GM_OK) return st;
    result->twin = gm_buf_view(&text);
    if (result->twin.len == 0 || result->twin.len > 128)
        return gm_fail(r->err, GM_INVALID, WHERE, "the twin's id would have %zu bytes; it has 1 to 128", result->twin.len);
    if (r->map->create == NULL) return GM_OK;
    gm_buf body    = gm_buf_init(&r->alloc);
    st             = gm_template_fill_json(r->map->create, find_name, r, &body, r->err);
    result->create = gm_buf_view(&body);
    return st;
}

gm_status gm_map_time_of(const gm_map_reading *r, gm_str text, gm_time_ns *out_time)
{
    gm_error why;
    text = gm_str_trim(text);
    if (r->map->time_unit == 0) {
        if (gm_time_parse(text, out_time, &why) == GM_OK) return GM_OK;
        return gm_fail(r->err, GM_INVALID, WHERE, "the time: %s", why.text);
    }
    int64_t whole;
    double  real;
    if (text.len > 0 && gm_number_read_int(text, &whole) == text.len &&
        !__builtin_mul_overflow(whole, r->map->time_unit, out_time) && *out_time >= GM_TIME_MIN && *out_time <= GM_TIME_MAX)
        return GM_OK;
    if (gm_map_number(text, &real) && real >= 0.0 && real * (double)r->map->time_unit < (double)GM_TIME_MAX) {
        // The whole part is exact: a double of nanoseconds would not be.
        *out_time = (int64_t)floor(real) * r->map->time_unit + (int64_t)((real - floor(real)) * (double)r->map->time_unit);
        return GM_OK;
    }
    return gm_fail(r->err, GM_INVALID, WHERE, "the time '" GM_STR_FMT "' is no number of the mapping's unit in the years 1970 to 2200",
                   GM_STR_ARG(gm_str_slice(text, 0, 40)));
}

// ---- JSON ---------------------------------------------------------------------------------------------------------
static bool value_of_json(gm_map_reading *r, const gm_json *node, gm_value *out)
{
    switch ((gm_json_kind)node->kind) {
    case GM_JSON_NULL: return false;
    case GM_JSON_BOOL: *out = (gm_value){ .kind = GM_KIND_BOOL, .i = node->truth }; return true;
    case GM_JSON_STRING: *out = (gm_value){ .kind = GM_KIND_STRING, .s = node->text }; return true;
    case GM_JSON_NUMBER: *out = gm_map_guess(node->text); return out->kind != GM_KIND_STRING;
    default: break;
    }
    gm_buf text = gm_buf_init(&r->alloc);
    gm_json_write(node, &text);
    *out = (gm_value){ .kind = GM_KIND_JSON, .s = gm_buf_view(&text) };
    return !text.failed;
}

// With "values":"*": every member that is no object, named by its path. Objects are walked into, and handed out whole
// too, since the column may be a document; whoever makes the cells knows.
static size_t count_leaves(const gm_json *object)
{
    size_t n = 0;
    for (const gm_json *m = object->first; m != NULL; m = m->next) n += 1 + (m->kind == GM_JSON_OBJECT ? count_leaves(m) : 0);
    return n;
}

enum { DOCUMENT_DEPTH = 3 };  // below, objects are only walked into: writing each level again would cost depth times size

static gm_status add_leaves(gm_map_reading *r, const gm_json *object, gm_str prefix, int depth, gm_map_value *values,
                            size_t *count)
{
    for (const gm_json *m = object->first; m != NULL; m = m->next) {
        gm_str path = prefix.len == 0 ? m->key
                                      : gm_arena_printf(r->arena, GM_STR_FMT "/" GM_STR_FMT, GM_STR_ARG(prefix), GM_STR_ARG(m->key));
        if (path.ptr == NULL) return no_memory(r);
        if (m->kind == GM_JSON_OBJECT) {
            gm_status st = add_leaves(r, m, path, depth + 1, values, count);
            if (st != GM_OK) return st;
        }
        gm_map_value *v = &values[*count];
        if ((m->kind == GM_JSON_OBJECT && depth > DOCUMENT_DEPTH) || !value_of_json(r, m, &v->value)) continue;
        v->path = path;
        v->at   = GM_MAP_NO_TIME;
        ++*count;
    }
    return GM_OK;
}

static gm_status read_all(gm_map_reading *r, gm_mapped *result)
{
    if (r->json->kind != GM_JSON_OBJECT) return gm_fail(r->err, GM_INVALID, WHERE, "the payload is no JSON object");
    gm_map_value *values = GM_ARENA_NEW(r->arena, gm_map_value, count_leaves(r->json) + 1);
    if (values == NULL) return no_memory(r);
    result->values = values;
    return add_leaves(r, r->json, (gm_str){ "", 0 }, 0, values, &result->count);
}

static gm_status missing(const gm_map_reading *r, const gm_map_rule *rule)
{
    return gm_fail(r->err, GM_INVALID, WHERE, "there is no value at '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(rule->from, 0, 80)));
}

static gm_status read_object(gm_map_reading *r)
{
    gm_mapped *result = gm_map_next_result(r);
    if (result == NULL) return r->err->status;
    gm_status st = gm_map_name_result(r, result);
    if (st != GM_OK) return st;
    gm_str time;
    if (r->map->time_from.len > 0) {
        if (!text_of_json(at_pointer(r->json, r->map->time_from), &time))
            return gm_fail(r->err, GM_INVALID, WHERE, "there is no time at '" GM_STR_FMT "'", GM_STR_ARG(r->map->time_from));
        st = gm_map_time_of(r, time, &result->at);
        if (st != GM_OK) return st;
    }
    if (r->map->all) return read_all(r, result);
    gm_map_value *values = GM_ARENA_NEW(r->arena, gm_map_value, r->map->rule_count);
    if (values == NULL) return no_memory(r);
    for (size_t i = 0; i < r->map->rule_count; i++) {
        const gm_map_rule *rule = &r->map->rules[i];
        const gm_json     *node = at_pointer(r->json, rule->from);
        gm_map_value      *v    = &values[result->count];
        if (node != NULL && value_of_json(r, node, &v->value)) {
            v->path = rule->to;
            v->rule = rule;
            v->at   = GM_MAP_NO_TIME;
            result->count++;
        } else if (!rule->optional) {
            return missing(r, rule);
        }
    }
    result->values = values;
    return GM_OK;
}

gm_status gm_map_read_json(gm_map_reading *r, gm_str payload)
{
    const gm_json *root;
    gm_status      st = gm_json_parse(r->arena, payload, &root, r->err);
    if (st != GM_OK) return st == GM_NOMEM ? st : GM_INVALID;
    r->json = root;
    if (r->map->each.ptr == NULL) return read_object(r);
    const gm_json *list = at_pointer(root, r->map->each);
    if (!gm_json_is(list, GM_JSON_ARRAY))
        return gm_fail(r->err, GM_INVALID, WHERE, "there is no array at '" GM_STR_FMT "'", GM_STR_ARG(r->map->each));
    for (r->json = list->first; st == GM_OK && r->json != NULL; r->json = r->json->next) st = read_object(r);
    return st;
}

// ---- CSV ----------------------------------------------------------------------------------------------------------
// Takes a field off the front of the row. In quotes it may hold the separator; a doubled quote stands for one, which is
// kept doubled: values of twins do not have any.
static gm_str next_field(gm_str *row, char separator)
{
    gm_str field;
    if (row->len > 0 && row->ptr[0] == '"') {
        size_t end = 1;
        while (end < row->len && !(row->ptr[end] == '"' && (end + 1 >= row->len || row->ptr[end + 1] != '"'))) {
            end += row->ptr[end] == '"' ? 2 : 1;
        }
        field       = gm_str_slice(*row, 1, end);
        gm_str rest = gm_str_slice(*row, end + 1, row->len);
        size_t at   = gm_str_find_char(rest, separator);
        *row        = at == SIZE_MAX ? (gm_str){ NULL, 0 } : gm_str_slice(rest, at + 1, rest.len);
        return field;
    }
    if (!gm_str_next(row, separator, &field)) return (gm_str){ NULL, 0 };
    return gm_str_trim(field);
}

static size_t split(gm_str row, char separator, gm_str *fields)
{
    size_t n = 0;
    while (row.ptr != NULL && n < GM_MAP_COLUMNS_MAX) fields[n++] = next_field(&row, separator);
    return n;
}

static bool no_value(gm_str field)
{
    return field.len == 0 || same_word(field, "nan") || same_word(field, "na") || same_word(field, "null");
}

static gm_status read_row(gm_map_reading *r)
{
    gm_mapped *result = gm_map_next_result(r);
    if (result == NULL) return r->err->status;
    gm_status st = gm_map_name_result(r, result);
    if (st != GM_OK) return st;
    if (r->map->time_from.len > 0) {
        size_t at = column_of(r, r->map->time_from);
        if (at >= r->field_count)
            return gm_fail(r->err, GM_INVALID, WHERE, "the row has no column '" GM_STR_FMT "'", GM_STR_ARG(r->map->time_from));
        st = gm_map_time_of(r, r->fields[at], &result->at);
        if (st != GM_OK) return st;
    }
    size_t        n      = r->map->all ? r->name_count : r->map->rule_count;
    gm_map_value *values = GM_ARENA_NEW(r->arena, gm_map_value, n + 1);
    if (values == NULL) return no_memory(r);
    for (size_t i = 0; i < n; i++) {
        const gm_map_rule *rule = r->map->all ? NULL : &r->map->rules[i];
        size_t             at   = rule != NULL ? column_of(r, rule->from) : i;
        if (at >= r->field_count || no_value(r->fields[at])) {
            if (rule != NULL && !rule->optional && at >= r->field_count) return missing(r, rule);
            continue;
        }
        values[result->count++] = (gm_map_value){ .path = rule != NULL ? rule->to : r->names[i], .rule = rule,
                                                  .value = gm_map_guess(r->fields[at]), .at = GM_MAP_NO_TIME };
    }
    result->values = values;
    return GM_OK;
}

gm_status gm_map_read_csv(gm_map_reading *r, gm_str payload)
{
    gm_str *fields = GM_ARENA_NEW(r->arena, gm_str, GM_MAP_COLUMNS_MAX), *names = GM_ARENA_NEW(r->arena, gm_str, GM_MAP_COLUMNS_MAX);
    if (fields == NULL || names == NULL) return no_memory(r);
    gm_status st   = GM_OK;
    bool      head = r->map->header;
    gm_str    row;
    r->names       = r->map->columns;
    r->name_count  = r->map->column_count;
    while (st == GM_OK && gm_str_next(&payload, '\n', &row)) {
        row = gm_str_trim(row);
        if (row.len == 0) continue;
        if (head) {
            head = false;
            if (r->names != NULL) continue;
            r->names      = names;
            r->name_count = split(row, r->map->separator, names);
            continue;
        }
        r->fields      = fields;
        r->field_count = split(row, r->map->separator, fields);
        st             = read_row(r);
    }
    return st;
}

// ---- scalars ------------------------------------------------------------------------------------------------------
static gm_status read_scalar(gm_map_reading *r, gm_str payload)
{
    gm_mapped    *result = gm_map_next_result(r);
    gm_map_value *value  = GM_ARENA_NEW(r->arena, gm_map_value, 1);
    if (value == NULL) return no_memory(r);
    if (result == NULL) return r->err->status;
    gm_str text = gm_str_trim(payload);
    if (text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"') text = gm_str_slice(text, 1, text.len - 1);
    if (text.len == 0) return gm_fail(r->err, GM_INVALID, WHERE, "the payload is empty");
    const gm_map_rule *rule = &r->map->rules[0];
    *value          = (gm_map_value){ .path = rule->to, .rule = rule, .value = gm_map_guess(text), .at = GM_MAP_NO_TIME };
    result->values  = value;
    result->count   = 1;
    return gm_map_name_result(r, result);
}

// ---- a message ----------------------------------------------------------------------------------------------------
gm_status gm_map_read(gm_map *map, gm_str topic, gm_str payload, gm_arena *arena, gm_map_each *each, void *context,
                      gm_error *err)
{
    gm_error       own;
    gm_map_reading r  = { .map = map, .arena = arena, .alloc = gm_arena_alloc(arena), .err = err != NULL ? err : &own };
    gm_status      st = GM_OK;
    if (!gm_map_pattern_fits(map->topic, topic, r.captures, &r.capture_count))
        return gm_fail(err, GM_INVALID, WHERE, "the topic does not fit the pattern '" GM_STR_FMT "'", GM_STR_ARG(map->topic));
    switch (map->format) {
    case GM_MAP_JSON: st = gm_map_read_json(&r, payload); break;
    case GM_MAP_CSV: st = gm_map_read_csv(&r, payload); break;
    case GM_MAP_SCALAR: st = read_scalar(&r, payload); break;
    case GM_MAP_SPARKPLUG: st = gm_map_read_sparkplug(&r, topic, payload); break;
    default: st = gm_fail(r.err, GM_INVALID, WHERE, "lines come over HTTP, not by topic"); break;
    }
    for (size_t i = 0; st == GM_OK && i < r.result_count; i++) st = each(context, &r.results[i], r.err);
    return st;
}
