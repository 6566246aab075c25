// The promises of the log against a disk that fails in every way it can.
#include "log/log.h"

#include "log/log_helpers.h"
#include "log/segment.h"
#include "support/fault_io.h"

#include <errno.h>

static gm_log_options options_of(bool prepare_ahead)
{
    gm_log_options options = gm_log_options_defaults();
    options.segment_size   = 8 << 10;
    options.prepare_ahead  = prepare_ahead;
    return options;
}

static gm_status try_open(gm_fault_io *disk, const gm_log_options *options, gm_log **out_log, gm_error *err)
{
    return gm_log_open(&disk->io, gm_alloc_system(), gm_clock_system(), "d/log", options, out_log, err);
}

typedef struct outcome { uint64_t acknowledged, flushed; } outcome;

// Opens, replays, appends `batches` batches, as far as the disk lets it. What the log acknowledged and was given
// is added to *known. Returns false when the disk refused something.
static bool work(gm_fault_io *disk, const gm_log_options *options, uint64_t workload, int batches, uint64_t *random,
                 outcome *known)
{
    gm_log  *log = NULL;
    gm_error err = { 0 };
    bool     ok  = try_open(disk, options, &log, &err) == GM_OK;
    for (int b = 0; ok && b < batches; b++) {
        size_t   count = 1 + gm_test_random(random) % 8;
        uint64_t sequence;
        for (size_t i = 0; i < count; i++) assert_true(append_expected(log, workload, &sequence));
        known->flushed = sequence;
        ok             = commit_batch(log, &err) == GM_OK;
        if (ok) {
            known->acknowledged = sequence;
            continue;
        }
        // Read-only for good, and it says so; what is flushed anyway comes back refused.
        assert_int_equal(gm_log_status(log, NULL), GM_IO);
        assert_null(gm_log_append(log, 7, 10, &sequence));
        assert_int_equal(gm_log_durable(log), known->acknowledged);
    }
    gm_log_close(log);
    return ok;
}

// Opens on a healthy disk and checks that what is there is what may be there.
static void check_kept(gm_fault_io *disk, const gm_log_options *options, uint64_t workload, outcome *known, uint64_t at)
{
    gm_log  *log = NULL;
    gm_error err = { 0 };
    if (try_open(disk, options, &log, &err) != GM_OK) fail_msg("fault at %" PRIu64 ": %s", at, err.text);
    uint64_t last = replay_and_check(log, workload, 0, NULL);
    if (last < known->acknowledged || last > known->flushed) {
        fail_msg("fault at %" PRIu64 ": %" PRIu64 " records acknowledged, %" PRIu64 " given, %" PRIu64 " found", at,
                 known->acknowledged, known->flushed, last);
    }
    // What was found is durable from here on.
    known->acknowledged = known->flushed = last;
    gm_log_close(log);
}

static void losing_power_at_any_sync_loses_nothing_acknowledged_and_invents_nothing(void **state)
{
    (void)state;
    uint64_t seed = gm_test_seed();
    for (int variant = 0; variant < 12; variant++) {
        gm_log_options options = options_of(variant % 4 == 3);
        for (uint64_t k = 1;; k++) {
            uint64_t    random = seed + (uint64_t)variant;  // the same workload for every k
            uint64_t    luck   = seed + k * 64 + (uint64_t)variant;
            gm_fault_io disk;
            gm_fault_io_init(&disk, gm_test_random(&luck));
            disk.power_at_sync = k;
            outcome known      = { 0 };
            bool    all        = work(&disk, &options, 1, 25, &random, &known);
            gm_fault_io_power_on(&disk);
            check_kept(&disk, &options, 1, &known, k);
            // Life goes on, and the next loss of power may come while the tail is being cut.
            for (int again = 0; again < 3; again++) {
                disk.power_at_sync = 1 + gm_test_random(&luck) % 6;
                work(&disk, &options, 1, 4, &random, &known);
                gm_fault_io_power_on(&disk);
                check_kept(&disk, &options, 1, &known, k);
            }
            gm_fault_io_finish(&disk);
            if (all) break;
        }
    }
}

