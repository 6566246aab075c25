// Invariants
//   (1) a segment file gets its name only when its header is synced, and only after everything in the segments before
//       it is durable. So every segment but the last must be readable up to where the next one begins.
//   (2) between the last record and the end of the last file there are only zeros, except for the batch in flight.
//       gm_store_open restores this before anything is written, so a record is never found where none was put.
//   (3) a batch lies in one segment and is synced before the next one is written.
#include "log/store.h"

#include "base/le.h"
#include "log/prepare.h"
#include "log/segment.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

enum {
    NAME_DIGITS   = 20,
    SEGMENT_FIRST = 1 << 20,  // of the first segment; each new one is four times as large up to the option's size,
    SEGMENT_GROW  = 4,        // so that a small plant costs a small file and no waiting at its first start
};
static const uint64_t segment_file_max = UINT64_C(2) << 30;  // larger ones are not ours

struct gm_store {
    const gm_io    *io;
    const gm_alloc *alloc;
    char           *path;
    uint64_t        segment_size;
    gm_prepare     *prepare;
    gm_file        *lock;

    uint64_t *firsts;  // [count] the first sequence of each segment, rising
    size_t    count, capacity;

    gm_file   *tail;  // the last segment
    gm_segment tail_segment;
    uint64_t   tail_size, tail_end;  // of the file; behind its last record
    uint64_t   next_sequence;
    gm_time_ns last_ingest;
    uint64_t   prepared_late;
    uint64_t   salt_state;
    bool       roll;  // the next batch begins a segment
};

uint64_t   gm_store_next_sequence(const gm_store *s) { return s->next_sequence; }
gm_time_ns gm_store_last_ingest(const gm_store *s) { return s->last_ingest; }
size_t     gm_store_segments(const gm_store *s) { return s->count; }
uint64_t   gm_store_prepared_late(const gm_store *s) { return s->prepared_late; }

// path/name in memory of its own; NULL when refused.
static char *join(const gm_store *s, const char *name)
{
    size_t a = strlen(s->path), b = strlen(name);
    char  *joined = gm_alloc_bytes(s->alloc, a + 1 + b + 1);
    if (joined == NULL) return NULL;
    memcpy(joined, s->path, a);
    joined[a] = '/';
    memcpy(joined + a + 1, name, b + 1);
    return joined;
}

static char *segment_path(const gm_store *s, uint64_t first)
{
    char name[NAME_DIGITS + 8];
    snprintf(name, sizeof name, "%020" PRIu64 ".log", first);
    return join(s, name);
}

static gm_status no_memory(gm_error *err, const gm_store *s)
{
    return gm_fail(err, GM_NOMEM, "log.store", "log %s", s->path != NULL ? s->path : "");
}

static gm_status open_named(gm_store *s, uint64_t first, gm_open_mode mode, gm_file **out_file, gm_error *err)
{
    char *path = segment_path(s, first);
    *out_file  = NULL;
    if (path == NULL) return no_memory(err, s);
    gm_status st = s->io->open(s->io, path, mode, out_file, err);
    gm_free(s->alloc, path);
    return st;
}

// Reads a whole segment and its header. *out_bytes is the caller's.
static gm_status read_segment(gm_store *s, gm_file *file, uint64_t first, uint8_t **out_bytes, size_t *out_size,
                              gm_segment *out_segment, gm_error *err)
{
    char name[NAME_DIGITS + 8];
    snprintf(name, sizeof name, "%020" PRIu64 ".log", first);
    uint64_t size;
    *out_bytes   = NULL;
    gm_status st = s->io->size(file, &size, err);
    if (st != GM_OK) return st;
    if (size > segment_file_max) return gm_fail(err, GM_CORRUPT, "log.store", "%s has %" PRIu64 " bytes", name, size);
    uint8_t *bytes = gm_alloc_bytes(s->alloc, (size_t)size);
    if (bytes == NULL) return no_memory(err, s);
    st = s->io->read(file, 0, bytes, (size_t)size, out_size, err);
    if (st == GM_OK) st = gm_segment_decode(bytes, *out_size, name, out_segment, err);
    if (st == GM_OK && out_segment->first_sequence != first) {
        st = gm_fail(err, GM_CORRUPT, "log.store", "%s begins with record %" PRIu64 " (offset 0)", name,
                     out_segment->first_sequence);
    }
    if (st != GM_OK) {
        gm_free(s->alloc, bytes);
        return st;
    }
    *out_bytes = bytes;
    return GM_OK;
}

