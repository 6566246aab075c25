// The Asset Administration Shell API, written: shells and submodels of others, what gemel makes itself, what clients add to it, and that
// all of it is there after a restart.
#include "aas/check.h"
#include "base/base64url.h"
#include "state/document.h"
#include "support/api_plant.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

// "/submodels/{urn:x}/..." with what stands in braces as base64url. The caller frees.
static char *coded(const char *target)
{
    gm_buf out = gm_buf_init(gm_alloc_system());
    for (const char *at = target; *at != '\0'; at++) {
        const char *end = *at == '{' ? strchr(at, '}') : NULL;
        if (end == NULL) {
            gm_buf_byte(&out, (uint8_t)*at);
            continue;
        }
        size_t n  = (size_t)(end - at - 1);
        char  *to = (char *)gm_buf_reserve(&out, GM_BASE64URL_LEN(n));
        gm_base64url_encode((const uint8_t *)at + 1, n, to);
        out.len += GM_BASE64URL_LEN(n);
        at = end;
    }
    gm_buf_byte(&out, '\0');
    return (char *)out.ptr;
}

static void talk(api_plant *p, const api_step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        api_step step = steps[i];
        char    *target = coded(step.target);
        step.target     = target;
        print_message("%zu: %s %s\n", i, step.method, steps[i].target);
        api_plant_talk(p, &step, 1);
        free(target);
    }
}
#define TALK(p, steps) talk((p), (steps), sizeof(steps) / sizeof((steps)[0]))

// The body of a GET as JSON; NULL when it is 404.
static json_t *get(api_plant *p, const char *target)
{
    char            *path  = coded(target);
    test_http_reply *reply = test_http_ask(&p->client, "GET", path, NULL, NULL);
    json_t          *json  = reply->status == 200 ? json_loadb((const char *)reply->body.ptr, reply->body.len, JSON_DECODE_ANY, NULL) : NULL;
    if (reply->status != 200 && reply->status != 404) fail_msg("GET %s: %u %.*s", target, reply->status, (int)reply->body.len, (char *)reply->body.ptr);
    free(path);
    return json;
}

static char *dump(const json_t *json) { return json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY); }

static void must_equal(const json_t *is, const json_t *was, const char *what)
{
    if (is != NULL && was != NULL && json_equal(is, was)) return;
    char *a = dump(was), *b = dump(is);
    fail_msg("%s\n was %s\n is  %s", what, a, b);
}

#define NOISE "{\"modelType\":\"Submodel\",\"id\":\"https://m.example/noise\",\"idShort\":\"Noise\",\"submodelElements\":[{\"modelType\":\"Property\",\"idShort\":\"level\",\"valueType\":\"xs:double\",\"value\":\"61.5\"}]}"
#define REF(id) "{\"type\":\"ModelReference\",\"keys\":[{\"type\":\"Submodel\",\"value\":\"" id "\"}]}"
#define FAN(more) "{\"modelType\":\"AssetAdministrationShell\",\"id\":\"https://m.example/aas/42\",\"idShort\":\"Fan42\",\"assetInformation\":{\"assetKind\":\"Instance\",\"globalAssetId\":\"https://m.example/asset/42\"}" more "}"
#define SEM(id) "\"semanticId\":{\"type\":\"ExternalReference\",\"keys\":[{\"type\":\"GlobalReference\",\"value\":\"" id "\"}]}"

static void start(api_plant *p)
{
    *p = (api_plant){ 0 };
    api_plant_start(p, NULL);
    api_plant_fill(p);
}

