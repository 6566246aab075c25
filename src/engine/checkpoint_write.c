// The writing side: everything into one file, then its name. Runs in a forked copy of the process, or (in_process) in the
// engine itself.
#include "engine/checkpoint_parts.h"

#include "base/bytes.h"
#include "base/frames.h"
#include "history/files.h"

#include <stdio.h>
#include <zstd.h>

enum { PATH_MOST = 4096, KEPT_MOST = 1 << 30 };

// Between 256 KB and the next. The log's commits share the device with the copy: measured beside a writer that does nothing but
// commit 24 KB (p99 0.17 ms), their p99 was 3.1 times that with a sync every 8 MB and no rest, 4.0 times with 2 MB, 2.8 with 1 MB, 1.8 with
// 256 KB, and 1.5 with a rest; sync_file_range, O_DIRECT and the idle class of I/O did not help. 400 MB take some five seconds so.
// SCHED_IDLE would be no guest on a busy machine but starve: a checkpoint that never ends holds on to the log.
enum { REST = 2 * 1000 * 1000 };


// ---- the journal of models ------------------------------------------------------------------------------------------

// Kind, flags, ingest time, length of the text, the text compressed.
gm_status gm_journal_add(gm_engine *engine, const gm_record *record, const gm_change *change)
{
    gm_buf *out   = &engine->journal;
    size_t  start = out->len, bound = ZSTD_compressBound(change->text.len);
    gm_buf_byte(out, (uint8_t)change->kind);
    gm_buf_byte(out, change->flags);
    gm_buf_svarint(out, record->ingest);
    gm_buf_varint(out, change->text.len);
    uint8_t *room = gm_alloc_bytes(engine->alloc, bound);
    size_t   size = room != NULL ? ZSTD_compress(room, bound, change->text.ptr, change->text.len, 3) : 0;
    if (room != NULL && !ZSTD_isError(size)) gm_buf_text_of(out, (gm_str){ (const char *)room, size });
    bool failed = room == NULL || ZSTD_isError(size) || out->failed;
    gm_free(engine->alloc, room);
    if (!failed) return GM_OK;
    out->failed = false;
    out->len    = start;
    return GM_NOMEM;
}

// ---- the file -------------------------------------------------------------------------------------------------------

static void write_head(const gm_engine *engine, gm_frames_out *out)
{
    gm_frames_section(out, GM_STR("head"));
    gm_frames_put_varint(out, engine->settled);
    gm_frames_put_svarint(out, engine->last_ingest);
    gm_frames_put_svarint(out, gm_now(engine->clock));
}

static void write_keepers(const gm_engine *engine, gm_frames_out *out)
{
    gm_buf kept = gm_buf_init(engine->alloc);
    kept.limit  = KEPT_MOST;
    for (size_t i = 0; i < engine->keeper_count; i++) {
        const gm_keeper *k = &engine->keepers[i];
        char             name[80];
        snprintf(name, sizeof name, "keep:%.58s", k->name);
        gm_buf_clear(&kept);
        k->save(k->context, &kept);
        if (kept.failed) gm_frames_fail(out, GM_NOMEM, "no memory for what was kept");
        gm_frames_section(out, gm_str_of(name));
        gm_frames_put(out, kept.ptr, kept.len);
    }
    gm_buf_finish(&kept);
}

static gm_status write_file(const gm_engine *engine, const char *path, uint64_t *out_size, gm_error *err)
{
    gm_frames_out *out;
    gm_status      st = gm_frames_create(engine->io, engine->alloc, path, &out, err);
    if (st != GM_OK) return st;
    if (!engine->checkpoint.in_process && engine->loop != NULL) gm_frames_gently(out, REST);
    write_head(engine, out);
    gm_frames_section(out, GM_STR("models"));
    gm_frames_put(out, engine->journal.ptr, engine->journal.len);
    gm_frames_section(out, GM_STR("state"));
    gm_state_save(engine->state, out);
    gm_frames_section(out, GM_STR("history"));
    gm_history_save(engine->history, out);
    write_keepers(engine, out);
    return gm_frames_finish(out, out_size, err);
}

