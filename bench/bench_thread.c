// What the digital thread costs: facts taken a second, memory a fact, and how long a read takes at any (valid, known) pair.
//
//   bench-thread [FACTS] [--json]          default: 10,000,000 facts: half of them in 1,000,000 lines, half in a single one
#include "thread/thread.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TWINS = 100000, KEYS = 10, READS = 200000 };

static uint64_t next(uint64_t *state)  // splitmix64
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

// Of this thread, in ns: how long a read takes itself, however busy the machine is.
static int64_t own_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * GM_SECOND + t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

// A fact about one of many twins, or the long line's: corrections of any stretch of time.
static gm_fact make(uint64_t *random, uint64_t i, char id[32], char key[32])
{
    uint64_t r    = next(random);
    bool     line = i % 2 == 0;
    snprintf(id, 32, line ? "turbine" : "twin%u", (unsigned)(r % TWINS));
    snprintf(key, 32, line ? "load" : "key%u", (unsigned)(r / TWINS % KEYS));
    gm_time_ns from = (gm_time_ns)(next(random) % (uint64_t)(1000 * GM_DAY));
    gm_fact    f    = { .twin = gm_str_of(id), .key = gm_str_of(key), .phase = GM_PHASE_OPERATED, .from = from, .known = (gm_time_ns)i + 1,
                        .to = r % 3 == 0 ? INT64_MAX : from + (gm_time_ns)(next(random) % (uint64_t)(30 * GM_DAY)) + 1, .author = GM_STR("bench"),
                        .value = { .kind = GM_FACT_NUMBER, .number = (double)i, .unit = GM_STR("kW") } };
    return f;
}

int main(int argc, char **argv)
{
    uint64_t        facts = argc > 1 && argv[1][0] != '-' ? strtoull(argv[1], NULL, 10) : 10000000, random = 1;
    const gm_clock *clock = gm_clock_system();
    gm_error        err   = { 0 };
    gm_thread      *thread;
    char            id[32], key[32];
    double         *took = malloc(READS * sizeof *took);
    if (took == NULL || gm_thread_create(gm_alloc_system(), &thread, &err) != GM_OK) return 1;
    gm_dur_ns begin = gm_monotonic(clock);
    for (uint64_t i = 0; i < facts; i++) {
        gm_fact f = make(&random, i, id, key);
        if (gm_thread_take(thread, &f, &err) != GM_OK) {
            fprintf(stderr, "%s\n", err.text);
            return 1;
        }
    }
    double          seconds = (double)(gm_monotonic(clock) - begin) / 1e9;
    gm_thread_stats stats   = gm_thread_statistics(thread);
    uint64_t        found   = 0;
    int64_t         own_max = 0;
    for (int i = 0; i < READS; i++) {
        gm_fact    wanted = make(&random, next(&random), id, key), f;
        gm_time_ns known  = (gm_time_ns)(next(&random) % facts);
        int64_t    own    = own_time();
        gm_dur_ns  before = gm_monotonic(clock);
        found += gm_thread_read(thread, wanted.twin, GM_PHASE_OPERATED, wanted.key, wanted.from, known, &f);
        took[i] = (double)(gm_monotonic(clock) - before) / 1e6;
        own     = own_time() - own;
        own_max = own > own_max ? own : own_max;
    }
    qsort(took, READS, sizeof *took, by_size);
    printf("%" PRIu64 " facts in %" PRIu64 " lines, one of %" PRIu64 ": %.2f s (%.0f a second), %.0f bytes a fact\n", stats.facts, stats.lines, (facts + 1) / 2, seconds,
           (double)facts / seconds, (double)stats.bytes / (double)facts);
    printf("a read at random (valid, known), %d of them, %" PRIu64 " found: median %.4f ms, 99.9 %% %.4f ms, slowest %.3f ms, of the processor %.3f ms\n", READS, found, took[READS / 2],
           took[READS - READS / 1000], took[READS - 1], (double)own_max / 1e6);
    if (argc > 1 && strcmp(argv[argc - 1], "--json") == 0)
        printf("{\"facts\":%" PRIu64 ",\"bytesPerFact\":%.1f,\"factsPerSecond\":%.0f,\"readMsMedian\":%.5f,\"readMs999\":%.5f,\"readMsMax\":%.5f}\n", stats.facts,
               (double)stats.bytes / (double)facts, (double)facts / seconds, took[READS / 2], took[READS - READS / 1000], took[READS - 1]);
    gm_thread_destroy(thread);
    free(took);
    return 0;
}
