// /v1/futures over HTTP: small jobs, large jobs, refusals, lanes again, saving and verifying.
#include "futures/behaviors.h"
#include "base/pool.h"
#include "physics/modelica/diag.h"
#include "support/api_plant.h"
#include "support/http_client.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char decay[] = "model Decay\n  parameter Real k(unit=\"1/s\") = 1;\n  parameter Real spoiled(unit=\"1/s\") = 0;\n  Real x(start=1, fixed=true);\n"
                            "  Real twice;\nequation\n  der(x) = -(k + spoiled)*x;\n  twice = 2*x;\n"
                            "  annotation(__gemel(interface=\"dtmi:t:Decay;1\", fault(spoil=\"spoiled=1\")));\nend Decay;\n";

#define MODEL "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Decay;1\",\"@type\":\"Interface\",\"contents\":[" \
    "{\"@type\":\"Property\",\"name\":\"x\",\"schema\":\"double\",\"writable\":true}," \
    "{\"@type\":\"Property\",\"name\":\"k\",\"schema\":\"double\",\"writable\":true}]}," \
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Dull;1\",\"@type\":\"Interface\"}]"

typedef struct world { api_plant plant; gm_behaviors *behaviors; gm_diags diags; } world;
static world *now_open;  // api_plant_start's hook has no context

static void with_futures(gm_api_options *o)
{
    gm_pool_options pool = { .threads = 2, .jobs_max = 8 };
    gm_error        err  = { 0 };
    gm_behavior_text text = { GM_STR("decay.mo"), gm_str_of(decay) };
    gm_diags_init(&now_open->diags, gm_alloc_system());
    assert_gm_ok(gm_behaviors_create(gm_alloc_system(), NULL, 0, &text, 1, &now_open->diags, &now_open->behaviors, &err), err);
    assert_int_equal(now_open->diags.errors, 0);
    assert_gm_ok(gm_pool_create(gm_alloc_system(), now_open->plant.loop, &pool, &o->pool, &err), err);
    o->behaviors = now_open->behaviors;
    o->io        = gm_io_system();
    o->data_dir  = now_open->plant.dir;
    now_open->plant.pool = o->pool;
}

static void open_world(world *w)
{
    static const api_step steps[] = {
        { "POST", "/models" V, NULL, MODEL, 201, NULL },
        { "PUT", "/digitaltwins/t1" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Decay;1\"},\"x\":2,\"k\":1}", 200, NULL },
        { "PUT", "/digitaltwins/t2" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Dull;1\"}}", 200, NULL },
    };
    *w       = (world){ 0 };
    now_open = w;
    api_plant_start(&w->plant, with_futures);
    API_TALK(&w->plant, steps);
}

static void close_world(world *w)
{
    api_plant_stop(&w->plant);
    gm_behaviors_destroy(w->behaviors);
    gm_diags_finish(&w->diags);
}

static json_t *ask(world *w, const char *method, const char *target, const char *body, unsigned status)
{
    test_http_reply *reply = test_http_ask(&w->plant.client, method, target, body != NULL ? "Content-Type: application/json\r\n" : NULL, body);
    if (reply->status != status) fail_msg("%s %s: %u, %.*s", method, target, reply->status, (int)reply->body.len, reply->body.ptr);
    return json_loadb((const char *)reply->body.ptr, reply->body.len, 0, NULL);
}

static double last(const json_t *result, const char *output, const char *quantile)
{
    const json_t *list = json_object_get(json_object_get(json_object_get(json_object_get(result, "outputs"), output), "quantiles"), quantile);
    return json_number_value(json_array_get(list, json_array_size(list) - 1));
}

static void near_to(double got, double want, double relative)
{
    if (!(fabs(got / want - 1) < relative)) fail_msg("%g, not %g", got, want);
}

#define DECAY "\"root\":\"t1\",\"horizon\":\"2s\",\"step\":\"0.01s\",\"lanes\":2048,\"seed\":7,\"points\":20,\"design\":\"sobol\",\"vary\":[\"t1.k=uniform(0.5,1.5)\"]," \
              "\"outputs\":[\"t1.x\",\"t1.twice\"],\"quantiles\":[0.1,0.5,0.9]"

#define SHORT "\"root\":\"t1\",\"horizon\":\"10ms\",\"step\":\"1ms\",\"lanes\":64,\"vary\":[\"t1.k=uniform(0.5,1.5)\"],\"outputs\":[\"t1.x\"],\"quantiles\":[0.1,0.5,0.9],\"save\":true"

