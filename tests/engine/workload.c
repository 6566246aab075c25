#include "engine/workload.h"

#include "support/support.h"

#include <stdio.h>

#define HEAD "{\"@context\":\"dtmi:dtdl:context;3\",\"@type\":\"Interface\",\"@id\":\"dtmi:t:"
#define BODY                                                                                                            \
    "{\"@type\":\"Telemetry\",\"name\":\"flow\",\"schema\":\"double\"},{\"@type\":\"Property\",\"name\":\"n\",\"schema\":\"long\"}," \
    "{\"@type\":\"Property\",\"name\":\"label\",\"schema\":\"string\"},{\"@type\":\"Property\",\"name\":\"on\",\"schema\":\"boolean\"}," \
    "{\"@type\":\"Relationship\",\"name\":\"feeds\"},{\"@type\":\"Relationship\",\"name\":\"near\"}"
static const char models[] = "[" HEAD "A;1\",\"contents\":[" BODY "]}," HEAD "B;1\",\"contents\":[" BODY
                             ",{\"@type\":\"Property\",\"name\":\"more\",\"schema\":\"double\"}]}]";
enum { TWINS = 12 };
static const gm_time_ns epoch = INT64_C(1700000000) * GM_SECOND;

bool gm_rig_start(gm_plant_rig *rig)
{
    if (rig->forks && rig->loop == NULL) {
        if (gm_loop_create(rig->alloc, gm_clock_system(), &rig->loop, &rig->err) != GM_OK) return false;
    }
    rig->options = (gm_engine_options){ .alloc = rig->alloc, .io = rig->io, .clock = gm_clock_system(), .loop = rig->loop,
                                        .data_dir = rig->dir, .log = gm_log_options_defaults() };
    rig->options.log.segment_size      = 16 << 10;
    rig->options.log.realtime_commit   = false;
    rig->options.log.prepare_ahead     = false;
    rig->options.checkpoint.in_process = !rig->forks;
    gm_status st = gm_engine_open(&rig->options, &rig->engine, &rig->err);
    if (st == GM_OK) st = gm_dead_letters_create(rig->alloc, gm_clock_system(), rig->engine, &rig->letters, &rig->err);
    if (st == GM_OK) st = gm_engine_recover(rig->engine, &rig->err);
    if (st == GM_OK) return true;
    gm_rig_stop(rig);
    return false;
}

void gm_rig_stop(gm_plant_rig *rig)
{
    gm_engine_close(rig->engine);
    gm_dead_letters_destroy(rig->letters);
    gm_loop_destroy(rig->loop);
    rig->engine  = NULL;
    rig->letters = NULL;
    rig->loop    = NULL;
}

static void on_counted(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    (void)err;
    gm_plant_rig *rig = context;
    if (status == GM_OK) rig->acknowledged = token;
}

static gm_twin twin_of(gm_plant_rig *rig, unsigned i)
{
    char id[16];
    snprintf(id, sizeof id, "t%u", i);
    return gm_state_find(gm_engine_state(rig->engine), gm_str_of(id));
}

static gm_status put(gm_plant_rig *rig, const char *id, const char *model)
{
    const gm_type *type = gm_model_find(gm_engine_model(rig->engine), gm_str_of(model));
    gm_twin        twin = gm_state_find(gm_engine_state(rig->engine), gm_str_of(id));
    return gm_engine_twin_put(rig->engine, twin, gm_str_of(id), type, NULL, 0, (gm_ask){ 0 }, NULL, &rig->err);
}

static uint32_t column(const gm_type *type, const char *path) { return gm_type_column_index(type, gm_str_of(path)); }

static gm_status write_some(gm_plant_rig *rig, gm_twin twin, uint64_t *random)
{
    const gm_type *type = gm_state_type(gm_engine_state(rig->engine), twin);
    gm_time_ns     at   = epoch + (gm_time_ns)(rig->step * 10 - gm_test_random(random) % 60) * GM_SECOND;
    char           text[32];
    snprintf(text, sizeof text, "label %u", (unsigned)(gm_test_random(random) % 100));
    gm_cell_write cells[] = {
        { (uint16_t)column(type, "flow"), at, { .kind = GM_KIND_DOUBLE, .d = (double)(gm_test_random(random) % 1000) / 10 } },
        { (uint16_t)column(type, "label"), at, { .kind = gm_test_random(random) % 5 == 0 ? GM_KIND_NONE : GM_KIND_STRING, .s = gm_str_of(text) } },
        { (uint16_t)column(type, "on"), at, { .kind = GM_KIND_BOOL, .i = (int64_t)(gm_test_random(random) & 1) } },
    };
    uint8_t flags = gm_test_random(random) % 3 == 0 ? GM_WRITE_PROPERTIES : 0;
    return gm_engine_write(rig->engine, twin, flags, cells, 3, (gm_ask){ 0 }, &rig->err);
}

