// gemel estimate: where a plant's twins really are: of the running server, or over a stretch of recorded history.
#include "base/number.h"
#include "cli/client.h"
#include "cli/estimate_setup.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "insight/estimate/stretch.h"
#include "insight/estimate/vigil.h"

#include <math.h>

enum { OPT_ROOT, OPT_NAME, OPT_FROM, OPT_TO, OPT_EVERY, OPT_HTTP, OPT_CSV, OPT_JSON };
static const gm_option options[] = {
    [OPT_ROOT]  = { "root", GM_OPTION_TEXT, "ID", NULL, "a twin of the group" },
    [OPT_NAME]  = { "name", GM_OPTION_TEXT, "NAME", NULL, "the entry of estimate/*.json (default: the only one, or the root's)" },
    [OPT_FROM]  = { "from", GM_OPTION_TIME, "TIME", NULL, "over recorded history from this source time on, RFC 3339" },
    [OPT_TO]    = { "to", GM_OPTION_TIME, "TIME", NULL, "up to this time (default: the end)" },
    [OPT_EVERY] = { "every", GM_OPTION_DURATION, "LENGTH", "1h", "over history: a row of parameters so often" },
    [OPT_HTTP]  = GM_CLIENT_HTTP,
    [OPT_CSV]   = { "csv", GM_OPTION_FLAG, NULL, NULL, "over history: rows as CSV" },
    [OPT_JSON]  = { "json", GM_OPTION_FLAG, NULL, NULL, "of the running server: its answer as JSON" },
};
static const gm_operand operands[] = { { "PLANT", "the plant's folder; not needed for a running server", .optional = true } };

// ---- the running server -------------------------------------------------------------------------------------------

static gm_str text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return gm_str_of(text != NULL ? text : "");
}

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
        const gm_str cells[] = { text_of(x, "twin"), text_of(x, "name"), kind.len > 0 ? kind : text_of(x, "kind"), number_of(cli, x, "estimate"),
                                 number_of(cli, x, "deviation"), text_of(x, "unit"), number_of(cli, x, "measured"), number_of(cli, x, "innovation") };
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
        if ((name != NULL && !gm_str_is(text_of(x, "name"), name)) || (root != NULL && !gm_str_is(text_of(x, "root"), root))) continue;
        gm_table_text *table = gm_table_text_create(cli->arena, COLUMNS);
        if (table == NULL) return gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
        if (shown++ > 0) gm_buf_byte(&out, '\n');
        gm_str trouble = text_of(x, "trouble"), health = text_of(x, "health"), at = text_of(x, "at");
        gm_buf_printf(&out, GM_STR_FMT ": " GM_STR_FMT "%s" GM_STR_FMT "\n", GM_STR_ARG(text_of(x, "name")), GM_STR_ARG(trouble.len > 0 ? trouble : health),
                      at.len > 0 ? ", as of " : "", GM_STR_ARG(at));
        const json_t *faults = json_object_get(x, "faults");
        for (size_t f = 0; f < json_array_size(faults); f++) {
            const json_t *one = json_array_get(faults, f);
            if (!json_is_true(json_object_get(one, "told"))) continue;
            gm_buf_printf(&out, "FAULT " GM_STR_FMT "." GM_STR_FMT ": severity %.3g, %.3g deviations, since " GM_STR_FMT "\n", GM_STR_ARG(text_of(one, "twin")),
                          GM_STR_ARG(text_of(one, "name")), json_number_value(json_object_get(one, "severity")),
                          json_number_value(json_object_get(one, "significance")), GM_STR_ARG(text_of(one, "since")));
        }
        gm_table_text_add(table, head);
        add_rows(cli, table, json_object_get(x, "variables"), GM_STR(""));
        add_rows(cli, table, json_object_get(x, "signals"), GM_STR("measured"));
        gm_table_text_write(table, &out);
    }
    if (shown == 0) fputs("nothing is estimated\n", cli->err);
    return gm_client_print(cli, &out);
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

