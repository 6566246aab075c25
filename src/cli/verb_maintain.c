// gemel maintain: which maintenance should be done when, asked of a running plant or worked out from a plant's folder.
#include "base/pool.h"
#include "cli/client.h"
#include "cli/plant_group.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "control/maintain/proposal.h"

#include <math.h>
#include <time.h>

enum { OPT_NAME, OPT_TIME, OPT_GAP, OPT_LANES, OPT_NOW, OPT_ORDERS, OPT_LAST, OPT_INITIAL, OPT_HTTP, OPT_JSON };
static const gm_option options[] = {
    [OPT_NAME]    = { "name", GM_OPTION_TEXT, "NAME", NULL, "the entry of rules/*.maintenance; not needed when there is one" },
    [OPT_TIME]    = { "time-limit", GM_OPTION_DURATION, "TIME", NULL, "how long to search; by default as the file has it" },
    [OPT_GAP]     = { "gap", GM_OPTION_NUMBER, "SHARE", NULL, "how far from the best is good enough: 0.01 is 1 %; by default as the file has it" },
    [OPT_LANES]   = { "lanes", GM_OPTION_COUNT, "N", NULL, "futures in which policies are compared, 0 for none; by default as the file has it" },
    [OPT_NOW]     = { "now", GM_OPTION_TIME, "TIME", NULL, "plan as if it were this moment; by default the clock's" },
    [OPT_ORDERS]  = { "orders", GM_OPTION_FLAG, NULL, NULL, "open a work order for each job that has a window (of a running plant)" },
    [OPT_LAST]    = { "last", GM_OPTION_FLAG, NULL, NULL, "show what was proposed last instead of making it anew (of a running plant)" },
    [OPT_INITIAL] = { "initial", GM_OPTION_FLAG, NULL, NULL, "with PLANT: begin with its files, not with its data" },
    [OPT_HTTP]    = GM_CLIENT_HTTP,
    [OPT_JSON]    = { "json", GM_OPTION_FLAG, NULL, NULL, "print one JSON document" },
};
static const gm_operand operands[] = { { "PLANT", "a plant's folder, when no server runs on it", .optional = true } };

enum { PERMILLE = 1000 };
#define LOOK_EVERY (50 * GM_MILLISECOND)

// ---- what is shown --------------------------------------------------------------------------------------------------

static gm_str hours(const gm_cli *cli, double h)
{
    return h < 100 ? gm_arena_printf(cli->arena, "%.1f h", h) : gm_arena_printf(cli->arena, "%.1f d", h / 24);
}

static gm_str money(const gm_cli *cli, double value) { return gm_arena_printf(cli->arena, fabs(value) < 1000 ? "%.4g" : "%.0f", value); }

// Is there more to a failure than what is stated?
static bool others_stop(const json_t *items)
{
    bool any = false;
    for (size_t i = 0; i < json_array_size(items); i++) any = any || json_object_get(json_object_get(json_array_get(items, i), "failure"), "stops") != NULL;
    return any;
}

static void print_items(const gm_cli *cli, const json_t *answer, gm_buf *out)
{
    enum { COLUMNS = 9 };
    const json_t  *items         = json_object_get(answer, "items");
    const gm_str   head[COLUMNS] = { GM_STR("FROM"), GM_STR("TO"), GM_STR("TWIN"), GM_STR("WORK"), GM_STR("COST"), GM_STR("FAILS BEFORE"), GM_STR("LEFT (5 .. 95 %)"),
                                     GM_STR("A FAILURE COSTS"), GM_STR("AND STOPS") };
    gm_table_text *table         = gm_table_text_create(cli->arena, others_stop(items) ? COLUMNS : COLUMNS - 2);
    if (json_array_size(items) == 0) return;
    gm_table_text_add(table, head);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i), *p = json_object_get(item, "prediction"), *failure = json_object_get(item, "failure");
        bool          set  = json_object_get(item, "window") != NULL;
        const gm_str  cells[COLUMNS] = { set ? gm_client_text(item, "from") : GM_STR("later"), gm_client_text(item, "to"), gm_client_text(item, "twin"), gm_client_text(item, "work"),
                                         money(cli, gm_client_number(item, "cost")), gm_arena_printf(cli->arena, "%.1f %%", 100 * gm_client_number(item, "failsBefore")),
                                         gm_arena_printf(cli->arena, GM_STR_FMT " .. " GM_STR_FMT, GM_STR_ARG(hours(cli, gm_client_number(p, "hours5"))),
                                                         GM_STR_ARG(hours(cli, gm_client_number(p, "hours95")))),
                                         money(cli, gm_client_number(failure, "cost")), gm_arena_printf(cli->arena, "%.0f", gm_client_number(failure, "stops")) };
        gm_table_text_add(table, cells);
    }
    gm_table_text_write(table, out);
}

