// Texts become flat models, and faults become messages with a place.
#include "physics/modelica/assembly.h"
#include "physics/modelica_support.h"

// ---------------------------------------------------------------------------------------------------- golden files

static void read_text(const char *path, gm_buf *out)
{
    uint8_t *bytes = NULL;
    size_t   size  = 0;
    if (gm_io_read_file(gm_io_system(), path, 1 << 20, &bytes, &size, NULL) != GM_OK) return;
    gm_buf_add(out, bytes, size);
    gm_free(gm_io_system()->alloc, bytes);
}

// GM_GOLDEN_WRITE=1 writes the files anew; a person reads the difference.
static void flat_models_look_as_they_did(void **state)
{
    (void)state;
    static const char *const names[] = { "base.bmo", "events.mo", "ladder.mo", "plant.mo" };
    const char *root = getenv("GM_SOURCE_ROOT");
    if (root == NULL) root = ".";
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char in[1024], want[1100];
        snprintf(in, sizeof in, "%s/tests/golden/modelica/%s", root, names[i]);
        snprintf(want, sizeof want, "%s.flat", in);
        gm_error     err = { 0 };
        gm_diags     diags;
        gm_flat     *flat = NULL;
        gm_buf       text = gm_buf_init(gm_alloc_system()), expected = gm_buf_init(gm_alloc_system()),
               said       = gm_buf_init(gm_alloc_system());
        gm_modelica *m    = gm_modelica_create(gm_alloc_system(), &err);
        gm_diags_init(&diags, gm_alloc_system());
        assert_non_null(m);
        assert_gm_ok(gm_modelica_add_path(m, gm_io_system(), in, &diags, &err), err);
        gm_status st = gm_modelica_flatten(m, gm_modelica_last_class(m), NULL, &diags, &flat, &err);
        if (st != GM_OK) fail_msg("%s: %s", names[i], err.text);
        gm_flat_dump(flat, &text);
        if (getenv("GM_GOLDEN_WRITE") != NULL) {
            assert_gm_ok(gm_io_replace_file(gm_io_system(), want, text.ptr, text.len, &err), err);
        }
        read_text(want, &expected);
        if (!gm_str_eq(gm_buf_view(&text), gm_buf_view(&expected))) {
            fail_msg("%s differs:\n%.*s", want, (int)text.len, (const char *)text.ptr);
        }
        gm_buf_finish(&said);
        gm_buf_finish(&expected);
        gm_buf_finish(&text);
        gm_flat_destroy(flat);
        gm_diags_finish(&diags);
        gm_modelica_destroy(m);
    }
}

// ---------------------------------------------------------------------------------------------------- messages

typedef struct fault { const char *text; uint32_t line, column; const char *says; } fault;

