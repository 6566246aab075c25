// gemel, the program: gives the verbs the real world and hands the command line over. Start reading in verbs.c.
#include "cli/console.h"
#include "cli/verbs.h"

#include <signal.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    // A reader that went away (a pipe into `head`, a client that hung up) is an error of that write, not our end.
    signal(SIGPIPE, SIG_IGN);
    gm_alloc_tune_system();
    const gm_alloc *alloc = gm_alloc_system();
    gm_arena       *arena = gm_arena_create(alloc, 0);
    if (arena == NULL) {
        fputs("gemel: out of memory\n", stderr);
        return GM_EXIT_SYSTEM;
    }
    gm_cli cli = {
        .alloc = alloc, .io = gm_io_system(), .clock = gm_clock_system(), .arena = arena,
        .out = stdout, .err = stderr, .terminal = isatty(STDERR_FILENO) == 1,
    };
    cli.assets = gm_console_assets(&cli.asset_count);

    gm_exit code = gm_cli_run(&cli, argc, argv);
    gm_arena_destroy(arena);
    if (fflush(stdout) != 0 && code == GM_EXIT_OK) code = GM_EXIT_SYSTEM;  // what was printed did not get there
    return code;
}
