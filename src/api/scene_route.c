// GET /v1/scene and /v1/scene/{file}: the geometry of the plant, as it lies in its folder scene/. Files may be large, so
// they are read on the pool's threads; what a name may look like is decided here, before any file is touched.
#include "api/condition.h"
#include "api/routes.h"
#include "base/crc32c.h"
#include "base/pool.h"

#include <stdio.h>
#include <string.h>

enum { FILE_MAX = 64 << 20, FILES_MAX = 1000, FOLDERS_MAX = 100, DEPTH_MAX = 4, NAME_MAX_BYTES = 200 };

static const struct kind { const char *ending, *mime; } kinds[] = {
    { ".gltf", "model/gltf+json" }, { ".glb", "model/gltf-binary" },      { ".bin", "application/octet-stream" },
    { ".png", "image/png" },        { ".jpg", "image/jpeg" },             { ".jpeg", "image/jpeg" },
    { ".webp", "image/webp" },      { ".svg", "image/svg+xml" },          { ".pdf", "application/pdf" },
    { ".step", "model/step" },      { ".stp", "model/step" },
};

// NULL: a file of no kind that belongs to a scene.
static const char *mime_of(gm_str name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (gm_str_ends(name, gm_str_of(kinds[i].ending))) return kinds[i].mime;
    }
    return NULL;
}

// Parts divided by '/', none of them empty or beginning with a dot (so neither ".." nor hidden files), no control
// characters and no backslash: such a name can not lead out of the folder.
static bool is_name(gm_str name)
{
    if (name.len == 0 || name.len > NAME_MAX_BYTES) return false;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c     = (unsigned char)name.ptr[i];
        bool          first = i == 0 || name.ptr[i - 1] == '/';
        if (c < 0x20 || c == 0x7f || c == '\\' || (first && (c == '.' || c == '/'))) return false;
    }
    return name.ptr[name.len - 1] != '/' && mime_of(name) != NULL;
}

// ---- one file -------------------------------------------------------------------------------------------------------

typedef struct reading {
    gm_request  *request;
    const gm_io *io;
    gm_buf       path;
    const char  *mime;
    uint8_t     *bytes;  // [size], io->alloc's
    size_t       size, sent;
    uint32_t     sum;
} reading;

static void finish_reading(reading *r)
{
    gm_free(r->io->alloc, r->bytes);
    gm_buf_finish(&r->path);
    gm_free(r->request->alloc, r);
}

static gm_status read_all(reading *r, gm_error *err)
{
    gm_status st = gm_io_read_file(r->io, (const char *)r->path.ptr, FILE_MAX, &r->bytes, &r->size, err);
    if (st == GM_OK) r->sum = gm_crc32c(0, r->bytes, r->size);
    return st;
}

static gm_status on_thread(void *context, uint32_t part, uint32_t thread, gm_pool_job *job, gm_error *err)
{
    (void)part, (void)thread, (void)job;
    return read_all(context, err);
}

static int64_t read_bytes(void *context, char *to, size_t max)
{
    reading *r = context;
    size_t   n = r->size - r->sent;
    if (n == 0) return -1;
    if (n > max) n = max;
    memcpy(to, r->bytes + r->sent, n);
    r->sent += n;
    return (int64_t)n;
}

static void end_bytes(void *context) { finish_reading(context); }

// Takes the reading over.
static void reply_file(reading *r)
{
    gm_request *request = r->request;
    char        tag[40];
    snprintf(tag, sizeof tag, "\"%08x-%zx\"", r->sum, r->size);
    gm_reply_header(request, "ETag", "%s", tag);
    gm_reply_header(request, "Cache-Control", "no-cache");  // may be kept, must be asked for
    gm_reply_header(request, "X-Content-Type-Options", "nosniff");
    // A drawing that is opened by itself runs nothing and asks for nothing.
    gm_reply_header(request, "Content-Security-Policy", "%s", "default-src 'none'; style-src 'unsafe-inline'; sandbox");
    if (gm_etag_listed(gm_request_header(request, "if-none-match"), tag)) {
        gm_reply_empty(request, 304);
        finish_reading(r);
    } else if (r->size == 0) {
        gm_reply_text(request, 200, r->mime);
        finish_reading(r);
    } else {
        gm_reply_source(request, r->mime, (gm_source){ read_bytes, end_bytes, r });
    }
}

static void answer(reading *r, gm_status st, const gm_error *err)
{
    gm_request *request = r->request;
    if (st == GM_OK) {
        reply_file(r);
        return;
    }
    if (st == GM_NOTFOUND || st == GM_IO)  // a folder of such a name can not be read either
        gm_reply_error(request, 404, "FileNotFound", "The plant's folder scene has no such file.");
    else if (st == GM_LIMIT)
        gm_reply_error(request, 413, "FileTooLarge", "A file of the scene has at most %d MiB; split it or simplify it.", FILE_MAX >> 20);
    else gm_reply_failure(request, st, err);
    finish_reading(r);
}

static void on_done(void *context, gm_status st, const gm_error *err)
{
    reading    *r       = context;
    gm_request *request = r->request;
    if (request->gone) finish_reading(r);
    else answer(r, st, err);
    gm_request_release(request);
}