static void shells_and_submodels_of_others_are_made_changed_deleted_and_made_again(void **state)
{
    (void)state;
    api_plant p;
    start(&p);
    static const api_step make[] = {
        { "POST", "/submodels", NULL, NOISE, 201, "Location: /submodels/aHR0cHM6Ly9tLmV4YW1wbGUvbm9pc2U" },
        { "POST", "/submodels", NULL, NOISE, 409, "SubmodelExists" },
        { "GET", "/submodels/{https://m.example/noise}", NULL, NULL, 200, "\"value\":\"61.5\"" },
        { "POST", "/shells", NULL, FAN(",\"submodels\":[" REF("https://m.example/noise") "]"), 201, "\"idShort\":\"Fan42\"" },
        { "POST", "/shells", NULL, FAN(""), 409, "ShellExists" },
        { "GET", "/digitaltwins/https%3A%2F%2Fm.example%2Faas%2F42" V, NULL, NULL, 200, "dtmi:gemel:aas:Asset;1" },
        { "GET", "/shells/{https://m.example/aas/42}/submodel-refs", NULL, NULL, 200, "https://m.example/noise" },
        { "GET", "/shells/{https://m.example/aas/42}/submodels/{https://m.example/noise}/$value", NULL, NULL, 200, "{\"level\":61.5}" },
        { "GET", "/shells/{urn:gemel:aas:p1}/submodels/{https://m.example/noise}", NULL, NULL, 404, "SubmodelNotFound" },  // not of that shell
    };
    TALK(&p, make);
    json_t *shell = get(&p, "/shells/{https://m.example/aas/42}"), *noise = get(&p, "/submodels/{https://m.example/noise}");
    static const api_step change[] = {
        { "POST", "/submodels/{https://m.example/noise}/submodel-elements", NULL, "{\"modelType\":\"SubmodelElementCollection\",\"idShort\":\"At\"}", 201, "Location: /submodels/aHR0cHM6Ly9tLmV4YW1wbGUvbm9pc2U/submodel-elements/At" },
        { "POST", "/submodels/{https://m.example/noise}/submodel-elements", NULL, "{\"modelType\":\"Capability\",\"idShort\":\"At\"}", 409, "ElementExists" },
        { "POST", "/submodels/{https://m.example/noise}/submodel-elements/At", NULL, "{\"modelType\":\"Property\",\"idShort\":\"speed\",\"valueType\":\"xs:int\",\"value\":\"900\"}", 201, "/At.speed" },
        { "POST", "/submodels/{https://m.example/noise}/submodel-elements/level", NULL, "{\"modelType\":\"Capability\",\"idShort\":\"x1\"}", 400, "nothing can lie" },
        { "PUT", "/submodels/{https://m.example/noise}/submodel-elements/At.speed", NULL, "{\"modelType\":\"Property\",\"idShort\":\"speed\",\"valueType\":\"xs:int\",\"value\":\"901\"}", 204, NULL },
        { "PUT", "/submodels/{https://m.example/noise}/submodel-elements/At.speed", NULL, "{\"modelType\":\"Property\",\"idShort\":\"other\",\"valueType\":\"xs:int\"}", 400, "called 'speed'" },
        { "PUT", "/submodels/{https://m.example/noise}/submodel-elements/At.load", NULL, "{\"modelType\":\"Property\",\"idShort\":\"load\",\"valueType\":\"xs:int\",\"value\":\"5\"}", 204, NULL },
        { "PATCH", "/submodels/{https://m.example/noise}/submodel-elements/At/$value", NULL, "{\"speed\":902,\"load\":6}", 204, NULL },
        { "PATCH", "/submodels/{https://m.example/noise}/submodel-elements/At.speed", NULL, "{\"description\":[{\"language\":\"en\",\"text\":\"of the rotor\"}]}", 204, NULL },
        { "PATCH", "/submodels/{https://m.example/noise}/submodel-elements/At.speed/$metadata", NULL, "{\"category\":\"PARAMETER\"}", 204, NULL },
        { "PATCH", "/submodels/{https://m.example/noise}/submodel-elements/At.speed/$metadata", NULL, "{\"modelType\":\"Property\",\"value\":\"1\"}", 400, "no metadata" },
        { "GET", "/submodels/{https://m.example/noise}/submodel-elements/At.speed", NULL, NULL, 200, "\"value\":\"902\",\"description\":[{\"language\":\"en\",\"text\":\"of the rotor\"}],\"category\":\"PARAMETER\"" },
        { "PATCH", "/submodels/{https://m.example/noise}/$metadata", NULL, "{\"administration\":{\"version\":\"1\"}}", 204, NULL },
        { "PATCH", "/submodels/{https://m.example/noise}", NULL, "{\"submodelElements\":[{\"modelType\":\"Property\",\"idShort\":\"level\",\"valueType\":\"xs:double\",\"value\":\"50\"}]}", 204, NULL },
        { "GET", "/submodels/{https://m.example/noise}/$value", NULL, NULL, 200, "{\"level\":50,\"At\":{\"speed\":902,\"load\":6}}" },
        { "DELETE", "/submodels/{https://m.example/noise}/submodel-elements/At.speed", NULL, NULL, 204, NULL },
        { "DELETE", "/submodels/{https://m.example/noise}/submodel-elements/At.speed", NULL, NULL, 404, "ElementNotFound" },
        { "DELETE", "/submodels/{https://m.example/noise}/submodel-elements/At.load", NULL, NULL, 204, NULL },
        { "GET", "/submodels/{https://m.example/noise}/submodel-elements/At", NULL, NULL, 200, "!\"value\"" },  // the metamodel has no empty lists
        { "PUT", "/shells/{https://m.example/aas/42}/submodels/{https://m.example/noise}", NULL, NOISE, 204, NULL },
        { "GET", "/shells/{urn:gemel:aas:p1}/submodel-refs?limit=1", NULL, NULL, 200, "\"cursor\"" },
        { "POST", "/submodels", NULL, "{\"modelType\":\"Submodel\",\"id\":\"https://m.example/third\"}", 201, NULL },
        { "POST", "/shells/{https://m.example/aas/42}/submodel-refs", NULL, REF("https://m.example/third"), 201, NULL },
        { "DELETE", "/shells/{https://m.example/aas/42}/submodels/{https://m.example/third}", NULL, NULL, 204, NULL },
        { "GET", "/shells/{https://m.example/aas/42}/submodel-refs", NULL, NULL, 200, "!https://m.example/third" },
        { "GET", "/submodels/{https://m.example/third}", NULL, NULL, 404, NULL },
        { "PUT", "/submodels/{https://m.example/other}", NULL, NOISE, 400, "not the one of the path" },
        { "PUT", "/submodels/{https://m.example/second}", NULL, "{\"modelType\":\"Submodel\",\"id\":\"https://m.example/second\"}", 201, "https://m.example/second" },
        { "POST", "/shells/{https://m.example/aas/42}/submodel-refs", NULL, REF("https://m.example/second"), 201, "https://m.example/second" },
        { "POST", "/shells/{https://m.example/aas/42}/submodel-refs", NULL, REF("https://m.example/second"), 409, "ReferenceExists" },
        { "DELETE", "/shells/{https://m.example/aas/42}/submodel-refs/{https://m.example/second}", NULL, NULL, 204, NULL },
        { "DELETE", "/shells/{https://m.example/aas/42}/submodel-refs/{https://m.example/second}", NULL, NULL, 404, "ReferenceNotFound" },
        { "PUT", "/shells/{https://m.example/aas/42}/asset-information", NULL, "{\"assetKind\":\"Instance\",\"globalAssetId\":\"https://m.example/asset/43\"}", 204, NULL },
        { "GET", "/shells/{https://m.example/aas/42}", NULL, NULL, 200, "\"globalAssetId\":\"https://m.example/asset/43\"" },
        { "PUT", "/shells/{https://m.example/aas/42}", NULL, FAN(",\"submodels\":[" REF("https://m.example/noise") "]"), 204, NULL },
    };
    TALK(&p, change);
    json_t *again = get(&p, "/shells/{https://m.example/aas/42}"), *noise_again = get(&p, "/submodels/{https://m.example/noise}");
    must_equal(again, shell, "the shell that was put back");
    must_equal(noise_again, noise, "the submodel that was put back");
    json_decref(again);
    json_decref(noise_again);
    static const api_step delete[] = {
        { "DELETE", "/submodels/{https://m.example/noise}", NULL, NULL, 204, NULL },
        { "GET", "/submodels/{https://m.example/noise}", NULL, NULL, 404, "SubmodelNotFound" },
        { "GET", "/submodels?idShort=Noise", NULL, NULL, 200, "{\"result\":[]" },
        { "DELETE", "/submodels/{https://m.example/noise}", NULL, NULL, 404, "SubmodelNotFound" },
        { "DELETE", "/shells/{https://m.example/aas/42}", NULL, NULL, 204, NULL },
        { "GET", "/shells/{https://m.example/aas/42}", NULL, NULL, 404, "ShellNotFound" },
        { "GET", "/shells?idShort=Fan42", NULL, NULL, 200, "{\"result\":[]" },
        { "DELETE", "/shells/{https://m.example/aas/42}", NULL, NULL, 404, "ShellNotFound" },
        { "POST", "/submodels", NULL, NOISE, 201, NULL },
        { "PUT", "/shells/{https://m.example/aas/42}", NULL, FAN(",\"submodels\":[" REF("https://m.example/noise") "]"), 201, NULL },
    };
    TALK(&p, delete);
    for (int round = 0; round < 3; round++) {
        again       = get(&p, "/shells/{https://m.example/aas/42}");
        noise_again = get(&p, "/submodels/{https://m.example/noise}");
        must_equal(again, shell, "the shell that was made again");
        must_equal(noise_again, noise, "the submodel that was made again");
        json_decref(again);
        json_decref(noise_again);
        if (round == 1) api_plant_checkpoint(&p);
        api_plant_restart(&p);
    }
    json_decref(shell);
    json_decref(noise);
    api_plant_stop(&p);
}

