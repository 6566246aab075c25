// Modelica texts exported as FMUs, compiled by the system's compiler and run through the import: model exchange and
// co-simulation of both versions against gemel's own solver.
#include "physics/fmi/export.h"
#include "physics/fmi/run.h"
#include "physics/solve/solve.h"
#include "support/temp_dir.h"
#include "modelica_support.h"

#include <zip.h>

static char folder[512];

enum { ROWS_MAX = 4000, COLUMNS_MAX = 64 };

typedef struct table { char names[COLUMNS_MAX][64]; double (*rows)[COLUMNS_MAX]; size_t columns, count; gm_buf text; } table;

enum { STIFF_STOP = 40 };

static void export_as(const gm_program *program, int version, const char *compiler, double stop, double step, char *out_path, size_t size)
{
    gm_fmu_export_options o = gm_fmu_export_options_defaults();
    gm_error              err = { 0 };
    o.version  = version;
    o.compiler = compiler;
    o.optimize = stop == STIFF_STOP ? "-O2" : "-O0";  // as users get it once; for the rest the compiler's time is most of the test's
    o.stop     = stop;
    o.step     = step;
    snprintf(out_path, size, "%s/model%d.fmu", folder, version);
    assert_gm_ok(gm_fmu_export(gm_alloc_system(), program, &o, out_path, &err), err);
}

static gm_fmu *open_fmu(const char *path)
{
    gm_fmu_host host = { .alloc = gm_alloc_system(), .clock = gm_clock_system(), .program = getenv("GEMEL"), .call_limit = 60 * GM_SECOND };
    gm_error    err  = { 0 };
    gm_fmu     *fmu  = NULL;
    assert_gm_ok(gm_fmu_open(&host, path, &fmu, &err), err);
    return fmu;
}

static gm_status keep(void *context, gm_str text, gm_error *err)
{
    (void)err;
    gm_buf_str(context, text);
    return GM_OK;
}

// Names have no commas here.
static void parse(table *t)
{
    gm_str rest = gm_buf_view(&t->text), line, cell;
    t->rows = calloc(ROWS_MAX, sizeof *t->rows);
    assert_true(gm_str_next(&rest, '\n', &line));
    while (gm_str_next(&line, ',', &cell)) {
        assert_true(t->columns < COLUMNS_MAX);
        snprintf(t->names[t->columns++], 64, GM_STR_FMT, GM_STR_ARG(cell));
    }
    while (gm_str_next(&rest, '\n', &line) && line.len > 0) {
        assert_true(t->count < ROWS_MAX);
        for (size_t c = 0; gm_str_next(&line, ',', &cell); c++) t->rows[t->count][c] = strtod(cell.ptr, NULL);
        t->count++;
    }
}

static void run_fmu(const char *path, gm_fmi_kind kind, const gm_fmu_setting *settings, uint32_t setting_count, table *t)
{
    gm_fmu            *fmu = open_fmu(path);
    gm_fmu_run_options o   = gm_fmu_run_options_defaults();
    gm_buf             log = gm_buf_init(gm_alloc_system());
    gm_error           err = { 0 };
    *t       = (table){ .text = gm_buf_init(gm_alloc_system()) };
    o.kind   = kind;
    o.method = GM_FMU_ACCURATE;
    o.tolerance     = 1e-8;
    o.all           = true;
    o.settings      = settings;
    o.setting_count = setting_count;
    if (gm_fmu_run(fmu, &o, keep, &t->text, &log, &err) != GM_OK) fail_msg("%s\n%.*s", err.text, (int)log.len, (const char *)log.ptr);
    parse(t);
    gm_buf_finish(&log);
    gm_fmu_close(fmu);
}

static void done(table *t)
{
    gm_buf_finish(&t->text);
    free(t->rows);
}

// The last row at a time: after an event.
static const double *row_at(const table *t, double time)
{
    for (size_t i = t->count; i-- > 0;) {
        if (fabs(t->rows[i][0] - time) < 1e-9) return t->rows[i];
    }
    return NULL;
}

typedef struct reference { const gm_program *program; const table *t; double error; size_t compared; char worst[200]; } reference;

