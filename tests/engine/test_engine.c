#include "engine/engine.h"

#include "engine/dead_letter.h"
#include "engine/pending.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <stdio.h>
#include <stdlib.h>

#define MODEL                                                                                                   \
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Pump;1\",\"@type\":\"Interface\",\"contents\":["     \
    "{\"@type\":\"Telemetry\",\"name\":\"flow\",\"schema\":\"double\"},"                                         \
    "{\"@type\":\"Property\",\"name\":\"label\",\"schema\":\"string\"},"                                         \
    "{\"@type\":\"Relationship\",\"name\":\"feeds\"}]}"
#define MODEL_2                                                                                                 \
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Pump;2\",\"@type\":\"Interface\",\"contents\":["     \
    "{\"@type\":\"Property\",\"name\":\"label\",\"schema\":\"string\"},"                                         \
    "{\"@type\":\"Property\",\"name\":\"site\",\"schema\":\"string\"},"                                          \
    "{\"@type\":\"Telemetry\",\"name\":\"flow\",\"schema\":\"double\"}]}"

typedef struct plant {
    char             dir[256];
    gm_loop         *loop;
    gm_engine       *engine;
    gm_dead_letters *letters;
    gm_error         err;
} plant;

static void start(plant *p)
{
    assert_gm_ok(gm_loop_create(gm_alloc_system(), gm_clock_system(), &p->loop, &p->err), p->err);
    gm_engine_options options = { .alloc = gm_alloc_system(), .io = gm_io_system(), .clock = gm_clock_system(),
                                  .loop = p->loop, .data_dir = p->dir, .log = gm_log_options_defaults() };
    assert_gm_ok(gm_engine_open(&options, &p->engine, &p->err), p->err);
    assert_gm_ok(gm_dead_letters_create(gm_alloc_system(), gm_clock_system(), p->engine, &p->letters, &p->err), p->err);
    assert_gm_ok(gm_engine_recover(p->engine, &p->err), p->err);
}

static void stop(plant *p)
{
    gm_engine_close(p->engine);
    gm_dead_letters_destroy(p->letters);
    gm_loop_destroy(p->loop);
}

static void restart(plant *p)
{
    stop(p);
    start(p);
}

typedef struct answers { size_t count; uint64_t last; gm_status status[64]; } answers;
static void note(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    answers *a = context;
    assert_true(token > a->last);  // in the order of submission
    assert_int_equal(err == NULL, status == GM_OK);
    a->last               = token;
    a->status[a->count++ % 64] = status;
}

static gm_ask ask(answers *a, uint64_t token) { return (gm_ask){ note, a, token }; }

static gm_twin new_pump(plant *p, const char *id)
{
    gm_twin        twin;
    const gm_type *type = gm_model_find(gm_engine_model(p->engine), GM_STR("dtmi:t:Pump;1"));
    assert_non_null(type);
    assert_gm_ok(gm_engine_twin_put(p->engine, (gm_twin){ GM_NONE }, gm_str_of(id), type, NULL, 0, (gm_ask){ 0 }, &twin, &p->err), p->err);
    return twin;
}

static void add_model(plant *p, const char *text)
{
    assert_gm_ok(gm_engine_submit(p->engine, GM_CHANGE_MODELS, 0, GM_STR(""), GM_STR(""), gm_str_of(text), (gm_ask){ 0 }, &p->err), p->err);
    assert_gm_ok(gm_engine_settle(p->engine, &p->err), p->err);
}

static gm_cell_write flow(gm_time_ns at, double value)
{
    return (gm_cell_write){ .column = 0, .at = at, .value = { GM_KIND_DOUBLE, { .d = value } } };
}

typedef struct three { plant *p; gm_twin twin; answers *got; } three;
static void submit_three(void *context)
{
    three        *t        = context;
    gm_cell_write cells[3] = { flow(10, 1.5), flow(20, 2.5), flow(15, 2.0) };
    for (uint64_t i = 0; i < 3; i++) {
        assert_gm_ok(gm_engine_write(t->p->engine, t->twin, 0, &cells[i], 1, ask(t->got, i + 1), &t->p->err), t->p->err);
    }
    assert_int_equal(t->got->count, 0);
}

