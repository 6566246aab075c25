// FMUs of our own (fmu/) run in worker processes: values against the same sums done here and closed forms, events, states,
// and libraries that crash, hang and lie.
#include "physics/fmi_support.h"

static void co_simulation_gives_the_sums_of_the_fmu_at_every_output_point(void **state)
{
    (void)state;
    for (int version = 2; version <= 3; version++) {
        gm_fmu            *fmu = toy(version);
        gm_fmu_run_options o   = gm_fmu_run_options_defaults();
        static table       t;
        gm_error           err;
        assert_gm_ok(run(fmu, &o, &t, NULL, &err), err);
        assert_int_equal(t.count, 301);  // the default experiment: 0 to 3 by 0.01
        double h = 1, v = 0, g = -9.81, time = 0;
        for (size_t i = 0; i < t.count; i++) {
            if (t.rows[i][1] != h || t.rows[i][2] != v) fail_msg("version %d, row %zu: %.17g %.17g, not %.17g %.17g", version, i, t.rows[i][1], t.rows[i][2], h, v);
            assert_true(fabs(t.rows[i][0] - (double)i * 0.01) < 1e-12);
            assert_true(t.rows[i][3] == floor(t.rows[i][0] + 1e-9));
            for (; time < (double)(i + 1) * 0.01 - 1e-9; time += 1e-3) {
                h += 1e-3 * v;
                v += 1e-3 * g;
                if (h <= 0 && v < 0) {
                    h = 0;
                    v = -0.7 * v;
                    if (v < 0.1) v = g = 0;
                }
            }
        }
        done(&t);
        gm_fmu_close(fmu);
    }
}

static void model_exchange_with_euler_is_a_fixed_step_master(void **state)
{
    (void)state;
    for (int version = 2; version <= 3; version++) {
        gm_fmu            *fmu = toy(version);
        gm_fmu_run_options o   = gm_fmu_run_options_defaults();
        static table       t;
        gm_error           err;
        o.kind = GM_FMI_MODEL_EXCHANGE;
        o.stop = 0.45;
        assert_gm_ok(run(fmu, &o, &t, NULL, &err), err);
        assert_int_equal(t.count, 46);
        double h = 1, v = 0;
        for (size_t i = 0; i < t.count; i++) {
            assert_true(t.rows[i][1] == h && t.rows[i][2] == v);
            double step = (i + 1 < t.count ? t.rows[i + 1][0] : 0) - t.rows[i][0];
            h += step * v;
            v += step * -9.81;
        }
        done(&t);
        gm_fmu_close(fmu);
    }
}

static void events_of_time_and_state_have_a_row_before_and_after(void **state)
{
    (void)state;
    for (int version = 2; version <= 3; version++) {
        for (int method = GM_FMU_EULER; method <= GM_FMU_ACCURATE; method++) {
            gm_fmu            *fmu = toy(version);
            gm_fmu_run_options o   = gm_fmu_run_options_defaults();
            static table       t;
            gm_error           err;
            o.kind   = GM_FMI_MODEL_EXCHANGE;
            o.method = (gm_fmu_method)method;
            o.stop   = 1.02;
            assert_gm_ok(run(fmu, &o, &t, NULL, &err), err);
            size_t bounces = 0, stairs = 0;
            for (size_t i = 0; i + 1 < t.count; i++) {
                if (t.rows[i][0] != t.rows[i + 1][0]) continue;
                bounces += t.rows[i][2] < 0 && t.rows[i + 1][2] == -0.7 * t.rows[i][2];
                stairs += t.rows[i][3] == 0 && t.rows[i + 1][3] == 1 && fabs(t.rows[i][0] - 1) < 1e-12;
                // Closed form: sqrt(2 h / g) with h = 1 m.
                if (method == GM_FMU_ACCURATE && t.rows[i][2] < -4) assert_true(fabs(t.rows[i][0] - sqrt(2 / 9.81)) < 1e-9);
            }
            assert_int_equal(bounces, 1);
            assert_int_equal(stairs, 1);
            done(&t);
            gm_fmu_close(fmu);
        }
    }
}

