#include "cli/impact_physical.h"

#include "cli/client.h"
#include "cli/futures_print.h"
#include "cli/table.h"

#include <math.h>
#include <stdlib.h>

static double number_at(const json_t *list, size_t i)
{
    const json_t *value = json_array_get(list, i);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static const json_t *quantile(const json_t *output, double q)
{
    const char *key;
    json_t     *curve;
    json_object_foreach(json_object_get(output, "quantiles"), key, curve)
        if (fabs(strtod(key, NULL) - q) < 1e-9) return curve;
    return NULL;
}

static gm_str text_of(const gm_cli *cli, const char *format, double value)
{
    return isnan(value) ? GM_STR("-") : gm_arena_printf(cli->arena, format, value);
}

// Middle and nine tenths of both, and how far the means are apart.
static void print_output(const gm_cli *cli, const char *name, const json_t *without, const json_t *with, const json_t *time, gm_buf *out)
{
    enum { COLUMNS = 6 };
    gm_table_text *table = gm_table_text_create(cli->arena, COLUMNS);
    const gm_str   head[COLUMNS] = { gm_str_of(name), GM_STR("AS IT IS"), GM_STR("FAILED"), GM_STR("5 %"), GM_STR("95 %"), GM_STR("CHANGE") };
    gm_table_text_add(table, head);
    for (size_t k = 0; k < json_array_size(time); k++) {
        char         at[32];
        double       change = number_at(json_object_get(with, "mean"), k) - number_at(json_object_get(without, "mean"), k);
        const gm_str cells[COLUMNS] = { gm_arena_printf(cli->arena, "%s", gm_futures_time_text(number_at(time, k), at)), text_of(cli, "%.5g", number_at(quantile(without, 0.5), k)),
                                        text_of(cli, "%.5g", number_at(quantile(with, 0.5), k)), text_of(cli, "%.5g", number_at(quantile(with, 0.05), k)),
                                        text_of(cli, "%.5g", number_at(quantile(with, 0.95), k)), text_of(cli, "%+.4g", change) };
        gm_table_text_add(table, cells);
    }
    gm_table_text_write(table, out);
    gm_buf_byte(out, '\n');
}

gm_exit gm_impact_print_physical(const gm_cli *cli, const json_t *result, const char *injects)
{
    gm_buf        out = gm_buf_init(cli->alloc);
    const json_t *all = json_object_get(result, "scenarios"), *without = json_object_get(all, GM_IMPACT_AS_IT_IS), *with = json_object_get(all, GM_IMPACT_FAILED);
    const char   *name;
    json_t       *output, *score;
    gm_buf_printf(&out, "\nWhat the model says, with %s from now on, in %.0f futures of each:\n\n", injects, gm_client_number(result, "lanes"));
    json_object_foreach(json_object_get(with, "outputs"), name, output)
        print_output(cli, name, json_object_get(json_object_get(without, "outputs"), name), output, json_object_get(result, "time"), &out);
    json_object_foreach(json_object_get(with, "scores"), name, score) {
        double before = gm_client_number(json_object_get(json_object_get(without, "scores"), name), "mean"), after = gm_client_number(score, "mean");
        gm_buf_printf(&out, "%s: mean %.6g as it is, %.6g failed (%+.4g)\n", name, before, after, after - before);
    }
    return gm_client_print(cli, &out);
}