static void a_change_is_visible_when_it_is_answered_and_not_before(void **state)
{
    plant *p = *state;
    add_model(p, MODEL);
    gm_twin twin = new_pump(p, "p1");
    assert_true(gm_engine_busy(p->engine, GM_STR("p1")));
    assert_false(gm_twin_ok(gm_state_find(gm_engine_state(p->engine), GM_STR("p1"))));  // submitted is not committed
    assert_gm_ok(gm_engine_settle(p->engine, &p->err), p->err);
    assert_false(gm_engine_busy(p->engine, GM_STR("p1")));
    assert_int_equal(gm_state_find(gm_engine_state(p->engine), GM_STR("p1")).v, twin.v);

    // Submitted within a turn of the loop, as a server does; the turn's end flushes.
    answers   got   = { 0 };
    three     batch = { p, twin, &got };
    gm_timer *timer;
    assert_gm_ok(gm_loop_after(p->loop, 0, submit_three, &batch, &timer, &p->err), p->err);
    while (got.count < 3) assert_gm_ok(gm_loop_turn(p->loop, &p->err), p->err);
    gm_cell cell;
    gm_state_get(gm_engine_state(p->engine), twin, 0, &cell);
    assert_true(cell.value.d == 2.5 && cell.source == 20);
}

static bool collect(void *context, const gm_sample *sample)
{
    gm_buf *out = context;
    if (sample->value.kind == GM_KIND_NONE) gm_buf_text(out, "gone ");  // at a commit's time, which nobody knows
    else gm_buf_printf(out, "%lld:%g ", (long long)sample->at, sample->value.d);
    return true;
}

static void assert_history(plant *p, gm_twin twin, uint32_t column, const char *wanted)
{
    gm_buf out = gm_buf_init(gm_alloc_system());
    assert_gm_ok(gm_engine_read_history(p->engine, twin, column, 0, GM_TIME_MAX, collect, &out, &p->err), p->err);
    gm_buf_byte(&out, 0);
    assert_string_equal((char *)out.ptr, wanted);
    gm_buf_finish(&out);
}

static void history_has_every_sample_once_and_survives_restart(void **state)
{
    plant *p = *state;
    add_model(p, MODEL);
    gm_twin       twin     = new_pump(p, "p1");
    gm_cell_write cells[]  = { flow(10, 1.5), flow(20, 2.5), flow(15, 2.0), flow(20, 2.5), flow(20, 2.75) };
    const char   *wanted[] = { "10:1.5 ", "10:1.5 20:2.5 ", "10:1.5 15:2 20:2.5 ", "10:1.5 15:2 20:2.5 ", "10:1.5 15:2 20:2.75 " };
    assert_gm_ok(gm_engine_settle(p->engine, &p->err), p->err);
    for (size_t i = 0; i < 5; i++) {
        assert_gm_ok(gm_engine_write(p->engine, twin, 0, &cells[i], 1, (gm_ask){ 0 }, &p->err), p->err);
        assert_gm_ok(gm_engine_settle(p->engine, &p->err), p->err);
        assert_history(p, twin, 0, wanted[i]);
        restart(p);
        assert_history(p, twin, 0, wanted[i]);
    }
    assert_int_equal(gm_engine_count_history(p->engine, twin, 0), 3);
}

static void a_series_goes_on_when_the_twin_changes_its_model(void **state)
{
    plant *p = *state;
    add_model(p, MODEL);
    add_model(p, MODEL_2);
    gm_twin       twin = new_pump(p, "p1");
    gm_cell_write cell = flow(10, 1.5);
    assert_gm_ok(gm_engine_settle(p->engine, &p->err), p->err);
    assert_gm_ok(gm_engine_write(p->engine, twin, 0, &cell, 1, (gm_ask){ 0 }, &p->err), p->err);
    assert_gm_ok(gm_engine_settle(p->engine, &p->err), p->err);
    const gm_type *second = gm_model_find(gm_engine_model(p->engine), GM_STR("dtmi:t:Pump;2"));
    assert_gm_ok(gm_engine_twin_put(p->engine, twin, GM_STR("p1"), second, NULL, 0, (gm_ask){ 0 }, NULL, &p->err), p->err);
    assert_gm_ok(gm_engine_settle(p->engine, &p->err), p->err);
    uint32_t column = gm_type_column_index(second, GM_STR("flow"));
    assert_int_equal(column, 2);
    assert_history(p, twin, column, "10:1.5 gone ");
    cell        = flow(30, 3);
    cell.column = (uint16_t)column;
    assert_gm_ok(gm_engine_write(p->engine, twin, 0, &cell, 1, (gm_ask){ 0 }, &p->err), p->err);
    assert_gm_ok(gm_engine_settle(p->engine, &p->err), p->err);
    assert_history(p, twin, column, "10:1.5 30:3 gone ");
    restart(p);
    assert_history(p, twin, column, "10:1.5 30:3 gone ");
}

