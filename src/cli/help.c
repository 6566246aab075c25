#include "cli/help.h"

#include "cli/built_with.h"

enum { WIDTH = 100 };

// Words of text, wrapped at WIDTH, every line but the first indented by `indent`; `column` is where the first starts.
static void wrap(gm_buf *out, const char *text, size_t indent, size_t column)
{
    gm_str rest = gm_str_of(text), word;
    bool   first = true;
    while (gm_str_next(&rest, ' ', &word)) {
        if (!first && column + 1 + word.len > WIDTH) {
            gm_buf_printf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!first) {
            gm_buf_byte(out, ' ');
            column++;
        }
        gm_buf_str(out, word);
        column += word.len;
        first = false;
    }
    gm_buf_byte(out, '\n');
}

// Paragraphs, separated by empty lines; a paragraph that starts with a space is kept as it is.
static void paragraphs(gm_buf *out, const char *text)
{
    gm_str rest = gm_str_of(text), line;
    while (gm_str_next(&rest, '\n', &line)) {
        if (line.len == 0 || line.ptr[0] == ' ') {
            gm_buf_str(out, line);
            gm_buf_byte(out, '\n');
            continue;
        }
        gm_buf copy = gm_buf_init(out->alloc);
        gm_buf_str(&copy, line);
        gm_buf_byte(&copy, 0);
        if (!copy.failed) wrap(out, (const char *)copy.ptr, 0, 0);
        gm_buf_finish(&copy);
    }
}

static void option_head(gm_buf *out, const gm_option *option)
{
    gm_buf_printf(out, "--%s", option->name);
    if (option->value != NULL) gm_buf_printf(out, " %s", option->value);
}

static void operand_head(gm_buf *out, const gm_operand *operand)
{
    gm_buf_printf(out, "%s%s%s%s", operand->optional ? "[" : "", operand->name, operand->repeats ? "..." : "",
                  operand->optional ? "]" : "");
}

// "gemel history TWIN PROPERTY [--from TIME] ..."
static void usage(gm_buf *out, const gm_verb *verb)
{
    gm_buf_printf(out, "gemel %s", verb->name);
    for (size_t i = 0; i < verb->syntax.operand_count; i++) {
        gm_buf_byte(out, ' ');
        operand_head(out, &verb->syntax.operands[i]);
    }
    for (size_t i = 0; i < verb->syntax.option_count; i++) {
        gm_buf_text(out, " [");
        option_head(out, &verb->syntax.options[i]);
        gm_buf_byte(out, ']');
        if (verb->syntax.options[i].repeats) gm_buf_text(out, "...");
    }
}

static void option_help(gm_buf *out, const gm_option *option)
{
    gm_buf_text(out, option->help);
    if (option->fallback != NULL) gm_buf_printf(out, " (default: %s)", option->fallback);
    if (option->repeats) gm_buf_text(out, "; may be repeated");
}

// "  head            help text, wrapped"
static void entry(gm_buf *out, gm_str head, gm_str help)
{
    enum { COLUMN = 26 };
    gm_buf copy = gm_buf_init(out->alloc);
    gm_buf_str(&copy, help);
    gm_buf_byte(&copy, 0);
    gm_buf_printf(out, "  " GM_STR_FMT, GM_STR_ARG(head));
    if (head.len + 4 > COLUMN) gm_buf_printf(out, "\n%*s", COLUMN, "");
    else gm_buf_printf(out, "%*s", (int)(COLUMN - 2 - head.len), "");
    if (!copy.failed) wrap(out, (const char *)copy.ptr, COLUMN, COLUMN);
    gm_buf_finish(&copy);
}

void gm_help_verb(const gm_verb *verb, gm_buf *out)
{
    gm_buf line = gm_buf_init(out->alloc), help = gm_buf_init(out->alloc);
    usage(&line, verb);
    gm_buf_byte(&line, 0);
    gm_buf_text(out, "usage: ");
    if (!line.failed) wrap(out, (const char *)line.ptr, 11, 7);
    gm_buf_printf(out, "\n%s.\n", verb->summary);
    if (verb->text != NULL) {
        gm_buf_byte(out, '\n');
        paragraphs(out, verb->text);
    }
    if (verb->syntax.operand_count + verb->syntax.option_count > 0) gm_buf_byte(out, '\n');
    for (size_t i = 0; i < verb->syntax.operand_count; i++) {
        entry(out, gm_str_of(verb->syntax.operands[i].name), gm_str_of(verb->syntax.operands[i].help));
    }
    for (size_t i = 0; i < verb->syntax.option_count; i++) {
        gm_buf_clear(&line);
        gm_buf_clear(&help);
        option_head(&line, &verb->syntax.options[i]);
        option_help(&help, &verb->syntax.options[i]);
        entry(out, gm_buf_view(&line), gm_buf_view(&help));
    }
    if (verb->examples != NULL) {
        gm_buf_text(out, "\nexamples:\n");
        gm_str rest = gm_str_of(verb->examples), example;
        while (gm_str_next(&rest, '\n', &example)) gm_buf_printf(out, "  " GM_STR_FMT "\n", GM_STR_ARG(example));
    }
    gm_buf_finish(&line);
    gm_buf_finish(&help);
}

