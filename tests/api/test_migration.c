// Twins that become twins of another model: the dry run tells what stands in the way, the migration leaves nothing half done.
#include "support/api_plant.h"

#define NEXT_PUMP                                                                                                              \
    "[{\"@context\":\"dtmi:dtdl:context;4\",\"@id\":\"dtmi:t:Pump;2\",\"@type\":\"Interface\",\"contents\":["                     \
    "{\"@type\":\"Property\",\"name\":\"name\",\"schema\":\"string\"},{\"@type\":\"Property\",\"name\":\"limit\",\"schema\":\"byte\"}," \
    "{\"@type\":\"Property\",\"name\":\"colour\",\"schema\":\"string\"},{\"@type\":\"Component\",\"name\":\"motor\",\"schema\":\"dtmi:t:Motor;1\"}," \
    "{\"@type\":\"Relationship\",\"name\":\"feeds\",\"properties\":[{\"@type\":\"Property\",\"name\":\"flow\",\"schema\":\"double\"}]}]}]"
#define PUMP(rest) "{\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\"}," rest "\"motor\":{\"$metadata\":{}}}"
#define ASK(rest) "{\"from\":\"dtmi:t:Pump;1\",\"to\":\"dtmi:t:Pump;2\"" rest "}"

static void twins_move_together_or_not_at_all(void **state)
{
    (void)state;
    static api_plant plant;
    api_plant_start(&plant, NULL);
    api_plant_fill(&plant);
    static const api_step steps[] = {
        { "POST", "/models" V, NULL, NEXT_PUMP, 201, NULL },
        { "PUT", "/digitaltwins/big" V, NULL, PUMP("\"limit\":1000,"), 200, NULL },
        { "PUT", "/digitaltwins/moded" V, NULL, PUMP("\"mode\":\"auto\","), 200, NULL },
        { "PUT", "/digitaltwins/near" V, NULL, PUMP(""), 200, NULL },
        { "PUT", "/digitaltwins/near/relationships/n" V, NULL, "{\"$relationshipName\":\"near\",\"$targetId\":\"p2\"}", 200, NULL },
        { "POST", "/digitaltwins/p1/telemetry" V, "Message-Id: 1\r\nContent-Type: application/json\r\n", "{\"heat\":70.5}", 204, NULL },

        { "POST", "/v1/migrate", NULL, "[]", 400, NULL },
        { "POST", "/v1/migrate", NULL, "{\"from\":\"dtmi:t:Pump;1\"}", 400, "InvalidArgument" },
        { "POST", "/v1/migrate", NULL, "{\"from\":\"dtmi:t:Pump;1\",\"to\":\"dtmi:t:Pump;9\"}", 404, "ModelNotFound" },
        { "POST", "/v1/migrate", NULL, "{\"from\":\"dtmi:t:Pump;1\",\"to\":\"dtmi:t:Pump;1\"}", 400, "InvalidArgument" },
        { "POST", "/v1/migrate", NULL, ASK(",\"dryRun\":1"), 400, "InvalidArgument" },

        { "POST", "/v1/migrate", NULL, ASK(",\"dryRun\":true"), 200, "\"dryRun\":true,\"checked\":5,\"failed\":4,\"migrated\":0" },
        { "POST", "/v1/migrate", NULL, ASK(",\"dryRun\":true"), 200, "{\"twin\":\"big\",\"why\":\"'limit'" },
        { "POST", "/v1/migrate", NULL, ASK(",\"dryRun\":true"), 200, "{\"twin\":\"moded\",\"why\":\"" },
        { "POST", "/v1/migrate", NULL, ASK(",\"dryRun\":true"), 200, "'n' is a 'near', which the new model does not declare" },
        { "POST", "/v1/migrate", NULL, ASK(",\"dryRun\":true"), 200, "leads here and needs a dtmi:t:Pump;1" },
        { "GET", "/digitaltwins/p1" V, NULL, NULL, 200, "\"$model\":\"dtmi:t:Pump;1\"" },
        { "POST", "/v1/migrate", NULL, ASK(""), 409, "\"failed\":4,\"migrated\":0" },
        { "GET", "/digitaltwins/p1" V, NULL, NULL, 200, "\"$model\":\"dtmi:t:Pump;1\"" },
        { "POST", "/v1/migrate", NULL, ASK(",\"skipFailing\":true"), 200, "\"failed\":4,\"migrated\":1" },
        { "GET", "/digitaltwins/p1" V, NULL, NULL, 200, "\"$model\":\"dtmi:t:Pump;2\"" },
        { "GET", "/digitaltwins/p1" V, NULL, NULL, 200, "\"limit\":5" },
        { "GET", "/digitaltwins/p1" V, NULL, NULL, 200, "!heat" },
        { "GET", "/digitaltwins/big" V, NULL, NULL, 200, "\"$model\":\"dtmi:t:Pump;1\"" },

        // One alone, by a patch; then what stood in the way is gone, and the rest follows.
        { "PATCH", "/digitaltwins/big" V, NULL,
          "[{\"op\":\"replace\",\"path\":\"/$metadata/$model\",\"value\":\"dtmi:t:Pump;2\"},{\"op\":\"replace\",\"path\":\"/limit\",\"value\":100}]", 204, NULL },
        { "PATCH", "/digitaltwins/moded" V, NULL, "[{\"op\":\"remove\",\"path\":\"/mode\"}]", 204, NULL },
        { "DELETE", "/digitaltwins/near/relationships/n" V, NULL, NULL, 204, NULL },
        { "POST", "/v1/migrate", NULL, ASK(""), 200, "\"checked\":3,\"failed\":0,\"migrated\":3,\"failures\":[]" },
        { "POST", "/query" V, NULL, "{\"query\":\"SELECT COUNT() FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, 'dtmi:t:Pump;2')\"}", 200, "\"COUNT\":5" },
    };
    API_TALK(&plant, steps);
    api_plant_stop(&plant);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(twins_move_together_or_not_at_all) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
