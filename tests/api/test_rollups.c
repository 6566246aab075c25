#include "rollup/rollups.h"
#include "support/api_users.h"


static gm_rollups *rollups;  // of the plant at hand: its API is told of them while it is made

static void add_rollups(gm_api_options *options)
{
    gm_error err = { 0 };
    assert_gm_ok(gm_rollups_create(gm_alloc_system(), options->engine, &rollups, &err), err);
    options->rollups = rollups;
}

#define CONTENTS "\"contents\":[{\"@type\":[\"Property\",\"Power\"],\"name\":\"x\",\"schema\":\"double\",\"unit\":\"kilowatt\",\"writable\":true},{\"@type\":\"Property\",\"name\":\"up\",\"schema\":\"boolean\",\"writable\":true}," \
    "{\"@type\":\"Property\",\"name\":\"mode\",\"schema\":\"string\",\"writable\":true},{\"@type\":\"Relationship\",\"name\":\"contains\"},{\"@type\":\"Relationship\",\"name\":\"feeds\"}]"
static const char model[] = "[{\"@context\":[\"dtmi:dtdl:context;3\",\"dtmi:dtdl:extension:quantitativeTypes;1\"],\"@id\":\"dtmi:t:Part;1\",\"@type\":\"Interface\"," CONTENTS "}]";
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
          "{\"items\":[{\"name\":\"sum\",\"function\":\"sum\",\"twin\":\"s1\",\"value\":5,\"unit\":\"kW\",\"members\":2,\"missing\":1},"
          "{\"name\":\"sum\",\"function\":\"sum\",\"twin\":\"s2\",\"value\":5,\"unit\":\"kW\",\"members\":2,\"missing\":0}]}" },
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
        { "GET", "/v1/rollups?name=sum&twin=s1&below=true", NULL, NULL, 200,
          "{\"items\":[{\"name\":\"sum\",\"function\":\"sum\",\"twin\":\"s1\",\"value\":9.5,\"unit\":\"kW\",\"members\":2,\"missing\":1},"
          "{\"name\":\"sum\",\"function\":\"sum\",\"twin\":\"s2\",\"value\":9.5,\"unit\":\"kW\",\"members\":2,\"missing\":0}]}" },
        { "GET", "/v1/rollups?name=sum&twin=s1&below=true&limit=1", NULL, NULL, 200, "\"more\":true" },
        { "GET", "/v1/rollups?plant=true", NULL, NULL, 200, "{\"items\":[{\"name\":\"all\",\"function\":\"oee\"," },
        { "GET", "/v1/rollups?plant=true", NULL, NULL, 200, "\"quality\":1}],\"declared\":4}" },
        { "GET", "/v1/rollups?below=true", NULL, NULL, 400, "goes with" },
        { "GET", "/metrics", NULL, NULL, 200, "gemel_rollup{name=\"sum\",function=\"sum\",twin=\"s1\"} 9.5\n" },
        { "GET", "/metrics", NULL, NULL, 200, "gemel_rollup{name=\"state\",function=\"worst\",twin=\"s2\",state=\"good\"} 0\n" },
        { "GET", "/metrics", NULL, NULL, 200, "gemel_rollup{name=\"all\",function=\"oee\"} " },
        { "GET", "/v1/rollups?from=3", NULL, NULL, 400, "from" },
        { "GET", "/v1/rollups?limit=0", NULL, NULL, 400, "limit" },
        { "GET", "/v1/rollups?limit=1", NULL, NULL, 200, "\"more\":true" },
        { "GET", "/v1/rollups?name=sum&limit=1", NULL, NULL, 200, "\"twin\":\"s1\",\"value\":9.5,\"unit\":\"kW\",\"members\":2,\"missing\":1}],\"next\":1}" },
        { "GET", "/v1/rollups?name=sum&limit=1&from=1", NULL, NULL, 200, "{\"items\":[{\"name\":\"sum\",\"function\":\"sum\",\"twin\":\"s2\",\"value\":9.5,\"unit\":\"kW\",\"members\":2,\"missing\":0}]}" },
        // A loop has no value, and what is sound is answered all the same.
        { "PUT", "/digitaltwins/s2/relationships/r3" V, NULL, INTO("s1"), 200, NULL },
        { "GET", "/v1/rollups?name=sum&twin=s1", NULL, NULL, 200, "\"trouble\":\"a system contains itself: s1 -> s2 -> s1\"}" },
        { "GET", "/v1/rollups?name=all", NULL, NULL, 200, "\"value\":" },
    };
    API_TALK(&p, steps);
    api_plant_stop(&p);
    gm_rollups_destroy(rollups);
}