static gm_status compare(void *context, const gm_solve_row *row, gm_error *err)
{
    reference    *r    = context;
    const double *have = row->event ? NULL : row_at(r->t, row->time);
    (void)err;
    for (size_t c = 1; have != NULL && c < r->t->columns; c++) {
        gm_slot slot;
        bool    negated;
        if (!gm_program_find(r->program, gm_str_of(r->t->names[c]), &slot, &negated)) continue;
        double expected = negated ? -row->values[slot.v] : row->values[slot.v];
        double error    = fabs(have[c] - expected) / (1 + fabs(expected));
        r->compared++;
        if (error <= r->error) continue;
        r->error = error;
        snprintf(r->worst, sizeof r->worst, "%s at %g: %.12g, not %.12g", r->t->names[c], row->time, have[c], expected);
    }
    return GM_OK;
}

static const struct { const char *name, *text; double stop, step, tolerance; } models[] = {
    { "bouncing ball: state events, reinit, discrete variables",
      "model Ball parameter Real g = 9.81; parameter Real e = 0.7; Real h(start = 1, fixed = true); output Real v(start = 0, fixed = true);"
      "  Boolean flying(start = true, fixed = true); discrete Integer n(start = 0, fixed = true);"
      "equation der(h) = v; der(v) = if flying then -g else 0;"
      "  when h < 0 then n = pre(n) + 1; reinit(v, if flying then -e * pre(v) else 0); flying = -e * pre(v) > 0.1; end when; end Ball;", 3, 0.02, 1e-6 },
    { "nonlinear loop, table, sampled part, end before the stop",
      "model Loop parameter Real k = 2; input Real u(start = 0.5); Real x(start = 1, fixed = true); Real y, z; output Real w;"
      "  Real s(start = 0, fixed = true); discrete Real c(start = 0, fixed = true);"
      "equation der(x) = -x + y; y + exp(y) = k * x + z; z = 0.1 * y - u; w = Gemel.interp1({0, 1, 2, 4}, {0, 1, 4, 16}, time);"
      "  der(s) = w + c; when sample(0.25, 0.5) then c = pre(c) + 1; end when; when time > 1.8 then terminate(\"done\"); end when; end Loop;", 2, 0.02, 1e-6 },
    { "linear loop of three, initial equations, dependent parameters",
      "model Net parameter Real r = 2; parameter Real g = 1 / r; parameter Real tau(fixed = false); Real x, a, b, c;"
      "initial equation der(x) = 0.25; tau = 2 * g;"
      "equation a = x - g * b; b = a + g * c; c = b - 0.3 * a + sin(time); der(x) = (a - c) / tau; end Net;", 2, 0.05, 1e-6 },
    { "if without events, relations with hysteresis, booleans",
      "model Thermostat Real T(start = 18, fixed = true); output Boolean on(start = false, fixed = true); output Real cost(start = 0, fixed = true);"
      "equation der(T) = (10 - T) / 50 + (if on then 1 else 0); der(cost) = noEvent(if T > 20 then 0.5 else 1);"
      "  on = T < 19 or (pre(on) and T < 21); end Thermostat;", 60, 0.5, 1e-5 },
};

static void assert_no_rule_broken(const char *path, const char *name)
{
    unsigned failures = 0;
    gm_error err      = { 0 };
    gm_buf   report   = gm_buf_init(gm_alloc_system());
    gm_fmu  *fmu      = open_fmu(path);
    assert_gm_ok(gm_fmu_check(fmu, &report, &failures, &err), err);
    if (failures > 0) fail_msg("%s:\n%.*s", name, (int)report.len, (const char *)report.ptr);
    const gm_fmu_description *d = gm_fmu_described(fmu);
    if (d->finding_count > 0) fail_msg("%s: %.*s", name, (int)d->findings.len, (const char *)d->findings.ptr);
    gm_fmu_close(fmu);
    gm_buf_finish(&report);
}

