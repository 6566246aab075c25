// gemel estimate: where a plant's twins really are: of the running server, or over a stretch of recorded history.
#include "base/number.h"
#include "cli/client.h"
#include "cli/estimate_setup.h"
#include "cli/table.h"
#include "cli/term_plot.h"
#include "cli/verbs.h"
#include "insight/estimate/past.h"
#include "insight/estimate/vigil.h"

#include <math.h>

enum { OPT_ROOT, OPT_NAME, OPT_FROM, OPT_TO, OPT_EVERY, OPT_SMOOTH, OPT_LAG, OPT_PLOT, OPT_HTTP, OPT_CSV, OPT_JSON };
static const gm_option options[] = {
    [OPT_ROOT]  = { "root", GM_OPTION_TEXT, "ID", NULL, "a twin of the group" },
    [OPT_NAME]  = { "name", GM_OPTION_TEXT, "NAME", NULL, "the entry of estimate/*.json (default: the only one, or the root's)" },
    [OPT_FROM]  = { "from", GM_OPTION_TIME, "TIME", NULL, "over recorded history from this source time on, RFC 3339" },
    [OPT_TO]    = { "to", GM_OPTION_TIME, "TIME", NULL, "up to this time (default: the end)" },
    [OPT_EVERY] = { "every", GM_OPTION_DURATION, "LENGTH", "1h", "over history: a row of parameters so often" },
    [OPT_SMOOTH] = { "smooth", GM_OPTION_FLAG, NULL, NULL, "over history: each moment by all that was measured before and after it, as CSV" },
    [OPT_LAG]   = { "lag", GM_OPTION_DURATION, "LENGTH", NULL, "with --smooth: look ahead so far only (default: to the end)" },
    [OPT_PLOT]  = { "plot", GM_OPTION_TEXT, "NAME,...", NULL, "with --smooth: draw these instead, with bands of two deviations" },
    [OPT_HTTP]  = GM_CLIENT_HTTP,
    [OPT_CSV]   = { "csv", GM_OPTION_FLAG, NULL, NULL, "over history: rows as CSV" },
    [OPT_JSON]  = { "json", GM_OPTION_FLAG, NULL, NULL, "of the running server: its answer as JSON" },
};
static const gm_operand operands[] = { { "PLANT", "the plant's folder; not needed for a running server", .optional = true } };

// ---- the running server -------------------------------------------------------------------------------------------

static gm_str number_of(const gm_cli *cli, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return value != NULL ? gm_arena_printf(cli->arena, "%.6g", json_number_value(value)) : GM_STR("");
}

static void add_rows(const gm_cli *cli, gm_table_text *table, const json_t *list, gm_str kind)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *x = json_array_get(list, i);
        if (kind.len > 0 && json_object_get(x, "measured") == NULL) continue;  // of signals, those that are measured
        const gm_str cells[] = { gm_client_text(x, "twin"), gm_client_text(x, "name"), kind.len > 0 ? kind : gm_client_text(x, "kind"), number_of(cli, x, "estimate"),
                                 number_of(cli, x, "deviation"), gm_client_text(x, "unit"), number_of(cli, x, "measured"), number_of(cli, x, "innovation") };
        gm_table_text_add(table, cells);
    }
}

