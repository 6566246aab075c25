// Reading: totals that are marked are added up again, from the state.
#include "rollup/parts.h"

#include <math.h>
#include <stdio.h>

#define WHERE "rollup"

static gm_status no_memory(gm_error *err) { return gm_fail(err, GM_NOMEM, WHERE, "adding up roll-ups"); }

void gm_rollup_forget(gm_rollup_view *v)
{
    for (size_t i = 0; i < v->system_count; i++) {
        gm_free(v->alloc, v->systems[i].members);
        gm_free(v->alloc, v->systems[i].rows);
        gm_free(v->alloc, v->systems[i].totals);
        gm_free(v->alloc, v->systems[i].marked);
    }
    gm_free(v->alloc, v->systems);
    gm_free(v->alloc, v->system_of);
    gm_free(v->alloc, v->marked);
    gm_free(v->alloc, v->changed);
    gm_free(v->alloc, v->slot_of);
    gm_free(v->alloc, v->home);
    gm_free(v->alloc, v->place);
    v->systems   = NULL;
    v->system_of = NULL;
    v->marked    = NULL;
    v->changed   = NULL;
    v->any       = false;
    v->slot_of   = NULL;
    v->home      = NULL;
    v->place     = NULL;
    v->system_count = v->system_capacity = v->twins = v->edges = 0;
    v->built = false;
}

// ---- finding the systems ------------------------------------------------------------------------------------------------

static gm_status add_system(gm_rollup_view *v, uint32_t twin, gm_error *err)
{
    if (twin != GM_NONE && v->system_of[twin] != GM_NONE) return GM_OK;
    if (!gm_alloc_reserve(v->alloc, &v->systems, &v->system_capacity, v->system_count + 1, sizeof *v->systems)) return no_memory(err);
    v->systems[v->system_count] = (gm_rollup_system){ .twin = twin, .stale = true };
    if (twin != GM_NONE) v->system_of[twin] = (uint32_t)v->system_count;
    v->system_count++;
    return GM_OK;
}

gm_status gm_rollup_build(gm_rollup_view *v, gm_error *err)
{
    if (v->built) gm_rollup_mark_changed(v);
    if (v->built) return GM_OK;
    gm_rollup_forget(v);
    size_t   twins = gm_state_next_twin(v->state), edges = gm_state_edge_limit(v->state);
    uint32_t name  = v->name = gm_state_name_number(v->state, v->d->relationship);
    v->system_of   = gm_alloc_array(v->alloc, twins + 1, sizeof *v->system_of);
    v->marked      = gm_alloc_zeroed(v->alloc, twins + 1);
    v->changed     = gm_alloc_zeroed(v->alloc, (twins / 64 + 1) * sizeof *v->changed);
    v->slot_of     = gm_alloc_array(v->alloc, edges + 1, sizeof *v->slot_of);
    v->home        = gm_alloc_array(v->alloc, twins + 1, sizeof *v->home);
    v->place       = gm_alloc_zeroed(v->alloc, (twins + 1) * sizeof *v->place);
    bool      good = v->system_of != NULL && v->marked != NULL && v->changed != NULL && v->slot_of != NULL && v->home != NULL && v->place != NULL;
    gm_status st   = good ? GM_OK : no_memory(err);
    if (st == GM_OK) {
        v->twins = twins;
        v->edges = edges;
        memset(v->slot_of, 0, edges * sizeof *v->slot_of);
        for (size_t i = 0; i < twins; i++) v->system_of[i] = v->home[i] = GM_NONE;
    }
    if (st == GM_OK && v->d->relationship.len == 0) st = add_system(v, GM_NONE, err);
    for (uint32_t i = 0; st == GM_OK && v->d->relationship.len > 0 && i < edges; i++) {
        gm_edge e;
        if (!gm_state_edge_at(v->state, i, &e) || gm_state_edge_name(v->state, e) != name) continue;
        uint32_t holder = (v->d->incoming ? gm_state_edge_target(v->state, e) : gm_state_edge_source(v->state, e)).v;
        st = add_system(v, holder, err);
        v->marked[holder] = 1;
    }
    if (st != GM_OK) gm_rollup_forget(v);
    else v->built = true;
    return st;
}

