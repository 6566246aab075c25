// control/rulebook.h: the files of rules/, read: what shall be done when, how commands go, and what is never allowed.
//
//   gm_rulebook_create(alloc, &book, &err);
//   gm_rulebook_add(book, GM_STR("rules/leak.rules"), text, &err);        // GM_INVALID: err names line and column
//   gm_rulebook_check(book, model, each, context);                        // against the models: what can never be
//   gm_rulebook_destroy(book);
//
// Files *.rules hold rules, watchdogs and what commands and desired values need; *.interlocks hold interlocks alone.
// Language: docs/rules.md.
#ifndef GM_CONTROL_RULEBOOK_H
#define GM_CONTROL_RULEBOOK_H

#include "control/alarms.h"
#include "control/proviso.h"
#include "control/rulebook_name.h"
#include "query/query.h"

enum { GM_STATEMENTS_MAX = 1000, GM_ACTIONS_MAX = 8, GM_RULES_TEXT_MAX = 4 << 20, GM_LOCKED_MAX = 16 };

typedef enum gm_statement_kind { GM_STATEMENT_RULE, GM_STATEMENT_WATCHDOG, GM_STATEMENT_COMMAND, GM_STATEMENT_DESIRED, GM_STATEMENT_INTERLOCK } gm_statement_kind;
typedef enum gm_do { GM_DO_ALARM, GM_DO_COMMAND, GM_DO_SET, GM_DO_WORK_ORDER, GM_DO_EVENT, GM_DO_FUTURES } gm_do;

typedef struct gm_action {
    gm_do               kind;
    gm_str              name;        // command, property, or text of an order or event
    gm_str              value;       // JSON; empty: none. Of futures: their request, an object
    double              step, limit; // SET: step != 0: moves the property by step from where it is, up or down to limit
    gm_str              twin;        // on this one; empty: see below
    gm_str              relationship;// on all that are related so; empty: the twin itself
    bool                incoming;
    gm_alarm_definition alarm;       // name and twin are filled in when it is raised
} gm_action;

typedef struct gm_statement {
    gm_statement_kind kind;
    gm_str            name, file, text;  // text: the statement's own
    uint32_t          line;
    uint64_t          hash;              // of text
    gm_query         *query;             // which twins
    gm_str            query_text, alias;
    gm_proviso     *when;              // RULE, WATCHDOG: condition. INTERLOCK: what must hold
    gm_proviso     *unless;            // RULE: suppressed while. COMMAND, DESIRED: the mode that it requires
    gm_proviso     *expect;            // COMMAND, DESIRED: the measured effect
    gm_dur_ns         on_delay, off_delay;
    gm_dur_ns         again;                      // RULE: while it is on, asked for again so often; 0: once
    double            deadband;
    gm_action         actions[GM_ACTIONS_MAX];
    size_t            action_count;
    bool              has_range, approve;
    double            low, high;
    uint32_t          rate_count;
    gm_dur_ns         rate_span, approve_within, deadline, expect_within;
    gm_str            rollback, rollback_value;   // command that undoes it, when the effect does not come
    gm_str            locked[GM_LOCKED_MAX];      // INTERLOCK: commands and properties; none: all
    size_t            locked_count;
    gm_dur_ns         fresh;                      // INTERLOCK: how old inputs may be; 0: any
    gm_str            because;
} gm_statement;

typedef struct gm_rulebook {
    const gm_alloc *alloc;
    gm_arena       *arena;
    gm_statement  **items;
    size_t          count, capacity;
} gm_rulebook;

GM_NODISCARD gm_status gm_rulebook_create(const gm_alloc *alloc, gm_rulebook **out, gm_error *err);
void                   gm_rulebook_destroy(gm_rulebook *book);  // NULL is allowed

// Adds a file's statements. After an error the book holds those before it.
GM_NODISCARD gm_status gm_rulebook_add(gm_rulebook *book, gm_str file, gm_str text, gm_error *err);

// What is wrong though it reads well: conditions on what no twin has, that contradict themselves, interlocks that name what is
// missing, commands and properties that do not exist, rules that set one another off. Calls found for each.
typedef void gm_rulebook_found(void *context, const gm_statement *statement, const char *text);
GM_NODISCARD gm_status gm_rulebook_check(const gm_rulebook *book, const gm_model *model, gm_rulebook_found *found, void *context,
                                         gm_error *err);

// Is the statement about twins of that type, as far as its query's IS_OF_MODEL says?
bool gm_statement_is_about(const gm_statement *statement, const gm_type *type);

#endif
