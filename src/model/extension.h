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
    const char *limits;       // name of the limits it stands for, NULL when it is none
    unsigned    implied;      // the version of DTDL that it brings along, 0 when it does not
} gm_extension;

// By name and version. *out_name_known tells whether some version of the name exists.
const gm_extension *gm_extension_find(gm_str versionless, unsigned major, unsigned minor, bool *out_name_known);
unsigned            gm_extension_bit(const gm_extension *extension);
const gm_extension *gm_extension_at(size_t i);
size_t              gm_extension_count(void);

#endif
