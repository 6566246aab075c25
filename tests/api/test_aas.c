// The Asset Administration Shell API: shells, submodels, elements, values, pages.
#include "api/routes.h"
#include "support/api_plant.h"

#include <stdio.h>

#define FACT(key, rest) "{\"twin\":\"p1\",\"phase\":\"as-built\",\"key\":\"" key "\"," rest ",\"from\":\"2024-01-01T00:00:00Z\"}"
// base64url of:
#define P1 "dXJuOmdlbWVsOmFhczpwMQ"  // urn:gemel:aas:p1
#define PUMP "ZHRtaTp0OlB1bXA7MQ"  // dtmi:t:Pump;1
#define NOBODY "dXJuOmdlbWVsOmFhczpub2JvZHk"  // urn:gemel:aas:nobody
#define HEAT "ZHRtaTp0OlB1bXA7MSNoZWF0"  // dtmi:t:Pump;1#heat
#define PLATE "dXJuOmdlbWVsOnN1Ym1vZGVsOk5hbWVwbGF0ZTpwMQ"  // urn:gemel:submodel:Nameplate:p1
#define P2_PLATE "dXJuOmdlbWVsOnN1Ym1vZGVsOk5hbWVwbGF0ZTpwMg"  // urn:gemel:submodel:Nameplate:p2
#define TECH "dXJuOmdlbWVsOnN1Ym1vZGVsOlRlY2huaWNhbERhdGE6cDE"  // urn:gemel:submodel:TechnicalData:p1
#define BOM "dXJuOmdlbWVsOnN1Ym1vZGVsOkhpZXJhcmNoaWNhbFN0cnVjdHVyZXM6cDE"  // urn:gemel:submodel:HierarchicalStructures:p1
#define THREAD "dXJuOmdlbWVsOnN1Ym1vZGVsOkRpZ2l0YWxUaHJlYWQ6cDE"  // urn:gemel:submodel:DigitalThread:p1
#define RELS "dXJuOmdlbWVsOnN1Ym1vZGVsOlJlbGF0aW9uc2hpcHM6cDE"  // urn:gemel:submodel:Relationships:p1
#define SERIES "dXJuOmdlbWVsOnN1Ym1vZGVsOlRpbWVTZXJpZXM6cDE"  // urn:gemel:submodel:TimeSeries:p1
#define DATA "dXJuOmdlbWVsOnN1Ym1vZGVsOk9wZXJhdGlvbmFsRGF0YTpwMQ"  // urn:gemel:submodel:OperationalData:p1
#define PUMP_SM "dXJuOmdlbWVsOnN1Ym1vZGVsOkludGVyZmFjZTpkdG1pJTNBdCUzQVB1bXAlM0Ix"  // urn:gemel:submodel:Interface:dtmi%3At%3APump%3B1
#define NOISE "aHR0cHM6Ly9tLmV4YW1wbGUvbm9pc2U"  // https://m.example/noise
#define BY_SERIAL "eyJuYW1lIjoic2VyaWFsTnVtYmVyIiwidmFsdWUiOiJTTi03In0"  // {"name":"serialNumber","value":"SN-7"}
#define BY_ASSET "eyJuYW1lIjoiZ2xvYmFsQXNzZXRJZCIsInZhbHVlIjoidXJuOmdlbWVsOmFzc2V0OnAxIn0"  // {"name":"globalAssetId","value":"urn:gemel:asset:p1"}
#define BY_OTHER "eyJuYW1lIjoic2VyaWFsTnVtYmVyIiwidmFsdWUiOiJTTi05In0"  // {"name":"serialNumber","value":"SN-9"}
#define BY_FOREIGN "eyJuYW1lIjoiZ2xvYmFsQXNzZXRJZCIsInZhbHVlIjoiaHR0cHM6Ly9tLmV4YW1wbGUvMiJ9"  // {"name":"globalAssetId","value":"https://m.example/2"}
#define BY_PLATE "eyJ0eXBlIjoiRXh0ZXJuYWxSZWZlcmVuY2UiLCJrZXlzIjpbeyJ0eXBlIjoiR2xvYmFsUmVmZXJlbmNlIiwidmFsdWUiOiJodHRwczovL2FkbWluLXNoZWxsLmlvL2lkdGEvbmFtZXBsYXRlLzMvMC9OYW1lcGxhdGUifV19"  // {"type":"ExternalReference","keys":[{"type":"GlobalReference","value":"https://admin-shell.io/idta/nameplate/3/0/Nameplate"}]}