// ---- one system ----------------------------------------------------------------------------------------------------------

// A member of two systems, or twice of one, has no home: it is found by its relationships. Of a system that is stale nobody knows
// whether it has the twin still.
static void note_home(gm_rollup_view *v, uint32_t system, size_t slot)
{
    const gm_rollup_system *s = &v->systems[system];
    uint32_t twin = s->members[slot], home = v->home[twin], place = v->place[twin];
    if (home == GM_ROLLUP_SEVERAL) return;
    if (home != GM_NONE) {
        const gm_rollup_system *other = &v->systems[home];
        bool known = home == system ? place < slot : place < other->count && !other->stale;
        if ((home != system && other->stale) || (known && other->members[place] == twin)) {
            v->home[twin] = GM_ROLLUP_SEVERAL;
            return;
        }
    }
    v->home[twin]  = system;
    v->place[twin] = (uint32_t)slot;
}

// Members that are all of one type are read from its columns, row by row.
static gm_status find_rows(gm_rollup_view *v, gm_rollup_system *s, gm_error *err)
{
    s->type = NULL;
    if (v->d->relationship.len == 0 || s->count == 0 || v->members != NULL) return GM_OK;
    if (!gm_alloc_reserve(v->alloc, &s->rows, &s->row_capacity, s->count, sizeof *s->rows)) return no_memory(err);
    const gm_type *type = NULL;
    for (size_t i = 0; i < s->count; i++) {
        gm_twin at = { s->members[i] };
        if (!gm_state_exists(v->state, at) || (i > 0 && gm_state_type(v->state, at) != type)) return GM_OK;
        type       = gm_state_type(v->state, at);
        s->rows[i] = gm_state_row(v->state, at);
    }
    s->type = type;
    return GM_OK;
}

static gm_status find_members(gm_rollup_view *v, gm_rollup_system *s, gm_error *err)
{
    const gm_state *state = v->state;
    gm_twin         at    = { s->twin };
    bool            in    = v->d->incoming;
    s->count              = 0;
    if (v->d->relationship.len == 0) {
        s->count = v->twins;
        return GM_OK;
    }
    uint32_t name = v->name;
    for (gm_edge e = in ? gm_state_first_in(state, at) : gm_state_first_out(state, at); gm_edge_ok(e); e = in ? gm_state_next_in(state, e) : gm_state_next_out(state, e)) {
        if (gm_state_edge_name(state, e) != name) continue;
        if (!gm_alloc_reserve(v->alloc, &s->members, &s->capacity, s->count + 1, sizeof *s->members)) return no_memory(err);
        v->slot_of[e.v]         = (uint32_t)s->count;
        s->members[s->count++] = (in ? gm_state_edge_source(state, e) : gm_state_edge_target(state, e)).v;
    }
    return GM_OK;
}

// The row of members as the graph says now; all its totals are marked.
static gm_status renew(gm_rollup_view *v, gm_rollup_system *s, gm_error *err)
{
    gm_status st = find_members(v, s, err);
    if (st == GM_OK) st = find_rows(v, s, err);
    if (st != GM_OK) return st;
    for (size_t i = 0; v->d->relationship.len > 0 && i < s->count; i++) note_home(v, (uint32_t)(s - v->systems), i);
    size_t n = s->count, all = 0;
    s->levels = 0;
    while (n > 0) {
        n = (n + GM_ROLLUP_FAN - 1) / GM_ROLLUP_FAN;
        s->start[s->levels++] = all;
        all += n;
        if (n == 1) break;
    }
    s->start[s->levels] = all;
    size_t capacity = s->total_capacity;
    if (!gm_alloc_reserve(v->alloc, &s->totals, &capacity, all, sizeof *s->totals)) return no_memory(err);
    uint8_t *marked = gm_realloc_array(v->alloc, s->marked, capacity + 1, 1);
    if (marked == NULL) return no_memory(err);
    s->marked         = marked;
    s->total_capacity = capacity;
    memset(s->marked, 1, all);
    s->stale = false;
    return GM_OK;
}

