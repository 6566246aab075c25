// cli/verb.h: what a verb of the program is, and what it may use of the outside world.
//
//   const gm_verb gm_verb_check = { .name = "check", .summary = "...", .syntax = {...}, .run = run };
//
// A verb is one file verb_<name>.c with one such constant; verbs.c lists them all. What --help says, docs/cli.md and the
// manual page are made from the same tables (help.h).
#ifndef GM_CLI_VERB_H
#define GM_CLI_VERB_H

#include "base/io.h"
#include "cli/options.h"

#include <stdio.h>

// Exit codes, for scripts.
#define GM_EXIT_LIST(X)                                                                              \
    X(GM_EXIT_OK,          0, "done; the answer is yes")                                             \
    X(GM_EXIT_NO,          1, "the answer is no, or something is wrong with the input")              \
    X(GM_EXIT_USAGE,       2, "the command line was not understood; nothing was done")               \
    X(GM_EXIT_UNREACHABLE, 3, "the server can not be reached, or went away")                         \
    X(GM_EXIT_SYSTEM,      4, "the operating system refused: a file, the disk, memory, a port in use")

typedef enum gm_exit {
#define X(name, code, text) name = code,
    GM_EXIT_LIST(X)
#undef X
} gm_exit;

typedef struct gm_cli {
    const gm_alloc *alloc;
    const gm_io    *io;
    const gm_clock *clock;
    gm_arena       *arena;     // lives as long as the run
    FILE           *out, *err; // results; everything else
    bool            terminal;  // err is one, so that progress may be drawn
    const struct gm_asset *assets;  // the console's files (cli/console.h); NULL: none
    size_t          asset_count;
} gm_cli;

typedef struct gm_verb {
    const char *name;      // "serve"; two words ("model explain") are one verb
    const char *summary;   // one line, no full stop
    const char *text;      // paragraphs separated by empty lines; may be NULL
    const char *examples;  // one command a line; may be NULL
    gm_syntax   syntax;
    gm_exit (*run)(const gm_cli *cli, const gm_args *args);
} gm_verb;

#define GM_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define GM_SYNTAX(option_table, operand_table)                                          \
    { .options = (option_table), .option_count = GM_COUNT_OF(option_table),             \
      .operands = (operand_table), .operand_count = GM_COUNT_OF(operand_table) }

// Says on cli->err what went wrong ("gemel: ...") and returns the exit code that fits the status.
gm_exit gm_cli_fail(const gm_cli *cli, const gm_error *err);
gm_exit gm_cli_fail_text(const gm_cli *cli, gm_exit code, const char *fmt, ...) GM_PRINTF(3, 4);

// Runs the command line (argv[0] is the program's name).
gm_exit gm_cli_run(const gm_cli *cli, int argc, char *const *argv);

// All verbs in the order in which help shows them.
size_t         gm_verb_count(void);
const gm_verb *gm_verb_at(size_t i);

#endif
