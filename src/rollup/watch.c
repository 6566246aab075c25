// Who looks at what: found once for each type, so that a write costs a look at its columns however many roll-ups there are.
#include "rollup/parts.h"

static const uint64_t ALL = ~UINT64_C(0);

void gm_rollup_watch_forget(gm_rollups *r)
{
    for (size_t i = 0; i < r->watched; i++) gm_free(r->alloc, r->watches[i].views);
    gm_free(r->alloc, r->watches);
    r->watches = NULL;
    r->watched = 0;
}

// NULL: memory was refused.
static gm_rollup_watch *watch_of(gm_rollups *r, uint32_t number)
{
    if (number >= r->watched) {
        size_t           more = (size_t)number + number / 2 + 16;
        gm_rollup_watch *list = gm_realloc_array(r->alloc, r->watches, more, sizeof *list);
        if (list == NULL) return NULL;
        memset(list + r->watched, 0, (more - r->watched) * sizeof *list);
        r->watches = list;
        r->watched = more;
    }
    return &r->watches[number];
}

static bool look(gm_rollups *r, const gm_type *type, gm_rollup_watch *w)
{
    uint64_t *views = gm_alloc_zeroed(r->alloc, (type->column_count + 1) * sizeof *views);
    if (views == NULL) return false;
    for (size_t i = 0; i < r->count; i++) {
        gm_rollup_view          *v = &r->views[i];
        const gm_rollup_columns *c = gm_rollup_columns_of(v, type);
        if (c == NULL) {
            gm_free(r->alloc, views);
            return false;
        }
        if (c->column[0] == GM_ROLLUP_NO_COLUMN) continue;
        if (v->members != NULL)  // any property may decide whether it belongs to them
            for (size_t k = 0; k < type->column_count; k++) views[k] |= UINT64_C(1) << i;
        else
            for (uint32_t k = 0; k < v->d->term_count; k++) views[c->column[k]] |= UINT64_C(1) << i;
    }
    w->views = views;
    return true;
}

uint64_t gm_rollup_watching(gm_rollups *r, const gm_change *write)
{
    uint64_t         all = r->count < 64 ? (UINT64_C(1) << r->count) - 1 : ALL, found = 0;
    gm_rollup_watch *w   = watch_of(r, write->type);
    if (w == NULL) return all;
    if (w->views == NULL) {
        gm_twin at = { write->twin };
        if (!gm_state_exists(gm_engine_state(r->engine), at)) return 0;
        const gm_type *type = gm_state_type(gm_engine_state(r->engine), at);
        if (type->number != write->type || !look(r, type, w)) return all;
    }
    gm_cell_write  cell;
    const uint8_t *at = write->cells;
    while (gm_change_next_cell(write, &at, &cell)) found |= w->views[cell.column];
    return found;
}
