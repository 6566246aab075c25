#include "support/api_plant.h"

#include <stdio.h>
#include <stdlib.h>

#define DTDL(id, rest) "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"" id "\",\"@type\":\"Interface\"" rest "}"
#define DECOMMISSION "[{\"op\":\"replace\",\"path\":\"/decommissioned\",\"value\":true}]"

static void models_are_added_listed_decommissioned_and_deleted(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    static const api_step steps[] = {
        { "GET", "/models" V, NULL, NULL, 200, "{\"value\":[]}" },
        { "POST", "/models" V, NULL, "[]", 400, "InvalidArgument" },
        { "POST", "/models" V, NULL, "{}", 400, "InvalidArgument" },
        { "POST", "/models" V, NULL, "[1]", 400, "DTDLParserError" },
        { "POST", "/models" V, NULL, "[" DTDL("dtmi:t:A;1", ",\"contents\":[{\"@type\":\"Property\"}]") "]", 400, "\"details\":[{" },
        { "POST", "/models" V, NULL, "[" DTDL("dtmi:t:A;1", ",\"extends\":\"dtmi:t:B;1\"") "]", 400, "DTDLParserError" },
        { "POST", "/models" V, NULL,
          "[" DTDL("dtmi:t:Base;1", "") "," DTDL("dtmi:t:Part;1", "") ","
          DTDL("dtmi:t:A;1", ",\"displayName\":{\"de\":\"Anlage\"},\"description\":\"A thing\",\"extends\":\"dtmi:t:Base;1\","
                             "\"contents\":[{\"@type\":\"Component\",\"name\":\"part\",\"schema\":\"dtmi:t:Part;1\"}]") ","
          DTDL("dtmi:t:Other;1", "") "]", 201, "\"displayName\":{\"de\":\"Anlage\"}" },
        { "POST", "/models" V, NULL, "[" DTDL("dtmi:t:A;1", "") "]", 409, "ModelIdAlreadyExists" },
        { "GET", "/models/dtmi:t:A;1" V, NULL, NULL, 200, "\"description\":{\"en\":\"A thing\"}" },
        { "GET", "/models/dtmi%3At%3AA%3B1" V, NULL, NULL, 200, "!\"model\":" },
        { "GET", "/models/dtmi:t:A;1" V, NULL, NULL, 200, "\"uploadTime\":\"20" },
        { "GET", "/models/dtmi:t:A;1" V "&includeModelDefinition=true", NULL, NULL, 200, "\"model\":{" },
        { "GET", "/models/dtmi:t:A;1" V "&includeModelDefinition=perhaps", NULL, NULL, 400, "includeModelDefinition" },
        { "GET", "/models/dtmi:t:None;1" V, NULL, NULL, 404, "x-ms-error-code: ModelNotFound" },
        { "GET", "/models/nonsense" V, NULL, NULL, 400, "InvalidArgument" },
        { "GET", "/models" V "&dependenciesFor=dtmi:t:A;1", NULL, NULL, 200, "dtmi:t:Base;1" },
        { "GET", "/models" V "&dependenciesFor=dtmi:t:A;1", NULL, NULL, 200, "dtmi:t:Part;1" },
        { "GET", "/models" V "&dependenciesFor=dtmi:t:A;1", NULL, NULL, 200, "!dtmi:t:Other;1" },
        { "GET", "/models" V "&dependenciesFor=dtmi:t:Part;1,dtmi:t:Other;1", NULL, NULL, 200, "dtmi:t:Other;1" },
        { "GET", "/models" V "&dependenciesFor=dtmi:t:Part;1&dependenciesFor=dtmi:t:Other;1", NULL, NULL, 200, "dtmi:t:Other;1" },
        { "GET", "/models" V "&dependenciesFor=", NULL, NULL, 200, "dtmi:t:Other;1" },  // an empty list is no list
        { "GET", "/models" V "&dependenciesFor=dtmi:t:None;1", NULL, NULL, 404, "ModelNotFound" },
        { "DELETE", "/models/dtmi:t:Base;1" V, NULL, NULL, 409, "ModelReferencesNotDeleted" },
        { "DELETE", "/models/dtmi:t:Part;1" V, NULL, NULL, 409, "ModelReferencesNotDeleted" },
        { "PATCH", "/models/dtmi:t:Base;1" V, NULL, DECOMMISSION, 409, "ModelReferencesNotDecommissioned" },
        { "PATCH", "/models/dtmi:t:A;1" V, NULL, "[{\"op\":\"add\",\"path\":\"/decommissioned\",\"value\":true}]", 400, "JsonPatchInvalid" },
        { "PATCH", "/models/dtmi:t:A;1" V, NULL, "[{\"op\":\"replace\",\"path\":\"/decommissioned\",\"value\":1}]", 400, "JsonPatchInvalid" },
        { "PATCH", "/models/dtmi:t:A;1" V, NULL, DECOMMISSION, 204, NULL },
        { "PATCH", "/models/dtmi:t:A;1" V, NULL, DECOMMISSION, 204, NULL },  // again is no mistake
        { "GET", "/models/dtmi:t:A;1" V, NULL, NULL, 200, "\"decommissioned\":true" },
        { "PATCH", "/models/dtmi:t:Base;1" V, NULL, DECOMMISSION, 204, NULL },
        { "PUT", "/digitaltwins/o" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Other;1\"}}", 200, NULL },
        { "DELETE", "/models/dtmi:t:Other;1" V, NULL, NULL, 409, "still has 1 twin" },
        { "DELETE", "/digitaltwins/o" V, NULL, NULL, 204, NULL },
        { "DELETE", "/models/dtmi:t:Other;1" V, NULL, NULL, 204, NULL },
        { "DELETE", "/models/dtmi:t:Other;1" V, NULL, NULL, 404, "ModelNotFound" },
        { "DELETE", "/models/dtmi:t:A;1" V, NULL, NULL, 204, NULL },
        { "DELETE", "/models/dtmi:t:Base;1" V, NULL, NULL, 204, NULL },
        { "POST", "/models" V, NULL, "[" DTDL("dtmi:t:Other;1", "") "]", 201, NULL },  // what was deleted may come again
    };
    API_TALK(&p, steps);
    api_plant_stop(&p);
}

