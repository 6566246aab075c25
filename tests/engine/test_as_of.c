// What was, against what was seen when it was: after every change everything is written down as it is, and asked for again
// later: after deletions, new twins of old names, changes of model, restarts, checkpoints, and under a clock that jumps.
#include "engine/as_of.h"

#include "engine/checkpoint.h"
#include "support/support.h"
#include "support/temp_dir.h"

#include <stdio.h>
#include <stdlib.h>

#define HEAD "{\"@context\":\"dtmi:dtdl:context;3\",\"@type\":\"Interface\",\"@id\":\"dtmi:t:"
#define BODY                                                                                                            \
    "{\"@type\":\"Telemetry\",\"name\":\"flow\",\"schema\":\"double\"},{\"@type\":\"Property\",\"name\":\"label\",\"schema\":\"string\"}," \
    "{\"@type\":\"Relationship\",\"name\":\"feeds\"},{\"@type\":\"Property\",\"name\":\"n\",\"schema\":"
static const char models[] = "[" HEAD "A;1\",\"contents\":[" BODY "\"long\"}]}," HEAD "B;1\",\"contents\":[" BODY "\"string\"},"
                             "{\"@type\":\"Property\",\"name\":\"more\",\"schema\":\"boolean\"}]}]";
enum { TWINS = 5, MOMENTS = 400 };

typedef struct moment { gm_time_ns at; gm_buf text; } moment;

typedef struct plant {
    char       dir[256];
    gm_engine *engine;
    gm_clock   clock;
    gm_time_ns shift;   // what somebody set the clock wrong by
    gm_time_ns newest;  // ingest time of the last change
    uint64_t   random;
    moment     moments[MOMENTS];
    size_t     count;
    gm_error   err;
} plant;

static gm_time_ns shifted_now(void *context) { return gm_now(gm_clock_system()) + ((plant *)context)->shift; }
static gm_dur_ns  monotonic(void *context) { (void)context; return gm_monotonic(gm_clock_system()); }

static void note_time(void *context, const gm_record *record, const gm_change *change)
{
    (void)change;
    plant *p = context;
    if (record->ingest <= p->newest) fail_msg("a change was committed before the one before it");
    p->newest = record->ingest;
}

static void start(plant *p)
{
    p->clock                  = (gm_clock){ shifted_now, monotonic, p };
    gm_engine_options options = { .alloc = gm_alloc_system(), .io = gm_io_system(), .clock = &p->clock, .data_dir = p->dir,
                                  .log = gm_log_options_defaults(), .checkpoint.in_process = true };
    options.log.realtime_commit = options.log.prepare_ahead = false;
    assert_gm_ok(gm_engine_open(&options, &p->engine, &p->err), p->err);
    assert_gm_ok(gm_engine_recover(p->engine, &p->err), p->err);
    assert_gm_ok(gm_engine_observe(p->engine, note_time, p, &p->err), p->err);
}

static void settle(plant *p) { assert_gm_ok(gm_engine_settle(p->engine, &p->err), p->err); }

// ---- a state as text ------------------------------------------------------------------------------------------------

static void dump_twin(const gm_state *state, gm_twin twin, gm_buf *out)
{
    const gm_type *type = gm_state_type(state, twin);
    gm_buf_printf(out, "  is " GM_STR_FMT "\n", GM_STR_ARG(type->id));
    for (uint32_t c = 0; c < type->column_count; c++) {
        gm_cell cell;
        gm_state_get(state, twin, c, &cell);
        if (cell.value.kind == GM_KIND_NONE) continue;
        gm_buf_printf(out, "  " GM_STR_FMT " %" PRId64 " = ", GM_STR_ARG(type->columns[c].path), cell.source);
        if (cell.value.kind == GM_KIND_STRING) gm_buf_str(out, cell.value.s);
        else if (cell.value.kind == GM_KIND_DOUBLE) gm_buf_printf(out, "%a", cell.value.d);
        else gm_buf_printf(out, "%" PRId64, cell.value.i);
        gm_buf_text(out, "\n");
    }
    for (unsigned r = 0; r < 3; r++) {
        char id[8];
        snprintf(id, sizeof id, "r%u", r);
        gm_edge edge = gm_state_find_relationship(state, twin, gm_str_of(id));
        if (!gm_edge_ok(edge)) continue;
        gm_relationship is = gm_state_relationship(state, edge);
        gm_buf_printf(out, "  %s " GM_STR_FMT " " GM_STR_FMT " " GM_STR_FMT "\n", id, GM_STR_ARG(is.name),
                      GM_STR_ARG(gm_state_id(state, is.target)), GM_STR_ARG(is.properties));
    }
}