static void start(api_plant *p)
{
    *p = (api_plant){ 0 };
    api_plant_start(p, NULL);
    api_plant_fill(p);
    static const api_step steps[] = {
        { "POST", "/v1/thread", NULL, "[" FACT("serialNumber", "\"value\":\"SN-7\"") "," FACT("manufacturerName", "\"value\":\"ACME\"") ","
          "{\"twin\":\"p1\",\"phase\":\"as-designed\",\"key\":\"bore\",\"value\":50,\"unit\":\"mm\",\"min\":49,\"max\":51,\"from\":\"2024-01-01T00:00:00Z\"},"
          "{\"twin\":\"p1\",\"phase\":\"as-designed\",\"key\":\"bom/10\",\"part\":\"bolt\",\"quantity\":8,\"from\":\"2024-01-01T00:00:00Z\"},"
          "{\"twin\":\"bolt\",\"phase\":\"as-designed\",\"key\":\"mass\",\"value\":12,\"unit\":\"g\",\"from\":\"2024-01-01T00:00:00Z\"}]", 204, NULL },
    };
    API_TALK(p, steps);
}

static void shells_are_views_of_twins_parts_and_interfaces(void **state)
{
    (void)state;
    api_plant p;
    start(&p);
    static const api_step steps[] = {
        { "GET", "/shells?limit=4", NULL, NULL, 200, "\"id\":\"urn:gemel:aas:room%201%2F%C3%A4\"" },
        { "GET", "/shells?limit=4", NULL, NULL, 200, "\"paging_metadata\":{\"cursor\":\"" },
        { "GET", "/shells", NULL, NULL, 200, "\"paging_metadata\":{}}" },
        { "GET", "/shells", NULL, NULL, 200, "{\"modelType\":\"AssetAdministrationShell\",\"id\":\"urn:gemel:aas:bolt\",\"idShort\":\"bolt\",\"assetInformation\":{\"assetKind\":\"Type\"" },
        { "GET", "/api/v3.0/shells/" P1, NULL, NULL, 200, "\"assetKind\":\"Instance\",\"globalAssetId\":\"urn:gemel:asset:p1\",\"assetType\":\"dtmi:t:Pump;1\",\"specificAssetIds\":[{\"name\":\"serialNumber\",\"value\":\"SN-7\"}]" },
        { "GET", "/shells/" P1 "==", NULL, NULL, 200, "\"idShort\":\"p1\"" },  // some clients pad
        { "GET", "/shells/" PUMP, NULL, NULL, 200, "\"assetKind\":\"Type\"" },
        { "GET", "/shells/" P1 "/asset-information", NULL, NULL, 200, "{\"assetKind\":\"Instance\"" },
        { "GET", "/shells/" P1 "/submodel-refs", NULL, NULL, 200, "{\"type\":\"ModelReference\",\"keys\":[{\"type\":\"Submodel\",\"value\":\"urn:gemel:submodel:Nameplate:p1\"}]}" },
        { "GET", "/shells/" P1 "/$reference", NULL, NULL, 200, "{\"type\":\"ModelReference\",\"keys\":[{\"type\":\"AssetAdministrationShell\",\"value\":\"urn:gemel:aas:p1\"}]}" },
        { "GET", "/shells/$reference?limit=1", NULL, NULL, 200, "\"value\":\"dtmi:t:Motor;1\"" },
        { "GET", "/shells?idShort=p2", NULL, NULL, 200, "{\"result\":[{\"modelType\":\"AssetAdministrationShell\",\"id\":\"urn:gemel:aas:p2\"" },
        { "GET", "/shells?assetIds=" BY_SERIAL, NULL, NULL, 200, "{\"result\":[{\"modelType\":\"AssetAdministrationShell\",\"id\":\"urn:gemel:aas:p1\"" },
        { "GET", "/lookup/shells?assetIds=" BY_ASSET, NULL, NULL, 200, "{\"result\":[\"urn:gemel:aas:p1\"],\"paging_metadata\":{}}" },
        { "GET", "/lookup/shells?assetIds=" BY_ASSET "&assetIds=" BY_OTHER, NULL, NULL, 200, "{\"result\":[],\"paging_metadata\":{}}" },
        { "GET", "/lookup/shells/" P1, NULL, NULL, 200, "[{\"name\":\"globalAssetId\",\"value\":\"urn:gemel:asset:p1\"},{\"name\":\"serialNumber\",\"value\":\"SN-7\"}]" },
        { "GET", "/description", NULL, NULL, 200, "SubmodelRepositoryServiceSpecification/SSP-002" },
        { "GET", "/concept-descriptions?limit=1", NULL, NULL, 200, "{\"result\":[{\"modelType\":\"ConceptDescription\",\"id\":\"dtmi:t:Motor;1#speed\"" },
        { "GET", "/concept-descriptions/" HEAT, NULL, NULL, 200, "\"unit\":\"\xc2\xb0" "C\",\"dataType\":\"REAL_MEASURE\"" },
        { "GET", "/concept-descriptions/" NOBODY, NULL, NULL, 404, "ConceptDescriptionNotFound" },
        // Refusals are the API's own.
        { "GET", "/shells/" NOBODY, NULL, NULL, 404, "{\"messages\":[{\"code\":\"ShellNotFound\",\"messageType\":\"Error\",\"text\":\"There is no shell" },
        { "GET", "/shells/p1", NULL, NULL, 400, "base64url" },
        { "GET", "/shells?limit=0", NULL, NULL, 400, "\"messageType\":\"Error\"" },
        { "GET", "/shells?cursor=1.2.3.00000000", NULL, NULL, 400, "cursor" },
        { "GET", "/shells?assetIds=e30", NULL, NULL, 400, "assetIds" },
        { "GET", "/api/v9/shells", NULL, NULL, 404, NULL },
        { "DELETE", "/shells", NULL, NULL, 405, "{\"messages\":[{\"code\":\"MethodNotAllowed\"" },
    };
    API_TALK(&p, steps);
    api_plant_stop(&p);
}

