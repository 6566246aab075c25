// Bulk ingest over HTTP: what comes in lines becomes values of twins, and the answer means that it is durable.
#include "link/create.h"
#include "link/ingest.h"
#include "support/api_plant.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

static const char models[] =
    "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Sensor;1\",\"@type\":\"Interface\",\"contents\":["
    "{\"@type\":\"Telemetry\",\"name\":\"temp\",\"schema\":\"double\"},{\"@type\":\"Telemetry\",\"name\":\"count\",\"schema\":\"integer\"},"
    "{\"@type\":\"Property\",\"name\":\"site\",\"schema\":\"string\"}]}]";

static const char mappings[] =
    "{\"mappings\":[{\"format\":\"line\",\"measurement\":\"boiler\",\"twin\":\"{site}-{unit}\","
    "\"create\":{\"$metadata\":{\"$model\":\"dtmi:t:Sensor;1\"},\"site\":\"{site}\"}},"
    "{\"format\":\"line\",\"measurement\":\"strict\",\"twin\":\"north-7\",\"strict\":true},"
    "{\"format\":\"line\",\"measurement\":\"nobody\",\"twin\":\"nobody\"},"
    "{\"topic\":\"plant/{u}\",\"twin\":\"north-{u}\",\"values\":[{\"from\":\"/t\",\"to\":\"temp\"}]}]}";

static gm_ingest  *ingest;
static gm_creator *creator;
static gm_maps    *maps;
static bool        with_maps;

static void with_ingest(gm_api_options *o)
{
    gm_error err = { 0 };
    maps         = NULL;
    if (with_maps) {
        assert_gm_ok(gm_maps_create(gm_alloc_system(), &maps, &err), err);
        assert_gm_ok(gm_maps_add(maps, GM_STR("m.json"), gm_str_of(mappings), &err), err);
    }
    assert_gm_ok(gm_creator_create(gm_alloc_system(), o->engine, &creator, &err), err);
    gm_ingest_options options = { .alloc = gm_alloc_system(), .engine = o->engine, .dead_letters = o->dead_letters,
                                  .creator = creator, .loop = o->loop, .future = 3650 * GM_DAY, .maps = maps };
    assert_gm_ok(gm_ingest_create(&options, &ingest, &err), err);
    o->ingest = ingest;
}

static void start(api_plant *p, bool mapped)
{
    with_maps = mapped;
    api_plant_start(p, with_ingest);
    const api_step steps[] = { { "POST", "/models" V, "Content-Type: application/json\r\n", models, 201, NULL } };
    API_TALK(p, steps);
}

static void stop(api_plant *p)
{
    gm_ingest *mine = ingest;
    api_plant_stop(p);
    gm_ingest_destroy(mine);
    gm_creator_destroy(creator);
    gm_maps_destroy(maps);
}

static void lines_create_twins_and_give_them_values(void **state)
{
    (void)state;
    api_plant p = { 0 };
    start(&p, true);
    static const api_step steps[] = {
        { "GET", "/ping", NULL, NULL, 204, "X-Influxdb-Version" },
        { "GET", "/health", NULL, NULL, 200, "\"status\":\"pass\"" },
        { "POST", "/write?precision=s&db=x", NULL,
          "boiler,site=north,unit=7 temp=21.5,count=3i 1767225600\nboiler,site=north,unit=8 temp=1 1767225600\n"
          "boiler,unit=7,site=north temp=22.5 1767225601", 204, NULL },
        { "GET", "/digitaltwins/north-7" V, NULL, NULL, 200, "\"temp\":22.5" },
        { "GET", "/digitaltwins/north-7" V, NULL, NULL, 200, "\"count\":3" },
        { "GET", "/digitaltwins/north-7" V, NULL, NULL, 200, "\"site\":\"north\"" },
        { "GET", "/digitaltwins/north-7" V, NULL, NULL, 200, "\"sourceTime\":\"2026-01-01T00:00:01Z\"" },
        { "GET", "/v1/history?twin=north-7&property=temp&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z", NULL, NULL, 200, "21.5" },
        { "GET", "/digitaltwins/north-8" V, NULL, NULL, 200, "\"temp\":1" },
        { "POST", "/api/v2/write?org=o&bucket=b&precision=ms", NULL, "boiler,site=north,unit=8 temp=2 1767225602000", 204, NULL },
        { "GET", "/digitaltwins/north-8" V, NULL, NULL, 200, "\"temp\":2" },
        { "POST", "/write", NULL, "", 204, NULL },
        { "POST", "/write", NULL, "# nothing\n\n", 204, NULL },
        { "POST", "/write?precision=fortnight", NULL, "boiler,site=a,unit=1 temp=1", 400, "{\"error\":\"invalid precision" },
    };
    API_TALK(&p, steps);
    stop(&p);
}

