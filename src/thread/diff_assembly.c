// An assembly's differences are those of the twin itself and of what it held then.
#include "thread/diff.h"

#include <stdlib.h>

static const char WHERE[] = "thread.diff";

typedef struct place { gm_str part, path; } place;

typedef struct walk {
    const gm_thread *thread;
    gm_arena        *arena;
    gm_alloc         alloc;      // the arena's
    gm_time_ns       valid, known;
    place           *places;     // the twin first
    size_t           count, capacity, at;  // at: whose parts are looked for
    gm_status        st;
} walk;

static bool note_part(void *context, const gm_fact *fact)
{
    walk  *w     = context;
    gm_str above = w->places[w->at].path, here = fact->value.position.len > 0 ? fact->value.position : fact->twin;
    if (w->count > GM_DIFF_PARTS_MAX) w->st = GM_LIMIT;
    else if (!gm_alloc_reserve(&w->alloc, &w->places, &w->capacity, w->count + 1, sizeof *w->places)) w->st = GM_NOMEM;
    if (w->st != GM_OK) return false;
    place p = { fact->twin, gm_arena_printf(w->arena, GM_STR_FMT "%s" GM_STR_FMT, GM_STR_ARG(above), above.len > 0 ? "/" : "", GM_STR_ARG(here)) };
    if (p.path.ptr == NULL) w->st = GM_NOMEM;
    w->places[w->count++] = p;
    return w->st == GM_OK;
}

static int by_path(const void *a, const void *b)
{
    const place *x = a, *y = b;
    int          c = gm_str_cmp(x->path, y->path);
    return c != 0 ? c : gm_str_cmp(x->part, y->part);
}

// Containment is a forest at any (valid, known) pair; were it not, the walk would end at its bound.
static gm_status find_parts(walk *w, gm_str twin, gm_error *err)
{
    if (!gm_alloc_reserve(&w->alloc, &w->places, &w->capacity, 1, sizeof *w->places)) return gm_fail(err, GM_NOMEM, WHERE, "comparing phases");
    w->places[w->count++] = (place){ .part = twin };
    for (; w->st == GM_OK && w->at < w->count; w->at++)
        gm_thread_mentions(w->thread, w->places[w->at].part, GM_STR(GM_KEY_INSTALLED), GM_MENTION_HOLDS, w->valid, w->known, note_part, w);
    if (w->st == GM_LIMIT) return gm_fail(err, GM_LIMIT, WHERE, "'" GM_STR_FMT "' holds more than %d parts; compare its parts", GM_STR_ARG(gm_str_slice(twin, 0, 60)), GM_DIFF_PARTS_MAX);
    if (w->st != GM_OK) return gm_fail(err, w->st, WHERE, "comparing phases");
    qsort(w->places + 1, w->count - 1, sizeof *w->places, by_path);
    return GM_OK;
}

gm_status gm_thread_diff_assembly(const gm_thread *thread, gm_arena *arena, gm_str twin, gm_phase first, gm_phase second, gm_time_ns valid,
                                  gm_time_ns known, gm_part_difference **out, size_t *out_count, gm_error *err)
{
    walk                w     = { .thread = thread, .arena = arena, .alloc = gm_arena_alloc(arena), .valid = valid, .known = known };
    gm_part_difference *list  = NULL;
    size_t              count = 0, capacity = 0;
    gm_status           st    = find_parts(&w, twin, err);
    *out                      = NULL;
    *out_count                = 0;
    for (size_t i = 0; st == GM_OK && i < w.count; i++) {
        gm_difference *own;
        size_t         n;
        st = gm_thread_diff(thread, &w.alloc, w.places[i].part, first, second, valid, known, &own, &n, err);
        if (st == GM_OK && !gm_alloc_reserve(&w.alloc, &list, &capacity, count + n, sizeof *list)) st = gm_fail(err, GM_NOMEM, WHERE, "comparing phases");
        // Where a part is installed is its place.
        for (size_t k = 0; st == GM_OK && k < n; k++)
            if (i == 0 || !gm_str_is(own[k].key, GM_KEY_INSTALLED)) list[count++] = (gm_part_difference){ i > 0 ? w.places[i].part : (gm_str){ 0 }, w.places[i].path, own[k] };
    }
    if (st != GM_OK) return st;
    *out       = list;
    *out_count = count;
    return GM_OK;
}
