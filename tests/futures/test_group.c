// The graph is the diagram: groups of twins against classes drawn by hand, shapes shared, forks from live values.
#include "futures/group.h"
#include "physics/exec/lanes.h"
#include "physics/modelica/modelica.h"
#include "support/small_plant.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define CONTENT(type, name, more) "{\"@type\":" type ",\"name\":\"" name "\",\"schema\":\"double\"" more "}"
#define PROPERTY(name) CONTENT("\"Property\"", name, ",\"writable\":true")
#define TELEMETRY(name) CONTENT("\"Telemetry\"", name, "")
#define FEEDS(target) "{\"@type\":\"Relationship\",\"name\":\"feeds\"" target "}"
#define INTERFACE(id, extends, contents)                                                                              \
    "{\"@context\":[\"dtmi:dtdl:context;3\",\"dtmi:dtdl:extension:quantitativeTypes;1\"],\"@id\":\"" id                \
    "\",\"@type\":\"Interface\"" extends ",\"contents\":[" contents "]}"

static const char models[] =
    "[" INTERFACE("dtmi:t:Decay;1", "", PROPERTY("x") "," PROPERTY("k"))
    "," INTERFACE("dtmi:t:Part;1", "", FEEDS(""))
    "," INTERFACE("dtmi:t:Tank;1", ",\"extends\":\"dtmi:t:Part;1\"", PROPERTY("A") "," TELEMETRY("level") ","
                  CONTENT("[\"Telemetry\",\"Temperature\"]", "T", ",\"unit\":\"degreeCelsius\"") ","
                  CONTENT("[\"Property\",\"Volume\"]", "hold", ",\"unit\":\"litre\""))
    "," INTERFACE("dtmi:t:BigTank;1", ",\"extends\":\"dtmi:t:Tank;1\"", PROPERTY("colour"))
    "," INTERFACE("dtmi:t:Pipe;1", ",\"extends\":\"dtmi:t:Part;1\"", PROPERTY("k"))
    "," INTERFACE("dtmi:t:Source;1", "", "{\"@type\":\"Relationship\",\"name\":\"pours\"}," PROPERTY("flow"))
    "," INTERFACE("dtmi:t:Paint;1", "", PROPERTY("colour")) "]";

static const char behaviors[] =
    "package P\n"
    "  connector Port Real p(unit=\"Pa\"); flow Real q(unit=\"m3/s\"); end Port;\n"
    "  model Tank\n"
    "    parameter Real A(unit=\"m2\") = 10;\n"
    "    parameter Real height(unit=\"m\") = 2;\n"
    "    parameter Real weight(unit=\"Pa/m\") = 1e4;\n"
    "    parameter Real slow(unit=\"s\") = 100, quick(unit=\"s\") = 10, cold(unit=\"K\") = 280;\n"
    "    parameter Real hold(unit=\"m3\") = A*height;\n"
    "    parameter Real hole(unit=\"m2/s\") = 0;\n"
    "    Real level(unit=\"m\", start=1, fixed=true);\n"
    "    Real T(unit=\"K\", start=300, fixed=true);\n"
    "    Real filtered(unit=\"m\");\n"
    "    input Real rain(unit=\"m3/s\") = 0;\n"
    "    Port port;\n"
    "  initial equation\n"
    "    filtered = level;\n"
    "  equation\n"
    "    port.p = weight*level;\n"
    "    A*der(level) = port.q + rain - hole*level;\n"
    "    der(T) = (cold - T)/slow;\n"
    "    der(filtered) = (level - filtered)/quick;\n"
    "    annotation(__gemel(interface=\"dtmi:t:Tank;1\", connect(feeds=\"port,a\"), fault(leak=\"hole=0.5\")));\n"
    "  end Tank;\n"
    "  model Pipe\n"
    "    parameter Real k = 1e-5;\n"
    "    Port a, b;\n"
    "  equation\n"
    "    a.q = k*(a.p - b.p); a.q + b.q = 0;\n"
    "    annotation(__gemel(interface=\"dtmi:t:Pipe;1\", connect(feeds=\"b,port\")));\n"
    "  end Pipe;\n"
    "  model Source\n"
    "    input Real 'flow'(unit=\"m3/s\", start=0.25);\n"
    "    Real out;\n"
    "  equation\n"
    "    out = 2*'flow';\n"
    "    annotation(__gemel(interface=\"dtmi:t:Source;1\", connect(pours=\"out->rain\")));\n"
    "  end Source;\n"
    "end P;\n"
    "model Decay\n"
    "  parameter Real k(unit=\"1/s\") = 1;\n"
    "  Real x(start=1, fixed=true);\n"
    "equation\n"
    "  der(x) = -k*x;\n"
    "  annotation(__gemel(interface=\"dtmi:t:Decay;1\"));\n"
    "end Decay;\n";

