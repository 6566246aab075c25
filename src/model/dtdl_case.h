// model/dtdl_case.h: runs the published cases of the DTDL parser against this one.
//
//   bool ok;
//   gm_buf lines = gm_buf_init(alloc);
//   if (gm_dtdl_case_run(alloc, text, &lines, &ok, &err) != GM_OK) ...   // "0 ok"
//
// A case is a JSON object: "input", a list of documents (or "idText", one identifier); "valid", whether they are;
// "expect", the errors ("parsingErrors" with "ValidationID") or the elements of a valid set; "options"
// (AllowUndefinedExtensions, DisallowUndefinedExtensions), "quirks" (TolerateSolecismsInParse, ...InResolve),
// "acceptableLimits", and "resolution", the documents that a resolver would give. A file holds one case or a list.
#ifndef GM_MODEL_DTDL_CASE_H
#define GM_MODEL_DTDL_CASE_H

#include "base/buf.h"

// Appends a line for each case, "INDEX ok" or "INDEX " and what differed, without a line end after the last one.
//   out_ok  whether all agree: on validity, on every error that the case names (this parser may name further ones,
//           because it does not stop at the first), and on every element that the case lists
// GM_INVALID: the text is not a case file (err has the place). GM_NOMEM.
GM_NODISCARD gm_status gm_dtdl_case_run(const gm_alloc *alloc, gm_str file_text, gm_buf *out_line, bool *out_ok,
                                        gm_error *err);

#endif
