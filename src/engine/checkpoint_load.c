// The reading side: the newest checkpoint that is whole. One that is damaged is told of and left where it is.
#include "engine/checkpoint_parts.h"

#include "base/bytes.h"
#include "base/frames.h"
#include "history/files.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

enum { PATH_MOST = 4096, MODEL_TEXT_MOST = GM_RECORD_PAYLOAD_MAX };

void gm_checkpoint_name(uint64_t sequence, char out[GM_CHECKPOINT_NAME])
{
    snprintf(out, GM_CHECKPOINT_NAME, "%020" PRIu64 ".ckpt", sequence);
}

bool gm_checkpoint_number(gm_str name, uint64_t *out_sequence)
{
    if (name.len != 25 || !gm_str_ends(name, GM_STR(".ckpt"))) return false;
    uint64_t number = 0;
    for (size_t i = 0; i < 20; i++) {
        unsigned digit = (unsigned)(name.ptr[i] - '0');
        if (digit > 9 || __builtin_mul_overflow(number, (uint64_t)10, &number) ||
            __builtin_add_overflow(number, (uint64_t)digit, &number)) {
            return false;
        }
    }
    *out_sequence = number;
    return number > 0;
}

typedef struct listing { const gm_alloc *alloc; uint64_t *items; size_t count, capacity; } listing;

static gm_status note_name(void *context, gm_str name, gm_error *err)
{
    listing *l = context;
    uint64_t sequence;
    if (!gm_checkpoint_number(name, &sequence)) return GM_OK;
    if (!gm_alloc_reserve(l->alloc, &l->items, &l->capacity, l->count + 1, sizeof *l->items)) {
        return gm_fail(err, GM_NOMEM, "engine.checkpoint", "listing checkpoints");
    }
    l->items[l->count++] = sequence;
    return GM_OK;
}

static int newest_first(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

gm_status gm_checkpoint_list(const gm_io *io, const gm_alloc *alloc, const char *path, uint64_t **out, size_t *out_count,
                             gm_error *err)
{
    listing   l  = { .alloc = alloc };
    gm_status st = io->list(io, path, note_name, &l, err);
    *out         = NULL;
    *out_count   = 0;
    if (st == GM_NOTFOUND) st = GM_OK;
    if (st != GM_OK) {
        gm_free(alloc, l.items);
        return st;
    }
    if (l.count > 0) qsort(l.items, l.count, sizeof *l.items, newest_first);
    *out       = l.items;
    *out_count = l.count;
    return GM_OK;
}

static gm_status open_file(const gm_io *io, const gm_alloc *alloc, const char *folder, uint64_t sequence, gm_frames_in **out,
                           gm_error *err)
{
    char path[PATH_MOST], name[GM_CHECKPOINT_NAME];
    gm_checkpoint_name(sequence, name);
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= PATH_MOST) {
        return gm_fail(err, GM_INVALID, "engine.checkpoint", "a path is too long");
    }
    return gm_frames_open(io, alloc, path, out, err);
}

static gm_status read_head(gm_frames_in *in, uint64_t sequence, gm_time_ns *out_ingest, gm_error *err)
{
    gm_str    name;
    gm_status st = gm_frames_next(in, &name, err);
    if (st == GM_NOTFOUND || (st == GM_OK && !gm_str_is(name, "head"))) gm_frames_reject(in, "it has no head");
    if (gm_frames_get_varint(in) != sequence) gm_frames_reject(in, "its name is another checkpoint's");
    *out_ingest = gm_frames_get_svarint(in);
    return gm_frames_status(in, err);
}

void gm_checkpoint_peek(const gm_io *io, const gm_alloc *alloc, const char *path, uint64_t *out_sequence,
                        gm_time_ns *out_ingest)
{
    uint64_t *all;
    size_t    count;
    *out_sequence = 0;
    *out_ingest   = INT64_MIN;
    if (gm_checkpoint_list(io, alloc, path, &all, &count, NULL) != GM_OK) return;
    for (size_t i = 0; i < count && *out_sequence == 0; i++) {
        gm_frames_in *in;
        if (open_file(io, alloc, path, all[i], &in, NULL) != GM_OK) continue;
        if (read_head(in, all[i], out_ingest, NULL) == GM_OK) *out_sequence = all[i];
        gm_frames_close(in);
    }
    gm_free(alloc, all);
}

