// api/events/decision.h: decisions of control as events: an alarm, a command or a work order as it stands behind the decision, and
// what rules say.
//
//   if (gm_decision_event_find(control, state, record, change, &event)) gm_decision_event_write(&event, &data);
//
// {"what": "raise", "alarm": {...}}, {"what": "sent", "command": {...}}, {"what": "open", "workOrder": {...}},
// {"what": "event", "rule": "leak", "decision": {"text", "twin", "cause"}}. Engine thread.
#ifndef GM_API_EVENTS_DECISION_H
#define GM_API_EVENTS_DECISION_H

#include "api/events/filter.h"
#include "base/buf.h"
#include "control/control.h"

typedef struct gm_decision_event {  // viewed until the next change
    gm_event_type   type;
    gm_str          id, what, twin;
    gm_alarm        alarm;
    gm_command_view command;
    gm_work_order   order;
    gm_str          said;   // of a rule: the decision, a JSON object
} gm_decision_event;

// False: the change is no decision that is an event, or what it was about is not kept any more. control may be NULL.
bool gm_decision_event_find(gm_control *control, const gm_state *state, const gm_record *record, const gm_change *change, gm_decision_event *out);
void gm_decision_event_write(const gm_decision_event *event, gm_buf *out);

#endif
