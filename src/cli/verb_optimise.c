// gemel optimise: the best plan for a group's inputs from where it is, by sampling on lanes of its model.
#include "control/optimise/goal.h"
#include "control/optimise/scenarios.h"
#include "control/optimise/settings.h"
#include "cli/plant_group.h"
#include "cli/table.h"
#include "cli/term_plot.h"
#include "cli/verbs.h"

#include <math.h>

enum {
    OPT_ROOT, OPT_GOAL, OPT_SUBJECT, OPT_INPUT, OPT_TARIFF, OPT_HORIZON, OPT_EVERY, OPT_STEP, OPT_LANES, OPT_ROUNDS, OPT_SEED, OPT_METHOD,
    OPT_PENALTY, OPT_SMOOTH, OPT_OUTPUTS, OPT_INITIAL, OPT_JSON, OPT_PLOT, OPT_UNKNOWN
};
static const gm_option options[] = {
    [OPT_ROOT]    = { "root", GM_OPTION_TEXT, "ID", NULL, "a twin; everything that is connected with it is planned for" },
    [OPT_GOAL]    = { "goal", GM_OPTION_TEXT, "GOAL", NULL, "what to make small: 'integral(pump1.motor.power)', '2*square(tower.level, 4)'; goals add up", .repeats = true },
    [OPT_SUBJECT] = { "subject-to", GM_OPTION_TEXT, "LIMIT", NULL, "what to keep: 'tower.level in 1..5', 'town.pressure >= 2.5e5'", .repeats = true },
    [OPT_INPUT]   = { "input", GM_OPTION_TEXT, "NAME=LOW..HIGH", NULL, "what may be moved, and how far; then 'whole' (whole numbers) or 'rate N' (most per second)", .repeats = true },
    [OPT_TARIFF]  = { "tariff", GM_OPTION_TEXT, "HH:MM=F,...", NULL, "factors of the integrals by the time of day (UTC): 00:00=0.08,06:00=0.31,22:00=0.08" },
    [OPT_HORIZON] = { "horizon", GM_OPTION_DURATION, "TIME", "24h", "how far to look" },
    [OPT_EVERY]   = { "every", GM_OPTION_DURATION, "TIME", "30m", "how often inputs may move" },
    [OPT_STEP]    = { "step", GM_OPTION_DURATION, "TIME", "1s", "length of the model's steps" },
    [OPT_LANES]   = { "lanes", GM_OPTION_COUNT, "N", "256", "plans tried in a round" },
    [OPT_ROUNDS]  = { "rounds", GM_OPTION_COUNT, "N", "8", "rounds" },
    [OPT_SEED]    = { "seed", GM_OPTION_COUNT, "N", "1", "of the random numbers: the same seed gives the same plan" },
    [OPT_METHOD]  = { "method", GM_OPTION_TEXT, "NAME", "cem", "cem (mean and covariance of the best plans), mppi (all plans, weighted) or settings (one value for the whole horizon, ranked over scenarios)" },
    [OPT_UNKNOWN] = { "unknown", GM_OPTION_TEXT, "NAME=LAW", NULL, "of settings: what nobody knows, drawn for each scenario: 'town.base*=uniform(0.9,1.1)'", .repeats = true },
    [OPT_PENALTY] = { "penalty", GM_OPTION_NUMBER, "WEIGHT", "1e7", "what a broken limit costs: weight * (how far, as a share of the range or limit)^2 * seconds" },
    [OPT_SMOOTH]  = { "smooth", GM_OPTION_NUMBER, "WEIGHT", "0", "what moving an input costs: weight * (share of its range)^2" },
    [OPT_OUTPUTS] = { "outputs", GM_OPTION_TEXT, "NAME,...", NULL, "what else to show along the plan" },
    [OPT_INITIAL] = { "initial", GM_OPTION_FLAG, NULL, NULL, "begin with the plant's files, not with its data" },
    [OPT_JSON]    = { "json", GM_OPTION_FLAG, NULL, NULL, "print one JSON document" },
    [OPT_PLOT]    = { "plot", GM_OPTION_FLAG, NULL, NULL, "draw what the plan leads to" },
};
static const gm_operand operands[] = { { "PLANT", "the plant's folder", false, false } };

