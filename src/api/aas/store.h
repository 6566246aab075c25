// api/aas/store.h: a submodel as a client wants it to be, checked and written to where it comes from: facts, the twin, relationships, or
// the text that is kept.
#ifndef GM_API_AAS_STORE_H
#define GM_API_AAS_STORE_H

#include "api/aas/aas.h"
#include "api/aas/change.h"

// Does it keep the constraints of the metamodel? list: where it would stand in an environment ("submodels"). False: replied 400, with
// the place of the first fault.
GM_NODISCARD bool gm_aas_is_sound(gm_request *request, const char *list, const json_t *object);

// Of a submodel that is there (found) or is to be: where it belongs, by its id. False: replied, or it waits.
GM_NODISCARD bool gm_aas_find_place(gm_request *request, gm_str id, gm_aas_found *out);

// The submodel of the path, when nothing that it depends on is in flight. NULL: replied, or it waits. The caller decrefs.
json_t *gm_aas_open_to_write(gm_request *request, gm_aas_found *out_found);

// Replied, or waits for `then`. wanted NULL: it is deleted. It must be sound.
void gm_aas_store(gm_request *request, const gm_aas_found *found, const json_t *wanted, gm_request_call *then);

// Facts that a kept submodel of a template says of the things that have it, and the kind that it is of, into the change.
void gm_aas_say_template(gm_aas_change *change, const gm_aas_thing *thing, const json_t *submodel);

bool gm_aas_same_json(gm_str kept, const json_t *value);  // is what is kept, as a text, that very value?
void gm_aas_reply_done(gm_request *request);  // 204
// The body of a request as a JSON object; NULL: replied.
json_t *gm_aas_body(gm_request *request);
// 201, with the path of what was made: the request's, and the name behind it. request->out is the body.
void gm_aas_reply_made(gm_request *request, gm_str name);
void gm_aas_reply_made_id(gm_request *request, gm_str id);  // the same by an identifier
void gm_aas_refuse(gm_request *request, gm_status status, const gm_error *err);

#endif