static gm_status one_change(gm_plant_rig *rig, uint64_t *random)
{
    unsigned  i = (unsigned)(gm_test_random(random) % TWINS), other = (unsigned)(gm_test_random(random) % TWINS);
    gm_twin   twin = twin_of(rig, i), target = twin_of(rig, other);
    char      id[16], relationship[16];
    snprintf(id, sizeof id, "t%u", i);
    snprintf(relationship, sizeof relationship, "r%u", (unsigned)(gm_test_random(random) % 3));
    const char *model = gm_test_random(random) & 1 ? "dtmi:t:A;1" : "dtmi:t:B;1";
    unsigned    what  = (unsigned)(gm_test_random(random) % 16);
    if (!gm_twin_ok(twin) || what == 0) return put(rig, id, model);
    if (what == 1) return gm_engine_twin_delete(rig->engine, twin, (gm_ask){ 0 }, &rig->err);
    if (what == 2 && gm_twin_ok(target)) {
        return gm_engine_relationship_put(rig->engine, twin, target, gm_str_of(relationship), GM_STR("feeds"),
                                          gm_test_random(random) & 1 ? GM_STR("{\"a\":1}") : GM_STR("{}"), (gm_ask){ 0 }, &rig->err);
    }
    if (what == 3) return gm_engine_relationship_delete(rig->engine, twin, gm_str_of(relationship), (gm_ask){ 0 }, &rig->err);
    if (what == 4) {
        return gm_engine_submit(rig->engine, GM_CHANGE_DEAD_LETTER, 0, gm_str_of(id), GM_STR("why"), GM_STR("payload"),
                                (gm_ask){ 0 }, &rig->err);
    }
    return write_some(rig, twin, random);
}

bool gm_rig_live(gm_plant_rig *rig, uint64_t *random, unsigned steps)
{
    gm_status st = GM_OK;
    if (gm_model_count(gm_engine_model(rig->engine)) == 0) {
        st = gm_engine_submit(rig->engine, GM_CHANGE_MODELS, 0, (gm_str){ 0 }, (gm_str){ 0 }, gm_str_of(models), (gm_ask){ 0 }, &rig->err);
        if (st == GM_OK) st = gm_engine_settle(rig->engine, &rig->err);
    }
    if (st == GM_OK && !gm_twin_ok(gm_state_find(gm_engine_state(rig->engine), GM_STR("c")))) {
        st = put(rig, "c", "dtmi:t:A;1");
        if (st == GM_OK) st = gm_engine_settle(rig->engine, &rig->err);
    }
    for (unsigned i = 0; st == GM_OK && i < steps; i++) {
        st = one_change(rig, random);
        gm_twin       counter = gm_state_find(gm_engine_state(rig->engine), GM_STR("c"));
        const gm_type *type   = gm_state_type(gm_engine_state(rig->engine), counter);
        gm_cell_write cell    = { (uint16_t)column(type, "n"), epoch + (gm_time_ns)(rig->step + 1) * GM_SECOND,
                                  { .kind = GM_KIND_INT, .i = (int64_t)(rig->step + 1) } };
        if (st == GM_OK) {
            rig->step++;
            st = gm_engine_write(rig->engine, counter, GM_WRITE_PROPERTIES, &cell, 1, (gm_ask){ on_counted, rig, rig->step }, &rig->err);
        }
        if (st == GM_OK) st = gm_engine_settle(rig->engine, &rig->err);
    }
    return st == GM_OK;
}

typedef struct waited { bool done; gm_status status; gm_error *err; } waited;
static void on_checkpoint(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    (void)token;
    waited *w = context;
    w->done   = true;
    w->status = status;
    if (err != NULL) *w->err = *err;
}

gm_status gm_rig_checkpoint(gm_plant_rig *rig, const char *copy_to)
{
    waited    w  = { .err = &rig->err };
    gm_status st = gm_engine_checkpoint(rig->engine, copy_to, (gm_ask){ on_checkpoint, &w, 0 }, &rig->err);
    if (st != GM_OK) return st;
    while (!w.done) {
        if (gm_loop_turn(rig->loop, &rig->err) != GM_OK) return GM_IO;
    }
    return w.status;
}

static void dump_value(gm_buf *out, const gm_value *v)
{
    switch (v->kind) {
    case GM_KIND_NONE: gm_buf_text(out, "-"); break;
    case GM_KIND_DOUBLE: gm_buf_printf(out, "%a", v->d); break;
    case GM_KIND_STRING:
    case GM_KIND_JSON: gm_buf_json_str(out, v->s); break;
    default: gm_buf_printf(out, "%" PRId64, v->i);
    }
}

static bool dump_sample(void *context, const gm_sample *s)
{
    gm_buf_printf(context, " %" PRId64 "=", s->at);
    dump_value(context, &s->value);
    return true;
}

static bool dump_relationship_then(void *context, const gm_relationship_then *then)
{
    gm_buf_printf(context, "  then " GM_STR_FMT " [%" PRId64 " %" PRId64 ")\n", GM_STR_ARG(then->relationship.id), then->since, then->until);
    return true;
}

