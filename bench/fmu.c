// bench/fmu: how many rows a second `gemel fmu run` makes: the cost of talking to the process that an FMU runs in.
//
//   bench-fmu [--gemel BUILD/gemel] [--rows N] [--rounds N] [--json FILE]
//
// The FMU is a tank that empties, with outputs of three types, exported by gemel and compiled by cc: a step of it costs
// next to nothing. Each figure is the median over the rounds of rows / wall clock seconds, start and end included.
#include "physics/compile/compile.h"
#include "physics/fmi/export.h"
#include "physics/fmi/run.h"
#include "physics/modelica/modelica.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS_MAX = 99 };

static const char model_text[] =
    "model Tank input Real u(start = 0); output Real y; output Integer n; output Boolean low; Real x(start = 1, fixed = true);\n"
    "equation der(x) = u - 0.1 * x; y = 2 * x; n = if x > 0.5 then 2 else 1; low = x < 0.1; end Tank;\n";

static void must(gm_status st, const gm_error *err)
{
    if (st == GM_OK) return;
    fprintf(stderr, "bench-fmu: %s\n", err->text);
    exit(1);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void export_tank(const char *path)
{
    gm_error     err = { 0 };
    gm_diags     diags;
    gm_flat     *flat;
    gm_program  *program;
    gm_diags_init(&diags, gm_alloc_system());
    gm_modelica *m = gm_modelica_create(gm_alloc_system(), &err);
    must(m != NULL ? GM_OK : GM_NOMEM, &err);
    must(gm_modelica_add(m, GM_STR("tank.mo"), gm_str_of(model_text), &diags, &err), &err);
    must(gm_modelica_flatten(m, GM_STR("Tank"), NULL, &diags, &flat, &err), &err);
    must(gm_compile(flat, gm_alloc_system(), NULL, &diags, &program, &err), &err);
    gm_fmu_export_options o = gm_fmu_export_options_defaults();
    o.stop                  = 10;
    must(gm_fmu_export(gm_alloc_system(), program, &o, path, &err), &err);
    gm_program_destroy(program);
    gm_flat_destroy(flat);
    gm_modelica_destroy(m);
    gm_diags_finish(&diags);
}

static gm_status count_rows(void *context, gm_str text, gm_error *err)
{
    (void)err;
    for (size_t i = 0; i < text.len; i++) *(size_t *)context += text.ptr[i] == '\n';
    return GM_OK;
}

static double rows_per_second(const gm_fmu *fmu, const gm_fmu_run_options *o, int rounds)
{
    double speed[ROUNDS_MAX];
    for (int i = 0; i < rounds; i++) {
        gm_error    err   = { 0 };
        size_t      rows  = 0;
        gm_dur_ns   begin = gm_monotonic(gm_clock_system());
        must(gm_fmu_run(fmu, o, count_rows, &rows, NULL, &err), &err);
        speed[i] = (double)(rows - 1) / ((double)(gm_monotonic(gm_clock_system()) - begin) / GM_SECOND);
    }
    qsort(speed, (size_t)rounds, sizeof *speed, by_value);
    return speed[rounds / 2];
}

int main(int argc, char **argv)
{
    const char *gemel = "build/gemel", *json = NULL;
    int         rows = 20000, rounds = 5;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--gemel") == 0) gemel = argv[i + 1];
        if (strcmp(argv[i], "--rows") == 0) rows = atoi(argv[i + 1]);
        if (strcmp(argv[i], "--rounds") == 0) rounds = atoi(argv[i + 1]);
        if (strcmp(argv[i], "--json") == 0) json = argv[i + 1];
    }
    if (rounds < 1 || rounds > ROUNDS_MAX) rounds = 5;
    if (rows < 1) rows = 20000;
    char path[] = "/tmp/gemel-bench-fmu-XXXXXX";
    int  file   = mkstemp(path);
    if (file < 0) return 1;
    close(file);
    export_tank(path);

    const gm_str input = GM_STR("time,u\n0,0\n5,0.05\n10,0.1\n");
    const struct { const char *name; gm_fmi_kind kind; gm_fmu_method method; gm_str input; } runs[] = {
        { "cs", GM_FMI_CO_SIMULATION, GM_FMU_EULER, { 0 } },  { "cs_input", GM_FMI_CO_SIMULATION, GM_FMU_EULER, input },
        { "me_euler", GM_FMI_MODEL_EXCHANGE, GM_FMU_EULER, { 0 } }, { "me_accurate", GM_FMI_MODEL_EXCHANGE, GM_FMU_ACCURATE, { 0 } },
    };
    gm_fmu_host host = { .alloc = gm_alloc_system(), .clock = gm_clock_system(), .program = gemel, .call_limit = 60 * GM_SECOND };
    gm_fmu     *fmu;
    gm_error    err = { 0 };
    must(gm_fmu_open(&host, path, &fmu, &err), &err);
    FILE *out = json != NULL ? fopen(json, "we") : NULL;
    if (out != NULL) fprintf(out, "{\"rows\":%d", rows);
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        gm_fmu_run_options o = gm_fmu_run_options_defaults();
        o.kind   = runs[i].kind;
        o.method = runs[i].method;
        o.input  = runs[i].input;
        o.stop   = 10;
        o.step   = o.stop / rows;
        double speed = rows_per_second(fmu, &o, rounds);
        printf("%-12s %8.0f rows/s\n", runs[i].name, speed);
        if (out != NULL) fprintf(out, ",\"%s_rows_per_s\":%.0f", runs[i].name, speed);
    }
    if (out != NULL) fputs("}\n", out);
    if (out != NULL) fclose(out);
    gm_fmu_close(fmu);
    unlink(path);
    return 0;
}
