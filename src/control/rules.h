// control/rules.h: rules at work: each rule on each twin that it is about, evaluated as changes are committed.
//
//   gm_rules_create(&options, &rules, &err);     // follows the engine: before gm_engine_recover
//   gm_rules_install(rules, book, at, sequence, &err);  // another set of rules (taken); those that did not change go on
//   gm_rules_start(rules);                       // from here on firings act
//
//   OFF --true--> RISING --on_delay--> ON --false--> FALLING --off_delay--> OFF
//
// Exactly once: whether a rule has fired is a fold of the log like everything else, with the log's own times, at recovery
// as live. A firing has a number; the decisions that follow from it carry (rule, twin, firing, action), and recovery does what
// no decision in the log says has been done.
// Cost: a change of a column that no rule looks at costs one look into an array. Engine thread.
#ifndef GM_CONTROL_RULES_H
#define GM_CONTROL_RULES_H

#include "control/rulebook.h"

enum { GM_INSTANCES_MAX = 200000, GM_FIRINGS_KEPT = 1000 };

typedef enum gm_turn { GM_TURN_ON, GM_TURN_OFF, GM_TURN_SUPPRESS, GM_TURN_UNSUPPRESS, GM_TURN_AGAIN } gm_turn;
const char *gm_turn_name(gm_turn turn);  // "on", "off", "suppress", "unsuppress", "again"

// Does an action of a rule: must leave a decision whose cause is `cause` (members of a JSON object without braces).
typedef void gm_rules_act(void *context, const gm_statement *rule, const gm_action *action, gm_str twin, gm_turn turn, gm_str cause);

// A rule began or ended on a twin (of a dry run).
typedef void gm_rules_fired(void *context, const gm_statement *rule, gm_str twin, gm_turn turn, gm_time_ns at);

typedef struct gm_rules_options {
    const gm_alloc *alloc;
    const gm_clock *clock;
    gm_loop        *loop;     // NULL: time passes with changes alone
    gm_engine      *engine;
    gm_journal     *journal;
    const gm_query_facts *facts;  // what $rollup reads; NULL: nothing. Borrowed, may be filled in later
    gm_rules_act   *act;
    void           *context;
    // Of a dry run (control/dry_run.h): a state of its own in place of the engine's, and nothing is followed or done.
    const gm_state  *state;
    const gm_engine *history;
    gm_rules_fired  *fired;
} gm_rules_options;

typedef struct gm_rules gm_rules;

GM_NODISCARD gm_status gm_rules_create(const gm_rules_options *options, gm_rules **out, gm_error *err);
void                   gm_rules_destroy(gm_rules *rules);  // NULL is allowed
// at, sequence: of the decision that brought them.
GM_NODISCARD gm_status gm_rules_install(gm_rules *rules, gm_rulebook *book, gm_time_ns at, uint64_t sequence, gm_error *err);
void                   gm_rules_start(gm_rules *rules);
void                   gm_rules_stop(gm_rules *rules);

const gm_rulebook *gm_rules_book(const gm_rules *rules);  // NULL: none yet

typedef struct gm_rules_stats { uint64_t instances, watched, evaluations, firings, waiting, refused; } gm_rules_stats;
gm_rules_stats gm_rules_statistics(const gm_rules *rules);

// How a rule stands on each of its twins: calls each.
typedef struct gm_rule_status { gm_str rule, twin; const char *phase; gm_time_ns since; uint64_t firings; bool suppressed; } gm_rule_status;
void gm_rules_each(const gm_rules *rules, gm_str rule, void (*each)(void *context, const gm_rule_status *status), void *context);

// The same in numbers, for each statement of the book: out[gm_rules_book(rules)->count]. Cost: one look at each instance.
typedef struct gm_rule_tally { uint64_t twins, on, suppressed, firings; } gm_rule_tally;
void gm_rules_count(const gm_rules *rules, gm_rule_tally *out);

// Does a rule wait for the roll-up of that name?
bool gm_rules_ask_rollup(const gm_rules *rules, gm_str name);

// Is there a rule of that name at work on that twin?
bool gm_rules_has(gm_rules *rules, gm_str rule, gm_str twin);

// Acts once more where an action has left no decision although everything of then is settled: memory was refused. Live, now
// and then.
void gm_rules_retry(gm_rules *rules);

// Everything, as before the first record.
void gm_rules_forget(gm_rules *rules);

// In a checkpoint, behind the rules' text (control.c keeps that).
void      gm_rules_save(const gm_rules *rules, gm_buf *out);
GM_NODISCARD gm_status gm_rules_load(gm_rules *rules, const uint8_t *bytes, size_t size, gm_error *err);

#endif
