#include "control/maintain/request.h"

#include "control/maintain/windows.h"
#include "query/query.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static const char   WHERE[] = "control.maintain";
static const double HOUR    = 3600e9;

bool gm_maintain_is(gm_str name) { return gm_str_ends(name, GM_STR(".maintenance")); }

// What every reader needs: where texts go, and whose members these are.
typedef struct reader { gm_arena *arena; gm_str name; gm_error *err; } reader;

static gm_status wrong(const reader *r, const char *member, const char *what)
{
    return gm_fail(r->err, GM_INVALID, WHERE, "maintenance '" GM_STR_FMT "': \"%.60s\": %s", GM_STR_ARG(gm_str_slice(r->name, 0, 60)), member, what);
}

static gm_status no_memory(const reader *r) { return gm_fail(r->err, GM_NOMEM, WHERE, "reading maintenance"); }

static gm_status known(const reader *r, json_t *object, const char *of, const char *const *members)
{
    const char *name;
    json_t     *value;
    if (!json_is_object(object)) return wrong(r, of, "an object is expected");
    json_object_foreach(object, name, value) {
        bool found = false;
        for (size_t i = 0; members[i] != NULL && !found; i++) found = strcmp(name, members[i]) == 0;
        if (!found) return wrong(r, name, "there is no such member here");
    }
    return GM_OK;
}

static gm_status text(const reader *r, const json_t *object, const char *member, bool needed, gm_str *out)
{
    const json_t *value = json_object_get(object, member);
    if (value == NULL && !needed) return GM_OK;
    if (!json_is_string(value) || json_string_length(value) == 0) return wrong(r, member, "a text is expected");
    *out = gm_arena_str(r->arena, (gm_str){ json_string_value(value), json_string_length(value) });
    return out->ptr != NULL ? GM_OK : no_memory(r);
}

static gm_status number(const reader *r, const json_t *object, const char *member, bool needed, double least, double *io)
{
    const json_t *value = json_object_get(object, member);
    if (value == NULL && !needed) return GM_OK;
    double given = json_number_value(value);
    if (!json_is_number(value) || !(given >= least) || given > 1e15) return wrong(r, member, least > 0 ? "a number above 0 is expected" : "a number of 0 or more is expected");
    *io = given;
    return GM_OK;
}

static gm_status count(const reader *r, const json_t *object, const char *member, uint32_t least, uint32_t most, uint32_t *io)
{
    const json_t *value = json_object_get(object, member);
    if (value == NULL) return GM_OK;
    if (!json_is_integer(value) || json_integer_value(value) < least || json_integer_value(value) > most)
        return gm_fail(r->err, GM_INVALID, WHERE, "maintenance '" GM_STR_FMT "': \"%s\" is a whole number from %u to %u", GM_STR_ARG(gm_str_slice(r->name, 0, 60)), member, least, most);
    *io = (uint32_t)json_integer_value(value);
    return GM_OK;
}

static gm_status hours(const reader *r, const json_t *object, const char *member, bool needed, double *io)
{
    const json_t *value = json_object_get(object, member);
    gm_dur_ns     ns;
    if (value == NULL && !needed) return GM_OK;
    if (!json_is_string(value) || gm_dur_parse(gm_str_of(json_string_value(value)), &ns, NULL) != GM_OK || ns <= 0)
        return wrong(r, member, "a length of time is expected, such as \"3d\"");
    *io = (double)ns / HOUR;
    return GM_OK;
}

static gm_status moment(const reader *r, const json_t *object, const char *member, gm_time_ns *out)
{
    const json_t *value = json_object_get(object, member);
    if (!json_is_string(value) || gm_time_parse(gm_str_of(json_string_value(value)), out, NULL) != GM_OK)
        return wrong(r, member, "a time is expected, such as \"2026-12-24T00:00:00Z\"");
    return GM_OK;
}

