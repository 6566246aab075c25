// The geometry of a plant folder: whether its files read, and whether the twins, models and files that they name exist.
#include "cli/plant.h"
#include "cli/scene_file.h"

#include "base/index.h"

#include <jansson.h>

enum { SCENE_FILE_MAX = 64 << 20 };  // as the server takes it

typedef struct scene_check {
    gm_plant            *plant;
    const gm_model      *model;
    const gm_plant_file *file;
    gm_arena            *names;
    gm_str              *twins;
    size_t               count, capacity;
    gm_index             index;
} scene_check;

static bool same(const void *owner, uint32_t id, gm_str key) { return gm_str_eq(((const scene_check *)owner)->twins[id], key); }

static gm_status remember(scene_check *c, const gm_plant_document *doc)
{
    json_t     *body = json_loadb(doc->text.ptr, doc->text.len, 0, NULL);
    const char *id   = json_string_value(json_object_get(body, "$dtId"));
    gm_status   st   = GM_OK;
    if (id != NULL && gm_index_find(&c->index, gm_str_of(id)) == GM_INDEX_NONE) {
        gm_str kept = gm_arena_str(c->names, gm_str_of(id));
        bool   room = kept.ptr != NULL && gm_alloc_reserve(c->plant->alloc, &c->twins, &c->capacity, c->count + 1, sizeof *c->twins);
        if (room) c->twins[c->count] = kept;
        st = room ? gm_index_add(&c->index, kept, (uint32_t)c->count++) : GM_NOMEM;
    }
    json_decref(body);
    return st;
}

static bool is_there(const scene_check *c, gm_str name)
{
    // Relative to the file that names it.
    size_t folder = c->file->name.len;
    while (folder > 0 && c->file->name.ptr[folder - 1] != '/') folder--;
    for (size_t i = 0; i < c->plant->scene.count; i++) {
        gm_str other = c->plant->scene.items[i].name;
        if (other.len == folder + name.len && gm_str_starts(other, gm_str_slice(c->file->name, 0, folder)) && gm_str_ends(other, name)) return true;
    }
    return false;
}

static gm_status find(const scene_check *c, const char *rule, const gm_scene_mention *m, const char *what)
{
    return gm_plant_find(c->plant, c->file->name, 0, 0, rule, (gm_str){ 0 }, "node %zu: %s '" GM_STR_FMT "'", m->node, what,
                         GM_STR_ARG(gm_str_slice(m->text, 0, 128)));
}

static gm_status on_mention(void *context, const gm_scene_mention *m, gm_error *err)
{
    scene_check *c = context;
    (void)err;
    switch (m->kind) {
    case GM_SCENE_TWIN:
        // A plant whose twins come from elsewhere says nothing about them here.
        if (c->count == 0 || gm_index_find(&c->index, m->text) != GM_INDEX_NONE) return GM_OK;
        return find(c, "scene.twin", m, "there is no such twin in twins/:");
    case GM_SCENE_MODEL:
        if (gm_model_find(c->model, m->text) != NULL) return GM_OK;
        return find(c, "scene.model", m, "there is no such model in models/:");
    case GM_SCENE_FILE:
        if (is_there(c, m->text)) return GM_OK;
        return gm_plant_find(c->plant, c->file->name, 0, 0, "scene.file", (gm_str){ 0 }, "there is no file '" GM_STR_FMT "' beside it",
                             GM_STR_ARG(gm_str_slice(m->text, 0, 128)));
    case GM_SCENE_WRONG: break;
    }
    return gm_plant_find(c->plant, c->file->name, 0, 0, "scene.extras", (gm_str){ 0 }, "node %zu: " GM_STR_FMT, m->node, GM_STR_ARG(m->text));
}

static gm_status check_file(scene_check *c, const gm_io *io)
{
    uint8_t *bytes = NULL;
    size_t   size  = 0;
    gm_error why   = { 0 };
    gm_str   path  = gm_arena_printf(c->names, GM_STR_FMT "/" GM_STR_FMT, GM_STR_ARG(c->plant->folder), GM_STR_ARG(c->file->name));
    if (path.ptr == NULL) return GM_NOMEM;
    gm_status st = gm_io_read_file(io, path.ptr, SCENE_FILE_MAX, &bytes, &size, &why);
    if (st == GM_OK) st = gm_scene_read((gm_str){ (const char *)bytes, size }, c->names, on_mention, c, &why);
    gm_free(io->alloc, bytes);
    if (st == GM_LIMIT)
        return gm_plant_find(c->plant, c->file->name, 0, 0, "scene.size", (gm_str){ 0 },
                             "larger than the %d MiB that are served; split it or simplify it", SCENE_FILE_MAX >> 20);
    if (st == GM_OK || st == GM_NOMEM) return st;
    return gm_plant_find(c->plant, c->file->name, why.line, why.column, "scene", (gm_str){ 0 }, "%s", why.text);
}

// The models that can be understood; what is wrong with the others has been found elsewhere.
static gm_status understand(const gm_plant *plant, gm_model *model)
{
    gm_findings found = { 0 };
    gm_error    why;
    gm_status   st = plant->source_count > 0 ? gm_model_add(model, plant->sources, plant->source_count, &found, &why) : GM_OK;
    gm_findings_finish(&found);
    return st;
}

gm_status gm_plant_check_scene(gm_plant *plant, const gm_io *io, gm_error *err)
{
    if (plant->scene.count == 0) return GM_OK;
    scene_check c     = { .plant = plant, .names = gm_arena_create(plant->alloc, 0) };
    gm_model   *model = gm_model_create(plant->alloc);
    c.index           = gm_index_init(plant->alloc, same, &c);
    c.model           = model;
    gm_status st      = c.names != NULL && model != NULL ? understand(plant, model) : GM_NOMEM;
    bool      known   = st == GM_OK;
    if (st == GM_INVALID || st == GM_CONFLICT || st == GM_LIMIT || st == GM_NOTFOUND) st = GM_OK;
    for (size_t i = 0; st == GM_OK && i < plant->twin_documents.count; i++) st = remember(&c, &plant->twin_documents.items[i]);
    // Without the models a scene can not be judged; they come first.
    for (size_t i = 0; known && st == GM_OK && i < plant->scene.count; i++) {
        c.file = &plant->scene.items[i];
        if (gm_str_ends(c.file->name, GM_STR(".gltf")) || gm_str_ends(c.file->name, GM_STR(".glb"))) st = check_file(&c, io);
    }
    gm_plant_sort_findings(plant);
    gm_index_finish(&c.index);
    gm_free(plant->alloc, c.twins);
    gm_model_destroy(model);
    gm_arena_destroy(c.names);
    return st == GM_NOMEM ? gm_fail(err, GM_NOMEM, "cli.check", "checking the scene") : st;
}
