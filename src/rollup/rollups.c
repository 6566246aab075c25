// The roll-ups of a plant: declared, followed, asked.
#include "rollup/parts.h"

#define WHERE "rollup"

gm_status gm_rollups_create(const gm_alloc *alloc, gm_engine *engine, gm_rollups **out, gm_error *err)
{
    gm_rollups *r = gm_alloc_zeroed(alloc, sizeof *r);
    *out          = r;
    if (r == NULL) return gm_fail(err, GM_NOMEM, WHERE, "preparing roll-ups");
    r->alloc  = alloc;
    r->engine = engine;
    gm_status st = gm_rollup_recorder_create(r, err);
    if (st != GM_OK) {
        gm_free(alloc, r);
        *out = NULL;
        return st;
    }
    gm_engine_follow(engine, (gm_follower){ gm_rollup_before, gm_rollup_after, r });
    return GM_OK;
}

static void finish_views(const gm_alloc *alloc, gm_rollup_view *views, size_t count)
{
    for (size_t i = 0; views != NULL && i < count; i++) {
        gm_rollup_forget(&views[i]);
        gm_free(alloc, views[i].columns);
        gm_query_destroy(views[i].members);
    }
    gm_free(alloc, views);
}

static void clear(gm_rollups *r)
{
    gm_rollup_watch_forget(r);
    finish_views(r->alloc, r->views, r->count);
    gm_arena_destroy(r->arena);
    r->views       = NULL;
    r->definitions = NULL;
    r->arena       = NULL;
    r->count       = 0;
}

void gm_rollups_destroy(gm_rollups *r)
{
    if (r == NULL) return;
    clear(r);
    gm_rollup_recorder_destroy(r);
    gm_free(r->alloc, r);
}

static gm_status open_view(gm_rollups *r, gm_rollup_view *v, const gm_rollup_definition *d, gm_error *err)
{
    *v = (gm_rollup_view){ .alloc = r->alloc, .state = gm_engine_state(r->engine), .d = d };
    gm_status st = d->members.len > 0 ? gm_query_prepare(r->alloc, d->members, &v->members, err) : GM_OK;
    bool      any;
    // A query that can not be asked of one twin is refused now rather than at every reading.
    if (st == GM_OK && v->members != NULL) st = gm_query_matches(v->members, v->state, (gm_twin){ GM_NONE }, &any, err);
    if (st != GM_OK && st != GM_NOMEM && err != NULL) err->line = d->line;
    return st;
}

gm_status gm_rollups_set(gm_rollups *r, const gm_rollup_file *files, size_t count, size_t *out_file, gm_error *err)
{
    gm_arena             *arena = gm_arena_create(r->alloc, 0);
    gm_rollup_definition *list  = arena != NULL ? GM_ARENA_NEW(arena, gm_rollup_definition, GM_ROLLUPS_MAX + 1) : NULL;
    gm_rollup_view       *views = NULL;
    uint32_t              n     = 0, done = 0;
    gm_status             st    = list != NULL ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "reading roll-ups");
    *out_file                   = count;
    if (st == GM_OK) {
        views = gm_alloc_zeroed(r->alloc, (GM_ROLLUPS_MAX + 1) * sizeof *views);
        if (views == NULL) st = gm_fail(err, GM_NOMEM, WHERE, "reading roll-ups");
    }
    for (size_t i = 0; st == GM_OK && i < count; i++) {
        st = gm_rollups_parse(arena, files[i].text, list, &n, err);
        for (; st == GM_OK && done < n; done++) st = open_view(r, &views[done], &list[done], err);
        if (st != GM_OK) *out_file = i;
    }
    if (st != GM_OK) {
        finish_views(r->alloc, views, GM_ROLLUPS_MAX + 1);
        gm_arena_destroy(arena);
        return st;
    }
    clear(r);
    r->arena       = arena;
    r->definitions = list;
    r->views       = views;
    r->count       = n;
    gm_rollup_recorder_wake(r);
    return GM_OK;
}

