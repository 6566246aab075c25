#include "aas/aasx.h"
#include "aas/check.h"
#include "state/document.h"
#include "support/support.h"

#include <stdlib.h>
#include <zip.h>

static const gm_alloc *alloc;

#define TYPES "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"pdf\" ContentType=\"application/pdf\"/></Types>"
#define RELS(type, target) "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"r\" Type=\"" type "\" Target=\"" target "\"/></Relationships>"
#define ORIGIN "http://www.admin-shell.io/aasx/relationships/aasx-origin"
#define SPEC "http://admin-shell.io/aasx/relationships/aas-spec"

typedef struct part { const char *name, *text; size_t size; } part;  // size 0: of the text

// A package as somebody else writes it. password: of the last part; NULL: none.
static gm_buf zip_of(const part *parts, size_t count, const char *password)
{
    zip_error_t   why;
    gm_buf        out = gm_buf_init(alloc);
    zip_stat_t    stat;
    zip_error_init(&why);
    zip_source_t *source = zip_source_buffer_create(NULL, 0, 0, &why);
    zip_t        *zip    = zip_open_from_source(source, ZIP_TRUNCATE, &why);
    zip_source_keep(source);
    for (size_t i = 0; i < count; i++) {
        zip_source_t *bytes = zip_source_buffer(zip, parts[i].text, parts[i].size > 0 ? parts[i].size : strlen(parts[i].text), 0);
        zip_int64_t   index = zip_file_add(zip, parts[i].name, bytes, 0);
        assert_true(index >= 0);
        if (password != NULL && i + 1 == count) assert_int_equal(zip_file_set_encryption(zip, (zip_uint64_t)index, ZIP_EM_AES_256, password), 0);
    }
    assert_int_equal(zip_close(zip), 0);
    zip_stat_init(&stat);
    assert_int_equal(zip_source_stat(source, &stat), 0);
    assert_int_equal(zip_source_open(source), 0);
    uint8_t *to = gm_buf_reserve(&out, (size_t)stat.size);
    assert_int_equal(zip_source_read(source, to, stat.size), (zip_int64_t)stat.size);
    out.len = (size_t)stat.size;
    zip_source_close(source);
    zip_source_free(source);
    return out;
}

static gm_status read_package(const gm_buf *bytes, const gm_aasx_limits *limits, gm_error *err)
{
    gm_aasx_package p;
    json_t         *env;
    gm_status       st = gm_aasx_read(alloc, bytes->ptr, bytes->len, limits, &p, &env, err);
    json_decref(env);
    gm_aasx_finish(&p);
    return st;
}

#define GOOD { "[Content_Types].xml", TYPES, 0 }, { "_rels/.rels", RELS(ORIGIN, "/aasx/aasx-origin"), 0 }, { "aasx/aasx-origin", "x", 0 }, \
             { "aasx/_rels/aasx-origin.rels", RELS(SPEC, "env.json"), 0 }, { "aasx/env.json", "\xef\xbb\xbf{}", 0 }