typedef struct world {
    gm_small_plant plant;
    gm_behaviors  *behaviors;
    gm_diags       diags;
    gm_error       err;
} world;

static char *said(const gm_diags *diags)
{
    gm_buf out = gm_buf_init(gm_alloc_system());
    gm_diags_write(diags, &out);
    gm_buf_byte(&out, 0);
    return (char *)out.ptr;
}

static void open_with(world *w, const char *text)
{
    gm_behavior_text one = { GM_STR("behaviors/p.mo"), gm_str_of(text) };
    *w                   = (world){ 0 };
    gm_small_plant_open(&w->plant, gm_alloc_system(), models);
    gm_diags_init(&w->diags, gm_alloc_system());
    assert_gm_ok(gm_behaviors_create(gm_alloc_system(), NULL, 0, &one, 1, &w->diags, &w->behaviors, &w->err), w->err);
}

static void open_world(world *w)
{
    open_with(w, behaviors);
    if (w->diags.errors > 0) fail_msg("%s", said(&w->diags));
}

static void close_world(world *w)
{
    gm_behaviors_destroy(w->behaviors);
    gm_diags_finish(&w->diags);
    gm_small_plant_close(&w->plant);
}

static gm_group *group_of(world *w, const char *id)
{
    gm_group *group = NULL;
    gm_twin   root  = gm_state_find(w->plant.state, gm_str_of(id));
    if (gm_group_open(w->behaviors, w->plant.state, root, &w->diags, &group, &w->err) != GM_OK)
        fail_msg("%s: %s\n%s", id, w->err.text, said(&w->diags));
    return group;
}

static gm_group_variable variable_of(const gm_group *group, const char *name)
{
    gm_group_variable v;
    if (!gm_group_find(group, gm_str_of(name), &v)) fail_msg("there is no %s", name);
    return v;
}

// In the column's unit.
static double outside(const gm_group *group, const double *slots, const char *name)
{
    gm_group_variable v = variable_of(group, name);
    return (slots[v.slot.v] - v.offset) / v.factor;
}

static double *forked(world *w, gm_group *group, gm_fork_report *report)
{
    double         *slots  = calloc(gm_program_slot_count(gm_group_program(group)), sizeof *slots);
    gm_group_reader reader = gm_group_live_reader(w->plant.state);
    assert_gm_ok(gm_group_fork(group, &reader, 0, slots, report, &w->err), w->err);
    return slots;
}

// Runs one lane from the slots with RK4 and brings the slots up to date.
static void run_on(const gm_program *program, double *slots, double step, uint32_t steps)
{
    gm_error        err     = { 0 };
    gm_plan        *plan    = NULL;
    gm_lanes       *lanes   = NULL;
    gm_worker      *worker  = NULL;
    gm_plan_options options = gm_plan_options_defaults();
    assert_gm_ok(gm_plan_create(gm_alloc_system(), program, &options, &plan, &err), err);
    assert_gm_ok(gm_lanes_create(gm_alloc_system(), plan, 1, &lanes, &err), err);
    assert_gm_ok(gm_worker_create(gm_alloc_system(), plan, &worker, &err), err);
    for (uint32_t i = 0; i < gm_program_slot_count(program); i++) gm_lanes_fill(lanes, (gm_slot){ i }, slots[i]);
    gm_lanes_start(lanes, 0, worker, GM_START_FORKED);
    gm_lanes_steps(lanes, 0, worker, step, steps);
    gm_lanes_observe(lanes, 0, worker);
    assert_int_equal(gm_lanes_report(lanes, 0).status, GM_LANE_ACTIVE);
    for (uint32_t i = 0; i < gm_program_slot_count(program); i++) slots[i] = gm_lanes_get(lanes, (gm_slot){ i }, 0);
    gm_worker_destroy(worker);
    gm_lanes_destroy(lanes);
    gm_plan_destroy(plan);
}

