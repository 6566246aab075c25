// Fault trees against what they are worth by definition: every assignment of a small tree, one after the other; published
// trees with their published figures; closed forms.
#include "reliability/analyse.h"
#include "reliability/bounds.h"
#include "reliability/cuts.h"
#include "reliability/diagram.h"
#include "reliability/probability.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS = 10, GATES = 12 };

// ---- the definition ---------------------------------------------------------------------------------------------------------

static bool value_of(const gm_fault_tree *t, uint32_t n, uint32_t set, const uint32_t *event_bit)
{
    gm_tree_view v = gm_fault_tree_view(t, (gm_tree_node){ n });
    if (v.kind == GM_GATE_EVENT) return set >> event_bit[n] & 1;
    if (v.kind == GM_GATE_CONSTANT) return v.value;
    uint32_t ones = 0;
    for (uint32_t i = 0; i < v.count; i++) {
        ones += value_of(t, gm_tree_target(v.inputs[i]).v, set, event_bit) != gm_tree_negated(v.inputs[i]);
    }
    switch (v.kind) {
    case GM_GATE_AND: return ones == v.count;
    case GM_GATE_OR: return ones > 0;
    case GM_GATE_XOR: return ones % 2 == 1;
    default: return ones >= v.min && ones <= v.max;
    }
}

typedef struct sample { gm_fault_tree *tree; gm_tree_node top; uint32_t event_bit[64]; double p[EVENTS]; } sample;

// A random tree: gates over events and earlier gates. kinds: how many of the kinds of gate may occur; negate: also inputs
// that are complemented.
static sample make_sample(uint64_t *seed, unsigned kinds, bool negate)
{
    sample   s = { .tree = gm_fault_tree_create(gm_alloc_system()) };
    gm_error err;
    assert_non_null(s.tree);
    for (uint32_t i = 0; i < EVENTS; i++) {
        char name[16];
        int  len = snprintf(name, sizeof name, "e%u", i);
        gm_tree_node e = gm_fault_tree_name(s.tree, (gm_str){ name, (size_t)len });
        s.p[i] = (double)(gm_test_random(seed) % 1000) / 1000;
        assert_gm_ok(gm_fault_tree_event(s.tree, e, s.p[i], &err), err);
        s.event_bit[e.v] = i;
    }
    for (uint32_t g = 0; g < GATES; g++) {
        static const gm_gate all[] = { GM_GATE_AND, GM_GATE_OR, GM_GATE_CARDINALITY, GM_GATE_XOR, GM_GATE_CONSTANT };
        gm_gate      kind  = all[gm_test_random(seed) % kinds];
        uint32_t     known = gm_fault_tree_count(s.tree), count = 2 + (uint32_t)(gm_test_random(seed) % 3);
        gm_tree_edge inputs[4];
        for (uint32_t i = 0; i < count; i++) {
            inputs[i] = gm_tree_is((gm_tree_node){ (uint32_t)(gm_test_random(seed) % known) });
            if (negate && gm_test_random(seed) % 4 == 0) inputs[i] = gm_tree_not(inputs[i]);
        }
        uint32_t min = 1 + (uint32_t)(gm_test_random(seed) % count), max = negate ? min + (uint32_t)(gm_test_random(seed) % (count - min + 1)) : count;
        s.top = gm_fault_tree_anonymous(s.tree);
        if (kind == GM_GATE_CONSTANT) assert_gm_ok(gm_fault_tree_constant(s.tree, s.top, gm_test_random(seed) & 1, &err), err);
        else assert_gm_ok(gm_fault_tree_gate(s.tree, s.top, kind, min, max, inputs, count, &err), err);
    }
    return s;
}

typedef struct truth { double probability; uint32_t minimal[1 << EVENTS]; size_t minimal_count, orders[EVENTS + 1]; bool value[1 << EVENTS]; } truth;

