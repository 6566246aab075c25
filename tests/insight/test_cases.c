// In which of several ways the plant works: the right one becomes probable, is told with hysteresis, and ends.
#include "base/rng.h"
#include "insight/decay_world.h"

#define MODES ",\"measured\":{\"d.x\":{\"noise\":0.02},\"d.twice\":{\"noise\":0.04}},\"states\":{\"d.x\":{\"walk\":0.2}},\"hold\":\"20s\",\"gate\":20," \
              "\"modes\":{\"clogged\":{\"fault\":\"d.clogged\",\"severity\":0.5,\"every\":\"1h\",\"lasts\":\"10m\"}," \
              "\"sensor stuck\":{\"stuck\":\"d.x\",\"every\":\"1h\",\"lasts\":\"10m\"}," \
              "\"no feed\":{\"set\":{\"d.feed\":0},\"every\":\"1h\",\"lasts\":\"10m\"}}"

enum { HEALTHY, CLOGGED, STUCK, NO_FEED, KINDS };

static gm_case_view view(const world *w, uint32_t i) { return gm_cases_at(gm_vigil_cases(w->vigil), i); }

// A feed that swings; from 300 s to 600 s something is wrong. Counts the seconds in which each was the most probable.
static void run(int wrong, uint32_t seed, uint32_t before[KINDS], uint32_t during[KINDS], uint32_t after[KINDS], bool *told, bool *others)
{
    world  w;
    double x = 5, kept = 0;
    *told = *others = false;
    open_decay(&w, MODES);
    assert_int_equal(gm_cases_count(gm_vigil_cases(w.vigil)), KINDS);
    for (int i = 1; i <= 900; i++) {
        bool   now  = wrong != HEALTHY && i > 300 && i <= 600;
        double rate = now && wrong == CLOGGED ? 0.055 : 0.1, given = 0.5 + 0.4 * sin(i / 40.0), feeding = now && wrong == NO_FEED ? 0 : given;
        feed(&w, w.feed, i - 1, given);
        x = feeding / rate + (x - feeding / rate) * exp(-rate);
        if (!(now && wrong == STUCK)) kept = x + 0.02 * gm_rng_normal(seed, 0, 0, (uint64_t)i);
        feed(&w, w.x, i, kept);
        feed(&w, w.twice, i, 2 * x + 0.04 * gm_rng_normal(seed, 0, 1, (uint64_t)i));
        advance(&w, i);
        uint32_t best = 0;
        double   sum  = 0;
        for (uint32_t k = 0; k < KINDS; k++) {
            gm_case_view v = view(&w, k);
            assert_true(v.probability >= 0 && v.probability <= 1);
            sum += v.probability;
            if (v.probability > view(&w, best).probability) best = k;
            if (v.told) *(k == (uint32_t)wrong ? told : others) = true;
            if (v.told) assert_true(v.since > 300 * (gm_time_ns)S && v.since < 600 * (gm_time_ns)S);
        }
        assert_true(fabs(sum - 1) < 1e-9);
        (i <= 300 ? before : i <= 600 ? during : after)[best]++;
    }
    for (uint32_t k = 1; k < KINDS; k++) assert_false(view(&w, k).told);  // and over it is
    close_world(&w);
}

static void the_right_mode_is_found_and_told(void **state)
{
    (void)state;
    for (int wrong = HEALTHY; wrong < KINDS; wrong++) {
        for (uint32_t seed = 1; seed <= 3; seed++) {
            uint32_t before[KINDS] = { 0 }, during[KINDS] = { 0 }, after[KINDS] = { 0 };
            bool     told, others;
            run(wrong, seed, before, during, after, &told, &others);
            if (before[HEALTHY] < 290 || during[wrong] < 230 || after[HEALTHY] < 230 || told != (wrong != HEALTHY) || others)
                fail_msg("case %d, seed %u: healthy %u of 300 before, right %u of 300 during, healthy %u of 300 after, told %d, others %d", wrong, seed, before[HEALTHY],
                         during[wrong], after[HEALTHY], told, others);
        }
    }
}

static void modes_that_do_not_fit_are_refused_with_the_reason(void **state)
{
    (void)state;
    static const struct { const char *members, *text; } cases[] = {
        { ",\"modes\":{\"m\":{\"fault\":\"d.frozen\"}}", "d.frozen" },
        { ",\"modes\":{\"m\":{\"set\":{\"d.twice\":1}}}", "nothing that can be set" },
        { ",\"modes\":{\"m\":{\"set\":{\"d.rate\":\"x\"}}}", "a number is expected" },
        { ",\"modes\":{\"m\":{\"stuck\":\"d.feed\"}}", "is not measured" },
        { ",\"modes\":{\"m\":{}}", "one or more of" },
        { ",\"modes\":{\"m\":{\"fault\":\"d.clogged\",\"every\":\"often\"}}", "length of time" },
        { ",\"modes\":{\"m\":{\"fault\":\"d.clogged\",\"colour\":1}}", "no such member" },
        { ",\"filter\":\"ensemble\",\"modes\":{\"m\":{\"fault\":\"d.clogged\"}}", "unscented" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        world w;
        open_group(&w, "d", "{\"$metadata\":{\"$model\":\"dtmi:t:Decay;1\"},\"feed\":0.0,\"x\":5.0}", behaviors);
        gm_status st = begin_with(&w, cases[i].members);
        if (st == GM_OK || strstr(w.err.text, cases[i].text) == NULL) fail_msg("%s: status %d, '%s'", cases[i].members, (int)st, w.err.text);
        close_world(&w);
    }
}

static void making_them_survives_every_refusal_of_memory(void **state)
{
    (void)state;
    world          w;
    gm_fork_report report;
    open_decay(&w, MODES);
    gm_group_reader reader = gm_group_live_reader(w.plant.state);
    double         *slots  = calloc(gm_program_slot_count(gm_group_program(w.group)), sizeof *slots);
    assert_gm_ok(gm_group_fork(w.group, &reader, 0, slots, &report, &w.err), w.err);
    for (uint64_t k = 0;; k++) {
        gm_fault_alloc fault;
        gm_vigil      *vigil = NULL;
        gm_fault_alloc_init(&fault, k);
        gm_status st = gm_vigil_create(&fault.alloc, &w.setups[0], w.group, slots, 0, &vigil, &w.err);
        gm_vigil_destroy(vigil);
        assert_int_equal(fault.live_blocks, 0);
        if (!fault.fired) {
            assert_int_equal(st, GM_OK);
            break;
        }
        assert_int_equal(st, GM_NOMEM);
    }
    free(slots);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_mode_is_found_and_told),
        cmocka_unit_test(modes_that_do_not_fit_are_refused_with_the_reason),
        cmocka_unit_test(making_them_survives_every_refusal_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
