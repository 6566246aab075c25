// Declarations bound to types, relationship names and queries.
#include "failure/failures_parts.h"

#include "query/query.h"

#include <math.h>

#define WHERE "failure"

static uint32_t declarations(const gm_failure_modes *m) { return m->mode_count + m->need_count + m->loss_count + m->common_count; }

static void forget_kinds(gm_failures *f)
{
    for (size_t i = 0; i < f->kind_capacity; i++) gm_free(f->alloc, f->kinds[i]);
    gm_free(f->alloc, f->kinds);
    f->kinds         = NULL;
    f->kind_capacity = 0;
}

static void finish_queries(const gm_alloc *alloc, gm_query **queries, uint32_t count)
{
    for (uint32_t i = 0; queries != NULL && i < count; i++) gm_query_destroy(queries[i]);
    gm_free(alloc, queries);
}

gm_status gm_failures_create(const gm_alloc *alloc, gm_failures **out, gm_error *err)
{
    gm_failures *f = gm_alloc_zeroed(alloc, sizeof *f);
    size_t       which;
    *out           = f;
    if (f == NULL) return gm_fail(err, GM_NOMEM, WHERE, "preparing failure modes");
    f->alloc     = alloc;
    gm_status st = gm_failures_set(f, NULL, 0, &which, err);
    if (st == GM_OK) return GM_OK;
    gm_failures_destroy(f);
    *out = NULL;
    return st;
}

void gm_failures_destroy(gm_failures *f)
{
    if (f == NULL) return;
    forget_kinds(f);
    if (f->modes != NULL) finish_queries(f->alloc, f->queries, declarations(f->modes));
    gm_failure_modes_destroy(f->modes);
    gm_free(f->alloc, f->paths);
    gm_failure_web_destroy(f->web);
    gm_free(f->alloc, f);
}

// ---- declarations ----------------------------------------------------------------------------------------------------------------

static const gm_failure_scope *scope_at(const gm_failure_modes *m, uint32_t i)
{
    if (i < m->mode_count) return &m->modes[i].scope;
    i -= m->mode_count;
    if (i < m->need_count) return &m->needs[i].scope;
    i -= m->need_count;
    return i < m->loss_count ? &m->losses[i].scope : &m->common[i - m->loss_count].scope;
}

// A query that can not be followed twin by twin is refused now rather than at every reading: it is tried on a state without twins.
gm_status gm_failure_query_open(const gm_alloc *alloc, gm_str text, gm_query **out, gm_error *err)
{
    gm_model *model = gm_model_create(alloc);
    gm_state *state = model != NULL ? gm_state_create(alloc, model) : NULL;
    gm_status st    = state != NULL ? gm_query_prepare(alloc, text, out, err) : gm_fail(err, GM_NOMEM, WHERE, "reading failure modes");
    bool      any;
    if (st == GM_OK) st = gm_query_matches(*out, state, (gm_twin){ GM_NONE }, &any, err);
    if (st != GM_OK && state != NULL) {
        gm_query_destroy(*out);
        *out = NULL;
    }
    gm_state_destroy(state);
    gm_model_destroy(model);
    return st;
}

static gm_status open_queries(const gm_alloc *alloc, const gm_failure_modes *m, gm_query ***out, gm_error *err)
{
    uint32_t   count   = declarations(m);
    gm_query **queries = gm_alloc_zeroed(alloc, (count + 1) * sizeof(gm_query *));
    gm_status  st      = queries != NULL ? GM_OK : gm_fail(err, GM_NOMEM, WHERE, "reading failure modes");
    for (uint32_t i = 0; st == GM_OK && i < count; i++) {
        const gm_failure_scope *scope = scope_at(m, i);
        if (scope->members.len == 0) continue;
        st = gm_failure_query_open(alloc, scope->members, &queries[i], err);
        if (st != GM_OK && st != GM_NOMEM && err != NULL) err->line = scope->line;
    }
    *out = queries;
    if (st == GM_OK) return GM_OK;
    finish_queries(alloc, queries, count);
    *out = NULL;
    return st;
}