static void find_truth(const sample *s, truth *t)
{
    memset(t, 0, sizeof *t);
    for (uint32_t set = 0; set < 1u << EVENTS; set++) {
        double p = 1;
        t->value[set] = value_of(s->tree, s->top.v, set, s->event_bit);
        for (uint32_t i = 0; i < EVENTS; i++) p *= set >> i & 1 ? s->p[i] : 1 - s->p[i];
        if (t->value[set]) t->probability += p;
    }
    for (uint32_t set = 0; set < 1u << EVENTS; set++) {
        bool minimal = t->value[set];
        for (uint32_t sub = set; minimal && sub > 0;) {
            sub = (sub - 1) & set;
            if (t->value[sub]) minimal = false;
        }
        if (!minimal) continue;
        t->minimal[t->minimal_count++] = set;
        t->orders[__builtin_popcount(set)]++;
    }
}

typedef struct listed { const sample *s; const truth *t; size_t count; double last; } listed;

static void check_listed(void *context, const uint32_t *events, size_t count, double probability)
{
    listed  *l   = context;
    uint32_t set = 0;
    double   p   = 1;
    for (size_t i = 0; i < count; i++) {
        set |= 1u << l->s->event_bit[events[i]];
        p *= l->s->p[l->s->event_bit[events[i]]];
    }
    size_t k = 0;
    while (k < l->t->minimal_count && l->t->minimal[k] != set) k++;
    if (k == l->t->minimal_count) fail_msg("set %x is not minimal", set);
    assert_true(fabs(p - probability) < 1e-12);
    assert_true(probability <= l->last + 1e-12);
    l->last = probability;
    l->count++;
}

static void check_sample(const sample *s, bool from_gates)
{
    static truth           t;
    gm_reliability_options o   = gm_reliability_options_defaults(gm_clock_system());
    gm_reliability        *r   = NULL;
    gm_error               err = { 0 };
    find_truth(s, &t);
    assert_gm_ok(gm_fault_tree_check(s->tree, s->top, &err), err);
    o.from_gates = from_gates;
    assert_gm_ok(gm_reliability_analyse(gm_alloc_system(), s->tree, s->top, &o, &r, &err), err);
    gm_reliability_summary sum = gm_reliability_summarise(r);
    assert_true(sum.exact);
    if (fabs(sum.probability - t.probability) > 1e-12) fail_msg("probability %.17g, by definition %.17g", sum.probability, t.probability);
    if (!sum.cut_sets_known) {
        assert_true(from_gates && !sum.coherent);
    } else {
        for (size_t k = 0; k <= EVENTS; k++) {
            char text[48];
            gm_reliability_cut_sets(r, k, text);
            if ((size_t)atol(text) != t.orders[k]) fail_msg("order %zu: %s cut sets, by definition %zu", k, text, t.orders[k]);
        }
        listed l = { s, &t, 0, 2 };
        assert_gm_ok(gm_reliability_list(r, SIZE_MAX, check_listed, &l, &err), err);
        assert_int_equal(l.count, t.minimal_count);
    }
    // Birnbaum: the difference between the event sure and impossible, by definition and by evaluating again.
    for (uint32_t i = 0; i < EVENTS; i++) {
        double with = 0, without = 0, again[64], p1, p0;
        for (uint32_t set = 0; set < 1u << EVENTS; set++) {
            double p = 1;
            for (uint32_t k = 0; k < EVENTS; k++) p *= k == i ? 1 : set >> k & 1 ? s->p[k] : 1 - s->p[k];
            if (t.value[set] && (set >> i & 1)) with += p;
            if (t.value[set] && !(set >> i & 1)) without += p;
        }
        gm_event_importance x = gm_reliability_event(r, (gm_tree_node){ i });
        if (fabs(x.birnbaum - (with - without)) > 1e-12) fail_msg("event %u: Birnbaum %g, by definition %g", i, x.birnbaum, with - without);
        for (uint32_t k = 0; k < EVENTS; k++) again[k] = s->p[k];
        again[i] = 1;
        assert_gm_ok(gm_reliability_again(r, again, &p1, &err), err);
        again[i] = 0;
        assert_gm_ok(gm_reliability_again(r, again, &p0, &err), err);
        assert_true(fabs(p1 - with) < 1e-12 && fabs(p0 - without) < 1e-12);
    }
    gm_reliability_destroy(r);
}

