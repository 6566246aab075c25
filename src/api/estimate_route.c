// GET /v1/estimates: where it really is, as far as the measurements tell.
#include "api/documents.h"
#include "api/live.h"
#include "api/routes.h"
#include "base/number.h"
#include "insight/live/estimates.h"

#include <math.h>

void gm_api_write_estimate(void *context, gm_twin twin, uint32_t column, gm_buf *out)
{
    const gm_request    *request = context;
    const gm_estimates  *all     = request->api->options.estimates;
    gm_estimator_reading r;
    char                 digits[GM_NUMBER_TEXT];
    if (all == NULL || !gm_estimates_reading(all, twin, column, &r) || !isfinite(r.estimate.mean) || !(r.estimate.deviation > 0)) return;
    gm_number_write(r.estimate.mean, digits);
    gm_buf_printf(out, ",\"estimate\":{\"value\":%s", digits);
    gm_live_number(out, "deviation", r.estimate.deviation);
    if (r.seen) {
        gm_live_number(out, "innovation", r.innovation);
        gm_live_number(out, "expected", r.expected);
    }
    gm_buf_byte(out, '}');
}

typedef struct asked { gm_request *request; gm_twin only; bool one; } asked;  // one: only that twin

static bool shows(const asked *a, gm_twin twin)
{
    return (!a->one || twin.v == a->only.v) && gm_api_sees(a->request, twin);
}

static void begin_item(const asked *a, bool *first, gm_twin twin, gm_str name)
{
    gm_buf *out = &a->request->out;
    gm_str  id  = gm_state_id(gm_api_state(a->request), twin);
    gm_buf_text(out, *first ? "{\"twin\":" : ",{\"twin\":");
    *first = false;
    gm_buf_json_str(out, id);
    // The name without the twin before it.
    bool led = gm_str_starts(name, id) && name.len > id.len;
    gm_live_member(out, "name", led ? gm_str_slice(name, id.len + 1, name.len) : name);
}

// The properties that have it as their history.
static void write_into(gm_buf *out, const gm_str *into)
{
    static const char *const keys[GM_ESTIMATE_INTO] = { "estimate", "deviation", "innovation" };
    if (into[0].len == 0) return;
    gm_buf_text(out, ",\"into\":{");
    for (int k = 0; k < GM_ESTIMATE_INTO && into[k].len > 0; k++) {
        gm_buf_printf(out, "%s\"%s\":", k > 0 ? "," : "", keys[k]);
        gm_buf_json_str(out, into[k]);
    }
    gm_buf_byte(out, '}');
}

static bool write_variables(const asked *a, const gm_estimates_view *v)
{
    gm_buf *out   = &a->request->out;
    bool    first = true;
    gm_buf_text(out, ",\"variables\":[");
    for (uint32_t i = 0; i < v->variable_count; i++) {
        const gm_estimates_variable *x = &v->variables[i];
        if (!shows(a, x->twin)) continue;
        begin_item(a, &first, x->twin, x->name);
        gm_live_member(out, "kind", gm_str_of(gm_estimate_kind_text(x->kind)));
        gm_live_member(out, "unit", x->unit);
        write_into(out, x->into);
        gm_live_number(out, "estimate", x->value.mean);
        gm_live_number(out, "deviation", x->value.deviation);
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, ']');
    return !first;
}

static bool write_signals(const asked *a, const gm_estimates_view *v)
{
    gm_buf *out   = &a->request->out;
    bool    first = true;
    gm_buf_text(out, ",\"signals\":[");
    for (uint32_t i = 0; i < v->signal_count; i++) {
        const gm_estimates_signal *x = &v->signals[i];
        if (!shows(a, x->twin)) continue;
        begin_item(a, &first, x->twin, x->name);
        gm_live_member(out, "unit", x->unit);
        write_into(out, x->into);
        gm_live_number(out, "estimate", x->reading.estimate.mean);
        gm_live_number(out, "deviation", x->reading.estimate.deviation);
        if (x->reading.seen) {
            gm_live_time(out, "measuredAt", x->reading.at);
            gm_live_number(out, "measured", x->reading.measured);
            gm_live_number(out, "innovation", x->reading.innovation);
            gm_live_number(out, "expected", x->reading.expected);
            gm_buf_printf(out, ",\"taken\":%llu,\"refused\":%llu", (unsigned long long)x->reading.taken, (unsigned long long)x->reading.gated);
        }
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, ']');
    return !first;
}