static void nothing_of_a_package_is_trusted(void **state)
{
    (void)state;
    static char zeros[3 << 20];
    const struct { part parts[8]; const char *password; gm_status st; const char *expect; } cases[] = {
        { { GOOD }, NULL, GM_OK, NULL },
        { { GOOD, { "../outside.txt", "x", 0 } }, NULL, GM_INVALID, "leads outside" },
        { { GOOD, { "a/../../b", "x", 0 } }, NULL, GM_INVALID, "leads outside" },
        { { GOOD, { "/etc/passwd", "x", 0 } }, NULL, GM_INVALID, "absolute" },
        { { GOOD, { "a\\b", "x", 0 } }, NULL, GM_INVALID, "forbidden characters" },
        { { GOOD, { "C:x", "x", 0 } }, NULL, GM_INVALID, "forbidden characters" },
        { { GOOD, { "aasx/zeros.bin", zeros, sizeof zeros } }, NULL, GM_LIMIT, "-fold" },
        { { GOOD, { "aasx/secret.pdf", "%PDF-1.7", 0 } }, "word", GM_INVALID, "encrypted" },
        { { { "x.txt", "x", 0 } }, NULL, GM_INVALID, "[Content_Types].xml" },
        { { { "[Content_Types].xml", TYPES, 0 }, { "x.json", "{}", 0 } }, NULL, GM_INVALID, "no aasx-origin" },
        { { { "[Content_Types].xml", TYPES, 0 }, { "_rels/.rels", RELS(ORIGIN, "/nowhere"), 0 } }, NULL, GM_INVALID, "no aasx-origin" },
        { { { "[Content_Types].xml", TYPES, 0 }, { "_rels/.rels", RELS(ORIGIN, "/o"), 0 }, { "o", "x", 0 } }, NULL, GM_INVALID, "no environment" },
        { { { "[Content_Types].xml", "<!DOCTYPE t [<!ENTITY a \"aaaa\">]><Types/>", 0 }, { "x", "x", 0 } }, NULL, GM_INVALID, "document type" },
        { { { "[Content_Types].xml", "nothing", 0 }, { "x", "x", 0 } }, NULL, GM_INVALID, "is no XML" },
        { { { "[Content_Types].xml", TYPES, 0 }, { "_rels/.rels", RELS(ORIGIN, "/o"), 0 }, { "o", "x", 0 }, { "_rels/o.rels", RELS(SPEC, "/e.json"), 0 }, { "e.json", "{\"a\":1,\"a\":2}", 0 } }, NULL, GM_INVALID, "no JSON" },
    };
    gm_aasx_limits limits = gm_aasx_limits_defaults();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_error err = { 0 };
        size_t   n   = 0;
        while (n < 8 && cases[i].parts[n].name != NULL) n++;
        gm_buf    bytes = zip_of(cases[i].parts, n, cases[i].password);
        gm_status st    = read_package(&bytes, &limits, &err);
        if (st != cases[i].st || (cases[i].expect != NULL && strstr(err.text, cases[i].expect) == NULL)) fail_msg("case %zu: %d %s", i, (int)st, err.text);
        gm_buf_finish(&bytes);
    }
}

// A zip may hold a name twice, though no library writes it: the second's is changed in the bytes.
static void a_name_that_is_there_twice_is_refused(void **state)
{
    (void)state;
    const part     parts[] = { GOOD, { "aasx/one.txt", "1", 0 }, { "aasx/two.txt", "2", 0 } };
    gm_aasx_limits limits = gm_aasx_limits_defaults();
    gm_error       err    = { 0 };
    gm_buf         bytes  = zip_of(parts, 7, NULL);
    int            changed = 0;
    for (size_t i = 0; i + 12 <= bytes.len; i++) {
        if (memcmp(bytes.ptr + i, "aasx/two.txt", 12) == 0) {
            memcpy(bytes.ptr + i + 5, "one", 3);
            changed++;
        }
    }
    assert_int_equal(changed, 2);  // beside the data, and in the directory
    assert_int_equal(read_package(&bytes, &limits, &err), GM_INVALID);
    if (strstr(err.text, "twice") == NULL && strstr(err.text, "no zip archive") == NULL) fail_msg("%s", err.text);
    gm_buf_finish(&bytes);
}