static void what_gemel_makes_is_written_through_or_refused(void **state)
{
    (void)state;
    api_plant p;
    start(&p);
    static const api_step steps[] = {
        { "POST", "/v1/thread", NULL, "[{\"twin\":\"p1\",\"phase\":\"as-built\",\"key\":\"serialNumber\",\"value\":\"SN-7\"},{\"twin\":\"p1\",\"phase\":\"as-designed\",\"key\":\"bore\",\"value\":50,\"unit\":\"mm\",\"min\":49,\"max\":51},"
          "{\"twin\":\"p1\",\"phase\":\"as-designed\",\"key\":\"bom/10\",\"part\":\"bolt\",\"quantity\":8}]", 204, NULL },
        // A property of the nameplate is a fact; one that it does not know is kept; so is what describes one.
        { "POST", "/submodels/{urn:gemel:submodel:Nameplate:p1}/submodel-elements", NULL, "{\"modelType\":\"Property\",\"idShort\":\"YearOfConstruction\",\"valueType\":\"xs:string\",\"value\":\"2024\"}", 201, "\"2024\"" },
        { "GET", "/v1/thread/p1?key=yearOfConstruction", NULL, NULL, 200, "\"value\":\"2024\"" },
        { "POST", "/submodels/{urn:gemel:submodel:Nameplate:p1}/submodel-elements", NULL, "{\"modelType\":\"Property\",\"idShort\":\"Colour\",\"valueType\":\"xs:string\",\"value\":\"red\"}", 201, NULL },
        { "PATCH", "/submodels/{urn:gemel:submodel:Nameplate:p1}/submodel-elements/SerialNumber", NULL, "{\"description\":[{\"language\":\"en\",\"text\":\"on the plate\"}]}", 204, NULL },
        { "PUT", "/submodels/{urn:gemel:submodel:Nameplate:p1}/submodel-elements/ManufacturerName", NULL, "{\"modelType\":\"MultiLanguageProperty\",\"idShort\":\"ManufacturerName\",\"value\":[{\"language\":\"de\",\"text\":\"Muster\"},{\"language\":\"en\",\"text\":\"Example\"}]}", 204, NULL },
        { "GET", "/v1/thread/p1?key=manufacturerName", NULL, NULL, 200, "\"value\":\"Example\"" },
        { "GET", "/submodels/{urn:gemel:submodel:Nameplate:p1}/$value", NULL, NULL, 200, "\"ManufacturerName\":[{\"de\":\"Muster\"},{\"en\":\"Example\"}]" },
        { "GET", "/submodels/{urn:gemel:submodel:Nameplate:p1}", NULL, NULL, 200, "\"text\":\"on the plate\"" },
        { "GET", "/submodels/{urn:gemel:submodel:Nameplate:p1}/submodel-elements/Colour/$value", NULL, NULL, 200, "\"red\"" },
        { "PATCH", "/submodels/{urn:gemel:submodel:Nameplate:p1}/submodel-elements/Colour/$value", NULL, "\"blue\"", 204, NULL },
        // What is told by another way counts: the words in other languages were of the old name.
        { "POST", "/v1/thread", NULL, "{\"twin\":\"p1\",\"phase\":\"as-built\",\"key\":\"manufacturerName\",\"value\":\"Other\"}", 204, NULL },
        { "GET", "/submodels/{urn:gemel:submodel:Nameplate:p1}/$value", NULL, NULL, 200, "\"ManufacturerName\":[{\"en\":\"Other\"}]" },
        { "DELETE", "/submodels/{urn:gemel:submodel:Nameplate:p1}/submodel-elements/YearOfConstruction", NULL, NULL, 204, NULL },
        { "GET", "/v1/thread/p1?key=yearOfConstruction", NULL, NULL, 200, "\"items\":[]" },
        { "DELETE", "/submodels/{urn:gemel:submodel:Nameplate:p1}/submodel-elements/URIOfTheProduct", NULL, NULL, 409, "URIOfTheProduct" },
        // Technical data: facts with units; collections of a client's own are kept.
        { "POST", "/submodels/{urn:gemel:submodel:TechnicalData:p1}/submodel-elements/TechnicalProperties", NULL, "{\"modelType\":\"Property\",\"idShort\":\"stroke\",\"valueType\":\"xs:float\",\"value\":\"80\",\"qualifiers\":[{\"type\":\"unit\",\"valueType\":\"xs:string\",\"value\":\"mm\"}]}", 201, NULL },
        { "GET", "/v1/thread/p1?key=stroke", NULL, NULL, 200, "\"value\":80,\"unit\":\"mm\"" },
        { "GET", "/submodels/{urn:gemel:submodel:TechnicalData:p1}/submodel-elements/TechnicalProperties.stroke", NULL, NULL, 200, "\"valueType\":\"xs:float\",\"value\":\"80\"" },
        { "POST", "/submodels/{urn:gemel:submodel:TechnicalData:p1}/submodel-elements/TechnicalProperties", NULL, "{\"modelType\":\"SubmodelElementCollection\",\"idShort\":\"air\",\"value\":[{\"modelType\":\"Property\",\"idShort\":\"flow\",\"valueType\":\"xs:float\",\"value\":\"2.5\"}]}", 201, NULL },
        { "PATCH", "/submodels/{urn:gemel:submodel:TechnicalData:p1}/submodel-elements/TechnicalProperties.air.flow/$value", NULL, "3.5", 204, NULL },
        { "PATCH", "/submodels/{urn:gemel:submodel:TechnicalData:p1}/submodel-elements/TechnicalProperties.bore/$value", NULL, "50.5", 204, NULL },
        { "GET", "/submodels/{urn:gemel:submodel:TechnicalData:p1}/$value", NULL, NULL, 200, "{\"bore\":50.5,\"stroke\":80,\"air\":{\"flow\":3.5}}" },
        { "GET", "/v1/thread/p1?key=bore", NULL, NULL, 200, "\"value\":50.5,\"unit\":\"mm\",\"min\":49,\"max\":51" },
        // The bill of materials.
        { "POST", "/submodels/{urn:gemel:submodel:HierarchicalStructures:p1}/submodel-elements/EntryNode", NULL, "{\"modelType\":\"Entity\",\"idShort\":\"nut\",\"entityType\":\"CoManagedEntity\",\"statements\":[{\"modelType\":\"Property\",\"idShort\":\"BulkCount\",\"valueType\":\"xs:unsignedLong\",\"value\":\"4\"},{\"modelType\":\"Property\",\"idShort\":\"Position\",\"valueType\":\"xs:string\",\"value\":\"20\"}]}", 201, NULL },
        { "GET", "/v1/bom/p1", NULL, NULL, 200, "\"nut\"" },
        { "GET", "/submodels/{urn:gemel:submodel:HierarchicalStructures:p1}", NULL, NULL, 200, "HasPart_nut" },
        { "DELETE", "/submodels/{urn:gemel:submodel:HierarchicalStructures:p1}/submodel-elements/EntryNode.bolt", NULL, NULL, 204, NULL },
        { "GET", "/v1/thread/p1?key=bom/10", NULL, NULL, 200, "\"items\":[]" },
        { "GET", "/submodels/{urn:gemel:submodel:HierarchicalStructures:p1}", NULL, NULL, 200, "!HasPart_bolt" },
        { "DELETE", "/submodels/{urn:gemel:submodel:HierarchicalStructures:p1}", NULL, NULL, 204, NULL },
        { "GET", "/submodels/{urn:gemel:submodel:HierarchicalStructures:p1}", NULL, NULL, 404, NULL },
        // Relationships.
        { "POST", "/submodels/{urn:gemel:submodel:Relationships:p1}/submodel-elements/Relationships", NULL, "{\"modelType\":\"AnnotatedRelationshipElement\",\"first\":{\"type\":\"ModelReference\",\"keys\":[{\"type\":\"AssetAdministrationShell\",\"value\":\"urn:gemel:aas:p1\"}]},"
          "\"second\":{\"type\":\"ModelReference\",\"keys\":[{\"type\":\"AssetAdministrationShell\",\"value\":\"urn:gemel:aas:p2\"}]},\"annotations\":[{\"modelType\":\"Property\",\"idShort\":\"Id\",\"valueType\":\"xs:string\",\"value\":\"n1\"},{\"modelType\":\"Property\",\"idShort\":\"Name\",\"valueType\":\"xs:string\",\"value\":\"near\"}]}", 201, NULL },
        { "GET", "/digitaltwins/p1/relationships/n1" V, NULL, NULL, 200, "\"$relationshipName\":\"near\"" },
        { "DELETE", "/submodels/{urn:gemel:submodel:Relationships:p1}/submodel-elements/Relationships%5B0%5D", NULL, NULL, 204, NULL },
        { "GET", "/digitaltwins/p1/relationships" V, NULL, NULL, 200, "!\"f1\"" },
        { "GET", "/digitaltwins/p1/relationships" V, NULL, NULL, 200, "\"n1\"" },
        // What is derived alone.
        { "DELETE", "/submodels/{urn:gemel:submodel:TimeSeries:p1}", NULL, NULL, 409, "as long as the twin is" },
        { "PATCH", "/submodels/{urn:gemel:submodel:TimeSeries:p1}/submodel-elements/Segments.heat.Query/$value", NULL, "\"x\"", 409, "NotWritable" },
        { "DELETE", "/submodels/{urn:gemel:submodel:TimeSeries:p1}/submodel-elements/Segments.heat", NULL, NULL, 409, "can not be left out" },
        { "POST", "/submodels/{urn:gemel:submodel:TimeSeries:p1}/submodel-elements", NULL, "{\"modelType\":\"Capability\",\"idShort\":\"Own\"}", 201, NULL },
        { "GET", "/submodels/{urn:gemel:submodel:TimeSeries:p1}/submodel-elements/Own", NULL, NULL, 200, "Capability" },
        { "DELETE", "/submodels/{urn:gemel:submodel:OperationalData:p1}", NULL, NULL, 409, "as long as the twin is" },
        { "DELETE", "/submodels/{urn:gemel:submodel:OperationalData:p1}/submodel-elements/limit", NULL, NULL, 409, "can not be left out" },
        { "DELETE", "/submodels/{urn:gemel:submodel:DigitalThread:p1}", NULL, NULL, 409, "one by one" },
        { "DELETE", "/submodels/{urn:gemel:submodel:Interface:dtmi%3At%3APump%3B1}", NULL, NULL, 409, "/models" },
        { "DELETE", "/shells/{dtmi:t:Pump;1}", NULL, NULL, 409, "interface" },
        { "DELETE", "/shells/{urn:gemel:aas:p1}/submodel-refs/{urn:gemel:submodel:Nameplate:p1}", NULL, NULL, 409, "gemel makes" },
        { "DELETE", "/shells/{urn:gemel:aas:p1}", NULL, NULL, 409, "RelationshipsNotDeleted" },
        { "PUT", "/shells/{urn:gemel:aas:p1}", NULL, "{\"modelType\":\"AssetAdministrationShell\",\"id\":\"urn:gemel:aas:p1\",\"idShort\":\"p1\",\"assetInformation\":{\"assetKind\":\"Type\",\"globalAssetId\":\"urn:gemel:asset:p1\"}}", 409, "another kind of asset" },
        { "PUT", "/shells/{urn:gemel:aas:p1}", NULL, "{\"modelType\":\"AssetAdministrationShell\",\"id\":\"urn:gemel:aas:p1\",\"idShort\":\"First\",\"assetInformation\":{\"assetKind\":\"Instance\",\"globalAssetId\":\"urn:gemel:asset:p1\",\"assetType\":\"dtmi:t:Pump;1\"}}", 204, NULL },
        { "GET", "/shells/{urn:gemel:aas:p1}", NULL, NULL, 200, "\"idShort\":\"First\"" },
    };
    TALK(&p, steps);
    api_plant_restart(&p);
    static const api_step after[] = {
        { "GET", "/submodels/{urn:gemel:submodel:Nameplate:p1}/submodel-elements/Colour/$value", NULL, NULL, 200, "\"blue\"" },
        { "GET", "/submodels/{urn:gemel:submodel:TechnicalData:p1}/$value", NULL, NULL, 200, "{\"bore\":50.5,\"stroke\":80,\"air\":{\"flow\":3.5}}" },
        { "GET", "/submodels/{urn:gemel:submodel:HierarchicalStructures:p1}", NULL, NULL, 404, NULL },
    };
    TALK(&p, after);
    api_plant_stop(&p);
}