// One listed name: keeps the first sequence of what is called like a segment, leaves everything else alone.
static gm_status note_name(void *context, gm_str name, gm_error *err)
{
    gm_store *s = context;
    if (name.len != NAME_DIGITS + 4 || !gm_str_ends(name, GM_STR(".log"))) return GM_OK;
    uint64_t first = 0;
    for (size_t i = 0; i < NAME_DIGITS; i++) {
        unsigned digit = (unsigned)(name.ptr[i] - '0');
        if (digit > 9 || __builtin_mul_overflow(first, (uint64_t)10, &first) ||
            __builtin_add_overflow(first, (uint64_t)digit, &first)) {
            return GM_OK;
        }
    }
    if (first == 0) return GM_OK;
    if (!gm_alloc_reserve(s->alloc, &s->firsts, &s->capacity, s->count + 1, sizeof *s->firsts)) return no_memory(err, s);
    s->firsts[s->count++] = first;
    return GM_OK;
}

static gm_status take_lock(gm_store *s, gm_error *err)
{
    char *path = join(s, "lock");
    if (path == NULL) return no_memory(err, s);
    gm_status st = s->io->open(s->io, path, GM_OPEN_WRITE, &s->lock, err);
    if (st == GM_NOTFOUND) st = s->io->open(s->io, path, GM_OPEN_CREATE, &s->lock, err);
    if (st == GM_OK) st = s->io->lock(s->lock, err);
    gm_free(s->alloc, path);
    return st;
}

static uint64_t size_for(const gm_store *s, uint64_t wanted, uint64_t batch)
{
    uint64_t size = wanted < s->segment_size ? wanted : s->segment_size;
    uint64_t need = GM_SEGMENT_HEADER + batch;
    return size > need ? size : need;
}

// Puts a new segment behind the last one and makes it the tail. Keeps (1): the caller has synced what came before.
static gm_status add_segment(gm_store *s, uint64_t batch, gm_error *err)
{
    gm_file *file  = NULL;
    char    *fresh = join(s, "next.tmp");
    char    *path  = segment_path(s, s->next_sequence);
    uint64_t size  = 0;
    bool     waited;
    if (fresh == NULL || path == NULL ||
        !gm_alloc_reserve(s->alloc, &s->firsts, &s->capacity, s->count + 1, sizeof *s->firsts)) {
        gm_status st = no_memory(err, s);
        gm_free(s->alloc, fresh);
        gm_free(s->alloc, path);
        return st;
    }
    // splitmix64 (Steele, Lea, Flood 2014): a salt nobody outside can guess from an earlier one.
    s->salt_state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mixed = (s->salt_state ^ s->salt_state >> 30) * UINT64_C(0xbf58476d1ce4e5b9);

    gm_segment segment = { .first_sequence = s->next_sequence,
                           .ingest_floor   = s->last_ingest,
                           .salt           = (uint32_t)(mixed >> 32) };
    uint8_t header[GM_SEGMENT_HEADER];
    gm_segment_encode(&segment, header);

    uint64_t  wanted = s->tail != NULL ? s->tail_size * SEGMENT_GROW : SEGMENT_FIRST;
    gm_status st     = gm_prepare_take(s->prepare, size_for(s, wanted, batch), &file, &size, &waited, err);
    if (st == GM_OK) st = s->io->write(file, 0, header, sizeof header, err);
    if (st == GM_OK) st = s->io->sync(file, err);
    if (st == GM_OK) st = s->io->rename(s->io, fresh, path, err);
    if (st == GM_OK) st = s->io->sync_dir(s->io, s->path, err);
    if (st != GM_OK) goto done;

    // The rest of the old segment will never be used. Not synced: zeros at its end do no harm.
    if (s->tail != NULL) {
        st = s->io->truncate(s->tail, s->tail_end, err);
        if (st != GM_OK) goto done;
        s->prepared_late += waited;
    }
    s->io->close(s->tail);
    s->tail               = file;
    file                  = NULL;
    s->tail_segment       = segment;
    s->tail_size          = size;
    s->tail_end           = GM_SEGMENT_HEADER;
    s->firsts[s->count++] = segment.first_sequence;
done:
    s->io->close(file);
    gm_free(s->alloc, fresh);
    gm_free(s->alloc, path);
    return st;
}