static void dump(const gm_state *state, gm_buf *out)
{
    for (unsigned i = 0; i < TWINS; i++) {
        char id[8];
        snprintf(id, sizeof id, "t%u", i);
        gm_twin twin = gm_state_find(state, gm_str_of(id));
        if (!gm_twin_ok(twin)) continue;
        gm_buf_printf(out, "%s\n", id);
        dump_twin(state, twin, out);
    }
    gm_buf_printf(out, "%zu twins, %zu relationships\n", gm_state_twin_count(state), gm_state_relationship_count(state));
    assert_false(out->failed);
}

static void remember(plant *p)
{
    if (p->count == MOMENTS || (p->count > 0 && p->moments[p->count - 1].at == p->newest)) return;
    moment *m = &p->moments[p->count++];
    *m        = (moment){ p->newest, gm_buf_init(gm_alloc_system()) };
    dump(gm_engine_state(p->engine), &m->text);
}

static void expect_moment(plant *p, const moment *m, const char *when)
{
    gm_buf    text = gm_buf_init(gm_alloc_system());
    gm_state *then;
    assert_gm_ok(gm_as_of_state(p->engine, m->at, 100, &then, &p->err), p->err);
    dump(then, &text);
    if (!gm_str_eq(gm_buf_view(&text), gm_buf_view(&m->text))) {
        fail_msg("%s, moment %zu: was\n" GM_STR_FMT "but is said to have been\n" GM_STR_FMT, when, (size_t)(m - p->moments),
                 GM_STR_ARG(gm_buf_view(&m->text)), GM_STR_ARG(gm_buf_view(&text)));
    }
    gm_state_destroy(then);
    gm_buf_finish(&text);
}

static void expect_all_moments(plant *p, const char *when)
{
    for (size_t i = 0; i < p->count; i++) expect_moment(p, &p->moments[i], when);
}

// ---- a life ---------------------------------------------------------------------------------------------------------

// Measured now: after everything so far, before the commit that brings it.
static gm_time_ns measured(const plant *p)
{
    gm_time_ns now = gm_now(&p->clock);
    return now > p->newest ? now : p->newest + 1;
}

static size_t some_cells(plant *p, const gm_type *type, gm_cell_write cells[4], char text[32])
{
    size_t     n  = 0;
    gm_time_ns at = measured(p);
    snprintf(text, 32, "text %u", (unsigned)(gm_test_random(&p->random) % 50));
    for (uint32_t c = 0; c < type->column_count && n < 4; c++) {
        if (gm_test_random(&p->random) % 3 == 0) continue;
        gm_value value = { .kind = type->columns[c].kind };
        if (gm_test_random(&p->random) % 6 == 0) value.kind = GM_KIND_NONE;
        else if (value.kind == GM_KIND_DOUBLE) value.d = (double)(gm_test_random(&p->random) % 1000) / 10;
        else if (value.kind == GM_KIND_STRING) value.s = gm_str_of(text);
        else value.i = (int64_t)(gm_test_random(&p->random) & 1);
        cells[n++] = (gm_cell_write){ (uint16_t)c, at, value };
    }
    return n;
}

static gm_status put_twin(plant *p, gm_twin twin, const char *id, const char *model)
{
    const gm_type *type = gm_model_find(gm_engine_model(p->engine), gm_str_of(model));
    gm_cell_write  cells[4];
    char           text[32];
    size_t         n = some_cells(p, type, cells, text), kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (cells[i].value.kind != GM_KIND_NONE) cells[kept++] = cells[i];
    }
    return gm_engine_twin_put(p->engine, twin, gm_str_of(id), type, cells, kept, (gm_ask){ 0 }, NULL, &p->err);
}

// A twin with its relationships gone, as the API has it; each is a change, and a moment, of its own.
static gm_status delete_twin(plant *p, gm_twin twin)
{
    const gm_state *state = gm_engine_state(p->engine);
    for (int side = 0; side < 2; side++) {
        for (;;) {
            gm_edge edge = side == 0 ? gm_state_first_out(state, twin) : gm_state_first_in(state, twin);
            if (!gm_edge_ok(edge)) break;
            gm_relationship r = gm_state_relationship(state, edge);
            assert_gm_ok(gm_engine_relationship_delete(p->engine, r.source, r.id, (gm_ask){ 0 }, &p->err), p->err);
            settle(p);
            remember(p);
        }
    }
    return gm_engine_twin_delete(p->engine, twin, (gm_ask){ 0 }, &p->err);
}

