// engine/paths.h: one number for each column path that any model ever had ("temperature", "motor/speed"), given in
// order of appearance. History names its series by them, so that a series outlives a change of model.
#ifndef GM_ENGINE_PATHS_H
#define GM_ENGINE_PATHS_H

#include "base/index.h"
#include "model/model.h"

typedef struct gm_paths {
    const gm_alloc *alloc;
    gm_str         *texts;    // by number; views into types, which live as long as the model
    size_t          count, capacity;
    gm_index        index;
    uint32_t      **of_type;  // [type number][column]
    size_t          type_count, type_capacity;
} gm_paths;

void gm_paths_init(gm_paths *paths, const gm_alloc *alloc);
void gm_paths_finish(gm_paths *paths);

// Numbers the columns of types that were added since the last call. GM_NOMEM: call again before the types are used.
GM_NODISCARD gm_status gm_paths_update(gm_paths *paths, const gm_model *model);

uint32_t gm_paths_find(const gm_paths *paths, gm_str path);  // GM_INDEX_NONE: no model ever had it

static inline uint32_t gm_paths_number(const gm_paths *paths, const gm_type *type, uint32_t column)
{
    return paths->of_type[type->number][column];
}

#endif
