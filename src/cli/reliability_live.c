#include "cli/reliability_live.h"

#include "cli/table.h"
#include "failure/tree_twins.h"

#include <errno.h>
#include <math.h>
#include <sys/stat.h>

static gm_str number(const gm_cli *cli, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? gm_arena_printf(cli->arena, "%.4g", json_number_value(value)) : GM_STR("-");
}

static void write_cut_sets(const json_t *answer, gm_buf *out)
{
    const json_t *orders = json_object_get(answer, "cut_sets"), *list = json_object_get(answer, "likeliest_cut_sets");
    const char   *order;
    json_t       *count;
    if (!json_is_object(orders)) return;
    gm_buf_printf(out, "\nminimal cut sets: %.0f\n", gm_client_number(answer, "cut_sets_total"));
    json_object_foreach((json_t *)(uintptr_t)orders, order, count) gm_buf_printf(out, "  order %-3s %.0f\n", order, json_number_value(count));
    if (json_array_size(list) > 0) gm_buf_text(out, "the likeliest:\n");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *cut = json_array_get(list, i), *events = json_object_get(cut, "events");
        gm_buf_printf(out, "  %-12.4g", gm_client_number(cut, "probability"));
        for (size_t k = 0; k < json_array_size(events); k++) gm_buf_printf(out, "%s%s", k > 0 ? ", " : " ", json_string_value(json_array_get(events, k)));
        gm_buf_byte(out, '\n');
    }
}

static void write_events(const gm_cli *cli, const json_t *answer, gm_buf *out)
{
    enum { COLUMNS = 5 };
    const json_t  *list          = json_object_get(answer, "importance");
    gm_table_text *table         = gm_table_text_create(cli->arena, COLUMNS);
    const gm_str   head[COLUMNS] = { GM_STR("EVENT"), GM_STR("PROBABILITY"), GM_STR("BIRNBAUM"), GM_STR("FUSSELL-VESELY"), GM_STR("RAW") };
    if (json_array_size(list) == 0) return;
    gm_table_text_add(table, head);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *e              = json_array_get(list, i);
        const gm_str  cells[COLUMNS] = { gm_client_text(e, "event"), number(cli, e, "probability"), number(cli, e, "birnbaum"), number(cli, e, "fussell_vesely"),
                                         number(cli, e, "risk_achievement_worth") };
        gm_table_text_add(table, cells);
    }
    gm_buf_byte(out, '\n');
    gm_table_text_write(table, out);
}

static gm_exit print_live(const gm_cli *cli, const json_t *answer, const void *context)
{
    const char   *horizon = context;
    gm_buf        out     = gm_buf_init(cli->alloc);
    const json_t *stands = json_object_get(answer, "standing"), *unknown = json_object_get(answer, "unknown");
    gm_str        twin = gm_client_text(answer, "twin"), why = gm_client_text(answer, "why");
    if (json_is_true(json_object_get(answer, "exact")))
        gm_buf_printf(&out, GM_STR_FMT ": stops within %s with probability %.6g; is down then, repairs counted, with %.6g (exact)\n", GM_STR_ARG(twin), horizon,
                      gm_client_number(answer, "top_probability"), gm_client_number(answer, "unavailability"));
    else {
        const json_t *bounds = json_object_get(answer, "bounds");
        gm_buf_printf(&out, GM_STR_FMT ": stops within %s with a probability between %.6g and %.6g\n", GM_STR_ARG(twin), horizon,
                      json_number_value(json_array_get(bounds, 0)), json_number_value(json_array_get(bounds, 1)));
    }
    gm_buf_printf(&out, "%.0f twins, %.0f events, %.0f modules, %.0f diagram nodes, %.3g s\n", gm_client_number(answer, "twins"), gm_client_number(answer, "events"),
                  gm_client_number(answer, "modules"), gm_client_number(answer, "diagram_nodes"), gm_client_number(answer, "seconds"));
    if (why.len > 0) gm_buf_printf(&out, GM_STR_FMT "\n", GM_STR_ARG(why));
    for (size_t i = 0; i < json_array_size(stands); i++) gm_buf_printf(&out, "stands now: %s\n", json_string_value(json_array_get(stands, i)));
    for (size_t i = 0; i < json_array_size(unknown); i++) gm_buf_printf(&out, "its age or remaining life has no value now: %s\n", json_string_value(json_array_get(unknown, i)));
    write_cut_sets(answer, &out);
    write_events(cli, answer, &out);
    return gm_client_print(cli, &out);
}

static gm_exit print_openpsa(const gm_cli *cli, const gm_args *args, size_t http_option, const char *path)
{
    gm_http       *http = NULL;
    gm_http_answer answer;
    gm_exit        code = path != NULL ? gm_client_open(cli, args, http_option, &http) : gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    if (code != GM_EXIT_OK) return code;
    code = gm_client_ask(cli, http, "GET", path, NULL, NULL, &answer);
    if (code == GM_EXIT_OK) {
        fwrite(answer.text.ptr, 1, answer.text.len, cli->out);
        gm_http_answer_finish(&answer);
    }
    gm_http_close(http);
    return code;
}

gm_exit gm_reliability_live(const gm_cli *cli, const gm_args *args, const gm_reliability_asked *a)
{
    const gm_client_view view = { .http_option = a->http_option, .json_option = a->json_option, .print = print_live, .context = a->horizon };
    const char *path = GM_CLIENT_PATH(cli->arena, "/v1/reliability/", a->twin, "?horizon=", a->horizon, "&cutSets=", a->cut_sets, "&importance=", a->importance);
    if (!a->openpsa) return gm_client_show(cli, args, path, &view);
    if (path != NULL) path = gm_arena_printf(cli->arena, "%s&format=openpsa", path).ptr;
    return print_openpsa(cli, args, a->http_option, path);
}

// ---- a tree as twins -----------------------------------------------------------------------------------------------------------

static gm_exit write_part(const gm_cli *cli, const char *folder, const char *part, const char *name, gm_buf *text)
{
    gm_error err = { 0 };
    gm_str   dir = gm_arena_printf(cli->arena, "%s/%s", folder, part), path = gm_arena_printf(cli->arena, "%s/%s/%s", folder, part, name);
    if (text->failed || dir.ptr == NULL || path.ptr == NULL) return gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    if ((mkdir(folder, 0777) != 0 && errno != EEXIST) || (mkdir(dir.ptr, 0777) != 0 && errno != EEXIST))
        return gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "%s can not be made", dir.ptr);
    if (gm_io_replace_file(cli->io, path.ptr, text->ptr, text->len, &err) != GM_OK) return gm_cli_fail(cli, &err);
    fprintf(cli->err, "%s\n", path.ptr);
    return GM_EXIT_OK;
}

gm_exit gm_reliability_twins(const gm_cli *cli, const gm_fault_tree *tree, gm_tree_node top, const char *folder)
{
    gm_error err    = { 0 };
    gm_buf   models = gm_buf_init(cli->alloc), twins = gm_buf_init(cli->alloc);
    gm_exit  code   = GM_EXIT_OK;
    gm_buf_str(&models, gm_tree_twins_models());
    if (gm_tree_twins_write(tree, top, &twins, &err) != GM_OK) code = gm_cli_fail(cli, &err);
    if (code == GM_EXIT_OK) code = write_part(cli, folder, "models", "faulttree.json", &models);
    if (code == GM_EXIT_OK) code = write_part(cli, folder, "twins", "faulttree.ndjson", &twins);
    gm_buf_finish(&models);
    gm_buf_finish(&twins);
    return code;
}
