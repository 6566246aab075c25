#include "state/state.h"

#include "state/document.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define MODELS                                                                                                        \
    "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Motor;1\",\"@type\":\"Interface\",\"contents\":["         \
    "{\"@type\":\"Property\",\"name\":\"speed\",\"schema\":\"double\"}]},"                                             \
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Pump;1\",\"@type\":\"Interface\",\"contents\":["           \
    "{\"@type\":\"Telemetry\",\"name\":\"flow\",\"schema\":\"double\"},"                                               \
    "{\"@type\":\"Property\",\"name\":\"label\",\"schema\":\"string\"},"                                               \
    "{\"@type\":\"Property\",\"name\":\"starts\",\"schema\":\"integer\"},"                                             \
    "{\"@type\":\"Component\",\"name\":\"motor\",\"schema\":\"dtmi:t:Motor;1\"},"                                      \
    "{\"@type\":\"Relationship\",\"name\":\"feeds\"}]}]"

typedef struct world {
    gm_model *model;
    gm_state *state;
    uint64_t  sequence;
} world;

static gm_status apply(world *w, uint8_t kind, const uint8_t *payload, size_t size)
{
    gm_change change;
    gm_error  err = { 0 };
    assert_gm_ok(gm_change_decode(kind, payload, size, &change, &err), err);
    w->sequence++;
    return gm_state_apply(w->state, w->sequence, (gm_time_ns)w->sequence * GM_SECOND, &change, &err);
}

static gm_status texts(world *w, gm_change_kind kind, uint32_t twin, uint32_t target, const char *id, const char *name, const char *text)
{
    uint8_t bytes[4096];
    gm_change_encode_texts(bytes, twin, target, 0, gm_str_of(id), gm_str_of(name), gm_str_of(text));
    return apply(w, (uint8_t)kind, bytes, gm_change_size_texts(gm_str_of(id), gm_str_of(name), gm_str_of(text)));
}

static gm_status put(world *w, uint32_t number, const char *id, const char *dtmi, const gm_cell_write *cells, size_t n)
{
    uint8_t bytes[1024];
    gm_change_encode_twin_put(bytes, number, gm_str_of(id), gm_str_of(dtmi), cells, n);
    return apply(w, GM_CHANGE_TWIN_PUT, bytes, gm_change_size_twin_put(gm_str_of(id), gm_str_of(dtmi), cells, n));
}

static gm_status write_cells(world *w, uint32_t number, uint8_t flags, const gm_cell_write *cells, size_t n)
{
    uint8_t bytes[1024];
    gm_change_encode_write(bytes, number, gm_state_type(w->state, (gm_twin){ number })->number, flags, cells, n);
    return apply(w, GM_CHANGE_WRITE, bytes, gm_change_size_write(cells, n));
}

static void open_world(world *w)
{
    *w       = (world){ .model = gm_model_create(gm_alloc_system()) };
    w->state = gm_state_create(gm_alloc_system(), w->model);
    assert_int_equal(texts(w, GM_CHANGE_MODELS, 0, 0, "", "", MODELS), GM_OK);
}

static void close_world(world *w)
{
    gm_state_destroy(w->state);
    gm_model_destroy(w->model);
}

static uint16_t column(world *w, const char *path)
{
    return (uint16_t)gm_type_column_index(gm_model_find(w->model, GM_STR("dtmi:t:Pump;1")), gm_str_of(path));
}

static void a_late_sample_does_not_overwrite_a_newer_value(void **unused)
{
    (void)unused;
    world w;
    open_world(&w);
    assert_int_equal(put(&w, 0, "p1", "dtmi:t:Pump;1", NULL, 0), GM_OK);
    gm_cell_write cell = { column(&w, "flow"), 20, { GM_KIND_DOUBLE, { .d = 2.0 } } };
    assert_int_equal(write_cells(&w, 0, 0, &cell, 1), GM_OK);
    uint64_t etag = gm_state_version(w.state, (gm_twin){ 0 });
    cell          = (gm_cell_write){ cell.column, 10, { GM_KIND_DOUBLE, { .d = 1.0 } } };
    assert_int_equal(write_cells(&w, 0, 0, &cell, 1), GM_OK);
    gm_cell now;
    gm_state_get(w.state, (gm_twin){ 0 }, cell.column, &now);
    assert_true(now.value.d == 2.0 && now.source == 20);
    assert_int_equal(gm_state_version(w.state, (gm_twin){ 0 }), etag);  // telemetry leaves the ETag alone

    // A person's patch wins, whatever the device's clock said, and changes the ETag.
    assert_int_equal(write_cells(&w, 0, GM_WRITE_ALWAYS | GM_WRITE_PROPERTIES, &cell, 1), GM_OK);
    gm_state_get(w.state, (gm_twin){ 0 }, cell.column, &now);
    assert_true(now.value.d == 1.0 && now.source == 10);
    assert_true(gm_state_version(w.state, (gm_twin){ 0 }) > etag);
    close_world(&w);
}

