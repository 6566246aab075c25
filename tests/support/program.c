#include "support/program.h"

#include "support/golden.h"
#include "support/http_client.h"
#include "support/support.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS_MAX = 64, PATIENCE_S = 60 };

gm_child *gm_child_start(const char *const *words)
{
    const char *program = getenv("GEMEL");
    if (program == NULL) fail_msg("GEMEL must name the program");
    int out[2], err[2];
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) fail_msg("pipe: %s", strerror(errno));
    gm_child *child = calloc(1, sizeof *child);
    char     *argv[WORDS_MAX] = { (char *)(uintptr_t)program };
    for (size_t i = 0; words[i] != NULL; i++) argv[i + 1] = (char *)(uintptr_t)words[i];
    fflush(NULL);
    child->pid = fork();
    if (child->pid == 0) {
        dup2(out[1], STDOUT_FILENO);
        dup2(err[1], STDERR_FILENO);
        if (chdir(gm_test_root()) == 0) execv(program, argv);
        _exit(127);
    }
    close(out[1]);
    close(err[1]);
    child->out      = out[0];
    child->err      = err[0];
    child->out_text = gm_buf_init(gm_alloc_system());
    child->err_text = gm_buf_init(gm_alloc_system());
    fcntl(child->out, F_SETFL, O_NONBLOCK);
    fcntl(child->err, F_SETFL, O_NONBLOCK);
    return child;
}

static void take(int *fd, gm_buf *text)
{
    char    bytes[4096];
    ssize_t n;
    while (*fd >= 0 && (n = read(*fd, bytes, sizeof bytes)) >= 0) {
        if (n == 0) {
            close(*fd);
            *fd = -1;
            return;
        }
        gm_buf_add(text, bytes, (size_t)n);
    }
}

void gm_child_read(gm_child *child, int wait_ms)
{
    struct pollfd fds[2] = { { .fd = child->out, .events = POLLIN }, { .fd = child->err, .events = POLLIN } };
    poll(fds, 2, wait_ms);
    take(&child->out, &child->out_text);
    take(&child->err, &child->err_text);
}

bool gm_child_ended(gm_child *child, int *out_code)
{
    int status;
    if (child->pid <= 0 || waitpid(child->pid, &status, WNOHANG) != child->pid) return false;
    *out_code  = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    child->pid = 0;
    gm_child_read(child, 0);
    return true;
}

int gm_child_wait(gm_child *child)
{
    gm_dur_ns end = gm_monotonic(gm_clock_system()) + PATIENCE_S * GM_SECOND;
    int       code;
    while (!gm_child_ended(child, &code)) {
        if (gm_monotonic(gm_clock_system()) > end) {
            gm_child_kill(child);
            fail_msg("the program did not end; it said: " GM_STR_FMT, GM_STR_ARG(gm_buf_view(&child->err_text)));
        }
        gm_child_read(child, 10);
    }
    return code;
}

void gm_child_kill(gm_child *child)
{
    if (child->pid <= 0) return;
    kill(child->pid, SIGKILL);
    waitpid(child->pid, NULL, 0);
    child->pid = 0;
}

void gm_child_free(gm_child *child)
{
    gm_child_kill(child);
    if (child->out >= 0) close(child->out);
    if (child->err >= 0) close(child->err);
    gm_buf_finish(&child->out_text);
    gm_buf_finish(&child->err_text);
    free(child);
}

gm_ran gm_run(const char *const *words)
{
    gm_child *child = gm_child_start(words);
    gm_ran    ran   = { .code = gm_child_wait(child) };
    ran.out         = child->out_text;
    ran.err         = child->err_text;
    gm_buf_byte(&ran.out, 0);
    gm_buf_byte(&ran.err, 0);
    ran.out.len--;
    ran.err.len--;
    child->out_text = child->err_text = gm_buf_init(gm_alloc_system());
    gm_child_free(child);
    return ran;
}

void gm_ran_finish(gm_ran *ran)
{
    gm_buf_finish(&ran->out);
    gm_buf_finish(&ran->err);
}

void gm_run_expect(const char *const *words, int code, const char *says)
{
    gm_ran ran = gm_run(words);
    if (ran.code != code || (strstr(GM_TEXT(ran.out), says) == NULL && strstr(GM_TEXT(ran.err), says) == NULL))
        fail_msg("%s %s: %d, '%s' '%s'; expected %d, '%s'", words[0], words[1] != NULL ? words[1] : "", ran.code, GM_TEXT(ran.out), GM_TEXT(ran.err), code, says);
    gm_ran_finish(&ran);
}

gm_served *gm_serve(const char *plant, const char *data, const char *http, const char *mqtt)
{
    const char *const words[] = { "serve", plant, "--data", data, "--http", http != NULL ? http : "127.0.0.1:0",
                                  "--mqtt", mqtt != NULL ? mqtt : "127.0.0.1:0", NULL };
    gm_served *served = calloc(1, sizeof *served);
    served->child     = gm_child_start(words);
    gm_dur_ns end     = gm_monotonic(gm_clock_system()) + PATIENCE_S * GM_SECOND;
    gm_child *child   = served->child;
    while (gm_str_find_char(gm_buf_view(&child->out_text), '\n') == SIZE_MAX) {
        int code;
        if (gm_child_ended(child, &code))
            fail_msg("the server ended with %d: " GM_STR_FMT, code, GM_STR_ARG(gm_buf_view(&child->err_text)));
        if (gm_monotonic(gm_clock_system()) > end)
            fail_msg("the server did not get ready: " GM_STR_FMT, GM_STR_ARG(gm_buf_view(&child->err_text)));
        gm_child_read(child, 50);
    }
    gm_buf_byte(&child->out_text, 0);
    if (sscanf(GM_TEXT(child->out_text), "ready http=%63s mqtt=%63s", served->http, served->mqtt) != 2) {
        fail_msg("'%s' is no ready line", GM_TEXT(child->out_text));
    }
    child->out_text.len--;
    return served;
}

int gm_served_stop(gm_served *served)
{
    kill(served->child->pid, SIGTERM);
    int code = gm_child_wait(served->child);
    gm_child_free(served->child);
    free(served);
    return code;
}

void gm_served_kill(gm_served *served)
{
    gm_child_free(served->child);
    free(served);
}

json_t *gm_served_ask(const gm_served *served, const char *method, const char *target, const char *body, unsigned status)
{
    test_http_client client;
    test_http_open(&client, (uint16_t)atoi(strchr(served->http, ':') + 1), NULL, NULL);
    test_http_reply *reply = test_http_ask(&client, method, target, NULL, body);
    if (status != 0 ? reply->status != status : reply->status >= 300)
        fail_msg("%s %s: %u %.*s", method, target, reply->status, (int)reply->body.len, (const char *)reply->body.ptr);
    json_t *json = json_loadb((const char *)reply->body.ptr, reply->body.len, 0, NULL);
    test_http_shut(&client);
    return json;
}
