#include "api/events/decision.h"

bool gm_decision_event_find(gm_control *control, const gm_record *record, const gm_change *change, gm_decision_event *out)
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
    default: break;
    }
    return there;
}

void gm_decision_event_write(const gm_decision_event *e, gm_buf *out)
{
    gm_buf_text(out, "{\"what\":");
    gm_buf_json_str(out, e->what);
    gm_buf_text(out, e->type == GM_EVENT_ALARM ? ",\"alarm\":" : e->type == GM_EVENT_COMMAND ? ",\"command\":" : ",\"workOrder\":");
    if (e->type == GM_EVENT_ALARM) gm_alarm_write(&e->alarm, out);
    else if (e->type == GM_EVENT_COMMAND) gm_command_write(&e->command, out);
    else gm_work_order_write(&e->order, out);
    gm_buf_byte(out, '}');
}