static bool dump_twin_then(void *context, const gm_twin_then *then)
{
    gm_buf_printf(context, "then " GM_STR_FMT " %u " GM_STR_FMT " [%" PRId64 " %" PRId64 ")\n", GM_STR_ARG(then->id), then->twin.v,
                  GM_STR_ARG(then->type->id), then->since, then->until);
    return true;
}

static void dump_twin(gm_plant_rig *rig, gm_twin twin, gm_buf *out)
{
    const gm_state *state = gm_engine_state(rig->engine);
    const gm_type  *type  = gm_state_type(state, twin);
    gm_buf_printf(out, GM_STR_FMT " %u " GM_STR_FMT " row %u version %" PRIu64 " changed %" PRId64 "\n", GM_STR_ARG(gm_state_id(state, twin)),
                  twin.v, GM_STR_ARG(type->id), gm_state_row(state, twin), gm_state_version(state, twin), gm_state_changed(state, twin));
    for (uint32_t c = 0; c < type->column_count; c++) {
        gm_cell cell;
        gm_state_get(state, twin, c, &cell);
        gm_buf_printf(out, "  " GM_STR_FMT " %" PRId64 " %" PRId64 " ", GM_STR_ARG(type->columns[c].path), cell.source, cell.ingest);
        dump_value(out, &cell.value);
        gm_buf_text(out, " :");
        gm_error err;
        assert_gm_ok(gm_engine_read_history(rig->engine, twin, c, GM_TIME_MIN, GM_TIME_MAX, dump_sample, out, &err), err);
        gm_buf_text(out, "\n");
    }
    for (gm_edge e = gm_state_first_out(state, twin); gm_edge_ok(e); e = gm_state_next_out(state, e)) {
        gm_relationship r = gm_state_relationship(state, e);
        gm_buf_printf(out, "  -> %u " GM_STR_FMT " " GM_STR_FMT " " GM_STR_FMT " %" PRIu64 " at %u\n", r.target.v, GM_STR_ARG(r.id),
                      GM_STR_ARG(r.name), GM_STR_ARG(r.properties), r.version, e.v);
    }
    for (gm_edge e = gm_state_first_in(state, twin); gm_edge_ok(e); e = gm_state_next_in(state, e)) gm_buf_printf(out, "  <- %u\n", e.v);
    gm_state_relationships_at(state, twin, GM_SIDE_OUT, INT64_MAX - 1, dump_relationship_then, out);
}

void gm_rig_dump(gm_plant_rig *rig, gm_buf *out)
{
    const gm_state *state = gm_engine_state(rig->engine);
    gm_buf_clear(out);
    for (uint32_t i = 0; i < gm_state_next_twin(state); i++) {
        if (gm_state_exists(state, (gm_twin){ i })) dump_twin(rig, (gm_twin){ i }, out);
    }
    gm_state_twins_at(state, INT64_MAX - 1, dump_twin_then, out);
    gm_buf_printf(out, "%zu models, next twin %u, %zu letters of %" PRIu64 "\n", gm_model_count(gm_engine_model(rig->engine)),
                  gm_state_next_twin(state), gm_dead_letters_count(rig->letters), gm_dead_letters_total(rig->letters));
    for (size_t i = 0; i < gm_dead_letters_count(rig->letters); i++) {
        gm_dead_letter at = gm_dead_letters_at(rig->letters, i);
        gm_buf_printf(out, "letter %" PRIu64 " %" PRId64 " " GM_STR_FMT "\n", at.sequence, at.at, GM_STR_ARG(at.topic));
    }
    assert_false(out->failed);
}

typedef struct counting { uint64_t next; const char *after; } counting;
static bool count(void *context, const gm_sample *s)
{
    counting *c = context;
    if ((uint64_t)s->value.i != c->next || s->at != epoch + (gm_time_ns)c->next * GM_SECOND) {
        fail_msg("after %s: step %" PRIu64 " is missing, doubled or wrong (found %" PRId64 ")", c->after, c->next, s->value.i);
    }
    c->next++;
    return true;
}

void gm_rig_check_counter(gm_plant_rig *rig, const char *after)
{
    gm_twin  twin = gm_state_find(gm_engine_state(rig->engine), GM_STR("c"));
    counting c    = { 1, after };
    if (gm_twin_ok(twin)) {
        const gm_type *type = gm_state_type(gm_engine_state(rig->engine), twin);
        gm_error       err;
        assert_gm_ok(gm_engine_read_history(rig->engine, twin, column(type, "n"), GM_TIME_MIN, GM_TIME_MAX, count, &c, &err), err);
    }
    if (c.next - 1 < rig->acknowledged) {
        fail_msg("after %s: %" PRIu64 " steps were acknowledged, %" PRIu64 " are there", after, rig->acknowledged, c.next - 1);
    }
    rig->step = rig->acknowledged = c.next - 1;
}