static void a_small_job_answers_with_its_result_from_the_live_state(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    for (double x0 = 2; x0 <= 4; x0 += 2) {
        json_t *r = ask(&w, "POST", "/v1/futures", "{" DECAY "}", 200);
        near_to(last(r, "t1.x", "0.1"), x0 * exp(-2 * 1.4), 0.005);
        near_to(last(r, "t1.x", "0.5"), x0 * exp(-2), 0.005);
        near_to(last(r, "t1.twice", "0.9"), 2 * x0 * exp(-2 * 0.6), 0.005);
        assert_int_equal(json_integer_value(json_object_get(r, "lanes")), 2048);
        assert_int_equal(json_integer_value(json_object_get(r, "diverged")), 0);
        assert_true(json_number_value(json_array_get(json_object_get(r, "time"), 20)) == 2);
        assert_true(json_is_number(json_object_get(r, "seconds")));
        json_decref(r);
        static const api_step patch[] = { { "PATCH", "/digitaltwins/t1" V, "Content-Type: application/json-patch+json\r\n", "[{\"op\":\"replace\",\"path\":\"/x\",\"value\":4}]", 204, NULL } };
        API_TALK(&w.plant, patch);
    }
    close_world(&w);
}

static void a_past_moment_is_forked_as_it_was(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    static const api_step patches[] = {
        { "PATCH", "/digitaltwins/t1" V, "Content-Type: application/json-patch+json\r\n", "[{\"op\":\"replace\",\"path\":\"/x\",\"value\":8},{\"op\":\"add\",\"path\":\"/$metadata/x/sourceTime\",\"value\":\"2050-01-01T00:00:00Z\"}]", 204, NULL },
    };
    API_TALK(&w.plant, patches);
    json_t *r = ask(&w, "POST", "/v1/futures", "{" DECAY ",\"asOf\":\"2049-01-01T00:00:00Z\"}", 200);
    near_to(last(r, "t1.x", "0.5"), 2 * exp(-2), 0.005);
    json_decref(r);
    r = ask(&w, "POST", "/v1/futures", "{" DECAY ",\"asOf\":\"2051-01-01T00:00:00Z\"}", 200);
    near_to(last(r, "t1.x", "0.5"), 8 * exp(-2), 0.005);
    json_decref(r);
    json_decref(ask(&w, "POST", "/v1/futures", "{" DECAY ",\"asOf\":\"soon\"}", 400));
    close_world(&w);
}

static void a_large_job_is_followed_and_cancelled(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    json_t *r = ask(&w, "POST", "/v1/futures", "{\"root\":\"t1\",\"horizon\":\"12d\",\"step\":\"10ms\",\"lanes\":4096,\"outputs\":[\"t1.x\"]}", 202);
    const char *id = json_string_value(json_object_get(r, "id"));
    char path[100], stream[120];
    snprintf(path, sizeof path, "/v1/futures/%s", id);
    snprintf(stream, sizeof stream, "%s/stream", path);
    assert_string_equal(json_string_value(json_object_get(r, "state")), "running");
    json_decref(r);
    test_http_client follower;
    test_http_open(&follower, gm_api_port(w.plant.api), api_plant_turn, &w.plant);
    test_http_stream(&follower, stream);
    gm_buf name = gm_buf_init(gm_alloc_system()), data = gm_buf_init(gm_alloc_system());
    bool   partial = false, cancelled = false;
    while (test_http_event(&follower, &name, &data)) {
        if (gm_str_is(gm_buf_view(&name), "partial") && !partial) {
            json_t *p = json_loadb((const char *)data.ptr, data.len, 0, NULL);
            partial   = last(p, "t1.x", "0.5") > 0 && json_integer_value(json_object_get(p, "counted")) >= 64;
            json_decref(p);
            json_decref(ask(&w, "GET", path, NULL, 200));
            json_decref(ask(&w, "DELETE", path, NULL, 204));
        }
        cancelled = cancelled || gm_str_is(gm_buf_view(&name), "cancelled");
    }
    assert_true(partial && cancelled);
    gm_buf_finish(&name);
    gm_buf_finish(&data);
    test_http_shut(&follower);
    json_decref(ask(&w, "GET", path, NULL, 404));
    close_world(&w);
}

