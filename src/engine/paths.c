#include "engine/paths.h"

static bool same_path(const void *owner, uint32_t id, gm_str key)
{
    return gm_str_eq(((const gm_paths *)owner)->texts[id], key);
}

void gm_paths_init(gm_paths *paths, const gm_alloc *alloc)
{
    *paths       = (gm_paths){ .alloc = alloc };
    paths->index = gm_index_init(alloc, same_path, paths);
}

void gm_paths_finish(gm_paths *paths)
{
    for (size_t i = 0; i < paths->type_count; i++) gm_free(paths->alloc, paths->of_type[i]);
    gm_free(paths->alloc, paths->of_type);
    gm_free(paths->alloc, paths->texts);
    gm_index_finish(&paths->index);
}

uint32_t gm_paths_find(const gm_paths *paths, gm_str path) { return gm_index_find(&paths->index, path); }

static gm_status number_of(gm_paths *paths, gm_str path, uint32_t *out_number)
{
    *out_number = gm_index_find(&paths->index, path);
    if (*out_number != GM_INDEX_NONE) return GM_OK;
    if (!gm_alloc_reserve(paths->alloc, &paths->texts, &paths->capacity, paths->count + 1, sizeof *paths->texts)) return GM_NOMEM;
    *out_number               = (uint32_t)paths->count;
    paths->texts[paths->count] = path;
    gm_status st               = gm_index_add(&paths->index, path, *out_number);
    if (st == GM_OK) paths->count++;
    return st;
}

static gm_status add_type(gm_paths *paths, const gm_type *type)
{
    if (!gm_alloc_reserve(paths->alloc, &paths->of_type, &paths->type_capacity, type->number + 1, sizeof *paths->of_type)) {
        return GM_NOMEM;
    }
    while (paths->type_count <= type->number) paths->of_type[paths->type_count++] = NULL;
    if (paths->of_type[type->number] != NULL) return GM_OK;
    uint32_t *numbers = gm_alloc_array(paths->alloc, type->column_count, sizeof *numbers);
    if (numbers == NULL) return GM_NOMEM;
    for (size_t c = 0; c < type->column_count; c++) {
        gm_status st = number_of(paths, type->columns[c].path, &numbers[c]);
        if (st != GM_OK) {
            gm_free(paths->alloc, numbers);
            return st;
        }
    }
    paths->of_type[type->number] = numbers;
    return GM_OK;
}

gm_status gm_paths_update(gm_paths *paths, const gm_model *model)
{
    // In the order of adding, so that the numbers come out the same at every recovery.
    for (size_t i = 0; i < gm_model_count(model); i++) {
        gm_status st = add_type(paths, gm_model_at(model, i));
        if (st != GM_OK) return st;
    }
    return GM_OK;
}