#define TWIN(type, more) "{\"$metadata\":{\"$model\":\"dtmi:t:" type ";1\"}" more "}"

static void one_twin_of_one_class_runs_from_its_live_state(void **state)
{
    (void)state;
    world          w;
    gm_fork_report report;
    open_world(&w);
    gm_small_plant_twin(&w.plant, "t1", TWIN("Decay", ",\"x\":2,\"k\":1.5"));
    gm_group *group = group_of(&w, "t1");
    double   *slots = forked(&w, group, &report);
    assert_int_equal(report.values, 2);
    assert_int_equal(report.missing, 0);
    run_on(gm_group_program(group), slots, 0.01, 100);
    assert_true(fabs(outside(group, slots, "t1.x") - 2 * exp(-1.5)) < 1e-8);
    assert_int_equal(variable_of(group, "t1.x").role, GM_ROLE_STATE);
    assert_int_equal(variable_of(group, "t1.k").role, GM_ROLE_PARAMETER);
    free(slots);

    gm_small_plant_twin(&w.plant, "t1", TWIN("Decay", ",\"x\":4"));  // the same group forks what is live now
    slots = forked(&w, group, &report);
    assert_int_equal(report.missing, 1);
    assert_true(slots[variable_of(group, "t1.k").slot.v] == 1);  // the class's own
    assert_true(outside(group, slots, "t1.x") == 4);
    free(slots);
    gm_group_close(group);
    close_world(&w);
}

// Two tanks, a pipe between them, and rain into the first.
static void draw_tanks(world *w, const char *prefix)
{
    char a[40], b[40], pipe[40], source[40];
    snprintf(a, sizeof a, "%sa-1", prefix);
    snprintf(b, sizeof b, "%sb", prefix);
    snprintf(pipe, sizeof pipe, "%smodel", prefix);
    snprintf(source, sizeof source, "%sP", prefix);  // also the name of the package
    gm_small_plant_twin(&w->plant, a, TWIN("Tank", ",\"A\":2,\"level\":3,\"T\":20"));
    gm_small_plant_twin(&w->plant, b, TWIN("Tank", ",\"hold\":5000"));
    gm_small_plant_twin(&w->plant, pipe, TWIN("Pipe", ",\"k\":2e-5"));
    gm_small_plant_twin(&w->plant, source, TWIN("Source", ",\"flow\":0.125"));
    gm_small_plant_relate(&w->plant, a, "r1", "feeds", pipe, "{}");
    gm_small_plant_relate(&w->plant, pipe, "r2", "feeds", b, "{}");
    gm_small_plant_relate(&w->plant, source, "r3", "pours", a, "{}");
}

static void a_group_equals_the_class_drawn_by_hand(void **state)
{
    (void)state;
    static const char whole[] = "model Whole\n"
                                "  P.Tank a(A=2, level(start=3), T(start=293.15), rain=s.out), b(hold=5);\n"
                                "  P.Pipe p(k=2e-5);\n"
                                "  P.Source s('flow'=0.125);\n"
                                "equation connect(a.port, p.a); connect(p.b, b.port);\n"
                                "annotation(__gemel(interface=\"dtmi:t:Paint;1\"));\n"
                                "end Whole;\n";
    static const char *const pairs[][2] = {
        { "a-1.level", "w.a.level" }, { "b.level", "w.b.level" },       { "a-1.T", "w.a.T" },
        { "b.T", "w.b.T" },           { "model.a.q", "w.p.a.q" },       { "a-1.filtered", "w.a.filtered" },
        { "P.out", "w.s.out" },       { "a-1.port.p", "w.a.port.p" },   { "b.filtered", "w.b.filtered" },
    };
    world          w;
    gm_fork_report report;
    char           text[6000];
    snprintf(text, sizeof text, "%s%s", behaviors, whole);
    open_with(&w, text);
    draw_tanks(&w, "");
    gm_small_plant_twin(&w.plant, "w", TWIN("Paint", ""));
    gm_group *drawn = group_of(&w, "b"), *hand = group_of(&w, "w");
    assert_int_equal(gm_group_twin_count(drawn), 4);
    double *x = forked(&w, drawn, &report), *y = forked(&w, hand, &report);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
            gm_group_variable u = variable_of(drawn, pairs[i][0]), v = variable_of(hand, pairs[i][1]);
            double            p = x[u.slot.v] * (u.factor < 0 ? -1 : 1), q = y[v.slot.v] * (v.factor < 0 ? -1 : 1);
            if (fabs(p - q) > 1e-14 * fabs(q)) fail_msg("%s %.17g, by hand %.17g", pairs[i][0], p, q);
        }
        run_on(gm_group_program(drawn), x, 0.5, 20);
        run_on(gm_group_program(hand), y, 0.5, 20);
    }
    assert_true(outside(drawn, x, "a-1.level") != 3);
    free(x);
    free(y);
    gm_group_close(drawn);
    gm_group_close(hand);
    close_world(&w);
}

