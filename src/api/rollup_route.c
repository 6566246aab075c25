// GET /v1/rollups: what systems amount to, from their parts.
#include "api/live.h"
#include "api/routes.h"
#include "rollup/rollups.h"

#include <math.h>

enum { LIMIT_MOST = 10000 };

static void add_number(gm_buf *out, const char *key, double value)
{
    gm_buf_printf(out, ",\"%s\":", key);
    gm_buf_json_number(out, value);
}

static void write_result(const gm_state *state, const gm_rollup_definition *d, gm_twin twin, const gm_rollup_result *r, gm_buf *out)
{
    gm_buf_text(out, "{\"name\":");
    gm_buf_json_str(out, d->name);
    gm_live_member(out, "function", gm_str_of(gm_rollup_function_name(d->function)));
    if (gm_twin_ok(twin)) gm_live_member(out, "twin", gm_state_id(state, twin));
    if (d->function == GM_ROLLUP_WORST && r->state.len > 0) gm_live_member(out, "value", r->state);
    else if (d->function == GM_ROLLUP_WORST) gm_buf_text(out, ",\"value\":null");
    else if (d->function == GM_ROLLUP_K_OF_N && !isnan(r->value)) gm_buf_printf(out, ",\"value\":%s", r->value > 0 ? "true" : "false");
    else add_number(out, "value", r->value);
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

// What can not be read stands where its value would, so that one loop does not hide all that is sound.
static gm_status write_one(gm_request *request, size_t i, gm_twin twin, size_t *written)
{
    gm_rollups                 *rollups = request->api->options.rollups;
    const gm_rollup_definition *d       = gm_rollups_definition(rollups, i);
    gm_buf                     *out     = &request->out;
    gm_rollup_result            r;
    gm_error                    err = { 0 };
    gm_status                   st  = gm_rollups_read(rollups, i, twin, &r, &err);
    if (st == GM_NOTFOUND || st == GM_NOMEM) return st;
    if ((*written)++ > 0) gm_buf_byte(out, ',');
    if (st == GM_OK) {
        write_result(gm_api_state(request), d, twin, &r, out);
        return GM_OK;
    }
    gm_buf_text(out, "{\"name\":");
    gm_buf_json_str(out, d->name);
    if (gm_twin_ok(twin)) gm_live_member(out, "twin", gm_state_id(gm_api_state(request), twin));
    gm_live_member(out, "trouble", gm_str_of(err.text));
    gm_buf_byte(out, '}');
    return GM_OK;
}

// One roll-up: of one twin, or of all systems from `from` on.
static gm_status write_rollup(gm_request *request, size_t i, const gm_twin *only, uint64_t *from, uint64_t limit, size_t *written)
{
    gm_rollups *rollups = request->api->options.rollups;
    gm_error    err     = { 0 };
    if (gm_rollups_definition(rollups, i)->relationship.len == 0) return only != NULL || *from > 0 ? GM_NOTFOUND : write_one(request, i, (gm_twin){ GM_NONE }, written);
    if (only != NULL) return write_one(request, i, *only, written);
    gm_status st = GM_OK;
    for (gm_twin at = { 0 }; st == GM_OK && gm_twin_ok(at);) {
        st = gm_rollups_next(rollups, i, (uint32_t)*from, &at, &err);
        if (st != GM_OK || !gm_twin_ok(at)) break;
        *from = at.v;
        if (*written >= limit) return GM_LIMIT;
        st = write_one(request, i, at, written);
        if (st == GM_NOTFOUND) st = GM_OK;
        *from = at.v + (uint64_t)1;
    }
    return st;
}

void gm_route_rollups(gm_request *request)
{
    gm_rollups *rollups = request->api->options.rollups;
    gm_str      name = { 0 }, id = { 0 };
    gm_twin     twin = { GM_NONE };
    uint64_t    limit, from;
    size_t      written = 0, first = 0, count = rollups != NULL ? gm_rollups_count(rollups) : 0;
    gm_status   st = GM_OK;
    if (!gm_request_number(request, "limit", 1, LIMIT_MOST, 1000, &limit)) return;
    if (!gm_request_number(request, "from", 0, UINT32_MAX - 1, 0, &from)) return;
    if (!gm_request_parameter(request, "name", &name) || !gm_request_parameter(request, "twin", &id)) return;
    if (name.ptr != NULL) {
        if (count == 0 || !gm_rollups_find(rollups, name, &first)) {
            gm_reply_error(request, 404, "RollupNotFound", "there is no roll-up '" GM_STR_FMT "'", GM_STR_ARG(gm_str_slice(name, 0, 80)));
            return;
        }
        count = first + 1;
    } else if (from > 0) {
        gm_reply_error(request, 400, "ValidationFailed", "\"from\" goes with the name of one roll-up");
        return;
    }
    if (id.ptr != NULL) twin = gm_api_find(request, id);
    if (id.ptr != NULL && !gm_twin_ok(twin)) {
        gm_api_no_twin(request, id);
        return;
    }
    gm_buf_text(&request->out, "{\"items\":[");
    for (size_t i = first; i < count && st != GM_NOMEM && st != GM_LIMIT; i++) {
        uint64_t at = from;
        st = write_rollup(request, i, id.ptr != NULL ? &twin : NULL, &at, limit, &written);
        if (st == GM_LIMIT) from = at;
    }
    if (st == GM_NOMEM) {
        gm_buf_clear(&request->out);
        gm_reply_error(request, 503, "ServiceUnavailable", "out of memory");
        return;
    }
    gm_buf_byte(&request->out, ']');
    if (st == GM_LIMIT && name.ptr != NULL) gm_buf_printf(&request->out, ",\"next\":%llu", (unsigned long long)from);
    else if (st == GM_LIMIT) gm_buf_text(&request->out, ",\"more\":true");
    gm_buf_byte(&request->out, '}');
    gm_reply_json(request, 200);
}
