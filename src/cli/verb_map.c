// gemel map test: what a mapping would make of a message, and why not.
#include "cli/plant_state.h"
#include "cli/replay_map.h"
#include "cli/verbs.h"
#include "link/map.h"
#include "state/document.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

enum { OPT_PLANT };
static const gm_option options[] = {
    [OPT_PLANT] = { "plant", GM_OPTION_TEXT, "DIR", NULL, "hold the values against its models and twins (default: the plant in whose mappings/ the file is)" },
};
static const gm_operand operands[] = {
    { "FILE", "a file of mappings" },
    { "TOPIC", "the topic of the message" },
    { "PAYLOAD", "its payload; @NAME reads it from a file" },
};

typedef struct tester { const gm_cli *cli; const gm_plant_state *plant; bool misfits; } tester;  // plant NULL: nobody knows its models

// What the twin is, or will be when the message makes it. NULL: nobody knows.
static const gm_type *type_of(const tester *t, const gm_mapped *m, bool *out_there)
{
    gm_twin twin = t->plant != NULL ? gm_state_find(t->plant->state, m->twin) : (gm_twin){ GM_NONE };
    *out_there   = gm_twin_ok(twin);
    if (t->plant == NULL || *out_there) return *out_there ? gm_state_type(t->plant->state, twin) : NULL;
    json_t       *body  = json_loadb(m->create.ptr, m->create.len, 0, NULL);
    const char   *model = json_string_value(json_object_get(json_object_get(body, "$metadata"), "$model"));
    const gm_type *type = model != NULL ? gm_model_find(t->plant->model, gm_str_of(model)) : NULL;
    json_decref(body);
    return type;
}

// Does the value fit its column, and what becomes of it there?
static void print_fit(tester *t, const gm_map_value *v, const gm_type *type)
{
    const gm_column *column = gm_type_column(type, v->path);
    gm_value         fitted;
    gm_error         why = { 0 };
    if (column == NULL) {
        fprintf(t->cli->out, "    the model has no '" GM_STR_FMT "'\n", GM_STR_ARG(v->path));
        t->misfits = true;
    } else if (gm_map_fit(column, v->rule, &v->value, &fitted, &why) != GM_OK) {
        fprintf(t->cli->out, "    does not fit: %s\n", why.text);
        t->misfits = true;
    } else {
        gm_buf text = gm_buf_init(t->cli->alloc);
        gm_document_write_value(fitted, &text);
        fprintf(t->cli->out, "    becomes " GM_STR_FMT " " GM_STR_FMT "\n", GM_STR_ARG(gm_buf_view(&text)), GM_STR_ARG(column->unit_symbol.len > 0 ? column->unit_symbol : column->unit));
        gm_buf_finish(&text);
    }
}

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
    tester        *t    = context;
    const gm_cli  *cli  = t->cli;
    bool           there;
    const gm_type *type = type_of(t, m, &there);
    char           time[GM_TIME_TEXT] = "the time of arrival";
    (void)err;
    if (m->at != GM_MAP_NO_TIME) gm_time_format(m->at, time);
    fprintf(cli->out, "twin " GM_STR_FMT ", measured at %s\n", GM_STR_ARG(m->twin), time);
    for (size_t i = 0; i < m->count; i++) {
        print_value(cli, &m->values[i]);
        if (type != NULL) print_fit(t, &m->values[i], type);
    }
    if (t->plant != NULL && !there && m->create.len == 0) {
        fputs("  there is no such twin, and the mapping creates none\n", cli->out);
        t->misfits = true;
    }
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

static gm_exit test_message(const gm_cli *cli, const gm_maps *maps, const gm_plant_state *plant, gm_str topic, gm_str payload)
{
    tester   t   = { .cli = cli, .plant = plant };
    gm_error err = { 0 };
    gm_map  *map = gm_maps_of_topic(maps, topic);
    if (map == NULL) return no_mapping(cli, maps, topic);
    fprintf(cli->out, "mapping '" GM_STR_FMT "'\n", GM_STR_ARG(map->name));
    gm_status st = gm_map_read(map, topic, payload, cli->arena, print_update, &t, &err);
    if (st == GM_OK) return t.misfits ? GM_EXIT_NO : GM_EXIT_OK;
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

// PLANT of PLANT/mappings/FILE, if there are models; NULL: it is a file by itself.
static const char *plant_of(const gm_cli *cli, const char *file)
{
    gm_str path = gm_str_of(file), mappings = GM_STR("mappings/");
    for (size_t at = path.len; at > 0; at--) {
        gm_str folder = gm_str_slice(path, 0, at);
        if (!gm_str_ends(folder, mappings) || (folder.len > mappings.len && folder.ptr[folder.len - mappings.len - 1] != '/')) continue;
        gm_str plant = folder.len > mappings.len ? gm_str_slice(path, 0, folder.len - mappings.len) : GM_STR("./");
        gm_str models = gm_arena_printf(cli->arena, GM_STR_FMT "models", GM_STR_ARG(plant));
        return models.ptr != NULL && access(models.ptr, F_OK) == 0 ? gm_arena_str(cli->arena, plant).ptr : NULL;
    }
    return NULL;
}

static gm_status open_plant(const gm_cli *cli, const char *folder, gm_plant **out_plant, gm_plant_state *out, gm_error *err)
{
    gm_status st = gm_plant_read(cli->io, folder, out_plant, err);
    if (st == GM_OK) st = gm_plant_check(*out_plant, err);
    return st == GM_OK ? gm_plant_state_open(*out_plant, true, out, err) : st;
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    const char    *folder = gm_args_given(args, OPT_PLANT) ? gm_args_text(args, OPT_PLANT) : plant_of(cli, gm_args_operand(args, 0));
    gm_plant      *plant  = NULL;
    gm_plant_state state  = { 0 };
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
    if (st == GM_OK && folder != NULL) st = open_plant(cli, folder, &plant, &state, &err);
    gm_exit code = st == GM_OK ? test_message(cli, maps, folder != NULL ? &state : NULL, gm_str_of(gm_args_operand(args, 1)), message) : gm_cli_fail(cli, &err);
    gm_maps_destroy(maps);
    gm_plant_state_close(&state);
    gm_plant_destroy(plant);
    return code;
}

const gm_verb gm_verb_map_test = {
    .name    = "map test",
    .summary = "show what a mapping makes of a message",
    .text    = "Prints which mapping of the file takes the topic, the twin it means, when it was measured, and the values "
               "that it would get; or what is wrong. With a plant, whether the twin is there, and what each value becomes in the unit of its model. "
               "Exit code 1 when the message would become a dead letter, or no "
               "mapping takes it. The format of the files is docs/formats/mappings.md.",
    .examples = "gemel map test plant/mappings/boilers.json factory/north/boiler/7 '{\"t\":21.5}'\n"
                "gemel map test plant/mappings/spark.json spBv1.0/g/DBIRTH/n/d @birth.bin",
    .syntax   = { .options = options, .option_count = GM_COUNT_OF(options), .operands = operands, .operand_count = GM_COUNT_OF(operands) },
    .run      = run,
};
