// Arbitrary bytes as the last segment of a log: judging, walking and reopening must hold their promises.
#include "base/alloc.h"
#include "log/segment.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth)
{
    if (!truth) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gm_segment segment;
    gm_error   err;
    if (gm_segment_decode(data, size, "fuzz", &segment, &err) != GM_OK) {
        // A checksum is hard to guess: the fields are taken from the bytes, so that the records are reached.
        if (size < GM_SEGMENT_HEADER) return 0;
        segment = (gm_segment){ .first_sequence = 1 + data[0] % 4, .ingest_floor = data[1], .salt = data[2] };
    }
    gm_segment_scan scan = gm_segment_scan_tail(data, size, &segment);
    must(scan.end >= GM_SEGMENT_HEADER && scan.end <= size && scan.dirty_end >= scan.end && scan.dirty_end <= size);
    must(scan.next_sequence >= segment.first_sequence);

    // What was judged good is walked again, and a copy that is cut there is judged clean and the same.
    gm_cursor cursor = gm_cursor_of(&segment);
    gm_record record;
    while (gm_cursor_next(&cursor, data, size, &record)) {
        must(record.payload + record.size <= data + scan.end);
    }
    must(cursor.at == scan.end && cursor.next_sequence == scan.next_sequence);
    uint8_t *copy = malloc(size);
    must(copy != NULL);
    memcpy(copy, data, size);
    memset(copy + scan.end, 0, size - scan.end);
    gm_segment_scan again = gm_segment_scan_tail(copy, size, &segment);
    must(again.verdict == GM_TAIL_CLEAN && again.end == scan.end && again.next_sequence == scan.next_sequence);
    free(copy);
    return 0;
}