static void exported_models_run_as_they_do_here_and_break_no_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        gm_test_model m;
        gm_test_model_open(&m, gm_alloc_system(), models[i].text, NULL);
        if (m.status != GM_OK) fail_msg("%s: %s", models[i].name, (const char *)m.text.ptr);
        for (int version = 2; version <= 3; version++) {
            char path[1024];
            if (i >= 2 && (size_t)version == i) continue;  // each compilation takes a while: half of them will do
            export_as(m.program, version, "cc", models[i].stop, models[i].step, path, sizeof path);
            assert_no_rule_broken(path, models[i].name);
            for (gm_fmi_kind kind = GM_FMI_CO_SIMULATION; kind <= GM_FMI_MODEL_EXCHANGE; kind++) {
                table t;
                run_fmu(path, kind, NULL, 0, &t);
                reference        r = { .program = m.program, .t = &t };
                gm_solve_options o = gm_solve_options_defaults();
                gm_solve_report  report;
                gm_error         err = { 0 };
                o.stop      = models[i].stop;
                o.interval  = models[i].step;
                o.tolerance = 1e-9;
                o.executor  = GM_EXECUTOR_PLAIN;
                assert_gm_ok(gm_solve(gm_alloc_system(), m.program, &o, NULL, 0, compare, &r, &report, &err), err);
                if (r.error > models[i].tolerance) fail_msg("%s, FMI %d, %s: %s", models[i].name, version, gm_fmi_kind_text(kind), r.worst);
                assert_true(r.compared > 100);
                // A run that ends itself ends here at the same instant.
                if (fabs(t.rows[t.count - 1][0] - report.time) > 1e-6) fail_msg("%s ends at %g, not %g", models[i].name, t.rows[t.count - 1][0], report.time);
                done(&t);
            }
        }
        gm_test_model_close(&m);
    }
}

// T' = -k (T - 20): T = 20 + (T0 - 20) exp(-k t), with every kind of value set from outside.
static void parameters_inputs_and_start_values_are_set(void **state)
{
    (void)state;
    gm_test_model m;
    gm_test_model_open(&m, gm_alloc_system(),
                       "model Cooling parameter Real k(unit = \"1/s\") = 1; parameter Real twice = 2 * k; parameter Boolean heated = true;"
                       "  parameter Integer n = 1; input Real u(start = 0); Real T(unit = \"K\", displayUnit = \"degC\", start = 300, fixed = true);"
                       "  output Real y; equation der(T) = -k * (T - 20) + u; y = T * n + twice + (if heated then 1 else 0); end Cooling;", NULL);
    if (m.status != GM_OK) fail_msg("%s", (const char *)m.text.ptr);
    const gm_fmu_setting settings[] = { { GM_STR("k"), GM_STR("0.5") }, { GM_STR("heated"), GM_STR("false") }, { GM_STR("n"), GM_STR("3") },
                                        { GM_STR("u"), GM_STR("2") },   { GM_STR("T"), GM_STR("100") } };
    for (int version = 2; version <= 3; version++) {
        char path[1024];
        export_as(m.program, version, "cc", 2, 0.5, path, sizeof path);
        for (gm_fmi_kind kind = GM_FMI_CO_SIMULATION; kind <= GM_FMI_MODEL_EXCHANGE; kind++) {
            table t;
            run_fmu(path, kind, settings, 5, &t);
            size_t T = 0, y = 0, twice = 0;
            for (size_t c = 0; c < t.columns; c++) {
                if (strcmp(t.names[c], "T") == 0) T = c;
                if (strcmp(t.names[c], "y") == 0) y = c;
                if (strcmp(t.names[c], "twice") == 0) twice = c;
            }
            for (size_t i = 0; i < t.count; i++) {
                double expected = 24 + 76 * exp(-0.5 * t.rows[i][0]);
                if (fabs(t.rows[i][T] - expected) > 1e-4) fail_msg("T(%g) = %.9g, not %.9g", t.rows[i][0], t.rows[i][T], expected);
                assert_true(t.rows[i][twice] == 1 && fabs(t.rows[i][y] - (3 * t.rows[i][T] + 1)) < 1e-9);
            }
            done(&t);
        }
    }
    gm_test_model_close(&m);
}

