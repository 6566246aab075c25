#include "rollup/rollup_rig.h"

#include "support/temp_dir.h"

#include <stdio.h>

static void open_rig(rollup_rig *r)
{
    assert_gm_ok(gm_loop_create(gm_alloc_system(), gm_clock_system(), &r->loop, &r->err), r->err);
    gm_engine_options o = { .alloc = gm_alloc_system(), .io = gm_io_system(), .clock = gm_clock_system(), .loop = r->loop, .data_dir = r->dir,
                            .log = gm_log_options_defaults(), .checkpoint.in_process = true };
    o.log.segment_size = 1 << 20;
    assert_gm_ok(gm_engine_open(&o, &r->engine, &r->err), r->err);
    assert_gm_ok(gm_rollups_create(gm_alloc_system(), r->engine, &r->rollups, &r->err), r->err);
    assert_gm_ok(gm_engine_recover(r->engine, &r->err), r->err);
}

static void close_rig(rollup_rig *r)
{
    gm_engine_close(r->engine);
    gm_rollups_destroy(r->rollups);
    gm_loop_destroy(r->loop);
}

static void settle(rollup_rig *r) { assert_gm_ok(gm_engine_settle(r->engine, &r->err), r->err); }

void rollup_rig_start(rollup_rig *r, const char *models)
{
    gm_test_make_dir(r->dir, sizeof r->dir);
    open_rig(r);
    assert_gm_ok(gm_engine_submit(r->engine, GM_CHANGE_MODELS, 0, (gm_str){ 0 }, (gm_str){ 0 }, gm_str_of(models), (gm_ask){ 0 }, &r->err), r->err);
    settle(r);
}

void rollup_rig_restart(rollup_rig *r)
{
    close_rig(r);
    open_rig(r);
}

void rollup_rig_stop(rollup_rig *r)
{
    close_rig(r);
    gm_test_remove_dir(r->dir);
}

void rollup_rig_set(rollup_rig *r, const char *text)
{
    gm_rollup_file file = { GM_STR("rules/a.rollups"), gm_str_of(text) };
    size_t         which;
    assert_gm_ok(gm_rollups_set(r->rollups, &file, 1, &which, &r->err), r->err);
}

gm_twin rollup_rig_twin(rollup_rig *r, const char *id, const char *dtmi)
{
    const gm_type *type = gm_model_find(gm_engine_model(r->engine), gm_str_of(dtmi));
    gm_twin        twin;
    assert_non_null(type);
    assert_gm_ok(gm_engine_twin_put(r->engine, (gm_twin){ GM_NONE }, gm_str_of(id), type, NULL, 0, (gm_ask){ 0 }, &twin, &r->err), r->err);
    settle(r);
    return twin;
}

void rollup_rig_replace(rollup_rig *r, gm_twin twin, const char *dtmi)
{
    char           id[80];
    gm_str         had  = gm_state_id(gm_engine_state(r->engine), twin);
    const gm_type *type = gm_model_find(gm_engine_model(r->engine), gm_str_of(dtmi));
    int            n    = snprintf(id, sizeof id, GM_STR_FMT, GM_STR_ARG(had));
    assert_gm_ok(gm_engine_twin_put(r->engine, twin, (gm_str){ id, (size_t)n }, type, NULL, 0, (gm_ask){ 0 }, NULL, &r->err), r->err);
    settle(r);
}

gm_twin rollup_rig_find(const rollup_rig *r, const char *id) { return gm_state_find(gm_engine_state(r->engine), gm_str_of(id)); }

static gm_str name_of(char *out, size_t room, gm_twin source, const char *name, gm_twin target)
{
    int n = snprintf(out, room, "%u-%s-%u", source.v, name, target.v);
    return (gm_str){ out, (size_t)n };
}

void rollup_rig_relate(rollup_rig *r, gm_twin source, const char *name, gm_twin target)
{
    char text[80];
    assert_gm_ok(gm_engine_relationship_put(r->engine, source, target, name_of(text, sizeof text, source, name, target), gm_str_of(name), GM_STR("{}"),
                                            (gm_ask){ 0 }, &r->err), r->err);
    settle(r);
}

void rollup_rig_part(rollup_rig *r, gm_twin source, const char *name, gm_twin target)
{
    char text[80];
    assert_gm_ok(gm_engine_relationship_delete(r->engine, source, name_of(text, sizeof text, source, name, target), (gm_ask){ 0 }, &r->err), r->err);
    settle(r);
}

void rollup_rig_delete(rollup_rig *r, gm_twin twin)
{
    assert_gm_ok(gm_engine_twin_delete(r->engine, twin, (gm_ask){ 0 }, &r->err), r->err);
    settle(r);
}

void rollup_rig_write(rollup_rig *r, gm_twin twin, const char *path, gm_value value)
{
    uint32_t column = gm_type_column_index(gm_state_type(gm_engine_state(r->engine), twin), gm_str_of(path));
    assert_true(column != GM_NO_COLUMN);
    gm_cell_write cell = { .column = (uint16_t)column, .at = gm_now(gm_clock_system()), .value = value };
    assert_gm_ok(gm_engine_write(r->engine, twin, GM_WRITE_PROPERTIES | GM_WRITE_ALWAYS, &cell, 1, (gm_ask){ 0 }, &r->err), r->err);
    settle(r);
}

void rollup_rig_number(rollup_rig *r, const char *id, const char *path, double value)
{
    rollup_rig_write(r, rollup_rig_find(r, id), path, (gm_value){ .kind = GM_KIND_DOUBLE, .d = value });
}
