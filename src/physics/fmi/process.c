#include "physics/fmi/process.h"

#include "physics/fmi/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_MAX = 16 << 20, EXEC_FAILED = 127 };

// Between fork and exec: only what POSIX calls async-signal-safe, because other threads' locks may be held.
static void become_worker(const char *program, uint64_t memory_max, int socket, int output, int now, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(EXEC_FAILED);  // it ended before the line above
    int nothing = open("/dev/null", O_RDONLY);
    // Away from the places they go to, so that none is overwritten before it is used.
    socket = fcntl(socket, F_DUPFD, 10);
    output = fcntl(output, F_DUPFD, 10);
    now    = fcntl(now, F_DUPFD, 10);
    if (dup2(nothing, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0 || dup2(socket, GM_FMU_WORKER_FD) < 0) _exit(EXEC_FAILED);
    if (dup2(now, GM_FMU_WORKER_NOW_FD) < 0) _exit(EXEC_FAILED);
    syscall(SYS_close_range, GM_FMU_WORKER_NOW_FD + 1, ~0U, 0);
    struct rlimit no_core = { 0, 0 }, files = { OUTPUT_MAX, OUTPUT_MAX }, memory = { memory_max, memory_max };
    setrlimit(RLIMIT_CORE, &no_core);
    setrlimit(RLIMIT_FSIZE, &files);
    if (memory_max > 0) setrlimit(RLIMIT_AS, &memory);
    char *words[] = { (char[]){ "gemel" }, (char[]){ "fmu-worker" }, NULL };
    execv(program, words);
    _exit(EXEC_FAILED);
}

gm_status gm_fmu_process_start(const char *program, uint64_t memory_max, gm_fmu_process *out_process, gm_error *err)
{
    int       pair[2] = { -1, -1 };
    gm_status st      = GM_OK;
    *out_process      = (gm_fmu_process){ .socket = -1, .output = -1, .now = -1 };
    int output = memfd_create("gemel-fmu-output", MFD_CLOEXEC), now = memfd_create("gemel-fmu-now", MFD_CLOEXEC);
    if (output < 0 || now < 0 || ftruncate(now, 1) != 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        st = gm_fail_os(err, errno, "fmi.process", "starting a process for the FMU");
        goto done;
    }
    pid_t parent = getpid();
    pid_t pid    = fork();
    if (pid < 0) {
        st = gm_fail_os(err, errno, "fmi.process", "starting a process for the FMU");
        goto done;
    }
    if (pid == 0) become_worker(program, memory_max, pair[1], output, now, parent);
    *out_process = (gm_fmu_process){ .pid = pid, .socket = pair[0], .output = output, .now = now };
    pair[0] = output = now = -1;
done:
    if (now >= 0) close(now);
    if (pair[0] >= 0) close(pair[0]);
    if (pair[1] >= 0) close(pair[1]);
    if (output >= 0) close(output);
    return st;
}

void gm_fmu_process_end(gm_fmu_process *process, bool at_once, char out_end[GM_FMU_END_TEXT])
{
    if (process->pid <= 0) return;
    int   status = 0;
    pid_t got    = 0;
    if (process->socket >= 0) close(process->socket);
    process->socket = -1;
    for (int tries = 0; !at_once && got == 0 && tries < 200; tries++) {
        got = waitpid(process->pid, &status, WNOHANG);
        if (got == 0) poll(NULL, 0, 5);
    }
    if (got == 0) {
        kill(process->pid, SIGKILL);
        while ((got = waitpid(process->pid, &status, 0)) < 0 && errno == EINTR) {}
    }
    process->pid = 0;
    if (out_end == NULL) return;
    if (got > 0 && WIFSIGNALED(status)) snprintf(out_end, GM_FMU_END_TEXT, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (got > 0 && WEXITSTATUS(status) == EXEC_FAILED) snprintf(out_end, GM_FMU_END_TEXT, "the worker could not be started");
    else snprintf(out_end, GM_FMU_END_TEXT, "exit code %d", got > 0 ? WEXITSTATUS(status) : -1);
}

gm_fmu_op gm_fmu_process_now(const gm_fmu_process *process, gm_fmu_op otherwise)
{
    uint8_t op = 0;
    return process->now >= 0 && pread(process->now, &op, 1, 0) == 1 && op < GM_FMU_OP_COUNT ? (gm_fmu_op)op : otherwise;
}

void gm_fmu_process_output(const gm_fmu_process *process, size_t max, gm_buf *out)
{
    off_t size = process->output >= 0 ? lseek(process->output, 0, SEEK_END) : 0;
    if (size <= 0) return;
    off_t    from = (size_t)size > max ? size - (off_t)max : 0;
    uint8_t *to   = gm_buf_reserve(out, (size_t)(size - from));
    if (to == NULL) return;
    ssize_t n = pread(process->output, to, (size_t)(size - from), from);
    if (n > 0) out->len += (size_t)n;
}

void gm_fmu_process_finish(gm_fmu_process *process)
{
    if (process->output >= 0) close(process->output);
    if (process->now >= 0) close(process->now);
    process->output = process->now = -1;
}
