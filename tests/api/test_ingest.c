// Bulk ingest over HTTP: what comes in lines becomes values of twins, and the answer means that it is durable.
#include "base/pool.h"
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
static uint32_t    crew_threads;  // 0: no crew
static gm_pool    *crew;
static size_t      bodies_max;    // 0: the usual

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
    crew      = NULL;
    gm_pool_options hands = gm_pool_options_defaults();
    hands.threads = crew_threads;
    hands.urgency = GM_POOL_PROMPT;
    if (crew_threads > 0) assert_gm_ok(gm_pool_create(gm_alloc_system(), o->loop, &hands, &crew, &err), err);
    o->crew = crew;
    if (bodies_max > 0) o->limits.bodies_max = bodies_max;
}

static void start(api_plant *p, bool mapped)
{
    with_maps = mapped;
    api_plant_start(p, with_ingest);
    p->pool = crew;
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
    stop(&p);
}

// ---- lines that are read on other threads ---------------------------------------------------------------------------
enum { CREW_TWINS = 40 };

// `at`: seconds behind the beginning of 2026 of the first row.
static void put_body(gm_buf *body, int rows, int at, int value)
{
    for (int i = 0; i < rows; i++) {
        for (int t = 0; t < CREW_TWINS; t++) gm_buf_printf(body, "boiler,site=w,unit=%d temp=%d.25 %d\n", t, value + i, 1767225600 + at + i);
    }
}

static const char *text_of(gm_buf *body)
{
    gm_buf_byte(body, 0);
    assert_false(body->failed);
    return (const char *)body->ptr;
}

// The twins come with the first body.
static void with_crew(api_plant *p)
{
    gm_buf first = gm_buf_init(gm_alloc_system());
    crew_threads = 2;
    start(p, true);
    crew_threads = 0;
    put_body(&first, 1, -1, 0);
    const api_step step[] = { { "POST", "/write?precision=s", NULL, text_of(&first), 204, NULL } };
    API_TALK(p, step);
    gm_buf_finish(&first);
}

static void a_large_body_that_others_read_is_refused_and_taken_as_ever(void **state)
{
    (void)state;
    api_plant p    = { 0 };
    gm_buf    body = gm_buf_init(gm_alloc_system()), bad = gm_buf_init(gm_alloc_system()), huge = gm_buf_init(gm_alloc_system());
    with_crew(&p);
    put_body(&body, 50, 0, 0);
    put_body(&bad, 20, 100, 0);
    gm_buf_text(&bad, "boiler,site=w,unit=1 temp=1 1767226000\nboiler,site=w,unit=1 temp=warm 1767226000\n"
                      "boiler,site=w,unit=1 count=3i,site=\"north\"\nnobody temp=1 1767226000\n");
    put_body(&bad, 20, 120, 0);
    gm_buf_text(&bad, "# the end");
    put_body(&huge, 1000, 1000, 0);  // several slices
    const api_step steps[] = {
        { "POST", "/write?precision=s", NULL, text_of(&body), 204, NULL },
        { "GET", "/metrics", NULL, NULL, 200, "gemel_history_samples 2040\n" },
        { "POST", "/write?precision=s", NULL, text_of(&bad), 400, "partial write: line 802: invalid field value dropped=2" },
        { "GET", "/metrics", NULL, NULL, 200, "gemel_history_samples 3644\n" },
        { "GET", "/digitaltwins/w-1" V, NULL, NULL, 200, "\"count\":3" },
        { "GET", "/v1/dead-letters", NULL, NULL, 200, "there is no twin 'nobody'" },
        { "POST", "/write?precision=s", NULL, text_of(&huge), 204, NULL },
        { "GET", "/metrics", NULL, NULL, 200, "gemel_history_samples 43644\n" },
        { "GET", "/digitaltwins/w-39" V, NULL, NULL, 200, "\"temp\":999.25" },
        { "POST", "/write", NULL, text_of(&body), 204, NULL },  // nanoseconds: 1970
    };
    API_TALK(&p, steps);
    gm_buf_finish(&body);
    gm_buf_finish(&bad);
    gm_buf_finish(&huge);
    stop(&p);
}

static void send_lines(test_http_client *c, gm_buf *body)
{
    test_http_send_request(c, "POST", "/write?precision=s", NULL, text_of(body));
    gm_buf_clear(body);
}

// The same moment again and again, with another value each time: the last request on a connection is the one that counts, though
// all of them are sent before the first is answered.
static void requests_of_a_connection_are_taken_in_their_order(void **state)
{
    (void)state;
    enum { REQUESTS = 12 };
    api_plant p    = { 0 };
    gm_buf    body = gm_buf_init(gm_alloc_system());
    with_crew(&p);
    for (int i = 0; i < REQUESTS; i++) {
        put_body(&body, i % 3 == 0 ? 4 : 30, 0, 1000 * i);  // small ones are not handed over
        send_lines(&p.client, &body);
    }
    for (int i = 0; i < REQUESTS; i++) assert_int_equal(test_http_receive(&p.client, false)->status, 204);
    const api_step steps[] = {
        { "GET", "/v1/history?twin=w-7&property=temp&from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:01Z", NULL, NULL, 200, "11000.25" },
        { "GET", "/metrics", NULL, NULL, 200, "gemel_history_samples 1240\n" },
    };
    API_TALK(&p, steps);
    gm_buf_finish(&body);
    stop(&p);
}