// ---- what we export comes back ----------------------------------------------------------------------------------------------

static unsigned send(api_plant *p, const char *method, const char *target, const json_t *body)
{
    char            *path  = coded(target), *text = body != NULL ? dump(body) : NULL;
    test_http_reply *reply = test_http_ask(&p->client, method, path, NULL, text);
    unsigned         code  = reply->status;
    if (code >= 300 && code != 409) fail_msg("%s %s: %u %.*s", method, target, code, (int)reply->body.len, (char *)reply->body.ptr);
    if (code == 409) print_message("%s %s: %.*s\n", method, target, (int)reply->body.len, (char *)reply->body.ptr);
    free(path);
    free(text);
    return code;
}

static void check_sound(const json_t *env)
{
    size_t n = gm_aas_check(env, NULL, NULL);
    if (n != 0) fail_msg("%zu faults in %s", n, dump(env));
}

static const char *const kinds[] = { "Nameplate", "TechnicalData", "HierarchicalStructures", "TimeSeries", "OperationalData", "Relationships" };
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static void what_is_exported_deleted_and_posted_is_the_same(void **state)
{
    (void)state;
    api_plant p;
    char      target[200];
    json_t   *before[KINDS];
    start(&p);
    static const api_step fill[] = {
        { "POST", "/v1/thread", NULL, "[{\"twin\":\"p1\",\"phase\":\"as-built\",\"key\":\"serialNumber\",\"value\":\"SN-7\"},{\"twin\":\"p1\",\"phase\":\"as-built\",\"key\":\"manufacturerName\",\"value\":\"ACME\"},"
          "{\"twin\":\"p1\",\"phase\":\"as-designed\",\"key\":\"nominal flow\",\"value\":50,\"unit\":\"m3/h\",\"min\":49,\"max\":51},{\"twin\":\"p1\",\"phase\":\"as-designed\",\"key\":\"atex\",\"value\":true},"
          "{\"twin\":\"p1\",\"phase\":\"as-designed\",\"key\":\"bom/10\",\"part\":\"bolt\",\"quantity\":8},{\"twin\":\"p1\",\"phase\":\"as-designed\",\"key\":\"bom/20\",\"part\":\"oil\",\"quantity\":1.5,\"unit\":\"l\"}]", 204, NULL },
        { "PATCH", "/submodels/{urn:gemel:submodel:OperationalData:p1}/submodel-elements/heat/$value", NULL, "61.5", 204, NULL },
        { "POST", "/submodels/{urn:gemel:submodel:TechnicalData:p1}/submodel-elements", NULL, "{\"modelType\":\"Property\",\"idShort\":\"Note\"," SEM("https://m.example/note") ",\"valueType\":\"xs:string\",\"value\":\"mine\"}", 201, NULL },
        { "DELETE", "/digitaltwins/room%201%2F%C3%A4/relationships/r1" V, NULL, NULL, 204, NULL },
    };
    TALK(&p, fill);
    json_t *shell = get(&p, "/shells/{urn:gemel:aas:p1}");
    for (int k = 0; k < KINDS; k++) {
        snprintf(target, sizeof target, "/submodels/{urn:gemel:submodel:%s:p1}", kinds[k]);
        before[k]   = get(&p, target);
        json_t *env = json_pack("{s[O]}", "submodels", before[k]);
        check_sound(env);
        json_decref(env);
    }
    for (int round = 0; round < 2; round++) {
        for (int k = 0; k < KINDS; k++) {
            snprintf(target, sizeof target, "/submodels/{urn:gemel:submodel:%s:p1}", kinds[k]);
            bool stays = k == 3 || k == 4;
            assert_int_equal(send(&p, "DELETE", target, NULL), stays ? 409 : 204);
            json_t *there = get(&p, target);
            assert_int_equal(there != NULL, stays);
            json_decref(there);
        }
        assert_int_equal(send(&p, "DELETE", "/shells/{urn:gemel:aas:p1}", NULL), 204);
        assert_null(get(&p, "/shells/{urn:gemel:aas:p1}"));
        assert_null(get(&p, "/submodels/{urn:gemel:submodel:OperationalData:p1}"));
        if (round == 1) api_plant_restart(&p);
        assert_int_equal(send(&p, "POST", "/shells", shell), 201);
        for (int k = 0; k < KINDS; k++) assert_int_equal(send(&p, "POST", "/submodels", before[k]), 201);
        for (int k = 0; k < KINDS; k++) {
            snprintf(target, sizeof target, "/submodels/{urn:gemel:submodel:%s:p1}", kinds[k]);
            json_t *after = get(&p, target);
            must_equal(after, before[k], target);
            json_decref(after);
        }
        json_t *after = get(&p, "/shells/{urn:gemel:aas:p1}");
        must_equal(after, shell, "the shell");
        json_decref(after);
    }
    for (int k = 0; k < KINDS; k++) json_decref(before[k]);
    json_decref(shell);
    api_plant_stop(&p);
}

