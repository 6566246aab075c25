// tests/log/log_helpers.h: records whose content follows from their sequence, so that a replay can be judged alone.
#ifndef GM_TESTS_LOG_HELPERS_H
#define GM_TESTS_LOG_HELPERS_H

#include "log/log.h"
#include "support/support.h"

#include <poll.h>
#include <stdio.h>

enum { PAYLOAD_MOST = 3000 };

// The size and bytes of record number `sequence` of a workload.
static inline size_t expected_payload(uint64_t workload, uint64_t sequence, uint8_t out[PAYLOAD_MOST])
{
    uint64_t state = workload * 1000003 + sequence;
    uint64_t luck  = gm_test_random(&state);
    size_t   size  = luck % 8 == 0 ? (size_t)(luck >> 8) % PAYLOAD_MOST : (size_t)(luck >> 8) % 100;
    for (size_t i = 0; i < size; i++) out[i] = (uint8_t)(i % 64 == 0 ? 0 : gm_test_random(&state));
    return size;
}

// Appends the next record; false when the log refuses.
static inline bool append_expected(gm_log *log, uint64_t workload, uint64_t *out_sequence)
{
    uint8_t  payload[PAYLOAD_MOST];
    uint64_t sequence;
    uint8_t *to = gm_log_append(log, 7, PAYLOAD_MOST, &sequence);  // too much on purpose: trimmed below
    if (to == NULL) return false;
    size_t size = expected_payload(workload, sequence, payload);
    if (size > 0) memcpy(to, payload, size);
    gm_log_trim(log, size);
    *out_sequence = sequence;
    return true;
}

// Waits for the batch in flight and takes it. No sleeping: the event descriptor is what a server waits for too.
static inline gm_status take_next(gm_log *log, gm_log_batch *out_batch, gm_error *err)
{
    gm_status st;
    while (!gm_log_take(log, out_batch, &st, err)) {
        struct pollfd wait = { .fd = gm_log_event_fd(log), .events = POLLIN };
        if (poll(&wait, 1, 20000) <= 0) fail_msg("no batch came back within 20 s");
    }
    return st;
}

static inline gm_status commit_batch(gm_log *log, gm_error *err)
{
    gm_log_batch batch;
    gm_log_flush(log);
    gm_status st = take_next(log, &batch, err);
    gm_log_release(log);
    return st;
}

// What a replay saw.
typedef struct seen { uint64_t workload, after, last; gm_time_ns last_ingest; const char *wrong; } seen;

static inline gm_status see(void *context, const gm_record *record, gm_error *err)
{
    (void)err;
    seen   *s = context;
    uint8_t payload[PAYLOAD_MOST];
    size_t  size = expected_payload(s->workload, record->sequence, payload);
    if (record->sequence != (s->last > s->after ? s->last : s->after) + 1) s->wrong = "a record is missing or out of order";
    if (record->size != size || (size > 0 && memcmp(record->payload, payload, size) != 0)) s->wrong = "a record has a strange payload";
    if (record->ingest <= s->last_ingest) s->wrong = "ingest times do not rise";
    if (record->kind != 7) s->wrong = "a record has a strange kind";
    s->last        = record->sequence;
    s->last_ingest = record->ingest;
    return GM_OK;
}

// Replays everything after `after`; returns the last sequence that was seen (after, when there was none).
static inline uint64_t replay_and_check(gm_log *log, uint64_t workload, uint64_t after, seen *out_seen)
{
    seen     s   = { .workload = workload, .after = after, .last_ingest = INT64_MIN };
    gm_error err = { 0 };
    assert_gm_ok(gm_log_replay(log, after, see, &s, &err), err);
    if (s.wrong != NULL) fail_msg("%s (record %" PRIu64 ")", s.wrong, s.last);
    if (out_seen != NULL) *out_seen = s;
    return s.last > 0 ? s.last : after;
}

#endif
