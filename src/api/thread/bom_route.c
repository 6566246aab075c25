// /v1/bom: bills of materials, where a part is used, what it adds up to, where effectivity has gaps.
#include "api/routes.h"
#include "api/thread/life.h"
#include "thread/bom.h"

static bool read_options(gm_request *request, gm_str *out_id, gm_bom_options *o)
{
    gm_life_times times;
    gm_str        installed, alternates, ever;
    uint64_t      levels;
    *o = (gm_bom_options){ .phase = GM_PHASE_COUNT };
    if (!gm_life_id(request, out_id) || !gm_life_read_times(request, &times) || !gm_life_read_phase(request, "phase", &o->phase) ||
        !gm_request_parameter(request, "serial", &o->serial) || !gm_request_parameter(request, "installed", &installed) ||
        !gm_request_parameter(request, "alternates", &alternates) || !gm_request_parameter(request, "ever", &ever) || !gm_request_number(request, "levels", 0, 1000, 0, &levels)) return false;
    o->valid      = times.valid;
    o->known      = times.known;
    o->installed  = gm_str_is(installed, "true");
    o->alternates = gm_str_is(alternates, "true");
    o->ever       = gm_str_is(ever, "true");
    o->levels     = (uint32_t)levels;
    return true;
}

static void number(gm_buf *out, const char *name, double value)
{
    gm_buf_printf(out, ",\"%s\":", name);
    gm_buf_json_number(out, value);
}

static void text(gm_buf *out, const char *name, gm_str value)
{
    if (value.len == 0) return;
    gm_buf_printf(out, ",\"%s\":", name);
    gm_buf_json_str(out, value);
}

typedef struct listing { gm_request *request; size_t count; } listing;

static bool write_row(void *context, const gm_bom_row *row)
{
    listing *l   = context;
    gm_buf  *out = &l->request->out;
    char     time[GM_TIME_TEXT];
    if (!gm_life_sees(l->request, row->assembly) || !gm_life_sees(l->request, row->part)) return true;
    gm_buf_printf(out, "%s{\"level\":%u", l->count++ > 0 ? "," : "", row->level);
    text(out, "position", row->position);
    text(out, "variant", row->variant);
    text(out, "part", row->part);
    text(out, "assembly", row->assembly);
    number(out, "quantity", row->quantity);
    number(out, "total", row->total);
    text(out, "unit", row->fact->value.unit);
    if (row->alternate) gm_buf_text(out, ",\"alternate\":true");
    if (row->fact->value.more.len > 0) gm_buf_printf(out, ",\"more\":" GM_STR_FMT, GM_STR_ARG(row->fact->value.more));
    if (row->fact->from >= GM_TIME_MIN && gm_time_format(row->fact->from, time) > 0) text(out, "from", gm_str_of(time));
    if (row->fact->to <= GM_TIME_MAX && gm_time_format(row->fact->to, time) > 0) text(out, "to", gm_str_of(time));
    gm_buf_printf(out, ",\"phase\":\"%s\"}", gm_phase_name(row->fact->phase));
    return !out->failed;
}

static void list(gm_request *request, gm_status (*walk)(const gm_thread *, gm_str, const gm_bom_options *, gm_bom_each *, void *, gm_error *))
{
    gm_str         id;
    gm_bom_options o;
    gm_error       err = { 0 };
    listing        l   = { .request = request };
    if (!read_options(request, &id, &o)) return;
    if (o.ever && (walk != gm_bom_show || o.installed)) {
        gm_reply_error(request, 400, "InvalidArgument", "'ever' is for the rows of a bill of materials.");
        return;
    }
    gm_buf_text(&request->out, "{\"of\":");
    gm_buf_json_str(&request->out, id);
    gm_buf_text(&request->out, ",\"items\":[");
    gm_status st = walk(gm_life_thread(request), id, &o, write_row, &l, &err);
    if (st != GM_OK) {
        gm_buf_clear(&request->out);
        gm_reply_failure(request, st == GM_LIMIT ? GM_INVALID : st, &err);
        return;
    }
    gm_buf_text(&request->out, "]}");
    gm_reply_json(request, 200);
}