// ---- one checkpoint -------------------------------------------------------------------------------------------------

// One entry of the journal, applied as it was at first: types and paths get the numbers that they had.
static gm_status apply_model(gm_engine *engine, gm_bytes *in, gm_error *err)
{
    gm_change change  = { .kind = (gm_change_kind)gm_bytes_byte(in) };
    change.flags      = gm_bytes_byte(in);
    gm_record record  = { .kind = (uint8_t)change.kind, .ingest = gm_bytes_svarint(in) };
    uint64_t  size    = gm_bytes_varint(in);
    gm_str    packed  = gm_bytes_text(in);
    bool      model   = change.kind == GM_CHANGE_MODELS || change.kind == GM_CHANGE_MODEL_DECOMMISSION ||
                 change.kind == GM_CHANGE_MODEL_DELETE;
    if (in->bad || !model || size > MODEL_TEXT_MOST) return gm_fail(err, GM_CORRUPT, "engine.checkpoint", "its models can not be read");
    char *text = gm_alloc_bytes(engine->alloc, size + 1);
    if (text == NULL) return gm_fail(err, GM_NOMEM, "engine.checkpoint", "reading models");
    size_t    got = ZSTD_decompress(text, size, packed.ptr, packed.len);
    gm_status st  = !ZSTD_isError(got) && got == size ? GM_OK : gm_fail(err, GM_CORRUPT, "engine.checkpoint", "its models can not be read");
    change.text   = (gm_str){ text, (size_t)size };
    if (st == GM_OK) st = gm_state_apply(engine->state, 0, record.ingest, &change, err);
    if (st == GM_OK && change.kind == GM_CHANGE_MODELS) st = gm_paths_update(&engine->paths, engine->model);
    if (st == GM_OK) st = gm_journal_add(engine, &record, &change);
    gm_free(engine->alloc, text);
    if (st == GM_NOMEM) return gm_fail(err, GM_NOMEM, "engine.checkpoint", "reading models");
    return st == GM_INVALID || st == GM_CONFLICT || st == GM_NOTFOUND ? GM_CORRUPT : st;
}

static gm_status load_models(gm_engine *engine, gm_frames_in *in, gm_error *err)
{
    gm_buf bytes = gm_buf_init(engine->alloc);
    gm_frames_rest(in, &bytes);
    gm_status st   = bytes.failed ? gm_fail(err, GM_NOMEM, "engine.checkpoint", "reading models") : gm_frames_status(in, err);
    gm_bytes  left = { .at = bytes.ptr, .end = bytes.ptr != NULL ? bytes.ptr + bytes.len : NULL };
    while (st == GM_OK && gm_bytes_left(&left) > 0) st = apply_model(engine, &left, err);
    gm_buf_finish(&bytes);
    return st;
}

// A section that nobody keeps any more, or not yet, would be lost with the next checkpoint: that is no damage, but no start.
static gm_status load_keeper(gm_engine *engine, gm_frames_in *in, gm_str name, gm_error *err)
{
    gm_str           wanted = gm_str_slice(name, 5, name.len);
    const gm_keeper *keeper = NULL;
    for (size_t i = 0; i < engine->keeper_count; i++) {
        if (gm_str_eq(gm_str_of(engine->keepers[i].name), wanted)) keeper = &engine->keepers[i];
    }
    if (keeper == NULL) {
        return engine->partial || engine->keeper_count == 0 ? GM_OK  // a tool that reads state and history alone
                                                            : gm_fail(err, GM_INVALID, "engine.checkpoint",
                                                   "the checkpoint holds '" GM_STR_FMT "', which this program does not know",
                                                   GM_STR_ARG(wanted));
    }
    gm_buf bytes = gm_buf_init(engine->alloc);
    gm_frames_rest(in, &bytes);
    gm_status st = bytes.failed ? gm_fail(err, GM_NOMEM, "engine.checkpoint", "reading what was kept") : gm_frames_status(in, err);
    const uint8_t *at = bytes.ptr != NULL ? bytes.ptr : (const uint8_t *)"";  // nothing was kept: never NULL
    if (st == GM_OK) st = keeper->load(keeper->context, at, bytes.len, err);
    gm_buf_finish(&bytes);
    return st;
}

