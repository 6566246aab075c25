#include "api/json_patch.h"

#define WHERE "api.json_patch"

// ---- JSON Pointer --------------------------------------------------------------------------------------------------

static gm_status unescape(gm_arena *arena, gm_str part, gm_str *out, gm_error *err)
{
    *out = part;
    if (gm_str_find_char(part, '~') == SIZE_MAX) return GM_OK;
    char  *to = gm_arena_bytes(arena, part.len + 1);
    size_t n  = 0;
    if (to == NULL) return gm_fail(err, GM_NOMEM, WHERE, "a path of %zu bytes", part.len);
    for (size_t i = 0; i < part.len; i++) {
        char c = part.ptr[i];
        if (c == '~') {
            char code = i + 1 < part.len ? part.ptr[++i] : '\0';
            if (code != '0' && code != '1')
                return gm_fail(err, GM_INVALID, WHERE, "'~' in a path is followed by 0 or 1");
            c = code == '0' ? '~' : '/';
        }
        to[n++] = c;
    }
    *out = (gm_str){ to, n };
    return GM_OK;
}

gm_status gm_pointer_read(gm_arena *arena, gm_str text, gm_pointer *out_pointer, gm_error *err)
{
    *out_pointer = (gm_pointer){ .text = text };
    if (text.len == 0) return GM_OK;  // the whole document
    if (text.ptr[0] != '/') {
        return gm_fail(err, GM_INVALID, WHERE, "the path '" GM_STR_FMT "' does not begin with '/'",
                       GM_STR_ARG(gm_str_slice(text, 0, 80)));
    }
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) count += text.ptr[i] == '/';
    if (count > GM_POINTER_PARTS_MAX)
        return gm_fail(err, GM_INVALID, WHERE, "a path has at most %d parts", GM_POINTER_PARTS_MAX);
    out_pointer->parts = GM_ARENA_NEW(arena, gm_str, count);
    if (out_pointer->parts == NULL) return gm_fail(err, GM_NOMEM, WHERE, "a path of %zu parts", count);
    gm_str rest = gm_str_slice(text, 1, text.len), part;
    while (gm_str_next(&rest, '/', &part)) {
        gm_status st = unescape(arena, part, &out_pointer->parts[out_pointer->count++], err);
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

// ---- reading -------------------------------------------------------------------------------------------------------

static gm_str text_of(const json_t *json)
{
    return (gm_str){ json_string_value(json), json_string_length(json) };
}

static gm_status read_step(gm_arena *arena, const json_t *json, gm_patch_step *out, gm_error *err)
{
    static const char *const names[] = {
        [GM_PATCH_ADD] = "add", [GM_PATCH_REPLACE] = "replace", [GM_PATCH_REMOVE] = "remove"
    };
    const json_t *op = json_object_get(json, "op"), *path = json_object_get(json, "path");
    if (!json_is_object(json)) return gm_fail(err, GM_INVALID, WHERE, "An operation must be an object");
    if (!json_is_string(op) || json_string_length(op) == 0)
        return gm_fail(err, GM_INVALID, WHERE, "Parameter op must not be empty");
    if (!json_is_string(path)) return gm_fail(err, GM_INVALID, WHERE, "Parameter path must not be empty");
    size_t kind = 0;
    while (kind < 3 && !gm_str_is(text_of(op), names[kind])) kind++;
    if (kind == 3) {
        return gm_fail(err, GM_INVALID, WHERE, "Unsupported operation type " GM_STR_FMT,
                       GM_STR_ARG(gm_str_slice(text_of(op), 0, 40)));
    }
    out->op    = (gm_patch_op)kind;
    out->value = kind != GM_PATCH_REMOVE ? json_object_get(json, "value") : NULL;
    if (kind != GM_PATCH_REMOVE && out->value == NULL)
        return gm_fail(err, GM_INVALID, WHERE, "Parameter value is missing");
    return gm_pointer_read(arena, text_of(path), &out->path, err);
}

gm_status gm_patch_read(gm_arena *arena, const json_t *json, gm_patch *out_patch, gm_error *err)
{
    *out_patch = (gm_patch){ 0 };
    if (!json_is_array(json)) return gm_fail(err, GM_INVALID, WHERE, "A patch must be an array of operations");
    size_t n = json_array_size(json);
    if (n > GM_PATCH_OPERATIONS_MAX)
        return gm_fail(err, GM_INVALID, WHERE, "A patch has at most %d operations", GM_PATCH_OPERATIONS_MAX);
    gm_patch_step *steps = GM_ARENA_NEW(arena, gm_patch_step, n);
    if (steps == NULL) return gm_fail(err, GM_NOMEM, WHERE, "a patch of %zu operations", n);
    for (size_t i = 0; i < n; i++) {
        gm_status st = read_step(arena, json_array_get(json, i), &steps[i], err);
        if (st != GM_OK) return st;
    }
    *out_patch = (gm_patch){ steps, n };
    return GM_OK;
}

// ---- applying ------------------------------------------------------------------------------------------------------

static gm_status not_there(gm_str part, gm_error *err)
{
    return gm_fail(err, GM_INVALID, WHERE,
                   "The target location specified by path segment '" GM_STR_FMT "' was not found",
                   GM_STR_ARG(gm_str_slice(part, 0, 100)));
}

// An element's place: digits without a leading zero, below `limit`.
static bool element(gm_str part, size_t limit, size_t *out_at)
{
    size_t at = 0;
    if (part.len == 0 || part.len > 9 || (part.len > 1 && part.ptr[0] == '0')) return false;
    for (size_t i = 0; i < part.len; i++) {
        if (part.ptr[i] < '0' || part.ptr[i] > '9') return false;
        at = at * 10 + (size_t)(part.ptr[i] - '0');
    }
    *out_at = at;
    return at < limit;
}

static json_t *child(json_t *parent, gm_str part)
{
    size_t at;
    if (json_is_object(parent)) return json_object_getn(parent, part.ptr, part.len);
    if (json_is_array(parent) && element(part, json_array_size(parent), &at)) return json_array_get(parent, at);
    return NULL;
}

// value is taken.
static gm_status change_array(json_t *array, gm_patch_op op, gm_str part, json_t *value, gm_error *err)
{
    size_t size = json_array_size(array), at = size;
    bool   end  = op == GM_PATCH_ADD && gm_str_is(part, "-");
    int    rc   = -1;
    if (!end && !element(part, op == GM_PATCH_ADD ? size + 1 : size, &at)) {
        json_decref(value);
        return not_there(part, err);
    }
    if (op == GM_PATCH_ADD) rc = json_array_insert_new(array, at, value);
    if (op == GM_PATCH_REPLACE) rc = json_array_set_new(array, at, value);
    if (op == GM_PATCH_REMOVE) rc = json_array_remove(array, at);
    return rc == 0 ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "applying a patch");
}