static void changes_that_find_the_world_changed_have_no_effect(void **unused)
{
    (void)unused;
    world w;
    open_world(&w);
    assert_int_equal(put(&w, 0, "p1", "dtmi:t:Pump;1", NULL, 0), GM_OK);
    assert_int_equal(put(&w, 1, "p2", "dtmi:t:Pump;1", NULL, 0), GM_OK);
    assert_int_equal(texts(&w, GM_CHANGE_RELATIONSHIP_PUT, 0, 1, "r", "feeds", "{}"), GM_OK);
    assert_int_equal(texts(&w, GM_CHANGE_TWIN_DELETE, 1, 0, "", "", ""), GM_CONFLICT);  // still fed by p1
    assert_int_equal(texts(&w, GM_CHANGE_RELATIONSHIP_DELETE, 0, 0, "r", "", ""), GM_OK);
    assert_int_equal(texts(&w, GM_CHANGE_RELATIONSHIP_DELETE, 0, 0, "r", "", ""), GM_CONFLICT);
    assert_int_equal(texts(&w, GM_CHANGE_TWIN_DELETE, 1, 0, "", "", ""), GM_OK);
    assert_int_equal(texts(&w, GM_CHANGE_TWIN_DELETE, 1, 0, "", "", ""), GM_CONFLICT);
    assert_int_equal(texts(&w, GM_CHANGE_RELATIONSHIP_PUT, 0, 1, "r", "feeds", "{}"), GM_CONFLICT);

    // Telemetry that was encoded for the model the twin had before.
    gm_cell_write cell = { 0, 20, { GM_KIND_DOUBLE, { .d = 2.0 } } };
    uint8_t       bytes[256];
    gm_change_encode_write(bytes, 0, gm_model_find(w.model, GM_STR("dtmi:t:Motor;1"))->number, 0, &cell, 1);
    assert_int_equal(apply(&w, GM_CHANGE_WRITE, bytes, gm_change_size_write(&cell, 1)), GM_CONFLICT);
    // A number is never given twice: the deleted twin's id comes back with a new one.
    assert_int_equal(put(&w, 1, "p2", "dtmi:t:Pump;1", NULL, 0), GM_CONFLICT);
    assert_int_equal(put(&w, 2, "p2", "dtmi:t:Pump;1", NULL, 0), GM_OK);
    assert_int_equal(gm_state_find(w.state, GM_STR("p2")).v, 2);
    close_world(&w);
}

static void a_document_shows_properties_components_and_times(void **unused)
{
    (void)unused;
    world w;
    open_world(&w);
    gm_cell_write cells[] = {
        { column(&w, "label"), 5 * GM_SECOND, { GM_KIND_STRING, { .s = GM_STR("left \"one\"") } } },
        { column(&w, "motor/speed"), 6 * GM_SECOND, { GM_KIND_DOUBLE, { .d = 61.2 } } },
        { column(&w, "starts"), 5 * GM_SECOND, { GM_KIND_INT, { .i = -3 } } },
    };
    assert_int_equal(put(&w, 0, "p1", "dtmi:t:Pump;1", cells, 3), GM_OK);
    gm_buf out = gm_buf_init(gm_alloc_system());
    gm_document_write_twin(w.state, (gm_twin){ 0 }, &out);
    gm_buf_byte(&out, 0);
    assert_string_equal(
        (char *)out.ptr,
        "{\"$dtId\":\"p1\",\"$etag\":\"W/\\\"2\\\"\",\"label\":\"left \\\"one\\\"\",\"starts\":-3,"
        "\"motor\":{\"speed\":61.2,\"$metadata\":{\"$lastUpdateTime\":\"1970-01-01T00:00:02Z\",\"speed\":{"
        "\"lastUpdateTime\":\"1970-01-01T00:00:02Z\",\"sourceTime\":\"1970-01-01T00:00:06Z\"}}},"
        "\"$metadata\":{\"$model\":\"dtmi:t:Pump;1\",\"$lastUpdateTime\":\"1970-01-01T00:00:02Z\","
        "\"label\":{\"lastUpdateTime\":\"1970-01-01T00:00:02Z\",\"sourceTime\":\"1970-01-01T00:00:05Z\"},"
        "\"starts\":{\"lastUpdateTime\":\"1970-01-01T00:00:02Z\",\"sourceTime\":\"1970-01-01T00:00:05Z\"}}}");
    gm_buf_finish(&out);
    close_world(&w);
}

