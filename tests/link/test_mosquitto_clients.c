// Debian's mosquitto_pub and mosquitto_sub against the endpoint, both versions, every QoS. Skipped where they are not
// installed.
#include "link/mqtt_rig.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

typedef struct child { pid_t pid; int out; } child;

static bool installed(const char *program)
{
    char path[256];
    snprintf(path, sizeof path, "/usr/bin/%s", program);
    return access(path, X_OK) == 0;
}

// Starts "program -h 127.0.0.1 -p PORT ..." with its output in a pipe. The words are separated by '|'.
static child start(rig *r, const char *program, const char *words)
{
    char  port[16], copy[1024];
    char *argv[40] = { (char *)(uintptr_t)program, (char *)(uintptr_t) "-h", (char *)(uintptr_t) "127.0.0.1",
                       (char *)(uintptr_t) "-p", port };
    int   argc     = 5, pipes[2];
    snprintf(port, sizeof port, "%u", gm_mqtt_server_port(r->server));
    snprintf(copy, sizeof copy, "%s", words);
    for (char *word = strtok(copy, "|"); word != NULL && argc < 39; word = strtok(NULL, "|")) argv[argc++] = word;
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipes[1], 1);
    posix_spawn_file_actions_adddup2(&actions, pipes[1], 2);
    child c;
    assert_int_equal(posix_spawnp(&c.pid, program, &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(pipes[1]);
    c.out = pipes[0];
    fcntl(c.out, F_SETFL, O_NONBLOCK);
    return c;
}

// Turns the loop until the child has ended; its output goes to text. Returns its exit code.
static int finish(rig *r, child *c, char *text, size_t size)
{
    gm_dur_ns deadline = gm_monotonic(gm_clock_system()) + 20 * GM_SECOND;
    size_t    len      = 0;
    int       status;
    gm_watch *watch;
    gm_error  err;
    assert_gm_ok(gm_loop_add(r->loop, c->out, GM_LOOP_READ, rig_ignore, NULL, &watch, &err), err);
    for (;;) {
        ssize_t n = read(c->out, text + len, size - 1 - len);
        if (n > 0) len += (size_t)n;
        if (n == 0) break;
        if (gm_monotonic(gm_clock_system()) > deadline) {
            kill(c->pid, SIGKILL);
            break;
        }
        rig_turn(r);
    }
    gm_loop_remove(watch);
    text[len] = '\0';
    close(c->out);
    waitpid(c->pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void wait_for_subscriptions(rig *r, uint64_t n)
{
    gm_dur_ns deadline = gm_monotonic(gm_clock_system()) + 20 * GM_SECOND;
    while (gm_mqtt_server_statistics(r->server).subscriptions < n && gm_monotonic(gm_clock_system()) < deadline)
        rig_turn(r);
    assert_int_equal(gm_mqtt_server_statistics(r->server).subscriptions, n);
}

static void mosquitto_pub_reaches_mosquitto_sub_in_every_version_and_qos(void **state)
{
    (void)state;
    if (!installed("mosquitto_pub") || !installed("mosquitto_sub")) skip();
    static const char *const versions[] = { "mqttv311", "mqttv5" };
    for (int v = 0; v < 2; v++) {
        for (int qos = 0; qos <= 2; qos++) {
            rig  *r = rig_make();
            char  words[200], text[4096];
            snprintf(words, sizeof words, "-V|%s|-q|%d|-t|house/+/temp|-C|2|-v|-W|10", versions[v], qos);
            child sub = start(r, "mosquitto_sub", words);
            wait_for_subscriptions(r, 1);
            snprintf(words, sizeof words, "-V|%s|-q|%d|-t|house/kitchen/temp|-m|21.5", versions[1 - v], qos);
            child pub = start(r, "mosquitto_pub", words);
            assert_int_equal(finish(r, &pub, text, sizeof text), 0);
            snprintf(words, sizeof words, "-V|%s|-q|%d|-t|house/attic/temp|-m|8", versions[v], qos);
            pub = start(r, "mosquitto_pub", words);
            assert_int_equal(finish(r, &pub, text, sizeof text), 0);
            int code = finish(r, &sub, text, sizeof text);
            if (code != 0 || strcmp(text, "house/kitchen/temp 21.5\nhouse/attic/temp 8\n") != 0)
                fail_msg("exit %d: %s", code, text);
            rig_free(r);
        }
    }
}

static void mosquitto_pub_feeds_a_twin_and_mosquitto_sub_sees_it_change(void **state)
{
    (void)state;
    if (!installed("mosquitto_pub") || !installed("mosquitto_sub")) skip();
    rig  *r = rig_make();
    char  text[4096];
    child sub = start(r, "mosquitto_sub", "-V|mqttv5|-q|1|-t|gemel/pump1/changes|-C|1|-W|10");
    wait_for_subscriptions(r, 1);
    child pub = start(r, "mosquitto_pub", "-q|1|-t|gemel/pump1/telemetry|-m|{\"flow\":12.5}");
    assert_int_equal(finish(r, &pub, text, sizeof text), 0);
    assert_true(rig_value(r, "pump1", "flow") == 12.5);
    assert_int_equal(finish(r, &sub, text, sizeof text), 0);
    assert_non_null(strstr(text, "\"values\":{\"flow\":12.5}}"));
    rig_free(r);
}

static void a_session_of_mosquitto_sub_is_kept_while_it_is_away(void **state)
{
    (void)state;
    if (!installed("mosquitto_pub") || !installed("mosquitto_sub")) skip();
    rig  *r = rig_make();
    char  text[4096];
    child sub = start(r, "mosquitto_sub", "-c|-i|keeper|-q|1|-t|news|-E");  // subscribes and ends
    assert_int_equal(finish(r, &sub, text, sizeof text), 0);
    child pub = start(r, "mosquitto_pub", "-q|1|-t|news|-m|while you were away");
    assert_int_equal(finish(r, &pub, text, sizeof text), 0);
    sub = start(r, "mosquitto_sub", "-c|-i|keeper|-q|1|-t|news|-C|1|-W|10");
    assert_int_equal(finish(r, &sub, text, sizeof text), 0);
    assert_string_equal(text, "while you were away\n");
    rig_free(r);
}

static void retained_wills_and_requests_work_with_the_real_clients(void **state)
{
    (void)state;
    if (!installed("mosquitto_pub") || !installed("mosquitto_sub") || !installed("mosquitto_rr")) skip();
    rig  *r = rig_make();
    char  text[4096];
    child pub = start(r, "mosquitto_pub", "-q|1|-r|-t|shelf/a|-m|kept");
    assert_int_equal(finish(r, &pub, text, sizeof text), 0);
    child sub = start(r, "mosquitto_sub", "-t|shelf/#|-C|1|-W|10|-F|%r %p");
    assert_int_equal(finish(r, &sub, text, sizeof text), 0);
    assert_string_equal(text, "1 kept\n");

    child will = start(r, "mosquitto_sub", "-V|5|-t|gone|-C|1|-W|10");
    wait_for_subscriptions(r, 1);
    child mortal = start(r, "mosquitto_sub", "-t|other|--will-topic|gone|--will-payload|died");
    wait_for_subscriptions(r, 2);
    kill(mortal.pid, SIGKILL);
    finish(r, &mortal, text, sizeof text);
    assert_int_equal(finish(r, &will, text, sizeof text), 0);
    assert_string_equal(text, "died\n");

    child answerer = start(r, "mosquitto_sub", "-V|5|-t|questions|-C|1|-W|10|-F|%R %D");
    wait_for_subscriptions(r, 1);
    child asker = start(r, "mosquitto_rr", "-V|5|-t|questions|-e|answers|-m|how much|-W|10|-q|1");
    assert_int_equal(finish(r, &answerer, text, sizeof text), 0);
    assert_true(strncmp(text, "answers", 7) == 0);
    pub = start(r, "mosquitto_pub", "-V|5|-t|answers|-m|42");
    char ignored[256];
    assert_int_equal(finish(r, &pub, ignored, sizeof ignored), 0);
    assert_int_equal(finish(r, &asker, text, sizeof text), 0);
    assert_string_equal(text, "42\n");
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mosquitto_pub_reaches_mosquitto_sub_in_every_version_and_qos),
        cmocka_unit_test(mosquitto_pub_feeds_a_twin_and_mosquitto_sub_sees_it_change),
        cmocka_unit_test(a_session_of_mosquitto_sub_is_kept_while_it_is_away),
        cmocka_unit_test(retained_wills_and_requests_work_with_the_real_clients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