enum { SHOWN_MAX = 32, DEFAULT_LANES_MAX = GM_MPC_LANES_MAX };

typedef struct shown { gm_str name; gm_group_variable of; } shown;

typedef struct job {
    const gm_cli   *cli;
    const gm_args  *args;
    gm_plant_group  pg;
    gm_mpc_options  o;
    gm_goal        *goals;    // goals, then limits, then moves
    gm_mpc_term    *terms;
    uint32_t        goal_count, term_count;
    gm_mpc_input   *inputs;
    shown          *input_names;
    uint32_t        input_count;
    shown           outputs[SHOWN_MAX];
    uint32_t        output_count;
    double          start;    // program time
    double         *base, *price;
    gm_mpc         *mpc;
    gm_mpc_report   report;
    bool            settings;
    gm_settings     ranking;  // of settings
    double         *planned, *held;  // [outputs][looks + 1]
} job;

// ---- the request -------------------------------------------------------------------------------------------------------------

static gm_status show(job *j, gm_str name, const gm_group_variable *of, gm_error *err)
{
    for (uint32_t i = 0; i < j->output_count; i++) {
        if (gm_str_eq(j->outputs[i].name, name)) return GM_OK;
    }
    if (j->output_count == SHOWN_MAX) return gm_fail(err, GM_LIMIT, "optimise", "at most %d outputs", SHOWN_MAX);
    j->outputs[j->output_count++] = (shown){ name, *of };
    return GM_OK;
}

static gm_status read_outputs(job *j, gm_error *err)
{
    gm_str rest = gm_str_of(gm_args_text(j->args, OPT_OUTPUTS)), name;
    gm_status st = GM_OK;
    while (st == GM_OK && rest.ptr != NULL && gm_str_next(&rest, ',', &name)) {
        gm_group_variable v;
        name = gm_str_trim(name);
        if (!gm_group_find(j->pg.group, name, &v)) st = gm_fail(err, GM_NOTFOUND, "optimise", "nothing here is called '" GM_STR_FMT "'", GM_STR_ARG(name));
        else st = show(j, name, &v, err);
    }
    return st;
}

static gm_status read_goals(job *j, gm_error *err)
{
    const gm_args *args   = j->args;
    size_t         goals  = args->value_counts[OPT_GOAL], limits = args->value_counts[OPT_SUBJECT];
    double         smooth = gm_args_number(args, OPT_SMOOTH);
    gm_status      st     = GM_OK;
    size_t         room   = goals + limits + args->value_counts[OPT_INPUT] + 1;
    j->goals = GM_ARENA_NEW(j->cli->arena, gm_goal, room);
    j->terms = GM_ARENA_NEW(j->cli->arena, gm_mpc_term, room);
    if (j->goals == NULL || j->terms == NULL) return gm_fail(err, GM_NOMEM, "optimise", "reading goals");
    for (size_t i = 0; i < goals && st == GM_OK; i++) {
        st = gm_goal_parse(j->pg.group, gm_str_of(args->values[OPT_GOAL][i]), &j->goals[j->goal_count], err);
        j->goal_count++;
    }
    for (size_t i = 0; i < limits && st == GM_OK; i++) {
        gm_str text = gm_str_of(args->values[OPT_SUBJECT][i]);
        st = gm_goal_parse_limit(j->pg.group, text, gm_args_number(args, OPT_PENALTY), &j->goals[j->goal_count], err);
        size_t end = 0;
        while (end < text.len && text.ptr[end] != ' ' && text.ptr[end] != '<' && text.ptr[end] != '>') end++;
        if (st == GM_OK) st = show(j, gm_str_slice(text, 0, end), &j->goals[j->goal_count].of, err);
        j->goal_count++;
    }
    for (uint32_t i = 0; i < j->goal_count; i++) j->terms[j->term_count++] = j->goals[i].term;
    for (uint32_t i = 0; smooth > 0 && i < j->input_count; i++) {
        double range = j->inputs[i].high - j->inputs[i].low;
        j->terms[j->term_count++] = (gm_mpc_term){ .kind = GM_MPC_MOVES, .weight = smooth / (range * range), .input = i };
    }
    return st;
}

