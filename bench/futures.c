// bench/futures: what the futures engine costs and gains.
//
//   bench-futures [--rounds N] [--json FILE] [--plant examples/pumphouse]
//
// For each model, 4,096 lanes with drawn parameters:
//   of the program    lane-steps/s of a whole job of 86,400 steps (fork, draws, 240 output points kept, quantiles) on
//   one
//                     thread, against the program alone; by the process's own time, so that other programs count little
//   over a day        the same job of 86,400 steps against the stepper, which takes no longer for its later steps
//   CVODE, stepper    a whole job of 200 steps with 4 output points, against one SUNDIALS CVODE (relative tolerance
//   1e-6) a
//                     lane over the same horizon, and against RK4 with the same step in compiled C, one lane at a time,
//                     the model called through a function pointer
// Then: two threads against one (by the clock on the wall), the fork of 4,096 lanes of a 100-state program, and the
// time from the request to the first partial quantiles.
#include "cli/plant_group.h"
#include "futures/futures.h"
#include "futures/march.h"
#include "physics/exec/lanes.h"
#include "physics/solve/solve.h"
#include "physics_models.h"

#include <math.h>
#include <string.h>
#include <time.h>

enum { DAY = 86400, SHORT = 200, ROUNDS_MAX = 100, CVODE_LANES = 24, STEPPER_LANES = 64 };

static double clock_s(clockid_t which)
{
    struct timespec now;
    clock_gettime(which, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void must(gm_status st, const gm_error *err)
{
    if (st == GM_OK) return;
    fprintf(stderr, "bench-futures: %s\n", err->text);
    exit(1);
}

static int by_value(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return a < b ? -1 : a > b;
}

static double median(double *values, int n)
{
    qsort(values, (size_t)n, sizeof *values, by_value);
    return values[n / 2];
}

// ---- compiled steppers, one lane at a time --------------------------------------------------------------------------

typedef void slopes_fn(const double *x, const double *p, double *k);

static void lorenz_slopes(const double *x, const double *p, double *k)
{
    k[0] = p[0] * (x[1] - x[0]);
    k[1] = x[0] * (p[1] - x[2]) - x[1];
    k[2] = x[0] * x[1] - p[2] * x[2];
}

static void vanderpol_slopes(const double *x, const double *p, double *k)
{
    k[0] = x[1];
    k[1] = p[0] * (1 - x[0] * x[0]) * x[1] - x[0];
}

static void network_slopes(const double *x, const double *p, double *k)
{
    enum { N = HAND_NODES };
    double in = p[0] * (p[2 * N + 1] - x[0]);
    for (int i = 0; i < N; i++) {
        double out = p[i + 1] * (x[i] - (i + 1 < N ? x[i + 1] : p[2 * N + 2]));
        k[i]       = (in - out) / p[N + 1 + i];
        in         = out;
    }
}

static void reactor_slopes(const double *x, const double *p, double *k)
{
    double rate = p[4] * exp(-p[5] / x[1]) * x[0];
    k[0] = p[0] * (p[1] - x[0]) - rate;
    k[1] = p[0] * (p[2] - x[1]) + p[6] * rate + p[7] * (p[3] - x[1]);
}

static slopes_fn *const volatile steppers[] = { lorenz_slopes, vanderpol_slopes, network_slopes, reactor_slopes };

static void step_rk4(slopes_fn *f, int n, double *x, const double *p, double h)
{
    double k1[STATES_MAX], k2[STATES_MAX], k3[STATES_MAX], k4[STATES_MAX], y[STATES_MAX];
    f(x, p, k1);
    for (int i = 0; i < n; i++) y[i] = x[i] + h / 2 * k1[i];
    f(y, p, k2);
    for (int i = 0; i < n; i++) y[i] = x[i] + h / 2 * k2[i];
    f(y, p, k3);
    for (int i = 0; i < n; i++) y[i] = x[i] + h * k3[i];
    f(y, p, k4);
    for (int i = 0; i < n; i++) x[i] += h / 6 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]);
}

