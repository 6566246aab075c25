// The plant's side of a proposal: which assets there are, what is known of each, and which of them stand in for each other.
#include "control/maintain/consequence.h"

#include "query/query.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

static const char   WHERE[] = "control.maintain";
static const double HOUR    = 3600e9;

typedef struct gathering {
    const gm_maintain_world   *world;
    const gm_maintain_request *request;
    gm_arena                  *arena;
    gm_time_ns                 now;
    gm_maintain_case          *out;
    uint32_t                  *asset_of;  // [twins] 1 + index; 0: none
    size_t                     twins;
    uint32_t                  *life_of, *wear_of;  // [twins] 1 + index of its prediction
    const gm_insight_life     *all_lives;
} gathering;

static gm_status no_memory(gm_error *err) { return gm_fail(err, GM_NOMEM, WHERE, "gathering assets"); }

// ---- queries --------------------------------------------------------------------------------------------------------

typedef gm_status taker(void *context, gm_twin twin, gm_error *err);

// A row is a twin, or an object with one: SELECT * or SELECT T.
static const char *id_of(const json_t *row)
{
    const json_t *id = json_object_get(row, "$dtId");
    if (id != NULL) return json_string_value(id);
    void *first = json_object_iter((json_t *)(uintptr_t)row);
    return first != NULL ? json_string_value(json_object_get(json_object_iter_value(first), "$dtId")) : NULL;
}

static gm_status take_page(const gathering *g, const gm_buf *rows, gm_str of, taker *take, void *context, gm_error *err)
{
    gm_buf text = gm_buf_init(g->world->alloc);
    gm_buf_byte(&text, '[');
    gm_buf_str(&text, gm_buf_view(rows));
    gm_buf_byte(&text, ']');
    json_t   *list = text.failed ? NULL : json_loadb(gm_buf_view(&text).ptr, text.len, 0, NULL);
    gm_status st   = list != NULL ? GM_OK : no_memory(err);
    for (size_t i = 0; st == GM_OK && i < json_array_size(list); i++) {
        const char *id = id_of(json_array_get(list, i));
        if (id == NULL) st = gm_fail(err, GM_INVALID, WHERE, "the query '" GM_STR_FMT "' gives no twins; begin it with SELECT *", GM_STR_ARG(gm_str_slice(of, 0, 100)));
        else st = take(context, gm_state_find(g->world->state, gm_str_of(id)), err);
    }
    json_decref(list);
    gm_buf_finish(&text);
    return st;
}

static gm_status each_twin(const gathering *g, gm_str of, taker *take, void *context, gm_error *err)
{
    gm_query *query = NULL;
    gm_error  why   = { 0 };
    gm_buf    rows  = gm_buf_init(g->world->alloc);
    char      token[GM_QUERY_TOKEN_MAX] = "";
    gm_status st = gm_query_prepare(g->world->alloc, of, &query, &why);
    for (bool more = st == GM_OK; more;) {
        gm_query_page page = { .items_max = GM_QUERY_PAGE_MAX, .token = gm_str_of(token) };
        gm_buf_clear(&rows);
        st = gm_query_run(query, g->world->state, &page, &rows, &why);
        if (st == GM_OK) st = take_page(g, &rows, of, take, context, &why);
        more = st == GM_OK && page.next[0] != '\0';
        memcpy(token, page.next, sizeof token);
    }
    gm_query_destroy(query);
    gm_buf_finish(&rows);
    return st == GM_OK ? GM_OK : gm_fail(err, st == GM_NOTFOUND ? GM_INVALID : st, WHERE, "maintenance '" GM_STR_FMT "': %.140s", GM_STR_ARG(gm_str_slice(g->request->name, 0, 40)), why.text);
}

// ---- what is known of an asset --------------------------------------------------------------------------------------

static bool value_of(const gathering *g, gm_twin twin, gm_str property, double *out, gm_time_ns *out_at)
{
    const gm_type *type   = gm_state_type(g->world->state, twin);
    uint32_t       column = property.len > 0 ? gm_type_column_index(type, property) : GM_NO_COLUMN;
    gm_cell        cell;
    if (column == GM_NO_COLUMN) return false;
    gm_state_get(g->world->state, twin, column, &cell);
    if (cell.value.kind != GM_KIND_DOUBLE && cell.value.kind != GM_KIND_INT) return false;
    *out = cell.value.kind == GM_KIND_INT ? (double)cell.value.i : cell.value.d;
    if (out_at != NULL) *out_at = cell.source;
    return isfinite(*out);
}

static gm_life hours_of(const gm_maintain_kind *k) { return (gm_life){ k->life.mean * k->cycle_h, k->life.shape }; }

static bool from_properties(const gathering *g, gm_twin twin, gm_maintain_asset *a)
{
    static const double     p[3] = { 0.05, 0.5, 0.95 };
    const gm_maintain_kind *k    = a->kind;
    double                  t[3];
    if (k->rul.len == 0) return false;
    if (!value_of(g, twin, k->low, &t[0], NULL) || !value_of(g, twin, k->rul, &t[1], &a->at) || !value_of(g, twin, k->high, &t[2], NULL)) return false;
    for (int i = 0; i < 3; i++) t[i] = fmax(0, t[i]) * k->cycle_h;
    gm_life life = hours_of(k);
    a->source    = GM_MAINTAIN_PROPERTIES;
    (void)gm_lifetime_of_quantiles(&a->left, p, t, 3, k->at_most * k->cycle_h, &life, a->age_h);
    return true;
}

