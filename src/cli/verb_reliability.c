// gemel reliability: fault trees in the Open-PSA format: probability of the top, minimal cut sets, importance.
#include "cli/reliability_live.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "reliability/analyse.h"
#include "reliability/openpsa.h"
#include "reliability/report.h"

#include <math.h>
#include <unistd.h>

enum { OPT_TOP, OPT_MISSION, OPT_CUT_SETS, OPT_IMPORTANCE, OPT_TIME, OPT_MEMORY, OPT_SECOND, OPT_JSON, OPT_EXPORT, OPT_TWINS, OPT_HTTP, OPT_HORIZON };
static const gm_option options[] = {
    [OPT_TOP]        = { "top", GM_OPTION_TEXT, "GATE", NULL, "the gate to analyse; by default the first that no other gate names" },
    [OPT_MISSION]    = { "mission-time", GM_OPTION_NUMBER, "HOURS", "8760", "what the files' system mission time is" },
    [OPT_CUT_SETS]   = { "cut-sets", GM_OPTION_COUNT, "N", "10", "list the N likeliest minimal cut sets" },
    [OPT_IMPORTANCE] = { "importance", GM_OPTION_COUNT, "N", "10", "list the N events that matter most" },
    [OPT_TIME]       = { "time-limit", GM_OPTION_DURATION, "TIME", "60s", "give bounds instead of the exact answer after this time" },
    [OPT_MEMORY]     = { "memory-limit", GM_OPTION_SIZE, "SIZE", "3GiB", "the same for memory" },
    [OPT_SECOND]     = { "second-method", GM_OPTION_FLAG, NULL, NULL, "find the cut sets from the gates up instead of from diagrams: a check" },
    [OPT_JSON]       = { "json", GM_OPTION_FLAG, NULL, NULL, "print one JSON document" },
    [OPT_EXPORT]     = { "export", GM_OPTION_FLAG, NULL, NULL, "print the tree below the top as one Open-PSA file instead of analysing it" },
    [OPT_TWINS]      = { "twins", GM_OPTION_TEXT, "FOLDER", NULL, "write the tree below the top as twins: models/ and twins/ of a plant's folder" },
    [OPT_HTTP]       = GM_CLIENT_HTTP,
    [OPT_HORIZON]    = { "horizon", GM_OPTION_DURATION, "LENGTH", "24h", "of a twin: within which time" },
};
static const gm_operand operands[] = { { "FILE", "Open-PSA files that make one model; or a twin of the running plant", .repeats = true } };

enum { LIST_MAX = 100000 };

// ---- reading -----------------------------------------------------------------------------------------------------------------

typedef struct texts { gm_openpsa_file *files; size_t count; } texts;

static gm_status add_text(const gm_cli *cli, texts *t, const char *path, gm_error *err)
{
    uint8_t  *bytes = NULL;
    size_t    size  = 0;
    gm_status st    = gm_io_read_file(cli->io, path, GM_OPENPSA_BYTES_MAX, &bytes, &size, err);
    if (st != GM_OK) return st;
    t->files[t->count++] = (gm_openpsa_file){ gm_str_of(path), { (const char *)bytes, size } };
    return GM_OK;
}

// tree.xml has its events in tree-basic-events.xml, as published collections do. NULL: the name does not end in .xml.
static const char *companion(const gm_cli *cli, const char *path)
{
    gm_str name = gm_str_of(path);
    if (!gm_str_ends(name, GM_STR(".xml"))) return NULL;
    return gm_arena_printf(cli->arena, GM_STR_FMT "-basic-events.xml", (int)(name.len - 4), name.ptr).ptr;
}

static gm_status read_model(const gm_cli *cli, const gm_args *args, texts *t, gm_openpsa **out, gm_error *err)
{
    gm_openpsa_options o  = { .mission_time = gm_args_number(args, OPT_MISSION) };
    gm_status          st = GM_OK;
    t->files = gm_alloc_zeroed(cli->alloc, (args->operand_count + 1) * sizeof *t->files);
    if (t->files == NULL) return gm_fail(err, GM_NOMEM, "reliability", "reading fault trees");
    for (size_t i = 0; i < args->operand_count && st == GM_OK; i++) st = add_text(cli, t, gm_args_operand(args, i), err);
    if (st == GM_OK) st = gm_openpsa_read(cli->alloc, &o, t->files, t->count, out, err);
    if (st != GM_OK || args->operand_count != 1 || gm_openpsa_undefined(*out) == 0) return st;
    const char *beside = companion(cli, gm_args_operand(args, 0));
    gm_error    absent = { 0 };
    if (beside == NULL || add_text(cli, t, beside, &absent) != GM_OK) return GM_OK;
    fprintf(cli->err, "reading %s too\n", beside);
    gm_openpsa_destroy(*out);
    return gm_openpsa_read(cli->alloc, &o, t->files, t->count, out, err);
}