static void random_trees_agree_with_every_assignment(void **state)
{
    (void)state;
    uint64_t seed = gm_test_seed();
    int      rounds = getenv("GM_DEEP") != NULL ? 2000 : 60;
    for (int i = 0; i < rounds; i++) {
        bool   negate = i % 3 == 2;
        sample s      = make_sample(&seed, i % 3 == 0 ? 3 : negate ? 5 : 2, negate);
        check_sample(&s, false);
        check_sample(&s, true);
        gm_fault_tree_destroy(s.tree);
    }
}

// ---- bounds ------------------------------------------------------------------------------------------------------------------

static void bounds_hold_the_probability_and_close_in_on_it(void **state)
{
    (void)state;
    uint64_t seed = gm_test_seed();
    for (int round = 0; round < 40; round++) {
        sample        s   = make_sample(&seed, round % 2 ? 5 : 3, round % 2);
        gm_formula   *f   = NULL;
        gm_error      err = { 0 };
        static truth  t;
        find_truth(&s, &t);
        assert_gm_ok(gm_formula_create(gm_alloc_system(), s.tree, s.top, &f, &err), err);
        if (f->root > GM_FORMULA_FALSE) {
            // The whole tree as one part: modules are forgotten.
            for (size_t i = 0; i < f->count; i++) f->nodes[i].module = false;
            gm_module m;
            assert_int_equal(gm_module_open(f, f->root >> 1, &m), GM_OK);
            gm_interval leaves[EVENTS], first, last;
            for (size_t i = 0; i < m.leaf_count; i++) leaves[i].low = leaves[i].high = s.p[s.event_bit[f->nodes[m.leaves[i]].event]];
            const gm_clock *clock = gm_clock_system();
            assert_int_equal(gm_bounds_find(f, &m, leaves, f->coherent, clock, gm_monotonic(clock), &first), GM_OK);
            assert_int_equal(gm_bounds_find(f, &m, leaves, f->coherent, clock, gm_monotonic(clock) + 5 * GM_SECOND, &last), GM_OK);
            double p = f->root & 1 ? 1 - t.probability : t.probability;
            if (!(first.low <= p + 1e-12 && p <= first.high + 1e-12)) fail_msg("%g is outside %g..%g", p, first.low, first.high);
            if (fabs(last.low - p) > 1e-9 || fabs(last.high - p) > 1e-9) fail_msg("%g..%g has not closed in on %g", last.low, last.high, p);
            gm_module_close(&m);
        }
        gm_formula_destroy(f);
        gm_fault_tree_destroy(s.tree);
    }
}

// ---- closed forms -------------------------------------------------------------------------------------------------------------

static double binomial_tail(uint32_t n, uint32_t k, double p)
{
    double sum = 0;
    for (uint32_t i = k; i <= n; i++) sum += exp(lgamma(n + 1.0) - lgamma(i + 1.0) - lgamma(n - i + 1.0) + i * log(p) + (n - i) * log1p(-p));
    return sum;
}