static gm_status one_change(plant *p)
{
    const gm_state *state = gm_engine_state(p->engine);
    char            id[8], other[8], relationship[8];
    snprintf(id, sizeof id, "t%u", (unsigned)(gm_test_random(&p->random) % TWINS));
    snprintf(other, sizeof other, "t%u", (unsigned)(gm_test_random(&p->random) % TWINS));
    snprintf(relationship, sizeof relationship, "r%u", (unsigned)(gm_test_random(&p->random) % 3));
    gm_twin     twin  = gm_state_find(state, gm_str_of(id)), target = gm_state_find(state, gm_str_of(other));
    const char *model = gm_test_random(&p->random) & 1 ? "dtmi:t:A;1" : "dtmi:t:B;1";
    unsigned    what  = (unsigned)(gm_test_random(&p->random) % 10);
    if (!gm_twin_ok(twin) || what == 0) return put_twin(p, twin, id, model);
    if (what == 1) return delete_twin(p, twin);
    if (what <= 3 && gm_twin_ok(target)) {
        return gm_engine_relationship_put(p->engine, twin, target, gm_str_of(relationship), GM_STR("feeds"),
                                          gm_test_random(&p->random) & 1 ? GM_STR("{\"a\":1}") : GM_STR("{}"), (gm_ask){ 0 }, &p->err);
    }
    if (what == 4 && gm_edge_ok(gm_state_find_relationship(state, twin, gm_str_of(relationship)))) {
        return gm_engine_relationship_delete(p->engine, twin, gm_str_of(relationship), (gm_ask){ 0 }, &p->err);
    }
    gm_cell_write cells[4];
    char          text[32];
    size_t        n = some_cells(p, gm_state_type(state, twin), cells, text);
    return n > 0 ? gm_engine_write(p->engine, twin, GM_WRITE_PROPERTIES, cells, n, (gm_ask){ 0 }, &p->err) : GM_OK;
}

static void live(plant *p, unsigned changes)
{
    for (unsigned i = 0; i < changes; i++) {
        assert_gm_ok(one_change(p), p->err);
        settle(p);
        remember(p);
    }
}

static void begin(plant *p)
{
    memset(p, 0, sizeof *p);
    p->random = gm_test_seed();
    gm_test_make_dir(p->dir, sizeof p->dir);
    start(p);
    assert_gm_ok(gm_engine_submit(p->engine, GM_CHANGE_MODELS, 0, (gm_str){ 0 }, (gm_str){ 0 }, gm_str_of(models), (gm_ask){ 0 }, &p->err), p->err);
    settle(p);
    remember(p);
}

static void end(plant *p)
{
    gm_engine_close(p->engine);
    for (size_t i = 0; i < p->count; i++) gm_buf_finish(&p->moments[i].text);
    gm_test_remove_dir(p->dir);
}

static void every_moment_is_told_as_it_was(void **state)
{
    (void)state;
    plant *p = malloc(sizeof *p);
    begin(p);
    for (unsigned round = 0; round < (getenv("GM_DEEP") != NULL ? 12u : 4u); round++) {
        live(p, 25);
        expect_all_moments(p, "while it lives");
        if (round % 2 == 0) assert_gm_ok(gm_engine_checkpoint(p->engine, NULL, (gm_ask){ 0 }, &p->err), p->err);
        live(p, 5);
        gm_engine_close(p->engine);
        start(p);
        expect_all_moments(p, "after a restart");
    }
    end(p);
    free(p);
}

static void a_clock_that_jumps_orders_nothing_anew(void **state)
{
    (void)state;
    static const gm_time_ns jumps[] = { -3600 * GM_SECOND, 86400 * GM_SECOND, -86400 * GM_SECOND, 5 * GM_SECOND, 0 };
    plant *p = malloc(sizeof *p);
    begin(p);
    for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
        p->shift = jumps[i];
        live(p, 12);
        expect_all_moments(p, "after the clock jumped");
        if (i % 2 == 1) assert_gm_ok(gm_engine_checkpoint(p->engine, NULL, (gm_ask){ 0 }, &p->err), p->err);
        gm_engine_close(p->engine);
        start(p);
        expect_all_moments(p, "after the clock jumped and a restart");
    }
    end(p);
    free(p);
}

// ---- one by one -------------------------------------------------------------------------------------------------------

static gm_status write_flow(plant *p, gm_twin twin, gm_time_ns at, double value)
{
    uint16_t      column = (uint16_t)gm_type_column_index(gm_state_type(gm_engine_state(p->engine), twin), GM_STR("flow"));
    gm_cell_write cell   = { column, at, { .kind = GM_KIND_DOUBLE, .d = value } };
    gm_status     st     = gm_engine_write(p->engine, twin, 0, &cell, 1, (gm_ask){ 0 }, &p->err);
    return st == GM_OK ? gm_engine_settle(p->engine, &p->err) : st;
}