static gm_str mean_text(const gm_cli *cli, const json_t *policy, const char *name, const char *format, double factor)
{
    const json_t *pair = json_object_get(policy, name);
    if (pair == NULL) return GM_STR("");
    double mean = factor * json_number_value(json_array_get(pair, 0)), half = factor * json_number_value(json_array_get(pair, 1));
    // Two formats that differ in digits alone.
    return format[0] == '0' ? gm_arena_printf(cli->arena, "%.0f +- %.0f", mean, half) : gm_arena_printf(cli->arena, "%.3f +- %.3f", mean, half);
}

static void print_policies(const gm_cli *cli, const json_t *answer, gm_buf *out)
{
    enum { COLUMNS = 6 };
    const json_t  *compare       = json_object_get(answer, "compare"), *policies = json_object_get(compare, "policies");
    const gm_str   head[COLUMNS] = { GM_STR("POLICY"), GM_STR("COST"), GM_STR("MORE THAN THE PLAN"), GM_STR("FAILURES"), GM_STR("JOBS"), GM_STR("AVAILABLE (%)") };
    gm_table_text *table         = gm_table_text_create(cli->arena, COLUMNS);
    if (compare == NULL) return;
    gm_buf_printf(out, "\nover " GM_STR_FMT " in %lld futures (half of the interval that holds the truth 19 times in 20 behind +-):\n",
                  GM_STR_ARG(hours(cli, gm_client_number(compare, "hours"))), (long long)json_integer_value(json_object_get(compare, "lanes")));
    gm_table_text_add(table, head);
    for (size_t i = 0; i < json_array_size(policies); i++) {
        const json_t *p              = json_array_get(policies, i);
        gm_str        name           = gm_client_text(p, "policy");
        const gm_str  cells[COLUMNS] = { gm_str_is(name, "plan") ? GM_STR("plan") : gm_str_is(name, "fixedInterval") ? GM_STR("fixed interval") : GM_STR("run to failure"),
                                         mean_text(cli, p, "cost", "0", 1), mean_text(cli, p, "more", "0", 1), mean_text(cli, p, "failures", "3", 1),
                                         mean_text(cli, p, "jobs", "3", 1), mean_text(cli, p, "availability", "3", 100) };
        gm_table_text_add(table, cells);
    }
    gm_table_text_write(table, out);
}

