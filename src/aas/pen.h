// aas/pen.h: writes the JSON of the Asset Administration Shell (metamodel V3): commas, references, elements.
//
//   gm_aas_pen pen = { .out = out };
//   gm_aas_begin(&pen, "SubmodelElementCollection", GM_STR("Motor"), semantics);
//   gm_aas_open(&pen, "value", '[');
//   gm_aas_property(&pen, GM_STR("speed"), semantics, "xs:double", GM_STR("3.5"));
//   gm_aas_close(&pen, ']');
//   gm_aas_close(&pen, '}');
//
// out->failed tells of refused memory.
#ifndef GM_AAS_PEN_H
#define GM_AAS_PEN_H

#include "base/buf.h"

typedef struct gm_aas_pen { gm_buf *out; bool comma; } gm_aas_pen;

void gm_aas_name(gm_aas_pen *pen, const char *name);                 // the comma that is due, and "name": ; NULL: of a list
void gm_aas_open(gm_aas_pen *pen, const char *name, char bracket);   // '{' or '['
void gm_aas_close(gm_aas_pen *pen, char bracket);
void gm_aas_text(gm_aas_pen *pen, const char *name, gm_str text);
void gm_aas_json(gm_aas_pen *pen, const char *name, gm_str json);    // JSON that is there already

// {"type":"ExternalReference","keys":[{"type":"GlobalReference","value":id}]}, or to a part of a model: key type "Submodel" ...
void gm_aas_external(gm_aas_pen *pen, const char *name, gm_str id);
void gm_aas_model_reference(gm_aas_pen *pen, const char *name, const char *key_type, gm_str id);

// An element up to its own members: {"modelType":...,"idShort":...,"semanticId":... An empty text: none.
void gm_aas_begin(gm_aas_pen *pen, const char *model_type, gm_str id_short, gm_str semantics);
void gm_aas_supplemental(gm_aas_pen *pen, gm_str id);                // supplementalSemanticIds of one; empty: nothing
#define GM_AAS_OWN "urn:gemel:aas:semantics:"                        // what no template has a word for
// Whole elements. value.ptr NULL: without a value.
void gm_aas_property(gm_aas_pen *pen, gm_str id_short, gm_str semantics, const char *value_type, gm_str value);
void gm_aas_words(gm_aas_pen *pen, gm_str id_short, gm_str semantics, gm_str english);  // a MultiLanguageProperty
void gm_aas_begin_list(gm_aas_pen *pen, gm_str id_short, gm_str semantics, const char *of, gm_str element_semantics);  // up to "value":[
void gm_aas_end_list(gm_aas_pen *pen);                               // ]}

// {"type":...,"valueType":...,"value":...} in a list of qualifiers; nothing when value is empty.
void gm_aas_qualifier(gm_aas_pen *pen, const char *type, const char *value_type, gm_str value);

#endif
