#include "cli/estimate_setup.h"

#include "insight/text_file.h"

typedef struct reading { const gm_cli *cli; const char *plant; gm_estimate_setup *setups; uint32_t count; } reading;

static gm_status read_file(void *context, gm_str name, gm_error *err)
{
    reading *r = context;
    if (!gm_str_ends(name, GM_STR(".json"))) return GM_OK;
    gm_str   path = gm_arena_printf(r->cli->arena, "%s/estimate/" GM_STR_FMT, r->plant, GM_STR_ARG(name));
    gm_buf   text = gm_buf_init(r->cli->alloc);
    gm_error why  = { 0 };
    if (path.ptr == NULL) return gm_fail(err, GM_NOMEM, "cli.estimate", "reading estimate/");
    gm_status st = gm_text_file_read(r->cli->io, path.ptr, 1 << 20, &text, &why);
    if (st == GM_OK) st = gm_estimate_setups_parse(r->cli->arena, gm_buf_view(&text), r->setups, &r->count, &why);
    gm_buf_finish(&text);
    return st == GM_OK ? st : gm_fail(err, st, "cli.estimate", "%.150s: %.150s", path.ptr, why.text);
}

gm_exit gm_estimate_setup_pick(const gm_cli *cli, const char *plant, const char *name, const char *root, gm_estimate_setup **out)
{
    gm_error why    = { 0 };
    reading  r      = { .cli = cli, .plant = plant, .setups = GM_ARENA_NEW(cli->arena, gm_estimate_setup, GM_ESTIMATE_SETUPS_MAX + 1) };
    gm_str   folder = gm_arena_printf(cli->arena, "%s/estimate", plant);
    *out            = NULL;
    if (r.setups == NULL || folder.ptr == NULL) return gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    gm_status st = cli->io->list(cli->io, folder.ptr, read_file, &r, &why);
    if (st != GM_OK && st != GM_NOTFOUND && !(st == GM_IO && r.count == 0)) return gm_cli_fail(cli, &why);
    uint32_t fitting = 0;
    for (uint32_t i = 0; i < r.count; i++) {
        gm_estimate_setup *s = &r.setups[i];
        if (name != NULL && !gm_str_is(s->name, name)) continue;
        if (root != NULL && !gm_str_is(s->root, root)) continue;
        *out = s;
        fitting++;
    }
    if (fitting == 1) return GM_EXIT_OK;
    if (name != NULL && fitting == 0) return gm_cli_fail_text(cli, GM_EXIT_NO, "no entry of %s/estimate/*.json is called '%.80s'%s", plant, name, root != NULL ? " and has that root" : "");
    if (fitting > 1) return gm_cli_fail_text(cli, GM_EXIT_NO, "the plant has more than one estimate; --name or --root picks one");
    if (root == NULL) return gm_cli_fail_text(cli, GM_EXIT_NO, "the plant has no estimate/*.json; --root names the twin whose group is estimated");
    *out = &r.setups[GM_ESTIMATE_SETUPS_MAX];
    gm_estimate_setup_defaults(*out);
    (*out)->name = (*out)->root = gm_str_of(root);
    return GM_EXIT_OK;
}
