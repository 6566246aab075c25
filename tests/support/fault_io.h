// tests/support/fault_io.h: a disk in memory that can fail in every way a disk can.
//
//   gm_fault_io disk;
//   gm_fault_io_init(&disk, seed);
//   disk.power_at_sync = 7;                 // at the 7th sync the power fails: it and every later call return EIO
//   ... work with &disk.io until it refuses; close everything ...
//   gm_fault_io_power_on(&disk);            // what was not synced is now kept, lost, torn or scrambled, piece by piece
//   ... open again and check what was promised ...
//
// What it assumes of a disk: a sync that returned GM_OK made the bytes durable; unsynced writes may reach the medium
// in any subset, in any order, sector by sector (512 bytes), or as garbage; bytes outside of a write keep their value
// (power-safe overwrite); changes of names reach the medium in their order, up to any point, and wholly by sync_dir.
// After a failed sync the written bytes stay readable but are not written by later syncs (as Linux does it), until the
// file is opened for writing again, which shows what the medium holds.
//
// Calls are serialised by a lock, so it may be used from several threads.
#ifndef GM_TESTS_FAULT_IO_H
#define GM_TESTS_FAULT_IO_H

#include "base/io.h"

typedef enum gm_fault_call {
    GM_FAULT_OPEN, GM_FAULT_READ, GM_FAULT_WRITE, GM_FAULT_SYNC, GM_FAULT_SIZE, GM_FAULT_TRUNCATE, GM_FAULT_ALLOCATE,
    GM_FAULT_RENAME, GM_FAULT_REMOVE, GM_FAULT_MAKE_DIR, GM_FAULT_SYNC_DIR, GM_FAULT_LIST, GM_FAULT_LOCK,
    GM_FAULT_CALLS,
} gm_fault_call;

typedef struct gm_fault_io {
    gm_io    io;             // give &disk.io to the code under test
    uint64_t power_at_sync;  // the power fails at this sync of a file or directory (1 = the first); 0 = never
    uint64_t fail_at;        // this call (1 = the first of any kind) returns an error; 0 = never
    int      fail_errno;     // with this reason (EIO, ENOSPC); a refused write has written a part
    bool     fail_for_good;  // and so does every call after it

    // What happened; read between the calls.
    uint64_t calls, syncs;
    uint64_t calls_of[GM_FAULT_CALLS];
    bool     fired, dark;  // fail_at was reached; the power is off
    int64_t  open_files;
    struct gm_fault_disk *disk;
} gm_fault_io;

void gm_fault_io_init(gm_fault_io *fault, uint64_t seed);
void gm_fault_io_finish(gm_fault_io *fault);

// Decides what became of everything unsynced, and switches on again: plan and counters are reset. All files must be
// closed. Without an earlier loss of power: the power fails now.
void gm_fault_io_power_on(gm_fault_io *fault);

// The power fails now, whatever is under way in other threads: every later call returns EIO.
void gm_fault_io_cut(gm_fault_io *fault);

// The process was killed, not the machine: everything written stays, synced or not. Plan and counters are reset.
void gm_fault_io_restart(gm_fault_io *fault);

// The content of a file as a reader sees it; viewed until the next call. NULL when there is none.
const uint8_t *gm_fault_io_bytes(gm_fault_io *fault, const char *path, size_t *out_size);

// Turns one bit over, on the medium and in the cache.
void gm_fault_io_flip(gm_fault_io *fault, const char *path, uint64_t offset, unsigned bit);

#endif