static gm_exit print_live(const gm_cli *cli, const json_t *answer, const void *args)
{
    const char   *name  = gm_args_text(args, OPT_NAME), *root = gm_args_text(args, OPT_ROOT);
    const json_t *items = json_object_get(answer, "items");
    enum { COLUMNS = 8 };
    static const gm_str head[COLUMNS] = { { "TWIN", 4 }, { "VARIABLE", 8 }, { "KIND", 4 }, { "ESTIMATE", 8 }, { "DEVIATION", 9 }, { "UNIT", 4 }, { "MEASURED", 8 }, { "INNOVATION", 10 } };
    gm_buf out = gm_buf_init(cli->alloc);
    size_t shown = 0;
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *x = json_array_get(items, i);
        if ((name != NULL && !gm_str_is(gm_client_text(x, "name"), name)) || (root != NULL && !gm_str_is(gm_client_text(x, "root"), root))) continue;
        gm_table_text *table = gm_table_text_create(cli->arena, COLUMNS);
        if (shown++ > 0) gm_buf_byte(&out, '\n');
        gm_str trouble = gm_client_text(x, "trouble"), health = gm_client_text(x, "health"), at = gm_client_text(x, "at");
        gm_buf_printf(&out, GM_STR_FMT ": " GM_STR_FMT "%s" GM_STR_FMT "\n", GM_STR_ARG(gm_client_text(x, "name")), GM_STR_ARG(trouble.len > 0 ? trouble : health),
                      at.len > 0 ? ", as of " : "", GM_STR_ARG(at));
        const json_t *faults = json_object_get(x, "faults");
        for (size_t f = 0; f < json_array_size(faults); f++) {
            const json_t *one = json_array_get(faults, f);
            if (!json_is_true(json_object_get(one, "told"))) continue;
            gm_buf_printf(&out, "FAULT " GM_STR_FMT "." GM_STR_FMT ": severity %.3g, %.3g deviations, since " GM_STR_FMT "\n", GM_STR_ARG(gm_client_text(one, "twin")),
                          GM_STR_ARG(gm_client_text(one, "name")), json_number_value(json_object_get(one, "severity")),
                          json_number_value(json_object_get(one, "significance")), GM_STR_ARG(gm_client_text(one, "since")));
        }
        const json_t *modes = json_object_get(x, "modes");
        for (size_t m = 0; m < json_array_size(modes); m++) {
            const json_t *one = json_array_get(modes, m);
            gm_buf_printf(&out, "%s" GM_STR_FMT ": %.3g\n", json_is_true(json_object_get(one, "told")) ? "MODE " : "mode ", GM_STR_ARG(gm_client_text(one, "name")),
                          json_number_value(json_object_get(one, "probability")));
        }
        gm_table_text_add(table, head);
        add_rows(cli, table, json_object_get(x, "variables"), GM_STR(""));
        add_rows(cli, table, json_object_get(x, "signals"), GM_STR("measured"));
        gm_table_text_write(table, &out);
    }
    if (shown == 0) fputs("nothing is estimated\n", cli->err);
    return gm_client_print(cli, &out);
}

static gm_exit print_smoothed(const gm_cli *cli, const json_t *answer, const void *args)
{
    const json_t *parts = json_object_get(answer, "parts"), *points = json_object_get(answer, "points");
    gm_buf        out   = gm_buf_init(cli->alloc);
    (void)args;
    gm_buf_text(&out, "time");
    for (size_t i = 0; i < json_array_size(parts); i++) {
        gm_str name = gm_client_text(json_array_get(parts, i), "name");
        gm_buf_printf(&out, "," GM_STR_FMT "," GM_STR_FMT " deviation", GM_STR_ARG(name), GM_STR_ARG(name));
    }
    gm_buf_byte(&out, '\n');
    for (size_t k = 0; k < json_array_size(points); k++) {
        const json_t *p    = json_array_get(points, k);
        const char   *time = json_string_value(json_array_get(p, 0));
        gm_buf_text(&out, time != NULL ? time : "");
        for (size_t i = 0; i < json_array_size(parts); i++)
            gm_buf_printf(&out, ",%.8g,%.4g", json_number_value(json_array_get(json_array_get(p, 1), i)), json_number_value(json_array_get(json_array_get(p, 2), i)));
        gm_buf_byte(&out, '\n');
    }
    return gm_client_print(cli, &out);
}

