// JSON bodies into cells: the reading half of document.h.
//
// Invariants: (1) a cell is produced only after its value was checked against the schema of its column; (2) recursion
// follows the type and its schemas, never the body, so a deep body can not exhaust the stack; (3) names in messages are
// those of the body, from the top ("motor/temperature").
#include "state/document.h"

#include "base/number.h"
#include "state/schema_check.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#define WHERE "state.document"
enum { PATH_MAX_BYTES = 1024 };

typedef struct reader {
    const gm_type *type;   // whose columns are meant
    gm_arena      *arena;
    gm_time_ns     at;     // source time of cells that bring none
    gm_cell_write *cells;
    size_t         count;
    gm_error      *err;
    char           path[PATH_MAX_BYTES];  // of what is being read; also the column path
    size_t         path_len;
} reader;

// ---- the path ---------------------------------------------------------------------------------------------------

static gm_str path_view(const reader *r)
{
    return (gm_str){ r->path, r->path_len };
}

// Appends "/name" and returns the length to go back to, or SIZE_MAX when that is no column's path: too long, or a name
// that would pass for two.
static size_t path_push(reader *r, gm_str name)
{
    size_t before = r->path_len, slash = before > 0 ? 1 : 0;
    if (name.len + slash > sizeof r->path - before || gm_str_find_char(name, '/') != SIZE_MAX) return SIZE_MAX;
    if (slash) r->path[r->path_len++] = '/';
    if (name.len > 0) memcpy(r->path + r->path_len, name.ptr, name.len);
    r->path_len += name.len;
    return before;
}

static void path_pop(reader *r, size_t before)
{
    r->path_len = before;
}

static gm_status no_memory(reader *r)
{
    return gm_fail(r->err, GM_NOMEM, WHERE, "'" GM_STR_FMT "'", GM_STR_ARG(path_view(r)));
}

static gm_status unknown_name(reader *r, gm_str name)
{
    return gm_fail(r->err, GM_INVALID, WHERE, "'" GM_STR_FMT "%s" GM_STR_FMT "' is not part of model " GM_STR_FMT,
                   GM_STR_ARG(path_view(r)), r->path_len > 0 ? "/" : "", GM_STR_ARG(gm_str_slice(name, 0, 100)),
                   GM_STR_ARG(r->type->id));
}

// ---- cells ------------------------------------------------------------------------------------------------------

// The array's capacity follows from its count (powers of two from 8), so that callers carry two values only.
static gm_status add_cell(reader *r, uint32_t column, gm_time_ns at, gm_value value)
{
    size_t n = r->count;
    if (n >= GM_CELLS_MAX) return gm_fail(r->err, GM_LIMIT, WHERE, "more than %d values", (int)GM_CELLS_MAX);
    if (n == 0 || (n >= 8 && (n & (n - 1)) == 0)) {
        gm_cell_write *grown = GM_ARENA_NEW(r->arena, gm_cell_write, n == 0 ? 8 : 2 * n);
        if (grown == NULL) return no_memory(r);
        if (n > 0) memcpy(grown, r->cells, n * sizeof *grown);
        r->cells = grown;
    }
    r->cells[r->count++] = (gm_cell_write){ .column = (uint16_t)column, .at = at, .value = value };
    return GM_OK;
}

static bool compact_text(gm_arena *arena, const json_t *value, gm_str *out_text)
{
    gm_alloc alloc = gm_arena_alloc(arena);
    gm_buf   out   = gm_buf_init(&alloc);
    gm_document_compact(value, &out);
    *out_text = gm_buf_view(&out);
    return !out.failed;
}