static double stepper_lane_s(const model *m, size_t which, double *out_x0)
{
    double begin = clock_s(CLOCK_PROCESS_CPUTIME_ID), p[PARAMETERS_MAX], x[STATES_MAX];
    for (uint32_t lane = 0; lane < STEPPER_LANES; lane++) {
        for (uint32_t i = 0; i < m->parameters; i++) p[i] = parameter_of(m, i, lane * LANES / STEPPER_LANES);
        for (uint32_t i = 0; i < m->states; i++) x[i] = start_of(m, i);
        for (int i = 0; i < SHORT; i++) step_rk4(steppers[which], (int)m->states, x, p, m->h);
        *out_x0 += x[0];
    }
    return (clock_s(CLOCK_PROCESS_CPUTIME_ID) - begin) / STEPPER_LANES;
}

// ---- SUNDIALS -------------------------------------------------------------------------------------------------------

static gm_status ignore_row(void *context, const gm_solve_row *row, gm_error *err)
{
    (void)context, (void)row, (void)err;
    return GM_OK;
}

static double cvode_lane_s(const model *m, const gm_program *program)
{
    gm_solve_options o = gm_solve_options_defaults();
    o.solver    = GM_SOLVER_CVODE;
    o.tolerance = 1e-6;
    o.stop      = SHORT * m->h;
    o.points    = 1;
    double begin = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    for (uint32_t lane = 0; lane < CVODE_LANES; lane++) {
        gm_solve_setting settings[PARAMETERS_MAX];
        gm_solve_report  report = { 0 };
        gm_error         err    = { 0 };
        for (uint32_t i = 0; i < m->parameters; i++)
            settings[i] = (gm_solve_setting) { .slot  = { 1 + m->states + i },
                                               .value = parameter_of(m, i, lane * LANES / CVODE_LANES) };
        must(gm_solve(gm_alloc_system(), program, &o, settings, m->parameters, ignore_row, NULL, &report, &err), &err);
    }
    return (clock_s(CLOCK_PROCESS_CPUTIME_ID) - begin) / CVODE_LANES;
}

// ---- the program alone, and the job ---------------------------------------------------------------------------------

static double bare_s(const model *m, const gm_program *program, uint32_t steps)
{
    gm_plan  *plan;
    gm_lanes *lanes;
    gm_worker *worker;
    gm_error  err = { 0 };
    gm_plan_options o = gm_plan_options_defaults();
    must(gm_plan_create(gm_alloc_system(), program, &o, &plan, &err), &err);
    must(gm_lanes_create(gm_alloc_system(), plan, LANES, &lanes, &err), &err);
    must(gm_worker_create(gm_alloc_system(), plan, &worker, &err), &err);
    for (uint32_t i = 0; i < m->parameters; i++) {
        for (uint32_t lane = 0; lane < LANES; lane++)
            gm_lanes_set(lanes, (gm_slot) { 1 + m->states + i }, lane, parameter_of(m, i, lane));
    }
    double begin = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    for (uint32_t block = 0; block < gm_lanes_blocks(lanes); block++) {
        gm_lanes_start(lanes, block, worker, GM_START_FORKED);
        gm_lanes_steps(lanes, block, worker, m->h, steps);
    }
    double seconds = clock_s(CLOCK_PROCESS_CPUTIME_ID) - begin;
    gm_worker_destroy(worker);
    gm_lanes_destroy(lanes);
    gm_plan_destroy(plan);
    return seconds;
}

typedef struct waiting { bool done; double first_news; gm_status status; gm_error err; } waiting;

static void on_news(void *context)
{
    waiting *w = context;
    if (w->first_news == 0) w->first_news = clock_s(CLOCK_MONOTONIC);
}

static void on_done(void *context, gm_status status, const gm_error *err)
{
    waiting *w = context;
    w->done    = true;
    w->status  = status;
    if (err != NULL) w->err = *err;
}

typedef struct cost { double cpu_s, wall_s, first_s; } cost;