static void api_versions_are_asked_for(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    static const api_step steps[] = {
        { "GET", "/models", NULL, NULL, 400, "x-ms-error-code: MissingApiVersionParameter" },
        { "GET", "/models?api-version=", NULL, NULL, 400, "MissingApiVersionParameter" },
        { "GET", "/models?api-version=1999-01-01", NULL, NULL, 400, "UnsupportedApiVersionValue" },
        { "GET", "/models?api-version=2022-05-31", NULL, NULL, 200, NULL },
        { "GET", "/models?api-version=2023-10-31", NULL, NULL, 200, NULL },
        { "GET", "/v1/plant", NULL, NULL, 200, NULL },
    };
    API_TALK(&p, steps);
    api_plant_stop(&p);
}

// Follows nextLink as a client does and counts how often each model comes.
static void pages_give_every_model_once(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    gm_buf body = gm_buf_init(gm_alloc_system());
    for (int i = 0; i < 25; i++) gm_buf_printf(&body, "%c" DTDL("dtmi:t:M%d;1", ""), i == 0 ? '[' : ',', i);
    gm_buf_text(&body, "]");
    gm_buf_byte(&body, '\0');
    assert_int_equal(test_http_ask(&p.client, "POST", "/models" V, NULL, (char *)body.ptr)->status, 201);
    char link[512] = "/models" V "&includeModelDefinition=false";
    int  pages = 0, models = 0, seen[25] = { 0 };
    while (link[0] != '\0') {
        test_http_reply *reply = test_http_ask(&p.client, "GET", link, "max-items-per-page: 10\r\n", NULL);
        assert_int_equal(reply->status, 200);
        pages++;
        for (char *at = (char *)reply->body.ptr; (at = strstr(at, "\"id\":\"dtmi:t:M")) != NULL; at++, models++) seen[atoi(at + 14)]++;
        char *next = strstr((char *)reply->body.ptr, "\"nextLink\":\"");
        link[0]    = '\0';
        if (next != NULL) sscanf(next, "\"nextLink\":\"%500[^\"]", link);
        assert_true(next == NULL || link[0] == '/');  // relative
    }
    assert_int_equal(pages, 3);
    assert_int_equal(models, 25);
    for (int i = 0; i < 25; i++) assert_int_equal(seen[i], 1);
    static const api_step tampered[] = {
        { "GET", "/models" V "&continuationToken=a-00000000", NULL, NULL, 400, "BadRequest" },
        { "GET", "/models" V "&continuationToken=null", NULL, NULL, 400, "BadRequest" },
        { "GET", "/models" V, "max-items-per-page: 0\r\n", NULL, 400, "max-items-per-page" },
        { "GET", "/models" V, "max-items-per-page: 9999999\r\n", NULL, 200, NULL },
    };
    API_TALK(&p, tampered);
    gm_buf_finish(&body);
    api_plant_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_are_added_listed_decommissioned_and_deleted),
        cmocka_unit_test(api_versions_are_asked_for),
        cmocka_unit_test(pages_give_every_model_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
