// gemel thread import: many facts at once, from a table.
#include "base/number.h"
#include "cli/client.h"
#include "cli/facts_csv.h"
#include "cli/verbs.h"
#include "control/json.h"
#include "thread/fact.h"

enum { TWIN, PHASE, KEY, VALUE, UNIT, MIN, MAX, PART, POSITION, FROM, TO, CAUSE, COLUMNS };
static const char *const names[COLUMNS] = { "twin", "phase", "key", "value", "unit", "min", "max", "part", "position", "from", "to", "cause" };
enum { OPT_HTTP };
static const gm_option  options[]  = { [OPT_HTTP] = GM_CLIENT_HTTP };
static const gm_operand operands[] = { { "FILE", "CSV; its first line names the columns" } };

static gm_exit write_limit(const gm_facts_csv *csv, size_t which, gm_buf *out)
{
    double number;
    gm_str text = gm_facts_csv_cell(csv, which);
    if (text.len == 0) return GM_EXIT_OK;
    if (gm_number_read(text, &number) != text.len) return gm_facts_csv_fail(csv, "'" GM_STR_FMT "' in column '%s' is no number", GM_STR_ARG(gm_str_slice(text, 0, 40)), names[which]);
    gm_buf_printf(out, ",\"%s\":%.17g", names[which], number);
    return GM_EXIT_OK;
}

// What is no number is a text; nothing at all takes back what was said.
static void write_value(gm_str text, gm_buf *out)
{
    double number;
    gm_buf_text(out, ",\"value\":");
    if (text.len == 0) gm_buf_text(out, "null");
    else if (gm_number_read(text, &number) == text.len) gm_buf_json_number(out, number);
    else gm_buf_json_str(out, text);
}

static gm_exit write_row(gm_facts_csv *csv, gm_buf *out)
{
    static const size_t texts[] = { PHASE, KEY, UNIT, PART, POSITION, FROM, TO, CAUSE };
    gm_str              part    = gm_facts_csv_cell(csv, PART), value = gm_facts_csv_cell(csv, VALUE);
    if (part.len > 0 && value.len > 0) return gm_facts_csv_fail(csv, "a fact has a 'part' or a 'value', not both");
    gm_buf_text(out, "{\"twin\":");
    gm_buf_json_str(out, gm_facts_csv_cell(csv, TWIN));
    for (size_t i = 0; i < GM_COUNT_OF(texts); i++) gm_json_member(out, names[texts[i]], gm_facts_csv_cell(csv, texts[i]));
    if (part.len == 0) write_value(value, out);
    // A part that is installed is taken out of where it was, as `gemel thread move` does it.
    if (part.len > 0 && gm_str_is(gm_facts_csv_cell(csv, KEY), GM_KEY_INSTALLED)) gm_buf_text(out, ",\"replace\":true");
    gm_exit code = write_limit(csv, MIN, out);
    if (code == GM_EXIT_OK) code = write_limit(csv, MAX, out);
    gm_buf_byte(out, '}');
    return code;
}

static gm_exit import(const gm_cli *cli, const gm_args *args)
{
    static const gm_facts_table table = { names, COLUMNS, 1u << TWIN | 1u << PHASE | 1u << KEY, write_row };
    return gm_facts_csv_import(cli, args, OPT_HTTP, gm_args_operand(args, 0), &table);
}

const gm_verb gm_verb_thread_import = {
    .name     = "thread import",
    .summary  = "bring in facts from CSV",
    .text     = "Columns in any order: twin, phase, key; and, where there are any, value (a number, or a text; empty: takes back what was said), unit, min, max, part and "
                "position (with the key installedIn: moves the part there), from, to, cause. Rows are added in their order; facts that are there already are corrected.",
    .examples = "gemel thread import records.csv",
    .syntax   = GM_SYNTAX(options, operands),
    .run      = import,
};
