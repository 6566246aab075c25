// gemel map test: what a mapping would make of a message, and why not.
#include "cli/replay_map.h"
#include "cli/verbs.h"
#include "link/map.h"
#include "state/document.h"

#include <errno.h>
#include <string.h>

static const gm_operand operands[] = {
    { "FILE", "a file of mappings" },
    { "TOPIC", "the topic of the message" },
    { "PAYLOAD", "its payload; @NAME reads it from a file" },
};

static void print_value(const gm_cli *cli, const gm_map_value *v)
{
    gm_buf text = gm_buf_init(cli->alloc);
    gm_document_write_value(v->value, &text);
    fprintf(cli->out, "  " GM_STR_FMT " = " GM_STR_FMT, GM_STR_ARG(v->path), GM_STR_ARG(gm_buf_view(&text)));
    if (v->rule != NULL && v->rule->has_scale) fprintf(cli->out, " * %g + %g", v->rule->scale, v->rule->offset);
    if (v->rule != NULL && v->rule->has_unit) fputs(", converted into the column's unit", cli->out);
    fputc('\n', cli->out);
    gm_buf_finish(&text);
}

static gm_status print_update(void *context, const gm_mapped *m, gm_error *err)
{
    const gm_cli *cli = context;
    char          time[GM_TIME_TEXT] = "the time of arrival";
    (void)err;
    if (m->at != GM_MAP_NO_TIME) gm_time_format(m->at, time);
    fprintf(cli->out, "twin " GM_STR_FMT ", measured at %s\n", GM_STR_ARG(m->twin), time);
    for (size_t i = 0; i < m->count; i++) print_value(cli, &m->values[i]);
    if (m->create.len > 0) fprintf(cli->out, "  created when it does not exist, from " GM_STR_FMT "\n", GM_STR_ARG(m->create));
    return GM_OK;
}

static gm_exit no_mapping(const gm_cli *cli, const gm_maps *maps, gm_str topic)
{
    fprintf(cli->out, "no mapping takes the topic '" GM_STR_FMT "'; the patterns are:\n", GM_STR_ARG(topic));
    for (size_t i = 0; i < gm_maps_count(maps); i++) {
        const gm_map *map = gm_maps_at(maps, i);
        if (map->topic.len > 0) fprintf(cli->out, "  " GM_STR_FMT "\n", GM_STR_ARG(map->topic));
    }
    return GM_EXIT_NO;
}

static gm_exit test_message(const gm_cli *cli, const gm_maps *maps, gm_str topic, gm_str payload)
{
    gm_error err = { 0 };
    gm_map  *map = gm_maps_of_topic(maps, topic);
    if (map == NULL) return no_mapping(cli, maps, topic);
    fprintf(cli->out, "mapping '" GM_STR_FMT "'\n", GM_STR_ARG(map->name));
    gm_status st = gm_map_read(map, topic, payload, cli->arena, print_update, (void *)(uintptr_t)cli, &err);
    if (st == GM_OK) return GM_EXIT_OK;
    fprintf(cli->out, "refused: %s\n", err.text);
    return GM_EXIT_NO;
}

static gm_status read_bytes(const gm_cli *cli, const char *path, gm_str *out, gm_error *err)
{
    uint8_t  *bytes = NULL;
    size_t    size  = 0;
    gm_status st    = gm_io_read_file(cli->io, path, 16 << 20, &bytes, &size, err);
    if (st != GM_OK) return st;
    *out = gm_arena_str(cli->arena, (gm_str){ (const char *)bytes, size });
    gm_free(cli->io->alloc, bytes);
    return out->ptr != NULL ? GM_OK : gm_fail(err, GM_NOMEM, "cli.map", "reading %s", path);
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    const char *file = gm_args_operand(args, 0), *payload = gm_args_operand(args, 2);
    gm_str      text, message = gm_str_of(payload);
    gm_maps    *maps = NULL;
    gm_error    err  = { 0 };
    if (gm_replay_map_is(gm_arena_printf(cli->arena, "/%s", file)))
        return gm_cli_fail_text(cli, GM_EXIT_NO, "%s is a mapping for replay; 'gemel replay PLANT --data FILE --mapping NAME --print' shows what it does", file);
    gm_status st = read_bytes(cli, file, &text, &err);
    if (st == GM_OK && payload[0] == '@') st = read_bytes(cli, payload + 1, &message, &err);
    if (st == GM_OK) st = gm_maps_create(cli->alloc, &maps, &err);
    if (st == GM_OK) {
        st = gm_maps_add(maps, gm_str_of(file), text, &err);
        if (st == GM_INVALID) {
            gm_maps_destroy(maps);
            return gm_cli_fail_text(cli, GM_EXIT_NO, "%s:%u:%u: %s", file, err.line, err.column, err.text);
        }
    }
    gm_exit code = st == GM_OK ? test_message(cli, maps, gm_str_of(gm_args_operand(args, 1)), message) : gm_cli_fail(cli, &err);
    gm_maps_destroy(maps);
    return code;
}

const gm_verb gm_verb_map_test = {
    .name    = "map test",
    .summary = "show what a mapping makes of a message",
    .text    = "Prints which mapping of the file takes the topic, the twin it means, when it was measured, and the values "
               "that it would get; or what is wrong. Exit code 1 when the message would become a dead letter, or no "
               "mapping takes it. The format of the files is docs/formats/mappings.md.",
    .examples = "gemel map test plant/mappings/boilers.json factory/north/boiler/7 '{\"t\":21.5}'\n"
                "gemel map test plant/mappings/spark.json spBv1.0/g/DBIRTH/n/d @birth.bin",
    .syntax   = { .operands = operands, .operand_count = GM_COUNT_OF(operands) },
    .run      = run,
};
