#include "failure/failures.h"
#include "failure/tree_twins.h"
#include "support/api_users.h"


static gm_failures *failures;  // of the plant at hand: its API is told of them while it is made

static void add_failures(gm_api_options *options)
{
    gm_error err = { 0 };
    assert_gm_ok(gm_failures_create(gm_alloc_system(), &failures, &err), err);
    options->failures = failures;
}

#define CONTENTS "\"contents\":[{\"@type\":\"Property\",\"name\":\"name\",\"schema\":\"string\",\"writable\":true},{\"@type\":\"Property\",\"name\":\"state\",\"schema\":\"string\",\"writable\":true}," \
    "{\"@type\":\"Relationship\",\"name\":\"feeds\"}]}"
static const char models[] = "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Pump;1\",\"@type\":\"Interface\"," CONTENTS ","
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Tank;1\",\"@type\":\"Interface\"," CONTENTS "]";
static const char declared[] = "{\"modes\":[{\"name\":\"seized\",\"on\":\"dtmi:t:Pump;1\",\"rate\":0.001,\"shownBy\":[{\"property\":\"state\",\"is\":\"off\",\"proves\":true}]}],"
    "\"needs\":[{\"name\":\"one pump\",\"on\":\"dtmi:t:Tank;1\",\"from\":\"<feeds\",\"working\":1,\"delay\":\"10min\",\"text\":\"No pump fills it\"}],"
    "\"losses\":[{\"on\":\"dtmi:t:Tank;1\",\"severity\":\"high\",\"costPerHour\":6}]}";

#define TWIN(model, more) "{\"$metadata\":{\"$model\":\"dtmi:t:" model ";1\"}" more "}"
#define INTO(target) "{\"$targetId\":\"" target "\",\"$relationshipName\":\"feeds\"}"

static const api_step fill[] = {
    { "POST", "/models" V, NULL, models, 201, NULL },
    { "PUT", "/digitaltwins/p1" V, NULL, TWIN("Pump", ",\"state\":\"on\""), 200, NULL },
    { "PUT", "/digitaltwins/p2" V, NULL, TWIN("Pump", ",\"state\":\"on\""), 200, NULL },
    { "PUT", "/digitaltwins/t" V, NULL, TWIN("Tank", ",\"name\":\"The tank\""), 200, NULL },
    { "PUT", "/digitaltwins/p1/relationships/r1" V, NULL, INTO("t"), 200, NULL },
    { "PUT", "/digitaltwins/p2/relationships/r2" V, NULL, INTO("t"), 200, NULL },
};

static void start(api_plant *p)
{
    gm_failure_file file = { GM_STR("a.modes"), gm_str_of(declared) };
    size_t          which;
    api_plant_start(p, add_failures);
    API_TALK(p, fill);
    assert_gm_ok(gm_failures_set(failures, &file, 1, &which, &p->err), p->err);
}

static void stop(api_plant *p)
{
    api_plant_stop(p);
    gm_failures_destroy(failures);
}

