// Arbitrary bytes as a checkpoint: first as a whole file of frames, then as the state and the history that stand in frames with
// right checksums. What is accepted can be walked, and is the same again after it was saved and loaded once more.
#include "base/buf.h"
#include "base/frames.h"
#include "history/history.h"
#include "model/model.h"
#include "state/state.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD "{\"@context\":\"dtmi:dtdl:context;3\",\"@type\":\"Interface\",\"@id\":\"dtmi:t:"
#define BODY                                                                                                                      \
    "{\"@type\":\"Telemetry\",\"name\":\"flow\",\"schema\":\"double\"},{\"@type\":\"Property\",\"name\":\"n\",\"schema\":\"long\"}," \
    "{\"@type\":\"Property\",\"name\":\"label\",\"schema\":\"string\"},{\"@type\":\"Relationship\",\"name\":\"feeds\"}]}"
static const char models[] = "[" HEAD "A;1\",\"contents\":[" BODY "," HEAD "B;1\",\"contents\":[" BODY "]";

static void must(bool truth)
{
    if (!truth) abort();
}

// ---- one file in memory ---------------------------------------------------------------------------------------------

typedef struct memory { gm_io io; gm_buf bytes; } memory;
struct gm_file { memory *in; };

static gm_status open_memory(const gm_io *io, const char *path, gm_open_mode mode, gm_file **out, gm_error *err)
{
    (void)path, (void)mode;
    *out = malloc(sizeof **out);
    if (*out == NULL) return gm_fail(err, GM_NOMEM, "fuzz", "memory");
    (*out)->in = io->context;
    return GM_OK;
}

static void close_memory(gm_file *file) { free(file); }

static gm_status read_memory(gm_file *file, uint64_t offset, void *to, size_t n, size_t *out_n, gm_error *err)
{
    (void)err;
    const gm_buf *bytes = &file->in->bytes;
    size_t        left  = offset < bytes->len ? bytes->len - (size_t)offset : 0;
    *out_n = n < left ? n : left;
    if (*out_n > 0) memcpy(to, bytes->ptr + offset, *out_n);
    return GM_OK;
}

static gm_status write_memory(gm_file *file, uint64_t offset, const void *from, size_t n, gm_error *err)
{
    (void)err;
    must(offset == file->in->bytes.len);  // from front to back
    gm_buf_add(&file->in->bytes, from, n);
    return GM_OK;
}

static gm_status size_memory(gm_file *file, uint64_t *out, gm_error *err)
{
    (void)err;
    *out = file->in->bytes.len;
    return GM_OK;
}

static gm_status sync_memory(gm_file *file, gm_error *err)
{
    (void)file, (void)err;
    return GM_OK;
}

static void init(memory *m)
{
    *m = (memory){ .io = { .alloc = gm_alloc_system(), .context = m, .open = open_memory, .close = close_memory, .read = read_memory,
                           .write = write_memory, .sync = sync_memory, .size = size_memory },
                   .bytes = gm_buf_init(gm_alloc_system()) };
}

// ---- frames -----------------------------------------------------------------------------------------------------------

static void walk_frames(const uint8_t *data, size_t size)
{
    memory        m;
    gm_frames_in *in;
    gm_str        name;
    init(&m);
    gm_buf_add(&m.bytes, data, size);
    gm_status st = gm_frames_open(&m.io, gm_alloc_system(), "x", &in, NULL);
    must(st == GM_OK || st == GM_CORRUPT);
    for (size_t sections = 0; st == GM_OK; sections++) {
        st = gm_frames_next(in, &name, NULL);
        must(sections <= size);
        for (size_t i = 0; st == GM_OK && gm_frames_more(in) && i < size; i++) (void)gm_frames_get_varint(in);
    }
    must(st == GM_NOTFOUND || st == GM_CORRUPT);
    gm_frames_close(in);
    gm_buf_finish(&m.bytes);
}

// ---- what stands in them ------------------------------------------------------------------------------------------------

typedef struct folded { gm_model *model; gm_state *state; gm_history *history; } folded;

static void finish(folded *f)
{
    gm_history_destroy(f->history);
    gm_state_destroy(f->state);
    gm_model_destroy(f->model);
}

static folded begin(void)
{
    folded f  = { .model = gm_model_create(gm_alloc_system()), .history = gm_history_create(gm_alloc_system()) };
    must(f.model != NULL && f.history != NULL);
    f.state          = gm_state_create(gm_alloc_system(), f.model);
    gm_change change = { .kind = GM_CHANGE_MODELS, .text = { models, sizeof models - 1 } };
    must(f.state != NULL && gm_state_apply(f.state, 1, 1, &change, NULL) == GM_OK);
    return f;
}

