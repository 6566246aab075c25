// Two passes over argv: the first counts occurrences, the second places them, so that everything lies in the arena.
#include "cli/options.h"

#include "base/address.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *option_name_at(const void *context, size_t i)
{
    return ((const gm_option *)context)[i].name;
}

// Edit distance with one row; names are short, so it stays below 64 x 64 steps.
static size_t distance(gm_str a, gm_str b)
{
    enum { LONGEST = 64 };
    if (a.len >= LONGEST || b.len >= LONGEST) return LONGEST;
    size_t row[LONGEST + 1];
    for (size_t j = 0; j <= b.len; j++) row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0]          = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t change = diagonal + (a.ptr[i - 1] != b.ptr[j - 1]);
            diagonal      = row[j];
            size_t best   = row[j - 1] < row[j] ? row[j - 1] + 1 : row[j] + 1;
            row[j]        = change < best ? change : best;
        }
    }
    return row[b.len];
}

const char *gm_nearest_name(gm_str typed, size_t count, const char *(*name_at)(const void *context, size_t i),
                            const void *context)
{
    const char *best = NULL;
    size_t      least = 3;  // further away than two slips it is another word
    for (size_t i = 0; i < count; i++) {
        size_t d = distance(typed, gm_str_of(name_at(context, i)));
        if (d < least && d < typed.len) {
            least = d;
            best  = name_at(context, i);
        }
    }
    return best;
}

static bool read_number(gm_str text, double *out)
{
    char copy[64];
    if (text.len == 0 || text.len >= sizeof copy) return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    char *end;
    *out = strtod(copy, &end);
    return *end == '\0' && copy[0] != ' ' && isfinite(*out);
}

static bool read_count(gm_str text, int64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') return false;
        if (__builtin_mul_overflow(*out, (int64_t)10, out)) return false;
        if (__builtin_add_overflow(*out, (int64_t)(text.ptr[i] - '0'), out)) return false;
    }
    return text.len > 0;
}

// "64MiB" -> bytes.
static bool read_size(gm_str text, uint64_t *out)
{
    static const struct {
        const char *name;
        int         shift;
    } units[]     = { { "", 0 }, { "KiB", 10 }, { "MiB", 20 }, { "GiB", 30 } };
    size_t digits = 0;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9') digits++;
    int64_t count;
    if (!read_count(gm_str_slice(text, 0, digits), &count)) return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (!gm_str_is(gm_str_slice(text, digits, text.len), units[i].name)) continue;
        *out = (uint64_t)count << units[i].shift;
        return count <= INT64_MAX >> units[i].shift;
    }
    return false;
}

uint64_t gm_option_size(gm_str text)
{
    uint64_t size = 0;
    return read_size(text, &size) ? size : 0;
}

bool gm_option_yes(gm_str text) { return gm_str_is(text, "yes"); }

int64_t gm_option_count(gm_str text)
{
    int64_t count = 0;
    return read_count(text, &count) ? count : 0;
}

gm_status gm_option_check(gm_option_kind kind, const char *name, gm_str text, gm_error *err)
{
    gm_error   inner = {0};
    gm_address address;
    gm_dur_ns  duration;
    gm_time_ns time;
    double     number;
    int64_t    count;
    uint64_t   size;
    gm_status  st = GM_OK;
    switch (kind) {
    case GM_OPTION_FLAG: break;
    case GM_OPTION_TEXT: break;
    case GM_OPTION_COUNT:
        if (!read_count(text, &count)) {
            st = gm_fail(&inner, GM_INVALID, "cli.options", "'" GM_STR_FMT "' is not a whole number such as 100",
                         (int)(text.len < 80 ? text.len : 80), text.ptr);
        }
        break;
    case GM_OPTION_NUMBER:
        if (!read_number(text, &number)) {
            st = gm_fail(&inner, GM_INVALID, "cli.options", "'" GM_STR_FMT "' is not a number such as 0.5",
                         (int)(text.len < 80 ? text.len : 80), text.ptr);
        }
        break;
    case GM_OPTION_DURATION: st = gm_dur_parse(text, &duration, &inner); break;
    case GM_OPTION_TIME: st = gm_time_parse(text, &time, &inner); break;
    case GM_OPTION_ADDRESS: st = gm_address_parse(text, &address, &inner); break;
    case GM_OPTION_SIZE:
        if (!read_size(text, &size)) {
            st = gm_fail(&inner, GM_INVALID, "cli.options", "'" GM_STR_FMT "' is not a size such as 64MiB",
                         (int)(text.len < 80 ? text.len : 80), text.ptr);
        }
        break;
    case GM_OPTION_YES_NO:
        if (!gm_str_is(text, "yes") && !gm_str_is(text, "no")) {
            st = gm_fail(&inner, GM_INVALID, "cli.options", "'" GM_STR_FMT "' is neither yes nor no",
                         (int)(text.len < 80 ? text.len : 80), text.ptr);
        }
        break;
    }
    if (st != GM_OK) return gm_fail(err, st, "cli.options", "%s: %s", name, inner.text);
    return GM_OK;
}

