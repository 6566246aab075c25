// The plant's files, brought into force: what they say is checked, loaded when it is new, and its rules are set.
#include "cli/plant_load.h"
#include "cli/server_parts.h"
#include "cli/verbs.h"
#include "control/rulebook_name.h"

static void tell_findings(const gm_server *server, const gm_plant *plant)
{
    gm_cli to_err = *server->cli;
    to_err.out    = server->cli->err;
    gm_plant_print_findings(&to_err, plant);
}

// Problems of the plant's files are told all at once.
static gm_status check_plant(gm_server *server, gm_error *err)
{
    gm_status st = gm_plant_check(server->plant, err);
    if (st != GM_OK || server->plant->findings.count == 0) return st;
    tell_findings(server, server->plant);
    return gm_fail(err, GM_INVALID, "cli.server",
                   "the plant has %zu problem%s (above); 'gemel check %s' lists them again",
                   server->plant->findings.count, server->plant->findings.count == 1 ? "" : "s", server->options.plant);
}

// data/loaded holds the fingerprint of the files that were loaded last. While it fits there is nothing to load: a start
// then costs what recovery costs, and a twin that was deleted stays deleted.
gm_status gm_server_compare_loaded(gm_server *server, gm_error *err)
{
    gm_buf   now   = gm_buf_init(server->cli->alloc);
    uint8_t *bytes = NULL;
    size_t   size  = 0;
    gm_error absent;
    gm_plant_fingerprint(server->plant, &now);
    server->loaded_path = gm_arena_printf(server->arena, GM_STR_FMT "/loaded", GM_STR_ARG(server->data_dir));
    server->fingerprint = now.failed ? (gm_str){0} : gm_arena_str(server->arena, gm_buf_view(&now));
    gm_buf_finish(&now);
    if (server->loaded_path.ptr == NULL || server->fingerprint.ptr == NULL)
        return gm_fail(err, GM_NOMEM, "cli.server", "starting");
    if (gm_io_read_file(server->cli->io, server->loaded_path.ptr, 64 << 20, &bytes, &size, &absent) == GM_OK) {
        server->unchanged = gm_str_eq((gm_str){ (const char *)bytes, size }, server->fingerprint);
        gm_free(server->cli->io->alloc, bytes);
    }
    // Settings are not part of the fingerprint: what is wrong there has been found by reading them.
    return server->unchanged && server->plant->findings.count == 0 ? GM_OK : check_plant(server, err);
}

gm_status gm_server_load(gm_server *server, gm_error *err)
{
    gm_progress     progress;
    gm_plant_loaded loaded;
    if (server->unchanged && gm_log_durable(gm_engine_log(server->engine)) > 0) return GM_OK;
    gm_status st = server->unchanged ? check_plant(server, err) : GM_OK;  // else it has been checked
    if (st != GM_OK) return st;
    gm_progress_begin(&progress, server->cli->err, server->cli->terminal && !server->options.quiet, server->cli->clock,
                      "loading", "twins and relationships",
                      server->plant->twin_documents.count + server->plant->relationship_documents.count);
    st = gm_plant_load(server->plant, server->engine, gm_now(server->cli->clock), &progress, &loaded, err);
    gm_progress_end(&progress);
    if (st == GM_OK && loaded.models + loaded.twins + loaded.relationships > 0) {
        gm_server_note(server, "loaded %zu interfaces, %zu twins and %zu relationships that are new", loaded.models,
                       loaded.twins, loaded.relationships);
    }
    if (st != GM_OK) return st;
    return gm_io_replace_file(server->cli->io, server->loaded_path.ptr, server->fingerprint.ptr,
                              server->fingerprint.len, err);
}

static size_t collect(const gm_plant *plant, bool (*wanted)(gm_str name), gm_control_file *files)
{
    size_t count = 0;
    for (size_t i = 0; i < plant->rules.count; i++) {
        const gm_plant_file *f = &plant->rules.items[i];
        if (wanted(f->name) && f->text.ptr != NULL) files[count++] = (gm_control_file){ f->name, f->text };
    }
    return count;
}

static void tell_refused(const gm_server *server, const gm_control_file *files, size_t count, size_t file, const gm_error *err)
{
    if (file < count)
        fprintf(server->cli->err, "gemel: " GM_STR_FMT ":%u:%u: %s; the rules from before stay in force\n",
                GM_STR_ARG(files[file].name), err->line, err->column, err->text);
    else fprintf(server->cli->err, "gemel: %s; the rules from before stay in force\n", err->text);
}

