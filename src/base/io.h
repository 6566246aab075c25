// base/io.h: files, through a table of functions so that tests can lose power at any moment.
//
// gm_io_system() is the real disk. tests/support/fault_io.h is a disk in memory that forgets or tears any subset of
// what was not synced when "the power fails", and returns any error at the n-th call.
// All paths are relative to the process or absolute; names of files in the engine are its own (no user text in them).
// Different files may be used from different threads at the same time.
//
// Errors: GM_IO, with os_errno and the path in the text, and as said below. A file keeps a view of nothing: path and
// name arguments are borrowed.
#ifndef GM_BASE_IO_H
#define GM_BASE_IO_H

#include "base/alloc.h"
#include "base/str.h"

typedef struct gm_file gm_file;

typedef enum gm_open_mode { GM_OPEN_READ, GM_OPEN_WRITE, GM_OPEN_CREATE } gm_open_mode;  // CREATE: must not exist

typedef struct gm_io {
    const gm_alloc *alloc;
    void           *context;
    // READ and WRITE: GM_NOTFOUND when there is none. CREATE: GM_CONFLICT when there is one. Opening an existing file
    // for WRITE reads it from the device afresh: what an earlier process failed to sync is not taken from the cache.
    gm_status (*open)(const struct gm_io *io, const char *path, gm_open_mode mode, gm_file **out_file, gm_error *err);
    void (*close)(gm_file *file);  // NULL is allowed
    // Reads up to n bytes at offset; *out_n < n only at the end of the file.
    gm_status (*read)(gm_file *file, uint64_t offset, void *bytes, size_t n, size_t *out_n, gm_error *err);
    gm_status (*write)(gm_file *file, uint64_t offset, const void *bytes, size_t n, gm_error *err);  // all or an error
    gm_status (*sync)(gm_file *file, gm_error *err);                                                 // fdatasync
    gm_status (*size)(gm_file *file, uint64_t *out_size, gm_error *err);
    gm_status (*truncate)(gm_file *file, uint64_t size, gm_error *err);
    gm_status (*allocate)(gm_file *file, uint64_t size, gm_error *err);  // reserves space; GM_OK where unsupported
    // Replaces `to` when it exists. Durable after sync_dir, as are remove and the creation of a file.
    gm_status (*rename)(const struct gm_io *io, const char *from, const char *to, gm_error *err);
    gm_status (*remove)(const struct gm_io *io, const char *path, gm_error *err);    // GM_NOTFOUND: there is none
    gm_status (*make_dir)(const struct gm_io *io, const char *path, gm_error *err);  // with parents, durable; exists = GM_OK
    gm_status (*sync_dir)(const struct gm_io *io, const char *path, gm_error *err);  // names in it become durable
    // Calls each(name) for the entries of a directory, in byte order; "." and ".." left out. Stops when each does not
    // return GM_OK, and returns that.
    gm_status (*list)(const struct gm_io *io, const char *path, gm_status (*each)(void *context, gm_str name, gm_error *err),
                      void *each_context, gm_error *err);
    // Takes an exclusive lock that ends with the file (one server per data directory). GM_CONFLICT: someone has it.
    gm_status (*lock)(gm_file *file, gm_error *err);
} gm_io;

const gm_io *gm_io_system(void);

// The whole file as bytes (with a NUL behind them, not counted). GM_LIMIT: larger than limit. *out_bytes is freed by
// the caller with gm_free(io->alloc, ...).
GM_NODISCARD gm_status gm_io_read_file(const gm_io *io, const char *path, size_t limit, uint8_t **out_bytes,
                                       size_t *out_size, gm_error *err);

// Replaces a file as a whole: writes path.tmp, syncs it, renames it, syncs the directory. After an error the old
// content is what the path names (or the new one, when only the last step failed), never a mixture.
GM_NODISCARD gm_status gm_io_replace_file(const gm_io *io, const char *path, const void *bytes, size_t n, gm_error *err);

// Copies the first `most` bytes of a file (or all it has) to a new one and syncs that; the directory is the caller's to
// sync. GM_CONFLICT: there is one already. A copy that failed is removed.
GM_NODISCARD gm_status gm_io_copy_file(const gm_io *io, const char *from, const char *to, uint64_t most, gm_error *err);

#endif
