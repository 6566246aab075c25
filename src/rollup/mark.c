// Following changes: what is above a changed twin is marked, and no more is done.
#include "rollup/parts.h"

static void mark_up(gm_rollup_view *v, uint32_t twin, unsigned depth);

// Without a relationship there is one system, and a twin's number is its place.
static void mark_in(gm_rollup_view *v, uint32_t system, size_t slot, unsigned depth)
{
    gm_rollup_system *s = &v->systems[system];
    for (unsigned level = 0; !s->stale && level < s->levels; level++) {
        slot /= GM_ROLLUP_FAN;
        if (s->marked[s->start[level] + slot]) break;
        s->marked[s->start[level] + slot] = 1;
    }
    if (s->twin != GM_NONE) mark_up(v, s->twin, depth + 1);
}

void gm_rollup_mark_twin(gm_rollup_view *v, uint32_t twin) { mark_up(v, twin, 0); }

void gm_rollup_mark_changed(gm_rollup_view *v)
{
    if (!v->any) return;
    v->any = false;
    for (size_t word = 0; word <= v->twins / 64; word++) {
        for (uint64_t bits = v->changed[word]; bits != 0; bits &= bits - 1) mark_up(v, (uint32_t)(word * 64 + (unsigned)__builtin_ctzll(bits)), 0);
        v->changed[word] = 0;
    }
}

static void mark_up(gm_rollup_view *v, uint32_t twin, unsigned depth)
{
    // What is above can not be read anyway; should it come within reach one day, it is found afresh.
    if (depth > GM_ROLLUP_DEPTH_MAX) v->built = false;
    if (!v->built) return;
    if (twin >= v->twins) {  // of a twin that came later: its relationships, when they come, see to it
        if (v->d->relationship.len == 0) v->systems[0].stale = true;
        return;
    }
    if (v->marked[twin]) return;
    v->marked[twin] = 1;
    if (v->d->relationship.len == 0) {
        mark_in(v, 0, twin, depth);
        return;
    }
    // Most twins are a member of one system, and the graph need not be asked.
    const gm_state *state = v->state;
    uint32_t        name  = v->name, home = v->home[twin], place = v->place[twin];
    gm_twin         at    = { twin };
    bool            in    = v->d->incoming;
    if (home < v->system_count && !v->systems[home].stale && place < v->systems[home].count && v->systems[home].members[place] == twin) {
        mark_in(v, home, place, depth);
        return;
    }
    for (gm_edge e = in ? gm_state_first_out(state, at) : gm_state_first_in(state, at); gm_edge_ok(e); e = in ? gm_state_next_out(state, e) : gm_state_next_in(state, e)) {
        if (gm_state_edge_name(state, e) != name) continue;
        uint32_t holder = (in ? gm_state_edge_target(state, e) : gm_state_edge_source(state, e)).v;
        uint32_t system = holder < v->twins ? v->system_of[holder] : GM_NONE;
        if (system != GM_NONE && e.v < v->edges) mark_in(v, system, v->slot_of[e.v], depth);
    }
}

// Room for twins and relationships that came after building. False: memory was refused.
static bool grow(gm_rollup_view *v, size_t twins, size_t edges)
{
    if (twins > v->twins) {
        size_t    more = twins + twins / 2 + 64;
        uint32_t *of   = gm_realloc_array(v->alloc, v->system_of, more, sizeof *of);
        if (of != NULL) v->system_of = of;
        uint8_t *marked = of != NULL ? gm_realloc_array(v->alloc, v->marked, more, 1) : NULL;
        if (marked == NULL) return false;
        v->marked         = marked;
        uint32_t *home = gm_realloc_array(v->alloc, v->home, more, sizeof *home);
        if (home == NULL) return false;
        v->home         = home;
        uint32_t *place = gm_realloc_array(v->alloc, v->place, more, sizeof *place);
        if (place == NULL) return false;
        v->place          = place;
        uint64_t *changed = gm_realloc_array(v->alloc, v->changed, more / 64 + 1, sizeof *changed);
        if (changed == NULL) return false;
        v->changed = changed;
        for (size_t i = v->twins / 64 + 1; i <= more / 64; i++) changed[i] = 0;
        for (size_t i = v->twins; i < more; i++) { of[i] = home[i] = GM_NONE; marked[i] = 0; }
        v->twins = more;
    }
    if (edges > v->edges) {
        size_t    more = edges + edges / 2 + 64;
        uint32_t *slot = gm_realloc_array(v->alloc, v->slot_of, more, sizeof *slot);
        if (slot == NULL) return false;
        memset(slot + v->edges, 0, (more - v->edges) * sizeof *slot);
        v->slot_of = slot;
        v->edges   = more;
    }
    return true;
}