gm_status gm_failures_set(gm_failures *f, const gm_failure_file *files, size_t count, size_t *out_file, gm_error *err)
{
    gm_failure_modes    *modes   = NULL;
    gm_query   **queries = NULL;
    gm_path_number *paths   = NULL;
    gm_status    st      = gm_failure_modes_create(f->alloc, &modes, err);
    *out_file            = count;
    for (size_t i = 0; st == GM_OK && i < count; i++) {
        st = gm_failure_modes_add(modes, files[i].name, files[i].text, err);
        if (st != GM_OK) *out_file = i;
    }
    if (st == GM_OK) st = open_queries(f->alloc, modes, &queries, err);
    if (st == GM_OK) {
        paths = gm_alloc_zeroed(f->alloc, (modes->need_count * (size_t)GM_NEED_FROM_MAX + modes->common_count + 1) * sizeof *paths);
        if (paths == NULL) st = gm_fail(err, GM_NOMEM, WHERE, "reading failure modes");
    }
    if (st != GM_OK) {
        if (modes != NULL) finish_queries(f->alloc, queries, declarations(modes));
        gm_failure_modes_destroy(modes);
        return st;
    }
    forget_kinds(f);
    gm_failure_web_destroy(f->web);
    f->web = NULL;
    if (f->modes != NULL) finish_queries(f->alloc, f->queries, declarations(f->modes));
    gm_failure_modes_destroy(f->modes);
    gm_free(f->alloc, f->paths);
    f->modes   = modes;
    f->queries = queries;
    f->paths   = paths;
    return GM_OK;
}

const gm_alloc         *gm_failures_alloc(const gm_failures *f) { return f->alloc; }
const gm_failure_modes *gm_failures_modes(const gm_failures *f) { return f->modes; }

// ---- the graph -------------------------------------------------------------------------------------------------------------------

static gm_path_number *common_path(const gm_failures *f, uint32_t common) { return &f->paths[(size_t)f->modes->need_count * GM_NEED_FROM_MAX + common]; }

static gm_path_number number_of(const gm_state *state, const gm_failure_path *path)
{
    return (gm_path_number){ gm_state_name_number(state, path->relationship), path->incoming };
}

gm_status gm_failures_begin(gm_failures *f, const gm_state *state, gm_error *err)
{
    const gm_failure_modes *m     = f->modes;
    for (uint32_t n = 0; n < m->need_count; n++)
        for (uint32_t i = 0; i < m->needs[n].from_count; i++) gm_failures_need_paths(f, n)[i] = number_of(state, &m->needs[n].from[i]);
    for (uint32_t c = 0; c < m->common_count; c++) *common_path(f, c) = number_of(state, &m->common[c].within);
    size_t types = gm_state_table_count(state);
    if (types > f->kind_capacity) {
        size_t before = f->kind_capacity;
        if (!gm_alloc_reserve(f->alloc, &f->kinds, &f->kind_capacity, types, sizeof *f->kinds)) return gm_fail(err, GM_NOMEM, WHERE, "following types");
        memset(f->kinds + before, 0, (f->kind_capacity - before) * sizeof *f->kinds);
    }
    return GM_OK;
}

static uint32_t pick(const gm_failure_modes *m, uint32_t first, uint32_t count, const gm_type *type, uint32_t *out)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++)
        if (gm_failure_scope_fits(scope_at(m, first + i), type)) out[n++] = i;
    return n;
}

const gm_failure_kind *gm_failures_kind(gm_failures *f, const gm_type *type)
{
    if (type->number >= f->kind_capacity) return NULL;
    if (f->kinds[type->number] != NULL) return f->kinds[type->number];
    const gm_failure_modes  *m    = f->modes;
    gm_failure_kind *kind = gm_alloc_zeroed(f->alloc, sizeof *kind + (declarations(m) + 1) * sizeof(uint32_t));
    if (kind == NULL) return NULL;
    uint32_t *at       = (uint32_t *)(kind + 1);
    kind->modes        = at;
    kind->mode_count   = pick(m, 0, m->mode_count, type, at);
    kind->needs        = at += kind->mode_count;
    kind->need_count   = pick(m, m->mode_count, m->need_count, type, at);
    kind->losses       = at += kind->need_count;
    kind->loss_count   = pick(m, m->mode_count + m->need_count, m->loss_count, type, at);
    kind->common       = at += kind->loss_count;
    kind->common_count = pick(m, m->mode_count + m->need_count + m->loss_count, m->common_count, type, at);
    f->kinds[type->number] = kind;
    return kind;
}