static bool from_model(const gathering *g, gm_twin twin, bool aged, gm_maintain_asset *a)
{
    double                  p[GM_RUL_QUANTILES], t[GM_RUL_QUANTILES];
    const gm_maintain_kind *k = a->kind;
    if (g->life_of[twin.v] == 0) return false;
    const gm_insight_life *l = &g->all_lives[g->life_of[twin.v] - 1];
    for (int i = 0; i < GM_RUL_QUANTILES; i++) {
        p[i] = 0.05 * (i + 1);
        t[i] = fmax(0, l->predicted.quantiles[i]) * k->cycle_h;
    }
    // A prediction at the model's cap says "at least"; the health index is the prediction as a share of it.
    double  cap  = l->predicted.health > 0 ? l->predicted.rul / l->predicted.health : INFINITY;
    gm_life life = hours_of(k);
    if (!aged) a->age_h = (double)l->rows * k->cycle_h;
    a->source = GM_MAINTAIN_MODEL;
    a->at     = l->at;
    a->model  = gm_arena_str(g->arena, l->detector);
    (void)gm_lifetime_of_quantiles(&a->left, p, t, GM_RUL_QUANTILES, fmin(k->at_most, 0.999 * cap) * k->cycle_h, &life, a->age_h);
    return true;
}

static bool from_wear(const gathering *g, gm_twin twin, gm_maintain_asset *a)
{
    static const double p[2 * GM_RUL_LEVELS + 1] = { 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975 };
    double              t[2 * GM_RUL_LEVELS + 1];
    if (g->wear_of[twin.v] == 0) return false;
    gm_wear_view v = gm_wears_at(g->world->wears, g->wear_of[twin.v] - 1);
    if (v.at == 0) return false;
    for (int l = 0; l < GM_RUL_LEVELS; l++) {
        t[GM_RUL_LEVELS - 1 - l] = v.low[l];
        t[GM_RUL_LEVELS + 1 + l] = v.high[l];
    }
    t[GM_RUL_LEVELS] = v.rul;
    gm_life life     = hours_of(a->kind);
    a->source        = GM_MAINTAIN_WEAR;
    a->at            = v.at;
    a->model         = gm_arena_str(g->arena, v.name);
    (void)gm_lifetime_of_quantiles(&a->left, p, t, 2 * GM_RUL_LEVELS + 1, v.horizon, &life, a->age_h);
    return true;
}

static void predict(const gathering *g, gm_twin twin, gm_maintain_asset *a)
{
    const gm_maintain_kind *k = a->kind;
    double                  age;
    bool                    aged = value_of(g, twin, k->age, &age, NULL);
    gm_life                 life = hours_of(k);
    a->age_h                     = aged ? fmax(0, age) * k->cycle_h : 0;
    bool predicted = from_model(g, twin, aged, a) || from_wear(g, twin, a) || from_properties(g, twin, a);
    if (!predicted) a->left = gm_lifetime_of_age(&life, a->age_h);
    // Hours of a wear that was computed go by on the clock; cycles of what stands still do not.
    if (predicted && (k->elapses || a->source == GM_MAINTAIN_WEAR) && g->now > a->at) gm_lifetime_survive(&a->left, (double)(g->now - a->at) / HOUR);
}

// ---- assets and groups ----------------------------------------------------------------------------------------------

typedef struct kind_taking { gathering *g; const gm_maintain_kind *kind; } kind_taking;

static gm_status take_asset(void *context, gm_twin twin, gm_error *err)
{
    const kind_taking *t = context;
    gathering         *g = t->g;
    if (!gm_twin_ok(twin)) return GM_OK;
    gm_str id = gm_state_id(g->world->state, twin);
    if (g->asset_of[twin.v] != 0) {
        const gm_maintain_asset *known = &g->out->assets[g->asset_of[twin.v] - 1];
        if (known->kind == t->kind) return GM_OK;  // a query may give a twin twice
        return gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "' belongs to two entries of \"assets\"", GM_STR_ARG(gm_str_slice(id, 0, 60)));
    }
    if (g->out->asset_count == GM_WINDOWS_JOBS_MAX) return gm_fail(err, GM_LIMIT, WHERE, "more than %d assets; narrow the query", GM_WINDOWS_JOBS_MAX);
    gm_maintain_asset *a = &g->out->assets[g->out->asset_count];
    *a                   = (gm_maintain_asset){ .id = gm_arena_str(g->arena, id), .twin = twin, .kind = t->kind, .planned_cost = t->kind->cost, .failure_cost = t->kind->failure_cost };
    if (a->id.ptr == NULL) return no_memory(err);
    gm_str from = t->kind->failure_cost_of;
    if (from.len > 0 && (!value_of(g, twin, from, &a->failure_cost, NULL) || a->failure_cost < 0))
        return gm_fail(err, GM_INVALID, WHERE, "'" GM_STR_FMT "' has no number of 0 or more in '" GM_STR_FMT "', which is to be the cost of its failure", GM_STR_ARG(gm_str_slice(id, 0, 60)),
                       GM_STR_ARG(gm_str_slice(from, 0, 40)));
    predict(g, twin, a);
    g->asset_of[twin.v] = ++g->out->asset_count;
    return GM_OK;
}