static gm_status change_object(json_t *object, gm_patch_op op, gm_str part, json_t *value, gm_error *err)
{
    if (op != GM_PATCH_ADD && json_object_getn(object, part.ptr, part.len) == NULL) {
        json_decref(value);
        return not_there(part, err);
    }
    int rc = op == GM_PATCH_REMOVE ? json_object_deln(object, part.ptr, part.len)
                                   : json_object_setn_new(object, part.ptr, part.len, value);
    return rc == 0 ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "applying a patch");
}

static gm_status apply_step(json_t *document, const gm_patch_step *step, gm_error *err)
{
    if (step->path.count == 0) return gm_fail(err, GM_INVALID, WHERE, "The whole document can not be patched away");
    json_t *at = document;
    for (size_t i = 0; i + 1 < step->path.count; i++) {
        at = child(at, step->path.parts[i]);
        if (at == NULL) return not_there(step->path.parts[i], err);
    }
    json_t *value = NULL;
    if (step->value != NULL) {
        value = json_deep_copy(step->value);
        if (value == NULL) return gm_fail(err, GM_NOMEM, WHERE, "applying a patch");
    }
    gm_str last = step->path.parts[step->path.count - 1];
    if (json_is_array(at)) return change_array(at, step->op, last, value, err);
    if (json_is_object(at)) return change_object(at, step->op, last, value, err);
    json_decref(value);
    return not_there(last, err);
}

gm_status gm_patch_apply(json_t *document, const gm_patch *patch, gm_error *err)
{
    for (size_t i = 0; i < patch->count; i++) {
        gm_status st = apply_step(document, &patch->steps[i], err);
        if (st != GM_OK) return st;
    }
    return GM_OK;
}