static void turn_until_recorded(api_plant *p, const char *id, const char *name)
{
    gm_value value;
    gm_twin  twin = id != NULL ? gm_state_find(gm_engine_state(p->engine), gm_str_of(id)) : (gm_twin){ GM_NONE };
    while (!gm_rollups_then(rollups, twin, gm_str_of(name), GM_TIME_MAX, &value)) api_plant_turn(p);
}

static void queries_and_histories_read_them_like_properties(void **state)
{
    (void)state;
    static const char also[] = "{\"rollups\":[{\"name\":\"sum\",\"function\":\"sum\",\"property\":\"x\",\"relationship\":\"contains\",\"record\":\"100ms\"},"
        "{\"name\":\"pumps\",\"function\":\"kOfN\",\"property\":\"up\",\"k\":1,\"relationship\":\"contains\"},"
        "{\"name\":\"worst state\",\"function\":\"worst\",\"property\":\"mode\",\"states\":[\"good\",\"bad\"],\"relationship\":\"contains\"},"
        "{\"name\":\"all\",\"function\":\"sum\",\"property\":\"x\"}]}";
    api_plant      p    = { 0 };
    gm_rollup_file file = { GM_STR("a.rollups"), gm_str_of(also) };
    size_t         which;
    api_plant_start(&p, add_rollups);
    fill(&p);
    assert_gm_ok(gm_rollups_set(rollups, &file, 1, &which, &p.err), p.err);
#define QUERY(text) "{\"query\":\"" text "\"}"
#define ASK(text, status, expect) { "POST", "/query" V, NULL, QUERY(text), status, expect }
    const api_step steps[] = {
        ASK("SELECT T.$dtId, T.$rollup.sum FROM DIGITALTWINS T WHERE T.$rollup.sum > 4", 200, "[{\"$dtId\":\"s1\",\"sum\":5"),
        ASK("SELECT COUNT() FROM DIGITALTWINS T WHERE T.$rollup.sum > 4", 200, "[{\"COUNT\":2}]"),
        ASK("SELECT COUNT() FROM DIGITALTWINS T WHERE T.$rollup.sum > 5", 200, "[{\"COUNT\":0}]"),
        ASK("SELECT COUNT() FROM DIGITALTWINS T WHERE NOT T.$rollup.sum > 5", 200, "[{\"COUNT\":2}]"),  // a and b amount to nothing
        ASK("SELECT T.$dtId FROM DIGITALTWINS T WHERE T.$rollup.pumps AND T.$rollup.pumps.spare = 0 ORDER BY T.$rollup.sum DESC", 200, "s2"),
        ASK("SELECT T.$rollup.pumps.working AS w FROM DIGITALTWINS T WHERE T.$dtId = 's2'", 200, "[{\"w\":1"),
        ASK("SELECT COUNT() FROM DIGITALTWINS T WHERE T.$rollup.[[worst state]] = 'bad'", 200, "[{\"COUNT\":2}]"),
        ASK("SELECT COUNT() FROM DIGITALTWINS T WHERE T.$rollup.all = 5", 200, "[{\"COUNT\":4}]"),
        ASK("SELECT COUNT() FROM DIGITALTWINS T WHERE IS_DEFINED(T.$rollup.none) OR IS_DEFINED(T.$rollup) OR IS_DEFINED(T.$rollup.sum.spare)", 200, "[{\"COUNT\":0}]"),
        { "GET", "/v1/history?twin=s1&property=%24rollup/sum", NULL, NULL, 200, "{\"twin\":\"s1\",\"property\":\"$rollup/sum\",\"unit\":\"kW\",\"points\":[]}" },
        { "GET", "/v1/history?twin=s1&property=%24rollup/none", NULL, NULL, 404, "RollupNotFound" },
        { "GET", "/v1/history?property=%24rollup/sum", NULL, NULL, 400, "needed" },
        { "GET", "/v1/history?twin=s1&property=%24rollup/all", NULL, NULL, 400, "whole plant" },
        { "DELETE", "/v1/history?twin=s1&property=%24rollup/sum", NULL, NULL, 400, "without 'property'" },
    };
    API_TALK(&p, steps);
    assert_gm_ok(gm_rollups_start(rollups, &(gm_rollup_recording){ .loop = p.loop, .clock = gm_clock_system() }, &p.err), p.err);
    turn_until_recorded(&p, "s1", "sum");
    turn_until_recorded(&p, NULL, "all");
    static const api_step change[] = { { "PATCH", "/digitaltwins/b" V, NULL, "[{\"op\":\"replace\",\"path\":\"/x\",\"value\":7.5}]", 204, NULL } };
    API_TALK(&p, change);
    gm_value value = { 0 };
    while (!gm_rollups_then(rollups, gm_state_find(gm_engine_state(p.engine), GM_STR("s1")), GM_STR("sum"), GM_TIME_MAX, &value) || value.d != 9.5) api_plant_turn(&p);
    const api_step after[] = {
        { "GET", "/v1/history?twin=s1&property=%24rollup/sum", NULL, NULL, 200, ",9.5]]}" },
        { "GET", "/v1/history?twin=s1&property=%24rollup/sum&points=2", NULL, NULL, 200, "\",5],[" },
        { "GET", "/v1/history?twin=s2&property=%24rollup/worst%20state", NULL, NULL, 200, "\"bad\"]]}" },
        { "GET", "/v1/history?twin=s2&property=%24rollup/pumps&points=10", NULL, NULL, 200, "\",true]]}" },
        { "GET", "/v1/history?property=%24rollup/all", NULL, NULL, 200, "{\"twin\":null,\"property\":\"$rollup/all\",\"unit\":\"kW\",\"points\":[[" },
        ASK("SELECT COUNT() FROM DIGITALTWINS T WHERE T.$rollup.sum > 0 AS OF '2000-01-01T00:00:00Z'", 200, "[{\"COUNT\":0}]"),
        ASK("SELECT T.$rollup.sum FROM DIGITALTWINS T WHERE T.$rollup.sum > 0 AS OF '2100-01-01T00:00:00Z'", 200, "{\"sum\":9.5"),
    };
    API_TALK(&p, after);
    // A stream that follows a system is told.
    test_http_client listener;
    gm_buf           name = gm_buf_init(gm_alloc_system()), data = gm_buf_init(gm_alloc_system());
    static const api_step again[] = { { "PATCH", "/digitaltwins/b" V, NULL, "[{\"op\":\"replace\",\"path\":\"/x\",\"value\":8.5}]", 204, NULL } };
    test_http_open(&listener, gm_api_port(p.api), api_plant_turn, &p);
    test_http_stream(&listener, "/v1/stream?twin=s1");
    assert_true(test_http_event(&listener, &name, &data));
    assert_string_equal((char *)name.ptr, "snapshot");
    API_TALK(&p, again);
    do assert_true(test_http_event(&listener, &name, &data));
    while (strcmp((char *)name.ptr, "rollup") != 0 || strstr((char *)data.ptr, "\"sum\":10.5") == NULL);
    assert_non_null(strstr((char *)data.ptr, "\"twin\":\"s1\",\"values\":{\"sum\":10.5,\"pumps\":true,\"worst state\":\"bad\"}"));
    test_http_shut(&listener);
    gm_buf_finish(&name);
    gm_buf_finish(&data);
    gm_rollups_stop(rollups);
    api_plant_stop(&p);
    gm_rollups_destroy(rollups);
}

