// The files that elements name: read, put and deleted.
#include "aas/files.h"
#include "api/aas/store.h"
#include "api/multipart.h"
#include "api/routes.h"
#include "api/thread/life.h"
#include "thread/media.h"

#define FILES "/aasx/files/"

// The document of a path: by its hash, or as the kept submodel's own file.
static bool hash_of(gm_request *request, const gm_aas_found *found, gm_str path, gm_str *out_hash)
{
    gm_fact f;
    if (found->origin == GM_AAS_MADE) return gm_aas_file_hash(path, out_hash);
    gm_str key = gm_arena_printf(request->arena, GM_AAS_KEY_FILE GM_STR_FMT, GM_STR_ARG(path));
    if (key.ptr == NULL || !gm_thread_read(gm_life_thread(request), found->thread, GM_PHASE_DESIGNED, key, gm_api_now(request), INT64_MAX, &f) ||
        f.value.kind != GM_FACT_DOCUMENT) return false;
    *out_hash = gm_arena_str(request->arena, f.value.text);
    return true;
}

void gm_route_aas_attachment(gm_request *request)
{
    gm_aas_found   found;
    gm_str         hash;
    gm_error       err   = { 0 };
    const gm_life *life  = request->api->life;
    uint8_t       *bytes = NULL;
    size_t         size  = 0;
    json_t        *tree = gm_aas_submodel_tree(request, &found), *element = gm_aas_element_of(request, tree);
    if (element != NULL && (!gm_aas_is(element, "File") || life->documents.io == NULL || !hash_of(request, &found, gm_aas_string(element, "value"), &hash))) {
        gm_reply_error(request, 404, "FileNotFound", "This element names no file that is kept here.");
    } else if (element != NULL) {
        gm_status st = gm_documents_read(&life->documents, hash, request->api->options.limits.bulk_max, &bytes, &size, &err);
        if (st != GM_OK) {
            gm_reply_failure(request, st, &err);
        } else {
            gm_buf_add(&request->out, bytes, size);
            gm_free(life->documents.io->alloc, bytes);
            gm_reply_header(request, "Content-Disposition", "attachment");
            gm_reply_header(request, "X-Content-Type-Options", "nosniff");
            gm_reply_text(request, 200, "application/octet-stream");  // never shown in place: a document is not a page of this server
        }
    }
    json_decref(tree);
}

// ---- written ------------------------------------------------------------------------------------------------------------

// The file of the body: a form with "file" (and "fileName"), or the bytes themselves. False: replied 400.
static bool read_file(gm_request *request, gm_multipart_part *out)
{
    gm_multipart      form;
    gm_multipart_part part;
    gm_str            name = { 0 }, type = gm_request_header(request, "content-type");
    bool              is   = gm_multipart_open(&form, type, gm_buf_view(&request->body));
    *out                   = (gm_multipart_part){ 0 };
    while (is && gm_multipart_next(&form, &part)) {
        if (gm_str_is(part.name, "file")) *out = part;
        if (gm_str_is(part.name, "fileName")) name = part.bytes;
    }
    if (is && name.len > 0) out->file_name = name;
    if (is && !form.broken && out->bytes.len > 0) return true;
    gm_reply_error(request, 400, "BadRequest", "The body is a form (multipart/form-data) with a part 'file' that is not empty, and 'fileName'.");
    return false;
}

// A name that may stand in a package: what could lead elsewhere is replaced.
static gm_str part_name(gm_request *request, gm_str name)
{
    gm_buf out = gm_buf_init(request->alloc);
    gm_buf_text(&out, FILES);
    size_t start = out.len;
    for (size_t i = 0; i < name.len && out.len - start < 100; i++) {
        char c   = name.ptr[i];
        bool fit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || (c == '.' && out.len > start);
        gm_buf_byte(&out, (uint8_t)(fit ? c : '_'));
    }
    while (out.len > start && out.ptr[out.len - 1] == '.') out.len--;
    if (out.len == start) gm_buf_text(&out, "file");
    gm_str kept = gm_arena_str(request->arena, gm_buf_view(&out));
    gm_buf_finish(&out);
    return kept;
}

