#include "cli/futures_print.h"

#include "cli/client.h"
#include "cli/table.h"
#include "cli/term_plot.h"

#include <math.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { ROWS = 12, COLUMNS_MAX = 12 };

const char *gm_futures_time_text(double s, char out[32])
{
    static const struct {
        double      from, unit;
        const char *name;
    } units[] = { { 2 * 86400, 86400, "d" }, { 2 * 3600, 3600, "h" }, { 120, 60, "min" }, { 0, 1, "s" } };
    size_t i = 0;
    while (s < units[i].from) i++;
    snprintf(out, 32, "%.4g %s", s / units[i].unit, units[i].name);
    return out;
}

static double number_at(const json_t *list, size_t i)
{
    const json_t *value = json_array_get(list, i);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static gm_str number_text(const gm_cli *cli, double value)
{
    return isnan(value) ? GM_STR("-") : gm_arena_printf(cli->arena, "%.6g", value);
}

static void print_output(const gm_cli *cli, const char *name, const json_t *output, const json_t *time, gm_buf *out)
{
    const json_t  *quantiles = json_object_get(output, "quantiles"), *curve;
    size_t         n = json_array_size(time), columns = 1 + json_object_size(quantiles) + 1,
           stride = n > ROWS ? (n - 1 + ROWS - 1) / ROWS : 1;
    gm_str         cells[COLUMNS_MAX];
    const char    *key;
    if (columns > COLUMNS_MAX) columns = COLUMNS_MAX;
    gm_table_text *table = gm_table_text_create(cli->arena, columns);
    for (size_t p = 0; p <= n; p++) {  // p = 0 is the header
        size_t k = 1, row = p - 1;
        char   text[32];
        if (p > 0 && row % stride != 0 && p != n) continue;
        cells[0] = p == 0 ? gm_str_of(name)
                          : gm_arena_printf(cli->arena, "%s", gm_futures_time_text(number_at(time, row), text));
        json_object_foreach((json_t *)(uintptr_t)quantiles, key, curve) {
            if (k + 1 >= columns) break;
            cells[k++] = p == 0 ? gm_arena_printf(cli->arena, "%g %%", 100 * strtod(key, NULL))
                                : number_text(cli, number_at(curve, row));
        }
        cells[k] = p == 0 ? GM_STR("mean") : number_text(cli, number_at(json_object_get(output, "mean"), row));
        gm_table_text_add(table, cells);
    }
    gm_table_text_write(table, out);
    gm_buf_byte(out, '\n');
}

static void print_passages(const json_t *until, gm_buf *out)
{
    const char *text;
    json_t     *p;
    json_object_foreach((json_t *)(uintptr_t)until, text, p) {
        const json_t *interval = json_object_get(p, "interval");
        double        median   = NAN;
        const char   *key;
        json_t       *value;
        char          time[32];
        json_object_foreach(json_object_get(p, "quantiles"), key, value) {
            if (strtod(key, NULL) == 0.5 && json_is_number(value)) median = json_number_value(value);
        }
        gm_buf_printf(out, "%s: %.1f %% of lanes by the horizon (95 %% interval %.1f to %.1f %%)", text,
                      100 * json_number_value(json_object_get(p, "probability")), 100 * number_at(interval, 0),
                      100 * number_at(interval, 1));
        if (!isnan(median)) gm_buf_printf(out, ", half of them within %s", gm_futures_time_text(median, time));
        gm_buf_byte(out, '\n');
    }
}

static void print_scores(const json_t *scores, gm_buf *out)
{
    const char *text;
    json_t     *s;
    json_object_foreach((json_t *)(uintptr_t)scores, text, s) {
        gm_buf_printf(
            out, "%s: mean %.6g, sd %.3g, from %.6g (lane %lld) to %.6g (lane %lld)\n", text,
            json_number_value(json_object_get(s, "mean")), json_number_value(json_object_get(s, "sd")),
            json_number_value(json_object_get(s, "min")), (long long)json_integer_value(json_object_get(s, "minLane")),
            json_number_value(json_object_get(s, "max")), (long long)json_integer_value(json_object_get(s, "maxLane")));
    }
}

static void print_sensitivity(const json_t *all, gm_buf *out)
{
    const char *of, *input;
    json_t     *inputs, *s;
    json_object_foreach((json_t *)(uintptr_t)all, of, inputs) {
        gm_buf_printf(out, "what moves %s:", of);
        json_object_foreach(inputs, input, s) {
            bool sobol = json_object_get(s, "total") != NULL;
            gm_buf_printf(out, sobol ? " %s %.0f %% (with interactions %.0f %%)" : " %s %.4g (up to %.4g)", input,
                          sobol ? 100 * json_number_value(json_object_get(s, "first"))
                                : json_number_value(json_object_get(s, "mean")),
                          sobol ? 100 * json_number_value(json_object_get(s, "total"))
                                : json_number_value(json_object_get(s, "meanAbsolute")));
        }
        gm_buf_byte(out, '\n');
    }
}

static void print_end(const json_t *result, gm_buf *out)
{
    long long lanes     = json_integer_value(json_object_get(result, "lanes")),
              failed    = json_integer_value(json_object_get(result, "diverged"));
    double seconds      = json_number_value(json_object_get(result, "seconds")),
           steps        = json_number_value(json_object_get(result, "laneSteps"));
    const json_t *first = json_array_get(json_object_get(result, "troubles"), 0);
    gm_buf_printf(out, "%s: %lld lanes in %.2f s", json_string_value(json_object_get(result, "id")), lanes, seconds);
    if (steps > 0 && seconds > 0) gm_buf_printf(out, ", %.3g lane-steps/s", steps / seconds);
    if (failed > 0) gm_buf_printf(out, "; %lld failed and are not counted", failed);
    if (first != NULL) {
        const char *message = json_string_value(json_object_get(first, "message"));
        gm_buf_printf(
            out, " (lane %lld at %.6g s: %s%s%s)", (long long)json_integer_value(json_object_get(first, "lane")),
            json_number_value(json_object_get(first, "time")), json_string_value(json_object_get(first, "reason")),
            message != NULL && message[0] != '\0' ? ", " : "", message != NULL ? message : "");
    }
    gm_buf_byte(out, '\n');
}

// A line of print_members: the member's values, or what they are called (root is NULL). Returns how many cells there are.
static size_t member_cells(const gm_cli *cli, const char *root, json_t *member, gm_str cells[COLUMNS_MAX])
{
    json_t     *of, *curve;
    const char *name, *key;
    size_t      k = 1;
    cells[0]      = root == NULL ? GM_STR("at the horizon") : gm_str_of(root);
    json_object_foreach(json_object_get(member, "outputs"), name, of) {
        json_object_foreach(json_object_get(of, "quantiles"), key, curve) {
            if (k == COLUMNS_MAX) return k;
            cells[k++] = root == NULL ? gm_arena_printf(cli->arena, "%s %g %%", name, 100 * strtod(key, NULL))
                                      : number_text(cli, number_at(curve, json_array_size(curve) - 1));
        }
    }
    json_object_foreach(json_object_get(member, "until"), name, of) {
        double p = json_number_value(json_object_get(of, "probability"));
        if (k == COLUMNS_MAX) return k;
        cells[k++] = root == NULL ? gm_str_of(name) : gm_arena_printf(cli->arena, "%.1f %%", 100 * p);
    }
    return k;
}

// A line for each member of a fleet: where its outputs are at the horizon, and how likely its conditions are.
static void print_members(const gm_cli *cli, const json_t *of, gm_buf *out)
{
    json_t     *members = json_object_get(of, "members"), *member;
    const char *root;
    gm_str      cells[COLUMNS_MAX];
    if (json_object_size(members) == 0) return;
    size_t         columns = member_cells(cli, NULL, json_object_iter_value(json_object_iter(members)), cells);
    gm_table_text *table   = gm_table_text_create(cli->arena, columns);
    gm_table_text_add(table, cells);
    json_object_foreach(members, root, member) {
        member_cells(cli, root, member, cells);
        gm_table_text_add(table, cells);
    }
    gm_table_text_write(table, out);
    gm_buf_byte(out, '\n');
}

typedef void each_output(const gm_cli *cli, const char *name, const json_t *output, const json_t *time, gm_buf *out);

static void each_of(const gm_cli *cli, const json_t *result, const char *scenario, const json_t *outputs,
                    each_output *print, gm_buf *out)
{
    const char *name;
    json_t     *output;
    json_object_foreach((json_t *)(uintptr_t)outputs, name, output) {
        gm_str full = scenario != NULL ? gm_arena_printf(cli->arena, "%s: %s", scenario, name) : gm_str_of(name);
        if (full.ptr != NULL) print(cli, full.ptr, output, json_object_get(result, "time"), out);
    }
}

static gm_exit print_all(const gm_cli *cli, const json_t *result, each_output *print)
{
    gm_buf      out       = gm_buf_init(cli->alloc);
    json_t     *scenarios = json_object_get(result, "scenarios"), *one;
    const char *name;
    if (scenarios == NULL) each_of(cli, result, NULL, json_object_get(result, "outputs"), print, &out);
    json_object_foreach(scenarios, name, one) {
        each_of(cli, result, name, json_object_get(one, "outputs"), print, &out);
        print_passages(json_object_get(one, "until"), &out);
        print_scores(json_object_get(one, "scores"), &out);
        print_members(cli, one, &out);
    }
    if (scenarios == NULL) {
        print_passages(json_object_get(result, "until"), &out);
        print_scores(json_object_get(result, "scores"), &out);
        print_members(cli, result, &out);
        print_sensitivity(json_object_get(result, "sensitivity"), &out);
    }
    print_end(result, &out);
    return gm_client_print(cli, &out);
}

gm_exit gm_futures_print_tables(const gm_cli *cli, const json_t *result)
{
    return print_all(cli, result, print_output);
}

// ---- fans -----------------------------------------------------------------------------------------------------------

static double *numbers_of(const gm_cli *cli, const json_t *list, double scale)
{
    double *x = GM_ARENA_NEW(cli->arena, double, json_array_size(list) + 1);
    for (size_t i = 0; x != NULL && i < json_array_size(list); i++) x[i] = number_at(list, i) / scale;
    return x;
}

// The band between the outermost quantiles, filled, and the middle one as a line.
static void draw_fan(const gm_cli *cli, const char *name, const json_t *output, const json_t *time, gm_buf *out)
{
    const json_t *quantiles = json_object_get(output, "quantiles"), *low = NULL, *middle = NULL, *high = NULL;
    double        least = 2, most = -1, away = 2;
    const char   *key;
    json_t       *curve;
    json_object_foreach((json_t *)(uintptr_t)quantiles, key, curve) {
        double q = strtod(key, NULL);
        if (q < least) least = q, low = curve;
        if (q > most) most = q, high = curve;
        if (fabs(q - 0.5) < away) away = fabs(q - 0.5), middle = curve;
    }
    double  horizon = number_at(time, json_array_size(time) - 1), scale = horizon >= 2 * 86400 ? 86400
                                                                          : horizon >= 7200    ? 3600
                                                                                               : 1;
    double *t = numbers_of(cli, time, scale), *l = numbers_of(cli, low, 1), *h = numbers_of(cli, high, 1),
           *m           = numbers_of(cli, middle, 1);
    gm_term_plot plot = { .x_unit = scale == 86400 ? "d" : scale == 3600 ? "h" : "s", .colour = cli->terminal };
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 24) plot.width = size.ws_col - 1u;
    if (t == NULL || l == NULL || h == NULL || m == NULL) {
        out->failed = true;
        return;
    }
    gm_str band = gm_arena_printf(cli->arena, "%g to %g %%", 100 * least, 100 * most);
    gm_term_series series[] = { { .x = t, .y = l, .y_high = h, .count = json_array_size(time), .name = band.ptr },
                                { .x = t, .y = m, .count = json_array_size(time), .name = "middle" } };
    gm_buf_printf(out, "%s\n", name);
    gm_term_plot_draw(&plot, series, 2, out);
    gm_buf_byte(out, '\n');
}

gm_exit gm_futures_print_fans(const gm_cli *cli, const json_t *result) { return print_all(cli, result, draw_fan); }