static gm_status write_checkpoint(const gm_engine *engine, gm_checkpoint_answer *answer)
{
    const gm_io *io = engine->io;
    gm_error    *err = &answer->err;
    char         fresh[PATH_MOST], path[PATH_MOST], name[GM_CHECKPOINT_NAME];
    gm_checkpoint_name(engine->settled, name);
    snprintf(fresh, sizeof fresh, "%s/next.tmp", engine->checkpoints->path);
    snprintf(path, sizeof path, "%s/%s", engine->checkpoints->path, name);
    gm_status st = gm_history_sync(engine->history, err);
    if (st != GM_OK) {
        answer->history_unsynced = true;
        return st;
    }
    st = io->remove(io, fresh, err);
    if (st == GM_OK || st == GM_NOTFOUND) st = write_file(engine, fresh, &answer->bytes, err);
    if (st == GM_OK) st = io->rename(io, fresh, path, err);
    if (st == GM_OK) st = io->sync_dir(io, engine->checkpoints->path, err);
    return st;
}

// ---- the copy -------------------------------------------------------------------------------------------------------

static gm_status copy_one(const gm_engine *engine, const char *from_folder, const char *to, const char *folder, const char *name,
                          gm_error *err)
{
    char from_path[PATH_MOST], to_path[PATH_MOST];
    int  a = snprintf(from_path, sizeof from_path, "%s/%s", from_folder, name);
    int  b = snprintf(to_path, sizeof to_path, "%s/%s/%s", to, folder, name);
    if (a >= PATH_MOST || b >= PATH_MOST) return gm_fail(err, GM_INVALID, "engine.checkpoint", "a path is too long");
    return gm_io_copy_file(engine->io, from_path, to_path, UINT64_MAX, err);
}

static gm_status make_folder(const gm_engine *engine, const char *to, const char *folder, gm_error *err)
{
    char path[PATH_MOST];
    if (snprintf(path, sizeof path, "%s/%s", to, folder) >= PATH_MOST) {
        return gm_fail(err, GM_INVALID, "engine.checkpoint", "a path is too long");
    }
    return engine->io->make_dir(engine->io, path, err);
}

// History first, the checkpoint last: a copy that was interrupted has no checkpoint and is no backup.
static gm_status copy_all(const gm_engine *engine, const char *to, gm_error *err)
{
    const gm_io           *io = engine->io;
    const gm_checkpointer *c  = engine->checkpoints;
    char                   name[GM_CHECKPOINT_NAME], path[PATH_MOST];
    gm_status              st = make_folder(engine, to, "history", err);
    if (st == GM_OK) st = make_folder(engine, to, "checkpoint", err);
    for (size_t i = 0; st == GM_OK && i < c->refers.count; i++) {
        gm_files_name(c->refers.numbers[i], name);
        st = copy_one(engine, engine->history_path, to, "history", name, err);
    }
    for (size_t i = 0; st == GM_OK && i < engine->keeper_count; i++) {
        if (engine->keepers[i].copy != NULL) st = engine->keepers[i].copy(engine->keepers[i].context, to, err);
    }
    if (st == GM_OK) {
        gm_checkpoint_name(engine->settled, name);
        st = copy_one(engine, c->path, to, "checkpoint", name, err);
    }
    for (int i = 0; st == GM_OK && i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", to, i == 0 ? "history" : "checkpoint");
        st = io->sync_dir(io, path, err);
    }
    return st;
}

void gm_checkpoint_write(const gm_engine *engine, const char *copy_to, gm_checkpoint_answer *out)
{
    *out        = (gm_checkpoint_answer){ .status = GM_OK };
    if (engine->checkpoints->newest != engine->settled) out->status = write_checkpoint(engine, out);
    if (out->status == GM_OK && copy_to != NULL) out->status = copy_all(engine, copy_to, &out->err);
}
