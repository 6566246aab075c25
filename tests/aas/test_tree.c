#include "aas/tree.h"
#include "state/document.h"
#include "support/support.h"

#include <stdlib.h>

static const char text[] =
    "{\"modelType\":\"Submodel\",\"id\":\"s\",\"idShort\":\"S\",\"submodelElements\":["
    "{\"modelType\":\"Property\",\"idShort\":\"d\",\"valueType\":\"xs:double\",\"value\":\"2.5\"},"
    "{\"modelType\":\"Property\",\"idShort\":\"t\",\"valueType\":\"xs:string\",\"value\":\"2.5\"},"
    "{\"modelType\":\"Property\",\"idShort\":\"b\",\"valueType\":\"xs:boolean\",\"value\":\"1\"},"
    "{\"modelType\":\"Property\",\"idShort\":\"n\",\"valueType\":\"xs:int\"},"
    "{\"modelType\":\"Property\",\"idShort\":\"inf\",\"valueType\":\"xs:float\",\"value\":\"INF\"},"
    "{\"modelType\":\"MultiLanguageProperty\",\"idShort\":\"m\",\"value\":[{\"language\":\"en\",\"text\":\"pump\"},{\"language\":\"de\",\"text\":\"Pumpe\"}]},"
    "{\"modelType\":\"Range\",\"idShort\":\"r\",\"valueType\":\"xs:int\",\"min\":\"1\",\"max\":\"9\"},"
    "{\"modelType\":\"SubmodelElementCollection\",\"idShort\":\"c\",\"value\":[{\"modelType\":\"SubmodelElementList\",\"idShort\":\"l\",\"typeValueListElement\":\"Property\","
    "\"value\":[{\"modelType\":\"Property\",\"valueType\":\"xs:int\",\"value\":\"7\"},{\"modelType\":\"Property\",\"valueType\":\"xs:int\",\"value\":\"8\"}]}]},"
    "{\"modelType\":\"Entity\",\"idShort\":\"e\",\"entityType\":\"SelfManagedEntity\",\"globalAssetId\":\"g\",\"statements\":[{\"modelType\":\"Property\",\"idShort\":\"x\",\"valueType\":\"xs:int\",\"value\":\"3\"}]},"
    "{\"modelType\":\"Blob\",\"idShort\":\"z\",\"contentType\":\"text/plain\",\"value\":\"QUJD\"},"
    "{\"modelType\":\"Capability\",\"idShort\":\"k\"}]}";

static void compare(json_t *json, const char *expect)
{
    gm_buf out = gm_buf_init(gm_alloc_system());
    assert_non_null(json);
    gm_document_compact(json, &out);
    gm_buf_byte(&out, 0);
    assert_string_equal((const char *)out.ptr, expect);
    gm_buf_finish(&out);
}

static void values_alone_are_typed(void **state)
{
    (void)state;
    json_t *tree = json_loads(text, 0, NULL), *value = gm_aas_value_only(tree);
    compare(value, "{\"d\":2.5,\"t\":\"2.5\",\"b\":true,\"n\":null,\"inf\":\"INF\",\"m\":[{\"en\":\"pump\"},{\"de\":\"Pumpe\"}],\"r\":{\"min\":1,\"max\":9},\"c\":{\"l\":[7,8]},"
                   "\"e\":{\"entityType\":\"SelfManagedEntity\",\"globalAssetId\":\"g\",\"statements\":{\"x\":3}},\"z\":{\"contentType\":\"text/plain\",\"value\":\"QUJD\"}}");
    json_decref(value);
    json_t *list = json_array();
    gm_aas_paths(tree, (gm_str){ 0 }, list);
    compare(list, "[\"d\",\"t\",\"b\",\"n\",\"inf\",\"m\",\"r\",\"c\",\"c.l\",\"c.l[0]\",\"c.l[1]\",\"e\",\"e.x\",\"z\",\"k\"]");
    json_decref(list);
    json_t *metadata = gm_aas_metadata_only(tree);
    compare(metadata, "{\"modelType\":\"Submodel\",\"id\":\"s\",\"idShort\":\"S\"}");
    json_decref(metadata);
    gm_aas_trim_blobs(tree, 0);
    assert_null(json_object_get(gm_aas_find(tree, GM_STR("z")), "value"));
    gm_aas_trim_core(tree);
    assert_null(json_object_get(gm_aas_find(tree, GM_STR("c")), "value"));
    json_decref(tree);
}

