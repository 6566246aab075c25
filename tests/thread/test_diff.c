#include "support/support.h"
#include "thread/diff.h"

static void say(gm_thread *t, gm_phase phase, const char *key, gm_fact_value value, gm_time_ns known)
{
    gm_error err = { 0 };
    gm_fact  f   = { .twin = GM_STR("p"), .key = gm_str_of(key), .phase = phase, .from = 0, .to = INT64_MAX, .known = known, .value = value };
    assert_gm_ok(gm_thread_take(t, &f, &err), err);
}

static gm_fact_value number(double x, const char *unit) { return (gm_fact_value){ .kind = GM_FACT_NUMBER, .number = x, .unit = gm_str_of(unit) }; }
static gm_fact_value limited(double x, const char *unit, double low, double high)
{
    return (gm_fact_value){ .kind = GM_FACT_NUMBER, .number = x, .unit = gm_str_of(unit), .limits = GM_FACT_LOW | GM_FACT_HIGH, .low = low, .high = high };
}
static gm_fact_value text(const char *s) { return (gm_fact_value){ .kind = GM_FACT_TEXT, .text = gm_str_of(s) }; }

static void what_was_built_is_compared_with_what_was_designed(void **state)
{
    (void)state;
    static const struct { const char *key; gm_verdict verdict; } expected[] = {
        { "bore", GM_VERDICT_OUT }, { "colour", GM_VERDICT_DIFFERENT }, { "length", GM_VERDICT_WITHIN }, { "mass", GM_VERDICT_DIFFERENT },
        { "material", GM_VERDICT_SAME }, { "note", GM_VERDICT_ADDED }, { "speed", GM_VERDICT_DIFFERENT }, { "thickness", GM_VERDICT_SAME }, { "width", GM_VERDICT_MISSING },
    };
    gm_thread     *t;
    gm_difference *list;
    size_t         n;
    gm_error       err   = { 0 };
    gm_time_ns     known = 1;
    assert_gm_ok(gm_thread_create(gm_alloc_system(), &t, &err), err);
    say(t, GM_PHASE_DESIGNED, "bore", limited(50, "mm", 49.9, 50.1), known++);
    say(t, GM_PHASE_BUILT, "bore", number(0.05011, "m"), known++);              // 50.11 mm
    say(t, GM_PHASE_DESIGNED, "length", number(200, "mm"), known++);
    say(t, GM_PHASE_BUILT, "length", limited(20.05, "cm", 19.9, 20.1), known++);  // its own limits
    say(t, GM_PHASE_DESIGNED, "mass", number(1, "kg"), known++);
    say(t, GM_PHASE_BUILT, "mass", number(1.01, "kg"), known++);
    say(t, GM_PHASE_DESIGNED, "speed", number(1, "m/s"), known++);
    say(t, GM_PHASE_BUILT, "speed", number(1, "kg"), known++);
    say(t, GM_PHASE_DESIGNED, "thickness", limited(5, "mm", 4, 6), known++);
    say(t, GM_PHASE_BUILT, "thickness", number(5, "mm"), known++);
    say(t, GM_PHASE_DESIGNED, "width", number(5, "mm"), known++);
    say(t, GM_PHASE_BUILT, "note", text("scratch"), known++);
    say(t, GM_PHASE_DESIGNED, "material", text("1.4301"), known++);
    say(t, GM_PHASE_BUILT, "material", text("1.4301"), known++);
    say(t, GM_PHASE_DESIGNED, "colour", text("red"), known++);
    say(t, GM_PHASE_BUILT, "colour", number(3, ""), known++);
    assert_gm_ok(gm_thread_diff(t, gm_alloc_system(), GM_STR("p"), GM_PHASE_DESIGNED, GM_PHASE_BUILT, 5, INT64_MAX, &list, &n, &err), err);
    assert_int_equal(n, sizeof expected / sizeof expected[0]);
    for (size_t i = 0; i < n; i++) {
        if (!gm_str_is(list[i].key, expected[i].key) || list[i].verdict != expected[i].verdict)
            fail_msg(GM_STR_FMT ": %s", GM_STR_ARG(list[i].key), gm_verdict_name(list[i].verdict));
    }
    gm_free(gm_alloc_system(), list);
    gm_thread_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_was_built_is_compared_with_what_was_designed) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
