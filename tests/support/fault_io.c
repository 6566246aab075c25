// A file is what the medium holds (`durable`), what readers see (`seen`), and the changes between them (`pending`).
#include "support/fault_io.h"

#include "support/support.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum { SECTOR = 512 };

typedef struct bytes { uint8_t *ptr; size_t size; } bytes;

typedef struct change {
    bool     cut;  // a truncation to `offset`; else a write of data at offset
    uint64_t offset;
    bytes    data;
} change;

typedef struct node {
    bytes   durable, seen;
    change *pending;
    size_t  pending_count;
    bool    locked;
    struct node *next;  // of all that were ever made
} node;

typedef struct name { char *path; node *file; } name;
typedef struct names { name *items; size_t count; } names;
typedef struct move { char *from, *to; node *file; } move;  // from NULL: created; to NULL: removed

struct gm_fault_disk {
    pthread_mutex_t lock;
    uint64_t        random;
    node           *nodes;
    names           durable, seen;
    move           *moves;  // between durable and seen, in order
    size_t          move_count;
};

typedef struct open_file { gm_fault_io *fault; node *file; bool holds_lock; } open_file;

static void *must(void *memory)
{
    if (memory == NULL) abort();
    return memory;
}

static char *copy_text(const char *text)
{
    return text != NULL ? must(strdup(text)) : NULL;
}

// ---- bytes ------------------------------------------------------------------------------------------------------

static void set_size(bytes *b, size_t size)
{
    b->ptr = must(realloc(b->ptr, size > 0 ? size : 1));
    if (size > b->size) memset(b->ptr + b->size, 0, size - b->size);
    b->size = size;
}

static void put(bytes *b, uint64_t offset, const uint8_t *from, size_t n)
{
    if (offset + n > b->size) set_size(b, (size_t)offset + n);
    if (n > 0) memcpy(b->ptr + offset, from, n);
}

static void copy_bytes(bytes *to, const bytes *from)
{
    set_size(to, from->size);
    if (from->size > 0) memcpy(to->ptr, from->ptr, from->size);
}

static void apply(bytes *b, const change *c)
{
    if (c->cut) set_size(b, (size_t)c->offset);
    else put(b, c->offset, c->data.ptr, c->data.size);
}

// What became of an unsynced change when the power failed.
static void apply_fate(bytes *b, const change *c, uint64_t *random)
{
    uint64_t fate = gm_test_random(random) % 4;
    if (fate == 0) return;  // lost
    if (fate == 1 || c->cut) {
        apply(b, c);
        return;
    }
    // Sector by sector: there, lost or garbage. The file may or may not have grown to its new size.
    for (size_t at = 0; at < c->data.size;) {
        size_t   n    = SECTOR - (size_t)((c->offset + at) % SECTOR);
        uint64_t luck = gm_test_random(random);
        if (n > c->data.size - at) n = c->data.size - at;
        if (luck % 3 == 0) {
            put(b, c->offset + at, c->data.ptr + at, n);
        } else if (luck % 3 == 1 && fate == 3) {
            for (size_t i = 0; i < n; i++) {
                uint8_t noise = (uint8_t)gm_test_random(random);
                put(b, c->offset + at + i, &noise, 1);
            }
        }
        at += n;
    }
}

static void drop_pending(node *file)
{
    for (size_t i = 0; i < file->pending_count; i++) free(file->pending[i].data.ptr);
    free(file->pending);
    file->pending       = NULL;
    file->pending_count = 0;
}

static void note_change(node *file, change c)
{
    apply(&file->seen, &c);
    file->pending = must(realloc(file->pending, (file->pending_count + 1) * sizeof c));
    file->pending[file->pending_count++] = c;
}

// ---- names ------------------------------------------------------------------------------------------------------

static name *find(names *all, const char *path)
{
    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->items[i].path, path) == 0) return &all->items[i];
    }
    return NULL;
}

static void unname(names *all, const char *path)
{
    name *n = find(all, path);
    if (n == NULL) return;
    free(n->path);
    *n = all->items[--all->count];
}

static void set_name(names *all, const char *path, node *file)
{
    unname(all, path);
    all->items               = must(realloc(all->items, (all->count + 1) * sizeof *all->items));
    all->items[all->count++] = (name){ copy_text(path), file };
}

static void clear_names(names *all)
{
    while (all->count > 0) unname(all, all->items[0].path);
    free(all->items);
    *all = (names){ 0 };
}

