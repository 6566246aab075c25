#include "log/log.h"

#include "log/log_helpers.h"
#include "log/segment.h"
#include "support/fault_io.h"

#include <stdlib.h>
#include <unistd.h>

static gm_log_options small_segments(void)
{
    gm_log_options options = gm_log_options_defaults();
    options.segment_size   = 16 << 10;
    options.prepare_ahead  = false;
    return options;
}

static gm_log *open_log(gm_fault_io *disk, const gm_log_options *options)
{
    gm_log  *log = NULL;
    gm_error err = { 0 };
    assert_gm_ok(gm_log_open(&disk->io, gm_alloc_system(), gm_clock_system(), "d/log", options, &log, &err), err);
    return log;
}

// Appends and commits `count` records in batches of random size.
static void write_records(gm_log *log, uint64_t workload, size_t count, uint64_t *random)
{
    gm_error err = { 0 };
    while (count > 0) {
        size_t batch = 1 + gm_test_random(random) % 20;
        for (size_t i = 0; i < batch && count > 0; i++, count--) {
            uint64_t sequence;
            assert_true(append_expected(log, workload, &sequence));
        }
        assert_gm_ok(commit_batch(log, &err), err);
    }
}

static void what_was_appended_is_replayed_over_any_split_into_batches_segments_and_restarts(void **state)
{
    (void)state;
    uint64_t random = gm_test_seed();
    for (int round = 0; round < 30; round++) {
        gm_fault_io disk;
        gm_fault_io_init(&disk, gm_test_random(&random));
        gm_log_options options = small_segments();
        options.segment_size   = (size_t)1 << (9 + gm_test_random(&random) % 8);
        options.prepare_ahead  = round % 2 == 0;
        uint64_t total         = 0;
        for (int opening = 0; opening < 4; opening++) {
            gm_log *log = open_log(&disk, &options);
            assert_int_equal(replay_and_check(log, 1, 0, NULL), total);
            assert_int_equal(gm_log_durable(log), total);
            size_t more = gm_test_random(&random) % 120;
            write_records(log, 1, more, &random);
            total += more;
            assert_int_equal(gm_log_durable(log), total);
            gm_log_close(log);
        }
        gm_log *log = open_log(&disk, &options);
        for (uint64_t after = 0; after <= total; after += 1 + total / 7) replay_and_check(log, 1, after, NULL);
        gm_log_close(log);
        assert_int_equal(disk.open_files, 0);
        gm_fault_io_finish(&disk);
    }
}

static void batches_come_back_whole_and_in_order_while_the_next_ones_fill(void **state)
{
    (void)state;
    gm_fault_io disk;
    gm_fault_io_init(&disk, 1);
    gm_log_options options = small_segments();
    gm_log        *log     = open_log(&disk, &options);
    uint64_t       appended = 0, taken = 0;
    gm_error       err = { 0 };
    for (int turn = 0; turn < 300; turn++) {
        for (int i = 0; i < 5; i++) assert_true(append_expected(log, 3, &appended));
        gm_log_flush(log);  // often while another batch is in flight or out
        gm_log_batch batch;
        gm_status    st;
        if (!gm_log_take(log, &batch, &st, &err)) continue;
        assert_int_equal(st, GM_OK);
        gm_log_flush(log);
        gm_record record;
        size_t    n = 0;
        seen      s = { .workload = 3, .after = taken, .last_ingest = INT64_MIN };
        for (size_t at = 0; gm_log_batch_next(&batch, &at, &record); n++) see(&s, &record, &err);
        assert_null(s.wrong);
        assert_int_equal(n, batch.count);
        assert_int_equal(batch.first_sequence, taken + 1);
        taken += n;
        assert_int_equal(gm_log_durable(log), taken);
        gm_log_release(log);
    }
    gm_log_close(log);  // waits for what is in flight
    log = open_log(&disk, &options);
    assert_true(replay_and_check(log, 3, 0, NULL) >= taken);
    gm_log_close(log);
    gm_fault_io_finish(&disk);
}

// A clock that the test sets; read by the owner only, monotonic() by both threads.
typedef struct fake { gm_time_ns now; } fake;
static gm_time_ns fake_now(void *context) { return ((fake *)context)->now; }
static gm_dur_ns  fake_monotonic(void *context) { (void)context; return 0; }

static void ingest_times_rise_when_the_clock_jumps_back_and_over_restarts(void **state)
{
    (void)state;
    gm_fault_io disk;
    gm_fault_io_init(&disk, 1);
    gm_log_options   options = small_segments();
    fake             time    = { .now = 1000 };
    gm_clock         clock   = { .now = fake_now, .monotonic = fake_monotonic, .context = &time };
    gm_error         err     = { 0 };
    static const gm_time_ns times[] = { 5000, 4000, 0, -7, 5003, 100000, 1 };
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        gm_log *log = NULL;
        assert_gm_ok(gm_log_open(&disk.io, gm_alloc_system(), &clock, "d/log", &options, &log, &err), err);
        time.now = times[i];
        for (int batch = 0; batch < 3; batch++) {
            uint64_t sequence;
            for (int n = 0; n < 10; n++) assert_true(append_expected(log, 4, &sequence));
            assert_gm_ok(commit_batch(log, &err), err);
            time.now -= 50;
        }
        gm_log_close(log);
    }
    gm_log *log = open_log(&disk, &options);
    seen    s;
    assert_int_equal(replay_and_check(log, 4, 0, &s), 210);  // checks that they rise
    assert_true(s.last_ingest >= 100000);
    gm_log_close(log);
    gm_fault_io_finish(&disk);
}

