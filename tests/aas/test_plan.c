#include "aas/plan.h"
#include "state/document.h"
#include "support/support.h"

#include <stdlib.h>

static json_t *load(const char *text)
{
    json_error_t why;
    json_t      *json = json_loads(text, 0, &why);
    if (json == NULL) fail_msg("%s at %d", why.text, why.position);
    return json;
}

static bool has(const json_t *list, const char *expect)
{
    gm_buf text = gm_buf_init(gm_alloc_system());
    gm_document_compact(list, &text);
    bool is = gm_str_find(gm_buf_view(&text), gm_str_of(expect)) != SIZE_MAX;
    if (!is) print_message("not in " GM_STR_FMT "\n", (int)text.len, (char *)text.ptr);
    gm_buf_finish(&text);
    return is;
}

#define SEM(id) "\"semanticId\":{\"type\":\"ExternalReference\",\"keys\":[{\"type\":\"GlobalReference\",\"value\":\"" id "\"}]}"
#define REF(id) "{\"type\":\"ModelReference\",\"keys\":[{\"type\":\"Submodel\",\"value\":\"" id "\"}]}"

static const char foreign[] =
    "{\"assetAdministrationShells\":[{\"modelType\":\"AssetAdministrationShell\",\"id\":\"https://m.example/aas/1\",\"idShort\":\"Fan\",\"displayName\":[{\"language\":\"en\",\"text\":\"A fan\"}],"
    "\"assetInformation\":{\"assetKind\":\"Instance\",\"globalAssetId\":\"https://m.example/asset/1\"},\"submodels\":[" REF("np") "," REF("td") "," REF("hs") "," REF("own") "," REF("gone") "]},"
    "{\"modelType\":\"AssetAdministrationShell\",\"id\":\"https://m.example/aas/motor\",\"assetInformation\":{\"assetKind\":\"Type\",\"globalAssetId\":\"https://m.example/asset/motor\"}}],"
    "\"submodels\":["
    "{\"modelType\":\"Submodel\",\"id\":\"np\",\"idShort\":\"Nameplate\"," SEM("https://admin-shell.io/zvei/nameplate/2/0/Nameplate") ",\"submodelElements\":["
    "{\"modelType\":\"MultiLanguageProperty\",\"idShort\":\"ManufacturerName\",\"value\":[{\"language\":\"de\",\"text\":\"Muster\"},{\"language\":\"en\",\"text\":\"Example\"}]},"
    "{\"modelType\":\"Property\",\"idShort\":\"SerialNumber\",\"valueType\":\"xs:string\",\"value\":\"SN-1\"},{\"modelType\":\"Property\",\"idShort\":\"Color\",\"valueType\":\"xs:string\",\"value\":\"red\"}]},"
    "{\"modelType\":\"Submodel\",\"id\":\"td\"," SEM("https://admin-shell.io/ZVEI/TechnicalData/Submodel/1/2") ",\"submodelElements\":[{\"modelType\":\"SubmodelElementCollection\",\"idShort\":\"TechnicalProperties\",\"value\":["
    "{\"modelType\":\"SubmodelElementCollection\",\"idShort\":\"air\",\"value\":[{\"modelType\":\"Property\",\"idShort\":\"flow\"," SEM("flow-concept") ",\"valueType\":\"xs:float\",\"value\":\"2.5\"}]},"
    "{\"modelType\":\"Property\",\"idShort\":\"atex\",\"valueType\":\"xs:boolean\",\"value\":\"true\"}]}]},"
    "{\"modelType\":\"Submodel\",\"id\":\"hs\"," SEM("https://admin-shell.io/idta/HierarchicalStructures/1/0/Submodel") ",\"submodelElements\":[{\"modelType\":\"Entity\",\"idShort\":\"Fan\",\"entityType\":\"SelfManagedEntity\",\"globalAssetId\":\"https://m.example/asset/1\",\"statements\":["
    "{\"modelType\":\"Entity\",\"idShort\":\"motor\",\"entityType\":\"SelfManagedEntity\",\"globalAssetId\":\"https://m.example/asset/motor\",\"statements\":[{\"modelType\":\"Entity\",\"idShort\":\"bearing\",\"entityType\":\"CoManagedEntity\",\"statements\":["
    "{\"modelType\":\"Property\",\"idShort\":\"BulkCount\",\"valueType\":\"xs:unsignedLong\",\"value\":\"2\"}]}]}]}]},"
    "{\"modelType\":\"Submodel\",\"id\":\"own\",\"submodelElements\":[{\"modelType\":\"Property\",\"idShort\":\"x\",\"valueType\":\"xs:int\",\"value\":\"1\"}]}],"
    "\"conceptDescriptions\":[{\"modelType\":\"ConceptDescription\",\"id\":\"flow-concept\",\"embeddedDataSpecifications\":[{\"dataSpecificationContent\":{\"modelType\":\"DataSpecificationIec61360\",\"unit\":\"m3/h\"}}]}]}";