static void the_accurate_method_follows_the_closed_form(void **state)
{
    (void)state;
    gm_fmu            *fmu = toy(3);
    gm_fmu_run_options o   = gm_fmu_run_options_defaults();
    static table       t;
    gm_error           err;
    o.kind   = GM_FMI_MODEL_EXCHANGE;
    o.method = GM_FMU_ACCURATE;
    o.stop   = 1;
    assert_gm_ok(run(fmu, &o, &t, NULL, &err), err);
    double fall = sqrt(2 / 9.81), up = 0.7 * 9.81 * fall;
    for (size_t i = 0; i < t.count; i++) {
        double s = t.rows[i][0], after = s - fall;
        double h = s < fall ? 1 - 9.81 / 2 * s * s : up * after - 9.81 / 2 * after * after;
        if (fabs(t.rows[i][1] - h) > 1e-9) fail_msg("h(%.17g) = %.17g, not %.17g", s, t.rows[i][1], h);
    }
    done(&t);
    gm_fmu_close(fmu);
}

static void event_mode_and_early_return_meet_the_events(void **state)
{
    (void)state;
    gm_fmu            *fmu = toy(3);
    gm_fmu_run_options o   = gm_fmu_run_options_defaults();
    static table       t;
    gm_error           err;
    o.event_mode = o.early_return = true;
    o.step = 0.3;
    o.stop = 1.2;
    assert_gm_ok(run(fmu, &o, &t, NULL, &err), err);
    size_t pairs = 0;
    for (size_t i = 0; i + 1 < t.count; i++) pairs += t.rows[i][0] == t.rows[i + 1][0];
    assert_int_equal(pairs, 3);  // bounces at 0.452 and 1.08, the stair at 1
    assert_true(t.rows[t.count - 1][0] == 1.2);
    done(&t);

    o.event_mode = false;  // an FMU that returns early although it may not
    o.early_return = false;
    gm_fmu_setting lie = setting("misbehave", "6");
    o.settings         = &lie;
    o.setting_count    = 1;
    assert_int_equal(run(fmu, &o, &t, NULL, &err), GM_INVALID);
    assert_non_null(strstr(err.text, "not allowed"));
    done(&t);
    gm_fmu_close(fmu);
}

static void intermediate_updates_give_rows_inside_of_steps(void **state)
{
    (void)state;
    gm_fmu            *fmu = toy(3);
    gm_fmu_run_options o   = gm_fmu_run_options_defaults();
    static table       t;
    gm_error           err;
    o.intermediate = true;
    o.step = 0.1;
    o.stop = 0.3;
    assert_gm_ok(run(fmu, &o, &t, NULL, &err), err);
    assert_int_equal(t.count, 7);
    assert_true(fabs(t.rows[1][0] - 0.05) < 1e-9 && fabs(t.rows[2][0] - 0.1) < 1e-12);
    done(&t);
    gm_fmu_close(fmu);
}

static void values_of_every_type_pass_through(void **state)
{
    (void)state;
    const gm_fmu_setting all[] = {
        { GM_STR("text_in"), GM_STR("a \"b\", c") }, { GM_STR("flag_in"), GM_STR("true") }, { GM_STR("u"), GM_STR("0.1") }, { GM_STR("k"), GM_STR("-2147483648") },
        { GM_STR("mode"), GM_STR("on") }, { GM_STR("n"), GM_STR("3") }, { GM_STR("a"), GM_STR("1 -2 0.5") }, { GM_STR("bin_in"), GM_STR("00ff10") },
        { GM_STR("f32_in"), GM_STR("0.1") }, { GM_STR("i64_in"), GM_STR("9007199254740993") },
    };
    gm_fmu_run_options o = gm_fmu_run_options_defaults();
    static table       t;
    gm_error           err;
    o.settings = all;
    o.stop     = 0;
    for (int version = 2; version <= 3; version++) {
        gm_fmu *fmu     = toy(version);
        o.setting_count = version == 2 ? 5 : 10;
        assert_gm_ok(run(fmu, &o, &t, NULL, &err), err);
        const char *expected = version == 2 ? "\n0,1,0,0,\"a \"\"b\"\", c\",1,0.1,-2147483648,2\n"
                                            : "\n0,1,0,0,\"a \"\"b\"\", c\",1,0.1,-2147483648,2,-4,1,00ff10,0.1,9007199254740993,2\n";
        if (strstr((char *)t.text.ptr, expected) == NULL) fail_msg("%s", (char *)t.text.ptr);
        done(&t);
        gm_fmu_close(fmu);
    }
}