static gm_exit ask_server_back(const gm_cli *cli, const gm_args *args)
{
    const char *name = gm_args_text(args, OPT_NAME);
    gm_buf      path = gm_buf_init(cli->alloc);
    if (name == NULL) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "of a running server: --name says which entry of estimate/*.json; of a plant at rest its folder is needed");
    gm_buf_printf(&path, "/smoothed?every=%lldms", (long long)(gm_args_duration(args, OPT_EVERY) / GM_MILLISECOND));
    if (gm_args_given(args, OPT_LAG)) gm_buf_printf(&path, "&lag=%lldms", (long long)(gm_args_duration(args, OPT_LAG) / GM_MILLISECOND));
    gm_str      tail = path.failed ? (gm_str){ 0 } : gm_arena_str(cli->arena, gm_buf_view(&path));
    const char *from = gm_args_text(args, OPT_FROM), *to = gm_args_text(args, OPT_TO);
    const char *all  = tail.ptr == NULL ? NULL : GM_CLIENT_PATH(cli->arena, "/v1/estimates/", name, tail.ptr, "", from != NULL ? "&from=" : "", from != NULL ? from : "",
                                                                to != NULL ? "&to=" : "", to != NULL ? to : "");
    gm_buf_finish(&path);
    if (all == NULL) return gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    return gm_client_show(cli, args, all, &(gm_client_view){ OPT_HTTP, OPT_JSON, print_smoothed, args });
}

static gm_exit ask_server(const gm_cli *cli, const gm_args *args)
{
    return gm_client_show(cli, args, "/v1/estimates", &(gm_client_view){ OPT_HTTP, OPT_JSON, print_live, args });
}

// ---- over history -------------------------------------------------------------------------------------------------

typedef struct past_run { const gm_cli *cli; gm_vigil *vigil; gm_buf out; bool csv, alarm; gm_str told; } past_run;

static void write_head(past_run *r)
{
    uint32_t                count;
    const gm_estimate_part *parts = gm_estimate_model_parts(gm_vigil_model(r->vigil), &count);
    gm_buf_text(&r->out, "time");
    for (uint32_t i = 0; i < count; i++) {
        if (parts[i].kind == GM_ESTIMATE_STATE) continue;
        gm_buf_printf(&r->out, "%s" GM_STR_FMT, r->csv ? "," : "  ", GM_STR_ARG(parts[i].name));
        if (r->csv) gm_buf_printf(&r->out, "," GM_STR_FMT " deviation", GM_STR_ARG(parts[i].name));
    }
    gm_buf_text(&r->out, r->csv ? ",nis,fault\n" : "  nis\n");
}

static void write_row(past_run *r, gm_time_ns at)
{
    uint32_t                count;
    const gm_estimate_part *parts = gm_estimate_model_parts(gm_vigil_model(r->vigil), &count);
    char                    time[GM_TIME_TEXT];
    gm_time_format(at, time);
    gm_buf_text(&r->out, time);
    for (uint32_t i = 0; i < count; i++) {
        if (parts[i].kind == GM_ESTIMATE_STATE) continue;
        gm_estimator_value v = gm_estimator_part(gm_vigil_estimator(r->vigil), i);
        gm_buf_printf(&r->out, r->csv ? ",%.8g,%.4g" : "  %.6g +- %.2g", v.mean, v.deviation);
    }
    gm_buf_printf(&r->out, r->csv ? ",%.3f,\"" : "  %.2f", gm_estimator_statistics(gm_vigil_estimator(r->vigil)).health.nis_mean);
    if (r->csv) gm_buf_printf(&r->out, GM_STR_FMT "\"", GM_STR_ARG(r->alarm ? r->told : GM_STR("")));
    gm_buf_byte(&r->out, '\n');
}

static void watch_faults(past_run *r)
{
    gm_vigil_fault f;
    char           since[GM_TIME_TEXT];
    bool           now = gm_vigil_alarm(r->vigil, &f);
    if (now && (!r->alarm || !gm_str_eq(f.name, r->told)) && !r->csv) {
        gm_time_format(f.since, since);
        gm_buf_printf(&r->out, "FAULT " GM_STR_FMT ": severity %.3g, %.3g deviations, since %s\n", GM_STR_ARG(f.name), f.severity, f.significance, since);
    }
    if (!now && r->alarm && !r->csv) gm_buf_printf(&r->out, "over: " GM_STR_FMT "\n", GM_STR_ARG(r->told));
    r->alarm = now;
    if (now) r->told = f.name;
}