static gm_status find_top(const gm_cli *cli, const gm_args *args, gm_openpsa *model, gm_tree_node *out, gm_error *err)
{
    gm_fault_tree *tree = gm_openpsa_tree(model);
    if (gm_args_given(args, OPT_TOP)) {
        const char *name = gm_args_text(args, OPT_TOP);
        if (gm_fault_tree_find(tree, gm_str_of(name), out)) return GM_OK;
        return gm_fail(err, GM_NOTFOUND, "reliability", "there is no gate '%s'", name);
    }
    if (gm_openpsa_top_count(model) == 0) {
        // Where every gate is named by another, a loop is why; the check says which.
        for (uint32_t i = 0; i < gm_fault_tree_count(tree); i++) {
            *out = (gm_tree_node){ i };
            if (gm_fault_tree_view(tree, *out).kind >= GM_GATE_AND) return gm_fault_tree_check(tree, *out, err);
        }
        return gm_fail(err, GM_INVALID, "reliability", "the files hold no gate");
    }
    *out = gm_openpsa_top(model, 0);
    if (gm_openpsa_top_count(model) > 1) {
        fprintf(cli->err, "there are %zu top gates; this is the first. Others (--top NAME):", gm_openpsa_top_count(model));
        for (size_t i = 1; i < gm_openpsa_top_count(model) && i < 10; i++) {
            fprintf(cli->err, " " GM_STR_FMT, GM_STR_ARG(gm_fault_tree_view(tree, gm_openpsa_top(model, i)).name));
        }
        fputc('\n', cli->err);
    }
    return GM_OK;
}

// ---- what is told ------------------------------------------------------------------------------------------------------------

typedef struct cut_writer { const gm_fault_tree *tree; gm_buf *out; } cut_writer;

static void write_cut(void *context, const uint32_t *events, size_t count, double probability)
{
    cut_writer *w = context;
    if (isnan(probability)) gm_buf_text(w->out, "  unknown     ");
    else gm_buf_printf(w->out, "  %-12.4g", probability);
    for (size_t i = 0; i < count; i++) {
        gm_str name = gm_fault_tree_view(w->tree, (gm_tree_node){ events[i] }).name;
        gm_buf_printf(w->out, " " GM_STR_FMT, GM_STR_ARG(name));
    }
    gm_buf_byte(w->out, '\n');
}

static void write_json(const gm_cli *cli, const gm_args *args, const gm_fault_tree *tree, gm_tree_node top, gm_reliability *r, double seconds,
                       gm_buf *out)
{
    gm_error              err    = { 0 };
    gm_reliability_report report = { .importance = gm_args_given(args, OPT_IMPORTANCE) ? (size_t)gm_args_count(args, OPT_IMPORTANCE) : SIZE_MAX,
                                     .cut_sets = gm_args_given(args, OPT_CUT_SETS) ? (size_t)gm_args_count(args, OPT_CUT_SETS) : 0, .seconds = seconds };
    gm_buf_byte(out, '{');
    if (gm_reliability_write_report(cli->alloc, r, tree, top, &report, out, &err) != GM_OK) gm_cli_fail(cli, &err);
    gm_buf_text(out, "}\n");
}

