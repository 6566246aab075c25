// api/condition.h: If-Match and If-None-Match (RFC 9110, section 13.1) against a version.
#ifndef GM_API_CONDITION_H
#define GM_API_CONDITION_H

#include "api/request.h"

#define GM_NO_VERSION UINT64_MAX  // there is no such thing yet

// True: go on. False: replied 400 (the header is no list of entity tags) or 412 PreconditionFailed.
//   what  "twin", "relationship"; with id for the sentence
GM_NODISCARD bool gm_condition_holds(gm_request *request, uint64_t version, const char *what, gm_str id);

// Does an If-None-Match header (ptr NULL: there is none) name the tag, or "*"? tag with its quotes. For files that are
// only read: a list that is no list names nothing.
bool gm_etag_listed(gm_str list, const char *tag);

void gm_reply_etag(gm_request *request, uint64_t version);

#endif
