// api/held.h: an answer that takes many turns of the loop, a slice of work in each, so that others have theirs between.
//
//   struct asking { gm_held held; ... } *a;                         // in the request's arena
//   if (gm_held_begin(&a->held, request, on_turn, at_end, a, &err) != GM_OK) ...
//   static bool on_turn(void *context, gm_dur_ns *pause) { ...; return more; }   // replies when there is no more
//
// The request waits and stays alive meanwhile. When nobody waits for the answer any more (request->gone), or the API
// ends, there is no further turn: what was begun is ended.
#ifndef GM_API_HELD_H
#define GM_API_HELD_H

#include "api/request.h"
#include "base/loop.h"

// One slice. False: it is done, and has replied. *pause: how long to wait before the next, 0 = no longer than others
// take.
typedef bool gm_held_turn(void *context, gm_dur_ns *pause);
typedef void gm_held_end(void *context);  // frees what the work needed

typedef struct gm_held {
    gm_request     *request;
    struct gm_api  *api;
    gm_held_turn   *turn;
    gm_held_end    *end;
    void           *context;
    gm_timer       *timer;
    struct gm_held *previous, *next;  // of the API's list
} gm_held;

// The first turn comes with the loop's next. Errors: nothing has begun, end is not called.
GM_NODISCARD gm_status gm_held_begin(gm_held *held, gm_request *request, gm_held_turn *turn, gm_held_end *end,
                                     void *context, gm_error *err);

// Ends all that is under way (the API's end, after nobody waits for answers any more).
void gm_held_end_all(struct gm_api *api);

#endif