static void write_faults(const asked *a, const gm_estimates_view *v)
{
    gm_buf *out   = &a->request->out;
    bool    first = true;
    gm_buf_text(out, ",\"faults\":[");
    for (uint32_t i = 0; i < v->fault_count; i++) {
        const gm_vigil_fault *f = &v->faults[i];
        if (!shows(a, v->fault_twins[i])) continue;
        begin_item(a, &first, v->fault_twins[i], f->name);
        bool told = v->alarm && gm_str_eq(v->told.name, f->name);
        if (told) f = &v->told;
        gm_buf_printf(out, ",\"told\":%s", told ? "true" : "false");
        if (told) gm_live_time(out, "since", f->since);
        gm_live_number(out, "severity", f->severity);
        gm_live_number(out, "deviation", f->deviation);
        gm_live_number(out, "significance", f->significance);
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, ']');
}

// They are of the group as a whole, so its root stands for them.
static void write_cases(const asked *a, const gm_estimates_view *v)
{
    gm_buf *out = &a->request->out;
    gm_twin root = gm_state_find(gm_api_state(a->request), v->root);
    gm_buf_text(out, ",\"modes\":[");
    for (uint32_t i = 0; i < v->case_count && gm_twin_ok(root) && shows(a, root); i++) {
        gm_buf_text(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        gm_buf_json_str(out, v->cases[i].name);
        gm_live_number(out, "probability", v->cases[i].probability);
        gm_buf_printf(out, ",\"told\":%s", v->cases[i].told ? "true" : "false");
        if (v->cases[i].told) gm_live_time(out, "since", v->cases[i].since);
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, ']');
}

// Nothing is left behind when the asker sees none of it.
static bool write_estimate(const asked *a, const gm_estimates_view *v, bool first)
{
    gm_buf *out  = &a->request->out;
    size_t  mark = out->len;
    gm_buf_text(out, first ? "{\"name\":" : ",{\"name\":");
    gm_buf_json_str(out, v->name);
    gm_live_member(out, "root", v->root);
    if (v->trouble[0] != '\0') gm_live_member(out, "trouble", gm_str_of(v->trouble));
    else {
        gm_live_time(out, "at", v->stats.at);
        gm_live_member(out, "filter", v->stats.ensemble ? GM_STR("ensemble") : GM_STR("unscented"));
        gm_live_member(out, "health", gm_str_of(gm_health_text(v->stats.health.state)));
        gm_live_number(out, "nis", v->stats.health.nis_mean);
        gm_buf_printf(out, ",\"moments\":%llu,\"taken\":%llu,\"refused\":%llu,\"late\":%llu,\"unusable\":%llu,\"lost\":%llu,\"restarts\":%llu",
                      (unsigned long long)v->stats.moments, (unsigned long long)v->stats.taken, (unsigned long long)v->stats.gated,
                      (unsigned long long)v->stats.late, (unsigned long long)v->stats.unusable, (unsigned long long)v->lost,
                      (unsigned long long)v->stats.restarts);
    }
    bool any = write_variables(a, v);
    any |= write_signals(a, v);
    write_faults(a, v);
    write_cases(a, v);
    gm_buf_byte(out, '}');
    if (v->trouble[0] != '\0' && !a->one && !gm_principal_scoped(a->request->principal)) any = true;
    if (!any) out->len = mark;
    return any;
}

void gm_route_estimates(gm_request *request)
{
    const gm_estimates *all  = request->api->options.estimates;
    gm_str              only = { 0 };
    if (!gm_request_parameter(request, "twin", &only)) return;
    asked a = { .request = request, .one = only.ptr != NULL, .only = only.ptr != NULL ? gm_api_find(request, only) : (gm_twin){ GM_NONE } };
    if (a.one && !gm_twin_ok(a.only)) all = NULL;
    bool first = true;
    gm_buf_text(&request->out, "{\"items\":[");
    for (uint32_t i = 0; all != NULL && i < gm_estimates_count(all); i++) {
        gm_estimates_view v = gm_estimates_at(all, i);
        if (write_estimate(&a, &v, first)) first = false;
    }
    gm_buf_text(&request->out, "]}");
    gm_reply_json(request, 200);
}
