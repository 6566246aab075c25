// What the log costs: nanoseconds of the engine thread per record, and records per second through a real disk.
//
//   bench-log [DIRECTORY] [SECONDS]          default: a directory below the current one, 2 seconds each
#include "log/log.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct result { double append_ns; uint64_t records, commits, late; double seconds, bytes; gm_dur_ns commit_mean; } result;

// The loop of a server: append a burst, flush, take what is durable, and again. At most `window` records wait.
static gm_status run(const char *path, size_t payload, uint64_t window, double seconds, result *out, gm_error *err)
{
    const gm_clock *clock   = gm_clock_system();
    gm_log_options  options = gm_log_options_defaults();
    gm_log         *log     = NULL;
    gm_status       st      = gm_log_open(gm_io_system(), gm_alloc_system(), clock, path, &options, &log, err);
    if (st != GM_OK) return st;
    uint64_t  appended = gm_log_durable(log), first = appended, sequence;
    gm_dur_ns begin = gm_monotonic(clock), in_append = 0, now = begin;
    while ((double)(now - begin) < seconds * 1e9) {
        gm_dur_ns before = gm_monotonic(clock);
        uint64_t  room   = window - (appended - gm_log_durable(log));
        for (; room > 0; room--) {
            uint8_t *to = gm_log_append(log, 1, payload, &sequence);
            if (to == NULL) break;
            memset(to, (int)sequence, payload);
            appended++;
        }
        in_append += gm_monotonic(clock) - before;
        gm_log_flush(log);
        struct pollfd wait = { .fd = gm_log_event_fd(log), .events = POLLIN };
        poll(&wait, 1, 1000);
        gm_log_batch batch;
        gm_status    got;
        if (gm_log_take(log, &batch, &got, err)) {
            if (got != GM_OK) {
                st = got;
                break;
            }
            gm_log_flush(log);
            gm_log_release(log);
        }
        now = gm_monotonic(clock);
    }
    gm_log_stats stats = gm_log_statistics(log);
    *out = (result){ .append_ns = (double)in_append / (double)(appended - first), .records = gm_log_durable(log) - first,
                     .commits = stats.commits, .late = stats.prepared_late, .seconds = (double)(now - begin) / 1e9,
                     .bytes = (double)stats.bytes,
                     .commit_mean = stats.commits > 0 ? stats.commit_total / (gm_dur_ns)stats.commits : 0 };
    gm_log_release_before(log, gm_log_durable(log));
    gm_log_close(log);
    return st;
}

int main(int argc, char **argv)
{
    const char *path    = argc > 1 ? argv[1] : "bench-log.data";
    double      seconds = argc > 2 ? atof(argv[2]) : 2.0;
    static const struct { size_t payload; uint64_t window; } cases[] = {
        { 64, 1 }, { 64, 20 }, { 64, 1000 }, { 64, 20000 }, { 64, 200000 }, { 1000, 1000 }, { 1000, 20000 },
    };
    printf("%8s %8s %12s %12s %10s %12s %10s %6s\n", "payload", "window", "append ns", "records/s", "MB/s", "commits/s",
           "commit us", "late");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gm_error err = { 0 };
        result   r;
        if (run(path, cases[i].payload, cases[i].window, seconds, &r, &err) != GM_OK) {
            fprintf(stderr, "%s\n", err.text);
            return 1;
        }
        printf("%8zu %8" PRIu64 " %12.1f %12.0f %10.1f %12.0f %10.1f %6" PRIu64 "\n", cases[i].payload, cases[i].window,
               r.append_ns, (double)r.records / r.seconds, r.bytes / r.seconds / 1e6, (double)r.commits / r.seconds,
               (double)r.commit_mean / 1e3, r.late);
    }
    return 0;
}