static void interfaces_come_with_their_submodels(void **state)
{
    (void)state;
    api_plant p, empty = { 0 };
    start(&p);
    json_t *motor = get(&p, "/submodels/{urn:gemel:submodel:Interface:dtmi%3At%3AMotor%3B1}"), *pump = get(&p, "/submodels/{urn:gemel:submodel:Interface:dtmi%3At%3APump%3B1}");
    json_t *shell = get(&p, "/shells/{urn:gemel:aas:p2}"), *type = get(&p, "/shells/{dtmi:t:Pump;1}"), *data = get(&p, "/submodels/{urn:gemel:submodel:OperationalData:p2}");
    api_plant_stop(&p);
    api_plant_start(&empty, NULL);
    assert_int_equal(send(&empty, "POST", "/shells", shell), 409);      // the interface is missing
    assert_int_equal(send(&empty, "POST", "/shells", type), 409);
    assert_int_equal(send(&empty, "POST", "/submodels", data), 409);    // so is the twin
    assert_int_equal(send(&empty, "POST", "/submodels", motor), 201);
    assert_int_equal(send(&empty, "POST", "/submodels", pump), 201);
    assert_int_equal(send(&empty, "POST", "/submodels", pump), 201);    // it says what is there
    assert_int_equal(send(&empty, "POST", "/shells", type), 201);
    assert_int_equal(send(&empty, "POST", "/shells", shell), 201);
    assert_int_equal(send(&empty, "POST", "/submodels", data), 201);
    json_t *after = get(&empty, "/shells/{urn:gemel:aas:p2}");
    must_equal(after, shell, "the shell in another plant");
    json_t *all[] = { motor, pump, shell, type, data, after };
    for (int i = 0; i < 6; i++) json_decref(all[i]);
    api_plant_stop(&empty);
}