static cost job_cost(const model *m, const gm_program *program, gm_pool *pool, uint32_t threads, uint32_t steps,
                     bool partials)
{
    static const double quantiles[] = { 0.05, 0.5, 0.95 };
    double              base[1 + STATES_MAX + PARAMETERS_MAX] = { 0 };
    gm_vary             vary[PARAMETERS_MAX];
    gm_watched          output = { GM_STR("x0"), { 1 }, 1, 0 };
    waiting             w      = { 0 };
    gm_futures         *job;
    for (uint32_t i = 0; i < m->states; i++) base[1 + i] = start_of(m, i);
    for (uint32_t i = 0; i < m->parameters; i++) {
        double low = parameter_of(m, i, 0), high = parameter_of(m, i, LANES - 1);
        base[1 + m->states + i] = low;
        vary[i]                 = (gm_vary) { .name  = GM_STR("p"),
                                              .slot  = { 1 + m->states + i },
                                              .scale = 1,
                                              .law   = { GM_LAW_UNIFORM, { low < high ? low : high, low < high ? high : low } } };
    }
    gm_futures_request r = gm_futures_defaults(program, base);
    r.horizon_s = steps * m->h, r.step_s = m->h, r.lanes = LANES, r.threads_max = threads,
    r.points = steps == SHORT ? 4 : 240;
    r.vary = vary, r.vary_count = m->parameters, r.outputs = &output, r.output_count = 1, r.quantiles = quantiles,
    r.quantile_count     = 3;
    double cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID), wall = clock_s(CLOCK_MONOTONIC);
    gm_futures_calls calls = { .news = partials ? on_news : NULL, .done = on_done, .context = &w };
    must(gm_futures_start(gm_alloc_system(), pool, &r, calls, &job, &w.err), &w.err);
    while (!w.done) gm_pool_turn(pool, GM_SECOND);
    must(w.status, &w.err);
    cost c = { clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu, clock_s(CLOCK_MONOTONIC) - wall, w.first_news - wall };
    if (gm_futures_result_of(job)->diverged > 0)
        fprintf(stderr, "%s: %u lanes failed\n", m->name, gm_futures_result_of(job)->diverged);
    gm_futures_destroy(job);
    return c;
}

static void bench_model(size_t which, int rounds, gm_pool *pool, FILE *json)
{
    const model *m       = &models[which];
    gm_program  *program = program_of(m);
    double bare[ROUNDS_MAX], engine[ROUNDS_MAX], cvode[ROUNDS_MAX], stepper[ROUNDS_MAX], brief[ROUNDS_MAX], sum = 0;
    for (int i = 0; i < rounds; i++) {
        bare[i]    = bare_s(m, program, DAY);
        engine[i]  = job_cost(m, program, pool, 1, DAY, false).cpu_s;
        brief[i]   = job_cost(m, program, pool, 1, SHORT, false).cpu_s;
        stepper[i] = stepper_lane_s(m, which, &sum);
        cvode[i]   = cvode_lane_s(m, program);
    }
    double b = median(bare, rounds), e = median(engine, rounds), lane = median(brief, rounds) / LANES,
           c = median(cvode, rounds) / lane, s = median(stepper, rounds) / lane,
           l = median(stepper, rounds) / SHORT * DAY * LANES / e;
    printf("%-12s engine %7.1f M lane-steps/s, %.2f of the program alone; %6.0f x CVODE; %5.1f x a compiled stepper, %5.1f x over a day\n",
           m->name, (double)LANES * DAY / e * 1e-6, b / e, c, s, l);
    if (sum != sum) printf("(the stepper diverged)\n");
    if (json != NULL)
        fprintf(json, "%s{\"model\":\"%s\",\"of_bare\":%.4f,\"cvode\":%.2f,\"stepper\":%.2f,\"stepper_day\":%.2f}", which > 0 ? ",\n " : "",
                m->name, b / e, c, s, l);
    gm_program_destroy(program);
}

// ---- a whole plant ----------------------------------------------------------------------------------------------------

