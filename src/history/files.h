// history/files.h: sealed blocks in files: appended, never changed, each under a checksum. Format:
// docs/formats/history.md. Inside history, and for whoever verifies a data directory.
//
//   gm_files_open(io, alloc, "data/history", &files, &err);
//   gm_files_append(files, twin, column, bytes, size, &place, &err);
//   gm_files_read(files, place, twin, column, size, &bytes, &err);
//
// An entry is written with its neighbours, a quarter of a megabyte at a time, and is readable at once. It is durable
// after gm_files_sync, which a checkpoint does before it refers to it; until then the log has the samples too. Every
// opening begins a new file, so that nothing is ever written behind a tail that nobody knows.
//
// One thread; gm_files_sync is also called in a forked copy of the process.
#ifndef GM_HISTORY_FILES_H
#define GM_HISTORY_FILES_H

#include "base/buf.h"
#include "base/io.h"

typedef struct gm_files gm_files;
typedef struct gm_place { uint32_t file, offset; } gm_place;

enum { GM_HISTORY_FILE_HEADER = 16, GM_HISTORY_ENTRY_HEADER = 16, GM_HISTORY_FILE_MOST = 128 << 20 };

// The directory is made when it is not there. GM_IO, GM_NOMEM.
GM_NODISCARD gm_status gm_files_open(const gm_io *io, const gm_alloc *alloc, const char *path, gm_files **out_files,
                                     gm_error *err);
void gm_files_close(gm_files *files);  // NULL is allowed; what was not flushed is forgotten

// GM_IO: nothing was appended; what was appended before is still readable, and a later call tries again.
GM_NODISCARD gm_status gm_files_append(gm_files *files, uint32_t twin, uint32_t column, const uint8_t *bytes, uint32_t size,
                                       gm_place *out_place, gm_error *err);

// The bytes of an entry; viewed until the next call. GM_CORRUPT: they are not what was appended; err names the place.
GM_NODISCARD gm_status gm_files_read(gm_files *files, gm_place place, uint32_t twin, uint32_t column, uint32_t size,
                                     const uint8_t **out_bytes, gm_error *err);

// Writes what waits. GM_IO: it waits on.
GM_NODISCARD gm_status gm_files_flush(gm_files *files, gm_error *err);

// Makes durable what was flushed since the last gm_files_synced, through descriptors of its own. After a refusal nothing
// may rely on those entries any more.
GM_NODISCARD gm_status gm_files_sync(const gm_files *files, gm_error *err);
void gm_files_synced(gm_files *files, uint32_t number);  // files up to this number are durable as far as they were flushed

// ---- what is still used -------------------------------------------------------------------------------------------
// An entry is referred to (false: it lies outside of its file), or is no longer.
bool gm_files_claim(gm_files *files, gm_place place, uint32_t size);
void gm_files_drop(gm_files *files, gm_place place, uint32_t size);

uint32_t gm_files_current(const gm_files *files);  // number of the file that is written to, or will be next
uint64_t gm_files_bytes(const gm_files *files);    // of all files
size_t   gm_files_count(const gm_files *files);

// The numbers of files that somebody refers to, and the one being written to; [gm_files_count] at most.
size_t gm_files_used(const gm_files *files, uint32_t *out_numbers);

bool gm_files_uses(const gm_files *files, uint32_t number);  // somebody refers to an entry of it

// Removes files below `before` that are in neither list.
void gm_files_remove_unused(gm_files *files, uint32_t before, const uint32_t *used, size_t used_count,
                            const uint32_t *used_too, size_t used_too_count);

// Every file that holds entries which nobody refers to is to be emptied, however much of it is used; the current one ends.
// GM_IO: the current one could not be written and goes on.
GM_NODISCARD gm_status gm_files_condemn(gm_files *files, gm_error *err);
bool gm_files_condemned(const gm_files *files, uint32_t number);
void gm_files_condemn_again(gm_files *files, uint32_t number);  // as it stood in a checkpoint

// A file that is condemned and still used; else the one that wastes most, when less than half of it is used: worth copying
// what is. False: there is none.
bool gm_files_wasteful(const gm_files *files, uint32_t *out_number);

// Looks at a file's header. GM_CORRUPT: it is damaged. GM_NOTFOUND.
GM_NODISCARD gm_status gm_files_check(gm_files *files, uint32_t number, gm_error *err);

// Walks the entries of a file: *offset begins at 0. GM_NOTFOUND: the end. GM_CORRUPT: damage at *offset.
typedef struct gm_entry { uint32_t twin, column, size; gm_place place; const uint8_t *bytes; } gm_entry;
GM_NODISCARD gm_status gm_files_next(gm_files *files, uint32_t number, uint32_t *offset, gm_entry *out_entry, gm_error *err);

// "00000007.hist"
enum { GM_FILE_NAME = 16 };
void gm_files_name(uint32_t number, char out[GM_FILE_NAME]);
bool gm_files_number(gm_str name, uint32_t *out_number);

#endif
