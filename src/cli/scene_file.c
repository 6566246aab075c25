#include "cli/scene_file.h"

#include "base/le.h"
#include "base/percent.h"

#include <jansson.h>
#include <string.h>

enum { GLB_HEADER = 12, CHUNK_HEADER = 8, CHUNK_JSON = 0x4e4f534a };

typedef struct walk {
    gm_scene_call *each;
    void          *context;
    gm_arena      *arena;
    gm_error      *err;
} walk;

static gm_status wrong(gm_error *err, const char *what) { return gm_fail(err, GM_INVALID, "cli.scene", "%s", what); }

// The JSON text of either form. A binary file is a header, then chunks; the first of them is the JSON.
static gm_status find_json(gm_str bytes, gm_str *out_json, gm_error *err)
{
    *out_json = bytes;
    if (!gm_str_starts(bytes, GM_STR("glTF"))) return GM_OK;
    const uint8_t *at = (const uint8_t *)bytes.ptr;
    if (bytes.len < GLB_HEADER + CHUNK_HEADER) return wrong(err, "the binary glTF ends within its header");
    if (gm_get_u32(at + 4) != 2) return wrong(err, "not version 2 of binary glTF");
    uint32_t whole = gm_get_u32(at + 8), json = gm_get_u32(at + GLB_HEADER);
    if (whole > bytes.len) return wrong(err, "the binary glTF is shorter than its header says");
    if (gm_get_u32(at + GLB_HEADER + 4) != CHUNK_JSON) return wrong(err, "the binary glTF does not begin with a chunk of JSON");
    if (json > whole || whole - json < GLB_HEADER + CHUNK_HEADER) return wrong(err, "the chunk of JSON is longer than the binary glTF");
    *out_json = gm_str_slice(bytes, GLB_HEADER + CHUNK_HEADER, GLB_HEADER + CHUNK_HEADER + json);
    return GM_OK;
}

static gm_status mention(const walk *w, gm_scene_kind kind, size_t node, gm_str text)
{
    gm_scene_mention m = { .kind = kind, .node = node, .text = text };
    return w->each(w->context, &m, w->err);
}

static gm_status tell_wrong(const walk *w, size_t node, const char *text) { return mention(w, GM_SCENE_WRONG, node, gm_str_of(text)); }

static gm_status read_node(const walk *w, size_t index, const json_t *node)
{
    const json_t *extras = json_object_get(node, "extras");
    const json_t *twin = json_object_get(extras, "twinId"), *model = json_object_get(extras, "twinModel");
    const json_t *nth = json_object_get(extras, "twinIndex");
    if (twin != NULL && model != NULL) return tell_wrong(w, index, "extras has both \"twinId\" and \"twinModel\"; keep one of them");
    if (nth != NULL && model == NULL) return tell_wrong(w, index, "extras has \"twinIndex\" without \"twinModel\"");
    if (nth != NULL && (!json_is_integer(nth) || json_integer_value(nth) < 0)) return tell_wrong(w, index, "\"twinIndex\" is no whole number from 0 on");
    const json_t *named = twin != NULL ? twin : model;
    if (named == NULL) return GM_OK;
    if (!json_is_string(named) || json_string_length(named) == 0)
        return tell_wrong(w, index, twin != NULL ? "\"twinId\" is no text" : "\"twinModel\" is no text");
    gm_str text = { json_string_value(named), json_string_length(named) };
    return mention(w, twin != NULL ? GM_SCENE_TWIN : GM_SCENE_MODEL, index, text);
}

// Buffers and images lie in the file itself, in a data: address, or in files beside it.
static gm_status read_files(const walk *w, const json_t *list)
{
    gm_status st = GM_OK;
    for (size_t i = 0; st == GM_OK && i < json_array_size(list); i++) {
        const json_t *uri = json_object_get(json_array_get(list, i), "uri");
        if (!json_is_string(uri)) continue;
        gm_str text = { json_string_value(uri), json_string_length(uri) };
        gm_str plain;
        if (gm_str_starts(text, GM_STR("data:"))) continue;
        st = gm_percent_decode(w->arena, text, &plain, w->err);
        if (st == GM_INVALID) plain = text;  // there will be no file of such a name
        if (st != GM_NOMEM) st = mention(w, GM_SCENE_FILE, 0, plain);
    }
    return st;
}

static gm_status read_document(const walk *w, const json_t *root)
{
    const json_t *version = json_object_get(json_object_get(root, "asset"), "version");
    if (!json_is_string(version) || json_string_value(version)[0] != '2' || json_string_value(version)[1] != '.')
        return wrong(w->err, "not glTF of version 2: \"asset\" has no \"version\" that begins with 2.");
    const json_t *nodes = json_object_get(root, "nodes");
    gm_status     st    = GM_OK;
    for (size_t i = 0; st == GM_OK && i < json_array_size(nodes); i++) st = read_node(w, i, json_array_get(nodes, i));
    if (st == GM_OK) st = read_files(w, json_object_get(root, "buffers"));
    if (st == GM_OK) st = read_files(w, json_object_get(root, "images"));
    return st;
}

gm_status gm_scene_read(gm_str bytes, gm_arena *arena, gm_scene_call *each, void *context, gm_error *err)
{
    gm_str    text;
    gm_status st = find_json(bytes, &text, err);
    if (st != GM_OK) return st;
    json_error_t where;
    json_t      *root = json_loadb(text.ptr, text.len, 0, &where);
    if (root == NULL) {
        if (json_error_code(&where) == json_error_out_of_memory) return gm_fail(err, GM_NOMEM, "cli.scene", "%zu bytes of JSON", text.len);
        st = gm_fail(err, GM_INVALID, "cli.scene", "not JSON: %s", where.text);
        if (err != NULL && text.ptr == bytes.ptr) {
            err->line   = where.line > 0 ? (uint32_t)where.line : 1;
            err->column = where.column > 0 ? (uint32_t)where.column : 1;
        }
        return st;
    }
    walk w = { each, context, arena, err };
    st     = read_document(&w, root);
    json_decref(root);
    return st;
}