// The connection ends, the server stops: nothing waits and nothing leaks (the address sanitizer looks).
static void the_end_of_the_server_ends_what_runs(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    json_decref(ask(&w, "POST", "/v1/futures", "{\"root\":\"t1\",\"horizon\":\"12d\",\"step\":\"10ms\",\"lanes\":4096,\"outputs\":[\"t1.x\"]}", 202));
    test_http_send_request(&w.plant.client, "POST", "/v1/futures", NULL, "{\"root\":\"t1\",\"horizon\":\"12d\",\"step\":\"10ms\",\"wait\":true,\"outputs\":[\"t1.x\"]}");
    for (int i = 0; i < 3; i++) {
        static const api_step look[] = { { "GET", "/healthz", NULL, NULL, 200, NULL } };
        test_http_client other = w.plant.client;
        test_http_open(&w.plant.client, gm_api_port(w.plant.api), api_plant_turn, &w.plant);
        API_TALK(&w.plant, look);
        test_http_shut(&w.plant.client);
        w.plant.client = other;
    }
    close_world(&w);
}

static void a_lane_runs_again_with_the_same_bits(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    json_t *r = ask(&w, "POST", "/v1/futures", "{" DECAY ",\"score\":[\"final(t1.x)\"],\"until\":[\"t1.x < 1\"],\"exceed\":[\"t1.x > 0.3\"],\"bins\":5}", 200);
    const json_t *score = json_object_get(json_object_get(r, "scores"), "final(t1.x)");
    char path[100], lane[20];
    snprintf(lane, sizeof lane, "%lld", (long long)json_integer_value(json_object_get(score, "maxLane")));
    snprintf(path, sizeof path, "/v1/futures/%s/lanes/%s?output=t1.x&output=t1.twice", json_string_value(json_object_get(r, "id")), lane);
    json_t *again = ask(&w, "GET", path, NULL, 200);
    const json_t *kept = json_object_get(json_object_get(json_object_get(r, "trajectories"), lane), "t1.x"), *x = json_object_get(json_object_get(again, "outputs"), "t1.x");
    assert_int_equal(json_array_size(x), 21);
    assert_true(json_equal((json_t *)(uintptr_t)kept, (json_t *)(uintptr_t)x));
    assert_true(json_number_value(json_array_get(json_object_get(json_object_get(again, "outputs"), "t1.twice"), 20)) == 2 * json_number_value(json_array_get(x, 20)));
    snprintf(path, sizeof path, "/v1/futures/%s/lanes/9999999", json_string_value(json_object_get(r, "id")));
    json_decref(ask(&w, "GET", path, NULL, 404));
    json_decref(again);
    json_decref(r);
    close_world(&w);
}

static void what_is_saved_can_be_verified(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    json_t *r = ask(&w, "POST", "/v1/futures", "{" DECAY ",\"asOf\":\"2049-01-01T00:00:00Z\",\"save\":true}", 200);
    assert_true(json_is_true(json_object_get(r, "saved")));
    char path[100];
    snprintf(path, sizeof path, "/v1/futures/%s/verification", json_string_value(json_object_get(r, "id")));
    json_t *v = ask(&w, "GET", path, NULL, 200);
    // Nothing has happened after 2049 yet.
    assert_int_equal(json_integer_value(json_object_get(json_object_get(json_object_get(v, "outputs"), "t1.x"), "points")), 0);
    assert_true(json_is_null(json_object_get(json_object_get(v, "outputs"), "t1.twice")));
    json_decref(v);
    snprintf(path, sizeof path, "/v1/futures/%s", json_string_value(json_object_get(r, "id")));
    json_decref(r);
    json_decref(ask(&w, "DELETE", path, NULL, 204));
    json_decref(ask(&w, "GET", path, NULL, 404));
    // x stays 2 while the forecast has it decay: nothing falls below a curve, and the middle is off by about 2 k t.
    r = ask(&w, "POST", "/v1/futures", "{" SHORT "}", 200);
    struct timespec pause = { 0, 20 * GM_MILLISECOND };
    nanosleep(&pause, NULL);  // the horizon has to pass; a clock of the system is what the API goes by here
    snprintf(path, sizeof path, "/v1/futures/%s/verification", json_string_value(json_object_get(r, "id")));
    v = ask(&w, "GET", path, NULL, 200);
    const json_t *o = json_object_get(json_object_get(v, "outputs"), "t1.x");
    assert_int_equal(json_integer_value(json_object_get(o, "points")), 10);
    assert_true(json_number_value(json_object_get(json_object_get(o, "below"), "0.9")) == 0);
    assert_true(json_number_value(json_object_get(o, "bias")) > 0.005 && json_number_value(json_object_get(o, "bias")) < 0.02);
    json_decref(v);
    json_decref(r);
    close_world(&w);
}

