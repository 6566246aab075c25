#include "engine/verify.h"

#include "base/frames.h"
#include "engine/checkpoint_parts.h"
#include "history/files.h"
#include "log/segment.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PATH_MOST = 4096 };
static const size_t segment_most = (size_t)2 << 30;

typedef struct verifying {
    const gm_io    *io;
    const gm_alloc *alloc;
    const char     *path;
    gm_verify_each *each;
    void           *context;
    gm_verified    *out;
    uint64_t       *firsts;     // of log segments
    size_t          count, capacity;
} verifying;

static void damaged(verifying *v, const char *fmt, ...) GM_PRINTF(2, 3);
static void damaged(verifying *v, const char *fmt, ...)
{
    char    text[1024];
    va_list arguments;
    va_start(arguments, fmt);
    vsnprintf(text, sizeof text, fmt, arguments);
    va_end(arguments);
    v->out->damaged++;
    v->each(v->context, text);
}

// Damage is told and the rest is read; anything else ends the reading.
static gm_status told(verifying *v, gm_status st, const gm_error *why, gm_error *err)
{
    if (st == GM_CORRUPT || st == GM_NOTFOUND) {
        damaged(v, "%s", why->text);
        return GM_OK;
    }
    if (st != GM_OK && err != NULL) *err = *why;
    return st;
}

// ---- log ------------------------------------------------------------------------------------------------------------

static gm_status note_segment(void *context, gm_str name, gm_error *err)
{
    verifying *v     = context;
    uint64_t   first = 0;
    if (name.len != 24 || !gm_str_ends(name, GM_STR(".log"))) return GM_OK;
    for (size_t i = 0; i < 20; i++) {
        if (name.ptr[i] < '0' || name.ptr[i] > '9') return GM_OK;
        first = first * 10 + (uint64_t)(name.ptr[i] - '0');
    }
    if (!gm_alloc_reserve(v->alloc, &v->firsts, &v->capacity, v->count + 1, sizeof *v->firsts)) {
        return gm_fail(err, GM_NOMEM, "engine.verify", "listing the log");
    }
    v->firsts[v->count++] = first;
    return GM_OK;
}

static void walk_segment(verifying *v, size_t i, const char *name, const uint8_t *bytes, size_t size)
{
    gm_segment segment;
    gm_error   why  = { 0 };
    bool       last = i + 1 == v->count;
    if (gm_segment_decode(bytes, size, name, &segment, &why) != GM_OK) {
        damaged(v, "%s/log/%s: %s (offset 0)", v->path, name, why.text);
        return;
    }
    gm_cursor cursor = gm_cursor_of(&segment);
    gm_record record;
    while (gm_cursor_next(&cursor, bytes, size, &record)) {
        v->out->records++;
        v->out->last_record = record.sequence;
    }
    if (!last) {
        if (cursor.next_sequence != v->firsts[i + 1]) {
            damaged(v, "%s/log/%s: record %" PRIu64 " at offset %zu is damaged or missing; the next file begins with record %" PRIu64,
                    v->path, name, cursor.next_sequence, cursor.at, v->firsts[i + 1]);
        }
        return;
    }
    gm_segment_scan scan = gm_segment_scan_tail(bytes, size, &segment);
    if (scan.verdict == GM_TAIL_DAMAGED) {
        damaged(v, "%s/log/%s: record %" PRIu64 " at offset %zu is damaged; later records follow at offset %zu", v->path, name,
                scan.next_sequence, scan.end, scan.witness);
    } else if (scan.verdict == GM_TAIL_TORN) {
        v->out->torn_bytes = scan.dirty_end - scan.end;
    }
}

static gm_status verify_log(verifying *v, gm_error *err)
{
    char      path[PATH_MOST], name[32];
    snprintf(path, sizeof path, "%s/log", v->path);
    gm_status st = v->io->list(v->io, path, note_segment, v, err);
    if (st == GM_NOTFOUND) return GM_OK;  // a backup has none
    for (size_t i = 0; st == GM_OK && i < v->count; i++) {
        uint8_t *bytes = NULL;
        size_t   size;
        gm_error why = { 0 };
        snprintf(name, sizeof name, "%020" PRIu64 ".log", v->firsts[i]);
        snprintf(path, sizeof path, "%s/log/%s", v->path, name);
        st = gm_io_read_file(v->io, path, segment_most, &bytes, &size, &why);
        if (st == GM_OK) walk_segment(v, i, name, bytes, size);
        st = told(v, st, &why, err);
        gm_free(v->io->alloc, bytes);
        v->out->segments++;
    }
    return st;
}

// ---- checkpoints and the history they refer to ------------------------------------------------------------------------