// The three reactions of Robertson: rates nine orders of magnitude apart, so an explicit method would need millions of
// steps. Reference: E. Hairer, G. Wanner, Solving Ordinary Differential Equations II, section IV.10: y1(40) = 0.7158.
static void co_simulation_of_a_stiff_model_takes_few_steps(void **state)
{
    (void)state;
    gm_test_model m;
    gm_test_model_open(&m, gm_alloc_system(),
                       "model Robertson output Real a(start = 1, fixed = true); Real b(start = 0, fixed = true, nominal = 1e-5); Real c(start = 0, fixed = true);"
                       "equation der(a) = -0.04 * a + 1e4 * b * c; der(b) = 0.04 * a - 1e4 * b * c - 3e7 * b ^ 2; der(c) = 3e7 * b ^ 2; end Robertson;", NULL);
    char  path[1024];
    table t;
    export_as(m.program, 3, "cc", STIFF_STOP, 4, path, sizeof path);
    run_fmu(path, GM_FMI_CO_SIMULATION, NULL, 0, &t);
    for (size_t c = 0; c < t.columns; c++) {
        if (strcmp(t.names[c], "a") == 0 && fabs(t.rows[t.count - 1][c] - 0.7158270688) > 1e-6) fail_msg("a(40) = %.10g", t.rows[t.count - 1][c]);
    }
    done(&t);
    gm_test_model_close(&m);
}

