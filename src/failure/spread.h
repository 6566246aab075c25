// failure/spread.h: a failure followed through the web of wants, by the time at which each twin feels it; inside failure/ only.
//
//   gm_spread s;
//   st = gm_spread_open(&s, failures, &moment, horizon_s, twin, &err);
//   gm_spread_before(&s);                             // what happens anyhow, because of what stands now
//   gm_spread_failure(&s, effect, delay_s);           // the same again, with the failure
//   gm_spread_risk(&s);                               // what one more failure would add
//   s.certain.items[i].twin ...                       // if !s.no_memory
//   gm_spread_close(&s);
//
// A twin that has stopped stops no more, so going round a loop ends by itself. Gates have no delay. A gate that a failure can also make
// false (an input is negated, a connective is xor or has a most) waits until everything it is over has been followed as far as it
// goes at that time; once it has come true it stays so.
#ifndef GM_FAILURE_SPREAD_H
#define GM_FAILURE_SPREAD_H

#include "failure/web.h"

#define GM_SPREAD_ITSELF UINT32_MAX  // in place of a want

typedef struct gm_arrival {
    double   at_s;
    uint32_t order;   // of equal times the one that came first is first
    uint32_t twin;
    uint32_t want;    // that is not met; GM_SPREAD_ITSELF
    uint32_t from;    // whose failure was one too many; GM_NONE
} gm_arrival;

typedef struct gm_arrivals { gm_arrival *items; size_t count, capacity, head; } gm_arrivals;

typedef enum gm_spread_mark {
    GM_MARK_BEFORE = 1, GM_MARK_DEGRADED_BEFORE = 2, GM_MARK_STOPPED = 4, GM_MARK_DEGRADED = 8, GM_MARK_RISK = 16
} gm_spread_mark;

typedef struct gm_spread_need {  // what walking needs of a need
    double   delay_s;
    uint32_t working;
    uint16_t queue;      // of those with this delay
    bool     degrades, asks;  // asks: a query says whether it is about the twin
} gm_spread_need;

typedef struct gm_spread_gate { uint32_t least, most, level; bool odd, turns; } gm_spread_gate;  // odd: xor; turns: see above

typedef enum gm_spread_step { GM_SPREAD_BEFORE, GM_SPREAD_CERTAIN, GM_SPREAD_RISK } gm_spread_step;

typedef struct gm_spread {
    gm_failures             *failures;
    const gm_failure_moment *at;
    const gm_alloc          *alloc;
    const gm_failure_web    *web;
    double                   horizon_s;
    uint32_t                 failed;       // the twin asked about
    gm_spread_step           step;
    gm_failure_effect        effect;       // of the mode asked about
    gm_spread_need          *needs;        // [of what is declared]
    gm_spread_gate          *gates;        // [web->gate_count]
    uint32_t                *gate_of;      // [web->want_count] when there are gates
    uint32_t                *lost;         // [web->want_count] suppliers that have stopped; of a gate: inputs that are true
    uint8_t                 *known;        // [web->want_count] whether its query has been asked, and that it is a hit
    uint8_t                 *marks;        // [web->twins]
    gm_arrivals             *queues;       // one for each delay: what enters one comes later than what is in it
    size_t                   queue_count;
    uint32_t                *waiting;      // gates that turn, by level
    size_t                   waiting_count, waiting_capacity;
    uint32_t                 order;
    uint32_t                *hits;         // wants that lost some by the failure asked about
    size_t                   hit_count, hit_capacity;
    gm_arrivals              certain, risk;  // what the failure stops or degrades, the failed one first; what one more would
    gm_arrivals              seeds;        // what stands now
    size_t                   standing;     // and what that stops
    bool                     stands;       // the failed one has failed already
    bool                     tangled;      // gates that turn lie in a circle
    bool                     no_memory;
} gm_spread;

// GM_NOMEM.
GM_NODISCARD gm_status gm_spread_open(gm_spread *s, gm_failures *failures, const gm_failure_moment *at, double horizon_s, gm_twin failed, gm_error *err);
void                   gm_spread_close(gm_spread *s);

void gm_spread_before(gm_spread *s);
void gm_spread_failure(gm_spread *s, gm_failure_effect effect, double delay_s);
void gm_spread_risk(gm_spread *s);

// So many losses are one too many; 0: none can be, for it never had enough, or a gate that turns.
uint32_t gm_spread_limit(const gm_spread *s, uint32_t want);

#endif
