// tests/control/control_rig.h: an engine with control on a folder of its own, with a clock that a test moves; the process
// can be killed and started again.
#ifndef GM_TESTS_CONTROL_RIG_H
#define GM_TESTS_CONTROL_RIG_H

#include "control/control.h"
#include "query/facts.h"
#include "rollup/rollups.h"
#include "support/support.h"

typedef struct control_rig {
    char        dir[256];
    gm_clock    clock;
    gm_dur_ns   ahead;       // the clock shows this much more than the real one
    gm_dur_ns   jumped;      // of that, what only the wall clock shows
    gm_loop    *loop;
    gm_engine  *engine;
    gm_control *control;
    gm_error    err;
    gm_buf      sent;        // what control published, a line "TOPIC PAYLOAD" each
    gm_dur_ns   lifetime;    // of the last one
    char        last[GM_COMMAND_ID];  // command that was asked for last (pump_rig.h)
    const char *const *files;  // rules: name, text, name, text ... NULL
    const char *declared;      // roll-ups, recorded and read by rules; NULL: none. Before control_rig_start
    gm_rollups *rollups;
    gm_query_facts facts;
} control_rig;

void control_rig_start(control_rig *r);
void control_rig_restart(control_rig *r);   // what is not durable is lost
void control_rig_checkpoint(control_rig *r);
void control_rig_stop(control_rig *r);
void control_rig_rules(control_rig *r);     // puts r->files in force
void control_rig_settle(control_rig *r);    // everything submitted is applied, and what follows from it too
void control_rig_pass(control_rig *r, gm_dur_ns time);

void control_rig_models(control_rig *r, const char *models);
void control_rig_twin(control_rig *r, const char *id, const char *document);
void control_rig_relate(control_rig *r, const char *source, const char *name, const char *target);
void control_rig_report(control_rig *r, const char *twin, const char *path, double value);  // telemetry, measured now

#endif
