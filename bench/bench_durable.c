// What it costs to keep everything: memory and restart of a million twins, acknowledgements while a checkpoint is written,
// reads of the past, a year of one sensor as a plot, bytes on disk.
//
//   bench-durable [DIRECTORY] [TWINS] [SECONDS] [fleet]   default: below the current directory, 1,000,000, 4 (a load phase);
//                                                         fleet: without the year
//   bench-durable --recover DIRECTORY                what it starts again for itself, to measure a fresh process
#include "base/heap.h"
#include "engine/as_of.h"
#include "engine/checkpoint.h"
#include "history/history.h"

#include <inttypes.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROPERTIES = 10, LATENCIES = 1 << 22 };
static const gm_time_ns epoch = INT64_C(1700000000) * GM_SECOND;

static void die(const gm_error *err)
{
    fprintf(stderr, "bench-durable: %s\n", err->text);
    exit(1);
}

static double resident_mb(void)
{
    long  total, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file != NULL && fscanf(file, "%ld %ld", &total, &pages) != 2) pages = 0;
    if (file != NULL) fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

// Resident, and where it went: what each part of the state asked for, and what the allocator holds beside.
static void print_memory(const gm_engine *engine)
{
    gm_state_bytes    b    = gm_state_memory(gm_engine_state(engine));
    gm_history_stats  h    = gm_history_statistics(gm_engine_history(engine));
    struct mallinfo2  heap = mallinfo2();
    printf("    %.0f MB resident: twins %.0f, values %.0f, times %.0f, texts %.0f, relationships %.0f, past %.0f; history open %.0f, index %.0f; "
           "heap %.0f used, %.0f free, %.0f mapped\n", resident_mb(), (double)b.twins / 1e6, (double)b.values / 1e6, (double)b.times / 1e6,
           (double)b.texts / 1e6, (double)b.relationships / 1e6, (double)b.past / 1e6, (double)h.open_bytes / 1e6, (double)h.index_bytes / 1e6,
           (double)heap.uordblks / 1e6, (double)heap.fordblks / 1e6, (double)heap.hblkhd / 1e6);
}

static gm_engine *open_engine(const char *dir, gm_loop **out_loop)
{
    gm_error   err = { 0 };
    gm_engine *engine;
    if (gm_loop_create(gm_alloc_system(), gm_clock_system(), out_loop, &err) != GM_OK) die(&err);
    gm_engine_options o = { .alloc = gm_alloc_system(), .io = gm_io_system(), .clock = gm_clock_system(), .loop = *out_loop,
                            .data_dir = dir, .log = gm_log_options_defaults() };
    if (gm_engine_open(&o, &engine, &err) != GM_OK || gm_engine_recover(engine, &err) != GM_OK) die(&err);
    gm_heap_trim();  // as the server does
    return engine;
}

static void settle(gm_engine *engine)
{
    gm_error err = { 0 };
    if (gm_engine_settle(engine, &err) != GM_OK) die(&err);
}

static void build(gm_engine *engine, uint32_t twins)
{
    gm_error err  = { 0 };
    gm_buf   text = gm_buf_init(gm_alloc_system());
    gm_buf_text(&text, "{\"@context\":\"dtmi:dtdl:context;3\",\"@type\":\"Interface\",\"@id\":\"dtmi:b:T;1\",\"contents\":["
                       "{\"@type\":\"Relationship\",\"name\":\"feeds\"}");
    for (int p = 0; p < PROPERTIES; p++) gm_buf_printf(&text, ",{\"@type\":\"Property\",\"name\":\"p%d\",\"schema\":\"double\"}", p);
    gm_buf_text(&text, "]}");
    if (gm_engine_submit(engine, GM_CHANGE_MODELS, 0, (gm_str){ 0 }, (gm_str){ 0 }, gm_buf_view(&text), (gm_ask){ 0 }, &err) != GM_OK) die(&err);
    gm_buf_finish(&text);
    settle(engine);
    const gm_type *type = gm_model_find(gm_engine_model(engine), GM_STR("dtmi:b:T;1"));
    for (uint32_t i = 0; i < twins; i++) {
        gm_cell_write cells[PROPERTIES];
        char          id[24];
        int           len = snprintf(id, sizeof id, "twin-%07" PRIu32, i);
        for (int p = 0; p < PROPERTIES; p++) {
            cells[p] = (gm_cell_write){ (uint16_t)gm_type_column_index(type, (gm_str){ (char[]){ 'p', (char)('0' + p) }, 2 }), epoch,
                                        { .kind = GM_KIND_DOUBLE, .d = (double)(i * 31u % 1000u) / 10 + p } };
        }
        if (gm_engine_twin_put(engine, (gm_twin){ GM_NONE }, (gm_str){ id, (size_t)len }, type, cells, PROPERTIES, (gm_ask){ 0 }, NULL, &err) != GM_OK) die(&err);
        if (i % 20000 == 19999) settle(engine);
    }
    settle(engine);
    for (uint32_t i = 0; i < twins; i++) {
        for (uint32_t r = 0; r < 2; r++) {
            if (gm_engine_relationship_put(engine, (gm_twin){ i }, (gm_twin){ (i * 7 + r + 1) % twins }, r ? GM_STR("r1") : GM_STR("r0"),
                                           GM_STR("feeds"), GM_STR("{}"), (gm_ask){ 0 }, &err) != GM_OK) die(&err);
        }
        if (i % 20000 == 19999) settle(engine);
    }
    settle(engine);
}