// Each at the ends of its range, as a start value and from a table of inputs.
static void numbers_of_every_width_pass_through(void **state)
{
    (void)state;
    static const char header[] = "time,Float64_out,Float32_out,Int8_out,UInt8_out,Int16_out,UInt16_out,Int32_out,UInt32_out,Int64_out,UInt64_out,"
                                 "pair_out[1],pair_out[2]\n";
    static const char least[]  = "-1e+300,-2.5,-128,0,-32768,0,-2147483648,0,-9223372036854775808,0,-128,127";
    static const char most[]   = "1e+300,2.5,127,255,32767,65535,2147483647,4294967295,9223372036854775807,18446744073709551615,1,-1";
    gm_buf             input = gm_buf_init(gm_alloc_system());
    gm_fmu            *fmu   = open_toy("echo", "echo", "echo", false, 60 * GM_SECOND);
    gm_fmu_run_options o     = gm_fmu_run_options_defaults();
    static table       t;
    gm_error           err;
    for (const char *c = header; *c != '\0'; c++) {  // the columns of the outputs, as inputs
        if (strncmp(c, "_out", 4) == 0) {
            gm_buf_text(&input, "_in");
            c += 3;
        } else gm_buf_byte(&input, (uint8_t)*c);
    }
    gm_buf_printf(&input, "0,%s\n1,%s\n", least, most);
    o.input = gm_buf_view(&input);
    o.stop  = 2;
    o.step  = 1;
    assert_gm_ok(run(fmu, &o, &t, NULL, &err), err);
    char expected[2000];
    snprintf(expected, sizeof expected, "%s0,%s\n", header, least);
    if (strncmp((char *)t.text.ptr, expected, strlen(expected)) != 0) fail_msg("%s", (char *)t.text.ptr);
    snprintf(expected, sizeof expected, "\n2,%s\n", most);
    if (strstr((char *)t.text.ptr, expected) == NULL) fail_msg("%s", (char *)t.text.ptr);
    done(&t);
    gm_buf_finish(&input);
    gm_fmu_close(fmu);
}

static void settings_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    const struct { gm_fmu_setting s; const char *says; } cases[] = {
        { { GM_STR("nothing"), GM_STR("1") }, "no variable 'nothing'" },   { { GM_STR("k"), GM_STR("2147483648") }, "no value of k" },
        { { GM_STR("k"), GM_STR("1.5") }, "no value of k" },               { { GM_STR("u"), GM_STR("x") }, "no value of u" },
        { { GM_STR("flag_in"), GM_STR("2") }, "no value of flag_in" },     { { GM_STR("bin_in"), GM_STR("0") }, "no value of bin_in" },
        { { GM_STR("a"), GM_STR("1 2 3") }, "has 2 values, not 3" },       { { GM_STR("y"), GM_STR("1") }, "no start value" },
        { { GM_STR("mode"), GM_STR("broken") }, "no value of mode" },      { { GM_STR("n"), GM_STR("99999999999") }, "more than" },
    };
    gm_fmu      *fmu = toy(3);
    static table t;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_fmu_run_options o = gm_fmu_run_options_defaults();
        gm_error           err;
        o.settings      = &cases[i].s;
        o.setting_count = 1;
        gm_status st    = run(fmu, &o, &t, NULL, &err);
        if ((st != GM_INVALID && st != GM_LIMIT) || strstr(err.text, cases[i].says) == NULL) fail_msg("%s: %d '%s'", cases[i].s.name.ptr, (int)st, err.text);
        done(&t);
    }
    gm_fmu_close(fmu);
}

static void inputs_are_interpolated_held_and_jump(void **state)
{
    (void)state;
    for (int kind = 0; kind <= 1; kind++) {
        gm_fmu            *fmu = toy(3);
        gm_fmu_run_options o   = gm_fmu_run_options_defaults();
        static table       t;
        gm_error           err;
        o.kind  = (gm_fmi_kind)kind;
        o.step  = 0.25;
        o.stop  = 1;
        o.input = GM_STR("time,u,k\n0,0,1\n0.5,1,1\n0.5,3,7\n1,3,7\n");
        assert_gm_ok(run(fmu, &o, &t, NULL, &err), err);
        const char *rows[] = { "\n0,", "\n0.25,", "\n0.5,", "\n1," };
        for (size_t i = 0; i < 4; i++) assert_non_null(strstr((char *)t.text.ptr, rows[i]));
        // In model exchange the row of 0.25 has seen the interpolated input, and 0.5 has both sides of the jump.
        if (kind == GM_FMI_MODEL_EXCHANGE) {
            assert_non_null(strstr((char *)t.text.ptr, ",0.5,1,"));
            assert_non_null(strstr((char *)t.text.ptr, ",1,1,"));
            assert_non_null(strstr((char *)t.text.ptr, ",3,7,"));
        }
        done(&t);
        gm_fmu_close(fmu);
    }
}

