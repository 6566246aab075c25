// cli/options.h: command lines, driven by tables: the same table parses, prints --help, the manual and docs/cli.md.
//
//   enum { OPT_HTTP, OPT_JSON };
//   static const gm_option options[] = {
//       [OPT_HTTP] = { "http", GM_OPTION_ADDRESS, "ADDR:PORT", "127.0.0.1:8080", "where the server is" },
//       [OPT_JSON] = { "json", GM_OPTION_FLAG, NULL, NULL, "print JSON instead of a table" },
//   };
//   gm_args_parse(&syntax, argc, argv, arena, &args, &err);
//   if (gm_args_given(&args, OPT_JSON)) ...      gm_args_text(&args, OPT_HTTP)
//
// Written as "--name value" or "--name=value"; "--" ends the options; options and operands may be mixed.
#ifndef GM_CLI_OPTIONS_H
#define GM_CLI_OPTIONS_H

#include "base/arena.h"
#include "base/time.h"

typedef enum gm_option_kind {
    GM_OPTION_FLAG,      // no value
    GM_OPTION_TEXT,
    GM_OPTION_COUNT,     // a whole number, 0 or more
    GM_OPTION_NUMBER,    // finite
    GM_OPTION_DURATION,  // 250ms, 5m, 24h
    GM_OPTION_TIME,      // RFC 3339
    GM_OPTION_ADDRESS,   // ADDR:PORT
    GM_OPTION_SIZE,      // bytes: 512, 64KiB, 1MiB, 2GiB
    GM_OPTION_YES_NO,    // yes or no
} gm_option_kind;

typedef struct gm_option {
    const char    *name;      // "http", written --http
    gm_option_kind kind;
    const char    *value;     // what the value is called in help; NULL for a flag
    const char    *fallback;  // what holds when it is not given; NULL: nothing
    const char    *help;      // begins in lower case, no full stop
    bool           repeats;   // may be given more than once; all are kept in order
} gm_option;

typedef struct gm_operand {
    const char *name;         // "PLANT"
    const char *help;
    bool        optional;     // may be left out; only the last ones
    bool        repeats;      // takes all that follow; only the last one
} gm_operand;

typedef struct gm_syntax {
    const gm_option  *options;
    const gm_operand *operands;
    size_t            option_count, operand_count;
} gm_syntax;

enum { GM_ARGS_MAX = 4096 };  // words on one command line

typedef struct gm_args {
    const gm_syntax   *syntax;
    const char       **operands;       // [operand_count]
    size_t             operand_count;
    const char      ***values;         // [option_count]: the texts given, NULL-terminated; NULL: not given
    size_t            *value_counts;   // [option_count]; a flag counts how often it was given
    bool               help;           // --help was among them; nothing else was checked
} gm_args;

// Parses argv[0..argc-1] (the verb's name is not among them). Memory comes from the arena, texts are viewed in argv.
// GM_INVALID: the command line does not fit the table; err says what to write instead.
GM_NODISCARD gm_status gm_args_parse(const gm_syntax *syntax, int argc, char *const *argv, gm_arena *arena,
                                     gm_args *out_args, gm_error *err);

// Values were checked while parsing, so reading them can not fail. An option without a value and without a default is
// NULL or 0; the last value counts when there are several.
bool        gm_args_given(const gm_args *args, size_t option);
const char *gm_args_text(const gm_args *args, size_t option);
int64_t     gm_args_count(const gm_args *args, size_t option);
double      gm_args_number(const gm_args *args, size_t option);
gm_dur_ns   gm_args_duration(const gm_args *args, size_t option);
gm_time_ns  gm_args_time(const gm_args *args, size_t option);
const char *gm_args_operand(const gm_args *args, size_t i);  // NULL when left out

// The same for texts from elsewhere (gemel.conf), once gm_option_check has accepted them.
uint64_t gm_option_size(gm_str text);
bool     gm_option_yes(gm_str text);
int64_t  gm_option_count(gm_str text);

// Does the text fit the kind? err says what was expected. Also used for gemel.conf.
GM_NODISCARD gm_status gm_option_check(gm_option_kind kind, const char *name, gm_str text, gm_error *err);

// The name of the table that is nearest to a mistyped one, or NULL when none is near.
//   name_at  gives the i-th name; i < count
const char *gm_nearest_name(gm_str typed, size_t count, const char *(*name_at)(const void *context, size_t i),
                            const void *context);

#endif