static void apply_move(names *all, const move *m)
{
    if (m->from != NULL) unname(all, m->from);
    if (m->to != NULL) set_name(all, m->to, m->file);
}

static void note_move(struct gm_fault_disk *disk, const char *from, const char *to, node *file)
{
    move m = { copy_text(from), copy_text(to), file };
    apply_move(&disk->seen, &m);
    disk->moves                     = must(realloc(disk->moves, (disk->move_count + 1) * sizeof m));
    disk->moves[disk->move_count++] = m;
}

// Makes the first `count` moves durable and forgets the others.
static void settle_moves(struct gm_fault_disk *disk, size_t count)
{
    for (size_t i = 0; i < disk->move_count; i++) {
        if (i < count) apply_move(&disk->durable, &disk->moves[i]);
        free(disk->moves[i].from);
        free(disk->moves[i].to);
    }
    disk->move_count = 0;
}

// ---- the table of functions -------------------------------------------------------------------------------------

// Enters a call: counts it and says whether it fails. The lock is held until leave().
static bool enter(gm_fault_io *fault, gm_fault_call kind)
{
    pthread_mutex_lock(&fault->disk->lock);
    fault->calls++;
    fault->calls_of[kind]++;
    if (kind == GM_FAULT_SYNC || kind == GM_FAULT_SYNC_DIR) {
        fault->syncs++;
        if (fault->syncs == fault->power_at_sync) fault->dark = true;
    }
    if (fault->dark) return false;
    if (fault->calls == fault->fail_at) {
        fault->fired = true;
        if (fault->fail_for_good) fault->fail_at++;  // the next one too
        return false;
    }
    return true;
}

static gm_status leave(gm_fault_io *fault, gm_status st)
{
    pthread_mutex_unlock(&fault->disk->lock);
    return st;
}

static gm_status refuse(gm_fault_io *fault, gm_error *err, const char *doing)
{
    int reason = fault->dark || fault->fail_errno == 0 ? EIO : fault->fail_errno;
    return leave(fault, gm_fail_os(err, reason, "fault_io", "%s", doing));
}

static gm_status fault_open(const gm_io *io, const char *path, gm_open_mode mode, gm_file **out_file, gm_error *err)
{
    gm_fault_io *fault = io->context;
    *out_file          = NULL;
    if (!enter(fault, GM_FAULT_OPEN)) return refuse(fault, err, path);
    struct gm_fault_disk *disk = fault->disk;
    name                 *n    = find(&disk->seen, path);
    if (n == NULL && mode != GM_OPEN_CREATE) return leave(fault, gm_fail(err, GM_NOTFOUND, "fault_io", "%s", path));
    if (n != NULL && mode == GM_OPEN_CREATE) return leave(fault, gm_fail(err, GM_CONFLICT, "fault_io", "%s", path));
    node *file = n != NULL ? n->file : NULL;
    if (file == NULL) {
        file        = must(calloc(1, sizeof *file));
        file->next  = disk->nodes;
        disk->nodes = file;
        note_move(disk, NULL, path, file);
    } else if (mode == GM_OPEN_WRITE && file->pending_count == 0) {
        copy_bytes(&file->seen, &file->durable);  // the cache is dropped
    }
    open_file *opened = must(calloc(1, sizeof *opened));
    *opened           = (open_file){ .fault = fault, .file = file };
    *out_file         = (gm_file *)opened;
    fault->open_files++;
    return leave(fault, GM_OK);
}

static void fault_close(gm_file *handle)
{
    open_file *opened = (open_file *)handle;
    if (opened == NULL) return;
    pthread_mutex_lock(&opened->fault->disk->lock);
    if (opened->holds_lock) opened->file->locked = false;
    opened->fault->open_files--;
    pthread_mutex_unlock(&opened->fault->disk->lock);
    free(opened);
}

static gm_status fault_read(gm_file *handle, uint64_t offset, void *to, size_t n, size_t *out_n, gm_error *err)
{
    open_file *opened = (open_file *)handle;
    if (!enter(opened->fault, GM_FAULT_READ)) return refuse(opened->fault, err, "reading");
    const bytes *b    = &opened->file->seen;
    size_t       left = offset < b->size ? b->size - (size_t)offset : 0;
    *out_n            = n < left ? n : left;
    if (*out_n > 0) memcpy(to, b->ptr + offset, *out_n);
    return leave(opened->fault, GM_OK);
}