// Overwrites everything behind the last record with zeros. Keeps (2).
static gm_status cut_tail(gm_store *s, uint64_t dirty_end, gm_error *err)
{
    static const uint8_t zeros[4096];
    gm_status            st = GM_OK;
    for (uint64_t at = s->tail_end; st == GM_OK && at < dirty_end;) {
        uint64_t left = dirty_end - at;
        size_t   n    = left < sizeof zeros ? (size_t)left : sizeof zeros;
        st            = s->io->write(s->tail, at, zeros, n, err);
        at += n;
    }
    return st == GM_OK ? s->io->sync(s->tail, err) : st;
}

// Opens the last segment, finds the end of the log in it and cuts what was never acknowledged.
static gm_status open_tail(gm_store *s, gm_error *err)
{
    uint8_t  *bytes = NULL;
    size_t    size;
    uint64_t  first = s->firsts[s->count - 1];
    gm_status st    = open_named(s, first, GM_OPEN_WRITE, &s->tail, err);
    // A killed process leaves its last writes in the cache only: what is read here must be durable from here on.
    if (st == GM_OK) st = s->io->sync(s->tail, err);
    if (st == GM_OK) st = read_segment(s, s->tail, first, &bytes, &size, &s->tail_segment, err);
    if (st != GM_OK) goto done;

    gm_segment_scan scan = gm_segment_scan_tail(bytes, size, &s->tail_segment);
    if (scan.verdict == GM_TAIL_DAMAGED) {
        st = gm_fail(err, GM_CORRUPT, "log.store",
                     "%020" PRIu64 ".log: record %" PRIu64 " at offset %zu is damaged; later records follow at offset %zu",
                     first, scan.next_sequence, scan.end, scan.witness);
        goto done;
    }
    s->tail_size     = size;
    s->tail_end      = scan.end;
    s->next_sequence = scan.next_sequence;
    s->last_ingest   = scan.last_ingest;
    if (scan.verdict == GM_TAIL_TORN) st = cut_tail(s, scan.dirty_end, err);
done:
    gm_free(s->alloc, bytes);
    return st;
}

gm_status gm_store_open(const gm_io *io, const gm_alloc *alloc, const char *path, const gm_log_options *options,
                        gm_time_ns now, gm_store **out_store, gm_error *err)
{
    *out_store    = NULL;
    char     *tmp = NULL;
    size_t    len = strlen(path);
    gm_store *s   = gm_alloc_zeroed(alloc, sizeof *s);
    if (s == NULL) return gm_fail(err, GM_NOMEM, "log.store", "log %s", path);
    s->io            = io;
    s->alloc         = alloc;
    s->segment_size  = options->segment_size < segment_file_max / 2 ? options->segment_size : segment_file_max / 2;
    s->next_sequence = options->first_sequence > 0 ? options->first_sequence : 1;
    s->last_ingest   = options->first_sequence > 1 ? options->ingest_floor : INT64_MIN;
    s->salt_state    = (uint64_t)now;

    gm_status st = GM_NOMEM;
    s->path      = gm_alloc_bytes(alloc, len + 1);
    if (s->path != NULL) memcpy(s->path, path, len + 1);
    if (s->path != NULL) tmp = join(s, "next.tmp");
    if (s->path == NULL || tmp == NULL) {
        st = no_memory(err, s);
        goto done;
    }
    st = io->make_dir(io, path, err);
    if (st == GM_OK) st = take_lock(s, err);
    if (st == GM_OK) st = io->list(io, path, note_name, s, err);
    // A process that ended between rename and sync_dir leaves a name that is seen but not durable.
    if (st == GM_OK) st = io->sync_dir(io, path, err);
    if (st != GM_OK) goto done;
    st = io->remove(io, tmp, err);  // half a preparation of an earlier process
    if (st != GM_OK && st != GM_NOTFOUND) goto done;
    st = gm_prepare_create(io, alloc, tmp, options->prepare_ahead, &s->prepare, err);
    if (st != GM_OK) goto done;

    st = s->count > 0 ? open_tail(s, err) : add_segment(s, 0, err);
    if (st != GM_OK) goto done;
    *out_store = s;
    s          = NULL;
done:
    gm_free(alloc, tmp);
    gm_store_close(s);
    return st;
}

