// aas/added.h: what clients have added to a submodel that gemel makes of what it knows: elements of their own, descriptions, words in
// further languages. It is kept apart (GM_AAS_KEY_ADDED, thing.h) and put back whenever the submodel is made.
//
//   gm_aas_added_make(wanted, before, made, &added, &err);   // what `made` does not say of `wanted`
//   gm_aas_added_put(made, added);                           // made is wanted again, as long as what lies behind it does not change
//
// A list of {"in": path, "element": ...} (at the end of what lies there) and {"at": path, "members": ..., "while": value} (of an element
// that gemel makes, and, with "while", as long as it has that value). What gemel makes always counts: an element of the same name that
// comes later takes the place of the added one's value.
#ifndef GM_AAS_ADDED_H
#define GM_AAS_ADDED_H

#include "base/status.h"

#include <jansson.h>

// *out: a new list, NULL when nothing is added. before: as gemel made it until now; what is as it was there and is made no more was
// never the client's. What `made` says and `wanted` does not is no fault: it stays.
// GM_CONFLICT: `wanted` contradicts what gemel makes, err says where; GM_INVALID: of what has no place; GM_NOMEM.
GM_NODISCARD gm_status gm_aas_added_make(const json_t *wanted, const json_t *before, const json_t *made, json_t **out, gm_error *err);

// In place. What has no place any more is passed over.
void gm_aas_added_put(json_t *made, const json_t *added);

#endif