static void paths_find_what_they_name_and_nothing_else(void **state)
{
    (void)state;
    json_t *tree = json_loads(text, 0, NULL);
    static const char *const there[] = { "d", "c.l", "c.l[1]", "e.x" };
    static const char *const not_there[] = { "", "x", "c.l[2]", "c.l[]", "c.l[99999999999999]", "c[0]", "[0]", "c..l", ".d", "d.", "c.l[1", "c.l[1]x", "c.l[-1]" };
    for (size_t i = 0; i < sizeof there / sizeof there[0]; i++) assert_non_null(gm_aas_find(tree, gm_str_of(there[i])));
    for (size_t i = 0; i < sizeof not_there / sizeof not_there[0]; i++) {
        if (gm_aas_find(tree, gm_str_of(not_there[i])) != NULL) fail_msg("'%s' finds something", not_there[i]);
    }
    json_decref(tree);
}

static void values_are_set_when_they_fit(void **state)
{
    (void)state;
    static const struct { const char *path, *value, *expect; } cases[] = {
        { "d", "3", "3" },       { "d", "\"1e3\"", "1e3" }, { "d", "true", NULL },  { "d", "[1]", NULL },     { "t", "5", "5" },
        { "b", "false", "false" }, { "b", "\"no\"", NULL },   { "n", "2.5", NULL },   { "n", "-3", "-3" },      { "c", "{}", NULL },
        { "k", "1", NULL },      { "m", "\"x\"", NULL },    { "r", "{\"min\":2}", "" }, { "r", "{}", NULL },    { "r", "{\"min\":\"x\"}", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t   *tree = json_loads(text, 0, NULL), *value = json_loads(cases[i].value, JSON_DECODE_ANY, NULL), *element = gm_aas_find(tree, gm_str_of(cases[i].path));
        gm_error  err  = { 0 };
        gm_status st   = gm_aas_set_value(element, value, &err);
        if ((st == GM_OK) != (cases[i].expect != NULL)) fail_msg("%s = %s: %s", cases[i].path, cases[i].value, err.text);
        if (st == GM_OK && cases[i].expect[0] != '\0') assert_string_equal(json_string_value(json_object_get(element, "value")), cases[i].expect);
        json_decref(tree);
        json_decref(value);
    }
    json_t  *tree = json_loads(text, 0, NULL), *value = json_loads("[{\"en\":\"fan\"}]", 0, NULL);
    gm_error err;
    assert_gm_ok(gm_aas_set_value(gm_aas_find(tree, GM_STR("m")), value, &err), err);
    compare(json_object_get(gm_aas_find(tree, GM_STR("m")), "value"), "[{\"language\":\"en\",\"text\":\"fan\"}]");
    json_decref(tree);
    json_decref(value);
}

static void types_know_their_texts(void **state)
{
    (void)state;
    static const struct { const char *type, *text; bool fits; } cases[] = {
        { "xs:long", "9223372036854775807", true },    { "xs:long", "9223372036854775808", false },    { "xs:long", "-9223372036854775808", true },
        { "xs:unsignedLong", "18446744073709551615", true }, { "xs:unsignedLong", "18446744073709551616", false }, { "xs:unsignedLong", "-0", true },
        { "xs:unsignedByte", "-1", false },            { "xs:int", "+0005", true },                   { "xs:positiveInteger", "0", false },
        { "xs:negativeInteger", "-1", true },          { "xs:integer", "123456789012345678901234567890", true }, { "xs:int", "", false },
        { "xs:double", "1.", true },                   { "xs:double", ".5", true },                   { "xs:double", ".", false },
        { "xs:double", "1e", false },                  { "xs:decimal", "1e3", false },                { "xs:decimal", "-1.5", true },
        { "xs:date", "2024-01-01", true },             { "xs:date", "tomorrow", false },              { "xs:thing", "x", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (gm_aas_fits(gm_str_of(cases[i].type), gm_str_of(cases[i].text)) != cases[i].fits) fail_msg("%s '%s'", cases[i].type, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_alone_are_typed),
        cmocka_unit_test(paths_find_what_they_name_and_nothing_else),
        cmocka_unit_test(values_are_set_when_they_fit),
        cmocka_unit_test(types_know_their_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