size_t                      gm_rollups_count(const gm_rollups *r) { return r->count; }
const gm_rollup_definition *gm_rollups_definition(const gm_rollups *r, size_t i) { return r->views[i].d; }

bool gm_rollups_find(const gm_rollups *r, gm_str name, size_t *out_i)
{
    for (*out_i = 0; *out_i < r->count; (*out_i)++)
        if (gm_str_eq(r->views[*out_i].d->name, name)) return true;
    return false;
}

// Is the twin a system that is shown?
static bool shown(const gm_rollup_view *v, uint32_t twin)
{
    gm_twin at = { twin };
    if (twin >= v->twins || v->system_of[twin] == GM_NONE || !gm_state_exists(v->state, at)) return false;
    const gm_type *type = gm_state_type(v->state, at);
    for (size_t i = 0; v->d->systems.len > 0 && i < type->base_count; i++)
        if (gm_str_eq(type->bases[i]->id, v->d->systems)) return true;
    return v->d->systems.len == 0 || gm_str_eq(type->id, v->d->systems);
}

gm_status gm_rollups_read(gm_rollups *r, size_t i, gm_twin twin, gm_rollup_result *out, gm_error *err)
{
    gm_rollup_view *v = &r->views[i];
    gm_rollup_total total;
    gm_status       st = gm_rollup_build(v, err);
    if (st != GM_OK) return st;
    bool plant = v->d->relationship.len == 0;
    if (plant && v->twins < gm_state_next_twin(v->state)) {  // twins have come
        gm_rollup_forget(v);
        st = gm_rollup_build(v, err);
        if (st != GM_OK) return st;
    }
    if (plant ? gm_twin_ok(twin) : !gm_twin_ok(twin) || !shown(v, twin.v))
        return gm_fail(err, GM_NOTFOUND, WHERE, "that is no system of the roll-up '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(v->d->name, 0, 80)));
    st = gm_rollup_total_of(v, plant ? 0 : v->system_of[twin.v], &total, err);
    if (st == GM_OK) *out = gm_rollup_finish(v->d, &total);
    return st;
}

gm_status gm_rollups_next(gm_rollups *r, size_t i, uint32_t from, gm_twin *out, gm_error *err)
{
    gm_rollup_view *v  = &r->views[i];
    gm_status       st = gm_rollup_build(v, err);
    *out               = (gm_twin){ GM_NONE };
    if (st != GM_OK || v->d->relationship.len == 0) return st;
    for (size_t t = from; t < v->twins; t++) {
        if (!shown(v, (uint32_t)t)) continue;
        *out = (gm_twin){ (uint32_t)t };
        break;
    }
    return GM_OK;
}

gm_status gm_rollups_below(gm_rollups *r, size_t i, gm_twin twin, bool (*each)(void *context, gm_twin system), void *context, gm_error *err)
{
    gm_rollup_view *v  = &r->views[i];
    gm_status       st = gm_rollup_build(v, err);
    if (st != GM_OK || v->d->relationship.len == 0 || !gm_twin_ok(twin) || twin.v >= v->twins || v->system_of[twin.v] == GM_NONE) return st;
    bool     in   = v->d->incoming;
    uint32_t name = gm_state_name_number(v->state, v->d->relationship);
    for (gm_edge e = in ? gm_state_first_in(v->state, twin) : gm_state_first_out(v->state, twin); gm_edge_ok(e);
         e = in ? gm_state_next_in(v->state, e) : gm_state_next_out(v->state, e)) {
        if (gm_state_edge_name(v->state, e) != name) continue;
        gm_twin member = in ? gm_state_edge_source(v->state, e) : gm_state_edge_target(v->state, e);
        if (shown(v, member.v) && !each(context, member)) break;
    }
    return GM_OK;
}
