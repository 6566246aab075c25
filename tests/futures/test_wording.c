// What people write, against what it means. The world: tank1.level (m, a state), tank1.T (shown in degC, K inside),
// pump.speed (an input), tank1.hole (a parameter, m2), tank1.y (computed), and a fault tank1.leak.
#include "futures/wording.h"

#include "futures/request_json.h"
#include "futures_support.h"

static const char model[] = "model M parameter Real hole(unit=\"m2\") = 0; input Real speed(unit=\"1/s\"); Real "
                            "level(unit=\"m\", start=1, fixed=true);"
                            " Real T(unit=\"K\", start=300, fixed=true); Real y(unit=\"m\"); equation der(level) = "
                            "speed - hole; der(T) = 0; y = 2*level; end M;";

typedef struct world { gm_test_model model; gm_futures_world world; gm_arena *arena; } world;

static bool find(void *context, gm_str name, gm_futures_name *out)
{
    world  *w = context;
    bool    negated;
    gm_str  own = gm_str_starts(name, GM_STR("tank1."))  ? gm_str_slice(name, 6, name.len)
                  : gm_str_starts(name, GM_STR("pump.")) ? gm_str_slice(name, 5, name.len)
                                                         : name;
    gm_slot slot;
    if (!gm_program_find(w->model.program, own, &slot, &negated)) return false;
    *out = (gm_futures_name){ .slot = slot, .set = slot, .scale = 1, .set_scale = 1 };
    if (gm_str_is(own, "T")) out->offset = out->set_offset = 273.15;
    if (gm_str_is(own, "y")) out->set = GM_SLOT_NONE;
    return true;
}

static gm_status fault(void *context, gm_str name, gm_futures_setting *out, size_t room, size_t *out_count,
                       gm_error *err)
{
    world *w = context;
    bool   negated;
    *out_count = 1;
    assert_true(room >= 1);
    if (!gm_str_is(name, "tank1.leak")) return gm_fail(err, GM_NOTFOUND, "test", "the faults are tank1.leak");
    gm_program_find(w->model.program, GM_STR("hole"), &out->slot, &negated);
    out->value = 0.5;
    return GM_OK;
}

static gm_status history(void *context, gm_str name, double span, gm_arena *arena, const double **times,
                         const double **values, uint32_t *count, gm_error *err)
{
    static const double t[] = { 0, 1, 2 }, v[] = { 5, 1, 3 };
    (void)context, (void)name, (void)arena, (void)err;
    *times = t, *values = v, *count = span >= 2 ? 3 : 0;
    return GM_OK;
}

static void open_world(world *w)
{
    *w = (world){ 0 };
    gm_test_model_open(&w->model, gm_alloc_system(), model, NULL);
    assert_non_null(w->model.program);
    w->arena = gm_arena_create(gm_alloc_system(), 0);
    w->world = (gm_futures_world){ .program = w->model.program, .find = find, .fault = fault, .history = history, .context = w };
}

static void close_world(world *w)
{
    gm_arena_destroy(w->arena);
    gm_test_model_close(&w->model);
}

static gm_vary read_one(world *w, const char *text)
{
    gm_vary  v[GM_WORDING_ROOM];
    uint32_t n;
    gm_error err = { 0 };
    if (gm_vary_read(gm_str_of(text), &w->world, w->arena, v, &n, &err) != GM_OK) fail_msg("'%s': %s", text, err.text);
    assert_int_equal(n, 1);
    return v[0];
}

static void near_to(double got, double want)
{
    if (fabs(got - want) > 1e-9 * (1 + fabs(want))) fail_msg("%.17g, not %.17g", got, want);
}

