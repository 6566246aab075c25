// Principals and their fences. Invariant: a fence's bits stand for the graph as of access->structure == made_for.
#include "access/internal.h"

static const char *const roles[] = { "", "reader", "operator", "engineer", "admin" };

gm_right gm_right_of_role(gm_str role)
{
    for (gm_right right = GM_RIGHT_READ; right <= GM_RIGHT_ADMIN; right++) {
        if (gm_str_is(role, roles[right])) return right;
    }
    return GM_RIGHT_NONE;
}

const char *gm_right_role(gm_right right) { return roles[right]; }

// ---- life cycle ---------------------------------------------------------------------------------------------------

static char *copy_text(const gm_alloc *alloc, gm_str text)
{
    char *copy = gm_alloc_bytes(alloc, text.len + 1);
    if (copy == NULL) return NULL;
    if (text.len > 0) memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return copy;
}

gm_principal *gm_principal_make(gm_access *access, gm_str name, gm_right right)
{
    gm_principal *p = gm_alloc_zeroed(access->alloc, sizeof *p);
    if (p == NULL) return NULL;
    *p      = (gm_principal){ .access = access, .references = 1, .right = right, .rate = access->rate };
    p->name = copy_text(access->alloc, name);
    if (p->name != NULL) return p;
    gm_principal_release(p);
    return NULL;
}

static void finish_scope(const gm_alloc *alloc, gm_scope *scope)
{
    for (size_t i = 0; i < scope->twin_count; i++) gm_free(alloc, scope->twins[i]);
    gm_query_destroy(scope->query);
    gm_free(alloc, scope->bits);
    *scope = (gm_scope){ 0 };
}

gm_principal *gm_principal_hold(gm_principal *principal)
{
    if (principal != NULL) principal->references++;
    return principal;
}

void gm_principal_release(gm_principal *principal)
{
    if (principal == NULL || --principal->references > 0) return;
    const gm_alloc *alloc = principal->access->alloc;
    finish_scope(alloc, &principal->scope);
    gm_free(alloc, principal->name);
    gm_free(alloc, principal->text);
    gm_free(alloc, principal);
}

gm_status gm_principal_set_scope(gm_principal *principal, const gm_str *twins, size_t count, gm_str query, gm_error *err)
{
    gm_scope       *scope = &principal->scope;
    const gm_alloc *alloc = principal->access->alloc;
    bool            past;
    gm_time_ns      when;
    scope->scoped = true;
    if (count > GM_USER_SCOPES_MAX) return gm_fail(err, GM_INVALID, "access", "more than %d twins in a scope", GM_USER_SCOPES_MAX);
    for (size_t i = 0; i < count; i++) {
        char *copy = copy_text(alloc, twins[i]);
        if (copy == NULL) return gm_fail(err, GM_NOMEM, "access", "adding a user");
        scope->twins[scope->twin_count++] = copy;
    }
    if (query.len == 0) return GM_OK;
    gm_status st = gm_query_prepare(alloc, query, &scope->query, err);
    if (st == GM_LIMIT && err != NULL) err->status = GM_INVALID;  // trying again would not help
    if (st != GM_OK) return st == GM_LIMIT ? GM_INVALID : st;
    past = gm_query_as_of(scope->query, &when);
    return past ? gm_fail(err, GM_INVALID, "access", "a scope is about now, not about the past") : GM_OK;
}

// ---- what he is -----------------------------------------------------------------------------------------------------

gm_str   gm_principal_name(const gm_principal *p) { return p != NULL ? gm_str_of(p->name) : GM_STR("anyone"); }
gm_right gm_principal_right(const gm_principal *p) { return p != NULL ? p->right : GM_RIGHT_ADMIN; }
bool     gm_principal_scoped(const gm_principal *p) { return p != NULL && p->scope.scoped; }

bool gm_principal_valid(const gm_principal *p)
{
    if (p == NULL) return true;
    return !p->revoked && (p->ends == 0 || gm_now(p->access->clock) < p->ends);
}