// More requests than readers: the others are read on the engine's thread, and all are answered.
static void more_requests_than_readers_are_all_answered(void **state)
{
    (void)state;
    enum { CLIENTS = 8, ROUNDS = 4 };
    api_plant        p = { 0 };
    test_http_client c[CLIENTS];
    gm_buf           body = gm_buf_init(gm_alloc_system());
    with_crew(&p);
    for (int i = 0; i < CLIENTS; i++) test_http_open(&c[i], gm_api_port(p.api), api_plant_turn, &p);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < CLIENTS; i++) {
            put_body(&body, 25, (round * CLIENTS + i) * 25, 0);
            send_lines(&c[i], &body);
        }
        for (int i = 0; i < CLIENTS; i++) assert_int_equal(test_http_receive(&c[i], false)->status, 204);
    }
    const api_step steps[] = { { "GET", "/metrics", NULL, NULL, 200, "gemel_history_samples 32040\n" } };
    API_TALK(&p, steps);
    for (int i = 0; i < CLIENTS; i++) test_http_shut(&c[i]);
    gm_buf_finish(&body);
    stop(&p);
}

// What waits to be read counts as an upload under way: beyond the bound others are sent away, and may come again.
static void bodies_under_way_are_bounded(void **state)
{
    (void)state;
    enum { CLIENTS = 6 };
    api_plant        p = { 0 };
    test_http_client c[CLIENTS];
    gm_buf           body = gm_buf_init(gm_alloc_system());
    int              taken = 0, refused = 0;
    bodies_max = 100 << 10;
    with_crew(&p);
    bodies_max = 0;
    for (int i = 0; i < CLIENTS; i++) {
        test_http_open(&c[i], gm_api_port(p.api), api_plant_turn, &p);
        put_body(&body, 26, i * 26, 0);  // 40 KiB
        char head[200];
        snprintf(head, sizeof head, "POST /write?precision=s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", body.len);
        test_http_send(&c[i], head, strlen(head));
        test_http_send(&c[i], body.ptr, body.len - 1);  // all but the last byte: it stays under way
        gm_buf_clear(&body);
        for (int ping = 0; ping < 10; ping++) assert_int_equal(test_http_ask(&p.client, "GET", "/ping", NULL, NULL)->status, 204);
    }
    for (int i = 0; i < CLIENTS; i++) {
        test_http_send(&c[i], "\n", 1);
        test_http_reply *reply = test_http_receive(&c[i], false);
        taken += reply->status == 204;
        refused += reply->status == 503;
        if (reply->status == 503) assert_string_equal(test_http_header(&c[i], "Retry-After"), "1");
        test_http_shut(&c[i]);
    }
    assert_int_equal(taken, 2);
    assert_int_equal(refused, CLIENTS - 2);
    gm_buf_finish(&body);
    stop(&p);
}

// Clients that go, and a server that stops, while others read: nobody is answered, and nothing is left over.
static void the_server_stops_while_bodies_are_read(void **state)
{
    (void)state;
    enum { CLIENTS = 4, ROUNDS = 6 };
    gm_buf body = gm_buf_init(gm_alloc_system());
    for (int round = 0; round < ROUNDS; round++) {
        api_plant        p = { 0 };
        test_http_client c[CLIENTS];
        with_crew(&p);
        for (int i = 0; i < CLIENTS; i++) {
            test_http_open(&c[i], gm_api_port(p.api), api_plant_turn, &p);
            put_body(&body, 200, i * 200, 0);
            send_lines(&c[i], &body);
            if (i % 2 == 1) test_http_shut(&c[i]);
        }
        for (int ping = 0; ping < round * 2; ping++) assert_int_equal(test_http_ask(&p.client, "GET", "/ping", NULL, NULL)->status, 204);
        stop(&p);
        for (int i = 0; i < CLIENTS; i += 2) test_http_shut(&c[i]);
    }
    gm_buf_finish(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_create_twins_and_give_them_values),
        cmocka_unit_test(one_bad_line_does_not_hold_up_the_others),
        cmocka_unit_test(without_mappings_a_line_names_its_twin),
        cmocka_unit_test(newline_json_takes_twins_and_topics),
        cmocka_unit_test(a_large_body_is_there_as_a_whole_and_survives_a_restart),
        cmocka_unit_test(a_large_body_that_others_read_is_refused_and_taken_as_ever),
        cmocka_unit_test(requests_of_a_connection_are_taken_in_their_order),
        cmocka_unit_test(more_requests_than_readers_are_all_answered),
        cmocka_unit_test(bodies_under_way_are_bounded),
        cmocka_unit_test(the_server_stops_while_bodies_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