static void on_bad_block(void *context, const gm_error *why) { damaged(context, "%s", why->text); }

static gm_status verify_checkpoint(verifying *v, uint64_t sequence, gm_error *err)
{
    char          path[PATH_MOST], folder[PATH_MOST], name[GM_CHECKPOINT_NAME];
    gm_frames_in *in      = NULL;
    gm_history   *history = gm_history_create(v->alloc);
    gm_error      why     = { 0 };
    gm_str        section;
    uint64_t      blocks = 0, before = v->out->damaged;
    gm_checkpoint_name(sequence, name);
    snprintf(path, sizeof path, "%s/checkpoint/%s", v->path, name);
    snprintf(folder, sizeof folder, "%s/history", v->path);
    gm_status st = history != NULL ? gm_history_use_files(history, v->io, folder, &why) : gm_fail(&why, GM_NOMEM, "engine.verify", "reading");
    if (st == GM_OK) st = gm_frames_open(v->io, v->alloc, path, &in, &why);
    while (st == GM_OK && (st = gm_frames_next(in, &section, &why)) == GM_OK) {
        if (gm_str_is(section, "history")) st = gm_history_load(history, in, &why);
    }
    if (st == GM_NOTFOUND && in != NULL && gm_frames_status(in, NULL) == GM_OK) st = GM_OK;  // the end
    if (st == GM_OK) st = gm_history_verify(history, on_bad_block, v, &blocks, &why);
    st = told(v, st, &why, err);
    if (st == GM_OK && v->out->damaged == before && v->out->checkpoint == 0) {
        v->out->checkpoint    = sequence;
        v->out->blocks        = blocks;
        v->out->samples       = gm_history_statistics(history).samples;
        v->out->history_files = gm_history_statistics(history).files;
    }
    gm_frames_close(in);
    gm_history_destroy(history);
    v->out->checkpoints++;
    return st;
}

static gm_status verify_checkpoints(verifying *v, gm_error *err)
{
    char      path[PATH_MOST];
    uint64_t *all;
    size_t    count;
    snprintf(path, sizeof path, "%s/checkpoint", v->path);
    gm_status st = gm_checkpoint_list(v->io, v->alloc, path, &all, &count, err);
    for (size_t i = 0; st == GM_OK && i < count; i++) st = verify_checkpoint(v, all[i], err);
    if (st == GM_OK && v->count > 0 && v->firsts[0] > v->out->checkpoint + 1) {
        damaged(v, "%s: the log begins with record %" PRIu64 ", and no good checkpoint reaches up to it", v->path, v->firsts[0]);
    }
    if (st == GM_OK && count > 0 && v->count > 0 && v->out->last_record > 0 && v->out->last_record < all[0]) {
        damaged(v, "%s: the log ends with record %" PRIu64 ", but there is a checkpoint of record %" PRIu64, v->path,
                v->out->last_record, all[0]);
        v->out->torn_bytes = 0;  // what follows had been acknowledged
    }
    gm_free(v->alloc, all);
    return st;
}

static gm_status look(void *context, gm_str name, gm_error *err)
{
    (void)err;
    *(bool *)context |= gm_str_is(name, "log") || gm_str_is(name, "checkpoint");
    return GM_OK;
}

gm_status gm_data_verify(const gm_io *io, const gm_alloc *alloc, const char *path, gm_verify_each *each, void *context,
                         gm_verified *out, gm_error *err)
{
    verifying v    = { .io = io, .alloc = alloc, .path = path, .each = each, .context = context, .out = out };
    gm_file  *lock = NULL;
    bool      ours = false;
    char      lock_path[PATH_MOST];
    *out = (gm_verified){ 0 };
    if (snprintf(lock_path, sizeof lock_path, "%s/lock", path) >= PATH_MOST - 64) return gm_fail(err, GM_INVALID, "engine.verify", "the path is too long");
    gm_status st = io->list(io, path, look, &ours, err);
    if (st == GM_OK && !ours) return gm_fail(err, GM_NOTFOUND, "engine.verify", "%s is no data directory: it has neither log/ nor checkpoint/", path);
    if (st != GM_OK) return st;
    if (io->open(io, lock_path, GM_OPEN_READ, &lock, NULL) == GM_OK && io->lock(lock, NULL) == GM_CONFLICT) {
        st = gm_fail(err, GM_CONFLICT, "engine.verify", "a server has %s open; verify a backup of it, or stop it first", path);
    }
    if (st == GM_OK) st = verify_log(&v, err);
    if (st == GM_OK) st = verify_checkpoints(&v, err);
    io->close(lock);
    gm_free(alloc, v.firsts);
    return st;
}