// The value of a checked leaf, as its column stores it.
static gm_status leaf_value(reader *r, const gm_column *column, const json_t *json, gm_value *out)
{
    *out = (gm_value){ .kind = column->kind };
    switch (column->kind) {
    case GM_KIND_BOOL: out->i = json_is_true(json); return GM_OK;
    case GM_KIND_INT:
        out->i = json_is_integer(json) ? json_integer_value(json) : (int64_t)json_real_value(json);
        return GM_OK;
    case GM_KIND_DOUBLE:
        // A decimal may come as text; it was checked to be a number.
        out->d = json_number_value(json);
        if (json_is_string(json))
            (void)gm_number_read((gm_str) { json_string_value(json), json_string_length(json) }, &out->d);
        return GM_OK;
    case GM_KIND_STRING:
        if (!json_is_string(json)) break;  // decimals may be numbers that are kept as text
        out->s = gm_arena_str(r->arena, (gm_str){ json_string_value(json), json_string_length(json) });
        return out->s.ptr != NULL ? GM_OK : no_memory(r);
    default: break;
    }
    return compact_text(r->arena, json, &out->s) ? GM_OK : no_memory(r);
}

static gm_status read_leaf(reader *r, uint32_t index, const json_t *json, gm_time_ns at)
{
    const gm_column *column = &r->type->columns[index];
    gm_status        st     = gm_schema_check(column->schema, json, path_view(r), r->err);
    if (st != GM_OK) return st;
    gm_value value;
    st = leaf_value(r, column, json, &value);
    return st == GM_OK ? add_cell(r, index, at, value) : st;
}

// Columns below the path ("address" has "address/street" below it) lie side by side in no promised order, so all are
// looked at. Types have tens of columns.
static bool is_below(gm_str column_path, gm_str path)
{
    return column_path.len > path.len && column_path.ptr[path.len] == '/' && gm_str_starts(column_path, path);
}

static bool any_below(const gm_type *type, gm_str path)
{
    for (size_t i = 0; i < type->column_count; i++) {
        if (is_below(type->columns[i].path, path)) return true;
    }
    return false;
}