static gm_status read_inputs(job *j, gm_error *err)
{
    size_t    count = j->args->value_counts[OPT_INPUT];
    gm_status st    = GM_OK;
    j->inputs       = GM_ARENA_NEW(j->cli->arena, gm_mpc_input, count + 1);
    j->input_names  = GM_ARENA_NEW(j->cli->arena, shown, count + 1);
    if (j->inputs == NULL || j->input_names == NULL) return gm_fail(err, GM_NOMEM, "optimise", "reading inputs");
    for (size_t i = 0; i < count && st == GM_OK; i++) {
        gm_str text = gm_str_of(j->args->values[OPT_INPUT][i]);
        st = gm_goal_parse_input(j->pg.group, text, &j->inputs[i], &j->input_names[i].of, err);
        j->input_names[i].name = gm_str_trim(gm_str_slice(text, 0, gm_str_find_char(text, '=')));
        j->input_count++;
    }
    return st;
}

static gm_status read_tariff(job *j, gm_error *err)
{
    enum { PER_DAY = 288 };  // five minutes each
    gm_tariff tariff;
    if (!gm_args_given(j->args, OPT_TARIFF)) return GM_OK;
    gm_status st = gm_goal_parse_tariff(gm_str_of(gm_args_text(j->args, OPT_TARIFF)), &tariff, err);
    if (st != GM_OK) return st;
    double   horizon = j->o.knots * j->o.knot_s;
    uint32_t count   = (uint32_t)ceil(horizon / (86400.0 / PER_DAY)) + 1;
    j->price = GM_ARENA_NEW(j->cli->arena, double, count);
    if (j->price == NULL) return gm_fail(err, GM_NOMEM, "optimise", "reading the tariff");
    for (uint32_t i = 0; i < count; i++) j->price[i] = gm_tariff_at(&tariff, j->start + i * (86400.0 / PER_DAY));
    for (uint32_t i = 0; i < j->goal_count; i++) {
        if (!j->goals[i].priced) continue;
        j->terms[i].price       = j->price;
        j->terms[i].price_count = count;
        j->terms[i].price_s     = 86400.0 / PER_DAY;
    }
    return GM_OK;
}

static gm_status read_options(job *j, gm_error *err)
{
    const gm_args *args = j->args;
    const char    *method = gm_args_text(args, OPT_METHOD);
    double horizon = (double)gm_args_duration(args, OPT_HORIZON) / 1e9, every = (double)gm_args_duration(args, OPT_EVERY) / 1e9;
    if (!(every > 0) || !(horizon >= every)) return gm_fail(err, GM_INVALID, "optimise", "--every must be positive and no longer than --horizon");
    if (horizon / every > GM_MPC_KNOTS_MAX) return gm_fail(err, GM_LIMIT, "optimise", "the plan has %.0f values; at most %d", horizon / every, GM_MPC_KNOTS_MAX);
    j->settings = strcmp(method, "settings") == 0;
    if (strcmp(method, "cem") != 0 && strcmp(method, "mppi") != 0 && !j->settings) return gm_fail(err, GM_INVALID, "optimise", "--method is cem, mppi or settings");
    if (j->settings) every = horizon;
    if (!j->settings && args->value_counts[OPT_UNKNOWN] > 0) return gm_fail(err, GM_INVALID, "optimise", "--unknown is for --method settings");
    if (gm_args_count(args, OPT_LANES) > DEFAULT_LANES_MAX || gm_args_count(args, OPT_ROUNDS) > 10000) {
        return gm_fail(err, GM_LIMIT, "optimise", "at most %d lanes and 10000 rounds", DEFAULT_LANES_MAX);
    }
    j->o        = gm_mpc_options_defaults();
    j->o.method = strcmp(method, "mppi") == 0 ? GM_MPC_MPPI : GM_MPC_CEM;
    j->o.knots  = (uint32_t)ceil(horizon / every - 1e-9);
    j->o.knot_s = every;
    j->o.look_s = fmin(every, 60);
    j->o.step_s = (double)gm_args_duration(args, OPT_STEP) / 1e9;
    j->o.lanes  = (uint32_t)gm_args_count(args, OPT_LANES);
    j->o.rounds = (uint32_t)gm_args_count(args, OPT_ROUNDS);
    j->o.seed   = (uint64_t)gm_args_count(args, OPT_SEED);
    return GM_OK;
}