static double group_bare_s(const gm_program *program, const double *base, uint32_t lanes, uint32_t steps)
{
    gm_plan        *plan;
    gm_lanes       *block;
    gm_worker      *worker;
    gm_error        err = { 0 };
    gm_plan_options o   = gm_plan_options_defaults();
    must(gm_plan_create(gm_alloc_system(), program, &o, &plan, &err), &err);
    must(gm_lanes_create(gm_alloc_system(), plan, lanes, &block, &err), &err);
    must(gm_worker_create(gm_alloc_system(), plan, &worker, &err), &err);
    for (uint32_t slot = 0; slot < gm_program_slot_count(program); slot++) gm_lanes_fill(block, (gm_slot){ slot }, base[slot]);
    double begin = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    for (uint32_t b = 0; b < gm_lanes_blocks(block); b++) {
        gm_lanes_start(block, b, worker, GM_START_FORKED);
        gm_lanes_steps(block, b, worker, 1, steps);
    }
    double seconds = clock_s(CLOCK_PROCESS_CPUTIME_ID) - begin;
    gm_worker_destroy(worker);
    gm_lanes_destroy(block);
    gm_plan_destroy(plan);
    return seconds;
}

static double group_job_s(const gm_group *group, const double *base, gm_pool *pool, uint32_t lanes, uint32_t steps)
{
    static const double quantiles[] = { 0.05, 0.5, 0.95 };
    gm_group_variable   level;
    waiting             w = { 0 };
    gm_futures         *job;
    if (!gm_group_find(group, GM_STR("tower.level"), &level)) return NAN;
    gm_watched         output = { GM_STR("tower.level"), level.slot, level.factor, level.offset };
    gm_futures_request r      = gm_futures_defaults(gm_group_program(group), base);
    r.horizon_s = steps, r.step_s = 1, r.lanes = lanes, r.threads_max = 1;
    r.outputs = &output, r.output_count = 1, r.quantiles = quantiles, r.quantile_count = 3;
    double begin = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    must(gm_futures_start(gm_alloc_system(), pool, &r, (gm_futures_calls){ .done = on_done, .context = &w }, &job, &w.err), &w.err);
    while (!w.done) gm_pool_turn(pool, GM_SECOND);
    must(w.status, &w.err);
    gm_futures_destroy(job);
    return clock_s(CLOCK_PROCESS_CPUTIME_ID) - begin;
}

static void bench_plant(const char *folder, int rounds, gm_pool *pool)
{
    enum { PLANT_LANES = 256, PLANT_STEPS = 7200 };
    gm_cli         cli = { .alloc = gm_alloc_system(), .io = gm_io_system(), .clock = gm_clock_system(),
                           .arena = gm_arena_create(gm_alloc_system(), 0), .out = stdout, .err = stderr };
    gm_plant_group plant;
    gm_fork_report report;
    gm_error       err = { 0 };
    if (gm_plant_group_open(&cli, folder, "tower", true, &plant) != GM_EXIT_OK) exit(1);
    const gm_program *program = gm_group_program(plant.group);
    double           *base    = calloc(gm_program_slot_count(program), sizeof *base), bare[ROUNDS_MAX], job[ROUNDS_MAX];
    gm_group_reader   reader  = gm_group_live_reader(plant.state);
    must(gm_group_fork(plant.group, &reader, 0, base, &report, &err), &err);
    for (int i = 0; i < rounds; i++) {
        bare[i] = group_bare_s(program, base, PLANT_LANES, PLANT_STEPS);
        job[i]  = group_job_s(plant.group, base, pool, PLANT_LANES, PLANT_STEPS);
    }
    double b = median(bare, rounds), j = median(job, rounds);
    printf("%-12s engine %7.2f M lane-steps/s on one thread, %.2f of the program alone\n", "pumphouse", PLANT_LANES * PLANT_STEPS / j * 1e-6, b / j);
    free(base);
    gm_plant_group_close(&plant);
    gm_arena_destroy(cli.arena);
}

// 100 states that decay into one another.
static gm_program *hundred(void)
{
    gm_error    err = { 0 };
    gm_program *p   = NULL;
    gm_builder *b   = gm_builder_create(gm_alloc_system(), NULL);
    gm_slot     x[100];
    gm_build_section(b, GM_SECTION_DERIVATIVE);
    for (int i = 0; i < 100; i++) x[i] = gm_build_slot(b, &(gm_slot_spec){ GM_SLOT_STATE, .start = i });
    for (int i = 0; i < 100; i++)
        gm_build_derivative(b, x[i], gm_emit2(b, GM_OP_SUB, gm_emit_load(b, x[(i + 1) % 100]), gm_emit_load(b, x[i])));
    gm_build_end(b);
    must(gm_builder_finish(b, &p, &err), &err);
    gm_builder_destroy(b);
    return p;
}

