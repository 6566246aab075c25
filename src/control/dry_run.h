// control/dry_run.h: when rules would have fired: the same code that runs live, over a past that is played back.
//
//   gm_dry_run_create(&options, &run, &err);                 // twins and relationships of `to`, with the values of `from`
//   do st = gm_dry_run_step(run, 20000, &done, &err); while (st == GM_OK && !done);
//   gm_dry_run_destroy(run);
//
// Samples are played back in the order of their source times, which also stand for the times of their commits. Nothing acts, and
// nothing is written.
// LIMIT: twins and relationships are those of `to` all the time; twins that were deleted before are not looked at.
#ifndef GM_CONTROL_DRY_RUN_H
#define GM_CONTROL_DRY_RUN_H

#include "control/rules.h"

enum { GM_DRY_TWINS_MAX = 200000, GM_DRY_CHUNK = 200000 };

typedef struct gm_dry_run gm_dry_run;

typedef struct gm_dry_run_options {
    const gm_alloc  *alloc;
    gm_engine       *engine;
    gm_rulebook     *book;       // taken, also after an error; its rules and watchdogs run
    gm_time_ns       from, to;   // from < to
    const gm_query_facts *facts; // what $rollup reads; NULL: nothing
    gm_rules_fired  *fired;      // for each turn, in the order of their times
    void            *context;
} gm_dry_run_options;

typedef struct gm_dry_run_counts { uint64_t instances, series, samples, evaluations; } gm_dry_run_counts;

// GM_INVALID: from is not before to. GM_LIMIT: too many twins. GM_NOMEM, GM_CORRUPT: gm_as_of_replay.
GM_NODISCARD gm_status gm_dry_run_create(const gm_dry_run_options *options, gm_dry_run **out, gm_error *err);
// Plays back about so many samples more. GM_CONFLICT: models were changed meanwhile. Engine thread.
GM_NODISCARD gm_status gm_dry_run_step(gm_dry_run *run, size_t samples, bool *out_done, gm_error *err);
gm_dry_run_counts      gm_dry_run_count(const gm_dry_run *run);
void                   gm_dry_run_destroy(gm_dry_run *run);  // NULL is allowed

#endif
