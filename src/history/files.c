#include "history/files.h"

#include "base/crc32c.h"
#include "base/le.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { VERSION = 1, WAITING_MOST = 256 << 10, OPEN_MOST = 16, PATH_MOST = 4096 };
static const char magic[8] = { 'g', 'e', 'm', 'e', 'l', 'h', 's', 't' };

typedef struct part {
    uint32_t number;
    uint32_t size;    // bytes written, or waiting
    uint32_t used;    // bytes of entries that somebody refers to, their headers among them
    bool     synced;  // durable as far as it was flushed
    bool     condemned;  // holds what was deleted for good: to be emptied
} part;

typedef struct opened { uint32_t number; uint64_t turn; gm_file *file; } opened;

struct gm_files {
    const gm_io    *io;
    const gm_alloc *alloc;
    char           *path;
    part           *parts;   // by rising number; the last one is the current one, when `writing`
    size_t          count, capacity;
    uint32_t        next;    // number of the next file
    bool            writing;
    gm_file        *current;
    uint32_t        flushed; // bytes of the current file that are written; what is behind waits
    gm_buf          waiting;
    gm_buf          reading;
    opened          open[OPEN_MOST];
    uint64_t        turn;
};

void gm_files_name(uint32_t number, char out[GM_FILE_NAME])
{
    snprintf(out, GM_FILE_NAME, "%08" PRIu32 ".hist", number);
}

bool gm_files_number(gm_str name, uint32_t *out_number)
{
    if (name.len < 13 || name.len > 15 || !gm_str_ends(name, GM_STR(".hist"))) return false;
    uint64_t number = 0;
    for (size_t i = 0; i + 5 < name.len; i++) {
        unsigned digit = (unsigned)(name.ptr[i] - '0');
        if (digit > 9) return false;
        number = number * 10 + digit;
    }
    *out_number = (uint32_t)number;
    return number > 0 && number < UINT32_MAX;
}

static void path_of(const gm_files *f, uint32_t number, char out[PATH_MOST])
{
    char name[GM_FILE_NAME];
    gm_files_name(number, name);
    snprintf(out, PATH_MOST, "%s/%s", f->path, name);
}

static gm_status no_memory(const gm_files *f, gm_error *err)
{
    return gm_fail(err, GM_NOMEM, "history.files", "history in %s", f->path != NULL ? f->path : "?");
}

static part *find(const gm_files *f, uint32_t number)
{
    size_t low = 0, high = f->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (f->parts[middle].number < number) low = middle + 1;
        else high = middle;
    }
    return low < f->count && f->parts[low].number == number ? &f->parts[low] : NULL;
}

// ---- life cycle -----------------------------------------------------------------------------------------------------

static gm_status note_name(void *context, gm_str name, gm_error *err)
{
    gm_files *f = context;
    part      p = { .synced = true };
    if (!gm_files_number(name, &p.number)) return GM_OK;
    char path[PATH_MOST];
    path_of(f, p.number, path);
    gm_file  *file;
    uint64_t  size;
    gm_status st = f->io->open(f->io, path, GM_OPEN_READ, &file, err);
    if (st != GM_OK) return st;
    st = f->io->size(file, &size, err);
    f->io->close(file);
    if (st != GM_OK) return st;
    p.size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
    if (!gm_alloc_reserve(f->alloc, &f->parts, &f->capacity, f->count + 1, sizeof *f->parts)) return no_memory(f, err);
    // Names come in byte order, which is the order of the numbers while they have eight digits.
    size_t at = f->count++;
    for (; at > 0 && f->parts[at - 1].number > p.number; at--) f->parts[at] = f->parts[at - 1];
    f->parts[at] = p;
    if (f->next <= p.number) f->next = p.number + 1;
    return GM_OK;
}

gm_status gm_files_open(const gm_io *io, const gm_alloc *alloc, const char *path, gm_files **out_files, gm_error *err)
{
    *out_files  = NULL;
    gm_files *f = gm_alloc_zeroed(alloc, sizeof *f);
    if (f == NULL) return gm_fail(err, GM_NOMEM, "history.files", "history in %s", path);
    f->io      = io;
    f->alloc   = alloc;
    f->next    = 1;
    f->waiting = gm_buf_init(alloc);
    f->reading = gm_buf_init(alloc);
    size_t len = strlen(path);
    f->path    = len < PATH_MOST - GM_FILE_NAME - 1 ? gm_alloc_bytes(alloc, len + 1) : NULL;
    gm_status st = f->path != NULL ? GM_OK : no_memory(f, err);
    if (st == GM_OK) {
        memcpy(f->path, path, len + 1);
        st = io->make_dir(io, path, err);
    }
    if (st == GM_OK) st = io->list(io, path, note_name, f, err);
    if (st != GM_OK) {
        gm_files_close(f);
        return st;
    }
    *out_files = f;
    return GM_OK;
}

