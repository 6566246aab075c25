// Any one allocation of the whole plant, from its log to its rules, is refused in turn while a request is under way. It is
// answered, perhaps with a refusal, or its connection ends; what it was to change is there as a whole or not at all, and is
// there when it was acknowledged, also after a restart; the next request is served; nothing leaks.
#include "control/control.h"
#include "link/create.h"
#include "link/ingest.h"
#include "support/api_plant.h"

#include <stdio.h>

static const char models[] =
    "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Sensor;1\",\"@type\":\"Interface\",\"contents\":["
    "{\"@type\":\"Telemetry\",\"name\":\"temp\",\"schema\":\"double\"},{\"@type\":\"Telemetry\",\"name\":\"count\",\"schema\":\"integer\"},"
    "{\"@type\":\"Property\",\"name\":\"site\",\"schema\":\"string\"},{\"@type\":\"Property\",\"name\":\"note\",\"schema\":\"string\"},"
    "{\"@type\":\"Relationship\",\"name\":\"near\"}]}]";

static const char rules[] =
    "rule hot on twins (SELECT * FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, 'dtmi:t:Sensor;1')) when T.temp > 100 then alarm high 'hot'\n";

// %u is the number of the try, so that each finds a plant that does not know it yet. whole: what GET `see` answers when it
// happened; part: what no answer of it may hold unless it also holds whole.
typedef struct attempt {
    const char *method, *target, *headers, *body;
    unsigned    status;
    const char *see, *whole, *part;
    bool        later;  // it follows from what is acknowledged, in a commit of its own
} attempt;

#define PLAIN "Content-Type: text/plain\r\n"
static const attempt attempts[] = {
    { "PUT", "/digitaltwins/n%u" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Sensor;1\"},\"site\":\"north%u\",\"note\":\"a\"}", 200,
      "/digitaltwins/n%u" V, "\"site\":\"north%u\",\"note\":\"a\"", "\"$dtId\":\"n%u\"" },
    { "PATCH", "/digitaltwins/s1" V, NULL,
      "[{\"op\":\"add\",\"path\":\"/site\",\"value\":\"one%u\"},{\"op\":\"add\",\"path\":\"/note\",\"value\":\"two%u\"}]", 204,
      "/digitaltwins/s1" V, "\"site\":\"one%u\",\"note\":\"two%u\"", "one%u" },
    { "PUT", "/digitaltwins/s1/relationships/r%u" V, NULL, "{\"$relationshipName\":\"near\",\"$targetId\":\"s2\"}", 200,
      "/digitaltwins/s1/relationships/r%u" V, "\"$targetId\":\"s2\"", NULL },
    { "POST", "/write?precision=s", PLAIN, "w,twin=s1 temp=1%u,count=2%ui 17672%u\nw,twin=s2 temp=3%u 17672%u\nw,twin=s1 temp=5%u,count=6%ui 17673%u\n",
      204, "/digitaltwins/s1" V, "\"temp\":5%u,\"count\":6%u", "\"temp\":5%u,", false },
    { "POST", "/v1/ingest", PLAIN, "{\"$twin\":\"s2\",\"temp\":7%u,\"count\":8%u,\"$time\":\"2024-01-01T00:00:00Z\"}\n", 200, "/digitaltwins/s2" V,
      "\"temp\":7%u,\"count\":8%u", "\"temp\":7%u," },
    { "POST", "/models" V, NULL, "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:M%u;1\",\"@type\":\"Interface\"}]", 201,
      "/models/dtmi:t:M%u;1" V, "\"id\":\"dtmi:t:M%u;1\"", NULL },
    { "POST", "/query" V, NULL, "{\"query\":\"SELECT T.site, COUNT() FROM DIGITALTWINS T JOIN U RELATED T.near WHERE T.$dtId = 's1' AND T.temp > 1\"}", 0,
      NULL, NULL, NULL, false },
    { "POST", "/query" V, NULL, "{\"query\":\"SELECT * FROM DIGITALTWINS T WHERE T.temp > 0 ORDER BY T.site\"}", 200, NULL, NULL, NULL, false },
    { "POST", "/digitaltwins/s3/telemetry" V, "Message-Id: m%u\r\n", "{\"temp\":200,\"count\":%u}", 204, "/v1/alarms", "hot@s3", NULL, true },
    { "GET", "/v1/history?twin=s1&property=temp", NULL, NULL, 200, NULL, NULL, NULL, false },
    { "POST", "/submodels", NULL, "{\"modelType\":\"Submodel\",\"id\":\"urn:gemel:submodel:Nameplate:m%u\",\"submodelElements\":[{\"modelType\":\"Property\",\"idShort\":\"SerialNumber\",\"valueType\":\"xs:string\",\"value\":\"sn%u\"},"
      "{\"modelType\":\"Property\",\"idShort\":\"Colour\",\"valueType\":\"xs:string\",\"value\":\"red%u\"}]}", 201, "/v1/thread/m%u", "\"sn%u\"", "\"red%u\"", false },
    { "POST", "/shells", NULL, "{\"modelType\":\"AssetAdministrationShell\",\"id\":\"urn:x:%u\",\"idShort\":\"Fan%u\",\"assetInformation\":{\"assetKind\":\"Instance\",\"globalAssetId\":\"urn:y:%u\"}}", 201,
      "/shells?idShort=Fan%u", "\"idShort\":\"Fan%u\"", NULL, false },
    { "POST", "/v1/checkpoint", NULL, "{}", 0, NULL, NULL, NULL, false },
};

static gm_fault_once fault;
static gm_ingest    *ingest;
static gm_creator   *creator;