static gm_status when(const reader *r, const json_t *object, const char *member, gm_maintain_when *out)
{
    const json_t *value = json_object_get(object, member);
    if (value == NULL) return GM_OK;
    gm_str given = gm_str_of(json_is_string(value) ? json_string_value(value) : "");
    *out         = (gm_maintain_when){ .given = true };
    if (gm_time_parse(given, &out->at, NULL) == GM_OK) return GM_OK;
    out->relative = true;
    return gm_dur_parse(given, &out->after, NULL) == GM_OK ? GM_OK : wrong(r, member, "a time, or a length of time from now, is expected");
}

// A list of objects; *out_list NULL and 0 when it is not there.
static gm_status list(const reader *r, const json_t *object, const char *member, const json_t **out_list, uint32_t *out_count)
{
    *out_list  = json_object_get(object, member);
    *out_count = (uint32_t)json_array_size(*out_list);
    if (*out_list != NULL && (!json_is_array(*out_list) || json_array_size(*out_list) > GM_MAINTAIN_LIST_MAX)) return wrong(r, member, "a list of at most 64 is expected");
    return GM_OK;
}

static gm_status stretches(const reader *r, const json_t *object, const char *member, bool sized, gm_maintain_stretch **out, uint32_t *out_count)
{
    static const char *const members[] = { "from", "to", "size", NULL };
    const json_t            *items;
    gm_status                st = list(r, object, member, &items, out_count);
    *out                        = st == GM_OK ? GM_ARENA_NEW(r->arena, gm_maintain_stretch, *out_count + 1) : NULL;
    if (st == GM_OK && *out == NULL) st = no_memory(r);
    for (uint32_t i = 0; st == GM_OK && i < *out_count; i++) {
        json_t *item = json_array_get(items, i);
        st           = known(r, item, member, members);
        if (st == GM_OK) st = moment(r, item, "from", &(*out)[i].from);
        if (st == GM_OK) st = moment(r, item, "to", &(*out)[i].to);
        if (st == GM_OK && sized) st = number(r, item, "size", true, 0, &(*out)[i].size);
        if (st == GM_OK && (*out)[i].to <= (*out)[i].from) st = wrong(r, member, "\"to\" must come after \"from\"");
    }
    return st;
}

// ---- crews, stocks, groups ------------------------------------------------------------------------------------------

static gm_status read_crew(const reader *r, json_t *value, gm_maintain_crew *out)
{
    static const char *const members[] = { "size", "except", NULL };
    if (json_is_number(value)) {
        out->size = json_number_value(value);
        return out->size >= 0 ? GM_OK : wrong(r, out->name.ptr, "a crew has 0 or more");
    }
    gm_status st = known(r, value, out->name.ptr, members);
    if (st == GM_OK) st = number(r, value, "size", true, 0, &out->size);
    return st == GM_OK ? stretches(r, value, "except", true, &out->except, &out->except_count) : st;
}

static gm_status read_stock(const reader *r, json_t *value, gm_maintain_stock *out)
{
    static const char *const members[] = { "now", "arrives", NULL }, *const arrival[] = { "at", "count", NULL };
    const json_t            *items;
    if (json_is_number(value)) {
        out->now = json_number_value(value);
        return out->now >= 0 ? GM_OK : wrong(r, out->name.ptr, "a stock has 0 or more");
    }
    gm_status st = known(r, value, out->name.ptr, members);
    if (st == GM_OK) st = number(r, value, "now", true, 0, &out->now);
    if (st == GM_OK) st = list(r, value, "arrives", &items, &out->arrive_count);
    if (st != GM_OK) return st;
    out->arrives = GM_ARENA_NEW(r->arena, gm_maintain_stretch, out->arrive_count + 1);
    if (out->arrives == NULL) return no_memory(r);
    for (uint32_t i = 0; st == GM_OK && i < out->arrive_count; i++) {
        json_t *item = json_array_get(items, i);
        st           = known(r, item, "arrives", arrival);
        if (st == GM_OK) st = moment(r, item, "at", &out->arrives[i].from);
        if (st == GM_OK) st = number(r, item, "count", true, 0, &out->arrives[i].size);
    }
    return st;
}