typedef struct listing { double values[16]; size_t n; } listing;
static bool list_value(void *context, const gm_sample *sample)
{
    listing *l          = context;
    l->values[l->n++] = sample->value.kind == GM_KIND_NONE ? -1 : sample->value.d;
    return l->n < 16;
}

static void put_as(plant *p, const char *model, const double *flow)
{
    const gm_type *type   = gm_model_find(gm_engine_model(p->engine), gm_str_of(model));
    gm_cell_write  cell   = { (uint16_t)gm_type_column_index(type, GM_STR("flow")), measured(p),
                              { .kind = GM_KIND_DOUBLE, .d = flow != NULL ? *flow : 0 } };
    gm_twin        twin   = gm_state_find(gm_engine_state(p->engine), GM_STR("x"));
    assert_gm_ok(gm_engine_twin_put(p->engine, twin, GM_STR("x"), type, &cell, flow != NULL, (gm_ask){ 0 }, NULL, &p->err), p->err);
    settle(p);
}

// The first value that a twin gets under another model is a sample like any other.
static void no_value_is_lost_when_a_twin_changes_its_model(void **state)
{
    (void)state;
    plant *p = malloc(sizeof *p);
    begin(p);
    put_as(p, "dtmi:t:A;1", (double[]){ 1 });
    put_as(p, "dtmi:t:B;1", (double[]){ 2 });
    gm_twin twin = gm_state_find(gm_engine_state(p->engine), GM_STR("x"));
    assert_gm_ok(write_flow(p, twin, measured(p), 3), p->err);
    put_as(p, "dtmi:t:A;1", NULL);  // the value goes with the model
    assert_gm_ok(write_flow(p, twin, measured(p), 5), p->err);
    for (int again = 0; again < 2; again++) {
        listing  l      = { .n = 0 };
        uint32_t column = gm_type_column_index(gm_state_type(gm_engine_state(p->engine), twin), GM_STR("flow"));
        assert_gm_ok(gm_engine_read_history(p->engine, twin, column, GM_TIME_MIN, GM_TIME_MAX, list_value, &l, &p->err), p->err);
        static const double wanted[] = { 1, 2, 3, -1, 5 };
        assert_int_equal(l.n, 5);
        for (size_t i = 0; i < 5; i++) assert_true(l.values[i] == wanted[i]);
        gm_engine_close(p->engine);
        start(p);
    }
    end(p);
    free(p);
}

// A late sample shows that the twin was there before it was made known; but not a twin that had the name before it.
static void history_that_comes_late_reaches_back(void **state)
{
    (void)state;
    plant        *p = malloc(sizeof *p);
    gm_twin_then  then;
    begin(p);
    put_as(p, "dtmi:t:A;1", NULL);
    gm_time_ns      born = p->newest, year_before = born - INT64_C(365) * 86400 * GM_SECOND;
    const gm_state *now  = gm_engine_state(p->engine);
    gm_twin         twin = gm_state_find(now, GM_STR("x"));
    assert_false(gm_state_twin_at(now, GM_STR("x"), year_before, &then));
    assert_gm_ok(write_flow(p, twin, measured(p), 1), p->err);
    assert_gm_ok(write_flow(p, twin, year_before, 7), p->err);
    assert_true(gm_state_twin_at(now, GM_STR("x"), year_before, &then));
    gm_sample sample;
    uint32_t  column = gm_type_column_index(then.type, GM_STR("flow"));
    assert_gm_ok(gm_as_of_value(p->engine, &then, column, year_before + 1, &sample, &p->err), p->err);
    assert_true(sample.at == year_before && sample.value.d == 7);

    assert_gm_ok(gm_engine_twin_delete(p->engine, twin, (gm_ask){ 0 }, &p->err), p->err);
    settle(p);
    gm_time_ns gone = p->newest;
    put_as(p, "dtmi:t:A;1", NULL);
    gm_twin second = gm_state_find(now, GM_STR("x"));
    assert_int_not_equal(second.v, twin.v);
    assert_gm_ok(write_flow(p, second, measured(p), 2), p->err);
    assert_gm_ok(write_flow(p, second, year_before, 9), p->err);
    assert_true(gm_state_twin_at(now, GM_STR("x"), year_before, &then));
    assert_int_equal(then.twin.v, twin.v);
    assert_true(gm_state_twin_at(now, GM_STR("x"), gone, &then));
    assert_int_equal(then.twin.v, second.v);
    end(p);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_moment_is_told_as_it_was),
        cmocka_unit_test(a_clock_that_jumps_orders_nothing_anew),
        cmocka_unit_test(no_value_is_lost_when_a_twin_changes_its_model),
        cmocka_unit_test(history_that_comes_late_reaches_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
