// States of the past that are kept for the next page: the same one comes back, and never one that should be gone.
#include "engine/past_states.h"

#include "support/support.h"
#include "support/temp_dir.h"

#include <stdio.h>

static const char model[] = "{\"@context\":\"dtmi:dtdl:context;3\",\"@type\":\"Interface\",\"@id\":\"dtmi:t:A;1\",\"contents\":["
                            "{\"@type\":\"Telemetry\",\"name\":\"flow\",\"schema\":\"double\"}]}";
static const char other[] = "{\"@context\":\"dtmi:dtdl:context;3\",\"@type\":\"Interface\",\"@id\":\"dtmi:t:B;1\",\"contents\":["
                            "{\"@type\":\"Telemetry\",\"name\":\"flow\",\"schema\":\"double\"}]}";
static const gm_time_ns epoch = INT64_C(1700000000) * GM_SECOND;

typedef struct plant {
    char            dir[256];
    gm_clock        clock;
    gm_dur_ns       ahead;  // of the monotonic clock
    gm_loop        *loop;
    gm_engine      *engine;
    gm_past_states *past;
    gm_error        err;
} plant;

static gm_time_ns now(void *context) { (void)context; return gm_now(gm_clock_system()); }
static gm_dur_ns  monotonic(void *context) { return gm_monotonic(gm_clock_system()) + ((plant *)context)->ahead; }

static void submit(plant *p, gm_change_kind kind, uint8_t flags, const char *id, const char *text)
{
    assert_gm_ok(gm_engine_submit(p->engine, kind, flags, gm_str_of(id), (gm_str){ 0 }, gm_str_of(text), (gm_ask){ 0 }, &p->err), p->err);
    assert_gm_ok(gm_engine_settle(p->engine, &p->err), p->err);
}

static void flow(plant *p, gm_time_ns at, double value)
{
    gm_cell_write cell = { 0, at, { .kind = GM_KIND_DOUBLE, .d = value } };
    assert_gm_ok(gm_engine_write(p->engine, gm_state_find(gm_engine_state(p->engine), GM_STR("t0")), 0, &cell, 1, (gm_ask){ 0 }, &p->err), p->err);
    assert_gm_ok(gm_engine_settle(p->engine, &p->err), p->err);
}

static void start(plant *p)
{
    *p = (plant){ .clock = { now, monotonic, p } };
    gm_test_make_dir(p->dir, sizeof p->dir);
    assert_gm_ok(gm_loop_create(gm_alloc_system(), &p->clock, &p->loop, &p->err), p->err);
    gm_engine_options o = { .alloc = gm_alloc_system(), .io = gm_io_system(), .clock = &p->clock, .loop = p->loop, .data_dir = p->dir,
                            .log = gm_log_options_defaults(), .checkpoint.in_process = true };
    o.log.realtime_commit = o.log.prepare_ahead = false;
    assert_gm_ok(gm_engine_open(&o, &p->engine, &p->err), p->err);
    p->past = gm_engine_past_states(p->engine);
    assert_gm_ok(gm_engine_recover(p->engine, &p->err), p->err);
    submit(p, GM_CHANGE_MODELS, 0, "", model);
    const gm_type *type = gm_model_find(gm_engine_model(p->engine), GM_STR("dtmi:t:A;1"));
    for (int i = 0; i < 3; i++) {
        char          id[8];
        gm_cell_write cell = { 0, epoch, { .kind = GM_KIND_DOUBLE, .d = i } };
        int           len  = snprintf(id, sizeof id, "t%d", i);
        assert_gm_ok(gm_engine_twin_put(p->engine, (gm_twin){ GM_NONE }, (gm_str){ id, (size_t)len }, type, &cell, 1, (gm_ask){ 0 }, NULL, &p->err), p->err);
        assert_gm_ok(gm_engine_settle(p->engine, &p->err), p->err);
    }
}

static void stop(plant *p)
{
    gm_engine_close(p->engine);
    gm_loop_destroy(p->loop);
    gm_test_remove_dir(p->dir);
}

static const gm_state *take(plant *p, gm_time_ns time, gm_past_how how)
{
    const gm_state *state;
    bool            kept;
    assert_gm_ok(gm_past_states_take(p->past, time, how, 1000, &state, &kept, &p->err), p->err);
    assert_true(kept);
    return state;
}

static double flow_in(const gm_state *state)
{
    gm_cell cell;
    gm_state_get(state, gm_state_find(state, GM_STR("t0")), 0, &cell);
    return cell.value.d;
}

static uint64_t built(const plant *p) { return gm_past_states_statistics(p->past).built; }

