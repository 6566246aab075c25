// gemel what-if and gemel futures verify as people use them: with a running server, and with none.
#include "support/files.h"
#include "support/program.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct fixture { char dir[256], plant[300], data[300]; gm_served *server; } fixture;

static int set_up(void **state)
{
    static fixture f;
    char           path[600];
    gm_test_make_dir(f.dir, sizeof f.dir);
    snprintf(f.plant, sizeof f.plant, "%s/decay plant", f.dir);
    snprintf(f.data, sizeof f.data, "%s/data", f.dir);
    snprintf(path, sizeof path, "%s/models/decay.json", f.plant);
    gm_test_write_file(
        path,
        GM_STR("{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Decay;1\",\"@type\":\"Interface\",\"contents\":["
               "{\"@type\":\"Property\",\"name\":\"x\",\"schema\":\"double\",\"writable\":true},"
               "{\"@type\":\"Property\",\"name\":\"k\",\"schema\":\"double\",\"writable\":true}]}"));
    snprintf(path, sizeof path, "%s/twins/all.ndjson", f.plant);
    gm_test_write_file(path, GM_STR("{\"Section\":\"Twins\"}\n{\"$dtId\":\"t1\",\"$metadata\":{\"$model\":\"dtmi:t:"
                                    "Decay;1\"},\"x\":2,\"k\":1}\n{\"$dtId\":\"t2\",\"$metadata\":{\"$model\":\"dtmi:t:Decay;1\"},\"x\":3,\"k\":1}\n"));
    snprintf(path, sizeof path, "%s/behaviors/decay.mo", f.plant);
    gm_test_write_file(
        path,
        GM_STR(
            "model Decay\n  parameter Real k = 1;\n  input Real rain = 0;\n  Real x(start=1, fixed=true);\nequation\n"
            "  der(x) = rain - k*x;\n  annotation(__gemel(interface=\"dtmi:t:Decay;1\"));\nend Decay;\n"));
    snprintf(path, sizeof path, "%s/rain.csv", f.dir);
    gm_test_write_file(path, GM_STR("time,rain\n0,2\n1,2\n"));
    f.server = gm_serve(f.plant, f.data, NULL, NULL);
    *state   = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f    = *state;
    int      code = gm_served_stop(f->server);
    gm_test_remove_dir(f->dir);
    return code;
}

static json_t *answer(gm_ran ran)
{
    if (ran.code != 0) fail_msg("exit %d: %s%s", ran.code, GM_TEXT(ran.out), GM_TEXT(ran.err));
    json_t *json = json_loads(GM_TEXT(ran.out), 0, NULL);
    gm_ran_finish(&ran);
    assert_non_null(json);
    return json;
}

static double last(const json_t *result, const char *quantile)
{
    const json_t *list = json_object_get(
        json_object_get(json_object_get(json_object_get(result, "outputs"), "t1.x"), "quantiles"), quantile);
    return json_number_value(json_array_get(list, json_array_size(list) - 1));
}

static void near_to(double got, double want, double relative)
{
    if (!(fabs(got / want - 1) < relative)) fail_msg("%g, not %g", got, want);
}

#define WHAT_IF(f, ...)                                                                                                \
    GM_RUN("what-if", (f)->plant, "--root", "t1", "--horizon", "2s", "--step", "0.01s", "--lanes", "2048",             \
           "--outputs", "t1.x", __VA_ARGS__)

static void a_running_server_is_asked(void **state)
{
    fixture *f = *state;
    json_t  *j = answer(WHAT_IF(f, "--http", f->server->http, "--vary", "t1.k=uniform(0.5,1.5)", "--quantiles",
                                "0.1,0.5", "--design", "sobol", "--json"));
    near_to(last(j, "0.1"), 2 * exp(-2 * 1.4), 0.01);
    near_to(last(j, "0.5"), 2 * exp(-2), 0.01);
    json_decref(j);
    // A change on schedule: k is 0 from 1 s on.
    j = answer(WHAT_IF(f, "--http", f->server->http, "--set", "t1.k=0@1s", "--json"));
    near_to(last(j, "0.5"), 2 * exp(-1), 1e-6);
    json_decref(j);
    // A series from a file: x' = 2 - x stays at 2.
    char rain[300];
    snprintf(rain, sizeof rain, "t1.rain=csv(%s/rain.csv)", f->dir);
    j = answer(WHAT_IF(f, "--http", f->server->http, "--vary", rain, "--json"));
    near_to(last(j, "0.5"), 2, 1e-6);
    json_decref(j);
}

static void without_a_server_the_plant_is_opened(void **state)
{
    fixture *f = *state;
    setenv("GEMEL_HTTP", "", 1);
    json_t *j = answer(WHAT_IF(f, "--vary", "t1.k=uniform(0.5,1.5)", "--json"));  // its own data folder, in the plant
    near_to(last(j, "0.5"), 2 * exp(-2), 0.1);
    json_decref(j);
    j = answer(WHAT_IF(f, "--json"));  // and again: it was closed as it should
    near_to(last(j, "0.5"), 2 * exp(-2), 1e-6);
    json_decref(j);
}