static void one_bad_line_does_not_hold_up_the_others(void **state)
{
    (void)state;
    api_plant p = { 0 };
    start(&p, true);
    static const api_step steps[] = {
        { "POST", "/write", NULL, "boiler,site=north,unit=7 temp=1\nthis is none\nboiler,site=north,unit=7 count=2i", 400,
          "\"error\":\"partial write: line 2: " },
        { "GET", "/digitaltwins/north-7" V, NULL, NULL, 200, "\"count\":2" },
        { "POST", "/write", NULL, "boiler,site=north,unit=7", 400, "{\"error\":\"unable to parse: line 1: missing fields dropped=1\"}" },
        { "POST", "/api/v2/write", NULL, "boiler,site=north,unit=7", 400, "{\"code\":\"invalid\",\"message\":\"unable to parse" },
        { "POST", "/write", NULL, "boiler,site=north,unit=7 temp=\"warm\"", 400, "'temp' must be a number (double), found 'warm'" },
        { "POST", "/write", NULL, "boiler,site=north,unit=7 temp=3,colour=4", 204, NULL },  // not strict: left out
        { "POST", "/write", NULL, "strict colour=4", 400, "'colour' is not part of model" },
        { "POST", "/write", NULL, "other v=4", 400, "no mapping takes the measurement 'other'" },
        { "POST", "/write", NULL, "nobody temp=4", 400, "there is no twin 'nobody'" },
        { "POST", "/write", NULL, "boiler,unit=7 temp=4", 400, "there is no value for {site}" },
        { "POST", "/write?precision=s", NULL, "boiler,site=north,unit=7 temp=4 1767225600000", 400, "is the precision right?" },
        { "POST", "/write", NULL, "boiler,site=north,unit=7 temp=3", 204, NULL },  // a commit behind the dead letters
        { "GET", "/v1/dead-letters", NULL, NULL, 200, "there is no twin 'nobody'" },
        { "GET", "/digitaltwins/north-7" V, NULL, NULL, 200, "\"temp\":3" },
    };
    API_TALK(&p, steps);
    stop(&p);
}

static void without_mappings_a_line_names_its_twin(void **state)
{
    (void)state;
    api_plant p = { 0 };
    start(&p, false);
    static const api_step steps[] = {
        { "PUT", "/digitaltwins/a" V, "Content-Type: application/json\r\n", "{\"$metadata\":{\"$model\":\"dtmi:t:Sensor;1\"}}", 200, NULL },
        { "POST", "/write", NULL, "a temp=1", 204, NULL },
        { "POST", "/write", NULL, "weather,twin=a,host=x temp=2", 204, NULL },
        { "GET", "/digitaltwins/a" V, NULL, NULL, 200, "\"temp\":2" },
        { "POST", "/write", NULL, "a wind=1", 400, "'wind' is not part of model" },
        { "DELETE", "/digitaltwins/a" V, NULL, NULL, 204, NULL },
        { "POST", "/write", NULL, "a temp=3", 400, "there is no twin 'a'" },  // what was remembered is checked
    };
    API_TALK(&p, steps);
    stop(&p);
}