static void what_the_world_overtook_is_answered_with_a_conflict(void **state)
{
    plant *p = *state;
    add_model(p, MODEL);
    gm_twin twin = new_pump(p, "p1");
    assert_gm_ok(gm_engine_settle(p->engine, &p->err), p->err);
    answers       got  = { 0 };
    gm_cell_write cell = flow(10, 1.5);
    assert_gm_ok(gm_engine_twin_delete(p->engine, twin, ask(&got, 1), &p->err), p->err);
    assert_gm_ok(gm_engine_write(p->engine, twin, 0, &cell, 1, ask(&got, 2), &p->err), p->err);
    assert_gm_ok(gm_engine_settle(p->engine, &p->err), p->err);
    assert_int_equal(got.count, 2);
    assert_int_equal(got.status[0], GM_OK);
    assert_int_equal(got.status[1], GM_CONFLICT);
    assert_int_equal(gm_engine_statistics(p->engine).dropped, 1);
    restart(p);
    assert_false(gm_state_exists(gm_engine_state(p->engine), twin));
}

static void count_call(void *context) { ++*(int *)context; }

static void what_is_postponed_runs_after_the_commit(void **state)
{
    plant *p     = *state;
    int    calls = 0;
    add_model(p, MODEL);
    assert_gm_ok(gm_engine_later(p->engine, count_call, &calls, &p->err), p->err);
    gm_timer *timer;
    int       woken = 0;
    assert_gm_ok(gm_loop_after(p->loop, 0, count_call, &woken, &timer, &p->err), p->err);
    assert_gm_ok(gm_loop_turn(p->loop, &p->err), p->err);  // nothing is under way: at the end of this turn
    assert_int_equal(calls, 1);
    new_pump(p, "p1");
    assert_gm_ok(gm_engine_later(p->engine, count_call, &calls, &p->err), p->err);
    assert_gm_ok(gm_loop_after(p->loop, 0, count_call, &woken, &timer, &p->err), p->err);
    while (calls < 2) assert_gm_ok(gm_loop_turn(p->loop, &p->err), p->err);
    assert_true(gm_twin_ok(gm_state_find(gm_engine_state(p->engine), GM_STR("p1"))));
}

static void dead_letters_are_kept_counted_and_survive_restart(void **state)
{
    plant *p = *state;
    for (int i = 0; i < 5; i++) {
        assert_gm_ok(gm_dead_letters_add(p->letters, GM_STR("gemel/x/telemetry"), GM_STR("{\"a\":1}"), GM_STR("no twin 'x'"),
                                         (gm_ask){ 0 }, &p->err), p->err);
    }
    assert_gm_ok(gm_dead_letters_add(p->letters, GM_STR("gemel/y/telemetry"), GM_STR("nonsense"), GM_STR("not JSON"),
                                     (gm_ask){ 0 }, &p->err), p->err);
    assert_gm_ok(gm_engine_settle(p->engine, &p->err), p->err);
    assert_int_equal(gm_dead_letters_total(p->letters), 6);
    assert_int_equal(gm_dead_letters_count(p->letters), 2);  // the same mistake within a second is written once
    restart(p);
    assert_int_equal(gm_dead_letters_count(p->letters), 2);
    gm_dead_letter newest = gm_dead_letters_at(p->letters, 0);
    assert_true(gm_str_is(newest.topic, "gemel/y/telemetry") && gm_str_is(newest.reason, "not JSON") && gm_str_is(newest.payload, "nonsense"));
}

static void pending_keys_agree_with_a_plain_queue(void **state)
{
    (void)state;
    uint64_t        random  = gm_test_seed();
    gm_pending      pending = { .alloc = gm_alloc_system() };
    static uint64_t keys[100000];
    size_t          first = 0, last = 0;
    for (int round = 0; round < 20000; round++) {
        size_t adds = gm_test_random(&random) % 5;
        for (size_t i = 0; i < adds; i++) {
            keys[last] = gm_test_random(&random) % 500;
            assert_int_equal(gm_pending_reserve(&pending, 1), GM_OK);
            gm_pending_add(&pending, keys[last], last);
            last++;
        }
        if (last > first && gm_test_random(&random) % 8 == 0) {
            size_t settle = first + gm_test_random(&random) % (last - first);
            gm_pending_settle(&pending, settle);
            first = settle + 1;
        }
        uint64_t key  = gm_test_random(&random) % 500;
        bool     here = false;
        for (size_t i = first; i < last; i++) here |= keys[i] == key;
        assert_int_equal(gm_pending_has(&pending, key), here);
    }
    gm_pending_finish(&pending);
}

static int set_up(void **state)
{
    plant *p = calloc(1, sizeof *p);
    gm_test_make_dir(p->dir, sizeof p->dir);
    start(p);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    plant *p = *state;
    stop(p);
    gm_test_remove_dir(p->dir);
    free(p);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_change_is_visible_when_it_is_answered_and_not_before, set_up, tear_down),
        cmocka_unit_test_setup_teardown(history_has_every_sample_once_and_survives_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_series_goes_on_when_the_twin_changes_its_model, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_the_world_overtook_is_answered_with_a_conflict, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_postponed_runs_after_the_commit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dead_letters_are_kept_counted_and_survive_restart, set_up, tear_down),
        cmocka_unit_test(pending_keys_agree_with_a_plain_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
