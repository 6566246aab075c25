// The plant of examples/pumphouse as a rig: sensors, faults, mismatch, actuators; and the example itself.
#include "cli/plant_group.h"
#include "cli/rig.h"
#include "physics/exec/lanes.h"
#include "support/support.h"

#include <math.h>
#include <stdlib.h>

typedef struct fixture {
    gm_cli         cli;
    gm_plant_group plant;
    gm_error       err;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    char          *path = NULL;
    f     = (fixture){ 0 };
    f.cli = (gm_cli){ .alloc = gm_alloc_system(), .io = gm_io_system(), .clock = gm_clock_system(),
                      .arena = gm_arena_create(gm_alloc_system(), 0), .out = stdout, .err = stderr };
    if (asprintf(&path, "%s/examples/pumphouse", getenv("GM_SOURCE_ROOT")) < 0) return -1;
    gm_exit code = gm_plant_group_open(&f.cli, path, "tower", true, &f.plant);
    free(path);
    *state = &f;
    return code == GM_EXIT_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    gm_plant_group_close(&f->plant);
    gm_arena_destroy(f->cli.arena);
    return 0;
}

static gm_rig *rig_of(fixture *f, bool noise)
{
    gm_rig         *rig    = NULL;
    gm_rig_options  o      = gm_rig_options_defaults();
    gm_group_reader reader = gm_group_live_reader(f->plant.state);
    o.noise                = noise;
    assert_gm_ok(gm_rig_create(gm_alloc_system(), f->plant.group, &reader, &o, &rig, &f->err), f->err);
    return rig;
}

// ---- what the sensors say -----------------------------------------------------------------------------------------

typedef struct wanted { const char *twin, *component, *name; double value; size_t messages, late; } wanted;

static gm_status look(void *context, const gm_rig_message *m, gm_error *err)
{
    (void)err;
    wanted *w = context;
    w->messages++;
    w->late += m->late > 0;
    if (!gm_str_is(m->twin, w->twin) || !gm_str_is(m->component, w->component)) return GM_OK;
    char text[1000];
    snprintf(text, sizeof text, "{" GM_STR_FMT "}", GM_STR_ARG(m->values));
    json_t *values = json_loads(text, 0, NULL);
    assert_non_null(values);
    json_t *value = json_object_get(values, w->name);
    assert_non_null(value);
    w->value = json_is_boolean(value) ? json_is_true(value) : json_number_value(value);
    json_decref(values);
    return GM_OK;
}

static wanted sense(fixture *f, gm_rig *rig, const char *twin, const char *component, const char *name)
{
    wanted w = { twin, component, name, NAN, 0, 0 };
    assert_gm_ok(gm_rig_sample(rig, look, &w, &f->err), f->err);
    return w;
}

static double value_at(fixture *f, gm_rig *rig, double hours, const char *twin, const char *component, const char *name)
{
    assert_gm_ok(gm_rig_advance(rig, 3600 * hours - gm_rig_time(rig), &f->err), f->err);
    return sense(f, rig, twin, component, name).value;
}

static void the_waterworks_lives_a_day(void **state)
{
    fixture *f    = *state;
    gm_rig  *rig  = rig_of(f, false);
    double   low = 100, high = 0;
    int      starts = 0;
    bool     on     = false;
    uint32_t states;
    gm_program_slots_of(gm_group_program(f->plant.group), GM_SLOT_STATE, &states);
    assert_int_equal(states, 10);                                                  // docs/behaviors.md says so,
    assert_int_equal(gm_program_loop_count(gm_group_program(f->plant.group)), 0);  // and that nothing is implicit
    for (int i = 1; i <= 24 * 6; i++) {
        double level = value_at(f, rig, i / 6.0, "tower", "", "level");
        bool   now   = sense(f, rig, "controller", "", "leadOn").value > 0;
        starts += now && !on;
        on   = now;
        low  = fmin(low, level);
        high = fmax(high, level);
    }
    assert_true(low > 2.2 && low < 3.0 && high > 4.4 && high < 4.6);
    assert_true(starts >= 2 && starts <= 6);
    assert_true(value_at(f, rig, 24, "pump1", "motor", "temperature") > 30);  // degrees Celsius
    assert_true(fabs(value_at(f, rig, 24, "town", "", "flow") - 14 * 0.45) < 0.01);  // litres a second at midnight
    gm_rig_destroy(rig);
}

