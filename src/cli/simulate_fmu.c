#include "cli/simulate_fmu.h"

#include <errno.h>

static const char WHERE[] = "cli.simulate";

typedef struct rows {
    FILE  *csv;
    gm_str twin;
    bool   begun;  // the header has been written
} rows;

// The header's names get the twin's in front; rows go through.
static gm_status write_text(void *context, gm_str text, gm_error *err)
{
    rows *r = context;
    if (!r->begun) {
        size_t end    = gm_str_find_char(text, '\n');
        gm_str header = gm_str_slice(text, 0, end), name;
        for (bool first = true; gm_str_next(&header, ',', &name); first = false) {
            bool quoted = gm_str_starts(name, GM_STR("\""));
            if (first) fprintf(r->csv, GM_STR_FMT, GM_STR_ARG(name));
            else fprintf(r->csv, ",%s" GM_STR_FMT "." GM_STR_FMT, quoted ? "\"" : "", GM_STR_ARG(r->twin),
                         GM_STR_ARG(gm_str_slice(name, quoted, name.len)));
        }
        r->begun = true;
        text     = end != SIZE_MAX ? gm_str_slice(text, end, text.len) : GM_STR("");
    }
    if (fwrite(text.ptr, 1, text.len, r->csv) != text.len) return gm_fail_os(err, errno, WHERE, "writing the rows");
    return GM_OK;
}

// "boiler.k=2" -> k, 2.
static gm_status read_setting(gm_str twin, const char *text, gm_fmu_setting *out, gm_error *err)
{
    gm_str all  = gm_str_of(text);
    size_t at   = gm_str_find_char(all, '=');
    gm_str name = gm_str_trim(gm_str_slice(all, 0, at));
    if (at == SIZE_MAX || name.len <= twin.len || !gm_str_starts(name, twin) || name.ptr[twin.len] != '.')
        return gm_fail(err, GM_INVALID, WHERE, "--set %.80s: expected " GM_STR_FMT ".VARIABLE=VALUE", text,
                       GM_STR_ARG(gm_str_slice(twin, 0, 60)));
    *out = (gm_fmu_setting) { gm_str_slice(name, twin.len + 1, name.len),
                              gm_str_trim(gm_str_slice(all, at + 1, all.len)) };
    return GM_OK;
}

// The twin's values, then what the command line says: of two for one variable the later one holds.
static gm_status gather(const gm_cli *cli, const gm_plant_group *pg, const gm_simulate_fmu *o, const gm_fmu *fmu,
                        gm_fmu_run_options *run, gm_error *err)
{
    gm_fmu_bound    bound;
    gm_fmu_setting *given;
    uint32_t        count;
    gm_str          twin   = gm_state_id(pg->state, pg->root);
    gm_group_reader reader = gm_group_live_reader(pg->state);
    gm_status       st =
        gm_fmu_note_bind(cli->arena, pg->note, gm_fmu_described(fmu), gm_state_type(pg->state, pg->root), &bound, err);
    if (st == GM_OK) st = gm_fmu_bound_settings(cli->arena, &bound, &reader, pg->root, &given, &count, err);
    if (st != GM_OK) return st;
    gm_fmu_setting *all = GM_ARENA_NEW(cli->arena, gm_fmu_setting, count + o->setting_count + 1);
    if (all == NULL) return gm_fail(err, GM_NOMEM, WHERE, "settings");
    uint32_t kept = 0;
    for (size_t i = 0; st == GM_OK && i < o->setting_count; i++)
        st = read_setting(twin, o->settings[i], &all[kept++], err);
    for (uint32_t i = 0; i < count; i++) {
        bool over = false;
        for (size_t k = 0; k < o->setting_count; k++) over |= gm_str_eq(all[k].name, given[i].name);
        if (!over) all[kept++] = given[i];
    }
    run->settings      = all;
    run->setting_count = kept;
    return st;
}

gm_exit gm_simulate_fmu_run(const gm_cli *cli, const gm_plant_group *pg, const gm_simulate_fmu *o)
{
    gm_error           err  = { 0 };
    gm_fmu            *fmu  = NULL;
    gm_fmu_host        host = gm_plant_fmu_host(cli->alloc);
    gm_fmu_run_options run  = gm_fmu_run_options_defaults();
    rows               r    = { .csv = o->csv, .twin = gm_state_id(pg->state, pg->root) };
    gm_str             path = gm_arena_printf(cli->arena, GM_STR_FMT "/" GM_STR_FMT, GM_STR_ARG(pg->plant->folder),
                                              GM_STR_ARG(pg->note->fmu));
    run.start   = o->start;
    run.stop    = o->stop;
    run.step    = o->step;
    gm_status st =
        path.ptr != NULL ? gm_fmu_open(&host, path.ptr, &fmu, &err) : gm_fail(&err, GM_NOMEM, WHERE, "a path");
    if (st == GM_OK) st = gather(cli, pg, o, fmu, &run, &err);
    if (st == GM_OK) st = gm_fmu_run(fmu, &run, write_text, &r, NULL, &err);
    gm_fmu_close(fmu);
    return st == GM_OK ? GM_EXIT_OK : gm_cli_fail(cli, &err);
}
