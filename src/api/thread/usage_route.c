// POST /v1/thread/{id}/usage: what history says a twin went through in a time becomes facts of it.
#include "api/routes.h"
#include "api/thread/life.h"
#include "base/number.h"
#include "control/json.h"
#include "engine/as_of.h"
#include "thread/usage.h"

enum { KEY_TEXT = GM_FACT_KEY_MAX + 1, FACTS = 4 };
static const char WHERE[] = "api.usage";

typedef struct asked {
    gm_twin    twin;
    uint32_t   column;
    gm_str     property, unit;
    double     above;
    gm_time_ns from, to;
    gm_usage   usage;
} asked;

static double number_of(gm_value value)
{
    return value.kind == GM_KIND_DOUBLE ? value.d : value.kind == GM_KIND_INT || value.kind == GM_KIND_BOOL ? (double)value.i : NAN;
}

static bool add(void *context, const gm_sample *sample)
{
    gm_usage_add(context, sample->at, number_of(sample->value));
    return true;
}

// What held at the beginning, then every sample until the end.
// LIMIT: reads the period in one go, some 10 ns a sample: ask month by month where a device reports a thousand times a second.
static gm_status count(gm_request *request, asked *a, gm_error *err)
{
    gm_twin_then then  = { .twin = a->twin, .id = gm_state_id(gm_api_state(request), a->twin), .type = gm_state_type(gm_api_state(request), a->twin), .until = INT64_MAX };
    gm_sample    first = { 0 };
    gm_status    st    = gm_as_of_value(request->engine, &then, a->column, a->from, &first, err);
    a->usage           = gm_usage_begin(a->above, a->from);
    if (st == GM_OK && first.value.kind != GM_KIND_NONE) gm_usage_add(&a->usage, first.at, number_of(first.value));
    if (st == GM_OK) st = gm_engine_read_history(request->engine, a->twin, a->column, a->from + 1, a->to, add, &a->usage, err);
    gm_usage_end(&a->usage, a->to);
    return st;
}

static bool read_asked(gm_request *request, asked *a, gm_error *err)
{
    const json_t *body = gm_request_json(request);
    if (body == NULL) return false;
    const json_t *above = json_object_get(body, "above");
    a->property = gm_json_text(body, "property");
    a->from     = gm_json_time(body, "from");
    a->to       = json_object_get(body, "to") != NULL ? gm_json_time(body, "to") : gm_api_now(request);
    a->twin     = gm_api_find(request, request->parameters[0]);
    a->above    = above != NULL ? json_number_value(above) : 0.0;
    if (!gm_twin_ok(a->twin)) {
        gm_api_no_twin(request, request->parameters[0]);
        return false;
    }
    const gm_type *type = gm_state_type(gm_api_state(request), a->twin);
    a->column           = gm_type_column_index(type, a->property);
    gm_kind kind        = a->column != GM_NO_COLUMN ? type->columns[a->column].kind : GM_KIND_NONE;
    if (kind != GM_KIND_DOUBLE && kind != GM_KIND_INT && kind != GM_KIND_BOOL)
        (void)!gm_fail(err, GM_INVALID, WHERE, "'property' names a number of the twin that says whether it runs");
    else if (a->from == INT64_MIN || a->to == INT64_MIN || a->from >= a->to) (void)!gm_fail(err, GM_INVALID, WHERE, "'from' and 'to' are times, one before the other");
    else if (above != NULL && !json_is_number(above)) (void)!gm_fail(err, GM_INVALID, WHERE, "'above' is a number: it runs while the property is above it");
    else {
        a->unit = type->columns[a->column].unit;
        return true;
    }
    gm_reply_failure(request, GM_INVALID, err);
    return false;
}

static void after(gm_request *request)
{
    const asked *a = request->note;
    char         mean[GM_NUMBER_TEXT], peak[GM_NUMBER_TEXT], hours[GM_NUMBER_TEXT];
    gm_number_write(a->usage.running_s / 3600, hours);
    gm_number_write(gm_usage_mean(&a->usage), mean);
    gm_number_write(a->usage.peak, peak);
    gm_buf_printf(&request->out, "{\"hours\":%s,\"starts\":%llu,\"mean\":%s,\"max\":%s,\"samples\":%llu}", hours, (unsigned long long)a->usage.starts, mean, peak,
                  (unsigned long long)a->usage.samples);
    gm_reply_json(request, 201);
}

void gm_route_thread_usage(gm_request *request)
{
    gm_error  err = { 0 };
    asked    *a   = gm_arena_zeroed(request->arena, 1, sizeof *a);
    if (a == NULL) {
        gm_reply_failure(request, GM_NOMEM, NULL);
        return;
    }
    if (!read_asked(request, a, &err)) return;
    gm_status st = count(request, a, &err);
    if (st != GM_OK) {
        gm_reply_failure(request, st, &err);
        return;
    }
    request->note  = a;
    gm_str  prop   = gm_str_slice(a->property, 0, 200);
    gm_str  mean   = gm_arena_printf(request->arena, "mean " GM_STR_FMT, GM_STR_ARG(prop)), peak = gm_arena_printf(request->arena, "max " GM_STR_FMT, GM_STR_ARG(prop));
    gm_str  cause  = gm_arena_printf(request->arena, "history of " GM_STR_FMT " above %g", GM_STR_ARG(prop), a->above);
    bool    ran    = a->usage.running_s > 0;
    gm_fact facts[FACTS] = {
        { .key = GM_STR("operating hours"), .value = { .kind = GM_FACT_NUMBER, .number = a->usage.running_s / 3600, .unit = GM_STR("h") } },
        { .key = GM_STR("starts"), .value = { .kind = GM_FACT_NUMBER, .number = (double)a->usage.starts } },
        { .key = mean, .value = { .kind = GM_FACT_NUMBER, .number = ran ? gm_usage_mean(&a->usage) : 0, .unit = a->unit } },
        { .key = peak, .value = { .kind = GM_FACT_NUMBER, .number = ran ? a->usage.peak : 0, .unit = a->unit } },
    };
    for (int i = 0; i < FACTS; i++) {
        facts[i].twin   = request->parameters[0];
        facts[i].phase  = GM_PHASE_OPERATED;
        facts[i].from   = a->from;
        facts[i].to     = a->to;
        facts[i].author = gm_principal_name(request->principal);
        facts[i].cause  = cause;
    }
    gm_ask ask = gm_request_ask(request, after);
    gm_request_submitted(request, gm_life_add(request->api->life, facts, ran ? FACTS : 2, ask, &err), &err);
}