void gm_files_close(gm_files *f)
{
    if (f == NULL) return;
    for (size_t i = 0; i < OPEN_MOST; i++) f->io->close(f->open[i].file);
    f->io->close(f->current);
    gm_buf_finish(&f->waiting);
    gm_buf_finish(&f->reading);
    gm_free(f->alloc, f->parts);
    gm_free(f->alloc, f->path);
    gm_free(f->alloc, f);
}

// ---- writing --------------------------------------------------------------------------------------------------------

gm_status gm_files_flush(gm_files *f, gm_error *err)
{
    if (!f->writing || f->waiting.len == 0) return GM_OK;
    gm_status st = f->io->write(f->current, f->flushed, f->waiting.ptr, f->waiting.len, err);
    if (st != GM_OK) return st;
    f->flushed += (uint32_t)f->waiting.len;
    f->parts[f->count - 1].synced = false;
    gm_buf_clear(&f->waiting);
    return GM_OK;
}

static gm_status end_file(gm_files *f, gm_error *err)
{
    if (!f->writing) return GM_OK;
    gm_status st = gm_files_flush(f, err);
    if (st != GM_OK) return st;
    f->io->close(f->current);
    f->current = NULL;
    f->writing = false;
    return GM_OK;
}

static gm_status begin_file(gm_files *f, gm_error *err)
{
    gm_status ended = end_file(f, err);
    if (ended != GM_OK) return ended;
    if (f->next == UINT32_MAX) return gm_fail(err, GM_LIMIT, "history.files", "no file numbers left in %s", f->path);
    if (!gm_alloc_reserve(f->alloc, &f->parts, &f->capacity, f->count + 1, sizeof *f->parts)) return no_memory(f, err);
    char path[PATH_MOST];
    path_of(f, f->next, path);
    gm_status st = f->io->open(f->io, path, GM_OPEN_CREATE, &f->current, err);
    if (st != GM_OK) return st;
    uint8_t header[GM_HISTORY_FILE_HEADER];
    memcpy(header, magic, sizeof magic);
    gm_put_u32(header + 8, VERSION);
    gm_put_u32(header + 12, gm_crc32c(f->next, header, 12));
    gm_buf_clear(&f->waiting);
    gm_buf_add(&f->waiting, header, sizeof header);
    if (f->waiting.failed) {
        f->io->close(f->current);
        f->current = NULL;
        f->next++;  // the empty file is left to be removed
        return no_memory(f, err);
    }
    f->parts[f->count++] = (part){ .number = f->next++, .size = sizeof header };
    f->flushed           = 0;
    f->writing           = true;
    return GM_OK;
}

// The checksum begins with the place, so that an entry that lies somewhere else is not taken for this one.
static uint32_t checksum(gm_place place, const uint8_t *from_size, size_t n)
{
    uint8_t where[8];
    gm_put_u32(where, place.file);
    gm_put_u32(where + 4, place.offset);
    return gm_crc32c(gm_crc32c(0, where, sizeof where), from_size, n);
}

gm_status gm_files_append(gm_files *f, uint32_t twin, uint32_t column, const uint8_t *bytes, uint32_t size, gm_place *out_place,
                          gm_error *err)
{
    uint32_t  need = GM_HISTORY_ENTRY_HEADER + size;
    gm_status st   = GM_OK;
    if (!f->writing || f->parts[f->count - 1].size + (uint64_t)need > GM_HISTORY_FILE_MOST) st = begin_file(f, err);
    if (st == GM_OK && f->waiting.len >= WAITING_MOST) st = gm_files_flush(f, err);
    if (st != GM_OK) return st;
    part    *p     = &f->parts[f->count - 1];
    gm_place place = { p->number, p->size };
    uint8_t *to    = gm_buf_reserve(&f->waiting, need);
    if (to == NULL) {
        f->waiting.failed = false;
        return no_memory(f, err);
    }
    gm_put_u32(to + 4, size);
    gm_put_u32(to + 8, twin);
    gm_put_u32(to + 12, column);
    memcpy(to + GM_HISTORY_ENTRY_HEADER, bytes, size);
    gm_put_u32(to, checksum(place, to + 4, need - 4));
    f->waiting.len += need;
    p->size += need;
    p->used += need;
    *out_place = place;
    return GM_OK;
}

gm_status gm_files_sync(const gm_files *f, gm_error *err)
{
    gm_status st  = GM_OK;
    bool      any = false;
    for (size_t i = 0; st == GM_OK && i < f->count; i++) {
        if (f->parts[i].synced) continue;
        char     path[PATH_MOST];
        gm_file *file = NULL;
        path_of(f, f->parts[i].number, path);
        st = f->io->open(f->io, path, GM_OPEN_WRITE, &file, err);
        if (st == GM_OK) st = f->io->sync(file, err);
        f->io->close(file);
        any = true;
    }
    return st == GM_OK && any ? f->io->sync_dir(f->io, f->path, err) : st;
}

