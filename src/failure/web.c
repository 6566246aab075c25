// Making the web: relationships are gone through as they lie in memory, each asks which needs follow its name.
#include "failure/failures_parts.h"
#include "failure/tree_twins.h"

typedef struct follower { uint32_t need, next; bool incoming; } follower;  // a need that follows relationships of one name; a list
typedef struct feeling { uint32_t twin, want; } feeling;                   // want: as in gm_failure_web.felt

typedef struct weaver {
    gm_failures    *failures;
    const gm_state *state;
    gm_failure_web *web;
    uint32_t       *first_want;   // [twins]
    uint32_t       *type_of;      // [twins] GM_NONE: there is no such twin
    uint16_t       *place;        // [needs * types] of the need among those of the type, + 1; 0: it is not about it
    uint8_t        *counts;       // [needs * types] a twin of that type counts for the need
    uint8_t        *kinds;        // [types] gm_tree_twin_kind
    size_t          types;
    follower       *followers;
    uint32_t        follower_count, *by_name, names;  // by_name [names] index + 1
    uint32_t        input;        // the name of relationships from gates to what they are over
    feeling        *feelings;
    size_t          feeling_count, feeling_capacity;
    bool            refused;      // memory was
} weaver;

void gm_failure_web_destroy(gm_failure_web *web)
{
    if (web == NULL) return;
    gm_free(web->alloc, web->first);
    gm_free(web->alloc, web->felt);
    gm_free(web->alloc, web->wants);
    gm_free(web->alloc, web->gates);
    gm_free(web->alloc, web->starved);
    gm_free(web->alloc, web);
}

// ---- by type and by name ---------------------------------------------------------------------------------------------------------

static void sort_types(weaver *w)
{
    const gm_failure_modes *m = w->failures->modes;
    for (size_t t = 0; t < w->types; t++) {
        gm_table table = gm_state_table(w->state, t);
        if (table.type == NULL || table.live == 0) continue;
        const gm_failure_kind *kind = gm_failures_kind(w->failures, table.type);
        if (kind == NULL) { w->refused = true; return; }
        w->kinds[t] = (uint8_t)gm_tree_twin_kind_of(table.type);
        for (uint32_t k = 0; k < kind->need_count; k++) w->place[kind->needs[k] * w->types + t] = (uint16_t)(k + 1);
        for (uint32_t n = 0; n < m->need_count; n++) {
            gm_failure_scope of = { .on = m->needs[n].of };
            w->counts[n * w->types + t] = of.on.len == 0 || gm_failure_scope_fits(&of, table.type);
        }
    }
}

static void sort_names(weaver *w)
{
    const gm_failure_modes *m = w->failures->modes;
    for (uint32_t n = 0; n < m->need_count; n++) {
        const gm_path_number *p = gm_failures_need_paths(w->failures, n);
        for (uint32_t i = 0; i < m->needs[n].from_count; i++) {
            bool again = p[i].name == GM_NONE;  // a relationship counts once, however often it is named
            for (uint32_t k = 0; k < i; k++) again = again || (p[k].name == p[i].name && p[k].incoming == p[i].incoming);
            if (again) continue;
            w->followers[w->follower_count] = (follower){ n, w->by_name[p[i].name], p[i].incoming };
            w->by_name[p[i].name]           = ++w->follower_count;
        }
    }
}

// ---- wants -----------------------------------------------------------------------------------------------------------------------

static void find_types(weaver *w)
{
    for (uint32_t i = 0; i < w->web->twins; i++) w->type_of[i] = GM_NONE;
    for (size_t t = 0; t < w->types; t++) {
        gm_table table = gm_state_table(w->state, t);
        for (uint32_t row = 0; row < table.rows; row++)
            if (table.twins[row] != GM_NONE) w->type_of[table.twins[row]] = (uint32_t)t;
    }
}

