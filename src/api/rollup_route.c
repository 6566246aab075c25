// GET /v1/rollups: what systems amount to, from their parts.
#include "api/live.h"
#include "api/routes.h"
#include "rollup/rollups.h"

#include <math.h>
#include <stdio.h>

enum { LIMIT_MOST = 10000 };

static void add_number(gm_buf *out, const char *key, double value)
{
    gm_buf_printf(out, ",\"%s\":", key);
    gm_buf_json_number(out, value);
}

// In which its value is counted: the unit that the property's model declares; of an intensity, of both.
static void write_unit(const gm_model *model, const gm_rollup_definition *d, gm_buf *out)
{
    bool   none  = d->function == GM_ROLLUP_WORST || d->function == GM_ROLLUP_K_OF_N || d->function == GM_ROLLUP_OEE;
    gm_str first = none ? (gm_str){ "", 0 } : gm_rollup_symbol(d, model, 0);
    if (d->function != GM_ROLLUP_INTENSITY) {
        if (first.len > 0) gm_live_member(out, "unit", first);
        return;
    }
    gm_str per = gm_rollup_symbol(d, model, 1);
    char   both[80];
    snprintf(both, sizeof both, GM_STR_FMT " per " GM_STR_FMT, GM_STR_ARG(gm_str_slice(first, 0, 30)), GM_STR_ARG(gm_str_slice(per, 0, 30)));
    if (first.len > 0 && per.len > 0) gm_live_member(out, "unit", gm_str_of(both));
}

static void write_result(const gm_model *model, const gm_state *state, const gm_rollup_definition *d, gm_twin twin, const gm_rollup_result *r, gm_buf *out)
{
    gm_buf_text(out, "{\"name\":");
    gm_buf_json_str(out, d->name);
    gm_live_member(out, "function", gm_str_of(gm_rollup_function_name(d->function)));
    if (gm_twin_ok(twin)) gm_live_member(out, "twin", gm_state_id(state, twin));
    if (d->function == GM_ROLLUP_WORST && r->state.len > 0) gm_live_member(out, "value", r->state);
    else if (d->function == GM_ROLLUP_WORST) gm_buf_text(out, ",\"value\":null");
    else if (d->function == GM_ROLLUP_K_OF_N && !isnan(r->value)) gm_buf_printf(out, ",\"value\":%s", r->value > 0 ? "true" : "false");
    else add_number(out, "value", r->value);
    write_unit(model, d, out);
    gm_buf_printf(out, ",\"members\":%llu,\"missing\":%llu", (unsigned long long)r->count, (unsigned long long)r->missing);
    if (d->function == GM_ROLLUP_K_OF_N)  // spare: how many more may fail
        gm_buf_printf(out, ",\"working\":%llu,\"needed\":%u,\"spare\":%lld", (unsigned long long)r->working, d->k, (long long)r->working - (long long)d->k);
    if (d->function == GM_ROLLUP_OEE) {
        add_number(out, "availability", r->availability);
        add_number(out, "performance", r->performance);
        add_number(out, "quality", r->quality);
    }
    gm_buf_byte(out, '}');
}

typedef struct answer {
    gm_request      *request;
    size_t           i;        // the roll-up at hand
    gm_rollup_scope *scope;    // of who is kept to some twins; NULL: he may see all
    uint64_t         limit;
    size_t           written, outside;  // outside: systems of which he may not be told
    gm_status        st;
} answer;

static bool is_system(const answer *a, gm_twin twin)
{
    gm_twin  found;
    gm_error err = { 0 };
    return gm_rollups_next(a->request->api->options.rollups, a->i, twin.v, &found, &err) == GM_OK && found.v == twin.v;
}

// What can not be read stands where its value would, so that one loop does not hide all that is sound.
static gm_status write_one(answer *a, gm_twin twin)
{
    gm_request                 *request = a->request;
    gm_rollups                 *rollups = request->api->options.rollups;
    const gm_rollup_definition *d       = gm_rollups_definition(rollups, a->i);
    gm_buf                     *out     = &request->out;
    gm_rollup_result            r;
    gm_error                    err = { 0 };
    if (a->scope != NULL && !gm_rollup_scope_shows(a->scope, twin)) {
        bool system = !gm_twin_ok(twin) || (gm_api_sees(request, twin) && is_system(a, twin));
        a->outside += system;
        return system ? GM_OK : GM_NOTFOUND;
    }
    gm_status st = gm_rollups_read(rollups, a->i, twin, &r, &err);
    if (st == GM_NOTFOUND || st == GM_NOMEM) return st;
    if (a->written++ > 0) gm_buf_byte(out, ',');
    if (st == GM_OK) {
        write_result(gm_api_model(request), gm_api_state(request), d, twin, &r, out);
        return GM_OK;
    }
    gm_buf_text(out, "{\"name\":");
    gm_buf_json_str(out, d->name);
    if (gm_twin_ok(twin)) gm_live_member(out, "twin", gm_state_id(gm_api_state(request), twin));
    gm_live_member(out, "trouble", gm_str_of(err.text));
    gm_buf_byte(out, '}');
    return GM_OK;
}

static bool write_below(void *context, gm_twin system)
{
    answer *a = context;
    if (a->written >= a->limit) a->st = GM_LIMIT;
    else a->st = write_one(a, system);
    if (a->st == GM_NOTFOUND) a->st = GM_OK;
    return a->st == GM_OK;
}

