// Built without zip archives or XML: packages are refused by name; environments in JSON work as ever.
#include "aas/aasx.h"

static const char WHY[] = "this gemel was built without libzip or libxml2: it reads and writes environments in JSON, no packages";

gm_status gm_aasx_write(const gm_aasx_package *package, const json_t *environment, gm_aasx_form form, gm_buf *out, gm_error *err)
{
    (void)package, (void)environment, (void)form, (void)out;
    return gm_fail(err, GM_INVALID, "aas.package", "%s", WHY);
}

gm_status gm_aasx_read(const gm_alloc *alloc, const uint8_t *bytes, size_t size, const gm_aasx_limits *limits, gm_aasx_package *out, json_t **out_environment,
                       gm_error *err)
{
    (void)bytes, (void)size, (void)limits;
    *out_environment = NULL;
    gm_aasx_begin(out, alloc);
    return gm_fail(err, GM_INVALID, "aas.package", "%s", WHY);
}

json_t *gm_aas_read_xml(const uint8_t *bytes, size_t size, gm_error *err)
{
    (void)bytes, (void)size;
    (void)!gm_fail(err, GM_INVALID, "aas.package", "%s", WHY);
    return NULL;
}