gm_dur_ns gm_principal_take(gm_principal *p)
{
    if (p == NULL || p->rate == 0) return 0;
    gm_dur_ns now  = gm_monotonic(p->access->clock);
    double    rate = p->rate;
    if (p->counted == 0) p->saved = rate;  // a second's worth may come at once
    else p->saved += rate * (double)(now - p->counted) / 1e9;
    if (p->saved > rate) p->saved = rate;
    p->counted = now;
    if (p->saved >= 1) {
        p->saved -= 1;
        return 0;
    }
    return (gm_dur_ns)((1 - p->saved) / rate * 1e9) + 1;
}

// ---- fences -------------------------------------------------------------------------------------------------------

static bool leads_down(const gm_access *access, const gm_state *state, gm_edge edge)
{
    if (strcmp(access->relationships, "*") == 0) return true;
    gm_str name = gm_state_relationship(state, edge).name;
    gm_str rest = gm_str_of(access->relationships), part;
    while (gm_str_next(&rest, ',', &part)) {
        if (gm_str_eq(gm_str_trim(part), name)) return true;
    }
    return false;
}

// Every twin that can be reached from the scope's own along relationships that lead down.
static bool draw_subtrees(gm_principal *p, const gm_state *state)
{
    gm_scope       *scope = &p->scope;
    const gm_alloc *alloc = p->access->alloc;
    uint32_t        limit = gm_state_next_twin(state);
    size_t          words = ((size_t)limit + 63) / 64, count = 0, capacity = 0;
    uint64_t       *bits  = gm_alloc_zeroed(alloc, words * sizeof *bits + 1);
    uint32_t       *open  = NULL;  // reached, and not looked behind yet
    bool            ok    = bits != NULL;
    for (size_t i = 0; ok && i < scope->twin_count; i++) {
        gm_twin root = gm_state_find(state, gm_str_of(scope->twins[i]));
        if (!gm_twin_ok(root)) continue;
        ok = gm_alloc_reserve(alloc, &open, &capacity, count + 1, sizeof *open);
        if (!ok) break;
        bits[root.v / 64] |= UINT64_C(1) << (root.v % 64);
        open[count++] = root.v;
    }
    while (ok && count > 0) {
        gm_twin at = { open[--count] };
        for (gm_edge e = gm_state_first_out(state, at); ok && gm_edge_ok(e); e = gm_state_next_out(state, e)) {
            uint32_t to = gm_state_edge_target(state, e).v;
            if ((bits[to / 64] >> (to % 64) & 1) != 0 || !leads_down(p->access, state, e)) continue;
            ok = gm_alloc_reserve(alloc, &open, &capacity, count + 1, sizeof *open);
            if (!ok) break;
            bits[to / 64] |= UINT64_C(1) << (to % 64);
            open[count++] = to;
        }
    }
    gm_free(alloc, open);
    gm_free(alloc, scope->bits);
    if (!ok) {
        gm_free(alloc, bits);
        bits = NULL;
    }
    scope->bits  = bits;
    scope->fence = (gm_fence){ .bits = bits, .limit = ok ? limit : 0 };
    return ok;
}

// LIMIT: a scope by query is evaluated for each twin that is looked at; enough while such principals ask for pages.
static bool selected(void *context, gm_twin twin)
{
    gm_principal   *p     = context;
    const gm_state *state = gm_engine_state(p->access->engine);
    bool            matches = false;
    gm_error        err;
    return gm_state_exists(state, twin) && gm_query_matches(p->scope.query, state, twin, &matches, &err) == GM_OK && matches;
}

const gm_fence *gm_principal_fence(gm_principal *p)
{
    if (p == NULL || !p->scope.scoped) return NULL;
    gm_scope *scope = &p->scope;
    if (scope->made_for != p->access->structure) {
        scope->made_for = draw_subtrees(p, gm_engine_state(p->access->engine)) ? p->access->structure : 0;
    }
    if (scope->query != NULL) {
        scope->fence.shows   = selected;
        scope->fence.context = p;
    }
    return &scope->fence;
}
