#include "physics/fmi/compiler.h"

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_ROOM = 4600, COMPLAINTS_MAX = 1 << 20 };

// No code of its own is exported but what the standard names, and no arithmetic is changed.
const char *const gm_fmu_compiler_flags[] = { "-std=gnu11", "-fPIC", "-shared", "-ffp-contract=off", "-fno-math-errno", NULL };

static gm_status first_complaint(const char *path, const char *program, const char *folder, gm_error *err)
{
    uint8_t *text = NULL;
    size_t   n    = 0;
    if (gm_io_read_file(gm_io_system(), path, COMPLAINTS_MAX, &text, &n, NULL) != GM_OK) n = 0;
    gm_str rest = { (const char *)text, n }, line = GM_STR("");
    // The folder is gone when this is read.
    while (gm_str_next(&rest, '\n', &line) && line.len == 0) {}
    if (gm_str_starts(line, gm_str_of(folder))) line = gm_str_slice(line, strlen(folder) + 1, line.len);
    gm_status st = gm_fail(err, GM_INVALID, "fmi.compiler", "the compiler %.60s fails: " GM_STR_FMT, program, GM_STR_ARG(gm_str_slice(line, 0, 110)));
    gm_free(gm_io_system()->alloc, text);
    return st;
}

// In a process group of its own, so that the programs that it starts end with it.
static int start(const char *const *words, const char *folder, const char *complaints, pid_t *out_pid)
{
    char  temporary[PATH_ROOM], path[PATH_ROOM], language[] = "LC_ALL=C";
    char *environment[] = { temporary, path, language, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t          attributes;
    snprintf(temporary, sizeof temporary, "TMPDIR=%s", folder);
    snprintf(path, sizeof path, "PATH=%s", getenv("PATH") != NULL ? getenv("PATH") : "/usr/bin:/bin");
    if (posix_spawn_file_actions_init(&actions) != 0) return ENOMEM;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return ENOMEM;
    }
    int why = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (why == 0) why = posix_spawn_file_actions_addopen(&actions, 2, complaints, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (why == 0) why = posix_spawn_file_actions_adddup2(&actions, 2, 1);
    if (why == 0) why = posix_spawn_file_actions_addchdir_np(&actions, folder);
    if (why == 0) why = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    if (why == 0) why = posix_spawnattr_setpgroup(&attributes, 0);
    if (why == 0) why = posix_spawnp(out_pid, words[0], &actions, &attributes, (char *const *)(uintptr_t)words, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return why;
}

// Waits for the end; false: the limit came first, and it was ended.
static bool wait_for(pid_t pid, gm_dur_ns limit, int *out_status)
{
    gm_dur_ns deadline = gm_monotonic(gm_clock_system()) + limit;
    int       handle   = pidfd_open(pid, 0);
    bool      ended    = false;
    while (!ended && handle >= 0) {
        gm_dur_ns     left  = deadline - gm_monotonic(gm_clock_system());
        struct pollfd watch = { .fd = handle, .events = POLLIN };
        if (left <= 0) break;
        ended = poll(&watch, 1, left > GM_SECOND ? 1000 : (int)(left / GM_MILLISECOND) + 1) > 0;
    }
    if (handle >= 0 && !ended) kill(-pid, SIGKILL);
    if (handle >= 0) close(handle);
    while (waitpid(pid, out_status, 0) < 0 && errno == EINTR) {}
    return ended || handle < 0;
}

gm_status gm_fmu_compiler_run(const char *const *words, const char *folder, gm_dur_ns limit, gm_error *err)
{
    char  complaints[PATH_ROOM];
    pid_t pid    = 0;
    int   status = -1;
    snprintf(complaints, sizeof complaints, "%s/complaints", folder);
    int why = start(words, folder, complaints, &pid);
    if (why == ENOENT) return gm_fail(err, GM_NOTFOUND, "fmi.compiler", "there is no compiler %.60s", words[0]);
    if (why != 0) return gm_fail_os(err, why, "fmi.compiler", "starting %.60s", words[0]);
    if (!wait_for(pid, limit, &status)) {
        return gm_fail(err, GM_LIMIT, "fmi.compiler", "the compiler %.60s took longer than %g s", words[0], (double)limit / GM_SECOND);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? GM_OK : first_complaint(complaints, words[0], folder, err);
}
