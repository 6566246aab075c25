// gemel calibrate: fits parameters of a plant's model to what was recorded, and applies them when asked to.
#include "cli/client.h"
#include "cli/estimate_setup.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "insight/estimate/calibrate.h"
#include "insight/estimate/past.h"
#include "thread/facts.h"

#include <math.h>

enum { OPT_ROOT, OPT_NAME, OPT_FROM, OPT_TO, OPT_PARAMS, OPT_STARTS, OPT_SEED, OPT_APPLY, OPT_JSON };
static const gm_option options[] = {
    [OPT_ROOT]   = { "root", GM_OPTION_TEXT, "ID", NULL, "a twin of the group" },
    [OPT_NAME]   = { "name", GM_OPTION_TEXT, "NAME", NULL, "the entry of estimate/*.json with its sensors (default: the only one, or the root's)" },
    [OPT_FROM]   = { "from", GM_OPTION_TIME, "TIME", NULL, "the stretch of history, RFC 3339 (default: all of it)" },
    [OPT_TO]     = { "to", GM_OPTION_TIME, "TIME", NULL, "its end, not included" },
    [OPT_PARAMS] = { "params", GM_OPTION_TEXT, "NAME,...", NULL, "what is fitted, as TWIN.VARIABLE (default: the entry's parameters)" },
    [OPT_STARTS] = { "starts", GM_OPTION_COUNT, "N", "4", "from the present values and N - 1 places between the bounds" },
    [OPT_SEED]   = { "seed", GM_OPTION_COUNT, "N", "1", "of these places" },
    [OPT_APPLY]  = { "apply", GM_OPTION_FLAG, NULL, NULL, "write the fitted values to the twins' properties" },
    [OPT_JSON]   = { "json", GM_OPTION_FLAG, NULL, NULL, "print the result as JSON" },
};
static const gm_operand operands[] = { { "PLANT", "the plant's folder" } };

// The entry with other parameters: those that were named, as the entry speaks of them where it does.
static gm_exit choose(const gm_cli *cli, const gm_args *args, gm_estimate_setup *setup)
{
    const char *names = gm_args_text(args, OPT_PARAMS);
    setup->faults     = (gm_estimate_list){ 0 };
    for (uint32_t i = 0; i < setup->measured.count; i++) setup->measured.items[i].bias = 0;
    if (names == NULL) return setup->parameters.count > 0 ? GM_EXIT_OK : gm_cli_fail_text(cli, GM_EXIT_USAGE, "--params says what is to be fitted");
    gm_estimate_list chosen = { GM_ARENA_NEW(cli->arena, gm_estimate_ask, GM_CALIBRATE_MAX), 0 };
    gm_str           rest   = gm_str_of(names), name;
    if (chosen.items == NULL) return gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    while (gm_str_next(&rest, ',', &name)) {
        if (chosen.count == GM_CALIBRATE_MAX) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--params: at most %d", GM_CALIBRATE_MAX);
        gm_estimate_ask *a = &chosen.items[chosen.count++];
        *a = (gm_estimate_ask){ .name = gm_str_trim(name), .start = NAN, .deviation = NAN, .walk = NAN, .noise = NAN, .min = -INFINITY, .max = INFINITY };
        for (uint32_t i = 0; i < setup->parameters.count; i++)
            if (gm_str_eq(setup->parameters.items[i].name, a->name)) *a = setup->parameters.items[i];
    }
    setup->parameters = chosen;
    return GM_EXIT_OK;
}

static void put_direction(gm_buf *out, const gm_calibration *fit, uint32_t d)
{
    for (uint32_t i = 0, shown = 0; i < fit->count; i++) {
        double part = fit->directions[d][i];
        if (fabs(part) < 0.2) continue;
        if (shown == 0) gm_buf_printf(out, "%.2f ", part);
        else gm_buf_printf(out, " %c %.2f ", part < 0 ? '-' : '+', fabs(part));
        gm_buf_str(out, fit->parameters[i].name);
        shown++;
    }
}