// An object whose members have names of their own: {"bay": 2}.
static gm_status named(const reader *r, const json_t *object, const char *member, json_t **out, size_t *out_count)
{
    *out       = json_object_get(object, member);
    *out_count = json_object_size(*out);
    if (*out != NULL && (!json_is_object(*out) || *out_count > GM_WINDOWS_LIMITS_MAX)) return wrong(r, member, "an object of at most 64 names is expected");
    return GM_OK;
}

static gm_status read_limits(const reader *r, const json_t *object, gm_maintain_request *q)
{
    json_t     *crews, *stocks = NULL, *value;
    const char *name;
    size_t      crew_count = 0, stock_count = 0;
    gm_status   st = named(r, object, "crews", &crews, &crew_count);
    if (st == GM_OK) st = named(r, object, "stocks", &stocks, &stock_count);
    if (st != GM_OK) return st;
    q->crews  = GM_ARENA_NEW(r->arena, gm_maintain_crew, crew_count + 1);
    q->stocks = GM_ARENA_NEW(r->arena, gm_maintain_stock, stock_count + 1);
    if (q->crews == NULL || q->stocks == NULL) return no_memory(r);
    json_object_foreach(crews, name, value) {
        gm_maintain_crew *crew = &q->crews[q->crew_count++];
        crew->name             = gm_arena_str(r->arena, gm_str_of(name));
        if (crew->name.ptr == NULL) return no_memory(r);
        st = read_crew(r, value, crew);
        if (st != GM_OK) return st;
    }
    json_object_foreach(stocks, name, value) {
        gm_maintain_stock *stock = &q->stocks[q->stock_count++];
        stock->name              = gm_arena_str(r->arena, gm_str_of(name));
        if (stock->name.ptr == NULL) return no_memory(r);
        st = read_stock(r, value, stock);
        if (st != GM_OK) return st;
    }
    return GM_OK;
}

static gm_status read_groups(const reader *r, const json_t *object, gm_maintain_request *q)
{
    static const char *const members[] = { "name", "of", "out", NULL };
    const json_t            *items;
    gm_status                st = list(r, object, "redundancy", &items, &q->group_count);
    if (st != GM_OK) return st;
    q->groups = GM_ARENA_NEW(r->arena, gm_maintain_group, q->group_count + 1);
    if (q->groups == NULL) return no_memory(r);
    for (uint32_t i = 0; st == GM_OK && i < q->group_count; i++) {
        json_t            *item = json_array_get(items, i);
        gm_maintain_group *g    = &q->groups[i];
        g->out                  = 1;
        st                      = known(r, item, "redundancy", members);
        if (st == GM_OK) st = text(r, item, "name", true, &g->name);
        if (st == GM_OK) st = text(r, item, "of", true, &g->of);
        if (st == GM_OK) st = count(r, item, "out", 0, 100000, &g->out);
    }
    return st;
}

// ---- kinds of assets ------------------------------------------------------------------------------------------------

static uint32_t find_name(const void *first, size_t size, uint32_t n, const char *name)
{
    for (uint32_t i = 0; i < n; i++) {
        // Both crews and stocks begin with their name.
        const gm_str *own = (const gm_str *)(const void *)((const char *)first + i * size);
        if (gm_str_is(*own, name)) return i;
    }
    return UINT32_MAX;
}

static gm_status read_needs(const reader *r, const json_t *object, const char *member, const char *unknown, const void *first, size_t size, uint32_t n,
                            gm_maintain_need **out, uint32_t *out_count)
{
    json_t     *needs = NULL, *value;
    const char *name;
    size_t      room;
    gm_status   st = named(r, object, member, &needs, &room);
    if (st != GM_OK) return st;
    *out = GM_ARENA_NEW(r->arena, gm_maintain_need, room + 1);
    if (*out == NULL) return no_memory(r);
    json_object_foreach(needs, name, value) {
        gm_maintain_need *need = &(*out)[(*out_count)++];
        need->of               = find_name(first, size, n, name);
        need->amount           = json_number_value(value);
        if (need->of == UINT32_MAX) return wrong(r, name, unknown);
        if (!json_is_number(value) || !(need->amount > 0) || need->amount > 1e9) return wrong(r, name, "a number above 0 is expected");
    }
    return GM_OK;
}