static void lanes_of_one_second_agree_with_small_steps(void **state)
{
    fixture           *f       = *state;
    const gm_program  *program = gm_group_program(f->plant.group);
    gm_group_reader    reader  = gm_group_live_reader(f->plant.state);
    gm_plan_options    options = gm_plan_options_defaults();
    gm_plan           *plan    = NULL;
    gm_lanes          *lanes   = NULL;
    gm_worker         *worker  = NULL;
    gm_fork_report     report;
    gm_group_variable  level;
    gm_rig            *rig   = rig_of(f, false);
    double            *slots = calloc(gm_program_slot_count(program), sizeof *slots);
    assert_gm_ok(gm_group_fork(f->plant.group, &reader, 0, slots, &report, &f->err), f->err);
    assert_gm_ok(gm_plan_create(gm_alloc_system(), program, &options, &plan, &f->err), f->err);
    assert_gm_ok(gm_lanes_create(gm_alloc_system(), plan, 64, &lanes, &f->err), f->err);
    assert_gm_ok(gm_worker_create(gm_alloc_system(), plan, &worker, &f->err), f->err);
    for (uint32_t i = 0; i < gm_program_slot_count(program); i++) gm_lanes_fill(lanes, (gm_slot){ i }, slots[i]);
    gm_lanes_start(lanes, 0, worker, GM_START_FORKED);
    gm_lanes_steps(lanes, 0, worker, 1.0, 6 * 3600);
    assert_true(gm_group_find(f->plant.group, GM_STR("tower.level"), &level));
    double coarse = (gm_lanes_get(lanes, level.slot, 63) - level.offset) / level.factor;
    assert_true(fabs(coarse - value_at(f, rig, 6, "tower", "", "level")) < 2e-3);
    gm_worker_destroy(worker);
    gm_lanes_destroy(lanes);
    gm_plan_destroy(plan);
    gm_rig_destroy(rig);
    free(slots);
}

