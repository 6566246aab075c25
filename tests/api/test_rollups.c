#include "rollup/rollups.h"
#include "support/api_plant.h"

#include <stdio.h>

static gm_rollups *rollups;  // of the plant at hand: its API is told of them while it is made

static void add_rollups(gm_api_options *options)
{
    gm_error err = { 0 };
    assert_gm_ok(gm_rollups_create(gm_alloc_system(), options->engine, &rollups, &err), err);
    options->rollups = rollups;
}

#define CONTENTS "\"contents\":[{\"@type\":\"Property\",\"name\":\"x\",\"schema\":\"double\",\"writable\":true},{\"@type\":\"Property\",\"name\":\"up\",\"schema\":\"boolean\",\"writable\":true}," \
    "{\"@type\":\"Property\",\"name\":\"mode\",\"schema\":\"string\",\"writable\":true},{\"@type\":\"Relationship\",\"name\":\"contains\"}]"
static const char model[] = "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Part;1\",\"@type\":\"Interface\"," CONTENTS "}]";
static const char declared[] = "{\"rollups\":[{\"name\":\"sum\",\"function\":\"sum\",\"property\":\"x\",\"relationship\":\"contains\"},"
    "{\"name\":\"pumps\",\"function\":\"kOfN\",\"property\":\"up\",\"k\":2,\"relationship\":\"contains\"},"
    "{\"name\":\"state\",\"function\":\"worst\",\"property\":\"mode\",\"states\":[\"good\",\"bad\"],\"relationship\":\"contains\"},"
    "{\"name\":\"all\",\"function\":\"oee\",\"planned\":\"x\",\"running\":\"x\",\"idealCycle\":\"x\",\"count\":\"x\",\"good\":\"x\"}]}";

#define PART(more) "{\"$metadata\":{\"$model\":\"dtmi:t:Part;1\"}" more "}"
#define INTO(target) "{\"$targetId\":\"" target "\",\"$relationshipName\":\"contains\"}"

static void fill(api_plant *p)
{
    static const api_step steps[] = {
        { "POST", "/models" V, NULL, model, 201, NULL },
        { "PUT", "/digitaltwins/s1" V, NULL, PART(""), 200, NULL },
        { "PUT", "/digitaltwins/s2" V, NULL, PART(""), 200, NULL },
        { "PUT", "/digitaltwins/a" V, NULL, PART(",\"x\":2,\"up\":true,\"mode\":\"good\""), 200, NULL },
        { "PUT", "/digitaltwins/b" V, NULL, PART(",\"x\":3,\"up\":false,\"mode\":\"bad\""), 200, NULL },
        { "PUT", "/digitaltwins/s1/relationships/r1" V, NULL, INTO("s2"), 200, NULL },
        { "PUT", "/digitaltwins/s2/relationships/r1" V, NULL, INTO("a"), 200, NULL },
        { "PUT", "/digitaltwins/s2/relationships/r2" V, NULL, INTO("b"), 200, NULL },
    };
    gm_rollup_file file = { GM_STR("a.rollups"), gm_str_of(declared) };
    size_t         which;
    API_TALK(p, steps);
    assert_gm_ok(gm_rollups_set(rollups, &file, 1, &which, &p->err), p->err);
}

static void systems_are_answered_as_of_the_last_commit(void **state)
{
    (void)state;
    api_plant p = { 0 };
    api_plant_start(&p, add_rollups);
    static const api_step nothing[] = { { "GET", "/v1/rollups", NULL, NULL, 200, "{\"items\":[]}" } };
    API_TALK(&p, nothing);
    fill(&p);
    static const api_step steps[] = {
        { "GET", "/v1/rollups?name=sum", NULL, NULL, 200,
          "{\"items\":[{\"name\":\"sum\",\"function\":\"sum\",\"twin\":\"s1\",\"value\":5,\"members\":2,\"missing\":1},"
          "{\"name\":\"sum\",\"function\":\"sum\",\"twin\":\"s2\",\"value\":5,\"members\":2,\"missing\":0}]}" },
        { "GET", "/v1/rollups?name=pumps&twin=s2", NULL, NULL, 200, "\"value\":false,\"members\":2,\"missing\":0,\"working\":1,\"needed\":2,\"spare\":-1}" },
        { "GET", "/v1/rollups?name=state&twin=s1", NULL, NULL, 200, "\"value\":\"bad\"" },
        { "GET", "/v1/rollups?name=all", NULL, NULL, 200, "\"function\":\"oee\",\"value\":2.6,\"members\":2,\"missing\":2,\"availability\":1,\"performance\":2.6,\"quality\":1}" },
        { "PATCH", "/digitaltwins/b" V, NULL, "[{\"op\":\"replace\",\"path\":\"/up\",\"value\":true},{\"op\":\"replace\",\"path\":\"/x\",\"value\":7.5},{\"op\":\"replace\",\"path\":\"/mode\",\"value\":\"good\"}]", 204, NULL },
        { "GET", "/v1/rollups?name=sum&twin=s1", NULL, NULL, 200, "\"value\":9.5" },
        { "GET", "/v1/rollups?name=pumps&twin=s2", NULL, NULL, 200, "\"value\":true" },
        { "GET", "/v1/rollups?name=pumps&twin=s2", NULL, NULL, 200, "\"spare\":0" },
        { "GET", "/v1/rollups?name=state&twin=s1", NULL, NULL, 200, "\"value\":\"good\"" },
        { "GET", "/v1/rollups?twin=s2", NULL, NULL, 200, "\"name\":\"state\"" },
        { "GET", "/v1/rollups?name=sum&twin=a", NULL, NULL, 200, "{\"items\":[]}" },  // no system
        { "GET", "/v1/rollups?name=none", NULL, NULL, 404, "RollupNotFound" },
        { "GET", "/v1/rollups?name=sum&twin=none", NULL, NULL, 404, NULL },
        { "GET", "/v1/rollups?from=3", NULL, NULL, 400, "from" },
        { "GET", "/v1/rollups?limit=0", NULL, NULL, 400, "limit" },
        { "GET", "/v1/rollups?limit=1", NULL, NULL, 200, "\"more\":true" },
        { "GET", "/v1/rollups?name=sum&limit=1", NULL, NULL, 200, "\"twin\":\"s1\",\"value\":9.5,\"members\":2,\"missing\":1}],\"next\":1}" },
        { "GET", "/v1/rollups?name=sum&limit=1&from=1", NULL, NULL, 200, "{\"items\":[{\"name\":\"sum\",\"function\":\"sum\",\"twin\":\"s2\",\"value\":9.5,\"members\":2,\"missing\":0}]}" },
        // A loop has no value, and what is sound is answered all the same.
        { "PUT", "/digitaltwins/s2/relationships/r3" V, NULL, INTO("s1"), 200, NULL },
        { "GET", "/v1/rollups?name=sum&twin=s1", NULL, NULL, 200, "\"trouble\":\"a system contains itself: s1 -> s2 -> s1\"}" },
        { "GET", "/v1/rollups?name=all", NULL, NULL, 200, "\"value\":" },
    };
    API_TALK(&p, steps);
    api_plant_stop(&p);
    gm_rollups_destroy(rollups);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(systems_are_answered_as_of_the_last_commit) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
