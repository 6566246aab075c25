#include "aas/check.h"
#include "support/support.h"

#include <stdio.h>

#define REF "{\"type\":\"ExternalReference\",\"keys\":[{\"type\":\"GlobalReference\",\"value\":\"x\"}]}"
#define SM(elements) "{\"submodels\":[{\"modelType\":\"Submodel\",\"id\":\"s\",\"submodelElements\":[" elements "]}]}"
#define SHELL(rest) "{\"assetAdministrationShells\":[{\"modelType\":\"AssetAdministrationShell\",\"id\":\"a\"" rest "}]}"
#define PROP(name, rest) "{\"modelType\":\"Property\",\"idShort\":\"" name "\"" rest "}"
#define INT ",\"valueType\":\"xs:int\""

typedef struct told { char text[1200]; size_t count; } told;

static void tell(void *context, gm_str pointer, const char *text)
{
    told *t = context;
    if (t->count++ == 0) snprintf(t->text, sizeof t->text, "%.*s %s", GM_STR_ARG(pointer), text);
}

static void each_constraint_is_told_by_itself_with_its_place(void **state)
{
    (void)state;
    static const struct { const char *env, *expect; } cases[] = {
        { "{}", NULL },
        { "[]", "an environment is an object" },
        { "{\"shells\":[]}", "no 'shells'" },
        { "{\"submodels\":[]}", "/submodels is an empty list" },
        { "{\"submodels\":[1]}", "/submodels/0 must be an object" },
        { SHELL(""), "'assetInformation' is missing" },
        { SHELL(",\"assetInformation\":{\"globalAssetId\":\"x\"}"), "'assetKind' is missing" },
        { SHELL(",\"assetInformation\":{\"assetKind\":\"Thing\",\"globalAssetId\":\"x\"}"), "'assetKind' is" },
        { SHELL(",\"assetInformation\":{\"assetKind\":\"Instance\"}"), "AASd-131" },
        { SHELL(",\"assetInformation\":{\"assetKind\":\"Instance\",\"globalAssetId\":\"x\"}"), NULL },
        { SHELL(",\"assetInformation\":{\"assetKind\":\"Instance\",\"globalAssetId\":\"x\"},\"submodels\":[" REF "]"), NULL },
        { SHELL(",\"idShort\":\"a b\",\"assetInformation\":{\"assetKind\":\"Instance\",\"globalAssetId\":\"x\"}"), "AASd-002" },
        { SHELL(",\"administration\":{\"revision\":\"1\"},\"assetInformation\":{\"assetKind\":\"Instance\",\"globalAssetId\":\"x\"}"), "AASd-005" },
        { "{\"submodels\":[{\"modelType\":\"Submodel\",\"id\":\"s\"},{\"modelType\":\"Submodel\",\"id\":\"s\"}]}", "is there twice" },
        { "{\"submodels\":[{\"modelType\":\"Shell\",\"id\":\"s\"}]}", "'modelType' must be Submodel" },
        { "{\"submodels\":[{\"modelType\":\"Submodel\"}]}", "'id' is missing" },
        { "{\"submodels\":[{\"modelType\":\"Submodel\",\"id\":\"s\",\"kind\":\"Sort\"}]}", "Instance or Template" },
        { SM(PROP("p", INT ",\"value\":\"5\"")), NULL },
        { SM(PROP("p", INT ",\"value\":\"5.5\"")), "/submodels/0/submodelElements/0 '5.5' is no xs:int" },
        { SM(PROP("p", INT ",\"value\":5")), "must be a text" },
        { SM(PROP("p", ",\"valueType\":\"xs:byte\",\"value\":\"128\"")), "is no xs:byte" },
        { SM(PROP("p", ",\"valueType\":\"xs:boolean\",\"value\":\"yes\"")), "is no xs:boolean" },
        { SM(PROP("p", ",\"valueType\":\"xs:double\",\"value\":\"INF\"")), NULL },
        { SM(PROP("p", ",\"valueType\":\"int\"")), "no type of a value" },
        { SM(PROP("p", "")), "'valueType' is missing" },
        { SM("{\"modelType\":\"Property\",\"valueType\":\"xs:int\"}"), "AASd-117" },
        { SM(PROP("p", INT) "," PROP("p", INT)), "AASd-022" },
        { SM("{\"modelType\":\"Thing\",\"idShort\":\"t\"}"), "no element of a submodel" },
        { SM("{\"idShort\":\"t\"}"), "'modelType' is missing" },
        { SM(PROP("p", INT ",\"semanticId\":{\"type\":\"Some\",\"keys\":[{\"type\":\"GlobalReference\",\"value\":\"x\"}]}")), "ModelReference or" },
        { SM(PROP("p", INT ",\"semanticId\":{\"type\":\"ExternalReference\",\"keys\":[]}")), "empty list" },
        { SM(PROP("p", INT ",\"semanticId\":{\"type\":\"ExternalReference\",\"keys\":[{\"type\":\"Submodel\",\"value\":\"x\"}]}")), "AASd-122" },
        { SM(PROP("p", INT ",\"semanticId\":{\"type\":\"ModelReference\",\"keys\":[{\"type\":\"Property\",\"value\":\"x\"}]}")), "AASd-123" },
        { SM(PROP("p", INT ",\"semanticId\":{\"type\":\"ModelReference\",\"keys\":[{\"type\":\"Submodel\",\"value\":\"x\"},{\"type\":\"Door\",\"value\":\"x\"}]}")), "no type of a key" },
        { SM(PROP("p", INT ",\"supplementalSemanticIds\":[" REF "]")), "AASd-118" },
        { SM(PROP("p", INT ",\"qualifiers\":[{\"type\":\"q\",\"valueType\":\"xs:int\"},{\"type\":\"q\",\"valueType\":\"xs:int\"}]")), "AASd-021" },
        { SM(PROP("p", INT ",\"description\":[{\"language\":\"e n\",\"text\":\"x\"}]")), "no language" },
        { SM("{\"modelType\":\"SubmodelElementList\",\"idShort\":\"l\"}"), "'typeValueListElement' is missing" },
        { SM("{\"modelType\":\"SubmodelElementList\",\"idShort\":\"l\",\"typeValueListElement\":\"Property\"}"), "AASd-109" },
        { SM("{\"modelType\":\"SubmodelElementList\",\"idShort\":\"l\",\"typeValueListElement\":\"Capability\",\"value\":[{\"modelType\":\"Property\",\"valueType\":\"xs:int\"}]}"), "AASd-108" },
        { SM("{\"modelType\":\"SubmodelElementList\",\"idShort\":\"l\",\"typeValueListElement\":\"Capability\",\"value\":[{\"modelType\":\"Capability\",\"semanticId\":{\"type\":\"ExternalReference\",\"keys\":[{\"type\":\"GlobalReference\",\"value\":\"a\"}]}},{\"modelType\":\"Capability\",\"semanticId\":{\"type\":\"ExternalReference\",\"keys\":[{\"type\":\"GlobalReference\",\"value\":\"b\"}]}}]}"), "AASd-114" },
        { SM("{\"modelType\":\"SubmodelElementList\",\"idShort\":\"l\",\"typeValueListElement\":\"Capability\",\"semanticIdListElement\":{\"type\":\"ExternalReference\",\"keys\":[{\"type\":\"GlobalReference\",\"value\":\"b\"}]},\"value\":[{\"modelType\":\"Capability\",\"semanticId\":{\"type\":\"ExternalReference\",\"keys\":[{\"type\":\"GlobalReference\",\"value\":\"a\"}]}}]}"), "AASd-107" },
        { SM("{\"modelType\":\"SubmodelElementList\",\"idShort\":\"l\",\"typeValueListElement\":\"Capability\",\"value\":[{\"modelType\":\"Capability\",\"idShort\":\"c\"}]}"), "AASd-120" },
        { SM("{\"modelType\":\"Entity\",\"idShort\":\"e\",\"entityType\":\"SelfManagedEntity\"}"), "AASd-014" },
        { SM("{\"modelType\":\"Entity\",\"idShort\":\"e\",\"entityType\":\"CoManagedEntity\",\"globalAssetId\":\"x\"}"), "AASd-014" },
        { SM("{\"modelType\":\"RelationshipElement\",\"idShort\":\"r\",\"first\":" REF "}"), "first and a second" },
        { SM("{\"modelType\":\"Blob\",\"idShort\":\"b\",\"value\":\"a?\"}"), "base64" },
        { SM("{\"modelType\":\"Range\",\"idShort\":\"r\",\"valueType\":\"xs:int\",\"min\":\"x\"}"), "is no xs:int" },
        { SM("{\"modelType\":\"BasicEventElement\",\"idShort\":\"b\",\"direction\":\"up\",\"state\":\"on\",\"observed\":" REF "}"), "input or output" },
        { SM("{\"modelType\":\"Operation\",\"idShort\":\"o\",\"inputVariables\":[{}]}"), "is an element" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        told    t   = { 0 };
        json_t *env = json_loads(cases[i].env, 0, NULL);
        assert_non_null(env);
        size_t n = gm_aas_check(env, tell, &t);
        bool   as_expected = cases[i].expect == NULL ? n == 0 : n == 1 && strstr(t.text, cases[i].expect) != NULL;
        if (!as_expected) fail_msg("%s\n%zu: %s", cases[i].env, n, t.text);
        json_decref(env);
    }
}

static void nesting_has_an_end(void **state)
{
    (void)state;
    json_t *element = json_pack("{ssss}", "modelType", "SubmodelElementCollection", "idShort", "c");
    for (int i = 0; i < 200; i++) element = json_pack("{sssss[o]}", "modelType", "SubmodelElementCollection", "idShort", "c", "value", element);
    json_t *env = json_pack("{s[{sssss[o]}]}", "submodels", "modelType", "Submodel", "id", "s", "submodelElements", element);
    told    t   = { 0 };
    assert_int_equal(gm_aas_check(env, tell, &t), 1);
    assert_non_null(strstr(t.text, "nested more than"));
    json_decref(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_constraint_is_told_by_itself_with_its_place), cmocka_unit_test(nesting_has_an_end) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
