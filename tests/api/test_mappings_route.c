// Mappings over HTTP: how they fare, and what one would make of a message, without it being made.
#include "link/ingest.h"
#include "support/api_plant.h"

#include <string.h>

static const char boilers[] = "{\"mappings\":[{\"name\":\"boilers\",\"topic\":\"factory/{site}/boiler/{n}\",\"twin\":\"boiler-{n}\",\"values\":["
                              "{\"from\":\"/t\",\"to\":\"temperature\",\"unit\":\"degC\"}]}]}";
static gm_maps   *maps;
static gm_ingest *ingest;

static void with_ingest(gm_api_options *options)
{
    gm_error err;
    assert_gm_ok(gm_maps_create(options->alloc, &maps, &err), err);
    assert_gm_ok(gm_maps_add(maps, GM_STR("mappings/boilers.json"), gm_str_of(boilers), &err), err);
    gm_ingest_options o = { .alloc = options->alloc, .engine = options->engine, .dead_letters = options->dead_letters, .loop = options->loop, .maps = maps };
    assert_gm_ok(gm_ingest_create(&o, &ingest, &err), err);
    options->ingest = ingest;
}

static int set_up(void **state)
{
    static api_plant p;
    p = (api_plant){ 0 };
    api_plant_start(&p, with_ingest);
    static const api_step steps[] = {
        { "POST", "/models" V, NULL,
          "[{\"@context\":[\"dtmi:dtdl:context;3\",\"dtmi:dtdl:extension:quantitativeTypes;1\"],\"@id\":\"dtmi:t:Boiler;1\",\"@type\":\"Interface\",\"contents\":["
          "{\"@type\":[\"Telemetry\",\"Temperature\"],\"name\":\"temperature\",\"schema\":\"double\",\"unit\":\"kelvin\"}]}]", 201, NULL },
        { "PUT", "/digitaltwins/boiler-7" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Boiler;1\"}}", 200, NULL },
    };
    API_TALK(&p, steps);
    *state = &p;
    return 0;
}

static int tear_down(void **state)
{
    api_plant_stop(*state);
    gm_ingest_destroy(ingest);
    gm_maps_destroy(maps);
    return 0;
}

#define TEST "/v1/mappings/test"
static void a_message_is_tried_and_nothing_comes_of_it(void **state)
{
    static const api_step steps[] = {
        { "GET", "/v1/mappings", NULL, NULL, 200, "{\"name\":\"boilers\",\"file\":\"mappings/boilers.json\",\"format\":\"json\",\"topic\":\"factory/{site}/boiler/{n}\",\"messages\":0" },
        { "POST", TEST, NULL, "{\"topic\":\"factory/north/boiler/7\",\"payload\":\"{\\\"t\\\":20}\"}", 200, "\"twin\":\"boiler-7\",\"exists\":true,\"creates\":false" },
        { "POST", TEST, NULL, "{\"topic\":\"factory/north/boiler/7\",\"payload\":\"{\\\"t\\\":20}\"}", 200, "{\"path\":\"temperature\",\"value\":20,\"fits\":293.15,\"unit\":\"K\"}" },
        { "POST", TEST, NULL, "{\"topic\":\"factory/north/boiler/7\",\"payload\":\"{\\\"t\\\":20}\"}", 200, "\"mapping\":\"boilers\"" },
        { "POST", TEST, NULL, "{\"topic\":\"factory/north/boiler/9\",\"payload\":\"{\\\"t\\\":20}\"}", 200, "there is no such twin" },
        { "POST", TEST, NULL, "{\"topic\":\"factory/north/boiler/7\",\"payload\":\"{\\\"t\\\":\\\"hot\\\"}\"}", 200, "\"trouble\":" },
        { "POST", TEST, NULL, "{\"topic\":\"factory/north/boiler/7\",\"payload\":\"{\\\"u\\\":1}\"}", 200, "\"refused\":" },
        { "POST", TEST, NULL, "{\"topic\":\"factory/north/boiler/7\",\"payload\":\"20 degrees\"}", 200, "\"refused\":" },
        { "POST", TEST, NULL, "{\"topic\":\"office/lamp\",\"payload\":\"1\"}", 200, "no mapping takes this topic" },
        { "POST", TEST, NULL, "{\"topic\":\"x\"}", 400, "'payload'" },
        { "POST", TEST, NULL, "{\"topic\":\"x\",\"payload\":\"1\",\"text\":\"{\"}", 400, "InvalidMapping" },
        { "POST", TEST, NULL, "{\"topic\":\"lab/boiler-7\",\"payload\":\"21\",\"text\":\"{\\\"mappings\\\":[{\\\"name\\\":\\\"lab\\\",\\\"topic\\\":\\\"lab/{id}\\\",\\\"format\\\":\\\"scalar\\\",\\\"twin\\\":\\\"{id}\\\",\\\"values\\\":[{\\\"to\\\":\\\"temperature\\\"}]}]}\"}", 200,
          "\"fits\":21" },
        { "GET", "/v1/mappings", NULL, NULL, 200, "\"messages\":0,\"applied\":0,\"rejected\":0}" },
        { "GET", "/v1/twins/boiler-7", NULL, NULL, 200, "\"value\":null" },
        { "GET", "/v1/dead-letters", NULL, NULL, 200, "\"items\":[]" },
    };
    API_TALK((api_plant *)*state, steps);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(a_message_is_tried_and_nothing_comes_of_it, set_up, tear_down) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
