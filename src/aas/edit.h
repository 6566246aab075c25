// aas/edit.h: submodels as clients change them: an element is added, replaced, merged with another, removed, given a value.
//
//   json_t *wanted = json_deep_copy(submodel);
//   gm_aas_insert(gm_aas_find(wanted, GM_STR("Motor")), element, &err);
//
// A tree is changed in place; what fails leaves it to be thrown away. Whether it is still a submodel is gm_aas_check's to say.
// GM_NOTFOUND: nothing has that path; GM_CONFLICT: a sibling is called that; GM_INVALID: it can not be done so; GM_NOMEM.
#ifndef GM_AAS_EDIT_H
#define GM_AAS_EDIT_H

#include "base/status.h"
#include "base/str.h"

#include <jansson.h>

// At the end of what lies in the container (a submodel, a collection, a list, an entity ...). The element is copied.
GM_NODISCARD gm_status gm_aas_insert(json_t *container, const json_t *element, gm_error *err);
// The one at the path by another, whose idShort must be the same.
GM_NODISCARD gm_status gm_aas_replace(json_t *submodel, gm_str path, const json_t *element, gm_error *err);
GM_NODISCARD gm_status gm_aas_remove(json_t *submodel, gm_str path, gm_error *err);

// Members that the patch has replace the element's; what lies in both is merged by its idShort, what is new is added.
// metadata: without values and children, which must not be in the patch.
typedef enum gm_aas_extent { GM_AAS_WHOLE, GM_AAS_METADATA } gm_aas_extent;
GM_NODISCARD gm_status gm_aas_merge(json_t *element, const json_t *patch, gm_aas_extent extent, gm_error *err);

// Sets what the client sent as values alone: one for a property, {idShort: value} for what has others in it.
GM_NODISCARD gm_status gm_aas_set_values(json_t *element, const json_t *value, gm_error *err);

// "Motor.Speeds[2]" -> "Motor.Speeds"; empty: the submodel itself.
gm_str gm_aas_above(gm_str path);

#endif
