// The real disk behind gm_io, and what can be said in its words alone (reading and replacing whole files).
#include "base/io.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct gm_file {
    int             fd;
    const gm_alloc *alloc;
    char            path[];  // for error texts
};

static gm_status refused(gm_error *err, const char *doing, const char *path)
{
    return gm_fail_os(err, errno, "base.io", "%s %s", doing, path);
}

static void system_close(gm_file *file)
{
    if (file == NULL) return;
    close(file->fd);
    gm_free(file->alloc, file);
}

static gm_status system_open(const gm_io *io, const char *path, gm_open_mode mode, gm_file **out_file, gm_error *err)
{
    *out_file     = NULL;
    size_t   len  = strlen(path);
    gm_file *file = gm_alloc_bytes(io->alloc, sizeof *file + len + 1);
    if (file == NULL) return gm_fail(err, GM_NOMEM, "base.io", "opening %s", path);
    *file = (gm_file){ .alloc = io->alloc };
    memcpy(file->path, path, len + 1);

    static const int flags[] = { [GM_OPEN_READ] = O_RDONLY, [GM_OPEN_WRITE] = O_RDWR,
                                 [GM_OPEN_CREATE] = O_RDWR | O_CREAT | O_EXCL };
    file->fd = open(path, flags[mode] | O_CLOEXEC, 0644);
    if (file->fd < 0) {
        int reason = errno;
        gm_free(io->alloc, file);
        if (reason == ENOENT) return gm_fail(err, GM_NOTFOUND, "base.io", "%s does not exist", path);
        if (reason == EEXIST) return gm_fail(err, GM_CONFLICT, "base.io", "%s exists already", path);
        return gm_fail_os(err, reason, "base.io", "opening %s", path);
    }
    // After a failed fdatasync Linux keeps the pages in its cache and calls them clean. Whoever reopens the file would
    // read bytes there that the device never got, so the clean ones are dropped. (Dirty ones stay; that is right.)
    if (mode == GM_OPEN_WRITE) posix_fadvise(file->fd, 0, 0, POSIX_FADV_DONTNEED);
    *out_file = file;
    return GM_OK;
}