void gm_store_close(gm_store *s)
{
    if (s == NULL) return;
    gm_prepare_destroy(s->prepare);
    s->io->close(s->tail);
    s->io->close(s->lock);
    gm_free(s->alloc, s->firsts);
    gm_free(s->alloc, s->path);
    gm_free(s->alloc, s);
}

// Folds the records of segment i that come after `after`. Keeps (1) to its word: all must be there.
static gm_status replay_segment(gm_store *s, size_t i, uint64_t after, gm_log_fold *fold, void *context, gm_error *err)
{
    gm_file   *file  = NULL;
    uint8_t   *bytes = NULL;
    size_t     size;
    gm_segment segment;
    uint64_t   first = s->firsts[i];
    uint64_t   stop  = i + 1 < s->count ? s->firsts[i + 1] : s->next_sequence;
    gm_status  st    = open_named(s, first, GM_OPEN_READ, &file, err);
    if (st == GM_OK) st = read_segment(s, file, first, &bytes, &size, &segment, err);
    if (st != GM_OK) goto done;

    gm_cursor cursor = gm_cursor_of(&segment);
    gm_record record;
    while (st == GM_OK && cursor.next_sequence < stop) {
        if (!gm_cursor_next(&cursor, bytes, size, &record)) {
            st = gm_fail(err, GM_CORRUPT, "log.store",
                         "%020" PRIu64 ".log: record %" PRIu64 " at offset %zu is damaged or missing; the log goes on "
                         "to record %" PRIu64, first, cursor.next_sequence, cursor.at, stop - 1);
        } else if (record.sequence > after && fold != NULL) {
            st = fold(context, &record, err);
        }
    }
done:
    gm_free(s->alloc, bytes);
    s->io->close(file);
    return st;
}

gm_status gm_store_replay(gm_store *s, uint64_t after, gm_log_fold *fold, void *context, gm_error *err)
{
    if (s->firsts[0] - 1 > after) {
        return gm_fail(err, GM_NOTFOUND, "log.store", "the log begins with record %" PRIu64 ", asked for those after %" PRIu64,
                       s->firsts[0], after);
    }
    gm_status st = GM_OK;
    for (size_t i = 0; st == GM_OK && i < s->count; i++) {
        bool before = i + 1 < s->count && s->firsts[i + 1] - 1 <= after;
        if (!before) st = replay_segment(s, i, after, fold, context, err);
    }
    return st;
}

gm_status gm_store_commit(gm_store *s, uint8_t *records, size_t size, gm_time_ns ingest, gm_error *err)
{
    assert(ingest > s->last_ingest);
    if (s->roll || size > s->tail_size - s->tail_end) {
        gm_status st = add_segment(s, size, err);
        if (st != GM_OK) return st;
    }
    s->roll = false;
    uint64_t count = 0;
    for (size_t at = 0; at < size; count++) {
        at += gm_record_seal(records + at, s->tail_segment.salt, ingest + (gm_time_ns)count);
    }
    gm_status st = s->io->write(s->tail, s->tail_end, records, size, err);
    if (st == GM_OK) st = s->io->sync(s->tail, err);
    if (st != GM_OK) return st;
    s->tail_end += size;
    s->next_sequence += count;
    s->last_ingest = ingest + (gm_time_ns)count - 1;

    // Filling a file takes longer than zeroing one, so asking at a quarter is early enough.
    if (s->tail_end > s->tail_size / 4) gm_prepare_order(s->prepare, size_for(s, s->tail_size * SEGMENT_GROW, 0));
    return GM_OK;
}

void gm_store_roll(gm_store *s) { s->roll = s->firsts[s->count - 1] < s->next_sequence; }

void gm_store_release_before(gm_store *s, uint64_t sequence)
{
    size_t gone = 0;
    while (gone + 1 < s->count && s->firsts[gone + 1] <= sequence) {
        char *path = segment_path(s, s->firsts[gone]);
        if (path == NULL) break;
        gm_status st = s->io->remove(s->io, path, NULL);
        gm_free(s->alloc, path);
        if (st != GM_OK && st != GM_NOTFOUND) break;
        gone++;
    }
    memmove(s->firsts, s->firsts + gone, (s->count - gone) * sizeof *s->firsts);
    s->count -= gone;
}