static void submodels_say_what_the_twin_says(void **state)
{
    (void)state;
    api_plant p;
    start(&p);
    static const api_step steps[] = {
        { "GET", "/submodels?limit=2", NULL, NULL, 200, "\"id\":\"urn:gemel:submodel:Interface:dtmi%3At%3AMotor%3B1\"" },
        { "GET", "/submodels?idShort=Nameplate", NULL, NULL, 200, "{\"result\":[{\"modelType\":\"Submodel\",\"idShort\":\"Nameplate\"" },
        { "GET", "/submodels?semanticId=" BY_PLATE, NULL, NULL, 200, "{\"result\":[{\"modelType\":\"Submodel\",\"idShort\":\"Nameplate\"" },
        { "GET", "/submodels?semanticId=e30", NULL, NULL, 400, "semanticId" },
        { "GET", "/submodels/$reference?idShort=Nameplate", NULL, NULL, 200, "{\"result\":[{\"type\":\"ModelReference\",\"keys\":[{\"type\":\"Submodel\",\"value\":\"urn:gemel:submodel:Nameplate:p1\"}]}]" },
        { "GET", "/submodels/" PLATE, NULL, NULL, 200, "{\"modelType\":\"MultiLanguageProperty\",\"idShort\":\"ManufacturerName\",\"semanticId\":{\"type\":\"ExternalReference\",\"keys\":[{\"type\":\"GlobalReference\",\"value\":\"0112/2///61987#ABA565#009\"}]}" },
        { "GET", "/submodels/" TECH, NULL, NULL, 200, "\"qualifiers\":[{\"type\":\"unit\",\"valueType\":\"xs:string\",\"value\":\"mm\"},{\"type\":\"min\",\"valueType\":\"xs:double\",\"value\":\"49\"},{\"type\":\"max\",\"valueType\":\"xs:double\",\"value\":\"51\"}],\"valueType\":\"xs:double\",\"value\":\"50\"" },
        { "GET", "/submodels/" BOM "/submodel-elements/EntryNode.bolt.BulkCount", NULL, NULL, 200, "\"valueType\":\"xs:unsignedLong\",\"value\":\"8\"" },
        { "GET", "/submodels/" BOM "/submodel-elements/EntryNode.bolt", NULL, NULL, 200, "\"entityType\":\"SelfManagedEntity\",\"globalAssetId\":\"urn:gemel:asset:bolt\"" },
        { "GET", "/submodels/" THREAD "/submodel-elements/Facts%5B0%5D.Key/$value", NULL, NULL, 200, "\"bom/10\"" },
        { "GET", "/submodels/" RELS "/$value", NULL, NULL, 200, "\"annotations\":{\"Id\":\"f1\",\"Name\":\"feeds\",\"Properties\":\"{\\\"flow\\\":1.5}\"}" },
        { "GET", "/submodels/" SERIES "/submodel-elements/Segments.heat/$value", NULL, NULL, 200, "{\"Name\":[{\"en\":\"heat\"}],\"Endpoint\":\"/v1/history\",\"Query\":\"twin=p1&property=heat\"}" },
        { "GET", "/submodels/" DATA "/$value", NULL, NULL, 200, "{\"heat\":null,\"name\":\"Main pump\",\"limit\":5,\"on\":null,\"since\":null,\"mode\":null,\"address\":{\"street\":null,\"number\":null},\"tags\":null,\"motor\":{\"speed\":10,\"temperature\":null}}" },
        { "GET", "/submodels/" DATA "/$path", NULL, NULL, 200, "\"address.number\",\"tags\",\"motor\",\"motor.speed\",\"motor.temperature\"]" },
        { "GET", "/submodels/" DATA "/$metadata", NULL, NULL, 200, "!submodelElements" },
        { "GET", "/submodels/" DATA "?level=core", NULL, NULL, 200, "!\"temperature\"" },
        { "GET", "/submodels/" DATA "?level=half", NULL, NULL, 400, "level" },
        { "GET", "/submodels/" DATA "/$some", NULL, NULL, 404, "no view" },
        { "GET", "/submodels/" DATA "/submodel-elements?limit=2", NULL, NULL, 200, "\"cursor\"" },
        { "GET", "/submodels/" DATA "/submodel-elements/$value?limit=2", NULL, NULL, 200, "{\"result\":[null,\"Main pump\"]" },
        { "GET", "/submodels/" DATA "/submodel-elements/limit", NULL, NULL, 200, "\"valueType\":\"xs:int\",\"value\":\"5\"}" },
        { "GET", "/submodels/" DATA "/submodel-elements/motor.speed/$reference", NULL, NULL, 200, "{\"type\":\"SubmodelElementCollection\",\"value\":\"motor\"},{\"type\":\"Property\",\"value\":\"speed\"}]}" },
        { "GET", "/submodels/" DATA "/submodel-elements/motor.power", NULL, NULL, 404, "ElementNotFound" },
        { "GET", "/submodels/" PUMP_SM "?extent=withoutBlobValue", NULL, NULL, 200, "!\"value\":\"ey" },
        { "GET", "/submodels/" PUMP_SM, NULL, NULL, 200, "\"modelType\":\"Blob\",\"idShort\":\"DTDL\"" },
        { "GET", "/submodels/" NOBODY, NULL, NULL, 404, "SubmodelNotFound" },
        { "GET", "/submodels/" P2_PLATE, NULL, NULL, 404, "SubmodelNotFound" },  // nothing is said of it
        { "GET", "/serialization?aasIds=" P1, NULL, NULL, 200, "{\"assetAdministrationShells\":[{\"modelType\":\"AssetAdministrationShell\",\"id\":\"dtmi:t:Motor;1\"" },
        { "GET", "/serialization?aasIds=" P1, NULL, NULL, 200, "!\"urn:gemel:aas:bolt\"" },
        { "GET", "/serialization?aasIds=" P1 "&includeParts=true", NULL, NULL, 200, "\"urn:gemel:aas:bolt\"" },
        { "GET", "/serialization?submodelIds=" PLATE "&includeConceptDescriptions=false", NULL, NULL, 200, "{\"submodels\":[{\"modelType\":\"Submodel\",\"idShort\":\"Nameplate\"" },
        { "GET", "/serialization?format=xml&aasIds=" P1, NULL, NULL, 200, "<environment xmlns=\"https://admin-shell.io/aas/3/0\"><assetAdministrationShells>" },
        { "GET", "/serialization?aasIds=" P1, "Accept: application/xml\r\n", NULL, 200, "<propert" },
        { "GET", "/serialization?aasIds=" P1, "Accept: application/asset-administration-shell-package+xml\r\n", NULL, 200, "Content-Type: application/asset-administration-shell-package+xml" },
        { "GET", "/serialization?format=pdf&aasIds=" P1, NULL, NULL, 400, "aasx-xml" },
        { "GET", "/serialization", NULL, NULL, 400, "aasIds" },
        { "GET", "/serialization?format=aas%92&aasIds=" P1, NULL, NULL, 400, "!assetAdministrationShells" },
        { "GET", "/serialization?aasIds=" NOBODY, NULL, NULL, 404, "ShellNotFound" },
    };
    API_TALK(&p, steps);
    api_plant_stop(&p);
}

