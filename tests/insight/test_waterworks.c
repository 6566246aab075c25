// The waterworks, estimated: wear and roughness from level, pressures and power; leaks found and placed. Protocol: the rig with
// noise, dropouts and late messages, samples every 10 s (leaks in
// the deep run: 2 s); wear of both pumps, friction of the main and the town's demand drawn for
// each seed, unknown to the twin. GM_DEEP=1 runs all seeds and healthy days (docs/estimation.md has the table).
#include "base/rng.h"
#include "insight/waterworks.h"
#include "support/support.h"

#include <math.h>
#include <stdlib.h>

static const char *const PLACES[] = { "vessel.leak", "main.leak", "town.leak" };

static bool deep(void) { return getenv("GM_DEEP") != NULL; }

typedef struct truth { double wear1, wear2, friction; } truth;

static truth begin(trial *t, waterworks *w, uint64_t seed, double every_s)
{
    char  text[300];
    truth is = { 0.02 + 0.2 * gm_rng_uniform(seed, 0, 0, 0), 0.02 + 0.2 * gm_rng_uniform(seed, 1, 0, 0), 0.02 * exp(0.6 * (gm_rng_uniform(seed, 2, 0, 0) - 0.5)) };
    snprintf(text, sizeof text, "{\"pump1.wear\":%.6f,\"pump2.wear\":%.6f,\"main.pipe.f\":%.6f,\"town.demandFactor\":%.6f}", is.wear1, is.wear2,
             is.friction, 1 + 0.1 * (gm_rng_uniform(seed, 4, 0, 0) - 0.5));
    assert_true(trial_begin(t, w, seed, every_s, text));
    return is;
}

static void wear_and_roughness_are_found_in_a_day(void **state)
{
    waterworks *w    = *state;
    uint64_t    last = deep() ? 10 : 1;
    for (uint64_t seed = 1; seed <= last; seed++) {
        trial t;
        truth is = begin(&t, w, seed, 10);
        assert_true(trial_run(&t, 24 * 3600));
        gm_estimator_value wear = trial_value(&t, "pump1.wear"), friction = trial_value(&t, "main.pipe.f");
        print_message("seed %" PRIu64 ": wear %.4f (truth %.4f), friction %.5f (truth %.5f)\n", seed, wear.mean, is.wear1, friction.mean, is.friction);
        assert_true(fabs(wear.mean / is.wear1 - 1) < 0.1);
        assert_true(fabs(friction.mean / is.friction - 1) < 0.1);
        assert_int_equal(gm_estimator_statistics(gm_vigil_estimator(t.vigil)).restarts, 0);
        trial_end(&t);
    }
}

// A pump that starts somewhere between two samples and still runs up at the second one looks like a worn one. However far the
// samples lie apart, what the filter says of the wear is what it may say: within seven of its own deviations, at every moment.
static void a_pump_that_starts_between_samples_is_not_taken_for_a_worn_one(void **state)
{
    static const double every_s[] = { 2, 5, 10, 20, 30, 60 };
    waterworks         *w         = *state;
    uint64_t            last      = deep() ? 340 : 303;
    for (size_t k = 0; k < sizeof every_s / sizeof every_s[0]; k++) {
        for (uint64_t seed = 301; seed <= last; seed++) {
            trial  t;
            truth  is    = begin(&t, w, seed, every_s[k]);
            double worst = 0, at = 0, said = 0, power = 0;
            while (power < 1) {  // it stands still for the first hours
                assert_true(trial_run(&t, gm_rig_time(t.rig) + every_s[k]));
                assert_true(gm_rig_value(t.rig, GM_STR("pump1.motor/power"), &power));
            }
            for (double begin_s = gm_rig_time(t.rig), s = begin_s; s <= begin_s + 1200; s += every_s[k]) {
                assert_true(trial_run(&t, s));
                gm_estimator_value wear = trial_value(&t, "pump1.wear");
                double             off  = fabs(wear.mean - is.wear1) / wear.deviation;
                if (off <= worst) continue;
                worst = off;
                at    = s;
                said  = wear.mean;
            }
            gm_estimator_value wear = trial_value(&t, "pump1.wear");
            if (worst > 7) fail_msg("seed %" PRIu64 ", samples each %g s: wear %g after %g s, %.1f deviations from %g", seed, every_s[k], said, at, worst, is.wear1);
            // And it has learned something.
            if (!(wear.deviation < 0.01)) fail_msg("seed %" PRIu64 ", samples each %g s: still +- %g", seed, every_s[k], wear.deviation);
            trial_end(&t);
        }
    }
}

