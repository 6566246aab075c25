#include "engine/as_of.h"

#include "engine/internal.h"

#include <stdlib.h>

gm_status gm_as_of_value(const gm_engine *engine, const gm_twin_then *then, uint32_t column, gm_time_ns time, gm_sample *out,
                         gm_error *err)
{
    *out            = (gm_sample){ 0 };
    uint32_t series = gm_paths_number(&engine->paths, then->type, column);
    if (gm_history_has(engine->history, then->twin.v, series)) {
        return gm_history_as_of(engine->history, then->twin.v, series, time, out, err);
    }
    // Written once, or never: the live cell has it, if the twin still is what it was.
    if (!gm_state_exists(engine->state, then->twin) || gm_state_type(engine->state, then->twin) != then->type) return GM_OK;
    gm_cell cell;
    gm_state_get(engine->state, then->twin, column, &cell);
    if (cell.value.kind != GM_KIND_NONE && cell.source <= time) *out = (gm_sample){ .at = cell.source, .value = cell.value };
    return GM_OK;
}

// ---- a whole state --------------------------------------------------------------------------------------------------

typedef struct building {
    const gm_engine *engine;
    gm_state        *state;
    gm_time_ns       time;
    size_t           most;
    bool             alone;    // one twin, by the number 0
    gm_twin_then    *twins;    // who existed
    size_t           twin_count, twin_capacity;
    gm_buf           record;   // an encoded change
    gm_buf           texts;    // of its cells: history shows one at a time
    gm_cell_write   *cells;
    size_t           capacity;
    gm_status        status;
    gm_error         err;
} building;

static bool refuse(building *b, gm_status status, const char *what)
{
    b->status = gm_fail(&b->err, status, "engine.as_of", "%s", what);
    return false;
}

static bool apply(building *b, gm_change_kind kind, size_t size)
{
    gm_change change;
    b->status = gm_change_decode((uint8_t)kind, b->record.ptr, size, &change, &b->err);
    if (b->status == GM_OK) b->status = gm_state_apply(b->state, 0, b->time, &change, &b->err);
    if (b->status == GM_CONFLICT) b->status = GM_OK;  // its model, or one of its ends, is not there any more
    return b->status == GM_OK;
}

static uint8_t *room(building *b, size_t size)
{
    gm_buf_clear(&b->record);
    uint8_t *to = gm_buf_reserve(&b->record, size);
    if (to == NULL) (void)refuse(b, GM_NOMEM, "no memory for the past");
    return to;
}

static bool holds_text(gm_kind kind) { return kind == GM_KIND_STRING || kind == GM_KIND_JSON; }

static bool add_twin(building *b, const gm_twin_then *then)
{
    const gm_type *type = then->type;
    size_t         n    = 0;
    if (gm_model_find(b->engine->model, type->id) != type) return true;
    if (!gm_alloc_reserve(b->engine->alloc, &b->cells, &b->capacity, type->column_count + 1, sizeof *b->cells)) {
        return refuse(b, GM_NOMEM, "no memory for the past");
    }
    gm_buf_clear(&b->texts);
    for (uint32_t c = 0; c < type->column_count; c++) {
        gm_sample sample;
        b->status = gm_as_of_value(b->engine, then, c, b->time, &sample, &b->err);
        if (b->status != GM_OK) return false;
        if (sample.value.kind != type->columns[c].kind) continue;  // none, removed, or of another model's kind
        if (holds_text(sample.value.kind)) {
            size_t at = b->texts.len;
            gm_buf_str(&b->texts, sample.value.s);
            sample.value.s.ptr = (const char *)(uintptr_t)at;  // its place: the buffer may move
        }
        b->cells[n++] = (gm_cell_write){ (uint16_t)c, sample.at, sample.value };
    }
    if (b->texts.failed) return refuse(b, GM_NOMEM, "no memory for the past");
    for (size_t i = 0; i < n; i++) {
        if (holds_text(b->cells[i].value.kind)) b->cells[i].value.s.ptr = (const char *)b->texts.ptr + (uintptr_t)b->cells[i].value.s.ptr;
    }
    size_t   size = gm_change_size_twin_put(then->id, type->id, b->cells, n);
    uint8_t *to   = room(b, size);
    if (to == NULL) return false;
    gm_change_encode_twin_put(to, b->alone ? 0 : then->twin.v, then->id, type->id, b->cells, n);
    return apply(b, GM_CHANGE_TWIN_PUT, size);
}

