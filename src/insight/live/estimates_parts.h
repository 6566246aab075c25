// insight/live/estimates_parts.h: the fields of the estimates; for the files of insight/live only.
#ifndef GM_INSIGHT_LIVE_ESTIMATES_PARTS_H
#define GM_INSIGHT_LIVE_ESTIMATES_PARTS_H

#include "insight/live/estimates.h"

typedef struct gm_estimate_note { gm_time_ns at; uint32_t signal; double value; } gm_estimate_note;

// A twin's part in an entry. Those of one twin are a chain; what is no longer true is harmless and stays.
typedef struct gm_estimates_share { uint32_t entry, next; } gm_estimates_share;  // next: 1 + index; 0: the last

typedef struct gm_estimates_entry {
    const gm_estimate_setup *setup;
    gm_group                *group;
    gm_vigil                *vigil;       // NULL: trouble says why
    bool                     stale, told_model;
    bool                     diverged;    // the last job could not go on
    bool                     unmeasured;  // no value has a time yet: it begins with the first one that comes
    gm_time_ns               wrong_since, told_since;  // the model: it does not fit since (0: it does); what was told of it
    char                     trouble[200];
    gm_estimate_note        *inbox, *taken;
    size_t                   inbox_count, inbox_room, taken_count;
    gm_time_ns               newest;
    uint64_t                 lost;
    gm_estimates_variable   *variables;
    gm_estimates_signal     *signals;
    gm_vigil_fault          *faults;
    gm_twin                 *fault_twins;
    uint32_t                 variable_count, signal_count, fault_count;
    gm_estimator_stats       stats;
    bool                     alarm;
    gm_vigil_fault           told;
    gm_str                   told_twin;
    gm_case_view             cases[GM_ESTIMATE_CASES_MAX + 1];
    uint32_t                 case_count;
    gm_estimates_spread      spread;      // as of stats.at; its arrays are ours
    double                  *spread_means, *spread_numbers;
} gm_estimates_entry;

struct gm_estimates {
    gm_estimates_options options;
    gm_pool             *pool;
    gm_arena            *arena;
    gm_estimate_setup   *setups;
    gm_estimates_entry  *entries;
    uint32_t             count;
    uint32_t            *parts;        // [count] entries of the job
    bool                 running, scheduled, observing, ending, news;  // news: something waits for a job
    gm_buf               text;
    uint32_t            *first_share;  // [twin_room] by twin: 1 + index into shares; 0: no entry has it
    gm_estimates_share  *shares;
    size_t               twin_room, share_count, share_room;
};

// estimates_open.c: groups and filters are opened anew, parameters where they were. Engine thread, between jobs.
void gm_estimates_open_entry(gm_estimates *e, gm_estimates_entry *x);
void gm_estimates_close_entry(const gm_estimates *e, gm_estimates_entry *x);

// The shares of a twin: i = gm_estimates_first(e, twin); while (i > 0) { e->shares[i - 1].entry; i = e->shares[i - 1].next; }
static inline uint32_t gm_estimates_first(const gm_estimates *e, gm_twin twin) { return twin.v < e->twin_room ? e->first_share[twin.v] : 0; }

// estimates_show.c: takes the results over, writes them to properties, tells what has changed.
void gm_estimates_show(gm_estimates *e, gm_estimates_entry *x);
void gm_estimates_end_told(gm_estimates *e, gm_estimates_entry *x);  // what was told is over, because the estimate is

#endif