// ---- who is kept to some twins ------------------------------------------------------------------------------------------

static gm_access *access_now;
static bool       open_now;  // /metrics without a token

static void add_both(gm_api_options *options)
{
    add_rollups(options);
    access_now            = api_users_open(options, "contains");
    options->open_metrics = open_now;
}

static void enter(api_plant *p, const char *name, const char *scope, char *header)
{
    api_users_enter(p, access_now, (gm_user){ .name = gm_str_of(name), .right = GM_RIGHT_READ }, scope, header);
}

static void stop_both(api_plant *p)
{
    gm_access *access = access_now;
    api_plant_stop(p);
    gm_access_destroy(access);
    gm_rollups_destroy(rollups);
}

static void who_is_kept_to_some_twins_is_told_of_systems_that_are_wholly_his(void **state)
{
    (void)state;
    static const char fed[] = "{\"rollups\":[{\"name\":\"fed\",\"function\":\"sum\",\"property\":\"x\",\"relationship\":\"feeds\"},"
        "{\"name\":\"sum\",\"function\":\"sum\",\"property\":\"x\",\"relationship\":\"contains\"},{\"name\":\"plant\",\"function\":\"sum\",\"property\":\"x\"}]}";
    static const api_step more[] = {
        { "PUT", "/digitaltwins/hidden" V, NULL, PART(",\"x\":77"), 200, NULL },
        { "PUT", "/digitaltwins/s2/relationships/f1" V, NULL, "{\"$targetId\":\"a\",\"$relationshipName\":\"feeds\"}", 200, NULL },
        { "PUT", "/digitaltwins/a/relationships/f2" V, NULL, "{\"$targetId\":\"hidden\",\"$relationshipName\":\"feeds\"}", 200, NULL },
        { "PUT", "/digitaltwins/b/relationships/f3" V, NULL, "{\"$targetId\":\"a\",\"$relationshipName\":\"feeds\"}", 200, NULL },
        { "DELETE", "/digitaltwins/b/relationships/f3" V, NULL, NULL, 204, NULL },
        { "PUT", "/digitaltwins/b/relationships/f3" V, NULL, "{\"$targetId\":\"s1\",\"$relationshipName\":\"feeds\"}", 200, NULL },
    };
    gm_rollup_file file = { GM_STR("a.rollups"), gm_str_of(fed) };
    size_t         which;
    char           lena[API_USER_HEADER], anna[API_USER_HEADER];
    api_plant      p = { 0 };
    api_plant_start(&p, add_both);
    fill(&p);
    API_TALK(&p, more);
    assert_gm_ok(gm_rollups_set(rollups, &file, 1, &which, &p.err), p.err);
    enter(&p, "anna", NULL, anna);  // from here on everybody has to say who he is
    enter(&p, "lena", "s2", lena);  // s2, a and b
    const api_step steps[] = {
        { "GET", "/v1/rollups?name=sum&twin=s2", lena, NULL, 200, "{\"items\":[{\"name\":\"sum\",\"function\":\"sum\",\"twin\":\"s2\",\"value\":5,\"unit\":\"kW\",\"members\":2,\"missing\":0}]}" },
        { "GET", "/v1/rollups?name=sum&twin=s1", lena, NULL, 404, NULL },   // not there, for her
        { "GET", "/v1/rollups?name=fed&twin=a", lena, NULL, 403, "not yours to see" },
        { "GET", "/v1/rollups?name=fed&twin=s2", lena, NULL, 403, "not yours to see" },  // two levels down
        { "GET", "/v1/rollups?name=plant", lena, NULL, 200, "{\"items\":[],\"outside\":1}" },
        { "GET", "/v1/rollups?twin=s2", lena, NULL, 200, "\"value\":5,\"unit\":\"kW\",\"members\":2,\"missing\":0}],\"outside\":1}" },
        // The systems she may know of: s2 by what it contains; of fed those that she sees (s2, a, b), none with a value; the plant.
        { "GET", "/v1/rollups", lena, NULL, 200, "{\"items\":[{\"name\":\"sum\",\"function\":\"sum\",\"twin\":\"s2\",\"value\":5,\"unit\":\"kW\",\"members\":2,\"missing\":0}],\"outside\":4}" },
        { "GET", "/v1/history?twin=a&property=%24rollup/fed", lena, NULL, 403, "not yours to see" },
        { "GET", "/v1/history?twin=s2&property=%24rollup/sum", lena, NULL, 200, "\"points\":[]" },
        { "GET", "/v1/history?property=%24rollup/plant", lena, NULL, 403, "not yours to see" },
        { "POST", "/query" V, lena, "{\"query\":\"SELECT COUNT() FROM DIGITALTWINS T WHERE IS_DEFINED(T.$rollup.fed) OR IS_DEFINED(T.$rollup.plant)\"}", 200, "[{\"COUNT\":0}]" },
        { "POST", "/query" V, lena, "{\"query\":\"SELECT T.$rollup.sum FROM DIGITALTWINS T WHERE IS_DEFINED(T.$rollup.sum)\"}", 200, "[{\"sum\":5" },
        { "POST", "/query" V, anna, "{\"query\":\"SELECT COUNT() FROM DIGITALTWINS T WHERE T.$rollup.plant = 82\"}", 200, "[{\"COUNT\":5}]" },
        { "GET", "/v1/rollups?name=fed&twin=s2", anna, NULL, 200, "\"value\":79" },
        { "GET", "/v1/rollups?name=plant", anna, NULL, 200, "\"value\":82" },
        { "GET", "/metrics", anna, NULL, 200, "gemel_rollup{name=\"plant\",function=\"sum\"} 82" },
    };
    API_TALK(&p, steps);
    // What is disclosed counts hidden parts, and is told of the systems that she sees.
    gm_rollup_file told = { GM_STR("a.rollups"), GM_STR("{\"rollups\":[{\"name\":\"fed\",\"function\":\"sum\",\"property\":\"x\",\"relationship\":\"feeds\",\"disclosed\":true},"
        "{\"name\":\"plant\",\"function\":\"sum\",\"property\":\"x\",\"disclosed\":true}]}") };
    assert_gm_ok(gm_rollups_set(rollups, &told, 1, &which, &p.err), p.err);
    const api_step disclosed[] = {
        { "GET", "/v1/rollups?name=fed&twin=s2", lena, NULL, 200, "\"twin\":\"s2\",\"value\":79" },
        { "GET", "/v1/rollups?name=plant", lena, NULL, 200, "\"value\":82" },
        { "GET", "/v1/rollups", lena, NULL, 200, "!hidden" },
        { "GET", "/v1/rollups?name=fed&twin=s1", lena, NULL, 404, NULL },
        { "POST", "/query" V, lena, "{\"query\":\"SELECT T.$rollup.fed FROM DIGITALTWINS T WHERE T.$dtId = 's2'\"}", 200, "[{\"fed\":79" },
    };
    API_TALK(&p, disclosed);
    stop_both(&p);
}

static void metrics_without_a_token_tell_no_values_of_the_plant(void **state)
{
    (void)state;
    char           anna[API_USER_HEADER];
    api_plant      p = { 0 };
    static const api_step open[] = { { "GET", "/metrics", NULL, NULL, 200, "gemel_twins" }, { "GET", "/metrics", NULL, NULL, 200, "!gemel_rollup" } };
    open_now = true;
    api_plant_start(&p, add_both);
    fill(&p);
    enter(&p, "anna", NULL, anna);
    API_TALK(&p, open);
    stop_both(&p);
    open_now = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(systems_are_answered_as_of_the_last_commit),
        cmocka_unit_test(queries_and_histories_read_them_like_properties),
        cmocka_unit_test(who_is_kept_to_some_twins_is_told_of_systems_that_are_wholly_his),
        cmocka_unit_test(metrics_without_a_token_tell_no_values_of_the_plant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