static gm_exit print_text(const gm_cli *cli, const gm_calibration *fit)
{
    enum { COLUMNS = 6 };
    gm_buf         out   = gm_buf_init(cli->alloc);
    gm_table_text *table = gm_table_text_create(cli->arena, COLUMNS);
    const gm_str   head[COLUMNS] = { GM_STR("PARAMETER"), GM_STR("BEFORE"), GM_STR("FITTED"), GM_STR("FROM"), GM_STR("TO (95 %)"), GM_STR("UNIT") };
    gm_table_text_add(table, head);
    for (uint32_t i = 0; i < fit->count; i++) {
        const gm_calibrated *c = &fit->parameters[i];
        const gm_str cells[COLUMNS] = { c->name, gm_arena_printf(cli->arena, "%.6g", c->before), gm_arena_printf(cli->arena, "%.6g%s", c->after, c->bounded ? " (bound)" : ""),
                                        gm_arena_printf(cli->arena, "%.6g", c->low), gm_arena_printf(cli->arena, "%.6g", c->high), c->unit };
        gm_table_text_add(table, cells);
    }
    gm_table_text_write(table, &out);
    gm_buf_printf(&out, "%llu measurements; residuals %.3g deviations before, %.3g after; %u runs of the model%s\n", (unsigned long long)fit->residuals, fit->rms_before,
                  fit->rms_after, fit->runs, fit->converged ? "" : "; NOT converged");
    for (uint32_t d = fit->count - fit->unlearned; d < fit->count; d++) {
        gm_buf_text(&out, "the data can not tell: ");
        put_direction(&out, fit, d);
        gm_buf_byte(&out, '\n');
    }
    return gm_client_print(cli, &out);
}

static void put_number(gm_buf *out, const char *key, double value)
{
    gm_buf_printf(out, ",\"%s\":", key);
    gm_buf_json_number(out, value);
}

static gm_exit print_json(const gm_cli *cli, const gm_calibration *fit)
{
    gm_buf out = gm_buf_init(cli->alloc);
    gm_buf_text(&out, "{\"parameters\":[");
    for (uint32_t i = 0; i < fit->count; i++) {
        const gm_calibrated *c = &fit->parameters[i];
        gm_buf_text(&out, i > 0 ? ",{\"name\":" : "{\"name\":");
        gm_buf_json_str(&out, c->name);
        put_number(&out, "before", c->before);
        put_number(&out, "after", c->after);
        put_number(&out, "low", c->low);
        put_number(&out, "high", c->high);
        gm_buf_printf(&out, ",\"bounded\":%s}", c->bounded ? "true" : "false");
    }
    gm_buf_printf(&out, "],\"measurements\":%llu", (unsigned long long)fit->residuals);
    put_number(&out, "rmsBefore", fit->rms_before);
    put_number(&out, "rmsAfter", fit->rms_after);
    gm_buf_printf(&out, ",\"converged\":%s,\"unlearned\":[", fit->converged ? "true" : "false");
    for (uint32_t d = fit->count - fit->unlearned, n = 0; d < fit->count; d++, n++) {
        gm_buf_text(&out, n > 0 ? ",{\"singular\":" : "{\"singular\":");
        gm_buf_printf(&out, "%.6g,\"direction\":{", fit->singular[d]);
        for (uint32_t i = 0; i < fit->count; i++) {
            if (i > 0) gm_buf_byte(&out, ',');
            gm_buf_json_str(&out, fit->parameters[i].name);
            gm_buf_printf(&out, ":%.6g", fit->directions[d][i]);
        }
        gm_buf_text(&out, "}}");
    }
    gm_buf_text(&out, "]}\n");
    return gm_client_print(cli, &out);
}

// What was fitted is a fact of the twin's operation, too: how it has changed over the years stays readable.
static gm_status tell(gm_plant_group *pg, gm_twin twin, uint32_t column, double value, gm_time_ns now, gm_error *err)
{
    const gm_state  *state = gm_engine_state(pg->engine);
    const gm_column *c     = &gm_state_type(state, twin)->columns[column];
    gm_buf           bytes = gm_buf_init(gm_alloc_system());
    gm_fact          fact  = { .twin = gm_state_id(state, twin), .key = c->path, .phase = GM_PHASE_OPERATED, .from = now, .to = INT64_MAX,
                               .cause = GM_STR("calibration"), .value = { .kind = GM_FACT_NUMBER, .number = value, .unit = c->unit } };
    gm_facts_begin(&bytes);
    gm_facts_add(&bytes, &fact);
    gm_status st = bytes.failed ? gm_fail(err, GM_NOMEM, "cli.calibrate", "out of memory")
                                : gm_engine_submit(pg->engine, GM_CHANGE_FACT, 0, fact.twin, (gm_str){ 0 }, gm_buf_view(&bytes), (gm_ask){ 0 }, err);
    gm_buf_finish(&bytes);
    return st;
}

