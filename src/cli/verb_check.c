#include "cli/plant.h"
#include "cli/plant_behaviors.h"
#include "cli/plant_insight.h"
#include "cli/verbs.h"
#include "model/dtdl_case.h"

enum { OPT_JSON, OPT_DTDL_CASE };
static const gm_option options[] = {
    [OPT_JSON]      = { "json", GM_OPTION_FLAG, NULL, NULL, "print one JSON document instead of lines" },
    [OPT_DTDL_CASE] = { "dtdl-case", GM_OPTION_FLAG, NULL, NULL,
                        "run published cases of the DTDL parser instead: one line a case, file, index, and ok or what "
                        "differed" },
};
static const gm_operand operands[] = {
    { "PLANT", "the plant's folder; with --dtdl-case the case files", .repeats = true },
};
enum { CASE_FILE_MAX = 64 << 20 };

static void print_finding(const gm_cli *cli, const gm_plant *plant, const gm_finding *f)
{
    fprintf(cli->out, GM_STR_FMT "/" GM_STR_FMT, GM_STR_ARG(plant->folder), GM_STR_ARG(f->file));
    if (f->line > 0) fprintf(cli->out, ":%u", f->line);
    if (f->line > 0 && f->column > 1) fprintf(cli->out, ":%u", f->column);
    fprintf(cli->out, ": " GM_STR_FMT, GM_STR_ARG(f->text));
    if (f->dtmi.len > 0 && gm_str_find(f->text, f->dtmi) == SIZE_MAX)
        fprintf(cli->out, " [" GM_STR_FMT "]", GM_STR_ARG(f->dtmi));
    if (f->rule.len > 0) fprintf(cli->out, " (" GM_STR_FMT ")", GM_STR_ARG(f->rule));
    fputc('\n', cli->out);
}

void gm_plant_print_findings(const gm_cli *cli, const gm_plant *plant)
{
    for (size_t i = 0; i < plant->findings.count; i++) print_finding(cli, plant, &plant->findings.items[i]);
}

static void write_findings(const gm_plant *plant, gm_buf *out)
{
    gm_buf_text(out, "\"findings\":[");
    for (size_t i = 0; i < plant->findings.count; i++) {
        const gm_finding *f = &plant->findings.items[i];
        gm_buf_printf(out, "%s{\"file\":", i > 0 ? "," : "");
        gm_buf_json_str(out, f->file);
        gm_buf_printf(out, ",\"line\":%u,\"column\":%u,\"rule\":", f->line, f->column);
        gm_buf_json_str(out, f->rule);
        gm_buf_text(out, ",\"dtmi\":");
        gm_buf_json_str(out, f->dtmi);
        gm_buf_text(out, ",\"pointer\":");
        gm_buf_json_str(out, f->pointer);
        gm_buf_text(out, ",\"text\":");
        gm_buf_json_str(out, f->text);
        gm_buf_byte(out, '}');
    }
    gm_buf_byte(out, ']');
}

static gm_exit print_json(const gm_cli *cli, const gm_plant *plant)
{
    gm_buf out = gm_buf_init(cli->alloc);
    gm_buf_text(&out, "{\"plant\":");
    gm_buf_json_str(&out, plant->folder);
    gm_buf_printf(&out, ",\"interfaces\":%zu,\"twins\":%zu,\"relationships\":%zu,\"mappings\":%zu,\"behaviors\":%zu,",
                  plant->interface_count, plant->twin_documents.count, plant->relationship_documents.count,
                  plant->mappings.count, plant->behaviors.count);
    write_findings(plant, &out);
    gm_buf_text(&out, "}\n");
    gm_exit code = out.failed ? gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory") : GM_EXIT_OK;
    if (code == GM_EXIT_OK) fwrite(out.ptr, 1, out.len, cli->out);
    gm_buf_finish(&out);
    return code;
}

static void print_summary(const gm_cli *cli, const gm_plant *plant)
{
    fprintf(cli->out,
            "%zu interfaces, %zu twins, %zu relationships, %zu mappings, %zu behaviors: ", plant->interface_count,
            plant->twin_documents.count, plant->relationship_documents.count, plant->mappings.count,
            plant->behaviors.count);
    if (plant->findings.count == 0) fputs("nothing wrong\n", cli->out);
    else fprintf(cli->out, "%zu thing%s wrong\n", plant->findings.count, plant->findings.count == 1 ? "" : "s");
}