static void the_path_of_a_failure_is_answered(void **state)
{
    (void)state;
    api_plant p = { 0 };
    start(&p);
    static const api_step steps[] = {
        { "GET", "/v1/impact?twin=p1&horizon=1h", NULL, NULL, 200, "\"stops\":0,\"degraded\":0,\"atRisk\":1" },
        { "GET", "/v1/impact?twin=p1&horizon=1h", NULL, NULL, 200, "{\"id\":\"t\",\"name\":\"The tank\",\"via\":\"p2\",\"relationship\":\"r2\",\"relationshipName\":\"feeds\",\"relationshipSource\":\"p2\","
          "\"need\":\"one pump\",\"certain\":false,\"effect\":\"stops\",\"severity\":\"high\",\"text\":\"No pump fills it\",\"delay\":600,\"probability\":0.0009995" },
        { "GET", "/v1/impact?twin=p1&horizon=1h", NULL, NULL, 200, "\"redundancy\":[{\"id\":\"t\",\"need\":\"one pump\",\"needed\":1,\"working\":1,\"of\":2,\"spare\":0,\"next\":[\"p2\"]}],\"more\":false" },
        { "PATCH", "/digitaltwins/p2" V, NULL, "[{\"op\":\"replace\",\"path\":\"/state\",\"value\":\"off\"}]", 204, NULL },
        { "GET", "/v1/impact?twin=p1&horizon=1h", NULL, NULL, 200, "\"standing\":1,\"stops\":1" },
        { "GET", "/v1/impact?twin=p1&horizon=1h", NULL, NULL, 200, "\"via\":\"p1\",\"relationship\":\"r1\"" },
        { "GET", "/v1/impact?twin=p1&horizon=1h", NULL, NULL, 200, "\"delay\":600,\"probability\":1,\"cost\":5}" },
        { "GET", "/v1/impact?twin=p1&horizon=1h&limit=1", NULL, NULL, 200, "\"more\":true" },
        { "GET", "/v1/impact?twin=p2", NULL, NULL, 200, "\"stands\":true" },
        { "GET", "/v1/impact?twin=p1&mode=seized", NULL, NULL, 200, "\"mode\":\"seized\"" },
        { "GET", "/v1/impact?twin=p1&mode=none", NULL, NULL, 404, "has no failure mode 'none'" },
        { "GET", "/v1/impact?twin=none", NULL, NULL, 404, NULL },
        { "GET", "/v1/impact", NULL, NULL, 400, "'twin' is needed" },
        { "GET", "/v1/impact?twin=p1&horizon=soon", NULL, NULL, 400, "horizon" },
        { "GET", "/v1/impact?twin=p1&horizon=0s", NULL, NULL, 400, "horizon" },
        { "GET", "/v1/impact?twin=p1&limit=0", NULL, NULL, 400, "limit" },
        { "GET", "/v1/origins", NULL, NULL, 404, "this plant has none" },
        { "GET", "/v1/origins?name=works", NULL, NULL, 404, "called 'works'" },
    };
    API_TALK(&p, steps);
    stop(&p);
}

static void a_twins_fault_tree_is_answered(void **state)
{
    (void)state;
    api_plant p = { 0 };
    start(&p);
    static const api_step steps[] = {
        { "GET", "/v1/reliability/t?horizon=100h", NULL, NULL, 200, "{\"twin\":\"t\",\"horizon\":360000,\"twins\":3,\"hotInstead\":0,\"unavailability\":0.0090559" },
        { "GET", "/v1/reliability/t?horizon=100h", NULL, NULL, 200, "\"top\":\"t\",\"top_probability\":0.0090559" },
        { "GET", "/v1/reliability/t?horizon=100h", NULL, NULL, 200, "\"cut_sets\":{\"2\":1},\"cut_sets_total\":1," },
        { "GET", "/v1/reliability/t?horizon=100h", NULL, NULL, 200, "\"likeliest_cut_sets\":[{\"events\":[\"p1: seized\",\"p2: seized\"]" },
        { "GET", "/v1/reliability/t?horizon=100h&cutSets=0&importance=1", NULL, NULL, 200, "!likeliest_cut_sets" },
        { "GET", "/v1/reliability/t?format=openpsa", NULL, NULL, 200, "<define-gate name=\"t\">" },
        { "PATCH", "/digitaltwins/p2" V, NULL, "[{\"op\":\"replace\",\"path\":\"/state\",\"value\":\"off\"}]", 204, NULL },
        { "GET", "/v1/reliability/t", NULL, NULL, 200, "\"standing\":[\"p2: seized\"]" },
        { "GET", "/v1/reliability/t?format=svg", NULL, NULL, 400, "json or openpsa" },
        { "GET", "/v1/reliability/t?seconds=0", NULL, NULL, 400, "seconds" },
        { "GET", "/v1/reliability/none", NULL, NULL, 404, NULL },
    };
    API_TALK(&p, steps);
    gm_failure_file file = { GM_STR("a.modes"), GM_STR("{\"needs\":[{\"name\":\"round\",\"on\":\"dtmi:t:Tank;1\",\"from\":[\"<feeds\",\"feeds\"]},{\"name\":\"back\",\"on\":\"dtmi:t:Pump;1\",\"from\":\"feeds\"}]}") };
    size_t          which;
    assert_gm_ok(gm_failures_set(failures, &file, 1, &which, &p.err), p.err);
    static const api_step loop[] = { { "GET", "/v1/reliability/t", NULL, NULL, 400, "p1" } };  // named
    API_TALK(&p, loop);
    stop(&p);
}