static void k_out_of_n_is_the_binomial(void **state)
{
    (void)state;
    static const struct { uint32_t n, k; double p; } cases[] = { { 3, 2, 0.1 }, { 12, 5, 0.03 }, { 40, 20, 0.2 }, { 60, 55, 1e-3 } };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        gm_fault_tree *t = gm_fault_tree_create(gm_alloc_system());
        gm_tree_edge   inputs[64];
        gm_error       err = { 0 };
        for (uint32_t i = 0; i < cases[c].n; i++) {
            gm_tree_node e = gm_fault_tree_anonymous(t);
            assert_gm_ok(gm_fault_tree_event(t, e, cases[c].p, &err), err);
            inputs[i] = gm_tree_is(e);
        }
        gm_tree_node top = gm_fault_tree_name(t, GM_STR("top"));
        assert_gm_ok(gm_fault_tree_gate(t, top, GM_GATE_CARDINALITY, cases[c].k, cases[c].n, inputs, cases[c].n, &err), err);
        gm_reliability_options o = gm_reliability_options_defaults(gm_clock_system());
        gm_reliability        *r = NULL;
        assert_gm_ok(gm_reliability_analyse(gm_alloc_system(), t, top, &o, &r, &err), err);
        gm_reliability_summary s = gm_reliability_summarise(r);
        double want = binomial_tail(cases[c].n, cases[c].k, cases[c].p);
        // Relative, also at 1e-160: sums of products of positive numbers lose nothing.
        if (fabs(s.probability / want - 1) > 1e-9) fail_msg("%u of %u: %g, binomial %g", cases[c].k, cases[c].n, s.probability, want);
        char   text[48];
        double sets = round(exp(lgamma(cases[c].n + 1.0) - lgamma(cases[c].k + 1.0) - lgamma(cases[c].n - cases[c].k + 1.0)));
        gm_reliability_cut_sets(r, cases[c].k, text);
        assert_true(fabs(atof(text) / sets - 1) < 1e-9);
        gm_reliability_destroy(r);
        gm_fault_tree_destroy(t);
    }
}

// ---- what is wrong with a tree ---------------------------------------------------------------------------------------------------

static void a_loop_is_named(void **state)
{
    (void)state;
    gm_fault_tree *t = gm_fault_tree_create(gm_alloc_system());
    gm_tree_node   a = gm_fault_tree_name(t, GM_STR("alpha")), b = gm_fault_tree_name(t, GM_STR("beta")), c = gm_fault_tree_name(t, GM_STR("gamma"));
    gm_error       err = { 0 };
    gm_tree_edge   to_b = gm_tree_is(b), to_c = gm_tree_is(c), to_a = gm_tree_is(a);
    assert_gm_ok(gm_fault_tree_gate(t, a, GM_GATE_OR, 0, 0, &to_b, 1, &err), err);
    assert_gm_ok(gm_fault_tree_gate(t, b, GM_GATE_OR, 0, 0, &to_c, 1, &err), err);
    assert_int_equal(gm_fault_tree_check(t, a, &err), GM_INVALID);
    assert_string_equal(err.text, "'gamma' is used but not defined");
    assert_gm_ok(gm_fault_tree_gate(t, c, GM_GATE_OR, 0, 0, &to_a, 1, &err), err);
    assert_int_equal(gm_fault_tree_check(t, a, &err), GM_INVALID);
    assert_string_equal(err.text, "a gate contains itself: alpha -> beta -> gamma -> alpha");
    gm_fault_tree_destroy(t);
}

static void impossible_nodes_are_refused(void **state)
{
    (void)state;
    gm_fault_tree *t = gm_fault_tree_create(gm_alloc_system());
    gm_tree_node   e = gm_fault_tree_name(t, GM_STR("valve")), g = gm_fault_tree_name(t, GM_STR("gate"));
    gm_tree_edge   edge = gm_tree_is(e);
    gm_error       err = { 0 };
    assert_int_equal(gm_fault_tree_event(t, e, -0.1, &err), GM_INVALID);
    assert_string_equal(err.text, "the probability of 'valve' is -0.1; it must lie in 0..1");
    assert_int_equal(gm_fault_tree_event(t, e, 1.5, &err), GM_INVALID);
    assert_gm_ok(gm_fault_tree_event(t, e, 0.5, &err), err);
    assert_int_equal(gm_fault_tree_event(t, e, 0.5, &err), GM_CONFLICT);
    assert_int_equal(gm_fault_tree_gate(t, g, GM_GATE_AND, 0, 0, &edge, 0, &err), GM_INVALID);
    assert_int_equal(gm_fault_tree_gate(t, g, GM_GATE_CARDINALITY, 2, 2, &edge, 1, &err), GM_INVALID);
    assert_string_equal(err.text, "gate 'gate' asks for 2 to 2 true inputs and has 1");
    gm_fault_tree_destroy(t);
}