static void faults_and_schedules_come_by_name(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    json_t *r = ask(&w, "POST", "/v1/futures", "{\"root\":\"t1\",\"horizon\":\"2s\",\"step\":\"1ms\",\"lanes\":1,\"vary\":[\"t1.spoil@1s\"],\"outputs\":[\"t1.x\"],"
                    "\"scenarios\":{\"spoiled\":[],\"stopped\":[{\"name\":\"t1.k\",\"value\":-1,\"at\":\"1s\"}]}}", 200);
    near_to(last(json_object_get(json_object_get(r, "scenarios"), "spoiled"), "t1.x", "0.5"), 2 * exp(-1 - 2), 1e-6);
    near_to(last(json_object_get(json_object_get(r, "scenarios"), "stopped"), "t1.x", "0.5"), 2 * exp(-1 + 0), 1e-6);
    json_decref(r);
    close_world(&w);
}

static const json_t *curve(const json_t *of, const char *output, const char *quantile)
{
    return json_object_get(json_object_get(json_object_get(json_object_get(of, "outputs"), output), "quantiles"), quantile);
}

static double point(const json_t *result, const char *output, const char *quantile, size_t at)
{
    return json_number_value(json_array_get(curve(result, output, quantile), at));
}

// k was 1, 2 and 3 at midnight, one and two o'clock: drawn from, and played again.
static void history_is_drawn_from_and_played_again(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    for (int hour = 0; hour < 3; hour++) {
        char body[300];
        snprintf(body, sizeof body, "[{\"op\":\"replace\",\"path\":\"/k\",\"value\":%d},{\"op\":\"add\",\"path\":\"/$metadata/k/sourceTime\","
                 "\"value\":\"2050-01-01T%02d:00:00Z\"}]", hour + 1, hour);
        test_http_reply *reply = test_http_ask(&w.plant.client, "PATCH", "/digitaltwins/t1" V, "Content-Type: application/json-patch+json\r\n", body);
        assert_int_equal(reply->status, 204);
    }
#define PAST "{\"root\":\"t1\",\"asOf\":\"2050-01-01T03:00:00Z\",\"horizon\":\"3h\",\"method\":\"implicit\",\"tolerance\":1e-3,\"points\":6," \
             "\"lanes\":512,\"outputs\":[\"t1.k\"],\"quantiles\":[0,0.5,1],"
    json_t *r = ask(&w, "POST", "/v1/futures", PAST "\"vary\":[\"t1.k=resample(12h)\"]}", 200);
    assert_true(point(r, "t1.k", "0", 6) >= 1 && point(r, "t1.k", "0", 6) < 1.1);
    near_to(point(r, "t1.k", "0.5", 6), 2, 0.1);
    assert_true(point(r, "t1.k", "1", 6) <= 3 && point(r, "t1.k", "1", 6) > 2.9);
    json_decref(r);
    r = ask(&w, "POST", "/v1/futures", PAST "\"vary\":[\"t1.k=history(3h)\"]}", 200);
    for (size_t p = 1; p <= 5; p++) assert_true(point(r, "t1.k", "0", p) >= 1 && point(r, "t1.k", "1", p) <= 3);
    near_to(point(r, "t1.k", "0.5", 3), 2.5, 0.25);
    near_to(point(r, "t1.k", "0.5", 6), 3, 1e-9);
    json_decref(r);
    json_decref(ask(&w, "POST", "/v1/futures", PAST "\"vary\":[\"t1.twice=history(3h)\"]}", 400));
    close_world(&w);
}

#define FLEET "\"horizon\":\"2s\",\"step\":\"0.01s\",\"lanes\":100,\"seed\":7,\"points\":20,\"vary\":[\"t1.k*=uniform(0.5,1.5)\"]," \
              "\"outputs\":[\"t1.x\",\"t1.twice\"],\"until\":[\"t1.x < 1\"]"

