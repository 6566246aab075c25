#include "control/pump_rig.h"

#include <stdio.h>

static const char models[] =
    "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Pump;1\",\"@type\":\"Interface\",\"contents\":["
    "{\"@type\":\"Telemetry\",\"name\":\"pressure\",\"schema\":\"double\"},{\"@type\":\"Telemetry\",\"name\":\"rotation\",\"schema\":\"double\"},"
    "{\"@type\":\"Property\",\"name\":\"speed\",\"schema\":\"double\",\"writable\":true},{\"@type\":\"Property\",\"name\":\"serial\",\"schema\":\"string\"},"
    "{\"@type\":\"Command\",\"name\":\"run\",\"request\":{\"name\":\"speed\",\"schema\":\"double\"}},{\"@type\":\"Command\",\"name\":\"stop\"},"
    "{\"@type\":\"Command\",\"name\":\"drain\"},{\"@type\":\"Relationship\",\"name\":\"contains\"}]}]";
static const char *const files[] = {
    "rules/a.rules",
    "command run " PUMPS "range 0 to 10 rate 20 per 1 h deadline 5 s expect T.rotation >= request within 30 s rollback stop\n"
    "command drain " PUMPS "approve within 10 min\n"
    "rule over " PUMPS "when T.pressure > 8 then command stop then work order 'look at it'\n"
    "watchdog dead " PUMPS "when no data of rotation for 1 min then set speed to 0\n",
    "rules/a.interlocks", "interlock wet " PUMPS "of run permits when T.pressure > 1 fresh 20 s because 'it would run dry'\n", NULL };

void pump_begin(control_rig *r)
{
    *r = (control_rig){ .files = NULL };
    control_rig_start(r);
    control_rig_models(r, models);
    control_rig_twin(r, "p1", PUMP);
    r->files = files;
    control_rig_rules(r);
    control_rig_report(r, "p1", "pressure", 3);
    control_rig_report(r, "p1", "rotation", 0);
}

gm_status pump_ask_as(control_rig *r, const char *name, bool set, const char *value, const char *who)
{
    json_t            *json = value != NULL ? json_loads(value, JSON_DECODE_ANY, NULL) : NULL;
    gm_command_request q    = { .twin = GM_STR("p1"), .name = gm_str_of(name), .set = set, .value = json, .who = gm_str_of(who) };
    gm_status          st   = gm_commands_request(gm_control_commands(r->control), &q, (gm_ask){ 0 }, r->last, &r->err);
    json_decref(json);
    control_rig_settle(r);
    return st;
}

gm_status pump_ask(control_rig *r, const char *name, const char *value) { return pump_ask_as(r, name, false, value, "anna"); }

const char *pump_state(control_rig *r, const char *id)
{
    gm_command_view v;
    return gm_commands_find(gm_control_commands(r->control), gm_str_of(id), &v) ? gm_command_state_name(v.state) : "none";
}

size_t pump_sent(control_rig *r, const char *text)
{
    size_t n = 0;
    gm_str all = gm_buf_view(&r->sent), line;
    while (gm_str_next(&all, '\n', &line)) n += gm_str_find(line, gm_str_of(text)) != SIZE_MAX;
    return n;
}

bool pump_answer(control_rig *r, const char *name, const char *id, const char *payload)
{
    char topic[200];
    snprintf(topic, sizeof topic, "gemel/p1/commands/%s/%s/response", name, id);
    uint64_t before = gm_commands_stray(gm_control_commands(r->control));
    gm_control_hear(r->control, gm_str_of(topic), gm_str_of(payload));
    control_rig_settle(r);
    return gm_commands_stray(gm_control_commands(r->control)) == before;
}
