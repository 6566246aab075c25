#include "base/pool.h"
#include "support/api_plant.h"

#include <stdio.h>
#include <unistd.h>

#define FACT(key, rest) "{\"twin\":\"p1\",\"phase\":\"as-built\",\"key\":\"" key "\"," rest "}"
#define FROM(t) "\"from\":\"" t "\""
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define TEXT "Content-Type: text/plain\r\n"

static void facts_are_added_corrected_and_read_at_any_time(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    static const api_step steps[] = {
        { "GET", "/v1/thread", NULL, NULL, 200, "{\"items\":[]}" },
        { "GET", "/v1/thread/p1", NULL, NULL, 200, "{\"twin\":\"p1\",\"inGraph\":true,\"items\":[],\"count\":0,\"said\":0}" },
        { "GET", "/v1/thread/drawing-7", NULL, NULL, 404, "ThreadNotFound" },
        { "POST", "/v1/thread", NULL, FACT("bore", "\"value\":50.02,\"unit\":\"mm\"," FROM("2024-01-05T00:00:00Z")), 204, NULL },
        { "POST", "/v1/thread", NULL, "[" FACT("bore", "\"value\":50.2,\"unit\":\"mm\"," FROM("2024-02-01T00:00:00Z")) "," FACT("serialNumber", "\"value\":\"SN-7\"") "]", 204, NULL },
        { "POST", "/v1/thread?changed=true", NULL, "[" FACT("bore", "\"value\":50.2,\"unit\":\"mm\"," FROM("2024-02-01T00:00:00Z")) "," FACT("serialNumber", "\"value\":\"SN-7\"") "]", 200, "{\"added\":0,\"known\":2}" },
        { "POST", "/v1/thread?changed=true", NULL, "[" FACT("bore", "\"value\":50.2,\"unit\":\"mm\"," FROM("2024-02-01T00:00:00Z")) "," FACT("colour", "\"value\":\"red\"") "]", 200, "{\"added\":1,\"known\":1}" },
        { "POST", "/v1/thread", NULL, FACT("colour", "\"value\":null"), 204, NULL },
        { "POST", "/v1/thread?changed=true", NULL, FACT("colour", "\"value\":null"), 200, "{\"added\":0,\"known\":1}" },
        { "POST", "/v1/thread", NULL, FACT("bore", "\"value\":1,\"min\":2,\"max\":1"), 400, "above" },
        { "POST", "/v1/thread", NULL, "[" FACT("a", "\"value\":1") "," FACT("", "\"value\":1") "]", 400, "fact 2" },
        { "POST", "/v1/thread", NULL, "[]", 400, "1 to 10000" },
        { "GET", "/v1/thread/p1?key=a", NULL, NULL, 200, "\"items\":[]" },  // none of a bad body
        { "GET", "/v1/thread/p1?valid=2024-01-10T00:00:00Z", NULL, NULL, 200, "\"value\":50.02,\"unit\":\"mm\"" },
        { "GET", "/v1/thread/p1?valid=2024-03-10T00:00:00Z&key=bore", NULL, NULL, 200, "\"value\":50.2," },
        { "GET", "/v1/thread/p1?valid=2024-01-01T00:00:00Z&key=bore", NULL, NULL, 200, "\"items\":[]" },
        { "GET", "/v1/thread/p1?known=2024-01-01T00:00:00Z", NULL, NULL, 200, "\"items\":[]" },  // nothing was known then
        { "GET", "/v1/thread/p1?phase=as-designed", NULL, NULL, 200, "\"items\":[]" },
        { "GET", "/v1/thread/p1?phase=whenever", NULL, NULL, 400, "as-designed" },
        { "GET", "/v1/thread/p1?valid=whenever", NULL, NULL, 400, "valid" },
        { "GET", "/v1/thread/p1?history=true&key=bore", NULL, NULL, 200, "\"value\":50.02" },
        { "GET", "/v1/thread/p1?history=true&key=bore&valid=2024-01-10T00:00:00Z", NULL, NULL, 200, "\"holds\":false},{" },  // the newest first
        { "GET", "/v1/thread/p1?history=true&limit=2", NULL, NULL, 200, "],\"count\":5,\"said\":5,\"nextLink\":\"/v1/thread/p1?history=true&limit=2&continuationToken=" },
        { "GET", "/v1/thread/p1?history=true&limit=5", NULL, NULL, 200, "],\"count\":5,\"said\":5}" },
        { "GET", "/v1/thread/p1?history=true&find=sn-7", NULL, NULL, 200, "],\"count\":1,\"said\":5}" },
        { "GET", "/v1/thread/p1?history=true&find=50.2", NULL, NULL, 200, "],\"count\":1,\"said\":5}" },
        { "GET", "/v1/thread/p1?history=true&phase=maintained&phase=as-designed", NULL, NULL, 200, "],\"count\":0,\"said\":5}" },
        { "GET", "/v1/thread/p1?limit=0", NULL, NULL, 400, "limit" },
        { "GET", "/v1/thread/p1?continuationToken=1-00000000", NULL, NULL, 400, "token" },
        { "GET", "/v1/thread", NULL, NULL, 200, "{\"items\":[\"p1\"]}" },
        // A thread may be there before the twin, and after it.
        { "POST", "/v1/thread", NULL, "{\"twin\":\"p9\",\"phase\":\"as-designed\",\"key\":\"head\",\"value\":30,\"unit\":\"m\"}", 204, NULL },
        { "GET", "/v1/thread/p9", NULL, NULL, 200, "\"inGraph\":false" },
        { "DELETE", "/digitaltwins/p1/relationships/r1" V, NULL, NULL, 0, NULL },
    };
    api_plant_talk(&p, steps, sizeof steps / sizeof steps[0] - 1);
    for (int round = 0; round < 2; round++) {  // from the log, then from a checkpoint
        if (round == 1) api_plant_checkpoint(&p);
        api_plant_restart(&p);
        static const api_step after[] = {
            { "GET", "/v1/thread/p1?valid=2024-01-10T00:00:00Z", NULL, NULL, 200, "\"value\":50.02,\"unit\":\"mm\"" },
            { "GET", "/v1/thread/p1?valid=2024-03-10T00:00:00Z&key=bore", NULL, NULL, 200, "\"value\":50.2," },
            { "GET", "/v1/thread", NULL, NULL, 200, "{\"items\":[\"p1\",\"p9\"]}" },
        };
        API_TALK(&p, after);
    }
    api_plant_stop(&p);
}