// ---- against a plain model ------------------------------------------------------------------------------------------

enum { TWINS = 40, EDGES = 12, STEPS = 6000 };

typedef struct plain_twin { bool there; uint32_t number; double flow; bool has_flow; char label[40]; bool has_label; } plain_twin;
typedef struct plain_edge { bool there; int target; } plain_edge;

static void check_relationships(world *w, const plain_twin *twins, plain_edge edges[TWINS][EDGES])
{
    size_t total = 0, in[TWINS] = { 0 };
    for (int t = 0; t < TWINS; t++) {
        size_t out = 0;
        for (int e = 0; e < EDGES; e++) {
            if (!edges[t][e].there) continue;
            out++;
            total++;
            in[edges[t][e].target]++;
            char id[16];
            snprintf(id, sizeof id, "e%d", e);
            gm_edge edge = gm_state_find_relationship(w->state, (gm_twin){ twins[t].number }, gm_str_of(id));
            assert_true(gm_edge_ok(edge));
            assert_int_equal(gm_state_relationship(w->state, edge).target.v, twins[edges[t][e].target].number);
        }
        if (!twins[t].there) continue;
        size_t seen = 0;
        for (gm_edge e = gm_state_first_out(w->state, (gm_twin){ twins[t].number }); gm_edge_ok(e); e = gm_state_next_out(w->state, e)) seen++;
        assert_int_equal(seen, out);
    }
    for (int t = 0; t < TWINS; t++) {
        if (!twins[t].there) continue;
        size_t seen = 0;
        for (gm_edge e = gm_state_first_in(w->state, (gm_twin){ twins[t].number }); gm_edge_ok(e); e = gm_state_next_in(w->state, e)) seen++;
        assert_int_equal(seen, in[t]);
    }
    assert_int_equal(gm_state_relationship_count(w->state), total);
}

static void random_changes_agree_with_plain_arrays(void **unused)
{
    (void)unused;
    uint64_t          random = gm_test_seed();
    world             w;
    static plain_twin twins[TWINS];
    static plain_edge edges[TWINS][EDGES];
    open_world(&w);
    uint16_t flow = column(&w, "flow"), label = column(&w, "label");
    uint32_t next = 0;
    for (int step = 1; step <= STEPS; step++) {
        int  t = (int)(gm_test_random(&random) % TWINS), e = (int)(gm_test_random(&random) % EDGES);
        char id[16], edge_id[16];
        snprintf(id, sizeof id, "twin-%d", t);
        snprintf(edge_id, sizeof edge_id, "e%d", e);
        plain_twin *twin = &twins[t];
        switch (gm_test_random(&random) % 5) {
        case 0:
            if (twin->there) break;
            assert_int_equal(put(&w, next, id, "dtmi:t:Pump;1", NULL, 0), GM_OK);
            *twin = (plain_twin){ .there = true, .number = next++ };
            break;
        case 1: {
            if (!twin->there) break;
            gm_cell_write cells[2] = { { flow, step, { GM_KIND_DOUBLE, { .d = step / 8.0 } } },
                                       { label, step, { GM_KIND_NONE, { 0 } } } };
            twin->has_label = gm_test_random(&random) % 3 > 0;
            if (twin->has_label) {
                int len        = snprintf(twin->label, sizeof twin->label, "%.*s", (int)(gm_test_random(&random) % 30), "abcdefghijklmnopqrstuvwxyz0123456789");
                cells[1].value = (gm_value){ GM_KIND_STRING, { .s = { twin->label, (size_t)len } } };
            }
            twin->flow     = step / 8.0;
            twin->has_flow = true;
            assert_int_equal(write_cells(&w, twin->number, 0, cells, 2), GM_OK);
            break;
        }
        case 2: {
            int target = (int)(gm_test_random(&random) % TWINS);
            if (!twin->there || !twins[target].there) break;
            assert_int_equal(texts(&w, GM_CHANGE_RELATIONSHIP_PUT, twin->number, twins[target].number, edge_id, "feeds", "{\"k\":1}"), GM_OK);
            edges[t][e] = (plain_edge){ true, target };
            break;
        }
        case 3:
            if (!edges[t][e].there) break;
            assert_int_equal(texts(&w, GM_CHANGE_RELATIONSHIP_DELETE, twin->number, 0, edge_id, "", ""), GM_OK);
            edges[t][e].there = false;
            break;
        default: {
            bool tied = false;
            for (int i = 0; i < TWINS; i++) {
                for (int j = 0; j < EDGES; j++) tied |= edges[i][j].there && (i == t || edges[i][j].target == t);
            }
            if (!twin->there) break;
            assert_int_equal(texts(&w, GM_CHANGE_TWIN_DELETE, twin->number, 0, "", "", ""), tied ? GM_CONFLICT : GM_OK);
            if (!tied) twin->there = false;
        }
        }
        if (step % 100 == 0) check_relationships(&w, twins, edges);
    }
    size_t live = 0;
    for (int t = 0; t < TWINS; t++) {
        char id[16];
        snprintf(id, sizeof id, "twin-%d", t);
        gm_twin found = gm_state_find(w.state, gm_str_of(id));
        assert_int_equal(gm_twin_ok(found), twins[t].there);
        if (!twins[t].there) continue;
        live++;
        gm_cell cell;
        gm_state_get(w.state, found, flow, &cell);
        assert_int_equal(cell.value.kind, twins[t].has_flow ? GM_KIND_DOUBLE : GM_KIND_NONE);
        if (twins[t].has_flow) assert_true(cell.value.d == twins[t].flow);
        gm_state_get(w.state, found, label, &cell);
        assert_int_equal(cell.value.kind, twins[t].has_label ? GM_KIND_STRING : GM_KIND_NONE);
        if (twins[t].has_label) assert_true(gm_str_is(cell.value.s, twins[t].label));
    }
    assert_int_equal(gm_state_twin_count(w.state), live);
    // Absent cells of a double column are NaN, also in holes.
    gm_table table = gm_state_table(w.state, gm_model_find(w.model, GM_STR("dtmi:t:Pump;1"))->number);
    for (uint32_t row = 0; table.columns[flow].source != NULL && row < table.rows; row++) {
        assert_int_equal(table.columns[flow].source[row] == GM_ABSENT, isnan(table.columns[flow].d[row]) != 0);
    }
    close_world(&w);
}

