// control/arming.h: what may act by itself, where, and until when. Automatic control only advises until a person arms it for a
// twin and what is under it, with an end. An emergency stop ends all of it at once.
//
//   gm_arming_arm(arming, twin, &request, ask, &err);     // a person
//   if (!gm_arming_admits(arming, twin, &why)) ...        // before anything is sent that no person asked for
//
// Someone who arms may name a heartbeat: a time within which it must be renewed (gm_arming_beat), else it is disarmed: a dead
// man's switch. Arming is a decision in the journal; beats are not. When the wall clock jumps by more than GM_CLOCK_JUMP against
// the monotonic one, nobody knows how old a value or how near an end is: everything is disarmed. Engine thread.
#ifndef GM_CONTROL_ARMING_H
#define GM_CONTROL_ARMING_H

#include "control/journal.h"

enum { GM_ARMED_MAX = 1000 };
#define GM_ARMED_LONGEST (31 * GM_DAY)
#define GM_CLOCK_JUMP    (2 * GM_SECOND)

typedef struct gm_arming gm_arming;

typedef struct gm_armed {  // viewed
    gm_str     twin, who, reason;
    gm_time_ns since, until;
    gm_dur_ns  heartbeat;   // 0: none
} gm_armed;

// When something is disarmed, or everything stopped: the twin (empty: everything) whose safe values are to be taken.
typedef void gm_arming_safe(void *context, gm_str twin, gm_str reason);

GM_NODISCARD gm_status gm_arming_create(const gm_alloc *alloc, const gm_clock *clock, gm_engine *engine, gm_journal *journal,
                                        gm_str relationships, gm_arming **out, gm_error *err);
void gm_arming_destroy(gm_arming *arming);  // NULL is allowed
void gm_arming_start(gm_arming *arming, gm_arming_safe *safe, void *context);  // what was armed has lost its beats

// until and reason are needed. GM_INVALID, GM_NOTFOUND (no such twin), GM_CONFLICT (stopped), GM_LIMIT.
GM_NODISCARD gm_status gm_arming_arm(gm_arming *arming, const gm_armed *request, gm_ask ask, gm_error *err);
// GM_NOTFOUND: it is not armed.
GM_NODISCARD gm_status gm_arming_disarm(gm_arming *arming, gm_str twin, gm_str who, gm_str reason, gm_ask ask, gm_error *err);
GM_NODISCARD gm_status gm_arming_beat(gm_arming *arming, gm_str twin, gm_error *err);
GM_NODISCARD gm_status gm_arming_stop(gm_arming *arming, gm_str who, gm_str reason, gm_ask ask, gm_error *err);
GM_NODISCARD gm_status gm_arming_resume(gm_arming *arming, gm_str who, gm_str reason, gm_ask ask, gm_error *err);
// A watchdog's: disarms what the twin lies under.
void gm_arming_trip(gm_arming *arming, gm_str twin, gm_str cause);
// The same for what was armed already at that time: what failed then may have to be told again after a crash.
void gm_arming_trip_since(gm_arming *arming, gm_str twin, gm_time_ns at, gm_str cause);
// After gm_arming_start, when everything else has started: safe values that a crash has kept from being asked for.
void gm_arming_resume_safe(gm_arming *arming);

// May something that no person asked for act on the twin now? *out_why: static or viewed.
bool     gm_arming_admits(const gm_arming *arming, gm_twin twin, gm_str *out_why);
bool     gm_arming_stopped(const gm_arming *arming, gm_armed *out_who);  // who, since, reason
size_t   gm_arming_count(const gm_arming *arming);
gm_armed gm_arming_at(const gm_arming *arming, size_t i);
void     gm_arming_tick(gm_arming *arming);
void     gm_arming_after(gm_arming *arming, const gm_decision *decision);  // live, when a decision has been applied

#endif