// Straight from the column: a cell with its times would be three places in memory instead of one. NaN: absent.
static double number_in(const gm_rollup_definition *d, const gm_cells *cells, uint32_t row)
{
    if (cells->source == NULL) return NAN;
    if (cells->kind == GM_KIND_DOUBLE) return cells->d[row];
    if (cells->source[row] == GM_ABSENT) return NAN;
    if (cells->kind == GM_KIND_INT || cells->kind == GM_KIND_BOOL) return (double)cells->i[row];
    if (cells->kind != GM_KIND_STRING) return NAN;
    gm_str text = { cells->s[row]->bytes, cells->s[row]->len };
    for (uint32_t i = 0; i < d->state_count; i++)
        if (gm_str_eq(d->states[i], text)) return d->function == GM_ROLLUP_K_OF_N ? 1 : i;
    return d->function == GM_ROLLUP_K_OF_N && d->state_count > 0 ? 0 : NAN;  // a state that nobody ranked is not known
}

static bool turn_to(gm_rollup_view *v, const gm_type *type)
{
    if (type == v->type) return true;
    v->here = gm_rollup_columns_of(v, type);
    if (v->here == NULL) return false;
    v->type  = type;
    v->table = gm_state_table(v->state, type->number);
    return true;
}

// Members of one type, of which each has a number: from the columns at once. False: this is not how they lie.
static bool take_rows(gm_rollup_view *v, const gm_rollup_system *s, size_t first, size_t last, gm_rollup_total *total)
{
    const double *columns[GM_ROLLUP_TERMS];
    if (s->type == NULL || !turn_to(v, s->type)) return false;
    if (v->here->column[0] == GM_ROLLUP_NO_COLUMN) return true;
    for (uint32_t i = 0; i < v->d->term_count; i++) {
        const gm_cells *cells = &v->table.columns[v->here->column[i]];
        if (cells->source == NULL || cells->kind != GM_KIND_DOUBLE) return false;
        columns[i] = cells->d;
    }
    gm_rollup_take_rows(total, v->d, columns, s->rows + first, last - first);
    return true;
}

// A member's own value.
static gm_status take_value(gm_rollup_view *v, uint32_t twin, gm_rollup_total *total, gm_error *err)
{
    gm_twin        at      = { twin };
    const gm_type *type    = gm_state_exists(v->state, at) ? gm_state_type(v->state, at) : NULL;
    bool           belongs = true;
    double         values[GM_ROLLUP_TERMS];
    if (type == NULL) return GM_OK;
    if (!turn_to(v, type)) return no_memory(err);
    const gm_rollup_columns *c = v->here;
    if (c->column[0] == GM_ROLLUP_NO_COLUMN) return GM_OK;
    gm_status st = v->members != NULL ? gm_query_matches(v->members, v->state, at, &belongs, err) : GM_OK;
    if (st != GM_OK || !belongs) return st;
    uint32_t row = gm_state_row(v->state, at);
    for (uint32_t i = 0; i < v->d->term_count; i++) values[i] = number_in(v->d, &v->table.columns[c->column[i]], row);
    gm_rollup_take(total, v->d, values);
    return GM_OK;
}

// What is under a member. From here on it is not marked.
static gm_status take_under(gm_rollup_view *v, uint32_t twin, gm_rollup_total *total, gm_error *err)
{
    uint32_t system = v->d->relationship.len > 0 && twin < v->twins ? v->system_of[twin] : GM_NONE;
    if (system != GM_NONE) {
        gm_rollup_total under;
        gm_status       st = gm_rollup_total_of(v, system, &under, err);
        if (st != GM_OK) return st;
        if (v->d->function == GM_ROLLUP_K_OF_N) {
            double works = gm_rollup_finish(v->d, &under).value;
            if (!isnan(works)) gm_rollup_take(total, v->d, &works);
        } else gm_rollup_join(total, &under);
    }
    if (twin < v->twins && v->marked[twin]) v->marked[twin] = 0;
    return GM_OK;
}