static gm_status play(past_run *r, const gm_stretch *s, gm_dur_ns every, gm_error *err)
{
    gm_status  st   = GM_OK;
    gm_time_ns next = s->samples[0].at + every;
    for (size_t i = 0; st == GM_OK && i < s->count; i++) {
        st = gm_vigil_feed(r->vigil, s->samples[i].signal, s->samples[i].at, s->samples[i].value, err);
        if (st == GM_OK && (i + 1 == s->count || s->samples[i + 1].at > s->samples[i].at + 200 * GM_MILLISECOND)) st = gm_vigil_advance(r->vigil, s->samples[i].at, err);
        if (st == GM_OK) watch_faults(r);
        if (st == GM_OK && (s->samples[i].at >= next || i + 1 == s->count)) {
            write_row(r, s->samples[i].at);
            next += every * ((s->samples[i].at - next) / every + 1);
        }
    }
    return st;
}

static gm_status run_past(past_run *r, const gm_past *past, const gm_args *args, gm_error *err)
{
    gm_status st = gm_vigil_create(r->cli->alloc, &past->setup, past->group, past->slots, past->begin, &r->vigil, err);
    if (st != GM_OK) return st;
    write_head(r);
    return play(r, &past->stretch, gm_args_duration(args, OPT_EVERY), err);
}

// ---- looking back -------------------------------------------------------------------------------------------------

enum { PLOTS_MAX = 8 };

typedef struct curve { uint32_t part; double *low, *high; size_t low_room, high_room; } curve;

typedef struct smooth_run {
    const gm_cli           *cli;
    const gm_estimate_part *parts;
    uint32_t                count, curve_count;
    gm_buf                  out;
    curve                   curves[PLOTS_MAX];
    double                 *times;
    size_t                  time_count, time_room;
    bool                    failed;
} smooth_run;

static void add_point(smooth_run *r, gm_time_ns at, const double *mean, const double *covariance)
{
    const gm_alloc *a = r->cli->alloc;
    r->failed |= !gm_alloc_reserve(a, &r->times, &r->time_room, r->time_count + 1, sizeof *r->times);
    for (uint32_t c = 0; !r->failed && c < r->curve_count; c++) {
        curve                  *v = &r->curves[c];
        const gm_estimate_part *p = &r->parts[v->part];
        r->failed |= !gm_alloc_reserve(a, &v->low, &v->low_room, r->time_count + 1, sizeof *v->low) ||
                     !gm_alloc_reserve(a, &v->high, &v->high_room, r->time_count + 1, sizeof *v->high);
        if (r->failed) return;
        double x = mean[v->part], two = 2 * sqrt(covariance[(size_t)v->part * r->count + v->part]);
        v->low[r->time_count]  = gm_estimate_part_outside(p, x - two);
        v->high[r->time_count] = gm_estimate_part_outside(p, x + two);
    }
    if (!r->failed) r->times[r->time_count++] = (double)at / 1e9;
}

static void visit(void *context, gm_time_ns at, const double *mean, const double *covariance)
{
    smooth_run *r = context;
    char        time[GM_TIME_TEXT];
    if (r->curve_count > 0) {
        add_point(r, at, mean, covariance);
        return;
    }
    gm_time_format(at, time);
    gm_buf_text(&r->out, time);
    for (uint32_t i = 0; i < r->count; i++) {
        double deviation = sqrt(covariance[(size_t)i * r->count + i]);
        gm_buf_printf(&r->out, ",%.8g,%.4g", gm_estimate_part_outside(&r->parts[i], mean[i]), gm_estimate_part_outside_deviation(&r->parts[i], mean[i], deviation));
    }
    gm_buf_byte(&r->out, '\n');
}