// An array in columns of its own elements, or in one column with spaces.
static void inputs_of_arrays_come_in_one_column_or_many(void **state)
{
    (void)state;
    const char *texts[] = { "time,u,a\n0,0,5 6\n0.5,1,7 8\n1,1,7 8\n", "time,a[1],a[2],u\n0,5,6,0\n0.5,7,8,1\n1,7,8,1\n", "time,\"a\",u\n0,\" 5  6 \",0\n0.5,7 8,1\n1,7 8,1\n" };
    for (size_t i = 0; i < 3; i++) {
        gm_fmu            *fmu = toy(3);
        gm_fmu_run_options o   = gm_fmu_run_options_defaults();
        static table       t;
        gm_error           err;
        o.step  = 0.5;
        o.stop  = 1;
        o.all   = true;
        o.input = gm_str_of(texts[i]);
        assert_gm_ok(run(fmu, &o, &t, NULL, &err), err);
        const char *first = strstr((char *)t.text.ptr, "\n0,"), *last = strstr((char *)t.text.ptr, "\n1,");
        assert_true(first != NULL && last != NULL && strstr(first, ",5,6,") != NULL && strstr(first, ",5,6,") < last && strstr(last, ",7,8,") != NULL);
        done(&t);
        gm_fmu_close(fmu);
    }
}

// x' = A x + B u with A = -1 0; 1 -2 and u = (1), from x0 = (2, 0): x1 = 1 + e^-t, and x2' + 2 x2 = x1 gives
// x2 = 1/2 + e^-t - 3/2 e^-2t. The sizes are the user's, and what depends on them follows.
static void structural_parameters_change_the_number_of_states(void **state)
{
    (void)state;
    const gm_fmu_setting all[] = {
        { GM_STR("n"), GM_STR("2") }, { GM_STR("m"), GM_STR("1") }, { GM_STR("r"), GM_STR("2") }, { GM_STR("A"), GM_STR("-1 0 1 -2") },
        { GM_STR("B"), GM_STR("1 0") }, { GM_STR("C"), GM_STR("1 0 0 1") }, { GM_STR("D"), GM_STR("0 0") }, { GM_STR("x0"), GM_STR("2 0") },
        { GM_STR("u"), GM_STR("1") },
    };
    gm_fmu            *fmu = open_toy("linear", "linear", "linear", false, 60 * GM_SECOND);
    gm_fmu_run_options o   = gm_fmu_run_options_defaults();
    static table       t;
    gm_error           err;
    o.settings      = all;
    o.setting_count = sizeof all / sizeof all[0];
    for (int kind = 0; kind < 3; kind++) {
        o.kind   = kind == 0 ? GM_FMI_CO_SIMULATION : GM_FMI_MODEL_EXCHANGE;
        o.method = kind == 2 ? GM_FMU_ACCURATE : GM_FMU_EULER;
        o.step   = kind == 1 ? 0.001 : 0.5;
        assert_gm_ok(run(fmu, &o, &t, NULL, &err), err);
        assert_int_equal(strncmp((char *)t.text.ptr, "time,y[1],y[2],note\n", 20), 0);
        assert_non_null(strstr((char *)t.text.ptr, ",from the resources\n"));
        double end = t.rows[t.count - 1][0], tolerance = kind == 2 ? 1e-6 : 2e-3;
        double x1 = 1 + exp(-end), x2 = 0.5 + exp(-end) - 1.5 * exp(-2 * end);
        assert_true(end == 1);
        if (fabs(t.rows[t.count - 1][1] - x1) > tolerance || fabs(t.rows[t.count - 1][2] - x2) > tolerance) fail_msg("%s", (char *)t.text.ptr);
        done(&t);
    }
    o.all  = true;  // a matrix has two subscripts, the last one fastest
    o.stop = 0;
    assert_gm_ok(run(fmu, &o, &t, NULL, &err), err);
    assert_non_null(strstr((char *)t.text.ptr, ",\"A[1,1]\",\"A[1,2]\",\"A[2,1]\",\"A[2,2]\","));
    assert_non_null(strstr((char *)t.text.ptr, ",-1,0,1,-2,"));
    done(&t);
    o.all  = false;
    o.stop = 1;
    // Sizes alone: what was not set is as the FMU has it. Then to its own end: x1 = e^t is above 100 after 4.6 s.
    o.kind          = GM_FMI_CO_SIMULATION;
    o.setting_count = 1;
    o.step          = 0.5;
    assert_gm_ok(run(fmu, &o, &t, NULL, &err), err);
    assert_true(t.count == 3 && t.rows[2][1] == 0);
    done(&t);
    const gm_fmu_setting grows[] = { { GM_STR("x0"), GM_STR("1 0 0") } };
    o.settings = grows;
    o.stop     = 20;
    assert_gm_ok(run(fmu, &o, &t, NULL, &err), err);
    assert_true(t.rows[t.count - 1][0] == 5 && t.rows[t.count - 1][1] > 100);
    done(&t);
    gm_fmu_close(fmu);
}