static void values_are_converted_and_given_to_where_they_belong(void **state)
{
    (void)state;
    world          w;
    gm_fork_report report;
    open_world(&w);
    draw_tanks(&w, "");
    gm_group *group = group_of(&w, "a-1");
    double   *slots = forked(&w, group, &report);
    assert_true(fabs(slots[variable_of(group, "a-1.T").slot.v] - 293.15) < 1e-10);  // degrees Celsius outside
    assert_true(fabs(outside(group, slots, "a-1.T") - 20) < 1e-10);
    assert_true(gm_str_is(variable_of(group, "a-1.T").unit, "°C"));
    // hold follows from A unless the property says otherwise; it is in litres outside.
    assert_true(fabs(slots[variable_of(group, "b.hold").slot.v] - 5) < 1e-12);
    assert_true(fabs(slots[variable_of(group, "a-1.hold").slot.v] - 4) < 1e-12);
    // What the beginning computes is computed from the live level.
    assert_true(outside(group, slots, "a-1.filtered") == 3);
    assert_true(outside(group, slots, "b.filtered") == 1);
    // A signal went over; what is connected is no input any more, what is not is one.
    assert_true(outside(group, slots, "a-1.rain") == 0.25);
    assert_true(variable_of(group, "a-1.rain").set.v == GM_SLOT_NONE.v);
    assert_int_equal(variable_of(group, "b.rain").role, GM_ROLE_INPUT);
    assert_int_equal(variable_of(group, "P.flow").role, GM_ROLE_INPUT);
    gm_group_variable none;
    assert_false(gm_group_find(group, GM_STR("a-1.nothing"), &none));
    assert_false(gm_group_find(group, GM_STR("c.level"), &none));
    free(slots);
    gm_group_close(group);
    close_world(&w);
}

static void like_groups_share_one_program(void **state)
{
    (void)state;
    world          w;
    gm_fork_report report;
    open_world(&w);
    draw_tanks(&w, "north ");
    draw_tanks(&w, "south.");
    gm_group *north = group_of(&w, "north a-1"), *south = group_of(&w, "south.a-1");
    assert_true(gm_group_same_shape(north, south));
    gm_small_plant_twin(&w.plant, "south.a-1", TWIN("Tank", ",\"A\":2,\"level\":7"));
    double *x = forked(&w, north, &report), *y = forked(&w, south, &report);
    assert_true(outside(north, x, "north a-1.level") == 3);
    assert_true(outside(south, y, "south.a-1.level") == 7);
    gm_group_variable none;
    assert_false(gm_group_find(south, GM_STR("north a-1.level"), &none));
    gm_buf name = gm_buf_init(gm_alloc_system());
    gm_group_write_name(south, gm_program_slot(gm_group_program(south), variable_of(south, "south.b.level").slot)->name, &name);
    assert_true(gm_str_is(gm_buf_view(&name), "south.b.level"));
    gm_buf_finish(&name);
    // The graph changes: the changed group has a shape of its own, the other keeps its program.
    gm_small_plant_unrelate(&w.plant, "south.P", "r3");
    gm_group *dry = group_of(&w, "south.a-1"), *again = group_of(&w, "north a-1");
    assert_false(gm_group_same_shape(dry, south));
    assert_true(gm_group_same_shape(again, north));
    assert_int_equal(gm_group_twin_count(dry), 3);
    free(x);
    free(y);
    gm_group_close(north);
    gm_group_close(south);
    gm_group_close(dry);
    gm_group_close(again);
    close_world(&w);
}

