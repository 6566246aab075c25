// link/lines_read.h: the line protocol as tables: for each key the rows of numbers that its lines brought. Nothing is looked
// up in a plant, so any thread may do it; what keys and fields mean, who takes the tables finds out (ingest_lines.h).
//
//   reader = gm_line_reader_create(alloc);
//   taken  = gm_line_reader_read(reader, text, GM_MILLISECOND);      // bytes off the front: whole lines
//   for (i < gm_line_reader_count(reader)) { gm_line_table *t = gm_line_reader_table(reader, i); ... }
//
// Only what nearly everybody sends is read: plain decimal numbers, a time, and for each key the same fields in the same order.
// Reading ends before the first line that is anything else, right or wrong: gm_lines_take knows what to make of that.
//
// A reader remembers keys from one text to the next, since who sends in bulk repeats them in the same order. One thread at a
// time; it views the text until the next one.
#ifndef GM_LINK_LINES_READ_H
#define GM_LINK_LINES_READ_H

#include "base/alloc.h"
#include "base/str.h"
#include "base/time.h"

enum {
    GM_LINE_FIELDS_MAX      = 64,       // of a line that is read here
    GM_LINE_READER_KEYS_MAX = 65536,    // remembered; beyond, and beyond the next, it begins anew
    GM_LINE_READER_TEXT_MAX = 8 << 20,  // bytes of them
};
#define GM_LINE_NO_NUMBER UINT32_MAX

typedef struct gm_line_table {
    gm_str        key;     // measurement and tags, as written
    uint32_t     *number;  // the taker's for this key, kept with it; GM_LINE_NO_NUMBER at first
    uint32_t      note;    // the taker's for this table
    uint32_t      rows;
    uint16_t      width;
    const gm_str *names;   // [width] of the fields, as written
    int64_t      *times;   // [rows] nanoseconds
    uint64_t     *values;  // [width][rows] bits of doubles; the taker may change them
    gm_time_ns    latest;  // of times; all lie within GM_TIME_MIN..GM_TIME_MAX
} gm_line_table;

typedef struct gm_line_reader gm_line_reader;

GM_NODISCARD gm_line_reader *gm_line_reader_create(const gm_alloc *alloc);  // NULL: memory refused
void                         gm_line_reader_destroy(gm_line_reader *reader);

// Returns how many bytes became tables; 0 also when memory is refused. unit: of the times.
GM_NODISCARD size_t gm_line_reader_read(gm_line_reader *reader, gm_str text, gm_dur_ns unit);

size_t         gm_line_reader_count(const gm_line_reader *reader);  // tables, in the order of their first lines
gm_line_table *gm_line_reader_table(gm_line_reader *reader, size_t i);
size_t         gm_line_reader_lines(const gm_line_reader *reader);  // that were read
size_t         gm_line_reader_ends(const gm_line_reader *reader);   // the same with empty ones

#endif