static bool add_relationship(void *context, const gm_relationship_then *then)
{
    building              *b    = context;
    const gm_relationship *r    = &then->relationship;
    size_t                 size = gm_change_size_texts(r->id, r->name, r->properties);
    uint8_t               *to   = room(b, size);
    if (to == NULL) return false;
    gm_change_encode_texts(to, r->source.v, r->target.v, 0, r->id, r->name, r->properties);
    return apply(b, GM_CHANGE_RELATIONSHIP_PUT, size);
}

static bool note_twin(void *context, const gm_twin_then *then)
{
    building *b = context;
    if (b->twin_count == b->most) return refuse(b, GM_LIMIT, "too many twins existed then; restrict the limit, or ask for single twins");
    if (!gm_alloc_reserve(b->engine->alloc, &b->twins, &b->twin_capacity, b->twin_count + 1, sizeof *b->twins)) {
        return refuse(b, GM_NOMEM, "no memory for the past");
    }
    b->twins[b->twin_count++] = *then;
    return true;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = ((const gm_twin_then *)a)->twin.v, y = ((const gm_twin_then *)b)->twin.v;
    return x < y ? -1 : x > y;
}

static building begin(const gm_engine *engine, gm_time_ns time, size_t most)
{
    building b = { .engine = engine, .time = time, .most = most, .record = gm_buf_init(engine->alloc),
                   .texts = gm_buf_init(engine->alloc), .state = gm_state_create(engine->alloc, engine->model) };
    if (b.state == NULL || gm_state_make_tables(b.state) != GM_OK) (void)refuse(&b, GM_NOMEM, "no memory for the past");
    return b;
}

static gm_status end(building *b, gm_state **out_state, gm_error *err)
{
    *out_state = b->status == GM_OK ? b->state : NULL;
    if (b->status != GM_OK) gm_state_destroy(b->state);
    if (b->status != GM_OK && err != NULL) *err = b->err;
    gm_free(b->engine->alloc, b->twins);
    gm_free(b->engine->alloc, b->cells);
    gm_buf_finish(&b->record);
    gm_buf_finish(&b->texts);
    return b->status;
}

// A state takes twins in rising order of their numbers.
gm_status gm_as_of_replay(const gm_engine *engine, gm_time_ns time, gm_time_ns values, size_t most, gm_state **out_state, gm_error *err)
{
    building b    = begin(engine, values, most);
    bool     good = b.status == GM_OK && gm_state_twins_at(engine->state, time, note_twin, &b);
    if (good && b.twin_count > 1) qsort(b.twins, b.twin_count, sizeof *b.twins, by_number);
    for (size_t i = 0; good && i < b.twin_count; i++) good = add_twin(&b, &b.twins[i]);
    for (size_t i = 0; good && i < b.twin_count; i++) {
        good = gm_state_relationships_at(engine->state, b.twins[i].twin, GM_SIDE_OUT, time, add_relationship, &b);
    }
    return end(&b, out_state, err);
}

gm_status gm_as_of_state(const gm_engine *engine, gm_time_ns time, size_t most, gm_state **out_state, gm_error *err)
{
    return gm_as_of_replay(engine, time, time, most, out_state, err);
}

gm_status gm_as_of_twin(const gm_engine *engine, const gm_twin_then *then, gm_time_ns time, gm_state **out_state, gm_error *err)
{
    building b = begin(engine, time, 1);
    b.alone    = true;
    if (b.status == GM_OK) (void)add_twin(&b, then);
    if (b.status == GM_OK && gm_state_twin_count(b.state) == 0) (void)refuse(&b, GM_NOTFOUND, "the twin's model was deleted");
    return end(&b, out_state, err);
}
