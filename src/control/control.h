// control/control.h: what to do. Everything that acts back on the world, put together for one plant.
//
//   gm_control_create(&options, &control, &err);   // registers folds: before gm_engine_recover
//   gm_engine_recover(...)
//   gm_control_start(control, &err);               // from here on it acts
//   gm_control_stop(control);                      // before the engine is closed
//   gm_control_destroy(control);                   // after it
//
// docs/control.md tells the whole; docs/rules.md the language of rules.
#ifndef GM_CONTROL_CONTROL_H
#define GM_CONTROL_CONTROL_H

#include "control/alarms.h"
#include "control/commands.h"
#include "control/journal.h"
#include "control/work_orders.h"

typedef struct gm_control gm_control;
typedef struct gm_rules   gm_rules;    // control/rules.h

typedef struct gm_control_file { gm_str name, text; } gm_control_file;  // of rules/, viewed

// Starts futures (docs/futures.md) as `request`, a JSON object, has it; it is viewed during the call. An error says why not.
enum { GM_CONTROL_FUTURES_ID = 40 };
typedef gm_status gm_control_futures(void *context, gm_str request, char out_id[GM_CONTROL_FUTURES_ID], gm_error *err);

typedef struct gm_control_options {
    const gm_alloc *alloc;
    const gm_clock *clock;
    gm_loop        *loop;
    gm_engine      *engine;
    gm_send        *send;    // publishes to devices; NULL: nothing leaves
    gm_control_futures *futures;  // NULL: rules can start none
    void           *context;
    const struct gm_query_facts *facts;  // what conditions read of $rollup; NULL: nothing. Borrowed, may be filled in after creation
    gm_str          relationships;  // that lead from a twin to those under it, separated by commas; "*": all. Copied
} gm_control_options;

GM_NODISCARD gm_status gm_control_create(const gm_control_options *options, gm_control **out, gm_error *err);
GM_NODISCARD gm_status gm_control_start(gm_control *control, gm_error *err);
void                   gm_control_stop(gm_control *control);     // NULL is allowed, as below
void                   gm_control_destroy(gm_control *control);

// Puts the files' rules in force, through the log, unless they are already. After gm_control_start; at any time again.
// GM_INVALID: a file does not read; err has its line and column, *out_file its number; the rules from before stay.
GM_NODISCARD gm_status gm_control_set_rules(gm_control *control, const gm_control_file *files, size_t count, size_t *out_file, gm_error *err);

gm_rules   *gm_control_rules(gm_control *control);
bool        gm_control_asks_rollup(const gm_control *control, gm_str name);  // does any rule, interlock or expectation?
const struct gm_query_facts *gm_control_facts(const gm_control *control);  // as it was given
// Is it a topic of commands or desired values of a twin that interlocks are about? Nothing but control may publish there.
bool gm_control_guards(const gm_control *control, gm_str topic);
// A message that came in: an answer of a device, perhaps.
void gm_control_hear(gm_control *control, gm_str topic, gm_str payload);

gm_arming  *gm_control_arming(gm_control *control);
gm_commands *gm_control_commands(gm_control *control);
gm_work_orders *gm_control_work_orders(gm_control *control);
gm_alarms  *gm_control_alarms(gm_control *control);
gm_journal *gm_control_journal(gm_control *control);
gm_str      gm_control_relationships(const gm_control *control);

#endif