static void wrong_inputs_are_refused(void **state)
{
    (void)state;
    static const struct { const char *csv, *says; } cases[] = {
        { "u\n1\n", "first column" }, { "time,u\n", "no rows" }, { "time,nothing\n0,1\n", "no variable" }, { "time,h\n0,1\n", "no input" },
        { "time,u\n0,x\n", "no value of u" }, { "time,u\n1,1\n0,1\n", "time goes back" }, { "time,u\n0\n", "not 2 values" }, { "time,a\n0,1\n", "a has 2 values" }, { "time,a\n0,1 2 3\n", "a has 2 values" }, { "time,a[0]\n0,1\n", "2 values, but 1" }, { "time,u\nx,1\n", "no time" },
    };
    gm_fmu      *fmu = toy(3);
    static table t;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_fmu_run_options o = gm_fmu_run_options_defaults();
        gm_error           err;
        o.input = gm_str_of(cases[i].csv);
        if (run(fmu, &o, &t, NULL, &err) != GM_INVALID || strstr(err.text, cases[i].says) == NULL) fail_msg("%s: '%s'", cases[i].csv, err.text);
        done(&t);
    }
    gm_fmu_close(fmu);
}

// A sanitizer in the worker catches the signal itself, reports, and exits.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CRASHED "fmi3DoStep: "
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CRASHED "fmi3DoStep: "
#endif
#endif
#ifndef CRASHED
#define CRASHED "fmi3DoStep: signal 11"
#endif

