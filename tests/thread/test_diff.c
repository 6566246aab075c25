#include "support/support.h"
#include "thread/diff.h"

#include <stdio.h>

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

static void say_of(gm_thread *t, const char *twin, gm_phase phase, const char *key, gm_fact_value value, gm_time_ns from, gm_time_ns known)
{
    gm_error err = { 0 };
    gm_fact  f   = { .twin = gm_str_of(twin), .key = gm_str_of(key), .phase = phase, .from = from, .to = INT64_MAX, .known = known, .value = value, .replace = true };
    assert_gm_ok(gm_thread_take(t, &f, &err), err);
}

static gm_fact_value part(const char *holder, const char *position)
{
    return (gm_fact_value){ .kind = GM_FACT_PART, .text = gm_str_of(holder), .position = gm_str_of(position), .number = 1 };
}

static void expect_assembly(const gm_thread *t, gm_time_ns valid, const char *expected)
{
    gm_arena           *arena = gm_arena_create(gm_alloc_system(), 0);
    gm_part_difference *list;
    size_t              n;
    gm_error            err = { 0 };
    gm_buf              out = gm_buf_init(gm_alloc_system());
    assert_gm_ok(gm_thread_diff_assembly(t, arena, GM_STR("engine"), GM_PHASE_DESIGNED, GM_PHASE_BUILT, valid, INT64_MAX, &list, &n, &err), err);
    for (size_t i = 0; i < n; i++)
        gm_buf_printf(&out, GM_STR_FMT "/" GM_STR_FMT " of " GM_STR_FMT " %s;", GM_STR_ARG(list[i].place), GM_STR_ARG(list[i].difference.key), GM_STR_ARG(list[i].part),
                      gm_verdict_name(list[i].difference.verdict));
    gm_buf_byte(&out, 0);
    assert_string_equal(out.ptr, expected);
    gm_buf_finish(&out);
    gm_arena_destroy(arena);
}

// What an assembly deviates in is what it holds deviates in: at each time what it held then, and down to parts of parts.
static void an_assembly_is_compared_with_the_parts_that_it_held(void **state)
{
    (void)state;
    gm_thread *t;
    gm_error   err   = { 0 };
    gm_time_ns known = 1;
    assert_gm_ok(gm_thread_create(gm_alloc_system(), &t, &err), err);
    say_of(t, "engine", GM_PHASE_DESIGNED, "thrust", limited(100, "kN", 98, 102), 0, known++);
    say_of(t, "engine", GM_PHASE_BUILT, "thrust", number(101, "kN"), 0, known++);
    for (int i = 0; i < 2; i++) {
        const char *serial = i == 0 ? "HPC-1" : "HPC-2";
        say_of(t, serial, GM_PHASE_DESIGNED, "clearance", limited(0.5, "mm", 0.4, 0.6), 0, known++);
        say_of(t, serial, GM_PHASE_BUILT, "clearance", number(i == 0 ? 0.63 : 0.5, "mm"), 0, known++);
    }
    say_of(t, "BLADE-9", GM_PHASE_DESIGNED, "length", limited(70, "mm", 69, 71), 0, known++);
    say_of(t, "BLADE-9", GM_PHASE_BUILT, "length", number(68, "mm"), 0, known++);
    say_of(t, "HPC-1", GM_PHASE_BUILT, GM_KEY_INSTALLED, part("engine", "hpc"), 10, known++);
    say_of(t, "BLADE-9", GM_PHASE_BUILT, GM_KEY_INSTALLED, part("HPC-1", "stage 3/blade 7"), 10, known++);
    say_of(t, "HPC-1", GM_PHASE_MAINTAINED, GM_KEY_INSTALLED, (gm_fact_value){ .kind = GM_FACT_NONE }, 20, known++);
    say_of(t, "HPC-2", GM_PHASE_MAINTAINED, GM_KEY_INSTALLED, part("engine", ""), 20, known++);
    expect_assembly(t, 5, "/thrust of  within tolerance;");
    expect_assembly(t, 15, "/thrust of  within tolerance;hpc/clearance of HPC-1 out of tolerance;hpc/stage 3/blade 7/length of BLADE-9 out of tolerance;");
    expect_assembly(t, 25, "/thrust of  within tolerance;HPC-2/clearance of HPC-2 same;");
    gm_thread_destroy(t);
}

static void an_assembly_of_too_many_parts_is_refused_in_words(void **state)
{
    (void)state;
    gm_arena           *arena = gm_arena_create(gm_alloc_system(), 0);
    gm_thread          *t;
    gm_part_difference *list;
    size_t              n;
    gm_error            err = { 0 };
    assert_gm_ok(gm_thread_create(gm_alloc_system(), &t, &err), err);
    for (int i = 0; i <= GM_DIFF_PARTS_MAX; i++) {
        char id[16];
        snprintf(id, sizeof id, "bolt%d", i);
        if (i == GM_DIFF_PARTS_MAX) assert_gm_ok(gm_thread_diff_assembly(t, arena, GM_STR("engine"), GM_PHASE_DESIGNED, GM_PHASE_BUILT, 5, INT64_MAX, &list, &n, &err), err);
        say_of(t, id, GM_PHASE_BUILT, GM_KEY_INSTALLED, part("engine", id), 0, i + 1);
    }
    assert_int_equal(gm_thread_diff_assembly(t, arena, GM_STR("engine"), GM_PHASE_DESIGNED, GM_PHASE_BUILT, 5, INT64_MAX, &list, &n, &err), GM_LIMIT);
    assert_non_null(strstr(err.text, "more than 2000 parts"));
    gm_thread_destroy(t);
    gm_arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_built_is_compared_with_what_was_designed),
        cmocka_unit_test(an_assembly_is_compared_with_the_parts_that_it_held),
        cmocka_unit_test(an_assembly_of_too_many_parts_is_refused_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
