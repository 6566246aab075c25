// A solve in a process of its own, which can be ended at any moment.
#include "control/maintain/mip.h"

#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char WHERE[] = "control.mip";
enum { LOOK_EVERY_MS = 10, PATIENCE_S = 10 };

// What comes through the pipe: this, and the values behind it. Both ends are one program, so that it may be its bytes in memory.
typedef struct message { gm_status status; gm_mip_report report; gm_error err; } message;

static bool put(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

// The copy: nothing of the original but memory. No descriptor may stay, or connections that the original closes would stay open and the
// lock of the data directory would outlive it; nor may it speak where the original does.
static void run_copy(const gm_mip *m, const gm_mip_limits *limits, double *values, int fd, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(nothing, 1) < 0 || dup2(nothing, 2) < 0) _exit(1);
    if (fd > 3) close_range(3, (unsigned)fd - 1, 0);
    close_range((unsigned)fd + 1, UINT32_MAX, 0);
    message answer;
    memset(&answer, 0, sizeof answer);
    answer.status = gm_mip_solve_here(m, limits, values, &answer.report, &answer.err);
    bool good     = put(fd, &answer, sizeof answer);
    if (good && answer.status == GM_OK) good = put(fd, values, m->column_count * sizeof *values);
    _exit(good ? 0 : 1);
}

typedef struct waiting { int fd; const gm_mip_stop *stop; gm_dur_ns until; } waiting;

// Reads until it is all there; looks meanwhile whether it is still wanted. GM_IO: the other end closed before; GM_LIMIT: it takes too long.
static gm_status get(const waiting *w, void *bytes, size_t size)
{
    char *at = bytes;
    int   fd = w->fd;
    while (size > 0) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        if (gm_mip_stopped(w->stop)) return GM_CANCELLED;
        if (gm_monotonic(gm_clock_system()) > w->until) return GM_LIMIT;
        if (poll(&p, 1, LOOK_EVERY_MS) <= 0) continue;
        ssize_t n = read(fd, at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return GM_IO;
        at += n;
        size -= (size_t)n;
    }
    return GM_OK;
}

static gm_status receive(const gm_mip *m, const waiting *w, double *values, gm_mip_report *out, gm_error *err)
{
    message   answer;
    gm_status st = get(w, &answer, sizeof answer);
    if (st == GM_OK && answer.status != GM_OK) {
        if (err != NULL) *err = answer.err;
        return answer.status;
    }
    if (st == GM_OK) st = get(w, values, m->column_count * sizeof *values);
    if (st == GM_OK) *out = answer.report;
    return st;
}

// The library looks at the clock between its steps, and a step may be long.
static gm_dur_ns patience(const gm_mip_limits *limits)
{
    return gm_monotonic(gm_clock_system()) + (gm_dur_ns)((limits->seconds + fmax(limits->seconds, PATIENCE_S)) * 1e9);
}

gm_status gm_mip_solve(const gm_mip *m, const gm_mip_limits *limits, double *values, gm_mip_report *out, gm_error *err)
{
    int       ends[2], how = 0;
    gm_status st = gm_mip_require(err);
    *out         = (gm_mip_report){ .end = GM_MIP_NOTHING };
    if (st != GM_OK) return st;
    if (limits->stop == NULL) return gm_mip_solve_here(m, limits, values, out, err);
    if (pipe2(ends, O_CLOEXEC) != 0) return gm_fail_os(err, errno, WHERE, "making a pipe");
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) run_copy(m, limits, values, ends[1], parent);
    close(ends[1]);
    if (pid < 0) st = gm_fail_os(err, errno, WHERE, "making a process for the solver");
    else st = receive(m, &(waiting){ ends[0], limits->stop, patience(limits) }, values, out, err);
    close(ends[0]);
    if (pid < 0) return st;
    kill(pid, SIGKILL);  // it has said all, or nobody wants to hear it
    while (waitpid(pid, &how, 0) < 0 && errno == EINTR) {}
    if (st == GM_LIMIT) return GM_OK;  // GM_MIP_NOTHING in time
    if (st == GM_CANCELLED) return gm_fail(err, st, WHERE, "the search was stopped");
    if (st == GM_IO) return gm_fail(err, GM_DIVERGED, WHERE, "the solver ended without an answer (%s %d)", WIFSIGNALED(how) ? "signal" : "code", WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
    return st;
}