static void faults_show_in_what_the_sensors_say(void **state)
{
    fixture *f = *state;
    static const struct { const char *fault; double size; const char *twin, *component, *name; double hours; int direction; } cases[] = {
        { "pump1.wear", 1, "pump1", "motor", "vibration", 7, 1 }, { "pump1.wear", 0.5, "pump1", "", "flow", 7, -1 },
        { "pump1.slow", 1, "pump1", "", "rotation", 7, -1 },      { "pump1.friction", 0.5, "pump1", "motor", "power", 7, 1 },
        { "pump1.uncooled", 1, "pump1", "motor", "temperature", 7, 1 },
        { "main.leak", 1, "tower", "", "level", 7, -1 },          { "main.clogged", 1, "main", "", "flow", 7, -1 },
        { "well.low", 1, "well", "", "level", 7, -1 },
        { "valve.blocked", 1, "town", "", "pressure", 7, -1 },    { "tower.stuckSensor", 1, "tower", "", "level", 7, 1 },
        { "tower.level.frozen", 1, "tower", "", "level", 7, 1 },  { "vessel.pressure.offset", -0.5, "vessel", "", "pressure", 7, -1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_rig *sound = rig_of(f, false), *ill = rig_of(f, false);
        assert_gm_ok(gm_rig_fault_at(ill, gm_str_of(cases[i].fault), cases[i].size, 600, &f->err), f->err);
        double a = value_at(f, sound, 0.1, cases[i].twin, cases[i].component, cases[i].name),
               b = value_at(f, ill, 0.1, cases[i].twin, cases[i].component, cases[i].name);
        assert_true(a == b);
        a = value_at(f, sound, cases[i].hours, cases[i].twin, cases[i].component, cases[i].name);
        b = value_at(f, ill, cases[i].hours, cases[i].twin, cases[i].component, cases[i].name);
        if ((b - a) * cases[i].direction <= 0.01 * fabs(a)) fail_msg("%s: %g, sound %g", cases[i].fault, b, a);
        gm_rig_destroy(sound);
        gm_rig_destroy(ill);
    }
    gm_rig *rig = rig_of(f, false);
    assert_int_equal(gm_rig_fault_at(rig, GM_STR("pump1.rust"), 1, 0, &f->err), GM_NOTFOUND);
    assert_non_null(strstr(f->err.text, "pump1.wear"));
    assert_int_equal(gm_rig_fault_at(rig, GM_STR("tower.height.frozen"), 1, 0, &f->err), GM_NOTFOUND);
    assert_int_equal(gm_rig_fault_at(rig, GM_STR("pump1.wear"), NAN, 0, &f->err), GM_INVALID);
    gm_rig_destroy(rig);
}

static void a_mismatch_is_set_or_refused_by_name(void **state)
{
    fixture *f = *state;
    static const struct { const char *text; gm_status st; const char *says; } cases[] = {
        { "{\"pump1.wear\": 0.1, \"main.pipe.f\": {\"factor\": 1.5}, \"tower.area\": 80}", GM_OK, "" },
        { "{\"pump1.rust\": 0.1}", GM_NOTFOUND, "pump1.rust" },
        { "{\"pump1.flow\": 0.1}", GM_INVALID, "computed by the model" },
        { "{\"pump1.wear\": \"much\"}", GM_INVALID, "must be a number" },
        { "[1]", GM_INVALID, "JSON object" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_rig *rig  = rig_of(f, false);
        json_t *body = json_loads(cases[i].text, 0, NULL);
        assert_int_equal(gm_rig_mismatch(rig, body, &f->err), cases[i].st);
        if (cases[i].st != GM_OK) assert_non_null(strstr(f->err.text, cases[i].says));
        if (cases[i].st == GM_OK) {
            gm_rig *same = rig_of(f, false);
            assert_true(value_at(f, rig, 2, "pump1", "", "flow") < 0.97 * value_at(f, same, 2, "pump1", "", "flow"));
            gm_rig_destroy(same);
        }
        json_decref(body);
        gm_rig_destroy(rig);
    }
}

static void desired_values_and_commands_are_obeyed(void **state)
{
    fixture *f    = *state;
    gm_rig  *rig  = rig_of(f, false);
    gm_buf   out  = gm_buf_init(gm_alloc_system());
    json_t  *body = json_pack("{s:f, s:f, s:s}", "speed", 0.0, "nothing", 1.0, "wear", "no number");
    json_t  *half = json_real(0.5);
    assert_true(value_at(f, rig, 2, "pump1", "", "rotation") > 0.99);
    assert_gm_ok(gm_rig_desired(rig, GM_STR("pump1"), GM_STR(""), body, &out, &f->err), f->err);
    assert_true(gm_str_is(gm_buf_view(&out), "\"speed\":0.0"));
    assert_true(value_at(f, rig, 2.1, "pump1", "", "rotation") < 0.01);
    assert_gm_ok(gm_rig_command(rig, GM_STR("pump1"), GM_STR("setSpeed"), half, &f->err), f->err);
    assert_true(fabs(value_at(f, rig, 2.2, "pump1", "", "rotation") - 0.5) < 0.01);
    assert_int_equal(gm_rig_command(rig, GM_STR("pump1"), GM_STR("setSpeed"), NULL, &f->err), GM_INVALID);
    assert_int_equal(gm_rig_command(rig, GM_STR("pump1"), GM_STR("explode"), half, &f->err), GM_NOTFOUND);
    assert_int_equal(gm_rig_command(rig, GM_STR("pump9"), GM_STR("setSpeed"), half, &f->err), GM_NOTFOUND);
    assert_int_equal(gm_rig_desired(rig, GM_STR("pump9"), GM_STR(""), body, &out, &f->err), GM_NOTFOUND);
    assert_int_equal(gm_rig_desired(rig, GM_STR("pump1"), GM_STR(""), half, &out, &f->err), GM_INVALID);
    json_decref(body);
    json_decref(half);
    gm_buf_finish(&out);
    gm_rig_destroy(rig);
}

static void noise_has_its_size_and_messages_are_lost_and_late(void **state)
{
    enum { N = 4000 };
    fixture *f       = *state;
    gm_rig  *rig     = rig_of(f, true), *quiet = rig_of(f, false);
    double   truth   = value_at(f, quiet, 1, "tower", "", "level"), sum = 0, squares = 0;
    size_t   per     = sense(f, quiet, "tower", "", "level").messages, messages = 0, late = 0, seen = 0;
    assert_gm_ok(gm_rig_advance(rig, 3600, &f->err), f->err);
    for (int i = 0; i < N; i++) {
        wanted w = sense(f, rig, "tower", "", "level");
        messages += w.messages;
        late += w.late;
        if (isnan(w.value)) continue;
        seen++;
        sum += w.value - truth;
        squares += (w.value - truth) * (w.value - truth);
    }
    // Five standard errors on each side.
    double sd = GM_RIG_NOISE * truth, all = (double)per * N;
    assert_true(fabs(sum / (double)seen) < 5 * sd / sqrt(N));
    assert_true(fabs(sqrt(squares / (double)seen) / sd - 1) < 5 / sqrt(2.0 * N));
    assert_true(fabs(1 - (double)messages / all - GM_RIG_DROPOUT) < 5 * sqrt(GM_RIG_DROPOUT / all));
    assert_true(fabs((double)late / (double)messages - GM_RIG_DELAYED) < 5 * sqrt(GM_RIG_DELAYED / all));
    gm_rig_destroy(rig);
    gm_rig_destroy(quiet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_waterworks_lives_a_day),
        cmocka_unit_test(lanes_of_one_second_agree_with_small_steps),
        cmocka_unit_test(faults_show_in_what_the_sensors_say),
        cmocka_unit_test(a_mismatch_is_set_or_refused_by_name),
        cmocka_unit_test(desired_values_and_commands_are_obeyed),
        cmocka_unit_test(noise_has_its_size_and_messages_are_lost_and_late),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