static size_t find_option(const gm_syntax *syntax, gm_str name)
{
    for (size_t i = 0; i < syntax->option_count; i++) {
        if (gm_str_is(name, syntax->options[i].name)) return i;
    }
    return SIZE_MAX;
}

static gm_status unknown_option(const gm_syntax *syntax, gm_str name, gm_error *err)
{
    const char *near = gm_nearest_name(name, syntax->option_count, option_name_at, syntax->options);
    int         len  = (int)(name.len < 60 ? name.len : 60);
    if (near != NULL) {
        return gm_fail(err, GM_INVALID, "cli.options", "there is no option --" GM_STR_FMT "; did you mean --%s?", len,
                       name.ptr, near);
    }
    return gm_fail(err, GM_INVALID, "cli.options", "there is no option --" GM_STR_FMT "; --help lists them", len,
                   name.ptr);
}

// Keeps one value of an option at the end of its list.
static gm_status keep_value(gm_args *args, size_t option, const char *text, gm_arena *arena, gm_error *err)
{
    const gm_option *o     = &args->syntax->options[option];
    size_t           count = args->value_counts[option];
    if (count > 0 && !o->repeats && o->kind != GM_OPTION_FLAG) {
        return gm_fail(err, GM_INVALID, "cli.options", "--%s is given twice; give it once", o->name);
    }
    char name[80];
    snprintf(name, sizeof name, "--%s", o->name);
    gm_status st = gm_option_check(o->kind, name, gm_str_of(text), err);
    if (st != GM_OK) return st;
    const char **grown = GM_ARENA_NEW(arena, const char *, count + 2);
    if (grown == NULL) return gm_fail(err, GM_NOMEM, "cli.options", "reading the command line");
    if (count > 0) memcpy(grown, args->values[option], count * sizeof *grown);
    grown[count]               = text;
    args->values[option]       = grown;
    args->value_counts[option] = count + 1;
    return GM_OK;
}

// One word that begins with "--"; may take the next word as its value.
static gm_status parse_option(gm_args *args, int argc, char *const *argv, int *at, gm_arena *arena, gm_error *err)
{
    gm_str word   = gm_str_of(argv[*at] + 2);
    size_t equals = gm_str_find_char(word, '=');
    gm_str name   = gm_str_slice(word, 0, equals);
    size_t option = find_option(args->syntax, name);
    if (option == SIZE_MAX) return unknown_option(args->syntax, name, err);

    const gm_option *o     = &args->syntax->options[option];
    const char      *value = equals != SIZE_MAX ? word.ptr + equals + 1 : NULL;
    if (o->kind == GM_OPTION_FLAG) {
        if (value != NULL) return gm_fail(err, GM_INVALID, "cli.options", "--%s takes no value", o->name);
        return keep_value(args, option, "", arena, err);
    }
    if (value == NULL && *at + 1 < argc) value = argv[++*at];
    if (value == NULL)
        return gm_fail(err, GM_INVALID, "cli.options", "--%s needs a value: --%s %s", o->name, o->name, o->value);
    return keep_value(args, option, value, arena, err);
}