void gm_files_synced(gm_files *f, uint32_t number)
{
    for (size_t i = 0; i < f->count; i++) {
        // The current one has gone on meanwhile; it is synced again with the next.
        if (f->parts[i].number < number) f->parts[i].synced = true;
    }
}

// ---- reading --------------------------------------------------------------------------------------------------------

static gm_status open_part(gm_files *f, uint32_t number, gm_file **out_file, gm_error *err)
{
    size_t oldest = 0;
    for (size_t i = 0; i < OPEN_MOST; i++) {
        if (f->open[i].file != NULL && f->open[i].number == number) {
            f->open[i].turn = ++f->turn;
            *out_file       = f->open[i].file;
            return GM_OK;
        }
        if (f->open[i].turn < f->open[oldest].turn) oldest = i;
    }
    char path[PATH_MOST];
    path_of(f, number, path);
    gm_file  *file;
    gm_status st = f->io->open(f->io, path, GM_OPEN_READ, &file, err);
    if (st != GM_OK) return st;
    f->io->close(f->open[oldest].file);
    f->open[oldest] = (opened){ number, ++f->turn, file };
    *out_file       = file;
    return GM_OK;
}

static gm_status damaged(const gm_files *f, gm_place place, gm_error *err)
{
    return gm_fail(err, GM_CORRUPT, "history.files", "%s/%08" PRIu32 ".hist is damaged at offset %" PRIu32, f->path, place.file,
                   place.offset);
}

// n bytes at a place; viewed.
static gm_status view(gm_files *f, gm_place place, uint32_t n, const uint8_t **out, gm_error *err)
{
    bool current = f->writing && f->parts[f->count - 1].number == place.file;
    if (current && place.offset >= f->flushed) {
        size_t at = place.offset - f->flushed;
        if (at + n > f->waiting.len) return damaged(f, place, err);
        *out = f->waiting.ptr + at;
        return GM_OK;
    }
    gm_buf_clear(&f->reading);
    uint8_t *to = gm_buf_reserve(&f->reading, n);
    if (to == NULL) return no_memory(f, err);
    gm_file  *file;
    size_t    got;
    gm_status st = open_part(f, place.file, &file, err);
    if (st == GM_OK) st = f->io->read(file, place.offset, to, n, &got, err);
    if (st != GM_OK) return st;
    if (got < n) return damaged(f, place, err);
    *out = to;
    return GM_OK;
}

gm_status gm_files_read(gm_files *f, gm_place place, uint32_t twin, uint32_t column, uint32_t size, const uint8_t **out_bytes,
                        gm_error *err)
{
    const uint8_t *at;
    gm_status      st = view(f, place, GM_HISTORY_ENTRY_HEADER + size, &at, err);
    if (st != GM_OK) return st;
    bool right = gm_get_u32(at + 4) == size && gm_get_u32(at + 8) == twin && gm_get_u32(at + 12) == column &&
                 gm_get_u32(at) == checksum(place, at + 4, GM_HISTORY_ENTRY_HEADER - 4 + size);
    if (!right) return damaged(f, place, err);
    *out_bytes = at + GM_HISTORY_ENTRY_HEADER;
    return GM_OK;
}

gm_status gm_files_check(gm_files *f, uint32_t number, gm_error *err)
{
    const part    *p     = find(f, number);
    gm_place       place = { number, 0 };
    const uint8_t *at;
    if (p == NULL) return gm_fail(err, GM_NOTFOUND, "history.files", "no file %08" PRIu32 ".hist", number);
    if (p->size < GM_HISTORY_FILE_HEADER) return damaged(f, place, err);
    gm_status st = view(f, place, GM_HISTORY_FILE_HEADER, &at, err);
    if (st != GM_OK) return st;
    bool right = memcmp(at, magic, sizeof magic) == 0 && gm_get_u32(at + 8) == VERSION && gm_get_u32(at + 12) == gm_crc32c(number, at, 12);
    return right ? GM_OK : damaged(f, place, err);
}