// ---- acknowledgements ---------------------------------------------------------------------------------------------

typedef struct load {
    gm_engine *engine;
    uint32_t   twins, sensors, waiting, next;
    uint64_t   tick;
    float     *us;
    size_t     count;  // of all; us holds the last LATENCIES of them
} load;

static void on_done(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    load *l = context;
    if (status != GM_OK) die(err);
    l->waiting--;
    l->us[l->count++ % LATENCIES] = (float)((double)(gm_monotonic(gm_clock_system()) - (gm_dur_ns)token) / 1e3);
}

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

static double quantile(load *l, double q)
{
    size_t n = l->count < LATENCIES ? l->count : LATENCIES;
    if (n == 0) return 0;
    qsort(l->us, n, sizeof *l->us, by_size);
    return (double)l->us[(size_t)((double)(n - 1) * q)];
}

// Keeps `window` single-value writes in flight until the time is over, or the checkpoint is done.
static double run_load(load *l, gm_loop *loop, double seconds, uint32_t window, const bool *until)
{
    gm_error  err   = { 0 };
    gm_dur_ns begin = gm_monotonic(gm_clock_system()), now = begin;
    l->count = 0;
    while ((until != NULL ? !*until : (double)(now - begin) < seconds * 1e9)) {
        while (l->waiting < window) {
            if (++l->next == l->sensors) {
                l->next = 0;
                l->tick++;
            }
            gm_cell_write cell = { 0, epoch + (gm_time_ns)(l->tick + 1) * GM_SECOND, { .kind = GM_KIND_DOUBLE, .d = round(100 * sin((double)l->tick / 50)) / 100 } };
            gm_twin       twin = { (uint32_t)((uint64_t)l->next * 977 % l->twins) };
            if (gm_engine_write(l->engine, twin, 0, &cell, 1, (gm_ask){ on_done, l, (uint64_t)gm_monotonic(gm_clock_system()) }, &err) != GM_OK) die(&err);
            l->waiting++;
        }
        gm_log_flush(gm_engine_log(l->engine));  // a turn would do it, but sleeps first
        if (gm_loop_turn(loop, &err) != GM_OK) die(&err);
        now = gm_monotonic(gm_clock_system());
    }
    return (double)l->count / ((double)(now - begin) / 1e9);
}

static void on_checkpoint(void *context, uint64_t token, gm_status status, const gm_error *err)
{
    (void)token;
    if (status != GM_OK) die(err);
    *(bool *)context = true;
}

static void take_checkpoint(gm_engine *engine, gm_loop *loop)
{
    gm_error err  = { 0 };
    bool     done = false;
    if (gm_engine_checkpoint(engine, NULL, (gm_ask){ on_checkpoint, &done, 0 }, &err) != GM_OK) die(&err);
    while (!done) {
        if (gm_loop_turn(loop, &err) != GM_OK) die(&err);
    }
}

