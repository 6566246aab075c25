// model/extension.h: the standard extensions of DTDL: which contexts there are and what their co-types add.
#ifndef GM_MODEL_EXTENSION_H
#define GM_MODEL_EXTENSION_H

#include "model/metamodel.h"

typedef struct gm_extension {
    const char *name;         // context without its version, "dtmi:dtdl:extension:mqtt"
    unsigned    version;
    unsigned    versions;     // of DTDL whose elements it may co-type (bits)
    const char *base;         // of the DTMIs it defines, "dtmi:dtdl:extension:mqtt:v2"
    unsigned    quantities;   // vocabulary of quantity.h, 0 when it has none
    const gm_limits *limits;  // that it sets in place of the language's, NULL when it does not
    unsigned    implied;      // the version of DTDL that it brings along, 0 when it does not
} gm_extension;

// By name and version. *out_name_known tells whether some version of the name exists.
const gm_extension *gm_extension_find(gm_str versionless, unsigned major, unsigned minor, bool *out_name_known);
unsigned            gm_extension_bit(const gm_extension *extension);
const gm_extension *gm_extension_at(size_t i);
size_t              gm_extension_count(void);

// A co-type that an extension defines.
enum { GM_COTYPE_PROPS = 6, GM_COTYPE_NAMES = 4 };
typedef struct gm_cotype {
    const char         *term;
    unsigned            extensions;      // bits of those that define it
    uint64_t            classes;         // that it may be added to
    const gm_meta_prop *props[GM_COTYPE_PROPS];
    // What else must hold; NULL or 0: nothing.
    uint64_t            schema_classes;  // the schema is of one of these
    const char         *schema_cotype;   // the schema has this co-type
    const char         *schema_names[8]; // the schema is one of these standard elements
    const char         *field_cotypes[GM_COTYPE_NAMES];  // each field has one of these
    const char         *parent_cotypes[2]; // the Object that it is a field of has one of these; no other field has this
    const char         *needs, *excludes;  // other co-types of the same element
    unsigned            needs_of, excludes_of;  // bits of the extensions that those belong to; 0: the same extension
} gm_cotype;

// By the identifier; *out_extension tells of which extension.
const gm_cotype *gm_cotype_by_dtmi(gm_str dtmi, const gm_extension **out_extension);

// What a term of the extension stands for ("...:Mqtt", "...:Mqtt:payloadFormat", "dtmi:iotcentral:schema:vector;2"),
// written to out. False when it has no such term.
enum { GM_EXTENSION_DTMI = 160 };
bool gm_extension_expand(const gm_extension *extension, gm_str term, char out[GM_EXTENSION_DTMI]);

// The identifier of a co-type's own member.
void gm_cotype_prop_dtmi(const gm_extension *extension, const gm_cotype *cotype, const gm_meta_prop *prop,
                         char out[GM_EXTENSION_DTMI]);

#endif
