// insight/origin/hunt_parts.h: what the files of a hunt share: moments, models of candidates, filters on their way.
#ifndef GM_INSIGHT_ORIGIN_HUNT_PARTS_H
#define GM_INSIGHT_ORIGIN_HUNT_PARTS_H

#include "insight/origin/hunt.h"

#include <math.h>

// Samples that belong together: stretch->samples[first .. first + count).
typedef struct gm_hunt_moment { size_t first; uint32_t count; gm_time_ns at; } gm_hunt_moment;

// A cumulative sum over a filter's squared innovations, each in units of what is usual for its signal.
typedef struct gm_hunt_watch {
    double sum, most;    // now; the largest so far
    size_t reset;        // moment at which the sum was 0 last
    size_t suspect;      // `reset` when `most` was met: where it began to go wrong
} gm_hunt_watch;

// A model of the plant with one or two candidates in it. The model looks at the setup: a kit does not move.
typedef struct gm_hunt_kit {
    uint32_t           candidate, second;  // UINT32_MAX: none
    double             weight;             // of this idea of its size among others, natural logarithm
    gm_estimate_setup  setup;
    gm_estimate_ask    asks[2];
    gm_estimate_model *model;
    uint32_t           parts[2];           // of the sizes; UINT32_MAX: it has none
    bool               offset[2];          // it is one of a sensor, in its unit
    uint32_t           stuck;              // signal; UINT32_MAX: none
} gm_hunt_kit;

// A filter that believes in a kit from a moment on.
typedef struct gm_hunt_trail {
    const gm_hunt_kit *kit;
    gm_estimator      *filter;     // NULL: given up
    size_t             begin, at;  // moments: begun before this one; the next one
    size_t             first_begin;  // of a pair: where its first fault began
    double             before;     // log-likelihood of what was before `begin`
    double             skipped;    // what the moment of the change, which is not taken, is worth
    double             still, last;  // of a sensor that stands still: what it says by repeating itself, ln; what it said last
    double             prior;      // ln of rate, length of onset and weight
    double             behind;     // given up: by how much it was behind the best one then
    gm_hunt_watch      watch;
} gm_hunt_trail;

typedef struct gm_hunt_work {
    const gm_alloc            *alloc;
    const gm_group            *group;
    const gm_stretch          *stretch;
    const gm_origin_candidate *candidates;
    const gm_hunt_options     *options;
    gm_estimate_setup          setup;         // as asked for; nothing is late, no faults
    gm_estimate_model         *plain;
    gm_hunt_moment            *moments;
    double                    *base;          // [moment_count + 1] log-likelihood of the healthy filter before each
    double                    *usual;         // [signals] mean square of its innovations while it learned
    double                    *largest;       // [signals] magnitude met
    bool                      *measured;      // [signals]
    double                    *repeats;       // [signals] share of its values that were the ones before again, while it worked
    double                    *best;          // [moment_count + 1] the best score that anybody has had before each
    size_t                     moment_count, search;  // search: the first moment of it
    uint32_t                   candidate_count, signal_count;
    double                     limit;         // of a cumulative sum
    double                     typical;       // log-likelihood of a moment while it worked, for each of its measurements
    gm_hunt_watch              healthy;
    gm_estimator             **snapshots;     // of the healthy filter, before moments search + i * GM_HUNT_STRIDE
    size_t                     snapshot_count;
    gm_hunted                 *out;
} gm_hunt_work;

// All that run against one another.
typedef struct gm_hunt_trails { gm_hunt_trail *items; size_t count, room; } gm_hunt_trails;

typedef struct gm_hunt_standing { uint32_t candidate; double behind; } gm_hunt_standing;  // behind: the best, ln

