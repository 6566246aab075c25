// api/documents.h: what the routes of twins, components, relationships and telemetry have in common.
#ifndef GM_API_DOCUMENTS_H
#define GM_API_DOCUMENTS_H

#include "api/context.h"
#include "state/document.h"

enum { GM_ID_MAX = 128 };  // characters of a twin's or relationship's id, as the Azure Digital Twins service has it

// Is that a possible id for something new? False: replied 400.
GM_NODISCARD bool gm_api_id_fits(gm_request *request, gm_str id);

// Must this request wait for a change of the twin that is in flight? Of the twin itself or a model always; of its
// properties when the request depends on its ETag. (A condition that fails already is answered before: versions only
// grow, so it can not come true, and constant writing to a twin keeps nobody waiting.)
bool gm_api_twin_in_flight(const gm_request *request, gm_str id);

// The component named by the path's second parameter; GM_NO_COMPONENT: replied 404 ComponentNotFound.
uint32_t gm_api_component(gm_request *request, gm_twin twin);

// Replies 400 ValidationFailed with `details`, or as gm_reply_failure when the status is no fault of the document.
void gm_api_invalid(gm_request *request, const char *message, const gm_error *err);
void gm_api_document_refused(gm_request *request, const char *message, gm_status status, const gm_error *err);

// False: replied 400 ModelDecommissioned.
GM_NODISCARD bool gm_api_type_usable(gm_request *request, const gm_type *type);

// The source's type declares the relationship; does the target fit what it says? False: err says why not.
GM_NODISCARD bool gm_api_target_fits(gm_request *request, gm_twin source, gm_twin target, gm_str name, gm_error *err);

// What a plant's estimate says of a column, for gm_document_notes: ,"estimate":{"value","deviation","innovation","expected"}.
// context: the request.
void gm_api_write_estimate(void *request, gm_twin twin, uint32_t column, gm_buf *out);

// Submits the twin named by the path's first parameter (twin: as it is now, or GM_NONE for a new one).
void gm_api_put_twin(gm_request *request, gm_twin twin, const gm_twin_document *document, gm_request_call *then);

#endif
