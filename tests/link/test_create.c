#include "link/create.h"

#include "support/fault_io.h"
#include "support/support.h"

#include <stdio.h>
#include <stdlib.h>

static const char model[] =
    "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:test:Fleet;1\",\"@type\":\"Interface\",\"contents\":["
    "{\"@type\":\"Relationship\",\"name\":\"contains\",\"target\":\"dtmi:test:Engine;1\",\"properties\":["
    "{\"@type\":\"Property\",\"name\":\"since\",\"schema\":\"integer\"}]}]},"
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:test:Engine;1\",\"@type\":\"Interface\",\"contents\":["
    "{\"@type\":\"Property\",\"name\":\"serial\",\"schema\":\"string\"},"
    "{\"@type\":\"Relationship\",\"name\":\"next\"}]}]";

typedef struct fixture {
    gm_fault_io disk;
    gm_loop    *loop;
    gm_engine  *engine;
    gm_creator *creator;
    size_t      answered;            // how many asks were
    uint64_t    order[20000];        // their tokens, as they came
    gm_status   last;
    gm_error    why;
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    gm_error err;
    gm_fault_io_init(&f->disk, 1);
    assert_gm_ok(gm_loop_create(gm_alloc_system(), gm_clock_system(), &f->loop, &err), err);
    gm_engine_options o   = { .alloc    = gm_alloc_system(),
                              .io       = &f->disk.io,
                              .clock    = gm_clock_system(),
                              .loop     = f->loop,
                              .data_dir = "data",
                              .log      = gm_log_options_defaults() };
    o.log.segment_size    = 1 << 20;
    o.log.realtime_commit = false;
    assert_gm_ok(gm_engine_open(&o, &f->engine, &err), err);
    assert_gm_ok(gm_creator_create(gm_alloc_system(), f->engine, &f->creator, &err), err);
    assert_gm_ok(gm_engine_recover(f->engine, &err), err);
    gm_str none = { 0 };
    assert_gm_ok(gm_engine_submit(f->engine, GM_CHANGE_MODELS, 0, none, none, gm_str_of(model), (gm_ask) { 0 }, &err),
                 err);
    assert_gm_ok(gm_engine_settle(f->engine, &err), err);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    gm_engine_close(f->engine);
    gm_creator_destroy(f->creator);
    gm_loop_destroy(f->loop);
    gm_fault_io_finish(&f->disk);
    free(f);
    return 0;
}

static void on_created(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    fixture *f              = context;
    f->order[f->answered++] = token;
    f->last                 = status;
    if (err != NULL) f->why = *err;
}

static gm_status submit(fixture *f, const char *id, const char *body, uint64_t token)
{
    f->why     = (gm_error){ 0 };
    gm_ask ask = { .call = on_created, .context = f, .token = token };
    return gm_creator_submit(f->creator, gm_str_of(id), gm_str_of(body), GM_SECOND, ask, &f->why);
}

static void tick(void *context) { (void)context; }

static void turn_until_answered(fixture *f, size_t count)
{
    gm_error  err;
    gm_timer *timer;  // a server submits inside a turn; here something has to begin the first one
    assert_gm_ok(gm_loop_after(f->loop, 0, tick, NULL, &timer, &err), err);
    gm_dur_ns end = gm_monotonic(gm_clock_system()) + 30 * GM_SECOND;
    while (f->answered < count) {
        assert_gm_ok(gm_loop_turn(f->loop, &err), err);
        if (gm_monotonic(gm_clock_system()) > end) fail_msg("only %zu of %zu answers came", f->answered, count);
    }
}

static gm_status create(fixture *f, const char *id, const char *body)
{
    size_t    before = f->answered;
    gm_status st     = submit(f, id, body, 0);
    if (st != GM_OK) return st;
    turn_until_answered(f, before + 1);
    return f->last;
}

static gm_twin find(const fixture *f, const char *id)
{
    return gm_state_find(gm_engine_state(f->engine), gm_str_of(id));
}

#define FLEET "{\"$metadata\":{\"$model\":\"dtmi:test:Fleet;1\"}}"
#define ENGINE "\"$metadata\":{\"$model\":\"dtmi:test:Engine;1\"}"
#define IN_FLEET "\"$relationships\":[{\"$relationshipName\":\"contains\",\"$sourceId\":\"fleet\",\"since\":1998}]"