void gm_route_bom(gm_request *request) { list(request, gm_bom_show); }
void gm_route_bom_where_used(gm_request *request) { list(request, gm_bom_where_used); }

static bool all_seen(void *context, const gm_bom_row *row)
{
    listing *l = context;
    l->count += !gm_life_sees(l->request, row->part);
    return l->count == 0;
}

// A sum over parts that he must not see would tell of them.
static bool sees_all(gm_request *request, gm_str id, const gm_bom_options *o)
{
    listing  l   = { .request = request };
    gm_error err = { 0 };
    if (!gm_principal_scoped(request->principal)) return true;
    if (gm_bom_show(gm_life_thread(request), id, o, all_seen, &l, &err) == GM_OK && l.count == 0) return true;
    gm_reply_error(request, 403, "AuthorizationFailed", "The bill of materials holds parts that are not yours to see.");
    return false;
}

void gm_route_bom_rollup(gm_request *request)
{
    gm_str         id, key;
    gm_bom_options o;
    gm_bom_sum     sum;
    gm_error       err = { 0 };
    if (!read_options(request, &id, &o) || !gm_request_parameter(request, "key", &key)) return;
    if (!sees_all(request, id, &o)) return;
    gm_status st = gm_bom_rollup(gm_life_thread(request), id, key, &o, &sum, &err);
    if (st != GM_OK) {
        gm_reply_failure(request, st == GM_LIMIT ? GM_INVALID : st, &err);
        return;
    }
    gm_buf *out = &request->out;
    gm_buf_text(out, "{\"of\":");
    gm_buf_json_str(out, id);
    text(out, "key", key);
    number(out, "total", sum.total);
    text(out, "unit", gm_str_of(sum.unit));
    if (sum.has_declared) number(out, "declared", sum.declared);
    gm_buf_printf(out, ",\"parts\":%u,\"missingCount\":%u,\"missing\":[", sum.parts, sum.missing_count);
    for (uint32_t i = 0, n = 0; i < sum.missing_count && i < GM_BOM_MISSING_MAX; i++) {
        if (!gm_life_sees(request, sum.missing[i])) continue;
        gm_buf_text(out, n++ > 0 ? "," : "");
        gm_buf_json_str(out, sum.missing[i]);
    }
    gm_buf_text(out, "]}");
    gm_reply_json(request, 200);
}

static bool write_gap(void *context, const gm_bom_gap *gap)
{
    listing *l   = context;
    gm_buf  *out = &l->request->out;
    char     time[GM_TIME_TEXT];
    gm_buf_printf(out, "%s{\"kind\":\"%s\"", l->count++ > 0 ? "," : "", gap->overlap ? "overlap" : "gap");
    text(out, "position", gap->position);
    if (gap->from >= GM_TIME_MIN && gm_time_format(gap->from, time) > 0) text(out, "from", gm_str_of(time));
    if (gap->to <= GM_TIME_MAX && gm_time_format(gap->to, time) > 0) text(out, "to", gm_str_of(time));
    if (gap->first > 0) gm_buf_printf(out, ",\"firstSerial\":%llu", (unsigned long long)gap->first);
    if (gap->last < UINT64_MAX) gm_buf_printf(out, ",\"lastSerial\":%llu", (unsigned long long)gap->last);
    gm_buf_byte(out, '}');
    return !out->failed;
}

void gm_route_bom_gaps(gm_request *request)
{
    gm_str         id;
    gm_bom_options o;
    gm_error       err = { 0 };
    listing        l   = { .request = request };
    if (!read_options(request, &id, &o)) return;
    gm_buf_text(&request->out, "{\"of\":");
    gm_buf_json_str(&request->out, id);
    gm_buf_text(&request->out, ",\"items\":[");
    gm_status st = gm_bom_gaps(gm_life_thread(request), id, &o, write_gap, &l, &err);
    if (st != GM_OK) {
        gm_buf_clear(&request->out);
        gm_reply_failure(request, st, &err);
        return;
    }
    gm_buf_text(&request->out, "]}");
    gm_reply_json(request, 200);
}