static void a_derived_interface_takes_the_behavior_of_its_base(void **state)
{
    (void)state;
    world          w;
    gm_fork_report report;
    open_world(&w);
    gm_small_plant_twin(&w.plant, "big", TWIN("BigTank", ",\"level\":5"));
    gm_small_plant_twin(&w.plant, "paint", TWIN("Paint", ",\"colour\":5"));
    gm_group *group = group_of(&w, "big"), *none = NULL;
    double   *slots = forked(&w, group, &report);
    assert_true(outside(group, slots, "big.level") == 5);
    assert_int_equal(gm_group_open(w.behaviors, w.plant.state, gm_state_find(w.plant.state, GM_STR("paint")), &w.diags,
                                   &none, &w.err), GM_NOTFOUND);
    assert_non_null(strstr(w.err.text, "'paint' has no behavior"));
    free(slots);
    gm_group_close(group);
    close_world(&w);
}

static void a_fault_is_a_named_change(void **state)
{
    (void)state;
    world           w;
    gm_group_change changes[4];
    size_t          count;
    open_world(&w);
    draw_tanks(&w, "");
    gm_group *group = group_of(&w, "b");
    assert_gm_ok(gm_group_fault(group, GM_STR("a-1.leak"), changes, 4, &count, &w.err), w.err);
    assert_int_equal(count, 1);
    assert_int_equal(changes[0].slot.v, variable_of(group, "a-1.hole").slot.v);
    assert_true(changes[0].value == 0.5);
    assert_int_equal(gm_group_fault(group, GM_STR("a-1.fire"), changes, 4, &count, &w.err), GM_NOTFOUND);
    assert_non_null(strstr(w.err.text, "a-1.leak"));
    gm_group_close(group);
    close_world(&w);
}