// Each text has (at least) the fault; its message stands at that place.
static const fault faults[] = {
    // reading
    { "model M\n  Real x\n  Real y;\nend M;", 2, 9, "`;` is expected at the end of the declaration, before `Real`" },
    { "model M\nequation\n  x = ;\nend M;", 3, 7, "an expression is expected, found `;`" },
    { "model M\nequation\n  x := 1;\nend M;", 3, 5, "`=` is expected in an equation" },
    { "model M\nalgorithm\n  x = 1;\nend M;", 3, 5, "`:=` is expected in an algorithm" },
    { "model M\n  Real x;\nend N;", 3, 5, "`end M` is expected, for the class opened in line 1" },
    { "model M\n  Real x;\n", 3, 1, "the text ends here" },
    { "model M\n  Real x = (1 + 2;\nend M;", 2, 18, "`)` is expected to close the parenthesis" },
    { "model M\n  Real x = \"abc;\nend M;", 2, 12, "this string is never closed" },
    { "model M\n  /* Real x;\nend M;", 2, 3, "this comment is never closed" },
    { "model M\n  Boolean b = 1 < 2 < 3;\nend M;", 2, 21, "comparisons can not be chained" },
    { "model M\nequation\n  if x > 1 then\n    y = 1;\n  end for;\nend M;", 5, 7,
      "`if` is expected to close `if` of line 3" },
    { "model M\n  Real x;\n  Real x;\nend M;", 3, 8, "`x` is declared already, in line 2" },
    { "model M\n  x = 1;\nend M;", 2, 3, "is `equation` missing above this line?" },
    { "model M\n  Real y = 2^3^4;\nend M;", 2, 15, "`^` can not be chained" },
    { "model M\n  Real y = if true then 1;\nend M;", 2, 26,
      "`else` is expected (an if-expression needs a value for every case)" },
    // names
    { "model M\n  Reel x;\nend M;", 2, 3, "there is no class `Reel`" },
    { "model M\n  Real height;\nequation\n  heigth = 1;\nend M;", 4, 3,
      "there is no `heigth` here; is `height` meant?" },
    { "model T Real level; end T;\nmodel M\n  T t;\nequation\n  t.levle = 1;\nend M;", 5, 5,
      "there is no `levle` in `T`; is `level` meant?" },
    { "model T parameter Real A = 1; end T;\nmodel M\n  T t(a = 2);\nend M;", 3, 7,
      "there is no `a` in `T`; is `A` meant?" },
    { "model M\n  Real x(strat = 1);\nend M;", 2, 10, "there is no attribute `strat`" },
    { "model M extends M; end M;", 1, 7, "`M` inherits from itself" },
    { "model A B b; end A; model B A a; end B; model M A a; end M;", 0, 0, "nested more than" },
    { "model M\n  Real x = foo(1);\nend M;", 2, 12, "there is no function `foo`" },
    // types and sizes
    { "model M\n  parameter Boolean b = 3;\nend M;", 2, 25, "`b` is Boolean, but its value is Integer" },
    { "model M\n  parameter Integer i = 1.5;\nend M;", 2, 25, "`i` is Integer, but its value is Real" },
    { "model M\n  Real z[3] = {1, 2};\nend M;", 2, 15, "`z` is Real[3], but its value is Real[2]" },
    { "model M\n  Real x = 1 + true;\nend M;", 2, 12, "`+` between Integer and Boolean has no meaning" },
    { "model M\n  Real x[2]; Real y = x[3];\nend M;", 2, 23, "element 3 of `x` is asked for, it has 2" },
    { "model M\n  Real x = sin(1, 2);\nend M;", 2, 12, "`sin` takes 1 argument, here are 2" },
    { "model M\n  Real x[2, 3]; Real y[3] = x*{1, 2};\nend M;", 2, 29,
      "`*` between Real[2, 3] and Integer[2] has no meaning" },
    { "model M\n  Real x = if 1 then 2 else 3;\nend M;", 2, 15, "a condition is a Boolean, this is Integer" },
    { "model M\n  parameter Real p = x;\n  Real x = 1;\nend M;", 2, 22,
      "the parameter `p` can not depend on something that varies" },
    { "model M\n  Integer n; Real x[n];\nend M;", 2, 21, "an array's size must be known before the simulation begins" },
    { "model M\n  constant Real c;\nend M;", 2, 17, "the constant `c` has no value" },
    { "model M\n  type E = enumeration(a, b); E e = E.c;\nend M;", 2, 39, "`c` is not one of `M.E`" },
    { "function f input Real x; output Real y; algorithm\n  while x > 1 loop\n    y := 1;\n  end while;\nend f;\nmodel "
      "M Real z = f(time); end M;",
      2, 9, "how often this loop runs is not known before the simulation" },
    { "function f input Real x; output Real y; algorithm y := f(x); end f;\nmodel M Real z = f(time); end M;", 0, 0,
      "functions call one another more than" },
    { "function f input Real x; output Real y; algorithm y := x; end f;\nmodel M\n  Real z = f();\nend M;", 3, 12,
      "`f` needs a value for `x`" },
    // connections and equations
    { "connector A Real p; end A; connector B Real q; end B; model M A a; B b; equation\n  connect(a, b);\nend M;", 2,
      3, "`p` is missing in the second" },
    { "connector A Real p; flow Real f; end A; connector B Real p; Real f; end B; model M A a; B b; equation\n  "
      "connect(a, b);\nend M;",
      2, 3, "one is a flow, the other is not" },
    { "model M Real a; Real b; equation\n  connect(a, b);\nend M;", 2, 11, "`a` is Real, not a connector" },
    { "connector C Real p; flow Real f; end C; model M C c; equation\n  connect(c, c);\nend M;", 2, 3,
      "`c` is connected to itself" },
    { "connector C = input Real; model M C c[2]; C d[3]; equation\n  connect(c, d);\nend M;", 2, 3,
      "`c` is 2 connectors, `d` 3" },
    { "model M Real x; equation\n  reinit(x, 1);\nend M;", 2, 3, "`reinit` belongs into a `when`" },
    { "model M Real x, y; equation\n  if time > 1 then x = 1; y = 2; else x = 3; end if;\nend M;", 2, 3,
      "the cases of this `if` have 2 and 1 equations" },
    { "model M Real x; equation when time > 1 then\n  2*x = 1;\nend when; end M;", 2, 3,
      "the left side of an equation in `when` is a variable" },
    // what is not supported says so
    { "connector S Real p; flow Real m; stream Real h; end S; model M\n  S s;\nend M;", 1, 46,
      "`stream` is not supported" },
    { "model M\n  outer Real x;\nend M;", 2, 14, "has no `inner x`" },
    { "function g input Real x; output Real y; external \"C\"; end g;\nmodel M\n  Real y = g(1);\nend M;", 3, 12,
      "`g` is an external function; these are not supported" },
    { "model M\n  Real x = cardinality(1);\nend M;", 2, 12, "`cardinality` is not supported" },
};