static gm_status fork_state(job *j, gm_error *err)
{
    gm_group_reader reader = gm_group_live_reader(j->pg.state);
    gm_fork_report  report;
    j->base = GM_ARENA_NEW(j->cli->arena, double, gm_program_slot_count(gm_group_program(j->pg.group)));
    if (j->base == NULL) return gm_fail(err, GM_NOMEM, "optimise", "forking the state");
    return gm_group_fork(j->pg.group, &reader, j->start, j->base, &report, err);
}

// ---- solving -----------------------------------------------------------------------------------------------------------------

static gm_status follow(job *j, const double *plan, double *out, gm_error *err)
{
    gm_slot  slots[SHOWN_MAX];
    double   cost;
    uint32_t n = gm_mpc_looks(j->mpc) + 1;
    for (uint32_t i = 0; i < j->output_count; i++) slots[i] = j->outputs[i].of.slot;
    gm_status st = gm_mpc_follow(j->mpc, j->base, plan, slots, j->output_count, out, &cost, err);
    for (uint32_t i = 0; i < j->output_count; i++) {
        const gm_group_variable *v = &j->outputs[i].of;
        for (uint32_t k = 0; k < n; k++) out[(size_t)i * n + k] = (out[(size_t)i * n + k] - v->offset) / v->factor;
    }
    return st;
}

static gm_status rank(job *j, gm_error *err)
{
    const double *scenarios[GM_SCENARIOS_DRAWS] = { j->base };
    gm_scenarios  unknown;
    size_t        slots = gm_program_slot_count(gm_group_program(j->pg.group));
    uint32_t      asked = (uint32_t)j->args->value_counts[OPT_UNKNOWN], count = asked > 0 ? GM_SCENARIOS_DRAWS : 1;
    gm_str       *texts = GM_ARENA_NEW(j->cli->arena, gm_str, asked + 1);
    double       *draws = GM_ARENA_NEW(j->cli->arena, double, slots * GM_SCENARIOS_DRAWS);
    if (texts == NULL || draws == NULL) return gm_fail(err, GM_NOMEM, "optimise", "drawing scenarios");
    for (uint32_t i = 0; i < asked; i++) texts[i] = gm_str_of(j->args->values[OPT_UNKNOWN][i]);
    gm_status st = gm_scenarios_read(j->pg.group, texts, asked, j->cli->arena, &unknown, err);
    for (uint32_t i = 0; st == GM_OK && asked > 0 && i < count; i++) {
        double *draw = draws + i * slots;
        memcpy(draw, j->base, slots * sizeof *draw);
        gm_scenarios_put(&unknown, j->o.seed, i, draw);
        scenarios[i] = draw;
    }
    gm_settings_options o = { .candidates = j->o.lanes, .rounds = j->o.rounds, .seed = j->o.seed };
    if (st == GM_OK) st = gm_settings_rank(j->cli->alloc, j->mpc, j->inputs, j->input_count, scenarios, count, &o, &j->ranking, err);
    if (st != GM_OK) return st;
    const gm_setting *best = &j->ranking.items[0];
    gm_mpc_reset(j->mpc, best->values);
    j->report = (gm_mpc_report){ .cost = best->cost, .held = best->held, .broken = best->broken };
    return GM_OK;
}