// A gate is what its connective says; needs that are declared for gates say nothing, as in fault trees.
static uint32_t wants_of(const weaver *w, uint32_t type)
{
    if (w->kinds[type] != GM_TREE_TWIN_NONE) return w->kinds[type] == GM_TREE_TWIN_IS_GATE;
    const gm_failure_kind *kind = w->failures->kinds[type];
    return kind != NULL ? kind->need_count : 0;
}

static void make_wants(weaver *w)
{
    gm_failure_web *web   = w->web;
    size_t          total = 0, gates = 0;
    for (uint32_t i = 0; i < web->twins; i++) {
        if (w->type_of[i] == GM_NONE) continue;
        total += wants_of(w, w->type_of[i]);
        gates += w->kinds[w->type_of[i]] == GM_TREE_TWIN_IS_GATE;
    }
    web->wants = total < UINT32_MAX / 2 ? gm_alloc_array(web->alloc, total + 1, sizeof *web->wants) : NULL;
    web->gates = gm_alloc_array(web->alloc, gates + 1, sizeof *web->gates);
    if (web->wants == NULL || web->gates == NULL) { w->refused = true; return; }
    for (uint32_t i = 0; i < web->twins; i++) {
        uint32_t type = w->type_of[i], count = type != GM_NONE ? wants_of(w, type) : 0;
        bool     gate    = count > 0 && w->kinds[type] == GM_TREE_TWIN_IS_GATE;
        w->first_want[i] = web->want_count;
        if (gate) web->gates[web->gate_count++] = web->want_count;
        for (uint32_t k = 0; k < count; k++)
            web->wants[web->want_count++] = (gm_want){ i, gate ? GM_WANT_GATE : w->failures->kinds[type]->needs[k], 0 };
    }
}

static void note(weaver *w, uint32_t twin, uint32_t want, bool negated)
{
    if (!gm_alloc_reserve(w->web->alloc, &w->feelings, &w->feeling_capacity, w->feeling_count + 1, sizeof *w->feelings)) { w->refused = true; return; }
    w->feelings[w->feeling_count++] = (feeling){ twin, want * 2 + negated };
    w->web->wants[want].suppliers++;
}

static void follow_edges(weaver *w)
{
    gm_edge  e;
    uint32_t limit = gm_state_edge_limit(w->state);
    for (uint32_t at = 0; at < limit && !w->refused; at++) {
        if (!gm_state_edge_at(w->state, at, &e)) continue;
        uint32_t name = gm_state_edge_name(w->state, e), source = gm_state_edge_source(w->state, e).v, target = gm_state_edge_target(w->state, e).v;
        bool     gate = w->kinds[w->type_of[source]] == GM_TREE_TWIN_IS_GATE;
        if (gate && name == w->input) note(w, target, w->first_want[source], gm_tree_twin_negated(w->state, e));
        for (uint32_t f = name < w->names ? w->by_name[name] : 0; f != 0; f = w->followers[f - 1].next) {
            const follower *x     = &w->followers[f - 1];
            uint32_t        needy = x->incoming ? target : source, other = x->incoming ? source : target;
            uint32_t        place = w->place[x->need * w->types + w->type_of[needy]];
            if (place == 0 || w->kinds[w->type_of[needy]] != GM_TREE_TWIN_NONE || w->counts[x->need * w->types + w->type_of[other]] == 0) continue;
            note(w, other, w->first_want[needy] + place - 1, false);
        }
    }
}

// ---- all of it -------------------------------------------------------------------------------------------------------------------

static void sort_feelings(weaver *w)
{
    gm_failure_web *web = w->web;
    web->first = gm_alloc_zeroed(web->alloc, (web->twins + (size_t)2) * sizeof *web->first);
    web->felt  = w->feeling_count < UINT32_MAX ? gm_alloc_array(web->alloc, w->feeling_count + 1, sizeof *web->felt) : NULL;
    if (web->first == NULL || web->felt == NULL) { w->refused = true; return; }
    uint32_t *next = web->first + 1;  // after filling in, next[t] is where t + 1 begins
    for (size_t i = 0; i < w->feeling_count; i++) next[w->feelings[i].twin + 1]++;
    for (uint32_t t = 1; t <= web->twins; t++) next[t] += next[t - 1];
    for (size_t i = 0; i < w->feeling_count; i++) web->felt[next[w->feelings[i].twin]++] = w->feelings[i].want;
}