static void what_a_killed_process_left_in_the_cache_is_durable_once_the_log_is_open_again(void **state)
{
    (void)state;
    uint64_t       seed    = gm_test_seed();
    gm_log_options options = options_of(false);
    for (uint64_t k = 1;; k++) {
        uint64_t    random = seed;
        gm_fault_io disk;
        gm_fault_io_init(&disk, seed + k);
        disk.power_at_sync = k;  // it ends between a write and its sync; the machine goes on
        outcome known      = { 0 };
        bool    all        = work(&disk, &options, 3, 15, &random, &known);
        gm_fault_io_restart(&disk);
        check_kept(&disk, &options, 3, &known, k);
        gm_fault_io_power_on(&disk);
        check_kept(&disk, &options, 3, &known, k);
        gm_fault_io_finish(&disk);
        if (all) break;
    }
}

static void an_error_of_any_call_stops_the_log_without_losing_anything(void **state)
{
    (void)state;
    uint64_t seed = gm_test_seed();
    for (int variant = 0; variant < 4; variant++) {
        gm_log_options options = options_of(false);
        for (uint64_t n = 1;; n++) {
            uint64_t    random = seed;
            gm_fault_io disk;
            gm_fault_io_init(&disk, seed + n);
            disk.fail_at       = n;
            disk.fail_errno    = variant % 2 == 0 ? EIO : ENOSPC;
            disk.fail_for_good = variant >= 2;
            outcome known      = { 0 };
            bool    ok         = work(&disk, &options, 2, 25, &random, &known);
            bool    fired      = disk.fired;
            if (fired && ok && variant >= 2) fail_msg("call %" PRIu64 " was refused and nobody noticed", n);
            // First as after a restart of the process on the same machine, then after a loss of power.
            gm_fault_io_restart(&disk);
            check_kept(&disk, &options, 2, &known, n);
            work(&disk, &options, 2, 3, &random, &known);
            gm_fault_io_power_on(&disk);
            check_kept(&disk, &options, 2, &known, n);
            gm_fault_io_finish(&disk);
            if (!fired) break;
        }
    }
}

static void a_failed_sync_makes_the_log_read_only_and_every_waiting_batch_is_refused(void **state)
{
    (void)state;
    gm_fault_io disk;
    gm_fault_io_init(&disk, 1);
    gm_log_options options = options_of(false);
    gm_log        *log     = NULL;
    gm_error       err     = { 0 };
    gm_log_batch   batch;
    uint64_t       sequence;
    assert_gm_ok(try_open(&disk, &options, &log, &err), err);
    assert_true(append_expected(log, 1, &sequence));
    assert_gm_ok(commit_batch(log, &err), err);
    disk.fail_at    = disk.calls + 2;  // the write works, the sync does not
    disk.fail_errno = EIO;
    assert_true(append_expected(log, 1, &sequence));
    gm_log_flush(log);
    assert_true(append_expected(log, 1, &sequence));  // fills while the other one fails
    assert_int_equal(take_next(log, &batch, &err), GM_IO);
    assert_int_equal(err.os_errno, EIO);
    assert_int_equal(batch.first_sequence, 2);
    assert_null(gm_log_append(log, 7, 1, &sequence));
    gm_log_flush(log);
    assert_int_equal(take_next(log, &batch, &err), GM_IO);  // the disk would work again; the log does not try
    assert_int_equal(batch.first_sequence, 3);
    assert_int_equal(batch.count, 1);
    assert_int_equal(gm_log_durable(log), 1);
    err = (gm_error){ 0 };
    assert_int_equal(gm_log_status(log, &err), GM_IO);
    assert_true(strlen(err.text) > 0);
    uint64_t calls = disk.calls;
    gm_log_release_before(log, 2);
    gm_log_close(log);
    assert_int_equal(disk.calls, calls);  // nothing was written, removed or synced after the refusal
    gm_fault_io_finish(&disk);
}