// However the members are named, each is what it is alone; names are the first member's.
static void a_fleet_runs_as_lanes_of_one_program(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    static const api_step steps[] = {
        { "PUT", "/digitaltwins/t3" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Decay;1\"},\"x\":3,\"k\":1.5}", 200, NULL },
        { "PUT", "/digitaltwins/t4" V, NULL, "{\"$metadata\":{\"$model\":\"dtmi:t:Decay;1\"},\"x\":0.5}", 200, NULL },
    };
    API_TALK(&w.plant, steps);
    static const char *const bodies[] = {
        "{\"roots\":[\"t1\",\"t3\",\"t4\"]," FLEET ",\"save\":true}",
        "{\"fleet\":\"SELECT * FROM DIGITALTWINS WHERE IS_OF_MODEL('dtmi:t:Decay;1')\"," FLEET "}",
        "{\"fleet\":\"SELECT T FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, 'dtmi:t:Decay;1')\"," FLEET "}",
        "{\"fleet\":\"SELECT T.$dtId FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, 'dtmi:t:Decay;1')\"," FLEET "}",
    };
    static const struct { const char *root, *body; } alone[] = {
        { "t1", "{\"root\":\"t1\"," FLEET "}" },
        { "t3", "{\"root\":\"t3\",\"horizon\":\"2s\",\"step\":\"0.01s\",\"lanes\":100,\"seed\":7,\"points\":20,\"vary\":[\"t3.k*=uniform(0.5,1.5)\"],"
                "\"outputs\":[\"t3.x\",\"t3.twice\"]}" },
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        json_t *r = ask(&w, "POST", "/v1/futures", bodies[i], 200), *members = json_object_get(r, "members");
        assert_int_equal(json_integer_value(json_object_get(r, "lanes")), 300);
        assert_int_equal(json_object_size(members), 3);
        assert_int_equal(json_array_size(json_object_get(r, "roots")), 3);
        assert_string_equal(json_string_value(json_array_get(json_object_get(json_object_get(r, "twins"), "t3"), 0)), "t3");
        for (int k = 0; k < 2; k++) {
            json_t *one = ask(&w, "POST", "/v1/futures", alone[k].body, 200), *member = json_object_get(members, alone[k].root);
            assert_int_equal(json_integer_value(json_object_get(member, "firstLane")), 100 * k);
            const json_t *x = curve(member, "t1.x", "0.5"), *y = curve(one, k == 0 ? "t1.x" : "t3.x", "0.5");
            assert_int_equal(json_array_size(x), 21);
            assert_true(json_equal((json_t *)(uintptr_t)x, (json_t *)(uintptr_t)y));
            json_decref(one);
        }
        // t4 begins below 1: all its lanes have passed at once; the fleet's share is that of all 300 lanes.
        double all = 0, of[3];
        static const char *const roots[] = { "t1", "t3", "t4" };
        for (int k = 0; k < 3; k++) {
            const json_t *until = json_object_get(json_object_get(json_object_get(members, roots[k]), "until"), "t1.x < 1");
            of[k] = json_number_value(json_object_get(until, "probability"));
            all += of[k] / 3;
        }
        assert_true(of[2] == 1);
        near_to(json_number_value(json_object_get(json_object_get(json_object_get(r, "until"), "t1.x < 1"), "probability")), all, 1e-9);
        char    path[100];
        snprintf(path, sizeof path, "/v1/futures/%s/lanes/150", json_string_value(json_object_get(r, "id")));
        json_t *lane = ask(&w, "GET", path, NULL, 200);
        near_to(json_number_value(json_array_get(json_object_get(json_object_get(lane, "outputs"), "t1.x"), 0)), 3, 1e-12);
        json_decref(lane);
        if (i == 0) {
            snprintf(path, sizeof path, "/v1/futures/%s/verification", json_string_value(json_object_get(r, "id")));
            json_t *v = ask(&w, "GET", path, NULL, 200);
            assert_int_equal(json_object_size(json_object_get(v, "members")), 3);
            assert_true(json_is_object(json_object_get(json_object_get(json_object_get(json_object_get(v, "members"), "t3"), "outputs"), "t1.x")));
            json_decref(v);
        }
        json_decref(r);
    }
    close_world(&w);
}

