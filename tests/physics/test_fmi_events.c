// What ends, interrupts and refuses, in both versions and both kinds of use: fmu/ladder.c says what the model does.
#include "physics/fmi_support.h"

enum { TIME, X, STAIRS, FALLS, NOMINAL_READS, PAUSES, FIRST_BYTE };

static gm_fmu *ladder(int version) { return open_toy("ladder", version == 2 ? "ladder2" : "ladder3", "ladder", version == 2, 60 * GM_SECOND); }

// Both sides of an event are right.
static void check_rows(const table *t, double top, double tolerance)
{
    for (size_t i = 0; i < t->count; i++) {
        const double *r = t->rows[i];
        double        x = fmod(r[TIME], top), off = fmin(fabs(r[X] - x), fmin(fabs(r[X] - x - top), fabs(r[X] - x + top)));
        bool          on_stair = fabs(r[TIME] - round(r[TIME])) < 1e-9;
        double        stairs   = floor(r[TIME] + 1e-9) + 1, falls = floor(r[TIME] / top + 1e-9);
        bool          on_fall  = fabs(r[TIME] / top - round(r[TIME] / top)) < 1e-6;
        bool          good     = off < tolerance && (r[STAIRS] == stairs || (on_stair && r[STAIRS] == stairs - 1)) &&
                                 (r[FALLS] == falls || (on_fall && fabs(r[FALLS] - falls) <= 1)) && r[FIRST_BYTE] == 'f';
        if (!good) fail_msg("row %zu:\n%s", i, (const char *)t->text.ptr);
    }
}

static size_t pairs_of(const table *t, int column)
{
    size_t n = 0;
    for (size_t i = 0; i + 1 < t->count; i++) n += t->rows[i][TIME] == t->rows[i + 1][TIME] && t->rows[i + 1][column] != t->rows[i][column];
    return n;
}

static void a_step_in_which_the_fmu_ends_the_run_ends_where_it_got_to(void **state)
{
    (void)state;
    for (int version = 2; version <= 3; version++) {
        gm_fmu            *fmu = ladder(version);
        gm_fmu_run_options o   = gm_fmu_run_options_defaults();
        static table       t;
        gm_error           err;
        assert_gm_ok(run(fmu, &o, &t, NULL, &err), err);  // to 20 by 0.4, it ends at 9, between 8.8 and 9.2
        assert_int_equal(t.count, 24);
        assert_true(t.rows[0][STAIRS] == 1 && t.rows[23][TIME] == 9 && t.rows[23][STAIRS] == 10);
        check_rows(&t, 0.64, 1e-9);
        done(&t);
        gm_fmu_close(fmu);
    }
}

static void the_event_iteration_at_the_start_comes_before_the_first_row(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) {  // model exchange in both versions, event mode
        gm_fmu            *fmu = ladder(way == 0 ? 2 : 3);
        gm_fmu_run_options o   = gm_fmu_run_options_defaults();
        static table       t;
        gm_error           err;
        o.kind       = way < 2 ? GM_FMI_MODEL_EXCHANGE : GM_FMI_CO_SIMULATION;
        o.event_mode = o.early_return = way == 2;
        o.stop       = 0;
        assert_gm_ok(run(fmu, &o, &t, NULL, &err), err);
        assert_true(t.count == 1 && t.rows[0][STAIRS] == 1);
        done(&t);
        gm_fmu_close(fmu);
    }
}

// Nominal values are read again when they change; derivatives that are refused make the solver take a shorter step.
static void model_exchange_meets_time_state_and_step_events(void **state)
{
    (void)state;
    for (int version = 2; version <= 3; version++) {
        for (int method = GM_FMU_EULER; method <= GM_FMU_ACCURATE; method++) {
            gm_fmu            *fmu = ladder(version);
            gm_fmu_run_options o   = gm_fmu_run_options_defaults();
            static table       t;
            gm_error           err;
            o.kind   = GM_FMI_MODEL_EXCHANGE;
            o.method = (gm_fmu_method)method;
            assert_gm_ok(run(fmu, &o, &t, NULL, &err), err);
            const double *last = t.rows[t.count - 1];
            assert_true(fabs(last[TIME] - 9) < 1e-12 && last[STAIRS] == 10 && last[PAUSES] > 0);
            assert_int_equal(pairs_of(&t, STAIRS), 9);
            assert_true(pairs_of(&t, FALLS) == (size_t)last[FALLS] && last[NOMINAL_READS] >= last[FALLS]);
            if (method == GM_FMU_ACCURATE) {
                check_rows(&t, 0.64, 1e-9);
                assert_int_equal(last[FALLS], 14);
            }
            done(&t);
            gm_fmu_close(fmu);
        }
    }
}

