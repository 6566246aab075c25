#include "model/extension.h"

#include "model/quantity.h"

#include <assert.h>

#define STD "dtmi:dtdl:extension:"

static const gm_extension extensions[] = {
    { STD "quantitativeTypes", 1, GM_V3, STD "quantitativeTypes:v1", GM_QUANTITY_EXTENSION_1, NULL, 0 },
    { STD "quantitativeTypes", 2, GM_V4, STD "quantitativeTypes:v2", GM_QUANTITY_EXTENSION_2, NULL, 0 },
    { STD "quantitativeTypes", 3, GM_V4, STD "quantitativeTypes:v3", GM_QUANTITY_EXTENSION_3, NULL, 0 },
    { STD "historization", 1, GM_V3, STD "historization:v1", 0, NULL, 0 },
    { STD "historization", 2, GM_V4, STD "historization:v2", 0, NULL, 0 },
    { STD "annotation", 1, GM_V3, STD "annotation:v1", 0, NULL, 0 },
    { STD "annotation", 2, GM_V4, STD "annotation:v2", 0, NULL, 0 },
    { STD "overriding", 1, GM_V3, STD "overriding:v1", 0, NULL, 0 },
    { STD "overriding", 2, GM_V4, STD "overriding:v2", 0, NULL, 0 },
    { STD "mqtt", 1, GM_V34, STD "mqtt:v1", 0, NULL, 0 },
    { STD "mqtt", 2, GM_V34, STD "mqtt:v2", 0, NULL, 0 },
    { STD "mqtt", 3, GM_V34, STD "mqtt:v3", 0, NULL, 0 },
    { STD "mqtt", 4, GM_V34, STD "mqtt:v4", 0, NULL, 0 },
    { STD "requirement", 1, GM_V4, STD "requirement:v1", 0, NULL, 0 },
    { STD "requirement", 2, GM_V4, STD "requirement:v2", 0, NULL, 0 },
    { "dtmi:iotcentral:context", 2, GM_V2, "dtmi:iotcentral", 0, NULL, 2 },
    { "dtmi:iotoperations:context", 4, GM_V4, "dtmi:iotoperations", 0, NULL, 0 },
    { "dtmi:dtdl:limits:onvif", 1, GM_V4, NULL, 0, "onvif_1", 0 },
    { "dtmi:dtdl:limits:aio", 1, GM_V4, NULL, 0, "aio_1", 0 },
};
enum { EXTENSION_COUNT = sizeof extensions / sizeof extensions[0] };
_Static_assert(EXTENSION_COUNT <= 32, "sets of extensions are 32 bits");

const gm_extension *gm_extension_find(gm_str versionless, unsigned major, unsigned minor, bool *out_name_known)
{
    *out_name_known = false;
    for (size_t i = 0; i < EXTENSION_COUNT; i++) {
        if (!gm_str_is(versionless, extensions[i].name)) continue;
        *out_name_known = true;
        if (extensions[i].version == major && minor == 0) return &extensions[i];
    }
    return NULL;
}

unsigned gm_extension_bit(const gm_extension *extension) { return 1u << (extension - extensions); }
size_t   gm_extension_count(void) { return EXTENSION_COUNT; }

const gm_extension *gm_extension_at(size_t i)
{
    assert(i < EXTENSION_COUNT);
    return &extensions[i];
}