static void the_edition_rises_with_the_graph_alone(void **state)
{
    (void)state;
    world         w;
    gm_cell_write cell = { .column = 0, .at = 5, .value = { .kind = GM_KIND_DOUBLE, .d = 1 } };
    open_world(&w);
    uint64_t e = gm_state_edition(w.state);
    assert_int_equal(put(&w, 0, "a", "dtmi:t:Pump;1", NULL, 0), GM_OK);
    assert_int_equal(put(&w, 1, "b", "dtmi:t:Pump;1", NULL, 0), GM_OK);
    assert_true(gm_state_edition(w.state) > e);
    e = gm_state_edition(w.state);
    assert_int_equal(write_cells(&w, 0, 0, &cell, 1), GM_OK);
    assert_int_equal(put(&w, 1, "b", "dtmi:t:Pump;1", &cell, 1), GM_OK);  // replaced by one of the same model
    assert_true(gm_state_edition(w.state) == e);
    static const struct { gm_change_kind kind; uint32_t twin, target; const char *id, *name, *text; } steps[] = {
        { GM_CHANGE_RELATIONSHIP_PUT, 0, 1, "r", "feeds", "{}" }, { GM_CHANGE_RELATIONSHIP_PUT, 0, 1, "r", "feeds", "{\"negated\":true}" },
        { GM_CHANGE_RELATIONSHIP_DELETE, 0, 1, "r", "", "" },     { GM_CHANGE_TWIN_DELETE, 1, 0, "b", "", "" },
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        assert_int_equal(texts(&w, steps[i].kind, steps[i].twin, steps[i].target, steps[i].id, steps[i].name, steps[i].text), GM_OK);
        assert_true(gm_state_edition(w.state) > e);
        e = gm_state_edition(w.state);
    }
    assert_int_equal(put(&w, 0, "a", "dtmi:t:Motor;1", NULL, 0), GM_OK);
    assert_true(gm_state_edition(w.state) > e);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_late_sample_does_not_overwrite_a_newer_value),
        cmocka_unit_test(changes_that_find_the_world_changed_have_no_effect),
        cmocka_unit_test(a_document_shows_properties_components_and_times),
        cmocka_unit_test(random_changes_agree_with_plain_arrays),
        cmocka_unit_test(the_edition_rises_with_the_graph_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