static void limits_are_limits(void **state)
{
    (void)state;
    const part     parts[] = { GOOD, { "aasx/a.bin", "0123456789", 0 } };
    gm_buf         bytes   = zip_of(parts, 6, NULL);
    gm_aasx_limits limits  = gm_aasx_limits_defaults();
    gm_error       err     = { 0 };
    assert_gm_ok(read_package(&bytes, &limits, &err), err);
    limits.entries_max = 5;
    assert_int_equal(read_package(&bytes, &limits, &err), GM_LIMIT);
    assert_non_null(strstr(err.text, "6 entries"));
    limits           = gm_aasx_limits_defaults();
    limits.bytes_max = 100;
    assert_int_equal(read_package(&bytes, &limits, &err), GM_LIMIT);
    limits           = gm_aasx_limits_defaults();
    limits.entry_max = 9;
    assert_int_equal(read_package(&bytes, &limits, &err), GM_LIMIT);
    // Cut off anywhere, it is refused, not read beyond its end.
    limits = gm_aasx_limits_defaults();
    for (size_t n = 0; n < bytes.len; n += 7) {
        gm_buf cut = { .ptr = bytes.ptr, .len = n };
        assert_int_not_equal(read_package(&cut, &limits, &err), GM_OK);
    }
    gm_buf_finish(&bytes);
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    gm_aasx_limits  limits = gm_aasx_limits_defaults();
    gm_aasx_package p, back;
    gm_error        err = { 0 };
    gm_buf          first = gm_buf_init(alloc), second = gm_buf_init(alloc);
    json_t         *env = json_pack("{s[{ssss}]}", "submodels", "modelType", "Submodel", "id", "s & <t>"), *again;
    gm_aasx_begin(&p, alloc);
    assert_gm_ok(gm_aasx_add(&p, GM_STR("/aasx/documents/0/a&b.pdf"), GM_STR("application/pdf"), (const uint8_t *)"%PDF-1.7", 8, &err), err);
    assert_gm_ok(gm_aasx_add(&p, GM_STR("/aasx/documents/1/empty"), GM_STR(""), (const uint8_t *)"", 0, &err), err);
    assert_gm_ok(gm_aasx_write(&p, env, GM_AASX_JSON, &first, &err), err);
    assert_gm_ok(gm_aasx_write(&p, env, GM_AASX_JSON, &second, &err), err);
    assert_true(gm_str_eq(gm_buf_view(&first), gm_buf_view(&second)));  // nothing of the moment is in it
    assert_gm_ok(gm_aasx_read(alloc, first.ptr, first.len, &limits, &back, &again, &err), err);
    assert_true(json_equal(env, again));
    assert_int_equal(back.count, 2);
    const gm_aasx_file *f = gm_aasx_find(&back, GM_STR("/aasx/documents/0/a&b.pdf"));
    assert_non_null(f);
    assert_true(gm_str_is(gm_buf_view(&f->media), "application/pdf") && gm_str_is(gm_buf_view(&f->bytes), "%PDF-1.7"));
    json_decref(env);
    json_decref(again);
    gm_aasx_finish(&p);
    gm_aasx_finish(&back);
    gm_buf_finish(&first);
    gm_buf_finish(&second);
}

