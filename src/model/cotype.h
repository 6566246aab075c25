// model/cotype.h: what "@type" adds to an element beside its class: quantities with their units, and the types that
// extensions define.
#ifndef GM_MODEL_COTYPE_H
#define GM_MODEL_COTYPE_H

#include "model/element.h"

// The co-type with that identifier. Fills the quantity or cotype of *out_ref.
bool gm_cotype_find(gm_str dtmi, gm_cotype_ref *out_ref, bool *out_abstract);

// A unit by its identifier, of v2 or of any version of the extension; NULL when it is none.
const gm_named_unit *gm_cotype_unit(gm_str dtmi);

// A unit type as a schema: an Enum of its units; NULL when it is none.
const gm_unit_type *gm_cotype_unit_enum(gm_str dtmi);

// Whether each co-type of the element may be there; findings say which not.
void gm_cotype_check(gm_set *set, gm_element *element);

// The member that a co-type of the element adds, by term or identifier; NULL when none does.
const gm_meta_prop *gm_cotype_prop(gm_set *set, const gm_element *element, gm_str name);

// After the members were read: those that co-types require are there.
void gm_cotype_check_members(gm_set *set, gm_element *element);

// After references were connected: values are as the co-types ask.
void gm_cotype_check_values(gm_set *set, gm_element *element);

// The content annotates the target, which is another content of the same Interface.
void gm_cotype_check_annotation(gm_set *set, gm_element *content, const gm_element *target);

// Values of one member have different "index"es. False: memory was refused.
bool gm_cotype_check_indexes(gm_set *set, const gm_element *element, const gm_member *member);

#endif
