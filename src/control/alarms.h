// control/alarms.h: what wants a person's attention, and what became of it (ANSI/ISA-18.2-2016, clause 5.2 and figure 3).
//
//   gm_alarms_create(alloc, clock, engine, journal, &alarms, &err);      // before gm_engine_recover
//   gm_alarms_raise(alarms, &definition, GM_STR("{\"rule\":\"leak\"}"));   // rules do this
//   gm_alarms_act(alarms, key, GM_ALARM_ACKNOWLEDGE, &by, ask, &err);     // people do this
//
//              raise                       acknowledge
//   NORMAL ----------> UNACKNOWLEDGED ------------------> ACKNOWLEDGED --clear--> NORMAL
//     ^                     | clear                            | clear, when it latches
//     |                     v                                  v
//     +--acknowledge-- RETURNED (unacknowledged)            LATCHED --reset--> NORMAL
//
//   beside these: SHELVED (by a person, for a limited time, with a reason), SUPPRESSED (by design), OUT_OF_SERVICE
//
// An alarm is a point: a name and a twin, "leak@main". Every transition is a decision in the journal; the list is their
// fold. Nobody needs to look at an alarm that is shelved, suppressed or out of service; all others that are active or not
// acknowledged are in every list. Engine thread.
#ifndef GM_CONTROL_ALARMS_H
#define GM_CONTROL_ALARMS_H

#include "control/journal.h"

enum {
    GM_ALARMS_MAX       = 50000,    // points; those that are normal go first
    GM_ALARM_KEY_MAX    = 512,
    GM_ALARM_TEXT_MAX   = 1000,
    GM_ALARM_FLOOD_MORE = 10,       // alarms in ten minutes that begin a flood (ISA-18.2, clause 16.4)
    GM_ALARM_FLOOD_LESS = 5         // and end it
};
#define GM_ALARM_SHELVE_MAX (7 * GM_DAY)

typedef enum gm_alarm_priority { GM_PRIORITY_LOW, GM_PRIORITY_MEDIUM, GM_PRIORITY_HIGH, GM_PRIORITY_CRITICAL, GM_PRIORITY_COUNT } gm_alarm_priority;
const char *gm_alarm_priority_name(gm_alarm_priority priority);                  // "low" ... "critical"
bool        gm_alarm_priority_of(gm_str name, gm_alarm_priority *out_priority);

typedef enum gm_alarm_state {
    GM_ALARM_NORMAL, GM_ALARM_UNACKNOWLEDGED, GM_ALARM_ACKNOWLEDGED, GM_ALARM_RETURNED, GM_ALARM_LATCHED, GM_ALARM_SHELVED,
    GM_ALARM_SUPPRESSED, GM_ALARM_OUT_OF_SERVICE, GM_ALARM_STATE_COUNT
} gm_alarm_state;
const char *gm_alarm_state_name(gm_alarm_state state);  // "normal", "unacknowledged" ... "out of service"

typedef enum gm_alarm_action {
    GM_ALARM_RAISE, GM_ALARM_CLEAR, GM_ALARM_ACKNOWLEDGE, GM_ALARM_RESET, GM_ALARM_SHELVE, GM_ALARM_UNSHELVE,
    GM_ALARM_SUPPRESS, GM_ALARM_UNSUPPRESS, GM_ALARM_REMOVE_FROM_SERVICE, GM_ALARM_RETURN_TO_SERVICE, GM_ALARM_ACTION_COUNT
} gm_alarm_action;
const char *gm_alarm_action_name(gm_alarm_action action);  // "raise" ... "return-to-service"
bool        gm_alarm_action_of(gm_str name, gm_alarm_action *out_action);

typedef struct gm_alarm_definition {  // texts viewed
    gm_str            name, twin;
    gm_alarm_priority priority;
    gm_str            text, consequence, response;  // what it says, what happens if nobody acts, what to do
    bool              latching;                     // stays until it is reset
} gm_alarm_definition;

typedef struct gm_alarm {  // viewed until the next change
    gm_str              key;
    gm_alarm_definition is;
    gm_alarm_state      state;
    bool                active;          // the condition holds
    bool                acknowledged;    // since it was raised last
    gm_time_ns          raised, changed; // last raised; last transition. GM_ABSENT: never
    gm_time_ns          shelved_until;
    gm_str              who, reason;     // of the last transition that a person made; may be empty
    gm_str              cause;           // JSON object: what raised it
    uint64_t            sequence;        // of the last transition
    uint64_t            count;           // times raised
    bool                chattering;      // three times or more within a minute
} gm_alarm;

typedef struct gm_alarms gm_alarms;

GM_NODISCARD gm_status gm_alarms_create(const gm_alloc *alloc, const gm_clock *clock, gm_engine *engine, gm_journal *journal,
                                        gm_alarms **out, gm_error *err);
void                   gm_alarms_destroy(gm_alarms *alarms);  // NULL is allowed

// "NAME@TWIN" into out; false: too long.
bool gm_alarm_key(gm_str name, gm_str twin, gm_buf *out);

// ---- rules --------------------------------------------------------------------------------------------------------
// cause: members of a JSON object without braces ("\"rule\":\"leak\",\"firing\":3"), as every decision carries it.
void gm_alarms_raise(gm_alarms *alarms, const gm_alarm_definition *definition, gm_str cause);
void gm_alarms_lower(gm_alarms *alarms, gm_str key, gm_alarm_action action, gm_str cause);  // CLEAR, SUPPRESS, UNSUPPRESS

// ---- people -------------------------------------------------------------------------------------------------------
typedef struct gm_alarm_request {
    gm_str     who, reason;
    gm_time_ns until;  // SHELVE: at most GM_ALARM_SHELVE_MAX from now
} gm_alarm_request;

// GM_NOTFOUND: no such alarm. GM_CONFLICT: not in its present state. GM_INVALID: the reason is missing or too long, the
// time is missing, past or too late; RAISE, CLEAR and (UN)SUPPRESS are not for people. GM_LIMIT, GM_IO: gm_journal_write.
GM_NODISCARD gm_status gm_alarms_act(gm_alarms *alarms, gm_str key, gm_alarm_action action, const gm_alarm_request *request,
                                     gm_ask ask, gm_error *err);

// ---- reading ------------------------------------------------------------------------------------------------------
size_t   gm_alarms_count(const gm_alarms *alarms);              // points, in the order of their first raising
gm_alarm gm_alarms_at(const gm_alarms *alarms, size_t i);
bool     gm_alarms_find(const gm_alarms *alarms, gm_str key, gm_alarm *out);
bool     gm_alarm_wants_attention(const gm_alarm *alarm);       // in every list
void     gm_alarm_write(const gm_alarm *alarm, gm_buf *out);    // as a JSON object

// Ends what has run out of time; called once a second.
void gm_alarms_tick(gm_alarms *alarms);

typedef struct gm_alarm_metrics {  // ISA-18.2, clause 16
    uint64_t  states[GM_ALARM_STATE_COUNT], active[GM_PRIORITY_COUNT];
    uint64_t  raised_10min, raised_hour, raised_day, raised_total;
    uint64_t  peak_10min;      // most in ten minutes, within a day
    uint64_t  standing;        // active for more than 24 hours
    uint64_t  chattering;
    bool      flood;           // now
    gm_dur_ns flood_time;      // in floods within the last day
    gm_dur_ns span;            // how much of the last day is known
} gm_alarm_metrics;
gm_alarm_metrics gm_alarms_measure(gm_alarms *alarms, gm_time_ns now);

#endif