static gm_exit print_answer(const gm_cli *cli, const gm_args *args, const json_t *answer)
{
    gm_buf out     = gm_buf_init(cli->alloc);
    gm_str trouble = gm_client_text(answer, "trouble"), failed = gm_client_text(answer, "failed");
    if (gm_args_given(args, OPT_JSON)) {
        char *text = json_dumps(answer, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
        if (text != NULL) gm_buf_printf(&out, "%s\n", text);
        else out.failed = true;
        free(text);
        gm_exit code = gm_client_print(cli, &out);
        return code == GM_EXIT_OK && trouble.len + failed.len > 0 ? GM_EXIT_NO : code;
    }
    if (failed.len > 0) return gm_cli_fail_text(cli, GM_EXIT_NO, GM_STR_FMT, GM_STR_ARG(failed));
    if (trouble.len > 0) return gm_cli_fail_text(cli, GM_EXIT_NO, GM_STR_FMT, GM_STR_ARG(trouble));
    if (json_object_get(answer, "status") == NULL) return gm_cli_fail_text(cli, GM_EXIT_NO, "nothing was proposed yet; without --last it is");
    double cost = gm_client_number(answer, "cost"), bound = gm_client_number(answer, "bound");
    print_items(cli, answer, &out);
    gm_buf_printf(&out, "\nexpected cost " GM_STR_FMT, GM_STR_ARG(money(cli, cost)));
    double less = cost > 0 ? 100 * (cost - bound) / cost : 0;
    if (gm_str_is(gm_client_text(answer, "status"), "outOfTime")) gm_buf_text(&out, "; the time was over");
    if (less < 0.01) gm_buf_text(&out, "; there is no better plan");
    else gm_buf_printf(&out, "; the best may cost %.2g %% less", less);
    gm_buf_printf(&out, "; %.2g s\n", gm_client_number(answer, "seconds"));
    print_policies(cli, answer, &out);
    return gm_client_print(cli, &out);
}

// ---- a running plant ------------------------------------------------------------------------------------------------

static const char *make_body(const gm_cli *cli, const gm_args *args)
{
    json_t *body = json_object();
    char    now[GM_TIME_TEXT];
    if (gm_args_given(args, OPT_TIME)) json_object_set_new(body, "timeLimit", json_string(gm_args_text(args, OPT_TIME)));
    if (gm_args_given(args, OPT_GAP)) json_object_set_new(body, "gap", json_real(gm_args_number(args, OPT_GAP)));
    if (gm_args_given(args, OPT_LANES)) json_object_set_new(body, "lanes", json_integer(gm_args_count(args, OPT_LANES)));
    if (gm_args_given(args, OPT_NOW)) {
        (void)gm_time_format(gm_args_time(args, OPT_NOW), now);
        json_object_set_new(body, "now", json_string(now));
    }
    char  *text = json_dumps(body, JSON_COMPACT);
    gm_str kept = text != NULL ? gm_arena_str(cli->arena, gm_str_of(text)) : (gm_str){ 0 };
    free(text);
    json_decref(body);
    return kept.ptr;
}

static gm_exit find_name(const gm_cli *cli, const gm_args *args, gm_http *http, const char **out)
{
    gm_http_answer answer;
    *out = gm_args_text(args, OPT_NAME);
    if (*out != NULL) return GM_EXIT_OK;
    gm_exit code = gm_client_ask(cli, http, "GET", "/v1/maintenance", NULL, NULL, &answer);
    if (code != GM_EXIT_OK) return code;
    const json_t *items = json_object_get(answer.body, "items");
    if (json_array_size(items) == 1) *out = gm_arena_str(cli->arena, gm_client_text(json_array_get(items, 0), "name")).ptr;
    else if (json_array_size(items) == 0) code = gm_cli_fail_text(cli, GM_EXIT_NO, "this plant plans no maintenance (rules/*.maintenance, docs/maintenance.md)");
    else {
        gm_buf names = gm_buf_init(cli->alloc);
        for (size_t i = 0; i < json_array_size(items); i++) gm_buf_printf(&names, "%s'" GM_STR_FMT "'", i > 0 ? ", " : "", GM_STR_ARG(gm_client_text(json_array_get(items, i), "name")));
        code = gm_cli_fail_text(cli, GM_EXIT_NO, "which one? --name " GM_STR_FMT, GM_STR_ARG(gm_buf_view(&names)));
        gm_buf_finish(&names);
    }
    gm_http_answer_finish(&answer);
    return code;
}

// Until it is made; *out is the caller's to release.
static gm_exit wait_for(const gm_cli *cli, gm_http *http, const char *path, json_t **out)
{
    gm_progress    progress;
    gm_http_answer answer;
    gm_exit        code;
    gm_progress_begin(&progress, cli->err, cli->terminal, cli->clock, "planning", "permille of the time limit", PERMILLE);
    for (bool running = true; running;) {
        code = gm_client_ask(cli, http, "GET", path, NULL, NULL, &answer);
        if (code != GM_EXIT_OK) break;
        running = json_is_true(json_object_get(answer.body, "running"));
        if (running) {
            gm_progress_set(&progress, (uint64_t)(PERMILLE * gm_client_number(answer.body, "share")));
            (void)nanosleep(&(struct timespec){ .tv_nsec = LOOK_EVERY }, NULL);
        } else *out = json_incref(answer.body);
        gm_http_answer_finish(&answer);
    }
    gm_progress_end(&progress);
    return code;
}

static gm_exit open_orders(const gm_cli *cli, gm_http *http, const char *name)
{
    gm_http_answer answer;
    gm_exit        code = gm_client_ask(cli, http, "POST", GM_CLIENT_PATH(cli->arena, "/v1/maintenance/", name, "/orders"), NULL, NULL, &answer);
    if (code != GM_EXIT_OK) return code;
    fprintf(cli->err, "%zu work orders opened, %lld were there already\n", json_array_size(json_object_get(answer.body, "opened")),
            (long long)json_integer_value(json_object_get(answer.body, "there")));
    gm_http_answer_finish(&answer);
    return GM_EXIT_OK;
}

static gm_exit ask_server(const gm_cli *cli, const gm_args *args)
{
    gm_http       *http   = NULL;
    json_t        *answer = NULL;
    const char    *name;
    gm_http_answer begun;
    gm_exit        code = gm_client_open(cli, args, OPT_HTTP, &http);
    if (code != GM_EXIT_OK) return code;
    code = find_name(cli, args, http, &name);
    if (code == GM_EXIT_OK && !gm_args_given(args, OPT_LAST)) {
        const char *body = make_body(cli, args);
        code             = body == NULL ? gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory")
                                        : gm_client_ask(cli, http, "POST", GM_CLIENT_PATH(cli->arena, "/v1/maintenance/", name, "/make"), "application/json", body, &begun);
        if (code == GM_EXIT_OK) gm_http_answer_finish(&begun);
    }
    if (code == GM_EXIT_OK) code = wait_for(cli, http, GM_CLIENT_PATH(cli->arena, "/v1/maintenance/", name), &answer);
    if (code == GM_EXIT_OK) code = print_answer(cli, args, answer);
    if (code == GM_EXIT_OK && gm_args_given(args, OPT_ORDERS)) code = open_orders(cli, http, name);
    json_decref(answer);
    gm_http_close(http);
    return code;
}

// ---- a plant's folder -----------------------------------------------------------------------------------------------

typedef struct folder_job {
    const gm_cli     *cli;
    gm_maintain_case  c;
    gm_buf            result;
    gm_status         status;
    gm_error          err;
} folder_job;

static gm_status search(void *context, uint32_t part, uint32_t thread, gm_pool_job *pool_job, gm_error *err)
{
    folder_job *j = context;
    (void)part, (void)thread, (void)pool_job;
    return gm_maintain_propose(j->cli->alloc, &j->c, NULL, &j->result, err);
}

static void searched(void *context, gm_status status, const gm_error *err)
{
    folder_job *j = context;
    j->status     = status;
    if (err != NULL) j->err = *err;
}

static gm_status search_in_pool(folder_job *j, double seconds, gm_error *err)
{
    gm_pool        *pool = NULL;
    gm_pool_id      id;
    gm_progress     progress;
    gm_pool_options o    = { .threads = 1, .jobs_max = 1 };
    gm_pool_task    task = { .parts = 1, .run = search, .done = searched, .context = j };
    gm_status       st   = gm_pool_create(j->cli->alloc, NULL, &o, &pool, err);
    if (st == GM_OK) st = gm_pool_submit(pool, &task, &id, err);
    gm_progress_begin(&progress, j->cli->err, j->cli->terminal, j->cli->clock, "planning", "permille of the time limit", PERMILLE);
    gm_dur_ns begin = gm_monotonic(j->cli->clock);
    while (st == GM_OK && gm_pool_turn(pool, LOOK_EVERY)) {
        double share = (double)(gm_monotonic(j->cli->clock) - begin) / 1e9 / seconds;
        gm_progress_set(&progress, (uint64_t)(PERMILLE * fmin(share, 1)));
    }
    gm_progress_end(&progress);
    gm_pool_destroy(pool);
    if (st == GM_OK && j->status != GM_OK && err != NULL) *err = j->err;
    return st == GM_OK ? j->status : st;
}

static gm_status read_request(const gm_cli *cli, const gm_args *args, const gm_plant *plant, gm_maintain_request *out, gm_error *err)
{
    gm_maintain_request *all   = GM_ARENA_NEW(cli->arena, gm_maintain_request, GM_MAINTAIN_MAX);
    const char          *name  = gm_args_text(args, OPT_NAME);
    uint32_t             count = 0, found = 0;
    if (all == NULL) return gm_fail(err, GM_NOMEM, "maintain", "reading rules");
    for (size_t i = 0; i < plant->rules.count; i++) {
        const gm_plant_file *f = &plant->rules.items[i];
        if (!gm_maintain_is(f->name) || f->text.ptr == NULL) continue;
        gm_status st = gm_maintain_read(cli->arena, f->text, all, &count, err);
        if (st != GM_OK) return st;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (name != NULL && !gm_str_is(all[i].name, name)) continue;
        *out = all[i];
        found++;
    }
    if (found == 1) return GM_OK;
    if (count == 0) return gm_fail(err, GM_NOTFOUND, "maintain", "this plant plans no maintenance (rules/*.maintenance, docs/maintenance.md)");
    return gm_fail(err, GM_NOTFOUND, "maintain", found == 0 ? "no entry of rules/*.maintenance is called '%.60s'" : "which one? --name NAME%s", name != NULL ? name : "");
}

static void take_options(const gm_args *args, gm_maintain_request *q)
{
    if (gm_args_given(args, OPT_TIME)) q->seconds = fmin((double)gm_args_duration(args, OPT_TIME) / 1e9, GM_MAINTAIN_SECONDS_MAX);
    if (gm_args_given(args, OPT_GAP)) q->gap = gm_args_number(args, OPT_GAP);
    if (gm_args_given(args, OPT_LANES)) q->lanes = (uint32_t)(gm_args_count(args, OPT_LANES) < 100000 ? gm_args_count(args, OPT_LANES) : 100000);
}

static json_t *whole_answer(const folder_job *j, gm_str name, gm_time_ns at, double seconds)
{
    gm_buf text = gm_buf_init(j->cli->alloc);
    char   time[GM_TIME_TEXT];
    (void)gm_time_format(at, time);
    gm_buf_text(&text, "{\"name\":");
    gm_buf_json_str(&text, name);
    gm_buf_printf(&text, ",\"at\":\"%s\",\"seconds\":%.6g,", time, seconds);
    gm_buf_str(&text, gm_buf_view(&j->result));
    gm_buf_byte(&text, '}');
    json_t *answer = text.failed ? NULL : json_loadb(gm_buf_view(&text).ptr, text.len, 0, NULL);
    gm_buf_finish(&text);
    return answer;
}

// With what is declared to fail; alarms and the thread are not asked, for no server follows them.
static gm_status gather(const gm_cli *cli, const gm_plant_group *pg, const gm_maintain_request *q, gm_time_ns now, gm_maintain_case *out, gm_error *err)
{
    gm_failures      *failures = NULL;
    gm_failure_moment moment   = { .state = pg->state, .now = now };
    gm_maintain_world world    = { .alloc = cli->alloc, .state = pg->state, .moment = &moment, .clock = cli->clock };
    gm_str            file;
    gm_status         st = gm_failures_create(cli->alloc, &failures, err);
    if (st == GM_OK) st = gm_plant_set_modes(pg->plant, failures, &file, err);
    world.failures = failures;
    if (st == GM_OK) st = gm_maintain_gather(&world, q, cli->arena, now, out, err);
    gm_failures_destroy(failures);
    return st;
}

static gm_exit plan_folder(const gm_cli *cli, const gm_args *args, const char *folder)
{
    gm_plant_group      pg;
    gm_maintain_request q;
    gm_error            err   = { 0 };
    folder_job          j     = { .cli = cli, .result = gm_buf_init(cli->alloc) };
    gm_dur_ns           begin = gm_monotonic(cli->clock);
    gm_time_ns          at    = gm_now(cli->clock);
    if (gm_args_given(args, OPT_ORDERS) || gm_args_given(args, OPT_LAST)) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--orders and --last are for a running plant: leave PLANT out");
    gm_exit code = gm_plant_group_open_twins(cli, folder, gm_args_given(args, OPT_INITIAL), &pg);
    if (code != GM_EXIT_OK) {
        gm_plant_group_close(&pg);
        return code;
    }
    gm_status st = read_request(cli, args, pg.plant, &q, &err);
    if (st == GM_OK) st = gm_mip_require(&err);
    if (st == GM_OK) {
        take_options(args, &q);
        st = gather(cli, &pg, &q, gm_args_given(args, OPT_NOW) ? gm_args_time(args, OPT_NOW) : at, &j.c, &err);
    }
    if (st == GM_OK) st = search_in_pool(&j, q.seconds, &err);
    json_t *answer = st == GM_OK ? whole_answer(&j, q.name, at, (double)(gm_monotonic(cli->clock) - begin) / 1e9) : NULL;
    if (st != GM_OK) code = gm_cli_fail(cli, &err);
    else if (answer == NULL) code = gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    else code = print_answer(cli, args, answer);
    json_decref(answer);
    gm_buf_finish(&j.result);
    gm_plant_group_close(&pg);
    return code;
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    const char *folder = gm_args_operand(args, 0);
    double      gap    = gm_args_number(args, OPT_GAP);
    if (gm_args_given(args, OPT_GAP) && !(gap >= 0 && gap < 1)) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--gap is a share, such as 0.01");
    return folder != NULL ? plan_folder(cli, args, folder) : ask_server(cli, args);
}

const gm_verb gm_verb_maintain = {
    .name     = "maintain",
    .summary  = "propose when maintenance should be done, and what that saves",
    .text     = "What rules/*.maintenance ask for: each asset's work goes to the window that costs least, from how long it is expected to last (predictions, or its age), "
                "what its failure costs, the crews and parts that are there, and who stands in for it. The plan is compared with fixed intervals and with waiting for "
                "failures in futures drawn from the same distributions. When no plan keeps all limits, the exit code is 1 and the limit in the way is named.\n\n"
                "Without PLANT a running plant is asked, with all its predictions; from a folder those that stand in properties of its twins are taken.",
    .examples = "gemel maintain\ngemel maintain --name \"shop visits\" --time-limit 30s --orders\ngemel maintain examples/turbofan --json",
    .syntax   = GM_SYNTAX(options, operands),
    .run      = run,
};