enum {
    GM_HUNT_STRIDE     = 48,
    GM_HUNT_LOOK       = 80,  // moments beyond what was noticed that a candidate is given at first
    GM_HUNT_PAIR_FIRST = 3,   // first faults of pairs
    GM_HUNT_PAIR_KEPT  = 4,   // pairs of each that run to the end
    GM_HUNT_PAIR_KITS  = GM_HUNT_PAIR_FIRST * GM_HUNT_PAIR_KEPT
};

// hunt_learn.c
// All moments; those of the search thinned out, but not where the plant changes the way in which it works.
gm_status gm_hunt_find_moments(gm_hunt_work *w, gm_error *err);
// The healthy filter goes through all of them: what is usual, where that ends, snapshots on the way.
gm_status gm_hunt_learn(gm_hunt_work *w, const double *slots, gm_error *err);

// hunt_filters.c
// Takes the filter over the moment; looks at its innovations. watch, z2: may be NULL.
gm_status gm_hunt_step(gm_hunt_work *w, gm_estimator *filter, size_t moment, gm_hunt_watch *watch, gm_error *err);
// A healthy filter as it was before the moment; the caller destroys it.
gm_status gm_hunt_fork(gm_hunt_work *w, size_t moment, gm_estimator **out, gm_error *err);
// loose: the size is unknown; else it is as declared. second: UINT32_MAX: none.
// GM_NOTFOUND: the pair can not be (two sensors that stand still).
gm_status gm_hunt_kit_make(gm_hunt_work *w, uint32_t candidate, uint32_t second, bool loose, gm_hunt_kit *out, gm_error *err);
void      gm_hunt_kit_finish(gm_hunt_kit *kit);
// from: a filter as of moment `begin`; likelihood: of everything before.
gm_status gm_hunt_trail_begin(gm_hunt_work *w, const gm_hunt_kit *kit, const gm_estimator *from, size_t begin, double likelihood, double prior,
                              gm_hunt_trail *out, gm_error *err);
gm_status gm_hunt_trail_run(gm_hunt_work *w, gm_hunt_trail *trail, size_t end, gm_error *err);
void      gm_hunt_trail_end(gm_hunt_trail *trail);
double    gm_hunt_trail_score(const gm_hunt_trail *trail);  // prior times likelihood up to where it is

// hunt_race.c
// Room for one more, which counts when the caller raises all->count. NULL: GM_NOMEM.
gm_hunt_trail *gm_hunt_trails_add(gm_hunt_work *w, gm_hunt_trails *all, gm_error *err);
void           gm_hunt_trails_finish(gm_hunt_work *w, gm_hunt_trails *all);
// All to the end, those that fall behind given up on the way. What is healthy is a competitor too.
gm_status            gm_hunt_race(gm_hunt_work *w, gm_hunt_trails *all, gm_error *err);
const gm_hunt_trail *gm_hunt_leader(const gm_hunt_trails *all);       // NULL: all were given up
int                  gm_hunt_by_behind(const void *a, const void *b);  // of gm_hunt_standing, for qsort

// hunt_pairs.c
// The best of the singles, each with every second fault from where it no longer explains, raced to the end. kits: room for
// GM_HUNT_PAIR_KITS behind *io_kits.
gm_status gm_hunt_pair(gm_hunt_work *w, const gm_hunt_trails *singles, gm_hunt_kit *kits, uint32_t *io_kits, gm_hunt_trails *pairs, gm_error *err);

// hunt_rank.c: from trails that have come to the end (or were given up) to what is told.
gm_status gm_hunt_rank(gm_hunt_work *w, const gm_hunt_trail *trails, size_t count, gm_error *err);

static inline double    gm_hunt_rate_of(const gm_hunt_work *w, uint32_t candidate) { return log(w->candidates[candidate].rate); }
static inline gm_status gm_hunt_give_up(gm_error *err) { return gm_fail(err, GM_CANCELLED, "insight.origin", "nobody waits any more"); }
static inline bool      gm_hunt_stopped(const gm_hunt_work *w) { return w->options->stop != NULL && w->options->stop(w->options->context); }

#endif