static gm_status load_section(gm_engine *engine, gm_frames_in *in, gm_str name, gm_error *err)
{
    if (gm_str_is(name, "models")) return load_models(engine, in, err);
    if (gm_str_is(name, "state")) return gm_state_load(engine->state, in, err);
    if (gm_str_is(name, "history")) return gm_history_load(engine->history, in, err);
    if (gm_str_starts(name, GM_STR("keep:"))) return load_keeper(engine, in, name, err);
    return gm_fail(err, GM_CORRUPT, "engine.checkpoint", "a section '" GM_STR_FMT "' that this program does not know", GM_STR_ARG(name));
}

static gm_status load_one(gm_engine *engine, uint64_t sequence, gm_error *err)
{
    gm_frames_in *in;
    gm_str        name;
    unsigned      parts = 0;
    gm_status     st    = open_file(engine->io, engine->alloc, engine->checkpoints->path, sequence, &in, err);
    if (st != GM_OK) return st;
    st = read_head(in, sequence, &engine->last_ingest, err);
    while (st == GM_OK && (st = gm_frames_next(in, &name, err)) == GM_OK) {
        parts += gm_str_is(name, "models") || gm_str_is(name, "state") || gm_str_is(name, "history");
        st = load_section(engine, in, name, err);
    }
    if (st == GM_NOTFOUND) {
        st = parts == 3 ? GM_OK : gm_fail(err, GM_CORRUPT, "engine.checkpoint", "the checkpoint of record %" PRIu64 " lacks parts", sequence);
    }
    engine->checkpoints->report.bytes = gm_frames_size(in);
    gm_frames_close(in);
    return st;
}

// Everything empty again, as before the first record.
static gm_status start_over(gm_engine *engine, gm_error *err)
{
    gm_buf_clear(&engine->journal);
    gm_status st = gm_engine_make_parts(engine, err);
    for (size_t i = 0; st == GM_OK && i < engine->keeper_count; i++) {
        st = engine->keepers[i].load(engine->keepers[i].context, (const uint8_t *)"", 0, err);
    }
    return st;
}

static gm_status note_files(gm_engine *engine, gm_error *err)
{
    const gm_files *files = gm_history_files(engine->history);
    gm_file_list   *list  = &engine->checkpoints->of_newest;
    list->numbers         = gm_alloc_array(engine->alloc, gm_files_count(files) + 1, sizeof *list->numbers);
    if (list->numbers == NULL) return gm_fail(err, GM_NOMEM, "engine.checkpoint", "reading a checkpoint");
    list->count = gm_files_used(files, list->numbers);
    return GM_OK;
}

gm_status gm_checkpoint_load(gm_engine *engine, uint64_t *out_sequence, gm_error *err)
{
    gm_checkpointer *c = engine->checkpoints;
    uint64_t        *all;
    size_t           count;
    *out_sequence = 0;
    gm_status st  = gm_checkpoint_list(engine->io, engine->alloc, c->path, &all, &count, err);
    for (size_t i = 0; st == GM_OK && i < count && *out_sequence == 0; i++) {
        gm_error why = { 0 };
        st           = load_one(engine, all[i], &why);
        if (st == GM_OK) {
            *out_sequence = all[i];
        } else if (st == GM_CORRUPT) {
            gm_buf_printf(&c->damage, "checkpoint %020" PRIu64 ".ckpt is not used: %s\n", all[i], why.text);
            st = start_over(engine, err);
        } else if (err != NULL) {
            *err = why;
        }
    }
    gm_free(engine->alloc, all);
    if (*out_sequence > 0) st = note_files(engine, err);
    c->newest          = *out_sequence;
    c->report.sequence = *out_sequence;
    return st;
}