static void shells_of_others_become_twins_facts_and_what_is_kept(void **state)
{
    (void)state;
    gm_arena   *arena = gm_arena_create(gm_alloc_system(), 0);
    json_t     *env   = load(foreign);
    gm_aas_plan plan;
    gm_error    err = { 0 };
    assert_gm_ok(gm_aas_plan_make(env, NULL, NULL, arena, &plan, &err), err);
    assert_true(has(plan.models, "\"@id\":\"" GM_AAS_ASSET_MODEL "\""));
    assert_int_equal(json_array_size(plan.twins), 1);  // a type of parts is none
    assert_true(has(plan.twins, "{\"$dtId\":\"https://m.example/aas/1\",\"$metadata\":{\"$model\":\"" GM_AAS_ASSET_MODEL "\"}}"));
    static const char *const facts[] = {
        "{\"twin\":\"https://m.example/aas/1\",\"phase\":\"as-built\",\"key\":\"manufacturerName\",\"value\":\"Example\"}",
        "\"key\":\"serialNumber\",\"value\":\"SN-1\"}",
        "{\"twin\":\"https://m.example/aas/1\",\"phase\":\"as-designed\",\"key\":\"air/flow\",\"value\":2.5,\"unit\":\"m3/h\"}",
        "\"key\":\"atex\",\"value\":true}",
        "{\"twin\":\"https://m.example/aas/1\",\"phase\":\"as-designed\",\"key\":\"bom/motor\",\"part\":\"https://m.example/aas/motor\"}",
        "{\"twin\":\"https://m.example/aas/motor\",\"phase\":\"as-designed\",\"key\":\"bom/bearing\",\"part\":\"bearing\",\"quantity\":2}",
        "\"key\":\"aas/shell\",\"value\":{\"modelType\":\"AssetAdministrationShell\",\"id\":\"https://m.example/aas/1\",\"idShort\":\"Fan\",\"displayName\"",
        "\"key\":\"aas/submodels/00000\",\"part\":\"submodel:np\",\"position\":\"Nameplate\"}",
        "\"key\":\"aas/submodels/00004\",\"part\":\"submodel:gone\"}",
        "{\"twin\":\"submodel:np\",\"phase\":\"as-designed\",\"key\":\"aas/submodel\",\"value\":{\"modelType\":\"Submodel\",\"id\":\"np\"",
        "\"idShort\":\"Color\"",
        "{\"twin\":\"concept:flow-concept\",\"phase\":\"as-designed\",\"key\":\"aas/concept\",\"value\":{\"modelType\":\"ConceptDescription\"",
    };
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        if (!has(plan.facts, facts[i])) fail_msg("no fact %s", facts[i]);
    }
    assert_true(has(plan.notes, "'gone' is not in the file"));
    gm_aas_plan_finish(&plan);
    json_decref(env);
    gm_arena_destroy(arena);
}

static void planning_survives_nonsense(void **state)
{
    (void)state;
    static const char *const nonsense[] = {
        "{}", "[]", "{\"assetAdministrationShells\":[{}]}", "{\"assetAdministrationShells\":[{\"id\":\"\"}]}", "{\"assetAdministrationShells\":1,\"submodels\":[1,{},{\"id\":5}]}",
        "{\"submodels\":[{\"id\":\"urn:gemel:submodel:Interface:dtmi%3Ax%3By\",\"submodelElements\":[{\"idShort\":\"DTDL\",\"modelType\":\"Blob\",\"value\":\"!!\"}]}]}",
        "{\"submodels\":[{\"modelType\":\"Submodel\",\"id\":\"urn:gemel:submodel:DigitalThread:x\",\"submodelElements\":[{\"modelType\":\"SubmodelElementList\",\"idShort\":\"Facts\",\"value\":[{},1,null]}]}]}",
        "{\"submodels\":[{\"modelType\":\"Submodel\",\"id\":\"urn:gemel:submodel:Relationships:x\",\"submodelElements\":[{\"modelType\":\"SubmodelElementList\",\"idShort\":\"Relationships\",\"value\":[{\"modelType\":\"AnnotatedRelationshipElement\"}]}]}]}",
        "{\"conceptDescriptions\":[{\"id\":\"c\"},{}]}",
    };
    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
        gm_arena   *arena = gm_arena_create(gm_alloc_system(), 0);
        json_t     *env   = load(nonsense[i]);
        gm_aas_plan plan;
        gm_error    err;
        (void)!gm_aas_plan_make(env, NULL, NULL, arena, &plan, &err);
        gm_aas_plan_finish(&plan);
        json_decref(env);
        gm_arena_destroy(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(shells_of_others_become_twins_facts_and_what_is_kept), cmocka_unit_test(planning_survives_nonsense) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