static void values_are_set_as_by_every_other_way(void **state)
{
    (void)state;
    api_plant p;
    start(&p);
    static const api_step steps[] = {
        { "PATCH", "/submodels/" DATA "/submodel-elements/limit/$value", NULL, "7", 204, NULL },
        { "GET", "/digitaltwins/p1" V, NULL, NULL, 200, "\"limit\":7" },
        { "PUT", "/api/v3.0/submodels/" DATA "/submodel-elements/limit/$value", NULL, "\"8\"", 204, NULL },
        { "GET", "/digitaltwins/p1" V, NULL, NULL, 200, "\"limit\":8" },
        { "PATCH", "/submodels/" DATA "/submodel-elements/limit/$value", NULL, "7.5", 400, "is no xs:int" },
        { "PATCH", "/submodels/" DATA "/submodel-elements/mode/$value", NULL, "\"sometimes\"", 400, "\"messageType\":\"Error\"" },
        { "PATCH", "/submodels/" DATA "/submodel-elements/mode/$value", NULL, "\"auto\"", 204, NULL },
        { "PATCH", "/submodels/" DATA "/submodel-elements/tags/$value", NULL, "{\"a\":\"b\"}", 204, NULL },
        { "PATCH", "/submodels/" DATA "/submodel-elements/motor.speed/$value", NULL, "11", 204, NULL },
        { "PATCH", "/submodels/" DATA "/submodel-elements/address.number/$value", NULL, "3", 204, NULL },
        { "GET", "/digitaltwins/p1" V, NULL, NULL, 200, "\"speed\":11" },
        { "PATCH", "/submodels/" DATA "/submodel-elements/motor.temperature/$value", NULL, "11.5", 204, NULL },  // reported
        { "GET", "/submodels/" DATA "/submodel-elements/motor.temperature/$value", NULL, NULL, 200, "11.5" },
        { "PATCH", "/submodels/" DATA "/submodel-elements/motor/$value", NULL, "{\"speed\":12}", 204, NULL },
        { "PATCH", "/submodels/" DATA "/submodel-elements/motor/$value", NULL, "{\"power\":12}", 404, "ElementNotFound" },
        { "PATCH", "/submodels/" DATA "/$value", NULL, "{\"limit\":9,\"motor\":{\"speed\":11}}", 204, NULL },
        { "GET", "/digitaltwins/p1" V, NULL, NULL, 200, "\"limit\":9" },
        { "PATCH", "/submodels/" DATA "/submodel-elements/power/$value", NULL, "1", 404, "ElementNotFound" },
        { "PATCH", "/submodels/" PLATE "/submodel-elements/SerialNumber/$value", NULL, "\"SN-8\"", 204, NULL },
        { "GET", "/v1/thread/p1?key=serialNumber", NULL, NULL, 200, "\"value\":\"SN-8\"" },
        { "GET", "/v1/thread/p1?key=serialNumber&history=true", NULL, NULL, 200, "\"value\":\"SN-7\"" },  // nothing is overwritten
        { "PATCH", "/submodels/" PLATE "/submodel-elements/ManufacturerName/$value", NULL, "[{\"en\":\"Example\"}]", 204, NULL },
        { "GET", "/submodels/" PLATE "/submodel-elements/ManufacturerName/$value", NULL, NULL, 200, "[{\"en\":\"Example\"}]" },
        { "PATCH", "/submodels/" PLATE "/submodel-elements/URIOfTheProduct/$value", NULL, "\"x:y\"", 409, "NotWritable" },
        { "PATCH", "/submodels/" TECH "/submodel-elements/TechnicalProperties.bore/$value", NULL, "50.5", 204, NULL },
        { "GET", "/v1/thread/p1?key=bore", NULL, NULL, 200, "\"value\":50.5,\"unit\":\"mm\",\"min\":49,\"max\":51" },
        { "PATCH", "/submodels/" TECH "/submodel-elements/TechnicalProperties.bore/$value", NULL, "\"wide\"", 400, "is no xs:double" },
        { "PATCH", "/submodels/" BOM "/submodel-elements/EntryNode.bolt.BulkCount/$value", NULL, "9", 204, NULL },
        { "GET", "/v1/thread/p1?key=bom/10", NULL, NULL, 200, "\"part\":\"bolt\",\"quantity\":9" },
        { "PATCH", "/submodels/" DATA "/submodel-elements/limit/$value", NULL, "{", 400, "not valid JSON" },
        // What came from elsewhere is kept, shown, and can be set.
        { "POST", "/v1/thread", NULL, "[{\"twin\":\"submodel:https://m.example/noise\",\"phase\":\"as-designed\",\"key\":\"aas/submodel\",\"value\":{\"modelType\":\"Submodel\",\"id\":\"https://m.example/noise\",\"idShort\":\"Noise\","
          "\"submodelElements\":[{\"modelType\":\"Property\",\"idShort\":\"level\",\"valueType\":\"xs:double\",\"value\":\"61.5\"}]}},"
          "{\"twin\":\"p2\",\"phase\":\"as-designed\",\"key\":\"aas/submodels/00000\",\"part\":\"submodel:https://m.example/noise\"},"
          "{\"twin\":\"p2\",\"phase\":\"as-designed\",\"key\":\"aas/shell\",\"value\":{\"modelType\":\"AssetAdministrationShell\",\"id\":\"urn:gemel:aas:p2\",\"idShort\":\"Second\",\"assetInformation\":{\"assetKind\":\"Instance\",\"globalAssetId\":\"https://m.example/2\"}}}]", 204, NULL },
        { "GET", "/submodels/" NOISE "/$value", NULL, NULL, 200, "{\"level\":61.5}" },
        { "GET", "/submodels?idShort=Noise", NULL, NULL, 200, "\"id\":\"https://m.example/noise\"" },
        { "GET", "/shells?idShort=Second", NULL, NULL, 200, "\"submodels\":[{\"type\":\"ModelReference\",\"keys\":[{\"type\":\"Submodel\",\"value\":\"https://m.example/noise\"}]}," },
        { "GET", "/lookup/shells?assetIds=" BY_FOREIGN, NULL, NULL, 200, "{\"result\":[\"urn:gemel:aas:p2\"]" },
        { "PATCH", "/submodels/" NOISE "/submodel-elements/level/$value", NULL, "58", 204, NULL },
        { "PATCH", "/submodels/" NOISE "/submodel-elements/level/$value", NULL, "true", 400, "is no xs:double" },
        { "GET", "/submodels/" NOISE, NULL, NULL, 200, "\"value\":\"58\"" },
        { "GET", "/v1/thread/submodel%3Ahttps%3A%2F%2Fm.example%2Fnoise?history=true", NULL, NULL, 200, "61.5" },
    };
    API_TALK(&p, steps);
    api_plant_stop(&p);
}