static void phases_are_compared(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    static const api_step steps[] = {
        { "POST", "/v1/thread", NULL, "[{\"twin\":\"p1\",\"phase\":\"as-designed\",\"key\":\"bore\",\"value\":50,\"unit\":\"mm\",\"min\":49.9,\"max\":50.1}," FACT("bore", "\"value\":50.2,\"unit\":\"mm\"") "]", 204, NULL },
        { "GET", "/v1/thread/p1/diff", NULL, NULL, 200, "\"verdict\":\"out of tolerance\",\"first\":{\"value\":50,\"unit\":\"mm\",\"min\":49.9,\"max\":50.1},\"second\":{\"value\":50.2,\"unit\":\"mm\"}}],\"outOfTolerance\":1}" },
        { "GET", "/v1/thread/p1/diff?first=as-built&second=maintained", NULL, NULL, 200, "\"missing\"" },
        { "GET", "/v1/thread/p1/diff?first=x", NULL, NULL, 400, "first" },
    };
    API_TALK(&p, steps);
    api_plant_stop(&p);
}

static void parts_move_and_are_never_in_two_places(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
#define IN(part, holder, from, rest) "{\"twin\":\"" part "\",\"phase\":\"maintained\",\"key\":\"installedIn\",\"part\":\"" holder "\",\"position\":\"1\"," FROM(from) rest "}"
    static const api_step steps[] = {
        { "POST", "/v1/thread", NULL, IN("blade7", "e1", "2024-01-01T00:00:00Z", ""), 204, NULL },
        { "POST", "/v1/thread", NULL, IN("blade7", "e2", "2024-03-01T00:00:00Z", ""), 409, "is installed in 'e1'" },
        { "POST", "/v1/thread", NULL, IN("e1", "blade7", "2024-03-01T00:00:00Z", ""), 409, "contain itself" },
        { "POST", "/v1/thread", NULL, IN("blade7", "e2", "2024-03-01T00:00:00Z", ",\"replace\":true"), 204, NULL },
        // In one body the second is judged behind the first.
        { "POST", "/v1/thread", NULL, "[" IN("x", "y", "2024-01-01T00:00:00Z", "") "," IN("y", "x", "2024-01-01T00:00:00Z", "") "]", 409, "fact 2" },
        { "GET", "/v1/thread/x/parts", NULL, NULL, 200, "\"installedIn\":{\"twin\":\"x\"" },
        { "GET", "/v1/thread/e3/parts", NULL, NULL, 404, NULL },
        { "GET", "/v1/thread/e1/parts?valid=2024-02-01T00:00:00Z", NULL, NULL, 200, "\"twin\":\"blade7\"" },
        { "GET", "/v1/thread/e1/parts?valid=2024-04-01T00:00:00Z", NULL, NULL, 200, "\"items\":[]" },
        { "GET", "/v1/thread/e1/parts?ever=true", NULL, NULL, 200, "\"twin\":\"blade7\"" },
        { "GET", "/v1/bom/e1?installed=true&valid=2024-02-01T00:00:00Z", NULL, NULL, 200, "\"part\":\"blade7\",\"assembly\":\"e1\"" },
    };
    API_TALK(&p, steps);
    api_plant_stop(&p);
}