static void people_get_tables_and_charts(void **state)
{
    fixture *f   = *state;
    gm_ran   ran = WHAT_IF(f, "--http", f->server->http, "--vary", "t1.k=uniform(0.5,1.5)", "--until", "t1.x < 1",
                           "--score", "integral(t1.x)", "--scenario", "slow:t1.k=0.1", "--scenario", "as it is");
    assert_int_equal(ran.code, 0);
    static const char *const texts[] = {
        "slow: t1.x",           "as it is: t1.x", "50 %", "2 s", "t1.x < 1: 100.0 % of lanes",
        "integral(t1.x): mean", "2048 lanes in"
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strstr(GM_TEXT(ran.out), texts[i]) == NULL) fail_msg("no '%s' in\n%s", texts[i], GM_TEXT(ran.out));
    }
    gm_ran_finish(&ran);
    ran = WHAT_IF(f, "--http", f->server->http, "--vary", "t1.k=uniform(0.5,1.5)", "--plot");
    assert_int_equal(ran.code, 0);
    assert_non_null(strstr(GM_TEXT(ran.out), "\xe2\xa3\xbf"));  // a full cell of dots: the band
    gm_ran_finish(&ran);
}

static void mistakes_are_told(void **state)
{
    fixture *f = *state;
    static const struct { const char *option, *value, *says; int code; } cases[] = {
        { "--vary", "t1.k=unifrom(1,2)", "no function 'unifrom'", 1 },
        { "--until", "t1.y < 1", "there is no variable 't1.y'", 1 },
        { "--score", "sum(t1.x)", "expected integral", 1 },
        { "--quantiles", "0.1;0.5", "--quantiles", 1 },
        { "--vary", "t1.rain=csv(/nowhere.csv)", "/nowhere.csv", 1 },
        { "--lanes", "many", "--lanes", 2 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_ran ran = WHAT_IF(f, "--http", f->server->http, cases[i].option, cases[i].value);
        if (ran.code != cases[i].code || strstr(GM_TEXT(ran.err), cases[i].says) == NULL)
            fail_msg("%s %s: exit %d, %s", cases[i].option, cases[i].value, ran.code, GM_TEXT(ran.err));
        gm_ran_finish(&ran);
    }
    gm_ran ran = GM_RUN("what-if", f->plant, "--http", "127.0.0.1:1", "--root", "t1", "--outputs", "t1.x");
    assert_int_equal(ran.code, 3);
    gm_ran_finish(&ran);
}

static void a_saved_forecast_is_verified(void **state)
{
    fixture *f  = *state;
    json_t  *j  = answer(WHAT_IF(f, "--http", f->server->http, "--save", "--json"));
    char     id[64];
    snprintf(id, sizeof id, "%s", json_string_value(json_object_get(j, "id")));
    json_decref(j);
    j = answer(GM_RUN("futures", "verify", id, "--http", f->server->http, "--json"));
    assert_non_null(json_object_get(json_object_get(j, "outputs"), "t1.x"));
    json_decref(j);
    gm_ran ran = GM_RUN("futures", "verify", id, "--http", f->server->http);
    assert_int_equal(ran.code, 0);
    assert_non_null(strstr(GM_TEXT(ran.out), "t1.x"));
    gm_ran_finish(&ran);
    ran = GM_RUN("futures", "verify", "f0", "--http", f->server->http);
    assert_int_equal(ran.code, 1);
    gm_ran_finish(&ran);
}

static void a_fleet_is_named_or_found(void **state)
{
    fixture *f = *state;
    json_t  *named = answer(GM_RUN("what-if", f->plant, "--http", f->server->http, "--root", "t1", "--root", "t2", "--horizon", "2s",
                                   "--step", "0.01s", "--lanes", "64", "--outputs", "t1.x", "--json"));
    json_t  *found = answer(GM_RUN("what-if", f->plant, "--http", f->server->http, "--each", "SELECT * FROM DIGITALTWINS",
                                   "--horizon", "2s", "--step", "0.01s", "--lanes", "64", "--outputs", "t1.x", "--json"));
    near_to(last(json_object_get(json_object_get(named, "members"), "t2"), "0.5"), 3 * exp(-2), 1e-6);
    assert_true(json_equal(json_object_get(named, "members"), json_object_get(found, "members")));
    json_decref(named);
    json_decref(found);
    gm_ran ran = GM_RUN("what-if", f->plant, "--http", f->server->http, "--root", "t1", "--root", "t2", "--horizon", "2s", "--lanes",
                        "10", "--outputs", "t1.x", "--until", "t1.x < 0.35");
    assert_int_equal(ran.code, 0);
    assert_non_null(strstr(GM_TEXT(ran.out), "at the horizon"));
    assert_non_null(strstr(GM_TEXT(ran.out), "100.0 %"));
    gm_ran_finish(&ran);
    ran = GM_RUN("what-if", f->plant, "--root", "t1", "--each", "SELECT * FROM DIGITALTWINS", "--outputs", "t1.x");
    assert_int_equal(ran.code, 2);
    gm_ran_finish(&ran);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fleet_is_named_or_found),
        cmocka_unit_test(a_running_server_is_asked),
        cmocka_unit_test(without_a_server_the_plant_is_opened),
        cmocka_unit_test(people_get_tables_and_charts),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(a_saved_forecast_is_verified),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