static void write_importance(const gm_cli *cli, const gm_args *args, const gm_fault_tree *tree, const gm_reliability *r, gm_buf *out)
{
    size_t           count = 0, most = (size_t)gm_args_count(args, OPT_IMPORTANCE);
    gm_ranked_event *list  = gm_reliability_rank(cli->alloc, tree, r, &count);
    gm_table_text   *table = gm_table_text_create(cli->arena, 6);
    const gm_str     head[] = { GM_STR("EVENT"), GM_STR("PROBABILITY"), GM_STR("BIRNBAUM"), GM_STR("FUSSELL-VESELY"), GM_STR("RAW"), GM_STR("RRW") };
    if (count > 0 && most > 0) {
        gm_table_text_add(table, head);
        for (size_t i = 0; i < count && i < most; i++) {
            const gm_event_importance *x = &list[i].i;
            const gm_str cells[] = { gm_fault_tree_view(tree, list[i].node).name, gm_arena_printf(cli->arena, "%.4g", x->probability),
                                     gm_arena_printf(cli->arena, "%.4g", x->birnbaum), gm_arena_printf(cli->arena, "%.4g", x->fussell_vesely),
                                     gm_arena_printf(cli->arena, "%.4g", x->achievement), gm_arena_printf(cli->arena, "%.4g", x->reduction) };
            gm_table_text_add(table, cells);
        }
        gm_buf_byte(out, '\n');
        gm_table_text_write(table, out);
    }
    gm_free(cli->alloc, list);
}

static void write_text(const gm_cli *cli, const gm_args *args, const gm_fault_tree *tree, gm_tree_node top, gm_reliability *r, double seconds,
                       gm_buf *out)
{
    gm_reliability_summary s = gm_reliability_summarise(r);
    char                   text[48];
    gm_str                 name = gm_fault_tree_view(tree, top).name;
    gm_buf_printf(out, GM_STR_FMT ": ", GM_STR_ARG(name));
    if (s.exact) gm_buf_printf(out, "probability %.10g (exact)\n", s.probability);
    else if (isnan(s.low)) {
        gm_str unknown = gm_fault_tree_view(tree, s.unknown).name;
        gm_buf_printf(out, "probability not known, since '" GM_STR_FMT "' has none\n", GM_STR_ARG(unknown));
    } else gm_buf_printf(out, "probability between %.6g and %.6g\n", s.low, s.high);
    gm_buf_printf(out, "%zu events, %zu modules, %zu diagram nodes, %.3g s%s\n", s.events, s.modules, s.diagram_nodes, seconds,
                  s.coherent ? "" : "; not coherent: some events also help");
    if (s.why != NULL) gm_buf_printf(out, "%s\n", s.why);
    if (s.cut_sets_known) {
        gm_reliability_cut_sets_total(r, text);
        gm_buf_printf(out, "\nminimal cut sets: %s\n", text);
        for (size_t k = 0; k < s.order_count; k++) {
            gm_reliability_cut_sets(r, k, text);
            if (strcmp(text, "0") != 0) gm_buf_printf(out, "  order %-3zu %s\n", k, text);
        }
        gm_error   err  = { 0 };
        cut_writer w    = { tree, out };
        size_t     most = (size_t)gm_args_count(args, OPT_CUT_SETS);
        if (most > 0) gm_buf_text(out, "the likeliest:\n");
        if (most > 0 && gm_reliability_list(r, most, write_cut, &w, &err) != GM_OK) gm_buf_printf(out, "  not listed: %s\n", err.text);
    }
    if (s.exact) write_importance(cli, args, tree, r, out);
}

static gm_exit analyse(const gm_cli *cli, const gm_args *args, const gm_fault_tree *tree, gm_tree_node top)
{
    gm_reliability_options o = gm_reliability_options_defaults(cli->clock);
    gm_reliability        *r = NULL;
    gm_error               err = { 0 };
    o.time_max   = gm_args_duration(args, OPT_TIME);
    o.memory_max = gm_option_size(gm_str_of(gm_args_text(args, OPT_MEMORY)));
    o.from_gates = gm_args_given(args, OPT_SECOND);
    gm_time_ns start = gm_monotonic(cli->clock);
    if (gm_reliability_analyse(cli->alloc, tree, top, &o, &r, &err) != GM_OK) return gm_cli_fail(cli, &err);
    double  seconds = (double)(gm_monotonic(cli->clock) - start) / 1e9;
    gm_buf  out     = gm_buf_init(cli->alloc);
    gm_exit code    = GM_EXIT_OK;
    if (gm_args_given(args, OPT_JSON)) write_json(cli, args, tree, top, r, seconds, &out);
    else write_text(cli, args, tree, top, r, seconds, &out);
    if (out.failed) code = gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    else fwrite(out.ptr, 1, out.len, cli->out);
    gm_buf_finish(&out);
    gm_reliability_destroy(r);
    return code;
}