static gm_status read_life(const reader *r, const json_t *object, gm_maintain_kind *k)
{
    static const char *const members[] = { "mean", "shape", "age", NULL };
    json_t                  *life      = json_object_get(object, "life");
    gm_status                st        = known(r, life, "life", members);
    k->life.shape                      = 1;
    if (st == GM_OK) st = number(r, life, "mean", true, 1e-9, &k->life.mean);
    if (st == GM_OK) st = number(r, life, "shape", false, 1e-9, &k->life.shape);
    if (st == GM_OK && (k->life.shape < 0.1 || k->life.shape > 100)) st = wrong(r, "shape", "a number from 0.1 to 100 is expected (above 1: it wears)");
    return st == GM_OK ? text(r, life, "age", false, &k->age) : st;
}

static gm_status read_prediction(const reader *r, const json_t *object, gm_maintain_kind *k)
{
    static const char *const members[] = { "low", "rul", "high", "atMost", "elapses", NULL };
    json_t                  *p         = json_object_get(object, "prediction");
    k->at_most                         = INFINITY;
    if (p == NULL) return GM_OK;
    gm_status st = known(r, p, "prediction", members);
    if (st == GM_OK) st = text(r, p, "rul", false, &k->rul);
    if (st == GM_OK) st = text(r, p, "low", k->rul.len > 0, &k->low);
    if (st == GM_OK) st = text(r, p, "high", k->rul.len > 0, &k->high);
    if (st == GM_OK) st = number(r, p, "atMost", false, 1e-9, &k->at_most);
    const json_t *elapses = json_object_get(p, "elapses");
    if (st == GM_OK && elapses != NULL && !json_is_boolean(elapses)) st = wrong(r, "elapses", "true or false is expected");
    k->elapses = json_is_true(elapses);
    return st;
}

static gm_status read_failure(const reader *r, const json_t *object, gm_maintain_kind *k)
{
    static const char *const members[] = { "cost", "lasts", NULL };
    json_t                  *failure   = json_object_get(object, "failure");
    gm_status                st        = known(r, failure, "failure", members);
    k->failure_lasts_h                 = k->lasts_h;
    k->failure_stated                  = json_object_get(failure, "cost") != NULL;
    if (st == GM_OK && json_is_string(json_object_get(failure, "cost"))) st = text(r, failure, "cost", true, &k->failure_cost_of);
    else if (st == GM_OK) st = number(r, failure, "cost", false, 0, &k->failure_cost);
    return st == GM_OK ? hours(r, failure, "lasts", false, &k->failure_lasts_h) : st;
}

static gm_status read_kind(const reader *r, json_t *object, const gm_maintain_request *q, gm_maintain_kind *k)
{
    static const char *const members[] = { "of", "work", "cycle", "life", "prediction", "lasts", "cost", "failure", "interval", "needs", "parts", "earliest", "latest", NULL };
    gm_status                st        = known(r, object, "assets", members);
    k->cycle_h                         = 1;
    k->lasts_h                         = q->window_h;
    if (st == GM_OK) st = text(r, object, "of", true, &k->of);
    if (st == GM_OK) st = text(r, object, "work", true, &k->work);
    if (st == GM_OK) st = hours(r, object, "cycle", false, &k->cycle_h);
    if (st == GM_OK) st = hours(r, object, "lasts", false, &k->lasts_h);
    if (st == GM_OK) st = number(r, object, "cost", true, 1e-9, &k->cost);
    if (st == GM_OK) st = number(r, object, "interval", false, 1e-9, &k->interval);
    if (st == GM_OK) st = read_life(r, object, k);
    if (st == GM_OK) st = read_prediction(r, object, k);
    if (st == GM_OK) st = read_failure(r, object, k);
    if (st == GM_OK) st = read_needs(r, object, "needs", "no crew has this name", q->crews, sizeof *q->crews, q->crew_count, &k->crews, &k->crew_count);
    if (st == GM_OK) st = read_needs(r, object, "parts", "no stock has this name", q->stocks, sizeof *q->stocks, q->stock_count, &k->parts, &k->part_count);
    if (st == GM_OK) st = when(r, object, "earliest", &k->earliest);
    if (st == GM_OK) st = when(r, object, "latest", &k->latest);
    if (st == GM_OK && k->lasts_h > q->horizon_h) st = wrong(r, "lasts", "it lasts longer than the horizon");
    return st;
}