static gm_status check_operand_count(const gm_args *args, gm_error *err)
{
    const gm_syntax *syntax = args->syntax;
    for (size_t i = 0; i < syntax->operand_count; i++) {
        if (!syntax->operands[i].optional && i >= args->operand_count) {
            return gm_fail(err, GM_INVALID, "cli.options", "%s is missing: %s", syntax->operands[i].name,
                           syntax->operands[i].help);
        }
    }
    bool endless = syntax->operand_count > 0 && syntax->operands[syntax->operand_count - 1].repeats;
    if (!endless && args->operand_count > syntax->operand_count) {
        return gm_fail(err, GM_INVALID, "cli.options", "'%.80s' is one word too many; quote a text that has spaces",
                       args->operands[syntax->operand_count]);
    }
    return GM_OK;
}

gm_status gm_args_parse(const gm_syntax *syntax, int argc, char *const *argv, gm_arena *arena, gm_args *out_args,
                        gm_error *err)
{
    assert(syntax != NULL && arena != NULL && out_args != NULL && argc >= 0);
    if (argc > GM_ARGS_MAX) return gm_fail(err, GM_LIMIT, "cli.options", "%d words; at most %d", argc, GM_ARGS_MAX);
    *out_args              = (gm_args){ .syntax = syntax };
    out_args->operands     = GM_ARENA_NEW(arena, const char *, (size_t)argc + 1);
    out_args->values       = GM_ARENA_NEW(arena, const char **, syntax->option_count + 1);
    out_args->value_counts = GM_ARENA_NEW(arena, size_t, syntax->option_count + 1);
    if (out_args->operands == NULL || out_args->values == NULL || out_args->value_counts == NULL) {
        return gm_fail(err, GM_NOMEM, "cli.options", "reading the command line");
    }

    // Whoever asks for help gets it, whatever else is wrong with the line.
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) out_args->help = true;
    }
    if (out_args->help) return GM_OK;

    bool options_end = false;
    for (int at = 0; at < argc; at++) {
        const char *word = argv[at];
        if (!options_end && strcmp(word, "--") == 0) {
            options_end = true;
        } else if (!options_end && word[0] == '-' && word[1] == '-') {
            gm_status st = parse_option(out_args, argc, argv, &at, arena, err);
            if (st != GM_OK) return st;
        } else if (!options_end && word[0] == '-' && word[1] != '\0' && (word[1] < '0' || word[1] > '9')) {
            return gm_fail(err, GM_INVALID, "cli.options", "there is no option %.60s; options are written --name",
                           word);
        } else {
            out_args->operands[out_args->operand_count++] = word;
        }
    }
    return check_operand_count(out_args, err);
}

bool gm_args_given(const gm_args *args, size_t option)
{
    assert(option < args->syntax->option_count);
    return args->value_counts[option] > 0;
}

const char *gm_args_text(const gm_args *args, size_t option)
{
    assert(option < args->syntax->option_count);
    size_t n = args->value_counts[option];
    return n > 0 ? args->values[option][n - 1] : args->syntax->options[option].fallback;
}

int64_t gm_args_count(const gm_args *args, size_t option)
{
    return gm_option_count(gm_str_of(gm_args_text(args, option)));
}

double gm_args_number(const gm_args *args, size_t option)
{
    double number = 0;
    (void)read_number(gm_str_of(gm_args_text(args, option)), &number);
    return number;
}

gm_dur_ns gm_args_duration(const gm_args *args, size_t option)
{
    gm_dur_ns duration = 0;
    if (gm_dur_parse(gm_str_of(gm_args_text(args, option)), &duration, NULL) != GM_OK) return 0;
    return duration;
}

gm_time_ns gm_args_time(const gm_args *args, size_t option)
{
    gm_time_ns time = 0;
    if (gm_time_parse(gm_str_of(gm_args_text(args, option)), &time, NULL) != GM_OK) return 0;
    return time;
}

const char *gm_args_operand(const gm_args *args, size_t i)
{
    return i < args->operand_count ? args->operands[i] : NULL;
}