static gm_status run_past(past_run *r, gm_plant_group *pg, gm_estimate_setup *setup, const gm_args *args, gm_error *err)
{
    gm_estimate_model *model = NULL;
    gm_stretch         s     = { 0 };
    gm_fork_report     report;
    gm_time_ns         from  = GM_TIME_MIN, to = GM_TIME_MAX;
    double            *slots = gm_alloc_array(r->cli->alloc, gm_program_slot_count(gm_group_program(pg->group)), sizeof *slots);
    gm_status          st    = slots != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "cli.estimate", "beginning");
    if (st == GM_OK && gm_args_given(args, OPT_FROM)) st = gm_time_parse(gm_str_of(gm_args_text(args, OPT_FROM)), &from, err);
    if (st == GM_OK && gm_args_given(args, OPT_TO)) st = gm_time_parse(gm_str_of(gm_args_text(args, OPT_TO)), &to, err);
    setup->lag_s = 0;  // nothing is late in what was recorded
    if (st == GM_OK) st = gm_estimate_bind(r->cli->alloc, setup, pg->group, false, &model, err);
    if (st == GM_OK) st = gm_stretch_gather(r->cli->alloc, pg->engine, model, from, to, &s, err);
    if (st == GM_OK) {
        gm_stretch_then then   = { pg->engine, s.samples[0].at };
        gm_group_reader reader = gm_stretch_reader(&then);
        st = gm_group_fork(pg->group, &reader, gm_group_time(then.at), slots, &report, err);
        if (st == GM_OK) st = gm_vigil_create(r->cli->alloc, setup, pg->group, slots, then.at, &r->vigil, err);
    }
    if (st == GM_OK) {
        write_head(r);
        st = play(r, &s, gm_args_duration(args, OPT_EVERY), err);
    }
    gm_stretch_finish(&s);
    gm_estimate_model_destroy(model);
    gm_free(r->cli->alloc, slots);
    return st;
}

static gm_exit over_history(const gm_cli *cli, const gm_args *args)
{
    gm_plant_group     pg    = { 0 };
    gm_estimate_setup *setup = NULL;
    gm_error           err   = { 0 };
    past_run           r     = { .cli = cli, .out = gm_buf_init(cli->alloc), .csv = gm_args_given(args, OPT_CSV) };
    const char        *plant = gm_args_operand(args, 0);
    if (plant == NULL) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "over history a plant's folder is needed: gemel estimate PLANT --from TIME");
    if (gm_args_duration(args, OPT_EVERY) <= 0) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--every is longer than nothing");
    gm_exit code = gm_estimate_setup_pick(cli, plant, gm_args_text(args, OPT_NAME), gm_args_text(args, OPT_ROOT), &setup);
    if (code != GM_EXIT_OK) return code;
    gm_str root = gm_arena_str(cli->arena, setup->root);
    code        = root.ptr != NULL ? gm_plant_group_open(cli, plant, root.ptr, false, &pg) : gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    if (code == GM_EXIT_OK && (pg.group == NULL || pg.engine == NULL))
        code = gm_cli_fail_text(cli, GM_EXIT_NO, pg.group == NULL ? "the behavior of this twin is an FMU; classes are estimated" : "the plant has recorded nothing yet");
    if (code == GM_EXIT_OK && run_past(&r, &pg, setup, args, &err) != GM_OK) code = gm_cli_fail(cli, &err);
    if (code == GM_EXIT_OK) code = gm_client_print(cli, &r.out);
    else gm_buf_finish(&r.out);
    gm_vigil_destroy(r.vigil);
    gm_plant_group_close(&pg);
    return code;
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    bool past = gm_args_given(args, OPT_FROM) || gm_args_given(args, OPT_TO);
    return past ? over_history(cli, args) : ask_server(cli, args);
}

const gm_verb gm_verb_estimate = {
    .name     = "estimate",
    .summary  = "say where twins really are, by their models and measurements",
    .text     = "Without --from and --to: what the running server estimates (estimate/*.json): states and parameters with their standard "
                "deviations, measured values beside them, faults that are told, and whether the model still fits.\n"
                "\n"
                "With them: runs the same filter over what the plant has recorded, and prints the parameters as they were learned. The "
                "plant's server must not be running; nothing is written.",
    .examples = "gemel estimate\n"
                "gemel estimate examples/pumphouse --from 2026-01-05T00:00:00Z --every 6h\n"
                "gemel estimate examples/pumphouse --root tower --to 2026-02-01T00:00:00Z --csv",
    .syntax   = GM_SYNTAX(options, operands),
    .run      = run,
};
