// link/create.h: twins that come to be by a message, so that a device can introduce itself: gemel/{twinId}/create.
//
//   gm_creator_create(alloc, engine, &creator, &err);
//   gm_creator_submit(creator, twin_id, payload, now, (gm_ask){ on_created, connection, packet_id }, &err);
//   ...                                             // on_created: GM_OK, or why not
//   gm_creator_destroy(creator);                    // after gm_engine_close
//
// The payload is the body of PUT /digitaltwins/{twinId}, with the twin's relationships beside it:
//   {"$metadata":{"$model":"dtmi:example:Engine;1"},"serial":"A7",
//    "$relationships":[{"$relationshipName":"contains","$sourceId":"fleet"},
//                      {"$relationshipName":"contains","$targetId":"engine-001-fan","$relationshipId":"fan"}]}
// A relationship with "$sourceId" ends at the twin, one with "$targetId" begins there; without "$relationshipId" it is
// called SOURCE-NAME-TARGET. Members without a leading '$' are its properties.
//
// It is idempotent: a twin that exists with the same model keeps its values, a relationship that exists stays as it is.
// Messages of one sender may depend on those before them (first the engine, then its modules); the answers come in the
// order of submission. Engine thread.
#ifndef GM_LINK_CREATE_H
#define GM_LINK_CREATE_H

#include "engine/engine.h"

typedef struct gm_creator gm_creator;

enum { GM_CREATES_WAITING_MAX = 16384, GM_CREATE_PAYLOAD_MAX = 256 * 1024, GM_CREATE_RELATIONSHIPS_MAX = 256 };

GM_NODISCARD gm_status gm_creator_create(const gm_alloc *alloc, gm_engine *engine, gm_creator **out_creator,
                                         gm_error *err);
void                   gm_creator_destroy(gm_creator *creator);  // asks that wait are not called any more

// Copies what it is given. at: source time of values that bring none.
// GM_INVALID: the payload is no such document; the ask is not called, nothing happens.
// GM_LIMIT: too many wait; stop reading, come back through gm_engine_later. GM_NOMEM.
// The ask's status: GM_OK; GM_INVALID with the reason (unknown model, wrong value, a relationship's other twin does not
// exist - the twin itself may have been created by then); GM_IO.
GM_NODISCARD gm_status gm_creator_submit(gm_creator *creator, gm_str twin_id, gm_str payload, gm_time_ns at, gm_ask ask,
                                         gm_error *err);

// Asks with this context are not called any more; what they asked for goes on.
void gm_creator_forget(gm_creator *creator, const void *ask_context);

size_t gm_creator_waiting(const gm_creator *creator);

#endif