static gm_status solve(job *j, gm_error *err)
{
    size_t values = (size_t)(j->output_count + 1) * ((size_t)j->o.knots * (size_t)ceil(j->o.knot_s / j->o.look_s) + 2);
    j->o.gradual = j->settings;
    gm_status st  = gm_mpc_create(j->cli->alloc, gm_group_program(j->pg.group), &j->o, j->inputs, j->input_count, j->terms, j->term_count, &j->mpc, err);
    if (st == GM_OK) st = j->settings ? rank(j, err) : gm_mpc_solve(j->mpc, j->base, &j->report, err);
    if (st != GM_OK) return st;
    double *still = GM_ARENA_NEW(j->cli->arena, double, (size_t)j->input_count * j->o.knots);
    gm_error away = { 0 };
    j->planned = GM_ARENA_NEW(j->cli->arena, double, values);
    j->held    = GM_ARENA_NEW(j->cli->arena, double, values);
    if (j->planned == NULL || j->held == NULL || still == NULL) return gm_fail(err, GM_NOMEM, "optimise", "following the plan");
    for (uint32_t i = 0; i < j->input_count; i++) {
        for (uint32_t k = 0; k < j->o.knots; k++) still[(size_t)i * j->o.knots + k] = j->base[j->inputs[i].slot.v];
    }
    st = follow(j, gm_mpc_plan(j->mpc), j->planned, err);
    if (st == GM_OK) (void)follow(j, still, j->held, &away);  // where it fails, the numbers it has are shown
    return st;
}

// ---- what is told ------------------------------------------------------------------------------------------------------------

static double shown_value(const gm_group_variable *v, double set) { return (set - v->set_offset) / v->set_factor; }

static void write_series(gm_buf *out, const double *values, uint32_t count)
{
    gm_buf_byte(out, '[');
    for (uint32_t k = 0; k < count; k++) {
        if (k > 0) gm_buf_byte(out, ',');
        gm_buf_json_number(out, values[k]);
    }
    gm_buf_byte(out, ']');
}

static void write_json(const job *j, double seconds, gm_buf *out)
{
    uint32_t looks = gm_mpc_looks(j->mpc) + 1, knots = j->o.knots;
    const struct { const char *name; double value; } costs[] = {
        { "cost", j->report.cost }, { "held", j->report.held }, { "gain", j->report.held - j->report.cost }, { "broken", j->report.broken },
        { "every_s", j->o.knot_s }, { "look_s", gm_mpc_look_s(j->mpc) }, { "lane_steps", (double)j->report.lane_steps }, { "seconds", seconds },
    };
    gm_buf_byte(out, '{');
    for (size_t i = 0; i < GM_COUNT_OF(costs); i++) {
        gm_buf_printf(out, "%s\"%s\":", i > 0 ? "," : "", costs[i].name);
        gm_buf_json_number(out, costs[i].value);
    }
    gm_buf_printf(out, ",\"failed\":%u,\"plan\":{", j->report.failed);
    for (uint32_t i = 0; i < j->input_count; i++) {
        if (i > 0) gm_buf_byte(out, ',');
        gm_buf_json_str(out, j->input_names[i].name);
        gm_buf_text(out, ":[");
        for (uint32_t k = 0; k < knots; k++) {
            if (k > 0) gm_buf_byte(out, ',');
            gm_buf_json_number(out, shown_value(&j->input_names[i].of, gm_mpc_plan(j->mpc)[(size_t)i * knots + k]));
        }
        gm_buf_byte(out, ']');
    }
    gm_buf_text(out, "},\"outputs\":{");
    for (uint32_t i = 0; i < j->output_count; i++) {
        if (i > 0) gm_buf_byte(out, ',');
        gm_buf_json_str(out, j->outputs[i].name);
        gm_buf_text(out, ":{\"planned\":");
        write_series(out, j->planned + (size_t)i * looks, looks);
        gm_buf_text(out, ",\"held\":");
        write_series(out, j->held + (size_t)i * looks, looks);
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, '}');
    if (j->settings) {
        gm_setting_name *names = GM_ARENA_NEW(j->cli->arena, gm_setting_name, j->input_count);
        if (names == NULL) { out->failed = true; return; }
        for (uint32_t i = 0; i < j->input_count; i++)
            names[i] = (gm_setting_name){ j->input_names[i].name, j->input_names[i].of.set_factor, j->input_names[i].of.set_offset };
        gm_buf_byte(out, ',');
        gm_settings_write(&j->ranking, names, j->input_count, out);
    }
    gm_buf_text(out, "}\n");
}

