// Records in bytes, and the judgement over the end of a log.
//
// How a torn tail is told from damage: a batch is written by one write and the next batch is not begun before its sync
// has returned. A power cut may keep any subset of the unsynced sectors, so behind the first bad record good ones of
// the *same* batch may follow, and nobody was promised any of them. A good record of a *later* batch proves that the
// bad one had been synced: that is damage. Each record therefore carries its position in its batch; sequence minus
// position is the sequence of the batch's first record.
//
// What looks like a record may be the content of a payload somebody sent. The checksum starts from a salt that never
// leaves the server, so such a payload can not forge one; and a 24-bit check of the header alone, salted too, keeps a
// payload full of pretended headers from costing a checksum over megabytes each.
//
// LIMIT: damage inside the very last batch looks like a torn write and is cut.
#include "log/segment.h"

#include "base/crc32c.h"
#include "base/le.h"

#include <assert.h>

static const char     magic[8] = { 'g', 'e', 'm', 'e', 'l', 'l', 'o', 'g' };
static const uint32_t version  = 1;

// Field offsets; docs/formats/log.md shows them as a table.
enum { SEG_MAGIC = 0, SEG_VERSION = 8, SEG_CRC = 12, SEG_FIRST = 16, SEG_FLOOR = 24, SEG_SALT = 32, SEG_RESERVED = 36 };
enum { REC_LENGTH = 0, REC_CRC = 4, REC_SEQUENCE = 8, REC_INGEST = 16, REC_KIND = 24, REC_CHECK = 25, REC_POSITION = 28 };
_Static_assert(REC_POSITION + 4 == GM_RECORD_HEADER, "the record header is 32 bytes");

static uint32_t header_crc(const uint8_t *bytes)
{
    return gm_crc32c(gm_crc32c(0, bytes, SEG_CRC), bytes + SEG_FIRST, GM_SEGMENT_HEADER - SEG_FIRST);
}

void gm_segment_encode(const gm_segment *segment, uint8_t out[GM_SEGMENT_HEADER])
{
    memset(out, 0, GM_SEGMENT_HEADER);
    memcpy(out + SEG_MAGIC, magic, sizeof magic);
    gm_put_u32(out + SEG_VERSION, version);
    gm_put_u64(out + SEG_FIRST, segment->first_sequence);
    gm_put_i64(out + SEG_FLOOR, segment->ingest_floor);
    gm_put_u32(out + SEG_SALT, segment->salt);
    gm_put_u32(out + SEG_CRC, header_crc(out));
}

gm_status gm_segment_decode(const uint8_t *bytes, size_t size, const char *name, gm_segment *out_segment, gm_error *err)
{
    if (size < GM_SEGMENT_HEADER || memcmp(bytes + SEG_MAGIC, magic, sizeof magic) != 0) {
        return gm_fail(err, GM_CORRUPT, "log.segment", "%s is not a log segment (offset 0)", name);
    }
    if (gm_get_u32(bytes + SEG_VERSION) != version) {
        return gm_fail(err, GM_CORRUPT, "log.segment", "%s has format version %u, this program knows %u", name,
                       gm_get_u32(bytes + SEG_VERSION), version);
    }
    if (gm_get_u32(bytes + SEG_CRC) != header_crc(bytes)) {
        return gm_fail(err, GM_CORRUPT, "log.segment", "the header of %s fails its checksum (offset 0)", name);
    }
    *out_segment = (gm_segment){ .first_sequence = gm_get_u64(bytes + SEG_FIRST),
                                 .ingest_floor   = gm_get_i64(bytes + SEG_FLOOR),
                                 .salt           = gm_get_u32(bytes + SEG_SALT) };
    return GM_OK;
}

void gm_record_begin(uint8_t *at, uint8_t kind, size_t size, uint64_t sequence, uint32_t position)
{
    assert(size <= GM_RECORD_PAYLOAD_MAX);
    gm_put_u32(at + REC_LENGTH, (uint32_t)size);
    gm_put_u32(at + REC_CRC, 0);
    gm_put_u64(at + REC_SEQUENCE, sequence);
    gm_put_i64(at + REC_INGEST, 0);
    gm_put_u32(at + REC_KIND, kind);  // and the header check behind it: three bytes
    gm_put_u32(at + REC_POSITION, position);
}

// The length is not among the bytes that are summed; it takes part through the start value.
static uint32_t record_crc(const uint8_t *at, size_t size, uint32_t salt)
{
    return gm_crc32c(salt ^ (uint32_t)size, at + REC_SEQUENCE, GM_RECORD_HEADER - REC_SEQUENCE + size);
}