static void a_directory_is_opened_by_one_log_at_a_time(void **state)
{
    (void)state;
    gm_fault_io disk;
    gm_fault_io_init(&disk, 1);
    gm_log_options options = small_segments();
    gm_log        *log     = open_log(&disk, &options);
    gm_log        *second  = NULL;
    gm_error       err     = { 0 };
    assert_int_equal(gm_log_open(&disk.io, gm_alloc_system(), gm_clock_system(), "d/log", &options, &second, &err),
                     GM_CONFLICT);
    assert_null(second);
    gm_log_close(log);
    log = open_log(&disk, &options);
    gm_log_close(log);
    gm_fault_io_finish(&disk);
}

static void a_full_batch_refuses_and_takes_again_after_a_flush(void **state)
{
    (void)state;
    gm_fault_io disk;
    gm_fault_io_init(&disk, 1);
    gm_log_options options = small_segments();
    options.batch_limit    = 1000;
    gm_log  *log           = open_log(&disk, &options);
    gm_error err           = { 0 };
    uint64_t sequence      = 0;
    for (int round = 0; round < 3; round++) {
        size_t fitted = 0;
        while (gm_log_append(log, 1, 68, &sequence) != NULL) fitted++;
        assert_int_equal(fitted, 1000 / (32 + 72));
        assert_int_equal(gm_log_status(log, &err), GM_LIMIT);
        assert_gm_ok(commit_batch(log, &err), err);
        assert_int_equal(gm_log_status(log, &err), GM_OK);
    }
    assert_null(gm_log_append(log, 1, GM_RECORD_PAYLOAD_MAX + (size_t)1, &sequence));
    assert_null(gm_log_append(log, 1, SIZE_MAX - 3, &sequence));
    gm_log_close(log);
    gm_fault_io_finish(&disk);
}

static void segments_before_a_checkpoint_are_let_go_and_those_after_it_stay(void **state)
{
    (void)state;
    uint64_t    random = 5;
    gm_fault_io disk;
    gm_fault_io_init(&disk, 1);
    gm_log_options options = small_segments();
    gm_log        *log     = open_log(&disk, &options);
    gm_error       err     = { 0 };
    write_records(log, 5, 500, &random);
    uint64_t before = gm_log_statistics(log).segments;
    assert_true(before > 4);
    gm_log_release_before(log, 301);
    write_records(log, 5, 1, &random);  // the commit thread works in turn, so the release may come after this one
    gm_log_close(log);
    log = open_log(&disk, &options);
    if (gm_log_statistics(log).segments >= before) {
        gm_log_close(log);
        fail_msg("nothing was released: %" PRIu64 " segments", before);
    }
    assert_int_equal(replay_and_check(log, 5, 300, NULL), 501);
    assert_int_equal(gm_log_replay(log, 0, NULL, NULL, &err), GM_NOTFOUND);
    gm_log_close(log);
    gm_fault_io_finish(&disk);
}

static void a_real_directory_keeps_the_records_too(void **state)
{
    (void)state;
    char path[] = "/tmp/gemel-log-XXXXXX";
    assert_non_null(mkdtemp(path));
    char folder[64], command[128];
    snprintf(folder, sizeof folder, "%s/a/b/log", path);
    uint64_t       random  = 7;
    gm_error       err     = { 0 };
    gm_log_options options = gm_log_options_defaults();
    options.segment_size   = 100 << 10;
    uint64_t total         = 0;
    for (int opening = 0; opening < 3; opening++) {
        gm_log *log = NULL, *second = NULL;
        assert_gm_ok(gm_log_open(gm_io_system(), gm_alloc_system(), gm_clock_system(), folder, &options, &log, &err), err);
        assert_int_equal(gm_log_open(gm_io_system(), gm_alloc_system(), gm_clock_system(), folder, &options, &second, &err),
                         GM_CONFLICT);
        assert_int_equal(replay_and_check(log, 6, 0, NULL), total);
        write_records(log, 6, 700, &random);
        total += 700;
        gm_log_close(log);
    }
    snprintf(command, sizeof command, "rm -r %s", path);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_appended_is_replayed_over_any_split_into_batches_segments_and_restarts),
        cmocka_unit_test(batches_come_back_whole_and_in_order_while_the_next_ones_fill),
        cmocka_unit_test(ingest_times_rise_when_the_clock_jumps_back_and_over_restarts),
        cmocka_unit_test(a_directory_is_opened_by_one_log_at_a_time),
        cmocka_unit_test(a_full_batch_refuses_and_takes_again_after_a_flush),
        cmocka_unit_test(segments_before_a_checkpoint_are_let_go_and_those_after_it_stay),
        cmocka_unit_test(a_real_directory_keeps_the_records_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