static void texts_mean_what_they_say(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    gm_vary v = read_one(&w, "tank1.level=2");
    assert_true(v.kind == GM_VARY_LAW && v.law.kind == GM_LAW_POINT && v.law.p[0] == 2 && !v.scheduled &&
                v.how == GM_VARY_SET);
    v = read_one(&w, " tank1.level = uniform( 0 , 0.02 ) ");
    assert_true(v.law.kind == GM_LAW_UNIFORM && v.law.p[0] == 0 && v.law.p[1] == 0.02 &&
                gm_str_is(v.name, "tank1.level"));
    v = read_one(&w, "tank1.level*=normal(1,0.1)");
    assert_true(v.how == GM_VARY_SCALE && v.law.kind == GM_LAW_NORMAL && isinf(v.law.p[2]) && isinf(v.law.p[3]));
    v = read_one(&w, "tank1.level+=normal(0,1,-2,2)");
    assert_true(v.how == GM_VARY_ADD && v.law.p[2] == -2 && v.law.p[3] == 2);
    v = read_one(&w, "pump.speed=0@1h");
    assert_true(v.scheduled && v.from.kind == GM_LAW_POINT && v.from.p[0] == 3600 && v.lasts_s == 0);
    v = read_one(&w, "pump.speed=0@90..2min");
    assert_true(v.from.p[0] == 90 && v.lasts_s == 30);
    v = read_one(&w, "pump.speed=0@uniform(0,24h)");
    assert_true(v.from.kind == GM_LAW_UNIFORM && v.from.p[0] == 0 && v.from.p[1] == 86400);
    v = read_one(&w, "pump.speed=0@weibull(2,10h)");
    assert_true(v.from.kind == GM_LAW_WEIBULL && v.from.p[0] == 2 && v.from.p[1] == 36000);
    v = read_one(&w, "pump.speed=ou(3,0.5,30min)");
    assert_true(v.kind == GM_VARY_OU && v.p[0] == 3 && v.p[1] == 0.5 && v.p[2] == 1800);
    v = read_one(&w, "pump.speed+=poisson(3/h,0.1,10min)");
    assert_true(v.kind == GM_VARY_POISSON && v.p[2] == 600);
    near_to(v.p[0], 3.0 / 3600);
    v = read_one(&w, "tank1.level=grid(1,3,5)");
    assert_true(v.kind == GM_VARY_GRID && v.count == 5 && v.values[0] == 1 && v.values[1] == 1.5 && v.values[4] == 3);
    v = read_one(&w, "tank1.level=list(1,2,4)");
    assert_true(v.kind == GM_VARY_LIST && v.count == 3 && v.values[2] == 4);
    v = read_one(&w, "tank1.level=empirical(3,1,2)");
    assert_true(v.law.kind == GM_LAW_EMPIRICAL && v.law.count == 3 && v.law.values[0] == 1);
    v = read_one(&w, "tank1.level=beta(2,3)");
    assert_true(v.law.p[2] == 0 && v.law.p[3] == 1);
    v = read_one(&w, "pump.speed=history(24h)");
    assert_true(v.kind == GM_VARY_SERIES && v.count == 3 && !v.linear);
    v = read_one(&w, "tank1.level=resample(7d)");
    assert_true(v.law.kind == GM_LAW_EMPIRICAL && v.law.count == 3 && v.law.values[0] == 1 && v.law.values[2] == 5);
    v = read_one(&w, "tank1.leak@6h");
    assert_true(v.scheduled && v.from.p[0] == 21600 && v.law.p[0] == 0.5 && gm_str_is(v.name, "tank1.leak"));
    v = read_one(&w, "pump.speed=true");
    assert_true(v.law.p[0] == 1);
    close_world(&w);
}