static gm_status system_read(gm_file *file, uint64_t offset, void *bytes, size_t n, size_t *out_n, gm_error *err)
{
    size_t done = 0;
    while (done < n) {
        ssize_t got = pread(file->fd, (char *)bytes + done, n - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return refused(err, "reading", file->path);
        if (got == 0) break;
        done += (size_t)got;
    }
    *out_n = done;
    return GM_OK;
}

static gm_status system_write(gm_file *file, uint64_t offset, const void *bytes, size_t n, gm_error *err)
{
    size_t done = 0;
    while (done < n) {
        ssize_t put = pwrite(file->fd, (const char *)bytes + done, n - done, (off_t)(offset + done));
        if (put < 0 && errno == EINTR) continue;
        if (put == 0) errno = EIO;  // a device that takes nothing and says nothing
        if (put <= 0) return refused(err, "writing", file->path);
        done += (size_t)put;
    }
    return GM_OK;
}

static gm_status system_sync(gm_file *file, gm_error *err)
{
    // Not repeated after EINTR: whether the first attempt lost something can not be known.
    return fdatasync(file->fd) == 0 ? GM_OK : refused(err, "syncing", file->path);
}

static gm_status system_size(gm_file *file, uint64_t *out_size, gm_error *err)
{
    struct stat about;
    if (fstat(file->fd, &about) != 0) return refused(err, "asking the size of", file->path);
    *out_size = (uint64_t)about.st_size;
    return GM_OK;
}

static gm_status system_truncate(gm_file *file, uint64_t size, gm_error *err)
{
    return ftruncate(file->fd, (off_t)size) == 0 ? GM_OK : refused(err, "truncating", file->path);
}

static gm_status system_allocate(gm_file *file, uint64_t size, gm_error *err)
{
    if (fallocate(file->fd, 0, 0, (off_t)size) == 0) return GM_OK;
    if (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL) return GM_OK;  // space is then found while writing
    return refused(err, "reserving space for", file->path);
}

static gm_status system_rename(const gm_io *io, const char *from, const char *to, gm_error *err)
{
    (void)io;
    return rename(from, to) == 0 ? GM_OK : refused(err, "renaming to", to);
}

static gm_status system_remove(const gm_io *io, const char *path, gm_error *err)
{
    (void)io;
    if (unlink(path) == 0) return GM_OK;
    if (errno == ENOENT) return gm_fail(err, GM_NOTFOUND, "base.io", "%s does not exist", path);
    return refused(err, "removing", path);
}

static gm_status system_sync_dir(const gm_io *io, const char *path, gm_error *err)
{
    (void)io;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return refused(err, "opening", path);
    gm_status st = fsync(fd) == 0 ? GM_OK : refused(err, "syncing", path);
    close(fd);
    return st;
}

// Makes one directory and its name durable.
static gm_status make_one(const gm_io *io, char *path, gm_error *err)
{
    if (mkdir(path, 0755) != 0) return errno == EEXIST ? GM_OK : refused(err, "making the directory", path);
    char *slash = strrchr(path, '/');
    if (slash == NULL) return system_sync_dir(io, ".", err);
    if (slash == path) return system_sync_dir(io, "/", err);
    *slash       = '\0';
    gm_status st = system_sync_dir(io, path, err);
    *slash       = '/';
    return st;
}

static gm_status system_make_dir(const gm_io *io, const char *path, gm_error *err)
{
    char   part[PATH_MAX];
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof part) return gm_fail(err, GM_INVALID, "base.io", "path of %zu bytes", len);
    memcpy(part, path, len + 1);
    for (char *at = part + 1; *at != '\0'; at++) {
        if (*at != '/' || at[-1] == '/') continue;
        *at          = '\0';
        gm_status st = make_one(io, part, err);
        *at          = '/';
        if (st != GM_OK) return st;
    }
    while (len > 1 && part[len - 1] == '/') part[--len] = '\0';
    gm_status st = make_one(io, part, err);
    if (st != GM_OK) return st;
    struct stat about;
    if (stat(path, &about) != 0) return refused(err, "looking at", path);
    return S_ISDIR(about.st_mode) ? GM_OK : gm_fail_os(err, ENOTDIR, "base.io", "making the directory %s", path);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static gm_status system_list(const gm_io *io, const char *path,
                             gm_status (*each)(void *context, gm_str name, gm_error *err), void *each_context,
                             gm_error *err)
{
    gm_status st       = GM_OK;
    char    **names    = NULL;
    size_t    count    = 0;
    size_t    capacity = 0;
    DIR      *dir      = opendir(path);
    if (dir == NULL) {
        return errno == ENOENT ? gm_fail(err, GM_NOTFOUND, "base.io", "%s does not exist", path)
                               : refused(err, "listing", path);
    }
    // All names first: each() may create and remove files in the directory.
    for (;;) {
        errno                = 0;
        struct dirent *entry = readdir(dir);
        if (entry == NULL) {
            if (errno != 0) st = refused(err, "listing", path);
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        size_t len  = strlen(entry->d_name) + 1;
        char  *copy = gm_alloc_bytes(io->alloc, len);
        if (copy == NULL || !gm_alloc_reserve(io->alloc, &names, &capacity, count + 1, sizeof *names)) {
            gm_free(io->alloc, copy);
            st = gm_fail(err, GM_NOMEM, "base.io", "listing %s", path);
            break;
        }
        memcpy(copy, entry->d_name, len);
        names[count++] = copy;
    }
    closedir(dir);
    if (count > 0) qsort(names, count, sizeof *names, by_bytes);
    for (size_t i = 0; i < count; i++) {
        if (st == GM_OK) st = each(each_context, gm_str_of(names[i]), err);
        gm_free(io->alloc, names[i]);
    }
    gm_free(io->alloc, names);
    return st;
}

static gm_status system_lock(gm_file *file, gm_error *err)
{
    // flock belongs to the open file, so a second opening in the same process is refused too.
    if (flock(file->fd, LOCK_EX | LOCK_NB) == 0) return GM_OK;
    if (errno == EWOULDBLOCK) return gm_fail(err, GM_CONFLICT, "base.io", "%s is locked by someone else", file->path);
    return refused(err, "locking", file->path);
}

const gm_io *gm_io_system(void)
{
    static const gm_io system_io = {
        .alloc = &gm_alloc_heap,       .open = system_open,         .close = system_close,
        .read = system_read,           .write = system_write,       .sync = system_sync,
        .size = system_size,           .truncate = system_truncate, .allocate = system_allocate,
        .rename = system_rename,       .remove = system_remove,     .make_dir = system_make_dir,
        .sync_dir = system_sync_dir,   .list = system_list,         .lock = system_lock,
    };
    return &system_io;
}

gm_status gm_io_read_file(const gm_io *io, const char *path, size_t limit, uint8_t **out_bytes, size_t *out_size,
                          gm_error *err)
{
    gm_file *file  = NULL;
    uint8_t *bytes = NULL;
    *out_bytes     = NULL;
    *out_size      = 0;

    gm_status st = io->open(io, path, GM_OPEN_READ, &file, err);
    if (st != GM_OK) goto done;
    uint64_t size;
    st = io->size(file, &size, err);
    if (st != GM_OK) goto done;
    if (size > limit) {
        st = gm_fail(err, GM_LIMIT, "base.io", "%s has %llu bytes, at most %zu are allowed", path,
                     (unsigned long long)size, limit);
        goto done;
    }
    bytes = gm_alloc_bytes(io->alloc, (size_t)size + 1);
    if (bytes == NULL) {
        st = gm_fail(err, GM_NOMEM, "base.io", "reading %s, %llu bytes", path, (unsigned long long)size);
        goto done;
    }
    size_t got;
    st = io->read(file, 0, bytes, (size_t)size, &got, err);
    if (st != GM_OK) goto done;
    bytes[got] = 0;
    *out_bytes = bytes;
    *out_size  = got;
    bytes      = NULL;
done:
    gm_free(io->alloc, bytes);
    io->close(file);
    return st;
}

gm_status gm_io_replace_file(const gm_io *io, const char *path, const void *bytes, size_t n, gm_error *err)
{
    gm_file *file = NULL;
    char     fresh[PATH_MAX];
    char     folder[PATH_MAX];
    int      len = snprintf(fresh, sizeof fresh, "%s.tmp", path);
    if (len < 0 || (size_t)len >= sizeof fresh) return gm_fail(err, GM_INVALID, "base.io", "path too long");
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path),
             slash == NULL ? "." : path);

    // A left-over of an interrupted replacement is worth nothing.
    gm_status st = io->remove(io, fresh, err);
    if (st != GM_OK && st != GM_NOTFOUND) goto done;
    st = io->open(io, fresh, GM_OPEN_CREATE, &file, err);
    if (st != GM_OK) goto done;
    st = io->write(file, 0, bytes, n, err);
    if (st == GM_OK) st = io->sync(file, err);
    if (st == GM_OK) st = io->rename(io, fresh, path, err);
    if (st != GM_OK) {
        io->remove(io, fresh, NULL);
        goto done;
    }
    st = io->sync_dir(io, folder, err);
done:
    io->close(file);
    return st;
}