static void what_can_not_be_is_refused_with_what_to_change(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    static const struct { const char *body, *says; unsigned status; } cases[] = {
        { "{}", "root", 400 },
        { "{\"root\":\"nobody\",\"outputs\":[\"t1.x\"]}", "nobody", 404 },
        { "{\"root\":\"t1\",\"roots\":[\"t1\"],\"outputs\":[\"t1.x\"]}", "Expected one of", 400 },
        { "{\"roots\":[\"t1\",\"t1\"],\"outputs\":[\"t1.x\"]}", "named twice", 400 },
        { "{\"roots\":[\"t1\",\"t2\"],\"outputs\":[\"t1.x\"]}", "no behavior", 400 },
        { "{\"roots\":[],\"outputs\":[\"t1.x\"]}", "list of ids", 400 },
        { "{\"fleet\":\"SELECT\",\"outputs\":[\"t1.x\"]}", "fleet", 400 },
        { "{\"fleet\":\"SELECT COUNT() FROM DIGITALTWINS\",\"outputs\":[\"t1.x\"]}", "every row must be a twin", 400 },
        { "{\"fleet\":\"SELECT * FROM DIGITALTWINS WHERE $dtId = 'nobody'\",\"outputs\":[\"t1.x\"]}", "finds no twin", 400 },
        { "{\"root\":\"t2\",\"outputs\":[\"t1.x\"]}", "no behavior", 400 },
        { "{\"root\":\"t1\"}", "name at least one", 400 },
        { "{\"root\":\"t1\",\"outputs\":[\"t1.y\"]}", "there is no variable 't1.y' here; t1 has ", 400 },
        { "{\"root\":\"t1\",\"outputs\":[\"t7.y\"]}", "the twins are t1", 400 },
        { "{\"root\":\"t1\",\"outputs\":[\"t1.x\"],\"horizon\":-1}", "horizon", 400 },
        { "{\"root\":\"t1\",\"outputs\":[\"t1.x\"],\"horizon\":\"1 kg\"}", "horizon", 400 },
        { "{\"root\":\"t1\",\"outputs\":[\"t1.x\"],\"color\":1}", "no field \\\"color\\\"", 400 },
        { "{\"root\":\"t1\",\"outputs\":[\"t1.x\"],\"vary\":[\"t1.k=uniform(1 kg,2 kg)\"]}", "does not measure", 400 },
        { "{\"root\":\"t1\",\"outputs\":[\"t1.x\"],\"vary\":[\"t1.k=unifrom(1,2)\"]}", "no function 'unifrom'", 400 },
        { "{\"root\":\"t1\",\"outputs\":[\"t1.x\"],\"vary\":[\"t1.twice=1\"]}", "computed by the model", 400 },
        { "{\"root\":\"t1\",\"outputs\":[\"t1.x\"],\"vary\":[\"t1.nofault@1s\"]}", "fault", 404 },
        { "{\"root\":\"t1\",\"outputs\":[\"t1.x\"],\"vary\":[\"t1.k=1@25h\"],\"horizon\":\"24h\"}", "behind the horizon", 400 },
        { "{\"root\":\"t1\",\"outputs\":[\"t1.x\"],\"lanes\":4000000,\"points\":1000}", "lanes would fit", 400 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        test_http_reply *reply = test_http_ask(&w.plant.client, "POST", "/v1/futures", NULL, cases[i].body);
        bool says = gm_str_find(gm_buf_view(&reply->body), gm_str_of(cases[i].says)) != SIZE_MAX;
        if (!says || (reply->status != cases[i].status && !(cases[i].status == 404 && reply->status == 400)))
            fail_msg("%s: %u %.*s", cases[i].body, reply->status, (int)reply->body.len, (const char *)reply->body.ptr);
    }
    json_decref(ask(&w, "GET", "/v1/futures/..%2F..%2Fetc", NULL, 404));
    json_t *all = ask(&w, "GET", "/v1/futures", NULL, 200);
    assert_int_equal(json_array_size(json_object_get(all, "value")), 0);  // nothing is left of them
    json_decref(all);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_job_answers_with_its_result_from_the_live_state),
        cmocka_unit_test(a_past_moment_is_forked_as_it_was),
        cmocka_unit_test(a_large_job_is_followed_and_cancelled),
        cmocka_unit_test(the_end_of_the_server_ends_what_runs),
        cmocka_unit_test(a_lane_runs_again_with_the_same_bits),
        cmocka_unit_test(what_is_saved_can_be_verified),
        cmocka_unit_test(faults_and_schedules_come_by_name),
        cmocka_unit_test(history_is_drawn_from_and_played_again),
        cmocka_unit_test(a_fleet_runs_as_lanes_of_one_program),
        cmocka_unit_test(what_can_not_be_is_refused_with_what_to_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