// ---- limits -------------------------------------------------------------------------------------------------------------------

// Pairs of events that are far apart in every order: (a1 or b1) and (a1 or b7) ...: a tree that shares all of its events.
static sample make_tangle(uint32_t n)
{
    sample       s = { .tree = gm_fault_tree_create(gm_alloc_system()) };
    gm_error     err;
    uint64_t     seed = 42;
    gm_tree_edge all[400];
    for (uint32_t i = 0; i < n; i++) {
        gm_tree_node e = gm_fault_tree_anonymous(s.tree);
        assert_gm_ok(gm_fault_tree_event(s.tree, e, 0.3, &err), err);
    }
    for (uint32_t g = 0; g < 2 * n; g++) {
        gm_tree_edge three[3];
        for (int i = 0; i < 3; i++) three[i] = gm_tree_is((gm_tree_node){ (uint32_t)(gm_test_random(&seed) % n) });
        gm_tree_node gate = gm_fault_tree_anonymous(s.tree);
        assert_gm_ok(gm_fault_tree_gate(s.tree, gate, GM_GATE_OR, 0, 0, three, 3, &err), err);
        all[g] = gm_tree_is(gate);
    }
    s.top = gm_fault_tree_name(s.tree, GM_STR("tangle"));
    assert_gm_ok(gm_fault_tree_gate(s.tree, s.top, GM_GATE_AND, 0, 0, all, 2 * n, &err), err);
    return s;
}

static void what_is_too_large_gets_bounds_and_a_reason(void **state)
{
    (void)state;
    sample                 s = make_tangle(150);
    gm_reliability_options o = gm_reliability_options_defaults(gm_clock_system());
    gm_reliability        *r = NULL;
    gm_error               err = { 0 };
    o.memory_max = 2 << 20;
    o.time_max   = GM_SECOND;
    assert_gm_ok(gm_reliability_analyse(gm_alloc_system(), s.tree, s.top, &o, &r, &err), err);
    gm_reliability_summary sum = gm_reliability_summarise(r);
    assert_false(sum.exact);
    assert_false(sum.cut_sets_known);
    assert_non_null(sum.why);
    assert_true(sum.low >= 0 && sum.low < sum.high && sum.high < 0.31);  // each gate alone bounds it, and so do all together
    gm_reliability_destroy(r);
    gm_fault_tree_destroy(s.tree);
}

static void analysis_survives_every_allocation_failure(void **state)
{
    (void)state;
    uint64_t seed = 7;
    sample   s    = make_sample(&seed, 3, false);
    for (uint64_t k = 0;; k++) {
        gm_fault_alloc fault;
        gm_fault_alloc_init(&fault, k);
        gm_reliability_options o = gm_reliability_options_defaults(gm_clock_system());
        gm_reliability        *r = NULL;
        gm_error               err = { 0 };
        gm_status st = gm_reliability_analyse(&fault.alloc, s.tree, s.top, &o, &r, &err);
        if (st == GM_OK) {
            // A refusal while cut sets are looked for costs the cut sets, nothing else.
            gm_reliability_summary sum = gm_reliability_summarise(r);
            assert_true(sum.exact || fault.fired);
        } else assert_int_equal(st, GM_NOMEM);
        gm_reliability_destroy(r);
        assert_int_equal(fault.live_blocks, 0);
        if (!fault.fired) break;
    }
    gm_fault_tree_destroy(s.tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_trees_agree_with_every_assignment),
        cmocka_unit_test(bounds_hold_the_probability_and_close_in_on_it),
        cmocka_unit_test(k_out_of_n_is_the_binomial),
        cmocka_unit_test(a_loop_is_named),
        cmocka_unit_test(impossible_nodes_are_refused),
        cmocka_unit_test(what_is_too_large_gets_bounds_and_a_reason),
        cmocka_unit_test(analysis_survives_every_allocation_failure),
    };
    return cmocka_run_group_tests_name("reliability.analyse", tests, NULL, NULL);
}