static void event_mode_meets_every_event_and_ends_in_one(void **state)
{
    (void)state;
    gm_fmu            *fmu = ladder(3);
    gm_fmu_run_options o   = gm_fmu_run_options_defaults();
    static table       t;
    gm_error           err;
    o.event_mode = o.early_return = true;
    assert_gm_ok(run(fmu, &o, &t, NULL, &err), err);
    check_rows(&t, 0.64, 1e-9);
    assert_true(pairs_of(&t, STAIRS) == 9 && pairs_of(&t, FALLS) == 14 && t.rows[t.count - 1][TIME] == 9 && t.rows[t.count - 1][STAIRS] == 10);
    done(&t);
    gm_fmu_close(fmu);
}

// A value that waits for the next message is refused by the call that takes it along, under its own name.
static void a_refused_value_is_told_by_its_own_call(void **state)
{
    (void)state;
    for (int version = 2; version <= 3; version++) {
        gm_fmu            *fmu  = ladder(version);
        gm_fmu_run_options o    = gm_fmu_run_options_defaults();
        gm_fmu_setting     back = setting("rate", "-1");
        static table       t;
        gm_error           err;
        o.settings      = &back;
        o.setting_count = 1;
        assert_int_equal(run(fmu, &o, &t, NULL, &err), GM_DIVERGED);
        if (strstr(err.text, version == 2 ? "fmi2Set returned Discard" : "fmi3Set returned Discard") == NULL) fail_msg("'%s'", err.text);
        done(&t);
        gm_fmu_close(fmu);
    }
}

static void long_runs_and_short_plans_give_the_same_rows(void **state)
{
    (void)state;
    // Input events cut the plans; an FMU that is asked for fewer steps at once must not see a difference.
    gm_fmu            *fmu = toy(3);
    gm_fmu_run_options o   = gm_fmu_run_options_defaults();
    static table       whole, cut;
    gm_error           err;
    gm_buf             input = gm_buf_init(gm_alloc_system());
    gm_buf_text(&input, "time,k\n");
    for (int i = 0; i <= 60; i++) gm_buf_printf(&input, "%.17g,%d\n", i * 0.05, 7);
    o.input = GM_STR("time,k\n0,7\n");
    o.step  = 0.0025;
    o.event_mode = true;
    assert_gm_ok(run(fmu, &o, &whole, NULL, &err), err);
    o.input = gm_buf_view(&input);
    assert_gm_ok(run(fmu, &o, &cut, NULL, &err), err);
    assert_true(whole.count > 1000 && whole.count == cut.count);
    assert_string_equal((const char *)whole.text.ptr, (const char *)cut.text.ptr);
    gm_buf_finish(&input);
    done(&whole);
    done(&cut);
    gm_fmu_close(fmu);
}

// A jump of a continuous input, a ramp, another jump; discrete inputs that change at 1.
static const char waves[] = "time,f64_in,f64d_in,int32_in,flag_in,choice_in\n0,1,0,0,0,1\n0.5,1,0,0,0,1\n0.5,3,0,0,0,1\n1,2,1,1,1,2\n1.5,2,1,1,1,2\n"
                            "1.5,1,1,1,1,2\n2,1,1,1,1,2\n";

