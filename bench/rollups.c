// What roll-ups cost ingest, recording their values included: twins in a tree of five levels (site, area, line, asset, component; 10 members each above the leaves'),
// writes to the components with and without three roll-ups over all levels, which are read once a second as a console would.
// The two are measured in turn, so that what else the machine does falls on both.
//
//   bench-rollups [TWINS [ROUNDS [strided] [unrecorded]]]     strided: the members of a system were not made one after the other
#include "bench.h"
#include "rollup/rollups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WRITES = 1000000, ROUNDS_MAX = 51, FAN = 10, LEVELS = 5 };

typedef struct bench {
    char        dir[64];
    gm_loop    *loop;
    gm_engine  *engine;
    gm_rollups *rollups;
    uint64_t    random;
    unsigned    twins, inner;  // the first `inner` hold others
    bool        strided;       // members lie far apart in memory
    bool        unrecorded;    // values are read, and nothing is recorded
    double      read_s;
    unsigned    reads;
    gm_error    err;
} bench;

// Twin 0 is the site; the members of twin i are FAN * i + 1 ... with as many as fit on the last level.
static void make_plant(bench *b)
{
    static const char model[] = "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:b:Part;1\",\"@type\":\"Interface\",\"contents\":["
        "{\"@type\":\"Telemetry\",\"name\":\"x\",\"schema\":\"double\"},{\"@type\":\"Telemetry\",\"name\":\"y\",\"schema\":\"double\"},{\"@type\":\"Relationship\",\"name\":\"contains\"}]}";
    gm_bench_must(gm_engine_submit(b->engine, GM_CHANGE_MODELS, 0, (gm_str){ 0 }, (gm_str){ 0 }, gm_str_of(model), (gm_ask){ 0 }, &b->err), &b->err, "bench-rollups");
    gm_bench_must(gm_engine_settle(b->engine, &b->err), &b->err, "bench-rollups");
    const gm_type *type  = gm_model_find(gm_engine_model(b->engine), GM_STR("dtmi:b:Part;1"));
    unsigned       above = 0, width = 1;
    for (int l = 1; l < LEVELS - 1; l++) width *= FAN;  // twins of the last level but one
    b->inner = (width * FAN - 1) / (FAN - 1);
    for (unsigned i = 0; i < b->twins; i++) {
        char id[32];
        snprintf(id, sizeof id, "t%u", i);
        gm_bench_must(gm_engine_twin_put(b->engine, (gm_twin){ GM_NONE }, gm_str_of(id), type, NULL, 0, (gm_ask){ 0 }, NULL, &b->err), &b->err, "bench-rollups");
        if (i % 10000 == 9999) gm_bench_must(gm_engine_settle(b->engine, &b->err), &b->err, "bench-rollups");
    }
    gm_bench_must(gm_engine_settle(b->engine, &b->err), &b->err, "bench-rollups");
    above = b->inner - width;
    for (unsigned i = 1; i < b->twins; i++) {
        unsigned place  = i - b->inner;
        unsigned holder = i < b->inner ? (i - 1) / FAN : above + (b->strided ? place % width : place / ((b->twins - b->inner + width - 1) / width));
        char     id[32];
        snprintf(id, sizeof id, "r%u", i);
        gm_bench_must(gm_engine_relationship_put(b->engine, (gm_twin){ holder }, (gm_twin){ i }, gm_str_of(id), GM_STR("contains"), GM_STR("{}"), (gm_ask){ 0 }, &b->err), &b->err, "bench-rollups");
        if (i % 10000 == 9999) gm_bench_must(gm_engine_settle(b->engine, &b->err), &b->err, "bench-rollups");
    }
    gm_bench_must(gm_engine_settle(b->engine, &b->err), &b->err, "bench-rollups");
}

static void read_all(bench *b)
{
    gm_dur_ns start = gm_monotonic(gm_clock_system());
    for (size_t i = 0; i < gm_rollups_count(b->rollups); i++) {
        gm_rollup_result r;
        gm_bench_must(gm_rollups_read(b->rollups, i, (gm_twin){ 0 }, &r, &b->err), &b->err, "bench-rollups");
    }
    b->read_s += (double)(gm_monotonic(gm_clock_system()) - start) / 1e9;
    b->reads++;
}

static void set(bench *b, const char *text)
{
    gm_rollup_file file = { GM_STR("a.rollups"), gm_str_of(text) };
    size_t         which;
    gm_bench_must(gm_rollups_set(b->rollups, &file, text[0] != '\0' ? 1 : 0, &which, &b->err), &b->err, "bench-rollups");
}

