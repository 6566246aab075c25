// log/segment.h: the bytes of a segment file: a header, records one after the other, zeros up to the file's end.
// Pure functions over memory; every byte read here is hostile. Format: docs/formats/log.md.
//
//   gm_segment_scan scan = gm_segment_scan_tail(bytes, size, &segment);
//   if (scan.verdict == GM_TAIL_DAMAGED) ...             // something durable can not be read any more
//   records up to scan.end are good; what follows was never acknowledged
#ifndef GM_LOG_SEGMENT_H
#define GM_LOG_SEGMENT_H

#include "log/log.h"

enum { GM_SEGMENT_HEADER = 64 };

typedef struct gm_segment {
    uint64_t   first_sequence;  // of the first record in it
    gm_time_ns ingest_floor;    // ingest times in it are later than this
    uint32_t   salt;            // where the checksums of its records start from
} gm_segment;

void gm_segment_encode(const gm_segment *segment, uint8_t out[GM_SEGMENT_HEADER]);

// GM_CORRUPT: not a segment header, or of a version this program does not know. name appears in the error.
GM_NODISCARD gm_status gm_segment_decode(const uint8_t *bytes, size_t size, const char *name, gm_segment *out_segment,
                                         gm_error *err);

// Bytes a record takes, with header and padding.
static inline size_t gm_record_bytes(size_t payload)
{
    return GM_RECORD_HEADER + ((payload + 7) & ~(size_t)7);
}

// Writes the header of a record whose payload is yet to come; ingest time and checksum follow in gm_record_seal.
//   position  0 for the first record of a batch, 1 for the second ...: tells which records were synced together
void gm_record_begin(uint8_t *at, uint8_t kind, size_t size, uint64_t sequence, uint32_t position);

// Sets the ingest time and the checksum, clears the padding. Returns the bytes the record takes.
size_t gm_record_seal(uint8_t *at, uint32_t salt, gm_time_ns ingest);

// The record at `at` as its header says, without a check: for memory that this process filled.
size_t gm_record_view(const uint8_t *at, gm_record *out_record);

// A record that is whole and whose checksum is right begins at bytes + at.
//   out_position, out_next (offset behind it) may be NULL
bool gm_record_check(const uint8_t *bytes, size_t size, size_t at, uint32_t salt, gm_record *out_record,
                     uint32_t *out_position, size_t *out_next);

// Takes the next record of a run that must rise without gaps. cursor starts as gm_cursor_of(segment).
typedef struct gm_cursor {
    size_t     at;             // where the next record is looked for
    uint64_t   next_sequence;  // that it must have
    gm_time_ns last_ingest;    // that it must exceed
    uint32_t   next_position;  // that it has unless it begins a batch
    uint32_t   salt;
} gm_cursor;
gm_cursor gm_cursor_of(const gm_segment *segment);
bool      gm_cursor_next(gm_cursor *cursor, const uint8_t *bytes, size_t size, gm_record *out_record);

typedef enum gm_tail {
    GM_TAIL_CLEAN,    // zeros follow the last record
    GM_TAIL_TORN,     // parts of one unfinished batch follow: cut them
    GM_TAIL_DAMAGED,  // a later batch follows, so what is missing had been made durable
} gm_tail;

typedef struct gm_segment_scan {
    gm_tail    verdict;
    size_t     end;            // behind the last good record
    uint64_t   next_sequence;
    gm_time_ns last_ingest;
    size_t     dirty_end;      // behind the last byte that is not zero; at least end
    size_t     witness;        // GM_TAIL_DAMAGED: where the later record lies
} gm_segment_scan;

// Judges the last segment of a log. O(size).
gm_segment_scan gm_segment_scan_tail(const uint8_t *bytes, size_t size, const gm_segment *segment);

#endif