// All pages, one after the other; each shell's id is counted. The texts of a page are small, so the test reads them as texts.
static size_t walk(api_plant *p, const char *list, unsigned limit, bool change)
{
    char   cursor[80] = "", target[200];
    size_t seen = 0;
    for (int page = 0; page < 10000; page++) {
        snprintf(target, sizeof target, "%s?limit=%u%s%s", list, limit, cursor[0] != '\0' ? "&cursor=" : "", cursor);
        test_http_reply *reply = test_http_ask(&p->client, "GET", target, NULL, NULL);
        assert_int_equal(reply->status, 200);
        gm_str text = gm_buf_view(&reply->body), rest = text;
        size_t here = 0, at;
        while ((at = gm_str_find(rest, GM_STR("many-"))) != SIZE_MAX) {
            rest = gm_str_slice(rest, at + 5, rest.len);
            here++;
        }
        assert_true(here <= limit);
        seen += here;
        at = gm_str_find(text, GM_STR("\"cursor\":\""));
        if (at == SIZE_MAX) return seen;
        gm_str c = gm_str_slice(text, at + 10, text.len);
        snprintf(cursor, sizeof cursor, "%.*s", (int)gm_str_find_char(c, '"'), c.ptr);
        if (change && page == 3) {  // one that was shown goes, one that was not, and one comes
            const api_step steps[] = { { "DELETE", "/digitaltwins/many-0" V, NULL, NULL, 204, NULL }, { "DELETE", "/digitaltwins/many-1999" V, NULL, NULL, 204, NULL },
                                       { "PUT", "/digitaltwins/many-new" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Room;1\"}}", 200, NULL } };
            api_plant_talk(p, steps, 3);
        }
    }
    fail_msg("the pages never end");
    return 0;
}