static void xml_says_the_same_as_json(void **state)
{
    (void)state;
    static const char xml[] =
        "<?xml version=\"1.0\"?><environment xmlns=\"https://admin-shell.io/aas/3/0\"><assetAdministrationShells><assetAdministrationShell><idShort>A</idShort><id>a</id>"
        "<assetInformation><assetKind>Instance</assetKind><globalAssetId>g</globalAssetId><specificAssetIds><specificAssetId><name>n</name><value>v</value></specificAssetId></specificAssetIds></assetInformation>"
        "<submodels><reference><type>ModelReference</type><keys><key><type>Submodel</type><value>s</value></key></keys></reference></submodels></assetAdministrationShell></assetAdministrationShells>"
        "<submodels><submodel><id>s</id><submodelElements>"
        "<property><idShort>p</idShort><valueType>xs:int</valueType><value>5</value></property>"
        "<multiLanguageProperty><idShort>m</idShort><value><langStringTextType><language>en</language><text>a &amp; b</text></langStringTextType></value></multiLanguageProperty>"
        "<submodelElementList><idShort>l</idShort><orderRelevant>true</orderRelevant><typeValueListElement>SubmodelElementCollection</typeValueListElement><value><submodelElementCollection><value>"
        "<file><idShort>f</idShort><value>/a.pdf</value><contentType>application/pdf</contentType></file></value></submodelElementCollection></value></submodelElementList>"
        "<operation><idShort>o</idShort><inputVariables><operationVariable><value><property><idShort>i</idShort><valueType>xs:int</valueType></property></value></operationVariable></inputVariables></operation>"
        "<referenceElement><idShort>r</idShort><value><type>ExternalReference</type><keys><key><type>GlobalReference</type><value>x</value></key></keys></value></referenceElement>"
        "</submodelElements></submodel></submodels></environment>";
    static const char expect[] =
        "{\"assetAdministrationShells\":[{\"modelType\":\"AssetAdministrationShell\",\"idShort\":\"A\",\"id\":\"a\",\"assetInformation\":{\"assetKind\":\"Instance\",\"globalAssetId\":\"g\","
        "\"specificAssetIds\":[{\"name\":\"n\",\"value\":\"v\"}]},\"submodels\":[{\"type\":\"ModelReference\",\"keys\":[{\"type\":\"Submodel\",\"value\":\"s\"}]}]}],"
        "\"submodels\":[{\"modelType\":\"Submodel\",\"id\":\"s\",\"submodelElements\":[{\"modelType\":\"Property\",\"idShort\":\"p\",\"valueType\":\"xs:int\",\"value\":\"5\"},"
        "{\"modelType\":\"MultiLanguageProperty\",\"idShort\":\"m\",\"value\":[{\"language\":\"en\",\"text\":\"a & b\"}]},"
        "{\"modelType\":\"SubmodelElementList\",\"idShort\":\"l\",\"orderRelevant\":true,\"typeValueListElement\":\"SubmodelElementCollection\",\"value\":[{\"modelType\":\"SubmodelElementCollection\",\"value\":["
        "{\"modelType\":\"File\",\"idShort\":\"f\",\"value\":\"/a.pdf\",\"contentType\":\"application/pdf\"}]}]},"
        "{\"modelType\":\"Operation\",\"idShort\":\"o\",\"inputVariables\":[{\"value\":{\"modelType\":\"Property\",\"idShort\":\"i\",\"valueType\":\"xs:int\"}}]},"
        "{\"modelType\":\"ReferenceElement\",\"idShort\":\"r\",\"value\":{\"type\":\"ExternalReference\",\"keys\":[{\"type\":\"GlobalReference\",\"value\":\"x\"}]}}]}]}";
    gm_error err  = { 0 };
    json_t  *read = gm_aas_read_xml((const uint8_t *)xml, sizeof xml - 1, &err);
    gm_buf   out  = gm_buf_init(alloc);
    if (read == NULL) fail_msg("%s", err.text);
    gm_document_compact(read, &out);
    gm_buf_byte(&out, 0);
    assert_string_equal((const char *)out.ptr, expect);
    gm_buf_finish(&out);
    json_decref(read);
    static const char *const bad[] = { "", "<a/>", "<environment xmlns=\"http://www.admin-shell.io/aas/2/0\"/>", "<!DOCTYPE x [<!ENTITY a \"b\">]><environment xmlns=\"https://admin-shell.io/aas/3/0\"/>",
                                       "<environment xmlns=\"https://admin-shell.io/aas/3/0\"><submodels/><submodels/></environment>" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_null(gm_aas_read_xml((const uint8_t *)bad[i], strlen(bad[i]), &err));
}

// Every kind of element, and what a text may have in it.
static void what_is_written_as_xml_is_read_back_the_same(void **state)
{
    (void)state;
#define REFERENCE(kind, key, id) "{\"type\":\"" kind "\",\"keys\":[{\"type\":\"" key "\",\"value\":\"" id "\"}]}"
#define OUT REFERENCE("ExternalReference", "GlobalReference", "urn:x")
    static const char text[] =
        "{\"assetAdministrationShells\":[{\"modelType\":\"AssetAdministrationShell\",\"id\":\"a<&>\\\"'\",\"idShort\":\"A1\",\"derivedFrom\":" REFERENCE("ModelReference", "AssetAdministrationShell", "b") ","
        "\"displayName\":[{\"language\":\"de\",\"text\":\"L\u00fcfter\"}],\"administration\":{\"version\":\"1\",\"revision\":\"2\"},\"assetInformation\":{\"assetKind\":\"Instance\",\"globalAssetId\":\"g\","
        "\"specificAssetIds\":[{\"name\":\"n\",\"value\":\"v\",\"externalSubjectId\":" OUT "}],\"assetType\":\"t\",\"defaultThumbnail\":{\"path\":\"/p.png\",\"contentType\":\"image/png\"}},"
        "\"submodels\":[" REFERENCE("ModelReference", "Submodel", "s") "]}],"
        "\"submodels\":[{\"modelType\":\"Submodel\",\"id\":\"s\",\"kind\":\"Instance\",\"semanticId\":" OUT ",\"supplementalSemanticIds\":[" OUT "],\"submodelElements\":["
        "{\"modelType\":\"Property\",\"idShort\":\"p1\",\"category\":\"PARAMETER\",\"qualifiers\":[{\"kind\":\"ValueQualifier\",\"type\":\"unit\",\"valueType\":\"xs:string\",\"value\":\"mm\"}],\"extensions\":[{\"name\":\"e\",\"value\":\"1\",\"refersTo\":[" OUT "]}],\"valueType\":\"xs:string\",\"value\":\" two\\nlines\\r\\t \"},"
        "{\"modelType\":\"MultiLanguageProperty\",\"idShort\":\"m1\",\"value\":[{\"language\":\"en\",\"text\":\"x\"}],\"valueId\":" OUT "},{\"modelType\":\"Range\",\"idShort\":\"r1\",\"valueType\":\"xs:int\",\"min\":\"1\",\"max\":\"2\"},"
        "{\"modelType\":\"Blob\",\"idShort\":\"b1\",\"contentType\":\"text/plain\",\"value\":\"eA==\"},{\"modelType\":\"File\",\"idShort\":\"f1\",\"contentType\":\"text/plain\",\"value\":\"/x.txt\"},"
        "{\"modelType\":\"ReferenceElement\",\"idShort\":\"e1\",\"value\":" OUT "},{\"modelType\":\"SubmodelElementCollection\",\"idShort\":\"c1\",\"value\":[{\"modelType\":\"Capability\",\"idShort\":\"cap\"}]},{\"modelType\":\"SubmodelElementCollection\",\"idShort\":\"c2\"},"
        "{\"modelType\":\"SubmodelElementList\",\"idShort\":\"l1\",\"orderRelevant\":false,\"typeValueListElement\":\"Property\",\"valueTypeListElement\":\"xs:int\",\"value\":[{\"modelType\":\"Property\",\"valueType\":\"xs:int\",\"value\":\"3\"}]},"
        "{\"modelType\":\"Entity\",\"idShort\":\"n1\",\"entityType\":\"CoManagedEntity\",\"statements\":[{\"modelType\":\"Capability\",\"idShort\":\"in\"}]},{\"modelType\":\"RelationshipElement\",\"idShort\":\"rel\",\"first\":" OUT ",\"second\":" OUT "},"
        "{\"modelType\":\"AnnotatedRelationshipElement\",\"idShort\":\"ann\",\"first\":" OUT ",\"second\":" OUT ",\"annotations\":[{\"modelType\":\"Property\",\"idShort\":\"w1\",\"valueType\":\"xs:int\"}]},"
        "{\"modelType\":\"Operation\",\"idShort\":\"op\",\"inputVariables\":[{\"value\":{\"modelType\":\"Property\",\"idShort\":\"by\",\"valueType\":\"xs:int\"}}]},"
        "{\"modelType\":\"BasicEventElement\",\"idShort\":\"ev\",\"observed\":" REFERENCE("ModelReference", "Submodel", "s") ",\"direction\":\"output\",\"state\":\"on\"}]}],"
        "\"conceptDescriptions\":[{\"modelType\":\"ConceptDescription\",\"id\":\"c\",\"isCaseOf\":[" OUT "],\"embeddedDataSpecifications\":[{\"dataSpecification\":" OUT ",\"dataSpecificationContent\":{\"modelType\":\"DataSpecificationIec61360\","
        "\"preferredName\":[{\"language\":\"en\",\"text\":\"n\"}],\"unit\":\"mm\",\"dataType\":\"REAL_MEASURE\",\"definition\":[{\"language\":\"en\",\"text\":\"d\"}],\"levelType\":{\"min\":true,\"nom\":false,\"typ\":false,\"max\":true}}}]}]}";
    gm_error err  = { 0 };
    gm_buf   out  = gm_buf_init(alloc);
    json_t  *env  = json_loads(text, 0, NULL);
    assert_non_null(env);
    assert_int_equal(gm_aas_check(env, NULL, NULL), 0);
    assert_gm_ok(gm_aas_write_xml(env, &out, &err), err);
    json_t *read = gm_aas_read_xml(out.ptr, out.len, &err);
    if (read == NULL || !json_equal(read, env)) fail_msg("%s\n%.*s\n%s", err.text, (int)out.len, (char *)out.ptr, json_dumps(read, JSON_COMPACT));
    // The order that the schema asks for, whatever the order in JSON.
    static const char *const parts[] = { "<idShort>A1</idShort><displayName>", "</administration><id>a&lt;&amp;&gt;\"'</id><derivedFrom>", "<category>PARAMETER</category><idShort>p1</idShort><qualifiers><qualifier><kind>ValueQualifier</kind><type>unit</type><valueType>xs:string</valueType><value>mm</value>",
                                         "<value>/x.txt</value><contentType>text/plain</contentType>", "<statements><capability><idShort>in</idShort></capability></statements><entityType>" };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (gm_str_find(gm_buf_view(&out), gm_str_of(parts[i])) == SIZE_MAX) fail_msg("no %s in %.*s", parts[i], (int)out.len, (char *)out.ptr);
    }
    json_decref(read);
    // In a package, too.
    gm_aasx_package p;
    gm_aasx_limits  limits = gm_aasx_limits_defaults();
    gm_buf          bytes  = gm_buf_init(alloc);
    gm_aasx_begin(&p, alloc);
    assert_gm_ok(gm_aasx_write(&p, env, GM_AASX_XML, &bytes, &err), err);
    gm_aasx_finish(&p);
    assert_gm_ok(gm_aasx_read(alloc, bytes.ptr, bytes.len, &limits, &p, &read, &err), err);
    assert_true(json_equal(read, env));
    gm_aasx_finish(&p);
    json_decref(read);
    gm_buf_finish(&bytes);
    gm_buf_finish(&out);
    json_decref(env);
    static const char *const bad[] = { "{\"submodels\":[{\"modelType\":\"Submodel\",\"id\":\"\\u0001\"}]}", "{\"submodels\":[{\"id\":\"x\"}]}", "{\"submodels\":[{\"modelType\":\"Submodel\",\"a b\":\"x\"}]}", "{\"submodels\":[{\"modelType\":\"Submodel\",\"id\":5}]}",
                                       "{\"submodels\":[{\"modelType\":\"Submodel\",\"list\":[1]}]}" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        env = json_loads(bad[i], 0, NULL);
        out = gm_buf_init(alloc);
        assert_int_equal(gm_aas_write_xml(env, &out, &err), GM_INVALID);
        gm_buf_finish(&out);
        json_decref(env);
    }
}

int main(void)
{
    alloc = gm_alloc_system();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_of_a_package_is_trusted),
        cmocka_unit_test(a_name_that_is_there_twice_is_refused),
        cmocka_unit_test(limits_are_limits),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(xml_says_the_same_as_json),
        cmocka_unit_test(what_is_written_as_xml_is_read_back_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