// All or nothing: a parameter that is no property can not be kept.
static gm_status apply(gm_plant_group *pg, const gm_calibration *fit, gm_time_ns now, gm_error *err)
{
    gm_group_variable v[GM_CALIBRATE_MAX];
    for (uint32_t i = 0; i < fit->count; i++)
        if (!gm_group_find(pg->group, fit->parameters[i].name, &v[i]) || v[i].binding == NULL)
            return gm_fail(err, GM_INVALID, "cli.calibrate", "'" GM_STR_FMT "' is no property of its twin; nothing was applied (its class in behaviors/ holds it)",
                           GM_STR_ARG(gm_str_slice(fit->parameters[i].name, 0, 80)));
    gm_status st = GM_OK;
    for (uint32_t i = 0; st == GM_OK && i < fit->count; i++) {
        gm_cell_write cell = { .column = (uint16_t)v[i].binding->column, .at = now, .value = { .kind = GM_KIND_DOUBLE, .d = fit->parameters[i].after } };
        st = gm_engine_write(pg->engine, gm_group_twin(pg->group, v[i].member), GM_WRITE_PROPERTIES | GM_WRITE_ALWAYS, &cell, 1, (gm_ask){ 0 }, err);
        if (st == GM_OK) st = tell(pg, gm_group_twin(pg->group, v[i].member), cell.column, cell.value.d, now, err);
    }
    return st == GM_OK ? gm_engine_settle(pg->engine, err) : st;
}

static gm_status calibrate(const gm_cli *cli, const gm_args *args, gm_plant_group *pg, const gm_estimate_setup *setup, gm_calibration *fit, gm_error *err)
{
    gm_past              past = { 0 };
    gm_time_ns           from = GM_TIME_MIN, to = GM_TIME_MAX;
    gm_calibrate_options o    = gm_calibrate_options_defaults();
    gm_status            st   = GM_OK;
    o.starts = (uint32_t)gm_args_count(args, OPT_STARTS);
    o.seed   = (uint64_t)gm_args_count(args, OPT_SEED);
    if (gm_args_given(args, OPT_FROM)) st = gm_time_parse(gm_str_of(gm_args_text(args, OPT_FROM)), &from, err);
    if (st == GM_OK && gm_args_given(args, OPT_TO)) st = gm_time_parse(gm_str_of(gm_args_text(args, OPT_TO)), &to, err);
    if (st == GM_OK) st = gm_past_open(cli->alloc, pg->engine, pg->group, setup, from, to, &past, err);
    if (st == GM_OK) st = gm_calibrate(cli->alloc, past.model, past.slots, past.begin, &past.stretch, &o, fit, err);
    // Names are the model's until here.
    for (uint32_t i = 0; i < fit->count; i++) {
        fit->parameters[i].name = gm_arena_str(cli->arena, fit->parameters[i].name);
        fit->parameters[i].unit = gm_arena_str(cli->arena, fit->parameters[i].unit);
    }
    gm_past_close(&past);
    return st;
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    gm_plant_group     pg    = { 0 };
    gm_estimate_setup *setup = NULL;
    gm_calibration     fit   = { 0 };
    gm_error           err   = { 0 };
    const char        *plant = gm_args_operand(args, 0);
    if (gm_args_count(args, OPT_STARTS) < 1 || gm_args_count(args, OPT_STARTS) > 100) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--starts: 1 to 100");
    gm_exit code = gm_estimate_setup_pick(cli, plant, gm_args_text(args, OPT_NAME), gm_args_text(args, OPT_ROOT), &setup);
    if (code == GM_EXIT_OK) code = choose(cli, args, setup);
    if (code != GM_EXIT_OK) return code;
    gm_str root = gm_arena_str(cli->arena, setup->root);
    code        = root.ptr != NULL ? gm_plant_group_open(cli, plant, root.ptr, false, &pg) : gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    if (code == GM_EXIT_OK && (pg.group == NULL || pg.engine == NULL))
        code = gm_cli_fail_text(cli, GM_EXIT_NO, pg.group == NULL ? "the behavior of this twin is an FMU; classes are calibrated" : "the plant has recorded nothing yet");
    if (code == GM_EXIT_OK && calibrate(cli, args, &pg, setup, &fit, &err) != GM_OK) code = gm_cli_fail(cli, &err);
    if (code == GM_EXIT_OK) code = gm_args_given(args, OPT_JSON) ? print_json(cli, &fit) : print_text(cli, &fit);
    if (code == GM_EXIT_OK && gm_args_given(args, OPT_APPLY) && apply(&pg, &fit, gm_now(cli->clock), &err) != GM_OK) code = gm_cli_fail(cli, &err);
    gm_plant_group_close(&pg);
    return code;
}

const gm_verb gm_verb_calibrate = {
    .name     = "calibrate",
    .summary  = "fit parameters of a model to recorded history",
    .text     = "Runs the model of a group over what its plant has recorded and looks for the parameters with which it agrees best. Prints "
                "the fitted values with their 95 % intervals, the residuals before and after, and which combinations of parameters the data "
                "can not tell apart. Nothing is changed without --apply; then the values are written as properties. The plant's server "
                "must not be running.",
    .examples = "gemel calibrate examples/pumphouse --root tower --params pump1.wear,main.pipe.f\n"
                "gemel calibrate examples/pumphouse --from 2026-01-05T00:00:00Z --to 2026-01-06T00:00:00Z --params pump1.wear --apply",
    .syntax   = GM_SYNTAX(options, operands),
    .run      = run,
};