static void pages_show_each_shell_once_while_the_plant_changes(void **state)
{
    (void)state;
    enum { MANY = 2000 };
    api_plant p;
    start(&p);
    const gm_type *room = gm_model_find(gm_engine_model(p.engine), GM_STR("dtmi:t:Room;1"));
    gm_error       err;
    for (int i = 0; i < MANY; i++) {
        char    id[32];
        gm_twin twin;
        snprintf(id, sizeof id, "many-%d", i);
        assert_gm_ok(gm_engine_twin_put(p.engine, (gm_twin){ GM_NONE }, gm_str_of(id), room, NULL, 0, (gm_ask){ 0 }, &twin, &err), err);
        if (i % 500 == 499) assert_gm_ok(gm_engine_settle(p.engine, &err), err);
    }
    assert_int_equal(walk(&p, "/lookup/shells", 97, false), MANY);
    assert_int_equal(walk(&p, "/lookup/shells", 1000, false), MANY);
    assert_int_equal(walk(&p, "/lookup/shells", 50, true), MANY);  // without the one that went unseen, with the one that came
    api_plant_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shells_are_views_of_twins_parts_and_interfaces),
        cmocka_unit_test(submodels_say_what_the_twin_says),
        cmocka_unit_test(values_are_set_as_by_every_other_way),
        cmocka_unit_test(pages_show_each_shell_once_while_the_plant_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