// The File element of the path, in a submodel that is kept. NULL: replied, or it waits. The caller decrefs *out_tree.
static json_t *file_element(gm_request *request, gm_aas_found *found, json_t **out_tree)
{
    *out_tree       = gm_aas_open_to_write(request, found);
    json_t *element = gm_aas_element_of(request, *out_tree);
    if (element == NULL) return NULL;
    if (found->origin == GM_AAS_KEPT && gm_aas_is(element, "File")) return element;
    if (!gm_aas_is(element, "File")) gm_reply_error(request, 400, "BadRequest", "This element is no File.");
    else gm_reply_error(request, 409, "NotWritable", "gemel makes this submodel of documents: upload one (POST /v1/thread/{id}/documents), and it is listed here.");
    return NULL;
}

static gm_str key_of_file(gm_request *request, gm_str path) { return gm_arena_printf(request->arena, GM_AAS_KEY_FILE GM_STR_FMT, GM_STR_ARG(path)); }

// Is it named by another element, too? Then the file stays when this one lets go of it.
static unsigned count_named(const json_t *element, gm_str path, unsigned depth)
{
    const char   *member   = gm_aas_children(element);
    const json_t *children = member != NULL && depth < GM_AAS_DEPTH_MAX ? json_object_get(element, member) : NULL;
    unsigned      n        = gm_aas_is(element, "File") && gm_str_eq(gm_aas_string(element, "value"), path);
    for (size_t i = 0; i < json_array_size(children); i++) n += count_named(json_array_get(children, i), path, depth + 1);
    return n;
}

static void let_go(gm_aas_change *c, gm_str thread, const json_t *tree, gm_str path)
{
    gm_fact f;
    gm_str  key = key_of_file(c->request, path);
    if (key.ptr == NULL) gm_aas_change_fail(c, GM_NOMEM, NULL);
    bool there = key.len > 0 && gm_thread_read(gm_life_thread(c->request), thread, GM_PHASE_DESIGNED, key, gm_api_now(c->request), INT64_MAX, &f);
    if (there && count_named(tree, path, 0) <= 1) gm_aas_take_back(c, thread, GM_PHASE_DESIGNED, key);
}

void gm_route_aas_attachment_put(gm_request *request)
{
    gm_aas_found      found;
    gm_multipart_part file;
    gm_error          err = { 0 };
    json_t           *tree;
    if (!read_file(request, &file)) return;
    gm_str    media = file.media.len > 0 ? file.media : GM_STR("application/octet-stream");
    gm_status st    = gm_media_check(media, (const uint8_t *)file.bytes.ptr, file.bytes.len, &err);
    if (st != GM_OK) {
        gm_reply_failure(request, st, &err);
        return;
    }
    json_t        *element = file_element(request, &found, &tree);
    gm_aas_change *c       = element != NULL ? gm_aas_change_begin(request) : NULL;
    if (c != NULL) {
        gm_str path = part_name(request, file.file_name), key = key_of_file(request, path), before = gm_aas_string(element, "value");
        if (path.ptr == NULL || key.ptr == NULL) gm_aas_change_fail(c, GM_NOMEM, NULL);
        if (!gm_str_eq(before, path)) let_go(c, found.thread, tree, before);
        (void)json_object_set_new(element, "value", json_stringn(path.ptr, path.len));
        (void)json_object_set_new(element, "contentType", json_stringn(media.ptr, media.len));
        gm_aas_say_file(c, found.thread, key, media, gm_str_slice(path, strlen(FILES), path.len), file.bytes);
        gm_aas_say_json(c, found.thread, GM_AAS_KEY_SUBMODEL, tree);
        gm_aas_change_commit(c, gm_aas_reply_done);
    }
    json_decref(tree);
}

void gm_route_aas_attachment_delete(gm_request *request)
{
    gm_aas_found   found;
    json_t        *tree, *element = file_element(request, &found, &tree);
    gm_aas_change *c = element != NULL ? gm_aas_change_begin(request) : NULL;
    if (c != NULL) {
        let_go(c, found.thread, tree, gm_aas_string(element, "value"));
        (void)json_object_del(element, "value");
        gm_aas_say_json(c, found.thread, GM_AAS_KEY_SUBMODEL, tree);
        gm_aas_change_commit(c, gm_aas_reply_done);
    }
    json_decref(tree);
}