static void bad_input_is_refused_with_a_sentence(void **state)
{
    (void)state;
    api_plant p;
    start(&p);
    static const api_step steps[] = {
        { "POST", "/submodels", NULL, "[]", 400, "JSON object" },
        { "POST", "/submodels", NULL, "{", 400, "not valid JSON" },
        { "POST", "/submodels", NULL, "{\"modelType\":\"Submodel\",\"id\":\"a\",\"id\":\"b\"}", 400, "not valid JSON" },
        { "POST", "/submodels", NULL, "{\"modelType\":\"Submodel\"}", 400, "'id' is missing" },
        { "POST", "/submodels", NULL, "{\"modelType\":\"AssetAdministrationShell\",\"id\":\"a\"}", 400, "must be Submodel" },
        { "POST", "/submodels", NULL, "{\"modelType\":\"Submodel\",\"id\":\"a\",\"submodelElements\":[{\"modelType\":\"Capability\",\"idShort\":\"x1\"},{\"modelType\":\"Capability\",\"idShort\":\"x1\"}]}", 400, "AASd-022" },
        { "POST", "/submodels", NULL, "{\"modelType\":\"Submodel\",\"id\":\"a\",\"submodelElements\":[{\"modelType\":\"Property\",\"idShort\":\"1x\",\"valueType\":\"xs:int\"}]}", 400, "AASd-002" },
        { "POST", "/submodels", NULL, "{\"modelType\":\"Submodel\",\"id\":\"a\",\"submodelElements\":[{\"modelType\":\"Property\",\"idShort\":\"x1\",\"valueType\":\"xs:int\",\"value\":\"ten\"}]}", 400, "/submodelElements/0: 'ten' is no xs:int" },
        { "POST", "/submodels/{urn:gemel:submodel:Nameplate:p1}/submodel-elements", NULL, "{\"modelType\":\"Capability\",\"idShort\":\"x1\"}", 404, "SubmodelNotFound" },
        { "PUT", "/submodels/not%20base64", NULL, "{\"modelType\":\"Submodel\",\"id\":\"a\"}", 400, "base64url" },
        { "POST", "/shells", NULL, "{\"modelType\":\"AssetAdministrationShell\",\"id\":\"urn:x:1\"}", 400, "'assetInformation' is missing" },
        { "POST", "/shells", NULL, "{\"modelType\":\"AssetAdministrationShell\",\"id\":\"bare\",\"assetInformation\":{\"assetKind\":\"Instance\",\"globalAssetId\":\"x\"}}", 201, "\"id\":\"bare\"" },
        { "POST", "/shells", NULL, "{\"modelType\":\"AssetAdministrationShell\",\"id\":\"urn:gemel:aas:p%31\",\"assetInformation\":{\"assetKind\":\"Instance\",\"globalAssetId\":\"x\"}}", 400, "can not be the id" },
        { "POST", "/shells/{urn:gemel:aas:p1}/submodel-refs", NULL, "{\"type\":\"ModelReference\",\"keys\":[]}", 400, "reference to a submodel" },
        { "POST", "/shells/{urn:gemel:aas:nobody}/submodel-refs", NULL, REF("a"), 404, "ShellNotFound" },
        { "PUT", "/shells/{urn:gemel:aas:p1}/asset-information", NULL, "{\"assetKind\":\"Thing\"}", 400, "assetKind" },
        { "POST", "/v1/thread", NULL, "{\"twin\":\"p1\",\"phase\":\"as-built\",\"key\":\"serialNumber\",\"value\":\"SN-7\"}", 204, NULL },
        { "PATCH", "/submodels/{urn:gemel:submodel:Nameplate:p1}", NULL, "{\"id\":\"other\"}", 400, "keeps its id" },
        { "PATCH", "/submodels/{urn:gemel:submodel:Nameplate:p1}/submodel-elements/SerialNumber/$value", NULL, "null", 400, "null" },
        { "PATCH", "/submodels/{urn:gemel:submodel:Nameplate:p1}/submodel-elements/No%5B99999999999%5D/$value", NULL, "1", 404, "ElementNotFound" },
        { "POST", "/submodels/{urn:gemel:submodel:DigitalThread:p1}/submodel-elements/Facts", NULL, "{\"modelType\":\"SubmodelElementCollection\",\"value\":[{\"modelType\":\"Property\",\"idShort\":\"Phase\",\"valueType\":\"xs:string\",\"value\":\"as-built\"},"
          "{\"modelType\":\"Property\",\"idShort\":\"Key\",\"valueType\":\"xs:string\",\"value\":\"aas/gone\"},{\"modelType\":\"Property\",\"idShort\":\"Value\",\"valueType\":\"xs:string\",\"value\":\"x\"}]}", 409, "gemel's own" },
    };
    TALK(&p, steps);
    // Nested without end, and too large.
    gm_buf deep = gm_buf_init(gm_alloc_system());
    gm_buf_text(&deep, "{\"modelType\":\"Submodel\",\"id\":\"deep\",\"submodelElements\":[");
    for (int i = 0; i < 200; i++) gm_buf_text(&deep, "{\"modelType\":\"SubmodelElementCollection\",\"idShort\":\"in\",\"value\":[");
    gm_buf_text(&deep, "{\"modelType\":\"Capability\",\"idShort\":\"in\"}");
    for (int i = 0; i < 200; i++) gm_buf_text(&deep, "]}");
    gm_buf_text(&deep, "]}");
    gm_buf_byte(&deep, '\0');
    const api_step too_deep[] = { { "POST", "/submodels", NULL, (const char *)deep.ptr, 400, "nested more than" } };
    TALK(&p, too_deep);
    gm_buf_finish(&deep);
    api_plant_stop(&p);
}

// A submodel larger than a fact is a document: acknowledged when both are durable, changed and deleted like others.
static void large_submodels_are_documents(void **state)
{
    (void)state;
    api_plant p;
    start(&p);
    json_t *list = json_array(), *submodel = json_pack("{ssss}", "modelType", "Submodel", "id", "https://m.example/large");
    for (int i = 0; i < 2000; i++) {
        char name[32];
        snprintf(name, sizeof name, "element_%d", i);
        (void)json_array_append_new(list, json_pack("{ssssssss}", "modelType", "Property", "idShort", name, "valueType", "xs:string", "value", "a value of some length"));
    }
    (void)json_object_set_new(submodel, "submodelElements", list);
    assert_int_equal(send(&p, "POST", "/submodels", submodel), 201);
    static const api_step change[] = {
        { "PATCH", "/submodels/{https://m.example/large}/submodel-elements/element_7/$value", NULL, "\"seven\"", 204, NULL },
        { "GET", "/submodels/{https://m.example/large}/submodel-elements/element_7/$value", NULL, NULL, 200, "\"seven\"" },
        { "PATCH", "/submodels/{https://m.example/large}/submodel-elements/element_7/$value", NULL, "\"a value of some length\"", 204, NULL },
    };
    TALK(&p, change);
    api_plant_restart(&p);
    json_t *after = get(&p, "/submodels/{https://m.example/large}");
    must_equal(after, submodel, "the large submodel");
    json_decref(after);
    assert_int_equal(send(&p, "DELETE", "/submodels/{https://m.example/large}", NULL), 204);
    assert_null(get(&p, "/submodels/{https://m.example/large}"));
    json_decref(submodel);
    api_plant_stop(&p);
}