// Fills a log and returns the names of its segments by first sequence.
static size_t filled_log(gm_fault_io *disk, const gm_log_options *options, uint64_t firsts[64], uint64_t *out_last)
{
    uint64_t random = 11;
    outcome  known  = { 0 };
    assert_true(work(disk, options, 1, 80, &random, &known));
    *out_last    = known.acknowledged;
    size_t count = 0;
    for (uint64_t first = 1; first <= known.acknowledged + 1; first++) {
        char   path[64];
        size_t size;
        snprintf(path, sizeof path, "d/log/%020" PRIu64 ".log", first);
        if (gm_fault_io_bytes(disk, path, &size) != NULL) firsts[count++] = first;
        assert_true(count < 64);
    }
    return count;
}

static void a_flipped_bit_before_good_records_is_reported_with_file_and_offset(void **state)
{
    (void)state;
    uint64_t       random  = gm_test_seed();
    gm_log_options options = options_of(false);
    gm_fault_io    disk;
    gm_fault_io_init(&disk, 1);
    uint64_t firsts[64], last;
    size_t   count = filled_log(&disk, &options, firsts, &last);
    assert_true(count > 3);
    for (int round = 0; round < 3000; round++) {
        char path[64], name[32];
        size_t   which = gm_test_random(&random) % count, size;
        snprintf(name, sizeof name, "%020" PRIu64 ".log", firsts[which]);
        snprintf(path, sizeof path, "d/log/%s", name);
        const uint8_t *bytes = gm_fault_io_bytes(&disk, path, &size);

        // Where records end, and in the last segment where the last batch begins: what is damaged from there on can
        // not be told from a torn write.
        gm_segment segment;
        assert_int_equal(gm_segment_decode(bytes, size, name, &segment, NULL), GM_OK);
        size_t    end = GM_SEGMENT_HEADER, batch = end;
        gm_record record;
        uint32_t  position;
        for (size_t next; gm_record_check(bytes, size, end, segment.salt, &record, &position, &next); end = next) {
            if (position == 0) batch = end;
        }
        size_t limit = which + 1 < count ? end : batch;
        if (limit <= GM_SEGMENT_HEADER) continue;
        uint64_t offset = gm_test_random(&random) % limit;
        unsigned bit    = (unsigned)(gm_test_random(&random) % 8);
        gm_fault_io_flip(&disk, path, offset, bit);

        gm_log   *log = NULL;
        gm_error  err = { 0 };
        seen      s   = { .workload = 1, .last_ingest = INT64_MIN };
        gm_status st  = try_open(&disk, &options, &log, &err);
        if (st == GM_OK) st = gm_log_replay(log, 0, see, &s, &err);
        gm_log_close(log);
        assert_null(s.wrong);  // damaged bytes are never served
        if (st == GM_OK) {
            assert_int_equal(s.last, last);  // padding: it carries nothing
        } else {
            assert_int_equal(st, GM_CORRUPT);
            if (strstr(err.text, name) == NULL || strstr(err.text, "offset") == NULL) {
                if (strstr(err.text, "version") == NULL) fail_msg("flip in %s at %" PRIu64 ": %s", path, offset, err.text);
            }
        }
        gm_fault_io_flip(&disk, path, offset, bit);
    }
    gm_fault_io_finish(&disk);
}

static void a_segment_that_is_missing_in_between_is_reported(void **state)
{
    (void)state;
    gm_log_options options = options_of(false);
    gm_fault_io    disk;
    gm_fault_io_init(&disk, 1);
    uint64_t firsts[64], last;
    size_t   count = filled_log(&disk, &options, firsts, &last);
    char     path[64];
    snprintf(path, sizeof path, "d/log/%020" PRIu64 ".log", firsts[count / 2]);
    assert_int_equal(disk.io.remove(&disk.io, path, NULL), GM_OK);
    gm_log  *log = NULL;
    gm_error err = { 0 };
    assert_gm_ok(try_open(&disk, &options, &log, &err), err);
    assert_int_equal(gm_log_replay(log, 0, NULL, NULL, &err), GM_CORRUPT);
    gm_log_close(log);
    gm_fault_io_finish(&disk);
}