static gm_status read_kinds(const reader *r, const json_t *object, gm_maintain_request *q)
{
    const json_t *items;
    gm_status     st = list(r, object, "assets", &items, &q->kind_count);
    if (st != GM_OK) return st;
    if (q->kind_count == 0) return wrong(r, "assets", "a list of what is to be looked after is expected");
    q->kinds = GM_ARENA_NEW(r->arena, gm_maintain_kind, q->kind_count);
    if (q->kinds == NULL) return no_memory(r);
    for (uint32_t i = 0; st == GM_OK && i < q->kind_count; i++) st = read_kind(r, json_array_get(items, i), q, &q->kinds[i]);
    return st;
}

// ---- an entry -------------------------------------------------------------------------------------------------------

static gm_status read_lengths(const reader *r, const json_t *object, gm_maintain_request *q)
{
    double    limit_h = 10.0 / 3600;
    gm_status st      = hours(r, object, "horizon", true, &q->horizon_h);
    if (st == GM_OK) st = hours(r, object, "window", true, &q->window_h);
    if (st == GM_OK) st = hours(r, object, "timeLimit", false, &limit_h);
    if (st == GM_OK) st = number(r, object, "gap", false, 0, &q->gap);
    if (st != GM_OK) return st;
    q->seconds = limit_h * 3600;
    if (q->horizon_h < q->window_h || q->horizon_h / q->window_h > GM_WINDOWS_MAX) return wrong(r, "horizon", "no shorter than \"window\", and at most 1000 times as long");
    if (q->seconds < 0.1 || q->seconds > GM_MAINTAIN_SECONDS_MAX) return wrong(r, "timeLimit", "0.1 s to 10 min are possible");
    return q->gap < 1 ? GM_OK : wrong(r, "gap", "a share is expected, such as 0.01");
}

static gm_status read_compare(const reader *r, const json_t *object, gm_maintain_request *q)
{
    static const char *const members[] = { "horizon", "lanes", "seed", NULL };
    json_t                  *compare   = json_object_get(object, "compare");
    if (compare == NULL) return GM_OK;
    gm_status st = known(r, compare, "compare", members);
    if (st == GM_OK) st = hours(r, compare, "horizon", false, &q->compare_h);
    if (st == GM_OK) st = count(r, compare, "lanes", 0, 100000, &q->lanes);
    return st == GM_OK ? count(r, compare, "seed", 0, UINT32_MAX, &q->seed) : st;
}

// Where they are left out, a failure must say itself what it costs.
static gm_status read_modes(const reader *r, const json_t *object, gm_maintain_request *q)
{
    const json_t *modes = json_object_get(object, "modes");
    if (modes != NULL && !json_is_boolean(modes)) return wrong(r, "modes", "true or false is expected: does it count what stops with an asset (rules/*.modes)?");
    q->modes = modes == NULL || json_is_true(modes);
    for (uint32_t i = 0; i < q->kind_count && !q->modes; i++)
        if (!q->kinds[i].failure_stated) return wrong(r, "cost", "what a failure costs is needed in \"failure\" where \"modes\" is false");
    return GM_OK;
}