#define NODE(model, more) "{\"$metadata\":{\"$model\":\"dtmi:gemel:faulttree:" model ";1\"}" more "}"
#define INPUT(target) "{\"$targetId\":\"" target "\",\"$relationshipName\":\"input\"}"

static void gates_are_followed_like_needs(void **state)
{
    (void)state;
    api_plant p      = { 0 };
    gm_str    nodes = gm_tree_twins_models();
    start(&p);
    const api_step steps[] = {
        { "POST", "/models" V, NULL, nodes.ptr, 201, NULL },
        { "PUT", "/digitaltwins/top" V, NULL, NODE("Gate", ",\"connective\":\"or\""), 200, NULL },
        { "PUT", "/digitaltwins/both" V, NULL, NODE("Gate", ",\"connective\":\"and\""), 200, NULL },
        { "PUT", "/digitaltwins/power" V, NULL, NODE("BasicEvent", ",\"probability\":0.25"), 200, NULL },
        { "PUT", "/digitaltwins/maintained" V, NULL, NODE("HouseEvent", ",\"state\":false"), 200, NULL },
        { "PUT", "/digitaltwins/top/relationships/i1" V, NULL, INPUT("both"), 200, NULL },
        { "PUT", "/digitaltwins/both/relationships/i2" V, NULL, INPUT("power"), 200, NULL },
        { "PUT", "/digitaltwins/both/relationships/i3" V, NULL, INPUT("t"), 200, NULL },  // a tank of the plant
        { "PUT", "/digitaltwins/both/relationships/i4" V, NULL, INPUT("maintained"), 200, NULL },
        { "GET", "/v1/impact?twin=t", NULL, NULL, 200, "\"stops\":0,\"degraded\":0,\"atRisk\":0" },
        { "PATCH", "/digitaltwins/maintained" V, NULL, "[{\"op\":\"replace\",\"path\":\"/state\",\"value\":true}]", 204, NULL },
        { "GET", "/v1/impact?twin=t", NULL, NULL, 200, "\"stops\":0,\"degraded\":0,\"atRisk\":2" },
        { "GET", "/v1/impact?twin=t", NULL, NULL, 200, "{\"id\":\"both\",\"via\":\"power\",\"relationship\":\"i2\",\"relationshipName\":\"input\",\"relationshipSource\":\"both\",\"gate\":\"and\",\"certain\":false,\"effect\":\"stops\",\"delay\":0,\"probability\":0.25," },
        { "GET", "/v1/impact?twin=t", NULL, NULL, 200, "\"redundancy\":[{\"id\":\"both\",\"gate\":\"and\",\"needed\":1,\"working\":1,\"of\":3,\"spare\":0,\"next\":[\"power\"]}]" },
        { "PATCH", "/digitaltwins/power" V, NULL, "[{\"op\":\"replace\",\"path\":\"/probability\",\"value\":1}]", 204, NULL },
        { "GET", "/v1/impact?twin=t", NULL, NULL, 200, "\"stops\":2" },
        { "GET", "/v1/impact?twin=t", NULL, NULL, 200, "{\"id\":\"top\",\"via\":\"both\",\"relationship\":\"i1\",\"relationshipName\":\"input\",\"relationshipSource\":\"top\",\"gate\":\"or\",\"certain\":true" },
        // A gate that needs itself not to be true says nothing that can be followed.
        { "PUT", "/digitaltwins/both/relationships/i5" V, NULL, "{\"$targetId\":\"top\",\"$relationshipName\":\"input\",\"negated\":true}", 200, NULL },
        { "GET", "/v1/impact?twin=t", NULL, NULL, 400, "lie in a circle" },
    };
    API_TALK(&p, steps);
    stop(&p);
}