static void units_are_converted_when_they_measure_the_same(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    near_to(read_one(&w, "tank1.level=50 cm").law.p[0], 0.5);
    near_to(read_one(&w, "tank1.level=uniform(10cm,0.2)").law.p[0], 0.1);
    near_to(read_one(&w, "tank1.T=300 K").law.p[0], 26.85);        // shown in degC
    near_to(read_one(&w, "tank1.T=20 degC").law.p[0], 20);
    near_to(read_one(&w, "tank1.T=normal(20 degC,2 K)").law.p[1], 2);  // a width has no offset
    near_to(read_one(&w, "tank1.T+=5 K").law.p[0], 5);
    gm_condition c;
    gm_error     err = { 0 };
    assert_gm_ok(gm_condition_read(GM_STR("tank1.level < 20 cm"), &w.world, &c, &err), err);
    assert_true(c.below);
    near_to(c.threshold, 0.2);
    gm_score s;
    assert_gm_ok(gm_score_read(GM_STR("above(tank1.level, 2)"), &w.world, &s, &err), err);
    assert_true(s.kind == GM_SCORE_ABOVE && s.threshold == 2);
    assert_gm_ok(gm_score_read(GM_STR("integral(tank1.y)"), &w.world, &s, &err), err);
    close_world(&w);
}

static void mistakes_are_answered_with_what_to_write(void **state)
{
    (void)state;
    static const struct { const char *text, *says; } cases[] = {
        { "", "expected NAME=VALUE" },
        { "=3", "expected NAME=VALUE" },
        { "tank9.level=3", "no variable 'tank9.level'" },
        { "tank1.y=3", "computed by the model" },
        { "tank1.level=", "found ''" },
        { "tank1.level=abc", "expected a number" },
        { "tank1.level=1,2", "expected one value" },
        { "tank1.level=uniform(1)", "uniform(low, high)" },
        { "tank1.level=uniform(1,2,3)", "uniform(low, high)" },
        { "tank1.level=uniform(1,2", "closing parenthesis" },
        { "tank1.level=normale(1,2)", "no function 'normale'" },
        { "tank1.level=3 kg", "does not measure" },
        { "tank1.level=3 floops", "no unit that is known" },
        { "tank1.level*=3 m", "plain factors" },
        { "tank1.level=weibull(2 m,1)", "plain number" },
        { "tank1.level=nan", "expected a number" },
        { "tank1.level=1e999", "expected a number" },
        { "pump.speed=0@-1h", "not be negative" },
        { "pump.speed=0@soon", "expected a number" },
        { "pump.speed=0@2h..1h", "ends before it begins" },
        { "pump.speed=0@ou(1,2,3)", "no distribution of times" },
        { "pump.speed=poisson(3 apples,1,1)", "number per time" },
        { "pump.speed=ou(0,1,5 kg)", "no unit of time" },
        { "pump.speed=history(1s)", "look further back" },
        { "tank1.level=grid(1,2,0)", "a count of" },
        { "tank1.flood@1h", "the faults are" },
        { "tank1.level=choice()", "expected a number" },
    };
    world w;
    open_world(&w);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_vary   v[GM_WORDING_ROOM];
        uint32_t  n;
        gm_error  err = { 0 };
        gm_status st  = gm_vary_read(gm_str_of(cases[i].text), &w.world, w.arena, v, &n, &err);
        if (st == GM_OK || strstr(err.text, cases[i].says) == NULL)
            fail_msg("'%s' says: %s", cases[i].text, st == GM_OK ? "fine" : err.text);
    }
    static const char *const conditions[] = { "tank1.level", "tank1.level >", "> 3", "tank1.level > 3 kg",
                                              "nobody > 3" };
    static const char *const scores[]     = { "tank1.level",          "sum(tank1.level)", "above(tank1.level)",
                                              "mean(tank1.level, 3)", "mean(nobody)",     "mean(tank1.level" };
    gm_condition c;
    gm_score     s;
    for (size_t i = 0; i < 5; i++)
        assert_int_not_equal(gm_condition_read(gm_str_of(conditions[i]), &w.world, &c, NULL), GM_OK);
    for (size_t i = 0; i < 6; i++) assert_int_not_equal(gm_score_read(gm_str_of(scores[i]), &w.world, &s, NULL), GM_OK);
    close_world(&w);
}