static api_plant *now_open;  // api_plant_start's hook has no context

static void give_pool(gm_api_options *options)
{
    gm_pool_options o   = { .threads = 2, .jobs_max = 8 };
    gm_error        err = { 0 };
    assert_gm_ok(gm_pool_create(options->alloc, options->loop, &o, &now_open->pool, &err), err);
    options->pool = now_open->pool;
}

static void documents_are_stored_once_checked_and_deleted_for_good(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) {
        api_plant p = { 0 };
        now_open    = &p;
        api_plant_start(&p, round == 1 ? give_pool : NULL);
        api_plant_fill(&p);
        static const api_step steps[] = {
            { "POST", "/v1/thread/p1/documents?key=manual&name=a%22b.txt", TEXT, "abc", 201, "{\"hash\":\"" ABC "\",\"size\":3}" },
            { "GET", "/v1/thread/p1/documents/" ABC, NULL, NULL, 200, "filename=\"a_b.txt\"" },
            { "GET", "/v1/thread/p1/documents/" ABC, NULL, NULL, 200, "nosniff" },
            { "GET", "/v1/thread/r1/documents/" ABC, NULL, NULL, 404, NULL },  // it is p1's
            { "GET", "/v1/thread/p1?key=manual", NULL, NULL, 200, "\"document\":{\"size\":3,\"hash\":\"" ABC "\",\"mediaType\":\"text/plain\",\"name\":\"a\\\"b.txt\"}" },
            { "POST", "/v1/thread/p1/documents?key=manual", "Content-Type: application/pdf\r\n", "abc", 400, "says that it is application/pdf" },
            { "POST", "/v1/thread/p1/documents", TEXT, "abc", 400, "'key' is missing" },
            { "POST", "/v1/thread", NULL, FACT("copy", "\"document\":{\"hash\":\"" ABC "\",\"mediaType\":\"application/pdf\"}"), 400, "looks like" },
            { "POST", "/v1/thread", NULL, FACT("copy", "\"document\":{\"hash\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\",\"mediaType\":\"text/plain\"}"), 400, "upload it first" },
            { "POST", "/v1/thread", NULL, "{\"twin\":\"other\",\"phase\":\"as-built\",\"key\":\"copy\",\"document\":{\"hash\":\"" ABC "\",\"mediaType\":\"text/plain\"}}", 204, NULL },
            { "DELETE", "/v1/thread/p1", NULL, NULL, 204, NULL },
            { "DELETE", "/v1/thread/p1", NULL, NULL, 404, NULL },
            { "GET", "/v1/thread/p1/documents/" ABC, NULL, NULL, 404, NULL },
            { "GET", "/v1/thread/other/documents/" ABC, NULL, NULL, 200, "abc" },  // another still names it
            { "DELETE", "/v1/thread/other?key=copy", NULL, NULL, 204, NULL },
        };
        char path[512], body[400];
        api_plant_talk(&p, steps, 5);
        snprintf(body, sizeof body, "{\"copyTo\":\"%s/copy\"}", p.dir);  // a backup has the documents, too
        const api_step backup[] = { { "POST", "/v1/checkpoint", NULL, body, 200, NULL } };
        API_TALK(&p, backup);
        snprintf(path, sizeof path, "%s/copy/documents/ba/" ABC, p.dir);
        assert_int_equal(access(path, R_OK), 0);
        api_plant_talk(&p, steps + 5, sizeof steps / sizeof steps[0] - 5);
        snprintf(path, sizeof path, "%s/documents/ba/" ABC, p.dir);
        assert_int_equal(access(path, R_OK), -1);
        api_plant_stop(&p);
    }
}