static void a_message_creates_a_twin_and_its_relationships(void **state)
{
    fixture *f = *state;
    assert_int_equal(create(f, "fleet", FLEET), GM_OK);
    assert_int_equal(create(f, "engine-1", "{" ENGINE ",\"serial\":\"A7\"," IN_FLEET "}"), GM_OK);
    const gm_state *s = gm_engine_state(f->engine);
    gm_cell         cell;
    gm_state_get(s, find(f, "engine-1"), 0, &cell);
    assert_true(gm_str_is(cell.value.s, "A7"));
    assert_int_equal(cell.source, GM_SECOND);
    gm_edge edge = gm_state_find_relationship(s, find(f, "fleet"), GM_STR("fleet-contains-engine-1"));
    assert_true(gm_edge_ok(edge));
    gm_relationship r = gm_state_relationship(s, edge);
    assert_int_equal(r.target.v, find(f, "engine-1").v);
    assert_true(gm_str_is(r.name, "contains") && gm_str_is(r.properties, "{\"since\":1998}"));

    // The other direction, with an id of its own.
    assert_int_equal(create(f, "engine-2",
                            "{" ENGINE
                            ",\"$relationships\":[{\"$relationshipName\":\"next\",\"$targetId\":\"engine-1\","
                            "\"$relationshipId\":\"n\"}]}"),
                     GM_OK);
    assert_true(gm_edge_ok(gm_state_find_relationship(s, find(f, "engine-2"), GM_STR("n"))));
}

static void creating_again_keeps_what_the_twin_became(void **state)
{
    fixture *f = *state;
    assert_int_equal(create(f, "fleet", FLEET), GM_OK);
    assert_int_equal(create(f, "engine-1", "{" ENGINE ",\"serial\":\"A7\"}"), GM_OK);
    uint64_t durable = gm_log_durable(gm_engine_log(f->engine));
    assert_int_equal(create(f, "engine-1", "{" ENGINE ",\"serial\":\"B8\"}"), GM_OK);
    gm_cell cell;
    gm_state_get(gm_engine_state(f->engine), find(f, "engine-1"), 0, &cell);
    assert_true(gm_str_is(cell.value.s, "A7"));
    assert_int_equal(gm_log_durable(gm_engine_log(f->engine)), durable);  // nothing was written
    // A relationship that is new is added all the same.
    assert_int_equal(create(f, "engine-1", "{" ENGINE "," IN_FLEET "}"), GM_OK);
    assert_int_equal(gm_state_relationship_count(gm_engine_state(f->engine)), 1);
    assert_int_equal(create(f, "engine-1", "{" ENGINE "," IN_FLEET "}"), GM_OK);
    assert_int_equal(gm_state_relationship_count(gm_engine_state(f->engine)), 1);
}

