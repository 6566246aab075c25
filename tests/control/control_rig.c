#include "control/control_rig.h"

#include "engine/checkpoint.h"
#include "state/document.h"
#include "support/temp_dir.h"

#include <stdio.h>

static gm_time_ns now(void *context)
{
    const control_rig *r = context;
    return gm_now(gm_clock_system()) + r->ahead + r->jumped;
}
static gm_dur_ns  monotonic(void *context) { return gm_monotonic(gm_clock_system()) + ((control_rig *)context)->ahead; }

static gm_status send(void *context, const gm_sending *m, gm_error *err)
{
    control_rig *r = context;
    (void)err;
    r->lifetime = m->lifetime;
    gm_buf_printf(&r->sent, GM_STR_FMT " " GM_STR_FMT "\n", GM_STR_ARG(m->topic), GM_STR_ARG(m->payload));
    return GM_OK;
}

static bool read_rollup(void *context, gm_twin twin, gm_str name, gm_str part, gm_time_ns at, gm_value *out)
{
    return part.len == 0 && gm_rollups_then(((control_rig *)context)->rollups, twin, name, at, out);
}

static bool find_rollup(void *context, gm_str name, uint32_t *out_number) { return gm_rollups_series(((control_rig *)context)->rollups, name, out_number); }
static bool rule_waits(void *context, gm_str name) { return gm_control_asks_rollup(((control_rig *)context)->control, name); }

static void open_rollups(control_rig *r)
{
    if (r->declared == NULL) return;
    r->facts = (gm_query_facts){ .rollup = read_rollup, .rollup_series = find_rollup, .rollups = r };
    assert_gm_ok(gm_rollups_create(gm_alloc_system(), r->engine, &r->rollups, &r->err), r->err);
}

static void start_rollups(control_rig *r)
{
    gm_rollup_file file = { GM_STR("rules/a.rollups"), gm_str_of(r->declared) };
    size_t         which;
    if (r->declared == NULL) return;
    assert_gm_ok(gm_rollups_set(r->rollups, &file, 1, &which, &r->err), r->err);
    assert_gm_ok(gm_rollups_start(r->rollups, &(gm_rollup_recording){ r->loop, &r->clock, rule_waits, r }, &r->err), r->err);
}

static void open_rig(control_rig *r)
{
    r->clock = (gm_clock){ now, monotonic, r };
    assert_gm_ok(gm_loop_create(gm_alloc_system(), &r->clock, &r->loop, &r->err), r->err);
    gm_engine_options engine = { .alloc = gm_alloc_system(), .io = gm_io_system(), .clock = &r->clock, .loop = r->loop, .data_dir = r->dir,
                                 .log = gm_log_options_defaults(), .checkpoint.in_process = true };
    engine.log.segment_size = 1 << 20;
    assert_gm_ok(gm_engine_open(&engine, &r->engine, &r->err), r->err);
    gm_control_options control = { .alloc = gm_alloc_system(), .clock = &r->clock, .loop = r->loop, .engine = r->engine,
                                   .relationships = GM_STR("contains"), .facts = r->declared != NULL ? &r->facts : NULL, .send = send, .context = r };
    open_rollups(r);
    assert_gm_ok(gm_control_create(&control, &r->control, &r->err), r->err);
    assert_gm_ok(gm_engine_recover(r->engine, &r->err), r->err);
    assert_gm_ok(gm_control_start(r->control, &r->err), r->err);
    control_rig_settle(r);
    control_rig_rules(r);
    start_rollups(r);
}

void control_rig_rules(control_rig *r)
{
    gm_control_file files[8];
    size_t          n = 0, file;
    for (; r->files != NULL && r->files[2 * n] != NULL; n++) files[n] = (gm_control_file){ gm_str_of(r->files[2 * n]), gm_str_of(r->files[2 * n + 1]) };
    if (n == 0) return;
    if (gm_control_set_rules(r->control, files, n, &file, &r->err) != GM_OK) fail_msg("%s:%u:%u: %s", r->files[2 * file], r->err.line, r->err.column, r->err.text);
    control_rig_settle(r);
}

static void close_rig(control_rig *r)
{
    gm_control_stop(r->control);
    if (r->declared != NULL) gm_rollups_stop(r->rollups);
    gm_engine_close(r->engine);
    if (r->declared != NULL) gm_rollups_destroy(r->rollups);
    gm_control_destroy(r->control);
    gm_loop_destroy(r->loop);
}