static void payloads_that_look_like_records_are_not_taken_for_records(void **state)
{
    (void)state;
    // Somebody sends payloads full of record headers, right in everything but the salt; then a write is torn.
    for (uint64_t seed = 0; seed < 40; seed++) {
        gm_fault_io disk;
        gm_fault_io_init(&disk, seed);
        gm_log_options options = options_of(false);
        gm_log        *log     = NULL;
        gm_error       err     = { 0 };
        uint64_t       sequence;
        assert_gm_ok(try_open(&disk, &options, &log, &err), err);
        for (int batch = 0; batch < 2; batch++) {
            for (int i = 0; i < 4; i++) {
                uint8_t *to = gm_log_append(log, 7, 1024, &sequence);
                for (size_t at = 0; at < 1024; at += 64) {
                    memset(to + at, 0, 64);
                    gm_record_begin(to + at, 7, 16, sequence + 1 + at / 64, 0);
                    gm_record_seal(to + at, 0, INT64_C(1) << 62);
                }
            }
            if (batch == 1) disk.power_at_sync = disk.syncs + 1;
            gm_status st = commit_batch(log, &err);
            assert_int_equal(st, batch == 0 ? GM_OK : GM_IO);
        }
        gm_log_close(log);
        gm_fault_io_power_on(&disk);
        assert_gm_ok(try_open(&disk, &options, &log, &err), err);
        assert_in_range(gm_log_durable(log), 4, 8);
        assert_gm_ok(gm_log_replay(log, 0, NULL, NULL, &err), err);
        gm_log_close(log);
        gm_fault_io_finish(&disk);
    }
}

static void every_allocation_may_fail_and_nothing_leaks(void **state)
{
    (void)state;
    for (uint64_t k = 0;; k++) {
        gm_fault_alloc fault;
        gm_fault_alloc_init(&fault, k);
        gm_fault_io disk;
        gm_fault_io_init(&disk, 1);
        gm_log_options options = options_of(false);
        gm_log        *log     = NULL;
        gm_error       err     = { 0 };
        uint64_t       acknowledged = 0, flushed = 0, sequence = 0;
        gm_status st = gm_log_open(&disk.io, &fault.alloc, gm_clock_system(), "d/log", &options, &log, &err);
        for (int batch = 0; st == GM_OK && batch < 20; batch++) {
            for (int i = 0; i < 6 && st == GM_OK; i++) {
                if (!append_expected(log, 1, &sequence)) st = gm_log_status(log, &err);
            }
            if (st != GM_OK) break;
            flushed = sequence;
            st      = commit_batch(log, &err);
            if (st == GM_OK) acknowledged = sequence;
        }
        gm_log_close(log);
        assert_int_equal(fault.live_blocks, 0);
        assert_int_equal(disk.open_files, 0);
        outcome known = { acknowledged, flushed };
        gm_fault_io_power_on(&disk);
        check_kept(&disk, &options, 1, &known, k);
        gm_fault_io_finish(&disk);
        if (!fault.fired) {
            assert_int_equal(st, GM_OK);
            return;
        }
        assert_int_equal(st, GM_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losing_power_at_any_sync_loses_nothing_acknowledged_and_invents_nothing),
        cmocka_unit_test(what_a_killed_process_left_in_the_cache_is_durable_once_the_log_is_open_again),
        cmocka_unit_test(an_error_of_any_call_stops_the_log_without_losing_anything),
        cmocka_unit_test(a_failed_sync_makes_the_log_read_only_and_every_waiting_batch_is_refused),
        cmocka_unit_test(a_flipped_bit_before_good_records_is_reported_with_file_and_offset),
        cmocka_unit_test(a_segment_that_is_missing_in_between_is_reported),
        cmocka_unit_test(payloads_that_look_like_records_are_not_taken_for_records),
        cmocka_unit_test(every_allocation_may_fail_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