// One litre a second, a twentieth of what a pump gives.
static void spring_a_leak(trial *t, int place)
{
    waterworks *w = t->works;
    if (place != 1) {
        assert_gm_ok(gm_rig_fault_at(t->rig, gm_str_of(PLACES[place]), 1, gm_rig_time(t->rig), &w->err), w->err);
        return;
    }
    gm_buf  out  = gm_buf_init(gm_alloc_system());
    json_t *body = json_pack("{s:f}", "leak", 1.1e-4);
    assert_gm_ok(gm_rig_desired(t->rig, GM_STR("main"), GM_STR(""), body, &out, &w->err), w->err);
    json_decref(body);
    gm_buf_finish(&out);
}

static void leaks_are_found_within_two_hours_and_placed(void **state)
{
    waterworks *w     = *state;
    int         found = 0, placed = 0, runs = deep() ? 20 : 1, first = 102;
    for (int seed = first; seed < first + runs; seed++) {
        trial          t;
        gm_vigil_fault f     = { 0 };
        int            place = seed % 3;
        double         start = (20 + 8 * gm_rng_uniform((uint64_t)seed, 3, 0, 0)) * 3600;
        begin(&t, w, (uint64_t)seed, deep() ? 2 : 10);
        assert_true(trial_run(&t, start));
        assert_false(gm_vigil_alarm(t.vigil, &f));
        spring_a_leak(&t, place);
        assert_true(trial_run(&t, start + 2 * 3600));
        bool told = gm_vigil_alarm(t.vigil, &f), right = told && gm_str_is(f.name, PLACES[place]);
        print_message("seed %d, %s: %s%s, severity %.2f, %.1f deviations\n", seed, PLACES[place], told ? "told" : "missed", !told ? "" : right ? ", placed" : ", misplaced",
                      f.severity, f.significance);
        found += told;
        placed += right;
        trial_end(&t);
    }
    assert_true(found == runs);
    assert_true(deep() ? placed >= 18 : placed == runs);
}

static void healthy_days_raise_no_alarm(void **state)
{
    waterworks *w = *state;
    if (!deep()) skip();
    int alarms = 0;
    for (uint64_t seed = 201; seed < 211; seed++) {
        trial          t;
        gm_vigil_fault f;
        bool           before = false;
        begin(&t, w, seed, 10);
        for (double hour = 0.25; hour <= 48; hour += 0.25) {
            assert_true(trial_run(&t, hour * 3600));
            bool now = gm_vigil_alarm(t.vigil, &f);
            alarms += now && !before;
            before = now;
        }
        trial_end(&t);
    }
    print_message("%d false alarms in 20 days\n", alarms);
    assert_true(alarms <= 1);
}

static int open_works(void **state)
{
    static waterworks w;
    *state = &w;
    return waterworks_open(&w);
}

static int close_works(void **state)
{
    waterworks_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pump_that_starts_between_samples_is_not_taken_for_a_worn_one),
        cmocka_unit_test(wear_and_roughness_are_found_in_a_day),
        cmocka_unit_test(leaks_are_found_within_two_hours_and_placed),
        cmocka_unit_test(healthy_days_raise_no_alarm),
    };
    return cmocka_run_group_tests(tests, open_works, close_works);
}
