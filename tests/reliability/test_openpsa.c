// Open-PSA texts: what each element means, against its closed form, and what is said of those that are wrong.
#include "reliability/analyse.h"
#include "reliability/openpsa.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>

#define MODEL(body) "<?xml version=\"1.0\"?>\n<opsa-mef>" body "</opsa-mef>"

static gm_status read_text(const char *text, gm_openpsa **out, gm_error *err)
{
    gm_openpsa_options o    = { .mission_time = 8760 };
    gm_openpsa_file    file = { GM_STR("m.xml"), gm_str_of(text) };
    return gm_openpsa_read(gm_alloc_system(), &o, &file, 1, out, err);
}

static double probability_of(gm_openpsa *model, const char *name)
{
    gm_tree_node top;
    gm_error     err = { 0 };
    assert_true(gm_fault_tree_find(gm_openpsa_tree(model), gm_str_of(name), &top));
    assert_gm_ok(gm_fault_tree_check(gm_openpsa_tree(model), top, &err), err);
    gm_reliability_options o = gm_reliability_options_defaults(gm_clock_system());
    gm_reliability        *r = NULL;
    assert_gm_ok(gm_reliability_analyse(gm_alloc_system(), gm_openpsa_tree(model), top, &o, &r, &err), err);
    double p = gm_reliability_summarise(r).probability;
    gm_reliability_destroy(r);
    return p;
}