static double fork_s(int rounds)
{
    gm_program *program = hundred();
    double      base[101] = { 0 }, seconds[ROUNDS_MAX];
    gm_vary     v      = { .name = GM_STR("x"), .slot = { 1 }, .scale = 1, .law = { GM_LAW_UNIFORM, { 0, 1 } } };
    gm_watched  output = { GM_STR("x"), { 1 }, 1, 0 };
    gm_futures_request r = gm_futures_defaults(program, base);
    gm_error   err   = { 0 };
    gm_arena  *arena = gm_arena_create(gm_alloc_system(), 0);
    gm_scheme *scheme;
    gm_plan   *plan;
    gm_march  *march;
    r.lanes = LANES, r.vary = &v, r.vary_count = 1, r.outputs = &output, r.output_count = 1;
    must(gm_scheme_make(arena, &r, &scheme, &err), &err);
    must(gm_march_plan(gm_alloc_system(), &r, &plan, &err), &err);
    must(gm_march_create(gm_alloc_system(), scheme, plan, &march, &err), &err);
    for (int i = 0; i < rounds; i++) {
        double begin = clock_s(CLOCK_PROCESS_CPUTIME_ID);
        for (uint32_t block = 0; block < LANES / GM_MARCH_LANES; block++)
            gm_march_fork(march, 0, block * GM_MARCH_LANES);
        seconds[i] = clock_s(CLOCK_PROCESS_CPUTIME_ID) - begin;
    }
    gm_march_destroy(march);
    gm_plan_destroy(plan);
    gm_arena_destroy(arena);
    gm_program_destroy(program);
    return median(seconds, rounds);
}

int main(int argc, char **argv)
{
    int         rounds = 5;
    FILE       *json   = NULL;
    const char *plant  = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--rounds") == 0) rounds = atoi(argv[i + 1]);
        if (strcmp(argv[i], "--json") == 0) json = fopen(argv[i + 1], "w");
        if (strcmp(argv[i], "--plant") == 0) plant = argv[i + 1];
    }
    setlinebuf(stdout);
    rounds = rounds < 1 ? 1 : rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds;
    gm_pool        *pool;
    gm_error        err = { 0 };
    gm_pool_options o   = gm_pool_options_defaults();
    must(gm_pool_create(gm_alloc_system(), NULL, &o, &pool, &err), &err);
    if (plant != NULL) bench_plant(plant, rounds, pool);
    if (json != NULL) fprintf(json, "{\"models\":[");
    for (size_t m = 0; m < sizeof models / sizeof models[0]; m++) bench_model(m, rounds, pool, json);

    gm_program *network20 = program_of(&models[2]);
    double      one[ROUNDS_MAX], two[ROUNDS_MAX], first[ROUNDS_MAX];
    for (int i = 0; i < rounds; i++) {
        one[i]   = job_cost(&models[2], network20, pool, 1, DAY, false).wall_s;
        two[i]   = job_cost(&models[2], network20, pool, 2, DAY, false).wall_s;
        first[i] = job_cost(&models[2], network20, pool, 0, DAY, true).first_s;
    }
    gm_program_destroy(network20);
    double speedup = median(one, rounds) / median(two, rounds), news = median(first, rounds), fork = fork_s(rounds);
    printf("two threads  %.2f x one (by the clock on the wall; a busy machine shows less)\n", speedup);
    printf("first partial quantiles %.0f ms after the request; fork of %d lanes of 100 states %.2f ms\n", news * 1e3,
           LANES, fork * 1e3);
    if (json != NULL) {
        fprintf(json, "],\n\"two_threads\":%.3f,\"first_partial_s\":%.4f,\"fork_s\":%.6f}\n", speedup, news, fork);
        fclose(json);
    }
    gm_pool_destroy(pool);
    return 0;
}