static void write_plots(const job *j, gm_buf *out)
{
    uint32_t looks = gm_mpc_looks(j->mpc) + 1;
    double  *hours = GM_ARENA_NEW(j->cli->arena, double, looks);
    if (hours == NULL) { out->failed = true; return; }
    for (uint32_t k = 0; k < looks; k++) hours[k] = k * gm_mpc_look_s(j->mpc) / 3600;
    for (uint32_t i = 0; i < j->output_count; i++) {
        gm_str         unit = gm_arena_str(j->cli->arena, j->outputs[i].of.unit), name = gm_arena_str(j->cli->arena, j->outputs[i].name);
        gm_term_plot   plot = { .width = 100, .height = 14, .unit = unit.ptr, .x_unit = "h" };
        gm_term_series s[]  = { { .x = hours, .y = j->planned + (size_t)i * looks, .count = looks, .name = name.ptr },
                                { .x = hours, .y = j->held + (size_t)i * looks, .count = looks, .name = "inputs held" } };
        gm_buf_byte(out, '\n');
        gm_term_plot_draw(&plot, s, 2, out);
    }
}

// A row for each setting, the best first.
static void write_ranking(const job *j, double seconds, gm_buf *out)
{
    enum { MORE = 4 };
    static const char *const head[MORE] = { "COST", "GAIN", "BETTER", "LIMITS" };
    gm_table_text *table = gm_table_text_create(j->cli->arena, j->input_count + MORE);
    gm_str        *cells = GM_ARENA_NEW(j->cli->arena, gm_str, j->input_count + MORE);
    if (table == NULL || cells == NULL) { out->failed = true; return; }
    gm_buf_printf(out, "%u settings tried, judged by %u scenario%s, %.3g s; as it is %.6g\n\n", j->o.lanes * j->o.rounds, j->ranking.judged, j->ranking.judged == 1 ? "" : "s",
                  seconds, j->ranking.items[0].held);
    for (uint32_t i = 0; i < j->input_count; i++) cells[i] = j->input_names[i].name;
    for (uint32_t k = 0; k < MORE; k++) cells[j->input_count + k] = gm_str_of(head[k]);
    gm_table_text_add(table, cells);
    for (uint32_t r = 0; r < j->ranking.count; r++) {
        const gm_setting *s = &j->ranking.items[r];
        for (uint32_t i = 0; i < j->input_count; i++) cells[i] = gm_arena_printf(j->cli->arena, "%.5g", shown_value(&j->input_names[i].of, s->values[i]));
        cells[j->input_count]     = gm_arena_printf(j->cli->arena, "%.6g", s->cost);
        cells[j->input_count + 1] = isnan(s->gain_deviation) ? gm_arena_printf(j->cli->arena, "%.5g", s->gain)
                                                             : gm_arena_printf(j->cli->arena, "%.5g +- %.2g", s->gain, s->gain_deviation);
        cells[j->input_count + 2] = gm_arena_printf(j->cli->arena, "%.0f %%", 100 * s->better);
        cells[j->input_count + 3] = s->broken > 0 ? gm_arena_printf(j->cli->arena, "broken in %.0f %%", 100 * s->broken) : GM_STR("kept");
        gm_table_text_add(table, cells);
    }
    gm_table_text_write(table, out);
    if (gm_args_given(j->args, OPT_PLOT)) write_plots(j, out);
}