static void with_ingest(gm_api_options *o)
{
    gm_error err = { 0 };
    assert_gm_ok(gm_creator_create(o->alloc, o->engine, &creator, &err), err);
    gm_ingest_options options = { .alloc = o->alloc, .engine = o->engine, .dead_letters = o->dead_letters, .creator = creator,
                                  .loop = o->loop, .future = 3650 * GM_DAY };
    assert_gm_ok(gm_ingest_create(&options, &ingest, &err), err);
    o->ingest = ingest;
}

static void end_ingest(gm_ingest *i, gm_creator *c)
{
    gm_ingest_destroy(i);
    gm_creator_destroy(c);
}

static void numbered(char *out, size_t room, const char *text, unsigned n)
{
    size_t len = 0;
    for (; text != NULL && *text != '\0' && len + 12 < room; text++) {
        if (text[0] == '%' && text[1] == 'u') {
            len += (size_t)snprintf(out + len, room - len, "%u", 1000 + n);
            text++;
        } else {
            out[len++] = *text;
        }
    }
    out[len] = '\0';
}

static bool holds(const gm_buf *buf, const char *text) { return gm_str_find(gm_buf_view(buf), gm_str_of(text)) != SIZE_MAX; }

static void check(api_plant *p, const attempt *a, unsigned n, bool done, const char *after)
{
    char see[256], whole[256], part[256];
    if (a->see == NULL) return;
    numbered(see, sizeof see, a->see, n);
    numbered(whole, sizeof whole, a->whole, n);
    numbered(part, sizeof part, a->part, n);
    const test_http_reply *reply = test_http_ask(&p->client, "GET", see, NULL, NULL);
    bool      there    = holds(&reply->body, whole);
    gm_dur_ns deadline = gm_monotonic(gm_clock_system()) + 10 * GM_SECOND;
    while (done && !there && a->later && gm_monotonic(gm_clock_system()) < deadline) {
        reply = test_http_ask(&p->client, "GET", see, NULL, NULL);
        there = holds(&reply->body, whole);
    }
    if (done && !there) fail_msg("%s: acknowledged, and not there: %.*s", after, (int)reply->body.len, (const char *)reply->body.ptr);
    if (!there && a->part != NULL && holds(&reply->body, part))
        fail_msg("%s: half of it is there: %.*s", after, (int)reply->body.len, (const char *)reply->body.ptr);
}

// Whether it was acknowledged; false in *out_fired: no allocation was left to refuse.
static bool try_one(api_plant *p, const attempt *a, unsigned n, uint64_t k, bool *out_fired, const char *after)
{
    char target[256], headers[256], body[512];
    numbered(target, sizeof target, a->target, n);
    numbered(headers, sizeof headers, a->headers, n);
    numbered(body, sizeof body, a->body, n);
    // A connection of its own, so that nothing that was kept from before helps.
    test_http_client client;
    test_http_open(&client, gm_api_port(p->api), api_plant_turn, p);
    gm_fault_once_arm(&fault, k);
    unsigned status = test_http_ask(&client, a->method, target, a->headers != NULL ? headers : NULL, a->body != NULL ? body : NULL)->status;
    *out_fired      = gm_fault_once_disarm(&fault);
    test_http_shut(&client);
    bool done = status == a->status;
    if (!done && a->status != 0 && status != 0 && status != 503 && status != 500) fail_msg("%s: %u", after, status);
    if (!*out_fired && !done && a->status != 0) fail_msg("%s: refused without a reason: %u", after, status);
    return done;
}

static void any_allocation_of_the_whole_plant_may_be_refused_once(void **state)
{
    (void)state;
    gm_fault_once_init(&fault);
    api_plant p = { .alloc = &fault.alloc, .whole = true, .controls = true };
    api_plant_start(&p, with_ingest);
    static const api_step set_up[] = {
        { "POST", "/models" V, NULL, models, 201, NULL },
        { "PUT", "/digitaltwins/s1" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Sensor;1\"}}", 200, NULL },
        { "PUT", "/digitaltwins/s2" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Sensor;1\"}}", 200, NULL },
        { "PUT", "/digitaltwins/s3" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Sensor;1\"}}", 200, NULL },
    };
    API_TALK(&p, set_up);
    const gm_control_file files[] = { { GM_STR("rules/a.rules"), gm_str_of(rules) } };
    size_t                file;
    assert_gm_ok(gm_control_set_rules(p.control, files, 1, &file, &p.err), p.err);
    assert_gm_ok(gm_engine_settle(p.engine, &p.err), p.err);
    unsigned n = 0;
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        const attempt *a     = &attempts[i];
        bool           fired = true;
        for (uint64_t k = 0; fired; k++, n++) {
            char after[160];
            snprintf(after, sizeof after, "%s %s, refusal %" PRIu64, a->method, a->target, k);
            bool done = try_one(&p, a, n, k, &fired, after);
            unsigned status = test_http_ask(&p.client, "PATCH", "/digitaltwins/s2" V, NULL, "[{\"op\":\"add\",\"path\":\"/note\",\"value\":\"next\"}]")->status;
            if (status != 204) fail_msg("%s: the next request is answered %u", after, status);
            check(&p, a, n, done, after);
            bool again = k % 16 == 3 || !fired;
            if (!again) continue;
            gm_ingest  *i_before = ingest;
            gm_creator *c_before = creator;
            api_plant_restart(&p);
            end_ingest(i_before, c_before);
            check(&p, a, n, done, after);
        }
    }
    gm_ingest  *last    = ingest;
    gm_creator *maker   = creator;
    api_plant_stop(&p);
    end_ingest(last, maker);
    assert_int_equal(fault.live_blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_allocation_of_the_whole_plant_may_be_refused_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