gm_status gm_files_next(gm_files *f, uint32_t number, uint32_t *offset, gm_entry *out, gm_error *err)
{
    const uint8_t *at;
    if (*offset == 0) {
        gm_status st = gm_files_check(f, number, err);
        if (st != GM_OK) return st;
        *offset = GM_HISTORY_FILE_HEADER;
    }
    const part *p     = find(f, number);
    gm_place    place = { number, *offset };
    if (p == NULL) return gm_fail(err, GM_NOTFOUND, "history.files", "no file %08" PRIu32 ".hist", number);
    if (*offset == p->size) return gm_fail(err, GM_NOTFOUND, "history.files", "the end of %08" PRIu32 ".hist", number);
    if (p->size - *offset < GM_HISTORY_ENTRY_HEADER) return damaged(f, place, err);
    gm_status st = view(f, place, GM_HISTORY_ENTRY_HEADER, &at, err);
    if (st != GM_OK) return st;
    *out = (gm_entry){ .size = gm_get_u32(at + 4), .twin = gm_get_u32(at + 8), .column = gm_get_u32(at + 12), .place = place };
    if (out->size > p->size - *offset - GM_HISTORY_ENTRY_HEADER) return damaged(f, place, err);
    st = gm_files_read(f, place, out->twin, out->column, out->size, &out->bytes, err);
    if (st == GM_OK) *offset += GM_HISTORY_ENTRY_HEADER + out->size;
    return st;
}

// ---- what is used ---------------------------------------------------------------------------------------------------

bool gm_files_claim(gm_files *f, gm_place place, uint32_t size)
{
    part *p = find(f, place.file);
    if (p == NULL || place.offset < GM_HISTORY_FILE_HEADER ||
        (uint64_t)place.offset + GM_HISTORY_ENTRY_HEADER + size > p->size) {
        return false;
    }
    p->used += GM_HISTORY_ENTRY_HEADER + size;
    return true;
}

void gm_files_drop(gm_files *f, gm_place place, uint32_t size)
{
    part *p = find(f, place.file);
    assert(p != NULL && p->used >= GM_HISTORY_ENTRY_HEADER + size);
    p->used -= GM_HISTORY_ENTRY_HEADER + size;
}

uint32_t gm_files_current(const gm_files *f) { return f->writing ? f->next - 1 : f->next; }
size_t   gm_files_count(const gm_files *f) { return f->count; }

uint64_t gm_files_bytes(const gm_files *f)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < f->count; i++) bytes += f->parts[i].size;
    return bytes;
}

size_t gm_files_used(const gm_files *f, uint32_t *out)
{
    size_t n = 0;
    for (size_t i = 0; i < f->count; i++) {
        bool current = f->writing && i + 1 == f->count;
        if (f->parts[i].used > 0 || current) out[n++] = f->parts[i].number;
    }
    return n;
}

bool gm_files_uses(const gm_files *f, uint32_t number)
{
    const part *p = find(f, number);
    return p != NULL && p->used > 0;
}

static bool among(uint32_t number, const uint32_t *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (numbers[i] == number) return true;
    }
    return false;
}

void gm_files_remove_unused(gm_files *f, uint32_t before, const uint32_t *used, size_t used_count, const uint32_t *used_too,
                            size_t used_too_count)
{
    size_t kept = 0;
    for (size_t i = 0; i < f->count; i++) {
        uint32_t number = f->parts[i].number;
        bool     keep   = number >= before || f->parts[i].used > 0 || among(number, used, used_count) ||
                    among(number, used_too, used_too_count);
        if (!keep) {
            for (size_t o = 0; o < OPEN_MOST; o++) {
                if (f->open[o].file == NULL || f->open[o].number != number) continue;
                f->io->close(f->open[o].file);
                f->open[o] = (opened){ 0 };
            }
            char path[PATH_MOST];
            path_of(f, number, path);
            gm_status st = f->io->remove(f->io, path, NULL);
            keep         = st != GM_OK && st != GM_NOTFOUND;  // another time
        }
        if (keep) f->parts[kept++] = f->parts[i];
    }
    f->count = kept;
}

gm_status gm_files_condemn(gm_files *f, gm_error *err)
{
    gm_status st = end_file(f, err);
    for (size_t i = 0; i < f->count; i++) {
        part *p      = &f->parts[i];
        p->condemned = p->condemned || (uint64_t)p->used + GM_HISTORY_FILE_HEADER < p->size;
    }
    return st;
}

bool gm_files_condemned(const gm_files *f, uint32_t number)
{
    const part *p = find(f, number);
    return p != NULL && p->condemned;
}

void gm_files_condemn_again(gm_files *f, uint32_t number)
{
    part *p = find(f, number);
    if (p != NULL) p->condemned = true;
}

bool gm_files_wasteful(const gm_files *f, uint32_t *out_number)
{
    uint32_t most = 0;
    for (size_t i = 0; i < f->count; i++) {
        bool current = f->writing && i + 1 == f->count;
        if (current || !f->parts[i].condemned || f->parts[i].used == 0) continue;
        *out_number = f->parts[i].number;
        return true;
    }
    for (size_t i = 0; i < f->count; i++) {
        const part *p = &f->parts[i];
        if (f->writing && i + 1 == f->count) break;
        if (p->used == 0 || p->used >= p->size / 2 || p->size - p->used <= most) continue;
        most        = p->size - p->used;
        *out_number = p->number;
    }
    return most > 0;
}