static bool is_about(const gm_failures *f, const gm_state *state, uint32_t declaration, gm_twin twin)
{
    const gm_query *query = f->queries[declaration];
    bool            matches = false;
    if (query == NULL) return true;
    return gm_query_matches(query, state, twin, &matches, NULL) == GM_OK && matches;
}

bool gm_failures_mode_is_about(const gm_failures *f, const gm_state *state, uint32_t mode, gm_twin twin) { return is_about(f, state, mode, twin); }
bool gm_failures_need_is_about(const gm_failures *f, const gm_state *state, uint32_t need, gm_twin twin)
{
    return is_about(f, state, f->modes->mode_count + need, twin);
}
bool gm_failures_common_is_about(const gm_failures *f, const gm_state *state, uint32_t common, gm_twin twin)
{
    return is_about(f, state, f->modes->mode_count + f->modes->need_count + f->modes->loss_count + common, twin);
}

const gm_failure_loss *gm_failures_loss(gm_failures *f, const gm_state *state, gm_twin twin)
{
    const gm_failure_kind *kind  = gm_failures_kind(f, gm_state_type(state, twin));
    uint32_t               first = f->modes->mode_count + f->modes->need_count;
    for (uint32_t i = kind != NULL ? kind->loss_count : 0; i-- > 0;)
        if (is_about(f, state, first + kind->losses[i], twin)) return &f->modes->losses[kind->losses[i]];
    return NULL;
}

static bool is_type(const gm_state *state, gm_twin twin, gm_str dtmi)
{
    gm_failure_scope scope = { .on = dtmi };
    return dtmi.len == 0 || gm_failure_scope_fits(&scope, gm_state_type(state, twin));
}

// Relationships of one twin in one direction: which of them `wanted` names.
static bool walk(const gm_state *state, gm_twin twin, const gm_path_number *wanted, uint32_t count, bool incoming, gm_str of, gm_failure_neighbour *each, void *context)
{
    bool any = false;
    for (uint32_t i = 0; i < count; i++) any = any || wanted[i].incoming == incoming;
    if (!any) return true;
    for (gm_edge e = incoming ? gm_state_first_in(state, twin) : gm_state_first_out(state, twin); gm_edge_ok(e);
         e         = incoming ? gm_state_next_in(state, e) : gm_state_next_out(state, e)) {
        uint32_t name = gm_state_edge_name(state, e);
        for (uint32_t i = 0; i < count; i++) {
            if (wanted[i].incoming != incoming || wanted[i].name != name) continue;
            gm_twin other = incoming ? gm_state_edge_source(state, e) : gm_state_edge_target(state, e);
            if (is_type(state, other, of) && !each(context, e, other)) return false;
            break;
        }
    }
    return true;
}

void gm_failures_neighbours(const gm_failures *f, const gm_state *state, uint32_t need, gm_twin twin, gm_failure_neighbour *each, void *context)
{
    const gm_failure_need *n = &f->modes->needs[need];
    if (walk(state, twin, gm_failures_need_paths(f, need), n->from_count, false, n->of, each, context))
        (void)walk(state, twin, gm_failures_need_paths(f, need), n->from_count, true, n->of, each, context);
}

void gm_failures_common_places(const gm_failures *f, const gm_state *state, uint32_t common, gm_twin twin, gm_failure_neighbour *each, void *context)
{
    const gm_path_number *p = common_path(f, common);
    if (f->modes->common[common].within.relationship.len > 0) (void)walk(state, twin, p, 1, p->incoming, (gm_str){ 0 }, each, context);
}