void gm_help_program(gm_buf *out)
{
    gm_buf_text(
        out, "usage: gemel VERB ...\n\n"
             "A digital-twin engine: keeps a live, durable model of physical things in step with their sensors.\n\n");
    for (size_t i = 0; i < gm_verb_count(); i++) {
        entry(out, gm_str_of(gm_verb_at(i)->name), gm_str_of(gm_verb_at(i)->summary));
    }
    gm_buf_text(out, "\n`gemel VERB --help` tells more about one. `gemel --version` tells what this build contains.\n"
                     "\nexit codes:\n");
#define X(name, code, text) gm_buf_printf(out, "  %d  %s\n", code, text);
    GM_EXIT_LIST(X)
#undef X
}

// ---- version --------------------------------------------------------------------------------------------------------

static const struct { const char *name, *version; } parts[] = { GM_BUILT_WITH };

gm_str gm_help_version_number(void) { return gm_str_of(GM_VERSION); }

void gm_help_version(gm_buf *out)
{
    gm_buf_printf(out, "gemel %s\nbuilt by %s, %s\n", GM_VERSION, GM_COMPILER, GM_BUILD_TYPE);
    for (size_t i = 0; i < GM_COUNT_OF(parts); i++) gm_buf_printf(out, "  %-16s %s\n", parts[i].name, parts[i].version);
}

void gm_help_version_json(gm_buf *out)
{
    gm_buf_printf(out, "{\"version\":\"%s\",\"compiler\":\"%s\",\"buildType\":\"%s\",\"with\":{", GM_VERSION,
                  GM_COMPILER, GM_BUILD_TYPE);
    for (size_t i = 0; i < GM_COUNT_OF(parts); i++) {
        gm_buf_printf(out, "%s\"%s\":\"%s\"", i > 0 ? "," : "", parts[i].name, parts[i].version);
    }
    gm_buf_text(out, "}}\n");
}

void gm_help_features(gm_buf *out)
{
    for (size_t i = 0; i < GM_COUNT_OF(parts); i++) {
        gm_buf_printf(out, "%s%s %s", i > 0 ? ", " : "", parts[i].name, parts[i].version);
    }
}

// ---- Markdown -------------------------------------------------------------------------------------------------------

// A cell of a table: a bar would end it.
static void markdown_cell(gm_buf *out, gm_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '|') gm_buf_byte(out, '\\');
        gm_buf_byte(out, (uint8_t)text.ptr[i]);
    }
}

static void markdown_verb(gm_buf *out, const gm_verb *verb)
{
    gm_buf_printf(out, "\n## gemel %s\n\n%s.\n\n```\n", verb->name, verb->summary);
    usage(out, verb);
    gm_buf_text(out, "\n```\n\n");
    if (verb->text != NULL) gm_buf_printf(out, "%s\n\n", verb->text);
    if (verb->syntax.operand_count + verb->syntax.option_count > 0) gm_buf_text(out, "| | |\n|---|---|\n");
    for (size_t i = 0; i < verb->syntax.operand_count; i++) {
        gm_buf_printf(out, "| `%s` | ", verb->syntax.operands[i].name);
        markdown_cell(out, gm_str_of(verb->syntax.operands[i].help));
        gm_buf_text(out, " |\n");
    }
    gm_buf help = gm_buf_init(out->alloc);
    for (size_t i = 0; i < verb->syntax.option_count; i++) {
        gm_buf_clear(&help);
        option_help(&help, &verb->syntax.options[i]);
        gm_buf_text(out, "| `");
        option_head(out, &verb->syntax.options[i]);
        gm_buf_text(out, "` | ");
        markdown_cell(out, gm_buf_view(&help));
        gm_buf_text(out, " |\n");
    }
    gm_buf_finish(&help);
    if (verb->examples != NULL) gm_buf_printf(out, "\n```\n%s\n```\n", verb->examples);
}