static bool same_law(const gm_law *a, const gm_law *b)
{
    for (int i = 0; i < 4; i++) {
        if (a->p[i] != b->p[i]) return false;
    }
    return a->kind == b->kind && a->count == b->count &&
           (a->count == 0 || memcmp(a->values, b->values, a->count * sizeof(double)) == 0);
}

// The two ways of writing give the same.
static void json_says_the_same_as_text(void **state)
{
    (void)state;
    static const struct { const char *text, *json; } pairs[] = {
        { "tank1.level=2", "{\"name\":\"tank1.level\",\"value\":2}" },
        { "tank1.level=50 cm", "{\"name\":\"tank1.level\",\"value\":\"50 cm\"}" },
        { "tank1.level+=normal(0,1)", "{\"name\":\"tank1.level\",\"op\":\"add\",\"normal\":[0,1]}" },
        { "pump.speed=uniform(0,1)@1h..2h", "{\"name\":\"pump.speed\",\"uniform\":[0,1],\"at\":\"1h\",\"for\":3600}" },
        { "pump.speed=0@uniform(0,2h)", "{\"name\":\"pump.speed\",\"value\":0,\"at\":\"uniform(0,2h)\"}" },
        { "tank1.leak@90", "{\"fault\":\"tank1.leak\",\"at\":90}" },
        { "tank1.level=choice(1,2)", "{\"name\":\"tank1.level\",\"choice\":[1,2]}" },
    };
    world w;
    open_world(&w);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        gm_wording words;
        gm_vary    b[GM_WORDING_ROOM], a = read_one(&w, pairs[i].text);
        uint32_t   n    = 0;
        gm_error   err  = { 0 };
        json_t    *json = json_loads(pairs[i].json, 0, NULL);
        gm_status  st   = gm_wording_read_json(json, w.arena, &words, &err);
        if (st == GM_OK) st = gm_wording_bind(&words, &w.world, w.arena, b, &n, &err);
        if (st != GM_OK) fail_msg("%s: %s", pairs[i].json, err.text);
        assert_int_equal(n, 1);
        assert_true(a.kind == b->kind && a.how == b->how && a.slot.v == b->slot.v && a.scheduled == b->scheduled &&
                    a.lasts_s == b->lasts_s);
        assert_true(same_law(&a.law, &b->law) && same_law(&a.from, &b->from));
        json_decref(json);
    }
    static const char *const wrong[] = { "3",
                                         "{}",
                                         "{\"name\":\"x\"}",
                                         "{\"name\":3,\"value\":1}",
                                         "{\"name\":\"tank1.level\",\"value\":1,\"uniform\":[0,1]}",
                                         "{\"name\":\"tank1.level\",\"op\":\"minus\",\"value\":1}",
                                         "{\"name\":\"tank1.level\",\"value\":{}}",
                                         "{\"name\":\"pump.speed\",\"value\":1,\"at\":[]}",
                                         "{\"name\":\"pump.speed\",\"value\":1,\"at\":1,\"for\":-1}",
                                         "{\"name\":\"pump.speed\",\"series\":{\"time\":[0,1],\"values\":[1]}}",
                                         "{\"name\":\"pump.speed\",\"series\":[]}" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        gm_wording words;
        gm_error   err  = { 0 };
        json_t    *json = json_loads(wrong[i], JSON_DECODE_ANY, NULL);
        assert_non_null(json);
        if (gm_wording_read_json(json, w.arena, &words, &err) != GM_INVALID || err.text[0] == '\0')
            fail_msg("%s was taken", wrong[i]);
        json_decref(json);
    }
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_mean_what_they_say),
        cmocka_unit_test(units_are_converted_when_they_measure_the_same),
        cmocka_unit_test(mistakes_are_answered_with_what_to_write),
        cmocka_unit_test(json_says_the_same_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