// In model exchange every row has seen the inputs of its instant, and jumps have both sides. In co-simulation a step
// holds what was set at its beginning; event mode sets the later side of a jump, and shows it.
static void inputs_pass_through_at_their_instant(void **state)
{
    (void)state;
    static const double exchanged[][3] = { { 0, 1, 0 }, { 0.2, 1, 0 }, { 0.4, 1, 0 }, { 0.5, 1, 0 }, { 0.5, 3, 0 }, { 0.6, 2.8, 0 }, { 0.8, 2.4, 0 }, { 1, 2, 0 },
        { 1, 2, 1 }, { 1.2, 2, 1 }, { 1.4, 2, 1 }, { 1.5, 2, 1 }, { 1.5, 1, 1 }, { 1.6, 1, 1 }, { 1.8, 1, 1 }, { 2, 1, 1 } };
    static const double simulated[][3] = { { 0, 1, 0 }, { 0.2, 1, 0 }, { 0.4, 1, 0 }, { 0.5, 1, 0 }, { 0.6, 3, 0 }, { 0.8, 2.8, 0 }, { 1, 2.4, 0 }, { 1.2, 2, 1 },
        { 1.4, 2, 1 }, { 1.5, 2, 1 }, { 1.6, 1, 1 }, { 1.8, 1, 1 }, { 2, 1, 1 } };
    static const double with_events[][3] = { { 0, 1, 0 }, { 0.2, 1, 0 }, { 0.4, 1, 0 }, { 0.5, 1, 0 }, { 0.5, 3, 0 }, { 0.6, 3, 0 }, { 0.8, 2.8, 0 }, { 1, 2.4, 0 },
        { 1, 2, 1 }, { 1.2, 2, 1 }, { 1.4, 2, 1 }, { 1.5, 2, 1 }, { 1.5, 1, 1 }, { 1.6, 1, 1 }, { 1.8, 1, 1 }, { 2, 1, 1 } };
    static const struct { gm_fmi_kind kind; gm_fmu_method method; bool events; const double (*rows)[3]; size_t count; } ways[] = {
        { GM_FMI_MODEL_EXCHANGE, GM_FMU_EULER, false, exchanged, 16 }, { GM_FMI_MODEL_EXCHANGE, GM_FMU_ACCURATE, false, exchanged, 16 },
        { GM_FMI_CO_SIMULATION, GM_FMU_EULER, false, simulated, 13 },  { GM_FMI_CO_SIMULATION, GM_FMU_EULER, true, with_events, 16 },
    };
    for (int version = 2; version <= 3; version++) {
        gm_fmu *fmu = open_toy("pass", version == 2 ? "pass2" : "pass3", "pass", version == 2, 60 * GM_SECOND);
        size_t  f64 = version == 2 ? 1 : 3;  // the column of f64_out; f64d_out is the next
        for (size_t w = 0; w < sizeof ways / sizeof ways[0]; w++) {
            gm_fmu_run_options o = gm_fmu_run_options_defaults();
            static table       t;
            gm_error           err;
            if (ways[w].events && version == 2) continue;
            o.kind       = ways[w].kind;
            o.method     = ways[w].method;
            o.event_mode = ways[w].events;
            o.input      = gm_str_of(waves);
            o.step       = 0.2;
            assert_gm_ok(run(fmu, &o, &t, NULL, &err), err);
            for (size_t i = 0; i < ways[w].count; i++) {
                const double *want = ways[w].rows[i], *have = t.rows[i];
                bool          good = i < t.count && fabs(have[0] - want[0]) < 1e-12 && fabs(have[f64] - want[1]) < 1e-12 && have[f64 + 1] == want[2];
                if (!good) fail_msg("FMI %d, way %zu, row %zu:\n%s", version, w, i, (const char *)t.text.ptr);
            }
            assert_int_equal(t.count, ways[w].count);
            assert_non_null(strstr((const char *)t.text.ptr, version == 2 ? "\n2,1,1,1,1,as it was,2\n" : ",1,0,0,0,1,as it was,,2\n"));
            done(&t);
        }
        gm_fmu_close(fmu);
    }
}

int main(void)
{
    gm_test_make_dir(folder, sizeof folder);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_in_which_the_fmu_ends_the_run_ends_where_it_got_to),
        cmocka_unit_test(the_event_iteration_at_the_start_comes_before_the_first_row),
        cmocka_unit_test(model_exchange_meets_time_state_and_step_events),
        cmocka_unit_test(event_mode_meets_every_event_and_ends_in_one),
        cmocka_unit_test(a_refused_value_is_told_by_its_own_call),
        cmocka_unit_test(inputs_pass_through_at_their_instant),
        cmocka_unit_test(long_runs_and_short_plans_give_the_same_rows),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    gm_test_remove_dir(folder);
    return failed;
}