static void bills_of_materials_are_served(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
#define LINE(assembly, position, part, quantity, rest) "{\"twin\":\"" assembly "\",\"phase\":\"as-designed\",\"key\":\"bom/" position "\",\"part\":\"" part "\",\"quantity\":" quantity "," FROM("2024-01-01T00:00:00Z") rest "}"
#define MASS(part, kg) "{\"twin\":\"" part "\",\"phase\":\"as-designed\",\"key\":\"mass\",\"value\":" kg ",\"unit\":\"kg\"," FROM("2024-01-01T00:00:00Z") "}"
    static const api_step steps[] = {
        { "POST", "/v1/thread", NULL, "[" LINE("pump", "10", "motor", "1", "") "," LINE("pump", "20", "bolt", "8", "") "," LINE("motor", "1", "bolt", "4", ",\"more\":{\"serials\":\"1-9\"}") "," MASS("bolt", "0.05") "]", 204, NULL },
        { "GET", "/v1/bom/pump", NULL, NULL, 200, "{\"level\":2,\"position\":\"1\",\"part\":\"bolt\",\"assembly\":\"motor\",\"quantity\":4,\"total\":4,\"more\":{\"serials\":\"1-9\"},\"from\":\"2024-01-01T00:00:00Z\",\"phase\":\"as-designed\"}" },
        { "GET", "/v1/bom/pump?levels=1", NULL, NULL, 200, "!\"level\":2" },
        { "GET", "/v1/bom/motor?serial=10", NULL, NULL, 200, "\"items\":[]" },
        { "GET", "/v1/bom/bolt/where-used", NULL, NULL, 200, "\"assembly\":\"pump\"" },
        { "GET", "/v1/bom/pump/rollup?key=mass", NULL, NULL, 200, "\"unit\":\"kg\"" },
        { "GET", "/v1/bom/pump/rollup", NULL, NULL, 400, "what is to be added up" },
        { "GET", "/v1/bom/motor/gaps", NULL, NULL, 200, "\"items\":[]" },
        { "POST", "/v1/thread", NULL, LINE("bolt", "1", "pump", "1", ""), 409, "contain itself" },
        { "GET", "/v1/bom/nothing", NULL, NULL, 404, NULL },
    };
    API_TALK(&p, steps);
    api_plant_stop(&p);
}

static void what_history_says_becomes_facts_of_operation(void **state)
{
    (void)state;
    static const struct { const char *time, *body; } samples[] = { { "2024-01-01T00:00:00Z", "{\"heat\":0}" }, { "2024-01-01T01:00:00Z", "{\"heat\":4}" },
        { "2024-01-01T03:00:00Z", "{\"heat\":6}" }, { "2024-01-01T04:00:00Z", "{\"heat\":0}" }, { "2024-01-01T05:00:00Z", "{\"heat\":2}" } };
    api_plant p = { 0 };
    char      headers[128];
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        snprintf(headers, sizeof headers, "Message-Id: 1\r\nTelemetry-Source-Time: %s\r\n", samples[i].time);
        assert_int_equal(test_http_ask(&p.client, "POST", "/digitaltwins/p1/telemetry" V, headers, samples[i].body)->status, 204);
    }