static gm_status load(memory *m, bool is_state, folded *out)
{
    gm_frames_in *in;
    gm_str        name;
    *out = begin();
    must(gm_frames_open(&m->io, gm_alloc_system(), "x", &in, NULL) == GM_OK);
    must(gm_frames_next(in, &name, NULL) == GM_OK);
    gm_status st = is_state ? gm_state_load(out->state, in, NULL) : gm_history_load(out->history, in, NULL);
    must(st == GM_OK || st == GM_CORRUPT || st == GM_NOMEM);
    gm_frames_close(in);
    if (st != GM_OK) finish(out);
    return st;
}

static void save(const folded *f, bool is_state, memory *m)
{
    gm_frames_out *out;
    init(m);
    must(gm_frames_create(&m->io, gm_alloc_system(), "x", &out, NULL) == GM_OK);
    gm_frames_section(out, GM_STR("x"));
    if (is_state) gm_state_save(f->state, out);
    else gm_history_save(f->history, out);
    must(gm_frames_finish(out, NULL, NULL) == GM_OK);
}

static bool see_relationship(void *context, const gm_relationship_then *then)
{
    *(size_t *)context += then->relationship.id.len;
    return true;
}

static bool see_twin(void *context, const gm_twin_then *then)
{
    *(size_t *)context += then->id.len + then->type->column_count;
    return true;
}

static void walk_state(const gm_state *state)
{
    size_t seen = 0;
    gm_state_twins_at(state, 1, see_twin, &seen);
    for (uint32_t t = 0; t < gm_state_next_twin(state); t++) {
        gm_state_relationships_at(state, (gm_twin){ t }, GM_SIDE_IN, 1, see_relationship, &seen);
        if (!gm_state_exists(state, (gm_twin){ t })) continue;
        const gm_type *type = gm_state_type(state, (gm_twin){ t });
        for (uint32_t c = 0; c < type->column_count; c++) {
            gm_cell cell;
            gm_state_get(state, (gm_twin){ t }, c, &cell);
            seen += cell.value.kind == GM_KIND_STRING ? cell.value.s.len : 1;
        }
        must(gm_state_find(state, gm_state_id(state, (gm_twin){ t })).v == t);
        size_t edges = 0;
        for (gm_edge e = gm_state_first_out(state, (gm_twin){ t }); gm_edge_ok(e); e = gm_state_next_out(state, e)) {
            must(gm_state_relationship(state, e).source.v == t && ++edges <= gm_state_relationship_count(state));
        }
    }
}

typedef struct rising { gm_time_ns last; size_t seen; } rising;
static bool see_sample(void *context, const gm_sample *sample)
{
    rising *r = context;
    must(sample->at > r->last);
    r->last = sample->at;
    r->seen += sample->value.kind == GM_KIND_STRING ? sample->value.s.len : 1;
    return true;
}

static void walk_history(gm_history *history)
{
    for (uint32_t twin = 0; twin < 8; twin++) {
        for (uint32_t column = 0; column < 4; column++) {
            rising    r = { .last = INT64_MIN };
            gm_bucket buckets[7];
            gm_sample sample;
            (void)!gm_history_read(history, twin, column, GM_TIME_MIN, GM_TIME_MAX, see_sample, &r, NULL);
            (void)!gm_history_buckets(history, twin, column, GM_TIME_MIN, GM_TIME_MAX, 7, buckets, NULL);
            (void)!gm_history_outline(history, twin, column, GM_TIME_MIN, GM_TIME_MAX, 3, buckets, NULL);
            (void)!gm_history_as_of(history, twin, column, r.last / 2, &sample, NULL);
        }
    }
}

static void load_and_save(const uint8_t *data, size_t size, bool is_state)
{
    memory         given, first, second;
    gm_frames_out *out;
    folded         f, again;
    init(&given);
    must(gm_frames_create(&given.io, gm_alloc_system(), "x", &out, NULL) == GM_OK);
    gm_frames_section(out, GM_STR("x"));
    gm_frames_put(out, data, size);
    must(gm_frames_finish(out, NULL, NULL) == GM_OK);
    if (load(&given, is_state, &f) == GM_OK) {
        walk_state(f.state);
        walk_history(f.history);
        save(&f, is_state, &first);
        must(load(&first, is_state, &again) == GM_OK);
        save(&again, is_state, &second);
        must(gm_str_eq(gm_buf_view(&first.bytes), gm_buf_view(&second.bytes)));
        gm_buf_finish(&first.bytes);
        gm_buf_finish(&second.bytes);
        finish(&f);
        finish(&again);
    }
    gm_buf_finish(&given.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    if (data[0] % 3 == 0) walk_frames(data + 1, size - 1);
    else load_and_save(data + 1, size - 1, data[0] % 3 == 1);
    return 0;
}