static void what_does_not_fit_is_told_with_its_place(void **state)
{
    (void)state;
    static const struct { const char *text, *expected; } cases[] = {
        { "model A\n Real x;\nequation x = 1; annotation(__gemel(interface=\"dtmi:t:No;1\"));\nend A;",
          "behaviors/p.mo:1:7: error: `A` names the interface dtmi:t:No;1, which no model has" },
        { "model A\n Real T(unit=\"m\");\nequation T = 1; annotation(__gemel(interface=\"dtmi:t:Tank;1\"));\nend A;",
          "`T` is in \"m\" in the class, which degreeCelsius of dtmi:t:Tank;1 can not be converted to" },
        { "model A\n Boolean level = true;\n annotation(__gemel(interface=\"dtmi:t:Tank;1\"));\nend A;",
          "`level` is a Boolean in the class and a number in dtmi:t:Tank;1" },
        { "model A\n Real p = 1;\n annotation(__gemel(interface=\"dtmi:t:Tank;1\", connect(pours=\"p->x\")));\nend A;",
          "names `pours`, but dtmi:t:Tank;1 has no such relationship" },
        { "model A\n Real p = 1;\n annotation(__gemel(interface=\"dtmi:t:Tank;1\", connect(feeds=\"q->x\")));\nend A;",
          "names `q`, which is nothing in `A`" },
        { "model A\n Real p = 1;\n annotation(__gemel(interface=\"dtmi:t:Tank;1\", connect(feeds=\"p\")));\nend A;",
          "connect rule feeds=\"p\" of `A` is not understood; write" },
        { "model A\n Real p = 1;\n annotation(__gemel(interface=\"dtmi:t:Tank;1\", fault(f=\"p=2\")));\nend A;",
          "the fault `f` changes `p`, which is no parameter or input" },
        { "model A\n Real p = 1;\n annotation(__gemel(interface=\"dtmi:t:Tank;1\", fault(f=\"p two\")));\nend A;",
          "fault f=\"p two\" of `A` is not understood" },
        { "model A\n Real p = q;\n annotation(__gemel(interface=\"dtmi:t:Tank;1\"));\nend A;", "behaviors/p.mo:2:11: error" },
        { "model A\n Real p = 1 annotation(__gemel(interface=\"dtmi:t:Tank;1\"));\nend", "behaviors/p.mo:3" },
        { "model A\n Real p = 1; annotation(__gemel(interface=\"dtmi:t:Tank;1\"));\nend A;\nmodel B\n Real p = 1; "
          "annotation(__gemel(interface=\"dtmi:t:Tank;1\"));\nend B;", "which `A` serves already" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        world w;
        open_with(&w, cases[i].text);
        assert_gm_ok(gm_behaviors_check(w.behaviors, w.plant.model, &w.diags, &w.err), w.err);
        char *text = said(&w.diags);
        if (strstr(text, cases[i].expected) == NULL) fail_msg("case %zu: expected '%s' in\n%s", i, cases[i].expected, text);
        free(text);
        close_world(&w);
    }
    world w;
    open_world(&w);
    assert_gm_ok(gm_behaviors_check(w.behaviors, w.plant.model, &w.diags, &w.err), w.err);
    if (w.diags.count > 0) fail_msg("%s", said(&w.diags));
    close_world(&w);
}

// Errors of a group speak of its twins.
static void a_group_that_can_not_be_computed_says_whose_variables(void **state)
{
    (void)state;
    world     w;
    gm_group *group = NULL;
    open_world(&w);
    gm_small_plant_twin(&w.plant, "lonely", TWIN("Pipe", ""));  // its pressures follow from nothing
    assert_int_equal(gm_group_open(w.behaviors, w.plant.state, gm_state_find(w.plant.state, GM_STR("lonely")), &w.diags,
                                   &group, &w.err), GM_INVALID);
    char *text = said(&w.diags);
    if (strstr(text, "lonely.") == NULL) fail_msg("%s", text);
    free(text);
    assert_null(group);
    close_world(&w);
}

static void opening_a_group_survives_every_refusal_of_memory(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    draw_tanks(&w, "");
    gm_twin root = gm_state_find(w.plant.state, GM_STR("b"));
    for (uint64_t k = 0;; k += 1 + k / 40) {
        gm_fault_alloc  fault;
        gm_behaviors   *b     = NULL;
        gm_group       *group = NULL;
        gm_diags        diags;
        gm_error        err   = { 0 };
        gm_behavior_text one  = { GM_STR("p.mo"), gm_str_of(behaviors) };
        gm_fork_report  report;
        double          slots[200];
        gm_fault_alloc_init(&fault, k);
        gm_diags_init(&diags, &fault.alloc);
        gm_status st = gm_behaviors_create(&fault.alloc, NULL, 0, &one, 1, &diags, &b, &err);
        if (st == GM_OK) st = gm_behaviors_check(b, w.plant.model, &diags, &err);
        if (st == GM_OK) st = gm_group_open(b, w.plant.state, root, &diags, &group, &err);
        gm_group_reader reader = gm_group_live_reader(w.plant.state);
        if (st == GM_OK) assert_true(gm_program_slot_count(gm_group_program(group)) < 200);
        if (st == GM_OK) st = gm_group_fork(group, &reader, 0, slots, &report, &err);
        gm_group_close(group);
        gm_behaviors_destroy(b);
        gm_diags_finish(&diags);
        assert_int_equal(fault.live_blocks, 0);
        if (!fault.fired) {
            assert_gm_ok(st, err);
            break;
        }
        if (st == GM_OK) fail_msg("a refusal after %" PRIu64 " allocations went unseen", k);
    }
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_twin_of_one_class_runs_from_its_live_state),
        cmocka_unit_test(a_group_equals_the_class_drawn_by_hand),
        cmocka_unit_test(values_are_converted_and_given_to_where_they_belong),
        cmocka_unit_test(like_groups_share_one_program),
        cmocka_unit_test(a_derived_interface_takes_the_behavior_of_its_base),
        cmocka_unit_test(a_fault_is_a_named_change),
        cmocka_unit_test(what_does_not_fit_is_told_with_its_place),
        cmocka_unit_test(a_group_that_can_not_be_computed_says_whose_variables),
        cmocka_unit_test(opening_a_group_survives_every_refusal_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
