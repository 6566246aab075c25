#include "cli/client.h"
#include "cli/table.h"
#include "cli/verbs.h"

enum { OPT_HTTP, OPT_JSON };
static const gm_option options[] = {
    [OPT_HTTP] = GM_CLIENT_HTTP,
    [OPT_JSON] = { "json", GM_OPTION_FLAG, NULL, NULL, "print the server's answer as JSON" },
};

static gm_exit print_letters(const gm_cli *cli, const json_t *letters, const void *context)
{
    (void)context;
    const json_t  *items  = json_object_get(letters, "items");
    gm_buf         out    = gm_buf_init(cli->alloc);
    gm_table_text *table  = gm_table_text_create(cli->arena, 4);
    const gm_str   head[] = { GM_STR("TIME"), GM_STR("TOPIC"), GM_STR("REASON"), GM_STR("PAYLOAD") };
    gm_table_text_add(table, head);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item    = json_array_get(items, i);
        const gm_str  cells[] = { gm_client_text(item, "time"), gm_client_text(item, "topic"), gm_client_text(item, "reason"),
                                  gm_client_text(item, "payload") };
        gm_table_text_add(table, cells);
    }
    gm_table_text_write(table, &out);
    fprintf(cli->err, "%lld in all, %zu of them here\n",
            (long long)json_integer_value(json_object_get(letters, "total")), json_array_size(items));
    return gm_client_print(cli, &out);
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    static const gm_client_view view = { .http_option = OPT_HTTP, .json_option = OPT_JSON, .print = print_letters };
    return gm_client_show(cli, args, "/v1/dead-letters", &view);
}

const gm_verb gm_verb_dead_letters = {
    .name     = "dead-letters",
    .summary  = "list messages that could not be applied, and why",
    .text     = "The newest ones first. The same topic and reason within a second is kept once and counted.",
    .examples = "gemel dead-letters",
    .syntax   = { .options = options, .option_count = GM_COUNT_OF(options) },
    .run      = run,
};
