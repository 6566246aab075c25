// Packages of the Asset Administration Shell, and environments in XML: whatever bytes come, they are read within the limits, or refused.
#include "aas/aasx.h"
#include "aas/check.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gm_aasx_limits  limits = { .entries_max = 100, .bytes_max = 1 << 20, .entry_max = 1 << 19, .ratio_max = 200 };
    gm_aasx_package package;
    json_t         *env = NULL;
    gm_error        err = { 0 };
    uint64_t        total = 0;
    if (size > 0 && data[0] == '<') {
        env = gm_aas_read_xml(data, size, &err);
        if (env != NULL) (void)gm_aas_check(env, NULL, NULL);
        json_decref(env);
        return 0;
    }
    gm_status st = gm_aasx_read(gm_alloc_system(), data, size, &limits, &package, &env, &err);
    if ((st == GM_OK) != (env != NULL)) abort();
    for (size_t i = 0; i < package.count; i++) total += package.files[i].bytes.len;
    if (total > limits.bytes_max || package.count > limits.entries_max) abort();
    if (env != NULL) (void)gm_aas_check(env, NULL, NULL);
    json_decref(env);
    gm_aasx_finish(&package);
    return 0;
}