static gm_status fault_write(gm_file *handle, uint64_t offset, const void *from, size_t n, gm_error *err)
{
    open_file *opened = (open_file *)handle;
    bool       works  = enter(opened->fault, GM_FAULT_WRITE);
    if (!works && opened->fault->dark) return refuse(opened->fault, err, "writing");
    if (!works) n /= 2;  // a short write, and then the error
    change c = { .offset = offset, .data = { must(malloc(n > 0 ? n : 1)), n } };
    if (n > 0) memcpy(c.data.ptr, from, n);
    note_change(opened->file, c);
    return works ? leave(opened->fault, GM_OK) : refuse(opened->fault, err, "writing");
}

static gm_status fault_sync(gm_file *handle, gm_error *err)
{
    open_file *opened = (open_file *)handle;
    node      *file   = opened->file;
    bool       works  = enter(opened->fault, GM_FAULT_SYNC);
    if (opened->fault->dark) return refuse(opened->fault, err, "syncing");
    for (size_t i = 0; i < file->pending_count; i++) {
        if (works) apply(&file->durable, &file->pending[i]);
        else apply_fate(&file->durable, &file->pending[i], &opened->fault->disk->random);
    }
    drop_pending(file);
    return works ? leave(opened->fault, GM_OK) : refuse(opened->fault, err, "syncing");
}

static gm_status fault_size(gm_file *handle, uint64_t *out_size, gm_error *err)
{
    open_file *opened = (open_file *)handle;
    if (!enter(opened->fault, GM_FAULT_SIZE)) return refuse(opened->fault, err, "asking the size");
    *out_size = opened->file->seen.size;
    return leave(opened->fault, GM_OK);
}

static gm_status fault_truncate(gm_file *handle, uint64_t size, gm_error *err)
{
    open_file *opened = (open_file *)handle;
    if (!enter(opened->fault, GM_FAULT_TRUNCATE)) return refuse(opened->fault, err, "truncating");
    note_change(opened->file, (change){ .cut = true, .offset = size });
    return leave(opened->fault, GM_OK);
}

static gm_status fault_allocate(gm_file *handle, uint64_t size, gm_error *err)
{
    open_file *opened = (open_file *)handle;
    if (!enter(opened->fault, GM_FAULT_ALLOCATE)) return refuse(opened->fault, err, "reserving space");
    if (size > opened->file->seen.size) note_change(opened->file, (change){ .cut = true, .offset = size });
    return leave(opened->fault, GM_OK);
}

static gm_status fault_rename(const gm_io *io, const char *from, const char *to, gm_error *err)
{
    gm_fault_io *fault = io->context;
    if (!enter(fault, GM_FAULT_RENAME)) return refuse(fault, err, from);
    name *n = find(&fault->disk->seen, from);
    if (n == NULL) return leave(fault, gm_fail_os(err, ENOENT, "fault_io", "%s", from));
    note_move(fault->disk, from, to, n->file);
    return leave(fault, GM_OK);
}

static gm_status fault_remove(const gm_io *io, const char *path, gm_error *err)
{
    gm_fault_io *fault = io->context;
    if (!enter(fault, GM_FAULT_REMOVE)) return refuse(fault, err, path);
    if (find(&fault->disk->seen, path) == NULL) return leave(fault, gm_fail(err, GM_NOTFOUND, "fault_io", "%s", path));
    note_move(fault->disk, path, NULL, NULL);
    return leave(fault, GM_OK);
}

static gm_status fault_make_dir(const gm_io *io, const char *path, gm_error *err)
{
    gm_fault_io *fault = io->context;  // directories are there when names lie in them
    if (!enter(fault, GM_FAULT_MAKE_DIR)) return refuse(fault, err, path);
    return leave(fault, GM_OK);
}