// A template's submodel that a shell has says facts of it, whichever of them comes first.
#define CONCEPT(name) "{\"modelType\":\"ConceptDescription\",\"id\":\"https://m.example/c\",\"idShort\":\"" name "\"}"
static void templates_that_are_kept_say_facts(void **state)
{
    (void)state;
    api_plant p;
    start(&p);
#define PLATE(serial) "{\"modelType\":\"Submodel\",\"id\":\"https://m.example/plate\",\"idShort\":\"Nameplate\"," SEM("https://admin-shell.io/zvei/nameplate/2/0/Nameplate") ",\"submodelElements\":[{\"modelType\":\"Property\",\"idShort\":\"SerialNumber\",\"valueType\":\"xs:string\",\"value\":\"" serial "\"}]}"
    static const api_step steps[] = {
        { "POST", "/shells", NULL, FAN(",\"submodels\":[" REF("https://m.example/plate") "]"), 201, NULL },
        { "POST", "/submodels", NULL, PLATE("F-1"), 201, NULL },
        { "GET", "/v1/thread/https%3A%2F%2Fm.example%2Faas%2F42?key=serialNumber", NULL, NULL, 200, "\"value\":\"F-1\"" },
        { "GET", "/shells/{https://m.example/aas/42}", NULL, NULL, 200, "!urn:gemel:submodel:Nameplate" },  // it is the nameplate
        { "PUT", "/submodels/{https://m.example/plate}", NULL, PLATE("F-2"), 204, NULL },
        { "GET", "/v1/thread/https%3A%2F%2Fm.example%2Faas%2F42?key=serialNumber", NULL, NULL, 200, "\"value\":\"F-2\"" },
        { "POST", "/shells/{urn:gemel:aas:p2}/submodel-refs", NULL, REF("https://m.example/plate"), 201, NULL },
        { "GET", "/v1/thread/p2?key=serialNumber", NULL, NULL, 200, "\"value\":\"F-2\"" },
        // Concept descriptions are kept, too; those of interfaces are theirs.
        { "POST", "/concept-descriptions", NULL, CONCEPT("one"), 201, "Location: /concept-descriptions/" },
        { "POST", "/concept-descriptions", NULL, CONCEPT("two"), 409, "ConceptDescriptionExists" },
        { "PUT", "/concept-descriptions/{https://m.example/c}", NULL, CONCEPT("two"), 204, NULL },
        { "GET", "/concept-descriptions/{https://m.example/c}", NULL, NULL, 200, "\"two\"" },
        { "GET", "/concept-descriptions", NULL, NULL, 200, "https://m.example/c" },
        { "DELETE", "/concept-descriptions/{https://m.example/c}", NULL, NULL, 204, NULL },
        { "DELETE", "/concept-descriptions/{https://m.example/c}", NULL, NULL, 404, "ConceptDescriptionNotFound" },
        { "GET", "/concept-descriptions", NULL, NULL, 200, "!https://m.example/c" },
        { "PUT", "/concept-descriptions/{https://m.example/c}", NULL, CONCEPT("three"), 201, "\"three\"" },
        { "GET", "/concept-descriptions?idShort=three", NULL, NULL, 200, "{\"result\":[{\"modelType\":\"ConceptDescription\",\"id\":\"https://m.example/c\"" },
        { "GET", "/concept-descriptions?isCaseOf=eyJ0eXBlIjoiRXh0ZXJuYWxSZWZlcmVuY2UiLCJrZXlzIjpbeyJ0eXBlIjoiR2xvYmFsUmVmZXJlbmNlIiwidmFsdWUiOiJ1cm46Y2FzZSJ9XX0", NULL, NULL, 200, "{\"result\":[]" },
        { "PUT", "/concept-descriptions/{https://m.example/c}", NULL, "{\"modelType\":\"ConceptDescription\",\"id\":\"https://m.example/c\",\"isCaseOf\":[{\"type\":\"ExternalReference\",\"keys\":[{\"type\":\"GlobalReference\",\"value\":\"urn:case\"}]}]}", 204, NULL },
        { "GET", "/concept-descriptions?isCaseOf=eyJ0eXBlIjoiRXh0ZXJuYWxSZWZlcmVuY2UiLCJrZXlzIjpbeyJ0eXBlIjoiR2xvYmFsUmVmZXJlbmNlIiwidmFsdWUiOiJ1cm46Y2FzZSJ9XX0", NULL, NULL, 200, "\"id\":\"https://m.example/c\"" },
        { "GET", "/concept-descriptions?dataSpecificationRef=eyJ0eXBlIjoiRXh0ZXJuYWxSZWZlcmVuY2UiLCJrZXlzIjpbeyJ0eXBlIjoiR2xvYmFsUmVmZXJlbmNlIiwidmFsdWUiOiJodHRwczovL2FkbWluLXNoZWxsLmlvL0RhdGFTcGVjaWZpY2F0aW9uVGVtcGxhdGVzL0RhdGFTcGVjaWZpY2F0aW9uSWVjNjEzNjAvMy8wIn1dfQ", NULL, NULL, 200, "!https://m.example/c" },
        { "GET", "/concept-descriptions?dataSpecificationRef=eyJ0eXBlIjoiRXh0ZXJuYWxSZWZlcmVuY2UiLCJrZXlzIjpbeyJ0eXBlIjoiR2xvYmFsUmVmZXJlbmNlIiwidmFsdWUiOiJodHRwczovL2FkbWluLXNoZWxsLmlvL0RhdGFTcGVjaWZpY2F0aW9uVGVtcGxhdGVzL0RhdGFTcGVjaWZpY2F0aW9uSWVjNjEzNjAvMy8wIn1dfQ", NULL, NULL, 200, "dtmi:t:Pump;1#heat" },
        { "GET", "/concept-descriptions?isCaseOf=e30", NULL, NULL, 400, "isCaseOf" },
        { "DELETE", "/concept-descriptions/{dtmi:t:Pump;1#heat}", NULL, NULL, 409, "property of the interface" },
    };
    TALK(&p, steps);
    api_plant_stop(&p);
}

static void have_a_plate(api_plant *p, int from, int to)
{
    char body[400];
    for (int i = from; i < to; i++) {
        snprintf(body, sizeof body, "{\"modelType\":\"AssetAdministrationShell\",\"id\":\"https://m.example/s/%d\",\"assetInformation\":{\"assetKind\":\"Instance\",\"globalAssetId\":\"urn:a:%d\"},\"submodels\":[" REF("https://m.example/plate") "]}", i, i);
        api_step step = { "POST", "/shells", NULL, body, 201, NULL };
        api_plant_talk(p, &step, 1);
    }
}

// What one write says, it says of all of them or of none.
static void all_who_share_a_submodel_hear_of_a_change_or_it_is_refused(void **state)
{
    (void)state;
    enum { MANY = 40, MOST = 256 };
    api_plant p;
    start(&p);
    have_a_plate(&p, 0, MANY);
    static const api_step write[] = { { "POST", "/submodels", NULL, PLATE("F-1"), 201, NULL } };
    TALK(&p, write);
    for (int i = 0; i < MANY; i++) {
        char     path[100];
        snprintf(path, sizeof path, "/v1/thread/https%%3A%%2F%%2Fm.example%%2Fs%%2F%d?key=serialNumber", i);
        api_step read = { "GET", path, NULL, NULL, 200, "\"value\":\"F-1\"" };
        api_plant_talk(&p, &read, 1);
    }
    have_a_plate(&p, MANY, MOST + 1);
    static const api_step beyond[] = {
        { "PUT", "/submodels/{https://m.example/plate}", NULL, PLATE("F-2"), 400, "share this submodel" },
        { "GET", "/v1/thread/https%3A%2F%2Fm.example%2Fs%2F0?key=serialNumber", NULL, NULL, 200, "\"value\":\"F-1\"" },
        { "DELETE", "/shells/{https://m.example/s/256}", NULL, NULL, 204, NULL },
        { "PUT", "/submodels/{https://m.example/plate}", NULL, PLATE("F-2"), 204, NULL },
        { "GET", "/v1/thread/https%3A%2F%2Fm.example%2Fs%2F255?key=serialNumber", NULL, NULL, 200, "\"value\":\"F-2\"" },
    };
    TALK(&p, beyond);
    api_plant_stop(&p);
}