static void find_starved(weaver *w)
{
    gm_failure_web         *web = w->web;
    const gm_failure_modes *m   = w->failures->modes;
    for (int turn = 0; turn < 2; turn++) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < web->want_count; i++) {
            const gm_want *want = &web->wants[i];
            if (want->need == GM_WANT_GATE || want->suppliers == 0 || want->suppliers >= m->needs[want->need].working) continue;
            if (turn == 1) web->starved[n] = i;
            n++;
        }
        if (turn == 1) { web->starved_count = n; return; }
        web->starved = gm_alloc_array(web->alloc, n + (size_t)1, sizeof *web->starved);
        if (web->starved == NULL) { w->refused = true; return; }
    }
}

static void weave(weaver *w)
{
    const gm_alloc *alloc = w->web->alloc;
    size_t          needs = w->failures->modes->need_count, follows = 0;
    for (uint32_t n = 0; n < needs; n++) follows += w->failures->modes->needs[n].from_count;
    for (uint32_t n = 0; n < needs; n++)
        for (uint32_t i = 0; i < w->failures->modes->needs[n].from_count; i++) {
            uint32_t name = gm_failures_need_paths(w->failures, n)[i].name;
            if (name != GM_NONE && name >= w->names) w->names = name + 1;
        }
    w->first_want = gm_alloc_array(alloc, w->web->twins + (size_t)1, sizeof *w->first_want);
    w->type_of    = gm_alloc_array(alloc, w->web->twins + (size_t)1, sizeof *w->type_of);
    w->place      = gm_alloc_zeroed(alloc, (needs * w->types + 1) * sizeof *w->place);
    w->counts     = gm_alloc_zeroed(alloc, needs * w->types + 1);
    w->kinds      = gm_alloc_zeroed(alloc, w->types + 1);
    w->followers  = gm_alloc_array(alloc, follows + 1, sizeof *w->followers);
    w->by_name    = gm_alloc_zeroed(alloc, (w->names + (size_t)1) * sizeof *w->by_name);
    w->refused    = w->first_want == NULL || w->type_of == NULL || w->place == NULL || w->counts == NULL || w->kinds == NULL || w->followers == NULL || w->by_name == NULL;
    if (!w->refused) sort_types(w);
    if (w->refused) return;
    sort_names(w);
    find_types(w);
    make_wants(w);
    if (!w->refused) follow_edges(w);
    if (!w->refused) sort_feelings(w);
    if (!w->refused) find_starved(w);
}

const gm_failure_web *gm_failures_web(gm_failures *failures, const gm_state *state)
{
    gm_failure_web *known = failures->web;
    if (known != NULL && known->state == state && known->edition == gm_state_edition(state)) return known;
    gm_failure_web_destroy(known);
    failures->web       = NULL;
    gm_failure_web *web = gm_alloc_zeroed(failures->alloc, sizeof *web);
    if (web == NULL) return NULL;
    web->alloc   = failures->alloc;
    web->state   = state;
    web->edition = gm_state_edition(state);
    web->twins   = gm_state_next_twin(state);
    weaver w     = { .failures = failures, .state = state, .web = web, .types = gm_state_table_count(state), .input = gm_state_name_number(state, GM_STR("input")) };
    weave(&w);
    gm_free(web->alloc, w.first_want);
    gm_free(web->alloc, w.type_of);
    gm_free(web->alloc, w.place);
    gm_free(web->alloc, w.counts);
    gm_free(web->alloc, w.kinds);
    gm_free(web->alloc, w.followers);
    gm_free(web->alloc, w.by_name);
    gm_free(web->alloc, w.feelings);
    if (w.refused) {
        gm_failure_web_destroy(web);
        return NULL;
    }
    failures->web = web;
    return web;
}
