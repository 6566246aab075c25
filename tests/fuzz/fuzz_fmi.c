// modelDescription.xml of an FMU that nobody vouches for.
#include "physics/fmi/description.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gm_arena           *arena = gm_arena_create(gm_alloc_system(), 64 << 20);
    gm_fmu_description *d;
    if (arena == NULL) return 0;
    if (gm_fmu_description_parse(arena, (gm_str){ (const char *)data, size }, &d, NULL) == GM_OK) (void)gm_fmu_find(d, GM_STR("x"));
    gm_arena_destroy(arena);
    return 0;
}