static bool says(const gm_diags *diags, const fault *f)
{
    for (uint32_t i = 0; i < diags->count; i++) {
        const gm_diag *d = &diags->items[i];
        if (d->line == f->line && d->column == f->column && gm_str_find(d->text, gm_str_of(f->says)) != SIZE_MAX)
            return true;
    }
    return false;
}

static void every_fault_is_named_at_its_place(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        gm_test_model t;
        gm_test_model_open(&t, gm_alloc_system(), faults[i].text, NULL);
        bool limit = faults[i].line == 0;
        bool named = limit ? strstr(t.err.text, faults[i].says) != NULL : says(&t.diags, &faults[i]);
        if (t.status != (limit ? GM_LIMIT : GM_INVALID) || !named) {
            print_error("%zu: '%s'\nstatus %d (%s), instead of %u:%u '%s':\n%s", i, faults[i].text, (int)t.status,
                        t.err.text, faults[i].line, faults[i].column, faults[i].says, (const char *)t.text.ptr);
            wrong++;
        }
        gm_test_model_close(&t);
    }
    assert_int_equal(wrong, 0);
}

static void a_message_shows_the_line_and_a_caret(void **state)
{
    (void)state;
    gm_test_model t;
    gm_test_model_open(&t, gm_alloc_system(), "model M\n\tReal r\xc3\xa4ume, x;\nequation\n  x = nothing;\nend M;",
                       NULL);
    assert_non_null(strstr(
        (const char *)t.text.ptr,
        "m.mo:2:8: error: this character has no meaning here\n    2 |  Real r\xc3\xa4ume, x;\n      |        ^\n"));
    gm_test_model_close(&t);
    gm_test_model_open(&t, gm_alloc_system(), "model M Real x;\nequation\n  x = nothing + 1;\nend M;", NULL);
    assert_non_null(
        strstr((const char *)t.text.ptr,
               "m.mo:3:7: error: there is no `nothing` here\n    3 |   x = nothing + 1;\n      |       ^~~~~~~\n"));
    gm_test_model_close(&t);
}