static bool is_rulebook(gm_str name) { return gm_rulebook_is(name); }

// Rules, plans and maintenance of a plant that was read; those that do not read are told, and the ones from before stay in force.
static bool set_rules(gm_server *server, const gm_plant *plant)
{
    gm_error         err   = {0};
    size_t           count = 0, file = 0;
    gm_control_file *files = gm_alloc_array(server->cli->alloc, plant->rules.count + 1, sizeof *files);
    gm_status        st    = files != NULL ? GM_OK : gm_fail(&err, GM_NOMEM, "cli.server", "reading rules");
    if (st == GM_OK) count = collect(plant, is_rulebook, files);
    if (st == GM_OK) st = gm_control_set_rules(server->control, files, count, &file, &err);
    if (st == GM_OK) count = collect(plant, gm_plan_file_is, files);
    if (st == GM_OK) st = gm_plans_set(server->plans, files, count, &file, &err);
    if (st == GM_OK) count = collect(plant, gm_maintain_is, files);
    if (st == GM_OK) st = gm_maintenance_set(server->maintenance, files, count, &file, &err);
    if (st != GM_OK) tell_refused(server, files, count, file, &err);
    gm_free(server->cli->alloc, files);
    return st == GM_OK;
}

// Checks them against the models first: an interlock that can never permit must not come into force unnoticed.
bool gm_server_set_rules(gm_server *server, gm_plant *plant)
{
    gm_error err    = {0};
    size_t   before = plant->findings.count;
    if (gm_plant_check_rules(plant, gm_engine_model(server->engine), &err) == GM_OK && plant->findings.count == before)
        return set_rules(server, plant);
    tell_findings(server, plant);
    fputs("gemel: the rules from before stay in force\n", server->cli->err);
    return false;
}

static bool set_rollups(gm_server *server, const gm_plant *plant)
{
    gm_error        err   = {0};
    size_t          count = 0, file = 0;
    gm_rollup_file *files = gm_alloc_array(server->cli->alloc, plant->rules.count + 1, sizeof *files);
    gm_status       st    = files != NULL ? GM_OK : gm_fail(&err, GM_NOMEM, "cli.server", "reading roll-ups");
    for (size_t i = 0; files != NULL && i < plant->rules.count; i++) {
        const gm_plant_file *f = &plant->rules.items[i];
        if (gm_rollups_is(f->name) && f->text.ptr != NULL) files[count++] = (gm_rollup_file){ f->name, f->text };
    }
    if (st == GM_OK) st = gm_rollups_set(server->rollups, files, count, &file, &err);
    if (st != GM_OK && file < count)
        fprintf(server->cli->err, "gemel: " GM_STR_FMT ":%u: %s; the roll-ups from before stay\n", GM_STR_ARG(files[file].name), err.line, err.text);
    else if (st != GM_OK) fprintf(server->cli->err, "gemel: %s; the roll-ups from before stay\n", err.text);
    gm_free(server->cli->alloc, files);
    return st == GM_OK;
}

bool gm_server_set_rollups(gm_server *server, gm_plant *plant)
{
    gm_error err    = {0};
    size_t   before = plant->findings.count;
    if (gm_plant_check_rollups(plant, gm_engine_model(server->engine), &err) == GM_OK && plant->findings.count == before)
        return set_rollups(server, plant);
    tell_findings(server, plant);
    fputs("gemel: the roll-ups from before stay\n", server->cli->err);
    return false;
}

static bool set_failures(gm_server *server, const gm_plant *plant)
{
    gm_error  err = {0};
    gm_str    file;
    gm_status st = gm_plant_set_modes(plant, server->failures, &file, &err);
    if (st != GM_OK && file.len > 0) fprintf(server->cli->err, "gemel: " GM_STR_FMT ":%u: %s; the failure modes from before stay\n", GM_STR_ARG(file), err.line, err.text);
    else if (st != GM_OK) fprintf(server->cli->err, "gemel: %s; the failure modes from before stay\n", err.text);
    return st == GM_OK;
}

bool gm_server_set_failures(gm_server *server, gm_plant *plant)
{
    gm_error err    = {0};
    size_t   before = plant->findings.count;
    if (gm_plant_check_modes(plant, gm_engine_model(server->engine), &err) == GM_OK && plant->findings.count == before)
        return set_failures(server, plant);
    tell_findings(server, plant);
    fputs("gemel: the failure modes from before stay\n", server->cli->err);
    return false;
}
