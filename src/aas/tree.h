// aas/tree.h: submodels as clients ask for them: an element by its path, values alone, metadata alone (IEC 63278, Part 2 API V3).
#ifndef GM_AAS_TREE_H
#define GM_AAS_TREE_H

#include "base/buf.h"

#include <jansson.h>

enum { GM_AAS_DEPTH_MAX = 64 };  // elements within elements

// Where an element keeps what lies in it: "submodelElements", "value", "statements", "annotations"; NULL: it is no container.
const char *gm_aas_children(const json_t *element);
bool        gm_aas_is(const json_t *element, const char *model_type);
gm_str      gm_aas_string(const json_t *object, const char *member);  // empty when it is none; viewed
gm_str      gm_aas_semantics(const json_t *element);                  // the last key of its semanticId; empty: none

// "Motor.Speeds[2].Value" from the submodel, or from an element on; NULL: nothing has that path. Cost: siblings along the way.
json_t *gm_aas_find(json_t *from, gm_str path);

// New references; NULL: no memory, or (value) there is no such view of it (operations, capabilities). Not deeper than GM_AAS_DEPTH_MAX.
json_t *gm_aas_value_only(const json_t *element);
json_t *gm_aas_metadata_only(const json_t *element);
void    gm_aas_paths(const json_t *element, gm_str above, json_t *out_list);  // of all elements in it, as texts
// In place: what lies deeper than one level goes (level=core), values of blobs go (extent=withoutBlobValue).
void gm_aas_trim_core(json_t *element);
void gm_aas_trim_blobs(json_t *element, unsigned depth);

// A value as the text of a property of that xs: type, in the arena of out; GM_INVALID: it does not fit.
GM_NODISCARD gm_status gm_aas_lexical(const char *value_type, const json_t *value, gm_buf *out, gm_error *err);
// Does a text belong to the type? "xs:int", "-5".
bool gm_aas_fits(gm_str value_type, gm_str text);
bool gm_aas_is_value_type(gm_str value_type);

// Sets a property's, multi-language property's or range's value to what a client sent as its value alone. GM_INVALID, GM_NOMEM.
GM_NODISCARD gm_status gm_aas_set_value(json_t *element, const json_t *value, gm_error *err);

#endif