#define USAGE(rest) "{\"property\":\"heat\",\"from\":\"2024-01-01T00:30:00Z\"," rest "}"
    static const api_step steps[] = {
        { "POST", "/v1/thread/p1/usage", NULL, USAGE("\"to\":\"2024-01-01T06:00:00Z\""), 201, "{\"hours\":4,\"starts\":2,\"mean\":4,\"max\":6,\"samples\":5}" },
        { "GET", "/v1/thread/p1?phase=as-operated&valid=2024-01-01T02:00:00Z&key=operating%20hours", NULL, NULL, 200, "\"value\":4,\"unit\":\"h\",\"from\":\"2024-01-01T00:30:00Z\",\"to\":\"2024-01-01T06:00:00Z\"" },
        { "GET", "/v1/thread/p1?phase=as-operated&valid=2024-01-01T02:00:00Z&key=max%20heat", NULL, NULL, 200, "\"value\":6,\"unit\":\"degreeCelsius\"" },
        { "POST", "/v1/thread/p1/usage", NULL, USAGE("\"to\":\"2024-01-01T06:00:00Z\",\"above\":4"), 201, "\"hours\":1,\"starts\":1" },
        { "POST", "/v1/thread/p1/usage", NULL, USAGE("\"to\":\"2023-01-01T06:00:00Z\""), 400, "one before the other" },
        { "POST", "/v1/thread/p1/usage", NULL, "{\"property\":\"name\",\"from\":\"2024-01-01T00:30:00Z\"}", 400, "names a number" },
        { "POST", "/v1/thread/nobody/usage", NULL, USAGE("\"to\":\"2024-01-01T06:00:00Z\""), 404, NULL },
    };
    API_TALK(&p, steps);
    api_plant_stop(&p);
}

#define ASK(text) "{\"query\":\"" text "\"}"
static void queries_read_facts_at_any_time(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, NULL);
    api_plant_fill(&p);
    static const api_step steps[] = {
        { "POST", "/v1/thread", NULL, "[" FACT("bore", "\"value\":50.02,\"unit\":\"mm\"," FROM("2024-01-05T00:00:00Z")) "," FACT("bore", "\"value\":50.2,\"unit\":\"mm\"," FROM("2024-02-01T00:00:00Z"))
          "," FACT("coating type", "\"value\":\"none\"," FROM("2024-01-05T00:00:00Z")) "]", 204, NULL },
        { "POST", "/query" V, NULL, ASK("SELECT T.$dtId, T.$thread.asBuilt.bore FROM DIGITALTWINS T WHERE T.$thread.asBuilt.bore > 50.1"), 200, "{\"value\":[{\"$dtId\":\"p1\",\"bore\":50.2}]" },
        { "POST", "/query" V, NULL, ASK("SELECT T.$dtId FROM DIGITALTWINS T WHERE T.$thread.asBuilt.bore > 50.1 VALID AT '2024-01-10T00:00:00Z'"), 200, "{\"value\":[]" },
        { "POST", "/query" V, NULL, ASK("SELECT T.$thread.[[as-built]].bore FROM DIGITALTWINS T WHERE T.$thread.asBuilt.bore > 50 VALID AT '2024-01-10T00:00:00Z'"), 200, "\"bore\":50.02" },
        { "POST", "/query" V, NULL, ASK("SELECT $dtId FROM DIGITALTWINS WHERE IS_DEFINED($thread.asBuilt.bore) KNOWN AT '2024-01-10T00:00:00Z'"), 200, "{\"value\":[]" },
        { "POST", "/query" V, NULL, ASK("SELECT $dtId FROM DIGITALTWINS WHERE $thread.asBuilt.[[coating type]] = 'none' ORDER BY $thread.asBuilt.bore"), 200, "p1" },
        { "POST", "/query" V, NULL, ASK("SELECT COUNT() FROM DIGITALTWINS VALID AT '2024-01-10T00:00:00Z'"), 200, "COUNT" },
        { "POST", "/query" V, NULL, ASK("SELECT $dtId FROM DIGITALTWINS valid WHERE valid.$dtId = 'p1'"), 200, "p1" },
        { "POST", "/query" V, NULL, ASK("SELECT $dtId FROM DIGITALTWINS WHERE IS_DEFINED($thread.asDreamt.bore) OR IS_DEFINED($thread.asBuilt)"), 200, "{\"value\":[]" },
        { "POST", "/query" V, NULL, ASK("SELECT * FROM DIGITALTWINS VALID '2024'"), 400, "expected" },
        { "POST", "/query" V, NULL, ASK("SELECT * FROM DIGITALTWINS T KNOWN AT 'then'"), 400, "a time such as" },
    };
    API_TALK(&p, steps);
    api_plant_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_are_added_corrected_and_read_at_any_time),
        cmocka_unit_test(phases_are_compared),
        cmocka_unit_test(parts_move_and_are_never_in_two_places),
        cmocka_unit_test(documents_are_stored_once_checked_and_deleted_for_good),
        cmocka_unit_test(bills_of_materials_are_served),
        cmocka_unit_test(queries_read_facts_at_any_time),
        cmocka_unit_test(what_history_says_becomes_facts_of_operation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