static void one_run_reports_many_errors(void **state)
{
    (void)state;
    gm_test_model t;
    gm_test_model_open(&t, gm_alloc_system(),
                       "model M\n  Real x y;\n  Real z = ;\nequation\n  x = (1;\n  when z > then\n    y = 1;\n  end "
                       "when;\n  der(x) = 2\nend M;\nmodel N\n  Real ;\nend N;",
                       NULL);
    assert_int_equal(t.status, GM_INVALID);
    static const uint32_t lines[] = { 2, 3, 5, 6, 9, 12 };
    assert_int_equal(t.diags.count, sizeof lines / sizeof lines[0]);
    for (uint32_t i = 0; i < t.diags.count; i++) assert_int_equal(t.diags.items[i].line, lines[i]);
    gm_test_model_close(&t);
}

// ---------------------------------------------------------------------------------------------------- units

static void dimensions_that_differ_are_told_with_both(void **state)
{
    (void)state;
    static const struct { const char *text; const char *says;
    } cases[] = {
        { "model M Real v(unit=\"V\"), i(unit=\"A\"); equation v = i; i = 1; end M;", "[kg.m2.s-3.A-1] and [A]" },
        { "model M Real p(unit=\"W\"), q(unit=\"J\"); equation p = der(q); q = time; end M;", NULL },
        { "model M Real p(unit=\"W\"), q(unit=\"J\"); equation p = q; q = time; end M;",
          "the sides of the equation are [kg.m2.s-3] and [kg.m2.s-2]" },
        { "model M Real T(unit=\"K\"), c(unit=\"degC\"); equation c = T - 273.15; T = time; end M;", NULL },
        { "model M Real w(unit=\"rad/s\"), f(unit=\"Hz\"); equation w = f; f = time; end M;", NULL },
        { "model M Real m(unit=\"kg\"), v(unit=\"m/s\"), E(unit=\"J\"); equation E = 0.5*m*v^2; m = 1; v = time; end "
          "M;",
          NULL },
        { "model M Real x(unit=\"m\"), y; equation y = exp(x); x = time; end M;",
          "the argument of exp is [m] and [1]" },
        { "model M Real x(unit=\"m\"), t(unit=\"s\"), y; equation y = x + t; x = time; t = time; end M;",
          "the terms of a sum are [m] and [s]" },
        { "model M Real a(unit=\"m2\"), b(unit=\"m\"); equation b = sqrt(a); a = time; end M;", NULL },
        { "model M Real a(unit=\"furlong\"); equation a = time; end M;", "unknown name furlong" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_test_model t;
        gm_test_model_open(&t, gm_alloc_system(), cases[i].text, NULL);
        const char *text = (const char *)t.text.ptr;
        if (t.status != GM_OK) fail_msg("'%s': %s", cases[i].text, t.err.text);
        bool good = cases[i].says == NULL ? strstr(text, "units") == NULL
                                          : strstr(text, cases[i].says) != NULL && strstr(text, "warning") != NULL;
        if (!good) fail_msg("'%s' says\n%s", cases[i].text, text);
        // Strictly, the same is an error.
        gm_flatten_options strict = { .strict_units = true };
        gm_flat           *flat   = NULL;
        gm_diags           diags;
        gm_diags_init(&diags, gm_alloc_system());
        gm_status st = gm_modelica_flatten(t.m, GM_STR("M"), &strict, &diags, &flat, &t.err);
        assert_int_equal(st, cases[i].says == NULL ? GM_OK : GM_INVALID);
        gm_flat_destroy(flat);
        gm_diags_finish(&diags);
        gm_test_model_close(&t);
    }
}

// ---------------------------------------------------------------------------------------------------- hooks

static void collect(void *context, gm_str name, gm_str interface_id)
{
    gm_buf_printf(context, GM_STR_FMT "=" GM_STR_FMT ";", GM_STR_ARG(name), GM_STR_ARG(interface_id));
}

static void classes_name_their_interface_and_connections(void **state)
{
    (void)state;
    gm_error     err = { 0 };
    gm_diags     diags;
    gm_buf       list = gm_buf_init(gm_alloc_system());
    gm_modelica *m    = gm_modelica_create(gm_alloc_system(), &err);
    gm_diags_init(&diags, gm_alloc_system());
    assert_gm_ok(gm_modelica_add(m, GM_STR("p.mo"),
                                 GM_STR("package P model T Real x; annotation(Icon(x={{1,2},{3,4}}), "
                                        "__gemel(interface=\"dtmi:t;1\", connect(feeds=\"out,in\"))); end T;"
                                        "partial model B end B; model U extends B; end U; end P;"),
                                 &diags, &err),
                 err);
    gm_modelica_each_class(m, collect, &list);
    assert_true(gm_str_is(gm_buf_view(&list), "P.T=dtmi:t;1;P.U=;"));
    assert_true(gm_str_is(gm_modelica_connect_rule(m, GM_STR("P.T"), GM_STR("feeds")), "out,in"));
    assert_int_equal(gm_modelica_connect_rule(m, GM_STR("P.T"), GM_STR("other")).len, 0);
    assert_true(gm_str_starts(gm_modelica_annotation(m, GM_STR("P.T")), GM_STR("(Icon(")));
    assert_true(gm_str_is(gm_modelica_last_class(m), "P.U"));
    gm_buf_finish(&list);
    gm_diags_finish(&diags);
    gm_modelica_destroy(m);
}

static const char parts[] =
    "connector Port Real p(unit=\"Pa\"); flow Real m(unit=\"kg/s\"); end Port;"
    "model Tank Port out; parameter Real A=1; Real level(start=1,fixed=true); equation out.p = 9810*level; "
    "1000*A*der(level) = out.m;"
    " annotation(__gemel(interface=\"dtmi:tank;1\")); end Tank;"
    "model Pipe Port a; Port b; parameter Real k=1e-3; equation a.m + b.m = 0; a.m = k*(a.p - b.p); end Pipe;";

// The same two tanks, drawn by hand and put together from names that no language would take.
static void an_assembly_of_twins_equals_the_class_drawn_by_hand(void **state)
{
    (void)state;
    char text[4000];
    snprintf(text, sizeof text,
             "%s model Hand Tank t1(A=2, level(start=3)); Tank t2; Pipe p(k=2e-3); equation connect(t1.out, p.a); "
             "connect(p.b, t2.out); end Hand;",
             parts);
    gm_test_model hand, made;
    gm_test_model_open(&hand, gm_alloc_system(), text, NULL);
    assert_gm_ok(hand.status, hand.err);

    gm_assembly a = gm_assembly_begin(gm_alloc_system(), GM_STR("plant 7"));
    gm_assembly_component(&a, GM_STR("tank-1"), GM_STR("Tank"));
    gm_assembly_set(&a, GM_STR("A"), 2);
    gm_assembly_start(&a, GM_STR("level"), 3);
    gm_assembly_component(&a, GM_STR("it's"), GM_STR("Tank"));
    gm_assembly_component(&a, GM_STR("model"), GM_STR("Pipe"));
    gm_assembly_set(&a, GM_STR("k"), 2e-3);
    gm_assembly_connect(&a, GM_STR("tank-1"), GM_STR("out"), GM_STR("model"), GM_STR("a"));
    gm_assembly_connect(&a, GM_STR("model"), GM_STR("b"), GM_STR("it's"), GM_STR("out"));
    gm_str  written = gm_assembly_text(&a);
    snprintf(text, sizeof text, "%s %.*s", parts, (int)written.len, written.ptr);
    gm_assembly_finish(&a);
    gm_test_model_open(&made, gm_alloc_system(), text, NULL);
    if (made.status != GM_OK) fail_msg("%s\n%s", text, (const char *)made.text.ptr);
    assert_int_equal(made.flat->component_count, 3);
    assert_true(gm_str_is(made.flat->components[0].name, "tank-1"));
    assert_true(gm_str_is(made.flat->components[1].interface_id, "dtmi:tank;1"));

    gm_test_model_begin(&hand, GM_METHOD_RK4, 1e-9);
    gm_test_model_begin(&made, GM_METHOD_RK4, 1e-9);
    gm_lanes_start(hand.lanes, 0, hand.worker, GM_START_FRESH);
    gm_lanes_start(made.lanes, 0, made.worker, GM_START_FRESH);
    gm_lanes_steps(hand.lanes, 0, hand.worker, 0.5, 100);
    gm_lanes_steps(made.lanes, 0, made.worker, 0.5, 100);
    assert_true(gm_test_value(&hand, "t1.level") == gm_test_value(&made, "tank-1.level"));
    assert_true(gm_test_value(&hand, "t2.level") == gm_test_value(&made, "it's.level"));
    assert_true(gm_test_value(&made, "tank-1.level") < 3);
    gm_test_model_close(&hand);
    gm_test_model_close(&made);
}

static void a_class_can_be_replaced(void **state)
{
    (void)state;
    gm_error     err = { 0 };
    gm_diags     diags;
    gm_flat     *flat = NULL;
    gm_modelica *m    = gm_modelica_create(gm_alloc_system(), &err);
    gm_diags_init(&diags, gm_alloc_system());
    assert_gm_ok(gm_modelica_add(m, GM_STR("1"), GM_STR("model M Real x = 1; end M;"), &diags, &err), err);
    assert_int_equal(gm_modelica_add(m, GM_STR("2"), GM_STR("model M Real y = 1; end M;"), &diags, &err), GM_INVALID);
    gm_modelica_remove(m, GM_STR("M"));
    assert_int_equal(gm_modelica_flatten(m, GM_STR("M"), NULL, &diags, &flat, &err), GM_NOTFOUND);
    assert_gm_ok(gm_modelica_add(m, GM_STR("3"), GM_STR("model M Real z = 1; end M;"), &diags, &err), err);
    assert_gm_ok(gm_modelica_flatten(m, GM_STR("M"), NULL, &diags, &flat, &err), err);
    assert_true(gm_str_is(flat->vars[0].name, "z"));
    gm_flat_destroy(flat);
    gm_diags_finish(&diags);
    gm_modelica_destroy(m);
}

static void limits_stop_what_grows_without_end(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "model M Real x[1000000]; equation for i in 1:1000000 loop x[i] = 1; end for; end M;",
        "function f input Real x; output Real y; algorithm y := x; for i in 1:100000 loop for j in 1:100000 loop y := "
        "y + 1; end for; end for; end f; model M Real z = f(time); end M;",
        "function f input Integer n; output Integer y; algorithm y := if n < 2 then 1 else f(n-1) + f(n-2); end f; "
        "model M parameter Integer k = f(60); end M;",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        gm_test_model t;
        gm_test_model_open(&t, gm_alloc_system(), texts[i], NULL);
        if (t.status != GM_LIMIT) fail_msg("%zu: status %d %s", i, (int)t.status, t.err.text);
        gm_test_model_close(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flat_models_look_as_they_did),
        cmocka_unit_test(every_fault_is_named_at_its_place),
        cmocka_unit_test(a_message_shows_the_line_and_a_caret),
        cmocka_unit_test(one_run_reports_many_errors),
        cmocka_unit_test(dimensions_that_differ_are_told_with_both),
        cmocka_unit_test(classes_name_their_interface_and_connections),
        cmocka_unit_test(an_assembly_of_twins_equals_the_class_drawn_by_hand),
        cmocka_unit_test(a_class_can_be_replaced),
        cmocka_unit_test(limits_stop_what_grows_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
