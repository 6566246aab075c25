#include "cli/plant_group.h"

#include <string.h>
#include <sys/stat.h>

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

// Divides "PLANT:ROOT"; a folder whose own name has a colon goes first. *out_root is NULL when none is named.
static const char *divide(const gm_cli *cli, const char *operand, const char **out_root)
{
    const char *colon = strrchr(operand, ':');
    *out_root         = NULL;
    if (colon == NULL || is_folder(operand)) return operand;
    *out_root = colon + 1;
    return gm_arena_str(cli->arena, (gm_str){ operand, (size_t)(colon - operand) }).ptr;
}

bool gm_plant_group_is(const gm_cli *cli, const char *operand)
{
    const char *root, *folder = divide(cli, operand, &root);
    if (folder == NULL || !is_folder(folder)) return false;
    gm_str path = gm_arena_printf(cli->arena, "%s/models", folder);
    return path.ptr != NULL && is_folder(path.ptr);
}

// ---- the state ----------------------------------------------------------------------------------------------------

static gm_status lock_data(const gm_cli *cli, const char *data, gm_plant_group *pg, gm_error *err)
{
    gm_error why  = { 0 };
    gm_str   path = gm_arena_printf(cli->arena, "%s/lock", data);
    if (path.ptr == NULL) return gm_fail(err, GM_NOMEM, "cli.plant", "opening %s", data);
    gm_status st = cli->io->open(cli->io, path.ptr, GM_OPEN_CREATE, &pg->lock, &why);
    if (st != GM_OK) st = cli->io->open(cli->io, path.ptr, GM_OPEN_WRITE, &pg->lock, err);
    if (st == GM_OK) st = cli->io->lock(pg->lock, &why);
    if (st == GM_CONFLICT)
        return gm_fail(err, GM_CONFLICT, "cli.plant",
                       "a server runs on %.100s; --initial begins with the plant's files instead", data);
    if (st != GM_OK && err != NULL && err->status == GM_OK) *err = why;
    return st;
}

static gm_status open_data(const gm_cli *cli, const char *data, gm_plant_group *pg, gm_error *err)
{
    gm_engine_options o = { .alloc    = cli->alloc,
                            .io       = cli->io,
                            .clock    = cli->clock,
                            .data_dir = data,
                            .log      = gm_log_options_defaults() };
    gm_status         st = lock_data(cli, data, pg, err);
    if (st == GM_OK) st = gm_engine_open(&o, &pg->engine, err);
    if (st == GM_OK) st = gm_engine_recover(pg->engine, err);
    if (st == GM_OK) pg->state = gm_engine_state(pg->engine);
    return st;
}

static gm_status open_state(const gm_cli *cli, bool initial, gm_plant_group *pg, gm_error *err)
{
    gm_str data = gm_config_text(&pg->plant->config, GM_CONFIG_DATA), folder = pg->plant->folder;
    bool   inside = !gm_str_starts(data, GM_STR("/"));
    data = gm_arena_printf(cli->arena, GM_STR_FMT "%s" GM_STR_FMT, GM_STR_ARG(inside ? folder : (gm_str) { 0 }),
                           inside ? "/" : "", GM_STR_ARG(data));
    gm_str log  = data.ptr != NULL ? gm_arena_printf(cli->arena, "%s/log", data.ptr) : data;
    if (log.ptr == NULL) return gm_fail(err, GM_NOMEM, "cli.plant", "opening the plant");
    if (!initial && is_folder(log.ptr)) return open_data(cli, data.ptr, pg, err);
    gm_status st = gm_plant_state_open(pg->plant, true, &pg->files, err);
    pg->state    = pg->files.state;
    return st;
}

// ---- the root -----------------------------------------------------------------------------------------------------

static gm_status open_group(gm_plant_group *pg, gm_twin root, gm_group **out, gm_error *err)
{
    gm_diags_finish(&pg->diags);  // the plant's texts were warned of by `gemel check`
    gm_diags_init(&pg->diags, pg->plant->alloc);
    return gm_group_open(pg->behaviors, pg->state, root, &pg->diags, out, err);
}

// The first twin with a behavior, when its group has all of them.
static gm_status only_root(gm_plant_group *pg, gm_error *err)
{
    gm_twin  first = { GM_NONE };
    uint32_t count = 0;
    for (uint32_t i = 0; i < gm_state_next_twin(pg->state); i++) {
        if (!gm_state_exists(pg->state, (gm_twin){ i })) continue;
        if (gm_behaviors_of(pg->behaviors, gm_state_type(pg->state, (gm_twin){ i })) == NULL) continue;
        if (count++ == 0) first.v = i;
    }
    if (count == 0)
        return gm_fail(err, GM_NOTFOUND, "cli.plant",
                       "no twin of this plant has a behavior: a class in behaviors/ names its interface");
    pg->root     = first;
    gm_status st = open_group(pg, first, &pg->group, err);
    if (st != GM_OK || gm_group_twin_count(pg->group) == count) return st;
    gm_str id = gm_state_id(pg->state, first);
    return gm_fail(err, GM_INVALID, "cli.plant",
                   "the plant has more than one group of connected twins; name a twin of one: PLANT:" GM_STR_FMT,
                   GM_STR_ARG(gm_str_slice(id, 0, 80)));
}