// Of one system, and with below of those among its members.
static gm_status write_system(answer *a, gm_twin twin, bool below)
{
    gm_error  err = { 0 };
    gm_status st  = write_one(a, twin);
    if (st != GM_OK || !below) return st;
    a->st = GM_OK;
    st    = gm_rollups_below(a->request->api->options.rollups, a->i, twin, write_below, a, &err);
    return st != GM_OK ? st : a->st;
}

// Of all systems from `from` on.
static gm_status write_systems(answer *a, uint64_t *from)
{
    gm_rollups *rollups = a->request->api->options.rollups;
    gm_error    err     = { 0 };
    gm_status   st      = GM_OK;
    for (gm_twin at = { 0 }; st == GM_OK && gm_twin_ok(at);) {
        st = gm_rollups_next(rollups, a->i, (uint32_t)*from, &at, &err);
        if (st != GM_OK || !gm_twin_ok(at)) break;
        *from = at.v;
        if (a->written >= a->limit) return GM_LIMIT;
        st = write_one(a, at);
        if (st == GM_NOTFOUND) st = GM_OK;
        *from = at.v + (uint64_t)1;
    }
    return st;
}

typedef struct wish { gm_str name; gm_twin twin; bool one, below, plant; uint64_t from; } wish;  // plant: only what is about the whole of it

// One roll-up. GM_LIMIT: w->from is where to go on.
static gm_status write_rollup(answer *a, wish *w, uint64_t *from)
{
    gm_rollups *rollups = a->request->api->options.rollups;
    bool        scoped  = gm_principal_scoped(a->request->principal);
    a->scope            = scoped ? gm_rollup_scope_open(rollups, a->i, gm_api_fence(a->request)) : NULL;
    if (scoped && a->scope == NULL) return GM_NOMEM;
    gm_status st;
    bool whole = gm_rollups_definition(rollups, a->i)->relationship.len == 0;
    if (w->plant && !whole) st = GM_OK;
    else if (whole) st = w->one || *from > 0 ? GM_NOTFOUND : write_one(a, (gm_twin){ GM_NONE });
    else st = w->one ? write_system(a, w->twin, w->below) : write_systems(a, from);
    gm_rollup_scope_close(a->scope);
    a->scope = NULL;
    return st;
}

// False: replied.
static bool read_wish(gm_request *request, wish *w, uint64_t *limit)
{
    gm_str id = { 0 }, below = { 0 }, plant = { 0 };
    *w = (wish){ .twin = { GM_NONE } };
    if (!gm_request_number(request, "limit", 1, LIMIT_MOST, 1000, limit) || !gm_request_number(request, "from", 0, UINT32_MAX - 1, 0, &w->from) ||
        !gm_request_parameter(request, "name", &w->name) || !gm_request_parameter(request, "twin", &id) || !gm_request_parameter(request, "below", &below) ||
        !gm_request_parameter(request, "plant", &plant)) return false;
    w->one   = id.ptr != NULL;
    w->below = gm_str_is(below, "true");
    w->plant = gm_str_is(plant, "true");
    if (w->below && !w->one) {
        gm_reply_error(request, 400, "ValidationFailed", "\"below\" goes with a \"twin\"");
        return false;
    }
    if (w->name.ptr == NULL && w->from > 0) {
        gm_reply_error(request, 400, "ValidationFailed", "\"from\" goes with the name of one roll-up");
        return false;
    }
    if (w->one) w->twin = gm_api_find(request, id);
    if (w->one && !gm_twin_ok(w->twin)) gm_api_no_twin(request, id);
    return !w->one || gm_twin_ok(w->twin);
}

void gm_route_rollups(gm_request *request)
{
    gm_rollups *rollups = request->api->options.rollups;
    size_t      first = 0, count = rollups != NULL ? gm_rollups_count(rollups) : 0;
    gm_status   st = GM_OK;
    answer      a  = { .request = request };
    wish        w;
    if (!read_wish(request, &w, &a.limit)) return;
    if (w.name.ptr != NULL) {
        if (count == 0 || !gm_rollups_find(rollups, w.name, &first)) {
            gm_reply_error(request, 404, "RollupNotFound", "there is no roll-up '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(w.name, 0, 80)));
            return;
        }
        count = first + 1;
    }
    gm_buf_text(&request->out, "{\"items\":[");
    uint64_t from = w.from;
    for (a.i = first; a.i < count && st != GM_NOMEM && st != GM_LIMIT; a.i++) {
        uint64_t at = w.from;
        st = write_rollup(&a, &w, &at);
        if (st == GM_LIMIT) from = at;
    }
    if (st == GM_NOMEM) {
        gm_buf_clear(&request->out);
        gm_reply_error(request, 503, "ServiceUnavailable", "out of memory");
        return;
    }
    if (a.outside > 0 && w.name.ptr != NULL && w.one && a.written == 0) {
        gm_buf_clear(&request->out);
        gm_reply_error(request, 403, "AuthorizationFailed", "What this system amounts to is made of twins that are not yours to see, too.");
        return;
    }
    gm_buf_byte(&request->out, ']');
    if (st == GM_LIMIT && w.name.ptr != NULL && !w.one) gm_buf_printf(&request->out, ",\"next\":%llu", (unsigned long long)from);
    else if (st == GM_LIMIT) gm_buf_text(&request->out, ",\"more\":true");
    if (w.plant) gm_buf_printf(&request->out, ",\"declared\":%zu", count - first);
    if (a.outside > 0) gm_buf_printf(&request->out, ",\"outside\":%zu", a.outside);
    gm_buf_byte(&request->out, '}');
    gm_reply_json(request, 200);
}