void gm_rollup_mark_ends(gm_rollup_view *v, gm_str name, uint32_t source, uint32_t target)
{
    if (!v->built || v->d->relationship.len == 0 || !gm_str_eq(name, v->d->relationship)) return;
    uint32_t holder = v->d->incoming ? target : source;
    v->name         = gm_state_name_number(v->state, name);
    size_t   most   = (source > target ? source : target) + (size_t)1;
    bool     good   = grow(v, most, gm_state_edge_limit(v->state));
    if (good && v->system_of[holder] == GM_NONE) {
        good = gm_alloc_reserve(v->alloc, &v->systems, &v->system_capacity, v->system_count + 1, sizeof *v->systems);
        if (good) {
            v->systems[v->system_count] = (gm_rollup_system){ .twin = holder };
            v->system_of[holder]        = (uint32_t)v->system_count++;
        }
    }
    if (!good) {
        gm_rollup_forget(v);  // found again when somebody asks
        return;
    }
    v->systems[v->system_of[holder]].stale = true;
    gm_rollup_mark_twin(v, holder);
}

const gm_rollup_columns *gm_rollup_columns_of(gm_rollup_view *v, const gm_type *type)
{
    if (type->number >= v->types) {
        size_t             more = (size_t)type->number + type->number / 2 + 16;
        gm_rollup_columns *list = gm_realloc_array(v->alloc, v->columns, more, sizeof *list);
        if (list == NULL) return NULL;
        for (size_t i = v->types; i < more; i++) list[i].column[0] = GM_ROLLUP_COLUMN_OPEN;
        v->columns = list;
        v->types   = more;
    }
    gm_rollup_columns *c = &v->columns[type->number];
    if (c->column[0] == GM_ROLLUP_COLUMN_OPEN) {
        bool all = true;
        for (uint32_t i = 0; i < v->d->term_count; i++) {
            c->column[i] = gm_type_column_index(type, v->d->terms[i]);
            all          = all && c->column[i] != GM_NO_COLUMN;
        }
        if (!all) c->column[0] = GM_ROLLUP_NO_COLUMN;  // it contributes with all its terms, or not at all
    }
    return c;
}

static void mark_relationship(gm_rollups *r, const gm_change *change)
{
    const gm_state *state = gm_engine_state(r->engine);
    gm_edge         edge  = gm_state_find_relationship(state, (gm_twin){ change->twin }, change->id);
    if (!gm_edge_ok(edge)) return;
    gm_str name = gm_state_relationship(state, edge).name;
    for (size_t i = 0; i < r->count; i++) gm_rollup_mark_ends(&r->views[i], name, change->twin, gm_state_edge_target(state, edge).v);
}

// A twin that goes, or is replaced by one of another model, takes its relationships with it or keeps them: all systems that it is
// in, and its own, are found again.
static void mark_around(gm_rollups *r, uint32_t twin)
{
    const gm_state *state = gm_engine_state(r->engine);
    gm_twin         at    = { twin };
    if (!gm_state_exists(state, at)) return;
    for (size_t i = 0; i < r->count; i++) {
        for (gm_edge e = gm_state_first_out(state, at); gm_edge_ok(e); e = gm_state_next_out(state, e))
            gm_rollup_mark_ends(&r->views[i], gm_state_relationship(state, e).name, twin, gm_state_edge_target(state, e).v);
        for (gm_edge e = gm_state_first_in(state, at); gm_edge_ok(e); e = gm_state_next_in(state, e))
            gm_rollup_mark_ends(&r->views[i], gm_state_relationship(state, e).name, gm_state_edge_source(state, e).v, twin);
    }
}

// Does a put move the twin to the table of another model?
static bool moves(const gm_rollups *r, const gm_change *put)
{
    gm_twin at = { put->twin };
    return gm_state_exists(gm_engine_state(r->engine), at) && !gm_str_eq(gm_state_type(gm_engine_state(r->engine), at)->id, put->name);
}

void gm_rollup_before(void *context, const gm_record *record, const gm_change *change)
{
    (void)record;
    if (change->kind == GM_CHANGE_RELATIONSHIP_DELETE || change->kind == GM_CHANGE_RELATIONSHIP_PUT) mark_relationship(context, change);
    else if (change->kind == GM_CHANGE_TWIN_DELETE || (change->kind == GM_CHANGE_TWIN_PUT && moves(context, change))) mark_around(context, change->twin);
}

static void note_write(gm_rollups *r, const gm_change *write)
{
    uint64_t bit = UINT64_C(1) << write->twin % 64;
    for (uint64_t views = gm_rollup_watching(r, write); views != 0; views &= views - 1) {
        gm_rollup_view *v = &r->views[__builtin_ctzll(views)];
        // A twin that came after building has no bit: its relationships, or the number of twins, tell of it.
        if (!v->built || write->twin >= v->twins) continue;
        v->changed[write->twin / 64] |= bit;
        v->any = true;
    }
}

void gm_rollup_after(void *context, const gm_record *record, const gm_change *change)
{
    gm_rollups *r = context;
    (void)record;
    if (r->count == 0) return;
    if (change->kind == GM_CHANGE_WRITE) note_write(r, change);
    else if (change->kind == GM_CHANGE_RELATIONSHIP_PUT) mark_relationship(r, change);
    else if (change->kind == GM_CHANGE_TWIN_PUT || change->kind == GM_CHANGE_TWIN_DELETE)
        for (size_t i = 0; i < r->count; i++)
            if (r->views[i].built) gm_rollup_mark_twin(&r->views[i], change->twin);
}
