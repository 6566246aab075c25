// bench/physics_compile: from a Modelica text to something that runs, step by step.
//
//   bench-physics-compile [--rounds N] [--library FOLDER] [--json FILE]
//
// A heat network of 20 states, and a water network of 989 junctions, tanks and pipes in a grid, out of the component
// library. The library is read beforehand; the figure is the median over the rounds. The goals: 5 ms and 1 s.
//
// Then one try of an implicit step of the water network in 64 lanes, against the sparse systems that it needs: one
// factorisation and six solutions a lane by KLU, of matrices of the same pattern, in the same round. The goal: 3 times.
#include "physics/compile/compile.h"
#include "physics/exec/implicit.h"
#include "physics/exec/lanes.h"
#include "physics/exec/sparse.h"
#include "physics/modelica/assembly.h"
#include "physics/modelica/modelica.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS_MAX = 200, NODES = 20, ROWS = 18, COLUMNS = 19 };
typedef enum stage { STAGE_PARSE, STAGE_FLATTEN, STAGE_COMPILE, STAGE_PLAN, STAGE_ALL, STAGE_STEP, STAGE_IMPLICIT, STAGE_SPARSE, STAGE_COUNT } stage;

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void must(gm_status st, const gm_error *err)
{
    if (st == GM_OK) return;
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static gm_str name_of(char *room, const char *kind, int a, int b)
{
    return (gm_str){ room, (size_t)sprintf(room, "%s%d_%d", kind, a, b) };
}

static void link_ends(gm_assembly *a, gm_str from, gm_str between, gm_str to)
{
    gm_assembly_connect(a, from, GM_STR("port"), between, GM_STR("a"));
    gm_assembly_connect(a, between, GM_STR("b"), to, GM_STR("port"));
}

static void write_heat(gm_assembly *a)
{
    char room[3][32];
    for (int i = 0; i < NODES; i++) {
        gm_assembly_component(a, name_of(room[0], "c", i, 0), GM_STR("Gemel.Thermal.HeatCapacity"));
        gm_assembly_set(a, GM_STR("C"), 50 + i);
    }
    for (int i = 0; i + 1 < NODES; i++) {
        gm_str wall = name_of(room[1], "g", i, 0);
        gm_assembly_component(a, wall, GM_STR("Gemel.Thermal.Conductor"));
        gm_assembly_set(a, GM_STR("G"), 2 + 0.1 * i);
        link_ends(a, name_of(room[0], "c", i, 0), wall, name_of(room[2], "c", i + 1, 0));
    }
}

static void write_water(gm_assembly *a)
{
    char room[3][32];
    for (int k = 0; k < ROWS * COLUMNS; k++) {
        gm_assembly_component(a, name_of(room[0], "n", k, 0), k % 6 == 0 ? GM_STR("Gemel.Fluid.Tank") : GM_STR("Gemel.Fluid.Junction"));
    }
    for (int k = 0; k < ROWS * COLUMNS; k++) {
        for (int down = 0; down < 2; down++) {
            int to = down ? k + COLUMNS : k + 1;
            if (down ? to >= ROWS * COLUMNS : to % COLUMNS == 0) continue;
            gm_str pipe = name_of(room[1], "p", k, to);
            gm_assembly_component(a, pipe, GM_STR("Gemel.Fluid.HazenWilliamsPipe"));
            gm_assembly_set(a, GM_STR("L"), 100 + k % 30);
            link_ends(a, name_of(room[0], "n", k, 0), pipe, name_of(room[2], "n", to, 0));
        }
    }
}

static gm_modelica *library_of(const char *folder, gm_diags *diags)
{
    static const char *const files[] = { "Fluid", "Thermal" };
    gm_error     err = { 0 };
    gm_modelica *m   = gm_modelica_create(gm_alloc_system(), &err);
    for (size_t i = 0; m != NULL && i < sizeof files / sizeof files[0]; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s.mo", folder, files[i]);
        must(gm_modelica_add_path(m, gm_io_system(), path, diags, &err), &err);
    }
    must(m != NULL ? GM_OK : GM_NOMEM, &err);
    return m;
}

// One block of 64 lanes takes a step of a millisecond by RK4.
static double step_s(const gm_plan *plan)
{
    gm_lanes  *lanes  = NULL;
    gm_worker *worker = NULL;
    gm_error   err    = { 0 };
    must(gm_lanes_create(gm_alloc_system(), plan, 64, &lanes, &err), &err);
    must(gm_worker_create(gm_alloc_system(), plan, &worker, &err), &err);
    gm_lanes_start(lanes, 0, worker, GM_START_FRESH);
    gm_lanes_steps(lanes, 0, worker, 1e-3, 1);
    double begin = now_s();
    gm_lanes_steps(lanes, 0, worker, 1e-3, 4);
    double seconds = (now_s() - begin) / 4;
    gm_lanes_destroy(lanes);
    gm_worker_destroy(worker);
    return seconds;
}

// One block of 64 lanes tries implicit steps; the worker counts them.
static double implicit_s(const gm_program *program)
{
    gm_plan_options options = gm_plan_options_defaults();
    gm_plan        *plan    = NULL;
    gm_lanes       *lanes   = NULL;
    gm_worker      *worker  = NULL;
    gm_error        err     = { 0 };
    options.method = GM_METHOD_IMPLICIT;
    must(gm_plan_create(gm_alloc_system(), program, &options, &plan, &err), &err);
    must(gm_lanes_create(gm_alloc_system(), plan, 64, &lanes, &err), &err);
    must(gm_worker_create(gm_alloc_system(), plan, &worker, &err), &err);
    gm_lanes_start(lanes, 0, worker, GM_START_FRESH);
    double begin = now_s();
    gm_lanes_until(lanes, 0, worker, 1e-8);
    double seconds = (now_s() - begin) / (double)gm_worker_tries(worker);
    gm_lanes_destroy(lanes);
    gm_worker_destroy(worker);
    gm_plan_destroy(plan);
    return seconds;
}

static double sparse_s(const gm_program *program)
{
    enum { SOLUTIONS = 6, LANES = 64 };
    gm_layout       layout   = gm_layout_of(program);
    gm_implicit    *implicit = NULL;
    gm_sparse      *sparse   = NULL;
    gm_error        err      = { 0 };
    uint32_t        n, entries;
    const uint32_t *rows, *columns;
    must(gm_implicit_create(gm_alloc_system(), program, &layout, 1e-6, gm_executor_pick(GM_EXECUTOR_AUTO), &implicit, &err), &err);
    if (implicit == NULL || !gm_sparse_available()) {
        gm_implicit_destroy(implicit);
        return 0;
    }
    gm_implicit_pattern(implicit, &n, &entries, &rows, &columns);
    must(gm_sparse_create(gm_alloc_system(), n, entries, rows, columns, &sparse, &err), &err);
    double *values = malloc((2 * (size_t)entries + n) * sizeof *values), *work = values + entries, *b = work + entries;
    if (values == NULL) exit(1);
    for (uint32_t e = 0; e < entries; e++) values[e] = rows[e] == columns[e] ? 10 + e % 7 : -1 - 0.1 * (e % 5);
    double begin = now_s();
    for (int lane = 0; lane < LANES; lane++) {
        gm_sparse_factors factors = { 0 };
        if (!gm_sparse_factor(sparse, &factors, values, 1, work)) exit(1);
        for (int k = 0; k < SOLUTIONS; k++) {
            for (uint32_t i = 0; i < n; i++) b[i] = 1;
            if (!gm_sparse_back(sparse, &factors, b)) exit(1);
        }
        gm_sparse_forget(sparse, &factors);
    }
    double seconds = now_s() - begin;
    free(values);
    gm_sparse_destroy(sparse);
    gm_implicit_destroy(implicit);
    return seconds;
}

static void one_round(const char *library, gm_str text, double out[STAGE_COUNT])
{
    gm_diags diags;
    gm_error err = { 0 };
    gm_diags_init(&diags, gm_alloc_system());
    gm_modelica    *m       = library_of(library, &diags);
    gm_flat        *flat    = NULL;
    gm_program     *program = NULL;
    gm_plan        *plan    = NULL;
    gm_plan_options options = gm_plan_options_defaults();
    double          at[STAGE_ALL + 1] = { now_s() };
    must(gm_modelica_add(m, GM_STR("net.mo"), text, &diags, &err), &err);
    at[1] = now_s();
    must(gm_modelica_flatten(m, GM_STR("Net"), NULL, &diags, &flat, &err), &err);
    at[2] = now_s();
    must(gm_compile(flat, gm_alloc_system(), NULL, &diags, &program, &err), &err);
    at[3] = now_s();
    must(gm_plan_create(gm_alloc_system(), program, &options, &plan, &err), &err);
    at[4] = now_s();
    for (int i = 0; i < STAGE_ALL; i++) out[i] = at[i + 1] - at[i];
    out[STAGE_ALL]  = at[4] - at[0];
    out[STAGE_STEP] = step_s(plan);
    out[STAGE_SPARSE]   = sparse_s(program);
    out[STAGE_IMPLICIT] = out[STAGE_SPARSE] > 0 ? implicit_s(program) : 0;
    gm_plan_destroy(plan);
    gm_program_destroy(program);
    gm_flat_destroy(flat);
    gm_modelica_destroy(m);
    gm_diags_finish(&diags);
}

static int by_value(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return a < b ? -1 : a > b;
}

static void run(const char *name, const char *library, gm_str text, double goal_s, int rounds, FILE *json)
{
    static const char *const stages[STAGE_COUNT] = { "parse", "flatten", "compile", "plan", "text to runnable", "one step of 64 lanes", "one implicit step", "its sparse systems" };
    static double            all[STAGE_COUNT][ROUNDS_MAX];
    for (int round = 0; round < rounds; round++) {
        double one[STAGE_COUNT];
        one_round(library, text, one);
        for (int i = 0; i < STAGE_COUNT; i++) all[i][round] = one[i];
    }
    for (int i = 0; i < STAGE_COUNT; i++) {
        qsort(all[i], (size_t)rounds, sizeof all[i][0], by_value);
        double median = all[i][rounds / 2];
        if (median == 0) continue;  // needs no sparse systems
        printf("%-10s %-20s %9.3f ms", name, stages[i], median * 1e3);
        if (i == STAGE_ALL) printf("   goal %.0f ms", goal_s * 1e3);
        if (i == STAGE_SPARSE) printf("   the step costs %.2f of them", all[STAGE_IMPLICIT][rounds / 2] / median);
        printf("\n");
        if (json != NULL) fprintf(json, "%s{\"model\":\"%s\",\"stage\":\"%s\",\"seconds\":%.6g}", i == 0 && goal_s < 0.1 ? "" : ",\n ", name, stages[i], median);
    }
}

int main(int argc, char **argv)
{
    int         rounds  = 15;
    const char *library = "library";
    FILE       *json    = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--rounds") == 0) rounds = atoi(argv[i + 1]);
        if (strcmp(argv[i], "--library") == 0) library = argv[i + 1];
        if (strcmp(argv[i], "--json") == 0) json = fopen(argv[i + 1], "w");
    }
    if (rounds < 1) rounds = 1;
    if (rounds > ROUNDS_MAX) rounds = ROUNDS_MAX;
    if (json != NULL) fprintf(json, "[");
    gm_assembly heat = gm_assembly_begin(gm_alloc_system(), GM_STR("Net")), water = gm_assembly_begin(gm_alloc_system(), GM_STR("Net"));
    write_heat(&heat);
    write_water(&water);
    run("heat 20", library, gm_assembly_text(&heat), 0.005, rounds, json);
    run("water 989", library, gm_assembly_text(&water), 1, rounds < 5 ? rounds : 5, json);
    gm_assembly_finish(&heat);
    gm_assembly_finish(&water);
    if (json != NULL) {
        fprintf(json, "]\n");
        fclose(json);
    }
    return 0;
}
