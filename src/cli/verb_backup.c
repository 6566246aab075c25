// gemel backup, restore, verify: what keeps a plant's data when its disk does not.
#include "cli/client.h"
#include "cli/verbs.h"
#include "engine/verify.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

// ---- backup ---------------------------------------------------------------------------------------------------------

enum { OPT_HTTP };
static const gm_option backup_options[] = { [OPT_HTTP] = GM_CLIENT_HTTP };
static const gm_operand backup_operands[] = { { "DIR", "where the copy goes; it must not exist yet" } };

static gm_str absolute(const gm_cli *cli, const char *path)
{
    char here[PATH_MAX];
    if (path[0] == '/') return gm_str_of(path);
    if (getcwd(here, sizeof here) == NULL) return (gm_str){ 0 };
    return gm_arena_printf(cli->arena, "%s/%s", here, path);
}

static gm_exit backup(const gm_cli *cli, const gm_args *args)
{
    gm_http *http = NULL;
    gm_exit  code = gm_client_open(cli, args, OPT_HTTP, &http);
    if (code != GM_EXIT_OK) return code;
    gm_str to   = absolute(cli, gm_args_operand(args, 0));
    gm_buf body = gm_buf_init(cli->alloc);
    gm_buf_text(&body, "{\"copyTo\":");
    gm_buf_json_str(&body, to);
    gm_buf_add(&body, "}", 2);
    gm_http_answer answer;
    code = to.ptr == NULL || body.failed
               ? gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory")
               : gm_client_ask(cli, http, "POST", "/v1/checkpoint", "application/json", (const char *)body.ptr, &answer);
    if (code == GM_EXIT_OK) {
        fprintf(cli->out, "backed up everything up to change %lld to " GM_STR_FMT "\n",
                (long long)json_integer_value(json_object_get(answer.body, "sequence")), GM_STR_ARG(to));
        gm_http_answer_finish(&answer);
    }
    gm_buf_finish(&body);
    gm_http_close(http);
    return code;
}

// ---- verify ---------------------------------------------------------------------------------------------------------

static const gm_operand verify_operands[] = { { "DATA", "a plant's data directory, or a backup" } };

static void print_damage(void *context, const char *text) { fprintf(context, "damaged: %s\n", text); }

static gm_exit verify_one(const gm_cli *cli, const char *path, FILE *out)
{
    gm_verified seen;
    gm_error    err = { 0 };
    gm_status   st  = gm_data_verify(cli->io, cli->alloc, path, print_damage, out, &seen, &err);
    if (st != GM_OK) return gm_cli_fail(cli, &err);
    fprintf(out,
            "read %" PRIu64 " records in %" PRIu64 " log files, %" PRIu64 " checkpoints, %" PRIu64 " samples with %" PRIu64
            " blocks in %" PRIu64 " history files\n",
            seen.records, seen.segments, seen.checkpoints, seen.samples, seen.blocks, seen.history_files);
    if (seen.torn_bytes > 0) {
        fprintf(out, "the log ends in %" PRIu64 " bytes of a batch that was never acknowledged; the next start cuts them\n", seen.torn_bytes);
    }
    fprintf(out, seen.damaged == 0 ? "nothing is damaged\n" : "%" PRIu64 " damages\n", seen.damaged);
    return seen.damaged == 0 ? GM_EXIT_OK : GM_EXIT_NO;
}

static gm_exit verify(const gm_cli *cli, const gm_args *args) { return verify_one(cli, gm_args_operand(args, 0), cli->out); }

// ---- restore --------------------------------------------------------------------------------------------------------

static const gm_operand restore_operands[] = {
    { "BACKUP", "what `gemel backup` wrote" },
    { "DATA", "the data directory to make, such as plant/data; it must not exist, or be empty" },
};

typedef struct copying { const gm_cli *cli; const char *from, *to, *folder; uint64_t files; } copying;

static gm_status copy_file(void *context, gm_str name, gm_error *err)
{
    copying *c    = context;
    gm_str   from = gm_arena_printf(c->cli->arena, "%s/%s/" GM_STR_FMT, c->from, c->folder, GM_STR_ARG(name));
    gm_str   to   = gm_arena_printf(c->cli->arena, "%s/%s/" GM_STR_FMT, c->to, c->folder, GM_STR_ARG(name));
    if (from.ptr == NULL || to.ptr == NULL) return gm_fail(err, GM_NOMEM, "cli.restore", "out of memory");
    c->files++;
    return gm_io_copy_file(c->cli->io, from.ptr, to.ptr, UINT64_MAX, err);
}

