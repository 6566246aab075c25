#include "api/failure_now.h"

#include "api/thread/life.h"
#include "control/alarms.h"
#include "control/control.h"

static gm_alarms *alarms_of(void *context)
{
    gm_request *request = context;
    return request->api->options.control != NULL ? gm_control_alarms(request->api->options.control) : NULL;
}

static bool alarm_active(void *context, gm_str rule, gm_str twin)
{
    gm_request *request = context;
    gm_alarms  *alarms  = alarms_of(context);
    gm_buf      key     = gm_buf_init(request->alloc);
    gm_alarm    alarm;
    bool        active  = alarms != NULL && gm_alarm_key(rule, twin, &key) && gm_alarms_find(alarms, gm_buf_view(&key), &alarm) && alarm.active;
    gm_buf_finish(&key);
    return active;
}

static void each_alarm(void *context, void (*each)(void *to, gm_str rule, gm_str twin), void *to)
{
    gm_alarms *alarms = alarms_of(context);
    for (size_t i = 0; alarms != NULL && i < gm_alarms_count(alarms); i++) {
        gm_alarm a = gm_alarms_at(alarms, i);
        if (a.active) each(to, a.is.name, a.is.twin);
    }
}

static bool fact_number(void *context, gm_str twin, gm_str phase, gm_str key, double *out)
{
    gm_request *request = context;
    gm_value    value;
    if (request->api->life == NULL || !gm_life_read_value(request, twin, phase, key, gm_api_now(request), INT64_MAX, &value)) return false;
    if (value.kind == GM_KIND_DOUBLE) *out = value.d;
    else if (value.kind == GM_KIND_INT) *out = (double)value.i;
    else return false;
    return true;
}

gm_failure_moment gm_api_failure_moment(gm_request *request)
{
    return (gm_failure_moment){ .state = gm_api_state(request), .now = gm_api_now(request),
                                .senses = { .alarm = alarm_active, .alarms = each_alarm, .fact = fact_number, .context = request } };
}

bool gm_api_failure_asked(gm_request *request, gm_str id, gm_twin *out_twin, gm_dur_ns *out_horizon)
{
    gm_str horizon;
    if (!gm_request_parameter(request, "horizon", &horizon)) return false;
    *out_horizon = GM_DAY;
    if (horizon.ptr != NULL && (gm_dur_parse(horizon, out_horizon, NULL) != GM_OK || *out_horizon <= 0 || *out_horizon > 36525 * GM_DAY)) {
        gm_reply_error(request, 400, "InvalidArgument", "'horizon' is a length of time up to a century, such as 24h or 30d");
        return false;
    }
    if (id.len == 0) {
        gm_reply_error(request, 400, "MissingArgument", "'twin' is needed: whose failure");
        return false;
    }
    if (request->api->options.failures == NULL) {
        gm_reply_error(request, 404, "NotFound", "no failure modes are declared");
        return false;
    }
    *out_twin = gm_api_find(request, id);
    if (!gm_twin_ok(*out_twin)) gm_api_no_twin(request, gm_str_slice(id, 0, 300));
    return gm_twin_ok(*out_twin);
}