static gm_status named_root(gm_plant_group *pg, const char *root, gm_error *err)
{
    gm_twin twin = gm_state_find(pg->state, gm_str_of(root));
    if (!gm_twin_ok(twin)) return gm_fail(err, GM_NOTFOUND, "cli.plant", "there is no twin '%.100s'", root);
    const gm_type *type = gm_state_type(pg->state, twin);
    pg->root            = twin;
    if (gm_behaviors_of(pg->behaviors, type) == NULL) pg->note = gm_fmu_note_of(pg->notes, pg->note_count, type);
    if (pg->note != NULL) return GM_OK;
    return open_group(pg, twin, &pg->group, err);
}

static gm_status on_wrong_note(void *context, gm_str file, const gm_error *why)
{
    (void)gm_fail(context, GM_INVALID, "cli.plant", GM_STR_FMT ": %.150s", GM_STR_ARG(gm_str_slice(file, 0, 40)),
                  why->text);
    return GM_OK;
}

static gm_status read_notes(gm_plant_group *pg, gm_error *err)
{
    gm_error wrong = { 0 };
    pg->arena      = gm_arena_create(pg->plant->alloc, 0);
    if (pg->arena == NULL) return gm_fail(err, GM_NOMEM, "cli.plant", "reading behaviors");
    gm_status st = gm_plant_fmu_notes(pg->plant, pg->arena, on_wrong_note, &wrong, &pg->notes, &pg->note_count, err);
    if (st != GM_OK || wrong.status == GM_OK) return st;
    if (err != NULL) *err = wrong;
    return wrong.status;
}

static gm_status read_files(const gm_cli *cli, const char *folder, gm_plant_group *pg, gm_error *err)
{
    gm_status st = gm_plant_read(cli->io, folder, &pg->plant, err);
    if (st == GM_OK) st = gm_plant_check(pg->plant, err);
    if (st == GM_OK && pg->plant->findings.count > 0) {
        const gm_finding *f = &pg->plant->findings.items[0];
        return gm_fail(err, GM_INVALID, "cli.plant",
                       GM_STR_FMT ":%u: " GM_STR_FMT "; 'gemel check' lists everything", GM_STR_ARG(f->file),
                       f->line, GM_STR_ARG(gm_str_slice(f->text, 0, 100)));
    }
    return st;
}

static gm_status read_plant(const gm_cli *cli, const char *folder, const char *root, bool initial, gm_plant_group *pg,
                            gm_error *err)
{
    gm_status st = read_files(cli, folder, pg, err);
    if (st == GM_OK) st = gm_plant_behaviors(pg->plant, &pg->diags, &pg->behaviors, err);
    if (st == GM_OK && pg->diags.errors > 0) return gm_diags_fail(&pg->diags, err);
    if (st == GM_OK) st = read_notes(pg, err);
    if (st == GM_OK) st = open_state(cli, initial, pg, err);
    if (st == GM_OK) st = root != NULL ? named_root(pg, root, err) : only_root(pg, err);
    return st;
}

gm_exit gm_plant_group_open(const gm_cli *cli, const char *operand, const char *root, bool initial, gm_plant_group *out)
{
    gm_error    err = { 0 };
    const char *named, *folder = divide(cli, operand, &named);
    *out = (gm_plant_group){ 0 };
    gm_diags_init(&out->diags, cli->alloc);
    if (folder == NULL) return gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    gm_status st = read_plant(cli, folder, root != NULL ? root : named, initial, out, &err);
    if (st == GM_OK) return GM_EXIT_OK;
    if (out->diags.errors == 0) return gm_cli_fail(cli, &err);
    gm_buf text = gm_buf_init(cli->alloc);
    gm_diags_write(&out->diags, &text);
    if (!text.failed) fwrite(text.ptr, 1, text.len, cli->err);
    gm_buf_finish(&text);
    return GM_EXIT_NO;
}

gm_exit gm_plant_group_open_twins(const gm_cli *cli, const char *folder, bool initial, gm_plant_group *out)
{
    gm_error err = { 0 };
    *out         = (gm_plant_group){ 0 };
    gm_diags_init(&out->diags, cli->alloc);
    gm_status st = read_files(cli, folder, out, &err);
    if (st == GM_OK) st = open_state(cli, initial, out, &err);
    return st == GM_OK ? GM_EXIT_OK : gm_cli_fail(cli, &err);
}

void gm_plant_group_close(gm_plant_group *pg)
{
    gm_group_close(pg->group);
    gm_behaviors_destroy(pg->behaviors);
    gm_plant_state_close(&pg->files);
    gm_engine_close(pg->engine);
    if (pg->lock != NULL) gm_io_system()->close(pg->lock);
    gm_arena_destroy(pg->arena);
    gm_plant_destroy(pg->plant);
    gm_diags_finish(&pg->diags);
    *pg = (gm_plant_group){ 0 };
}