static void what_can_not_be_created_says_why(void **state)
{
    fixture *f = *state;
    assert_int_equal(create(f, "fleet", FLEET), GM_OK);
    static const struct { const char *id, *body, *says;
    } cases[] = {
        { "x", "nonsense", "not JSON" },
        { "x", "{}", "the model is missing" },
        { "x", "{\"$metadata\":{\"$model\":\"dtmi:test:None;1\"}}", "there is no model 'dtmi:test:None;1'" },
        { "x", "{" ENGINE ",\"serial\":5}", "'serial' must be" },
        { "x", "{" ENGINE ",\"colour\":5}", "'colour' is not part of model" },
        { "x", "{" ENGINE ",\"$relationships\":5}", "must be an array" },
        { "x", "{" ENGINE ",\"$relationships\":[{}]}", "needs \"$relationshipName\"" },
        { "x",
          "{" ENGINE ",\"$relationships\":[{\"$relationshipName\":\"next\",\"$targetId\":\"a\",\"$sourceId\":\"b\"}]}",
          "either" },
        { "x", "{" ENGINE ",\"$relationships\":[{\"$relationshipName\":\"next\",\"$targetId\":\"nobody\"}]}",
          "no twin 'nobody'" },
        { "x", "{" ENGINE ",\"$relationships\":[{\"$relationshipName\":\"eats\",\"$targetId\":\"fleet\"}]}",
          "has no relationship 'eats'" },
        { "y",
          "{\"$metadata\":{\"$model\":\"dtmi:test:Fleet;1\"},\"$relationships\":[{\"$relationshipName\":\"contains\","
          "\"$targetId\":\"fleet\"}]}",
          "must lead to a dtmi:test:Engine;1" },
        { "fleet", "{" ENGINE "}", "exists with another model" },
        { "", "{" ENGINE "}", "1 to 128 bytes" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_status st = create(f, cases[i].id, cases[i].body);
        if (st != GM_INVALID || strstr(f->why.text, cases[i].says) == NULL) {
            fail_msg("%s: status %d, '%s'", cases[i].body, (int)st, f->why.text);
        }
    }
}

static void many_that_depend_on_one_another_share_a_few_commits(void **state)
{
    fixture *f = *state;
    enum { ENGINES = 2000 };
    uint64_t batches = gm_engine_statistics(f->engine).batches;
    assert_int_equal(submit(f, "fleet", FLEET, 0), GM_OK);
    for (uint64_t i = 1; i <= ENGINES; i++) {
        char id[32], body[512];
        snprintf(id, sizeof id, "engine-%d", (int)i);
        // Each leads to the one before it, which is not there yet when the message comes.
        snprintf(body, sizeof body,
                 "{" ENGINE ",\"$relationships\":[{\"$relationshipName\":\"contains\",\"$sourceId\":\"fleet\"}%s%d%s]}",
                 i > 1 ? ",{\"$relationshipName\":\"next\",\"$targetId\":\"engine-" : "", (int)i - 1,
                 i > 1 ? "\"}" : "");
        if (i == 1)
            snprintf(body, sizeof body,
                     "{" ENGINE ",\"$relationships\":[{\"$relationshipName\":\"contains\",\"$sourceId\":\"fleet\"}]}");
        assert_int_equal(submit(f, id, body, i), GM_OK);
    }
    turn_until_answered(f, ENGINES + 1);
    for (uint64_t i = 0; i <= ENGINES; i++) assert_int_equal(f->order[i], i);
    assert_int_equal(gm_state_twin_count(gm_engine_state(f->engine)), ENGINES + 1);
    assert_int_equal(gm_state_relationship_count(gm_engine_state(f->engine)), 2 * ENGINES - 1);
    batches = gm_engine_statistics(f->engine).batches - batches;
    if (batches > 20) fail_msg("%d twins took %d commits", ENGINES, (int)batches);
}

static void the_same_twin_twice_in_a_row_is_one_twin(void **state)
{
    fixture *f = *state;
    assert_int_equal(submit(f, "engine-1", "{" ENGINE ",\"serial\":\"A\"}", 1), GM_OK);
    assert_int_equal(submit(f, "engine-1", "{" ENGINE ",\"serial\":\"B\"}", 2), GM_OK);
    turn_until_answered(f, 2);
    assert_int_equal(f->last, GM_OK);
    assert_int_equal(gm_state_twin_count(gm_engine_state(f->engine)), 1);
    gm_cell cell;
    gm_state_get(gm_engine_state(f->engine), find(f, "engine-1"), 0, &cell);
    assert_true(gm_str_is(cell.value.s, "A"));
}

static void a_full_queue_says_so(void **state)
{
    fixture  *f  = *state;
    gm_status st = GM_OK;
    int       n  = 0;
    for (; st == GM_OK && n <= GM_CREATES_WAITING_MAX; n++) st = submit(f, "engine-1", "{" ENGINE "}", (uint64_t)n);
    assert_int_equal(st, GM_LIMIT);
    assert_int_equal(n, GM_CREATES_WAITING_MAX + 1);
    turn_until_answered(f, GM_CREATES_WAITING_MAX);
    assert_int_equal(gm_creator_waiting(f->creator), 0);
    assert_int_equal(create(f, "engine-2", "{" ENGINE "}"), GM_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_creates_a_twin_and_its_relationships, set_up, tear_down),
        cmocka_unit_test_setup_teardown(creating_again_keeps_what_the_twin_became, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_can_not_be_created_says_why, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_that_depend_on_one_another_share_a_few_commits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_twin_twice_in_a_row_is_one_twin, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_queue_says_so, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