static gm_status copy_folder(copying *c, const char *folder, gm_error *err)
{
    gm_str from = gm_arena_printf(c->cli->arena, "%s/%s", c->from, folder), to = gm_arena_printf(c->cli->arena, "%s/%s", c->to, folder);
    if (from.ptr == NULL || to.ptr == NULL) return gm_fail(err, GM_NOMEM, "cli.restore", "out of memory");
    c->folder    = folder;
    gm_status st = c->cli->io->make_dir(c->cli->io, to.ptr, err);
    if (st == GM_OK) st = c->cli->io->list(c->cli->io, from.ptr, copy_file, c, err);
    if (st == GM_OK) st = c->cli->io->sync_dir(c->cli->io, to.ptr, err);
    return st;
}

typedef struct folders { copying *copying; char names[256][3]; size_t count; } folders;

static gm_status note_folder(void *context, gm_str name, gm_error *err)
{
    folders *f = context;
    (void)err;
    if (name.len == 2 && f->count < GM_COUNT_OF(f->names)) memcpy(f->names[f->count++], name.ptr, 2);
    return GM_OK;
}

// Documents lie in folders of two digits. A backup without any has no such folder.
static gm_status copy_documents(copying *c, gm_error *err)
{
    folders   f    = { .copying = c };
    gm_str    from = gm_arena_printf(c->cli->arena, "%s/documents", c->from);
    gm_status st   = from.ptr != NULL ? c->cli->io->list(c->cli->io, from.ptr, note_folder, &f, err) : gm_fail(err, GM_NOMEM, "cli.restore", "out of memory");
    if (st == GM_NOTFOUND) return GM_OK;
    for (size_t i = 0; st == GM_OK && i < f.count; i++) {
        gm_str folder = gm_arena_printf(c->cli->arena, "documents/%s", f.names[i]);
        st            = folder.ptr != NULL ? copy_folder(c, folder.ptr, err) : gm_fail(err, GM_NOMEM, "cli.restore", "out of memory");
    }
    return st;
}

static gm_status any_entry(void *context, gm_str name, gm_error *err)
{
    (void)name;
    return gm_fail(err, GM_CONFLICT, "cli.restore", "%s is not empty; move it away first", (const char *)context);
}

static gm_exit restore(const gm_cli *cli, const gm_args *args)
{
    copying   c   = { .cli = cli, .from = gm_args_operand(args, 0), .to = gm_args_operand(args, 1) };
    gm_error  err = { 0 };
    gm_status st  = cli->io->list(cli->io, c.to, any_entry, (void *)(uintptr_t)c.to, &err);
    if (st != GM_OK && st != GM_NOTFOUND) return gm_cli_fail(cli, &err);
    gm_exit code = verify_one(cli, c.from, cli->err);
    if (code != GM_EXIT_OK) return code;
    // The checkpoint last: what was interrupted starts as an empty plant and is not taken for a whole one.
    st = copy_folder(&c, "history", &err);
    if (st == GM_OK) st = copy_documents(&c, &err);
    if (st == GM_OK) st = copy_folder(&c, "checkpoint", &err);
    if (st != GM_OK) return gm_cli_fail(cli, &err);
    fprintf(cli->out, "restored %" PRIu64 " files to %s\n", c.files, c.to);
    return GM_EXIT_OK;
}

const gm_verb gm_verb_backup = {
    .name     = "backup",
    .summary  = "copy the data of a running server",
    .text     = "The server writes the copy itself, in the background, of everything as it was at one moment: a checkpoint, and the history "
                "and documents that belong to it. The directory is on the server's machine. The plant's own files are not in it.",
    .examples = "gemel backup /backup/monday",
    .syntax   = GM_SYNTAX(backup_options, backup_operands),
    .run      = backup,
};

const gm_verb gm_verb_restore = {
    .name     = "restore",
    .summary  = "make a data directory of a backup",
    .text     = "Reads the whole backup first and refuses one that is damaged. Then `gemel serve` goes on from it.",
    .examples = "gemel restore /backup/monday plant/data",
    .syntax   = { .operands = restore_operands, .operand_count = GM_COUNT_OF(restore_operands) },
    .run      = restore,
};

const gm_verb gm_verb_verify = {
    .name     = "verify",
    .summary  = "read all data and say what is damaged, and where",
    .text     = "Reads log, checkpoints and history to the last byte, of a server that is stopped or of a backup, and changes nothing. "
                "A line for everything that is damaged, with file and offset; the exit code is 1 then.",
    .examples = "gemel verify plant/data",
    .syntax   = { .operands = verify_operands, .operand_count = GM_COUNT_OF(verify_operands) },
    .run      = verify,
};