static void newline_json_takes_twins_and_topics(void **state)
{
    (void)state;
    api_plant p = { 0 };
    start(&p, true);
    static const api_step steps[] = {
        { "POST", "/write", NULL, "boiler,site=north,unit=7 temp=1", 204, NULL },
        { "POST", "/v1/ingest", NULL, "{\"$twin\":\"north-7\",\"temp\":5,\"$time\":\"2027-01-01T00:00:00Z\"}\n{\"$twin\":\"north-7\",\"count\":9}\n", 200,
          "{\"lines\":2,\"rejected\":0}" },
        { "GET", "/digitaltwins/north-7" V, NULL, NULL, 200, "\"count\":9" },
        { "GET", "/digitaltwins/north-7" V, NULL, NULL, 200, "\"temp\":5" },
        { "POST", "/v1/ingest", NULL, "{\"topic\":\"plant/7\",\"payload\":{\"t\":6}}", 200, "\"rejected\":0" },
        { "GET", "/v1/history?twin=north-7&property=temp", NULL, NULL, 200, "6]" },
        { "POST", "/v1/ingest", NULL, "{\"$twin\":\"north-7\",\"count\":10}\n{\"$twin\":\"nobody\",\"count\":1}", 400, "{\"lines\":2,\"rejected\":1" },
        { "GET", "/digitaltwins/north-7" V, NULL, NULL, 200, "\"count\":10" },
        { "POST", "/v1/ingest", NULL, "{\"$twin\":\"north-7\",\"count\":11}\nnonsense", 400, "\"first\":\"line 2: a line is" },
        { "GET", "/digitaltwins/north-7" V, NULL, NULL, 200, "\"count\":11" },
        { "POST", "/v1/ingest", NULL, "{\"topic\":\"elsewhere\",\"payload\":1}", 400, "no mapping takes this topic" },
        { "POST", "/v1/ingest", NULL, "", 200, "{\"lines\":0,\"rejected\":0}" },
    };
    API_TALK(&p, steps);
    stop(&p);
}

// Many more points than are collected at a time, over twins that do not exist yet: each must be there afterwards.
static void a_large_body_is_there_as_a_whole_and_survives_a_restart(void **state)
{
    (void)state;
    enum { TWINS = 50, POINTS = 1600 };
    api_plant p = { 0 };
    start(&p, true);
    gm_buf body = gm_buf_init(gm_alloc_system());
    for (int i = 0; i < POINTS; i++) {
        for (int t = 0; t < TWINS; t++) gm_buf_printf(&body, "boiler,site=s,unit=%d temp=%d.25 %d\n", t, i, 1767225600 + i);
    }
    gm_buf_byte(&body, 0);
    const api_step steps[] = {
        { "POST", "/write?precision=s", NULL, (const char *)body.ptr, 204, NULL },
        { "GET", "/metrics", NULL, NULL, 200, "gemel_history_samples 80000\n" },
        { "GET", "/digitaltwins/s-49" V, NULL, NULL, 200, "\"temp\":1599.25" },
    };
    API_TALK(&p, steps);
    const api_step after[] = { { "GET", "/metrics", NULL, NULL, 200, "gemel_history_samples 80000\n" } };
    gm_ingest  *mine = ingest;
    gm_creator *made = creator;
    gm_maps    *read = maps;
    api_plant_restart(&p);
    gm_ingest_destroy(mine);
    gm_creator_destroy(made);
    gm_maps_destroy(read);
    API_TALK(&p, after);
    gm_buf_finish(&body);
    api_plant_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_create_twins_and_give_them_values),
        cmocka_unit_test(one_bad_line_does_not_hold_up_the_others),
        cmocka_unit_test(without_mappings_a_line_names_its_twin),
        cmocka_unit_test(newline_json_takes_twins_and_topics),
        cmocka_unit_test(a_large_body_is_there_as_a_whole_and_survives_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