static gm_access *access_now;

static void add_both(gm_api_options *options)
{
    add_failures(options);
    access_now = api_users_open(options, "holds");
}

static void enter(api_plant *p, const char *name, const char *scope, char *header)
{
    api_users_enter(p, access_now, (gm_user){ .name = gm_str_of(name), .right = GM_RIGHT_READ }, scope, header);
}

static void what_is_hidden_counts_and_is_not_named(void **state)
{
    (void)state;
    static const api_step more[] = {
        { "PUT", "/digitaltwins/u1" V, NULL, TWIN("Tank", ""), 200, NULL },
        { "PUT", "/digitaltwins/u2" V, NULL, TWIN("Tank", ""), 200, NULL },
        { "PUT", "/digitaltwins/t/relationships/r3" V, NULL, INTO("u1"), 200, NULL },
        { "PUT", "/digitaltwins/u1/relationships/r4" V, NULL, INTO("u2"), 200, NULL },
    };
    gm_failure_file file = { GM_STR("a.modes"), gm_str_of(declared) };
    size_t          which;
    char            lena[API_USER_HEADER], anna[API_USER_HEADER], otto[API_USER_HEADER];
    api_plant       p = { 0 };
    api_plant_start(&p, add_both);
    API_TALK(&p, fill);
    assert_gm_ok(gm_failures_set(failures, &file, 1, &which, &p.err), p.err);
    API_TALK(&p, more);
    enter(&p, "anna", NULL, anna);
    enter(&p, "lena", "u1", lena);  // the tank in the middle alone
    enter(&p, "otto", "p1", otto);
    const api_step steps[] = {
        { "GET", "/v1/impact?twin=t", anna, NULL, 200, "\"stops\":2" },
        { "GET", "/v1/impact?twin=t", anna, NULL, 200, "!hidden" },
        { "GET", "/v1/impact?twin=t", lena, NULL, 404, NULL },  // not there, for her
        { "GET", "/v1/impact?twin=u1", lena, NULL, 200, "\"stops\":1" },
        { "GET", "/v1/impact?twin=u1", lena, NULL, 200, "\"hidden\":1" },
        { "GET", "/v1/impact?twin=u1", lena, NULL, 200, "!u2" },
        { "GET", "/v1/impact?twin=u1", lena, NULL, 200, "!r4" },
        // The redundancy that is left is somebody else's, and so is what hangs on it.
        { "GET", "/v1/impact?twin=p1", otto, NULL, 200, "\"stops\":0,\"degraded\":0,\"atRisk\":3" },
        { "GET", "/v1/impact?twin=p1", otto, NULL, 200, "\"redundancy\":[],\"more\":false,\"hidden\":3" },
        { "GET", "/v1/impact?twin=p1", anna, NULL, 200, "\"redundancy\":[{\"id\":\"t\"" },
        { "GET", "/v1/reliability/u1", lena, NULL, 403, NULL },
    };
    API_TALK(&p, steps);
    gm_access *access = access_now;
    stop(&p);
    gm_access_destroy(access);
}

int main(void)
{
    const struct CMUnitTest tests[] = { 
        cmocka_unit_test(the_path_of_a_failure_is_answered), cmocka_unit_test(a_twins_fault_tree_is_answered),
        cmocka_unit_test(gates_are_followed_like_needs),     cmocka_unit_test(what_is_hidden_counts_and_is_not_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
