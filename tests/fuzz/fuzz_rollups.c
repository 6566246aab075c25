// Files of roll-ups, from anybody: read, or refused with a place. What is read keeps its promises.
#include "rollup/total.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gm_arena             *arena = gm_arena_create(gm_alloc_system(), 0);
    gm_rollup_definition *list  = calloc(GM_ROLLUPS_MAX + 1, sizeof *list);
    gm_model             *model = gm_model_create(gm_alloc_system());
    uint32_t              count = 0;
    gm_error              err   = { 0 };
    if (arena == NULL || list == NULL || model == NULL) abort();
    gm_status st = gm_rollups_parse(arena, (gm_str){ (const char *)data, size }, list, &count, &err);
    if (count > GM_ROLLUPS_MAX || (st != GM_OK && err.text[0] == '\0')) abort();
    for (uint32_t i = 0; i < count; i++) {
        const gm_rollup_definition *d = &list[i];
        double                      values[GM_ROLLUP_TERMS] = { 0 };
        gm_rollup_total             t;
        if (d->name.len == 0 || d->term_count != gm_rollup_term_count(d->function) || d->state_count > GM_ROLLUP_STATES_MAX) abort();
        gm_rollup_clear(&t);
        gm_rollup_take(&t, d, values);
        if (gm_rollup_finish(d, &t).count != 1 || gm_rollup_check(d, model, &err) == GM_OK) abort();  // an empty model has no property
    }
    gm_model_destroy(model);
    free(list);
    gm_arena_destroy(arena);
    return 0;
}