// Windows with a checkpoint and without in turns, so that what else the machine does falls on both; the median of their ratios.
static void acknowledgements(gm_engine *engine, gm_loop *loop, uint32_t twins, double seconds)
{
    enum { WINDOW = 500, SENSORS = 10000, ROUNDS = 7 };
    gm_error err = { 0 };
    load     l   = { .engine = engine, .twins = twins, .sensors = twins < SENSORS ? twins : SENSORS, .us = malloc(LATENCIES * sizeof(float)) };
    float    ratios[ROUNDS], rates[ROUNDS];
    if (l.us == NULL) exit(1);
    run_load(&l, loop, 1, WINDOW, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        double rate = run_load(&l, loop, seconds, WINDOW, NULL), p50 = quantile(&l, 0.5), p99 = quantile(&l, 0.99), p100 = quantile(&l, 1);
        bool   done = false;
        if (gm_engine_checkpoint(engine, NULL, (gm_ask){ on_checkpoint, &done, 0 }, &err) != GM_OK) die(&err);
        double busy = run_load(&l, loop, seconds, WINDOW, &done), q50 = quantile(&l, 0.5), q99 = quantile(&l, 0.99), q100 = quantile(&l, 1);
        gm_checkpoint_report r = gm_engine_checkpoint_report(engine);
        ratios[round] = (float)(p99 > 0 ? q99 / p99 : 0);
        rates[round]  = (float)(rate > 0 ? busy / rate : 0);
        printf("  usual %6.0f k/s p50 %5.2f p99 %5.2f most %6.2f ms; during a checkpoint %6.0f k/s p50 %5.2f p99 %5.2f most %6.2f ms (p99 x%.2f); "
               "it took %.2f s, %.0f MB, the fork %.1f ms\n", rate / 1e3, p50 / 1e3, p99 / 1e3, p100 / 1e3, busy / 1e3, q50 / 1e3, q99 / 1e3,
               q100 / 1e3, (double)ratios[round], (double)r.took / 1e9, (double)r.bytes / 1e6, (double)r.stalled / 1e6);
        fflush(stdout);
    }
    qsort(ratios, ROUNDS, sizeof *ratios, by_size);
    qsort(rates, ROUNDS, sizeof *rates, by_size);
    printf("  p99 of acknowledgements during a checkpoint against the usual one, median of %d: x%.2f (%.2f to %.2f); rate x%.2f\n", ROUNDS,
           (double)ratios[ROUNDS / 2], (double)ratios[0], (double)ratios[ROUNDS - 1], (double)rates[ROUNDS / 2]);
    while (l.waiting > 0) {
        gm_log_flush(gm_engine_log(engine));
        if (gm_loop_turn(loop, &err) != GM_OK) die(&err);
    }
    free(l.us);
}

// ---- a fresh process ----------------------------------------------------------------------------------------------

static int recover(const char *dir)
{
    gm_loop   *loop;
    gm_dur_ns  begin  = gm_monotonic(gm_clock_system());
    gm_engine *engine = open_engine(dir, &loop);
    double     took   = (double)(gm_monotonic(gm_clock_system()) - begin) / 1e9;
    const gm_state *state = gm_engine_state(engine);
    printf("  restart: %.2f s, %zu twins, %zu relationships, %.0f MB resident\n", took, gm_state_twin_count(state),
           gm_state_relationship_count(state), resident_mb());
    print_memory(engine);
    gm_error     err = { 0 };
    double       most = 0, sum = 0;
    unsigned     reads = 2000;
    for (unsigned i = 0; i < reads; i++) {
        char         id[24];
        int          len = snprintf(id, sizeof id, "twin-%07u", (unsigned)((uint64_t)(i % 200) * 977 % gm_state_twin_count(state)));
        gm_dur_ns    t0  = gm_monotonic(gm_clock_system());
        gm_twin_then then;
        if (!gm_state_twin_at(state, (gm_str){ id, (size_t)len }, epoch + 10 * GM_SECOND, &then)) continue;
        for (uint32_t c = 0; c < then.type->column_count; c++) {
            gm_sample sample;
            if (gm_as_of_value(engine, &then, c, epoch + (gm_time_ns)i * GM_SECOND, &sample, &err) != GM_OK) die(&err);
        }
        double us = (double)(gm_monotonic(gm_clock_system()) - t0) / 1e3;
        sum += us;
        if (us > most) most = us;
    }
    printf("  one twin as of a moment, %d values: mean %.1f us, most %.1f us\n", PROPERTIES, sum / reads, most);
    gm_engine_close(engine);
    gm_loop_destroy(loop);
    return 0;
}

static void in_a_fresh_process(const char *self, const char *dir)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        execl(self, self, "--recover", dir, (char *)NULL);
        _exit(127);
    }
    int how;
    waitpid(pid, &how, 0);
}

// ---- a year -------------------------------------------------------------------------------------------------------

static double noise(uint64_t *state)  // uniform in [-1, 1): xorshift64*
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (double)(int64_t)(*state * UINT64_C(0x2545F4914F6CDD1D)) / 9.3e18;
}