static gm_status choose_curves(smooth_run *r, const char *names, gm_error *err)
{
    gm_str rest = gm_str_of(names), name;
    while (gm_str_next(&rest, ',', &name)) {
        uint32_t part = 0;
        name          = gm_str_trim(name);
        while (part < r->count && !gm_str_eq(r->parts[part].name, name)) part++;
        if (part == r->count)
            return gm_fail(err, GM_NOTFOUND, "cli.estimate", "--plot: '" GM_STR_FMT "' is not estimated; the head of the CSV names what is", GM_STR_ARG(gm_str_slice(name, 0, 80)));
        if (r->curve_count == PLOTS_MAX) return gm_fail(err, GM_LIMIT, "cli.estimate", "--plot: at most %d", PLOTS_MAX);
        r->curves[r->curve_count++].part = part;
    }
    return GM_OK;
}

static void draw(smooth_run *r)
{
    for (uint32_t c = 0; c < r->curve_count; c++) {
        gm_str         name   = gm_arena_printf(r->cli->arena, GM_STR_FMT, GM_STR_ARG(r->parts[r->curves[c].part].name));
        gm_term_plot   plot   = { .x_kind = GM_TERM_X_TIME, .colour = r->cli->terminal };
        gm_term_series series = { .x = r->times, .y = r->curves[c].low, .y_high = r->curves[c].high, .count = r->time_count, .name = name.ptr };
        gm_term_plot_draw(&plot, &series, 1, &r->out);
    }
}

static gm_status run_smooth(smooth_run *r, const gm_past *past, const gm_args *args, gm_error *err)
{
    gm_smooth_options o = { .every = gm_args_duration(args, OPT_EVERY), .lag = GM_SMOOTH_ALL, .visit = visit, .context = r };
    r->parts            = gm_estimate_model_parts(past->model, &r->count);
    if (gm_args_given(args, OPT_LAG)) o.lag = gm_args_duration(args, OPT_LAG);
    gm_status st = gm_args_given(args, OPT_PLOT) ? choose_curves(r, gm_args_text(args, OPT_PLOT), err) : GM_OK;
    gm_buf_text(&r->out, r->curve_count > 0 ? "" : "time");
    for (uint32_t i = 0; r->curve_count == 0 && i < r->count; i++)
        gm_buf_printf(&r->out, "," GM_STR_FMT "," GM_STR_FMT " deviation", GM_STR_ARG(r->parts[i].name), GM_STR_ARG(r->parts[i].name));
    gm_buf_text(&r->out, r->curve_count > 0 ? "" : "\n");
    if (st == GM_OK) st = gm_past_smooth(past, o, NULL, err);
    if (st == GM_OK && r->failed) st = gm_fail(err, GM_NOMEM, "cli.estimate", "drawing");
    if (st == GM_OK) draw(r);
    for (uint32_t c = 0; c < r->curve_count; c++) {
        gm_free(r->cli->alloc, r->curves[c].low);
        gm_free(r->cli->alloc, r->curves[c].high);
    }
    gm_free(r->cli->alloc, r->times);
    return st;
}

static gm_status open_past(const gm_cli *cli, const gm_args *args, gm_plant_group *pg, const gm_estimate_setup *setup, gm_past *past, gm_error *err)
{
    gm_time_ns from = GM_TIME_MIN, to = GM_TIME_MAX;
    gm_status  st   = GM_OK;
    if (gm_args_given(args, OPT_FROM)) st = gm_time_parse(gm_str_of(gm_args_text(args, OPT_FROM)), &from, err);
    if (st == GM_OK && gm_args_given(args, OPT_TO)) st = gm_time_parse(gm_str_of(gm_args_text(args, OPT_TO)), &to, err);
    return st == GM_OK ? gm_past_open(cli->alloc, pg->engine, pg->group, setup, from, to, past, err) : st;
}