static gm_status read_entry(gm_arena *arena, json_t *object, gm_maintain_request *q, gm_error *err)
{
    static const char *const members[] = { "name", "horizon", "window", "crews", "stocks", "redundancy", "outages", "assets", "compare", "timeLimit", "gap", "modes", NULL };
    reader                   r         = { .arena = arena, .name = GM_STR("?"), .err = err };
    *q                                 = (gm_maintain_request){ .lanes = 1000, .seed = 1, .gap = 0.001, .modes = true };
    if (!json_is_object(object)) return gm_fail(err, GM_INVALID, WHERE, "an entry is an object with \"name\", \"horizon\", \"window\" and \"assets\"");
    gm_status st = text(&r, object, "name", true, &q->name);
    if (st != GM_OK) return st;
    r.name = q->name;
    st     = known(&r, object, "maintenance", members);
    if (st == GM_OK) st = read_lengths(&r, object, q);
    if (st == GM_OK) st = read_limits(&r, object, q);
    if (st == GM_OK) st = read_groups(&r, object, q);
    if (st == GM_OK) st = stretches(&r, object, "outages", false, &q->outages, &q->outage_count);
    if (st == GM_OK) st = read_kinds(&r, object, q);
    if (st == GM_OK) st = read_modes(&r, object, q);
    return st == GM_OK ? read_compare(&r, object, q) : st;
}

gm_status gm_maintain_read(gm_arena *arena, gm_str file, gm_maintain_request *out, uint32_t *io_count, gm_error *err)
{
    json_error_t  why;
    json_t       *document = json_loadb(file.ptr, file.len, JSON_REJECT_DUPLICATES, &why);
    const json_t *entries  = json_object_get(document, "maintenance");
    gm_status     st       = GM_OK;
    if (document == NULL) {
        st = gm_fail(err, GM_INVALID, WHERE, "%s", why.text);
        if (err != NULL) err->line = why.line > 0 ? (uint32_t)why.line : 1, err->column = why.column > 0 ? (uint32_t)why.column : 1;
    } else if (!json_is_array(entries) || json_object_size(document) != 1) {
        st = gm_fail(err, GM_INVALID, WHERE, "an object with a list \"maintenance\" is expected");
    }
    for (size_t i = 0; st == GM_OK && i < json_array_size(entries); i++) {
        if (*io_count == GM_MAINTAIN_MAX) st = gm_fail(err, GM_LIMIT, WHERE, "a plant has at most %d entries of maintenance", GM_MAINTAIN_MAX);
        else st = read_entry(arena, json_array_get(entries, i), &out[*io_count], err);
        for (uint32_t k = 0; st == GM_OK && k < *io_count; k++)
            if (gm_str_eq(out[k].name, out[*io_count].name)) st = gm_fail(err, GM_INVALID, WHERE, "two entries of maintenance are called '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(out[k].name, 0, 60)));
        if (st == GM_OK) ++*io_count;
    }
    json_decref(document);
    return st;
}

static gm_status check_query(const gm_alloc *alloc, const gm_maintain_request *q, gm_str of, gm_error *err)
{
    gm_query *query = NULL;
    gm_error  why   = { 0 };
    gm_status st    = gm_query_prepare(alloc, of, &query, &why);
    gm_query_destroy(query);
    if (st == GM_OK || st == GM_NOMEM) return st;
    return gm_fail(err, GM_INVALID, WHERE, "maintenance '" GM_STR_FMT "': \"of\": %.120s", GM_STR_ARG(gm_str_slice(q->name, 0, 40)), why.text);
}

gm_status gm_maintain_check(const gm_alloc *alloc, const gm_maintain_request *q, gm_error *err)
{
    gm_status st = GM_OK;
    for (uint32_t i = 0; st == GM_OK && i < q->kind_count; i++) st = check_query(alloc, q, q->kinds[i].of, err);
    for (uint32_t i = 0; st == GM_OK && i < q->group_count; i++) st = check_query(alloc, q, q->groups[i].of, err);
    return st;
}