// 24 bits over the header but for its checksum.
static uint32_t header_check(const uint8_t *at, size_t size, uint32_t salt)
{
    uint32_t crc = gm_crc32c(salt ^ (uint32_t)size, at + REC_POSITION, 4);
    return gm_crc32c(crc, at + REC_SEQUENCE, REC_CHECK - REC_SEQUENCE) & 0xffffff;
}

size_t gm_record_seal(uint8_t *at, uint32_t salt, gm_time_ns ingest)
{
    size_t size  = gm_get_u32(at + REC_LENGTH);
    size_t bytes = gm_record_bytes(size);
    gm_put_i64(at + REC_INGEST, ingest);
    memset(at + GM_RECORD_HEADER + size, 0, bytes - GM_RECORD_HEADER - size);
    gm_put_u32(at + REC_KIND, at[REC_KIND] | header_check(at, size, salt) << 8);
    gm_put_u32(at + REC_CRC, record_crc(at, size, salt));
    return bytes;
}

size_t gm_record_view(const uint8_t *at, gm_record *out_record)
{
    size_t size = gm_get_u32(at + REC_LENGTH);
    *out_record = (gm_record){ .sequence = gm_get_u64(at + REC_SEQUENCE),
                               .ingest   = gm_get_i64(at + REC_INGEST),
                               .kind     = at[REC_KIND],
                               .payload  = at + GM_RECORD_HEADER,
                               .size     = size };
    return gm_record_bytes(size);
}

bool gm_record_check(const uint8_t *bytes, size_t size, size_t at, uint32_t salt, gm_record *out_record,
                     uint32_t *out_position, size_t *out_next)
{
    if (at > size || size - at < GM_RECORD_HEADER) return false;
    size_t payload = gm_get_u32(bytes + at + REC_LENGTH);
    if (payload > GM_RECORD_PAYLOAD_MAX || gm_record_bytes(payload) > size - at) return false;
    if (gm_get_u32(bytes + at + REC_KIND) >> 8 != header_check(bytes + at, payload, salt)) return false;
    if (gm_get_u32(bytes + at + REC_CRC) != record_crc(bytes + at, payload, salt)) return false;
    size_t whole = gm_record_view(bytes + at, out_record);
    if (out_position != NULL) *out_position = gm_get_u32(bytes + at + REC_POSITION);
    if (out_next != NULL) *out_next = at + whole;
    return true;
}

gm_cursor gm_cursor_of(const gm_segment *segment)
{
    return (gm_cursor){ .at            = GM_SEGMENT_HEADER,
                        .next_sequence = segment->first_sequence,
                        .last_ingest   = segment->ingest_floor,
                        .salt          = segment->salt };
}

bool gm_cursor_next(gm_cursor *cursor, const uint8_t *bytes, size_t size, gm_record *out_record)
{
    uint32_t position;
    size_t   next;
    if (!gm_record_check(bytes, size, cursor->at, cursor->salt, out_record, &position, &next)) return false;
    if (out_record->sequence != cursor->next_sequence || out_record->ingest <= cursor->last_ingest) return false;
    if (position != 0 && position != cursor->next_position) return false;
    cursor->at            = next;
    cursor->next_sequence = out_record->sequence + 1;
    cursor->last_ingest   = out_record->ingest;
    cursor->next_position = position + 1;
    return true;
}

gm_segment_scan gm_segment_scan_tail(const uint8_t *bytes, size_t size, const gm_segment *segment)
{
    gm_cursor cursor = gm_cursor_of(segment);
    gm_record record;
    while (gm_cursor_next(&cursor, bytes, size, &record)) {}
    gm_segment_scan scan = { .verdict       = GM_TAIL_CLEAN,
                             .end           = cursor.at,
                             .next_sequence = cursor.next_sequence,
                             .last_ingest   = cursor.last_ingest,
                             .dirty_end     = size };
    while (scan.dirty_end > scan.end && bytes[scan.dirty_end - 1] == 0) scan.dirty_end--;
    if (scan.dirty_end > scan.end) scan.verdict = GM_TAIL_TORN;

    // Good records behind the end. The sequence is looked at first: it rejects nearly everything without a checksum.
    uint64_t most = (scan.dirty_end - scan.end) / GM_RECORD_HEADER;  // records that fit there
    for (size_t at = scan.end; at + GM_RECORD_HEADER <= scan.dirty_end; at += 8) {
        uint64_t sequence = gm_get_u64(bytes + at + REC_SEQUENCE);
        uint32_t position;
        if (sequence < scan.next_sequence || sequence - scan.next_sequence > most) continue;
        if (!gm_record_check(bytes, size, at, segment->salt, &record, &position, NULL)) continue;
        if (sequence - position <= scan.next_sequence && sequence != scan.next_sequence) continue;  // the same batch
        scan.verdict = GM_TAIL_DAMAGED;
        scan.witness = at;
        break;
    }
    return scan;
}
