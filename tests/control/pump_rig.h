// tests/control/pump_rig.h: a pump with commands, interlocks, a watchdog and a rule, for tests of what control does to it.
#ifndef GM_TESTS_PUMP_RIG_H
#define GM_TESTS_PUMP_RIG_H

#include "control/control_rig.h"

#define PUMPS "on twins (SELECT * FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, 'dtmi:t:Pump;1')) "
#define PUMP  "{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"}}"

// p1 has a pressure of 3 and does not turn. Rules: commands run (0 to 10, answered within 5 s, verified by rotation within 30 s,
// else stop) and drain (needs approval), rule over (pressure > 8: stop), watchdog dead (no rotation for 1 min: speed 0); run is
// interlocked by a fresh pressure above 1.
void        pump_begin(control_rig *r);
gm_status   pump_ask_as(control_rig *r, const char *name, bool set, const char *value, const char *who);  // its id: r->last
gm_status   pump_ask(control_rig *r, const char *name, const char *value);                                // by anna
const char *pump_state(control_rig *r, const char *id);
size_t      pump_sent(control_rig *r, const char *text);  // how many messages that hold the text
bool        pump_answer(control_rig *r, const char *name, const char *id, const char *payload);  // false: nobody waited for it

#endif