static void a_year(const char *dir)
{
    enum { POINTS = 31536000, BUCKETS = 2000 };
    char path[4096];
    snprintf(path, sizeof path, "%s/year", dir);
    gm_error    err     = { 0 };
    gm_history *history = gm_history_create(gm_alloc_system());
    gm_bucket  *buckets = malloc(BUCKETS * sizeof *buckets);
    if (history == NULL || buckets == NULL || gm_history_use_files(history, gm_io_system(), path, &err) != GM_OK) die(&err);
    uint64_t  random = 88172645463325252u;
    double    ar     = 0;
    gm_dur_ns begin  = gm_monotonic(gm_clock_system());
    for (int64_t i = 0; i < POINTS; i++) {
        ar = 0.9 * ar + 0.05 * noise(&random);
        double     value = round(100 * (20 + 5 * sin((double)i / 13750) + ar)) / 100;
        gm_time_ns at    = epoch + i * GM_SECOND + (gm_time_ns)(3.5 * noise(&random)) * GM_MILLISECOND;
        if (gm_history_append(history, 1, 1, at, (gm_value){ .kind = GM_KIND_DOUBLE, .d = value }, NULL, &err) != GM_OK) die(&err);
    }
    double per = (double)(gm_monotonic(gm_clock_system()) - begin) / POINTS;
    if (gm_history_flush(history, &err) != GM_OK) die(&err);
    gm_history_stats s = gm_history_statistics(history);
    printf("  31.5 M points: %.0f ns a point, %.3f bytes a point on disk, index %.1f MB\n", per, (double)s.file_bytes / (double)s.samples,
           (double)s.index_bytes / 1e6);
    double times[5];
    for (int round = 0; round < 5; round++) {
        begin = gm_monotonic(gm_clock_system());
        if (gm_history_buckets(history, 1, 1, epoch, epoch + (gm_time_ns)POINTS * GM_SECOND, BUCKETS, buckets, &err) != GM_OK) die(&err);
        times[round] = (double)(gm_monotonic(gm_clock_system()) - begin) / 1e6;
    }
    uint64_t seen = 0;
    for (int i = 0; i < BUCKETS; i++) seen += buckets[i].count;
    double   plots[5];
    for (int round = 0; round < 5; round++) {
        begin = gm_monotonic(gm_clock_system());
        if (gm_history_outline(history, 1, 1, epoch, epoch + (gm_time_ns)POINTS * GM_SECOND, BUCKETS, buckets, &err) != GM_OK) die(&err);
        plots[round] = (double)(gm_monotonic(gm_clock_system()) - begin) / 1e6;
    }
    uint64_t drawn = 0;
    for (int i = 0; i < BUCKETS; i++) drawn += buckets[i].count;
    printf("  drawn as %d buckets: %.2f %.2f %.2f %.2f %.2f ms (%" PRIu64 " points)\n", BUCKETS, plots[0], plots[1], plots[2], plots[3],
           plots[4], drawn);
    printf("  the same with exactly equal buckets: %.1f %.1f %.1f %.1f %.1f ms (%" PRIu64 " points)\n", times[0], times[1], times[2], times[3], times[4], seen);
    gm_history_destroy(history);
    free(buckets);
}

int main(int argc, char **argv)
{
    gm_alloc_tune_system();
    if (argc == 3 && strcmp(argv[1], "--recover") == 0) return recover(argv[2]);
    const char *base    = argc > 1 ? argv[1] : ".";
    uint32_t    twins   = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1000000;
    double      seconds = argc > 3 ? strtod(argv[3], NULL) : 4;
    char        dir[3000], command[3100];
    snprintf(dir, sizeof dir, "%s/bench-durable.%d", base, (int)getpid());
    if (argc < 5 || strcmp(argv[4], "fleet") != 0) {
        printf("A year of one sensor at 1 Hz +-3 ms, two decimals, sine plus AR(1) noise\n");
        a_year(dir);
    }
    printf("%u twins x %d properties x 2 relationships\n", twins, PROPERTIES);
    gm_loop   *loop;
    gm_engine *engine = open_engine(dir, &loop);
    gm_dur_ns  begin  = gm_monotonic(gm_clock_system());
    build(engine, twins);
    printf("  built in %.1f s, %.0f MB resident\n", (double)(gm_monotonic(gm_clock_system()) - begin) / 1e9, resident_mb());
    print_memory(engine);
    take_checkpoint(engine, loop);
    gm_engine_close(engine);
    gm_loop_destroy(loop);
    printf("  again, without a history:\n");
    in_a_fresh_process("/proc/self/exe", dir);
    engine = open_engine(dir, &loop);
    acknowledgements(engine, loop, twins, seconds);
    print_memory(engine);
    gm_engine_close(engine);
    gm_loop_destroy(loop);
    printf("  again, with the history of that:\n");
    in_a_fresh_process("/proc/self/exe", dir);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command) == 0 ? 0 : 1;
}