void gm_help_markdown(gm_buf *out)
{
    gm_buf_text(out,
                "# The command line\n\n"
                "Made from the program's own tables by `gemel help --format markdown`; a test keeps the two alike.\n\n"
                "| verb | |\n|---|---|\n");
    for (size_t i = 0; i < gm_verb_count(); i++) {
        gm_buf_printf(out, "| [%s](#gemel-", gm_verb_at(i)->name);
        for (const char *c = gm_verb_at(i)->name; *c != '\0'; c++) gm_buf_byte(out, *c == ' ' ? '-' : (uint8_t)*c);
        gm_buf_text(out, ") | ");
        markdown_cell(out, gm_str_of(gm_verb_at(i)->summary));
        gm_buf_text(out, " |\n");
    }
    gm_buf_text(out, "\nErrors go to stderr as one sentence that begins with `gemel:`; results go to stdout.\n\n"
                     "| exit code | |\n|---|---|\n");
#define X(name, code, text) gm_buf_printf(out, "| %d | %s |\n", code, text);
    GM_EXIT_LIST(X)
#undef X
    for (size_t i = 0; i < gm_verb_count(); i++) markdown_verb(out, gm_verb_at(i));
}

// ---- manual page ----------------------------------------------------------------------------------------------------

// Text for roff: a hyphen must stay a hyphen, a backslash a backslash, and a dot at the start of a line no request.
static void roff(gm_buf *out, gm_str text)
{
    bool line_start = true;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (line_start && (c == '.' || c == '\'')) gm_buf_text(out, "\\&");
        line_start = c == '\n';
        if (c == '-') gm_buf_text(out, "\\-");
        else if (c == '\\') gm_buf_text(out, "\\e");
        else gm_buf_byte(out, (uint8_t)c);
    }
}

static void man_entry(gm_buf *out, gm_str head, gm_str help)
{
    gm_buf_text(out, ".TP\n.B ");
    roff(out, head);
    gm_buf_byte(out, '\n');
    roff(out, help);
    gm_buf_byte(out, '\n');
}

static void man_verb(gm_buf *out, const gm_verb *verb)
{
    gm_buf line = gm_buf_init(out->alloc), help = gm_buf_init(out->alloc);
    gm_buf_text(out, ".SS gemel ");
    roff(out, gm_str_of(verb->name));
    gm_buf_text(out, "\n.PP\n.B ");
    usage(&line, verb);
    roff(out, gm_buf_view(&line));
    gm_buf_text(out, "\n.PP\n");
    roff(out, gm_str_of(verb->summary));
    gm_buf_text(out, ".\n");
    if (verb->text != NULL) {
        gm_buf_text(out, ".PP\n");
        gm_str rest = gm_str_of(verb->text), paragraph;
        while (gm_str_next(&rest, '\n', &paragraph)) {
            if (paragraph.len == 0) gm_buf_text(out, ".PP");
            else if (paragraph.ptr[0] == ' ') gm_buf_text(out, ".br\n");
            roff(out, gm_str_trim(paragraph));
            gm_buf_byte(out, '\n');
        }
    }
    for (size_t i = 0; i < verb->syntax.operand_count; i++) {
        man_entry(out, gm_str_of(verb->syntax.operands[i].name), gm_str_of(verb->syntax.operands[i].help));
    }
    for (size_t i = 0; i < verb->syntax.option_count; i++) {
        gm_buf_clear(&line);
        gm_buf_clear(&help);
        option_head(&line, &verb->syntax.options[i]);
        option_help(&help, &verb->syntax.options[i]);
        man_entry(out, gm_buf_view(&line), gm_buf_view(&help));
    }
    if (verb->examples != NULL) {
        gm_buf_text(out, ".PP\nExamples:\n.PP\n.nf\n");
        roff(out, gm_str_of(verb->examples));
        gm_buf_text(out, "\n.fi\n");
    }
    gm_buf_finish(&line);
    gm_buf_finish(&help);
}

void gm_help_man(gm_buf *out)
{
    gm_buf_text(out,
                ".\\\" Made from the program's own tables by `gemel help --format man`; a test keeps the two alike.\n"
                ".TH GEMEL 1 \"\" \"gemel\" \"User commands\"\n.SH NAME\ngemel \\- a digital\\-twin engine\n"
                ".SH SYNOPSIS\n.B gemel\n.I VERB\n[...]\n.br\n.B gemel \\-\\-version\n[\\-\\-json]\n.SH DESCRIPTION\n"
                "Keeps a live, durable model of physical things in step with their sensors, and lets people and\n"
                "programs ask it what is, what was and what could be. Results go to standard output; errors go to\n"
                "standard error as one sentence that begins with \"gemel:\".\n.SH VERBS\n");
    for (size_t i = 0; i < gm_verb_count(); i++) man_verb(out, gm_verb_at(i));
    gm_buf_text(out, ".SH EXIT STATUS\n");
#define X(name, code, text) gm_buf_printf(out, ".TP\n.B %d\n%s\n", code, text);
    GM_EXIT_LIST(X)
#undef X
    gm_buf_text(out, ".SH ENVIRONMENT\n.TP\n.B GEMEL_HTTP\nADDR:PORT of the server for the verbs that ask one; "
                     "\\-\\-http wins over it.\n.TP\n.B GEMEL_MQTT\nthe same for MQTT; \\-\\-mqtt wins over it.\n");
}