void gm_route_scene_file(gm_request *request)
{
    const gm_api_options *o    = &request->api->options;
    gm_str                name = request->parameters[0];
    if (o->io == NULL || o->plant_dir == NULL || !is_name(name)) {
        gm_reply_error(request, 404, "FileNotFound", "The plant's folder scene has no such file.");
        return;
    }
    reading *r = gm_alloc_zeroed(request->alloc, sizeof *r);
    if (r == NULL) {
        gm_reply_error(request, 503, "OutOfMemory", "There is no memory to read the file.");
        return;
    }
    *r = (reading){ .request = request, .io = o->io, .path = gm_buf_init(request->alloc), .mime = mime_of(name) };
    gm_buf_printf(&r->path, "%s/scene/" GM_STR_FMT, o->plant_dir, GM_STR_ARG(name));
    gm_buf_byte(&r->path, 0);
    gm_error  err = { 0 };
    gm_status st  = r->path.failed ? gm_fail(&err, GM_NOMEM, "api.scene", "reading a file") : GM_OK;
    if (st == GM_OK && o->pool != NULL) {
        gm_pool_task task = { .parts = 1, .run = on_thread, .done = on_done, .context = r };
        st = gm_request_submit(request, o->pool, &task, &err);
        if (st == GM_OK) return;
    } else if (st == GM_OK) {
        st = read_all(r, &err);
    }
    answer(r, st, &err);
}

// ---- the list -------------------------------------------------------------------------------------------------------

typedef struct listing {
    gm_request  *request;
    const gm_io *io;
    gm_str       under;  // "" or "textures/"
    uint32_t     depth;
    uint32_t    *files, *folders;
} listing;

static void write_file(listing *l, gm_str name, gm_str path)
{
    gm_file  *file = NULL;
    uint64_t  size = 0;
    gm_error  why;
    gm_status st   = l->io->open(l->io, path.ptr, GM_OPEN_READ, &file, &why);
    if (st == GM_OK) st = l->io->size(file, &size, &why);
    l->io->close(file);
    if (st != GM_OK) return;  // it went while it was listed
    gm_buf *out = &l->request->out;
    gm_buf_text(out, (*l->files)++ > 0 ? ",{\"name\":" : "{\"name\":");
    gm_buf_json_str(out, name);
    gm_buf_printf(out, ",\"type\":\"%s\",\"bytes\":%llu}", mime_of(name), (unsigned long long)size);
}

static gm_status on_entry(void *context, gm_str entry, gm_error *err)
{
    listing *l    = context;
    gm_arena *a   = l->request->arena;
    gm_str   name = gm_arena_printf(a, GM_STR_FMT GM_STR_FMT, GM_STR_ARG(l->under), GM_STR_ARG(entry));
    gm_str   path = gm_arena_printf(a, "%s/scene/" GM_STR_FMT, l->request->api->options.plant_dir, GM_STR_ARG(name));
    if (name.ptr == NULL || path.ptr == NULL) return gm_fail(err, GM_NOMEM, "api.scene", "listing");
    if (*l->files >= FILES_MAX) return GM_OK;
    if (is_name(name)) {
        write_file(l, name, path);
        return GM_OK;
    }
    // What has no ending may be a folder.
    if (gm_str_find_char(entry, '.') != SIZE_MAX || l->depth >= DEPTH_MAX || *l->folders >= FOLDERS_MAX) return GM_OK;
    (*l->folders)++;
    listing below = *l;
    below.under   = gm_arena_printf(a, GM_STR_FMT "/", GM_STR_ARG(name));
    below.depth   = l->depth + 1;
    gm_error  why;
    if (below.under.ptr == NULL) return gm_fail(err, GM_NOMEM, "api.scene", "listing");
    gm_status st  = l->io->list(l->io, path.ptr, on_entry, &below, &why);
    return st == GM_NOMEM ? gm_fail(err, st, "api.scene", "listing") : GM_OK;
}

void gm_route_scene(gm_request *request)
{
    const gm_api_options *o     = &request->api->options;
    uint32_t              files = 0, folders = 0;
    gm_buf_text(&request->out, "{\"files\":[");
    if (o->io != NULL && o->plant_dir != NULL) {
        listing  l    = { .request = request, .io = o->io, .under = GM_STR(""), .files = &files, .folders = &folders };
        gm_str   path = gm_arena_printf(request->arena, "%s/scene", o->plant_dir);
        gm_error err  = { 0 };
        gm_status st  = path.ptr != NULL ? o->io->list(o->io, path.ptr, on_entry, &l, &err) : GM_NOMEM;
        if (st == GM_NOMEM) {
            gm_buf_clear(&request->out);
            gm_reply_failure(request, gm_fail(&err, GM_NOMEM, "api.scene", "listing the scene"), &err);
            return;
        }
        // Any other refusal: there is no such folder, and the list is empty.
    }
    gm_buf_printf(&request->out, "],\"bytesMax\":%d}", FILE_MAX);
    gm_reply_json(request, 200);
}