static void expressions_have_their_closed_forms(void **state)
{
    (void)state;
    const double l = 1e-4, mu = 0.05, t = 8760;
    // Two cycles of 4,000 h, then 760 h; nothing is tested before hour 0.
    double w = 1, rep = 0;
    for (int i = 0; i < 3; i++) {
        double s = i < 2 ? 4000 : 760;
        w = w * exp(-l * s) + rep * mu / (mu - l) * (exp(-l * s) - exp(-mu * s));
        rep = 1 - w;
    }
    const struct { const char *text; double value; } cases[] = {
        { "<float value=\"0.25\"/>", 0.25 },
        { "<exponential><float value=\"1e-4\"/><system-mission-time/></exponential>", 1 - exp(-l * t) },
        { "<GLM><float value=\"0.01\"/><float value=\"1e-4\"/><float value=\"0.05\"/><system-mission-time/></GLM>",
          l / (l + mu) - (l - 0.01 * (l + mu)) / (l + mu) * exp(-(l + mu) * t) },
        { "<Weibull><float value=\"9000\"/><float value=\"2\"/><float value=\"760\"/><system-mission-time/></Weibull>", 1 - exp(-pow(8000.0 / 9000, 2)) },
        { "<periodic-test><float value=\"1e-4\"/><float value=\"720\"/><float value=\"0\"/><system-mission-time/></periodic-test>", 1 - exp(-l * 120) },
        { "<periodic-test><float value=\"1e-4\"/><float value=\"0.05\"/><float value=\"4000\"/><float value=\"0\"/><system-mission-time/></periodic-test>", 1 - w },
        { "<mul><parameter name=\"half\"/><parameter name=\"half\"/></mul>", 0.25 },
        { "<sub><float value=\"1\"/><float value=\"0.25\"/><float value=\"0.25\"/></sub>", 0.5 },
        { "<div><int value=\"1\"/><int value=\"8\"/></div>", 0.125 },
        { "<ite><lt><float value=\"1\"/><float value=\"2\"/></lt><float value=\"0.1\"/><float value=\"0.2\"/></ite>", 0.1 },
        { "<lognormal-deviate><float value=\"0.01\"/><float value=\"3\"/><float value=\"0.95\"/></lognormal-deviate>", 0.01 },
        { "<normal-deviate><float value=\"0.3\"/><float value=\"0.1\"/></normal-deviate>", 0.3 },
        { "<uniform-deviate><float value=\"0.2\"/><float value=\"0.4\"/></uniform-deviate>", 0.3 },
        { "<histogram><float value=\"0\"/><bin><float value=\"0.2\"/><float value=\"1\"/></bin><bin><float value=\"0.4\"/><float value=\"3\"/></bin></histogram>", 0.25 },
        { "<exp><neg><float value=\"1\"/></neg></exp>", exp(-1) },
        { "<pow><float value=\"0.5\"/><float value=\"3\"/></pow>", 0.125 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char        text[1500];
        gm_openpsa *model = NULL;
        gm_error    err   = { 0 };
        snprintf(text, sizeof text, MODEL("<define-fault-tree name=\"f\"><define-gate name=\"top\"><basic-event name=\"e\"/></define-gate></define-fault-tree>"
                 "<model-data><define-parameter name=\"half\"><float value=\"0.5\"/></define-parameter><define-basic-event name=\"e\">%s</define-basic-event></model-data>"),
                 cases[i].text);
        assert_gm_ok(read_text(text, &model, &err), err);
        double p = probability_of(model, "top");
        if (fabs(p / cases[i].value - 1) > 1e-12) fail_msg("%s: %.17g, closed form %.17g", cases[i].text, p, cases[i].value);
        gm_openpsa_destroy(model);
    }
}

static void gates_mean_what_they_are_called(void **state)
{
    (void)state;
    const double a = 0.5, b = 0.25, c = 0.125;
    const struct { const char *text; double value; } cases[] = {
        { "<and><event name=\"a\"/><event name=\"b\"/></and>", a * b },
        { "<or><event name=\"a\"/><event name=\"b\"/></or>", a + b - a * b },
        { "<nand><event name=\"a\"/><event name=\"b\"/></nand>", 1 - a * b },
        { "<nor><event name=\"a\"/><event name=\"b\"/></nor>", (1 - a) * (1 - b) },
        { "<xor><event name=\"a\"/><event name=\"b\"/></xor>", a + b - 2 * a * b },
        { "<iff><event name=\"a\"/><event name=\"b\"/></iff>", 1 - (a + b - 2 * a * b) },
        { "<imply><event name=\"a\"/><event name=\"b\"/></imply>", 1 - a * (1 - b) },
        { "<not><event name=\"a\"/></not>", 1 - a },
        { "<atleast min=\"2\"><event name=\"a\"/><event name=\"b\"/><event name=\"c\"/></atleast>", a * b + a * c + b * c - 2 * a * b * c },
        { "<cardinality min=\"1\" max=\"1\"><event name=\"a\"/><event name=\"b\"/></cardinality>", a + b - 2 * a * b },
        { "<and><event name=\"a\"/><constant value=\"true\"/><not><constant value=\"false\"/></not></and>", a },
        { "<or><and><event name=\"a\"/><not><event name=\"b\"/></not></and><and><event name=\"b\"/><event name=\"c\"/></and></or>", a * (1 - b) + b * c },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char        text[1500];
        gm_openpsa *model = NULL, *again = NULL;
        gm_error    err   = { 0 };
        snprintf(text, sizeof text, MODEL("<define-fault-tree name=\"f\"><define-gate name=\"top\">%s</define-gate></define-fault-tree>"
                 "<model-data><define-basic-event name=\"a\"><float value=\"0.5\"/></define-basic-event><define-basic-event name=\"b\"><float value=\"0.25\"/>"
                 "</define-basic-event><define-basic-event name=\"c\"><float value=\"0.125\"/></define-basic-event></model-data>"), cases[i].text);
        assert_gm_ok(read_text(text, &model, &err), err);
        double p = probability_of(model, "top");
        if (fabs(p - cases[i].value) > 1e-15) fail_msg("%s: %.17g, closed form %.17g", cases[i].text, p, cases[i].value);
        // Written and read again it is the same tree.
        gm_buf       out = gm_buf_init(gm_alloc_system());
        gm_tree_node top = gm_openpsa_top(model, 0);
        gm_openpsa_write(gm_openpsa_tree(model), top, GM_STR("again & <again>"), &out);
        gm_buf_byte(&out, 0);
        assert_gm_ok(read_text((const char *)out.ptr, &again, &err), err);
        assert_true(probability_of(again, "top") == p);
        gm_buf_finish(&out);
        gm_openpsa_destroy(model);
        gm_openpsa_destroy(again);
    }
}

static void private_names_are_seen_from_inside_theirs(void **state)
{
    (void)state;
    gm_openpsa *model = NULL;
    gm_error    err   = { 0 };
    assert_gm_ok(read_text(MODEL("<define-fault-tree name=\"plant\"><define-gate name=\"top\"><and><gate name=\"g1\"/><gate name=\"plant.two.g\"/></and></define-gate>"
        "<define-component name=\"one\"><define-gate name=\"g1\"><event name=\"pump\"/></define-gate>"
        "<define-basic-event name=\"pump\" role=\"private\"><float value=\"0.5\"/></define-basic-event></define-component>"
        "<define-component name=\"two\" role=\"private\"><define-gate name=\"g\"><event name=\"pump\"/></define-gate>"
        "<define-basic-event name=\"pump\"><float value=\"0.25\"/></define-basic-event></define-component></define-fault-tree>"), &model, &err), err);
    assert_true(probability_of(model, "top") == 0.125);
    gm_openpsa_destroy(model);
}

// Two members with beta 0.2: P(both fail) = P(common) + (1 - P(common)) P(alone)^2, alone 0.08, common 0.02.
static void common_causes_follow_their_models(void **state)
{
    (void)state;
    const double q = 0.1;
    const struct { const char *model, *factors; double both; } cases[] = {
        { "beta-factor", "<factor level=\"2\"><float value=\"0.2\"/></factor>", 0.02 + 0.98 * 0.08 * 0.08 },
        { "MGL", "<factors><factor level=\"2\"><float value=\"0.2\"/></factor></factors>", 0.02 + 0.98 * 0.08 * 0.08 },
        { "alpha-factor", "<factor level=\"1\"><float value=\"0.9\"/></factor><factor level=\"2\"><float value=\"0.1\"/></factor>",
          2 * 0.1 / 1.1 * q + (1 - 2 * 0.1 / 1.1 * q) * pow(0.9 / 1.1 * q, 2) },
        { "phi-factor", "<factor level=\"1\"><float value=\"0.8\"/></factor><factor level=\"2\"><float value=\"0.2\"/></factor>", 0.02 + 0.98 * 0.08 * 0.08 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char        text[1500];
        gm_openpsa *model = NULL;
        gm_error    err   = { 0 };
        snprintf(text, sizeof text, MODEL("<define-fault-tree name=\"f\"><define-gate name=\"top\"><and><basic-event name=\"p1\"/><basic-event name=\"p2\"/></and>"
                 "</define-gate></define-fault-tree><define-CCF-group name=\"pumps\" model=\"%s\"><members><basic-event name=\"p1\"/><basic-event name=\"p2\"/></members>"
                 "<distribution><float value=\"0.1\"/></distribution>%s</define-CCF-group>"), cases[i].model, cases[i].factors);
        assert_gm_ok(read_text(text, &model, &err), err);
        double p = probability_of(model, "top");
        if (fabs(p / cases[i].both - 1) > 1e-12) fail_msg("%s: %.17g, by hand %.17g", cases[i].model, p, cases[i].both);
        gm_openpsa_destroy(model);
    }
}

static void bad_files_say_where_and_what(void **state)
{
    (void)state;
    static const struct { const char *text, *error; } cases[] = {
        { "<opsa-mef><a></opsa-mef>", "m.xml:1: " },
        { "<fmi/>", "m.xml:1: the file begins with <fmi>; an Open-PSA model begins with <opsa-mef>" },
        { MODEL("<define-fault-tree name=\"f\"><define-gate name=\"g\"/></define-fault-tree>"), "m.xml:2: the gate has no formula" },
        { MODEL("<define-fault-tree name=\"f\"><define-gate name=\"g\"><or/></define-gate></define-fault-tree>"), "m.xml:2: <or> has 0 inputs, which can not be" },
        { MODEL("<define-fault-tree name=\"f\"><define-gate name=\"g\"><maybe/></define-gate></define-fault-tree>"), "m.xml:2: <maybe> is no formula" },
        { MODEL("<define-fault-tree name=\"f\"><define-gate><or/></define-gate></define-fault-tree>"), "m.xml:2: <define-gate> needs a name" },
        { MODEL("<define-fault-tree name=\"f\"><define-gate name=\"g\"><atleast><event name=\"a\"/></atleast></define-gate></define-fault-tree>"),
          "m.xml:2: <atleast> needs min=\"...\"" },
        { MODEL("<define-fault-tree name=\"f\"><define-gate name=\"g\"><atleast min=\"-1\"><event name=\"a\"/></atleast></define-gate></define-fault-tree>"),
          "m.xml:2: min='-1' is no count" },
        { MODEL("<model-data><define-basic-event name=\"a\"><float value=\"1.5\"/></define-basic-event></model-data>"),
          "m.xml:2: the probability of 'a' is 1.5; it must lie in 0..1" },
        { MODEL("<model-data><define-basic-event name=\"a\"><float value=\"-1\"/></define-basic-event></model-data>"),
          "m.xml:2: the probability of 'a' is -1; it must lie in 0..1" },
        { MODEL("<model-data><define-basic-event name=\"a\"><float value=\"many\"/></define-basic-event></model-data>"),
          "m.xml:2: <float> needs a number as its value, not 'many'" },
        { MODEL("<model-data><define-basic-event name=\"a\"><parameter name=\"p\"/></define-basic-event></model-data>"), "m.xml:2: parameter 'p' is not defined" },
        { MODEL("<model-data><define-parameter name=\"p\"><parameter name=\"q\"/></define-parameter><define-parameter name=\"q\"><parameter name=\"p\"/></define-parameter>"
                "<define-basic-event name=\"a\"><parameter name=\"p\"/></define-basic-event></model-data>"), "m.xml:2: parameter 'p' depends on itself" },
        { MODEL("<model-data><define-basic-event name=\"a\"><div><float value=\"0\"/><float value=\"0\"/></div></define-basic-event></model-data>"),
          "m.xml:2: the expression has no value (a division by zero?)" },
        { MODEL("<model-data><define-basic-event name=\"a\"><float value=\"0\"/></define-basic-event><define-basic-event name=\"a\"><float value=\"0\"/></define-basic-event></model-data>"),
          "m.xml:2: 'a' is defined twice" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_openpsa *model = NULL;
        gm_error    err   = { 0 };
        assert_int_equal(read_text(cases[i].text, &model, &err), GM_INVALID);
        assert_null(model);
        // The first is the XML library's own sentence.
        if (i == 0 ? strncmp(err.text, cases[i].error, 9) != 0 : strcmp(err.text, cases[i].error) != 0) fail_msg("%s\nsays: %s\nnot:  %s", cases[i].text, err.text, cases[i].error);
    }
}

static void entities_do_not_multiply(void **state)
{
    (void)state;
    gm_openpsa *model = NULL;
    gm_error    err   = { 0 };
    gm_status   st = read_text("<?xml version=\"1.0\"?><!DOCTYPE opsa-mef [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">"
                               "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;\"><!ENTITY x SYSTEM \"file:///etc/passwd\">]>"
                               "<opsa-mef><define-fault-tree name=\"f\"><define-gate name=\"g\"><label>&d;&x;</label><event name=\"a\"/></define-gate></define-fault-tree></opsa-mef>",
                               &model, &err);
    if (st == GM_OK) {
        gm_tree_node g;
        assert_true(gm_fault_tree_find(gm_openpsa_tree(model), GM_STR("g"), &g));
        assert_true(gm_fault_tree_view(gm_openpsa_tree(model), g).label.len < 100000);
        assert_true(gm_str_find(gm_fault_tree_view(gm_openpsa_tree(model), g).label, GM_STR("root:")) == SIZE_MAX);
    }
    gm_openpsa_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_have_their_closed_forms),
        cmocka_unit_test(gates_mean_what_they_are_called),
        cmocka_unit_test(private_names_are_seen_from_inside_theirs),
        cmocka_unit_test(common_causes_follow_their_models),
        cmocka_unit_test(bad_files_say_where_and_what),
        cmocka_unit_test(entities_do_not_multiply),
    };
    return cmocka_run_group_tests_name("reliability.openpsa", tests, NULL, NULL);
}
