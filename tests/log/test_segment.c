#include "log/segment.h"

#include "support/support.h"

#include <stdio.h>
#include <stdlib.h>

enum { SPACE = 4096 };

// Batches of the given lengths, two records each of 40 bytes of payload, in a segment that begins with `first`.
static size_t build(uint8_t bytes[SPACE], uint64_t first, size_t batches, size_t starts[16])
{
    gm_segment segment = { .first_sequence = first, .ingest_floor = 100, .salt = 0xabcdef01 };
    memset(bytes, 0, SPACE);
    gm_segment_encode(&segment, bytes);
    size_t at = GM_SEGMENT_HEADER;
    for (size_t i = 0; i < 2 * batches; i++) {
        starts[i] = at;
        gm_record_begin(bytes + at, 9, 40, first + i, i % 2);
        memset(bytes + at + GM_RECORD_HEADER, (int)i + 1, 40);
        at += gm_record_seal(bytes + at, segment.salt, 200 + (gm_time_ns)i);
    }
    return at;
}

static gm_segment_scan scan(const uint8_t bytes[SPACE])
{
    gm_segment segment;
    gm_error   err = { 0 };
    assert_gm_ok(gm_segment_decode(bytes, SPACE, "x", &segment, &err), err);
    return gm_segment_scan_tail(bytes, SPACE, &segment);
}

static void a_bad_record_is_torn_in_the_last_batch_and_damage_before_it(void **state)
{
    (void)state;
    static const struct { size_t bad; gm_tail verdict; uint64_t next; } cases[] = {
        { 0, GM_TAIL_DAMAGED, 50 },
        { 3, GM_TAIL_DAMAGED, 53 },  // second of its batch: a later batch still proves it
        { 5, GM_TAIL_DAMAGED, 55 },
        { 6, GM_TAIL_TORN, 56 },     // first of the last batch; the second one is whole and goes with it
        { 7, GM_TAIL_TORN, 57 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[SPACE];
        size_t  starts[16];
        build(bytes, 50, 4, starts);
        bytes[starts[cases[i].bad] + 35] ^= 4;
        gm_segment_scan s = scan(bytes);
        if (s.verdict != cases[i].verdict || s.next_sequence != cases[i].next || s.end != starts[cases[i].bad]) {
            fail_msg("record %zu: verdict %d, next %" PRIu64 ", end %zu", cases[i].bad, (int)s.verdict,
                     s.next_sequence, s.end);
        }
    }
}

static void a_damaged_length_does_not_hide_the_records_behind_it(void **state)
{
    (void)state;
    for (int byte = 0; byte < 4; byte++) {
        uint8_t bytes[SPACE];
        size_t  starts[16];
        build(bytes, 1, 4, starts);
        bytes[starts[2] + (size_t)byte] ^= 0x41;
        gm_segment_scan s = scan(bytes);
        assert_int_equal(s.verdict, GM_TAIL_DAMAGED);
        assert_int_equal(s.end, starts[2]);
    }
}

static void a_whole_segment_is_clean_and_one_cut_anywhere_is_torn(void **state)
{
    (void)state;
    uint8_t bytes[SPACE], whole[SPACE];
    size_t  starts[16];
    size_t  end = build(whole, 1, 2, starts);
    assert_int_equal(scan(whole).verdict, GM_TAIL_CLEAN);
    assert_int_equal(scan(whole).end, end);
    for (size_t cut = starts[2]; cut < end; cut++) {
        memcpy(bytes, whole, SPACE);
        memset(bytes + cut, 0, SPACE - cut);
        gm_segment_scan s = scan(bytes);
        bool last_whole   = cut >= starts[3];
        if (s.verdict == GM_TAIL_DAMAGED || s.next_sequence != (last_whole ? 4u : 3u)) {
            fail_msg("cut at %zu: verdict %d, next %" PRIu64, cut, (int)s.verdict, s.next_sequence);
        }
    }
}

static void headers_of_other_files_and_versions_are_refused(void **state)
{
    (void)state;
    uint8_t bytes[SPACE];
    size_t  starts[16];
    for (size_t at = 0; at < GM_SEGMENT_HEADER; at++) {
        build(bytes, 1, 1, starts);
        bytes[at] ^= 1;
        gm_segment segment;
        gm_error   err = { 0 };
        if (gm_segment_decode(bytes, SPACE, "x", &segment, &err) != GM_CORRUPT) fail_msg("byte %zu may change", at);
    }
    gm_segment segment;
    assert_int_equal(gm_segment_decode(bytes, GM_SEGMENT_HEADER - 1, "x", &segment, NULL), GM_CORRUPT);
    assert_int_equal(gm_segment_decode(bytes, 0, "x", &segment, NULL), GM_CORRUPT);
}

int main(int argc, char **argv)
{
    // With a path: writes a segment for the fuzz corpus.
    if (argc > 1) {
        uint8_t bytes[SPACE];
        size_t  starts[16];
        size_t  end  = build(bytes, 1, 3, starts);
        FILE   *file = fopen(argv[1], "wb");
        return file == NULL || fwrite(bytes, 1, end + 64, file) != end + 64 || fclose(file) != 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_record_is_torn_in_the_last_batch_and_damage_before_it),
        cmocka_unit_test(a_damaged_length_does_not_hide_the_records_behind_it),
        cmocka_unit_test(a_whole_segment_is_clean_and_one_cut_anywhere_is_torn),
        cmocka_unit_test(headers_of_other_files_and_versions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
