// modelDescription.xml and buildDescription.xml of an FMU that nobody vouches for.
#include "physics/fmi/build_description.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char described[] = "<fmiModelDescription fmiVersion='3.0' modelName='m' instantiationToken='t'><CoSimulation modelIdentifier='m'/>"
                                "<ModelStructure/></fmiModelDescription>";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gm_arena           *arena = gm_arena_create(gm_alloc_system(), 64 << 20);
    gm_str              text  = { (const char *)data, size };
    gm_fmu_description *d;
    if (arena == NULL) return 0;
    if (gm_fmu_description_parse(arena, text, &d, NULL) == GM_OK) (void)gm_fmu_find(d, GM_STR("x"));
    if (gm_fmu_description_parse(arena, gm_str_of(described), &d, NULL) == GM_OK) (void)!gm_fmu_build_description_parse(arena, text, d, NULL);
    gm_arena_destroy(arena);
    return 0;
}
