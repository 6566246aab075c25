// api/thread/feed.h: facts that nobody has to write: what was done to a twin follows from its work orders.
//
// A work order that is done or closed becomes a fact of its twin: phase maintained, key "work order ID", valid from the time of that
// step, value its text and what was found. An order whose fact is missing (the server stopped in between) gets it at the start.
#ifndef GM_API_THREAD_FEED_H
#define GM_API_THREAD_FEED_H

#include "api/thread/life.h"

// After gm_engine_recover; again: nothing.
GM_NODISCARD gm_status gm_feed_begin(gm_api *api, gm_error *err);
void                   gm_feed_end(gm_api *api);  // before the life ends; never begun: nothing

#endif