// What this thread, the engine's, has worked: beside the rate it says what is left when other programs take the processors.
static double worked(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void ignore(void *context) { (void)context; }

// Recording happens on the loop.
static void turn(bench *b)
{
    gm_timer *soon = NULL;
    gm_bench_must(gm_loop_after(b->loop, 0, ignore, NULL, &soon, &b->err), &b->err, "bench-rollups");
    gm_bench_must(gm_loop_turn(b->loop, &b->err), &b->err, "bench-rollups");
}

// Writes a second until all are applied and every roll-up of the site has been read.
static double ingest(bench *b, double *out_work)
{
    double before = worked();
    gm_dur_ns start = gm_monotonic(gm_clock_system()), next = start + GM_SECOND;
    for (int i = 0; i < WRITES; i++) {
        gm_cell_write cell = { .column = (uint16_t)(gm_bench_draw(&b->random) % 2), .at = gm_now(gm_clock_system()), .value = { .kind = GM_KIND_DOUBLE, .d = (double)(gm_bench_draw(&b->random) % 1000) / 10 } };
        gm_twin       twin = { b->inner + (uint32_t)(gm_bench_draw(&b->random) % (b->twins - b->inner)) };
        gm_bench_must(gm_engine_write(b->engine, twin, 0, &cell, 1, (gm_ask){ 0 }, &b->err), &b->err, "bench-rollups");
        if (i % 20000 != 19999) continue;
        gm_bench_must(gm_engine_settle(b->engine, &b->err), &b->err, "bench-rollups");
        turn(b);
        if (gm_monotonic(gm_clock_system()) < next) continue;
        read_all(b);
        next = gm_monotonic(gm_clock_system()) + GM_SECOND;
    }
    gm_bench_must(gm_engine_settle(b->engine, &b->err), &b->err, "bench-rollups");
    read_all(b);
    *out_work = worked() - before;
    return WRITES / ((double)(gm_monotonic(gm_clock_system()) - start) / 1e9);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void compare(bench *b, int rounds)
{
    static const char rollups[] = "{\"rollups\":[{\"name\":\"sum\",\"function\":\"sum\",\"property\":\"x\",\"relationship\":\"contains\"},"
        "{\"name\":\"max\",\"function\":\"max\",\"property\":\"y\",\"relationship\":\"contains\"},"
        "{\"name\":\"intensity\",\"function\":\"intensity\",\"property\":\"x\",\"per\":\"y\",\"relationship\":\"contains\"}]}";
    double ratios[ROUNDS_MAX], works[ROUNDS_MAX], bare_work, work, without = 0, with = 0, first = 0, again = 0;
    for (int i = 0; i < rounds; i++) {
        double bare = 0, rolled = 0;
        // Each goes first in turn: what one leaves behind (series that fill, files that grow) falls on the other as often.
        for (int turn = 0; turn < 2; turn++) {
            if ((i + turn) % 2 == 0) {
                set(b, "");
                bare = ingest(b, &bare_work);
                continue;
            }
            set(b, rollups);
            b->read_s = 0;
            read_all(b);  // finds the systems
            if (!b->unrecorded) gm_bench_must(gm_rollups_start(b->rollups, &(gm_rollup_recording){ .loop = b->loop, .clock = gm_clock_system() }, &b->err), &b->err, "bench-rollups");
            first += b->read_s / rounds;
            b->read_s = 0;
            b->reads  = 0;
            rolled    = ingest(b, &work);
            gm_rollups_stop(b->rollups);
            again += b->read_s / b->reads / rounds;
        }
        ratios[i] = rolled / bare;
        works[i]  = bare_work / work;
        without   = bare > without ? bare : without;
        with      = rolled > with ? rolled : with;
    }
    qsort(ratios, (size_t)rounds, sizeof *ratios, by_size);
    qsort(works, (size_t)rounds, sizeof *works, by_size);
    printf("%u twins, %d levels, 3 roll-ups%s: writes/s without %.0f, with %.0f; with/without %.2f (%.2f to %.2f); the same by what the engine's thread works %.2f (%.2f to %.2f); reading the site: first %.3f s, then %.3f s each\n", b->twins, LEVELS, b->unrecorded ? "" : ", recorded",
           without, with, ratios[rounds / 2], ratios[0], ratios[rounds - 1], works[rounds / 2], works[0], works[rounds - 1], first, again);
}

int main(int argc, char **argv)
{
    bench b      = { .dir = "/tmp/gemel-bench-XXXXXX", .random = 88172645463325252u, .twins = argc > 1 ? (unsigned)atoi(argv[1]) : 1000000 };
    int   rounds = argc > 2 ? atoi(argv[2]) : 5;
    char  command[100];
    for (int i = 3; i < argc; i++) {
        b.strided    = b.strided || strcmp(argv[i], "strided") == 0;
        b.unrecorded = b.unrecorded || strcmp(argv[i], "unrecorded") == 0;
    }
    if (rounds < 1 || rounds > ROUNDS_MAX || b.twins < 20000 || mkdtemp(b.dir) == NULL) return 2;
    gm_bench_must(gm_loop_create(gm_alloc_system(), gm_clock_system(), &b.loop, &b.err), &b.err, "bench-rollups");
    gm_engine_options engine = { .alloc = gm_alloc_system(), .io = gm_io_system(), .clock = gm_clock_system(), .loop = b.loop, .data_dir = b.dir, .log = gm_log_options_defaults() };
    gm_bench_must(gm_engine_open(&engine, &b.engine, &b.err), &b.err, "bench-rollups");
    gm_bench_must(gm_rollups_create(gm_alloc_system(), b.engine, &b.rollups, &b.err), &b.err, "bench-rollups");
    gm_bench_must(gm_engine_recover(b.engine, &b.err), &b.err, "bench-rollups");
    make_plant(&b);
    double work;
    (void)ingest(&b, &work);  // series, files and caches exist
    compare(&b, rounds);
    gm_engine_close(b.engine);
    gm_rollups_destroy(b.rollups);
    gm_loop_destroy(b.loop);
    snprintf(command, sizeof command, "rm -rf %s", b.dir);
    return system(command) == 0 ? 0 : 1;
}