static void the_next_page_is_of_the_same_state_and_a_new_question_of_all_that_is_known(void **state)
{
    (void)state;
    plant p;
    start(&p);
    gm_time_ns then = epoch + GM_MINUTE;
    flow(&p, epoch + 10 * GM_SECOND, 5);
    assert_true(flow_in(take(&p, then, GM_PAST_FRESH)) == 5);
    flow(&p, epoch + 20 * GM_SECOND, 7);  // late: it belongs to that time
    assert_true(flow_in(take(&p, then, GM_PAST_KEPT)) == 5);
    assert_int_equal(built(&p), 1);
    assert_true(flow_in(take(&p, then, GM_PAST_FRESH)) == 7);
    assert_true(flow_in(take(&p, then, GM_PAST_KEPT)) == 7);
    assert_true(flow_in(take(&p, epoch + 15 * GM_SECOND, GM_PAST_KEPT)) == 5);  // another moment, never asked for before
    assert_int_equal(built(&p), 3);
    assert_int_equal(gm_past_states_statistics(p.past).count, 2);
    stop(&p);
}

static void few_are_kept_and_the_longest_unused_goes(void **state)
{
    (void)state;
    plant p;
    start(&p);
    for (int i = 0; i < GM_PAST_STATES_MOST; i++) take(&p, epoch + i, GM_PAST_FRESH);
    take(&p, epoch, GM_PAST_KEPT);
    take(&p, epoch + 100, GM_PAST_FRESH);
    assert_int_equal(gm_past_states_statistics(p.past).count, GM_PAST_STATES_MOST);
    uint64_t before = built(&p);
    take(&p, epoch, GM_PAST_KEPT);
    assert_int_equal(built(&p), before);
    take(&p, epoch + 1, GM_PAST_KEPT);  // this one went
    assert_int_equal(built(&p), before + 1);
    stop(&p);
}

static void a_state_goes_a_minute_after_its_last_use(void **state)
{
    (void)state;
    plant p;
    start(&p);
    take(&p, epoch, GM_PAST_FRESH);
    for (int i = 0; i < 4; i++) {  // in use
        p.ahead += GM_PAST_STATES_IDLE / 2;
        take(&p, epoch, GM_PAST_KEPT);
        assert_gm_ok(gm_loop_turn(p.loop, &p.err), p.err);
    }
    assert_int_equal(gm_past_states_statistics(p.past).count, 1);
    p.ahead += 2 * GM_PAST_STATES_IDLE;
    for (int i = 0; i < 100 && gm_past_states_statistics(p.past).count > 0; i++) assert_gm_ok(gm_loop_turn(p.loop, &p.err), p.err);
    assert_int_equal(gm_past_states_statistics(p.past).count, 0);
    stop(&p);
}

static void what_is_deleted_for_good_is_in_no_kept_state_and_models_end_them_all(void **state)
{
    (void)state;
    plant p;
    start(&p);
    gm_time_ns then = epoch + GM_MINUTE;
    flow(&p, epoch + 10 * GM_SECOND, 5);
    flow(&p, epoch + GM_HOUR, 6);
    assert_true(flow_in(take(&p, then, GM_PAST_FRESH)) == 5);
    assert_gm_ok(gm_engine_history_delete(p.engine, GM_STR("t0"), GM_STR(""), (gm_ask){ 0 }, &p.err), p.err);
    assert_gm_ok(gm_engine_settle(p.engine, &p.err), p.err);
    assert_int_equal(gm_past_states_statistics(p.past).count, 0);
    gm_cell         cell;
    const gm_state *now_known = take(&p, then, GM_PAST_KEPT);
    gm_twin         twin      = gm_state_find(now_known, GM_STR("t0"));
    if (gm_twin_ok(twin)) {
        gm_state_get(now_known, twin, 0, &cell);
        assert_int_equal(cell.value.kind, GM_KIND_NONE);
    }
    submit(&p, GM_CHANGE_MODELS, 0, "", other);
    assert_int_equal(gm_past_states_statistics(p.past).count, 0);
    take(&p, then, GM_PAST_KEPT);
    submit(&p, GM_CHANGE_MODEL_DELETE, 0, "", "dtmi:t:B;1");
    assert_int_equal(gm_past_states_statistics(p.past).count, 0);
    stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_page_is_of_the_same_state_and_a_new_question_of_all_that_is_known),
        cmocka_unit_test(few_are_kept_and_the_longest_unused_goes),
        cmocka_unit_test(a_state_goes_a_minute_after_its_last_use),
        cmocka_unit_test(what_is_deleted_for_good_is_in_no_kept_state_and_models_end_them_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