#define PROPERTY(name, value) "{\"modelType\":\"Property\",\"idShort\":\"" name "\",\"valueType\":\"xs:string\",\"value\":\"" value "\"}"
#define FACTS "/submodels/{urn:gemel:submodel:DigitalThread:p1}/submodel-elements/Facts"
static void facts_and_documents_are_told_by_their_submodels(void **state)
{
    (void)state;
    api_plant p;
    start(&p);
    static const api_step thread[] = {
        { "POST", "/v1/thread", NULL, "{\"twin\":\"p1\",\"phase\":\"as-operated\",\"key\":\"hours\",\"value\":12,\"unit\":\"h\"}", 204, NULL },
        { "POST", FACTS, NULL, "{\"modelType\":\"SubmodelElementCollection\",\"value\":[" PROPERTY("Phase", "maintained") "," PROPERTY("Key", "oil") "," PROPERTY("Value", "changed") "," PROPERTY("From", "2024-01-05T00:00:00Z") "]}", 201, NULL },
        { "GET", "/v1/thread/p1?key=oil", NULL, NULL, 200, "\"phase\":\"maintained\",\"key\":\"oil\",\"value\":\"changed\",\"from\":\"2024-01-05T00:00:00Z\"" },
        { "GET", FACTS "%5B1%5D.Key/$value", NULL, NULL, 200, "\"oil\"" },
        { "PATCH", FACTS "%5B1%5D.Value/$value", NULL, "\"topped up\"", 204, NULL },
        { "GET", "/v1/thread/p1?key=oil&history=true", NULL, NULL, 200, "\"changed\"" },  // nothing is overwritten
        { "GET", "/v1/thread/p1?key=oil", NULL, NULL, 200, "\"topped up\"" },
        { "POST", FACTS "%5B1%5D", NULL, PROPERTY("Weather", "fine"), 409, "has no 'Weather'" },
        { "DELETE", FACTS "%5B1%5D", NULL, NULL, 204, NULL },
        { "GET", "/v1/thread/p1?key=oil", NULL, NULL, 200, "\"items\":[]" },
        { "GET", "/v1/thread/p1?key=hours", NULL, NULL, 200, "\"value\":12,\"unit\":\"h\"" },
        { "POST", "/v1/thread/p1/documents?key=manual&name=manual.txt&from=2024-01-05T00:00:00Z", "Content-Type: text/plain\r\n", "Turn it on.", 201, NULL },
        { "POST", "/v1/thread/p1/documents?key=drawing&name=drawing.txt", "Content-Type: text/plain\r\n", "A pump.", 201, NULL },
        { "GET", "/submodels/{urn:gemel:submodel:HandoverDocumentation:p1}/submodel-elements/Documents%5B1%5D.DocumentVersions%5B0%5D.DigitalFiles%5B0%5D/attachment", NULL, NULL, 200, "Turn it on." },
    };
    TALK(&p, thread);
    json_t *before = get(&p, "/submodels/{urn:gemel:submodel:HandoverDocumentation:p1}");
    static const api_step documents[] = {
        { "POST", "/submodels/{urn:gemel:submodel:HandoverDocumentation:p1}/submodel-elements/Documents", NULL, "{\"modelType\":\"SubmodelElementCollection\"}", 409, "upload it" },
        { "DELETE", "/submodels/{urn:gemel:submodel:HandoverDocumentation:p1}/submodel-elements/Documents%5B0%5D", NULL, NULL, 204, NULL },
        { "GET", "/v1/thread/p1?key=drawing", NULL, NULL, 200, "\"items\":[]" },
        { "GET", "/v1/thread/p1?key=manual", NULL, NULL, 200, "manual.txt" },
        { "DELETE", "/submodels/{urn:gemel:submodel:HandoverDocumentation:p1}", NULL, NULL, 204, NULL },
        { "GET", "/submodels/{urn:gemel:submodel:HandoverDocumentation:p1}", NULL, NULL, 404, NULL },
    };
    TALK(&p, documents);
    assert_int_equal(send(&p, "POST", "/submodels", before), 201);
    json_t *after = get(&p, "/submodels/{urn:gemel:submodel:HandoverDocumentation:p1}");
    must_equal(after, before, "the documents that were handed over again");
    json_decref(before);
    json_decref(after);
    api_plant_stop(&p);
}

#define FORM "Content-Type: multipart/form-data; boundary=\"b-1\"\r\n"
#define PART(name, more, bytes) "--b-1\r\nContent-Disposition: form-data; name=\"" name "\"" more "\r\n\r\n" bytes "\r\n"
#define MANUAL "/submodels/{https://m.example/files}/submodel-elements/Manual"
static void files_are_put_with_their_elements(void **state)
{
    (void)state;
    api_plant p;
    start(&p);
    static const api_step steps[] = {
        { "POST", "/submodels", NULL, "{\"modelType\":\"Submodel\",\"id\":\"https://m.example/files\",\"submodelElements\":[{\"modelType\":\"File\",\"idShort\":\"Manual\",\"contentType\":\"text/plain\"},{\"modelType\":\"Capability\",\"idShort\":\"none\"}]}", 201, NULL },
        { "GET", MANUAL "/attachment", NULL, NULL, 404, "FileNotFound" },
        { "PUT", MANUAL "/attachment", FORM, PART("fileName", "", "../man ual.txt") PART("file", "; filename=\"x.txt\"\r\nContent-Type: text/plain", "Turn --b-1 it\r\non.") "--b-1--\r\n", 204, NULL },
        { "GET", MANUAL "/attachment", NULL, NULL, 200, "Turn --b-1 it\r\non." },
        { "GET", MANUAL "/$value", NULL, NULL, 200, "{\"contentType\":\"text/plain\",\"value\":\"/aasx/files/_._man_ual.txt\"}" },
        { "PUT", MANUAL "/attachment", FORM, PART("file", "; filename=\"new.pdf\"\r\nContent-Type: application/pdf", "no PDF") "--b-1--", 400, "application/pdf" },
        { "PUT", MANUAL "/attachment", FORM, PART("file", "; filename=\"new.pdf\"\r\nContent-Type: application/pdf", "%PDF-1.7") "--b-1--", 204, NULL },
        { "GET", MANUAL, NULL, NULL, 200, "\"contentType\":\"application/pdf\",\"value\":\"/aasx/files/new.pdf\"" },
        { "GET", "/v1/thread/submodel%3Ahttps%3A%2F%2Fm.example%2Ffiles", NULL, NULL, 200, "!_man_ual.txt" },  // the first is let go
        { "PUT", MANUAL "/attachment", FORM, "--b-1\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\ncut off", 400, "multipart/form-data" },
        { "PUT", MANUAL "/attachment", FORM, "nothing", 400, "multipart/form-data" },
        { "PUT", MANUAL "/attachment", NULL, "{}", 400, "multipart/form-data" },
        { "PUT", "/submodels/{https://m.example/files}/submodel-elements/none/attachment", FORM, PART("file", "", "x") "--b-1--", 400, "no File" },
        { "DELETE", MANUAL "/attachment", NULL, NULL, 204, NULL },
        { "GET", MANUAL "/attachment", NULL, NULL, 404, "FileNotFound" },
        { "GET", MANUAL, NULL, NULL, 200, "!\"value\"" },
    };
    TALK(&p, steps);
    api_plant_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shells_and_submodels_of_others_are_made_changed_deleted_and_made_again),
        cmocka_unit_test(what_gemel_makes_is_written_through_or_refused),
        cmocka_unit_test(what_is_exported_deleted_and_posted_is_the_same),
        cmocka_unit_test(interfaces_come_with_their_submodels),
        cmocka_unit_test(bad_input_is_refused_with_a_sentence),
        cmocka_unit_test(large_submodels_are_documents),
        cmocka_unit_test(templates_that_are_kept_say_facts),
        cmocka_unit_test(all_who_share_a_submodel_hear_of_a_change_or_it_is_refused),
        cmocka_unit_test(facts_and_documents_are_told_by_their_submodels),
        cmocka_unit_test(files_are_put_with_their_elements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
