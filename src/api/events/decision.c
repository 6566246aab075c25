#include "api/events/decision.h"

#include "control/json.h"

// The twin that a rule's decision is about, as the state knows it: the decision's own text is viewed and escaped.
static gm_str twin_of(const gm_state *state, gm_str text)
{
    json_t *decision = json_loadb(text.ptr, text.len, 0, NULL);
    gm_twin twin     = gm_state_find(state, gm_json_text(decision, "twin"));
    json_decref(decision);
    return gm_twin_ok(twin) ? gm_state_id(state, twin) : (gm_str){ 0 };
}

bool gm_decision_event_find(gm_control *control, const gm_state *state, const gm_record *record, const gm_change *change, gm_decision_event *out)
{
    gm_decision d;
    bool        there = false;
    if (control == NULL || !gm_journal_read(record, change, &d)) return false;
    *out = (gm_decision_event){ .id = d.id, .what = d.what };
    switch (d.kind) {
    case GM_CHANGE_ALARM:
        there     = gm_alarms_find(gm_control_alarms(control), d.id, &out->alarm);
        out->type = GM_EVENT_ALARM;
        out->twin = out->alarm.is.twin;
        break;
    case GM_CHANGE_COMMAND:
    case GM_CHANGE_DESIRED:
        there     = gm_commands_find(gm_control_commands(control), d.id, &out->command);
        out->type = GM_EVENT_COMMAND;
        out->twin = out->command.twin;
        break;
    case GM_CHANGE_WORK_ORDER:
        there     = gm_work_orders_find(gm_control_work_orders(control), d.id, &out->order);
        out->type = GM_EVENT_WORK_ORDER;
        out->twin = out->order.twin;
        break;
    case GM_CHANGE_RULE_DONE:
        there     = gm_str_is(d.what, "event");
        out->type = GM_EVENT_RULE;
        out->said = d.text;
        if (there) out->twin = twin_of(state, d.text);
        break;
    default: break;
    }
    return there;
}

void gm_decision_event_write(const gm_decision_event *e, gm_buf *out)
{
    gm_buf_text(out, "{\"what\":");
    gm_buf_json_str(out, e->what);
    if (e->type == GM_EVENT_RULE) {
        gm_json_member(out, "rule", e->id);
        gm_buf_printf(out, ",\"decision\":" GM_STR_FMT "}", GM_STR_ARG(e->said));
        return;
    }
    gm_buf_text(out, e->type == GM_EVENT_ALARM ? ",\"alarm\":" : e->type == GM_EVENT_COMMAND ? ",\"command\":" : ",\"workOrder\":");
    if (e->type == GM_EVENT_ALARM) gm_alarm_write(&e->alarm, out);
    else if (e->type == GM_EVENT_COMMAND) gm_command_write(&e->command, out);
    else gm_work_order_write(&e->order, out);
    gm_buf_byte(out, '}');
}