gm_status gm_io_copy_file(const gm_io *io, const char *from, const char *to, uint64_t most, gm_error *err)
{
    enum { PIECE = 1 << 20, SYNC_EVERY = 16 };
    gm_file  *in = NULL, *out = NULL;
    uint8_t  *bytes = gm_alloc_bytes(io->alloc, PIECE);
    uint64_t  at    = 0;
    gm_status st    = bytes != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "base.io", "copying %s", from);
    if (st == GM_OK) st = io->open(io, from, GM_OPEN_READ, &in, err);
    if (st == GM_OK) st = io->open(io, to, GM_OPEN_CREATE, &out, err);
    for (unsigned round = 1; st == GM_OK && at < most; round++) {
        size_t got, want = most - at < PIECE ? (size_t)(most - at) : PIECE;
        st = io->read(in, at, bytes, want, &got, err);
        if (st == GM_OK && got == 0) break;
        if (st == GM_OK) st = io->write(out, at, bytes, got, err);
        if (st == GM_OK && round % SYNC_EVERY == 0) st = io->sync(out, err);
        if (st == GM_OK) at += got;
    }
    if (st == GM_OK) st = io->sync(out, err);
    io->close(in);
    io->close(out);
    if (st != GM_OK && out != NULL) io->remove(io, to, NULL);
    gm_free(io->alloc, bytes);
    return st;
}