static void a_library_that_crashes_hangs_or_fails_ends_its_run_alone(void **state)
{
    (void)state;
    static const struct { const char *how; gm_status st; const char *says, *log; } cases[] = {
        { "1", GM_INVALID, CRASHED, "about to crash" },
        { "2", GM_LIMIT, "fmi3DoStep did not return within 5 s", "" },
        { "3", GM_INVALID, "fmi3DoStep: exit code 3", "" },
        { "4", GM_INVALID, "fmi3DoStep returned Error", "Error: logStatusError: the toy refuses" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        // Only what hangs waits for its limit; a busy machine may take its time with the rest.
        gm_fmu            *fmu = open_toy("toy3", "toy3", "toy", false, cases[i].st == GM_LIMIT ? 5 * GM_SECOND : 60 * GM_SECOND);
        gm_fmu_setting     how = setting("misbehave", cases[i].how);
        gm_fmu_run_options o   = gm_fmu_run_options_defaults();
        gm_buf             log = gm_buf_init(gm_alloc_system());
        static table       t;
        gm_error           err;
        o.settings      = &how;
        o.setting_count = 1;
        gm_status st    = run(fmu, &o, &t, &log, &err);
        if (st != cases[i].st || strstr(err.text, cases[i].says) == NULL) fail_msg("%s: %d '%s'", cases[i].how, (int)st, err.text);
        if (gm_str_find(gm_buf_view(&log), gm_str_of(cases[i].log)) == SIZE_MAX) fail_msg("%s: log '" GM_STR_FMT "'", cases[i].how, GM_STR_ARG(gm_buf_view(&log)));
        assert_int_equal(t.count, 1);  // the row before the step is there
        gm_buf_finish(&log);
        done(&t);
        gm_fmu_close(fmu);
    }
}

static void a_discarded_step_ends_where_the_fmu_got_to(void **state)
{
    (void)state;
    gm_fmu            *fmu = toy(2);
    gm_fmu_setting     how = setting("misbehave", "7");
    gm_fmu_run_options o   = gm_fmu_run_options_defaults();
    static table       t;
    gm_error           err;
    o.settings      = &how;
    o.setting_count = 1;
    o.step          = 0.2;
    assert_gm_ok(run(fmu, &o, &t, NULL, &err), err);
    assert_true(fabs(t.rows[t.count - 1][0] - 0.5) < 1e-9);
    done(&t);
    gm_fmu_close(fmu);
}

static void states_are_tested_and_replay_stands_in(void **state)
{
    (void)state;
    static const struct { const char *library, *xml; bool two; const char *says; unsigned failures; } cases[] = {
        { "toy2", "toy2", true, "a saved state brings back the same outputs", 0 },
        { "toy3", "toy3", false, "written and read back, brings back the same outputs", 0 },
        { "toy2_stateless", "toy2", true, "replaying its inputs (it can not save states) brings back the same outputs", 0 },
        { "toy2_liar", "toy2", true, "co-simulation: replaying its inputs instead brings back the same outputs", 3 },
        { "ticker", "ticker", false, "scheduled execution: instantiated", 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_fmu  *fmu    = open_toy(cases[i].library, cases[i].xml, strcmp(cases[i].xml, "ticker") == 0 ? "ticker" : "toy", cases[i].two, 60 * GM_SECOND);
        gm_buf   report = gm_buf_init(gm_alloc_system());
        gm_error err    = { 0 };
        unsigned failures;
        assert_gm_ok(gm_fmu_check(fmu, &report, &failures, &err), err);
        gm_str text = gm_buf_view(&report);
        if (failures != cases[i].failures || gm_str_find(text, gm_str_of(cases[i].says)) == SIZE_MAX) fail_msg("%s: " GM_STR_FMT, cases[i].library, GM_STR_ARG(text));
        gm_buf_finish(&report);
        gm_fmu_close(fmu);
    }
}

static void clocks_tick_in_scheduled_execution(void **state)
{
    (void)state;
    gm_fmu            *fmu = open_toy("ticker", "ticker", "ticker", false, 60 * GM_SECOND);
    gm_fmu_run_options o   = gm_fmu_run_options_defaults();
    static table       t;
    gm_error           err;
    o.input = GM_STR("time,triggered\n0.5,1\n2,1\n3,0\n");
    assert_gm_ok(run(fmu, &o, &t, NULL, &err), err);
    const char *expected = "time,out,periodic_ticks,triggered_ticks,countdown_ticks\n0,0,1,0,0\n0.5,0,1,1,0\n1,0,2,1,0\n2,0,3,2,0\n3,0,4,2,0\n"
                           "4,0,5,2,0\n4.25,1,5,2,1\n5,0,6,2,1\n";
    if (strcmp((char *)t.text.ptr, expected) != 0) fail_msg("%s", (char *)t.text.ptr);
    done(&t);

    // A countdown of nothing is due at the same instant, behind the clocks of higher priority.
    gm_fmu_setting at_once = setting("delay", "0");
    o.settings             = &at_once;
    o.setting_count        = 1;
    assert_gm_ok(run(fmu, &o, &t, NULL, &err), err);
    assert_non_null(strstr((char *)t.text.ptr, "\n3,0,4,2,0\n4,1,5,2,1\n5,0,6,2,1\n"));
    done(&t);
    gm_fmu_close(fmu);
}

int main(void)
{
    gm_test_make_dir(folder, sizeof folder);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(co_simulation_gives_the_sums_of_the_fmu_at_every_output_point),
        cmocka_unit_test(model_exchange_with_euler_is_a_fixed_step_master),
        cmocka_unit_test(events_of_time_and_state_have_a_row_before_and_after),
        cmocka_unit_test(the_accurate_method_follows_the_closed_form),
        cmocka_unit_test(event_mode_and_early_return_meet_the_events),
        cmocka_unit_test(intermediate_updates_give_rows_inside_of_steps),
        cmocka_unit_test(values_of_every_type_pass_through),
        cmocka_unit_test(numbers_of_every_width_pass_through),
        cmocka_unit_test(settings_that_do_not_fit_are_refused),
        cmocka_unit_test(inputs_are_interpolated_held_and_jump),
        cmocka_unit_test(inputs_of_arrays_come_in_one_column_or_many),
        cmocka_unit_test(structural_parameters_change_the_number_of_states),
        cmocka_unit_test(wrong_inputs_are_refused),
        cmocka_unit_test(a_library_that_crashes_hangs_or_fails_ends_its_run_alone),
        cmocka_unit_test(a_discarded_step_ends_where_the_fmu_got_to),
        cmocka_unit_test(states_are_tested_and_replay_stands_in),
        cmocka_unit_test(clocks_tick_in_scheduled_execution),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    gm_test_remove_dir(folder);
    return failed;
}