static gm_exit over_history(const gm_cli *cli, const gm_args *args)
{
    gm_plant_group     pg    = { 0 };
    gm_estimate_setup *setup = NULL;
    gm_past            past  = { 0 };
    gm_error           err   = { 0 };
    past_run           r     = { .cli = cli, .out = gm_buf_init(cli->alloc), .csv = gm_args_given(args, OPT_CSV) };
    smooth_run         back  = { .cli = cli, .out = gm_buf_init(cli->alloc) };
    bool               all   = gm_args_given(args, OPT_SMOOTH);
    const char        *plant = gm_args_operand(args, 0);
    if (plant == NULL) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "over history a plant's folder is needed: gemel estimate PLANT --from TIME");
    if (gm_args_duration(args, OPT_EVERY) <= 0) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--every is longer than nothing");
    if (gm_args_given(args, OPT_LAG) && gm_args_duration(args, OPT_LAG) <= 0) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--lag is longer than nothing");
    gm_exit code = gm_estimate_setup_pick(cli, plant, gm_args_text(args, OPT_NAME), gm_args_text(args, OPT_ROOT), &setup);
    if (code != GM_EXIT_OK) return code;
    gm_str root = gm_arena_str(cli->arena, setup->root);
    code        = root.ptr != NULL ? gm_plant_group_open(cli, plant, root.ptr, false, &pg) : gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    if (code == GM_EXIT_OK && (pg.group == NULL || pg.engine == NULL))
        code = gm_cli_fail_text(cli, GM_EXIT_NO, pg.group == NULL ? "the behavior of this twin is an FMU; classes are estimated" : "the plant has recorded nothing yet");
    if (code == GM_EXIT_OK) {
        gm_status st = open_past(cli, args, &pg, setup, &past, &err);
        if (st == GM_OK) st = all ? run_smooth(&back, &past, args, &err) : run_past(&r, &past, args, &err);
        if (st != GM_OK) code = gm_cli_fail(cli, &err);
    }
    if (code == GM_EXIT_OK) code = gm_client_print(cli, all ? &back.out : &r.out);
    else gm_buf_finish(all ? &back.out : &r.out);
    gm_vigil_destroy(r.vigil);
    gm_past_close(&past);
    gm_plant_group_close(&pg);
    return code;
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    bool past = gm_args_given(args, OPT_FROM) || gm_args_given(args, OPT_TO) || gm_args_given(args, OPT_SMOOTH);
    if (!gm_args_given(args, OPT_SMOOTH) && (gm_args_given(args, OPT_LAG) || gm_args_given(args, OPT_PLOT)))
        return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--lag and --plot belong to --smooth");
    if (gm_args_given(args, OPT_SMOOTH) && gm_args_operand(args, 0) == NULL && !gm_args_given(args, OPT_PLOT)) return ask_server_back(cli, args);
    return past ? over_history(cli, args) : ask_server(cli, args);
}

const gm_verb gm_verb_estimate = {
    .name     = "estimate",
    .summary  = "say where twins really are, by their models and measurements",
    .text     = "Without --from and --to: what the running server estimates (estimate/*.json): states and parameters with their standard "
                "deviations, measured values beside them, faults that are told, and whether the model still fits.\n"
                "\n"
                "With them: runs the same filter over what the plant has recorded, and prints the parameters as they were learned. The "
                "plant's server must not be running; nothing is written. --smooth looks back: states and parameters at each moment by "
                "everything that was measured, before and afterwards, with their deviations; without a PLANT the running server does it.",
    .examples = "gemel estimate\n"
                "gemel estimate examples/pumphouse --from 2026-01-05T00:00:00Z --every 6h\n"
                "gemel estimate examples/pumphouse --root tower --to 2026-02-01T00:00:00Z --csv\n"
                "gemel estimate examples/pumphouse --smooth --every 5m > smoothed.csv",
    .syntax   = GM_SYNTAX(options, operands),
    .run      = run,
};