static gm_status fault_sync_dir(const gm_io *io, const char *path, gm_error *err)
{
    gm_fault_io *fault = io->context;
    if (!enter(fault, GM_FAULT_SYNC_DIR)) return refuse(fault, err, path);
    settle_moves(fault->disk, fault->disk->move_count);
    return leave(fault, GM_OK);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static gm_status fault_list(const gm_io *io, const char *path,
                            gm_status (*each)(void *context, gm_str entry, gm_error *err), void *each_context,
                            gm_error *err)
{
    gm_fault_io *fault = io->context;
    if (!enter(fault, GM_FAULT_LIST)) return refuse(fault, err, path);
    size_t len   = strlen(path);
    size_t count = 0;
    char **found = must(calloc(fault->disk->seen.count + 1, sizeof *found));
    for (size_t i = 0; i < fault->disk->seen.count; i++) {
        const char *full = fault->disk->seen.items[i].path;
        if (strncmp(full, path, len) == 0 && full[len] == '/' && strchr(full + len + 1, '/') == NULL) {
            found[count++] = copy_text(full + len + 1);
        }
    }
    leave(fault, GM_OK);  // each() may come back to this disk
    qsort(found, count, sizeof *found, by_path);
    gm_status st = GM_OK;
    for (size_t i = 0; i < count; i++) {
        if (st == GM_OK) st = each(each_context, gm_str_of(found[i]), err);
        free(found[i]);
    }
    free(found);
    return st;
}

static gm_status fault_lock(gm_file *handle, gm_error *err)
{
    open_file *opened = (open_file *)handle;
    if (!enter(opened->fault, GM_FAULT_LOCK)) return refuse(opened->fault, err, "locking");
    if (opened->file->locked) return leave(opened->fault, gm_fail(err, GM_CONFLICT, "fault_io", "locked"));
    opened->file->locked = opened->holds_lock = true;
    return leave(opened->fault, GM_OK);
}

// ---- life -------------------------------------------------------------------------------------------------------

void gm_fault_io_init(gm_fault_io *fault, uint64_t seed)
{
    *fault = (gm_fault_io){ .io = { .alloc = gm_alloc_system(), .context = fault, .open = fault_open,
                                    .close = fault_close, .read = fault_read, .write = fault_write, .sync = fault_sync,
                                    .size = fault_size, .truncate = fault_truncate, .allocate = fault_allocate,
                                    .rename = fault_rename, .remove = fault_remove, .make_dir = fault_make_dir,
                                    .sync_dir = fault_sync_dir, .list = fault_list, .lock = fault_lock } };
    fault->disk         = must(calloc(1, sizeof *fault->disk));
    fault->disk->random = seed;
    pthread_mutex_init(&fault->disk->lock, NULL);
}

void gm_fault_io_finish(gm_fault_io *fault)
{
    struct gm_fault_disk *disk = fault->disk;
    settle_moves(disk, 0);
    free(disk->moves);
    clear_names(&disk->durable);
    clear_names(&disk->seen);
    for (node *file = disk->nodes; file != NULL;) {
        node *next = file->next;
        drop_pending(file);
        free(file->durable.ptr);
        free(file->seen.ptr);
        free(file);
        file = next;
    }
    pthread_mutex_destroy(&disk->lock);
    free(disk);
    fault->disk = NULL;
}

void gm_fault_io_restart(gm_fault_io *fault)
{
    assert_int_equal(fault->open_files, 0);
    fault->power_at_sync = fault->fail_at = fault->calls = fault->syncs = 0;
    fault->fail_errno                                                   = 0;
    fault->fail_for_good = fault->fired = fault->dark = false;
    memset(fault->calls_of, 0, sizeof fault->calls_of);
}

void gm_fault_io_cut(gm_fault_io *fault)
{
    pthread_mutex_lock(&fault->disk->lock);
    fault->dark = true;
    pthread_mutex_unlock(&fault->disk->lock);
}

void gm_fault_io_power_on(gm_fault_io *fault)
{
    struct gm_fault_disk *disk = fault->disk;
    for (node *file = disk->nodes; file != NULL; file = file->next) {
        for (size_t i = 0; i < file->pending_count; i++) apply_fate(&file->durable, &file->pending[i], &disk->random);
        drop_pending(file);
        copy_bytes(&file->seen, &file->durable);
    }
    settle_moves(disk, gm_test_random(&disk->random) % (disk->move_count + 1));
    clear_names(&disk->seen);
    for (size_t i = 0; i < disk->durable.count; i++) {
        set_name(&disk->seen, disk->durable.items[i].path, disk->durable.items[i].file);
    }
    gm_fault_io_restart(fault);
}

const uint8_t *gm_fault_io_bytes(gm_fault_io *fault, const char *path, size_t *out_size)
{
    name *n = find(&fault->disk->seen, path);
    if (n == NULL) return NULL;
    *out_size = n->file->seen.size;
    return n->file->seen.ptr;
}

void gm_fault_io_flip(gm_fault_io *fault, const char *path, uint64_t offset, unsigned bit)
{
    name *n = find(&fault->disk->seen, path);
    assert_non_null(n);
    assert_true(offset < n->file->seen.size);
    n->file->seen.ptr[offset] ^= (uint8_t)(1u << bit);
    if (offset < n->file->durable.size) n->file->durable.ptr[offset] ^= (uint8_t)(1u << bit);
}
