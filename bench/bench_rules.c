// What rules cost ingest: 1,000,000 properties (100,000 twins with 10), written one after the other, with and without 10,000
// instances of rules on them. The two are measured in turn, so that what else the machine does falls on both.
//
//   bench-rules [ROUNDS]
#include "bench.h"
#include "control/control.h"
#include "control/rules.h"
#include "state/document.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TWINS = 100000, WATCHED = 10000, COLUMNS = 10, WRITES = 400000, ROUNDS_MAX = 51 };

typedef struct bench {
    char        dir[64];
    gm_loop    *loop;
    gm_engine  *engine;
    gm_control *control;
    uint64_t    random;
    gm_error    err;
} bench;

static void make_models(bench *b)
{
    gm_buf text = gm_buf_init(gm_alloc_system());
    for (int m = 0; m < 2; m++) {
        gm_buf_printf(&text, "%s{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:b:%s;1\",\"@type\":\"Interface\",\"contents\":[", m == 0 ? "[" : ",", m == 0 ? "Watched" : "Other");
        for (int c = 0; c < COLUMNS; c++) gm_buf_printf(&text, "%s{\"@type\":\"Telemetry\",\"name\":\"v%d\",\"schema\":\"double\"}", c > 0 ? "," : "", c);
        gm_buf_text(&text, "]}");
    }
    gm_buf_text(&text, "]");
    gm_bench_must(gm_engine_submit(b->engine, GM_CHANGE_MODELS, 0, (gm_str){ 0 }, (gm_str){ 0 }, gm_buf_view(&text), (gm_ask){ 0 }, &b->err), &b->err, "bench-rules");
    gm_bench_must(gm_engine_settle(b->engine, &b->err), &b->err, "bench-rules");
    gm_buf_finish(&text);
}

static void make_twins(bench *b)
{
    for (unsigned i = 0; i < TWINS; i++) {
        char           id[32];
        const gm_type *type = gm_model_find(gm_engine_model(b->engine), i < WATCHED ? GM_STR("dtmi:b:Watched;1") : GM_STR("dtmi:b:Other;1"));
        snprintf(id, sizeof id, "t%u", i);
        gm_bench_must(gm_engine_twin_put(b->engine, (gm_twin){ GM_NONE }, gm_str_of(id), type, NULL, 0, (gm_ask){ 0 }, NULL, &b->err), &b->err, "bench-rules");
        if (i % 10000 == 0) gm_bench_must(gm_engine_settle(b->engine, &b->err), &b->err, "bench-rules");
    }
    gm_bench_must(gm_engine_settle(b->engine, &b->err), &b->err, "bench-rules");
}

static void set_rules(bench *b, const char *text)
{
    gm_control_file file = { GM_STR("a.rules"), gm_str_of(text) };
    size_t          which;
    gm_bench_must(gm_control_set_rules(b->control, &file, text[0] != '\0' ? 1 : 0, &which, &b->err), &b->err, "bench-rules");
    gm_bench_must(gm_engine_settle(b->engine, &b->err), &b->err, "bench-rules");
}

// Writes a second until all are applied. everywhere: over all twins; else over those with rules alone.
static double ingest(bench *b, bool everywhere)
{
    gm_dur_ns start = gm_monotonic(gm_clock_system());
    for (int i = 0; i < WRITES; i++) {
        gm_cell_write cell = { .column = (uint16_t)(gm_bench_draw(&b->random) % COLUMNS), .at = gm_now(gm_clock_system()), .value = { .kind = GM_KIND_DOUBLE, .d = (double)(gm_bench_draw(&b->random) % 1000) / 10 } };
        gm_twin       twin = { (uint32_t)(gm_bench_draw(&b->random) % (everywhere ? TWINS : WATCHED)) };
        gm_bench_must(gm_engine_write(b->engine, twin, 0, &cell, 1, (gm_ask){ 0 }, &b->err), &b->err, "bench-rules");
        if (i % 20000 == 19999) gm_bench_must(gm_engine_settle(b->engine, &b->err), &b->err, "bench-rules");
    }
    gm_bench_must(gm_engine_settle(b->engine, &b->err), &b->err, "bench-rules");
    return WRITES / ((double)(gm_monotonic(gm_clock_system()) - start) / 1e9);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void compare(bench *b, const char *name, const char *rules, bool everywhere, int rounds)
{
    double ratios[ROUNDS_MAX], without = 0, with = 0;
    for (int i = 0; i < rounds; i++) {
        set_rules(b, "");
        double bare = ingest(b, everywhere);
        set_rules(b, rules);
        double ruled = ingest(b, everywhere);
        ratios[i]    = ruled / bare;
        without      = bare > without ? bare : without;
        with         = ruled > with ? ruled : with;
    }
    gm_rules_stats s = gm_rules_statistics(gm_control_rules(b->control));
    qsort(ratios, (size_t)rounds, sizeof *ratios, by_size);
    printf("%-44s %9.0f %9.0f  %.2f (%.2f to %.2f)  %llu instances, %llu evaluations, %llu firings\n", name, without, with, ratios[rounds / 2], ratios[0], ratios[rounds - 1],
           (unsigned long long)s.instances, (unsigned long long)s.evaluations, (unsigned long long)s.firings);
}

#define ON "on twins (SELECT * FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, 'dtmi:b:Watched;1')) "

int main(int argc, char **argv)
{
    bench b      = { .dir = "/tmp/gemel-bench-XXXXXX", .random = 88172645463325252u };
    int   rounds = argc > 1 ? atoi(argv[1]) : 5;
    char  command[100];
    if (rounds < 1 || rounds > ROUNDS_MAX || mkdtemp(b.dir) == NULL) return 2;
    gm_bench_must(gm_loop_create(gm_alloc_system(), gm_clock_system(), &b.loop, &b.err), &b.err, "bench-rules");
    gm_engine_options engine = { .alloc = gm_alloc_system(), .io = gm_io_system(), .clock = gm_clock_system(), .loop = b.loop, .data_dir = b.dir, .log = gm_log_options_defaults() };
    gm_bench_must(gm_engine_open(&engine, &b.engine, &b.err), &b.err, "bench-rules");
    gm_control_options control = { .alloc = gm_alloc_system(), .clock = gm_clock_system(), .loop = b.loop, .engine = b.engine, .relationships = GM_STR("contains") };
    gm_bench_must(gm_control_create(&control, &b.control, &b.err), &b.err, "bench-rules");
    gm_bench_must(gm_engine_recover(b.engine, &b.err), &b.err, "bench-rules");
    gm_bench_must(gm_control_start(b.control, &b.err), &b.err, "bench-rules");
    make_models(&b);
    make_twins(&b);
    (void)ingest(&b, true);  // series, files and caches exist
    printf("%-44s %9s %9s  with/without\n", "writes/s, durable and applied", "without", "with");
    compare(&b, "10,000 instances, 1,000,000 properties", "rule high " ON "when T.v0 > 99.85 deadband 5 then alarm low 'x'\n", true, rounds);
    compare(&b, "the same, all writes on watched twins", "rule high " ON "when T.v0 > 99.85 deadband 5 then alarm low 'x'\n", false, rounds);
    compare(&b, "the same, conditions of three columns", "rule high " ON "when T.v0 > 99.85 and T.v1 > 50 and T.v2 rises by 90 within 1 min then alarm low 'x'\n", false, rounds);
    gm_control_stop(b.control);
    gm_engine_close(b.engine);
    gm_control_destroy(b.control);
    gm_loop_destroy(b.loop);
    snprintf(command, sizeof command, "rm -rf %s", b.dir);
    return system(command) == 0 ? 0 : 1;
}