// Removes the properties below the path that the cells from `first` on do not set.
static gm_status remove_unset_below(reader *r, size_t first)
{
    size_t end = r->count;
    for (uint32_t column = 0; column < r->type->column_count; column++) {
        if (r->type->columns[column].is_telemetry || !is_below(r->type->columns[column].path, path_view(r))) continue;
        size_t i = first;
        while (i < end && r->cells[i].column != column) i++;
        if (i < end) continue;
        gm_status st = add_cell(r, column, r->at, (gm_value){ .kind = GM_KIND_NONE });
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

// ---- a property's value: a leaf, or an object whose fields are columns --------------------------------------------

static gm_status read_fields(reader *r, const json_t *json, gm_time_ns at)
{
    if (!json_is_object(json)) {
        return gm_fail(r->err, GM_INVALID, WHERE, "'" GM_STR_FMT "' must be an object, found %s",
                       GM_STR_ARG(path_view(r)), gm_json_kind_name(json));
    }
    const char *key;
    json_t     *field;
    // jansson's iteration hands out writable values; they are only read here.
    json_object_foreach((json_t *)(uintptr_t)json, key, field)
    {
        size_t before = path_push(r, gm_str_of(key));
        if (before == SIZE_MAX) return unknown_name(r, gm_str_of(key));
        uint32_t  column = gm_type_column_index(r->type, path_view(r));
        gm_status st;
        if (column != GM_NO_COLUMN) st = read_leaf(r, column, field, at);
        else if (any_below(r->type, path_view(r))) st = read_fields(r, field, at);
        else {
            path_pop(r, before);
            return unknown_name(r, gm_str_of(key));
        }
        path_pop(r, before);
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

// ---- contents of a twin or component ----------------------------------------------------------------------------

// The sourceTime that the metadata gives for the content, else the reader's own.
static gm_status source_time(reader *r, const json_t *metadata, const char *name, gm_time_ns *out_at)
{
    *out_at             = r->at;
    const json_t *entry = json_object_get(json_object_get(metadata, name), "sourceTime");
    if (entry == NULL) return GM_OK;
    gm_time_ns at;
    if (!json_is_string(entry) ||
        gm_time_parse((gm_str){ json_string_value(entry), json_string_length(entry) }, &at, NULL) != GM_OK) {
        return gm_fail(r->err, GM_INVALID, WHERE,
                       "'$metadata/%.100s/sourceTime' must be a time such as 2026-01-01T00:00:00Z", name);
    }
    *out_at = at;
    return GM_OK;
}

static bool is_content(const reader *r, gm_str path)
{
    return gm_type_column_index(r->type, path) != GM_NO_COLUMN || any_below(r->type, path);
}

// Metadata names contents of its scope; what begins with '$' is about the twin itself.
static gm_status check_metadata(reader *r, const json_t *metadata)
{
    const char *key;
    json_t     *entry;
    json_object_foreach((json_t *)(uintptr_t)metadata, key, entry)
    {
        if (key[0] == '$') continue;
        size_t before = path_push(r, gm_str_of(key));
        bool   known  = before != SIZE_MAX && is_content(r, path_view(r));
        if (before != SIZE_MAX) path_pop(r, before);
        if (!known) return unknown_name(r, gm_str_of(key));
        if (!json_is_object(entry)) {
            return gm_fail(r->err, GM_INVALID, WHERE, "'$metadata/%.100s' must be an object, found %s", key,
                           gm_json_kind_name(entry));
        }
    }
    return GM_OK;
}

static gm_status read_component(reader *r, const gm_type *scope, gm_str name, const json_t *json);

// Everything inside the braces of a twin (scope: its type) or a component (scope: the component's type).
static gm_status read_contents(reader *r, const gm_type *scope, const json_t *json)
{
    const json_t *metadata = json_object_get(json, "$metadata");
    if (!json_is_object(metadata)) {
        return gm_fail(r->err, GM_INVALID, WHERE, "'" GM_STR_FMT "%s$metadata' must be an object%s",
                       GM_STR_ARG(path_view(r)), r->path_len > 0 ? "/" : "", metadata == NULL ? " and is missing" : "");
    }
    gm_status st = check_metadata(r, metadata);
    if (st != GM_OK) return st;

    const char *key;
    json_t     *value;
    json_object_foreach((json_t *)(uintptr_t)json, key, value)
    {
        gm_str name = gm_str_of(key);
        if (name.len > 0 && name.ptr[0] == '$') {
            if (gm_str_is(name, "$metadata") || gm_str_is(name, "$dtId") || gm_str_is(name, "$etag")) continue;
            return unknown_name(r, name);
        }
        if (gm_type_component_index(scope, name) != GM_NO_COMPONENT) {
            st = read_component(r, scope, name, value);
            if (st != GM_OK) return st;
            continue;
        }
        size_t before = path_push(r, name);
        if (before == SIZE_MAX) return unknown_name(r, name);
        gm_time_ns at     = r->at;
        uint32_t   column = gm_type_column_index(r->type, path_view(r));
        st                = source_time(r, metadata, key, &at);
        if (st == GM_OK && column != GM_NO_COLUMN) st = read_leaf(r, column, value, at);
        else if (st == GM_OK && any_below(r->type, path_view(r))) st = read_fields(r, value, at);
        else if (st == GM_OK) {
            path_pop(r, before);
            return unknown_name(r, name);
        }
        path_pop(r, before);
        if (st != GM_OK) return st;
    }

    for (size_t i = 0; i < scope->component_count; i++) {
        gm_str name = scope->components[i].name;
        if (json_object_getn(json, name.ptr, name.len) != NULL) continue;
        return gm_fail(r->err, GM_INVALID, WHERE,
                       "component '" GM_STR_FMT "%s" GM_STR_FMT "' is missing; an empty one is {\"$metadata\":{}}",
                       GM_STR_ARG(path_view(r)), r->path_len > 0 ? "/" : "", GM_STR_ARG(name));
    }
    return GM_OK;
}

static gm_status read_component(reader *r, const gm_type *scope, gm_str name, const json_t *json)
{
    const gm_type *inner  = scope->components[gm_type_component_index(scope, name)].type;
    size_t         before = path_push(r, name);
    if (before == SIZE_MAX) return unknown_name(r, name);
    gm_status st;
    if (!json_is_object(json)) {
        st = gm_fail(r->err, GM_INVALID, WHERE, "component '" GM_STR_FMT "' must be an object, found %s",
                     GM_STR_ARG(path_view(r)), gm_json_kind_name(json));
    } else {
        st = read_contents(r, inner, json);
    }
    path_pop(r, before);
    return st;
}

gm_status gm_document_read_twin(const gm_model *model, const json_t *body, gm_time_ns at, gm_arena *arena,
                                gm_twin_document *out, gm_error *err)
{
    *out = (gm_twin_document){ 0 };
    if (!json_is_object(body)) {
        return gm_fail(err, GM_INVALID, WHERE, "a twin must be an object, found %s", gm_json_kind_name(body));
    }
    const json_t *model_id = json_object_get(json_object_get(body, "$metadata"), "$model");
    if (!json_is_string(model_id)) {
        return gm_fail(err, GM_INVALID, WHERE,
                       "'$metadata/$model' must name the twin's model, such as dtmi:example:Pump;1");
    }
    gm_str         dtmi = { json_string_value(model_id), json_string_length(model_id) };
    const gm_type *type = gm_model_find(model, dtmi);
    if (type == NULL) {
        return gm_fail(err, GM_NOTFOUND, WHERE, "there is no model " GM_STR_FMT,
                       GM_STR_ARG(gm_str_slice(dtmi, 0, 150)));
    }
    reader    r  = { .type = type, .arena = arena, .at = at, .err = err };
    gm_status st = read_contents(&r, type, body);
    if (st == GM_OK) *out = (gm_twin_document){ type, r.cells, r.count };
    return st;
}

// The type of the component at the path ("motor", "motor/bearing"), or NULL.
static const gm_type *component_at(const gm_type *type, gm_str path)
{
    gm_str part;
    while (type != NULL && gm_str_next(&path, '/', &part)) {
        uint32_t i = gm_type_component_index(type, part);
        type       = i != GM_NO_COMPONENT ? type->components[i].type : NULL;
    }
    return type;
}

static gm_status not_found(const gm_type *type, gm_str path, gm_error *err)
{
    return gm_fail(err, GM_NOTFOUND, WHERE, "model " GM_STR_FMT " has nothing at '" GM_STR_FMT "'",
                   GM_STR_ARG(gm_str_slice(type->id, 0, 90)), GM_STR_ARG(gm_str_slice(path, 0, 60)));
}

gm_status gm_document_read_value(const gm_type *type, gm_str path, const json_t *value, gm_time_ns at, gm_arena *arena,
                                 gm_cell_write **cells, size_t *count, gm_error *err)
{
    reader r = { .type = type, .arena = arena, .at = at, .cells = *cells, .count = *count, .err = err };
    if (path.len == 0 || path.len > sizeof r.path) return not_found(type, path, err);
    memcpy(r.path, path.ptr, path.len);
    r.path_len = path.len;

    gm_status      st;
    uint32_t       column = gm_type_column_index(type, path);
    const gm_type *inner  = component_at(type, path);
    if (column != GM_NO_COLUMN) {
        st = value != NULL ? read_leaf(&r, column, value, at)
                           : add_cell(&r, column, at, (gm_value) { .kind = GM_KIND_NONE });
    } else if (inner != NULL && value == NULL) {
        st = gm_fail(err, GM_INVALID, WHERE, "component '" GM_STR_FMT "' can not be removed", GM_STR_ARG(path));
    } else if (inner != NULL && !json_is_object(value)) {
        st = gm_fail(err, GM_INVALID, WHERE, "component '" GM_STR_FMT "' must be an object, found %s", GM_STR_ARG(path),
                     gm_json_kind_name(value));
    } else if (inner != NULL || any_below(type, path)) {
        size_t first = r.count;
        st           = GM_OK;
        if (value != NULL) st = inner != NULL ? read_contents(&r, inner, value) : read_fields(&r, value, at);
        if (st == GM_OK) st = remove_unset_below(&r, first);
    } else {
        return not_found(type, path, err);
    }
    if (st == GM_OK) {
        *cells = r.cells;
        *count = r.count;
    }
    return st;
}

// ---- patches that reach into a document ---------------------------------------------------------------------------

// The longest column path that `path` leads through; *out_rest is what follows it.
static uint32_t document_column(const gm_type *type, gm_str path, gm_str *out_rest)
{
    for (size_t end = path.len; end-- > 0;) {
        if (path.ptr[end] != '/') continue;
        uint32_t column = gm_type_column_index(type, gm_str_slice(path, 0, end));
        if (column == GM_NO_COLUMN) continue;
        *out_rest = gm_str_slice(path, end + 1, path.len);
        return type->columns[column].kind == GM_KIND_JSON ? column : GM_NO_COLUMN;
    }
    return GM_NO_COLUMN;
}

// What the column holds now: as the patch left it so far, else as the twin has it.
static gm_value present_value(const gm_state *state, gm_twin twin, uint32_t column, const gm_cell_write *cells,
                              size_t count)
{
    for (size_t i = count; i-- > 0;) {
        if (cells[i].column == column) return cells[i].value;
    }
    gm_cell cell;
    gm_state_get(state, twin, column, &cell);
    return cell.value;
}

static bool anything_at(const gm_state *state, gm_twin twin, gm_str path, const gm_cell_write *cells, size_t count)
{
    const gm_type *type = gm_state_type(state, twin);
    if (component_at(type, path) != NULL) return true;
    for (uint32_t i = 0; i < type->column_count; i++) {
        gm_str column_path = type->columns[i].path;
        if (!gm_str_eq(column_path, path) && !is_below(column_path, path)) continue;
        if (present_value(state, twin, i, cells, count).kind != GM_KIND_NONE) return true;
    }
    return false;
}

static gm_status nothing_there(gm_str path, gm_error *err)
{
    return gm_fail(err, GM_CONFLICT, WHERE, "there is no value at '" GM_STR_FMT "' to replace or remove",
                   GM_STR_ARG(gm_str_slice(path, 0, 120)));
}

static bool array_index(gm_str text, size_t size, size_t *out_index)
{
    if (gm_str_is(text, "-")) {
        *out_index = size;
        return true;
    }
    size_t index = 0;
    if (text.len == 0 || text.len > 9 || (text.len > 1 && text.ptr[0] == '0')) return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') return false;
        index = index * 10 + (size_t)(text.ptr[i] - '0');
    }
    *out_index = index;
    return index <= size;
}

// Performs the operation inside the document. Path segments are as they are in the body (already unescaped).
static gm_status edit_document(json_t *document, gm_patch_op op, gm_str rest, gm_str path, json_t *value, gm_error *err)
{
    gm_str  part;
    json_t *at = document;
    while (gm_str_next(&rest, '/', &part)) {
        bool   last    = rest.ptr == NULL;
        size_t index   = 0;
        bool   is_list = json_is_array(at);
        if (!is_list && !json_is_object(at)) return nothing_there(path, err);
        if (is_list && !array_index(part, json_array_size(at), &index)) return nothing_there(path, err);
        json_t *present = is_list ? json_array_get(at, index) : json_object_getn(at, part.ptr, part.len);
        if (!last) {
            if (present == NULL) return nothing_there(path, err);
            at = present;
            continue;
        }
        if (present == NULL && op != GM_PATCH_ADD) return nothing_there(path, err);
        int failed;
        if (op == GM_PATCH_REMOVE) {
            failed = is_list ? json_array_remove(at, index) : json_object_deln(at, part.ptr, part.len);
        } else if (is_list) {
            failed = op == GM_PATCH_ADD ? json_array_insert(at, index, value) : json_array_set(at, index, value);
        } else {
            failed = json_object_setn(at, part.ptr, part.len, value);
        }
        if (failed) return gm_fail(err, GM_NOMEM, WHERE, "'" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(path, 0, 120)));
    }
    return GM_OK;
}

gm_status gm_document_read_patch(const gm_state *state, gm_twin twin, gm_patch_op op, gm_str path, const json_t *value,
                                 gm_time_ns at, gm_arena *arena, gm_cell_write **cells, size_t *count, gm_error *err)
{
    const gm_type *type = gm_state_type(state, twin);
    if (op == GM_PATCH_REMOVE) value = NULL;
    gm_str   rest;
    uint32_t column = document_column(type, path, &rest);
    if (column == GM_NO_COLUMN) {
        bool needs = op != GM_PATCH_ADD && (gm_type_column_index(type, path) != GM_NO_COLUMN || any_below(type, path));
        if (needs && !anything_at(state, twin, path, *cells, *count)) return nothing_there(path, err);
        return gm_document_read_value(type, path, value, at, arena, cells, count, err);
    }

    gm_value present = present_value(state, twin, column, *cells, *count);
    if (present.kind != GM_KIND_JSON) return nothing_there(path, err);
    json_t *document = json_loadb(present.s.ptr, present.s.len, JSON_DECODE_ANY, NULL);
    if (document == NULL) return gm_fail(err, GM_NOMEM, WHERE, "'" GM_STR_FMT "'", GM_STR_ARG(path));
    gm_status st = edit_document(document, op, rest, path, (json_t *)(uintptr_t)value, err);
    if (st == GM_OK) {
        st = gm_document_read_value(type, type->columns[column].path, document, at, arena, cells, count, err);
    }
    json_decref(document);
    return st;
}

// ---- relationships ----------------------------------------------------------------------------------------------

static gm_status required_text(const json_t *body, const char *key, gm_arena *arena, gm_str *out, gm_error *err)
{
    const json_t *text = json_object_get(body, key);
    if (!json_is_string(text) || json_string_length(text) == 0) {
        return gm_fail(err, GM_INVALID, WHERE, "'%s' is required and must be a text", key);
    }
    *out = gm_arena_str(arena, (gm_str){ json_string_value(text), json_string_length(text) });
    return out->ptr != NULL ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "'%s'", key);
}

static gm_status check_relationship_property(const gm_relationship_type *type, gm_str name, const json_t *value,
                                             gm_error *err)
{
    for (size_t i = 0; i < type->property_count; i++) {
        if (gm_str_eq(type->properties[i].name, name))
            return gm_schema_check(type->properties[i].schema, value, name, err);
    }
    return gm_fail(err, GM_INVALID, WHERE, "relationship '" GM_STR_FMT "' has no property '" GM_STR_FMT "'",
                   GM_STR_ARG(type->name), GM_STR_ARG(gm_str_slice(name, 0, 80)));
}

gm_status gm_document_read_relationship(const gm_type *source, const json_t *body, gm_arena *arena,
                                        gm_relationship_document *out, gm_error *err)
{
    *out = (gm_relationship_document){ 0 };
    if (!json_is_object(body)) {
        return gm_fail(err, GM_INVALID, WHERE, "a relationship must be an object, found %s", gm_json_kind_name(body));
    }
    gm_relationship_document doc = { 0 };
    gm_status                st  = required_text(body, "$relationshipName", arena, &doc.name, err);
    if (st == GM_OK) st = required_text(body, "$targetId", arena, &doc.target_id, err);
    if (st != GM_OK) return st;
    const gm_relationship_type *type = gm_type_relationship(source, doc.name);
    if (type == NULL) {
        return gm_fail(err, GM_INVALID, WHERE, "model " GM_STR_FMT " has no relationship '" GM_STR_FMT "'",
                       GM_STR_ARG(gm_str_slice(source->id, 0, 90)), GM_STR_ARG(gm_str_slice(doc.name, 0, 60)));
    }

    json_t *properties = json_object();
    if (properties == NULL) return gm_fail(err, GM_NOMEM, WHERE, "relationship");
    const char *key;
    json_t     *value;
    json_object_foreach((json_t *)(uintptr_t)body, key, value)
    {
        if (key[0] == '$') {
            static const char *const known[] = { "$relationshipName", "$targetId", "$relationshipId",
                                                 "$sourceId",         "$etag",     "$metadata" };
            bool found = false;
            for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) found |= strcmp(key, known[i]) == 0;
            if (found) continue;
        }
        st = check_relationship_property(type, gm_str_of(key), value, err);
        if (st == GM_OK && json_object_set(properties, key, value) != 0)
            st = gm_fail(err, GM_NOMEM, WHERE, "relationship");
        if (st != GM_OK) goto done;
    }
    if (!compact_text(arena, properties, &doc.properties)) {
        st = gm_fail(err, GM_NOMEM, WHERE, "relationship");
        goto done;
    }
    *out = doc;
done:
    json_decref(properties);
    return st;
}