static void write_text(const job *j, double seconds, gm_buf *out)
{
    gm_table_text *table = gm_table_text_create(j->cli->arena, j->input_count + 1);
    gm_str        *cells = GM_ARENA_NEW(j->cli->arena, gm_str, j->input_count + 1);
    if (table == NULL || cells == NULL) { out->failed = true; return; }
    gm_buf_printf(out, "cost %.6g with the plan, %.6g with inputs held", j->report.cost, j->report.held);
    if (isfinite(j->report.held) && j->report.held != 0) gm_buf_printf(out, " (%.1f %% less)", 100 * (1 - j->report.cost / j->report.held));
    gm_buf_printf(out, "\n%s; %u plans tried, %.3g s\n\n", j->report.broken > 0 ? "limits are broken for a while" : "all limits are kept",
                  j->o.lanes * j->o.rounds, seconds);
    cells[0] = GM_STR("FROM");
    for (uint32_t i = 0; i < j->input_count; i++) cells[i + 1] = j->input_names[i].name;
    gm_table_text_add(table, cells);
    for (uint32_t k = 0; k < j->o.knots; k++) {
        double at = k * j->o.knot_s;
        cells[0]  = gm_arena_printf(j->cli->arena, "+%02.0f:%02.0f:%02.0f", floor(at / 3600), floor(fmod(at, 3600) / 60), fmod(at, 60));
        for (uint32_t i = 0; i < j->input_count; i++) {
            cells[i + 1] = gm_arena_printf(j->cli->arena, "%.5g", shown_value(&j->input_names[i].of, gm_mpc_plan(j->mpc)[(size_t)i * j->o.knots + k]));
        }
        gm_table_text_add(table, cells);
    }
    gm_table_text_write(table, out);
    if (gm_args_given(j->args, OPT_PLOT)) write_plots(j, out);
}

static gm_exit tell(const job *j, double seconds)
{
    gm_buf out = gm_buf_init(j->cli->alloc);
    if (gm_args_given(j->args, OPT_JSON)) write_json(j, seconds, &out);
    else if (j->settings) write_ranking(j, seconds, &out);
    else write_text(j, seconds, &out);
    gm_exit code = out.failed ? gm_cli_fail_text(j->cli, GM_EXIT_SYSTEM, "out of memory") : GM_EXIT_OK;
    if (!out.failed) fwrite(out.ptr, 1, out.len, j->cli->out);
    gm_buf_finish(&out);
    return code;
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    job        j     = { .cli = cli, .args = args, .start = gm_group_time(gm_now(cli->clock)) };
    gm_error   err   = { 0 };
    gm_time_ns begin = gm_monotonic(cli->clock);
    gm_exit    code  = gm_plant_group_open(cli, gm_args_operand(args, 0), gm_args_text(args, OPT_ROOT), gm_args_given(args, OPT_INITIAL), &j.pg);
    if (code == GM_EXIT_OK && j.pg.group == NULL) code = gm_cli_fail_text(cli, GM_EXIT_NO, "the behavior of this twin is an FMU; plans need a class");
    if (code == GM_EXIT_OK) {
        gm_status st = read_options(&j, &err);
        if (st == GM_OK) st = read_inputs(&j, &err);
        if (st == GM_OK) st = read_goals(&j, &err);
        if (st == GM_OK) st = read_tariff(&j, &err);
        if (st == GM_OK) st = read_outputs(&j, &err);
        if (st == GM_OK) st = fork_state(&j, &err);
        if (st == GM_OK) st = solve(&j, &err);
        code = st == GM_OK ? tell(&j, (double)(gm_monotonic(cli->clock) - begin) / 1e9) : gm_cli_fail(cli, &err);
    }
    gm_mpc_destroy(j.mpc);
    gm_settings_finish(&j.ranking);
    gm_plant_group_close(&j.pg);
    return code;
}

const gm_verb gm_verb_optimise = {
    .name     = "optimise",
    .summary  = "find the best plan for a plant's inputs from where it is",
    .text     = "Forks the state, tries plans by the hundred on the model, and averages the good ones into better ones (sampling model-predictive "
                "control). The plan is advice: nothing is sent. It is compared with leaving the inputs as they are, and never worse than that.\n\n"
                "Limits are costs with a large weight (--penalty); the answer says whether the plan keeps them all. The same seed gives the same plan.\n\n"
                "With --method settings, one value of each input for the whole horizon is looked for instead: candidates are ranked over scenarios "
                "that --unknown draws, and the best are told with what each would bring.",
    .examples = "gemel optimise examples/pumphouse --root tower --goal 'integral(pump1.motor.power)' --subject-to 'tower.level in 2..5' "
                "--input 'pump1.speed=0.8..1.1' --horizon 6h --plot",
    .syntax   = GM_SYNTAX(options, operands),
    .run      = run,
};