// ---- cases of the DTDL parser ---------------------------------------------------------------------------------------

// Prints the file's lines with its name in front. *all_ok is cleared when a case differs.
static gm_exit run_case_file(const gm_cli *cli, const char *path, gm_buf *lines, bool *all_ok)
{
    gm_error  err   = {0};
    uint8_t  *bytes = NULL;
    size_t    size  = 0;
    bool      ok    = false;
    gm_status st    = gm_io_read_file(cli->io, path, CASE_FILE_MAX, &bytes, &size, &err);
    if (st != GM_OK) return gm_cli_fail(cli, &err);
    gm_buf_clear(lines);
    st = gm_dtdl_case_run(cli->alloc, (gm_str){ (const char *)bytes, size }, lines, &ok, &err);
    gm_free(cli->io->alloc, bytes);
    if (st == GM_INVALID) {
        fprintf(cli->out, "%s 0 %s\n", path, err.text);
        *all_ok = false;
        return GM_EXIT_OK;
    }
    if (st != GM_OK) return gm_cli_fail(cli, &err);
    gm_str rest = gm_buf_view(lines), line;
    while (gm_str_next(&rest, '\n', &line)) fprintf(cli->out, "%s " GM_STR_FMT "\n", path, GM_STR_ARG(line));
    *all_ok = *all_ok && ok;
    return GM_EXIT_OK;
}

static gm_exit run_cases(const gm_cli *cli, const gm_args *args)
{
    gm_buf  lines = gm_buf_init(cli->alloc);
    bool    ok    = true;
    gm_exit code  = GM_EXIT_OK;
    for (size_t i = 0; code == GM_EXIT_OK && i < args->operand_count; i++)
        code = run_case_file(cli, args->operands[i], &lines, &ok);
    gm_buf_finish(&lines);
    return code == GM_EXIT_OK && !ok ? GM_EXIT_NO : code;
}

// ---- the verb -------------------------------------------------------------------------------------------------------

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    if (gm_args_given(args, OPT_DTDL_CASE)) return run_cases(cli, args);
    if (args->operand_count > 1) {
        return gm_cli_fail_text(cli, GM_EXIT_USAGE, "'%.80s' is one word too many; check one plant at a time",
                                args->operands[1]);
    }
    gm_error  err   = {0};
    gm_plant *plant = NULL;
    gm_exit   code  = GM_EXIT_OK;
    gm_status st    = gm_plant_read(cli->io, gm_args_operand(args, 0), &plant, &err);
    if (st == GM_OK) st = gm_plant_check(plant, &err);
    if (st == GM_OK) st = gm_plant_check_behaviors(plant, &err);
    if (st == GM_OK) st = gm_plant_check_scene(plant, cli->io, &err);
    if (st == GM_OK) st = gm_plant_check_insight(plant, cli->io, &err);
    if (st != GM_OK) {
        code = gm_cli_fail(cli, &err);
        goto done;
    }
    if (gm_args_given(args, OPT_JSON)) {
        code = print_json(cli, plant);
    } else {
        gm_plant_print_findings(cli, plant);
        print_summary(cli, plant);
    }
    if (code == GM_EXIT_OK && plant->findings.count > 0) code = GM_EXIT_NO;
done:
    gm_plant_destroy(plant);
    return code;
}

const gm_verb gm_verb_check = {
    .name    = "check",
    .summary = "say everything that is wrong with a plant's files",
    .text = "Reads gemel.conf, models, twins, mappings, behaviors, rules, scenes, insight and estimate and reports every problem at once, each with file, line and "
            "what to do. "
            "Nothing is changed and no server is needed. Exit code 0 when nothing is wrong, 1 when something is.",
    .examples = "gemel check examples/turbofan\ngemel check plant --json\ngemel check --dtdl-case cases/*.json",
    .syntax   = GM_SYNTAX(options, operands),
    .run      = run,
};