static gm_status take_members(gm_rollup_view *v, const gm_rollup_system *s, size_t first, size_t last, gm_rollup_total *total, gm_error *err)
{
    gm_status st   = GM_OK;
    bool      done = take_rows(v, s, first, last, total);
    for (size_t i = first; st == GM_OK && i < last; i++) {
        uint32_t twin = s->members != NULL ? s->members[i] : (uint32_t)i;
        if (!done) st = take_value(v, twin, total, err);
        if (st == GM_OK) st = take_under(v, twin, total, err);
    }
    return st;
}

// Invariant of the walk: a mark goes only when everything under it is added up.
static gm_status refresh(gm_rollup_view *v, uint32_t system, unsigned level, size_t place, gm_error *err)
{
    gm_rollup_system *s    = &v->systems[system];
    size_t            at   = s->start[level] + place, first = place * GM_ROLLUP_FAN;
    size_t            of   = level == 0 ? s->count : s->start[level] - s->start[level - 1];
    size_t            last = first + GM_ROLLUP_FAN < of ? first + GM_ROLLUP_FAN : of;
    gm_rollup_total   total;
    gm_status         st = GM_OK;
    if (!s->marked[at]) return GM_OK;
    gm_rollup_clear(&total);
    if (level == 0) st = take_members(v, s, first, last, &total, err);
    for (size_t i = first; level > 0 && st == GM_OK && i < last; i++) {
        st = refresh(v, system, level - 1, i, err);
        if (st == GM_OK) gm_rollup_join(&total, &s->totals[s->start[level - 1] + i]);
    }
    if (st != GM_OK) return st;
    s->totals[at] = total;
    s->marked[at] = 0;
    return GM_OK;
}

static gm_status tell_loop(gm_rollup_view *v, uint32_t twin, gm_error *err)
{
    char   text[160];
    size_t used = 0, i = v->depth;
    while (i > 0 && v->path[i - 1] != twin) i--;
    for (i = i > 0 ? i - 1 : 0; i <= v->depth && used < sizeof text; i++) {
        gm_str id  = gm_str_slice(gm_state_id(v->state, (gm_twin){ i < v->depth ? v->path[i] : twin }), 0, 40);
        int    len = snprintf(text + used, sizeof text - used, "%s" GM_STR_FMT, used > 0 ? " -> " : "", GM_STR_ARG(id));
        used += len > 0 ? (size_t)len : 0;
    }
    return gm_fail(err, GM_INVALID, WHERE, "a system contains itself: %s", text);
}

gm_status gm_rollup_total_of(gm_rollup_view *v, uint32_t system, gm_rollup_total *out, gm_error *err)
{
    gm_rollup_system *s  = &v->systems[system];
    gm_status         st = GM_OK;
    gm_rollup_clear(out);
    if (s->busy) return tell_loop(v, s->twin, err);
    if (v->depth == GM_ROLLUP_DEPTH_MAX)
        return gm_fail(err, GM_LIMIT, WHERE, "systems in systems, more than %d levels deep, down to '" GM_STR_FMT "'", GM_ROLLUP_DEPTH_MAX,
                       GM_STR_ARG(gm_str_slice(gm_state_id(v->state, (gm_twin){ s->twin }), 0, 80)));
    if (v->depth == 0) v->type = NULL;  // tables may have moved since the last reading
    v->path[v->depth++] = s->twin;
    s->busy             = true;
    if (s->stale) st = renew(v, s, err);
    if (st == GM_OK && s->levels > 0) st = refresh(v, system, s->levels - 1, 0, err);
    if (st == GM_OK && s->levels > 0) *out = s->totals[s->start[s->levels - 1]];
    s->busy = false;
    v->depth--;
    return st;
}
