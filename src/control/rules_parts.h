// control/rules_parts.h: rules at work, for their files.
#ifndef GM_CONTROL_RULES_PARTS_H
#define GM_CONTROL_RULES_PARTS_H

#include "control/rules.h"

#define GM_ANY_COLUMN UINT32_MAX

typedef enum gm_phase { GM_PHASE_OFF, GM_PHASE_RISING, GM_PHASE_ON, GM_PHASE_FALLING } gm_phase;

typedef struct gm_instance {
    const gm_statement *rule;      // NULL: free
    uint32_t            statement; // number in the book
    uint32_t            twin, next_of_twin;  // those of one twin are a list
    uint32_t            watches;   // list through same_next
    gm_phase            phase;
    bool                suppressed;
    gm_time_ns          since, begun;
    gm_time_ns          again;     // ON: when it asks again
    uint64_t            firings;
    gm_memory          *when, *unless;
    gm_time_ns          wake;      // INT64_MAX: never
    gm_time_ns          queued;    // the heap holds it for this time; INT64_MAX: it does not
} gm_instance;

typedef struct gm_rule_watch {   // a twin's column that an instance reads
    uint32_t instance, twin, column, next, same_next;
} gm_rule_watch;

typedef struct gm_firing {
    uint32_t instance;        // GM_NONE: it is gone
    gm_str   rule, twin;      // copied, one allocation
    char    *memory;
    uint64_t number, sequence;
    gm_time_ns at;
    gm_turn  turn;
    uint32_t todo;            // actions without a decision yet
    bool     acted;           // in this run
    uint8_t  tries;
    uint64_t submitted;       // what was, when it was acted upon: its decisions are among it, or are lost
} gm_firing;

typedef struct gm_due { gm_time_ns at; uint32_t instance; } gm_due;

struct gm_rules {
    gm_rules_options options;
    const gm_alloc  *alloc;
    gm_rulebook     *book;
    uint8_t         *about;          // [statement * about_types + type]: 0 not looked at, 1 no, 2 yes
    size_t           about_types;
    bool            *by_property;    // [statement] its query looks at properties
    gm_instance     *instances;
    size_t           instance_count, instance_capacity;
    uint32_t         free_instance;  // through next_of_twin
    uint64_t         live;
    gm_rule_watch      *watches;
    size_t           watch_count, watch_capacity;
    uint32_t         free_watch;
    uint32_t        *twin_watches, *twin_instances;  // [twins] first of the list; GM_NONE
    size_t           twins;
    gm_due          *heap;
    size_t           heap_count, heap_capacity;
    gm_firing       *firings;
    size_t           firing_count, firing_capacity;
    gm_time_ns       now;            // of the record at hand
    gm_time_ns       until;          // up to when what was due is being done
    uint64_t         sequence;
    gm_timer        *timer;
    gm_time_ns       timer_at;
    bool             started, acting;
    gm_rules_stats   stats;
};

// ---- rules_index.c: which instances there are, and which change concerns them
gm_status gm_rules_add_instance(gm_rules *rules, uint32_t statement, gm_twin twin, gm_error *err);
void      gm_rules_drop_instance(gm_rules *rules, uint32_t instance);
void      gm_rules_drop_all(gm_rules *rules);
void      gm_rules_rewatch(gm_rules *rules, uint32_t instance);           // after relationships changed
gm_status gm_rules_sort_twin(gm_rules *rules, gm_twin twin, bool properties_only, gm_error *err);  // adds and drops as queries say
gm_status gm_rules_scan(gm_rules *rules, gm_error *err);                  // all twins
bool      gm_rules_reserve_twins(gm_rules *rules, size_t twins);

// ---- rules.c
void gm_rules_evaluate(gm_rules *rules, uint32_t instance, gm_time_ns now);
void gm_rules_precede(gm_rules *rules, const gm_record *record, const gm_change *change);  // one that will be applied
void gm_rules_follow(gm_rules *rules, const gm_record *record, const gm_change *change);   // and has been

void gm_rules_run_due(gm_rules *rules, gm_time_ns now);                                   // everything that was due up to now
void gm_rules_queue(gm_rules *rules, uint32_t instance);
void gm_rules_fire(gm_rules *rules, uint32_t instance, gm_turn turn, gm_time_ns at);

// ---- rules_again.c
uint32_t gm_rules_lacking(const gm_rules *rules, const gm_statement *rule, gm_twin twin);  // a bit for each action whose effect is not there
void     gm_rules_do_again(gm_rules *rules, uint32_t instance, gm_time_ns now);            // when it is time; sets the instance's wake

static inline const gm_state *gm_rules_state(const gm_rules *rules)
{
    return rules->options.state != NULL ? rules->options.state : gm_engine_state(rules->options.engine);
}
static inline const gm_engine *gm_rules_history(const gm_rules *rules)
{
    return rules->options.history != NULL ? rules->options.history : rules->options.engine;
}

#endif