static void a_failed_assert_and_a_loop_without_solution_end_the_run_with_their_reason(void **state)
{
    (void)state;
    static const struct { const char *text, *says; } cases[] = {
        { "model A Real x(start = 0, fixed = true); equation der(x) = 1; assert(x < 0.5, \"x is \\\"too\\\" high\"); end A;", "x is \"too\" high" },
        { "model B Real x(start = 1, fixed = true); Real y(start = 1); equation der(x) = -1 + 0.001 * y; y ^ 2 + y ^ 4 = x; end B;", "returned Error" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_test_model m;
        gm_test_model_open(&m, gm_alloc_system(), cases[i].text, NULL);
        if (m.status != GM_OK) fail_msg("%s", (const char *)m.text.ptr);
        char path[1024];
        export_as(m.program, 3, "cc", 2, 0.1, path, sizeof path);
        gm_fmu            *fmu = open_fmu(path);
        gm_fmu_run_options o   = gm_fmu_run_options_defaults();
        gm_buf             log = gm_buf_init(gm_alloc_system()), rows = gm_buf_init(gm_alloc_system());
        gm_error           err = { 0 };
        o.logging = true;
        assert_int_equal(gm_fmu_run(fmu, &o, keep, &rows, &log, &err), GM_INVALID);
        gm_buf_text(&log, err.text);
        gm_buf_byte(&log, '\0');
        if (strstr((const char *)log.ptr, cases[i].says) == NULL) fail_msg("'%s'", (const char *)log.ptr);
        gm_buf_finish(&log);
        gm_buf_finish(&rows);
        gm_fmu_close(fmu);
        gm_test_model_close(&m);
    }
}

static bool has_entry(const char *path, const char *name)
{
    zip_t *zip = zip_open(path, ZIP_RDONLY, NULL);
    assert_non_null(zip);
    bool there = zip_name_locate(zip, name, 0) >= 0;
    zip_discard(zip);
    return there;
}

static void sources_alone_need_no_compiler_and_a_missing_one_is_told(void **state)
{
    (void)state;
    gm_test_model m;
    gm_test_model_open(&m, gm_alloc_system(), models[0].text, NULL);
    char path[1024];
    export_as(m.program, 3, NULL, 1, 0.1, path, sizeof path);
    assert_true(has_entry(path, "sources/buildDescription.xml") && has_entry(path, "sources/model.c") && has_entry(path, "sources/gm_fmi3.c"));
    assert_false(has_entry(path, "sources/gm_fmi2.c") || has_entry(path, "binaries/x86_64-linux/Ball.so"));
    gm_fmu_export_options o   = gm_fmu_export_options_defaults();
    gm_error              err = { 0 };
    o.compiler                = "no-such-compiler";
    assert_int_equal(gm_fmu_export(gm_alloc_system(), m.program, &o, path, &err), GM_INVALID);
    assert_non_null(strstr(err.text, "no-such-compiler"));
    o.compiler = "false";
    assert_int_equal(gm_fmu_export(gm_alloc_system(), m.program, &o, path, &err), GM_INVALID);
    assert_non_null(strstr(err.text, "the compiler false fails"));
    o.compiler = "cc";
    assert_int_equal(gm_fmu_export(gm_alloc_system(), m.program, &o, "/nowhere/x.fmu", &err), GM_IO);
    gm_test_model_close(&m);
}

// Names that would leave a comment, a text or an attribute if they could.
static void hostile_names_stay_names(void **state)
{
    (void)state;
    gm_test_model m;
    gm_test_model_open(&m, gm_alloc_system(),
                       "model 'a\"<&>*/ \\n' \"says \\\"<&>\\\"\" Real 'x */ int y; /* \\\\'(start = 1, fixed = true); output Real 'line?\?/'; Real 'end\\\\';"
                       "equation der('x */ int y; /* \\\\') = -'x */ int y; /* \\\\'; 'line?\?/' = 2 * 'x */ int y; /* \\\\'; 'end\\\\' = time;"
                       "  assert(time < 9, \"%s \\\" ?\?/ \\\\\"); end 'a\"<&>*/ \\n';", NULL);
    if (m.status != GM_OK) fail_msg("%s", (const char *)m.text.ptr);
    char  path[1024];
    table t;
    export_as(m.program, 3, "cc", 1, 0.1, path, sizeof path);
    run_fmu(path, GM_FMI_CO_SIMULATION, NULL, 0, &t);
    assert_int_equal(t.count, 11);
    done(&t);
    gm_test_model_close(&m);
}

// More than one function to a section, and values that pass from one to the next.
static void long_sections_are_cut_into_functions(void **state)
{
    (void)state;
    gm_buf text = gm_buf_init(gm_alloc_system());
    gm_buf_text(&text, "model Chain parameter Integer n = 400; Real x[n](each start = 1, each fixed = true); output Real total; equation\n"
                       "  der(x[1]) = -x[1] + sin(time); for i in 2:n loop der(x[i]) = (x[i - 1] - x[i]) * (1 + 0.1 * cos(x[1] * i)); end for; total = sum(x);\n end Chain;");
    gm_buf_byte(&text, '\0');
    gm_test_model m;
    gm_test_model_open(&m, gm_alloc_system(), (const char *)text.ptr, NULL);
    if (m.status != GM_OK) fail_msg("%s", (const char *)m.text.ptr);
    char path[1024];
    export_as(m.program, 2, "cc", 0.5, 0.1, path, sizeof path);
    gm_fmu            *fmu = open_fmu(path);
    gm_fmu_run_options o   = gm_fmu_run_options_defaults();
    gm_error           err = { 0 };
    table              t   = { .text = gm_buf_init(gm_alloc_system()) };
    o.kind                 = GM_FMI_MODEL_EXCHANGE;
    o.method               = GM_FMU_ACCURATE;
    assert_gm_ok(gm_fmu_run(fmu, &o, keep, &t.text, NULL, &err), err);
    parse(&t);
    reference        r = { .program = m.program, .t = &t };
    gm_solve_options s = gm_solve_options_defaults();
    gm_solve_report  report;
    s.stop     = 0.5;
    s.interval = 0.1;
    s.executor = GM_EXECUTOR_PLAIN;
    assert_gm_ok(gm_solve(gm_alloc_system(), m.program, &s, NULL, 0, compare, &r, &report, &err), err);
    if (r.error > 1e-4 || r.compared < 6) fail_msg("%s", r.worst);
    done(&t);
    gm_fmu_close(fmu);
    gm_test_model_close(&m);
    gm_buf_finish(&text);
}

int main(void)
{
    gm_test_make_dir(folder, sizeof folder);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exported_models_run_as_they_do_here_and_break_no_rule),
        cmocka_unit_test(parameters_inputs_and_start_values_are_set),
        cmocka_unit_test(co_simulation_of_a_stiff_model_takes_few_steps),
        cmocka_unit_test(a_failed_assert_and_a_loop_without_solution_end_the_run_with_their_reason),
        cmocka_unit_test(sources_alone_need_no_compiler_and_a_missing_one_is_told),
        cmocka_unit_test(hostile_names_stay_names),
        cmocka_unit_test(long_sections_are_cut_into_functions),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    gm_test_remove_dir(folder);
    return failed;
}