static gm_exit export(const gm_cli *cli, const gm_fault_tree *tree, gm_tree_node top)
{
    gm_buf out = gm_buf_init(cli->alloc);
    gm_openpsa_write(tree, top, gm_fault_tree_view(tree, top).name, &out);
    gm_exit code = GM_EXIT_OK;
    if (out.failed) code = gm_cli_fail_text(cli, GM_EXIT_SYSTEM, "out of memory");
    else fwrite(out.ptr, 1, out.len, cli->out);
    gm_buf_finish(&out);
    return code;
}

// A name that is no file, and does not look like one, is a twin's.
static bool is_twin(const gm_args *args)
{
    const char *name = gm_args_operand(args, 0);
    return args->operand_count == 1 && !gm_str_ends(gm_str_of(name), GM_STR(".xml")) && access(name, F_OK) != 0;
}

static gm_exit live(const gm_cli *cli, const gm_args *args)
{
    const gm_reliability_asked asked = { .http_option = OPT_HTTP, .json_option = OPT_JSON, .twin = gm_args_operand(args, 0), .horizon = gm_args_text(args, OPT_HORIZON),
                                         .cut_sets = gm_args_text(args, OPT_CUT_SETS), .importance = gm_args_text(args, OPT_IMPORTANCE),
                                         .openpsa = gm_args_given(args, OPT_EXPORT) };
    return gm_reliability_live(cli, args, &asked);
}

static gm_exit run(const gm_cli *cli, const gm_args *args)
{
    gm_error     err   = { 0 };
    gm_openpsa  *model = NULL;
    gm_tree_node top   = { 0 };
    texts        t     = { 0 };
    gm_exit      code;
    if (is_twin(args)) return live(cli, args);
    if (gm_args_count(args, OPT_CUT_SETS) > LIST_MAX) return gm_cli_fail_text(cli, GM_EXIT_USAGE, "--cut-sets: at most %d are listed", LIST_MAX);
    gm_status st = read_model(cli, args, &t, &model, &err);
    if (st == GM_OK) st = find_top(cli, args, model, &top, &err);
    if (st == GM_OK) st = gm_fault_tree_check(gm_openpsa_tree(model), top, &err);
    if (st != GM_OK) code = gm_cli_fail(cli, &err);
    else if (gm_args_given(args, OPT_TWINS)) code = gm_reliability_twins(cli, gm_openpsa_tree(model), top, gm_args_text(args, OPT_TWINS));
    else if (gm_args_given(args, OPT_EXPORT)) code = export(cli, gm_openpsa_tree(model), top);
    else code = analyse(cli, args, gm_openpsa_tree(model), top);
    gm_openpsa_destroy(model);
    for (size_t i = 0; i < t.count; i++) gm_free(cli->alloc, (void *)(uintptr_t)t.files[i].text.ptr);
    gm_free(cli->alloc, t.files);
    return code;
}

const gm_verb gm_verb_reliability = {
    .name     = "reliability",
    .summary  = "analyse fault trees, of files or of a twin: probability, minimal cut sets, importance of events",
    .text     = "Reads Open-PSA files (gates of every kind, house events, basic events with expressions, common-cause groups). The probability of the "
                "top is exact: binary decision diagrams of independent modules. Where a tree is too large for the time or memory allowed, the "
                "answer is two bounds and why.\n\n"
                "When the one file given names events that it does not define and NAME-basic-events.xml lies beside NAME.xml, that is read too. Events "
                "that nobody defines have no probability; the cut sets are found all the same.\n\n"
                "Of a twin of the running plant, the tree is made of what rules/*.modes declare (docs/reliability.md): the probability that it stops within the "
                "horizon given what is known now, and that it is down at its end when repairs count.\n\n"
                "Birnbaum's importance is how much the top's probability changes with the event's; RAW and RRW (risk achievement and risk reduction "
                "worth) are the factors by which it rises when the event is sure and falls when it is impossible.",
    .examples = "gemel reliability pump.xml\ngemel reliability pump.xml --json --cut-sets 100\ngemel reliability tree.xml events.xml --top no_water\ngemel reliability tree.xml --twins plant\ngemel reliability waterworks --horizon 30d",
    .syntax   = GM_SYNTAX(options, operands),
    .run      = run,
};