void control_rig_start(control_rig *r)
{
    gm_test_make_dir(r->dir, sizeof r->dir);
    r->sent = gm_buf_init(gm_alloc_system());
    open_rig(r);
}

void control_rig_restart(control_rig *r)
{
    close_rig(r);
    open_rig(r);
}

void control_rig_stop(control_rig *r)
{
    close_rig(r);
    gm_buf_finish(&r->sent);
    gm_test_remove_dir(r->dir);
}

static void ignore(void *context) { (void)context; }

static void turn(control_rig *r)
{
    gm_timer *soon = NULL;
    assert_gm_ok(gm_loop_after(r->loop, 0, ignore, NULL, &soon, &r->err), r->err);
    assert_gm_ok(gm_loop_turn(r->loop, &r->err), r->err);
}

void control_rig_settle(control_rig *r)
{
    for (int quiet = 0; quiet < 3;) {
        uint64_t before = gm_log_durable(gm_engine_log(r->engine));
        assert_gm_ok(gm_engine_settle(r->engine, &r->err), r->err);
        turn(r);
        assert_gm_ok(gm_engine_settle(r->engine, &r->err), r->err);
        quiet = gm_log_durable(gm_engine_log(r->engine)) == before ? quiet + 1 : 0;
    }
}

void control_rig_pass(control_rig *r, gm_dur_ns time)
{
    r->ahead += time;
    control_rig_settle(r);
}

static void on_checkpoint(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    (void)token;
    if (status != GM_OK) fail_msg("%s", err->text);
    *(bool *)context = true;
}

void control_rig_checkpoint(control_rig *r)
{
    bool done = false;
    assert_gm_ok(gm_engine_checkpoint(r->engine, NULL, (gm_ask){ on_checkpoint, &done, 0 }, &r->err), r->err);
    assert_true(done);
}

void control_rig_models(control_rig *r, const char *models)
{
    assert_gm_ok(gm_engine_submit(r->engine, GM_CHANGE_MODELS, 0, (gm_str){ 0 }, (gm_str){ 0 }, gm_str_of(models), (gm_ask){ 0 }, &r->err), r->err);
    control_rig_settle(r);
}

void control_rig_twin(control_rig *r, const char *id, const char *document)
{
    gm_arena        *arena = gm_arena_create(gm_alloc_system(), 0);
    json_t          *body  = json_loads(document, 0, NULL);
    gm_twin_document twin;
    assert_non_null(body);
    assert_gm_ok(gm_document_read_twin(gm_engine_model(r->engine), body, gm_now(&r->clock), arena, &twin, &r->err), r->err);
    assert_gm_ok(gm_engine_twin_put(r->engine, gm_state_find(gm_engine_state(r->engine), gm_str_of(id)), gm_str_of(id), twin.type, twin.cells, twin.count,
                                    (gm_ask){ 0 }, NULL, &r->err), r->err);
    json_decref(body);
    gm_arena_destroy(arena);
    control_rig_settle(r);
}

void control_rig_relate(control_rig *r, const char *source, const char *name, const char *target)
{
    const gm_state *state = gm_engine_state(r->engine);
    char            id[256];
    snprintf(id, sizeof id, "%s-%s-%s", source, name, target);
    assert_gm_ok(gm_engine_relationship_put(r->engine, gm_state_find(state, gm_str_of(source)), gm_state_find(state, gm_str_of(target)), gm_str_of(id),
                                            gm_str_of(name), GM_STR("{}"), (gm_ask){ 0 }, &r->err), r->err);
    control_rig_settle(r);
}

void control_rig_report(control_rig *r, const char *twin, const char *path, double value)
{
    const gm_state  *state  = gm_engine_state(r->engine);
    gm_twin          at     = gm_state_find(state, gm_str_of(twin));
    assert_true(gm_twin_ok(at));
    const gm_type   *type   = gm_state_type(state, at);
    const gm_column *column = gm_type_column(type, gm_str_of(path));
    assert_non_null(column);
    gm_cell_write cell = { .column = (uint16_t)gm_type_column_index(type, gm_str_of(path)), .at = gm_now(&r->clock),
                           .value = { .kind = column->kind } };
    if (column->kind == GM_KIND_DOUBLE) cell.value.d = value;
    else cell.value.i = (int64_t)value;
    assert_gm_ok(gm_engine_write(r->engine, at, column->is_telemetry ? 0 : GM_WRITE_PROPERTIES, &cell, 1, (gm_ask){ 0 }, &r->err), r->err);
    control_rig_settle(r);
}