typedef struct group_taking { gathering *g; uint32_t *members; uint32_t count; bool *taken; } group_taking;

static gm_status take_member(void *context, gm_twin twin, gm_error *err)
{
    group_taking *t = context;
    (void)err;
    uint32_t index = gm_twin_ok(twin) ? t->g->asset_of[twin.v] : 0;
    if (index == 0 || t->taken[index - 1]) return GM_OK;  // what is not looked after here is not taken out either
    t->taken[index - 1]   = true;
    t->members[t->count++] = index - 1;
    return GM_OK;
}

static gm_status gather_groups(gathering *g, gm_error *err)
{
    const gm_maintain_request *q = g->request;
    g->out->groups = GM_ARENA_NEW(g->arena, gm_window_group, q->group_count + 1);
    if (g->out->groups == NULL) return no_memory(err);
    for (uint32_t i = 0; i < q->group_count; i++) {
        group_taking t = { g, GM_ARENA_NEW(g->arena, uint32_t, g->out->asset_count + 1), 0, GM_ARENA_NEW(g->arena, bool, g->out->asset_count + 1) };
        if (t.members == NULL || t.taken == NULL) return no_memory(err);
        gm_status st = each_twin(g, q->groups[i].of, take_member, &t, err);
        if (st != GM_OK) return st;
        g->out->groups[g->out->group_count++] = (gm_window_group){ q->groups[i].name, t.members, t.count, q->groups[i].out };
    }
    return GM_OK;
}

// Predictions by twin. A twin with several keeps the one that fears most: the list begins with those.
static void index_predictions(gathering *g)
{
    size_t count = g->world->insight != NULL ? gm_insight_lives(g->world->insight, &g->all_lives) : 0;
    for (size_t i = count; i-- > 0;)
        if (g->all_lives[i].twin.v < g->twins) g->life_of[g->all_lives[i].twin.v] = (uint32_t)i + 1;
    uint32_t wears = g->world->wears != NULL ? gm_wears_count(g->world->wears) : 0;
    for (uint32_t i = wears; i-- > 0;) {
        gm_twin twin = gm_wears_at(g->world->wears, i).twin;
        if (gm_twin_ok(twin) && twin.v < g->twins) g->wear_of[twin.v] = i + 1;
    }
}

static gm_time_ns round_up(gm_time_ns time, gm_dur_ns to) { return (time + to - 1) / to * to; }

gm_status gm_maintain_gather(const gm_maintain_world *world, const gm_maintain_request *request, gm_arena *arena, gm_time_ns now, gm_maintain_case *out, gm_error *err)
{
    gathering g = { .world = world, .request = request, .arena = arena, .now = now, .out = out, .twins = gm_state_next_twin(world->state) };
    gm_dur_ns window = (gm_dur_ns)(request->window_h * HOUR);
    // Windows of whole days begin at midnight, whatever day it is.
    *out = (gm_maintain_case){ .request = request, .now = now, .first = round_up(now, window % GM_DAY == 0 ? GM_DAY : window),
                               .windows = (uint32_t)floor(request->horizon_h / request->window_h + 1e-9) };
    if (out->first + (gm_dur_ns)(request->horizon_h * HOUR) > GM_TIME_MAX || now < GM_TIME_MIN) return gm_fail(err, GM_INVALID, WHERE, "the horizon ends after the year 2200");
    gm_mark mark = gm_arena_mark(arena);
    out->assets  = GM_ARENA_NEW(arena, gm_maintain_asset, GM_WINDOWS_JOBS_MAX);
    g.asset_of   = gm_alloc_zeroed(world->alloc, 3 * (g.twins + 1) * sizeof *g.asset_of);
    if (out->assets == NULL || g.asset_of == NULL) {
        gm_arena_rewind(arena, mark);
        gm_free(world->alloc, g.asset_of);
        return no_memory(err);
    }
    g.life_of = g.asset_of + g.twins + 1;
    g.wear_of = g.life_of + g.twins + 1;
    index_predictions(&g);
    gm_status st = GM_OK;
    for (uint32_t k = 0; st == GM_OK && k < request->kind_count; k++) {
        kind_taking t = { &g, &request->kinds[k] };
        st            = each_twin(&g, request->kinds[k].of, take_asset, &t, err);
    }
    if (st == GM_OK) st = gather_groups(&g, err);
    if (st == GM_OK) st = gm_maintain_consequences(world, arena, out, err);
    gm_free(world->alloc, g.asset_of);
    return st;
}

gm_time_ns gm_maintain_window(const gm_maintain_case *c, uint32_t v) { return c->first + (gm_dur_ns)((double)v * c->request->window_h * HOUR); }
